/* Ratings against hand-computed values and the first matches of the English 1993-94 season, whose ratings an
 * independent implementation of the protocol computed. */
#include "football/rating.h"
#include "football/test_events.h"

static const struct elo_rule plain = {20, 60, ELO_MARGIN_NONE};
static const struct elo_rule world = {20, 60, ELO_MARGIN_WORLD};
static const struct elo_rule club = {12, 60, ELO_MARGIN_SQUARE_ROOT};

enum {
    MAN_CITY,
    LEEDS,
    SOUTHAMPTON,
    EVERTON,
    NORWICH,
    MAN_UNITED,
    BARNSLEY,
    WEST_BROM,
    LEICESTER,
    PETERBORO,
    TEAMS
};
static const struct {
    int home, away, goals_home, goals_away;
} matches[] = {
    {MAN_CITY, LEEDS, 1, 1},      {SOUTHAMPTON, EVERTON, 0, 2}, {BARNSLEY, WEST_BROM, 1, 1},
    {LEICESTER, PETERBORO, 2, 1}, {NORWICH, MAN_UNITED, 0, 2},  {EVERTON, MAN_CITY, 1, 0},
    {PETERBORO, BARNSLEY, 4, 1},
};
enum { MATCHES = sizeof(matches) / sizeof(matches[0]) };

static void check_elo(const struct elo_rule *rule, double man_united, double everton, double barnsley)
{
    double rating[TEAMS];
    for (size_t i = 0; i < TEAMS; i++)
        rating[i] = ELO_START;
    for (size_t i = 0; i < MATCHES; i++)
        elo_update(rule, &rating[matches[i].home], &rating[matches[i].away], matches[i].goals_home,
                   matches[i].goals_away, false);
    assert_close(rating[MAN_UNITED], man_united, 1e-9);
    assert_close(rating[EVERTON], everton, 1e-9);
    assert_close(rating[BARNSLEY], barnsley, 1e-9);
}

static void elo_follows_the_protocol(void **state)
{
    (void)state;
    check_elo(&plain, 1511.7099735734, 1519.6276813344, 1489.8155733950);
    check_elo(&world, 1517.5649603602, 1525.3220338699, 1483.4597336213);
    check_elo(&club, 1509.9362420656, 1514.7275289579, 1490.2439110608);
}

static void check_pi(struct pi_rule rule, const double expected[3][2])
{
    struct pi_rating rating[TEAMS] = {{0}};
    for (size_t i = 0; i < MATCHES; i++)
        pi_update(&rule, &rating[matches[i].home], &rating[matches[i].away], matches[i].goals_home,
                  matches[i].goals_away);
    const int teams[3] = {MAN_UNITED, EVERTON, BARNSLEY};
    for (size_t i = 0; i < 3; i++) {
        assert_close(rating[teams[i]].at_home, expected[i][0], 1e-10);
        assert_close(rating[teams[i]].away, expected[i][1], 1e-10);
    }
}

static void pi_follows_the_protocol(void **state)
{
    (void)state;
    const double slow[3][2] = {
        {0.0350684122, 0.0500977317}, {0.0660502493, 0.0717850177}, {-0.0443877948, -0.0634111354}};
    const double fast[3][2] = {
        {0.0515290955, 0.0858818258}, {0.1041215245, 0.1174372832}, {-0.0653178296, -0.1088630493}};
    check_pi((struct pi_rule){0.035, 0.7}, slow);
    check_pi((struct pi_rule){0.06, 0.6}, fast);
}

static void expectations_and_margins(void **state)
{
    (void)state;
    assert_close(elo_expectation(0), 0.5, 0);
    assert_close(elo_expectation(400), 10.0 / 11, 1e-15);
    assert_close(elo_expectation(-400), 1.0 / 11, 1e-15);
    assert_close(elo_difference(&plain, 1500, 1450, false), 110, 0);
    assert_close(elo_difference(&plain, 1500, 1450, true), 50, 0);
    const double world_factors[] = {1, 1, 1.5, 14.0 / 8, 15.0 / 8};
    for (int gd = 0; gd < 5; gd++) {
        assert_close(elo_margin_factor(ELO_MARGIN_NONE, gd), 1, 0);
        assert_close(elo_margin_factor(ELO_MARGIN_WORLD, gd), world_factors[gd], 0);
        assert_close(elo_margin_factor(ELO_MARGIN_WORLD, -gd), world_factors[gd], 0);
        assert_close(elo_margin_factor(ELO_MARGIN_SQUARE_ROOT, -gd), gd ? sqrt(gd) : 1, 0);
    }
    /* g doubles its 10s every 3 points and is odd */
    assert_close(pi_goals(0), 0, 0);
    assert_close(pi_goals(3), 9, 1e-13);
    assert_close(pi_goals(-3), -9, 1e-13);
    struct pi_rating home = {3, 0}, away = {0, -3};
    assert_close(pi_expected_goal_difference(&home, &away), 18, 1e-13);
}

static void ratings_stay_in_their_bounds(void **state)
{
    (void)state;
    const struct elo_rule wild = {5000, 60, ELO_MARGIN_WORLD};
    double strong = ELO_START, weak = ELO_START;
    struct pi_rating pi_strong = {0}, pi_weak = {0};
    for (int i = 0; i < 100; i++) {
        elo_update(&wild, &strong, &weak, 99, 0, false);
        pi_update(&(struct pi_rule){5, 1}, &pi_strong, &pi_weak, i % 2 ? 99 : 0, 99 - 99 * (i % 2));
        assert_true(strong <= ELO_HIGH && weak >= ELO_LOW);
        assert_true(fabs(pi_strong.at_home) <= PI_LIMIT && fabs(pi_weak.away) <= PI_LIMIT);
        assert_true(fabs(pi_strong.away) <= PI_LIMIT && fabs(pi_weak.at_home) <= PI_LIMIT);
    }
    assert_close(strong, ELO_HIGH, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elo_follows_the_protocol),
        cmocka_unit_test(pi_follows_the_protocol),
        cmocka_unit_test(expectations_and_margins),
        cmocka_unit_test(ratings_stay_in_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
