/* /api/ml-management: the retraining pipeline, and the registry under the names its users know.
 *
 *   GET  retraining/status    is_running, triggers, thresholds, cooldown, last and next times, history of decisions
 *   POST retraining/start, stop   kept in the store; stopped, only what a person asks for is trained
 *   POST retraining/trigger {subject?, variant?, bot?, window?}   -> 202 with the job of the task retrain
 *   POST models/{name}/{version}/promote?stage=   name: subject-variant-bot
 *   GET  mlflow/runs, mlflow/best-run?metric=     every version is a run */
#include "api/api.h"
#include "api/drift.h"
#include "api/live.h"
#include "api/models.h"
#include "api/schedule.h"
#include "base/time.h"
#include "limits.h"
#include "registry/registry.h"
#include "task/performance.h"
#include "task/retrain.h"
#include "task/retraining_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE(method, pattern, handler, doc)                                                                 \
    enum err_code handler(void *context, const struct route_match *match, struct http_response *response,    \
                          struct err *err);
#include "api/route_list.h"
#undef ROUTE

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { EVENTS_MAX = 200, EVENTS_DEFAULT = 30, RUNS_MAX = 1000, RUNS_DEFAULT = 100 };

static int64_t now_of(const struct api *api)
{
    return api->clock.now_us(api->clock.context);
}

/* ---- status ---- */

/* What became of the training that a decision asked for; null without a job. */
static void write_outcome(struct api *api, const struct retraining_event *event, struct json_writer *out)
{
    struct job_row job;
    struct buffer text;
    json_t *result = NULL;
    json_key(out, "outcome");
    if (event->job_id == 0 || job_store_get(api->store->db, event->job_id, &job, NULL) != ERR_OK) {
        json_put_null(out);
        return;
    }
    buffer_init(&text, LIMIT_RESULT_BYTES);
    if (job.state == JOB_SUCCEEDED &&
        job_store_result(api->store->db, event->job_id, &text, NULL) == ERR_OK && text.size_bytes > 0)
        (void)!json_read(buffer_text(&text), text.size_bytes, &result, NULL);
    const json_t *decision = json_object_get(result, "decision");
    json_begin_object(out);
    json_field_text(out, "state", job_state_name(job.state));
    json_field_text(out, "version", json_string_value(json_object_get(result, "version")));
    json_key(out, "promoted");
    if (json_is_object(decision))
        json_put_bool(out, json_is_true(json_object_get(decision, "promote")));
    else
        json_put_null(out);
    const char *reason = json_string_value(json_object_get(decision, "reason"));
    json_field_text(out, "reason", reason != NULL ? reason : job.error[0] != '\0' ? job.error : NULL);
    json_end_object(out);
    json_decref(result);
    buffer_release(&text);
}

static void write_details(struct api *api, const struct retraining_event *event, struct json_writer *out)
{
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_key(out, "details");
    if (retrain_store_event_details(api->store->db, event->id, &text, NULL) == ERR_OK && text.size_bytes > 0)
        json_put_raw(out, buffer_text(&text), text.size_bytes);
    else
        json_put_null(out);
    buffer_release(&text);
}

static void write_event(struct api *api, const struct retraining_event *event, bool with_details,
                        struct json_writer *out)
{
    json_begin_object(out);
    retraining_write_event(out, event);
    write_outcome(api, event, out);
    if (with_details)
        write_details(api, event, out);
    json_end_object(out);
}

static void write_triggers(struct json_writer *out)
{
    json_key(out, "triggers");
    json_begin_object(out);
    json_field_bool(out, "schedule", true);
    json_field_bool(out, "drift", true);
    json_field_bool(out, "performance", true);
    json_end_object(out);
}

/* The newest decision that led to a training; of all models, not only of those listed. */
static enum err_code find_last_trigger(struct api *api, int64_t *out_us, struct err *err)
{
    static const struct watched_model all = {"", "", "", ""};
    struct retraining_event *events = calloc(EVENTS_MAX, sizeof(*events));
    size_t count = EVENTS_MAX;
    *out_us = TIME_NONE;
    if (events == NULL)
        return err_nomem(err, EVENTS_MAX * sizeof(*events));
    enum err_code code = retrain_store_events(api->store->db, &all, events, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count && *out_us == TIME_NONE; i++) {
        if (strcmp(events[i].decision, "train") == 0)
            *out_us = events[i].made_us;
    }
    free(events);
    return code;
}

static enum err_code write_head(struct api *api, struct json_writer *out, struct err *err)
{
    bool is_on = true;
    int64_t checked_us = TIME_NONE, trigger_us = TIME_NONE;
    struct performance_options options;
    option_defaults(task_performance.options, &options);
    enum err_code code = retrain_store_is_on(api->store->db, &is_on, err);
    if (code == ERR_OK)
        code = retrain_store_last_checked(api->store->db, &checked_us, err);
    if (code == ERR_OK)
        code = find_last_trigger(api, &trigger_us, err);
    if (code == ERR_OK)
        code = performance_options_in_force(api->store->db, &options, err);
    json_field_bool(out, "is_running", is_on);
    write_triggers(out);
    retraining_write_settings(out, &options);
    json_field_time(out, "last_check", checked_us);
    json_field_time(out, "last_trigger", trigger_us);
    json_field_time(out, "next_run", schedule_service_next_us(api->schedule, task_retrain.name));
    json_field_time(out, "next_check", schedule_service_next_us(api->schedule, task_performance.name));
    return code;
}

static enum err_code write_status(struct api *api, const struct watched_model *filter, size_t limit,
                                  bool with_details, struct json_writer *out, struct err *err)
{
    size_t count = limit;
    struct retraining_event *events = calloc(limit, sizeof(*events));
    if (events == NULL)
        return err_nomem(err, limit * sizeof(*events));
    json_begin_object(out);
    enum err_code code = write_head(api, out, err);
    if (code == ERR_OK)
        code = retrain_store_events(api->store->db, filter, events, &count, err);
    json_key(out, "history");
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        write_event(api, &events[i], with_details, out);
    json_end_array(out);
    json_end_object(out);
    free(events);
    return code;
}

HANDLER(api_retraining_status)
{
    struct watched_model filter;
    struct json_writer out;
    int64_t limit = 0, details = 0;
    enum err_code code = api_watched_filter(match->request, &filter, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", EVENTS_DEFAULT, 1, EVENTS_MAX, &limit, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "details", 0, 0, 1, &details, err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, &response->body);
    return write_status(context, &filter, (size_t)limit, details != 0, &out, err);
}

/* ---- on, off, now ---- */

static enum err_code set_pipeline(struct api *api, const struct route_match *match, bool is_on,
                                  struct http_response *response, struct err *err)
{
    static const struct watched_model all = {"", "", "", ""};
    const char *who = NULL;
    struct json_writer out;
    enum err_code code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = retrain_store_switch(api->store->db, is_on, who, now_of(api), err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, &response->body);
    return write_status(api, &all, EVENTS_DEFAULT, false, &out, err);
}

HANDLER(api_retraining_start)
{
    return set_pipeline(context, match, true, response, err);
}

HANDLER(api_retraining_stop)
{
    return set_pipeline(context, match, false, response, err);
}

static enum err_code read_trigger(const struct http_request *request, struct retrain_options *out,
                                  struct err *err)
{
    static const char *const known[] = {"subject", "variant", "bot", "window", NULL};
    json_t *body = NULL;
    option_defaults(task_retrain.options, out);
    out->trigger = RETRAIN_MANUAL;
    if (request->body_bytes == 0)
        return ERR_OK;
    enum err_code code = api_read_object(request, &body, err);
    if (code == ERR_OK)
        code = json_refuse_unknown(body, known, err);
    if (code == ERR_OK)
        code = option_read_json(task_retrain.options, out, body, true, err);
    json_decref(body);
    return code;
}

HANDLER(api_retraining_trigger)
{
    struct api *api = context;
    struct retrain_options options;
    struct job_order order;
    struct job_row job;
    struct buffer text;
    struct json_writer writer;
    char label[96];
    enum err_code code = read_trigger(match->request, &options, err);
    if (code == ERR_OK)
        code = api_order_from(match->request, &order, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&text, LIMIT_BODY_BYTES);
    json_writer_init(&writer, &text);
    option_write_json(task_retrain.options, &options, &writer);
    (void)snprintf(label, sizeof(label), "retrain %s %s %s", options.subject, options.variant, options.bot);
    order.task = task_retrain.name;
    order.request_json = buffer_text(&text);
    order.label = label;
    code = buffer_check(&text, "job options", err);
    if (code == ERR_OK)
        code = supervisor_submit(api->supervisor, &order, &job, NULL, err);
    if (code == ERR_OK)
        api_answer_job(api, &job, response);
    buffer_release(&text);
    return code;
}

/* ---- the registry by the names of ml-management ---- */

static void join_name(const struct model_name *name, char *out, size_t out_bytes)
{
    (void)snprintf(out, out_bytes, "%s-%s-%s", name->subject, name->variant, name->bot);
}

static enum err_code read_stage(const struct http_request *request, enum stage *out, struct err *err)
{
    const char *text = http_request_query(request, "stage");
    int stage = text != NULL ? stage_find(text) : STAGE_PRODUCTION;
    if (stage < 0)
        return err_set_field(err, ERR_INVALID, "stage",
                             "'%.40s' is no stage: None, Staging, Production or Archived", text);
    *out = (enum stage)stage;
    return ERR_OK;
}

HANDLER(api_ml_promote)
{
    struct api *api = context;
    struct version_row row;
    struct json_writer out;
    enum stage stage = STAGE_PRODUCTION;
    const char *who = NULL;
    char name[160];
    enum err_code code = read_stage(match->request, &stage, err);
    if (code == ERR_OK)
        code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = registry_find(api->store, match->parameters[1], &row, err);
    if (code != ERR_OK)
        return code;
    join_name(&row.name, name, sizeof(name));
    if (strcmp(name, match->parameters[0]) != 0)
        return err_set(err, ERR_NOT_FOUND, "version %s is one of '%s', not of '%.100s'", row.version, name,
                       match->parameters[0]);
    code = registry_move(api->store, row.version, stage, who, "asked for over ml-management", err);
    if (code != ERR_OK)
        return code;
    forecaster_reload(api->forecaster);
    if (row.stage != stage)
        api_models_publish(api, stage == STAGE_PRODUCTION ? "promoted" : "archived", row.version);
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_text(&out, "name", name);
    json_field_text(&out, "version", row.version);
    json_field_text(&out, "from_stage", stage_name(row.stage));
    json_field_text(&out, "stage", stage_name(stage));
    json_end_object(&out);
    return ERR_OK;
}

struct run_metric {
    const char *name;
    size_t offset;
    bool is_higher_better;
};
static const struct run_metric run_metrics[] = {
    {"log_loss", offsetof(struct version_row, log_loss), false},
    {"brier", offsetof(struct version_row, brier), false},
    {"rps", offsetof(struct version_row, rps), false},
    {"accuracy", offsetof(struct version_row, accuracy), true},
};
enum { RUN_METRICS = sizeof(run_metrics) / sizeof(*run_metrics) };

static double metric_of(const struct version_row *row, const struct run_metric *metric)
{
    double value;
    memcpy(&value, (const char *)row + metric->offset, sizeof(value));
    return value;
}

static void write_run(const struct version_row *row, struct json_writer *out)
{
    char name[160];
    join_name(&row->name, name, sizeof(name));
    json_begin_object(out);
    json_field_text(out, "run_id", row->version);
    json_field_text(out, "run_name", name);
    json_field_text(out, "status", "FINISHED");
    json_field_time(out, "start_time", row->trained_us - row->duration_ms * 1000);
    json_field_time(out, "end_time", row->trained_us);
    json_key(out, "metrics");
    json_begin_object(out);
    for (size_t i = 0; i < RUN_METRICS; i++)
        json_field_f64(out, run_metrics[i].name, metric_of(row, &run_metrics[i]));
    json_end_object(out);
    json_key(out, "tags");
    json_begin_object(out);
    json_field_text(out, "subject", row->name.subject);
    json_field_text(out, "variant", row->name.variant);
    json_field_text(out, "bot", row->name.bot);
    json_field_text(out, "stage", stage_name(row->stage));
    json_field_text(out, "feature_set", row->feature_set);
    json_end_object(out);
    json_end_object(out);
}

static enum err_code list_runs(struct api *api, const struct http_request *request, struct version_row **out,
                               size_t *count, struct err *err)
{
    struct watched_model filter;
    struct model_name name = {0};
    enum err_code code = api_watched_filter(request, &filter, err);
    *out = calloc(*count, sizeof(**out));
    if (code == ERR_OK && *out == NULL)
        code = err_nomem(err, *count * sizeof(**out));
    if (code != ERR_OK)
        return code;
    memcpy(name.subject, filter.subject, sizeof(name.subject));
    memcpy(name.variant, filter.variant, sizeof(name.variant));
    memcpy(name.bot, filter.bot, sizeof(name.bot));
    return registry_list(api->store, &name, *out, count, err);
}

HANDLER(api_ml_runs)
{
    struct version_row *runs = NULL;
    struct json_writer out;
    int64_t limit = 0;
    enum err_code code = api_query_i64(match->request, "limit", RUNS_DEFAULT, 1, RUNS_MAX, &limit, err);
    size_t count = (size_t)limit;
    if (code == ERR_OK)
        code = list_runs(context, match->request, &runs, &count, err);
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "runs");
    json_begin_array(&out);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        write_run(&runs[i], &out);
    json_end_array(&out);
    json_end_object(&out);
    free(runs);
    return code;
}

static enum err_code read_metric(const struct http_request *request, const struct run_metric **out,
                                 struct err *err)
{
    const char *name = http_request_query(request, "metric");
    *out = &run_metrics[0];
    for (size_t i = 0; name != NULL && i < RUN_METRICS; i++) {
        *out = &run_metrics[i];
        if (strcmp(run_metrics[i].name, name) == 0)
            return ERR_OK;
    }
    return name == NULL ? ERR_OK
                        : err_set_field(err, ERR_INVALID, "metric",
                                        "'%.40s' is none of log_loss, brier, rps, accuracy", name);
}

/* Of versions judged on different matches the figures are not strictly comparable; the run says when it was judged. */
HANDLER(api_ml_best_run)
{
    const struct run_metric *metric = NULL;
    struct version_row *runs = NULL, *best = NULL;
    struct json_writer out;
    size_t count = RUNS_MAX;
    enum err_code code = read_metric(match->request, &metric, err);
    if (code == ERR_OK)
        code = list_runs(context, match->request, &runs, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        double value = metric_of(&runs[i], metric);
        double kept = best != NULL ? metric_of(best, metric) : NAN;
        if (!isnan(value) && (isnan(kept) || (metric->is_higher_better ? value > kept : value < kept)))
            best = &runs[i];
    }
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_text(&out, "metric", metric != NULL ? metric->name : NULL);
    json_key(&out, "run");
    if (best != NULL)
        write_run(best, &out);
    else
        json_put_null(&out);
    json_end_object(&out);
    free(runs);
    return code;
}
