/* Jobs as kept: one row per job, one per change of state, one per job waited for. Every change of state is compare-and-set on
 * (state, attempt, lease) and is an event in the history with who and when.
 *
 * The lease is the life of a supervisor, a random word: a job that runs belongs to the life that started it. It does not run
 * out by time: the lock on logs/.lock decides who lives, and the next holder takes over what the dead one left
 * (job_store_recover, job_store_adopt). A change that names another lease than the row's is refused, so nothing that a
 * dead life had begun can be written late.
 *
 * What somebody asked for (add, stop, resume, priority) is on the disk when the function returns. What a running job did (start,
 * progress, end) survives the end of every process at once, and a power cut from the next db_sync on, or the next
 * commit that waits: until then the worker's own file of its result is kept (job/job_folder.h), which is on the disk.
 * Each function that writes is one transaction of its own. Threads: as the connection. */
#ifndef ALMANAC_STORE_JOB_STORE_H
#define ALMANAC_STORE_JOB_STORE_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "store/db.h"

enum job_state {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_STOPPING, /* asked to stop, not gone yet */
    JOB_SUCCEEDED,
    JOB_FAILED,
    JOB_STOPPED,
    JOB_STATE_COUNT
};
const char *job_state_name(enum job_state state);           /* "queued" ... */
bool job_state_find(const char *name, enum job_state *out); /* false: no such state */
bool job_state_is_final(enum job_state state);              /* succeeded, failed, stopped */

enum {
    JOB_TEXT_BYTES = 512,
    JOB_PROCESS_BYTES = 64,
    JOB_QUEUE_BYTES = 16,
    JOB_LEASE_BYTES = 24,
    JOB_KEY_BYTES = 96,
    JOB_WHO_BYTES = 64,
    JOB_BATCH_BYTES = 24,
    JOB_LABEL_BYTES = 96,
    JOB_AFTER_MAX = 8,
    JOB_PRIORITY_MAX = 100,
    JOB_ATTEMPTS_MAX = 100,
    JOB_EVENTS_MAX = 1000 /* that are shown of one job: priorities may be changed for ever */
};
struct job_row {
    int64_t id;
    char task[32];
    enum job_state state;
    bool has_warning;                /* the soft time limit has passed */
    int64_t attempt;                 /* how often it was started; 0: never */
    int64_t pid;                     /* 0: none */
    char process[JOB_PROCESS_BYTES]; /* names the process together with pid, see job/process_mark.h */
    int64_t created_us, started_us, ended_us; /* TIME_NONE: not yet */
    int64_t progress_done, progress_total;
    char phase[64];
    char error[JOB_TEXT_BYTES];

    char queue[JOB_QUEUE_BYTES]; /* "training" or "default" */
    int64_t priority;            /* -100..100, higher first; then the oldest id */
    int64_t max_attempts;        /* attempts allowed in all for failures that can be retried */
    int64_t failures;            /* attempts that have failed; those that were interrupted do not count */
    int64_t not_before_us;       /* TIME_NONE: at once */
    int64_t waits;               /* how many jobs it still waits for */
    char lease[JOB_LEASE_BYTES]; /* of the life that started it last */
    char key[JOB_KEY_BYTES];     /* idempotency key, "" none */
    char who[JOB_WHO_BYTES];     /* who asked for it */
    char batch[JOB_BATCH_BYTES]; /* auto-training batch, "" none */
    char label[JOB_LABEL_BYTES]; /* what people see; "": the task's name */
    int64_t eta_us;              /* what is left of its phase, a duration; TIME_NONE unknown */
    int64_t epoch, epochs;       /* newest step of a metric and the number expected; 0 unknown */
    double loss, best; /* newest and best value of the metric "loss", lower is better; NaN unknown */
};

/* What is asked for. Texts may be NULL where "" is meant. */
struct job_order {
    const char *task, *request_json; /* request: JSON object (the options) */
    const char *queue;               /* NULL: the task's own; for the store: "default" */
    const char *key, *who, *batch, *label;
    int64_t priority;
    int64_t not_before_us; /* 0: at once */
    int64_t max_attempts;  /* 0: 1 */
    int64_t after[JOB_AFTER_MAX];
    size_t after_count;
};
/* Accepts a job. A key that a job has already answers that job (*out_is_new false; may be NULL), whatever its state;
 * ERR_CONFLICT when that job has another task or other options. A job that waits for one that failed or was stopped
 * is stopped at once. ERR_INVALID with the field: a text that is too long, a number out of range, an unknown `after`. */
enum err_code job_store_add(struct db *db, const struct job_order *order, int64_t now_us, int64_t *out_id,
                            bool *out_is_new, struct err *err) CHECKED;
/* Many at once, all or none, in one transaction: out_ids and out_is_new (may be NULL) have `count` places. */
enum err_code job_store_add_many(struct db *db, const struct job_order *orders, size_t count, int64_t now_us,
                                 int64_t *out_ids, bool *out_is_new, struct err *err) CHECKED;
enum err_code job_store_get(struct db *db, int64_t id, struct job_row *out, struct err *err) CHECKED;
/* Newest first; *count in: capacity, out: filled. before_id 0: from the newest. */
enum err_code job_store_list(struct db *db, int64_t before_id, struct job_row *out, size_t *count,
                             struct err *err) CHECKED;
/* The same, only those that match; NULL or -1: any. */
struct job_filter {
    int64_t before_id;
    int state; /* enum job_state, or -1 */
    const char *queue, *task, *batch;
};
enum err_code job_store_find(struct db *db, const struct job_filter *filter, struct job_row *out,
                             size_t *count, struct err *err) CHECKED;
enum err_code job_store_request(struct db *db, int64_t id, struct buffer *out,
                                struct err *err) CHECKED; /* JSON */
/* How many jobs are in each state. */
enum err_code job_store_count(struct db *db, int64_t out[JOB_STATE_COUNT], struct err *err) CHECKED;
/* JSON, or nothing appended when there is none. */
enum err_code job_store_result(struct db *db, int64_t id, struct buffer *out, struct err *err) CHECKED;
/* The newest JOB_EVENTS_MAX changes of a job, oldest first, as a JSON array of {at, from, to, attempt, who, note}. */
enum err_code job_store_events(struct db *db, int64_t id, struct buffer *out, struct err *err) CHECKED;
/* The jobs it waits for or has waited for, in order of their ids. */
enum err_code job_store_after(struct db *db, int64_t id, int64_t out[JOB_AFTER_MAX], size_t *count,
                              struct err *err) CHECKED;

/* One change of state. A move to JOB_RUNNING counts an attempt, one to a final state sets ended_us. A job that has succeeded
 * sets those free that wait for it; one that failed or was stopped stops them, and those that wait for them. */
struct job_change {
    int64_t id;
    enum job_state from, to;
    int64_t attempt;     /* that it must be in; 0: any */
    const char *lease;   /* that it must have; NULL: any. To JOB_RUNNING: the one it gets */
    int64_t pid;         /* of the state it goes to; 0: none */
    const char *process; /* to JOB_RUNNING; otherwise NULL */
    const char *error;   /* the row's; NULL: none */
    const char *note;    /* of the event; NULL: the error */
    const char *result_json;
    const char *who;       /* NULL: the server itself */
    int64_t not_before_us; /* to JOB_QUEUED; 0: at once */
    bool is_failure;       /* counts as one */
    bool may_wait;         /* for the disk, until db_sync */
    int64_t now_us;
};
/* ERR_CONFLICT when the job is not as `from`, attempt and lease say; ERR_NOT_FOUND when there is none. */
enum err_code job_store_change(struct db *db, const struct job_change *change, struct err *err) CHECKED;
/* All queued jobs of a queue are stopped, in one transaction. */
enum err_code job_store_stop_queued(struct db *db, const char *queue, const char *who, const char *reason,
                                    int64_t now_us, size_t *out_count, struct err *err) CHECKED;
/* A job that was stopped or has failed is queued again, with all its attempts. ERR_CONFLICT: it has not ended so, or it waits
 * for one that did not succeed. */
enum err_code job_store_resume(struct db *db, int64_t id, const char *who, int64_t now_us,
                               struct err *err) CHECKED;
/* Of a queued job; ERR_CONFLICT otherwise, ERR_INVALID out of -100..100. */
enum err_code job_store_set_priority(struct db *db, int64_t id, int64_t priority, const char *who,
                                     int64_t now_us, struct err *err) CHECKED;
/* What a running job tells about itself: phase, progress, eta, epoch(s), loss, best, has_warning are written. */
enum err_code job_store_progress(struct db *db, const struct job_row *row, struct err *err) CHECKED;
/* The next job to start in a queue: ready, by priority, then the oldest; ERR_NOT_FOUND. */
enum err_code job_store_next(struct db *db, const char *queue, int64_t now_us, int64_t *out_id,
                             struct err *err) CHECKED;
/* When the next job of a queue that waits for its time is due; TIME_NONE: none does. */
enum err_code job_store_next_due(struct db *db, const char *queue, int64_t now_us, int64_t *out_us,
                                 struct err *err) CHECKED;
/* Jobs that are running or stopping, oldest first, with an id above after_id; *count in: capacity, out: filled. */
enum err_code job_store_unfinished(struct db *db, int64_t after_id, struct job_row *out, size_t *count,
                                   struct err *err) CHECKED;
/* For a server that starts, once no process of the dead one is left: running jobs are queued again, stopping ones are
 * stopped; those that already have the lease `keep` (may be NULL) stay. out_count: how many were changed. A job to which
 * that has happened LIMIT_JOB_TAKEOVERS times already, since it was resumed last, has failed. */
enum err_code job_store_recover(struct db *db, const char *keep, int64_t now_us, size_t *out_count,
                                struct err *err) CHECKED;
/* A running job passes to another life, compare-and-set on attempt and the old lease; an event says so. */
enum err_code job_store_adopt(struct db *db, int64_t id, int64_t attempt, const char *old_lease,
                              const char *lease, int64_t now_us, struct err *err) CHECKED;
/* How often a job was queued again or passed on because its server had ended, since it was resumed last. */
enum err_code job_store_takeovers(struct db *db, int64_t id, int64_t *out, struct err *err) CHECKED;
/* The ids of jobs that changed, in order of their changes: events above *event_id, which is moved on; *count in: capacity,
 * out: filled (0: nothing new). */
enum err_code job_store_news(struct db *db, int64_t *event_id, int64_t *out_ids, size_t *count,
                             struct err *err) CHECKED;
enum err_code job_store_newest_event(struct db *db, int64_t *out, struct err *err) CHECKED;
/* Forgets jobs that ended before a time, with their events and keys, at most *count; out_ids gets them. A job that one not yet
 * ended waits for stays, and so do the newest job and the one that changed last: ids are never given twice. */
enum err_code job_store_forget(struct db *db, int64_t ended_before_us, int64_t *out_ids, size_t *count,
                               struct err *err) CHECKED;

#endif
