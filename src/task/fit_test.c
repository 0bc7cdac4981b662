/* Fits: the same bytes whatever the pool, out-of-fold forecasts from earlier rows only, errors that name the parameter. */
#include "task/fit.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 1200, COLUMNS = 2, CLASSES = 3 };

static const char *const names[COLUMNS] = {"elo_plain_difference", "noise"};

struct rows {
    float x[ROWS * COLUMNS];
    int32_t label[ROWS], group[ROWS];
    int64_t time_us[ROWS], block[ROWS];
    struct dataset data;
};

/* The label leans on the first column. */
static void fill(struct rows *rows)
{
    struct random random;
    random_init(&random, 5);
    for (size_t i = 0; i < ROWS; i++) {
        double strength = 100 * random_normal(&random);
        double score = strength / 100 + random_normal(&random);
        rows->x[i * COLUMNS] = (float)strength;
        rows->x[i * COLUMNS + 1] = (float)random_normal(&random);
        rows->label[i] = score > 0.4 ? 0 : score > -0.4 ? 1 : 2;
        rows->group[i] = 0;
        rows->time_us[i] = (int64_t)i * 1000;
        rows->block[i] = (int64_t)i / 10;
    }
    rows->data = (struct dataset){rows->x,       ROWS,        COLUMNS,     rows->label, CLASSES,
                                  rows->time_us, rows->block, rows->group, names};
}

static void bytes_of(const struct fitted *fitted, struct buffer *out)
{
    buffer_init(out, 1 << 24);
    assert_int_equal(fitted->engine->save(fitted->predictor, out, NULL), ERR_OK);
    assert_non_null(fitted->calibrator);
    assert_int_equal(calibrator_save(fitted->calibrator, out, NULL), ERR_OK);
}

static void the_pool_does_not_change_the_bytes(void **state)
{
    static struct rows rows;
    static const char *const engines[] = {"elo_logit", "lightgbm"};
    struct pool *pool = NULL;
    (void)state;
    fill(&rows);
    assert_int_equal(pool_create(3, &pool, NULL), ERR_OK);
    for (size_t i = 0; i < 2; i++) {
        struct recipe recipe;
        struct fitted alone, together;
        struct buffer a, b;
        struct err err = {0};
        assert_int_equal(
            recipe_init(&recipe, engines[i], i == 1 ? "trees=20,min_child_samples=10" : "", NULL), ERR_OK);
        recipe.folds = 4;
        enum err_code code = fit_calibrated(&recipe, &rows.data, NULL, NULL, &alone, &err);
        if (code == ERR_UNAVAILABLE) {
            print_message("skipped %s: %s\n", engines[i], err.text);
            continue;
        }
        assert_int_equal(code, ERR_OK);
        assert_int_equal(fit_calibrated(&recipe, &rows.data, pool, NULL, &together, NULL), ERR_OK);
        bytes_of(&alone, &a);
        bytes_of(&together, &b);
        assert_int_equal(a.size_bytes, b.size_bytes);
        assert_memory_equal(a.data, b.data, a.size_bytes);
        buffer_release(&a);
        buffer_release(&b);
        fitted_release(&alone);
        fitted_release(&together);
    }
    pool_destroy(pool);
}

static void folds_learn_from_earlier_rows_only(void **state)
{
    static struct rows rows;
    struct recipe recipe;
    struct fit_job jobs[5];
    struct out_of_fold folds = {0};
    size_t covered = 0;
    (void)state;
    fill(&rows);
    assert_int_equal(recipe_init(&recipe, "elo_logit", "", NULL), ERR_OK);
    recipe.folds = 5;
    assert_int_equal(out_of_fold_plan(&recipe, &rows.data, &folds, jobs, NULL), ERR_OK);
    for (size_t k = 0; k < 5; k++) {
        int64_t last = jobs[k].train.block[jobs[k].train.rows - 1];
        assert_true(last < jobs[k].test.block[0]);
        assert_true(k == 0 || jobs[k].train.rows < jobs[k - 1].train.rows); /* the longest first */
        assert_ptr_equal(jobs[k].p,
                         folds.p +
                             (size_t)(jobs[k].test.label - rows.label - (ptrdiff_t)folds.begin) * CLASSES);
        covered += jobs[k].test.rows;
    }
    assert_int_equal(covered, folds.rows);
    assert_int_equal(folds.begin + folds.rows, ROWS);
    out_of_fold_release(&folds);
}

static void a_calibrated_model_predicts_probabilities(void **state)
{
    static struct rows rows;
    struct recipe recipe;
    struct fitted fitted;
    static double p[ROWS * CLASSES];
    double loss = 0;
    (void)state;
    fill(&rows);
    assert_int_equal(recipe_init(&recipe, "elo_logit", "", NULL), ERR_OK);
    recipe.folds = 5;
    assert_int_equal(fit_calibrated(&recipe, &rows.data, NULL, NULL, &fitted, NULL), ERR_OK);
    fitted_predict(&fitted, &rows.data, p);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(fabs(p[i * 3] + p[i * 3 + 1] + p[i * 3 + 2] - 1) < 1e-9);
        loss -= log(p[i * 3 + (size_t)rows.label[i]]) / ROWS;
    }
    assert_true(loss < 1.0); /* guessing would give 1.09 */
    fitted_release(&fitted);
}

static bool stop_at_once(void *context)
{
    (void)context;
    return true;
}

static void stop_and_bad_parameters_are_errors(void **state)
{
    static struct rows rows;
    struct recipe recipe;
    struct fitted fitted;
    struct err err = {0};
    struct reporter reporter = {.is_stopped = stop_at_once};
    (void)state;
    fill(&rows);
    assert_int_equal(recipe_init(&recipe, "nonsense", "", &err), ERR_INVALID);
    assert_string_equal(err.field, "engine");
    assert_int_equal(recipe_init(&recipe, "lightgbm", "trees", &err), ERR_INVALID);
    assert_int_equal(recipe_init(&recipe, "lightgbm", "trees=-4", &err), ERR_INVALID);
    assert_string_equal(err.field, "parameters");
    assert_int_equal(recipe_init(&recipe, "lightgbm", "leafs=4", &err), ERR_INVALID);
    assert_int_equal(recipe_init(&recipe, "elo_logit", "", &err), ERR_OK);
    recipe.folds = 5;
    assert_int_equal(fit_calibrated(&recipe, &rows.data, NULL, &reporter, &fitted, &err), ERR_CANCELLED);
    assert_null(fitted.predictor);
    recipe.folds = FIT_FOLDS_MAX + 1;
    assert_int_equal(fit_calibrated(&recipe, &rows.data, NULL, NULL, &fitted, &err), ERR_INVALID);
    assert_string_equal(err.field, "folds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_does_not_change_the_bytes),
        cmocka_unit_test(folds_learn_from_earlier_rows_only),
        cmocka_unit_test(a_calibrated_model_predicts_probabilities),
        cmocka_unit_test(stop_and_bad_parameters_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
