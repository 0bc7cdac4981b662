/* Writing what was fetched: prices of matches to come, and fixtures. Inside the caller's transaction, one for all that one
 * run brings; fetched_store_finish gives the new state its name, so that everything that follows the store notices.
 *
 * Prices keep the time they were fetched at (captured_at) under the label pre_close: a price of a match that has begun by
 * then is never written. A price that is fetched again, the same or not, is of the later time.
 * Threads: as the connection. */
#ifndef ALMANAC_STORE_FETCHED_STORE_H
#define ALMANAC_STORE_FETCHED_STORE_H

#include "base/err.h"
#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what there is ---- */

struct upcoming_match {
    int64_t id, day, kickoff_us, home_id, away_id;
    char league[16];
    bool time_known;
};
/* Scheduled matches that begin in (from_us, to_us], by kick-off; those without a known time if any of their day is inside.
 * *out is freed by the caller. */
enum err_code fetched_store_upcoming(struct db *db, int64_t from_us, int64_t to_us,
                                     struct upcoming_match **out, size_t *out_count, struct err *err) CHECKED;

/* ---- prices ---- */

struct fetched_price {
    int64_t match_id, captured_us;
    const char *market, *bookmaker;
    double prices[3]; /* NaN where there is none */
    bool is_flagged;
};
struct fetched_prices_saved {
    size_t changed, unchanged; /* sets */
    size_t late;               /* of matches that are gone, or had begun when they were captured */
};
enum err_code fetched_store_prices(struct db *db, const struct fetched_price *prices, size_t count,
                                   struct fetched_prices_saved *out, struct err *err) CHECKED;

/* ---- fixtures ---- */

struct fetched_fixture {
    const char *source_id; /* "football-data.org/436012" */
    const char *league, *country;
    const char *home, *away; /* as stored in `team` */
    int64_t home_id, away_id, day, kickoff_us;
    const char *kickoff_text;
    int32_t season;
    bool time_known;
    int state; /* enum match_state: scheduled, postponed, void */
};
struct fetched_fixtures_saved {
    size_t added, known; /* scheduled matches that are new, or were there (perhaps on another day) */
    size_t called_off;   /* now postponed or void */
};
/* Scheduled ones become or update scheduled matches; of the others a stored match that is still scheduled takes over the
 * state. Results and played matches are never touched. */
enum err_code fetched_store_fixtures(struct db *db, const struct fetched_fixture *fixtures, size_t count,
                                     struct fetched_fixtures_saved *out, struct err *err) CHECKED;

/* The end of the transaction's writing: when anything that decides features has become other than it was, the state of the
 * football tables gets a new name (football_store_chain) and *out_changed is true. salt: tells this run from others. */
enum err_code fetched_store_finish(struct db *db, const char *salt, bool *out_changed,
                                   struct err *err) CHECKED;

#endif
