/* An SQLite file of somebody else. How it is opened depends on what lies there:
 *
 *   rollback journal mode        read-only: SQLite takes a shared lock on the file and makes no other file.
 *   the same, hot journal        read-only: SQLite would have to roll back a killed writer, which needs writing; it
 *                                refuses, and so do we: reading on would show half a transaction.
 *   WAL mode, no -wal file       nobody has it open (a connection keeps its -wal): immutable, nothing is created.
 *   WAL mode with a -wal file    read-only: the -wal holds committed data that must be seen.
 *
 * Immutable reading takes no lock, so afterwards the file is compared with what it was (size, time of change). */
#include "source/sqlite_source.h"

#include "base/buffer.h"
#include "limits.h"
#include "os/file.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_TIMEOUT_MS = 2000, HEADER_BYTES = 100, WAL_VERSION = 2 };

struct sqlite_source {
    const char *path;
    sqlite3 *handle;
    sqlite3_stmt *statement;
    struct football_reader *reader;
    struct text *fields; /* column_count of them */
    char (*whole_numbers)[24];
    int column_count;
    bool is_immutable;
    bool was_denied; /* by the authorizer; SQLite's own code for it differs between statements */
    struct file_info info;
};

static enum err_code source_error(const struct sqlite_source *source, int result, const char *what,
                                  struct err *err)
{
    const char *text = source->handle != NULL ? sqlite3_errmsg(source->handle) : sqlite3_errstr(result);

    if (source->was_denied)
        return err_set(err, ERR_FORBIDDEN,
                       "cannot %s '%s': the query does more than read; only SELECT is allowed", what,
                       source->path);
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY,
                       "cannot %s '%s': another program is writing to it; try again when it is done", what,
                       source->path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return err_set(err, ERR_CORRUPT, "cannot %s '%s': %s", what, source->path, text);
    case SQLITE_NOMEM:
        return err_nomem(err, 0);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return err_set(
            err, ERR_BUSY,
            "cannot %s '%s': its last writer did not finish (a journal is left over); open it once with "
            "its own application",
            what, source->path);
    case SQLITE_IOERR:
        return err_set(err, ERR_IO, "cannot %s '%s': %s", what, source->path, text);
    default:
        return err_set(err, ERR_INVALID, "cannot %s '%s': %s", what, source->path, text);
    }
}

/* Byte 18 of the header, the version needed for writing, is 2 in WAL mode (sqlite.org/fileformat2). */
static enum err_code is_in_wal_mode(const char *path, bool *out, struct err *err)
{
    struct file_map map;

    *out = false;
    enum err_code code = file_map_open(path, INT64_MAX, &map, err);
    if (code != ERR_OK)
        return code;
    bool is_database = map.size_bytes >= HEADER_BYTES && memcmp(map.data, "SQLite format 3", 16) == 0;
    if (is_database)
        *out = map.data[18] == WAL_VERSION;
    file_map_close(&map);
    if (!is_database)
        return err_set(err, ERR_CORRUPT, "cannot read '%s': it is not an SQLite database", path);
    return ERR_OK;
}

static bool has_companion(const char *path, const char *ending)
{
    char companion[FILE_PATH_BYTES];

    int length = snprintf(companion, sizeof companion, "%s%s", path, ending);
    return length > 0 && (size_t)length < sizeof companion && file_exists(companion);
}

/* file:<path with % ? # escaped>?mode=ro */
static void append_uri(struct buffer *uri, const char *path, bool is_immutable)
{
    buffer_append_text(uri, "file:");
    for (const char *p = path; *p != '\0'; p++) {
        if (*p == '%' || *p == '?' || *p == '#')
            buffer_printf(uri, "%%%02X", (unsigned)*p);
        else
            buffer_append_char(uri, *p);
    }
    buffer_append_text(uri, is_immutable ? "?mode=ro&immutable=1" : "?mode=ro");
}

static bool only_reads(int action, const char *function)
{
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return true;
    case SQLITE_FUNCTION:
        return function != NULL && sqlite3_stricmp(function, "load_extension") != 0;
    default:
        return false;
    }
}

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *trigger)
{
    struct sqlite_source *source = context;

    (void)first, (void)database, (void)trigger;
    if (only_reads(action, second))
        return SQLITE_OK;
    source->was_denied = true;
    return SQLITE_DENY;
}

static enum err_code configure(struct sqlite_source *source, struct err *err)
{
    int set;

    (void)sqlite3_extended_result_codes(source->handle, 1);
    (void)sqlite3_busy_timeout(source->handle, BUSY_TIMEOUT_MS);
    (void)sqlite3_db_config(source->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &set);
    (void)sqlite3_db_config(source->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, &set);
    (void)sqlite3_db_config(source->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &set);
    int result = sqlite3_exec(source->handle, "PRAGMA query_only = 1", NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return source_error(source, result, "open", err);
    (void)sqlite3_set_authorizer(source->handle, authorize, source); /* after our own pragma */
    return ERR_OK;
}

static enum err_code open_source(struct sqlite_source *source, struct err *err)
{
    bool is_wal;
    struct buffer uri;

    enum err_code code = file_stat(source->path, &source->info, err);
    if (code == ERR_OK)
        code = is_in_wal_mode(source->path, &is_wal, err);
    if (code != ERR_OK)
        return code;
    source->is_immutable = is_wal && !has_companion(source->path, "-wal");
    buffer_init(&uri, 4 * FILE_PATH_BYTES);
    append_uri(&uri, source->path, source->is_immutable);
    code = buffer_check(&uri, "path", err);
    if (code == ERR_OK) {
        int result = sqlite3_open_v2(buffer_text(&uri), &source->handle,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
        code = result == SQLITE_OK ? configure(source, err) : source_error(source, result, "open", err);
    }
    buffer_release(&uri);
    return code;
}

/* Only white space, semicolons and comments may follow the statement: SQLite itself knows best what those are. */
static enum err_code refuse_tail(struct sqlite_source *source, const char *tail, struct err *err)
{
    sqlite3_stmt *more = NULL;

    while (tail != NULL && *tail != '\0') {
        const char *from = tail;
        int result = sqlite3_prepare_v2(source->handle, from, -1, &more, &tail);
        bool is_statement = more != NULL;
        (void)sqlite3_finalize(more);
        if (result != SQLITE_OK || is_statement)
            return err_set_field(err, ERR_INVALID, "query",
                                 "the query has more than one statement; one SELECT is "
                                 "allowed");
        if (tail == from)
            break;
    }
    return ERR_OK;
}

static enum err_code prepare(struct sqlite_source *source, const char *query, struct err *err)
{
    const char *tail = NULL;

    int result = sqlite3_prepare_v2(source->handle, query, -1, &source->statement, &tail);
    if (result != SQLITE_OK)
        return source_error(source, result, "query", err);
    if (source->statement == NULL)
        return err_set_field(err, ERR_INVALID, "query", "the query is empty; give one SELECT");
    enum err_code code = refuse_tail(source, tail, err);
    if (code != ERR_OK)
        return code;
    source->column_count = sqlite3_column_count(source->statement);
    if (sqlite3_stmt_readonly(source->statement) == 0 || source->column_count == 0)
        return err_set_field(err, ERR_FORBIDDEN, "query",
                             "the query does not read rows; only SELECT is allowed");
    source->fields = calloc((size_t)source->column_count, sizeof *source->fields);
    if (source->fields == NULL)
        return err_nomem(err, (size_t)source->column_count * sizeof *source->fields);
    source->whole_numbers = calloc((size_t)source->column_count, sizeof *source->whole_numbers);
    if (source->whole_numbers == NULL)
        return err_nomem(err, (size_t)source->column_count * sizeof *source->whole_numbers);
    return ERR_OK;
}

static enum err_code make_reader(struct sqlite_source *source, struct err *err)
{
    for (int column = 0; column < source->column_count; column++)
        source->fields[column] = text_of(sqlite3_column_name(source->statement, column));
    struct football_reader *reader = NULL;
    enum err_code code =
        football_reader_create(source->fields, (size_t)source->column_count, source->path, &reader, err);
    source->reader = reader;
    return code == ERR_OK ? ERR_OK : err_prefix(err, "columns of the query");
}

/* The value as text. Goals often are REAL elsewhere: 2.0 is 2. */
static struct text value_text(struct sqlite_source *source, int column)
{
    if (sqlite3_column_type(source->statement, column) == SQLITE_FLOAT) {
        double value = sqlite3_column_double(source->statement, column);
        if (value >= -1e15 && value <= 1e15 && value == (double)(int64_t)value) {
            char *out = source->whole_numbers[column];
            int length = snprintf(out, sizeof source->whole_numbers[column], "%" PRId64, (int64_t)value);
            return (struct text){out, (size_t)length};
        }
    }
    const char *data = (const char *)sqlite3_column_text(source->statement, column);
    return (struct text){data, data == NULL ? 0 : (size_t)sqlite3_column_bytes(source->statement, column)};
}

static enum err_code read_rows(struct sqlite_source *source, bool strict, struct err *err)
{
    for (size_t line = 1;; line++) {
        int result = sqlite3_step(source->statement);
        if (result == SQLITE_DONE)
            return ERR_OK;
        if (result != SQLITE_ROW)
            return source_error(source, result, "read", err);
        for (int column = 0; column < source->column_count; column++)
            source->fields[column] = value_text(source, column);
        enum err_code code = football_reader_row(source->reader, source->fields, (size_t)source->column_count,
                                                 line, strict, err);
        if (code != ERR_OK)
            return code;
    }
}

static enum err_code refuse_changed(const struct sqlite_source *source, struct err *err)
{
    struct file_info now;

    if (!source->is_immutable)
        return ERR_OK; /* SQLite's own locks have seen to it */
    enum err_code code = file_stat(source->path, &now, err);
    if (code != ERR_OK)
        return code;
    if (now.modified_us != source->info.modified_us || now.size_bytes != source->info.size_bytes ||
        has_companion(source->path, "-wal"))
        return err_set(err, ERR_BUSY, "cannot read '%s': it was changed meanwhile; try again", source->path);
    return ERR_OK;
}

static void close_source(struct sqlite_source *source)
{
    (void)sqlite3_finalize(source->statement);
    (void)sqlite3_close(source->handle);
    football_reader_destroy(source->reader);
    free(source->fields);
    free(source->whole_numbers);
}

enum err_code sqlite_source_read(const char *path, const char *query, bool strict,
                                 struct football_tables *out, struct err *err)
{
    struct sqlite_source source = {.path = path};

    *out = (struct football_tables){0};
    enum err_code code = open_source(&source, err);
    if (code == ERR_OK)
        code = prepare(&source, query, err);
    if (code == ERR_OK)
        code = make_reader(&source, err);
    if (code == ERR_OK)
        code = read_rows(&source, strict, err);
    if (code == ERR_OK)
        code = refuse_changed(&source, err);
    if (code == ERR_OK)
        code = football_reader_finish(source.reader, out, err);
    close_source(&source);
    return code;
}
