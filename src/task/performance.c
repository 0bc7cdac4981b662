/* Performance.
 *
 *   result {"at", "outcome", "note", "models": [look...], "points": [look without features...], "limits": [...],
 *           "forecasts": [replayed...], "settled": [...], "failed": [...], "then": [retrain...]}
 *
 * The child looks, the owner of the store writes (commit): rows of forecasts, limits, checks. With `every` it walks from the
 * end of each model's holdout to `at` in steps of so many days: the history a monitor that ran all the time would have kept;
 * what it says of false alarms and delays is in docs/retraining.md. */
#include "task/performance.h"

#include "base/time.h"
#include "limits.h"
#include "os/clock.h"
#include "store/forecast_store.h"
#include "store/retrain_store.h"
#include "store/schedule_store.h"
#include "task/prepare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_MAX = 4096, OPEN_MAX = 5000, FEATURES_SHOWN = LIMIT_FEATURES };

#define MEMBER(name)  OPTION_MEMBER(struct performance_options, name)
#define WATCHED(name) OPTION_MEMBER(struct performance_options, monitor.name)
static const struct option_row rows[] = {
    {"subject", OPTION_TEXT, MEMBER(subject), "", 0, 0, "", "models of this league only"},
    {"variant", OPTION_TEXT, MEMBER(variant), "", 0, 0, "", "models of this target only"},
    {"bot", OPTION_TEXT, MEMBER(bot), "", 0, 0, "", "models of this bot only"},
    {"at", OPTION_DATE, MEMBER(at_us), "", 0, 0, "",
     "look as of this moment: results known later do not count; empty: now"},
    {"every", OPTION_INT, MEMBER(every), "days", 0, 3650, "0",
     "also look every so many days from the end of the holdout on; 0: only as of 'at'"},
    {"cooldown_h", OPTION_INT, MEMBER(cooldown_h), "h", 0, 87600, "20",
     "no retraining of a model is asked for so long after the last one"},
    MONITOR_OPTION_ROWS(WATCHED),
};
static const struct option_table performance_table = {"performance", rows, sizeof(rows) / sizeof(*rows)};

enum err_code performance_models(struct store *store, const char *subject, const char *variant,
                                 const char *bot, struct version_row **out, size_t *out_count,
                                 struct err *err)
{
    struct model_name name = {0};
    size_t count = VERSIONS_MAX, kept = 0;
    struct version_row *all = calloc(VERSIONS_MAX, sizeof(*all));
    *out = NULL;
    *out_count = 0;
    if (all == NULL)
        return err_nomem(err, VERSIONS_MAX * sizeof(*all));
    (void)snprintf(name.subject, sizeof(name.subject), "%s", subject);
    (void)snprintf(name.variant, sizeof(name.variant), "%s", variant);
    (void)snprintf(name.bot, sizeof(name.bot), "%s", bot);
    struct version_filter filter = {.name = name, .stage = STAGE_PRODUCTION};
    enum err_code code = registry_search(store, &filter, TIME_NONE, "", all, &count, err);
    if (code != ERR_OK) {
        free(all);
        return code;
    }
    for (size_t i = 0; i < count; i++) {
        if (all[i].stage == STAGE_PRODUCTION)
            all[kept++] = all[i];
    }
    *out = all;
    *out_count = kept;
    return ERR_OK;
}

/* ---- what one run holds ---- */

struct run {
    struct task_context *context;
    const struct performance_options *options;
    int64_t at_us;
    struct matrix *matrix;
    struct version_row *models;
    size_t model_count;
    /* members of the result in the making; each an array without its brackets */
    struct buffer looks, points, limits, forecasts, failed, then;
    size_t alarms;
};

/* A writer for one more element. */
static struct json_writer next_element(struct buffer *array)
{
    struct json_writer out;
    if (array->size_bytes > 0)
        buffer_append_char(array, ',');
    json_writer_init(&out, array);
    return out;
}

/* ---- replaying ---- */

static void write_forecast(const struct monitor *monitor, const struct monitor_look *look, size_t row,
                           struct buffer *array)
{
    const struct matrix_row *info = &matrix_row_info(monitor->matrix)[monitor->rows[row]];
    size_t at = row - monitor->judged_begin;
    struct json_writer out = next_element(array);
    json_begin_object(&out);
    json_field_text(&out, "version", monitor->row.version);
    json_field_text(&out, "subject", monitor->row.name.subject);
    json_field_text(&out, "target", monitor->row.name.variant);
    json_field_i64(&out, "match", info->id);
    json_field_i64(&out, "kickoff_us", info->start_us);
    json_field_i64(&out, "made_us", look->at_us);
    json_key(&out, "p");
    json_begin_array(&out);
    for (size_t k = 0; k < monitor->classes; k++)
        json_put_f64(&out, monitor->p[at * monitor->classes + k]);
    json_end_array(&out);
    json_field_i64(&out, "outcome", info->label[monitor->target]);
    json_field_f64(&out, "loss", monitor->loss[at].loss);
    json_end_object(&out);
}

/* The matches of the last days that nobody asked about. */
static void write_replayed(struct run *run, const struct monitor *monitor, const struct monitor_look *look)
{
    const struct matrix_row *info = matrix_row_info(monitor->matrix);
    int64_t from_us = look->at_us - run->options->monitor.days * TIME_DAY_US;
    for (size_t i = look->live_end; i > monitor->live_begin; i--) {
        if (info[monitor->rows[i - 1]].start_us < from_us)
            break;
        if (!monitor->is_served[i - 1 - monitor->judged_begin])
            write_forecast(monitor, look, i - 1, &run->forecasts);
    }
}

/* ---- deciding ---- */

static enum err_code is_cooling(struct run *run, const struct monitor *monitor, bool *out, struct err *err)
{
    struct watched_model model = {0};
    int64_t last_us = TIME_NONE;
    memcpy(model.subject, monitor->row.name.subject, sizeof(model.subject));
    memcpy(model.variant, monitor->row.name.variant, sizeof(model.variant));
    memcpy(model.bot, monitor->row.name.bot, sizeof(model.bot));
    enum err_code code =
        retrain_store_last_training(run->context->store->db, &model, run->at_us, &last_us, err);
    *out = last_us != TIME_NONE && run->at_us - last_us < run->options->cooldown_h * TIME_HOUR_US;
    return code;
}

static void ask(struct run *run, const struct monitor *monitor, const struct monitor_look *look)
{
    const struct model_name *name = &monitor->row.name;
    char key[96], label[96], moment[TIME_TEXT_BYTES];
    struct json_writer out = next_element(&run->then);
    time_format_iso(look->at_us, moment); /* once a day; the options must be the same for the same key */
    (void)snprintf(key, sizeof(key), "retrain:%s:%s:%.*s", monitor->row.version,
                   monitor_trigger_name(look->trigger), run->options->at_us != TIME_NONE ? 27 : 10, moment);
    (void)snprintf(label, sizeof(label), "retrain %.16s %.16s %.24s (%s)", name->subject, name->variant,
                   name->bot, monitor_trigger_name(look->trigger));
    json_begin_object(&out);
    json_field_text(&out, "task", "retrain");
    json_key(&out, "options");
    json_begin_object(&out);
    json_field_text(&out, "subject", name->subject);
    json_field_text(&out, "variant", name->variant);
    json_field_text(&out, "bot", name->bot);
    json_field_text(&out, "trigger", monitor_trigger_name(look->trigger));
    json_field_i64(&out, "cooldown_h", run->options->cooldown_h);
    if (run->options->at_us != TIME_NONE)
        json_field_time(&out, "at", look->at_us);
    json_end_object(&out);
    json_field_text(&out, "key", key);
    json_field_text(&out, "label", label);
    json_end_object(&out);
}

/* What is done about the look, as text of the member "decision". */
static enum err_code decide(struct run *run, const struct monitor *monitor, const struct monitor_look *look,
                            const char **out, struct err *err)
{
    bool is_on = true, is_cooled = false;
    *out = "steady";
    if (look->trigger == MONITOR_STEADY)
        return ERR_OK;
    run->alarms++;
    enum err_code code = retrain_store_is_on(run->context->store->db, &is_on, err);
    if (code == ERR_OK)
        code = is_cooling(run, monitor, &is_cooled, err);
    *out = !is_on ? "off" : is_cooled ? "cooldown" : "retrain";
    if (code == ERR_OK && is_on && !is_cooled)
        ask(run, monitor, look);
    return code;
}

static enum err_code look_now(struct run *run, const struct monitor *monitor, struct err *err)
{
    struct monitor_look look;
    const char *decision;
    enum err_code code = monitor_look(monitor, run->at_us, &look, err);
    if (code == ERR_OK)
        code = decide(run, monitor, &look, &decision, err);
    if (code == ERR_OK) {
        struct json_writer out = next_element(&run->looks);
        json_begin_object(&out);
        monitor_write_look(monitor, &look, FEATURES_SHOWN, &out);
        json_field_text(&out, "decision", decision);
        json_key(&out, "limits");
        monitor_write_limits(monitor, false, &out);
        json_end_object(&out);
        write_replayed(run, monitor, &look);
        report_log(run->context->reporter, "%s/%s/%s: %s", monitor->row.name.subject,
                   monitor->row.name.variant, monitor->row.name.bot, look.reason);
    }
    free(look.drift);
    return code;
}

/* Every `every` days up to the present look. */
static enum err_code walk(struct run *run, const struct monitor *monitor, struct err *err)
{
    int64_t step_us = run->options->every * TIME_DAY_US;
    enum err_code code = ERR_OK;
    for (int64_t at_us = monitor->row.test_to_us + step_us; code == ERR_OK && at_us < run->at_us;
         at_us += step_us) {
        struct monitor_look look;
        code = monitor_look(monitor, at_us, &look, err);
        if (code == ERR_OK) {
            struct json_writer out = next_element(&run->points);
            json_begin_object(&out);
            monitor_write_look(monitor, &look, 0, &out);
            json_field_text(&out, "decision", look.trigger == MONITOR_STEADY ? "steady" : "past");
            json_end_object(&out);
        }
        free(look.drift);
    }
    return code;
}

static void write_limits(struct run *run, const struct monitor *monitor)
{
    struct json_writer out = next_element(&run->limits);
    json_begin_object(&out);
    json_field_text(&out, "version", monitor->row.version);
    json_field_text(&out, "key", monitor->key);
    json_key(&out, "limits");
    monitor_write_limits(monitor, true, &out);
    json_end_object(&out);
}

/* A model that cannot be looked at does not keep the others from it. */
static enum err_code look_at_model(struct run *run, const struct version_row *row, struct err *err)
{
    struct monitor monitor;
    struct err reason = {0};
    enum err_code code =
        monitor_open(run->context, run->matrix, row, &run->options->monitor, &monitor, &reason);
    if (code == ERR_OK && monitor.limits_are_new)
        write_limits(run, &monitor);
    if (code == ERR_OK && run->options->every > 0)
        code = walk(run, &monitor, &reason);
    if (code == ERR_OK)
        code = look_now(run, &monitor, &reason);
    monitor_close(&monitor);
    if (code == ERR_NOT_FOUND || code == ERR_CORRUPT || code == ERR_CONFLICT || code == ERR_IO) {
        struct json_writer out = next_element(&run->failed);
        json_begin_object(&out);
        json_field_text(&out, "version", row->version);
        json_field_text(&out, "reason", reason.text);
        json_end_object(&out);
        report_log(run->context->reporter, "version %s cannot be looked at: %s", row->version, reason.text);
        return ERR_OK;
    }
    return code == ERR_OK ? ERR_OK : err_set(err, code, "%s", reason.text);
}

/* ---- settling ---- */

static void write_settled(const struct stored_forecast *forecast, const int goals[2], struct json_writer *out)
{
    struct outcome outcome = {.goals = {(int16_t)goals[0], (int16_t)goals[1]}};
    int target = target_find(forecast->target);
    int label = target < 0 ? -1 : target_label((enum target)target, &outcome);
    if (label < 0 || (size_t)label >= forecast->classes)
        return;
    double p = forecast->p[label] > 1e-15 ? forecast->p[label] : 1e-15;
    json_begin_object(out);
    json_field_text(out, "version", forecast->version);
    json_field_i64(out, "match", forecast->match_id);
    json_field_i64(out, "outcome", label);
    json_field_f64(out, "loss", -log(p));
    json_end_object(out);
}

static enum err_code settle(struct run *run, struct json_writer *out, struct err *err)
{
    size_t count = OPEN_MAX;
    struct stored_forecast *open = malloc(OPEN_MAX * sizeof(*open));
    int(*goals)[2] = malloc(OPEN_MAX * sizeof(*goals));
    enum err_code code = open != NULL && goals != NULL
                             ? forecast_store_open(run->context->store->db, run->at_us - OUTCOME_DELAY_US,
                                                   open, goals, &count, err)
                             : err_nomem(err, OPEN_MAX * sizeof(*open));
    json_key(out, "settled");
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        if (goals[i][0] >= 0 && goals[i][1] >= 0)
            write_settled(&open[i], goals[i], out);
    }
    json_end_array(out);
    free(open);
    free(goals);
    return code;
}

/* ---- the flow ---- */

static void put_array(struct json_writer *out, const char *key, const struct buffer *elements)
{
    json_key(out, key);
    json_begin_array(out);
    if (elements->size_bytes > 0)
        json_put_raw(out, buffer_text(elements), elements->size_bytes);
    json_end_array(out);
}

static enum err_code check_buffers(const struct run *run, struct err *err)
{
    const struct buffer *const all[] = {&run->looks,     &run->points, &run->limits,
                                        &run->forecasts, &run->failed, &run->then};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof(all) / sizeof(*all); i++)
        code = buffer_check(all[i], "performance result", err);
    return code;
}

static enum err_code write_result(struct run *run, struct buffer *result, struct err *err)
{
    struct json_writer out;
    char note[160];
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_field_time(&out, "at", run->at_us);
    json_field_i64(&out, "at_us", run->at_us);
    json_field_text(&out, "outcome", run->model_count > 0 ? "succeeded" : "skipped");
    (void)snprintf(note, sizeof(note),
                   run->model_count > 0 ? "%zu models looked at, %zu with an alarm"
                                        : "no model is in production",
                   run->model_count, run->alarms);
    json_field_text(&out, "note", note);
    put_array(&out, "models", &run->looks);
    put_array(&out, "points", &run->points);
    put_array(&out, "limits", &run->limits);
    put_array(&out, "forecasts", &run->forecasts);
    put_array(&out, "failed", &run->failed);
    put_array(&out, "then", &run->then);
    enum err_code code = settle(run, &out, err);
    json_end_object(&out);
    if (code == ERR_OK)
        code = check_buffers(run, err);
    return code == ERR_OK ? buffer_check(result, "performance result", err) : code;
}

static enum err_code performance_run(struct task_context *context, const void *options, struct buffer *result,
                                     struct err *err)
{
    struct run run = {.context = context, .options = options};
    struct buffer *const all[] = {&run.looks,     &run.points, &run.limits,
                                  &run.forecasts, &run.failed, &run.then};
    run.at_us = run.options->at_us != TIME_NONE ? run.options->at_us : clock_now_us();
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        buffer_init(all[i], LIMIT_RESULT_BYTES);
    enum err_code code = performance_models(context->store, run.options->subject, run.options->variant,
                                            run.options->bot, &run.models, &run.model_count, err);
    if (code == ERR_OK && run.model_count > 0)
        code = prepare_matrix(context, &run.matrix, err);
    for (size_t i = 0; code == ERR_OK && i < run.model_count; i++) {
        report_progress(context->reporter, "looking at models", (int64_t)i, (int64_t)run.model_count);
        code = report_is_stopped(context->reporter) ? err_set(err, ERR_CANCELLED, "stopped on request")
                                                    : look_at_model(&run, &run.models[i], err);
    }
    if (code == ERR_OK)
        code = write_result(&run, result, err);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        buffer_release(all[i]);
    matrix_close(run.matrix);
    free(run.models);
    return code;
}

enum err_code performance_options_in_force(struct db *db, struct performance_options *out, struct err *err)
{
    struct schedule_row row;
    json_t *set = NULL;
    option_defaults(&performance_table, out);
    enum err_code code = schedule_store_get(db, task_performance.name, &row, err);
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    /* what does not fit the task is shown as such by the schedule, and never runs */
    if (row.options[0] != '\0' && json_read(row.options, strlen(row.options), &set, NULL) == ERR_OK) {
        (void)!option_read_json(&performance_table, out, set, true, NULL);
        json_decref(set);
    }
    return ERR_OK;
}

const struct task task_performance = {
    .name = "performance",
    .doc = "look at the models in production: settle forecasts, measure drift and live loss, ask for "
           "retraining where an alarm is on",
    .options = &performance_table,
    .options_bytes = sizeof(struct performance_options),
    .run = performance_run,
    .commit = performance_commit,
};
