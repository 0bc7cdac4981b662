/* Bookmaker: the probabilities that the market's prices imply, as the feature columns give them (overround
 * already removed). Rows without a full set of prices get the class frequencies of the training rows. Nothing
 * is fitted: this is the yardstick, and usually the better forecaster. */
#include "learn/engine.h"
#include "learn/frequency.h"
#include "learn/reader.h"
#include "limits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_BYTES = 64, BOOKMAKER_CLASSES = 3 };

struct bookmaker_options {
    char prefix[PREFIX_BYTES], prefix_ou[PREFIX_BYTES];
};

#define MEMBER(member) OPTION_MEMBER(struct bookmaker_options, member)
static const struct option_row rows[] = {
    {"prefix", OPTION_TEXT, MEMBER(prefix), "", 0, 0, "market_shin",
     "Three classes: probabilities are the features <prefix>_home, _draw, _away."},
    {"prefix_ou", OPTION_TEXT, MEMBER(prefix_ou), "", 0, 0, "market_ou_shin",
     "Two classes: probabilities are the features <prefix_ou>_under, _over."},
};
static const struct option_table table = {"bookmaker", rows, sizeof rows / sizeof rows[0]};

struct predictor {
    const struct engine *engine;
    size_t classes, columns;
    size_t column[BOOKMAKER_CLASSES]; /* of each class's probability */
    char names[BOOKMAKER_CLASSES][LIMIT_NAME_BYTES];
    double frequency[BOOKMAKER_CLASSES];
};

static enum err_code create(size_t classes, size_t columns, struct predictor **out, struct err *err)
{
    *out = NULL;
    if (classes != 2 && classes != 3)
        return err_set(err, ERR_INVALID, "the bookmaker prices 2 or 3 classes, not %zu", classes);
    *out = calloc(1, sizeof **out);
    if (!*out)
        return err_nomem(err, sizeof **out);
    (*out)->engine = &engine_bookmaker;
    (*out)->classes = classes;
    (*out)->columns = columns;
    return ERR_OK;
}

static void destroy(struct predictor *predictor)
{
    free(predictor);
}

/* Finds the columns by predictor->names. */
static enum err_code find_columns(struct predictor *predictor, const char *const *names, size_t columns,
                                  struct err *err)
{
    for (size_t c = 0; c < predictor->classes; c++) {
        int column = dataset_column(names, columns, predictor->names[c]);
        if (column < 0)
            return err_set_field(err, ERR_INVALID, "prefix",
                                 "no feature '%s': the bookmaker needs the feature set with prices",
                                 predictor->names[c]);
        predictor->column[c] = (size_t)column;
    }
    return ERR_OK;
}

static enum err_code train(const struct training *training, struct predictor **out, struct err *err)
{
    static const char *const endings[2][BOOKMAKER_CLASSES] = {{"under", "over"}, {"home", "draw", "away"}};
    const struct bookmaker_options *options = training->options;
    const struct dataset *data = training->data;
    enum err_code code = create(data->classes, data->columns, out, err);
    if (code)
        return code;
    struct predictor *made = *out;
    for (size_t c = 0; c < made->classes; c++)
        (void)snprintf(made->names[c], sizeof made->names[c], "%s_%s",
                       made->classes == 2 ? options->prefix_ou : options->prefix,
                       endings[made->classes - 2][c]);
    frequency_of(data, 1, made->frequency);
    code = find_columns(made, data->names, data->columns, err);
    if (code) {
        destroy(made);
        *out = NULL;
    }
    return code;
}

/* False when a price is missing or the columns are not probabilities. float32 leaves a sum of 1 +- 1e-7. */
static bool read_row(const struct predictor *predictor, const float *x, double *p)
{
    double sum = 0;
    for (size_t c = 0; c < predictor->classes; c++) {
        p[c] = (double)x[predictor->column[c]];
        if (!(p[c] >= 0 && p[c] <= 1))
            return false;
        sum += p[c];
    }
    for (size_t c = 0; c < predictor->classes; c++)
        p[c] /= sum;
    return fabs(sum - 1) < 0.01;
}

static void predict(const struct predictor *predictor, const float *x, size_t row_count, double *out)
{
    for (size_t row = 0; row < row_count; row++, x += predictor->columns, out += predictor->classes)
        if (!read_row(predictor, x, out))
            memcpy(out, predictor->frequency, predictor->classes * sizeof *out);
}

static enum err_code save(const struct predictor *predictor, struct buffer *out, struct err *err)
{
    for (size_t c = 0; c < predictor->classes; c++)
        writer_text(out, predictor->names[c]);
    frequency_save(predictor->frequency, predictor->classes, out);
    return buffer_check(out, "bookmaker", err);
}

static enum err_code load(const void *data, size_t size_bytes, const char *const *names, size_t columns,
                          size_t classes, struct predictor **out, struct err *err)
{
    struct reader in;
    enum err_code code = create(classes, columns, out, err);
    if (code)
        return code;
    struct predictor *made = *out;
    bool is_good = true;
    reader_init(&in, data, size_bytes);
    for (size_t c = 0; c < classes; c++)
        is_good = reader_text(&in, made->names[c], sizeof made->names[c]) && is_good;
    is_good = is_good && frequency_load(&in, classes, made->frequency) && reader_is_done(&in);
    if (!is_good || find_columns(made, names, columns, err)) {
        code = err_set(err, ERR_CORRUPT,
                       "bookmaker: malformed, or its columns are not among the model's features");
        destroy(made);
        *out = NULL;
    }
    return code;
}

const struct engine engine_bookmaker = {
    .name = "bookmaker",
    .doc = "The probabilities in the market's prices, overround removed; base rates where there is no price.",
    .version = 1,
    .capabilities = ENGINE_IS_BASELINE | ENGINE_IS_YARDSTICK | ENGINE_NEEDS_PRICES,
    .options = &table,
    .options_bytes = sizeof(struct bookmaker_options),
    .train = train,
    .predict = predict,
    .save = save,
    .load = load,
    .destroy = destroy,
};
