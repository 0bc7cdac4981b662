/* History: all matches of the store as streams of events, ready for trackers: one stream per country, teams
 * as dense ids within it, matrix rows in time order over all streams. Built from the store's frames.
 * Immutable. */
#ifndef ALMANAC_FOOTBALL_HISTORY_H
#define ALMANAC_FOOTBALL_HISTORY_H

#include "base/err.h"
#include "base/text.h"
#include "feature/matrix.h"
#include "feature/tracker.h"
#include "football/match.h"
#include "frame/frame.h"

struct history;
struct teams;

/* What the leak audit does to the future, i.e. to everything not yet known at cut_us. It is done to the rows
 * as they are read from the frames, before anything is derived from them. */
enum history_future {
    HISTORY_WHOLE,     /* nothing: cut_us is not read */
    HISTORY_TRUNCATED, /* matches starting after cut_us are dropped, outcomes known after cut_us removed */
    HISTORY_SCRAMBLED, /* outcomes known after cut_us are replaced by other plausible ones (from seed) */
};
struct history_options {
    bool by_day;     /* batches by local day even where times are known (the reference protocol) */
    bool with_close; /* keeps the closing prices too, for who judges (history_close) */
    enum history_future future;
    int64_t cut_us;
    uint64_t seed;
};

/* Frames as in store/football_store.h. Void and postponed matches are left out; scheduled ones are events
 * without an outcome. */
enum err_code history_create(const struct frame *teams, const struct frame *matches,
                             const struct frame *prices, const struct frame *attributes,
                             struct history_options options, struct history **out, struct err *err) CHECKED;
void history_destroy(struct history *history);
/* Puts the pre_close prices of one match over *out: a frame of prices as above, whose rows are all of that match. The
 * same code that gives a history its prices. */
enum err_code history_read_prices(const struct frame *prices, struct prices *out, struct err *err) CHECKED;
size_t history_stream_count(const struct history *history); /* = league_country_count() */
const struct stream *history_streams(const struct history *history);
const struct stream_size *history_sizes(const struct history *history);
size_t history_rows(const struct history *history);
/* [rows], labels per football/target.h */
const struct matrix_row *history_row_info(const struct history *history);
/* The event of a matrix row. */
const struct fixture *history_fixture(const struct history *history, size_t row);
const struct outcome *history_outcome(const struct history *history, size_t row);
/* Closing prices of a match, NaN where there are none; the history was made with_close. */
const struct prices *history_close(const struct history *history, size_t row);
const struct teams *history_teams(const struct history *history); /* football/teams.h; lives as long */
/* Dense id of a team in its country's stream by name (exact, then ASCII case-insensitive); -1 unknown. */
int32_t history_team_find(const struct history *history, size_t stream, struct text name);
const char *history_team_name(const struct history *history, size_t stream, int32_t team);

#endif
