/* Kelly stakes: of one bet (Kelly 1956) and of all bets placed at the same time.
 *
 * kelly_joint maximises E ln W, W = 1 + sum over bets of stake * (odds - 1 if it wins, else -1), where
 * matches are independent and selections of one match exclude each other. The number of joint outcomes grows
 * exponentially, so E ln W is not summed but integrated: for W > 0 ln W = integral over t > 0 of (e^-t -
 * e^-tW) / t,      E e^-tW = product over matches of E e^-t(payoff), which is exact for any number of bets up
 * to the error of the quadrature (exp-sinh-like trapezoid, below 1e-9 while at least 5 % of the bankroll
 * stays back, which is enforced). Gradient and Hessian follow under the integral; the concave maximum under
 * the caps is found by a log barrier and Newton's method. Limits: at most KELLY_BETS_MAX bets, at most
 * KELLY_TOTAL_MAX of the bankroll; dependence between matches (same weather, wrong model everywhere) is not
 * modelled, which a fraction of the result is the usual answer to. Threads: pure functions. Memory: stack
 * only (below 64 kB). */
#ifndef ALMANAC_EVALUATE_KELLY_H
#define ALMANAC_EVALUATE_KELLY_H

#include <stddef.h>

enum { KELLY_BETS_MAX = 64 };
#define KELLY_TOTAL_MAX 0.95

struct kelly_bet {
    size_t match;   /* bets of one match stand together and exclude each other */
    double p, odds; /* probability 0..1 (at most 1 in sum over a match), decimal odds > 1 */
};

/* (p * odds - 1) / (odds - 1), 0 when the edge is not positive. */
double kelly_fraction(double p, double odds);
/* stake[count], shares of the bankroll: each 0..cap, in sum at most min(total_cap, KELLY_TOTAL_MAX); caps >
 * 0. A bet that does not help gets exactly 0. */
void kelly_joint(const struct kelly_bet *bets, size_t count, double cap, double total_cap, double *stake);
/* E ln W of these stakes (their sum at most KELLY_TOTAL_MAX). */
double kelly_growth(const struct kelly_bet *bets, size_t count, const double *stake);

#endif
