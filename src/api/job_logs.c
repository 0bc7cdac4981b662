/* /api/jobs/{id}/logs: the log of a job, live as server-sent events, and as it is: lines from any place, a search, the whole
 * of it. What is live comes from the supervisor on the loop's thread; the rest reads files, on the pool. */
#include "api/api.h"

#include "base/time.h"
#include "http/defer.h"
#include "job/log_reader.h"
#include "limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err);                                                                     \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

/* the newest lines are looked for on the loop's thread, hence few */
enum {
    TAIL_LIMIT = 10000,
    LINES_LIMIT = 10000,
    LINES_DEFAULT = 1000,
    SEARCH_LIMIT = 1000,
    SEARCH_DEFAULT = 100
};
enum { WHAT_BYTES = 256, PAGE_BYTES = 4 << 20 };

static enum err_code open_log(const char *path, bool is_final, struct log_reader *out, struct err *err)
{
    enum err_code code = log_reader_open(path, LIMIT_JOB_LOG_BYTES, out, err);
    out->takes_rest = is_final;
    return code;
}

/* ---- live ---- */

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

/* Where the last `tail` lines begin. */
static enum err_code find_tail(const struct api *api, int64_t id, int64_t tail, int64_t *out, struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct log_reader reader;
    enum err_code code = log_reader_path(api->store->logs, id, path, err);
    if (code == ERR_OK)
        code = open_log(path, false, &reader, err);
    return code == ERR_OK ? log_reader_tail(&reader, (size_t)tail, out, err) : code;
}

/* Where to begin: where an EventSource that reconnects says it was, the query, the newest lines. */
static enum err_code read_offset(const struct api *api, const struct http_request *request, int64_t id,
                                 int64_t *out, struct err *err)
{
    int64_t fallback = 0, tail;
    const char *last = http_request_header(request, "Last-Event-ID");
    if (last != NULL && (!text_parse_i64(text_of(last), &fallback) || fallback < 0))
        return err_set_field(err, ERR_INVALID, "Last-Event-ID", "'%s' is not a byte offset", last);
    enum err_code code = api_query_i64(request, "tail", -1, 0, TAIL_LIMIT, &tail, err);
    if (code == ERR_OK)
        code = api_query_i64(request, "offset", fallback, 0, INT64_MAX, out, err);
    if (code != ERR_OK || tail < 0 || last != NULL)
        return code;
    if (http_request_query(request, "offset") != NULL)
        return err_set_field(err, ERR_INVALID, "tail", "give an offset or a tail, not both");
    return find_tail(api, id, tail, out, err);
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
        code = read_offset(api, match->request, id, &offset, err);
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

/* ---- as it is ---- */

/* A question on its way to the pool and back. */
struct question {
    enum err_code (*answer)(struct question *question, struct http_response *response, struct err *err);
    struct http_deferred *deferred;
    char path[FILE_PATH_BYTES], what[WHAT_BYTES];
    int64_t id, offset, tail, limit; /* tail -1: not asked for */
    bool is_final;                   /* the job has ended */
};

static void work(void *context)
{
    struct question *question = context;
    struct http_response *response = http_deferred_response(question->deferred);
    struct err err = {0};
    enum err_code code = question->answer(question, response, &err);
    if (code == ERR_OK)
        code = buffer_check(&response->body, "the answer", &err);
    if (code != ERR_OK) {
        err.code = code;
        http_respond_error(response, &err);
    }
}

static void done(void *context)
{
    struct question *question = context;
    http_response_complete(question->deferred);
    free(question);
}

static enum err_code read_question(const struct api *api, const struct route_match *match,
                                   struct question *question, struct err *err)
{
    struct job_row job;
    enum err_code code = api_path_id(match, 0, &question->id, err);
    if (code == ERR_OK)
        code = job_store_get(api->store->db, question->id, &job, err);
    if (code == ERR_OK)
        code = log_reader_path(api->store->logs, question->id, question->path, err);
    question->is_final = code == ERR_OK && job_state_is_final(job.state);
    return code;
}

/* Takes the question; `code` is what reading it gave. */
static enum err_code submit(struct api *api, enum err_code code, const struct route_match *match,
                            struct question *question, struct http_response *response, struct err *err)
{
    if (code == ERR_OK)
        code = http_response_defer(match->request, response, &question->deferred, err);
    if (code != ERR_OK) {
        free(question);
        return code;
    }
    code = pool_submit(api->pool, api->loop, work, done, question, err);
    if (code != ERR_OK) /* the error is the answer; completing only frees */
        done(question);
    return code;
}

struct page {
    struct json_writer *out;
    struct buffer text;
    int64_t left, next;
    size_t size_bytes;
};

/* Copied for its end: a writer of JSON takes texts with a zero. */
static void write_text(struct page *page, const char *key, struct text text)
{
    buffer_clear(&page->text);
    buffer_append(&page->text, text.data, text.size_bytes);
    buffer_append_char(&page->text, '\0');
    json_field_text(page->out, key, buffer_text(&page->text));
}

static void write_line(struct page *page, const struct log_line *line, bool with_next)
{
    json_begin_object(page->out);
    json_field_i64(page->out, "offset", line->offset);
    if (with_next)
        json_field_i64(page->out, "next", line->next);
    if (line->at.size_bytes > 0)
        write_text(page, "at", line->at);
    else
        json_field_null(page->out, "at");
    write_text(page, "text", line->text);
    json_end_object(page->out);
}

static bool page_line(void *context, const struct log_line *line)
{
    struct page *page = context;
    if (page->left == 0)
        return false;
    write_line(page, line, true);
    page->next = line->next;
    page->left--;
    page->size_bytes += line->text.size_bytes;
    return page->left > 0 && page->size_bytes < PAGE_BYTES;
}

static enum err_code answer_lines(struct question *question, struct http_response *response, struct err *err)
{
    struct json_writer out;
    struct log_reader reader;
    struct page page = {.out = &out, .left = question->limit};
    enum err_code code = open_log(question->path, question->is_final, &reader, err);
    if (code == ERR_OK && question->tail >= 0)
        code = log_reader_tail(&reader, (size_t)question->tail, &question->offset, err);
    if (code != ERR_OK)
        return code;
    if (question->offset > log_reader_end(&reader))
        return err_set_field(err, ERR_INVALID, "offset",
                             "offset %" PRId64 " is behind the end of the log of job %" PRId64
                             ", which is at %" PRId64,
                             question->offset, question->id, log_reader_end(&reader));
    page.next = question->offset;
    buffer_init(&page.text, LIMIT_BODY_BYTES);
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "lines");
    json_begin_array(&out);
    code = log_reader_lines(&reader, question->offset, page_line, &page, err);
    json_end_array(&out);
    json_field_i64(&out, "next_offset", page.next);
    json_field_i64(&out, "size_bytes", log_reader_end(&reader));
    json_field_bool(&out, "is_final", question->is_final && page.next >= log_reader_end(&reader));
    json_end_object(&out);
    buffer_release(&page.text);
    return code;
}

HANDLER(api_job_log_lines)
{
    struct api *api = context;
    struct question *question = calloc(1, sizeof(*question));
    if (question == NULL)
        return err_nomem(err, sizeof(*question));
    question->answer = answer_lines;
    enum err_code code = read_question(api, match, question, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "offset", 0, 0, INT64_MAX, &question->offset, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "tail", -1, 0, LINES_LIMIT, &question->tail, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", LINES_DEFAULT, 1, LINES_LIMIT, &question->limit, err);
    if (code == ERR_OK && question->tail >= 0 && http_request_query(match->request, "offset") != NULL)
        code = err_set_field(err, ERR_INVALID, "tail", "give an offset or a tail, not both");
    return submit(api, code, match, question, response, err);
}

static bool one_line(void *context, const struct log_line *line)
{
    write_line(context, line, false);
    return false;
}

static enum err_code answer_search(struct question *question, struct http_response *response, struct err *err)
{
    struct json_writer out;
    struct log_reader reader;
    struct page page = {.out = &out};
    int64_t offsets[SEARCH_LIMIT];
    size_t count = 0;
    bool has_more = false;
    enum err_code code = open_log(question->path, question->is_final, &reader, err);
    if (code == ERR_OK)
        code = log_reader_search(&reader, question->what, question->offset, offsets, (size_t)question->limit,
                                 &count, &has_more, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&page.text, LIMIT_BODY_BYTES);
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "lines");
    json_begin_array(&out);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = log_reader_lines(&reader, offsets[i], one_line, &page, err);
    json_end_array(&out);
    json_field_bool(&out, "more", has_more);
    json_end_object(&out);
    buffer_release(&page.text);
    return code;
}

HANDLER(api_job_log_search)
{
    struct api *api = context;
    const char *what = http_request_query(match->request, "q");
    struct question *question = calloc(1, sizeof(*question));
    if (question == NULL)
        return err_nomem(err, sizeof(*question));
    question->answer = answer_search;
    enum err_code code = read_question(api, match, question, err);
    if (code == ERR_OK && (what == NULL || what[0] == '\0'))
        code = err_set_field(err, ERR_INVALID, "q", "say what to look for: q=text");
    if (code == ERR_OK && !text_copy(text_of(what), question->what, sizeof(question->what)))
        code = err_set_field(err, ERR_INVALID, "q", "the text is longer than %d bytes", WHAT_BYTES - 1);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", SEARCH_DEFAULT, 1, SEARCH_LIMIT, &question->limit, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "before", 0, 0, INT64_MAX, &question->offset, err);
    return submit(api, code, match, question, response, err);
}

static enum err_code answer_download(struct question *question, struct http_response *response,
                                     struct err *err)
{
    struct log_reader reader;
    enum { SLICE_BYTES = 1 << 20 };
    int64_t offset = 0;
    size_t got = 1;
    enum err_code code = open_log(question->path, question->is_final, &reader, err);
    while (code == ERR_OK && got > 0) {
        size_t before = response->body.size_bytes;
        char *room = buffer_extend(&response->body, SLICE_BYTES);
        if (room == NULL)
            break; /* the caller looks at the body */
        code = log_reader_read(&reader, &offset, room, SLICE_BYTES, &got, err);
        response->body.size_bytes = before + got;
        offset += (int64_t)got;
    }
    response->content_type = "text/plain; charset=utf-8";
    (void)snprintf(response->attachment, sizeof(response->attachment), "job-%" PRId64 ".log", question->id);
    return code;
}

HANDLER(api_job_log_download)
{
    struct api *api = context;
    struct question *question = calloc(1, sizeof(*question));
    if (question == NULL)
        return err_nomem(err, sizeof(*question));
    question->answer = answer_download;
    enum err_code code = read_question(api, match, question, err);
    return submit(api, code, match, question, response, err);
}
