/* Parquet files that are told otherwise than they are: made by hand, as no writer makes them. What cannot be right is noticed,
 * no number overflows, no memory is asked for in vain. */
#include "os/file.h"
#include "os/test_folder.h"
#include "view/parquet_chunk.h"
#include "view/parquet_footer.h"
#include "view/parquet_pick.h"
#include "view/thrift.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct test_folder place;

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(&place);
    return 0;
}

/* ---- files whose counts disagree ---- */

/* One group, one column of floats that may be missing, in two pages. */
enum { ROWS_MADE = 16, PAGE_ROWS = 8, PAGE_BYTES = 6 + PAGE_ROWS * sizeof(float) };
struct told {
    int64_t file_rows, group_rows, values, page_values, full_bytes;
    char level;
};
static const struct told truth = {ROWS_MADE, ROWS_MADE, ROWS_MADE, PAGE_ROWS, PAGE_BYTES, 1};

static void put_page(const struct told *told, int first, struct buffer *out)
{
    struct thrift_writer head = {.out = out};
    thrift_put_i32(&head, 1, 0);
    thrift_put_i32(&head, 2, (int32_t)told->full_bytes);
    thrift_put_i32(&head, 3, PAGE_BYTES);
    struct thrift_writer data = thrift_put_struct(&head, 5);
    thrift_put_i32(&data, 1, (int32_t)told->page_values);
    thrift_put_i32(&data, 2, 0);
    thrift_put_i32(&data, 3, 3);
    thrift_end(&data);
    thrift_end(&head);
    buffer_append_u32(out, 2);
    buffer_append_char(out, PAGE_ROWS << 1); /* a run of so many levels */
    buffer_append_char(out, told->level);
    for (int i = 0; i < PAGE_ROWS; i++) {
        float value = (float)(first + i);
        buffer_append(out, &value, sizeof(value));
    }
}

static void put_leaf(const char *name, struct buffer *out)
{
    struct thrift_writer leaf = {.out = out};
    thrift_put_i32(&leaf, 1, 4);
    thrift_put_i32(&leaf, 3, 1);
    thrift_put_bytes(&leaf, 4, name, strlen(name));
    thrift_end(&leaf);
}

static void put_footer(const struct told *told, size_t pages_bytes, struct buffer *out)
{
    struct thrift_writer writer = {.out = out}, group = {.out = out}, chunk = {.out = out};
    thrift_put_list(&writer, 2, THRIFT_STRUCT, 2);
    put_leaf("root", out);
    put_leaf("a", out);
    thrift_put_i64(&writer, 3, told->file_rows);
    thrift_put_list(&writer, 4, THRIFT_STRUCT, 1);
    thrift_put_list(&group, 1, THRIFT_STRUCT, 1);
    struct thrift_writer meta = thrift_put_struct(&chunk, 3);
    thrift_put_i32(&meta, 4, 0);
    thrift_put_i64(&meta, 5, told->values);
    thrift_put_i64(&meta, 7, (int64_t)pages_bytes);
    thrift_put_i64(&meta, 9, 4);
    thrift_end(&meta);
    thrift_end(&chunk);
    thrift_put_i64(&group, 3, told->group_rows);
    thrift_end(&group);
    thrift_end(&writer);
}

static enum err_code open_with_tail(struct buffer *file, size_t footer_bytes, struct parquet_file **out)
{
    const char *path = test_folder_path(&place, "made.parquet");
    buffer_append_u32(file, (uint32_t)footer_bytes);
    buffer_append_text(file, "PAR1");
    assert_int_equal(file_write_atomic(path, file->data, file->size_bytes, NULL), ERR_OK);
    buffer_release(file);
    return parquet_file_open(path, out, NULL);
}

static enum err_code open_told(const struct told *told, struct parquet_file **out)
{
    struct buffer file;
    buffer_init(&file, 1 << 20);
    buffer_append_text(&file, "PAR1");
    put_page(told, 0, &file);
    put_page(&truth, PAGE_ROWS, &file);
    size_t pages_end = file.size_bytes;
    put_footer(told, pages_end - 4, &file);
    return open_with_tail(&file, file.size_bytes - pages_end, out);
}

static bool can_pick(const struct told *told, int32_t row)
{
    struct parquet_file *file;
    float value = NAN;
    assert_int_equal(open_told(told, &file), ERR_OK);
    bool is_read = parquet_pick_f32(file, "a", &row, 1, &value);
    assert_true(!is_read || value == (float)row);
    parquet_file_close(file);
    return is_read;
}

static void counts_that_disagree_are_noticed(void **state)
{
    struct told told = truth;
    struct parquet_file *file;
    (void)state;
    assert_true(can_pick(&told, 0) && can_pick(&told, ROWS_MADE - 1));
    told.file_rows++; /* so a group's rows are wrong: those of the following would be others */
    assert_int_equal(open_told(&told, &file), ERR_CORRUPT);
    assert_null(file);
    told = truth;
    told.group_rows--;
    assert_int_equal(open_told(&told, &file), ERR_CORRUPT);
    told.file_rows--;
    assert_false(can_pick(&told, 0)); /* the column has more values */
    told = truth;
    told.values--;
    assert_false(can_pick(&told, 0));
    told = truth;
    told.page_values--; /* the second page would begin a row too early */
    assert_false(can_pick(&told, PAGE_ROWS));
    assert_false(can_pick(&told, 0));
    told = truth;
    told.full_bytes++; /* nothing is compressed */
    assert_false(can_pick(&told, 0));
    told = truth;
    told.level = 2; /* neither missing nor there */
    assert_false(can_pick(&told, 0));
}

/* It says that it has a million groups of as many columns. */
static void no_more_memory_is_asked_for_than_a_footer_calls_for(void **state)
{
    enum { MANY = 1000000 };
    struct buffer file;
    struct parquet_file *opened;
    (void)state;
    buffer_init(&file, 64 << 20);
    buffer_append_text(&file, "PAR1");
    struct thrift_writer writer = {.out = &file};
    thrift_put_list(&writer, 2, THRIFT_STRUCT, MANY);
    for (int i = 0; i < MANY; i++)
        put_leaf("", &file);
    thrift_put_list(&writer, 4, THRIFT_STRUCT, MANY);
    for (int i = 0; i < MANY; i++)
        thrift_end(&writer);
    assert_int_equal(open_with_tail(&file, file.size_bytes - 4, &opened), ERR_CORRUPT);
}

static void short_files_are_no_parquet(void **state)
{
    struct parquet_file *file;
    const char *path = test_folder_path(&place, "short.parquet");
    (void)state;
    for (size_t size = 0; size <= 12; size++) {
        assert_int_equal(file_write_atomic(path, "PAR1\0\0\0\0PAR1", size, NULL), ERR_OK);
        assert_int_equal(parquet_file_open(path, &file, NULL), ERR_CORRUPT);
    }
}

/* ---- footers that cannot be extended ---- */

enum { ADDED_BYTES = 1000 };
struct parts {
    int schemas, column_lists;
    int32_t children;
    int64_t group_bytes, group_compressed_bytes;
};
static const struct parts plain = {1, 1, 1, 500, 500};

static void put_parts(const struct parts *parts, struct buffer *out)
{
    struct thrift_writer writer = {.out = out}, group = {.out = out};
    for (int i = 0; i < parts->schemas; i++) {
        struct thrift_writer root = {.out = out};
        thrift_put_list(&writer, 2, THRIFT_STRUCT, 2);
        thrift_put_i32(&root, 5, parts->children);
        thrift_end(&root);
        put_leaf("a", out);
    }
    thrift_put_list(&writer, 4, THRIFT_STRUCT, 1);
    for (int i = 0; i < parts->column_lists; i++) {
        struct thrift_writer column = {.out = out};
        thrift_put_list(&group, 1, THRIFT_STRUCT, 1);
        thrift_end(&column);
    }
    thrift_put_i64(&group, 2, parts->group_bytes);
    thrift_put_i64(&group, 3, ROWS_MADE);
    thrift_put_i64(&group, 6, parts->group_compressed_bytes);
    thrift_end(&group);
    thrift_end(&writer);
}

static enum err_code extend(const struct parts *parts)
{
    static const char *const names[] = {"b", "c"};
    const struct parquet_chunk chunk = {.row_count = ROWS_MADE, .missing = ROWS_MADE};
    struct buffer footer, extended;
    struct parquet_group *groups;
    size_t count;
    buffer_init(&footer, 1 << 20);
    buffer_init(&extended, 1 << 20);
    put_parts(parts, &footer);
    assert_int_equal(parquet_footer_groups(footer.data, footer.size_bytes, &groups, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(groups[0].row_count, ROWS_MADE);
    groups[0].added_bytes = ADDED_BYTES;
    for (size_t i = 0; i < 2; i++)
        parquet_chunk_describe(&chunk, names[i], 4, &groups[0].added);
    enum err_code code =
        parquet_footer_extend(footer.data, footer.size_bytes, names, 2, groups, &extended, NULL);
    parquet_groups_destroy(groups, count);
    buffer_release(&footer);
    buffer_release(&extended);
    return code;
}

static void numbers_of_a_footer_do_not_overflow(void **state)
{
    struct parts parts = plain;
    (void)state;
    assert_int_equal(extend(&parts), ERR_OK);
    parts.children = INT32_MAX - 2;
    assert_int_equal(extend(&parts), ERR_OK);
    parts.children++;
    assert_int_equal(extend(&parts), ERR_CORRUPT);
    parts.children = -1;
    assert_int_equal(extend(&parts), ERR_CORRUPT);
    parts = plain;
    parts.group_bytes = INT64_MAX - ADDED_BYTES;
    assert_int_equal(extend(&parts), ERR_OK);
    parts.group_bytes++;
    assert_int_equal(extend(&parts), ERR_CORRUPT);
    parts = plain;
    parts.group_compressed_bytes = INT64_MAX;
    assert_int_equal(extend(&parts), ERR_CORRUPT);
}

static void columns_are_added_once_or_not_at_all(void **state)
{
    struct parts parts = plain;
    (void)state;
    for (parts.schemas = 0; parts.schemas <= 2; parts.schemas += 2)
        assert_int_equal(extend(&parts), ERR_CORRUPT);
    parts = plain;
    for (parts.column_lists = 0; parts.column_lists <= 2; parts.column_lists += 2)
        assert_int_equal(extend(&parts), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_that_disagree_are_noticed),
        cmocka_unit_test(no_more_memory_is_asked_for_than_a_footer_calls_for),
        cmocka_unit_test(short_files_are_no_parquet),
        cmocka_unit_test(numbers_of_a_footer_do_not_overflow),
        cmocka_unit_test(columns_are_added_once_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
