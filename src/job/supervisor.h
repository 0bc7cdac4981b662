/* Supervisor: runs queued jobs as child processes, at most `parallel` at a time, and keeps their logs.
 *
 * Belongs to the loop's thread. A job is accepted when its row is committed; it is started at once if there is room.
 * The child is `almanac worker` in its own process group; its protocol lines update the row (progress at most every
 * 250 ms), its log lines go to <logs>/<id>.log (with time) and to the subscribers within milliseconds. Its result is
 * handed to `finish` before the job is called succeeded: when finish fails, the job failed.
 * EOF without result means failed; stop sends TERM, and KILL to the group after grace_ms; the job is called stopped
 * only when the group is gone. Stopping wins: nothing of a job is kept once it is stopping. On start, jobs of a dead
 * server are recovered: their process groups are killed if they still live (pid and start time are compared), and the
 * jobs are queued again, or stopped where that was asked.
 *
 * A server that is killed between `finish` and the commit of "succeeded" runs the job again: finish must bear that. */
#ifndef ALMANAC_JOB_SUPERVISOR_H
#define ALMANAC_JOB_SUPERVISOR_H

#include "base/err.h"
#include "base/json.h"
#include "os/clock.h"
#include "os/loop.h"
#include "store/job_store.h"
#include "store/store.h"

struct supervisor;

struct supervisor_options {
    const char *program; /* path of almanac; copied */
    size_t parallel;     /* default 1 */
    int64_t grace_ms;    /* TERM to KILL, default 5000 */
    /* Turns a result into rows of the store (registry); on the loop thread. NULL: nothing to do. */
    enum err_code (*finish)(void *context, const struct job_row *job, const json_t *result, struct err *err);
    void (*changed)(void *context,
                    const struct job_row *job); /* any change of state or progress; may be NULL */
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
/* Accepts a job; *out has its id, state and, when started at once, its pid. request: JSON object (the options). */
enum err_code supervisor_submit(struct supervisor *supervisor, const char *task, const char *request_json,
                                struct job_row *out, struct err *err) CHECKED;
/* A queued job is stopped at once, a running one is stopping until it is gone; asking again changes nothing.
 * ERR_CONFLICT when it has ended already. */
enum err_code supervisor_stop_job(struct supervisor *supervisor, int64_t id, struct job_row *out,
                                  struct err *err) CHECKED;
/* How many jobs have a process. */
size_t supervisor_running_count(const struct supervisor *supervisor);

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
