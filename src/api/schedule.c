/* /api/schedule: the scheduled tasks, and the scheduler itself inside the server: four times a second it looks at the clock,
 * hands due tasks to the supervisor, and hears of the ends of their jobs. Tasks that are enabled, disabled or set by the
 * command beside a running server are taken in by the same timer. */
#include "api/schedule.h"

#include "api/api.h"
#include "api/live.h"
#include "base/text.h"
#include "base/time.h"
#include "job/schedule_json.h"
#include "job/scheduler.h"
#include "limits.h"
#include "task/scheduled.h"
#include "task/task.h"

#include <stdlib.h>
#include <string.h>

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err);                                                                     \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { PERIOD_MS = 250, RUNS_DEFAULT = 50, PREVIEW_MAX = 100, PREVIEW_DEFAULT = 10 };

struct schedule_service {
    struct api *api;
    struct scheduler *scheduler;
    struct loop_timer *timer;
    struct schedule_limits limits;
    bool is_on;
};

/* ---- the scheduler in the server ---- */

/* The task's options are completed, so that the job says what it runs. */
static enum err_code submit(void *context, const struct job_order *order, struct job_row *out,
                            struct err *err)
{
    const struct schedule_service *service = context;
    const struct task *task = task_find(order->task);
    struct job_order complete = *order;
    struct buffer options;
    json_t *json = NULL;
    if (task == NULL)
        return err_set(err, ERR_NOT_FOUND, "no task is called '%s'", order->task);
    buffer_init(&options, LIMIT_BODY_BYTES);
    enum err_code code = json_read(order->request_json, strlen(order->request_json), &json, err);
    if (code == ERR_OK)
        code = api_complete_options(task, json, &options, err);
    if (code == ERR_OK)
        code = buffer_check(&options, "the options of a task", err);
    complete.request_json = buffer_text(&options);
    if (code == ERR_OK)
        code = supervisor_submit(service->api->supervisor, &complete, out, NULL, err);
    json_decref(json);
    buffer_release(&options);
    return code;
}

struct news {
    const struct schedule_service *service;
    const struct schedule_task *task;
};

static void write_news(void *context, struct json_writer *out)
{
    const struct news *news = context;
    schedule_write_task(out, news->task, news->service->limits);
}

static void changed(void *context, const struct schedule_task *task)
{
    struct schedule_service *service = context;
    struct news news = {service, task};
    live_publish(service->api->live, "schedule", write_news, &news);
}

static void look(void *context)
{
    struct schedule_service *service = context;
    scheduler_run_due(service->scheduler);
}

enum err_code schedule_service_create(struct api *api, const char *time_zone, bool is_on,
                                      struct schedule_service **out, struct err *err)
{
    struct schedule_service *service = calloc(1, sizeof(*service));
    if (service == NULL)
        return err_nomem(err, sizeof(*service));
    service->api = api;
    service->is_on = is_on;
    service->limits = (struct schedule_limits){api->job_time_ms / 1000, api->job_warn_ms / 1000};
    struct scheduler_options options = {.db = api->store->db,
                                        .clock = api->clock,
                                        .time_zone = time_zone,
                                        .is_idle = !is_on,
                                        .submit = submit,
                                        .check = scheduled_check,
                                        .changed = changed,
                                        .context = service};
    enum err_code code = scheduler_create(&options, &service->scheduler, err);
    if (code == ERR_OK)
        code = loop_timer_add(api->loop, 0, PERIOD_MS, look, service, &service->timer, err);
    if (code != ERR_OK) {
        schedule_service_destroy(service);
        return code;
    }
    scheduler_begin(service->scheduler);
    *out = service;
    return ERR_OK;
}

void schedule_service_destroy(struct schedule_service *service)
{
    if (service == NULL)
        return;
    if (service->timer != NULL)
        loop_timer_remove(service->api->loop, service->timer);
    scheduler_destroy(service->scheduler);
    free(service);
}

int64_t schedule_service_next_us(const struct schedule_service *service, const char *name)
{
    for (size_t i = 0; i < scheduler_count(service->scheduler); i++) {
        const struct schedule_task *task = scheduler_at(service->scheduler, i);
        if (strcmp(task->name, name) == 0)
            return task->next_us;
    }
    return TIME_NONE;
}

void schedule_service_job_changed(struct schedule_service *service, const struct job_row *job)
{
    if (service != NULL)
        scheduler_job_changed(service->scheduler, job);
}

/* ---- reading ---- */

static void write_task(const struct api *api, const struct schedule_task *task,
                       struct http_response *response)
{
    struct json_writer out;
    json_writer_init(&out, &response->body);
    schedule_write_task(&out, task, api->schedule->limits);
}

HANDLER(api_schedule_list)
{
    const struct api *api = context;
    const struct scheduler *scheduler = api->schedule->scheduler;
    struct json_writer out;
    (void)match;
    (void)err;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "tasks");
    json_begin_array(&out);
    for (size_t i = 0; i < scheduler_count(scheduler); i++)
        schedule_write_task(&out, scheduler_at(scheduler, i), api->schedule->limits);
    json_end_array(&out);
    json_field_time(&out, "now", api->clock.now_us(api->clock.context));
    json_field_text(&out, "time_zone", scheduler_time_zone(scheduler));
    json_field_bool(&out, "is_on", api->schedule->is_on);
    json_end_object(&out);
    return ERR_OK;
}

HANDLER(api_schedule_get)
{
    const struct api *api = context;
    const struct schedule_task *task = NULL;
    enum err_code code = scheduler_find(api->schedule->scheduler, match->parameters[0], &task, err);
    if (code == ERR_OK)
        write_task(api, task, response);
    return code;
}

static void write_runs(const struct schedule_run *runs, size_t count, struct http_response *response)
{
    struct json_writer out;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "runs");
    json_begin_array(&out);
    for (size_t i = 0; i < count; i++)
        schedule_write_run(&out, &runs[i]);
    json_end_array(&out);
    json_end_object(&out);
}

HANDLER(api_schedule_runs)
{
    const struct api *api = context;
    const struct schedule_task *task = NULL;
    int64_t limit = 0;
    enum err_code code = scheduler_find(api->schedule->scheduler, match->parameters[0], &task, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", RUNS_DEFAULT, 1, SCHEDULE_RUNS_KEPT, &limit, err);
    if (code != ERR_OK)
        return code;
    size_t count = (size_t)limit;
    struct schedule_run *runs = calloc(count, sizeof(*runs));
    if (runs == NULL)
        return err_nomem(err, count * sizeof(*runs));
    code = schedule_store_runs(api->store->db, task->name, runs, &count, err);
    if (code == ERR_OK)
        write_runs(runs, count, response);
    free(runs);
    return code;
}

HANDLER(api_schedule_preview)
{
    const struct api *api = context;
    const char *cron = http_request_query(match->request, "cron");
    const char *zone = http_request_query(match->request, "time_zone");
    struct json_writer out;
    int64_t count;
    if (cron == NULL)
        return err_set_field(err, ERR_INVALID, "cron", "query parameter 'cron' is missing, like '0 2 * * *'");
    enum err_code code = api_query_i64(match->request, "count", PREVIEW_DEFAULT, 1, PREVIEW_MAX, &count, err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, &response->body);
    return schedule_write_preview(&out, cron,
                                  zone != NULL ? zone : scheduler_time_zone(api->schedule->scheduler),
                                  api->clock.now_us(api->clock.context), (size_t)count, err);
}

/* ---- changing ---- */

static enum err_code set(struct api *api, const struct route_match *match,
                         const struct schedule_change *change, struct http_response *response,
                         struct err *err)
{
    const struct schedule_task *task = NULL;
    struct scheduler *scheduler = api->schedule->scheduler;
    enum err_code code = scheduler_set(scheduler, match->parameters[0], change, err);
    if (code == ERR_OK)
        code = scheduler_find(scheduler, match->parameters[0], &task, err);
    if (code == ERR_OK)
        write_task(api, task, response);
    return code;
}

HANDLER(api_schedule_enable)
{
    return set(context, match, &(struct schedule_change){.jitter_s = -1, .is_enabled = 1}, response, err);
}

HANDLER(api_schedule_disable)
{
    return set(context, match, &(struct schedule_change){.jitter_s = -1, .is_enabled = 0}, response, err);
}

/* Texts of the change are borrowed from the body, and from out_options for the options. */
static enum err_code read_change(const json_t *body, struct schedule_change *out, char **out_options,
                                 struct err *err)
{
    static const char *const known[] = {"cron", "time_zone", "missed", "jitter_s", "options", NULL};
    const json_t *options = json_object_get(body, "options");
    int64_t jitter_s = -1;
    *out = (struct schedule_change){.jitter_s = -1, .is_enabled = -1};
    enum err_code code = json_refuse_unknown(body, known, err);
    if (code == ERR_OK)
        code = json_take_text(body, "cron", false, &out->cron, err);
    if (code == ERR_OK)
        code = json_take_text(body, "time_zone", false, &out->time_zone, err);
    if (code == ERR_OK)
        code = json_take_text(body, "missed", false, &out->missed, err);
    if (code == ERR_OK)
        code = json_take_i64(body, "jitter_s", false, &jitter_s, err);
    if (code == ERR_OK && jitter_s < 0 && json_is_integer(json_object_get(body, "jitter_s")))
        code = err_set_field(err, ERR_INVALID, "jitter_s", "'jitter_s' must be a whole number in 0..%d",
                             SCHEDULE_JITTER_MAX_S);
    out->jitter_s = jitter_s;
    if (code != ERR_OK || options == NULL || json_is_null(options))
        return code;
    if (!json_is_object(options))
        return err_set_field(err, ERR_INVALID, "options", "'options' is not an object");
    *out_options = json_dumps(options, JSON_COMPACT);
    out->options = *out_options;
    return *out_options != NULL ? ERR_OK : err_nomem(err, SCHEDULE_OPTIONS_BYTES);
}

HANDLER(api_schedule_put)
{
    struct schedule_change change;
    json_t *body = NULL;
    char *options = NULL;
    enum err_code code = api_read_object(match->request, &body, err);
    if (code == ERR_OK)
        code = read_change(body, &change, &options, err);
    if (code == ERR_OK)
        code = set(context, match, &change, response, err);
    free(options);
    json_decref(body);
    return code;
}

HANDLER(api_schedule_run)
{
    struct api *api = context;
    struct job_row job;
    const char *who = NULL;
    enum err_code code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = scheduler_run_now(api->schedule->scheduler, match->parameters[0], who, &job, err);
    if (code == ERR_OK)
        api_answer_job(api, &job, response);
    return code;
}
