/* Ranking: the teams of a league as numbers that sort as its table does, and the sorted list of them.
 *
 * A key holds points, goal difference and goals scored, in this order of weight: 10, 11 and 10 bits. More than any
 * season has (1023 points) counts as that. The list is greatest first; equal keys stand side by side and are one and
 * the same, so nobody has to know whose key is whose.
 *
 * Keys are never negative, and zeros stand behind the list: the caller has ranking_room() places, zeroed at first. So
 * four keys can be looked at or moved at a time, whatever the count, and without a branch on what is found: football is
 * hard to predict, for processors too. Pure; one thread per list. */
#ifndef ALMANAC_FOOTBALL_RANKING_H
#define ALMANAC_FOOTBALL_RANKING_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { RANKING_LANES = 4 };
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

/* Four keys side by side in one register (of gcc and clang). */
typedef int32_t ranking_four __attribute__((vector_size(RANKING_LANES * sizeof(int32_t))));

static inline ranking_four ranking_load(const int32_t *keys)
{
    ranking_four four;
    memcpy(&four, keys, sizeof(four));
    return four;
}

/* Places for a list of up to `count` keys. */
static inline size_t ranking_room(size_t count)
{
    return count + RANKING_LANES;
}

/* The list has no keys any more. */
static inline void ranking_clear(int32_t *keys, size_t count)
{
    memset(keys, 0, count * sizeof(*keys));
}

/* The sum of the four, none of which is negative. */
static inline uint32_t ranking_sum(ranking_four four)
{
    uint64_t half[2];
    memcpy(half, &four, sizeof(half));
    half[0] += half[1];
    return (uint32_t)(half[0] + (half[0] >> 32));
}

/* The place of `key` in the list, from 0: how many are greater. */
static inline size_t ranking_place(const int32_t *keys, size_t count, int32_t key)
{
    ranking_four greater = {0};
    for (size_t i = 0; i < count; i += RANKING_LANES)
        greater -= ranking_load(keys + i) > key; /* true is -1 */
    return ranking_sum(greater);
}

/* One such key must be there. */
static inline void ranking_remove(int32_t *keys, size_t count, int32_t key)
{
    size_t at = ranking_place(keys, count, key);
    assert(at < count && keys[at] == key);
    memmove(keys + at, keys + at + 1, (count - at - 1) * sizeof(*keys));
    keys[count - 1] = 0;
}

static inline void ranking_insert(int32_t *keys, size_t count, int32_t key)
{
    size_t at = ranking_place(keys, count, key);
    memmove(keys + at + 1, keys + at, (count - at) * sizeof(*keys));
    keys[at] = key;
}

/* memmove; seldom more than four. */
static inline void ranking_move(int32_t *into, const int32_t *from, size_t count)
{
    if (count > RANKING_LANES) {
        memmove(into, from, count * sizeof(*into));
        return;
    }
    ranking_four moves = (ranking_four){0, 1, 2, 3} < (int32_t)count;
    ranking_four four = (ranking_load(from) & moves) | (ranking_load(into) & ~moves);
    memcpy(into, &four, sizeof(four));
}

/* `old`, which must be there, becomes `key`: the keys between their places move by one. */
static inline void ranking_replace(int32_t *keys, size_t count, int32_t old, int32_t key)
{
    size_t at = ranking_place(keys, count, old), falls = key < old;
    size_t to = ranking_place(keys, count, key) - falls; /* `old` itself was greater */
    size_t low = at < to ? at : to, high = at < to ? to : at;
    assert(at < count && keys[at] == old);
    ranking_move(keys + low + !falls, keys + low + falls, high - low);
    keys[to] = key;
}

#endif
