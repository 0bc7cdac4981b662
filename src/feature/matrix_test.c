/* Matrix files: built once, opened afterwards, refused when damaged. */
#include "feature/test_domain.h"

#include "os/test_folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture_files {
    struct test_folder folder;
    struct test_data data;
    char key[HASH_HEX_BYTES], path[FILE_PATH_BYTES];
};

static void set_up(struct fixture_files *files)
{
    char name[HASH_HEX_BYTES + 4];
    test_folder_create(&files->folder);
    test_data_init(&files->data, 200, 6);
    matrix_key("data", &test_set, files->key);
    (void)snprintf(name, sizeof(name), "%s.mat", files->key);
    assert_int_equal(file_join(files->folder.path, name, files->path, NULL), ERR_OK);
}

static void tear_down(struct fixture_files *files)
{
    test_data_release(&files->data);
    test_folder_remove(&files->folder);
}

static struct matrix *open_or_build(struct fixture_files *files, bool *was_built)
{
    struct matrix *matrix = NULL;
    assert_int_equal(matrix_open_or_build(files->folder.path, files->key, &test_set, files->data.streams,
                                          TEST_STREAMS, files->data.info, files->data.rows, NULL, NULL,
                                          &matrix, NULL, was_built, NULL),
                     ERR_OK);
    return matrix;
}

static void flip(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_not_equal(fputc(byte ^ 0x10, file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void a_matrix_is_built_once(void **context)
{
    struct fixture_files files;
    bool was_built = false;
    (void)context;
    set_up(&files);
    struct matrix *matrix = open_or_build(&files, &was_built);
    assert_true(was_built);
    assert_int_equal(matrix_rows(matrix), files.data.rows);
    assert_int_equal(matrix_columns(matrix), 3);
    assert_string_equal(matrix_names(matrix)[2], "mean_seen");
    assert_string_equal(matrix_key_of(matrix), files.key);
    assert_memory_equal(matrix_row_info(matrix), files.data.info, files.data.rows * sizeof(*files.data.info));
    float *values = calloc(files.data.rows * 3, sizeof(*values));
    assert_int_equal(builder_run(&test_set, files.data.streams, TEST_STREAMS, values, NULL, NULL, NULL, NULL),
                     ERR_OK);
    assert_memory_equal(values, matrix_values(matrix), files.data.rows * 3 * sizeof(*values));
    assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_OK);
    matrix_close(matrix);
    matrix = open_or_build(&files, &was_built);
    assert_false(was_built);
    matrix_close(matrix);
    free(values);
    tear_down(&files);
}

static void damage_is_found(void **context)
{
    struct fixture_files files;
    struct matrix *matrix = NULL;
    struct file_info info;
    bool was_built;
    (void)context;
    set_up(&files);
    matrix_close(open_or_build(&files, &was_built));
    assert_int_equal(file_stat(files.path, &info, NULL), ERR_OK);
    for (long offset = 0; offset < 400; offset += 7) {
        flip(files.path, offset);
        assert_int_equal(matrix_open(files.path, &matrix, NULL), ERR_CORRUPT);
        flip(files.path, offset);
    }
    flip(files.path,
         (long)info.size_bytes - 2); /* a value: opening is quick and does not see it, verifying does */
    assert_int_equal(matrix_open(files.path, &matrix, NULL), ERR_OK);
    assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_CORRUPT);
    matrix_close(matrix);
    flip(files.path, 20);
    matrix_close(open_or_build(&files, &was_built));
    assert_true(was_built); /* a damaged cache is built again */
    assert_int_equal(matrix_open(files.path, &matrix, NULL), ERR_OK);
    assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_OK);
    matrix_close(matrix);
    tear_down(&files);
}

static void the_key_names_data_and_features(void **context)
{
    struct tracker newer = test_tracker;
    const struct tracker *const trackers[] = {&newer, NULL};
    struct feature_set set = {"test", "", trackers};
    char a[HASH_HEX_BYTES], b[HASH_HEX_BYTES], c[HASH_HEX_BYTES], d[HASH_HEX_BYTES];
    (void)context;
    matrix_key("data", &test_set, a);
    matrix_key("data", &set, b);
    matrix_key("other", &set, c);
    newer.version++;
    matrix_key("data", &set, d);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(a, d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_is_built_once),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(the_key_names_data_and_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
