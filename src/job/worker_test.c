/* The worker's side of the protocol: what a real child writes on its channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "job/test_worker.h"

#include <poll.h>

enum { WAIT_MS = 60000 };

struct run {
    struct process process;
    struct buffer channel, log;
    struct process_end end;
};

static void start(struct run *run, const char *request)
{
    const char *const argv[] = {test_program(), "worker", NULL};

    buffer_init(&run->channel, 32 << 20);
    buffer_init(&run->log, 32 << 20);
    assert_int_equal(process_start(argv, &run->process, NULL), ERR_OK);
    if (request != NULL) {
        ssize_t size = (ssize_t)strlen(request);
        assert_int_equal(write(run->process.input, request, (size_t)size), size);
        close(run->process.input);
        run->process.input = -1;
    }
}

static bool read_some(int descriptor, struct buffer *out)
{
    char chunk[65536];
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};

    if (poll(&watched, 1, 5) <= 0)
        return true;
    ssize_t got = read(descriptor, chunk, sizeof chunk);
    if (got > 0)
        buffer_append(out, chunk, (size_t)got);
    return got > 0 || (got < 0 && errno == EAGAIN);
}

/* Reads until `text` has come on the channel, or (NULL) to the end. */
static void read_until(struct run *run, const char *text)
{
    int64_t end_us = clock_monotonic_us() + WAIT_MS * INT64_C(1000);
    bool channel_open = true, log_open = true;

    while ((channel_open || log_open) && (text == NULL || strstr(buffer_text(&run->channel), text) == NULL)) {
        channel_open = channel_open && read_some(run->process.channel, &run->channel);
        log_open = log_open && read_some(run->process.log, &run->log);
        assert_true(clock_monotonic_us() < end_us);
    }
}

static void finish(struct run *run)
{
    read_until(run, NULL);
    assert_true(process_wait(&run->process, WAIT_MS, &run->end));
    process_close(&run->process);
}

static void release(struct run *run)
{
    buffer_release(&run->channel);
    buffer_release(&run->log);
}

/* Number `index` from the front, or from the back when negative; checks that every line is a message. */
static struct protocol_message message_at(const struct run *run, int index)
{
    struct protocol_message messages[4096];
    struct text rest = text_of(buffer_text(&run->channel)), line;
    int count = 0;

    while (text_split(&rest, '\n', &line) && line.size_bytes > 0) {
        assert_true(count < 4096);
        assert_int_equal(protocol_read(line.data, line.size_bytes, &messages[count++], NULL), ERR_OK);
    }
    index = index < 0 ? count + index : index;
    assert_in_range(index, 0, count - 1);
    struct protocol_message found = messages[index];
    for (int other = 0; other < count; other++) {
        if (other != index)
            protocol_message_release(&messages[other]);
    }
    return found;
}

static void run_to_end(struct run *run, const char *options)
{
    char request[512];

    (void)snprintf(request, sizeof request, "{\"task\":\"t\",\"options\":%s,\"data_dir\":\"d\",\"job\":7}",
                   options);
    start(run, request);
    finish(run);
}

static void test_success(void **state)
{
    struct run run;

    (void)state;
    run_to_end(&run, "{\"play\":\"succeed\"}");
    assert_true(run.end.exited);
    assert_int_equal(run.end.exit_code, 0);
    struct protocol_message message = message_at(&run, 0);
    assert_int_equal(message.kind, PROTOCOL_HELLO);
    assert_int_equal(message.version, PROTOCOL_VERSION);
    assert_int_equal(message.pid, run.process.pid);
    protocol_message_release(&message);
    message = message_at(&run, 1);
    assert_string_equal(message.text, "working for job 7");
    protocol_message_release(&message);
    message = message_at(&run, -1); /* written on one line though it came on several */
    assert_int_equal(message.kind, PROTOCOL_RESULT);
    assert_int_equal(json_integer_value(json_object_get(message.result, "answer")), 42);
    protocol_message_release(&message);
    release(&run);
}

static void test_failure(void **state)
{
    struct run run;

    (void)state;
    run_to_end(&run, "{\"play\":\"fail\"}");
    assert_non_null(strstr(run.channel.data,
                           "{\"type\":\"failed\",\"code\":\"invalid\",\"message\":\"league 'XX' is "
                           "unknown\",\"field\":\"league\"}\n"));
    release(&run);
}

static void check_failed(const char *options, const char *expected)
{
    struct run run;

    run_to_end(&run, options);
    struct protocol_message message = message_at(&run, -1);
    assert_int_equal(message.kind, PROTOCOL_FAILED);
    assert_non_null(strstr(message.text, expected));
    protocol_message_release(&message);
    release(&run);
}

static void test_unsendable_results(void **state)
{
    (void)state;
    check_failed("{\"play\":\"bad_result\"}", "cannot send the result of the task: malformed JSON");
    check_failed("{\"play\":\"large_result\"}", "cannot send the result of the task: ");
}

/* 40 steps of 25 ms: shown at most every 200 ms, and the last. */
static void test_progress_is_paced(void **state)
{
    struct run run;
    size_t shown = 0;

    (void)state;
    run_to_end(&run, "{\"play\":\"steps\",\"count\":40,\"period_ms\":25}");
    for (const char *at = run.channel.data; (at = strstr(at, "{\"type\":\"progress\"")) != NULL; at++)
        shown++;
    assert_in_range(shown, 2, 10);
    assert_non_null(strstr(run.channel.data, "{\"type\":\"log\",\"line\":\"building features: 0/40 (0%)\"}"));
    assert_non_null(strstr(
        run.channel.data, "{\"type\":\"progress\",\"phase\":\"building features\",\"done\":40,\"total\":40}\n"
                          "{\"type\":\"log\",\"line\":\"building features: 40/40 (100%) eta 0s\"}\n"));
    release(&run);
}

static void test_term_asks_to_stop(void **state)
{
    struct run run;

    (void)state;
    start(&run,
          "{\"task\":\"t\",\"options\":{\"play\":\"steps\",\"count\":100000,\"period_ms\":5},\"job\":7}");
    read_until(&run, "progress");
    process_signal(&run.process, SIGTERM);
    finish(&run);
    assert_true(run.end.exited);
    assert_non_null(strstr(run.channel.data, "{\"type\":\"failed\",\"code\":\"cancelled\""));
    release(&run);
}

/* The worker sleeps and does not look: the second signal ends it. */
static void test_second_term_ends(void **state)
{
    struct run run;

    (void)state;
    start(&run, "{\"task\":\"t\",\"options\":{\"play\":\"sleeper_ignores_term\"},\"job\":7}");
    read_until(&run, "sleeper");
    bool has_ended = false;
    for (int round = 0; !has_ended && round < WAIT_MS / 50;
         round++) { /* two that come together count as one */
        process_signal(&run.process, SIGTERM);
        has_ended = process_wait(&run.process, 50, &run.end);
    }
    assert_true(has_ended);
    assert_int_equal(run.end.signal, SIGTERM);
    assert_int_equal(kill(-run.process.pid, SIGKILL),
                     0); /* its child; as long as that lives the group keeps its name */
    read_until(&run, NULL);
    process_close(&run.process);
    release(&run);
}

static void test_threads_never_mix(void **state)
{
    struct run run;

    (void)state;
    run_to_end(&run, "{\"play\":\"threads\"}");
    struct protocol_message message = message_at(&run, -1); /* reads every line */
    assert_int_equal(message.kind, PROTOCOL_RESULT);
    protocol_message_release(&message);
    size_t lines = 0;
    for (const char *at = run.channel.data; (at = strstr(at, "\"line\":\"thread line\"")) != NULL; at++)
        lines++;
    assert_int_equal(lines, 800);
    release(&run);
}

static void check_refused(const char *request, const char *expected)
{
    struct run run;

    start(&run, request);
    finish(&run);
    assert_true(run.end.exited);
    assert_int_not_equal(run.end.exit_code, 0);
    assert_string_equal(buffer_text(&run.channel), ""); /* not even a hello */
    assert_non_null(strstr(buffer_text(&run.log), expected));
    release(&run);
}

static void test_bad_requests(void **state)
{
    (void)state;
    check_refused("", "the request is empty");
    check_refused("{\"task\":", "malformed JSON");
    check_refused("[1]", "not a JSON object");
}

/* By hand in a terminal: there is no channel. */
static void test_without_a_server(void **state)
{
    struct worker *worker;
    const char *request;
    size_t size_bytes;
    struct err err = {0};
    int copy = dup(PROCESS_CHANNEL);

    (void)state;
    close(PROCESS_CHANNEL);
    assert_int_equal(worker_open(&worker, &request, &size_bytes, &err), ERR_INVALID);
    assert_string_equal(err.text, "descriptor 3 is not a pipe: a worker is started by the server only");
    assert_null(worker);
    if (copy >= 0) {
        assert_int_equal(dup2(copy, PROCESS_CHANNEL), PROCESS_CHANNEL);
        close(copy);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_unsendable_results),
        cmocka_unit_test(test_progress_is_paced),
        cmocka_unit_test(test_term_asks_to_stop),
        cmocka_unit_test(test_second_term_ends),
        cmocka_unit_test(test_threads_never_mix),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_without_a_server),
    };

    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return test_worker_main();
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
