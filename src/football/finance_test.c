/* Finance and youth by hand: what the attributes of a fixture become, and what is remembered of the league. Every row of
 * simulated seasons is compared with tests/reference/families_attributes.py. */
#include "football/families.h"
#include "football/test_events.h"

static struct fixture told(int day, int season, int home, int away, double wages_home, double wages_away)
{
    struct fixture fixture = testing_fixture(day, day, home, away);
    fixture.season = (int16_t)season;
    fixture.attributes[SIDE_HOME][ATTRIBUTE_WAGES] = (float)wages_home;
    fixture.attributes[SIDE_AWAY][ATTRIBUTE_WAGES] = (float)wages_away;
    return fixture;
}

static void play(struct testing_tracker *test, struct fixture fixture)
{
    struct outcome outcome = testing_result(1, 0);
    test->tracker->apply(test->state, &fixture, &outcome);
}

static void nothing_told_nothing_known(void **state)
{
    (void)state;
    const struct tracker *const trackers[] = {&tracker_finance, &tracker_youth};
    for (size_t t = 0; t < 2; t++) {
        struct testing_tracker test;
        testing_open(&test, trackers[t], 4);
        for (int i = 0; i < 20; i++)
            testing_play(&test, i, i % 4, (i + 1) % 4, i % 3, 1);
        struct fixture fixture = testing_fixture(99, 99, 0, 1);
        for (size_t i = 0; i < test.tracker->feature_count; i++)
            assert_true(isnan(testing_feature(&test, &fixture, test.tracker->features[i].name)));
        testing_close(&test);
    }
}

static void wages(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_finance, 6);
    struct fixture fixture = told(50, 2000, 0, 1, 30, 10);
    assert_close(testing_feature(&test, &fixture, "finance_wages_ratio"), 3, 1e-6);
    assert_close(testing_feature(&test, &fixture, "finance_wages_log_ratio"), log(3), 1e-6);
    assert_true(isnan(testing_feature(&test, &fixture, "finance_home_wages_rank"))); /* no others yet */
    play(&test, told(51, 2000, 2, 3, 20, 40));
    play(&test, told(52, 2000, 4, 1, 5, 10));
    assert_close(testing_feature(&test, &fixture, "finance_home_wages_rank"), 0.75, 1e-6); /* 20, 40, 5, 10 */
    assert_close(testing_feature(&test, &fixture, "finance_away_wages_rank"), 1.0 / 3, 1e-6);
    /* mean 18.75, variance ((1.25)^2 + (21.25)^2 + (13.75)^2 + (8.75)^2) / 4 */
    assert_close(testing_feature(&test, &fixture, "finance_league_disparity"), sqrt(179.6875) / 18.75, 1e-6);
    struct fixture next = told(400, 2001, 0, 1, 30, 0); /* a new season begins with nobody in it */
    assert_true(isnan(testing_feature(&test, &next, "finance_home_wages_rank")));
    assert_true(isnan(testing_feature(&test, &next, "finance_wages_ratio"))); /* over nothing */
    struct fixture rich = told(60, 2000, 0, 1, 1e12, 1);
    assert_close(testing_feature(&test, &rich, "finance_wages_ratio"), 1000, 0);
    assert_close(testing_feature(&test, &rich, "finance_wages_log_ratio"), 7, 0);
    testing_close(&test);
}

static void transfers(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_finance, 2);
    struct fixture fixture = testing_fixture(1, 1, 0, 1);
    float *home = fixture.attributes[SIDE_HOME];
    home[ATTRIBUTE_TRANSFER_SPEND] = 50;
    home[ATTRIBUTE_TRANSFER_INCOME] = 20;
    home[ATTRIBUTE_SQUAD_VALUE] = 300;
    home[ATTRIBUTE_MANAGER_CHANGES] = 2;
    assert_close(testing_feature(&test, &fixture, "finance_home_net_spend"), 0.1, 1e-6);
    assert_close(testing_feature(&test, &fixture, "finance_home_manager_changes"), 2, 0);
    assert_true(isnan(testing_feature(&test, &fixture, "finance_net_spend_gap")));
    home[ATTRIBUTE_SQUAD_VALUE] = 0;
    assert_true(isnan(testing_feature(&test, &fixture, "finance_home_net_spend")));
    testing_close(&test);
}

static void the_young(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_youth, 3);
    for (int season = 2000; season < 2003; season++) {
        struct fixture fixture = told(365 * (season - 2000) + 9, season, 0, 1, 1, 1);
        fixture.attributes[SIDE_HOME][ATTRIBUTE_U21_MINUTES] = (float)(season - 2000) / 8;
        double change = testing_feature(&test, &fixture, "youth_home_u21_change");
        if (season == 2000)
            assert_true(isnan(change));
        else
            assert_close(change, 0.125, 1e-6);
        play(&test, fixture);
        assert_close(testing_feature(&test, &fixture, "youth_home_u21_minutes"), (season - 2000) / 8.0, 1e-6);
        if (season > 2000) /* within the season the one before is still the measure */
            assert_close(testing_feature(&test, &fixture, "youth_home_u21_change"), 0.125, 1e-6);
    }
    struct fixture fixture = testing_fixture(2000, 2000, 0, 1);
    fixture.attributes[SIDE_HOME][ATTRIBUTE_AVERAGE_AGE] = 24;
    fixture.attributes[SIDE_AWAY][ATTRIBUTE_AVERAGE_AGE] = 27.5F;
    fixture.attributes[SIDE_HOME][ATTRIBUTE_SQUAD_SIZE] = 30;
    fixture.attributes[SIDE_AWAY][ATTRIBUTE_SQUAD_SIZE] = 22;
    assert_close(testing_feature(&test, &fixture, "youth_age_gap"), -3.5, 0);
    assert_close(testing_feature(&test, &fixture, "youth_squad_gap"), 8, 0);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_told_nothing_known),
        cmocka_unit_test(wages),
        cmocka_unit_test(transfers),
        cmocka_unit_test(the_young),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
