/* Backtest: walks through the past, refitting as it goes, and judges every forecast against the bookmaker. */
#ifndef ALMANAC_TASK_BACKTEST_H
#define ALMANAC_TASK_BACKTEST_H

#include "task/task.h"

struct backtest_options {
    char league[16];
    int target;
    char engine[32];
    int features; /* index of the feature set; past the last: both */
    int pool;
    int64_t from_us, to_us;
    int refit; /* enum walk_cadence */
    int64_t every_days, window_days;
    int64_t folds, seed;
    char parameters[1024];
    char bookmaker[16];
    double min_edge, fraction, cap;
    int prices; /* pre_close, close */
};
extern const struct task task_backtest;

#endif
