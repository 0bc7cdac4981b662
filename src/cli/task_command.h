/* A command that is a task run in this terminal: its flags are the task's options, and --json. */
#ifndef ALMANAC_CLI_TASK_COMMAND_H
#define ALMANAC_CLI_TASK_COMMAND_H

#include "cli/command.h"

/* `print` writes the result for people; with --json the result itself is printed. */
enum err_code task_command_run(const struct command *command, const struct task *task,
                               void (*print)(const json_t *result, struct buffer *out), int argc, char **argv,
                               struct err *err) CHECKED;

#endif
