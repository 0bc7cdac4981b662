/* What a model is made of, what is refused, and calibrated prediction. */
#include "learn/model.h"
#include "learn/test_model.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static void parts_are_kept(void **state)
{
    (void)state;
    struct model_parts parts = test_model_parts(&engine_elo_logit, CALIBRATION_PLATT);
    struct model *model = NULL;
    char name[32] = "will be overwritten", version[17] = "0a";
    const char *names[TEST_MODEL_COLUMNS] = {name, "b", "c", "d"};
    parts.names = names;
    parts.version = version;
    assert_int_equal(model_create(parts, &model, NULL), ERR_OK);
    memset(name, 'x', 5);
    version[0] = 'f';
    assert_string_equal(model_names(model)[0], "will be overwritten");
    assert_string_equal(model_version(model), "0a");
    assert_ptr_equal(model_engine(model), &engine_elo_logit);
    assert_ptr_equal(model_predictor(model), parts.predictor);
    assert_ptr_equal(model_calibrator(model), parts.calibrator);
    assert_int_equal(model_columns(model), 4);
    assert_int_equal(model_classes(model), 3);
    assert_string_equal(model_class_names(model)[2], "away");
    assert_string_equal(model_description(model), "{\"league\": \"E0\", \"log_loss\": 0.98}");
    model_destroy(model);
    model_destroy(NULL);
}

static void predictions_are_calibrated(void **state)
{
    (void)state;
    const float x[8] = {1, .5f, .3f, .2f, -1, .2f, .3f, .5f};
    double plain[6], calibrated[6];
    struct model *model = test_model_create(&engine_elo_logit, CALIBRATION_TEMPERATURE);
    model_predict(model, x, 2, calibrated);
    engine_elo_logit.predict(model_predictor(model), x, 2, plain);
    calibrator_apply(model_calibrator(model), plain, 2);
    assert_memory_equal(plain, calibrated, sizeof plain);
    model_destroy(model);
    model = test_model_create(&engine_elo_logit, CALIBRATION_NONE);
    assert_null(model_calibrator(model));
    model_predict(model, x, 2, calibrated);
    assert_true(fabs(calibrated[0] + calibrated[1] + calibrated[2] - 1) < 1e-12);
    model_destroy(model);
}

/* A refused model leaves predictor and calibrator with the caller: destroyed here, once. */
static void refused(struct model_parts parts, const char *why)
{
    struct model *model = NULL;
    struct err err = {.code = ERR_OK};
    assert_int_equal(model_create(parts, &model, &err), ERR_INVALID);
    assert_null(model);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void malformed_parts_are_refused(void **state)
{
    (void)state;
    const struct model_parts good = test_model_parts(&engine_base_rate, CALIBRATION_NONE);
    struct model_parts bad = good;
    char long_name[200];
    memset(long_name, 'n', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    const char *too_long[] = {"a", long_name}, *empty[] = {"a", ""}, *not_utf8[] = {"a", "\xff"};
    bad.version = "xyz";
    refused(bad, "xyz");
    bad.version = "";
    refused(bad, "hexadecimal");
    bad.version = "0123456789abcdef0";
    refused(bad, "hexadecimal");
    bad = good;
    bad.description = "[1]";
    refused(bad, "object");
    bad.description = "{\"a\":";
    refused(bad, "description");
    bad = good;
    bad.columns = 0;
    refused(bad, "0 features");
    bad.columns = 2;
    bad.names = too_long;
    refused(bad, "name 1");
    bad.names = empty;
    refused(bad, "name 1");
    bad.names = not_utf8;
    refused(bad, "UTF-8");
    bad = good;
    bad.classes = 1;
    refused(bad, "one class");
    good.engine->destroy(good.predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_kept),
        cmocka_unit_test(predictions_are_calibrated),
        cmocka_unit_test(malformed_parts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
