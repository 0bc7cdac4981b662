/* Probabilities taken from columns, the fall-back, refusals, bytes. */
#include "learn/test_engine.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { COLUMNS = 6, ROWS = 7 };
static const char *names[COLUMNS] = {"market_shin_away",    "elo",
                                     "market_shin_home",    "market_shin_draw",
                                     "market_ou_shin_over", "market_ou_shin_under"};
static const float x[ROWS * COLUMNS] = {
    0.25f, 1, 0.5f, 0.25f, 0.6f, 0.4f,  /* prices */
    NAN,   1, NAN,  NAN,   NAN,  NAN,   /* none */
    0.25f, 1, 0.5f, NAN,   NAN,  0.4f,  /* some */
    0.3f,  1, 0.4f, 0.3f,  0.7f, 0.31f, /* sums to 1.01: still normalised for two, far off is not */
    0.9f,  1, 0.9f, 0.9f,  0.9f, 0.9f,  /* no probabilities */
    -0.1f, 1, 0.6f, 0.5f,  1.5f, -0.5f, /* out of range */
    0,     1, 0,    0,     0,    0,
};
static const int32_t label3[ROWS] = {0, 0, 0, 1, 2, 2, 0}, label2[ROWS] = {0, 1, 1, 1, 1, 1, 0};
static const struct dataset one_x_two = {
    .x = x, .rows = ROWS, .columns = COLUMNS, .label = label3, .classes = 3, .names = names};
static const struct dataset over_under = {
    .x = x, .rows = ROWS, .columns = COLUMNS, .label = label2, .classes = 2, .names = names};

static struct predictor *trained(const struct dataset *data)
{
    struct test_engine test = test_engine_create(&engine_bookmaker);
    struct predictor *predictor = NULL;
    struct err err = {.code = ERR_OK};
    if (test_engine_train(&test, data, &predictor, &err))
        fail_msg("%s", err.text);
    return predictor;
}

static void near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-7)) /* the columns are float32 */
        fail_msg("%.12g is not %.12g", value, expected);
}

static void three_outcomes(void **state)
{
    (void)state;
    double p[ROWS * 3];
    struct predictor *predictor = trained(&one_x_two);
    engine_bookmaker.predict(predictor, x, ROWS, p);
    near(p[0], 0.5);
    near(p[1], 0.25);
    near(p[2], 0.25);
    near(p[9], 0.4);
    for (size_t row = 1; row < ROWS; row++) {
        if (row == 3)
            continue;
        near(p[3 * row], 5.0 / 10); /* (4 + 1) / (7 + 3) */
        near(p[3 * row + 1], 2.0 / 10);
        near(p[3 * row + 2], 3.0 / 10);
    }
    assert_null(test_engine_bytes(&engine_bookmaker, predictor, &one_x_two));
    engine_bookmaker.destroy(predictor);
}

static void under_and_over(void **state)
{
    (void)state;
    double p[ROWS * 2];
    struct predictor *predictor = trained(&over_under);
    engine_bookmaker.predict(predictor, x, ROWS, p);
    near(p[0], 0.4);
    near(p[1], 0.6);
    near(p[2], 3.0 / 9);
    near(p[6] + p[7], 1);
    assert_null(test_engine_bytes(&engine_bookmaker, predictor, &over_under));
    engine_bookmaker.destroy(predictor);
}

static void another_prefix(void **state)
{
    (void)state;
    static const char *other[COLUMNS] = {"close_home", "close_draw", "close_away", "d", "e", "f"};
    struct test_engine test = test_engine_create(&engine_bookmaker);
    struct predictor *predictor = NULL;
    struct dataset data = one_x_two;
    struct err err = {.code = ERR_OK};
    data.names = other;
    assert_int_equal(test_engine_train(&test, &data, &predictor, &err), ERR_INVALID);
    assert_null(predictor);
    assert_non_null(strstr(err.text, "'market_shin_home'"));
    test_engine_set(&test, "prefix", "close");
    assert_int_equal(test_engine_train(&test, &data, &predictor, &err), ERR_OK);
    engine_bookmaker.destroy(predictor);
}

static void other_numbers_of_classes_are_refused(void **state)
{
    (void)state;
    struct test_engine test = test_engine_create(&engine_bookmaker);
    struct predictor *predictor = NULL;
    struct dataset data = one_x_two;
    data.classes = 4;
    assert_int_equal(test_engine_train(&test, &data, &predictor, NULL), ERR_INVALID);
    assert_null(predictor);
}

static void a_model_without_its_columns_is_refused(void **state)
{
    (void)state;
    struct predictor *predictor = trained(&one_x_two), *back = NULL;
    struct buffer out;
    buffer_init(&out, 10000);
    assert_int_equal(engine_bookmaker.save(predictor, &out, NULL), ERR_OK);
    assert_int_equal(engine_bookmaker.load(out.data, out.size_bytes, names, 3, 3, &back, NULL), ERR_CORRUPT);
    assert_int_equal(engine_bookmaker.load(out.data, out.size_bytes, names, COLUMNS, 2, &back, NULL),
                     ERR_CORRUPT);
    assert_null(back);
    buffer_release(&out);
    engine_bookmaker.destroy(predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_outcomes),
        cmocka_unit_test(under_and_over),
        cmocka_unit_test(another_prefix),
        cmocka_unit_test(other_numbers_of_classes_are_refused),
        cmocka_unit_test(a_model_without_its_columns_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
