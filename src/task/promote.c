/* Promotion. The champion may have been trained later than the holdout begins (on newer data than this challenger): then
 * only the matches after the end of its own learning are compared, as neither may have seen what it is judged on. */
#include "task/promote.h"

#include "base/time.h"
#include "evaluate/scoresheet.h"
#include "learn/metric.h"
#include "learn/model.h"
#include "task/duel.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMOTE_DRAWS = 2000, PROMOTE_ROWS_MIN = 50 };

static void write_decision(struct json_writer *out, bool promote, const char *champion, const char *reason,
                           const struct interval *brier, const struct interval *ece)
{
    json_begin_object(out);
    json_field_bool(out, "promote", promote);
    json_field_text(out, "reason", reason);
    json_field_text(out, "champion", champion);
    if (brier != NULL)
        scoresheet_write_interval(out, "brier", brier);
    if (ece != NULL)
        scoresheet_write_interval(out, "ece", ece);
    json_end_object(out);
}

struct comparison {
    struct interval brier; /* challenger minus champion */
    double ece_challenger, ece_champion;
    struct interval ece; /* of the challenger */
};

static enum err_code compare(const struct dataset *data, size_t begin, size_t end, const double *challenger,
                             const double *champion, struct comparison *out, struct err *err)
{
    const int32_t *label = data->label + begin;
    const int64_t *block = data->block + begin;
    size_t count = end - begin;
    enum err_code code = metric_difference(METRIC_BRIER, challenger, champion, label, block, count,
                                           data->classes, PROMOTE_DRAWS, 1, &out->brier, err);
    if (code == ERR_OK)
        code = metric_interval(METRIC_ECE, challenger, label, block, count, data->classes, PROMOTE_DRAWS, 1,
                               &out->ece, err);
    out->ece_challenger = metric_value(METRIC_ECE, challenger, label, NULL, count, data->classes);
    out->ece_champion = metric_value(METRIC_ECE, champion, label, NULL, count, data->classes);
    return code;
}

static void conclude(const struct comparison *comparison, const char *champion, size_t count,
                     struct json_writer *out)
{
    char reason[512];
    bool is_better = comparison->brier.high < 0;
    /* worse than the champion by more than half the width of its own interval */
    bool is_less_calibrated = comparison->ece_challenger - comparison->ece_champion >
                              (comparison->ece.high - comparison->ece.low) / 2;
    (void)snprintf(
        reason, sizeof(reason),
        "Brier minus that of %s on the same %zu matches: %+.5f [%+.5f, %+.5f]; ECE %.4f against %.4f: %s",
        champion, count, comparison->brier.value, comparison->brier.low, comparison->brier.high,
        comparison->ece_challenger, comparison->ece_champion,
        !is_better           ? "not shown to be better, not promoted"
        : is_less_calibrated ? "better, but worse calibrated, not promoted"
                             : "better, promoted");
    write_decision(out, is_better && !is_less_calibrated, champion, reason, &comparison->brier,
                   &comparison->ece);
}

static enum err_code duel(const struct version_row *row, const struct model *champion,
                          const struct selected *rows, struct split split, const double *p,
                          struct json_writer *out, struct err *err)
{
    size_t begin = split.test_begin, classes = rows->data.classes;
    while (begin < split.test_end && rows->time_us[begin] <= row->train_to_us)
        begin++;
    if (split.test_end - begin < PROMOTE_ROWS_MIN) {
        write_decision(out, false, row->version,
                       "too few matches that neither version has learned from; not promoted", NULL, NULL);
        return ERR_OK;
    }
    double *champion_p = malloc((split.test_end - begin) * classes * sizeof(*champion_p));
    if (champion_p == NULL)
        return err_nomem(err, (split.test_end - begin) * classes * sizeof(*champion_p));
    struct comparison comparison;
    enum err_code code = duel_predict(champion, rows, begin, split.test_end, champion_p, err);
    if (code == ERR_OK)
        code = compare(&rows->data, begin, split.test_end, p + (begin - split.test_begin) * classes,
                       champion_p, &comparison, err);
    if (code == ERR_OK)
        conclude(&comparison, row->version, split.test_end - begin, out);
    free(champion_p);
    return code;
}

enum err_code promote_decide(struct task_context *context, const struct model_name *name, const char *version,
                             const struct matrix *matrix, const struct selected *league_rows,
                             struct split split, const double *p, struct json_writer *out, struct err *err)
{
    (void)matrix;
    struct version_row row;
    struct model *champion = NULL;
    struct err reason = {0};
    enum err_code code = registry_production(context->store, name, &row, err);
    if (code == ERR_NOT_FOUND) {
        write_decision(out, true, NULL, "nothing was in production for this model: promoted", NULL, NULL);
        return ERR_OK;
    }
    if (code != ERR_OK)
        return code;
    if (strcmp(row.version, version) == 0) {
        write_decision(out, false, row.version, "this very version is in production already", NULL, NULL);
        return ERR_OK;
    }
    if (registry_load(&row, &champion, &reason) == ERR_OK)
        code = duel(&row, champion, league_rows, split, p, out, &reason);
    else
        code = reason.code;
    model_destroy(champion);
    if (code == ERR_CORRUPT || code == ERR_CONFLICT || code == ERR_NOT_FOUND || code == ERR_IO) {
        char text[700];
        (void)snprintf(text, sizeof(text), "the version in production cannot be judged: %.500s; promoted",
                       reason.text);
        write_decision(out, true, row.version, text, NULL, NULL);
        return ERR_OK;
    }
    return code == ERR_OK ? ERR_OK : err_set(err, code, "%s", reason.text);
}

static double metric_of(const json_t *result, const char *name)
{
    const json_t *metrics = json_object_get(json_object_get(result, "description"), "holdout_metrics");
    const json_t *value = json_object_get(metrics, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static enum err_code read_text(const json_t *result, const char *key, char *out, size_t out_bytes,
                               struct err *err)
{
    const char *text = NULL;
    enum err_code code = json_take_text(result, key, true, &text, err);
    if (code == ERR_OK && !text_copy(text_of(text), out, out_bytes))
        return err_set(err, ERR_INVALID, "'%s' of a training result is too long", key);
    return code;
}

static enum err_code read_row(const json_t *result, struct version_row *row, struct err *err)
{
    const struct {
        const char *key;
        char *out;
        size_t bytes;
    } texts[] = {{"subject", row->name.subject, sizeof(row->name.subject)},
                 {"variant", row->name.variant, sizeof(row->name.variant)},
                 {"bot", row->name.bot, sizeof(row->name.bot)},
                 {"version", row->version, sizeof(row->version)},
                 {"path", row->path, sizeof(row->path)},
                 {"feature_set", row->feature_set, sizeof(row->feature_set)}};
    const struct {
        const char *key;
        int64_t *out;
    } numbers[] = {{"trained_us", &row->trained_us},       {"size_bytes", &row->size_bytes},
                   {"duration_ms", &row->duration_ms},     {"rows", &row->rows},
                   {"train_from_us", &row->train_from_us}, {"train_to_us", &row->train_to_us},
                   {"test_from_us", &row->test_from_us},   {"test_to_us", &row->test_to_us}};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof(texts) / sizeof(*texts); i++)
        code = read_text(result, texts[i].key, texts[i].out, texts[i].bytes, err);
    for (size_t i = 0; code == ERR_OK && i < sizeof(numbers) / sizeof(*numbers); i++)
        code = json_take_i64(result, numbers[i].key, true, numbers[i].out, err);
    row->log_loss = metric_of(result, "log_loss");
    row->brier = metric_of(result, "brier");
    row->rps = metric_of(result, "rps");
    row->accuracy = metric_of(result, "accuracy");
    row->rmse = row->mae = row->train_loss = NAN;
    row->val_loss = row->log_loss;
    if (code == ERR_OK)
        code = json_take_f64(result, "rmse", false, &row->rmse, err);
    return code == ERR_OK ? json_take_f64(result, "mae", false, &row->mae, err) : code;
}

static enum err_code record(struct store *store, const struct version_row *row, const json_t *result,
                            struct err *err)
{
    const json_t *numbers = json_object_get(result, "decision");
    struct decision decision = {.promoted = json_is_true(json_object_get(numbers, "promote"))};
    const char *reason = json_string_value(json_object_get(numbers, "reason"));
    (void)text_copy(text_of(reason != NULL ? reason : ""), decision.reason, sizeof(decision.reason));
    char *details = json_dumps(result, JSON_COMPACT),
         *text = json_dumps(numbers != NULL ? numbers : json_null(), JSON_COMPACT | JSON_ENCODE_ANY);
    enum err_code code = ERR_OK;
    if (details == NULL || text == NULL)
        code = err_nomem(err, 0);
    if (code == ERR_OK)
        code = registry_add(store, row, details, err);
    if (code == ERR_OK)
        code = registry_record_decision(store, row->version, &decision, text, err);
    if (code == ERR_OK && decision.promoted)
        code = registry_move(store, row->version, STAGE_PRODUCTION, "train", decision.reason, err);
    free(details);
    free(text);
    return code;
}

enum err_code promote_commit(struct store *store, const json_t *result, struct err *err)
{
    struct version_row row = {0};
    enum err_code code = read_row(result, &row, err);
    return code == ERR_OK ? record(store, &row, result, err) : code;
}
