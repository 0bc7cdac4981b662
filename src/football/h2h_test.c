/* The head-to-head family: a small history by hand, sides turned round, and random histories against a search through
 * all matches played. */
#include "football/families.h"
#include "football/test_events.h"

static void strangers_have_no_meetings(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_h2h, 3);
    testing_play(&test, 1, 0, 2, 1, 0);
    testing_play(&test, 2, 2, 1, 1, 0);
    struct fixture fixture = testing_fixture(3, 3, 0, 1);
    assert_close(testing_feature(&test, &fixture, "h2h_meetings"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_venue_meetings"), 0, 0);
    static const char *const missing[] = {"h2h_win_share",     "h2h_goals_for",
                                          "h2h_over_share",    "h2h_last_score",
                                          "h2h_last_days",     "h2h_venue_points",
                                          "h2h_goals_against", "h2h_draw_share",
                                          "h2h_loss_share",    "h2h_venue_goal_difference"};
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
        assert_true(isnan(testing_feature(&test, &fixture, missing[i])));
    testing_close(&test);
}

static void both_sides_of_three_meetings(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_h2h, 3);
    testing_play(&test, 10, 2, 1, 3, 1);
    testing_play(&test, 200, 1, 2, 2, 2);
    testing_play(&test, 380, 2, 1, 0, 1);
    struct fixture fixture = testing_fixture(9, 400, 2, 1); /* 2 has won 3-1, drawn 2-2, lost 0-1 */
    assert_close(testing_feature(&test, &fixture, "h2h_meetings"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_win_share"), 1 / 3.0, 1e-7);
    assert_close(testing_feature(&test, &fixture, "h2h_draw_share"), 1 / 3.0, 1e-7);
    assert_close(testing_feature(&test, &fixture, "h2h_loss_share"), 1 / 3.0, 1e-7);
    assert_close(testing_feature(&test, &fixture, "h2h_goals_for"), 5 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "h2h_goals_against"), 4 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "h2h_over_share"), 2 / 3.0, 1e-7);
    assert_close(testing_feature(&test, &fixture, "h2h_last_score"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_last_days"), 20, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_venue_meetings"), 2, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_venue_points"), 1.5, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_venue_goal_difference"), 0.5, 0);
    fixture = testing_fixture(9, 400, 1, 2);
    assert_close(testing_feature(&test, &fixture, "h2h_goals_for"), 4 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "h2h_last_score"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_venue_meetings"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_venue_points"), 1, 0);
    testing_close(&test);
}

static void neutral_ground_and_extremes(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_h2h, 2);
    struct fixture fixture = testing_fixture(1, 1, 1, 0);
    struct outcome outcome = testing_result(149, 0); /* AS Adema against SO l'Emyrne, 2002 */
    fixture.is_neutral = true;
    tracker_h2h.apply(test.state, &fixture, &outcome);
    fixture = testing_fixture(2, 100000, 1, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_goals_for"), 99, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_last_days"), 3650, 0);
    assert_close(testing_feature(&test, &fixture, "h2h_venue_meetings"), 0, 0);
    assert_true(isnan(testing_feature(&test, &fixture, "h2h_venue_points")));
    assert_close(testing_feature(&test, &fixture, "h2h_win_share"), 1, 0);
    testing_close(&test);
}

static void a_state_has_a_place_for_every_pair(void **state)
{
    (void)state;
    for (size_t teams = 0; teams < 4; teams++) {
        size_t pairs = teams < 2 ? 0 : teams * (teams - 1) / 2;
        struct stream_size size = {.entities = teams, .groups = 1}, none = {.groups = 1};
        assert_int_equal(tracker_h2h.state_bytes(&size) - tracker_h2h.state_bytes(&none), pairs * 40);
    }
}

/* The slow way: all matches ever, walked backwards. */

enum { TEAMS = 7, MATCHES = 900 };

struct played {
    int day, home, away, goals_home, goals_away;
};

static double mean_of_last(const struct played *past, size_t count, int home, int away,
                           double (*value)(const struct played *match, int home), bool venue_only)
{
    double sum = 0;
    int meetings = 0, taken = 0;
    for (size_t i = count; i-- > 0 && meetings < 10;) {
        bool is_home = past[i].home == home && past[i].away == away;
        if (!is_home && !(past[i].home == away && past[i].away == home))
            continue;
        meetings++;
        if (venue_only && !is_home)
            continue;
        taken++;
        sum += value(&past[i], home);
    }
    return sum / taken;
}

static int own_goals(const struct played *match, int team)
{
    return match->home == team ? match->goals_home : match->goals_away;
}

static int other_goals(const struct played *match, int team)
{
    return match->home == team ? match->goals_away : match->goals_home;
}

static double goals_for(const struct played *match, int team)
{
    return own_goals(match, team);
}

static double goals_against(const struct played *match, int team)
{
    return other_goals(match, team);
}

static double is_win(const struct played *match, int team)
{
    return own_goals(match, team) > other_goals(match, team);
}

static double is_loss(const struct played *match, int team)
{
    return own_goals(match, team) < other_goals(match, team);
}

static double is_over(const struct played *match, int team)
{
    (void)team;
    return match->goals_home + match->goals_away > 2;
}

static double points(const struct played *match, int team)
{
    return is_win(match, team) != 0 ? 3 : is_loss(match, team) != 0 ? 0 : 1;
}

static void assert_same(double actual, double expected)
{
    if (isnan(expected))
        assert_true(isnan(actual));
    else
        assert_close(actual, expected, 1e-5);
}

static void random_histories_equal_the_slow_way(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double (*value)(const struct played *, int);
        bool venue_only;
    } rows[] = {{"h2h_win_share", is_win, false},    {"h2h_loss_share", is_loss, false},
                {"h2h_goals_for", goals_for, false}, {"h2h_goals_against", goals_against, false},
                {"h2h_over_share", is_over, false},  {"h2h_venue_points", points, true}};
    struct random random;
    struct testing_tracker test;
    static struct played past[MATCHES];
    random_init(&random, 5);
    testing_open(&test, &tracker_h2h, TEAMS);
    for (size_t n = 0; n < MATCHES; n++) {
        int home = (int)random_below(&random, TEAMS);
        int away = (home + 1 + (int)random_below(&random, TEAMS - 1)) % TEAMS;
        struct fixture fixture = testing_fixture((int64_t)n, (int64_t)n, home, away);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            assert_same(testing_feature(&test, &fixture, rows[i].name),
                        mean_of_last(past, n, home, away, rows[i].value, rows[i].venue_only));
        past[n] =
            (struct played){(int)n, home, away, random_poisson(&random, 1.6), random_poisson(&random, 1.1)};
        testing_play(&test, (int64_t)n, home, away, past[n].goals_home, past[n].goals_away);
    }
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_have_no_meetings),
        cmocka_unit_test(both_sides_of_three_meetings),
        cmocka_unit_test(neutral_ground_and_extremes),
        cmocka_unit_test(a_state_has_a_place_for_every_pair),
        cmocka_unit_test(random_histories_equal_the_slow_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
