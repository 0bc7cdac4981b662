/* Log files: their bytes, their bound, and what a killed or failing writer leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "job/log_file.h"
#include "job/log_parts.h"
#include "os/test_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* 2026-03-01T12:00:00.123456Z */
#define NOW_US INT64_C(1772366400123456)

struct fixture {
    struct test_folder folder;
    struct buffer text, written;
    int64_t begin;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    test_folder_create(&fixture.folder);
    buffer_init(&fixture.text, 64 << 20);
    buffer_init(&fixture.written, 64 << 20);
    fixture.begin = -1;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    buffer_release(&fixture->text);
    buffer_release(&fixture->written);
    test_folder_remove(&fixture->folder);
    return 0;
}

static void on_written(void *context, int64_t begin, const char *data, size_t size_bytes)
{
    struct fixture *fixture = context;

    fixture->begin = begin;
    buffer_append(&fixture->written, data, size_bytes);
}

static const char *content(struct fixture *fixture, const char *path)
{
    buffer_clear(&fixture->text);
    assert_int_equal(file_read(path, &fixture->text, NULL), ERR_OK);
    return buffer_text(&fixture->text);
}

static void add(struct log_file *file, const char *text)
{
    log_file_add(file, NOW_US, text, strlen(text));
}

static void test_bytes(void **state)
{
    static const char expected[] = "2026-03-01T12:00:00.123456Z one\n"
                                   "2026-03-01T12:00:00.123456Z two\tparts [1m\n"
                                   "2026-03-01T12:00:00.123456Z \n";
    struct fixture *fixture = *state;
    struct log_file file;
    const char *path = test_folder_path(&fixture->folder, "1.log");

    assert_int_equal(log_file_open(&file, path, 1 << 20, NULL), ERR_OK);
    add(&file, "one");
    add(&file, "two\tparts\x1b[1m\r");
    add(&file, "");
    assert_string_equal(content(fixture, path), ""); /* not before the flush */
    log_file_flush(&file, on_written, fixture);
    assert_string_equal(content(fixture, path), expected);
    assert_string_equal(buffer_text(&fixture->written), expected);
    assert_int_equal(fixture->begin, 0);
    add(&file, "four");
    log_file_flush(&file, on_written, fixture);
    assert_int_equal(fixture->begin, sizeof expected - 1);
    log_file_close(&file);
}

static void test_half_a_line_is_ended(void **state)
{
    struct fixture *fixture = *state;
    struct log_file file;
    const char *path = test_folder_path(&fixture->folder, "1.log");

    assert_int_equal(file_write_atomic(path, "whole\nhal", 9, NULL), ERR_OK);
    assert_int_equal(log_file_open(&file, path, 1 << 20, NULL), ERR_OK);
    add(&file, "new");
    log_file_flush(&file, on_written, fixture);
    log_file_close(&file);
    assert_string_equal(content(fixture, path), "whole\nhal\n2026-03-01T12:00:00.123456Z new\n");
    assert_int_equal(fixture->begin, 10);
}

enum { MAX_BYTES = LOG_PARTS * 10000 }; /* ten lines of a kilobyte in a part */

/* Lines of one length, numbered; the number of the last. */
static int add_many(struct fixture *fixture, struct log_file *file, int first, int count)
{
    char text[1000];

    for (int index = first; index < first + count; index++) {
        (void)snprintf(text, sizeof text, "%06d", index);
        memset(text + 6, '.', sizeof text - 7);
        text[sizeof text - 1] = '\0';
        add(file, text);
        if (index % 25 == 0) /* more than two parts at once */
            log_file_flush(file, on_written, fixture);
    }
    log_file_flush(file, on_written, fixture);
    return first + count - 1;
}

static void test_bound(void **state)
{
    struct fixture *fixture = *state;
    struct log_file file;
    struct log_parts parts;
    const char *path = test_folder_path(&fixture->folder, "1.log");
    char part[FILE_PATH_BYTES];
    int last = 0;

    for (int round = 0; round < 3; round++) { /* the later ones go on where the first has ended */
        assert_int_equal(log_file_open(&file, path, MAX_BYTES, NULL), ERR_OK);
        last = add_many(fixture, &file, round == 0 ? 0 : last + 1, 300);
        assert_int_equal(fixture->begin / 10000, file.part);
        log_file_close(&file);
        fixture->begin = -1;
        buffer_clear(&fixture->written);
        assert_int_equal(log_parts_list(path, &parts, NULL), ERR_OK);
        assert_int_equal(parts.count, LOG_PARTS);
        int64_t size_bytes = 0;
        for (size_t index = 0; index < parts.count; index++)
            size_bytes += parts.part[index].size_bytes;
        assert_in_range(size_bytes, MAX_BYTES * 8 / 10, MAX_BYTES);
        assert_int_equal(parts.part[0].index, 0);
        assert_int_equal(parts.part[1].index, parts.part[LOG_PARTS - 1].index - (LOG_PARTS - 2));
    }
    const char *text = content(fixture, path);
    assert_memory_equal(text + 28, "000000....", 10);
    const char *missing = strstr(text, "here lines are missing");
    assert_non_null(missing);
    assert_null(strstr(missing + 1, "here lines are missing")); /* said once */
    assert_int_equal(log_part_path(path, parts.part[LOG_PARTS - 1].index, part, NULL), ERR_OK);
    text = content(fixture, part);
    assert_memory_equal(text + fixture->text.size_bytes - 1000, "000899", 6);
    assert_int_equal(text[fixture->text.size_bytes - 1], '\n');
    assert_int_equal(log_parts_remove(path, NULL), ERR_OK);
    assert_int_equal(log_parts_list(path, &parts, NULL), ERR_OK);
    assert_int_equal(parts.count, 0);
    assert_int_equal(log_parts_remove(path, NULL), ERR_OK);
}

/* A log of an earlier program may be longer than a part: nothing of it is hidden by what follows. */
static void test_long_first_part(void **state)
{
    struct fixture *fixture = *state;
    struct log_file file;
    const char *path = test_folder_path(&fixture->folder, "1.log");

    memset(buffer_extend(&fixture->text, 25000), 'x', 25000);
    assert_int_equal(file_write_atomic(path, fixture->text.data, 25000, NULL), ERR_OK);
    assert_int_equal(log_file_open(&file, path, MAX_BYTES, NULL), ERR_OK);
    add(&file, "new");
    log_file_flush(&file, on_written, fixture);
    assert_int_equal(fixture->begin, 30000); /* 25001 with the end of the last line, rounded up */
    log_file_close(&file);
}

/* A limit of the process stands for a full disk: the write fails in the middle. */
static void test_failed_write_leaves_whole_lines(void **state)
{
    struct fixture *fixture = *state;
    struct log_file file;
    struct rlimit old, small = {.rlim_cur = 1000};
    const char *path = test_folder_path(&fixture->folder, "1.log");

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(log_file_open(&file, path, 1 << 20, NULL), ERR_OK);
    add(&file, "kept");
    log_file_flush(&file, on_written, fixture);
    size_t kept = fixture->written.size_bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int index = 0; index < 100; index++)
        add(&file, "lost");
    log_file_flush(&file, on_written, fixture);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(fixture->written.size_bytes, kept); /* nobody is told what the file does not hold */
    assert_int_equal(strlen(content(fixture, path)), kept);
    add(&file, "again");
    log_file_flush(&file, on_written, fixture);
    log_file_close(&file);
    assert_string_equal(content(fixture, path), buffer_text(&fixture->written));
    assert_non_null(strstr(buffer_text(&fixture->text), "again\n"));
}

static void test_refused(void **state)
{
    struct fixture *fixture = *state;
    struct log_file file;
    struct err err = {0};
    char path[2 * FILE_PATH_BYTES];

    assert_int_equal(log_file_open(&file, test_folder_path(&fixture->folder, "no/1.log"), 100, &err),
                     ERR_NOT_FOUND);
    add(&file, "into nothing");
    log_file_flush(&file, on_written, fixture);
    log_file_close(&file);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(log_file_open(&file, path, 100, &err), ERR_TOO_LARGE);
    log_file_close(&file);
    assert_int_equal(symlink("/etc/passwd", test_folder_path(&fixture->folder, "2.log")), 0);
    assert_int_equal(log_file_open(&file, test_folder_path(&fixture->folder, "2.log"), 100, &err), ERR_IO);
    log_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_a_line_is_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_first_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_write_leaves_whole_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("log file", tests, NULL, NULL);
}
