/* Calibrator kinds, private to the calibrate_*.c files: what each kind keeps, and its fit and map.
 *
 * A map takes one row of probabilities to one row of unnormalised, non-negative values, in place;
 * calibrator_apply makes them probabilities again. Fits get checked input (calibrate.c). */
#ifndef ALMANAC_LEARN_CALIBRATE_KINDS_H
#define ALMANAC_LEARN_CALIBRATE_KINDS_H

#include "learn/calibrate.h"

/* value = 1 / (1 + exp(-(slope * log odds + intercept))) */
struct sigmoid {
    double slope, intercept;
};

/* Linear between the knots, level outside; x strictly rises, y never falls, both within 0..1. */
struct isotonic_curve {
    size_t count;
    double *x; /* one allocation: x[count], then y[count] */
    double *y;
};

#define CALIBRATOR_T_MIN 0.01 /* temperatures are searched and accepted between these */
#define CALIBRATOR_T_MAX 100.0

struct calibrator {
    enum calibration kind;
    size_t classes;
    double temperature;            /* CALIBRATION_TEMPERATURE */
    struct sigmoid *sigmoids;      /* CALIBRATION_PLATT: [classes], else NULL */
    struct isotonic_curve *curves; /* CALIBRATION_ISOTONIC: [classes], else NULL */
};

enum err_code calibrator_create(enum calibration kind, size_t classes, struct calibrator **out,
                                struct err *err) CHECKED;
enum err_code isotonic_curve_create(size_t count, struct isotonic_curve *out, struct err *err) CHECKED;

enum err_code calibrate_platt_fit(struct calibrator *calibrator, const double *p, const int32_t *label,
                                  size_t rows, struct err *err) CHECKED;
enum err_code calibrate_isotonic_fit(struct calibrator *calibrator, const double *p, const int32_t *label,
                                     size_t rows, struct err *err) CHECKED;
enum err_code calibrate_temperature_fit(struct calibrator *calibrator, const double *p, const int32_t *label,
                                        size_t rows, struct err *err) CHECKED;
void calibrate_platt_map(const struct calibrator *calibrator, double *row);
void calibrate_isotonic_map(const struct calibrator *calibrator, double *row);
void calibrate_temperature_map(const struct calibrator *calibrator, double *row);

#endif
