/* Matches, prices and teams: what is saved comes back, in the order of time; updates do not forget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/time.h"
#include "os/test_folder.h"
#include "store/football_store.h"

#include <math.h>
#include <string.h>

static struct test_folder folder;
static struct db *db;

static const char *const all_bookmakers[] = {"B365", "PS", "Avg", "Max", NULL};

static int open_database(void **state)
{
    struct err err;

    (void)state;
    test_folder_create(&folder);
    if (db_open(test_folder_path(&folder, "almanac.db"), DB_READ_WRITE, &db, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return 0;
}

static int close_database(void **state)
{
    (void)state;
    db_close(db);
    test_folder_remove(&folder);
    return 0;
}

/* ---- rows as a reader makes them ---- */

enum {
    DAY,
    KICKOFF,
    TIME_KNOWN,
    KICKOFF_TEXT,
    HOME,
    AWAY,
    SOURCE_ID,
    HOME_GOALS,
    AWAY_GOALS,
    HOME_SHOTS,
    MATCH_COLUMNS = 23
};
static const struct frame_field match_fields[MATCH_COLUMNS] = {
    {"day", FRAME_I64},
    {"kickoff", FRAME_TIME},
    {"time_known", FRAME_I32},
    {"kickoff_text", FRAME_TEXT},
    {"home", FRAME_TEXT},
    {"away", FRAME_TEXT},
    {"source_id", FRAME_TEXT},
    {"home_goals", FRAME_I32},
    {"away_goals", FRAME_I32},
    {"home_shots", FRAME_I32},
    {"home_half", FRAME_I32},
    {"away_half", FRAME_I32},
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
};
enum { MATCH, MARKET, BOOKMAKER, LABEL, PRICE_1, PRICE_2, PRICE_3, HANDICAP, IS_FLAGGED, PRICE_COLUMNS };
static const struct frame_field price_fields[PRICE_COLUMNS] = {
    {"match", FRAME_I64},   {"market", FRAME_TEXT},  {"bookmaker", FRAME_TEXT},
    {"label", FRAME_TEXT},  {"price_1", FRAME_F64},  {"price_2", FRAME_F64},
    {"price_3", FRAME_F64}, {"handicap", FRAME_F64}, {"is_flagged", FRAME_I32},
};

struct game {
    const char *league, *country;
    int season, day, hour; /* hour -1: unknown */
    const char *home, *away, *source_id;
    int goals[2], shots; /* -1 missing */
};
struct set {
    int match;
    const char *market, *bookmaker, *label;
    double prices[3];
};

static struct frame *make_matches(const struct game *games, size_t count)
{
    struct frame_builder *builder;
    struct frame *frame;

    assert_int_equal(frame_builder_create(match_fields, MATCH_COLUMNS, 0, &builder, NULL), ERR_OK);
    for (size_t index = 0; index < count; index++) {
        const struct game *game = &games[index];
        frame_set_i64(builder, DAY, game->day);
        frame_set_i64(builder, KICKOFF,
                      game->day * TIME_DAY_US + (game->hour < 0 ? 0 : game->hour * TIME_HOUR_US));
        frame_set_i64(builder, TIME_KNOWN, game->hour >= 0);
        frame_set_text(builder, KICKOFF_TEXT, text_of("original"));
        frame_set_text(builder, HOME, text_of(game->home));
        frame_set_text(builder, AWAY, text_of(game->away));
        if (game->source_id != NULL)
            frame_set_text(builder, SOURCE_ID, text_of(game->source_id));
        for (size_t side = 0; side < 2; side++) {
            if (game->goals[side] >= 0)
                frame_set_i64(builder, HOME_GOALS + side, game->goals[side]);
        }
        if (game->shots >= 0)
            frame_set_i64(builder, HOME_SHOTS, game->shots);
        frame_next_row(builder);
    }
    assert_int_equal(frame_builder_finish(builder, &frame, NULL), ERR_OK);
    frame_builder_destroy(builder);
    return frame;
}

static struct frame *make_prices(const struct set *sets, size_t count)
{
    struct frame_builder *builder;
    struct frame *frame;

    assert_int_equal(frame_builder_create(price_fields, PRICE_COLUMNS, 0, &builder, NULL), ERR_OK);
    for (size_t index = 0; index < count; index++) {
        frame_set_i64(builder, MATCH, sets[index].match);
        frame_set_text(builder, MARKET, text_of(sets[index].market));
        frame_set_text(builder, BOOKMAKER, text_of(sets[index].bookmaker));
        frame_set_text(builder, LABEL, text_of(sets[index].label));
        for (size_t place = 0; place < 3; place++) {
            if (sets[index].prices[place] > 0)
                frame_set_f64(builder, PRICE_1 + place, sets[index].prices[place]);
        }
        frame_set_i64(builder, IS_FLAGGED, 0);
        frame_next_row(builder);
    }
    assert_int_equal(frame_builder_finish(builder, &frame, NULL), ERR_OK);
    frame_builder_destroy(builder);
    return frame;
}

static struct football_saved save(const struct game *games, size_t game_count, const struct set *sets,
                                  size_t set_count)
{
    struct football_writer *writer;
    struct football_saved saved = {0};
    struct err err = {0};
    const char *leagues[64], *countries[64];
    int32_t seasons[64];

    for (size_t index = 0; index < game_count; index++) {
        leagues[index] = games[index].league;
        countries[index] = games[index].country;
        seasons[index] = games[index].season;
    }
    struct frame *matches = make_matches(games, game_count), *prices = make_prices(sets, set_count);
    struct football_rows rows = {matches, prices, leagues, countries, seasons, 0};
    assert_int_equal(db_begin(db, &err), ERR_OK);
    assert_int_equal(football_writer_create(db, &writer, &err), ERR_OK);
    if (football_writer_save(writer, &rows, &saved, &err) != ERR_OK)
        fail_msg("%s", err.text);
    football_writer_destroy(writer);
    assert_int_equal(db_commit(db, &err), ERR_OK);
    frame_destroy(matches);
    frame_destroy(prices);
    return saved;
}

static struct football_frames load(size_t max_matches)
{
    struct football_frames frames;
    struct err err;

    if (football_store_load(db, all_bookmakers, max_matches, &frames, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return frames;
}

static int64_t number(const struct frame *frame, const char *name, size_t row)
{
    size_t column = (size_t)frame_find(frame, name);

    if (!frame_is_present(frame, column, row))
        return -1;
    return frame_column_type(frame, column) == FRAME_I32 ? frame_i32(frame, column)[row]
                                                         : frame_i64(frame, column)[row];
}

static const char *text(const struct frame *frame, const char *name, size_t row)
{
    return frame_text(frame, (size_t)frame_find(frame, name), row);
}

static double real(const struct frame *frame, const char *name, size_t row)
{
    return frame_f64(frame, (size_t)frame_find(frame, name))[row];
}

/* ---- tests ---- */

static void an_empty_store(void **state)
{
    (void)state;
    struct football_frames frames = load(0);

    assert_int_equal(frame_rows(frames.teams), 0);
    assert_int_equal(frame_rows(frames.matches), 0);
    assert_int_equal(frame_rows(frames.prices), 0);
    football_frames_release(&frames);
}

static void saved_rows_come_back_in_order_of_time(void **state)
{
    static const struct game games[] = {
        {"E0", "England", 2023, 200, 20, "Arsenal", "Chelsea", NULL, {2, 1}, 12},
        {"E0", "England", 2023, 200, 15, "Everton", "Fulham", "src-2", {0, 0}, -1},
        {"D1", "Germany", 2023, 100, -1, "Mainz", "Bochum", NULL, {-1, -1}, -1},
    };
    static const struct set sets[] = {
        {0, "1x2", "B365", "pre_close", {2, 3.5, 4}},  {0, "1x2", "BbAv", "pre_close", {2.1, 3.4, 3.9}},
        {0, "ah", "B365", "pre_close", {1.9, 1.9, 0}}, {0, "1x2", "XX", "close", {2, 3, 4}},
        {1, "ou25", "BbMx", "close", {1.8, 2.1, 0}},   {2, "1x2", "PS", "close", {0, 3.3, 0}},
    };

    (void)state;
    struct football_saved saved = save(games, 3, sets, 6);
    assert_int_equal(saved.matches_new, 3);
    assert_int_equal(saved.prices, 6);
    struct football_frames frames = load(0);
    const struct frame *matches = frames.matches, *prices = frames.prices;
    assert_int_equal(frame_rows(matches), 3);
    assert_string_equal(text(matches, "league", 0), "D1");
    assert_int_equal(number(matches, "state", 0), MATCH_SCHEDULED);
    assert_int_equal(number(matches, "home_goals", 0), -1);
    assert_int_equal(number(matches, "time_known", 0), 0);
    assert_string_equal(text(matches, "source_id", 1), "src-2"); /* 15:00 before 20:00 */
    assert_int_equal(number(matches, "id", 1), 2);
    assert_int_equal(number(matches, "state", 1), MATCH_PLAYED);
    assert_int_equal(number(matches, "home_goals", 1), 0);
    assert_int_equal(number(matches, "home_shots", 1), -1);
    assert_int_equal(number(matches, "home_shots", 2), 12);
    assert_int_equal(number(matches, "season", 2), 2023);
    assert_int_equal(frame_rows(frames.teams), 6);
    assert_string_equal(text(frames.teams, "name", (size_t)number(matches, "home", 2) - 1), "Arsenal");
    assert_string_equal(text(frames.teams, "country", 5), "Germany");
    /* the Asian handicap and an unknown bookmaker are stored, not loaded */
    assert_int_equal(frame_rows(prices), 4);
    assert_int_equal(number(prices, "match", 0), 2);
    assert_string_equal(text(prices, "bookmaker", 1), "Avg");
    assert_true(real(prices, "price_2", 1) == 3.4);
    assert_string_equal(text(prices, "market", 2), "ou25");
    assert_string_equal(text(prices, "bookmaker", 2), "Max");
    assert_int_equal(number(prices, "match", 2), 1);
    assert_true(isnan(real(prices, "price_3", 2)));
    assert_int_equal(number(prices, "match", 3), 0);
    assert_true(isnan(real(prices, "price_1", 3)) && real(prices, "price_2", 3) == 3.3);
    football_frames_release(&frames);
    /* the last two: the first by time is left out, and its prices with it */
    frames = load(2);
    assert_int_equal(frame_rows(frames.matches), 2);
    assert_string_equal(text(frames.matches, "source_id", 0), "src-2");
    assert_int_equal(frame_rows(frames.prices), 3);
    assert_int_equal(number(frames.prices, "match", 0), 1);
    football_frames_release(&frames);
}

static void rows_without_a_league_are_left_out(void **state)
{
    static const struct game games[] = {{NULL, NULL, 0, 1, -1, "A", "B", NULL, {1, 1}, -1},
                                        {"E0", "England", 2023, 2, -1, "A", "B", NULL, {1, 1}, -1}};
    static const struct set sets[] = {{0, "1x2", "B365", "close", {2, 3, 4}},
                                      {1, "1x2", "B365", "close", {5, 6, 7}}};

    (void)state;
    assert_int_equal(save(games, 2, sets, 2).matches_new, 1);
    struct football_frames frames = load(0);
    assert_int_equal(frame_rows(frames.prices), 1);
    assert_true(real(frames.prices, "price_1", 0) == 5);
    football_frames_release(&frames);
}

static void updates_do_not_forget(void **state)
{
    static const struct game first = {"E0", "England", 2023, 9, 15, "A", "B", NULL, {2, 1}, 12};
    static const struct game poorer = {"E0", "England", 2023, 9, -1, "a", "B", "id-7", {-1, -1}, -1};
    static const struct game corrected = {"E0", "England", 2023, 9, 16, "A", "B", NULL, {3, 1}, 13};
    static const struct set old_prices[] = {{0, "1x2", "B365", "close", {2, 3, 4}},
                                            {0, "1x2", "PS", "close", {5, 6, 7}}};
    static const struct set new_prices[] = {{0, "1x2", "PS", "close", {5.5, 6.5, 7.5}}};

    (void)state;
    save(&first, 1, old_prices, 2);
    struct football_saved saved = save(&poorer, 1, NULL, 0);
    assert_int_equal(saved.matches_new, 0);
    assert_int_equal(saved.matches_updated, 1);
    struct football_frames frames = load(0);
    assert_int_equal(frame_rows(frames.matches), 1);
    assert_int_equal(number(frames.matches, "home_goals", 0), 2);
    assert_int_equal(number(frames.matches, "home_shots", 0), 12);
    assert_int_equal(number(frames.matches, "state", 0), MATCH_PLAYED);
    assert_int_equal(number(frames.matches, "time_known", 0), 1);
    assert_true(number(frames.matches, "kickoff", 0) == 9 * TIME_DAY_US + 15 * TIME_HOUR_US);
    assert_string_equal(text(frames.matches, "source_id", 0), "id-7");
    football_frames_release(&frames);
    save(&corrected, 1, new_prices, 1);
    frames = load(0);
    assert_int_equal(number(frames.matches, "home_goals", 0), 3);
    assert_true(number(frames.matches, "kickoff", 0) == 9 * TIME_DAY_US + 16 * TIME_HOUR_US);
    assert_int_equal(frame_rows(frames.prices), 2);
    assert_true(real(frames.prices, "price_1", 0) == 2 && real(frames.prices, "price_1", 1) == 5.5);
    football_frames_release(&frames);
}

/* The source's id is the same, the day another: the match was moved. */
static void a_moved_match_stays_one(void **state)
{
    static const struct game planned = {"E0", "England", 2023, 9, 15, "A", "B", "id-7", {-1, -1}, -1};
    static const struct game moved = {"E0", "England", 2023, 30, -1, "A", "B", "id-7", {-1, -1}, -1};

    (void)state;
    save(&planned, 1, NULL, 0);
    assert_int_equal(save(&moved, 1, NULL, 0).matches_updated, 1);
    struct football_frames frames = load(0);
    assert_int_equal(frame_rows(frames.matches), 1);
    assert_int_equal(number(frames.matches, "day", 0), 30);
    assert_int_equal(number(frames.matches, "time_known", 0), 0); /* the old time was of the old day */
    football_frames_release(&frames);
}

static void a_row_twice_in_one_file(void **state)
{
    static const struct game games[] = {{"E0", "England", 2023, 9, -1, "A", "B", NULL, {2, 1}, -1},
                                        {"E0", "England", 2023, 9, -1, "A", "B", NULL, {2, 2}, -1}};
    static const struct set sets[] = {{0, "1x2", "B365", "close", {2, 3, 4}},
                                      {1, "1x2", "B365", "close", {5, 6, 7}}};

    (void)state;
    struct football_saved saved = save(games, 2, sets, 2);
    assert_int_equal(saved.matches_new, 1);
    assert_int_equal(saved.matches_updated, 1);
    struct football_frames frames = load(0);
    assert_int_equal(number(frames.matches, "away_goals", 0), 2); /* the later one wins */
    assert_int_equal(frame_rows(frames.prices), 1);
    assert_true(real(frames.prices, "price_1", 0) == 5);
    football_frames_release(&frames);
}

/* More sets than go into one statement, and than fit the sorting table; bookmakers in descending order. */
static void many_prices_of_a_match(void **state)
{
    static const struct game game = {"E0", "England", 2023, 9, -1, "A", "B", NULL, {2, 1}, -1};
    static struct set sets[300];
    static char names[300][8];
    struct query *query;
    bool has_row;

    (void)state;
    for (int index = 0; index < 300; index++) {
        snprintf(names[index], sizeof names[index], "b%d", 299 - index);
        sets[index] = (struct set){0, "1x2", names[index], "close", {2 + index, 3, 4}};
    }
    assert_int_equal(save(&game, 1, sets, 300).prices, 300);
    assert_int_equal(
        db_query(db, "SELECT count(*), sum(price_1), min(quote_id), max(quote_id) FROM price", &query, NULL),
        ERR_OK);
    assert_int_equal(query_next(query, &has_row, NULL), ERR_OK);
    assert_int_equal(query_i64(query, 0), 300);
    assert_true(query_f64(query, 1) == 300 * 2 + 299 * 150);
    assert_int_equal(query_i64(query, 2), 1);
    assert_int_equal(query_i64(query, 3), 300);
    query_reset(query);
}

static void deleting_a_match_deletes_its_prices(void **state)
{
    static const struct game game = {"E0", "England", 2023, 9, -1, "A", "B", NULL, {2, 1}, -1};
    static const struct set sets[] = {{0, "1x2", "B365", "close", {2, 3, 4}}};

    (void)state;
    save(&game, 1, sets, 1);
    assert_int_equal(db_execute(db, "DELETE FROM match", NULL), ERR_OK);
    struct football_frames frames = load(0);
    assert_int_equal(frame_rows(frames.prices), 0);
    football_frames_release(&frames);
}

static void single_selections(void **state)
{
    static const struct game game = {"E0", "England", 2023, 9, -1, "A", "B", NULL, {2, 1}, -1};
    static const struct set sets[] = {{0, "1x2", "B365", "close", {2, 0, 4}},
                                      {0, "ou25", "B365", "close", {1.8, 2.1, 0}},
                                      {0, "ah", "B365", "close", {1.7, 2.2, 0}}};
    struct query *query;
    bool has_row;
    char got[256] = "";
    size_t used = 0;

    (void)state;
    save(&game, 1, sets, 3);
    assert_int_equal(db_query(db, "SELECT market, selection, odds FROM price_selection ORDER BY market, odds",
                              &query, NULL),
                     ERR_OK);
    while (query_next(query, &has_row, NULL) == ERR_OK && has_row)
        used += (size_t)snprintf(got + used, sizeof got - used, "%s %s %s;", query_text(query, 0),
                                 query_text(query, 1), query_text(query, 2));
    assert_string_equal(got,
                        "1x2 home 2.0;1x2 away 4.0;ah home 1.7;ah away 2.2;ou25 under 1.8;ou25 over 2.1;");
}

static int64_t team(const char *country, const char *name, int64_t day)
{
    struct football_writer *writer;
    struct err err = {0};
    int64_t id;

    assert_int_equal(football_writer_create(db, &writer, &err), ERR_OK);
    if (football_writer_team(writer, country, text_of(name), day, &id, &err) != ERR_OK)
        fail_msg("%s", err.text);
    football_writer_destroy(writer);
    return id;
}

static void team_identity(void **state)
{
    struct football_writer *writer;
    int64_t id;

    (void)state;
    int64_t united = team("England", "Man United", 0);
    assert_int_equal(team("England", " man UNITED ", 0), united);
    assert_int_equal(team("England", "Man Utd", 0), united);
    assert_int_equal(team("England", "Manchester United", 0), united);
    assert_int_not_equal(team("Scotland", "Man United", 0), united);
    /* an alias that comes before its team makes the team under its proper name */
    int64_t gladbach = team("Germany", "Borussia Monchengladbach", 0);
    assert_int_equal(team("Germany", "M'Gladbach", 0), gladbach);
    struct football_frames frames = load(0);
    assert_string_equal(text(frames.teams, "name", (size_t)gladbach - 1), "M'gladbach");
    football_frames_release(&frames);
    /* names that only look alike stay apart */
    assert_int_not_equal(team("Germany", "FC Koln", 0), team("Germany", "F Koln", 0));
    /* a source that uses a shipped alias as a name of its own keeps it */
    assert_int_equal(
        db_execute(db,
                   "INSERT INTO team(id, country, name, name_key) VALUES (50, 'England', 'Spurs', 'spurs')",
                   NULL),
        ERR_OK);
    assert_int_not_equal(team("England", "Tottenham", 0), 50);
    assert_int_equal(team("England", "Spurs", 0), 50);
    assert_int_equal(football_writer_create(db, &writer, NULL), ERR_OK);
    assert_int_equal(football_writer_team(writer, "England", text_of(" "), 0, &id, NULL), ERR_INVALID);
    football_writer_destroy(writer);
}

static void dated_aliases(void **state)
{
    (void)state;
    int64_t old = team("England", "Wimbledon", 0), new = team("England", "AFC Wimbledon", 0);

    assert_int_equal(
        db_execute(db,
                   "INSERT INTO team_alias(country, name_key, team_id, name, from_day, to_day) VALUES "
                   "('England', 'the dons', 1, 'The Dons', 0, 999), "
                   "('England', 'the dons', 2, 'The Dons', 1000, 5000)",
                   NULL),
        ERR_OK);
    assert_int_equal(team("England", "The Dons", 999), old);
    assert_int_equal(team("England", "The Dons", 1000), new);
    int64_t found;
    assert_int_equal(football_store_find_team(db, "England", "the dons", &found, NULL), ERR_OK);
    assert_int_equal(found, new);                         /* without a date: the latest */
    assert_true(team("England", "The Dons", 6000) > new); /* of nobody then: a team of its own */
}

static void finding_teams(void **state)
{
    struct err err;
    int64_t id;

    (void)state;
    assert_int_equal(football_store_find_team(db, "England", "Arsenal", &id, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "no team of 'England' is known"));
    int64_t arsenal = team("England", "Arsenal", 0), forest = team("England", "Nott'm Forest", 0);
    team("England", "Aston Villa", 0);
    assert_int_equal(football_store_find_team(db, "England", " ARSENAL", &id, &err), ERR_OK);
    assert_int_equal(id, arsenal);
    assert_int_equal(football_store_find_team(db, "England", "Nottingham Forest", &id, &err), ERR_OK);
    assert_int_equal(id, forest);
    assert_int_equal(football_store_find_team(db, "England", "Arsnal", &id, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text,
                        "no team of 'England' is called 'Arsnal'; the nearest are 'Arsenal', 'Aston Villa', "
                        "'Nott'm Forest'");
    assert_int_equal(football_store_find_team(db, "England", "", &id, &err), ERR_INVALID);
    char longest[400];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(football_store_find_team(db, "England", longest, &id, &err), ERR_INVALID);
}

static void finding_matches(void **state)
{
    static const struct game games[] = {{"E0", "England", 2023, 9, 15, "A", "B", "2", {2, 1}, -1},
                                        {"E0", "England", 2023, 10, 15, "A", "B", "x-1", {-1, -1}, -1}};
    struct stored_match match;
    struct err err;

    (void)state;
    save(games, 2, NULL, 0);
    assert_int_equal(football_store_find_match(db, "x-1", &match, &err), ERR_OK);
    assert_int_equal(match.id, 2);
    assert_int_equal(match.home_goals, -1);
    assert_string_equal(match.league, "E0");
    assert_string_equal(match.away, "B");
    assert_int_equal(football_store_find_match(db, "1", &match, &err), ERR_OK);
    assert_string_equal(match.source_id, "2");
    assert_int_equal(football_store_find_match(db, "2", &match, &err), ERR_OK);
    assert_int_equal(match.id, 1); /* a source's id comes before our own */
    assert_int_equal(football_store_find_match(db, "77", &match, &err), ERR_NOT_FOUND);
    assert_int_equal(football_store_find_match(db, "'; DROP TABLE match; --", &match, &err), ERR_NOT_FOUND);
}

static void hash_follows_the_contents(void **state)
{
    char empty[HASH_HEX_BYTES], one[HASH_HEX_BYTES], two[HASH_HEX_BYTES], again[HASH_HEX_BYTES];

    (void)state;
    assert_int_equal(football_store_hash(db, empty, NULL), ERR_OK);
    assert_int_equal(football_store_chain(db, "aa", NULL), ERR_OK);
    assert_int_equal(football_store_hash(db, one, NULL), ERR_OK);
    assert_int_equal(football_store_hash(db, again, NULL), ERR_OK);
    assert_string_equal(one, again);
    assert_string_not_equal(empty, one);
    assert_int_equal(football_store_chain(db, "bb", NULL), ERR_OK);
    assert_int_equal(football_store_hash(db, two, NULL), ERR_OK);
    assert_string_not_equal(one, two);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_database, close_database)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store),
        TEST(saved_rows_come_back_in_order_of_time),
        TEST(rows_without_a_league_are_left_out),
        TEST(updates_do_not_forget),
        TEST(a_moved_match_stays_one),
        TEST(a_row_twice_in_one_file),
        TEST(many_prices_of_a_match),
        TEST(deleting_a_match_deletes_its_prices),
        TEST(single_selections),
        TEST(team_identity),
        TEST(dated_aliases),
        TEST(finding_teams),
        TEST(finding_matches),
        TEST(hash_follows_the_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
