/* Window: weighted means over a team's last 3, 5, 10 and 20 matches of four small counts, kept in running
 * sums.
 *
 * Definition. In a window of w matches the most recent half (rounded up: 2, 3, 5, 10) weighs 1.5 and the
 * older half 0.7; a team with fewer matches than w uses those it has, each with the weight of its place. So
 * the weighted sum is 0.7 * (sum of the last w) + 0.8 * (sum of the last ceil(w/2)), and the five plain sums
 * over the last 2, 3, 5, 10 and 20 matches serve all four windows.
 *
 * The four counts of a match stand as 16-bit lanes of one 64-bit word. Kept are the totals of all matches up to each of
 * the latest ones: the sum over the last few is the difference of two of them. Totals wrap around, differences do not:
 * all sums are sums of whole numbers from 0 to WINDOW_VALUE_HIGH, at most 20 * 99 * 15 < 2^16, so lanes never carry or
 * borrow into each other in the end, and no rounding error ever builds up. Plain old data, zeroed at first. One thread
 * while a match is added. */
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
    uint64_t total[WINDOW_RING]; /* of the first m matches at m % WINDOW_RING; of none, and of fewer, 0 */
    uint64_t count;              /* matches added */
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

/* The total of the first m matches; m may be up to WINDOW_MATCHES before the first, and before the latest. */
static inline uint64_t window_total(const struct window *window, uint64_t m)
{
    return window->total[m % WINDOW_RING];
}

static inline void window_add(struct window *window, uint64_t word)
{
    uint64_t total = window_total(window, window->count) + word;
    window->total[++window->count % WINDOW_RING] = total;
}

static const uint8_t window_lengths[WINDOW_SUMS] = {2, 3, 5, 10, 20};

/* The sum over the last 2, 3, 5, 10 or 20 matches: `which` of them. */
static inline uint64_t window_sum(const struct window *window, size_t which)
{
    uint64_t count = window->count;
    return window_total(window, count) - window_total(window, count - window_lengths[which]);
}

/* What the matches of each window weigh together, in tenths, by how many there are. The smaller of two without a choice: of
 * constants it would be one between equals. */
#define WINDOW_FEWER(n, length)   ((n) - ((n) > (length)) * ((n) - (length)))
#define WINDOW_WEIGHT(n, half, w) (8 * WINDOW_FEWER(n, half) + 7 * WINDOW_FEWER(n, w))
#define WINDOW_WEIGHTS(n)                                                                                    \
    {                                                                                                        \
        WINDOW_WEIGHT(n, 2, 3), WINDOW_WEIGHT(n, 3, 5), WINDOW_WEIGHT(n, 5, 10), WINDOW_WEIGHT(n, 10, 20)    \
    }
static const float window_weights[WINDOW_MATCHES + 1][WINDOW_COUNT] = {
    WINDOW_WEIGHTS(0),  WINDOW_WEIGHTS(1),  WINDOW_WEIGHTS(2),  WINDOW_WEIGHTS(3),  WINDOW_WEIGHTS(4),
    WINDOW_WEIGHTS(5),  WINDOW_WEIGHTS(6),  WINDOW_WEIGHTS(7),  WINDOW_WEIGHTS(8),  WINDOW_WEIGHTS(9),
    WINDOW_WEIGHTS(10), WINDOW_WEIGHTS(11), WINDOW_WEIGHTS(12), WINDOW_WEIGHTS(13), WINDOW_WEIGHTS(14),
    WINDOW_WEIGHTS(15), WINDOW_WEIGHTS(16), WINDOW_WEIGHTS(17), WINDOW_WEIGHTS(18), WINDOW_WEIGHTS(19),
    WINDOW_WEIGHTS(20),
};

/* The weights now, [window]. */
static inline const float *window_weights_of(const struct window *window)
{
    return window_weights[window->count < WINDOW_MATCHES ? window->count : WINDOW_MATCHES];
}

/* The four lanes side by side in one register, so that a window costs one division (of gcc and clang). */
typedef uint16_t window_words __attribute__((vector_size(WINDOW_LANES * sizeof(uint16_t))));
typedef int32_t window_ints __attribute__((vector_size(WINDOW_LANES * sizeof(int32_t))));
typedef float window_floats __attribute__((vector_size(WINDOW_LANES * sizeof(float))));

static inline window_floats window_floats_of(uint64_t word)
{
    return __builtin_convertvector(__builtin_convertvector((window_words)word, window_ints), window_floats);
}

static inline void window_means(const struct window *window, struct window_means *out)
{
    const float *weights = window_weights_of(window);
    uint64_t count = window->count, total = window_total(window, count);
    uint64_t recent = total - window_total(window, count - window_lengths[0]);
    for (size_t w = 0; w < WINDOW_COUNT; w++) {
        uint64_t all = total - window_total(window, count - window_lengths[w + 1]);
        /* 0/0 before the first match gives the NaN that says "missing"; a division rounds once, so a mean
         * never leaves the range of its values */
        window_floats means = window_floats_of(8 * recent + 7 * all) / weights[w];
        memcpy(out->value[w], &means, sizeof(out->value[w]));
        recent = all;
    }
}

static inline void window_means_clear(struct window_means *out)
{
    for (size_t i = 0; i < WINDOW_COUNT * WINDOW_LANES; i++)
        out->value[i / WINDOW_LANES][i % WINDOW_LANES] = NAN;
}

#endif
