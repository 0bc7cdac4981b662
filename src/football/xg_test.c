/* The xg family: a season against the oracle, the estimate by hand and as it is learned, missing and absurd
 * statistics. */
#include "football/families.h"
#include "football/test_season.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct test_season_value strongest_at_home[] = {
    {"xg_home_for_5", 2.67757118},
    {"xg_home_against_5", 0.947412265},
    {"xg_home_for_10", 2.77572937},
    {"xg_home_against_10", 0.83755188},
    {"xg_home_for_20", 2.77572937},
    {"xg_home_against_20", 0.83755188},
    {"xg_home_over_performance_10", 0.42427063},
    {"xg_home_over_performance_20", 0.42427063},
    {"xg_home_over_performance_against_20", -0.43755188},
    {"xg_away_for_5", 1.15519352},
    {"xg_away_against_5", 2.21489599},
    {"xg_away_for_10", 1.03236389},
    {"xg_away_against_10", 1.93041382},
    {"xg_away_for_20", 1.03236389},
    {"xg_away_against_20", 1.93041382},
    {"xg_away_over_performance_10", -0.232363892},
    {"xg_away_over_performance_20", -0.232363892},
    {"xg_away_over_performance_against_20", 0.469586182},
    {"xg_gap_5", 2.78986139},
    {"xg_gap_10", 2.83622742},
    {"xg_gap_20", 2.83622742},
    {"xg_expected_home", 2.68508787},
    {"xg_expected_away", 0.851409063},
    {"xg_expected_difference", 1.83367881},
    {"xg_chance_home", 0.757278389},
    {"xg_chance_draw", 0.152881981},
    {"xg_chance_away", 0.0898396297},
    {"xg_chance_over", 0.685850476},
};
static const struct test_season_value other_league[] = {
    {"xg_home_for_5", 1.49154585},
    {"xg_home_against_5", 1.35074422},
    {"xg_home_for_10", 1.42931236},
    {"xg_home_against_10", 1.30019807},
    {"xg_home_for_20", 1.3591512},
    {"xg_home_against_20", 1.37129211},
    {"xg_home_over_performance_10", -0.148824552},
    {"xg_home_over_performance_20", -0.192484538},
    {"xg_home_over_performance_against_20", -0.371292114},
    {"xg_away_for_5", 0.854526226},
    {"xg_away_against_5", 2.41788101},
    {"xg_away_for_10", 0.852645874},
    {"xg_away_against_10", 2.13459396},
    {"xg_away_for_20", 0.852645874},
    {"xg_away_against_20", 2.13459396},
    {"xg_away_over_performance_10", -0.602645874},
    {"xg_away_over_performance_20", -0.602645874},
    {"xg_away_over_performance_against_20", -0.134593964},
    {"xg_gap_5", 1.70415643},
    {"xg_gap_10", 1.41106238},
    {"xg_gap_20", 1.26980718},
    {"xg_expected_home", 2.05150452},
    {"xg_expected_away", 0.844904488},
    {"xg_expected_difference", 1.20660003},
    {"xg_chance_home", 0.648075766},
    {"xg_chance_draw", 0.212816667},
    {"xg_chance_away", 0.139107566},
    {"xg_chance_over", 0.553205482},
};
static const struct test_season_value newcomer_on_neutral_ground[] = {
    {"xg_home_for_5", 1.15519352},
    {"xg_home_against_5", 2.21489599},
    {"xg_home_for_10", 1.03236389},
    {"xg_home_against_10", 1.93041382},
    {"xg_home_for_20", 1.03236389},
    {"xg_home_against_20", 1.93041382},
    {"xg_home_over_performance_10", -0.232363892},
    {"xg_home_over_performance_20", -0.232363892},
    {"xg_home_over_performance_against_20", 0.469586182},
    {"xg_away_for_5", NAN},
    {"xg_away_against_5", NAN},
    {"xg_away_for_10", NAN},
    {"xg_away_against_10", NAN},
    {"xg_away_for_20", NAN},
    {"xg_away_against_20", NAN},
    {"xg_away_over_performance_10", NAN},
    {"xg_away_over_performance_20", NAN},
    {"xg_away_over_performance_against_20", NAN},
    {"xg_gap_5", NAN},
    {"xg_gap_10", NAN},
    {"xg_gap_20", NAN},
    {"xg_expected_home", 1.22651671},
    {"xg_expected_away", 1.62773026},
    {"xg_expected_difference", -0.401213547},
    {"xg_chance_home", 0.281248478},
    {"xg_chance_draw", 0.258240149},
    {"xg_chance_away", 0.460511373},
    {"xg_chance_over", 0.543376184},
};

static void the_season_as_the_oracle_has_it(void **state)
{
    (void)state;
    struct testing_tracker test;
    test_season_open(&test, &tracker_xg);
    struct fixture fixture = test_season_fixture(0, 0, 2);
    test_season_check(&test, &fixture, strongest_at_home, COUNT(strongest_at_home));
    fixture = test_season_fixture(1, 1, 3);
    test_season_check(&test, &fixture, other_league, COUNT(other_league));
    fixture = test_season_fixture(0, 2, 4);
    fixture.is_neutral = true;
    test_season_check(&test, &fixture, newcomer_on_neutral_ground, COUNT(newcomer_on_neutral_ground));
    testing_close(&test);
}

static struct outcome with_shots(int goals_home, int goals_away, const int shots[SIDE_COUNT],
                                 const int target[SIDE_COUNT])
{
    struct outcome outcome = testing_result(goals_home, goals_away);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        outcome.stats[STAT_SHOTS][side] = (int16_t)shots[side];
        outcome.stats[STAT_SHOTS_ON_TARGET][side] = (int16_t)target[side];
    }
    return outcome;
}

static void play(struct testing_tracker *test, int64_t day, int home, int away, const struct outcome *outcome)
{
    struct fixture fixture = testing_fixture(day, day, home, away);
    test->tracker->apply(test->state, &fixture, outcome);
}

static const int shots[SIDE_COUNT] = {12, 8}, target[SIDE_COUNT] = {4, 2};

static void first_match_by_hand(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_xg, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "xg_home_for_5")));
    assert_true(isnan(testing_feature(&test, &fixture, "xg_expected_home")));
    struct outcome outcome = with_shots(3, 0, shots, target);
    play(&test, 1, 0, 1, &outcome);
    double home = 0.28 * 4 + 0.02 * 8, away = 0.28 * 2 + 0.02 * 6; /* the ratios of before the match */
    assert_close(testing_feature(&test, &fixture, "xg_home_for_5"), home, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_home_against_20"), away, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_home_over_performance_10"), 3 - home, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_home_over_performance_against_20"), -away, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_away_over_performance_20"), -away, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_gap_10"), 2 * (home - away), 2e-5);
    assert_true(testing_feature(&test, &fixture, "xg_expected_difference") > 0.5);
    testing_close(&test);
}

/* A league in which every third shot on target is a goal and no other shot is. */
static void ratios_are_learned(void **state)
{
    (void)state;
    static const int rows[][6] = {
        {12, 8, 3, 6, 1, 2}, {7, 20, 6, 9, 2, 3}, {15, 9, 9, 3, 3, 1}, {6, 6, 0, 6, 0, 2}};
    struct testing_tracker test;
    testing_open(&test, &tracker_xg, 4);
    for (int i = 0; i < 2000; i++) {
        const int *row = rows[i % 4];
        struct outcome outcome =
            with_shots(row[4], row[5], (const int[]){row[0], row[1]}, (const int[]){row[2], row[3]});
        play(&test, i, i % 4, (i + 1) % 4, &outcome);
    }
    struct fixture fixture = testing_fixture(9, 2000, 0, 1);
    assert_close(testing_feature(&test, &fixture, "xg_home_over_performance_20"), 0, 0.01);
    assert_close(testing_feature(&test, &fixture, "xg_away_over_performance_10"), 0, 0.01);
    testing_close(&test);
}

static void matches_without_statistics_teach_strength_only(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_xg, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    struct outcome with = with_shots(1, 1, shots, target), without = testing_result(4, 0), partly = with;
    play(&test, 1, 0, 1, &without);
    assert_true(isnan(testing_feature(&test, &fixture, "xg_expected_difference")));
    play(&test, 2, 0, 1, &with);
    double xg = testing_feature(&test, &fixture, "xg_home_for_20");
    double before = testing_feature(&test, &fixture, "xg_expected_difference");
    play(&test, 3, 0, 1, &without);
    partly.stats[STAT_SHOTS_ON_TARGET][SIDE_AWAY] = -1; /* one side alone is of no use */
    play(&test, 4, 0, 1, &partly);
    assert_close(testing_feature(&test, &fixture, "xg_home_for_20"), xg, 0);
    assert_true(testing_feature(&test, &fixture, "xg_expected_difference") > before);
    testing_close(&test);
}

/* A measured match needs no shots, and shots do not overrule it. */
static void measured_goals_come_before_the_estimate(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_xg, 3);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    struct outcome measured = testing_result(1, 0), both = with_shots(1, 0, shots, target), half = both;
    measured.xg_milli[SIDE_HOME] = 1500;
    measured.xg_milli[SIDE_AWAY] = 400;
    play(&test, 1, 0, 1, &measured);
    assert_close(testing_feature(&test, &fixture, "xg_home_for_5"), 1.5, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_home_against_5"), 0.4, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_home_over_performance_10"), -0.5, 1e-5);
    assert_false(isnan(testing_feature(&test, &fixture, "xg_expected_home")));
    both.xg_milli[SIDE_HOME] = 0;
    both.xg_milli[SIDE_AWAY] = 30000; /* an error of the source counts as 10 */
    play(&test, 2, 0, 1, &both);
    assert_close(testing_feature(&test, &fixture, "xg_home_for_5"), 0.75, 1e-5);
    assert_close(testing_feature(&test, &fixture, "xg_home_against_5"), 5.2, 1e-5);
    half.xg_milli[SIDE_HOME] = 3000; /* of one side alone: the estimate */
    play(&test, 3, 2, 1, &half);
    fixture.home = 2;
    assert_true(testing_feature(&test, &fixture, "xg_home_for_5") < 2);
    testing_close(&test);
}

/* More shots on target than shots, thousands of them: errors of a source. */
static void absurd_statistics_stay_in_bounds(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_xg, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    const int none[SIDE_COUNT] = {0, 0}, many[SIDE_COUNT] = {30000, 1}, few[SIDE_COUNT] = {0, 30000};
    struct outcome outcomes[] = {with_shots(99, 0, none, many), with_shots(0, 99, many, none),
                                 with_shots(99, 99, many, few), with_shots(0, 0, none, none)};
    for (int i = 0; i < 4000; i++) {
        play(&test, i, i % 2, 1 - i % 2, &outcomes[i / 7 % 4]);
        assert_true(testing_feature(&test, &fixture, "xg_home_for_5") >= 0);
        assert_true(testing_feature(&test, &fixture, "xg_chance_home") >= 0);
    }
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_season_as_the_oracle_has_it),
        cmocka_unit_test(first_match_by_hand),
        cmocka_unit_test(ratios_are_learned),
        cmocka_unit_test(matches_without_statistics_teach_strength_only),
        cmocka_unit_test(measured_goals_come_before_the_estimate),
        cmocka_unit_test(absurd_statistics_stay_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
