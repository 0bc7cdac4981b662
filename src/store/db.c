/* Db on SQLite. One connection without SQLite's own mutex; statements live in a hash table keyed by the address of
 * their text and are prepared as persistent.
 *
 * A statement's parameters are written $1, $2 ... as in PostgreSQL. To SQLite those are names, numbered in order of
 * appearance, so each query keeps a map from the written number to SQLite's.
 *
 * Binding cannot fail for the caller: the first failure is kept and returned by the next step. */
#include "store/db.h"

#include "base/text.h"
#include "os/file.h"
#include "store/migrations.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARAMETER_MAX = 256, /* a statement that inserts many rows at once has the most */
    BUSY_TIMEOUT_MS = 5000,
    FIRST_SLOTS = 64,
    /* pages of 4 kB: the log is emptied into the file, which waits for the disk twice, at 16 MB, while loading at 32 MB; 48 MB of
     * cache while loading */
    BULK_CHECKPOINT_PAGES = 8000,
    BULK_CACHE_KB = 48000,
    USUAL_CHECKPOINT_PAGES = 4000,
    USUAL_CACHE_KB = 8000,
};

struct query {
    struct db *db;
    const char *sql; /* the key */
    sqlite3_stmt *statement;
    int bind_result; /* the first failure */
    bool is_reading; /* writes nothing */
    int parameters[PARAMETER_MAX + 1];
};

struct db {
    sqlite3 *handle;
    struct query **slots; /* slot_count of them, a power of two */
    size_t slot_count, query_count;
    bool is_in_lazy;  /* a transaction is open that does not wait for the disk */
    bool is_set_lazy; /* nor would what comes next */
    bool is_behind;   /* something is committed that the disk may not have */
    char path[FILE_PATH_BYTES];
};

static enum err_code db_error(const struct db *db, int result, const char *what, struct err *err)
{
    const char *text = db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(result);

    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY, "cannot %s '%s': another process is writing to it; try again", what,
                       db->path);
    case SQLITE_FULL:
        return err_set(err, ERR_IO, "cannot %s '%s': the disk is full; what was committed before is safe",
                       what, db->path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return err_set(err, ERR_CORRUPT, "cannot %s '%s': %s; restore it from a backup", what, db->path,
                       text);
    case SQLITE_NOMEM:
        return err_nomem(err, 0);
    case SQLITE_CONSTRAINT:
        return err_set(err, ERR_CONFLICT, "cannot %s '%s': %s", what, db->path, text);
    case SQLITE_READONLY:
        return err_set(err, ERR_IO, "cannot %s '%s': it is read-only", what, db->path);
    case SQLITE_INTERRUPT:
        return err_set(err, ERR_CANCELLED, "stopped while working on '%s'", db->path);
    case SQLITE_TOOBIG:
        return err_set(err, ERR_TOO_LARGE, "cannot %s '%s': %s", what, db->path, text);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_PERM:
        return err_set(err, ERR_IO, "cannot %s '%s': %s (%d)", what, db->path, text, result);
    default:
        return err_set(err, ERR_INTERNAL, "cannot %s '%s': %s (%d)", what, db->path, text, result);
    }
}

static enum err_code set_sizes(struct db *db, int checkpoint_pages, int cache_kb, struct err *err)
{
    char sql[128];

    (void)snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint = %d; PRAGMA cache_size = -%d",
                   checkpoint_pages, cache_kb);
    return db_execute(db, sql, err);
}

/* ---- opening ---- */

static enum err_code configure(struct db *db, enum db_mode mode, int version, struct err *err)
{
    (void)sqlite3_extended_result_codes(db->handle, 1);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    enum err_code code = db_execute(db, "PRAGMA foreign_keys = 1; PRAGMA temp_store = memory", err);
    if (code != ERR_OK)
        return code;
    if (mode == DB_READ_ONLY)
        return migrations_check(db, err);
    code = db_execute(db, "PRAGMA journal_mode = wal; PRAGMA synchronous = full", err);
    if (code == ERR_OK)
        code = set_sizes(db, USUAL_CHECKPOINT_PAGES, USUAL_CACHE_KB, err);
    if (code == ERR_OK)
        code = migrations_run(db, version, err);
    return code;
}

static enum err_code open_at(const char *where, enum db_mode mode, int version, struct db **out,
                             struct err *err)
{
    int flags = mode == DB_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

    *out = NULL;
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return err_nomem(err, sizeof *db);
    enum err_code code = ERR_OK;
    db->slot_count = FIRST_SLOTS;
    db->slots = calloc(db->slot_count, sizeof(struct query *));
    if (db->slots == NULL)
        code = err_nomem(err, db->slot_count * sizeof(struct query *));
    else if (!text_copy(text_of(where), db->path, sizeof db->path))
        code = err_set(err, ERR_TOO_LARGE, "the path of the database is longer than %d bytes",
                       FILE_PATH_BYTES - 1);
    else if (mode == DB_READ_ONLY && !file_exists(where))
        code = err_set(err, ERR_NOT_FOUND,
                       "there is no database '%s'; import something first ('almanac import')", where);
    if (code == ERR_OK) {
        int result = sqlite3_open_v2(where, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
        code = result == SQLITE_OK ? configure(db, mode, version, err) : db_error(db, result, "open", err);
    }
    if (code != ERR_OK) {
        db_close(db);
        return code;
    }
    *out = db;
    return ERR_OK;
}

enum err_code db_open(const char *where, enum db_mode mode, struct db **out, struct err *err)
{
    return open_at(where, mode, 0, out, err);
}

enum err_code db_open_version(const char *where, int version, struct db **out, struct err *err)
{
    return open_at(where, DB_READ_WRITE, version, out, err);
}

static void destroy_query(struct query *query)
{
    if (query == NULL)
        return;
    (void)sqlite3_finalize(query->statement);
    free(query);
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t slot = 0; db->slots != NULL && slot < db->slot_count; slot++)
        destroy_query(db->slots[slot]);
    free(db->slots);
    int result = sqlite3_close(db->handle);
    assert(result == SQLITE_OK); /* otherwise a statement is not in the table */
    (void)result;
    free(db);
}

/* ---- transactions ---- */

/* The setting can be changed outside of a transaction only, and cannot fail there. It stays lazy after a lazy transaction, for
 * the next one, and is set back before anything else is written. */
static void set_lazy(struct db *db, bool is_lazy)
{
    if (db->is_set_lazy != is_lazy)
        (void)sqlite3_exec(db->handle, is_lazy ? "PRAGMA synchronous = normal" : "PRAGMA synchronous = full",
                           NULL, NULL, NULL);
    db->is_set_lazy = is_lazy;
}

enum err_code db_execute(struct db *db, const char *sql, struct err *err)
{
    if (!db->is_in_lazy)
        set_lazy(db, false);
    int result = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? ERR_OK : db_error(db, result, "change", err);
}

/* A statement of our own, prepared once. */
static enum err_code run_prepared(struct db *db, const char *sql, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, sql, &query, err);
    if (code != ERR_OK)
        return code;
    int result = sqlite3_step(query->statement);
    code = result == SQLITE_DONE ? ERR_OK : db_error(db, result, "change", err);
    query_reset(query);
    return code;
}

enum err_code db_begin(struct db *db, struct err *err)
{
    set_lazy(db, false);
    return run_prepared(db, "BEGIN IMMEDIATE", err);
}

enum err_code db_begin_lazy(struct db *db, struct err *err)
{
    set_lazy(db, true);
    enum err_code code = run_prepared(db, "BEGIN IMMEDIATE", err);
    db->is_in_lazy = code == ERR_OK;
    return code;
}

enum err_code db_commit(struct db *db, struct err *err)
{
    enum err_code code = run_prepared(db, "COMMIT", err);

    if (code == ERR_OK)
        db->is_behind = db->is_in_lazy;
    else
        db_rollback(db);
    db->is_in_lazy = false;
    return code;
}

/* The log is written in order, so one commit that waits covers all before it. This one writes the number that SQLite keeps
 * for applications, which is always 0 here. */
enum err_code db_sync(struct db *db, struct err *err)
{
    if (!db->is_behind)
        return ERR_OK;
    enum err_code code = db_begin(db, err);
    if (code == ERR_OK)
        code = db_execute(db, "PRAGMA user_version = 0", err);
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

void db_rollback(struct db *db)
{
    /* after some errors (a full disk) SQLite has rolled back already */
    if (sqlite3_get_autocommit(db->handle) == 0)
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->is_in_lazy = false;
}

enum err_code db_bulk_begin(struct db *db, struct err *err)
{
    return set_sizes(db, BULK_CHECKPOINT_PAGES, BULK_CACHE_KB, err);
}

void db_bulk_end(struct db *db)
{
    /* neither can fail in a way that matters: the log is read as well as the file */
    (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (set_sizes(db, USUAL_CHECKPOINT_PAGES, USUAL_CACHE_KB, NULL) != ERR_OK)
        return;
    (void)sqlite3_db_release_memory(db->handle);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_data_version(struct db *db)
{
    struct query *query;
    bool has_row;
    int64_t version = 0;

    if (db_query(db, "PRAGMA data_version", &query, NULL) != ERR_OK ||
        query_next(query, &has_row, NULL) != ERR_OK)
        return 0;
    if (has_row)
        version = query_i64(query, 0);
    query_reset(query);
    return version;
}

/* ---- statements ---- */

static size_t slot_of(const struct query *const *slots, size_t slot_count, const char *sql)
{
    size_t slot = (size_t)(((uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (slot_count - 1);

    while (slots[slot] != NULL && slots[slot]->sql != sql)
        slot = (slot + 1) & (slot_count - 1);
    return slot;
}

static enum err_code grow(struct db *db, struct err *err)
{
    size_t slot_count = 2 * db->slot_count;
    struct query **slots = calloc(slot_count, sizeof(struct query *));

    if (slots == NULL)
        return err_nomem(err, slot_count * sizeof(struct query *));
    for (size_t slot = 0; slot < db->slot_count; slot++) {
        struct query *query = db->slots[slot];
        if (query != NULL)
            slots[slot_of((const struct query *const *)slots, slot_count, query->sql)] = query;
    }
    free(db->slots);
    db->slots = slots;
    db->slot_count = slot_count;
    return ERR_OK;
}

static void map_parameters(struct query *query)
{
    int count = sqlite3_bind_parameter_count(query->statement);

    assert(count <= PARAMETER_MAX);
    for (int index = 1; index <= count; index++) {
        const char *name = sqlite3_bind_parameter_name(query->statement, index);
        int64_t number = 0;
        assert(name != NULL && name[0] == '$');
        bool is_number = text_parse_i64(text_of(name + 1), &number);
        assert(is_number && number >= 1 && number <= count); /* $1 .. $count without gaps */
        (void)is_number;
        query->parameters[number] = index;
    }
}

static enum err_code make_query(struct db *db, const char *sql, struct query **out, struct err *err)
{
    const char *tail;

    struct query *query = calloc(1, sizeof *query);
    if (query == NULL)
        return err_nomem(err, sizeof *query);
    query->db = db;
    query->sql = sql;
    int result = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &query->statement, &tail);
    if (result != SQLITE_OK) {
        enum err_code code = db_error(db, result, "query", err);
        destroy_query(query);
        return code;
    }
    assert(query->statement != NULL && *tail == '\0'); /* exactly one statement */
    query->is_reading = sqlite3_stmt_readonly(query->statement) != 0;
    map_parameters(query);
    *out = query;
    return ERR_OK;
}

enum err_code db_query(struct db *db, const char *sql, struct query **out, struct err *err)
{
    size_t slot = slot_of((const struct query *const *)db->slots, db->slot_count, sql);

    *out = db->slots[slot];
    if (*out != NULL) {
        query_reset(*out);
        return ERR_OK;
    }
    if (2 * (db->query_count + 1) > db->slot_count) {
        enum err_code code = grow(db, err);
        if (code != ERR_OK)
            return code;
        slot = slot_of((const struct query *const *)db->slots, db->slot_count, sql);
    }
    enum err_code code = make_query(db, sql, out, err);
    if (code != ERR_OK)
        return code;
    db->slots[slot] = *out;
    db->query_count++;
    return ERR_OK;
}

static void note_bind(struct query *query, int result)
{
    if (result != SQLITE_OK && query->bind_result == SQLITE_OK)
        query->bind_result = result;
}

static int parameter(const struct query *query, int index)
{
    assert(index >= 1 && index <= PARAMETER_MAX && query->parameters[index] > 0);
    return query->parameters[index];
}

void query_bind_i64(struct query *query, int index, int64_t value)
{
    note_bind(query, sqlite3_bind_int64(query->statement, parameter(query, index), value));
}

void query_bind_f64(struct query *query, int index, double value)
{
    /* SQLite binds NaN as NULL by itself */
    note_bind(query, sqlite3_bind_double(query->statement, parameter(query, index), value));
}

void query_bind_text(struct query *query, int index, const char *value)
{
    note_bind(query,
              sqlite3_bind_text(query->statement, parameter(query, index), value, -1, SQLITE_TRANSIENT));
}

void query_bind_blob(struct query *query, int index, const void *data, size_t size_bytes)
{
    static const char empty;

    note_bind(query, sqlite3_bind_blob64(query->statement, parameter(query, index),
                                         size_bytes == 0 ? &empty : data, size_bytes, SQLITE_TRANSIENT));
}

void query_bind_null(struct query *query, int index)
{
    note_bind(query, sqlite3_bind_null(query->statement, parameter(query, index)));
}

enum err_code query_next(struct query *query, bool *out_row, struct err *err)
{
    *out_row = false;
    int result = query->bind_result;
    if (query->db->is_set_lazy && !query->db->is_in_lazy && !query->is_reading)
        set_lazy(query->db, false);
    if (result == SQLITE_OK)
        result = sqlite3_step(query->statement);
    if (result == SQLITE_ROW) {
        *out_row = true;
        return ERR_OK;
    }
    enum err_code code = result == SQLITE_DONE ? ERR_OK : db_error(query->db, result, "use", err);
    query_reset(query);
    return code;
}

enum err_code query_run(struct query *query, struct err *err)
{
    bool has_row;

    do {
        enum err_code code = query_next(query, &has_row, err);
        if (code != ERR_OK)
            return code;
    } while (has_row);
    return ERR_OK;
}

void query_reset(struct query *query)
{
    (void)sqlite3_reset(query->statement);
    query->bind_result = SQLITE_OK;
}

bool query_is_null(const struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

int64_t query_i64(const struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double query_f64(const struct query *query, int column)
{
    double value = sqlite3_column_double(query->statement, column);

    /* NULL reads as 0: the type is asked for only then, this is the inner loop of loading */
    return value == 0 && query_is_null(query, column) ? NAN : value;
}

const char *query_text(const struct query *query, int column)
{
    const char *text = (const char *)sqlite3_column_text(query->statement, column);

    return text == NULL ? "" : text;
}
