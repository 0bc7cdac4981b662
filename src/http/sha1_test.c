/* The vectors of FIPS 180 and RFC 3174, and the lengths around the ends of the blocks (values of an independent
 * implementation). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/sha1.h"

#include <stdio.h>
#include <string.h>

static void check(const char *text, size_t size_bytes, const char *wanted)
{
    unsigned char sum[SHA1_BYTES];
    char hex[2 * SHA1_BYTES + 1];
    sha1(text, size_bytes, sum);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    assert_string_equal(hex, wanted);
}

static void test_published(void **state)
{
    (void)state;
    check("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

static void test_ends_of_blocks(void **state)
{
    char text[SHA1_INPUT_BYTES];
    (void)state;
    memset(text, 'a', sizeof text);
    check(text, 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a");
    check(text, 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699");
    check(text, 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5");
    check(text, 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d");
    check(text, 119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_published),
                                       cmocka_unit_test(test_ends_of_blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
