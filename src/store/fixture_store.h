/* What serving asks of the football tables: small reads, one match at a time. */
#ifndef ALMANAC_STORE_FIXTURE_STORE_H
#define ALMANAC_STORE_FIXTURE_STORE_H

#include "base/err.h"
#include "frame/frame.h"
#include "store/db.h"
#include <stdbool.h>

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

/* What the trackers' fixture is made of. */
struct stored_fixture {
    int64_t id, day, kickoff_us, home_id, away_id;
    char league[16];
    int season, state; /* enum match_state */
    bool time_known, is_neutral, has_result;
};
/* ERR_NOT_FOUND when there is no such match. */
enum err_code football_store_fixture(struct db *db, int64_t match_id, struct stored_fixture *out,
                                     struct err *err) CHECKED;
/* The match of a team whose result became known last; ERR_NOT_FOUND when there is none. */
enum err_code football_store_last_match(struct db *db, int64_t team_id, struct stored_fixture *out,
                                        struct err *err) CHECKED;
/* The last meeting with a result of two teams, at whichever ground; ERR_NOT_FOUND. */
enum err_code football_store_last_meeting(struct db *db, int64_t home_id, int64_t away_id,
                                          struct stored_fixture *out, struct err *err) CHECKED;
/* The match to come of these sides that is earliest among the scheduled ones, or else the one played last; ERR_NOT_FOUND. */
enum err_code football_store_meeting(struct db *db, int64_t home_id, int64_t away_id,
                                     struct stored_fixture *out, struct err *err) CHECKED;

#endif
