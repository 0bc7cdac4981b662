/* The Dixon-Coles family: a season against the oracle, new teams, what rho learns, bounds. */
#include "football/families.h"
#include "football/test_season.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct test_season_value strongest_at_home[] = {
    {"dixon_coles_home", 0.737855254},
    {"dixon_coles_draw", 0.169617589},
    {"dixon_coles_away", 0.0925271576},
    {"dixon_coles_over", 0.623736628},
    {"dixon_coles_both_score", 0.495468127},
    {"dixon_coles_expected_home", 2.44790925},
    {"dixon_coles_expected_away", 0.769591089},
    {"dixon_coles_expected_difference", 1.67831816},
    {"dixon_coles_expected_total", 3.21750034},
    {"dixon_coles_home_attack", 0.261779316},
    {"dixon_coles_home_defence", 0.225187597},
    {"dixon_coles_home_information", 6.39834027},
    {"dixon_coles_away_attack", -0.070828189},
    {"dixon_coles_away_defence", -0.217636391},
    {"dixon_coles_away_information", 3.98068923},
    {"dixon_coles_home_advantage", 0.381698758},
};
static const struct test_season_value other_league[] = {
    {"dixon_coles_home", 0.625745588},
    {"dixon_coles_draw", 0.229520547},
    {"dixon_coles_away", 0.144733864},
    {"dixon_coles_over", 0.489057659},
    {"dixon_coles_both_score", 0.459490957},
    {"dixon_coles_expected_home", 1.85689161},
    {"dixon_coles_expected_away", 0.773037123},
    {"dixon_coles_expected_difference", 1.08385449},
    {"dixon_coles_expected_total", 2.62992874},
    {"dixon_coles_home_attack", 0.0483564631},
    {"dixon_coles_home_defence", 0.129847723},
    {"dixon_coles_home_information", 3.86873763},
    {"dixon_coles_away_attack", -0.191058507},
    {"dixon_coles_away_defence", -0.16757503},
    {"dixon_coles_away_information", 4.08607974},
    {"dixon_coles_home_advantage", 0.339494397},
};
static const struct test_season_value newcomer_on_neutral_ground[] = {
    {"dixon_coles_home", 0.277324204},
    {"dixon_coles_draw", 0.267367162},
    {"dixon_coles_away", 0.455308635},
    {"dixon_coles_over", 0.512093489},
    {"dixon_coles_both_score", 0.551467434},
    {"dixon_coles_expected_home", 1.16665539},
    {"dixon_coles_expected_away", 1.55675822},
    {"dixon_coles_expected_difference", -0.390102829},
    {"dixon_coles_expected_total", 2.72341362},
    {"dixon_coles_home_attack", -0.070828189},
    {"dixon_coles_home_defence", -0.217636391},
    {"dixon_coles_home_information", 3.98068923},
    {"dixon_coles_away_attack", 0},
    {"dixon_coles_away_defence", 0},
    {"dixon_coles_away_information", 0},
    {"dixon_coles_home_advantage", 0},
};

static void the_season_as_the_oracle_has_it(void **state)
{
    (void)state;
    struct testing_tracker test;
    test_season_open(&test, &tracker_dixon_coles);
    struct fixture fixture = test_season_fixture(0, 0, 2);
    test_season_check(&test, &fixture, strongest_at_home, COUNT(strongest_at_home));
    fixture = test_season_fixture(1, 1, 3);
    test_season_check(&test, &fixture, other_league, COUNT(other_league));
    fixture = test_season_fixture(0, 2, 4);
    fixture.is_neutral = true;
    test_season_check(&test, &fixture, newcomer_on_neutral_ground, COUNT(newcomer_on_neutral_ground));
    testing_close(&test);
}

static void strangers_are_equal(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_dixon_coles, 2);
    struct fixture fixture = testing_fixture(1, 0, 0, 1);
    assert_close(testing_feature(&test, &fixture, "dixon_coles_expected_home"), exp(0.22 + 0.175), 1e-6);
    assert_close(testing_feature(&test, &fixture, "dixon_coles_expected_away"), exp(0.22 - 0.175), 1e-6);
    assert_close(testing_feature(&test, &fixture, "dixon_coles_home_attack"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "dixon_coles_home_information"), 0, 0);
    fixture.is_neutral = true;
    assert_close(testing_feature(&test, &fixture, "dixon_coles_expected_difference"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "dixon_coles_home_advantage"), 0, 0);
    testing_close(&test);
}

static double chance_of_draw(const int goals[][SIDE_COUNT], size_t count)
{
    struct testing_tracker test;
    testing_open(&test, &tracker_dixon_coles, 40);
    struct random random;
    random_init(&random, 3);
    for (int64_t i = 0; i < 8000; i++) { /* anyone against anyone, so that what stays is the league's */
        int home = (int)random_below(&random, 40), away = (home + 1 + (int)random_below(&random, 39)) % 40;
        const int *result = goals[random_below(&random, count)];
        testing_play(&test, i / 10, home, away, result[0], result[1]);
    }
    struct fixture fixture = testing_fixture(1, 800, 0, 20);
    double total = testing_feature(&test, &fixture, "dixon_coles_expected_total");
    assert_true(total > 1.6 && total < 2.6);
    double draw = testing_feature(&test, &fixture, "dixon_coles_draw");
    testing_close(&test);
    return draw;
}

/* Two goals a match in both leagues; only the draws differ. */
static void rho_learns_the_draws(void **state)
{
    (void)state;
    static const int draws[][SIDE_COUNT] = {{1, 1}, {2, 2}, {0, 0}, {1, 1}, {2, 0}, {0, 2}};
    static const int wins[][SIDE_COUNT] = {{1, 0}, {0, 1}, {2, 1}, {1, 2}, {3, 0}, {0, 1}, {1, 0}, {2, 2}};
    assert_true(chance_of_draw(draws, COUNT(draws)) > chance_of_draw(wins, COUNT(wins)) + 0.05);
}

/* The bounds are checked by testing_feature. */
static void absurd_results_stay_in_bounds(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_dixon_coles, 3);
    struct fixture fixture = testing_fixture(1, 1, 0, 1), back = testing_fixture(1, 1, 1, 0);
    for (int i = 0; i < 3000; i++) {
        testing_play(&test, i % 7, i % 2, 1 - i % 2, i % 2 ? 0 : 99, i % 2 ? 99 : 0);
        assert_true(testing_feature(&test, &fixture, "dixon_coles_expected_home") > 0);
        assert_true(testing_feature(&test, &back, "dixon_coles_home") >= 0);
    }
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_season_as_the_oracle_has_it),
        cmocka_unit_test(strangers_are_equal),
        cmocka_unit_test(rho_learns_the_draws),
        cmocka_unit_test(absurd_results_stay_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
