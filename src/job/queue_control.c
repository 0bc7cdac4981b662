/* The queues as people steer them. What is asked for is written first, as an event and as rows; then the processes are told.
 * A pause is a member of the queue's row, so it holds over a restart; a stop is done once the rows say so. */
#include "job/supervisor_parts.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[QUEUE_COUNT] = {
#define QUEUE(symbol, name, setting, doc) name,
#include "job/queue_list.h"
#undef QUEUE
};

const char *queue_name(size_t index)
{
    return index < QUEUE_COUNT ? names[index] : NULL;
}

bool queue_find(const char *name, size_t *out)
{
    for (size_t index = 0; index < QUEUE_COUNT; index++) {
        if (strcmp(names[index], name) == 0) {
            *out = index;
            return true;
        }
    }
    return false;
}

/* ---- status ---- */

/* What the running ones still need, by what they say themselves, else by the usual duration. */
static int64_t left_of_running(const struct supervisor *supervisor, size_t queue, int64_t usual_us)
{
    int64_t left_us = 0, now_us = supervisor_now_us(supervisor);

    for (const struct running_job *job = supervisor->running; job != NULL; job = job->next) {
        if (job->queue != queue)
            continue;
        int64_t left = job->started_us + usual_us - now_us;
        left_us += left > 0 ? left : 0;
    }
    return left_us;
}

static int64_t estimate(const struct supervisor *supervisor, size_t queue, const struct queue_row *row)
{
    int64_t parallel = (int64_t)supervisor->options.parallel[queue];

    if (row->queued + row->running == 0)
        return 0;
    if (row->usual_us == TIME_NONE || (row->is_paused && row->queued > 0))
        return TIME_NONE;
    return (left_of_running(supervisor, queue, row->usual_us) + row->queued * row->usual_us) / parallel;
}

static void read_running(const struct supervisor *supervisor, size_t queue, struct queue_status *out)
{
    for (const struct running_job *job = supervisor->running; job != NULL; job = job->next) {
        if (job->queue != queue)
            continue;
        out->running++;
        out->is_stopping = out->is_stopping || job->state == JOB_STOPPING;
        if (out->current == 0)
            out->current = job->id;
    }
    out->is_running = out->running > 0;
    out->is_stopping = out->is_stopping || (supervisor->is_draining[queue] && out->is_running);
}

enum err_code supervisor_queue_status(struct supervisor *supervisor, const char *name,
                                      struct queue_status *out, struct err *err)
{
    struct queue_row row;
    size_t queue;

    if (!queue_find(name, &queue))
        return err_set(err, ERR_NOT_FOUND, "there is no queue '%.40s'", name);
    enum err_code code = queue_store_get(supervisor->store->db, name, &row, err);
    if (code != ERR_OK)
        return code;
    *out = (struct queue_status){.is_paused = row.is_paused,
                                 .queued = (size_t)row.queued,
                                 .parallel = supervisor->options.parallel[queue],
                                 .completed = row.completed,
                                 .failed = row.failed,
                                 .stopped = row.stopped,
                                 .eta_us = estimate(supervisor, queue, &row),
                                 .paused_us = row.paused_us};
    (void)text_copy(text_of(name), out->name, sizeof out->name);
    (void)text_copy(text_of(row.paused_by), out->paused_by, sizeof out->paused_by);
    read_running(supervisor, queue, out);
    return ERR_OK;
}

/* ---- actions ---- */

static enum err_code stop_waiting(struct supervisor *supervisor, const char *name, const char *who,
                                  size_t *out_count, struct err *err)
{
    return job_store_stop_queued(supervisor->store->db, name, who, "the queue was stopped",
                                 supervisor_now_us(supervisor), out_count, err);
}

/* Each is asked on its own: one that has just ended is none of the others' business. */
static void end_running(struct supervisor *supervisor, size_t queue, const char *who)
{
    struct err err = {0};

    for (struct running_job *job = supervisor->running, *next; job != NULL; job = next) {
        next = job->next;
        if (job->queue != queue || job->state != JOB_RUNNING || job->child == NULL)
            continue;
        if (running_job_ask_to_stop(job, who, &err) != ERR_OK)
            log_line(LOG_ERROR, "jobs", "job %" PRId64 " is not stopped: %s", job->id, err.text);
    }
}

static enum err_code stop_all(struct supervisor *supervisor, size_t queue, enum queue_action action,
                              const char *who, struct err *err)
{
    size_t count = 0;
    char note[64];

    enum err_code code = stop_waiting(supervisor, queue_name(queue), who, &count, err);
    if (code != ERR_OK)
        return code;
    (void)snprintf(note, sizeof note, "%zu queued jobs stopped", count);
    code = queue_store_act(supervisor->store->db, queue_name(queue), action, who, note,
                           supervisor_now_us(supervisor), NULL, err);
    supervisor->is_draining[queue] = true;
    if (action == QUEUE_FORCE_STOP)
        end_running(supervisor, queue, who);
    return code;
}

enum err_code supervisor_control(struct supervisor *supervisor, const char *name, enum queue_action action,
                                 const char *who, struct queue_status *out, struct err *err)
{
    enum err_code code;
    size_t queue;

    if (!queue_find(name, &queue))
        return err_set(err, ERR_NOT_FOUND, "there is no queue '%.40s'", name);
    if (action == QUEUE_STOP || action == QUEUE_FORCE_STOP)
        code = stop_all(supervisor, queue, action, who, err);
    else
        code = queue_store_act(supervisor->store->db, name, action, who, NULL, supervisor_now_us(supervisor),
                               NULL, err);
    if (code != ERR_OK)
        return code;
    supervisor_tell_news(supervisor);
    supervisor_start_queued(supervisor);
    if (supervisor->options.queue_changed != NULL)
        supervisor->options.queue_changed(supervisor->options.context, name);
    return supervisor_queue_status(supervisor, name, out, err);
}
