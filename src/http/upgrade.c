/* Upgrade: see upgrade.h. */
#include "http/upgrade.h"

#include "base/log.h"
#include "http/request.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { FIRST_DESCRIPTOR = 3 }; /* never one of the standard streams */

void http_upgrade_open(const struct http_request *request, struct http_response *response,
                       struct http_upgrade upgrade)
{
    struct connection *connection = request->handle;
    assert(connection->upgrade.done == NULL && connection->stream == NULL && connection->deferred == NULL);
    connection->upgrade = upgrade;
    response->status = 101;
    response->content_type = NULL;
    http_response_header(response, "Upgrade", upgrade.protocol);
}

static void finish(struct connection *connection, int socket, const void *early, size_t early_bytes)
{
    struct http_upgrade upgrade = connection->upgrade;
    connection->upgrade = (struct http_upgrade){0};
    upgrade.done(upgrade.context, upgrade.id, socket, early, early_bytes);
}

static void on_upgrade(void *context, struct MHD_Connection *handle, void *request_context, const char *early,
                       size_t early_bytes, MHD_socket socket, struct MHD_UpgradeResponseHandle *half)
{
    struct connection *connection = context;
    int own = fcntl(socket, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    (void)handle;
    (void)request_context;
    if (own < 0)
        log_line(LOG_WARN, "http", "cannot take over a connection: %s", strerror(errno));
    connection->is_upgraded = true; /* cutting it would cut the other half */
    (void)MHD_upgrade_action(half, MHD_UPGRADE_ACTION_CLOSE);
    connection->owner->is_due = true;
    finish(connection, own, early, early_bytes);
}

struct MHD_Response *upgrade_answer(struct connection *connection)
{
    return MHD_create_response_for_upgrade(on_upgrade, connection);
}

void upgrade_leave(struct connection *connection)
{
    if (connection->upgrade.done != NULL)
        finish(connection, -1, NULL, 0);
}
