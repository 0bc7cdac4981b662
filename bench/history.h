/* Bench: matches of a store as the streams the builder reads. */
#ifndef ALMANAC_BENCH_HISTORY_H
#define ALMANAC_BENCH_HISTORY_H

#include "base/err.h"
#include "football/history.h"
#include "store/store.h"

/* Matches of local days >= from_day (INT64_MIN: all), teams of the whole store. */
enum err_code bench_history(struct store *store, int64_t from_day, struct history **out,
                            struct err *err) CHECKED;

#endif
