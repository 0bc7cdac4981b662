/* Targets: what is forecast of a match. One row per target in target_list.h; label[] of a matrix row is by
 * target. */
#ifndef ALMANAC_FOOTBALL_TARGET_H
#define ALMANAC_FOOTBALL_TARGET_H

#include "football/match.h"
#include <stddef.h>

enum target {
#define TARGET(symbol, name, classes, first, second, third, ceiling) TARGET_##symbol,
#include "football/target_list.h"
#undef TARGET
    TARGET_COUNT
};

struct target_info {
    const char *name; /* "1x2" */
    size_t classes;
    const char *class_names[3]; /* "home","draw","away"; "under","over" */
    double accuracy_ceiling;    /* above it a result counts as a leak: target_list.h */
};

const struct target_info *target_at(enum target target);
int target_find(const char *name); /* -1 unknown */
/* 0..classes-1; -1 when goals are unknown. */
int target_label(enum target target, const struct outcome *outcome);
/* The prices of a bookmaker for this target, classes values in class order. */
const float *target_prices(enum target target, const struct prices *prices, enum bookmaker bookmaker);

#endif
