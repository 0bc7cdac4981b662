/* Elo + ordered logit: the honest small model. An ordered logit on one or a few features, by default the
 * difference of the Elo ratings.
 *
 * Features are centred on the mean of the training rows and scaled to deviation 1 before fitting. A missing
 * value is 0 after that, in training and in prediction: the row is taken for average in this feature, which
 * is what a rating difference not known yet should say. */
#include "base/text.h"
#include "learn/engine.h"
#include "learn/ordered_logit.h"
#include "learn/reader.h"
#include "limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURE_LIST_BYTES = 512 };
#define CUT_BOUND 200.0 /* what a fit can reach */

struct elo_logit_options {
    char feature[FEATURE_LIST_BYTES];
};

#define MEMBER(member) OPTION_MEMBER(struct elo_logit_options, member)
static const struct option_row rows[] = {
    {"feature", OPTION_TEXT, MEMBER(feature), "", 0, 0, "elo_plain_difference",
     "Feature to fit, or up to 8 separated by commas."},
};
static const struct option_table table = {"elo_logit", rows, sizeof rows / sizeof rows[0]};

struct input {
    char name[LIMIT_NAME_BYTES];
    size_t column;
    double centre, scale; /* z = (x - centre) / scale */
};

struct predictor {
    const struct engine *engine;
    size_t columns;
    struct input inputs[ORDERED_LOGIT_FEATURES];
    struct ordered_logit logit;
};

static enum err_code create(size_t columns, size_t classes, struct predictor **out, struct err *err)
{
    *out = NULL;
    if (classes < 2 || classes > ORDERED_LOGIT_CLASSES)
        return err_set(err, ERR_INVALID, "ordered logit of %zu classes, 2 to %d are possible", classes,
                       ORDERED_LOGIT_CLASSES);
    *out = calloc(1, sizeof **out);
    if (!*out)
        return err_nomem(err, sizeof **out);
    (*out)->engine = &engine_elo_logit;
    (*out)->columns = columns;
    (*out)->logit.classes = classes;
    return ERR_OK;
}

static void destroy(struct predictor *predictor)
{
    free(predictor);
}

/* ---- training ---- */

static enum err_code add_input(struct predictor *predictor, struct text name, const struct dataset *data,
                               struct err *err)
{
    if (predictor->logit.features == ORDERED_LOGIT_FEATURES)
        return err_set_field(err, ERR_INVALID, "feature", "more than %d features", ORDERED_LOGIT_FEATURES);
    struct input *input = &predictor->inputs[predictor->logit.features++];
    int column = text_copy(name, input->name, sizeof input->name)
                     ? dataset_column(data->names, data->columns, input->name)
                     : -1;
    if (column < 0)
        return err_set_field(err, ERR_INVALID, "feature", "no feature '%s' in the matrix", input->name);
    input->column = (size_t)column;
    return ERR_OK;
}

static enum err_code add_inputs(struct predictor *predictor, const char *list, const struct dataset *data,
                                struct err *err)
{
    struct text rest = text_of(list), part;
    enum err_code code = ERR_OK;
    if (text_is_blank(rest))
        return err_set_field(err, ERR_INVALID, "feature", "no feature to fit");
    while (!code && text_split(&rest, ',', &part))
        code = add_input(predictor, text_trim(part), data, err);
    return code;
}

/* Mean and deviation of the values that are there. */
static enum err_code measure(struct input *input, const struct dataset *data, struct err *err)
{
    double sum = 0, squares = 0;
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t row = 0; row < data->rows; row++) {
            double value = (double)data->x[row * data->columns + input->column];
            if (!isfinite(value))
                continue;
            if (pass == 0) {
                sum += value;
                count++;
            } else {
                squares += (value - input->centre) * (value - input->centre);
            }
        }
        if (count == 0)
            return err_set_field(err, ERR_INVALID, "feature",
                                 "feature '%s' is missing in all %zu training rows", input->name, data->rows);
        input->centre = sum / (double)count;
    }
    input->scale = squares > 0 ? sqrt(squares / (double)count) : 1;
    return ERR_OK;
}

static void standardise(const struct predictor *predictor, const float *x, double *z)
{
    for (size_t i = 0; i < predictor->logit.features; i++) {
        const struct input *input = &predictor->inputs[i];
        double value = (double)x[input->column];
        z[i] = isfinite(value) ? (value - input->centre) / input->scale : 0;
    }
}

static enum err_code fit(struct predictor *predictor, const struct training *training, struct err *err)
{
    const struct dataset *data = training->data;
    const struct training_watch *watch = &training->watch;
    size_t features = predictor->logit.features;
    double loss = (double)NAN;
    double *z = malloc(data->rows * features * sizeof *z + 1);
    if (!z)
        return err_nomem(err, data->rows * features * sizeof *z);
    for (size_t row = 0; row < data->rows; row++)
        standardise(predictor, data->x + row * data->columns, z + row * features);
    enum err_code code = ordered_logit_fit(z, data->label, data->rows, features, data->classes, watch->stop,
                                           watch->context, &predictor->logit, &loss, err);
    if (!code && watch->progress)
        watch->progress(watch->context, 1, 1, loss);
    free(z);
    return code;
}

static enum err_code train(const struct training *training, struct predictor **out, struct err *err)
{
    const struct elo_logit_options *options = training->options;
    const struct dataset *data = training->data;
    struct predictor *made = NULL;
    *out = NULL;
    enum err_code code = create(data->columns, data->classes, &made, err);
    if (!code)
        code = add_inputs(made, options->feature, data, err);
    for (size_t i = 0; !code && i < made->logit.features; i++)
        code = measure(&made->inputs[i], data, err);
    if (!code)
        code = fit(made, training, err);
    if (code)
        destroy(made);
    else
        *out = made;
    return code;
}

static void predict(const struct predictor *predictor, const float *x, size_t row_count, double *out)
{
    double z[ORDERED_LOGIT_FEATURES];
    for (size_t row = 0; row < row_count; row++) {
        standardise(predictor, x + row * predictor->columns, z);
        ordered_logit_predict(&predictor->logit, z, out + row * predictor->logit.classes);
    }
}

/* ---- bytes ---- */

static enum err_code save(const struct predictor *predictor, struct buffer *out, struct err *err)
{
    const struct ordered_logit *logit = &predictor->logit;
    buffer_append_u32(out, (uint32_t)logit->features);
    for (size_t i = 0; i < logit->features; i++) {
        writer_text(out, predictor->inputs[i].name);
        writer_f64(out, predictor->inputs[i].centre);
        writer_f64(out, predictor->inputs[i].scale);
        writer_f64(out, logit->slope[i]);
    }
    for (size_t k = 0; k + 1 < logit->classes; k++)
        writer_f64(out, logit->cut[k]);
    return buffer_check(out, "ordered logit", err);
}

static bool load_input(struct reader *in, const char *const *names, size_t columns, struct input *input,
                       double *slope)
{
    if (!reader_text(in, input->name, sizeof input->name))
        return false;
    int column = dataset_column(names, columns, input->name);
    input->column = column < 0 ? 0 : (size_t)column;
    input->centre = reader_f64(in);
    input->scale = reader_f64(in);
    *slope = reader_f64(in);
    return !in->failed && column >= 0 && isfinite(input->centre) && isfinite(input->scale) &&
           input->scale > 0 && isfinite(*slope);
}

static bool load_into(struct predictor *predictor, struct reader *in, const char *const *names,
                      size_t columns)
{
    struct ordered_logit *logit = &predictor->logit;
    uint32_t features = reader_u32(in);
    if (in->failed || features < 1 || features > ORDERED_LOGIT_FEATURES)
        return false;
    logit->features = features;
    for (size_t i = 0; i < features; i++)
        if (!load_input(in, names, columns, &predictor->inputs[i], &logit->slope[i]))
            return false;
    for (size_t k = 0; k + 1 < logit->classes; k++) {
        logit->cut[k] = reader_f64(in);
        if (!(fabs(logit->cut[k]) <= CUT_BOUND) || (k > 0 && logit->cut[k] < logit->cut[k - 1]))
            return false;
    }
    return reader_is_done(in);
}

static enum err_code load(const void *data, size_t size_bytes, const char *const *names, size_t columns,
                          size_t classes, struct predictor **out, struct err *err)
{
    struct reader in;
    enum err_code code = create(columns, classes, out, err);
    if (code)
        return code;
    reader_init(&in, data, size_bytes);
    if (!load_into(*out, &in, names, columns)) {
        code =
            err_set(err, ERR_CORRUPT, "ordered logit: malformed, or its features are not among the model's");
        destroy(*out);
        *out = NULL;
    }
    return code;
}

const struct engine engine_elo_logit = {
    .name = "elo_logit",
    .doc = "Ordered logit on the difference of Elo ratings (or other features): cut points and slopes, by "
           "Newton.",
    .version = 1,
    .capabilities = ENGINE_IS_YARDSTICK,
    .options = &table,
    .options_bytes = sizeof(struct elo_logit_options),
    .train = train,
    .predict = predict,
    .save = save,
    .load = load,
    .destroy = destroy,
};
