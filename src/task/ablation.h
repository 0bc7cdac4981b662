/* Ablation: what each feature family is worth. The same walk through the past (task/walk.h) with all families of a set, then
 * with one of them left out, or with only one, or with another set: everything else, seed, refits and calibration included,
 * is the same, and each walk forecasts the same matches, so that differences are paired.
 *
 * The interval of a difference covers which matches happened to be played (blocks of match days). It does not cover how the
 * trees happened to be grown, which is of the size of a family's worth. Two things answer that: the full set walks once more
 * with other seeds (the control: a difference of that size says nothing), and each walk can be repeated with several seeds;
 * the loss of a match is then the mean of its losses, what one model of the kind is expected to lose. Result:
 *
 *   {"options", "matches", "refits", "took_s",
 *    "full":     {"name", "columns", "log_loss": {value, low, high}, "rps", "brier", "took_s"},
 *    "control":  the same and "difference": {value, low, high}, "verdict"     (null without)
 *    "drop_one": [the same and "family"], "only_one": [...], "against": [...]  each sorted, the largest difference first
 *    "predictions": path of the forecasts, "kept": path of this object}
 *
 * Differences are log loss minus that of the full set: above zero the variant is worse, so a family left out was of use. */
#ifndef ALMANAC_TASK_ABLATION_H
#define ALMANAC_TASK_ABLATION_H

#include "task/task.h"

struct ablation_options {
    char league[16];
    int target;
    char engine[32];
    char features[32];
    char families[512], against[512];
    bool drop_one, only_one, control;
    int pool;
    int64_t from_us, to_us;
    int refit; /* enum walk_cadence */
    int64_t every_days, window_days;
    int64_t folds, repeats, seed;
    char parameters[1024];
};
extern const struct task task_ablation;

#endif
