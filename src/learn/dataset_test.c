/* Slices and column look-up. */
#include "learn/dataset.h"
#include "learn/test_matrix.h"
#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static void a_slice_borrows_its_rows(void **state)
{
    (void)state;
    struct test_matrix m = test_matrix_create(10, 4, 3, 1);
    struct dataset slice = dataset_slice(&m.data, 3, 5);
    assert_int_equal(slice.rows, 5);
    assert_int_equal(slice.columns, 4);
    assert_int_equal(slice.classes, 3);
    assert_ptr_equal(slice.x, m.x + 12);
    assert_ptr_equal(slice.label, m.label + 3);
    assert_int_equal(slice.time_us[0], 3);
    assert_ptr_equal(slice.group, m.group + 3);
    assert_ptr_equal(slice.names, m.names);
    assert_int_equal(dataset_slice(&slice, 5, 0).rows, 0);
    test_matrix_destroy(&m);
}

static void absent_members_stay_absent(void **state)
{
    (void)state;
    struct dataset bare = {.rows = 9, .columns = 2};
    struct dataset slice = dataset_slice(&bare, 4, 2);
    assert_null(slice.x);
    assert_null(slice.label);
    assert_null(slice.block);
}

static void columns_are_found_by_their_whole_name(void **state)
{
    (void)state;
    const char *names[] = {"elo", "elo_home", "form"};
    assert_int_equal(dataset_column(names, 3, "elo"), 0);
    assert_int_equal(dataset_column(names, 3, "form"), 2);
    assert_int_equal(dataset_column(names, 3, "for"), -1);
    assert_int_equal(dataset_column(names, 2, "form"), -1);
    assert_int_equal(dataset_column(names, 0, "elo"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_borrows_its_rows),
        cmocka_unit_test(absent_members_stay_absent),
        cmocka_unit_test(columns_are_found_by_their_whole_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
