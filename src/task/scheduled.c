/* Scheduled: options are tried on the task's table, as POST /api/jobs does before it accepts them. */
#include "task/scheduled.h"

#include "task/task.h"

#include <assert.h>
#include <string.h>

enum err_code scheduled_check(void *context, const char *task_name, const char *options_json, struct err *err)
{
    _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES];
    const struct task *task = task_find(task_name);
    json_t *json = NULL;
    (void)context;
    if (task == NULL)
        return err_set(err, ERR_NOT_FOUND, "no task is called '%s'", task_name);
    assert(task->options_bytes <= sizeof(options));
    enum err_code code = json_read(options_json, strlen(options_json), &json, err);
    if (code != ERR_OK)
        return code;
    option_defaults(task->options, options);
    code = json_is_object(json) ? option_read_json(task->options, options, json, true, err)
                                : err_set(err, ERR_INVALID, "the options are not a JSON object");
    if (code == ERR_OK && task->check != NULL)
        code = task->check(options, err);
    json_decref(json);
    return code;
}
