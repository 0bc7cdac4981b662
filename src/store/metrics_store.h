/* Metrics store: what GET /metrics reads of the tables of others, in a few cheap look-ups. Reads only. Threads: as the
 * connection. */
#ifndef ALMANAC_STORE_METRICS_STORE_H
#define ALMANAC_STORE_METRICS_STORE_H

#include "base/err.h"
#include "store/db.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_figures {
    char name[32];
    int64_t runs, failures;
    int64_t last_us;         /* begin of the last run; TIME_NONE: never run */
    int64_t last_success_us; /* end of the last run that succeeded, among the runs kept; TIME_NONE: none */
};
/* Of every scheduled task that has run or was changed, by name; *count in: capacity, out: filled. */
enum err_code metrics_store_schedule(struct db *db, struct schedule_figures *out, size_t *count,
                                     struct err *err) CHECKED;

struct drift_figures {
    double psi_max, share_drifted, loss, page_hinkley, score; /* NaN: not known */
    bool is_alarm;
    int64_t at_us;
};
/* The newest look at a version; ERR_NOT_FOUND: there was none. */
enum err_code metrics_store_drift(struct db *db, const char *version, struct drift_figures *out,
                                  struct err *err) CHECKED;

struct delivery_figures {
    char channel[16], state[16];
    int64_t count;
};
/* Deliveries of notifications that are kept, by channel and state; *count in: capacity, out: filled. */
enum err_code metrics_store_deliveries(struct db *db, struct delivery_figures *out, size_t *count,
                                       struct err *err) CHECKED;

#endif
