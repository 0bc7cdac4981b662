/* Berrar family: offensive and defensive ratings per team, learned from the goals of each side (Berrar, Lopes, Davis &
 * Dubitzky 2019), one pool per country.
 *
 *   expected goals of the home side = alpha/(1 + exp(-beta (o_home + d_away) - gamma_home))
 *   expected goals of the away side = alpha/(1 + exp(-beta (o_away + d_home) - gamma_away))
 *   after the match: o_home, d_away += omega e_home;  o_away, d_home += omega e_away;  e = goals - expected goals
 *
 * A high d is a weak defence. All ratings start at 0 and alpha is 5, as published. The paper leaves the other constants
 * to a search: here beta is 1 (a factor of beta can be moved into the ratings), gamma is the logit of the mean goals at
 * home (1.5 of 5) and away (1.1 of 5), and the one omega was searched for on the matches up to 2011-12. On neutral
 * ground both sides have the mean of the two gammas. */
#include "football/families.h"
#include "football/match.h"

#include <assert.h>
#include <math.h>

static const double ALPHA = 5;
static const double GAMMA_HOME = -0.85, GAMMA_AWAY = -1.25;
static const double OMEGA = 0.02;

/* No real team comes near: at beta 1 the sigmoid is within 0.2 % of its end there. */
#define BERRAR_LIMIT 5.0
#define BERRAR_GOALS 5.0

enum {
    BERRAR_HOME_OFFENCE,
    BERRAR_HOME_DEFENCE,
    BERRAR_AWAY_OFFENCE,
    BERRAR_AWAY_DEFENCE,
    BERRAR_EXPECTED_HOME,
    BERRAR_EXPECTED_AWAY,
    BERRAR_EXPECTED_DIFFERENCE,
    BERRAR_EXPECTED_TOTAL,
    BERRAR_FEATURES
};

#define BERRAR_SOURCE " (Berrar et al. 2019)."
#define BERRAR_ROW(name, unit, low, high, what)                                                              \
    {                                                                                                        \
        "berrar_" name, unit, low, high, FEATURE_BEFORE_START, what BERRAR_SOURCE                            \
    }

static const struct feature berrar_features[BERRAR_FEATURES] = {
    [BERRAR_HOME_OFFENCE] = BERRAR_ROW("home_offence", "rating", -BERRAR_LIMIT, BERRAR_LIMIT,
                                       "Home team's offensive rating, 0 an average team"),
    [BERRAR_HOME_DEFENCE] = BERRAR_ROW("home_defence", "rating", -BERRAR_LIMIT, BERRAR_LIMIT,
                                       "Home team's defensive rating, high for a weak defence"),
    [BERRAR_AWAY_OFFENCE] = BERRAR_ROW("away_offence", "rating", -BERRAR_LIMIT, BERRAR_LIMIT,
                                       "Away team's offensive rating, 0 an average team"),
    [BERRAR_AWAY_DEFENCE] = BERRAR_ROW("away_defence", "rating", -BERRAR_LIMIT, BERRAR_LIMIT,
                                       "Away team's defensive rating, high for a weak defence"),
    [BERRAR_EXPECTED_HOME] =
        BERRAR_ROW("expected_home", "goals", 0, BERRAR_GOALS,
                   "Expected goals of the home team, 5/(1+exp(-(its offence + their defence)+0.85))"),
    [BERRAR_EXPECTED_AWAY] =
        BERRAR_ROW("expected_away", "goals", 0, BERRAR_GOALS,
                   "Expected goals of the away team, 5/(1+exp(-(its offence + their defence)+1.25))"),
    [BERRAR_EXPECTED_DIFFERENCE] = BERRAR_ROW("expected_difference", "goals", -BERRAR_GOALS, BERRAR_GOALS,
                                              "Expected goals of the home team minus those of the away team"),
    [BERRAR_EXPECTED_TOTAL] =
        BERRAR_ROW("expected_total", "goals", 0, 2 * BERRAR_GOALS, "Expected goals of both teams together"),
};

struct berrar_team {
    double offence, defence;
};
struct berrar_state {
    uint64_t team_count;
    struct berrar_team team[];
};

static size_t berrar_state_bytes(const struct stream_size *size)
{
    return sizeof(struct berrar_state) + size->entities * sizeof(struct berrar_team);
}

static void berrar_init(void *memory, const struct stream_size *size)
{
    struct berrar_state *state = memory;
    state->team_count = size->entities; /* ratings are zero already */
}

static double berrar_goals(double offence, double defence, double gamma)
{
    return ALPHA / (1 + exp(-(offence + defence) - gamma));
}

static void berrar_expect(const struct berrar_team *home, const struct berrar_team *away, bool is_neutral,
                          double expected[SIDE_COUNT])
{
    double mean = (GAMMA_HOME + GAMMA_AWAY) / 2;
    expected[SIDE_HOME] = berrar_goals(home->offence, away->defence, is_neutral ? mean : GAMMA_HOME);
    expected[SIDE_AWAY] = berrar_goals(away->offence, home->defence, is_neutral ? mean : GAMMA_AWAY);
}

static void berrar_emit(const void *memory, const void *event, float *out)
{
    const struct berrar_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    const struct berrar_team *home = &state->team[fixture->home], *away = &state->team[fixture->away];
    double expected[SIDE_COUNT];
    berrar_expect(home, away, fixture->is_neutral, expected);
    out[BERRAR_HOME_OFFENCE] = (float)home->offence;
    out[BERRAR_HOME_DEFENCE] = (float)home->defence;
    out[BERRAR_AWAY_OFFENCE] = (float)away->offence;
    out[BERRAR_AWAY_DEFENCE] = (float)away->defence;
    out[BERRAR_EXPECTED_HOME] = (float)expected[SIDE_HOME];
    out[BERRAR_EXPECTED_AWAY] = (float)expected[SIDE_AWAY];
    out[BERRAR_EXPECTED_DIFFERENCE] = (float)(expected[SIDE_HOME] - expected[SIDE_AWAY]);
    out[BERRAR_EXPECTED_TOTAL] = (float)(expected[SIDE_HOME] + expected[SIDE_AWAY]);
}

static void berrar_move(double *rating, double error)
{
    double moved = *rating + OMEGA * error;
    *rating = moved < -BERRAR_LIMIT ? -BERRAR_LIMIT : moved > BERRAR_LIMIT ? BERRAR_LIMIT : moved;
}

static void berrar_apply(void *memory, const void *event, const void *result)
{
    struct berrar_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    struct berrar_team *home = &state->team[fixture->home], *away = &state->team[fixture->away];
    double expected[SIDE_COUNT];
    berrar_expect(home, away, fixture->is_neutral, expected);
    double home_error = outcome->goals[SIDE_HOME] - expected[SIDE_HOME];
    double away_error = outcome->goals[SIDE_AWAY] - expected[SIDE_AWAY];
    berrar_move(&home->offence, home_error);
    berrar_move(&away->defence, home_error);
    berrar_move(&away->offence, away_error);
    berrar_move(&home->defence, away_error);
}

const struct tracker tracker_berrar = {
    .family = "berrar",
    .doc = "Berrar ratings: offence and defence per team, expected goals by a sigmoid of their sum.",
    .source = "results",
    .version = 1,
    .features = berrar_features,
    .feature_count = BERRAR_FEATURES,
    .state_bytes = berrar_state_bytes,
    .init = berrar_init,
    .emit = berrar_emit,
    .apply = berrar_apply,
};
