/* Stream: the queue between those who announce events and one client's connection. Inside http/ only.
 *
 * Bytes are queued as they go over the wire. The listener takes them when the connection can send; when there
 * are none it parks the connection, and the next event (or the end) calls wake() exactly once to have it
 * back: the HTTP library must never park a connection twice, nor wake one that is not parked, so the flag
 * lives here. A stream that is cut off while it is not parked (the socket is full) calls drop() instead.
 * Threads: the loop's. Memory: one stream per connection, made by the listener, at most about 2 MiB. */
#ifndef ALMANAC_HTTP_STREAM_H
#define ALMANAC_HTTP_STREAM_H

#include "base/buffer.h"
#include "http/listener.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop_watch;

enum {
    STREAM_PARK = 0,  /* nothing to send: the stream is parked from now on */
    STREAM_DONE = -1, /* ended, and all is sent */
    STREAM_LOST = -2, /* cut off: close at once */
};

struct http_stream {
    struct buffer queue; /* the first taken_bytes are on their way already */
    size_t taken_bytes;
    bool is_parked, is_ended, is_cut;
    bool is_moving; /* taken from since stream_is_stuck looked */
    void (*wake)(void *connection);
    void (*drop)(void *connection);
    void *connection;
    void (*closed)(void *context);
    void *closed_context;
    struct loop_watch *hangup; /* the library does not look at a parked connection; NULL once it has gone */
};

struct http_stream *stream_create(void); /* NULL when out of memory */
void stream_destroy(struct http_stream *stream);
/* The next bytes to send, at most max_bytes; or one of the constants above. */
ptrdiff_t stream_take(struct http_stream *stream, char *out, size_t max_bytes);
/* The client is gone or too slow: what is queued is dropped; once. */
void stream_cut(struct http_stream *stream);
/* Queues a comment when nothing else is queued: keeps proxies from closing a quiet stream. */
void stream_beat(struct http_stream *stream);
/* Bytes are queued and none was taken since the last call. */
bool stream_is_stuck(struct http_stream *stream);

#endif
