/* Some rows of a Parquet file: see parquet_pick.h.
 *
 * A page tells in its levels which rows have a value, then gives those values, or their codes in the chunk's dictionary. Both
 * are runs ("RLE/bit-packed hybrid"): so many times one number, or numbers of a fixed width. The rows asked for ascend, so one
 * walk over each finds them: ones of the levels are counted up to a row, which gives its value's place, and there lies the
 * code. Nothing is taken from the file on trust: every read is checked against the page's end, and within a page a load of
 * eight bytes never leaves the file, as its tail follows. */
#include "view/parquet_pick.h"

#include "os/file.h"
#include "view/thrift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 4, TAIL_BYTES = 8, BATCH_ROWS = 1024, MOST_WIDTH = 32 };
enum { TYPE_I64 = 2, TYPE_F32 = 4 };
enum { REQUIRED = 0, OPTIONAL = 1 };
enum { PAGE_DATA = 0, PAGE_INDEX = 1, PAGE_DICTIONARY = 2 };
enum { ENCODING_PLAIN = 0, ENCODING_PLAIN_CODES = 2, ENCODING_LEVELS = 3, ENCODING_CODES = 8 };
enum { FILE_SCHEMA = 2, FILE_ROWS = 3, FILE_GROUPS = 4 };
enum { SCHEMA_TYPE = 1, SCHEMA_REPETITION = 3, SCHEMA_NAME = 4, SCHEMA_CHILDREN = 5 };
enum { GROUP_COLUMNS = 1, GROUP_ROWS = 3 };
enum { CHUNK_META = 3 };
enum { META_CODEC = 4, META_VALUES = 5, META_BYTES = 7, META_DATA = 9, META_DICTIONARY = 11 };
enum { HEAD_TYPE = 1, HEAD_FULL_BYTES = 2, HEAD_BYTES = 3, HEAD_DATA = 5, HEAD_DICTIONARY = 7 };
enum { DATA_VALUES = 1, DATA_ENCODING = 2, DATA_LEVELS = 3 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "file formats are little endian");

struct leaf {
    const uint8_t *name;
    size_t name_bytes;
    int type, repetition;
};
struct chunk {
    uint64_t offset, size_bytes, values;
    bool is_plain; /* not compressed */
};
struct parquet_file {
    struct file_map map;
    struct leaf *leaves; /* [leaf_count] */
    size_t leaf_count, group_count, row_count;
    size_t *group_rows;   /* [group_count] */
    struct chunk *chunks; /* [group][leaf] */
};

/* ---- the footer ---- */

static void read_leaf(struct thrift_reader *reader, struct leaf *leaf)
{
    struct thrift_field field = {0};
    *leaf = (struct leaf){.type = -1, .repetition = -1};
    while (thrift_next_field(reader, &field)) {
        if (field.id == SCHEMA_TYPE && field.type == THRIFT_I32)
            leaf->type = (int)thrift_i64(reader);
        else if (field.id == SCHEMA_REPETITION && field.type == THRIFT_I32)
            leaf->repetition = (int)thrift_i64(reader);
        else if (field.id == SCHEMA_CHILDREN)
            reader->is_damaged = true; /* nested: not read here */
        else if (field.id == SCHEMA_NAME && field.type == THRIFT_TEXT)
            leaf->name = thrift_text(reader, &leaf->name_bytes);
        else
            thrift_skip(reader, field.type);
    }
    reader->is_damaged |= leaf->name == NULL;
}

static enum err_code read_schema(struct parquet_file *file, struct thrift_reader *reader, struct err *err)
{
    enum thrift_type element;
    size_t count = thrift_list(reader, &element);
    reader->is_damaged |= count == 0 || element != THRIFT_STRUCT || file->leaves != NULL;
    if (reader->is_damaged)
        return ERR_OK;
    thrift_skip(reader, THRIFT_STRUCT); /* the root */
    file->leaf_count = count - 1;
    file->leaves = calloc(count, sizeof(*file->leaves));
    if (file->leaves == NULL)
        return err_nomem(err, count * sizeof(*file->leaves));
    for (size_t i = 0; i < file->leaf_count; i++)
        read_leaf(reader, &file->leaves[i]);
    return ERR_OK;
}

static void read_meta(struct thrift_reader *reader, struct chunk *chunk)
{
    struct thrift_field field = {0};
    int64_t codec = -1, values = -1, size_bytes = -1, data = -1, dictionary = -1;
    while (thrift_next_field(reader, &field)) {
        if (field.id == META_CODEC && field.type == THRIFT_I32)
            codec = thrift_i64(reader);
        else if (field.id == META_VALUES && field.type == THRIFT_I64)
            values = thrift_i64(reader);
        else if (field.id == META_BYTES && field.type == THRIFT_I64)
            size_bytes = thrift_i64(reader);
        else if (field.id == META_DATA && field.type == THRIFT_I64)
            data = thrift_i64(reader);
        else if (field.id == META_DICTIONARY && field.type == THRIFT_I64)
            dictionary = thrift_i64(reader);
        else
            thrift_skip(reader, field.type);
    }
    chunk->offset = (uint64_t)(dictionary > 0 && dictionary < data ? dictionary : data);
    chunk->size_bytes = (uint64_t)size_bytes;
    chunk->values = (uint64_t)values;
    chunk->is_plain = codec == 0 && size_bytes >= 0 && data >= 0;
}

static void read_chunk(struct thrift_reader *reader, struct chunk *chunk)
{
    struct thrift_field field = {0};
    while (thrift_next_field(reader, &field)) {
        if (field.id == CHUNK_META && field.type == THRIFT_STRUCT)
            read_meta(reader, chunk);
        else
            thrift_skip(reader, field.type);
    }
}

static void read_group(struct parquet_file *file, struct thrift_reader *reader, size_t group)
{
    struct thrift_field field = {0};
    while (thrift_next_field(reader, &field)) {
        if (field.id == GROUP_COLUMNS && field.type == THRIFT_LIST) {
            enum thrift_type element;
            size_t count = thrift_list(reader, &element);
            reader->is_damaged |= count != file->leaf_count || element != THRIFT_STRUCT;
            for (size_t i = 0; i < count && !reader->is_damaged; i++)
                read_chunk(reader, &file->chunks[group * file->leaf_count + i]);
        } else if (field.id == GROUP_ROWS && field.type == THRIFT_I64) {
            int64_t rows = thrift_i64(reader);
            reader->is_damaged |= rows < 0 || rows > INT32_MAX - (int64_t)file->row_count;
            file->group_rows[group] = reader->is_damaged ? 0 : (size_t)rows;
            file->row_count += file->group_rows[group];
        } else {
            thrift_skip(reader, field.type);
        }
    }
}

/* The schema comes before the groups: in the order of their numbers. */
static enum err_code read_groups(struct parquet_file *file, struct thrift_reader *reader, struct err *err)
{
    enum thrift_type element;
    size_t count = thrift_list(reader, &element);
    /* a chunk is told in a byte at least: no more memory is asked for than the footer's size calls for */
    reader->is_damaged |= file->leaves == NULL || file->chunks != NULL ||
                          (count > 0 && element != THRIFT_STRUCT) ||
                          count > (size_t)(reader->end - reader->at) / (file->leaf_count + 1);
    if (reader->is_damaged)
        return ERR_OK;
    file->group_rows = calloc(count + 1, sizeof(*file->group_rows));
    file->chunks = calloc(count * file->leaf_count + 1, sizeof(*file->chunks));
    if (file->group_rows == NULL || file->chunks == NULL)
        return err_nomem(err, count * file->leaf_count * sizeof(*file->chunks));
    file->group_count = count;
    for (size_t i = 0; i < count; i++)
        read_group(file, reader, i);
    return ERR_OK;
}

static struct thrift_reader footer_of(const struct file_map *map)
{
    const size_t around_bytes = MAGIC_BYTES + TAIL_BYTES;
    const struct thrift_reader none = {.is_damaged = true};
    uint32_t size_bytes;
    if (map->size_bytes < around_bytes)
        return none;
    const uint8_t *tail = (const uint8_t *)map->data + map->size_bytes - TAIL_BYTES;
    memcpy(&size_bytes, tail, sizeof(size_bytes));
    if (size_bytes > map->size_bytes - around_bytes ||
        memcmp(tail + sizeof(size_bytes), "PAR1", MAGIC_BYTES) != 0)
        return none;
    return (struct thrift_reader){tail - size_bytes, tail, false};
}

static enum err_code read_footer(struct parquet_file *file, struct err *err)
{
    struct thrift_reader reader = footer_of(&file->map);
    struct thrift_field field = {0};
    enum err_code code = ERR_OK;
    int64_t rows = -1;
    while (code == ERR_OK && thrift_next_field(&reader, &field)) {
        if (field.id == FILE_SCHEMA && field.type == THRIFT_LIST)
            code = read_schema(file, &reader, err);
        else if (field.id == FILE_GROUPS && field.type == THRIFT_LIST)
            code = read_groups(file, &reader, err);
        else if (field.id == FILE_ROWS && field.type == THRIFT_I64)
            rows = thrift_i64(&reader);
        else
            thrift_skip(&reader, field.type);
    }
    if (code == ERR_OK && (reader.is_damaged || file->chunks == NULL || rows != (int64_t)file->row_count))
        code = err_set(err, ERR_CORRUPT, "it is no Parquet file, or of a kind that only the engine reads");
    return code;
}

enum err_code parquet_file_open(const char *path, struct parquet_file **out, struct err *err)
{
    struct parquet_file *file = calloc(1, sizeof(*file));
    *out = NULL;
    if (file == NULL)
        return err_nomem(err, sizeof(*file));
    enum err_code code = file_map_open(path, INT64_MAX, &file->map, err);
    if (code == ERR_OK)
        code = read_footer(file, err);
    if (code != ERR_OK)
        parquet_file_close(file);
    else
        *out = file;
    return code;
}

void parquet_file_close(struct parquet_file *file)
{
    if (file == NULL)
        return;
    file_map_close(&file->map);
    free(file->leaves);
    free(file->group_rows);
    free(file->chunks);
    free(file);
}

size_t parquet_file_rows(const struct parquet_file *file)
{
    return file->row_count;
}

/* ---- runs ---- */

static uint64_t load(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

struct runs {
    const uint8_t *at, *end;
    unsigned width;
    uint64_t first, count; /* of the present run: numbers [first, first + count) */
    const uint8_t *packed; /* NULL: all are `value` */
    uint64_t value;
};

static struct runs runs_of(const uint8_t *at, const uint8_t *end, unsigned width)
{
    return (struct runs){.at = at, .end = end, .width = width};
}

static bool next_run(struct runs *runs)
{
    uint64_t head = 0;
    uint8_t byte = 0x80;
    for (unsigned shift = 0; byte >= 0x80; shift += 7) {
        if (runs->at == runs->end || shift > 28)
            return false;
        byte = *runs->at++;
        head |= (uint64_t)(byte & 0x7f) << shift;
    }
    bool is_packed = (head & 1) != 0;
    uint64_t left = (uint64_t)(runs->end - runs->at);
    uint64_t size_bytes = is_packed ? (head >> 1) * runs->width : (runs->width + 7) / 8;
    if (size_bytes > left)
        return false;
    runs->first += runs->count;
    runs->count = is_packed ? (head >> 1) * 8 : head >> 1;
    runs->packed = is_packed ? runs->at : NULL;
    runs->value = 0;
    for (uint64_t i = 0; !is_packed && i < size_bytes; i++)
        runs->value |= (uint64_t)runs->at[i] << 8 * i;
    runs->at += size_bytes;
    return runs->value >> runs->width == 0;
}

/* Ones among the bits [from, to). */
static uint64_t count_ones(const uint8_t *bits, uint64_t from, uint64_t to)
{
    enum { STEP = 56 }; /* what a load gives whatever the first bit */
    uint64_t ones = 0;
    for (; from < to; from += STEP) {
        uint64_t word = load(bits + from / 8) >> from % 8;
        uint64_t count = to - from < STEP ? to - from : STEP;
        ones += (uint64_t)__builtin_popcountll(word & ((UINT64_C(1) << count) - 1));
    }
    return ones;
}

static uint64_t ones_of_run(const struct runs *runs, uint64_t from, uint64_t to)
{
    if (runs->packed == NULL)
        return runs->value != 0 ? to - from : 0;
    return count_ones(runs->packed, from - runs->first, to - runs->first);
}

static bool is_one(const struct runs *runs, uint64_t at)
{
    uint64_t bit = at - runs->first;
    return runs->packed == NULL ? runs->value != 0 : (runs->packed[bit / 8] >> bit % 8 & 1) != 0;
}

/* ---- pages ---- */

struct page {
    int64_t type, full_bytes, size_bytes, values, encoding, levels;
    const uint8_t *body;
};
/* What is asked of one chunk. */
struct pick {
    const int32_t *rows;
    size_t count, done;
    size_t first_row; /* of the page, in the file */
    bool is_optional;
    size_t value_bytes;
    const uint8_t *dictionary;
    uint64_t dictionary_count;
    char *out, missing[sizeof(int64_t)];
};

static void read_page_detail(struct thrift_reader *reader, struct page *page)
{
    struct thrift_field field = {0};
    while (thrift_next_field(reader, &field)) {
        if (field.id == DATA_VALUES && field.type == THRIFT_I32)
            page->values = thrift_i64(reader);
        else if (field.id == DATA_ENCODING && field.type == THRIFT_I32)
            page->encoding = thrift_i64(reader);
        else if (field.id == DATA_LEVELS && field.type == THRIFT_I32)
            page->levels = thrift_i64(reader);
        else
            thrift_skip(reader, field.type);
    }
}

/* The next page; the reader is behind its body. */
static bool read_page(struct thrift_reader *reader, struct page *page)
{
    struct thrift_field field = {0};
    *page = (struct page){-1, -1, -1, -1, -1, -1, NULL};
    while (thrift_next_field(reader, &field)) {
        if (field.id == HEAD_TYPE && field.type == THRIFT_I32)
            page->type = thrift_i64(reader);
        else if (field.id == HEAD_BYTES && field.type == THRIFT_I32)
            page->size_bytes = thrift_i64(reader);
        else if (field.id == HEAD_FULL_BYTES && field.type == THRIFT_I32)
            page->full_bytes = thrift_i64(reader);
        else if ((field.id == HEAD_DATA || field.id == HEAD_DICTIONARY) && field.type == THRIFT_STRUCT)
            read_page_detail(reader, page);
        else
            thrift_skip(reader, field.type);
    }
    if (reader->is_damaged || page->size_bytes < 0 || page->size_bytes > reader->end - reader->at ||
        page->full_bytes != page->size_bytes)
        return false;
    page->body = reader->at;
    reader->at += page->size_bytes;
    return page->type == PAGE_INDEX || page->values >= 0;
}

static bool take_dictionary(struct pick *pick, const struct page *page)
{
    pick->dictionary = page->body;
    pick->dictionary_count = (uint64_t)page->values;
    return (page->encoding == ENCODING_PLAIN || page->encoding == ENCODING_PLAIN_CODES) &&
           pick->dictionary_count <= (uint64_t)page->size_bytes / pick->value_bytes;
}

/* places[i]: of the value of row rows[i], -1: missing. */
static bool find_places(struct runs *levels, uint64_t *at, uint64_t *ones, const struct pick *pick,
                        const int32_t *rows, size_t count, int64_t *places)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t row = (uint64_t)rows[i] - pick->first_row;
        while (row >= levels->first + levels->count) {
            *ones += ones_of_run(levels, *at, levels->first + levels->count);
            *at = levels->first + levels->count;
            if (!next_run(levels))
                return false;
        }
        *ones += ones_of_run(levels, *at, row);
        *at = row;
        places[i] = is_one(levels, row) ? (int64_t)*ones : -1;
    }
    return true;
}

/* Of 4 or 8 bytes: a copy of a size that is known is one instruction. */
static void copy_value(const struct pick *pick, size_t index, const void *value)
{
    if (pick->value_bytes == sizeof(float))
        memcpy(pick->out + index * sizeof(float), value, sizeof(float));
    else
        memcpy(pick->out + index * sizeof(int64_t), value, sizeof(int64_t));
}

static bool pick_plain(struct pick *pick, const uint8_t *values, uint64_t value_count, const int64_t *places,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (places[i] >= 0 && (uint64_t)places[i] >= value_count)
            return false;
        copy_value(pick, pick->done + i,
                   places[i] < 0 ? (const void *)pick->missing
                                 : values + (size_t)places[i] * pick->value_bytes);
    }
    return true;
}

static bool pick_codes(struct pick *pick, struct runs *codes, const int64_t *places, size_t count)
{
    const uint64_t mask = (UINT64_C(1) << codes->width) - 1;
    for (size_t i = 0; i < count; i++) {
        if (places[i] < 0) {
            copy_value(pick, pick->done + i, pick->missing);
            continue;
        }
        uint64_t place = (uint64_t)places[i], code;
        while (place >= codes->first + codes->count) {
            if (!next_run(codes))
                return false;
        }
        uint64_t bit = (place - codes->first) * codes->width;
        code = codes->packed != NULL ? load(codes->packed + bit / 8) >> bit % 8 & mask : codes->value;
        if (code >= pick->dictionary_count)
            return false;
        copy_value(pick, pick->done + i, pick->dictionary + code * pick->value_bytes);
    }
    return true;
}

/* The levels of the page; *out_values: what follows. A column that is always there has none: one run of ones. */
static bool open_levels(const struct pick *pick, const struct page *page, struct runs *levels,
                        const uint8_t **out_values)
{
    const uint8_t *end = page->body + page->size_bytes;
    uint32_t size_bytes;
    *levels = (struct runs){.count = UINT64_MAX, .value = 1};
    *out_values = page->body;
    if (!pick->is_optional)
        return true;
    if (page->levels != ENCODING_LEVELS || (size_t)page->size_bytes < sizeof(size_bytes))
        return false;
    memcpy(&size_bytes, page->body, sizeof(size_bytes));
    if (size_bytes > (size_t)page->size_bytes - sizeof(size_bytes))
        return false;
    *out_values = page->body + sizeof(size_bytes) + size_bytes;
    *levels = runs_of(page->body + sizeof(size_bytes), *out_values, 1);
    return *out_values <= end;
}

static bool open_codes(const struct pick *pick, const struct page *page, const uint8_t *values,
                       struct runs *codes)
{
    const uint8_t *end = page->body + page->size_bytes;
    bool is_known = page->encoding == ENCODING_CODES || page->encoding == ENCODING_PLAIN_CODES;
    if (!is_known || pick->dictionary == NULL || (values<end && * values> MOST_WIDTH))
        return false;
    *codes = values < end ? runs_of(values + 1, end, *values) : runs_of(end, end, 0);
    return true;
}

/* How many of the rows that are left lie before `end_row`, at most a batch. */
static size_t count_rows(const struct pick *pick, size_t end_row)
{
    size_t count = 0;
    while (count < BATCH_ROWS && pick->done + count < pick->count &&
           (size_t)pick->rows[pick->done + count] < end_row)
        count++;
    return count;
}

static bool pick_page(struct pick *pick, const struct page *page, size_t end_row)
{
    const uint8_t *values, *end = page->body + page->size_bytes;
    struct runs levels, codes = {0};
    uint64_t at = 0, ones = 0;
    int64_t places[BATCH_ROWS];
    bool is_plain = page->encoding == ENCODING_PLAIN;
    if ((uint64_t)page->values > end_row - pick->first_row || !open_levels(pick, page, &levels, &values) ||
        (!is_plain && !open_codes(pick, page, values, &codes)))
        return false;
    const uint64_t value_count = (uint64_t)(end - values) / pick->value_bytes;
    const size_t page_end = pick->first_row + (size_t)page->values;
    for (size_t count; (count = count_rows(pick, page_end)) > 0; pick->done += count) {
        if (!find_places(&levels, &at, &ones, pick, pick->rows + pick->done, count, places))
            return false;
        if (is_plain ? !pick_plain(pick, values, value_count, places, count)
                     : !pick_codes(pick, &codes, places, count))
            return false;
    }
    pick->first_row = page_end;
    return true;
}

/* ---- columns ---- */

/* All pages of the chunk, although the rows may lie in the first: only together they tell whether one of them has other rows
 * than it says. */
static bool pick_chunk(const struct parquet_file *file, const struct chunk *chunk, struct pick *pick,
                       size_t end_row)
{
    uint64_t file_bytes = file->map.size_bytes - TAIL_BYTES; /* pages end before the tail */
    const uint8_t *data = (const uint8_t *)file->map.data;
    if (pick->done == pick->count || (size_t)pick->rows[pick->done] >= end_row)
        return true;
    if (!chunk->is_plain || chunk->offset > file_bytes || chunk->size_bytes > file_bytes - chunk->offset ||
        chunk->values != end_row - pick->first_row)
        return false;
    struct thrift_reader reader = {data + chunk->offset, data + chunk->offset + chunk->size_bytes, false};
    pick->dictionary = NULL;
    while (reader.at < reader.end) {
        struct page page;
        if (!read_page(&reader, &page))
            return false;
        bool is_good = page.type == PAGE_DICTIONARY ? take_dictionary(pick, &page)
                       : page.type == PAGE_DATA     ? pick_page(pick, &page, end_row)
                                                    : page.type == PAGE_INDEX;
        if (!is_good)
            return false;
    }
    return pick->first_row == end_row;
}

static const struct leaf *find_leaf(const struct parquet_file *file, const char *name, int type)
{
    size_t name_bytes = strlen(name);
    for (size_t i = 0; i < file->leaf_count; i++) {
        const struct leaf *leaf = &file->leaves[i];
        if (leaf->name_bytes == name_bytes && memcmp(leaf->name, name, name_bytes) == 0)
            return leaf->type == type && (leaf->repetition == REQUIRED || leaf->repetition == OPTIONAL)
                       ? leaf
                       : NULL;
    }
    return NULL;
}

static bool pick(const struct parquet_file *file, const char *column, int type, struct pick *pick)
{
    const struct leaf *leaf = find_leaf(file, column, type);
    size_t first_row = 0;
    if (leaf == NULL)
        return false;
    pick->is_optional = leaf->repetition == OPTIONAL;
    for (size_t group = 0; group < file->group_count && pick->done < pick->count; group++) {
        pick->first_row = first_row;
        first_row += file->group_rows[group];
        if (!pick_chunk(file, &file->chunks[group * file->leaf_count + (size_t)(leaf - file->leaves)], pick,
                        first_row))
            return false;
    }
    return pick->done == pick->count;
}

bool parquet_pick_f32(const struct parquet_file *file, const char *column, const int32_t *rows, size_t count,
                      float *out)
{
    struct pick asked = {.rows = rows, .count = count, .value_bytes = sizeof(*out), .out = (char *)out};
    const float missing = NAN;
    memcpy(asked.missing, &missing, sizeof(missing));
    return pick(file, column, TYPE_F32, &asked);
}

bool parquet_pick_i64(const struct parquet_file *file, const char *column, const int32_t *rows, size_t count,
                      int64_t *out)
{
    struct pick asked = {.rows = rows, .count = count, .value_bytes = sizeof(*out), .out = (char *)out};
    const int64_t missing = INT64_MIN;
    memcpy(asked.missing, &missing, sizeof(missing));
    return pick(file, column, TYPE_I64, &asked);
}
