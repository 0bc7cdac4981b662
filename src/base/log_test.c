/* Tests of base/log.h: the form of a line, the least level, lines that stay lines, several threads. */
#include "base/log.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char captured[1 << 20];
static size_t captured_bytes;
static size_t captured_lines;
static enum log_level captured_level;

static int64_t fixed_now(void)
{
    return INT64_C(1772366400123456); /* 2026-03-01T12:00:00.123456Z */
}

static int64_t early_now(void)
{
    return -1;
}

static void capture(void *context, enum log_level level, const char *line, size_t size_bytes)
{
    assert_ptr_equal(context, captured);
    assert_int_equal(line[size_bytes - 1], '\n');
    assert_null(memchr(line, '\n', size_bytes - 1));
    if (captured_bytes + size_bytes < sizeof(captured)) {
        memcpy(captured + captured_bytes, line, size_bytes);
        captured_bytes += size_bytes;
    }
    captured[captured_bytes] = '\0';
    captured_lines++;
    captured_level = level;
}

static int start(void **state)
{
    (void)state;
    captured_bytes = 0;
    captured_lines = 0;
    captured[0] = '\0';
    log_start(LOG_INFO, fixed_now, capture, captured);
    return 0;
}

static void test_nothing_before_start(void **state)
{
    (void)state;
    log_start(LOG_DEBUG, NULL, NULL, NULL);
    log_line(LOG_ERROR, "server", "lost");
    assert_int_equal(captured_lines, 0);
}

static void test_form(void **state)
{
    (void)state;
    log_line(LOG_INFO, "server", "listening on %s:%d", "127.0.0.1", 5050);
    assert_string_equal(captured, "2026-03-01T12:00:00.123456Z info server: listening on 127.0.0.1:5050\n");
    assert_int_equal(captured_level, LOG_INFO);
    log_start(LOG_INFO, early_now, capture, captured);
    captured_bytes = 0;
    log_line(LOG_ERROR, "x", "y");
    assert_string_equal(captured, "1969-12-31T23:59:59.999999Z error x: y\n");
}

static void test_least_level(void **state)
{
    (void)state;
    log_line(LOG_DEBUG, "a", "hidden");
    assert_int_equal(captured_lines, 0);
    log_line(LOG_INFO, "a", "seen");
    log_line(LOG_WARN, "a", "seen");
    log_line(LOG_ERROR, "a", "seen");
    assert_int_equal(captured_lines, 3);
    assert_non_null(strstr(captured, " warn a: seen\n"));
}

static void test_a_message_is_one_line(void **state)
{
    (void)state;
    log_line(LOG_INFO, "http", "GET %s", "/x\r\n2026-03-01T00:00:00Z error fake: \x1B[31mred\x7F");
    assert_non_null(strstr(captured, "GET /x  2026-03-01T00:00:00Z error fake:  [31mred \n"));
    assert_int_equal(captured_lines, 1);
}

static void test_long_messages_are_cut(void **state)
{
    (void)state;
    log_line(LOG_INFO, "a", "%8000d", 1);
    assert_int_equal(captured_bytes, 4095);
    assert_string_equal(captured + captured_bytes - 5, " ...\n");
    captured_bytes = 0;
    char text[6001];
    memset(text, 'e', sizeof(text));
    for (size_t index = 0; index < 6000; index += 2)
        memcpy(text + index, "\xC3\xA9", 2);
    text[6000] = '\0';
    log_line(LOG_INFO, "a", "%s", text);
    assert_string_equal(captured + captured_bytes - 6, "\xC3\xA9...\n");
}

static void *write_lines(void *name)
{
    for (int index = 0; index < 500; index++)
        log_line(LOG_INFO, name, "line %d", index);
    return NULL;
}

static void test_threads_do_not_mix_lines(void **state)
{
    (void)state;
    pthread_t threads[4];
    static char names[4][2] = {"a", "b", "c", "d"};
    for (int index = 0; index < 4; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, write_lines, names[index]), 0);
    for (int index = 0; index < 4; index++)
        assert_int_equal(pthread_join(threads[index], NULL), 0);
    assert_int_equal(captured_lines, 2000);
    int next[4] = {0};
    for (char *line = captured; *line; line = strchr(line, '\n') + 1) {
        static const char head[] = "2026-03-01T12:00:00.123456Z info ";
        char name = line[sizeof(head) - 1];
        assert_in_range(name, 'a', 'd');
        char expected[80];
        int length = snprintf(expected, sizeof(expected), "%s%c: line %d\n", head, name, next[name - 'a']++);
        assert_memory_equal(line, expected, (size_t)length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_before_start),
        cmocka_unit_test_setup(test_form, start),
        cmocka_unit_test_setup(test_least_level, start),
        cmocka_unit_test_setup(test_a_message_is_one_line, start),
        cmocka_unit_test_setup(test_long_messages_are_cut, start),
        cmocka_unit_test_setup(test_threads_do_not_mix_lines, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
