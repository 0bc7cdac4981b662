/* Staking by hand on a few matches, then on simulated ones with known probabilities. */
#include "evaluate/staking.h"

#include "base/random.h"
#include "evaluate/kelly.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

/* Five matches on three days; bets with edge >= 5 %: m0 home (.10), m1 draw (.20), m3 away (.125), m4 home
 * (.10). */
enum { FEW = 5 };
static const double few_p[FEW * 3] = {0.55, 0.25, 0.20, 0.40, 0.30, 0.30, 0.40, 0.30,
                                      0.30, 0.20, 0.35, 0.45, 0.50, 0.25, 0.25};
static const double few_odds[FEW * 3] = {2.00, 3.50, 4.00, 2.00, 4.00, 3.00, 2.00, 3.00,
                                         3.00, 4.00, 2.50, 2.50, 2.20, NAN,  1.00};
static const double few_closing[FEW * 3] = {0.52, 0.26, 0.22, 0.42, 0.28, 0.30, 0.40, 0.30,
                                            0.30, 0.30, 0.34, 0.36, NAN,  NAN,  NAN};
static const int32_t few_outcome[FEW] = {0, 0, 1, 2, 1};
static const int64_t few_block[FEW] = {100, 100, 103, 107, 107};
static const struct staking_input few = {FEW, 3, few_p, few_odds, few_closing, few_outcome, few_block};

static struct staking_plan plan_of(enum staking_kind kind)
{
    struct staking_plan plan = staking_plan_default(kind);
    plan.min_edge = 0.05;
    plan.draws = 200;
    plan.replicates = 200;
    plan.day_cap = 1;
    return plan;
}

static struct staking_result played(const struct staking_input *input, struct staking_plan plan)
{
    struct staking_result result;
    struct err err = {0};
    if (staking_simulate(input, &plan, &result, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return result;
}

static void test_flat_by_hand(void **state)
{
    (void)state;
    struct staking_result result = played(&few, plan_of(STAKING_FLAT));
    assert_int_equal(result.bet_count, 4);
    assert_int_equal(result.won_count, 2);
    assert_near(result.staked, 4, 0);
    assert_near(result.profit, 1 - 1 + 1.5 - 1, 1e-15);
    assert_near(result.roi.value, 0.125, 1e-15);
    assert_true(result.roi.low <= 0.125 && result.roi.high >= 0.125);
    assert_int_equal(result.curve_count, 3); /* also the day without a bet */
    assert_int_equal(result.curve[1].block, 103);
    assert_near(result.curve[0].bankroll, 100, 0);
    assert_near(result.curve[2].bankroll, 100.5, 1e-12);
    assert_near(result.bankroll, 100.5, 1e-12);
    assert_near(result.drawdown, 0, 0);
    /* closing known for three: 2 * .52 - 1, 4 * .28 - 1, 2.5 * .36 - 1 */
    assert_int_equal(result.clv_count, 3);
    assert_near(result.clv.value, (0.04 + 0.12 - 0.10) / 3, 1e-15);
    assert_near(result.bets[1].clv, 0.12, 1e-15);
    assert_true(isnan(result.bets[3].clv));
    assert_int_equal(result.bets[2].row, 3);
    assert_int_equal(result.bets[2].selection, 2);
    assert_near(result.bets[2].edge, 0.125, 1e-15);
    staking_release(&result);
    assert_null(result.bets);
}

static void test_kelly_by_hand(void **state)
{
    (void)state;
    struct staking_result result = played(&few, plan_of(STAKING_KELLY));
    /* shares .1 / 1, .2 / 3 of 100; then .125 / 1.5, .1 / 1.2 of what is left: both from the same morning */
    double morning = 100 + 10 - 100 * 0.2 / 3;
    assert_near(result.bets[0].stake, 10, 1e-12);
    assert_near(result.bets[1].stake, 100 * 0.2 / 3, 1e-12);
    assert_near(result.bets[2].stake, morning * 0.125 / 1.5, 1e-12);
    assert_near(result.bets[3].stake, morning * 0.1 / 1.2, 1e-12);
    assert_near(result.bankroll, morning * (1 + 0.125 - 0.1 / 1.2), 1e-12);
    assert_near(result.profit, result.bankroll - 100, 1e-12);
    staking_release(&result);

    struct staking_plan plan = plan_of(STAKING_KELLY);
    plan.day_cap = 0.1; /* .1 + .0667 scaled to .1 together */
    result = played(&few, plan);
    assert_near(result.bets[0].stake, 100 * 0.1 * 0.1 / (0.1 + 0.2 / 3), 1e-12);
    assert_near(result.bets[0].stake + result.bets[1].stake, 10, 1e-12);
    staking_release(&result);
}

static void test_fraction_and_cap(void **state)
{
    (void)state;
    struct staking_plan plan = plan_of(STAKING_FRACTIONAL);
    plan.fraction = 0.5;
    plan.cap = 0.04;
    struct staking_result result = played(&few, plan);
    assert_near(result.bets[0].stake, 4, 1e-12);             /* .05 capped */
    assert_near(result.bets[1].stake, 100 * 0.1 / 3, 1e-12); /* .0333 free */
    staking_release(&result);
}

static void test_joint_is_kelly_of_the_day(void **state)
{
    (void)state;
    const double p[4] = {0.55, 0.45, 0.55, 0.45}, odds[4] = {2, 1.9, 2, 1.9};
    const int32_t outcome[2] = {0, 1};
    const int64_t block[2] = {5, 5};
    const struct staking_input two = {2, 2, p, odds, NULL, outcome, block};
    struct staking_plan plan = plan_of(STAKING_JOINT);
    plan.fraction = 1;
    plan.cap = 1;
    struct staking_result result = played(&two, plan);
    assert_int_equal(result.bet_count, 2);
    assert_near(result.bets[0].stake, 100 * 0.1 / 1.01, 1e-3); /* closed form, see kelly_test.c */
    assert_int_equal(result.clv_count, 0);
    assert_true(isnan(result.clv.value));
    double full = result.bets[0].stake;
    staking_release(&result);
    plan.fraction = 0.25;
    result = played(&two, plan);
    assert_near(result.bets[0].stake, full / 4, 1e-6);
    staking_release(&result);
    plan.cap = 0.01;
    result = played(&two, plan);
    assert_near(result.bets[0].stake, 1, 1e-3);
    assert_true(result.bets[0].stake <= 1);
    staking_release(&result);
}

static void test_joint_keeps_the_best_of_a_crowded_day(void **state)
{
    (void)state;
    enum { CROWD = KELLY_BETS_MAX + 20 };
    double p[CROWD * 2], odds[CROWD * 2];
    int32_t outcome[CROWD];
    int64_t block[CROWD];
    for (int row = 0; row < CROWD; row++) {
        p[2 * row] = p[2 * row + 1] = 0.5;
        odds[2 * row] = row < CROWD - 30 ? 2.02 : 2.03; /* the last 30 are better, the others alike */
        odds[2 * row + 1] = 1.5;
        outcome[row] = row % 2;
        block[row] = 1;
    }
    const struct staking_input crowd = {CROWD, 2, p, odds, NULL, outcome, block};
    struct staking_plan plan = plan_of(STAKING_JOINT);
    plan.min_edge = 0.005;
    struct staking_result result = played(&crowd, plan);
    assert_int_equal(result.left_out, 20);
    assert_int_equal(result.bet_count, KELLY_BETS_MAX);
    assert_int_equal(result.bets[0].row, 0); /* of equals the earlier */
    assert_int_equal(result.bets[KELLY_BETS_MAX - 30].row, CROWD - 30);
    staking_release(&result);
}

static void test_drawdown(void **state)
{
    (void)state;
    const double p[8] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, odds[8] = {3, 1, 3, 1, 3, 1, 3, 1};
    const int32_t outcome[4] = {0, 1, 1, 0}; /* bankroll 2: 4 3 2 4 */
    const int64_t block[4] = {1, 2, 3, 4};
    const struct staking_input four = {4, 2, p, odds, NULL, outcome, block};
    struct staking_plan plan = plan_of(STAKING_FLAT);
    plan.bankroll = 2;
    struct staking_result result = played(&four, plan);
    assert_near(result.bankroll, 4, 0);
    assert_near(result.drawdown, 2, 0);
    assert_near(result.drawdown_share, 0.5, 0);
    staking_release(&result);
}

static void test_nothing_to_bet_on(void **state)
{
    (void)state;
    struct staking_plan plan = plan_of(STAKING_FLAT);
    plan.min_edge = 3;
    struct staking_result result = played(&few, plan);
    assert_int_equal(result.bet_count, 0);
    assert_true(isnan(result.roi.value) && isnan(result.clv.low) && isnan(result.control.percentile));
    assert_near(result.bankroll, 100, 0);
    staking_release(&result);
    struct staking_input empty = few;
    empty.rows = 0;
    result = played(&empty, plan);
    assert_int_equal(result.curve_count, 0);
    staking_release(&result);
    plan = plan_of(STAKING_KELLY); /* no Kelly stake without edge */
    plan.min_edge = -1;
    result = played(&few, plan);
    for (size_t index = 0; index < result.bet_count; index++)
        assert_true(result.bets[index].edge > 0);
    staking_release(&result);
}

static void test_bad_plans_and_rows(void **state)
{
    (void)state;
    struct staking_result result;
    struct err err;
    for (int index = 0; index < 8; index++) {
        struct staking_plan plan = plan_of(STAKING_JOINT);
        double *const members[8] = {&plan.min_edge, &plan.bankroll, &plan.fraction, &plan.fraction,
                                    &plan.cap,      &plan.cap,      &plan.day_cap,  &plan.min_edge};
        const double bad[8] = {-2, 0, 0, 1.5, -1, NAN, 2, NAN};
        *members[index] = bad[index];
        assert_int_equal(staking_simulate(&few, &plan, &result, &err), ERR_INVALID);
        assert_true(err.field[0] != 0);
        assert_null(result.bets);
    }
    struct staking_plan plan = plan_of(STAKING_FLAT);
    plan.draws = 0;
    assert_int_equal(staking_simulate(&few, &plan, &result, &err), ERR_INVALID);
    plan.draws = 1;
    struct staking_input input = few;
    const int32_t outcome[FEW] = {0, 0, 1, 3, 1};
    input.outcome = outcome;
    assert_int_equal(staking_simulate(&input, &plan, &result, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "row 3"));
    input = few;
    double p[FEW * 3];
    memcpy(p, few_p, sizeof p);
    input.p = p;
    p[4] = NAN;
    assert_int_equal(staking_simulate(&input, &plan, &result, &err), ERR_INVALID);
    p[4] = 0.9;
    assert_int_equal(staking_simulate(&input, &plan, &result, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "sum to 1.6"));
}

/* 3,000 matches, ten a day, priced by a bookmaker who is wrong by a random amount and takes 5 %. */
enum { MANY = 3000 };
static double true_p[MANY * 3], odds[MANY * 3], closing[MANY * 3], noise[MANY * 3];
static int32_t outcome[MANY];
static int64_t block[MANY];

static void random_row(struct random *random, const double *around, double spread, double *out)
{
    double sum = 0;
    for (int index = 0; index < 3; index++)
        sum += out[index] = around[index] * exp(spread * random_normal(random));
    for (int index = 0; index < 3; index++)
        out[index] /= sum;
}

static int make_market(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 9);
    const double usual[3] = {0.45, 0.27, 0.28};
    for (int row = 0; row < MANY; row++) {
        double *p = true_p + 3 * row, book[3], at = random_uniform(&random);
        random_row(&random, usual, 0.4, p);
        random_row(&random, p, 0.15, book);
        random_row(&random, p, 0.3, noise + 3 * row);
        random_row(&random, p, 0.02, closing + 3 * row);
        for (int index = 0; index < 3; index++)
            odds[3 * row + index] = 1 / (1.05 * book[index]);
        outcome[row] = at < p[0] ? 0 : at < p[0] + p[1] ? 1 : 2;
        block[row] = row / 10;
    }
    return 0;
}

static void test_knowledge_beats_chance(void **state)
{
    (void)state;
    const struct staking_input input = {MANY, 3, true_p, odds, closing, outcome, block};
    for (enum staking_kind kind = 0; kind < STAKING_KIND_COUNT; kind++) {
        struct staking_plan plan = staking_plan_default(kind);
        struct staking_result result = played(&input, plan);
        print_message("%-16s %zu bets, ROI %+.3f [%+.3f %+.3f], CLV %+.3f, control %+.3f [%+.3f %+.3f], "
                      "percentile %.3f, "
                      "bankroll %.4g, drawdown %.2f\n",
                      staking_name(kind), result.bet_count, result.roi.value, result.roi.low, result.roi.high,
                      result.clv.value, result.control.roi_mean, result.control.roi_low,
                      result.control.roi_high, result.control.percentile, result.bankroll,
                      result.drawdown_share);
        assert_true(result.bet_count > 500);
        assert_true(result.clv.low > 0.05); /* the close is near the truth */
        assert_true(result.control.percentile > (kind == STAKING_FLAT ? 0.99 : 0.9));
        assert_true(result.bankroll > 0);
        if (kind == STAKING_FLAT) { /* what is betted on at 5 % margin */
            assert_near(result.control.roi_mean, -0.05, 0.03);
            assert_true(result.roi.low > 0);
        }
        staking_release(&result);
    }
}

/* Stakes of a day must be the same whatever happens on it and after it. */
static void test_stakes_know_no_future(void **state)
{
    (void)state;
    int32_t other[MANY];
    for (int row = 0; row < MANY; row++)
        other[row] = row < 1500 ? outcome[row] : (outcome[row] + 1) % 3;
    struct staking_input input = {MANY, 3, true_p, odds, closing, outcome, block};
    for (enum staking_kind kind = 0; kind < STAKING_KIND_COUNT; kind++) {
        struct staking_plan plan = plan_of(kind);
        plan.day_cap = 0.5;
        input.outcome = outcome;
        struct staking_result one = played(&input, plan);
        input.outcome = other;
        struct staking_result two = played(&input, plan);
        for (size_t index = 0; index < one.bet_count && one.bets[index].row < 1510; index++)
            assert_true(one.bets[index].stake == two.bets[index].stake);
        staking_release(&one);
        staking_release(&two);
    }
}

static void test_all_selections_are_the_control(void **state)
{
    (void)state;
    const struct staking_input input = {MANY, 3, true_p, odds, NULL, outcome, block};
    struct staking_plan plan = plan_of(STAKING_FLAT);
    plan.min_edge = -1;
    struct staking_result result = played(&input, plan);
    assert_int_equal(result.bet_count, MANY * 3);
    assert_near(result.control.roi_mean, result.roi.value, 1e-9); /* there is nothing else to pick */
    assert_near(result.control.percentile, 0.5, 1e-9);
    staking_release(&result);
}

/* A noisy forecast picks like chance or a little worse; the same seed gives the same result to the bit. */
static void test_noise_is_no_skill(void **state)
{
    (void)state;
    double shuffled[MANY * 3];
    for (int row = 0; row < MANY; row++) /* another match's forecast */
        memcpy(shuffled + 3 * row, noise + 3 * ((row + 1501) % MANY), 3 * sizeof *shuffled);
    const struct staking_input input = {MANY, 3, shuffled, odds, closing, outcome, block};
    struct staking_result result = played(&input, plan_of(STAKING_FLAT)),
                          again = played(&input, plan_of(STAKING_FLAT));
    assert_true(result.control.percentile < 0.99);
    assert_true(result.roi.high < 0.1);
    assert_memory_equal(&result.roi, &again.roi, sizeof result.roi);
    assert_memory_equal(&result.control, &again.control, sizeof result.control);
    staking_release(&result);
    staking_release(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat_by_hand),
        cmocka_unit_test(test_kelly_by_hand),
        cmocka_unit_test(test_fraction_and_cap),
        cmocka_unit_test(test_joint_is_kelly_of_the_day),
        cmocka_unit_test(test_joint_keeps_the_best_of_a_crowded_day),
        cmocka_unit_test(test_drawdown),
        cmocka_unit_test(test_nothing_to_bet_on),
        cmocka_unit_test(test_bad_plans_and_rows),
        cmocka_unit_test(test_knowledge_beats_chance),
        cmocka_unit_test(test_stakes_know_no_future),
        cmocka_unit_test(test_all_selections_are_the_control),
        cmocka_unit_test(test_noise_is_no_skill),
    };
    return cmocka_run_group_tests(tests, make_market, NULL);
}
