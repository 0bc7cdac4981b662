/* Buffer: see buffer.h.
 *
 * Capacity doubles, from 256 bytes, and never beyond max_bytes + 1 (the terminator). The append of a few
 * bytes is the hot path of every writer here: one comparison, memcpy, terminator; everything else is in
 * buffer_grow. */
#include "base/buffer.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_MIN_BYTES = 256 };

void buffer_init(struct buffer *buffer, size_t max_bytes)
{
    *buffer = (struct buffer){.max_bytes = max_bytes};
}

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.max_bytes = buffer->max_bytes};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size_bytes = 0;
    buffer->failed = ERR_OK;
    if (buffer->data)
        buffer->data[0] = '\0';
}

/* Makes room for size_bytes more and the terminator; false with `failed` set when that is not possible. */
static bool buffer_grow(struct buffer *buffer, size_t size_bytes)
{
    if (buffer->failed)
        return false;
    size_t limit = buffer->max_bytes < SIZE_MAX ? buffer->max_bytes : SIZE_MAX - 1;
    if (size_bytes > limit - buffer->size_bytes) {
        buffer->failed = ERR_TOO_LARGE;
        return false;
    }
    size_t needed = buffer->size_bytes + size_bytes + 1;
    size_t capacity = buffer->capacity_bytes < BUFFER_MIN_BYTES ? BUFFER_MIN_BYTES : buffer->capacity_bytes;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : 2 * capacity;
    if (capacity > limit + 1)
        capacity = limit + 1;
    char *data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = ERR_NOMEM;
        return false;
    }
    buffer->data = data;
    buffer->capacity_bytes = capacity;
    return true;
}

/* The capacity never exceeds max_bytes + 1, so that fitting into it is also keeping the maximum. A failed
 * buffer may still have room: what follows a refused piece must be refused too. */
static inline bool buffer_reserve(struct buffer *buffer, size_t size_bytes)
{
    if (size_bytes < buffer->capacity_bytes - buffer->size_bytes && !buffer->failed)
        return true;
    return buffer_grow(buffer, size_bytes);
}

void buffer_append(struct buffer *buffer, const void *data, size_t size_bytes)
{
    if (!buffer_reserve(buffer, size_bytes))
        return;
    if (size_bytes > 0)
        memcpy(buffer->data + buffer->size_bytes, data, size_bytes);
    buffer->size_bytes += size_bytes;
    buffer->data[buffer->size_bytes] = '\0';
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char byte)
{
    if (!buffer_reserve(buffer, 1))
        return;
    buffer->data[buffer->size_bytes++] = byte;
    buffer->data[buffer->size_bytes] = '\0';
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
{
    if (!buffer_reserve(buffer, 0))
        return;
    va_list again;
    va_copy(again, arguments);
    size_t room = buffer->capacity_bytes - buffer->size_bytes;
    int length = vsnprintf(buffer->data + buffer->size_bytes, room, format, arguments);
    assert(length >= 0); /* only a broken format string or a text of 2 GB */
    if ((size_t)length < room)
        buffer->size_bytes += (size_t)length;
    else if (buffer_reserve(buffer, (size_t)length)) {
        (void)vsnprintf(buffer->data + buffer->size_bytes, (size_t)length + 1, format, again);
        buffer->size_bytes += (size_t)length;
    } else
        buffer->data[buffer->size_bytes] = '\0';
    va_end(again);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(buffer, format, arguments);
    va_end(arguments);
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
    unsigned char bytes[4];
    for (unsigned index = 0; index < sizeof(bytes); index++)
        bytes[index] = (unsigned char)(value >> (8 * index));
    buffer_append(buffer, bytes, sizeof(bytes));
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    unsigned char bytes[8];
    for (unsigned index = 0; index < sizeof(bytes); index++)
        bytes[index] = (unsigned char)(value >> (8 * index));
    buffer_append(buffer, bytes, sizeof(bytes));
}

void *buffer_extend(struct buffer *buffer, size_t size_bytes)
{
    if (!buffer_reserve(buffer, size_bytes))
        return NULL;
    void *room = buffer->data + buffer->size_bytes;
    buffer->size_bytes += size_bytes;
    buffer->data[buffer->size_bytes] = '\0';
    return room;
}

const char *buffer_text(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

enum err_code buffer_check(const struct buffer *buffer, const char *what, struct err *err)
{
    switch (buffer->failed) {
    case ERR_OK:
        return ERR_OK;
    case ERR_TOO_LARGE:
        return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", what, buffer->max_bytes);
    default:
        return err_set(err, ERR_NOMEM, "out of memory writing %s (%zu bytes so far)", what,
                       buffer->size_bytes);
    }
}
