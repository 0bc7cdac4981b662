/* The engine around the ordered logit: features by name, missing values, refusals, bytes. */
#include "learn/test_engine.h"
#include "learn/test_matrix.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS = 2000, COLUMNS = 7 };
static struct test_matrix m;
static struct test_engine test;

static int setup(void **state)
{
    (void)state;
    m = test_matrix_create(ROWS, COLUMNS, 3, 1);
    m.names[0] = "elo_plain_difference"; /* has missing values */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_matrix_destroy(&m);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    test = test_engine_create(&engine_elo_logit);
    return 0;
}

static struct predictor *trained(const struct dataset *data)
{
    struct predictor *predictor = NULL;
    struct err err = {.code = ERR_OK};
    if (test_engine_train(&test, data, &predictor, &err))
        fail_msg("%s", err.text);
    return predictor;
}

static double loss_of(const struct predictor *predictor)
{
    static double p[ROWS * 3];
    double loss = 0;
    engine_elo_logit.predict(predictor, m.x, ROWS, p);
    for (size_t i = 0; i < ROWS; i++)
        loss -= log(p[3 * i + (size_t)m.label[i]]) / ROWS;
    return loss;
}

static void the_default_feature_is_learnt(void **state)
{
    (void)state;
    double low[3], high[3];
    float row[COLUMNS] = {-2};
    struct predictor *predictor = trained(&m.data);
    engine_elo_logit.predict(predictor, row, 1, low);
    row[0] = 2;
    engine_elo_logit.predict(predictor, row, 1, high);
    assert_true(high[2] > low[2] && high[0] < low[0]); /* the label grows with the feature */
    assert_null(test_engine_bytes(&engine_elo_logit, predictor, &m.data));
    engine_elo_logit.destroy(predictor);
}

static void a_missing_value_is_the_training_mean(void **state)
{
    (void)state;
    double mean = 0, count = 0, with_mean[3], without[3];
    float row[COLUMNS] = {0};
    struct predictor *predictor = trained(&m.data);
    for (size_t i = 0; i < ROWS; i++) {
        if (!isnan(m.x[i * COLUMNS])) {
            mean += (double)m.x[i * COLUMNS];
            count++;
        }
    }
    assert_true(count < ROWS);
    row[0] = (float)(mean / count);
    engine_elo_logit.predict(predictor, row, 1, with_mean);
    row[0] = NAN;
    engine_elo_logit.predict(predictor, row, 1, without);
    for (size_t c = 0; c < 3; c++)
        assert_true(fabs(with_mean[c] - without[c]) < 1e-6);
    row[0] = INFINITY; /* no rating is infinite: as good as missing */
    engine_elo_logit.predict(predictor, row, 1, with_mean);
    assert_memory_equal(with_mean, without, sizeof without);
    engine_elo_logit.destroy(predictor);
}

static void more_features_fit_better(void **state)
{
    (void)state;
    struct predictor *one = trained(&m.data);
    test_engine_set(&test, "feature", "elo_plain_difference, f1 ,f2");
    struct predictor *three = trained(&m.data);
    assert_true(loss_of(three) < loss_of(one) - 0.03);
    assert_null(test_engine_bytes(&engine_elo_logit, three, &m.data));
    engine_elo_logit.destroy(one);
    engine_elo_logit.destroy(three);
}

static void refused(const struct dataset *data, const char *feature, const char *why)
{
    struct predictor *predictor = NULL;
    struct err err = {.code = ERR_OK};
    test_engine_set(&test, "feature", feature);
    assert_int_equal(test_engine_train(&test, data, &predictor, &err), ERR_INVALID);
    assert_null(predictor);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void what_cannot_be_fitted_is_refused(void **state)
{
    (void)state;
    struct dataset one_row = dataset_slice(&m.data, 0, 1), one_class = m.data;
    one_class.classes = 1;
    refused(&m.data, "f1,nonsense", "'nonsense'");
    refused(&m.data, "", "no feature");
    refused(&m.data, "f1,", "''");
    refused(&m.data, "f1,f1,f1,f1,f1,f1,f1,f1,f1", "more than 8");
    refused(&one_row, "f1", "none of 1 training rows");
    refused(&one_class, "f1", "1 classes");
    float *x = calloc(ROWS * COLUMNS, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x[i] = NAN;
    struct dataset blank = m.data;
    blank.x = x;
    refused(&blank, "f1", "missing in all");
    free(x);
}

static void a_constant_feature_leaves_the_base_rate(void **state)
{
    (void)state;
    double p[3], count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        m.x[i * COLUMNS + 3] = 7;
        count += m.label[i] == 1;
    }
    test_engine_set(&test, "feature", "f3");
    struct predictor *predictor = trained(&m.data);
    engine_elo_logit.predict(predictor, m.x, 1, p);
    assert_true(fabs(p[1] - count / ROWS) < 1e-9);
    engine_elo_logit.destroy(predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_default_feature_is_learnt, fresh),
        cmocka_unit_test_setup(a_missing_value_is_the_training_mean, fresh),
        cmocka_unit_test_setup(more_features_fit_better, fresh),
        cmocka_unit_test_setup(what_cannot_be_fitted_is_refused, fresh),
        cmocka_unit_test_setup(a_constant_feature_leaves_the_base_rate, fresh),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
