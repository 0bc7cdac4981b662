/* Listener: HTTP/1.1 on one event loop, with libmicrohttpd behind it (only listener.c and request.c know it).
 *
 * Every request is handed, complete with its body, to one handler on the loop's thread; the handler fills the
 * response and returns, turns it into a stream (server-sent events), defers it (defer.h), or makes the connection a
 * WebSocket (websocket.h). Limits: body LIMIT_BODY_BYTES (413), headers LIMIT_HEADER_BYTES (431), slow clients (dropped
 * after LIMIT_REQUEST_TIME_MS), LIMIT_CONNECTIONS (more wait), LIMIT_UNTAKEN_BYTES of answers that clients are still to
 * take (503 for one more that is large). Refused with 400: a repeated Content-Length, Content-Length with
 * Transfer-Encoding, broken percent-escapes and %00. Loopback safety: Host must name this server (403; see guard.h), and
 * so must Origin for anything but GET and HEAD that stay HTTP. Threads: the loop's, also create and destroy (before and
 * after loop_run any one thread). Memory: what a request points to is valid until the handler returns. */
#ifndef ALMANAC_HTTP_LISTENER_H
#define ALMANAC_HTTP_LISTENER_H

#include "base/buffer.h"
#include "base/err.h"
#include "os/loop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listener;
struct http_stream;
struct http_deferred;

struct http_request {
    const char *method; /* "GET" ... */
    const char *path;   /* decoded, without the query; "/api/jobs/7" */
    const char *body;   /* never NULL */
    size_t body_bytes;
    bool is_http_1_1; /* or newer, not 1.0 */
    void *handle;     /* the listener's own */
};

enum { HTTP_RESPONSE_HEADERS = 8 };

struct http_header {
    const char *name, *value;
};

struct http_response {
    int status;               /* 200 at the start */
    const char *content_type; /* "application/json" at the start; a literal */
    struct buffer body;
    const void
        *borrowed; /* when not NULL the body is these bytes, never copied: they must outlive the answer */
    size_t borrowed_bytes;
    struct http_header headers[HTTP_RESPONSE_HEADERS]; /* further ones, see http_response_header */
    size_t header_count;
    char attachment[96];            /* name of the file that a browser saves the answer as; "" none */
    struct http_stream *stream;     /* set by http_stream_open */
    struct http_deferred *deferred; /* set by http_response_defer (defer.h) */
    const char *route;              /* pattern of the route that answers, set by the router; NULL: none */
    char allow[64];                 /* Allow header of a 405 */
    char accept[32];                /* Sec-WebSocket-Accept header of a 101, see websocket.h */
};

/* NULL when absent. Valid until the handler returns. */
const char *http_request_query(const struct http_request *request, const char *name);
const char *http_request_header(const struct http_request *request, const char *name);

/* One more header of the answer. Name and value are lent: literals, or what outlives the answer. An error answered instead
 * drops them. */
void http_response_header(struct http_response *response, const char *name, const char *value);

struct listener_options {
    const char *address;     /* "127.0.0.1" */
    uint16_t port;           /* 0: any free one, see listener_port */
    int64_t request_time_ms; /* for a request to arrive, from its first line; 0: LIMIT_REQUEST_TIME_MS */
    int64_t idle_time_ms;    /* between requests, and for a client to take its answer; 0: one minute */
    void (*handle)(void *context, const struct http_request *request, struct http_response *response);
    /* Called with every answer as it is handed to the client, refusals included; took_us from the first line of the
     * request on. May be NULL. */
    void (*observe)(void *context, const struct http_response *response, int64_t took_us);
    void *context;
};
/* ERR_BUSY naming the port when it is taken. Takes the loop's prepare hook: one listener per loop. */
enum err_code listener_create(struct loop *loop, struct listener_options options, struct listener **out,
                              struct err *err) CHECKED;
/* Open connections and streams are closed, with closed() called for each. Not from inside a handler. NULL is
 * fine. */
void listener_destroy(struct listener *listener);
uint16_t listener_port(const struct listener *listener);
size_t listener_connection_count(const struct listener *listener);

/* Server-sent events: makes the response a stream. closed() is called once on the loop's thread, when the
 * client has gone (also one that ends its half of the connection) or all is sent after http_stream_end; the
 * stream is then gone. A client is cut off beyond 1 MiB of unsent bytes, one event or many: hand out a long
 * history in pieces, looking at http_stream_unsent_bytes. If the response becomes an error after this,
 * closed() is called when the handler has returned. */
enum err_code http_stream_open(const struct http_request *request, struct http_response *response,
                               void (*closed)(void *context), void *context, struct http_stream **out,
                               struct err *err) CHECKED;
/* `id: <id>\nevent: <event>\ndata: <line>...\n\n`; event may be NULL; id < 0: none. On the loop's thread.
 * Nothing happens on a stream that is cut off or ended. */
void http_stream_event(struct http_stream *stream, int64_t id, const char *event, const char *data,
                       size_t size_bytes);
void http_stream_end(struct http_stream *stream);
size_t http_stream_unsent_bytes(const struct http_stream *stream);

#endif
