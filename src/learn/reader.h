/* Reader: takes numbers and bytes off the front of untrusted bytes, little endian.
 *
 * The first read beyond the end sticks in `failed` and every later one gives zeros: a loader may read a group
 * of fields and look once, before it allocates or indexes by any of them. Threads: one at a time. Memory:
 * borrowed. */
#ifndef ALMANAC_LEARN_READER_H
#define ALMANAC_LEARN_READER_H

#include "base/buffer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const unsigned char *data;
    size_t size_bytes, offset;
    bool failed;
};

void reader_init(struct reader *reader, const void *data, size_t size_bytes);
size_t reader_left(const struct reader *reader); /* bytes not yet read; 0 after a failure */
/* The next size_bytes, borrowed; NULL (and failed) when there are fewer. */
const void *reader_bytes(struct reader *reader, size_t size_bytes);
uint8_t reader_u8(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
float reader_f32(struct reader *reader);
double reader_f64(struct reader *reader);
/* u32 length and bytes, copied with a terminator into out[out_bytes]; fails when it does not fit or holds a
 * zero. */
bool reader_text(struct reader *reader, char *out, size_t out_bytes);
/* Everything was read, and nothing failed. */
bool reader_is_done(const struct reader *reader);

/* The writing side of what base/buffer.h does not have. */
void writer_f32(struct buffer *out, float value);
void writer_f64(struct buffer *out, double value);
void writer_text(struct buffer *out, const char *text); /* u32 length, bytes without terminator */

#endif
