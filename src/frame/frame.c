/* Reading a frame. Every getter asserts its column and type: asking for the wrong one is a bug, never bad
 * data. */
#include "frame/frame_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct frame *frame_allocate(size_t column_count)
{
    struct frame *frame = calloc(1, sizeof(struct frame) + column_count * sizeof(struct frame_column));

    if (frame != NULL)
        frame->column_count = column_count;
    return frame;
}

void *frame_allocate_bytes(size_t size_bytes)
{
    if (size_bytes > SIZE_MAX - FRAME_ALIGNMENT)
        return NULL;
    size_t rounded = (size_bytes + FRAME_ALIGNMENT - 1) / FRAME_ALIGNMENT * FRAME_ALIGNMENT;
    return aligned_alloc(FRAME_ALIGNMENT, rounded == 0 ? FRAME_ALIGNMENT : rounded);
}

size_t frame_value_bytes(enum frame_type type)
{
    static const size_t bytes[FRAME_TYPE_COUNT] = {
        [FRAME_I64] = 8, [FRAME_F64] = 8,  [FRAME_I32] = 4,
        [FRAME_F32] = 4, [FRAME_TIME] = 8, [FRAME_TEXT] = 4,
    };

    assert((unsigned)type < FRAME_TYPE_COUNT);
    return bytes[type];
}

size_t frame_valid_words(size_t rows)
{
    return rows / 64 + (rows % 64 != 0);
}

void frame_destroy(struct frame *frame)
{
    if (frame == NULL)
        return;
    bool is_mapped = frame->map.data != NULL;
    for (size_t index = 0; !is_mapped && index < frame->column_count; index++) {
        struct frame_column *column = &frame->columns[index];
        free(column->name);
        free(column->values);
        free(column->valid);
        free(column->dictionary_offsets);
        free(column->dictionary_bytes);
    }
    file_map_close(&frame->map);
    free(frame);
}

size_t frame_rows(const struct frame *frame)
{
    return frame->rows;
}

size_t frame_columns(const struct frame *frame)
{
    return frame->column_count;
}

static const struct frame_column *column_of(const struct frame *frame, size_t column)
{
    assert(column < frame->column_count);
    return &frame->columns[column];
}

const char *frame_name(const struct frame *frame, size_t column)
{
    return column_of(frame, column)->name;
}

enum frame_type frame_column_type(const struct frame *frame, size_t column)
{
    return column_of(frame, column)->type;
}

int frame_find(const struct frame *frame, const char *name)
{
    for (size_t index = 0; index < frame->column_count; index++) {
        if (strcmp(frame->columns[index].name, name) == 0)
            return (int)index;
    }
    return -1;
}

bool frame_is_present(const struct frame *frame, size_t column, size_t row)
{
    assert(row < frame->rows);
    return frame_bit(column_of(frame, column)->valid, row);
}

const int64_t *frame_i64(const struct frame *frame, size_t column)
{
    const struct frame_column *its = column_of(frame, column);

    assert(its->type == FRAME_I64 || its->type == FRAME_TIME);
    return its->values;
}

const double *frame_f64(const struct frame *frame, size_t column)
{
    const struct frame_column *its = column_of(frame, column);

    assert(its->type == FRAME_F64);
    return its->values;
}

const int32_t *frame_i32(const struct frame *frame, size_t column)
{
    const struct frame_column *its = column_of(frame, column);

    assert(its->type == FRAME_I32 || its->type == FRAME_TEXT);
    return its->values;
}

const float *frame_f32(const struct frame *frame, size_t column)
{
    const struct frame_column *its = column_of(frame, column);

    assert(its->type == FRAME_F32);
    return its->values;
}

const char *frame_dictionary_text(const struct frame *frame, size_t column, int32_t code)
{
    const struct frame_column *its = column_of(frame, column);

    assert(its->type == FRAME_TEXT && code >= 0 && code < its->dictionary_count);
    return its->dictionary_bytes + its->dictionary_offsets[code];
}

const char *frame_text(const struct frame *frame, size_t column, size_t row)
{
    assert(row < frame->rows);
    int32_t code = frame_i32(frame, column)[row];
    return code < 0 ? "" : frame_dictionary_text(frame, column, code);
}

int32_t frame_dictionary_count(const struct frame *frame, size_t column)
{
    const struct frame_column *its = column_of(frame, column);

    assert(its->type == FRAME_TEXT);
    return its->dictionary_count;
}
