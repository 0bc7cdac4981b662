/* Scheduled: what the scheduler (job/scheduler.h), which knows no tasks, asks about them. */
#ifndef ALMANAC_TASK_SCHEDULED_H
#define ALMANAC_TASK_SCHEDULED_H

#include "base/err.h"

/* For scheduler_options.check: ERR_NOT_FOUND, or why the options (a JSON object) do not fit the task. context is not used. */
enum err_code scheduled_check(void *context, const char *task_name, const char *options_json,
                              struct err *err) CHECKED;

#endif
