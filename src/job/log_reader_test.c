/* Reading of logs: any offset, the last lines, search; over the parts of a log that was cut, with what was dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "job/log_file.h"
#include "job/log_reader.h"
#include "os/test_folder.h"

#include <inttypes.h>
#include <string.h>

#define NOW_US INT64_C(1772366400123456)
enum { MAX_BYTES = LOG_PARTS * 10000, LINE_BYTES = 1028 };

struct fixture {
    struct test_folder folder;
    char path[FILE_PATH_BYTES];
    struct log_reader reader;
    struct buffer seen; /* "<first six bytes of a line>," */
    int64_t first, next;
    size_t lines, most;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.most = SIZE_MAX, .first = -1};
    test_folder_create(&fixture.folder);
    buffer_init(&fixture.seen, 1 << 20);
    assert_int_equal(log_reader_path(fixture.folder.path, 12, fixture.path, NULL), ERR_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    buffer_release(&fixture->seen);
    test_folder_remove(&fixture->folder);
    return 0;
}

static void on_written(void *context, int64_t begin, const char *data, size_t size_bytes)
{
    (void)context;
    (void)begin;
    (void)data;
    (void)size_bytes;
}

/* Lines of LINE_BYTES with its end, numbered. */
static void write_log(struct fixture *fixture, int count)
{
    struct log_file file;
    char text[1000];

    assert_int_equal(log_file_open(&file, fixture->path, MAX_BYTES, NULL), ERR_OK);
    for (int index = 0; index < count; index++) {
        (void)snprintf(text, sizeof text, "%06d %s", index,
                       index % 100 == 7 ? "ERROR Bad Luck" : "all is well");
        size_t length = strlen(text);
        memset(text + length, '.', sizeof text - 1 - length);
        log_file_add(&file, NOW_US, text, sizeof text - 1);
        log_file_flush(&file, on_written, NULL);
    }
    log_file_close(&file);
}

static void open_reader(struct fixture *fixture)
{
    assert_int_equal(log_reader_open(fixture->path, MAX_BYTES, &fixture->reader, NULL), ERR_OK);
}

static bool on_line(void *context, const struct log_line *line)
{
    struct fixture *fixture = context;

    if (fixture->first < 0)
        fixture->first = line->offset;
    else
        assert_true(line->offset >= fixture->next); /* equal, or over what is not there */
    assert_true(line->next > line->offset);
    fixture->next = line->next;
    fixture->lines++;
    size_t shown = line->text.size_bytes < 6 ? line->text.size_bytes : 6;
    buffer_append(&fixture->seen, line->text.data, shown);
    buffer_append_char(&fixture->seen, ',');
    return fixture->lines < fixture->most;
}

static const char *read_from(struct fixture *fixture, int64_t offset, size_t most)
{
    buffer_clear(&fixture->seen);
    fixture->lines = 0;
    fixture->first = -1;
    fixture->most = most;
    assert_int_equal(log_reader_lines(&fixture->reader, offset, on_line, fixture, NULL), ERR_OK);
    buffer_append_char(&fixture->seen, '\0');
    return buffer_text(&fixture->seen);
}

static void test_nothing(void **state)
{
    struct fixture *fixture = *state;
    int64_t offset = -1;
    size_t count = 9;
    bool has_more = true;

    open_reader(fixture);
    assert_int_equal(log_reader_end(&fixture->reader), 0);
    assert_string_equal(read_from(fixture, 0, 10), "");
    assert_int_equal(log_reader_tail(&fixture->reader, 5, &offset, NULL), ERR_OK);
    assert_int_equal(offset, 0);
    assert_int_equal(log_reader_search(&fixture->reader, "x", 0, &offset, 1, &count, &has_more, NULL),
                     ERR_OK);
    assert_int_equal(count, 0);
    assert_false(has_more);
}

static void test_lines_of_one_part(void **state)
{
    struct fixture *fixture = *state;
    int64_t offset;

    write_log(fixture, 5);
    open_reader(fixture);
    assert_int_equal(log_reader_end(&fixture->reader), 5 * LINE_BYTES);
    assert_string_equal(read_from(fixture, 0, 2), "000000,000001,");
    assert_string_equal(read_from(fixture, fixture->next, 99), "000002,000003,000004,");
    assert_string_equal(read_from(fixture, 5 * LINE_BYTES, 99), "");
    assert_string_equal(read_from(fixture, 4 * LINE_BYTES + 1000, 99), "......,"); /* the middle of a line */
    for (size_t count = 0; count < 7; count++) {
        assert_int_equal(log_reader_tail(&fixture->reader, count, &offset, NULL), ERR_OK);
        assert_int_equal(offset, (count > 5 ? 0 : 5 - (int)count) * LINE_BYTES);
    }
}

static void test_line_in_the_making(void **state)
{
    struct fixture *fixture = *state;
    int64_t offset;

    assert_int_equal(file_write_atomic(fixture->path, "2026-03-01T12:00:00.123456Z whole\nhalf", 38, NULL),
                     ERR_OK);
    open_reader(fixture);
    assert_string_equal(read_from(fixture, 0, 9), "whole,");
    fixture->reader.takes_rest = true;
    assert_string_equal(read_from(fixture, 0, 9), "whole,half,");
    assert_int_equal(log_reader_tail(&fixture->reader, 1, &offset, NULL), ERR_OK);
    assert_int_equal(offset, 34);
}

static void test_heads(void **state)
{
    struct text at, text;

    (void)state;
    log_line_split("2026-03-01T12:00:00.123456Z two words", 37, &at, &text);
    assert_int_equal(at.size_bytes, 27);
    assert_true(text_equal(text, "two words"));
    log_line_split("2026-03-01T12:00:00.123456Z ", 28, &at, &text);
    assert_int_equal(at.size_bytes, 27);
    assert_int_equal(text.size_bytes, 0);
    log_line_split("the rest of a line that was cut in two", 38, &at, &text);
    assert_int_equal(at.size_bytes, 0);
    assert_int_equal(text.size_bytes, 38);
}

/* 9 lines of 1028 bytes in a part: 200 lines are parts 0..22, of which 0 and 16..22 are kept. */
static void test_lines_over_parts(void **state)
{
    struct fixture *fixture = *state;
    int64_t offset;

    write_log(fixture, 200);
    open_reader(fixture);
    assert_int_equal(fixture->reader.parts.count, LOG_PARTS);
    int64_t second = fixture->reader.parts.part[1].index;
    (void)read_from(fixture, 0, SIZE_MAX);
    assert_int_equal(fixture->first, 0);
    assert_int_equal(fixture->next, log_reader_end(&fixture->reader));
    assert_memory_equal(fixture->seen.data,
                        "000000,000001,000002,000003,000004,000005,000006,000007,000008,here l,", 70);
    /* an offset that was dropped: on with the next that is there */
    (void)read_from(fixture, 12345, 1);
    assert_int_equal(fixture->first, second * 10000);
    /* the last lines: 6 full parts and 2 lines */
    for (int count = 1; count <= 56; count++) {
        char expected[16];
        assert_int_equal(log_reader_tail(&fixture->reader, (size_t)count, &offset, NULL), ERR_OK);
        (void)read_from(fixture, offset, SIZE_MAX);
        assert_int_equal(fixture->lines, count);
        (void)snprintf(expected, sizeof expected, "%06d", 200 - count);
        assert_memory_equal(fixture->seen.data, expected, 6);
    }
    assert_int_equal(log_reader_tail(&fixture->reader, 100000, &offset, NULL), ERR_OK);
    assert_int_equal(offset, 0);
    assert_true(log_reader_size_bytes(&fixture->reader) <= MAX_BYTES);
}

static void test_search(void **state)
{
    struct fixture *fixture = *state;
    int64_t offsets[10];
    size_t count;
    bool has_more;
    struct err err = {0};

    write_log(fixture, 200);
    open_reader(fixture);
    assert_int_equal(log_reader_search(&fixture->reader, "bad LUCK", 0, offsets, 10, &count, &has_more, NULL),
                     ERR_OK);
    assert_int_equal(count, 1); /* 107 is in a part that was dropped: 7 is left */
    assert_int_equal(offsets[0], 7 * LINE_BYTES);
    assert_false(has_more);
    /* the newest first, then those before them */
    assert_int_equal(log_reader_search(&fixture->reader, "0001", 0, offsets, 10, &count, &has_more, NULL),
                     ERR_OK);
    assert_int_equal(count, 10);
    assert_true(has_more);
    (void)read_from(fixture, offsets[9], 1);
    assert_memory_equal(fixture->seen.data, "000199", 6);
    int64_t before = offsets[0];
    (void)read_from(fixture, before, 1);
    assert_memory_equal(fixture->seen.data, "000190", 6);
    assert_int_equal(log_reader_search(&fixture->reader, "0001", before, offsets, 1, &count, &has_more, NULL),
                     ERR_OK);
    assert_true(count == 1 && has_more);
    (void)read_from(fixture, offsets[0], 1);
    assert_memory_equal(fixture->seen.data, "000189", 6);
    /* times are not searched, only what was said */
    assert_int_equal(log_reader_search(&fixture->reader, "2026-03", 0, offsets, 10, &count, &has_more, NULL),
                     ERR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(log_reader_search(&fixture->reader, "", 0, offsets, 10, &count, &has_more, &err),
                     ERR_INVALID);
    assert_string_equal(err.field, "q");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lines_of_one_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_line_in_the_making, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lines_over_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_search, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("log reader", tests, NULL, NULL);
}
