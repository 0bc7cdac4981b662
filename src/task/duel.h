/* Duel: two versions of a league and target on the same matches, which neither of them has learned from. */
#ifndef ALMANAC_TASK_DUEL_H
#define ALMANAC_TASK_DUEL_H

#include "base/err.h"
#include "learn/bootstrap.h"
#include "learn/model.h"
#include "registry/registry.h"
#include "task/prepare.h"
#include "task/task.h"

enum { DUEL_ROWS_MIN = 50, DUEL_DRAWS = 1000 };

struct duel {
    size_t matches;
    int64_t from_us, to_us; /* first and last kick-off */
    struct interval brier,
        log_loss; /* b minus a: below 0, b is better; paired, by block bootstrap over match days */
};
/* key: of the feature matrix to judge on; it must be kept. ERR_INVALID: they forecast different things, or fewer than
 * DUEL_ROWS_MIN matches lie after what both learned from; ERR_NOT_FOUND: the matrix or a file is gone. */
enum err_code duel_versions(struct task_context *context, const struct version_row *a,
                            const struct version_row *b, const char *key, struct duel *out,
                            struct err *err) CHECKED;
/* Probabilities of rows begin..end-1, whose columns hold those of the model: p[end - begin][classes]. ERR_CONFLICT: one is
 * missing. */
enum err_code duel_predict(const struct model *model, const struct selected *rows, size_t begin, size_t end,
                           double *p, struct err *err) CHECKED;

#endif
