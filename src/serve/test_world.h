/* For tests only: a small world of two leagues whose matches are played, postponed, moved, corrected and priced at random,
 * and told to a store as a source would tell it. */
#ifndef ALMANAC_SERVE_TEST_WORLD_H
#define ALMANAC_SERVE_TEST_WORLD_H

#include "base/hash.h"
#include "base/random.h"
#include "base/time.h"
#include "store/football_store.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WORLD_MATCHES = 6000, WORLD_FIRST_DAY = 18500 };

struct world_match {
    int league, day, minute; /* minute of the kick-off in London's winter; -1 unknown */
    int home, away;
    int goals[2]; /* -1: not played */
    int shots;
    double price; /* of the home team, pre-close; 0 none */
    bool is_told; /* the store has it as it is here */
};
struct world {
    struct random random;
    struct world_match matches[WORLD_MATCHES];
    int count, teams, today, steps;
};

static const char *const world_leagues[] = {"E0", "D1"}, *const world_countries[] = {"England", "Germany"};

enum { WORLD_MATCH_COLUMNS = 23, WORLD_PRICE_COLUMNS = 9 };

static inline struct frame_builder *world_match_builder(void)
{
    static const char *const numbers[] = {
        "home_goals", "away_goals",           "home_shots",           "home_half",    "away_half",
        "away_shots", "home_shots_on_target", "away_shots_on_target", "home_corners", "away_corners",
        "home_fouls", "away_fouls",           "home_yellows",         "away_yellows", "home_reds",
        "away_reds"};
    struct frame_field fields[WORLD_MATCH_COLUMNS] = {{"day", FRAME_I64},        {"kickoff", FRAME_TIME},
                                                      {"time_known", FRAME_I32}, {"kickoff_text", FRAME_TEXT},
                                                      {"home", FRAME_TEXT},      {"away", FRAME_TEXT},
                                                      {"source_id", FRAME_TEXT}};
    for (size_t i = 0; i < 16; i++)
        fields[7 + i] = (struct frame_field){numbers[i], FRAME_I32};
    struct frame_builder *builder = NULL;
    assert_int_equal(frame_builder_create(fields, WORLD_MATCH_COLUMNS, 0, &builder, NULL), ERR_OK);
    return builder;
}

static inline struct frame_builder *world_price_builder(void)
{
    static const struct frame_field fields[WORLD_PRICE_COLUMNS] = {
        {"match", FRAME_I64},   {"market", FRAME_TEXT},  {"bookmaker", FRAME_TEXT},
        {"label", FRAME_TEXT},  {"price_1", FRAME_F64},  {"price_2", FRAME_F64},
        {"price_3", FRAME_F64}, {"handicap", FRAME_F64}, {"is_flagged", FRAME_I32}};
    struct frame_builder *builder = NULL;
    assert_int_equal(frame_builder_create(fields, WORLD_PRICE_COLUMNS, 0, &builder, NULL), ERR_OK);
    return builder;
}

static inline void world_set_match(struct frame_builder *builder, const struct world_match *match, int index)
{
    char text[32];
    frame_set_i64(builder, 0, match->day);
    frame_set_i64(builder, 1,
                  match->day * TIME_DAY_US + (match->minute < 0 ? 0 : match->minute * TIME_MINUTE_US));
    frame_set_i64(builder, 2, match->minute >= 0);
    frame_set_text(builder, 3, text_of("as told"));
    for (int side = 0; side < 2; side++) {
        snprintf(text, sizeof(text), "%s %d", world_leagues[match->league],
                 side == 0 ? match->home : match->away);
        frame_set_text(builder, 4 + (size_t)side, text_of(text));
    }
    snprintf(text, sizeof(text), "id-%d", index);
    frame_set_text(builder, 6, text_of(text));
    if (match->goals[0] >= 0) {
        frame_set_i64(builder, 7, match->goals[0]);
        frame_set_i64(builder, 8, match->goals[1]);
        frame_set_i64(builder, 9, match->shots);
        frame_set_i64(builder, 12, match->shots / 2);
    }
    frame_next_row(builder);
}

static inline void world_set_price(struct frame_builder *builder, const struct world_match *match, int row,
                                   const char *label)
{
    frame_set_i64(builder, 0, row);
    frame_set_text(builder, 1, text_of("1x2"));
    frame_set_text(builder, 2, text_of("B365"));
    frame_set_text(builder, 3, text_of(label));
    frame_set_f64(builder, 4, match->price);
    frame_set_f64(builder, 5, 3.4);
    frame_set_f64(builder, 6, 1 / (1.05 - 1 / match->price - 1 / 3.4));
    frame_set_i64(builder, 8, 0);
    frame_next_row(builder);
}

/* What is not told yet, and as much again of what is (a source repeats itself), in one transaction. */
static inline void world_tell(struct world *world, struct db *db)
{
    static const char *leagues[WORLD_MATCHES], *countries[WORLD_MATCHES];
    static int32_t seasons[WORLD_MATCHES];
    struct frame_builder *matches = world_match_builder(), *prices = world_price_builder();
    struct football_rows rows = {NULL, NULL, leagues, countries, seasons, 0};
    struct football_writer *writer = NULL;
    struct football_saved saved = {0};
    struct err err = {0};
    char hash[HASH_HEX_BYTES];
    int row = 0;
    for (int i = 0; i < world->count; i++) {
        struct world_match *match = &world->matches[i];
        if (match->is_told && random_below(&world->random, 20) > 0)
            continue;
        world_set_match(matches, match, i);
        if (match->price > 0)
            world_set_price(prices, match, row, "pre_close");
        if (match->price > 0 && match->goals[0] >= 0)
            world_set_price(prices, match, row, "close");
        leagues[row] = world_leagues[match->league];
        countries[row] = world_countries[match->league];
        seasons[row++] = 2020 + (match->day - WORLD_FIRST_DAY) / 365;
        match->is_told = true;
    }
    struct frame *match_frame = NULL, *price_frame = NULL;
    assert_int_equal(frame_builder_finish(matches, &match_frame, NULL), ERR_OK);
    assert_int_equal(frame_builder_finish(prices, &price_frame, NULL), ERR_OK);
    rows.matches = match_frame;
    rows.prices = price_frame;
    snprintf(hash, sizeof(hash), "step %d", world->steps++);
    assert_int_equal(db_begin(db, &err), ERR_OK);
    assert_int_equal(football_writer_create(db, &writer, &err), ERR_OK);
    if (football_writer_save(writer, &rows, &saved, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(football_store_chain(db, hash, &err), ERR_OK);
    football_writer_destroy(writer);
    assert_int_equal(db_commit(db, &err), ERR_OK);
    frame_destroy(match_frame);
    frame_destroy(price_frame);
    frame_builder_destroy(matches);
    frame_builder_destroy(prices);
}

/* ---- what happens ---- */

static inline void world_play(struct world *world, struct world_match *match)
{
    match->goals[0] = (int)random_below(&world->random, 5);
    match->goals[1] = (int)random_below(&world->random, 4);
    match->shots = 4 + (int)random_below(&world->random, 12);
    match->is_told = false;
}

/* A match of a day, not played yet; its natural key is not another's, as teams and minute differ by index. */
static inline struct world_match *world_add(struct world *world, int league, int day)
{
    struct random *random = &world->random;
    int home = (int)random_below(random, (uint64_t)world->teams);
    struct world_match match = {
        .league = league,
        .day = day,
        .minute = random_below(random, 3) == 0 ? -1 : 720 + 30 * (int)random_below(random, 24),
        .home = home,
        .away = (home + 1 + (int)random_below(random, (uint64_t)world->teams - 1)) % world->teams,
        .goals = {-1, -1},
        .price = random_below(random, 4) == 0 ? 0 : 1.7 + 0.1 * (double)random_below(random, 8)};
    for (int i = 0; i < world->count; i++) {
        const struct world_match *other = &world->matches[i];
        if (other->league == league && other->day == day && other->home == match.home &&
            other->away == match.away)
            return NULL;
    }
    assert_true(world->count < WORLD_MATCHES);
    world->matches[world->count] = match;
    return &world->matches[world->count++];
}

/* Days go by: matches of up to five days ahead are known, most of those behind are played. */
static inline void world_pass_days(struct world *world, int days)
{
    for (; days > 0; days--) {
        world->today++;
        for (int k = (int)random_below(&world->random, 4); k > 0; k--)
            (void)world_add(world, (int)random_below(&world->random, 2),
                            world->today + (int)random_below(&world->random, 5));
        for (int i = 0; i < world->count; i++) {
            struct world_match *match = &world->matches[i];
            if (match->goals[0] < 0 && match->day < world->today && random_below(&world->random, 8) > 0)
                world_play(world, match);
        }
    }
}

/* A match of at most so many days ago; NULL when there is none. */
static inline struct world_match *world_pick(struct world *world, int days)
{
    for (int tries = 0; tries < 200; tries++) {
        struct world_match *match = &world->matches[random_below(&world->random, (uint64_t)world->count)];
        if (match->day >= world->today - days)
            return match;
    }
    return NULL;
}

static inline void world_create(struct world *world, uint64_t seed, int days)
{
    memset(world, 0, sizeof(*world));
    random_init(&world->random, seed);
    world->teams = 8;
    world->today = WORLD_FIRST_DAY;
    world_pass_days(world, days);
}

enum world_event {
    WORLD_DAYS,
    WORLD_LATE_RESULT,
    WORLD_CORRECTION,
    WORLD_PRICES,
    WORLD_NEW_TEAM,
    WORLD_MOVED,
    WORLD_INSERTED,
    WORLD_NOTHING,
    WORLD_EVENTS
};

static inline void world_change(struct world *world, enum world_event event, int depth_days)
{
    struct world_match *match = world_pick(world, depth_days);
    switch (event) {
    case WORLD_NEW_TEAM:
        world->teams++;
        match = world_add(world, (int)random_below(&world->random, 2), world->today);
        if (match != NULL)
            match->home = match->away == world->teams - 1 ? 0 : world->teams - 1;
        return;
    case WORLD_LATE_RESULT:
    case WORLD_CORRECTION:
        if (match != NULL)
            world_play(world, match);
        return;
    case WORLD_PRICES:
        if (match != NULL) {
            match->price = 1.7 + 0.1 * (double)random_below(&world->random, 8);
            match->is_told = false;
        }
        return;
    case WORLD_MOVED:
        if (match != NULL) { /* the minute stays: the source id finds it */
            match->day += 1 + (int)random_below(&world->random, 20);
            match->is_told = false;
        }
        return;
    case WORLD_INSERTED:
        match = world_add(world, 0, world->today - (int)random_below(&world->random, (uint64_t)depth_days));
        if (match != NULL)
            world_play(world, match);
        return;
    case WORLD_DAYS:
        world_pass_days(world, 1 + (int)random_below(&world->random, 4));
        return;
    case WORLD_NOTHING:
    case WORLD_EVENTS:
        return;
    }
}

#endif
