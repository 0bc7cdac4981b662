/* Errors of probabilities as of numbers: RMSE and MAE of the forecast vector against the vector of what happened.
 *
 * With p[i][k] the probability of class k in row i and o[i][k] 1 for the class that happened, else 0, over n rows and K
 * classes:
 *     RMSE = sqrt(sum over i, k of (p[i][k] - o[i][k])^2 / (n K))       = sqrt(Brier / K), in 0 .. sqrt(2 / K)
 *     MAE  =      sum over i, k of |p[i][k] - o[i][k]|   / (n K)        in 0 .. 2 / K
 * so that they read as those of a forecast of numbers do: how far off one figure is. (RMSE ranks models as the Brier score
 * does; MAE is no proper score: it rewards exaggeration and decides nothing here.) Threads: any. */
#ifndef ALMANAC_LEARN_PROBABILITY_ERROR_H
#define ALMANAC_LEARN_PROBABILITY_ERROR_H

#include <stddef.h>
#include <stdint.h>

struct probability_error {
    double rmse, mae; /* NaN without rows */
};
/* p[rows][classes], label[rows] in 0..classes-1. */
struct probability_error probability_error_of(const double *p, const int32_t *label, size_t rows,
                                              size_t classes);

#endif
