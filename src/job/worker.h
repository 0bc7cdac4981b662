/* Worker: the child's side of the protocol (docs/protocols/worker.md). Request: one JSON object on standard input.
 * Answers: JSON lines on descriptor PROCESS_CHANNEL: hello, progress, metric, log, then exactly one of result, failed.
 * SIGTERM asks the task to stop (is_stopped turns true); a second one or SIGKILL ends it. It dies with its parent.
 * Logs a line `building features: 240000/480000 (50%) eta 2s` for progress, at most every 200 ms and at the end of a
 * phase.
 *
 * A process has at most one worker, opened by its first thread before others are made; afterwards any thread may
 * report. Writing waits while the server does not read. */
#ifndef ALMANAC_JOB_WORKER_H
#define ALMANAC_JOB_WORKER_H

#include "base/buffer.h"
#include "base/err.h"
#include "job/report.h"

struct worker;

/* Reads the request (text of one JSON object, borrowed until worker_close), says hello. ERR_INVALID when this process
 * was not started by a server, or the request is not one. */
enum err_code worker_open(struct worker **out, const char **request, size_t *size_bytes,
                          struct err *err) CHECKED;
const struct reporter *worker_reporter(struct worker *worker);
/* Sends the end of the job: a result (JSON object; NULL or empty: {}) when code is ERR_OK, else the failure. A result
 * that is not an object, or whose line would be longer than LIMIT_WORKER_LINE_BYTES, is sent as a failure. */
void worker_finish(struct worker *worker, enum err_code code, const struct buffer *result,
                   const struct err *err);
void worker_close(struct worker *worker);

#endif
