/* Acceptor: takes clients from a listening socket while there is room for them. Inside http/ only.
 *
 * It pauses when there is no room and when accept() finds no descriptor or no memory; whoever knows that something has
 * become free resumes it, and doing so too often costs nothing. Clients that wait meanwhile are the kernel's. Threads: the
 * loop's. */
#ifndef ALMANAC_HTTP_ACCEPTOR_H
#define ALMANAC_HTTP_ACCEPTOR_H

#include "base/err.h"
#include "os/loop.h"

#include <stdbool.h>
#include <sys/socket.h>

struct acceptor {
    struct loop *loop;
    int socket;               /* that listens, its own; -1: none */
    struct loop_watch *watch; /* NULL: it pauses */
    bool is_short;            /* the last accept() found no descriptor, or no memory */
    bool (*has_room)(void *context);
    void (*take)(void *context, int client, const struct sockaddr *address, socklen_t address_bytes);
    void *context;
};

/* Begins; the socket does not block, and is closed by acceptor_close also after an error. */
enum err_code acceptor_open(struct acceptor *acceptor, struct loop *loop, int socket,
                            struct err *err) CHECKED;
void acceptor_resume(struct acceptor *acceptor);
void acceptor_close(struct acceptor *acceptor);

#endif
