/* Buffer: a growing run of bytes with a maximum, always zero-terminated behind its size.
 *
 * The first failure (memory, maximum) sticks in `failed`: a writer may append many times and look once at the
 * end. Threads: one at a time. Memory: malloc, released by buffer_release. */
#ifndef ALMANAC_BASE_BUFFER_H
#define ALMANAC_BASE_BUFFER_H

#include "base/err.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data; /* NULL until the first byte */
    size_t size_bytes;
    size_t capacity_bytes;
    size_t max_bytes;
    enum err_code failed; /* ERR_OK, ERR_NOMEM or ERR_TOO_LARGE */
};

void buffer_init(struct buffer *buffer, size_t max_bytes);
void buffer_release(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory, forgets size and failure */
void buffer_append(struct buffer *buffer, const void *data, size_t size_bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char byte);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments);
void buffer_append_u32(struct buffer *buffer, uint32_t value); /* little endian, as all Almanac files */
void buffer_append_u64(struct buffer *buffer, uint64_t value);
/* Room for size_bytes at the end; NULL on failure. buffer->size_bytes is advanced. */
void *buffer_extend(struct buffer *buffer, size_t size_bytes);
const char *buffer_text(const struct buffer *buffer); /* never NULL */
/* Turns the sticky failure into an error naming `what`. */
enum err_code buffer_check(const struct buffer *buffer, const char *what, struct err *err) CHECKED;

#endif
