/* The Elo family: first matches of 1993-94 by value, neutral ground, the two sides mirrored. */
#include "football/families.h"
#include "football/rating.h"
#include "football/test_events.h"

static void new_teams_are_equal(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_elo, 4);
    struct fixture fixture = testing_fixture(1, 0, 0, 1);
    assert_close(testing_feature(&test, &fixture, "elo_plain_home"), 1500, 0);
    assert_close(testing_feature(&test, &fixture, "elo_club_away"), 1500, 0);
    assert_close(testing_feature(&test, &fixture, "elo_plain_difference"), 60, 0);
    assert_close(testing_feature(&test, &fixture, "elo_world_expectation"), 1 / (1 + pow(10, -0.15)), 1e-7);
    fixture.is_neutral = true;
    assert_close(testing_feature(&test, &fixture, "elo_plain_difference"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "elo_plain_expectation"), 0.5, 0);
    testing_close(&test);
}

static void a_result_moves_the_ratings(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_elo, 4);
    testing_play(&test, 1, 0, 1, 0, 2); /* Norwich 0-2 Man United, 1993-08-15 */
    struct fixture fixture = testing_fixture(2, 2, 1, 0);
    double change = 20 / (1 + pow(10, -0.15));
    assert_close(testing_feature(&test, &fixture, "elo_plain_home"), 1500 + change, 1e-4);
    assert_close(testing_feature(&test, &fixture, "elo_plain_away"), 1500 - change, 1e-4);
    assert_close(testing_feature(&test, &fixture, "elo_plain_difference"), 60 + 2 * change, 1e-4);
    assert_close(testing_feature(&test, &fixture, "elo_world_home"), 1517.5649603602, 1e-4);
    assert_close(testing_feature(&test, &fixture, "elo_club_home"), 1509.9362420656, 1e-4);
    /* others keep theirs */
    fixture = testing_fixture(3, 2, 2, 3);
    assert_close(testing_feature(&test, &fixture, "elo_plain_home"), 1500, 0);
    testing_close(&test);
}

static void neutral_ground_has_no_advantage(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_elo, 2);
    struct fixture fixture = testing_fixture(1, 1, 0, 1);
    fixture.is_neutral = true;
    struct outcome draw = testing_result(1, 1);
    tracker_elo.apply(test.state, &fixture, &draw);
    assert_close(testing_feature(&test, &fixture, "elo_plain_home"), 1500, 0);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_teams_are_equal),
        cmocka_unit_test(a_result_moves_the_ratings),
        cmocka_unit_test(neutral_ground_has_no_advantage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
