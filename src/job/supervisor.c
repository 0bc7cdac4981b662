/* The supervisor's face: accepting, stopping, watching, and the two ends of its own life. What happens to one job while
 * it runs is running_job.c, what a dead server left is recovery.c, its log is log_file.c and log_feed.c. */
#include "job/supervisor.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "job/supervisor_parts.h"
#include "limits.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_PARALLEL = 1,
    DEFAULT_GRACE_MS = 5000,
    RETRY_MS = 1000,
    CLOSING_POLL_NS = 5000000,
    DEATH_WAIT_MS = 10000
};

int64_t supervisor_now_us(const struct supervisor *supervisor)
{
    return supervisor->clock.now_us(supervisor->clock.context);
}

void supervisor_tell(struct supervisor *supervisor, int64_t id)
{
    struct job_row row;
    struct err err = {0};

    if (supervisor->options.changed == NULL)
        return;
    if (job_store_get(supervisor->store->db, id, &row, &err) == ERR_OK)
        supervisor->options.changed(supervisor->options.context, &row);
    else
        log_line(LOG_WARN, "jobs", "a change of job %" PRId64 " is not told: %s", id, err.text);
}

size_t supervisor_running_count(const struct supervisor *supervisor)
{
    return supervisor->running_count;
}

/* ---- the queue ---- */

static void on_start_due(void *context)
{
    struct supervisor *supervisor = context;

    supervisor->start_timer = NULL;
    supervisor_start_queued(supervisor);
}

static void start_later(struct supervisor *supervisor, int64_t delay_ms)
{
    struct err err = {0};

    if (supervisor->start_timer == NULL &&
        loop_timer_add(supervisor->loop, delay_ms, 0, on_start_due, supervisor, &supervisor->start_timer,
                       &err) != ERR_OK)
        log_line(LOG_ERROR, "jobs", "queued jobs wait for the next request: %s", err.text);
}

void supervisor_start_queued(struct supervisor *supervisor)
{
    struct err err = {0};
    enum err_code code = ERR_OK;
    int64_t id = 0;

    while (code == ERR_OK && !supervisor->is_closing &&
           supervisor->running_count < supervisor->options.parallel) {
        code = job_store_next(supervisor->store->db, &id, &err);
        if (code == ERR_NOT_FOUND)
            return;
        if (code == ERR_OK)
            code = running_job_start(supervisor, id, &err);
    }
    if (code == ERR_OK)
        return;
    log_line(LOG_ERROR, "jobs", "cannot start the next job: %s", err.text);
    start_later(supervisor, RETRY_MS);
}

/* ---- life ---- */

static enum err_code set_options(struct supervisor *supervisor, struct supervisor_options options,
                                 struct err *err)
{
    assert(options.program != NULL && options.grace_ms >= 0);
    if (!text_copy(text_of(options.program), supervisor->program, sizeof supervisor->program))
        return err_set(err, ERR_TOO_LARGE, "the path of the program is longer than %d bytes",
                       FILE_PATH_BYTES - 1);
    supervisor->options = options;
    supervisor->options.program = supervisor->program;
    if (options.parallel == 0)
        supervisor->options.parallel = DEFAULT_PARALLEL;
    if (options.grace_ms == 0)
        supervisor->options.grace_ms = DEFAULT_GRACE_MS;
    return ERR_OK;
}

enum err_code supervisor_create(struct loop *loop, struct store *store, struct clock clock,
                                struct supervisor_options options, struct supervisor **out, struct err *err)
{
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);

    *out = NULL;
    if (supervisor == NULL)
        return err_nomem(err, sizeof *supervisor);
    supervisor->loop = loop;
    supervisor->store = store;
    supervisor->clock = clock;
    supervisor->lock = -1;
    (void)signal(SIGPIPE, SIG_IGN); /* a worker may die before it has read its request */
    enum err_code code = set_options(supervisor, options, err);
    if (code == ERR_OK)
        code = log_feed_create(loop, store->logs, &supervisor->feed, err);
    if (code == ERR_OK)
        code = recovery_lock(store, &supervisor->lock, err);
    if (code == ERR_OK)
        code = recovery_run(supervisor, err);
    if (code != ERR_OK) {
        supervisor_destroy(supervisor);
        return code;
    }
    start_later(supervisor, 0);
    *out = supervisor;
    return ERR_OK;
}

static bool has_child(const struct supervisor *supervisor)
{
    for (const struct running_job *job = supervisor->running; job != NULL; job = job->next) {
        if (job->child != NULL)
            return true;
    }
    return false;
}

static void each_child(struct supervisor *supervisor, void (*action)(struct child *child))
{
    for (struct running_job *job = supervisor->running, *next; job != NULL; job = next) {
        next = job->next; /* the action may end the job */
        if (job->child != NULL)
            action(job->child);
    }
}

/* The loop does not run any more: the children are driven by hand. */
static void end_children(struct supervisor *supervisor)
{
    const struct timespec pause = {.tv_nsec = CLOSING_POLL_NS};
    int64_t start_us = clock_monotonic_us();
    int64_t kill_us = start_us + supervisor->options.grace_ms * 1000;

    each_child(supervisor, child_terminate);
    for (;;) {
        each_child(supervisor, child_step);
        int64_t now_us = clock_monotonic_us();
        if (!has_child(supervisor) || now_us > kill_us + DEATH_WAIT_MS * INT64_C(1000))
            return;
        if (now_us > kill_us)
            each_child(supervisor, child_kill);
        (void)nanosleep(&pause, NULL);
    }
}

void supervisor_destroy(struct supervisor *supervisor)
{
    if (supervisor == NULL)
        return;
    supervisor->is_closing = true;
    end_children(supervisor);
    while (supervisor->running != NULL) /* not in the store's rows: the next server recovers them */
        running_job_destroy(supervisor->running);
    if (supervisor->start_timer != NULL)
        loop_timer_remove(supervisor->loop, supervisor->start_timer);
    log_feed_destroy(supervisor->feed);
    if (supervisor->lock >= 0)
        close(supervisor->lock);
    free(supervisor);
}

/* ---- what is asked for ---- */

static enum err_code check_submission(const char *task, const char *request_json, struct err *err)
{
    json_t *root = NULL;
    size_t task_bytes = sizeof((struct job_row *)0)->task;

    if (task[0] == '\0' || strlen(task) >= task_bytes)
        return err_set_field(err, ERR_INVALID, "task", "the name of a task has 1 to %zu bytes",
                             task_bytes - 1);
    if (strlen(request_json) > LIMIT_BODY_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the options of a job are larger than %d bytes", LIMIT_BODY_BYTES);
    enum err_code code = json_read(request_json, strlen(request_json), &root, err);
    if (code == ERR_OK && !json_is_object(root))
        code = err_set(err, ERR_INVALID, "the options of a job are not a JSON object");
    json_decref(root);
    return code;
}

enum err_code supervisor_submit(struct supervisor *supervisor, const char *task, const char *request_json,
                                struct job_row *out, struct err *err)
{
    int64_t id = 0, now_us = supervisor_now_us(supervisor);

    enum err_code code = check_submission(task, request_json, err);
    if (code == ERR_OK)
        code = job_store_add(supervisor->store->db, task, request_json, now_us, &id, err);
    if (code != ERR_OK)
        return code;
    supervisor_tell(supervisor, id);
    supervisor_start_queued(supervisor);
    if (job_store_get(supervisor->store->db, id, out, NULL) != ERR_OK) { /* it is accepted all the same */
        *out = (struct job_row){.id = id, .state = JOB_QUEUED, .created_us = now_us};
        out->started_us = out->ended_us = TIME_NONE;
        (void)text_copy(text_of(task), out->task, sizeof out->task);
    }
    return ERR_OK;
}

static struct running_job *find_running(const struct supervisor *supervisor, int64_t id)
{
    struct running_job *job = supervisor->running;

    while (job != NULL && job->id != id)
        job = job->next;
    return job;
}

static enum err_code ask_to_stop(struct running_job *job, struct err *err)
{
    struct supervisor *supervisor = job->supervisor;

    if (job->child == NULL)
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " has ended; its end is being recorded", job->id);
    enum err_code code =
        job_store_move(supervisor->store->db, job->id, JOB_RUNNING, JOB_STOPPING, child_pid(job->child), NULL,
                       NULL, supervisor_now_us(supervisor), err);
    if (code != ERR_OK)
        return code;
    job->state = JOB_STOPPING;
    child_terminate(job->child);
    return ERR_OK;
}

static enum err_code stop(struct supervisor *supervisor, const struct job_row *row, struct err *err)
{
    struct running_job *job = find_running(supervisor, row->id);

    if (job_state_is_final(row->state))
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " has %s already", row->id,
                       row->state == JOB_STOPPED ? "been stopped" : job_state_name(row->state));
    if (row->state == JOB_QUEUED)
        return job_store_move(supervisor->store->db, row->id, JOB_QUEUED, JOB_STOPPED, 0, NULL, NULL,
                              supervisor_now_us(supervisor), err);
    if (job == NULL) /* the row was changed by hand */
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " is not one of this server", row->id);
    return row->state == JOB_STOPPING ? ERR_OK : ask_to_stop(job, err);
}

enum err_code supervisor_stop_job(struct supervisor *supervisor, int64_t id, struct job_row *out,
                                  struct err *err)
{
    struct job_row row;

    enum err_code code = job_store_get(supervisor->store->db, id, &row, err);
    if (code == ERR_OK)
        code = stop(supervisor, &row, err);
    if (code != ERR_OK)
        return code;
    if (row.state == JOB_QUEUED) /* it has no end of its own */
        log_feed_ended(supervisor->feed, id, JOB_STOPPED);
    if (row.state != JOB_STOPPING)
        supervisor_tell(supervisor, id);
    return job_store_get(supervisor->store->db, id, out, err);
}

enum err_code supervisor_subscribe(struct supervisor *supervisor, int64_t id, int64_t offset,
                                   void (*line)(void *context, int64_t next_offset, const char *text,
                                                size_t size_bytes),
                                   void (*end)(void *context, enum job_state state), void *context,
                                   struct log_subscriber **out, struct err *err)
{
    struct job_row row;
    struct log_subscription subscription = {
        .id = id, .offset = offset, .line = line, .end = end, .context = context};

    *out = NULL;
    enum err_code code = job_store_get(supervisor->store->db, id, &row, err);
    if (code != ERR_OK)
        return code;
    subscription.state = row.state;
    return log_feed_add(supervisor->feed, subscription, out, err);
}

void supervisor_unsubscribe(struct supervisor *supervisor, struct log_subscriber *subscriber)
{
    log_feed_remove(supervisor->feed, subscriber);
}
