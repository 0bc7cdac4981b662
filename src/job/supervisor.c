/* The supervisor's life: what it starts, and what it tells. What is asked of it is supervisor_ask.c and queue_control.c, what
 * happens to one job while it runs is running_job.c, what a dead server left is recovery.c, its log is log_file.c and
 * log_feed.c. */
#include "job/supervisor.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "job/supervisor_parts.h"
#include "limits.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_PARALLEL = 1,
    DEFAULT_GRACE_MS = 5000,
    DEFAULT_TIME_MS = 3600000,
    DEFAULT_WARN_MS = 3000000,
    DEFAULT_RETRY_MS = 1000,
    START_RETRY_MS = 1000,
    DUE_POLL_MS = 1000, /* the wall clock may be set: a due time is looked at again this often */
    NEWS_IDS = 64,
    CLOSING_POLL_NS = 5000000,
    DEATH_WAIT_MS = 10000
};

int64_t supervisor_now_us(const struct supervisor *supervisor)
{
    return supervisor->clock.now_us(supervisor->clock.context);
}

int64_t supervisor_monotonic_us(const struct supervisor *supervisor)
{
    return supervisor->clock.monotonic_us(supervisor->clock.context);
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

struct running_job *supervisor_find(const struct supervisor *supervisor, int64_t id)
{
    struct running_job *job = supervisor->running;

    while (job != NULL && job->id != id)
        job = job->next;
    return job;
}

/* A job that ended without having run has nobody else who ends its log. */
static void tell_one(struct supervisor *supervisor, int64_t id)
{
    struct job_row row;

    if (job_store_get(supervisor->store->db, id, &row, NULL) != ERR_OK)
        return;
    if (job_state_is_final(row.state) && supervisor_find(supervisor, id) == NULL)
        log_feed_ended(supervisor->feed, id, row.state);
    if (supervisor->options.changed != NULL)
        supervisor->options.changed(supervisor->options.context, &row);
}

/* Every change of state is an event in the store, also those that follow from another one (a job that waited): what was not
 * told yet is read from there. A callback may bring further changes; the outermost call tells them. */
void supervisor_tell_news(struct supervisor *supervisor)
{
    int64_t ids[NEWS_IDS];
    size_t count = 1;
    struct err err = {0};

    if (supervisor->is_telling)
        return;
    supervisor->is_telling = true;
    while (count > 0) {
        count = NEWS_IDS;
        if (job_store_news(supervisor->store->db, &supervisor->told_event, ids, &count, &err) != ERR_OK) {
            log_line(LOG_WARN, "jobs", "changes of jobs are told later: %s", err.text);
            break;
        }
        for (size_t index = 0; index < count; index++)
            tell_one(supervisor, ids[index]);
    }
    supervisor->is_telling = false;
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

static size_t running_in(const struct supervisor *supervisor, size_t queue)
{
    size_t count = 0;

    for (const struct running_job *job = supervisor->running; job != NULL; job = job->next)
        count += job->queue == queue;
    return count;
}

/* Starts what is ready in one queue. */
static enum err_code start_queue(struct supervisor *supervisor, size_t queue, struct err *err)
{
    struct queue_row row;
    int64_t id = 0;

    enum err_code code = queue_store_get(supervisor->store->db, queue_name(queue), &row, err);
    while (code == ERR_OK && !row.is_paused && !supervisor->is_closing &&
           running_in(supervisor, queue) < supervisor->options.parallel[queue]) {
        code =
            job_store_next(supervisor->store->db, queue_name(queue), supervisor_now_us(supervisor), &id, err);
        if (code == ERR_NOT_FOUND)
            return ERR_OK;
        if (code == ERR_OK)
            code = running_job_start(supervisor, id, queue, err);
    }
    return code;
}

/* Comes back when the next job that waits for its time may be due. */
static enum err_code plan_due(struct supervisor *supervisor, struct err *err)
{
    int64_t due_us, now_us = supervisor_now_us(supervisor), nearest_us = TIME_NONE;

    for (size_t queue = 0; queue < QUEUE_COUNT; queue++) {
        enum err_code code =
            job_store_next_due(supervisor->store->db, queue_name(queue), now_us, &due_us, err);
        if (code != ERR_OK)
            return code;
        if (due_us != TIME_NONE && (nearest_us == TIME_NONE || due_us < nearest_us))
            nearest_us = due_us;
    }
    if (nearest_us != TIME_NONE) {
        int64_t wait_ms = (nearest_us - now_us + 999) / 1000;
        start_later(supervisor, wait_ms < DUE_POLL_MS ? wait_ms : DUE_POLL_MS);
    }
    return ERR_OK;
}

void supervisor_start_queued(struct supervisor *supervisor)
{
    struct err err = {0}, other = {0};
    enum err_code code = ERR_OK;

    if (supervisor->is_starting || supervisor->is_closing)
        return;
    supervisor->is_starting = true;
    for (size_t queue = 0; queue < QUEUE_COUNT; queue++) { /* one that is stuck does not hold up the others */
        enum err_code its = start_queue(supervisor, queue, code == ERR_OK ? &err : &other);
        code = code == ERR_OK ? its : code;
    }
    if (code == ERR_OK)
        code = plan_due(supervisor, &err);
    supervisor->is_starting = false;
    supervisor_tell_news(supervisor);
    if (code == ERR_OK)
        return;
    log_line(LOG_ERROR, "jobs", "cannot start the next job: %s", err.text);
    start_later(supervisor, START_RETRY_MS);
}

/* ---- life ---- */

static void set_default(int64_t *value, int64_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

static void set_default_size(size_t *value, size_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

static enum err_code set_options(struct supervisor *supervisor, struct supervisor_options options,
                                 struct err *err)
{
    assert(options.program != NULL && options.grace_ms >= 0);
    if (!text_copy(text_of(options.program), supervisor->program, sizeof supervisor->program))
        return err_set(err, ERR_TOO_LARGE, "the path of the program is longer than %d bytes",
                       FILE_PATH_BYTES - 1);
    supervisor->options = options;
    supervisor->options.program = supervisor->program;
    for (size_t queue = 0; queue < QUEUE_COUNT; queue++)
        set_default_size(&supervisor->options.parallel[queue], DEFAULT_PARALLEL);
    set_default(&supervisor->options.grace_ms, DEFAULT_GRACE_MS);
    set_default(&supervisor->options.time_ms, DEFAULT_TIME_MS);
    set_default(&supervisor->options.warn_ms, DEFAULT_WARN_MS);
    set_default(&supervisor->options.retry_ms, DEFAULT_RETRY_MS);
    return ERR_OK;
}

/* Two lives that draw the same word would take each other's jobs for their own: 80 random bits. */
static enum err_code draw_lease(char out[JOB_LEASE_BYTES], struct err *err)
{
    unsigned char bytes[10];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set_errno(err, errno, "cannot draw a lease");
    for (size_t index = 0; index < sizeof bytes; index++)
        (void)snprintf(out + 2 * index, 3, "%02x", bytes[index]);
    return ERR_OK;
}

static enum err_code open_queues(struct supervisor *supervisor, struct err *err)
{
    enum err_code code = job_store_newest_event(supervisor->store->db, &supervisor->told_event, err);

    for (size_t queue = 0; code == ERR_OK && queue < QUEUE_COUNT; queue++)
        code = queue_store_open(supervisor->store->db, queue_name(queue), err);
    return code;
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
        code = draw_lease(supervisor->lease, err);
    if (code == ERR_OK)
        code = open_queues(supervisor, err);
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
    if (supervisor->sync_timer != NULL)
        loop_timer_remove(supervisor->loop, supervisor->sync_timer);
    supervisor_sync(supervisor);
    if (supervisor->watch_timer != NULL)
        loop_timer_remove(supervisor->loop, supervisor->watch_timer);
    log_feed_destroy(supervisor->feed);
    if (supervisor->lock >= 0)
        close(supervisor->lock);
    free(supervisor);
}

/* ---- watching ---- */

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
