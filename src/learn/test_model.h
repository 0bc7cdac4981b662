/* Test model: a small model of each kind of predictor that needs no library, for tests only. */
#ifndef ALMANAC_LEARN_TEST_MODEL_H
#define ALMANAC_LEARN_TEST_MODEL_H

#include "base/hash.h"
#include "learn/model.h"
#include "learn/test_engine.h"
#include "learn/test_forest.h"

enum { TEST_MODEL_COLUMNS = 4, TEST_MODEL_CLASSES = 3 };
static const char *const test_model_names[TEST_MODEL_COLUMNS] = {"elo_plain_difference", "market_shin_home",
                                                                 "market_shin_draw", "market_shin_away"};
static const char *const test_model_classes[TEST_MODEL_CLASSES] = {"home", "draw", "away"};

/* A predictor of `engine`; LightGBM's is loaded from the bytes of a random forest. */
static inline struct predictor *test_model_predictor(const struct engine *engine)
{
    static const float x[6 * TEST_MODEL_COLUMNS] = {-1, .2f, .3f, .5f, 0, .4f, .3f, .3f, 2, .6f, .2f, .2f,
                                                    -2, .2f, .3f, .5f, 1, .4f, .3f, .3f, 0, .6f, .2f, .2f};
    static const int32_t label[6] = {2, 1, 0, 0, 1, 2};
    const struct dataset data = {.x = x,
                                 .rows = 6,
                                 .columns = TEST_MODEL_COLUMNS,
                                 .label = label,
                                 .classes = TEST_MODEL_CLASSES,
                                 .names = (const char *const *)test_model_names};
    struct test_engine test = test_engine_create(engine);
    struct predictor *predictor = NULL;
    enum err_code code;
    if (engine == &engine_lightgbm) {
        struct forest *forest = test_forest_create(TEST_MODEL_COLUMNS, TEST_MODEL_CLASSES, 6, 5, 1);
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        code = forest_seal(forest, NULL);
        code = code ? code : forest_save(forest, &bytes, NULL);
        code = code ? code
                    : engine->load(bytes.data, bytes.size_bytes, test_model_names, TEST_MODEL_COLUMNS,
                                   TEST_MODEL_CLASSES, &predictor, NULL);
        buffer_release(&bytes);
        forest_destroy(forest);
    } else {
        code = test_engine_train(&test, &data, &predictor, NULL);
    }
    assert(!code);
    return predictor;
}

static inline struct calibrator *test_model_calibrator(enum calibration kind)
{
    static const double p[12] = {.5, .3, .2, .2, .3, .5, .4, .3, .3, .1, .1, .8};
    static const int32_t label[4] = {0, 2, 1, 2};
    struct calibrator *calibrator = NULL;
    enum err_code code = calibrator_fit(kind, p, label, 4, TEST_MODEL_CLASSES, &calibrator, NULL);
    assert(!code);
    return calibrator;
}

static inline struct model_parts test_model_parts(const struct engine *engine, enum calibration kind)
{
    return (struct model_parts){
        .engine = engine,
        .predictor = test_model_predictor(engine),
        .calibrator = kind == CALIBRATION_NONE ? NULL : test_model_calibrator(kind),
        .names = test_model_names,
        .columns = TEST_MODEL_COLUMNS,
        .class_names = test_model_classes,
        .classes = TEST_MODEL_CLASSES,
        .version = "0123456789abcdef",
        .description = "{\"league\": \"E0\", \"log_loss\": 0.98}",
    };
}

static inline struct model *test_model_create(const struct engine *engine, enum calibration kind)
{
    struct model *model = NULL;
    enum err_code code = model_create(test_model_parts(engine, kind), &model, NULL);
    assert(!code);
    return model;
}

/* Makes the checksum at the end fit the bytes again, as a forger would. */
static inline void test_model_forge(unsigned char *data, size_t size_bytes)
{
    if (size_bytes >= HASH_BYTES)
        hash_bytes(data, size_bytes - HASH_BYTES, data + size_bytes - HASH_BYTES);
}

#endif
