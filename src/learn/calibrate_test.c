/* Calibration against scikit-learn 1.9 on the rows of test_rows.h (500 rows, seed 1), the choice, hostile
 * bytes. */
#include "learn/calibrate.h"

#include "base/random.h"
#include "learn/metric.h"
#include "learn/test_rows.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS = 500, MANY = 4000 };
static double p[ROWS * 3], many[MANY * 3];
static int32_t label[ROWS], labels[MANY];

static int setup(void **state)
{
    (void)state;
    test_rows_fill(ROWS, 1, p, label);
    test_rows_fill(MANY, 3, many, labels);
    return 0;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

static struct calibrator *fitted(enum calibration kind)
{
    struct calibrator *calibrator = NULL;
    struct err err = {0};
    if (calibrator_fit(kind, p, label, ROWS, 3, &calibrator, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(calibrator_kind(calibrator), kind);
    assert_int_equal(calibrator_classes(calibrator), 3);
    return calibrator;
}

static void assert_probabilities(const double *row, size_t classes)
{
    double sum = 0;
    for (size_t index = 0; index < classes; index++) {
        assert_true(row[index] >= 1e-9 && row[index] <= 1);
        sum += row[index];
    }
    assert_near(sum, 1, 1e-12);
}

/* A,B = sklearn.calibration._sigmoid_calibration(log(P[:,c] / (1 - P[:,c])), L == c);
 * Q[:,c] = 1 / (1 + exp(A f + B)); Q /= Q.sum(1); log_loss(L, Q). Its optimiser stops at 1e-6 or so. */
static void test_platt_equals_scikit_learn(void **state)
{
    (void)state;
    struct calibrator *calibrator = fitted(CALIBRATION_PLATT);
    double q[ROWS * 3];
    memcpy(q, p, sizeof q);
    calibrator_apply(calibrator, q, ROWS);
    assert_near(q[0], 0.6632070899808221, 1e-6);
    assert_near(q[1], 0.07075638159816516, 1e-6);
    assert_near(q[2], 0.2660365284210127, 1e-6);
    assert_near(metric_value(METRIC_LOG_LOSS, q, label, NULL, ROWS, 3), 0.7825159156201845, 1e-8);
    calibrator_destroy(calibrator);
}

/* Y[:,c] = IsotonicRegression(out_of_bounds="clip").fit(P[:,c], L == c).predict(T[:,c]); Y / Y.sum(1) with T
 * the five rows of seed 99: seen by no fit, so that the interpolation between knots is tested. */
static void test_isotonic_equals_scikit_learn(void **state)
{
    (void)state;
    const double expected[5][3] = {
        {0.6281680361069321, 0.02048374030783474, 0.35134822358523315},
        {0.25925925925925924, 0.2222222222222222, 0.5185185185185185},
        {0.5265677357587363, 0.020584011488750602, 0.4528482527525132},
        {0.6392910296306319, 0.15708293870924095, 0.20362603166012716},
        {0.7459800027393507, 0.16723736474455553, 0.08678263251609368},
    };
    double rows[5 * 3];
    int32_t ignored[5];
    test_rows_fill(5, 99, rows, ignored);
    struct calibrator *calibrator = fitted(CALIBRATION_ISOTONIC);
    calibrator_apply(calibrator, rows, 5);
    for (int index = 0; index < 15; index++)
        assert_near(rows[index], expected[index / 3][index % 3], 1e-12);
    double own[3] = {p[0], p[1], p[2]};
    calibrator_apply(calibrator, own, 1);
    assert_near(own[0], 0.6875152653828088, 1e-12);
    calibrator_destroy(calibrator);
}

/* x = [.1,.1,.2,.3,.3,.4,.5]; y = [0,1,0,1,1,0,1]: knots .1 .2 .3 .4 .5 at 1/3 1/3 2/3 2/3 1 (scikit-learn)
 */
static void test_isotonic_pools_equal_probabilities(void **state)
{
    (void)state;
    const double x[7] = {0.1, 0.1, 0.2, 0.3, 0.3, 0.4, 0.5};
    const int32_t y[7] = {1, 0, 1, 0, 0, 1, 0}; /* label 0: class 0 happened */
    double pairs[14], row[2] = {0.25, 0.75};
    for (int index = 0; index < 7; index++) {
        pairs[2 * index] = x[index];
        pairs[2 * index + 1] = 1 - x[index];
    }
    struct calibrator *calibrator = NULL;
    assert_int_equal(calibrator_fit(CALIBRATION_ISOTONIC, pairs, y, 7, 2, &calibrator, NULL), 0);
    calibrator_apply(calibrator, row, 1); /* half way between 1/3 and 2/3, and the mirror */
    assert_near(row[0], 0.5, 1e-12);
    calibrator_destroy(calibrator);
}

/* minimize_scalar(lambda T: log_loss(L, P**(1/T) / sum)): T 0.4584188589, loss 0.779874714942433 */
static void test_temperature_is_the_minimum(void **state)
{
    (void)state;
    struct calibrator *calibrator = fitted(CALIBRATION_TEMPERATURE);
    double q[ROWS * 3], sum = 0, expected[3];
    memcpy(q, p, sizeof q);
    calibrator_apply(calibrator, q, ROWS);
    assert_near(metric_value(METRIC_LOG_LOSS, q, label, NULL, ROWS, 3), 0.779874714942433, 1e-12);
    for (int index = 0; index < 3; index++)
        sum += expected[index] = pow(p[index], 1 / 0.4584188589426066);
    for (int index = 0; index < 3; index++)
        assert_near(q[index], expected[index] / sum, 1e-7);
    calibrator_destroy(calibrator);
}

static void test_none_changes_nothing_but_rounding(void **state)
{
    (void)state;
    struct calibrator *calibrator = fitted(CALIBRATION_NONE);
    double q[ROWS * 3];
    memcpy(q, p, sizeof q);
    calibrator_apply(calibrator, q, ROWS);
    for (int index = 0; index < ROWS * 3; index++)
        assert_near(q[index], p[index], 1e-15);
    calibrator_destroy(calibrator);
}

static void test_extreme_rows_stay_probabilities(void **state)
{
    (void)state;
    const double rows[4][3] = {{1, 0, 0}, {0, 0, 1}, {1e-300, 1 - 1e-9, 1e-9}, {1. / 3, 1. / 3, 1. / 3}};
    for (enum calibration kind = 0; kind < CALIBRATION_COUNT; kind++) {
        struct calibrator *calibrator = fitted(kind);
        double q[4][3];
        memcpy(q, rows, sizeof q);
        calibrator_apply(calibrator, q[0], 4);
        for (int row = 0; row < 4; row++)
            assert_probabilities(q[row], 3);
        calibrator_destroy(calibrator);
    }
}

/* Rows that teach nothing: all alike, one class only, separable. Every kind ends and answers probabilities.
 */
static void test_degenerate_fits_end(void **state)
{
    (void)state;
    enum { FEW = 40 };
    double level[FEW * 2], separable[FEW * 2];
    int32_t mixed[FEW], same[FEW];
    for (int row = 0; row < FEW; row++) {
        level[2 * row] = level[2 * row + 1] = 0.5;
        separable[2 * row] = row % 2 ? 1 : 0;
        separable[2 * row + 1] = row % 2 ? 0 : 1;
        mixed[row] = row % 2 ? 0 : 1;
        same[row] = 0;
    }
    const double *inputs[2] = {level, separable};
    const int32_t *outcomes[2] = {mixed, same};
    for (int test = 0; test < 4 * CALIBRATION_COUNT; test++) {
        struct calibrator *calibrator = NULL;
        double row[4] = {0.3, 0.7, 1, 0};
        assert_int_equal(calibrator_fit((enum calibration)(test / 4), inputs[test & 1],
                                        outcomes[test >> 1 & 1], FEW, 2, &calibrator, NULL),
                         0);
        calibrator_apply(calibrator, row, 2);
        assert_probabilities(row, 2);
        assert_probabilities(row + 2, 2);
        calibrator_destroy(calibrator);
    }
}

static void test_choice_finds_what_helps(void **state)
{
    (void)state;
    struct calibrator *calibrator = NULL;
    double losses[CALIBRATION_COUNT];
    /* p^2 renormalised is the truth, so temperature 1/2 is right; the winner may beat it by noise only */
    assert_int_equal(calibrator_choose(many, labels, MANY, 3, &calibrator, losses, NULL), 0);
    double least = losses[calibrator_kind(calibrator)];
    for (enum calibration kind = 0; kind < CALIBRATION_COUNT; kind++)
        assert_true(losses[kind] >= least);
    assert_near(losses[CALIBRATION_TEMPERATURE], least, 0.003);
    assert_true(losses[CALIBRATION_NONE] - losses[CALIBRATION_TEMPERATURE] > 0.03);
    calibrator_destroy(calibrator);
    /* too few rows for isotonic */
    assert_int_equal(calibrator_choose(many, labels, 999, 3, &calibrator, losses, NULL), 0);
    assert_true(isnan(losses[CALIBRATION_ISOTONIC]) && !isnan(losses[CALIBRATION_PLATT]));
    calibrator_destroy(calibrator);
}

/* The judged loss must be that of a fit on the earlier half alone: the later labels cannot have been seen. */
static void test_choice_judges_forward(void **state)
{
    (void)state;
    struct calibrator *calibrator = NULL, *half = NULL;
    double losses[CALIBRATION_COUNT], q[ROWS * 3];
    assert_int_equal(calibrator_choose(p, label, ROWS, 3, &calibrator, losses, NULL), 0);
    assert_int_equal(calibrator_fit(CALIBRATION_PLATT, p, label, ROWS / 2, 3, &half, NULL), 0);
    memcpy(q, p, sizeof q);
    calibrator_apply(half, q, ROWS);
    assert_near(losses[CALIBRATION_PLATT],
                metric_value(METRIC_LOG_LOSS, q + ROWS / 2 * 3, label + ROWS / 2, NULL, ROWS / 2, 3), 0);
    calibrator_destroy(calibrator);
    calibrator_destroy(half);
}

static void test_bad_input_is_refused(void **state)
{
    (void)state;
    struct calibrator *calibrator = NULL;
    struct err err;
    double losses[CALIBRATION_COUNT];
    assert_int_equal(calibrator_fit(CALIBRATION_PLATT, p, label, 0, 3, &calibrator, &err), ERR_INVALID);
    assert_int_equal(calibrator_fit(CALIBRATION_PLATT, p, label, 1, 1, &calibrator, &err), ERR_INVALID);
    assert_int_equal(
        calibrator_fit(CALIBRATION_PLATT, p, label, 1, CALIBRATOR_CLASSES_MAX + 1, &calibrator, &err),
        ERR_INVALID);
    assert_int_equal(calibrator_choose(p, label, 1, 3, &calibrator, losses, &err), ERR_INVALID);
    const double bad[][3] = {{0.5, 0.5, NAN}, {1.5, -0.5, 0}, {0.5, 0.3, 0.3}, {INFINITY, 0, 0}};
    const int32_t home = 0, outside = 3, negative = -1;
    for (size_t index = 0; index < 4; index++)
        assert_int_equal(calibrator_fit(CALIBRATION_NONE, bad[index], &home, 1, 3, &calibrator, &err),
                         ERR_INVALID);
    assert_int_equal(calibrator_fit(CALIBRATION_NONE, p, &outside, 1, 3, &calibrator, &err), ERR_INVALID);
    assert_int_equal(calibrator_fit(CALIBRATION_NONE, p, &negative, 1, 3, &calibrator, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "label -1"));
    assert_null(calibrator);
    calibrator_destroy(NULL);
}

static void test_saved_is_loaded_bit_for_bit(void **state)
{
    (void)state;
    for (enum calibration kind = 0; kind < CALIBRATION_COUNT; kind++) {
        struct calibrator *calibrator = fitted(kind), *loaded = NULL;
        struct buffer bytes, again;
        double q[ROWS * 3], r[ROWS * 3];
        memcpy(q, p, sizeof q);
        memcpy(r, p, sizeof r);
        buffer_init(&bytes, 1 << 20);
        buffer_init(&again, 1 << 20);
        assert_int_equal(calibrator_save(calibrator, &bytes, NULL), 0);
        assert_int_equal(calibrator_load(bytes.data, bytes.size_bytes, &loaded, NULL), 0);
        assert_int_equal(calibrator_save(loaded, &again, NULL), 0);
        assert_int_equal(bytes.size_bytes, again.size_bytes);
        assert_memory_equal(bytes.data, again.data, bytes.size_bytes);
        calibrator_apply(calibrator, q, ROWS);
        calibrator_apply(loaded, r, ROWS);
        assert_memory_equal(q, r, sizeof q);
        calibrator_destroy(calibrator);
        calibrator_destroy(loaded);
        buffer_release(&bytes);
        buffer_release(&again);
    }
    struct calibrator *calibrator = fitted(CALIBRATION_ISOTONIC);
    struct buffer small;
    buffer_init(&small, 16);
    assert_int_equal(calibrator_save(calibrator, &small, NULL), ERR_TOO_LARGE);
    buffer_release(&small);
    calibrator_destroy(calibrator);
}

/* Whatever loads must be safe to use and to save again. */
static int try_bytes(const unsigned char *bytes, size_t size_bytes)
{
    struct calibrator *calibrator = NULL;
    struct err err;
    enum err_code code = calibrator_load(bytes, size_bytes, &calibrator, &err);
    if (code != ERR_OK) {
        assert_int_equal(code, ERR_CORRUPT);
        assert_null(calibrator);
        return 0;
    }
    double row[CALIBRATOR_CLASSES_MAX];
    size_t classes = calibrator_classes(calibrator);
    for (size_t index = 0; index < classes; index++)
        row[index] = 1 / (double)classes;
    calibrator_apply(calibrator, row, 1);
    assert_probabilities(row, classes);
    calibrator_destroy(calibrator);
    return 1;
}

static void test_hostile_bytes(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 2);
    for (enum calibration kind = 0; kind < CALIBRATION_COUNT; kind++) {
        struct calibrator *calibrator = fitted(kind);
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        assert_int_equal(calibrator_save(calibrator, &bytes, NULL), 0);
        calibrator_destroy(calibrator);
        size_t size_bytes = bytes.size_bytes;
        for (size_t cut = 0; cut < size_bytes;
             cut++) { /* its own allocation: a sanitizer sees one byte too far */
            unsigned char *copy = malloc(cut + 1);
            assert_non_null(copy);
            memcpy(copy, bytes.data, cut);
            assert_int_equal(try_bytes(copy, cut), 0);
            free(copy);
        }
        unsigned char *copy = malloc(size_bytes + 1);
        assert_non_null(copy);
        memcpy(copy, bytes.data, size_bytes);
        copy[size_bytes] = 0;
        assert_int_equal(try_bytes(copy, size_bytes + 1), 0); /* left over */
        for (int trial = 0; trial < 20000; trial++) {
            memcpy(copy, bytes.data, size_bytes);
            for (uint64_t hits = 1 + random_below(&random, 3); hits > 0; hits--)
                copy[random_below(&random, size_bytes)] = (unsigned char)random_u64(&random);
            try_bytes(copy, size_bytes);
        }
        free(copy);
        buffer_release(&bytes);
    }
}

static void put_f64(struct buffer *bytes, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buffer_append_u64(bytes, bits);
}

/* A file of kind `kind` with 2 classes and these 64-bit values. */
static int try_values(uint32_t kind, const double *values, size_t count)
{
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    buffer_append_u32(&bytes, 0x314c4143);
    buffer_append_u32(&bytes, kind);
    buffer_append_u32(&bytes, 2);
    buffer_append_u32(&bytes, 0);
    for (size_t index = 0; index < count; index++)
        put_f64(&bytes, values[index]);
    int loaded = try_bytes((const unsigned char *)bytes.data, bytes.size_bytes);
    buffer_release(&bytes);
    return loaded;
}

static void test_values_out_of_range_are_refused(void **state)
{
    (void)state;
    double one, two;
    uint64_t bits = 1;
    memcpy(&one, &bits, sizeof one);
    bits = 2;
    memcpy(&two, &bits, sizeof two);
    const double good[] = {1, 0, 1, 0};
    assert_int_equal(try_values(CALIBRATION_PLATT, good, 4), 1);
    const double endless[] = {1, 0, INFINITY, 0}, not_a_number[] = {1, NAN, 1, 0};
    assert_int_equal(try_values(CALIBRATION_PLATT, endless, 4), 0);
    assert_int_equal(try_values(CALIBRATION_PLATT, not_a_number, 4), 0);
    const double temperatures[] = {1, 0, -1, NAN, 1e9, 0.01};
    for (int index = 0; index < 6; index++)
        assert_int_equal(try_values(CALIBRATION_TEMPERATURE, temperatures + index, 1),
                         index == 0 || index == 5);
    const double curve[] = {two, 0.2, 0.4, 0, 1, one, 0.5, 0.5};
    assert_int_equal(try_values(CALIBRATION_ISOTONIC, curve, 8), 1);
    const double bad[][8] = {
        {two, 0.4, 0.4, 0, 1, one, 0.5, 0.5},   /* knots that do not rise */
        {two, 0.2, 0.4, 1, 0, one, 0.5, 0.5},   /* a curve that falls */
        {two, 0.2, 1.4, 0, 1, one, 0.5, 0.5},   /* x outside */
        {two, 0.2, 0.4, 0, 1.1, one, 0.5, 0.5}, /* y outside */
        {two, 0.2, NAN, 0, 1, one, 0.5, 0.5},
        {1.0, 0.2, 0.4, 0, 1, one, 0.5, 0.5}, /* the bits of 1.0: 4.6e18 knots */
    };
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++)
        assert_int_equal(try_values(CALIBRATION_ISOTONIC, bad[index], 8), 0);
    const double no_knots[2] = {0.0, 0.0}; /* both curves */
    assert_int_equal(try_values(CALIBRATION_ISOTONIC, no_knots, 2), 0);
    assert_int_equal(try_values(CALIBRATION_COUNT, good, 0), 0);
    assert_int_equal(try_values(CALIBRATION_NONE, good, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platt_equals_scikit_learn),
        cmocka_unit_test(test_isotonic_equals_scikit_learn),
        cmocka_unit_test(test_isotonic_pools_equal_probabilities),
        cmocka_unit_test(test_temperature_is_the_minimum),
        cmocka_unit_test(test_none_changes_nothing_but_rounding),
        cmocka_unit_test(test_extreme_rows_stay_probabilities),
        cmocka_unit_test(test_degenerate_fits_end),
        cmocka_unit_test(test_choice_finds_what_helps),
        cmocka_unit_test(test_choice_judges_forward),
        cmocka_unit_test(test_bad_input_is_refused),
        cmocka_unit_test(test_saved_is_loaded_bit_for_bit),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_values_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
