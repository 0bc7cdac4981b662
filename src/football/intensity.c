/* Intensity family: how hard the two teams' matches are, whoever is the referee. Hardness of a side in a match is its fouls
 * plus its cards. A strict referee raises that of both sides, so a team's share of the match's hardness says what it does
 * itself; that of the whole match says what becomes of it. style.c sets a team's own against the league; here are the
 * share, the whole match, and whether it is getting harder.
 *
 * Windows run over the last matches with fouls and cards of both sides. What is usual is the mean of the league over its
 * season on record and the one before, as in style.c. */
#include "football/families.h"
#include "football/match.h"

#include <assert.h>
#include <math.h>

enum { INTENSITY_LAST = 10, INTENSITY_RECENT = 3, SIDE_HIGH = 99 };
#define MATCH_HIGH    (2.0 * SIDE_HIGH)
#define RELATIVE_HIGH 9.0 /* times what is usual: more counts as this */

enum { SIDE_SHARE, SIDE_MATCH, SIDE_TREND, INTENSITY_SIDE };
enum { INTENSITY_SHARE_GAP = SIDE_COUNT * INTENSITY_SIDE, INTENSITY_EXPECTED, INTENSITY_FEATURES };

#define INTENSITY_ROW(name, unit, low, high, doc)                                                            \
    {                                                                                                        \
        "intensity_" name, unit, low, high, FEATURE_BEFORE_START, doc                                        \
    }
#define INTENSITY_TEAM(side, team)                                                                           \
    INTENSITY_ROW(side "_share_10", "share", 0, 1,                                                           \
                  "Share of the " team                                                                       \
                  " in the fouls and cards of both sides, its last 10 matches with them."),                  \
        INTENSITY_ROW(side "_match_10", "", 0, RELATIVE_HIGH,                                                \
                      "Fouls plus cards of both sides in the last 10 matches of the " team                   \
                      ", 1 is usual in the league."),                                                        \
        INTENSITY_ROW(side "_trend", "fouls", -MATCH_HIGH, MATCH_HIGH,                                       \
                      "Fouls plus cards of both sides per match in the last 3 matches of the " team          \
                      " minus that of its last 10.")

static const struct feature intensity_features[INTENSITY_FEATURES] = {
    INTENSITY_TEAM("home", "home team"),
    INTENSITY_TEAM("away", "away team"),
    [INTENSITY_SHARE_GAP] =
        INTENSITY_ROW("share_gap", "share", -1, 1, "intensity_home_share_10 minus intensity_away_share_10."),
    [INTENSITY_EXPECTED] =
        INTENSITY_ROW("expected", "fouls", 0, MATCH_HIGH,
                      "Fouls plus cards to expect: what is usual in the league times intensity_home_match_10 "
                      "times intensity_away_match_10."),
};

struct intensity_team {
    uint8_t own[INTENSITY_LAST], both[INTENSITY_LAST]; /* rings */
    uint8_t next, count;
};
struct intensity_league {
    int64_t sum[2], matches[2]; /* of the season on record, of the one before */
    int32_t season, has_season;
};
/* Leagues, then teams. */
struct intensity_state {
    uint64_t team_count, league_count;
    struct intensity_league league[];
};

static struct intensity_team *teams_of(const struct intensity_state *state)
{
    return (struct intensity_team *)(state->league + state->league_count);
}

static size_t intensity_state_bytes(const struct stream_size *size)
{
    return sizeof(struct intensity_state) + size->groups * sizeof(struct intensity_league) +
           size->entities * sizeof(struct intensity_team);
}

static void intensity_init(void *memory, const struct stream_size *size)
{
    struct intensity_state *state = memory;
    state->team_count = size->entities;
    state->league_count = size->groups;
}

static void intensity_check(const struct intensity_state *state, const struct fixture *fixture)
{
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    assert((uint64_t)fixture->league < state->league_count);
}

/* Of both sides over the latest matches, of which there are `count`. */
static int recent_sum(const struct intensity_team *team, int count)
{
    int sum = 0;
    for (int i = 1; i <= count; i++)
        sum += team->both[(team->next + INTENSITY_LAST - i) % INTENSITY_LAST];
    return sum;
}

static void emit_side(const struct intensity_team *team, double usual, float *out)
{
    int own = 0, both = 0, recent = team->count < INTENSITY_RECENT ? team->count : INTENSITY_RECENT;
    for (size_t i = 0; i < INTENSITY_LAST; i++) { /* 0 before there are ten */
        own += team->own[i];
        both += team->both[i];
    }
    double mean = (double)both / team->count, relative = mean / usual; /* 0/0 says "missing" */
    out[SIDE_SHARE] = (float)own / (float)both;
    out[SIDE_MATCH] = !(usual > 0) ? NAN : relative > RELATIVE_HIGH ? (float)RELATIVE_HIGH : (float)relative;
    out[SIDE_TREND] = (float)((double)recent_sum(team, recent) / recent - mean);
}

static void intensity_emit(const void *memory, const void *event, float *out)
{
    const struct intensity_state *state = memory;
    const struct fixture *fixture = event;
    intensity_check(state, fixture);
    const struct intensity_league *league = &state->league[fixture->league];
    double usual =
        (double)(league->sum[0] + league->sum[1]) / (double)(league->matches[0] + league->matches[1]);
    float *home = out, *away = out + INTENSITY_SIDE;
    emit_side(&teams_of(state)[fixture->home], usual, home);
    emit_side(&teams_of(state)[fixture->away], usual, away);
    double expected = usual * (double)home[SIDE_MATCH] * (double)away[SIDE_MATCH];
    out[INTENSITY_SHARE_GAP] = home[SIDE_SHARE] - away[SIDE_SHARE];
    out[INTENSITY_EXPECTED] = (float)(expected > MATCH_HIGH ? MATCH_HIGH : expected);
}

/* -1 when the source has none. */
static int hardness_of(const struct outcome *outcome, size_t side)
{
    const int16_t(*stats)[SIDE_COUNT] = outcome->stats;
    if (stats[STAT_FOULS][side] < 0 || stats[STAT_YELLOWS][side] < 0 || stats[STAT_REDS][side] < 0)
        return -1;
    int sum = stats[STAT_FOULS][side] + stats[STAT_YELLOWS][side] + stats[STAT_REDS][side];
    return sum < SIDE_HIGH ? sum : SIDE_HIGH;
}

static void learn_team(struct intensity_team *team, int own, int both)
{
    team->own[team->next] = (uint8_t)own;
    team->both[team->next] = (uint8_t)both;
    team->next = (uint8_t)((team->next + 1) % INTENSITY_LAST);
    team->count += team->count < INTENSITY_LAST;
}

static void learn_league(struct intensity_league *league, int season, int both)
{
    if (!league->has_season || season > league->season) {
        league->sum[1] = league->sum[0];
        league->matches[1] = league->matches[0];
        league->sum[0] = league->matches[0] = 0;
        league->season = season;
        league->has_season = 1;
    }
    league->sum[0] += both;
    league->matches[0]++;
}

static void intensity_apply(void *memory, const void *event, const void *result)
{
    struct intensity_state *state = memory;
    const struct fixture *fixture = event;
    intensity_check(state, fixture);
    int home = hardness_of(result, SIDE_HOME), away = hardness_of(result, SIDE_AWAY);
    if (home < 0 || away < 0)
        return;
    learn_team(&teams_of(state)[fixture->home], home, home + away);
    learn_team(&teams_of(state)[fixture->away], away, home + away);
    learn_league(&state->league[fixture->league], fixture->season, home + away);
}

const struct tracker tracker_intensity = {
    .family = "intensity",
    .doc = "Fouls and cards of both teams' matches, their own share of them, and where it is going.",
    .source = "fouls, cards",
    .version = 1,
    .features = intensity_features,
    .feature_count = INTENSITY_FEATURES,
    .state_bytes = intensity_state_bytes,
    .init = intensity_init,
    .emit = intensity_emit,
    .apply = intensity_apply,
};
