/* HMAC-SHA-256 (RFC 2104 with SHA-256, by libsodium): proves who wrote a message to whoever shares the key. Threads: any. */
#ifndef ALMANAC_BASE_HMAC_H
#define ALMANAC_BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>

enum { HMAC_HEX_BYTES = 65 };

/* Over the bytes of `first` and right behind them those of `second` (may be NULL when second_bytes is 0); lower-case
 * hexadecimal digits. Keys of any length. */
void hmac_sha256_hex(const void *key, size_t key_bytes, const void *first, size_t first_bytes,
                     const void *second, size_t second_bytes, char out[HMAC_HEX_BYTES]);

#endif
