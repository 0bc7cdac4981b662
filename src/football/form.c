/* Form family: weighted windows over a team's last 3, 5, 10 and 20 matches: all of them, and those at the
 * venue of this match (the home team's at home, the away team's away). The weights are window.h's: 1.5 for
 * the most recent half of the window, 0.7 for the older half.
 *
 * The means of a team change only when it plays, so apply computes them once and emit copies four blocks
 * of 16. Matches of all divisions of the country count: a promoted team brings its form along. Matches on
 * neutral ground count in the overall windows only. */
#include "football/families.h"
#include "football/match.h"
#include "football/window.h"

#include <assert.h>
#include <string.h>

enum { LANE_POINTS, LANE_GOALS_FOR, LANE_GOALS_AGAINST, LANE_SHARE };
enum { FORM_BLOCK = WINDOW_COUNT * WINDOW_LANES, FORM_BLOCKS = 4, FORM_GAPS = 2 * WINDOW_COUNT };
enum { FORM_FEATURES = FORM_BLOCKS * FORM_BLOCK + FORM_GAPS };

#define FORM_ROW(name, unit, high, what, w)                                                                  \
    {                                                                                                        \
        "form_" name "_" #w, unit, 0, high, FEATURE_BEFORE_START,                                            \
            what " in the last " #w ", weighted 1.5 (recent half) and 0.7 (older half)."                     \
    }
/* the order of struct window_means: window, then lane */
#define FORM_WINDOW(scope, share, team, of, w, share_doc)                                                    \
    FORM_ROW(scope "_points", "points", 3, team " points per match" of, w),                                  \
        FORM_ROW(scope "_goals_for", "goals", WINDOW_VALUE_HIGH, team " goals scored per match" of, w),      \
        FORM_ROW(scope "_goals_against", "goals", WINDOW_VALUE_HIGH, team " goals conceded per match" of,    \
                 w),                                                                                         \
        FORM_ROW(scope share, "share", 1, team share_doc of, w)
#define FORM_SCOPE(scope, share, team, of, share_doc)                                                        \
    FORM_WINDOW(scope, share, team, of, 3, share_doc), FORM_WINDOW(scope, share, team, of, 5, share_doc),    \
        FORM_WINDOW(scope, share, team, of, 10, share_doc),                                                  \
        FORM_WINDOW(scope, share, team, of, 20, share_doc)
#define FORM_GAP(name, unit, high, what, w)                                                                  \
    {                                                                                                        \
        "form_" name "_gap_" #w, unit, -(high), high, FEATURE_BEFORE_START,                                  \
            "Home team's weighted " what " per match in its last " #w " minus the away team's."              \
    }

#define SHARE_WON  " share of matches won"
#define SHARE_OVER " share of matches with more than 2.5 goals"

static const struct feature form_features[FORM_FEATURES] = {
    FORM_SCOPE("home_overall", "_win_share", "Home team's", "", SHARE_WON),
    FORM_SCOPE("home_venue", "_over_share", "Home team's", " at home", SHARE_OVER),
    FORM_SCOPE("away_overall", "_win_share", "Away team's", "", SHARE_WON),
    FORM_SCOPE("away_venue", "_over_share", "Away team's", " away", SHARE_OVER),
    FORM_GAP("points", "points", 3, "points", 3),
    FORM_GAP("points", "points", 3, "points", 5),
    FORM_GAP("points", "points", 3, "points", 10),
    FORM_GAP("points", "points", 3, "points", 20),
    FORM_GAP("goal_difference", "goals", 2 * WINDOW_VALUE_HIGH, "goal difference", 3),
    FORM_GAP("goal_difference", "goals", 2 * WINDOW_VALUE_HIGH, "goal difference", 5),
    FORM_GAP("goal_difference", "goals", 2 * WINDOW_VALUE_HIGH, "goal difference", 10),
    FORM_GAP("goal_difference", "goals", 2 * WINDOW_VALUE_HIGH, "goal difference", 20),
};

struct form_team {
    struct window_means overall_means, venue_means[SIDE_COUNT]; /* what emit copies */
    struct window overall, venue[SIDE_COUNT];
};
struct form_state {
    uint64_t team_count;
    struct form_team team[];
};

static size_t form_state_bytes(const struct stream_size *size)
{
    return sizeof(struct form_state) + size->entities * sizeof(struct form_team);
}

static void form_init(void *memory, const struct stream_size *size)
{
    struct form_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++) {
        struct form_team *team = &state->team[i];
        window_means_clear(&team->overall_means);
        window_means_clear(&team->venue_means[SIDE_HOME]);
        window_means_clear(&team->venue_means[SIDE_AWAY]);
    }
}

static float goal_difference(const float *lanes)
{
    return lanes[LANE_GOALS_FOR] - lanes[LANE_GOALS_AGAINST];
}

static void form_emit(const void *memory, const void *event, float *out)
{
    const struct form_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    const struct form_team *home = &state->team[fixture->home], *away = &state->team[fixture->away];
    memcpy(out, &home->overall_means, sizeof(struct window_means));
    memcpy(out + FORM_BLOCK, &home->venue_means[SIDE_HOME], sizeof(struct window_means));
    memcpy(out + 2 * FORM_BLOCK, &away->overall_means, sizeof(struct window_means));
    memcpy(out + 3 * FORM_BLOCK, &away->venue_means[SIDE_AWAY], sizeof(struct window_means));
    float *gap = out + FORM_BLOCKS * FORM_BLOCK;
    for (size_t w = 0; w < WINDOW_COUNT; w++) {
        const float *h = home->overall_means.value[w], *a = away->overall_means.value[w];
        gap[w] = h[LANE_POINTS] - a[LANE_POINTS];
        gap[WINDOW_COUNT + w] = goal_difference(h) - goal_difference(a);
    }
}

static void form_learn(struct form_team *team, int side, bool is_neutral, int goals_for, int goals_against)
{
    int points = match_points(goals_for, goals_against);
    window_add(&team->overall, window_word(points, goals_for, goals_against, points == 3));
    window_means(&team->overall, &team->overall_means);
    if (is_neutral)
        return;
    window_add(&team->venue[side],
               window_word(points, goals_for, goals_against, goals_for + goals_against > 2));
    window_means(&team->venue[side], &team->venue_means[side]);
}

static void form_apply(void *memory, const void *event, const void *result)
{
    struct form_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    int home = outcome->goals[SIDE_HOME], away = outcome->goals[SIDE_AWAY];
    form_learn(&state->team[fixture->home], SIDE_HOME, fixture->is_neutral, home, away);
    form_learn(&state->team[fixture->away], SIDE_AWAY, fixture->is_neutral, away, home);
}

const struct tracker tracker_form = {
    .family = "form",
    .doc =
        "Weighted windows of points, goals and result shares, over all matches and at the venue of this one.",
    .source = "results",
    .version = 1,
    .features = form_features,
    .feature_count = FORM_FEATURES,
    .state_bytes = form_state_bytes,
    .init = form_init,
    .emit = form_emit,
    .apply = form_apply,
};
