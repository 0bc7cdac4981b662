/* Reproduce: makes a kept version again from its description and compares the bytes (SPEC D8). */
#ifndef ALMANAC_TASK_REPRODUCE_H
#define ALMANAC_TASK_REPRODUCE_H

#include "registry/registry.h"
#include "task/task.h"

struct reproduction {
    char version[MODEL_VERSION_BYTES]; /* of what was made again */
    size_t size_bytes;
    bool is_equal;
    size_t first_difference; /* byte offset, when not equal */
};
/* ERR_NOT_FOUND when the feature matrix of the version is gone and the data have changed since. */
enum err_code reproduce_version(struct task_context *context, const struct version_row *row,
                                struct reproduction *out, struct err *err) CHECKED;

#endif
