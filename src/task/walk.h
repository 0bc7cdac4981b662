/* Walk: the fits of a walk-forward backtest. For one feature set and engine, fills a forecast of the judge row by row from
 * models that knew only what came before each refit. */
#ifndef ALMANAC_TASK_WALK_H
#define ALMANAC_TASK_WALK_H

#include "evaluate/walk_forward.h"
#include "task/fit.h"
#include "task/prepare.h"

struct walk {
    const struct walk_forward *plan; /* windows over the rows of `league` */
    const struct walk_plan *settings;
    const struct selected *league; /* the league's rows, widest columns */
    size_t first_row;              /* p[0] is this row of `league` */
    struct pool *pool;
    const struct reporter *reporter;
};

/* Learns from `rows` (any pool, columns of one set); calibrated anew at the first refit of each season by out-of-fold
 * predictions of what came before it, when recipe->folds > 0. p[judged rows][classes]. */
enum err_code walk_model(const struct walk *walk, const struct recipe *recipe, const struct selected *rows,
                         const char *name, double *p, struct err *err) CHECKED;
/* A baseline: learns from the league's own rows, not calibrated. */
enum err_code walk_baseline(const struct walk *walk, const char *engine, double *p, struct err *err) CHECKED;

#endif
