/* Thrift's compact protocol, as far as the footers of Parquet files need it: values are written, and those of another writer
 * are walked through, to be copied as they are. Inside a struct a field's number is told as the difference to the one before,
 * so a value's bytes can be copied behind a field header of our own, and elements of lists always.
 * Source: Apache Thrift, "Thrift compact protocol encoding" (doc/specs/thrift-compact-protocol.md).
 * Threads: one at a time per object. Memory: none of its own. */
#ifndef ALMANAC_VIEW_THRIFT_H
#define ALMANAC_VIEW_THRIFT_H

#include "base/buffer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum thrift_type {
    THRIFT_STOP,
    THRIFT_TRUE, /* of a field; its value is the type */
    THRIFT_FALSE,
    THRIFT_BYTE,
    THRIFT_I16,
    THRIFT_I32,
    THRIFT_I64,
    THRIFT_DOUBLE,
    THRIFT_TEXT,
    THRIFT_LIST,
    THRIFT_SET,
    THRIFT_MAP,
    THRIFT_STRUCT
};

/* ---- reading ---- */

/* Damage sticks: after it every read answers zero, every struct is at its end, every list empty. */
struct thrift_reader {
    const uint8_t *at, *end;
    bool is_damaged;
};
struct thrift_field {
    int id; /* begin with 0 */
    enum thrift_type type;
};
/* false: the struct is at its end. Then the value must be read or skipped. */
bool thrift_next_field(struct thrift_reader *reader, struct thrift_field *field);
int64_t thrift_i64(struct thrift_reader *reader);                             /* I16, I32 or I64 */
const uint8_t *thrift_text(struct thrift_reader *reader, size_t *size_bytes); /* in place; NULL: damaged */
/* The number of elements, each at least one byte. */
size_t thrift_list(struct thrift_reader *reader, enum thrift_type *element);
void thrift_skip(struct thrift_reader *reader, enum thrift_type type);

/* ---- writing ---- */

struct thrift_writer {
    struct buffer *out;
    int field; /* the last field of the struct */
};
void thrift_put_field(struct thrift_writer *writer, int id, enum thrift_type type);
void thrift_put_i32(struct thrift_writer *writer, int id, int32_t value);
void thrift_put_i64(struct thrift_writer *writer, int id, int64_t value);
void thrift_put_bytes(struct thrift_writer *writer, int id, const void *data, size_t size_bytes);
void thrift_put_list(struct thrift_writer *writer, int id, enum thrift_type element, size_t count);
struct thrift_writer thrift_put_struct(struct thrift_writer *writer, int id); /* the inner one's writer */
void thrift_end(struct thrift_writer *writer);                                /* of a struct */
/* Elements of a list of integers or texts. */
void thrift_put_element_i64(struct buffer *out, int64_t value);
void thrift_put_element_text(struct buffer *out, const char *text);
/* Skips the value of a field and writes it, as it is. */
void thrift_copy(struct thrift_writer *writer, struct thrift_field field, struct thrift_reader *reader);

#endif
