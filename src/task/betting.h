/* Betting: what following a forecast of the judge would have won at a named bookmaker's prices, as JSON. */
#ifndef ALMANAC_TASK_BETTING_H
#define ALMANAC_TASK_BETTING_H

#include "task/judge.h"

struct betting {
    enum bookmaker bookmaker;
    bool at_close; /* stake at closing prices: not achievable, labelled so */
    double min_edge, fraction, cap;
};
/* {"bookmaker", "label", "warning", "plans": [{...}]} for forecast `index`. Rows without its price are not quoted. */
enum err_code betting_write(const struct judge *judge, size_t index, const struct history *history,
                            const struct betting *betting, struct json_writer *out, struct err *err) CHECKED;

#endif
