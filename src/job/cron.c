/* Cron: each field becomes a set of bits. The next local minute is found from the largest field down: months whose set of
 * fitting days is empty are passed over in one step, then the first fitting day, hour and minute are bits to be found.
 * Above that, time zones: a time of the wall clock is turned into a moment; an interval is looked for in one span of constant
 * offset after the other. */
#include "job/cron.h"

#include "base/text.h"
#include "base/time.h"

#include <assert.h>
#include <string.h>

enum { FIELDS = 5, YEARS = 100, MINUTES_OF_DAY = 24 * 60 };
/* 29 February on a given weekday comes after 40 years at the latest (across 2100); YEARS is beyond that */

struct field {
    const char *name;
    int low, high;
    const char *const *names; /* of low and on; NULL: numbers only */
    int name_count;
};
static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
static const struct field fields[FIELDS] = {
    {"minute", 0, 59, NULL, 0},          {"hour", 0, 23, NULL, 0},
    {"day of month", 1, 31, NULL, 0},    {"month", 1, 12, month_names, 12},
    {"weekday", 0, 7, weekday_names, 7},
};
enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY };

static const struct {
    const char *name, *means;
} macros[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"},
};

/* ---- reading ---- */

/* Where the reader is: an item of a field. */
struct place {
    const struct field *field;
    const char *start; /* of the expression */
};

static enum err_code refuse(const struct place *place, struct text text, const char *why, struct err *err)
{
    return err_set_field(err, ERR_INVALID, "cron", "cron field '%s' (column %d): '%.*s' %s",
                         place->field->name, (int)(text.data - place->start) + 1, (int)text.size_bytes,
                         text.data, why);
}

/* err_set_field with what the field may hold. */
static enum err_code refuse_value(const struct place *place, struct text text, struct err *err)
{
    const struct field *field = place->field;
    return err_set_field(err, ERR_INVALID, "cron", "cron field '%s' (column %d): '%.*s' is not in %d..%d%s",
                         field->name, (int)(text.data - place->start) + 1, (int)text.size_bytes, text.data,
                         field->low, field->high,
                         field->names == month_names     ? " or jan..dec"
                         : field->names == weekday_names ? " or sun..sat"
                                                         : "");
}

static bool is_number(struct text text)
{
    for (size_t i = 0; i < text.size_bytes; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.size_bytes > 0 && text.size_bytes <= 4;
}

static enum err_code read_value(const struct place *place, struct text text, int *out, struct err *err)
{
    const struct field *field = place->field;
    int64_t number;
    for (int i = 0; i < field->name_count; i++) {
        if (text_equal_nocase(text, field->names[i])) {
            *out = field->low + i;
            return ERR_OK;
        }
    }
    if (!is_number(text) || !text_parse_i64(text, &number) || number < field->low || number > field->high)
        return refuse_value(place, text, err);
    *out = (int)number;
    return ERR_OK;
}

static struct text text_between(const char *from, const char *to)
{
    return (struct text){from, (size_t)(to - from)};
}

/* "*", "5", "mon-fri"; *is_open: one value, which a step extends to the end. */
static enum err_code read_range(const struct place *place, struct text text, int *low, int *high,
                                bool *is_open, struct err *err)
{
    const char *dash = memchr(text.data, '-', text.size_bytes), *end = text.data + text.size_bytes;
    *is_open = false;
    if (text_equal(text, "*")) {
        *low = place->field->low;
        *high = place->field->names == weekday_names ? 6 : place->field->high;
        return ERR_OK;
    }
    enum err_code code = read_value(place, text_between(text.data, dash != NULL ? dash : end), low, err);
    if (code != ERR_OK)
        return code;
    *is_open = dash == NULL;
    *high = *low;
    if (dash != NULL)
        code = read_value(place, text_between(dash + 1, end), high, err);
    if (code == ERR_OK && place->field->names == weekday_names && *high == 0 && *low > 0)
        *high = 7; /* fri-sun */
    if (code == ERR_OK && *high < *low)
        return refuse(place, text, "runs backwards; write two ranges with a comma", err);
    return code;
}

static enum err_code read_item(const struct place *place, struct text text, uint64_t *bits, struct err *err)
{
    const char *slash = memchr(text.data, '/', text.size_bytes), *end = text.data + text.size_bytes;
    int low = 0, high = 0;
    int64_t step = 1;
    bool is_open = false;
    enum err_code code =
        read_range(place, text_between(text.data, slash != NULL ? slash : end), &low, &high, &is_open, err);
    if (code != ERR_OK)
        return code;
    if (slash != NULL) {
        struct text number = text_between(slash + 1, end);
        if (!is_number(number) || !text_parse_i64(number, &step) || step < 1 || step > place->field->high)
            return refuse(place, number, "is not a step: a whole number from 1 to the largest value", err);
        if (is_open)
            high = place->field->names == weekday_names && low < 7 ? 6 : place->field->high;
    }
    for (int value = low; value <= high; value += (int)step)
        *bits |= UINT64_C(1) << value;
    return ERR_OK;
}

static enum err_code read_field(const struct place *place, struct text text, uint64_t *bits, struct err *err)
{
    struct text rest = text, item;
    *bits = 0;
    while (text_split(&rest, ',', &item)) {
        enum err_code code = item.size_bytes == 0 ? refuse(place, text, "has nothing beside a comma", err)
                                                  : read_item(place, item, bits, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static enum err_code split_fields(const char *text, struct text out[FIELDS], struct err *err)
{
    size_t count = 0;
    for (const char *at = text;;) {
        while (is_blank(*at))
            at++;
        if (*at == '\0')
            break;
        const char *start = at;
        while (*at != '\0' && !is_blank(*at))
            at++;
        if (count == FIELDS)
            return err_set_field(err, ERR_INVALID, "cron",
                                 "cron expression (column %d): '%s' is a sixth field; there are five",
                                 (int)(start - text) + 1, start);
        out[count++] = text_between(start, at);
    }
    if (count < FIELDS)
        return err_set_field(err, ERR_INVALID, "cron",
                             "cron expression '%s' has %zu fields; write minute, hour, day of month, month "
                             "and weekday, like '0 2 * * *'",
                             text, count);
    return ERR_OK;
}

static enum err_code find_macro(const char **text, struct err *err)
{
    struct text name = text_trim(text_of(*text));
    if (!text_starts(name, "@"))
        return ERR_OK;
    for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
        if (text_equal_nocase(name, macros[i].name)) {
            *text = macros[i].means;
            return ERR_OK;
        }
    }
    return err_set_field(err, ERR_INVALID, "cron",
                         "'%s' is none of @yearly, @monthly, @weekly, @daily, @hourly", *text);
}

enum err_code cron_parse(const char *text, struct cron *out, struct err *err)
{
    struct text parts[FIELDS] = {{0}};
    uint64_t bits[FIELDS] = {0};
    if (strlen(text) >= CRON_TEXT_BYTES)
        return err_set_field(err, ERR_INVALID, "cron", "the cron expression is longer than %d bytes",
                             CRON_TEXT_BYTES - 1);
    if (!text_is_utf8(text_of(text)))
        return err_set_field(err, ERR_INVALID, "cron", "the cron expression is not text");
    enum err_code code = find_macro(&text, err);
    if (code == ERR_OK)
        code = split_fields(text, parts, err);
    for (size_t i = 0; code == ERR_OK && i < FIELDS; i++) {
        struct place place = {&fields[i], text};
        code = read_field(&place, parts[i], &bits[i], err);
    }
    if (code != ERR_OK)
        return code;
    if ((bits[WEEKDAY] & UINT64_C(1) << 7) != 0)
        bits[WEEKDAY] = (bits[WEEKDAY] | 1) & 0x7f;
    *out = (struct cron){
        .minute = bits[MINUTE],
        .hour = (uint32_t)bits[HOUR],
        .day = (uint32_t)bits[DAY],
        .month = (uint32_t)bits[MONTH],
        .weekday = (uint32_t)bits[WEEKDAY],
        .has_star_day = parts[DAY].data[0] == '*' || parts[WEEKDAY].data[0] == '*',
        .is_interval = parts[MINUTE].data[0] == '*' || parts[HOUR].data[0] == '*',
    };
    return ERR_OK;
}

/* ---- the next local minute ---- */

/* The lowest set bit that is not below `from`; -1 none. */
static int next_bit(uint64_t bits, int from)
{
    uint64_t rest = from > 63 ? 0 : bits >> from << from;
    return rest != 0 ? __builtin_ctzll(rest) : -1;
}

static int month_days(int year, int month)
{
    int64_t next =
        month == 12 ? time_day_from_civil(year + 1, 1, 1) : time_day_from_civil(year, month + 1, 1);
    return (int)(next - time_day_from_civil(year, month, 1));
}

/* Bits 1..31: the days of the month that fit. */
static uint64_t fitting_days(const struct cron *cron, int year, int month)
{
    int first = (time_weekday(time_day_from_civil(year, month, 1)) + 1) % 7; /* 0 Sunday */
    uint64_t all = (UINT64_C(1) << (month_days(year, month) + 1)) - 2, weekdays = 0;
    for (int weekday = 0; weekday < 7; weekday++) {
        /* every seventh day from the first of this weekday on: bits 1, 8, 15, 22, 29 moved there */
        if ((cron->weekday >> weekday & 1) != 0)
            weekdays |= UINT64_C(0x20408102) << ((weekday - first + 7) % 7);
    }
    uint64_t days = cron->has_star_day ? cron->day & weekdays : cron->day | weekdays;
    return days & all;
}

/* The first fitting day (since 1970) not before `day`; false: none within YEARS. */
static bool next_day(const struct cron *cron, int64_t day, int64_t *out)
{
    int year, month, first;
    time_civil_from_day(day, &year, &month, &first);
    for (int last = year + YEARS; year <= last; month = 1, first = 1, year++) {
        for (int fits = next_bit(cron->month, month); fits != -1; fits = next_bit(cron->month, fits + 1)) {
            int found = next_bit(fitting_days(cron, year, fits), fits == month ? first : 1);
            if (found != -1) {
                *out = time_day_from_civil(year, fits, found);
                return true;
            }
        }
    }
    return false;
}

/* The first fitting minute of a day not before `minute` (of the day); -1: none. */
static int next_minute(const struct cron *cron, int minute)
{
    if (minute >= MINUTES_OF_DAY)
        return -1;
    int hour = next_bit(cron->hour, minute / 60);
    int found = hour == minute / 60 ? next_bit(cron->minute, minute % 60) : -1;
    if (found == -1 && hour == minute / 60)
        hour = next_bit(cron->hour, hour + 1);
    if (hour == -1)
        return -1;
    return hour * 60 + (found != -1 ? found : next_bit(cron->minute, 0));
}

static int64_t floor_minute(int64_t local_us)
{
    int64_t minute = local_us / TIME_MINUTE_US;
    return minute - (local_us % TIME_MINUTE_US < 0 ? 1 : 0);
}

/* Local minutes since 1970: the first that fits and is not before `from`. */
static bool next_local(const struct cron *cron, int64_t from, int64_t *out)
{
    int64_t day = time_day_of(from * TIME_MINUTE_US), found;
    int minute = (int)(from - day * MINUTES_OF_DAY);
    if (!next_day(cron, day, &found))
        return false;
    int first = next_minute(cron, found == day ? minute : 0);
    if (first == -1) { /* only today can be too late */
        assert(found == day);
        if (!next_day(cron, day + 1, &found))
            return false;
        first = next_minute(cron, 0);
    }
    *out = found * MINUTES_OF_DAY + first;
    return true;
}

bool cron_is_never(const struct cron *cron)
{
    int64_t day;
    return !next_day(cron, 0, &day);
}

/* ---- moments ---- */

/* Times of the wall clock: local times in order give moments in order (zone_to_utc never goes back), so the first local time
 * whose moment lies behind is the one. More than a step or two only inside an hour that comes twice. */
static int64_t next_wall(const struct cron *cron, const struct zone *zone, int64_t after_us)
{
    int64_t minute = floor_minute(zone_to_local(zone, after_us));
    for (; next_local(cron, minute, &minute); minute++) {
        int64_t moment_us = zone_to_utc(zone, minute * TIME_MINUTE_US);
        if (moment_us > after_us)
            return moment_us;
    }
    return TIME_NONE;
}

static int64_t next_interval(const struct cron *cron, const struct zone *zone, int64_t after_us)
{
    int64_t from_us = after_us + 1, minute;
    struct zone_span span;
    for (int64_t last_us = after_us + YEARS * 366 * TIME_DAY_US; from_us <= last_us; from_us = span.to_us) {
        zone_span_at(zone, from_us, &span);
        int64_t offset_us = span.offset_s * TIME_SECOND_US;
        if (!next_local(cron, floor_minute(from_us + offset_us + TIME_MINUTE_US - 1), &minute))
            return TIME_NONE;
        if (minute * TIME_MINUTE_US - offset_us < span.to_us)
            return minute * TIME_MINUTE_US - offset_us;
    }
    return TIME_NONE;
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_us)
{
    return cron->is_interval ? next_interval(cron, zone, after_us) : next_wall(cron, zone, after_us);
}
