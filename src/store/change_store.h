/* What changed in the football tables, and from which day on: lets caches follow the change instead of the history. Written
 * with every transaction that writes matches, prices or attributes; one row per (revision, league). */
#ifndef ALMANAC_STORE_CHANGE_STORE_H
#define ALMANAC_STORE_CHANGE_STORE_H

#include "base/err.h"
#include "store/db.h"

struct league_change {
    char league[16];
    int64_t
        from_day; /* local date of the earliest match of that league that is new, other than before, or gone */
};
/* Changes since the data was `data_hash` (football_store_hash of then). ERR_NOT_FOUND: the store does not know that state
 * (another store's, or older than the log): everything may differ. *out is freed by the caller. */
enum err_code change_store_since(struct db *db, const char *data_hash, struct league_change **out,
                                 size_t *out_count, struct err *err) CHECKED;
/* In the transaction that writes: what football_store_chain is about to name. */
enum err_code change_store_note(struct db *db, const char *league, int64_t from_day, struct err *err) CHECKED;

#endif
