/* Promotion: champion against challenger on the same untouched matches. */
#ifndef ALMANAC_TASK_PROMOTE_H
#define ALMANAC_TASK_PROMOTE_H

#include "base/err.h"
#include "base/json.h"
#include "feature/matrix.h"
#include "learn/split.h"
#include "registry/registry.h"
#include "task/prepare.h"
#include "task/task.h"

/* Decides whether `version` should replace the Production version of `name`: lower Brier on the same holdout rows, the
 * paired block-bootstrap interval of the difference below 0, and calibration error not worse beyond its own interval. A
 * first version is promoted when nothing is in production. league_rows has the widest columns, p the challenger's
 * probabilities of the holdout. Writes {"promote", "reason", "champion", and where they were compared "brier": {...}, "ece": {...}}. */
enum err_code promote_decide(struct task_context *context, const struct model_name *name, const char *version,
                             const struct matrix *matrix, const struct selected *league_rows,
                             struct split split, const double *p, struct json_writer *out,
                             struct err *err) CHECKED;
/* Commit of a training result: the version's row, its decision, its stage. */
enum err_code promote_commit(struct store *store, const json_t *result, struct err *err) CHECKED;

#endif
