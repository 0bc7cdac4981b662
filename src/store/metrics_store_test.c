/* Metrics store: figures of hand-written rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/test_folder.h"
#include "store/metrics_store.h"

#include <math.h>
#include <string.h>

static struct db *db;
static struct test_folder folder;

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&folder);
    return db_open(test_folder_path(&folder, "almanac.db"), DB_READ_WRITE, &db, NULL) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    db_close(db);
    test_folder_remove(&folder);
    return 0;
}

static void execute(const char *sql)
{
    struct err err;
    if (db_execute(db, sql, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static void the_last_success_is_not_the_last_run(void **state)
{
    struct schedule_figures rows[4];
    size_t count = 4;
    struct err err;
    (void)state;
    assert_int_equal(metrics_store_schedule(db, rows, &count, &err), ERR_OK);
    assert_int_equal(count, 0);
    execute("INSERT INTO schedule(name, last_us, last_outcome, runs, failures) VALUES"
            "('retrain', 900, 'failed', 3, 1), ('clean_up', NULL, '', 0, 0);"
            "INSERT INTO schedule_run(name, due_us, started_us, ended_us, outcome) VALUES"
            "('retrain', 1, 10, 20, 'succeeded'), ('retrain', 2, 30, 40, 'succeeded'),"
            "('retrain', 3, 50, 60, 'failed'), ('retrain', 4, 70, NULL, 'running'),"
            "('other', 5, 80, 90, 'succeeded')");
    count = 4;
    assert_int_equal(metrics_store_schedule(db, rows, &count, &err), ERR_OK);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].name, "clean_up");
    assert_int_equal(rows[0].last_us, TIME_NONE);
    assert_int_equal(rows[0].last_success_us, TIME_NONE);
    assert_string_equal(rows[1].name, "retrain");
    assert_int_equal(rows[1].last_us, 900);
    assert_int_equal(rows[1].last_success_us, 40);
    assert_int_equal(rows[1].runs, 3);
    assert_int_equal(rows[1].failures, 1);
    count = 1; /* no more than there is room for */
    assert_int_equal(metrics_store_schedule(db, rows, &count, &err), ERR_OK);
    assert_int_equal(count, 1);
}

static void the_newest_look_counts(void **state)
{
    struct drift_figures figures;
    struct err err;
    (void)state;
    assert_int_equal(metrics_store_drift(db, "aa", &figures, &err), ERR_NOT_FOUND);
    execute("INSERT INTO drift_check(at_us, made_us, version, subject, variant, bot, psi_max, share_drifted, "
            "loss, "
            "page_hinkley, score, is_alarm, text) VALUES"
            "(20, 1, 'aa', 'E0', '1x2', 'x', 0.5, 0.25, 1.0, 7, 0.9, 1, '{}'),"
            "(10, 2, 'aa', 'E0', '1x2', 'x', 0.1, 0.0, 1.1, 1, 1.0, 0, '{}'),"
            "(30, 3, 'bb', 'E0', '1x2', 'x', NULL, 0.0, NULL, 1, 1.0, 0, '{}')");
    assert_int_equal(metrics_store_drift(db, "aa", &figures, &err), ERR_OK);
    assert_true(figures.psi_max == 0.5 && figures.share_drifted == 0.25 && figures.page_hinkley == 7);
    assert_true(figures.is_alarm);
    assert_int_equal(figures.at_us, 20);
    assert_int_equal(metrics_store_drift(db, "bb", &figures, &err), ERR_OK);
    assert_true(isnan(figures.psi_max) && isnan(figures.loss) && !figures.is_alarm);
}

static void deliveries_are_counted(void **state)
{
    struct delivery_figures rows[4];
    size_t count = 4;
    struct err err;
    (void)state;
    assert_int_equal(metrics_store_deliveries(db, rows, &count, &err), ERR_OK);
    assert_int_equal(count, 0);
    execute(
        "INSERT INTO notification(id, event, at_us) VALUES(1, 'test', 1);"
        "INSERT INTO delivery(notification_id, channel, webhook_id, target, state, due_us, created_us) VALUES"
        "(1, 'webhook', 1, 'a', 'delivered', 1, 1), (1, 'webhook', 1, 'b', 'delivered', 1, 1),"
        "(1, 'mail', 0, 'c', 'waiting', 1, 1)");
    count = 4;
    assert_int_equal(metrics_store_deliveries(db, rows, &count, &err), ERR_OK);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].channel, "mail");
    assert_string_equal(rows[1].state, "delivered");
    assert_int_equal(rows[1].count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_success_is_not_the_last_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_look_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliveries_are_counted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
