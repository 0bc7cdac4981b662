/* Xg family: expected goals of past matches, in weighted windows (window.h), goals minus expected goals, and the goals
 * that both together let expect of this match.
 *
 * Expected goals of a match are those the source measured, where it did; else they are estimated from its shots: xG = a * shots on target + b * other shots, not below 0.
 * a and b are those of the league, by weighted ridge regression on its past sides only:
 *
 *   minimise  sum over past sides of 0.996^age (goals - a*target - b*other)^2 + 100 ((a - 0.28)^2 + (b - 0.02)^2)
 *
 * age: matches of the league with statistics since. A half-life of 173 matches follows what the sources call a shot on
 * target (several leagues change that between two seasons). The sums of the normal equations are all the state it
 * needs. A match is estimated with the a and b of before it. xg_match is the one place that says what a match's
 * expected goals are. The regression learns from shots and goals whether they were measured or not.
 *
 * Expected goals of this match come from a second strength model (strength.h), learned from the mean of goals and
 * expected goals, half of each forecasting better than either; from goals alone where there are no statistics, so that
 * a team promoted from such a league is no stranger. Shots tell less of the differences between teams than there are
 * (good teams make better chances of theirs), so differences of strength count 1.2 times. Over the 4,560 matches of
 * the Premier League from 2012-13 on, the chances as emitted have log loss .9651 (dixon_coles.c .9685). Those seasons
 * helped to choose the half-life, and were in view when the half and the 1.2 were chosen, so the figure flatters.
 *
 * Windows run over the matches that have statistics, as in shots.c. xG is held in units of 2^-16 goals, so that the
 * window's running sums are sums of whole numbers. */
#include "football/families.h"
#include "football/goal_model.h"
#include "football/match.h"
#include "football/strength.h"
#include "football/window.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define XG_HIGH 10.0 /* of a side in a match; more is an error of the source and counts as this */

static const double KEEP = 0.996;
static const double RIDGE = 100, TARGET_START = 0.28, OTHER_START = 0.02;
static const double SPREAD = 1.2;
static const double RHO = -0.06;  /* of goal_model.h: what most leagues' is */
static const double UNIT = 65536; /* per goal; 2 lanes of 32 bits: 10 goals * 2^16 * 20 matches * 15 < 2^32 */

enum { XG_WINDOWS = 3 }; /* 5, 10, 20: those of window.h but the shortest */
enum {
    XG_FOR,
    XG_AGAINST = XG_FOR + XG_WINDOWS,
    XG_OVER = XG_AGAINST + XG_WINDOWS, /* goals minus xG, over 10 and 20 */
    XG_OVER_AGAINST = XG_OVER + 2,     /* the same of the goals conceded, over 20 */
    XG_SIDE = XG_OVER_AGAINST + 1
};
enum {
    XG_GAP = SIDE_COUNT * XG_SIDE,
    XG_EXPECTED_HOME = XG_GAP + XG_WINDOWS,
    XG_EXPECTED_AWAY,
    XG_EXPECTED_DIFFERENCE,
    XG_HOME,
    XG_DRAW,
    XG_AWAY,
    XG_OVER_2_5,
    XG_FEATURES
};

#define XG_ROW(name, unit, low, high, what)                                                                  \
    {                                                                                                        \
        "xg_" name, unit, low, high, FEATURE_BEFORE_START, what                                              \
    }
#define XG_WINDOW(side, name, low, high, what, w)                                                            \
    XG_ROW(side "_" name "_" #w, "goals", low, high,                                                         \
           what " in the last " #w " with statistics, weighted 1.5 (recent half) and 0.7 (older half).")
#define XG_TEAM(side, team)                                                                                  \
    XG_WINDOW(side, "for", 0, XG_HIGH, team " expected goals per match", 5),                                 \
        XG_WINDOW(side, "for", 0, XG_HIGH, team " expected goals per match", 10),                            \
        XG_WINDOW(side, "for", 0, XG_HIGH, team " expected goals per match", 20),                            \
        XG_WINDOW(side, "against", 0, XG_HIGH, team " expected goals allowed per match", 5),                 \
        XG_WINDOW(side, "against", 0, XG_HIGH, team " expected goals allowed per match", 10),                \
        XG_WINDOW(side, "against", 0, XG_HIGH, team " expected goals allowed per match", 20),                \
        XG_WINDOW(side, "over_performance", -XG_HIGH, WINDOW_VALUE_HIGH,                                     \
                  team " goals minus expected goals per match", 10),                                         \
        XG_WINDOW(side, "over_performance", -XG_HIGH, WINDOW_VALUE_HIGH,                                     \
                  team " goals minus expected goals per match", 20),                                         \
        XG_WINDOW(side, "over_performance_against", -XG_HIGH, WINDOW_VALUE_HIGH,                             \
                  team " goals conceded minus those expected per match", 20)
#define XG_GAP_ROW(w)                                                                                        \
    XG_ROW("gap_" #w, "goals", -2 * XG_HIGH, 2 * XG_HIGH,                                                    \
           "Home team's expected goals for minus against in the last " #w ", minus the away team's.")
#define XG_STRENGTH " by strengths learned from goals and expected goals."

static const struct feature xg_features[XG_FEATURES] = {
    XG_TEAM("home", "Home team's"),
    XG_TEAM("away", "Away team's"),
    XG_GAP_ROW(5),
    XG_GAP_ROW(10),
    XG_GAP_ROW(20),
    XG_ROW("expected_home", "goals", STRENGTH_GOALS_LOW, STRENGTH_GOALS_HIGH,
           "Expected goals of the home team" XG_STRENGTH),
    XG_ROW("expected_away", "goals", STRENGTH_GOALS_LOW, STRENGTH_GOALS_HIGH,
           "Expected goals of the away team" XG_STRENGTH),
    XG_ROW("expected_difference", "goals", -STRENGTH_GOALS_HIGH, STRENGTH_GOALS_HIGH,
           "Expected goal difference" XG_STRENGTH),
    XG_ROW("chance_home", "probability", 0, 1, "Chance that the home team wins" XG_STRENGTH),
    XG_ROW("chance_draw", "probability", 0, 1, "Chance of a draw" XG_STRENGTH),
    XG_ROW("chance_away", "probability", 0, 1, "Chance that the away team wins" XG_STRENGTH),
    XG_ROW("chance_over", "probability", 0, 1, "Chance of more than 2.5 goals" XG_STRENGTH),
};

struct xg_team {
    float values[XG_SIDE]; /* what emit copies */
    float difference[XG_WINDOWS];
    struct strength_team strength;
    struct window xg;    /* for in the low 32 bits, against in the high ones */
    struct window goals; /* window.h's lanes: for, against */
};
struct xg_league {
    struct strength_league strength;
    uint64_t has_statistics;
    double target, other; /* a and b */
    /* faded sums of products over sides: the normal equations without the prior */
    double target_target, target_other, other_other, target_goals, other_goals;
};
struct xg_state {
    uint64_t team_count, league_count;
    struct strength_fades fades;
    /* leagues, then teams: two arrays of plain old data in one block */
    struct xg_league league[];
};

static struct xg_team *xg_teams(const struct xg_state *state)
{
    return (struct xg_team *)(state->league + state->league_count);
}

static size_t xg_state_bytes(const struct stream_size *size)
{
    return sizeof(struct xg_state) + size->groups * sizeof(struct xg_league) +
           size->entities * sizeof(struct xg_team);
}

static void xg_init(void *memory, const struct stream_size *size)
{
    struct xg_state *state = memory;
    state->team_count = size->entities;
    state->league_count = size->groups;
    strength_fades_init(&state->fades);
    for (size_t i = 0; i < size->groups; i++) {
        strength_league_init(&state->league[i].strength);
        state->league[i].target = TARGET_START;
        state->league[i].other = OTHER_START;
    }
    for (size_t i = 0; i < size->entities; i++) {
        for (size_t k = 0; k < XG_SIDE; k++)
            xg_teams(state)[i].values[k] = NAN;
        for (size_t w = 0; w < XG_WINDOWS; w++)
            xg_teams(state)[i].difference[w] = NAN;
    }
}

static void xg_check(const struct xg_state *state, const struct fixture *fixture)
{
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    assert((uint64_t)fixture->league < state->league_count);
}

/* What both strengths let expect; missing in a league that never had statistics. */
static void emit_expected(const struct xg_team *home, const struct xg_team *away,
                          const struct xg_league *league, bool is_neutral, float *out)
{
    if (!league->has_statistics) {
        for (size_t i = XG_EXPECTED_HOME; i < XG_FEATURES; i++)
            out[i] = NAN;
        return;
    }
    struct strength_team home_strength = strength_of(&home->strength, &league->strength);
    struct strength_team away_strength = strength_of(&away->strength, &league->strength);
    double expected[SIDE_COUNT];
    struct goal_chances chances;
    strength_expect(&home_strength, &away_strength, &league->strength, is_neutral, SPREAD, expected);
    goal_model_chances(expected, goal_model_rho(expected, RHO), &chances);
    out[XG_EXPECTED_HOME] = (float)expected[SIDE_HOME];
    out[XG_EXPECTED_AWAY] = (float)expected[SIDE_AWAY];
    out[XG_EXPECTED_DIFFERENCE] = (float)(expected[SIDE_HOME] - expected[SIDE_AWAY]);
    out[XG_HOME] = (float)chances.home;
    out[XG_DRAW] = (float)chances.draw;
    out[XG_AWAY] = (float)chances.away;
    out[XG_OVER_2_5] = (float)chances.over;
}

static void xg_emit(const void *memory, const void *event, float *out)
{
    const struct xg_state *state = memory;
    const struct fixture *fixture = event;
    xg_check(state, fixture);
    const struct xg_team *home = &xg_teams(state)[fixture->home], *away = &xg_teams(state)[fixture->away];
    memcpy(out, home->values, sizeof(home->values));
    memcpy(out + XG_SIDE, away->values, sizeof(away->values));
    for (size_t w = 0; w < XG_WINDOWS; w++)
        out[XG_GAP + w] = home->difference[w] - away->difference[w];
    emit_expected(home, away, &state->league[fixture->league], fixture->is_neutral, out);
}

/* Shots of a side as the regression sees them. */
struct xg_shots {
    double target, other;
};

static bool xg_shots_of(const struct outcome *outcome, struct xg_shots out[SIDE_COUNT])
{
    const int16_t *all = outcome->stats[STAT_SHOTS], *target = outcome->stats[STAT_SHOTS_ON_TARGET];
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        if (all[side] < 0 || target[side] < 0)
            return false;
        int on_target = target[side] < WINDOW_VALUE_HIGH ? target[side] : WINDOW_VALUE_HIGH;
        int shots = all[side] < WINDOW_VALUE_HIGH ? all[side] : WINDOW_VALUE_HIGH;
        out[side] = (struct xg_shots){on_target, shots > on_target ? shots - on_target : 0};
    }
    return true;
}

/* Expected goals of both sides; false when the source has nothing to tell them from. */
static bool xg_match(const struct xg_league *league, const struct outcome *outcome, double out[SIDE_COUNT])
{
    struct xg_shots shots[SIDE_COUNT];
    const int16_t *measured = outcome->xg_milli;
    if (measured[SIDE_HOME] >= 0 && measured[SIDE_AWAY] >= 0) {
        for (size_t side = 0; side < SIDE_COUNT; side++)
            out[side] = fmin(measured[side] / 1000.0, XG_HIGH);
        return true;
    }
    if (!xg_shots_of(outcome, shots))
        return false;
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        double xg = league->target * shots[side].target + league->other * shots[side].other;
        out[side] = xg < 0 ? 0 : xg > XG_HIGH ? XG_HIGH : xg;
    }
    return true;
}

/* The two normal equations with the prior added: the determinant is at least RIDGE squared. */
static void solve(struct xg_league *league)
{
    double a = league->target_target + RIDGE, b = league->target_other, c = league->other_other + RIDGE;
    double y = league->target_goals + RIDGE * TARGET_START, z = league->other_goals + RIDGE * OTHER_START;
    double determinant = a * c - b * b;
    league->target = (y * c - z * b) / determinant;
    league->other = (z * a - y * b) / determinant;
}

static void learn_regression(struct xg_league *league, const struct outcome *outcome)
{
    struct xg_shots shots[SIDE_COUNT];
    if (!xg_shots_of(outcome, shots))
        return;
    league->target_target *= KEEP;
    league->target_other *= KEEP;
    league->other_other *= KEEP;
    league->target_goals *= KEEP;
    league->other_goals *= KEEP;
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        double target = shots[side].target, other = shots[side].other;
        double goals = outcome->goals[side] < WINDOW_VALUE_HIGH ? outcome->goals[side] : WINDOW_VALUE_HIGH;
        league->target_target += target * target;
        league->target_other += target * other;
        league->other_other += other * other;
        league->target_goals += target * goals;
        league->other_goals += other * goals;
    }
    solve(league);
}

/* xg may be NULL: unknown. */
static void learn_strength(struct xg_state *state, const struct fixture *fixture,
                           const struct outcome *outcome, const double *xg)
{
    struct strength_league *league = &state->league[fixture->league].strength;
    struct strength_team *home = &xg_teams(state)[fixture->home].strength;
    struct strength_team *away = &xg_teams(state)[fixture->away].strength;
    double expected[SIDE_COUNT], score[SIDE_COUNT];
    strength_fade(home, away, league, &state->fades, fixture->day);
    strength_expect(home, away, league, fixture->is_neutral, 1, expected);
    for (size_t side = 0; side < SIDE_COUNT; side++)
        score[side] = (xg ? (outcome->goals[side] + xg[side]) / 2 : outcome->goals[side]) - expected[side];
    strength_step(home, away, league, fixture->is_neutral, expected, score);
}

/* Weighted means as in window_means, of two 32-bit lanes, for the windows after the first. Signed numbers, which
 * become doubles in one instruction. */
static void xg_means(const struct window *window, double out[XG_WINDOWS][SIDE_COUNT])
{
    const float *weights = window_weights_of(window) + WINDOW_5;
    uint64_t recent = window_sum(window, WINDOW_5);
    for (size_t w = 0; w < XG_WINDOWS; w++) {
        uint64_t all = window_sum(window, WINDOW_5 + w + 1), sum = 8 * recent + 7 * all;
        double weight = (double)weights[w] * UNIT;
        out[w][0] = (double)(int64_t)(sum & UINT32_MAX) / weight;
        out[w][1] = (double)(int64_t)(sum >> 32) / weight;
        recent = all;
    }
}

static void learn_windows(struct xg_team *team, double xg_for, double xg_against, int goals_for,
                          int goals_against)
{
    double xg[XG_WINDOWS][SIDE_COUNT];
    struct window_means goals;
    uint64_t low = (uint64_t)(xg_for * UNIT + 0.5), high = (uint64_t)(xg_against * UNIT + 0.5);
    window_add(&team->xg, low | high << 32);
    window_add(&team->goals, window_word(goals_for, goals_against, 0, 0));
    xg_means(&team->xg, xg);
    window_means(&team->goals, &goals);
    for (size_t w = 0; w < XG_WINDOWS; w++) {
        const double *mean = xg[w];
        team->values[XG_FOR + w] = (float)mean[0];
        team->values[XG_AGAINST + w] = (float)mean[1];
        team->difference[w] = (float)(mean[0] - mean[1]);
    }
    team->values[XG_OVER] = (float)((double)goals.value[WINDOW_10][0] - xg[WINDOW_10 - 1][0]);
    team->values[XG_OVER + 1] = (float)((double)goals.value[WINDOW_20][0] - xg[WINDOW_20 - 1][0]);
    team->values[XG_OVER_AGAINST] = (float)((double)goals.value[WINDOW_20][1] - xg[WINDOW_20 - 1][1]);
}

static void xg_apply(void *memory, const void *event, const void *result)
{
    struct xg_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    xg_check(state, fixture);
    struct xg_league *league = &state->league[fixture->league];
    struct xg_team *home = &xg_teams(state)[fixture->home], *away = &xg_teams(state)[fixture->away];
    double xg[SIDE_COUNT];
    bool has_xg = xg_match(league, outcome, xg);
    learn_strength(state, fixture, outcome, has_xg ? xg : NULL);
    if (!has_xg)
        return;
    league->has_statistics = 1;
    int goals_home = outcome->goals[SIDE_HOME], goals_away = outcome->goals[SIDE_AWAY];
    learn_windows(home, xg[SIDE_HOME], xg[SIDE_AWAY], goals_home, goals_away);
    learn_windows(away, xg[SIDE_AWAY], xg[SIDE_HOME], goals_away, goals_home);
    learn_regression(league, outcome);
}

const struct tracker tracker_xg = {
    .family = "xg",
    .doc = "Expected goals of past matches, measured or from their shots, over-performance, and strengths "
           "learned from them.",
    .source = "results, shots, measured expected goals",
    .version = 2,
    .features = xg_features,
    .feature_count = XG_FEATURES,
    .state_bytes = xg_state_bytes,
    .init = xg_init,
    .emit = xg_emit,
    .apply = xg_apply,
};
