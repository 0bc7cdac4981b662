/* ADWIN: its moments against those of the values themselves, cuts, memory. Every step of longer streams is compared with a
 * Python implementation that keeps all values in tests/test_retraining.py. */
#include "base/random.h"
#include "evaluate/adwin.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(double value, double expected)
{
    if (isnan(value) != isnan(expected) || fabs(value - expected) > 1e-9 * (1 + fabs(expected)))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void an_empty_window_has_no_mean(void **state)
{
    struct adwin adwin;
    (void)state;
    adwin_init(&adwin, 0.01);
    expect(adwin_count(&adwin), 0);
    expect(adwin_mean(&adwin), NAN);
    expect(adwin_least_delta(&adwin), 1);
}

/* Mean and variance are exact whatever the buckets are. */
static void moments_are_those_of_the_values(void **state)
{
    struct adwin adwin;
    struct random random;
    double sum = 0, squares = 0, values[5000];
    (void)state;
    random_init(&random, 3);
    adwin_init(&adwin, 0);
    for (int i = 0; i < 5000; i++) {
        values[i] = random_normal(&random) + i / 1000.0;
        sum += values[i];
        assert_int_equal(adwin_add(&adwin, values[i]), ADWIN_NONE); /* delta 0: never cut */
    }
    for (int i = 0; i < 5000; i++)
        squares += (values[i] - sum / 5000) * (values[i] - sum / 5000);
    expect(adwin_count(&adwin), 5000);
    expect(adwin_mean(&adwin), sum / 5000);
    expect(adwin.variance, squares);
}

static void buckets_stay_few(void **state)
{
    struct adwin adwin;
    (void)state;
    adwin_init(&adwin, 0);
    for (int i = 0; i < 100000; i++)
        adwin_fill(&adwin, i % 7);
    assert_true(adwin.row_count <= 16); /* 5 buckets of each of 1 .. 2^15 hold more than 100000 */
    for (size_t k = 0; k < adwin.row_count; k++)
        assert_true(adwin.rows[k].count <= ADWIN_BUCKETS);
}

/* A jump is cut: what is left is nearly all of the new level, and the direction is told. */
static void a_jump_is_cut(void **state)
{
    struct adwin adwin;
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        enum adwin_change first = ADWIN_NONE;
        int delay = 0;
        adwin_init(&adwin, 0.002);
        for (int i = 0; i < 300; i++)
            assert_int_equal(adwin_add(&adwin, 0.5), ADWIN_NONE);
        for (int i = 0; i < 300; i++) {
            enum adwin_change change = adwin_add(&adwin, 0.5 + 0.4 * sign);
            if (first == ADWIN_NONE && change != ADWIN_NONE) {
                first = change;
                delay = i;
            }
        }
        assert_int_equal(first, sign > 0 ? ADWIN_ROSE : ADWIN_FELL);
        assert_true(delay < 60);
        assert_true(fabs(adwin_mean(&adwin) - 0.5 - 0.4 * sign) < 0.03); /* a few old ones may stay */
    }
}

/* The least delta is exactly where cutting begins. */
static void the_least_delta_is_the_border_of_cutting(void **state)
{
    struct adwin watched, cut, kept;
    struct random random;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_init(&random, seed);
        adwin_init(&watched, 0);
        for (int i = 0; i < 199; i++)
            adwin_fill(&watched, random_uniform(&random) + (i > 120 ? 0.3 : 0));
        double last = random_uniform(&random) + 0.3;
        cut = kept = watched;
        adwin_fill(&watched, last);
        double least = adwin_least_delta(&watched);
        if (least >= 1)
            continue;
        cut.delta = least * 1.0001;
        kept.delta = least * 0.9999;
        assert_int_equal(adwin_add(&cut, last), ADWIN_ROSE);
        assert_int_equal(adwin_add(&kept, last), ADWIN_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_window_has_no_mean),
        cmocka_unit_test(moments_are_those_of_the_values),
        cmocka_unit_test(buckets_stay_few),
        cmocka_unit_test(a_jump_is_cut),
        cmocka_unit_test(the_least_delta_is_the_border_of_cutting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
