/* Goal model: what two expected numbers of goals say about a match, by the model of Dixon & Coles (1997): independent
 * Poisson counts whose four lowest scores are corrected by tau (eq. 4.2),
 *
 *   tau(0,0) = 1 - lambda mu rho   tau(0,1) = 1 + lambda rho   tau(1,0) = 1 + mu rho   tau(1,1) = 1 - rho
 *
 * Invariant: every probability is in [0, 1] and those of the result sum to 1. Pure; any thread. */
#ifndef ALMANAC_FOOTBALL_GOAL_MODEL_H
#define ALMANAC_FOOTBALL_GOAL_MODEL_H

#include "football/match.h"

/* GOAL_MODEL_MOST: expected goals above it are not taken (the counts are summed up to 20). */
#define GOAL_MODEL_MOST 5.0

struct goal_chances {
    double home, draw, away; /* sum 1 */
    double over;             /* three goals or more */
    double both;             /* both sides score */
};

/* rho, moved into the open range in which every tau is positive. */
double goal_model_rho(const double expected[SIDE_COUNT], double rho);
/* expected in (0, GOAL_MODEL_MOST]; rho as given by goal_model_rho. */
void goal_model_chances(const double expected[SIDE_COUNT], double rho, struct goal_chances *out);

/* What a result says: derivatives of its log-likelihood. */
struct goal_score {
    double by_log_expected[SIDE_COUNT];
    double by_rho;
    double rho_information; /* Fisher's, the expected square of by_rho */
};
void goal_model_score(const double expected[SIDE_COUNT], double rho, const int16_t goals[SIDE_COUNT],
                      struct goal_score *out);

#endif
