/* /api/jobs: list, one, live log, stop. */
#include "api/api.h"

#include "base/time.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err);                                                                     \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { JOBS_LIMIT = 500, JOBS_LIMIT_DEFAULT = 50 };

void api_write_job(struct json_writer *out, const struct job_row *job)
{
    json_begin_object(out);
    json_field_i64(out, "id", job->id);
    json_field_text(out, "task", job->task);
    json_field_text(out, "state", job_state_name(job->state));
    if (job->pid != 0)
        json_field_i64(out, "pid", job->pid);
    else
        json_field_null(out, "pid");
    api_write_time(out, "created_at", job->created_us);
    api_write_time(out, "started_at", job->started_us);
    api_write_time(out, "ended_at", job->ended_us);
    json_field_text(out, "phase", job->phase[0] != '\0' ? job->phase : NULL);
    json_field_i64(out, "done", job->progress_done);
    json_field_i64(out, "total", job->progress_total);
    json_field_text(out, "error", job->error[0] != '\0' ? job->error : NULL);
    json_end_object(out);
}

void api_answer_job(const struct job_row *job, struct http_response *response)
{
    struct json_writer out;
    response->status = 202;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_i64(&out, "job_id", job->id);
    if (job->pid != 0)
        json_field_i64(&out, "pid", job->pid);
    else
        json_field_null(&out, "pid");
    json_key(&out, "job");
    api_write_job(&out, job);
    json_end_object(&out);
}

HANDLER(api_jobs_list)
{
    struct api *api = context;
    int64_t limit, before;
    enum err_code code =
        api_query_i64(match->request, "limit", JOBS_LIMIT_DEFAULT, 1, JOBS_LIMIT, &limit, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "before", 0, 0, INT64_MAX, &before, err);
    if (code != ERR_OK)
        return code;
    size_t count = (size_t)limit;
    struct job_row *jobs = calloc(count, sizeof(*jobs));
    if (jobs == NULL)
        return err_nomem(err, count * sizeof(*jobs));
    code = job_store_list(api->store->db, before, jobs, &count, err);
    struct json_writer out;
    json_writer_init(&out, &response->body);
    if (code == ERR_OK) {
        json_begin_object(&out);
        json_key(&out, "jobs");
        json_begin_array(&out);
        for (size_t i = 0; i < count; i++)
            api_write_job(&out, &jobs[i]);
        json_end_array(&out);
        json_end_object(&out);
    }
    free(jobs);
    return code;
}

static enum err_code write_raw(struct json_writer *out, const char *key, const struct buffer *json)
{
    json_key(out, key);
    if (json->size_bytes > 0)
        json_put_raw(out, buffer_text(json), json->size_bytes);
    else
        json_put_null(out);
    return ERR_OK;
}

HANDLER(api_job_get)
{
    struct api *api = context;
    struct job_row job;
    struct buffer request, result;
    int64_t id;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = job_store_get(api->store->db, id, &job, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&request, LIMIT_RESULT_BYTES);
    buffer_init(&result, LIMIT_RESULT_BYTES);
    code = job_store_request(api->store->db, id, &request, err);
    if (code == ERR_OK)
        code = job_store_result(api->store->db, id, &result, err);
    if (code == ERR_OK) {
        struct json_writer out;
        json_writer_init(&out, &response->body);
        json_begin_object(&out);
        json_key(&out, "job");
        api_write_job(&out, &job);
        code = write_raw(&out, "request", &request);
        if (code == ERR_OK)
            code = write_raw(&out, "result", &result);
        json_end_object(&out);
    }
    buffer_release(&request);
    buffer_release(&result);
    return code;
}

HANDLER(api_job_stop)
{
    struct api *api = context;
    struct job_row job;
    struct json_writer out;
    int64_t id;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = supervisor_stop_job(api->supervisor, id, &job, err);
    if (code != ERR_OK)
        return code;
    response->status = 202;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "job");
    api_write_job(&out, &job);
    json_end_object(&out);
    return ERR_OK;
}

/* A client that follows a log. A client that reads slowly makes the follower let go of the log and come back to the same
 * place when most of what was sent has been taken: the history of a long job never piles up in memory, and nobody is cut
 * off for it. Freed when its stream is closed. */
struct follower {
    struct api *api;
    struct http_stream *stream;
    struct log_subscriber *subscriber; /* NULL: waiting for the client, or ended */
    struct loop_timer *retry;          /* NULL: not waiting */
    int64_t id, offset;
};

enum { UNSENT_HIGH_BYTES = 256 << 10, UNSENT_LOW_BYTES = 32 << 10, RETRY_MS = 20 };

static enum err_code follow(struct follower *follower, struct err *err);

static void finish(struct follower *follower, const char *event, const char *text)
{
    follower->subscriber = NULL;
    http_stream_event(follower->stream, -1, event, text, strlen(text));
    http_stream_end(follower->stream);
}

static void on_retry(void *context)
{
    struct follower *follower = context;
    struct err err = {0};
    if (http_stream_unsent_bytes(follower->stream) > UNSENT_LOW_BYTES)
        return;
    loop_timer_remove(follower->api->loop, follower->retry);
    follower->retry = NULL;
    if (follow(follower, &err) != ERR_OK)
        finish(follower, "error", err.text);
}

static void on_line(void *context, int64_t next_offset, const char *text, size_t size_bytes)
{
    struct follower *follower = context;
    follower->offset = next_offset;
    http_stream_event(follower->stream, next_offset, "log", text, size_bytes);
    if (http_stream_unsent_bytes(follower->stream) < UNSENT_HIGH_BYTES ||
        loop_timer_add(follower->api->loop, RETRY_MS, RETRY_MS, on_retry, follower, &follower->retry, NULL) !=
            ERR_OK)
        return;
    supervisor_unsubscribe(follower->api->supervisor, follower->subscriber);
    follower->subscriber = NULL;
}

static void on_end(void *context, enum job_state state)
{
    finish(context, "end", job_state_name(state));
}

static enum err_code follow(struct follower *follower, struct err *err)
{
    return supervisor_subscribe(follower->api->supervisor, follower->id, follower->offset, on_line, on_end,
                                follower, &follower->subscriber, err);
}

static void on_closed(void *context)
{
    struct follower *follower = context;
    if (follower->subscriber != NULL)
        supervisor_unsubscribe(follower->api->supervisor, follower->subscriber);
    if (follower->retry != NULL)
        loop_timer_remove(follower->api->loop, follower->retry);
    free(follower);
}

/* Where to begin: the query, or where an EventSource that reconnects says it was. */
static enum err_code read_offset(const struct http_request *request, int64_t *out, struct err *err)
{
    int64_t fallback = 0;
    const char *last = http_request_header(request, "Last-Event-ID");
    if (last != NULL && (!text_parse_i64(text_of(last), &fallback) || fallback < 0))
        return err_set_field(err, ERR_INVALID, "Last-Event-ID", "'%s' is not a byte offset", last);
    return api_query_i64(request, "offset", fallback, 0, INT64_MAX, out, err);
}

HANDLER(api_job_logs)
{
    struct api *api = context;
    struct job_row job;
    int64_t id, offset;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = job_store_get(api->store->db, id, &job, err);
    if (code == ERR_OK)
        code = read_offset(match->request, &offset, err);
    if (code != ERR_OK)
        return code;
    struct follower *follower = calloc(1, sizeof(*follower));
    if (follower == NULL)
        return err_nomem(err, sizeof(*follower));
    *follower = (struct follower){.api = api, .id = id, .offset = offset};
    code = follow(follower, err);
    if (code == ERR_OK)
        code = http_stream_open(match->request, response, on_closed, follower, &follower->stream, err);
    if (code != ERR_OK) {
        if (follower->subscriber != NULL)
            supervisor_unsubscribe(api->supervisor, follower->subscriber);
        free(follower);
    }
    return code;
}
