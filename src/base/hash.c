/* Hashes: see hash.h.
 *
 * Numbers enter the content hash as eight little-endian bytes, so that a name computed on one machine is the
 * name on all. All NaNs count as one: which NaN a computation leaves is the processor's choice. */
#include "base/hash.h"
#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct hash),
               "struct hash must hold libsodium's state");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(struct hash), "and be aligned for it");

static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void hash_start(void)
{
    int result = sodium_init();
    assert(result >= 0); /* fails only where there is no source of randomness, which nothing here uses */
    (void)result;
}

static crypto_generichash_state *hash_state(struct hash *hash)
{
    return (crypto_generichash_state *)(void *)hash->opaque;
}

void hash_init(struct hash *hash)
{
    (void)pthread_once(&hash_once, hash_start);
    int result = crypto_generichash_init(hash_state(hash), NULL, 0, HASH_BYTES);
    assert(result == 0);
    (void)result;
}

void hash_add(struct hash *hash, const void *data, size_t size_bytes)
{
    if (size_bytes > 0)
        (void)crypto_generichash_update(hash_state(hash), data, size_bytes);
}

void hash_add_text(struct hash *hash, const char *text)
{
    hash_add(hash, text, strlen(text) + 1);
}

static void hash_add_word(struct hash *hash, uint64_t word)
{
    unsigned char bytes[8];
    for (unsigned index = 0; index < sizeof(bytes); index++)
        bytes[index] = (unsigned char)(word >> (8 * index));
    hash_add(hash, bytes, sizeof(bytes));
}

void hash_add_i64(struct hash *hash, int64_t value)
{
    hash_add_word(hash, (uint64_t)value);
}

void hash_add_f64(struct hash *hash, double value)
{
    uint64_t word = UINT64_C(0x7FF8000000000000);
    if (value == value)
        memcpy(&word, &value, sizeof(word));
    hash_add_word(hash, word);
}

void hash_final(struct hash *hash, unsigned char out[HASH_BYTES])
{
    (void)crypto_generichash_final(hash_state(hash), out, HASH_BYTES);
}

void hash_final_hex(struct hash *hash, char out[HASH_HEX_BYTES])
{
    unsigned char bytes[HASH_BYTES];
    hash_final(hash, bytes);
    (void)sodium_bin2hex(out, HASH_HEX_BYTES, bytes, HASH_BYTES);
}

void hash_bytes(const void *data, size_t size_bytes, unsigned char out[HASH_BYTES])
{
    struct hash hash;
    hash_init(&hash);
    hash_add(&hash, data, size_bytes);
    hash_final(&hash, out);
}

static uint64_t hash_mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0x9FB21C651E98DF25);
    return state ^ state >> 32;
}

/* Eight bytes a step, the size in the seed (so zero bytes at the end count), a last mix for the high bits. */
uint64_t hash_u64(const void *data, size_t size_bytes, uint64_t seed)
{
    const unsigned char *bytes = data;
    uint64_t state = seed ^ (size_bytes * UINT64_C(0x9E3779B97F4A7C15));
    uint64_t word;
    for (; size_bytes >= 8; size_bytes -= 8, bytes += 8) {
        memcpy(&word, bytes, 8);
        state = hash_mix(state, word);
    }
    word = 0;
    if (size_bytes > 0)
        memcpy(&word, bytes, size_bytes);
    state = hash_mix(state, word);
    state = (state ^ state >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
    return state ^ state >> 32;
}
