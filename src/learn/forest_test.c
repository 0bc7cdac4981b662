/* The walk against the definition, bit for bit; what seal refuses. */
#include "learn/forest.h"
#include "learn/test_forest.h"
#include "limits.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static void compare(size_t columns, size_t outputs, size_t trees, uint32_t most_leaves, size_t rows,
                    bool is_average, uint64_t seed)
{
    struct forest *forest = test_forest_create(columns, outputs, trees, most_leaves, seed);
    struct random random;
    float *x = calloc(rows * columns, sizeof *x);
    double *got = calloc(rows * outputs, sizeof *got), *one = calloc(outputs, sizeof *one);
    assert_true(x && got && one);
    forest->is_average = is_average;
    assert_int_equal(forest_seal(forest, NULL), ERR_OK);
    random_init(&random, seed + 1);
    for (size_t i = 0; i < rows * columns; i++)
        x[i] = random_below(&random, 8) == 0 ? NAN : test_forest_value(&random);
    forest_predict_raw(forest, x, rows, got);
    for (size_t row = 0; row < rows; row++) {
        test_forest_predict(forest, x + row * columns, one);
        assert_memory_equal(got + row * outputs, one, outputs * sizeof *one);
        forest_predict_raw(forest, x + row * columns, 1, got + row * outputs);
        assert_memory_equal(got + row * outputs, one, outputs * sizeof *one);
    }
    free(x);
    free(got);
    free(one);
    forest_destroy(forest);
}

static void predictions_equal_the_definition(void **state)
{
    (void)state;
    compare(1, 1, 1, 1, 1, false, 1); /* a single leaf */
    compare(7, 3, 60, 15, 100, false, 2);
    compare(7, 3, 60, 15, 7, false, 3);
    compare(5, 1, 13, 40, 67, false, 4);
    compare(20, 4, 40, 1000, 33, false, 5);
    compare(9, 3, 33, 12, 41, true, 6);
    for (uint64_t seed = 10; seed < 40; seed++)
        compare(3, 1 + seed % 3, (1 + seed % 3) * 9, 9, 40, seed % 2 == 0, seed);
}

static void many_columns_fit(void **state)
{
    (void)state;
    compare(700, 3, 9, 300, 50, false, 7);             /* blocks smaller than usual */
    compare(2000, 2, 10, 300, 20, false, 8);           /* a row at a time */
    compare(LIMIT_FEATURES, 1, 10, 2000, 3, false, 9); /* the last key index */
}

static void no_rows_are_no_work(void **state)
{
    (void)state;
    struct forest *forest = test_forest_create(3, 1, 2, 4, 1);
    double out = 42;
    assert_int_equal(forest_seal(forest, NULL), ERR_OK);
    forest_predict_raw(forest, NULL, 0, &out);
    assert_true(out == 42);
    forest_destroy(forest);
    forest_destroy(NULL);
}

static void gain_is_summed_by_feature(void **state)
{
    (void)state;
    struct forest *forest = test_forest_create(3, 1, 20, 9, 5);
    double gain[3], sum = 0, expected = 0;
    assert_int_equal(forest_seal(forest, NULL), ERR_OK);
    forest_gain(forest, gain);
    for (size_t i = 0; i < forest->split_count; i++)
        expected += (double)forest->splits[i].gain;
    for (size_t i = 0; i < 3; i++)
        sum += gain[i];
    assert_true(fabs(sum - expected) < 1e-9 && sum > 0);
    assert_int_equal(forest_tree_count(forest), 20);
    assert_int_equal(forest_outputs(forest), 1);
    assert_int_equal(forest_columns(forest), 3);
    forest_destroy(forest);
}

/* One tree, 0: (1, 2), 1: leaves 0 1, 2: leaves 2 3; the caller breaks it. */
static struct forest *four_leaves(void)
{
    struct forest *forest = NULL;
    assert_int_equal(forest_allocate(2, 1, 1, 4, &forest, NULL), ERR_OK);
    forest->trees[0] = (struct forest_tree){0, 0, 4};
    forest->splits[0] = (struct forest_split){.left = 1, .right = 2};
    forest->splits[1] = (struct forest_split){.left = ~0, .right = ~1};
    forest->splits[2] = (struct forest_split){.left = ~2, .right = ~3};
    return forest;
}

static void refused(struct forest *forest, const char *why)
{
    struct err err = {.code = ERR_OK};
    assert_int_equal(forest_seal(forest, &err), ERR_CORRUPT);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
    forest_destroy(forest);
}

static void what_is_not_a_tree_is_refused(void **state)
{
    (void)state;
    struct forest *forest = four_leaves();
    assert_int_equal(forest_seal(forest, NULL), ERR_OK);
    forest_destroy(forest);
    (forest = four_leaves())->splits[2].right = 1; /* a loop back */
    refused(forest, "child");
    (forest = four_leaves())->splits[1].left = 1; /* itself */
    refused(forest, "child");
    (forest = four_leaves())->splits[0].right = 1; /* twice, and split 2 out of reach: counts would match */
    refused(forest, "child");
    (forest = four_leaves())->splits[2].right = ~2; /* a leaf twice */
    refused(forest, "child");
    (forest = four_leaves())->splits[2].right = 3;
    refused(forest, "child");
    (forest = four_leaves())->splits[2].right = ~4;
    refused(forest, "child");
    (forest = four_leaves())->splits[2].right = INT32_MIN;
    refused(forest, "child");
    (forest = four_leaves())->splits[2].right = INT32_MAX;
    refused(forest, "child");
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    struct forest *forest = four_leaves();
    forest->splits[1].feature = 2;
    refused(forest, "column 2");
    (forest = four_leaves())->splits[1].threshold = NAN;
    refused(forest, "threshold");
    (forest = four_leaves())->splits[1].gain = INFINITY;
    refused(forest, "gain");
    (forest = four_leaves())->leaf_value[3] = (double)NAN;
    refused(forest, "leaf 3");
    (forest = four_leaves())->trees[0].leaf_count = 3;
    refused(forest, "leaves");
    (forest = four_leaves())->trees[0].leaf_count = 0;
    refused(forest, "leaves");
    (forest = four_leaves())->trees[0].leaf_count = UINT32_MAX;
    refused(forest, "leaves");
    (forest = four_leaves())->trees[0].first_split = 1;
    refused(forest, "outside");
}

static void sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    struct forest *forest = NULL;
    assert_int_equal(forest_allocate(0, 1, 1, 1, &forest, NULL), ERR_TOO_LARGE);
    assert_int_equal(forest_allocate(LIMIT_FEATURES + 1, 1, 1, 1, &forest, NULL), ERR_TOO_LARGE);
    assert_int_equal(forest_allocate(1, 0, 1, 1, &forest, NULL), ERR_TOO_LARGE);
    assert_int_equal(forest_allocate(1, 3, 4, 4, &forest, NULL), ERR_TOO_LARGE);
    assert_int_equal(forest_allocate(1, 1, LIMIT_TREES + 1, LIMIT_TREES + 1, &forest, NULL), ERR_TOO_LARGE);
    assert_int_equal(forest_allocate(1, 1, 5, 4, &forest, NULL), ERR_TOO_LARGE);
    assert_int_equal(forest_allocate(1, 1, 1, SIZE_MAX, &forest, NULL), ERR_TOO_LARGE);
    assert_null(forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_equal_the_definition),
        cmocka_unit_test(many_columns_fit),
        cmocka_unit_test(no_rows_are_no_work),
        cmocka_unit_test(gain_is_summed_by_feature),
        cmocka_unit_test(what_is_not_a_tree_is_refused),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(sizes_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
