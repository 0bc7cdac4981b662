/* The tactical family: ratios of two matches by hand, gaps in the statistics, seasons, errors of the sources. */
#include "football/families.h"
#include "football/test_events.h"

/* shots, on target, corners, fouls, yellows, reds */
static const int first[STAT_COUNT][SIDE_COUNT] = {{12, 8}, {4, 2}, {7, 3}, {10, 14}, {1, 3}, {0, 1}};
static const int second[STAT_COUNT][SIDE_COUNT] = {{20, 5}, {10, 0}, {11, 1}, {8, 12}, {2, 2}, {1, 0}};

static struct outcome with_stats(int goals_home, int goals_away, const int *stats)
{
    struct outcome outcome = testing_result(goals_home, goals_away);
    for (size_t stat = 0; stat < STAT_COUNT; stat++) {
        for (size_t side = 0; side < SIDE_COUNT; side++)
            outcome.stats[stat][side] = (int16_t)stats[stat * SIDE_COUNT + side];
    }
    return outcome;
}

static void play(struct testing_tracker *test, int64_t day, int season, int home, int away,
                 const struct outcome *outcome)
{
    struct fixture fixture = testing_fixture(day, day, home, away);
    fixture.season = (int16_t)season;
    test->tracker->apply(test->state, &fixture, outcome);
}

static void two_matches(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_tactical, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "tactical_home_shot_share_10")));
    assert_true(isnan(testing_feature(&test, &fixture, "tactical_possession_gap_10")));
    struct outcome outcome = with_stats(2, 1, first[0]);
    play(&test, 1, 1993, 0, 1, &outcome);
    outcome = with_stats(0, 3, second[0]); /* team 1 at home: 20 shots, team 0 has 5 */
    play(&test, 2, 1993, 1, 0, &outcome);
    /* team 0: 12+5 shots of 12+8+20+5, 4+0 on target, 7+1 corners, 10+12 fouls, 1+2 cards, 2+3 goals */
    assert_close(testing_feature(&test, &fixture, "tactical_home_shot_share_5"), 17 / 45.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_shot_share_10"), 17 / 45.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_away_shot_share_season"), 28 / 45.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_target_share_10"), 4 / 16.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_accuracy_10"), 4 / 17.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_away_accuracy_season"), 12 / 28.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_accuracy_against_10"), 12 / 28.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_conversion_season"), 5 / 4.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_conversion_against_season"), 1 / 12.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_corners_per_shot_10"), 8 / 17.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_fouls_per_card_10"), 22 / 3.0, 1e-5);
    assert_close(testing_feature(&test, &fixture, "tactical_away_fouls_per_card_10"), 22 / 7.0, 1e-5);
    /* with the ball: 17 shots, 8 corners, 14+8 fouls suffered; the others 28, 14, 10+12 */
    assert_close(testing_feature(&test, &fixture, "tactical_home_possession_10"), 47 / 111.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_possession_gap_10"), (47 - 64) / 111.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_shot_share_gap_10"), (17 - 28) / 45.0, 1e-6);
    testing_close(&test);
}

static void windows_and_seasons(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_tactical, 2);
    int stats[STAT_COUNT][SIDE_COUNT];
    memcpy(stats, first, sizeof(stats));
    for (int day = 1; day <= 12; day++) { /* team 0 shoots 1, 2, ... 12 times; the season changes after 9 */
        stats[STAT_SHOTS][SIDE_HOME] = day;
        struct outcome outcome = with_stats(1, 1, stats[0]);
        play(&test, day, day <= 9 ? 1993 : 1994, 0, 1, &outcome);
    }
    struct fixture fixture = testing_fixture(20, 20, 0, 1);
    fixture.season = 1994;
    assert_close(testing_feature(&test, &fixture, "tactical_home_shot_share_5"), 50 / 90.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_shot_share_10"), 75 / 155.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "tactical_home_shot_share_season"), 33 / 57.0, 1e-6);
    fixture.season = 1995; /* nothing has been played in it */
    assert_close(testing_feature(&test, &fixture, "tactical_home_shot_share_5"), 50 / 90.0, 1e-6);
    assert_true(isnan(testing_feature(&test, &fixture, "tactical_home_shot_share_season")));
    assert_true(isnan(testing_feature(&test, &fixture, "tactical_away_conversion_against_season")));
    testing_close(&test);
}

static void matches_without_all_statistics_are_passed_over(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_tactical, 2);
    struct fixture fixture = testing_fixture(99, 99, 0, 1);
    for (int stat = 0; stat < STAT_COUNT; stat++) {
        struct outcome outcome = with_stats(5, 5, first[0]);
        outcome.stats[stat][stat % 2] = -1;
        play(&test, stat, 1993, 0, 1, &outcome);
        assert_true(isnan(testing_feature(&test, &fixture, "tactical_home_shot_share_10")));
    }
    struct outcome outcome = with_stats(2, 1, first[0]);
    play(&test, 20, 1993, 0, 1, &outcome);
    assert_close(testing_feature(&test, &fixture, "tactical_home_conversion_season"), 0.5, 0);
    testing_close(&test);
}

static void nothing_is_divided_by_zero_and_errors_are_cut(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_tactical, 2);
    static const int strange[STAT_COUNT][SIDE_COUNT] = {{1, 0}, {9, 0}, {40, 0}, {30000, 0}, {0, 1}, {0, 0}};
    struct outcome outcome = with_stats(60, 60, strange[0]);
    play(&test, 1, 1993, 0, 1, &outcome);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    assert_close(testing_feature(&test, &fixture, "tactical_home_accuracy_10"), 1, 0);         /* 9 of 1 */
    assert_close(testing_feature(&test, &fixture, "tactical_home_conversion_season"), 5, 0);   /* 60 of 9 */
    assert_close(testing_feature(&test, &fixture, "tactical_home_corners_per_shot_10"), 9, 0); /* 40 of 1 */
    assert_true(isnan(testing_feature(&test, &fixture, "tactical_home_fouls_per_card_10")));   /* no card */
    assert_true(isnan(testing_feature(&test, &fixture, "tactical_away_accuracy_10")));         /* no shot */
    assert_true(isnan(testing_feature(&test, &fixture, "tactical_away_conversion_season")));
    assert_close(testing_feature(&test, &fixture, "tactical_away_shot_share_10"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "tactical_away_fouls_per_card_10"), 0, 0);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_matches),
        cmocka_unit_test(windows_and_seasons),
        cmocka_unit_test(matches_without_all_statistics_are_passed_over),
        cmocka_unit_test(nothing_is_divided_by_zero_and_errors_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
