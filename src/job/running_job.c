/* One job from its start to its end.
 *
 * Start: the child is spawned first and waits for its request; the row is moved to running, with the child's name, in
 * one commit; only then the request is sent. So whenever the server dies, either the row names the process or the
 * process has done nothing (it reads the end of its input and leaves).
 *
 * End: the child has gone with its whole group, then `finish`, then the row, then the subscribers. A row that cannot be
 * written (full disk) is tried again every second, the job keeps its place meanwhile. */
#include "job/supervisor_parts.h"

#include "base/log.h"
#include "base/text.h"
#include "job/process_mark.h"
#include "job/protocol.h"
#include "limits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_PERIOD_US INT64_C(250000)
enum { RETRY_MS = 1000 };

static int64_t monotonic_us(const struct running_job *job)
{
    return job->supervisor->clock.monotonic_us(job->supervisor->clock.context);
}

static void drop_timer(struct running_job *job, struct loop_timer **timer)
{
    if (*timer != NULL)
        loop_timer_remove(job->supervisor->loop, *timer);
    *timer = NULL;
}

/* ---- the log ---- */

static void on_written(void *context, int64_t begin, const char *data, size_t size_bytes)
{
    struct running_job *job = context;

    log_feed_written(job->supervisor->feed, job->id, begin, data, size_bytes);
}

static void on_flush(void *context)
{
    struct running_job *job = context;

    log_file_flush(&job->log, on_written, job);
}

static void on_line(void *context, const char *text, size_t size_bytes)
{
    struct running_job *job = context;

    log_file_add(&job->log, supervisor_now_us(job->supervisor), text, size_bytes);
}

static void say(struct running_job *job, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct running_job *job, const char *format, ...)
{
    char line[JOB_TEXT_BYTES + 128];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    on_line(job, line, strlen(line));
    on_flush(job);
}

static void open_log(struct running_job *job)
{
    char path[FILE_PATH_BYTES];
    struct err err = {0};

    enum err_code code = log_feed_path(job->supervisor->feed, job->id, path, &err);
    if (code == ERR_OK)
        code = log_file_open(&job->log, path, LIMIT_JOB_LOG_BYTES, &err);
    if (code != ERR_OK)
        log_line(LOG_ERROR, "jobs", "job %" PRId64 " runs without a log: %s", job->id, err.text);
}

/* ---- progress ---- */

static void save_progress(struct running_job *job)
{
    struct err err = {0};

    if (!job->has_progress)
        return;
    job->has_progress = false;
    job->progress_saved_us = monotonic_us(job);
    if (job_store_progress(job->supervisor->store->db, job->id, job->phase, job->done, job->total, &err) ==
        ERR_OK)
        supervisor_tell(job->supervisor, job->id);
    else
        log_line(LOG_WARN, "jobs", "progress of job %" PRId64 " is lost: %s", job->id, err.text);
}

static void on_progress_due(void *context)
{
    struct running_job *job = context;

    job->progress_timer = NULL;
    save_progress(job);
}

static void on_progress(void *context, const char *phase, int64_t done, int64_t total)
{
    struct running_job *job = context;

    (void)text_copy(text_of(phase), job->phase, sizeof job->phase);
    job->done = done;
    job->total = total;
    job->has_progress = true;
    if (job->progress_timer != NULL)
        return;
    int64_t wait_us = job->progress_saved_us + PROGRESS_PERIOD_US - monotonic_us(job);
    if (wait_us <= 0 || loop_timer_add(job->supervisor->loop, (wait_us + 999) / 1000, 0, on_progress_due, job,
                                       &job->progress_timer, NULL) != ERR_OK)
        save_progress(job);
}

/* ---- the end ---- */

static void settle(struct running_job *job);

static void on_retry(void *context)
{
    struct running_job *job = context;

    job->retry_timer = NULL;
    settle(job);
}

/* Hands the result over; once, also when the row must be written again. */
static void call_finish(struct running_job *job)
{
    struct supervisor_options *options = &job->supervisor->options;
    struct job_row row;
    struct err err = {0};

    if (job->final_state != JOB_SUCCEEDED || job->is_finished)
        return;
    job->is_finished = true;
    if (options->finish == NULL)
        return;
    enum err_code code = job_store_get(job->supervisor->store->db, job->id, &row, &err);
    if (code == ERR_OK && row.state != job->state)
        return; /* changed by hand: nothing of it is kept, and the move will say so */
    if (code == ERR_OK)
        code = options->finish(options->context, &row, job->result, &err);
    if (code == ERR_OK)
        return;
    job->final_state = JOB_FAILED;
    (void)snprintf(job->error, sizeof job->error, "cannot keep the result: %.450s",
                   err.text[0] == '\0' ? err_sentence(code) : err.text);
}

static enum err_code move_to_end(struct running_job *job, struct err *err)
{
    char *result = NULL;

    if (job->final_state == JOB_SUCCEEDED) {
        result = json_dumps(job->result, JSON_COMPACT);
        if (result == NULL)
            return err_nomem(err, 0);
    }
    enum err_code code = job_store_move(job->supervisor->store->db, job->id, job->state, job->final_state, 0,
                                        job->error, result, supervisor_now_us(job->supervisor), err);
    free(result);
    return code;
}

/* The row says it: the rest may know. */
static void announce_end(struct running_job *job)
{
    struct supervisor *supervisor = job->supervisor;
    int64_t id = job->id;
    enum job_state state = job->final_state;

    say(job, "%s%s%s", state == JOB_QUEUED ? "interrupted, queued again" : job_state_name(state),
        job->error[0] == '\0' ? "" : ": ", job->error);
    running_job_destroy(job);
    if (job_state_is_final(state))
        log_feed_ended(supervisor->feed, id, state);
    supervisor_tell(supervisor, id);
    supervisor_start_queued(supervisor);
}

static void settle(struct running_job *job)
{
    struct err err = {0};

    save_progress(job);
    call_finish(job);
    enum err_code code = move_to_end(job, &err);
    if (code == ERR_OK) {
        announce_end(job);
        return;
    }
    log_line(LOG_ERROR, "jobs", "cannot record the end of job %" PRId64 ": %s", job->id, err.text);
    if (code == ERR_CONFLICT ||
        code == ERR_NOT_FOUND) { /* somebody changed the row by hand: theirs to mend */
        struct supervisor *supervisor = job->supervisor;
        running_job_destroy(job);
        supervisor_start_queued(supervisor);
    } else if (!job->supervisor->is_closing && loop_timer_add(job->supervisor->loop, RETRY_MS, 0, on_retry,
                                                              job, &job->retry_timer, &err) != ERR_OK) {
        log_line(LOG_ERROR, "jobs", "job %" PRId64 " stays as it is until the next start: %s", job->id,
                 err.text);
    }
}

static void on_ended(void *context, const struct child_outcome *outcome)
{
    struct running_job *job = context;

    drop_timer(job, &job->progress_timer);
    if (job->state == JOB_STOPPING) {
        job->final_state = JOB_STOPPED;
    } else if (outcome->result != NULL) {
        job->final_state = JOB_SUCCEEDED;
        job->result = json_incref((json_t *)(uintptr_t)outcome->result);
    } else if (job->supervisor->is_closing) {
        job->final_state = JOB_QUEUED;
    } else {
        job->final_state = JOB_FAILED;
        memcpy(job->error, outcome->failure, sizeof job->error);
    }
    child_destroy(job->child);
    job->child = NULL;
    settle(job);
}

/* ---- the start ---- */

static struct running_job *add_job(struct supervisor *supervisor, int64_t id)
{
    struct running_job **link = &supervisor->running;
    struct running_job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return NULL;
    job->supervisor = supervisor;
    job->id = id;
    job->state = JOB_RUNNING;
    job->log.descriptor = -1;
    while (*link != NULL)
        link = &(*link)->next;
    *link = job;
    supervisor->running_count++;
    return job;
}

void running_job_destroy(struct running_job *job)
{
    struct running_job **link = &job->supervisor->running;

    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    job->supervisor->running_count--;
    drop_timer(job, &job->progress_timer);
    drop_timer(job, &job->retry_timer);
    child_destroy(job->child);
    log_file_close(&job->log);
    json_decref(job->result);
    free(job);
}

static enum err_code make_request(const struct supervisor *supervisor, const struct job_row *row,
                                  struct buffer *out, struct err *err)
{
    struct buffer options;

    buffer_init(&options, LIMIT_JSON_BYTES);
    buffer_init(out, LIMIT_JSON_BYTES);
    enum err_code code = job_store_request(supervisor->store->db, row->id, &options, err);
    if (code == ERR_OK) {
        protocol_write_request(out, row->task, buffer_text(&options), supervisor->store->folder, row->id);
        code = buffer_check(out, "the request to a worker", err);
    }
    buffer_release(&options);
    return code;
}

/* Spawns, names it in the row, sends. On an error the child is killed with the job's memory. */
static enum err_code launch(struct running_job *job, struct buffer *request, struct err *err)
{
    struct supervisor *supervisor = job->supervisor;
    char mark[PROCESS_MARK_BYTES];
    struct child_events events = {
        .progress = on_progress, .line = on_line, .flush = on_flush, .ended = on_ended, .context = job};

    enum err_code code = child_start(supervisor->loop, supervisor->program, supervisor->options.grace_ms,
                                     events, &job->child, err);
    if (code != ERR_OK)
        return code;
    if (!process_mark(child_pid(job->child), mark))
        return err_set(err, ERR_IO, "cannot read when process %" PRId64 " began", child_pid(job->child));
    code = job_store_start(supervisor->store->db, job->id, child_pid(job->child), mark,
                           supervisor_now_us(supervisor), err);
    if (code == ERR_OK) {
        struct err ignored = {0};
        open_log(job);
        say(job, "attempt %" PRId64 " runs as process %" PRId64, job->attempt, child_pid(job->child));
        if (child_send(job->child, request, &ignored) != ERR_OK) { /* its end tells the rest */
            log_line(LOG_ERROR, "jobs", "job %" PRId64 ": %s", job->id, ignored.text);
            child_kill(job->child);
        }
    }
    return code;
}

/* Whether the store, not the job, is at fault: then the job stays queued. */
static enum err_code fail_unstarted(struct supervisor *supervisor, int64_t id, const struct err *reason,
                                    struct err *err)
{
    char text[JOB_TEXT_BYTES];

    (void)snprintf(text, sizeof text, "cannot be started: %.480s", reason->text);
    return job_store_move(supervisor->store->db, id, JOB_QUEUED, JOB_FAILED, 0, text, NULL,
                          supervisor_now_us(supervisor), err);
}

enum err_code running_job_start(struct supervisor *supervisor, int64_t id, struct err *err)
{
    struct job_row row;
    struct err reason = {0};
    struct buffer request = {0};

    enum err_code code = job_store_get(supervisor->store->db, id, &row, err);
    if (code != ERR_OK)
        return code;
    struct running_job *job = add_job(supervisor, id);
    if (job == NULL)
        return err_nomem(err, sizeof *job);
    job->attempt = row.attempt + 1;
    code = make_request(supervisor, &row, &request, &reason);
    if (code == ERR_OK)
        code = launch(job, &request, &reason);
    buffer_release(&request);
    if (code != ERR_OK)
        running_job_destroy(job);
    if (code == ERR_CONFLICT || code == ERR_BUSY || code == ERR_NOMEM)
        return err_set(err, code, "%s", reason.text);
    if (code != ERR_OK)
        code = fail_unstarted(supervisor, id, &reason, err);
    if (code != ERR_OK)
        return code;
    supervisor_tell(supervisor, id);
    return ERR_OK;
}
