/* What the files of the supervisor share. Inside job/ only.
 *   supervisor.c      the two ends of its life, starting what is ready, telling
 *   supervisor_ask.c  new jobs, and what is done to one
 *   queue_control.c   the queues: pause, resume, stop, status
 *   running_job.c     one job from its start to its end
 *   job_progress.c    what it tells about itself
 *   job_watch.c       its limits
 *   supervisor_sync.c ends reach the disk
 *   recovery.c        what a dead server left */
#ifndef ALMANAC_JOB_SUPERVISOR_PARTS_H
#define ALMANAC_JOB_SUPERVISOR_PARTS_H

#include "job/child.h"
#include "job/log_feed.h"
#include "job/log_file.h"
#include "job/supervisor.h"

struct running_job {
    struct supervisor *supervisor;
    int64_t id, attempt, failures, max_attempts;
    size_t queue;
    int64_t started_us;   /* UTC */
    int64_t begun_us;     /* monotonic */
    enum job_state state; /* as in the row: running or stopping; later the one it shall have */
    struct child *child;  /* NULL: it has ended, but the row does not say so yet */
    struct log_file log;
    struct running_job *next;

    /* progress, as the row shall have it */
    bool has_progress;
    struct job_row told;
    int64_t phase_begun_us;    /* monotonic */
    int64_t progress_saved_us; /* monotonic */
    struct loop_timer *progress_timer;

    /* limits */
    char limit_reason[JOB_TEXT_BYTES / 2]; /* the one it broke; "" none */

    /* once it has ended */
    enum job_state final_state;
    char error[JOB_TEXT_BYTES];
    bool is_failure;
    int64_t not_before_us; /* of the next attempt; 0 */
    json_t *result;
    bool is_finished; /* `finish` was called */
    struct loop_timer *retry_timer;
};

enum { SUCCEEDED_MAX = 64 };

struct supervisor {
    struct loop *loop;
    struct store *store;
    struct clock clock;
    struct supervisor_options options;
    char program[FILE_PATH_BYTES];
    int lock; /* descriptor */
    char lease[JOB_LEASE_BYTES];
    int64_t told_event; /* the newest event of the store that `changed` knows */
    struct log_feed *feed;
    struct running_job *running; /* oldest first */
    size_t running_count;
    struct loop_timer *start_timer, *watch_timer;
    unsigned watch_turns;
    struct loop_timer *sync_timer;
    int64_t succeeded[SUCCEEDED_MAX]; /* jobs whose folders go once their rows are on the disk */
    size_t succeeded_count;
    bool is_closing, is_telling, is_starting;
    bool is_draining[QUEUE_COUNT]; /* stopped: the running ones finish */
};

int64_t supervisor_now_us(const struct supervisor *supervisor);
int64_t supervisor_monotonic_us(const struct supervisor *supervisor);
/* Tells `changed`, if anybody wants to know. */
void supervisor_tell(struct supervisor *supervisor, int64_t id);
struct running_job *supervisor_find(const struct supervisor *supervisor,
                                    int64_t id); /* NULL: it does not run */
/* Tells what the store knows and `changed` does not. */
void supervisor_tell_news(struct supervisor *supervisor);
/* What ended reaches the disk within a second, or now. */
void supervisor_sync_soon(struct supervisor *supervisor);
void supervisor_sync(struct supervisor *supervisor);
void supervisor_note_success(struct supervisor *supervisor, int64_t id);
/* Starts queued jobs while there is room; what goes wrong is logged and tried again. */
void supervisor_start_queued(struct supervisor *supervisor);

/* Starts the job that is queued under this id and adds it to the list. ERR_CONFLICT: it is not queued (any more). When it
 * cannot be started for a reason of its own it has failed, and the result is ERR_OK; when the machine refuses (an error that
 * can be retried: descriptors, memory, the disk) it stays queued. */
enum err_code running_job_start(struct supervisor *supervisor, int64_t id, size_t queue,
                                struct err *err) CHECKED;
/* TERM to a running job's group, KILL after the grace; the row says stopping first. */
enum err_code running_job_ask_to_stop(struct running_job *job, const char *who, struct err *err) CHECKED;
/* A place in the list for a job of this row, without a process; NULL: no memory. */
struct running_job *running_job_add(struct supervisor *supervisor, const struct job_row *row, size_t queue);
/* It has succeeded with this result (taken over), what is left is to record it. */
void running_job_set_result(struct running_job *job, json_t *result);
enum err_code running_job_settle_later(struct running_job *job, int64_t delay_ms, struct err *err) CHECKED;
void running_job_open_log(struct running_job *job);
/* A line of the server in the job's log. */
void running_job_say(struct running_job *job, const char *format, ...) PRINTF_LIKE(2, 3);
void running_job_on_progress(void *context, const char *phase, int64_t done, int64_t total);
void running_job_on_metric(void *context, const char *name, double value, int64_t step);
void running_job_save_progress(struct running_job *job); /* if there is any that the row does not have */
void running_job_warn(struct running_job *job);          /* the soft limit has passed */
/* Watches the limits for as long as jobs run. */
void supervisor_watch(struct supervisor *supervisor);
void running_job_destroy(struct running_job *job); /* takes it out of the list; a child is killed */

/* Takes the lock that only one supervisor of a store can have; *out is a descriptor that holds it. */
enum err_code recovery_lock(const struct store *store, int *out, struct err *err) CHECKED;
/* Kills what is left of the jobs of a dead server, then mends their rows. */
enum err_code recovery_run(struct supervisor *supervisor, struct err *err) CHECKED;

#endif
