/* Drift alarm: which features have moved farther from their past than they do in a world that stays the same?
 *
 * Ratings wander, seasons have phases, teams go up and down: a window of recent matches always differs from the years before
 * it, and p-values for independent rows call almost every feature drifted. So the limits are taken from the model's own past:
 * a sample is a window of as many successive matches of one league, with the matches before it, up to `gap` of them left
 * out (the model grows old before it is replaced), as its reference: exactly the comparison that is made of the present.
 * Windows are whole, so whatever ties their match days to each other is in the limits too. Of each feature the limit of each
 * measure is a high quantile over the samples; of the samples themselves the share of features beyond their limits gives the
 * limit of that share. Deterministic for a seed. Threads: pure functions. */
#ifndef ALMANAC_EVALUATE_DRIFT_ALARM_H
#define ALMANAC_EVALUATE_DRIFT_ALARM_H

#include "base/random.h"
#include "evaluate/drift.h"
#include <stdbool.h>
#include <stddef.h>

enum { DRIFT_ALARM_REFERENCE_MOST = 2000 }; /* rows a reference has at most: the latest */

/* Rows of one feature's values: [reference_begin, reference_end) against [begin, end). */
struct drift_sample {
    size_t reference_begin, reference_end, begin, end;
};
/* A sample of the rows [first, first + rows) of one league, in order of time; false when they are fewer than four windows.
 * The window begins in the later two thirds; the gap before it is 0 .. gap rows, as far as a third of the rows stay. */
bool drift_sample_draw(struct random *random, size_t first, size_t rows, size_t window, size_t gap,
                       struct drift_sample *out);
/* scratch[DRIFT_ALARM_REFERENCE_MOST + window]; values are left as they are. */
void drift_sample_measure(const float *values, const struct drift_sample *sample, float *scratch,
                          struct drift *out);
/* Of each measure the value that a share `level` of the samples exceed, at least a little above 0; of missing_change that of
 * its absolute value, at least DRIFT_MISSING_LEAST. scratch[count]. A measure without a value in most samples: INFINITY. */
#define DRIFT_MISSING_LEAST 0.10
void drift_limits(const struct drift *samples, size_t count, double level, double *scratch,
                  struct drift *out);
/* At least two of the four measures beyond their limits, or missing values: one alone may be a quirk of its bins. */
bool drift_is_beyond(const struct drift *drift, const struct drift *limit);
/* The share of features that a share `rate` of the samples exceed. shares[count], sorted. */
double drift_share_limit(double *shares, size_t count, double rate);

#endif
