/* For the tests of http/: a server on its own thread, and a client that is nothing but a socket. */
#ifndef ALMANAC_HTTP_TEST_SERVER_H
#define ALMANAC_HTTP_TEST_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/listener.h"
#include "os/clock.h"
#include "os/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TEST_WAIT_MS = 60000 };

struct test_server {
    struct loop *loop;
    struct listener *listener;
    pthread_t thread;
    uint16_t port;
};

static inline void *test_server_main(void *context)
{
    struct test_server *server = context;
    struct err err;
    return loop_run(server->loop, &err) == ERR_OK ? NULL : server;
}

static inline void test_server_start(struct test_server *server, struct listener_options options)
{
    struct err err;
    enum err_code code = loop_create(&server->loop, &err);
    assert_int_equal(code, ERR_OK);
    if (options.address == NULL)
        options.address = "127.0.0.1";
    code = listener_create(server->loop, options, &server->listener, &err);
    assert_int_equal(code, ERR_OK);
    server->port = listener_port(server->listener);
    assert_int_equal(pthread_create(&server->thread, NULL, test_server_main, server), 0);
}

static inline void test_server_stop(struct test_server *server)
{
    void *failed;
    loop_stop(server->loop);
    assert_int_equal(pthread_join(server->thread, &failed), 0);
    assert_null(failed);
    listener_destroy(server->listener);
    loop_destroy(server->loop);
}

struct test_call {
    void (*call)(void *context);
    void *context;
    sem_t done;
};

static inline void test_call_run(void *context)
{
    struct test_call *call = context;
    call->call(call->context);
    sem_post(&call->done);
}

/* Runs call(context) on the server's thread and waits for it. */
static inline void test_server_call(struct test_server *server, void (*call)(void *context), void *context)
{
    struct test_call posted = {.call = call, .context = context};
    struct err err;
    assert_int_equal(sem_init(&posted.done, 0, 0), 0);
    enum err_code code = loop_post(server->loop, test_call_run, &posted, &err);
    assert_int_equal(code, ERR_OK);
    while (sem_wait(&posted.done) != 0)
        assert_int_equal(errno, EINTR);
    sem_destroy(&posted.done);
}

struct test_count {
    struct listener *listener;
    size_t count;
};

static inline void test_count_run(void *context)
{
    struct test_count *count = context;
    count->count = listener_connection_count(count->listener);
}

static inline size_t test_server_connections(struct test_server *server)
{
    struct test_count count = {.listener = server->listener};
    test_server_call(server, test_count_run, &count);
    return count.count;
}

/* Waits until the server has that many connections. */
static inline void test_server_await_connections(struct test_server *server, size_t count)
{
    int64_t end_us = clock_monotonic_us() + TEST_WAIT_MS * 1000;
    while (test_server_connections(server) != count) {
        assert_true(clock_monotonic_us() < end_us);
        usleep(1000);
    }
}

static inline int test_connect(uint16_t port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval wait = {.tv_sec = TEST_WAIT_MS / 1000};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(client, (struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait), 0);
    return client;
}

/* False when the server has closed. */
static inline int test_send(int client, const char *data, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t sent = send(client, data, size_bytes, MSG_NOSIGNAL);
        if (sent <= 0)
            return 0;
        data += sent;
        size_bytes -= (size_t)sent;
    }
    return 1;
}

static inline void test_send_text(int client, const char *text)
{
    assert_true(test_send(client, text, strlen(text)));
}

/* One answer: head and body, zero-terminated; read byte-exactly, so that a second one stays in the socket. */
struct test_answer {
    int status; /* 0: the server closed without an answer */
    char head[4096];
    char *body;
    size_t body_bytes;
};

/* "" when it is not there; points behind the name. */
static inline const char *test_answer_header(const struct test_answer *answer, const char *name)
{
    const char *at = strcasestr(answer->head, name);
    return at == NULL ? "" : at + strlen(name);
}

static inline struct test_answer test_receive(int client, int has_body)
{
    struct test_answer answer = {0};
    size_t used = 0;
    while (used < 4 || memcmp(answer.head + used - 4, "\r\n\r\n", 4) != 0) {
        assert_true(used < sizeof answer.head - 1);
        ssize_t got = recv(client, answer.head + used, 1, 0);
        if (got <= 0) {
            assert_true(got == 0 || errno == ECONNRESET); /* not: nothing came in time */
            return answer;
        }
        used++;
    }
    answer.status = (int)strtol(answer.head + strlen("HTTP/1.1 "), NULL, 10);
    answer.body_bytes = strtoul(test_answer_header(&answer, "\r\nContent-Length: "), NULL, 10);
    if (!has_body)
        answer.body_bytes = 0;
    answer.body = calloc(1, answer.body_bytes + 1);
    assert_non_null(answer.body);
    for (used = 0; used < answer.body_bytes;) {
        ssize_t got = recv(client, answer.body + used, answer.body_bytes - used, 0);
        assert_true(got > 0);
        used += (size_t)got;
    }
    return answer;
}

static inline struct test_answer test_exchange(int client, const char *request)
{
    test_send_text(client, request);
    return test_receive(client, strncmp(request, "HEAD ", 5) != 0);
}

/* The whole life of a connection: its status, and whether the body holds `part`. */
static inline void test_once(uint16_t port, const char *request, int status, const char *part)
{
    int client = test_connect(port);
    struct test_answer answer = test_exchange(client, request);
    assert_int_equal(answer.status, status);
    if (part != NULL && answer.body != NULL && strstr(answer.body, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, answer.body);
    free(answer.body);
    close(client);
}

/* The server closes, with or without something left to read before. */
static inline void test_await_close(int client)
{
    char byte;
    ssize_t got;
    while ((got = recv(client, &byte, 1, 0)) > 0 || (got < 0 && errno == EINTR)) {
    }
    assert_true(got == 0 || errno == ECONNRESET);
}

#endif
