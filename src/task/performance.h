/* Performance: looks at the models in production (task/monitor.h): settles what was forecast, replays what nobody asked for,
 * compares drift and live loss with their limits, and asks for a retraining where an alarm is on. */
#ifndef ALMANAC_TASK_PERFORMANCE_H
#define ALMANAC_TASK_PERFORMANCE_H

#include "task/monitor.h"

struct performance_options {
    char subject[16], variant[16], bot[32]; /* "" all */
    int64_t at_us;                          /* TIME_NONE: now */
    int64_t every;                          /* days; 0: one look */
    int64_t cooldown_h;
    struct monitor_options monitor;
};
extern const struct task task_performance;
/* What the scheduled check works with: the defaults, and over them what was set of the scheduled task. */
enum err_code performance_options_in_force(struct db *db, struct performance_options *out,
                                           struct err *err) CHECKED;
/* Its commit (performance_commit.c): limits, settled and replayed forecasts, checks. */
enum err_code performance_commit(struct store *store, const json_t *result, struct err *err) CHECKED;
/* The models in production that fit, newest trained first; *out is freed by the caller. "" matches all. */
enum err_code performance_models(struct store *store, const char *subject, const char *variant,
                                 const char *bot, struct version_row **out, size_t *out_count,
                                 struct err *err) CHECKED;

#endif
