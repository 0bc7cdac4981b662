/* Drift: how far the distribution of a feature has moved from a reference sample (SPEC E4). NaN values are counted apart:
 * the measures are over the values that are there; missing_change compares the shares of missing ones.
 *
 *   PSI   sum (a - e) ln(a / e) over at most ten bins at the deciles of the reference (Siddiqi 2006); a value that spans
 *         several deciles is a bin of its own; empty bins count as 1e-4
 *   KS    sup |F - G| (Kolmogorov 1933, Smirnov 1939), over all values, ties handled
 *   JS    (KL(P, M) + KL(Q, M)) / 2 over the same bins, natural logarithm: 0 .. ln 2 (Lin 1991)
 *   W1    integral |F - G| (Wasserstein 1), in units of the reference's standard deviation
 *
 * Checked against SciPy in the tests. Threads: any. */
#ifndef ALMANAC_EVALUATE_DRIFT_H
#define ALMANAC_EVALUATE_DRIFT_H

#include "base/err.h"
#include <stddef.h>

struct drift {
    double psi, ks, js, w1, missing_change;
};
/* Sorts both arrays, NaN last. Without two values on each side the four measures are NaN, without rows missing_change
 * too; W1 is NaN when the reference is constant and the other sample is not. */
void drift_measure(float *reference, size_t reference_count, float *current, size_t current_count,
                   struct drift *out);

enum { FEATURE_QUANTILES = 7 };
extern const double feature_quantile_levels[FEATURE_QUANTILES]; /* .01 .05 .25 .5 .75 .95 .99 */
struct feature_summary {
    size_t count, missing;              /* rows, and those of them that are NaN */
    double mean, deviation, low, high;  /* NaN when nothing is there; deviation is the sample's (n - 1) */
    double quantile[FEATURE_QUANTILES]; /* type 7 (Hyndman & Fan 1996), as numpy */
};
/* Sorts the array, NaN last. */
void feature_summarise(float *values, size_t count, struct feature_summary *out);

#endif
