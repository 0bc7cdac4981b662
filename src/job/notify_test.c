/* The notifier on a real loop, with a receiver on a thread of its own: told, told again after a refusal, given up, broken off
 * in the middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "job/notify.h"
#include "os/test_folder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers the n-th request with answers[n], the last for all that follow; NULL: takes it and says nothing. */
struct receiver {
    int socket;
    uint16_t port;
    const char *answers[3];
    size_t answer_count;
    char request[4096]; /* the newest; read after stop */
    atomic_size_t count;
    atomic_bool is_stopped;
    pthread_t thread;
};

static void take(struct receiver *receiver, int client)
{
    size_t size = 0, index = atomic_load(&receiver->count);
    const char *end = NULL;

    while (size < sizeof receiver->request - 1 && (end == NULL || end[4] == '\0')) {
        ssize_t got = recv(client, receiver->request + size, sizeof receiver->request - 1 - size, 0);
        if (got <= 0)
            return;
        size += (size_t)got;
        receiver->request[size] = '\0';
        end = strstr(receiver->request, "\r\n\r\n");
    }
    const char *answer =
        receiver->answers[index < receiver->answer_count ? index : receiver->answer_count - 1];
    atomic_fetch_add(&receiver->count, 1);
    while (answer == NULL && !atomic_load(&receiver->is_stopped))
        (void)usleep(1000);
    if (answer != NULL)
        (void)!write(client, answer, strlen(answer));
}

static void *serve(void *context)
{
    struct receiver *receiver = context;
    int client;

    while ((client = accept(receiver->socket, NULL, NULL)) >= 0) {
        take(receiver, client);
        (void)close(client);
    }
    return NULL;
}

static void start(struct receiver *receiver)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    receiver->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(receiver->socket, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(receiver->socket, 8), 0);
    assert_int_equal(getsockname(receiver->socket, (struct sockaddr *)&address, &size), 0);
    receiver->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&receiver->thread, NULL, serve, receiver), 0);
}

static void stop(struct receiver *receiver)
{
    atomic_store(&receiver->is_stopped, true);
    (void)shutdown(receiver->socket, SHUT_RDWR);
    (void)pthread_join(receiver->thread, NULL);
    (void)close(receiver->socket);
}

static const char OK[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                  BROKEN[] = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n";

struct fixture {
    struct test_folder folder;
    struct store store;
    struct loop *loop;
    struct notifier *notifier;
    struct receiver receiver;
    size_t wanted, changes; /* the loop stops after so many attempts */
    struct delivery_row last;
};

static void on_changed(void *context, const struct delivery_row *delivery)
{
    struct fixture *fixture = context;

    fixture->last = *delivery;
    if (++fixture->changes >= fixture->wanted)
        loop_stop(fixture->loop);
}

static void open_notifier(struct fixture *fixture)
{
    struct notifier_options options = {
        .retry_ms = 20, .attempts = 3, .timeout_ms = 60000, .changed = on_changed, .context = fixture};

    assert_int_equal(
        notifier_create(fixture->loop, &fixture->store, clock_system(), &options, &fixture->notifier, NULL),
        ERR_OK);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){0};
    test_folder_create(&fixture.folder);
    *state = &fixture;
    assert_int_equal(store_open(fixture.folder.path, DB_READ_WRITE, &fixture.store, NULL), ERR_OK);
    assert_int_equal(loop_create(&fixture.loop, NULL), ERR_OK);
    open_notifier(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    notifier_destroy(fixture->notifier);
    loop_drain(fixture->loop);
    loop_destroy(fixture->loop);
    store_close(&fixture->store);
    test_folder_remove(&fixture->folder);
    return 0;
}

static void add_event(struct fixture *fixture)
{
    struct webhook_row row = {.secret = "0123456789abcdef"};
    int64_t id;

    start(&fixture->receiver);
    (void)snprintf(row.url, sizeof row.url, "http://127.0.0.1:%u/", (unsigned)fixture->receiver.port);
    assert_int_equal(notify_store_add_webhook(fixture->store.db, &row, &id, NULL), ERR_OK);
    assert_int_equal(
        notify_store_add(fixture->store.db, "failed", "{\"n\":1}", NULL, 0, clock_now_us(), &id, NULL),
        ERR_OK);
}

static void run(struct fixture *fixture, size_t attempts)
{
    fixture->wanted = attempts;
    notifier_wake(fixture->notifier);
    assert_int_equal(loop_run(fixture->loop, NULL), ERR_OK);
}

static void test_told(void **state)
{
    struct fixture *fixture = *state;

    fixture->receiver = (struct receiver){.answers = {OK}, .answer_count = 1};
    add_event(fixture);
    run(fixture, 1);
    stop(&fixture->receiver);
    assert_int_equal(fixture->last.state, DELIVERY_DELIVERED);
    assert_int_equal(fixture->last.status, 200);
    assert_non_null(strstr(fixture->receiver.request, "\r\nX-Almanac-Event: failed\r\n"));
    assert_non_null(strstr(fixture->receiver.request, "\r\nX-Almanac-Signature: t="));
    assert_non_null(strstr(fixture->receiver.request, "\"event\":\"failed\",\"at\":"));
    assert_non_null(strstr(fixture->receiver.request, "\"data\":{\"n\":1}}"));
    assert_null(strstr(fixture->receiver.request, "0123456789abcdef\r\n"));
}

static void test_told_again(void **state)
{
    struct fixture *fixture = *state;

    fixture->receiver = (struct receiver){.answers = {BROKEN, OK}, .answer_count = 2};
    add_event(fixture);
    run(fixture, 2);
    stop(&fixture->receiver);
    assert_int_equal(fixture->last.state, DELIVERY_DELIVERED);
    assert_int_equal(fixture->last.attempts, 2);
}

static void test_given_up(void **state)
{
    struct fixture *fixture = *state;

    fixture->receiver = (struct receiver){.answers = {BROKEN}, .answer_count = 1};
    add_event(fixture);
    run(fixture, 3);
    stop(&fixture->receiver);
    assert_int_equal(fixture->last.state, DELIVERY_GIVEN_UP);
    assert_string_equal(fixture->last.error, "the receiver answered 500");
}

/* One receiver says nothing and has more to be told than is looked at in one turn; the others do not wait for it. */
static void test_a_silent_receiver_keeps_nobody_waiting(void **state)
{
    enum { EVENTS = 100 };
    struct fixture *fixture = *state;
    static struct receiver silent;
    struct webhook_row row = {.secret = "0123456789abcdef"};
    int64_t id;

    silent = (struct receiver){.answers = {NULL}, .answer_count = 1};
    start(&silent);
    (void)snprintf(row.url, sizeof row.url, "http://127.0.0.1:%u/", (unsigned)silent.port);
    assert_int_equal(notify_store_add_webhook(fixture->store.db, &row, &id, NULL), ERR_OK);
    fixture->receiver = (struct receiver){.answers = {OK}, .answer_count = 1};
    add_event(fixture);
    for (int event = 1; event < EVENTS; event++)
        assert_int_equal(
            notify_store_add(fixture->store.db, "failed", "{}", NULL, 0, clock_now_us(), &id, NULL), ERR_OK);
    int64_t began_us = clock_monotonic_us();
    run(fixture, EVENTS);
    assert_true(clock_monotonic_us() - began_us < 30 * TIME_SECOND_US); /* one silent attempt: a minute */
    assert_int_equal(atomic_load(&fixture->receiver.count), EVENTS);
    stop(&silent);
    stop(&fixture->receiver);
}

static void look(void *context)
{
    struct fixture *fixture = context;

    if (atomic_load(&fixture->receiver.count) > 0)
        loop_stop(fixture->loop);
}

/* Destroyed while the receiver keeps it waiting: at once, and the delivery goes on waiting for the next notifier. */
static void test_broken_off(void **state)
{
    struct fixture *fixture = *state;
    struct delivery_row row;
    struct loop_timer *timer;
    size_t count = 1;

    fixture->receiver = (struct receiver){.answers = {NULL, OK}, .answer_count = 2};
    add_event(fixture);
    assert_int_equal(loop_timer_add(fixture->loop, 5, 5, look, fixture, &timer, NULL), ERR_OK);
    run(fixture, 1);
    loop_timer_remove(fixture->loop, timer);
    int64_t began_us = clock_monotonic_us();
    notifier_destroy(fixture->notifier);
    assert_true(clock_monotonic_us() - began_us < 30 * TIME_SECOND_US);
    loop_drain(fixture->loop);
    assert_int_equal(notify_store_deliveries(fixture->store.db, -1, 0, &row, &count, NULL), ERR_OK);
    assert_true(row.state == DELIVERY_WAITING && row.attempts == 0);
    atomic_store(&fixture->receiver.is_stopped, true); /* lets the first request go */
    open_notifier(fixture);
    run(fixture, 1);
    stop(&fixture->receiver);
    assert_int_equal(fixture->last.state, DELIVERY_DELIVERED);
}

static void test_bad_mail(void **state)
{
    static const struct notify_mail bad[] = {
        {.url = "http://h", .from = "a@b", .to = "c@d"},
        {.url = "smtp://h", .from = "nobody", .to = "c@d"},
        {.url = "smtp://h", .from = "a@b", .to = "c"},
        {.url = "smtp://h", .from = "a@b", .to = "c@d", .events = "exploded"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct notifier_options options = {.mail = bad[i], .retry_ms = 1, .attempts = 1, .timeout_ms = 1};
        struct notifier *notifier;
        assert_int_equal(notifier_create(fixture->loop, &fixture->store, clock_system(), &options, &notifier,
                                         &(struct err){0}),
                         ERR_INVALID);
    }
    assert_string_equal(notifier_mail(fixture->notifier).url, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_told),       TEST(test_told_again),
        TEST(test_given_up),   TEST(test_a_silent_receiver_keeps_nobody_waiting),
        TEST(test_broken_off), TEST(test_bad_mail),
    };

    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
