/* Listener: what a client on a raw socket meets. Streams have a test of their own, stream_test.c. */
#include "http/test_server.h"

#include "http/router.h"
#include "limits.h"

#include <stdatomic.h>
#include <stdio.h>

#define HOST "Host: localhost\r\n"

static struct test_server server;
static atomic_int handled;

static void put_value(struct http_response *response, const char *name, const char *value)
{
    buffer_printf(&response->body, "%s=%s;", name, value == NULL ? "none" : value);
}

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    struct err err;
    (void)context;
    atomic_fetch_add(&handled, 1);
    if (strcmp(request->path, "/echo") == 0) {
        buffer_append(&response->body, request->body, request->body_bytes);
    } else if (strcmp(request->path, "/size") == 0) {
        buffer_printf(&response->body, "%zu", request->body_bytes);
    } else if (strcmp(request->path, "/ask") == 0) {
        put_value(response, "a", http_request_query(request, "a"));
        put_value(response, "b", http_request_query(request, "b"));
        put_value(response, "c", http_request_query(request, "c"));
        put_value(response, "x", http_request_header(request, "x-test"));
    } else if (strcmp(request->path, "/large") == 0) {
        char *room = buffer_extend(&response->body, 8 << 20);
        memset(room, 'x', 8 << 20);
    } else if (strcmp(request->path, "/boundless") == 0) {
        for (int piece = 0; piece < 65; piece++)
            (void)buffer_extend(&response->body, 1 << 20);
    } else if (strcmp(request->path, "/error") == 0) {
        (void)err_set_field(&err, ERR_CONFLICT, "odds.home", "no \"luck\"");
        buffer_append_text(&response->body, "half an answer");
        http_respond_error(response, &err);
    } else {
        buffer_printf(&response->body, "%s %s", request->method, request->path);
    }
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&handled, 0);
    test_server_start(&server, (struct listener_options){.handle = handle, .request_time_ms = 10000});
    return 0;
}

static int set_up_hasty(void **state)
{
    (void)state;
    test_server_start(
        &server, (struct listener_options){.handle = handle, .request_time_ms = 200, .idle_time_ms = 1000});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_server_stop(&server);
    return 0;
}

/* ---- what works ---- */

static void a_connection_serves_many_requests(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    for (int round = 0; round < 100; round++) {
        struct test_answer answer = test_exchange(client, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, "GET /hello");
        assert_memory_equal(test_answer_header(&answer, "\r\nContent-Type: "), "application/json\r\n", 18);
        free(answer.body);
    }
    assert_int_equal(test_server_connections(&server), 1);
    close(client);
    test_server_await_connections(&server, 0);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    char text[64];
    (void)state;
    int client = test_connect(server.port);
    struct buffer requests;
    buffer_init(&requests, 1 << 20);
    for (int index = 0; index < 50; index++)
        if (index % 2 == 0)
            buffer_printf(&requests, "GET /r%d HTTP/1.1\r\n" HOST "\r\n", index);
        else
            buffer_printf(&requests, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nr%03d", index);
    test_send_text(client, buffer_text(&requests));
    for (int index = 0; index < 50; index++) {
        struct test_answer answer = test_receive(client, 1);
        (void)snprintf(text, sizeof text, index % 2 == 0 ? "GET /r%d" : "r%03d", index);
        assert_string_equal(answer.body, text);
        free(answer.body);
    }
    buffer_release(&requests);
    close(client);
}

static void bodies_may_be_chunked(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    struct test_answer answer =
        test_exchange(client, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n1;note=x\r\n,\r\n6\r\n world\r\n0\r\nTrailer: t\r\n\r\n");
    assert_string_equal(answer.body, "hello, world");
    free(answer.body);
    answer = test_exchange(client, "GET /next HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(answer.body, "GET /next");
    free(answer.body);
    close(client);
}

static void a_body_may_come_byte_by_byte(void **state)
{
    const char *request = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde";
    (void)state;
    int client = test_connect(server.port);
    for (const char *at = request; *at != '\0'; at++) {
        assert_true(test_send(client, at, 1));
        usleep(200);
    }
    struct test_answer answer = test_receive(client, 1);
    assert_string_equal(answer.body, "abcde");
    free(answer.body);
    close(client);
}

static void the_largest_body_and_a_large_answer_pass(void **state)
{
    char head[128];
    (void)state;
    int client = test_connect(server.port);
    char *body = malloc(LIMIT_BODY_BYTES);
    for (int index = 0; index < LIMIT_BODY_BYTES; index++)
        body[index] = (char)('a' + index % 23);
    (void)snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
                   LIMIT_BODY_BYTES);
    test_send_text(client, head);
    assert_true(test_send(client, body, LIMIT_BODY_BYTES));
    struct test_answer answer = test_receive(client, 1);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_bytes, LIMIT_BODY_BYTES);
    assert_memory_equal(answer.body, body, LIMIT_BODY_BYTES);
    free(answer.body);
    free(body);
    answer = test_exchange(client, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.body_bytes, 8 << 20);
    free(answer.body);
    close(client);
}

static void continue_is_sent_when_asked_for(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    struct test_answer answer = test_exchange(client, "POST /echo HTTP/1.1\r\n" HOST
                                                      "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(answer.status, 100);
    free(answer.body);
    answer = test_exchange(client, "ok");
    assert_string_equal(answer.body, "ok");
    free(answer.body);
    close(client);
}

static void head_has_the_headers_of_get(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    for (int round = 0; round < 2; round++) { /* a body after the first would garble the second */
        struct test_answer answer = test_exchange(client, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(answer.status, 200);
        assert_memory_equal(test_answer_header(&answer, "\r\nContent-Length: "), "11\r\n", 4);
        free(answer.body);
    }
    close(client);
}

static void queries_headers_and_escapes_are_read(void **state)
{
    (void)state;
    test_once(server.port, "GET /ask?a=1%202+3&b&a=9 HTTP/1.1\r\n" HOST "X-Test: yes\r\n\r\n", 200,
              "a=1 2 3;b=;c=none;x=yes;");
    test_once(server.port, "GET /caf%C3%A9/%2e HTTP/1.1\r\n" HOST "\r\n", 200, "GET /caf\xc3\xa9/.");
    test_once(server.port, "GET /old HTTP/1.0\r\n\r\n", 200, "GET /old");
}

static void errors_have_one_shape(void **state)
{
    (void)state;
    test_once(server.port, "GET /error HTTP/1.1\r\n" HOST "\r\n", 409,
              "{\"error\":{\"code\":\"conflict\","
              "\"message\":\"no \\\"luck\\\"\",\"field\":\"odds.home\"}}");
    test_once(server.port, "GET /boundless HTTP/1.1\r\n" HOST "\r\n", 500, "\"internal\"");
}

static void many_connections_are_served_at_once(void **state)
{
    enum { COUNT = 100 };
    int clients[COUNT];
    (void)state;
    for (int index = 0; index < COUNT; index++)
        clients[index] = test_connect(server.port);
    for (int round = 0; round < 5; round++) {
        for (int index = 0; index < COUNT; index++)
            test_send_text(clients[index], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        for (int index = 0; index < COUNT; index++) {
            struct test_answer answer = test_receive(clients[index], 1);
            assert_string_equal(answer.body, "GET /hello");
            free(answer.body);
        }
    }
    assert_int_equal(test_server_connections(&server), COUNT);
    for (int index = 0; index < COUNT; index++)
        close(clients[index]);
    test_server_await_connections(&server, 0);
}

/* ---- what is refused ---- */

static void a_large_body_gets_413_and_is_not_kept(void **state)
{
    enum { SIZE = 10 << 20 };
    char head[128];
    (void)state;
    int client = test_connect(server.port);
    char *body = calloc(1, SIZE);
    (void)snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", SIZE);
    test_send_text(client, head);
    assert_true(
        test_send(client, body, SIZE)); /* a client that reads only after it has sent all gets its answer */
    struct test_answer answer = test_receive(client, 1);
    assert_int_equal(answer.status, 413);
    assert_non_null(strstr(answer.body, "\"too_large\""));
    assert_memory_equal(test_answer_header(&answer, "\r\nConnection: "), "close", 5);
    free(answer.body);
    test_await_close(client);
    close(client);
    test_once(server.port, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 413,
              "too_large");
    test_once(server.port,
              "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n", 413,
              "too_large");
    client = test_connect(server.port); /* the same without a length: known only on the way */
    test_send_text(client, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n200000\r\n");
    assert_true(test_send(client, body, 0x200000));
    answer = test_exchange(client, "\r\n0\r\n\r\n");
    assert_int_equal(answer.status, 413);
    free(answer.body);
    close(client);
    client = test_connect(server.port); /* without end */
    test_send_text(client, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n");
    for (int round = 0; round < 100 && test_send(client, body, SIZE); round++)
        assert_true(round < 10);
    close(client);
    free(body);
    assert_int_equal(atomic_load(&handled), 0);
}

static void large_headers_get_431_or_414(void **state)
{
    enum { SIZE = 20000 };
    static char request[SIZE + 256];
    (void)state;
    size_t used = (size_t)snprintf(request, sizeof request, "GET / HTTP/1.1\r\n" HOST "X: ");
    memset(request + used, 'x', SIZE);
    memcpy(request + used + SIZE, "\r\n\r\n", 5);
    test_once(server.port, request, 431, NULL);
    used = (size_t)snprintf(request, sizeof request, "GET /");
    memset(request + used, 'x', SIZE);
    memcpy(request + used + SIZE, " HTTP/1.1\r\n\r\n", 14);
    test_once(server.port, request, 414, NULL);
    assert_int_equal(atomic_load(&handled), 0);
}

static void doubtful_framing_gets_400_and_the_end(void **state)
{
    static const char *const doubtful[] = {
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 4,4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: \r\n",
        "Content-Length : 4\r\n",
        "Content-Length: 0x4\r\n",
    };
    char request[256];
    (void)state;
    for (size_t index = 0; index < sizeof doubtful / sizeof *doubtful; index++) {
        int client = test_connect(server.port);
        (void)snprintf(request, sizeof request, "POST /echo HTTP/1.1\r\n" HOST "%s\r\n", doubtful[index]);
        struct test_answer answer = test_exchange(client, request);
        if (answer.status != 400)
            fail_msg("%d for '%s'", answer.status, doubtful[index]);
        free(answer.body);
        test_await_close(client);
        close(client);
    }
    assert_int_equal(atomic_load(&handled), 0);
}

static void doubtful_targets_get_400(void **state)
{
    (void)state;
    test_once(server.port, "GET /a%00b HTTP/1.1\r\n" HOST "\r\n", 400, "control character '%00'");
    test_once(server.port, "GET /a?b=%00 HTTP/1.1\r\n" HOST "\r\n", 400, "control character '%00'");
    test_once(server.port, "GET /a%0Ab HTTP/1.1\r\n" HOST "\r\n", 400, "control character");
    test_once(server.port, "GET /a%2 HTTP/1.1\r\n" HOST "\r\n", 400, "percent-escape");
    test_once(server.port, "GET /a%zz HTTP/1.1\r\n" HOST "\r\n", 400, "percent-escape");
    test_once(server.port, "GET /a?b=100% HTTP/1.1\r\n" HOST "\r\n", 400, "percent-escape");
    test_once(server.port, "GET /%ff HTTP/1.1\r\n" HOST "\r\n", 400, "UTF-8");
    test_once(server.port, "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400, "0xc3");
    test_once(server.port, "GET http://localhost/ HTTP/1.1\r\n" HOST "\r\n", 400, "start with '/'");
    test_once(server.port, "GET / HTTP/3.0\r\n" HOST "\r\n", 505, NULL);
    test_once(server.port, "GARBAGE\r\n\r\n", 0, NULL);
    assert_int_equal(atomic_load(&handled), 0);
}

static void foreign_hosts_and_origins_get_403(void **state)
{
    char own[128];
    (void)state;
    test_once(server.port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "\"forbidden\"");
    test_once(server.port, "GET / HTTP/1.1\r\nHost: localhost.evil.example:80\r\n\r\n", 403, "\"forbidden\"");
    test_once(server.port, "GET / HTTP/1.1\r\n\r\n", 400, "'Host' is missing");
    test_once(server.port, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400,
              "more than once");
    assert_int_equal(atomic_load(&handled), 0);
    (void)snprintf(own, sizeof own, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", (unsigned)server.port);
    test_once(server.port, own, 200, NULL);
    test_once(server.port, "GET / HTTP/1.1\r\nHost: LocalHost:1\r\n\r\n", 200, NULL);
    test_once(server.port, "GET / HTTP/1.1\r\nHost: [::1]:5050\r\n\r\n", 200, NULL);
    test_once(server.port, "GET / HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n", 200, NULL);
    atomic_store(&handled, 0);
    test_once(server.port,
              "POST / HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}", 403,
              "\"forbidden\"");
    test_once(server.port, "DELETE / HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n", 403, "\"forbidden\"");
    assert_int_equal(atomic_load(&handled), 0);
    test_once(server.port,
              "POST / HTTP/1.1\r\n" HOST "Origin: http://localhost:3000\r\nContent-Length: 2\r\n\r\n{}", 200,
              NULL);
}

static void a_refusal_does_not_outlive_its_request(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    struct test_answer answer = test_exchange(
        client,
        "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\n\r\nabcGET /x HTTP/1.1\r\n" HOST
        "\r\n");
    assert_int_equal(answer.status, 403);
    free(answer.body);
    answer = test_receive(client, 1);
    assert_string_equal(answer.body, "GET /x");
    free(answer.body);
    close(client);
}

/* ---- deadlines ---- */

/* Sends `text` and then a byte every 20 ms for ever; the milliseconds until the server had enough. */
static int64_t drip(const char *text, char byte)
{
    int64_t start_us = clock_monotonic_us();
    int client = test_connect(server.port);
    test_send_text(client, text);
    for (;;) {
        char got;
        if (byte != '\0' && !test_send(client, &byte, 1))
            break;
        ssize_t size_bytes = recv(client, &got, 1, MSG_DONTWAIT);
        if (size_bytes == 0 || (size_bytes < 0 && errno == ECONNRESET))
            break;
        assert_true(clock_monotonic_us() - start_us < TEST_WAIT_MS * 1000);
        usleep(20000);
    }
    close(client);
    return (clock_monotonic_us() - start_us) / 1000;
}

static void slow_clients_are_dropped(void **state)
{
    (void)state;
    assert_true(drip("", '\0') >= 200);                     /* never says a word */
    assert_true(drip("GET /", 'x') >= 200);                 /* an endless first line */
    assert_true(drip("GET / HTTP/1.1\r\n", '\0') >= 200);   /* stops after it */
    assert_true(drip("GET / HTTP/1.1\r\nX: ", 'x') >= 200); /* endless headers */
    assert_true(drip("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 999\r\n\r\n", 'x') >= 200);
    test_server_await_connections(&server, 0);
}

static void idle_connections_last_longer(void **state)
{
    bool is_answered = false;
    (void)state;
    for (int round = 0; round < 5 && !is_answered;
         round++) { /* again where the machine stood still for so long */
        int client = test_connect(server.port);
        int64_t start_us = clock_monotonic_us();
        struct test_answer answer = test_exchange(client, "GET /a HTTP/1.1\r\n" HOST "\r\n");
        free(answer.body);
        usleep(400000); /* more than a request may take */
        answer = test_exchange(client, "GET /b HTTP/1.1\r\n" HOST "\r\n");
        is_answered = answer.status == 200;
        free(answer.body);
        if (is_answered)
            test_await_close(client);
        assert_true(!is_answered || clock_monotonic_us() - start_us >= 1350000);
        close(client);
    }
    assert_true(is_answered);
}

static void who_does_not_take_the_answer_is_dropped(void **state)
{
    char first;
    (void)state;
    int client = test_connect(server.port);
    test_send_text(client, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(recv(client, &first, 1, 0), 1); /* it begins */
    test_server_await_connections(&server, 0);
    close(client);
}

/* ---- life ---- */

static void a_taken_port_is_named(void **state)
{
    struct listener_options options = {.address = "127.0.0.1", .port = server.port, .handle = handle};
    struct loop *loop;
    struct listener *listener;
    struct err err;
    char port[16];
    (void)state;
    enum err_code code = loop_create(&loop, &err);
    assert_int_equal(code, ERR_OK);
    code = listener_create(loop, options, &listener, &err);
    assert_int_equal(code, ERR_BUSY);
    assert_null(listener);
    (void)snprintf(port, sizeof port, "port %u:", (unsigned)server.port);
    assert_non_null(strstr(err.text, port));
    options.address = "nowhere.example";
    code = listener_create(loop, options, &listener, &err);
    assert_int_equal(code, ERR_INVALID);
    assert_non_null(strstr(err.text, "'nowhere.example'"));
    options.address = "192.0.2.1"; /* TEST-NET-1: nobody's */
    code = listener_create(loop, options, &listener, &err);
    assert_int_equal(code, ERR_INVALID);
    loop_destroy(loop);
}

static void a_port_is_free_again_after_destroy(void **state)
{
    uint16_t port = server.port;
    (void)state;
    int client = test_connect(port);
    struct test_answer answer = test_exchange(client, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    free(answer.body);
    test_server_stop(&server); /* the server closes first: TIME_WAIT is on its side */
    test_await_close(client);
    close(client);
    test_server_start(&server, (struct listener_options){.handle = handle, .port = port});
    assert_int_equal(server.port, port);
    test_once(port, "GET /b HTTP/1.1\r\n" HOST "\r\n", 200, "GET /b");
}

static void destroy_in_the_middle_of_everything(void **state)
{
    int clients[4];
    (void)state;
    for (int index = 0; index < 4; index++)
        clients[index] = test_connect(server.port);
    test_send_text(clients[1], "GET / HT");
    test_send_text(clients[2], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    test_send_text(clients[3], "GET /large HTTP/1.1\r\n" HOST "\r\n");
    test_server_await_connections(&server, 4);
    test_server_stop(&server);
    for (int index = 0; index < 4; index++) {
        test_await_close(clients[index]);
        close(clients[index]);
    }
    test_server_start(&server, (struct listener_options){.handle = handle}); /* for tear_down */
}

static void clients_that_vanish_leave_nothing(void **state)
{
    static const char *const parts[] = {"",
                                        "G",
                                        "GET / HTTP/1.1\r\n",
                                        "GET / HTTP/1.1\r\nHost: loc",
                                        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc",
                                        "GET /large HTTP/1.1\r\n" HOST "\r\n"};
    struct linger reset = {.l_onoff = 1};
    (void)state;
    for (int round = 0; round < 10; round++)
        for (size_t index = 0; index < sizeof parts / sizeof *parts; index++) {
            int client = test_connect(server.port);
            test_send_text(client, parts[index]);
            if (round % 2 == 0)
                assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
            close(client);
        }
    test_server_await_connections(&server, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_connection_serves_many_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bodies_may_be_chunked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_may_come_byte_by_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_largest_body_and_a_large_answer_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(continue_is_sent_when_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_has_the_headers_of_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queries_headers_and_escapes_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_have_one_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_connections_are_served_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_body_gets_413_and_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_headers_get_431_or_414, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubtful_framing_gets_400_and_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubtful_targets_get_400, set_up, tear_down),
        cmocka_unit_test_setup_teardown(foreign_hosts_and_origins_get_403, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_does_not_outlive_its_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slow_clients_are_dropped, set_up_hasty, tear_down),
        cmocka_unit_test_setup_teardown(idle_connections_last_longer, set_up_hasty, tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_take_the_answer_is_dropped, set_up_hasty, tear_down),
        cmocka_unit_test_setup_teardown(a_taken_port_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_is_free_again_after_destroy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(destroy_in_the_middle_of_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clients_that_vanish_leave_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
