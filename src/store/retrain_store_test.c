/* What the watch keeps: limits by key, checks with the details of the newest only, decisions and the cooldown they begin, the
 * switch, refreshed calibrations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/test_folder.h"
#include "store/retrain_store.h"

#include <math.h>
#include <stdio.h>

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

static const struct watched_model all = {"", "", "", ""};

static void limits_belong_to_a_key(void **state)
{
    struct buffer text;
    (void)state;
    buffer_init(&text, 1000);
    assert_int_equal(retrain_store_put_limits(db, "v1", "k1", 1, "{\"a\":1}", NULL), ERR_OK);
    assert_int_equal(retrain_store_limits(db, "v1", "k1", &text, NULL), ERR_OK);
    assert_string_equal(buffer_text(&text), "{\"a\":1}");
    assert_int_equal(retrain_store_limits(db, "v1", "k2", &text, NULL), ERR_NOT_FOUND);
    assert_int_equal(retrain_store_put_limits(db, "v1", "k2", 2, "{}", NULL), ERR_OK);
    assert_int_equal(retrain_store_limits(db, "v1", "k1", &text, NULL), ERR_NOT_FOUND);
    buffer_release(&text);
}

static struct drift_check check_at(int64_t at_us, const char *version, const char *subject)
{
    struct drift_check check = {.at_us = at_us,
                                .made_us = at_us + 5,
                                .psi_max = 0.5,
                                .share_drifted = NAN,
                                .loss = 1,
                                .page_hinkley = 2,
                                .score = 0.9,
                                .is_alarm = at_us > 2};
    (void)snprintf(check.model.version, sizeof(check.model.version), "%s", version);
    (void)snprintf(check.model.subject, sizeof(check.model.subject), "%s", subject);
    (void)snprintf(check.model.variant, sizeof(check.model.variant), "1x2");
    (void)snprintf(check.model.bot, sizeof(check.model.bot), "lightgbm");
    return check;
}

static void put_check(int64_t at_us, const char *version, const char *subject, const char *text)
{
    struct drift_check check = check_at(at_us, version, subject);
    assert_int_equal(retrain_store_put_check(db, &check, text, NULL), ERR_OK);
}

static void checks_are_a_history(void **state)
{
    struct drift_check found[8];
    struct watched_model filter = {.subject = "E0"};
    struct buffer text;
    size_t count = 8;
    int64_t last_us;
    (void)state;
    buffer_init(&text, 1000);
    assert_int_equal(retrain_store_last_checked(db, &last_us, NULL), ERR_OK);
    assert_true(last_us == TIME_NONE);
    put_check(1, "v1", "E0", "one");
    put_check(3, "v1", "E0", "three");
    put_check(2, "v2", "D1", "two");
    put_check(3, "v1", "E0", "three again");
    assert_int_equal(retrain_store_checks(db, &filter, found, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_true(found[0].at_us == 1 && found[1].at_us == 3 && found[1].is_alarm && !found[0].is_alarm);
    assert_true(isnan(found[0].share_drifted) && found[0].score == 0.9);
    count = 1;
    assert_int_equal(retrain_store_checks(db, &all, found, &count, NULL), ERR_OK);
    assert_true(count == 1 && found[0].at_us == 3); /* the newest */
    assert_int_equal(retrain_store_last_check(db, "v1", &text, NULL), ERR_OK);
    assert_string_equal(buffer_text(&text), "three again");
    assert_int_equal(retrain_store_last_check(db, "v3", &text, NULL), ERR_NOT_FOUND);
    assert_int_equal(retrain_store_last_checked(db, &last_us, NULL), ERR_OK);
    assert_int_equal(last_us, 8);
    buffer_release(&text);
}

static void old_checks_are_forgotten(void **state)
{
    static struct drift_check found[CHECKS_KEPT + 10];
    size_t count = CHECKS_KEPT + 10;
    (void)state;
    assert_int_equal(db_begin(db, NULL), ERR_OK);
    for (int64_t i = 1; i <= CHECKS_KEPT + 5; i++)
        put_check(i, "v1", "E0", "");
    assert_int_equal(db_commit(db, NULL), ERR_OK);
    assert_int_equal(retrain_store_checks(db, &all, found, &count, NULL), ERR_OK);
    assert_int_equal(count, CHECKS_KEPT);
    assert_int_equal(found[0].at_us, 6);
}

static void put_event(int64_t at_us, const char *decision, const char *bot, const char *key)
{
    struct retraining_event event = {.at_us = at_us, .made_us = at_us, .cause = "drift", .reason = "because"};
    struct drift_check check = check_at(at_us, "v1", "E0");
    event.model = check.model;
    (void)snprintf(event.decision, sizeof(event.decision), "%s", decision);
    (void)snprintf(event.model.bot, sizeof(event.model.bot), "%s", bot);
    (void)snprintf(event.job_key, sizeof(event.job_key), "%s", key);
    assert_int_equal(retrain_store_put_event(db, &event, "{\"x\":2}", NULL), ERR_OK);
}

static void decisions_lead_to_their_jobs(void **state)
{
    struct retraining_event found[8];
    struct buffer text;
    size_t count = 8;
    int64_t last_us = 0;
    (void)state;
    buffer_init(&text, 1000);
    put_event(10, "train", "lightgbm", "key 1");
    put_event(20, "cooldown", "lightgbm", "");
    put_event(30, "train", "elo_logit", "key 2");
    assert_int_equal(
        db_execute(db,
                   "INSERT INTO job(id, task, request, state, created_us, key) VALUES (7, 'train', '{}', "
                   "'queued', 1, 'key 1')",
                   NULL),
        ERR_OK);
    assert_int_equal(retrain_store_events(db, &all, found, &count, NULL), ERR_OK);
    assert_int_equal(count, 3);
    assert_true(found[0].at_us == 30 && found[0].job_id == 0);
    assert_true(found[1].job_id == 0 && found[2].job_id == 7);
    assert_string_equal(found[2].reason, "because");
    assert_int_equal(retrain_store_event_details(db, found[2].id, &text, NULL), ERR_OK);
    assert_string_equal(buffer_text(&text), "{\"x\":2}");
    assert_int_equal(retrain_store_event_details(db, 4711, &text, NULL), ERR_NOT_FOUND);
    assert_int_equal(retrain_store_last_training(db, &found[2].model, 25, &last_us, NULL), ERR_OK);
    assert_int_equal(last_us, 10); /* a cooldown is no training, another bot another model */
    assert_int_equal(retrain_store_last_training(db, &found[2].model, 9, &last_us, NULL), ERR_OK);
    assert_true(last_us == TIME_NONE);
    buffer_release(&text);
}

static void it_is_on_until_somebody_stops_it(void **state)
{
    bool is_on = false;
    (void)state;
    assert_int_equal(retrain_store_is_on(db, &is_on, NULL), ERR_OK);
    assert_true(is_on);
    assert_int_equal(retrain_store_switch(db, false, "me", 1, NULL), ERR_OK);
    assert_int_equal(retrain_store_is_on(db, &is_on, NULL), ERR_OK);
    assert_false(is_on);
    assert_int_equal(retrain_store_switch(db, true, "me", 2, NULL), ERR_OK);
    assert_int_equal(retrain_store_is_on(db, &is_on, NULL), ERR_OK);
    assert_true(is_on);
}

static void the_newest_calibration_is_read(void **state)
{
    struct recalibration row = {
        .version = "v1", .made_us = 1, .matches = 20, .reason = "no", .loss_before = 1, .loss_after = 1.1};
    struct recalibration found;
    struct buffer layer;
    (void)state;
    buffer_init(&layer, 100);
    assert_int_equal(retrain_store_recalibration(db, "v1", &found, NULL, NULL), ERR_NOT_FOUND);
    assert_int_equal(retrain_store_put_recalibration(db, &row, NULL, 0, NULL), ERR_OK);
    row.made_us = 2;
    row.is_better = true;
    assert_int_equal(retrain_store_put_recalibration(db, &row, "\x01\xff", 2, NULL), ERR_OK);
    assert_int_equal(retrain_store_recalibration(db, "v1", &found, &layer, NULL), ERR_OK);
    assert_true(found.is_better && found.made_us == 2 && found.matches == 20 && found.loss_after == 1.1);
    assert_int_equal(layer.size_bytes, 2);
    assert_memory_equal(layer.data, "\x01\xff", 2);
    buffer_release(&layer);
}

static int64_t rows_of(const char *version)
{
    struct recalibration found;
    int64_t made_us = -1;
    if (retrain_store_recalibration(db, version, &found, NULL, NULL) == ERR_OK)
        made_us = found.made_us;
    return made_us;
}

static void old_calibrations_are_forgotten(void **state)
{
    struct recalibration row = {.version = "v1", .made_us = 1, .matches = 20, .reason = "no"};
    struct recalibration found;
    (void)state;
    assert_int_equal(retrain_store_put_recalibration(db, &row, NULL, 0, NULL), ERR_OK);
    row.matches = 30; /* the same moment again */
    assert_int_equal(retrain_store_put_recalibration(db, &row, NULL, 0, NULL), ERR_OK);
    assert_int_equal(retrain_store_recalibration(db, "v1", &found, NULL, NULL), ERR_OK);
    assert_true(found.matches == 30 && found.made_us == 1);
    row.made_us = 2 + RECALIBRATION_KEPT_DAYS * TIME_DAY_US;
    assert_int_equal(retrain_store_put_recalibration(db, &row, NULL, 0, NULL), ERR_OK);
    assert_int_equal(db_execute(db, "DELETE FROM recalibration WHERE made_us > 1", NULL), ERR_OK);
    assert_int_equal(rows_of("v1"), -1); /* the first had gone already */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(limits_belong_to_a_key, open_database, close_database),
        cmocka_unit_test_setup_teardown(checks_are_a_history, open_database, close_database),
        cmocka_unit_test_setup_teardown(old_checks_are_forgotten, open_database, close_database),
        cmocka_unit_test_setup_teardown(decisions_lead_to_their_jobs, open_database, close_database),
        cmocka_unit_test_setup_teardown(it_is_on_until_somebody_stops_it, open_database, close_database),
        cmocka_unit_test_setup_teardown(the_newest_calibration_is_read, open_database, close_database),
        cmocka_unit_test_setup_teardown(old_calibrations_are_forgotten, open_database, close_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
