/* Materialize. Which years: a version of a view remembers the name of the data it was made of; the change log of the store
 * says from which day on the data is another since. Rows before that day are the same (they know only what was known
 * then), so only the years from it on are written, after a replay of everything, which costs less than looking for a place
 * to begin. If the store does not know that state of the data, everything is written. */
#include "task/materialize.h"

#include "base/time.h"
#include "football/feature_sets.h"
#include "os/clock.h"
#include "store/change_store.h"
#include "store/football_store.h"
#include "task/materialize_rows.h"
#include "task/prepare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VIEWS_MAX = 64 };
#define DUCK_MEMORY_BYTES ((size_t)512 << 20)

#define MEMBER(name) OPTION_MEMBER(struct materialize_options, name)
static const struct option_row rows[] = {
    {"view", OPTION_TEXT, MEMBER(view), "", 0, 0, "", "only this view; empty: all"},
    {"full", OPTION_BOOL, MEMBER(full), "", 0, 0, "false",
     "write everything again, not only the years since the data changed"},
};
static const struct option_table materialize_table = {"materialize", rows, sizeof(rows) / sizeof(*rows)};

struct materialize {
    struct task_context *context;
    const struct materialize_options *options;
    char folder[FILE_PATH_BYTES], data_hash[HASH_HEX_BYTES];
    struct duck *duck;
    struct view_output outputs[VIEWS_MAX];
    bool is_fresh[VIEWS_MAX];
    size_t count;
};

enum err_code materialize_folder(const struct store *store, char out[FILE_PATH_BYTES], struct err *err)
{
    return file_join(store->folder, "features", out, err);
}

static enum err_code check(const void *options, struct err *err)
{
    const struct materialize_options *own = options;
    struct buffer known;
    if (own->view[0] == '\0' || football_view(own->view) != NULL)
        return ERR_OK;
    buffer_init(&known, ERR_TEXT_BYTES);
    for (size_t i = 0; football_view_at(i) != NULL; i++)
        buffer_printf(&known, "%s%s", i > 0 ? ", " : "", football_view_at(i)->name);
    enum err_code code = err_set_field(err, ERR_INVALID, "view", "there is no view '%s'; there are %s",
                                       own->view, buffer_text(&known));
    buffer_release(&known);
    return code;
}

/* ---- which years ---- */

/* First moment of which the store's data may be other than `data_hash`. */
static enum err_code find_change(struct materialize *run, const char *data_hash, int64_t *out_us,
                                 struct err *err)
{
    struct league_change *changes = NULL;
    size_t count = 0;
    int64_t first_day = INT64_MAX;
    *out_us = INT64_MIN;
    enum err_code code = change_store_since(run->context->store->db, data_hash, &changes, &count, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < count; i++)
        first_day = changes[i].from_day < first_day ? changes[i].from_day : first_day;
    free(changes);
    if (first_day != INT64_MAX)
        *out_us = (first_day - 1) * TIME_DAY_US; /* days are local */
    return ERR_OK;
}

/* *out_fresh: nothing is to be written. */
static enum err_code find_start(struct materialize *run, const struct feature_view *view, int64_t *out_us,
                                bool *out_fresh, struct err *err)
{
    char name[OFFLINE_NAME_BYTES];
    json_t *meta = NULL;
    *out_us = INT64_MIN;
    *out_fresh = false;
    offline_store_name(view, football_feature_set_widest(), name);
    enum err_code code = offline_store_describe(run->folder, name, &meta, err);
    if (code == ERR_NOT_FOUND || run->options->full)
        code = ERR_OK; /* also when what is there is damaged */
    else if (code == ERR_OK) {
        const char *hash = json_string_value(json_object_get(meta, "source_hash"));
        *out_fresh = hash != NULL && strcmp(hash, run->data_hash) == 0;
        if (hash != NULL && !*out_fresh)
            code = find_change(run, hash, out_us, err);
    }
    json_decref(meta);
    if (code == ERR_OK && *out_us != INT64_MIN) { /* whole years */
        int year, month, day;
        time_civil_from_day(time_day_of(*out_us), &year, &month, &day);
        *out_us = time_day_from_civil(year, 1, 1) * TIME_DAY_US;
    }
    return code;
}

static enum err_code open_output(struct materialize *run, const struct feature_view *view, struct err *err)
{
    struct view_output *output = &run->outputs[run->count];
    bool *is_fresh = &run->is_fresh[run->count];
    output->view = view;
    enum err_code code = find_start(run, view, &output->from_us, is_fresh, err);
    run->count++;
    if (code != ERR_OK || *is_fresh)
        return code;
    struct offline_write write = {view, football_feature_set_widest(), run->data_hash, output->from_us,
                                  clock_now_us()};
    code = view_output_open(output, err);
    return code == ERR_OK ? offline_writer_open(run->folder, run->duck, &write, &output->writer, err) : code;
}

/* ---- the flow ---- */

/* Outputs that are to be written, of matches or of the others. */
static size_t select_outputs(struct materialize *run, bool matches, struct view_output **out)
{
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        if (!run->is_fresh[i] && (run->outputs[i].view->entity == VIEW_MATCH) == matches)
            out[count++] = &run->outputs[i];
    }
    return count;
}

static enum err_code write_matches(struct materialize *run, struct err *err)
{
    struct view_output *outputs[VIEWS_MAX];
    struct matrix *matrix = NULL;
    size_t count = select_outputs(run, true, outputs);
    if (count == 0)
        return ERR_OK;
    enum err_code code = prepare_matrix(run->context, &matrix, err);
    if (code == ERR_OK && strcmp(matrix_data_hash(matrix), run->data_hash) != 0)
        code = err_set(err, ERR_CONFLICT, "the data changed meanwhile; try again");
    if (code == ERR_OK)
        code = materialize_matches(matrix, outputs, count, run->context->reporter, err);
    matrix_close(matrix);
    return code;
}

static enum err_code write_others(struct materialize *run, struct err *err)
{
    struct view_output *outputs[VIEWS_MAX];
    struct history *history = NULL;
    size_t count = select_outputs(run, false, outputs);
    if (count == 0)
        return ERR_OK;
    enum err_code code = prepare_history(run->context, (struct history_options){0}, &history, err);
    if (code == ERR_OK)
        code = materialize_replay(history, outputs, count, run->context->reporter, err);
    history_destroy(history);
    return code;
}

static enum err_code finish(struct materialize *run, struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < run->count; i++) {
        if (run->is_fresh[i])
            continue;
        report_progress(run->context->reporter, "describing views", i, run->count);
        code = offline_writer_finish(run->outputs[i].writer, err);
        if (code == ERR_NOT_FOUND)
            code = err_prefix(err, "nothing to write");
        if (code == ERR_OK)
            report_log(run->context->reporter, "view %s: %lld rows written", run->outputs[i].view->name,
                       (long long)run->outputs[i].rows);
    }
    return code;
}

static void put_from(struct json_writer *out, int64_t from_us)
{
    char text[TIME_TEXT_BYTES];
    time_format_date(time_day_of(from_us), text);
    json_field_text(out, "from", text);
}

static enum err_code write_result(struct materialize *run, int64_t took_us, struct buffer *result,
                                  struct err *err)
{
    struct json_writer out;
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_field_text(&out, "folder", run->folder);
    json_field_text(&out, "source_hash", run->data_hash);
    json_field_f64(&out, "seconds", (double)took_us / 1e6);
    json_key(&out, "views");
    json_begin_array(&out);
    for (size_t i = 0; i < run->count; i++) {
        const struct view_output *output = &run->outputs[i];
        char name[OFFLINE_NAME_BYTES];
        offline_store_name(output->view, football_feature_set_widest(), name);
        json_begin_object(&out);
        json_field_text(&out, "view", name);
        json_field_text(&out, "written",
                        run->is_fresh[i]               ? "nothing"
                        : output->from_us == INT64_MIN ? "all"
                                                       : "years");
        if (!run->is_fresh[i] && output->from_us != INT64_MIN)
            put_from(&out, output->from_us);
        json_field_i64(&out, "rows", output->rows);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    return buffer_check(result, "the result", err);
}

static enum err_code open_all(struct materialize *run, struct err *err)
{
    /* one thread: sums of statistics depend on their order, and the same data is to have the same description */
    struct duck_options options = {.threads = 1, .memory_bytes = DUCK_MEMORY_BYTES};
    enum err_code code = materialize_folder(run->context->store, run->folder, err);
    if (code == ERR_OK)
        code = football_store_hash(run->context->store->db, run->data_hash, err);
    if (code == ERR_OK)
        code = duck_open(&options, &run->duck, err);
    for (size_t i = 0; code == ERR_OK && football_view_at(i) != NULL; i++) {
        const struct feature_view *view = football_view_at(i);
        if (run->options->view[0] == '\0' || strcmp(run->options->view, view->name) == 0)
            code = open_output(run, view, err);
    }
    return code;
}

static enum err_code materialize_run(struct task_context *context, const void *options, struct buffer *result,
                                     struct err *err)
{
    int64_t start_us = clock_monotonic_us();
    struct materialize *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return err_nomem(err, sizeof(*run));
    run->context = context;
    run->options = options;
    enum err_code code = open_all(run, err);
    if (code == ERR_OK)
        code = write_others(run, err);
    if (code == ERR_OK)
        code = write_matches(run, err);
    if (code == ERR_OK)
        code = finish(run, err);
    if (code == ERR_OK)
        code = write_result(run, clock_monotonic_us() - start_us, result, err);
    for (size_t i = 0; i < run->count; i++)
        view_output_release(&run->outputs[i]);
    duck_close(run->duck);
    free(run);
    return code;
}

const struct task task_materialize = {
    .name = "materialize",
    .doc = "write the rows of the feature views to the offline store",
    .options = &materialize_table,
    .options_bytes = sizeof(struct materialize_options),
    .check = check,
    .run = materialize_run,
};
