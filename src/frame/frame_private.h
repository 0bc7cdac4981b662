/* Inside frame/ only: what a frame is made of.
 *
 * Invariant: `values` holds `rows` values of the type and begins on a 64-byte boundary; `valid` has a set bit
 * for each present row and clear bits behind the last one, or is NULL where every row is present. A text
 * column's values are codes (-1 exactly where the row is missing) below dictionary_count; text number c
 * begins at dictionary_bytes + dictionary_offsets[c] and ends with a zero byte. Memory: either every pointer
 * is a malloc of its own, or all lie in `map` and only the structs are malloc'd. */
#ifndef ALMANAC_FRAME_FRAME_PRIVATE_H
#define ALMANAC_FRAME_FRAME_PRIVATE_H

#include "base/err.h"
#include "frame/frame.h"
#include "os/file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_ALIGNMENT = 64, FRAME_TYPE_COUNT = FRAME_TEXT + 1 };

struct frame_column {
    char *name;
    enum frame_type type;
    void *values;
    uint64_t *valid;
    int32_t dictionary_count;
    uint64_t *dictionary_offsets; /* dictionary_count + 1; NULL unless TEXT */
    char *dictionary_bytes;
};

struct frame {
    size_t rows, column_count;
    struct file_map map; /* data NULL: in memory */
    struct frame_column columns[];
};

/* Columns zeroed, without names. */
struct frame *frame_allocate(size_t column_count);
/* At least one byte, 64-byte aligned, contents undefined; NULL when out of memory. */
void *frame_allocate_bytes(size_t size_bytes);
size_t frame_value_bytes(enum frame_type type);
size_t frame_valid_words(size_t rows); /* 64 rows per word */

static inline bool frame_bit(const uint64_t *valid, size_t row)
{
    return valid == NULL || ((valid[row / 64] >> (row % 64)) & 1) != 0;
}

#endif
