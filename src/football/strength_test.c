/* Strength: the steps by hand, fading as the maximum of prior and data, limits, and known truth found again. */
#include "football/strength.h"

#include "football/test_events.h"

static struct strength_fades fades;

static void newcomers_are_average(void **state)
{
    (void)state;
    struct strength_team unseen = {0}, known = {.attack = 0.3, .matches = 1};
    struct strength_league league;
    strength_league_init(&league);
    league.mean_attack = 0.2;
    league.mean_defence = -0.1;
    assert_close(strength_of(&unseen, &league).attack, 0.2, 0);
    assert_close(strength_of(&unseen, &league).defence, -0.1, 0);
    assert_close(strength_of(&known, &league).attack, 0.3, 0);
}

static void one_step_by_hand(void **state)
{
    (void)state;
    struct strength_team home = {0}, away = {0};
    struct strength_league league;
    double expected[SIDE_COUNT], lambda = exp(0.22 + 0.175), mu = exp(0.22 - 0.175);
    strength_league_init(&league);
    strength_fade(&home, &away, &league, &fades, 5);
    strength_expect(&home, &away, &league, false, 1, expected);
    assert_close(expected[SIDE_HOME], lambda, 1e-12);
    assert_close(expected[SIDE_AWAY], mu, 1e-12);
    strength_step(&home, &away, &league, false, expected, (const double[]){2, -1});
    assert_close(home.attack, 2 / (10 + lambda), 1e-12);
    assert_close(away.defence, -2 / (10 + lambda), 1e-12);
    assert_close(away.attack, -1 / (10 + mu), 1e-12);
    assert_close(home.defence, 1 / (10 + mu), 1e-12);
    assert_close(league.level, 0.22 + 1 / (150 + lambda + mu), 1e-12);
    assert_close(league.advantage, 0.35 + 1.5 / (150 + (lambda + mu) / 4), 1e-12);
    assert_close(league.mean_attack, 0.005 * (home.attack + away.attack) / 2, 1e-12);
    assert_int_equal(home.day, 5);
    assert_int_equal(league.matches, 1);
}

static void neutral_ground_has_no_advantage(void **state)
{
    (void)state;
    struct strength_team home = {0}, away = {0};
    struct strength_league league;
    double expected[SIDE_COUNT];
    strength_league_init(&league);
    strength_fade(&home, &away, &league, &fades, 5);
    strength_expect(&home, &away, &league, true, 1, expected);
    assert_close(expected[SIDE_HOME], expected[SIDE_AWAY], 0);
    strength_step(&home, &away, &league, true, expected, (const double[]){2, -1});
    assert_close(league.advantage, 0.35, 0);
    assert_close(league.advantage_information, 0, 0);
}

/* With prior P at m and data I at b, the maximum is (P m + I b)/(P + I); fading takes from I alone. */
static void fading_leaves_the_maximum_of_prior_and_data(void **state)
{
    (void)state;
    const double prior = 10, mean = 0.95 * 0.2, data = 0.7, information = 30;
    struct strength_league league;
    strength_league_init(&league);
    league.mean_attack = 0.2;
    for (int days = 0; days < 1000; days += 5) {
        struct strength_team team = {.attack = (prior * mean + information * data) / (prior + information),
                                     .attack_information = information,
                                     .day = 100,
                                     .matches = 9},
                             other = {0};
        strength_fade(&team, &other, &league, &fades, 100 + days);
        double left = information * exp(-0.002 * days);
        assert_close(team.attack_information, left, 1e-9);
        assert_close(team.attack, (prior * mean + left * data) / (prior + left), 1e-12);
        assert_int_equal(team.day, 100 + days);
    }
}

static void earlier_days_fade_nothing(void **state)
{
    (void)state;
    struct strength_team team = {.attack = 1, .attack_information = 5, .day = 100, .matches = 3}, other = {0};
    struct strength_league league;
    strength_league_init(&league);
    strength_fade(&team, &other, &league, &fades, 50); /* a result that became known late */
    assert_close(team.attack, 1, 0);
    assert_close(team.attack_information, 5, 0);
    assert_int_equal(team.day, 100);
}

static void limits_hold(void **state)
{
    (void)state;
    struct strength_team home = {0}, away = {0};
    struct strength_league league;
    double expected[SIDE_COUNT];
    strength_league_init(&league);
    for (int i = 0; i < 5000; i++) {
        strength_fade(&home, &away, &league, &fades, i);
        strength_expect(&home, &away, &league, false, 1.2, expected);
        for (size_t side = 0; side < SIDE_COUNT; side++)
            assert_true(expected[side] >= STRENGTH_GOALS_LOW && expected[side] <= STRENGTH_GOALS_HIGH);
        strength_step(&home, &away, &league, false, expected, (const double[]){99, -5});
        assert_true(fabs(home.attack) <= STRENGTH_LIMIT && fabs(away.defence) <= STRENGTH_LIMIT);
        assert_true(fabs(league.level) <= STRENGTH_LEVEL_LIMIT);
        assert_true(fabs(league.advantage) <= STRENGTH_ADVANTAGE_LIMIT);
        assert_true(fabs(league.mean_attack) <= STRENGTH_LIMIT);
    }
}

enum { TEAMS = 20, SEASONS = 6 };

/* Six seasons of twenty teams with known strengths: expected goals come close to the true ones, closer than the
 * league's averages are by far. */
static void the_truth_is_found(void **state)
{
    (void)state;
    struct random random;
    struct strength_team teams[TEAMS] = {{0}};
    struct strength_league league;
    double attack[TEAMS], defence[TEAMS], error = 0, naive = 0;
    random_init(&random, 5);
    strength_league_init(&league);
    for (size_t i = 0; i < TEAMS; i++) {
        attack[i] = 0.3 * random_normal(&random);
        defence[i] = 0.3 * random_normal(&random);
    }
    for (int i = 0; i < SEASONS * TEAMS * TEAMS; i++) {
        int h = (int)random_below(&random, TEAMS),
            a = (h + 1 + (int)random_below(&random, TEAMS - 1)) % TEAMS;
        double truth[SIDE_COUNT] = {exp(0.3 + attack[h] - defence[a]), exp(attack[a] - defence[h])};
        double expected[SIDE_COUNT], score[SIDE_COUNT];
        strength_fade(&teams[h], &teams[a], &league, &fades, i); /* slow: half-life 35 matches per team */
        strength_expect(&teams[h], &teams[a], &league, false, 1, expected);
        for (size_t side = 0; side < SIDE_COUNT; side++)
            score[side] = random_poisson(&random, truth[side]) - expected[side];
        strength_step(&teams[h], &teams[a], &league, false, expected, score);
        if (i < SEASONS * TEAMS * TEAMS / 2)
            continue;
        error += pow(log(expected[SIDE_HOME] / truth[SIDE_HOME]), 2);
        naive += pow(attack[h] - defence[a], 2);
    }
    assert_true(error < 0.25 * naive);
}

int main(void)
{
    strength_fades_init(&fades);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newcomers_are_average),
        cmocka_unit_test(one_step_by_hand),
        cmocka_unit_test(neutral_ground_has_no_advantage),
        cmocka_unit_test(fading_leaves_the_maximum_of_prior_and_data),
        cmocka_unit_test(earlier_days_fade_nothing),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(the_truth_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
