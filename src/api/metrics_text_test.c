/* Metrics text: the format's own examples, escapes, and histograms by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/metrics_text.h"

#include <math.h>

static struct buffer out;

static int set_up(void **state)
{
    (void)state;
    buffer_init(&out, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_release(&out);
    return 0;
}

static void samples_are_lines(void **state)
{
    (void)state;
    metrics_sample(&out, "up", 1, NULL);
    metrics_sample(&out, "a_total", 1027, "method", "post", "code", "200", NULL);
    metrics_sample(&out, "b", 0.1, "x", "", NULL);
    assert_string_equal(buffer_text(&out),
                        "up 1\na_total{method=\"post\",code=\"200\"} 1027\nb{x=\"\"} 0.1\n");
}

static void what_ends_a_label_is_escaped(void **state)
{
    (void)state;
    metrics_sample(&out, "a", 0, "path", "C:\\DIR\\FILE.TXT\n\"x\"\xc3\xa9", NULL);
    assert_string_equal(buffer_text(&out), "a{path=\"C:\\\\DIR\\\\FILE.TXT\\n\\\"x\\\"\xc3\xa9\"} 0\n");
}

static void odd_numbers_have_their_names(void **state)
{
    (void)state;
    metrics_sample(&out, "a", (double)NAN, NULL);
    metrics_sample(&out, "b", (double)INFINITY, NULL);
    metrics_sample(&out, "c", -(double)INFINITY, NULL);
    metrics_sample(&out, "d", 9007199254740992.0, NULL);
    metrics_sample(&out, "e", 1e-9, NULL);
    assert_string_equal(buffer_text(&out), "a NaN\nb +Inf\nc -Inf\nd 9007199254740992\ne 1e-09\n");
}

static void buckets_are_cumulative_and_bounds_inclusive(void **state)
{
    static const struct histogram_scale scale = {{0.1, 1, 10}, 3};
    struct histogram histogram = {0};
    (void)state;
    const double values[] = {0.05, 0.1, 0.5, 1, 10, 11, 1000};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        histogram_add(&histogram, &scale, values[i]);
    assert_int_equal(histogram_count(&histogram), 7);
    metrics_histogram(&out, "t_seconds", &histogram, &scale, "task", "tr\"ain");
    assert_string_equal(buffer_text(&out), "t_seconds_bucket{task=\"tr\\\"ain\",le=\"0.1\"} 2\n"
                                           "t_seconds_bucket{task=\"tr\\\"ain\",le=\"1\"} 4\n"
                                           "t_seconds_bucket{task=\"tr\\\"ain\",le=\"10\"} 5\n"
                                           "t_seconds_bucket{task=\"tr\\\"ain\",le=\"+Inf\"} 7\n"
                                           "t_seconds_sum{task=\"tr\\\"ain\"} 1022.65\n"
                                           "t_seconds_count{task=\"tr\\\"ain\"} 7\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_are_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_ends_a_label_is_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_numbers_have_their_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(buckets_are_cumulative_and_bounds_inclusive, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
