/* The Berrar family: a season against the oracle, one match by hand, neutral ground, bounds. */
#include "football/families.h"
#include "football/test_season.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct test_season_value strongest_at_home[] = {
    {"berrar_expected_home", 1.83330358},        {"berrar_expected_away", 1.00010339},
    {"berrar_expected_difference", 0.833200198}, {"berrar_expected_total", 2.83340697},
    {"berrar_home_offence", 0.168012381},        {"berrar_home_defence", -0.104906985},
    {"berrar_away_offence", -0.0312581499},      {"berrar_away_defence", 0.135418291},
};
static const struct test_season_value other_league[] = {
    {"berrar_expected_home", 1.55452226},        {"berrar_expected_away", 1.01876667},
    {"berrar_expected_difference", 0.535755592}, {"berrar_expected_total", 2.57328893},
    {"berrar_home_offence", -0.00976798552},     {"berrar_home_defence", -0.0401988265},
    {"berrar_away_offence", -0.0728000816},      {"berrar_away_defence", 0.0638736839},
};
static const struct test_season_value newcomer_on_neutral_ground[] = {
    {"berrar_expected_home", 1.26633999},
    {"berrar_expected_away", 1.43031597},
    {"berrar_expected_difference", -0.163975981},
    {"berrar_expected_total", 2.69665595},
    {"berrar_home_offence", -0.0312581499},
    {"berrar_home_defence", 0.135418291},
    {"berrar_away_offence", 0},
    {"berrar_away_defence", 0},
};

static void the_season_as_the_oracle_has_it(void **state)
{
    (void)state;
    struct testing_tracker test;
    test_season_open(&test, &tracker_berrar);
    struct fixture fixture = test_season_fixture(0, 0, 2);
    test_season_check(&test, &fixture, strongest_at_home, COUNT(strongest_at_home));
    fixture = test_season_fixture(1, 1, 3);
    test_season_check(&test, &fixture, other_league, COUNT(other_league));
    fixture = test_season_fixture(0, 2, 4);
    fixture.is_neutral = true;
    test_season_check(&test, &fixture, newcomer_on_neutral_ground, COUNT(newcomer_on_neutral_ground));
    testing_close(&test);
}

static void one_match_by_hand(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_berrar, 2);
    struct fixture fixture = testing_fixture(1, 0, 0, 1);
    double home = 5 / (1 + exp(0.85)), away = 5 / (1 + exp(1.25));
    assert_close(testing_feature(&test, &fixture, "berrar_expected_home"), home, 1e-6);
    assert_close(testing_feature(&test, &fixture, "berrar_expected_away"), away, 1e-6);
    testing_play(&test, 1, 0, 1, 3, 1);
    assert_close(testing_feature(&test, &fixture, "berrar_home_offence"), 0.02 * (3 - home), 1e-7);
    assert_close(testing_feature(&test, &fixture, "berrar_home_defence"), 0.02 * (1 - away), 1e-7);
    assert_close(testing_feature(&test, &fixture, "berrar_away_offence"), 0.02 * (1 - away), 1e-7);
    assert_close(testing_feature(&test, &fixture, "berrar_away_defence"), 0.02 * (3 - home), 1e-7);
    testing_close(&test);
}

static void neutral_ground_favours_nobody(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_berrar, 2);
    struct fixture fixture = testing_fixture(1, 0, 0, 1);
    fixture.is_neutral = true;
    assert_close(testing_feature(&test, &fixture, "berrar_expected_difference"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "berrar_expected_home"), 5 / (1 + exp(1.05)), 1e-6);
    testing_close(&test);
}

/* The bounds are checked by testing_feature. */
static void absurd_results_stay_in_bounds(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_berrar, 3);
    struct fixture fixture = testing_fixture(1, 1, 0, 1), back = testing_fixture(1, 1, 1, 0);
    for (int i = 0; i < 3000; i++) {
        testing_play(&test, i % 7, i % 2, 1 - i % 2, i % 2 ? 0 : 99, i % 2 ? 99 : 0);
        assert_true(testing_feature(&test, &fixture, "berrar_expected_home") > 0);
        assert_true(testing_feature(&test, &back, "berrar_expected_away") >= 0);
    }
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_season_as_the_oracle_has_it),
        cmocka_unit_test(one_match_by_hand),
        cmocka_unit_test(neutral_ground_favours_nobody),
        cmocka_unit_test(absurd_results_stay_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
