/* Discipline family: weighted windows (window.h) of fouls, yellow and red cards of each team. As in shots.c a
 * window runs over the last matches with the statistic; fouls are missing oftener than cards, so they have
 * their own. */
#include "football/families.h"
#include "football/match.h"
#include "football/window.h"

#include <assert.h>
#include <string.h>

enum { LANE_YELLOWS, LANE_REDS }; /* of the cards window */
enum { DISCIPLINE_YELLOWS, DISCIPLINE_REDS, DISCIPLINE_FOULS, DISCIPLINE_PER_WINDOW };
enum {
    DISCIPLINE_SIDE = WINDOW_COUNT * DISCIPLINE_PER_WINDOW,
    DISCIPLINE_FEATURES = SIDE_COUNT * DISCIPLINE_SIDE
};

#define DISCIPLINE_ROW(side, name, team, w)                                                                  \
    {                                                                                                        \
        "discipline_" side "_" name "_" #w, name, 0, WINDOW_VALUE_HIGH, FEATURE_BEFORE_START,                \
            team " " name " per match in the last " #w                                                       \
                 " with statistics, weighted 1.5 (recent half) and 0.7 (older half)."                        \
    }
#define DISCIPLINE_WINDOW(side, team, w)                                                                     \
    DISCIPLINE_ROW(side, "yellows", team, w), DISCIPLINE_ROW(side, "reds", team, w),                         \
        DISCIPLINE_ROW(side, "fouls", team, w)
#define DISCIPLINE_TEAM(side, team)                                                                          \
    DISCIPLINE_WINDOW(side, team, 3), DISCIPLINE_WINDOW(side, team, 5), DISCIPLINE_WINDOW(side, team, 10),   \
        DISCIPLINE_WINDOW(side, team, 20)

static const struct feature discipline_features[DISCIPLINE_FEATURES] = {
    DISCIPLINE_TEAM("home", "Home team's"),
    DISCIPLINE_TEAM("away", "Away team's"),
};

struct discipline_team {
    float values[WINDOW_COUNT][DISCIPLINE_PER_WINDOW]; /* what emit copies */
    struct window cards, fouls;
};
struct discipline_state {
    uint64_t team_count;
    struct discipline_team team[];
};

static size_t discipline_state_bytes(const struct stream_size *size)
{
    return sizeof(struct discipline_state) + size->entities * sizeof(struct discipline_team);
}

static void discipline_init(void *memory, const struct stream_size *size)
{
    struct discipline_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++) {
        for (size_t k = 0; k < DISCIPLINE_SIDE; k++)
            state->team[i].values[k / DISCIPLINE_PER_WINDOW][k % DISCIPLINE_PER_WINDOW] = NAN;
    }
}

static void discipline_emit(const void *memory, const void *event, float *out)
{
    const struct discipline_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    memcpy(out, state->team[fixture->home].values, DISCIPLINE_SIDE * sizeof(float));
    memcpy(out + DISCIPLINE_SIDE, state->team[fixture->away].values, DISCIPLINE_SIDE * sizeof(float));
}

static void learn_cards(struct discipline_team *team, int yellows, int reds)
{
    if (yellows < 0 || reds < 0)
        return;
    struct window_means means;
    window_add(&team->cards, window_word(yellows, reds, 0, 0));
    window_means(&team->cards, &means);
    for (size_t w = 0; w < WINDOW_COUNT; w++) {
        team->values[w][DISCIPLINE_YELLOWS] = means.value[w][LANE_YELLOWS];
        team->values[w][DISCIPLINE_REDS] = means.value[w][LANE_REDS];
    }
}

static void learn_fouls(struct discipline_team *team, int fouls)
{
    if (fouls < 0)
        return;
    struct window_means means;
    window_add(&team->fouls, window_word(fouls, 0, 0, 0));
    window_means(&team->fouls, &means);
    for (size_t w = 0; w < WINDOW_COUNT; w++)
        team->values[w][DISCIPLINE_FOULS] = means.value[w][0];
}

static void discipline_apply(void *memory, const void *event, const void *result)
{
    struct discipline_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    const int32_t team[SIDE_COUNT] = {fixture->home, fixture->away};
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        assert((uint64_t)team[side] < state->team_count);
        learn_cards(&state->team[team[side]], outcome->stats[STAT_YELLOWS][side],
                    outcome->stats[STAT_REDS][side]);
        learn_fouls(&state->team[team[side]], outcome->stats[STAT_FOULS][side]);
    }
}

const struct tracker tracker_discipline = {
    .family = "discipline",
    .doc = "Weighted windows of fouls, yellow and red cards.",
    .source = "fouls, cards",
    .version = 1,
    .features = discipline_features,
    .feature_count = DISCIPLINE_FEATURES,
    .state_bytes = discipline_state_bytes,
    .init = discipline_init,
    .emit = discipline_emit,
    .apply = discipline_apply,
};
