/* Leagues in the store: only results count, whatever else is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/test_folder.h"
#include "store/league_store.h"
#include "store/store.h"

#include <string.h>

static void add(struct db *db, const char *league, int64_t day, int state)
{
    static int64_t number;
    struct query *query;

    number++;
    assert_int_equal(
        db_query(db,
                 "INSERT INTO match(league, day, home_id, away_id, season, kickoff_us, time_known, "
                 "state) VALUES ($1, $2, 1, 2, 2020, $3, 0, $4)",
                 &query, NULL),
        ERR_OK);
    query_bind_text(query, 1, league);
    query_bind_i64(query, 2, day);
    query_bind_i64(query, 3, number);
    query_bind_i64(query, 4, state);
    assert_int_equal(query_run(query, NULL), ERR_OK);
}

static void test_leagues(void **state)
{
    struct test_folder folder;
    struct store store;
    struct league_row rows[8];
    size_t count = 8;
    bool has = true;

    (void)state;
    test_folder_create(&folder);
    assert_int_equal(store_open(folder.path, DB_READ_WRITE, &store, NULL), ERR_OK);
    assert_int_equal(league_store_list(store.db, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(league_store_has(store.db, "E0", &has, NULL), ERR_OK);
    assert_false(has);
    assert_int_equal(db_execute(store.db,
                                "INSERT INTO team(id, country, name, name_key) VALUES "
                                "(1, 'England', 'A', 'a'), (2, 'England', 'B', 'b')",
                                NULL),
                     ERR_OK);
    add(store.db, "E1", 18000, 1);
    add(store.db, "E0", 18010, 1);
    add(store.db, "E0", 18005, 1);
    add(store.db, "E0", 18500, 0); /* to come */
    add(store.db, "D1", 18500, 0);
    count = 8;
    assert_int_equal(league_store_list(store.db, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].league, "E0");
    assert_true(rows[0].matches == 2 && rows[0].from_day == 18005 && rows[0].to_day == 18010);
    assert_true(strcmp(rows[1].league, "E1") == 0 && rows[1].matches == 1);
    count = 1;
    assert_int_equal(league_store_list(store.db, rows, &count, NULL), ERR_OK);
    assert_true(count == 1 && strcmp(rows[0].league, "E0") == 0);
    assert_int_equal(league_store_has(store.db, "D1", &has, NULL), ERR_OK);
    assert_true(has);
    assert_int_equal(league_store_has(store.db, "I1", &has, NULL), ERR_OK);
    assert_false(has);
    store_close(&store);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leagues),
    };

    return cmocka_run_group_tests_name("league store", tests, NULL, NULL);
}
