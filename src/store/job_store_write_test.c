/* New jobs and single changes: order of the queue, keys, dependencies, leases, retries, in simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limits.h"
#include "store/test_job_store.h"

#include <stdio.h>

#define S_US INT64_C(1000000)

static struct db *db_of(void **state)
{
    return ((struct test_jobs *)*state)->db;
}

static void test_order_of_the_queue(void **state)
{
    struct db *db = db_of(state);
    int64_t plain = test_jobs_add(db, (struct job_order){0});
    int64_t late = test_jobs_add(db, (struct job_order){.priority = 100, .not_before_us = 50 * S_US});
    int64_t urgent = test_jobs_add(db, (struct job_order){.priority = 5});
    int64_t urgent_too = test_jobs_add(db, (struct job_order){.priority = 5});
    int64_t last = test_jobs_add(db, (struct job_order){.priority = -100});
    int64_t training = test_jobs_add(db, (struct job_order){.queue = "training", .priority = 9});
    const int64_t expected[] = {urgent, urgent_too, plain, last};

    for (size_t index = 0; index < sizeof expected / sizeof *expected; index++) {
        int64_t next = test_jobs_next(db, "default", 49 * S_US);
        assert_int_equal(next, expected[index]);
        test_jobs_start(db, next, "a", 49 * S_US);
    }
    assert_int_equal(test_jobs_next(db, "default", 49 * S_US), 0);
    assert_int_equal(test_jobs_next(db, "default", 50 * S_US), late); /* due now */
    assert_int_equal(test_jobs_next(db, "training", 0), training);
    assert_int_equal(test_jobs_next(db, "nothing", 0), 0);
}

static void test_next_due(void **state)
{
    struct db *db = db_of(state);
    int64_t due_us;

    assert_int_equal(job_store_next_due(db, "default", 0, &due_us, NULL), ERR_OK);
    assert_true(due_us == TIME_NONE);
    (void)test_jobs_add(db, (struct job_order){.not_before_us = 90 * S_US});
    (void)test_jobs_add(db, (struct job_order){.not_before_us = 40 * S_US});
    (void)test_jobs_add(db, (struct job_order){.not_before_us = 30 * S_US, .queue = "training"});
    assert_int_equal(job_store_next_due(db, "default", S_US, &due_us, NULL), ERR_OK);
    assert_int_equal(due_us, 40 * S_US);
    assert_int_equal(job_store_next_due(db, "default", 40 * S_US, &due_us, NULL), ERR_OK);
    assert_int_equal(due_us, 90 * S_US);
    assert_int_equal(job_store_next_due(db, "default", 90 * S_US, &due_us, NULL), ERR_OK);
    assert_true(due_us == TIME_NONE);
}

static void test_members(void **state)
{
    struct db *db = db_of(state);
    struct job_order order = {.queue = "training",
                              .key = "k",
                              .who = "ann",
                              .batch = "b1",
                              .label = "E0 1x2",
                              .priority = -7,
                              .not_before_us = 5 * S_US,
                              .max_attempts = 3};
    struct job_row row = test_jobs_get(db, test_jobs_add(db, order));

    assert_string_equal(row.queue, "training");
    assert_string_equal(row.key, "k");
    assert_string_equal(row.who, "ann");
    assert_string_equal(row.batch, "b1");
    assert_string_equal(row.label, "E0 1x2");
    assert_int_equal(row.priority, -7);
    assert_int_equal(row.not_before_us, 5 * S_US);
    assert_int_equal(row.max_attempts, 3);
    row = test_jobs_get(db, test_jobs_add(db, (struct job_order){0}));
    assert_string_equal(row.queue, "default");
    assert_int_equal(row.max_attempts, 1);
    assert_true(row.not_before_us == TIME_NONE && row.eta_us == TIME_NONE);
    assert_true(row.loss != row.loss && row.best != row.best);
    assert_false(row.has_warning);
}

static void check_refused(struct db *db, struct job_order order, const char *field)
{
    struct err err = {0};
    int64_t id;

    if (order.task == NULL)
        order.task = "test";
    order.request_json = "{}";
    assert_int_equal(job_store_add(db, &order, 1, &id, NULL, &err), ERR_INVALID);
    assert_string_equal(err.field, field);
}

static void test_refused(void **state)
{
    struct db *db = db_of(state);
    char text[200];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    check_refused(db, (struct job_order){.task = ""}, "task");
    check_refused(db, (struct job_order){.task = text}, "task");
    check_refused(db, (struct job_order){.queue = text}, "queue");
    check_refused(db, (struct job_order){.key = text}, "key");
    check_refused(db, (struct job_order){.who = text}, "who");
    check_refused(db, (struct job_order){.batch = text}, "batch");
    check_refused(db, (struct job_order){.label = text}, "label");
    check_refused(db, (struct job_order){.priority = 101}, "priority");
    check_refused(db, (struct job_order){.priority = -101}, "priority");
    check_refused(db, (struct job_order){.max_attempts = -1}, "max_attempts");
    check_refused(db, (struct job_order){.max_attempts = 101}, "max_attempts");
    check_refused(db, (struct job_order){.after_count = 9}, "after");
    check_refused(db, (struct job_order){.after = {1}, .after_count = 1}, "after"); /* itself */
    check_refused(db, (struct job_order){.after = {77}, .after_count = 1}, "after");
    assert_int_equal(test_jobs_queue(db, "default").queued, 0); /* nothing of them was kept */
    assert_int_equal(test_jobs_add(db, (struct job_order){0}), 1);
}

static void test_keys(void **state)
{
    struct db *db = db_of(state);
    struct job_order order = {.task = "test", .request_json = "{\"a\":1,\"b\":2}", .key = "daily"};
    struct err err = {0};
    int64_t first, again;
    bool is_new;

    assert_int_equal(job_store_add(db, &order, 1, &first, &is_new, NULL), ERR_OK);
    assert_true(is_new);
    order.request_json = "{ \"b\": 2, \"a\": 1 }"; /* the same object */
    assert_int_equal(job_store_add(db, &order, 2, &again, &is_new, NULL), ERR_OK);
    assert_false(is_new);
    assert_int_equal(again, first);
    test_jobs_start(db, first, "a", 3);
    test_jobs_end(db, first, JOB_SUCCEEDED, 4);
    assert_int_equal(job_store_add(db, &order, 5, &again, NULL, NULL), ERR_OK); /* whatever its state */
    assert_int_equal(again, first);
    order.request_json = "{\"a\":2}";
    assert_int_equal(job_store_add(db, &order, 6, &again, &is_new, &err), ERR_CONFLICT);
    assert_string_equal(err.field, "key");
    order.request_json = "{\"a\":1,\"b\":2}";
    order.task = "other";
    assert_int_equal(job_store_add(db, &order, 6, &again, &is_new, &err), ERR_CONFLICT);
    assert_string_equal(err.text,
                        "the key 'daily' belongs to job 1, which is another task or has other options");
    order.key = "";
    assert_int_equal(job_store_add(db, &order, 6, &again, &is_new, NULL), ERR_OK); /* no key: always new */
    assert_true(is_new);
    assert_int_equal(job_store_add(db, &order, 6, &again, &is_new, NULL), ERR_OK);
    assert_true(is_new);
    assert_int_equal(again, first + 2);
}

static void test_many_are_all_or_none(void **state)
{
    struct db *db = db_of(state);
    struct job_order orders[3] = {{.task = "test", .request_json = "{}", .key = "one"},
                                  {.task = "test", .request_json = "{}", .key = "one"},
                                  {.task = "test", .request_json = "{}"}};
    int64_t ids[3], next = 0;
    bool is_new[3];

    assert_int_equal(job_store_add_many(db, orders, 3, 1, ids, is_new, NULL), ERR_OK);
    assert_true(is_new[0] && !is_new[1] && is_new[2]);
    assert_int_equal(ids[0], ids[1]);
    orders[0].key = "two";
    orders[2].priority = 1000;
    assert_int_equal(job_store_add_many(db, orders, 3, 1, ids, is_new, NULL), ERR_INVALID);
    assert_int_equal(test_jobs_queue(db, "default").queued, 2);
    assert_int_equal(job_store_next(db, "default", 1, &next, NULL), ERR_OK);
    assert_int_equal(next, 1);
}

/* ---- dependencies ---- */

static int64_t add_after(struct db *db, int64_t first, int64_t second)
{
    struct job_order order = {.after = {first, second}, .after_count = second == 0 ? 1 : 2};

    return test_jobs_add(db, order);
}

static void run(struct db *db, int64_t id, enum job_state to)
{
    test_jobs_start(db, id, "a", 2000);
    test_jobs_end(db, id, to, 3000);
}

static void test_waits_for_all(void **state)
{
    struct db *db = db_of(state);
    int64_t one = test_jobs_add(db, (struct job_order){0}), two = test_jobs_add(db, (struct job_order){0});
    int64_t both = add_after(db, one, two), after[JOB_AFTER_MAX];
    size_t count;

    assert_int_equal(test_jobs_get(db, both).waits, 2);
    assert_int_equal(job_store_after(db, both, after, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_true(after[0] == one && after[1] == two);
    run(db, one, JOB_SUCCEEDED);
    assert_int_equal(test_jobs_get(db, both).waits, 1);
    assert_int_equal(test_jobs_next(db, "default", 1), two);
    run(db, two, JOB_SUCCEEDED);
    assert_int_equal(test_jobs_next(db, "default", 1), both);
    int64_t late = add_after(db, one, two); /* they have succeeded before */
    assert_int_equal(test_jobs_get(db, late).waits, 0);
    assert_int_equal(test_jobs_get(db, add_after(db, one, one)).waits, 0);
    int64_t twice = add_after(db, both, both); /* named twice, counted once */
    assert_int_equal(test_jobs_get(db, twice).waits, 1);
    run(db, both, JOB_SUCCEEDED);
    assert_int_equal(test_jobs_get(db, twice).waits, 0);
}

static void test_a_lost_one_stops_those_behind(void **state)
{
    struct db *db = db_of(state);
    int64_t root = test_jobs_add(db, (struct job_order){0}), other = test_jobs_add(db, (struct job_order){0});
    int64_t child = add_after(db, root, 0), grandchild = add_after(db, child, other);
    int64_t aside = add_after(db, other, 0);

    run(db, root, JOB_FAILED);
    assert_int_equal(test_jobs_get(db, child).state, JOB_STOPPED);
    assert_string_equal(test_jobs_get(db, child).error, "job 1, which it waits for, has failed");
    assert_int_equal(test_jobs_get(db, grandchild).state, JOB_STOPPED);
    assert_string_equal(test_jobs_get(db, grandchild).error, "job 3, which it waits for, was stopped");
    assert_int_equal(test_jobs_get(db, aside).state, JOB_QUEUED);
    assert_int_equal(test_jobs_queue(db, "default").stopped, 2);
    int64_t late = add_after(db, root, 0);
    assert_int_equal(test_jobs_get(db, late).state, JOB_STOPPED); /* it cannot start any more */
    assert_string_equal(test_jobs_get(db, late).error, "job 1, which it waits for, did not succeed");
    run(db, other, JOB_SUCCEEDED);
    assert_int_equal(test_jobs_next(db, "default", 1), aside);
}

static void test_a_long_chain(void **state)
{
    struct db *db = db_of(state);
    int64_t first = test_jobs_add(db, (struct job_order){0}), last = first;

    for (int index = 0; index < 300; index++)
        last = add_after(db, last, 0);
    run(db, first, JOB_FAILED);
    assert_int_equal(test_jobs_get(db, last).state, JOB_STOPPED);
    assert_int_equal(test_jobs_queue(db, "default").stopped, 300);
    assert_int_equal(test_jobs_queue(db, "default").queued, 0);
}

/* ---- leases and retries ---- */

static void test_lease(void **state)
{
    struct db *db = db_of(state);
    struct err err = {0};
    int64_t id = test_jobs_add(db, (struct job_order){0});
    struct job_change end = {
        .id = id, .from = JOB_RUNNING, .to = JOB_SUCCEEDED, .result_json = "{}", .now_us = 9};

    test_jobs_start(db, id, "first", 2);
    assert_string_equal(test_jobs_get(db, id).lease, "first");
    end.lease = "second"; /* a life that does not have it */
    end.attempt = 1;
    assert_int_equal(job_store_change(db, &end, &err), ERR_CONFLICT);
    assert_string_equal(err.text, "job 1 belongs to another life of the server");
    end.lease = "first";
    end.attempt = 2; /* an attempt that it is not in */
    assert_int_equal(job_store_change(db, &end, &err), ERR_CONFLICT);
    assert_string_equal(err.text, "job 1 is in attempt 1, not 2");
    assert_int_equal(job_store_adopt(db, id, 2, "first", "second", 5, NULL), ERR_CONFLICT);
    assert_int_equal(job_store_adopt(db, id, 1, "other", "second", 5, NULL), ERR_CONFLICT);
    assert_int_equal(job_store_adopt(db, id, 1, "first", "second", 5, NULL), ERR_OK);
    end.attempt = 1;
    assert_int_equal(job_store_change(db, &end, &err), ERR_CONFLICT); /* the dead one comes late */
    end.lease = "second";
    assert_int_equal(job_store_change(db, &end, NULL), ERR_OK);
    assert_int_equal(job_store_change(db, &end, &err), ERR_CONFLICT);
    assert_string_equal(err.text, "job 1 is succeeded, not running");
}

static void test_recover_keeps_its_own(void **state)
{
    struct db *db = db_of(state);
    int64_t mine = test_jobs_add(db, (struct job_order){0}), lost = test_jobs_add(db, (struct job_order){0});
    size_t count;

    test_jobs_start(db, mine, "new", 2);
    test_jobs_start(db, lost, "old", 2);
    assert_int_equal(job_store_recover(db, "new", 3, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(test_jobs_get(db, mine).state, JOB_RUNNING);
    assert_int_equal(test_jobs_get(db, lost).state, JOB_QUEUED);
    assert_int_equal(test_jobs_get(db, lost).failures, 0); /* an interruption is no failure */
}

/* One that ends its server each time it runs must not do so for ever. */
static void test_lost_too_often(void **state)
{
    struct db *db = db_of(state);
    int64_t id = test_jobs_add(db, (struct job_order){0});
    int64_t waits = test_jobs_add(db, (struct job_order){.after = {id}, .after_count = 1});
    struct job_row row;
    size_t count;

    for (int life = 0; life < 2; life++) {
        for (int time = 0; time < LIMIT_JOB_TAKEOVERS; time++) {
            test_jobs_start(db, id, "old", 2);
            assert_int_equal(job_store_recover(db, "new", 3, &count, NULL), ERR_OK);
            row = test_jobs_get(db, id);
            assert_int_equal(row.state, JOB_QUEUED);
            assert_string_equal(row.error, "the server ended while the job ran");
        }
        test_jobs_start(db, id, "old", 2);
        assert_int_equal(job_store_recover(db, "new", 3, &count, NULL), ERR_OK);
        assert_int_equal(count, 1);
        row = test_jobs_get(db, id);
        assert_int_equal(row.state, JOB_FAILED);
        assert_int_equal(row.failures, 1);
        assert_non_null(strstr(row.error, "the server ended 6 times while the job ran"));
        assert_int_equal(test_jobs_get(db, waits).state, JOB_STOPPED);
        assert_int_equal(job_store_resume(db, id, "me", 4, NULL), ERR_OK); /* from here it counts anew */
    }
}

static void test_a_stopping_job_is_stopped_however_often(void **state)
{
    struct db *db = db_of(state);
    int64_t id = test_jobs_add(db, (struct job_order){0});
    size_t count;

    for (int time = 0; time < LIMIT_JOB_TAKEOVERS; time++) {
        test_jobs_start(db, id, "old", 2);
        assert_int_equal(job_store_recover(db, "new", 3, &count, NULL), ERR_OK);
    }
    test_jobs_start(db, id, "old", 2);
    struct job_change stop = {.id = id, .from = JOB_RUNNING, .to = JOB_STOPPING, .now_us = 3};
    assert_int_equal(job_store_change(db, &stop, NULL), ERR_OK);
    assert_int_equal(job_store_recover(db, "new", 3, &count, NULL), ERR_OK);
    assert_int_equal(test_jobs_get(db, id).state, JOB_STOPPED);
}

static void test_retry_waits_for_its_time(void **state)
{
    struct db *db = db_of(state);
    int64_t id = test_jobs_add(db, (struct job_order){.max_attempts = 3});
    struct job_change again = {.id = id,
                               .from = JOB_RUNNING,
                               .to = JOB_QUEUED,
                               .error = "busy",
                               .not_before_us = 100 * S_US,
                               .is_failure = true,
                               .now_us = 90 * S_US};

    test_jobs_start(db, id, "a", 80 * S_US);
    assert_int_equal(job_store_change(db, &again, NULL), ERR_OK);
    struct job_row row = test_jobs_get(db, id);
    assert_int_equal(row.failures, 1);
    assert_int_equal(row.attempt, 1);
    assert_int_equal(row.not_before_us, 100 * S_US);
    assert_string_equal(row.error, "busy");
    assert_int_equal(test_jobs_next(db, "default", 99 * S_US), 0);
    assert_int_equal(test_jobs_next(db, "default", 100 * S_US), id);
    test_jobs_start(db, id, "a", 100 * S_US);
    row = test_jobs_get(db, id);
    assert_int_equal(row.attempt, 2);
    assert_true(row.not_before_us == TIME_NONE);
    assert_string_equal(row.error, "");
}

/* ---- the counts of a queue ---- */

static void test_counts(void **state)
{
    struct db *db = db_of(state);

    for (int index = 0; index < 4; index++)
        (void)test_jobs_add(db, (struct job_order){0});
    run(db, 1, JOB_SUCCEEDED);
    run(db, 2, JOB_FAILED);
    test_jobs_start(db, 3, "a", 1);
    struct queue_row row = test_jobs_queue(db, "default");
    assert_int_equal(row.queued, 1);
    assert_int_equal(row.running, 1);
    assert_int_equal(row.completed, 1);
    assert_int_equal(row.failed, 1);
    assert_int_equal(row.usual_us, 1000);
    test_jobs_end(db, 3, JOB_SUCCEEDED, 5001);
    assert_int_equal(test_jobs_queue(db, "default").usual_us, (3 * 1000 + 5000) / 4);
    run(db, 4, JOB_STOPPED);
    row = test_jobs_queue(db, "default");
    assert_int_equal(row.queued + row.running, 0);
    assert_int_equal(row.completed, 2);
    assert_int_equal(row.stopped, 1);
    (void)test_jobs_add(db, (struct job_order){0}); /* the queue was empty: another batch */
    row = test_jobs_queue(db, "default");
    assert_int_equal(row.queued, 1);
    assert_int_equal(row.completed + row.failed + row.stopped, 0);
    assert_int_equal(test_jobs_queue(db, "training").queued, 0);
}

static void test_a_clock_set_back_tells_no_duration(void **state)
{
    struct db *db = db_of(state);
    int64_t first = test_jobs_add(db, (struct job_order){0}),
            second = test_jobs_add(db, (struct job_order){0});

    test_jobs_start(db, first, "a", 1);
    test_jobs_end(db, first, JOB_SUCCEEDED, 1001);
    test_jobs_start(db, second, "a", 900000);
    test_jobs_end(db, second, JOB_SUCCEEDED, 2000);
    assert_int_equal(test_jobs_queue(db, "default").usual_us, 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_jobs_set_up, test_jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_order_of_the_queue),
        TEST(test_next_due),
        TEST(test_members),
        TEST(test_refused),
        TEST(test_keys),
        TEST(test_many_are_all_or_none),
        TEST(test_waits_for_all),
        TEST(test_a_lost_one_stops_those_behind),
        TEST(test_a_long_chain),
        TEST(test_lease),
        TEST(test_recover_keeps_its_own),
        TEST(test_lost_too_often),
        TEST(test_a_stopping_job_is_stopped_however_often),
        TEST(test_retry_waits_for_its_time),
        TEST(test_counts),
        TEST(test_a_clock_set_back_tells_no_duration),
    };

    return cmocka_run_group_tests_name("job store, writing", tests, NULL, NULL);
}
