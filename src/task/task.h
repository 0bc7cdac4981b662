/* Task: one long flow over the stages: one file each, one row in task_list.h. Run in the terminal by the CLI, in a child
 * process by the server; the code is the same, only the reporter differs. */
#ifndef ALMANAC_TASK_TASK_H
#define ALMANAC_TASK_TASK_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "base/option.h"
#include "job/report.h"
#include "os/thread.h"
#include "store/store.h"

struct connector_settings;

struct task_context {
    struct store *store; /* read-only: a task writes files and a result, the owner writes the store */
    struct pool *pool;
    const struct reporter *reporter;
    const char *job_folder; /* for checkpoints, kept until the job has succeeded; NULL outside a job */
    const struct connector_settings *connectors; /* keys of sources; NULL: none is on */
};

struct task {
    const char *name, *doc;
    const char *queue; /* of job/queue_list.h; NULL: "default" */
    const struct option_table *options;
    size_t options_bytes;
    /* Options that are well-formed but make no sense together; NULL: none. Runs before a job is accepted. */
    enum err_code (*check)(const void *options, struct err *err);
    /* Does the work; appends one JSON object to result. */
    enum err_code (*run)(struct task_context *context, const void *options, struct buffer *result,
                         struct err *err);
    /* Turns the result into rows, in the process that owns the store; NULL: nothing to do. */
    enum err_code (*commit)(struct store *store, const json_t *result, struct err *err);
};

enum { TASK_OPTIONS_BYTES = 8192 };
const struct task *task_find(const char *name); /* NULL unknown */
const struct task *task_at(size_t index);       /* NULL past the end */

#endif
