/* Api: the HTTP face. One file per resource, one row per route in route_list.h; this header is what the handlers share.
 * Everything belongs to the loop's thread. */
#ifndef ALMANAC_API_API_H
#define ALMANAC_API_API_H

#include "base/err.h"
#include "base/json.h"
#include "http/listener.h"
#include "http/router.h"
#include "job/notify.h"
#include "job/supervisor.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/thread.h"
#include "serve/feature_reader.h"
#include "serve/forecaster.h"
#include "store/store.h"

struct api_metrics;
struct live;
struct openapi;
struct forecast_log;
struct schedule_service;

struct api {
    struct loop *loop;
    struct pool *pool;
    struct store *store;
    struct clock clock;
    struct supervisor *supervisor;
    struct forecaster *forecaster;
    struct forecast_log *forecasts; /* what was told of matches to come */
    struct feature_reader *features;
    struct api_metrics *metrics;
    struct openapi *openapi;           /* NULL until it is asked for */
    struct live *live;                 /* tells clients what happens, see live.h */
    struct schedule_service *schedule; /* starts tasks by the clock, see schedule.h */
    int64_t job_time_ms, job_warn_ms;  /* as in the options */
    struct notifier *notifier;         /* tells receivers what happened, see job/notify.h */
    struct listener *listener;
    struct loop_timer *check;
    int64_t started_us; /* monotonic */
};

struct api_options {
    const char *address;
    uint16_t port;
    const char *program; /* path of almanac, for workers */
    size_t parallel_jobs, parallel_training;
    int64_t job_grace_ms;
    int64_t job_time_ms, job_warn_ms;    /* hard and soft limit of one attempt */
    int64_t job_memory_bytes, job_cpu_s; /* 0: no limit */
    int64_t job_retry_ms;
    const char *time_zone;     /* of scheduled tasks that name none */
    bool schedule;             /* false: scheduled tasks only run when asked to */
    size_t online_cache_bytes; /* memory of the online feature store */
    const char *redis_url;     /* NULL or "": none */
    int64_t redis_timeout_ms;
    struct notify_mail mail;
    int64_t notify_retry_ms, notify_attempts, notify_timeout_ms;
};

/* Everything that answers; the store is opened by the caller and outlives it. */
enum err_code api_create(struct loop *loop, struct pool *pool, struct store *store, struct clock clock,
                         struct api_options options, struct api **out, struct err *err) CHECKED;
void api_destroy(struct api *api);
extern const struct route api_routes[];

/* What GET /metrics counts beside what others count themselves (metrics.c). */
enum err_code api_metrics_create(struct api_metrics **out, struct err *err) CHECKED;
void api_metrics_destroy(struct api_metrics *metrics);
void api_metrics_request(struct api_metrics *metrics, const struct http_response *response, int64_t took_us);
void api_metrics_forecast(struct api_metrics *metrics, const struct forecast_answer *answer);
void api_metrics_job(struct api_metrics *metrics, const struct job_row *job); /* whatever changed of it */

/* The body as one JSON object; *out is released with json_decref. */
enum err_code api_read_object(const struct http_request *request, json_t **out, struct err *err) CHECKED;
/* A query parameter as a number in min..max; `fallback` when it is absent. */
enum err_code api_query_i64(const struct http_request *request, const char *name, int64_t fallback,
                            int64_t min, int64_t max, int64_t *out, struct err *err) CHECKED;
/* The id of a path segment. */
enum err_code api_path_id(const struct route_match *match, size_t index, int64_t *out,
                          struct err *err) CHECKED;
/* Member "recalibrated": {"at", "matches"}, null for NULL. */
void api_write_recalibrated(struct json_writer *out, const struct serving_layer *layer);
/* Who asks: the header X-Almanac-Who, else "api". ERR_INVALID: longer than 63 bytes, or not printable. */
enum err_code api_read_who(const struct http_request *request, const char **out, struct err *err) CHECKED;
/* An order with what the headers say: who, and the idempotency key (Idempotency-Key). Texts are borrowed. */
enum err_code api_order_from(const struct http_request *request, struct job_order *out,
                             struct err *err) CHECKED;
struct task;
/* Options of a task as JSON, complete with defaults: what the job will run is what is kept. options: an object, or NULL. */
enum err_code api_complete_options(const struct task *task, const json_t *options, struct buffer *out,
                                   struct err *err) CHECKED;
/* Accepts the jobs of "then" in the result of a job. */
enum err_code api_follow(struct api *api, const struct job_row *job, const json_t *result,
                         struct err *err) CHECKED;
struct stored_forecast;
/* Tells the topic "predictions"; for forecast_log_tell. context: the api. */
void api_forecasts_written(void *context, const struct stored_forecast *const *forecasts, size_t count,
                           size_t total);
/* The object Job; `after` is read from the store. */
void api_write_job(struct json_writer *out, const struct api *api, const struct job_row *job);
/* The object of GET /api/queues. */
void api_write_queue(struct json_writer *out, const struct queue_status *status);
/* 202 with the job's id and process: what was asked for is under way. */
void api_answer_job(const struct api *api, const struct job_row *job, struct http_response *response);

#endif
