/* Drift against SciPy and numpy, over smooth values, counts with ties, a flag, and samples with missing values; and what has
 * no answer. The samples are arithmetic, so that both sides make the same ones; the expected values came from
 *
 *   deciles = numpy.quantile(ref, numpy.arange(1, 10) / 10)
 *   cuts = []                                  # a value at two deciles or more is a bin of its own
 *   for value, times in zip(*numpy.unique(deciles, return_counts=True)):
 *       cuts += [(value, "left")] + [(value, "right")] * int(times > 1)
 *   share = lambda x: numpy.diff([0] + [numpy.searchsorted(x, c, s) for c, s in cuts] + [len(x)]) / len(x)
 *   e, a = share(ref), share(cur)              # sorted float32 as float64, without NaN
 *   ef, af = numpy.where(e > 0, e, 1e-4), numpy.where(a > 0, a, 1e-4)
 *   psi = ((af - ef) * numpy.log(af / ef)).sum()
 *   ks  = scipy.stats.ks_2samp(ref, cur).statistic
 *   js  = scipy.spatial.distance.jensenshannon(e, a) ** 2
 *   w1  = scipy.stats.wasserstein_distance(ref, cur) / ref.std(ddof=1)
 */
#include "base/random.h"
#include "evaluate/drift.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LARGEST = 5000 };

static void expect(const char *what, double value, double expected)
{
    if (isnan(expected) != isnan(value) || fabs(value - expected) > 1e-12 * (1 + fabs(expected)))
        fail_msg("%s is %.17g, not %.17g", what, value, expected);
}

static void expect_drift(const struct drift *drift, double psi, double ks, double js, double w1,
                         double missing_change)
{
    expect("psi", drift->psi, psi);
    expect("ks", drift->ks, ks);
    expect("js", drift->js, js);
    expect("w1", drift->w1, w1);
    expect("missing_change", drift->missing_change, missing_change);
}

static void smooth_values_agree_with_scipy(void **state)
{
    float reference[400], current[150];
    struct drift drift;
    (void)state;
    for (int i = 0; i < 400; i++)
        reference[i] = (float)((double)(i * 7919 % 1009) / 100);
    for (int i = 0; i < 150; i++)
        current[i] = (float)((double)(i * 104729 % 1013) / 80 + 1);
    drift_measure(reference, 400, current, 150, &drift);
    expect_drift(&drift, 0.608222220800458, 0.279166666666667, 0.0664649585549292, 0.730516454716493, 0);
}

static void counts_agree_with_scipy(void **state)
{
    float reference[300], current[200];
    struct drift drift;
    (void)state;
    for (int i = 0; i < 300; i++)
        reference[i] = (float)(i * i % 7);
    for (int i = 0; i < 200; i++)
        current[i] = (float)(i * i % 11);
    drift_measure(reference, 300, current, 200, &drift);
    expect_drift(&drift, 6.68832170775195, 0.433333333333333, 0.300318068753758, 1.38364530887471, 0);
}

static void a_rare_flag_that_becomes_frequent_is_seen(void **state)
{
    float reference[200], current[90];
    struct drift drift;
    (void)state;
    for (int i = 0; i < 200; i++)
        reference[i] = i % 20 == 0;
    for (int i = 0; i < 90; i++)
        current[i] = i % 5 == 0;
    drift_measure(reference, 200, current, 90, &drift);
    expect_drift(&drift, 0.233721692706982, 0.15, 0.0273113278144066, 0.686524427441357, 0);
}

static void missing_values_are_counted_apart(void **state)
{
    float reference[100], current[80];
    struct drift drift;
    struct feature_summary summary;
    static const double quantiles[FEATURE_QUANTILES] = {
        -32.753334274292,  -31.4333335876465, -24.8333330154419, -16.6666660308838, -8.5,
        -1.89999998807907, -0.580000017285345};
    (void)state;
    for (int i = 0; i < 100; i++)
        reference[i] = i % 4 == 0 ? NAN : (float)((double)-i / 3);
    for (int i = 0; i < 80; i++)
        current[i] = i % 2 != 0 ? -NAN : (float)((double)i / 7 - 20);
    drift_measure(reference, 100, current, 80, &drift);
    expect_drift(&drift, 4.18970358843337, 0.4, 0.25721685620598, 0.589126306304584, 0.25);
    feature_summarise(reference, 100, &summary); /* sorted by now: the order does not matter */
    assert_int_equal(summary.count, 100);
    assert_int_equal(summary.missing, 25);
    expect("mean", summary.mean, -16.6666666654746);
    expect("deviation", summary.deviation, 9.68342753444562);
    expect("low", summary.low, -33);
    expect("high", summary.high, -0.333333343267441);
    for (size_t k = 0; k < FEATURE_QUANTILES; k++)
        expect("quantile", summary.quantile[k], quantiles[k]);
}

static void a_sample_does_not_drift_from_itself(void **state)
{
    float one[LARGEST], two[LARGEST];
    struct random random;
    struct drift drift;
    (void)state;
    random_init(&random, 3);
    for (size_t i = 0; i < LARGEST; i++)
        one[i] = (float)random_uniform(&random);
    for (size_t i = 0; i < LARGEST; i++)
        two[i] = one[LARGEST - 1 - i];
    drift_measure(one, LARGEST, two, LARGEST, &drift);
    expect_drift(&drift, 0, 0, 0, 0, 0);
}

static void distant_samples_reach_the_ends(void **state)
{
    float reference[] = {1, 2, 3, 4}, current[] = {10, 11, 12};
    struct drift drift;
    (void)state;
    drift_measure(reference, 4, current, 3, &drift);
    expect("ks", drift.ks, 1);
    expect("w1", drift.w1, 8.5 / sqrt(5.0 / 3));
    assert_true(drift.js > 0 && drift.js <= log(2));
}

static void a_constant_reference_has_no_unit(void **state)
{
    float reference[] = {2, 2, 2}, same[] = {2, 2}, other[] = {2, 3, 3, 3};
    struct drift drift;
    (void)state;
    drift_measure(reference, 3, same, 2, &drift);
    expect_drift(&drift, 0, 0, 0, 0, 0);
    drift_measure(reference, 3, other, 4, &drift);
    expect("ks", drift.ks, 0.75);
    expect("w1", drift.w1, NAN);
    assert_true(drift.psi > 5); /* three quarters left the only bin that had anything */
}

static void too_few_values_have_no_answer(void **state)
{
    float one[] = {1}, gone[] = {NAN, NAN}, some[] = {1, 2};
    struct drift drift;
    struct feature_summary summary;
    (void)state;
    drift_measure(NULL, 0, NULL, 0, &drift);
    expect_drift(&drift, NAN, NAN, NAN, NAN, NAN);
    drift_measure(one, 1, some, 2, &drift);
    expect_drift(&drift, NAN, NAN, NAN, NAN, 0);
    drift_measure(some, 2, gone, 2, &drift);
    expect_drift(&drift, NAN, NAN, NAN, NAN, 1); /* a column that went missing is told by that alone */
    feature_summarise(gone, 2, &summary);
    assert_int_equal(summary.missing, 2);
    assert_true(isnan(summary.mean) && isnan(summary.low) && isnan(summary.quantile[3]));
    feature_summarise(one, 1, &summary);
    expect("mean", summary.mean, 1);
    expect("deviation", summary.deviation, NAN);
    expect("quantile", summary.quantile[0], 1);
    feature_summarise(NULL, 0, &summary);
    assert_int_equal(summary.count, 0);
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Both arrays are sorted in place, whatever their bits are. */
static void sorting_agrees_with_qsort(void **state)
{
    static const float odd[] = {0.0f, -0.0f, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_TRUE_MIN, INFINITY, -INFINITY};
    float *values = malloc(LARGEST * sizeof(float)), *expected = malloc(LARGEST * sizeof(float));
    struct random random;
    (void)state;
    assert_true(values != NULL && expected != NULL);
    random_init(&random, 11);
    for (size_t round = 0; round < 40; round++) {
        size_t count = random_below(&random, round % 2 ? LARGEST : 60);
        for (size_t i = 0; i < count; i++) {
            uint64_t kind = random_below(&random, 4);
            values[i] = kind == 0   ? odd[random_below(&random, sizeof(odd) / sizeof(*odd))]
                        : kind == 1 ? (float)random_below(&random, 5)
                                    : (float)(random_normal(&random) * pow(10, (double)round / 4 - 5));
            expected[i] = values[i];
        }
        struct feature_summary summary;
        feature_summarise(values, count, &summary);
        qsort(expected, count, sizeof(*expected), compare_floats);
        for (size_t i = 0; i < count; i++)
            assert_true(values[i] == expected[i]);
    }
    free(values);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooth_values_agree_with_scipy),
        cmocka_unit_test(counts_agree_with_scipy),
        cmocka_unit_test(a_rare_flag_that_becomes_frequent_is_seen),
        cmocka_unit_test(missing_values_are_counted_apart),
        cmocka_unit_test(a_sample_does_not_drift_from_itself),
        cmocka_unit_test(distant_samples_reach_the_ends),
        cmocka_unit_test(a_constant_reference_has_no_unit),
        cmocka_unit_test(too_few_values_have_no_answer),
        cmocka_unit_test(sorting_agrees_with_qsort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
