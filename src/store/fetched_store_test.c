/* Fetched prices and fixtures in the store: times of prices, matches that begin meanwhile, rows that two sources have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/test_folder.h"
#include "store/connector_store.h"
#include "store/fetched_store.h"
#include "store/football_prices.h"
#include "store/football_store.h"
#include "store/standing_store.h"
#include "store/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 20000 };
#define NOON(day) ((day)*TIME_DAY_US + 12 * TIME_HOUR_US)

static struct test_folder folder;
static struct store store;

static int open_store(void **state)
{
    (void)state;
    test_folder_create(&folder);
    if (store_open(folder.path, DB_READ_WRITE, &store, NULL) != ERR_OK)
        return 1;
    return db_execute(store.db,
                      "INSERT INTO team(id, country, name, name_key) VALUES (1, 'England', 'A', 'a'), "
                      "(2, 'England', 'B', 'b'), (3, 'England', 'C', 'c');"
                      "INSERT INTO match(id, league, day, home_id, away_id, season, kickoff_us, time_known, "
                      "state) VALUES "
                      "(1, 'E0', 20000, 1, 2, 2024, 1728043200000000, 1, 0), "
                      "(2, 'E0', 20003, 2, 3, 2024, 1728259200000000, 0, 0), "
                      "(3, 'E0', 19990, 3, 1, 2024, 1727136000000000, 0, 1);",
                      NULL) != ERR_OK;
}

static int close_store(void **state)
{
    (void)state;
    store_close(&store);
    test_folder_remove(&folder);
    return 0;
}

/* -1: NULL. sql: a literal */
static int64_t number(const char *sql)
{
    struct query *query;
    bool has_row;
    assert_int_equal(db_query(store.db, sql, &query, NULL), ERR_OK);
    assert_int_equal(query_next(query, &has_row, NULL), ERR_OK);
    assert_true(has_row);
    int64_t value = query_is_null(query, 0) ? -1 : query_i64(query, 0);
    query_reset(query);
    return value;
}

static struct fetched_prices_saved save(int64_t match, int64_t captured_us, double home, bool *changed)
{
    struct fetched_prices_saved saved = {0};
    struct fetched_price price = {.match_id = match,
                                  .captured_us = captured_us,
                                  .market = "1x2",
                                  .bookmaker = "PS",
                                  .prices = {home, 3.5, 4}};
    assert_int_equal(db_begin(store.db, NULL), ERR_OK);
    assert_int_equal(fetched_store_prices(store.db, &price, 1, &saved, NULL), ERR_OK);
    assert_int_equal(fetched_store_finish(store.db, "x", changed, NULL), ERR_OK);
    assert_int_equal(db_commit(store.db, NULL), ERR_OK);
    return saved;
}

static void prices_keep_the_time_of_the_fetch(void **state)
{
    bool changed;
    (void)state;
    assert_int_equal(save(1, NOON(DAY - 2), 2.0, &changed).changed, 1);
    assert_true(changed);
    assert_true(number("SELECT captured_at FROM price") == NOON(DAY - 2));
    assert_int_equal(save(1, NOON(DAY - 1), 2.0, &changed).unchanged, 1);
    assert_false(changed);
    assert_true(number("SELECT captured_at FROM price") == NOON(DAY - 1));
    /* a file that brings another price has no time for it */
    struct football_prices *prices;
    const char *parts[3] = {"1x2", "PS", "pre_close"};
    struct price row = {.match_id = 1, .prices = {2.2, 3.5, 4}, .handicap = NAN};
    assert_int_equal(football_prices_create(store.db, &prices, NULL), ERR_OK);
    assert_int_equal(football_prices_quote(prices, parts, &row.quote_id, NULL), ERR_OK);
    assert_int_equal(football_prices_replace(prices, &row, &changed, NULL), ERR_OK);
    football_prices_destroy(prices);
    assert_true(changed);
    assert_int_equal(number("SELECT captured_at IS NULL FROM price"), 1);
}

static void prices_of_a_match_that_has_begun_never_enter(void **state)
{
    bool changed;
    (void)state;
    assert_int_equal(save(1, 1728043200000000, 2.0, &changed).late, 1);
    assert_int_equal(save(3, NOON(DAY - 30), 2.0, &changed).late, 1);  /* played */
    assert_int_equal(save(99, NOON(DAY - 30), 2.0, &changed).late, 1); /* gone */
    assert_false(changed);
    assert_int_equal(number("SELECT count(*) FROM price"), 0);
}

static void upcoming(void **state)
{
    struct upcoming_match *matches;
    size_t count;
    (void)state;
    assert_int_equal(fetched_store_upcoming(store.db, NOON(DAY - 1), NOON(DAY + 9), &matches, &count, NULL),
                     ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(matches[0].id, 1);
    assert_int_equal(matches[1].id, 2);
    free(matches);
    /* the first has begun; of the second only the day is known, and it is that day */
    assert_int_equal(fetched_store_upcoming(store.db, NOON(DAY + 3), NOON(DAY + 9), &matches, &count, NULL),
                     ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(matches[0].id, 2);
    free(matches);
    assert_int_equal(fetched_store_upcoming(store.db, NOON(DAY + 30), NOON(DAY + 39), &matches, &count, NULL),
                     ERR_OK);
    assert_int_equal(count, 0);
    free(matches);
}

static struct fetched_fixtures_saved put(const char *source, int64_t home, int64_t away, int64_t day,
                                         int state)
{
    static const char *const names[] = {"", "A", "B", "C"};
    struct fetched_fixtures_saved saved = {0};
    bool changed;
    struct err err;
    struct fetched_fixture fixture = {.source_id = source,
                                      .league = "E0",
                                      .country = "England",
                                      .home = names[home],
                                      .away = names[away],
                                      .home_id = home,
                                      .away_id = away,
                                      .day = day,
                                      .kickoff_us = NOON(day),
                                      .kickoff_text = "then",
                                      .season = 2024,
                                      .time_known = true,
                                      .state = state};
    assert_int_equal(db_begin(store.db, NULL), ERR_OK);
    if (fetched_store_fixtures(store.db, &fixture, 1, &saved, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(fetched_store_finish(store.db, source, &changed, NULL), ERR_OK);
    assert_int_equal(db_commit(store.db, NULL), ERR_OK);
    return saved;
}

static void fixtures_are_added_moved_and_called_off(void **state)
{
    (void)state;
    assert_int_equal(put("s/1", 1, 3, DAY + 5, MATCH_SCHEDULED).added, 1);
    assert_int_equal(number("SELECT count(*) FROM match"), 4);
    assert_int_equal(put("s/1", 1, 3, DAY + 6, MATCH_SCHEDULED).known, 1); /* moved */
    assert_int_equal(number("SELECT count(*) FROM match"), 4);
    assert_int_equal(number("SELECT day FROM match WHERE source_id = 's/1'"), DAY + 6);
    assert_int_equal(put("s/2", 2, 3, DAY + 1, MATCH_SCHEDULED).known,
                     1); /* adopted: two days off, nobody's */
    assert_int_equal(number("SELECT day FROM match WHERE id = 2"), DAY + 1);
    assert_int_equal(put("s/3", 2, 3, DAY + 60, MATCH_SCHEDULED).added, 1); /* another meeting */
    assert_int_equal(put("s/1", 1, 3, DAY + 6, MATCH_POSTPONED).called_off, 1);
    assert_int_equal(number("SELECT state FROM match WHERE source_id = 's/1'"), MATCH_POSTPONED);
    put("s/1", 1, 3, DAY + 40, MATCH_SCHEDULED); /* and on again */
    assert_int_equal(number("SELECT state FROM match WHERE source_id = 's/1'"), MATCH_SCHEDULED);
    put("s/9", 3, 2, DAY + 6, MATCH_VOID); /* not there: nothing to call off */
    assert_int_equal(number("SELECT count(*) FROM match"), 5);
    struct fetched_fixtures_saved saved = put("s/4", 3, 1, 19990, MATCH_SCHEDULED); /* played */
    assert_int_equal(saved.added + saved.known, 0);
    assert_int_equal(number("SELECT state FROM match WHERE id = 3"), MATCH_PLAYED);
}

static void two_sources_of_one_match(void **state)
{
    (void)state;
    put("s/1", 2, 1, DAY + 2, MATCH_SCHEDULED);
    assert_int_equal(
        db_execute(store.db,
                   "INSERT INTO match(id, league, day, home_id, away_id, season, kickoff_us, time_known, "
                   "state) VALUES (77, 'E0', 20009, 2, 1, 2024, 1728777600000000, 0, 0)",
                   NULL),
        ERR_OK);
    put("s/1", 2, 1, DAY + 9, MATCH_SCHEDULED); /* onto the day of the other row: that one stays */
    assert_int_equal(number("SELECT id FROM match WHERE source_id = 's/1'"), 77);
    assert_int_equal(number("SELECT state FROM match WHERE day = 20002 AND home_id = 2"), MATCH_VOID);
    /* a source id of somebody else is left alone */
    assert_int_equal(db_execute(store.db, "UPDATE match SET source_id = 'other' WHERE id = 1", NULL), ERR_OK);
    put("s/5", 1, 2, DAY, MATCH_SCHEDULED);
    assert_int_equal(
        number("SELECT count(*) FROM match WHERE source_id = 'other' AND kickoff_us = 1728043200000000"), 1);
    assert_int_equal(number("SELECT count(*) FROM match WHERE home_id = 1 AND away_id = 2"), 1);
}

static void validators_and_waiting(void **state)
{
    struct connector_row row;
    struct connector_answer answer = {"odds E0", "h1", "\"v1\"", "", 5}, found;
    (void)state;
    assert_int_equal(connector_store_get(store.db, "odds", &row, NULL), ERR_OK);
    assert_true(row.not_before_us == TIME_NONE && row.asked_us == TIME_NONE);
    row = (struct connector_row){TIME_NONE, 7};
    assert_int_equal(connector_store_set(store.db, "odds", &row, NULL), ERR_OK);
    row = (struct connector_row){9, 9};
    assert_int_equal(connector_store_get(store.db, "odds", &row, NULL), ERR_OK);
    assert_true(row.not_before_us == TIME_NONE && row.asked_us == 7);
    assert_int_equal(connector_store_keep(store.db, "odds", &answer, NULL), ERR_OK);
    assert_int_equal(connector_store_answer(store.db, "odds", "odds E0", "h1", &found, NULL), ERR_OK);
    assert_string_equal(found.etag, "\"v1\"");
    assert_int_equal(connector_store_answer(store.db, "odds", "odds E0", "h2", &found, NULL), ERR_OK);
    assert_string_equal(found.etag, ""); /* another question */
    assert_int_equal(connector_store_answer(store.db, "other", "odds E0", "h1", &found, NULL), ERR_OK);
    assert_string_equal(found.etag, "");
}

static void tables_are_replaced(void **state)
{
    struct standing rows[3] = {{.position = 1, .played = 2, .team_id = 1, .name = "A"},
                               {.position = 2, .points = -3, .name = "Nobody"}},
                    out[8];
    size_t count = 8;
    (void)state;
    assert_int_equal(standing_store_replace(store.db, "E0", 2023, rows, 1, 10, NULL), ERR_OK);
    assert_int_equal(standing_store_replace(store.db, "E0", 2024, rows, 1, 10, NULL), ERR_OK);
    assert_int_equal(standing_store_replace(store.db, "E0", 2024, rows, 2, 20, NULL), ERR_OK);
    assert_int_equal(standing_store_list(store.db, "E0", out, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(out[0].season, 2024);
    assert_int_equal(out[0].team_id, 1);
    assert_int_equal(out[1].team_id, 0);
    assert_string_equal(out[1].name, "Nobody");
    assert_int_equal(out[1].points, -3);
    assert_int_equal(out[1].fetched_us, 20);
    count = 8;
    assert_int_equal(standing_store_list(store.db, "E1", out, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)
    const struct CMUnitTest tests[] = {
        TEST(prices_keep_the_time_of_the_fetch),
        TEST(prices_of_a_match_that_has_begun_never_enter),
        TEST(upcoming),
        TEST(fixtures_are_added_moved_and_called_off),
        TEST(two_sources_of_one_match),
        TEST(validators_and_waiting),
        TEST(tables_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
