/* Fit: folds -> out-of-fold predictions -> calibrator; all rows -> predictor. */
#include "task/fit.h"

#include "base/text.h"
#include "learn/split.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDS_MAX = 20 };

static enum err_code set_parameter(struct recipe *recipe, struct text pair, struct err *err)
{
    char text[256];
    if (!text_copy(text_trim(pair), text, sizeof(text)))
        return err_set_field(err, ERR_INVALID, "parameters", "parameter '%s...' is too long", text);
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return err_set_field(err, ERR_INVALID, "parameters", "parameter '%s' has no value; write name=value", text);
    *equals = '\0';
    enum err_code code = option_set(recipe->engine->options, recipe->options, text, equals + 1, err);
    return code == ERR_OK ? ERR_OK : err_set_field(err, ERR_INVALID, "parameters", "%s", err != NULL ? err->text : "");
}

enum err_code recipe_init(struct recipe *recipe, const char *engine, const char *parameters, struct err *err)
{
    *recipe = (struct recipe){.engine = engine_find(engine), .seed = 1, .threads = 1};
    if (recipe->engine == NULL)
        return err_set_field(err, ERR_INVALID, "engine", "no engine is called '%s'", engine);
    assert(recipe->engine->options_bytes <= sizeof(recipe->options));
    if (recipe->engine->options != NULL)
        option_defaults(recipe->engine->options, recipe->options);
    struct text rest = text_of(parameters), pair;
    while (rest.size_bytes > 0 && text_split(&rest, ',', &pair)) {
        enum err_code code = set_parameter(recipe, pair, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

struct fit_watch {
    const struct reporter *reporter;
    const char *phase;
};

static void on_progress(void *context, size_t done, size_t total, double loss)
{
    struct fit_watch *watch = context;
    report_progress(watch->reporter, watch->phase, done, total);
    if (!isnan(loss))
        report_metric(watch->reporter, "training_loss", loss, done);
}

static bool on_stop(void *context)
{
    struct fit_watch *watch = context;
    return report_is_stopped(watch->reporter);
}

enum err_code fit_predictor(const struct recipe *recipe, const struct dataset *data, const struct reporter *reporter,
                            const char *phase, struct fitted *out, struct err *err)
{
    struct fit_watch watch = {reporter, phase};
    struct training training = {.data = data, .options = recipe->options, .seed = recipe->seed,
                                .threads = recipe->threads, .watch = {on_progress, on_stop, &watch}};
    *out = (struct fitted){.engine = recipe->engine};
    if (report_is_stopped(reporter))
        return err_set(err, ERR_CANCELLED, "training stopped on request");
    return recipe->engine->train(&training, &out->predictor, err);
}

/* Predictions for the rows judged by each fold, one behind the other (folds are adjacent). */
static enum err_code predict_out_of_fold(const struct recipe *recipe, const struct dataset *data,
                                         const struct split *folds, const struct reporter *reporter, double *p,
                                         struct err *err)
{
    for (size_t k = 0; k < recipe->folds; k++) {
        char phase[80];
        (void)snprintf(phase, sizeof(phase), "training fold %zu of %zu", k + 1, recipe->folds);
        struct dataset train = dataset_slice(data, folds[k].train_begin, folds[k].train_end - folds[k].train_begin);
        size_t test_rows = folds[k].test_end - folds[k].test_begin;
        struct fitted fold;
        enum err_code code = fit_predictor(recipe, &train, reporter, phase, &fold, err);
        if (code != ERR_OK)
            return code;
        fold.engine->predict(fold.predictor, data->x + folds[k].test_begin * data->columns, test_rows, p);
        p += test_rows * data->classes;
        fitted_release(&fold);
    }
    return ERR_OK;
}

static enum err_code choose_calibrator(const struct recipe *recipe, const struct dataset *data,
                                       const struct reporter *reporter, struct fitted *out, struct err *err)
{
    struct split folds[FOLDS_MAX];
    if (recipe->folds > FOLDS_MAX)
        return err_set_field(err, ERR_INVALID, "folds", "at most %d folds", FOLDS_MAX);
    enum err_code code = split_expanding(data, recipe->folds, 0, folds, err);
    if (code != ERR_OK)
        return code;
    size_t begin = folds[0].test_begin, rows = folds[recipe->folds - 1].test_end - begin;
    double *p = malloc((rows * data->classes + 1) * sizeof(*p));
    if (p == NULL)
        return err_nomem(err, rows * data->classes * sizeof(*p));
    code = predict_out_of_fold(recipe, data, folds, reporter, p, err);
    if (code == ERR_OK)
        code = calibrator_choose(p, data->label + begin, rows, data->classes, &out->calibrator, out->losses, err);
    out->out_of_fold_rows = rows;
    free(p);
    return code;
}

enum err_code fit_calibrated(const struct recipe *recipe, const struct dataset *data, const struct reporter *reporter,
                             struct fitted *out, struct err *err)
{
    struct fitted calibration = {0};
    for (size_t i = 0; i < CALIBRATION_COUNT; i++)
        calibration.losses[i] = NAN;
    *out = (struct fitted){0};
    enum err_code code = ERR_OK;
    if (recipe->folds > 0)
        code = choose_calibrator(recipe, data, reporter, &calibration, err);
    if (code == ERR_OK)
        code = fit_predictor(recipe, data, reporter, "training", out, err);
    if (code != ERR_OK) {
        calibrator_destroy(calibration.calibrator);
        return code;
    }
    out->calibrator = calibration.calibrator;
    out->out_of_fold_rows = calibration.out_of_fold_rows;
    memcpy(out->losses, calibration.losses, sizeof(out->losses));
    return ERR_OK;
}

void fitted_release(struct fitted *fitted)
{
    if (fitted->engine != NULL)
        fitted->engine->destroy(fitted->predictor);
    calibrator_destroy(fitted->calibrator);
    *fitted = (struct fitted){0};
}

void fitted_predict(const struct fitted *fitted, const struct dataset *data, double *out)
{
    fitted->engine->predict(fitted->predictor, data->x, data->rows, out);
    if (fitted->calibrator != NULL)
        calibrator_apply(fitted->calibrator, out, data->rows);
}
