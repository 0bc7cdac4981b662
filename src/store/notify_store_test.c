/* The outbox: events come with what they tell of or not at all; deliveries wait until they are taken or given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/test_folder.h"
#include "store/notify_store.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct test_folder folder;
    struct store store;
    struct db *db;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    test_folder_create(&fixture.folder);
    *state = &fixture;
    int code = store_open(fixture.folder.path, DB_READ_WRITE, &fixture.store, NULL);
    fixture.db = fixture.store.db;
    return code;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    store_close(&fixture->store);
    test_folder_remove(&fixture->folder);
    return 0;
}

static void execute(struct fixture *fixture, const char *sql)
{
    struct err err = {0};

    if (db_execute(fixture->db, sql, &err) != ERR_OK)
        fail_msg("%s: %s", sql, err.text);
}

static void check_next(struct fixture *fixture, const char *event, const char *part)
{
    struct notification_row row;
    struct buffer text;

    enum err_code code = notify_store_next(fixture->db, &row, NULL);
    if (event == NULL) {
        assert_int_equal(code, ERR_NOT_FOUND);
        return;
    }
    assert_int_equal(code, ERR_OK);
    assert_string_equal(row.event, event);
    buffer_init(&text, 1 << 16);
    assert_int_equal(notify_store_data(fixture->db, row.id, &text, NULL), ERR_OK);
    if (strstr(buffer_text(&text), part) == NULL)
        fail_msg("no %s in %s", part, buffer_text(&text));
    assert_int_equal(notify_store_spread(fixture->db, row.id, buffer_text(&text), NULL, 0, 5, NULL), ERR_OK);
    assert_int_equal(notify_store_spread(fixture->db, row.id, "{}", NULL, 0, 5, NULL), ERR_CONFLICT);
    buffer_release(&text);
}

static const char one_version[] =
    "INSERT INTO version(version, subject, variant, bot, stage, trained_us, size_bytes, duration_ms, "
    "feature_set, row_count, details) VALUES ('aa', 'E0', '1x2', 'lightgbm', 'None', 1, 1, 1, 'x', 1, '{}')";

static void test_events_of_jobs(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture, "INSERT INTO job(task, request, state, created_us) VALUES "
                     "('train', '{\"league\":\"E0\"}', 'running', 1), ('import', '{}', 'running', 1), "
                     "('train', '{}', 'running', 1), ('train', '{}', 'running', 1)");
    execute(fixture, "UPDATE job SET phase = 'x'");
    check_next(fixture, NULL, NULL);
    execute(fixture, "UPDATE job SET state = 'succeeded', started_us = 0, ended_us = 3000000 WHERE id <= 2");
    check_next(fixture, "completed", "\"job_id\":1,\"task\":\"train\"");
    check_next(fixture, NULL, NULL); /* not of an import */
    execute(fixture, "UPDATE job SET state = 'failed', error = 'no data', ended_us = 9 WHERE id = 3");
    check_next(fixture, "failed", "\"error\":\"no data\"");
    execute(fixture, "UPDATE job SET state = 'stopped' WHERE id = 4");
    check_next(fixture, NULL, NULL);
}

/* What is rolled back did not happen. */
static void test_event_and_change_are_one(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture, one_version);
    assert_int_equal(db_begin(fixture->db, NULL), ERR_OK);
    execute(fixture, "INSERT INTO stage_history(version, at_us, to_stage, who, why) VALUES "
                     "('aa', 7, 'Production', 'me', 'x')");
    db_rollback(fixture->db);
    check_next(fixture, NULL, NULL);
    execute(fixture, "INSERT INTO stage_history(version, at_us, to_stage, who, why) VALUES "
                     "('aa', 7, 'Staging', 'me', 'x'), ('aa', 8, 'Production', 'me', 'better')");
    check_next(fixture, "promoted", "\"subject\":\"E0\",\"variant\":\"1x2\"");
    check_next(fixture, NULL, NULL);
}

static void check_drift(struct fixture *fixture, const char *version, bool is_alarm)
{
    char sql[512];

    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO drift_check(at_us, made_us, version, subject, variant, bot, psi_max, "
                   "is_alarm, text) VALUES (1, 2, '%s', 'E0', '1x2', 'lightgbm', 0.3, %d, '{}')",
                   version, is_alarm);
    execute(fixture, sql);
}

/* An alarm is told when it begins. */
static void test_drift(void **state)
{
    struct fixture *fixture = *state;

    check_drift(fixture, "aa", false);
    check_next(fixture, NULL, NULL);
    check_drift(fixture, "aa", true);
    check_next(fixture, "drift", "\"psi_max\":0.3");
    check_drift(fixture, "aa", true);
    check_next(fixture, NULL, NULL);
    check_drift(fixture, "bb", true);
    check_next(fixture, "drift", "\"version\":\"bb\"");
    check_drift(fixture, "aa", false);
    check_drift(fixture, "aa", true);
    check_next(fixture, "drift", "\"version\":\"aa\"");
}

static int64_t spread_to(struct fixture *fixture, int64_t webhook_id, int64_t now_us)
{
    struct delivery_order order = {.webhook_id = webhook_id, .target = "http://h/"};
    struct delivery_row rows[4];
    size_t count = 4;
    int64_t id;

    assert_int_equal(notify_store_add(fixture->db, "test", "{}", NULL, 0, now_us, &id, NULL), ERR_OK);
    assert_int_equal(notify_store_spread(fixture->db, id, "{\"p\":1}", &order, 1, now_us, NULL), ERR_OK);
    assert_int_equal(notify_store_deliveries(fixture->db, -1, 0, rows, &count, NULL), ERR_OK);
    return rows[0].id;
}

static void attempt(struct fixture *fixture, int64_t id, int64_t status, enum delivery_state next,
                    int64_t due_us)
{
    struct attempt_row row = {
        .delivery_id = id, .at_us = 100, .status = status, .took_ms = 3, .error = status == 200 ? "" : "no"};

    assert_int_equal(notify_store_attempt(fixture->db, &row, next, due_us, NULL), ERR_OK);
}

static size_t due_count(struct fixture *fixture, int64_t now_us)
{
    struct delivery_row rows[4];
    size_t count = 4;

    assert_int_equal(notify_store_due(fixture->db, now_us, rows, &count, NULL), ERR_OK);
    return count;
}

static void test_delivery(void **state)
{
    struct fixture *fixture = *state;
    struct delivery_row row;
    struct buffer text;
    int64_t id = spread_to(fixture, 1, 50);

    assert_int_equal(due_count(fixture, 49), 0);
    assert_int_equal(due_count(fixture, 50), 1);
    attempt(fixture, id, 500, DELIVERY_WAITING, 200);
    assert_int_equal(due_count(fixture, 199), 0);
    assert_int_equal(due_count(fixture, 200), 1);
    attempt(fixture, id, 0, DELIVERY_WAITING, 300);
    attempt(fixture, id, 200, DELIVERY_DELIVERED, 0);
    assert_int_equal(due_count(fixture, INT64_MAX), 0);
    assert_int_equal(notify_store_delivery(fixture->db, id, &row, NULL), ERR_OK);
    assert_true(row.state == DELIVERY_DELIVERED && row.attempts == 3 && row.status == 200 &&
                row.ended_us == 100);
    attempt(fixture, id, 500, DELIVERY_WAITING, 400); /* late news change nothing */
    assert_int_equal(notify_store_delivery(fixture->db, id, &row, NULL), ERR_OK);
    assert_int_equal(row.state, DELIVERY_DELIVERED);
    buffer_init(&text, 1 << 16);
    assert_int_equal(notify_store_attempts(fixture->db, id, &text, NULL), ERR_OK);
    assert_non_null(strstr(buffer_text(&text), "\"status\":500,\"error\":\"no\",\"took_ms\":3"));
    assert_non_null(strstr(buffer_text(&text), "\"status\":null,\"error\":\"no\""));
    assert_non_null(strstr(buffer_text(&text), "\"status\":200,\"error\":null"));
    buffer_clear(&text);
    assert_int_equal(notify_store_payload(fixture->db, row.notification_id, &text, NULL), ERR_OK);
    assert_string_equal(buffer_text(&text), "{\"p\":1}");
    assert_int_equal(notify_store_payload(fixture->db, 99, &text, NULL), ERR_NOT_FOUND);
    buffer_release(&text);
}

static void test_webhooks(void **state)
{
    struct fixture *fixture = *state;
    struct webhook_row row = {.url = "http://h/",
                              .secret = "s",
                              .events = "failed",
                              .note = "n",
                              .who = "me",
                              .created_us = 5},
                       found, rows[4];
    struct delivery_row delivery;
    size_t count = 4;
    int64_t id;

    for (int i = 0; i < NOTIFY_WEBHOOKS_MAX; i++)
        assert_int_equal(notify_store_add_webhook(fixture->db, &row, &id, NULL), ERR_OK);
    assert_int_equal(notify_store_add_webhook(fixture->db, &row, &(int64_t){0}, NULL), ERR_CONFLICT);
    assert_int_equal(notify_store_webhook(fixture->db, id, &found, NULL), ERR_OK);
    row.id = id;
    assert_memory_equal(&found, &row, sizeof row);
    assert_int_equal(notify_store_webhooks(fixture->db, rows, &count, NULL), ERR_OK);
    assert_true(count == 4 && rows[0].id == 1);
    int64_t waiting = spread_to(fixture, id, 50);
    assert_int_equal(notify_store_remove_webhook(fixture->db, id, 60, NULL), ERR_OK);
    assert_int_equal(notify_store_remove_webhook(fixture->db, id, 60, NULL), ERR_NOT_FOUND);
    assert_int_equal(notify_store_webhook(fixture->db, id, &found, NULL), ERR_NOT_FOUND);
    assert_int_equal(notify_store_delivery(fixture->db, waiting, &delivery, NULL), ERR_OK);
    assert_true(delivery.state == DELIVERY_GIVEN_UP && delivery.ended_us == 60);
}

static void test_forget(void **state)
{
    struct fixture *fixture = *state;
    struct delivery_row row;
    int64_t old = spread_to(fixture, 1, 50), waiting = spread_to(fixture, 1, 51),
            young = spread_to(fixture, 1, 90);

    attempt(fixture, old, 200, DELIVERY_DELIVERED, 0);
    attempt(fixture, young, 200, DELIVERY_DELIVERED, 0);
    assert_int_equal(notify_store_forget(fixture->db, 60, NULL), ERR_OK);
    assert_int_equal(notify_store_delivery(fixture->db, old, &row, NULL), ERR_NOT_FOUND);
    assert_int_equal(notify_store_delivery(fixture->db, waiting, &row, NULL), ERR_OK);
    assert_int_equal(notify_store_delivery(fixture->db, young, &row, NULL), ERR_OK);
}

static void test_states(void **state)
{
    (void)state;
    for (int i = 0; i < DELIVERY_STATE_COUNT; i++)
        assert_int_equal(delivery_state_find(delivery_state_name((enum delivery_state)i)), i);
    assert_int_equal(delivery_state_find("lost"), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_events_of_jobs),
        TEST(test_event_and_change_are_one),
        TEST(test_drift),
        TEST(test_delivery),
        TEST(test_webhooks),
        TEST(test_forget),
        cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests_name("notify store", tests, NULL, NULL);
}
