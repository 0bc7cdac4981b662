/* Connection: see connection.h. */
#include "http/connection.h"

#include "base/log.h"
#include "http/request.h"
#include "http/stream.h"
#include "limits.h"
#include "os/socket.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ANSWER_BYTES = 64 << 20, /* the largest answer a handler may write */
    KEPT_BYTES = 64 << 10,   /* of a buffer between two requests */
};

struct connection *connection_create(struct request_owner *owner, struct MHD_Connection *handle, int socket)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->owner = owner;
    connection->handle = handle;
    connection->socket = socket;
    buffer_init(&connection->body, LIMIT_BODY_BYTES);
    buffer_init(&connection->answer, ANSWER_BYTES);
    return connection;
}

/* Its answer has been taken, or will never be. */
static void let_answer_go(struct connection *connection)
{
    connection->owner->untaken_bytes -= connection->untaken_bytes;
    connection->untaken_bytes = 0;
}

void connection_destroy(struct connection *connection)
{
    assert(connection->stream == NULL && connection->deferred == NULL);
    let_answer_go(connection);
    buffer_release(&connection->body);
    buffer_release(&connection->answer);
    free(connection->refusal);
    free(connection);
}

void connection_enter(struct connection *connection, enum connection_phase phase, int64_t now_ms)
{
    connection->phase = phase;
    connection->phase_ms = now_ms;
}

bool connection_refuse(struct connection *connection, const struct err *err)
{
    if (connection->refusal != NULL)
        return true;
    connection->refusal = malloc(sizeof *connection->refusal);
    if (connection->refusal == NULL)
        return false;
    *connection->refusal = *err;
    return true;
}

static void empty(struct buffer *buffer)
{
    if (buffer->capacity_bytes > KEPT_BYTES)
        buffer_release(buffer);
    buffer_clear(buffer);
}

void connection_reset(struct connection *connection, int64_t now_ms)
{
    assert(connection->stream == NULL && connection->deferred == NULL);
    connection_enter(connection, PHASE_SILENT, now_ms);
    let_answer_go(connection);
    connection->has_headers = false;
    connection->received_bytes = 0;
    if (connection->refusal != NULL) {
        free(connection->refusal);
        connection->refusal = NULL;
    }
    empty(&connection->body);
    empty(&connection->answer);
}

/* A client that connects has as long for its first line as for the rest; later it may be quiet for longer. */
static int64_t phase_limit_ms(const struct connection *connection, struct connection_limits limits)
{
    switch (connection->phase) {
    case PHASE_SILENT:
        return connection->has_asked ? limits.idle_time_ms : limits.request_time_ms;
    case PHASE_ARRIVING:
        return limits.request_time_ms;
    default:
        return limits.idle_time_ms;
    }
}

/* Bytes and the end of the connection that arrive together are one event, and the library, having read the
 * bytes, may wait for another. */
static bool has_left(const struct connection *connection)
{
    return (connection->phase == PHASE_SILENT || connection->phase == PHASE_ARRIVING) &&
           socket_is_ended(connection->socket);
}

void connection_sweep(struct connection *first, struct connection_limits limits, int64_t now_ms)
{
    for (struct connection *connection = first; connection != NULL; connection = connection->next) {
        if (connection->phase == PHASE_STREAMING && !stream_is_stuck(connection->stream))
            connection->phase_ms = now_ms;
        if (connection->is_upgraded)
            continue;
        bool is_late = connection->phase != PHASE_WORKING &&
                       now_ms - connection->phase_ms > phase_limit_ms(connection, limits);
        if (!is_late && !has_left(connection))
            continue;
        if (is_late && connection->phase == PHASE_ARRIVING)
            log_line(LOG_INFO, "http", "dropping a client that takes more than %lld ms to send its request",
                     (long long)limits.request_time_ms);
        connection->phase_ms = now_ms; /* the library needs a round to find the hang-up */
        if (connection->phase == PHASE_STREAMING)
            stream_cut(connection->stream);
        else
            socket_cut(connection->socket);
    }
}

void connection_beat(struct connection *first)
{
    for (struct connection *connection = first; connection != NULL; connection = connection->next)
        if (connection->stream != NULL)
            stream_beat(connection->stream);
}
