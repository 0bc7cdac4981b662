/* The supervisor with real children: every way a job can end, the queue, stopping, logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/time.h"
#include "job/test_supervisor.h"

static int set_up(void **state)
{
    static struct test_server server;

    server = (struct test_server){.parallel = 1, .grace_ms = 300};
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

static enum err_code submit(struct test_server *server, const char *task, const char *options,
                            struct job_row *out)
{
    struct job_order order = {.task = task, .request_json = options};

    return supervisor_submit(server->supervisor, &order, out, NULL, NULL);
}

static struct job_row run(struct test_server *server, const char *options)
{
    int64_t id = test_submit(server, options);

    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    return test_job(server, id);
}

static void check_log(struct test_server *server, int64_t id, const char *expected)
{
    struct buffer log;

    buffer_init(&log, 128 << 20);
    test_read_log(server, id, &log);
    if (strstr(buffer_text(&log), expected) == NULL)
        fail_msg("'%s' is not in the log:\n%.2000s", expected, buffer_text(&log));
    buffer_release(&log);
}

static void test_success(void **state)
{
    struct test_server *server = *state;
    struct buffer result;
    struct job_row row;
    char first_line[128];

    assert_int_equal(submit(server, "test", "{\"play\":\"succeed\"}", &row), ERR_OK);
    assert_int_equal(row.state, JOB_RUNNING); /* there was room: it runs when submit returns */
    assert_true(row.pid > 1);
    assert_int_equal(kill((pid_t)row.pid, 0), 0);
    (void)snprintf(first_line, sizeof first_line, "attempt 1 runs as process %" PRId64 "\n", row.pid);
    assert_true(test_wait_for(server, test_has_ended, row.id, TEST_WAIT_MS));
    row = test_job(server, row.id);
    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_string_equal(row.error, "");
    assert_int_equal(row.pid, 0);
    assert_true(row.created_us <= row.started_us && row.started_us <= row.ended_us);
    assert_int_equal(server->finish_count, 1);
    assert_int_equal(server->finish_answer, 42);
    buffer_init(&result, 4096);
    assert_int_equal(job_store_result(server->store.db, row.id, &result, NULL), ERR_OK);
    assert_string_equal(result.data, "{\"answer\":42,\"job\":1}");
    buffer_release(&result);
    check_log(server, row.id, first_line);
    check_log(server, row.id, "working for job 1\nsucceeded\n");
    assert_int_equal(server->changes[0].state, JOB_QUEUED);
    assert_int_equal(server->changes[1].state, JOB_RUNNING);
    assert_int_equal(server->changes[2].state, JOB_SUCCEEDED);
    assert_int_equal(server->change_count, 3);
    assert_int_equal(supervisor_running_count(server->supervisor), 0);
}

static void test_finish_fails(void **state)
{
    struct test_server *server = *state;

    server->finish_code = ERR_CONFLICT;
    struct job_row row = run(server, "{\"play\":\"succeed\"}");
    assert_int_equal(row.state, JOB_FAILED);
    assert_string_equal(row.error, "cannot keep the result: the registry says no");
    assert_int_equal(server->finish_count, 1);
}

static void check_failure(struct test_server *server, const char *options, const char *expected)
{
    struct job_row row = run(server, options);

    assert_int_equal(row.state, JOB_FAILED);
    if (strstr(row.error, expected) == NULL)
        fail_msg("'%s' is not in '%s'", expected, row.error);
    assert_true(row.ended_us != TIME_NONE);
    assert_int_equal(server->finish_count, 0);
}

static void test_failures(void **state)
{
    struct test_server *server = *state;

    check_failure(server, "{\"play\":\"fail\"}", "league 'XX' is unknown");
    check_failure(server, "{\"play\":\"exit\"}",
                  "worker ended with status 3 without a result: the last words");
    check_failure(server, "{\"play\":\"half_message\"}", "worker ended with status 0 without a result");
    check_failure(server, "{\"play\":\"bad_result\"}", "cannot send the result of the task");
    check_failure(server, "{\"play\":\"garbage\"}", "worker broke the protocol: malformed JSON");
    check_failure(server, "{\"play\":\"long_message\"}", "worker broke the protocol: a message longer than");
    check_failure(server, "{\"play\":\"second_hello\"}", "worker broke the protocol: a second hello");
    check_failure(server, "{\"play\":\"second_end\"}", "worker broke the protocol: a result behind its end");
    check_failure(server, "{\"no\":\"play\"}",
                  "worker ended with status 99 without a result: member 'play' is missing");
}

static void test_failures_before_hello(void **state)
{
    assert_int_equal(setenv("ALMANAC_TEST_UNOPENED", "no_hello", 1), 0);
    check_failure(*state, "{}", "worker broke the protocol: a log before its hello");
    assert_int_equal(setenv("ALMANAC_TEST_UNOPENED", "old_version", 1), 0);
    check_failure(*state, "{}", "worker broke the protocol: it speaks version 99, the server 1");
    assert_int_equal(unsetenv("ALMANAC_TEST_UNOPENED"), 0);
}

static void test_crash_keeps_its_words(void **state)
{
    struct test_server *server = *state;
    struct job_row row = run(server, "{\"play\":\"crash\"}");

    assert_int_equal(row.state, JOB_FAILED);
    assert_non_null(strstr(row.error, "worker was ended by signal 6 (SIGABRT) without a result: "));
    assert_non_null(strstr(row.error, "without an end of line"));
    check_log(server, row.id, "by the protocol\n");
    check_log(server, row.id, "on stdout\nabout to crash\nwithout an end of line");
    check_log(server, row.id, "failed: worker was ended by signal 6");
}

static void test_program_is_missing(void **state)
{
    struct test_server *server = *state;

    supervisor_destroy(server->supervisor);
    struct supervisor_options options = {.program = "/nowhere/almanac"};
    assert_int_equal(
        supervisor_create(server->loop, &server->store, clock_system(), options, &server->supervisor, NULL),
        ERR_OK);
    struct job_row row = run(server, "{}");
    assert_int_equal(row.state, JOB_FAILED);
    assert_non_null(strstr(row.error, "cannot be started: cannot start '/nowhere/almanac'"));
    assert_int_equal(row.attempt, 0);
}

/* ---- stopping ---- */

static struct job_row stop(struct test_server *server, int64_t id)
{
    struct job_row row;

    assert_int_equal(supervisor_stop_job(server->supervisor, id, "test", &row, NULL), ERR_OK);
    return row;
}

static void test_stop(void **state)
{
    struct test_server *server = *state;
    struct job_row row;
    struct err err = {0};
    int64_t id = test_submit(server, "{\"play\":\"steps\",\"count\":100000,\"period_ms\":5}");

    assert_false(test_wait_for(server, test_never, 0, 300));
    assert_int_equal(stop(server, id).state, JOB_STOPPING);
    assert_int_equal(stop(server, id).state, JOB_STOPPING); /* asking again is no error */
    assert_true(test_job(server, id).pid > 1);
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    row = test_job(server, id);
    assert_int_equal(row.state, JOB_STOPPED);
    assert_int_equal(server->finish_count, 0);
    assert_int_equal(supervisor_stop_job(server->supervisor, id, "test", &row, &err), ERR_CONFLICT);
    assert_string_equal(err.text, "job 1 has been stopped already");
    assert_int_equal(supervisor_stop_job(server->supervisor, 99, "test", &row, &err), ERR_NOT_FOUND);
}

static void test_stop_kills_after_the_grace(void **state)
{
    struct test_server *server = *state;
    int64_t id = test_submit(server, "{\"play\":\"ignore_term\"}");

    assert_true(test_wait_for(server, test_log_is_ready, id, TEST_WAIT_MS));
    pid_t pid = (pid_t)test_job(server, id).pid;
    int64_t asked_us = clock_monotonic_us();
    (void)stop(server, id);
    assert_int_equal(test_job(server, id).state, JOB_STOPPING);
    assert_int_equal(kill(pid, 0), 0);
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    assert_true(clock_monotonic_us() - asked_us >= 300000); /* the grace */
    assert_int_equal(test_job(server, id).state, JOB_STOPPED);
    assert_true(process_group_is_gone(pid));
}

static pid_t sleeper_of(struct test_server *server, int64_t id)
{
    struct buffer log;
    int64_t pid = 0;

    buffer_init(&log, 1 << 20);
    test_read_log(server, id, &log);
    const char *at = strstr(buffer_text(&log), "sleeper ");
    assert_non_null(at);
    at += strlen("sleeper ");
    assert_true(text_parse_i64((struct text){at, strcspn(at, "\n")}, &pid));
    buffer_release(&log);
    return (pid_t)pid;
}

static bool has_sleeper(struct test_server *server, int64_t id)
{
    return test_log_has(server, id, "sleeper ");
}

/* Gone, or a zombie that nobody collects in this container. */
static bool is_dead(pid_t pid)
{
    char path[64];
    struct buffer text;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    buffer_init(&text, 4096);
    bool dead = file_read(path, &text, NULL) != ERR_OK || strstr(text.data, ") Z ") != NULL;
    buffer_release(&text);
    return dead;
}

static void test_stop_means_the_whole_group(void **state)
{
    struct test_server *server = *state;
    int64_t id = test_submit(server, "{\"play\":\"sleeper_ignores_term\"}");

    assert_true(test_wait_for(server, has_sleeper, id, TEST_WAIT_MS));
    pid_t sleeper = sleeper_of(server, id);
    assert_false(is_dead(sleeper));
    (void)stop(server, id);
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    assert_true(is_dead(sleeper));
    assert_int_equal(test_job(server, id).state, JOB_STOPPED);
}

static void test_leftovers_are_killed(void **state)
{
    struct test_server *server = *state;
    struct job_row row = run(server, "{\"play\":\"leave_sleeper\"}");

    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_true(is_dead(sleeper_of(server, row.id)));
}

static void test_hanging_after_the_result(void **state)
{
    struct test_server *server = *state;
    int64_t start_us = clock_monotonic_us();
    struct job_row row = run(server, "{\"play\":\"hang_after_result\"}");

    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_true(clock_monotonic_us() - start_us >= 300000);
}

static void test_stop_queued(void **state)
{
    struct test_server *server = *state;
    int64_t first = test_submit(server, "{\"play\":\"steps\",\"count\":100000,\"period_ms\":5}");
    int64_t second = test_submit(server, "{\"play\":\"succeed\"}");

    assert_int_equal(test_job(server, second).state, JOB_QUEUED);
    assert_int_equal(stop(server, second).state, JOB_STOPPED);
    (void)stop(server, first);
    assert_true(test_wait_for(server, test_has_ended, first, TEST_WAIT_MS));
    assert_int_equal(test_job(server, second).attempt, 0);
}

/* A worker that dies at once: before it has its handler, in the middle of anything. */
static void test_stop_at_any_instant(void **state)
{
    struct test_server *server = *state;

    for (int index = 0; index < 12; index++) {
        int64_t id = test_submit(server, "{\"play\":\"steps\",\"count\":100000,\"period_ms\":1}");
        assert_false(test_wait_for(server, test_never, 0, index * 4));
        pid_t pid = (pid_t)test_job(server, id).pid;
        (void)stop(server, id);
        assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
        assert_int_equal(test_job(server, id).state, JOB_STOPPED);
        assert_true(process_group_is_gone(pid));
    }
}

/* ---- the queue ---- */

static void test_queue_keeps_order(void **state)
{
    struct test_server *server = *state;
    size_t running = 0;
    int64_t last_started = 0;

    for (int index = 0; index < 6; index++)
        (void)test_submit(server, index % 2 == 0 ? "{\"play\":\"succeed\"}" : "{\"play\":\"fail\"}");
    assert_true(test_wait_for(server, test_has_ended, 6, TEST_WAIT_MS));
    for (size_t index = 0; index < server->change_count; index++) {
        enum job_state change = server->changes[index].state;
        if (change == JOB_RUNNING) {
            assert_int_equal(server->changes[index].id, last_started + 1);
            last_started = server->changes[index].id;
            assert_int_equal(running++, 0);
        } else if (job_state_is_final(change)) {
            assert_int_equal(server->changes[index].id, last_started);
            running--;
        }
    }
    assert_int_equal(last_started, 6);
    assert_int_equal(test_job(server, 5).state, JOB_SUCCEEDED);
    assert_int_equal(test_job(server, 6).state, JOB_FAILED);
}

static bool are_two_running(struct test_server *server, int64_t value)
{
    (void)value;
    return supervisor_running_count(server->supervisor) == 2;
}

static void test_parallel(void **state)
{
    struct test_server *server = *state;

    supervisor_destroy(server->supervisor);
    server->parallel = 2;
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    for (int index = 0; index < 3; index++)
        (void)test_submit(server, "{\"play\":\"steps\",\"count\":20,\"period_ms\":10}");
    assert_true(are_two_running(server, 0));
    assert_int_equal(test_job(server, 3).state, JOB_QUEUED);
    assert_true(test_wait_for(server, test_has_ended, 3, TEST_WAIT_MS));
}

static void test_bad_submissions(void **state)
{
    struct test_server *server = *state;
    struct job_row row;
    char *large = calloc(1, (2 << 20) + 1);

    assert_int_equal(submit(server, "", "{}", &row), ERR_INVALID);
    assert_int_equal(submit(server, "0123456789012345678901234567890123", "{}", &row), ERR_INVALID);
    assert_int_equal(submit(server, "test", "[]", &row), ERR_INVALID);
    assert_int_equal(submit(server, "test", "{", &row), ERR_INVALID);
    memset(large, ' ', 2 << 20);
    large[0] = '{';
    large[(2 << 20) - 1] = '}';
    assert_int_equal(submit(server, "test", large, &row), ERR_TOO_LARGE);
    free(large);
    assert_int_equal(job_store_get(server->store.db, 1, &row, NULL), ERR_NOT_FOUND);
}

/* More than a pipe holds: the request is sent while the child reads. */
static void test_large_request(void **state)
{
    struct test_server *server = *state;
    struct buffer options;

    buffer_init(&options, 2 << 20);
    buffer_append_text(&options, "{\"play\":\"succeed\",\"path\":\"");
    memset(buffer_extend(&options, 1000000), 'x', 1000000);
    buffer_append_text(&options, "\"}");
    assert_int_equal(run(server, options.data).state, JOB_SUCCEEDED);
    buffer_release(&options);
}

static void test_progress_in_the_row(void **state)
{
    struct test_server *server = *state;
    size_t changes = 0;
    struct job_row row = run(server, "{\"play\":\"steps\",\"count\":120,\"period_ms\":10}");

    assert_int_equal(row.progress_done, 120);
    assert_int_equal(row.progress_total, 120);
    assert_string_equal(row.phase, "building features");
    check_log(server, row.id, "building features: 120/120 (100%) eta 0s\nsucceeded\n");
    for (size_t index = 0; index < server->change_count; index++)
        changes += server->changes[index].state == JOB_RUNNING;
    int64_t elapsed_ms = (row.ended_us - row.started_us) / 1000;
    assert_in_range(changes, 2, 4 + elapsed_ms / 250);
}

static void test_row_changed_by_hand(void **state)
{
    struct test_server *server = *state;
    int64_t id = test_submit(server, "{\"play\":\"steps\",\"count\":20,\"period_ms\":10}");

    struct job_change change = {
        .id = id, .from = JOB_RUNNING, .to = JOB_FAILED, .error = "by hand", .now_us = 1};
    assert_int_equal(job_store_change(server->store.db, &change, NULL), ERR_OK);
    int64_t next = test_submit(server, "{\"play\":\"succeed\"}");
    assert_true(test_wait_for(server, test_has_ended, next, TEST_WAIT_MS)); /* the queue goes on */
    assert_string_equal(test_job(server, id).error, "by hand");
}

/* ---- the end of the server ---- */

static void test_destroy_puts_jobs_back(void **state)
{
    struct test_server *server = *state;
    int64_t obeys = test_submit(server, "{\"play\":\"steps\",\"count\":100000,\"period_ms\":5}");

    assert_false(test_wait_for(server, test_never, 0, 200));
    pid_t pid = (pid_t)test_job(server, obeys).pid;
    supervisor_destroy(server->supervisor);
    assert_true(process_group_is_gone(pid));
    assert_int_equal(test_job(server, obeys).state, JOB_QUEUED);
    check_log(server, obeys, "interrupted, queued again\n");
    server->change_count = 0;
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_int_equal(server->change_count, 0); /* nothing is called from inside create */
    assert_true(test_wait_for(server, test_is_running, obeys, TEST_WAIT_MS));
    assert_int_equal(test_job(server, obeys).attempt, 2);
    (void)stop(server, obeys);
    supervisor_destroy(server->supervisor); /* stopping: that is what was asked for */
    server->supervisor = NULL;
    assert_int_equal(test_job(server, obeys).state, JOB_STOPPED);
}

static void test_destroy_kills(void **state)
{
    struct test_server *server = *state;
    int64_t id = test_submit(server, "{\"play\":\"ignore_term\"}");

    assert_true(test_wait_for(server, test_log_is_ready, id, TEST_WAIT_MS));
    pid_t pid = (pid_t)test_job(server, id).pid;
    int64_t start_us = clock_monotonic_us();
    supervisor_destroy(server->supervisor);
    server->supervisor = NULL;
    assert_in_range(clock_monotonic_us() - start_us, 300000, TEST_WAIT_MS * INT64_C(1000));
    assert_true(process_group_is_gone(pid));
    assert_int_equal(test_job(server, id).state, JOB_QUEUED);
}

static void test_only_one_server(void **state)
{
    struct test_server *server = *state;
    struct supervisor_options options = {.program = test_program()};
    struct supervisor *second;
    struct err err = {0};
    int64_t id = test_submit(server, "{\"play\":\"steps\",\"count\":20,\"period_ms\":10}");

    assert_int_equal(supervisor_create(server->loop, &server->store, clock_system(), options, &second, &err),
                     ERR_BUSY);
    assert_non_null(strstr(err.text, "another server runs the jobs of '"));
    assert_null(second);
    assert_true(
        test_wait_for(server, test_has_ended, id, TEST_WAIT_MS)); /* the first one's job was left alone */
    assert_int_equal(test_job(server, id).state, JOB_SUCCEEDED);
}

static void test_nothing_leaks(void **state)
{
    struct test_server *server = *state;

    (void)run(server, "{\"play\":\"succeed\"}");
    size_t before = test_descriptor_count();
    for (int index = 0; index < 5; index++) {
        (void)run(server, "{\"play\":\"succeed\"}");
        (void)run(server, "{\"play\":\"exit\"}");
    }
    assert_int_equal(test_descriptor_count(), before);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_success),
        TEST(test_finish_fails),
        TEST(test_failures),
        TEST(test_failures_before_hello),
        TEST(test_crash_keeps_its_words),
        TEST(test_program_is_missing),
        TEST(test_stop),
        TEST(test_stop_kills_after_the_grace),
        TEST(test_stop_means_the_whole_group),
        TEST(test_leftovers_are_killed),
        TEST(test_hanging_after_the_result),
        TEST(test_stop_queued),
        TEST(test_stop_at_any_instant),
        TEST(test_queue_keeps_order),
        TEST(test_parallel),
        TEST(test_bad_submissions),
        TEST(test_large_request),
        TEST(test_progress_in_the_row),
        TEST(test_row_changed_by_hand),
        TEST(test_destroy_puts_jobs_back),
        TEST(test_destroy_kills),
        TEST(test_only_one_server),
        TEST(test_nothing_leaks),
    };

    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return test_worker_main();
    return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}
