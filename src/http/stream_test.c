/* Streams of server-sent events, over a socket: format, latency, who ends them and how. */
#include "http/test_server.h"

#include "http/router.h"
#include "http/stream.h"

#include <stdatomic.h>
#include <stdio.h>

#define HOST "Host: localhost\r\n"

enum { STREAMS = 32 };

/* Written on the server's thread only, but `closed`. */
static struct test_server server;
static struct http_stream *streams[STREAMS];
static size_t opened;
static atomic_int closed[STREAMS];

static void on_closed(void *context)
{
    size_t index = (size_t)(uintptr_t)context;
    streams[index] = NULL;
    atomic_fetch_add(&closed[index], 1);
}

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    struct err err;
    struct http_stream *stream;
    (void)context;
    assert_true(opened < STREAMS);
    if (strcmp(request->path, "/plain") == 0) {
        buffer_append_text(&response->body, "plain");
        return;
    }
    enum err_code code =
        http_stream_open(request, response, on_closed, (void *)(uintptr_t)opened, &stream, &err);
    assert_int_equal(code, ERR_OK);
    streams[opened++] = stream;
    if (strcmp(request->path, "/history") == 0)
        for (int id = 0; id < 100; id++)
            http_stream_event(stream, id, "line", "old", 3);
    if (strcmp(request->path, "/ended") == 0) {
        http_stream_event(stream, 1, NULL, "only", 4);
        http_stream_end(stream);
    }
    if (strcmp(request->path, "/regret") == 0) {
        (void)err_set(&err, ERR_CONFLICT, "changed my mind");
        http_respond_error(response, &err);
    }
}

static int set_up(void **state)
{
    (void)state;
    opened = 0;
    for (size_t index = 0; index < STREAMS; index++)
        atomic_store(&closed[index], 0);
    test_server_start(&server, (struct listener_options){.handle = handle,
                                                         .request_time_ms = TEST_WAIT_MS,
                                                         .idle_time_ms = TEST_WAIT_MS});
    return 0;
}

/* For tests of deadlines; to the others a machine that stands still for a moment must not look like one. */
static void hurry(void)
{
    test_server_stop(&server);
    test_server_start(
        &server, (struct listener_options){.handle = handle, .request_time_ms = 400, .idle_time_ms = 1000});
}

static int tear_down(void **state)
{
    (void)state;
    test_server_stop(&server);
    for (size_t index = 0; index < opened; index++) /* of every test: once, never twice */
        assert_int_equal(atomic_load(&closed[index]), 1);
    return 0;
}

static void await_closed(size_t index)
{
    int64_t end_us = clock_monotonic_us() + TEST_WAIT_MS * 1000;
    while (atomic_load(&closed[index]) == 0) {
        assert_true(clock_monotonic_us() < end_us);
        usleep(500);
    }
    assert_int_equal(atomic_load(&closed[index]), 1);
}

/* The head of the stream's answer; the client then reads chunks. */
static int open_stream(const char *path)
{
    char request[128];
    int client = test_connect(server.port);
    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
    test_send_text(client, request);
    struct test_answer answer = test_receive(client, 0);
    assert_int_equal(answer.status, 200);
    assert_memory_equal(test_answer_header(&answer, "\r\nContent-Type: "), "text/event-stream\r\n", 19);
    assert_memory_equal(test_answer_header(&answer, "\r\nCache-Control: "), "no-cache\r\n", 10);
    free(answer.body);
    return client;
}

static char read_byte(int client)
{
    char byte;
    assert_int_equal(recv(client, &byte, 1, 0), 1);
    return byte;
}

/* Exactly `text` comes next, in chunks of whatever size. */
static void expect_bytes(int client, const char *text)
{
    static size_t left; /* of the current chunk; every client here reads to the end of a chunk */
    for (; *text != '\0'; text++) {
        if (left == 0) {
            char byte, size[16] = "";
            for (size_t used = 0; (byte = read_byte(client)) != '\n'; used++) {
                assert_true(used < sizeof size - 1);
                size[used] = byte;
            }
            left = strtoul(size, NULL, 16);
            assert_true(left > 0);
        }
        char byte = read_byte(client);
        assert_int_equal(byte, *text);
        if (--left == 0) {
            assert_int_equal(read_byte(client), '\r');
            assert_int_equal(read_byte(client), '\n');
        }
    }
}

struct event {
    size_t stream;
    int64_t id;
    const char *name, *data;
    size_t size_bytes;
    size_t unsent_bytes; /* out */
};

static void send_event(void *context)
{
    struct event *event = context;
    if (streams[event->stream] == NULL)
        return;
    http_stream_event(streams[event->stream], event->id, event->name, event->data, event->size_bytes);
    event->unsent_bytes = http_stream_unsent_bytes(streams[event->stream]);
}

static void send_text_event(size_t stream, int64_t id, const char *name, const char *data)
{
    struct event event = {.stream = stream, .id = id, .name = name, .data = data, .size_bytes = strlen(data)};
    test_server_call(&server, send_event, &event);
}

static void end_stream(void *context)
{
    http_stream_end(streams[*(size_t *)context]);
}

/* ---- what arrives ---- */

static void events_have_the_format_of_the_standard(void **state)
{
    (void)state;
    int client = open_stream("/events");
    send_text_event(0, 7, "progress", "{\"done\":1}");
    expect_bytes(client, "id: 7\nevent: progress\ndata: {\"done\":1}\n\n");
    send_text_event(0, -1, NULL, "");
    expect_bytes(client, "data: \n\n");
    send_text_event(0, 0, NULL, "a\nb\r\nc\rd\n");
    expect_bytes(client, "id: 0\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
    close(client);
    await_closed(0);
}

static void events_arrive_at_once(void **state)
{
    enum { ROUNDS = 200 };
    int64_t worst_us = 0, total_us = 0;
    int late = 0;
    (void)state;
    int client = open_stream("/events");
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start_us = clock_monotonic_us();
        send_text_event(0, -1, NULL, "tick");
        expect_bytes(client, "data: tick\n\n");
        int64_t took_us = clock_monotonic_us() - start_us;
        total_us += took_us;
        if (took_us > worst_us)
            worst_us = took_us;
        late += took_us > 50000;
        usleep(1000); /* parked again */
    }
    print_message("latency of an event: mean %d us, worst %d us\n", (int)(total_us / ROUNDS), (int)worst_us);
    assert_true(late <= ROUNDS / 2); /* a busy machine may stop anybody now and then */
    close(client);
}

static void a_history_and_news_arrive_in_order(void **state)
{
    char text[64];
    (void)state;
    int client = open_stream("/history");
    send_text_event(0, 100, "line", "new");
    for (int id = 0; id <= 100; id++) {
        (void)snprintf(text, sizeof text, "id: %d\nevent: line\ndata: %s\n\n", id, id < 100 ? "old" : "new");
        expect_bytes(client, text);
    }
    close(client);
}

static void events_of_any_size_arrive_whole(void **state)
{
    enum { SIZE = 900000 };
    char *data = malloc(SIZE + 16);
    (void)state;
    int client = open_stream("/events");
    for (int round = 0; round < 3; round++) {
        memset(data, 'a' + round, SIZE);
        data[SIZE] = '\0';
        send_text_event(0, -1, NULL, data);
        memcpy(data + SIZE, "\n\n", 3);
        expect_bytes(client, "data: ");
        expect_bytes(client, data);
    }
    free(data);
    close(client);
}

static void many_streams_get_the_same_event(void **state)
{
    enum { COUNT = 20 };
    int clients[COUNT];
    (void)state;
    for (size_t index = 0; index < COUNT; index++)
        clients[index] = open_stream("/events");
    for (int round = 0; round < 10; round++) {
        for (size_t index = 0; index < COUNT; index++)
            send_text_event(index, round, NULL, "all");
        for (size_t index = 0; index < COUNT; index++) {
            char text[32];
            (void)snprintf(text, sizeof text, "id: %d\ndata: all\n\n", round);
            expect_bytes(clients[index], text);
        }
    }
    for (size_t index = 0; index < COUNT; index++)
        close(clients[index]);
    for (size_t index = 0; index < COUNT; index++)
        await_closed(index);
}

static void http_1_0_gets_plain_bytes(void **state)
{
    char got[64] = "";
    (void)state;
    int client = test_connect(server.port);
    test_send_text(client, "GET /ended HTTP/1.0\r\n\r\n");
    struct test_answer answer = test_receive(client, 0);
    free(answer.body);
    for (size_t used = 0; recv(client, got + used, 1, 0) == 1; used++)
        assert_true(used < sizeof got - 2);
    assert_string_equal(got, "id: 1\ndata: only\n\n");
    close(client);
}

/* ---- how it ends ---- */

static void a_stream_outlives_every_deadline(void **state)
{
    (void)state;
    hurry();
    int client = open_stream("/events");
    usleep(1500000); /* idle_time_ms is 1000 */
    send_text_event(0, 1, NULL, "still here");
    expect_bytes(client, "id: 1\ndata: still here\n\n");
    assert_int_equal(atomic_load(&closed[0]), 0);
    close(client);
    await_closed(0);
    test_server_await_connections(&server, 0);
}

static void who_leaves_is_noticed(void **state)
{
    struct linger reset = {.l_onoff = 1};
    (void)state;
    int client = open_stream("/events"); /* says goodbye */
    close(client);
    await_closed(0);
    client = open_stream("/events"); /* breaks off */
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(client);
    await_closed(1);
    client = open_stream("/events"); /* breaks off, with an event on the way */
    close(client);
    send_text_event(2, 1, NULL, "too late");
    await_closed(2);
    test_server_await_connections(&server, 0);
}

/* Whoever is older and stays must not keep those who left. */
static void who_leaves_is_forgotten_before_older_clients(void **state)
{
    (void)state;
    test_server_stop(&server);
    test_server_start(&server, (struct listener_options){.handle = handle});
    int older = test_connect(server.port);
    struct test_answer answer = test_exchange(older, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 200);
    free(answer.body);
    for (size_t stream = 0; stream < 3; stream++) {
        close(open_stream("/events"));
        await_closed(stream);
        test_server_await_connections(&server, 1);
    }
    close(older);
    test_server_await_connections(&server, 0);
}

static void an_ended_stream_is_whole_and_the_connection_goes_on(void **state)
{
    size_t stream = 0;
    (void)state;
    int client = open_stream("/events");
    send_text_event(0, 1, NULL, "last");
    test_server_call(&server, end_stream, &stream);
    expect_bytes(client, "id: 1\ndata: last\n\n");
    for (const char *at = "0\r\n\r\n"; *at != '\0'; at++) /* the end of a chunked body */
        assert_int_equal(read_byte(client), *at);
    await_closed(0);
    struct test_answer answer = test_exchange(client, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(answer.body, "plain");
    free(answer.body);
    close(client);
    client = open_stream("/ended"); /* ended before it began */
    expect_bytes(client, "id: 1\ndata: only\n\n");
    await_closed(1);
    close(client);
}

static void who_does_not_read_is_cut_off(void **state)
{
    static char data[100000];
    struct event event = {.id = -1, .data = data, .size_bytes = sizeof data};
    (void)state;
    memset(data, 'x', sizeof data);
    int client = open_stream("/events");
    for (int round = 0; round < 1000 && atomic_load(&closed[0]) == 0; round++) {
        test_server_call(&server, send_event, &event);
        assert_true(event.unsent_bytes <= 1 << 20);
    }
    await_closed(0); /* the kernel takes some megabytes, then the queue fills */
    test_await_close(client);
    close(client);
}

static void who_does_not_read_is_dropped_in_time(void **state)
{
    static char data[100000];
    struct event event = {.id = -1, .data = data, .size_bytes = sizeof data};
    (void)state;
    hurry();
    memset(data, 'x', sizeof data);
    int client = open_stream("/events");
    for (int round = 0; round < 1000; round++) { /* until the socket is full, but the queue is not */
        test_server_call(&server, send_event, &event);
        usleep(1000);
        if (event.unsent_bytes > 300000)
            break;
    }
    await_closed(0);
    close(client);
}

static void one_event_may_be_too_much(void **state)
{
    static char data[3 << 20];
    struct event event = {.id = -1, .data = data, .size_bytes = sizeof data};
    (void)state;
    memset(data, 'x', sizeof data);
    int client = open_stream("/events");
    test_server_call(&server, send_event, &event);
    await_closed(0);
    test_await_close(client);
    close(client);
}

static void head_and_a_change_of_mind_close_the_stream(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    struct test_answer answer = test_exchange(client, "HEAD /events HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 200);
    free(answer.body);
    await_closed(0);
    answer = test_exchange(client, "GET /regret HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 409);
    assert_non_null(strstr(answer.body, "changed my mind"));
    free(answer.body);
    await_closed(1);
    close(client);
}

static void destroy_closes_streams(void **state)
{
    static char data[1 << 19];
    struct event event = {.stream = 2, .id = -1, .data = data, .size_bytes = sizeof data};
    (void)state;
    memset(data, 'x', sizeof data);
    int clients[3];
    for (size_t index = 0; index < 3; index++)
        clients[index] = open_stream("/events");
    for (int round = 0; round < 40 && event.unsent_bytes == 0;
         round++) /* the third is in the middle of sending */
        test_server_call(&server, send_event, &event);
    test_server_stop(&server);
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal(atomic_load(&closed[index]), 1);
        test_await_close(clients[index]);
        close(clients[index]);
    }
    test_server_start(&server, (struct listener_options){.handle = handle}); /* for tear_down */
}

/* ---- the queue alone ---- */

static int woken, dropped;

static void on_wake(void *context)
{
    (void)context;
    woken++;
}

static void on_drop(void *context)
{
    (void)context;
    dropped++;
}

static struct http_stream *lone_stream(void)
{
    struct http_stream *stream = stream_create();
    assert_non_null(stream);
    stream->wake = on_wake;
    stream->drop = on_drop;
    woken = dropped = 0;
    return stream;
}

static void a_parked_stream_is_woken_once(void **state)
{
    char out[64];
    (void)state;
    struct http_stream *stream = lone_stream();
    assert_int_equal(stream_take(stream, out, sizeof out), STREAM_PARK);
    http_stream_event(stream, -1, NULL, "a", 1);
    http_stream_event(stream, -1, NULL, "b", 1);
    http_stream_end(stream);
    http_stream_event(stream, -1, NULL, "ignored", 7);
    assert_int_equal(woken, 1);
    assert_int_equal(stream_take(stream, out, 10), 10);
    assert_int_equal(stream_take(stream, out + 10, sizeof out - 10), 8);
    assert_memory_equal(out, "data: a\n\ndata: b\n\n", 18);
    assert_int_equal(stream_take(stream, out, sizeof out), STREAM_DONE);
    assert_int_equal(woken, 1);
    assert_int_equal(dropped, 0);
    stream_destroy(stream);
}

static void a_cut_stream_is_lost(void **state)
{
    char out[64];
    (void)state;
    struct http_stream *stream = lone_stream();
    http_stream_event(stream, -1, NULL, "a", 1);
    stream_cut(stream);
    stream_cut(stream);
    assert_int_equal(dropped, 1);
    assert_int_equal(woken, 0);
    http_stream_event(stream, -1, NULL, "b", 1);
    http_stream_end(stream);
    stream_beat(stream);
    assert_int_equal(http_stream_unsent_bytes(stream), 0);
    assert_int_equal(stream_take(stream, out, sizeof out), STREAM_LOST);
    stream_destroy(stream);
}

static void beats_fill_silence_only(void **state)
{
    char out[64];
    (void)state;
    struct http_stream *stream = lone_stream();
    assert_false(stream_is_stuck(stream));
    stream_beat(stream);
    stream_beat(stream);
    assert_true(stream_is_stuck(stream)); /* nobody took it */
    assert_int_equal(stream_take(stream, out, sizeof out), 3);
    assert_memory_equal(out, ":\n\n", 3);
    assert_false(stream_is_stuck(stream));
    http_stream_event(stream, -1, NULL, "a", 1);
    stream_beat(stream);
    assert_int_equal(http_stream_unsent_bytes(stream), 9);
    stream_destroy(stream);
}

/* A reader that keeps up a little too slowly: bytes stay in order through every compaction. */
static void a_long_queue_keeps_its_order(void **state)
{
    static char out[3000], want[64];
    char *got = calloc(1, 4 << 20);
    size_t got_bytes = 0, want_bytes = 0;
    (void)state;
    struct http_stream *stream = lone_stream();
    for (int id = 0; id < 50000; id++) {
        http_stream_event(stream, id, NULL, "x", 1);
        if (id % 100 == 0) {
            ptrdiff_t taken = stream_take(stream, out, 1 + (size_t)id * 7 % sizeof out);
            memcpy(got + got_bytes, out, (size_t)taken);
            got_bytes += (size_t)taken;
        }
    }
    http_stream_end(stream);
    for (ptrdiff_t taken; (taken = stream_take(stream, out, sizeof out)) > 0; got_bytes += (size_t)taken)
        memcpy(got + got_bytes, out, (size_t)taken);
    for (int id = 0; id < 50000; id++) {
        int length = snprintf(want, sizeof want, "id: %d\ndata: x\n\n", id);
        assert_memory_equal(got + want_bytes, want, (size_t)length);
        want_bytes += (size_t)length;
    }
    assert_int_equal(got_bytes, want_bytes);
    free(got);
    stream_destroy(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_have_the_format_of_the_standard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_arrive_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_history_and_news_arrive_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_of_any_size_arrive_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_streams_get_the_same_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(http_1_0_gets_plain_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_outlives_every_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_is_forgotten_before_older_clients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ended_stream_is_whole_and_the_connection_goes_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_read_is_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_read_is_dropped_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_event_may_be_too_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_and_a_change_of_mind_close_the_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(destroy_closes_streams, set_up, tear_down),
        cmocka_unit_test(a_parked_stream_is_woken_once),
        cmocka_unit_test(a_cut_stream_is_lost),
        cmocka_unit_test(beats_fill_silence_only),
        cmocka_unit_test(a_long_queue_keeps_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
