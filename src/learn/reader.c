/* Reader: see reader.h. Bytes are put together by shifts, so alignment and the machine's order do not matter.
 */
#include "learn/reader.h"

#include <string.h>

void reader_init(struct reader *reader, const void *data, size_t size_bytes)
{
    *reader = (struct reader){.data = data, .size_bytes = size_bytes};
}

size_t reader_left(const struct reader *reader)
{
    return reader->failed ? 0 : reader->size_bytes - reader->offset;
}

const void *reader_bytes(struct reader *reader, size_t size_bytes)
{
    static const unsigned char nothing[1];
    if (reader->failed || size_bytes > reader->size_bytes - reader->offset) {
        reader->failed = true;
        return NULL;
    }
    const unsigned char *bytes = reader->data ? reader->data + reader->offset : nothing;
    reader->offset += size_bytes;
    return bytes;
}

static uint64_t take(struct reader *reader, size_t size_bytes)
{
    const unsigned char *bytes = reader_bytes(reader, size_bytes);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < size_bytes; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)take(reader, 1);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)take(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return take(reader, 8);
}

float reader_f32(struct reader *reader)
{
    uint32_t bits = reader_u32(reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double reader_f64(struct reader *reader)
{
    uint64_t bits = reader_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool reader_text(struct reader *reader, char *out, size_t out_bytes)
{
    uint32_t size_bytes = reader_u32(reader);
    const char *bytes = reader_bytes(reader, size_bytes);
    out[0] = '\0';
    if (!bytes || size_bytes >= out_bytes || memchr(bytes, '\0', size_bytes)) {
        reader->failed = true;
        return false;
    }
    memcpy(out, bytes, size_bytes);
    out[size_bytes] = '\0';
    return true;
}

bool reader_is_done(const struct reader *reader)
{
    return !reader->failed && reader->offset == reader->size_bytes;
}

void writer_f32(struct buffer *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    buffer_append_u32(out, bits);
}

void writer_f64(struct buffer *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buffer_append_u64(out, bits);
}

void writer_text(struct buffer *out, const char *text)
{
    size_t size_bytes = strlen(text);
    buffer_append_u32(out, (uint32_t)size_bytes);
    buffer_append(out, text, size_bytes);
}
