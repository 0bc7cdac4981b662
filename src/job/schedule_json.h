/* The schedule as JSON: what the server answers and the command prints. Times are UTC ISO 8601, null for TIME_NONE. */
#ifndef ALMANAC_JOB_SCHEDULE_JSON_H
#define ALMANAC_JOB_SCHEDULE_JSON_H

#include "base/json.h"
#include "job/scheduler.h"

struct schedule_limits {
    int64_t hard_s, soft_s; /* that a run has */
};
void schedule_write_task(struct json_writer *out, const struct schedule_task *task,
                         struct schedule_limits limits);
void schedule_write_run(struct json_writer *out, const struct schedule_run *run);
/* {"cron", "time_zone", "times": [...], "local": [...]}: the next `count` moments after `after_us`. ERR_INVALID, ERR_NOT_FOUND:
 * the expression, the zone. */
enum err_code schedule_write_preview(struct json_writer *out, const char *cron, const char *time_zone,
                                     int64_t after_us, size_t count, struct err *err) CHECKED;

#endif
