/* Clients that ask for much and take nothing. */
#include "http/test_server.h"

#include "limits.h"

#include <stdio.h>

#define HOST "Host: localhost\r\n"

enum { LARGE_BYTES = 32 << 20, CLIENTS = LIMIT_UNTAKEN_BYTES / LARGE_BYTES };

static struct test_server server;

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    if (strcmp(request->path, "/large") != 0)
        buffer_append_text(&response->body, "{}");
    else if (buffer_extend(&response->body, LARGE_BYTES) != NULL) /* zeroes would only cost time */
        response->body.data[0] = '\0';
}

static int set_up(void **state)
{
    (void)state;
    test_server_start(&server, (struct listener_options){.handle = handle});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_server_stop(&server);
    return 0;
}

/* The status of a large answer, of which nothing more is taken. */
static int ask(int client)
{
    char head[16] = "";
    test_send_text(client, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(recv(client, head, 12, MSG_WAITALL), 12);
    return (int)strtol(head + strlen("HTTP/1.1 "), NULL, 10);
}

static void answers_that_nobody_takes_are_bounded(void **state)
{
    (void)state;
    int clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = test_connect(server.port);
        assert_int_equal(ask(clients[i]), 200);
    }
    test_once(server.port, "GET /large HTTP/1.1\r\n" HOST "\r\n", 503, "try again");
    test_once(server.port, "GET /small HTTP/1.1\r\n" HOST "\r\n", 200, "{}");
    close(clients[0]);
    test_server_await_connections(&server, CLIENTS - 1);
    clients[0] = test_connect(server.port);
    assert_int_equal(ask(clients[0]), 200);
    for (size_t i = 0; i < CLIENTS; i++)
        close(clients[i]);
    test_server_await_connections(&server, 0);
}

static void answers_that_are_taken_count_no_more(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    for (size_t i = 0; i < CLIENTS + 2; i++) {
        struct test_answer answer = test_exchange(client, "GET /large HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body_bytes, LARGE_BYTES);
        free(answer.body);
    }
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_that_nobody_takes_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_that_are_taken_count_no_more, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
