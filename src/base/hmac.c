/* HMAC-SHA-256. */
#include "base/hmac.h"

#include <sodium.h>

void hmac_sha256_hex(const void *key, size_t key_bytes, const void *first, size_t first_bytes,
                     const void *second, size_t second_bytes, char out[HMAC_HEX_BYTES])
{
    crypto_auth_hmacsha256_state state;
    unsigned char code[crypto_auth_hmacsha256_BYTES];

    _Static_assert(2 * crypto_auth_hmacsha256_BYTES + 1 == HMAC_HEX_BYTES, "room for the digits");
    crypto_auth_hmacsha256_init(&state, key, key_bytes);
    crypto_auth_hmacsha256_update(&state, first, first_bytes);
    if (second_bytes > 0)
        crypto_auth_hmacsha256_update(&state, second, second_bytes);
    crypto_auth_hmacsha256_final(&state, code);
    sodium_bin2hex(out, HMAC_HEX_BYTES, code, sizeof code);
    sodium_memzero(&state, sizeof state);
}
