/* What the watch over the models in production keeps: limits of alarms, checks, decisions about retraining, whether the
 * pipeline is on, and refreshed calibrations. Texts are JSON made by task/. Writing is for the owner of the store. */
#ifndef ALMANAC_STORE_RETRAIN_STORE_H
#define ALMANAC_STORE_RETRAIN_STORE_H

#include "base/buffer.h"
#include "base/err.h"
#include "store/db.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched_model {
    char subject[64], variant[32], bot[32], version[17];
};

/* ---- limits ---- */
/* ERR_NOT_FOUND: none with this key (another recipe of the limits counts as none). */
enum err_code retrain_store_limits(struct db *db, const char *version, const char *key, struct buffer *out,
                                   struct err *err) CHECKED;
enum err_code retrain_store_put_limits(struct db *db, const char *version, const char *key, int64_t made_us,
                                       const char *text, struct err *err) CHECKED;

/* ---- checks ---- */
struct drift_check {
    struct watched_model model;
    int64_t at_us, made_us;
    double psi_max, share_drifted, loss, page_hinkley, score; /* NaN unknown */
    bool is_alarm;
};
/* The same version at the same moment again replaces the row. Of each version the newest CHECKS_KEPT stay. */
enum { CHECKS_KEPT = 2000 };
enum err_code retrain_store_put_check(struct db *db, const struct drift_check *check, const char *text,
                                      struct err *err) CHECKED;
/* Newest `count` (in: capacity), oldest first; "" in a name matches all. */
enum err_code retrain_store_checks(struct db *db, const struct watched_model *filter, struct drift_check *out,
                                   size_t *count, struct err *err) CHECKED;
/* The newest check of a version; ERR_NOT_FOUND. */
enum err_code retrain_store_last_check(struct db *db, const char *version, struct buffer *out,
                                       struct err *err) CHECKED;
/* Clock of the newest check of any version; TIME_NONE. */
enum err_code retrain_store_last_checked(struct db *db, int64_t *out_us, struct err *err) CHECKED;

/* ---- decisions ---- */
struct retraining_event {
    int64_t id, at_us, made_us;
    char cause[16],
        decision[24]; /* schedule drift performance stale manual; train cooldown off nothing_new rejected */
    struct watched_model model;
    char reason[640], job_key[96];
    int64_t job_id; /* read only: the job that has the key; 0 none */
};
enum err_code retrain_store_put_event(struct db *db, const struct retraining_event *event,
                                      const char *details, struct err *err) CHECKED;
/* Newest first; *count as above. */
enum err_code retrain_store_events(struct db *db, const struct watched_model *filter,
                                   struct retraining_event *out, size_t *count, struct err *err) CHECKED;
enum err_code retrain_store_event_details(struct db *db, int64_t id, struct buffer *out,
                                          struct err *err) CHECKED;
/* at_us of the newest decision "train" about the model at or before `at_us`; TIME_NONE. */
enum err_code retrain_store_last_training(struct db *db, const struct watched_model *model, int64_t at_us,
                                          int64_t *out_us, struct err *err) CHECKED;

/* ---- on or off ---- */
enum err_code retrain_store_is_on(struct db *db, bool *out, struct err *err) CHECKED; /* on, unless stopped */
enum err_code retrain_store_switch(struct db *db, bool is_on, const char *who, int64_t at_us,
                                   struct err *err) CHECKED;

/* ---- refreshed calibrations ---- */
struct recalibration {
    char version[17];
    int64_t made_us, matches;
    bool is_better;
    char reason[256];
    double loss_before, loss_after;
};
/* The same moment again replaces the row. Findings that are RECALIBRATION_KEPT_DAYS older go: longer than any forecast is
 * kept, so what was served is always layer (forecast.layer_us) of what the model said (forecast.p). */
enum { RECALIBRATION_KEPT_DAYS = 40 };
enum err_code retrain_store_put_recalibration(struct db *db, const struct recalibration *row,
                                              const void *layer, size_t layer_bytes, struct err *err) CHECKED;
/* The newest of a version; ERR_NOT_FOUND. layer (may be NULL) gets its bytes, none when nothing was better. */
enum err_code retrain_store_recalibration(struct db *db, const char *version, struct recalibration *out,
                                          struct buffer *layer, struct err *err) CHECKED;

#endif
