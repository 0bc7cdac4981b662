/* Forecasts that were made, as the models made them, and what came of them. One row per (version, match), the newest; a
 * served one is never replaced by a replayed one. Writing is for the owner of the store; threads as the db. */
#ifndef ALMANAC_STORE_FORECAST_STORE_H
#define ALMANAC_STORE_FORECAST_STORE_H

#include "base/err.h"
#include "store/db.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FORECAST_VERSION_BYTES = 17, FORECAST_CLASSES_MAX = 3 };

struct stored_forecast {
    char version[FORECAST_VERSION_BYTES], subject[64], target[16];
    int64_t match_id, kickoff_us, made_us;
    bool is_served;
    size_t classes;                 /* 2 or 3 */
    double p[FORECAST_CLASSES_MAX]; /* of the model itself */
    int64_t layer_us;   /* made_us of the recalibration that was put over p when it was told; 0: none */
    int64_t settled_us; /* TIME_NONE: the result is not there yet */
    int outcome;        /* class; -1 unknown */
    double loss;        /* -ln p of the outcome; NaN unknown */
};

/* In the caller's transaction, if there is one. A settled row stays settled. */
enum err_code forecast_store_put(struct db *db, const struct stored_forecast *forecast,
                                 struct err *err) CHECKED;
/* The result of a match: version and match name the row; nothing happens when there is none. */
enum err_code forecast_store_settle(struct db *db, const char *version, int64_t match_id, int outcome,
                                    double loss, int64_t settled_us, struct err *err) CHECKED;
/* Of one version, kick-off in [from_us, to_us), in order of kick-off, at most *count (in: capacity, out: filled). version NULL:
 * of all. */
enum err_code forecast_store_list(struct db *db, const char *version, int64_t from_us, int64_t to_us,
                                  struct stored_forecast *out, size_t *count, struct err *err) CHECKED;
/* Served, not settled, kick-off before `before_us`; with the goals of the matches that have a result (goals[i][2], -1
 * unknown). */
enum err_code forecast_store_open(struct db *db, int64_t before_us, struct stored_forecast *out,
                                  int (*goals)[2], size_t *count, struct err *err) CHECKED;
/* Removes those of matches before `before_us`; how many. */
enum err_code forecast_store_prune(struct db *db, int64_t before_us, int64_t *out_count,
                                   struct err *err) CHECKED;
enum err_code forecast_store_count(struct db *db, int64_t *out_total, int64_t *out_settled,
                                   struct err *err) CHECKED;

#endif
