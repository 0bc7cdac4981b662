/* Auto-retraining as JSON: what the server answers and the command prints. Both write members into an object that is
 * open. Times are UTC ISO 8601. */
#ifndef ALMANAC_TASK_RETRAINING_JSON_H
#define ALMANAC_TASK_RETRAINING_JSON_H

#include "base/json.h"
#include "store/retrain_store.h"
#include "task/performance.h"

/* Thresholds (without unit), false-alarm rate (share), horizon (matches), cooldown (hours). */
void retraining_write_settings(struct json_writer *out, const struct performance_options *options);
void retraining_write_event(struct json_writer *out, const struct retraining_event *event);

#endif
