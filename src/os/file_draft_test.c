/* Drafts: nothing is seen of one until it takes its place, nothing is left of one that is abandoned. */
#include "os/file_draft.h"

#include "os/test_folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct test_folder folder;
static size_t descriptors;

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&folder);
    descriptors = test_descriptor_count();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(test_descriptor_count(), descriptors);
    test_folder_remove(&folder);
    return 0;
}

static void assert_content(const char *path, const void *expected, size_t size_bytes)
{
    struct file_map map;
    assert_int_equal(file_map_open(path, INT64_MAX, &map, NULL), ERR_OK);
    assert_int_equal(map.size_bytes, size_bytes);
    assert_memory_equal(map.data, expected, size_bytes);
    file_map_close(&map);
}

static void a_draft_takes_the_place_of_a_file(void **state)
{
    struct file_draft draft;
    const char *path = test_folder_path(&folder, "x");
    (void)state;
    assert_int_equal(file_write_atomic(path, "old", 3, NULL), ERR_OK);
    assert_int_equal(file_draft_start(path, &draft, NULL), ERR_OK);
    assert_true(file_exists(draft.name));
    assert_int_equal(file_draft_write(&draft, 6, "new", 3, NULL), ERR_OK);
    assert_int_equal(file_draft_write(&draft, 0, "first", 5, NULL), ERR_OK);
    assert_content(path, "old", 3);
    assert_int_equal(file_draft_finish(&draft, NULL), ERR_OK);
    assert_content(path, "first\0new", 9);
    file_draft_abandon(&draft); /* too late */
    assert_true(file_exists(path));
    assert_int_equal(test_entry_count(folder.path), 1);
}

static void another_writer_may_fill_it(void **state)
{
    struct file_draft draft;
    const char *path = test_folder_path(&folder, "y");
    (void)state;
    assert_int_equal(file_draft_start(path, &draft, NULL), ERR_OK);
    FILE *other = fopen(draft.name, "w"); /* cuts it: the same file all the same */
    assert_non_null(other);
    assert_int_equal(fputs("theirs ", other) >= 0 && fclose(other) == 0, 1);
    assert_int_equal(file_draft_write(&draft, 7, "ours", 4, NULL), ERR_OK);
    assert_int_equal(file_draft_finish(&draft, NULL), ERR_OK);
    assert_content(path, "theirs ours", 11);
}

static void nothing_is_left_of_failures(void **state)
{
    struct file_draft draft;
    struct err err = {0};
    size_t before = test_entry_count(folder.path);
    (void)state;
    assert_int_equal(file_draft_start(test_folder_path(&folder, "z"), &draft, NULL), ERR_OK);
    file_draft_abandon(&draft);
    file_draft_abandon(&draft);
    assert_int_equal(file_draft_start(test_folder_path(&folder, "none/z"), &draft, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none/z"));
    file_draft_abandon(&draft);
    const char *taken = test_folder_path(&folder, "folder");
    assert_int_equal(file_make_folders(taken, NULL), ERR_OK);
    assert_int_equal(file_draft_start(taken, &draft, NULL), ERR_OK);
    assert_int_not_equal(file_draft_finish(&draft, &err), ERR_OK); /* a folder is in the way */
    assert_non_null(strstr(err.text, taken));
    assert_int_equal(test_entry_count(folder.path), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_takes_the_place_of_a_file),
        cmocka_unit_test(another_writer_may_fill_it),
        cmocka_unit_test(nothing_is_left_of_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
