/* Worker: the child's side of the protocol (docs/protocols/worker.md). Request: one JSON object on standard input.
 * Answers: JSON lines on descriptor PROCESS_CHANNEL: hello, progress, metric, log, then exactly one of result, failed.
 * SIGTERM asks the task to stop (is_stopped turns true); a second one or SIGKILL ends it.
 * Logs a line `building features: 240000/480000 (50%) eta 2s` for progress, at most every 200 ms. */
#ifndef ALMANAC_JOB_WORKER_H
#define ALMANAC_JOB_WORKER_H

#include "base/buffer.h"
#include "base/err.h"
#include "job/report.h"

struct worker;

/* Reads the request (text of one JSON object, borrowed until worker_close), says hello. */
enum err_code worker_open(struct worker **out, const char **request, size_t *size_bytes, struct err *err) CHECKED;
const struct reporter *worker_reporter(struct worker *worker);
/* Sends the end of the job: a result (JSON) when code is ERR_OK, else the failure. */
void worker_finish(struct worker *worker, enum err_code code, const struct buffer *result, const struct err *err);
void worker_close(struct worker *worker);

#endif
