/* One simulated match: the truth against brute force, what is drawn against the truth, statistics, prices. */
#include "football/simulation_private.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define assert_close(actual, expected, tolerance)                                                            \
    do {                                                                                                     \
        double actual_ = (actual), expected_ = (expected);                                                   \
        if (!(fabs(actual_ - expected_) <= (tolerance)))                                                     \
            fail_msg("%s is %.12g, not %.12g", #actual, actual_, expected_);                                 \
    } while (0)

static void exponential_is_libms(void **state)
{
    (void)state;
    for (double x = -60; x <= 60; x += 0.0137)
        assert_close(simulation_exp(x) / exp(x), 1, 1e-14);
    assert_true(simulation_exp(0) == 1);
}

/* Dixon & Coles, eq. 4.2, term by term. */
static double score_probability(double lambda, double mu, double rho, int home, int away)
{
    double tau = 1;
    if (home == 0 && away == 0)
        tau = 1 - lambda * mu * rho;
    else if (home == 0 && away == 1)
        tau = 1 + lambda * rho;
    else if (home == 1 && away == 0)
        tau = 1 + mu * rho;
    else if (home == 1 && away == 1)
        tau = 1 - rho;
    return tau * exp(home * log(lambda) - lambda - lgamma(home + 1) + away * log(mu) - mu - lgamma(away + 1));
}

static void truth_is_the_sum_over_all_scores(void **state)
{
    (void)state;
    static const double expected[][2] = {{1.5, 1.2}, {0.15, 4.2},  {4.2, 0.15},
                                         {4.2, 4.2}, {0.15, 0.15}, {2.2, 0.7}};
    struct random random;
    random_init(&random, 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        for (double rho = -0.1; rho <= 0; rho += 0.05) {
            struct simulated_match match = {.expected = {expected[i][0], expected[i][1]}};
            double p[3] = {0}, over = 0;
            simulation_play(&random, rho, &match);
            for (int home = 0; home < 60; home++) {
                for (int away = 0; away < 60; away++) {
                    double one = score_probability(expected[i][0], expected[i][1], rho, home, away);
                    p[home > away ? 0 : home == away ? 1 : 2] += one;
                    over += home + away > 2 ? one : 0;
                }
            }
            for (int k = 0; k < 3; k++)
                assert_close(match.p[k], p[k], 1e-12);
            assert_close(match.p_over, over, 1e-12);
        }
    }
}

/* Chi-square over all scores that are expected 20 times or more; 5.6 deviations is one in a hundred million. */
static void scores_follow_the_model(void **state)
{
    enum { DRAWS = 400000, MOST = 12 };
    static size_t seen[MOST][MOST];
    (void)state;
    struct random random;
    double lambda = 1.6, mu = 1.1, rho = -0.1, chi_square = 0, half = 0, goals = 0;
    int cells = 0;
    random_init(&random, 2);
    for (int i = 0; i < DRAWS; i++) {
        struct simulated_match match = {.expected = {lambda, mu}};
        simulation_play(&random, rho, &match);
        seen[match.goals[0] < MOST ? match.goals[0] : MOST - 1]
            [match.goals[1] < MOST ? match.goals[1] : MOST - 1]++;
        half += match.half_goals[0] + match.half_goals[1];
        goals += match.goals[0] + match.goals[1];
    }
    for (int home = 0; home < MOST - 1; home++) {
        for (int away = 0; away < MOST - 1; away++) {
            double expected = DRAWS * score_probability(lambda, mu, rho, home, away);
            if (expected < 20)
                continue;
            double miss = (double)seen[home][away] - expected;
            chi_square += miss * miss / expected;
            cells++;
        }
    }
    assert_in_range(cells, 30, 60);
    assert_true(chi_square < cells + 5.6 * sqrt(2.0 * cells));
    assert_close(half / goals, 0.45, 0.003);
}

static void statistics_are_consistent_and_lean_on_strength(void **state)
{
    enum { DRAWS = 20000 };
    double shots[2] = {0}, fouls[2] = {0};
    (void)state;
    struct random random;
    random_init(&random, 3);
    for (int i = 0; i < DRAWS; i++) {
        struct simulated_match match = {.expected = {2.4, 0.8}};
        simulation_play(&random, -0.06, &match);
        for (int side = 0; side < SIDE_COUNT; side++) {
            assert_in_range(match.half_goals[side], 0, match.goals[side]);
            assert_true(match.stats[STAT_SHOTS_ON_TARGET][side] >= match.goals[side]);
            assert_true(match.stats[STAT_SHOTS][side] >= match.stats[STAT_SHOTS_ON_TARGET][side]);
            assert_true(match.stats[STAT_YELLOWS][side] <= match.stats[STAT_FOULS][side]);
            for (int stat = 0; stat < STAT_COUNT; stat++)
                assert_in_range(match.stats[stat][side], 0, 99); /* what readers of such files accept */
            /* beyond the goals themselves: the strength shows in what did not go in */
            shots[side] += match.stats[STAT_SHOTS_ON_TARGET][side] - match.goals[side];
            fouls[side] += match.stats[STAT_FOULS][side];
        }
    }
    assert_close(shots[0] / shots[1], pow(3, 0.75), 0.06);
    assert_close(fouls[0] / fouls[1], pow(3, -0.25), 0.02);
}

static double overround(const int32_t *prices, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < classes; i++)
        sum += 100.0 / prices[i];
    return sum;
}

/* Of one market: the summary rows, bounds; returns the overrounds of the two that sell. */
static void check_market(const int32_t *b365, const int32_t *ps, const int32_t *max, const int32_t *avg,
                         size_t classes, double *out_b365, double *out_ps)
{
    for (size_t i = 0; i < classes; i++) {
        assert_true(b365[i] > 100 && ps[i] > 100);
        assert_int_equal(max[i], b365[i] > ps[i] ? b365[i] : ps[i]);
        assert_int_equal(avg[i], (b365[i] + ps[i] + 1) / 2);
    }
    assert_true(overround(max, classes) >= 1 && overround(b365, classes) <= 1.2 &&
                overround(ps, classes) <= 1.2);
    assert_true(overround(avg, classes) >= 1 && overround(avg, classes) <= 1.2);
    *out_b365 += overround(b365, classes);
    *out_ps += overround(ps, classes);
}

static void check_prices(const struct simulated_prices *prices, double *b365, double *ps)
{
    check_market(prices->home_draw_away[SIMULATED_B365], prices->home_draw_away[SIMULATED_PS],
                 prices->home_draw_away[SIMULATED_MAX], prices->home_draw_away[SIMULATED_AVG], 3, b365, ps);
    check_market(prices->under_over[SIMULATED_B365], prices->under_over[SIMULATED_PS],
                 prices->under_over[SIMULATED_MAX], prices->under_over[SIMULATED_AVG], 2, b365, ps);
}

/* Squared error of the logit of a home win, the overround removed the way it was laid on being unknown here. */
static double logit_error(const struct simulated_match *match, const struct simulated_prices *prices)
{
    const int32_t *odds = prices->home_draw_away[SIMULATED_PS];
    double q = 100.0 / odds[0] / overround(odds, 3), p = match->p[0];
    double error = log(q / (1 - q)) - log(p / (1 - p));
    return error * error;
}

static void prices_are_the_truth_with_margin_and_error(void **state)
{
    enum { MATCHES = 20000 };
    double b365 = 0, ps = 0, early = 0, late = 0;
    (void)state;
    struct random random;
    random_init(&random, 4);
    for (int i = 0; i < MATCHES; i++) {
        double tilt = simulation_exp(1.2 * (random_uniform(&random) - 0.5));
        struct simulated_match match = {.expected = {1.5 * tilt, 1.2 / tilt}};
        simulation_play(&random, -0.06, &match);
        simulation_price(&random, &match);
        check_prices(&match.pre_close, &b365, &ps);
        check_prices(&match.close, &b365, &ps);
        early += logit_error(&match, &match.pre_close);
        late += logit_error(&match, &match.close);
    }
    assert_close(b365 / (4 * MATCHES), 1 + SIMULATED_MARGIN_B365, 0.0005);
    assert_close(ps / (4 * MATCHES), 1 + SIMULATED_MARGIN_PS, 0.0005);
    assert_in_range((int)(1000 * sqrt(early / MATCHES)), 60, 110);
    assert_in_range((int)(1000 * sqrt(late / MATCHES)), 25, 55);
    assert_true(late < 0.35 * early);
}

/* The most lopsided match there can be: prices stay above 1.00 and nobody offers a sure win. */
static void extreme_favourites_have_prices(void **state)
{
    double ignored = 0;
    (void)state;
    struct random random;
    random_init(&random, 5);
    for (int i = 0; i < 5000; i++) {
        struct simulated_match match = {.expected = {4.2, 0.15}};
        simulation_play(&random, -0.1, &match);
        simulation_price(&random, &match);
        check_prices(&match.pre_close, &ignored, &ignored);
        check_prices(&match.close, &ignored, &ignored);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponential_is_libms),
        cmocka_unit_test(truth_is_the_sum_over_all_scores),
        cmocka_unit_test(scores_follow_the_model),
        cmocka_unit_test(statistics_are_consistent_and_lean_on_strength),
        cmocka_unit_test(prices_are_the_truth_with_margin_and_error),
        cmocka_unit_test(extreme_favourites_have_prices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
