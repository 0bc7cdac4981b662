/* Cron: a moment that comes again, in the five fields of crontab(5): minute, hour, day of the month, month, weekday.
 *
 *     expression = field field field field field | "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily"
 *                | "@midnight" | "@hourly"
 *     field      = item { "," item }
 *     item       = ( "*" | value [ "-" value ] ) [ "/" step ]      (value/step: from the value to the end)
 *     value      = number | jan..dec | sun..sat                    (weekday 0 and 7 are Sunday; names in any case)
 *
 * The rules of Vixie's cron hold. Day of the month and weekday: a day fits when either fits, unless one of the fields begins
 * with '*': then both must. Daylight saving: when minute or hour begins with '*' the expression means an interval: it fires
 * at each real moment whose local time fits (nothing in the hour that is skipped, twice in the hour that comes twice).
 * Otherwise it means a time of the clock on the wall: one that is skipped fires once at the moment of the change, one that
 * comes twice fires once, at the first.
 * Threads: pure functions. Memory: the caller's struct. */
#ifndef ALMANAC_JOB_CRON_H
#define ALMANAC_JOB_CRON_H

#include "base/err.h"
#include "job/time_zone.h"
#include <stdbool.h>
#include <stdint.h>

enum { CRON_TEXT_BYTES = 128 };

struct cron {
    uint64_t minute;           /* bit n: minute n */
    uint32_t hour, day, month; /* bits 0..23, 1..31, 1..12 */
    uint32_t weekday;          /* bits 0..6 from Sunday */
    bool has_star_day;         /* day or weekday begins with '*' */
    bool is_interval;          /* minute or hour does */
};

/* ERR_INVALID with field "cron": the message names the field of the expression, its column from 1, and what is wrong. */
enum err_code cron_parse(const char *text, struct cron *out, struct err *err) CHECKED;
/* No day ever fits, like February 30. */
bool cron_is_never(const struct cron *cron);
/* The first moment strictly after `after_us`; TIME_NONE when there is none within a hundred years. Jumps from field to field
 * and from offset to offset: a few hundred steps at most, whatever the distance. */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_us);

#endif
