/* Football-data: turns rows of text, by column name, into canonical match and price frames. The rows may come from a
 * CSV file (main layout or extra leagues) or from any table with the same column names (an SQLite query).
 *
 * Match frame columns:  league TEXT (source code: "E0"; extra layout: "Country/League"), day I64 (local date, days since
 *   1970), kickoff TIME (UTC; the first instant of the local day when unknown), time_known I32, kickoff_text TEXT (the
 *   original date and time), season_text TEXT, home TEXT, away TEXT, home_goals away_goals home_half away_half I32,
 *   home_shots away_shots home_shots_on_target away_shots_on_target home_corners away_corners home_fouls away_fouls
 *   home_yellows away_yellows home_reds away_reds I32, home_xg_milli away_xg_milli I32 (measured expected goals in
 *   thousandths, columns HxG and AxG or home_xg and away_xg), source_id TEXT, line I64; missing where the source has none.
 * Price frame columns:  match I64 (row of the match frame), market TEXT ("1x2", "ou25", "ah"), bookmaker TEXT ("B365"),
 *   label TEXT ("pre_close", "close"), price_1, price_2, price_3 F64 (1x2: home, draw, away; ou25: under, over; ah: home,
 *   away), handicap F64 (ah only), is_flagged I32 (overround outside limits).
 *   Pinnacle is PS everywhere (its short form P is translated), all other bookmakers are named as in the columns.
 *   The extra layout has one set of prices and no word on when they were taken; the source's newer files call the same
 *   columns closing, so they are labelled "close": that is the reading that cannot leak.
 * Source clocks are UK local time. Threads: one reader per thread. */
#ifndef ALMANAC_SOURCE_FOOTBALL_DATA_H
#define ALMANAC_SOURCE_FOOTBALL_DATA_H

#include "base/err.h"
#include "base/text.h"
#include "frame/frame.h"
#include "source/issue.h"

/* Changes when the same bytes give other rows than before: part of the hash that tells imported files. */
#define FOOTBALL_DATA_VERSION "football-data 2"

struct football_tables {
    struct frame *matches, *prices;
    struct issue_list issues;
    size_t rows_read, rows_kept; /* data rows, header apart */
};
void football_tables_release(struct football_tables *tables);

struct football_reader;
/* header[count]: column names. ERR_INVALID when it is neither layout (names what is missing). */
enum err_code football_reader_create(const struct text *header, size_t count, const char *name,
                                     struct football_reader **out, struct err *err) CHECKED;
void football_reader_destroy(struct football_reader *reader);
/* One row. Dirt becomes issues; with `strict` the first rejecting issue is an error naming file, line and field. */
enum err_code football_reader_row(struct football_reader *reader, const struct text *fields, size_t count,
                                  size_t line, bool strict, struct err *err) CHECKED;
/* An issue of the whole source (line 0) or of a line that the caller saw: encoding, byte order mark. */
void football_reader_note(struct football_reader *reader, enum issue_reason reason, size_t line,
                          const char *detail);
enum err_code football_reader_finish(struct football_reader *reader, struct football_tables *out,
                                     struct err *err) CHECKED;
/* A whole CSV file in memory. */
enum err_code football_data_read(const char *data, size_t size_bytes, const char *name, bool strict,
                                 struct football_tables *out, struct err *err) CHECKED;

#endif
