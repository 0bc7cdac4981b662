/* Sockets: see socket.h. Addresses are digits only: a listener must not wait for a name server, and must not
 * bind somewhere else than what is written. */
#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, PROBE_AFTER_S = 30, PROBE_EVERY_S = 10, PROBES = 3 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static enum err_code parse_address(const char *text, uint16_t port, union address *out, socklen_t *out_bytes,
                                   struct err *err)
{
    memset(out, 0, sizeof *out);
    if (strcmp(text, "localhost") == 0)
        text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        *out_bytes = sizeof out->v4;
        return ERR_OK;
    }
    if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        *out_bytes = sizeof out->v6;
        return ERR_OK;
    }
    return err_set(err, ERR_INVALID,
                   "cannot listen on '%s': not an IP address; write one as digits, e.g. 127.0.0.1", text);
}

/* The error of a failed bind or listen, in the words of whoever chose address and port. */
static enum err_code refuse(int errno_value, const char *address, uint16_t port, struct err *err)
{
    switch (errno_value) {
    case EADDRINUSE:
        return err_set(
            err, ERR_BUSY,
            "cannot listen on '%s' port %u: another program has this port; stop it or choose another",
            address, (unsigned)port);
    case EADDRNOTAVAIL:
        return err_set(err, ERR_INVALID, "cannot listen on '%s': not an address of this machine", address);
    default:
        return err_set_errno(err, errno_value, "cannot listen on '%s' port %u", address, (unsigned)port);
    }
}

enum err_code socket_listen(const char *address, uint16_t port, int *out, uint16_t *out_port, struct err *err)
{
    union address where;
    socklen_t size_bytes = 0;
    enum err_code code = parse_address(address, port, &where, &size_bytes, err);
    if (code != ERR_OK)
        return code;
    int on = 1;
    int descriptor = socket(where.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot make a socket for '%s'", address);
    /* a restart must not wait for the closed connections of the last run; two listeners still cannot share a
     * port */
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(descriptor, &where.any, size_bytes) != 0 || listen(descriptor, BACKLOG) != 0 ||
        getsockname(descriptor, &where.any, &size_bytes) != 0) {
        code = refuse(errno, address, port, err);
        close(descriptor);
        return code;
    }
    *out = descriptor;
    *out_port = ntohs(where.any.sa_family == AF_INET ? where.v4.sin_port : where.v6.sin6_port);
    return ERR_OK;
}

void socket_cut(int descriptor)
{
    /* fails only when the peer has gone already, which is what is wanted */
    (void)shutdown(descriptor, SHUT_RDWR);
}

bool socket_is_ended(int descriptor)
{
    char byte;
    return recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void socket_keep_alive(int descriptor)
{
    int on = 1, after_s = PROBE_AFTER_S, every_s = PROBE_EVERY_S, probes = PROBES;
    /* best effort: without it a vanished peer costs one descriptor until the next event */
    (void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &after_s, sizeof after_s);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}
