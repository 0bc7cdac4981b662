/* Ablation. First the variants are listed, from names alone, so that a mistyped one is refused before a job is accepted; then
 * they walk one after the other: within a walk the fits run side by side, one thread each, and the memory of one data set
 * at a time is what is needed. The full set comes first; every later walk is compared with it as soon as it ends. */
#include "task/ablation.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "evaluate/scoresheet.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "football/target.h"
#include "learn/metric.h"
#include "limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "task/ablation_variants.h"
#include "task/learn_rows.h"
#include "task/prepare.h"
#include "task/walk.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 1000, LINE_BYTES = 96 }; /* a line of the kept forecasts, but for its name, is shorter */
#define FORECASTS_BYTES (4 * LIMIT_RESULT_BYTES)

#define MEMBER(name) OPTION_MEMBER(struct ablation_options, name)
static const struct option_row rows[] = {
    LEARN_ROW_LEAGUE(MEMBER),
    LEARN_ROW_TARGET(MEMBER),
    LEARN_ROW_ENGINE(MEMBER),
    {"features", OPTION_TEXT, MEMBER(features), "", 0, 0, "no_prices", "the full set, by its name"},
    {"families", OPTION_TEXT, MEMBER(families), "", 0, 0, "",
     "families to leave out one by one: elo,pi; empty: all of the set"},
    {"against", OPTION_TEXT, MEMBER(against), "", 0, 0, "",
     "other sets to compare with the full one: names of sets, or of families: core,elo+pi+form"},
    {"drop_one", OPTION_BOOL, MEMBER(drop_one), "", 0, 0, "true", "walk without each family"},
    {"only_one", OPTION_BOOL, MEMBER(only_one), "", 0, 0, "false", "walk with each family alone"},
    {"control", OPTION_BOOL, MEMBER(control), "", 0, 0, "true",
     "walk with the full set and another seed: the size of what is mere chance"},
    LEARN_ROW_POOL(MEMBER, "country"),
    LEARN_ROWS_WALK(MEMBER, "season"),
    LEARN_ROW_FOLDS(
        MEMBER, "0",
        "folds of the yearly calibration; 0: no calibration, which costs as much as several repeats"),
    {"repeats", OPTION_INT, MEMBER(repeats), "walks", 1, 20, "2",
     "walks of each set, each with a seed of its own; losses are their mean"},
    LEARN_ROW_SEED(MEMBER, 1000000000, "the first seed of everything random"),
    LEARN_ROW_PARAMETERS(MEMBER),
};
static const struct option_table ablation_table = {"ablation", rows, sizeof(rows) / sizeof(*rows)};

struct ablation {
    struct task_context *context;
    const struct ablation_options *options;
    struct variants list;
    int league;
    struct walk_plan settings;
    struct matrix *matrix;
    struct selected league_rows;
    struct walk_forward plan;
    struct dataset judged;
    size_t first_row;
    int64_t started_us;
};

static void release(struct ablation *ablation)
{
    variants_release(&ablation->list);
    walk_forward_release(&ablation->plan);
    prepare_selected_release(&ablation->league_rows);
    matrix_close(ablation->matrix);
}

/* ---- the walks ---- */

static enum err_code check_options(const void *options, struct err *err)
{
    const struct ablation_options *wanted = options;
    struct variants list = {0};
    struct recipe recipe;
    if (league_find(text_of(wanted->league)) < 0)
        return err_set_field(err, ERR_INVALID, "league", "no league has the code '%s'", wanted->league);
    if (wanted->from_us == TIME_NONE || wanted->to_us == TIME_NONE || wanted->from_us >= wanted->to_us)
        return err_set_field(err, ERR_INVALID, "to", "the last day judged must come after the first");
    enum err_code code = recipe_init(&recipe, wanted->engine, wanted->parameters, err);
    if (code == ERR_OK)
        code = variants_list(&list, wanted, err);
    if (code == ERR_OK && list.count < 2)
        code = err_set_field(err, ERR_INVALID, "drop_one", "there is nothing to compare the full set with");
    variants_release(&list);
    return code;
}

/* Hours of walks must not end in a file that cannot be kept. */
static enum err_code check_size(const struct ablation *ablation, struct err *err)
{
    int64_t size_bytes = 0;
    for (size_t i = 0; i < ablation->list.count; i++)
        size_bytes += (int64_t)(LINE_BYTES + strlen(ablation->list.items[i].name));
    size_bytes *= (int64_t)ablation->judged.rows * ablation->options->repeats;
    return size_bytes < FORECASTS_BYTES
               ? ERR_OK
               : err_set_field(
                     err, ERR_TOO_LARGE, "repeats",
                     "the forecasts of %zu sets would take %lld MB; repeat less often, or compare fewer",
                     ablation->list.count, (long long)size_bytes >> 20);
}

static enum err_code open_data(struct ablation *ablation, struct err *err)
{
    const struct ablation_options *options = ablation->options;
    struct selection selection = {.target = (enum target)options->target,
                                  .set = football_feature_set_widest(),
                                  .league = ablation->league,
                                  .pool = POOL_LEAGUE,
                                  .from_us = TIME_NONE,
                                  .to_us = options->to_us + TIME_DAY_US};
    enum err_code code = prepare_matrix(ablation->context, &ablation->matrix, err);
    if (code == ERR_OK)
        code = prepare_select(ablation->matrix, &selection, &ablation->league_rows, err);
    if (code == ERR_OK)
        code = walk_forward_plan(&ablation->league_rows.data, &ablation->settings, &ablation->plan, err);
    if (code != ERR_OK)
        return code;
    ablation->first_row = ablation->plan.windows[0].test_begin;
    ablation->judged =
        dataset_slice(&ablation->league_rows.data, ablation->first_row,
                      ablation->plan.windows[ablation->plan.count - 1].test_end - ablation->first_row);
    return check_size(ablation, err);
}

/* Losses and their intervals. Those of a repeated walk are means by row first: rows are what is drawn. */
static enum err_code judge(const struct ablation *ablation, struct variant *variant, struct err *err)
{
    const struct dataset *judged = &ablation->judged;
    const double *full = ablation->list.items[0].row;
    size_t values = judged->rows * judged->classes;
    double repeats = (double)ablation->options->repeats;
    double *difference = malloc((judged->rows + 1) * sizeof(*difference));
    variant->row = calloc(judged->rows + 1, sizeof(*variant->row));
    if (difference == NULL || variant->row == NULL) {
        free(difference);
        return err_nomem(err, judged->rows * sizeof(*difference));
    }
    if (full == NULL) /* this is the full set itself */
        full = variant->row;
    for (int64_t r = 0; r < ablation->options->repeats; r++) {
        const double *p = variant->p + (size_t)r * values;
        for (size_t i = 0; i < judged->rows; i++)
            variant->row[i] +=
                metric_row(METRIC_LOG_LOSS, p + i * judged->classes, judged->classes, judged->label[i]) /
                repeats;
        variant->rps +=
            metric_value(METRIC_RPS, p, judged->label, NULL, judged->rows, judged->classes) / repeats;
        variant->brier +=
            metric_value(METRIC_BRIER, p, judged->label, NULL, judged->rows, judged->classes) / repeats;
    }
    for (size_t i = 0; i < judged->rows; i++)
        difference[i] = variant->row[i] - full[i];
    enum err_code code =
        bootstrap_ratio(variant->row, NULL, judged->block, judged->rows, DRAWS, 1, &variant->loss, err);
    if (code == ERR_OK)
        code = bootstrap_ratio(difference, NULL, judged->block, judged->rows, DRAWS, 1, &variant->difference,
                               err);
    free(difference);
    return code;
}

static enum err_code walk_variant(const struct ablation *ablation, struct variant *variant, const char *phase,
                                  struct err *err)
{
    const struct ablation_options *options = ablation->options;
    struct selection selection = {.target = (enum target)options->target,
                                  .set = &variant->set,
                                  .league = ablation->league,
                                  .pool = (enum prepare_pool)options->pool,
                                  .from_us = TIME_NONE,
                                  .to_us = options->to_us + TIME_DAY_US};
    struct walk walk = {&ablation->plan,     &ablation->settings,     &ablation->league_rows,
                        ablation->first_row, ablation->context->pool, ablation->context->reporter};
    size_t values = ablation->judged.rows * ablation->judged.classes;
    struct selected pool = {0};
    struct recipe recipe;
    struct checkpoint checkpoint;
    enum err_code code = recipe_init(&recipe, options->engine, options->parameters, err);
    checkpoint_init(&checkpoint, ablation->context->job_folder, matrix_key_of(ablation->matrix),
                    ablation->context->reporter);
    recipe.checkpoint = &checkpoint;
    recipe.folds = code == ERR_OK && (recipe.engine->capabilities & ENGINE_IS_BASELINE) != 0
                       ? 0
                       : (size_t)options->folds;
    variant->p = malloc(((size_t)options->repeats * values + 1) * sizeof(*variant->p));
    if (code == ERR_OK && variant->p == NULL)
        code = err_nomem(err, (size_t)options->repeats * values * sizeof(*variant->p));
    if (code == ERR_OK)
        code = prepare_select(ablation->matrix, &selection, &pool, err);
    for (int64_t r = 0; code == ERR_OK && r < options->repeats; r++) {
        char text[2 * VARIANT_NAME_BYTES];
        (void)snprintf(text, sizeof(text), options->repeats > 1 ? "%s (%lld of %lld)" : "%s", phase,
                       (long long)r + 1, (long long)options->repeats);
        recipe.seed = variant->seed + (uint64_t)r;
        code = walk_model(&walk, &recipe, &pool, text, variant->p + (size_t)r * values, err);
    }
    variant->columns = pool.data.columns;
    prepare_selected_release(&pool);
    return code == ERR_OK ? judge(ablation, variant, err) : code;
}

static enum err_code walk_all(struct ablation *ablation, struct err *err)
{
    const struct reporter *reporter = ablation->context->reporter;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < ablation->list.count; i++) {
        struct variant *variant = &ablation->list.items[i];
        char phase[VARIANT_NAME_BYTES + 48];
        int64_t start_us = clock_monotonic_us();
        (void)snprintf(phase, sizeof(phase), "%zu/%zu %s", i + 1, ablation->list.count, variant->name);
        code = walk_variant(ablation, variant, phase, err);
        int64_t now_us = clock_monotonic_us();
        variant->took_us = now_us - start_us;
        if (code == ERR_OK)
            report_log(reporter,
                       "%s: %zu columns, log loss %.5f, against the full set %+.5f [%+.5f, %+.5f], %.0f s, "
                       "about %.0f s to go",
                       phase, variant->columns, variant->loss.value, variant->difference.value,
                       variant->difference.low, variant->difference.high, (double)variant->took_us / 1e6,
                       (double)(now_us - ablation->started_us) / 1e6 / (double)(i + 1) *
                           (double)(ablation->list.count - i - 1));
    }
    return code;
}

/* ---- what is written ---- */

static const char *verdict(const struct variant *variant)
{
    bool is_worse = variant->difference.low > 0, is_better = variant->difference.high < 0;
    if (variant->kind == VARIANT_DROP)
        return is_worse ? "helps" : is_better ? "hurts" : "not shown";
    return is_worse ? "worse" : is_better ? "better" : "not shown";
}

static void write_variant(const struct variant *variant, struct json_writer *out)
{
    json_begin_object(out);
    json_field_text(out, "name", variant->name);
    if (variant->family != NULL)
        json_field_text(out, "family", variant->family);
    json_field_i64(out, "columns", (int64_t)variant->columns);
    scoresheet_write_interval(out, "log_loss", &variant->loss);
    json_field_f64(out, "rps", variant->rps);
    json_field_f64(out, "brier", variant->brier);
    if (variant->kind != VARIANT_FULL) {
        scoresheet_write_interval(out, "difference", &variant->difference);
        json_field_text(out, "verdict", verdict(variant));
    }
    json_field_f64(out, "took_s", (double)variant->took_us / 1e6);
    json_end_object(out);
}

static int compare_variants(const void *a, const void *b)
{
    const struct variant *x = *(const struct variant *const *)a, *y = *(const struct variant *const *)b;
    if (x->difference.value != y->difference.value)
        return x->difference.value > y->difference.value ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void write_kind(const struct ablation *ablation, enum variant_kind kind, const char *key,
                       struct json_writer *out)
{
    const struct variant *sorted[VARIANTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ablation->list.count; i++) {
        if (ablation->list.items[i].kind == kind)
            sorted[count++] = &ablation->list.items[i];
    }
    qsort((void *)sorted, count, sizeof(*sorted), compare_variants);
    json_key(out, key);
    json_begin_array(out);
    for (size_t i = 0; i < count; i++)
        write_variant(sorted[i], out);
    json_end_array(out);
}

static void write_forecast(const struct ablation *ablation, const struct variant *variant, size_t row,
                           const char *head, struct buffer *csv)
{
    size_t classes = ablation->judged.classes;
    for (int64_t r = 0; r < ablation->options->repeats; r++) {
        const double *p = variant->p + ((size_t)r * ablation->judged.rows + row) * classes;
        buffer_printf(csv, "%s,\"%s\",%llu", head, variant->name,
                      (unsigned long long)variant->seed + (unsigned long long)r);
        for (size_t c = 0; c < classes; c++)
            buffer_printf(csv, ",%.9f", p[c]);
        buffer_append_char(csv, '\n');
    }
}

static void write_forecasts(const struct ablation *ablation, struct buffer *csv)
{
    const struct target_info *target = target_at((enum target)ablation->options->target);
    const struct dataset *judged = &ablation->judged;
    buffer_append_text(csv, "match,date,outcome,features,seed");
    for (size_t c = 0; c < target->classes; c++)
        buffer_printf(csv, ",p_%s", target->class_names[c]);
    buffer_append_char(csv, '\n');
    for (size_t row = 0; row < judged->rows; row++) {
        uint32_t index = ablation->league_rows.row[ablation->first_row + row];
        const struct matrix_row *info = &matrix_row_info(ablation->matrix)[index];
        char day[TIME_TEXT_BYTES], head[TIME_TEXT_BYTES + 64];
        time_format_date(info->day, day);
        (void)snprintf(head, sizeof(head), "%lld,%s,%s", (long long)info->id, day,
                       target->class_names[judged->label[row]]);
        for (size_t v = 0; v < ablation->list.count; v++)
            write_forecast(ablation, &ablation->list.items[v], row, head, csv);
    }
}

/* <data>/backtests/ablation-<hash of the forecasts>.<suffix>; the folder is made. */
static enum err_code kept_path(const struct ablation *ablation, const struct buffer *csv, const char *suffix,
                               char path[FILE_PATH_BYTES], struct err *err)
{
    struct hash hash;
    char hex[HASH_HEX_BYTES], name[64], folder[FILE_PATH_BYTES];
    hash_init(&hash);
    hash_add(&hash, csv->data, csv->size_bytes);
    hash_final_hex(&hash, hex);
    (void)snprintf(name, sizeof(name), "ablation-%.16s.%s", hex, suffix);
    enum err_code code = file_join(ablation->context->store->folder, "backtests", folder, err);
    if (code == ERR_OK)
        code = file_make_folders(folder, err);
    return code == ERR_OK ? file_join(folder, name, path, err) : code;
}

static void write_object(const struct ablation *ablation, const char *predictions, const char *kept,
                         struct buffer *result)
{
    struct json_writer out;
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_key(&out, "options");
    option_write_json(&ablation_table, ablation->options, &out);
    json_field_i64(&out, "matches", (int64_t)ablation->judged.rows);
    json_field_i64(&out, "refits", (int64_t)ablation->plan.count);
    json_field_f64(&out, "took_s", (double)(clock_monotonic_us() - ablation->started_us) / 1e6);
    json_key(&out, "full");
    write_variant(&ablation->list.items[0], &out);
    json_key(&out, "control");
    if (ablation->options->control)
        write_variant(&ablation->list.items[1], &out);
    else
        json_put_null(&out);
    write_kind(ablation, VARIANT_DROP, "drop_one", &out);
    write_kind(ablation, VARIANT_ONLY, "only_one", &out);
    write_kind(ablation, VARIANT_AGAINST, "against", &out);
    json_field_text(&out, "predictions", predictions);
    json_field_text(&out, "kept", kept);
    json_end_object(&out);
}

static enum err_code write_result(const struct ablation *ablation, struct buffer *result, struct err *err)
{
    char predictions[FILE_PATH_BYTES], kept[FILE_PATH_BYTES];
    struct buffer csv;
    buffer_init(&csv, FORECASTS_BYTES);
    write_forecasts(ablation, &csv);
    enum err_code code = buffer_check(&csv, "kept predictions", err);
    if (code == ERR_OK)
        code = kept_path(ablation, &csv, "csv", predictions, err);
    if (code == ERR_OK)
        code = kept_path(ablation, &csv, "json", kept, err);
    if (code == ERR_OK)
        code = file_write_atomic(predictions, csv.data, csv.size_bytes, err);
    if (code == ERR_OK) {
        write_object(ablation, predictions, kept, result);
        code = buffer_check(result, "ablation result", err);
    }
    if (code == ERR_OK)
        code = file_write_atomic(kept, result->data, result->size_bytes, err);
    buffer_release(&csv);
    return code;
}

static enum err_code ablation_run(struct task_context *context, const void *options, struct buffer *result,
                                  struct err *err)
{
    const struct ablation_options *wanted = options;
    struct ablation ablation = {.context = context, .options = wanted, .started_us = clock_monotonic_us()};
    enum err_code code = check_options(options, err);
    if (code != ERR_OK)
        return code;
    ablation.league = league_find(text_of(wanted->league));
    /* a day's embargo: matches whose clock is unknown are over by then */
    ablation.settings = (struct walk_plan){.from_us = wanted->from_us,
                                           .to_us = wanted->to_us + TIME_DAY_US,
                                           .cadence = (enum walk_cadence)wanted->refit,
                                           .every_days = wanted->every_days,
                                           .window_days = wanted->window_days,
                                           .embargo_us = TIME_DAY_US,
                                           .least_rows = 100};
    code = variants_list(&ablation.list, wanted, err);
    if (code == ERR_OK)
        code = open_data(&ablation, err);
    if (code == ERR_OK)
        code = walk_all(&ablation, err);
    if (code == ERR_OK)
        code = write_result(&ablation, result, err);
    release(&ablation);
    return code;
}

const struct task task_ablation = {
    .name = "ablation",
    .doc = "what each feature family is worth: the same walk through the past with and without it",
    .options = &ablation_table,
    .options_bytes = sizeof(struct ablation_options),
    .check = check_options,
    .run = ablation_run,
};
