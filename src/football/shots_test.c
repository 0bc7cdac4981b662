/* The shots and discipline families: sides, missing statistics, conversion, by hand. */
#include "football/families.h"
#include "football/test_events.h"

static struct outcome with_stats(int goals_home, int goals_away, const int stats[STAT_COUNT][SIDE_COUNT])
{
    struct outcome outcome = testing_result(goals_home, goals_away);
    for (size_t stat = 0; stat < STAT_COUNT; stat++) {
        for (size_t side = 0; side < SIDE_COUNT; side++)
            outcome.stats[stat][side] = (int16_t)stats[stat][side];
    }
    return outcome;
}

/* shots, on target, corners, fouls, yellows, reds */
static const int first[STAT_COUNT][SIDE_COUNT] = {{12, 8}, {4, 2}, {7, 3}, {10, 14}, {1, 3}, {0, 1}};
static const int second[STAT_COUNT][SIDE_COUNT] = {{20, 5}, {10, 0}, {11, 1}, {8, 12}, {2, 2}, {1, 0}};

static void play(struct testing_tracker *test, int64_t day, int home, int away, const struct outcome *outcome)
{
    struct fixture fixture = testing_fixture(day, day, home, away);
    test->tracker->apply(test->state, &fixture, outcome);
}

static void shots_by_hand(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_shots, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "shots_home_total_3")));
    struct outcome outcome = with_stats(2, 1, first);
    play(&test, 1, 0, 1, &outcome);
    outcome = with_stats(0, 3, second); /* now team 1 is at home: 20 shots, team 0 has 5 */
    play(&test, 2, 1, 0, &outcome);
    assert_close(testing_feature(&test, &fixture, "shots_home_total_3"), (12 + 5) / 2.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_home_total_against_3"), (8 + 20) / 2.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_home_corners_5"), (7 + 1) / 2.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_away_corners_against_5"), (7 + 1) / 2.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_away_on_target_10"), (2 + 10) / 2.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_home_on_target_against_20"), (2 + 10) / 2.0, 1e-6);
    /* 5 goals from 4 shots on target, and 1 goal from 12 */
    assert_close(testing_feature(&test, &fixture, "shots_home_conversion_20"), 5.0 / 4, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_home_conversion_against_20"), 1.0 / 12, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_away_conversion_20"), 1.0 / 12, 1e-6);
    testing_close(&test);
}

static void matches_without_statistics_are_passed_over(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_shots, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    struct outcome with = with_stats(2, 1, first), without = testing_result(5, 5), partly = with;
    play(&test, 1, 0, 1, &with);
    for (int day = 2; day < 30; day++)
        play(&test, day, 0, 1, &without);
    assert_close(testing_feature(&test, &fixture, "shots_home_total_3"), 12, 0);
    partly.stats[STAT_SHOTS_ON_TARGET][SIDE_AWAY] = -1; /* one side alone is of no use */
    partly.stats[STAT_SHOTS][SIDE_HOME] = 14;
    play(&test, 30, 0, 1, &partly);
    assert_close(testing_feature(&test, &fixture, "shots_home_total_3"), 13, 1e-6);
    assert_close(testing_feature(&test, &fixture, "shots_home_on_target_3"), 4, 0);
    testing_close(&test);
}

static void no_shots_no_conversion(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_shots, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    const int stats[STAT_COUNT][SIDE_COUNT] = {{3, 3}, {0, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    struct outcome outcome = with_stats(0, 9, stats);
    play(&test, 1, 0, 1, &outcome);
    assert_true(isnan(testing_feature(&test, &fixture, "shots_home_conversion_5")));
    assert_close(testing_feature(&test, &fixture, "shots_away_conversion_5"), 5,
                 0); /* 9 goals of 1 shot: cut */
    testing_close(&test);
}

static void discipline_by_hand(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_discipline, 2);
    struct fixture fixture = testing_fixture(9, 9, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "discipline_home_fouls_5")));
    struct outcome outcome = with_stats(2, 1, first);
    play(&test, 1, 0, 1, &outcome);
    outcome = with_stats(0, 0, second);
    outcome.stats[STAT_FOULS][SIDE_AWAY] = -1; /* fouls unknown, cards known */
    play(&test, 2, 0, 1, &outcome);
    assert_close(testing_feature(&test, &fixture, "discipline_home_yellows_3"), 1.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "discipline_away_yellows_3"), 2.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "discipline_away_reds_20"), 0.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "discipline_home_fouls_10"), 9, 1e-6);
    assert_close(testing_feature(&test, &fixture, "discipline_away_fouls_10"), 14, 1e-6);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shots_by_hand),
        cmocka_unit_test(matches_without_statistics_are_passed_over),
        cmocka_unit_test(no_shots_no_conversion),
        cmocka_unit_test(discipline_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
