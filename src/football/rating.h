/* Ratings: Elo and pi as pure functions, shared by the trackers (elo.c, pi.c) and by the reference protocol
 * (reference.c), so that there is one copy of the arithmetic.
 *
 * - Elo: E = 1/(1 + 10^(-d/400)), d = R_home + H - R_away; R_home += K*G*(S - E), R_away -= the same
 *   (clubelo.com/System). Margin G: none, 1; World Football, 1 up to one goal, 1.5 for two, (11+gd)/8 from
 *   three on (eloratings.net); square root of the difference, 1 for a draw (ClubElo 2012).
 *
 * - pi: g(R) = sign(R) * (10^(|R|/3) - 1); expected goal difference = g(home team's rating at home) - g(away
 *   team's rating away); e = goal difference - expected; psi = sign(e) * 3 * log10(1 + |e|); the home team's
 *   rating at home moves by lambda*psi, the away team's rating away by -lambda*psi, and the other rating of
 *   each team by gamma times that change (Constantinou & Fenton 2013).
 *
 * Invariant: ratings stay within [ELO_LOW, ELO_HIGH] and [-PI_LIMIT, PI_LIMIT]: far outside anything that
 * real results reach (Elo differences of 900, pi-ratings of 3), but a bound that every feature can state.
 * Pure; any thread. */
#ifndef ALMANAC_FOOTBALL_RATING_H
#define ALMANAC_FOOTBALL_RATING_H

#include <stdbool.h>

enum { ELO_START = 1500, ELO_LOW = -1500, ELO_HIGH = 4500, PI_LIMIT = 6 };

enum elo_margin { ELO_MARGIN_NONE, ELO_MARGIN_WORLD, ELO_MARGIN_SQUARE_ROOT };

struct elo_rule {
    double k, home_advantage;
    enum elo_margin margin;
};

/* R_home + H - R_away; no H on neutral ground. */
double elo_difference(const struct elo_rule *rule, double home, double away, bool is_neutral);
/* Expected score of the home side, in [0, 1]. */
double elo_expectation(double difference);
double elo_margin_factor(enum elo_margin margin, int goal_difference);
/* Moves both ratings by one result (goals 0..99). */
void elo_update(const struct elo_rule *rule, double *home, double *away, int goals_home, int goals_away,
                bool is_neutral);

/* A team's two ratings. */
struct pi_rating {
    double at_home, away;
};
struct pi_rule {
    double lambda, gamma;
};

/* g(R): goals against an average opponent that a rating stands for. */
double pi_goals(double rating);
double pi_expected_goal_difference(const struct pi_rating *home, const struct pi_rating *away);
void pi_update(const struct pi_rule *rule, struct pi_rating *home, struct pi_rating *away, int goals_home,
               int goals_away);

#endif
