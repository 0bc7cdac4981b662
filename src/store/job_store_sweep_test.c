/* Many jobs at once: stopping a queue, resuming, priorities, news, finding, forgetting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/test_job_store.h"

static struct db *db_of(void **state)
{
    return ((struct test_jobs *)*state)->db;
}

static void run(struct db *db, int64_t id, enum job_state to, int64_t now_us)
{
    test_jobs_start(db, id, "a", now_us - 1);
    test_jobs_end(db, id, to, now_us);
}

static void test_stop_queued(void **state)
{
    struct db *db = db_of(state);
    struct buffer events;
    size_t count;

    for (int index = 0; index < 600; index++) /* more than a page */
        (void)test_jobs_add(db, (struct job_order){0});
    int64_t training = test_jobs_add(db, (struct job_order){.queue = "training"});
    int64_t waiting = test_jobs_add(
        db, (struct job_order){.queue = "training", .after = {2}, .after_count = 1}); /* goes with job 2 */
    test_jobs_start(db, 1, "a", 5);
    assert_int_equal(job_store_stop_queued(db, "default", "ann", "enough", 9000, &count, NULL), ERR_OK);
    assert_int_equal(count, 599);
    assert_int_equal(test_jobs_get(db, 1).state, JOB_RUNNING);
    assert_int_equal(test_jobs_get(db, 2).state, JOB_STOPPED);
    assert_string_equal(test_jobs_get(db, 600).error, "enough");
    assert_int_equal(test_jobs_get(db, training).state, JOB_QUEUED);
    assert_int_equal(test_jobs_get(db, waiting).state, JOB_STOPPED);
    assert_int_equal(test_jobs_queue(db, "default").queued, 0);
    assert_int_equal(test_jobs_queue(db, "default").stopped, 599);
    buffer_init(&events, 4096);
    assert_int_equal(job_store_events(db, 2, &events, NULL), ERR_OK);
    assert_non_null(
        strstr(buffer_text(&events), "\"to\":\"stopped\",\"attempt\":0,\"who\":\"ann\",\"note\":\"enough\""));
    buffer_release(&events);
    assert_int_equal(job_store_stop_queued(db, "default", "ann", "enough", 9000, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
}

/* Whoever changes the priority of a job again and again must not make its page endless. */
static void test_events_are_bounded(void **state)
{
    struct db *db = db_of(state);
    struct buffer events;
    json_t *list = NULL;
    int64_t id = test_jobs_add(db, (struct job_order){0});

    assert_int_equal(
        db_execute(db,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
                   "INSERT INTO job_event(job_id, at_us, from_state, to_state, attempt, note) "
                   "SELECT 1, i, 'queued', 'queued', 0, 'priority ' || i FROM n",
                   NULL),
        ERR_OK);
    buffer_init(&events, 16 << 20);
    assert_int_equal(job_store_events(db, id, &events, NULL), ERR_OK);
    assert_int_equal(json_read(events.data, events.size_bytes, &list, NULL), ERR_OK);
    assert_int_equal(json_array_size(list), JOB_EVENTS_MAX);
    const json_t *last = json_array_get(list, JOB_EVENTS_MAX - 1);
    assert_string_equal(json_string_value(json_object_get(last, "note")), "priority 5000");
    json_decref(list);
    buffer_release(&events);
}

static void test_resume(void **state)
{
    struct db *db = db_of(state);
    struct err err = {0};
    int64_t id = test_jobs_add(db, (struct job_order){.max_attempts = 2});
    int64_t behind = test_jobs_add(db, (struct job_order){.after = {id}, .after_count = 1});

    assert_int_equal(job_store_resume(db, id, "ann", 5, &err), ERR_CONFLICT);
    run(db, id, JOB_FAILED, 2000);
    assert_int_equal(test_jobs_get(db, behind).state, JOB_STOPPED);
    assert_int_equal(job_store_resume(db, behind, "ann", 5, &err), ERR_CONFLICT);
    assert_string_equal(err.text, "job 2 waits for job 1, which did not succeed; resume that first");
    assert_int_equal(job_store_resume(db, id, "ann", 5, NULL), ERR_OK);
    struct job_row row = test_jobs_get(db, id);
    assert_int_equal(row.state, JOB_QUEUED);
    assert_int_equal(row.failures, 0);
    assert_int_equal(row.attempt, 1); /* the next is the second */
    assert_true(row.ended_us == TIME_NONE);
    assert_string_equal(row.error, "");
    assert_int_equal(job_store_resume(db, behind, "ann", 5, NULL), ERR_OK);
    assert_int_equal(test_jobs_get(db, behind).waits, 1);
    assert_int_equal(test_jobs_next(db, "default", 9), id);
    run(db, id, JOB_SUCCEEDED, 3000);
    assert_int_equal(test_jobs_next(db, "default", 9), behind);
    assert_int_equal(job_store_resume(db, id, "ann", 5, &err), ERR_CONFLICT); /* it has succeeded */
    assert_int_equal(job_store_resume(db, 99, "ann", 5, &err), ERR_NOT_FOUND);
}

static void test_priority(void **state)
{
    struct db *db = db_of(state);
    int64_t one = test_jobs_add(db, (struct job_order){0}), two = test_jobs_add(db, (struct job_order){0});
    struct err err = {0};

    assert_int_equal(job_store_set_priority(db, two, 10, "ann", 5, NULL), ERR_OK);
    assert_int_equal(test_jobs_next(db, "default", 9), two);
    assert_int_equal(job_store_set_priority(db, two, 101, "ann", 5, &err), ERR_INVALID);
    assert_string_equal(err.field, "priority");
    test_jobs_start(db, one, "a", 6);
    assert_int_equal(job_store_set_priority(db, one, 10, "ann", 5, &err), ERR_CONFLICT);
    assert_int_equal(job_store_set_priority(db, 99, 10, "ann", 5, &err), ERR_NOT_FOUND);
}

static void test_news(void **state)
{
    struct db *db = db_of(state);
    int64_t event, ids[8];
    size_t count = 8;

    (void)test_jobs_add(db, (struct job_order){0});
    assert_int_equal(job_store_newest_event(db, &event, NULL), ERR_OK);
    assert_int_equal(event, 1);
    assert_int_equal(job_store_news(db, &event, ids, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
    (void)test_jobs_add(db, (struct job_order){.after = {1}, .after_count = 1});
    run(db, 1, JOB_FAILED, 2000); /* started, failed, and the other one stopped */
    count = 3;
    assert_int_equal(job_store_news(db, &event, ids, &count, NULL), ERR_OK);
    assert_int_equal(count, 3);
    assert_true(ids[0] == 2 && ids[1] == 1 && ids[2] == 1);
    count = 3;
    assert_int_equal(job_store_news(db, &event, ids, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(ids[0], 2);
}

static size_t find(struct db *db, struct job_filter filter, struct job_row *out)
{
    size_t count = 8;

    assert_int_equal(job_store_find(db, &filter, out, &count, NULL), ERR_OK);
    return count;
}

static void test_find(void **state)
{
    struct db *db = db_of(state);
    struct job_row rows[8];

    (void)test_jobs_add(db, (struct job_order){.task = "train", .queue = "training", .batch = "b"});
    (void)test_jobs_add(db, (struct job_order){.task = "train", .queue = "training", .batch = "b"});
    (void)test_jobs_add(db, (struct job_order){.task = "other"});
    run(db, 2, JOB_SUCCEEDED, 5);
    assert_int_equal(find(db, (struct job_filter){.state = -1}, rows), 3);
    assert_int_equal(rows[0].id, 3);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_QUEUED}, rows), 2);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_QUEUED, .queue = "training"}, rows), 1);
    assert_int_equal(rows[0].id, 1);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .batch = "b"}, rows), 2);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_SUCCEEDED, .batch = "b"}, rows), 1);
    assert_int_equal(rows[0].id, 2);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .task = "other"}, rows), 1);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .task = "train", .before_id = 2}, rows), 1);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .batch = ""}, rows), 0);
}

static size_t forget(struct db *db, int64_t before_us, int64_t ids[8])
{
    size_t count = 8;

    assert_int_equal(job_store_forget(db, before_us, ids, &count, NULL), ERR_OK);
    return count;
}

static void test_forget(void **state)
{
    struct db *db = db_of(state);
    int64_t ids[8];
    struct job_row row;

    for (int index = 0; index < 4; index++)
        (void)test_jobs_add(db, (struct job_order){.key = index == 0 ? "k" : NULL});
    run(db, 1, JOB_SUCCEEDED, 1500);
    run(db, 2, JOB_FAILED, 1600);
    run(db, 3, JOB_SUCCEEDED, 9000);
    (void)test_jobs_add(db, (struct job_order){.after = {1, 4}, .after_count = 2});
    assert_int_equal(forget(db, 5000, ids), 1); /* 1 is waited for (in part), 3 is too new, 4 has not ended */
    assert_int_equal(ids[0], 2);
    assert_int_equal(job_store_get(db, 2, &row, NULL), ERR_NOT_FOUND);
    run(db, 4, JOB_SUCCEEDED, 2000);
    run(db, 5, JOB_SUCCEEDED, 2500);
    assert_int_equal(forget(db, 5000, ids), 2);                     /* 1 and 4; 5 is the newest */
    int64_t id = test_jobs_add(db, (struct job_order){.key = "k"}); /* the key is free again */
    assert_int_equal(id, 6);
    assert_int_equal(forget(db, 5000, ids), 1);
    assert_int_equal(ids[0], 5);
}

/* Everything has ended long ago, and was told: what comes next must still be new. */
static void test_forgetting_gives_no_number_again(void **state)
{
    struct db *db = db_of(state);
    int64_t ids[8], event;
    size_t count = 8;

    for (int index = 0; index < 3; index++)
        (void)test_jobs_add(db, (struct job_order){0});
    run(db, 3, JOB_SUCCEEDED, 1500);
    run(db, 2, JOB_SUCCEEDED, 1600);
    run(db, 1, JOB_SUCCEEDED, 1700); /* changed last */
    assert_int_equal(job_store_newest_event(db, &event, NULL), ERR_OK);
    assert_int_equal(forget(db, 5000, ids), 1);
    assert_int_equal(ids[0], 2);
    assert_int_equal(test_jobs_add(db, (struct job_order){0}), 4);
    assert_int_equal(job_store_news(db, &event, ids, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(ids[0], 4);
}

static void test_queue_actions(void **state)
{
    struct db *db = db_of(state);
    struct buffer events;
    bool has_changed;

    assert_int_equal(queue_store_act(db, "training", QUEUE_PAUSE, "ann", NULL, 5000000, &has_changed, NULL),
                     ERR_OK);
    assert_true(has_changed);
    assert_int_equal(queue_store_act(db, "training", QUEUE_PAUSE, "bob", NULL, 6000000, &has_changed, NULL),
                     ERR_OK);
    assert_false(has_changed);
    struct queue_row row = test_jobs_queue(db, "training");
    assert_true(row.is_paused);
    assert_string_equal(row.paused_by, "ann");
    assert_int_equal(row.paused_us, 5000000);
    assert_false(test_jobs_queue(db, "default").is_paused);
    assert_int_equal(queue_store_act(db, "training", QUEUE_RESUME, "bob", NULL, 7000000, NULL, NULL), ERR_OK);
    row = test_jobs_queue(db, "training");
    assert_true(!row.is_paused && row.paused_us == TIME_NONE && row.paused_by[0] == '\0');
    assert_int_equal(queue_store_act(db, "training", QUEUE_FORCE_STOP, "eve", "3 jobs", 8000000, NULL, NULL),
                     ERR_OK);
    buffer_init(&events, 4096);
    assert_int_equal(queue_store_events(db, "training", 2, &events, NULL), ERR_OK);
    assert_string_equal(
        buffer_text(&events),
        "[{\"at\":\"1970-01-01T00:00:08Z\",\"action\":\"force-stop\",\"who\":\"eve\",\"note\":\"3 "
        "jobs\"},{\"at\":\"1970-01-01T00:00:07Z\",\"action\":\"resume\",\"who\":\"bob\",\"note\":"
        "\"\"}]");
    buffer_release(&events);
    assert_int_equal(queue_store_get(db, "nothing", &row, NULL), ERR_NOT_FOUND);
}

/* A count that was lost with a power cut is found again. */
static void test_open_counts_anew(void **state)
{
    struct db *db = db_of(state);

    (void)test_jobs_add(db, (struct job_order){0});
    test_jobs_start(db, test_jobs_add(db, (struct job_order){0}), "a", 2);
    assert_int_equal(db_execute(db, "UPDATE queue SET queued = 17, running = -2", NULL), ERR_OK);
    assert_int_equal(queue_store_open(db, "default", NULL), ERR_OK);
    assert_int_equal(test_jobs_queue(db, "default").queued, 1);
    assert_int_equal(test_jobs_queue(db, "default").running, 1);
    assert_int_equal(queue_store_open(db, "another", NULL), ERR_OK);
    assert_int_equal(test_jobs_queue(db, "another").queued, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_jobs_set_up, test_jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_stop_queued),   TEST(test_events_are_bounded),
        TEST(test_resume),        TEST(test_priority),
        TEST(test_news),          TEST(test_find),
        TEST(test_forget),        TEST(test_forgetting_gives_no_number_again),
        TEST(test_queue_actions), TEST(test_open_counts_anew),
    };

    return cmocka_run_group_tests_name("job store, sweeping", tests, NULL, NULL);
}
