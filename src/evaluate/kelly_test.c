/* Joint Kelly against closed forms, exact enumeration of all outcomes and a search over a grid. */
#include "evaluate/kelly.h"

#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

/* E ln W over all outcomes: match by match, each of its selections wins or none does. */
static double enumerated(const struct kelly_bet *bets, size_t count, const double *stake, size_t first,
                         double wealth)
{
    if (first == count)
        return log(wealth);
    double sum = 0, left = 1;
    size_t next = first;
    while (next < count && bets[next].match == bets[first].match)
        next++;
    for (size_t index = first; index < next; index++) {
        left -= bets[index].p;
        sum += bets[index].p * enumerated(bets, count, stake, next, wealth + stake[index] * bets[index].odds);
    }
    return sum + left * enumerated(bets, count, stake, next, wealth);
}

static double exact(const struct kelly_bet *bets, size_t count, const double *stake)
{
    double total = 0;
    for (size_t index = 0; index < count; index++)
        total += stake[index];
    return enumerated(bets, count, stake, 0, 1 - total);
}

/* Up to two selections per match with edges from -5 % to +15 %. */
static size_t made_bets(struct random *random, size_t matches, struct kelly_bet *bets)
{
    size_t count = 0;
    for (size_t match = 0; match < matches; match++) {
        size_t selections = 1 + random_below(random, 2);
        for (size_t index = 0; index < selections; index++) {
            double p = 0.05 + 0.4 * random_uniform(random);
            bets[count++] = (struct kelly_bet){match, p, (0.95 + 0.2 * random_uniform(random)) / p};
        }
    }
    return count;
}

static void test_one_bet(void **state)
{
    (void)state;
    const double cases[][2] = {{0.55, 2}, {0.3, 4}, {0.9, 1.2}, {0.05, 30}, {0.5, 1.9}};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        struct kelly_bet bet = {0, cases[index][0], cases[index][1]};
        double stake, expected = kelly_fraction(bet.p, bet.odds);
        kelly_joint(&bet, 1, 1, 1, &stake);
        assert_near(stake, expected, 1e-5);
        if (expected == 0)
            assert_true(stake == 0);
    }
    assert_near(kelly_fraction(0.55, 2), 0.1, 1e-15);
    assert_near(kelly_fraction(0.5, 2), 0, 0);
    assert_near(kelly_fraction(0.1, 2), 0, 0);
}

/* Two identical even-money bets with p = 0.55: 1 - (1 + 2 f)... the maximum of .3025 ln(1+2f) + .2025
 * ln(1-2f) is f = (.3025 - .2025) / (.505 * 2) = 0.0990099 */
static void test_two_equal_bets(void **state)
{
    (void)state;
    const struct kelly_bet bets[2] = {{0, 0.55, 2}, {1, 0.55, 2}};
    double stake[2];
    kelly_joint(bets, 2, 1, 1, stake);
    assert_near(stake[0], 0.1 / 1.01, 1e-5);
    assert_near(stake[1], stake[0], 1e-9);
}

/* Two outcomes of one match (Smoczynski & Tomkins 2010): with reserve b = (1 - sum p) / (1 - sum 1/o) stakes
 * are p - b/o. p .5 .4 at 2.2 2.8: b = .1 / (1 - 1/2.2 - 1/2.8) */
static void test_selections_of_one_match(void **state)
{
    (void)state;
    const struct kelly_bet bets[2] = {{7, 0.5, 2.2}, {7, 0.4, 2.8}};
    double stake[2], reserve = (1 - 0.9) / (1 - 1 / 2.2 - 1 / 2.8);
    kelly_joint(bets, 2, 1, 1, stake);
    assert_near(stake[0], 0.5 - reserve / 2.2, 1e-5);
    assert_near(stake[1], 0.4 - reserve / 2.8, 1e-5);
}

static void test_growth_equals_enumeration(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 3);
    double worst = 0;
    for (int trial = 0; trial < 300; trial++) {
        struct kelly_bet bets[16];
        double stake[16], total = 0;
        size_t count = made_bets(&random, 1 + random_below(&random, 6), bets);
        for (size_t index = 0; index < count; index++)
            total += stake[index] = random_uniform(&random);
        double target = trial % 3 == 0 ? KELLY_TOTAL_MAX : KELLY_TOTAL_MAX * random_uniform(&random);
        for (size_t index = 0; index < count; index++)
            stake[index] *= target / total;
        worst = fmax(worst, fabs(kelly_growth(bets, count, stake) - exact(bets, count, stake)));
    }
    print_message("largest error of the integral: %.2g\n", worst);
    assert_true(worst < 1e-8);
}

/* Nothing near the answer is better: every pair of small moves that stays allowed, judged by exact
 * enumeration. */
static void test_joint_is_the_maximum(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 4);
    for (int trial = 0; trial < 60; trial++) {
        struct kelly_bet bets[16];
        double stake[16], moved[16], total = 0;
        size_t count = made_bets(&random, 1 + random_below(&random, 5), bets);
        double cap = trial % 2 ? 0.03 : 1, total_cap = trial % 3 ? 1 : 0.05;
        kelly_joint(bets, count, cap, total_cap, stake);
        for (size_t index = 0; index < count; index++) {
            assert_true(stake[index] >= 0 && stake[index] <= cap);
            total += stake[index];
        }
        assert_true(total <= fmin(total_cap, KELLY_TOTAL_MAX));
        double best = exact(bets, count, stake);
        for (int move = 0; move < 300; move++) {
            double moved_total = 0, size = pow(10, -1 - 3 * random_uniform(&random));
            for (size_t index = 0; index < count; index++) {
                moved[index] =
                    stake[index] + size * (random_uniform(&random) - 0.5) * (random_below(&random, 2) != 0);
                moved[index] = fmin(fmax(moved[index], 0), cap);
                moved_total += moved[index];
            }
            if (moved_total <= fmin(total_cap, KELLY_TOTAL_MAX))
                assert_true(exact(bets, count, moved) <= best + 1e-8);
        }
    }
}

static void test_useless_bets_get_nothing(void **state)
{
    (void)state;
    const struct kelly_bet bets[3] = {{0, 0.5, 1.9}, {1, 0.55, 2}, {2, 0.2, 4.5}};
    double stake[3];
    kelly_joint(bets, 3, 1, 1, stake);
    assert_true(stake[0] == 0 && stake[2] == 0);
    assert_near(stake[1], 0.1, 1e-5);
    kelly_joint(bets, 0, 1, 1, stake); /* no bets, no stakes */
}

/* An arbitrage (both sides above their price) drives all to the total cap, and nothing divides by zero. */
static void test_arbitrage_stays_within_the_cap(void **state)
{
    (void)state;
    const struct kelly_bet bets[2] = {{0, 0.5, 2.5}, {0, 0.5, 2.5}};
    double stake[2];
    kelly_joint(bets, 2, 1, 1, stake);
    assert_near(stake[0] + stake[1], KELLY_TOTAL_MAX, 1e-4);
    assert_near(stake[0], stake[1], 1e-6);
}

static void test_a_full_day_is_quick(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 5);
    struct kelly_bet bets[KELLY_BETS_MAX];
    double stake[KELLY_BETS_MAX], total = 0;
    for (size_t index = 0; index < KELLY_BETS_MAX; index++) {
        double p = 0.1 + 0.5 * random_uniform(&random);
        bets[index] = (struct kelly_bet){index, p, (1.02 + 0.1 * random_uniform(&random)) / p};
    }
    for (size_t count = 4; count <= KELLY_BETS_MAX; count *= 4) {
        struct timespec start, end;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start); /* not what others do meanwhile */
        kelly_joint(bets, count, 0.05, 0.9, stake);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        double took_ms =
            (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
        print_message("joint Kelly of %zu bets: %.2f ms\n", count, took_ms);
        assert_true(took_ms < 2000);
    }
    for (size_t index = 0; index < KELLY_BETS_MAX; index++)
        total += stake[index];
    assert_true(total > 0.1 && total <= 0.9);
    double once = stake[0];
    kelly_joint(bets, KELLY_BETS_MAX, 0.05, 0.9, stake);
    assert_true(stake[0] == once); /* pure */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_bet),
        cmocka_unit_test(test_two_equal_bets),
        cmocka_unit_test(test_selections_of_one_match),
        cmocka_unit_test(test_growth_equals_enumeration),
        cmocka_unit_test(test_joint_is_the_maximum),
        cmocka_unit_test(test_useless_bets_get_nothing),
        cmocka_unit_test(test_arbitrage_stays_within_the_cap),
        cmocka_unit_test(test_a_full_day_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
