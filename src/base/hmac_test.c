/* HMAC-SHA-256 against the test cases of RFC 4231. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hmac.h"

#include <string.h>

static void check(const void *key, size_t key_bytes, const char *message, const char *expected)
{
    char hex[HMAC_HEX_BYTES];
    size_t size = strlen(message);

    for (size_t cut = 0; cut <= size; cut++) { /* wherever it is divided */
        hmac_sha256_hex(key, key_bytes, message, cut, message + cut, size - cut, hex);
        assert_string_equal(hex, expected);
    }
}

static void test_rfc_4231(void **state)
{
    unsigned char key[131];

    (void)state;
    memset(key, 0x0b, 20);
    check(key, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check("Jefe", 4, "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key); /* longer than a block */
    check(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_no_message(void **state)
{
    char hex[HMAC_HEX_BYTES];

    (void)state;
    hmac_sha256_hex("", 0, "", 0, NULL, 0, hex);
    assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc_4231), cmocka_unit_test(test_no_message)};

    return cmocka_run_group_tests_name("hmac", tests, NULL, NULL);
}
