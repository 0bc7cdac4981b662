/* What is stored of each league: how many matches, from when to when. Small reads for forms and checks. */
#ifndef ALMANAC_STORE_LEAGUE_STORE_H
#define ALMANAC_STORE_LEAGUE_STORE_H

#include "base/err.h"
#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct league_row {
    char league[16];          /* code */
    int64_t matches;          /* with a result */
    int64_t from_day, to_day; /* of those, since 1970 */
};
/* Leagues with at least one result, by code; *count in: capacity, out: filled. Reads every match: some tens of milliseconds
 * for a hundred thousand, so not on the event loop. */
enum err_code league_store_list(struct db *db, struct league_row *out, size_t *count,
                                struct err *err) CHECKED;
/* Whether the store has any match of a league. */
enum err_code league_store_has(struct db *db, const char *league, bool *out, struct err *err) CHECKED;

#endif
