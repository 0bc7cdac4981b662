/* Feature value: what is written is read, damage is found, numbers are the shortest that read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "serve/feature_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct buffer write_sample(const float *values, size_t count)
{
    struct feature_value value = {.schema = "0123456789abcde",
                                  .event_us = 1234567890123456,
                                  .made_us = -5,
                                  .origin = FEATURE_OF_MATRIX,
                                  .count = count,
                                  .values = values};
    struct buffer out;
    memset(value.data, 0xa5, sizeof(value.data));
    buffer_init(&out, 1 << 20);
    feature_value_write(&value, &out);
    assert_int_equal(out.failed, ERR_OK);
    return out;
}

static void what_is_written_is_read(void **state)
{
    const float values[] = {1.5f, -0.0f, NAN, INFINITY, 1e-30f};
    struct feature_value value;
    (void)state;
    for (size_t count = 0; count <= 5; count++) {
        struct buffer bytes = write_sample(values, count);
        assert_int_equal(bytes.size_bytes, FEATURE_VALUE_HEADER_BYTES + 4 * count);
        assert_true(feature_value_read(bytes.data, bytes.size_bytes, &value));
        assert_memory_equal(value.schema, "0123456789abcde", FEATURE_SCHEMA_BYTES);
        assert_int_equal(value.data[31], 0xa5);
        assert_true(value.event_us == 1234567890123456 && value.made_us == -5);
        assert_int_equal(value.origin, FEATURE_OF_MATRIX);
        assert_int_equal(value.count, count);
        assert_memory_equal(value.values, values, count * sizeof(float)); /* bit for bit */
        assert_null(value.json);
        buffer_append_text(&bytes, "{}");
        assert_false(
            feature_value_read(bytes.data, bytes.size_bytes, &value)); /* from outside: no more, no less */
        feature_value_read_own(bytes.data, bytes.size_bytes, &value);
        assert_int_equal(value.json_bytes, 2);
        assert_memory_equal(value.json, "{}", 2);
        buffer_release(&bytes);
    }
}

/* Whoever can write into the shared Redis can make the check right: an age must still be a number. */
static void moments_outside_the_calendar_are_refused(void **state)
{
    static const int64_t far[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX};
    const float one = 1;
    struct feature_value read;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct feature_value value = {.made_us = far[i], .count = 1, .values = &one};
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        feature_value_write(&value, &bytes);
        assert_false(feature_value_read(bytes.data, bytes.size_bytes, &read));
        buffer_release(&bytes);
    }
}

static void every_damaged_byte_is_found(void **state)
{
    const float values[] = {1, 2, 3};
    struct buffer bytes = write_sample(values, 3);
    struct feature_value value;
    (void)state;
    for (size_t i = 0; i < bytes.size_bytes; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
            assert_false(feature_value_read(bytes.data, bytes.size_bytes, &value));
            bytes.data[i] = (char)(bytes.data[i] ^ (1 << bit));
        }
    }
    for (size_t size = 0; size < bytes.size_bytes; size++)
        assert_false(feature_value_read(bytes.data, size, &value));
    assert_true(feature_value_read(bytes.data, bytes.size_bytes, &value));
    buffer_release(&bytes);
}

static const char *number(float value)
{
    static char text[64];
    struct buffer out;
    buffer_init(&out, sizeof(text) - 1);
    feature_value_write_number(&out, value);
    assert_int_equal(out.failed, ERR_OK);
    memcpy(text, out.data, out.size_bytes + 1);
    buffer_release(&out);
    return text;
}

static void numbers_are_short_and_exact(void **state)
{
    struct random random;
    (void)state;
    assert_string_equal(number(0), "0");
    assert_string_equal(number(-3), "-3");
    assert_string_equal(number(0.1f), "0.1");
    assert_string_equal(number(0.6f), "0.6");
    assert_string_equal(number(1.0f / 3), "0.33333334");
    assert_string_equal(number(1e-20f), "1e-20");
    assert_string_equal(number(16777216), "16777216");
    assert_string_equal(number(NAN), "null");
    assert_string_equal(number(INFINITY), "null");
    assert_string_equal(number(-INFINITY), "null");
    assert_string_equal(number(-0.25f), "-0.25");
    assert_string_equal(number(0.001f), "0.001");
    assert_string_equal(number(999999.9f), "999999.9");
    assert_string_equal(number(10.05f), "10.05");
    assert_string_equal(number(0.0999f), "0.0999");
    random_init(&random, 7);
    for (int i = 0; i < 100000; i++) {
        float value = (float)(random_normal(&random) * (i % 2 == 0 ? 1 : 1000));
        assert_true((float)strtod(number(value), NULL) == value);
        assert_true(strlen(number(value)) <= 15);
    }
    for (int i = 0; i < 100000; i++) {
        uint32_t bits = (uint32_t)random_u64(&random);
        float value;
        memcpy(&value, &bits, 4);
        if (isfinite(value))
            assert_true((float)strtod(number(value), NULL) == value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_damaged_byte_is_found),
        cmocka_unit_test(moments_outside_the_calendar_are_refused),
        cmocka_unit_test(numbers_are_short_and_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
