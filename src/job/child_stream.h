/* Child stream: what a worker sends, on both pipes, and what it means for the job. Inside job/ only.
 *
 * The worker's protocol as a state: hello first, one result or failure last, nothing else behind it. Knows no process
 * and no loop: it reads descriptors that do not block. Threads: one. */
#ifndef ALMANAC_JOB_CHILD_STREAM_H
#define ALMANAC_JOB_CHILD_STREAM_H

#include "base/json.h"
#include "job/child.h"
#include "job/lines.h"
#include "os/process.h"
#include <stdbool.h>
#include <stddef.h>

struct child_stream {
    const struct child_events *events;
    struct lines channel, log;
    bool channel_ended, log_ended;
    bool has_hello;
    bool is_complete;  /* result or failed has come */
    bool is_broken;    /* the worker broke the protocol; failure says how */
    bool is_cancelled; /* failed, with the code of a task that was stopped */
    bool is_retryable; /* failed, with a code that says so (base/err_list.h) */
    json_t *result;
    char failure[JOB_TEXT_BYTES];
    char last_line[JOB_TEXT_BYTES / 2]; /* the last of the log pipe that is not blank */
};

/* events is borrowed. */
void child_stream_init(struct child_stream *stream, const struct child_events *events);
void child_stream_release(struct child_stream *stream);
/* One read each; bytes read, 0 when there is nothing now or nothing any more. */
size_t child_stream_read_channel(struct child_stream *stream, int descriptor);
size_t child_stream_read_log(struct child_stream *stream, int descriptor);
void child_stream_end(struct child_stream *stream); /* nothing more will come */
/* What the end of the process means. */
void child_stream_conclude(const struct child_stream *stream, const struct process_end *end,
                           struct child_outcome *out);
bool child_stream_is_readable(int descriptor);

#endif
