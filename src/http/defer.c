/* Defer: see defer.h. The library parks the connection (MHD_suspend_connection) and, once it is resumed, asks the handler
 * again as it did at the end of the body; request.c then finds the complete answer instead of asking for one. A connection
 * must never be parked twice, nor woken when it is not parked: hence the two flags. */
#include "http/deferred.h"
#include "http/request.h"
#include "os/socket.h"

#include <assert.h>
#include <stdlib.h>

enum err_code http_response_defer(const struct http_request *request, struct http_response *response,
                                  struct http_deferred **out, struct err *err)
{
    struct connection *connection = request->handle;
    assert(connection->deferred == NULL && connection->stream == NULL);
    struct http_deferred *deferred = calloc(1, sizeof *deferred);
    if (deferred == NULL)
        return err_nomem(err, sizeof *deferred);
    deferred->connection = connection;
    deferred->response =
        (struct http_response){.status = 200, .content_type = "application/json", .route = response->route};
    buffer_init(&deferred->response.body, connection->answer.max_bytes);
    connection->deferred = response->deferred = deferred;
    *out = deferred;
    return ERR_OK;
}

struct http_response *http_deferred_response(struct http_deferred *deferred)
{
    return &deferred->response;
}

static void destroy(struct http_deferred *deferred)
{
    buffer_release(&deferred->response.body);
    free(deferred);
}

void http_response_complete(struct http_deferred *deferred)
{
    struct connection *connection = deferred->connection;
    assert(!deferred->is_complete);
    if (connection == NULL) {
        destroy(deferred);
        return;
    }
    deferred->is_complete = true;
    if (!deferred->is_parked)
        return; /* still inside the handler */
    deferred->is_parked = false;
    MHD_resume_connection(connection->handle);
    connection->owner->is_due = true;
}

void deferred_park(struct http_deferred *deferred)
{
    assert(!deferred->is_parked && !deferred->is_complete);
    deferred->is_parked = true;
    connection_enter(deferred->connection, PHASE_WORKING, deferred->connection->owner->now_ms);
    MHD_suspend_connection(deferred->connection->handle);
}

void deferred_leave(struct connection *connection)
{
    struct http_deferred *deferred = connection->deferred;
    if (deferred == NULL)
        return;
    connection->deferred = NULL;
    deferred->connection = NULL;
    if (deferred->is_complete)
        destroy(deferred);
}

void deferred_cut(struct connection *connection)
{
    if (connection->deferred == NULL || !connection->deferred->is_parked)
        return;
    socket_cut(connection->socket);
    MHD_resume_connection(connection->handle);
    deferred_leave(connection);
}
