/* Pi family: pi-ratings exactly as Constantinou & Fenton (2013) define them, lambda .035 and gamma .7, one
 * pool per country. A team has one rating for its matches at home and one for those away; a rating of 0 is an
 * average team. On neutral ground the side named first counts as the home side. */
#include "football/families.h"
#include "football/match.h"
#include "football/rating.h"

#include <assert.h>

static const struct pi_rule pi_rule_published = {.lambda = 0.035, .gamma = 0.7};

/* g(PI_LIMIT) = 10^(6/3) - 1 = 99 goals, on both sides */
#define PI_GOALS_HIGH 198.0
#define PI_SOURCE     " (Constantinou & Fenton 2013)."

enum {
    PI_HOME_AT_HOME,
    PI_HOME_AWAY,
    PI_AWAY_AT_HOME,
    PI_AWAY_AWAY,
    PI_DIFFERENCE,
    PI_EXPECTED,
    PI_FEATURES
};

static const struct feature pi_features[PI_FEATURES] = {
    [PI_HOME_AT_HOME] = {"pi_home_team_at_home", "rating", -PI_LIMIT, PI_LIMIT, FEATURE_BEFORE_START,
                         "Home team's pi-rating for matches at home" PI_SOURCE},
    [PI_HOME_AWAY] = {"pi_home_team_away", "rating", -PI_LIMIT, PI_LIMIT, FEATURE_BEFORE_START,
                      "Home team's pi-rating for matches away" PI_SOURCE},
    [PI_AWAY_AT_HOME] = {"pi_away_team_at_home", "rating", -PI_LIMIT, PI_LIMIT, FEATURE_BEFORE_START,
                         "Away team's pi-rating for matches at home" PI_SOURCE},
    [PI_AWAY_AWAY] = {"pi_away_team_away", "rating", -PI_LIMIT, PI_LIMIT, FEATURE_BEFORE_START,
                      "Away team's pi-rating for matches away" PI_SOURCE},
    [PI_DIFFERENCE] = {"pi_mean_difference", "rating", -2 * PI_LIMIT, 2 * PI_LIMIT, FEATURE_BEFORE_START,
                       "Mean of the home team's two pi-ratings minus that of the away team's" PI_SOURCE},
    [PI_EXPECTED] = {"pi_expected_goal_difference", "goals", -PI_GOALS_HIGH, PI_GOALS_HIGH,
                     FEATURE_BEFORE_START,
                     "Expected goal difference g(home team at home) - g(away team away), g(R) = "
                     "sign(R)*(10^(|R|/3)-1)" PI_SOURCE},
};

struct pi_state {
    uint64_t team_count;
    struct pi_rating team[];
};

static size_t pi_state_bytes(const struct stream_size *size)
{
    return sizeof(struct pi_state) + size->entities * sizeof(struct pi_rating);
}

static void pi_init(void *memory, const struct stream_size *size)
{
    struct pi_state *state = memory;
    state->team_count = size->entities; /* ratings are zero already */
}

static void pi_emit(const void *memory, const void *event, float *out)
{
    const struct pi_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    const struct pi_rating *home = &state->team[fixture->home], *away = &state->team[fixture->away];
    out[PI_HOME_AT_HOME] = (float)home->at_home;
    out[PI_HOME_AWAY] = (float)home->away;
    out[PI_AWAY_AT_HOME] = (float)away->at_home;
    out[PI_AWAY_AWAY] = (float)away->away;
    out[PI_DIFFERENCE] = (float)((home->at_home + home->away - away->at_home - away->away) / 2);
    out[PI_EXPECTED] = (float)pi_expected_goal_difference(home, away);
}

static void pi_apply(void *memory, const void *event, const void *result)
{
    struct pi_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    pi_update(&pi_rule_published, &state->team[fixture->home], &state->team[fixture->away],
              outcome->goals[SIDE_HOME], outcome->goals[SIDE_AWAY]);
}

const struct tracker tracker_pi = {
    .family = "pi",
    .doc = "Pi-ratings: separate ratings at home and away, learned from the goal difference.",
    .source = "results",
    .version = 1,
    .features = pi_features,
    .feature_count = PI_FEATURES,
    .state_bytes = pi_state_bytes,
    .init = pi_init,
    .emit = pi_emit,
    .apply = pi_apply,
};
