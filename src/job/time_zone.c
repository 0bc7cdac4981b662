/* Time zones. A TZif file has a header with six counts and a data block in 32-bit times for old readers, then the same in
 * 64 bits, which is what is read here, then one line with a rule in the form of POSIX TZ ("CET-1CEST,M3.5.0,M10.5.0/3") for
 * what comes after the last listed change. Everything is checked against the size of the file before it is read.
 *
 * Changes are kept as two arrays in time order. What a moment's span is: the listed changes around it by bisection; after
 * the last one the rule's changes of the years around it. */
#include "job/time_zone.h"

#include "base/text.h"
#include "base/time.h"
#include "os/file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 1 << 20, /* the largest zone has 4 kB */
    HEADER_BYTES = 44,
    CHANGES_MAX = 20000,
    TYPES_MAX = 256,
    OFFSET_MAX_S = 26 * 3600, /* RFC 8536 asks for less than 26 h */
    RULE_TIME_MAX_S = 167 * 3600 + 3599,
};

/* A day of the year by rule. */
struct rule_day {
    enum { RULE_NONE, RULE_JULIAN, RULE_DAY, RULE_MONTH } kind;
    int month, week,
        day;        /* RULE_MONTH: day 0 Sunday; RULE_JULIAN: day 1..365 without Feb 29; RULE_DAY: 0..365 */
    int32_t time_s; /* local, may lie outside the day */
};
struct rule {
    bool is_set, has_summer;
    int32_t standard_s, summer_s;
    struct rule_day start, end; /* of the summer time */
};

struct zone {
    char name[ZONE_NAME_BYTES];
    struct rule rule;
    int32_t first_s; /* before the first change */
    size_t count;
    int64_t *at_us;    /* [count] */
    int32_t *offset_s; /* [count] from then on */
};

/* ---- the rule of the footer ---- */

struct cursor {
    const char *at, *end;
};

static bool take_char(struct cursor *cursor, char expected)
{
    if (cursor->at == cursor->end || *cursor->at != expected)
        return false;
    cursor->at++;
    return true;
}

static bool take_number(struct cursor *cursor, int most, int *out)
{
    const char *start = cursor->at;
    int value = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' && cursor->at - start < 4)
        value = value * 10 + (*cursor->at++ - '0');
    *out = value;
    return cursor->at > start && value <= most;
}

/* [+-]hh[:mm[:ss]] */
static bool take_clock(struct cursor *cursor, int most_hours, int32_t *out_s)
{
    int hours, minutes = 0, seconds = 0;
    bool is_negative = take_char(cursor, '-');
    if (!is_negative)
        (void)take_char(cursor, '+');
    if (!take_number(cursor, most_hours, &hours))
        return false;
    if (take_char(cursor, ':') && !take_number(cursor, 59, &minutes))
        return false;
    if (minutes >= 0 && take_char(cursor, ':') && !take_number(cursor, 59, &seconds))
        return false;
    *out_s = (hours * 3600 + minutes * 60 + seconds) * (is_negative ? -1 : 1);
    return true;
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* CET, or <+0330> */
static bool take_name(struct cursor *cursor)
{
    const char *start = cursor->at;
    if (take_char(cursor, '<')) {
        while (cursor->at < cursor->end && *cursor->at != '>')
            cursor->at++;
        return take_char(cursor, '>');
    }
    while (cursor->at < cursor->end && is_letter(*cursor->at))
        cursor->at++;
    return cursor->at > start;
}

/* Mm.w.d, Jn or n, then /time */
static bool take_rule_day(struct cursor *cursor, struct rule_day *out)
{
    bool is_good;
    *out = (struct rule_day){.time_s = 2 * 3600};
    if (take_char(cursor, 'M')) {
        out->kind = RULE_MONTH;
        is_good = take_number(cursor, 12, &out->month) && out->month >= 1 && take_char(cursor, '.') &&
                  take_number(cursor, 5, &out->week) && out->week >= 1 && take_char(cursor, '.') &&
                  take_number(cursor, 6, &out->day);
    } else if (take_char(cursor, 'J')) {
        out->kind = RULE_JULIAN;
        is_good = take_number(cursor, 365, &out->day) && out->day >= 1;
    } else {
        out->kind = RULE_DAY;
        is_good = take_number(cursor, 365, &out->day);
    }
    return is_good && (!take_char(cursor, '/') || take_clock(cursor, 167, &out->time_s));
}

/* POSIX writes offsets the other way round: west is positive. */
static bool read_rule(struct cursor cursor, struct rule *out)
{
    int32_t west_s;
    *out = (struct rule){.is_set = true};
    if (!take_name(&cursor) || !take_clock(&cursor, 24, &west_s))
        return false;
    out->standard_s = -west_s;
    if (cursor.at == cursor.end)
        return true;
    out->has_summer = true;
    out->summer_s = out->standard_s + 3600;
    if (!take_name(&cursor))
        return false;
    if (cursor.at < cursor.end && *cursor.at != ',') {
        if (!take_clock(&cursor, 24, &west_s))
            return false;
        out->summer_s = -west_s;
    }
    return take_char(&cursor, ',') && take_rule_day(&cursor, &out->start) && take_char(&cursor, ',') &&
           take_rule_day(&cursor, &out->end) && cursor.at == cursor.end;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Local time of the change in a year. */
static int64_t rule_local_us(const struct rule_day *rule, int year)
{
    int64_t day = time_day_from_civil(year, 1, 1);
    if (rule->kind == RULE_DAY) {
        day += rule->day;
    } else if (rule->kind == RULE_JULIAN) {
        day += rule->day - 1 + (is_leap(year) && rule->day >= 60 ? 1 : 0);
    } else {
        int64_t first = time_day_from_civil(year, rule->month, 1);
        int64_t after = rule->month == 12 ? time_day_from_civil(year + 1, 1, 1)
                                          : time_day_from_civil(year, rule->month + 1, 1);
        int weekday = (time_weekday(first) + 1) % 7; /* 0 Sunday */
        day = first + (rule->day - weekday + 7) % 7 + 7 * (rule->week - 1);
        while (day >= after) /* week 5: the last of the month */
            day -= 7;
    }
    return day * TIME_DAY_US + rule->time_s * TIME_SECOND_US;
}

struct change {
    int64_t at_us;
    int32_t offset_s;
};

/* Changes of the years around `year` in time order. Where summer begins at the moment it ends (a zone that has it all
 * year), it wins. */
static size_t rule_changes(const struct rule *rule, int year, struct change out[6])
{
    size_t count = 0;
    for (int y = year - 1; y <= year + 1; y++) {
        out[count++] =
            (struct change){rule_local_us(&rule->end, y) - rule->summer_s * TIME_SECOND_US, rule->standard_s};
        out[count++] = (struct change){rule_local_us(&rule->start, y) - rule->standard_s * TIME_SECOND_US,
                                       rule->summer_s};
    }
    for (size_t i = 1; i < count; i++) {
        struct change moved = out[i];
        size_t place = i;
        for (; place > 0 && (out[place - 1].at_us > moved.at_us ||
                             (out[place - 1].at_us == moved.at_us && moved.offset_s == rule->standard_s &&
                              out[place - 1].offset_s != moved.offset_s));
             place--)
            out[place] = out[place - 1];
        out[place] = moved;
    }
    return count;
}

static void rule_span(const struct rule *rule, int64_t time_us, struct zone_span *out)
{
    struct change changes[6];
    int year, month, day;
    *out = (struct zone_span){INT64_MIN, INT64_MAX, rule->standard_s};
    if (!rule->has_summer)
        return;
    time_civil_from_day(time_day_of(time_us), &year, &month, &day);
    size_t count = rule_changes(rule, year, changes);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].at_us > time_us) {
            out->to_us = changes[i].at_us;
            return;
        }
        out->from_us = changes[i].at_us;
        out->offset_s = changes[i].offset_s;
    }
}

/* ---- the file ---- */

struct counts {
    uint32_t is_utc, is_standard, leap, time, type, chars;
};

static uint32_t read_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_i64(const unsigned char *at)
{
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static bool read_header(const unsigned char *data, size_t size_bytes, struct counts *out)
{
    if (size_bytes < HEADER_BYTES || memcmp(data, "TZif", 4) != 0 || data[4] < '2')
        return false;
    *out = (struct counts){read_u32(data + 20), read_u32(data + 24), read_u32(data + 28),
                           read_u32(data + 32), read_u32(data + 36), read_u32(data + 40)};
    return out->is_utc <= TYPES_MAX && out->is_standard <= TYPES_MAX && out->leap <= CHANGES_MAX &&
           out->time <= CHANGES_MAX && out->type >= 1 && out->type <= TYPES_MAX &&
           out->chars <= FILE_BYTES_MAX;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
    return counts->time * (time_bytes + 1) + (size_t)counts->type * 6 + counts->chars +
           (size_t)counts->leap * (time_bytes + 4) + counts->is_standard + counts->is_utc;
}

static bool is_offset(int64_t offset_s)
{
    return offset_s > -OFFSET_MAX_S && offset_s < OFFSET_MAX_S;
}

/* Times outside the range of microseconds (some files begin with the big bang) are brought to its edge. */
static int64_t bounded_us(int64_t seconds)
{
    const int64_t most = INT64_C(9000000000000); /* beyond the year 280,000 */
    int64_t bounded = seconds > most ? most : seconds < -most ? -most : seconds;
    return bounded * TIME_SECOND_US;
}

/* data: the 64-bit block. */
static bool read_changes(struct zone *zone, const unsigned char *data, const struct counts *counts)
{
    const unsigned char *indices = data + (size_t)counts->time * 8, *types = indices + counts->time;
    for (size_t i = 0; i < counts->type; i++) {
        if (!is_offset((int32_t)read_u32(types + i * 6)))
            return false;
    }
    zone->first_s = (int32_t)read_u32(types);
    for (size_t i = 0; i < counts->time; i++) {
        zone->at_us[i] = bounded_us(read_i64(data + i * 8));
        if (indices[i] >= counts->type || (i > 0 && zone->at_us[i] < zone->at_us[i - 1]))
            return false;
        zone->offset_s[i] = (int32_t)read_u32(types + (size_t)indices[i] * 6);
    }
    zone->count = counts->time;
    return true;
}

/* "\n<rule>\n" at the end. */
static bool read_footer(struct zone *zone, const unsigned char *data, size_t size_bytes)
{
    if (size_bytes < 2 || data[0] != '\n')
        return false;
    const unsigned char *end = memchr(data + 1, '\n', size_bytes - 1);
    if (end == NULL)
        return false;
    struct cursor cursor = {(const char *)data + 1, (const char *)end};
    return cursor.at == cursor.end || read_rule(cursor, &zone->rule);
}

static enum err_code create(const char *name, size_t changes, struct zone **out, struct err *err)
{
    size_t size_bytes = sizeof(struct zone) + changes * (sizeof(int64_t) + sizeof(int32_t));
    struct zone *zone = calloc(1, size_bytes);
    if (zone == NULL)
        return err_nomem(err, size_bytes);
    (void)text_copy(text_of(name), zone->name, sizeof(zone->name));
    zone->at_us = (int64_t *)(zone + 1);
    zone->offset_s = (int32_t *)(zone->at_us + changes);
    *out = zone;
    return ERR_OK;
}

/* Finds the 64-bit block behind the 32-bit one. */
static bool find_block(const unsigned char *data, size_t size_bytes, struct counts *counts,
                       size_t *out_offset)
{
    if (!read_header(data, size_bytes, counts))
        return false;
    size_t second = HEADER_BYTES + block_bytes(counts, 4);
    if (second > size_bytes || !read_header(data + second, size_bytes - second, counts))
        return false;
    *out_offset = second + HEADER_BYTES;
    return block_bytes(counts, 8) <= size_bytes - *out_offset;
}

enum err_code zone_read(const void *data, size_t size_bytes, const char *name, struct zone **out,
                        struct err *err)
{
    const unsigned char *bytes = data;
    struct zone *zone = NULL;
    struct counts counts = {0};
    size_t offset = 0;
    if (!find_block(bytes, size_bytes, &counts, &offset))
        return err_set(err, ERR_CORRUPT, "time zone '%s': not a TZif file of version 2 or later", name);
    if (counts.leap != 0)
        return err_set_field(err, ERR_INVALID, "time_zone",
                             "time zone '%s' counts leap seconds; name the zone without 'right/'", name);
    enum err_code code = create(name, counts.time, &zone, err);
    if (code != ERR_OK)
        return code;
    size_t end = offset + block_bytes(&counts, 8);
    if (!read_changes(zone, bytes + offset, &counts) || !read_footer(zone, bytes + end, size_bytes - end)) {
        zone_close(zone);
        return err_set(err, ERR_CORRUPT,
                       "time zone '%s': its file has a change or a rule that makes no sense", name);
    }
    *out = zone;
    return ERR_OK;
}

/* Letters, digits, '_', '+', '-' in parts divided by single '/': nothing that leaves the folder. */
static bool is_name(const char *name)
{
    size_t size_bytes = strlen(name);
    char last = '/';
    if (size_bytes == 0 || size_bytes >= ZONE_NAME_BYTES)
        return false;
    for (const char *at = name; *at != '\0'; last = *at++) {
        bool is_plain =
            is_letter(*at) || (*at >= '0' && *at <= '9') || *at == '_' || *at == '+' || *at == '-';
        if (!is_plain && !(*at == '/' && last != '/'))
            return false;
    }
    return last != '/';
}

static enum err_code read_file(const char *path, const char *name, struct zone **out, struct err *err)
{
    struct file_map map = {0};
    struct file_info info;
    enum err_code code = file_stat(path, &info, err);
    if (code == ERR_OK && info.is_folder)
        code = ERR_NOT_FOUND;
    if (code == ERR_OK)
        code = file_map_open(path, FILE_BYTES_MAX, &map, err);
    if (code == ERR_OK && (map.size_bytes < 4 || memcmp(map.data, "TZif", 4) != 0))
        code = ERR_NOT_FOUND; /* one of the tables beside the zones */
    if (code == ERR_OK)
        code = zone_read(map.data, map.size_bytes, name, out, err);
    file_map_close(&map);
    return code != ERR_NOT_FOUND
               ? code
               : err_set_field(err, ERR_NOT_FOUND, "time_zone",
                               "no time zone is called '%s' (for example Europe/Berlin)", name);
}

enum err_code zone_open(const char *folder, const char *name, struct zone **out, struct err *err)
{
    char path[FILE_PATH_BYTES];
    if (!is_name(name))
        return err_set_field(err, ERR_INVALID, "time_zone",
                             "'%.80s' is not the name of a time zone (for example Europe/Berlin)", name);
    if (strcmp(name, "UTC") == 0)
        return create(name, 0, out, err);
    enum err_code code = file_join(folder != NULL ? folder : "/usr/share/zoneinfo", name, path, err);
    return code == ERR_OK ? read_file(path, name, out, err) : code;
}

void zone_close(struct zone *zone)
{
    free(zone);
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

/* ---- asking ---- */

/* How many changes are at or before the moment. */
static size_t changes_until(const struct zone *zone, int64_t time_us)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->at_us[middle] <= time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void zone_span_at(const struct zone *zone, int64_t time_us, struct zone_span *out)
{
    size_t index = changes_until(zone, time_us);
    if (index == zone->count && zone->rule.is_set) {
        rule_span(&zone->rule, time_us, out);
        if (zone->count > 0 && out->from_us < zone->at_us[zone->count - 1])
            out->from_us = zone->at_us[zone->count - 1];
        return;
    }
    out->from_us = index > 0 ? zone->at_us[index - 1] : INT64_MIN;
    out->to_us = index < zone->count ? zone->at_us[index] : INT64_MAX;
    out->offset_s = index > 0 ? zone->offset_s[index - 1] : zone->first_s;
}

int64_t zone_to_local(const struct zone *zone, int64_t time_us)
{
    struct zone_span span;
    zone_span_at(zone, time_us, &span);
    return time_us + span.offset_s * TIME_SECOND_US;
}

/* Walks the spans from safely before: the first one that has not ended at this time by its own clock has it, or begins with
 * the change that skips it. */
int64_t zone_to_utc(const struct zone *zone, int64_t local_us)
{
    const int64_t margin_us = OFFSET_MAX_S * TIME_SECOND_US;
    struct zone_span span;
    zone_span_at(zone, local_us - margin_us, &span);
    while (span.to_us != INT64_MAX && local_us - span.offset_s * TIME_SECOND_US >= span.to_us)
        zone_span_at(zone, span.to_us, &span);
    int64_t moment_us = local_us - span.offset_s * TIME_SECOND_US;
    return span.from_us != INT64_MIN && moment_us < span.from_us ? span.from_us : moment_us;
}
