/* Small reads for serving: the last match of a team, meetings of two, at both ends of what can be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/time.h"
#include "os/clock.h"
#include "os/test_folder.h"
#include "store/fixture_store.h"

#include <stdio.h>
#include <string.h>

static struct test_folder folder;
static struct db *db;

static void execute(const char *sql)
{
    struct err err;
    if (db_execute(db, sql, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

/* goals < 0: no result; minute < 0: no time known. */
static void add_match(int id, int day, int minute, int home, int away, int state, int goals)
{
    char sql[512], result[32] = "NULL, NULL";
    if (goals >= 0)
        (void)snprintf(result, sizeof(result), "%d, 0", goals);
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO match(id, league, day, home_id, away_id, season, kickoff_us, time_known, state, "
        "home_goals, away_goals) VALUES (%d, 'E0', %d, %d, %d, 2020, %lld, %d, %d, %s)",
        id, day, home, away, (long long)day * TIME_DAY_US + (minute < 0 ? 0 : minute * TIME_MINUTE_US),
        minute >= 0, state, result);
    execute(sql);
}

static int set_up(void **state)
{
    struct err err;
    (void)state;
    test_folder_create(&folder);
    enum err_code code = db_open(test_folder_path(&folder, "test.db"), DB_READ_WRITE, &db, &err);
    assert_int_equal(code, ERR_OK);
    for (int team = 1; team <= 40; team++) {
        char sql[128];
        (void)snprintf(sql, sizeof(sql), "INSERT INTO team VALUES (%d, 'England', 'T%d', 't%d')", team, team,
                       team);
        execute(sql);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_close(db);
    test_folder_remove(&folder);
    return 0;
}

static int64_t last_match(int team)
{
    struct stored_fixture fixture;
    struct err err;
    enum err_code code = football_store_last_match(db, team, &fixture, &err);
    assert_true(code == ERR_OK || code == ERR_NOT_FOUND);
    return code == ERR_OK ? fixture.id : 0;
}

static void the_last_match_is_the_one_known_last(void **state)
{
    (void)state;
    assert_int_equal(last_match(1), 0);
    add_match(1, 18000, 900, 1, 2, 1, 2);
    assert_int_equal(last_match(1), 1);
    assert_int_equal(last_match(2), 1);
    assert_int_equal(last_match(3), 0);
    add_match(2, 18007, 900, 3, 1, 1, 0); /* away */
    assert_int_equal(last_match(1), 2);
    add_match(3, 18014, 900, 1, 2, 0, -1); /* to come */
    add_match(4, 18013, 900, 1, 3, 2, -1); /* postponed */
    add_match(5, 18012, 900, 1, 4, 3, 1);  /* void */
    add_match(6, 18011, 900, 1, 5, 1, -1); /* played, and nobody knows how */
    assert_int_equal(last_match(1), 2);
    add_match(7, 18010, 1200, 1, 6, 1, 1);
    add_match(8, 18010, 780, 7, 1, 1, 1); /* the same day, earlier */
    assert_int_equal(last_match(1), 7);
    add_match(9, 18010, -1, 8, 1, 1, 1); /* the same day, and known at its end */
    assert_int_equal(last_match(1), 9);
}

static void meetings_are_found_at_either_ground(void **state)
{
    struct stored_fixture fixture;
    struct err err;
    (void)state;
    assert_int_equal(football_store_last_meeting(db, 1, 2, &fixture, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "meeting"));
    assert_int_equal(football_store_meeting(db, 1, 2, &fixture, &err), ERR_NOT_FOUND);
    add_match(1, 18000, 900, 1, 2, 1, 2);
    add_match(2, 18100, 900, 2, 1, 1, 2);
    add_match(3, 18200, 900, 1, 3, 1, 2);
    add_match(4, 18300, 900, 1, 2, 0, -1);
    assert_int_equal(football_store_last_meeting(db, 1, 2, &fixture, &err), ERR_OK);
    assert_int_equal(fixture.id, 2);
    assert_int_equal(football_store_last_meeting(db, 2, 1, &fixture, &err), ERR_OK);
    assert_int_equal(fixture.id, 2);
    /* of these sides at these grounds: the one to come, else the last */
    add_match(5, 18400, 900, 1, 2, 0, -1);
    assert_int_equal(football_store_meeting(db, 1, 2, &fixture, &err), ERR_OK);
    assert_int_equal(fixture.id, 4);
    assert_false(fixture.has_result);
    assert_int_equal(football_store_meeting(db, 2, 1, &fixture, &err), ERR_OK);
    assert_int_equal(fixture.id, 2);
    assert_true(fixture.has_result);
}

static void a_fixture_has_all_its_parts(void **state)
{
    struct stored_fixture fixture;
    struct err err;
    (void)state;
    add_match(12, 18000, 900, 3, 4, 0, -1);
    execute("UPDATE match SET is_neutral = 1 WHERE id = 12");
    assert_int_equal(football_store_fixture(db, 12, &fixture, &err), ERR_OK);
    assert_int_equal(fixture.id, 12);
    assert_int_equal(fixture.day, 18000);
    assert_true(fixture.kickoff_us == 18000 * TIME_DAY_US + 900 * TIME_MINUTE_US);
    assert_int_equal(fixture.home_id, 3);
    assert_int_equal(fixture.away_id, 4);
    assert_string_equal(fixture.league, "E0");
    assert_int_equal(fixture.season, 2020);
    assert_int_equal(fixture.state, 0);
    assert_true(fixture.time_known && fixture.is_neutral && !fixture.has_result);
    assert_int_equal(football_store_fixture(db, 13, &fixture, &err), ERR_NOT_FOUND);
}

/* Against the plain sentence "of all matches of the team the newest", over a random store; and its time, which must not
 * grow with the table. */
static void the_indexes_find_what_a_scan_finds(void **state)
{
    struct random random;
    struct stored_fixture fixture;
    struct query *query;
    struct err err;
    bool has_row;
    (void)state;
    random_init(&random, 5);
    execute("BEGIN");
    for (int id = 1; id <= 3000; id++) {
        int home = 1 + (int)random_below(&random, 40);
        add_match(id, 15000 + id, 900, home, 1 + home % 40, (int)random_below(&random, 4),
                  (int)random_below(&random, 5) - 1);
    }
    execute("COMMIT");
    for (int team = 1; team <= 40; team++) {
        assert_int_equal(
            db_query(db,
                     "SELECT max(day) FROM match WHERE (home_id = $1 OR away_id = $1) AND state = 1 AND "
                     "home_goals IS NOT NULL",
                     &query, &err),
            ERR_OK);
        query_bind_i64(query, 1, team);
        assert_int_equal(query_next(query, &has_row, &err), ERR_OK);
        int64_t day = query_i64(query, 0);
        query_reset(query);
        assert_int_equal(football_store_last_match(db, team, &fixture, &err), ERR_OK);
        assert_int_equal(fixture.day, day);
    }
    int64_t begin_us = clock_monotonic_us();
    for (int round = 0; round < 1000; round++)
        assert_int_equal(football_store_last_match(db, 1 + round % 40, &fixture, &err), ERR_OK);
    print_message("last match of a team: %.1f us\n", (double)(clock_monotonic_us() - begin_us) / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_match_is_the_one_known_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(meetings_are_found_at_either_ground, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fixture_has_all_its_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_indexes_find_what_a_scan_finds, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
