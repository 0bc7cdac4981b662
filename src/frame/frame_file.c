/* The file form of a frame (docs/formats/frame.md). The place of every section follows from five numbers per
 * column (type, has a bitmap, name size, dictionary count, dictionary size) and the row count: writer and
 * reader compute it with the same function, and the reader refuses a file whose table says anything else. So
 * no offset of a file is ever trusted, even when its checksum is right. A frame that was opened is read in
 * place; nothing is copied. */
#include "frame/frame_private.h"

#include "base/hash.h"
#include "limits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are mapped as they lie in the file");

enum { FILE_VERSION = 1 };
#define FILE_BYTES_MAX                                                                                       \
    (INT64_C(1) << 42) /* keeps every sum below from overflowing; no disk of ours holds it */

static const char file_magic[8] = {'A', 'L', 'M', 'F', 'R', 'A', 'M', 'E'};

struct file_header {
    char magic[8];
    uint32_t version, column_count;
    uint64_t rows, file_bytes;
    unsigned char checksum[HASH_BYTES]; /* of the whole file with this field zero */
};

struct file_column {
    uint32_t type, dictionary_count;
    uint64_t name_offset, name_bytes; /* bytes without the zero behind it */
    uint64_t values_offset;
    uint64_t valid_offset;      /* 0: every row is present */
    uint64_t offsets_offset;    /* of the dictionary; 0 unless text */
    uint64_t dictionary_offset; /* 0 unless text */
    uint64_t dictionary_bytes;
};

_Static_assert(sizeof(struct file_header) == 64 && sizeof(struct file_column) == 64,
               "the format has no gaps");

static uint64_t aligned(uint64_t offset)
{
    return (offset + FRAME_ALIGNMENT - 1) / FRAME_ALIGNMENT * FRAME_ALIGNMENT;
}

/* Returns the place of a section and moves the end behind it. */
static uint64_t place(uint64_t *end, uint64_t size_bytes)
{
    uint64_t offset = aligned(*end);

    *end = offset + size_bytes;
    return offset;
}

/* Fills in the offsets of one column from its numbers. */
static void lay_out_column(struct file_column *column, bool has_valid, uint64_t rows, uint64_t *end)
{
    bool is_text = column->type == FRAME_TEXT;

    column->name_offset = place(end, column->name_bytes + 1);
    column->values_offset = place(end, rows * frame_value_bytes((enum frame_type)column->type));
    column->valid_offset = has_valid ? place(end, frame_valid_words(rows) * sizeof(uint64_t)) : 0;
    column->offsets_offset =
        is_text ? place(end, ((uint64_t)column->dictionary_count + 1) * sizeof(uint64_t)) : 0;
    column->dictionary_offset = is_text ? place(end, column->dictionary_bytes) : 0;
}

static uint64_t tables_end(uint64_t column_count)
{
    return sizeof(struct file_header) + column_count * sizeof(struct file_column);
}

/* ---- save ---- */

/* The table of `frame`; returns the size of the file. */
static uint64_t lay_out(const struct frame *frame, struct file_column *columns)
{
    uint64_t end = tables_end(frame->column_count);

    for (size_t index = 0; index < frame->column_count; index++) {
        const struct frame_column *from = &frame->columns[index];
        columns[index] = (struct file_column){.type = from->type, .name_bytes = strlen(from->name)};
        if (from->type == FRAME_TEXT) {
            columns[index].dictionary_count = (uint32_t)from->dictionary_count;
            columns[index].dictionary_bytes = from->dictionary_offsets[from->dictionary_count];
        }
        lay_out_column(&columns[index], from->valid != NULL, frame->rows, &end);
    }
    return end;
}

static void copy_column(const struct frame_column *from, const struct file_column *to, size_t rows,
                        char *data)
{
    memcpy(data + to->name_offset, from->name, to->name_bytes + 1);
    memcpy(data + to->values_offset, from->values, rows * frame_value_bytes(from->type));
    if (from->valid != NULL)
        memcpy(data + to->valid_offset, from->valid, frame_valid_words(rows) * sizeof(uint64_t));
    if (from->type == FRAME_TEXT) {
        memcpy(data + to->offsets_offset, from->dictionary_offsets,
               ((size_t)from->dictionary_count + 1) * sizeof(uint64_t));
        memcpy(data + to->dictionary_offset, from->dictionary_bytes, to->dictionary_bytes);
    }
}

/* `data` is zeroed (a new file), so gaps and the checksum's field already are. */
static void write_image(const struct frame *frame, const struct file_column *columns, char *data,
                        uint64_t file_bytes)
{
    struct file_header header = {.version = FILE_VERSION,
                                 .column_count = (uint32_t)frame->column_count,
                                 .rows = frame->rows,
                                 .file_bytes = file_bytes};

    memcpy(header.magic, file_magic, sizeof file_magic);
    memcpy(data, &header, sizeof header);
    memcpy(data + sizeof header, columns, frame->column_count * sizeof *columns);
    for (size_t index = 0; index < frame->column_count; index++)
        copy_column(&frame->columns[index], &columns[index], frame->rows, data);
    hash_bytes(data, file_bytes, header.checksum);
    memcpy(data, &header, sizeof header);
}

enum err_code frame_save(const struct frame *frame, const char *path, struct err *err)
{
    struct file_build build;

    struct file_column *columns = calloc(frame->column_count, sizeof *columns);
    if (columns == NULL)
        return err_nomem(err, frame->column_count * sizeof *columns);
    uint64_t file_bytes = lay_out(frame, columns);
    enum err_code code = file_build_start(path, file_bytes, &build, err);
    if (code == ERR_OK) {
        write_image(frame, columns, build.data, file_bytes);
        code = file_build_finish(&build, err);
        file_build_abandon(&build);
    }
    free(columns);
    return code;
}

/* ---- open ---- */

struct reader {
    const char *path;
    const char *data;
    struct file_header header;
    struct err *err;
};

static enum err_code corrupt(const struct reader *reader, const char *cause)
{
    return err_set(reader->err, ERR_CORRUPT, "cannot read frame '%s': %s", reader->path, cause);
}

static enum err_code check_header(struct reader *reader, size_t file_bytes)
{
    if (file_bytes < sizeof reader->header)
        return corrupt(reader, "it is shorter than its header");
    memcpy(&reader->header, reader->data, sizeof reader->header);
    if (memcmp(reader->header.magic, file_magic, sizeof file_magic) != 0)
        return corrupt(reader, "it does not begin with 'ALMFRAME'");
    if (reader->header.version != FILE_VERSION)
        return err_set(reader->err, ERR_CORRUPT,
                       "cannot read frame '%s': version %" PRIu32 ", this program reads %d", reader->path,
                       reader->header.version, FILE_VERSION);
    if (reader->header.file_bytes != file_bytes)
        return err_set(reader->err, ERR_CORRUPT,
                       "cannot read frame '%s': %zu bytes, its header says %" PRIu64 " (truncated?)",
                       reader->path, file_bytes, reader->header.file_bytes);
    if (reader->header.rows > LIMIT_FRAME_ROWS || reader->header.column_count == 0 ||
        reader->header.column_count > LIMIT_FEATURES)
        return corrupt(reader, "more rows or columns than a frame can have");
    if (tables_end(reader->header.column_count) > file_bytes)
        return corrupt(reader, "it is shorter than its table of columns");
    return ERR_OK;
}

static enum err_code check_checksum(const struct reader *reader)
{
    struct file_header blank = reader->header;
    unsigned char checksum[HASH_BYTES];
    struct hash hash;

    memset(blank.checksum, 0, sizeof blank.checksum);
    hash_init(&hash);
    hash_add(&hash, &blank, sizeof blank);
    hash_add(&hash, reader->data + sizeof blank, reader->header.file_bytes - sizeof blank);
    hash_final(&hash, checksum);
    if (memcmp(checksum, reader->header.checksum, sizeof checksum) != 0)
        return corrupt(reader, "its checksum is wrong; remove it and build it again");
    return ERR_OK;
}

/* Numbers of a column, before its offsets are computed from them. */
static bool has_sane_numbers(const struct file_column *column, uint64_t file_bytes)
{
    bool is_text = column->type == FRAME_TEXT;

    if (column->type >= FRAME_TYPE_COUNT || column->name_bytes == 0 || column->name_bytes > file_bytes)
        return false;
    if (!is_text && (column->dictionary_count != 0 || column->dictionary_bytes != 0))
        return false;
    return column->dictionary_count <= INT32_MAX && column->dictionary_bytes <= file_bytes;
}

/* The table must say what the layout says; `end` is where the last section so far ended. */
static enum err_code check_layout(const struct reader *reader, const struct file_column *column,
                                  uint64_t *end)
{
    if (!has_sane_numbers(column, reader->header.file_bytes))
        return corrupt(reader, "its table of columns has a number out of range");
    struct file_column expected = *column;
    lay_out_column(&expected, column->valid_offset != 0, reader->header.rows, end);
    if (memcmp(&expected, column, sizeof expected) != 0 || *end > reader->header.file_bytes)
        return corrupt(reader, "its table of columns points to the wrong places");
    return ERR_OK;
}

static bool is_good_dictionary(const struct frame_column *column, uint64_t dictionary_bytes)
{
    if (column->dictionary_offsets[0] != 0 ||
        column->dictionary_offsets[column->dictionary_count] != dictionary_bytes)
        return false;
    for (int32_t code = 0; code < column->dictionary_count; code++) {
        uint64_t start = column->dictionary_offsets[code], end = column->dictionary_offsets[code + 1];
        if (end <= start || end > dictionary_bytes || column->dictionary_bytes[end - 1] != '\0')
            return false;
    }
    return true;
}

/* Codes below the count, -1 exactly in missing rows. */
static bool has_good_codes(const struct frame_column *column, size_t rows)
{
    const int32_t *codes = column->values;

    for (size_t row = 0; row < rows; row++) {
        if (codes[row] < -1 || codes[row] >= column->dictionary_count)
            return false;
        if ((codes[row] == -1) == frame_bit(column->valid, row))
            return false;
    }
    return true;
}

static bool has_clear_tail(const uint64_t *valid, size_t rows)
{
    return valid == NULL || rows % 64 == 0 || (valid[rows / 64] >> (rows % 64)) == 0;
}

static enum err_code check_contents(const struct reader *reader, const struct file_column *from,
                                    const struct frame_column *column)
{
    size_t rows = (size_t)reader->header.rows;

    assert(column->name != NULL &&
           column->values != NULL); /* the layout gave them offsets behind the table */
    if (column->name[from->name_bytes] != '\0' || strlen(column->name) != from->name_bytes)
        return corrupt(reader, "a column's name is not one text");
    if (!has_clear_tail(column->valid, rows))
        return corrupt(reader, "a bitmap goes on behind the last row");
    if (column->type != FRAME_TEXT)
        return ERR_OK;
    if (!is_good_dictionary(column, from->dictionary_bytes))
        return corrupt(reader, "a dictionary is not a run of texts");
    if (!has_good_codes(column, rows))
        return corrupt(reader, "a text code has no text");
    return ERR_OK;
}

/* The map is read-only; the pointers lose their const because a frame in memory owns what they point to. */
static void *at(const struct reader *reader, uint64_t offset)
{
    return offset == 0 ? NULL : (void *)(uintptr_t)(reader->data + offset);
}

static enum err_code read_columns(const struct reader *reader, struct frame *frame)
{
    uint64_t end = tables_end(reader->header.column_count);

    for (size_t index = 0; index < frame->column_count; index++) {
        struct file_column from;
        memcpy(&from, reader->data + tables_end(index), sizeof from);
        enum err_code code = check_layout(reader, &from, &end);
        if (code != ERR_OK)
            return code;
        frame->columns[index] = (struct frame_column){
            .name = at(reader, from.name_offset),
            .type = (enum frame_type)from.type,
            .values = at(reader, from.values_offset),
            .valid = at(reader, from.valid_offset),
            .dictionary_count = (int32_t)from.dictionary_count,
            .dictionary_offsets = at(reader, from.offsets_offset),
            .dictionary_bytes = at(reader, from.dictionary_offset),
        };
        code = check_contents(reader, &from, &frame->columns[index]);
        if (code != ERR_OK)
            return code;
    }
    if (end != reader->header.file_bytes)
        return corrupt(reader, "it goes on behind its last column");
    return ERR_OK;
}

/* Checks `map` and reads it; *out owns the map only when the result is ERR_OK. */
static enum err_code read_map(const char *path, struct file_map map, struct frame **out, struct err *err)
{
    struct reader reader = {.path = path, .data = map.data, .err = err};

    enum err_code code = check_header(&reader, map.size_bytes);
    if (code == ERR_OK)
        code = check_checksum(&reader);
    if (code != ERR_OK)
        return code;
    struct frame *frame = frame_allocate(reader.header.column_count);
    if (frame == NULL)
        return err_nomem(err, reader.header.column_count * sizeof(struct frame_column));
    frame->rows = (size_t)reader.header.rows;
    code = read_columns(&reader, frame);
    if (code != ERR_OK) {
        free(frame);
        return code;
    }
    frame->map = map;
    *out = frame;
    return ERR_OK;
}

enum err_code frame_open(const char *path, struct frame **out, struct err *err)
{
    struct file_map map;

    *out = NULL;
    enum err_code code = file_map_open(path, FILE_BYTES_MAX, &map, err);
    if (code != ERR_OK)
        return code;
    code = read_map(path, map, out, err);
    if (code != ERR_OK)
        file_map_close(&map);
    return code;
}
