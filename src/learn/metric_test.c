/* Metrics against scikit-learn 1.9 / numpy on the rows of test_rows.h (500 rows, seed 1), and their edges. */
#include "learn/metric.h"

#include "learn/test_rows.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS = 500 };
static double p[ROWS * 3];
static int32_t label[ROWS];
static int64_t block[ROWS];

static int setup(void **state)
{
    (void)state;
    test_rows_fill(ROWS, 1, p, label);
    for (int row = 0; row < ROWS; row++)
        block[row] = 16000 + row / 5;
    return 0;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

static double value_of(enum metric metric)
{
    return metric_value(metric, p, label, NULL, ROWS, 3);
}

static void test_values_equal_scikit_learn(void **state)
{
    (void)state;
    assert_near(value_of(METRIC_LOG_LOSS), 0.8474752088942844, 1e-13); /* log_loss(L, P) */
    assert_near(value_of(METRIC_BRIER), 0.5041758627340034, 1e-13);    /* ((P - O)**2).sum(1).mean() */
    assert_near(value_of(METRIC_RPS), 0.17131617349175823, 1e-13); /* ((cumsum P - cumsum O)**2).sum(1)/2 */
    assert_near(value_of(METRIC_ACCURACY), 0.636, 1e-15);          /* accuracy_score(L, P.argmax(1)) */
    assert_near(value_of(METRIC_MACRO_F1), 0.6358159249510922, 1e-13); /* f1_score(..., average="macro") */
    assert_near(value_of(METRIC_ECE), 0.08828985105611412, 1e-13);     /* b = min(int(P*15), 14);
                                abs(bincount(b.ravel(), (P - O).ravel(), 15)).sum() / P.size */
}

static void test_weights_count_rows(void **state)
{
    (void)state;
    double weight[ROWS];
    for (int row = 0; row < ROWS; row++)
        weight[row] = row % 4;
    assert_near(metric_value(METRIC_LOG_LOSS, p, label, weight, ROWS, 3), 0.8536578828498268, 1e-13);
    assert_near(metric_value(METRIC_MACRO_F1, p, label, weight, ROWS, 3), 0.6271780478276068, 1e-13);
    for (int row = 0; row < ROWS; row++)
        weight[row] = row < 3; /* three hits of class 0: the classes that are not there do not count */
    assert_near(metric_value(METRIC_MACRO_F1, p, label, weight, ROWS, 3), 1.0, 0);
    memset(weight, 0, sizeof weight);
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        assert_true(isnan(metric_value(metric, p, label, weight, ROWS, 3)));
        assert_true(isnan(metric_value(metric, p, label, NULL, 0, 3)));
    }
}

static void test_rows_at_the_edges(void **state)
{
    (void)state;
    const double sure[3] = {1, 0, 0}, level[3] = {1. / 3, 1. / 3, 1. / 3}, pair[2] = {0.25, 0.75};
    assert_near(metric_row(METRIC_LOG_LOSS, sure, 3, 0), 0, 0);
    assert_near(metric_row(METRIC_LOG_LOSS, sure, 3, 2), -log(1e-15), 1e-12);
    assert_near(metric_row(METRIC_BRIER, sure, 3, 2), 2, 0);
    assert_near(metric_row(METRIC_RPS, sure, 3, 2), 1, 0);
    assert_near(metric_row(METRIC_RPS, sure, 3, 1), 0.5, 0);
    assert_near(metric_row(METRIC_RPS, pair, 2, 1), metric_row(METRIC_BRIER, pair, 2, 1) / 2, 1e-16);
    assert_near(metric_row(METRIC_ACCURACY, level, 3, 0), 1, 0); /* a tie goes to the first class */
    assert_near(metric_row(METRIC_ACCURACY, level, 3, 1), 0, 0);
}

static void test_names_are_distinct(void **state)
{
    (void)state;
    assert_string_equal(metric_name(METRIC_LOG_LOSS), "log_loss");
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        assert_true(strlen(metric_doc(metric)) > 10);
        for (enum metric other = metric + 1; other < METRIC_COUNT; other++)
            assert_string_not_equal(metric_name(metric), metric_name(other));
    }
    assert_true(metric_lower_is_better(METRIC_RPS) && !metric_lower_is_better(METRIC_ACCURACY));
    assert_true(metric_is_row_mean(METRIC_BRIER) && !metric_is_row_mean(METRIC_ECE));
}

static void test_reliability_adds_up_to_ece(void **state)
{
    (void)state;
    struct reliability_bin bins[METRIC_ECE_BINS], one[METRIC_ECE_BINS];
    metric_reliability(p, label, ROWS, 3, METRIC_ECE_BINS, bins);
    double ece = 0;
    size_t count = 0, count_of_classes = 0;
    for (int bin = 0; bin < METRIC_ECE_BINS; bin++) {
        count += bins[bin].count;
        assert_true(bins[bin].count == 0
                        ? isnan(bins[bin].mean_p)
                        : bins[bin].mean_p >= bins[bin].low && bins[bin].mean_p <= bins[bin].high);
        if (bins[bin].count > 0)
            ece += (double)bins[bin].count / (ROWS * 3) * fabs(bins[bin].mean_p - bins[bin].mean_o);
    }
    assert_int_equal(count, ROWS * 3);
    assert_near(ece, value_of(METRIC_ECE), 1e-14);
    for (size_t class_index = 0; class_index < 3; class_index++) {
        metric_reliability_class(p, label, ROWS, 3, class_index, METRIC_ECE_BINS, one);
        for (int bin = 0; bin < METRIC_ECE_BINS; bin++)
            count_of_classes += one[bin].count;
    }
    assert_int_equal(count_of_classes, ROWS * 3);
}

static void test_reliability_puts_one_into_the_last_bin(void **state)
{
    (void)state;
    const double sure[4] = {1, 0, 0.5, 0.5};
    const int32_t happened[2] = {0, 1};
    struct reliability_bin bins[2];
    metric_reliability_class(sure, happened, 2, 2, 0, 2, bins);
    assert_int_equal(bins[0].count, 0);
    assert_int_equal(bins[1].count, 2);
    assert_near(bins[1].mean_p, 0.75, 0);
    assert_near(bins[1].mean_o, 0.5, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_equal_scikit_learn),
        cmocka_unit_test(test_weights_count_rows),
        cmocka_unit_test(test_rows_at_the_edges),
        cmocka_unit_test(test_names_are_distinct),
        cmocka_unit_test(test_reliability_adds_up_to_ece),
        cmocka_unit_test(test_reliability_puts_one_into_the_last_bin),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
