/* League tables as a source publishes them (with deductions of points and the league's own rules of order, which tables
 * computed from results do not have).
 * Threads: as the connection. */
#ifndef ALMANAC_STORE_STANDING_STORE_H
#define ALMANAC_STORE_STANDING_STORE_H

#include "base/err.h"
#include "store/db.h"

#include <stddef.h>
#include <stdint.h>

struct standing {
    int64_t season; /* start year */
    int64_t position, played, won, drawn, lost, goals_for, goals_against, points;
    int64_t team_id; /* 0: the source's name is none of ours */
    char name[128];  /* ours where team_id says so, else the source's */
    char stage[40];  /* "REGULAR_SEASON"; "" not said */
    char group[40];  /* "" none */
    int64_t fetched_us;
};
/* Replaces the table of a league and season, in the caller's transaction. fetched_us of the rows is not read. */
enum err_code standing_store_replace(struct db *db, const char *league, int64_t season,
                                     const struct standing *rows, size_t count, int64_t fetched_us,
                                     struct err *err) CHECKED;
/* The newest season of a league that is stored, in the source's order; at most *count, which becomes how many. None: ERR_OK
 * with 0. */
enum err_code standing_store_list(struct db *db, const char *league, struct standing *out, size_t *count,
                                  struct err *err) CHECKED;

#endif
