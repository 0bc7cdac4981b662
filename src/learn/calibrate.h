/* Calibration: maps a model's probabilities to honest ones. Fitted on out-of-fold past predictions only.
 *   platt        one sigmoid per class on log odds, targets smoothed (Platt 1999), then renormalised
 *   isotonic     pool adjacent violators per class (Zadrozny & Elkan 2002), then renormalised
 *   temperature  softmax(log p / T), one parameter (Guo et al. 2017)
 *   none         the identity
 * A calibrator is immutable once made: any thread may apply it. Memory: malloc, calibrator_destroy frees it.
 */
#ifndef ALMANAC_LEARN_CALIBRATE_H
#define ALMANAC_LEARN_CALIBRATE_H

#include "base/buffer.h"
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

enum calibration {
    CALIBRATION_NONE,
    CALIBRATION_PLATT,
    CALIBRATION_ISOTONIC,
    CALIBRATION_TEMPERATURE,
    CALIBRATION_COUNT
};

struct calibrator;

/* Bounds of what is fitted and of what a file may hold. */
enum { CALIBRATOR_CLASSES_MAX = 64 };
#define CALIBRATOR_LEAST_P 1e-9 /* no calibrated probability is smaller */

const char *calibration_name(enum calibration kind);
/* p[rows][classes] out-of-fold probabilities with their labels. ERR_INVALID: no rows, classes outside
 * 2..CALIBRATOR_CLASSES_MAX, a probability outside 0..1, a row whose sum is not 1 (to 1e-6), a label out of
 * range. */
enum err_code calibrator_fit(enum calibration kind, const double *p, const int32_t *label, size_t rows,
                             size_t classes, struct calibrator **out, struct err *err) CHECKED;
/* Chooses the kind with the least log loss by forward validation: each kind is fitted on the earlier half of
 * the (time-ordered) rows and judged on the later half; isotonic only from 1,000 rows on; the chosen one is
 * refitted on all rows. losses[CALIBRATION_COUNT] receives the judged log losses (NaN: not tried). */
enum err_code calibrator_choose(const double *p, const int32_t *label, size_t rows, size_t classes,
                                struct calibrator **out, double *losses, struct err *err) CHECKED;
void calibrator_destroy(struct calibrator *calibrator);
enum calibration calibrator_kind(const struct calibrator *calibrator);
size_t
calibrator_classes(const struct calibrator *calibrator); /* a loaded one must be compared with its model's */
/* In place; rows stay probabilities (each in [1e-9, 1], sum 1). */
void calibrator_apply(const struct calibrator *calibrator, double *p, size_t rows);
/* The bytes (little endian, as docs/formats/model.md tells); load answers ERR_CORRUPT for whatever is not
 * exactly what save could have written: kinds, counts, order and range of every number, nothing left over. */
enum err_code calibrator_save(const struct calibrator *calibrator, struct buffer *out,
                              struct err *err) CHECKED;
enum err_code calibrator_load(const void *data, size_t size_bytes, struct calibrator **out,
                              struct err *err) CHECKED;

#endif
