/* The rest and calendar families, by hand. */
#include "football/families.h"
#include "football/league.h"
#include "football/test_events.h"

static void rest_by_hand(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_rest, 3);
    struct fixture fixture = testing_fixture(1, 8700, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "rest_home_days")));
    assert_close(testing_feature(&test, &fixture, "rest_home_matches_30"), 0, 0);
    testing_play(&test, 8700 - 30, 0, 2, 0, 0);
    testing_play(&test, 8700 - 14, 2, 0, 0, 0);
    testing_play(&test, 8700 - 7, 0, 2, 0, 0);
    testing_play(&test, 8700 - 3, 2, 0, 0, 0);
    testing_play(&test, 8700 - 31, 1, 2, 0, 0);
    assert_close(testing_feature(&test, &fixture, "rest_home_days"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "rest_home_matches_7"), 2, 0);
    assert_close(testing_feature(&test, &fixture, "rest_home_matches_14"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "rest_home_matches_30"), 4, 0);
    assert_close(testing_feature(&test, &fixture, "rest_home_season_matches"), 4, 0);
    assert_close(testing_feature(&test, &fixture, "rest_away_days"), 30, 0); /* 31, cut */
    assert_close(testing_feature(&test, &fixture, "rest_away_matches_30"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "rest_days_gap"), -27, 0);
    assert_close(testing_feature(&test, &fixture, "rest_congestion_gap_14"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "rest_congestion_gap_30"), 4, 0);
    testing_close(&test);
}

static void seasons_are_counted_apart(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_rest, 2);
    for (int i = 0; i < 120; i++)
        testing_play(&test, 8700 + 7 * i, 0, 1, 0, 0);
    struct fixture fixture = testing_fixture(1, 8700 + 7 * 120, 0, 1);
    assert_close(testing_feature(&test, &fixture, "rest_home_season_matches"), 99, 0);
    assert_close(testing_feature(&test, &fixture, "rest_home_matches_30"), 4, 0); /* 7, 14, 21, 28 days */
    fixture.season++;
    assert_close(testing_feature(&test, &fixture, "rest_home_season_matches"), 0, 0);
    testing_close(&test);
}

static void midweek_is_tuesday_to_thursday(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_rest, 2);
    static const double midweek[7] = {0, 1, 1, 1, 0, 0, 0};
    int64_t monday = time_day_from_civil(2024, 8, 12);
    for (int i = 0; i < 7; i++) {
        struct fixture fixture = testing_fixture(1, monday + i, 0, 1);
        assert_close(testing_feature(&test, &fixture, "rest_midweek"), midweek[i], 0);
    }
    testing_close(&test);
}

static void calendar_by_hand(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_calendar, 2);
    struct fixture fixture = testing_fixture(1, time_day_from_civil(2024, 2, 29), 0, 1); /* a Thursday */
    fixture.season = 2023;
    fixture.league = (int16_t)league_find(text_of("SC2"));
    assert_close(testing_feature(&test, &fixture, "calendar_month"), 2, 0);
    assert_close(testing_feature(&test, &fixture, "calendar_weekday"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "calendar_season_progress"), 243.0 / 365, 1e-6);
    assert_close(testing_feature(&test, &fixture, "calendar_tier"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "calendar_neutral"), 0, 0);
    fixture.league = (int16_t)league_find(text_of("JPN")); /* January to December */
    fixture.season = 2024;
    fixture.is_neutral = true;
    assert_close(testing_feature(&test, &fixture, "calendar_season_progress"), 59.0 / 365, 1e-6);
    assert_close(testing_feature(&test, &fixture, "calendar_neutral"), 1, 0);
    fixture.season = 2000; /* nonsense is cut, not passed on */
    assert_close(testing_feature(&test, &fixture, "calendar_season_progress"), 1.25, 0);
    fixture.season = 2100;
    assert_close(testing_feature(&test, &fixture, "calendar_season_progress"), 0, 0);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_by_hand),
        cmocka_unit_test(seasons_are_counted_apart),
        cmocka_unit_test(midweek_is_tuesday_to_thursday),
        cmocka_unit_test(calendar_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
