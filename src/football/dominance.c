/* Dominance family: what the big three of a league take from the others, and how the two teams do against them (Ajax, PSV
 * and Feyenoord are the textbook case). style.c asks how far the three best are ahead by rating; here are points.
 *
 * The big ones are the teams with at least as many points as the third best, over the league's season on record and the
 * two before; nobody is before six teams have played in those. Whether a side of a match was big is as of before the
 * match. Points of the three seasons are kept per league and team, and per league sorted (ranking.h): a match moves two of them. */
#include "football/families.h"
#include "football/match.h"
#include "football/ranking.h"

#include <assert.h>
#include <math.h>

enum {
    DOMINANCE_SEASONS = 3,
    DOMINANCE_TOP = 3,
    DOMINANCE_TEAMS_LEAST = 6,
    DOMINANCE_LAST = 10,
    POINTS_HIGH = 3
};

enum { SIDE_BIG, SIDE_POINTS_VS_BIG, DOMINANCE_SIDE };
enum { DOMINANCE_SHARE = SIDE_COUNT * DOMINANCE_SIDE, DOMINANCE_BIG_POINTS, DOMINANCE_FEATURES };

#define DOMINANCE_ROW(name, unit, low, high, doc)                                                            \
    {                                                                                                        \
        "dominance_" name, unit, low, high, FEATURE_BEFORE_START, doc                                        \
    }
#define THREE_SEASONS "over the league's present season and the two before"
#define DOMINANCE_TEAM(side, team)                                                                           \
    DOMINANCE_ROW(side "_big", "", 0, 1,                                                                     \
                  "1 when the " team " has at least as many points as the third best, " THREE_SEASONS "."),  \
        DOMINANCE_ROW(side "_points_vs_big", "points", 0, POINTS_HIGH,                                       \
                      "Points per match of the " team                                                        \
                      " in its last 10 matches against teams that were big then.")

static const struct feature dominance_features[DOMINANCE_FEATURES] = {
    DOMINANCE_TEAM("home", "home team"),
    DOMINANCE_TEAM("away", "away team"),
    [DOMINANCE_SHARE] = DOMINANCE_ROW("points_share", "share", 0, 1,
                                      "Share of all points that the big teams won, " THREE_SEASONS "."),
    [DOMINANCE_BIG_POINTS] =
        DOMINANCE_ROW("big_points", "points", 0, POINTS_HIGH,
                      "Points per match of the big teams against the others, " THREE_SEASONS "."),
};

struct dominance_team {
    uint8_t points[DOMINANCE_LAST]; /* a ring: of matches against big teams */
    uint8_t next, count, sum;
};
struct dominance_league {
    int32_t big_points[DOMINANCE_SEASONS],
        big_matches[DOMINANCE_SEASONS]; /* big against others; [0]: this season */
    int32_t season, has_season;
    int32_t threshold;  /* points of the third best; -1: nobody is big yet */
    int32_t count, all; /* teams that played, in the sorted list; their points */
    float share;
};
/* Points of a team in a league. */
struct dominance_record {
    int32_t points[DOMINANCE_SEASONS], played[DOMINANCE_SEASONS];
};
/* Leagues; records, league after league; sorted points, league after league; teams. */
struct dominance_state {
    uint64_t team_count, league_count;
    struct dominance_league league[];
};

static struct dominance_record *records_of(const struct dominance_state *state, int league)
{
    assert((uint64_t)league < state->league_count);
    return (struct dominance_record *)(state->league + state->league_count) +
           (size_t)league * state->team_count;
}

/* The points of the league's teams over the three seasons, greatest first. */
static int32_t *ranking_of(const struct dominance_state *state, int league)
{
    struct dominance_record *records = records_of(state, 0);
    return (int32_t *)(records + state->league_count * state->team_count) +
           (size_t)league * ranking_room(state->team_count);
}

static struct dominance_team *teams_of(const struct dominance_state *state)
{
    return (struct dominance_team *)(ranking_of(state, 0) +
                                     state->league_count * ranking_room(state->team_count));
}

static size_t dominance_state_bytes(const struct stream_size *size)
{
    return sizeof(struct dominance_state) + size->groups * sizeof(struct dominance_league) +
           size->groups * size->entities * sizeof(struct dominance_record) +
           size->groups * ranking_room(size->entities) * sizeof(int32_t) +
           size->entities * sizeof(struct dominance_team);
}

static void dominance_init(void *memory, const struct stream_size *size)
{
    struct dominance_state *state = memory;
    state->team_count = size->entities;
    state->league_count = size->groups;
    for (size_t i = 0; i < size->groups; i++) {
        state->league[i].threshold = -1;
        state->league[i].share = NAN;
    }
}

static int32_t sum_of(const int32_t values[DOMINANCE_SEASONS])
{
    return values[0] + values[1] + values[2];
}

static bool is_big(const struct dominance_state *state, int league, int32_t team)
{
    int32_t threshold = state->league[league].threshold;
    return threshold >= 0 && sum_of(records_of(state, league)[team].points) >= threshold;
}

static void emit_side(const struct dominance_state *state, int league, int32_t index, float *out)
{
    const struct dominance_team *team = &teams_of(state)[index];
    out[SIDE_BIG] = state->league[league].threshold < 0 ? NAN : (float)is_big(state, league, index);
    out[SIDE_POINTS_VS_BIG] = (float)team->sum / (float)team->count; /* 0/0 says "missing" */
}

static void dominance_emit(const void *memory, const void *event, float *out)
{
    const struct dominance_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    assert((uint64_t)fixture->league < state->league_count);
    const struct dominance_league *league = &state->league[fixture->league];
    emit_side(state, fixture->league, fixture->home, out);
    emit_side(state, fixture->league, fixture->away, out + DOMINANCE_SIDE);
    out[DOMINANCE_SHARE] = league->share;
    out[DOMINANCE_BIG_POINTS] = (float)sum_of(league->big_points) / (float)sum_of(league->big_matches);
}

/* ---- learning ---- */

static void shift(int32_t values[DOMINANCE_SEASONS])
{
    values[2] = values[1];
    values[1] = values[0];
    values[0] = 0;
}

/* The third best, and what all that reach it have won. */
static void find_big(struct dominance_state *state, int index)
{
    struct dominance_league *league = &state->league[index];
    const int32_t *ranking = ranking_of(state, index);
    int32_t big = 0;
    league->threshold = -1;
    league->share = NAN;
    if (league->count < DOMINANCE_TEAMS_LEAST)
        return;
    league->threshold = ranking[DOMINANCE_TOP - 1];
    for (int32_t i = 0; i < league->count && ranking[i] >= league->threshold; i++)
        big += ranking[i];
    league->share = (float)big / (float)league->all;
}

static void begin_season(struct dominance_state *state, int index, int season)
{
    struct dominance_league *league = &state->league[index];
    struct dominance_record *records = records_of(state, index);
    ranking_clear(ranking_of(state, index), (size_t)league->count);
    league->count = league->all = 0;
    for (size_t i = 0; i < state->team_count; i++) {
        shift(records[i].points);
        shift(records[i].played);
        if (sum_of(records[i].played) == 0)
            continue;
        ranking_insert(ranking_of(state, index), (size_t)league->count++, sum_of(records[i].points));
        league->all += sum_of(records[i].points);
    }
    shift(league->big_points);
    shift(league->big_matches);
    league->season = season;
    league->has_season = 1;
    find_big(state, index);
}

/* One more match of a team. */
static void learn_points(struct dominance_state *state, int index, int32_t team, int points)
{
    struct dominance_league *league = &state->league[index];
    struct dominance_record *record = &records_of(state, index)[team];
    int32_t *ranking = ranking_of(state, index);
    bool is_known = sum_of(record->played) > 0;
    int32_t before = sum_of(record->points);
    record->points[0] += points;
    record->played[0]++;
    if (!is_known)
        ranking_insert(ranking, (size_t)league->count++, before + points);
    else if (points > 0) /* who loses stays where it is */
        ranking_replace(ranking, (size_t)league->count, before, before + points);
    league->all += points;
}

static void learn_against_big(struct dominance_team *team, int points)
{
    team->sum = (uint8_t)(team->sum + points - team->points[team->next]); /* 0 before there are ten */
    team->points[team->next] = (uint8_t)points;
    team->next = (uint8_t)((team->next + 1) % DOMINANCE_LAST);
    team->count += team->count < DOMINANCE_LAST;
}

static void dominance_apply(void *memory, const void *event, const void *result)
{
    struct dominance_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    const int32_t team[SIDE_COUNT] = {fixture->home, fixture->away};
    assert((uint64_t)fixture->league < state->league_count);
    struct dominance_league *league = &state->league[fixture->league];
    if (!league->has_season || fixture->season > league->season)
        begin_season(state, fixture->league, fixture->season);
    const bool big[SIDE_COUNT] = {is_big(state, fixture->league, team[SIDE_HOME]),
                                  is_big(state, fixture->league, team[SIDE_AWAY])};
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        int points = match_points(outcome->goals[side], outcome->goals[!side]);
        if (big[!side])
            learn_against_big(&teams_of(state)[team[side]], points);
        if (big[side] && !big[!side]) {
            league->big_points[0] += points;
            league->big_matches[0]++;
        }
        learn_points(state, fixture->league, team[side], points);
    }
    find_big(state, fixture->league);
}

const struct tracker tracker_dominance = {
    .family = "dominance",
    .doc = "The big three of the league by points: what they take from the others, and how both teams do "
           "against "
           "them.",
    .source = "results",
    .version = 1,
    .features = dominance_features,
    .feature_count = DOMINANCE_FEATURES,
    .state_bytes = dominance_state_bytes,
    .init = dominance_init,
    .emit = dominance_emit,
    .apply = dominance_apply,
};
