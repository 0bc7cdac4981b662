/* What the leak audit does to an outcome that was not yet known at the cut (history.h). Pure. */
#ifndef ALMANAC_FOOTBALL_HISTORY_FUTURE_H
#define ALMANAC_FOOTBALL_HISTORY_FUTURE_H

#include "football/match.h"

/* The outcome of a match that has none yet. */
struct outcome outcome_unknown(void);
struct prices prices_unknown(void); /* all NaN */
/* Another, plausible outcome: every field that a tracker could read changes (known_us stays). */
void outcome_scramble(struct outcome *outcome, uint64_t seed);
void prices_scramble(struct prices *prices, uint64_t seed);

#endif
