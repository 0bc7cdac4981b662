/* Hashes: BLAKE2b-256 (RFC 7693, by libsodium) names content and checks files; hash_u64 is for tables only.
 */
#ifndef ALMANAC_BASE_HASH_H
#define ALMANAC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_BYTES = 32, HASH_HEX_BYTES = 65 };

struct hash {
    _Alignas(64) unsigned char opaque[384]; /* crypto_generichash_state */
};

void hash_init(struct hash *hash);
void hash_add(struct hash *hash, const void *data, size_t size_bytes);
void hash_add_text(struct hash *hash,
                   const char *text); /* with its terminator, so that "a","b" is not "ab","" */
void hash_add_i64(struct hash *hash, int64_t value);
void hash_add_f64(struct hash *hash, double value);
void hash_final(struct hash *hash, unsigned char out[HASH_BYTES]);
void hash_final_hex(struct hash *hash, char out[HASH_HEX_BYTES]);
void hash_bytes(const void *data, size_t size_bytes, unsigned char out[HASH_BYTES]);
uint64_t hash_u64(const void *data, size_t size_bytes, uint64_t seed);

#endif
