/* Congestion family: how much football a team has in its legs. Beyond the counts of rest.c a match weighs the more the
 * fresher it is: 2^(-days/7) for the legs of this week, 2^(-days/28) for those of the month. Short rests, of at most three
 * days, wear most, so they are counted by themselves. As in rest.c only matches of the stored leagues are seen.
 *
 * State per team: the two loads as they stood at its last match (a load fades by a factor, so one number says all), and
 * the days of its latest short rests in a ring. The factors stand in a table, as powers would be the dearest part. */
#include "football/families.h"
#include "football/match.h"

#include <assert.h>
#include <math.h>

#define WEEK  7.0
#define MONTH 28.0
enum {
    LOAD_HIGH = 16, /* a match every day for ever is 10.6 and 40.9; more is an error of the source */
    LOAD_MONTH_HIGH = 48,
    SHORT_REST_DAYS = 3,
    SHORT_SPAN_DAYS = 30,
    SHORT_RING = 16,
    FADE_DAYS = 32,     /* nearly all breaks but summer */
    LONG_AGO = -1000000 /* a day before any match */
};

enum { SIDE_LOAD_7, SIDE_LOAD_28, SIDE_SHORT_RESTS, CONGESTION_SIDE };
enum {
    CONGESTION_GAP_7 = SIDE_COUNT * CONGESTION_SIDE,
    CONGESTION_GAP_28,
    CONGESTION_SHORT_GAP,
    CONGESTION_FEATURES
};

#define CONGESTION_ROW(name, unit, low, high, doc)                                                           \
    {                                                                                                        \
        "congestion_" name, unit, low, high, FEATURE_BEFORE_START, doc                                       \
    }
#define CONGESTION_TEAM(side, team)                                                                          \
    CONGESTION_ROW(side "_load_7", "matches", 0, LOAD_HIGH,                                                  \
                   "Matches of the " team " so far, each weighing 2^(-days since / 7)."),                    \
        CONGESTION_ROW(side "_load_28", "matches", 0, LOAD_MONTH_HIGH,                                       \
                       "Matches of the " team " so far, each weighing 2^(-days since / 28)."),               \
        CONGESTION_ROW(side "_short_rests", "matches", 0, SHORT_RING + 1,                                    \
                       "Matches of the " team                                                                \
                       " in the 30 days before, and this one, that came at most 3 days "                     \
                       "after its match before.")

static const struct feature congestion_features[CONGESTION_FEATURES] = {
    CONGESTION_TEAM("home", "home team"),
    CONGESTION_TEAM("away", "away team"),
    [CONGESTION_GAP_7] = CONGESTION_ROW("load_gap_7", "matches", -LOAD_HIGH, LOAD_HIGH,
                                        "congestion_home_load_7 minus congestion_away_load_7."),
    [CONGESTION_GAP_28] = CONGESTION_ROW("load_gap_28", "matches", -LOAD_MONTH_HIGH, LOAD_MONTH_HIGH,
                                         "congestion_home_load_28 minus congestion_away_load_28."),
    [CONGESTION_SHORT_GAP] = CONGESTION_ROW("short_rests_gap", "matches", -SHORT_RING - 1, SHORT_RING + 1,
                                            "congestion_home_short_rests minus congestion_away_short_rests."),
};

struct congestion_team {
    double load_week, load_month; /* right after its last match */
    int32_t last_day;
    uint32_t next; /* ring slot of the next short rest */
    int32_t short_day[SHORT_RING];
};
struct congestion_state {
    uint64_t team_count;
    double fade_week[FADE_DAYS], fade_month[FADE_DAYS]; /* by days */
    struct congestion_team team[];
};

static size_t congestion_state_bytes(const struct stream_size *size)
{
    return sizeof(struct congestion_state) + size->entities * sizeof(struct congestion_team);
}

static void congestion_init(void *memory, const struct stream_size *size)
{
    struct congestion_state *state = memory;
    state->team_count = size->entities;
    for (int days = 0; days < FADE_DAYS; days++) {
        state->fade_week[days] = exp2(-days / WEEK);
        state->fade_month[days] = exp2(-days / MONTH);
    }
    for (size_t i = 0; i < size->entities; i++) {
        state->team[i].last_day = LONG_AGO;
        for (size_t k = 0; k < SHORT_RING; k++)
            state->team[i].short_day[k] = LONG_AGO;
    }
}

/* Days since the last match, not below 0. */
static int32_t days_since(const struct congestion_team *team, int64_t day)
{
    int32_t days = (int32_t)day - team->last_day;
    return days > 0 ? days : 0;
}

/* What is left of the loads after so many days. */
static double week_fade(const struct congestion_state *state, int32_t days)
{
    return days < FADE_DAYS ? state->fade_week[days] : exp2(-days / WEEK);
}

static double month_fade(const struct congestion_state *state, int32_t days)
{
    return days < FADE_DAYS ? state->fade_month[days] : exp2(-days / MONTH);
}

static float cut(double load, double high)
{
    return (float)(load < high ? load : high);
}

static void emit_side(const struct congestion_state *state, int32_t index, const struct fixture *fixture,
                      float *out)
{
    const struct congestion_team *team = &state->team[index];
    int32_t day = (int32_t)fixture->day, days = days_since(team, day), shorts = 0;
    for (size_t k = 0; k < SHORT_RING; k++)
        shorts += team->short_day[k] >= day - SHORT_SPAN_DAYS;
    out[SIDE_LOAD_7] = cut(team->load_week * week_fade(state, days), LOAD_HIGH);
    out[SIDE_LOAD_28] = cut(team->load_month * month_fade(state, days), LOAD_MONTH_HIGH);
    out[SIDE_SHORT_RESTS] = (float)(shorts + (days <= SHORT_REST_DAYS));
}

static void congestion_emit(const void *memory, const void *event, float *out)
{
    const struct congestion_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    float *home = out, *away = out + CONGESTION_SIDE;
    emit_side(state, fixture->home, fixture, home);
    emit_side(state, fixture->away, fixture, away);
    out[CONGESTION_GAP_7] = home[SIDE_LOAD_7] - away[SIDE_LOAD_7];
    out[CONGESTION_GAP_28] = home[SIDE_LOAD_28] - away[SIDE_LOAD_28];
    out[CONGESTION_SHORT_GAP] = home[SIDE_SHORT_RESTS] - away[SIDE_SHORT_RESTS];
}

static void learn_side(struct congestion_state *state, int32_t index, const struct fixture *fixture)
{
    struct congestion_team *team = &state->team[index];
    int32_t days = days_since(team, fixture->day);
    if (days <= SHORT_REST_DAYS) {
        team->short_day[team->next] = (int32_t)fixture->day;
        team->next = (team->next + 1) % SHORT_RING;
    }
    team->load_week = team->load_week * week_fade(state, days) + 1;
    team->load_month = team->load_month * month_fade(state, days) + 1;
    if (fixture->day > team->last_day)
        team->last_day = (int32_t)fixture->day;
}

static void congestion_apply(void *memory, const void *event, const void *result)
{
    (void)result; /* that the match was played is all there is to learn */
    struct congestion_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    learn_side(state, fixture->home, fixture);
    learn_side(state, fixture->away, fixture);
}

const struct tracker tracker_congestion = {
    .family = "congestion",
    .doc = "Load of recent matches, fading by the day, and short rests of both teams.",
    .source = "dates of matches",
    .version = 1,
    .features = congestion_features,
    .feature_count = CONGESTION_FEATURES,
    .state_bytes = congestion_state_bytes,
    .init = congestion_init,
    .emit = congestion_emit,
    .apply = congestion_apply,
};
