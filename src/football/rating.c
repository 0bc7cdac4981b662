/* Ratings: the arithmetic of rating.h. Powers of ten are taken as powers of two (exp2 is the cheapest of the
 * family and rounds as well). */
#include "football/rating.h"

#include <math.h>

static const double LOG2_OF_10 = 3.321928094887362;
static const double LOG10_OF_2 = 0.3010299956639812;

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

double elo_difference(const struct elo_rule *rule, double home, double away, bool is_neutral)
{
    return home + (is_neutral ? 0 : rule->home_advantage) - away;
}

double elo_expectation(double difference)
{
    return 1 / (1 + exp2(-difference * (LOG2_OF_10 / 400)));
}

double elo_margin_factor(enum elo_margin margin, int goal_difference)
{
    int gd = goal_difference < 0 ? -goal_difference : goal_difference;
    if (gd <= 1 || margin == ELO_MARGIN_NONE)
        return 1;
    if (margin == ELO_MARGIN_SQUARE_ROOT)
        return sqrt(gd);
    return gd == 2 ? 1.5 : (11 + gd) / 8.0;
}

void elo_update(const struct elo_rule *rule, double *home, double *away, int goals_home, int goals_away,
                bool is_neutral)
{
    double score = (1 + (goals_home > goals_away) - (goals_home < goals_away)) / 2.0;
    double expected = elo_expectation(elo_difference(rule, *home, *away, is_neutral));
    double change = rule->k * elo_margin_factor(rule->margin, goals_home - goals_away) * (score - expected);
    *home = clamp(*home + change, ELO_LOW, ELO_HIGH);
    *away = clamp(*away - change, ELO_LOW, ELO_HIGH);
}

double pi_goals(double rating)
{
    return copysign(exp2(fabs(rating) * (LOG2_OF_10 / 3)) - 1, rating);
}

double pi_expected_goal_difference(const struct pi_rating *home, const struct pi_rating *away)
{
    return pi_goals(home->at_home) - pi_goals(away->away);
}

void pi_update(const struct pi_rule *rule, struct pi_rating *home, struct pi_rating *away, int goals_home,
               int goals_away)
{
    double error = goals_home - goals_away - pi_expected_goal_difference(home, away);
    double psi = copysign(3 * LOG10_OF_2 * log2(1 + fabs(error)), error);
    double change = rule->lambda * psi;
    home->at_home = clamp(home->at_home + change, -PI_LIMIT, PI_LIMIT);
    home->away = clamp(home->away + rule->gamma * change, -PI_LIMIT, PI_LIMIT);
    away->away = clamp(away->away - change, -PI_LIMIT, PI_LIMIT);
    away->at_home = clamp(away->at_home - rule->gamma * change, -PI_LIMIT, PI_LIMIT);
}
