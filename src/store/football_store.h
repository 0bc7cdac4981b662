/* Canonical football tables: teams, aliases, matches, prices; attributes of teams are written by attribute_store.h. What was imported from where is store/import_store.h.
 *
 * Team identity: country and name, compared without regard to ASCII case, after aliases. An alias names an existing
 * team for a range of days; well-known ones ship in team_alias_list.h and enter the table with their team. */
#ifndef ALMANAC_STORE_FOOTBALL_STORE_H
#define ALMANAC_STORE_FOOTBALL_STORE_H

#include "base/err.h"
#include "frame/frame.h"
#include "store/db.h"

/* Frames loaded for the trackers, in order of (day, kickoff, id).
 *   teams:   id I64, country TEXT, name TEXT
 *   matches: id I64, league TEXT (code), day I64, kickoff TIME, time_known I32, is_neutral I32, state I32 (0 scheduled,
 *            1 played, 2 postponed, 3 void), season I32, home I64, away I64 (team ids), home_goals .. away_xg_milli I32 as in
 *            source/football_data.h, source_id TEXT
 *   prices:  match I64 (ROW of the matches frame), market TEXT, bookmaker TEXT, label TEXT, price_1..price_3 F64
 * Only the bookmakers named (NULL-terminated) and markets 1x2 and ou25 are loaded; BbAv and BbMx come as Avg and Max.
 * Prices are in no particular order of matches.
 *   attributes: of store/attribute_store.h, all of them */
struct football_frames {
    struct frame *teams, *matches, *prices, *attributes;
};
/* max_matches 0: all; else the last N (by date). */
enum err_code football_store_load(struct db *db, const char *const *bookmakers, size_t max_matches,
                                  struct football_frames *out, struct err *err) CHECKED;
/* Matches of local days >= from_day only (INT64_MIN: all) with their prices; teams stay NULL (football_store_load_teams has
 * them). Inside the caller's transaction, so that what the caller read of the same moment belongs to it. */
enum err_code football_store_load_since(struct db *db, const char *const *bookmakers, int64_t from_day,
                                        struct football_frames *out, struct err *err) CHECKED;
void football_frames_release(struct football_frames *frames);

/* Hash over everything that football_store_load can return: a chain over the hashes of all contents that were ever
 * written, kept in the tables. Cheap. out: hex, HASH_HEX_BYTES. */
enum err_code football_store_hash(struct db *db, char *out, struct err *err) CHECKED;

enum match_state { MATCH_SCHEDULED, MATCH_PLAYED, MATCH_POSTPONED, MATCH_VOID };
enum { MATCH_SOURCE_ID_BYTES = 64 };
struct stored_match {
    int64_t id, day, kickoff_us;
    char league[16], home[128], away[128], source_id[MATCH_SOURCE_ID_BYTES];
    int state, home_goals, away_goals; /* goals -1 unknown */
    bool time_known;                   /* false: kickoff_us is the first instant of the day */
};
/* By own id (decimal text) or by source id. ERR_NOT_FOUND. */
enum err_code football_store_find_match(struct db *db, const char *id, struct stored_match *out,
                                        struct err *err) CHECKED;
/* Team id by country and name or alias (exact after trimming, then ASCII case-insensitive). ERR_NOT_FOUND names the
 * nearest known names. */
enum err_code football_store_find_team(struct db *db, const char *country, const char *name, int64_t *out_id,
                                       struct err *err) CHECKED;

/* ---- writing ----
 *
 * A writer belongs to one transaction: create it after db_begin, destroy it before or after the end. It remembers ids
 * it gave out, so it must not be used again after a rollback. */
struct football_writer;

/* Matches and prices as frames of source/football_data.h (columns are found by name). Per row of `matches`: */
struct football_rows {
    const struct frame *matches, *prices;
    const char *const *league;  /* code; NULL: the row is left out */
    const char *const *country; /* pool of the team names */
    const int32_t *season;
    int64_t file_id; /* import_file */
};
struct football_saved {
    int64_t matches_new, matches_updated, prices;
};

enum err_code football_writer_create(struct db *db, struct football_writer **out, struct err *err) CHECKED;
void football_writer_destroy(struct football_writer *writer);
/* Upsert by (league, day, home, away), else by source id. A value the source does not have leaves the stored one; a
 * match that is not among the rows stays. *out counts on. What became other than it was is noted in the change log. */
enum err_code football_writer_save(struct football_writer *writer, const struct football_rows *rows,
                                   struct football_saved *out, struct err *err) CHECKED;
/* The id of a team, made if new. `day`: the date of the match, for dated aliases. */
enum err_code football_writer_team(struct football_writer *writer, const char *country, struct text name,
                                   int64_t day, int64_t *out_id, struct err *err) CHECKED;
/* Chains the hash of what was written into football_store_hash and gives the state its number in the change log
 * (store/change_store.h); in the same transaction as the writing. */
enum err_code football_store_chain(struct db *db, const char *content_hash, struct err *err) CHECKED;

#endif
