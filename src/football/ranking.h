/* Ranking: the teams of a league as numbers that sort as its table does, and the sorted list of them.
 *
 * A key holds points, goal difference and goals scored, in this order of weight: 10, 11 and 10 bits. More than any
 * season has (1023 points) counts as that. The list is greatest first; equal keys stand side by side and are one and
 * the same, so nobody has to know whose key is whose. The caller has room for one key more before an insertion. Pure; one
 * thread per list. */
#ifndef ALMANAC_FOOTBALL_RANKING_H
#define ALMANAC_FOOTBALL_RANKING_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { RANKING_GOALS_BITS = 10, RANKING_DIFFERENCE_BITS = 11, RANKING_HIGH = (1 << RANKING_GOALS_BITS) - 1 };

static inline int32_t ranking_cut(int32_t value, int32_t low)
{
    return value < low ? low : value > RANKING_HIGH ? RANKING_HIGH : value;
}

static inline int32_t ranking_key(int32_t points, int32_t goals_for, int32_t goals_against)
{
    int32_t difference = ranking_cut(goals_for - goals_against, -RANKING_HIGH) + RANKING_HIGH;
    return (ranking_cut(points, 0) << RANKING_DIFFERENCE_BITS | difference) << RANKING_GOALS_BITS |
           ranking_cut(goals_for, 0);
}

static inline int32_t ranking_points(int32_t key)
{
    return key >> (RANKING_DIFFERENCE_BITS + RANKING_GOALS_BITS);
}

/* The place of `key` in the list, from 0: how many are greater. Halving without a branch on what is found. */
static inline size_t ranking_place(const int32_t *keys, size_t count, int32_t key)
{
    size_t place = 0;
    while (count > 0) {
        size_t half = (count + 1) / 2;
        place += keys[place + half - 1] > key ? half : 0;
        count -= half;
    }
    return place;
}

/* One such key must be there. */
static inline void ranking_remove(int32_t *keys, size_t count, int32_t key)
{
    size_t at = ranking_place(keys, count, key);
    assert(at < count && keys[at] == key);
    memmove(keys + at, keys + at + 1, (count - at - 1) * sizeof(*keys));
}

/* `old`, which must be there, becomes `key`: the keys between their places move by one. */
static inline void ranking_replace(int32_t *keys, size_t count, int32_t old, int32_t key)
{
    size_t at = ranking_place(keys, count, old);
    assert(at < count && keys[at] == old);
    for (; at > 0 && keys[at - 1] < key; at--)
        keys[at] = keys[at - 1];
    for (; at + 1 < count && keys[at + 1] > key; at++)
        keys[at] = keys[at + 1];
    keys[at] = key;
}

static inline void ranking_insert(int32_t *keys, size_t count, int32_t key)
{
    size_t at = ranking_place(keys, count, key);
    memmove(keys + at + 1, keys + at, (count - at) * sizeof(*keys));
    keys[at] = key;
}

#endif
