/* What serving asks of the football tables: small reads, one match at a time. */
#ifndef ALMANAC_STORE_FIXTURE_STORE_H
#define ALMANAC_STORE_FIXTURE_STORE_H

#include "base/err.h"
#include "frame/frame.h"
#include "store/db.h"

/* The teams frame of football_store_load alone. */
enum err_code football_store_load_teams(struct db *db, struct frame **out, struct err *err) CHECKED;
/* Kick-off of the latest match with a result; TIME_NONE when there is none. */
enum err_code football_store_last_kickoff(struct db *db, int64_t *out_us, struct err *err) CHECKED;
/* Id of the match of these teams (by team id) in a league on a local day, whatever its state; ERR_NOT_FOUND. */
enum err_code football_store_match_id(struct db *db, const char *league, int64_t day, int64_t home_id,
                                      int64_t away_id, int64_t *out, struct err *err) CHECKED;
/* Prices of one match as a frame like football_frames.prices, match 0, every bookmaker. */
enum err_code football_store_match_prices(struct db *db, int64_t match_id, struct frame **out,
                                          struct err *err) CHECKED;

#endif
