/* Time: UTC microseconds since 1970-01-01 in int64 (`_us`), and civil dates. Proleptic Gregorian calendar.
 * Source clocks of football files are UK local time: zone ZONE_LONDON with its daylight saving rules (from
 * 1972 on; a local time that does not exist is moved forward one hour, one that exists twice is the first).
 */
#ifndef ALMANAC_BASE_TIME_H
#define ALMANAC_BASE_TIME_H

#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

#define TIME_SECOND_US INT64_C(1000000)
#define TIME_MINUTE_US (60 * TIME_SECOND_US)
#define TIME_HOUR_US   (60 * TIME_MINUTE_US)
#define TIME_DAY_US    (24 * TIME_HOUR_US)
#define TIME_NONE      INT64_MIN

enum time_zone { ZONE_UTC, ZONE_LONDON };
struct civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
};
enum { TIME_TEXT_BYTES = 32 };

int64_t time_day_from_civil(int year, int month, int day); /* days since 1970-01-01 */
void time_civil_from_day(int64_t day, int *year, int *month, int *day_of_month);
bool time_date_is_valid(int year, int month, int day); /* 1800..2200, real day of the month */
int64_t time_day_of(int64_t time_us);                  /* floor division */
int time_weekday(int64_t day);                         /* 0 Monday .. 6 Sunday */
int64_t time_from_civil(struct civil civil, enum time_zone zone);
struct civil time_to_civil(int64_t time_us, enum time_zone zone);
/* 2024-08-17, 2024-08-17T14:00Z, 2024-08-17T14:00:00(.ffffff)Z, +hh:mm offsets; a date alone is its first
 * instant. */
bool time_parse_iso(struct text text, int64_t *out_us, bool *out_has_clock);
/* dd/mm/yy, dd/mm/yyyy (two digits: 70..99 are 19xx, the rest 20xx) and yyyy-mm-dd; real dates only. */
bool time_parse_football_date(struct text text, int64_t *out_day);
bool time_parse_clock(struct text text, int *out_minutes); /* H:MM or HH:MM, 00:00..23:59 */
void time_format_iso(
    int64_t time_us,
    char out[TIME_TEXT_BYTES]); /* 2024-08-17T14:00:00Z; fraction only if any; TIME_NONE: "" */
void time_format_date(int64_t day, char out[TIME_TEXT_BYTES]); /* 2024-08-17 */

#endif
