/* almanac sql: one statement over the feature views, the matrix, the matches and any file that DuckDB reads.
 *
 * A person's own shell: files may be read and, by COPY ... TO, written wherever the person may. The data directory is not
 * changed by accident: everything of it that has a name here is a view, which no statement can write through.
 * Rows are printed as they come; only a table is gathered first, for its widths, and therefore has a limit of its own. */
#include "cli/command.h"
#include "cli/sql_tables.h"
#include "limits.h"
#include "os/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX_BYTES = 1 << 20, TABLE_ROWS = 100, TABLE_MAX_BYTES = 256 << 20, FLUSH_BYTES = 1 << 16 };
enum sql_format { SQL_TABLE, SQL_CSV, SQL_JSON };

struct sql_options {
    int format;
    int64_t limit;
};
#define MEMBER(name) OPTION_MEMBER(struct sql_options, name)
static const struct option_row rows[] = {
    {"format", OPTION_ENUM, MEMBER(format), "table|csv|json", 0, 0, "table",
     "aligned for people, RFC 4180 with a header, or an array of objects (also by --json)"},
    {"limit", OPTION_INT, MEMBER(limit), "rows", 0, 1e12, "0",
     "print at most so many rows; 0: 100 of a table, all of csv and json"},
};
static const struct option_table table = {"sql", rows, sizeof(rows) / sizeof(*rows)};

/* ---- CSV and JSON: as they come ---- */

static enum err_code print_stream(struct duck_result *result, bool is_json, size_t limit, struct err *err)
{
    struct buffer out;
    struct json_writer writer;
    bool has_row = true;
    enum err_code code = ERR_OK;
    buffer_init(&out, LIMIT_RESULT_BYTES);
    json_writer_init(&writer, &out);
    if (is_json)
        json_begin_array(&writer);
    else
        duck_result_csv_head(result, &out);
    for (size_t count = 0; count < limit; count++) {
        code = duck_result_next(result, &has_row, err);
        if (code != ERR_OK || !has_row)
            break;
        if (is_json)
            duck_result_json_row(result, &writer);
        else
            duck_result_csv_row(result, &out);
        code = buffer_check(&out, "a row", err);
        if (code != ERR_OK)
            break;
        if (out.size_bytes >= FLUSH_BYTES) {
            command_print(&out);
            buffer_clear(&out);
        }
    }
    if (is_json) {
        json_end_array(&writer);
        buffer_append_char(&out, '\n');
    }
    if (code == ERR_OK || out.failed == ERR_OK)
        command_print(&out);
    buffer_release(&out);
    return code;
}

/* ---- table ---- */

struct cells {
    struct buffer text; /* zero-terminated cells, names first, row by row */
    size_t *widths;     /* [columns], in characters */
    size_t columns, rows;
};

/* Characters of UTF-8 in the widest line. */
static size_t width_of(const char *text)
{
    size_t width = 0, widest = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
        widest = width > widest && *text != '\n' ? width : widest;
        if (*text == '\n')
            width = 0;
    }
    return widest;
}

static void add_cell(struct cells *cells, size_t column, const char *text)
{
    size_t width = width_of(text);
    buffer_append(&cells->text, text, strlen(text) + 1);
    cells->widths[column] = width > cells->widths[column] ? width : cells->widths[column];
}

static enum err_code gather(struct duck_result *result, struct cells *cells, size_t limit, bool *out_more,
                            struct err *err)
{
    bool has_row = false;
    for (size_t i = 0; i < cells->columns; i++)
        add_cell(cells, i, duck_result_name(result, i));
    enum err_code code = duck_result_next(result, &has_row, err);
    for (; code == ERR_OK && has_row && cells->rows < limit; cells->rows++) {
        for (size_t i = 0; i < cells->columns; i++)
            add_cell(cells, i, duck_is_null(result, i) ? "NULL" : duck_text(result, i));
        code = buffer_check(&cells->text, "the table (try --format csv)", err);
        if (code == ERR_OK)
            code = duck_result_next(result, &has_row, err);
    }
    *out_more = code == ERR_OK && has_row;
    return code;
}

static bool is_number(const char *type)
{
    return (strstr(type, "INT") != NULL && strcmp(type, "INTERVAL") != 0) || strcmp(type, "FLOAT") == 0 ||
           strcmp(type, "DOUBLE") == 0 || strncmp(type, "DECIMAL", 7) == 0;
}

static void append_spaces(struct buffer *out, size_t count)
{
    while (count-- > 0)
        buffer_append_char(out, ' ');
}

static void append_cell(struct buffer *out, const char *text, size_t width, bool is_right, bool is_last)
{
    size_t own = width_of(text), pad = width > own ? width - own : 0;
    if (is_right)
        append_spaces(out, pad);
    buffer_append_text(out, text);
    if (!is_right && !is_last)
        append_spaces(out, pad);
    buffer_append_text(out, is_last ? "\n" : "  ");
}

static void print_cells(const struct duck_result *result, const struct cells *cells)
{
    struct buffer out;
    const char *at = buffer_text(&cells->text);
    buffer_init(&out, TABLE_MAX_BYTES);
    for (size_t row = 0; row <= cells->rows; row++) {
        for (size_t i = 0; i < cells->columns; i++, at += strlen(at) + 1)
            append_cell(&out, at, cells->widths[i], is_number(duck_result_type(result, i)),
                        i + 1 == cells->columns);
        for (size_t i = 0; row == 0 && i < cells->columns; i++) {
            for (size_t dash = 0; dash < cells->widths[i]; dash++)
                buffer_append_char(&out, '-');
            buffer_append_text(&out, i + 1 == cells->columns ? "\n" : "  ");
        }
        if (out.size_bytes >= FLUSH_BYTES) {
            command_print(&out);
            buffer_clear(&out);
        }
    }
    command_print(&out);
    buffer_release(&out);
}

static enum err_code print_table(struct duck_result *result, size_t limit, struct err *err)
{
    struct cells cells = {.columns = duck_result_columns(result)};
    bool has_more = false;
    buffer_init(&cells.text, TABLE_MAX_BYTES);
    cells.widths = calloc(cells.columns, sizeof *cells.widths);
    enum err_code code = cells.widths != NULL ? gather(result, &cells, limit, &has_more, err)
                                              : err_nomem(err, cells.columns * sizeof *cells.widths);
    if (code == ERR_OK) {
        print_cells(result, &cells);
        command_printf("(%zu row%s%s)\n", cells.rows, cells.rows == 1 ? "" : "s",
                       has_more ? " shown, there are more: --limit N" : "");
    }
    free(cells.widths);
    buffer_release(&cells.text);
    return code;
}

/* ---- the command ---- */

static enum err_code print_result(struct duck_result *result, const struct sql_options *options,
                                  struct err *err)
{
    const size_t limit = options->limit > 0 ? (size_t)options->limit : SIZE_MAX;
    if (options->format != SQL_TABLE && duck_result_columns(result) > 0)
        return print_stream(result, options->format == SQL_JSON, limit, err);
    if (duck_result_columns(result) > 0)
        return print_table(result, options->limit > 0 ? limit : TABLE_ROWS, err);
    if (options->format == SQL_JSON)
        command_printf("{\"rows_changed\": %lld}\n", (long long)duck_result_changes(result));
    else if (options->format == SQL_TABLE)
        command_printf("(%lld rows changed)\n", (long long)duck_result_changes(result));
    return ERR_OK;
}

static enum err_code read_statement(const char *argument, struct buffer *out, struct err *err)
{
    char part[4096];
    size_t size_bytes;
    if (strcmp(argument, "-") != 0) {
        buffer_append_text(out, argument);
    } else {
        while ((size_bytes = fread(part, 1, sizeof part, stdin)) > 0 && !out->failed)
            buffer_append(out, part, size_bytes);
    }
    if (strlen(buffer_text(out)) != out->size_bytes)
        return err_set(err, ERR_INVALID, "the statement has a zero byte");
    return buffer_check(out, "the statement", err);
}

static enum err_code run_statement(const struct settings *settings, const char *sql,
                                   const struct sql_options *options, struct err *err)
{
    struct duck *duck = NULL;
    struct duck_result *result = NULL;
    struct sql_tables tables = {.has_session = false};
    enum err_code code = duck_open(&(struct duck_options){.threads = thread_processor_count()}, &duck, err);
    if (code == ERR_OK)
        code = sql_tables_open(settings, sql, duck, &tables, err);
    if (code == ERR_OK)
        code = duck_query(duck, sql, NULL, 0, &result, err);
    if (code == ERR_OK)
        code = print_result(result, options, err);
    duck_result_destroy(result);
    duck_close(duck);
    sql_tables_close(&tables);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct sql_options options;
    struct buffer sql;
    const char *argument = NULL;
    size_t count = 0;
    enum err_code code = command_parse(command, argc, argv, &settings, &options, &argument, 1, &count, err);
    if (code == ERR_OK && count != 1)
        code =
            err_set(err, ERR_INVALID, "no statement: almanac sql \"SELECT ...\", or - to read it from stdin");
    if (code != ERR_OK)
        return code;
    if (settings.json)
        options.format = SQL_JSON;
    buffer_init(&sql, SQL_MAX_BYTES);
    code = read_statement(argument, &sql, err);
    if (code == ERR_OK)
        code = run_statement(&settings, buffer_text(&sql), &options, err);
    buffer_release(&sql);
    return code;
}

const struct command command_sql = {
    .name = "sql",
    .usage = "STATEMENT|- [--format table|csv|json] [--limit N]",
    .doc = "one SQL statement (DuckDB) over the feature views, matrix, matches and teams, and files by their "
           "path",
    .options = &table,
    .run = run,
};
