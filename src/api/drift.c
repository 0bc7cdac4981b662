/* Drift of the models in production: the newest look of the task performance, and the history of them.
 *
 *   GET /api/drift                                 -> {"models": [...], "thresholds": {...}}
 *   GET /api/drift/history?subject=&variant=&bot=  -> {"points": [...]}, oldest first
 *
 * A model's object is what task/monitor.h wrote; nothing is computed here. A version that was not looked at yet is not among
 * the models. */
#include "api/drift.h"

#include "api/api.h"
#include "api/live.h"
#include "base/log.h"
#include "base/time.h"
#include "limits.h"
#include "registry/registry.h"
#include "task/performance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE(method, pattern, handler, doc)                                                                 \
    enum err_code handler(void *context, const struct route_match *match, struct http_response *response,    \
                          struct err *err);
#include "api/route_list.h"
#undef ROUTE

enum { POINTS_MAX = 2000, POINTS_DEFAULT = 500 };

static enum err_code take_query(const struct http_request *request, const char *name, char *out,
                                size_t out_bytes, struct err *err)
{
    const char *value = http_request_query(request, name);
    out[0] = '\0';
    if (value != NULL && !text_copy(text_of(value), out, out_bytes))
        return err_set_field(err, ERR_INVALID, name, "'%s' is longer than %zu bytes", name, out_bytes - 1);
    return ERR_OK;
}

enum err_code api_watched_filter(const struct http_request *request, struct watched_model *out,
                                 struct err *err)
{
    *out = (struct watched_model){0};
    enum err_code code = take_query(request, "subject", out->subject, sizeof(out->subject), err);
    if (code == ERR_OK)
        code = take_query(request, "variant", out->variant, sizeof(out->variant), err);
    return code == ERR_OK ? take_query(request, "bot", out->bot, sizeof(out->bot), err) : code;
}

/* Of the scheduled check; what a version is compared with stands in its own "limits". */
static void write_thresholds(struct json_writer *out, const struct performance_options *options)
{
    json_begin_object(out);
    json_field_f64(out, "drift_threshold", options->monitor.drift_threshold);
    json_field_f64(out, "performance_threshold", options->monitor.performance_threshold);
    json_field_f64(out, "false_alarm_rate", options->monitor.rate);
    json_field_i64(out, "horizon_matches", options->monitor.horizon);
    json_field_i64(out, "window_matches", options->monitor.window);
    json_field_i64(out, "score_matches", options->monitor.least);
    json_field_i64(out, "runs", options->monitor.runs);
    json_field_i64(out, "samples", options->monitor.samples);
    json_field_text(out, "calibration",
                    "loss: simulated seasons, match days of the version's holdout drawn with replacement; "
                    "drift: windows of the past against what came before them, in all leagues; the rate is "
                    "shared by four alarms (docs/retraining.md)");
    json_end_object(out);
}

/* The newest look at each version in production; those without one are left out. */
static enum err_code write_models(const struct api *api, const struct watched_model *filter,
                                  struct json_writer *out, struct err *err)
{
    struct version_row *models = NULL;
    size_t count = 0;
    struct buffer text;
    enum err_code code =
        performance_models(api->store, filter->subject, filter->variant, filter->bot, &models, &count, err);
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        struct err reason = {0};
        buffer_clear(&text);
        code = retrain_store_last_check(api->store->db, models[i].version, &text, &reason);
        if (code == ERR_OK)
            json_put_raw(out, buffer_text(&text), text.size_bytes);
        else if (code == ERR_NOT_FOUND)
            code = ERR_OK;
        else
            code = err_set(err, code, "%s", reason.text);
    }
    json_end_array(out);
    buffer_release(&text);
    free(models);
    return code;
}

static enum err_code write_drift(const struct api *api, const struct watched_model *filter,
                                 struct json_writer *out, struct err *err)
{
    struct performance_options options;
    option_defaults(task_performance.options, &options);
    json_begin_object(out);
    json_key(out, "models");
    enum err_code code = write_models(api, filter, out, err);
    if (code == ERR_OK)
        code = performance_options_in_force(api->store->db, &options, err);
    json_key(out, "thresholds");
    write_thresholds(out, &options);
    json_end_object(out);
    return code;
}

enum err_code api_drift(void *context, const struct route_match *match, struct http_response *response,
                        struct err *err)
{
    struct watched_model filter;
    struct json_writer out;
    enum err_code code = api_watched_filter(match->request, &filter, err);
    json_writer_init(&out, &response->body);
    return code == ERR_OK ? write_drift(context, &filter, &out, err) : code;
}

static void write_point(const struct drift_check *check, struct json_writer *out)
{
    json_begin_object(out);
    json_field_time(out, "at", check->at_us);
    json_field_text(out, "subject", check->model.subject);
    json_field_text(out, "variant", check->model.variant);
    json_field_text(out, "bot", check->model.bot);
    json_field_text(out, "version", check->model.version);
    json_field_f64(out, "psi_max", check->psi_max);
    json_field_f64(out, "share_drifted", check->share_drifted);
    json_field_f64(out, "loss", check->loss);
    json_field_f64(out, "page_hinkley", check->page_hinkley);
    json_field_f64(out, "score", check->score);
    json_field_bool(out, "is_alarm", check->is_alarm);
    json_end_object(out);
}

enum err_code api_drift_history(void *context, const struct route_match *match,
                                struct http_response *response, struct err *err)
{
    struct api *api = context;
    struct watched_model filter;
    struct json_writer out;
    int64_t limit = 0;
    enum err_code code = api_watched_filter(match->request, &filter, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", POINTS_DEFAULT, 1, POINTS_MAX, &limit, err);
    if (code != ERR_OK)
        return code;
    size_t count = (size_t)limit;
    struct drift_check *checks = calloc(count, sizeof(*checks));
    if (checks == NULL)
        return err_nomem(err, count * sizeof(*checks));
    code = retrain_store_checks(api->store->db, &filter, checks, &count, err);
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "points");
    json_begin_array(&out);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        write_point(&checks[i], &out);
    json_end_array(&out);
    json_end_object(&out);
    free(checks);
    return code;
}

/* ---- telling ---- */

struct news {
    const struct api *api;
};

static void write_news(void *context, struct json_writer *out)
{
    const struct news *news = context;
    static const struct watched_model all = {"", "", "", ""};
    struct err err = {0};
    if (write_drift(news->api, &all, out, &err) != ERR_OK)
        log_line(LOG_ERROR, "drift", "%s", err.text);
}

void api_drift_job_changed(const struct api *api, const struct job_row *job)
{
    struct news news = {api};
    if (job->state == JOB_SUCCEEDED && strcmp(job->task, task_performance.name) == 0)
        live_publish(api->live, "drift", write_news, &news);
}
