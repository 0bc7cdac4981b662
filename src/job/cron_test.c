/* Tests of job/cron.h. The reference is slow and of another make: it keeps each field as a list of booleans filled by hand
 * from a table of its own, walks through every real minute of a year and asks for each what the clock on the wall shows. */
#include "base/random.h"
#include "base/time.h"
#include "job/cron.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return time_from_civil((struct civil){year, month, day, hour, minute, 0}, ZONE_UTC);
}

static struct cron parse(const char *text)
{
    struct cron cron;
    struct err err = {0};
    if (cron_parse(text, &cron, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return cron;
}

static struct zone *open_zone(const char *name)
{
    struct zone *zone = NULL;
    assert_int_equal(zone_open(NULL, name, &zone, NULL), ERR_OK);
    return zone;
}

/* ---- the slow reference ---- */

struct slow {
    bool minute[60], hour[24], day[32], month[13], weekday[7];
    bool is_either, is_interval;
};

/* "a-b/c", "a/c", "a", "*", "*" + "/c" with numbers only, by strtol. */
static void slow_item(const char *item, int low, int high, bool *out, int wrap)
{
    char *rest = NULL;
    long from = low, to = high, step = 1;
    if (*item == '*') {
        rest = (char *)(uintptr_t)item + 1;
    } else {
        from = strtol(item, &rest, 10);
        to = *rest == '/' ? high : from;
        if (*rest == '-')
            to = strtol(rest + 1, &rest, 10);
    }
    if (*rest == '/')
        step = strtol(rest + 1, &rest, 10);
    assert_int_equal(*rest, '\0');
    for (long value = from; value <= to; value += step)
        out[wrap != 0 ? value % wrap : value] = true;
}

static void slow_field(char *field, int low, int high, bool *out, int wrap)
{
    for (char *item = strsep(&field, ","); item != NULL; item = strsep(&field, ","))
        slow_item(item, low, high, out, wrap);
}

static struct slow slow_parse(const char *text)
{
    struct slow slow = {0};
    char copy[256], *rest = copy, *parts[5];
    snprintf(copy, sizeof copy, "%s", text);
    for (int i = 0; i < 5; i++)
        parts[i] = strsep(&rest, " ");
    assert_null(rest);
    slow.is_either = parts[2][0] != '*' && parts[4][0] != '*';
    slow.is_interval = parts[0][0] == '*' || parts[1][0] == '*';
    slow_field(parts[0], 0, 59, slow.minute, 0);
    slow_field(parts[1], 0, 23, slow.hour, 0);
    slow_field(parts[2], 1, 31, slow.day, 0);
    slow_field(parts[3], 1, 12, slow.month, 0);
    slow_field(parts[4], 0, 6, slow.weekday, 7);
    return slow;
}

static bool slow_fits(const struct slow *slow, int64_t local_us)
{
    struct civil civil = time_to_civil(local_us, ZONE_UTC);
    bool day = slow->day[civil.day], weekday = slow->weekday[(time_weekday(time_day_of(local_us)) + 1) % 7];
    return slow->minute[civil.minute] && slow->hour[civil.hour] && slow->month[civil.month] &&
           (slow->is_either ? day || weekday : day && weekday);
}

/* Compares all firings of [from, to). */
static void compare(const char *text, const char *zone_text, int64_t from_us, int64_t to_us)
{
    struct zone *zone = open_zone(zone_text);
    struct slow slow = slow_parse(text);
    struct cron cron = parse(text);
    int64_t next_us = cron_next(&cron, zone, from_us - 1), newest_us = zone_to_local(zone, from_us - 1);
    newest_us -= newest_us % TIME_MINUTE_US;
    for (int64_t time_us = from_us; time_us < to_us; time_us += TIME_MINUTE_US) {
        int64_t local_us = zone_to_local(zone, time_us);
        bool fires = slow.is_interval && slow_fits(&slow, local_us);
        for (; !slow.is_interval && newest_us < local_us; newest_us += TIME_MINUTE_US)
            fires = fires || slow_fits(&slow, newest_us + TIME_MINUTE_US);
        if (fires != (next_us == time_us))
            fail_msg("'%s' in %s at %lld: %s", text, zone_text, (long long)time_us,
                     fires ? "does not fire" : "fires");
        if (fires)
            next_us = cron_next(&cron, zone, time_us);
    }
    zone_close(zone);
}

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                    "Africa/Lagos"};

static void test_a_year_in_five_zones(void **state)
{
    (void)state;
    const char *const texts[] = {"*/5 * * * *", "30 2 * * *", "15,45 1,2 * * *",
                                 "0 */2 * * *", "0 0 1 * 1",  "0 0 */2 * 2",
                                 "*/7 2 * * 0", "0 2 29 2 *", "10/20 3 * 3,10 *"};
    for (size_t z = 0; z < sizeof(zones) / sizeof(*zones); z++) {
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
            compare(texts[i], zones[z], at(2026, 1, 1, 0, 0), at(2027, 1, 1, 0, 0));
    }
    compare("30 12 * * *", "Pacific/Apia", at(2011, 12, 1, 0, 0), at(2012, 1, 31, 0, 0));
    compare("* 12 * * *", "Pacific/Apia", at(2011, 12, 1, 0, 0), at(2012, 1, 31, 0, 0));
}

static void random_field(struct random *random, int low, int high, char *out, size_t out_bytes)
{
    int from = low + (int)(random_uniform(random) * (high - low + 1));
    int to = from + (int)(random_uniform(random) * (high - from + 1));
    int step = 1 + (int)(random_uniform(random) * 6);
    switch ((int)(random_uniform(random) * 6)) {
    case 0:
        snprintf(out, out_bytes, "*/%d", step);
        break;
    case 1:
        snprintf(out, out_bytes, "%d", from);
        break;
    case 2:
        snprintf(out, out_bytes, "%d-%d", from, to);
        break;
    case 3:
        snprintf(out, out_bytes, "%d-%d/%d,%d", from, to, step, low);
        break;
    default:
        snprintf(out, out_bytes, "*");
        break;
    }
}

static void test_random_expressions(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 11);
    for (int i = 0; i < 150; i++) {
        char parts[5][32], text[200];
        random_field(&random, 0, 59, parts[0], sizeof parts[0]);
        random_field(&random, 0, 23, parts[1], sizeof parts[1]);
        random_field(&random, 1, 31, parts[2], sizeof parts[2]);
        random_field(&random, 1, 12, parts[3], sizeof parts[3]);
        random_field(&random, 0, 6, parts[4], sizeof parts[4]);
        snprintf(text, sizeof text, "%s %s %s %s %s", parts[0], parts[1], parts[2], parts[3], parts[4]);
        int month = 1 + (int)(random_uniform(&random) * 10);
        compare(text, zones[i % 5], at(2027, month, 1, 0, 0), at(2027, month + 2, 1, 0, 0));
    }
}

static void check_next(const char *text, const char *zone_text, int64_t after_us, int64_t expected_us)
{
    struct zone *zone = open_zone(zone_text);
    struct cron cron = parse(text);
    assert_int_equal(cron_next(&cron, zone, after_us), expected_us);
    zone_close(zone);
}

static void test_known_moments(void **state)
{
    (void)state;
    check_next("0 2 * * *", "Europe/Berlin", at(2026, 3, 28, 12, 0), at(2026, 3, 29, 1, 0));
    check_next("0 2 * * *", "Europe/Berlin", at(2026, 3, 29, 1, 0), at(2026, 3, 30, 0, 0));
    check_next("30 2 * * *", "Europe/Berlin", at(2026, 10, 25, 0, 30), at(2026, 10, 26, 1, 30));
    check_next("*/30 * * * *", "Europe/Berlin", at(2026, 10, 25, 0, 30), at(2026, 10, 25, 1, 0));
    check_next("0 0 29 2 *", "UTC", at(2096, 3, 1, 0, 0), at(2104, 2, 29, 0, 0));
    /* the weekday field begins with a star, so both must fit: Sunday 29 February, across 2100 */
    check_next("0 0 29 2 */7", "UTC", at(2088, 3, 1, 0, 0), at(2128, 2, 29, 0, 0));
    check_next("* * * * *", "UTC", at(2026, 1, 1, 0, 0) - 1, at(2026, 1, 1, 0, 0));
    check_next("* * * * *", "UTC", at(2026, 1, 1, 0, 0), at(2026, 1, 1, 0, 1));
    check_next("59 23 31 12 *", "UTC", at(1969, 12, 31, 23, 58), at(1969, 12, 31, 23, 59));
    check_next("0 0 30 2 *", "UTC", 0, TIME_NONE);
    check_next("* * 31 4,6,9,11 *", "Europe/Berlin", 0, TIME_NONE);
}

static void test_never(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool is_never;
    } cases[] = {{"0 0 30 2 *", true},   {"* * 31 2,4,6,9,11 *", true},
                 {"0 0 29 2 *", false},  {"0 0 30 2 1", false}, /* or Mondays in February */
                 {"0 0 31 4 */2", true}, {"* * * * *", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cron cron = parse(cases[i].text);
        assert_int_equal(cron_is_never(&cron), cases[i].is_never);
    }
}

static void check_same(const char *left, const char *right)
{
    struct cron a = parse(left), b = parse(right);
    assert_true(a.minute == b.minute && a.hour == b.hour && a.day == b.day && a.month == b.month &&
                a.weekday == b.weekday && a.has_star_day == b.has_star_day && a.is_interval == b.is_interval);
}

static void test_other_ways_to_write_it(void **state)
{
    (void)state;
    check_same("@yearly", "0 0 1 1 *");
    check_same("@Annually", "0 0 1 1 *");
    check_same("@monthly", "0 0 1 * *");
    check_same("@weekly", "0 0 * * 0");
    check_same(" @daily ", "0 0 * * *");
    check_same("@midnight", "0 0 * * *");
    check_same("@hourly", "0 * * * *");
    check_same("0 0 * jan-mar,DEC mon-Fri", "0 0 * 1-3,12 1-5");
    check_same("\t0  0\t* * 7 ", "0 0 * * 0");
    check_same("0 0 1 * 5-7", "0 0 1 * 0,5,6");
    check_same("0 0 1 * fri-sun", "0 0 1 * 0,5,6");
    check_same("5/20 * * * *", "5,25,45 * * * *");
    check_same("0-59/15 1 * * *", "0,15,30,45 1 * * *");
    check_same("0 0 1 * 7/7", "0 0 1 * 0");
    check_same("0 0 1 * 2/2", "0 0 1 * 2,4,6");
    check_same("0 0 1 * 1-7/2", "0 0 1 * 1,3,5,0");
}

static void test_refusals_name_the_place(void **state)
{
    (void)state;
    const struct {
        const char *text, *why;
    } cases[] = {
        {"60 * * * *", "cron field 'minute' (column 1): '60' is not in 0..59"},
        {"0 24 * * *", "cron field 'hour' (column 3): '24' is not in 0..23"},
        {"0 0 0 * *", "cron field 'day of month' (column 5): '0' is not in 1..31"},
        {"0 0 * 13 *", "cron field 'month' (column 7): '13' is not in 1..12 or jan..dec"},
        {"0 0 * feb-foo *", "cron field 'month' (column 11): 'foo' is not in 1..12 or jan..dec"},
        {"0 0 * * 8", "cron field 'weekday' (column 9): '8' is not in 0..7 or sun..sat"},
        {"5-1 * * * *",
         "cron field 'minute' (column 1): '5-1' runs backwards; write two ranges with a comma"},
        {"1, * * * *", "cron field 'minute' (column 1): '1,' has nothing beside a comma"},
        {"*/0 * * * *",
         "cron field 'minute' (column 3): '0' is not a step: a whole number from 1 to the largest value"},
        {"*/60 * * * *",
         "cron field 'minute' (column 3): '60' is not a step: a whole number from 1 to the largest value"},
        {"1,2,x * * * *", "cron field 'minute' (column 5): 'x' is not in 0..59"},
        {"-1 * * * *", "cron field 'minute' (column 1): '' is not in 0..59"},
        {"+1 * * * *", "cron field 'minute' (column 1): '+1' is not in 0..59"},
        {"1.5 * * * *", "cron field 'minute' (column 1): '1.5' is not in 0..59"},
        {"* * * * * *", "cron expression (column 11): '*' is a sixth field; there are five"},
        {"@every 5m", "'@every 5m' is none of @yearly, @monthly, @weekly, @daily, @hourly"},
        {"** * * * *", "cron field 'minute' (column 1): '**' is not in 0..59"},
        {"* * L * *", "cron field 'day of month' (column 5): 'L' is not in 1..31"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cron cron;
        struct err err = {0};
        assert_int_equal(cron_parse(cases[i].text, &cron, &err), ERR_INVALID);
        assert_string_equal(err.text, cases[i].why);
        assert_string_equal(err.field, "cron");
    }
    char many[CRON_TEXT_BYTES + 1] = ""; /* good, but too long */
    memset(many, ' ', CRON_TEXT_BYTES);
    memcpy(many, "* * * * *", 9);
    const char *const others[] = {"", "*", "* * * *", "\xff * * * *", many};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        struct cron cron;
        assert_int_equal(cron_parse(others[i], &cron, NULL), ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_year_in_five_zones),   cmocka_unit_test(test_random_expressions),
        cmocka_unit_test(test_known_moments),          cmocka_unit_test(test_never),
        cmocka_unit_test(test_other_ways_to_write_it), cmocka_unit_test(test_refusals_name_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
