/* The columns of the store's frames that a history reads, found by name. Private to history*.c. */
#ifndef ALMANAC_FOOTBALL_HISTORY_COLUMNS_H
#define ALMANAC_FOOTBALL_HISTORY_COLUMNS_H

#include "base/err.h"
#include "football/match.h"
#include "frame/frame.h"

enum { PRICE_COLUMNS = 3 };

struct team_columns {
    const struct frame *frame;
    const int64_t *id;
    size_t country, name;
};
struct match_columns {
    const struct frame *frame;
    const int64_t *id, *day, *kickoff_us, *home, *away;
    const int32_t *league, *time_known, *is_neutral, *state, *season;
    size_t league_column;
    size_t goals[SIDE_COUNT], half_goals[SIDE_COUNT], stats[STAT_COUNT][SIDE_COUNT], xg_milli[SIDE_COUNT];
};
struct price_columns {
    const struct frame *frame;
    const int64_t *match;
    const int32_t *market, *bookmaker, *label;
    const double *price[PRICE_COLUMNS]; /* NaN where missing */
    size_t market_column, bookmaker_column, label_column;
};

/* ERR_INVALID names the first column that is missing or of another type. */
enum err_code team_columns_find(const struct frame *frame, struct team_columns *out, struct err *err) CHECKED;
enum err_code match_columns_find(const struct frame *frame, struct match_columns *out,
                                 struct err *err) CHECKED;
enum err_code price_columns_find(const struct frame *frame, struct price_columns *out,
                                 struct err *err) CHECKED;

#endif
