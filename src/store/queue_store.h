/* Queues as kept: one row per queue, one event per action. The counts of a row are written with each change of state of a
 * job (job_store.h). Each function that writes is one transaction of its own. Threads: as the connection. */
#ifndef ALMANAC_STORE_QUEUE_STORE_H
#define ALMANAC_STORE_QUEUE_STORE_H

#include "base/buffer.h"
#include "base/err.h"
#include "store/db.h"
#include "store/job_store.h"

enum queue_action { QUEUE_PAUSE, QUEUE_RESUME, QUEUE_STOP, QUEUE_FORCE_STOP, QUEUE_ACTION_COUNT };
const char *queue_action_name(enum queue_action action); /* "pause", "resume", "stop", "force-stop" */

struct queue_row {
    char name[JOB_QUEUE_BYTES];
    bool is_paused;
    int64_t paused_us; /* TIME_NONE: it is not */
    char paused_by[JOB_WHO_BYTES];
    int64_t queued, running;            /* now; running ones may be stopping */
    int64_t completed, failed, stopped; /* since the batch began */
    int64_t usual_us;                   /* of a job that succeeds; TIME_NONE: none has */
};

/* Makes the row if there is none, and counts anew what is in the queue. */
enum err_code queue_store_open(struct db *db, const char *name, struct err *err) CHECKED;
enum err_code queue_store_get(struct db *db, const char *name, struct queue_row *out,
                              struct err *err) CHECKED;
/* Pause and resume change the row, if it is not so already (*out_has_changed, may be NULL); the other actions are only
 * recorded. */
enum err_code queue_store_act(struct db *db, const char *name, enum queue_action action, const char *who,
                              const char *note, int64_t now_us, bool *out_has_changed,
                              struct err *err) CHECKED;
/* Newest first, at most `limit`, as a JSON array of {at, action, who, note}. */
enum err_code queue_store_events(struct db *db, const char *name, int64_t limit, struct buffer *out,
                                 struct err *err) CHECKED;

#endif
