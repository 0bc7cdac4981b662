/* Value bets: prices of matches to come that are higher than the model in production thinks they should be.
 *
 * Per match that begins within `hours` and per target, the model that /predict would choose gives probabilities p from the
 * live state; per bookmaker and selection the newest stored pre-closing price gives the edge p * odds - 1. From the league
 * profile's least edge on (or min_edge) it is a value bet, with stakes:
 *   flat          the profile's unit; expected profit unit * edge
 *   kelly         (p * odds - 1) / (odds - 1) of the bankroll (evaluate/kelly.h)
 *   fractional    kelly * fraction, at most cap; expected profit as a share of the bankroll: that times edge
 * "Avg" is nobody's price and is left out. Result: {"scanned_at", "matches", "forecasts", "priced", "past", "unknown",
 * "value_bets": [...]}; nothing to look at: {"outcome": "skipped", "note", ...} with no bets. The commit replaces what earlier scans
 * found (store/value_bet_store.h). A price is only worth anything while it can be had: its age is kept with it. */
#ifndef ALMANAC_TASK_VALUE_BETS_H
#define ALMANAC_TASK_VALUE_BETS_H

#include "task/task.h"

struct value_bets_options {
    int64_t hours;
    char league[16];    /* "" all */
    char bookmaker[16]; /* "" all */
    double min_edge;    /* below 0: the league's own */
    double fraction, cap;
};
extern const struct task task_value_bets;

#endif
