/* Statistics: a plan (which matrix, which windows, which file), then columns in groups on the pool.
 *
 * The matrix lies row by row, so a single column touches every cache line of it. A group of sixteen columns is one line:
 * it is gathered in one walk over the rows, and then measured column by column. A thread holds one group, some 16 MB with
 * 226,000 matches, whatever the number of features. */
#include "task/statistics.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "evaluate/drift.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "football/target.h"
#include "limits.h"
#include "os/file.h"
#include "registry/registry.h"
#include "store/football_store.h"
#include "task/prepare.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 16, ID_HEX = 16 }; /* floats of a cache line; hex digits of an id */

#define MEMBER(name) OPTION_MEMBER(struct statistics_options, name)
static const struct option_row option_rows[] = {STATISTICS_OPTION_ROWS(MEMBER)};
static const struct option_table statistics_table = {"statistics", option_rows,
                                                     sizeof(option_rows) / sizeof(*option_rows)};

enum err_code statistics_check(const void *options, struct err *err)
{
    const struct statistics_options *wanted = options;
    if (wanted->league[0] != '\0' && league_find(text_of(wanted->league)) < 0)
        return err_set_field(err, ERR_INVALID, "league", "no league has the code '%s'", wanted->league);
    return ERR_OK;
}

/* ---- the plan ---- */

struct plan {
    const struct statistics_options *options;
    int league;                                   /* -1: all */
    char key[HASH_HEX_BYTES], id[HASH_HEX_BYTES]; /* of the matrix; of the answer, cut to ID_HEX */
    char version[MODEL_VERSION_BYTES];            /* whose training window it is; "" none */
    int64_t reference_from_us, reference_to_us;   /* [from, to), TIME_NONE: open */
    char path[FILE_PATH_BYTES];
};

/* The window that the league's newest model in production learned from. No model is no error. */
static enum err_code plan_model(struct plan *plan, struct store *store, struct err *err)
{
    for (int target = 0; target < TARGET_COUNT; target++) {
        struct model_name name = {"", "", ""};
        struct version_row row;
        (void)snprintf(name.subject, sizeof(name.subject), "%s", plan->options->league);
        (void)snprintf(name.variant, sizeof(name.variant), "%s", target_at((enum target)target)->name);
        enum err_code code = registry_production(store, &name, &row, err);
        if (code == ERR_NOT_FOUND)
            continue;
        if (code != ERR_OK)
            return code;
        memcpy(plan->version, row.version, sizeof(plan->version));
        plan->reference_from_us = row.train_from_us;
        plan->reference_to_us = row.train_to_us + 1; /* the last match it learned from is one of them */
        return ERR_OK;
    }
    return ERR_OK;
}

static void plan_hashes(struct plan *plan, char request[HASH_HEX_BYTES])
{
    struct hash hash;
    hash_init(&hash);
    hash_add_i64(&hash, plan->options->reference_to_us);
    hash_add_i64(&hash, plan->options->recent_days);
    hash_final_hex(&hash, request);
    hash_init(&hash);
    hash_add_text(&hash, "statistics 1"); /* raise when the content changes */
    hash_add_text(&hash, plan->key);
    hash_add_text(&hash, plan->options->league);
    hash_add_text(&hash, plan->version);
    hash_add_i64(&hash, plan->reference_from_us);
    hash_add_i64(&hash, plan->reference_to_us);
    hash_add_i64(&hash, plan->options->recent_days);
    hash_final_hex(&hash, plan->id);
    plan->id[ID_HEX] = '\0';
}

static enum err_code make_plan(struct plan *plan, struct store *store,
                               const struct statistics_options *options, struct err *err)
{
    char data_hash[HASH_HEX_BYTES], request[HASH_HEX_BYTES], name[96];
    *plan = (struct plan){.options = options,
                          .league = league_find(text_of(options->league)),
                          .reference_from_us = TIME_NONE,
                          .reference_to_us = TIME_NONE};
    enum err_code code = football_store_hash(store->db, data_hash, err);
    if (code != ERR_OK)
        return code;
    matrix_key(data_hash, football_feature_set_widest(), plan->key);
    if (options->reference_to_us != TIME_NONE)
        plan->reference_to_us = options->reference_to_us + TIME_DAY_US;
    else if (plan->league >= 0)
        code = plan_model(plan, store, err);
    plan_hashes(plan, request);
    (void)snprintf(name, sizeof(name), "features/statistics-%s-%.8s.json",
                   plan->league >= 0 ? league_at((size_t)plan->league)->code : "all", request);
    return code == ERR_OK ? file_join(store->folder, name, plan->path, err) : code;
}

static enum err_code read_kept(const struct plan *plan, struct buffer *out, struct err *err)
{
    char head[HASH_HEX_BYTES + 16];
    assert(out->size_bytes == 0);
    enum err_code code = file_exists(plan->path) ? file_read(plan->path, out, err) : ERR_NOT_FOUND;
    int size = snprintf(head, sizeof(head), "{\"id\":\"%s\"", plan->id);
    if (code == ERR_OK && out->size_bytes > (size_t)size && memcmp(out->data, head, (size_t)size) == 0)
        return ERR_OK;
    buffer_clear(out);
    return code == ERR_OK || code == ERR_NOT_FOUND
               ? err_set(err, ERR_NOT_FOUND, "the statistics of the present data are still to be made")
               : code;
}

/* ---- measuring ---- */

struct column {
    const struct feature *feature;
    const char *family;
    uint32_t index; /* of the matrix */
    struct feature_summary all, reference, recent;
    struct drift drift;
};

struct measuring {
    const struct plan *plan;
    const struct matrix *matrix;
    const struct reporter *reporter;
    uint32_t *row; /* [row_count] played matches in time order */
    size_t row_count, reference_begin, reference_end, recent_begin; /* the recent window ends with the rows */
    struct column *columns;
    size_t column_count;
    atomic_size_t done;
    atomic_bool has_no_memory;
};

static void measure_column(const struct measuring *measuring, struct column *column, float *values,
                           float *scratch)
{
    size_t reference = measuring->reference_end - measuring->reference_begin;
    size_t recent = measuring->row_count - measuring->recent_begin;
    memcpy(scratch, values + measuring->reference_begin, reference * sizeof(*scratch));
    memcpy(scratch + reference, values + measuring->recent_begin, recent * sizeof(*scratch));
    feature_summarise(scratch, reference, &column->reference);
    feature_summarise(scratch + reference, recent, &column->recent);
    drift_measure(scratch, reference, scratch + reference, recent, &column->drift);
    feature_summarise(values, measuring->row_count, &column->all);
}

static void measure_group(void *context, size_t index)
{
    struct measuring *measuring = context;
    size_t begin = index * GROUP, rows = measuring->row_count, stride = matrix_columns(measuring->matrix);
    size_t count = measuring->column_count - begin < GROUP ? measuring->column_count - begin : GROUP;
    if (report_is_stopped(measuring->reporter) || atomic_load(&measuring->has_no_memory))
        return;
    float *values = malloc((count + 1) * rows * sizeof(*values) + 1);
    if (values == NULL) {
        atomic_store(&measuring->has_no_memory, true);
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        const float *from = matrix_values(measuring->matrix) + (size_t)measuring->row[i] * stride;
        for (size_t c = 0; c < count; c++)
            values[c * rows + i] = from[measuring->columns[begin + c].index];
    }
    for (size_t c = 0; c < count; c++)
        measure_column(measuring, &measuring->columns[begin + c], values + c * rows, values + count * rows);
    free(values);
    report_progress(measuring->reporter, "measuring features",
                    atomic_fetch_add(&measuring->done, count) + count, measuring->column_count);
}

static size_t first_from(const struct measuring *measuring, int64_t from_us)
{
    const struct matrix_row *info = matrix_row_info(measuring->matrix);
    size_t i = 0;
    while (i < measuring->row_count && info[measuring->row[i]].start_us < from_us)
        i++;
    return i;
}

static enum err_code find_rows(struct measuring *measuring, struct err *err)
{
    const struct plan *plan = measuring->plan;
    const struct matrix_row *info = matrix_row_info(measuring->matrix);
    size_t rows_of_all = matrix_rows(measuring->matrix);
    measuring->row = malloc((rows_of_all + 1) * sizeof(*measuring->row));
    if (measuring->row == NULL)
        return err_nomem(err, rows_of_all * sizeof(*measuring->row));
    for (size_t i = 0; i < rows_of_all; i++) {
        if (info[i].label[TARGET_1X2] >= 0 && (plan->league < 0 || info[i].group == plan->league))
            measuring->row[measuring->row_count++] = (uint32_t)i;
    }
    if (measuring->row_count == 0)
        return err_set_field(err, ERR_NOT_FOUND, "league", "the store holds no played match of '%s'",
                             plan->options->league);
    int64_t last_us = info[measuring->row[measuring->row_count - 1]].start_us;
    measuring->recent_begin = first_from(measuring, last_us - plan->options->recent_days * TIME_DAY_US + 1);
    measuring->reference_begin =
        plan->reference_from_us == TIME_NONE ? 0 : first_from(measuring, plan->reference_from_us);
    measuring->reference_end = plan->reference_to_us == TIME_NONE
                                   ? measuring->recent_begin
                                   : first_from(measuring, plan->reference_to_us);
    if (measuring->reference_end > measuring->recent_begin)
        measuring->reference_end = measuring->recent_begin;
    if (measuring->reference_begin > measuring->reference_end)
        measuring->reference_begin = measuring->reference_end;
    return ERR_OK;
}

static enum err_code find_columns(struct measuring *measuring, struct err *err)
{
    const struct feature_set *set = football_feature_set_widest();
    size_t capacity = feature_set_columns(set);
    measuring->columns = calloc(capacity + 1, sizeof(*measuring->columns));
    if (measuring->columns == NULL)
        return err_nomem(err, capacity * sizeof(*measuring->columns));
    for (size_t t = 0; set->trackers[t] != NULL; t++) {
        for (size_t f = 0; f < set->trackers[t]->feature_count; f++) {
            const struct feature *feature = &set->trackers[t]->features[f];
            int index = dataset_column(matrix_names(measuring->matrix), matrix_columns(measuring->matrix),
                                       feature->name);
            assert(index >= 0 && measuring->column_count < capacity); /* the matrix holds the widest set */
            measuring->columns[measuring->column_count++] = (struct column){
                .feature = feature, .family = set->trackers[t]->family, .index = (uint32_t)index};
        }
    }
    return ERR_OK;
}

static enum err_code measure(struct measuring *measuring, struct pool *pool, struct err *err)
{
    enum err_code code = find_rows(measuring, err);
    if (code == ERR_OK)
        code = find_columns(measuring, err);
    if (code != ERR_OK)
        return code;
    pool_for(pool, (measuring->column_count + GROUP - 1) / GROUP, measure_group, measuring);
    if (atomic_load(&measuring->has_no_memory))
        return err_nomem(err, (GROUP + 1) * measuring->row_count * sizeof(float));
    return report_is_stopped(measuring->reporter) ? err_set(err, ERR_CANCELLED, "stopped on request")
                                                  : ERR_OK;
}

/* ---- writing ---- */

/* Most drifted first, those without a figure last; else the order of the columns. */
static int compare_columns(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    double p = isnan(x->drift.psi) ? -1 : x->drift.psi, q = isnan(y->drift.psi) ? -1 : y->drift.psi;
    if (p != q)
        return p > q ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void write_share(struct json_writer *out, const char *key, const struct feature_summary *summary)
{
    json_field_f64(out, key, summary->count > 0 ? (double)summary->missing / (double)summary->count : NAN);
}

static void write_column(struct json_writer *out, const struct column *column)
{
    const struct feature_summary *all = &column->all;
    json_begin_object(out);
    json_field_text(out, "name", column->feature->name);
    json_field_text(out, "family", column->family);
    json_field_text(out, "unit", column->feature->unit);
    json_field_text(out, "doc", column->feature->doc);
    json_field_bool(out, "needs_prices", column->feature->available == FEATURE_PRE_CLOSE);
    json_field_i64(out, "count", (int64_t)(all->count - all->missing));
    write_share(out, "missing_share", all);
    json_field_f64(out, "mean", all->mean);
    json_field_f64(out, "deviation", all->deviation);
    json_field_f64(out, "low", all->low);
    json_field_f64(out, "high", all->high);
    json_key(out, "quantiles");
    json_begin_array(out);
    for (size_t k = 0; k < FEATURE_QUANTILES; k++)
        json_put_f64(out, all->quantile[k]);
    json_end_array(out);
    json_field_f64(out, "reference_mean", column->reference.mean);
    json_field_f64(out, "reference_deviation", column->reference.deviation);
    write_share(out, "reference_missing_share", &column->reference);
    json_field_f64(out, "recent_mean", column->recent.mean);
    json_field_f64(out, "recent_deviation", column->recent.deviation);
    write_share(out, "recent_missing_share", &column->recent);
    json_field_f64(out, "psi", column->drift.psi);
    json_field_f64(out, "ks", column->drift.ks);
    json_field_f64(out, "js", column->drift.js);
    json_field_f64(out, "w1", column->drift.w1);
    json_field_f64(out, "missing_change", column->drift.missing_change);
    json_end_object(out);
}

static void write_day(struct json_writer *out, const char *key, const struct measuring *measuring,
                      size_t place)
{
    char text[TIME_TEXT_BYTES];
    time_format_date(matrix_row_info(measuring->matrix)[measuring->row[place]].day, text);
    json_field_text(out, key, text);
}

/* Days and rows of a window; days null when it is empty. */
static void write_window(struct json_writer *out, const struct measuring *measuring, size_t begin, size_t end)
{
    if (end > begin) {
        write_day(out, "from", measuring, begin);
        write_day(out, "to", measuring, end - 1);
    } else {
        json_field_null(out, "from");
        json_field_null(out, "to");
    }
    json_field_i64(out, "rows", (int64_t)(end - begin));
}

static void write_head(struct json_writer *out, const struct measuring *measuring)
{
    const struct plan *plan = measuring->plan;
    json_field_text(out, "id", plan->id); /* first: read_kept looks at the beginning */
    json_field_text(out, "matrix", plan->key);
    json_field_text(out, "league", plan->league >= 0 ? league_at((size_t)plan->league)->code : NULL);
    json_field_i64(out, "rows", (int64_t)measuring->row_count);
    write_day(out, "first", measuring, 0);
    write_day(out, "last", measuring, measuring->row_count - 1);
    json_key(out, "reference");
    json_begin_object(out);
    write_window(out, measuring, measuring->reference_begin, measuring->reference_end);
    json_field_text_or_null(out, "model", plan->version);
    json_end_object(out);
    json_key(out, "recent");
    json_begin_object(out);
    write_window(out, measuring, measuring->recent_begin, measuring->row_count);
    json_end_object(out);
    json_key(out, "quantile_levels");
    json_begin_array(out);
    for (size_t k = 0; k < FEATURE_QUANTILES; k++)
        json_put_f64(out, feature_quantile_levels[k]);
    json_end_array(out);
    json_key(out, "families");
    json_begin_array(out);
    for (size_t c = 0; c < measuring->column_count; c++) { /* still in order of the columns */
        if (c == 0 || strcmp(measuring->columns[c].family, measuring->columns[c - 1].family) != 0)
            json_put_text(out, measuring->columns[c].family);
    }
    json_end_array(out);
}

static void write_all(struct measuring *measuring, struct buffer *text)
{
    struct json_writer out;
    json_writer_init(&out, text);
    json_begin_object(&out);
    write_head(&out, measuring);
    qsort(measuring->columns, measuring->column_count, sizeof(*measuring->columns), compare_columns);
    json_key(&out, "features");
    json_begin_array(&out);
    for (size_t c = 0; c < measuring->column_count; c++)
        write_column(&out, &measuring->columns[c]);
    json_end_array(&out);
    json_end_object(&out);
}

/* A file that cannot be kept costs the next question some time, nothing else. */
static void keep(const struct task_context *context, const struct plan *plan, const char *text,
                 size_t size_bytes)
{
    char folder[FILE_PATH_BYTES];
    struct err err = {0};
    if (file_join(context->store->folder, "features", folder, &err) != ERR_OK ||
        file_make_folders(folder, &err) != ERR_OK ||
        file_write_atomic(plan->path, text, size_bytes, &err) != ERR_OK)
        report_log(context->reporter, "the statistics were not kept: %s", err.text);
}

/* ---- the flow ---- */

enum err_code statistics_read(struct store *store, const struct statistics_options *options,
                              struct buffer *out, struct err *err)
{
    struct plan plan;
    enum err_code code = make_plan(&plan, store, options, err);
    return code == ERR_OK ? read_kept(&plan, out, err) : code;
}

static enum err_code make(struct task_context *context, const struct plan *plan, struct buffer *out,
                          struct err *err)
{
    struct matrix *matrix = NULL;
    struct measuring measuring = {.plan = plan, .reporter = context->reporter};
    enum err_code code = prepare_matrix(context, &matrix, err);
    measuring.matrix = matrix;
    if (code == ERR_OK && strcmp(matrix_key_of(matrix), plan->key) != 0)
        code = err_set(err, ERR_CONFLICT, "the data changed while the features were measured; ask again");
    if (code == ERR_OK)
        code = measure(&measuring, context->pool, err);
    if (code == ERR_OK) {
        write_all(&measuring, out);
        code = buffer_check(out, "statistics", err);
    }
    if (code == ERR_OK)
        keep(context, plan, out->data, out->size_bytes);
    free(measuring.row);
    free(measuring.columns);
    matrix_close(matrix);
    return code;
}

enum err_code statistics_make(struct task_context *context, const struct statistics_options *options,
                              struct buffer *out, bool *out_was_kept, struct err *err)
{
    struct plan plan;
    enum err_code code = make_plan(&plan, context->store, options, err);
    if (code != ERR_OK)
        return code;
    code = read_kept(&plan, out, err);
    if (out_was_kept != NULL)
        *out_was_kept = code == ERR_OK;
    return code == ERR_NOT_FOUND ? make(context, &plan, out, err) : code;
}

static enum err_code statistics_run(struct task_context *context, const void *options, struct buffer *result,
                                    struct err *err)
{
    struct buffer text;
    struct plan plan;
    bool was_kept = false;
    enum err_code code = statistics_check(options, err);
    buffer_init(&text, LIMIT_RESULT_BYTES);
    if (code == ERR_OK)
        code = statistics_make(context, options, &text, &was_kept, err);
    if (code == ERR_OK)
        code = make_plan(&plan, context->store, options, err);
    if (code ==
        ERR_OK) { /* the figures are in the file: results of jobs are kept for good and should be small */
        struct json_writer out;
        json_writer_init(&out, result);
        json_begin_object(&out);
        json_field_text(&out, "statistics", plan.path);
        json_field_text(&out, "id", plan.id);
        json_field_bool(&out, "was_kept", was_kept);
        json_end_object(&out);
        code = buffer_check(result, "statistics result", err);
    }
    buffer_release(&text);
    return code;
}

enum err_code statistics_select(json_t *json, const char *family, size_t limit, struct err *err)
{
    json_t *features = json_object_get(json, "features");
    bool is_known = family[0] == '\0';
    for (size_t i = json_array_size(features); i-- > 0;) {
        const char *name = json_string_value(json_object_get(json_array_get(features, i), "family"));
        bool is_wanted = family[0] == '\0' || (name != NULL && strcmp(name, family) == 0);
        is_known = is_known || is_wanted;
        if (!is_wanted)
            (void)json_array_remove(features, i);
    }
    if (!is_known)
        return err_set_field(err, ERR_INVALID, "family", "no feature family is called '%.40s'", family);
    while (limit > 0 && json_array_size(features) > limit)
        (void)json_array_remove(features, json_array_size(features) - 1);
    return ERR_OK;
}

const struct task task_statistics = {
    .name = "statistics",
    .doc = "what the features look like, and how far the recent ones drifted from those learned from",
    .options = &statistics_table,
    .options_bytes = sizeof(struct statistics_options),
    .check = statistics_check,
    .run = statistics_run,
};
