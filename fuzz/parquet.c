/* Fuzzes our own reading of Parquet files, and of the footers we extend, with the bytes as they are, with pages and a footer that
 * a valid head and tail are put around (or the fuzzer would not get past the footer's length), and with a file that our writer
 * made, bytes of which are then changed: the first three bytes are its rows and what values are in them, each three that follow
 * a place and what to change there.
 *
 * Whatever is read, rows picked together must be the rows picked one by one, every one of them written; a footer that is
 * extended must have the groups that it had; and what our writer made must be read as it is. */
#include "base/buffer.h"
#include "view/parquet_chunk.h"
#include "view/parquet_footer.h"
#include "view/parquet_pick.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PICKED = 48, MOST_ROWS = 600, GROUPS = 2, FLOATS = 2, MOST_BYTES = 1 << 20 };
static const char *const names[FLOATS] = {"a", "b"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- picking ---- */

struct column {
    const char *name;
    size_t value_bytes; /* 4: floats; 8: integers */
};
static const struct column columns[] = {
    {"a", sizeof(float)}, {"b", sizeof(float)}, {"n", sizeof(int64_t)}, {"", sizeof(float)}};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static bool pick(const struct parquet_file *file, const struct column *column, const int32_t *rows,
                 size_t count, void *out)
{
    return column->value_bytes == sizeof(float) ? parquet_pick_f32(file, column->name, rows, count, out)
                                                : parquet_pick_i64(file, column->name, rows, count, out);
}

/* Ascending, near each other and far. */
static size_t draw_rows(const uint8_t *data, size_t size_bytes, size_t row_count, int32_t rows[PICKED])
{
    size_t count = 0;
    uint64_t row = 0;
    for (size_t i = 0; i < size_bytes && count < PICKED; i++) {
        row += data[i] < 0xf0 ? data[i] % 16U : UINT64_C(1) << 2 * (data[i] % 16U);
        if (row >= row_count)
            break;
        rows[count++] = (int32_t)row++;
    }
    return count;
}

static void check_column(const struct parquet_file *file, const struct column *column, const int32_t *rows,
                         size_t count)
{
    char together[PICKED * sizeof(int64_t)], alone[sizeof(int64_t)];
    memset(together, 0x5a, sizeof(together));
    if (!pick(file, column, rows, count, together))
        return;
    for (size_t i = 0; i < count; i++) {
        memset(alone, 0xa5, sizeof(alone));
        require(pick(file, column, &rows[i], 1, alone));
        require(memcmp(alone, together + i * column->value_bytes, column->value_bytes) == 0);
    }
}

/* A file without a name, as reading wants a path. NULL: it is none that is read. */
static struct parquet_file *open_bytes(const void *data, size_t size_bytes)
{
    static int descriptor = -1;
    static char path[64];
    struct parquet_file *file;
    struct err err = {0};
    if (descriptor < 0) {
        descriptor = memfd_create("fuzz", MFD_CLOEXEC);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    }
    require(descriptor >= 0 && ftruncate(descriptor, 0) == 0);
    require(pwrite(descriptor, data, size_bytes, 0) == (ssize_t)size_bytes);
    enum err_code code = parquet_file_open(path, &file, &err);
    if (code == ERR_OK)
        return file;
    require(code == ERR_CORRUPT && err.text[0] != '\0' && file == NULL);
    return NULL;
}

static void read_file(const void *data, size_t size_bytes, const uint8_t *drawn, size_t drawn_bytes)
{
    int32_t rows[PICKED];
    struct parquet_file *file = open_bytes(data, size_bytes);
    if (file == NULL)
        return;
    require(parquet_file_rows(file) <= INT32_MAX);
    size_t count = draw_rows(drawn, drawn_bytes, parquet_file_rows(file), rows);
    for (size_t i = 0; i < COLUMNS; i++)
        check_column(file, &columns[i], rows, count);
    parquet_file_close(file);
}

/* ---- footers ---- */

/* An element of a group's list: a column of `rows` missing values, which nobody reads. */
static void describe_none(struct parquet_group *group)
{
    const struct parquet_chunk chunk = {.row_count = group->row_count, .missing = group->row_count};
    for (size_t i = 0; i < FLOATS; i++)
        parquet_chunk_describe(&chunk, names[i], MOST_BYTES, &group->added);
    group->added_bytes = MOST_BYTES;
}

static void check_same_groups(const struct buffer *footer, const struct parquet_group *groups, size_t count)
{
    struct parquet_group *again;
    size_t again_count;
    require(parquet_footer_groups(footer->data, footer->size_bytes, &again, &again_count, NULL) == ERR_OK);
    require(again_count == count);
    for (size_t i = 0; i < count; i++)
        require(again[i].row_count == groups[i].row_count && again[i].added.size_bytes == 0);
    parquet_groups_destroy(again, again_count);
}

static void extend_footer(const void *data, size_t size_bytes)
{
    struct parquet_group *groups;
    size_t count;
    struct buffer out;
    struct err err = {0};
    if (parquet_footer_groups(data, size_bytes, &groups, &count, &err) != ERR_OK) {
        require(err.code == ERR_CORRUPT && groups == NULL && count == 0);
        return;
    }
    for (size_t i = 0; i < count; i++)
        describe_none(&groups[i]);
    buffer_init(&out, (size_t)MOST_BYTES << 4);
    enum err_code code = parquet_footer_extend(data, size_bytes, names, FLOATS, groups, &out, &err);
    require(code == ERR_OK || code == ERR_CORRUPT);
    if (code == ERR_OK)
        check_same_groups(&out, groups, count);
    buffer_release(&out);
    parquet_groups_destroy(groups, count);
}

/* ---- pages and a footer, put together ---- */

static void append_tail(struct buffer *file, size_t footer_bytes)
{
    buffer_append_u32(file, (uint32_t)footer_bytes);
    buffer_append_text(file, "PAR1");
}

/* How many bytes are pages stands first, and how many say which rows are picked. */
static void read_parts(const uint8_t *data, size_t size_bytes)
{
    enum { HEAD_BYTES = 3 };
    struct buffer file;
    if (size_bytes < HEAD_BYTES)
        return;
    size_t pages_bytes = data[0] + 256U * data[1], drawn_bytes = data[2] % PICKED;
    data += HEAD_BYTES;
    size_bytes -= HEAD_BYTES;
    if (drawn_bytes > size_bytes || pages_bytes > size_bytes - drawn_bytes)
        return;
    size_t footer_bytes = size_bytes - drawn_bytes - pages_bytes;
    buffer_init(&file, MOST_BYTES);
    buffer_append_text(&file, "PAR1");
    buffer_append(&file, data + drawn_bytes, size_bytes - drawn_bytes);
    append_tail(&file, footer_bytes);
    if (buffer_check(&file, "file", NULL) == ERR_OK) {
        read_file(file.data, file.size_bytes, data, drawn_bytes);
        extend_footer(data + size_bytes - footer_bytes, footer_bytes);
    }
    buffer_release(&file);
}

/* ---- written files, changed ---- */

struct made {
    struct buffer bytes;
    size_t rows, group_rows[GROUPS];
    int64_t numbers[MOST_ROWS];
    float floats[FLOATS][MOST_ROWS];
};

/* Few values or many, all missing, or some, or none. */
static void draw_values(struct made *made, uint8_t kind)
{
    for (size_t i = 0; i < made->rows; i++) {
        made->numbers[i] = (int64_t)i * i * -7919;
        for (size_t c = 0; c < FLOATS; c++) {
            unsigned bits = kind >> 4 * c, of = 1U << (bits & 3U) * 3U, missing = bits >> 2 & 3U;
            bool is_missing = missing == 3 || (missing > 0 && (i / (missing * 5U)) % 3 == 0);
            made->floats[c][i] = is_missing ? NAN : (float)(i * 31 % of) / 4;
        }
    }
}

/* One page: the column is always there, its values stand one behind the other. */
static void put_numbers(const struct made *made, size_t first, size_t count, struct buffer *file)
{
    struct thrift_writer head = {.out = file};
    int32_t size_bytes = (int32_t)(count * sizeof(int64_t));
    thrift_put_i32(&head, 1, 0);
    thrift_put_i32(&head, 2, size_bytes);
    thrift_put_i32(&head, 3, size_bytes);
    struct thrift_writer page = thrift_put_struct(&head, 5);
    thrift_put_i32(&page, 1, (int32_t)count);
    thrift_put_i32(&page, 2, 0);
    thrift_put_i32(&page, 3, 3);
    thrift_put_i32(&page, 4, 3);
    thrift_end(&page);
    thrift_end(&head);
    buffer_append(file, made->numbers + first, count * sizeof(int64_t));
}

static void put_group(const struct made *made, size_t first, size_t count, struct buffer *file,
                      struct buffer *footer)
{
    size_t offset = file->size_bytes;
    put_numbers(made, first, count, file);
    int64_t size_bytes = (int64_t)(file->size_bytes - offset);
    struct thrift_writer group = {.out = footer};
    thrift_put_list(&group, 1, THRIFT_STRUCT, 1);
    struct thrift_writer chunk = {.out = footer};
    thrift_put_i64(&chunk, 2, 0);
    struct thrift_writer meta = thrift_put_struct(&chunk, 3);
    thrift_put_i32(&meta, 1, 2);
    thrift_put_i32(&meta, 4, 0);
    thrift_put_i64(&meta, 5, (int64_t)count);
    thrift_put_i64(&meta, 6, size_bytes);
    thrift_put_i64(&meta, 7, size_bytes);
    thrift_put_i64(&meta, 9, (int64_t)offset);
    thrift_end(&meta);
    thrift_end(&chunk);
    thrift_put_i64(&group, 2, size_bytes);
    thrift_put_i64(&group, 3, (int64_t)count);
    thrift_end(&group);
}

/* With the column of numbers alone, as another writer's. */
static void put_footer(const struct made *made, struct buffer *file, struct buffer *footer)
{
    struct thrift_writer writer = {.out = footer};
    thrift_put_i32(&writer, 1, 1);
    thrift_put_list(&writer, 2, THRIFT_STRUCT, 2);
    struct thrift_writer root = {.out = footer}, leaf = {.out = footer};
    thrift_put_bytes(&root, 4, "root", 4);
    thrift_put_i32(&root, 5, 1);
    thrift_end(&root);
    thrift_put_i32(&leaf, 1, 2);
    thrift_put_i32(&leaf, 3, 0);
    thrift_put_bytes(&leaf, 4, "n", 1);
    thrift_end(&leaf);
    thrift_put_i64(&writer, 3, (int64_t)made->rows);
    thrift_put_list(&writer, 4, THRIFT_STRUCT, GROUPS);
    for (size_t g = 0, first = 0; g < GROUPS; first += made->group_rows[g++])
        put_group(made, first, made->group_rows[g], file, footer);
    thrift_end(&writer);
}

static void add_floats(const struct made *made, size_t first, struct parquet_group *group,
                       struct buffer *file)
{
    static struct parquet_scratch *scratch;
    struct parquet_chunk chunk;
    if (scratch == NULL)
        require(parquet_scratch_create(MOST_ROWS, &scratch, NULL) == ERR_OK);
    for (size_t c = 0; c < FLOATS; c++) {
        if (group->row_count > 0)
            memcpy(parquet_scratch_values(scratch), made->floats[c] + first,
                   group->row_count * sizeof(float));
        parquet_chunk_encode(scratch, group->row_count, &chunk);
        parquet_chunk_describe(&chunk, names[c], file->size_bytes, &group->added);
        buffer_append(file, chunk.bytes.data, chunk.bytes.size_bytes);
        group->added_bytes += chunk.bytes.size_bytes;
        buffer_release(&chunk.bytes);
    }
}

static void make_file(struct made *made)
{
    struct parquet_group *groups;
    size_t count, first = 0;
    struct buffer footer, extended;
    buffer_init(&made->bytes, MOST_BYTES);
    buffer_init(&footer, MOST_BYTES);
    buffer_init(&extended, MOST_BYTES);
    buffer_append_text(&made->bytes, "PAR1");
    put_footer(made, &made->bytes, &footer);
    require(parquet_footer_groups(footer.data, footer.size_bytes, &groups, &count, NULL) == ERR_OK);
    require(count == GROUPS);
    for (size_t g = 0; g < GROUPS; first += made->group_rows[g++]) {
        require(groups[g].row_count == made->group_rows[g]);
        add_floats(made, first, &groups[g], &made->bytes);
    }
    require(parquet_footer_extend(footer.data, footer.size_bytes, names, FLOATS, groups, &extended, NULL) ==
            ERR_OK);
    buffer_append(&made->bytes, extended.data, extended.size_bytes);
    append_tail(&made->bytes, extended.size_bytes);
    require(buffer_check(&made->bytes, "file", NULL) == ERR_OK);
    parquet_groups_destroy(groups, count);
    buffer_release(&footer);
    buffer_release(&extended);
}

static void check_made(const struct made *made)
{
    static int32_t rows[MOST_ROWS];
    static int64_t numbers[MOST_ROWS];
    static float floats[MOST_ROWS];
    struct parquet_file *file = open_bytes(made->bytes.data, made->bytes.size_bytes);
    require(file != NULL && parquet_file_rows(file) == made->rows);
    for (size_t i = 0; i < made->rows; i++)
        rows[i] = (int32_t)i;
    require(parquet_pick_i64(file, "n", rows, made->rows, numbers));
    require(memcmp(numbers, made->numbers, made->rows * sizeof(*numbers)) == 0);
    for (size_t c = 0; c < FLOATS; c++) {
        require(parquet_pick_f32(file, names[c], rows, made->rows, floats));
        require(memcmp(floats, made->floats[c], made->rows * sizeof(*floats)) == 0);
    }
    parquet_file_close(file);
}

static void read_changed(const uint8_t *data, size_t size_bytes)
{
    static struct made made;
    if (size_bytes < 3)
        return;
    made.rows = (data[0] + 256U * data[1]) % MOST_ROWS;
    made.group_rows[0] = made.rows * (data[0] % 4U) / 3;
    made.group_rows[1] = made.rows - made.group_rows[0];
    draw_values(&made, data[2]);
    make_file(&made);
    check_made(&made);
    for (size_t i = 3; i + 3 <= size_bytes; i += 3) {
        size_t from_end = (data[i] + 256U * data[i + 1]) % made.bytes.size_bytes; /* there the footer is */
        char *byte = &made.bytes.data[made.bytes.size_bytes - 1 - from_end];
        *byte = (char)(*byte ^ data[i + 2]);
    }
    read_file(made.bytes.data, made.bytes.size_bytes, data, size_bytes);
    buffer_release(&made.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    read_file(data, size_bytes, data, size_bytes);
    extend_footer(data, size_bytes);
    read_parts(data, size_bytes);
    read_changed(data, size_bytes);
    return 0;
}
