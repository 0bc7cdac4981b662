/* Finance family: who pays more. Wages, squad values and transfers of the two teams against each other and against the
 * league, from the attributes of the fixture (attributes.h), which are NaN where nobody told.
 *
 * The league is its teams as they stood at their latest match, if that was in this league and this season: the only state
 * is what was told of every team then. Ranks are shares of the other teams, so they mean the same in leagues of any size
 * and while the season is young. */
#include "football/families.h"
#include "football/match.h"

#include <assert.h>
#include <math.h>

#define RATIO_HIGH     1000.0
#define LOG_RATIO_HIGH 7.0
#define NET_SPEND_HIGH 5.0
#define DISPARITY_HIGH 20.0
enum { KEY_NONE = -1, SEASON_SPAN = 4096, MANAGERS_HIGH = 20 };

enum { SIDE_WAGES_RANK, SIDE_VALUE_RANK, SIDE_NET_SPEND, SIDE_MANAGERS, FINANCE_SIDE };
enum {
    FINANCE_WAGES_RATIO = SIDE_COUNT * FINANCE_SIDE,
    FINANCE_WAGES_LOG_RATIO,
    FINANCE_VALUE_RATIO,
    FINANCE_VALUE_LOG_RATIO,
    FINANCE_NET_SPEND_GAP,
    FINANCE_DISPARITY,
    FINANCE_FEATURES
};

#define FINANCE_ROW(name, unit, low, high, doc)                                                              \
    {                                                                                                        \
        "finance_" name, unit, low, high, FEATURE_BEFORE_START, doc                                          \
    }
#define OF_OTHERS "; of the league's other teams, as told at their latest match this season."
#define FINANCE_TEAM(side, team)                                                                             \
    FINANCE_ROW(side "_wages_rank", "share", 0, 1,                                                           \
                "Share of teams that pay less wages than the " team OF_OTHERS),                              \
        FINANCE_ROW(side "_value_rank", "share", 0, 1,                                                       \
                    "Share of teams whose squad is worth less than that of the " team OF_OTHERS),            \
        FINANCE_ROW(side "_net_spend", "", -NET_SPEND_HIGH, NET_SPEND_HIGH,                                  \
                    "Transfer spend minus income of the " team                                               \
                    " for this season over the value of its squad."),                                        \
        FINANCE_ROW(side "_manager_changes", "changes", 0, MANAGERS_HIGH,                                    \
                    "Changes of manager of the " team " this season, as far as told.")

static const struct feature finance_features[FINANCE_FEATURES] = {
    FINANCE_TEAM("home", "home team"),
    FINANCE_TEAM("away", "away team"),
    [FINANCE_WAGES_RATIO] = FINANCE_ROW("wages_ratio", "ratio", 0, RATIO_HIGH,
                                        "Wages of the home team over those of the away team."),
    [FINANCE_WAGES_LOG_RATIO] =
        FINANCE_ROW("wages_log_ratio", "", -LOG_RATIO_HIGH, LOG_RATIO_HIGH,
                    "Natural logarithm of the home team's wages over the away team's."),
    [FINANCE_VALUE_RATIO] = FINANCE_ROW("value_ratio", "ratio", 0, RATIO_HIGH,
                                        "Squad value of the home team over that of the away team."),
    [FINANCE_VALUE_LOG_RATIO] =
        FINANCE_ROW("value_log_ratio", "", -LOG_RATIO_HIGH, LOG_RATIO_HIGH,
                    "Natural logarithm of the home team's squad value over the away team's."),
    [FINANCE_NET_SPEND_GAP] = FINANCE_ROW("net_spend_gap", "", -2 * NET_SPEND_HIGH, 2 * NET_SPEND_HIGH,
                                          "finance_home_net_spend minus finance_away_net_spend."),
    [FINANCE_DISPARITY] = FINANCE_ROW(
        "league_disparity", "ratio", 0, DISPARITY_HIGH,
        "Standard deviation over mean of the wages of the league's teams, as told at their latest "
        "match this season."),
};

struct finance_team {
    int32_t key; /* league and season of its latest match */
    float wages, value;
};
struct finance_state {
    uint64_t team_count;
    struct finance_team team[];
};

static size_t finance_state_bytes(const struct stream_size *size)
{
    return sizeof(struct finance_state) + size->entities * sizeof(struct finance_team);
}

static void finance_init(void *memory, const struct stream_size *size)
{
    struct finance_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++)
        state->team[i] = (struct finance_team){KEY_NONE, NAN, NAN};
}

static int32_t key_of(const struct fixture *fixture)
{
    return (int32_t)fixture->league * SEASON_SPAN + fixture->season;
}

static float cut(double value, double low, double high)
{
    return (float)(value < low ? low : value > high ? high : value); /* NaN stays */
}

/* Shares of the league's other teams that are below in wages and in value. */
static void emit_ranks(const struct finance_state *state, int32_t key, int32_t self, const float *own,
                       float *out)
{
    int wages_known = 0, wages_below = 0, value_known = 0, value_below = 0;
    float wages = own[ATTRIBUTE_WAGES], value = own[ATTRIBUTE_SQUAD_VALUE];
    out[SIDE_WAGES_RANK] = out[SIDE_VALUE_RANK] = NAN;
    if (isnan(wages) && isnan(value))
        return;
    for (int32_t i = 0; (uint64_t)i < state->team_count; i++) {
        const struct finance_team *other = &state->team[i];
        if (other->key != key || i == self)
            continue;
        wages_known += !isnan(other->wages);
        wages_below += other->wages < wages;
        value_known += !isnan(other->value);
        value_below += other->value < value;
    }
    if (!isnan(wages)) /* 0/0 says "missing" */
        out[SIDE_WAGES_RANK] = (float)wages_below / (float)wages_known;
    if (!isnan(value))
        out[SIDE_VALUE_RANK] = (float)value_below / (float)value_known;
}

static float disparity(const struct finance_state *state, int32_t key)
{
    double count = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < state->team_count; i++) {
        const struct finance_team *team = &state->team[i];
        if (team->key != key || isnan(team->wages))
            continue;
        count++;
        sum += (double)team->wages;
    }
    double mean = sum / count;
    if (count < 2 || mean == 0)
        return NAN;
    for (size_t i = 0; i < state->team_count; i++) {
        const struct finance_team *team = &state->team[i];
        if (team->key == key && !isnan(team->wages))
            squares += ((double)team->wages - mean) * ((double)team->wages - mean);
    }
    return cut(sqrt(squares / count) / mean, 0, DISPARITY_HIGH);
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : (double)NAN;
}

static void emit_side(const struct finance_state *state, const struct fixture *fixture, int side, float *out)
{
    const float *own = fixture->attributes[side];
    emit_ranks(state, key_of(fixture), side == SIDE_HOME ? fixture->home : fixture->away, own, out);
    double net = (double)own[ATTRIBUTE_TRANSFER_SPEND] - (double)own[ATTRIBUTE_TRANSFER_INCOME];
    out[SIDE_NET_SPEND] =
        cut(ratio(net, (double)own[ATTRIBUTE_SQUAD_VALUE]), -NET_SPEND_HIGH, NET_SPEND_HIGH);
    out[SIDE_MANAGERS] = own[ATTRIBUTE_MANAGER_CHANGES];
}

/* Home over away, and the logarithm of it; both missing unless both are above 0. */
static void emit_ratio(const struct fixture *fixture, enum attribute attribute, float *out, float *out_log)
{
    double home = (double)fixture->attributes[SIDE_HOME][attribute];
    double away = (double)fixture->attributes[SIDE_AWAY][attribute];
    double value = home > 0 ? ratio(home, away) : (double)NAN;
    *out = cut(value, 0, RATIO_HIGH);
    *out_log = cut(log(value), -LOG_RATIO_HIGH, LOG_RATIO_HIGH);
}

static void finance_emit(const void *memory, const void *event, float *out)
{
    const struct finance_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    emit_side(state, fixture, SIDE_HOME, out);
    emit_side(state, fixture, SIDE_AWAY, out + FINANCE_SIDE);
    emit_ratio(fixture, ATTRIBUTE_WAGES, &out[FINANCE_WAGES_RATIO], &out[FINANCE_WAGES_LOG_RATIO]);
    emit_ratio(fixture, ATTRIBUTE_SQUAD_VALUE, &out[FINANCE_VALUE_RATIO], &out[FINANCE_VALUE_LOG_RATIO]);
    out[FINANCE_NET_SPEND_GAP] = out[SIDE_NET_SPEND] - out[FINANCE_SIDE + SIDE_NET_SPEND];
    bool is_told = !isnan(fixture->attributes[SIDE_HOME][ATTRIBUTE_WAGES]) ||
                   !isnan(fixture->attributes[SIDE_AWAY][ATTRIBUTE_WAGES]);
    out[FINANCE_DISPARITY] = is_told ? disparity(state, key_of(fixture)) : NAN;
}

static void finance_apply(void *memory, const void *event, const void *result)
{
    (void)result; /* what is learned is what was told before the match */
    struct finance_state *state = memory;
    const struct fixture *fixture = event;
    const int32_t team[SIDE_COUNT] = {fixture->home, fixture->away};
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        assert((uint64_t)team[side] < state->team_count);
        state->team[team[side]] =
            (struct finance_team){key_of(fixture), fixture->attributes[side][ATTRIBUTE_WAGES],
                                  fixture->attributes[side][ATTRIBUTE_SQUAD_VALUE]};
    }
}

const struct tracker tracker_finance = {
    .family = "finance",
    .doc =
        "Wages, squad values, transfers and changes of manager of both teams, against each other and their "
        "league.",
    .source = "team attributes",
    .version = 1,
    .features = finance_features,
    .feature_count = FINANCE_FEATURES,
    .state_bytes = finance_state_bytes,
    .init = finance_init,
    .emit = finance_emit,
    .apply = finance_apply,
};
