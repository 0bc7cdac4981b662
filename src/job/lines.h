/* Lines: cuts a stream of bytes into lines, whatever pieces it comes in. Inside job/ only.
 *
 * A line longer than the maximum is handed out in pieces, or is an error (`is_too_long`, sticky), as the owner wants.
 * Threads: one. Memory: at most one line. */
#ifndef ALMANAC_JOB_LINES_H
#define ALMANAC_JOB_LINES_H

#include "base/buffer.h"
#include <stdbool.h>
#include <stddef.h>

struct lines {
    struct buffer partial;
    bool breaks_long;
    bool is_too_long; /* or no memory: nothing is handed out any more */
    void (*line)(void *context, const char *text,
                 size_t size_bytes); /* without its end; zero-terminated: no */
    void *context;
};

void lines_init(struct lines *lines, size_t max_bytes, bool breaks_long,
                void (*line)(void *context, const char *text, size_t size_bytes), void *context);
void lines_release(struct lines *lines);
void lines_feed(struct lines *lines, const char *data, size_t size_bytes);
void lines_end(struct lines *lines); /* hands out what came without an end of line */

#endif
