/* Running the steps. The version is the highest row of table `migration`; SQLite's application_id keeps us from
 * writing tables into a database of somebody else. */
#include "store/migrations.h"

#include "os/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "Almn" */
#define APPLICATION_ID     "1097624942"
#define APPLICATION_ID_I64 INT64_C(1097624942)

static const struct migration migrations[] = {
#define MIGRATION(number, name) {1##number - 10000, name, migration_##number},
#include "store/migration_list.h"
#undef MIGRATION
};

enum { MIGRATION_COUNT = sizeof migrations / sizeof migrations[0] };

int migrations_newest(void)
{
    return migrations[MIGRATION_COUNT - 1].version;
}

static enum err_code read_number(struct db *db, const char *sql, int64_t *out, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(db, sql, &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out = has_row ? query_i64(query, 0) : 0;
    query_reset(query);
    return ERR_OK;
}

/* 0 for a new file. */
static enum err_code read_version(struct db *db, int64_t *out, struct err *err)
{
    int64_t application = 0, tables = 0;

    enum err_code code = read_number(db, "PRAGMA application_id", &application, err);
    if (code == ERR_OK)
        code = read_number(db, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (code != ERR_OK)
        return code;
    if (tables == 0) {
        *out = 0;
        return ERR_OK;
    }
    if (application != APPLICATION_ID_I64)
        return err_set(err, ERR_CONFLICT,
                       "the file is an SQLite database of another application; choose another data "
                       "folder");
    return read_number(db, "SELECT max(version) FROM migration", out, err);
}

static enum err_code run_step(struct db *db, const struct migration *migration, struct err *err)
{
    struct query *query;

    for (const char *const *statement = migration->statements; *statement != NULL; statement++) {
        enum err_code code = db_execute(db, *statement, err);
        if (code != ERR_OK) {
            (void)err_prefix(err, "migration %d (%s)", migration->version, migration->name);
            return code;
        }
    }
    enum err_code code =
        db_query(db, "INSERT INTO migration(version, name, applied_us) VALUES ($1, $2, $3)", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, migration->version);
    query_bind_text(query, 2, migration->name);
    query_bind_i64(query, 3, clock_now_us());
    return query_run(query, err);
}

/* Inside a transaction: the version is read again, another process may have been faster. */
static enum err_code run_missing(struct db *db, int version, struct err *err)
{
    int64_t present = 0;

    enum err_code code = read_version(db, &present, err);
    if (code == ERR_OK && present == 0) {
        code = db_execute(
            db,
            "PRAGMA application_id = " APPLICATION_ID ";"
            "CREATE TABLE IF NOT EXISTS migration(version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
            "applied_us INTEGER NOT NULL)",
            err);
    }
    for (size_t index = 0; index < MIGRATION_COUNT && code == ERR_OK; index++) {
        if (migrations[index].version > present && migrations[index].version <= version)
            code = run_step(db, &migrations[index], err);
    }
    return code;
}

static enum err_code refuse_newer(int64_t present, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "the database has schema %" PRId64 ", this program knows %d; use the newer program",
                   present, migrations_newest());
}

enum err_code migrations_run(struct db *db, int version, struct err *err)
{
    int64_t present = 0;

    if (version == 0)
        version = migrations_newest();
    enum err_code code = read_version(db, &present, err);
    if (code != ERR_OK || present == version)
        return code;
    if (present > migrations_newest())
        return refuse_newer(present, err);
    code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    code = run_missing(db, version, err);
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

enum err_code migrations_check(struct db *db, struct err *err)
{
    int64_t present = 0;

    enum err_code code = read_version(db, &present, err);
    if (code != ERR_OK || present == migrations_newest())
        return code;
    if (present > migrations_newest())
        return refuse_newer(present, err);
    return err_set(err, ERR_CONFLICT,
                   "the database has schema %" PRId64
                   ", this program needs %d; open it for writing once ('almanac "
                   "serve' or 'almanac import')",
                   present, migrations_newest());
}
