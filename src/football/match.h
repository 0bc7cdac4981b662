/* Match: the football domain's event. The fixture is what is known before kick-off, the outcome what is known
 * after. Teams are dense ids within their country (the stream); leagues are indices of league_list.h. Plain
 * structs. */
#ifndef ALMANAC_FOOTBALL_MATCH_H
#define ALMANAC_FOOTBALL_MATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { SIDE_HOME, SIDE_AWAY, SIDE_COUNT };
enum { GOALS_NONE = -1 };

/* Bookmakers whose prices the trackers and judges read; the store keeps all others too. Names as stored. */
enum bookmaker {
#define BOOKMAKER(symbol, name, title) BOOKMAKER_##symbol,
#include "football/bookmaker_list.h"
#undef BOOKMAKER
    BOOKMAKER_COUNT
};

/* In-match statistics, per side; -1 when the source has none. */
enum match_stat {
    STAT_SHOTS,
    STAT_SHOTS_ON_TARGET,
    STAT_CORNERS,
    STAT_FOULS,
    STAT_YELLOWS,
    STAT_REDS,
    STAT_COUNT
};

/* What is told of a team for a season; rows of attribute_list.h. */
enum attribute {
#define ATTRIBUTE(symbol, name, unit, low, high, doc) ATTRIBUTE_##symbol,
#include "football/attribute_list.h"
#undef ATTRIBUTE
    ATTRIBUTE_COUNT
};

struct prices {
    float home_draw_away[BOOKMAKER_COUNT][3]; /* decimal odds > 1, NaN where missing */
    float under_over[BOOKMAKER_COUNT][2];     /* 2.5 goals: under, over */
};

struct fixture {
    int64_t id;       /* own match id; 0 for a fixture that is not stored */
    int64_t start_us; /* UTC; with an unknown time the first instant of the local day */
    int64_t day;      /* local date, days since 1970 */
    int16_t league;
    int16_t season; /* year in which the season began (July to June; calendar-year leagues: the year) */
    int32_t home, away;
    bool time_is_known, is_neutral;
    struct prices pre_close; /* label pre_close only */
    /* known before the day of the match (attributes.h), NaN where nobody told */
    float attributes[SIDE_COUNT][ATTRIBUTE_COUNT];
};

/* Closing prices are no part of it: they only ever judge (history_close), and what a tracker is never given it cannot use. */
struct outcome {
    int64_t
        known_us; /* when the result can be used: kick-off + OUTCOME_DELAY_US, or the end of the local day */
    int16_t goals[SIDE_COUNT];      /* full time */
    int16_t half_goals[SIDE_COUNT]; /* GOALS_NONE when unknown */
    int16_t stats[STAT_COUNT][SIDE_COUNT];
    int16_t xg_milli[SIDE_COUNT]; /* measured expected goals, in thousandths; -1 when the source has none */
};

/* A football match with its break ends within 2 h 15 min; nothing is used earlier. */
#define OUTCOME_DELAY_US (INT64_C(135) * 60 * 1000000)

/* 3 points, 1, 0 for the side's goals against the other's; no branch, as nobody can predict it. */
static inline int match_points(int goals_for, int goals_against)
{
    return 3 * (goals_for > goals_against) + (goals_for == goals_against);
}

#endif
