/* The model text by hand, its refusals, and LightGBM's own raw scores bit for bit where the library is there.
 */
#include "learn/forest.h"
#include "learn/test_forest.h"
#include "learn/test_library.h"
#include "learn/test_matrix.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

#define HEAD                                                                                                 \
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n"            \
    "objective=binary sigmoid:1\nfeature_names=a b\nfeature_infos=[0:1] none\ntree_sizes=1 2\n\n"
#define TREE                                                                                                 \
    "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=1 0\nsplit_gain=2.5 1\nthreshold=-0.5 "                  \
    "0.1\ndecision_type=2 10\n"                                                                              \
    "left_child=1 -1\nright_child=-2 -3\nleaf_value=0.1 0.25 -4\nleaf_weight=1 2 3\nleaf_count=5 7 2\n"      \
    "internal_value=0 0\ninternal_weight=0 0\ninternal_count=14 7\nis_linear=0\nshrinkage=0.1\n\n\n"
#define LEAF "Tree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=1000\nleaf_count=14\nis_linear=0\nshrinkage=1\n\n\n"
#define TAIL "end of trees\n\nfeature_importances:\na=1\n\nparameters:\n[whatever: =1]\nend of parameters\n"

static struct forest *read_text(const char *text)
{
    struct forest *forest = NULL;
    struct err err = {.code = ERR_OK};
    if (forest_read_lightgbm(text_of(text), 2, &forest, &err))
        fail_msg("%s", err.text);
    return forest;
}

static double score(const struct forest *forest, float a, float b)
{
    double out;
    forest_predict_raw(forest, (float[]){a, b}, 1, &out);
    return out;
}

static void a_text_is_read(void **state)
{
    (void)state;
    struct forest *forest = read_text(HEAD TREE LEAF TAIL);
    double gain[2];
    assert_int_equal(forest_tree_count(forest), 2);
    assert_true(score(forest, 0.0f, -1) == 0.1 + 1000);
    assert_true(score(forest, 0.2f, -1) == -4.0 + 1000);
    assert_true(score(forest, 0.0f, 0) == 0.25 + 1000);
    assert_true(score(forest, NAN, -1) == 0.1 + 1000); /* decision 10: missing is NaN, default left */
    assert_true(score(forest, 0, NAN) == 0.25 + 1000); /* decision 2: NaN was never seen and counts as 0 */
    forest_gain(forest, gain);
    assert_true(gain[0] == 1 && gain[1] == 2.5);
    assert_int_equal(forest->splits[0].cover, 14);
    assert_int_equal(forest->leaf_cover[1], 7);
    forest_destroy(forest);
}

/* 0.1 as float is above 0.1 as double: the value 0.1f goes right, the float before it left. */
static void thresholds_split_floats_as_doubles_do(void **state)
{
    (void)state;
    struct forest *forest = read_text(HEAD TREE TAIL);
    assert_true((double)0.1f > 0.1);
    assert_true(score(forest, 0.1f, -1) == -4);
    assert_true(score(forest, nextafterf(0.1f, 0), -1) == 0.1);
    forest_destroy(forest);
}

static void infinite_thresholds_ask_for_presence(void **state)
{
    (void)state;
    struct forest *forest = read_text(
        HEAD
        "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=inf\ndecision_type=8\n"
        "left_child=-1\nright_child=-2\nleaf_value=1 2\nleaf_count=1 1\ninternal_count=2\n\n" TAIL);
    assert_true(score(forest, INFINITY, 0) == 1);
    assert_true(score(forest, -5, 0) == 1);
    assert_true(score(forest, NAN, 0) == 2);
    forest_destroy(forest);
}

static void refused(const char *text, const char *why)
{
    struct forest *forest = NULL;
    struct err err = {.code = ERR_OK};
    assert_int_not_equal(forest_read_lightgbm(text_of(text), 2, &forest, &err), ERR_OK);
    assert_null(forest);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

/* HEAD TREE TAIL with the first `was` changed. */
static void refused_with(const char *was, const char *now, const char *why)
{
    static const char whole[] = HEAD TREE TAIL;
    char text[sizeof whole + 100];
    const char *at = strstr(whole, was);
    assert_non_null(at);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, now, at + strlen(was));
    refused(text, why);
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    refused_with("version=v4", "version=v5", "version=v5");
    refused_with("label_index=0", "surprise=0", "surprise=0");
    refused_with("max_feature_idx=1", "max_feature_idx=2", "3 columns");
    refused_with("num_tree_per_iteration=1", "num_tree_per_iteration=0", "per iteration");
    refused_with("num_cat=0", "num_cat=1", "categorical");
    refused_with("is_linear=0", "is_linear=1", "linear");
    refused_with("decision_type=2 10", "decision_type=1 10", "split 0");
    refused_with("decision_type=2 10", "decision_type=2 6", "split 1"); /* zero as missing */
    refused_with("shrinkage", "leaf_coeff", "leaf_coeff");
    refused_with("num_leaves=3", "num_leaves=99999", "99999 leaves");
    refused_with("num_leaves=3", "num_leaves=0", "0 leaves");
    refused_with("num_leaves=3", "num_leaves=x", "not an integer");
    refused_with("num_leaves=3", "num_leaves=4", "split 2");
    refused_with("num_leaves=3", "num_leaves=9999", "9999 leaves in");
    refused_with("leaf_value=0.1 0.25 -4", "leaf_value=0.1 0.25", "leaf 2");
    refused_with("leaf_value=0.1 0.25 -4", "leaf_value=0.1 0.25 nan", "leaf 2");
    refused_with("threshold=-0.5 0.1", "threshold=-0.5 nan", "split 1");
    refused_with("left_child=1 -1", "left_child=0 -1", "child");
    refused_with("split_feature=1 0", "split_feature=2 0", "split 0");
    refused_with("Tree=0", "Tree=1", "next tree");
    refused_with("end of trees", "end of tree", "next tree");
    refused("", "columns");
    refused(HEAD, "end of trees");
    refused(HEAD TREE, "end of trees");
    refused(HEAD TAIL, "0 trees");
}

/* ---- against LightGBM ---- */

/* The library, or the test is skipped. */
static const struct lightgbm_library *needed(void)
{
    struct err err = {.code = ERR_OK};
    const struct lightgbm_library *library = test_library_open(&err);
    if (!library) {
        print_message("skipped: %s\n", err.text);
        skip();
    }
    return library;
}

static int32_t rows_of(const struct test_matrix *m)
{
    return (int32_t)m->data.rows;
}

static void *booster_of(const struct lightgbm_library *library, const struct test_matrix *m,
                        const char *parameters, int iterations)
{
    void *dataset = NULL, *booster = NULL;
    int finished;
    float *label = calloc(m->data.rows, sizeof *label);
    assert_non_null(label);
    for (size_t i = 0; i < m->data.rows; i++)
        label[i] = (float)m->label[i];
    assert_int_equal(library->dataset_create_from_mat(m->x, LIGHTGBM_FLOAT32, rows_of(m),
                                                      (int)m->data.columns, 1, parameters, NULL, &dataset),
                     0);
    assert_int_equal(library->dataset_set_field(dataset, "label", label, rows_of(m), LIGHTGBM_FLOAT32), 0);
    if (library->booster_create(dataset, parameters, &booster))
        fail_msg("%s", library->last_error());
    for (int i = 0; i < iterations; i++)
        assert_int_equal(library->booster_update_one_iter(booster, &finished), 0);
    assert_int_equal(library->dataset_free(dataset), 0);
    free(label);
    return booster;
}

static struct forest *forest_of(const struct lightgbm_library *library, void *booster, size_t columns)
{
    static char text[8 << 20];
    struct forest *forest = NULL;
    struct err err = {.code = ERR_OK};
    int64_t size_bytes = 0;
    assert_int_equal(library->booster_save_model_to_string(booster, 0, -1, 0, sizeof text, &size_bytes, text),
                     0);
    assert_true(size_bytes <= (int64_t)sizeof text);
    if (forest_read_lightgbm(text_of(text), columns, &forest, &err))
        fail_msg("%s", err.text);
    return forest;
}

/* Trains, then compares all training rows and as many rows of odd values. */
static void equals(const char *parameters, size_t outputs, size_t classes, int predict_type)
{
    const struct lightgbm_library *library = needed();
    struct test_matrix m = test_matrix_create(2000, 23, classes, 11);
    void *booster = booster_of(library, &m, parameters, 30);
    struct forest *forest = forest_of(library, booster, m.data.columns);
    double *theirs = calloc(m.data.rows * outputs, sizeof *theirs),
           *ours = calloc(m.data.rows * outputs, sizeof *ours);
    struct random random;
    random_init(&random, 5);
    assert_true(theirs && ours);
    assert_int_equal(forest_outputs(forest), outputs);
    for (int pass = 0; pass < 2; pass++) {
        int64_t count = 0;
        assert_int_equal(library->booster_predict_for_mat(booster, m.x, LIGHTGBM_FLOAT32, rows_of(&m),
                                                          (int)m.data.columns, 1, predict_type, 0, -1, "",
                                                          &count, theirs),
                         0);
        assert_int_equal(count, m.data.rows * outputs);
        forest_predict_raw(forest, m.x, m.data.rows, ours);
        assert_memory_equal(ours, theirs, m.data.rows * outputs * sizeof *ours);
        for (size_t i = 0; i < m.data.rows * m.data.columns; i++)
            m.x[i] = random_below(&random, 6) == 0 ? NAN : test_forest_value(&random);
    }
    free(theirs);
    free(ours);
    forest_destroy(forest);
    (void)library->booster_free(booster);
    test_matrix_destroy(&m);
}

#define COMMON " verbosity=-1 num_threads=2 deterministic=true force_col_wise=true min_data_in_leaf=5 seed=3"

static void raw_scores_of_boosting_are_equal(void **state)
{
    (void)state;
    equals("objective=multiclass num_class=3 num_leaves=31 bagging_freq=1 bagging_fraction=0.7" COMMON, 3, 3,
           LIGHTGBM_RAW_SCORE);
    equals("objective=binary num_leaves=15" COMMON, 1, 2, LIGHTGBM_RAW_SCORE);
    equals("objective=binary num_leaves=63 extra_trees=true lambda_l2=1" COMMON, 1, 2, LIGHTGBM_RAW_SCORE);
}

static void averages_of_random_forests_are_equal(void **state)
{
    (void)state;
    /* of a forest LightGBM's raw score is the sum; its regression forest shows the average without a link */
    equals("objective=regression boosting=rf num_leaves=31 bagging_freq=1 bagging_fraction=0.6" COMMON, 1, 3,
           LIGHTGBM_NORMAL);
}

static void zero_as_missing_is_refused(void **state)
{
    (void)state;
    const struct lightgbm_library *library = needed();
    static char text[1 << 20];
    struct test_matrix m = test_matrix_create(1000, 4, 2, 1);
    struct forest *forest = NULL;
    int64_t size_bytes = 0;
    void *booster = booster_of(library, &m, "objective=binary zero_as_missing=true" COMMON, 3);
    assert_int_equal(library->booster_save_model_to_string(booster, 0, -1, 0, sizeof text, &size_bytes, text),
                     0);
    assert_int_equal(forest_read_lightgbm(text_of(text), 4, &forest, NULL), ERR_INVALID);
    (void)library->booster_free(booster);
    test_matrix_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_read),
        cmocka_unit_test(thresholds_split_floats_as_doubles_do),
        cmocka_unit_test(infinite_thresholds_ask_for_presence),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(raw_scores_of_boosting_are_equal),
        cmocka_unit_test(averages_of_random_forests_are_equal),
        cmocka_unit_test(zero_as_missing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
