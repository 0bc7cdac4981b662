/* Frequencies, smoothing, bytes. */
#include "learn/test_engine.h"
#include "learn/test_matrix.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static const int32_t label[6] = {0, 0, 0, 2, 2, 0};
static const float x[12] = {0};
static const char *names[] = {"a", "b"};
static const struct dataset data = {
    .x = x, .rows = 6, .columns = 2, .label = label, .classes = 3, .names = names};

static void check(const char *smoothing, const struct dataset *rows, double a, double b, double c)
{
    struct test_engine test = test_engine_create(&engine_base_rate);
    struct predictor *predictor = NULL;
    double p[6];
    test_engine_set(&test, "smoothing", smoothing);
    assert_int_equal(test_engine_train(&test, rows, &predictor, NULL), ERR_OK);
    engine_base_rate.predict(predictor, x, 2, p);
    for (size_t row = 0; row < 2; row++) {
        assert_true(fabs(p[3 * row] - a) < 1e-15);
        assert_true(fabs(p[3 * row + 1] - b) < 1e-15);
        assert_true(fabs(p[3 * row + 2] - c) < 1e-15);
    }
    assert_null(test_engine_bytes(&engine_base_rate, predictor, rows));
    engine_base_rate.destroy(predictor);
}

static void frequencies_are_smoothed(void **state)
{
    (void)state;
    struct dataset none = dataset_slice(&data, 0, 0);
    check("1", &data, 5.0 / 9, 1.0 / 9, 3.0 / 9);
    check("0", &data, 4.0 / 6, 0, 2.0 / 6);
    check("1", &none, 1.0 / 3, 1.0 / 3, 1.0 / 3);
    check("0", &none, 1.0 / 3, 1.0 / 3, 1.0 / 3);
}

static void classes_have_bounds(void **state)
{
    (void)state;
    struct test_engine test = test_engine_create(&engine_base_rate);
    struct predictor *predictor = NULL;
    struct dataset odd = data;
    odd.classes = 1;
    assert_int_equal(test_engine_train(&test, &odd, &predictor, NULL), ERR_INVALID);
    odd.classes = 65;
    assert_int_equal(test_engine_train(&test, &odd, &predictor, NULL), ERR_INVALID);
    assert_null(predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies_are_smoothed),
        cmocka_unit_test(classes_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
