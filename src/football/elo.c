/* Elo family: three ratings side by side, one pool per country, so that promoted and relegated teams keep
 * theirs.
 *
 *   plain   K = 20
 *   world   K = 20, World Football margin
 *   club    K = 12, square root of the goal difference
 *
 * All start at 1500 with a home advantage of 60 (none on neutral ground); the arithmetic is rating.c's. They
 * are never drawn back to the mean between seasons: on 225,826 matches that reading reproduces the published
 * log losses. */
#include "football/families.h"
#include "football/match.h"
#include "football/rating.h"

#include <assert.h>

enum { ELO_PLAIN, ELO_WORLD, ELO_CLUB, ELO_RULES, ELO_ADVANTAGE = 60 };

static const struct elo_rule elo_rules[ELO_RULES] = {
    [ELO_PLAIN] = {20, ELO_ADVANTAGE, ELO_MARGIN_NONE},
    [ELO_WORLD] = {20, ELO_ADVANTAGE, ELO_MARGIN_WORLD},
    [ELO_CLUB] = {12, ELO_ADVANTAGE, ELO_MARGIN_SQUARE_ROOT},
};

enum { ELO_HOME, ELO_AWAY, ELO_DIFFERENCE, ELO_EXPECTATION, ELO_FEATURES };

#define ELO_DIFFERENCE_HIGH (ELO_HIGH - ELO_LOW + ELO_ADVANTAGE)
#define ELO_ROWS(name, kind)                                                                                 \
    {"elo_" name "_home",                                                                                    \
     "points",                                                                                               \
     ELO_LOW,                                                                                                \
     ELO_HIGH,                                                                                               \
     FEATURE_BEFORE_START,                                                                                   \
     "Elo rating of the home team, " kind "."},                                                              \
        {"elo_" name "_away",                                                                                \
         "points",                                                                                           \
         ELO_LOW,                                                                                            \
         ELO_HIGH,                                                                                           \
         FEATURE_BEFORE_START,                                                                               \
         "Elo rating of the away team, " kind "."},                                                          \
        {"elo_" name "_difference",                                                                          \
         "points",                                                                                           \
         -ELO_DIFFERENCE_HIGH,                                                                               \
         ELO_DIFFERENCE_HIGH,                                                                                \
         FEATURE_BEFORE_START,                                                                               \
         "Home rating plus home advantage 60 (none on neutral ground) minus away rating, " kind "."},        \
    {                                                                                                        \
        "elo_" name "_expectation", "score", 0, 1, FEATURE_BEFORE_START,                                     \
            "Expected score of the home team, 1/(1+10^(-difference/400)), " kind "."                         \
    }

static const struct feature elo_features[ELO_RULES * ELO_FEATURES] = {
    ELO_ROWS("plain", "K 20, no margin (clubelo.com/System)"),
    ELO_ROWS("world", "K 20, World Football margin (eloratings.net)"),
    ELO_ROWS("club", "K 12, square root of the goal difference (ClubElo 2012)"),
};

struct elo_team {
    double rating[ELO_RULES];
};
struct elo_state {
    uint64_t team_count;
    struct elo_team team[];
};

static size_t elo_state_bytes(const struct stream_size *size)
{
    return sizeof(struct elo_state) + size->entities * sizeof(struct elo_team);
}

static void elo_init(void *memory, const struct stream_size *size)
{
    struct elo_state *state = memory;
    state->team_count = size->entities;
    for (size_t i = 0; i < size->entities; i++) {
        for (size_t rule = 0; rule < ELO_RULES; rule++)
            state->team[i].rating[rule] = ELO_START;
    }
}

static void elo_emit(const void *memory, const void *event, float *out)
{
    const struct elo_state *state = memory;
    const struct fixture *fixture = event;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    const struct elo_team *home = &state->team[fixture->home], *away = &state->team[fixture->away];
    for (size_t rule = 0; rule < ELO_RULES; rule++, out += ELO_FEATURES) {
        double difference =
            elo_difference(&elo_rules[rule], home->rating[rule], away->rating[rule], fixture->is_neutral);
        out[ELO_HOME] = (float)home->rating[rule];
        out[ELO_AWAY] = (float)away->rating[rule];
        out[ELO_DIFFERENCE] = (float)difference;
        out[ELO_EXPECTATION] = (float)elo_expectation(difference);
    }
}

static void elo_apply(void *memory, const void *event, const void *result)
{
    struct elo_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    assert((uint64_t)fixture->home < state->team_count && (uint64_t)fixture->away < state->team_count);
    struct elo_team *home = &state->team[fixture->home], *away = &state->team[fixture->away];
    for (size_t rule = 0; rule < ELO_RULES; rule++)
        elo_update(&elo_rules[rule], &home->rating[rule], &away->rating[rule], outcome->goals[SIDE_HOME],
                   outcome->goals[SIDE_AWAY], fixture->is_neutral);
}

const struct tracker tracker_elo = {
    .family = "elo",
    .doc = "Elo ratings: plain, with World Football's margin, and club style; one pool per country.",
    .source = "results",
    .version = 1,
    .features = elo_features,
    .feature_count = ELO_RULES * ELO_FEATURES,
    .state_bytes = elo_state_bytes,
    .init = elo_init,
    .emit = elo_emit,
    .apply = elo_apply,
};
