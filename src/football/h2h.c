/* Head-to-head family: the last ten meetings of the two teams, in whichever league and at either ground, seen
 * from the home team of this match.
 *
 * Every unordered pair of teams has its place in a triangle, pair (low, high) at high*(high-1)/2 + low. That is
 * as many places as there can be pairs, which a state of fixed size must hold anyway: a hash table would need
 * the same room, its keys, and empty slots besides. A pair is 40 bytes, a country of 161 teams 515 kB.
 *
 * A meeting is 16 bits: the goals of either team (7 bits each, typing errors above 99 count as that), and whose
 * ground it was, if anyone's. A new one takes the place of the oldest, and sums over the ten are kept up to date. */
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
    GROUND_BIT = 2 * GOALS_BITS, /* of the team with the lower id; the other's follows */
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

/* The two teams of a pair: the one with the lower id and the other. */
enum { LOW, HIGH, PAIR_TEAMS };

struct h2h_pair {
    uint16_t meeting[H2H_MEETINGS]; /* a ring; 0 says nothing: no goals on neutral ground */
    uint32_t count;                 /* of all meetings */
    int32_t last_day;
    /* over meeting[], as lanes of words: see add_meeting */
    uint32_t sums, sums_at[PAIR_TEAMS];
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

/* Sums over meetings are lanes of one word: each is wide enough for ten meetings, so that adding words adds all lanes.
 * Goals and wins of LOW and, behind them, of HIGH; meetings with more than 2.5 goals, or at one's ground all of them. */
enum { LANE_WON = 20, LANE_COUNT = 28 };
enum { GOALS_WIDTH = 10, COUNT_WIDTH = 4 };
_Static_assert(H2H_MEETINGS *(int)H2H_GOALS_HIGH < 1 << GOALS_WIDTH && (int)H2H_MEETINGS < 1 << COUNT_WIDTH,
               "sums stay within their lanes");

/* Goals of a team (LOW or HIGH) in a meeting, and in sums. */
static inline int goals_of(unsigned meeting, unsigned team)
{
    return (int)(meeting >> team * GOALS_BITS & GOALS_MASK);
}

static inline int goals_in(uint32_t sums, unsigned team)
{
    return (int)(sums >> team * GOALS_WIDTH & ((1U << GOALS_WIDTH) - 1));
}

static inline int count_in(uint32_t sums, unsigned lane)
{
    return (int)(sums >> lane & ((1U << COUNT_WIDTH) - 1));
}

static inline int won_in(uint32_t sums, unsigned team)
{
    return count_in(sums, LANE_WON + team * COUNT_WIDTH);
}

/* Adds a meeting to the sums, or takes it away (sign -1). No branches: they would be a coin's. */
static void add_meeting(struct h2h_pair *pair, unsigned meeting, uint32_t sign)
{
    uint32_t low = (uint32_t)goals_of(meeting, LOW), high = (uint32_t)goals_of(meeting, HIGH);
    uint32_t lanes = low | high << GOALS_WIDTH | (uint32_t)(low > high) << LANE_WON |
                     (uint32_t)(low < high) << (LANE_WON + COUNT_WIDTH);
    pair->sums += sign * (lanes | (uint32_t)(low + high > 2) << LANE_COUNT);
    for (unsigned team = LOW; team < PAIR_TEAMS; team++)
        pair->sums_at[team] += sign * (meeting >> (GROUND_BIT + team) & 1) * (lanes | 1U << LANE_COUNT);
}

static void emit_last(const struct h2h_pair *pair, const struct fixture *fixture, unsigned own, float *out)
{
    unsigned last = pair->meeting[(pair->count - 1) % H2H_MEETINGS];
    int goals = goals_of(last, own), against = goals_of(last, !own);
    int64_t days = fixture->day - pair->last_day;
    out[H2H_LAST_SCORE] = (float)(1 + (goals > against) - (goals < against)) / 2;
    out[H2H_LAST_DAYS] = (float)(int)(days < 0 ? 0 : days > H2H_DAYS_HIGH ? H2H_DAYS_HIGH : days);
}

static void h2h_emit(const void *memory, const void *event, float *out)
{
    const struct h2h_state *state = memory;
    const struct fixture *fixture = event;
    const struct h2h_pair *pair = &state->pair[pair_index(state, fixture)];
    unsigned own = fixture->home < fixture->away ? LOW : HIGH, other = !own;
    uint32_t all = pair->sums, at_ground = pair->sums_at[own];
    int meetings = (int)(pair->count < H2H_MEETINGS ? pair->count : H2H_MEETINGS);
    int won = won_in(all, own), lost = won_in(all, other), venue_won = won_in(at_ground, own);
    int venue_meetings = count_in(at_ground, LANE_COUNT);
    int venue_drawn = venue_meetings - venue_won - won_in(at_ground, other);
    float count = (float)meetings, venue = (float)venue_meetings; /* 0/0: "missing" */
    out[H2H_MEETING_COUNT] = count;
    out[H2H_WIN_SHARE] = (float)won / count;
    out[H2H_DRAW_SHARE] = (float)(meetings - won - lost) / count;
    out[H2H_LOSS_SHARE] = (float)lost / count;
    out[H2H_GOALS_FOR] = (float)goals_in(all, own) / count;
    out[H2H_GOALS_AGAINST] = (float)goals_in(all, other) / count;
    out[H2H_OVER_SHARE] = (float)count_in(all, LANE_COUNT) / count;
    out[H2H_VENUE_MEETINGS] = venue;
    out[H2H_VENUE_POINTS] = (float)(3 * venue_won + venue_drawn) / venue;
    out[H2H_VENUE_GOAL_DIFFERENCE] = (float)(goals_in(at_ground, own) - goals_in(at_ground, other)) / venue;
    out[H2H_LAST_SCORE] = out[H2H_LAST_DAYS] = NAN;
    if (pair->count > 0)
        emit_last(pair, fixture, own, out);
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
    unsigned low_side = fixture->home < fixture->away ? SIDE_HOME : SIDE_AWAY;
    unsigned meeting = goals_bits(outcome->goals[low_side]) | goals_bits(outcome->goals[!low_side])
                                                                  << GOALS_BITS;
    if (!fixture->is_neutral)
        meeting |= 1U << (GROUND_BIT + low_side); /* LOW's ground if it is the home side */
    uint16_t *slot = &pair->meeting[pair->count++ % H2H_MEETINGS];
    add_meeting(pair, *slot, (uint32_t)-1);
    add_meeting(pair, meeting, 1);
    *slot = (uint16_t)meeting;
    pair->last_day = (int32_t)fixture->day;
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
