/* Tests of job/time_zone.h. The offsets are those that the C library finds in the same files (localtime_r), over all zones
 * named here and two centuries; the policy for local times that are skipped or come twice is checked on changes known by
 * date. Files are built byte by byte for what must be refused. */
#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "job/time_zone.h"
#include "os/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const char *const names[] = {
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Lagos",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Pacific/Apia",
    "Pacific/Chatham",
    "America/Nuuk",
    "Asia/Gaza",
    "America/Sao_Paulo",
    "Etc/GMT-14",
    "EST5EDT",
    "Africa/Monrovia",
    "Antarctica/Troll",
};
enum { NAME_COUNT = sizeof(names) / sizeof(*names) };

static struct zone *open_zone(const char *name)
{
    struct zone *zone = NULL;
    struct err err = {0};
    if (zone_open(NULL, name, &zone, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return zone;
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return time_from_civil((struct civil){year, month, day, hour, minute, 0}, ZONE_UTC);
}

/* What the C library says. */
static int64_t library_offset(int64_t time_us)
{
    struct tm tm;
    time_t seconds = (time_t)(time_us / TIME_SECOND_US);
    assert_non_null(localtime_r(&seconds, &tm));
    return tm.tm_gmtoff;
}

static void test_offsets_are_those_of_the_library(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 7);
    for (size_t n = 0; n < NAME_COUNT; n++) {
        struct zone *zone = open_zone(names[n]);
        setenv("TZ", names[n], 1);
        tzset();
        for (int i = 0; i < 4000; i++) {
            /* the C library does not read years before 1900 as we do; 1902 is where its 32-bit past begins */
            int64_t day = time_day_from_civil(1903, 1, 1) +
                          (int64_t)(random_uniform(&random) * (double)(time_day_from_civil(2110, 1, 1) -
                                                                       time_day_from_civil(1903, 1, 1)));
            int64_t time_us = day * TIME_DAY_US + (int64_t)(random_uniform(&random) * 86400) * TIME_SECOND_US;
            int64_t offset_s = (zone_to_local(zone, time_us) - time_us) / TIME_SECOND_US;
            if (offset_s != library_offset(time_us))
                fail_msg("%s at %lld: %lld, not %lld", names[n], (long long)time_us, (long long)offset_s,
                         (long long)library_offset(time_us));
        }
        zone_close(zone);
    }
    unsetenv("TZ");
    tzset();
}

static void test_spans_follow_each_other(void **state)
{
    (void)state;
    for (size_t n = 0; n < NAME_COUNT; n++) {
        struct zone *zone = open_zone(names[n]);
        struct zone_span span, again;
        zone_span_at(zone, at(1890, 1, 1, 0, 0), &span);
        for (int steps = 0; span.to_us < at(2060, 1, 1, 0, 0); steps++) {
            struct zone_span next;
            assert_true(steps < 2000);
            zone_span_at(zone, span.to_us, &next);
            assert_true(next.from_us == span.to_us && next.to_us > next.from_us);
            zone_span_at(zone, span.to_us - 1, &again);
            assert_true(again.to_us == span.to_us && again.offset_s == span.offset_s);
            span = next;
        }
        zone_close(zone);
    }
}

static void check_local(const char *name, int64_t local_us, int64_t expected_us)
{
    struct zone *zone = open_zone(name);
    assert_int_equal(zone_to_utc(zone, local_us), expected_us);
    zone_close(zone);
}

static void test_skipped_and_doubled_times(void **state)
{
    (void)state;
    /* Berlin: 2026-03-29 02:00 -> 03:00 at 01:00Z; 2026-10-25 03:00 -> 02:00 at 01:00Z */
    check_local("Europe/Berlin", at(2026, 3, 29, 1, 59), at(2026, 3, 29, 0, 59));
    check_local("Europe/Berlin", at(2026, 3, 29, 2, 0), at(2026, 3, 29, 1, 0));
    check_local("Europe/Berlin", at(2026, 3, 29, 2, 59), at(2026, 3, 29, 1, 0));
    check_local("Europe/Berlin", at(2026, 3, 29, 3, 0), at(2026, 3, 29, 1, 0));
    check_local("Europe/Berlin", at(2026, 10, 25, 2, 30), at(2026, 10, 25, 0, 30));
    check_local("Europe/Berlin", at(2026, 10, 25, 3, 0), at(2026, 10, 25, 2, 0));
    /* by the rule of the footer alone, after the table ends */
    check_local("Europe/Berlin", at(2075, 3, 31, 2, 30), at(2075, 3, 31, 1, 0));
    /* New York: 2026-03-08 02:00 -> 03:00 at 07:00Z; 2026-11-01 02:00 -> 01:00 at 06:00Z */
    check_local("America/New_York", at(2026, 3, 8, 2, 30), at(2026, 3, 8, 7, 0));
    check_local("America/New_York", at(2026, 11, 1, 1, 30), at(2026, 11, 1, 5, 30));
    /* Lord Howe moves by half an hour: 2026-10-04 02:00 -> 02:30 at 15:30Z; 2026-04-05 02:00 -> 01:30 at 15:00Z */
    check_local("Australia/Lord_Howe", at(2026, 10, 4, 2, 15), at(2026, 10, 3, 15, 30));
    check_local("Australia/Lord_Howe", at(2026, 4, 5, 1, 45), at(2026, 4, 4, 14, 45));
    /* Apia had no 30 December 2011 */
    check_local("Pacific/Apia", at(2011, 12, 30, 12, 0), at(2011, 12, 30, 10, 0));
    check_local("Africa/Lagos", at(2026, 7, 1, 12, 0), at(2026, 7, 1, 11, 0));
    check_local("UTC", at(2026, 3, 29, 2, 30), at(2026, 3, 29, 2, 30));
}

static void test_local_times_never_go_back(void **state)
{
    (void)state;
    for (size_t n = 0; n < NAME_COUNT; n++) {
        struct zone *zone = open_zone(names[n]);
        int64_t last_us = INT64_MIN;
        for (int64_t local_us = at(2011, 1, 1, 0, 0); local_us < at(2013, 1, 1, 0, 0);
             local_us += 7 * TIME_MINUTE_US) {
            int64_t moment_us = zone_to_utc(zone, local_us);
            assert_true(moment_us >= last_us);
            last_us = moment_us;
        }
        zone_close(zone);
    }
}

static void test_names_stay_in_the_folder(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               "/etc/passwd",
                               "../../etc/passwd",
                               "Europe/../../x",
                               "Europe//Berlin",
                               "Europe/",
                               "Europe/Berlin\n",
                               "C:\\x",
                               ".",
                               "Europe/Berl\xc3\xad",
                               "a b",
                               "zone.tab",
                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct zone *zone = NULL;
        struct err err = {0};
        assert_int_equal(zone_open(NULL, bad[i], &zone, &err), ERR_INVALID);
        assert_string_equal(err.field, "time_zone");
    }
    struct zone *zone = NULL;
    struct err err = {0};
    assert_int_equal(zone_open(NULL, "Europe", &zone, &err), ERR_NOT_FOUND);
    assert_int_equal(zone_open(NULL, "Europe/Atlantis", &zone, &err), ERR_NOT_FOUND);
    assert_int_equal(zone_open("/etc", "passwd", &zone, &err), ERR_NOT_FOUND); /* a file that is no zone */
    assert_int_equal(zone_open("/nowhere", "Europe/Berlin", &zone, &err), ERR_NOT_FOUND);
    assert_int_equal(zone_open("/nowhere", "UTC", &zone, &err), ERR_OK);
    assert_string_equal(zone_name(zone), "UTC");
    zone_close(zone);
}

/* A file of version 2 with one type and no change. */
static size_t make_file(unsigned char *out, int32_t offset_s, const char *footer)
{
    unsigned char *at_byte = out;
    for (int block = 0; block < 2; block++) {
        memset(at_byte, 0, 44);
        memcpy(at_byte, "TZif2", 5);
        at_byte[39] = 1; /* types */
        at_byte[43] = 4; /* characters */
        at_byte += 44;
        for (int shift = 24; shift >= 0; shift -= 8)
            *at_byte++ = (unsigned char)((uint32_t)offset_s >> shift);
        memcpy(at_byte, "\0\0ABC", 6);
        at_byte += 6;
    }
    size_t size_bytes = strlen(footer);
    memcpy(at_byte, footer, size_bytes);
    return (size_t)(at_byte - out) + size_bytes;
}

static enum err_code read_made(int32_t offset_s, const char *footer, struct zone **out)
{
    unsigned char file[512];
    size_t size_bytes = make_file(file, offset_s, footer);
    return zone_read(file, size_bytes, "made", out, NULL);
}

static void test_rules_of_the_footer(void **state)
{
    (void)state;
    struct zone *zone = NULL;
    assert_int_equal(read_made(3600, "\n\n", &zone), ERR_OK);
    assert_int_equal(zone_to_local(zone, 0), 3600 * TIME_SECOND_US);
    zone_close(zone);
    assert_int_equal(read_made(0, "\n<+0330>-3:30\n", &zone), ERR_OK);
    assert_int_equal(zone_to_local(zone, 0), 12600 * TIME_SECOND_US);
    zone_close(zone);
    /* summer all year (RFC 8536, 3.3.1) */
    assert_int_equal(read_made(0, "\nEST5EDT,0/0,J365/25\n", &zone), ERR_OK);
    for (int month = 1; month <= 12; month++)
        assert_int_equal(zone_to_local(zone, at(2026, month, 1, 0, 0)),
                         at(2026, month, 1, 0, 0) - 4 * TIME_HOUR_US);
    assert_int_equal(zone_to_local(zone, at(2027, 1, 1, 5, 0)), at(2027, 1, 1, 1, 0));
    zone_close(zone);
    const char *const bad[] = {"",
                               "\n",
                               "X\n",
                               "\nCET-1CEST,M3.5.0,M10.5.0/3",
                               "\nCET\n",
                               "\nCET-25\n",
                               "\nCET-1CEST\n",
                               "\nCET-1CEST,M13.5.0,M10.5.0\n",
                               "\nCET-1CEST,M3.0.0,M10.5.0\n",
                               "\nCET-1CEST,M3.5.7,M10.5.0\n",
                               "\nCET-1CEST,J0,J9\n",
                               "\nCET-1CEST,366,9\n",
                               "\nCET-1CEST,M3.5.0/168,M10.5.0\n",
                               "\nCET-1CEST,M3.5.0,M10.5.0x\n",
                               "\n<CET-1\n",
                               "\n-1\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        zone = NULL;
        if (read_made(0, bad[i], &zone) != ERR_CORRUPT)
            fail_msg("taken: '%s'", bad[i]);
    }
    assert_int_equal(read_made(30 * 3600, "\n\n", &zone), ERR_CORRUPT);
}

static void test_cut_files_are_refused(void **state)
{
    (void)state;
    struct file_map map;
    struct zone *zone;
    assert_int_equal(file_map_open("/usr/share/zoneinfo/Europe/Berlin", 1 << 20, &map, NULL), ERR_OK);
    char *copy = malloc(map.size_bytes);
    assert_non_null(copy);
    memcpy(copy, map.data, map.size_bytes);
    for (size_t cut = 0; cut < map.size_bytes; cut++) {
        char *part = malloc(cut + 1); /* its own block, so that a sanitizer sees a read behind it */
        assert_non_null(part);
        memcpy(part, copy, cut);
        assert_int_equal(zone_read(part, cut, "cut", &zone, NULL), ERR_CORRUPT);
        free(part);
    }
    copy[4] = '\0'; /* version 1 */
    assert_int_equal(zone_read(copy, map.size_bytes, "old", &zone, NULL), ERR_CORRUPT);
    free(copy);
    file_map_close(&map);
}

static void test_leap_seconds_are_refused(void **state)
{
    (void)state;
    struct zone *zone = NULL;
    struct err err = {0};
    enum err_code code = zone_open(NULL, "right/Europe/Berlin", &zone, &err);
    assert_true(code == ERR_NOT_FOUND || code == ERR_INVALID); /* not every system has the folder */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets_are_those_of_the_library),
        cmocka_unit_test(test_spans_follow_each_other),
        cmocka_unit_test(test_skipped_and_doubled_times),
        cmocka_unit_test(test_local_times_never_go_back),
        cmocka_unit_test(test_names_stay_in_the_folder),
        cmocka_unit_test(test_rules_of_the_footer),
        cmocka_unit_test(test_cut_files_are_refused),
        cmocka_unit_test(test_leap_seconds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
