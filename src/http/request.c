/* Request: see request.h. libmicrohttpd calls request_continue at least twice: an answer given in the first
 * call closes the connection (the library does not know where the next request starts), so everything that
 * leaves the body's end clear is answered in the last call, after the body. A refused body is thrown away up
 * to DRAIN_BYTES: closing while the client still sends would reset the connection, and the client might never
 * see the 413. */
#include "http/request.h"

#include "base/log.h"
#include "http/deferred.h"
#include "http/guard.h"
#include "http/router.h"
#include "http/stream.h"
#include "http/upgrade.h"
#include "limits.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/socket.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAIN_BYTES = 16 * LIMIT_BODY_BYTES,
    STREAM_BLOCK_BYTES = 4096, /* read at a time for HTTP/1.0, where no chunks are sent */
    RELEASE_TIME_S = 1,        /* any limit that is not the daemon's */
    SMALL_ANSWER_BYTES = 64 << 10,
};

const char *http_request_query(const struct http_request *request, const char *name)
{
    const struct connection *connection = request->handle;
    const char *value = NULL;
    size_t size_bytes;
    if (MHD_lookup_connection_value_n(connection->handle, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value,
                                      &size_bytes) == MHD_NO)
        return NULL;
    return value == NULL ? "" : value; /* "?name" without '=' is there, and empty */
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    const struct connection *connection = request->handle;
    return MHD_lookup_connection_value(connection->handle, MHD_HEADER_KIND, name);
}

/* --- streams --- */

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t max_bytes)
{
    struct connection *connection = context;
    (void)position;
    ptrdiff_t taken = stream_take(connection->stream, out, max_bytes);
    switch (taken) {
    case STREAM_PARK:
        MHD_suspend_connection(connection->handle);
        return 0;
    case STREAM_DONE:
        return MHD_CONTENT_READER_END_OF_STREAM;
    case STREAM_LOST:
        return MHD_CONTENT_READER_END_WITH_ERROR;
    default:
        return taken;
    }
}

static void wake_connection(void *context)
{
    struct connection *connection = context;
    MHD_resume_connection(connection->handle);
    connection->owner->is_due = true;
}

static void drop_connection(void *context)
{
    struct connection *connection = context;
    socket_cut(connection->socket);
}

static void on_hangup(void *context, unsigned events)
{
    struct connection *connection = context;
    struct http_stream *stream = connection->stream;
    (void)events;
    loop_watch_remove(connection->owner->loop, stream->hangup); /* it would be reported for ever */
    stream->hangup = NULL;
    stream_cut(stream);
}

enum err_code http_stream_open(const struct http_request *request, struct http_response *response,
                               void (*closed)(void *context), void *context, struct http_stream **out,
                               struct err *err)
{
    struct connection *connection = request->handle;
    assert(connection->stream == NULL); /* one stream per request */
    struct http_stream *stream = stream_create();
    if (stream == NULL)
        return err_nomem(err, sizeof *stream);
    enum err_code code = loop_watch_add(connection->owner->loop, connection->socket, LOOP_HANGUP, on_hangup,
                                        connection, &stream->hangup, err);
    if (code != ERR_OK) {
        stream_destroy(stream);
        return code;
    }
    socket_keep_alive(connection->socket);
    stream->wake = wake_connection;
    stream->drop = drop_connection;
    stream->connection = connection;
    stream->closed = closed;
    stream->closed_context = context;
    connection->stream = response->stream = stream;
    response->content_type = "text/event-stream";
    *out = stream;
    return ERR_OK;
}

static void close_stream(struct connection *connection)
{
    struct http_stream *stream = connection->stream;
    if (stream == NULL)
        return;
    connection->stream = NULL;
    if (stream->hangup != NULL)
        loop_watch_remove(connection->owner->loop, stream->hangup);
    stream->closed(stream->closed_context);
    stream_destroy(stream);
}

/* --- answers --- */

static bool add_header(struct MHD_Response *answer, const char *name, const char *value)
{
    return MHD_add_response_header(answer, name, value) == MHD_YES;
}

/* A name of ours, or part of one: what could end the quotes is not written. */
static bool add_attachment(struct MHD_Response *answer, const char *name)
{
    char value[160];
    if (name[0] == '\0')
        return true;
    (void)snprintf(value, sizeof value, "attachment; filename=\"%s\"", name);
    assert(strpbrk(name, "\"\\\r\n") == NULL);
    return add_header(answer, "Content-Disposition", value);
}

static bool add_headers(struct MHD_Response *answer, const struct http_response *response, bool closes)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (!add_header(answer, response->headers[i].name, response->headers[i].value))
            return false;
    return add_attachment(answer, response->attachment) &&
           (response->content_type == NULL || add_header(answer, "Content-Type", response->content_type)) &&
           (response->stream == NULL || add_header(answer, "Cache-Control", "no-cache")) &&
           (response->allow[0] == '\0' || add_header(answer, "Allow", response->allow)) &&
           (response->accept[0] == '\0' || add_header(answer, "Sec-WebSocket-Accept", response->accept)) &&
           (!closes || add_header(answer, "Connection", "close"));
}

/* The body is lent, not copied: it stays in connection->answer until request_completed, or where it was borrowed. */
static struct MHD_Response *lend_body(const struct connection *connection,
                                      const struct http_response *response)
{
    const void *data = response->borrowed != NULL ? response->borrowed : buffer_text(&connection->answer);
    size_t size_bytes = response->borrowed != NULL ? response->borrowed_bytes : connection->answer.size_bytes;
    return MHD_create_response_from_buffer(size_bytes, (void *)(uintptr_t)data, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *make_answer(struct connection *connection, const struct http_response *response)
{
    if (response->stream != NULL)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream,
                                                 connection, NULL);
    return response->status == 101 ? upgrade_answer(connection) : lend_body(connection, response);
}

static enum MHD_Result send_answer(struct connection *connection, const struct http_response *response,
                                   bool closes)
{
    struct MHD_Response *answer = make_answer(connection, response);
    if (answer == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (add_headers(answer, response, closes)) {
        connection_enter(connection, response->stream != NULL ? PHASE_STREAMING : PHASE_ANSWERING,
                         connection->owner->now_ms);
        connection->untaken_bytes = connection->answer.size_bytes;
        connection->owner->untaken_bytes += connection->untaken_bytes;
        result = MHD_queue_response(connection->handle, (unsigned)response->status, answer);
    }
    MHD_destroy_response(answer);
    if (connection->owner->observe != NULL)
        connection->owner->observe(connection->owner->context, response,
                                   clock_monotonic_us() - connection->began_us);
    return result;
}

/* The response writes into the connection's own buffer, given back by take_back. */
static struct http_response lend_buffer(struct connection *connection)
{
    return (struct http_response){
        .status = 200, .content_type = "application/json", .body = connection->answer};
}

static void take_back(struct connection *connection, struct http_response *response)
{
    connection->answer = response->body;
    response->body = (struct buffer){0};
}

static enum MHD_Result answer_error(struct connection *connection, const struct err *err, bool closes)
{
    struct http_response response = lend_buffer(connection);
    http_respond_error(&response, err);
    take_back(connection, &response);
    return send_answer(connection, &response, closes);
}

/* Large answers wait in memory for clients that take their time; when there are too many, the next is refused. */
static void check_answer(struct connection *connection, struct http_response *response)
{
    struct err err;
    size_t size_bytes = response->body.size_bytes;
    assert((response->status >= 200 && response->status <= 599) || response->status == 101);
    if (response->stream == NULL && buffer_check(&response->body, "the answer", &err) != ERR_OK) {
        err.code = ERR_INTERNAL; /* "too large" would blame the request */
        http_respond_error(response, &err);
    } else if (size_bytes > SMALL_ANSWER_BYTES &&
               connection->owner->untaken_bytes + size_bytes > LIMIT_UNTAKEN_BYTES) {
        (void)err_set(&err, ERR_BUSY, "too many clients have not taken their large answers yet: try again");
        buffer_release(&response->body);
        http_respond_error(response, &err);
    }
}

/* Asked once by the handler's return and once when the library has the connection back. */
static enum MHD_Result answer_deferred(struct connection *connection)
{
    struct http_deferred *deferred = connection->deferred;
    if (!deferred->is_complete) {
        if (!deferred->is_parked)
            deferred_park(deferred);
        return MHD_YES;
    }
    struct http_response *response = &deferred->response;
    check_answer(connection, response);
    buffer_release(&connection->answer);
    take_back(connection, response);
    enum MHD_Result result = send_answer(connection, response, false);
    deferred_leave(connection);
    return result;
}

static enum MHD_Result answer_request(struct connection *connection, const char *path, const char *method,
                                      const char *version)
{
    struct request_owner *owner = connection->owner;
    struct http_request request = {
        .method = method,
        .path = path,
        .body = buffer_text(&connection->body),
        .body_bytes = connection->body.size_bytes,
        .is_http_1_1 = strcmp(version, "HTTP/1.0") != 0,
        .handle = connection,
    };
    struct http_response response = lend_buffer(connection);
    owner->handle(owner->context, &request, &response);
    if (response.deferred != NULL) {
        take_back(connection, &response);
        return answer_deferred(connection);
    }
    deferred_leave(connection); /* deferred, and then the response became something else */
    check_answer(connection, &response);
    if (response.stream != NULL && strcmp(method, "HEAD") == 0)
        response.stream = NULL; /* the library would send the end of a body that HEAD does not have */
    take_back(connection, &response);
    if (response.stream == NULL)
        close_stream(connection); /* opened, and then the response became something else */
    if (response.status != 101)
        upgrade_leave(connection);
    return send_answer(connection, &response, false);
}

/* --- arrival --- */

/* False when the request can only be dropped. */
static bool refuse_later(struct connection *connection, const struct err *err)
{
    buffer_clear(&connection->body);
    return connection_refuse(connection, err);
}

void *request_begin(void *listener, const char *target, struct MHD_Connection *handle)
{
    (void)listener;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info == NULL ? NULL : info->socket_context;
    struct err err;
    if (connection == NULL)
        return NULL; /* there was no memory for it; request_continue closes */
    connection_enter(connection, PHASE_ARRIVING, connection->owner->now_ms);
    connection->has_asked = true;
    if (connection->owner->observe != NULL)
        connection->began_us = clock_monotonic_us();
    if (guard_check_target(target, &err) != ERR_OK && !refuse_later(connection, &err))
        return NULL;
    return connection;
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    guard_take_header(context, name, value);
    return MHD_YES;
}

/* Everything that is wrong although it is clear where the body ends. ERR_OK: hand it to the handler. */
static enum err_code judge(struct connection *connection, const struct guard *guard, const char *path,
                           const char *method, const char *version, int64_t length_bytes, struct err *err)
{
    bool only_reads = (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) && !guard->upgrades;
    if (connection->refusal != NULL) {
        *err = *connection->refusal;
        return err->code;
    }
    enum err_code code = guard_check_access(guard, connection->owner->address, only_reads,
                                            strcmp(version, "HTTP/1.0") != 0, err);
    if (code == ERR_OK)
        code = guard_check_path(path, err);
    if (code == ERR_OK && length_bytes > LIMIT_BODY_BYTES)
        code = err_set(err, ERR_TOO_LARGE, "the body has %" PRId64 " bytes, at most %d are read",
                       length_bytes, LIMIT_BODY_BYTES);
    return code;
}

static enum MHD_Result take_headers(struct connection *connection, const char *path, const char *method,
                                    const char *version)
{
    struct guard guard = {0};
    struct err err;
    int64_t length_bytes;
    connection->has_headers = true;
    (void)MHD_get_connection_values(connection->handle, MHD_HEADER_KIND, take_header, &guard);
    if (guard_check_framing(&guard, &length_bytes, &err) != ERR_OK)
        return answer_error(connection, &err, true);
    if (judge(connection, &guard, path, method, version, length_bytes, &err) == ERR_OK)
        return MHD_YES;
    if (guard.expects_continue || length_bytes > DRAIN_BYTES) /* better no body at all */
        return answer_error(connection, &err, true);
    return refuse_later(connection, &err) ? MHD_YES : MHD_NO;
}

static enum MHD_Result take_body(struct connection *connection, const char *data, size_t size_bytes)
{
    struct err err;
    connection->received_bytes += size_bytes;
    if (connection->received_bytes > DRAIN_BYTES) {
        log_line(LOG_INFO, "http", "dropping a client that sends a body without end");
        return MHD_NO; /* no answer can be given in the middle of a body */
    }
    if (connection->refusal != NULL)
        return MHD_YES;
    buffer_append(&connection->body, data, size_bytes);
    if (buffer_check(&connection->body, "the body", &err) == ERR_OK)
        return MHD_YES;
    return refuse_later(connection, &err) ? MHD_YES : MHD_NO;
}

enum MHD_Result request_continue(void *listener, struct MHD_Connection *handle, const char *path,
                                 const char *method, const char *version, const char *data,
                                 size_t *size_bytes, void **context)
{
    (void)listener;
    (void)handle;
    struct connection *connection = *context;
    if (connection == NULL)
        return MHD_NO;
    if (!connection->has_headers)
        return take_headers(connection, path, method, version);
    if (*size_bytes > 0) {
        size_t taken_bytes = *size_bytes;
        *size_bytes = 0;
        return take_body(connection, data, taken_bytes);
    }
    if (connection->deferred != NULL)
        return answer_deferred(connection);
    if (connection->refusal != NULL)
        return answer_error(connection, connection->refusal, connection->refusal->code == ERR_TOO_LARGE);
    return answer_request(connection, path, method, version);
}

/* A connection that the library closes on a handler's word (a stream that was cut, a body without end) it frees only
 * when it comes past it again, and it comes past the oldest ones alone, up to the first that is open: one quiet old
 * client would keep all who left after him. It comes past every connection that has a time limit of its own. */
static void hasten_release(struct connection *connection)
{
    (void)MHD_set_connection_option(connection->handle, MHD_CONNECTION_OPTION_TIMEOUT, RELEASE_TIME_S);
    connection->owner->is_due = true;
}

void request_completed(void *listener, struct MHD_Connection *handle, void **context,
                       enum MHD_RequestTerminationCode how)
{
    (void)listener;
    (void)handle;
    struct connection *connection = *context;
    if (connection == NULL)
        return;
    if (how == MHD_REQUEST_TERMINATED_WITH_ERROR)
        hasten_release(connection);
    close_stream(connection);
    deferred_leave(connection);
    upgrade_leave(connection);
    connection_reset(connection, connection->owner->now_ms);
    *context = NULL;
}
