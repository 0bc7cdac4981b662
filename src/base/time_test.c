/* Tests of base/time.h. The days of British summer time are those of the IANA database (tzdata 2024, read
 * with Python's zoneinfo), not of the rule in time.c; the calendar is checked against a walk that only knows
 * month lengths. */
#include "base/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { FIRST_SUMMER_YEAR = 1972 };

/* {day of March, day of October} for 1972..2060 */
static const int summers[][2] = {
    {19, 29}, {18, 28}, {17, 27}, {16, 26}, {21, 24}, {20, 23}, {19, 29}, {18, 28}, {16, 26}, {29, 25},
    {28, 24}, {27, 23}, {25, 28}, {31, 27}, {30, 26}, {29, 25}, {27, 23}, {26, 29}, {25, 28}, {31, 27},
    {29, 25}, {28, 24}, {27, 23}, {26, 22}, {31, 27}, {30, 26}, {29, 25}, {28, 31}, {26, 29}, {25, 28},
    {31, 27}, {30, 26}, {28, 31}, {27, 30}, {26, 29}, {25, 28}, {30, 26}, {29, 25}, {28, 31}, {27, 30},
    {25, 28}, {31, 27}, {30, 26}, {29, 25}, {27, 30}, {26, 29}, {25, 28}, {31, 27}, {29, 25}, {28, 31},
    {27, 30}, {26, 29}, {31, 27}, {30, 26}, {29, 25}, {28, 31}, {26, 29}, {25, 28}, {31, 27}, {30, 26},
    {28, 31}, {27, 30}, {26, 29}, {25, 28}, {30, 26}, {29, 25}, {28, 31}, {27, 30}, {25, 28}, {31, 27},
    {30, 26}, {29, 25}, {27, 30}, {26, 29}, {25, 28}, {31, 27}, {29, 25}, {28, 31}, {27, 30}, {26, 29},
    {31, 27}, {30, 26}, {29, 25}, {28, 31}, {26, 29}, {25, 28}, {31, 27}, {30, 26}, {28, 31}};

static void test_every_day_1800_to_2200(void **state)
{
    (void)state;
    int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = time_day_from_civil(1800, 1, 1);
    int weekday = 2; /* 1800-01-01 was a Wednesday */
    for (int year = 1800; year <= 2200; year++) {
        lengths[1] = year == 1800 || year == 1900 || year == 2100 || year == 2200 || year % 4 != 0 ? 28 : 29;
        for (int month = 1; month <= 12; month++) {
            for (int of_month = 1; of_month <= lengths[month - 1]; of_month++, day++) {
                int back_year, back_month, back_day;
                time_civil_from_day(day, &back_year, &back_month, &back_day);
                assert_true(back_year == year && back_month == month && back_day == of_month);
                assert_true(time_day_from_civil(year, month, of_month) == day);
                assert_true(time_date_is_valid(year, month, of_month));
                assert_int_equal(time_weekday(day), weekday);
                weekday = (weekday + 1) % 7;
                int64_t noon_us = day * TIME_DAY_US + 12 * TIME_HOUR_US;
                assert_true(time_day_of(noon_us) == day);
            }
            assert_false(time_date_is_valid(year, month, lengths[month - 1] + 1));
            assert_false(time_date_is_valid(year, month, 0));
        }
    }
    assert_int_equal(time_day_from_civil(1970, 1, 1), 0);
    assert_int_equal(time_day_from_civil(2000, 3, 1), 11017);
    assert_false(time_date_is_valid(1799, 12, 31));
    assert_false(time_date_is_valid(2201, 1, 1));
    assert_false(time_date_is_valid(2024, 13, 1));
    assert_false(time_date_is_valid(2024, 0, 1));
}

static void test_texts_round_trip_every_day(void **state)
{
    (void)state;
    for (int64_t day = time_day_from_civil(1900, 1, 1); day <= time_day_from_civil(2100, 12, 31); day++) {
        char text[TIME_TEXT_BYTES];
        int64_t time_us, back_us, back_day;
        bool has_clock;
        time_format_date(day, text);
        assert_true(time_parse_iso(text_of(text), &time_us, &has_clock));
        assert_false(has_clock);
        assert_true(time_us == day * TIME_DAY_US);
        assert_true(time_parse_football_date(text_of(text), &back_day) && back_day == day);
        time_us += day % 86400 * TIME_SECOND_US + (day % 3 ? 0 : 123);
        time_format_iso(time_us, text);
        assert_true(time_parse_iso(text_of(text), &back_us, &has_clock));
        assert_true(has_clock);
        assert_true(back_us == time_us);
        for (int zone = ZONE_UTC; zone <= ZONE_LONDON; zone++) {
            struct civil civil = time_to_civil(day * TIME_DAY_US + 15 * TIME_HOUR_US, (enum time_zone)zone);
            assert_true(time_from_civil(civil, (enum time_zone)zone) ==
                        day * TIME_DAY_US + 15 * TIME_HOUR_US);
        }
    }
}

static void test_day_of_is_floor(void **state)
{
    (void)state;
    assert_int_equal(time_day_of(0), 0);
    assert_int_equal(time_day_of(-1), -1);
    assert_int_equal(time_day_of(TIME_DAY_US - 1), 0);
    assert_int_equal(time_day_of(-TIME_DAY_US), -1);
    assert_int_equal(time_day_of(-TIME_DAY_US - 1), -2);
    assert_int_equal(time_weekday(0), 3); /* a Thursday */
    assert_int_equal(time_weekday(-4), 6);
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    return time_from_civil((struct civil){year, month, day, hour, minute, 0}, ZONE_UTC);
}

static int64_t london(int year, int month, int day, int hour, int minute)
{
    return time_from_civil((struct civil){year, month, day, hour, minute, 0}, ZONE_LONDON);
}

static void assert_london_clock(int64_t time_us, int month, int day, int hour, int minute)
{
    struct civil civil = time_to_civil(time_us, ZONE_LONDON);
    assert_int_equal(civil.month, month);
    assert_int_equal(civil.day, day);
    assert_int_equal(civil.hour, hour);
    assert_int_equal(civil.minute, minute);
}

static void test_london_changes(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof(summers) / sizeof(summers[0]); index++) {
        int year = FIRST_SUMMER_YEAR + (int)index;
        int hour = year <= 1980 ? 2 : 1; /* of UTC */
        int march = summers[index][0];
        int october = summers[index][1];
        assert_london_clock(utc(year, 3, march, hour, 0) - 1, 3, march, hour - 1, 59);
        assert_london_clock(utc(year, 3, march, hour, 0), 3, march, hour + 1, 0);
        assert_london_clock(utc(year, 10, october, hour, 0) - 1, 10, october, hour, 59);
        assert_london_clock(utc(year, 10, october, hour, 0), 10, october, hour, 0);
        /* the hour that does not exist is moved forward: 01:30 is read as 02:30 summer time */
        assert_true(london(year, 3, march, hour, 30) == utc(year, 3, march, hour, 30));
        assert_true(london(year, 3, march, hour + 1, 30) == utc(year, 3, march, hour, 30));
        assert_true(london(year, 3, march, hour - 1, 59) == utc(year, 3, march, hour - 1, 59));
        assert_true(london(year, 3, march, hour + 1, 0) == utc(year, 3, march, hour, 0));
        /* the hour that exists twice is the first, in summer time */
        assert_true(london(year, 10, october, hour, 30) == utc(year, 10, october, hour - 1, 30));
        assert_true(london(year, 10, october, hour + 1, 0) == utc(year, 10, october, hour + 1, 0));
        assert_true(london(year, 10, october, hour - 1, 59) ==
                    utc(year, 10, october, 0, 0) + (hour - 2) * TIME_HOUR_US + 59 * TIME_MINUTE_US);
    }
}

static void test_london_matches(void **state)
{
    (void)state;
    assert_true(london(2024, 8, 17, 15, 0) == utc(2024, 8, 17, 14, 0));
    assert_true(london(2024, 12, 26, 15, 0) == utc(2024, 12, 26, 15, 0));
    assert_true(london(2024, 7, 1, 0, 30) == utc(2024, 6, 30, 23, 30)); /* the day changes */
    assert_true(london(2024, 1, 1, 0, 0) == utc(2024, 1, 1, 0, 0));
    assert_true(london(1965, 7, 1, 15, 0) == utc(1965, 7, 1, 15, 0)); /* no rules before 1972 */
    assert_london_clock(utc(2024, 6, 30, 23, 30), 7, 1, 0, 30);
    struct civil civil = time_to_civil(-1, ZONE_UTC);
    assert_true(civil.year == 1969 && civil.month == 12 && civil.day == 31 && civil.hour == 23 &&
                civil.second == 59);
}

static void test_parse_iso(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time_us;
    } good[] = {{"1970-01-01", 0},
                {"1999-12-31T23:59:59Z", INT64_C(946684799000000)},
                {"2000-02-29T12:00Z", INT64_C(951825600000000)},
                {"1900-03-01T00:00:00Z", INT64_C(-2203891200000000)},
                {"2100-02-28T23:59:59.5Z", INT64_C(4107542399500000)},
                {"1970-01-01T00:00:00.000001Z", 1},
                {"1970-01-01T00:00:00.123456789Z", 123456},
                {"1970-01-01T02:00:00+02:00", 0},
                {"1969-12-31T18:30-05:30", 0},
                {"1970-01-01T00:00-00:00", 0}};
    for (size_t index = 0; index < sizeof(good) / sizeof(good[0]); index++) {
        int64_t time_us = 7;
        bool has_clock;
        assert_true(time_parse_iso(text_of(good[index].text), &time_us, &has_clock));
        assert_true(time_us == good[index].time_us);
        assert_int_equal(has_clock, strlen(good[index].text) > 10);
        assert_true(time_parse_iso(text_of(good[index].text), &time_us, NULL));
    }
    static const char *const bad[] = {"",
                                      "2024",
                                      "2024-8-17",
                                      "2024-02-30",
                                      "2023-02-29",
                                      "2024-13-01",
                                      "2024-00-10",
                                      "1799-12-31",
                                      "2201-01-01",
                                      "24-08-17",
                                      "2024/08/17",
                                      "2024-08-17T",
                                      "2024-08-17T14",
                                      "2024-08-17T14:00",
                                      "2024-08-17T14:00:00",
                                      "2024-08-17 14:00Z",
                                      "2024-08-17T24:00Z",
                                      "2024-08-17T14:60Z",
                                      "2024-08-17T14:00:60Z",
                                      "2024-08-17T14:00:00.Z",
                                      "2024-08-17T14:00:00.1234567890Z",
                                      "2024-08-17T14:00ZZ",
                                      "2024-08-17T14:00+2:00",
                                      "2024-08-17T14:00+0200",
                                      "2024-08-17T14:00+24:00",
                                      "2024-08-17T14:00+02:60",
                                      "2024-08-17T14:00 Z",
                                      " 2024-08-17",
                                      "2024-08-17 ",
                                      "-024-08-17",
                                      "2024-08-17T1400Z",
                                      "now"};
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        int64_t time_us = 7;
        bool has_clock = true;
        assert_false(time_parse_iso(text_of(bad[index]), &time_us, &has_clock));
        assert_true(time_us == 7 && has_clock);
    }
}

static void test_parse_football_date(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int year, month, day;
    } good[] = {{"19/08/2023", 2023, 8, 19}, {"19/08/93", 1993, 8, 19},  {"1/2/04", 2004, 2, 1},
                {"01/01/70", 1970, 1, 1},    {"31/12/69", 2069, 12, 31}, {"29/02/00", 2000, 2, 29},
                {"2012-03-04", 2012, 3, 4},  {"05/05/1888", 1888, 5, 5}};
    for (size_t index = 0; index < sizeof(good) / sizeof(good[0]); index++) {
        int64_t day = 7;
        assert_true(time_parse_football_date(text_of(good[index].text), &day));
        assert_true(day == time_day_from_civil(good[index].year, good[index].month, good[index].day));
    }
    static const char *const bad[] = {"",           "31/02/2020",  "29/02/01",    "00/01/20",  "01/00/20",
                                      "32/01/20",   "01/13/20",    "1/1/1",       "1/1/202",   "1/1/20201",
                                      "01-01-2020", "2020-1-1",    "2020-02-30",  "01/01/",    "01/01",
                                      "/01/2020",   "001/01/2020", "01/01/2020 ", "01/01/20x", "1/1/1700",
                                      "Sat 1/1",    "2020-01-01x"};
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        int64_t day = 7;
        assert_false(time_parse_football_date(text_of(bad[index]), &day));
        assert_int_equal(day, 7);
    }
}

static void test_parse_clock(void **state)
{
    (void)state;
    int minutes = -1;
    assert_true(time_parse_clock(text_of("00:00"), &minutes) && minutes == 0);
    assert_true(time_parse_clock(text_of("23:59"), &minutes) && minutes == 1439);
    assert_true(time_parse_clock(text_of("9:05"), &minutes) && minutes == 545);
    static const char *const bad[] = {"",    "24:00", "12:60", "12:5",   "12:055", "123:00",
                                      ":30", "12",    "12.30", "12:30 ", "-1:30",  "12:30:00"};
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        minutes = 7;
        assert_false(time_parse_clock(text_of(bad[index]), &minutes));
        assert_int_equal(minutes, 7);
    }
}

static void test_format(void **state)
{
    (void)state;
    char text[TIME_TEXT_BYTES];
    time_format_iso(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    time_format_iso(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
    time_format_iso(utc(2024, 8, 17, 14, 0) + 500000, text);
    assert_string_equal(text, "2024-08-17T14:00:00.500000Z");
    time_format_iso(TIME_NONE, text);
    assert_string_equal(text, "");
    time_format_iso(TIME_NONE + 1, text);
    assert_string_equal(text, "-290308-12-21T19:59:05.224193Z");
    time_format_iso(INT64_MAX, text);
    assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
    time_format_date(-1, text);
    assert_string_equal(text, "1969-12-31");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day_1800_to_2200),
        cmocka_unit_test(test_texts_round_trip_every_day),
        cmocka_unit_test(test_day_of_is_floor),
        cmocka_unit_test(test_london_changes),
        cmocka_unit_test(test_london_matches),
        cmocka_unit_test(test_parse_iso),
        cmocka_unit_test(test_parse_football_date),
        cmocka_unit_test(test_parse_clock),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
