/* Goal model: chances against a table of scores, derivatives against differences, rho kept where it is usable. */
#include "football/goal_model.h"

#include "football/test_events.h"

enum { SCORES = 40 };

static double tau(const double expected[SIDE_COUNT], double rho, int home, int away)
{
    if (home == 0 && away == 0)
        return 1 - expected[0] * expected[1] * rho;
    if (home == 0 && away == 1)
        return 1 + expected[0] * rho;
    if (home == 1 && away == 0)
        return 1 + expected[1] * rho;
    return home == 1 && away == 1 ? 1 - rho : 1;
}

static double chance_of(const double expected[SIDE_COUNT], double rho, int home, int away)
{
    return exp(home * log(expected[0]) - expected[0] - lgamma(home + 1.0) + away * log(expected[1]) -
               expected[1] - lgamma(away + 1.0)) *
           tau(expected, rho, home, away);
}

static void check_chances(const double expected[SIDE_COUNT], double rho)
{
    struct goal_chances slow = {0}, fast;
    for (int home = 0; home < SCORES; home++) {
        for (int away = 0; away < SCORES; away++) {
            double p = chance_of(expected, rho, home, away);
            assert_true(p >= 0);
            slow.home += home > away ? p : 0;
            slow.draw += home == away ? p : 0;
            slow.away += home < away ? p : 0;
            slow.over += home + away > 2 ? p : 0;
            slow.both += home > 0 && away > 0 ? p : 0;
        }
    }
    goal_model_chances(expected, rho, &fast);
    assert_close(fast.home, slow.home, 1e-6);
    assert_close(fast.draw, slow.draw, 1e-6);
    assert_close(fast.away, slow.away, 1e-6);
    assert_close(fast.over, slow.over, 1e-9);
    assert_close(fast.both, slow.both, 1e-9);
    assert_close(fast.home + fast.draw + fast.away, 1, 1e-12);
}

static const double goals[] = {0.05, 0.4, 1, 1.48, 2.7, GOAL_MODEL_MOST};
static const double rhos[] = {-0.25, -0.06, 0, 0.15, 5, -5};
enum { GOALS = sizeof(goals) / sizeof(goals[0]), RHOS = sizeof(rhos) / sizeof(rhos[0]) };

static void chances_are_those_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOALS * GOALS * RHOS; i++) {
        const double expected[SIDE_COUNT] = {goals[i % GOALS], goals[i / GOALS % GOALS]};
        check_chances(expected, goal_model_rho(expected, rhos[i / GOALS / GOALS]));
    }
}

static void rho_is_moved_only_where_it_must(void **state)
{
    (void)state;
    const double usual[SIDE_COUNT] = {1.5, 1.1}, wild[SIDE_COUNT] = {5, 4};
    assert_close(goal_model_rho(usual, -0.1), -0.1, 0);
    assert_close(goal_model_rho(usual, 0.1), 0.1, 0);
    assert_close(goal_model_rho(wild, -1), -0.19, 1e-12);
    assert_close(goal_model_rho(wild, 1), 0.0475, 1e-12);
}

static double likelihood(double log_home, double log_away, double rho, const int16_t result[SIDE_COUNT])
{
    const double expected[SIDE_COUNT] = {exp(log_home), exp(log_away)};
    return log(chance_of(expected, rho, result[0], result[1]));
}

static void check_score(const double expected[SIDE_COUNT], double rho, const int16_t result[SIDE_COUNT])
{
    struct goal_score score;
    double home = log(expected[0]), away = log(expected[1]), step = 1e-5;
    goal_model_score(expected, rho, result, &score);
    assert_close(score.by_log_expected[SIDE_HOME],
                 (likelihood(home + step, away, rho, result) - likelihood(home - step, away, rho, result)) /
                     (2 * step),
                 1e-6);
    assert_close(score.by_log_expected[SIDE_AWAY],
                 (likelihood(home, away + step, rho, result) - likelihood(home, away - step, rho, result)) /
                     (2 * step),
                 1e-6);
    assert_close(score.by_rho,
                 (likelihood(home, away, rho + step, result) - likelihood(home, away, rho - step, result)) /
                     (2 * step),
                 1e-6);
}

static void scores_are_derivatives(void **state)
{
    (void)state;
    for (int i = 0; i < 5 * 5; i++) {
        const int16_t result[SIDE_COUNT] = {(int16_t)(i % 5), (int16_t)(i / 5)};
        check_score((const double[]){1.48, 1.05}, -0.05, result);
        check_score((const double[]){2.7, 0.4}, 0.1, result);
    }
}

/* Fisher: the information is the mean square of the score, whose mean is 0. */
static void information_is_the_mean_square(void **state)
{
    (void)state;
    const double expected[SIDE_COUNT] = {1.7, 0.9}, rho = -0.08;
    struct goal_score score;
    double mean = 0, square = 0;
    for (int i = 0; i < SCORES * SCORES; i++) {
        const int16_t result[SIDE_COUNT] = {(int16_t)(i % SCORES), (int16_t)(i / SCORES)};
        double p = chance_of(expected, rho, result[0], result[1]);
        goal_model_score(expected, rho, result, &score);
        mean += p * score.by_rho;
        square += p * score.by_rho * score.by_rho;
    }
    assert_close(mean, 0, 1e-12);
    assert_close(score.rho_information, square, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chances_are_those_of_the_table),
        cmocka_unit_test(rho_is_moved_only_where_it_must),
        cmocka_unit_test(scores_are_derivatives),
        cmocka_unit_test(information_is_the_mean_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
