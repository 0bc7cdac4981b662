/* Fit: trainings of one engine, alone, or many at once over the pool, and the calibrated model made of them.
 *
 * A calibrated model: expanding folds give out-of-fold predictions, the calibrator is chosen and fitted on those, the
 * predictor on all rows. Nothing is fitted on rows later than those it is judged on. Fits are independent of each other,
 * and an engine gives the same bytes on any thread, so results do not depend on the pool. */
#ifndef ALMANAC_TASK_FIT_H
#define ALMANAC_TASK_FIT_H

#include "base/err.h"
#include "job/report.h"
#include "learn/calibrate.h"
#include "learn/engine.h"
#include "os/thread.h"
#include "task/checkpoint.h"

enum { FIT_FOLDS_MAX = 20 };

struct recipe {
    const struct engine *engine;
    _Alignas(16) unsigned char options[ENGINE_OPTIONS_BYTES]; /* the engine's own struct */
    uint64_t seed;
    size_t folds;                  /* expanding folds for the calibrator; 0: no calibration */
    struct checkpoint *checkpoint; /* where fits that are done are kept; NULL: nowhere */
};

/* Engine by name, its options from defaults and "name=value,name=value". */
enum err_code recipe_init(struct recipe *recipe, const char *engine, const char *parameters,
                          struct err *err) CHECKED;

/* One training. The predictor stays in the job unless only the forecasts of `test` are wanted.
 *
 * Telemetry: the first job of a list that keeps its predictor tells its training loss as it goes (metrics "loss", step: the
 * round, and "epochs", the rounds to come); a list without such a job tells the loss of each fit that is done (step: how
 * many are). */
struct fit_job {
    struct dataset train;
    struct dataset test; /* rows 0: none */
    double *p;           /* [test.rows][classes] forecasts, or NULL */
    bool keeps_predictor;
    struct predictor *predictor; /* out, owned by the caller */
    double loss;                 /* out: training loss at the end, NaN when the engine does not tell */
    size_t rounds;               /* out: steps of the training; 0 when it was made in one */
};
/* Runs all, the earlier of the list first; pool NULL: on this thread. On an error no predictor is left. */
enum err_code fit_jobs_run(const struct recipe *recipe, struct fit_job *jobs, size_t count, struct pool *pool,
                           const struct reporter *reporter, const char *phase, struct err *err) CHECKED;

/* Out-of-fold forecasts in the making: which jobs they need, where they land. */
struct out_of_fold {
    size_t begin, rows; /* rows of the dataset that are forecast */
    double *p;          /* [rows][classes] */
};
/* Writes recipe->folds jobs to `jobs`, the largest first. */
enum err_code out_of_fold_plan(const struct recipe *recipe, const struct dataset *data,
                               struct out_of_fold *out, struct fit_job *jobs, struct err *err) CHECKED;
/* After the jobs ran: chooses and fits the calibrator; losses[CALIBRATION_COUNT]. */
enum err_code out_of_fold_calibrate(const struct out_of_fold *folds, const struct dataset *data,
                                    struct calibrator **calibrator, double *losses, struct err *err) CHECKED;
void out_of_fold_release(struct out_of_fold *folds);

struct fitted {
    const struct engine *engine;
    struct predictor *predictor;
    struct calibrator *calibrator; /* NULL: none */
    double losses
        [CALIBRATION_COUNT]; /* judged log loss of each kind on the out-of-fold predictions; NaN: not tried */
    size_t out_of_fold_rows;
    double training_loss; /* of the predictor, at the end; NaN when the engine does not tell */
    size_t rounds;
};
enum err_code fit_calibrated(const struct recipe *recipe, const struct dataset *data, struct pool *pool,
                             const struct reporter *reporter, struct fitted *out, struct err *err) CHECKED;
/* Only the predictor. */
enum err_code fit_predictor(const struct recipe *recipe, const struct dataset *data,
                            const struct reporter *reporter, const char *phase, struct fitted *out,
                            struct err *err) CHECKED;
void fitted_release(struct fitted *fitted);
/* Calibrated probabilities out[rows][classes]. */
void fitted_predict(const struct fitted *fitted, const struct dataset *data, double *out);

#endif
