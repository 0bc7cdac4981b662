/* almanac import football | sqlite | report. */
#include "task/import.h"
#include "cli/command.h"
#include "limits.h"

enum { PATHS_MAX = 4096 };

static enum err_code print_report(struct session *session, struct err *err)
{
    struct buffer text;
    struct json_writer writer;
    enum err_code code;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    if (session->settings.json) {
        json_writer_init(&writer, &text);
        code = import_report_json(&session->store, &writer, err);
        buffer_append_char(&text, '\n');
    } else {
        code = import_report_text(&session->store, &text, err);
    }
    if (code == ERR_OK)
        command_print(&text);
    buffer_release(&text);
    return code;
}

static void print_result(const struct import_result *result)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    import_result_text(result, &text);
    buffer_append_char(&text, '\n');
    command_print(&text);
    buffer_release(&text);
}

/* What all imports share: parse, open, `import`, print, report. */
static enum err_code run(const struct command *command, int argc, char **argv,
                         enum err_code (*import)(struct session *session, const char *const *paths,
                                                 size_t count, const struct import_options *options,
                                                 struct import_result *result, struct err *err),
                         struct err *err)
{
    static const char *paths[PATHS_MAX];
    struct settings settings;
    struct session session = {0};
    struct import_options options = {0};
    struct import_result result = {0};
    size_t count = 0;
    enum err_code code =
        command_parse(command, argc, argv, &settings, &options, paths, PATHS_MAX, &count, err);
    if (code == ERR_OK && count == 0 && !options.report)
        code = err_set(err, ERR_INVALID, "name what to import: almanac %s %s", command->name, command->usage);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_WRITE, err);
    if (code == ERR_OK && count > 0) {
        code = import(&session, paths, count, &options, &result, err);
        terminal_finish();
        if (code == ERR_OK)
            print_result(&result);
    }
    if (code == ERR_OK && options.report)
        code = print_report(&session, err);
    session_close(&session);
    return code;
}

static enum err_code from_files(struct session *session, const char *const *paths, size_t count,
                                const struct import_options *options, struct import_result *result,
                                struct err *err)
{
    return import_football(&session->store, session->pool, paths, count, options, &session->reporter, result,
                           err);
}

static enum err_code from_sqlite(struct session *session, const char *const *paths, size_t count,
                                 const struct import_options *options, struct import_result *result,
                                 struct err *err)
{
    if (count != 1 || options->query[0] == '\0')
        return err_set(err, ERR_INVALID,
                       "name one file and a query: almanac import sqlite FILE --query 'SELECT ...'");
    return import_sqlite(&session->store, paths[0], options, &session->reporter, result, err);
}

static enum err_code run_football(const struct command *command, int argc, char **argv, struct err *err)
{
    return run(command, argc, argv, from_files, err);
}

static enum err_code run_sqlite(const struct command *command, int argc, char **argv, struct err *err)
{
    return run(command, argc, argv, from_sqlite, err);
}

static enum err_code run_report(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct session session = {0};
    struct import_options options = {0};
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_WRITE, err);
    if (code == ERR_OK)
        code = print_report(&session, err);
    session_close(&session);
    return code;
}

const struct command command_import_football = {
    .name = "import football",
    .usage = "PATH... [--strict] [--report]",
    .doc = "read football-data files or folders (main layout and extra leagues) into the store",
    .options = &import_option_table,
    .run = run_football,
};
const struct command command_import_sqlite = {
    .name = "import sqlite",
    .usage = "FILE --query SQL [--strict] [--report]",
    .doc = "read the rows of a query from another application's SQLite file, which is never written",
    .options = &import_sqlite_option_table,
    .run = run_sqlite,
};
const struct command command_import_report = {
    .name = "import",
    .usage = "--report",
    .doc = "what was imported so far; every repaired or rejected row by reason, with file and line",
    .options = &import_option_table,
    .run = run_report,
};
