/* What a clean-up would remove from the store, counted; the removing is done by each table's own file. Threads: as the
 * connection. */
#ifndef ALMANAC_STORE_CLEAN_STORE_H
#define ALMANAC_STORE_CLEAN_STORE_H

#include "base/err.h"
#include "store/db.h"
#include <stdint.h>

struct clean_counts {
    int64_t forecasts, value_bets, jobs;
};
/* Forecasts of matches before forecast_us, value bets found before it on matches that have begun by now_us, jobs that ended
 * before job_us. */
enum err_code clean_store_count(struct db *db, int64_t forecast_us, int64_t job_us, int64_t now_us,
                                struct clean_counts *out, struct err *err) CHECKED;
/* Begin of the oldest job that has not ended; TIME_NONE: there is none. */
enum err_code clean_store_oldest_job(struct db *db, int64_t *out_us, struct err *err) CHECKED;

#endif
