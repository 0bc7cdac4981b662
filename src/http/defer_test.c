/* Deferred answers, over a socket: given by a pool thread, at once, too late, after the client or the listener has gone. */
#include "http/test_server.h"

#include "http/defer.h"
#include "http/router.h"
#include "os/thread.h"

#include <stdatomic.h>
#include <stdio.h>

#define HOST "Host: localhost\r\n"

enum { KEPT = 64 };

static struct test_server server;
static struct pool *pool;
static struct http_deferred *kept[KEPT]; /* by /keep, completed by the test; the server's thread only */
static size_t kept_count;
static atomic_int observed[6]; /* by first digit of the status */
static atomic_llong longest_us;

struct work {
    struct http_deferred *deferred;
    char path[64];
    struct loop *loop;
};

static void work(void *context)
{
    struct work *work = context;
    struct http_response *response = http_deferred_response(work->deferred);
    usleep(20000);
    buffer_printf(&response->body, "done with %s", work->path);
}

static void done(void *context)
{
    struct work *work = context;
    http_response_complete(work->deferred);
    free(work);
}

static void start_work(struct http_deferred *deferred, const char *path)
{
    struct err err;
    struct work *item = calloc(1, sizeof *item);
    assert_non_null(item);
    item->deferred = deferred;
    (void)snprintf(item->path, sizeof item->path, "%s", path);
    enum err_code code = pool_submit(pool, server.loop, work, done, item, &err);
    assert_int_equal(code, ERR_OK);
}

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    struct err err;
    struct http_deferred *deferred;
    (void)context;
    if (strcmp(request->path, "/plain") == 0) {
        buffer_append_text(&response->body, "plain");
        return;
    }
    enum err_code code = http_response_defer(request, response, &deferred, &err);
    assert_int_equal(code, ERR_OK);
    if (strncmp(request->path, "/slow", 5) == 0)
        start_work(deferred, request->path);
    if (strcmp(request->path, "/keep") == 0 || strcmp(request->path, "/regret") == 0)
        kept[kept_count++] = deferred;
    if (strcmp(request->path, "/at-once") == 0) {
        buffer_append_text(&http_deferred_response(deferred)->body, "at once");
        http_response_complete(deferred);
    }
    if (strcmp(request->path, "/fail") == 0) {
        (void)err_set(&err, ERR_CONFLICT, "not today");
        http_respond_error(http_deferred_response(deferred), &err);
        http_response_complete(deferred);
    }
    if (strcmp(request->path, "/regret") == 0) {
        (void)err_set(&err, ERR_NOT_FOUND, "changed my mind");
        http_respond_error(response, &err);
    }
    if (strcmp(request->path, "/endless") == 0) {
        http_deferred_response(deferred)->body.failed = ERR_TOO_LARGE;
        http_response_complete(deferred);
    }
}

static void observe(void *context, const struct http_response *response, int64_t took_us)
{
    (void)context;
    assert_true(took_us >= 0);
    atomic_fetch_add(&observed[response->status / 100], 1);
    if (took_us > atomic_load(&longest_us))
        atomic_store(&longest_us, took_us);
}

static void start(int64_t request_time_ms, int64_t idle_time_ms)
{
    test_server_start(&server, (struct listener_options){.handle = handle,
                                                         .observe = observe,
                                                         .request_time_ms = request_time_ms,
                                                         .idle_time_ms = idle_time_ms});
}

static int set_up(void **state)
{
    struct err err;
    (void)state;
    kept_count = 0;
    for (size_t index = 0; index < 6; index++)
        atomic_store(&observed[index], 0);
    atomic_store(&longest_us, 0);
    enum err_code code = pool_create(2, &pool, &err);
    assert_int_equal(code, ERR_OK);
    start(TEST_WAIT_MS, TEST_WAIT_MS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_server_stop(&server);
    pool_destroy(pool);
    return 0;
}

static void complete_kept(void *context)
{
    (void)context;
    for (size_t index = 0; index < kept_count; index++) {
        buffer_append_text(&http_deferred_response(kept[index])->body, "at last");
        http_response_complete(kept[index]);
    }
    kept_count = 0;
}

static void count_kept(void *context)
{
    *(size_t *)context = kept_count;
}

static void await_kept(size_t count)
{
    int64_t end_us = clock_monotonic_us() + TEST_WAIT_MS * 1000;
    for (size_t seen = 0; seen != count; usleep(500)) {
        test_server_call(&server, count_kept, &seen);
        assert_true(clock_monotonic_us() < end_us);
    }
}

static void expect(int client, const char *request, int status, const char *body)
{
    struct test_answer answer = test_exchange(client, request);
    assert_int_equal(answer.status, status);
    assert_non_null(strstr(answer.body, body));
    free(answer.body);
}

static void the_loop_serves_others_meanwhile(void **state)
{
    (void)state;
    int slow = test_connect(server.port), fast = test_connect(server.port);
    test_send_text(slow, "GET /keep HTTP/1.1\r\n" HOST "\r\n");
    await_kept(1);
    for (int round = 0; round < 50; round++)
        expect(fast, "GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, "plain");
    test_server_call(&server, complete_kept, NULL);
    struct test_answer answer = test_receive(slow, 1);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "at last");
    assert_memory_equal(test_answer_header(&answer, "\r\nContent-Type: "), "application/json\r\n", 18);
    free(answer.body);
    expect(slow, "GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, "plain"); /* the connection goes on */
    close(slow);
    close(fast);
}

static void pool_threads_answer(void **state)
{
    (void)state;
    int clients[8];
    char request[128], body[64];
    for (int index = 0; index < 8; index++) {
        clients[index] = test_connect(server.port);
        (void)snprintf(request, sizeof request, "GET /slow/%d HTTP/1.1\r\n" HOST "\r\n", index);
        test_send_text(clients[index], request);
    }
    for (int index = 0; index < 8; index++) {
        struct test_answer answer = test_receive(clients[index], 1);
        (void)snprintf(body, sizeof body, "done with /slow/%d", index);
        assert_string_equal(answer.body, body);
        free(answer.body);
        close(clients[index]);
    }
    assert_int_equal(atomic_load(&observed[2]), 8);
    assert_true(atomic_load(&longest_us) >= 20000);
}

static void pipelined_requests_keep_their_order(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    test_send_text(client, "GET /slow/1 HTTP/1.1\r\n" HOST "\r\nGET /plain HTTP/1.1\r\n" HOST
                           "\r\nGET /slow/2 HTTP/1.1\r\n" HOST "\r\n");
    const char *bodies[] = {"done with /slow/1", "plain", "done with /slow/2"};
    for (int index = 0; index < 3; index++) {
        struct test_answer answer = test_receive(client, 1);
        assert_string_equal(answer.body, bodies[index]);
        free(answer.body);
    }
    close(client);
}

static void a_body_may_come_in_chunks(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    test_send_text(client,
                   "POST /slow/c HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    usleep(20000);
    test_send_text(client, "5\r\nworld\r\n0\r\n\r\n");
    struct test_answer answer = test_receive(client, 1);
    assert_string_equal(answer.body, "done with /slow/c");
    free(answer.body);
    answer = test_exchange(client, "HEAD /slow/h HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 200);
    free(answer.body);
    expect(client, "GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, "plain");
    close(client);
}

static void it_may_be_complete_at_once_or_an_error(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    expect(client, "GET /at-once HTTP/1.1\r\n" HOST "\r\n", 200, "at once");
    expect(client, "GET /fail HTTP/1.1\r\n" HOST "\r\n", 409, "not today");
    expect(client, "GET /endless HTTP/1.1\r\n" HOST "\r\n", 500, "internal");
    expect(client, "GET /regret HTTP/1.1\r\n" HOST "\r\n", 404, "changed my mind");
    test_server_call(&server, complete_kept, NULL); /* of the regretted one: freed, not sent */
    expect(client, "GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, "plain");
    assert_int_equal(atomic_load(&observed[2]), 2);
    assert_int_equal(atomic_load(&observed[4]), 2);
    assert_int_equal(atomic_load(&observed[5]), 1);
    close(client);
}

static void work_has_no_deadline(void **state)
{
    (void)state;
    test_server_stop(&server);
    start(200, 300);
    int client = test_connect(server.port);
    test_send_text(client, "GET /keep HTTP/1.1\r\n" HOST "\r\n");
    await_kept(1);
    usleep(700000); /* more than twice what a silent client is given */
    test_server_call(&server, complete_kept, NULL);
    struct test_answer answer = test_receive(client, 1);
    assert_string_equal(answer.body, "at last");
    free(answer.body);
    close(client);
}

static void who_leaves_early_harms_nobody(void **state)
{
    (void)state;
    for (int index = 0; index < 20; index++) {
        int client = test_connect(server.port);
        test_send_text(client, "GET /keep HTTP/1.1\r\n" HOST "\r\n");
        await_kept((size_t)index + 1);
        close(client);
    }
    test_server_call(&server, complete_kept, NULL);
    test_server_await_connections(&server, 0);
}

static void the_listener_may_go_first(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    test_send_text(client, "GET /keep HTTP/1.1\r\n" HOST "\r\n");
    await_kept(1);
    test_server_stop(&server);
    test_await_close(client);
    close(client);
    complete_kept(NULL); /* only frees: the sanitizer would tell */
    start(0, 0);         /* for tear_down */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_loop_serves_others_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pool_threads_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pipelined_requests_keep_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_may_come_in_chunks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_complete_at_once_or_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(work_has_no_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_early_harms_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_listener_may_go_first, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
