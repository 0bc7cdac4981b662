/* Tests of base/buffer.h: growth, the maximum, the sticky failure, formats, byte order. */
#include "base/buffer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Under AddressSanitizer a refused realloc must answer NULL, as it does without. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_empty(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    assert_null(buffer.data);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_append(&buffer, NULL, 0);
    buffer_append_text(&buffer, "");
    assert_int_equal(buffer.size_bytes, 0);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_clear(&buffer);
    buffer_release(&buffer);
    buffer_release(&buffer);
}

static void test_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    for (int index = 0; index < 20000; index++) {
        buffer_append_char(&buffer, (char)('a' + index % 26));
        buffer_append_text(&buffer, "xyz");
        assert_int_equal(buffer.data[buffer.size_bytes], 0);
    }
    assert_int_equal(buffer.size_bytes, 80000);
    for (int index = 0; index < 20000; index++) {
        assert_int_equal(buffer.data[4 * index], 'a' + index % 26);
        assert_memory_equal(buffer.data + 4 * index + 1, "xyz", 3);
    }
    buffer_release(&buffer);
}

static void test_maximum_is_exact_and_failure_sticks(void **state)
{
    (void)state;
    struct buffer buffer;
    struct err err;
    for (size_t max = 0; max < 1030; max += 103) {
        buffer_init(&buffer, max);
        for (size_t count = 0; count < max; count++)
            buffer_append_char(&buffer, 'x');
        assert_int_equal(buffer_check(&buffer, "text", &err), ERR_OK);
        assert_int_equal(buffer.size_bytes, max);
        buffer_append_char(&buffer, 'x');
        assert_int_equal(buffer.failed, ERR_TOO_LARGE);
        assert_int_equal(buffer.size_bytes, max);
        buffer_release(&buffer);
    }
    buffer_init(&buffer, 10);
    buffer_append_text(&buffer, "12345678");
    buffer_append_text(&buffer, "abc");
    buffer_append_text(&buffer, "d"); /* would fit, but comes after a refused piece */
    buffer_printf(&buffer, "%d", 1);
    assert_null(buffer_extend(&buffer, 1));
    assert_string_equal(buffer_text(&buffer), "12345678");
    assert_int_equal(buffer_check(&buffer, "the report", &err), ERR_TOO_LARGE);
    assert_string_equal(err.text, "the report is larger than 10 bytes");
    buffer_clear(&buffer);
    buffer_append_text(&buffer, "d");
    assert_string_equal(buffer_text(&buffer), "d");
    assert_int_equal(buffer_check(&buffer, "x", NULL), ERR_OK);
    buffer_release(&buffer);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct buffer buffer;
    struct err err;
    buffer_init(&buffer, SIZE_MAX);
    buffer_append_text(&buffer, "abc");
    assert_null(buffer_extend(&buffer, SIZE_MAX / 2));
    assert_int_equal(buffer_check(&buffer, "the matrix", &err), ERR_NOMEM);
    assert_non_null(strstr(err.text, "the matrix"));
    assert_string_equal(buffer_text(&buffer), "abc");
    buffer_clear(&buffer);
    buffer_append_text(&buffer, "abc");
    assert_null(buffer_extend(&buffer, SIZE_MAX - 3)); /* size + 1 would wrap */
    assert_int_equal(buffer.failed, ERR_TOO_LARGE);
    buffer_release(&buffer);
}

static void test_printf_of_every_length(void **state)
{
    (void)state;
    struct buffer buffer;
    for (int length = 1; length < 700; length++) {
        buffer_init(&buffer, 4096);
        buffer_append_text(&buffer, "head:");
        buffer_printf(&buffer, "%*d", length, 7);
        assert_int_equal(buffer.size_bytes, 5 + length);
        assert_int_equal(strlen(buffer.data), 5 + length);
        assert_int_equal(buffer.data[4 + length], '7');
        buffer_release(&buffer);
    }
    buffer_init(&buffer, 20);
    buffer_append_text(&buffer, "keep");
    buffer_printf(&buffer, "%100d", 7);
    assert_int_equal(buffer.failed, ERR_TOO_LARGE);
    assert_string_equal(buffer_text(&buffer), "keep");
    buffer_release(&buffer);
}

static void test_integers_are_little_endian(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    buffer_append_u32(&buffer, 0x01020304);
    buffer_append_u64(&buffer, UINT64_C(0x1122334455667788));
    static const unsigned char expected[] = {4, 3, 2, 1, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    assert_int_equal(buffer.size_bytes, sizeof(expected));
    assert_memory_equal(buffer.data, expected, sizeof(expected));
    buffer_release(&buffer);
}

static void test_extend(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 5000);
    buffer_append_text(&buffer, "ab");
    memset(buffer_extend(&buffer, 4000), 'z', 4000);
    buffer_append_char(&buffer, 'c');
    assert_int_equal(buffer.size_bytes, 4003);
    assert_string_equal(buffer.data + 4000, "zzc");
    buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_grows_and_stays_terminated),
        cmocka_unit_test(test_maximum_is_exact_and_failure_sticks),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_printf_of_every_length),
        cmocka_unit_test(test_integers_are_little_endian),
        cmocka_unit_test(test_extend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
