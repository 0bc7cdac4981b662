/* Connection: what the listener knows of one client beside the HTTP library, and the deadlines. Inside http/
 * only.
 *
 * The library's own time-out counts from the last byte, so a client that sends a byte a second stays for
 * ever; these deadlines count from the start of each phase. Where a phase ends too late the socket is cut,
 * and the library finds a hang-up. A client is silent until the library has read the first line of its
 * request; so a first line sent byte by byte counts as silence, which is bounded too. Threads: the loop's.
 * Memory: buffers are kept from request to request, large ones are not. */
#ifndef ALMANAC_HTTP_CONNECTION_H
#define ALMANAC_HTTP_CONNECTION_H

#include "base/buffer.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct http_deferred;
struct http_stream;
struct request_owner;

enum connection_phase {
    PHASE_SILENT,    /* no request yet, or between two */
    PHASE_ARRIVING,  /* from the first line of a request to the handler */
    PHASE_WORKING,   /* the answer is deferred: no deadline, who defers bounds the work */
    PHASE_ANSWERING, /* until the client has taken the answer */
    PHASE_STREAMING, /* no deadline, only for a client that does not read */
};

/* Who takes the socket when it stops being HTTP, see upgrade.h. */
struct http_upgrade {
    const char *protocol; /* for the header Upgrade; a literal */
    /* The socket, -1: there is none; and what came behind the request. */
    void (*done)(void *context, uint64_t id, int socket, const void *early, size_t early_bytes);
    void *context;
    uint64_t id;
};

struct connection {
    struct request_owner *owner; /* see request.h */
    struct MHD_Connection *handle;
    int socket;
    struct connection *next, *previous;
    enum connection_phase phase;
    int64_t phase_ms;      /* when it began, in listener time; for streams, when bytes last moved */
    bool has_asked;        /* one request at least */
    bool has_headers;      /* of the current request, looked at */
    size_t received_bytes; /* of the current body, also what is thrown away */
    struct err *refusal;   /* why the current request will not reach the handler, or NULL */
    struct buffer body;    /* of the request */
    struct buffer answer;  /* lent to the library until the answer is sent */
    size_t untaken_bytes;  /* of it, as counted in the owner's */
    struct http_stream *stream;
    struct http_deferred *deferred;
    struct http_upgrade upgrade; /* done NULL: none */
    bool is_upgraded;            /* the socket is somebody else's: it must not be cut */
    int64_t began_us;            /* of the current request, monotonic; only kept when somebody observes */
};

struct connection_limits {
    int64_t request_time_ms, idle_time_ms;
};

struct connection *connection_create(struct request_owner *owner, struct MHD_Connection *handle, int socket);
void connection_destroy(struct connection *connection);
void connection_enter(struct connection *connection, enum connection_phase phase, int64_t now_ms);
/* Notes why the request will be refused; the first reason stays. False when out of memory. */
bool connection_refuse(struct connection *connection, const struct err *err);
/* The request is over: nothing of it stays. */
void connection_reset(struct connection *connection, int64_t now_ms);
/* Cuts those of the list that are too late. */
void connection_sweep(struct connection *first, struct connection_limits limits, int64_t now_ms);
/* A sign of life on every stream of the list that has none of its own. */
void connection_beat(struct connection *first);

#endif
