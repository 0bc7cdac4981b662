/* One match: Dixon & Coles's model, its true probabilities in closed form, and statistics that lean on the strengths.
 *
 * The dependence of Dixon & Coles (1997, eq. 4.2) moves probability between four scores only: 0-0 and 1-1 gain
 * d = -rho lambda mu exp(-lambda - mu), 1-0 and 0-1 lose as much. So relative to independent goals the draw gains 2d,
 * either win loses d, and "more than 2.5 goals" does not change.
 */
#include "football/simulation_private.h"

#include <assert.h>
#include <math.h>

enum { TERMS = 40 }; /* Poisson terms; with a mean of 5 the rest is below 1e-20 */

#define HALF_TIME_SHARE 0.45
#define GOALS_USUAL     1.35 /* of a side; statistics are given for it */

/* x = k ln 2 + r with |r| <= 0.35, Taylor's series of exp(r) up to r^13 / 13!. ln 2 is split, so that k times its first
 * part is exact (Cody & Waite 1980). */
double simulation_exp(double x)
{
    assert(x >= -60 && x <= 60);
    double k = floor(x * 1.4426950408889634 + 0.5);
    double r = (x - k * 0.693145751953125) - k * 1.4286068203094172321e-6, sum = 1;
    for (int term = 13; term >= 1; term--)
        sum = 1 + r / term * sum;
    return ldexp(sum, (int)k);
}

static void find_truth(double rho, struct simulated_match *match)
{
    double lambda = match->expected[SIDE_HOME], mu = match->expected[SIDE_AWAY], total = lambda + mu;
    double home = simulation_exp(-lambda), away = simulation_exp(-mu), none = home * away;
    double away_below = 0, home_wins = 0, draws = 0;
    for (int goals = 0; goals < TERMS; goals++) { /* home and away: the chance of just that many */
        home_wins += home * away_below;
        draws += home * away;
        away_below += away;
        home *= lambda / (goals + 1);
        away *= mu / (goals + 1);
    }
    double shift = -rho * lambda * mu * none;
    match->p[0] = home_wins - shift;
    match->p[1] = draws + 2 * shift;
    match->p[2] = 1 - match->p[0] - match->p[1];
    match->p_over = 1 - none * (1 + total + total * total / 2);
}

/* tau of Dixon & Coles, eq. 4.2 */
static double dependence(double rho, const struct simulated_match *match, int home, int away)
{
    double lambda = match->expected[SIDE_HOME], mu = match->expected[SIDE_AWAY];
    if (home > 1 || away > 1)
        return 1;
    if (home == 0)
        return away == 0 ? 1 - lambda * mu * rho : 1 + lambda * rho;
    return away == 0 ? 1 + mu * rho : 1 - rho;
}

/* Independent goals, kept with a chance proportional to tau (von Neumann's rejection). */
static void draw_goals(struct random *random, double rho, struct simulated_match *match)
{
    double nil_nil = dependence(rho, match, 0, 0), one_all = dependence(rho, match, 1, 1);
    double most = nil_nil > one_all ? nil_nil : one_all;
    do {
        match->goals[SIDE_HOME] = random_poisson(random, match->expected[SIDE_HOME]);
        match->goals[SIDE_AWAY] = random_poisson(random, match->expected[SIDE_AWAY]);
    } while (random_uniform(random) * most >=
             dependence(rho, match, match->goals[SIDE_HOME], match->goals[SIDE_AWAY]));
}

static int draw_binomial(struct random *random, int trials, double p)
{
    int count = 0;
    for (int i = 0; i < trials; i++)
        count += random_uniform(random) < p;
    return count;
}

/* A count with that mean, times a log-normal error that is the match's own. */
static int draw_count(struct random *random, double mean, double deviation)
{
    int count = random_poisson(random, mean * simulation_exp(deviation * random_normal(random)));
    return count < 90 ? count : 90;
}

/* Better sides shoot more and foul less: powers 3/4, 1/2 and -1/4 of the expected goals. Means are the Premier League's
 * of 2015 to 2024. */
static void draw_statistics(struct random *random, struct simulated_match *match)
{
    for (int side = 0; side < SIDE_COUNT; side++) {
        double half = sqrt(match->expected[side] / GOALS_USUAL), quarter = sqrt(half);
        int saved = draw_count(random, 3.0 * half * quarter, 0.15);
        int wide = draw_count(random, 8.2 * half, 0.15);
        int fouls = draw_count(random, 10.7 / quarter, 0.10);
        match->stats[STAT_SHOTS_ON_TARGET][side] = match->goals[side] + saved;
        match->stats[STAT_SHOTS][side] = match->goals[side] + saved + wide;
        match->stats[STAT_CORNERS][side] = draw_count(random, 5.1 * half, 0.20);
        match->stats[STAT_FOULS][side] = fouls;
        match->stats[STAT_YELLOWS][side] = draw_binomial(random, fouls, 0.155);
        match->stats[STAT_REDS][side] = random_uniform(random) < 0.065;
    }
}

void simulation_play(struct random *random, double rho, struct simulated_match *match)
{
    assert(match->expected[SIDE_HOME] > 0 && match->expected[SIDE_HOME] <= 5);
    assert(match->expected[SIDE_AWAY] > 0 && match->expected[SIDE_AWAY] <= 5);
    assert(rho <= 0 && rho > -0.2); /* every tau stays above 0 */
    find_truth(rho, match);
    draw_goals(random, rho, match);
    for (int side = 0; side < SIDE_COUNT; side++)
        match->half_goals[side] = draw_binomial(random, match->goals[side], HALF_TIME_SHARE);
    draw_statistics(random, match);
}
