/* Supervisor: runs queued jobs as child processes, so many of each queue at a time, and keeps their logs.
 *
 * Belongs to the loop's thread. A job is accepted when its row is committed; it is started at once if it is ready and there
 * is room. The child is `almanac worker` in its own process group; its protocol lines update the row (progress at most
 * every 250 ms), its log lines go to <logs>/<id>.log (with time) and to the subscribers within milliseconds. Its result is
 * handed to `finish` before the job is called succeeded: when finish fails, the job failed.
 * EOF without result means failed, or queued again for a later time when the failure can be retried and attempts are left;
 * stop sends TERM, and KILL to the group after grace_ms; the job is called stopped only when the group is gone. Stopping
 * wins: nothing of a job is kept once it is stopping.
 *
 * The lease: each supervisor draws a random word; a running job's row has it, and every change of the row names it. There is
 * no time in it: who holds the lock on <logs>/.lock is alive, the kernel drops the lock with the process. On start the
 * jobs of a dead life are taken over: their process groups are killed if they still live (pid and start time are
 * compared); a job whose worker had already written its result (<data>/jobs/<id>/result-<attempt>.json) is finished from
 * that file and does not run again; the others are queued again, or stopped where that was asked, or given up when that
 * has happened to them LIMIT_JOB_TAKEOVERS times already: a job may be what ends the server.
 *
 * A server that is killed between `finish` and the commit of "succeeded" finishes the job again, with the same result:
 * finish must bear that.
 * Memory: what is kept in memory is one struct per running job and per log subscriber; history is in the store only. */
#ifndef ALMANAC_JOB_SUPERVISOR_H
#define ALMANAC_JOB_SUPERVISOR_H

#include "base/err.h"
#include "base/json.h"
#include "os/clock.h"
#include "os/loop.h"
#include "store/job_store.h"
#include "store/queue_store.h"
#include "store/store.h"

struct supervisor;

enum {
#define QUEUE(symbol, name, setting, doc) QUEUE_##symbol,
#include "job/queue_list.h"
#undef QUEUE
    QUEUE_COUNT
};
const char *queue_name(size_t index);           /* NULL past the end */
bool queue_find(const char *name, size_t *out); /* false: no such queue */

struct supervisor_options {
    const char *program;          /* path of almanac; copied */
    size_t parallel[QUEUE_COUNT]; /* jobs of a queue at the same time; default 1 */
    int64_t grace_ms;             /* TERM to KILL, default 5000 */
    int64_t time_ms;              /* hard limit of one attempt, default 3600 s */
    int64_t warn_ms;              /* soft limit: a line in the log and has_warning; default 3000 s */
    int64_t
        memory_bytes; /* memory of a group that is its own (job_watch.c says how it is measured); 0: no limit */
    int64_t cpu_s;    /* processor time of a process; 0: no limit */
    int64_t retry_ms; /* pause before the second attempt, doubled for each further one; default 1000 */
    /* The queue of a task; NULL, or an answer of NULL: the first one. */
    const char *(*queue_of)(void *context, const char *task);
    /* Turns a result into rows of the store (registry); on the loop thread. NULL: nothing to do. */
    enum err_code (*finish)(void *context, const struct job_row *job, const json_t *result, struct err *err);
    void (*changed)(void *context,
                    const struct job_row *job); /* any change of state or progress; may be NULL */
    void (*queue_changed)(void *context, const char *queue); /* by supervisor_control; may be NULL */
    void *context;
};

/* Recovers, and starts what is queued on the first turn of the loop: no callback before this returns. store is borrowed.
 * ERR_BUSY: another supervisor works on this store. SIGPIPE is ignored from here on. */
enum err_code supervisor_create(struct loop *loop, struct store *store, struct clock clock,
                                struct supervisor_options options, struct supervisor **out,
                                struct err *err) CHECKED;
/* Stops all children (TERM, grace, KILL) and waits for them; their jobs go back to queued, unless a result came. Log
 * subscribers are dropped without `end`. Not from inside a callback. */
void supervisor_destroy(struct supervisor *supervisor);
/* Accepts a job; *out has its id, state and, when started at once, its pid. order->queue NULL: the task's own. The same key
 * again answers the job that has it (*out_is_new false; may be NULL), whatever its state. Errors: job_store_add. */
enum err_code supervisor_submit(struct supervisor *supervisor, const struct job_order *order,
                                struct job_row *out, bool *out_is_new, struct err *err) CHECKED;
/* Many, all or none, with one wait for the disk. out and out_is_new (may be NULL) have `count` places. */
enum err_code supervisor_submit_many(struct supervisor *supervisor, const struct job_order *orders,
                                     size_t count, struct job_row *out, bool *out_is_new,
                                     struct err *err) CHECKED;
/* A queued job is stopped at once, a running one is stopping until it is gone; asking again changes nothing.
 * ERR_CONFLICT when it has ended already. */
enum err_code supervisor_stop_job(struct supervisor *supervisor, int64_t id, const char *who,
                                  struct job_row *out, struct err *err) CHECKED;
/* The same: TERM now, KILL after the grace. Asked of a job that is stopping already, KILL at once. */
enum err_code supervisor_force_stop_job(struct supervisor *supervisor, int64_t id, const char *who,
                                        struct job_row *out, struct err *err) CHECKED;
/* A stopped or failed job is queued again, same id, next attempt; its job folder (checkpoints) is still there. */
enum err_code supervisor_resume_job(struct supervisor *supervisor, int64_t id, const char *who,
                                    struct job_row *out, struct err *err) CHECKED;
enum err_code supervisor_set_priority(struct supervisor *supervisor, int64_t id, int64_t priority,
                                      const char *who, struct job_row *out, struct err *err) CHECKED;
/* How many jobs have a process. */
size_t supervisor_running_count(const struct supervisor *supervisor);

struct queue_status {
    char name[JOB_QUEUE_BYTES];
    bool is_running; /* something of it runs */
    bool is_paused;
    bool is_stopping; /* processes are being ended, or the running ones finish after a stop */
    size_t queued, running, parallel;
    int64_t completed, failed,
        stopped;     /* since the batch began: it does when a job comes to an empty queue */
    int64_t current; /* the oldest running job, 0 none */
    int64_t eta_us;  /* until the queue is empty, by the usual duration; TIME_NONE unknown */
    char paused_by[JOB_WHO_BYTES];
    int64_t paused_us;
};
/* Pause: the running ones finish, nothing new of that queue starts until it is resumed; kept over a restart.
 * Stop: the running ones finish, the queued are stopped. Force stop: queued stopped, running TERM, then KILL.
 * ERR_NOT_FOUND: no such queue. */
enum err_code supervisor_control(struct supervisor *supervisor, const char *name, enum queue_action action,
                                 const char *who, struct queue_status *out, struct err *err) CHECKED;
enum err_code supervisor_queue_status(struct supervisor *supervisor, const char *name,
                                      struct queue_status *out, struct err *err) CHECKED;

/* Log lines of a job from byte `offset` of its file on, then live. line is called on the loop thread, never before this
 * returns: old lines on the next turns of the loop, 64 kB a turn; end(state) once when the job has ended and all was
 * delivered. next_offset: where to go on after this line. A job that is queued again by a new server goes on in the same
 * file. The subscriber lives until supervisor_unsubscribe or until `end` has returned, whichever is first; both callbacks
 * may unsubscribe. ERR_INVALID: the offset lies outside the file. */
struct log_subscriber;
enum err_code supervisor_subscribe(struct supervisor *supervisor, int64_t id, int64_t offset,
                                   void (*line)(void *context, int64_t next_offset, const char *text,
                                                size_t size_bytes),
                                   void (*end)(void *context, enum job_state state), void *context,
                                   struct log_subscriber **out, struct err *err) CHECKED;
void supervisor_unsubscribe(struct supervisor *supervisor, struct log_subscriber *subscriber);

#endif
