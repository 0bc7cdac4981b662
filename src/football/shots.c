/* Shots family: weighted windows (window.h) of shots, shots on target and corners, for and against, and
 * conversion.
 *
 * Sources without these statistics leave gaps, so a window runs over the last matches that have them: one
 * window for shots and corners, which always come together, one for shots on target, which carries the goals
 * of the same matches for the conversion. A team never seen with statistics has NaN. */
#include "football/families.h"
#include "football/match.h"
#include "football/window.h"

#include <assert.h>
#include <string.h>

enum { LANE_SHOTS, LANE_SHOTS_AGAINST, LANE_CORNERS, LANE_CORNERS_AGAINST };     /* of the volume window */
enum { LANE_ON_TARGET, LANE_ON_TARGET_AGAINST, LANE_GOALS, LANE_GOALS_AGAINST }; /* of the target window */
enum {
    SHOTS_PER_WINDOW = 8,
    SHOTS_SIDE = WINDOW_COUNT * SHOTS_PER_WINDOW,
    SHOTS_FEATURES = SIDE_COUNT * SHOTS_SIDE
};

#define CONVERSION_HIGH                                                                                      \
    5.0 /* goals per shot on target; more (own goals, errors of the source) counts as this */

#define SHOTS_ROW(side, name, unit, high, what, w)                                                           \
    {                                                                                                        \
        "shots_" side "_" name "_" #w, unit, 0, high, FEATURE_BEFORE_START,                                  \
            what " in the last " #w " with statistics, weighted 1.5 (recent half) and 0.7 (older half)."     \
    }
#define SHOTS_WINDOW(side, team, w)                                                                          \
    SHOTS_ROW(side, "total", "shots", WINDOW_VALUE_HIGH, team " shots per match", w),                        \
        SHOTS_ROW(side, "total_against", "shots", WINDOW_VALUE_HIGH, team " shots allowed per match", w),    \
        SHOTS_ROW(side, "corners", "corners", WINDOW_VALUE_HIGH, team " corners per match", w),              \
        SHOTS_ROW(side, "corners_against", "corners", WINDOW_VALUE_HIGH, team " corners allowed per match",  \
                  w),                                                                                        \
        SHOTS_ROW(side, "on_target", "shots", WINDOW_VALUE_HIGH, team " shots on target per match", w),      \
        SHOTS_ROW(side, "on_target_against", "shots", WINDOW_VALUE_HIGH,                                     \
                  team " shots on target allowed per match", w),                                             \
        SHOTS_ROW(side, "conversion", "goals", CONVERSION_HIGH, team " goals per shot on target", w),        \
        SHOTS_ROW(side, "conversion_against", "goals", CONVERSION_HIGH,                                      \
                  team " goals allowed per shot on target", w)
#define SHOTS_TEAM(side, team)                                                                               \
    SHOTS_WINDOW(side, team, 3), SHOTS_WINDOW(side, team, 5), SHOTS_WINDOW(side, team, 10),                  \
        SHOTS_WINDOW(side, team, 20)

static const struct feature shots_features[SHOTS_FEATURES] = {
    SHOTS_TEAM("home", "Home team's"),
    SHOTS_TEAM("away", "Away team's"),
};

struct shots_team {
    float values[WINDOW_COUNT][SHOTS_PER_WINDOW]; /* what emit copies */
    struct window volume, target;
};
struct shots_state {
    uint64_t team_count;
    struct shots_team team[];
};

static size_t shots_state_bytes(const struct stream_size *size)
{
    return sizeof(struct shots_state) + size->entities * sizeof(struct shots_team);
}

static void shots_init(void *memory, const struct stream_size *size)
{
    struct shots_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++) {
        for (size_t k = 0; k < SHOTS_SIDE; k++)
            state->team[i].values[k / SHOTS_PER_WINDOW][k % SHOTS_PER_WINDOW] = NAN;
    }
}

static void shots_emit(const void *memory, const void *event, float *out)
{
    const struct shots_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    memcpy(out, state->team[fixture->home].values, SHOTS_SIDE * sizeof(float));
    memcpy(out + SHOTS_SIDE, state->team[fixture->away].values, SHOTS_SIDE * sizeof(float));
}

static float conversion(float goals, float shots)
{
    if (!(shots > 0))
        return NAN;
    float ratio = goals / shots;
    return ratio < (float)CONVERSION_HIGH ? ratio : (float)CONVERSION_HIGH;
}

static void learn_volume(struct shots_team *team, const struct outcome *outcome, int own, int other)
{
    const int16_t *shots = outcome->stats[STAT_SHOTS], *corners = outcome->stats[STAT_CORNERS];
    if (shots[SIDE_HOME] < 0 || shots[SIDE_AWAY] < 0 || corners[SIDE_HOME] < 0 || corners[SIDE_AWAY] < 0)
        return;
    struct window_means means;
    window_add(&team->volume, window_word(shots[own], shots[other], corners[own], corners[other]));
    window_means(&team->volume, &means);
    for (size_t w = 0; w < WINDOW_COUNT; w++)
        memcpy(team->values[w], means.value[w], sizeof(means.value[w]));
}

static void learn_target(struct shots_team *team, const struct outcome *outcome, int own, int other)
{
    const int16_t *shots = outcome->stats[STAT_SHOTS_ON_TARGET], *goals = outcome->goals;
    if (shots[SIDE_HOME] < 0 || shots[SIDE_AWAY] < 0)
        return;
    struct window_means means;
    window_add(&team->target, window_word(shots[own], shots[other], goals[own], goals[other]));
    window_means(&team->target, &means);
    for (size_t w = 0; w < WINDOW_COUNT; w++) {
        const float *mean = means.value[w];
        float *value = team->values[w] + WINDOW_LANES;
        value[0] = mean[LANE_ON_TARGET];
        value[1] = mean[LANE_ON_TARGET_AGAINST];
        value[2] = conversion(mean[LANE_GOALS], mean[LANE_ON_TARGET]);
        value[3] = conversion(mean[LANE_GOALS_AGAINST], mean[LANE_ON_TARGET_AGAINST]);
    }
}

static void shots_apply(void *memory, const void *event, const void *result)
{
    struct shots_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    struct shots_team *home = &state->team[fixture->home], *away = &state->team[fixture->away];
    learn_volume(home, result, SIDE_HOME, SIDE_AWAY);
    learn_volume(away, result, SIDE_AWAY, SIDE_HOME);
    learn_target(home, result, SIDE_HOME, SIDE_AWAY);
    learn_target(away, result, SIDE_AWAY, SIDE_HOME);
}

const struct tracker tracker_shots = {
    .family = "shots",
    .doc = "Weighted windows of shots, shots on target and corners, for and against, and goals per shot on "
           "target.",
    .source = "results, shots, corners",
    .version = 1,
    .features = shots_features,
    .feature_count = SHOTS_FEATURES,
    .state_bytes = shots_state_bytes,
    .init = shots_init,
    .emit = shots_emit,
    .apply = shots_apply,
};
