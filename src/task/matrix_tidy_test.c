/* Matrix tidy: what a version in service was made from stays, the newest stay, the rest goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feature/matrix.h"
#include "feature/test_domain.h"
#include "os/test_folder.h"
#include "registry/registry.h"
#include "task/matrix_tidy.h"

#include <stdio.h>
#include <string.h>

enum { MATRICES = 6 };

struct fixture {
    struct test_folder folder;
    struct store store;
    char key[MATRICES][HASH_HEX_BYTES]; /* oldest first */
};

static void build_matrix(struct fixture *fixture, size_t index)
{
    char data_hash[16];
    struct matrix_build build;
    struct matrix *matrix = NULL;
    (void)snprintf(data_hash, sizeof(data_hash), "data%zu", index);
    matrix_key(data_hash, &test_set, fixture->key[index]);
    assert_int_equal(
        matrix_build_start(fixture->store.matrix, data_hash, &test_set, NULL, 0, 1, &build, NULL), ERR_OK);
    build.rows[0] = (struct matrix_row){.id = (int64_t)index, .label = {-1, -1, -1, -1}};
    for (size_t c = 0; c < build.columns; c++)
        build.values[c] = (float)index;
    assert_int_equal(matrix_build_finish(&build, NULL, &matrix, NULL), ERR_OK);
    matrix_build_abandon(&build);
    matrix_close(matrix);
}

static void add_version(struct fixture *fixture, size_t matrix, const char *version)
{
    struct version_row row = {.name = {"E0", "1x2", "lightgbm"}, .trained_us = (int64_t)matrix + 1};
    char path[FILE_PATH_BYTES], details[256];
    (void)snprintf(row.version, sizeof(row.version), "%s", version);
    (void)snprintf(details, sizeof(details), "{\"description\":{\"matrix\":\"%s\"}}", fixture->key[matrix]);
    assert_int_equal(registry_path(&fixture->store, &row.name, version, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "model", 5, NULL), ERR_OK);
    assert_int_equal(registry_add(&fixture->store, &row, details, NULL), ERR_OK);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    test_folder_create(&fixture.folder);
    *state = &fixture;
    if (store_open(fixture.folder.path, DB_READ_WRITE, &fixture.store, NULL) != ERR_OK)
        return 1;
    for (size_t i = 0; i < MATRICES; i++)
        build_matrix(&fixture, i);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    store_close(&fixture->store);
    test_folder_remove(&fixture->folder);
    return 0;
}

static bool is_there(const struct fixture *fixture, size_t index)
{
    struct matrix *matrix = NULL;
    bool is_open = matrix_open(fixture->store.matrix, fixture->key[index], &matrix, NULL) == ERR_OK;
    matrix_close(matrix);
    return is_open;
}

static void test_newest_stay(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(matrix_tidy(&fixture->store, NULL), ERR_OK);
    for (size_t i = 0; i < MATRICES; i++)
        assert_int_equal(is_there(fixture, i), i >= MATRICES - MATRIX_TIDY_NEWEST);
}

static void test_versions_in_service_keep_theirs(void **state)
{
    struct fixture *fixture = *state;
    add_version(fixture, 0, "aaaa0000aaaa0000");
    add_version(fixture, 1, "bbbb0000bbbb0000");
    add_version(fixture, 2, "cccc0000cccc0000");
    assert_int_equal(
        registry_move(&fixture->store, "aaaa0000aaaa0000", STAGE_PRODUCTION, "test", "better", NULL), ERR_OK);
    assert_int_equal(registry_move(&fixture->store, "bbbb0000bbbb0000", STAGE_STAGING, "test", "next", NULL),
                     ERR_OK);
    assert_int_equal(matrix_tidy(&fixture->store, NULL), ERR_OK);
    assert_true(is_there(fixture, 0));
    assert_true(is_there(fixture, 1));
    assert_false(is_there(fixture, 2)); /* of a version in no stage */
    assert_true(is_there(fixture, 3));
}

/* A version whose matrix is not known could be made from any: then nothing goes. */
static void test_unknown_matrix_removes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct version_row row = {.name = {"E0", "1x2", "other"}, .trained_us = 1, .version = "dddd0000dddd0000"};
    char path[FILE_PATH_BYTES];
    assert_int_equal(registry_path(&fixture->store, &row.name, row.version, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "model", 5, NULL), ERR_OK);
    assert_int_equal(registry_add(&fixture->store, &row, "{}", NULL), ERR_OK);
    assert_int_equal(registry_move(&fixture->store, row.version, STAGE_PRODUCTION, "test", "better", NULL),
                     ERR_OK);
    assert_int_equal(matrix_tidy(&fixture->store, NULL), ERR_CORRUPT);
    for (size_t i = 0; i < MATRICES; i++)
        assert_true(is_there(fixture, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_newest_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_versions_in_service_keep_theirs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_matrix_removes_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
