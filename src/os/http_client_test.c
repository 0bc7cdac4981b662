/* HTTP client against a server of a few lines: headers, conditions, bounds, redirects, refusals, breaking off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers each connection with the next of `answers`, and keeps what was asked. NULL: never answers. */
struct server {
    int socket;
    uint16_t port;
    const char *answers[4];
    char asked[4][4096];
    atomic_int count;
    pthread_t thread;
};

static void *serve(void *context)
{
    struct server *server = context;
    for (int i = 0; i < 4 && server->answers[i] != NULL; i++) {
        int client = accept(server->socket, NULL, NULL);
        if (client < 0)
            break;
        size_t size = 0;
        char *text = server->asked[i];
        while (size < sizeof server->asked[i] - 1) {
            ssize_t got = recv(client, text + size, sizeof server->asked[i] - 1 - size, 0);
            size += got > 0 ? (size_t)got : 0;
            text[size] = '\0';
            const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
            if (got <= 0 || (end != NULL && (length == NULL || strstr(end, "body") != NULL)))
                break;
        }
        atomic_fetch_add(&server->count, 1);
        (void)!write(client, server->answers[i], strlen(server->answers[i]));
        (void)close(client);
    }
    return NULL;
}

static void start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->socket, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->socket, 8), 0);
    assert_int_equal(getsockname(server->socket, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    (void)shutdown(server->socket, SHUT_RDWR);
    (void)close(server->socket);
    (void)pthread_join(server->thread, NULL);
}

static enum err_code ask(struct server *server, struct http_call call, struct http_reply *reply,
                         struct err *err)
{
    char url[256];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/path?q=1", (unsigned)server->port);
    if (call.url == NULL)
        call.url = url;
    if (call.method == NULL)
        call.method = "GET";
    return http_call_run(&call, reply, err);
}

static void test_get(void **state)
{
    struct server server = {
        .answers = {"HTTP/1.1 200 OK\r\nETag: \"x1\"\r\nLast-Modified: Sun, 01 Mar 2026 12:00:00 GMT\r\n"
                    "Content-Type: text/csv\r\nContent-Length: 5\r\n\r\nhello",
                    "HTTP/1.1 304 Not Modified\r\nETag: \"x1\"\r\n\r\n"}};
    struct http_reply reply;

    (void)state;
    start(&server);
    assert_int_equal(ask(&server, (struct http_call){.headers = {"X-Key: k"}}, &reply, NULL), ERR_OK);
    assert_int_equal(reply.status, 200);
    assert_string_equal(buffer_text(&reply.body), "hello");
    assert_string_equal(reply.etag, "\"x1\"");
    assert_string_equal(reply.content_type, "text/csv");
    assert_int_equal(reply.retry_after_s, -1);
    struct http_call again = {.etag = reply.etag, .last_modified = reply.last_modified};
    struct http_reply second;
    assert_int_equal(ask(&server, again, &second, NULL), ERR_OK);
    assert_int_equal(second.status, 304);
    assert_int_equal(second.body.size_bytes, 0);
    http_reply_release(&reply);
    http_reply_release(&second);
    stop(&server);
    assert_non_null(strstr(server.asked[0], "GET /path?q=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(server.asked[0], "\r\nX-Key: k\r\n"));
    assert_null(strstr(server.asked[0], "If-None-Match"));
    assert_non_null(strstr(server.asked[1], "\r\nIf-None-Match: \"x1\"\r\n"));
    assert_non_null(strstr(server.asked[1], "\r\nIf-Modified-Since: Sun, 01 Mar 2026 12:00:00 GMT\r\n"));
}

static void test_post_and_retry_after(void **state)
{
    struct server server = {.answers = {"HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"}};
    struct http_call call = {
        .method = "POST", .body = "a body", .body_bytes = 6, .headers = {"Content-Type: text/plain"}};
    struct http_reply reply;

    (void)state;
    start(&server);
    assert_int_equal(ask(&server, call, &reply, NULL), ERR_OK);
    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after_s, 17);
    http_reply_release(&reply);
    stop(&server);
    assert_non_null(strstr(server.asked[0], "POST /path?q=1"));
    assert_non_null(strstr(server.asked[0], "\r\n\r\na body"));
    assert_null(strstr(server.asked[0], "Expect"));
}

static void test_too_large(void **state)
{
    struct server server = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"}};
    struct http_reply reply;
    struct err err = {0};

    (void)state;
    start(&server);
    assert_int_equal(ask(&server, (struct http_call){.max_bytes = 9}, &reply, &err), ERR_TOO_LARGE);
    http_reply_release(&reply);
    stop(&server);
}

static void redirect(const char *method, const char *location, int expected_status, int expected_count)
{
    char answer[512];
    struct server server = {.answers = {answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    struct http_reply reply;

    (void)snprintf(answer, sizeof answer, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                   location);
    start(&server);
    struct http_call call = {.method = method};
    if (strcmp(method, "POST") == 0) {
        call.body = "a body";
        call.body_bytes = 6;
    }
    assert_int_equal(ask(&server, call, &reply, NULL), ERR_OK);
    assert_int_equal(reply.status, expected_status);
    http_reply_release(&reply);
    stop(&server);
    assert_int_equal(server.count, expected_count);
}

static void test_redirects(void **state)
{
    (void)state;
    redirect("GET", "/other", 200, 2);
    redirect("POST", "/other", 302, 1);
    redirect("GET", "http://localhost:1/other", 302, 1);
    redirect("GET", "https://127.0.0.1/other", 302, 1);
    redirect("GET", "ftp://127.0.0.1/other", 302, 1);
}

static void check_refused(const char *url, enum err_code code, const char *part)
{
    struct http_call call = {.method = "GET", .url = url, .total_ms = 2000};
    struct http_reply reply;
    struct err err = {0};

    assert_int_equal(http_call_run(&call, &reply, &err), code);
    if (strstr(err.text, part) == NULL)
        fail_msg("no '%s' in '%s'", part, err.text);
    http_reply_release(&reply);
}

static void test_refused(void **state)
{
    (void)state;
    check_refused("http://169.254.169.254/latest", ERR_FORBIDDEN, "never called");
    check_refused("http://[::ffff:169.254.169.254]/", ERR_FORBIDDEN, "never called");
    check_refused("http://224.0.0.1/", ERR_FORBIDDEN, "never called");
    check_refused("http://0.0.0.0/", ERR_FORBIDDEN, "never called");
    check_refused("http://127.0.0.1:1/secret-path", ERR_IO, "no answer from 127.0.0.1:1");
    check_refused("file:///etc/passwd", ERR_INVALID, "http");
    check_refused("http://user:word@h/", ERR_INVALID, "user");
    check_refused("http://h/ a", ERR_INVALID, "blanks");
    check_refused("http://h/\r\nX: y", ERR_INVALID, "control");
    check_refused("h", ERR_INVALID, "address");
    check_refused("", ERR_INVALID, "address");
}

static void test_check_url(void **state)
{
    char host[300];

    (void)state;
    assert_int_equal(http_call_check_url("https://example.org:8443/a?b#c", host, sizeof host, NULL), ERR_OK);
    assert_string_equal(host, "example.org:8443");
    assert_int_equal(http_call_check_url("http://[::1]:80/", host, sizeof host, NULL), ERR_OK);
    assert_string_equal(host, "[::1]:80");
}

static void test_too_late(void **state)
{
    struct server server = {.answers = {NULL}}; /* accepts into the backlog and says nothing */
    struct http_reply reply;
    struct err err = {0};

    (void)state;
    start(&server);
    assert_int_equal(ask(&server, (struct http_call){.total_ms = 200}, &reply, &err), ERR_IO);
    assert_non_null(strstr(err.text, "in time"));
    assert_true(reply.took_us >= 150000 && reply.took_us < 60000000);
    http_reply_release(&reply);
    stop(&server);
}

static bool is_stopped(void *context)
{
    int *asked = context;
    return ++*asked > 2;
}

static void test_broken_off(void **state)
{
    struct server server = {.answers = {NULL}};
    struct http_reply reply;
    struct err err = {0};
    int asked = 0;

    (void)state;
    start(&server);
    struct http_call call = {.total_ms = 120000, .is_stopped = is_stopped, .context = &asked};
    assert_int_equal(ask(&server, call, &reply, &err), ERR_CANCELLED);
    assert_true(reply.took_us < 60000000);
    http_reply_release(&reply);
    stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),       cmocka_unit_test(test_post_and_retry_after),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_check_url),
        cmocka_unit_test(test_too_late),  cmocka_unit_test(test_broken_off),
    };

    return cmocka_run_group_tests_name("http client", tests, NULL, NULL);
}
