/* Little-endian numbers, the failure that sticks, texts. */
#include "learn/reader.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static void numbers_come_back_as_written(void **state)
{
    (void)state;
    struct buffer out;
    struct reader in;
    char text[8];
    buffer_init(&out, 1000);
    buffer_append_char(&out, (char)0xfe);
    buffer_append_u32(&out, 0x01020304);
    buffer_append_u64(&out, UINT64_C(0xfedcba9876543210));
    writer_f32(&out, -0.1f);
    writer_f64(&out, 0.1);
    writer_text(&out, "abc");
    reader_init(&in, out.data, out.size_bytes);
    assert_int_equal(reader_u8(&in), 0xfe);
    assert_int_equal(reader_u32(&in), 0x01020304);
    assert_true(reader_u64(&in) == UINT64_C(0xfedcba9876543210));
    assert_true(reader_f32(&in) == -0.1f);
    assert_true(reader_f64(&in) == 0.1);
    assert_false(reader_is_done(&in));
    assert_true(reader_text(&in, text, sizeof text));
    assert_string_equal(text, "abc");
    assert_true(reader_is_done(&in));
    assert_int_equal((unsigned char)out.data[1], 4); /* little endian, whatever the machine */
    buffer_release(&out);
}

static void a_read_beyond_the_end_sticks(void **state)
{
    (void)state;
    struct reader in;
    reader_init(&in, "\1\2\3\4\5", 5);
    assert_int_equal(reader_u32(&in), 0x04030201);
    assert_int_equal(reader_u32(&in), 0);
    assert_true(in.failed);
    assert_int_equal(reader_u8(&in), 0); /* though one byte is left */
    assert_int_equal(reader_left(&in), 0);
    assert_null(reader_bytes(&in, 0));
    assert_false(reader_is_done(&in));
}

static void no_bytes_are_enough_for_nothing(void **state)
{
    (void)state;
    struct reader in;
    reader_init(&in, NULL, 0);
    assert_non_null(reader_bytes(&in, 0));
    assert_true(reader_is_done(&in));
    assert_null(reader_bytes(&in, SIZE_MAX));
}

static void texts_must_fit_and_hold_no_zero(void **state)
{
    (void)state;
    struct reader in;
    char text[4];
    reader_init(&in, "\4\0\0\0abcd", 8);
    assert_false(reader_text(&in, text, sizeof text));
    reader_init(&in, "\3\0\0\0a\0b", 7);
    assert_false(reader_text(&in, text, sizeof text));
    reader_init(&in, "\3\0\0\0ab", 6);
    assert_false(reader_text(&in, text, sizeof text));
    reader_init(&in, "\377\377\377\377ab", 6);
    assert_false(reader_text(&in, text, sizeof text));
    assert_string_equal(text, "");
    reader_init(&in, "\3\0\0\0abc", 7);
    assert_true(reader_text(&in, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back_as_written),
        cmocka_unit_test(a_read_beyond_the_end_sticks),
        cmocka_unit_test(no_bytes_are_enough_for_nothing),
        cmocka_unit_test(texts_must_fit_and_hold_no_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
