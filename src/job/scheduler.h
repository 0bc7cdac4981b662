/* Scheduler: starts the tasks of schedule_list.h when they are due, and remembers what became of them.
 *
 * A task is due at the moments of its cron expression in its time zone (job/cron.h), and starts up to jitter_s later: how much
 * is a hash of its name and the due time, so that it is the same after a restart. Rules:
 *   no overlap     a task whose job has not ended is not started again: the due time is noted as skipped
 *   missed         due times that passed more than LATE_US ago (no server ran, the machine slept) are noted as skipped, or
 *                  with the policy "once" made up for by one run, whatever their number
 *   once each      the job's key is "schedule:<name>:<due time>": a due time that is met again, because the server was killed
 *                  before it could note it, gets the same job
 *   users win      what a user set is kept in the store and holds over restarts and new programs; what he did not set is as
 *                  shipped
 * A task that the program does not have, or whose options do not fit it, is shown and never fires.
 *
 * Clock, submission and tasks are passed in, and time passes only in scheduler_run_due: a year is simulated in seconds
 * (schedule_simulation.h). Belongs to one thread. Memory: malloc, scheduler_destroy. */
#ifndef ALMANAC_JOB_SCHEDULER_H
#define ALMANAC_JOB_SCHEDULER_H

#include "base/err.h"
#include "base/json.h"
#include "job/cron.h"
#include "os/clock.h"
#include "store/job_store.h"
#include "store/schedule_store.h"

struct scheduler;

enum schedule_missed { SCHEDULE_SKIP, SCHEDULE_ONCE };
const char *schedule_missed_name(enum schedule_missed missed); /* "skip", "once" */
enum { SCHEDULE_JITTER_MAX_S = 3600 };

/* A task with its present values. */
struct schedule_task {
    const char *name, *task, *doc;
    char cron[SCHEDULE_CRON_BYTES], time_zone[SCHEDULE_ZONE_BYTES], options[SCHEDULE_OPTIONS_BYTES];
    enum schedule_missed missed;
    int64_t jitter_s;
    bool is_available;   /* the program has the task, and its values make sense */
    const char *trouble; /* why it is not available, "" */
    int64_t due_us;      /* next due time; TIME_NONE: none */
    int64_t next_us;     /* when it will start: due_us and its jitter; TIME_NONE: it will not */
    struct schedule_row row;
};

struct scheduler_options {
    struct db *db; /* borrowed */
    struct clock clock;
    const char *time_zone;   /* of tasks that name none; copied */
    const char *zone_folder; /* NULL: the system's */
    bool is_idle;            /* due times start nothing; scheduler_run_now does */
    /* Accepts a job (supervisor_submit). NULL: nothing can be started, only looked at and set. */
    enum err_code (*submit)(void *context, const struct job_order *order, struct job_row *out,
                            struct err *err);
    /* Is there such a task (ERR_NOT_FOUND), and do these options fit it? NULL: every task is there. */
    enum err_code (*check)(void *context, const char *task, const char *options_json, struct err *err);
    void (*changed)(void *context, const struct schedule_task *task); /* may be NULL */
    void *context;
};

/* Reads the store; nothing is started and nothing written before scheduler_begin. ERR_NOT_FOUND, ERR_INVALID:
 * the zone. A row of the store that makes no sense any more (a zone that is gone) is reported in the log and shown as not
 * available. */
enum err_code scheduler_create(const struct scheduler_options *options, struct scheduler **out,
                               struct err *err) CHECKED;
void scheduler_destroy(struct scheduler *scheduler);
const char *scheduler_time_zone(const struct scheduler *scheduler);
size_t scheduler_count(const struct scheduler *scheduler);
const struct schedule_task *scheduler_at(const struct scheduler *scheduler, size_t index);
/* ERR_NOT_FOUND names those there are. */
enum err_code scheduler_find(const struct scheduler *scheduler, const char *name,
                             const struct schedule_task **out, struct err *err) CHECKED;
/* Once, before the first scheduler_run_due: notes what became of jobs that ended while nobody looked, and from when on tasks
 * that are new are due. Starts nothing. */
void scheduler_begin(struct scheduler *scheduler);
/* The earliest next_us; TIME_NONE: nothing will start. */
int64_t scheduler_next_us(const struct scheduler *scheduler);
/* Starts what is due by the clock, and takes in what another process changed in the store. Cheap when nothing is. Trouble is
 * logged and noted in the task's row. */
void scheduler_run_due(struct scheduler *scheduler);
/* A job changed: when it is one of ours, its outcome is noted. A result {"outcome": "skipped", "note"} counts as skipped. */
void scheduler_job_changed(struct scheduler *scheduler, const struct job_row *job);

/* What a user sets; NULL, -1: stays. A text "" goes back to what is shipped. */
struct schedule_change {
    const char *cron, *time_zone, *missed, *options;
    int64_t jitter_s;
    int is_enabled; /* -1: stays */
};
/* All or nothing. ERR_INVALID with the field: "cron" (also when it never fires), "time_zone", "missed", "jitter_s",
 * "options". */
enum err_code scheduler_set(struct scheduler *scheduler, const char *name,
                            const struct schedule_change *change, struct err *err) CHECKED;
/* Starts it now, also when it is not enabled. ERR_CONFLICT: it still runs, or the program does not have it. */
enum err_code scheduler_run_now(struct scheduler *scheduler, const char *name, const char *who,
                                struct job_row *out, struct err *err) CHECKED;
/* Of a task that may be due at due_us: microseconds, whole seconds in 0..jitter_s. */
int64_t schedule_jitter_us(const char *name, int64_t due_us, int64_t jitter_s);

#endif
