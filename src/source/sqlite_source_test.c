/* Another application's SQLite file: read right, refused clearly, and never written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "os/test_folder.h"
#include "source/sqlite_source.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define QUERY                                                                                                \
    "SELECT 'E0' AS Div, day AS Date, home AS HomeTeam, away AS AwayTeam, hg AS FTHG, ag AS FTAG, id AS "    \
    "source_id, "                                                                                            \
    "o1 AS B365H, o2 AS B365D, o3 AS B365A FROM game ORDER BY id"

static struct test_folder folder;
static char path[FILE_PATH_BYTES];

static sqlite3 *open_other(void)
{
    sqlite3 *other;

    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    return other;
}

static void run(sqlite3 *other, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(other, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static void make_file(const char *mode)
{
    char pragma[64];

    test_folder_create(&folder);
    snprintf(path, sizeof path, "%.4000s/app ?#%%.sqlite",
             folder.path); /* a name that must be escaped in a URI */
    sqlite3 *other = open_other();
    snprintf(pragma, sizeof pragma, "PRAGMA journal_mode = %s", mode);
    run(other, pragma);
    run(other, "CREATE TABLE game(id TEXT, day TEXT, home TEXT, away TEXT, hg REAL, ag INTEGER, o1, o2, o3);"
               "INSERT INTO game VALUES ('m1', '2024-08-17', 'A', 'B', 2.0, 1, 1.5, 4, 6.5),"
               "('m2', '2024-08-18', 'C', x'44FC', 0, 0, NULL, NULL, NULL), ('m3', '2024-02-31', 'A', 'C', "
               "1, 1, 2, 3, 4)");
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

/* Names and contents of all files of the folder, hashed. */
static void hash_folder(char out[HASH_HEX_BYTES])
{
    struct hash hash;
    struct file_list list;
    struct buffer content;

    hash_init(&hash);
    buffer_init(&content, 1 << 24);
    assert_int_equal(file_list_open(folder.path, NULL, &list, NULL), ERR_OK);
    for (size_t index = 0; index < list.count; index++) {
        buffer_clear(&content);
        assert_int_equal(file_read(list.paths[index], &content, NULL), ERR_OK);
        hash_add_text(&hash, list.paths[index]);
        hash_add(&hash, content.data, content.size_bytes);
    }
    hash_final_hex(&hash, out);
    file_list_close(&list);
    buffer_release(&content);
}

static void expect_error(const char *query, enum err_code wanted, const char *part)
{
    struct football_tables tables;
    struct err err = {0};
    char before[HASH_HEX_BYTES], after[HASH_HEX_BYTES];

    hash_folder(before);
    enum err_code code = sqlite_source_read(path, query, false, &tables, &err);
    if (code != wanted)
        fail_msg("'%s': %s: %s", query, err_name(code), err.text);
    if (strstr(err.text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, err.text);
    hash_folder(after);
    assert_string_equal(before, after);
}

static void expect_rows(void)
{
    struct football_tables tables;
    struct err err = {0};

    if (sqlite_source_read(path, QUERY, false, &tables, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(tables.rows_read, 3);
    assert_int_equal(tables.rows_kept, 2);
    assert_int_equal(tables.issues.counts[ISSUE_BAD_DATE], 1);
    assert_int_equal(tables.issues.counts[ISSUE_ENCODING], 1);
    assert_int_equal(frame_rows(tables.prices), 1);
    int home_goals = frame_find(tables.matches, "home_goals"), away = frame_find(tables.matches, "away"),
        source_id = frame_find(tables.matches, "source_id");
    assert_int_equal(frame_i32(tables.matches, (size_t)home_goals)[0], 2); /* 2.0 is 2 */
    assert_string_equal(frame_text(tables.matches, (size_t)away, 1), "D\xC3\xBC");
    assert_string_equal(frame_text(tables.matches, (size_t)source_id, 1), "m2");
    football_tables_release(&tables);
}

static void rows_are_read_and_nothing_is_written(void **state)
{
    static const char *const modes[] = {"delete", "wal"};
    char before[HASH_HEX_BYTES], after[HASH_HEX_BYTES];

    (void)state;
    for (size_t index = 0; index < 2; index++) {
        make_file(modes[index]);
        hash_folder(before);
        expect_rows();
        hash_folder(after);
        assert_string_equal(before, after);
        assert_int_equal(test_entry_count(folder.path), 1);
        test_folder_remove(&folder);
    }
}

/* A writer that is alive: what it has committed is seen, also when it stands in the -wal only. */
static void committed_rows_in_the_log_are_seen(void **state)
{
    struct football_tables tables;
    struct err err = {0};

    (void)state;
    make_file("wal");
    sqlite3 *other = open_other();
    run(other, "INSERT INTO game VALUES ('m4', '2024-09-01', 'B', 'C', 3, 0, 2, 3, 4)");
    if (sqlite_source_read(path, QUERY, false, &tables, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(tables.rows_kept, 3);
    football_tables_release(&tables);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    test_folder_remove(&folder);
}

static void whatever_writes_is_refused(void **state)
{
    static const char *const queries[] = {
        "DELETE FROM game",
        "INSERT INTO game(id) VALUES ('x')",
        "UPDATE game SET hg = 1 RETURNING 'E0' AS Div",
        "DROP TABLE game",
        "CREATE TABLE x(a)",
        "PRAGMA journal_mode = delete",
        "PRAGMA user_version = 3",
        "PRAGMA query_only = 0",
        "ATTACH '/tmp/almanac-attached' AS x",
        "VACUUM INTO '/tmp/almanac-vacuumed'",
        "BEGIN IMMEDIATE",
        "SELECT load_extension('x')",
    };

    (void)state;
    make_file("delete");
    for (size_t index = 0; index < sizeof queries / sizeof queries[0]; index++)
        expect_error(queries[index], ERR_FORBIDDEN, "only SELECT is allowed");
    assert_int_not_equal(access("/tmp/almanac-attached", F_OK), 0);
    assert_int_not_equal(access("/tmp/almanac-vacuumed", F_OK), 0);
    test_folder_remove(&folder);
}

static void bad_queries_are_refused(void **state)
{
    (void)state;
    make_file("delete");
    expect_error("", ERR_INVALID, "the query is empty");
    expect_error("SELECT missing FROM game", ERR_INVALID, "no such column");
    expect_error("SELECT * FROM nowhere", ERR_INVALID, "no such table");
    expect_error("SELECT 1; SELECT 2", ERR_INVALID, "more than one statement");
    expect_error("SELECT 1; DELETE FROM game", ERR_INVALID, "more than one statement");
    expect_error("SELECT * FROM game", ERR_INVALID, "no column 'Div'");
    struct football_tables tables;
    assert_int_equal(sqlite_source_read(path, QUERY " ; -- that is all\n", false, &tables, NULL), ERR_OK);
    football_tables_release(&tables);
    assert_int_equal(sqlite_source_read(path, QUERY, true, &tables, NULL),
                     ERR_INVALID); /* strict: 31 February */
    test_folder_remove(&folder);
}

static void locked_file(void **state)
{
    (void)state;
    make_file("delete");
    sqlite3 *other = open_other();
    run(other, "BEGIN EXCLUSIVE");
    expect_error(QUERY, ERR_BUSY, "another program is writing");
    run(other, "ROLLBACK");
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    expect_rows();
    test_folder_remove(&folder);
}

static void overwrite(size_t offset, const char *bytes, size_t size_bytes)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, bytes, size_bytes, (off_t)offset), size_bytes);
    close(descriptor);
}

static void corrupt_files(void **state)
{
    static const char junk[200] = "this is not a database at all";
    struct football_tables tables;
    struct err err;

    (void)state;
    make_file("delete");
    overwrite(4096, junk, sizeof junk); /* the table's page */
    expect_error(QUERY, ERR_CORRUPT, "app ?#%.sqlite");
    overwrite(0, junk, sizeof junk);
    expect_error(QUERY, ERR_CORRUPT, "not an SQLite database");
    assert_int_equal(truncate(path, 0), 0);
    expect_error(QUERY, ERR_CORRUPT, "not an SQLite database");
    test_folder_remove(&folder);
    assert_int_equal(sqlite_source_read(path, QUERY, false, &tables, &err), ERR_NOT_FOUND);
    assert_int_equal(sqlite_source_read("/tmp", QUERY, false, &tables, &err), ERR_INVALID);
}

/* A writer was killed: its journal would have to be rolled back, which is writing. */
static void hot_journal(void **state)
{
    char journal[FILE_PATH_BYTES], copy[FILE_PATH_BYTES];
    struct buffer content;

    (void)state;
    make_file("delete");
    snprintf(journal, sizeof journal, "%.4000s-journal", path);
    snprintf(copy, sizeof copy, "%.4000s/kept", folder.path);
    buffer_init(&content, 1 << 24);
    sqlite3 *other = open_other();
    run(other,
        "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; UPDATE game SET home = 'half done';"
        "CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "SELECT i, hex(zeroblob(200)) FROM n");
    assert_int_equal(file_read(journal, &content, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(copy, content.data, content.size_bytes, NULL), ERR_OK);
    buffer_clear(&content);
    assert_int_equal(file_read(path, &content, NULL), ERR_OK); /* with pages of the unfinished transaction */
    assert_int_equal(sqlite3_close_v2(other), SQLITE_OK);
    assert_int_equal(file_write_atomic(path, content.data, content.size_bytes, NULL), ERR_OK);
    assert_int_equal(rename(copy, journal), 0);
    expect_error(QUERY, ERR_BUSY, "its last writer did not finish");
    buffer_release(&content);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_and_nothing_is_written),
        cmocka_unit_test(committed_rows_in_the_log_are_seen),
        cmocka_unit_test(whatever_writes_is_refused),
        cmocka_unit_test(bad_queries_are_refused),
        cmocka_unit_test(locked_file),
        cmocka_unit_test(corrupt_files),
        cmocka_unit_test(hot_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
