/* Block bootstrap: its spread against the closed form for equal blocks, coverage on simulated days, edges. */
#include "learn/bootstrap.h"

#include "base/random.h"
#include "learn/metric.h"
#include "learn/test_rows.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS = 500 };
static double p[ROWS * 3], level[ROWS * 3];
static int32_t label[ROWS];
static int64_t block[ROWS];

static int setup(void **state)
{
    (void)state;
    test_rows_fill(ROWS, 1, p, label);
    for (int row = 0; row < ROWS; row++) {
        block[row] = 16000 + row / 5;
        level[3 * row] = level[3 * row + 1] = level[3 * row + 2] = 1. / 3;
    }
    return 0;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

/* v = -log(P[arange(500), L]); v.reshape(100, 5).mean(1).std() / 10 = 0.015233155109099084 */
static void test_error_of_mean_is_the_closed_form(void **state)
{
    (void)state;
    struct interval interval;
    assert_int_equal(metric_interval(METRIC_LOG_LOSS, p, label, block, ROWS, 3, 20000, 7, &interval, NULL),
                     0);
    assert_near(interval.value, metric_value(METRIC_LOG_LOSS, p, label, NULL, ROWS, 3), 1e-13);
    assert_near(interval.standard_error, 0.015233155109099084, 0.0003);
    assert_near(interval.high - interval.low, 2 * 1.96 * 0.015233155, 0.002);
    assert_true(interval.low < interval.value && interval.value < interval.high);
}

static void test_difference_is_paired(void **state)
{
    (void)state;
    struct interval same, against_level;
    assert_int_equal(metric_difference(METRIC_RPS, p, p, label, block, ROWS, 3, 200, 7, &same, NULL), 0);
    assert_near(same.low, 0, 0);
    assert_near(same.high, 0, 0);
    assert_int_equal(
        metric_difference(METRIC_LOG_LOSS, p, level, label, block, ROWS, 3, 20000, 7, &against_level, NULL),
        0);
    assert_near(against_level.value, -0.2511370797738254, 1e-13); /* v.mean() - log(3) */
    assert_near(against_level.standard_error, 0.015233155, 0.0003);
    assert_true(against_level.high < 0);
}

static void test_every_metric_has_an_interval(void **state)
{
    (void)state;
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        struct interval once, again, other;
        assert_int_equal(metric_interval(metric, p, label, block, ROWS, 3, 500, 1, &once, NULL), 0);
        assert_int_equal(metric_interval(metric, p, label, block, ROWS, 3, 500, 1, &again, NULL), 0);
        assert_int_equal(metric_interval(metric, p, label, block, ROWS, 3, 500, 2, &other, NULL), 0);
        assert_near(once.value, metric_value(metric, p, label, NULL, ROWS, 3), 1e-13);
        assert_true(once.low < once.high && once.standard_error > 0);
        assert_memory_equal(&once, &again, sizeof once); /* same seed, same bits */
        assert_true(other.low != once.low);
    }
}

/* 95 % of the intervals must hold the true mean when rows of a day move together; row-wise ones would hold
 * far less. */
static void test_coverage_with_correlated_days(void **state)
{
    (void)state;
    enum { DAYS = 60, PER_DAY = 8, TRIALS = 400 };
    double value[DAYS * PER_DAY];
    int64_t day[DAYS * PER_DAY];
    struct random random;
    random_init(&random, 11);
    int held = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        for (int index = 0; index < DAYS; index++) {
            double common = random_normal(&random);
            for (int match = 0; match < PER_DAY; match++) {
                value[index * PER_DAY + match] = 3 + common + 0.5 * random_normal(&random);
                day[index * PER_DAY + match] = index;
            }
        }
        struct interval interval;
        assert_int_equal(
            bootstrap_ratio(value, NULL, day, DAYS * PER_DAY, 400, (uint64_t)trial, &interval, NULL), 0);
        held += interval.low <= 3 && 3 <= interval.high;
    }
    assert_in_range(held, TRIALS * 90 / 100, TRIALS * 98 / 100);
}

static void test_edges(void **state)
{
    (void)state;
    struct interval interval;
    struct err err = {0};
    assert_int_equal(metric_interval(METRIC_BRIER, p, label, block, 0, 3, 10, 1, &interval, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.text, "'brier'"));
    assert_int_equal(metric_difference(METRIC_BRIER, p, p, label, block, 0, 3, 10, 1, &interval, &err),
                     ERR_INVALID);
    assert_int_equal(bootstrap_ratio(p, NULL, block, 0, 10, 1, &interval, &err), ERR_INVALID);
    /* one block: an interval without width; one draw: no deviation */
    assert_int_equal(metric_interval(METRIC_BRIER, p, label, block, 5, 3, 1, 1, &interval, &err), 0);
    assert_near(interval.low, interval.value, 1e-15);
    assert_near(interval.high, interval.value, 1e-15);
    assert_near(interval.standard_error, 0, 0);
    /* a ratio over nothing is not a number */
    const double gain[4] = {1, -1, 2, 3}, nothing[4] = {0, 0, 0, 0}, half[4] = {0, 0, 1, 1};
    const int64_t days[4] = {1, 2, 3, 4};
    assert_int_equal(bootstrap_ratio(gain, nothing, days, 4, 50, 1, &interval, &err), 0);
    assert_true(isnan(interval.value) && isnan(interval.low) && isnan(interval.standard_error));
    /* draws without any stake are left out, the others count */
    assert_int_equal(bootstrap_ratio(gain, half, days, 4, 500, 1, &interval, &err), 0);
    assert_near(interval.value, 2.5, 0);
    assert_true(isfinite(interval.low) && isfinite(interval.high));
    assert_int_equal(bootstrap_block_count(days, 0), 0);
    assert_int_equal(bootstrap_block_count(block, ROWS), 100);
}

/* 2,000 draws over 5,000 rows in 600 days, printed for the curious; the bound is loose for sanitizers and
 * slow CI. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_of_mean_is_the_closed_form),
        cmocka_unit_test(test_difference_is_paired),
        cmocka_unit_test(test_every_metric_has_an_interval),
        cmocka_unit_test(test_coverage_with_correlated_days),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
