/* The pi family: one match by hand, both venues of both teams. */
#include "football/families.h"
#include "football/test_events.h"

static void one_match_by_hand(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_pi, 3);
    struct fixture fixture = testing_fixture(1, 0, 0, 1);
    assert_close(testing_feature(&test, &fixture, "pi_expected_goal_difference"), 0, 0);
    testing_play(&test, 1, 0, 1, 0, 2); /* e = -2: the home side loses lambda * 3 * log10(3) */
    double step = 0.035 * 3 * log10(3);
    assert_close(testing_feature(&test, &fixture, "pi_home_team_at_home"), -step, 1e-7);
    assert_close(testing_feature(&test, &fixture, "pi_home_team_away"), -0.7 * step, 1e-7);
    assert_close(testing_feature(&test, &fixture, "pi_away_team_away"), step, 1e-7);
    assert_close(testing_feature(&test, &fixture, "pi_away_team_at_home"), 0.7 * step, 1e-7);
    assert_close(testing_feature(&test, &fixture, "pi_mean_difference"), -1.7 * step, 1e-7);
    double goals = pow(10, step / 3) - 1;
    assert_close(testing_feature(&test, &fixture, "pi_expected_goal_difference"), -2 * goals, 1e-6);
    /* the return match reads the other two ratings */
    fixture = testing_fixture(2, 2, 1, 0);
    assert_close(testing_feature(&test, &fixture, "pi_expected_goal_difference"),
                 2 * (pow(10, 0.7 * step / 3) - 1), 1e-6);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_match_by_hand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
