/* Loss alarm: is the model in production still as good as when it was judged?
 *
 * What is watched is the surprise of each forecast: its log loss less the loss the forecast itself expects,
 *   x = -ln p_y - H(p),  H(p) = - sum p ln p
 * A calibrated forecast has E x = 0 whatever the matches are: a month of even matches raises the loss and not the
 * surprise. It is bounded at LOSS_ALARM_BOUND of the deviations that the forecasts expect: one match that was called impossible is
 * one match, and the alarm is about what lasts. Three detectors look at it: Page-Hinkley, ADWIN (a rise only), and the
 * score, (sum H) / (sum loss) over the last matches, at most 1.
 *
 * Their limits are calibrated: streams are drawn from the forecasts of the holdout by block bootstrap (whole match days),
 * a reference of the holdout's length and then `horizon` matches of a world in which nothing changed; each limit is the one
 * that a share `rate` of the runs passes at any time within the horizon. The same seed gives the same limits. The reference
 * is drawn anew in every run, so that the limits allow for what the holdout does not know of its own mean.
 * Threads: pure functions. Memory: freed before return. */
#ifndef ALMANAC_EVALUATE_LOSS_ALARM_H
#define ALMANAC_EVALUATE_LOSS_ALARM_H

#include "base/err.h"
#include "evaluate/adwin.h"
#include "evaluate/page_hinkley.h"
#include <stddef.h>
#include <stdint.h>

struct loss_row {
    double loss, expected; /* -ln p_y and H(p) */
    double variance;       /* of the surprise as the forecast expects it: sum p (ln p)^2 - H^2 */
    int64_t block;         /* match day; never decreases */
    int64_t time_us;
};
/* Of one forecast; p[classes] as told, clipped to 1e-15. */
struct loss_row loss_row_make(const double *p, size_t classes, int32_t label, int64_t block, int64_t time_us);

enum { LOSS_ALARM_REFERENCE_LEAST = 50 };
#define LOSS_ALARM_BOUND 4.0
struct loss_alarm_plan {
    const struct loss_row *reference; /* forecasts of the holdout, in order of time */
    size_t rows;
    size_t horizon;      /* matches */
    size_t score_window; /* matches the score is over */
    size_t runs;
    uint64_t seed;
    double rate; /* of each detector, per horizon */
};
struct loss_alarm_limits {
    double delta, lambda;            /* Page-Hinkley: delta is a fifth of the surprise's deviation */
    double adwin_delta;              /* ADWIN */
    double score;                    /* alarm below */
    double loss, expected, surprise; /* means over the reference */
    double deviation;                /* of the surprise, as the forecasts of the reference expect it */
};
/* ERR_INVALID: fewer than LOSS_ALARM_REFERENCE_LEAST rows, or one block only. */
enum err_code loss_alarm_calibrate(const struct loss_alarm_plan *plan, struct loss_alarm_limits *out,
                                   struct err *err) CHECKED;

/* What the detectors say after `count` matches since the reference. */
struct loss_alarm {
    size_t count;
    double loss, expected;             /* means of the live matches; NaN without */
    double page_hinkley;               /* the statistic now */
    double page_hinkley_most;          /* its maximum so far */
    double adwin_least;                /* the least delta so far that a rise would have needed */
    double score;                      /* of the last score_window matches; NaN while there are fewer */
    int64_t page_hinkley_us, adwin_us; /* kick-off at which it first passed its limit; INT64_MIN never */
};
void loss_alarm_run(const struct loss_row *reference, size_t reference_rows, const struct loss_row *live,
                    size_t live_rows, size_t score_window, const struct loss_alarm_limits *limits,
                    struct loss_alarm *out);

#endif
