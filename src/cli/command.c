/* Commands: lookup, the common way of reading settings, and the session that most of them open. */
#include "cli/command.h"

#include "base/log.h"
#include "base/text.h"
#include "limits.h"
#include "os/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND(symbol) extern const struct command command_##symbol;
#include "cli/command_list.h"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(symbol) &command_##symbol,
#include "cli/command_list.h"
#undef COMMAND
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(*commands), CONFIG_MAX_BYTES = 1 << 20 };

const struct command *command_at(size_t index)
{
    return index < COMMAND_COUNT ? commands[index] : NULL;
}

/* How many of argv's words the name's words match; 0 when they do not all. */
static int match_words(const char *name, int argc, char **argv)
{
    int used = 0;
    struct text rest = text_of(name), word;
    while (text_split(&rest, ' ', &word)) {
        if (used == argc || !text_equal(word, argv[used]))
            return 0;
        used++;
    }
    return used;
}

const struct command *command_find(int argc, char **argv, int *used)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        *used = match_words(commands[i]->name, argc, argv);
        if (*used > 0)
            return commands[i];
    }
    return NULL;
}

const struct option_table *command_options(const struct command *command)
{
    return command->task != NULL ? command->task->options : command->options;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

/* Lines before any section are for the program as a whole: what a command has of its own must not find them unknown.
 * Blanked, so that the numbers of the lines stay. */
static void blank_head(struct buffer *text)
{
    bool at_start = true;
    for (size_t i = 0; i < text->size_bytes; i++) {
        char byte = text->data[i];
        if (at_start && byte == '[')
            return;
        at_start = byte == '\n' || (at_start && (byte == ' ' || byte == '\t'));
        if (byte != '\n')
            text->data[i] = ' ';
    }
}

/* The file must exist only when it was named. */
static enum err_code read_config(const struct option_table *const *tables, void *const *targets, size_t count,
                                 const char *path, bool was_named, struct err *err)
{
    struct buffer text;
    enum err_code code = ERR_OK;
    if (!was_named && !file_exists(path))
        return ERR_OK;
    buffer_init(&text, CONFIG_MAX_BYTES);
    code = file_read(path, &text, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        code = option_read_ini(tables[i], targets[i], buffer_text(&text), path, err);
        blank_head(&text);
    }
    buffer_release(&text);
    return code;
}

enum err_code command_parse(const struct command *command, int argc, char **argv, struct settings *settings,
                            void *options, const char **positionals, size_t max_positionals,
                            size_t *positional_count, struct err *err)
{
    const struct option_table *tables[2] = {&settings_table, command_options(command)};
    void *targets[2] = {settings, options};
    size_t count = tables[1] != NULL ? 2 : 1;
    struct settings first;
    const char *none[1];
    size_t positional = 0;
    option_defaults(&settings_table, settings);
    for (size_t i = 0; i < count; i++)
        option_defaults(tables[i], targets[i]);
    /* environment and flags are read twice: the file's own name may be among them, and they win over what it says */
    enum err_code code = option_read_environment(&settings_table, settings, environment, err);
    if (code == ERR_OK)
        code = option_read_flags(tables, targets, count, argc, argv, positionals != NULL ? positionals : none,
                                 positionals != NULL ? max_positionals : 0, &positional, err);
    if (code != ERR_OK)
        return code;
    first = *settings;
    bool was_named = environment("ALMANAC_CONFIG") != NULL || strcmp(first.config, "almanac.ini") != 0;
    for (size_t i = 0; i < count; i++)
        option_defaults(tables[i], targets[i]);
    code = read_config(tables, targets, count, first.config, was_named, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = option_read_environment(tables[i], targets[i], environment, err);
    if (code == ERR_OK)
        code = option_read_flags(tables, targets, count, argc, argv, positionals != NULL ? positionals : none,
                                 positionals != NULL ? max_positionals : 0, &positional, err);
    if (positional_count != NULL)
        *positional_count = positional;
    if (code == ERR_OK)
        terminal_log_start((enum log_level)settings->log_level);
    return code;
}

enum err_code session_open(struct session *session, const struct settings *settings, enum db_mode mode,
                           struct err *err)
{
    *session = (struct session){.settings = *settings, .reporter = terminal_reporter()};
    enum err_code code = store_open(settings->data_dir, mode, &session->store, err);
    if (code == ERR_OK)
        code = pool_create(0, &session->pool, err);
    session->context = (struct task_context){.store = &session->store,
                                             .pool = session->pool,
                                             .reporter = &session->reporter,
                                             .connectors = &session->settings.connectors};
    return code;
}

void session_close(struct session *session)
{
    if (session->pool != NULL)
        pool_destroy(session->pool);
    store_close(&session->store);
}

enum err_code session_run_task(struct session *session, const struct task *task, const void *options,
                               void (*print)(const json_t *result, struct buffer *out), struct err *err)
{
    struct buffer result, text;
    json_t *json = NULL;
    buffer_init(&result, LIMIT_RESULT_BYTES);
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = task->run(&session->context, options, &result, err);
    terminal_finish();
    if (code == ERR_OK)
        code = json_read(buffer_text(&result), result.size_bytes, &json, err);
    if (code == ERR_OK && task->commit != NULL)
        code = task->commit(&session->store, json, err);
    if (code == ERR_OK && print != NULL) {
        print(json, &text);
        command_print(&text);
    }
    json_decref(json);
    buffer_release(&text);
    buffer_release(&result);
    return code;
}

void command_print(const struct buffer *text)
{
    (void)fwrite(buffer_text(text), 1, text->size_bytes, stdout);
    (void)fflush(stdout);
}

void command_printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
}
