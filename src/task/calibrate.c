/* Calibrate (SPEC D5, H3): would a Platt layer fitted on what was settled in the last hours make the forecasts of a version in
 * production better?
 *
 *   settled forecasts of the window, in order of kick-off -> the earlier half fits the layer, the later half judges it:
 *   paired difference of the log loss -> better: fitted again on all of them, and put over what is served
 *
 * Model files are immutable, and so is what was judged: the layer is a row beside the version (table recalibration) that
 * serving puts over the model's own probabilities while it is young (serve/models_layer.h). The forecasts that are kept are
 * those of the model itself, so a layer is never fitted on what a layer has changed. A finding "not better" removes the layer
 * before it; too few forecasts find nothing, and the layer ends with its life.
 *
 * This is asked every few minutes, so it must seldom be wrong when nothing is amiss. A window of a day has one or two match
 * days, and the bootstrap over so few days alone would be wrong in one case of ten. So the difference must also be clear
 * match by match: MARGIN standard errors below zero (docs/retraining.md has the rates). A few dozen matches seldom show that:
 * the usual answer is "not shown to help", with the numbers. */
#include "learn/calibrate.h"
#include "base/time.h"
#include "learn/metric.h"
#include "limits.h"
#include "os/clock.h"
#include "store/forecast_store.h"
#include "store/retrain_store.h"
#include "task/performance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORECASTS_MOST = 20000, DRAWS = 2000 };
#define MARGIN        2.6          /* standard errors: half a per cent, one-sided */
#define KEEP_AGAIN_US TIME_HOUR_US /* the same finding again is kept once in this time: it renews the life */

struct calibrate_options {
    char subject[16], variant[16], bot[32];
    int64_t window_h, least, at_us;
};
#define MEMBER(name) OPTION_MEMBER(struct calibrate_options, name)
static const struct option_row rows[] = {
    {"subject", OPTION_TEXT, MEMBER(subject), "", 0, 0, "", "models of this league only"},
    {"variant", OPTION_TEXT, MEMBER(variant), "", 0, 0, "", "models of this target only"},
    {"bot", OPTION_TEXT, MEMBER(bot), "", 0, 0, "", "models of this bot only"},
    {"window_h", OPTION_INT, MEMBER(window_h), "h", 1, 87600, "24",
     "matches that kicked off in the last hours"},
    {"least", OPTION_INT, MEMBER(least), "forecasts", 10, 100000, "20",
     "settled forecasts of a version without which nothing is done"},
    {"at", OPTION_DATE, MEMBER(at_us), "", 0, 0, "", "as of this moment; empty: now"},
};
static const struct option_table calibrate_table = {"calibrate", rows, sizeof(rows) / sizeof(*rows)};
extern const struct task task_calibrate;

struct settled {
    size_t rows, classes;
    double *p; /* [rows][classes] */
    int32_t *label;
    int64_t *block;
};

static void settled_release(struct settled *settled)
{
    free(settled->p);
    free(settled->label);
    free(settled->block);
}

static enum err_code take_forecasts(const struct stored_forecast *forecasts, size_t count,
                                    struct settled *out, struct err *err)
{
    *out = (struct settled){.p = malloc((count + 1) * FORECAST_CLASSES_MAX * sizeof(double)),
                            .label = malloc((count + 1) * sizeof(int32_t)),
                            .block = malloc((count + 1) * sizeof(int64_t))};
    if (out->p == NULL || out->label == NULL || out->block == NULL)
        return err_nomem(err, count * sizeof(*forecasts));
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        if (forecasts[i].settled_us == TIME_NONE || (out->rows > 0 && forecasts[i].classes != out->classes))
            continue;
        out->classes = forecasts[i].classes;
        for (size_t k = 0; k < out->classes; k++)
            sum += forecasts[i].p[k];
        for (size_t k = 0; k < out->classes; k++) /* they were rounded when told */
            out->p[out->rows * out->classes + k] = forecasts[i].p[k] / sum;
        out->label[out->rows] = forecasts[i].outcome;
        out->block[out->rows++] = time_day_of(forecasts[i].kickoff_us);
    }
    return ERR_OK;
}

static enum err_code read_settled(struct task_context *context, const char *version, int64_t from_us,
                                  int64_t to_us, struct settled *out, struct err *err)
{
    size_t count = FORECASTS_MOST;
    struct stored_forecast *forecasts = malloc(FORECASTS_MOST * sizeof(*forecasts));
    *out = (struct settled){0};
    if (forecasts == NULL)
        return err_nomem(err, FORECASTS_MOST * sizeof(*forecasts));
    enum err_code code =
        forecast_store_list(context->store->db, version, from_us, to_us, forecasts, &count, err);
    if (code == ERR_OK)
        code = take_forecasts(forecasts, count, out, err);
    free(forecasts);
    return code;
}

struct finding {
    bool is_better;
    double before, after; /* log loss of the later half */
    char reason[256];
    struct buffer layer; /* of all rows; empty unless better */
};

static enum err_code fit_layer(const struct settled *settled, size_t rows_used, struct calibrator **out,
                               struct err *err)
{
    return calibrator_fit(CALIBRATION_PLATT, settled->p, settled->label, rows_used, settled->classes, out,
                          err);
}

struct gain {
    struct interval days, matches; /* of the mean difference, bootstrapped over either */
    size_t day_count;
};

/* Of the last `judged` settled forecasts, which are after[judged][classes] with the layer. */
static enum err_code measure_gain(const struct settled *settled, size_t judged, const double *after,
                                  struct gain *out, struct err *err)
{
    size_t first = settled->rows - judged, classes = settled->classes;
    const double *before = settled->p + first * classes;
    const int32_t *label = settled->label + first;
    int64_t *each = malloc((judged + 1) * sizeof(*each));
    if (each == NULL)
        return err_nomem(err, judged * sizeof(*each));
    for (size_t i = 0; i < judged; i++)
        each[i] = (int64_t)i;
    out->day_count = bootstrap_block_count(settled->block + first, judged);
    enum err_code code = metric_difference(METRIC_LOG_LOSS, after, before, label, settled->block + first,
                                           judged, classes, DRAWS, 1, &out->days, err);
    if (code == ERR_OK)
        code = metric_difference(METRIC_LOG_LOSS, after, before, label, each, judged, classes, DRAWS, 1,
                                 &out->matches, err);
    free(each);
    return code;
}

/* Of one match day the interval over days has no width and says nothing. */
static bool is_shown(const struct gain *gain)
{
    return gain->day_count > 1 && gain->days.high < 0 &&
           gain->matches.value + MARGIN * gain->matches.standard_error < 0;
}

/* Fitted on the earlier half, judged on the later. */
static enum err_code judge_layer(const struct settled *settled, struct finding *finding, struct err *err)
{
    size_t half = settled->rows / 2, judged = settled->rows - half, classes = settled->classes;
    const double *before = settled->p + half * classes;
    struct calibrator *layer = NULL;
    struct gain gain;
    double *after = malloc((judged * classes + 1) * sizeof(*after));
    enum err_code code =
        after != NULL ? fit_layer(settled, half, &layer, err) : err_nomem(err, judged * sizeof(*after));
    if (code != ERR_OK)
        goto out;
    memcpy(after, before, judged * classes * sizeof(*after));
    calibrator_apply(layer, after, judged);
    finding->before = metric_value(METRIC_LOG_LOSS, before, settled->label + half, NULL, judged, classes);
    finding->after = metric_value(METRIC_LOG_LOSS, after, settled->label + half, NULL, judged, classes);
    code = measure_gain(settled, judged, after, &gain, err);
    if (code != ERR_OK)
        goto out;
    finding->is_better = is_shown(&gain);
    (void)snprintf(finding->reason, sizeof(finding->reason),
                   "log loss of the later %zu of %zu settled forecasts %.4f with a Platt layer of the "
                   "earlier, %.4f without: difference %+.4f [%+.4f, %+.4f], standard error %.4f: %s",
                   judged, settled->rows, finding->after, finding->before, gain.days.value, gain.days.low,
                   gain.days.high, gain.matches.standard_error,
                   finding->is_better ? "better" : "not shown to help");
out:
    calibrator_destroy(layer);
    free(after);
    return code;
}

static enum err_code find(const struct settled *settled, int64_t least, struct finding *finding,
                          struct err *err)
{
    finding->before = finding->after = NAN;
    if (settled->rows < (size_t)least) {
        (void)snprintf(finding->reason, sizeof(finding->reason),
                       "%zu settled forecasts in the window; %lld are needed", settled->rows,
                       (long long)least);
        return ERR_OK;
    }
    enum err_code code = judge_layer(settled, finding, err);
    if (code == ERR_OK && finding->is_better) {
        struct calibrator *layer = NULL;
        code = fit_layer(settled, settled->rows, &layer, err);
        if (code == ERR_OK)
            code = calibrator_save(layer, &finding->layer, err);
        calibrator_destroy(layer);
    }
    return code;
}

static void write_finding(const struct version_row *row, const struct settled *settled,
                          const struct finding *finding, struct json_writer *out)
{
    static const char digits[] = "0123456789abcdef";
    json_begin_object(out);
    json_field_text(out, "subject", row->name.subject);
    json_field_text(out, "variant", row->name.variant);
    json_field_text(out, "bot", row->name.bot);
    json_field_text(out, "version", row->version);
    json_field_i64(out, "settled", (int64_t)settled->rows);
    json_field_bool(out, "is_better", finding->is_better);
    json_field_f64(out, "loss_before", finding->before);
    json_field_f64(out, "loss_after", finding->after);
    json_field_text(out, "reason", finding->reason);
    struct buffer hex;
    buffer_init(&hex, LIMIT_DESCRIPTION_BYTES);
    for (size_t i = 0; i < finding->layer.size_bytes; i++) {
        unsigned char byte = (unsigned char)finding->layer.data[i];
        buffer_append_char(&hex, digits[byte >> 4]);
        buffer_append_char(&hex, digits[byte & 15]);
    }
    json_field_text(out, "layer", hex.size_bytes > 0 ? buffer_text(&hex) : NULL);
    buffer_release(&hex);
    json_end_object(out);
}

static enum err_code calibrate_model(struct task_context *context, const struct calibrate_options *options,
                                     const struct version_row *row, int64_t at_us, struct json_writer *out,
                                     size_t *tried, struct err *err)
{
    struct settled settled;
    struct finding finding = {0};
    buffer_init(&finding.layer, LIMIT_DESCRIPTION_BYTES);
    enum err_code code =
        read_settled(context, row->version, at_us - options->window_h * TIME_HOUR_US, at_us, &settled, err);
    if (code == ERR_OK)
        code = find(&settled, options->least, &finding, err);
    if (code == ERR_OK) {
        write_finding(row, &settled, &finding, out);
        *tried += settled.rows >= (size_t)options->least;
        report_log(context->reporter, "%s/%s/%s: %s", row->name.subject, row->name.variant, row->name.bot,
                   finding.reason);
    }
    settled_release(&settled);
    buffer_release(&finding.layer);
    return code;
}

static enum err_code calibrate_run(struct task_context *context, const void *given, struct buffer *result,
                                   struct err *err)
{
    const struct calibrate_options *options = given;
    struct version_row *models = NULL;
    struct json_writer out;
    size_t count = 0, tried = 0;
    char note[160];
    int64_t at_us = options->at_us != TIME_NONE ? options->at_us : clock_now_us();
    enum err_code code = performance_models(context->store, options->subject, options->variant, options->bot,
                                            &models, &count, err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_field_time(&out, "at", at_us);
    json_key(&out, "models");
    json_begin_array(&out);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = calibrate_model(context, options, &models[i], at_us, &out, &tried, err);
    json_end_array(&out);
    (void)snprintf(note, sizeof(note),
                   count > 0 ? "%zu of %zu models had %lld settled forecasts in the last %lld h"
                             : "no model is in production",
                   tried, count, (long long)options->least, (long long)options->window_h);
    json_field_text(&out, "outcome", tried > 0 ? "succeeded" : "skipped");
    json_field_text(&out, "note", note);
    json_end_object(&out);
    free(models);
    return code == ERR_OK ? buffer_check(result, "calibration result", err) : code;
}

/* ---- commit ---- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static void take_layer(const char *digits, struct buffer *out)
{
    for (size_t i = 0; digits != NULL && digits[i] != '\0' && digits[i + 1] != '\0'; i += 2)
        buffer_append_char(out, (char)(digit_of(digits[i]) * 16 + digit_of(digits[i + 1])));
}

/* Does the newest row say this already, and not long ago? */
static enum err_code is_known(struct store *store, const struct recalibration *row,
                              const struct buffer *layer, bool *out, struct err *err)
{
    struct recalibration newest;
    struct buffer kept;
    buffer_init(&kept, LIMIT_DESCRIPTION_BYTES);
    enum err_code code = retrain_store_recalibration(store->db, row->version, &newest, &kept, err);
    *out = code == ERR_OK && newest.is_better == row->is_better && newest.matches == row->matches &&
           row->made_us >= newest.made_us && row->made_us - newest.made_us < KEEP_AGAIN_US &&
           strcmp(newest.reason, row->reason) == 0 && kept.size_bytes == layer->size_bytes &&
           (kept.size_bytes == 0 || memcmp(kept.data, layer->data, kept.size_bytes) == 0);
    buffer_release(&kept);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* As of the moment that was looked at: a look at the past is no news about the present. */
static int64_t moment_of(const json_t *result)
{
    const char *at = json_string_value(json_object_get(result, "at"));
    int64_t at_us = TIME_NONE, now_us = clock_now_us();
    bool has_clock;
    bool is_past = at != NULL && time_parse_iso(text_of(at), &at_us, &has_clock) && at_us < now_us;
    return is_past ? at_us : now_us;
}

static enum err_code put_finding(struct store *store, const json_t *model, int64_t made_us, struct err *err)
{
    struct recalibration row = {.made_us = made_us,
                                .matches = json_integer_value(json_object_get(model, "settled")),
                                .is_better = json_is_true(json_object_get(model, "is_better"))};
    const json_t *before = json_object_get(model, "loss_before"),
                 *after = json_object_get(model, "loss_after");
    const char *reason = json_string_value(json_object_get(model, "reason"));
    const char *version = json_string_value(json_object_get(model, "version"));
    struct buffer layer;
    bool is_there = false;
    if (!json_is_number(before)) /* nothing was tried */
        return ERR_OK;
    row.loss_before = json_number_value(before);
    row.loss_after = json_number_value(after);
    (void)snprintf(row.version, sizeof(row.version), "%s", version != NULL ? version : "");
    (void)snprintf(row.reason, sizeof(row.reason), "%s", reason != NULL ? reason : "");
    buffer_init(&layer, LIMIT_DESCRIPTION_BYTES);
    take_layer(json_string_value(json_object_get(model, "layer")), &layer);
    enum err_code code = buffer_check(&layer, "calibration layer", err);
    if (code == ERR_OK)
        code = is_known(store, &row, &layer, &is_there, err);
    if (code == ERR_OK && !is_there)
        code = retrain_store_put_recalibration(store->db, &row, layer.data, layer.size_bytes, err);
    buffer_release(&layer);
    return code;
}

static enum err_code calibrate_commit(struct store *store, const json_t *result, struct err *err)
{
    const json_t *model;
    int64_t made_us = moment_of(result);
    size_t i;
    enum err_code code = db_begin(store->db, err);
    if (code != ERR_OK)
        return code;
    json_array_foreach(json_object_get(result, "models"), i, model) code =
        code == ERR_OK ? put_finding(store, model, made_us, err) : code;
    if (code == ERR_OK)
        code = db_commit(store->db, err);
    else
        db_rollback(store->db);
    return code;
}

const struct task task_calibrate = {
    .name = "calibrate",
    .doc = "would a Platt layer fitted on the newest settled forecasts make a version in production better? "
           "Then it is put over what is served, for at most two days",
    .options = &calibrate_table,
    .options_bytes = sizeof(struct calibrate_options),
    .run = calibrate_run,
    .commit = calibrate_commit,
};
