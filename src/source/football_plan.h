/* Inside source/ only: which column of a football-data header means what. Made once per file, read per row.
 *
 * Prices are found by the grammar of the names, not by a list of bookmakers, so that a new bookmaker needs no code:
 *   1x2    <book>H <book>D <book>A          closing: <book>CH ...
 *   ou25   <book>>2.5 <book><2.5            closing: <book>C>2.5 ...
 *   ah     <book>AHH <book>AHA, line in <book>AH, BbAHh or AHh; closing: <book>CAHH ..., line in AHCh
 * Columns are indices into a row, -1 where the file has none. */
#ifndef ALMANAC_SOURCE_FOOTBALL_PLAN_H
#define ALMANAC_SOURCE_FOOTBALL_PLAN_H

#include "base/err.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLAN_BOOKMAKER_BYTES = 16, PLAN_STATISTIC_COUNT = 12 };

struct plan_quote {
    char bookmaker[PLAN_BOOKMAKER_BYTES];
    char field[PLAN_BOOKMAKER_BYTES + 8]; /* "B365C 1x2": how issues name the set */
    const char *market, *label;
    int price_count;
    int price[3];     /* in the order of the price frame */
    int handicap;     /* ah only; -1 elsewhere */
    int32_t codes[3]; /* of market, bookmaker and label in the price frame; -1 until the first price */
};

struct plan {
    bool is_extra;
    size_t column_count;
    int division, country, league, season, date, time, home, away, result, source_id;
    int goals[2], half[2], xg[2];
    int statistics[PLAN_STATISTIC_COUNT]; /* in the order of the match frame: home_shots, away_shots, ... */
    struct plan_quote *quotes;
    size_t quote_count;
};

extern const char *const plan_statistic_fields[PLAN_STATISTIC_COUNT]; /* "HS", "AS", ... */

enum err_code plan_create(const struct text *header, size_t count, const char *name, struct plan *out,
                          struct err *err) CHECKED;
void plan_release(struct plan *plan);

#endif
