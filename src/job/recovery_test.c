/* kill -9 of the server: a server process (this program again) is killed, another one takes over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "job/job_folder.h"
#include "job/process_mark.h"
#include "job/test_supervisor.h"

#include <poll.h>

/* ---- the server that will be killed ---- */

static void on_churn(void *context)
{
    struct test_server *server = context;
    const struct job_order order = {.task = "test", .request_json = "{\"play\":\"succeed\"}"};
    struct job_row row;

    if (supervisor_submit(server->supervisor, &order, &row, NULL, NULL) == ERR_OK)
        printf("%" PRId64 "\n", row.id);
    fflush(stdout);
}

/* argv: program server FOLDER OPTIONS; OPTIONS "churn" submits without end, else one job. */
static int play_server(char **argv)
{
    struct test_server server = {.parallel = 2, .grace_ms = 300};
    struct err err = {0};

    (void)snprintf(server.folder.path, sizeof server.folder.path, "%s", argv[2]);
    test_server_open(&server);
    if (test_server_start(&server, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.text);
        return err_exit_code(err.code);
    }
    if (strcmp(argv[3], "churn") == 0)
        assert(loop_timer_add(server.loop, 0, 4, on_churn, &server, NULL, NULL) == ERR_OK);
    else
        (void)test_submit(&server, argv[3]);
    return loop_run(server.loop, NULL) == ERR_OK ? 0 : 1;
}

/* ---- the test's side ---- */

static int set_up(void **state)
{
    static struct test_server server;

    server = (struct test_server){.parallel = 2, .grace_ms = 300};
    test_folder_create(&server.folder);
    test_server_open(&server);
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

static void start_server(struct test_server *server, const char *options, struct process *out)
{
    const char *const argv[] = {test_program(), "server", server->folder.path, options, NULL};

    assert_int_equal(process_start(argv, out, NULL), ERR_OK);
}

/* Only the server itself, as the kernel's memory killer would. */
static void kill_server(struct process *process)
{
    struct process_end end;

    assert_int_equal(kill(process->pid, SIGKILL), 0);
    assert_true(process_wait(process, TEST_WAIT_MS, &end));
    assert_int_equal(end.signal, SIGKILL);
    process_close(process);
}

/* The pid that play "once" has left in the file. */
static pid_t wait_for_worker(const char *path)
{
    int64_t end_us = clock_monotonic_us() + TEST_WAIT_MS * INT64_C(1000), pid = 0;
    struct buffer text;

    buffer_init(&text, 100);
    while (!text_parse_i64(text_of(buffer_text(&text)), &pid)) {
        assert_true(clock_monotonic_us() < end_us);
        test_sleep_ms(2);
        buffer_clear(&text);
        if (file_exists(path))
            assert_int_equal(file_read(path, &text, NULL), ERR_OK);
    }
    buffer_release(&text);
    return (pid_t)pid;
}

static const char *once_options(const struct test_server *server, const char *play)
{
    static char options[512];

    (void)snprintf(options, sizeof options, "{\"play\":\"%s\",\"path\":\"%.300s/mark\"}", play,
                   server->folder.path);
    return options;
}

static bool is_gone_soon(pid_t pid)
{
    for (int wait = 0; wait < TEST_WAIT_MS / 2; wait++) {
        if (process_group_is_gone(pid))
            return true;
        test_sleep_ms(2);
    }
    return false;
}

static void check_runs_again(struct test_server *server)
{
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_int_equal(test_job(server, 1).state, JOB_QUEUED);
    assert_int_equal(test_job(server, 1).pid, 0);
    assert_true(test_wait_for(server, test_has_ended, 1, TEST_WAIT_MS));
    struct job_row row = test_job(server, 1);
    assert_int_equal(row.state, JOB_SUCCEEDED);
    assert_int_equal(row.attempt, 2);
    assert_int_equal(server->finish_count, 1);
    assert_true(test_log_has(server, 1, "attempt 2 runs as process"));
}

/* The worker goes with its server, without anybody's help. */
static void test_worker_dies_with_its_server(void **state)
{
    struct test_server *server = *state;
    struct process process;

    start_server(server, once_options(server, "once"), &process);
    pid_t worker = wait_for_worker(test_folder_path(&server->folder, "mark"));
    assert_int_equal(test_job(server, 1).pid, worker);
    kill_server(&process);
    assert_true(is_gone_soon(worker));
    assert_int_equal(test_job(server, 1).state, JOB_RUNNING); /* as the dead server left it */
    check_runs_again(server);
}

/* One that does not is killed before its job runs again. */
static void test_orphan_is_killed(void **state)
{
    struct test_server *server = *state;
    struct process process;

    start_server(server, once_options(server, "once_orphan"), &process);
    pid_t worker = wait_for_worker(test_folder_path(&server->folder, "mark"));
    kill_server(&process);
    test_sleep_ms(100);
    assert_false(process_group_is_gone(worker));
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_true(process_group_is_gone(worker)); /* when create returns */
    supervisor_destroy(server->supervisor);
    server->supervisor = NULL;
    check_runs_again(server);
}

static void test_stopping_becomes_stopped(void **state)
{
    struct test_server *server = *state;
    struct process process;

    start_server(server, once_options(server, "once_orphan"), &process);
    pid_t worker = wait_for_worker(test_folder_path(&server->folder, "mark"));
    kill_server(&process);
    struct job_change change = {.id = 1, .from = JOB_RUNNING, .to = JOB_STOPPING, .pid = worker, .now_us = 1};
    assert_int_equal(job_store_change(server->store.db, &change, NULL), ERR_OK);
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_true(process_group_is_gone(worker));
    struct job_row row = test_job(server, 1);
    assert_int_equal(row.state, JOB_STOPPED);
    assert_true(row.ended_us != TIME_NONE);
    assert_false(test_wait_for(server, test_never, 0, 50));
    assert_int_equal(test_job(server, 1).attempt, 1);
}

/* The pid is somebody else's by now: only the mark tells. */
static void test_strangers_are_left_alone(void **state)
{
    struct test_server *server = *state;
    const char *const argv[] = {"/bin/sleep", "1000", NULL};
    char mark[PROCESS_MARK_BYTES];
    struct process stranger;
    struct process_end end;
    int64_t ids[3];
    struct job_row row;

    assert_int_equal(process_start(argv, &stranger, NULL), ERR_OK);
    assert_true(process_mark(stranger.pid, mark));
    mark[strlen(mark) - 1] ^= 1; /* another tick */
    const char *const marks[] = {mark, "00000000/1", ""};
    for (int index = 0; index < 3; index++) {
        const struct job_order order = {.task = "test", .request_json = "{\"play\":\"succeed\"}"};
        assert_int_equal(job_store_add(server->store.db, &order, 1, &ids[index], NULL, NULL), ERR_OK);
        struct job_change change = {.id = ids[index],
                                    .from = JOB_QUEUED,
                                    .to = JOB_RUNNING,
                                    .pid = stranger.pid,
                                    .process = marks[index],
                                    .now_us = 2};
        assert_int_equal(job_store_change(server->store.db, &change, NULL), ERR_OK);
    }
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_false(process_reap(&stranger, &end));
    assert_true(test_wait_for(server, test_has_ended, ids[2], TEST_WAIT_MS));
    assert_int_equal(job_store_get(server->store.db, ids[0], &row, NULL), ERR_OK);
    assert_int_equal(row.attempt, 2);
    assert_false(process_reap(&stranger, &end));
    process_signal(&stranger, SIGKILL);
    assert_true(process_wait(&stranger, TEST_WAIT_MS, &end));
    process_close(&stranger);
}

/* A run was completed, and each server that is to keep its result dies of it. */
static void test_a_result_that_ends_servers_is_given_up(void **state)
{
    struct test_server *server = *state;
    const struct job_order order = {.task = "test", .request_json = "{\"play\":\"succeed\"}"};
    struct job_change start = {.from = JOB_QUEUED, .to = JOB_RUNNING, .lease = "first", .now_us = 2};
    char path[FILE_PATH_BYTES];

    assert_int_equal(job_store_add(server->store.db, &order, 1, &start.id, NULL, NULL), ERR_OK);
    assert_int_equal(job_store_change(server->store.db, &start, NULL), ERR_OK);
    assert_int_equal(job_folder_make(&server->store, start.id, NULL), ERR_OK);
    assert_int_equal(job_folder_result_path(server->store.folder, start.id, 1, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "{}", 2, NULL), ERR_OK);
    for (int life = 0; life < LIMIT_JOB_TAKEOVERS; life++) {
        assert_int_equal(test_server_start(server, NULL), ERR_OK);
        assert_int_equal(test_job(server, start.id).state, JOB_RUNNING); /* to be kept on the first turn */
        supervisor_destroy(server->supervisor);
        server->supervisor = NULL;
    }
    assert_int_equal(test_server_start(server, NULL), ERR_OK);
    assert_int_equal(test_job(server, start.id).state, JOB_FAILED);
    assert_non_null(strstr(test_job(server, start.id).error, "the server ended 6 times"));
    assert_int_equal(server->finish_count, 0);
}

static void test_a_second_server_is_refused(void **state)
{
    struct test_server *server = *state;
    struct process process;
    struct err err = {0};

    start_server(server, once_options(server, "once"), &process);
    pid_t worker = wait_for_worker(test_folder_path(&server->folder, "mark"));
    assert_int_equal(test_server_start(server, &err), ERR_BUSY);
    assert_false(process_group_is_gone(worker));
    kill_server(&process);
    check_runs_again(server); /* the lock went with it */
}

/* ---- at any instant ---- */

static size_t count_events(struct test_server *server, int64_t id, const char *from, const char *to)
{
    struct buffer text;
    char pattern[64];
    size_t count = 0;

    buffer_init(&text, 1 << 20);
    (void)snprintf(pattern, sizeof pattern, "\"from\":\"%s\",\"to\":\"%s\"", from, to);
    assert_int_equal(job_store_events(server->store.db, id, &text, NULL), ERR_OK);
    for (const char *at = text.data; (at = strstr(at, pattern)) != NULL; at++)
        count++;
    buffer_release(&text);
    return count;
}

/* The highest id that the server has told to be accepted. */
static int64_t read_accepted(const struct process *process)
{
    struct buffer text;
    char chunk[4096];
    struct text rest, line;
    int64_t accepted = 0, id;
    ssize_t got;

    buffer_init(&text, 1 << 20);
    while ((got = read(process->log, chunk, sizeof chunk)) > 0)
        buffer_append(&text, chunk, (size_t)got);
    rest = text_of(buffer_text(&text));
    while (text_split(&rest, '\n', &line)) {
        if (text_parse_i64(line, &id))
            accepted = id;
    }
    buffer_release(&text);
    return accepted;
}

static bool is_idle(struct test_server *server, int64_t value)
{
    int64_t next;
    struct job_row row;
    size_t count = 1;

    (void)value;
    return job_store_next(server->store.db, "default", INT64_MAX, &next, NULL) == ERR_NOT_FOUND &&
           job_store_unfinished(server->store.db, 0, &row, &count, NULL) == ERR_OK && count == 0;
}

/* A job that ran whenever its server was killed has failed, since it could be the cause; here it is not. */
static void resume_given_up(struct test_server *server, int64_t last_id)
{
    struct job_row row;

    for (int64_t id = 1; id <= last_id; id++) {
        if (test_job(server, id).state == JOB_FAILED)
            assert_int_equal(supervisor_resume_job(server->supervisor, id, "test", &row, NULL), ERR_OK);
    }
    assert_true(test_wait_for(server, is_idle, 0, 2 * TEST_WAIT_MS));
}

/* Servers that take jobs all the time are killed at random instants: what was accepted is done, and done once. */
static void test_killed_at_any_instant(void **state)
{
    struct test_server *server = *state;
    struct random random;
    struct err err = {0};
    int64_t accepted = 0;

    random_init(&random, 11);
    for (int round = 0; round < 12; round++) {
        struct process process;
        struct process_end end;
        start_server(server, "churn", &process);
        if (round % 4 != 0) { /* else: while it starts and recovers */
            struct pollfd told = {.fd = process.log, .events = POLLIN};
            assert_int_equal(poll(&told, 1, TEST_WAIT_MS), 1);
        }
        test_sleep_ms((int64_t)random_below(&random, 80));
        assert_int_equal(kill(process.pid, SIGKILL), 0);
        assert_true(process_wait(&process, TEST_WAIT_MS, &end));
        int64_t told = read_accepted(&process);
        accepted = told > accepted ? told : accepted;
        process_close(&process);
    }
    assert_true(accepted >= 9); /* one at least of each that was waited for */
    server->parallel = 4;
    if (test_server_start(server, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_true(test_wait_for(server, is_idle, 0, 2 * TEST_WAIT_MS));
    resume_given_up(server, accepted);
    for (int64_t id = 1; id <= accepted; id++) {
        assert_int_equal(test_job(server, id).state, JOB_SUCCEEDED);
        assert_int_equal(count_events(server, id, "running", "succeeded"), 1);
        assert_int_equal(count_events(server, id, "queued", "running"), test_job(server, id).attempt);
    }
    print_message("%" PRId64 " jobs accepted by 12 servers that were killed, all done once\n", accepted);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_worker_dies_with_its_server), TEST(test_orphan_is_killed),
        TEST(test_stopping_becomes_stopped),    TEST(test_strangers_are_left_alone),
        TEST(test_a_second_server_is_refused),  TEST(test_a_result_that_ends_servers_is_given_up),
        TEST(test_killed_at_any_instant),
    };

    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return test_worker_main();
    if (argc > 3 && strcmp(argv[1], "server") == 0)
        return play_server(argv);
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
