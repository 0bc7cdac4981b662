/* The queues with real children, in simulated time where time matters: order, controls, retries, limits, what a completed run
 * leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/time.h"
#include "job/job_folder.h"
#include "job/test_supervisor.h"

#include <sys/resource.h>

#define S_US INT64_C(1000000)

static int set_up(void **state)
{
    static struct test_server server;

    server = (struct test_server){.parallel = 1, .grace_ms = 300, .retry_ms = 60000};
    test_folder_create(&server.folder);
    test_server_open(&server);
    assert_int_equal(test_server_start(&server, NULL), ERR_OK);
    *state = &server;
    return 0;
}

static int tear_down(void **state)
{
    struct test_server *server = *state;

    test_server_close(server);
    test_folder_remove(&server->folder);
    return 0;
}

static struct job_row submit(struct test_server *server, const char *play, struct job_order order)
{
    char options[512];
    struct job_row row;
    struct err err = {0};

    (void)snprintf(options, sizeof options,
                   "{\"play\":\"%s\",\"count\":100000,\"period_ms\":5,\"path\":\"%.400s\"}", play,
                   test_folder_path(&server->folder, "mark"));
    order.task = "test";
    order.request_json = options;
    if (supervisor_submit(server->supervisor, &order, &row, NULL, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return row;
}

static struct queue_status control(struct test_server *server, enum queue_action action)
{
    struct queue_status status;

    assert_int_equal(supervisor_control(server->supervisor, "default", action, "ann", &status, NULL), ERR_OK);
    return status;
}

static struct queue_status status_of(struct test_server *server)
{
    struct queue_status status;

    assert_int_equal(supervisor_queue_status(server->supervisor, "default", &status, NULL), ERR_OK);
    return status;
}

static bool has_warning(struct test_server *server, int64_t id)
{
    return test_job(server, id).has_warning;
}

static bool is_second_failure(struct test_server *server, int64_t id)
{
    return test_job(server, id).failures == 2;
}

static bool is_first_failure(struct test_server *server, int64_t id)
{
    return test_job(server, id).failures == 1;
}

static bool is_removed(struct test_server *server, int64_t id)
{
    char folder[FILE_PATH_BYTES];

    return job_folder_path(server->store.folder, id, folder, NULL) == ERR_OK && !file_exists(folder);
}

static bool has_succeeded(struct test_server *server, int64_t id)
{
    return test_job(server, id).state == JOB_SUCCEEDED;
}

/* What the machine refuses to the first job of one queue is no reason for the others. */
static void test_a_stuck_queue_holds_up_no_other(void **state)
{
    struct test_server *server = *state;
    char folder[FILE_PATH_BYTES];

    assert_int_equal(job_folder_path(server->store.folder, 1, folder, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(folder, "", 0, NULL), ERR_OK); /* where the job's folder should be */
    int64_t stuck = submit(server, "succeed", (struct job_order){.queue = "default"}).id;
    int64_t other = submit(server, "succeed", (struct job_order){.queue = "training"}).id;
    assert_int_equal(stuck, 1);
    assert_true(test_wait_for(server, has_succeeded, other, TEST_WAIT_MS));
    assert_int_equal(test_job(server, stuck).state, JOB_QUEUED);
    assert_int_equal(file_remove(folder, NULL), ERR_OK);
    assert_true(test_wait_for(server, has_succeeded, stuck, TEST_WAIT_MS));
}

/* ---- time ---- */

static void test_time_limits(void **state)
{
    struct test_server *server = *state;
    int64_t id = submit(server, "ignore_term", (struct job_order){.max_attempts = 5}).id;

    assert_true(test_wait_for(server, test_log_is_ready, id, TEST_WAIT_MS));
    server->ahead_us += 2900 * S_US;
    assert_false(test_wait_for(server, has_warning, id, 600));
    server->ahead_us += 101 * S_US;
    assert_true(test_wait_for(server, has_warning, id, TEST_WAIT_MS));
    assert_int_equal(test_job(server, id).state, JOB_RUNNING);
    assert_true(test_log_has(server, id, "warning: it runs for 30"));
    assert_true(test_log_has(server, id, " s; it will be ended at 3600 s\n"));
    server->ahead_us += 600 * S_US;
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    struct job_row row = test_job(server, id);
    assert_int_equal(row.state, JOB_FAILED); /* not tried again: it would take as long */
    assert_string_equal(row.error, "it ran longer than 3600 s (job_time_s) and was ended");
    assert_int_equal(row.attempt, 1);
    assert_true(row.has_warning);
    assert_int_equal(server->finish_count, 0);
}

static void test_retries_back_off(void **state)
{
    struct test_server *server = *state;
    int64_t id = submit(server, "fail_busy", (struct job_order){.max_attempts = 3}).id;

    assert_true(test_wait_for(server, is_first_failure, id, TEST_WAIT_MS));
    struct job_row row = test_job(server, id);
    assert_int_equal(row.state, JOB_QUEUED);
    assert_string_equal(row.error, "somebody else has it");
    int64_t due_us = row.not_before_us;
    assert_in_range(due_us, test_now_us(server) + 5 * S_US, test_now_us(server) + 60 * S_US);
    assert_false(test_wait_for(server, is_second_failure, id, 1200)); /* its time has not come */
    assert_true(test_log_has(server, id, "failed, tried again in 60.0 s: somebody else has it\n"));
    server->ahead_us += 60 * S_US;
    assert_true(test_wait_for(server, is_second_failure, id, TEST_WAIT_MS));
    row = test_job(server, id);
    assert_int_equal(row.attempt, 2);
    assert_true(row.not_before_us >= due_us + 120 * S_US); /* twice as long */
    server->ahead_us += 120 * S_US;
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    row = test_job(server, id);
    assert_int_equal(row.state, JOB_FAILED);
    assert_int_equal(row.attempt, 3);
    assert_true(row.not_before_us == TIME_NONE);
}

static void test_a_killed_worker_is_tried_again(void **state)
{
    struct test_server *server = *state;
    struct job_row row = submit(server, "once", (struct job_order){.max_attempts = 2});

    while (!file_exists(test_folder_path(&server->folder, "mark")))
        test_sleep_ms(2);
    assert_int_equal(kill((pid_t)row.pid, SIGKILL), 0);
    assert_true(test_wait_for(server, is_first_failure, row.id, TEST_WAIT_MS));
    server->ahead_us += 61 * S_US;
    assert_true(test_wait_for(server, test_has_ended, row.id, TEST_WAIT_MS));
    row = test_job(server, row.id);
    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_int_equal(row.attempt, 2);
}

static void test_not_before(void **state)
{
    struct test_server *server = *state;
    int64_t due_us = test_now_us(server) + 3600 * S_US;
    int64_t id = submit(server, "succeed", (struct job_order){.not_before_us = due_us}).id;

    assert_int_equal(test_job(server, id).state, JOB_QUEUED);
    assert_false(test_wait_for(server, test_has_ended, id, 300));
    server->ahead_us += 3600 * S_US;
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    assert_true(test_job(server, id).started_us >= due_us);
}

/* ---- control ---- */

static void test_pause(void **state)
{
    struct test_server *server = *state;
    int64_t running = submit(server, "steps", (struct job_order){0}).id;
    int64_t waiting = submit(server, "succeed", (struct job_order){0}).id;
    struct queue_status status = control(server, QUEUE_PAUSE);
    struct job_row row;

    assert_true(status.is_paused && status.is_running && !status.is_stopping);
    assert_int_equal(status.current, running);
    assert_string_equal(status.paused_by, "ann");
    assert_int_equal(status.queued, 1);
    assert_true(status.eta_us == TIME_NONE);
    assert_int_equal(test_job(server, running).state, JOB_RUNNING); /* it may finish */
    assert_int_equal(supervisor_stop_job(server->supervisor, running, "bob", &row, NULL), ERR_OK);
    assert_true(test_wait_for(server, test_has_ended, running, TEST_WAIT_MS));
    assert_false(test_wait_for(server, test_has_ended, waiting, 300));
    supervisor_destroy(server->supervisor); /* another life */
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_false(test_wait_for(server, test_has_ended, waiting, 300));
    assert_true(status_of(server).is_paused);
    assert_false(control(server, QUEUE_RESUME).is_paused);
    assert_true(test_wait_for(server, test_has_ended, waiting, TEST_WAIT_MS));
}

static bool is_not_running(struct test_server *server, int64_t value)
{
    (void)value;
    return !status_of(server).is_running;
}

static void test_stop_and_force_stop(void **state)
{
    struct test_server *server = *state;
    int64_t running = submit(server, "ignore_term", (struct job_order){0}).id;
    int64_t waiting = submit(server, "succeed", (struct job_order){0}).id;
    int64_t behind = submit(server, "succeed", (struct job_order){.after = {waiting}, .after_count = 1}).id;

    assert_true(test_wait_for(server, test_log_is_ready, running, TEST_WAIT_MS));
    struct queue_status status = control(server, QUEUE_STOP);
    assert_true(status.is_running && status.is_stopping);
    assert_int_equal(status.queued, 0);
    assert_int_equal(status.stopped, 2);
    assert_int_equal(test_job(server, running).state, JOB_RUNNING); /* it may finish */
    assert_int_equal(test_job(server, waiting).state, JOB_STOPPED);
    assert_int_equal(test_job(server, behind).state, JOB_STOPPED);
    pid_t pid = (pid_t)test_job(server, running).pid;
    status = control(server, QUEUE_FORCE_STOP);
    assert_true(status.is_stopping && status.is_running);
    assert_int_equal(test_job(server, running).state, JOB_STOPPING);
    assert_int_equal(kill(pid, 0), 0);
    assert_true(test_wait_for(server, is_not_running, 0, TEST_WAIT_MS));
    assert_int_equal(test_job(server, running).state, JOB_STOPPED);
    assert_true(process_group_is_gone(pid));
    status = status_of(server);
    assert_false(status.is_stopping);
    assert_int_equal(status.stopped, 3);
    assert_int_equal(supervisor_control(server->supervisor, "fast", QUEUE_PAUSE, "ann", &status, NULL),
                     ERR_NOT_FOUND);
}

static size_t told(const struct test_server *server, int64_t id, enum job_state state)
{
    size_t count = 0;

    for (size_t index = 0; index < server->change_count; index++)
        count += server->changes[index].id == id && server->changes[index].state == state;
    return count;
}

static void count_end(void *context, enum job_state state)
{
    assert_int_equal(state, JOB_STOPPED);
    ++*(size_t *)context;
}

static void no_line(void *context, int64_t next_offset, const char *text, size_t size_bytes)
{
    (void)context;
    (void)next_offset;
    (void)text;
    (void)size_bytes;
}

/* A job that never ran is told to have ended, to those who watch the jobs and to those who follow its log. */
static void test_what_follows_is_told(void **state)
{
    struct test_server *server = *state;
    size_t ends = 0;

    (void)control(server, QUEUE_PAUSE);
    int64_t first = submit(server, "fail", (struct job_order){0}).id;
    int64_t behind = submit(server, "succeed", (struct job_order){.after = {first}, .after_count = 1}).id;
    struct log_subscriber *subscriber;
    assert_int_equal(
        supervisor_subscribe(server->supervisor, behind, 0, no_line, count_end, &ends, &subscriber, NULL),
        ERR_OK);
    (void)control(server, QUEUE_RESUME);
    assert_true(test_wait_for(server, test_has_ended, behind, TEST_WAIT_MS));
    assert_false(test_wait_for(server, test_never, 0, 50));
    assert_int_equal(told(server, first, JOB_FAILED), 1);
    assert_int_equal(told(server, behind, JOB_STOPPED), 1);
    assert_int_equal(ends, 1);
}

static void test_resume(void **state)
{
    struct test_server *server = *state;
    struct job_row row = submit(server, "once", (struct job_order){0});
    char folder[FILE_PATH_BYTES];

    while (!file_exists(test_folder_path(&server->folder, "mark")))
        test_sleep_ms(2);
    assert_int_equal(job_folder_path(server->store.folder, row.id, folder, NULL), ERR_OK);
    assert_int_equal(supervisor_force_stop_job(server->supervisor, row.id, "ann", &row, NULL), ERR_OK);
    assert_int_equal(supervisor_force_stop_job(server->supervisor, row.id, "ann", &row, NULL),
                     ERR_OK); /* KILL */
    assert_true(test_wait_for(server, test_has_ended, row.id, TEST_WAIT_MS));
    assert_int_equal(test_job(server, row.id).state, JOB_STOPPED);
    assert_true(file_exists(folder)); /* the checkpoints */
    assert_int_equal(supervisor_resume_job(server->supervisor, row.id, "bob", &row, NULL), ERR_OK);
    assert_int_equal(row.state, JOB_RUNNING); /* there was room */
    assert_true(test_wait_for(server, test_has_ended, row.id, TEST_WAIT_MS));
    row = test_job(server, row.id);
    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_int_equal(row.attempt, 2);
    assert_true(test_wait_for(server, is_removed, row.id, TEST_WAIT_MS)); /* once the row is on the disk */
}

/* ---- completed runs ---- */

/* A server that died between the end of a worker and the row: the run counts. */
static void leave_completed(struct test_server *server, int64_t id, int64_t result_attempt)
{
    char path[FILE_PATH_BYTES];
    struct job_change change = {.id = id,
                                .from = JOB_QUEUED,
                                .to = JOB_RUNNING,
                                .lease = "of the dead",
                                .pid = 1,
                                .process = "00000000/1",
                                .now_us = clock_now_us()};

    assert_int_equal(job_store_change(server->store.db, &change, NULL), ERR_OK);
    assert_int_equal(job_folder_make(&server->store, id, NULL), ERR_OK);
    assert_int_equal(job_folder_result_path(server->store.folder, id, result_attempt, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "{\"answer\":7}", 12, NULL), ERR_OK);
}

static void test_completed_run_is_kept(void **state)
{
    struct test_server *server = *state;

    (void)control(server, QUEUE_PAUSE);
    int64_t completed = submit(server, "succeed", (struct job_order){0}).id;
    int64_t older = submit(server, "succeed", (struct job_order){0}).id;
    supervisor_destroy(server->supervisor);
    leave_completed(server, completed, 1);
    leave_completed(server, older, 5); /* of another attempt: says nothing of this one */
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_int_equal(server->finish_count, 0); /* not before the loop turns */
    assert_int_equal(test_job(server, completed).state, JOB_RUNNING);
    assert_int_equal(test_job(server, older).state, JOB_QUEUED);
    assert_true(test_wait_for(server, test_has_ended, completed, TEST_WAIT_MS));
    assert_int_equal(server->finish_count, 1);
    assert_int_equal(server->finish_answer, 7);
    struct job_row row = test_job(server, completed);
    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_int_equal(row.attempt, 1); /* it did not run again */
    assert_true(test_log_has(server, completed, "succeeded\n"));
    (void)control(server, QUEUE_RESUME);
    assert_true(test_wait_for(server, test_has_ended, older, TEST_WAIT_MS));
    assert_int_equal(test_job(server, older).attempt, 2);
}

static void test_submit_many(void **state)
{
    struct test_server *server = *state;
    struct job_order orders[2] = {
        {.task = "test", .request_json = "{\"play\":\"succeed\"}", .queue = "training"},
        {.task = "test", .request_json = "[]"}};
    struct job_row rows[2];
    bool is_new[2];

    assert_int_equal(supervisor_submit_many(server->supervisor, orders, 2, rows, is_new, NULL), ERR_INVALID);
    orders[1] = (struct job_order){.task = "test", .request_json = "{}", .queue = "no such"};
    assert_int_equal(supervisor_submit_many(server->supervisor, orders, 2, rows, is_new, NULL), ERR_INVALID);
    orders[1] = orders[0];
    assert_int_equal(supervisor_submit_many(server->supervisor, orders, 2, rows, is_new, NULL), ERR_OK);
    assert_int_equal(rows[0].id, 1); /* nothing was kept of those that were refused */
    assert_int_equal(rows[0].state, JOB_RUNNING);
    assert_int_equal(rows[1].state, JOB_QUEUED);
    assert_string_equal(rows[1].queue, "training");
    assert_true(test_wait_for(server, test_has_ended, 2, TEST_WAIT_MS));
}

/* Whichever step of a start finds no descriptor left: the job waits, it has not failed. */
static void test_no_descriptors_left(void **state)
{
    struct test_server *server = *state;
    struct rlimit limit, full;
    int64_t id = 0;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &full), 0);
    int first_free = dup(STDERR_FILENO);
    assert_true(first_free > 0 && close(first_free) == 0);
    for (int spare = 0; spare < 12; spare++) {
        limit = (struct rlimit){.rlim_cur = (rlim_t)(first_free + spare), .rlim_max = full.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        int64_t submitted = submit(server, "succeed", (struct job_order){0}).id; /* tries the oldest */
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
        id = id == 0 ? submitted : id;
        assert_string_equal(test_job(server, id).error, "");
        assert_false(test_has_ended(server, id));
    }
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    assert_int_equal(test_job(server, id).state, JOB_SUCCEEDED);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_stuck_queue_holds_up_no_other),
        TEST(test_time_limits),
        TEST(test_retries_back_off),
        TEST(test_a_killed_worker_is_tried_again),
        TEST(test_not_before),
        TEST(test_pause),
        TEST(test_stop_and_force_stop),
        TEST(test_what_follows_is_told),
        TEST(test_resume),
        TEST(test_completed_run_is_kept),
        TEST(test_submit_many),
        TEST(test_no_descriptors_left),
    };

    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return test_worker_main();
    return cmocka_run_group_tests_name("supervisor, queues", tests, NULL, NULL);
}
