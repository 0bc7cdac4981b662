/* Ordered logit (proportional odds, McCullagh 1980): P(class <= k) = 1 / (1 + exp(sum_j slope_j z_j -
 * cut_k)).
 *
 * Classes have an order (home, draw, away), cuts increase. With two classes this is plain logistic
 * regression. Maximum likelihood by Newton's method: the log likelihood is concave in (cuts, slopes)
 * (Burridge 1981; Pratt 1981), so what it converges to is the one optimum. Pure functions; any thread. */
#ifndef ALMANAC_LEARN_ORDERED_LOGIT_H
#define ALMANAC_LEARN_ORDERED_LOGIT_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORDERED_LOGIT_FEATURES = 8, ORDERED_LOGIT_CLASSES = 8 };

struct ordered_logit {
    size_t features, classes;
    double cut[ORDERED_LOGIT_CLASSES - 1];
    double slope[ORDERED_LOGIT_FEATURES];
};

/* z[rows][features] finite, of magnitude about 1 (standardised); label[rows]. Every class must occur.
 * stop(context), may be NULL, is asked once per iteration. *loss is the mean log loss reached.
 * ERR_INVALID: a class is missing; ERR_CANCELLED; ERR_NOMEM; ERR_INTERNAL: no convergence. */
enum err_code ordered_logit_fit(const double *z, const int32_t *label, size_t rows, size_t features,
                                size_t classes, bool (*stop)(void *context), void *context,
                                struct ordered_logit *out, double *loss, struct err *err) CHECKED;
/* p[classes] for one z[features]. Never NaN, whatever z. */
void ordered_logit_predict(const struct ordered_logit *logit, const double *z, double *p);

#endif
