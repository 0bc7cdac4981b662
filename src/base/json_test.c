/* Tests of base/json.h: what is refused and where, typed members, what the writer writes and that it reads
 * back. */
#include "base/json.h"
#include "base/random.h"
#include "base/time.h"
#include "limits.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *read_text(const char *text)
{
    json_t *value = NULL;
    struct err err = {0};
    if (json_read(text, strlen(text), &value, &err) != ERR_OK)
        fail_msg("'%s': %s", text, err.text);
    return value;
}

static void test_accepts(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}",
                                        "[]",
                                        "null",
                                        "true",
                                        "\"x\"",
                                        "-0",
                                        "1.5e3",
                                        " {\"a\": [1, 2]} \n",
                                        "\"\\ud83d\\ude00\"",
                                        "{\"a\":{\"a\":1}}",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "\"Malm\xC3\xB6\"",
                                        "5e-324",
                                        "\"[[[[{{{{\""};
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++)
        json_decref(read_text(texts[index]));
    json_t *value = read_text("9007199254740993");
    assert_true(json_integer_value(value) == INT64_C(9007199254740993));
    json_decref(value);
    json_t *partial = NULL;
    assert_int_equal(json_read("[1]junk", 3, &partial, NULL),
                     ERR_OK); /* the size rules, no terminator is needed */
    json_decref(partial);
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {" ",
                                        "{",
                                        "}",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "{'a':1}",
                                        "{a:1}",
                                        "[1 2]",
                                        "01",
                                        "1.",
                                        ".5",
                                        "+1",
                                        "0x1",
                                        "1e",
                                        "--1",
                                        "NaN",
                                        "nan",
                                        "Infinity",
                                        "-Infinity",
                                        "[NaN]",
                                        "1e999",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "tru",
                                        "True",
                                        "nul",
                                        "\"",
                                        "\"\n\"",
                                        "\"\t\"",
                                        "\"\\x41\"",
                                        "\"\\u12\"",
                                        "{} {}",
                                        "1 2",
                                        "[1]]",
                                        "{}x",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"a\":{\"b\":1,\"b\":1}}",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\ud800\\ud800\"",
                                        "\"\\u0000\"",
                                        "{\"\\u0000\":1}",
                                        "\"\xFF\"",
                                        "\"\xC3\"",
                                        "\"\xED\xA0\x80\"",
                                        "\"\xC0\xAF\"",
                                        "\xEF\xBB\xBF{}",
                                        "// c\n1",
                                        "/* c */ 1",
                                        "[,1]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{1:2}"};
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        json_t *value = (json_t *)texts;
        struct err err = {0};
        if (json_read(texts[index], strlen(texts[index]), &value, &err) != ERR_INVALID)
            fail_msg("'%s' was taken", texts[index]);
        assert_null(value);
        assert_int_equal(err.code, ERR_INVALID);
        assert_memory_equal(err.text, "malformed JSON at line ", 23);
    }
    json_t *value;
    assert_int_equal(json_read("", 0, &value, NULL), ERR_INVALID);
    assert_int_equal(json_read("[1]\0", 4, &value, NULL), ERR_INVALID);
    assert_int_equal(json_read("\"a\0b\"", 5, &value, NULL), ERR_INVALID);
    assert_int_equal(json_read("x", (size_t)LIMIT_JSON_BYTES + 1, &value, NULL),
                     ERR_TOO_LARGE); /* not read */
}

static void test_errors_name_the_place(void **state)
{
    (void)state;
    json_t *value;
    struct err err;
    const char *text = "{\"a\": 1,\n \"b\": 2,\n \"c\": oops}";
    assert_int_equal(json_read(text, strlen(text), &value, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "line 3 column "));
}

static void test_depth(void **state)
{
    (void)state;
    char text[4 * LIMIT_JSON_DEPTH + 8];
    struct err err;
    json_t *value;
    for (int depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        enum err_code code = json_read(text, 2 * (size_t)depth, &value, &err);
        assert_int_equal(code, depth == LIMIT_JSON_DEPTH ? ERR_OK : ERR_INVALID);
        json_decref(value);
    }
    assert_string_equal(err.text, "malformed JSON at line 1 column 65: nested deeper than 64");
    /* side by side is not deep, nor is what a text contains */
    struct buffer wide;
    buffer_init(&wide, 1 << 20);
    buffer_append_text(&wide, "[\"\\\\\\\"");
    for (int count = 0; count < 2 * LIMIT_JSON_DEPTH; count++)
        buffer_append_char(&wide, '[');
    buffer_append_char(&wide, '"');
    for (int count = 0; count < 1000; count++)
        buffer_append_text(&wide, ",[{}]");
    buffer_append_text(&wide, "]");
    assert_int_equal(json_read(wide.data, wide.size_bytes, &value, &err), ERR_OK);
    assert_int_equal(json_array_size(value), 1001);
    json_decref(value);
    buffer_release(&wide);
}

static void test_take(void **state)
{
    (void)state;
    json_t *object =
        read_text("{\"text\":\"E0\",\"int\":-3,\"real\":2.5,\"yes\":true,\"no\":false,\"null\":null}");
    const char *text = NULL;
    int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    assert_int_equal(json_take_text(object, "text", true, &text, NULL), ERR_OK);
    assert_string_equal(text, "E0");
    assert_int_equal(json_take_i64(object, "int", true, &integer, NULL), ERR_OK);
    assert_int_equal(integer, -3);
    assert_int_equal(json_take_f64(object, "real", true, &real, NULL), ERR_OK);
    assert_true(real == 2.5);
    assert_int_equal(json_take_f64(object, "int", true, &real, NULL), ERR_OK); /* every integer is a number */
    assert_true(real == -3);
    assert_int_equal(json_take_bool(object, "yes", true, &boolean, NULL), ERR_OK);
    assert_true(boolean);
    assert_int_equal(json_take_bool(object, "no", true, &boolean, NULL), ERR_OK);
    assert_false(boolean);
    json_decref(object);
}

static void test_take_missing_and_null(void **state)
{
    (void)state;
    json_t *object = read_text("{\"null\":null}");
    static const char *const keys[] = {"null", "absent"};
    for (size_t index = 0; index < 2; index++) {
        struct err err;
        const char *text = "kept";
        int64_t integer = 5;
        double real = 5;
        bool boolean = true;
        assert_int_equal(json_take_text(object, keys[index], false, &text, &err), ERR_OK);
        assert_int_equal(json_take_i64(object, keys[index], false, &integer, &err), ERR_OK);
        assert_int_equal(json_take_f64(object, keys[index], false, &real, &err), ERR_OK);
        assert_int_equal(json_take_bool(object, keys[index], false, &boolean, &err), ERR_OK);
        assert_int_equal(json_take_text(object, keys[index], true, &text, &err), ERR_INVALID);
        assert_int_equal(json_take_i64(object, keys[index], true, &integer, &err), ERR_INVALID);
        assert_int_equal(json_take_f64(object, keys[index], true, &real, &err), ERR_INVALID);
        assert_int_equal(json_take_bool(object, keys[index], true, &boolean, &err), ERR_INVALID);
        assert_string_equal(err.field, keys[index]);
        assert_non_null(strstr(err.text, index ? "missing" : "null"));
        assert_string_equal(text, "kept");
        assert_true(integer == 5 && real == 5 && boolean);
    }
    json_decref(object);
}

static void test_take_wrong_types(void **state)
{
    (void)state;
    json_t *object =
        read_text("{\"text\":\"1\",\"int\":1,\"real\":1.0,\"bool\":true,\"list\":[],\"object\":{}}");
    static const char *const keys[] = {"text", "int", "real", "bool", "list", "object"};
    static const bool is_fitting[6][4] = {/* text, i64, f64, bool */
                                          {true, false, false, false},  {false, true, true, false},
                                          {false, false, true, false},  {false, false, false, true},
                                          {false, false, false, false}, {false, false, false, false}};
    for (size_t index = 0; index < 6; index++) {
        const char *text;
        int64_t integer;
        double real;
        bool boolean;
        const char *key = keys[index];
        const bool *fits = is_fitting[index];
        assert_int_equal(json_take_text(object, key, false, &text, NULL), fits[0] ? ERR_OK : ERR_INVALID);
        assert_int_equal(json_take_i64(object, key, false, &integer, NULL), fits[1] ? ERR_OK : ERR_INVALID);
        assert_int_equal(json_take_f64(object, key, false, &real, NULL), fits[2] ? ERR_OK : ERR_INVALID);
        assert_int_equal(json_take_bool(object, key, false, &boolean, NULL), fits[3] ? ERR_OK : ERR_INVALID);
    }
    struct err err;
    int64_t integer;
    assert_int_equal(json_take_i64(object, "text", false, &integer, &err), ERR_INVALID);
    assert_string_equal(err.text, "member 'text' must be an integer, not text");
    assert_int_equal(json_take_i64(json_object_get(object, "list"), "x", false, &integer, &err), ERR_INVALID);
    assert_string_equal(err.text, "an object with member 'x' is expected, not an array");
    assert_int_equal(json_take_i64(NULL, "x", false, &integer, &err), ERR_INVALID);
    json_decref(object);
}

static void test_refuse_unknown(void **state)
{
    (void)state;
    static const char *const known[] = {"a", "b", NULL};
    struct err err;
    json_t *object = read_text("{\"b\":1}");
    assert_int_equal(json_refuse_unknown(object, known, &err), ERR_OK);
    json_decref(object);
    object = read_text("{\"b\":1,\"ab\":2}");
    assert_int_equal(json_refuse_unknown(object, known, &err), ERR_INVALID);
    assert_string_equal(err.field, "ab");
    json_decref(object);
    object = read_text("[]");
    assert_int_equal(json_refuse_unknown(object, known, &err), ERR_INVALID);
    json_decref(object);
}

static void test_writer(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 4096);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    json_field_text(&writer, "league", "E0");
    json_field_text(&writer, "none", NULL);
    json_field_i64(&writer, "least", INT64_MIN);
    json_field_i64(&writer, "most", INT64_MAX);
    json_field_f64(&writer, "p", 0.25);
    json_field_bool(&writer, "yes", true);
    json_field_bool(&writer, "no", false);
    json_field_null(&writer, "nothing");
    json_field_text_or_null(&writer, "stage", "");
    json_field_text_or_null(&writer, "group", "A");
    json_field_id(&writer, "job", 7);
    json_field_id(&writer, "no_job", 0);
    json_field_time(&writer, "at", INT64_C(1723903200000000));
    json_field_time(&writer, "never", TIME_NONE);
    json_field_seconds(&writer, "took_s", 1500000);
    json_field_seconds(&writer, "left_s", TIME_NONE);
    json_key(&writer, "list");
    json_begin_array(&writer);
    json_put_i64(&writer, 0);
    json_begin_object(&writer);
    json_end_object(&writer);
    json_begin_array(&writer);
    json_put_null(&writer);
    json_put_bool(&writer, true);
    json_end_array(&writer);
    json_put_raw(&writer, "{\"raw\":1}", 9);
    json_end_array(&writer);
    json_key(&writer, "last");
    json_put_text(&writer, "x");
    json_end_object(&writer);
    assert_string_equal(
        buffer_text(&out),
        "{\"league\":\"E0\",\"none\":null,\"least\":-9223372036854775808,\"most\":9223372036854775807,"
        "\"p\":0.25,\"yes\":true,\"no\":false,\"nothing\":null,\"stage\":null,\"group\":\"A\",\"job\":7,\"no_"
        "job\":null,"
        "\"at\":\"2024-08-17T14:00:00Z\",\"never\":null,\"took_s\":1.5,\"left_s\":null,\"list\":[0,{},[null,"
        "true],{\"raw\":1}],"
        "\"last\":\"x\"}");
    json_decref(read_text(buffer_text(&out)));
    buffer_release(&out);
}

static void assert_written_text(const char *text, const char *expected)
{
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 4096);
    json_writer_init(&writer, &out);
    json_put_text(&writer, text);
    assert_string_equal(buffer_text(&out), expected);
    json_decref(read_text(buffer_text(&out)));
    buffer_release(&out);
}

static void test_writes_text(void **state)
{
    (void)state;
    assert_written_text("", "\"\"");
    assert_written_text("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    assert_written_text("\b\t\n\f\r\x01\x1F\x7F", "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7F\"");
    assert_written_text("Malm\xC3\xB6 \xE2\x82\xAC \xF0\x9F\x98\x80!",
                        "\"Malm\xC3\xB6 \xE2\x82\xAC \xF0\x9F\x98\x80!\"");
    assert_written_text("Malm\xF6", "\"Malm\xEF\xBF\xBD\"");
    assert_written_text("\xC3", "\"\xEF\xBF\xBD\"");
    assert_written_text("\xE2\x82x", "\"\xEF\xBF\xBD\xEF\xBF\xBDx\"");
    assert_written_text("\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void write_f64(double value, char out[64])
{
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 63);
    json_writer_init(&writer, &buffer);
    json_put_f64(&writer, value);
    assert_int_equal(buffer.failed, ERR_OK);
    memcpy(out, buffer_text(&buffer), buffer.size_bytes + 1);
    buffer_release(&buffer);
}

static void test_writes_f64(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0"},
                {-0.0, "-0"},
                {1, "1"},
                {-1, "-1"},
                {100, "100"},
                {0.1, "0.1"},
                {-0.5, "-0.5"},
                {2.05, "2.05"},
                {1234567.25, "1234567.25"},
                {0.000123, "0.000123"},
                {0.00001, "1e-05"},
                {1e15, "1e+15"},
                {1e9, "1000000000"},
                {123456789012.5, "123456789012.5"},
                {0.30000000000000004, "0.30000000000000004"},
                {1.0 / 3, "0.3333333333333333"},
                {0.1 + 0.7, "0.7999999999999999"},
                {5e-324, "4.94065645841247e-324"},
                {1.7976931348623157e308, "1.7976931348623157e+308"},
                {NAN, "null"},
                {INFINITY, "null"},
                {-INFINITY, "null"},
                {10001, "10001"},
                {0.0001, "0.0001"},
                {999999999.999999, "999999999.999999"}};
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        char text[64];
        write_f64(rows[index].value, text);
        assert_string_equal(text, rows[index].text);
    }
}

static void test_f64_reads_back(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 11);
    for (int round = 0; round < 100000; round++) {
        double value = random_uniform(&random);
        if (round % 4 == 1)
            value = nearbyint(value * 1e6) / 1e4;
        else if (round % 4 == 2)
            value = nearbyint(random_normal(&random) * 1e9) / 1e6;
        else if (round % 4 == 3) {
            uint64_t bits = random_u64(&random);
            memcpy(&value, &bits, sizeof(value));
        }
        if (!isfinite(value))
            continue;
        char text[64], printed[64];
        write_f64(value, text);
        double back = strtod(text, NULL);
        assert_memory_equal(&back, &value, sizeof(value));
        (void)snprintf(printed, sizeof(printed), "%.15g", value);
        if (strtod(printed, NULL) == value)
            assert_string_equal(text, printed); /* the shortest form, by whichever way it was written */
    }
}

static void test_put_value_round_trip(void **state)
{
    (void)state;
    char deep[2 * LIMIT_JSON_DEPTH + 1] = "";
    memset(deep, '[', LIMIT_JSON_DEPTH);
    memset(deep + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
    const char *const texts[] = {"{\"b\":[1,2.5,\"x\",true,false,null,{}],\"a\":{\"z\":0.1}}", "[]", "\"x\"",
                                 "1", deep}; /* deeper than the writer's own levels */
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        struct buffer out;
        struct json_writer writer;
        buffer_init(&out, 4096);
        json_writer_init(&writer, &out);
        json_t *value = read_text(texts[index]);
        json_begin_array(&writer);
        json_put_value(&writer, value);
        json_put_value(&writer, NULL);
        json_end_array(&writer);
        char expected[512];
        (void)snprintf(expected, sizeof(expected), "[%s,null]", texts[index]);
        assert_string_equal(buffer_text(&out), expected);
        json_decref(value);
        buffer_release(&out);
    }
}

static void test_full_buffer_sticks(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 10);
    json_writer_init(&writer, &out);
    json_begin_array(&writer);
    for (int index = 0; index < 100; index++)
        json_put_f64(&writer, 1.0 / 3);
    json_end_array(&writer);
    assert_int_equal(buffer_check(&out, "answer", NULL), ERR_TOO_LARGE);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_take_missing_and_null),
        cmocka_unit_test(test_take_wrong_types),
        cmocka_unit_test(test_refuse_unknown),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_writes_text),
        cmocka_unit_test(test_writes_f64),
        cmocka_unit_test(test_f64_reads_back),
        cmocka_unit_test(test_put_value_round_trip),
        cmocka_unit_test(test_full_buffer_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
