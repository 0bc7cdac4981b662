/* POST /train, /backtest, /api/ablation, /api/features/materialize: a task of the table becomes a job. The body is checked
 * against the task's option table before anything is accepted, so that a bad request never makes a job. */
#include "api/api.h"

#include "api/training.h"
#include "limits.h"
#include "task/task.h"

#include <assert.h>

enum err_code api_complete_options(const struct task *task, const json_t *options_json, struct buffer *out,
                                   struct err *err)
{
    _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES];
    struct json_writer writer;
    enum err_code code = ERR_OK;
    assert(task->options_bytes <= sizeof(options));
    option_defaults(task->options, options);
    if (options_json != NULL && !json_is_null(options_json)) {
        if (!json_is_object(options_json))
            return err_set_field(err, ERR_INVALID, "options", "the options are not a JSON object");
        code = option_read_json(task->options, options, options_json, true, err);
    }
    if (code == ERR_OK && task->check != NULL)
        code = task->check(options, err);
    json_writer_init(&writer, out);
    if (code == ERR_OK)
        option_write_json(task->options, options, &writer);
    return code;
}

static enum err_code submit(struct api *api, const char *name, const struct route_match *match,
                            struct http_response *response, struct err *err)
{
    const struct task *task = task_find(name);
    struct buffer options;
    struct job_order order;
    struct job_row job;
    char label[JOB_LABEL_BYTES] = "";
    json_t *body = NULL;
    assert(task != NULL);
    buffer_init(&options, LIMIT_BODY_BYTES);
    enum err_code code = api_read_object(match->request, &body, err);
    if (code == ERR_OK)
        code = api_complete_options(task, body, &options, err);
    json_decref(body);
    if (code == ERR_OK)
        code = api_order_from(match->request, &order, err);
    if (code == ERR_OK) {
        order.task = task->name;
        order.request_json = buffer_text(&options);
        if (task == &task_train)
            training_label(order.request_json, label);
        order.label = label;
        code = supervisor_submit(api->supervisor, &order, &job, NULL, err);
    }
    buffer_release(&options);
    if (code != ERR_OK)
        return code;
    api_answer_job(api, &job, response);
    return ERR_OK;
}

#define TASK_ROUTE(name)                                                                                     \
    enum err_code api_##name(void *context, const struct route_match *match, struct http_response *response, \
                             struct err *err);                                                               \
    enum err_code api_##name(void *context, const struct route_match *match, struct http_response *response, \
                             struct err *err)                                                                \
    {                                                                                                        \
        return submit(context, #name, match, response, err);                                                 \
    }
TASK_ROUTE(train)
TASK_ROUTE(backtest)
TASK_ROUTE(ablation)
TASK_ROUTE(materialize)
