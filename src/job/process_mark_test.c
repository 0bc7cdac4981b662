/* Marks of processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job/process_mark.h"
#include "os/process.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void test_own_mark_is_stable(void **state)
{
    char first[PROCESS_MARK_BYTES], second[PROCESS_MARK_BYTES];

    (void)state;
    assert_true(process_mark(getpid(), first));
    assert_true(process_mark(getpid(), second));
    assert_string_equal(first, second);
    assert_int_equal(first[8], '/');
    assert_true(strlen(first) > 9);
}

static void test_others_differ(void **state)
{
    const char *const argv[] = {"/bin/sleep", "1000", NULL};
    char own[PROCESS_MARK_BYTES], other[PROCESS_MARK_BYTES], dead[PROCESS_MARK_BYTES];
    struct process process;
    struct process_end end;

    (void)state;
    usleep(20000); /* two ticks */
    assert_int_equal(process_start(argv, &process, NULL), ERR_OK);
    assert_true(process_mark(getpid(), own));
    assert_true(process_mark(process.pid, other));
    assert_string_not_equal(own, other);
    process_signal(&process, SIGKILL);
    while (!process_group_is_gone(process.pid))
        usleep(1000);
    assert_true(process_mark(process.pid, dead)); /* a zombie */
    assert_string_equal(other, dead);
    assert_true(process_wait(&process, 10000, &end));
    assert_false(process_mark(process.pid, dead));
    assert_string_equal(dead, "");
    process_close(&process);
}

static void test_no_process(void **state)
{
    char mark[PROCESS_MARK_BYTES];

    (void)state;
    assert_false(process_mark(0, mark));
    assert_false(process_mark(-1, mark));
    assert_false(process_mark(INT64_MAX, mark));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_mark_is_stable),
        cmocka_unit_test(test_others_differ),
        cmocka_unit_test(test_no_process),
    };

    return cmocka_run_group_tests_name("process mark", tests, NULL, NULL);
}
