/* Inside store/ only: which leagues a writer changed, and from which day on. Gathered in memory while rows are saved, so
 * that a file costs the change log one row per league.
 *
 * A match counts as changed when a number that a frame of football_store_load carries is other than before; writing again
 * what is stored changes nothing. */
#ifndef ALMANAC_STORE_FOOTBALL_NOTES_H
#define ALMANAC_STORE_FOOTBALL_NOTES_H

#include "base/err.h"
#include "store/change_store.h"
#include "store/db.h"

enum { STORED_NUMBERS = 26 };

struct football_notes {
    struct league_change *items;
    size_t count, last; /* last: the item found last, often the next one */
};

/* The values of a stored match that decide features. */
struct stored_values {
    char league[16];
    int64_t number[STORED_NUMBERS];
    bool is_null[STORED_NUMBERS];
};
/* Names of its columns, in order: a query that selects them, from column `first` on, is read by stored_values_read. */
#define STORED_COLUMNS                                                                                       \
    "league, day, kickoff_us, time_known, state, is_neutral, season, home_id, away_id, home_goals, "         \
    "away_goals, home_half, away_half, home_shots, away_shots, home_shots_on_target, away_shots_on_target, " \
    "home_corners, away_corners, home_fouls, away_fouls, home_yellows, away_yellows, home_reds, away_reds, " \
    "home_xg_milli, away_xg_milli"

void stored_values_read(const struct query *query, int first, struct stored_values *out);

/* A match of this day and kick-off is new or its prices changed. */
enum err_code football_notes_add(struct football_notes *notes, const char *league, int64_t day,
                                 int64_t kickoff_us, struct err *err) CHECKED;
/* A stored match was `before` and is `after`: nothing is noted when they are equal. */
enum err_code football_notes_compare(struct football_notes *notes, const struct stored_values *before,
                                     const struct stored_values *after, struct err *err) CHECKED;
/* Into the change log; the notes are then empty. */
enum err_code football_notes_flush(struct football_notes *notes, struct db *db, struct err *err) CHECKED;
void football_notes_release(struct football_notes *notes);

#endif
