/* What the unit tests of this folder share: an assertion for reals, made-up matches, frames for
 * history_create. Included by *_test.c files only, after cmocka.h. */
#ifndef ALMANAC_FOOTBALL_TEST_EVENTS_H
#define ALMANAC_FOOTBALL_TEST_EVENTS_H

#include "base/random.h"
#include "base/time.h"
#include "feature/builder.h"
#include "feature/tracker.h"
#include "football/attributes.h"
#include "football/history_future.h"
#include "football/match.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_close(actual, expected, tolerance)                                                            \
    do {                                                                                                     \
        double actual_ = (actual), expected_ = (expected);                                                   \
        if (!(fabs(actual_ - expected_) <= (tolerance)))                                                     \
            fail_msg("%s is %.12g, not %.12g", #actual, actual_, expected_);                                 \
    } while (0)

/* A fixture of league E0 on a day at midnight UTC. */
static inline struct fixture testing_fixture(int64_t id, int64_t day, int32_t home, int32_t away)
{
    struct fixture fixture = {.id = id,
                              .start_us = day * TIME_DAY_US,
                              .day = day,
                              .league = 0,
                              .season = 1993,
                              .home = home,
                              .away = away,
                              .pre_close = prices_unknown()};
    attributes_clear(fixture.attributes[SIDE_HOME]);
    attributes_clear(fixture.attributes[SIDE_AWAY]);
    return fixture;
}

static inline struct outcome testing_result(int goals_home, int goals_away)
{
    struct outcome outcome = outcome_unknown();
    outcome.goals[SIDE_HOME] = (int16_t)goals_home;
    outcome.goals[SIDE_AWAY] = (int16_t)goals_away;
    return outcome;
}

/* A tracker with its state. */
struct testing_tracker {
    const struct tracker *tracker;
    void *state;
    size_t size_bytes;
    float out[512];
};

static inline void testing_open(struct testing_tracker *test, const struct tracker *tracker, size_t teams)
{
    struct stream_size size = {.entities = teams, .groups = 1};
    test->tracker = tracker;
    test->size_bytes = tracker->state_bytes(&size);
    test->state = calloc(1, test->size_bytes + 1);
    assert_non_null(test->state);
    assert_true(tracker->feature_count <= sizeof(test->out) / sizeof(test->out[0]));
    tracker->init(test->state, &size);
}

static inline void testing_close(struct testing_tracker *test)
{
    free(test->state);
}

/* One result is learned. */
static inline void testing_play(struct testing_tracker *test, int64_t day, int home, int away, int goals_home,
                                int goals_away)
{
    struct fixture fixture = testing_fixture(day, day, home, away);
    struct outcome outcome = testing_result(goals_home, goals_away);
    test->tracker->apply(test->state, &fixture, &outcome);
}

/* The feature called `name` of a fixture, as of now. Checks the bounds of all features on the way. */
static inline double testing_feature(struct testing_tracker *test, const struct fixture *fixture,
                                     const char *name)
{
    test->tracker->emit(test->state, fixture, test->out);
    double found = 0;
    int count = 0;
    for (size_t i = 0; i < test->tracker->feature_count; i++) {
        const struct feature *feature = &test->tracker->features[i];
        float value = test->out[i];
        if (!isnan(value) && !((double)value >= feature->low && (double)value <= feature->high))
            fail_msg("%s is %g, outside [%g, %g]", feature->name, (double)value, feature->low, feature->high);
        if (strcmp(feature->name, name) == 0) {
            found = (double)value;
            count++;
        }
    }
    if (count != 1)
        fail_msg("%d features are called %s", count, name);
    return found;
}

#endif
