/* Change log: only what became other than it was is noted, from the first day it touches; states are known by their hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/test_folder.h"
#include "store/change_store.h"
#include "store/football_store.h"

#include <string.h>

static struct test_folder folder;
static struct db *db;
static int chained;

static int open_database(void **state)
{
    (void)state;
    test_folder_create(&folder);
    chained = 0;
    return db_open(test_folder_path(&folder, "almanac.db"), DB_READ_WRITE, &db, NULL) == ERR_OK ? 0 : -1;
}

static int close_database(void **state)
{
    (void)state;
    db_close(db);
    test_folder_remove(&folder);
    return 0;
}

/* ---- telling the store ---- */

struct game {
    const char *league, *home, *away, *source_id;
    int day, hour; /* hour -1: unknown */
    int goals;     /* of both; -1 not played */
    double price;  /* 0 none */
};

enum { MATCH_COLUMNS = 23, PRICE_COLUMNS = 9, MOST_GAMES = 8 };

static struct frame *make_matches(const struct game *games, size_t count)
{
    static const char *const numbers[] = {"home_goals",
                                          "away_goals",
                                          "home_half",
                                          "away_half",
                                          "home_shots",
                                          "away_shots",
                                          "home_shots_on_target",
                                          "away_shots_on_target",
                                          "home_corners",
                                          "away_corners",
                                          "home_fouls",
                                          "away_fouls",
                                          "home_yellows",
                                          "away_yellows",
                                          "home_reds",
                                          "away_reds"};
    struct frame_field fields[MATCH_COLUMNS] = {{"day", FRAME_I64},        {"kickoff", FRAME_TIME},
                                                {"time_known", FRAME_I32}, {"kickoff_text", FRAME_TEXT},
                                                {"home", FRAME_TEXT},      {"away", FRAME_TEXT},
                                                {"source_id", FRAME_TEXT}};
    struct frame_builder *builder = NULL;
    struct frame *frame = NULL;
    for (size_t i = 0; i < 16; i++)
        fields[7 + i] = (struct frame_field){numbers[i], FRAME_I32};
    assert_int_equal(frame_builder_create(fields, MATCH_COLUMNS, 0, &builder, NULL), ERR_OK);
    for (size_t i = 0; i < count; i++) {
        const struct game *game = &games[i];
        frame_set_i64(builder, 0, game->day);
        frame_set_i64(builder, 1, game->day * TIME_DAY_US + (game->hour < 0 ? 0 : game->hour * TIME_HOUR_US));
        frame_set_i64(builder, 2, game->hour >= 0);
        frame_set_text(builder, 4, text_of(game->home));
        frame_set_text(builder, 5, text_of(game->away));
        if (game->source_id != NULL)
            frame_set_text(builder, 6, text_of(game->source_id));
        for (size_t side = 0; side < 2 && game->goals >= 0; side++)
            frame_set_i64(builder, 7 + side, game->goals);
        frame_next_row(builder);
    }
    assert_int_equal(frame_builder_finish(builder, &frame, NULL), ERR_OK);
    frame_builder_destroy(builder);
    return frame;
}

static struct frame *make_prices(const struct game *games, size_t count)
{
    static const struct frame_field fields[PRICE_COLUMNS] = {
        {"match", FRAME_I64},   {"market", FRAME_TEXT},  {"bookmaker", FRAME_TEXT},
        {"label", FRAME_TEXT},  {"price_1", FRAME_F64},  {"price_2", FRAME_F64},
        {"price_3", FRAME_F64}, {"handicap", FRAME_F64}, {"is_flagged", FRAME_I32}};
    struct frame_builder *builder = NULL;
    struct frame *frame = NULL;
    assert_int_equal(frame_builder_create(fields, PRICE_COLUMNS, 0, &builder, NULL), ERR_OK);
    for (size_t i = 0; i < count; i++) {
        if (games[i].price <= 0)
            continue;
        frame_set_i64(builder, 0, (int64_t)i);
        frame_set_text(builder, 1, text_of("1x2"));
        frame_set_text(builder, 2, text_of("B365"));
        frame_set_text(builder, 3, text_of("pre_close"));
        frame_set_f64(builder, 4, games[i].price);
        frame_set_i64(builder, 8, 0);
        frame_next_row(builder);
    }
    assert_int_equal(frame_builder_finish(builder, &frame, NULL), ERR_OK);
    frame_builder_destroy(builder);
    return frame;
}

/* In the open transaction. */
static void save(const struct game *games, size_t count)
{
    struct football_writer *writer = NULL;
    struct football_saved saved = {0};
    struct err err = {0};
    const char *leagues[MOST_GAMES], *countries[MOST_GAMES];
    int32_t seasons[MOST_GAMES];
    for (size_t i = 0; i < count; i++) {
        leagues[i] = games[i].league;
        countries[i] = games[i].league[0] == 'E' ? "England" : "Germany";
        seasons[i] = 2023;
    }
    struct frame *matches = make_matches(games, count), *prices = make_prices(games, count);
    struct football_rows rows = {matches, prices, leagues, countries, seasons, 0};
    assert_int_equal(football_writer_create(db, &writer, NULL), ERR_OK);
    if (football_writer_save(writer, &rows, &saved, &err) != ERR_OK)
        fail_msg("%s", err.text);
    football_writer_destroy(writer);
    frame_destroy(matches);
    frame_destroy(prices);
}

static void chain(void)
{
    char name[32];
    snprintf(name, sizeof name, "content %d", chained++);
    assert_int_equal(football_store_chain(db, name, NULL), ERR_OK);
}

static void tell(const struct game *games, size_t count)
{
    assert_int_equal(db_begin(db, NULL), ERR_OK);
    save(games, count);
    chain();
    assert_int_equal(db_commit(db, NULL), ERR_OK);
}

/* ---- asking it ---- */

struct mark {
    char hash[HASH_HEX_BYTES];
};

static struct mark mark(void)
{
    struct mark mark;
    assert_int_equal(football_store_hash(db, mark.hash, NULL), ERR_OK);
    return mark;
}

enum { NOTHING = -1 };

/* The first changed day of a league since then. */
static int64_t since(struct mark then, const char *league)
{
    struct league_change *changes = NULL;
    size_t count = 0;
    int64_t day = NOTHING;
    assert_int_equal(change_store_since(db, then.hash, &changes, &count, NULL), ERR_OK);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(changes[i].league, league) == 0)
            day = changes[i].from_day;
    }
    free(changes);
    return day;
}

static const struct game season[] = {
    {"E0", "Arsenal", "Chelsea", NULL, 100, 15, 2, 2.0},
    {"E0", "Everton", "Fulham", "src-1", 107, 15, 1, 3.0},
    {"E0", "Chelsea", "Everton", NULL, 114, -1, 0, 0},
    {"D1", "Mainz", "Bochum", NULL, 110, 17, 3, 1.8},
    {"E0", "Fulham", "Arsenal", "src-2", 121, 15, -1, 4},
};
enum { SEASON = sizeof season / sizeof season[0] };

static void what_is_told_again_changes_nothing(void **state)
{
    (void)state;
    tell(season, SEASON);
    struct mark then = mark();
    tell(season, SEASON);
    assert_string_not_equal(mark().hash, then.hash);
    assert_int_equal(since(then, "E0"), NOTHING);
    assert_int_equal(since(then, "D1"), NOTHING);
}

static void a_longer_file_changes_from_its_first_new_row(void **state)
{
    (void)state;
    tell(season, 2);
    struct mark first = mark();
    tell(season, SEASON);
    assert_int_equal(since(first, "E0"), 114);
    assert_int_equal(since(first, "D1"), 110);
    struct mark second = mark();
    static const struct game next[] = {{"D1", "Bochum", "Mainz", NULL, 130, 17, 1, 0}};
    tell(next, 1);
    assert_int_equal(since(second, "D1"), 130);
    assert_int_equal(since(second, "E0"), NOTHING);
    assert_int_equal(since(first, "D1"), 110);
    assert_int_equal(since(mark(), "D1"), NOTHING);
}

static void every_kind_of_difference_is_noted(void **state)
{
    (void)state;
    tell(season, SEASON);
    struct game game = season[0];
    struct mark then = mark();
    game.goals = 3;
    tell(&game, 1);
    assert_int_equal(since(then, "E0"), 100);
    then = mark();
    game.price = 2.2;
    tell(&game, 1);
    assert_int_equal(since(then, "E0"), 100);
    then = mark();
    game.hour = 18;
    tell(&game, 1);
    assert_int_equal(since(then, "E0"), 100);
    then = mark();
    game.goals = -1; /* a source that forgot the result: the stored one stays */
    game.price = 0;
    game.hour = -1;
    tell(&game, 1);
    assert_int_equal(since(then, "E0"), NOTHING);
    game = season[4];
    game.goals = 2; /* a scheduled match is played */
    then = mark();
    tell(&game, 1);
    assert_int_equal(since(then, "E0"), 121);
}

static void a_moved_match_is_noted_where_it_was_and_where_it_is(void **state)
{
    (void)state;
    tell(season, SEASON);
    struct mark then = mark();
    struct game game = season[1];
    game.day = 140; /* the source id finds it */
    tell(&game, 1);
    assert_int_equal(since(then, "E0"), 107);
    then = mark();
    game.day = 90;
    tell(&game, 1);
    assert_int_equal(since(then, "E0"), 90);
}

static void several_files_of_one_transaction(void **state)
{
    (void)state;
    tell(season, 1);
    struct mark then = mark();
    assert_int_equal(db_begin(db, NULL), ERR_OK);
    save(season + 1, 1);
    chain();
    struct mark between = mark();
    save(season + 2, 2);
    chain();
    assert_int_equal(db_commit(db, NULL), ERR_OK);
    assert_int_equal(since(then, "E0"), 107);
    assert_int_equal(since(between, "E0"), 114);
    assert_int_equal(since(between, "D1"), 110);
}

static void a_rolled_back_transaction_leaves_no_trace(void **state)
{
    (void)state;
    tell(season, 2);
    struct mark then = mark();
    assert_int_equal(db_begin(db, NULL), ERR_OK);
    save(season, SEASON);
    chain();
    struct mark lost = mark();
    db_rollback(db);
    assert_int_equal(since(then, "E0"), NOTHING);
    struct league_change *changes = NULL;
    size_t count = 0;
    assert_int_equal(change_store_since(db, lost.hash, &changes, &count, NULL), ERR_NOT_FOUND);
    assert_null(changes);
}

static void states_are_listed_newest_first(void **state)
{
    (void)state;
    struct football_state *states = NULL;
    size_t count = 0;
    struct mark empty = mark();
    assert_int_equal(change_store_states(db, 10, &states, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
    tell(season, 1);
    struct mark one = mark();
    tell(season, 2);
    struct mark two = mark();
    assert_int_equal(change_store_states(db, 10, &states, &count, NULL), ERR_OK);
    assert_int_equal(count, 3); /* the one before the first step has a name too */
    assert_string_equal(states[0].data_hash, two.hash);
    assert_string_equal(states[1].data_hash, one.hash);
    assert_string_equal(states[2].data_hash, empty.hash);
    free(states);
    assert_int_equal(change_store_states(db, 1, &states, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    free(states);
    assert_int_equal(since(empty, "E0"), 100);
}

/* A store that was written before there was a log: the state it is in is known, those before are not. */
static void a_migrated_store(void **state)
{
    (void)state;
    tell(season, 2);
    struct mark old = mark();
    tell(season, 3);
    assert_int_equal(db_execute(db, "DELETE FROM football_state; DELETE FROM football_change", NULL), ERR_OK);
    struct mark present = mark();
    struct league_change *changes = NULL;
    size_t count = 0;
    assert_int_equal(since(present, "E0"), NOTHING);
    assert_int_equal(change_store_since(db, old.hash, &changes, &count, NULL), ERR_NOT_FOUND);
    tell(season, SEASON);
    assert_int_equal(since(present, "E0"), 121);
    assert_int_equal(since(present, "D1"), 110);
    assert_int_equal(change_store_since(db, old.hash, &changes, &count, NULL), ERR_NOT_FOUND);
}

static void old_states_are_forgotten(void **state)
{
    (void)state;
    tell(season, 1);
    struct mark then = mark();
    assert_int_equal(db_begin(db, NULL), ERR_OK);
    for (int i = 0; i < CHANGE_STATES_KEPT - 1; i++)
        chain();
    assert_int_equal(db_commit(db, NULL), ERR_OK);
    assert_int_equal(since(then, "E0"), NOTHING);
    tell(season, 2);
    tell(season, 3);
    struct league_change *changes = NULL;
    size_t count = 0;
    assert_int_equal(change_store_since(db, then.hash, &changes, &count, NULL), ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_database, close_database)
    const struct CMUnitTest tests[] = {
        TEST(what_is_told_again_changes_nothing), TEST(a_longer_file_changes_from_its_first_new_row),
        TEST(every_kind_of_difference_is_noted),  TEST(a_moved_match_is_noted_where_it_was_and_where_it_is),
        TEST(several_files_of_one_transaction),   TEST(a_rolled_back_transaction_leaves_no_trace),
        TEST(states_are_listed_newest_first),     TEST(a_migrated_store),
        TEST(old_states_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
