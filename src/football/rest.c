/* Rest family: days since each team's last match, matches in the last 7, 14 and 30 days, matches played this
 * season, whether this is a midweek match. Only matches of the stored leagues are seen: cups and Europe are
 * not.
 *
 * State per team: the local days of its last 16 matches (nobody plays more in 30 days) in a ring. Counting
 * walks the ring: 16 comparisons, which the compiler turns into a few vector instructions. */
#include "football/families.h"
#include "football/match.h"

#include "base/time.h"

#include <assert.h>
#include <math.h>

enum {
    REST_RING = 16,
    REST_DAYS_HIGH = 30,     /* a longer break (summer) counts as this */
    REST_SEASON_HIGH = 99,   /* no league plays as many rounds */
    REST_LONG_AGO = -1000000 /* a day before any match */
};

enum { SIDE_DAYS, SIDE_MATCHES_7, SIDE_MATCHES_14, SIDE_MATCHES_30, SIDE_SEASON_MATCHES, REST_SIDE };
enum {
    REST_DAYS_GAP = SIDE_COUNT * REST_SIDE,
    REST_CONGESTION_GAP_14,
    REST_CONGESTION_GAP_30,
    REST_MIDWEEK,
    REST_FEATURES
};

#define REST_TEAM(side, team)                                                                                \
    {"rest_" side "_days",                                                                                   \
     "days",                                                                                                 \
     0,                                                                                                      \
     REST_DAYS_HIGH,                                                                                         \
     FEATURE_BEFORE_START,                                                                                   \
     "Days since the " team "'s last match; 30 stands for 30 or more."},                                     \
        {"rest_" side "_matches_7",                                                                          \
         "matches",                                                                                          \
         0,                                                                                                  \
         REST_RING,                                                                                          \
         FEATURE_BEFORE_START,                                                                               \
         "Matches of the " team " in the 7 days before."},                                                   \
        {"rest_" side "_matches_14",                                                                         \
         "matches",                                                                                          \
         0,                                                                                                  \
         REST_RING,                                                                                          \
         FEATURE_BEFORE_START,                                                                               \
         "Matches of the " team " in the 14 days before."},                                                  \
        {"rest_" side "_matches_30",                                                                         \
         "matches",                                                                                          \
         0,                                                                                                  \
         REST_RING,                                                                                          \
         FEATURE_BEFORE_START,                                                                               \
         "Matches of the " team " in the 30 days before."},                                                  \
    {                                                                                                        \
        "rest_" side "_season_matches", "matches", 0, REST_SEASON_HIGH, FEATURE_BEFORE_START,                \
            "Matches of the " team " so far this season; 99 stands for 99 or more."                          \
    }

static const struct feature rest_features[REST_FEATURES] = {
    REST_TEAM("home", "home team"),
    REST_TEAM("away", "away team"),
    [REST_DAYS_GAP] = {"rest_days_gap", "days", -REST_DAYS_HIGH, REST_DAYS_HIGH, FEATURE_BEFORE_START,
                       "Rest days of the home team minus those of the away team."},
    [REST_CONGESTION_GAP_14] = {"rest_congestion_gap_14", "matches", -REST_RING, REST_RING,
                                FEATURE_BEFORE_START,
                                "Matches in 14 days of the home team minus those of the away team."},
    [REST_CONGESTION_GAP_30] = {"rest_congestion_gap_30", "matches", -REST_RING, REST_RING,
                                FEATURE_BEFORE_START,
                                "Matches in 30 days of the home team minus those of the away team."},
    [REST_MIDWEEK] = {"rest_midweek", "", 0, 1, FEATURE_BEFORE_START,
                      "1 when the match is on a Tuesday, Wednesday or Thursday (local date)."},
};

struct rest_team {
    int32_t day[REST_RING];
    uint32_t next; /* ring slot of the next match */
    int32_t last_day, season, season_matches;
};
struct rest_state {
    uint64_t team_count;
    struct rest_team team[];
};

static size_t rest_state_bytes(const struct stream_size *size)
{
    return sizeof(struct rest_state) + size->entities * sizeof(struct rest_team);
}

static void rest_init(void *memory, const struct stream_size *size)
{
    struct rest_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++) {
        struct rest_team *team = &state->team[i];
        team->last_day = REST_LONG_AGO;
        for (size_t k = 0; k < REST_RING; k++)
            team->day[k] = REST_LONG_AGO;
    }
}

static int count_since(const struct rest_team *team, int32_t day, int32_t span)
{
    int count = 0;
    for (size_t k = 0; k < REST_RING; k++)
        count += team->day[k] >= day - span;
    return count;
}

static void emit_side(const struct rest_team *team, const struct fixture *fixture, float *out)
{
    int32_t day = (int32_t)fixture->day, rest = day - team->last_day;
    out[SIDE_DAYS] = team->last_day == REST_LONG_AGO ? NAN
                     : rest < 0                      ? 0
                     : rest > REST_DAYS_HIGH         ? (float)REST_DAYS_HIGH
                                                     : (float)rest;
    out[SIDE_MATCHES_7] = (float)count_since(team, day, 7);
    out[SIDE_MATCHES_14] = (float)count_since(team, day, 14);
    out[SIDE_MATCHES_30] = (float)count_since(team, day, 30);
    out[SIDE_SEASON_MATCHES] = team->season == fixture->season ? (float)team->season_matches : 0;
}

static void rest_emit(const void *memory, const void *event, float *out)
{
    const struct rest_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    float *home = out, *away = out + REST_SIDE;
    emit_side(&state->team[fixture->home], fixture, home);
    emit_side(&state->team[fixture->away], fixture, away);
    out[REST_DAYS_GAP] = home[SIDE_DAYS] - away[SIDE_DAYS];
    out[REST_CONGESTION_GAP_14] = home[SIDE_MATCHES_14] - away[SIDE_MATCHES_14];
    out[REST_CONGESTION_GAP_30] = home[SIDE_MATCHES_30] - away[SIDE_MATCHES_30];
    int weekday = time_weekday(fixture->day);
    out[REST_MIDWEEK] = weekday >= 1 && weekday <= 3;
}

static void learn_side(struct rest_team *team, const struct fixture *fixture)
{
    int32_t day = (int32_t)fixture->day;
    team->day[team->next] = day;
    team->next = (team->next + 1) % REST_RING;
    if (day > team->last_day)
        team->last_day = day;
    if (team->season != fixture->season) {
        team->season = fixture->season;
        team->season_matches = 0;
    }
    if (team->season_matches < REST_SEASON_HIGH)
        team->season_matches++;
}

static void rest_apply(void *memory, const void *event, const void *result)
{
    (void)result; /* that the match was played is all there is to learn */
    struct rest_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    learn_side(&state->team[fixture->home], fixture);
    learn_side(&state->team[fixture->away], fixture);
}

const struct tracker tracker_rest = {
    .family = "rest",
    .doc = "Rest days, congestion and matches played of both teams.",
    .source = "dates of matches",
    .version = 1,
    .features = rest_features,
    .feature_count = REST_FEATURES,
    .state_bytes = rest_state_bytes,
    .init = rest_init,
    .emit = rest_emit,
    .apply = rest_apply,
};
