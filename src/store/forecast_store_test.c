/* Forecasts: the newest is kept, a served one is never replaced by a replay, a settled one by nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/test_folder.h"
#include "store/forecast_store.h"

#include <math.h>

static struct test_folder folder;
static struct db *db;

static int open_database(void **state)
{
    (void)state;
    test_folder_create(&folder);
    return db_open(test_folder_path(&folder, "almanac.db"), DB_READ_WRITE, &db, NULL) == ERR_OK ? 0 : -1;
}

static int close_database(void **state)
{
    (void)state;
    db_close(db);
    test_folder_remove(&folder);
    return 0;
}

static struct stored_forecast forecast_of(int64_t match_id, double home, bool is_served)
{
    struct stored_forecast forecast = {.version = "0123456789abcdef",
                                       .subject = "E0",
                                       .target = "1x2",
                                       .match_id = match_id,
                                       .kickoff_us = match_id * 1000,
                                       .made_us = 5,
                                       .is_served = is_served,
                                       .classes = 3,
                                       .p = {home, 0.25, 0.75 - home},
                                       .settled_us = TIME_NONE,
                                       .outcome = -1,
                                       .loss = NAN};
    return forecast;
}

static void put(struct stored_forecast forecast)
{
    assert_int_equal(forecast_store_put(db, &forecast, NULL), ERR_OK);
}

static struct stored_forecast only(int64_t match_id)
{
    struct stored_forecast found[2];
    size_t count = 2;
    assert_int_equal(forecast_store_list(db, "0123456789abcdef", match_id * 1000, match_id * 1000 + 1, found,
                                         &count, NULL),
                     ERR_OK);
    assert_int_equal(count, 1);
    return found[0];
}

static void the_newest_is_kept(void **state)
{
    (void)state;
    put(forecast_of(1, 0.5, true));
    put(forecast_of(1, 0.4, true));
    struct stored_forecast kept = only(1);
    assert_true(kept.p[0] == 0.4 && kept.is_served && kept.classes == 3 && kept.settled_us == TIME_NONE);
    assert_true(kept.outcome == -1 && isnan(kept.loss));
    assert_string_equal(kept.target, "1x2");
}

static void a_replay_gives_way_and_never_takes_it(void **state)
{
    (void)state;
    put(forecast_of(1, 0.5, false));
    put(forecast_of(1, 0.4, true));
    assert_true(only(1).is_served);
    put(forecast_of(1, 0.3, false));
    assert_true(only(1).is_served && only(1).p[0] == 0.4);
}

static void what_is_settled_stays(void **state)
{
    (void)state;
    put(forecast_of(1, 0.5, true));
    assert_int_equal(forecast_store_settle(db, "0123456789abcdef", 1, 2, 1.5, 77, NULL), ERR_OK);
    put(forecast_of(1, 0.1, true));
    assert_int_equal(forecast_store_settle(db, "0123456789abcdef", 1, 0, 9, 99, NULL), ERR_OK);
    struct stored_forecast kept = only(1);
    assert_true(kept.p[0] == 0.5 && kept.outcome == 2 && kept.loss == 1.5 && kept.settled_us == 77);
    assert_int_equal(forecast_store_settle(db, "0123456789abcdef", 4711, 0, 1, 1, NULL), ERR_OK);
}

static void two_classes_come_back_as_two(void **state)
{
    struct stored_forecast forecast = forecast_of(3, 0.6, false);
    (void)state;
    forecast.classes = 2;
    forecast.settled_us = 9;
    forecast.outcome = 1;
    forecast.loss = 0.25;
    put(forecast);
    assert_int_equal(only(3).classes, 2);
    assert_true(only(3).loss == 0.25 && only(3).settled_us == 9 && !only(3).is_served);
}

static void open_ones_come_with_their_goals(void **state)
{
    struct stored_forecast found[4];
    int goals[4][2];
    size_t count = 4;
    (void)state;
    assert_int_equal(
        db_execute(db,
                   "INSERT INTO team(id, country, name, name_key) VALUES (1, 'x', 'a', 'a'), "
                   "(2, 'x', 'b', 'b');"
                   "INSERT INTO match(id, league, day, home_id, away_id, season, kickoff_us, "
                   "time_known, state, home_goals, away_goals) VALUES "
                   "(1, 'E0', 1, 1, 2, 1970, 1000, 1, 1, 3, 1), (2, 'E0', 2, 1, 2, 1970, 2000, 1, "
                   "0, NULL, NULL), (3, 'E0', 3, 1, 2, 1970, 3000, 1, 2, 1, 1)",
                   NULL),
        ERR_OK);
    for (int64_t id = 1; id <= 4; id++)
        put(forecast_of(id, 0.5, true));
    put(forecast_of(9, 0.5, true));
    assert_int_equal(forecast_store_open(db, 4001, found, goals, &count, NULL), ERR_OK);
    assert_int_equal(count, 4);
    assert_true(goals[0][0] == 3 && goals[0][1] == 1);
    assert_true(goals[1][0] == -1 && goals[2][0] == -1); /* not played; postponed */
    assert_true(goals[3][0] == -1);                      /* no such match any more */
    count = 1;
    assert_int_equal(forecast_store_open(db, 4001, found, goals, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
}

static void old_ones_are_pruned(void **state)
{
    int64_t removed = 0, total = 0, settled = 0;
    (void)state;
    for (int64_t id = 1; id <= 5; id++)
        put(forecast_of(id, 0.5, false));
    assert_int_equal(forecast_store_settle(db, "0123456789abcdef", 5, 0, 1, 1, NULL), ERR_OK);
    assert_int_equal(forecast_store_prune(db, 3000, &removed, NULL), ERR_OK);
    assert_int_equal(removed, 2);
    assert_int_equal(forecast_store_count(db, &total, &settled, NULL), ERR_OK);
    assert_true(total == 3 && settled == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_is_kept, open_database, close_database),
        cmocka_unit_test_setup_teardown(a_replay_gives_way_and_never_takes_it, open_database, close_database),
        cmocka_unit_test_setup_teardown(what_is_settled_stays, open_database, close_database),
        cmocka_unit_test_setup_teardown(two_classes_come_back_as_two, open_database, close_database),
        cmocka_unit_test_setup_teardown(open_ones_come_with_their_goals, open_database, close_database),
        cmocka_unit_test_setup_teardown(old_ones_are_pruned, open_database, close_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
