/* Tests of base/text.h. The reference for decimals is the C library's strtod, which is correctly rounded; the
 * reference for UTF-8 is a decoder that works by code point, not by byte class. */
#include "base/random.h"
#include "base/text.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(struct text text, const char *expected)
{
    assert_int_equal(text.size_bytes, strlen(expected));
    if (text.size_bytes > 0)
        assert_memory_equal(text.data, expected, text.size_bytes);
}

static void test_trim(void **state)
{
    (void)state;
    assert_text(text_trim(text_of("")), "");
    assert_text(text_trim(text_of(NULL)), "");
    assert_text(text_trim(text_of(" \t\r\n ")), "");
    assert_text(text_trim(text_of("\xC2\xA0 Man City\t\xC2\xA0")), "Man City");
    assert_text(text_trim(text_of("a\xC2\xA0"
                                  "b")),
                "a\xC2\xA0"
                "b");
    assert_text(text_trim(text_of("\xA0x\xC2")), "\xA0x\xC2"); /* half a no-break space is none */
    assert_text(text_trim(text_of("\xC2\xA0")), "");
    assert_true(text_is_blank(text_of(" \xC2\xA0\t")));
    assert_false(text_is_blank(text_of(" .")));
}

static void test_compare(void **state)
{
    (void)state;
    assert_true(text_equal((struct text){"abcd", 3}, "abc"));
    assert_false(text_equal((struct text){"abcd", 3}, "abcd"));
    assert_false(text_equal(text_of("abc"), "abC"));
    assert_false(text_equal((struct text){"a\0b", 3}, "a"));
    assert_true(text_equal(text_of(NULL), ""));
    assert_true(text_equal_nocase(text_of("HomeTeam"), "hometeam"));
    assert_false(text_equal_nocase(text_of("[@`{"), "{`@["));
    assert_false(text_equal_nocase(text_of("\xC3\x84"), "\xC3\xA4")); /* ASCII only */
    assert_true(text_starts(text_of("no-flag"), "no-"));
    assert_true(text_starts(text_of(""), ""));
    assert_false(text_starts(text_of("no"), "no-"));
}

static void test_parse_i64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"+7", 7},
                {"007", 7},
                {"-42", -42},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN},
                {"00000000000000000000000000000001", 1}};
    for (size_t index = 0; index < sizeof(good) / sizeof(good[0]); index++) {
        int64_t value = 99;
        assert_true(text_parse_i64(text_of(good[index].text), &value));
        assert_true(value == good[index].value);
    }
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      "--1",
                                      "1-",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "0x10",
                                      "abc",
                                      "1,2",
                                      "９",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999",
                                      "18446744073709551617"};
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        int64_t value = 99;
        assert_false(text_parse_i64(text_of(bad[index]), &value));
        assert_true(value == 99);
    }
}

static void test_parse_f64_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      ".",
                                      "-.",
                                      "e5",
                                      ".e5",
                                      "1e",
                                      "1e+",
                                      "1e5.",
                                      "1e5 ",
                                      " 1",
                                      "1 ",
                                      "1,5",
                                      "0x10",
                                      "0x1p3",
                                      "inf",
                                      "nan",
                                      "-inf",
                                      "Infinity",
                                      "NaN",
                                      "nan(1)",
                                      "1.2.3",
                                      "--1",
                                      "+-1",
                                      "1d5",
                                      "1e999",
                                      "-1e999",
                                      "1e99999999999999999999",
                                      "1.8e308",
                                      "1_000",
                                      "1f",
                                      "12abc"};
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        double value = 99;
        assert_false(text_parse_f64(text_of(bad[index]), &value));
        assert_true(value == 99);
    }
    double value = 99;
    assert_false(text_parse_f64((struct text){"1\0", 2}, &value));
    assert_false(text_parse_f64(text_of(NULL), &value));
    assert_true(text_parse_f64((struct text){"2.504", 4}, &value)); /* what follows the view is not read */
    assert_true(value == 2.5);
}

static void assert_like_strtod(const char *text)
{
    double value = NAN;
    double expected = strtod(text, NULL);
    bool is_taken = text_parse_f64(text_of(text), &value);
    if (isfinite(expected) != is_taken || (is_taken && memcmp(&value, &expected, sizeof(value)) != 0))
        fail_msg("'%s': %.17g, strtod says %.17g", text, value, expected);
}

static void test_parse_f64_corners(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "-0.0e5",
        "+1",
        "1.",
        ".5",
        "-.5e1",
        "5e-324",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-999",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        "9007199254740993.0000000000000001",
        "1e22",
        "1e23",
        "123456789012345e22",
        "123456789012345e-22",
        "0.1",
        "0.3",
        "1E5",
        "1e0005",
        "8.5e+0",
        "999999999999999999",
        "99999999999999999999999999",
        "0e99999",
        "0.000000000000000000000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000000000000000e-60",
        "0.50000000000000000000000000000000000000000000000000000000000000001",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126"};
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++)
        assert_like_strtod(texts[index]);
    char *longest = malloc(20001);
    assert_non_null(longest);
    memset(longest, '3', 20000);
    longest[1] = '.';
    longest[20000] = '\0';
    assert_like_strtod(longest); /* beyond the stack copy */
    free(longest);
}

static size_t put_digits(struct random *random, char *out, uint64_t most)
{
    size_t count = random_below(random, most + 1);
    for (size_t index = 0; index < count; index++)
        out[index] = (char)('0' + random_below(random, 10));
    return count;
}

static void test_parse_f64_like_strtod(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 1);
    for (int round = 0; round < 200000; round++) {
        char text[80];
        size_t size = 0;
        uint64_t kind = random_below(&random, 4);
        if (random_below(&random, 4) == 0)
            text[size++] = random_below(&random, 2) ? '-' : '+';
        text[size++] = (char)('0' + random_below(&random, 10));
        size += put_digits(&random, text + size, kind == 0 ? 3 : 14);
        if (kind != 1) {
            text[size++] = '.';
            size += put_digits(&random, text + size, kind == 0 ? 4 : 20);
        }
        text[size] = '\0';
        if (kind >= 2)
            (void)snprintf(text + size, sizeof(text) - size, "e%d",
                           (int)random_below(&random, kind == 2 ? 60 : 700) - (kind == 2 ? 30 : 350));
        assert_like_strtod(text);
    }
    for (int round = 0; round < 50000; round++) { /* any double, as printed */
        uint64_t bits = random_u64(&random);
        double value;
        char text[64];
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        (void)snprintf(text, sizeof(text), "%.17g", value);
        double back = 0;
        assert_true(text_parse_f64(text_of(text), &back));
        assert_memory_equal(&back, &value, sizeof(value));
    }
}

static void test_split(void **state)
{
    (void)state;
    struct text rest = text_of("a,,b,");
    struct text part;
    static const char *const expected[] = {"a", "", "b", ""};
    for (size_t index = 0; index < 4; index++) {
        assert_true(text_split(&rest, ',', &part));
        assert_text(part, expected[index]);
    }
    assert_false(text_split(&rest, ',', &part));
    assert_false(text_split(&rest, ',', &part));
    rest = text_of("");
    assert_true(text_split(&rest, ',', &part));
    assert_text(part, "");
    assert_false(text_split(&rest, ',', &part));
    rest = text_of(NULL);
    assert_false(text_split(&rest, ',', &part));
}

/* By code point: decode with the bits the lead byte asks for, then ask whether that encoding was the right
 * one. */
static bool slow_is_utf8(const unsigned char *bytes, size_t size)
{
    for (size_t index = 0; index < size;) {
        unsigned first = bytes[index++];
        size_t more = first < 0x80 ? 0 : (first & 0xE0) == 0xC0 ? 1 : (first & 0xF0) == 0xE0 ? 2 : 3;
        if ((first >= 0x80 && first < 0xC0) || first >= 0xF8 || more > size - index)
            return false;
        uint32_t point = more == 0 ? first : first & (0x3Fu >> more);
        for (size_t count = 0; count < more; count++, index++) {
            if ((bytes[index] & 0xC0) != 0x80)
                return false;
            point = point << 6 | (bytes[index] & 0x3F);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
            return false;
    }
    return true;
}

static void test_utf8(void **state)
{
    (void)state;
    for (uint32_t word = 0; word < 0x1000000;
         word += 7) { /* three-byte strings, and four with a fixed tail */
        unsigned char bytes[4] = {(unsigned char)(word >> 16), (unsigned char)(word >> 8),
                                  (unsigned char)word, 0xA9};
        for (size_t size = 3; size <= 4; size++)
            if (text_is_utf8((struct text){(const char *)bytes, size}) != slow_is_utf8(bytes, size))
                fail_msg("%02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2], size);
    }
    assert_true(text_is_utf8(text_of("")));
    assert_true(text_is_utf8(text_of(NULL)));
    assert_true(text_is_utf8(text_of("sixteen bytes of ASCII, then Malm\xC3\xB6 and \xF0\x9F\x98\x80")));
    assert_false(text_is_utf8(text_of("sixteen bytes of ASCII, then Malm\xF6")));
    assert_false(text_is_utf8(text_of("cut \xE2\x82")));
}

static void test_cp1252(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {{"", ""},
                {"Ath Madrid", "Ath Madrid"},
                {"Malm\xF6", "Malm\xC3\xB6"},
                {"Malm\xC3\xB6", "Malm\xC3\xB6"}, /* already UTF-8 */
                {"\x80\x9F\xFF", "\xE2\x82\xAC\xC5\xB8\xC3\xBF"},
                {"\x81\x8D\x8F\x90\x9D", "\xC2\x81\xC2\x8D\xC2\x8F\xC2\x90\xC2\x9D"},
                {"\xE2\x82", "\xC3\xA2\xE2\x80\x9A"}, /* cut sequence: two Windows characters */
                {"N\xEEmes \xE2\x82\xAC", "N\xC3\xAEmes \xE2\x82\xAC"}};
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        char out[64];
        size_t size = text_cp1252_to_utf8(text_of(rows[index].from), out);
        assert_text((struct text){out, size}, rows[index].to);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char in = (char)byte;
        char out[3];
        size_t size = text_cp1252_to_utf8((struct text){&in, 1}, out);
        assert_true(size >= 1 && size <= 3);
        assert_true(text_is_utf8((struct text){out, size}));
    }
}

static void test_copy(void **state)
{
    (void)state;
    char out[8];
    assert_true(text_copy(text_of("1234567"), out, sizeof(out)));
    assert_string_equal(out, "1234567");
    assert_false(text_copy(text_of("12345678"), out, sizeof(out)));
    assert_string_equal(out, "1234567");
    assert_false(text_copy(text_of("12345\xE2\x82\xAC"), out, sizeof(out)));
    assert_string_equal(out, "12345"); /* no half character */
    assert_true(text_copy(text_of(NULL), out, 1));
    assert_string_equal(out, "");
    assert_false(text_copy(text_of("a"), out, 1));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_parse_i64),
        cmocka_unit_test(test_parse_f64_refuses),
        cmocka_unit_test(test_parse_f64_corners),
        cmocka_unit_test(test_parse_f64_like_strtod),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_cp1252),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
