/* Text: see text.h.
 *
 * Numbers are the hot path of every import: 226k rows of 130 fields. A decimal whose digits fit into 2^53 and
 * whose power of ten is at most 22 is one exact integer and one correctly rounded multiplication or division
 * (Clinger 1990, the fast path every good strtod starts with); all prices and counts are of that kind. The
 * rest goes to strtod in the C locale. */
#include "base/text.h"
#include <assert.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct text text_of(const char *zero_terminated)
{
    return (struct text){zero_terminated, zero_terminated ? strlen(zero_terminated) : 0};
}

static bool text_is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct text text_trim(struct text text)
{
    if (text.size_bytes == 0)
        return text;
    const char *begin = text.data;
    const char *end = begin + text.size_bytes;
    for (;;) {
        if (begin < end && text_is_space(*begin))
            begin++;
        else if (end - begin >= 2 && begin[0] == '\xC2' && begin[1] == '\xA0')
            begin += 2;
        else
            break;
    }
    for (;;) {
        if (begin < end && text_is_space(end[-1]))
            end--;
        else if (end - begin >= 2 && end[-2] == '\xC2' && end[-1] == '\xA0')
            end -= 2;
        else
            break;
    }
    return (struct text){begin, (size_t)(end - begin)};
}

bool text_equal(struct text text, const char *zero_terminated)
{
    return strlen(zero_terminated) == text.size_bytes &&
           (text.size_bytes == 0 || memcmp(text.data, zero_terminated, text.size_bytes) == 0);
}

static char text_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

bool text_equal_nocase(struct text text, const char *zero_terminated)
{
    if (strlen(zero_terminated) != text.size_bytes)
        return false;
    for (size_t index = 0; index < text.size_bytes; index++)
        if (text_lower(text.data[index]) != text_lower(zero_terminated[index]))
            return false;
    return true;
}

bool text_starts(struct text text, const char *prefix)
{
    size_t size_bytes = strlen(prefix);
    return size_bytes <= text.size_bytes && (size_bytes == 0 || memcmp(text.data, prefix, size_bytes) == 0);
}

bool text_is_blank(struct text text)
{
    return text_trim(text).size_bytes == 0;
}

bool text_parse_i64(struct text text, int64_t *out)
{
    if (text.size_bytes == 0)
        return false;
    const char *at = text.data;
    const char *end = at + text.size_bytes;
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = 10 * value + digit;
    }
    *out = is_negative ? (int64_t)-value : (int64_t)value;
    return true;
}

/* A decimal number taken apart: sign, digits * 10^exponent. `digits` is exact only while is_exact. */
struct text_decimal {
    uint64_t digits;
    int64_t exponent;
    bool is_negative;
    bool is_exact;
};

/* Reads a run of digits; those behind the point lower the exponent. Returns the end of the run. More than 18
 * significant digits do not fit: is_exact is cleared and strtod takes over. */
static const char *text_take_digits(const char *at, const char *end, bool is_fraction,
                                    struct text_decimal *out)
{
    uint64_t digits = out->digits;
    const char *begin = at;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9)
            break;
        if (digits >= UINT64_C(100000000000000000))
            out->is_exact = false;
        else
            digits = 10 * digits + digit;
    }
    out->digits = digits;
    if (is_fraction)
        out->exponent -= at - begin;
    return at;
}

/* "e+12" at the front of at..end, the whole rest; false when malformed. */
static bool text_take_exponent(const char *at, const char *end, struct text_decimal *out)
{
    if (*at != 'e' && *at != 'E')
        return false;
    at++;
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    int64_t exponent = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9)
            return false;
        if (exponent < 1000000) /* beyond any double: the exact size no longer matters */
            exponent = 10 * exponent + digit;
    }
    out->exponent += is_negative ? -exponent : exponent;
    return true;
}

static bool text_take_decimal(struct text text, struct text_decimal *out)
{
    *out = (struct text_decimal){.is_exact = true};
    if (text.size_bytes == 0)
        return false;
    const char *at = text.data;
    const char *end = at + text.size_bytes;
    if (at < end && (*at == '-' || *at == '+'))
        out->is_negative = *at++ == '-';
    const char *begin = at;
    at = text_take_digits(at, end, false, out);
    size_t digit_count = (size_t)(at - begin);
    if (at < end && *at == '.') {
        begin = ++at;
        at = text_take_digits(at, end, true, out);
        digit_count += (size_t)(at - begin);
    }
    if (digit_count == 0)
        return false;
    return at == end || text_take_exponent(at, end, out);
}

static locale_t text_c_locale;
static pthread_once_t text_c_locale_once = PTHREAD_ONCE_INIT;

static void text_make_c_locale(void)
{
    text_c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert(text_c_locale); /* the C locale is built in */
}

/* Correctly rounded, for text already known to be a decimal number. Values beyond the range are refused,
 * values below it become 0 or denormal. */
static bool text_parse_f64_slowly(struct text text, double *out)
{
    (void)pthread_once(&text_c_locale_once, text_make_c_locale);
    char memory[128];
    char *copy = text.size_bytes < sizeof(memory) ? memory : malloc(text.size_bytes + 1);
    if (!copy)
        return false;
    memcpy(copy, text.data, text.size_bytes);
    copy[text.size_bytes] = '\0';
    char *end;
    double value = strtod_l(copy, &end, text_c_locale);
    bool is_whole = end == copy + text.size_bytes;
    if (copy != memory)
        free(copy);
    if (!is_whole || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool text_parse_f64(struct text text, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct text_decimal decimal;
    if (!text_take_decimal(text, &decimal))
        return false;
    if (!decimal.is_exact || decimal.digits > UINT64_C(1) << 53 || decimal.exponent < -22 ||
        decimal.exponent > 22)
        return text_parse_f64_slowly(text, out);
    double value = (double)decimal.digits;
    value = decimal.exponent < 0 ? value / powers[-decimal.exponent] : value * powers[decimal.exponent];
    *out = decimal.is_negative ? -value : value;
    return true;
}

/* The state "done" is data == NULL: "a," has two parts, the second empty, and "" has one. */
bool text_split(struct text *rest, char separator, struct text *part)
{
    if (!rest->data)
        return false;
    const char *found = rest->size_bytes > 0 ? memchr(rest->data, separator, rest->size_bytes) : NULL;
    if (!found) {
        *part = *rest;
        *rest = (struct text){NULL, 0};
        return true;
    }
    size_t taken = (size_t)(found - rest->data);
    *part = (struct text){rest->data, taken};
    *rest = (struct text){found + 1, rest->size_bytes - taken - 1};
    return true;
}

/* Length of the valid UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 when there is none. */
static size_t text_utf8_length(const unsigned char *at, size_t left)
{
    unsigned first = at[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || left < length)
        return 0;
    unsigned least = 0x80,
             most = 0xBF; /* of the second byte: no overlong form, surrogate, or beyond U+10FFFF */
    if (first == 0xE0)
        least = 0xA0;
    else if (first == 0xED)
        most = 0x9F;
    else if (first == 0xF0)
        least = 0x90;
    else if (first == 0xF4)
        most = 0x8F;
    if (at[1] < least || at[1] > most)
        return 0;
    for (size_t index = 2; index < length; index++)
        if ((at[index] & 0xC0) != 0x80)
            return 0;
    return length;
}

/* Bytes at the front of at that are plain ASCII, eight at a time. */
static size_t text_ascii_run(const unsigned char *at, size_t left)
{
    size_t index = 0;
    for (; index + 8 <= left; index += 8) {
        uint64_t word;
        memcpy(&word, at + index, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (index < left && at[index] < 0x80)
        index++;
    return index;
}

bool text_is_utf8(struct text text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t index = 0;
    while (index < text.size_bytes) {
        index += text_ascii_run(bytes + index, text.size_bytes - index);
        if (index == text.size_bytes)
            return true;
        size_t length = text_utf8_length(bytes + index, text.size_bytes - index);
        if (length == 0)
            return false;
        index += length;
    }
    return true;
}

/* Windows-1252 differs from Latin-1 in 0x80..0x9F only; the five holes are the C1 controls (WHATWG Encoding).
 */
static unsigned text_cp1252_point(unsigned char byte)
{
    static const uint16_t points[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                        0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    return byte >= 0x80 && byte < 0xA0 ? points[byte - 0x80] : byte;
}

static size_t text_put_point(unsigned point, char *out)
{
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 0x3F));
    out[2] = (char)(0x80 | (point & 0x3F));
    return 3;
}

size_t text_cp1252_to_utf8(struct text text, char *out)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t written = 0;
    for (size_t index = 0; index < text.size_bytes;) {
        size_t length = text_utf8_length(bytes + index, text.size_bytes - index);
        if (length == 0)
            written += text_put_point(text_cp1252_point(bytes[index++]), out + written);
        for (size_t copied = 0; copied < length; copied++)
            out[written++] = (char)bytes[index++];
    }
    return written;
}

/* A cut falls between characters: half a UTF-8 sequence would make every later reader refuse the text. */
bool text_copy(struct text text, char *out, size_t out_bytes)
{
    assert(out_bytes > 0);
    size_t taken = text.size_bytes;
    bool fits = taken < out_bytes;
    if (!fits) {
        taken = out_bytes - 1;
        while (taken > 0 && ((unsigned char)text.data[taken] & 0xC0) == 0x80)
            taken--;
    }
    if (taken > 0)
        memcpy(out, text.data, taken);
    out[taken] = '\0';
    return fits;
}
