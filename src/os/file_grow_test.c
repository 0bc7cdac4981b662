/* Growing files: what was there stays, what was added can be taken away. */
#include "os/file_grow.h"

#include "os/test_folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNK = 65536 };

static void assert_content(const char *path, const char *expected, size_t size_bytes)
{
    struct file_map map;
    assert_int_equal(file_map_open(path, INT64_MAX, &map, NULL), ERR_OK);
    assert_int_equal(map.size_bytes, size_bytes);
    assert_memory_equal(map.data, expected, size_bytes);
    file_map_close(&map);
}

static void a_file_grows(void **context)
{
    enum { OLD = CHUNK + 100, NEW = 2 * CHUNK + 50 };
    struct test_folder folder;
    struct file_grow grow;
    char *expected = malloc(NEW);
    (void)context;
    test_folder_create(&folder);
    size_t descriptors = test_descriptor_count();
    const char *path = test_folder_path(&folder, "x");
    for (size_t i = 0; i < NEW; i++)
        expected[i] = (char)(i % 251);
    assert_int_equal(file_grow_create(path, OLD, &grow, NULL), ERR_OK);
    assert_int_equal(file_grow_write(&grow, 0, expected, CHUNK + 10, NULL), ERR_OK);
    assert_int_equal(file_grow_map(&grow, CHUNK, NULL), ERR_OK);
    assert_int_equal(grow.map_bytes, OLD - CHUNK);
    assert_memory_equal(grow.data, expected + CHUNK, 10); /* what was written is in the map */
    memcpy(grow.data, expected + CHUNK, OLD - CHUNK);
    file_grow_settle(&grow, 0, OLD - CHUNK);
    assert_memory_equal(grow.data, expected + CHUNK, OLD - CHUNK);
    assert_int_equal(file_grow_flush(&grow, NULL), ERR_OK);
    file_grow_close(&grow);
    file_grow_abandon(&grow); /* too late: it stays */
    assert_content(path, expected, OLD);
    assert_int_equal(file_grow_create(path, OLD, &grow, NULL), ERR_CONFLICT);
    assert_int_equal(file_grow_open(path, OLD, NEW, &grow, NULL), ERR_OK);
    assert_int_equal(file_grow_map(&grow, CHUNK, NULL), ERR_OK);
    memcpy(grow.data + (OLD - CHUNK), expected + OLD, NEW - OLD);
    file_grow_close(&grow);
    assert_content(path, expected, NEW);
    assert_int_equal(test_descriptor_count(), descriptors);
    free(expected);
    test_folder_remove(&folder);
}

static void what_was_added_can_be_undone(void **context)
{
    struct test_folder folder;
    struct file_grow grow;
    (void)context;
    test_folder_create(&folder);
    size_t descriptors = test_descriptor_count();
    const char *path = test_folder_path(&folder, "x");
    assert_int_equal(file_grow_create(path, 10, &grow, NULL), ERR_OK);
    file_grow_abandon(&grow);
    assert_false(file_exists(path));
    assert_int_equal(file_write_atomic(path, "abcdefgh", 8, NULL), ERR_OK);
    assert_int_equal(file_grow_open(path, 9, 20, &grow, NULL), ERR_CONFLICT); /* shorter than said */
    assert_int_equal(file_grow_open(path, 7, 20, &grow, NULL), ERR_CONFLICT); /* longer */
    file_grow_abandon(&grow);
    assert_content(path, "abcdefgh", 8);
    assert_int_equal(file_grow_open(path, 8, 20, &grow, NULL), ERR_OK);
    assert_int_equal(file_grow_map(&grow, 0, NULL), ERR_OK);
    assert_memory_equal(grow.data, "abcdefgh\0\0\0", 11);
    memset(grow.data + 8, 'x', 12);
    file_grow_abandon(&grow);
    assert_content(path, "abcdefgh", 8);
    assert_int_equal(file_grow_open(path, 8, 8, &grow, NULL), ERR_OK); /* nothing to add */
    file_grow_close(&grow);
    assert_content(path, "abcdefgh", 8);
    assert_int_equal(file_grow_open(test_folder_path(&folder, "missing"), 0, 1, &grow, NULL), ERR_NOT_FOUND);
    file_grow_close(&grow);
    assert_int_equal(test_descriptor_count(), descriptors);
    test_folder_remove(&folder);
}

static void an_empty_file_maps_nothing(void **context)
{
    struct test_folder folder;
    struct file_grow grow;
    (void)context;
    test_folder_create(&folder);
    const char *path = test_folder_path(&folder, "x");
    assert_int_equal(file_grow_create(path, 0, &grow, NULL), ERR_OK);
    assert_int_equal(file_grow_map(&grow, 0, NULL), ERR_OK);
    assert_null(grow.data);
    assert_int_equal(file_grow_flush(&grow, NULL), ERR_OK);
    file_grow_close(&grow);
    assert_content(path, "", 0);
    test_folder_remove(&folder);
}

static void forgotten_pages_come_back(void **context)
{
    enum { SIZE = 4 * CHUNK + 3 };
    struct test_folder folder;
    struct file_map map;
    char *bytes = malloc(SIZE);
    (void)context;
    test_folder_create(&folder);
    memset(bytes, 'q', SIZE);
    const char *path = test_folder_path(&folder, "x");
    assert_int_equal(file_write_atomic(path, bytes, SIZE, NULL), ERR_OK);
    assert_int_equal(file_map_open(path, INT64_MAX, &map, NULL), ERR_OK);
    file_map_forget(&map, 1, 3);
    file_map_forget(&map, 5000, 2 * CHUNK);
    file_map_forget(&map, 0, SIZE);
    assert_memory_equal(map.data, bytes, SIZE);
    file_map_close(&map);
    free(bytes);
    test_folder_remove(&folder);
}

static void two_files_are_one_map(void **context)
{
    struct test_folder folder;
    struct file_map map;
    char *bytes = malloc(2 * CHUNK);
    (void)context;
    test_folder_create(&folder);
    size_t descriptors = test_descriptor_count();
    const char *first = test_folder_path(&folder, "first"), *second = test_folder_path(&folder, "second");
    memset(bytes, 'a', 2 * CHUNK);
    assert_int_equal(file_write_atomic(first, bytes, 2 * CHUNK, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(second, "bcd", 3, NULL), ERR_OK);
    assert_int_equal(file_map_join(first, CHUNK, second, 2, &map, NULL), ERR_OK);
    assert_int_equal(map.size_bytes, CHUNK + 2);
    assert_memory_equal(map.data, bytes, CHUNK);
    assert_memory_equal(map.data + CHUNK, "bc", 2);
    file_map_forget(&map, 0, map.size_bytes); /* across the border */
    assert_memory_equal(map.data + CHUNK - 1, "abc", 3);
    file_map_close(&map);
    assert_int_equal(file_map_join(first, CHUNK, second, 0, &map, NULL), ERR_OK);
    assert_memory_equal(map.data, bytes, CHUNK);
    file_map_close(&map);
    assert_int_equal(file_map_join(first, 3 * CHUNK, second, 1, &map, NULL), ERR_CORRUPT);
    assert_int_equal(file_map_join(first, CHUNK, second, 4, &map, NULL), ERR_CORRUPT);
    assert_int_equal(file_map_join(first, CHUNK, test_folder_path(&folder, "no"), 1, &map, NULL),
                     ERR_NOT_FOUND);
    assert_null(map.data);
    assert_int_equal(test_descriptor_count(), descriptors);
    free(bytes);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_grows),
        cmocka_unit_test(what_was_added_can_be_undone),
        cmocka_unit_test(an_empty_file_maps_nothing),
        cmocka_unit_test(forgotten_pages_come_back),
        cmocka_unit_test(two_files_are_one_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
