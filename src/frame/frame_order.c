/* Gathering rows and sorting them.
 *
 * The sort is a radix sort of order-preserving 64-bit keys, least significant column first and byte by byte:
 * stable by construction, linear, and a byte that is the same in all rows (most are) costs only its count.
 * Texts are replaced by the rank of their dictionary entry first, so that the result does not depend on the
 * order of appearance. */
#include "frame/frame_private.h"

#include "base/err.h"
#include "limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SORT_COLUMNS_MAX = 4, KEY_BYTES = 8, BUCKETS = 256 };

/* ---- sort ---- */

struct ranked_text {
    const char *text;
    int32_t code;
};

static int compare_texts(const void *left, const void *right)
{
    return strcmp(((const struct ranked_text *)left)->text, ((const struct ranked_text *)right)->text);
}

/* out_ranks[code]: place of the text in byte order; equal texts share a rank. */
static enum err_code rank_dictionary(const struct frame *frame, size_t column, uint32_t **out_ranks,
                                     struct err *err)
{
    int32_t count = frame_dictionary_count(frame, column);
    struct ranked_text *texts = calloc((size_t)count + 1, sizeof *texts);
    uint32_t *ranks = calloc((size_t)count + 1, sizeof *ranks);

    if (texts == NULL || ranks == NULL) {
        free(texts);
        free(ranks);
        return err_nomem(err, ((size_t)count + 1) * sizeof *texts);
    }
    for (int32_t code = 0; code < count; code++)
        texts[code] = (struct ranked_text){frame_dictionary_text(frame, column, code), code};
    qsort(texts, (size_t)count, sizeof *texts, compare_texts);
    uint32_t rank = 0;
    for (int32_t place = 0; place < count; place++) {
        if (place > 0 && strcmp(texts[place - 1].text, texts[place].text) != 0)
            rank++;
        ranks[texts[place].code] = rank;
    }
    free(texts);
    *out_ranks = ranks;
    return ERR_OK;
}

static uint64_t key_of_i64(int64_t value)
{
    return (uint64_t)value ^ (UINT64_C(1) << 63);
}

/* IEEE 754 order as unsigned order: negative numbers are inverted, positive ones moved above them. */
static uint64_t key_of_f64(double value)
{
    uint64_t bits;

    value = value == 0 ? 0 : value; /* -0 is not before +0 */
    memcpy(&bits, &value, sizeof bits);
    return (bits >> 63) != 0 ? ~bits : bits | (UINT64_C(1) << 63);
}

/* The key of one present value. */
static uint64_t key_of(const struct frame_column *column, const uint32_t *ranks, size_t row)
{
    switch (column->type) {
    case FRAME_I64:
    case FRAME_TIME:
        return key_of_i64(((const int64_t *)column->values)[row]);
    case FRAME_F64:
        return key_of_f64(((const double *)column->values)[row]);
    case FRAME_I32:
        return key_of_i64(((const int32_t *)column->values)[row]);
    case FRAME_F32:
        return key_of_f64((double)((const float *)column->values)[row]);
    case FRAME_TEXT:
        assert(ranks != NULL);
        return ranks[((const int32_t *)column->values)[row]];
    }
    assert(!"a frame column has a known type");
    return 0;
}

static enum err_code make_keys(const struct frame *frame, size_t index, uint64_t *keys, struct err *err)
{
    const struct frame_column *column = &frame->columns[index];
    uint32_t *ranks = NULL;

    if (column->type == FRAME_TEXT) {
        enum err_code code = rank_dictionary(frame, index, &ranks, err);
        if (code != ERR_OK)
            return code;
    }
    for (size_t row = 0; row < frame->rows; row++)
        keys[row] = frame_bit(column->valid, row) ? key_of(column, ranks, row) : 0;
    free(ranks);
    return ERR_OK;
}

static void count_bytes(const uint64_t *keys, size_t rows, size_t counts[KEY_BYTES][BUCKETS])
{
    memset(counts, 0, sizeof(size_t) * KEY_BYTES * BUCKETS);
    for (size_t row = 0; row < rows; row++) {
        for (size_t byte = 0; byte < KEY_BYTES; byte++)
            counts[byte][(keys[row] >> (8 * byte)) & 0xff]++;
    }
}

static bool is_one_bucket(const size_t counts[BUCKETS], size_t rows, uint64_t first_key, size_t byte)
{
    return counts[(first_key >> (8 * byte)) & 0xff] == rows;
}

/* One stable pass by one byte of the keys, order -> scratch -> order. */
static void pass(const uint64_t *keys, size_t byte, const size_t counts[BUCKETS], uint32_t *order,
                 uint32_t *scratch, size_t rows)
{
    size_t starts[BUCKETS], sum = 0;

    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        starts[bucket] = sum;
        sum += counts[bucket];
    }
    for (size_t place = 0; place < rows; place++) {
        uint32_t row = order[place];
        scratch[starts[(keys[row] >> (8 * byte)) & 0xff]++] = row;
    }
    memcpy(order, scratch, rows * sizeof *order);
}

/* Stable: the missing rows to the front. */
static void missing_first(const uint64_t *valid, uint32_t *order, uint32_t *scratch, size_t rows)
{
    size_t missing = 0, present = 0;

    for (size_t place = 0; place < rows; place++) {
        if (frame_bit(valid, order[place]))
            scratch[present++] = order[place];
        else
            order[missing++] = order[place]; /* never ahead of `place` */
    }
    memcpy(order + missing, scratch, present * sizeof *order);
}

static enum err_code sort_by(const struct frame *frame, size_t column, uint64_t *keys, uint32_t *order,
                             uint32_t *scratch, struct err *err)
{
    size_t counts[KEY_BYTES][BUCKETS];

    enum err_code code = make_keys(frame, column, keys, err);
    if (code != ERR_OK)
        return code;
    count_bytes(keys, frame->rows, counts);
    for (size_t byte = 0; byte < KEY_BYTES; byte++) {
        if (!is_one_bucket(counts[byte], frame->rows, keys[0], byte))
            pass(keys, byte, counts[byte], order, scratch, frame->rows);
    }
    if (frame->columns[column].valid != NULL)
        missing_first(frame->columns[column].valid, order, scratch, frame->rows);
    return ERR_OK;
}

enum err_code frame_sort_order(const struct frame *frame, const size_t *columns, size_t column_count,
                               uint32_t *order, struct err *err)
{
    enum err_code code = ERR_OK;

    assert(column_count <= SORT_COLUMNS_MAX);
    for (size_t row = 0; row < frame->rows; row++)
        order[row] = (uint32_t)row;
    if (frame->rows < 2)
        return ERR_OK;
    uint64_t *keys = malloc(frame->rows * sizeof *keys);
    uint32_t *scratch = malloc(frame->rows * sizeof *scratch);
    if (keys == NULL || scratch == NULL) {
        code = err_nomem(err, frame->rows * (sizeof *keys + sizeof *scratch));
        goto out;
    }
    for (size_t index = column_count; index > 0 && code == ERR_OK; index--) {
        assert(columns[index - 1] < frame->column_count);
        code = sort_by(frame, columns[index - 1], keys, order, scratch, err);
    }
out:
    free(keys);
    free(scratch);
    return code;
}

/* ---- gather ---- */

static void gather_values(const struct frame_column *from, const uint32_t *index, size_t count, void *out)
{
    if (frame_value_bytes(from->type) == 8) {
        for (size_t place = 0; place < count; place++)
            ((uint64_t *)out)[place] = ((const uint64_t *)from->values)[index[place]];
    } else {
        for (size_t place = 0; place < count; place++)
            ((uint32_t *)out)[place] = ((const uint32_t *)from->values)[index[place]];
    }
}

/* *out stays NULL when every gathered row is present. */
static enum err_code gather_valid(const uint64_t *from, const uint32_t *index, size_t count, uint64_t **out,
                                  struct err *err)
{
    size_t present = 0, size_bytes = frame_valid_words(count) * sizeof(uint64_t);

    uint64_t *valid = frame_allocate_bytes(size_bytes);
    if (valid == NULL)
        return err_nomem(err, size_bytes);
    memset(valid, 0, size_bytes);
    for (size_t place = 0; place < count; place++) {
        uint64_t bit = frame_bit(from, index[place]);
        present += bit;
        valid[place / 64] |= bit << (place % 64);
    }
    if (present == count) {
        free(valid);
        return ERR_OK;
    }
    *out = valid;
    return ERR_OK;
}

static enum err_code copy_dictionary(const struct frame_column *from, struct frame_column *out,
                                     struct err *err)
{
    size_t offsets_bytes = ((size_t)from->dictionary_count + 1) * sizeof *from->dictionary_offsets;
    size_t size_bytes = (size_t)from->dictionary_offsets[from->dictionary_count];

    out->dictionary_count = from->dictionary_count;
    out->dictionary_offsets = malloc(offsets_bytes);
    out->dictionary_bytes = malloc(size_bytes == 0 ? 1 : size_bytes);
    if (out->dictionary_offsets == NULL || out->dictionary_bytes == NULL)
        return err_nomem(err, offsets_bytes + size_bytes);
    memcpy(out->dictionary_offsets, from->dictionary_offsets, offsets_bytes);
    memcpy(out->dictionary_bytes, from->dictionary_bytes, size_bytes);
    return ERR_OK;
}

static enum err_code gather_column(const struct frame_column *from, const uint32_t *index, size_t count,
                                   struct frame_column *out, struct err *err)
{
    enum err_code code = ERR_OK;

    out->type = from->type;
    out->name = strdup(from->name);
    out->values = frame_allocate_bytes(count * frame_value_bytes(from->type));
    if (out->name == NULL || out->values == NULL)
        return err_nomem(err, count * frame_value_bytes(from->type));
    gather_values(from, index, count, out->values);
    if (from->valid != NULL)
        code = gather_valid(from->valid, index, count, &out->valid, err);
    if (code == ERR_OK && from->type == FRAME_TEXT)
        code = copy_dictionary(from, out, err);
    return code;
}

enum err_code frame_gather(const struct frame *frame, const uint32_t *index, size_t count, struct frame **out,
                           struct err *err)
{
    enum err_code code = ERR_OK;

    *out = NULL;
    if (count > LIMIT_FRAME_ROWS)
        return err_set(err, ERR_TOO_LARGE, "a frame holds at most %u rows, %zu are asked for",
                       LIMIT_FRAME_ROWS, count);
    for (size_t place = 0; place < count; place++)
        assert(index[place] < frame->rows);
    struct frame *result = frame_allocate(frame->column_count);
    if (result == NULL)
        return err_nomem(err, frame->column_count * sizeof(struct frame_column));
    result->rows = count;
    for (size_t column = 0; column < frame->column_count && code == ERR_OK; column++)
        code = gather_column(&frame->columns[column], index, count, &result->columns[column], err);
    if (code != ERR_OK) {
        frame_destroy(result);
        return code;
    }
    *out = result;
    return ERR_OK;
}
