/* Bootstrap: percentile intervals of a figure by drawing whole blocks (match days) with replacement.
 *
 * Matches of one day share weather, news and the same refit, so rows are not independent, days nearly are.
 * Each block is first reduced to a few sums ("sums", [blocks][width]); a draw adds up the sums of as many
 * blocks as there are, and `finish` turns the total into the figure. A draw therefore costs blocks * width
 * additions, whatever the rows. With fewer than about 20 blocks an interval is a rough guide only; with one
 * it has no width. Source: Efron & Tibshirani 1993, ch. 8 (blocks) and 13.3 (percentile interval). Threads:
 * pure functions; the same seed gives the same interval. Memory: all freed before return. */
#ifndef ALMANAC_LEARN_BOOTSTRAP_H
#define ALMANAC_LEARN_BOOTSTRAP_H

#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct interval {
    double value, low,
        high; /* the figure of the rows themselves; its 2.5 % and 97.5 % quantiles over the draws */
    double standard_error; /* standard deviation over the draws */
};

/* The figure from total[width]; NaN where it has none (such draws are left out). */
typedef double bootstrap_finish(const double *total, const void *context);

/* sums[blocks][width], draws >= 1. ERR_INVALID: no blocks; ERR_NOMEM. All NaN when the figure itself is NaN.
 */
enum err_code bootstrap_interval(const double *sums, size_t blocks, size_t width, bootstrap_finish *finish,
                                 const void *context, size_t draws, uint64_t seed, struct interval *out,
                                 struct err *err) CHECKED;
/* Of sum(numerator) / sum(denominator) over the rows; denominator NULL means ones (a mean).
 * block[rows] never decreases. NaN when the denominators sum to 0. */
enum err_code bootstrap_ratio(const double *numerator, const double *denominator, const int64_t *block,
                              size_t rows, size_t draws, uint64_t seed, struct interval *out,
                              struct err *err) CHECKED;
/* How many runs of equal values block[rows] has; asserts that it never decreases. */
size_t bootstrap_block_count(const int64_t *block, size_t rows);

#endif
