/* Listener: see listener.h. This file holds the daemon and its place in the loop; acceptor.c holds how clients come in,
 * request.c what happens to one request, guard.c what a request must look like, connection.c the deadlines, stream.c the
 * queue of a stream.
 *
 * libmicrohttpd waits on an epoll set of its own, and that set is one descriptor in our loop. Two things it
 * does not show there: connections with bytes left over from the last round (MHD_get_timeout says 0) and
 * woken streams (`is_due`); the prepare hook runs it for those before the loop waits. Its internal thread is
 * not used: it stalls when epoll returns exactly as many events as it has room for. */
#include "http/listener.h"

#include "base/log.h"
#include "http/acceptor.h"
#include "http/connection.h"
#include "http/deferred.h"
#include "http/request.h"
#include "http/stream.h"
#include "limits.h"
#include "os/clock.h"
#include "os/socket.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_TIME_MS = 60000,
    SWEEP_MS = 1000,
    BEAT_MS = 15000,     /* below the minute after which proxies close a quiet connection */
    PREPARE_ROUNDS = 8,  /* before others have their turn */
    LOG_LINES_PER_S = 10 /* of the library, which reports what clients do wrong */
};

struct listener {
    struct request_owner owner; /* the part that requests use */
    struct acceptor acceptor;
    struct MHD_Daemon *daemon;
    struct loop_watch *watch;
    struct loop_timer *timer;
    struct connection *connections;
    size_t connection_count;
    struct connection_limits limits;
    uint16_t port;
    bool is_running; /* inside the library */
    int64_t beat_ms; /* when streams are given a sign of life next */
    int64_t log_ms;  /* start of the second that log_lines counts */
    int64_t log_lines;
};

PRINTF_LIKE(2, 0) static void on_log(void *context, const char *format, va_list arguments)
{
    struct listener *listener = context;
    char line[512];
    if (listener->owner.now_ms - listener->log_ms >= 1000) {
        listener->log_ms = listener->owner.now_ms;
        listener->log_lines = 0;
    }
    if (listener->log_lines++ >= LOG_LINES_PER_S)
        return;
    (void)vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    log_line(LOG_INFO, "http", "%s", line);
}

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static void link_connection(struct listener *listener, struct connection *connection)
{
    connection->next = listener->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    listener->connections = connection;
}

static void unlink_connection(struct listener *listener, struct connection *connection)
{
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        listener->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
}

static void open_connection(struct listener *listener, struct MHD_Connection *handle, void **context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = connection_create(&listener->owner, handle, info->connect_fd);
    listener->connection_count++;
    *context = connection;
    if (connection == NULL)
        return; /* request_begin finds NULL and closes */
    connection_enter(connection, PHASE_SILENT, listener->owner.now_ms);
    link_connection(listener, connection);
}

static void close_connection(struct listener *listener, void **context)
{
    struct connection *connection = *context;
    listener->connection_count--;
    acceptor_resume(&listener->acceptor); /* there is room, and a descriptor */
    if (connection == NULL)
        return;
    unlink_connection(listener, connection);
    connection_destroy(connection);
    *context = NULL;
}

static bool has_room(void *context)
{
    const struct listener *listener = context;
    return listener->connection_count < LIMIT_CONNECTIONS;
}

static void take_client(void *context, int client, const struct sockaddr *address, socklen_t address_bytes)
{
    struct listener *listener = context;
    listener->owner.now_ms = now_ms();
    (void)MHD_add_connection(listener->daemon, client, address,
                             address_bytes); /* it closes what it refuses */
}

static void on_connection(void *context, struct MHD_Connection *handle, void **connection_context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        open_connection(context, handle, connection_context);
    else
        close_connection(context, connection_context);
}

static void run(struct listener *listener)
{
    assert(!listener->is_running);
    listener->owner.is_due = false;
    listener->owner.now_ms = now_ms();
    listener->is_running = true;
    (void)MHD_run(listener->daemon); /* fails only when stopped */
    listener->is_running = false;
}

static void on_ready(void *context, unsigned events)
{
    (void)events;
    run(context);
}

static int64_t prepare(void *context)
{
    struct listener *listener = context;
    for (int round = 0; round < PREPARE_ROUNDS; round++) {
        MHD_UNSIGNED_LONG_LONG wait_ms = 0;
        bool is_bounded = MHD_get_timeout(listener->daemon, &wait_ms) == MHD_YES;
        if (!listener->owner.is_due && !is_bounded)
            return -1;
        if (!listener->owner.is_due && wait_ms > 0)
            return wait_ms > INT32_MAX ? INT32_MAX : (int64_t)wait_ms;
        run(listener);
    }
    return 0;
}

static void on_sweep(void *context)
{
    struct listener *listener = context;
    listener->owner.now_ms = now_ms();
    acceptor_resume(&listener->acceptor); /* descriptors come back from elsewhere too */
    connection_sweep(listener->connections, listener->limits, listener->owner.now_ms);
    if (listener->owner.now_ms < listener->beat_ms)
        return;
    listener->beat_ms = listener->owner.now_ms + BEAT_MS;
    connection_beat(listener->connections);
}

static enum err_code start_daemon(struct listener *listener, struct err *err)
{
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, listener}, /* first: the others are reported there */
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, LIMIT_HEADER_BYTES, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, LIMIT_CONNECTIONS + 1, NULL}, /* never reached: see has_room */
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, listener},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_begin, listener},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_completed, listener},
        {MHD_OPTION_END, 0, NULL},
    };
    listener->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                                            MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG,
                                        0, NULL, NULL, request_continue, listener, MHD_OPTION_ARRAY, options,
                                        MHD_OPTION_END);
    if (listener->daemon == NULL)
        return err_set(err, ERR_INTERNAL, "cannot start libmicrohttpd on port %u", (unsigned)listener->port);
    return ERR_OK;
}

static enum err_code join_loop(struct listener *listener, struct err *err)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int64_t sweep_ms = listener->limits.request_time_ms / 4;
    if (info == NULL || info->epoll_fd < 0)
        return err_set(err, ERR_INTERNAL,
                       "libmicrohttpd has no epoll descriptor: it was built without epoll");
    enum err_code code = loop_watch_add(listener->owner.loop, info->epoll_fd, LOOP_READ, on_ready, listener,
                                        &listener->watch, err);
    if (code != ERR_OK)
        return code;
    if (sweep_ms > SWEEP_MS)
        sweep_ms = SWEEP_MS;
    if (sweep_ms < 1)
        sweep_ms = 1;
    code =
        loop_timer_add(listener->owner.loop, sweep_ms, sweep_ms, on_sweep, listener, &listener->timer, err);
    if (code == ERR_OK)
        loop_set_prepare(listener->owner.loop, prepare, listener);
    return code;
}

static enum err_code start(struct listener *listener, struct listener_options options, struct err *err)
{
    int socket;
    enum err_code code = socket_listen(options.address, options.port, &socket, &listener->port, err);
    if (code == ERR_OK)
        code = acceptor_open(&listener->acceptor, listener->owner.loop, socket, err);
    if (code == ERR_OK)
        code = start_daemon(listener, err);
    if (code == ERR_OK)
        code = join_loop(listener, err);
    return code;
}

enum err_code listener_create(struct loop *loop, struct listener_options options, struct listener **out,
                              struct err *err)
{
    assert(options.handle != NULL && options.address != NULL);
    *out = NULL;
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return err_nomem(err, sizeof *listener);
    listener->owner.loop = loop;
    listener->owner.handle = options.handle;
    listener->owner.observe = options.observe;
    listener->owner.context = options.context;
    listener->owner.now_ms = now_ms();
    listener->acceptor =
        (struct acceptor){.socket = -1, .has_room = has_room, .take = take_client, .context = listener};
    (void)snprintf(listener->owner.address, sizeof listener->owner.address, "%s", options.address);
    listener->limits.request_time_ms =
        options.request_time_ms > 0 ? options.request_time_ms : LIMIT_REQUEST_TIME_MS;
    listener->limits.idle_time_ms = options.idle_time_ms > 0 ? options.idle_time_ms : IDLE_TIME_MS;
    listener->beat_ms = listener->owner.now_ms + BEAT_MS;
    enum err_code code = start(listener, options, err);
    if (code != ERR_OK) {
        listener_destroy(listener);
        return code;
    }
    *out = listener;
    return ERR_OK;
}

void listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    assert(!listener->is_running);
    acceptor_close(&listener->acceptor);
    if (listener->watch != NULL)
        loop_watch_remove(listener->owner.loop, listener->watch);
    if (listener->timer != NULL) {
        loop_timer_remove(listener->owner.loop, listener->timer);
        loop_set_prepare(listener->owner.loop, NULL, NULL);
    }
    /* the library must not be stopped with parked connections */
    for (struct connection *connection = listener->connections; connection != NULL;
         connection = connection->next) {
        if (connection->stream != NULL)
            stream_cut(connection->stream);
        deferred_cut(connection);
    }
    if (listener->daemon != NULL)
        MHD_stop_daemon(listener->daemon);
    assert(listener->connection_count == 0);
    free(listener);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

size_t listener_connection_count(const struct listener *listener)
{
    return listener->connection_count;
}
