/* Fit: a calibrated model from one dataset: expanding folds give out-of-fold predictions, the calibrator is chosen and
 * fitted on those, the predictor on all rows. Nothing is fitted on rows later than those it is judged on. */
#ifndef ALMANAC_TASK_FIT_H
#define ALMANAC_TASK_FIT_H

#include "base/err.h"
#include "job/report.h"
#include "learn/calibrate.h"
#include "learn/engine.h"

struct recipe {
    const struct engine *engine;
    _Alignas(16) unsigned char options[ENGINE_OPTIONS_BYTES]; /* the engine's own struct */
    uint64_t seed;
    int threads;
    size_t folds; /* expanding folds for the calibrator; 0: no calibration */
};
struct fitted {
    const struct engine *engine;
    struct predictor *predictor;
    struct calibrator *calibrator; /* NULL: none */
    double losses[CALIBRATION_COUNT]; /* judged log loss of each kind on the out-of-fold predictions; NaN: not tried */
    size_t out_of_fold_rows;
};

/* Engine by name, its options from defaults and "name=value,name=value". */
enum err_code recipe_init(struct recipe *recipe, const char *engine, const char *parameters, struct err *err) CHECKED;
enum err_code fit_calibrated(const struct recipe *recipe, const struct dataset *data, const struct reporter *reporter,
                             struct fitted *out, struct err *err) CHECKED;
/* Only the predictor. */
enum err_code fit_predictor(const struct recipe *recipe, const struct dataset *data, const struct reporter *reporter,
                            const char *phase, struct fitted *out, struct err *err) CHECKED;
void fitted_release(struct fitted *fitted);
/* Calibrated probabilities out[rows][classes]. */
void fitted_predict(const struct fitted *fitted, const struct dataset *data, double *out);

#endif
