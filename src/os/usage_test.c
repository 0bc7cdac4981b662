/* Usage: the figures move with what the process does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/usage.h"

#include <fcntl.h>
#include <unistd.h>

static void open_files_are_counted(void **state)
{
    struct process_usage before, after;
    int files[5];
    (void)state;
    process_usage(&before);
    for (int i = 0; i < 5; i++)
        assert_true((files[i] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0);
    process_usage(&after);
    assert_int_equal(after.open_files, before.open_files + 5);
    assert_true(after.max_files == -1 || after.max_files >= after.open_files);
    for (int i = 0; i < 5; i++)
        close(files[i]);
    process_usage(&after);
    assert_int_equal(after.open_files, before.open_files);
}

static void processor_time_grows(void **state)
{
    struct process_usage before, after;
    volatile double sum = 0;
    (void)state;
    process_usage(&before);
    for (int i = 0; i < 50000000; i++)
        sum += i;
    process_usage(&after);
    assert_true(sum > 0);
    assert_true(after.cpu_s > before.cpu_s);
    assert_true(after.cpu_s < before.cpu_s + 60);
    assert_true(after.virtual_bytes > 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_files_are_counted),
        cmocka_unit_test(processor_time_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
