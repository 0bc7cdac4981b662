/* Log feed: brings the lines of job logs to their subscribers, the old ones from the file, the new ones as they are
 * written. Inside job/ only; supervisor.h offers it to the rest.
 *
 * Invariant: a subscriber is a place in the file: everything before it was delivered, nothing behind it. New bytes go
 * to it directly when they begin exactly there; otherwise it is behind and reads the file, a slice per turn of the
 * loop, until it is not. So no line is lost or told twice, whatever happens between old and new.
 * Threads: the loop's. */
#ifndef ALMANAC_JOB_LOG_FEED_H
#define ALMANAC_JOB_LOG_FEED_H

#include "base/err.h"
#include "job/supervisor.h"
#include "os/loop.h"
#include "store/job_store.h"

struct log_feed;

/* folder: of the logs, copied. */
enum err_code log_feed_create(struct loop *loop, const char *folder, struct log_feed **out,
                              struct err *err) CHECKED;
void log_feed_destroy(struct log_feed *feed); /* subscribers go silently */

/* <folder>/<id>.log */
enum err_code log_feed_path(const struct log_feed *feed, int64_t id, char out[FILE_PATH_BYTES],
                            struct err *err) CHECKED;
struct log_subscription {
    int64_t id, offset;
    enum job_state state; /* now; a final one ends the feed behind the last line of the file */
    void (*line)(void *context, int64_t next_offset, const char *text, size_t size_bytes);
    void (*end)(void *context, enum job_state state);
    void *context;
};
enum err_code log_feed_add(struct log_feed *feed, struct log_subscription subscription,
                           struct log_subscriber **out, struct err *err) CHECKED;
void log_feed_remove(struct log_feed *feed, struct log_subscriber *subscriber);
/* Whole lines were appended at `begin` of the job's file. */
void log_feed_written(struct log_feed *feed, int64_t id, int64_t begin, const char *data, size_t size_bytes);
/* Nothing more will be written to the job's file. */
void log_feed_ended(struct log_feed *feed, int64_t id, enum job_state state);

#endif
