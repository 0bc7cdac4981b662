/* Frames as the store loads them, made up for the tests of histories. Included by *_test.c files only. */
#ifndef ALMANAC_FOOTBALL_TEST_FRAMES_H
#define ALMANAC_FOOTBALL_TEST_FRAMES_H

#include "football/history.h"
#include "football/test_events.h"
#include "frame/frame.h"

#include <stdio.h>

struct test_frames {
    struct frame_builder *team_builder, *match_builder, *price_builder, *attribute_builder;
    struct frame *teams, *matches, *prices, *attributes;
};

enum {
    TEST_MATCH_ID,
    TEST_MATCH_LEAGUE,
    TEST_MATCH_DAY,
    TEST_MATCH_KICKOFF,
    TEST_MATCH_TIME_KNOWN,
    TEST_MATCH_NEUTRAL,
    TEST_MATCH_STATE,
    TEST_MATCH_SEASON,
    TEST_MATCH_HOME,
    TEST_MATCH_AWAY,
    TEST_MATCH_COUNTS, /* goals, half, then the statistics; home and away in turn */
    TEST_MATCH_XG_MILLI = TEST_MATCH_COUNTS + SIDE_COUNT * (2 + STAT_COUNT) + 1, /* behind source_id */
};

static inline void test_frames_open(struct test_frames *frames)
{
    static const struct frame_field teams[] = {
        {"id", FRAME_I64}, {"country", FRAME_TEXT}, {"name", FRAME_TEXT}};
    static const struct frame_field matches[] = {
        {"id", FRAME_I64},
        {"league", FRAME_TEXT},
        {"day", FRAME_I64},
        {"kickoff", FRAME_TIME},
        {"time_known", FRAME_I32},
        {"is_neutral", FRAME_I32},
        {"state", FRAME_I32},
        {"season", FRAME_I32},
        {"home", FRAME_I64},
        {"away", FRAME_I64},
        {"home_goals", FRAME_I32},
        {"away_goals", FRAME_I32},
        {"home_half", FRAME_I32},
        {"away_half", FRAME_I32},
        {"home_shots", FRAME_I32},
        {"away_shots", FRAME_I32},
        {"home_shots_on_target", FRAME_I32},
        {"away_shots_on_target", FRAME_I32},
        {"home_corners", FRAME_I32},
        {"away_corners", FRAME_I32},
        {"home_fouls", FRAME_I32},
        {"away_fouls", FRAME_I32},
        {"home_yellows", FRAME_I32},
        {"away_yellows", FRAME_I32},
        {"home_reds", FRAME_I32},
        {"away_reds", FRAME_I32},
        {"source_id", FRAME_TEXT},
        {"home_xg_milli", FRAME_I32},
        {"away_xg_milli", FRAME_I32},
    };
    static const struct frame_field prices[] = {
        {"match", FRAME_I64},   {"market", FRAME_TEXT}, {"bookmaker", FRAME_TEXT}, {"label", FRAME_TEXT},
        {"price_1", FRAME_F64}, {"price_2", FRAME_F64}, {"price_3", FRAME_F64}};
    static const struct frame_field attributes[] = {{"team", FRAME_I64},
                                                    {"season", FRAME_I64},
                                                    {"known_day", FRAME_I64},
                                                    {"name", FRAME_TEXT},
                                                    {"value", FRAME_F64}};
    memset(frames, 0, sizeof(*frames));
    assert_int_equal(frame_builder_create(attributes, 5, 0, &frames->attribute_builder, NULL), ERR_OK);
    assert_int_equal(frame_builder_create(teams, 3, 0, &frames->team_builder, NULL), ERR_OK);
    assert_int_equal(
        frame_builder_create(matches, sizeof(matches) / sizeof(matches[0]), 0, &frames->match_builder, NULL),
        ERR_OK);
    assert_int_equal(frame_builder_create(prices, 7, 0, &frames->price_builder, NULL), ERR_OK);
}

static inline void test_frames_team(struct test_frames *frames, int64_t id, const char *country,
                                    const char *name)
{
    frame_set_i64(frames->team_builder, 0, id);
    frame_set_text(frames->team_builder, 1, text_of(country));
    frame_set_text(frames->team_builder, 2, text_of(name));
    frame_next_row(frames->team_builder);
}

struct test_match {
    int64_t id;
    const char *league;
    int64_t day;
    int minute; /* of the kick-off, UTC; -1 unknown */
    int64_t home, away;
    int goals_home, goals_away; /* -1: not yet played */
    int state;
    int season;       /* 0: 2023 */
    const int *stats; /* [2 + 2 * STAT_COUNT]: half-time goals, then statistics; NULL: none */
    int xg_milli;     /* measured, home team; half of it is the away team's; 0: none */
};

static inline void test_frames_match(struct test_frames *frames, const struct test_match *match)
{
    struct frame_builder *builder = frames->match_builder;
    frame_set_i64(builder, TEST_MATCH_ID, match->id);
    frame_set_text(builder, TEST_MATCH_LEAGUE, text_of(match->league));
    frame_set_i64(builder, TEST_MATCH_DAY, match->day);
    frame_set_i64(builder, TEST_MATCH_KICKOFF,
                  match->day * TIME_DAY_US + (match->minute < 0 ? 0 : match->minute * TIME_MINUTE_US));
    frame_set_i64(builder, TEST_MATCH_TIME_KNOWN, match->minute >= 0);
    frame_set_i64(builder, TEST_MATCH_NEUTRAL, 0);
    frame_set_i64(builder, TEST_MATCH_STATE, match->state);
    frame_set_i64(builder, TEST_MATCH_SEASON, match->season ? match->season : 2023);
    frame_set_i64(builder, TEST_MATCH_HOME, match->home);
    frame_set_i64(builder, TEST_MATCH_AWAY, match->away);
    if (match->goals_home >= 0) {
        frame_set_i64(builder, TEST_MATCH_COUNTS, match->goals_home);
        frame_set_i64(builder, TEST_MATCH_COUNTS + 1, match->goals_away);
    }
    for (size_t i = 0; match->stats && i < SIDE_COUNT * (1 + STAT_COUNT); i++)
        frame_set_i64(builder, TEST_MATCH_COUNTS + 2 + i, match->stats[i]);
    if (match->xg_milli) {
        frame_set_i64(builder, TEST_MATCH_XG_MILLI, match->xg_milli);
        frame_set_i64(builder, TEST_MATCH_XG_MILLI + 1, match->xg_milli / 2);
    }
    frame_next_row(builder);
}

static inline void test_frames_price(struct test_frames *frames, int64_t match_row, const char *market,
                                     const char *bookmaker, const char *label, double a, double b, double c)
{
    struct frame_builder *builder = frames->price_builder;
    frame_set_i64(builder, 0, match_row);
    frame_set_text(builder, 1, text_of(market));
    frame_set_text(builder, 2, text_of(bookmaker));
    frame_set_text(builder, 3, text_of(label));
    frame_set_f64(builder, 4, a);
    frame_set_f64(builder, 5, b);
    if (!isnan(c))
        frame_set_f64(builder, 6, c);
    frame_next_row(builder);
}

static inline void test_frames_attribute(struct test_frames *frames, int64_t team, int season,
                                         int64_t known_day, const char *name, double value)
{
    struct frame_builder *builder = frames->attribute_builder;
    frame_set_i64(builder, 0, team);
    frame_set_i64(builder, 1, season);
    frame_set_i64(builder, 2, known_day);
    frame_set_text(builder, 3, text_of(name));
    frame_set_f64(builder, 4, value);
    frame_next_row(builder);
}

static inline void test_frames_finish(struct test_frames *frames)
{
    assert_int_equal(frame_builder_finish(frames->attribute_builder, &frames->attributes, NULL), ERR_OK);
    frame_builder_destroy(frames->attribute_builder);
    assert_int_equal(frame_builder_finish(frames->team_builder, &frames->teams, NULL), ERR_OK);
    assert_int_equal(frame_builder_finish(frames->match_builder, &frames->matches, NULL), ERR_OK);
    assert_int_equal(frame_builder_finish(frames->price_builder, &frames->prices, NULL), ERR_OK);
    frame_builder_destroy(frames->team_builder);
    frame_builder_destroy(frames->match_builder);
    frame_builder_destroy(frames->price_builder);
}

static inline void test_frames_close(struct test_frames *frames)
{
    frame_destroy(frames->teams);
    frame_destroy(frames->matches);
    frame_destroy(frames->prices);
    frame_destroy(frames->attributes);
}

enum { TEST_TEAMS = 12, TEST_DAYS = 420 };

/* Two countries, 12 teams each, matches on most days, two thirds with kick-off times; statistics and prices often. */
static inline void test_frames_random(struct test_frames *frames, uint64_t seed)
{
    struct random random;
    random_init(&random, seed);
    test_frames_open(frames);
    for (int i = 0; i < 2 * TEST_TEAMS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "Team %d", i);
        test_frames_team(frames, 100 + i, i < TEST_TEAMS ? "England" : "Germany", name);
    }
    static const char *const leagues[2][2] = {{"E0", "E1"}, {"D1", "D2"}};
    static const char *const books[] = {"Avg", "Max", "B365", "PS", "Unknown"};
    int64_t row = 0, first_day = 19570; /* 2023-08-01 */
    for (int64_t day = 0; day < TEST_DAYS; day++) {
        for (int k = (int)random_below(&random, 5); k > 0; k--, row++) {
            size_t country = random_below(&random, 2);
            int64_t home = (int64_t)random_below(&random, TEST_TEAMS);
            int64_t away = (home + 1 + (int64_t)random_below(&random, TEST_TEAMS - 1)) % TEST_TEAMS;
            int64_t base = 100 + (int64_t)country * TEST_TEAMS;
            int stats[SIDE_COUNT * (1 + STAT_COUNT)];
            for (size_t i = 0; i < SIDE_COUNT * (1 + STAT_COUNT); i++)
                stats[i] = (int)random_below(&random, i < 2 ? 3 : 140);
            int state = day > TEST_DAYS - 5 ? 0 : random_below(&random, 20) ? 1 : 2;
            struct test_match match = {
                .id = 1000 + row,
                .league = leagues[country][random_below(&random, 2)],
                .day = first_day + day,
                .minute = random_below(&random, 3) ? (int)(12 * 60 + 30 * random_below(&random, 16)) : -1,
                .home = base + home,
                .away = base + away,
                .goals_home = state == 1 ? random_poisson(&random, 1.5) : -1,
                .goals_away = state == 1 ? random_poisson(&random, 1.1) : -1,
                .state = state,
                .season = 2023 + (day > TEST_DAYS / 2), /* families look back on the season before */
                .stats = random_below(&random, 4) && state == 1 ? stats : NULL,
                .xg_milli = row % 7 == 0 && state == 1 ? (int)(row % 4001) : 0};
            test_frames_match(frames, &match);
            for (size_t book = 0; book < sizeof(books) / sizeof(books[0]); book++) {
                double scale = 0.9 + 0.2 * random_uniform(&random), p = 0.05 + 0.8 * random_uniform(&random);
                double draw = (1 - p) * 0.4, lose = (1 - p) * 0.6;
                if (random_below(&random, 3))
                    test_frames_price(frames, row, "1x2", books[book],
                                      random_below(&random, 2) ? "pre_close" : "close", scale / p,
                                      scale / draw, random_below(&random, 9) ? scale / lose : NAN);
                if (random_below(&random, 3))
                    test_frames_price(frames, row, "ou25", books[book],
                                      random_below(&random, 2) ? "pre_close" : "close", scale / p,
                                      scale / (1 - p), NAN);
            }
        }
    }
    for (int i = 0; i < 2 * TEST_TEAMS; i++) { /* most teams, told twice in each season */
        for (int a = 0; a < 4 * ATTRIBUTE_COUNT && i % 5; a++) {
            const struct attribute_info *info = attribute_at((enum attribute)(a % ATTRIBUTE_COUNT));
            test_frames_attribute(frames, 100 + i, 2023 + a / (2 * ATTRIBUTE_COUNT),
                                  first_day + (int64_t)random_below(&random, TEST_DAYS), info->name,
                                  info->low + (info->high - info->low) * random_uniform(&random));
        }
    }
    test_frames_finish(frames);
}

#endif
