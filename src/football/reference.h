/* Reference: the ratings of the published protocol, alone: the regressor of every match for five rating
 * settings, all matches of a day before any of that day is learned. The arithmetic is rating.c's, the same
 * that the trackers use. task/reference.c fits the ordered logits on it. Threads: pure. */
#ifndef ALMANAC_FOOTBALL_REFERENCE_H
#define ALMANAC_FOOTBALL_REFERENCE_H

#include "base/err.h"
#include "football/history.h"
#include "football/rating.h"

enum reference_kind { REFERENCE_ELO, REFERENCE_PI };

struct reference_rating {
    const char *name, *title;
    enum reference_kind kind;
    struct elo_rule elo; /* REFERENCE_ELO */
    struct pi_rule pi;   /* REFERENCE_PI */
};

enum { REFERENCE_COUNT = 5 };
const struct reference_rating *reference_at(size_t index);

/* out[history_rows]: by matrix row, R_home - R_away (Elo, without the home advantage) or the expected goal
 * difference (pi), as of the results known before the match. The history must be made with by_day. */
enum err_code reference_differences(const struct history *history, const struct reference_rating *rating,
                                    double *out, struct err *err) CHECKED;

#endif
