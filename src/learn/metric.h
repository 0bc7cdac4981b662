/* Metrics of probability forecasts, each a mean of per-row scores where that is what it is, so that one
 * bootstrap serves all. p[rows][classes], labels 0..classes-1; classes in their natural order (home, draw,
 * away). One row per metric in metric_list.h. */
#ifndef ALMANAC_LEARN_METRIC_H
#define ALMANAC_LEARN_METRIC_H

#include "base/err.h"
#include "learn/bootstrap.h"
#include <stddef.h>
#include <stdint.h>

enum metric {
#define METRIC(symbol, name, is_row_mean, lower_is_better, doc) METRIC_##symbol,
#include "learn/metric_list.h"
#undef METRIC
    METRIC_COUNT
};

const char *metric_name(enum metric metric);
const char *metric_doc(enum metric metric);
int metric_is_row_mean(enum metric metric);
int metric_lower_is_better(enum metric metric);

/* Score of one row: log loss -ln p_y (p clipped to 1e-15), Brier sum (p-o)^2, RPS 1/(classes-1) sum (F-O)^2,
 * accuracy 1/0 (ties: first class). Asserts metric_is_row_mean. */
double metric_row(enum metric metric, const double *p, size_t classes, int32_t label);
/* Over all rows; weight[rows] are bootstrap counts or NULL for ones. NaN when the weights sum to 0 (no rows).
 * Macro F1 leaves out classes that neither happened nor were predicted, as scikit-learn's f1_score does. */
double metric_value(enum metric metric, const double *p, const int32_t *label, const double *weight,
                    size_t rows, size_t classes);

/* Percentile interval by block bootstrap: whole blocks (match days) are drawn with replacement.
 * block[rows] never decreases. draws >= 1; level 0.95 (struct interval: learn/bootstrap.h); of
 * METRIC_ECE the lower end is max(0, min(low, 2 value - high)), as resampling biases it upwards. ERR_INVALID: no rows. */
enum err_code metric_interval(enum metric metric, const double *p, const int32_t *label, const int64_t *block,
                              size_t rows, size_t classes, size_t draws, uint64_t seed, struct interval *out,
                              struct err *err) CHECKED;
/* Mean difference a - b of a row-mean metric on the same rows, with its paired block-bootstrap interval. */
enum err_code metric_difference(enum metric metric, const double *a, const double *b, const int32_t *label,
                                const int64_t *block, size_t rows, size_t classes, size_t draws,
                                uint64_t seed, struct interval *out, struct err *err) CHECKED;

/* Reliability in `bins` bins of equal width over [0,1]; bin k holds k/bins <= p < (k+1)/bins, the last one 1
 * too. The rule of ECE: the probabilities of all classes go into the same bins, each against "this class
 * happened" (one against the rest), ECE = sum over bins of count / (rows * classes) * |mean_p - mean_o|;
 * METRIC_ECE uses METRIC_ECE_BINS. Empty bins have count 0 and means NaN. out[bins]. */
enum { METRIC_ECE_BINS = 15 };
struct reliability_bin {
    double low, high, mean_p, mean_o;
    size_t count;
};
void metric_reliability(const double *p, const int32_t *label, size_t rows, size_t classes, size_t bins,
                        struct reliability_bin *out);
/* The same of the probabilities of one class only. */
void metric_reliability_class(const double *p, const int32_t *label, size_t rows, size_t classes,
                              size_t class_index, size_t bins, struct reliability_bin *out);

#endif
