/* Value bets as kept: the selections of matches to come that the newest scan (task/value_bets.h) found underpriced; those of
 * matches that have begun since stay as they were found. Each function that writes is one transaction of its own. Threads: as
 * the connection. */
#ifndef ALMANAC_STORE_VALUE_BET_STORE_H
#define ALMANAC_STORE_VALUE_BET_STORE_H

#include "base/err.h"
#include "store/db.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value_bet {
    int64_t match_id;
    char target[16], selection[8], bookmaker[16], label[16];
    double odds;
    int64_t price_us;   /* when the price was taken, or its file read; TIME_NONE unknown */
    double p, market_p; /* of the model; of the bookmaker's own prices without their overround, NaN unknown */
    double edge, min_edge; /* p * odds - 1, and what the league asks for */
    double flat, kelly,
        fractional; /* stakes: money; shares of the bankroll (full, and the part that is staked) */
    double value_flat,
        value_fractional; /* expected profit: of the flat stake in money, of the fraction as a share */
    char currency[8], bot[32], version[32];
    int64_t found_us;
    /* of the match; not written */
    char league[16], home[128], away[128];
    int64_t kickoff_us;
};

/* What a scan at `now_us` found takes the place of what earlier ones found for matches not begun yet, in this league and of
 * this bookmaker ("": all). A match that is gone meanwhile is left out. */
enum err_code value_bet_store_replace(struct db *db, const struct value_bet *bets, size_t count,
                                      const char *league, const char *bookmaker, int64_t now_us,
                                      struct err *err) CHECKED;
/* Of matches with a kick-off not before from_us, best edge first; *count in: capacity, out: filled. */
enum err_code value_bet_store_list(struct db *db, int64_t from_us, struct value_bet *out, size_t *count,
                                   struct err *err) CHECKED;
/* Scheduled matches with a kick-off in (from_us, to_us], in order of time; those without a time of day count from the
 * beginning of their day. */
enum err_code value_bet_store_upcoming(struct db *db, int64_t from_us, int64_t to_us, int64_t *out_ids,
                                       size_t *count, struct err *err) CHECKED;
/* When a pre-closing price was taken, else when the file of its match was read; TIME_NONE. */
enum err_code value_bet_store_price_time(struct db *db, int64_t match_id, const char *market,
                                         const char *bookmaker, int64_t *out_us, struct err *err) CHECKED;
/* Forgets bets that were found before a time, on matches that have begun. */
enum err_code value_bet_store_forget(struct db *db, int64_t found_before_us, int64_t now_us,
                                     int64_t *out_count, struct err *err) CHECKED;

#endif
