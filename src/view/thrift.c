/* Thrift's compact protocol: see thrift.h. */
#include "view/thrift.h"

#include <assert.h>
#include <string.h>

enum { DEEPEST = 32, SHORT_LIST = 15, SHORT_STEP = 15 };

/* ---- reading ---- */

static uint8_t read_byte(struct thrift_reader *reader)
{
    if (!reader->is_damaged && reader->at < reader->end)
        return *reader->at++;
    reader->is_damaged = true;
    return 0;
}

static uint64_t read_varint(struct thrift_reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return reader->is_damaged ? 0 : value;
    }
    reader->is_damaged = true;
    return 0;
}

int64_t thrift_i64(struct thrift_reader *reader)
{
    uint64_t value = read_varint(reader);
    return (int64_t)(value >> 1 ^ (~(value & 1) + 1));
}

static void skip_bytes(struct thrift_reader *reader, uint64_t count)
{
    reader->is_damaged |= count > (uint64_t)(reader->end - reader->at);
    reader->at = reader->is_damaged ? reader->end : reader->at + count;
}

const uint8_t *thrift_text(struct thrift_reader *reader, size_t *size_bytes)
{
    uint64_t size = read_varint(reader);
    const uint8_t *text = reader->at;
    skip_bytes(reader, size);
    *size_bytes = reader->is_damaged ? 0 : (size_t)size;
    return reader->is_damaged ? NULL : text;
}

bool thrift_next_field(struct thrift_reader *reader, struct thrift_field *field)
{
    uint8_t head = read_byte(reader);
    field->type = (enum thrift_type)(head & 0x0f);
    if (reader->is_damaged || field->type == THRIFT_STOP)
        return false;
    int64_t id = head >> 4 != 0 ? field->id + (head >> 4) : thrift_i64(reader);
    reader->is_damaged |= id <= 0 || id > INT16_MAX;
    field->id = reader->is_damaged ? 0 : (int)id;
    return !reader->is_damaged;
}

size_t thrift_list(struct thrift_reader *reader, enum thrift_type *element)
{
    uint8_t head = read_byte(reader);
    uint64_t count = head >> 4 != SHORT_LIST ? head >> 4 : read_varint(reader);
    *element = (enum thrift_type)(head & 0x0f);
    reader->is_damaged |= count > (uint64_t)(reader->end - reader->at);
    return reader->is_damaged ? 0 : (size_t)count;
}

static void skip_value(struct thrift_reader *reader, enum thrift_type type, bool is_field, int depth);

static void skip_list(struct thrift_reader *reader, int depth)
{
    enum thrift_type element;
    size_t count = thrift_list(reader, &element);
    for (size_t i = 0; i < count && !reader->is_damaged; i++)
        skip_value(reader, element, false, depth + 1);
}

static void skip_map(struct thrift_reader *reader, int depth)
{
    uint64_t count = read_varint(reader);
    uint8_t types = count > 0 ? read_byte(reader) : 0;
    for (uint64_t i = 0; i < count && !reader->is_damaged; i++) {
        skip_value(reader, (enum thrift_type)(types >> 4), false, depth + 1);
        skip_value(reader, (enum thrift_type)(types & 0x0f), false, depth + 1);
    }
}

static void skip_struct(struct thrift_reader *reader, int depth)
{
    struct thrift_field field = {0};
    while (thrift_next_field(reader, &field))
        skip_value(reader, field.type, true, depth + 1);
}

/* A field's truth lies in its type, an element's is a byte. */
static void skip_value(struct thrift_reader *reader, enum thrift_type type, bool is_field, int depth)
{
    if (depth > DEEPEST || type == THRIFT_STOP || type > THRIFT_STRUCT)
        reader->is_damaged = true;
    else if (type == THRIFT_TRUE || type == THRIFT_FALSE)
        skip_bytes(reader, is_field ? 0 : 1);
    else if (type == THRIFT_BYTE)
        skip_bytes(reader, 1);
    else if (type == THRIFT_I16 || type == THRIFT_I32 || type == THRIFT_I64)
        (void)read_varint(reader);
    else if (type == THRIFT_DOUBLE)
        skip_bytes(reader, sizeof(double));
    else if (type == THRIFT_TEXT)
        skip_bytes(reader, read_varint(reader));
    else if (type == THRIFT_LIST || type == THRIFT_SET)
        skip_list(reader, depth);
    else if (type == THRIFT_MAP)
        skip_map(reader, depth);
    else
        skip_struct(reader, depth);
}

void thrift_skip(struct thrift_reader *reader, enum thrift_type type)
{
    skip_value(reader, type, true, 0);
}

/* ---- writing ---- */

static void put_varint(struct buffer *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer_append_char(out, (char)(value | 0x80));
    buffer_append_char(out, (char)value);
}

void thrift_put_element_i64(struct buffer *out, int64_t value)
{
    put_varint(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void thrift_put_element_text(struct buffer *out, const char *text)
{
    put_varint(out, strlen(text));
    buffer_append_text(out, text);
}

void thrift_put_field(struct thrift_writer *writer, int id, enum thrift_type type)
{
    int step = id - writer->field;
    assert(id > 0);
    if (step > 0 && step <= SHORT_STEP) {
        buffer_append_char(writer->out, (char)(step << 4 | (int)type));
    } else {
        buffer_append_char(writer->out, (char)type);
        thrift_put_element_i64(writer->out, id);
    }
    writer->field = id;
}

void thrift_put_i32(struct thrift_writer *writer, int id, int32_t value)
{
    thrift_put_field(writer, id, THRIFT_I32);
    thrift_put_element_i64(writer->out, value);
}

void thrift_put_i64(struct thrift_writer *writer, int id, int64_t value)
{
    thrift_put_field(writer, id, THRIFT_I64);
    thrift_put_element_i64(writer->out, value);
}

void thrift_put_bytes(struct thrift_writer *writer, int id, const void *data, size_t size_bytes)
{
    thrift_put_field(writer, id, THRIFT_TEXT);
    put_varint(writer->out, size_bytes);
    buffer_append(writer->out, data, size_bytes);
}

void thrift_put_list(struct thrift_writer *writer, int id, enum thrift_type element, size_t count)
{
    thrift_put_field(writer, id, THRIFT_LIST);
    buffer_append_char(writer->out,
                       (char)((int)(count < SHORT_LIST ? count : SHORT_LIST) << 4 | (int)element));
    if (count >= SHORT_LIST)
        put_varint(writer->out, count);
}

struct thrift_writer thrift_put_struct(struct thrift_writer *writer, int id)
{
    thrift_put_field(writer, id, THRIFT_STRUCT);
    return (struct thrift_writer){.out = writer->out};
}

void thrift_end(struct thrift_writer *writer)
{
    buffer_append_char(writer->out, THRIFT_STOP);
}

void thrift_copy(struct thrift_writer *writer, struct thrift_field field, struct thrift_reader *reader)
{
    const uint8_t *first = reader->at;
    thrift_skip(reader, field.type);
    if (reader->is_damaged)
        return;
    thrift_put_field(writer, field.id, field.type);
    buffer_append(writer->out, first, (size_t)(reader->at - first));
}
