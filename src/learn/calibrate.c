/* Calibration's front: one table of kinds, checks of the input, the choice by forward validation. The
 * mathematics of a kind is in calibrate_<kind>.c, the bytes in calibrate_file.c. */
#include "learn/calibrate.h"

#include "learn/calibrate_kinds.h"
#include "learn/metric.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ISOTONIC_LEAST_ROWS = 1000 }; /* below it isotonic overfits (REFERENCE: fewer than 1,000) */

static const struct {
    const char *name;
    enum err_code (*fit)(struct calibrator *calibrator, const double *p, const int32_t *label, size_t rows,
                         struct err *err);
    void (*map)(const struct calibrator *calibrator, double *row);
    size_t least_rows; /* of calibrator_choose */
} kinds[CALIBRATION_COUNT] = {
    [CALIBRATION_NONE] = {"none", NULL, NULL, 0},
    [CALIBRATION_PLATT] = {"platt", calibrate_platt_fit, calibrate_platt_map, 0},
    [CALIBRATION_ISOTONIC] = {"isotonic", calibrate_isotonic_fit, calibrate_isotonic_map,
                              ISOTONIC_LEAST_ROWS},
    [CALIBRATION_TEMPERATURE] = {"temperature", calibrate_temperature_fit, calibrate_temperature_map, 0},
};

const char *calibration_name(enum calibration kind)
{
    assert(kind < CALIBRATION_COUNT);
    return kinds[kind].name;
}

enum err_code calibrator_create(enum calibration kind, size_t classes, struct calibrator **out,
                                struct err *err)
{
    struct calibrator *calibrator = calloc(1, sizeof *calibrator);
    if (calibrator == NULL)
        return err_nomem(err, sizeof *calibrator);
    calibrator->kind = kind;
    calibrator->classes = classes;
    calibrator->temperature = 1;
    if (kind == CALIBRATION_PLATT)
        calibrator->sigmoids = calloc(classes, sizeof *calibrator->sigmoids);
    if (kind == CALIBRATION_ISOTONIC)
        calibrator->curves = calloc(classes, sizeof *calibrator->curves);
    if ((kind == CALIBRATION_PLATT && calibrator->sigmoids == NULL) ||
        (kind == CALIBRATION_ISOTONIC && calibrator->curves == NULL)) {
        calibrator_destroy(calibrator);
        return err_nomem(err, classes * sizeof *calibrator->curves);
    }
    *out = calibrator;
    return ERR_OK;
}

void calibrator_destroy(struct calibrator *calibrator)
{
    if (calibrator == NULL)
        return;
    for (size_t index = 0; calibrator->curves != NULL && index < calibrator->classes; index++)
        free(calibrator->curves[index].x);
    free(calibrator->curves);
    free(calibrator->sigmoids);
    free(calibrator);
}

enum calibration calibrator_kind(const struct calibrator *calibrator)
{
    return calibrator->kind;
}

size_t calibrator_classes(const struct calibrator *calibrator)
{
    return calibrator->classes;
}

/* Probabilities again, none below CALIBRATOR_LEAST_P. A row of zeros (isotonic can give one) knows nothing:
 * all classes alike, as scikit-learn's CalibratedClassifierCV does. */
static void normalise(double *row, size_t classes)
{
    double sum = 0, least = INFINITY;
    for (size_t index = 0; index < classes; index++)
        sum += row[index];
    for (size_t index = 0; index < classes; index++) {
        row[index] = sum > 0 ? row[index] / sum : 1 / (double)classes;
        least = fmin(least, row[index]);
    }
    if (least >= CALIBRATOR_LEAST_P)
        return;
    double kept = 1 - (double)classes * CALIBRATOR_LEAST_P;
    for (size_t index = 0; index < classes; index++)
        row[index] = CALIBRATOR_LEAST_P + kept * row[index];
}

void calibrator_apply(const struct calibrator *calibrator, double *p, size_t rows)
{
    size_t classes = calibrator->classes;
    for (size_t row = 0; row < rows; row++) {
        double *one = p + row * classes;
        for (size_t index = 0; index < classes; index++)
            assert(one[index] >= 0); /* NaN too: an engine never answers it */
        if (kinds[calibrator->kind].map != NULL)
            kinds[calibrator->kind].map(calibrator, one);
        normalise(one, classes);
    }
}

static enum err_code check_row(const double *row, int32_t label, size_t classes, size_t number,
                               struct err *err)
{
    double sum = 0;
    for (size_t index = 0; index < classes; index++) {
        if (!(row[index] >= 0 && row[index] <= 1))
            return err_set(err, ERR_INVALID, "cannot calibrate: row %zu has probability %g of class %zu",
                           number, row[index], index);
        sum += row[index];
    }
    if (fabs(sum - 1) > 1e-6)
        return err_set(err, ERR_INVALID, "cannot calibrate: the probabilities of row %zu sum to %g", number,
                       sum);
    if (label < 0 || (size_t)label >= classes)
        return err_set(err, ERR_INVALID, "cannot calibrate: row %zu has label %d of %zu classes", number,
                       label, classes);
    return ERR_OK;
}

static enum err_code check_input(const double *p, const int32_t *label, size_t rows, size_t classes,
                                 struct err *err)
{
    if (classes < 2 || classes > CALIBRATOR_CLASSES_MAX)
        return err_set(err, ERR_INVALID, "cannot calibrate %zu classes: 2 to %d are possible", classes,
                       CALIBRATOR_CLASSES_MAX);
    if (rows == 0)
        return err_set(err, ERR_INVALID, "cannot calibrate: there are no out-of-fold rows");
    for (size_t row = 0; row < rows; row++) {
        enum err_code code = check_row(p + row * classes, label[row], classes, row, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code calibrator_fit(enum calibration kind, const double *p, const int32_t *label, size_t rows,
                             size_t classes, struct calibrator **out, struct err *err)
{
    assert(kind < CALIBRATION_COUNT);
    struct calibrator *calibrator = NULL;
    enum err_code code = check_input(p, label, rows, classes, err);
    if (code == ERR_OK)
        code = calibrator_create(kind, classes, &calibrator, err);
    if (code == ERR_OK && kinds[kind].fit != NULL)
        code = kinds[kind].fit(calibrator, p, label, rows, err);
    if (code != ERR_OK) {
        calibrator_destroy(calibrator);
        return code;
    }
    *out = calibrator;
    return ERR_OK;
}

/* Log loss on rows [half, rows) of the kind fitted on [0, half). scratch holds the later rows' probabilities.
 */
static enum err_code judge(enum calibration kind, const double *p, const int32_t *label, size_t rows,
                           size_t classes, double *scratch, double *loss, struct err *err)
{
    size_t half = rows / 2, later = rows - half;
    struct calibrator *calibrator = NULL;
    enum err_code code = calibrator_fit(kind, p, label, half, classes, &calibrator, err);
    if (code != ERR_OK)
        return code;
    memcpy(scratch, p + half * classes, later * classes * sizeof *scratch);
    calibrator_apply(calibrator, scratch, later);
    *loss = metric_value(METRIC_LOG_LOSS, scratch, label + half, NULL, later, classes);
    calibrator_destroy(calibrator);
    return ERR_OK;
}

enum err_code calibrator_choose(const double *p, const int32_t *label, size_t rows, size_t classes,
                                struct calibrator **out, double *losses, struct err *err)
{
    if (rows < 2)
        return err_set(err, ERR_INVALID,
                       "cannot choose a calibration: %zu out-of-fold rows, at least 2 are needed", rows);
    enum err_code code = check_input(p, label, rows, classes, err);
    if (code != ERR_OK)
        return code;
    double *scratch = malloc((rows - rows / 2) * classes * sizeof *scratch);
    if (scratch == NULL)
        return err_nomem(err, (rows - rows / 2) * classes * sizeof *scratch);
    enum calibration best = CALIBRATION_NONE;
    for (enum calibration kind = CALIBRATION_NONE; kind < CALIBRATION_COUNT; kind++) {
        losses[kind] = NAN;
        if (rows < kinds[kind].least_rows)
            continue;
        code = judge(kind, p, label, rows, classes, scratch, &losses[kind], err);
        if (code != ERR_OK)
            goto out;
        if (losses[kind] < losses[best])
            best = kind;
    }
    code = calibrator_fit(best, p, label, rows, classes, out, err);
out:
    free(scratch);
    return code;
}
