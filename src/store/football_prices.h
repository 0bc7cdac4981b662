/* Inside store/ only: writing prices, for a writer. Quotes (market, bookmaker, label) become small ids; rows of new
 * matches wait until there are enough for one statement.
 *
 * Invariant: a match whose prices are pending is new in this transaction; everything pending is written before a price
 * that may be there already, and by football_prices_flush. */
#ifndef ALMANAC_STORE_FOOTBALL_PRICES_H
#define ALMANAC_STORE_FOOTBALL_PRICES_H

#include "base/err.h"
#include "store/db.h"
#include <stdbool.h>
#include <stdint.h>

struct football_prices;

struct price {
    int64_t match_id, quote_id;
    double prices[3], handicap; /* NaN where missing */
    bool is_flagged;
};

enum err_code football_prices_create(struct db *db, struct football_prices **out, struct err *err) CHECKED;
void football_prices_destroy(struct football_prices *prices); /* what is pending is lost */
/* The id of {market, bookmaker, label}, made if new. */
enum err_code football_prices_quote(struct football_prices *prices, const char *const parts[3],
                                    int64_t *out_id, struct err *err) CHECKED;
/* A price of a new match, each quote once. Fastest by ascending match and quote. */
enum err_code football_prices_add(struct football_prices *prices, const struct price *price,
                                  struct err *err) CHECKED;
/* A price that may be stored already: the new one wins. *out_changed becomes true when the stored one was another, or
 * there was none; else it is left. */
enum err_code football_prices_replace(struct football_prices *prices, const struct price *price,
                                      bool *out_changed, struct err *err) CHECKED;
enum err_code football_prices_flush(struct football_prices *prices, struct err *err) CHECKED;

#endif
