/* Walk. Every fit of every window, and every fold of every season's calibrator, is independent of all others: they are
 * planned first, run over the pool at once, and then forecasts and calibrators are put together in order of time. The
 * calibrator is refreshed once a season, as its out-of-fold predictions cost several fits; between two refreshes it is
 * older than the predictor, never newer. */
#include "task/walk.h"

#include "base/time.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROWS = 100 };

/* One refit and what hangs on it. */
struct step {
    const struct walk_window *window;
    struct dataset train;
    float *x; /* the judged rows in the model's columns */
    bool calibrates;
    struct out_of_fold folds; /* when it calibrates */
};

struct journey {
    const struct walk *walk;
    const struct recipe *recipe;
    const struct dataset *rows;
    double *p;
    struct step *steps; /* [windows] */
    size_t step_count;
    struct fit_job *jobs;
    size_t job_count;
};

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

/* The window's rows of the league in the columns of `like`; NULL when out of memory. */
static float *gather(const struct selected *league, const struct dataset *like,
                     const struct walk_window *window)
{
    size_t rows = window->test_end - window->test_begin;
    float *x = malloc((rows * like->columns + 1) * sizeof(*x));
    for (size_t c = 0; x != NULL && c < like->columns; c++) {
        int from = dataset_column(league->data.names, league->data.columns, like->names[c]);
        assert(from >= 0); /* the league has the widest columns */
        for (size_t i = 0; i < rows; i++)
            x[i * like->columns + c] =
                league->x[(window->test_begin + i) * league->data.columns + (size_t)from];
    }
    return x;
}

static enum err_code plan_step(struct journey *journey, size_t index, struct err *err)
{
    const struct walk *walk = journey->walk;
    struct step *step = &journey->steps[index];
    const struct walk_window *window = step->window = &walk->plan->windows[index];
    int64_t from_us = walk->settings->window_days > 0
                          ? window->refit_us - walk->settings->window_days * TIME_DAY_US
                          : INT64_MIN;
    size_t rows = window->test_end - window->test_begin;
    step->train = rows_between(journey->rows, from_us, window->refit_us - walk->settings->embargo_us);
    step->calibrates =
        journey->recipe->folds > 0 &&
        (index == 0 || season_of(window->refit_us) != season_of(walk->plan->windows[index - 1].refit_us));
    if (step->train.rows < LEAST_ROWS)
        return err_set(err, ERR_INVALID,
                       "only %zu matches to learn from at a refit; start later or widen the pool",
                       step->train.rows);
    step->x = gather(walk->league, journey->rows, window);
    if (step->x == NULL)
        return err_nomem(err, rows * journey->rows->columns * sizeof(float));
    journey->jobs[journey->job_count++] = (struct fit_job){
        .train = step->train,
        .test = {.x = step->x, .rows = rows},
        .p = journey->p + (window->test_begin - walk->first_row) * journey->rows->classes,
    };
    if (!step->calibrates)
        return ERR_OK;
    enum err_code code = out_of_fold_plan(journey->recipe, &step->train, &step->folds,
                                          journey->jobs + journey->job_count, err);
    if (code == ERR_OK)
        journey->job_count += journey->recipe->folds;
    return code;
}

/* In order of time: a calibrator serves from its refit until the next one. */
static enum err_code calibrate(struct journey *journey, struct err *err)
{
    struct calibrator *calibrator = NULL;
    double losses[CALIBRATION_COUNT];
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < journey->step_count; i++) {
        struct step *step = &journey->steps[i];
        if (step->calibrates) {
            calibrator_destroy(calibrator);
            calibrator = NULL;
            code = out_of_fold_calibrate(&step->folds, &step->train, &calibrator, losses, err);
        }
        if (code == ERR_OK && calibrator != NULL)
            calibrator_apply(calibrator,
                             journey->p + (step->window->test_begin - journey->walk->first_row) *
                                              journey->rows->classes,
                             step->window->test_end - step->window->test_begin);
    }
    calibrator_destroy(calibrator);
    return code;
}

enum err_code walk_model(const struct walk *walk, const struct recipe *recipe, const struct selected *rows,
                         const char *name, double *p, struct err *err)
{
    size_t windows = walk->plan->count;
    struct journey journey = {
        .walk = walk, .recipe = recipe, .rows = &rows->data, .p = p, .step_count = windows};
    journey.steps = calloc(windows + 1, sizeof(*journey.steps));
    journey.jobs = calloc(windows * (1 + recipe->folds) + 1, sizeof(*journey.jobs));
    enum err_code code = journey.steps != NULL && journey.jobs != NULL
                             ? ERR_OK
                             : err_nomem(err, windows * sizeof(*journey.jobs));
    for (size_t i = 0; code == ERR_OK && i < windows; i++)
        code = plan_step(&journey, i, err);
    if (code == ERR_OK)
        code = fit_jobs_run(recipe, journey.jobs, journey.job_count, walk->pool, walk->reporter, name, err);
    if (code == ERR_OK)
        code = calibrate(&journey, err);
    for (size_t i = 0; journey.steps != NULL && i < windows; i++) {
        out_of_fold_release(&journey.steps[i].folds);
        free(journey.steps[i].x);
    }
    free(journey.steps);
    free(journey.jobs);
    return code;
}

enum err_code walk_baseline(const struct walk *walk, const char *engine, double *p, struct err *err)
{
    struct recipe recipe;
    const struct dataset *data = &walk->league->data;
    enum err_code code = recipe_init(&recipe, engine, "", err);
    for (size_t w = 0; code == ERR_OK && w < walk->plan->count; w++) {
        const struct walk_window *window = &walk->plan->windows[w];
        struct dataset train =
            dataset_slice(data, window->train_begin, window->train_end - window->train_begin);
        struct dataset test = dataset_slice(data, window->test_begin, window->test_end - window->test_begin);
        struct fitted fitted = {0};
        code = fit_predictor(&recipe, &train, NULL, engine, &fitted, err);
        if (code == ERR_OK)
            fitted_predict(&fitted, &test, p + (window->test_begin - walk->first_row) * data->classes);
        fitted_release(&fitted);
    }
    return code;
}
