/* Clients that come when there is no descriptor, or no room, for them. */
#include "http/test_server.h"

#include <fcntl.h>
#include <sys/resource.h>

enum { FREE_FILES = 64 };
#define HOST "Host: localhost\r\n"
#define GET  "GET / HTTP/1.1\r\n" HOST "\r\n"

static struct test_server server;
static struct rlimit files;

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    buffer_append_text(&response->body, "{}");
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    test_server_start(&server, (struct listener_options){.handle = handle});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_server_stop(&server);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    return 0;
}

/* All descriptors there are; server and client are one process here. */
static size_t take_all(int out[FREE_FILES])
{
    size_t count = 0;
    int next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    assert_true(next >= 0);
    close(next);
    struct rlimit limit = {.rlim_cur = (rlim_t)next + FREE_FILES / 2, .rlim_max = files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (count < FREE_FILES && (out[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    assert_true(count < FREE_FILES && errno == EMFILE);
    return count;
}

static void connect_to_server(int client)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(server.port)};
    struct timeval wait = {.tv_sec = TEST_WAIT_MS / 1000};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&where, sizeof where), 0);
}

static void expect_answer(int client)
{
    struct test_answer answer = test_exchange(client, GET);
    assert_int_equal(answer.status, 200);
    free(answer.body);
}

/* Descriptors run out and come back from somewhere else, while older clients stay. */
static void descriptors_that_come_back_let_clients_in(size_t older_clients)
{
    int held[FREE_FILES], older = -1, client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    if (older_clients > 0) {
        older = test_connect(server.port);
        expect_answer(older);
    }
    size_t count = take_all(held);
    connect_to_server(client);
    test_send_text(client, GET);
    usleep(50000); /* accept() fails meanwhile; were it later, the test would show less, but not fail */
    assert_int_equal(test_server_connections(&server), older_clients);
    while (count > 0)
        close(held[--count]);
    struct test_answer answer = test_receive(client, 1);
    assert_int_equal(answer.status, 200);
    free(answer.body);
    close(client);
    if (older >= 0)
        close(older);
}

static void without_descriptors_clients_wait(void **state)
{
    (void)state;
    descriptors_that_come_back_let_clients_in(0);
}

static void an_older_client_keeps_nobody_out(void **state)
{
    (void)state;
    descriptors_that_come_back_let_clients_in(1);
}

static int64_t processor_us(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

static void waiting_for_descriptors_is_quiet(void **state)
{
    (void)state;
    int held[FREE_FILES], client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    size_t count = take_all(held);
    connect_to_server(client);
    int64_t before_us = processor_us();
    assert_int_equal(usleep(500000), 0);
    assert_in_range(processor_us() - before_us, 0, 50000);
    while (count > 0)
        close(held[--count]);
    expect_answer(client);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_descriptors_clients_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_client_keeps_nobody_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiting_for_descriptors_is_quiet, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
