/* Duck: engines, statements, errors. See duck.h.
 *
 * The sandbox is DuckDB's own: allowed_directories for the folders, external access off for everything else, and the
 * configuration locked, so that no statement opens it again. The order matters: folders can be allowed only while access is
 * still on, and nothing can be set after the lock. Engines never fetch extensions, and never spill to disk: DuckDB would make
 * a folder where the program happens to run. */
#include "duck/duck.h"
#include "duck/duck_private.h"
#include "limits.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SQL_MAX_BYTES = 1 << 20 };

static const struct {
    const char *kind;
    enum err_code code;
} error_kinds[] = {
    {"INTERRUPT", ERR_CANCELLED},        {"Interrupt", ERR_CANCELLED},
    {"Out of Memory", ERR_NOMEM},        {"IO Error", ERR_IO},
    {"Permission Error", ERR_FORBIDDEN}, {"Missing Extension", ERR_UNAVAILABLE},
    {"INTERNAL", ERR_INTERNAL},          {"FATAL", ERR_INTERNAL},
};

/* Of the lines behind the first, the one that says what may have been meant; the others draw the place. */
static const char *find_hint(const char *message)
{
    const char *hint = strstr(message, "\nCandidate");
    return hint != NULL ? hint : strstr(message, "\nDid you mean");
}

enum err_code duck_fail(const char *message, struct err *err)
{
    enum err_code code = ERR_INVALID;
    const char *text = message != NULL && *message != '\0' ? message : "DuckDB failed without a message";
    const char *hint = find_hint(text);
    for (size_t i = 0; i < sizeof error_kinds / sizeof *error_kinds; i++)
        if (strncmp(text, error_kinds[i].kind, strlen(error_kinds[i].kind)) == 0)
            code = error_kinds[i].code;
    if (hint == NULL)
        return err_set(err, code, "%.*s", (int)strcspn(text, "\r\n"), text);
    return err_set(err, code, "%.*s (%.*s)", (int)strcspn(text, "\r\n"), text, (int)strcspn(hint + 1, "\r\n"),
                   hint + 1);
}

enum err_code duck_probe(const char **version, struct err *err)
{
    const struct duck_library *library;
    enum err_code code = duck_library_open(&library, err);
    if (version != NULL)
        *version = code == ERR_OK ? library->library_version() : "";
    return code;
}

/* ---- texts in SQL ---- */

static bool quote(struct buffer *out, const char *text, char mark)
{
    buffer_append_char(out, mark);
    for (; *text != '\0'; text++) {
        if (*text == mark)
            buffer_append_char(out, mark);
        buffer_append_char(out, *text);
    }
    buffer_append_char(out, mark);
    return out->failed == ERR_OK;
}

bool duck_quote(struct buffer *out, const char *text)
{
    return quote(out, text, '\'');
}

bool duck_quote_name(struct buffer *out, const char *name)
{
    return quote(out, name, '"');
}

/* ---- engines ---- */

static uint64_t half_of_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (uint64_t)pages / 2 * (uint64_t)page_bytes : UINT64_C(1) << 30;
}

static enum err_code open_database(struct duck *duck, const struct duck_options *options, struct err *err)
{
    const struct duck_library *library = duck->library;
    char threads[24], memory[32];
    char *message = NULL;
    void *config = NULL;
    uint64_t memory_bytes = options->memory_bytes > 0 ? options->memory_bytes : half_of_memory_bytes();
    (void)snprintf(threads, sizeof threads, "%zu", options->threads);
    (void)snprintf(memory, sizeof memory, "%" PRIu64 "KiB", memory_bytes / 1024 + 1);
    const char *const settings[][2] = {
        {"threads", threads},
        {"memory_limit", memory},
        {"temp_directory", ""},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"allow_persistent_secrets", "false"},
        {"custom_user_agent", "almanac"},
    };
    int failed = library->create_config(&config);
    for (size_t i = 0; !failed && i < sizeof settings / sizeof *settings; i++)
        failed = library->set_config(config, settings[i][0], settings[i][1]);
    if (!failed)
        failed = library->open_ext(NULL, &duck->database, config, &message);
    if (!failed)
        failed = library->connect(duck->database, &duck->connection);
    enum err_code code = failed ? duck_fail(message, err) : ERR_OK;
    if (message != NULL)
        library->free(message);
    library->destroy_config(&config);
    return code;
}

static enum err_code run(struct duck *duck, const char *sql, struct err *err)
{
    return duck_query(duck, sql, NULL, 0, NULL, err);
}

/* A folder as it is given, and as an absolute path: statements may name it either way. */
static enum err_code append_folder(struct buffer *out, const char *folder, struct err *err)
{
    char *absolute = realpath(folder, NULL);
    if (absolute == NULL && errno != ENOENT) /* it may come later */
        return err_set_errno(err, errno, "cannot use folder '%s'", folder);
    buffer_append_text(out, out->size_bytes > 0 ? "," : "");
    duck_quote(out, folder);
    if (absolute != NULL && strcmp(folder, absolute) != 0) {
        buffer_append_char(out, ',');
        duck_quote(out, absolute);
    }
    free(absolute);
    return ERR_OK;
}

static enum err_code close_sandbox(struct duck *duck, const char *const *folders, struct err *err)
{
    struct buffer list, sql;
    enum err_code code = ERR_OK;
    buffer_init(&list, SQL_MAX_BYTES);
    buffer_init(&sql, SQL_MAX_BYTES);
    for (size_t i = 0; code == ERR_OK && folders[i] != NULL; i++)
        code = append_folder(&list, folders[i], err);
    buffer_printf(&sql, "SET allowed_directories=[%s]", buffer_text(&list));
    if (code == ERR_OK)
        code = buffer_check(&sql, "the list of folders", err);
    if (code == ERR_OK)
        code = run(duck, buffer_text(&sql), err);
    if (code == ERR_OK)
        code = run(duck, "SET enable_external_access=false", err);
    if (code == ERR_OK)
        code = run(duck, "SET lock_configuration=true", err);
    buffer_release(&list);
    buffer_release(&sql);
    return code;
}

enum err_code duck_open(const struct duck_options *options, struct duck **out, struct err *err)
{
    const struct duck_library *library;
    assert(options->threads >= 1);
    *out = NULL;
    enum err_code code = duck_library_open(&library, err);
    if (code != ERR_OK)
        return code;
    struct duck *duck = calloc(1, sizeof *duck);
    if (duck == NULL)
        return err_nomem(err, sizeof *duck);
    duck->library = library;
    code = open_database(duck, options, err);
    if (code == ERR_OK) {
        /* fails where ICU is not built in: then there are no time zones either */
        enum err_code ignored = run(duck, "SET TimeZone='UTC'", NULL);
        (void)ignored;
    }
    if (code == ERR_OK && options->folders != NULL)
        code = close_sandbox(duck, options->folders, err);
    if (code != ERR_OK)
        duck_close(duck);
    else
        *out = duck;
    return code;
}

void duck_close(struct duck *duck)
{
    if (duck == NULL)
        return;
    assert(duck->open_results == 0);
    if (duck->connection != NULL)
        duck->library->disconnect(&duck->connection);
    if (duck->database != NULL)
        duck->library->close(&duck->database);
    free(duck);
}

void duck_interrupt(struct duck *duck)
{
    duck->library->interrupt(duck->connection);
}

/* ---- statements ---- */

static enum err_code bind_values(struct duck *duck, void *statement, const struct duck_value *values,
                                 size_t count, struct err *err)
{
    const struct duck_library *library = duck->library;
    uint64_t wanted = library->nparams(statement);
    int failed = 0;
    if (wanted != count)
        return err_set(err, ERR_INVALID, "the statement has %llu parameters, %zu values were given",
                       (unsigned long long)wanted, count);
    for (size_t i = 0; !failed && i < count; i++) {
        const struct duck_value *value = &values[i];
        if (value->kind == DUCK_I64)
            failed = library->bind_int64(statement, i + 1, value->i64);
        else if (value->kind == DUCK_F64)
            failed = library->bind_double(statement, i + 1, value->f64);
        else if (value->kind == DUCK_TEXT && value->text != NULL)
            failed = library->bind_varchar(statement, i + 1, value->text);
        else
            failed = library->bind_null(statement, i + 1);
    }
    return failed ? duck_fail(library->prepare_error(statement), err) : ERR_OK;
}

static enum err_code read_columns(struct duck_result *result, struct err *err)
{
    const struct duck_library *library = result->duck->library;
    size_t count = (size_t)library->column_count(&result->raw);
    enum err_code code = ERR_OK;
    result->columns = calloc(count + 1, sizeof *result->columns);
    result->texts = calloc(count + 1, sizeof *result->texts);
    result->text_row = calloc(count + 1, sizeof *result->text_row);
    if (result->columns == NULL || result->texts == NULL || result->text_row == NULL)
        return err_nomem(err, (count + 1) * sizeof *result->columns);
    for (; code == ERR_OK && result->column_count < count; result->column_count++) {
        size_t i = result->column_count;
        buffer_init(&result->texts[i], LIMIT_RESULT_BYTES);
        code = value_column_init(&result->columns[i], library, library->column_logical_type(&result->raw, i),
                                 err);
        if (code != ERR_OK)
            code = err_prefix(err, "cannot read '%s'", library->column_name(&result->raw, i));
    }
    return code;
}

/* Rows are made while they are fetched only when somebody reads them: else the statement runs to its end here. */
static enum err_code execute(struct duck *duck, void *statement, struct duck_result *result, struct err *err)
{
    const struct duck_library *library = duck->library;
    struct duck_raw_result local = {0};
    struct duck_raw_result *raw = result != NULL ? &result->raw : &local;
    int failed = result != NULL ? library->execute_prepared_streaming(statement, raw)
                                : library->execute_prepared(statement, raw);
    enum err_code code = failed ? duck_fail(library->result_error(raw), err) : ERR_OK;
    if (result == NULL) {
        library->destroy_result(raw);
        return code;
    }
    result->has_raw = true;
    if (code != ERR_OK)
        return code;
    if (library->result_return_type(*raw) == DUCK_RETURNS_ROWS)
        return read_columns(result, err);
    result->changes = (int64_t)library->rows_changed(raw);
    result->is_done = true;
    return ERR_OK;
}

enum err_code duck_query(struct duck *duck, const char *sql, const struct duck_value *values, size_t count,
                         struct duck_result **out, struct err *err)
{
    const struct duck_library *library = duck->library;
    struct duck_result *result = NULL;
    void *statement = NULL;
    enum err_code code = ERR_OK;
    if (out != NULL)
        *out = NULL;
    duck->statement++;
    if (library->prepare(duck->connection, sql, &statement))
        code = duck_fail(library->prepare_error(statement), err);
    if (code == ERR_OK)
        code = bind_values(duck, statement, values, count, err);
    if (code == ERR_OK && out != NULL) {
        result = calloc(1, sizeof *result);
        code = result != NULL ? ERR_OK : err_nomem(err, sizeof *result);
    }
    if (result != NULL) {
        result->duck = duck;
        result->statement = duck->statement;
        duck->open_results++;
    }
    if (code == ERR_OK)
        code = execute(duck, statement, result, err);
    library->destroy_prepare(&statement);
    if (code != ERR_OK)
        duck_result_destroy(result);
    else if (out != NULL)
        *out = result;
    return code;
}
