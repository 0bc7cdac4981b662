/* JSON writing: see json.h.
 *
 * The writer remembers one bit per open level (is a comma due) and whether a key waits for its value;
 * everything goes straight into the buffer, whose sticky failure spares a check per call. Misuse (a value
 * without a key, a missing end) is a bug and asserts.
 *
 * Doubles are written with as many digits as are needed to read back the same value. Most of ours are short
 * decimals (prices, rounded probabilities): those are found by one multiplication and one division, without
 * printf. */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out};
}

/* The comma in front of an item where one is due. */
static void json_start_item(struct json_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    if (writer->depth == 0)
        return;
    bool *has_items = &writer->has_items[writer->depth - 1];
    if (*has_items)
        buffer_append_char(writer->out, ',');
    *has_items = true;
}

static void json_begin(struct json_writer *writer, char bracket)
{
    json_start_item(writer);
    assert(writer->depth < JSON_WRITER_DEPTH);
    writer->has_items[writer->depth++] = false;
    buffer_append_char(writer->out, bracket);
}

static void json_end(struct json_writer *writer, char bracket)
{
    assert(writer->depth > 0 && !writer->after_key);
    writer->depth--;
    buffer_append_char(writer->out, bracket);
}

void json_begin_object(struct json_writer *writer)
{
    json_begin(writer, '{');
}

void json_end_object(struct json_writer *writer)
{
    json_end(writer, '}');
}

void json_begin_array(struct json_writer *writer)
{
    json_begin(writer, '[');
}

void json_end_array(struct json_writer *writer)
{
    json_end(writer, ']');
}

static bool json_is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static void json_write_escape(struct buffer *out, unsigned char byte)
{
    static const char named[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    const char *found = byte ? strchr(named, byte) : NULL;
    if (found) {
        buffer_append_char(out, '\\');
        buffer_append_char(out, letters[found - named]);
    } else
        buffer_printf(out, "\\u%04x", byte);
}

/* Length of the UTF-8 sequence at the front; 0 when the byte begins none. */
static size_t json_utf8_length(const char *at, size_t left)
{
    for (size_t length = 2; length <= 4 && length <= left; length++)
        if (text_is_utf8((struct text){at, length}))
            return length;
    return 0;
}

static void json_write_text(struct buffer *out, const char *text)
{
    size_t left = strlen(text);
    buffer_append_char(out, '"');
    while (left > 0) {
        size_t run = 0;
        while (run < left && json_is_plain((unsigned char)text[run]))
            run++;
        buffer_append(out, text, run);
        text += run;
        left -= run;
        if (left == 0)
            break;
        size_t taken = 1;
        if ((unsigned char)*text < 0x80)
            json_write_escape(out, (unsigned char)*text);
        else if ((taken = json_utf8_length(text, left)) > 0)
            buffer_append(out, text, taken);
        else {
            buffer_append_text(out, "\xEF\xBF\xBD");
            taken = 1;
        }
        text += taken;
        left -= taken;
    }
    buffer_append_char(out, '"');
}

static void json_write_i64(struct buffer *out, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        *--at = '-';
    buffer_append(out, at, (size_t)(digits + sizeof(digits) - at));
}

/* A decimal of at most six places and 15 digits: the division below is the very one a correct reader does, so
 * if it gives the value back, the digits do. */
static bool json_write_short_decimal(struct buffer *out, double value)
{
    static const int places = 6;
    double scaled = nearbyint(value * 1e6);
    if (!(fabs(scaled) < 1e15) || (fabs(scaled) < 100 && scaled != 0) || scaled / 1e6 != value)
        return false;
    if (scaled == 0 && signbit(value))
        return false;
    uint64_t left = (uint64_t)fabs(scaled);
    int fraction_digits = places;
    for (; fraction_digits > 0 && left % 10 == 0; fraction_digits--)
        left /= 10;
    char digits[24];
    char *at = digits + sizeof(digits);
    for (int count = 0; left > 0 || count <= fraction_digits; count++) {
        if (count == fraction_digits && count > 0)
            *--at = '.';
        *--at = (char)('0' + left % 10);
        left /= 10;
    }
    if (value < 0)
        *--at = '-';
    buffer_append(out, at, (size_t)(digits + sizeof(digits) - at));
    return true;
}

static void json_write_f64(struct buffer *out, double value)
{
    if (!isfinite(value)) {
        buffer_append_text(out, "null");
        return;
    }
    if (json_write_short_decimal(out, value))
        return;
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        int length = snprintf(digits, sizeof(digits), "%.*g", precision, value);
        double back;
        if (precision == 17 ||
            (text_parse_f64((struct text){digits, (size_t)length}, &back) && back == value)) {
            buffer_append(out, digits, (size_t)length);
            return;
        }
    }
}

void json_key(struct json_writer *writer, const char *key)
{
    assert(writer->depth > 0 && !writer->after_key);
    json_start_item(writer);
    json_write_text(writer->out, key);
    buffer_append_char(writer->out, ':');
    writer->after_key = true;
}

void json_put_text(struct json_writer *writer, const char *text)
{
    json_start_item(writer);
    if (text)
        json_write_text(writer->out, text);
    else
        buffer_append_text(writer->out, "null");
}

void json_put_i64(struct json_writer *writer, int64_t value)
{
    json_start_item(writer);
    json_write_i64(writer->out, value);
}

void json_put_f64(struct json_writer *writer, double value)
{
    json_start_item(writer);
    json_write_f64(writer->out, value);
}

void json_put_bool(struct json_writer *writer, bool value)
{
    json_start_item(writer);
    buffer_append_text(writer->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *writer)
{
    json_start_item(writer);
    buffer_append_text(writer->out, "null");
}

void json_put_raw(struct json_writer *writer, const char *json, size_t size_bytes)
{
    json_start_item(writer);
    buffer_append(writer->out, json, size_bytes);
}

/* Values that were read may be deeper than the writer's own levels, so they are written beside it. The
 * recursion is bounded by LIMIT_JSON_DEPTH, which json_read enforces. */
static void json_write_value(struct buffer *out, const json_t *value)
{
    const char *separator = "";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        buffer_append_char(out, '{');
        for (void *at = json_object_iter((json_t *)(uintptr_t)value); at;
             at = json_object_iter_next((json_t *)(uintptr_t)value, at), separator = ",") {
            buffer_append_text(out, separator);
            json_write_text(out, json_object_iter_key(at));
            buffer_append_char(out, ':');
            json_write_value(out, json_object_iter_value(at));
        }
        buffer_append_char(out, '}');
        break;
    case JSON_ARRAY:
        buffer_append_char(out, '[');
        for (size_t index = 0; index < json_array_size(value); index++, separator = ",") {
            buffer_append_text(out, separator);
            json_write_value(out, json_array_get(value, index));
        }
        buffer_append_char(out, ']');
        break;
    case JSON_STRING:
        json_write_text(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        json_write_i64(out, json_integer_value(value));
        break;
    case JSON_REAL:
        json_write_f64(out, json_real_value(value));
        break;
    case JSON_TRUE:
        buffer_append_text(out, "true");
        break;
    case JSON_FALSE:
        buffer_append_text(out, "false");
        break;
    default:
        buffer_append_text(out, "null");
    }
}

void json_put_value(struct json_writer *writer, const json_t *value)
{
    json_start_item(writer);
    if (value)
        json_write_value(writer->out, value);
    else
        buffer_append_text(writer->out, "null");
}

void json_field_text(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    json_put_text(writer, text);
}

void json_field_i64(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_put_i64(writer, value);
}

void json_field_f64(struct json_writer *writer, const char *key, double value)
{
    json_key(writer, key);
    json_put_f64(writer, value);
}

void json_field_bool(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_put_bool(writer, value);
}

void json_field_null(struct json_writer *writer, const char *key)
{
    json_key(writer, key);
    json_put_null(writer);
}

void json_field_text_or_null(struct json_writer *writer, const char *key, const char *text)
{
    json_field_text(writer, key, text[0] != '\0' ? text : NULL);
}

void json_field_id(struct json_writer *writer, const char *key, int64_t id)
{
    if (id != 0)
        json_field_i64(writer, key, id);
    else
        json_field_null(writer, key);
}

void json_field_time(struct json_writer *writer, const char *key, int64_t time_us)
{
    char text[TIME_TEXT_BYTES];
    time_format_iso(time_us, text);
    json_field_text(writer, key, time_us != TIME_NONE ? text : NULL);
}

void json_field_seconds(struct json_writer *writer, const char *key, int64_t duration_us)
{
    if (duration_us == TIME_NONE)
        json_field_null(writer, key);
    else
        json_field_f64(writer, key, (double)duration_us / 1e6);
}
