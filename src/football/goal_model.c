/* Goal model: the arithmetic of goal_model.h. One pass over the scores sums wins and draws of the independent counts;
 * tau moves `shift` = -rho lambda mu exp(-lambda-mu) onto 0-0 and 1-1 each, and takes it from 1-0 and 0-1. */
#include "football/goal_model.h"

#include <assert.h>
#include <math.h>

/* Counts up to 19: at the most expected goals, 5, the rest is 2e-7. */
enum { TERMS = 20 };

static const double RHO_MARGIN = 0.95; /* of the bound at which a tau is 0 */

static const double inverse[TERMS] = {1,        1.0 / 2,  1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6,  1.0 / 7,
                                      1.0 / 8,  1.0 / 9,  1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14,
                                      1.0 / 15, 1.0 / 16, 1.0 / 17, 1.0 / 18, 1.0 / 19, 1.0 / 20};

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

double goal_model_rho(const double expected[SIDE_COUNT], double rho)
{
    double lambda = expected[SIDE_HOME], mu = expected[SIDE_AWAY];
    double most = lambda > mu ? lambda : mu, product = lambda * mu, least = product > 1 ? product : 1;
    if (rho * most > -RHO_MARGIN && rho * least < RHO_MARGIN)
        return rho; /* as nearly always */
    return clamp(rho, -RHO_MARGIN / most, RHO_MARGIN / least);
}

void goal_model_chances(const double expected[SIDE_COUNT], double rho, struct goal_chances *out)
{
    double lambda = expected[SIDE_HOME], mu = expected[SIDE_AWAY], total = lambda + mu;
    assert(lambda > 0 && lambda <= GOAL_MODEL_MOST && mu > 0 && mu <= GOAL_MODEL_MOST);
    double home = exp(-lambda), away = exp(-mu), none = home * away;
    double both = (1 - home) * (1 - away), home_wins = 0, draws = 0, fewer_away = 0;
    for (int goals = 0; goals < TERMS; goals++) { /* home and away: the chance of just that many */
        home_wins += home * fewer_away;
        draws += home * away;
        fewer_away += away;
        home *= lambda * inverse[goals];
        away *= mu * inverse[goals];
    }
    double shift = -rho * lambda * mu * none;
    out->home = clamp(home_wins - shift, 0, 1);
    out->draw = clamp(draws + 2 * shift, 0, 1);
    out->away = clamp(1 - out->home - out->draw, 0, 1);
    out->over = clamp(1 - none * (1 + total + total * total / 2), 0, 1);
    out->both = clamp(both + shift, 0, 1);
}

void goal_model_score(const double expected[SIDE_COUNT], double rho, const int16_t goals[SIDE_COUNT],
                      struct goal_score *out)
{
    double lambda = expected[SIDE_HOME], mu = expected[SIDE_AWAY], product = lambda * mu;
    double none = 1 - product * rho, one_away = 1 + lambda * rho, one_home = 1 + mu * rho, both = 1 - rho;
    *out = (struct goal_score){{goals[SIDE_HOME] - lambda, goals[SIDE_AWAY] - mu}, 0, 0};
    /* the sum over the four scores of p (d tau/d rho)^2/tau, p without tau */
    out->rho_information =
        exp(-lambda - mu) * product * (product / none + lambda / one_away + mu / one_home + 1 / both);
    if (goals[SIDE_HOME] > 1 || goals[SIDE_AWAY] > 1)
        return;
    const double tau[2][2] = {{none, one_away}, {one_home, both}};
    const double by_rho[2][2] = {{-product, lambda}, {mu, -1}};            /* d tau / d rho */
    const double by_home[2][2] = {{-product * rho, lambda * rho}, {0, 0}}; /* d tau / d log lambda */
    const double by_away[2][2] = {{-product * rho, 0}, {mu * rho, 0}};     /* d tau / d log mu */
    int x = goals[SIDE_HOME], y = goals[SIDE_AWAY];
    out->by_rho = by_rho[x][y] / tau[x][y];
    out->by_log_expected[SIDE_HOME] += by_home[x][y] / tau[x][y];
    out->by_log_expected[SIDE_AWAY] += by_away[x][y] / tau[x][y];
}
