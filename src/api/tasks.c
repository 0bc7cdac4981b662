/* POST /train, /backtest, /api/ablation, /api/features/materialize: a task of the table becomes a job. The body is checked against the task's option table
 * before anything is accepted, so that a bad request never makes a job. */
#include "api/api.h"

#include "limits.h"
#include "task/task.h"

#include <assert.h>

/* Options as JSON, complete with defaults: what the job will run is what is kept. */
static enum err_code complete_options(const struct task *task, const struct http_request *request,
                                      struct buffer *out, struct err *err)
{
    _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES];
    struct json_writer writer;
    json_t *body = NULL;
    assert(task->options_bytes <= sizeof(options));
    enum err_code code = api_read_object(request, &body, err);
    if (code != ERR_OK)
        return code;
    option_defaults(task->options, options);
    code = option_read_json(task->options, options, body, true, err);
    if (code == ERR_OK && task->check != NULL)
        code = task->check(options, err);
    json_decref(body);
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
    struct job_row job;
    assert(task != NULL);
    buffer_init(&options, LIMIT_BODY_BYTES);
    enum err_code code = complete_options(task, match->request, &options, err);
    if (code == ERR_OK)
        code = supervisor_submit(api->supervisor, task->name, buffer_text(&options), &job, err);
    buffer_release(&options);
    if (code != ERR_OK)
        return code;
    api_answer_job(&job, response);
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
