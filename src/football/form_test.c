/* The form family over a small season by hand: venues, weights, gaps, neutral ground. */
#include "football/families.h"
#include "football/test_events.h"

static void unknown_teams_have_no_form(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_form, 2);
    struct fixture fixture = testing_fixture(1, 0, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "form_home_overall_points_3")));
    for (size_t i = 0; i < tracker_form.feature_count; i++)
        assert_true(isnan(test.out[i]));
    testing_close(&test);
}

static void a_small_season(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_form, 3);
    testing_play(&test, 1, 0, 1, 3, 0); /* team 0 wins at home */
    testing_play(&test, 2, 1, 0, 2, 2); /* draws away */
    testing_play(&test, 3, 0, 2, 0, 1); /* loses at home */
    testing_play(&test, 4, 2, 0, 0, 2); /* wins away */
    struct fixture fixture = testing_fixture(5, 5, 0, 1);
    /* team 0, latest first: 3, 0, 1, 3 points; 2, 0, 2, 3 goals; 0, 1, 2, 0 against */
    assert_close(testing_feature(&test, &fixture, "form_home_overall_points_3"), (4.5 + 0.7) / 3.7, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_home_overall_points_5"), (4.5 + 1.5 + 2.1) / 5.2,
                 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_home_overall_points_20"), 7.0 / 4, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_home_overall_goals_for_3"), (3 + 1.4) / 3.7, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_home_overall_goals_against_10"), 3.0 / 4, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_home_overall_win_share_10"), 0.5, 1e-6);
    /* at home: 0 points, then 3 */
    assert_close(testing_feature(&test, &fixture, "form_home_venue_points_3"), 1.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_home_venue_over_share_5"), 0.5, 1e-6);
    /* team 1: a defeat away, a draw at home */
    assert_close(testing_feature(&test, &fixture, "form_away_overall_points_5"), 0.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_away_venue_goals_against_5"), 3, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_points_gap_20"), 7.0 / 4 - 0.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "form_goal_difference_gap_20"), 1 + 1.5, 1e-6);
    testing_close(&test);
}

static void neutral_ground_is_no_venue(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_form, 2);
    struct fixture fixture = testing_fixture(1, 1, 0, 1);
    struct outcome outcome = testing_result(4, 0);
    fixture.is_neutral = true;
    tracker_form.apply(test.state, &fixture, &outcome);
    assert_close(testing_feature(&test, &fixture, "form_home_overall_points_3"), 3, 0);
    assert_true(isnan(testing_feature(&test, &fixture, "form_home_venue_points_3")));
    assert_true(isnan(testing_feature(&test, &fixture, "form_away_venue_points_3")));
    testing_close(&test);
}

static void only_twenty_matches_count(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_form, 2);
    for (int i = 0; i < 40; i++)
        testing_play(&test, i, 0, 1, i < 20 ? 9 : 1, 0);
    struct fixture fixture = testing_fixture(50, 50, 0, 1);
    assert_close(testing_feature(&test, &fixture, "form_home_overall_goals_for_20"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "form_home_venue_goals_for_20"), 1, 0);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_teams_have_no_form),
        cmocka_unit_test(a_small_season),
        cmocka_unit_test(neutral_ground_is_no_venue),
        cmocka_unit_test(only_twenty_matches_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
