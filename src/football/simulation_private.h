/* Inside football/ only: what the files of the simulation share. */
#ifndef ALMANAC_FOOTBALL_SIMULATION_PRIVATE_H
#define ALMANAC_FOOTBALL_SIMULATION_PRIVATE_H

#include "base/random.h"
#include "football/simulation.h"

enum {
    SIMULATION_TEAMS_MAX = 24,
    SIMULATION_ROUNDS_MAX = 2 * (SIMULATION_TEAMS_MAX - 1),
    SIMULATION_NAME_BYTES = 40,
    SIMULATION_TIERS_MAX = 5,
    SIMULATION_OUTSIDE_MAX = 10,
    SIMULATION_CLUBS_MAX = SIMULATION_TIERS_MAX * SIMULATION_TEAMS_MAX + SIMULATION_OUTSIDE_MAX
};

/* exp(x) for |x| <= 60, of + - * / alone: the same on every machine. */
double simulation_exp(double x);

/* What the attributes of a club are drawn from: its strength (log goals, both skills together, form apart) as the season
 * begins, and numbers of its own for this season. */
struct simulated_club {
    double strength;
    struct random random;
};
struct simulated_club simulation_club_state(const struct simulation *simulation, int club);

/* ---- simulation_names.c ---- */

/* Name number `index` of a country of simulated_league_list.h (by its first league's code): unique within the country
 * and the same for every seed. */
void simulation_name(const char *country, size_t index, char out[SIMULATION_NAME_BYTES]);

/* ---- simulation_calendar.c ---- */

struct simulated_pairing {
    int home, away; /* places in the division, 0..teams-1 */
};
/* Everybody against everybody, home and away: rounds 0..2(teams-1)-1 of teams/2 pairings each, nobody twice in a round.
 * out[2 (teams - 1) * teams / 2] */
void simulation_pair(size_t teams, struct simulated_pairing *out);

struct simulated_kickoff {
    int64_t day;
    int minutes;
};
struct simulated_round {
    struct simulated_kickoff kickoffs[SIMULATION_TEAMS_MAX / 2]; /* ascending */
};
/* When the matches of every round of the season begin; tier 1 is spread over more kick-offs than the others. Rounds do
 * not overlap, and two matches of a team lie two days or more apart. */
void simulation_calendar(int year, size_t teams, int tier, struct simulated_round out[SIMULATION_ROUNDS_MAX]);

/* ---- simulation_match.c ---- */

/* Fills everything but date, clubs and prices: draws goals, half time, statistics; computes the truth. `expected` is
 * set, each in (0, 5]. */
void simulation_play(struct random *random, double rho, struct simulated_match *match);

/* ---- simulation_prices.c ---- */

void simulation_price(struct random *random, struct simulated_match *match);

#endif
