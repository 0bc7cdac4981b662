/* Base rate: every row gets the class frequencies of the training rows, all groups together. The floor: a
 * model that is no better than this has learnt nothing. */
#include "learn/engine.h"
#include "learn/frequency.h"
#include "learn/reader.h"

#include <stdlib.h>
#include <string.h>

struct base_rate_options {
    double smoothing;
};

#define MEMBER(member) OPTION_MEMBER(struct base_rate_options, member)
static const struct option_row rows[] = {
    {"smoothing", OPTION_REAL, MEMBER(smoothing), "rows", 0, 1e6, "1",
     "Imagined rows of each class, so that no class is impossible."},
};
static const struct option_table table = {"base_rate", rows, sizeof rows / sizeof rows[0]};

struct predictor {
    const struct engine *engine;
    size_t classes;
    double frequency[FREQUENCY_CLASSES];
};

static enum err_code create(size_t classes, struct predictor **out, struct err *err)
{
    *out = NULL;
    if (classes < 2 || classes > FREQUENCY_CLASSES)
        return err_set(err, ERR_INVALID, "base rate of %zu classes, 2 to %d are possible", classes,
                       FREQUENCY_CLASSES);
    *out = calloc(1, sizeof **out);
    if (!*out)
        return err_nomem(err, sizeof **out);
    (*out)->engine = &engine_base_rate;
    (*out)->classes = classes;
    return ERR_OK;
}

static enum err_code train(const struct training *training, struct predictor **out, struct err *err)
{
    const struct base_rate_options *options = training->options;
    enum err_code code = create(training->data->classes, out, err);
    if (!code)
        frequency_of(training->data, options->smoothing, (*out)->frequency);
    return code;
}

static void predict(const struct predictor *predictor, const float *x, size_t row_count, double *out)
{
    (void)x;
    for (size_t row = 0; row < row_count; row++)
        memcpy(out + row * predictor->classes, predictor->frequency, predictor->classes * sizeof *out);
}

static enum err_code save(const struct predictor *predictor, struct buffer *out, struct err *err)
{
    frequency_save(predictor->frequency, predictor->classes, out);
    return buffer_check(out, "base rate", err);
}

static void destroy(struct predictor *predictor)
{
    free(predictor);
}

static enum err_code load(const void *data, size_t size_bytes, const char *const *names, size_t columns,
                          size_t classes, struct predictor **out, struct err *err)
{
    struct reader in;
    (void)names;
    (void)columns;
    enum err_code code = create(classes, out, err);
    if (code)
        return code;
    reader_init(&in, data, size_bytes);
    if (!frequency_load(&in, classes, (*out)->frequency) || !reader_is_done(&in)) {
        code = err_set(err, ERR_CORRUPT, "base rate: not %zu probabilities that sum to 1", classes);
        destroy(*out);
        *out = NULL;
    }
    return code;
}

const struct engine engine_base_rate = {
    .name = "base_rate",
    .doc = "How often each outcome happened in the training rows, the same for every match.",
    .version = 1,
    .capabilities = ENGINE_IS_BASELINE | ENGINE_IS_YARDSTICK,
    .options = &table,
    .options_bytes = sizeof(struct base_rate_options),
    .train = train,
    .predict = predict,
    .save = save,
    .load = load,
    .destroy = destroy,
};
