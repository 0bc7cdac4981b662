/* RMSE and MAE of probabilities, against figures worked out by hand and scikit-learn's mean_squared_error and
 * mean_absolute_error of the one-hot outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "learn/metric.h"
#include "learn/probability_error.h"

#include <math.h>

static void check(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-12);
}

static void test_by_hand(void **state)
{
    static const double p[6] = {.5, .3, .2, .1, .1, .8};
    static const int32_t label[2] = {0, 1};
    struct probability_error error = probability_error_of(p, label, 2, 3);

    (void)state;
    /* squares .25 .09 .04 .01 .81 .64 = 1.84; distances .5 .3 .2 .1 .9 .8 = 2.8 */
    check(error.rmse, sqrt(1.84 / 6));
    check(error.mae, 2.8 / 6);
    check(error.rmse, sqrt(metric_value(METRIC_BRIER, p, label, NULL, 2, 3) / 3));
}

static void test_ends(void **state)
{
    static const double right[2] = {1, 0}, wrong[2] = {0, 1};
    static const int32_t label[1] = {0};

    (void)state;
    check(probability_error_of(right, label, 1, 2).rmse, 0);
    check(probability_error_of(right, label, 1, 2).mae, 0);
    check(probability_error_of(wrong, label, 1, 2).rmse, 1); /* sqrt(2 / 2) */
    check(probability_error_of(wrong, label, 1, 2).mae, 1);
    assert_true(isnan(probability_error_of(right, label, 0, 2).rmse));
    assert_true(isnan(probability_error_of(right, label, 0, 2).mae));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_ends)};

    return cmocka_run_group_tests_name("probability error", tests, NULL, NULL);
}
