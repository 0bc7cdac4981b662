/* Limits of a version's alarms: from the store, else calibrated, which takes a second or so and is done once per version.
 *
 * The loss has its own past, the holdout. The features' past is that of all leagues in the matrix up to the end of the
 * holdout: what a feature does in twelve leagues says more about how features wander than one league can. */
#include "task/monitor.h"

#include "base/hash.h"
#include "base/time.h"
#include "limits.h"
#include "store/retrain_store.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAGUES_MOST = 12, GROUP = 16, ALARMS = 4 };
#define FEATURE_LEVEL 0.01 /* share of the samples that may exceed a feature's limit */

enum { MEASURES = 5 }; /* psi, ks, js, w1, missing_change */

static double *measure_at(struct drift *drift, size_t index)
{
    double *const members[] = {&drift->psi, &drift->ks, &drift->js, &drift->w1, &drift->missing_change};
    assert(index < MEASURES);
    return members[index];
}

static void name_limits(struct monitor *monitor)
{
    const struct monitor_options *options = monitor->options;
    struct hash hash;
    char hex[HASH_HEX_BYTES];
    hash_init(&hash);
    hash_add_text(&hash, "limits 4"); /* raise when the recipe changes */
    hash_add_f64(&hash, options->rate);
    hash_add_i64(&hash, options->horizon);
    hash_add_i64(&hash, options->window);
    hash_add_i64(&hash, options->least);
    hash_add_i64(&hash, options->runs);
    hash_add_i64(&hash, options->samples);
    hash_add_i64(&hash, options->seed);
    hash_final_hex(&hash, hex);
    (void)snprintf(monitor->key, sizeof(monitor->key), "%.16s", hex);
}

/* ---- the loss ---- */

static enum err_code calibrate_loss(struct monitor *monitor, struct err *err)
{
    const struct monitor_options *options = monitor->options;
    struct err reason = {0};
    struct loss_alarm_plan plan = {.reference = monitor->loss,
                                   .rows = monitor->live_begin - monitor->judged_begin,
                                   .horizon = (size_t)options->horizon,
                                   .score_window = (size_t)options->least,
                                   .runs = (size_t)options->runs,
                                   .seed = (uint64_t)options->seed,
                                   .rate = options->rate / ALARMS};
    enum err_code code = loss_alarm_calibrate(&plan, &monitor->loss_limits, &reason);
    if (code == ERR_INVALID)
        (void)snprintf(monitor->no_loss_limits, sizeof(monitor->no_loss_limits), "%.190s", reason.text);
    else if (code != ERR_OK)
        return err_set(err, code, "%s", reason.text);
    return ERR_OK;
}

/* ---- the features ---- */

struct past {
    struct monitor *monitor;
    const struct reporter *reporter;
    uint32_t *rows; /* of the matrix, league after league, in order of time */
    size_t row_count;
    size_t first[LEAGUES_MOST], count[LEAGUES_MOST];
    size_t leagues;
    struct drift_sample *samples;
    struct drift *measured; /* [columns][samples] */
    size_t sample_count;
    atomic_size_t done;
    atomic_bool has_no_memory;
};

/* Rows of a league up to the end of the holdout, if they are enough for a sample. */
static void add_league(struct past *past, int league)
{
    const struct monitor *monitor = past->monitor;
    const struct matrix_row *info = matrix_row_info(monitor->matrix);
    size_t first = past->row_count;
    for (size_t i = 0; i < matrix_rows(monitor->matrix); i++) {
        if (info[i].group == league && info[i].label[monitor->target] >= 0 &&
            info[i].start_us <= monitor->row.test_to_us)
            past->rows[past->row_count++] = (uint32_t)i;
    }
    if (past->row_count - first < 4 * (size_t)monitor->options->window) {
        past->row_count = first;
        return;
    }
    past->first[past->leagues] = first;
    past->count[past->leagues++] = past->row_count - first;
}

/* The model's own league first, then others in the order in which they appear. */
static void find_leagues(struct past *past)
{
    const struct matrix_row *info = matrix_row_info(past->monitor->matrix);
    bool is_seen[LIMIT_LEAGUES] = {false};
    is_seen[past->monitor->league] = true;
    add_league(past, past->monitor->league);
    for (size_t i = 0; i < matrix_rows(past->monitor->matrix) && past->leagues < LEAGUES_MOST; i++) {
        if (info[i].group < 0 || info[i].group >= LIMIT_LEAGUES || is_seen[info[i].group])
            continue;
        is_seen[info[i].group] = true;
        add_league(past, info[i].group);
    }
}

static void draw_samples(struct past *past)
{
    const struct monitor_options *options = past->monitor->options;
    struct random random;
    random_init(&random, (uint64_t)options->seed);
    for (size_t i = 0; i < (size_t)options->samples; i++) {
        size_t league = (size_t)random_below(&random, past->leagues);
        bool is_drawn =
            drift_sample_draw(&random, past->first[league], past->count[league], (size_t)options->window,
                              (size_t)options->horizon, &past->samples[past->sample_count]);
        assert(is_drawn); /* add_league looked */
        past->sample_count++;
    }
}

static void measure_column(struct past *past, size_t column, const float *values, float *scratch,
                           double *numbers)
{
    struct drift *measured = past->measured + column * past->sample_count;
    for (size_t s = 0; s < past->sample_count; s++)
        drift_sample_measure(values, &past->samples[s], scratch, &measured[s]);
    drift_limits(measured, past->sample_count, FEATURE_LEVEL, numbers, &past->monitor->drift_limits[column]);
}

static void measure_group(void *context, size_t index)
{
    struct past *past = context;
    const struct monitor *monitor = past->monitor;
    size_t begin = index * GROUP, stride = matrix_columns(monitor->matrix), rows = past->row_count;
    size_t count = monitor->columns - begin < GROUP ? monitor->columns - begin : GROUP;
    if (report_is_stopped(past->reporter) || atomic_load(&past->has_no_memory))
        return;
    float *values = malloc((count * rows + 1) * sizeof(*values));
    float *scratch =
        malloc((DRIFT_ALARM_REFERENCE_MOST + (size_t)monitor->options->window) * sizeof(*scratch));
    double *numbers = malloc(past->sample_count * sizeof(*numbers));
    if (values == NULL || scratch == NULL || numbers == NULL) {
        atomic_store(&past->has_no_memory, true);
        goto out;
    }
    for (size_t i = 0; i < rows; i++) {
        const float *from = matrix_values(monitor->matrix) + (size_t)past->rows[i] * stride;
        for (size_t c = 0; c < count; c++)
            values[c * rows + i] = from[monitor->column[begin + c]];
    }
    for (size_t c = 0; c < count; c++)
        measure_column(past, begin + c, values + c * rows, scratch, numbers);
    report_progress(past->reporter, "calibrating alarms", atomic_fetch_add(&past->done, count) + count,
                    monitor->columns);
out:
    free(values);
    free(scratch);
    free(numbers);
}

static enum err_code calibrate_share(struct past *past, struct err *err)
{
    struct monitor *monitor = past->monitor;
    double *shares = calloc(past->sample_count, sizeof(*shares));
    if (shares == NULL)
        return err_nomem(err, past->sample_count * sizeof(*shares));
    for (size_t c = 0; c < monitor->columns; c++) {
        for (size_t s = 0; s < past->sample_count; s++) {
            if (drift_is_beyond(&past->measured[c * past->sample_count + s], &monitor->drift_limits[c]))
                shares[s] += 1 / (double)monitor->columns;
        }
    }
    double windows = (double)monitor->options->horizon / (double)monitor->options->window;
    monitor->share_limit = drift_share_limit(shares, past->sample_count,
                                             monitor->options->rate / ALARMS / (windows > 1 ? windows : 1));
    monitor->samples = past->sample_count;
    monitor->sample_leagues = past->leagues;
    free(shares);
    return ERR_OK;
}

static enum err_code calibrate_drift(struct task_context *context, struct monitor *monitor, struct err *err)
{
    size_t samples = (size_t)monitor->options->samples;
    struct past past = {.monitor = monitor, .reporter = context->reporter};
    enum err_code code = ERR_OK;
    past.rows = malloc((matrix_rows(monitor->matrix) + 1) * sizeof(*past.rows));
    past.samples = malloc(samples * sizeof(*past.samples));
    past.measured = malloc((monitor->columns * samples + 1) * sizeof(*past.measured));
    if (past.rows == NULL || past.samples == NULL || past.measured == NULL) {
        code = err_nomem(err, monitor->columns * samples * sizeof(*past.measured));
        goto out;
    }
    find_leagues(&past);
    if (past.leagues == 0) {
        (void)snprintf(monitor->no_drift_limits, sizeof(monitor->no_drift_limits),
                       "no league has %lld matches to calibrate on", 4 * (long long)monitor->options->window);
        goto out;
    }
    draw_samples(&past);
    pool_for(context->pool, (monitor->columns + GROUP - 1) / GROUP, measure_group, &past);
    if (atomic_load(&past.has_no_memory))
        code = err_nomem(err, GROUP * past.row_count * sizeof(float));
    else if (report_is_stopped(context->reporter))
        code = err_set(err, ERR_CANCELLED, "stopped on request");
    else
        code = calibrate_share(&past, err);
out:
    free(past.rows);
    free(past.samples);
    free(past.measured);
    return code;
}

/* ---- as they are kept ---- */

static void write_loss(const struct monitor *monitor, struct json_writer *out)
{
    const struct loss_alarm_limits *limits = &monitor->loss_limits;
    json_key(out, "loss");
    if (monitor->no_loss_limits[0] != '\0') {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    json_field_f64(out, "delta", limits->delta);
    json_field_f64(out, "lambda", limits->lambda);
    json_field_f64(out, "adwin_delta", limits->adwin_delta);
    json_field_f64(out, "score", limits->score);
    json_field_f64(out, "reference_loss", limits->loss);
    json_field_f64(out, "reference_expected", limits->expected);
    json_field_f64(out, "reference_surprise", limits->surprise);
    json_field_f64(out, "deviation", limits->deviation);
    json_end_object(out);
}

static void write_drift(const struct monitor *monitor, bool with_features, struct json_writer *out)
{
    json_key(out, "drift");
    if (monitor->no_drift_limits[0] != '\0') {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    json_field_f64(out, "share", monitor->share_limit);
    json_field_f64(out, "feature_level", FEATURE_LEVEL);
    json_field_i64(out, "samples", (int64_t)monitor->samples);
    json_field_i64(out, "leagues", (int64_t)monitor->sample_leagues);
    if (with_features) {
        json_key(out, "features");
        json_begin_object(out);
        for (size_t c = 0; c < monitor->columns; c++) {
            json_key(out, model_names(monitor->model)[c]);
            json_begin_array(out);
            for (size_t m = 0; m < MEASURES; m++)
                json_put_f64(out, *measure_at(&monitor->drift_limits[c], m));
            json_end_array(out);
        }
        json_end_object(out);
    }
    json_end_object(out);
}

void monitor_write_limits(const struct monitor *monitor, bool with_features, struct json_writer *out)
{
    const struct monitor_options *options = monitor->options;
    json_begin_object(out);
    json_field_f64(out, "false_alarm_rate", options->rate);
    json_field_i64(out, "horizon_matches", options->horizon);
    json_field_i64(out, "window_matches", options->window);
    json_field_i64(out, "score_matches", options->least);
    json_field_i64(out, "runs", options->runs);
    json_field_i64(out, "seed", options->seed);
    json_field_text(out, "no_loss_limits",
                    monitor->no_loss_limits[0] != '\0' ? monitor->no_loss_limits : NULL);
    json_field_text(out, "no_drift_limits",
                    monitor->no_drift_limits[0] != '\0' ? monitor->no_drift_limits : NULL);
    write_loss(monitor, out);
    write_drift(monitor, with_features, out);
    json_end_object(out);
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void read_reason(const json_t *json, const char *key, char *out, size_t out_bytes)
{
    const char *text = json_string_value(json_object_get(json, key));
    (void)snprintf(out, out_bytes, "%s", text != NULL ? text : "");
}

/* A limit that is infinite is kept as null. false: not of these features. */
static bool read_features(struct monitor *monitor, const json_t *features)
{
    for (size_t c = 0; c < monitor->columns; c++) {
        const json_t *limits = json_object_get(features, model_names(monitor->model)[c]);
        if (json_array_size(limits) != MEASURES)
            return false;
        for (size_t m = 0; m < MEASURES; m++) {
            const json_t *value = json_array_get(limits, m);
            *measure_at(&monitor->drift_limits[c], m) =
                json_is_number(value) ? json_number_value(value) : INFINITY;
        }
    }
    return true;
}

static bool read_limits(struct monitor *monitor, const json_t *json)
{
    const json_t *loss = json_object_get(json, "loss"), *drift = json_object_get(json, "drift");
    read_reason(json, "no_loss_limits", monitor->no_loss_limits, sizeof(monitor->no_loss_limits));
    read_reason(json, "no_drift_limits", monitor->no_drift_limits, sizeof(monitor->no_drift_limits));
    monitor->loss_limits = (struct loss_alarm_limits){.delta = number_of(loss, "delta"),
                                                      .lambda = number_of(loss, "lambda"),
                                                      .adwin_delta = number_of(loss, "adwin_delta"),
                                                      .score = number_of(loss, "score"),
                                                      .loss = number_of(loss, "reference_loss"),
                                                      .expected = number_of(loss, "reference_expected"),
                                                      .surprise = number_of(loss, "reference_surprise"),
                                                      .deviation = number_of(loss, "deviation")};
    monitor->share_limit = number_of(drift, "share");
    monitor->samples = (size_t)json_integer_value(json_object_get(drift, "samples"));
    monitor->sample_leagues = (size_t)json_integer_value(json_object_get(drift, "leagues"));
    if (monitor->no_loss_limits[0] == '\0' && !(monitor->loss_limits.lambda > 0))
        return false;
    return monitor->no_drift_limits[0] != '\0' || read_features(monitor, json_object_get(drift, "features"));
}

enum err_code monitor_find_limits(struct task_context *context, struct monitor *monitor, struct err *err)
{
    struct buffer text;
    struct err reason = {0};
    json_t *json = NULL;
    bool is_kept = false;
    name_limits(monitor);
    monitor->drift_limits = calloc(monitor->columns + 1, sizeof(*monitor->drift_limits));
    if (monitor->drift_limits == NULL)
        return err_nomem(err, monitor->columns * sizeof(*monitor->drift_limits));
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code =
        retrain_store_limits(context->store->db, monitor->row.version, monitor->key, &text, &reason);
    if (code == ERR_OK && json_read(buffer_text(&text), text.size_bytes, &json, &reason) == ERR_OK)
        is_kept = read_limits(monitor, json);
    json_decref(json);
    buffer_release(&text);
    if (is_kept)
        return ERR_OK;
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return err_set(err, code, "%s", reason.text);
    monitor->limits_are_new = true;
    monitor->no_loss_limits[0] = monitor->no_drift_limits[0] = '\0';
    code = calibrate_loss(monitor, err);
    return code == ERR_OK ? calibrate_drift(context, monitor, err) : code;
}
