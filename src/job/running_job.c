/* One job from its start to its end.
 *
 * Start: the child is spawned first and waits for its request; the row is moved to running, with the child's name, in
 * one commit; only then the request is sent. So whenever the server dies, either the row names the process or the
 * process has done nothing (it reads the end of its input and leaves).
 *
 * End: the child has gone with its whole group, then `finish`, then the row, then the subscribers. A row that cannot be
 * written (full disk) is tried again every second, the job keeps its place meanwhile. The worker writes its result to a file
 * of the job's folder before it sends it: so a run that was completed counts, whoever is killed in between, and the
 * job does not run again. */
#include "job/supervisor_parts.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "job/job_folder.h"
#include "job/process_mark.h"
#include "job/protocol.h"
#include "limits.h"
#include "os/process.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 1000, BACK_OFF_DOUBLINGS = 12 };

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

void running_job_say(struct running_job *job, const char *format, ...)
{
    char line[JOB_TEXT_BYTES + 128];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    on_line(job, line, strlen(line));
    on_flush(job);
}

void running_job_open_log(struct running_job *job)
{
    char path[FILE_PATH_BYTES];
    struct err err = {0};

    enum err_code code = log_feed_path(job->supervisor->feed, job->id, path, &err);
    if (code == ERR_OK)
        code = log_file_open(&job->log, path, LIMIT_JOB_LOG_BYTES, &err);
    if (code != ERR_OK)
        log_line(LOG_ERROR, "jobs", "job %" PRId64 " runs without a log: %s", job->id, err.text);
}

/* ---- the end ---- */

static void settle(struct running_job *job);

static void on_retry(void *context)
{
    struct running_job *job = context;

    job->retry_timer = NULL;
    settle(job);
}

enum err_code running_job_settle_later(struct running_job *job, int64_t delay_ms, struct err *err)
{
    return loop_timer_add(job->supervisor->loop, delay_ms, 0, on_retry, job, &job->retry_timer, err);
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
    struct job_change change = {.id = job->id,
                                .from = job->state,
                                .to = job->final_state,
                                .attempt = job->attempt,
                                .lease = job->supervisor->lease,
                                .error = job->error,
                                .result_json = result,
                                .not_before_us = job->not_before_us,
                                .is_failure = job->is_failure,
                                .may_wait = true,
                                .now_us = supervisor_now_us(job->supervisor)};
    enum err_code code = job_store_change(job->supervisor->store->db, &change, err);
    free(result);
    return code;
}

/* The pause before the next attempt: 1, 2, 4 ... times the first one. */
static int64_t back_off_us(const struct running_job *job)
{
    int64_t doublings = job->failures < BACK_OFF_DOUBLINGS ? job->failures : BACK_OFF_DOUBLINGS;

    return job->supervisor->options.retry_ms * 1000 * (INT64_C(1) << doublings);
}

static void say_end(struct running_job *job)
{
    const char *word = job_state_name(job->final_state);
    char again[64] = "";

    if (job->final_state == JOB_QUEUED && !job->is_failure)
        word = "interrupted, queued again";
    else if (job->final_state == JOB_QUEUED) {
        (void)snprintf(again, sizeof again, "failed, tried again in %.1f s", (double)back_off_us(job) / 1e6);
        word = again;
    }
    running_job_say(job, "%s%s%s", word, job->error[0] == '\0' ? "" : ": ", job->error);
}

/* The row says it: the rest may know. */
static void announce_end(struct running_job *job)
{
    struct supervisor *supervisor = job->supervisor;
    int64_t id = job->id;
    enum job_state state = job->final_state;

    say_end(job);
    running_job_destroy(job);
    if (state == JOB_SUCCEEDED) /* nothing will be resumed */
        supervisor_note_success(supervisor, id);
    supervisor_sync_soon(supervisor);
    if (job_state_is_final(state))
        log_feed_ended(supervisor->feed, id, state);
    supervisor_tell_news(supervisor);
    supervisor_start_queued(supervisor);
}

static void settle(struct running_job *job)
{
    struct err err = {0};

    running_job_save_progress(job);
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
    } else if (!job->supervisor->is_closing && running_job_settle_later(job, RETRY_MS, &err) != ERR_OK) {
        log_line(LOG_ERROR, "jobs", "job %" PRId64 " stays as it is until the next start: %s", job->id,
                 err.text);
    }
}

static void conclude_failure(struct running_job *job, const struct child_outcome *outcome)
{
    bool may_retry = outcome->is_retryable && job->limit_reason[0] == '\0';

    (void)text_copy(text_of(job->limit_reason[0] != '\0' ? job->limit_reason : outcome->failure), job->error,
                    sizeof job->error);
    job->is_failure = true;
    job->final_state = JOB_FAILED;
    if (may_retry && job->failures + 1 < job->max_attempts) {
        job->final_state = JOB_QUEUED;
        job->not_before_us = supervisor_now_us(job->supervisor) + back_off_us(job);
    }
}

/* What it achieved, by its message or by its file; NULL: nothing. */
static json_t *take_result(const struct running_job *job, const struct child_outcome *outcome)
{
    json_t *result = NULL;

    if (outcome->result != NULL)
        return json_incref((json_t *)(uintptr_t)outcome->result);
    if (outcome->is_silent)
        (void)job_folder_read_result(job->supervisor->store, job->id, job->attempt, &result);
    return result;
}

static void on_ended(void *context, const struct child_outcome *outcome)
{
    struct running_job *job = context;
    bool counts = job->state != JOB_STOPPING && job->limit_reason[0] == '\0';
    json_t *result = counts ? take_result(job, outcome) : NULL;

    drop_timer(job, &job->progress_timer);
    if (result != NULL)
        running_job_set_result(job, result);
    else if (job->state == JOB_STOPPING)
        job->final_state = JOB_STOPPED;
    else if (counts && job->supervisor->is_closing)
        job->final_state = JOB_QUEUED;
    else
        conclude_failure(job, outcome);
    child_destroy(job->child);
    job->child = NULL;
    settle(job);
}

void running_job_set_result(struct running_job *job, json_t *result)
{
    job->result = result;
    job->final_state = JOB_SUCCEEDED;
}

enum err_code running_job_ask_to_stop(struct running_job *job, const char *who, struct err *err)
{
    struct supervisor *supervisor = job->supervisor;

    if (job->child == NULL)
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " has ended; its end is being recorded", job->id);
    struct job_change change = {.id = job->id,
                                .from = JOB_RUNNING,
                                .to = JOB_STOPPING,
                                .attempt = job->attempt,
                                .lease = supervisor->lease,
                                .pid = child_pid(job->child),
                                .who = who,
                                .now_us = supervisor_now_us(supervisor)};
    enum err_code code = job_store_change(supervisor->store->db, &change, err);
    if (code != ERR_OK)
        return code;
    job->state = JOB_STOPPING;
    child_terminate(job->child);
    return ERR_OK;
}

/* ---- the start ---- */

struct running_job *running_job_add(struct supervisor *supervisor, const struct job_row *row, size_t queue)
{
    struct running_job **link = &supervisor->running;
    struct running_job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return NULL;
    job->supervisor = supervisor;
    job->id = row->id;
    job->attempt = row->attempt;
    job->failures = row->failures;
    job->max_attempts = row->max_attempts;
    job->queue = queue;
    job->started_us = supervisor_now_us(supervisor);
    job->begun_us = supervisor_monotonic_us(supervisor);
    job->state = JOB_RUNNING;
    job->log.descriptor = -1;
    job->told = (struct job_row){.id = row->id, .eta_us = TIME_NONE, .loss = NAN, .best = NAN};
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
        protocol_write_request(out, row->task, buffer_text(&options), supervisor->store->folder, row->id,
                               row->attempt + 1);
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
    struct child_events events = {.progress = running_job_on_progress,
                                  .metric = running_job_on_metric,
                                  .line = on_line,
                                  .flush = on_flush,
                                  .ended = on_ended,
                                  .context = job};

    enum err_code code = child_start(supervisor->loop, supervisor->program, supervisor->options.grace_ms,
                                     events, &job->child, err);
    if (code != ERR_OK)
        return code;
    if (!process_mark(child_pid(job->child), mark))
        return err_set(err, ERR_IO, "cannot read when process %" PRId64 " began", child_pid(job->child));
    process_limit_cpu((pid_t)child_pid(job->child), supervisor->options.cpu_s);
    struct job_change change = {.id = job->id,
                                .from = JOB_QUEUED,
                                .to = JOB_RUNNING,
                                .attempt = job->attempt - 1,
                                .lease = supervisor->lease,
                                .pid = child_pid(job->child),
                                .process = mark,
                                .may_wait = true,
                                .now_us = supervisor_now_us(supervisor)};
    code = job_store_change(supervisor->store->db, &change, err);
    if (code == ERR_OK) {
        struct err ignored = {0};
        running_job_open_log(job);
        running_job_say(job, "attempt %" PRId64 " runs as process %" PRId64, job->attempt,
                        child_pid(job->child));
        if (child_send(job->child, request, &ignored) != ERR_OK) { /* its end tells the rest */
            log_line(LOG_ERROR, "jobs", "job %" PRId64 ": %s", job->id, ignored.text);
            child_kill(job->child);
        }
    }
    return code;
}

static enum err_code fail_unstarted(struct supervisor *supervisor, int64_t id, const struct err *reason,
                                    struct err *err)
{
    char text[JOB_TEXT_BYTES];

    (void)snprintf(text, sizeof text, "cannot be started: %.480s", reason->text);
    struct job_change change = {.id = id,
                                .from = JOB_QUEUED,
                                .to = JOB_FAILED,
                                .error = text,
                                .now_us = supervisor_now_us(supervisor)};
    return job_store_change(supervisor->store->db, &change, err);
}

enum err_code running_job_start(struct supervisor *supervisor, int64_t id, size_t queue, struct err *err)
{
    struct job_row row;
    struct err reason = {0};
    struct buffer request = {0};

    enum err_code code = job_store_get(supervisor->store->db, id, &row, err);
    if (code != ERR_OK)
        return code;
    struct running_job *job = running_job_add(supervisor, &row, queue);
    if (job == NULL)
        return err_nomem(err, sizeof *job);
    job->attempt++;
    supervisor->is_draining[queue] = false;
    code = make_request(supervisor, &row, &request, &reason);
    if (code == ERR_OK)
        code = job_folder_make(supervisor->store, id, &reason);
    if (code == ERR_OK)
        code = launch(job, &request, &reason);
    buffer_release(&request);
    if (code != ERR_OK)
        running_job_destroy(job);
    if (code == ERR_CONFLICT || err_is_retryable(code)) /* no descriptors, no memory: not the job's fault */
        return err_set(err, code, "%s", reason.text);
    if (code != ERR_OK)
        code = fail_unstarted(supervisor, id, &reason, err);
    if (code != ERR_OK)
        return code;
    supervisor_watch(supervisor);
    supervisor_tell_news(supervisor);
    return ERR_OK;
}
