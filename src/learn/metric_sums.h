/* Metric sums, private to metric.c and metric_bootstrap.c: every metric is a function of sums over rows, so
 * that one loop serves the plain value, the weighted value and the bootstrap over blocks.
 *
 *   row means   [0] weight, [1] weighted score
 *   macro F1    [0] weight, then per class: hits, predicted, happened
 *   ECE         [0] weight, then per bin: sum of (p - o)   (the bin's count cancels) */
#ifndef ALMANAC_LEARN_METRIC_SUMS_H
#define ALMANAC_LEARN_METRIC_SUMS_H

#include "learn/metric.h"

size_t metric_sums_width(enum metric metric, size_t classes);
/* Adds one row, counted `weight` times, to sums[width]. */
void metric_sums_add(enum metric metric, const double *p, size_t classes, int32_t label, double weight,
                     double *sums);
/* The figure; NaN when no weight was added. */
double metric_sums_finish(enum metric metric, const double *sums, size_t classes);

#endif
