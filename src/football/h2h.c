/* Head-to-head family: the last ten meetings of the two teams, in whichever league and at either ground, seen
 * from the home team of this match.
 *
 * Every unordered pair of teams has its place in a triangle, pair (low, high) at high*(high-1)/2 + low. That is
 * as many places as there can be pairs, which a state of fixed size must hold anyway: a hash table would need
 * the same room, its keys, and empty slots besides. A pair is 28 bytes, a country of 161 teams 360 kB.
 *
 * A meeting is 16 bits: the goals of either team (7 bits each, typing errors above 99 count as that), who was at
 * home, and whether anyone was. Means are taken when asked for, since two teams may ask: ten small numbers. */
#include "football/families.h"
#include "football/match.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    H2H_MEETINGS = 10,
    H2H_GOALS_HIGH = 99,
    H2H_DAYS_HIGH = 3650,
    GOALS_BITS = 7,
    GOALS_MASK = (1 << GOALS_BITS) - 1,
    LOW_AT_HOME = 1 << 2 * GOALS_BITS, /* the team with the lower id */
    NEUTRAL_GROUND = LOW_AT_HOME << 1,
};

enum {
    H2H_MEETING_COUNT,
    H2H_WIN_SHARE,
    H2H_DRAW_SHARE,
    H2H_LOSS_SHARE,
    H2H_GOALS_FOR,
    H2H_GOALS_AGAINST,
    H2H_OVER_SHARE,
    H2H_LAST_SCORE,
    H2H_LAST_DAYS,
    H2H_VENUE_MEETINGS,
    H2H_VENUE_POINTS,
    H2H_VENUE_GOAL_DIFFERENCE,
    H2H_FEATURES
};

#define H2H_ROW(name, unit, low, high, doc)                                                                  \
    {                                                                                                        \
        "h2h_" name, unit, low, high, FEATURE_BEFORE_START, doc                                              \
    }
#define OF_TEN " of the last 10 meetings."

static const struct feature h2h_features[H2H_FEATURES] = {
    [H2H_MEETING_COUNT] = H2H_ROW("meetings", "matches", 0, H2H_MEETINGS,
                                  "Earlier meetings of the two teams; 10 stands for 10 or more."),
    [H2H_WIN_SHARE] = H2H_ROW("win_share", "share", 0, 1, "Share won by the home team" OF_TEN),
    [H2H_DRAW_SHARE] = H2H_ROW("draw_share", "share", 0, 1, "Share drawn" OF_TEN),
    [H2H_LOSS_SHARE] = H2H_ROW("loss_share", "share", 0, 1, "Share won by the away team" OF_TEN),
    [H2H_GOALS_FOR] = H2H_ROW("goals_for", "goals", 0, H2H_GOALS_HIGH,
                              "Goals per match of the home team in the last 10 meetings."),
    [H2H_GOALS_AGAINST] = H2H_ROW("goals_against", "goals", 0, H2H_GOALS_HIGH,
                                  "Goals per match of the away team in the last 10 meetings."),
    [H2H_OVER_SHARE] = H2H_ROW("over_share", "share", 0, 1, "Share with more than 2.5 goals" OF_TEN),
    [H2H_LAST_SCORE] =
        H2H_ROW("last_score", "score", 0, 1, "The last meeting: 1 won by the home team, 0.5 drawn, 0 lost."),
    [H2H_LAST_DAYS] = H2H_ROW("last_days", "days", 0, H2H_DAYS_HIGH,
                              "Days since the last meeting; 3650 stands for 3650 or more."),
    [H2H_VENUE_MEETINGS] = H2H_ROW("venue_meetings", "matches", 0, H2H_MEETINGS,
                                   "How many of the last 10 meetings were at the home team's ground."),
    [H2H_VENUE_POINTS] =
        H2H_ROW("venue_points", "points", 0, 3,
                "Points per match of the home team in those of the last 10 meetings at its ground."),
    [H2H_VENUE_GOAL_DIFFERENCE] =
        H2H_ROW("venue_goal_difference", "goals", -H2H_GOALS_HIGH, H2H_GOALS_HIGH,
                "Goal difference per match of the home team in those of the last 10 meetings at its ground."),
};

struct h2h_pair {
    uint16_t meeting[H2H_MEETINGS]; /* latest first */
    int32_t last_day;
    uint32_t count; /* of meeting[] in use */
};
struct h2h_state {
    uint64_t team_count;
    struct h2h_pair pair[];
};

static size_t h2h_state_bytes(const struct stream_size *size)
{
    size_t teams = size->entities;
    return sizeof(struct h2h_state) + (teams > 0 ? teams * (teams - 1) / 2 : 0) * sizeof(struct h2h_pair);
}

static void h2h_init(void *memory, const struct stream_size *size)
{
    struct h2h_state *state = memory;
    state->team_count = size->entities;
}

static size_t pair_index(const struct h2h_state *state, const struct fixture *fixture)
{
    size_t home = (size_t)fixture->home, away = (size_t)fixture->away;
    assert(home < state->team_count && away < state->team_count && home != away);
    return home < away ? away * (away - 1) / 2 + home : home * (home - 1) / 2 + away;
}

/* Sums over meetings from the side of this match's home team, as lanes of one word: each is wide enough for ten
 * meetings, so that adding words adds all lanes. The upper half holds the same of the meetings at its ground alone,
 * with their number in the place of OVER. */
enum { LANE_FOR = 0, LANE_AGAINST = 10, LANE_WON = 20, LANE_DRAWN = 24, LANE_OVER = 28, LANE_VENUE = 32 };
enum { LANE_GOALS_MASK = (1 << 10) - 1, LANE_COUNT_MASK = (1 << 4) - 1 };
_Static_assert(H2H_MEETINGS *(int)H2H_GOALS_HIGH <= (int)LANE_GOALS_MASK &&
                   (int)H2H_MEETINGS <= (int)LANE_COUNT_MASK,
               "sums stay within their lanes");

static inline uint64_t meeting_word(unsigned meeting, bool home_is_low)
{
    unsigned own_bits = home_is_low ? 0 : GOALS_BITS, venue = home_is_low; /* of the bits above the goals */
    unsigned own = meeting >> own_bits & GOALS_MASK, other = meeting >> (GOALS_BITS - own_bits) & GOALS_MASK;
    unsigned won = (other - own) >> 31, drawn = own == other,
             over = own + other > 2; /* no branches: a coin's */
    uint64_t lanes = own | other << LANE_AGAINST | won << LANE_WON | drawn << LANE_DRAWN;
    uint64_t is_at_ground = meeting >> 2 * GOALS_BITS == venue;
    return (lanes | (uint64_t)over << LANE_OVER) + (-is_at_ground & (lanes | 1U << LANE_OVER) << LANE_VENUE);
}

static inline int goals_in(uint64_t word, unsigned lane)
{
    return (int)(word >> lane & LANE_GOALS_MASK);
}

static inline int count_in(uint64_t word, unsigned lane)
{
    return (int)(word >> lane & LANE_COUNT_MASK);
}

static void emit_last(const struct h2h_pair *pair, const struct fixture *fixture, uint64_t last, float *out)
{
    int64_t days = fixture->day - pair->last_day;
    out[H2H_LAST_SCORE] = count_in(last, LANE_WON) ? 1 : count_in(last, LANE_DRAWN) ? 0.5F : 0;
    out[H2H_LAST_DAYS] = (float)(int)(days < 0 ? 0 : days > H2H_DAYS_HIGH ? H2H_DAYS_HIGH : days);
}

static void h2h_emit(const void *memory, const void *event, float *out)
{
    const struct h2h_state *state = memory;
    const struct fixture *fixture = event;
    const struct h2h_pair *pair = &state->pair[pair_index(state, fixture)];
    bool home_is_low = fixture->home < fixture->away;
    uint64_t sums = 0;
    for (size_t i = 0; i < pair->count; i++)
        sums += meeting_word(pair->meeting[i], home_is_low);
    int won = count_in(sums, LANE_WON), drawn = count_in(sums, LANE_DRAWN);
    uint64_t at_ground = sums >> LANE_VENUE;
    float count = (float)(int)pair->count, venue = (float)count_in(at_ground, LANE_OVER); /* 0/0: "missing" */
    out[H2H_MEETING_COUNT] = count;
    out[H2H_WIN_SHARE] = (float)won / count;
    out[H2H_DRAW_SHARE] = (float)drawn / count;
    out[H2H_LOSS_SHARE] = (float)((int)pair->count - won - drawn) / count;
    out[H2H_GOALS_FOR] = (float)goals_in(sums, LANE_FOR) / count;
    out[H2H_GOALS_AGAINST] = (float)goals_in(sums, LANE_AGAINST) / count;
    out[H2H_OVER_SHARE] = (float)count_in(sums, LANE_OVER) / count;
    out[H2H_VENUE_MEETINGS] = venue;
    out[H2H_VENUE_POINTS] =
        (float)(3 * count_in(at_ground, LANE_WON) + count_in(at_ground, LANE_DRAWN)) / venue;
    out[H2H_VENUE_GOAL_DIFFERENCE] =
        (float)(goals_in(at_ground, LANE_FOR) - goals_in(at_ground, LANE_AGAINST)) / venue;
    out[H2H_LAST_SCORE] = out[H2H_LAST_DAYS] = NAN;
    if (pair->count > 0)
        emit_last(pair, fixture, meeting_word(pair->meeting[0], home_is_low), out);
}

static unsigned goals_bits(int goals)
{
    return (unsigned)(goals < 0 ? 0 : goals > H2H_GOALS_HIGH ? H2H_GOALS_HIGH : goals);
}

static void h2h_apply(void *memory, const void *event, const void *result)
{
    struct h2h_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    struct h2h_pair *pair = &state->pair[pair_index(state, fixture)];
    int low_side = fixture->home < fixture->away ? SIDE_HOME : SIDE_AWAY;
    unsigned meeting = goals_bits(outcome->goals[low_side]) | goals_bits(outcome->goals[!low_side])
                                                                  << GOALS_BITS;
    if (low_side == SIDE_HOME)
        meeting |= LOW_AT_HOME;
    if (fixture->is_neutral)
        meeting |= NEUTRAL_GROUND;
    memmove(pair->meeting + 1, pair->meeting, sizeof(pair->meeting) - sizeof(pair->meeting[0]));
    pair->meeting[0] = (uint16_t)meeting;
    pair->last_day = (int32_t)fixture->day;
    if (pair->count < H2H_MEETINGS)
        pair->count++;
}

const struct tracker tracker_h2h = {
    .family = "h2h",
    .doc = "The last ten meetings of the two teams, from the home team's side.",
    .source = "results",
    .version = 1,
    .features = h2h_features,
    .feature_count = H2H_FEATURES,
    .state_bytes = h2h_state_bytes,
    .init = h2h_init,
    .emit = h2h_emit,
    .apply = h2h_apply,
};
