/* What SQL may not do in an engine with folders. */
#include "duck/test_engine.h"
#include "os/test_folder.h"

#include <string.h>

static struct test_folder inside, outside;

/* ---- sandbox ---- */

static void refuse(struct duck *duck, const char *format, const char *path)
{
    char sql[FILE_PATH_BYTES + 256];
    struct err err = {.code = ERR_OK};
    snprintf(sql, sizeof sql, format, path);
    if (duck_query(duck, sql, NULL, 0, NULL, &err) == ERR_OK)
        fail_msg("not refused: %s", sql);
}

static void refuse_everything_outside(struct duck *duck)
{
    refuse(duck, "SELECT * FROM read_text('/etc/passwd')%s", "");
    refuse(duck, "SELECT * FROM read_csv('/etc/passwd')%s", "");
    refuse(duck, "SELECT * FROM glob('/etc/*')%s", "");
    refuse(duck, "SELECT * FROM query('FROM read_blob(''/etc/passwd'')')%s", "");
    refuse(duck, "FROM '%s/secret.csv'", outside.path);
    refuse(duck, "COPY (SELECT 1) TO '%s/a.csv'", outside.path);
    refuse(duck, "COPY (SELECT 1 AS a, 2 AS b) TO '%s/p' (FORMAT parquet, PARTITION_BY (a))", outside.path);
    refuse(duck, "ATTACH '%s/a.db'", outside.path);
    refuse(duck, "EXPORT DATABASE '%s/e'", outside.path);
    refuse(duck, "INSTALL httpfs%s", "");
    refuse(duck, "LOAD httpfs%s", "");
    refuse(duck, "LOAD '%s/x.duckdb_extension'", outside.path);
    refuse(duck, "FROM 'http://127.0.0.1:1/x.csv'%s", "");
    refuse(duck, "SET enable_external_access=true%s", "");
    refuse(duck, "RESET enable_external_access%s", "");
    refuse(duck, "SET lock_configuration=false%s", "");
    refuse(duck, "SET allowed_directories=['/']%s", "");
    refuse(duck, "SET memory_limit='1TB'%s", "");
    refuse(duck, "PRAGMA threads=64%s", "");
    refuse(duck, "SET profiling_output='%s/profile'", outside.path);
    refuse(duck, "CREATE PERSISTENT SECRET s (TYPE http)%s", "");
}

static void write_secret(void)
{
    static const char secret[] = "a\n1\n";
    assert_int_equal(
        file_write_atomic(test_folder_path(&outside, "secret.csv"), secret, sizeof secret - 1, NULL), ERR_OK);
}

static void only_the_folders_are_open(void **state)
{
    const char *folders[] = {inside.path, NULL};
    char sql[2 * FILE_PATH_BYTES + 256];
    struct err err = {.code = ERR_OK};
    struct duck *duck = open_engine(folders);
    (void)state;
    write_secret();
    snprintf(sql, sizeof sql, "COPY (SELECT 5 AS a) TO '%s/a.parquet'", inside.path);
    run(duck, sql);
    snprintf(sql, sizeof sql, "SELECT a FROM '%s/*.parquet'", inside.path);
    expect_text(duck, sql, "5");
    refuse_everything_outside(duck);
    snprintf(sql, sizeof sql, "FROM '%s/../%s/secret.csv'", inside.path, strrchr(outside.path, '/') + 1);
    assert_int_equal(duck_query(duck, sql, NULL, 0, NULL, &err), ERR_FORBIDDEN);
    assert_int_equal(symlink(outside.path, test_folder_path(&inside, "link")), 0);
    snprintf(sql, sizeof sql, "FROM read_csv('%s/link/secret.csv')", inside.path);
    assert_int_equal(duck_query(duck, sql, NULL, 0, NULL, &err), ERR_FORBIDDEN);
    assert_false(file_exists(test_folder_path(&outside, "a.csv")));
    expect_text(duck, "SELECT 42", "42");
    duck_close(duck);
    assert_int_equal(test_entry_count(outside.path), 1);
}

static void an_empty_list_opens_nothing(void **state)
{
    const char *none[] = {NULL};
    struct duck *duck = open_engine(none);
    (void)state;
    refuse_everything_outside(duck);
    refuse(duck, "FROM '%s/a.parquet'", inside.path);
    refuse(duck, "COPY (SELECT 1) TO '%s/b.parquet'", inside.path);
    duck_close(duck);
}

/* The folder may be named as a relative path, and may not be there yet. */
static void folders_may_be_relative_or_to_come(void **state)
{
    char here[FILE_PATH_BYTES], later[FILE_PATH_BYTES], sql[FILE_PATH_BYTES + 64];
    const char *folders[] = {"relative", later, NULL};
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(file_join(outside.path, "later", later, NULL), ERR_OK);
    assert_int_equal(chdir(inside.path), 0);
    assert_int_equal(file_make_folders("relative", NULL), ERR_OK);
    struct duck *duck = open_engine(folders);
    run(duck, "COPY (SELECT 7 AS a) TO 'relative/a.parquet'");
    expect_text(duck, "SELECT a FROM 'relative/a.parquet'", "7");
    snprintf(sql, sizeof sql, "SELECT a FROM '%s/relative/a.parquet'", inside.path);
    expect_text(duck, sql, "7");
    assert_int_equal(file_make_folders(later, NULL), ERR_OK);
    snprintf(sql, sizeof sql, "COPY (SELECT 7 AS a) TO '%s/a.parquet'", later);
    run(duck, sql);
    refuse(duck, "COPY (SELECT 1) TO 'elsewhere.parquet'%s", "");
    duck_close(duck);
    assert_int_equal(chdir(here), 0);
}

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&inside);
    test_folder_create(&outside);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(&inside);
    test_folder_remove(&outside);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_folders_are_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_list_opens_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_may_be_relative_or_to_come, set_up, tear_down),
    };
    return !library_is_there() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
