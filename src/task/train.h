/* Train: one model of one league and target, judged on an untouched holdout. What the holdout measures is exactly the file
 * that is served: the model is not refitted on the holdout afterwards. */
#ifndef ALMANAC_TASK_TRAIN_H
#define ALMANAC_TASK_TRAIN_H

#include "base/buffer.h"
#include "base/err.h"
#include "registry/registry.h"
#include "task/task.h"

struct train_options {
    char league[16];
    int target; /* enum target */
    char engine[32];
    char features[32];
    int pool; /* enum prepare_pool */
    int64_t last, from_us, to_us;
    double holdout;
    int64_t folds, seed;
    char parameters[1024];
    char matrix[80]; /* key of an existing matrix; empty: that of the present data */
};

/* The file's bytes for these options: what reproduce compares. version receives its name. */
enum err_code train_bytes(struct task_context *context, const struct train_options *options,
                          struct buffer *out, char *version, struct err *err) CHECKED;
/* Checks the options as a training would, and names the model that it would make. */
enum err_code train_model_name(const struct train_options *options, struct model_name *out,
                               struct err *err) CHECKED;
extern const struct task task_train;

#endif
