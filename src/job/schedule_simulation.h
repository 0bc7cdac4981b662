/* A schedule in simulated time: the scheduler itself, with a clock that jumps from one start to the next, jobs that end at
 * once, and a store in memory. A year of all tasks takes seconds. */
#ifndef ALMANAC_JOB_SCHEDULE_SIMULATION_H
#define ALMANAC_JOB_SCHEDULE_SIMULATION_H

#include "job/scheduler.h"

struct schedule_simulation {
    struct db *db;         /* whose user settings are taken; NULL: as shipped */
    const char *time_zone; /* of tasks that name none */
    const char *only;      /* one task; NULL: all */
    int64_t from_us, to_us;
    void (*fired)(void *context, const struct schedule_task *task, int64_t due_us, int64_t start_us);
    void *context;
};
/* Calls fired() for every start in [from_us, to_us), in order of time. */
enum err_code schedule_simulate(const struct schedule_simulation *simulation, struct err *err) CHECKED;

#endif
