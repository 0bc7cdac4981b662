/* Value: one column of a chunk that DuckDB returned, read cell by cell as integer, real, text or JSON.
 *
 * Lists, structures and maps are shown as JSON; types that have no reading here (BIT, UNION, TIME WITH TIME ZONE, ...) are
 * refused by value_column_init. A column borrows its chunk's memory: set it again for each chunk. One thread. */
#ifndef ALMANAC_DUCK_VALUE_H
#define ALMANAC_DUCK_VALUE_H

#include "base/buffer.h"
#include "base/json.h"
#include "duck/library.h"

enum { VALUE_TYPE_BYTES = 48, VALUE_DEPTH = 16 /* of nested lists; below JSON_WRITER_DEPTH */ };

struct value_column {
    const struct duck_library *library;
    void *type; /* logical type, owned */
    int id;     /* enum duck_type */
    int width;  /* bytes of a stored number: DECIMAL and ENUM choose theirs */
    int scale;  /* of a DECIMAL */
    char type_name[VALUE_TYPE_BYTES];
    void *vector; /* of the chunk, borrowed */
    const void *data;
    const uint64_t *validity; /* NULL: no NULLs */
};

/* Takes `type`. ERR_INVALID: nothing here reads it; the column is then to be released all the same. */
enum err_code value_column_init(struct value_column *column, const struct duck_library *library, void *type,
                                struct err *err) CHECKED;
void value_column_release(struct value_column *column);
void value_column_set(struct value_column *column, void *vector);

bool value_is_null(const struct value_column *column, uint64_t row);
bool value_is_number(const struct value_column *column); /* integers, reals, decimals */
/* A number that every reader of JSON reads as it is: finite, and within int64 when it is an integer of 128 bits. */
bool value_is_exact_number(const struct value_column *column, uint64_t row);
bool value_is_nested(const struct value_column *column);
int64_t value_i64(const struct value_column *column, uint64_t row); /* cut to the range; 0 for texts */
double value_f64(const struct value_column *column, uint64_t row);  /* NaN for texts */
void value_write(const struct value_column *column, uint64_t row, struct buffer *out); /* NULL: nothing */
/* Numbers as numbers (128 bits beyond int64 and non-finite reals as text and null), BOOLEAN, NULL, text, nested. */
void value_write_json(const struct value_column *column, uint64_t row, struct json_writer *out);

#endif
