/* Whole lines are handed out from the caller's bytes; only what is left at the end of a piece is kept. */
#include "job/lines.h"

#include <string.h>

void lines_init(struct lines *lines, size_t max_bytes, bool breaks_long,
                void (*line)(void *context, const char *text, size_t size_bytes), void *context)
{
    *lines = (struct lines){.breaks_long = breaks_long, .line = line, .context = context};
    buffer_init(&lines->partial, max_bytes);
}

void lines_release(struct lines *lines)
{
    buffer_release(&lines->partial);
}

static void hand_out(struct lines *lines, const char *text, size_t size_bytes)
{
    size_t max_bytes = lines->partial.max_bytes;

    if (size_bytes > max_bytes && !lines->breaks_long) {
        lines->is_too_long = true;
        return;
    }
    while (size_bytes > max_bytes) {
        lines->line(lines->context, text, max_bytes);
        text += max_bytes;
        size_bytes -= max_bytes;
    }
    lines->line(lines->context, text, size_bytes);
}

/* Keeps the beginning of a line, handing out full pieces where that is wanted. */
static void keep(struct lines *lines, const char *data, size_t size_bytes)
{
    struct buffer *partial = &lines->partial;

    while (lines->breaks_long && partial->size_bytes + size_bytes > partial->max_bytes) {
        size_t taken = partial->max_bytes - partial->size_bytes;
        buffer_append(partial, data, taken);
        if (partial->failed != ERR_OK)
            break;
        lines->line(lines->context, partial->data, partial->size_bytes);
        buffer_clear(partial);
        data += taken;
        size_bytes -= taken;
    }
    buffer_append(partial, data, size_bytes);
    lines->is_too_long = partial->failed != ERR_OK;
}

void lines_feed(struct lines *lines, const char *data, size_t size_bytes)
{
    while (size_bytes > 0 && !lines->is_too_long) {
        const char *end = memchr(data, '\n', size_bytes);
        if (end == NULL) {
            keep(lines, data, size_bytes);
            return;
        }
        size_t length = (size_t)(end - data);
        if (lines->partial.size_bytes == 0) {
            hand_out(lines, data, length);
        } else {
            keep(lines, data, length);
            lines_end(lines);
        }
        data += length + 1;
        size_bytes -= length + 1;
    }
}

void lines_end(struct lines *lines)
{
    if (lines->partial.size_bytes == 0 || lines->is_too_long)
        return;
    lines->line(lines->context, lines->partial.data, lines->partial.size_bytes);
    buffer_clear(&lines->partial);
}
