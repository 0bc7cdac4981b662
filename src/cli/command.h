/* Command: one file each, one row in command_list.h. A command parses its flags with command_parse, opens what it needs,
 * prints to stdout and returns an error that main prints to stderr and turns into the exit status (err_list.h). */
#ifndef ALMANAC_CLI_COMMAND_H
#define ALMANAC_CLI_COMMAND_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/log.h"
#include "base/option.h"
#include "cli/settings.h"
#include "job/report.h"
#include "os/thread.h"
#include "store/store.h"
#include "task/task.h"

struct command {
    const char *name;                   /* "train"; words are split by a space: "import football" */
    const char *usage;                  /* what follows the name: "PATH... [flags]" */
    const char *doc;                    /* one sentence */
    const struct option_table *options; /* own flags, may be NULL */
    const struct task *task;            /* a task whose options are the flags; NULL: none */
    enum err_code (*run)(const struct command *command, int argc, char **argv, struct err *err);
};

extern const struct command command_help;
const struct command *command_at(size_t index); /* NULL past the end */
/* The command whose words begin argv; *used receives how many words. NULL if none. */
const struct command *command_find(int argc, char **argv, int *used);

/* The table of the command's own flags: its own, or its task's; NULL: none. */
const struct option_table *command_options(const struct command *command);
/* Settings from file, environment and flags; the command's own options into `options` (may be NULL when the command has
 * none). */
enum err_code command_parse(const struct command *command, int argc, char **argv, struct settings *settings,
                            void *options, const char **positionals, size_t max_positionals,
                            size_t *positional_count, struct err *err) CHECKED;

/* What most commands hold: settings, store, pool, a reporter on the terminal. */
struct session {
    struct settings settings;
    struct store store;
    struct pool *pool;
    struct reporter reporter;
    struct task_context context;
};
enum err_code session_open(struct session *session, const struct settings *settings, enum db_mode mode,
                           struct err *err) CHECKED;
void session_close(struct session *session);
/* Runs a task in this process, commits its result, prints it with `print`. */
enum err_code session_run_task(struct session *session, const struct task *task, const void *options,
                               void (*print)(const json_t *result, struct buffer *out),
                               struct err *err) CHECKED;

/* The program's own log goes to stderr; command_parse sets the level of the settings. */
void terminal_log_start(enum log_level least);
/* Progress bar on a terminal, plain lines otherwise; both on stderr. */
struct reporter terminal_reporter(void);
void terminal_finish(void);                    /* ends the line of the bar */
void command_print(const struct buffer *text); /* to stdout */
void command_printf(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
