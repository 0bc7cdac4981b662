/* What the rest of the program asks of the supervisor: new jobs, and what is done to one. Each is written first, then told, then
 * done. */
#include "job/supervisor_parts.h"

#include "base/text.h"
#include "base/time.h"
#include "limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum err_code check_request(const struct job_order *order, struct err *err)
{
    json_t *root = NULL;
    size_t size_bytes = strlen(order->request_json), queue;

    if (size_bytes > LIMIT_BODY_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the options of a job are larger than %d bytes", LIMIT_BODY_BYTES);
    if (order->queue != NULL && !queue_find(order->queue, &queue))
        return err_set_field(err, ERR_INVALID, "queue", "there is no queue '%.40s'", order->queue);
    enum err_code code = json_read(order->request_json, size_bytes, &root, err);
    if (code == ERR_OK && !json_is_object(root))
        code = err_set(err, ERR_INVALID, "the options of a job are not a JSON object");
    json_decref(root);
    return code;
}

static const char *queue_of(const struct supervisor *supervisor, const struct job_order *order)
{
    const struct supervisor_options *options = &supervisor->options;
    const char *queue = order->queue;

    if (queue == NULL && options->queue_of != NULL)
        queue = options->queue_of(options->context, order->task);
    return queue != NULL ? queue : queue_name(QUEUE_DEFAULT);
}

/* It is accepted all the same when it cannot be read back. */
static void read_accepted(struct supervisor *supervisor, const struct job_order *order, int64_t id,
                          struct job_row *out)
{
    if (job_store_get(supervisor->store->db, id, out, NULL) == ERR_OK)
        return;
    *out = (struct job_row){.id = id, .state = JOB_QUEUED, .created_us = supervisor_now_us(supervisor)};
    out->started_us = out->ended_us = out->not_before_us = out->eta_us = TIME_NONE;
    (void)text_copy(text_of(order->task), out->task, sizeof out->task);
    (void)text_copy(text_of(queue_of(supervisor, order)), out->queue, sizeof out->queue);
}

static enum err_code accept(struct supervisor *supervisor, const struct job_order *orders, size_t count,
                            int64_t *ids, bool *out_is_new, struct err *err)
{
    enum err_code code = ERR_OK;

    struct job_order *complete = calloc(count, sizeof *complete);
    if (complete == NULL)
        return err_nomem(err, count * sizeof *complete);
    for (size_t index = 0; code == ERR_OK && index < count; index++) {
        code = check_request(&orders[index], err);
        complete[index] = orders[index];
        if (code == ERR_OK)
            complete[index].queue = queue_of(supervisor, &orders[index]);
    }
    if (code == ERR_OK)
        code = job_store_add_many(supervisor->store->db, complete, count, supervisor_now_us(supervisor), ids,
                                  out_is_new, err);
    free(complete);
    return code;
}

enum err_code supervisor_submit_many(struct supervisor *supervisor, const struct job_order *orders,
                                     size_t count, struct job_row *out, bool *out_is_new, struct err *err)
{
    if (count == 0)
        return ERR_OK;
    int64_t *ids = calloc(count, sizeof *ids);
    if (ids == NULL)
        return err_nomem(err, count * sizeof *ids);
    enum err_code code = accept(supervisor, orders, count, ids, out_is_new, err);
    if (code == ERR_OK) {
        supervisor_tell_news(supervisor);
        supervisor_start_queued(supervisor);
        for (size_t index = 0; index < count; index++)
            read_accepted(supervisor, &orders[index], ids[index], &out[index]);
    }
    free(ids);
    return code;
}

enum err_code supervisor_submit(struct supervisor *supervisor, const struct job_order *order,
                                struct job_row *out, bool *out_is_new, struct err *err)
{
    return supervisor_submit_many(supervisor, order, 1, out, out_is_new, err);
}

static enum err_code stop_queued(struct supervisor *supervisor, int64_t id, const char *who, struct err *err)
{
    struct job_change change = {
        .id = id, .from = JOB_QUEUED, .to = JOB_STOPPED, .who = who, .now_us = supervisor_now_us(supervisor)};

    return job_store_change(supervisor->store->db, &change, err);
}

static enum err_code stop(struct supervisor *supervisor, const struct job_row *row, const char *who,
                          bool is_forced, struct err *err)
{
    struct running_job *job = supervisor_find(supervisor, row->id);

    if (job_state_is_final(row->state))
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " has %s already", row->id,
                       row->state == JOB_STOPPED ? "been stopped" : job_state_name(row->state));
    if (row->state == JOB_QUEUED)
        return stop_queued(supervisor, row->id, who, err);
    if (job == NULL) /* the row was changed by hand */
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " is not one of this server", row->id);
    if (row->state == JOB_RUNNING)
        return running_job_ask_to_stop(job, who, err);
    if (is_forced && job->child != NULL)
        child_kill(job->child);
    return ERR_OK;
}

static enum err_code stop_job(struct supervisor *supervisor, int64_t id, const char *who, bool is_forced,
                              struct job_row *out, struct err *err)
{
    struct job_row row;

    enum err_code code = job_store_get(supervisor->store->db, id, &row, err);
    if (code == ERR_OK)
        code = stop(supervisor, &row, who, is_forced, err);
    if (code != ERR_OK)
        return code;
    supervisor_tell_news(supervisor);
    return job_store_get(supervisor->store->db, id, out, err);
}

enum err_code supervisor_stop_job(struct supervisor *supervisor, int64_t id, const char *who,
                                  struct job_row *out, struct err *err)
{
    return stop_job(supervisor, id, who, false, out, err);
}

enum err_code supervisor_force_stop_job(struct supervisor *supervisor, int64_t id, const char *who,
                                        struct job_row *out, struct err *err)
{
    return stop_job(supervisor, id, who, true, out, err);
}

enum err_code supervisor_resume_job(struct supervisor *supervisor, int64_t id, const char *who,
                                    struct job_row *out, struct err *err)
{
    enum err_code code = job_store_resume(supervisor->store->db, id, who, supervisor_now_us(supervisor), err);
    if (code != ERR_OK)
        return code;
    supervisor_tell_news(supervisor);
    supervisor_start_queued(supervisor);
    return job_store_get(supervisor->store->db, id, out, err);
}

enum err_code supervisor_set_priority(struct supervisor *supervisor, int64_t id, int64_t priority,
                                      const char *who, struct job_row *out, struct err *err)
{
    enum err_code code =
        job_store_set_priority(supervisor->store->db, id, priority, who, supervisor_now_us(supervisor), err);
    if (code != ERR_OK)
        return code;
    supervisor_tell_news(supervisor);
    return job_store_get(supervisor->store->db, id, out, err);
}
