/* Fit. Small fits scale badly over threads (at 100,000 rows, sixteen give 1.5 times: REFERENCE), many fits at once scale
 * well: every training runs on one thread, and the pool runs several. */
#include "task/fit.h"

#include "base/text.h"
#include "learn/split.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static enum err_code set_parameter(struct recipe *recipe, struct text pair, struct err *err)
{
    char text[256];
    if (!text_copy(text_trim(pair), text, sizeof(text)))
        return err_set_field(err, ERR_INVALID, "parameters", "parameter '%s...' is too long", text);
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return err_set_field(err, ERR_INVALID, "parameters", "parameter '%s' has no value; write name=value",
                             text);
    *equals = '\0';
    if (recipe->engine->options == NULL)
        return err_set_field(err, ERR_INVALID, "parameters", "engine '%s' has no parameters",
                             recipe->engine->name);
    struct err cause = {0};
    enum err_code code = option_set(recipe->engine->options, recipe->options, text, equals + 1, &cause);
    return code == ERR_OK ? ERR_OK : err_set_field(err, ERR_INVALID, "parameters", "%s", cause.text);
}

enum err_code recipe_init(struct recipe *recipe, const char *engine, const char *parameters, struct err *err)
{
    *recipe = (struct recipe){.engine = engine_find(engine), .seed = 1};
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

/* ---- jobs ---- */

enum { SHARE = 1000 }; /* progress units of one job */

struct fit_run {
    const struct recipe *recipe;
    struct fit_job *jobs;
    size_t count, shown; /* the job whose loss is told as it goes; count: none */
    const struct reporter *reporter;
    const char *phase;
    atomic_size_t done; /* in units */
    atomic_size_t finished, reused;
    atomic_bool failed;
    enum err_code *codes;
    struct err *errs;
};

struct job_watch {
    struct fit_run *run;
    struct fit_job *job;
    size_t reported; /* units of this job already counted */
    bool is_shown;
};

static void count_units(struct job_watch *watch, size_t units)
{
    if (units <= watch->reported)
        return;
    size_t all = atomic_fetch_add(&watch->run->done, units - watch->reported) + units - watch->reported;
    watch->reported = units;
    report_progress(watch->run->reporter, watch->run->phase, all, watch->run->count * SHARE);
}

static void on_progress(void *context, size_t done, size_t total, double loss)
{
    struct job_watch *watch = context;
    const struct reporter *reporter = watch->run->reporter;
    if (watch->is_shown && watch->job->rounds == 0)
        report_metric(reporter, "epochs", (double)total, done);
    watch->job->rounds = total;
    if (!isnan(loss)) {
        watch->job->loss = loss;
        if (watch->is_shown)
            report_metric(reporter, "loss", loss, done);
    }
    count_units(watch, total > 0 ? done * SHARE / total : 0);
}

static bool on_stop(void *context)
{
    struct job_watch *watch = context;
    return atomic_load(&watch->run->failed) || report_is_stopped(watch->run->reporter);
}

/* Trains, or takes what an earlier attempt has made. */
static enum err_code make_predictor(struct job_watch *watch, struct err *err)
{
    const struct recipe *recipe = watch->run->recipe;
    struct fit_job *job = watch->job;
    struct checkpoint_fit fit = {
        .engine = recipe->engine, .options = recipe->options, .seed = recipe->seed, .train = &job->train};
    if (checkpoint_load(recipe->checkpoint, &fit)) {
        job->predictor = fit.predictor;
        on_progress(watch, fit.rounds, fit.rounds, fit.loss);
        atomic_fetch_add(&watch->run->reused, 1);
        return ERR_OK;
    }
    struct training training = {.data = &job->train,
                                .options = recipe->options,
                                .seed = recipe->seed,
                                .threads = 1,
                                .watch = {on_progress, on_stop, watch}};
    enum err_code code = recipe->engine->train(&training, &job->predictor, err);
    if (code != ERR_OK)
        return code;
    fit.predictor = job->predictor;
    fit.loss = job->loss;
    fit.rounds = job->rounds;
    checkpoint_save(recipe->checkpoint, &fit);
    return ERR_OK;
}

static void tell_finished(struct job_watch *watch)
{
    struct fit_run *run = watch->run;
    size_t finished = atomic_fetch_add(&run->finished, 1) + 1;
    count_units(watch, SHARE);
    if (run->shown < run->count || isnan(watch->job->loss))
        return;
    report_metric(run->reporter, "epochs", (double)run->count, finished);
    report_metric(run->reporter, "loss", watch->job->loss, finished);
}

static void run_job(void *context, size_t index)
{
    struct fit_run *run = context;
    struct fit_job *job = &run->jobs[index];
    struct job_watch watch = {.run = run, .job = job, .is_shown = index == run->shown};
    const struct engine *engine = run->recipe->engine;
    enum err_code code = ERR_OK;
    job->loss = (double)NAN;
    job->rounds = 0;
    if (on_stop(&watch))
        code = err_set(&run->errs[index], ERR_CANCELLED, "training stopped on request");
    if (code == ERR_OK)
        code = make_predictor(&watch, &run->errs[index]);
    if (code == ERR_OK && job->p != NULL)
        engine->predict(job->predictor, job->test.x, job->test.rows, job->p);
    if (code == ERR_OK && !job->keeps_predictor) {
        engine->destroy(job->predictor);
        job->predictor = NULL;
    }
    run->codes[index] = code;
    if (code != ERR_OK)
        atomic_store(&run->failed, true);
    else
        tell_finished(&watch);
}

/* The first error that is not the stop it caused elsewhere. */
static enum err_code first_error(const struct fit_run *run, struct err *err)
{
    size_t worst = run->count;
    for (size_t i = 0; i < run->count; i++) {
        if (run->codes[i] != ERR_OK && (worst == run->count || run->codes[worst] == ERR_CANCELLED))
            worst = i;
    }
    return worst == run->count
               ? ERR_OK
               : err_set_field(err, run->codes[worst], run->errs[worst].field, "%s", run->errs[worst].text);
}

enum err_code fit_jobs_run(const struct recipe *recipe, struct fit_job *jobs, size_t count, struct pool *pool,
                           const struct reporter *reporter, const char *phase, struct err *err)
{
    struct fit_run run = {
        .recipe = recipe, .jobs = jobs, .count = count, .reporter = reporter, .phase = phase};
    while (run.shown < count && !jobs[run.shown].keeps_predictor)
        run.shown++;
    run.codes = calloc(count + 1, sizeof(*run.codes));
    run.errs = calloc(count + 1, sizeof(*run.errs));
    enum err_code code =
        run.codes != NULL && run.errs != NULL ? ERR_OK : err_nomem(err, count * sizeof(*run.errs));
    if (code == ERR_OK && pool != NULL)
        pool_for(pool, count, run_job, &run);
    for (size_t i = 0; code == ERR_OK && pool == NULL && i < count; i++)
        run_job(&run, i);
    size_t reused = atomic_load(&run.reused);
    if (reused > 0)
        report_log(reporter, "%s: %zu of %zu fits were kept by an earlier attempt", phase, reused, count);
    if (code == ERR_OK)
        code = first_error(&run, err);
    for (size_t i = 0; code != ERR_OK && i < count; i++) {
        recipe->engine->destroy(jobs[i].predictor);
        jobs[i].predictor = NULL;
    }
    free(run.codes);
    free(run.errs);
    return code;
}

/* ---- out of fold ---- */

enum err_code out_of_fold_plan(const struct recipe *recipe, const struct dataset *data,
                               struct out_of_fold *out, struct fit_job *jobs, struct err *err)
{
    struct split folds[FIT_FOLDS_MAX];
    if (recipe->folds > FIT_FOLDS_MAX)
        return err_set_field(err, ERR_INVALID, "folds", "at most %d folds", FIT_FOLDS_MAX);
    enum err_code code = split_expanding(data, recipe->folds, 0, folds, err);
    if (code != ERR_OK)
        return code;
    out->begin = folds[0].test_begin;
    out->rows = folds[recipe->folds - 1].test_end - out->begin;
    out->p = malloc((out->rows * data->classes + 1) * sizeof(*out->p));
    if (out->p == NULL)
        return err_nomem(err, out->rows * data->classes * sizeof(*out->p));
    for (size_t k = 0; k < recipe->folds; k++) {
        const struct split *fold = &folds[recipe->folds - 1 - k];
        jobs[k] = (struct fit_job){
            .train = dataset_slice(data, fold->train_begin, fold->train_end - fold->train_begin),
            .test = dataset_slice(data, fold->test_begin, fold->test_end - fold->test_begin),
            .p = out->p + (fold->test_begin - out->begin) * data->classes};
    }
    return ERR_OK;
}

enum err_code out_of_fold_calibrate(const struct out_of_fold *folds, const struct dataset *data,
                                    struct calibrator **calibrator, double *losses, struct err *err)
{
    return calibrator_choose(folds->p, data->label + folds->begin, folds->rows, data->classes, calibrator,
                             losses, err);
}

void out_of_fold_release(struct out_of_fold *folds)
{
    free(folds->p);
    *folds = (struct out_of_fold){0};
}

/* ---- one model ---- */

static struct fitted nothing_fitted(const struct recipe *recipe)
{
    struct fitted fitted = {.engine = recipe->engine, .training_loss = (double)NAN};
    for (size_t i = 0; i < CALIBRATION_COUNT; i++)
        fitted.losses[i] = NAN;
    return fitted;
}

static void take_predictor(struct fitted *fitted, const struct fit_job *job)
{
    fitted->predictor = job->predictor;
    fitted->training_loss = job->loss;
    fitted->rounds = job->rounds;
}

enum err_code fit_predictor(const struct recipe *recipe, const struct dataset *data,
                            const struct reporter *reporter, const char *phase, struct fitted *out,
                            struct err *err)
{
    struct fit_job job = {.train = *data, .keeps_predictor = true};
    *out = nothing_fitted(recipe);
    enum err_code code = fit_jobs_run(recipe, &job, 1, NULL, reporter, phase, err);
    take_predictor(out, &job);
    return code;
}

enum err_code fit_calibrated(const struct recipe *recipe, const struct dataset *data, struct pool *pool,
                             const struct reporter *reporter, struct fitted *out, struct err *err)
{
    struct fit_job jobs[FIT_FOLDS_MAX + 1] = {{.train = *data, .keeps_predictor = true}};
    struct out_of_fold folds = {0};
    enum err_code code = ERR_OK;
    *out = nothing_fitted(recipe);
    if (recipe->folds > 0)
        code = out_of_fold_plan(recipe, data, &folds, jobs + 1, err);
    if (code == ERR_OK)
        code = fit_jobs_run(recipe, jobs, 1 + recipe->folds, pool, reporter, "training", err);
    take_predictor(out, &jobs[0]);
    if (code == ERR_OK && recipe->folds > 0)
        code = out_of_fold_calibrate(&folds, data, &out->calibrator, out->losses, err);
    out->out_of_fold_rows = folds.rows;
    out_of_fold_release(&folds);
    if (code != ERR_OK)
        fitted_release(out);
    return code;
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
