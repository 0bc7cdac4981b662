/* almanac import attributes. */
#include "task/import_attributes.h"

#include "cli/command.h"
#include "limits.h"
#include "task/import.h"

static void write_counts(const struct attributes_result *result, struct json_writer *out)
{
    json_key(out, "issues");
    json_begin_object(out);
    for (int reason = 0; reason < ISSUE_COUNT; reason++) {
        if (result->counts[reason] > 0)
            json_field_i64(out, issue_name((enum issue_reason)reason), (int64_t)result->counts[reason]);
    }
    json_end_object(out);
}

static void print_json(const struct attributes_result *result, struct buffer *text)
{
    struct json_writer out;
    json_writer_init(&out, text);
    json_begin_object(&out);
    json_field_bool(&out, "is_unchanged", result->is_unchanged);
    json_field_i64(&out, "rows_read", result->rows_read);
    json_field_i64(&out, "rows_kept", result->rows_kept);
    json_field_i64(&out, "values", result->values);
    json_field_i64(&out, "values_changed", result->values_changed);
    write_counts(result, &out);
    json_end_object(&out);
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    const char *path = NULL;
    struct settings settings;
    struct session session = {0};
    struct import_options options = {0};
    struct attributes_result result;
    struct buffer text;
    size_t count = 0;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = command_parse(command, argc, argv, &settings, &options, &path, 1, &count, err);
    if (code == ERR_OK && count != 1)
        code = err_set(err, ERR_INVALID, "name the file to import: almanac %s %s", command->name,
                       command->usage);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_WRITE, err);
    if (code == ERR_OK)
        code = import_attributes(&session.store, path, options.strict, &result, err);
    if (code == ERR_OK) {
        if (settings.json)
            print_json(&result, &text);
        else
            attributes_result_text(&result, &text);
        buffer_append_char(&text, '\n');
        if (options.report && !settings.json)
            code = import_report_text(&session.store, &text, err);
        command_print(&text);
    }
    session_close(&session);
    buffer_release(&text);
    return code;
}

const struct command command_import_attributes = {
    .name = "import attributes",
    .usage = "FILE.csv [--strict] [--report]",
    .doc = "read what is told of teams for a season (wages, squad value, minutes of the young, ...), each "
           "with the "
           "day from which on it may be used",
    .options = &import_option_table,
    .run = run,
};
