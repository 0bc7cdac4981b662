/* Acceptor: see acceptor.h. libmicrohttpd has one of its own, which is not used: once accept() has found no descriptor it
 * does not listen again before one of its own connections is closed. Descriptors also go to WebSockets, children and files,
 * and come back from there, while one event stream that stays open would keep everybody out for ever; and without any
 * connection it would try again without pause. */
#include "http/acceptor.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { ROUND_CLIENTS = 64 }; /* before others have their turn */

static void on_clients(void *context, unsigned events);

static enum err_code watch(struct acceptor *acceptor, struct err *err)
{
    return loop_watch_add(acceptor->loop, acceptor->socket, LOOP_READ, on_clients, acceptor, &acceptor->watch,
                          err);
}

static void pause_accepting(struct acceptor *acceptor)
{
    loop_watch_remove(acceptor->loop, acceptor->watch);
    acceptor->watch = NULL;
}

/* Clients that left before they were taken are no failure. */
static void fail(struct acceptor *acceptor, int failure)
{
    if (failure != EMFILE && failure != ENFILE && failure != ENOMEM && failure != ENOBUFS)
        return;
    if (!acceptor->is_short)
        log_line(LOG_WARN, "http", "new clients wait: %s", strerrordesc_np(failure));
    acceptor->is_short = true;
    pause_accepting(acceptor);
}

static void on_clients(void *context, unsigned events)
{
    struct acceptor *acceptor = context;
    (void)events;
    for (int round = 0; round < ROUND_CLIENTS; round++) {
        struct sockaddr_storage address;
        socklen_t address_bytes = sizeof address;
        if (!acceptor->has_room(acceptor->context)) {
            pause_accepting(acceptor);
            return;
        }
        int client = accept4(acceptor->socket, (struct sockaddr *)&address, &address_bytes,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) {
            fail(acceptor, errno);
            return;
        }
        acceptor->is_short = false;
        acceptor->take(acceptor->context, client, (struct sockaddr *)&address, address_bytes);
    }
}

enum err_code acceptor_open(struct acceptor *acceptor, struct loop *loop, int socket, struct err *err)
{
    acceptor->loop = loop;
    acceptor->socket = socket;
    return watch(acceptor, err);
}

void acceptor_resume(struct acceptor *acceptor)
{
    struct err err = {0};
    bool is_open = acceptor->socket >= 0;
    if (is_open && acceptor->watch == NULL && watch(acceptor, &err) != ERR_OK)
        log_line(LOG_WARN, "http", "new clients wait: %s", err.text);
}

void acceptor_close(struct acceptor *acceptor)
{
    if (acceptor->watch != NULL)
        pause_accepting(acceptor);
    if (acceptor->socket >= 0)
        close(acceptor->socket);
    acceptor->socket = -1;
}
