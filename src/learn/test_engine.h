/* Test engine: training, and what every predictor's bytes must survive, for tests only. */
#ifndef ALMANAC_LEARN_TEST_ENGINE_H
#define ALMANAC_LEARN_TEST_ENGINE_H

#include "learn/engine.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct test_engine {
    const struct engine *engine;
    _Alignas(16) char options[ENGINE_OPTIONS_BYTES];
};

static inline struct test_engine test_engine_create(const struct engine *engine)
{
    struct test_engine test = {.engine = engine};
    option_defaults(engine->options, test.options);
    return test;
}

static inline void test_engine_set(struct test_engine *test, const char *name, const char *value)
{
    enum err_code code = option_set(test->engine->options, test->options, name, value, NULL);
    assert(!code);
}

static inline enum err_code test_engine_train(const struct test_engine *test, const struct dataset *data,
                                              struct predictor **out, struct err *err)
{
    struct training training = {.data = data, .options = test->options, .seed = 1, .threads = 1};
    return test->engine->train(&training, out, err);
}

/* Saves and loads: the same bytes, the same predictions. Then every cut of the bytes must be refused, and
 * every changed byte either refused or a predictor whose rows are probabilities. Answers NULL, or what went
 * wrong. */
static inline const char *test_engine_bytes(const struct engine *engine, const struct predictor *predictor,
                                            const struct dataset *data)
{
    struct buffer first, second;
    struct predictor *back = NULL;
    double a[64], b[64];
    const char *wrong = NULL;
    buffer_init(&first, 1 << 20);
    buffer_init(&second, 1 << 20);
    if (engine->save(predictor, &first, NULL) ||
        engine->load(first.data, first.size_bytes, data->names, data->columns, data->classes, &back, NULL) ||
        engine->save(back, &second, NULL))
        wrong = "save, load, save fails";
    else if (first.size_bytes != second.size_bytes || memcmp(first.data, second.data, first.size_bytes) != 0)
        wrong = "the bytes are not the same";
    for (size_t row = 0; !wrong && row < data->rows; row++) {
        engine->predict(predictor, data->x + row * data->columns, 1, a);
        engine->predict(back, data->x + row * data->columns, 1, b);
        if (memcmp(a, b, data->classes * sizeof *a) != 0)
            wrong = "the predictions are not the same";
    }
    engine->destroy(back);
    for (size_t size_bytes = 0; !wrong && size_bytes < first.size_bytes; size_bytes++) {
        char *cut = malloc(size_bytes + 1);
        assert(cut);
        memcpy(cut, first.data, size_bytes);
        if (engine->load(cut, size_bytes, data->names, data->columns, data->classes, &back, NULL) !=
                ERR_CORRUPT ||
            back)
            wrong = "cut bytes are accepted";
        free(cut);
    }
    for (size_t i = 0; !wrong && i < first.size_bytes * 8; i++) {
        double sum = 0;
        first.data[i / 8] = (char)(first.data[i / 8] ^ (1 << (i % 8)));
        if (!engine->load(first.data, first.size_bytes, data->names, data->columns, data->classes, &back,
                          NULL)) {
            engine->predict(back, data->x, 1, a);
            for (size_t c = 0; c < data->classes; c++)
                sum += a[c] >= 0 ? a[c] : 100;
            if (!(sum > 1 - 1e-6 && sum < 1 + 1e-6))
                wrong = "changed bytes give what are no probabilities";
        }
        engine->destroy(back);
        back = NULL;
        first.data[i / 8] = (char)(first.data[i / 8] ^ (1 << (i % 8)));
    }
    buffer_release(&first);
    buffer_release(&second);
    return wrong;
}

#endif
