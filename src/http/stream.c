/* Stream: see stream.h, and http_stream_* in listener.h. The format is that of the HTML standard,
 * "Server-sent events": a line break of any kind inside the data starts a new data line, which the client
 * joins again with "\n". */
#include "http/stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNSENT_BYTES = 1 << 20,       /* more than this means that the client does not read */
    QUEUE_BYTES = 2 << 20,        /* what is taken stays in front until it is the larger half */
    IDLE_CAPACITY_BYTES = 1 << 14 /* kept while there is nothing to send */
};

struct http_stream *stream_create(void)
{
    struct http_stream *stream = calloc(1, sizeof *stream);
    if (stream != NULL)
        buffer_init(&stream->queue, QUEUE_BYTES);
    return stream;
}

void stream_destroy(struct http_stream *stream)
{
    if (stream == NULL)
        return;
    buffer_release(&stream->queue);
    free(stream);
}

size_t http_stream_unsent_bytes(const struct http_stream *stream)
{
    return stream->queue.size_bytes - stream->taken_bytes;
}

static void wake(struct http_stream *stream)
{
    if (!stream->is_parked)
        return;
    stream->is_parked = false;
    stream->wake(stream->connection);
}

void stream_cut(struct http_stream *stream)
{
    if (stream->is_cut)
        return;
    stream->is_cut = true;
    buffer_release(&stream->queue);
    stream->taken_bytes = 0;
    if (stream->is_parked)
        wake(stream);
    else
        stream->drop(stream->connection);
}

ptrdiff_t stream_take(struct http_stream *stream, char *out, size_t max_bytes)
{
    size_t unsent_bytes = http_stream_unsent_bytes(stream);
    assert(!stream->is_parked && max_bytes > 0);
    if (stream->is_cut)
        return STREAM_LOST;
    if (unsent_bytes == 0) {
        if (stream->is_ended)
            return STREAM_DONE;
        stream->is_parked = true;
        return STREAM_PARK;
    }
    size_t size_bytes = unsent_bytes < max_bytes ? unsent_bytes : max_bytes;
    memcpy(out, stream->queue.data + stream->taken_bytes, size_bytes);
    stream->taken_bytes += size_bytes;
    stream->is_moving = true;
    if (size_bytes == unsent_bytes) {
        stream->taken_bytes = 0;
        if (stream->queue.capacity_bytes > IDLE_CAPACITY_BYTES)
            buffer_release(&stream->queue);
        else
            buffer_clear(&stream->queue);
    }
    return (ptrdiff_t)size_bytes;
}

/* Moves what is unsent to the front, but only when that is less than what is dropped: every byte moves once
 * at most on average. */
static void compact(struct http_stream *stream)
{
    size_t unsent_bytes = http_stream_unsent_bytes(stream);
    if (stream->taken_bytes <= unsent_bytes || stream->taken_bytes == 0)
        return;
    memmove(stream->queue.data, stream->queue.data + stream->taken_bytes,
            unsent_bytes + 1); /* with the terminator */
    stream->queue.size_bytes = unsent_bytes;
    stream->taken_bytes = 0;
}

/* What is queued may go; too much of it, or no memory, and the client is cut off. */
static void flush(struct http_stream *stream)
{
    if (stream->queue.failed != ERR_OK || http_stream_unsent_bytes(stream) > UNSENT_BYTES)
        stream_cut(stream);
    else
        wake(stream);
}

static bool is_open(const struct http_stream *stream)
{
    return !stream->is_cut && !stream->is_ended;
}

/* "data: " lines; the breaks are \n, \r\n and \r. */
static void append_data(struct buffer *queue, const char *data, size_t size_bytes)
{
    const char *end = data + size_bytes;
    for (;;) {
        const char *at = data;
        while (at < end && *at != '\n' && *at != '\r')
            at++;
        buffer_append(queue, "data: ", 6);
        buffer_append(queue, data, (size_t)(at - data));
        buffer_append_char(queue, '\n');
        if (at == end)
            return;
        data = at + (at[0] == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1);
    }
}

void http_stream_event(struct http_stream *stream, int64_t id, const char *event, const char *data,
                       size_t size_bytes)
{
    assert(event == NULL || strpbrk(event, "\r\n") == NULL);
    if (!is_open(stream))
        return; /* closed() is on its way */
    compact(stream);
    if (id >= 0)
        buffer_printf(&stream->queue, "id: %" PRId64 "\n", id);
    if (event != NULL)
        buffer_printf(&stream->queue, "event: %s\n", event);
    append_data(&stream->queue, data, size_bytes);
    buffer_append_char(&stream->queue, '\n');
    flush(stream);
}

void http_stream_end(struct http_stream *stream)
{
    stream->is_ended = true;
    wake(stream);
}

void stream_beat(struct http_stream *stream)
{
    if (!is_open(stream) || http_stream_unsent_bytes(stream) > 0)
        return;
    buffer_append(&stream->queue, ":\n\n", 3);
    flush(stream);
}

bool stream_is_stuck(struct http_stream *stream)
{
    bool is_stuck = http_stream_unsent_bytes(stream) > 0 && !stream->is_moving;
    stream->is_moving = false;
    return is_stuck;
}
