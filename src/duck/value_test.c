/* Every type as text, integer and real. */
#include "base/time.h"
#include "duck/test_engine.h"
#include "duck/value.h"

#include <math.h>
#include <string.h>

/* ---- types ---- */

static void every_type_has_a_text(void **state)
{
    static const char *const rows[][2] = {
        {"NULL", ""},
        {"true", "true"},
        {"(-128)::TINYINT", "-128"},
        {"(-32768)::SMALLINT", "-32768"},
        {"(-2147483648)::INTEGER", "-2147483648"},
        {"(-9223372036854775808)::BIGINT", "-9223372036854775808"},
        {"255::UTINYINT", "255"},
        {"65535::USMALLINT", "65535"},
        {"4294967295::UINTEGER", "4294967295"},
        {"18446744073709551615::UBIGINT", "18446744073709551615"},
        {"170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"},
        {"(-170141183460469231731687303715884105727)::HUGEINT", "-170141183460469231731687303715884105727"},
        {"340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455"},
        {"0.1::FLOAT", "0.1"},
        {"0.1::DOUBLE", "0.1"},
        {"(1.0/3)::FLOAT", "0.33333334"},
        {"1e300::DOUBLE", "1e+300"},
        {"'nan'::FLOAT", "nan"},
        {"'-infinity'::DOUBLE", "-inf"},
        {"0::DECIMAL(4,2)", "0.00"},
        {"(-0.05)::DECIMAL(4,2)", "-0.05"},
        {"12345678901234567890123456789.123::DECIMAL(38,3)", "12345678901234567890123456789.123"},
        {"123456.5::DECIMAL(9,1)", "123456.5"},
        {"12345678.25::DECIMAL(18,2)", "12345678.25"},
        {"DATE '2024-02-29'", "2024-02-29"},
        {"DATE '1899-12-31'", "1899-12-31"},
        {"'infinity'::DATE", "infinity"},
        {"TIMESTAMP '2024-08-17 14:00:00'", "2024-08-17T14:00:00Z"},
        {"TIMESTAMP '1969-12-31 23:59:59.5'", "1969-12-31T23:59:59.500000Z"},
        {"TIMESTAMP_S '2024-08-17 14:00:01'", "2024-08-17T14:00:01Z"},
        {"TIMESTAMP_MS '2024-08-17 14:00:01.5'", "2024-08-17T14:00:01.500000Z"},
        {"TIMESTAMP_NS '1969-12-31 23:59:59.123456789'", "1969-12-31T23:59:59.123456789Z"},
        {"TIMESTAMPTZ '2024-08-17 14:00:00+02'", "2024-08-17T12:00:00Z"},
        {"'-infinity'::TIMESTAMP", "-infinity"},
        {"TIME '01:02:03.4'", "01:02:03.400000"},
        {"INTERVAL '14 months 3 days 04:05:06'", "14 months 3 days 04:05:06"},
        {"INTERVAL '0 days'", "00:00:00"},
        {"''", ""},
        {"'twelve bytes'", "twelve bytes"},
        {"'thirteen bytes and more'", "thirteen bytes and more"},
        {"'a\\x00\"'::BLOB", "a\\x00\\x22"},
        {"UUID '00000000-0000-0001-8000-00000000abcd'", "00000000-0000-0001-8000-00000000abcd"},
        {"'b'::ENUM('a','b')", "b"},
        {"[1,NULL,3]", "[1,null,3]"},
        {"[[1,2],[3,4]]::INT[2][]", "[[1,2],[3,4]]"},
        {"{'a': 1.5, 'b': ['x \"y\"', NULL], 'c': {'d': TRUE}}",
         "{\"a\":1.5,\"b\":[\"x \\\"y\\\"\",null],\"c\":{\"d\":true}}"},
        {"MAP {'k': [1], 'l': []}", "{\"k\":[1],\"l\":[]}"},
        {"[DATE '2024-02-29']", "[\"2024-02-29\"]"},
    };
    struct duck *duck = open_engine(NULL);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT %s FROM range(3) WHERE range < 1", rows[i][0]);
        expect_text(duck, sql, rows[i][1]);
    }
    duck_close(duck);
}

static void numbers_are_read_across_types(void **state)
{
    struct duck *duck = open_engine(NULL);
    struct duck_result *result = first_row(
        duck, "SELECT 7::UTINYINT, sum(range), 2.75::DECIMAL(9,2), 2.75::FLOAT, NULL, 'text', true, "
              "TIMESTAMP_MS '1970-01-01 00:00:02', DATE '1970-01-11', 1e30::DOUBLE, "
              "(-170141183460469231731687303715884105727)::HUGEINT, [1] FROM range(10)");
    (void)state;
    static const int64_t integers[] = {7, 45, 2, 2, 0, 0, 1, 2 * TIME_SECOND_US, 10, INT64_MAX, INT64_MIN, 0};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        assert_int_equal(duck_i64(result, i), integers[i]);
    assert_true(duck_f64(result, 0) == 7 && duck_f64(result, 1) == 45 && duck_f64(result, 2) == 2.75);
    assert_true(duck_f64(result, 3) == 2.75 && isnan(duck_f64(result, 4)) && isnan(duck_f64(result, 5)));
    assert_true(duck_f64(result, 6) == 1 && duck_f64(result, 9) == 1e30 && isnan(duck_f64(result, 11)));
    assert_true(duck_is_null(result, 4) && !duck_is_null(result, 5));
    assert_int_equal(duck_result_columns(result), 12);
    assert_string_equal(duck_result_type(result, 1), "HUGEINT");
    assert_string_equal(duck_result_type(result, 2), "DECIMAL(9,2)");
    assert_string_equal(duck_result_name(result, 1), "sum(\"range\")");
    duck_result_destroy(result);
    duck_close(duck);
}

static void types_without_a_reading_are_refused(void **state)
{
    struct err err = {.code = ERR_OK};
    struct duck_result *result = NULL;
    struct duck *duck = open_engine(NULL);
    (void)state;
    assert_int_equal(duck_query(duck, "SELECT 1 AS a, '101'::BIT AS bits", NULL, 0, &result, &err),
                     ERR_INVALID);
    assert_null(result);
    assert_non_null(strstr(err.text, "'bits'"));
    assert_non_null(strstr(err.text, "VARCHAR"));
    expect_text(duck, "SELECT ['101'::BIT]", "[]"); /* inside a list nothing is shown */
    expect_text(duck, "SELECT '101'::BIT::VARCHAR", "101");
    duck_close(duck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_a_text),
        cmocka_unit_test(numbers_are_read_across_types),
        cmocka_unit_test(types_without_a_reading_are_refused),
    };
    return !library_is_there() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
