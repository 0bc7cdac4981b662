/* Column chunks of floats: see parquet_chunk.h.
 *
 * What is there is pushed together, with a bit for each row that says whether it is; then each value is looked up in an open
 * hash table that gives codes in the order of appearance, and the codes are packed bit by bit. A run in the sense of the
 * format ("RLE/bit-packed hybrid") is always the whole page: rows of a join are in no order that makes runs. */
#include "view/parquet_chunk.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_BITS = 16,
    TABLE_SIZE = 1 << TABLE_BITS,
    MOST_VALUES = TABLE_SIZE / 2, /* of a dictionary */
    PACKED_GROUP = 8,             /* values are packed in groups of so many */
    LENGTH_BYTES = 4,             /* before the levels */
    ENCODING_PLAIN = 0,
    ENCODING_LEVELS = 3, /* "RLE" */
    ENCODING_CODES = 8,  /* "RLE_DICTIONARY" */
    PAGE_DATA = 0,
    PAGE_DICTIONARY = 2,
    CODEC_NONE = 0
};

struct entry {
    uint32_t bits, code; /* counted from 1; 0: empty */
};
struct parquet_scratch {
    struct entry table[TABLE_SIZE];
    uint32_t used[MOST_VALUES]; /* by code: the place in the table */
    size_t used_count;
    size_t most_rows;
    uint8_t *is_there; /* [most_rows / 8 + 1] */
    uint16_t *codes;   /* [most_rows] */
    float values[];    /* [most_rows] */
};
static_assert(MOST_VALUES - 1 <= UINT16_MAX, "codes are of 16 bits");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "file formats are little endian");

enum err_code parquet_scratch_create(size_t most_rows, struct parquet_scratch **out, struct err *err)
{
    size_t size_bytes = sizeof(**out) + most_rows * sizeof(float);
    *out = calloc(1, size_bytes);
    if (*out == NULL)
        return err_nomem(err, size_bytes);
    (*out)->most_rows = most_rows;
    (*out)->is_there = malloc(most_rows / PACKED_GROUP + 1);
    (*out)->codes = malloc((most_rows + 1) * sizeof(*(*out)->codes));
    if ((*out)->is_there != NULL && (*out)->codes != NULL)
        return ERR_OK;
    parquet_scratch_destroy(*out);
    *out = NULL;
    return err_nomem(err, most_rows * sizeof(uint16_t));
}

void parquet_scratch_destroy(struct parquet_scratch *scratch)
{
    if (scratch == NULL)
        return;
    free(scratch->is_there);
    free(scratch->codes);
    free(scratch);
}

float *parquet_scratch_values(struct parquet_scratch *scratch)
{
    return scratch->values;
}

/* ---- values ---- */

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Pushes together what is there. Returns how many. */
static size_t push_together(struct parquet_scratch *scratch, struct parquet_chunk *chunk)
{
    size_t count = 0;
    float low = INFINITY, high = -INFINITY;
    for (size_t first = 0; first < chunk->row_count; first += PACKED_GROUP) {
        size_t end = first + PACKED_GROUP < chunk->row_count ? first + PACKED_GROUP : chunk->row_count;
        unsigned there = 0;
        for (size_t i = first; i < end; i++) {
            float value = scratch->values[i];
            bool is_value = value == value; /* NaN alone is not itself */
            low = value < low ? value : low;
            high = value > high ? value : high;
            scratch->values[count] = value;
            count += is_value;
            there |= (unsigned)is_value << (i - first);
        }
        scratch->is_there[first / PACKED_GROUP] = (uint8_t)there;
    }
    chunk->low = low;
    chunk->high = high;
    return count;
}

/* Codes of all values; false: they are too many for a dictionary. */
static bool find_codes(struct parquet_scratch *scratch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_of(scratch->values[i]);
        uint32_t at = bits * UINT32_C(0x9e3779b1) >> (32 - TABLE_BITS);
        while (scratch->table[at].code != 0 && scratch->table[at].bits != bits)
            at = (at + 1) % TABLE_SIZE;
        if (scratch->table[at].code == 0) {
            if (scratch->used_count == MOST_VALUES)
                return false;
            scratch->used[scratch->used_count++] = at;
            scratch->table[at] = (struct entry){bits, (uint32_t)scratch->used_count};
        }
        scratch->codes[i] = (uint16_t)(scratch->table[at].code - 1);
    }
    return true;
}

static void forget_codes(struct parquet_scratch *scratch)
{
    for (size_t i = 0; i < scratch->used_count; i++)
        scratch->table[scratch->used[i]].code = 0;
    scratch->used_count = 0;
}

static int width_of(size_t value_count)
{
    int width = 1;
    while ((size_t)1 << width < value_count)
        width++;
    return width;
}

/* ---- pages ---- */

static size_t group_count_of(size_t count)
{
    return (count + PACKED_GROUP - 1) / PACKED_GROUP;
}

static size_t put_varint(uint8_t out[10], uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

/* The least significant bits first; the last group is filled with zeros. */
static void pack(const uint16_t *codes, size_t count, int width, uint8_t *out)
{
    enum { WORD_BITS = 32 };
    uint64_t bits = 0;
    int bit_count = 0;
    for (size_t i = 0; i < group_count_of(count) * PACKED_GROUP; i++) {
        bits |= (uint64_t)(i < count ? codes[i] : 0) << bit_count;
        bit_count += width;
        if (bit_count < WORD_BITS)
            continue;
        memcpy(out, &bits, sizeof(uint32_t));
        out += sizeof(uint32_t);
        bits >>= WORD_BITS;
        bit_count -= WORD_BITS;
    }
    memcpy(out, &bits, (size_t)bit_count / 8);
}

/* Levels: 1 where there is a value. All or none: a run of one value. */
static void put_levels(const struct parquet_scratch *scratch, const struct parquet_chunk *chunk,
                       struct buffer *out)
{
    uint8_t head[10];
    bool is_run = chunk->missing == 0 || chunk->missing == chunk->row_count;
    size_t groups = group_count_of(chunk->row_count);
    size_t head_bytes =
        put_varint(head, is_run ? (uint64_t)chunk->row_count << 1 : (uint64_t)groups << 1 | 1);
    buffer_append_u32(out, (uint32_t)(head_bytes + (is_run ? 1 : groups)));
    buffer_append(out, head, head_bytes);
    if (is_run)
        buffer_append_char(out, chunk->missing == 0);
    else
        buffer_append(out, scratch->is_there, groups);
}

static void put_codes(const struct parquet_scratch *scratch, size_t count, int width, struct buffer *out)
{
    uint8_t head[10];
    size_t groups = group_count_of(count), head_bytes = put_varint(head, (uint64_t)groups << 1 | 1);
    buffer_append_char(out, (char)width);
    buffer_append(out, head, head_bytes);
    uint8_t *packed = buffer_extend(out, groups * (size_t)width);
    if (packed != NULL)
        pack(scratch->codes, count, width, packed);
}

/* Body and header of the data page; the header stands before the body and tells its size. */
static void put_data_page(const struct parquet_scratch *scratch, struct parquet_chunk *chunk, size_t count,
                          bool has_codes)
{
    struct buffer body;
    struct thrift_writer head = {.out = &chunk->bytes};
    buffer_init(&body, chunk->bytes.max_bytes);
    put_levels(scratch, chunk, &body);
    if (has_codes)
        put_codes(scratch, count, width_of(scratch->used_count), &body);
    else
        buffer_append(&body, scratch->values, count * sizeof(float));
    thrift_put_i32(&head, 1, PAGE_DATA);
    thrift_put_i32(&head, 2, (int32_t)body.size_bytes);
    thrift_put_i32(&head, 3, (int32_t)body.size_bytes);
    struct thrift_writer data = thrift_put_struct(&head, 5);
    thrift_put_i32(&data, 1, (int32_t)chunk->row_count);
    thrift_put_i32(&data, 2, has_codes ? ENCODING_CODES : ENCODING_PLAIN);
    thrift_put_i32(&data, 3, ENCODING_LEVELS);
    thrift_put_i32(&data, 4, ENCODING_LEVELS);
    thrift_end(&data);
    thrift_end(&head);
    buffer_append(&chunk->bytes, body.data, body.size_bytes);
    if (body.failed != ERR_OK)
        chunk->bytes.failed = body.failed;
    buffer_release(&body);
}

static void put_dictionary_page(const struct parquet_scratch *scratch, struct parquet_chunk *chunk)
{
    struct thrift_writer head = {.out = &chunk->bytes};
    int32_t size_bytes = (int32_t)(scratch->used_count * sizeof(float));
    thrift_put_i32(&head, 1, PAGE_DICTIONARY);
    thrift_put_i32(&head, 2, size_bytes);
    thrift_put_i32(&head, 3, size_bytes);
    struct thrift_writer dictionary = thrift_put_struct(&head, 7);
    thrift_put_i32(&dictionary, 1, (int32_t)scratch->used_count);
    thrift_put_i32(&dictionary, 2, ENCODING_PLAIN);
    thrift_end(&dictionary);
    thrift_end(&head);
    for (size_t i = 0; i < scratch->used_count; i++)
        buffer_append_u32(&chunk->bytes, scratch->table[scratch->used[i]].bits);
    chunk->dictionary_bytes = chunk->bytes.size_bytes;
}

void parquet_chunk_encode(struct parquet_scratch *scratch, size_t row_count, struct parquet_chunk *chunk)
{
    assert(row_count <= scratch->most_rows && row_count <= INT32_MAX / 8);
    *chunk = (struct parquet_chunk){.row_count = row_count};
    buffer_init(&chunk->bytes, INT32_MAX);
    size_t count = push_together(scratch, chunk);
    chunk->missing = row_count - count;
    bool has_codes = count > 0 && find_codes(scratch, count);
    if (has_codes)
        put_dictionary_page(scratch, chunk);
    put_data_page(scratch, chunk, count, has_codes);
    forget_codes(scratch);
}

/* ---- the description ---- */

/* By the format's rule a bound of zero may be of either sign: readers must not be misled. */
static void put_statistics(const struct parquet_chunk *chunk, struct thrift_writer *column)
{
    struct thrift_writer statistics = thrift_put_struct(column, 12);
    thrift_put_i64(&statistics, 3, (int64_t)chunk->missing);
    if (chunk->missing < chunk->row_count) {
        float low = chunk->low == 0 ? -0.0F : chunk->low, high = chunk->high == 0 ? 0.0F : chunk->high;
        thrift_put_bytes(&statistics, 5, &high, sizeof(high));
        thrift_put_bytes(&statistics, 6, &low, sizeof(low));
    }
    thrift_end(&statistics);
}

void parquet_chunk_describe(const struct parquet_chunk *chunk, const char *name, size_t offset,
                            struct buffer *out)
{
    struct thrift_writer element = {.out = out};
    thrift_put_i64(&element, 2, 0); /* where the description stands beside the pages: nowhere */
    struct thrift_writer column = thrift_put_struct(&element, 3);
    thrift_put_i32(&column, 1, PARQUET_FLOAT);
    thrift_put_list(&column, 2, THRIFT_I32, 2);
    thrift_put_element_i64(out, ENCODING_LEVELS);
    thrift_put_element_i64(out, chunk->dictionary_bytes > 0 ? ENCODING_CODES : ENCODING_PLAIN);
    thrift_put_list(&column, 3, THRIFT_TEXT, 1);
    thrift_put_element_text(out, name);
    thrift_put_i32(&column, 4, CODEC_NONE);
    thrift_put_i64(&column, 5, (int64_t)chunk->row_count);
    thrift_put_i64(&column, 6, (int64_t)chunk->bytes.size_bytes);
    thrift_put_i64(&column, 7, (int64_t)chunk->bytes.size_bytes);
    thrift_put_i64(&column, 9, (int64_t)(offset + chunk->dictionary_bytes));
    if (chunk->dictionary_bytes > 0)
        thrift_put_i64(&column, 11, (int64_t)offset);
    put_statistics(chunk, &column);
    thrift_end(&column);
    thrift_end(&element);
}
