/* Walk-forward schedule: when a backtest refits, on which rows, and which rows each fit is judged on.
 *
 * Refits happen at `from` and then at calendar borders (UTC midnights): Mondays, firsts of the month, 1 July,
 * or every N days. A fit is judged on the rows from its instant up to the next one (or `to`). Invariant:
 * training rows kicked off strictly before refit - embargo (their outcome was known), they come before every
 * judged row, and no fit is trained on one part of a block (match day) and judged on another: a block that a
 * refit instant would cut is judged whole by the fit before it.
 * Threads: pure functions. Memory: malloc, walk_forward_release. */
#ifndef ALMANAC_EVALUATE_WALK_FORWARD_H
#define ALMANAC_EVALUATE_WALK_FORWARD_H

#include "base/err.h"
#include "learn/dataset.h"
#include <stddef.h>
#include <stdint.h>

enum walk_cadence { WALK_WEEKLY, WALK_MONTHLY, WALK_SEASON, WALK_DAYS, WALK_ONCE, WALK_CADENCE_COUNT };

const char *walk_cadence_name(enum walk_cadence cadence); /* "weekly" "monthly" "season" "days" "once" */

struct walk_plan {
    int64_t from_us, to_us; /* judged rows: from <= kick-off < to; years 1800 to 2200 */
    enum walk_cadence cadence;
    int64_t every_days;  /* WALK_DAYS: N >= 1 */
    int64_t window_days; /* rolling: training rows of this many days before the refit; 0: expanding */
    int64_t embargo_us;  /* >= 0; a few hours, so that the last match was over */
    size_t least_rows;   /* fits with fewer training rows are left out (at least 1 is always needed) */
};

struct walk_window {
    int64_t refit_us;
    size_t train_begin, train_end; /* [begin, end) */
    size_t test_begin, test_end;   /* train_end <= test_begin < test_end */
};

struct walk_forward {
    struct walk_window *windows; /* in time order; those without a judged row are left out */
    size_t count;
    size_t skipped_rows; /* would have been judged, but too few rows came before */
};

/* ERR_INVALID: a plan out of range, or nothing to judge (the message says why). */
enum err_code walk_forward_plan(const struct dataset *data, const struct walk_plan *plan,
                                struct walk_forward *out, struct err *err) CHECKED;
void walk_forward_release(struct walk_forward *walk);

#endif
