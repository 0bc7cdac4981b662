/* Walk: one fit per window. The calibrator is refreshed once a season, as its out-of-fold predictions cost several fits;
 * between two refreshes it is older than the predictor, never newer. */
#include "task/walk.h"

#include "base/time.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of `data` that kicked off in [from_us, to_us). */
static struct dataset rows_between(const struct dataset *data, int64_t from_us, int64_t to_us)
{
    size_t begin = 0, end = 0;
    while (begin < data->rows && data->time_us[begin] < from_us)
        begin++;
    end = begin;
    while (end < data->rows && data->time_us[end] < to_us)
        end++;
    return dataset_slice(data, begin, end - begin);
}

static int season_of(int64_t time_us)
{
    struct civil civil = time_to_civil(time_us, ZONE_UTC);
    return civil.month >= 7 ? civil.year : civil.year - 1;
}

/* Rows begin..end-1 of the league in the columns `names`; NULL when out of memory. */
static float *gather(const struct selected *league, const char *const *names, size_t columns, size_t begin, size_t end)
{
    float *x = malloc(((end - begin) * columns + 1) * sizeof(*x));
    for (size_t c = 0; x != NULL && c < columns; c++) {
        int from = dataset_column(league->data.names, league->data.columns, names[c]);
        assert(from >= 0); /* the league has the widest columns */
        for (size_t i = begin; i < end; i++)
            x[(i - begin) * columns + c] = league->x[i * league->data.columns + (size_t)from];
    }
    return x;
}

static enum err_code predict_window(const struct walk *walk, const struct walk_window *window, const struct fitted *fitted,
                                    const struct calibrator *calibrator, const struct dataset *pool, double *p,
                                    struct err *err)
{
    size_t rows = window->test_end - window->test_begin, classes = pool->classes;
    float *x = gather(walk->league, pool->names, pool->columns, window->test_begin, window->test_end);
    if (x == NULL)
        return err_nomem(err, rows * pool->columns * sizeof(*x));
    double *out = p + (window->test_begin - walk->first_row) * classes;
    fitted->engine->predict(fitted->predictor, x, rows, out);
    if (calibrator != NULL)
        calibrator_apply(calibrator, out, rows);
    free(x);
    return ERR_OK;
}

/* A fit of this window; with `calibrate`, *calibrator is replaced by a new one. */
static enum err_code fit_window(const struct walk *walk, const struct recipe *recipe, const struct dataset *train,
                                const char *phase, bool calibrate, struct fitted *fitted, struct calibrator **calibrator,
                                struct err *err)
{
    if (!calibrate)
        return fit_predictor(recipe, train, walk->reporter, phase, fitted, err);
    enum err_code code = fit_calibrated(recipe, train, walk->reporter, fitted, err);
    if (code != ERR_OK)
        return code;
    calibrator_destroy(*calibrator);
    *calibrator = fitted->calibrator;
    fitted->calibrator = NULL;
    return ERR_OK;
}

enum err_code walk_model(const struct walk *walk, const struct recipe *recipe, const struct selected *pool, const char *name,
                         double *p, struct err *err)
{
    struct calibrator *calibrator = NULL;
    int calibrated_season = INT32_MIN;
    enum err_code code = ERR_OK;
    for (size_t w = 0; code == ERR_OK && w < walk->plan->count; w++) {
        const struct walk_window *window = &walk->plan->windows[w];
        int64_t from_us = walk->settings->window_days > 0 ? window->refit_us - walk->settings->window_days * TIME_DAY_US
                                                          : INT64_MIN;
        struct dataset train = rows_between(&pool->data, from_us, window->refit_us - walk->settings->embargo_us);
        bool calibrate = recipe->folds > 0 && season_of(window->refit_us) != calibrated_season;
        struct fitted fitted = {0};
        char phase[64];
        (void)snprintf(phase, sizeof(phase), "%s, refit %zu of %zu", name, w + 1, walk->plan->count);
        report_progress(walk->reporter, phase, 0, 0);
        if (train.rows < 100)
            code = err_set(err, ERR_INVALID, "only %zu matches to learn from at the first refit; start later", train.rows);
        else
            code = fit_window(walk, recipe, &train, phase, calibrate, &fitted, &calibrator, err);
        if (code == ERR_OK)
            code = predict_window(walk, window, &fitted, calibrator, &pool->data, p, err);
        calibrated_season = season_of(window->refit_us);
        fitted_release(&fitted);
    }
    calibrator_destroy(calibrator);
    return code;
}

enum err_code walk_baseline(const struct walk *walk, const char *engine, double *p, struct err *err)
{
    struct recipe recipe;
    const struct dataset *data = &walk->league->data;
    enum err_code code = recipe_init(&recipe, engine, "", err);
    for (size_t w = 0; code == ERR_OK && w < walk->plan->count; w++) {
        const struct walk_window *window = &walk->plan->windows[w];
        struct dataset train = dataset_slice(data, window->train_begin, window->train_end - window->train_begin);
        struct dataset test = dataset_slice(data, window->test_begin, window->test_end - window->test_begin);
        struct fitted fitted = {0};
        code = fit_predictor(&recipe, &train, NULL, engine, &fitted, err);
        if (code == ERR_OK)
            fitted_predict(&fitted, &test, p + (window->test_begin - walk->first_row) * data->classes);
        fitted_release(&fitted);
    }
    return code;
}
