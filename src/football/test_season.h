/* A hand-made season of four teams for the tests of families with long memories: a double round with missing
 * statistics, an extreme result, neutral ground, a second league and a year's pause. The expected values in
 * those tests are what tests/reference/families_strength.py says of the same matches. */
#ifndef ALMANAC_FOOTBALL_TEST_SEASON_H
#define ALMANAC_FOOTBALL_TEST_SEASON_H

#include "football/test_events.h"

struct test_season_match {
    int day, league, home, away, goals[SIDE_COUNT], shots[SIDE_COUNT], target[SIDE_COUNT];
    bool is_neutral;
};

static const struct test_season_match test_season[] = {
    {10, 0, 0, 1, {2, 0}, {14, 6}, {7, 2}, false},  {10, 0, 2, 3, {0, 0}, {9, 11}, {1, 3}, false},
    {17, 0, 1, 2, {1, 1}, {10, 12}, {4, 4}, false}, {17, 0, 3, 0, {0, 1}, {-1, -1}, {-1, -1}, false},
    {24, 0, 0, 2, {9, 1}, {25, 3}, {16, 1}, false}, {24, 0, 1, 3, {1, 0}, {8, 8}, {5, 2}, false},
    {31, 0, 1, 0, {0, 1}, {7, 15}, {0, 6}, true},   {31, 0, 3, 2, {3, 2}, {13, 10}, {6, -1}, false},
    {33, 1, 2, 1, {2, 2}, {12, 12}, {5, 4}, false}, {38, 0, 0, 3, {4, 1}, {18, 7}, {8, 3}, false},
    {380, 1, 3, 1, {0, 3}, {6, 17}, {2, 9}, false}, {380, 0, 2, 0, {0, 0}, {4, 21}, {5, 7}, false},
};
enum { TEST_SEASON_TEAMS = 5, TEST_SEASON_LEAGUES = 2 }; /* one team never plays */

static inline void test_season_play(struct testing_tracker *test)
{
    for (size_t i = 0; i < sizeof(test_season) / sizeof(test_season[0]); i++) {
        const struct test_season_match *match = &test_season[i];
        struct fixture fixture = testing_fixture((int64_t)i, match->day, match->home, match->away);
        struct outcome outcome = testing_result(match->goals[SIDE_HOME], match->goals[SIDE_AWAY]);
        fixture.league = (int16_t)match->league;
        fixture.is_neutral = match->is_neutral;
        for (size_t side = 0; side < SIDE_COUNT; side++) {
            outcome.stats[STAT_SHOTS][side] = (int16_t)match->shots[side];
            outcome.stats[STAT_SHOTS_ON_TARGET][side] = (int16_t)match->target[side];
        }
        test->tracker->apply(test->state, &fixture, &outcome);
    }
}

/* A tracker that has seen the season. */
static inline void test_season_open(struct testing_tracker *test, const struct tracker *tracker)
{
    struct stream_size size = {.entities = TEST_SEASON_TEAMS, .groups = TEST_SEASON_LEAGUES};
    test->tracker = tracker;
    test->size_bytes = tracker->state_bytes(&size);
    test->state = calloc(1, test->size_bytes + 1);
    assert_non_null(test->state);
    tracker->init(test->state, &size);
    test_season_play(test);
}

/* A fixture after the season. */
static inline struct fixture test_season_fixture(int league, int home, int away)
{
    struct fixture fixture = testing_fixture(99, 400, home, away);
    fixture.league = (int16_t)league;
    return fixture;
}

struct test_season_value {
    const char *name;
    double value; /* NaN: missing */
};

static inline void test_season_check(struct testing_tracker *test, const struct fixture *fixture,
                                     const struct test_season_value *expected, size_t count)
{
    assert_int_equal(count, test->tracker->feature_count); /* every feature is compared */
    for (size_t i = 0; i < count; i++) {
        double value = testing_feature(test, fixture, expected[i].name);
        if (isnan(expected[i].value) != isnan(value) ||
            fabs(value - expected[i].value) > 1e-6 + 1e-6 * fabs(value))
            fail_msg("%s is %.9g, not %.9g", expected[i].name, value, expected[i].value);
    }
}

#endif
