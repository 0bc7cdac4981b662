/* /api/jobs: list, one, live log, stop. */
#include "api/api.h"

#include "base/time.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define HANDLER(name)                                                                                                  \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response, struct err *err);   \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response, struct err *err)

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

HANDLER(api_jobs_list)
{
    struct api *api = context;
    int64_t limit, before;
    enum err_code code = api_query_i64(match->request, "limit", JOBS_LIMIT_DEFAULT, 1, JOBS_LIMIT, &limit, err);
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

/* A client that follows a log. Freed when its stream is closed. */
struct follower {
    struct api *api;
    struct http_stream *stream;
    struct log_subscriber *subscriber;
    bool is_ended;
};

static void on_line(void *context, int64_t next_offset, const char *text, size_t size_bytes)
{
    struct follower *follower = context;
    http_stream_event(follower->stream, next_offset, "log", text, size_bytes);
}

static void on_end(void *context, enum job_state state)
{
    struct follower *follower = context;
    const char *name = job_state_name(state);
    follower->subscriber = NULL;
    follower->is_ended = true;
    http_stream_event(follower->stream, -1, "end", name, strlen(name));
    http_stream_end(follower->stream);
}

static void on_closed(void *context)
{
    struct follower *follower = context;
    if (follower->subscriber != NULL)
        supervisor_unsubscribe(follower->api->supervisor, follower->subscriber);
    free(follower);
}

HANDLER(api_job_logs)
{
    struct api *api = context;
    struct job_row job;
    int64_t id, offset, fallback = 0;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = job_store_get(api->store->db, id, &job, err);
    /* an EventSource that reconnects says where it was */
    const char *last = http_request_header(match->request, "Last-Event-ID");
    if (code == ERR_OK && last != NULL && (!text_parse_i64(text_of(last), &fallback) || fallback < 0))
        code = err_set_field(err, ERR_INVALID, "Last-Event-ID", "'%s' is not a byte offset", last);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "offset", fallback, 0, INT64_MAX, &offset, err);
    if (code != ERR_OK)
        return code;
    struct follower *follower = calloc(1, sizeof(*follower));
    if (follower == NULL)
        return err_nomem(err, sizeof(*follower));
    follower->api = api;
    code = http_stream_open(match->request, response, on_closed, follower, &follower->stream, err);
    if (code != ERR_OK) {
        free(follower);
        return code;
    }
    struct log_subscriber *subscriber = NULL;
    code = supervisor_subscribe(api->supervisor, id, offset, on_line, on_end, follower, &subscriber, err);
    if (code == ERR_OK && !follower->is_ended)
        follower->subscriber = subscriber;
    return code; /* an error ends the stream, and on_closed frees the follower */
}
