/* Logs of real children: live within milliseconds, every line once, floods bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "job/log_parts.h"
#include "job/test_supervisor.h"

/* Sanitizers keep what was freed for a while. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER false
#endif

enum { HEAD_BYTES = 28, SUBSCRIBERS = 30, LATENCIES = 400 };

struct listener {
    struct log_subscriber *subscriber;
    int64_t next_line; /* of the numbered ones */
    int64_t offset;
    size_t ends;
    enum job_state state;
    int64_t latency_us[LATENCIES];
    size_t latency_count;
};

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

/* "line <number> <monotonic time of the worker>"; the supervisor's own lines are others. */
static void on_line(void *context, int64_t next_offset, const char *text, size_t size_bytes)
{
    struct listener *listener = context;
    struct text rest = {text, size_bytes}, part;
    int64_t number = -1, written_us = 0;

    int64_t begin =
        next_offset - (int64_t)size_bytes - 1; /* right behind the one before, or at a new part of the log */
    assert_true(begin == listener->offset ||
                (begin > listener->offset && begin % log_part_bytes(LIMIT_JOB_LOG_BYTES) == 0));
    listener->offset = next_offset;
    assert_true(size_bytes >= HEAD_BYTES && text[HEAD_BYTES - 2] == 'Z');
    rest = (struct text){text + HEAD_BYTES, size_bytes - HEAD_BYTES};
    if (!text_starts(rest, "line "))
        return;
    (void)text_split(&rest, ' ', &part);
    (void)text_split(&rest, ' ', &part);
    assert_true(text_parse_i64(part, &number) && text_parse_i64(rest, &written_us));
    assert_int_equal(number, listener->next_line);
    listener->next_line++;
    if (listener->latency_count < LATENCIES)
        listener->latency_us[listener->latency_count++] = clock_monotonic_us() - written_us;
}

static void on_end(void *context, enum job_state state)
{
    struct listener *listener = context;

    listener->ends++;
    listener->state = state;
}

static void subscribe(struct test_server *server, int64_t id, struct listener *listener)
{
    assert_int_equal(supervisor_subscribe(server->supervisor, id, listener->offset, on_line, on_end, listener,
                                          &listener->subscriber, NULL),
                     ERR_OK);
}

static struct listener listeners[SUBSCRIBERS];

static bool have_all_ended(struct test_server *server, int64_t value)
{
    (void)server;
    for (int64_t index = 0; index < value; index++) {
        if (listeners[index].ends == 0)
            return false;
    }
    return true;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void test_live_within_milliseconds(void **state)
{
    struct test_server *server = *state;
    struct listener *listener = &listeners[0];

    memset(listeners, 0, sizeof listeners);
    int64_t id = test_submit(server, "{\"play\":\"lines\",\"count\":300,\"period_ms\":3}");
    subscribe(server, id, listener);
    assert_true(test_wait_for(server, have_all_ended, 1, TEST_WAIT_MS));
    assert_int_equal(listener->next_line, 300);
    assert_int_equal(listener->latency_count, 300);
    qsort(listener->latency_us, 300, sizeof listener->latency_us[0], compare);
    print_message("latency of a log line, us: median %" PRId64 ", 99%% %" PRId64 ", most %" PRId64 "\n",
                  listener->latency_us[150], listener->latency_us[296], listener->latency_us[299]);
    assert_true(listener->latency_us[150] <
                50000); /* the machine may be busy with other things now and then */
}

/* Subscribers come all along; some go on from where another one is. */
static void check_exactly_once(struct test_server *server, const char *options, int64_t count)
{
    int64_t id = test_submit(server, options);

    memset(listeners, 0, sizeof listeners);
    for (int index = 0; index < SUBSCRIBERS; index++) {
        struct listener *listener = &listeners[index];
        if (index % 3 == 2) {
            listener->offset = listeners[index / 2].offset;
            listener->next_line = listeners[index / 2].next_line;
        }
        subscribe(server, id, listener);
        (void)test_wait_for(server, test_never, 0, index % 4 * 3);
    }
    assert_true(test_wait_for(server, have_all_ended, SUBSCRIBERS, TEST_WAIT_MS));
    for (int index = 0; index < SUBSCRIBERS; index++) {
        assert_int_equal(listeners[index].next_line, count);
        assert_int_equal(listeners[index].ends, 1);
        assert_int_equal(listeners[index].state, JOB_SUCCEEDED);
        assert_int_equal(listeners[index].offset, listeners[0].offset);
    }
}

static void test_every_line_once(void **state)
{
    check_exactly_once(*state, "{\"play\":\"lines\",\"count\":150,\"period_ms\":1}", 150);
    check_exactly_once(*state, "{\"play\":\"lines\",\"count\":20000}", 20000);
    check_exactly_once(*state, "{\"play\":\"log\",\"count\":20000}", 20000);
}

/* 100,000 lines, through either pipe: all kept, in order, the server's memory does not follow. */
static void test_flood(void **state)
{
    struct test_server *server = *state;
    const char *const options[] = {"{\"play\":\"lines\",\"count\":100000}",
                                   "{\"play\":\"log\",\"count\":100000}"};

    for (size_t index = 0; index < 2; index++) {
        struct listener *listener = &listeners[0];
        memset(listeners, 0, sizeof listeners);
        int64_t start_us = clock_monotonic_us(), before_bytes = process_peak_memory_bytes();
        int64_t id = test_submit(server, options[index]);
        subscribe(server, id, listener);
        assert_true(test_wait_for(server, have_all_ended, 1, TEST_WAIT_MS));
        assert_int_equal(listener->next_line, 100000);
        int64_t grown_bytes = process_peak_memory_bytes() - before_bytes;
        print_message("100,000 lines in %" PRId64 " ms, memory +%" PRId64 " kB\n",
                      (clock_monotonic_us() - start_us) / 1000, grown_bytes / 1024);
        assert_true(HAS_SANITIZER || grown_bytes < 16 << 20);
    }
}

static void test_refused(void **state)
{
    struct test_server *server = *state;
    struct listener *listener = &listeners[0];
    struct err err = {0};

    assert_int_equal(supervisor_subscribe(server->supervisor, 9, 0, on_line, on_end, listener,
                                          &listener->subscriber, &err),
                     ERR_NOT_FOUND);
    assert_string_equal(err.text, "there is no job 9");
    int64_t id = test_submit(server, "{\"play\":\"succeed\"}");
    assert_true(test_wait_for(server, test_has_ended, id, TEST_WAIT_MS));
    assert_int_equal(supervisor_subscribe(server->supervisor, id, 100000, on_line, on_end, listener,
                                          &listener->subscriber, &err),
                     ERR_INVALID);
    assert_string_equal(err.field, "offset");
}

/* One leaves, and the server ends while the other listens: no call comes any more. */
static void test_leaving(void **state)
{
    struct test_server *server = *state;

    memset(listeners, 0, sizeof listeners);
    int64_t id = test_submit(server, "{\"play\":\"lines\",\"count\":100000,\"period_ms\":5}");
    subscribe(server, id, &listeners[0]);
    subscribe(server, id, &listeners[1]);
    (void)test_wait_for(server, test_never, 0, 100);
    supervisor_unsubscribe(server->supervisor, listeners[1].subscriber);
    int64_t left_at = listeners[1].next_line;
    (void)test_wait_for(server, test_never, 0, 100);
    assert_true(left_at > 0 && listeners[1].next_line == left_at);
    assert_true(listeners[0].next_line > left_at);
    supervisor_destroy(server->supervisor);
    server->supervisor = NULL;
    assert_int_equal(listeners[0].ends, 0);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_live_within_milliseconds),
        TEST(test_every_line_once),
        TEST(test_flood),
        TEST(test_refused),
        TEST(test_leaving),
    };

    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return test_worker_main();
    return cmocka_run_group_tests_name("supervisor logs", tests, NULL, NULL);
}
