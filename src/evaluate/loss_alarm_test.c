/* Loss alarm: what a row is, that the stated rate is kept in worlds that the calibration has not seen, that a worse forecast is
 * noticed, and that the limits are a function of the seed. */
#include "base/random.h"
#include "evaluate/loss_alarm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { REFERENCE = 400, HORIZON = 380 };

static void expect(double value, double expected)
{
    if (fabs(value - expected) > 1e-12)
        fail_msg("%.17g is not %.17g", value, expected);
}

static void a_row_is_loss_and_entropy(void **state)
{
    const double p[] = {0.5, 0.25, 0.25}, certain[] = {0, 1};
    (void)state;
    struct loss_row row = loss_row_make(p, 3, 1, 7, 9);
    expect(row.loss, log(4));
    expect(row.expected, 0.5 * log(2) + 0.5 * log(4));
    assert_int_equal(row.block, 7);
    row = loss_row_make(certain, 2, 0, 7, 9);
    assert_true(isfinite(row.loss) && row.loss > 30);
    assert_true(row.expected < 1e-12);
}

/* Matches of a calibrated forecaster; ten to a day. `wrong` moves the truth away from what is told. */
static void make_world(uint64_t seed, double wrong, struct loss_row *out, size_t count, size_t first)
{
    struct random random;
    random_init(&random, seed);
    for (size_t i = 0; i < count; i++) {
        double home = 0.2 + 0.5 * random_uniform(&random), draw = 0.15 + 0.12 * random_uniform(&random);
        double told[3] = {home, draw, 1 - home - draw};
        double truth_home = home * (1 - wrong) + wrong * told[2], u = random_uniform(&random);
        int32_t label = u < truth_home ? 0 : u < truth_home + draw ? 1 : 2;
        out[i] = loss_row_make(told, 3, label, (int64_t)((first + i) / 10), (int64_t)(first + i));
    }
}

static struct loss_alarm_plan plan_of(const struct loss_row *reference, double rate)
{
    return (struct loss_alarm_plan){.reference = reference,
                                    .rows = REFERENCE,
                                    .horizon = HORIZON,
                                    .score_window = 20,
                                    .runs = 200,
                                    .seed = 1,
                                    .rate = rate};
}

/* Of worlds of 1 reference and 1 season each: how many give an alarm, by detector. */
static void count_alarms(double wrong, double rate, size_t worlds, size_t counts[3])
{
    static struct loss_row rows[REFERENCE + HORIZON];
    memset(counts, 0, 3 * sizeof(*counts));
    for (size_t world = 0; world < worlds; world++) {
        struct loss_alarm_limits limits;
        struct loss_alarm alarm;
        struct err err = {0};
        make_world(1000 + world, 0, rows, REFERENCE, 0);
        make_world(9000 + world, wrong, rows + REFERENCE, HORIZON, REFERENCE);
        struct loss_alarm_plan plan = plan_of(rows, rate);
        assert_int_equal(loss_alarm_calibrate(&plan, &limits, &err), ERR_OK);
        loss_alarm_run(rows, REFERENCE, rows + REFERENCE, HORIZON, 20, &limits, &alarm);
        counts[0] += alarm.page_hinkley_us != INT64_MIN;
        counts[1] += alarm.adwin_us != INT64_MIN;
        counts[2] += alarm.score < limits.score;
    }
}

/* 5 % of 60 worlds are 3; 10 and more happen with a chance of about 1 in 1000, and these seeds are what they are. */
static void the_rate_is_kept(void **state)
{
    size_t counts[3];
    (void)state;
    count_alarms(0, 0.05, 60, counts);
    for (size_t i = 0; i < 3; i++) {
        if (counts[i] >= 10)
            fail_msg("detector %zu cried wolf in %zu of 60 worlds; 5 %% were allowed", i, counts[i]);
    }
}

static void a_worse_forecast_is_noticed(void **state)
{
    size_t counts[3];
    (void)state;
    count_alarms(0.9, 0.0125, 12, counts); /* home and away wins nearly exchanged */
    assert_true(counts[0] >= 11);
    assert_true(counts[1] >= 8);
}

static void limits_are_a_function_of_the_seed(void **state)
{
    static struct loss_row rows[REFERENCE];
    struct loss_alarm_limits a, b, c;
    struct err err = {0};
    (void)state;
    make_world(5, 0, rows, REFERENCE, 0);
    struct loss_alarm_plan plan = plan_of(rows, 0.05);
    assert_int_equal(loss_alarm_calibrate(&plan, &a, &err), ERR_OK);
    assert_int_equal(loss_alarm_calibrate(&plan, &b, &err), ERR_OK);
    assert_memory_equal(&a, &b, sizeof(a));
    plan.seed = 2;
    assert_int_equal(loss_alarm_calibrate(&plan, &c, &err), ERR_OK);
    assert_true(a.lambda != c.lambda);
    plan.rate = 0.01; /* fewer false alarms need more evidence */
    assert_int_equal(loss_alarm_calibrate(&plan, &b, &err), ERR_OK);
    assert_true(b.lambda > c.lambda && b.adwin_delta <= c.adwin_delta && b.score <= c.score);
}

static void too_little_is_refused(void **state)
{
    static struct loss_row rows[REFERENCE];
    struct loss_alarm_limits limits;
    struct err err = {0};
    (void)state;
    make_world(5, 0, rows, REFERENCE, 0);
    struct loss_alarm_plan plan = plan_of(rows, 0.05);
    plan.rows = LOSS_ALARM_REFERENCE_LEAST - 1;
    assert_int_equal(loss_alarm_calibrate(&plan, &limits, &err), ERR_INVALID);
    for (size_t i = 0; i < REFERENCE; i++)
        rows[i].block = 3;
    plan.rows = REFERENCE;
    assert_int_equal(loss_alarm_calibrate(&plan, &limits, &err), ERR_INVALID);
}

static void nothing_live_is_no_alarm(void **state)
{
    static struct loss_row rows[REFERENCE];
    struct loss_alarm_limits limits;
    struct loss_alarm alarm;
    struct err err = {0};
    (void)state;
    make_world(5, 0, rows, REFERENCE, 0);
    struct loss_alarm_plan plan = plan_of(rows, 0.05);
    assert_int_equal(loss_alarm_calibrate(&plan, &limits, &err), ERR_OK);
    loss_alarm_run(rows, REFERENCE, NULL, 0, 20, &limits, &alarm);
    assert_int_equal(alarm.count, 0);
    assert_true(isnan(alarm.loss) && isnan(alarm.score));
    assert_true(alarm.page_hinkley_us == INT64_MIN && alarm.adwin_us == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_loss_and_entropy),   cmocka_unit_test(the_rate_is_kept),
        cmocka_unit_test(a_worse_forecast_is_noticed), cmocka_unit_test(limits_are_a_function_of_the_seed),
        cmocka_unit_test(too_little_is_refused),       cmocka_unit_test(nothing_live_is_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
