/* Frame: the columnar table that flows from sources to stores, trackers and back.
 *
 * Built by a frame_builder row by row, then immutable: columns are contiguous, 64-byte aligned, each with a
 * validity bitmap (bit set: value present) or NULL where every value is present. Text columns are
 * dictionary-coded: codes int32 into the column's own dictionary. Missing numbers read as 0 (NaN for reals)
 * in the array; ask the bitmap. Invariant: every column has exactly `rows` values. Threads: a finished frame
 * may be read by any number of threads. Memory: one allocation owner; frame_release frees all (or unmaps the
 * file form, docs/formats/frame.md). */
#ifndef ALMANAC_FRAME_FRAME_H
#define ALMANAC_FRAME_FRAME_H

#include "base/err.h"
#include "base/names.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_type {
    FRAME_I64,
    FRAME_F64,
    FRAME_I32,
    FRAME_F32,
    FRAME_TIME,
    FRAME_TEXT
}; /* TIME: int64 us UTC */

struct frame_field {
    const char *name;
    enum frame_type type;
};

struct frame;
struct frame_builder;

/* Fields are copied. rows_hint may be 0. */
enum err_code frame_builder_create(const struct frame_field *fields, size_t field_count, size_t rows_hint,
                                   struct frame_builder **out, struct err *err) CHECKED;
void frame_builder_destroy(struct frame_builder *builder);
/* Setters write the current row; a column not set is missing. Memory failures stick until finish. */
void frame_set_i64(struct frame_builder *builder, size_t column, int64_t value); /* I64, I32, TIME */
void frame_set_f64(struct frame_builder *builder, size_t column, double value);  /* F64, F32 */
void frame_set_text(struct frame_builder *builder, size_t column, struct text value);
/* The same in two steps, for texts that repeat: the code of a text in the column's dictionary (made if new), then the
 * code. Codes are valid until the builder is finished; -1 when the builder has failed already. */
int32_t frame_text_code(struct frame_builder *builder, size_t column, struct text value);
void frame_set_code(struct frame_builder *builder, size_t column, int32_t code);
void frame_next_row(struct frame_builder *builder);
/* Forgets the current, unfinished row's values. */
void frame_drop_row(struct frame_builder *builder);
/* Moves the rows into an immutable frame; the builder is empty afterwards and can be used again. */
enum err_code frame_builder_finish(struct frame_builder *builder, struct frame **out,
                                   struct err *err) CHECKED;

void frame_destroy(struct frame *frame);
size_t frame_rows(const struct frame *frame);
size_t frame_columns(const struct frame *frame);
const char *frame_name(const struct frame *frame, size_t column);
enum frame_type frame_column_type(const struct frame *frame, size_t column);
int frame_find(const struct frame *frame, const char *name); /* -1 if absent */
bool frame_is_present(const struct frame *frame, size_t column, size_t row);
const int64_t *frame_i64(const struct frame *frame, size_t column); /* I64 and TIME; asserts the type */
const double *frame_f64(const struct frame *frame, size_t column);
const int32_t *frame_i32(const struct frame *frame,
                         size_t column); /* I32, and the codes of TEXT (-1 missing) */
const float *frame_f32(const struct frame *frame, size_t column);
const char *frame_text(const struct frame *frame, size_t column, size_t row); /* "" if missing */
const char *frame_dictionary_text(const struct frame *frame, size_t column, int32_t code);
int32_t frame_dictionary_count(const struct frame *frame, size_t column);
/* Rows index[0..count) in that order, as a new frame. */
enum err_code frame_gather(const struct frame *frame, const uint32_t *index, size_t count, struct frame **out,
                           struct err *err) CHECKED;
/* Stable order by up to 4 columns (ascending; missing first), written to order[0..rows). */
enum err_code frame_sort_order(const struct frame *frame, const size_t *columns, size_t column_count,
                               uint32_t *order, struct err *err) CHECKED;
/* File form: one checksummed file, mapped on opening (docs/formats/frame.md). */
enum err_code frame_save(const struct frame *frame, const char *path, struct err *err) CHECKED;
enum err_code frame_open(const char *path, struct frame **out, struct err *err) CHECKED;

#endif
