/* Redis tier against a real redis-server: values, time to live, many at once, password and database, unix socket, a server
 * that is killed, restarted, paused, and one that was never there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/redis_tier.h"
#include "cache/test_redis.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TIMEOUT_MS = 60000, SHORT_MS = 100 }; /* a busy machine is no slow Redis; SHORT_MS for one that is */

static struct test_redis server;
static bool has_server;
static atomic_llong skipped_us; /* the tiers' time: rests pass when it is said */

static int64_t shifted_us(void *context)
{
    (void)context;
    return 1 + atomic_load(&skipped_us);
}

static struct redis_tier *open_tier_in(const char *url, const char *prefix, int64_t timeout_ms)
{
    struct redis_tier *tier = NULL;
    struct err err;
    struct clock clock = {shifted_us, shifted_us, NULL};
    enum err_code code = redis_tier_create(url, prefix, timeout_ms, clock, &tier, &err);
    assert_int_equal(code, ERR_OK);
    return tier;
}

static struct redis_tier *open_tier(const char *url, const char *prefix)
{
    return open_tier_in(url, prefix, TIMEOUT_MS);
}

static struct redis_tier *server_tier_in(const char *prefix, int64_t timeout_ms)
{
    char url[128];
    (void)snprintf(url, sizeof(url), "redis://:secret%%2fword@127.0.0.1:%u/3", (unsigned)server.port);
    return open_tier_in(url, prefix, timeout_ms);
}

static struct redis_tier *server_tier(const char *prefix)
{
    return server_tier_in(prefix, TIMEOUT_MS);
}

static int set_up(void **state)
{
    (void)state;
    has_server = test_redis_start(&server, "secret/word");
    if (!has_server)
        print_message("no redis-server is installed: its tests are skipped (tools/install.sh test)\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (has_server)
        test_redis_stop(&server);
    return 0;
}

static void need_server(void)
{
    if (!has_server)
        skip();
    if (!server.is_running)
        test_redis_run(&server);
}

/* The value or "(none)", in one static place. */
static const char *get(struct redis_tier *tier, const char *key)
{
    static char text[256];
    struct buffer out;
    buffer_init(&out, 1 << 20);
    bool is_there = redis_tier_get(tier, key, &out);
    (void)snprintf(text, sizeof(text), "%s", is_there ? buffer_text(&out) : "(none)");
    assert_true(is_there || out.size_bytes == 0);
    buffer_release(&out);
    return text;
}

static void put(struct redis_tier *tier, const char *key, const char *value, int64_t ttl_ms)
{
    redis_tier_put(tier, key, value, strlen(value), ttl_ms);
}

static void values_come_back(void **state)
{
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier("almanac:"), *other = server_tier("other:");
    assert_false(redis_tier_counts(tier).is_connected); /* lazily */
    assert_string_equal(get(tier, "a"), "(none)");
    put(tier, "a", "first", 60000);
    put(other, "a", "of another", 60000);
    assert_string_equal(get(tier, "a"), "first");
    put(tier, "a", "second", 60000);
    assert_string_equal(get(tier, "a"), "second");
    assert_string_equal(get(other, "a"), "of another");
    redis_tier_remove(tier, "a");
    assert_string_equal(get(tier, "a"), "(none)");
    put(tier, "zero", "x", 0);
    assert_string_equal(get(tier, "zero"), "(none)");
    struct redis_counts counts = redis_tier_counts(tier);
    assert_int_equal(counts.hits, 2);
    assert_int_equal(counts.misses, 3);
    assert_int_equal(counts.writes, 2);
    assert_int_equal(counts.errors, 0);
    assert_true(counts.is_connected);
    redis_tier_destroy(tier);
    redis_tier_destroy(other);
    redis_tier_destroy(NULL);
}

static void bytes_are_bytes(void **state)
{
    static char large[300000];
    struct buffer out;
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier("almanac:");
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 7 % 256);
    redis_tier_put(tier, "large", large, sizeof(large), 60000);
    redis_tier_put(tier, "empty", "", 0, 60000);
    buffer_init(&out, 1 << 20);
    assert_true(redis_tier_get(tier, "large", &out));
    assert_int_equal(out.size_bytes, sizeof(large));
    assert_memory_equal(out.data, large, sizeof(large));
    buffer_clear(&out);
    assert_true(redis_tier_get(tier, "empty", &out));
    assert_int_equal(out.size_bytes, 0);
    buffer_release(&out);
    buffer_init(&out, 1000); /* too small for it: not there, and no harm */
    assert_false(redis_tier_get(tier, "large", &out));
    buffer_release(&out);
    redis_tier_destroy(tier);
}

static void values_expire(void **state)
{
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier("almanac:");
    bool was_there = false;
    for (int64_t ttl_ms = 50; !was_there && ttl_ms < 60000; ttl_ms *= 4) { /* longer on a busy machine */
        put(tier, "short", "x", ttl_ms);
        was_there = strcmp(get(tier, "short"), "x") == 0;
    }
    assert_true(was_there);
    put(tier, "long", "y", 600000);
    while (strcmp(get(tier, "short"), "(none)") != 0)
        usleep(10000);
    assert_string_equal(get(tier, "long"), "y");
    redis_tier_destroy(tier);
}

static void many_at_once(void **state)
{
    enum { COUNT = 2500 };
    static char names[COUNT][16];
    static const char *keys[COUNT];
    static struct buffer out[COUNT];
    static bool found[COUNT];
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier("many:");
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "k%d", i);
        keys[i] = names[i];
        buffer_init(&out[i], 100);
        if (i % 3 == 0)
            put(tier, keys[i], names[i], 60000);
    }
    redis_tier_get_many(tier, keys, COUNT, out, found);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(found[i], i % 3 == 0);
        assert_string_equal(buffer_text(&out[i]), i % 3 == 0 ? names[i] : "");
        buffer_release(&out[i]);
    }
    redis_tier_get_many(tier, keys, 0, out, found);
    redis_tier_destroy(tier);
}

static void prefixes_are_removed_and_nothing_else(void **state)
{
    char key[32];
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier("p[*]?:"), *other = server_tier("p*:");
    for (int i = 0; i < 1500; i++) {
        (void)snprintf(key, sizeof(key), "England/%d", i);
        put(tier, key, "x", 60000);
    }
    put(tier, "Eng*", "x", 60000);
    put(tier, "Spain/1", "x", 60000);
    put(other, "England/1", "x", 60000);
    redis_tier_remove_prefix(tier, "England/");
    for (int i = 0; i < 1500; i += 100) {
        (void)snprintf(key, sizeof(key), "England/%d", i);
        assert_string_equal(get(tier, key), "(none)");
    }
    assert_string_equal(get(tier, "Spain/1"), "x");
    assert_string_equal(get(tier, "Eng*"), "x");
    assert_string_equal(get(other, "England/1"), "x");
    redis_tier_remove_prefix(tier, "Eng*");
    assert_string_equal(get(tier, "Spain/1"), "x");
    redis_tier_remove_prefix(tier, "");
    assert_string_equal(get(tier, "Spain/1"), "(none)");
    assert_string_equal(get(other, "England/1"), "x");
    redis_tier_destroy(tier);
    redis_tier_destroy(other);
}

static void a_unix_socket_works_and_a_wrong_password_does_not(void **state)
{
    char url[FILE_PATH_BYTES + 64];
    (void)state;
    need_server();
    (void)snprintf(url, sizeof(url), "unix://%s", server.socket);
    struct redis_tier *tier = open_tier(url, "u:");
    put(tier, "a", "x", 1000); /* connects, but has no password */
    assert_string_equal(get(tier, "a"), "(none)");
    assert_true(redis_tier_counts(tier).errors >= 2);
    assert_true(redis_tier_counts(tier).is_connected);
    redis_tier_destroy(tier);
    (void)snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%u", (unsigned)server.port);
    tier = open_tier(url, "u:");
    assert_string_equal(get(tier, "a"), "(none)");
    assert_int_equal(redis_tier_counts(tier).errors, 1);
    assert_false(redis_tier_counts(tier).is_connected);
    redis_tier_destroy(tier);
    (void)snprintf(url, sizeof(url), "redis://default:secret%%2Fword@localhost:%u", (unsigned)server.port);
    tier = open_tier(url, "u:");
    put(tier, "a", "x", 1000);
    assert_string_equal(get(tier, "a"), "x");
    redis_tier_destroy(tier);
}

static void databases_are_apart(void **state)
{
    char url[128];
    (void)state;
    need_server();
    (void)snprintf(url, sizeof(url), "redis://:secret%%2fword@127.0.0.1:%u", (unsigned)server.port);
    struct redis_tier *zero = open_tier(url, "d:"), *three = server_tier("d:");
    put(three, "a", "of three", 60000);
    assert_string_equal(get(zero, "a"), "(none)");
    assert_string_equal(get(three, "a"), "of three");
    redis_tier_destroy(zero);
    redis_tier_destroy(three);
    (void)snprintf(url, sizeof(url), "redis://:secret%%2fword@127.0.0.1:%u/99999", (unsigned)server.port);
    zero = open_tier(url, "d:"); /* no such database: never used, not the wrong one */
    assert_string_equal(get(zero, "a"), "(none)");
    assert_int_equal(redis_tier_counts(zero).errors, 1);
    redis_tier_destroy(zero);
}

static void bad_addresses_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "localhost",
                                      "http://localhost",
                                      "redis://",
                                      "redis://:1234",
                                      "redis://host:x",
                                      "redis://host:70000",
                                      "redis://host:0",
                                      "redis://host:+1",
                                      "redis://[]",
                                      "redis://host/x",
                                      "redis://host/-1",
                                      "redis://hunter2@host",
                                      "redis://:%zz@host",
                                      "redis://:%4@host",
                                      "redis://[::1",
                                      "redis://[::1]x",
                                      "unix://",
                                      "unix://relative/path",
                                      "rediss://host"};
    struct redis_tier *tier = NULL;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        enum err_code code = redis_tier_create(bad[i], "", 10, clock_system(), &tier, &err);
        assert_int_equal(code, ERR_INVALID);
        assert_string_equal(err.field, "redis_url");
        assert_null(strstr(err.text, "hunter2")); /* passwords are not repeated */
    }
    redis_tier_destroy(open_tier("redis://[::1]:6379/1", ""));
    redis_tier_destroy(open_tier("redis://:pass:w@rd@host", ""));
}

static void a_redis_that_is_down_costs_nothing(void **state)
{
    int socket;
    uint16_t port;
    char url[64];
    struct err err;
    (void)state;
    enum err_code code = socket_listen("127.0.0.1", 0, &socket, &port, &err);
    assert_int_equal(code, ERR_OK);
    close(socket);
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", (unsigned)port);
    struct redis_tier *tier = open_tier(url, "");
    assert_string_equal(get(tier, "a"), "(none)");
    assert_int_equal(redis_tier_counts(tier).errors, 1);
    for (int i = 0; i < 1000; i++) {
        assert_string_equal(get(tier, "a"), "(none)");
        put(tier, "a", "x", 1000);
        redis_tier_remove_prefix(tier, "");
        atomic_fetch_add(&skipped_us, 1000);
    }
    struct redis_counts counts = redis_tier_counts(tier);
    assert_in_range(counts.errors, 2, 4); /* 0.2, 0.4, 0.8 s between the tries */
    assert_int_equal(counts.misses, 1001);
    assert_int_equal(counts.writes, 0);
    assert_false(counts.is_connected);
    redis_tier_destroy(tier);
}

static void a_restart_is_survived(void **state)
{
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier("r:");
    put(tier, "a", "before", 60000);
    assert_string_equal(get(tier, "a"), "before");
    test_redis_kill(&server);
    assert_string_equal(get(tier, "a"), "(none)");
    assert_int_equal(redis_tier_counts(tier).errors, 1);
    assert_false(redis_tier_counts(tier).is_connected);
    test_redis_run(&server);
    for (int wait = 0; wait < 20; wait++) /* it rests, then tries again */
        atomic_fetch_add(&skipped_us, 1000000);
    assert_string_equal(get(tier, "a"), "(none)"); /* a Redis without memory of its past */
    assert_true(redis_tier_counts(tier).is_connected);
    put(tier, "a", "after", 60000);
    assert_string_equal(get(tier, "a"), "after");
    test_redis_kill(&server); /* restarted between two calls: the next call does not even notice */
    test_redis_run(&server);
    put(tier, "a", "again", 60000);
    assert_string_equal(get(tier, "a"), "again");
    assert_int_equal(redis_tier_counts(tier).errors, 1);
    redis_tier_destroy(tier);
}

static void a_paused_redis_delays_one_call_and_no_more(void **state)
{
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier_in("s:", SHORT_MS), *patient = server_tier("s:");
    put(patient, "a", "x", 600000);
    for (int i = 0; i < 100 && !redis_tier_counts(tier).is_connected; i++) { /* it may be a busy machine */
        (void)get(tier, "a");
        atomic_fetch_add(&skipped_us, 20000000);
    }
    uint64_t errors = redis_tier_counts(tier).errors;
    process_signal(&server.process, SIGSTOP);
    int64_t begin_us = clock_monotonic_us();
    assert_string_equal(get(tier, "a"), "(none)");
    int64_t took_us = clock_monotonic_us() - begin_us;
    assert_true(took_us >= SHORT_MS * 900 && took_us < TIMEOUT_MS * 1000);
    assert_int_equal(redis_tier_counts(tier).errors, errors + 1);
    for (int i = 0; i < 100; i++)
        assert_string_equal(get(tier, "a"), "(none)");
    assert_int_equal(redis_tier_counts(tier).errors, errors + 1); /* it was not asked again */
    process_signal(&server.process, SIGCONT);
    assert_string_equal(get(patient, "a"), "x");
    const char *value = "(none)";
    for (int i = 0; i < 100 && strcmp(value, "(none)") == 0; i++) {
        atomic_fetch_add(&skipped_us, 20000000);
        value = get(tier, "a");
    }
    assert_string_equal(value, "x"); /* and the late answer to the first was not taken for this one's */
    redis_tier_destroy(tier);
    redis_tier_destroy(patient);
}

enum { READERS = 6 };

static atomic_bool is_over;

static void *read_much(void *context)
{
    struct redis_tier *tier = context;
    struct buffer out;
    intptr_t wrong = 0;
    buffer_init(&out, 1000);
    for (int i = 0; !atomic_load(&is_over); i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "k%d", i / 5 % 10);
        buffer_clear(&out);
        if (i % 5 == 0)
            redis_tier_put(tier, key, key, strlen(key), 60000);
        else if (redis_tier_get(tier, key, &out))
            wrong += strcmp(buffer_text(&out), key) != 0;
        if (i % 100 == 0)
            redis_tier_remove_prefix(tier, "k1");
        (void)redis_tier_counts(tier);
    }
    buffer_release(&out);
    return (void *)wrong; /* NOLINT(performance-no-int-to-ptr) */
}

static void many_threads_share_a_connection(void **state)
{
    pthread_t threads[READERS];
    (void)state;
    need_server();
    struct redis_tier *tier = server_tier("t:");
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_much, tier), 0);
    for (int round = 0; redis_tier_counts(tier).hits < 100 && round < 60000; round++)
        usleep(1000);
    test_redis_kill(&server); /* in the middle of it */
    test_redis_run(&server);
    uint64_t hits = redis_tier_counts(tier).hits;
    for (int round = 0; redis_tier_counts(tier).hits < hits + 100 && round < 60000; round++) {
        atomic_fetch_add(&skipped_us, 20000000);
        usleep(1000);
    }
    assert_true(hits >= 100 && redis_tier_counts(tier).hits >= hits + 100); /* before and after */
    atomic_store(&is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    redis_tier_destroy(tier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(bytes_are_bytes),
        cmocka_unit_test(values_expire),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(prefixes_are_removed_and_nothing_else),
        cmocka_unit_test(a_unix_socket_works_and_a_wrong_password_does_not),
        cmocka_unit_test(databases_are_apart),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(a_redis_that_is_down_costs_nothing),
        cmocka_unit_test(a_restart_is_survived),
        cmocka_unit_test(a_paused_redis_delays_one_call_and_no_more),
        cmocka_unit_test(many_threads_share_a_connection),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
