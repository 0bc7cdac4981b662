/* SHA-1: see sha1.h. The message and its padding fit into two blocks. */
#include "http/sha1.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_BYTES = 64, LENGTH_BYTES = 8, ROUNDS = 80 };

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/* FIPS 180-4, 4.1.1 and 4.2.1: the function and the constant of a round. */
static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20)
        return ((b & c) | (~b & d)) + 0x5a827999U;
    if (round < 40)
        return (b ^ c ^ d) + 0x6ed9eba1U;
    if (round < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcU;
    return (b ^ c ^ d) + 0xca62c1d6U;
}

static void schedule(const unsigned char *block, uint32_t out[ROUNDS])
{
    for (size_t i = 0; i < 16; i++)
        out[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                 (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (size_t i = 16; i < ROUNDS; i++)
        out[i] = rotate(out[i - 3] ^ out[i - 8] ^ out[i - 14] ^ out[i - 16], 1);
}

static void add_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t words[ROUNDS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    schedule(block, words);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t next = rotate(a, 5) + mix(round, b, c, d) + e + words[round];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void sha1(const void *data, size_t size_bytes, unsigned char out[SHA1_BYTES])
{
    uint32_t state[5] = {0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
    unsigned char blocks[2 * BLOCK_BYTES] = {0};
    assert(size_bytes <= SHA1_INPUT_BYTES);
    size_t padded_bytes = size_bytes + 1 + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    memcpy(blocks, data, size_bytes);
    blocks[size_bytes] = 0x80;
    blocks[padded_bytes - 2] = (unsigned char)(size_bytes * 8 >> 8);
    blocks[padded_bytes - 1] = (unsigned char)(size_bytes * 8);
    for (size_t at = 0; at < padded_bytes; at += BLOCK_BYTES)
        add_block(state, blocks + at);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        out[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
}
