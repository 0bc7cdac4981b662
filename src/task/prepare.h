/* Prepare: from the store to the feature matrix, the first half of every learning task. There is one matrix per state of
 * the data: it holds the columns of the widest feature set, and narrower sets are columns of it, by name. */
#ifndef ALMANAC_TASK_PREPARE_H
#define ALMANAC_TASK_PREPARE_H

#include "base/err.h"
#include "feature/audit.h"
#include "feature/matrix.h"
#include "football/history.h"
#include "football/target.h"
#include "learn/dataset.h"
#include "task/task.h"

/* All matches of the store. */
enum err_code prepare_history(struct task_context *context, struct history_options options,
                              struct history **out, struct err *err) CHECKED;
/* The matrix of the present data: opened, extended by what changed, or built (then a sample is audited for leaks). */
enum err_code prepare_matrix(struct task_context *context, struct matrix **out, struct err *err) CHECKED;
/* The same, every row computed again, whatever is kept. */
enum err_code prepare_matrix_anew(struct task_context *context, struct matrix **out, struct err *err) CHECKED;
/* The matrix with this key, if its file still exists (models keep the key of theirs). */
enum err_code prepare_matrix_by_key(struct task_context *context, const char *key, struct matrix **out,
                                    struct err *err) CHECKED;
/* Rebuilds histories from the frames of the store for the leak audit. Opened once, released with prepare_audit_close. */
enum err_code prepare_audit_open(struct task_context *context, struct audit_source *out,
                                 struct err *err) CHECKED;
void prepare_audit_close(struct audit_source *source);
/* A builder watch that reports progress and stops with the task. The context must outlive it. */
struct build_watch prepare_watch(struct task_context *context);

/* Which rows of the matrix, which columns. */
enum prepare_pool { POOL_LEAGUE, POOL_COUNTRY, POOL_ALL };
#define PREPARE_POOL_CHOICES "league|country|all"
struct selection {
    enum target target;
    const struct feature_set *set;
    int league; /* index */
    enum prepare_pool pool;
    int64_t from_us, to_us; /* TIME_NONE: open; from inclusive, to exclusive */
    size_t last;            /* keep the last N rows; 0: all */
};
/* A dataset of its own memory. row[i] is the matrix row of dataset row i. */
struct selected {
    struct dataset data;
    uint32_t *row;
    float *x;
    int32_t *label, *group;
    int64_t *time_us, *block;
    const char **names;
};
enum err_code prepare_select(const struct matrix *matrix, const struct selection *selection,
                             struct selected *out, struct err *err) CHECKED;
void prepare_selected_release(struct selected *selected);
/* Column indices of the names in the matrix; ERR_CONFLICT names the first that is missing. columns[count]. */
enum err_code prepare_columns(const struct matrix *matrix, const char *const *names, size_t count,
                              uint32_t *columns, struct err *err) CHECKED;

#endif
