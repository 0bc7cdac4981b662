/* Tactical family: what a team makes of its matches, as ratios of sums of match statistics over its last 5 and 10
 * matches and over the season: the share of the shots, how many are on target, how many of those go in, corners
 * per shot, fouls per card, and how much of what only the side with the ball does (shots, corners, fouls suffered)
 * it did: a stand-in for possession, which the sources do not have.
 *
 * Only matches with all six statistics of both sides count; in a season without any the season's ratios are
 * missing. A ratio of sums, not a mean of ratios: a match with one shot says less than one with twenty. Rare
 * events (goals, cards) get the long windows only. Ratios of a team change only when it plays, so apply computes
 * them and emit copies.
 *
 * The last 10 matches stand in two windows of window.h, of which the plain sums over 5 and 10 are used. */
#include "football/families.h"
#include "football/match.h"
#include "football/window.h"

#include <assert.h>
#include <string.h>

/* What is counted per match: for and against. */
enum {
    COUNT_SHOTS,
    COUNT_SHOTS_AGAINST,
    COUNT_TARGET,
    COUNT_TARGET_AGAINST,
    COUNT_GOALS,
    COUNT_GOALS_AGAINST,
    COUNT_CORNERS,
    COUNT_CORNERS_AGAINST,
    COUNT_FOULS,
    COUNT_FOULS_AGAINST,
    COUNT_CARDS,
    TACTICAL_COUNTS = COUNT_CARDS + 1,
    TACTICAL_WINDOWS = (TACTICAL_COUNTS + WINDOW_LANES - 1) / WINDOW_LANES,
    TACTICAL_LANES = TACTICAL_WINDOWS * WINDOW_LANES
};

enum {
    SIDE_SHOT_SHARE_5,
    SIDE_SHOT_SHARE_10,
    SIDE_SHOT_SHARE_SEASON,
    SIDE_TARGET_SHARE_10,
    SIDE_POSSESSION_5,
    SIDE_POSSESSION_10,
    SIDE_POSSESSION_SEASON,
    SIDE_ACCURACY_10,
    SIDE_ACCURACY_SEASON,
    SIDE_ACCURACY_AGAINST_10,
    SIDE_CONVERSION_SEASON,
    SIDE_CONVERSION_AGAINST_SEASON,
    SIDE_CORNERS_PER_SHOT_10,
    SIDE_FOULS_PER_CARD_10,
    TACTICAL_SIDE
};
enum { TACTICAL_SHOT_SHARE_GAP = SIDE_COUNT * TACTICAL_SIDE, TACTICAL_POSSESSION_GAP, TACTICAL_FEATURES };

#define CONVERSION_HIGH       5.0 /* goals per shot on target; own goals and errors of the source make more */
#define CORNERS_PER_SHOT_HIGH 9.0
#define FOULS_PER_CARD_HIGH   99.0

#define OVER_5      " in its last 5 matches with statistics."
#define OVER_10     " in its last 10 matches with statistics."
#define OVER_SEASON " in its matches with statistics this season."
#define POSSESSION  "Shots, corners and fouls suffered: share of the "

#define TACTICAL_ROW(name, unit, low, high, doc)                                                             \
    {                                                                                                        \
        "tactical_" name, unit, low, high, FEATURE_BEFORE_START, doc                                         \
    }
#define TACTICAL_TEAM(side, team)                                                                            \
    TACTICAL_ROW(side "_shot_share_5", "share", 0, 1, "Share of all shots by the " team OVER_5),             \
        TACTICAL_ROW(side "_shot_share_10", "share", 0, 1, "Share of all shots by the " team OVER_10),       \
        TACTICAL_ROW(side "_shot_share_season", "share", 0, 1,                                               \
                     "Share of all shots by the " team OVER_SEASON),                                         \
        TACTICAL_ROW(side "_target_share_10", "share", 0, 1,                                                 \
                     "Share of all shots on target by the " team OVER_10),                                   \
        TACTICAL_ROW(side "_possession_5", "share", 0, 1, POSSESSION team OVER_5),                           \
        TACTICAL_ROW(side "_possession_10", "share", 0, 1, POSSESSION team OVER_10),                         \
        TACTICAL_ROW(side "_possession_season", "share", 0, 1, POSSESSION team OVER_SEASON),                 \
        TACTICAL_ROW(side "_accuracy_10", "share", 0, 1, "Shots on target per shot of the " team OVER_10),   \
        TACTICAL_ROW(side "_accuracy_season", "share", 0, 1,                                                 \
                     "Shots on target per shot of the " team OVER_SEASON),                                   \
        TACTICAL_ROW(side "_accuracy_against_10", "share", 0, 1,                                             \
                     "Shots on target per shot against the " team OVER_10),                                  \
        TACTICAL_ROW(side "_conversion_season", "goals", 0, CONVERSION_HIGH,                                 \
                     "Goals per shot on target of the " team OVER_SEASON),                                   \
        TACTICAL_ROW(side "_conversion_against_season", "goals", 0, CONVERSION_HIGH,                         \
                     "Goals per shot on target against the " team OVER_SEASON),                              \
        TACTICAL_ROW(side "_corners_per_shot_10", "corners", 0, CORNERS_PER_SHOT_HIGH,                       \
                     "Corners per shot of the " team OVER_10),                                               \
        TACTICAL_ROW(side "_fouls_per_card_10", "fouls", 0, FOULS_PER_CARD_HIGH,                             \
                     "Fouls per card, yellow or red, of the " team OVER_10)

static const struct feature tactical_features[TACTICAL_FEATURES] = {
    TACTICAL_TEAM("home", "home team"),
    TACTICAL_TEAM("away", "away team"),
    [TACTICAL_SHOT_SHARE_GAP] =
        TACTICAL_ROW("shot_share_gap_10", "share", -1, 1,
                     "Share of all shots by the home team minus that by the away team, each in its last 10."),
    [TACTICAL_POSSESSION_GAP] = TACTICAL_ROW(
        "possession_gap_10", "share", -1, 1,
        "Shots, corners and fouls suffered: share of the home team minus that of the away team, each in "
        "its last 10."),
};

struct tactical_team {
    float values[TACTICAL_SIDE]; /* what emit copies */
    int16_t season, padding;
    int32_t season_sums[TACTICAL_COUNTS];
    struct window window[TACTICAL_WINDOWS]; /* WINDOW_LANES counts each */
};
struct tactical_state {
    uint64_t team_count;
    struct tactical_team team[];
};

static size_t tactical_state_bytes(const struct stream_size *size)
{
    return sizeof(struct tactical_state) + size->entities * sizeof(struct tactical_team);
}

static void tactical_init(void *memory, const struct stream_size *size)
{
    struct tactical_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++) {
        for (size_t k = 0; k < TACTICAL_SIDE; k++)
            state->team[i].values[k] = NAN;
    }
}

/* The season's ratios are missing while a fixture of another season asks. */
static void emit_side(const struct tactical_team *team, const struct fixture *fixture, float *out)
{
    memcpy(out, team->values, sizeof(team->values));
    if (team->season == fixture->season)
        return;
    out[SIDE_SHOT_SHARE_SEASON] = out[SIDE_POSSESSION_SEASON] = out[SIDE_ACCURACY_SEASON] = NAN;
    out[SIDE_CONVERSION_SEASON] = out[SIDE_CONVERSION_AGAINST_SEASON] = NAN;
}

static void tactical_emit(const void *memory, const void *event, float *out)
{
    const struct tactical_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    float *home = out, *away = out + TACTICAL_SIDE;
    emit_side(&state->team[fixture->home], fixture, home);
    emit_side(&state->team[fixture->away], fixture, away);
    out[TACTICAL_SHOT_SHARE_GAP] = home[SIDE_SHOT_SHARE_10] - away[SIDE_SHOT_SHARE_10];
    out[TACTICAL_POSSESSION_GAP] = home[SIDE_POSSESSION_10] - away[SIDE_POSSESSION_10];
}

/* Sums over some matches, and ratios of them. 0/0 and more/0 are missing. */

static float ratio(int32_t part, int32_t whole, double high)
{
    if (whole <= 0)
        return NAN;
    float value = (float)part / (float)whole;
    return value < (float)high ? value : (float)high;
}

static float share_of(const int32_t *sums,
                      size_t count) /* of the count and the one against, which is next to it */
{
    return ratio(sums[count], sums[count] + sums[count + 1], 1);
}

static float possession(const int32_t *sums)
{
    int32_t own = sums[COUNT_SHOTS] + sums[COUNT_CORNERS] + sums[COUNT_FOULS_AGAINST];
    int32_t other = sums[COUNT_SHOTS_AGAINST] + sums[COUNT_CORNERS_AGAINST] + sums[COUNT_FOULS];
    return ratio(own, own + other, 1);
}

/* The plain sums over the last 2, 3, 5, 10 or 20 matches: `which` of window.h's. */
static void window_sums(const struct tactical_team *team, size_t which, int32_t *sums)
{
    for (size_t w = 0; w < TACTICAL_WINDOWS; w++) {
        uint64_t word = window_sum(&team->window[w], which);
        for (size_t lane = 0; lane < WINDOW_LANES; lane++)
            sums[w * WINDOW_LANES + lane] = (int32_t)(word >> 16 * lane & 0xffff);
    }
}

static void compute_values(struct tactical_team *team)
{
    enum { SUM_OF_5 = 2, SUM_OF_10 = 3 };
    int32_t five[TACTICAL_LANES], ten[TACTICAL_LANES];
    const int32_t *season = team->season_sums;
    float *out = team->values;
    window_sums(team, SUM_OF_5, five);
    window_sums(team, SUM_OF_10, ten);
    out[SIDE_SHOT_SHARE_5] = share_of(five, COUNT_SHOTS);
    out[SIDE_SHOT_SHARE_10] = share_of(ten, COUNT_SHOTS);
    out[SIDE_SHOT_SHARE_SEASON] = share_of(season, COUNT_SHOTS);
    out[SIDE_TARGET_SHARE_10] = share_of(ten, COUNT_TARGET);
    out[SIDE_POSSESSION_5] = possession(five);
    out[SIDE_POSSESSION_10] = possession(ten);
    out[SIDE_POSSESSION_SEASON] = possession(season);
    out[SIDE_ACCURACY_10] = ratio(ten[COUNT_TARGET], ten[COUNT_SHOTS], 1);
    out[SIDE_ACCURACY_SEASON] = ratio(season[COUNT_TARGET], season[COUNT_SHOTS], 1);
    out[SIDE_ACCURACY_AGAINST_10] = ratio(ten[COUNT_TARGET_AGAINST], ten[COUNT_SHOTS_AGAINST], 1);
    out[SIDE_CONVERSION_SEASON] = ratio(season[COUNT_GOALS], season[COUNT_TARGET], CONVERSION_HIGH);
    out[SIDE_CONVERSION_AGAINST_SEASON] =
        ratio(season[COUNT_GOALS_AGAINST], season[COUNT_TARGET_AGAINST], CONVERSION_HIGH);
    out[SIDE_CORNERS_PER_SHOT_10] = ratio(ten[COUNT_CORNERS], ten[COUNT_SHOTS], CORNERS_PER_SHOT_HIGH);
    out[SIDE_FOULS_PER_CARD_10] = ratio(ten[COUNT_FOULS], ten[COUNT_CARDS], FOULS_PER_CARD_HIGH);
}

static bool has_all_statistics(const struct outcome *outcome)
{
    bool is_known = true;
    for (size_t stat = 0; stat < STAT_COUNT; stat++)
        is_known = is_known && outcome->stats[stat][SIDE_HOME] >= 0 && outcome->stats[stat][SIDE_AWAY] >= 0;
    return is_known;
}

static void learn_side(struct tactical_team *team, const struct fixture *fixture,
                       const struct outcome *outcome, int own, int other)
{
    const int16_t(*stats)[SIDE_COUNT] = outcome->stats;
    const int counts[TACTICAL_LANES] = {
        [COUNT_SHOTS] = stats[STAT_SHOTS][own],
        [COUNT_SHOTS_AGAINST] = stats[STAT_SHOTS][other],
        [COUNT_TARGET] = stats[STAT_SHOTS_ON_TARGET][own],
        [COUNT_TARGET_AGAINST] = stats[STAT_SHOTS_ON_TARGET][other],
        [COUNT_GOALS] = outcome->goals[own],
        [COUNT_GOALS_AGAINST] = outcome->goals[other],
        [COUNT_CORNERS] = stats[STAT_CORNERS][own],
        [COUNT_CORNERS_AGAINST] = stats[STAT_CORNERS][other],
        [COUNT_FOULS] = stats[STAT_FOULS][own],
        [COUNT_FOULS_AGAINST] = stats[STAT_FOULS][other],
        [COUNT_CARDS] = stats[STAT_YELLOWS][own] + stats[STAT_REDS][own],
    };
    for (size_t w = 0; w < TACTICAL_WINDOWS; w++) {
        const int *lanes = counts + w * WINDOW_LANES;
        window_add(&team->window[w], window_word(lanes[0], lanes[1], lanes[2], lanes[3]));
    }
    if (team->season != fixture->season) {
        team->season = fixture->season;
        memset(team->season_sums, 0, sizeof(team->season_sums));
    }
    for (size_t i = 0; i < TACTICAL_COUNTS; i++) /* cut as in the windows */
        team->season_sums[i] += (int32_t)window_lane(counts[i]);
    compute_values(team);
}

static void tactical_apply(void *memory, const void *event, const void *result)
{
    struct tactical_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    if (!has_all_statistics(result))
        return;
    learn_side(&state->team[fixture->home], fixture, result, SIDE_HOME, SIDE_AWAY);
    learn_side(&state->team[fixture->away], fixture, result, SIDE_AWAY, SIDE_HOME);
}

const struct tracker tracker_tactical = {
    .family = "tactical",
    .doc = "Ratios of match statistics: shares of shots and of the ball, accuracy, conversion, corners per "
           "shot, "
           "fouls per card.",
    .source = "results, shots, corners, fouls, cards",
    .version = 1,
    .features = tactical_features,
    .feature_count = TACTICAL_FEATURES,
    .state_bytes = tactical_state_bytes,
    .init = tactical_init,
    .emit = tactical_emit,
    .apply = tactical_apply,
};
