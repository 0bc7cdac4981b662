/* What the files of the supervisor share. Inside job/ only.
 *   supervisor.c      what the rest of the program asks for, and the end
 *   running_job.c     one job from its start to its end
 *   recovery.c        what a dead server left */
#ifndef ALMANAC_JOB_SUPERVISOR_PARTS_H
#define ALMANAC_JOB_SUPERVISOR_PARTS_H

#include "job/child.h"
#include "job/log_feed.h"
#include "job/log_file.h"
#include "job/supervisor.h"

struct running_job {
    struct supervisor *supervisor;
    int64_t id, attempt;
    enum job_state state; /* as in the row: running or stopping; later the one it shall have */
    struct child *child;  /* NULL: it has ended, but the row does not say so yet */
    struct log_file log;
    struct running_job *next;

    /* progress that the row does not have yet */
    bool has_progress;
    char phase[64];
    int64_t done, total;
    int64_t progress_saved_us; /* monotonic */
    struct loop_timer *progress_timer;

    /* once it has ended */
    enum job_state final_state;
    char error[JOB_TEXT_BYTES];
    json_t *result;
    bool is_finished; /* `finish` was called */
    struct loop_timer *retry_timer;
};

struct supervisor {
    struct loop *loop;
    struct store *store;
    struct clock clock;
    struct supervisor_options options;
    char program[FILE_PATH_BYTES];
    int lock; /* descriptor */
    struct log_feed *feed;
    struct running_job *running; /* oldest first */
    size_t running_count;
    struct loop_timer *start_timer;
    bool is_closing;
};

int64_t supervisor_now_us(const struct supervisor *supervisor);
/* Tells `changed`, if anybody wants to know. */
void supervisor_tell(struct supervisor *supervisor, int64_t id);
/* Starts queued jobs while there is room; what goes wrong is logged and tried again. */
void supervisor_start_queued(struct supervisor *supervisor);

/* Starts the job that is queued under this id and adds it to the list. ERR_CONFLICT: it is not queued (any more). When it
 * cannot be started for a reason of its own it has failed, and the result is ERR_OK. */
enum err_code running_job_start(struct supervisor *supervisor, int64_t id, struct err *err) CHECKED;
void running_job_destroy(struct running_job *job); /* takes it out of the list; a child is killed */

/* Takes the lock that only one supervisor of a store can have; *out is a descriptor that holds it. */
enum err_code recovery_lock(const struct store *store, int *out, struct err *err) CHECKED;
/* Kills what is left of the jobs of a dead server, then mends their rows. */
enum err_code recovery_run(struct supervisor *supervisor, struct err *err) CHECKED;

#endif
