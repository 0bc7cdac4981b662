/* Child: one worker process as its server sees it: request, messages, log, signals, end. Inside job/ only.
 *
 * Invariant: `ended` is called once, when no process of the child's group is left and everything it wrote was handed
 * out; not before, and from the loop or child_step only. Threads: the loop's, which is also the thread that the worker
 * dies with. */
#ifndef ALMANAC_JOB_CHILD_H
#define ALMANAC_JOB_CHILD_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "os/loop.h"
#include "store/job_store.h"
#include <stdbool.h>
#include <stdint.h>

struct child;

/* How it ended. Borrowed: valid during the call. */
struct child_outcome {
    const json_t *result;         /* NULL: none came */
    char failure[JOB_TEXT_BYTES]; /* without a result: why */
    bool is_cancelled;            /* the worker says that it was stopped */
    bool is_silent;               /* neither result nor failure came, and the protocol was kept */
    bool is_retryable;            /* without a result: another attempt may do better */
};

struct child_events {
    void (*progress)(void *context, const char *phase, int64_t done, int64_t total);
    void (*metric)(void *context, const char *name, double value, int64_t step);
    void (*line)(void *context, const char *text, size_t size_bytes);  /* at most LOG_FILE_TEXT_BYTES */
    void (*flush)(void *context);                                      /* after the lines of one read */
    void (*ended)(void *context, const struct child_outcome *outcome); /* may destroy the child */
    void *context;
};

/* Starts `program worker` in a process group of its own; it waits for its request. grace_ms: from TERM to KILL, and from
 * its last message to its end. */
enum err_code child_start(struct loop *loop, const char *program, int64_t grace_ms,
                          struct child_events events, struct child **out, struct err *err) CHECKED;
int64_t child_pid(const struct child *child);
/* Sends the request (taken over) and closes the input when it is through; does not wait. */
enum err_code child_send(struct child *child, struct buffer *request, struct err *err) CHECKED;
void child_terminate(struct child *child); /* TERM to the group, KILL after the grace; again: nothing */
void child_kill(struct child *child);      /* KILL to the group, now */
/* For a loop that does not run: reads what there is and looks for the end; `ended` may be called. */
void child_step(struct child *child);
/* Before `ended` was called: kills the group and waits for it. NULL: nothing. */
void child_destroy(struct child *child);

#endif
