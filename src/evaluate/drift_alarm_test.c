/* Drift alarm: samples lie where they may, limits are quantiles, and a feature that wanders as it always did is not called
 * drifted while one that jumps is. */
#include "evaluate/drift_alarm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROWS = 3000, WINDOW = 100, SAMPLES = 200 };

static void samples_lie_where_they_may(void **state)
{
    struct random random;
    (void)state;
    random_init(&random, 1);
    for (int i = 0; i < 2000; i++) {
        struct drift_sample sample;
        size_t rows = 400 + (size_t)i;
        assert_true(drift_sample_draw(&random, 50, rows, WINDOW, 380, &sample));
        assert_int_equal(sample.end - sample.begin, WINDOW);
        assert_true(sample.end <= 50 + rows && sample.begin >= 50 + WINDOW);
        assert_true(sample.reference_begin >= 50 && sample.reference_end <= sample.begin);
        assert_true(sample.begin - sample.reference_end <= 380);
        assert_true(sample.reference_end - sample.reference_begin >= WINDOW);
        assert_true(sample.reference_end - sample.reference_begin <= DRIFT_ALARM_REFERENCE_MOST);
    }
}

static void few_rows_give_no_sample(void **state)
{
    struct random random;
    struct drift_sample sample;
    (void)state;
    random_init(&random, 1);
    assert_false(drift_sample_draw(&random, 0, 4 * WINDOW - 1, WINDOW, 0, &sample));
    assert_true(drift_sample_draw(&random, 0, 4 * WINDOW, WINDOW, 0, &sample));
}

static void limits_are_quantiles(void **state)
{
    struct drift samples[99], limit;
    double scratch[99];
    (void)state;
    for (int i = 0; i < 99; i++)
        samples[i] = (struct drift){i + 1, (i + 1) / 100.0, NAN, i % 2 ? 0.5 : NAN, i == 3 ? -0.4 : 0};
    drift_limits(samples, 99, 0.1, scratch, &limit);
    assert_true(limit.psi == 90 && limit.ks == 0.9); /* the 90th of 99: one in ten lies above */
    assert_true(isinf(limit.js));                    /* no value: nothing can exceed it */
    assert_true(isinf(limit.w1));                    /* in less than half of the samples */
    assert_true(limit.missing_change == DRIFT_MISSING_LEAST);
    drift_limits(samples, 99, 0.001, scratch, &limit);
    assert_true(limit.psi == 99 && limit.missing_change == 0.4); /* rarer than can be seen: the largest */
}

static void one_measure_alone_is_no_drift(void **state)
{
    const struct drift limit = {1, 1, 1, 1, 0.2};
    struct drift drift = {2, 0.5, 0.5, 0.5, 0};
    (void)state;
    assert_false(drift_is_beyond(&drift, &limit));
    drift.ks = 1.1;
    assert_true(drift_is_beyond(&drift, &limit));
    drift = (struct drift){NAN, NAN, NAN, NAN, 0.3};
    assert_true(drift_is_beyond(&drift, &limit));
    drift.missing_change = NAN;
    assert_false(drift_is_beyond(&drift, &limit));
}

/* A slow wave with noise: every window differs from its past by any test for independent rows. */
static void fill_wave(float *values, uint64_t seed)
{
    struct random random;
    random_init(&random, seed);
    for (int i = 0; i < ROWS + WINDOW; i++)
        values[i] = (float)(sin(i / 150.0) + 0.5 * random_normal(&random));
}

static void a_wave_is_not_drift_and_a_jump_is(void **state)
{
    static float values[ROWS + WINDOW];
    static struct drift samples[SAMPLES];
    float scratch[DRIFT_ALARM_REFERENCE_MOST + WINDOW];
    double numbers[SAMPLES];
    struct random random;
    struct drift limit, drift;
    int waves = 0, jumps = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fill_wave(values, seed);
        random_init(&random, seed);
        for (int i = 0; i < SAMPLES; i++) {
            struct drift_sample sample;
            assert_true(drift_sample_draw(&random, 0, ROWS, WINDOW, 380, &sample));
            drift_sample_measure(values, &sample, scratch, &samples[i]);
        }
        drift_limits(samples, SAMPLES, 0.01, numbers, &limit);
        struct drift_sample now = {ROWS - DRIFT_ALARM_REFERENCE_MOST, ROWS, ROWS, ROWS + WINDOW};
        drift_sample_measure(values, &now, scratch, &drift);
        waves += drift_is_beyond(&drift, &limit);
        for (int i = ROWS; i < ROWS + WINDOW; i++)
            values[i] += 4;
        drift_sample_measure(values, &now, scratch, &drift);
        jumps += drift_is_beyond(&drift, &limit);
    }
    assert_true(waves <= 2);
    assert_int_equal(jumps, 20);
}

static void a_share_that_is_exceeded_rarely(void **state)
{
    double shares[100];
    (void)state;
    for (int i = 0; i < 100; i++)
        shares[i] = (99 - i) / 100.0;
    assert_true(drift_share_limit(shares, 100, 0.1) == 0.9);
    assert_true(drift_share_limit(shares, 100, 0.0001) == 0.99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_lie_where_they_may),
        cmocka_unit_test(few_rows_give_no_sample),
        cmocka_unit_test(limits_are_quantiles),
        cmocka_unit_test(one_measure_alone_is_no_drift),
        cmocka_unit_test(a_wave_is_not_drift_and_a_jump_is),
        cmocka_unit_test(a_share_that_is_exceeded_rarely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
