/* ADWIN: a window over a stream that drops its old part when old and new differ in the mean (Bifet & Gavalda 2007,
 * ADWIN2: an exponential histogram, and the bound with the variance).
 *
 *   the window is cut at the border of two buckets when, for W = W0 . W1 with means mu0, mu1 and n0 + n1 = n,
 *   |mu0 - mu1| > sqrt(2 s^2 L r) + 2 L r / 3      r = 1/n0 + 1/n1,  L = ln(2 / d'),  d' = delta / ln n
 *   s^2 the variance of the window; then the oldest bucket goes, until no border is to be cut
 *
 * Memory is fixed: at most ADWIN_BUCKETS buckets of each size 1, 2, 4 ... 2^(ADWIN_ROWS-1), so that n stays below 10^12.
 * The second term is for values within 0..1; others may be given, as delta is calibrated (evaluate/loss_alarm.h).
 * Threads: as the caller's struct. */
#ifndef ALMANAC_EVALUATE_ADWIN_H
#define ALMANAC_EVALUATE_ADWIN_H

#include <stdbool.h>
#include <stddef.h>

enum { ADWIN_BUCKETS = 5, ADWIN_ROWS = 38, ADWIN_SIDE_LEAST = 5 };

struct adwin_bucket {
    double total, variance; /* sum of the values; sum of squared deviations from their mean */
};
struct adwin_row {
    struct adwin_bucket buckets[ADWIN_BUCKETS + 1]; /* oldest first; one more while a new one comes in */
    size_t count;
};
struct adwin {
    double delta;
    struct adwin_row rows[ADWIN_ROWS]; /* row k: buckets of 2^k values */
    size_t row_count;
    double count, total, variance; /* of the window */
};

enum adwin_change { ADWIN_NONE, ADWIN_ROSE, ADWIN_FELL };

/* delta in (0, 1): the smaller, the more evidence is asked for. 0: the window is never cut. */
void adwin_init(struct adwin *adwin, double delta);
/* The next value, without looking for a change: what is known to be of one piece. */
void adwin_fill(struct adwin *adwin, double value);
/* The next value. Says whether the window was cut, and whether the new part's mean lies above or below the old one's (at
 * the first cut). */
enum adwin_change adwin_add(struct adwin *adwin, double value);
double adwin_count(const struct adwin *adwin);
double adwin_mean(const struct adwin *adwin); /* NaN when empty */
/* The smallest delta with which the present window would be cut because its mean rose; 1 when none below 1 would do. */
double adwin_least_delta(const struct adwin *adwin);

#endif
