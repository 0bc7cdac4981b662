/* Jobs as rows: the queue's order, compare-and-set, recovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "os/test_folder.h"
#include "store/job_store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct fixture {
    struct test_folder folder;
    struct db *db;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    test_folder_create(&fixture.folder);
    *state = &fixture;
    return db_open(test_folder_path(&fixture.folder, "a.db"), DB_READ_WRITE, &fixture.db, NULL);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    db_close(fixture->db);
    test_folder_remove(&fixture->folder);
    return 0;
}

static int64_t add(struct db *db, const char *task)
{
    int64_t id = 0;

    struct job_order order = {.task = task, .request_json = "{\"a\":1}"};

    assert_int_equal(job_store_add(db, &order, 1000, &id, NULL, NULL), ERR_OK);
    return id;
}

static enum err_code start(struct db *db, int64_t id, int64_t pid, const char *process, int64_t now_us,
                           struct err *err)
{
    struct job_change change = {
        .id = id, .from = JOB_QUEUED, .to = JOB_RUNNING, .pid = pid, .process = process, .now_us = now_us};

    return job_store_change(db, &change, err);
}

static enum err_code progress(struct db *db, int64_t id, const char *phase, int64_t done, int64_t total,
                              struct err *err)
{
    struct job_row row = {
        .id = id, .progress_done = done, .progress_total = total, .eta_us = TIME_NONE, .loss = NAN};

    (void)snprintf(row.phase, sizeof row.phase, "%s", phase);
    return job_store_progress(db, &row, err);
}

static struct job_row get(struct db *db, int64_t id)
{
    struct job_row row;

    assert_int_equal(job_store_get(db, id, &row, NULL), ERR_OK);
    return row;
}

static void move(struct db *db, int64_t id, enum job_state from, enum job_state to)
{
    assert_int_equal(job_store_change(db,
                                      &(struct job_change){.id = id,
                                                           .from = from,
                                                           .to = to,
                                                           .pid = 0,
                                                           .error = NULL,
                                                           .result_json = NULL,
                                                           .now_us = 3000},
                                      NULL),
                     ERR_OK);
}

static void test_life(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    struct buffer text;
    int64_t id = add(db, "train"), next = 0;

    buffer_init(&text, 4096);
    struct job_row row = get(db, id);
    assert_string_equal(row.task, "train");
    assert_int_equal(row.state, JOB_QUEUED);
    assert_int_equal(row.created_us, 1000);
    assert_true(row.started_us == TIME_NONE && row.ended_us == TIME_NONE);
    assert_int_equal(row.pid, 0);
    assert_int_equal(row.attempt, 0);
    assert_int_equal(job_store_next(db, "default", 5000, &next, NULL), ERR_OK);
    assert_int_equal(next, id);

    assert_int_equal(start(db, id, 4711, "boot/1", 2000, NULL), ERR_OK);
    row = get(db, id);
    assert_int_equal(row.state, JOB_RUNNING);
    assert_int_equal(row.pid, 4711);
    assert_string_equal(row.process, "boot/1");
    assert_int_equal(row.attempt, 1);
    assert_int_equal(row.started_us, 2000);
    assert_int_equal(job_store_next(db, "default", 5000, &next, NULL), ERR_NOT_FOUND);
    assert_int_equal(progress(db, id, "building", 5, 10, NULL), ERR_OK);

    assert_int_equal(job_store_change(db,
                                      &(struct job_change){.id = id,
                                                           .from = JOB_RUNNING,
                                                           .to = JOB_SUCCEEDED,
                                                           .pid = 0,
                                                           .error = NULL,
                                                           .result_json = "{\"b\":2}",
                                                           .now_us = 3000},
                                      NULL),
                     ERR_OK);
    row = get(db, id);
    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_int_equal(row.pid, 0);
    assert_string_equal(row.process, "");
    assert_int_equal(row.ended_us, 3000);
    assert_int_equal(row.progress_done, 5);
    assert_int_equal(row.progress_total, 10);
    assert_string_equal(row.phase, "building");
    assert_int_equal(job_store_request(db, id, &text, NULL), ERR_OK);
    assert_string_equal(text.data, "{\"a\":1}");
    buffer_clear(&text);
    assert_int_equal(job_store_result(db, id, &text, NULL), ERR_OK);
    assert_string_equal(text.data, "{\"b\":2}");
    buffer_clear(&text);
    assert_int_equal(job_store_events(db, id, &text, NULL), ERR_OK);
    assert_string_equal(text.data, "[{\"at\":\"1970-01-01T00:00:00.001000Z\",\"from\":null,\"to\":\"queued\","
                                   "\"attempt\":0,\"who\":\"\",\"note\":\"\"},"
                                   "{\"at\":\"1970-01-01T00:00:00.002000Z\",\"from\":\"queued\",\"to\":"
                                   "\"running\",\"attempt\":1,\"who\":\"\",\"note\":\"\"},"
                                   "{\"at\":\"1970-01-01T00:00:00.003000Z\",\"from\":\"running\",\"to\":"
                                   "\"succeeded\",\"attempt\":1,\"who\":\"\",\"note\":\"\"}"
                                   "]");
    buffer_release(&text);
}

static void test_compare_and_set(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    struct err err = {0};
    int64_t id = add(db, "train");

    assert_int_equal(job_store_change(db,
                                      &(struct job_change){.id = id,
                                                           .from = JOB_RUNNING,
                                                           .to = JOB_SUCCEEDED,
                                                           .pid = 0,
                                                           .error = NULL,
                                                           .result_json = NULL,
                                                           .now_us = 1},
                                      &err),
                     ERR_CONFLICT);
    assert_string_equal(err.text, "job 1 is queued, not running");
    assert_int_equal(get(db, id).state, JOB_QUEUED);
    assert_int_equal(start(db, id, 1, "x", 1, NULL), ERR_OK);
    assert_int_equal(start(db, id, 2, "y", 1, &err), ERR_CONFLICT);
    assert_int_equal(get(db, id).pid, 1);
    assert_int_equal(get(db, id).attempt, 1);
    assert_int_equal(job_store_change(db,
                                      &(struct job_change){.id = 99,
                                                           .from = JOB_QUEUED,
                                                           .to = JOB_RUNNING,
                                                           .pid = 0,
                                                           .error = NULL,
                                                           .result_json = NULL,
                                                           .now_us = 1},
                                      &err),
                     ERR_NOT_FOUND);
    assert_int_equal(job_store_get(db, 99, &(struct job_row){0}, &err), ERR_NOT_FOUND);
    assert_int_equal(progress(db, 99, "", 0, 0, &err), ERR_NOT_FOUND);
    assert_int_equal(job_store_request(db, 99, &(struct buffer){0}, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "there is no job 99");
    db_rollback(db);
    assert_int_equal(add(db, "after"), 2); /* no transaction was left open */
}

/* Two connections, as two servers would: one of them wins. */
static void test_two_connections(void **state)
{
    struct fixture *fixture = *state;
    struct db *other;
    int64_t id = add(fixture->db, "train");

    assert_int_equal(db_open(test_folder_path(&fixture->folder, "a.db"), DB_READ_WRITE, &other, NULL),
                     ERR_OK);
    assert_int_equal(start(other, id, 1, "other", 1, NULL), ERR_OK);
    assert_int_equal(start(fixture->db, id, 2, "late", 1, NULL), ERR_CONFLICT);
    assert_string_equal(get(fixture->db, id).process, "other");
    db_close(other);
}

static void test_stopping_keeps_the_process(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    int64_t id = add(db, "train");

    assert_int_equal(start(db, id, 12, "boot/12", 1, NULL), ERR_OK);
    assert_int_equal(job_store_change(db,
                                      &(struct job_change){.id = id,
                                                           .from = JOB_RUNNING,
                                                           .to = JOB_STOPPING,
                                                           .pid = 12,
                                                           .error = NULL,
                                                           .result_json = NULL,
                                                           .now_us = 2},
                                      NULL),
                     ERR_OK);
    struct job_row row = get(db, id);
    assert_int_equal(row.pid, 12);
    assert_string_equal(row.process, "boot/12");
    assert_true(row.ended_us == TIME_NONE);
}

static void test_lists(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    struct job_row rows[4];
    size_t count = 4;

    for (int index = 0; index < 6; index++)
        (void)add(db, "train");
    assert_int_equal(job_store_list(db, 0, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 4);
    assert_int_equal(rows[0].id, 6);
    assert_int_equal(rows[3].id, 3);
    assert_int_equal(job_store_list(db, 3, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].id, 2);
    move(db, 2, JOB_QUEUED, JOB_RUNNING);
    move(db, 5, JOB_QUEUED, JOB_RUNNING);
    move(db, 5, JOB_RUNNING, JOB_STOPPING);
    count = 4;
    assert_int_equal(job_store_unfinished(db, 0, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].id, 2);
    assert_int_equal(rows[1].id, 5);
    assert_int_equal(job_store_unfinished(db, 5, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
}

/* How SQLite answers a question. The text is a literal, as db_query wants it. */
static void assert_plan(struct db *db, const char *explained, const char *index)
{
    struct query *query;
    bool has_row = false;

    assert_int_equal(db_query(db, explained, &query, NULL), ERR_OK);
    assert_int_equal(query_next(query, &has_row, NULL), ERR_OK);
    assert_true(has_row);
    if (strstr(query_text(query, 3), index) == NULL || strstr(query_text(query, 3), "SEARCH") == NULL)
        fail_msg("'%s' is answered by: %s", explained, query_text(query, 3));
    query_reset(query);
}

/* A long history or queue must not be walked: the conditions are those of job_store.c. */
static void test_indexes(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;

    assert_plan(db,
                "EXPLAIN QUERY PLAN SELECT min(not_before_us) FROM job WHERE state = 'queued' "
                "AND queue = $1 AND waits = 0 AND not_before_us > $2",
                "job_due");
    assert_plan(db,
                "EXPLAIN QUERY PLAN SELECT id FROM job WHERE ($1 = 0 OR id < $1) AND task = $2 "
                "ORDER BY id DESC LIMIT $3",
                "job_by_task");
    assert_plan(db,
                "EXPLAIN QUERY PLAN SELECT id FROM job WHERE ($1 = 0 OR id < $1) AND queue = $2 "
                "ORDER BY id DESC LIMIT $3",
                "job_by_queue");
}

static size_t find(struct db *db, struct job_filter filter, int64_t *out_first)
{
    struct job_row rows[16];
    size_t count = 16;

    assert_int_equal(job_store_find(db, &filter, rows, &count, NULL), ERR_OK);
    *out_first = count > 0 ? rows[0].id : 0;
    return count;
}

/* Every way to ask takes all members of the filter into account. */
static void test_find(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    struct job_order order = {.task = "a", .request_json = "{}", .queue = "training", .batch = "b1"};
    int64_t id, first;

    (void)add(db, "a");
    (void)add(db, "b");
    assert_int_equal(job_store_add(db, &order, 1000, &id, NULL, NULL), ERR_OK);
    (void)add(db, "a");
    move(db, 1, JOB_QUEUED, JOB_STOPPED);
    assert_int_equal(find(db, (struct job_filter){.state = -1}, &first), 4);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .task = "a"}, &first), 3);
    assert_int_equal(first, 4);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_STOPPED, .task = "a"}, &first), 1);
    assert_int_equal(first, 1);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_STOPPED, .queue = "training"}, &first), 0);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_STOPPED, .queue = "default"}, &first), 1);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_QUEUED, .queue = "default"}, &first), 2);
    assert_int_equal(find(db, (struct job_filter){.state = JOB_QUEUED, .before_id = 4}, &first), 2);
    assert_int_equal(first, 3);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .task = "a", .queue = "training"}, &first), 1);
    assert_int_equal(first, 3);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .batch = "b1", .task = "b"}, &first), 0);
    assert_int_equal(find(db, (struct job_filter){.state = -1, .batch = "b1"}, &first), 1);
}

/* As counting the list says. */
static void assert_counts(struct db *db)
{
    int64_t told[JOB_STATE_COUNT], counted[JOB_STATE_COUNT] = {0};
    struct job_row rows[64];
    size_t count = 64;

    assert_int_equal(job_store_list(db, 0, rows, &count, NULL), ERR_OK);
    for (size_t index = 0; index < count; index++)
        counted[rows[index].state]++;
    assert_int_equal(job_store_count(db, told, NULL), ERR_OK);
    assert_memory_equal(told, counted, sizeof told);
}

static void test_counts(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    int64_t ids[8];
    size_t count = 8;

    assert_counts(db);
    for (int index = 0; index < 6; index++)
        (void)add(db, "train");
    assert_counts(db);
    move(db, 1, JOB_QUEUED, JOB_RUNNING);
    move(db, 1, JOB_RUNNING, JOB_STOPPING);
    move(db, 1, JOB_STOPPING, JOB_STOPPED);
    move(db, 2, JOB_QUEUED, JOB_RUNNING);
    assert_int_equal(start(db, 2, 1, "", 1, NULL), ERR_CONFLICT); /* is rolled back, with the counts */
    assert_counts(db);
    move(db, 2, JOB_RUNNING, JOB_SUCCEEDED);
    assert_int_equal(job_store_recover(db, NULL, 9000, &count, NULL), ERR_OK);
    count = 8;
    assert_int_equal(job_store_forget(db, INT64_MAX, ids, &count, NULL), ERR_OK);
    assert_true(count > 0);
    assert_counts(db);
}

static void test_recover(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    size_t count = 0;
    int64_t next = 0;

    for (int index = 0; index < 5; index++)
        (void)add(db, "train");
    assert_int_equal(start(db, 1, 11, "p1", 1, NULL), ERR_OK);
    assert_int_equal(progress(db, 1, "half", 5, 10, NULL), ERR_OK);
    assert_int_equal(start(db, 2, 12, "p2", 1, NULL), ERR_OK);
    move(db, 2, JOB_RUNNING, JOB_STOPPING);
    assert_int_equal(start(db, 3, 13, "p3", 1, NULL), ERR_OK);
    assert_int_equal(job_store_change(db,
                                      &(struct job_change){.id = 3,
                                                           .from = JOB_RUNNING,
                                                           .to = JOB_FAILED,
                                                           .pid = 0,
                                                           .error = "broken",
                                                           .result_json = NULL,
                                                           .now_us = 4},
                                      NULL),
                     ERR_OK);
    assert_int_equal(job_store_recover(db, NULL, 9000, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);

    struct job_row row = get(db, 1);
    assert_int_equal(row.state, JOB_QUEUED);
    assert_int_equal(row.pid, 0);
    assert_string_equal(row.process, "");
    assert_int_equal(row.progress_done, 0);
    assert_int_equal(row.attempt, 1); /* one was made */
    assert_true(row.started_us == TIME_NONE && row.ended_us == TIME_NONE);
    row = get(db, 2);
    assert_int_equal(row.state, JOB_STOPPED);
    assert_int_equal(row.ended_us, 9000);
    row = get(db, 3);
    assert_int_equal(row.state, JOB_FAILED);
    assert_string_equal(row.error, "broken");
    assert_int_equal(job_store_next(db, "default", 5000, &next, NULL), ERR_OK);
    assert_int_equal(next, 1); /* in front of those that came after it */
    assert_int_equal(job_store_recover(db, NULL, 9000, &count, NULL), ERR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(start(db, 1, 14, "p4", 1, NULL), ERR_OK);
    assert_int_equal(get(db, 1).attempt, 2);
    assert_string_equal(get(db, 1).error, "");
}

static void test_long_texts_are_cut(void **state)
{
    struct db *db = ((struct fixture *)*state)->db;
    char text[2000];
    int64_t id = add(db, "train");

    memset(text, 'e', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(job_store_change(db,
                                      &(struct job_change){.id = id,
                                                           .from = JOB_QUEUED,
                                                           .to = JOB_FAILED,
                                                           .pid = 0,
                                                           .error = text,
                                                           .result_json = NULL,
                                                           .now_us = 1},
                                      NULL),
                     ERR_OK);
    assert_int_equal(strlen(get(db, id).error), JOB_TEXT_BYTES - 1);
}

static void test_read_only(void **state)
{
    struct fixture *fixture = *state;
    struct db *db;
    int64_t id = add(fixture->db, "train");

    assert_int_equal(db_open(test_folder_path(&fixture->folder, "a.db"), DB_READ_ONLY, &db, NULL), ERR_OK);
    assert_int_equal(get(db, id).state, JOB_QUEUED);
    assert_int_not_equal(start(db, id, 1, "x", 1, NULL), ERR_OK);
    db_close(db);
    assert_int_equal(get(fixture->db, id).state, JOB_QUEUED);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(job_state_name(JOB_STOPPING), "stopping");
    assert_false(job_state_is_final(JOB_QUEUED) || job_state_is_final(JOB_RUNNING) ||
                 job_state_is_final(JOB_STOPPING));
    assert_true(job_state_is_final(JOB_SUCCEEDED) && job_state_is_final(JOB_FAILED) &&
                job_state_is_final(JOB_STOPPED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compare_and_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopping_keeps_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_indexes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_find, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_texts_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("job store", tests, NULL, NULL);
}
