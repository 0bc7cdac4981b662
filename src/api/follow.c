/* What follows from a job: its result may hold "then", a list of {task, options, key, label, priority}. They are accepted
 * before the job is called succeeded and wait for it: so none is lost when the server dies in between, and none starts for a
 * job that failed after all. Each has a key, its own or one made from the job's id, so that a second time changes nothing. */
#include "api/api.h"

#include "limits.h"
#include "task/task.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THEN_MAX = 512 };

static enum err_code read_entry(const json_t *entry, struct job_order *out, struct err *err)
{
    static const char *const known[] = {"task", "options", "key", "label", "priority", NULL};
    enum err_code code = json_is_object(entry) ? json_refuse_unknown(entry, known, err)
                                               : err_set(err, ERR_INVALID, "it is not an object");
    if (code == ERR_OK)
        code = json_take_text(entry, "task", true, &out->task, err);
    if (code == ERR_OK)
        code = json_take_text(entry, "key", false, &out->key, err);
    if (code == ERR_OK)
        code = json_take_text(entry, "label", false, &out->label, err);
    if (code == ERR_OK)
        code = json_take_i64(entry, "priority", false, &out->priority, err);
    if (code == ERR_OK && task_find(out->task) == NULL)
        code = err_set(err, ERR_INVALID, "no task is called '%.40s'", out->task);
    return code;
}

/* What the orders of all entries borrow from. */
struct follower {
    struct job_order *order; /* its place among the orders */
    char key[JOB_KEY_BYTES];
    struct buffer options;
};

static enum err_code prepare(struct follower *follower, const struct job_row *job, const char *who,
                             const json_t *entry, size_t index, struct err *err)
{
    struct job_order *order = follower->order;
    (void)snprintf(follower->key, sizeof(follower->key), "then:%" PRId64 ":%zu", job->id, index);
    *order = (struct job_order){
        .who = who, .key = follower->key, .batch = job->batch, .after = {job->id}, .after_count = 1};
    enum err_code code = read_entry(entry, order, err);
    if (code == ERR_OK)
        code = api_complete_options(task_find(order->task), json_object_get(entry, "options"),
                                    &follower->options, err);
    order->request_json = buffer_text(&follower->options);
    if (code != ERR_OK)
        (void)err_prefix(err, "what follows, number %zu", index + 1);
    return code;
}

/* All or none, with one wait for the disk. */
static enum err_code submit(struct api *api, const struct job_row *job, const json_t *then,
                            struct follower *followers, struct job_order *orders, size_t count,
                            struct err *err)
{
    char who[JOB_WHO_BYTES];
    enum err_code code = ERR_OK;
    (void)snprintf(who, sizeof(who), "job:%" PRId64, job->id);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        followers[i].order = &orders[i];
        code = prepare(&followers[i], job, who, json_array_get(then, i), i, err);
    }
    if (code != ERR_OK)
        return code;
    struct job_row *rows = calloc(count, sizeof(*rows));
    if (rows == NULL)
        return err_nomem(err, count * sizeof(*rows));
    code = supervisor_submit_many(api->supervisor, orders, count, rows, NULL, err);
    free(rows);
    return code;
}

enum err_code api_follow(struct api *api, const struct job_row *job, const json_t *result, struct err *err)
{
    const json_t *then = json_object_get(result, "then");
    size_t count = json_array_size(then);
    if (count == 0)
        return ERR_OK;
    if (count > THEN_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d jobs follow", THEN_MAX);
    struct follower *followers = calloc(count, sizeof(*followers));
    struct job_order *orders = calloc(count, sizeof(*orders));
    enum err_code code = ERR_OK;
    if (followers == NULL || orders == NULL)
        code = err_nomem(err, count * sizeof(*followers));
    for (size_t i = 0; followers != NULL && i < count; i++)
        buffer_init(&followers[i].options, LIMIT_BODY_BYTES);
    if (code == ERR_OK)
        code = submit(api, job, then, followers, orders, count, err);
    for (size_t i = 0; followers != NULL && i < count; i++)
        buffer_release(&followers[i].options);
    free(followers);
    free(orders);
    return code;
}
