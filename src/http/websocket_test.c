/* The hub over real sockets: handshakes, messages both ways, groups, and everything that ends a connection. */
#include "http/test_server.h"
#include "http/test_websocket.h"

#include "base/json.h"
#include "http/router.h"
#include "http/websocket.h"
#include "limits.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>

enum { GROUP = 5 };

struct fixture {
    struct test_server server;
    struct websocket_hub *hub;
    struct websocket_options options;
    atomic_int closed_code; /* of the last one */
    atomic_int closed_count;
};

static const char handshake[] =
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void send_text(struct fixture *fixture, uint64_t client, const char *text)
{
    struct websocket_frame *frame;
    assert_int_equal(websocket_frame_create(WEBSOCKET_TEXT, text, strlen(text), &frame, NULL), ERR_OK);
    websocket_hub_send(fixture->hub, client, frame);
    websocket_frame_release(frame);
}

/* "join" and "leave" are orders, the rest comes back. */
static void on_message(void *context, uint64_t client, const char *text, size_t size_bytes)
{
    struct fixture *fixture = context;
    assert_int_equal(strlen(text), size_bytes);
    if (strcmp(text, "join") == 0)
        websocket_hub_join(fixture->hub, client, UINT64_C(1) << GROUP);
    if (strcmp(text, "leave") == 0)
        websocket_hub_join(fixture->hub, client, 0);
    if (strcmp(text, "close") == 0)
        websocket_hub_close(fixture->hub, client, WEBSOCKET_NORMAL);
    else
        send_text(fixture, client, text);
}

static void on_closed(void *context, uint64_t client, int code)
{
    struct fixture *fixture = context;
    (void)client;
    atomic_store(&fixture->closed_code, code);
    (void)atomic_fetch_add(&fixture->closed_count, 1);
}

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    struct fixture *fixture = context;
    struct err err;
    uint64_t client;
    if (strcmp(request->path, "/ws") != 0) {
        buffer_append_text(&response->body, "{}");
        return;
    }
    if (websocket_hub_accept(fixture->hub, request, response, &client, &err) != ERR_OK) {
        http_respond_error(response, &err);
        return;
    }
    if (client != 0 && http_request_query(request, "fail") != NULL) {
        (void)err_set(&err, ERR_CONFLICT, "changed my mind");
        http_respond_error(response, &err);
    }
}

/* options: what differs from the defaults. */
static struct fixture *start(struct websocket_options options)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err;
    options.message = on_message;
    options.closed = on_closed;
    options.context = fixture;
    assert_int_equal(loop_create(&fixture->server.loop, &err), ERR_OK);
    assert_int_equal(websocket_hub_create(fixture->server.loop, &options, &fixture->hub, &err), ERR_OK);
    struct listener_options listen = {.address = "127.0.0.1", .handle = handle, .context = fixture};
    assert_int_equal(listener_create(fixture->server.loop, listen, &fixture->server.listener, &err), ERR_OK);
    fixture->server.port = listener_port(fixture->server.listener);
    assert_int_equal(pthread_create(&fixture->server.thread, NULL, test_server_main, &fixture->server), 0);
    return fixture;
}

static void stop(struct fixture *fixture)
{
    void *failed;
    loop_stop(fixture->server.loop);
    assert_int_equal(pthread_join(fixture->server.thread, &failed), 0);
    assert_null(failed);
    listener_destroy(fixture->server.listener);
    websocket_hub_destroy(fixture->hub);
    loop_destroy(fixture->server.loop);
    free(fixture);
}

static int open_client(const struct fixture *fixture)
{
    int client = test_connect(fixture->server.port);
    struct test_answer answer = test_exchange(client, handshake);
    assert_int_equal(answer.status, 101);
    free(answer.body);
    return client;
}

static void send_frame(int client, unsigned first, const void *payload, size_t size_bytes)
{
    struct test_frames *frames = calloc(1, sizeof *frames);
    test_add_frame(frames, first, payload, size_bytes);
    assert_true(test_send(client, (const char *)frames->bytes, frames->size_bytes));
    free(frames);
}

static void say(int client, const char *text)
{
    send_frame(client, TEST_FIN | WEBSOCKET_TEXT, text, strlen(text));
}

static int read_exactly(int client, void *out, size_t size_bytes)
{
    for (size_t used = 0; used < size_bytes;) {
        ssize_t got = recv(client, (char *)out + used, size_bytes - used, 0);
        if (got <= 0)
            return 0;
        used += (size_t)got;
    }
    return 1;
}

struct frame {
    int opcode; /* -1: the connection ended */
    char text[1 << 17];
    size_t size_bytes;
};

static void read_frame(int client, struct frame *out)
{
    unsigned char head[2], length[8];
    out->opcode = -1;
    if (!read_exactly(client, head, 2))
        return;
    assert_int_equal(head[0] & 0xf0, TEST_FIN);
    assert_int_equal(head[1] & TEST_MASKED, 0); /* a server does not mask */
    size_t length_bytes = head[1] < 126 ? 0 : head[1] == 126 ? 2 : 8;
    out->size_bytes = length_bytes == 0 ? head[1] : 0;
    assert_true(read_exactly(client, length, length_bytes));
    for (size_t i = 0; i < length_bytes; i++)
        out->size_bytes = out->size_bytes << 8 | length[i];
    assert_true(out->size_bytes < sizeof out->text);
    assert_true(read_exactly(client, out->text, out->size_bytes));
    out->text[out->size_bytes] = '\0';
    out->opcode = head[0] & 0x0f;
}

static void hear(int client, const char *wanted)
{
    static struct frame frame;
    read_frame(client, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_TEXT);
    assert_string_equal(frame.text, wanted);
}

/* The next frame closes; then the connection ends (the client answers first). */
static void hear_close(int client, int code)
{
    static struct frame frame;
    read_frame(client, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_CLOSE);
    int heard = (unsigned char)frame.text[0] << 8 | (unsigned char)frame.text[1];
    assert_int_equal(frame.size_bytes == 0 ? WEBSOCKET_NO_CODE : heard, code);
    send_frame(client, TEST_FIN | WEBSOCKET_CLOSE, frame.text, frame.size_bytes < 2 ? 0 : 2);
    test_await_close(client);
    close(client);
}

static void await_closed(struct fixture *fixture, int count)
{
    int64_t end_us = clock_monotonic_us() + TEST_WAIT_MS * 1000;
    while (atomic_load(&fixture->closed_count) != count) {
        assert_true(clock_monotonic_us() < end_us);
        usleep(1000);
    }
}

/* ---- handshake ---- */

static void test_handshake_and_echo(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = test_connect(fixture->server.port);
    (void)state;
    struct test_answer answer = test_exchange(client, handshake);
    assert_int_equal(answer.status, 101);
    assert_int_equal(strncmp(test_answer_header(&answer, "\r\nSec-WebSocket-Accept: "),
                             "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28),
                     0);
    assert_int_equal(strncasecmp(test_answer_header(&answer, "\r\nUpgrade: "), "websocket", 9), 0);
    assert_int_equal(strncasecmp(test_answer_header(&answer, "\r\nConnection: "), "upgrade", 7), 0);
    free(answer.body);
    say(client, "hello");
    hear(client, "hello");
    send_frame(client, TEST_FIN | WEBSOCKET_CLOSE, "\x03\xe8", 2);
    hear_close(client, WEBSOCKET_NORMAL);
    await_closed(fixture, 1);
    assert_int_equal(atomic_load(&fixture->closed_code), WEBSOCKET_NORMAL);
    stop(fixture);
}

#define ASK(headers) "GET /ws HTTP/1.1\r\nHost: localhost\r\n" headers "\r\n"
#define KEY          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADE      "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static void test_refusals(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    uint16_t port = fixture->server.port;
    (void)state;
    test_once(port, ASK(""), 426, "WebSocket only");
    test_once(port, ASK(UPGRADE "Sec-WebSocket-Version: 12\r\n" KEY), 426, "version '12'");
    test_once(port, ASK(UPGRADE "Sec-WebSocket-Version: 13\r\n"), 400, "Sec-WebSocket-Key");
    test_once(port, ASK(UPGRADE "Sec-WebSocket-Version: 13\r\nOrigin: http://evil.example\r\n" KEY), 403,
              "evil.example");
    test_once(port,
              "GET /ws HTTP/1.1\r\nHost: evil.example\r\n" UPGRADE "Sec-WebSocket-Version: 13\r\n" KEY "\r\n",
              403, "evil.example");
    test_once(port,
              "GET /ws HTTP/1.0\r\nHost: localhost\r\n" UPGRADE "Sec-WebSocket-Version: 13\r\n" KEY "\r\n",
              426, "HTTP/1.1");
    test_once(port,
              "GET /ws?fail HTTP/1.1\r\nHost: localhost\r\n" UPGRADE "Sec-WebSocket-Version: 13\r\n" KEY
              "\r\n",
              409, "changed my mind");
    await_closed(fixture, 1);        /* of the last one */
    int client = test_connect(port); /* a connection goes on after a refusal */
    struct test_answer answer = test_exchange(client, ASK(""));
    assert_int_equal(strncmp(test_answer_header(&answer, "\r\nSec-WebSocket-Version: "), "13", 2), 0);
    assert_int_equal(strncmp(test_answer_header(&answer, "\r\nUpgrade: "), "websocket", 9), 0);
    free(answer.body);
    answer = test_exchange(client, handshake);
    assert_int_equal(answer.status, 101);
    free(answer.body);
    close(client);
    stop(fixture);
}

static void test_own_origin_is_welcome(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = test_connect(fixture->server.port);
    (void)state;
    struct test_answer answer = test_exchange(
        client, ASK(UPGRADE "Sec-WebSocket-Version: 13\r\nOrigin: http://localhost:5050\r\n" KEY));
    assert_int_equal(answer.status, 101);
    free(answer.body);
    close(client);
    stop(fixture);
}

static void test_frames_right_behind_the_handshake(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = test_connect(fixture->server.port);
    struct test_frames frames = {0};
    (void)state;
    memcpy(frames.bytes, handshake, strlen(handshake));
    frames.size_bytes = strlen(handshake);
    test_add_text(&frames, "early");
    test_add_text(&frames, "bird");
    assert_true(test_send(client, (const char *)frames.bytes, frames.size_bytes - 3)); /* and half a frame */
    struct test_answer answer = test_receive(client, 1);
    assert_int_equal(answer.status, 101);
    free(answer.body);
    hear(client, "early");
    assert_true(test_send(client, (const char *)frames.bytes + frames.size_bytes - 3, 3));
    hear(client, "bird");
    close(client);
    stop(fixture);
}

static size_t open_files(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* The library keeps nothing of an upgraded connection: no connection, no descriptor; and waking others works on. */
static void test_the_listener_forgets_the_connection(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    enum { CLIENTS = 20 };
    int clients[CLIENTS];
    (void)state;
    size_t files = open_files();
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = open_client(fixture);
    test_server_await_connections(&fixture->server, 0);
    assert_int_equal(open_files(), files + 2 * (size_t)CLIENTS); /* both ends are in this process */
    usleep(1200 * 1000); /* the listener has looked for late clients */
    test_once(fixture->server.port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "{}");
    for (size_t i = 0; i < CLIENTS; i++) {
        say(clients[i], "still here");
        hear(clients[i], "still here");
        close(clients[i]);
    }
    await_closed(fixture, CLIENTS);
    assert_int_equal(atomic_load(&fixture->closed_code), WEBSOCKET_LOST);
    assert_int_equal(open_files(), files);
    stop(fixture);
}

static void test_a_full_house(void **state)
{
    struct fixture *fixture = start((struct websocket_options){.max_clients = 2});
    int first = open_client(fixture), second = open_client(fixture);
    (void)state;
    test_once(fixture->server.port, handshake, 503, "limit");
    close(first);
    await_closed(fixture, 1);
    first = open_client(fixture);
    say(first, "in");
    hear(first, "in");
    say(second, "also");
    hear(second, "also");
    close(first);
    close(second);
    stop(fixture);
}

/* ---- messages ---- */

struct broadcast {
    struct fixture *fixture;
    const char *text;
    size_t size_bytes, count;
};

static void run_broadcast(void *context)
{
    struct broadcast *broadcast = context;
    for (size_t i = 0; i < broadcast->count; i++) {
        struct websocket_frame *frame;
        assert_int_equal(
            websocket_frame_create(WEBSOCKET_TEXT, broadcast->text, broadcast->size_bytes, &frame, NULL),
            ERR_OK);
        websocket_hub_broadcast(broadcast->fixture->hub, GROUP, frame);
        websocket_frame_release(frame);
    }
}

static void test_groups(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int inside = open_client(fixture), outside = open_client(fixture);
    struct broadcast broadcast = {fixture, "news", 4, 1};
    (void)state;
    say(inside, "join");
    hear(inside, "join");
    test_server_call(&fixture->server, run_broadcast, &broadcast);
    hear(inside, "news");
    say(outside, "anything?");
    hear(outside, "anything?"); /* and nothing before */
    say(inside, "leave");
    hear(inside, "leave");
    test_server_call(&fixture->server, run_broadcast, &broadcast);
    say(inside, "anything?");
    hear(inside, "anything?");
    close(inside);
    close(outside);
    stop(fixture);
}

static void test_long_messages_both_ways(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = open_client(fixture);
    static struct frame frame;
    static char text[70000];
    struct broadcast broadcast = {fixture, text, sizeof text, 3};
    (void)state;
    memset(text, 'x', sizeof text);
    send_frame(client, TEST_FIN | WEBSOCKET_TEXT, text, LIMIT_WS_MESSAGE_BYTES);
    read_frame(client, &frame);
    assert_int_equal(frame.size_bytes, LIMIT_WS_MESSAGE_BYTES);
    say(client, "join");
    hear(client, "join");
    test_server_call(&fixture->server, run_broadcast, &broadcast);
    for (int i = 0; i < 3; i++) {
        read_frame(client, &frame);
        assert_int_equal(frame.size_bytes, sizeof text);
        assert_memory_equal(frame.text, text, sizeof text);
    }
    close(client);
    stop(fixture);
}

static void test_ping_is_answered(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = open_client(fixture);
    static struct frame frame;
    (void)state;
    send_frame(client, TEST_FIN | WEBSOCKET_PING, "are you there", 13);
    read_frame(client, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_PONG);
    assert_string_equal(frame.text, "are you there");
    close(client);
    stop(fixture);
}

/* ---- ends ---- */

static void broken(struct fixture *fixture, unsigned first, const char *payload, size_t size_bytes, int code)
{
    int client = open_client(fixture);
    int count = atomic_load(&fixture->closed_count);
    send_frame(client, first, payload, size_bytes);
    hear_close(client, code);
    await_closed(fixture, count + 1);
    assert_int_equal(atomic_load(&fixture->closed_code), code);
}

static void test_broken_frames_close_with_a_code(void **state)
{
    struct fixture *fixture = start((struct websocket_options){.close_ms = 100});
    static char text[LIMIT_WS_MESSAGE_BYTES + 1];
    (void)state;
    memset(text, 'x', sizeof text);
    broken(fixture, TEST_FIN | 3, "x", 1, WEBSOCKET_PROTOCOL_ERROR);
    broken(fixture, TEST_FIN | WEBSOCKET_BINARY, "x", 1, WEBSOCKET_UNSUPPORTED);
    broken(fixture, TEST_FIN | WEBSOCKET_TEXT, "\xff", 1, WEBSOCKET_BAD_TEXT);
    broken(fixture, TEST_FIN | WEBSOCKET_TEXT, text, sizeof text, WEBSOCKET_TOO_BIG);
    broken(fixture, TEST_FIN | WEBSOCKET_CLOSE, "", 0, WEBSOCKET_NO_CODE);
    stop(fixture);
}

static void test_the_server_closes(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = open_client(fixture);
    (void)state;
    say(client, "close");
    hear_close(client, WEBSOCKET_NORMAL);
    await_closed(fixture, 1);
    stop(fixture);
}

static void test_too_many_messages(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = open_client(fixture);
    static struct frame frame;
    struct test_frames *frames = calloc(1, sizeof *frames);
    int heard = 0;
    (void)state;
    for (int i = 0; i < 3 * LIMIT_WS_MESSAGES_PER_S; i++)
        test_add_text(frames, "again");
    assert_true(test_send(client, (const char *)frames->bytes, frames->size_bytes));
    do
        read_frame(client, &frame);
    while (frame.opcode == WEBSOCKET_TEXT && ++heard <= 2 * LIMIT_WS_MESSAGES_PER_S);
    assert_int_equal(frame.opcode, WEBSOCKET_CLOSE);
    assert_int_equal((unsigned char)frame.text[0] << 8 | (unsigned char)frame.text[1], WEBSOCKET_POLICY);
    close(client);
    free(frames);
    stop(fixture);
}

/* Answers three pings and hears a fourth; false: it was dropped. */
static bool answers_stay(int client)
{
    static struct frame frame;
    for (int i = 0; i < 4; i++) {
        read_frame(client, &frame);
        if (frame.opcode != WEBSOCKET_PING)
            return false;
        if (i < 3)
            send_frame(client, TEST_FIN | WEBSOCKET_PONG, "", 0);
    }
    return true;
}

static void test_a_silent_client_is_asked_and_then_dropped(void **state)
{
    struct fixture *fixture = start((struct websocket_options){.ping_ms = 200, .pong_ms = 1000});
    int client = open_client(fixture), late = 0;
    (void)state;
    while (!answers_stay(client)) { /* its answer was late where the machine stood still */
        assert_true(++late < 5);
        await_closed(fixture, late);
        close(client);
        client = open_client(fixture);
    }
    assert_int_equal(atomic_load(&fixture->closed_count), late);
    test_await_close(client);
    await_closed(fixture, late + 1);
    assert_int_equal(atomic_load(&fixture->closed_code), WEBSOCKET_LOST);
    close(client);
    stop(fixture);
}

static void test_a_message_that_never_ends(void **state)
{
    struct fixture *fixture = start((struct websocket_options){.message_ms = 200, .close_ms = 100});
    int client = open_client(fixture);
    (void)state;
    send_frame(client, WEBSOCKET_TEXT, "never", 5);
    hear_close(client, WEBSOCKET_POLICY);
    await_closed(fixture, 1);
    stop(fixture);
}

/* It is told so, behind the frame that was under way; others do not notice. */
static void test_a_slow_client_is_given_up(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int slow = open_client(fixture), quick = open_client(fixture);
    static struct frame frame;
    static char text[60000];
    struct broadcast broadcast = {fixture, text, sizeof text, 1};
    (void)state;
    memset(text, 'x', sizeof text);
    say(slow, "join");
    hear(slow, "join");
    say(quick, "join");
    hear(quick, "join");
    for (int i = 0; i < 400; i++) { /* 24 MB: more than the kernel keeps for it */
        test_server_call(&fixture->server, run_broadcast, &broadcast);
        read_frame(quick, &frame);
        assert_int_equal(frame.size_bytes, sizeof text);
    }
    do
        read_frame(slow, &frame);
    while (frame.opcode == WEBSOCKET_TEXT);
    assert_int_equal(frame.opcode, WEBSOCKET_CLOSE);
    assert_int_equal((unsigned char)frame.text[0] << 8 | (unsigned char)frame.text[1], WEBSOCKET_POLICY);
    close(slow);
    await_closed(fixture, 1);
    assert_int_equal(atomic_load(&fixture->closed_code), WEBSOCKET_POLICY);
    close(quick);
    stop(fixture);
}

static void test_the_server_stops(void **state)
{
    struct fixture *fixture = start((struct websocket_options){.close_ms = 300});
    int polite = open_client(fixture), rude = open_client(fixture);
    static struct frame frame;
    (void)state;
    say(polite, "hello");
    hear(polite, "hello");
    int64_t begin_us = clock_monotonic_us();
    stop(fixture); /* nobody answers while it waits */
    assert_true(clock_monotonic_us() - begin_us < TEST_WAIT_MS * INT64_C(1000));
    read_frame(polite, &frame);
    assert_int_equal(frame.opcode, WEBSOCKET_CLOSE);
    assert_int_equal((unsigned char)frame.text[0] << 8 | (unsigned char)frame.text[1], WEBSOCKET_GOING_AWAY);
    test_await_close(rude);
    close(polite);
    close(rude);
}

static void *answer_close(void *context)
{
    int client = *(int *)context;
    hear_close(client, WEBSOCKET_GOING_AWAY);
    return NULL;
}

static void test_the_server_does_not_wait_longer_than_needed(void **state)
{
    struct fixture *fixture = start((struct websocket_options){.close_ms = 2 * TEST_WAIT_MS});
    int client = open_client(fixture);
    pthread_t thread;
    (void)state;
    say(client, "hello");
    hear(client, "hello");
    assert_int_equal(pthread_create(&thread, NULL, answer_close, &client), 0);
    int64_t begin_us = clock_monotonic_us();
    stop(fixture);
    assert_true(clock_monotonic_us() - begin_us < TEST_WAIT_MS * INT64_C(1000));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* What the hub is given for those who have gone is nobody's. */
static void send_to_strangers(void *context)
{
    struct fixture *fixture = context;
    send_text(fixture, 0, "nobody");
    send_text(fixture, UINT64_C(77) << 16, "not yet");
    send_text(fixture, UINT64_MAX, "never");
    websocket_hub_join(fixture->hub, 12345, 1);
    websocket_hub_close(fixture->hub, 12345, WEBSOCKET_NORMAL);
    assert_int_equal(websocket_hub_unsent_bytes(fixture->hub, 12345), 0);
}

static void test_strangers(void **state)
{
    struct fixture *fixture = start((struct websocket_options){0});
    int client = open_client(fixture);
    (void)state;
    test_server_call(&fixture->server, send_to_strangers, fixture);
    say(client, "me");
    hear(client, "me");
    close(client);
    stop(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake_and_echo),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_own_origin_is_welcome),
        cmocka_unit_test(test_frames_right_behind_the_handshake),
        cmocka_unit_test(test_the_listener_forgets_the_connection),
        cmocka_unit_test(test_a_full_house),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_long_messages_both_ways),
        cmocka_unit_test(test_ping_is_answered),
        cmocka_unit_test(test_broken_frames_close_with_a_code),
        cmocka_unit_test(test_the_server_closes),
        cmocka_unit_test(test_too_many_messages),
        cmocka_unit_test(test_a_silent_client_is_asked_and_then_dropped),
        cmocka_unit_test(test_a_message_that_never_ends),
        cmocka_unit_test(test_a_slow_client_is_given_up),
        cmocka_unit_test(test_the_server_stops),
        cmocka_unit_test(test_the_server_does_not_wait_longer_than_needed),
        cmocka_unit_test(test_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
