/* Tests of base/hash.h. Expected digests are from Python's hashlib.blake2b(digest_size=32). */
#include "base/hash.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_known_digests(void **state)
{
    (void)state;
    char hex[HASH_HEX_BYTES];
    struct hash hash;
    hash_init(&hash);
    hash_add(&hash, NULL, 0);
    hash_final_hex(&hash, hex);
    assert_string_equal(hex, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    hash_init(&hash);
    hash_add(&hash, "a", 1);
    hash_add(&hash, "bc", 2);
    hash_final_hex(&hash, hex);
    assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    hash_init(&hash);
    hash_add_text(&hash, "abc");
    hash_add_i64(&hash, -5);
    hash_add_f64(&hash, 1.5);
    hash_add(&hash, "xyz", 3);
    hash_final_hex(&hash, hex);
    assert_string_equal(hex, "3ea80b1aef96be8219d81b434b979e24f40a5acb8ec9e19d30f5241771223aa0");
}

static void test_bytes_is_the_same(void **state)
{
    (void)state;
    static unsigned char data[1000];
    for (size_t index = 0; index < sizeof(data); index++)
        data[index] = (unsigned char)(index * 7);
    unsigned char whole[HASH_BYTES], parts[HASH_BYTES];
    hash_bytes(data, sizeof(data), whole);
    for (size_t cut = 0; cut <= sizeof(data); cut += 97) {
        struct hash hash;
        hash_init(&hash);
        hash_add(&hash, data, cut);
        hash_add(&hash, data + cut, sizeof(data) - cut);
        hash_final(&hash, parts);
        assert_memory_equal(whole, parts, HASH_BYTES);
    }
    data[500] ^= 1;
    hash_bytes(data, sizeof(data), parts);
    assert_memory_not_equal(whole, parts, HASH_BYTES);
}

static void hash_two_texts(const char *first, const char *second, unsigned char out[HASH_BYTES])
{
    struct hash hash;
    hash_init(&hash);
    hash_add_text(&hash, first);
    hash_add_text(&hash, second);
    hash_final(&hash, out);
}

static void hash_one_f64(double value, unsigned char out[HASH_BYTES])
{
    struct hash hash;
    hash_init(&hash);
    hash_add_f64(&hash, value);
    hash_final(&hash, out);
}

static void test_parts_do_not_run_together(void **state)
{
    (void)state;
    unsigned char first[HASH_BYTES], second[HASH_BYTES];
    hash_two_texts("ab", "", first);
    hash_two_texts("a", "b", second);
    assert_memory_not_equal(first, second, HASH_BYTES);
    hash_one_f64(NAN, first);
    hash_one_f64(-NAN, second);
    assert_memory_equal(first, second, HASH_BYTES);
    hash_one_f64(0.0, first);
    hash_one_f64(-0.0, second);
    assert_memory_not_equal(first, second, HASH_BYTES);
}

static void test_u64(void **state)
{
    (void)state;
    unsigned char zeros[64] = {0};
    uint64_t seen[130];
    size_t count = 0;
    for (size_t size = 0; size <= sizeof(zeros); size++) {
        seen[count++] = hash_u64(zeros, size, 0);
        seen[count++] = hash_u64(zeros, size, 1);
    }
    for (size_t index = 0; index < count; index++)
        for (size_t other = 0; other < index; other++)
            assert_true(seen[index] != seen[other]);
    unsigned char shifted[20] = " Nottm Forest 1234";
    assert_true(hash_u64(shifted + 1, 17, 9) == hash_u64("Nottm Forest 1234", 17, 9)); /* any alignment */
}

/* Every input bit flips each output bit about half of the time, the low ones included (tables mask with
 * them). */
static void test_u64_avalanche(void **state)
{
    (void)state;
    enum { ROUNDS = 2000 };
    int flips[64] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        char name[16];
        int size = snprintf(name, sizeof(name), "team %d", round);
        uint64_t before = hash_u64(name, (size_t)size, 0);
        name[round % size] ^= (char)(1 << round % 7);
        uint64_t changed = before ^ hash_u64(name, (size_t)size, 0);
        for (int bit = 0; bit < 64; bit++)
            flips[bit] += (int)(changed >> bit & 1);
    }
    for (int bit = 0; bit < 64; bit++)
        assert_in_range(flips[bit], ROUNDS * 2 / 5, ROUNDS * 3 / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_digests),
        cmocka_unit_test(test_bytes_is_the_same),
        cmocka_unit_test(test_parts_do_not_run_together),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_u64_avalanche),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
