/* What follows from a job: its result may hold "then", a list of {task, options, key, label, priority}. They are accepted
 * before the job is called succeeded and wait for it: so none is lost when the server dies in between, and none starts for a
 * job that failed after all. Each has a key, its own or one made from the job's id, so that a second time changes nothing. */
#include "api/api.h"

#include "limits.h"
#include "task/task.h"

#include <inttypes.h>
#include <stdio.h>
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

static enum err_code submit(struct api *api, const struct job_row *job, const json_t *entry, size_t index,
                            struct err *err)
{
    char key[JOB_KEY_BYTES], who[JOB_WHO_BYTES];
    struct job_order order = {
        .who = who, .key = key, .batch = job->batch, .after = {job->id}, .after_count = 1};
    struct buffer options;
    struct job_row ignored;
    (void)snprintf(key, sizeof(key), "then:%" PRId64 ":%zu", job->id, index);
    (void)snprintf(who, sizeof(who), "job:%" PRId64, job->id);
    buffer_init(&options, LIMIT_BODY_BYTES);
    enum err_code code = read_entry(entry, &order, err);
    if (code == ERR_OK)
        code = api_complete_options(task_find(order.task), json_object_get(entry, "options"), &options, err);
    if (code == ERR_OK) {
        order.request_json = buffer_text(&options);
        code = supervisor_submit(api->supervisor, &order, &ignored, NULL, err);
    }
    buffer_release(&options);
    return code;
}

enum err_code api_follow(struct api *api, const struct job_row *job, const json_t *result, struct err *err)
{
    const json_t *then = json_object_get(result, "then");
    size_t count = json_array_size(then);
    enum err_code code = ERR_OK;
    if (count > THEN_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d jobs follow", THEN_MAX);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        code = submit(api, job, json_array_get(then, i), i, err);
        if (code != ERR_OK)
            (void)err_prefix(err, "what follows, number %zu", i + 1);
    }
    return code;
}
