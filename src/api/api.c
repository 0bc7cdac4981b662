/* Api: puts loop, forecaster, supervisor and listener together, and what every handler needs. */
#include "api/api.h"

#include "api/drift.h"
#include "api/forecast_log.h"
#include "api/live.h"
#include "api/models.h"
#include "api/notifications.h"
#include "api/openapi.h"
#include "api/schedule.h"
#include "api/value_bets.h"
#include "base/log.h"
#include "base/time.h"
#include "task/task.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_PERIOD_MS = 500 };

#define ROUTE(method, pattern, handler, doc)                                                                 \
    enum err_code handler(void *context, const struct route_match *match, struct http_response *response,    \
                          struct err *err);
#include "api/route_list.h"
#undef ROUTE

const struct route api_routes[] = {
#define ROUTE(method, pattern, handler, doc) {method, pattern, handler, doc},
#include "api/route_list.h"
#undef ROUTE
    {NULL, NULL, NULL, NULL},
};

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    router_dispatch(api_routes, context, request, response);
}

static void observe(void *context, const struct http_response *response, int64_t took_us)
{
    struct api *api = context;
    api_metrics_request(api->metrics, response, took_us);
}

static const struct online *present_online(void *context, uint64_t *changes)
{
    const struct api *api = context;
    *changes = forecaster_changes(api->forecaster);
    return forecaster_online(api->forecaster);
}

static enum err_code create_features(struct api *api, const struct api_options *options, struct err *err)
{
    struct feature_reader_options reader = {.loop = api->loop,
                                            .store = api->store,
                                            .clock = api->clock,
                                            .memory_bytes = options->online_cache_bytes,
                                            .redis_url = options->redis_url,
                                            .redis_timeout_ms = options->redis_timeout_ms,
                                            .online = present_online,
                                            .context = api};
    return feature_reader_create(&reader, &api->features, err);
}

/* The store may be changed by a command beside the server. */
static void check_store(void *context)
{
    struct api *api = context;
    forecaster_check(api->forecaster);
}

static enum err_code finish_job(void *context, const struct job_row *job, const json_t *result,
                                struct err *err)
{
    struct api *api = context;
    const struct task *task = task_find(job->task);
    enum err_code code = ERR_OK;
    if (task != NULL && task->commit != NULL) {
        code = task->commit(api->store, result, err);
        if (code == ERR_OK) {
            forecaster_reload(api->forecaster);
            api_models_trained(api, job, result);
        }
    }
    return code == ERR_OK ? api_follow(api, job, result, err) : code;
}

static void job_changed(void *context, const struct job_row *job)
{
    const struct api *api = context;
    api_metrics_job(api->metrics, job);
    live_job_changed(api->live, job);
    api_drift_job_changed(api, job);
    schedule_service_job_changed(api->schedule, job);
    api_value_bets_job_changed(api, job);
}

static void queue_changed(void *context, const char *queue)
{
    const struct api *api = context;
    live_queue_changed(api->live, queue);
}

static const char *queue_of_task(void *context, const char *name)
{
    const struct task *task = task_find(name);
    (void)context;
    return task != NULL ? task->queue : NULL;
}

enum err_code api_create(struct loop *loop, struct pool *pool, struct store *store, struct clock clock,
                         struct api_options options, struct api **out, struct err *err)
{
    struct api *api = calloc(1, sizeof(*api));
    if (api == NULL)
        return err_nomem(err, sizeof(*api));
    *api = (struct api){.loop = loop, .pool = pool, .store = store, .clock = clock};
    api->started_us = clock.monotonic_us(clock.context);
    struct listener_options listen = {.address = options.address,
                                      .port = options.port,
                                      .handle = handle,
                                      .observe = observe,
                                      .context = api};
    struct supervisor_options jobs = {
        .program = options.program,
        .parallel = {[QUEUE_DEFAULT] = options.parallel_jobs, [QUEUE_TRAINING] = options.parallel_training},
        .grace_ms = options.job_grace_ms,
        .time_ms = options.job_time_ms,
        .warn_ms = options.job_warn_ms,
        .memory_bytes = options.job_memory_bytes,
        .cpu_s = options.job_cpu_s,
        .retry_ms = options.job_retry_ms,
        .queue_of = queue_of_task,
        .queue_changed = queue_changed,
        .finish = finish_job,
        .changed = job_changed,
        .context = api};
    /* the port first: if it is taken, the jobs of the server that has it must not be touched */
    enum err_code code = listener_create(loop, listen, &api->listener, err);
    if (code == ERR_OK)
        code = api_metrics_create(&api->metrics, err);
    if (code == ERR_OK)
        code = forecaster_create(loop, pool, store, clock, &api->forecaster, err);
    if (code == ERR_OK)
        code = forecast_log_create(loop, store, clock, &api->forecasts, err);
    if (code == ERR_OK)
        forecast_log_tell(api->forecasts, api_forecasts_written, api);
    if (code == ERR_OK)
        code = create_features(api, &options, err);
    if (code == ERR_OK)
        code = live_create(api, &api->live, err);
    if (code == ERR_OK)
        code = api_notifications_create(api, &options, err);
    if (code == ERR_OK)
        code = supervisor_create(loop, store, clock, jobs, &api->supervisor, err);
    api->job_time_ms = options.job_time_ms;
    api->job_warn_ms = options.job_warn_ms;
    if (code == ERR_OK)
        code = schedule_service_create(api, options.time_zone, options.schedule, &api->schedule, err);
    if (code == ERR_OK)
        code = loop_timer_add(loop, CHECK_PERIOD_MS, CHECK_PERIOD_MS, check_store, api, &api->check, err);
    if (code != ERR_OK) {
        api_destroy(api);
        return code;
    }
    *out = api;
    return ERR_OK;
}

void api_destroy(struct api *api)
{
    if (api == NULL)
        return;
    if (api->check != NULL)
        loop_timer_remove(api->loop, api->check);
    if (api->listener != NULL)
        listener_destroy(api->listener);
    live_destroy(api->live);
    api->live = NULL; /* the supervisor still reports what it stops */
    if (api->supervisor != NULL)
        supervisor_destroy(api->supervisor);
    notifier_destroy(api->notifier);
    schedule_service_destroy(api->schedule);
    feature_reader_destroy(api->features);
    forecast_log_destroy(api->forecasts);
    forecaster_destroy(api->forecaster);
    api_metrics_destroy(api->metrics);
    openapi_destroy(api->openapi);
    free(api);
}

enum err_code api_read_object(const struct http_request *request, json_t **out, struct err *err)
{
    json_t *json = NULL;
    if (request->body_bytes == 0)
        return err_set(err, ERR_INVALID, "the request has no body; send a JSON object");
    enum err_code code = json_read(request->body, request->body_bytes, &json, err);
    if (code != ERR_OK)
        return code;
    if (!json_is_object(json)) {
        json_decref(json);
        return err_set(err, ERR_INVALID, "the body is not a JSON object");
    }
    *out = json;
    return ERR_OK;
}

enum err_code api_query_i64(const struct http_request *request, const char *name, int64_t fallback,
                            int64_t min, int64_t max, int64_t *out, struct err *err)
{
    const char *value = http_request_query(request, name);
    *out = fallback;
    if (value == NULL)
        return ERR_OK;
    int64_t number;
    if (!text_parse_i64(text_of(value), &number) || number < min || number > max)
        return err_set_field(err, ERR_INVALID, name,
                             "query parameter '%s' is not a whole number from %lld to %lld", name,
                             (long long)min, (long long)max);
    *out = number;
    return ERR_OK;
}

enum err_code api_path_id(const struct route_match *match, size_t index, int64_t *out, struct err *err)
{
    if (!text_parse_i64(text_of(match->parameters[index]), out) || *out < 1)
        return err_set_field(err, ERR_INVALID, "id", "'%s' is not an id: a whole number from 1 on",
                             match->parameters[index]);
    return ERR_OK;
}
