/* Tasks as commands. */
#include "cli/task_command.h"

#include <assert.h>
#include <stdlib.h>

static void print_json(const json_t *result, struct buffer *out)
{
    char *text = json_dumps(result, JSON_INDENT(2) | JSON_ENCODE_ANY);
    buffer_append_text(out, text != NULL ? text : "null");
    buffer_append_char(out, '\n');
    free(text);
}

enum err_code task_command_run(const struct command *command, const struct task *task,
                               void (*print)(const json_t *result, struct buffer *out), int argc, char **argv,
                               struct err *err)
{
    _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES];
    struct settings settings;
    struct session session = {0};
    assert(task->options_bytes <= sizeof(options) && command->task == task);
    enum err_code code = command_parse(command, argc, argv, &settings, options, NULL, 0, NULL, err);
    if (code == ERR_OK && task->check != NULL)
        code = task->check(options, err);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_WRITE, err);
    if (code == ERR_OK)
        code = session_run_task(&session, task, options, settings.json ? print_json : print, err);
    session_close(&session);
    return code;
}
