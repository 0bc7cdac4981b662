/* The database interface and the migrations under it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/test_folder.h"
#include "store/db.h"
#include "store/migrations.h"
#include "store/store.h"

#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

static struct test_folder folder;
static char path[FILE_PATH_BYTES];

static int make_folder(void **state)
{
    (void)state;
    test_folder_create(&folder);
    snprintf(path, sizeof path, "%.4000s/almanac.db", folder.path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    test_folder_remove(&folder);
    return 0;
}

static struct db *open_db(enum db_mode mode)
{
    struct db *db = NULL;
    struct err err = {0};

    if (db_open(path, mode, &db, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return db;
}

static void run(struct db *db, const char *sql)
{
    struct err err = {0};

    if (db_execute(db, sql, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static int64_t one_number(struct db *db, const char *sql)
{
    struct query *query;
    bool has_row;

    assert_int_equal(db_query(db, sql, &query, NULL), ERR_OK);
    assert_int_equal(query_next(query, &has_row, NULL), ERR_OK);
    assert_true(has_row);
    int64_t value = query_i64(query, 0);
    query_reset(query);
    return value;
}

static void values_are_bound_and_read(void **state)
{
    struct db *db = open_db(DB_READ_WRITE);
    struct query *query;
    bool has_row;

    (void)state;
    run(db, "CREATE TABLE t(a, b, c, d, e)");
    /* numbers in another order than their first appearance */
    assert_int_equal(db_query(db, "INSERT INTO t(e, d, c, b, a) VALUES ($5, $4, $3, $2, $1)", &query, NULL),
                     ERR_OK);
    query_bind_i64(query, 1, INT64_MIN);
    query_bind_f64(query, 2, 0.1);
    query_bind_text(query, 3, "text");
    query_bind_blob(query, 4, "ab\0c", 4);
    query_bind_null(query, 5);
    assert_int_equal(query_run(query, NULL), ERR_OK);
    assert_int_equal(db_changes(db), 1);
    assert_int_equal(db_last_id(db), 1);
    query_bind_i64(query, 1, 0);
    query_bind_f64(query, 2, NAN);
    query_bind_text(query, 3, NULL);
    query_bind_blob(query, 4, NULL, 0);
    query_bind_f64(query, 5, 0.0);
    assert_int_equal(query_run(query, NULL), ERR_OK);
    assert_int_equal(
        db_query(db, "SELECT a, b, c, length(d), typeof(d), e FROM t ORDER BY rowid", &query, NULL), ERR_OK);
    assert_int_equal(query_next(query, &has_row, NULL), ERR_OK);
    assert_true(query_i64(query, 0) == INT64_MIN);
    assert_true(query_f64(query, 1) == 0.1);
    assert_string_equal(query_text(query, 2), "text");
    assert_int_equal(query_i64(query, 3), 4);
    assert_true(query_is_null(query, 5));
    assert_true(isnan(query_f64(query, 5)));
    assert_string_equal(query_text(query, 5), "");
    assert_int_equal(query_next(query, &has_row, NULL), ERR_OK);
    assert_int_equal(query_i64(query, 0), 0);
    assert_true(query_is_null(query, 1) && isnan(query_f64(query, 1)));
    assert_true(query_is_null(query, 2));
    assert_string_equal(query_text(query, 4), "blob");
    assert_true(query_f64(query, 5) == 0.0 && !query_is_null(query, 5));
    assert_int_equal(query_next(query, &has_row, NULL), ERR_OK);
    assert_false(has_row);
    db_close(db);
}

static void statements_are_cached_by_address(void **state)
{
    static const char sql[] = "SELECT 7";
    struct db *db = open_db(DB_READ_WRITE);
    struct query *first, *second;
    bool has_row;

    (void)state;
    assert_int_equal(db_query(db, sql, &first, NULL), ERR_OK);
    assert_int_equal(query_next(first, &has_row, NULL), ERR_OK);
    assert_int_equal(db_query(db, sql, &second, NULL), ERR_OK); /* half read: starts again */
    assert_ptr_equal(first, second);
    assert_int_equal(query_next(second, &has_row, NULL), ERR_OK);
    assert_true(has_row);
    /* more statements than the table begins with */
    static char many[300][16];
    for (int index = 0; index < 300; index++) {
        snprintf(many[index], sizeof many[index], "SELECT %d", index);
        assert_int_equal(one_number(db, many[index]), index);
    }
    for (int index = 0; index < 300; index++)
        assert_int_equal(one_number(db, many[index]), index);
    db_close(db);
}

static void errors_have_codes(void **state)
{
    struct db *db = open_db(DB_READ_WRITE);
    struct query *query;
    struct err err;

    (void)state;
    assert_int_equal(db_query(db, "SELECT nonsense FROM nowhere", &query, &err), ERR_INTERNAL);
    assert_int_equal(
        db_execute(db, "INSERT INTO team(country, name, name_key) VALUES ('A', 'b', 'b'), ('A', 'B', 'b')",
                   &err),
        ERR_CONFLICT);
    assert_int_equal(
        db_execute(db, "INSERT INTO team_alias(country, name_key, team_id, name) VALUES ('A', 'b', 99, 'b')",
                   &err),
        ERR_CONFLICT); /* foreign keys are on */
    db_close(db);
}

static void transactions(void **state)
{
    struct db *db = open_db(DB_READ_WRITE), *other = open_db(DB_READ_WRITE);
    struct err err;

    (void)state;
    int64_t version = db_data_version(other);
    db_rollback(db); /* without a transaction */
    assert_int_equal(db_begin(db, &err), ERR_OK);
    run(db, "INSERT INTO meta(key, value) VALUES ('a', '1')");
    db_rollback(db);
    assert_int_equal(one_number(db, "SELECT count(*) FROM meta"), 0);
    assert_int_equal(db_data_version(other), version);
    assert_int_equal(db_begin(db, &err), ERR_OK);
    run(db, "INSERT INTO meta(key, value) VALUES ('a', '1')");
    run(other, "PRAGMA busy_timeout = 10");
    assert_int_equal(db_begin(other, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "another process is writing"));
    assert_int_equal(db_commit(db, &err), ERR_OK);
    assert_int_not_equal(db_data_version(other), version);
    assert_int_equal(db_begin(other, &err), ERR_OK);
    db_rollback(other);
    db_close(db);
    db_close(other);
}

static void a_full_disk_is_told_and_undone(void **state)
{
    struct db *db = open_db(DB_READ_WRITE);
    struct err err;

    (void)state;
    run(db, "CREATE TABLE t(a)");
    run(db, "PRAGMA max_page_count = 60");
    assert_int_equal(db_begin(db, &err), ERR_OK);
    run(db, "INSERT INTO t VALUES (1)");
    assert_int_equal(
        db_execute(db,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
                   "INSERT INTO t SELECT zeroblob(4000) FROM n",
                   &err),
        ERR_IO);
    assert_non_null(strstr(err.text, "the disk is full"));
    db_rollback(db);
    assert_int_equal(one_number(db, "SELECT count(*) FROM t"), 0);
    db_close(db);
}

static void reading_writes_nothing(void **state)
{
    struct db *db;
    struct err err;

    (void)state;
    assert_int_equal(db_open(path, DB_READ_ONLY, &db, &err), ERR_NOT_FOUND);
    assert_false(file_exists(path));
    db_close(open_db(DB_READ_WRITE));
    db = open_db(DB_READ_ONLY);
    assert_int_equal(one_number(db, "SELECT count(*) FROM match"), 0);
    assert_int_equal(db_execute(db, "INSERT INTO meta(key, value) VALUES ('a', '1')", &err), ERR_IO);
    assert_non_null(strstr(err.text, "read-only"));
    db_close(db);
}

static void what_is_no_database_of_ours_is_refused(void **state)
{
    struct db *db;
    struct err err;
    sqlite3 *other;

    (void)state;
    int descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    for (int index = 0; index < 1000; index++)
        assert_int_equal(write(descriptor, "no database ", 12), 12);
    close(descriptor);
    assert_int_equal(db_open(path, DB_READ_WRITE, &db, &err), ERR_CORRUPT);
    assert_null(db);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE theirs(a)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(db_open(path, DB_READ_WRITE, &db, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, "another application"));
    assert_int_equal(unlink(path), 0);
    db = open_db(DB_READ_WRITE);
    run(db, "INSERT INTO migration(version, name, applied_us) VALUES (9999, 'future', 0)");
    db_close(db);
    assert_int_equal(db_open(path, DB_READ_WRITE, &db, &err), ERR_CONFLICT);
    assert_int_equal(db_open(path, DB_READ_ONLY, &db, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, "newer program"));
}

/* The schema as text. */
static void dump_schema(struct db *db, char *out, size_t out_bytes)
{
    struct query *query;
    bool has_row;
    size_t used = 0;

    assert_int_equal(db_query(db, "SELECT type || name || COALESCE(sql, '') FROM sqlite_master ORDER BY name",
                              &query, NULL),
                     ERR_OK);
    while (query_next(query, &has_row, NULL) == ERR_OK && has_row)
        used += (size_t)snprintf(out + used, out_bytes - used, "%s\n", query_text(query, 0));
    assert_true(used > 0 && used < out_bytes);
}

/* From every earlier version forward: the same schema as a new file, and what was stored is still there. */
static void migrations_from_every_version(void **state)
{
    static char wanted[32768], got[32768];
    struct err err;

    (void)state;
    struct db *db = open_db(DB_READ_WRITE);
    dump_schema(db, wanted, sizeof wanted);
    assert_int_equal(one_number(db, "SELECT count(*) FROM migration"), migrations_newest());
    db_close(db);
    for (int version = 1; version <= migrations_newest(); version++) {
        char old[FILE_PATH_BYTES];
        snprintf(old, sizeof old, "%.4000s/v%d.db", folder.path, version);
        assert_int_equal(db_open_version(old, version, &db, &err), ERR_OK);
        assert_int_equal(one_number(db, "SELECT max(version) FROM migration"), version);
        run(db, "INSERT INTO team(country, name, name_key) VALUES ('A', 'B', 'b')");
        db_close(db);
        assert_int_equal(db_open(old, DB_READ_ONLY, &db, &err),
                         version == migrations_newest() ? ERR_OK : ERR_CONFLICT);
        db_close(db); /* NULL is fine */
        assert_int_equal(db_open(old, DB_READ_WRITE, &db, &err), ERR_OK);
        dump_schema(db, got, sizeof got);
        assert_string_equal(got, wanted);
        assert_int_equal(one_number(db, "SELECT count(*) FROM team"), 1);
        db_close(db);
    }
}

static void the_data_folder(void **state)
{
    struct store store;
    struct err err;
    char place[FILE_PATH_BYTES];

    (void)state;
    snprintf(place, sizeof place, "%.4000s/a/b", folder.path);
    assert_int_equal(store_open(place, DB_READ_ONLY, &store, &err), ERR_NOT_FOUND);
    assert_int_equal(test_entry_count(folder.path), 0);
    assert_int_equal(store_open(place, DB_READ_WRITE, &store, &err), ERR_OK);
    assert_true(file_exists(store.database) && file_exists(store.matrix) && file_exists(store.models) &&
                file_exists(store.logs));
    store_close(&store);
    assert_int_equal(store_open(place, DB_READ_ONLY, &store, &err), ERR_OK);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_bound_and_read, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(statements_are_cached_by_address, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(errors_have_codes, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(transactions, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_undone, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reading_writes_nothing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_database_of_ours_is_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(migrations_from_every_version, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_data_folder, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
