/* The Odds API v4, the answer of GET /v4/sports/{sport}/odds: an array of events, each with bookmakers, each with markets,
 * each with outcomes. Kept are complete sets of the markets h2h (as "1x2": home, draw, away) and totals at 2.5 goals (as
 * "ou25": under, over). A pure parser: no network, no clock.
 *
 * All or nothing: an answer whose shape is not that of the documentation is an error that names the place, and nothing of it
 * is returned. What is well-formed but of no use (another line of goals, a market that is half suspended, a bookmaker that
 * stands there twice) is left out and counted. Members that are not known are passed over: the source adds some at times.
 * Threads: any. Memory: rows are the caller's, released by odds_api_release. */
#ifndef ALMANAC_SOURCE_ODDS_API_H
#define ALMANAC_SOURCE_ODDS_API_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ODDS_API_NAME_BYTES = 128, ODDS_API_BOOKMAKER_BYTES = 48 };

struct odds_api_event {
    char id[ODDS_API_NAME_BYTES], home[ODDS_API_NAME_BYTES], away[ODDS_API_NAME_BYTES];
    int64_t start_us;  /* commence_time, UTC */
    size_t first, end; /* its sets: [first, end) of `sets` */
};
struct odds_api_set {
    char bookmaker
        [ODDS_API_BOOKMAKER_BYTES]; /* as football-data calls it where that is known (connector_league.h) */
    const char *market;             /* "1x2", "ou25" */
    double prices[3];               /* decimal, as quoted; [2] NaN for ou25 */
    int64_t updated_us;             /* by the source's word; TIME_NONE not said */
    bool is_flagged;                /* sum of inverse prices outside the limits of limits.h */
};
struct odds_api_answer {
    struct odds_api_event *events;
    struct odds_api_set *sets;
    size_t event_count, set_count;
    size_t other;      /* sets of other markets or lines */
    size_t incomplete; /* without a price of each outcome, or with one that is none */
    size_t repeated;   /* a bookmaker's market that was there already: the first stays */
};

/* ERR_INVALID: no JSON, cut off, or of another shape; ERR_TOO_LARGE: more than a league can have. *out is empty then. */
enum err_code odds_api_read(const char *data, size_t size_bytes, struct odds_api_answer *out,
                            struct err *err) CHECKED;
void odds_api_release(struct odds_api_answer *answer);

#endif
