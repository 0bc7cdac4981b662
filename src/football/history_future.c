/* The audited future: an outcome taken away, or replaced.
 *
 * Scrambling must change every field, or a leak through an unchanged one would pass: counts move to another
 * value of a plausible range (never to themselves), missing values come to be, prices are scaled. */
#include "football/history_future.h"

#include "base/random.h"

#include <math.h>

enum { SCRAMBLE_GOALS = 7, SCRAMBLE_STAT = 30, SCRAMBLE_XG_MILLI = 5000 };

struct prices prices_unknown(void)
{
    struct prices prices;
    for (size_t book = 0; book < BOOKMAKER_COUNT; book++) {
        for (size_t i = 0; i < 3; i++)
            prices.home_draw_away[book][i] = NAN;
        for (size_t i = 0; i < 2; i++)
            prices.under_over[book][i] = NAN;
    }
    return prices;
}

struct outcome outcome_unknown(void)
{
    struct outcome outcome = {.known_us = INT64_MAX};
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        outcome.goals[side] = outcome.half_goals[side] = GOALS_NONE;
        outcome.xg_milli[side] = -1;
        for (size_t stat = 0; stat < STAT_COUNT; stat++)
            outcome.stats[stat][side] = -1;
    }
    return outcome;
}

/* Another count in [0, range): the step 1..range-1 never leads back to the old one. */
static int16_t other_count(struct random *random, int old, int range)
{
    int step = 1 + (int)random_below(random, (uint64_t)range - 1);
    return (int16_t)(((old < 0 ? 0 : old) + step) % range);
}

static float other_price(struct random *random, float old)
{
    float scale = 1.05f + (float)random_uniform(random);
    return isnan(old) ? 1 + scale : old * scale;
}

void outcome_scramble(struct outcome *outcome, uint64_t seed)
{
    struct random random;
    random_init(&random, seed);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        outcome->goals[side] = other_count(&random, outcome->goals[side], SCRAMBLE_GOALS);
        outcome->half_goals[side] = other_count(&random, outcome->half_goals[side], SCRAMBLE_GOALS);
        outcome->xg_milli[side] = other_count(&random, outcome->xg_milli[side], SCRAMBLE_XG_MILLI);
        for (size_t stat = 0; stat < STAT_COUNT; stat++)
            outcome->stats[stat][side] = other_count(&random, outcome->stats[stat][side], SCRAMBLE_STAT);
    }
}

void prices_scramble(struct prices *prices, uint64_t seed)
{
    struct random random;
    random_init(&random, seed);
    for (size_t book = 0; book < BOOKMAKER_COUNT; book++) {
        for (size_t i = 0; i < 3; i++)
            prices->home_draw_away[book][i] = other_price(&random, prices->home_draw_away[book][i]);
        for (size_t i = 0; i < 2; i++)
            prices->under_over[book][i] = other_price(&random, prices->under_over[book][i]);
    }
}
