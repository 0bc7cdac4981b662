/* Thrift's compact protocol: bytes of its specification, everything can be walked through and copied, damage is noticed. */
#include "view/thrift.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct thrift_reader reader_of(const struct buffer *buffer)
{
    const uint8_t *data = (const uint8_t *)buffer->data;
    return (struct thrift_reader){data, data + buffer->size_bytes, false};
}

static void bytes_are_those_of_the_specification(void **state)
{
    static const char expected[] = "\x15\x01"         /* field 1, i32 -1: zigzag 1 */
                                   "\x16\xac\x02"     /* field 2, i64 150: zigzag 300 */
                                   "\x28\x02hi"       /* field 4, binary */
                                   "\x05\xc8\x01\x02" /* field 100: too far for a step; i32 1 */
                                   "\x19\x25\x00\x02" /* field 101, list of 2 i32: 0, 1 */
                                   "\x1c\x15\x04\x00" /* field 102, struct {1: i32 2} */
                                   "\x00";
    struct buffer out;
    (void)state;
    buffer_init(&out, 1 << 20);
    struct thrift_writer writer = {.out = &out};
    thrift_put_i32(&writer, 1, -1);
    thrift_put_i64(&writer, 2, 150);
    thrift_put_bytes(&writer, 4, "hi", 2);
    thrift_put_i32(&writer, 100, 1);
    thrift_put_list(&writer, 101, THRIFT_I32, 2);
    thrift_put_element_i64(&out, 0);
    thrift_put_element_i64(&out, 1);
    struct thrift_writer inner = thrift_put_struct(&writer, 102);
    thrift_put_i32(&inner, 1, 2);
    thrift_end(&inner);
    thrift_end(&writer);
    assert_int_equal(out.size_bytes, sizeof(expected) - 1);
    assert_memory_equal(out.data, expected, sizeof(expected) - 1);
    buffer_release(&out);
}

static void numbers_come_back(void **state)
{
    static const int64_t numbers[] = {0, 1, -1, 63, 64, -65, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX};
    struct buffer out;
    struct thrift_field field = {0};
    (void)state;
    buffer_init(&out, 1 << 20);
    struct thrift_writer writer = {.out = &out};
    for (int i = 0; i < 10; i++)
        thrift_put_i64(&writer, 1 + i * i * 7, numbers[i]);
    thrift_end(&writer);
    struct thrift_reader reader = reader_of(&out);
    for (int i = 0; i < 10; i++) {
        assert_true(thrift_next_field(&reader, &field));
        assert_int_equal(field.id, 1 + i * i * 7);
        assert_int_equal(field.type, THRIFT_I64);
        assert_true(thrift_i64(&reader) == numbers[i]);
    }
    assert_false(thrift_next_field(&reader, &field));
    assert_false(reader.is_damaged);
    assert_ptr_equal(reader.at, reader.end);
    buffer_release(&out);
}

/* A struct with every type: truths, a byte, a double, maps, long lists, sets, structs in lists. */
static const char everything[] = "\x11\x12\x13\x07\x14\x08\x17"
                                 "12345678"
                                 "\x1b\x01\x85\x01k\x06\x1b\x00"
                                 "\x1a\x21\x01\x02\x19\xf3\x10"
                                 "0123456789abcdef"
                                 "\x19\x2c\x15\x02\x00\x00\x1c\x18\x03xyz\x00\x00";

static void everything_is_copied_as_it_is(void **state)
{
    struct buffer out;
    struct thrift_field field = {0};
    struct thrift_reader reader = {(const uint8_t *)everything,
                                   (const uint8_t *)everything + sizeof(everything) - 1, false};
    (void)state;
    buffer_init(&out, 1 << 20);
    struct thrift_writer writer = {.out = &out};
    while (thrift_next_field(&reader, &field))
        thrift_copy(&writer, field, &reader);
    thrift_end(&writer);
    assert_false(reader.is_damaged);
    assert_int_equal(out.size_bytes, sizeof(everything) - 1);
    assert_memory_equal(out.data, everything, out.size_bytes);
    buffer_release(&out);
}

static bool walk(const uint8_t *bytes, size_t size_bytes)
{
    struct thrift_reader reader = {bytes, bytes + size_bytes, false};
    struct thrift_field field = {0};
    while (thrift_next_field(&reader, &field))
        thrift_skip(&reader, field.type);
    assert_true(reader.at <= reader.end);
    return !reader.is_damaged;
}

static void damage_is_noticed_and_ends(void **state)
{
    enum { SIZE = sizeof(everything) - 1, DEEP = 1000 };
    uint8_t bytes[DEEP];
    struct random random;
    (void)state;
    for (size_t size = 0; size < SIZE; size++) /* cut anywhere */
        assert_false(walk((const uint8_t *)everything, size));
    random_init(&random, 5);
    for (int i = 0; i < 20000; i++) { /* spoilt anywhere: no read beyond the end, no endless walk */
        memcpy(bytes, everything, SIZE);
        bytes[random_below(&random, SIZE)] = (uint8_t)random_below(&random, 256);
        bytes[random_below(&random, SIZE)] = (uint8_t)random_below(&random, 256);
        (void)walk(bytes, SIZE);
    }
    memset(bytes, 0x1c, DEEP); /* a struct in a struct in a struct */
    assert_false(walk(bytes, DEEP));
    memset(bytes, 0xff, DEEP);
    assert_false(walk(bytes, DEEP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_specification),
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(everything_is_copied_as_it_is),
        cmocka_unit_test(damage_is_noticed_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
