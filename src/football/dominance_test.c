/* Dominance, congestion and intensity by hand; every row of simulated seasons is compared with
 * tests/reference/families_attributes.py. */
#include "football/families.h"
#include "football/test_events.h"

enum { TEAMS = 8 };

static void play_season(struct testing_tracker *test, int day, int season, int home, int away, int goals_home,
                        int goals_away)
{
    struct fixture fixture = testing_fixture(day, day, home, away);
    struct outcome outcome = testing_result(goals_home, goals_away);
    fixture.season = (int16_t)season;
    test->tracker->apply(test->state, &fixture, &outcome);
}

static void the_big_three(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_dominance, TEAMS);
    struct fixture fixture = testing_fixture(99, 99, 0, 5);
    fixture.season = 2000;
    play_season(&test, 1, 2000, 0, 1, 1, 0);
    play_season(&test, 1, 2000, 2, 3, 1, 0);
    assert_true(isnan(testing_feature(&test, &fixture, "dominance_home_big"))); /* four teams have played */
    assert_true(isnan(testing_feature(&test, &fixture, "dominance_points_share")));
    play_season(&test, 1, 2000, 4, 5, 1, 0);
    /* 0, 2 and 4 have 3 points, the others none */
    assert_close(testing_feature(&test, &fixture, "dominance_home_big"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "dominance_away_big"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "dominance_points_share"), 1, 0);
    assert_true(isnan(
        testing_feature(&test, &fixture, "dominance_big_points"))); /* nobody was big in those matches */
    play_season(&test, 2, 2000, 0, 5, 2, 2);                        /* big against other */
    play_season(&test, 2, 2000, 0, 2, 1, 0); /* big against big: no part of big_points */
    assert_close(testing_feature(&test, &fixture, "dominance_big_points"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "dominance_away_points_vs_big"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "dominance_home_points_vs_big"), 3, 0); /* against 2 */
    assert_close(testing_feature(&test, &fixture, "dominance_points_share"), 13.0 / 14,
                 1e-6); /* 7 + 3 + 3 of 14 */
    testing_close(&test);
}

static void three_seasons_count(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_dominance, TEAMS);
    struct fixture fixture = testing_fixture(99, 99, 0, 1);
    for (int season = 2000; season < 2003; season++) {
        for (int i = 0; i < TEAMS; i += 2)
            play_season(&test, 365 * (season - 2000), season, i, i + 1, season == 2000 && i == 0, 0);
    }
    assert_close(testing_feature(&test, &fixture, "dominance_home_big"), 1,
                 0); /* 3 + 1 + 1 of 2000 to 2002 */
    for (int i = 1; i < TEAMS - 1; i += 2)
        play_season(&test, 365 * 3, 2003, i, i + 1, 1, 0);
    /* 2000 is over: 0 has two points, 1, 3 and 5 have five */
    assert_close(testing_feature(&test, &fixture, "dominance_home_big"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "dominance_away_big"), 1, 0);
    testing_close(&test);
}

static void legs_get_fresh(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_congestion, 3);
    struct fixture fixture = testing_fixture(99, 121, 0, 2);
    assert_close(testing_feature(&test, &fixture, "congestion_home_load_7"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "congestion_home_short_rests"), 0, 0);
    testing_play(&test, 100, 0, 1, 0, 0);
    testing_play(&test, 103, 0, 1, 0, 0); /* a short rest, 18 days ago */
    testing_play(&test, 107, 0, 1, 0, 0); /* 4 days: none */
    assert_close(testing_feature(&test, &fixture, "congestion_home_load_7"),
                 exp2(-3) + exp2(-18.0 / 7) + exp2(-2), 1e-6);
    assert_close(testing_feature(&test, &fixture, "congestion_load_gap_28"),
                 exp2(-21.0 / 28) + exp2(-18.0 / 28) + exp2(-0.5), 1e-6);
    assert_close(testing_feature(&test, &fixture, "congestion_home_short_rests"), 1, 0);
    fixture.day = 110;
    assert_close(testing_feature(&test, &fixture, "congestion_short_rests_gap"), 2, 0); /* and this one */
    fixture.day = 134;
    assert_close(testing_feature(&test, &fixture, "congestion_home_short_rests"), 0, 0);
    testing_close(&test);
}

static void play_hard(struct testing_tracker *test, int day, int home, int away, int fouls_home,
                      int fouls_away)
{
    struct fixture fixture = testing_fixture(day, day, home, away);
    struct outcome outcome = testing_result(0, 0);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        outcome.stats[STAT_FOULS][side] = (int16_t)(side == SIDE_HOME ? fouls_home : fouls_away);
        outcome.stats[STAT_YELLOWS][side] = 2;
        outcome.stats[STAT_REDS][side] = 0;
    }
    test->tracker->apply(test->state, &fixture, &outcome);
}

static void hard_matches(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_intensity, 4);
    struct fixture fixture = testing_fixture(99, 99, 0, 2);
    testing_play(&test, 1, 0, 1, 3, 2); /* without statistics: nothing to learn */
    for (size_t i = 0; i < test.tracker->feature_count; i++)
        assert_true(isnan(testing_feature(&test, &fixture, test.tracker->features[i].name)));
    play_hard(&test, 2, 0, 1, 8, 18); /* 10 and 20 */
    play_hard(&test, 3, 2, 3, 8, 0);  /* 10 and 2 */
    play_hard(&test, 4, 1, 0, 13, 3); /* 15 and 5 */
    play_hard(&test, 5, 0, 1, 3, 3);  /* 5 and 5 */
    play_hard(&test, 6, 0, 1, 3, 3);
    /* of 0: 10 of 30, 5 of 20, 5 of 10, 5 of 10; the league: 30, 12, 20, 10, 10 */
    assert_close(testing_feature(&test, &fixture, "intensity_home_share_10"), 25.0 / 70, 1e-6);
    assert_close(testing_feature(&test, &fixture, "intensity_home_match_10"), 17.5 / 16.4, 1e-6);
    assert_close(testing_feature(&test, &fixture, "intensity_home_trend"), 40.0 / 3 - 17.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "intensity_share_gap"), 25.0 / 70 - 10.0 / 12, 1e-6);
    assert_close(testing_feature(&test, &fixture, "intensity_expected"), 17.5 * 12 / 16.4, 1e-5);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_big_three),
        cmocka_unit_test(three_seasons_count),
        cmocka_unit_test(legs_get_fresh),
        cmocka_unit_test(hard_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
