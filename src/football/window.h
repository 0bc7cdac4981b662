/* Window: weighted means over a team's last 3, 5, 10 and 20 matches of four small counts, kept in running
 * sums.
 *
 * Definition. In a window of w matches the most recent half (rounded up: 2, 3, 5, 10) weighs 1.5 and the
 * older half 0.7; a team with fewer matches than w uses those it has, each with the weight of its place. So
 * the weighted sum is 0.7 * (sum of the last w) + 0.8 * (sum of the last ceil(w/2)), and the five plain sums
 * over the last 2, 3, 5, 10 and 20 matches serve all four windows.
 *
 * The four counts of a match stand as 16-bit lanes of one 64-bit word. All sums are sums of whole numbers
 * from 0 to WINDOW_VALUE_HIGH, at most 20 * 99 * 15 < 2^16: lanes never carry or borrow into each other,
 * adding a match costs five additions and subtractions of words, and no rounding error ever builds up. Plain
 * old data, zeroed at first. One thread while a match is added. */
#ifndef ALMANAC_FOOTBALL_WINDOW_H
#define ALMANAC_FOOTBALL_WINDOW_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    WINDOW_3,
    WINDOW_5,
    WINDOW_10,
    WINDOW_20,
    WINDOW_COUNT,
    WINDOW_SUMS = 5,
    WINDOW_MATCHES = 20, /* of the longest window */
    WINDOW_RING = 32,    /* a power of two above it */
    WINDOW_LANES = 4,
    WINDOW_VALUE_HIGH = 99 /* larger counts (typing errors of the sources) count as this */
};

struct window {
    uint64_t ring[WINDOW_RING]; /* match number m at m % WINDOW_RING */
    uint64_t sum[WINDOW_SUMS];  /* over the last 2, 3, 5, 10, 20 */
    uint64_t count;             /* matches added */
};

/* Weighted means, [window][lane]; NaN before the first match. */
struct window_means {
    float value[WINDOW_COUNT][WINDOW_LANES];
};

static inline uint64_t window_lane(int count)
{
    return (uint64_t)(count < 0 ? 0 : count > WINDOW_VALUE_HIGH ? WINDOW_VALUE_HIGH : count);
}

/* The four counts of a match as one word. */
static inline uint64_t window_word(int a, int b, int c, int d)
{
    return window_lane(a) | window_lane(b) << 16 | window_lane(c) << 32 | window_lane(d) << 48;
}

static const uint8_t window_lengths[WINDOW_SUMS] = {2, 3, 5, 10, 20};

static inline void window_add(struct window *window, uint64_t word)
{
    uint64_t at = window->count++;
    for (size_t i = 0; i < WINDOW_SUMS;
         i++) /* slots before the first match are zero: they take away nothing */
        window->sum[i] += word - window->ring[(at - window_lengths[i]) % WINDOW_RING];
    window->ring[at % WINDOW_RING] = word;
    /* the slot that the longest window leaves behind is not read again before it is overwritten */
}

/* The four lanes side by side in one register, so that a window costs one division (of gcc and clang). */
typedef uint16_t window_words __attribute__((vector_size(WINDOW_LANES * sizeof(uint16_t))));
typedef int32_t window_ints __attribute__((vector_size(WINDOW_LANES * sizeof(int32_t))));
typedef float window_floats __attribute__((vector_size(WINDOW_LANES * sizeof(float))));

static inline void window_means(const struct window *window, struct window_means *out)
{
    for (size_t w = 0; w < WINDOW_COUNT; w++) {
        uint64_t sum = 8 * window->sum[w] + 7 * window->sum[w + 1];
        uint64_t recent = window_lengths[w] < window->count ? window_lengths[w] : window->count;
        uint64_t all = window_lengths[w + 1] < window->count ? window_lengths[w + 1] : window->count;
        float weight = (float)(int)(8 * recent + 7 * all);
        /* 0/0 before the first match gives the NaN that says "missing"; a division rounds once, so a mean
         * never leaves the range of its values */
        window_floats means =
            __builtin_convertvector(__builtin_convertvector((window_words)sum, window_ints), window_floats) /
            weight;
        memcpy(out->value[w], &means, sizeof(out->value[w]));
    }
}

static inline void window_means_clear(struct window_means *out)
{
    for (size_t i = 0; i < WINDOW_COUNT * WINDOW_LANES; i++)
        out->value[i / WINDOW_LANES][i % WINDOW_LANES] = NAN;
}

#endif
