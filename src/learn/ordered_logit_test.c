/* Ordered logit against statsmodels 0.14 (OrderedModel, logit; parameterised the same way) and against
 * itself. */
#include "base/random.h"
#include "learn/ordered_logit.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS = 14 };
static const double z1[ROWS] = {-1.5, -1.2, -0.9, -0.6, -0.4, -0.1, 0.0, 0.2, 0.3, 0.5, 0.8, 1.0, 1.3, 1.6};
static const double z2[ROWS] = {0.3, -1.1, 0.8, 0.2, -0.5, 1.4, -0.2, 0.9, -1.3, 0.1, 0.6, -0.7, -0.9, 0.4};
static const int32_t three[ROWS] = {2, 2, 1, 2, 0, 1, 2, 1, 0, 1, 0, 2, 0, 0};

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.12g is not %.12g", value, expected);
}

static struct ordered_logit fitted(const double *z, const int32_t *label, size_t rows, size_t features,
                                   size_t classes, double *loss)
{
    struct ordered_logit logit;
    struct err err = {.code = ERR_OK};
    if (ordered_logit_fit(z, label, rows, features, classes, NULL, NULL, &logit, loss, &err))
        fail_msg("%s", err.text);
    return logit;
}

static void three_classes_equal_the_reference(void **state)
{
    (void)state;
    double loss, p[3];
    struct ordered_logit logit = fitted(z1, three, ROWS, 1, 3, &loss);
    near(logit.slope[0], -1.538963838, 1e-6);
    near(logit.cut[0], -0.853221569, 1e-6);
    near(logit.cut[1], 0.745182887, 1e-6);
    near(loss, 0.899395735790, 1e-9);
    ordered_logit_predict(&logit, (double[]){0.7}, p);
    near(p[0], 0.5557801284636741, 1e-6);
    near(p[1], 0.3050806266547299, 1e-6);
    near(p[2], 0.139139244881596, 1e-6);
}

static void two_classes_are_plain_logistic_regression(void **state)
{
    (void)state;
    int32_t label[ROWS];
    double loss;
    for (size_t i = 0; i < ROWS; i++)
        label[i] = three[i] > 0;
    struct ordered_logit logit = fitted(z1, label, ROWS, 1, 2, &loss);
    near(logit.slope[0], -1.701904382, 1e-6); /* scikit-learn without a ridge: -1.7035 */
    near(logit.cut[0], -0.994510249, 1e-6);   /* -0.9951 */
    near(loss, 0.483877320235, 1e-9);
}

static void two_features_equal_the_reference(void **state)
{
    (void)state;
    double z[2 * ROWS], loss;
    for (size_t i = 0; i < ROWS; i++) {
        z[2 * i] = z1[i];
        z[2 * i + 1] = z2[i];
    }
    struct ordered_logit logit = fitted(z, three, ROWS, 2, 3, &loss);
    near(logit.slope[0], -1.550745151, 1e-6);
    near(logit.slope[1], -0.117040155, 1e-6);
    near(logit.cut[0], -0.876708217, 1e-6);
    near(logit.cut[1], 0.718685252, 1e-6);
    near(loss, 0.898320310915, 1e-9);
}

static double loss_of(const struct ordered_logit *logit, const double *z, const int32_t *label, size_t rows)
{
    double sum = 0, p[ORDERED_LOGIT_CLASSES];
    for (size_t i = 0; i < rows; i++) {
        ordered_logit_predict(logit, z + i * logit->features, p);
        sum -= log(p[label[i]]);
    }
    return sum / (double)rows;
}

/* Five classes, three features: the loss told is the loss of the predictions, and every step away is worse.
 */
static void the_fit_is_the_optimum(void **state)
{
    (void)state;
    enum { MANY = 3000, FEATURES = 3, CLASSES = 5 };
    static double z[MANY * FEATURES];
    static int32_t label[MANY];
    struct random random;
    double loss;
    random_init(&random, 4);
    for (size_t i = 0; i < MANY; i++) {
        double u = random_uniform(&random), latent = log(u / (1 - u));
        for (size_t j = 0; j < FEATURES; j++)
            latent += (double)j * (z[i * FEATURES + j] = random_normal(&random));
        for (int k = -2; k < 2; k++)
            label[i] += latent > 1.5 * k;
    }
    struct ordered_logit logit = fitted(z, label, MANY, FEATURES, CLASSES, &loss);
    near(loss_of(&logit, z, label, MANY), loss, 1e-12);
    near(logit.slope[2], 2, 0.15);
    for (size_t i = 0; i < CLASSES - 1 + FEATURES; i++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            struct ordered_logit moved = logit;
            *(i < CLASSES - 1 ? &moved.cut[i] : &moved.slope[i - CLASSES + 1]) += 1e-3 * sign;
            assert_true(loss_of(&moved, z, label, MANY) > loss);
        }
    }
}

static void hard_cases_converge(void **state)
{
    (void)state;
    enum { MANY = 200 };
    double z[2 * MANY], loss;
    int32_t label[MANY];
    for (size_t i = 0; i < MANY; i++) { /* separable, and both features the same */
        z[2 * i] = z[2 * i + 1] = ((double)i - 100) / 60;
        label[i] = i < 70 ? 0 : i < 150 ? 1 : 2;
    }
    struct ordered_logit logit = fitted(z, label, MANY, 2, 3, &loss);
    assert_true(loss < 0.05 && isfinite(logit.slope[0]));
    near(logit.slope[0], logit.slope[1], 1e-3 * fabs(logit.slope[0]));
    for (size_t i = 0; i < MANY; i++)
        z[i] = 0; /* nothing to learn */
    logit = fitted(z, label, MANY, 1, 3, &loss);
    near(logit.slope[0], 0, 1e-9);
    near(logit.cut[0], log(70.0 / 130), 1e-9);
    logit = fitted(NULL, label, MANY, 0, 3, &loss);
    near(logit.cut[1], log(150.0 / 50), 1e-9);
}

static bool stop_at_once(void *context)
{
    (void)context;
    return true;
}

static void what_cannot_be_fitted_is_refused(void **state)
{
    (void)state;
    struct ordered_logit logit;
    struct err err = {.code = ERR_OK};
    double loss;
    const int32_t no_draw[4] = {0, 2, 2, 0};
    assert_int_equal(ordered_logit_fit(z1, no_draw, 4, 1, 3, NULL, NULL, &logit, &loss, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "class 1"));
    assert_int_equal(ordered_logit_fit(z1, three, 0, 1, 3, NULL, NULL, &logit, &loss, &err), ERR_INVALID);
    assert_int_equal(ordered_logit_fit(z1, three, ROWS, 1, 3, stop_at_once, NULL, &logit, &loss, &err),
                     ERR_CANCELLED);
}

static void predictions_are_probabilities_whatever_comes(void **state)
{
    (void)state;
    const struct ordered_logit logit = {.features = 1, .classes = 3, .cut = {-200, 200}, .slope = {1e300}};
    const double values[] = {0, 1, -1, 1e300, -1e300, (double)INFINITY, (double)-INFINITY, (double)NAN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double p[3];
        ordered_logit_predict(&logit, values + i, p);
        assert_true(p[0] >= 0 && p[1] >= 0 && p[2] >= 0);
        near(p[0] + p[1] + p[2], 1, 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_classes_equal_the_reference),
        cmocka_unit_test(two_classes_are_plain_logistic_regression),
        cmocka_unit_test(two_features_equal_the_reference),
        cmocka_unit_test(the_fit_is_the_optimum),
        cmocka_unit_test(hard_cases_converge),
        cmocka_unit_test(what_cannot_be_fitted_is_refused),
        cmocka_unit_test(predictions_are_probabilities_whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
