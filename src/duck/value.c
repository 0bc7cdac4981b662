/* Values: DuckDB's vectors cell by cell. See value.h.
 *
 * Everything numeric goes through one 128-bit integer or one double; what is left are texts and times, and the nested
 * types, which are written as JSON (value_json.c). */
#include "duck/value.h"
#include "base/time.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide; /* ISO C has none; every 64-bit gcc and clang does */
__extension__ typedef unsigned __int128 uwide;

enum { WIDE_DIGITS = 48 };

static const struct type_row {
    const char *name;
    int id, width;
    bool is_signed, is_integer;
} type_rows[] = {
    {"BOOLEAN", DUCK_TYPE_BOOLEAN, 1, false, true},
    {"TINYINT", DUCK_TYPE_TINYINT, 1, true, true},
    {"SMALLINT", DUCK_TYPE_SMALLINT, 2, true, true},
    {"INTEGER", DUCK_TYPE_INTEGER, 4, true, true},
    {"BIGINT", DUCK_TYPE_BIGINT, 8, true, true},
    {"UTINYINT", DUCK_TYPE_UTINYINT, 1, false, true},
    {"USMALLINT", DUCK_TYPE_USMALLINT, 2, false, true},
    {"UINTEGER", DUCK_TYPE_UINTEGER, 4, false, true},
    {"UBIGINT", DUCK_TYPE_UBIGINT, 8, false, true},
    {"FLOAT", DUCK_TYPE_FLOAT, 4, true, false},
    {"DOUBLE", DUCK_TYPE_DOUBLE, 8, true, false},
    {"TIMESTAMP", DUCK_TYPE_TIMESTAMP, 8, true, false},
    {"DATE", DUCK_TYPE_DATE, 4, true, false},
    {"TIME", DUCK_TYPE_TIME, 8, true, false},
    {"INTERVAL", DUCK_TYPE_INTERVAL, 16, true, false},
    {"HUGEINT", DUCK_TYPE_HUGEINT, 16, true, true},
    {"UHUGEINT", DUCK_TYPE_UHUGEINT, 16, false, true},
    {"VARCHAR", DUCK_TYPE_VARCHAR, 16, false, false},
    {"BLOB", DUCK_TYPE_BLOB, 16, false, false},
    {"DECIMAL", DUCK_TYPE_DECIMAL, 0, true, false},
    {"TIMESTAMP_S", DUCK_TYPE_TIMESTAMP_S, 8, true, false},
    {"TIMESTAMP_MS", DUCK_TYPE_TIMESTAMP_MS, 8, true, false},
    {"TIMESTAMP_NS", DUCK_TYPE_TIMESTAMP_NS, 8, true, false},
    {"TIMESTAMP WITH TIME ZONE", DUCK_TYPE_TIMESTAMP_TZ, 8, true, false},
    {"ENUM", DUCK_TYPE_ENUM, 0, false, false},
    {"LIST", DUCK_TYPE_LIST, 16, false, false},
    {"STRUCT", DUCK_TYPE_STRUCT, 0, false, false},
    {"MAP", DUCK_TYPE_MAP, 16, false, false},
    {"ARRAY", DUCK_TYPE_ARRAY, 0, false, false},
    {"UUID", DUCK_TYPE_UUID, 16, false, false},
    {"NULL", DUCK_TYPE_SQLNULL, 4, true, false},
};

static const struct type_row *find_type(int id)
{
    for (size_t i = 0; i < sizeof type_rows / sizeof *type_rows; i++)
        if (type_rows[i].id == id)
            return &type_rows[i];
    return NULL;
}

static int width_of(int id)
{
    const struct type_row *row = find_type(id);
    return row != NULL ? row->width : 0;
}

static void describe(struct value_column *column, const char *name)
{
    const struct duck_library *library = column->library;
    (void)snprintf(column->type_name, sizeof(column->type_name), "%s", name);
    if (column->id == DUCK_TYPE_DECIMAL) {
        column->width = width_of(library->decimal_internal_type(column->type));
        column->scale = library->decimal_scale(column->type);
        (void)snprintf(column->type_name, sizeof(column->type_name), "DECIMAL(%d,%d)",
                       library->decimal_width(column->type), column->scale);
    }
    if (column->id == DUCK_TYPE_ENUM)
        column->width = width_of(library->enum_internal_type(column->type));
}

enum err_code value_column_init(struct value_column *column, const struct duck_library *library, void *type,
                                struct err *err)
{
    *column =
        (struct value_column){.library = library, .type = type, .id = library->get_type_id(type), .width = 0};
    const struct type_row *row = find_type(column->id);
    if (row == NULL)
        return err_set(err, ERR_INVALID, "a column of a type that cannot be shown: CAST it to VARCHAR");
    column->width = row->width;
    describe(column, row->name);
    return ERR_OK;
}

void value_column_release(struct value_column *column)
{
    if (column->type != NULL)
        column->library->destroy_logical_type(&column->type);
}

void value_column_set(struct value_column *column, void *vector)
{
    column->vector = vector;
    column->data = column->library->vector_get_data(vector);
    column->validity = column->library->vector_get_validity(vector);
}

bool value_is_null(const struct value_column *column, uint64_t row)
{
    return column->id == DUCK_TYPE_SQLNULL ||
           (column->validity != NULL && (column->validity[row / 64] >> (row % 64) & 1) == 0);
}

bool value_is_number(const struct value_column *column)
{
    const struct type_row *row = find_type(column->id);
    return row->is_integer || column->id == DUCK_TYPE_FLOAT || column->id == DUCK_TYPE_DOUBLE ||
           column->id == DUCK_TYPE_DECIMAL;
}

/* ---- numbers ---- */

/* The stored integer of any width. */
static wide stored(const struct value_column *column, uint64_t row)
{
    const struct type_row *type = find_type(column->id);
    const char *at = (const char *)column->data + row * (uint64_t)column->width;
    uint64_t low = 0;
    struct duck_raw_i128 both;
    switch (column->width) {
    case 16:
        memcpy(&both, at, sizeof both);
        return (wide)((uwide)(uint64_t)both.high << 64 | both.low);
    case 1:
        return type->is_signed ? *(const int8_t *)at : *(const uint8_t *)at;
    case 2:
        return type->is_signed ? *(const int16_t *)at : *(const uint16_t *)at;
    case 4:
        return type->is_signed ? *(const int32_t *)at : (wide) * (const uint32_t *)at;
    default:
        memcpy(&low, at, sizeof low);
        return type->is_signed ? (wide)(int64_t)low : (wide)low;
    }
}

static double stored_f64(const struct value_column *column, uint64_t row)
{
    return column->id == DUCK_TYPE_FLOAT ? (double)((const float *)column->data)[row]
                                         : ((const double *)column->data)[row];
}

static bool is_real(const struct value_column *column)
{
    return column->id == DUCK_TYPE_FLOAT || column->id == DUCK_TYPE_DOUBLE;
}

static int64_t cut_to_i64(wide value)
{
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

/* Nearest integer towards zero, held in the range; NaN is 0. */
static int64_t cut_f64(double value)
{
    if (isnan(value))
        return 0;
    return value >= 0x1p63 ? INT64_MAX : value <= -0x1p63 ? INT64_MIN : (int64_t)value;
}

static bool is_timestamp(int id)
{
    return id == DUCK_TYPE_TIMESTAMP || id == DUCK_TYPE_TIMESTAMP_TZ || id == DUCK_TYPE_TIMESTAMP_S ||
           id == DUCK_TYPE_TIMESTAMP_MS || id == DUCK_TYPE_TIMESTAMP_NS;
}

/* Of every precision; the infinities (the ends of the range) stay at the ends. */
static int64_t timestamp_us(const struct value_column *column, uint64_t row)
{
    wide value = stored(column, row);
    if (value == INT64_MAX || value == -(wide)INT64_MAX)
        return (int64_t)value;
    if (column->id == DUCK_TYPE_TIMESTAMP_S)
        value *= TIME_SECOND_US;
    if (column->id == DUCK_TYPE_TIMESTAMP_MS)
        value *= 1000;
    if (column->id == DUCK_TYPE_TIMESTAMP_NS)
        value = value / 1000 - (value % 1000 < 0);
    return cut_to_i64(value);
}

int64_t value_i64(const struct value_column *column, uint64_t row)
{
    if (value_is_null(column, row))
        return 0;
    if (is_timestamp(column->id))
        return timestamp_us(column, row);
    if (is_real(column))
        return cut_f64(stored_f64(column, row));
    if (column->id == DUCK_TYPE_DECIMAL) {
        wide value = stored(column, row);
        for (int i = 0; i < column->scale; i++)
            value /= 10;
        return cut_to_i64(value);
    }
    if (column->id == DUCK_TYPE_UHUGEINT && stored(column, row) < 0)
        return INT64_MAX;
    if (find_type(column->id)->is_integer || column->id == DUCK_TYPE_DATE || column->id == DUCK_TYPE_TIME)
        return cut_to_i64(stored(column, row));
    return 0;
}

double value_f64(const struct value_column *column, uint64_t row)
{
    if (value_is_null(column, row))
        return NAN;
    if (is_real(column))
        return stored_f64(column, row);
    if (column->id == DUCK_TYPE_DECIMAL)
        return (double)stored(column, row) / pow(10, column->scale);
    if (column->id == DUCK_TYPE_UHUGEINT)
        return (double)(uwide)stored(column, row);
    if (find_type(column->id)->is_integer)
        return (double)stored(column, row);
    bool is_time = is_timestamp(column->id) || column->id == DUCK_TYPE_DATE || column->id == DUCK_TYPE_TIME;
    return is_time ? (double)value_i64(column, row) : NAN;
}

/* Digits of a number with `scale` of them behind the point. */
static void write_wide(uwide magnitude, bool is_negative, int scale, struct buffer *out)
{
    char digits[WIDE_DIGITS];
    int at = WIDE_DIGITS, count = 0;
    do {
        if (count == scale && scale > 0)
            digits[--at] = '.';
        digits[--at] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    } while (++count <= scale || magnitude > 0);
    if (is_negative)
        digits[--at] = '-';
    buffer_append(out, digits + at, (size_t)(WIDE_DIGITS - at));
}

static void write_integer(const struct value_column *column, uint64_t row, struct buffer *out)
{
    wide value = stored(column, row);
    bool is_negative = value < 0 && column->id != DUCK_TYPE_UHUGEINT;
    write_wide(is_negative ? -(uwide)value : (uwide)value, is_negative, column->scale, out);
}

/* The shortest digits that read back as the same number. */
static void write_real(const struct value_column *column, uint64_t row, struct buffer *out)
{
    double value = stored_f64(column, row), back = 0;
    bool is_float = column->id == DUCK_TYPE_FLOAT;
    char text[40] = "";
    if (isnan(value))
        buffer_append_text(out, "nan");
    if (isinf(value))
        buffer_append_text(out, value > 0 ? "inf" : "-inf");
    if (!isfinite(value))
        return;
    for (int digits = is_float ? 6 : 15, last = is_float ? 9 : 17; digits <= last; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        back = is_float ? (double)strtof(text, NULL) : strtod(text, NULL);
        if (back == value)
            break;
    }
    buffer_append_text(out, text);
}

/* ---- times ---- */

static void write_clock(int64_t us, struct buffer *out)
{
    if (us < 0)
        buffer_append_char(out, '-');
    uint64_t all = us < 0 ? 0 - (uint64_t)us : (uint64_t)us, second = all / (uint64_t)TIME_SECOND_US;
    buffer_printf(out, "%02llu:%02u:%02u", (unsigned long long)(second / 3600), (unsigned)(second / 60 % 60),
                  (unsigned)(second % 60));
    if (all % (uint64_t)TIME_SECOND_US != 0)
        buffer_printf(out, ".%06u", (unsigned)(all % (uint64_t)TIME_SECOND_US));
}

static void write_timestamp(const struct value_column *column, uint64_t row, struct buffer *out)
{
    char text[TIME_TEXT_BYTES];
    int64_t us = timestamp_us(column, row);
    if (us >= INT64_MAX || us <= -INT64_MAX) {
        buffer_append_text(out, us > 0 ? "infinity" : "-infinity");
        return;
    }
    int64_t raw = cut_to_i64(stored(column, row)), rest_ns = ((raw % 1000) + 1000) % 1000;
    time_format_iso(us, text);
    if (column->id == DUCK_TYPE_TIMESTAMP_NS && rest_ns != 0) {
        time_format_iso(us - ((us % TIME_SECOND_US) + TIME_SECOND_US) % TIME_SECOND_US, text);
        int64_t fraction_us = ((us % TIME_SECOND_US) + TIME_SECOND_US) % TIME_SECOND_US;
        text[strlen(text) - 1] = '\0'; /* the Z goes behind the fraction */
        buffer_printf(out, "%s.%09" PRId64 "Z", text, fraction_us * 1000 + rest_ns);
        return;
    }
    buffer_append_text(out, text);
}

static void write_date(int32_t day, struct buffer *out)
{
    char text[TIME_TEXT_BYTES];
    if (day == INT32_MAX || day == -INT32_MAX) {
        buffer_append_text(out, day > 0 ? "infinity" : "-infinity");
        return;
    }
    time_format_date(day, text);
    buffer_append_text(out, text);
}

/* As DuckDB writes it, in months, days and a clock. */
static void write_interval(const struct duck_raw_interval *interval, struct buffer *out)
{
    size_t start = out->size_bytes;
    if (interval->months != 0)
        buffer_printf(out, "%d months", interval->months);
    if (interval->days != 0)
        buffer_printf(out, "%s%d days", out->size_bytes > start ? " " : "", interval->days);
    if (interval->us != 0 || out->size_bytes == start) {
        if (out->size_bytes > start)
            buffer_append_char(out, ' ');
        write_clock(interval->us, out);
    }
}

/* ---- texts ---- */

static const char *text_of_cell(const struct value_column *column, uint64_t row, size_t *size_bytes)
{
    const struct duck_raw_text *text = (const struct duck_raw_text *)column->data + row;
    *size_bytes = text->size_bytes;
    return text->size_bytes <= DUCK_INLINE_BYTES ? text->prefix : text->tail.pointer;
}

static void write_blob(const struct value_column *column, uint64_t row, struct buffer *out)
{
    size_t size_bytes;
    const char *data = text_of_cell(column, row, &size_bytes);
    for (size_t i = 0; i < size_bytes; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '\\' && byte != '\'' && byte != '"')
            buffer_append_char(out, (char)byte);
        else
            buffer_printf(out, "\\x%02X", byte);
    }
}

/* Stored as a signed number whose top bit is flipped, so that UUIDs sort. */
static void write_uuid(const struct value_column *column, uint64_t row, struct buffer *out)
{
    uwide value = (uwide)stored(column, row) ^ (uwide)1 << 127;
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
    buffer_printf(out, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff),
                  (unsigned)(high & 0xffff), (unsigned)(low >> 48),
                  (unsigned long long)(low & 0xffffffffffffULL));
}

static void write_enum(const struct value_column *column, uint64_t row, struct buffer *out)
{
    char *text = column->library->enum_dictionary_value(column->type, (uint64_t)stored(column, row));
    buffer_append_text(out, text != NULL ? text : "");
    column->library->free(text);
}

bool value_is_nested(const struct value_column *column)
{
    return column->id == DUCK_TYPE_LIST || column->id == DUCK_TYPE_ARRAY || column->id == DUCK_TYPE_STRUCT ||
           column->id == DUCK_TYPE_MAP;
}

void value_write(const struct value_column *column, uint64_t row, struct buffer *out)
{
    struct json_writer writer;
    size_t size_bytes;
    if (value_is_null(column, row))
        return;
    if (column->id == DUCK_TYPE_VARCHAR) {
        const char *text = text_of_cell(column, row, &size_bytes);
        buffer_append(out, text, size_bytes);
    } else if (column->id == DUCK_TYPE_BOOLEAN) {
        buffer_append_text(out, stored(column, row) ? "true" : "false");
    } else if (is_real(column)) {
        write_real(column, row, out);
    } else if (value_is_number(column)) {
        write_integer(column, row, out);
    } else if (is_timestamp(column->id)) {
        write_timestamp(column, row, out);
    } else if (column->id == DUCK_TYPE_DATE) {
        write_date((int32_t)stored(column, row), out);
    } else if (column->id == DUCK_TYPE_TIME) {
        write_clock((int64_t)stored(column, row), out);
    } else if (column->id == DUCK_TYPE_INTERVAL) {
        write_interval((const struct duck_raw_interval *)column->data + row, out);
    } else if (column->id == DUCK_TYPE_UUID) {
        write_uuid(column, row, out);
    } else if (column->id == DUCK_TYPE_ENUM) {
        write_enum(column, row, out);
    } else if (column->id == DUCK_TYPE_BLOB) {
        write_blob(column, row, out);
    } else {
        assert(value_is_nested(column));
        json_writer_init(&writer, out);
        value_write_json(column, row, &writer);
    }
}

/* Integers beyond int64 are texts: a reader would round them. */
bool value_is_exact_number(const struct value_column *column, uint64_t row)
{
    if (is_real(column))
        return isfinite(stored_f64(column, row));
    if (column->id == DUCK_TYPE_HUGEINT || column->id == DUCK_TYPE_UHUGEINT) {
        wide value = stored(column, row);
        return value >= (column->id == DUCK_TYPE_HUGEINT ? INT64_MIN : 0) && value <= INT64_MAX;
    }
    return value_is_number(column);
}
