/* What changed in the football tables, and from which day on: lets caches follow the change instead of the history. Written
 * with every transaction that writes matches, prices or attributes; one row per (revision, league). The newest
 * CHANGE_STATES_KEPT states are known, older ones are forgotten.
 * Threads: those of the db. */
#ifndef ALMANAC_STORE_CHANGE_STORE_H
#define ALMANAC_STORE_CHANGE_STORE_H

#include "base/err.h"
#include "base/hash.h"
#include "store/db.h"

enum { CHANGE_STATES_KEPT = 10000 };

struct league_change {
    char league[16];
    int64_t
        from_day; /* local date of the earliest match of that league that is new, other than before, or gone */
};
struct football_state {
    char data_hash[HASH_HEX_BYTES]; /* football_store_hash of then */
};

/* Changes since the data was `data_hash` (football_store_hash of then). ERR_NOT_FOUND: the store does not know that state
 * (another store's, or older than the log): everything may differ. *out is freed by the caller. */
enum err_code change_store_since(struct db *db, const char *data_hash, struct league_change **out,
                                 size_t *out_count, struct err *err) CHECKED;
/* The known states, newest (the present one) first, at most `limit`. *out is freed by the caller. */
enum err_code change_store_states(struct db *db, size_t limit, struct football_state **out, size_t *out_count,
                                  struct err *err) CHECKED;

/* In the transaction that writes: what football_store_chain is about to name. */
enum err_code change_store_note(struct db *db, const char *league, int64_t from_day, struct err *err) CHECKED;
/* By football_store_chain: the state was `before` and is `after` with what was noted. */
enum err_code change_store_step(struct db *db, const char *before, const char *after,
                                struct err *err) CHECKED;

#endif
