/* /api/jobs: list, one, any task of the table as a job, and what is done to a job. Its log is job_logs.c. */
#include "api/api.h"

#include "base/time.h"
#include "limits.h"
#include "task/task.h"

#include <stdlib.h>
#include <string.h>

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err);                                                                     \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { JOBS_LIMIT = 500, JOBS_LIMIT_DEFAULT = 50 };

/* ---- showing ---- */

static enum err_code read_filter(const struct http_request *request, struct job_filter *out, struct err *err)
{
    const char *state = http_request_query(request, "state");
    enum job_state found;
    *out = (struct job_filter){.state = -1,
                               .queue = http_request_query(request, "queue"),
                               .task = http_request_query(request, "task"),
                               .batch = http_request_query(request, "batch")};
    if (state != NULL) {
        if (!job_state_find(state, &found))
            return err_set_field(
                err, ERR_INVALID, "state",
                "'%.40s' is not a state: queued, running, stopping, succeeded, failed or stopped", state);
        out->state = (int)found;
    }
    return api_query_i64(request, "before", 0, 0, INT64_MAX, &out->before_id, err);
}

static enum err_code write_counts(struct json_writer *out, struct db *db, struct err *err)
{
    int64_t counts[JOB_STATE_COUNT];
    enum err_code code = job_store_count(db, counts, err);
    if (code != ERR_OK)
        return code;
    json_key(out, "counts");
    json_begin_object(out);
    for (int state = 0; state < JOB_STATE_COUNT; state++)
        json_field_i64(out, job_state_name((enum job_state)state), counts[state]);
    json_end_object(out);
    return ERR_OK;
}

static enum err_code write_list(const struct api *api, const struct job_row *jobs, size_t count,
                                struct http_response *response, struct err *err)
{
    struct json_writer out;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "jobs");
    json_begin_array(&out);
    for (size_t i = 0; i < count; i++)
        api_write_job(&out, api, &jobs[i]);
    json_end_array(&out);
    enum err_code code = write_counts(&out, api->store->db, err);
    json_end_object(&out);
    return code;
}

HANDLER(api_jobs_list)
{
    struct api *api = context;
    struct job_filter filter;
    int64_t limit;
    enum err_code code =
        api_query_i64(match->request, "limit", JOBS_LIMIT_DEFAULT, 1, JOBS_LIMIT, &limit, err);
    if (code == ERR_OK)
        code = read_filter(match->request, &filter, err);
    if (code != ERR_OK)
        return code;
    size_t count = (size_t)limit;
    struct job_row *jobs = calloc(count, sizeof(*jobs));
    if (jobs == NULL)
        return err_nomem(err, count * sizeof(*jobs));
    code = job_store_find(api->store->db, &filter, jobs, &count, err);
    if (code == ERR_OK)
        code = write_list(api, jobs, count, response, err);
    free(jobs);
    return code;
}

/* A member that is JSON already; null when there is none. */
static enum err_code write_raw(struct json_writer *out, const char *key, struct db *db, int64_t id,
                               enum err_code (*read)(struct db *db, int64_t id, struct buffer *out,
                                                     struct err *err),
                               struct err *err)
{
    struct buffer json;
    buffer_init(&json, LIMIT_RESULT_BYTES);
    enum err_code code = read(db, id, &json, err);
    if (code == ERR_OK) {
        json_key(out, key);
        if (json.size_bytes > 0)
            json_put_raw(out, buffer_text(&json), json.size_bytes);
        else
            json_put_null(out);
    }
    buffer_release(&json);
    return code;
}

HANDLER(api_job_get)
{
    struct api *api = context;
    struct db *db = api->store->db;
    struct json_writer out;
    struct job_row job;
    int64_t id;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = job_store_get(db, id, &job, err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "job");
    api_write_job(&out, api, &job);
    code = write_raw(&out, "request", db, id, job_store_request, err);
    if (code == ERR_OK)
        code = write_raw(&out, "result", db, id, job_store_result, err);
    if (code == ERR_OK)
        code = write_raw(&out, "events", db, id, job_store_events, err);
    json_end_object(&out);
    return code;
}

static void answer_one(const struct api *api, const struct job_row *job, unsigned status,
                       struct http_response *response)
{
    struct json_writer out;
    response->status = status;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "job");
    api_write_job(&out, api, job);
    json_end_object(&out);
}

/* ---- any task as a job ---- */

static enum err_code read_after(const json_t *body, struct job_order *out, struct err *err)
{
    const json_t *after = json_object_get(body, "after");
    if (after == NULL || json_is_null(after))
        return ERR_OK;
    if (!json_is_array(after) || json_array_size(after) > JOB_AFTER_MAX)
        return err_set_field(err, ERR_INVALID, "after", "'after' is not a list of at most %d job ids",
                             JOB_AFTER_MAX);
    out->after_count = json_array_size(after);
    for (size_t i = 0; i < out->after_count; i++) {
        const json_t *id = json_array_get(after, i);
        if (!json_is_integer(id) || json_integer_value(id) < 1)
            return err_set_field(err, ERR_INVALID, "after", "'after' holds something that is not a job id");
        out->after[i] = json_integer_value(id);
    }
    return ERR_OK;
}

static enum err_code read_not_before(const json_t *body, struct job_order *out, struct err *err)
{
    const char *text = NULL;
    bool has_clock = false;
    enum err_code code = json_take_text(body, "not_before", false, &text, err);
    if (code != ERR_OK || text == NULL)
        return code;
    if (!time_parse_iso(text_of(text), &out->not_before_us, &has_clock) || !has_clock ||
        out->not_before_us <= 0)
        return err_set_field(err, ERR_INVALID, "not_before",
                             "'%.40s' is not a time such as 2026-03-01T12:00:00Z", text);
    return ERR_OK;
}

static enum err_code read_order(const json_t *body, struct job_order *out, struct err *err)
{
    static const char *const known[] = {"task",  "options",    "queue",        "key",   "priority",
                                        "after", "not_before", "max_attempts", "label", NULL};
    enum err_code code = json_refuse_unknown(body, known, err);
    if (code == ERR_OK)
        code = json_take_text(body, "task", true, &out->task, err);
    if (code == ERR_OK)
        code = json_take_text(body, "queue", false, &out->queue, err);
    if (code == ERR_OK)
        code = json_take_text(body, "key", false, &out->key, err);
    if (code == ERR_OK)
        code = json_take_text(body, "label", false, &out->label, err);
    if (code == ERR_OK)
        code = json_take_i64(body, "priority", false, &out->priority, err);
    if (code == ERR_OK)
        code = json_take_i64(body, "max_attempts", false, &out->max_attempts, err);
    if (code == ERR_OK && out->max_attempts == 0 && json_object_get(body, "max_attempts") != NULL)
        code = err_set_field(err, ERR_INVALID, "max_attempts", "'max_attempts' is not within 1..%d",
                             JOB_ATTEMPTS_MAX);
    if (code == ERR_OK)
        code = read_after(body, out, err);
    return code == ERR_OK ? read_not_before(body, out, err) : code;
}

static enum err_code submit(struct api *api, const json_t *body, struct job_order *order, struct job_row *out,
                            struct err *err)
{
    struct buffer options;
    const struct task *task = task_find(order->task);
    if (task == NULL)
        return err_set_field(err, ERR_INVALID, "task", "no task is called '%.40s'", order->task);
    buffer_init(&options, LIMIT_BODY_BYTES);
    enum err_code code = api_complete_options(task, json_object_get(body, "options"), &options, err);
    if (code == ERR_OK) {
        order->request_json = buffer_text(&options);
        code = supervisor_submit(api->supervisor, order, out, NULL, err);
    }
    buffer_release(&options);
    return code;
}

HANDLER(api_job_submit)
{
    struct api *api = context;
    struct job_order order;
    struct job_row job;
    json_t *body = NULL;
    enum err_code code = api_order_from(match->request, &order, err);
    if (code == ERR_OK)
        code = api_read_object(match->request, &body, err);
    if (code == ERR_OK)
        code = read_order(body, &order, err);
    if (code == ERR_OK)
        code = submit(api, body, &order, &job, err);
    json_decref(body);
    if (code != ERR_OK)
        return code;
    api_answer_job(api, &job, response);
    return ERR_OK;
}

/* ---- what is done to a job ---- */

static enum err_code act(struct api *api, const struct route_match *match, struct http_response *response,
                         enum err_code (*action)(struct supervisor *supervisor, int64_t id, const char *who,
                                                 struct job_row *out, struct err *err),
                         struct err *err)
{
    struct job_row job;
    const char *who = NULL;
    int64_t id;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = action(api->supervisor, id, who, &job, err);
    if (code == ERR_OK)
        answer_one(api, &job, 202, response);
    return code;
}

HANDLER(api_job_stop)
{
    return act(context, match, response, supervisor_stop_job, err);
}

HANDLER(api_job_force_stop)
{
    return act(context, match, response, supervisor_force_stop_job, err);
}

HANDLER(api_job_resume)
{
    return act(context, match, response, supervisor_resume_job, err);
}

static enum err_code read_priority(const struct http_request *request, int64_t *out, struct err *err)
{
    static const char *const known[] = {"priority", NULL};
    json_t *body = NULL;
    enum err_code code = api_read_object(request, &body, err);
    if (code == ERR_OK)
        code = json_refuse_unknown(body, known, err);
    if (code == ERR_OK)
        code = json_take_i64(body, "priority", true, out, err);
    json_decref(body);
    return code;
}

HANDLER(api_job_priority)
{
    struct api *api = context;
    struct job_row job;
    const char *who = NULL;
    int64_t id, priority = 0;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = read_priority(match->request, &priority, err);
    if (code == ERR_OK)
        code = supervisor_set_priority(api->supervisor, id, priority, who, &job, err);
    if (code == ERR_OK)
        answer_one(api, &job, 200, response);
    return code;
}
