/* Page-Hinkley by hand, and what it must not do. Longer streams: tests/test_retraining.py, against a Python implementation. */
#include "evaluate/page_hinkley.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(double value, double expected)
{
    if (fabs(value - expected) > 1e-12)
        fail_msg("%.17g is not %.17g", value, expected);
}

/* x = 1, 3, 2 with delta 0.5: means 1, 2, 2; m = -0.5, 0, -0.5; minima -0.5. */
static void a_short_stream_by_hand(void **state)
{
    struct page_hinkley detector;
    (void)state;
    page_hinkley_init(&detector, 0.5, 0.4);
    assert_false(page_hinkley_add(&detector, 1));
    expect(page_hinkley_statistic(&detector), 0);
    assert_true(page_hinkley_add(&detector, 3));
    expect(page_hinkley_statistic(&detector), 0.5);
    assert_false(page_hinkley_add(&detector, 2));
    expect(page_hinkley_statistic(&detector), 0);
}

static void what_was_learned_moves_only_the_mean(void **state)
{
    struct page_hinkley detector;
    (void)state;
    page_hinkley_init(&detector, 0, 1);
    for (int i = 0; i < 9; i++)
        page_hinkley_learn(&detector, 1);
    expect(page_hinkley_statistic(&detector), 0);
    assert_false(page_hinkley_add(&detector, 2)); /* mean 1.1 */
    expect(page_hinkley_statistic(&detector), 0.9);
}

static void a_fall_is_no_alarm(void **state)
{
    struct page_hinkley detector;
    (void)state;
    page_hinkley_init(&detector, 0.01, 1);
    for (int i = 0; i < 1000; i++)
        assert_false(page_hinkley_add(&detector, i < 500 ? 1 : 0));
}

static void an_infinite_threshold_never_alarms(void **state)
{
    struct page_hinkley detector;
    (void)state;
    page_hinkley_init(&detector, 0, INFINITY);
    for (int i = 0; i < 1000; i++)
        assert_false(page_hinkley_add(&detector, i));
    assert_true(page_hinkley_statistic(&detector) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_stream_by_hand),
        cmocka_unit_test(what_was_learned_moves_only_the_mean),
        cmocka_unit_test(a_fall_is_no_alarm),
        cmocka_unit_test(an_infinite_threshold_never_alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
