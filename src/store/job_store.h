/* Jobs as kept: one row per job, one per change of state. Changes are compare-and-set on the old state.
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
const char *job_state_name(enum job_state state); /* "queued" ... */
bool job_state_is_final(enum job_state state);    /* succeeded, failed, stopped */

enum { JOB_TEXT_BYTES = 512, JOB_PROCESS_BYTES = 64 };
struct job_row {
    int64_t id;
    char task[32];
    enum job_state state;
    int64_t attempt;                 /* how often it was started; 0: never */
    int64_t pid;                     /* 0: none */
    char process[JOB_PROCESS_BYTES]; /* names the process together with pid, see job/process_mark.h */
    int64_t created_us, started_us, ended_us; /* TIME_NONE: not yet */
    int64_t progress_done, progress_total;
    char phase[64];
    char error[JOB_TEXT_BYTES];
};

enum err_code job_store_add(struct db *db, const char *task, const char *request_json, int64_t now_us,
                            int64_t *out_id, struct err *err) CHECKED;
enum err_code job_store_get(struct db *db, int64_t id, struct job_row *out, struct err *err) CHECKED;
/* Newest first; *count in: capacity, out: filled. before_id 0: from the newest. */
enum err_code job_store_list(struct db *db, int64_t before_id, struct job_row *out, size_t *count,
                             struct err *err) CHECKED;
enum err_code job_store_request(struct db *db, int64_t id, struct buffer *out,
                                struct err *err) CHECKED; /* JSON */
/* How many jobs are in each state. */
enum err_code job_store_count(struct db *db, int64_t out[JOB_STATE_COUNT], struct err *err) CHECKED;
/* JSON, or nothing appended when there is none. */
enum err_code job_store_result(struct db *db, int64_t id, struct buffer *out, struct err *err) CHECKED;
/* The changes of state of a job, oldest first, as a JSON array of {at, from, to, attempt, note}. */
enum err_code job_store_events(struct db *db, int64_t id, struct buffer *out, struct err *err) CHECKED;
/* ERR_CONFLICT when the job is not in state `from`, ERR_NOT_FOUND when there is none. error and result_json may be
 * NULL. A move to JOB_RUNNING counts an attempt, one to a final state sets ended_us. */
enum err_code job_store_move(struct db *db, int64_t id, enum job_state from, enum job_state to, int64_t pid,
                             const char *error, const char *result_json, int64_t now_us,
                             struct err *err) CHECKED;
/* From queued to running, with the process that runs it. */
enum err_code job_store_start(struct db *db, int64_t id, int64_t pid, const char *process, int64_t now_us,
                              struct err *err) CHECKED;
enum err_code job_store_progress(struct db *db, int64_t id, const char *phase, int64_t done, int64_t total,
                                 struct err *err) CHECKED;
/* The oldest queued job; ERR_NOT_FOUND. */
enum err_code job_store_next(struct db *db, int64_t *out_id, struct err *err) CHECKED;
/* Jobs that are running or stopping, oldest first, with an id above after_id; *count in: capacity, out: filled. */
enum err_code job_store_unfinished(struct db *db, int64_t after_id, struct job_row *out, size_t *count,
                                   struct err *err) CHECKED;
/* For a server that starts, once no process of the dead one is left: running jobs are queued again, stopping ones are
 * stopped. out_count: how many of both. */
enum err_code job_store_recover(struct db *db, int64_t now_us, size_t *out_count, struct err *err) CHECKED;

#endif
