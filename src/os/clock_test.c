/* The system's clocks agree with time(2) and never go back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clock.h"

#include <time.h>

static void wall_clock_is_utc(void **state)
{
    (void)state;
    int64_t before_s = (int64_t)time(NULL);
    int64_t now_us = clock_now_us();
    int64_t after_s = (int64_t)time(NULL);
    /* time(2) reads a coarser clock that may lag by a tick */
    assert_true(now_us >= before_s * 1000000);
    assert_true(now_us <= (after_s + 2) * 1000000);
}

static void monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last_us = clock_monotonic_us();
    for (int round = 0; round < 10000; round++) {
        int64_t now_us = clock_monotonic_us();
        assert_true(now_us >= last_us);
        last_us = now_us;
    }
}

static void monotonic_clock_counts_microseconds(void **state)
{
    (void)state;
    struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    int64_t start_us = clock_monotonic_us();
    nanosleep(&pause, NULL);
    int64_t passed_us = clock_monotonic_us() - start_us;
    assert_true(passed_us >= 20000);
    assert_true(passed_us < 60 * 1000 * 1000);
}

static void system_clock_is_both(void **state)
{
    (void)state;
    struct clock clock = clock_system();
    int64_t now_us = clock.now_us(clock.context), monotonic_us = clock.monotonic_us(clock.context);
    assert_in_range(clock_now_us() - now_us, 0, 60 * 1000 * 1000);
    assert_in_range(clock_monotonic_us() - monotonic_us, 0, 60 * 1000 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_clock_is_utc),
        cmocka_unit_test(monotonic_clock_never_goes_back),
        cmocka_unit_test(monotonic_clock_counts_microseconds),
        cmocka_unit_test(system_clock_is_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
