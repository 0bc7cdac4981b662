/* Youth family: how young the teams are and how much they rely on their own academy, from the attributes of the fixture
 * (attributes.h), and how that changed since the season before. All missing where nobody told.
 *
 * State per team: its share of minutes of players under 21 as told at its latest match, and at the last of an earlier
 * season. */
#include "football/families.h"
#include "football/match.h"

#include <assert.h>
#include <math.h>

#define AGE_LOW  15.0
#define AGE_HIGH 45.0
enum { SQUAD_LOW = 11, SQUAD_HIGH = 99 };

enum { SIDE_U21, SIDE_ACADEMY, SIDE_AGE, SIDE_U21_CHANGE, YOUTH_SIDE };
enum {
    YOUTH_U21_GAP = SIDE_COUNT * YOUTH_SIDE,
    YOUTH_ACADEMY_GAP,
    YOUTH_AGE_GAP,
    YOUTH_SQUAD_GAP,
    YOUTH_FEATURES
};

#define YOUTH_ROW(name, unit, low, high, doc)                                                                \
    {                                                                                                        \
        "youth_" name, unit, low, high, FEATURE_BEFORE_START, doc                                            \
    }
#define YOUTH_TEAM(side, team)                                                                               \
    YOUTH_ROW(side "_u21_minutes", "share", 0, 1,                                                            \
              "Share of the " team "'s minutes played by players under 21."),                                \
        YOUTH_ROW(side "_academy_minutes", "share", 0, 1,                                                    \
                  "Share of the " team "'s minutes played by players of its own academy."),                  \
        YOUTH_ROW(side "_average_age", "years", AGE_LOW, AGE_HIGH, "Mean age of the " team "'s squad."),     \
        YOUTH_ROW(side "_u21_change", "share", -1, 1,                                                        \
                  "The " team "'s share of minutes of players under 21 minus that of its season before.")

static const struct feature youth_features[YOUTH_FEATURES] = {
    YOUTH_TEAM("home", "home team"),
    YOUTH_TEAM("away", "away team"),
    [YOUTH_U21_GAP] = YOUTH_ROW("u21_gap", "share", -1, 1,
                                "Share of minutes of players under 21, home team minus away team."),
    [YOUTH_ACADEMY_GAP] = YOUTH_ROW("academy_gap", "share", -1, 1,
                                    "Share of minutes of the own academy, home team minus away team."),
    [YOUTH_AGE_GAP] = YOUTH_ROW("age_gap", "years", AGE_LOW - AGE_HIGH, AGE_HIGH - AGE_LOW,
                                "Mean age of the home team's squad minus the away team's."),
    [YOUTH_SQUAD_GAP] = YOUTH_ROW("squad_gap", "players", SQUAD_LOW - SQUAD_HIGH, SQUAD_HIGH - SQUAD_LOW,
                                  "Players of the home team's squad minus the away team's."),
};

struct youth_team {
    int32_t season, has_season; /* of its latest match */
    float now, before;          /* share of minutes of players under 21 */
};
struct youth_state {
    uint64_t team_count;
    struct youth_team team[];
};

static size_t youth_state_bytes(const struct stream_size *size)
{
    return sizeof(struct youth_state) + size->entities * sizeof(struct youth_team);
}

static void youth_init(void *memory, const struct stream_size *size)
{
    struct youth_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++)
        state->team[i] = (struct youth_team){.now = NAN, .before = NAN};
}

static void emit_side(const struct youth_team *team, const float *own, int season, float *out)
{
    bool is_new = team->has_season && season > team->season;
    out[SIDE_U21] = own[ATTRIBUTE_U21_MINUTES];
    out[SIDE_ACADEMY] = own[ATTRIBUTE_ACADEMY_MINUTES];
    out[SIDE_AGE] = own[ATTRIBUTE_AVERAGE_AGE];
    out[SIDE_U21_CHANGE] = own[ATTRIBUTE_U21_MINUTES] - (is_new ? team->now : team->before);
}

static void youth_emit(const void *memory, const void *event, float *out)
{
    const struct youth_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    const float *home = fixture->attributes[SIDE_HOME], *away = fixture->attributes[SIDE_AWAY];
    emit_side(&state->team[fixture->home], home, fixture->season, out);
    emit_side(&state->team[fixture->away], away, fixture->season, out + YOUTH_SIDE);
    out[YOUTH_U21_GAP] = home[ATTRIBUTE_U21_MINUTES] - away[ATTRIBUTE_U21_MINUTES];
    out[YOUTH_ACADEMY_GAP] = home[ATTRIBUTE_ACADEMY_MINUTES] - away[ATTRIBUTE_ACADEMY_MINUTES];
    out[YOUTH_AGE_GAP] = home[ATTRIBUTE_AVERAGE_AGE] - away[ATTRIBUTE_AVERAGE_AGE];
    out[YOUTH_SQUAD_GAP] = home[ATTRIBUTE_SQUAD_SIZE] - away[ATTRIBUTE_SQUAD_SIZE];
}

static void youth_apply(void *memory, const void *event, const void *result)
{
    (void)result; /* what is learned is what was told before the match */
    struct youth_state *state = memory;
    const struct fixture *fixture = event;
    const int32_t index[SIDE_COUNT] = {fixture->home, fixture->away};
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        assert((uint64_t)index[side] < state->team_count);
        struct youth_team *team = &state->team[index[side]];
        if (team->has_season && fixture->season > team->season)
            team->before = team->now;
        team->season = fixture->season;
        team->has_season = 1;
        team->now = fixture->attributes[side][ATTRIBUTE_U21_MINUTES];
    }
}

const struct tracker tracker_youth = {
    .family = "youth",
    .doc = "Minutes of the young and of the own academy, age and size of the squads.",
    .source = "team attributes",
    .version = 1,
    .features = youth_features,
    .feature_count = YOUTH_FEATURES,
    .state_bytes = youth_state_bytes,
    .init = youth_init,
    .emit = youth_emit,
    .apply = youth_apply,
};
