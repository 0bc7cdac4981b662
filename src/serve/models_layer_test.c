/* Layers: the arithmetic by the formula, the life, and what the store makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/test_folder.h"
#include "serve/models_layer.h"
#include "store/retrain_store.h"

#include <math.h>
#include <string.h>

enum { CLASSES_MOST = 3 };
static struct test_folder folder;
static struct store store;
static const char *const version = "0123456789abcdef";

static int open_store(void **state)
{
    (void)state;
    test_folder_create(&folder);
    return store_open(test_folder_path(&folder, "data"), DB_READ_WRITE, &store, NULL) == ERR_OK ? 0 : -1;
}

static int close_store(void **state)
{
    (void)state;
    store_close(&store);
    test_folder_remove(&folder);
    return 0;
}

/* The bytes as docs/formats/model.md tells them. Class i has the intercept `intercept + i step`. */
static struct buffer platt_bytes(size_t classes, double slope, double intercept, double step)
{
    struct buffer out;
    buffer_init(&out, 1000);
    buffer_append_u32(&out, UINT32_C(0x314c4143));
    buffer_append_u32(&out, CALIBRATION_PLATT);
    buffer_append_u32(&out, (uint32_t)classes);
    buffer_append_u32(&out, 0);
    for (size_t i = 0; i < classes; i++) {
        const double numbers[2] = {slope, intercept + step * (double)i};
        for (size_t k = 0; k < 2; k++) {
            uint64_t bits;
            memcpy(&bits, &numbers[k], sizeof(bits));
            buffer_append_u64(&out, bits);
        }
    }
    return out;
}

static struct serving_layer layer_of(size_t classes, double slope, double intercept, double step)
{
    struct serving_layer layer = {.made_us = 1000, .matches = 40};
    struct buffer bytes = platt_bytes(classes, slope, intercept, step);
    assert_int_equal(calibrator_load(bytes.data, bytes.size_bytes, &layer.calibrator, NULL), ERR_OK);
    buffer_release(&bytes);
    return layer;
}

static const double examples[][CLASSES_MOST] = {
    {0.6, 0.25, 0.15}, {0.98, 0.015, 0.005}, {1.0 / 3, 1.0 / 3, 1.0 / 3}, {1, 0, 0}, {1e-9, 0.5, 0.5 - 1e-9}};

static void take_example(size_t index, size_t classes, double *p)
{
    memcpy(p, examples[index], sizeof(examples[index]));
    if (classes == 2)
        p[1] = 1 - p[0];
}

static double sum_of(const double *p, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < classes; i++) {
        assert_true(p[i] > 0 && p[i] <= 1);
        sum += p[i];
    }
    return sum;
}

static void what_comes_out_are_probabilities(void **state)
{
    (void)state;
    for (size_t classes = 2; classes <= 3; classes++) {
        struct serving_layer layer = layer_of(classes, 0.4, -0.3, 0.1);
        for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
            double p[CLASSES_MOST];
            take_example(i, classes, p);
            assert_true(layer_apply(&layer, 1000, p));
            assert_true(fabs(sum_of(p, classes) - 1) < 1e-12);
        }
        layer_release(&layer);
    }
}

static void it_is_the_formula(void **state)
{
    struct serving_layer layer = layer_of(3, 0.4, -0.3, 0.1);
    double p[CLASSES_MOST] = {0.6, 0.25, 0.15}, wanted[CLASSES_MOST], sum = 0;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        wanted[i] = 1 / (1 + exp(-(0.4 * log(p[i] / (1 - p[i])) - 0.3 + 0.1 * (double)i)));
        sum += wanted[i];
    }
    assert_true(layer_apply(&layer, 1000, p));
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs(p[i] - wanted[i] / sum) < 1e-12);
    assert_true(p[0] < 0.6 && p[2] > 0.15); /* a slope below one takes confidence away */
    layer_release(&layer);
}

static void the_identity_changes_nothing(void **state)
{
    (void)state;
    for (size_t classes = 2; classes <= 3; classes++) {
        struct serving_layer layer = layer_of(classes, 1, 0, 0);
        for (size_t i = 0; i < 3; i++) {
            double p[CLASSES_MOST], before[CLASSES_MOST];
            take_example(i, classes, p);
            take_example(i, classes, before);
            assert_true(layer_apply(&layer, 1000, p));
            for (size_t k = 0; k < classes; k++)
                assert_true(fabs(p[k] - before[k]) < 1e-12);
        }
        layer_release(&layer);
    }
}

static void its_life_ends(void **state)
{
    struct serving_layer layer = layer_of(2, 0.5, 0, 0), none = {0};
    double p[2] = {0.9, 0.1};
    (void)state;
    assert_false(layer_apply(&layer, 1000 + LAYER_LIFE_US, p));
    assert_false(layer_apply(&none, 1000, p));
    assert_true(p[0] == 0.9 && p[1] == 0.1);
    assert_true(layer_apply(&layer, 1000 + LAYER_LIFE_US - 1, p));
    assert_true(p[0] < 0.9);
    layer_release(&layer);
    assert_null(layer.calibrator);
}

static void put(int64_t made_us, bool is_better, size_t classes)
{
    struct recalibration row = {.made_us = made_us, .matches = 40, .is_better = is_better, .reason = "why"};
    struct buffer bytes = platt_bytes(classes, 0.5, 0, 0);
    memcpy(row.version, version, sizeof(row.version));
    assert_int_equal(retrain_store_put_recalibration(store.db, &row, is_better ? bytes.data : NULL,
                                                     is_better ? bytes.size_bytes : 0, NULL),
                     ERR_OK);
    buffer_release(&bytes);
}

static int64_t loaded(int64_t trained_us, size_t classes)
{
    struct serving_layer layer;
    layer_load(&store, version, trained_us, classes, &layer);
    int64_t made_us = layer.calibrator != NULL ? layer.made_us : -1;
    layer_release(&layer);
    return made_us;
}

static void the_newest_finding_counts(void **state)
{
    (void)state;
    assert_int_equal(loaded(0, 3), -1);
    put(10, true, 3);
    assert_int_equal(loaded(0, 3), 10);
    assert_int_equal(loaded(10, 3), 10);
    assert_int_equal(loaded(11, 3), -1); /* trained again since */
    put(30, true, 3);
    assert_int_equal(loaded(0, 3), 30);
    put(40, false, 3);
    assert_int_equal(loaded(0, 3), -1);
}

static void what_does_not_fit_is_none(void **state)
{
    (void)state;
    put(10, true, 2);
    assert_int_equal(loaded(0, 3), -1);
    assert_int_equal(loaded(0, 2), 10);
    assert_int_equal(db_execute(store.db, "UPDATE recalibration SET layer = x'00ff'", NULL), ERR_OK);
    assert_int_equal(loaded(0, 2), -1);
    assert_int_equal(db_execute(store.db, "UPDATE recalibration SET layer = NULL", NULL), ERR_OK);
    assert_int_equal(loaded(0, 2), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_out_are_probabilities),
        cmocka_unit_test(it_is_the_formula),
        cmocka_unit_test(the_identity_changes_nothing),
        cmocka_unit_test(its_life_ends),
        cmocka_unit_test_setup_teardown(the_newest_finding_counts, open_store, close_store),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_none, open_store, close_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
