/* Monitor. Everything is read once (open); a look is then some milliseconds, so that a whole season can be walked through
 * day by day, which is how the stated rate of false alarms and the delays are measured. */
#include "task/monitor.h"

#include "base/time.h"
#include "football/league.h"
#include "store/forecast_store.h"
#include "task/prepare.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVED_MOST = 20000 };

const char *monitor_trigger_name(enum monitor_trigger trigger)
{
    static const char *const names[] = {"steady", "drift", "performance"};
    return names[trigger];
}

void monitor_close(struct monitor *monitor)
{
    model_destroy(monitor->model);
    free(monitor->column);
    free(monitor->rows);
    free(monitor->p);
    free(monitor->is_served);
    free(monitor->loss);
    free(monitor->drift_limits);
    *monitor = (struct monitor){0};
}

/* ---- opening ---- */

static enum err_code find_rows(struct monitor *monitor, struct err *err)
{
    const struct matrix_row *info = matrix_row_info(monitor->matrix);
    const struct version_row *row = &monitor->row;
    monitor->rows = malloc((matrix_rows(monitor->matrix) + 1) * sizeof(*monitor->rows));
    if (monitor->rows == NULL)
        return err_nomem(err, matrix_rows(monitor->matrix) * sizeof(*monitor->rows));
    for (size_t i = 0; i < matrix_rows(monitor->matrix); i++) {
        if (info[i].group != monitor->league || info[i].label[monitor->target] < 0)
            continue;
        monitor->learned_begin += info[i].start_us < row->train_from_us;
        monitor->judged_begin += info[i].start_us < row->test_from_us;
        monitor->live_begin += info[i].start_us <= row->test_to_us;
        monitor->rows[monitor->row_count++] = (uint32_t)i;
    }
    return ERR_OK;
}

static enum err_code replay(struct monitor *monitor, struct err *err)
{
    size_t count = monitor->row_count - monitor->judged_begin, stride = matrix_columns(monitor->matrix);
    float *x = malloc((count * monitor->columns + 1) * sizeof(*x));
    monitor->p = malloc((count * monitor->classes + 1) * sizeof(*monitor->p));
    monitor->is_served = calloc(count + 1, sizeof(*monitor->is_served));
    monitor->loss = malloc((count + 1) * sizeof(*monitor->loss));
    if (x == NULL || monitor->p == NULL || monitor->is_served == NULL || monitor->loss == NULL) {
        free(x);
        return err_nomem(err, count * monitor->columns * sizeof(*x));
    }
    for (size_t i = 0; i < count; i++) {
        const float *from =
            matrix_values(monitor->matrix) + (size_t)monitor->rows[monitor->judged_begin + i] * stride;
        for (size_t c = 0; c < monitor->columns; c++)
            x[i * monitor->columns + c] = from[monitor->column[c]];
    }
    model_predict(monitor->model, x, count, monitor->p);
    free(x);
    return ERR_OK;
}

/* What was told before a match counts instead of what would have been. Both are in order of kick-off. */
static void take_served(struct monitor *monitor, const struct stored_forecast *served, size_t served_count)
{
    const struct matrix_row *info = matrix_row_info(monitor->matrix);
    for (size_t s = 0; s < served_count; s++) {
        if (!served[s].is_served || served[s].classes != monitor->classes)
            continue;
        for (size_t i = monitor->live_begin; i < monitor->row_count; i++) {
            if (info[monitor->rows[i]].id != served[s].match_id)
                continue;
            memcpy(monitor->p + (i - monitor->judged_begin) * monitor->classes, served[s].p,
                   monitor->classes * sizeof(double));
            monitor->is_served[i - monitor->judged_begin] = true;
            break;
        }
    }
}

static enum err_code read_served(struct task_context *context, struct monitor *monitor, struct err *err)
{
    size_t count = SERVED_MOST;
    struct stored_forecast *served = malloc(SERVED_MOST * sizeof(*served));
    if (served == NULL)
        return err_nomem(err, SERVED_MOST * sizeof(*served));
    enum err_code code = forecast_store_list(context->store->db, monitor->row.version,
                                             monitor->row.test_to_us + 1, INT64_MAX, served, &count, err);
    if (code == ERR_OK)
        take_served(monitor, served, count);
    free(served);
    return code;
}

/* Blocks are local days that never step back, as everywhere. */
static void measure_loss(struct monitor *monitor)
{
    const struct matrix_row *info = matrix_row_info(monitor->matrix);
    int64_t block = INT64_MIN;
    for (size_t i = monitor->judged_begin; i < monitor->row_count; i++) {
        const struct matrix_row *row = &info[monitor->rows[i]];
        size_t at = i - monitor->judged_begin;
        block = row->day > block ? row->day : block;
        monitor->loss[at] = loss_row_make(monitor->p + at * monitor->classes, monitor->classes,
                                          row->label[monitor->target], block, row->start_us);
    }
}

static enum err_code find_model(struct monitor *monitor, struct err *err)
{
    const struct model_name *name = &monitor->row.name;
    monitor->target = target_find(name->variant);
    monitor->league = league_find(text_of(name->subject));
    if (monitor->target < 0 || monitor->league < 0)
        return err_set(err, ERR_CONFLICT, "'%s/%s' is no league and target of this program", name->subject,
                       name->variant);
    enum err_code code = registry_load(&monitor->row, &monitor->model, err);
    if (code != ERR_OK)
        return code;
    monitor->columns = model_columns(monitor->model);
    monitor->classes = model_classes(monitor->model);
    monitor->column = malloc((monitor->columns + 1) * sizeof(*monitor->column));
    if (monitor->column == NULL)
        return err_nomem(err, monitor->columns * sizeof(*monitor->column));
    return prepare_columns(monitor->matrix, model_names(monitor->model), monitor->columns, monitor->column,
                           err);
}

enum err_code monitor_open(struct task_context *context, const struct matrix *matrix,
                           const struct version_row *row, const struct monitor_options *options,
                           struct monitor *out, struct err *err)
{
    *out = (struct monitor){.options = options, .row = *row, .matrix = matrix};
    enum err_code code = find_model(out, err);
    if (code == ERR_OK)
        code = find_rows(out, err);
    if (code == ERR_OK)
        code = replay(out, err);
    if (code == ERR_OK)
        code = read_served(context, out, err);
    if (code != ERR_OK)
        return code;
    measure_loss(out);
    return monitor_find_limits(context, out, err);
}

/* ---- one look ---- */

static enum err_code look_at_drift(const struct monitor *monitor, struct monitor_look *look, struct err *err)
{
    size_t window = (size_t)monitor->options->window, known = monitor->live_begin - monitor->learned_begin;
    size_t reference = known < DRIFT_ALARM_REFERENCE_MOST ? known : DRIFT_ALARM_REFERENCE_MOST;
    size_t live = look->live_end - monitor->live_begin, beyond = 0;
    if (monitor->no_drift_limits[0] != '\0' || live < window || reference < window)
        return ERR_OK;
    float *values = malloc((reference + window) * sizeof(*values));
    look->drift = malloc((monitor->columns + 1) * sizeof(*look->drift));
    if (values == NULL || look->drift == NULL) {
        free(values);
        return err_nomem(err, (reference + window) * sizeof(*values));
    }
    for (size_t c = 0; c < monitor->columns; c++) {
        const float *from = matrix_values(monitor->matrix) + monitor->column[c];
        size_t stride = matrix_columns(monitor->matrix);
        for (size_t i = 0; i < reference; i++)
            values[i] = from[(size_t)monitor->rows[monitor->live_begin - reference + i] * stride];
        for (size_t i = 0; i < window; i++)
            values[reference + i] = from[(size_t)monitor->rows[look->live_end - window + i] * stride];
        drift_measure(values, reference, values + reference, window, &look->drift[c]);
        beyond += drift_is_beyond(&look->drift[c], &monitor->drift_limits[c]);
        if (look->drift[c].psi > look->psi_most)
            look->psi_most = look->drift[c].psi;
    }
    free(values);
    look->has_drift = true;
    look->share_drifted = (double)beyond / (double)monitor->columns;
    return ERR_OK;
}

static void look_at_loss(const struct monitor *monitor, struct monitor_look *look)
{
    size_t reference = monitor->live_begin - monitor->judged_begin;
    look->has_loss = monitor->no_loss_limits[0] == '\0';
    loss_alarm_run(monitor->loss, reference, monitor->loss + reference, look->live_end - monitor->live_begin,
                   (size_t)monitor->options->least, &monitor->loss_limits, &look->loss);
}

static void conclude(const struct monitor *monitor, struct monitor_look *look)
{
    const struct loss_alarm *loss = &look->loss;
    bool is_drift = look->has_drift && look->share_drifted >= look->share_threshold;
    bool is_page = look->has_loss && loss->page_hinkley_us != INT64_MIN;
    bool is_adwin = look->has_loss && loss->adwin_us != INT64_MIN;
    bool is_score = look->has_loss && loss->score < look->score_threshold;
    look->trigger = is_page || is_adwin || is_score ? MONITOR_PERFORMANCE
                    : is_drift                      ? MONITOR_DRIFT
                                                    : MONITOR_STEADY;
    if (loss->count == 0) {
        (void)snprintf(look->reason, sizeof(look->reason), "no match since the holdout of the version");
        return;
    }
    char score[32] = "of too few matches";
    if (!isnan(loss->score))
        (void)snprintf(score, sizeof(score), "%.3f of %.3f", loss->score, look->score_threshold);
    (void)snprintf(
        look->reason, sizeof(look->reason),
        "%s: %.1f %% of %zu features beyond their limits (limit %.1f %%)%s; %zu matches since, loss "
        "%.4f where %.4f was expected; Page-Hinkley %.2f of %.2f%s, ADWIN %.2g of %.2g%s, score %s%s",
        monitor_trigger_name(look->trigger), 100 * look->share_drifted, monitor->columns,
        100 * look->share_threshold,
        is_drift          ? " ALARM"
        : look->has_drift ? ""
                          : " (too few matches)",
        loss->count, loss->loss, loss->expected, loss->page_hinkley, monitor->loss_limits.lambda,
        is_page ? " ALARM" : "", loss->adwin_least, monitor->loss_limits.adwin_delta,
        is_adwin ? " ALARM" : "", score, is_score ? " ALARM" : "");
}

/* Known at that moment: as the trackers count it. */
static size_t find_end(const struct monitor *monitor, int64_t at_us)
{
    const struct matrix_row *info = matrix_row_info(monitor->matrix);
    size_t end = monitor->live_begin;
    while (end < monitor->row_count && info[monitor->rows[end]].start_us + OUTCOME_DELAY_US <= at_us)
        end++;
    return end;
}

enum err_code monitor_look(const struct monitor *monitor, int64_t at_us, struct monitor_look *out,
                           struct err *err)
{
    const struct monitor_options *options = monitor->options;
    *out = (struct monitor_look){.at_us = at_us,
                                 .psi_most = 0,
                                 .share_threshold = options->drift_threshold,
                                 .score_threshold = options->performance_threshold};
    if (monitor->no_drift_limits[0] == '\0' && monitor->share_limit > out->share_threshold)
        out->share_threshold = monitor->share_limit;
    if (monitor->no_loss_limits[0] == '\0' && monitor->loss_limits.score < out->score_threshold)
        out->score_threshold = monitor->loss_limits.score;
    out->live_end = find_end(monitor, at_us);
    enum err_code code = look_at_drift(monitor, out, err);
    if (code != ERR_OK)
        return code;
    look_at_loss(monitor, out);
    conclude(monitor, out);
    return ERR_OK;
}
