/* Folders: replaced as a whole, locked by one. */
#include "os/folder.h"

#include "os/test_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct test_folder place;

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(&place);
    return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[FILE_PATH_BYTES];
    assert_int_equal(file_make_folders(test_folder_path(&place, folder), NULL), ERR_OK);
    assert_int_equal(file_join(test_folder_path(&place, folder), name, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), ERR_OK);
}

static void expect(const char *name, const char *text)
{
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    assert_int_equal(file_read(test_folder_path(&place, name), &buffer, NULL), ERR_OK);
    assert_string_equal(buffer_text(&buffer), text);
    buffer_release(&buffer);
}

static void folders_are_listed_in_order(void **state)
{
    struct folder_list list;
    (void)state;
    put("b", "x", "1");
    put("a", "x", "1");
    put(".hidden", "x", "1");
    put("", "file", "1");
    assert_int_equal(folder_list_open(place.path, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.names[0], "a");
    assert_string_equal(list.names[1], "b");
    folder_list_close(&list);
    assert_int_equal(folder_list_open(test_folder_path(&place, "missing"), &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(folder_list_open(test_folder_path(&place, "file"), &list, NULL), ERR_IO);
}

static void a_folder_takes_a_place(void **state)
{
    (void)state;
    put("made", "x", "first");
    assert_int_equal(folder_sync(test_folder_path(&place, "made"), NULL), ERR_OK);
    assert_int_equal(folder_replace(test_folder_path(&place, "made"), test_folder_path(&place, "it"), NULL),
                     ERR_OK);
    expect("it/x", "first");
    put("made", "x", "second");
    put("made", "y", "more");
    assert_int_equal(folder_replace(test_folder_path(&place, "made"), test_folder_path(&place, "it"), NULL),
                     ERR_OK);
    expect("it/x", "second");
    expect("it/y", "more");
    assert_false(file_exists(test_folder_path(&place, "made")));
    assert_int_equal(folder_replace(test_folder_path(&place, "none"), test_folder_path(&place, "it"), NULL),
                     ERR_NOT_FOUND);
    expect("it/x", "second");
}

static void a_folder_is_removed_with_all(void **state)
{
    (void)state;
    put("a/b/c", "x", "1");
    put("kept", "x", "1");
    assert_int_equal(symlink(test_folder_path(&place, "kept"), test_folder_path(&place, "a/link")), 0);
    assert_int_equal(folder_remove(test_folder_path(&place, "a"), NULL), ERR_OK);
    assert_false(file_exists(test_folder_path(&place, "a")));
    expect("kept/x", "1"); /* links are not followed */
    assert_int_equal(folder_remove(test_folder_path(&place, "a"), NULL), ERR_OK);
}

static void links_share_the_bytes(void **state)
{
    (void)state;
    put("a", "x", "bytes");
    assert_int_equal(folder_link_file(test_folder_path(&place, "a/x"), test_folder_path(&place, "a/y"), NULL),
                     ERR_OK);
    assert_int_equal(file_remove(test_folder_path(&place, "a/x"), NULL), ERR_OK);
    expect("a/y", "bytes");
    assert_int_equal(folder_link_file(test_folder_path(&place, "a/x"), test_folder_path(&place, "a/z"), NULL),
                     ERR_NOT_FOUND);
}

static void one_holds_a_lock(void **state)
{
    int first, second;
    struct err err;
    (void)state;
    const char *path = test_folder_path(&place, "lock");
    assert_int_equal(folder_lock(path, &first, &err), ERR_OK);
    assert_int_equal(folder_lock(path, &second, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "is locked"));
    folder_unlock(first);
    assert_int_equal(folder_lock(path, &second, &err), ERR_OK);
    folder_unlock(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_are_listed_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_takes_a_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_is_removed_with_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_share_the_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_holds_a_lock, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
