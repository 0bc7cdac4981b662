/* Building a frame row by row. All columns share one capacity, so a setter is a store and a bit. Memory
 * behind the last row always reads as missing (0, NaN, code -1, bit clear): a row costs nothing for the
 * columns it does not set, and dropping a row means writing those values once more.
 *
 * Errors stick: the first one is kept, later calls do nothing, and frame_builder_finish returns it. */
#include "frame/frame_private.h"

#include "limits.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

struct builder_column {
    char *name;
    enum frame_type type;
    void *values;
    uint64_t *valid;
    struct names *names; /* of a text column, from its first text on */
};

struct frame_builder {
    size_t rows, capacity; /* the row being written is number `rows` */
    size_t column_count;
    struct err failure; /* code ERR_OK: none yet */
    struct builder_column columns[];
};

static enum err_code check_fields(const struct frame_field *fields, size_t field_count, struct err *err)
{
    if (field_count == 0)
        return err_set(err, ERR_INVALID, "cannot build a frame without columns");
    if (field_count > LIMIT_FEATURES)
        return err_set(err, ERR_TOO_LARGE, "cannot build a frame of %zu columns: at most %d are allowed",
                       field_count, LIMIT_FEATURES);
    for (size_t index = 0; index < field_count; index++) {
        if (fields[index].name == NULL || fields[index].name[0] == '\0')
            return err_set(err, ERR_INVALID, "column %zu has no name", index);
        if ((unsigned)fields[index].type >= FRAME_TYPE_COUNT)
            return err_set(err, ERR_INVALID, "column '%s' has no known type", fields[index].name);
    }
    return ERR_OK;
}

static enum err_code add_names(struct names *seen, const struct frame_field *fields, size_t field_count,
                               struct err *err)
{
    for (size_t index = 0; index < field_count; index++) {
        int32_t id = names_add(seen, text_of(fields[index].name));
        if (id == NAMES_NONE)
            return err_nomem(err, strlen(fields[index].name));
        if ((size_t)id != index)
            return err_set(err, ERR_INVALID, "two columns are called '%s'", fields[index].name);
    }
    return ERR_OK;
}

static enum err_code refuse_repeated_names(const struct frame_field *fields, size_t field_count,
                                           struct err *err)
{
    struct names *seen = names_create();

    if (seen == NULL)
        return err_nomem(err, field_count);
    enum err_code code = add_names(seen, fields, field_count, err);
    names_destroy(seen);
    return code;
}

static void set_missing(struct builder_column *column, size_t row)
{
    switch (column->type) {
    case FRAME_I64:
    case FRAME_TIME:
        ((int64_t *)column->values)[row] = 0;
        break;
    case FRAME_F64:
        ((double *)column->values)[row] = NAN;
        break;
    case FRAME_I32:
        ((int32_t *)column->values)[row] = 0;
        break;
    case FRAME_F32:
        ((float *)column->values)[row] = NAN;
        break;
    case FRAME_TEXT:
        ((int32_t *)column->values)[row] = -1;
        break;
    }
    column->valid[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

/* The values of rows begin..end-1; their bits are clear already. A column at a time, as a frame of prices has millions. */
static void set_values_missing(struct builder_column *column, size_t begin, size_t end)
{
    switch (column->type) {
    case FRAME_I64:
    case FRAME_TIME:
    case FRAME_I32: {
        size_t value_bytes = frame_value_bytes(column->type);
        memset((char *)column->values + begin * value_bytes, 0, (end - begin) * value_bytes);
        break;
    }
    case FRAME_F64:
        for (size_t row = begin; row < end; row++)
            ((double *)column->values)[row] = NAN;
        break;
    case FRAME_F32:
        for (size_t row = begin; row < end; row++)
            ((float *)column->values)[row] = NAN;
        break;
    case FRAME_TEXT:
        for (size_t row = begin; row < end; row++)
            ((int32_t *)column->values)[row] = -1;
        break;
    }
}

/* Room for `capacity` rows (a multiple of 64), the old `rows` rows kept, the rest missing. On failure the
 * column is as it was. */
static enum err_code grow_column(struct builder_column *column, size_t rows, size_t capacity, struct err *err)
{
    size_t value_bytes = frame_value_bytes(column->type), words = capacity / 64;
    void *values = frame_allocate_bytes(capacity * value_bytes);
    uint64_t *valid = frame_allocate_bytes(words * sizeof *valid);

    if (values == NULL || valid == NULL) {
        free(values);
        free(valid);
        return err_nomem(err, capacity * value_bytes);
    }
    memset(valid, 0, words * sizeof *valid);
    if (rows > 0) {
        memcpy(values, column->values, rows * value_bytes);
        memcpy(valid, column->valid, frame_valid_words(rows) * sizeof *valid);
    }
    free(column->values);
    free(column->valid);
    column->values = values;
    column->valid = valid;
    set_values_missing(column, rows, capacity);
    return ERR_OK;
}

/* False when the builder has failed; on success the current row has its place. Growing happens before the
 * first value of a row is set, so only finished rows have to be kept. */
static bool reserve(struct frame_builder *builder, size_t capacity)
{
    size_t kept = builder->capacity == 0 ? 0 : builder->rows;

    if (builder->failure.code != ERR_OK)
        return false;
    if (capacity <= builder->capacity)
        return true;
    capacity = (capacity + 63) / 64 * 64;
    for (size_t index = 0; index < builder->column_count; index++) {
        if (grow_column(&builder->columns[index], kept, capacity, &builder->failure) != ERR_OK)
            return false; /* some columns are longer than `capacity` says: harmless */
    }
    builder->capacity = capacity;
    return true;
}

/* The column with a place for the current row, or NULL when the builder has failed. */
static struct builder_column *column_for(struct frame_builder *builder, size_t index)
{
    assert(index < builder->column_count);
    if (builder->failure.code != ERR_OK)
        return NULL;
    if (builder->rows >= builder->capacity) {
        size_t more = builder->capacity + builder->capacity / 2;
        if (!reserve(builder, more < FIRST_CAPACITY ? FIRST_CAPACITY : more))
            return NULL;
    }
    return &builder->columns[index];
}

static void mark_present(struct builder_column *column, size_t row)
{
    column->valid[row / 64] |= UINT64_C(1) << (row % 64);
}

void frame_set_i64(struct frame_builder *builder, size_t column, int64_t value)
{
    struct builder_column *its = column_for(builder, column);

    if (its == NULL)
        return;
    assert(its->type == FRAME_I64 || its->type == FRAME_TIME || its->type == FRAME_I32);
    if (its->type == FRAME_I32) {
        if (value < INT32_MIN || value > INT32_MAX) {
            (void)!err_set(&builder->failure, ERR_INVALID,
                           "column '%s' row %zu: %" PRId64 " does not fit 32 bits", its->name, builder->rows,
                           value);
            return;
        }
        ((int32_t *)its->values)[builder->rows] = (int32_t)value;
    } else {
        ((int64_t *)its->values)[builder->rows] = value;
    }
    mark_present(its, builder->rows);
}

void frame_set_f64(struct frame_builder *builder, size_t column, double value)
{
    struct builder_column *its = column_for(builder, column);

    if (its == NULL)
        return;
    assert(its->type == FRAME_F64 || its->type == FRAME_F32);
    if (isnan(value)) { /* one word for missing, whatever the bits of the NaN */
        set_missing(its, builder->rows);
        return;
    }
    if (its->type == FRAME_F64)
        ((double *)its->values)[builder->rows] = value;
    else
        ((float *)its->values)[builder->rows] = (float)value;
    mark_present(its, builder->rows);
}

int32_t frame_text_code(struct frame_builder *builder, size_t column, struct text value)
{
    struct builder_column *its = column_for(builder, column);

    if (its == NULL)
        return -1;
    assert(its->type == FRAME_TEXT);
    const char *zero = value.size_bytes == 0 ? NULL : memchr(value.data, '\0', value.size_bytes);
    if (zero != NULL) /* texts end at a zero byte when read back, so they end there now */
        value.size_bytes = (size_t)(zero - value.data);
    if (its->names == NULL)
        its->names = names_create();
    int32_t code = its->names == NULL ? NAMES_NONE : names_add(its->names, value);
    if (code == NAMES_NONE)
        (void)!err_nomem(&builder->failure, value.size_bytes);
    return code;
}

void frame_set_code(struct frame_builder *builder, size_t column, int32_t code)
{
    struct builder_column *its = column_for(builder, column);

    if (its == NULL)
        return;
    assert(its->type == FRAME_TEXT && its->names != NULL && code >= 0 && code < names_count(its->names));
    ((int32_t *)its->values)[builder->rows] = code;
    mark_present(its, builder->rows);
}

void frame_set_text(struct frame_builder *builder, size_t column, struct text value)
{
    int32_t code = frame_text_code(builder, column, value);

    if (code != NAMES_NONE)
        frame_set_code(builder, column, code);
}

void frame_next_row(struct frame_builder *builder)
{
    if (column_for(builder, 0) == NULL) /* a row without any value needs its place too */
        return;
    if (builder->rows >= LIMIT_FRAME_ROWS) {
        (void)!err_set(&builder->failure, ERR_TOO_LARGE, "a frame holds at most %u rows", LIMIT_FRAME_ROWS);
        return;
    }
    builder->rows++;
}

void frame_drop_row(struct frame_builder *builder)
{
    if (builder->failure.code != ERR_OK || builder->rows >= builder->capacity)
        return; /* nothing was set */
    for (size_t index = 0; index < builder->column_count; index++)
        set_missing(&builder->columns[index], builder->rows);
}

/* Back to no rows; names and types stay. */
static void clear(struct frame_builder *builder)
{
    for (size_t index = 0; index < builder->column_count; index++) {
        struct builder_column *column = &builder->columns[index];
        free(column->values);
        free(column->valid);
        names_destroy(column->names);
        column->values = NULL;
        column->valid = NULL;
        column->names = NULL;
    }
    builder->rows = builder->capacity = 0;
    builder->failure.code = ERR_OK;
}

void frame_builder_destroy(struct frame_builder *builder)
{
    if (builder == NULL)
        return;
    clear(builder);
    for (size_t index = 0; index < builder->column_count; index++)
        free(builder->columns[index].name);
    free(builder);
}

static struct frame_builder *allocate(const struct frame_field *fields, size_t field_count)
{
    struct frame_builder *builder = calloc(1, sizeof *builder + field_count * sizeof(struct builder_column));

    if (builder == NULL)
        return NULL;
    builder->column_count = field_count;
    for (size_t index = 0; index < field_count; index++) {
        builder->columns[index].type = fields[index].type;
        builder->columns[index].name = strdup(fields[index].name);
        if (builder->columns[index].name == NULL) {
            frame_builder_destroy(builder);
            return NULL;
        }
    }
    return builder;
}

enum err_code frame_builder_create(const struct frame_field *fields, size_t field_count, size_t rows_hint,
                                   struct frame_builder **out, struct err *err)
{
    *out = NULL;
    enum err_code code = check_fields(fields, field_count, err);
    if (code == ERR_OK)
        code = refuse_repeated_names(fields, field_count, err);
    if (code != ERR_OK)
        return code;
    if (rows_hint > LIMIT_FRAME_ROWS)
        return err_set(err, ERR_TOO_LARGE, "a frame holds at most %u rows, %zu are asked for",
                       LIMIT_FRAME_ROWS, rows_hint);
    struct frame_builder *builder = allocate(fields, field_count);
    if (builder == NULL)
        return err_nomem(err, field_count * sizeof(struct builder_column));
    if (!reserve(builder, rows_hint)) {
        frame_builder_destroy(builder);
        return err_nomem(err, rows_hint);
    }
    *out = builder;
    return ERR_OK;
}

static bool is_all_present(const uint64_t *valid, size_t rows)
{
    for (size_t word = 0; word < rows / 64; word++) {
        if (valid[word] != UINT64_MAX)
            return false;
    }
    return rows % 64 == 0 || valid[rows / 64] == (UINT64_C(1) << (rows % 64)) - 1;
}

/* The dictionary's texts one behind the other with their ends, and where each begins. */
static enum err_code copy_dictionary(const struct names *names, struct frame_column *out, struct err *err)
{
    int32_t count = names == NULL ? 0 : names_count(names);
    uint64_t size_bytes = 0;

    out->dictionary_count = count;
    out->dictionary_offsets = malloc(((size_t)count + 1) * sizeof *out->dictionary_offsets);
    if (out->dictionary_offsets == NULL)
        return err_nomem(err, ((size_t)count + 1) * sizeof *out->dictionary_offsets);
    for (int32_t code = 0; code < count; code++) {
        out->dictionary_offsets[code] = size_bytes;
        size_bytes += strlen(names_text(names, code)) + 1;
    }
    out->dictionary_offsets[count] = size_bytes;
    out->dictionary_bytes = malloc(size_bytes == 0 ? 1 : size_bytes);
    if (out->dictionary_bytes == NULL)
        return err_nomem(err, size_bytes);
    for (int32_t code = 0; code < count; code++)
        memcpy(out->dictionary_bytes + out->dictionary_offsets[code], names_text(names, code),
               out->dictionary_offsets[code + 1] - out->dictionary_offsets[code]);
    return ERR_OK;
}

static enum err_code finish_column(struct builder_column *column, size_t rows, struct frame_column *out,
                                   struct err *err)
{
    out->type = column->type;
    out->name = strdup(column->name);
    if (out->name == NULL)
        return err_nomem(err, strlen(column->name));
    if (column->type == FRAME_TEXT) {
        enum err_code code = copy_dictionary(column->names, out, err);
        if (code != ERR_OK)
            return code;
    }
    names_destroy(column->names);
    out->values = column->values;
    out->valid = column->valid;
    column->names = NULL;
    column->values = NULL;
    column->valid = NULL;
    if (is_all_present(out->valid, rows)) {
        free(out->valid);
        out->valid = NULL;
    }
    return ERR_OK;
}

static enum err_code finish(struct frame_builder *builder, struct frame **out, struct err *err)
{
    enum err_code code = ERR_OK;

    frame_drop_row(builder);
    if (builder->capacity == 0)
        (void)reserve(builder, 1); /* no row was written: the columns need an address all the same */
    if (builder->failure.code != ERR_OK)
        return err_set(err, builder->failure.code, "%s", builder->failure.text);
    struct frame *frame = frame_allocate(builder->column_count);
    if (frame == NULL)
        return err_nomem(err, builder->column_count * sizeof(struct frame_column));
    frame->rows = builder->rows;
    for (size_t index = 0; index < builder->column_count && code == ERR_OK; index++)
        code = finish_column(&builder->columns[index], builder->rows, &frame->columns[index], err);
    if (code != ERR_OK) {
        frame_destroy(frame);
        return code;
    }
    *out = frame;
    return ERR_OK;
}

enum err_code frame_builder_finish(struct frame_builder *builder, struct frame **out, struct err *err)
{
    *out = NULL;
    enum err_code code = finish(builder, out, err);
    clear(builder);
    return code;
}
