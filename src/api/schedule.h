/* The scheduler inside the server: its timer, its jobs, its news. Loop thread. */
#ifndef ALMANAC_API_SCHEDULE_H
#define ALMANAC_API_SCHEDULE_H

#include "base/err.h"
#include "store/job_store.h"
#include <stdbool.h>

struct api;
struct schedule_service;

/* After the supervisor. Nothing fires before the loop runs. time_zone: of tasks that name none. Not is_on: nothing fires,
 * and tasks run when asked to. */
enum err_code schedule_service_create(struct api *api, const char *time_zone, bool is_on,
                                      struct schedule_service **out, struct err *err) CHECKED;
/* After the supervisor has ended its jobs; NULL is fine. */
void schedule_service_destroy(struct schedule_service *service);
/* Whatever changed of a job. NULL is fine. */
void schedule_service_job_changed(struct schedule_service *service, const struct job_row *job);
/* When a scheduled task starts next; TIME_NONE: it will not. */
int64_t schedule_service_next_us(const struct schedule_service *service, const char *name);

#endif
