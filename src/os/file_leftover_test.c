/* Tests of os/file_leftover.h: what is found, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/file_leftover.h"
#include "os/test_folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(const struct test_folder *folder, const char *name, int age_s)
{
    const char *path = test_folder_path(folder, name);
    int64_t then_us = clock_now_us() - (int64_t)age_s * 1000000;
    struct timespec times[2] = {{.tv_sec = then_us / 1000000}, {.tv_sec = then_us / 1000000}};
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_only_old_temporaries_of_ours(void **state)
{
    struct test_folder folder;
    struct file_list list;
    (void)state;
    test_folder_create(&folder);
    assert_int_equal(mkdir(test_folder_path(&folder, "b"), 0700), 0);
    assert_int_equal(mkdir(test_folder_path(&folder, ".hidden"), 0700), 0);
    make(&folder, "b/.almanac-0123456789abcdef.tmp", 7200);
    make(&folder, ".hidden/.almanac-0123456789abcdee.tmp", 7200);
    make(&folder, ".almanac-0123456789abcdef.tmp", 10);   /* young */
    make(&folder, ".almanac-0123456789abcdeg.tmp", 7200); /* no number */
    make(&folder, ".almanac-0123456789abcdef.tmp2", 7200);
    make(&folder, "almanac-0123456789abcdef.tmp", 7200);
    make(&folder, "other.tmp", 7200);
    assert_int_equal(mkdir(test_folder_path(&folder, ".almanac-00000000000000ff.tmp"), 0700), 0);
    assert_int_equal(symlink("/etc", test_folder_path(&folder, "link")), 0);
    assert_int_equal(file_leftover_list(folder.path, clock_now_us() - INT64_C(3600000000), &list, NULL),
                     ERR_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.paths[0], test_folder_path(&folder, ".hidden/.almanac-0123456789abcdee.tmp"));
    assert_string_equal(list.paths[1], test_folder_path(&folder, "b/.almanac-0123456789abcdef.tmp"));
    file_list_close(&list);
    assert_int_equal(file_leftover_list(test_folder_path(&folder, "nowhere"), 0, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    file_list_close(&list);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_old_temporaries_of_ours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
