/* Time: see time.h.
 *
 * Days are counted from the civil date by arithmetic alone (Hinnant, "chrono-compatible low-level date
 * algorithms"), so no zone file, no locale and no global state is involved. British summer time is a rule per
 * year (IANA tzdata, rules GB-Eire and EU): a spring and an autumn Sunday, both changing at one hour of UTC.
 */
#include "base/time.h"
#include <stdio.h>

int64_t time_day_from_civil(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void time_civil_from_day(int64_t day, int *year, int *month, int *day_of_month)
{
    int64_t z = day + 719468; /* days since 0000-03-01 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day_of_month = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static bool time_year_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool time_date_is_valid(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1800 || year > 2200 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= lengths[month - 1] + (month == 2 && time_year_is_leap(year));
}

static int64_t time_floor_divide(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return quotient - (value % divisor < 0);
}

int64_t time_day_of(int64_t time_us)
{
    return time_floor_divide(time_us, TIME_DAY_US);
}

int time_weekday(int64_t day)
{
    int64_t from_monday = (day + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(from_monday < 0 ? from_monday + 7 : from_monday);
}

/* The first Sunday on or after a date. */
static int64_t time_sunday_from(int year, int month, int day)
{
    int64_t first = time_day_from_civil(year, month, day);
    return first + (6 - time_weekday(first));
}

/* First and last instant of summer time in London: [start, end). */
static void time_london_summer(int year, int64_t *start_us, int64_t *end_us)
{
    int64_t change_us = year <= 1980 ? 2 * TIME_HOUR_US : TIME_HOUR_US;
    int spring_day = year <= 1980 ? 16 : 25; /* third, later last Sunday of March */
    int autumn_day = year <= 1989   ? 23
                     : year <= 1995 ? 22
                                    : 25; /* around the fourth, later last of October */
    *start_us = time_sunday_from(year, 3, spring_day) * TIME_DAY_US + change_us;
    *end_us = time_sunday_from(year, 10, autumn_day) * TIME_DAY_US + change_us;
}

/* What London clocks are ahead of UTC at an instant of a year. */
static int64_t time_london_ahead_us(int64_t time_us, int year)
{
    if (year < 1972)
        return 0;
    int64_t start_us, end_us;
    time_london_summer(year, &start_us, &end_us);
    return time_us >= start_us && time_us < end_us ? TIME_HOUR_US : 0;
}

int64_t time_from_civil(struct civil civil, enum time_zone zone)
{
    int64_t local_us = time_day_from_civil(civil.year, civil.month, civil.day) * TIME_DAY_US +
                       civil.hour * TIME_HOUR_US + civil.minute * TIME_MINUTE_US +
                       civil.second * TIME_SECOND_US;
    if (zone == ZONE_UTC)
        return local_us;
    /* Summer is tried first, so an hour that exists twice is its first pass. In the hour that does not exist
     * this fails, and reading the clock as winter time is the instant one hour on. */
    int64_t summer_us = local_us - TIME_HOUR_US;
    return time_london_ahead_us(summer_us, civil.year) > 0 ? summer_us : local_us;
}

/* Counted in seconds, so that the first and last instants of int64 do not overflow. */
struct civil time_to_civil(int64_t time_us, enum time_zone zone)
{
    struct civil civil;
    int64_t second = time_floor_divide(time_us, TIME_SECOND_US);
    int64_t day = time_floor_divide(second, 86400);
    time_civil_from_day(day, &civil.year, &civil.month, &civil.day);
    int64_t ahead_us = zone == ZONE_LONDON ? time_london_ahead_us(time_us, civil.year) : 0;
    if (ahead_us > 0) {
        second += ahead_us / TIME_SECOND_US;
        day = time_floor_divide(second, 86400);
        time_civil_from_day(day, &civil.year, &civil.month, &civil.day);
    }
    int64_t second_of_day = second - day * 86400;
    civil.hour = (int)(second_of_day / 3600);
    civil.minute = (int)(second_of_day / 60 % 60);
    civil.second = (int)(second_of_day % 60);
    return civil;
}

/* Takes `least`..`most` digits off the front; false when there are fewer. */
static bool time_take_number(struct text *text, size_t least, size_t most, int *out)
{
    size_t count = 0;
    int value = 0;
    while (count < most && count < text->size_bytes && text->data[count] >= '0' && text->data[count] <= '9')
        value = 10 * value + (text->data[count++] - '0');
    if (count < least)
        return false;
    *text = (struct text){text->data + count, text->size_bytes - count};
    *out = value;
    return true;
}

static bool time_take_char(struct text *text, char byte)
{
    if (text->size_bytes == 0 || text->data[0] != byte)
        return false;
    *text = (struct text){text->data + 1, text->size_bytes - 1};
    return true;
}

static bool time_take_iso_date(struct text *text, int64_t *out_day)
{
    int year, month, day;
    if (!time_take_number(text, 4, 4, &year) || !time_take_char(text, '-') ||
        !time_take_number(text, 2, 2, &month) || !time_take_char(text, '-') ||
        !time_take_number(text, 2, 2, &day) || !time_date_is_valid(year, month, day))
        return false;
    *out_day = time_day_from_civil(year, month, day);
    return true;
}

/* ".123456": one to nine digits; what is finer than a microsecond is cut. */
static bool time_take_fraction(struct text *text, int64_t *out_us)
{
    size_t before = text->size_bytes;
    int value;
    if (!time_take_number(text, 1, 9, &value))
        return false;
    int64_t nanoseconds = value;
    for (size_t count = before - text->size_bytes; count < 9; count++)
        nanoseconds *= 10;
    *out_us = nanoseconds / 1000;
    return true;
}

/* "14:00", "14:00:00", "14:00:00.25" since midnight. */
static bool time_take_iso_clock(struct text *text, int64_t *out_us)
{
    int hour, minute, second = 0;
    int64_t fraction_us = 0;
    if (!time_take_number(text, 2, 2, &hour) || !time_take_char(text, ':') ||
        !time_take_number(text, 2, 2, &minute))
        return false;
    if (time_take_char(text, ':')) {
        if (!time_take_number(text, 2, 2, &second))
            return false;
        if (time_take_char(text, '.') && !time_take_fraction(text, &fraction_us))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *out_us = hour * TIME_HOUR_US + minute * TIME_MINUTE_US + second * TIME_SECOND_US + fraction_us;
    return true;
}

/* "Z" or "+02:00": what the clock is ahead of UTC. A clock without a zone is no instant and is refused. */
static bool time_take_offset(struct text *text, int64_t *out_ahead_us)
{
    *out_ahead_us = 0;
    if (time_take_char(text, 'Z'))
        return true;
    bool is_behind = text->size_bytes > 0 && text->data[0] == '-';
    int hour, minute;
    if (!time_take_char(text, is_behind ? '-' : '+') || !time_take_number(text, 2, 2, &hour) ||
        !time_take_char(text, ':') || !time_take_number(text, 2, 2, &minute) || hour > 23 || minute > 59)
        return false;
    int64_t ahead_us = hour * TIME_HOUR_US + minute * TIME_MINUTE_US;
    *out_ahead_us = is_behind ? -ahead_us : ahead_us;
    return true;
}

bool time_parse_iso(struct text text, int64_t *out_us, bool *out_has_clock)
{
    int64_t day, clock_us = 0, ahead_us = 0;
    if (!time_take_iso_date(&text, &day))
        return false;
    bool has_clock = time_take_char(&text, 'T');
    if (has_clock && (!time_take_iso_clock(&text, &clock_us) || !time_take_offset(&text, &ahead_us)))
        return false;
    if (text.size_bytes > 0)
        return false;
    *out_us = day * TIME_DAY_US + clock_us - ahead_us;
    if (out_has_clock)
        *out_has_clock = has_clock;
    return true;
}

bool time_parse_football_date(struct text text, int64_t *out_day)
{
    struct text iso = text;
    int64_t iso_day;
    if (time_take_iso_date(&iso, &iso_day) && iso.size_bytes == 0) {
        *out_day = iso_day;
        return true;
    }
    int day, month, year;
    if (!time_take_number(&text, 1, 2, &day) || !time_take_char(&text, '/') ||
        !time_take_number(&text, 1, 2, &month) || !time_take_char(&text, '/'))
        return false;
    size_t year_digits = text.size_bytes;
    if ((year_digits != 2 && year_digits != 4) || !time_take_number(&text, year_digits, year_digits, &year))
        return false;
    if (year_digits == 2)
        year += year >= 70 ? 1900 : 2000;
    if (!time_date_is_valid(year, month, day))
        return false;
    *out_day = time_day_from_civil(year, month, day);
    return true;
}

bool time_parse_clock(struct text text, int *out_minutes)
{
    int hour, minute;
    if (!time_take_number(&text, 1, 2, &hour) || !time_take_char(&text, ':') ||
        !time_take_number(&text, 2, 2, &minute) || text.size_bytes > 0 || hour > 23 || minute > 59)
        return false;
    *out_minutes = 60 * hour + minute;
    return true;
}

void time_format_iso(int64_t time_us, char out[TIME_TEXT_BYTES])
{
    if (time_us == TIME_NONE) {
        out[0] = '\0';
        return;
    }
    struct civil civil = time_to_civil(time_us, ZONE_UTC);
    int fraction_us = (int)((time_us % TIME_SECOND_US + TIME_SECOND_US) % TIME_SECOND_US);
    char fraction[16] = "";
    if (fraction_us > 0)
        (void)snprintf(fraction, sizeof(fraction), ".%06d", fraction_us);
    int length = snprintf(out, TIME_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", civil.year, civil.month,
                          civil.day, civil.hour, civil.minute, civil.second, fraction);
    (void)length; /* at most 31 characters: int64 microseconds end in the year 294247 */
}

void time_format_date(int64_t day, char out[TIME_TEXT_BYTES])
{
    int year, month, day_of_month;
    time_civil_from_day(day, &year, &month, &day_of_month);
    (void)snprintf(out, TIME_TEXT_BYTES, "%04d-%02d-%02d", year, month, day_of_month);
}
