/* Tests of store/schedule_store.h and store/value_bet_store.h. */
#include "store/schedule_store.h"
#include "store/value_bet_store.h"

#include "base/text.h"
#include "base/time.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct db *db = NULL;
    assert_int_equal(db_open(":memory:", DB_READ_WRITE, &db, NULL), ERR_OK);
    *state = db;
    return 0;
}

static int tear_down(void **state)
{
    db_close(*state);
    return 0;
}

static void test_a_row_that_nobody_touched(void **state)
{
    struct schedule_row row;
    assert_int_equal(schedule_store_get(*state, "retrain", &row, NULL), ERR_NOT_FOUND);
    assert_string_equal(row.name, "retrain");
    assert_true(row.is_enabled && row.jitter_s == -1 && row.seen_us == TIME_NONE && row.last_us == TIME_NONE);
}

static void test_what_users_set_and_what_happens_do_not_meet(void **state)
{
    struct schedule_row row, user;
    assert_int_equal(schedule_store_get(*state, "retrain", &row, NULL), ERR_NOT_FOUND);
    user = row;
    user.is_enabled = false;
    user.jitter_s = 9;
    user.seen_us = 500;
    (void)text_copy(text_of("0 1 * * *"), user.cron, sizeof user.cron);
    assert_int_equal(schedule_store_set(*state, &user, NULL), ERR_OK);
    row.seen_us = 1000;
    row.runs = 3;
    row.last_us = 900;
    (void)text_copy(text_of("succeeded"), row.last_outcome, sizeof row.last_outcome);
    assert_int_equal(schedule_store_note(*state, &row, NULL, NULL), ERR_OK);
    user.seen_us = 700; /* of a process that did not see the run */
    assert_int_equal(schedule_store_set(*state, &user, NULL), ERR_OK);
    assert_int_equal(schedule_store_get(*state, "retrain", &row, NULL), ERR_OK);
    assert_false(row.is_enabled);
    assert_string_equal(row.cron, "0 1 * * *");
    assert_string_equal(row.time_zone, "");
    assert_string_equal(row.last_outcome, "succeeded");
    assert_true(row.jitter_s == 9 && row.seen_us == 1000 && row.runs == 3 && row.last_us == 900);
    assert_int_equal(row.last_duration_us, TIME_NONE);
}

static void test_runs(void **state)
{
    struct schedule_row row;
    struct schedule_run runs[4],
        run = {.due_us = 60, .job_id = 7, .started_us = 61, .ended_us = TIME_NONE, .outcome = "running"};
    size_t count = 4;
    assert_int_equal(schedule_store_get(*state, "retrain", &row, NULL), ERR_NOT_FOUND);
    assert_int_equal(schedule_store_note(*state, &row, &run, NULL), ERR_OK);
    struct schedule_run skipped = {.due_us = 120,
                                   .started_us = TIME_NONE,
                                   .ended_us = TIME_NONE,
                                   .outcome = "skipped",
                                   .note = "it ran"};
    assert_int_equal(schedule_store_note(*state, &row, &skipped, NULL), ERR_OK);
    (void)text_copy(text_of("failed"), run.outcome, sizeof run.outcome);
    run.ended_us = 99;
    run.due_us = 0; /* stays as it was */
    assert_int_equal(schedule_store_end(*state, &row, &run, NULL), ERR_OK);
    assert_int_equal(schedule_store_runs(*state, "retrain", runs, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_true(runs[0].due_us == 120 && runs[0].job_id == 0 && runs[0].started_us == TIME_NONE);
    assert_string_equal(runs[0].note, "it ran");
    assert_true(runs[1].due_us == 60 && runs[1].ended_us == 99);
    assert_string_equal(runs[1].outcome, "failed");
    count = 4;
    assert_int_equal(schedule_store_runs(*state, "other", runs, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
}

static void test_old_runs_are_forgotten(void **state)
{
    static struct schedule_run runs[2 * SCHEDULE_RUNS_KEPT];
    struct schedule_row row;
    size_t count = 2 * SCHEDULE_RUNS_KEPT;
    assert_int_equal(schedule_store_get(*state, "calibrate", &row, NULL), ERR_NOT_FOUND);
    for (int i = 0; i < 2 * SCHEDULE_RUNS_KEPT; i++) {
        struct schedule_run run = {.due_us = i, .outcome = "skipped"};
        assert_int_equal(schedule_store_note(*state, &row, &run, NULL), ERR_OK);
    }
    assert_int_equal(schedule_store_runs(*state, "calibrate", runs, &count, NULL), ERR_OK);
    assert_in_range(count, SCHEDULE_RUNS_KEPT, SCHEDULE_RUNS_KEPT + 64);
    assert_int_equal(runs[0].due_us, 2 * SCHEDULE_RUNS_KEPT - 1);
}

/* ---- value bets ---- */

#define DAY TIME_DAY_US
#define NOW (20000 * DAY)

static void add_matches(struct db *db)
{
    char sql[1024];
    const char *match =
        "INSERT INTO match(id, league, day, home_id, away_id, season, kickoff_us, time_known) VALUES ";
    assert_int_equal(
        db_execute(db, "INSERT INTO team VALUES (1, 'England', 'A', 'a'), (2, 'England', 'B', 'b')", NULL),
        ERR_OK);
    snprintf(sql, sizeof sql,
             "%s (1, 'E0', 19999, 1, 2, 2024, %lld, 1), (2, 'E0', 20000, 1, 2, 2024, %lld, 1), "
             "(3, 'E1', 20000, 1, 2, 2024, %lld, 0), (4, 'E0', 20003, 1, 2, 2024, %lld, 1)",
             match, (long long)(NOW - 3600000000), (long long)(NOW + 3600000000),
             (long long)(NOW - 3600000000), (long long)(NOW + 3 * DAY));
    assert_int_equal(db_execute(db, sql, NULL), ERR_OK);
}

static struct value_bet bet_of(int64_t match_id, const char *bookmaker, double edge)
{
    struct value_bet bet = {.match_id = match_id,
                            .target = "1x2",
                            .selection = "home",
                            .label = "pre_close",
                            .odds = 2.5,
                            .price_us = TIME_NONE,
                            .p = (1 + edge) / 2.5,
                            .market_p = NAN,
                            .edge = edge,
                            .min_edge = 0.042,
                            .flat = 1000,
                            .currency = "NGN",
                            .bot = "lightgbm",
                            .version = "abcd",
                            .found_us = NOW};
    (void)text_copy(text_of(bookmaker), bet.bookmaker, sizeof bet.bookmaker);
    return bet;
}

static size_t list(struct db *db, int64_t from_us, struct value_bet out[8])
{
    size_t count = 8;
    assert_int_equal(value_bet_store_list(db, from_us, out, &count, NULL), ERR_OK);
    return count;
}

static void test_upcoming(void **state)
{
    int64_t ids[8];
    size_t count = 8;
    add_matches(*state);
    assert_int_equal(value_bet_store_upcoming(*state, NOW, NOW + DAY, ids, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_true(ids[0] == 3 && ids[1] == 2); /* 3 is some time today */
    count = 8;
    assert_int_equal(value_bet_store_upcoming(*state, NOW, NOW + 4 * DAY, ids, &count, NULL), ERR_OK);
    assert_int_equal(count, 3);
    count = 1;
    assert_int_equal(value_bet_store_upcoming(*state, NOW, NOW + 4 * DAY, ids, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
}

static void test_a_scan_takes_the_place_of_the_last(void **state)
{
    struct value_bet out[8];
    struct value_bet first[] = {bet_of(1, "PS", 0.5), bet_of(2, "PS", 0.1), bet_of(2, "B365", 0.2),
                                bet_of(3, "PS", 0.05), bet_of(99, "PS", 0.9)}; /* no such match */
    struct value_bet second[] = {bet_of(2, "PS", 0.3)};
    add_matches(*state);
    assert_int_equal(value_bet_store_replace(*state, first, 5, "", "", NOW, NULL), ERR_OK);
    assert_int_equal(list(*state, NOW, out), 3);
    assert_true(out[0].edge == 0.2 && out[1].edge == 0.1 && out[2].edge == 0.05);
    assert_string_equal(out[0].home, "A");
    assert_string_equal(out[0].league, "E0");
    assert_true(isnan(out[0].market_p) && out[0].price_us == TIME_NONE && out[0].found_us == NOW);
    assert_int_equal(list(*state, 0, out), 4);
    /* of one bookmaker, of one league */
    assert_int_equal(value_bet_store_replace(*state, second, 1, "E0", "PS", NOW, NULL), ERR_OK);
    assert_int_equal(list(*state, NOW, out), 3);
    assert_true(out[0].edge == 0.3 && out[1].edge == 0.2 && out[2].edge == 0.05);
    assert_int_equal(value_bet_store_replace(*state, NULL, 0, "", "", NOW, NULL), ERR_OK);
    assert_int_equal(list(*state, NOW, out), 0);
    assert_int_equal(list(*state, 0, out), 1); /* of a match that has begun */
    int64_t count = 0;
    assert_int_equal(value_bet_store_forget(*state, NOW, NOW, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(value_bet_store_forget(*state, NOW + 1, NOW, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
}

static void test_the_time_of_a_price(void **state)
{
    int64_t at_us = 0;
    add_matches(*state);
    assert_int_equal(
        db_execute(*state,
                   "INSERT INTO import_file VALUES (1, 'a.csv', 'h', 1, 1, 1, 4444, NULL);"
                   "UPDATE match SET file_id = 1 WHERE id = 2;"
                   "INSERT INTO quote VALUES (1, '1x2', 'PS', 'pre_close'), (2, '1x2', 'PS', 'close'), "
                   "(3, '1x2', 'BbMx', 'pre_close');"
                   "INSERT INTO price(match_id, quote_id, price_1, captured_at) VALUES (2, 1, 2.5, NULL), "
                   "(2, 2, 2.5, 9999), (3, 1, 2.5, 5555), (2, 3, 2.6, NULL)",
                   NULL),
        ERR_OK);
    assert_int_equal(value_bet_store_price_time(*state, 2, "1x2", "PS", &at_us, NULL), ERR_OK);
    assert_int_equal(at_us, 4444);
    assert_int_equal(value_bet_store_price_time(*state, 3, "1x2", "PS", &at_us, NULL), ERR_OK);
    assert_int_equal(at_us, 5555);
    assert_int_equal(value_bet_store_price_time(*state, 2, "1x2", "Max", &at_us, NULL), ERR_OK);
    assert_int_equal(at_us, 4444);
    assert_int_equal(value_bet_store_price_time(*state, 2, "ou25", "PS", &at_us, NULL), ERR_OK);
    assert_int_equal(at_us, TIME_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_row_that_nobody_touched),
        TEST(test_what_users_set_and_what_happens_do_not_meet),
        TEST(test_runs),
        TEST(test_old_runs_are_forgotten),
        TEST(test_upcoming),
        TEST(test_a_scan_takes_the_place_of_the_last),
        TEST(test_the_time_of_a_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
