/* Cache: time to live, budget, order of eviction, invalidation, many threads. Time stands still unless a test moves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "cache/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_llong test_now_us;

static int64_t test_time(void *context)
{
    (void)context;
    return atomic_load(&test_now_us);
}

static const struct clock test_clock = {test_time, test_time, NULL};

static struct cache *new_cache(size_t budget_bytes)
{
    struct cache *cache = NULL;
    struct err err;
    atomic_store(&test_now_us, 1000000);
    enum err_code code = cache_create(budget_bytes, test_clock, &cache, &err);
    assert_int_equal(code, ERR_OK);
    return cache;
}

static void pass_ms(int64_t ms)
{
    atomic_fetch_add(&test_now_us, ms * 1000);
}

/* The value, or NULL; in one static place. */
static const char *get(struct cache *cache, const char *key)
{
    static char text[256];
    struct buffer out;
    buffer_init(&out, sizeof(text) - 1);
    bool is_there = cache_get(cache, key, &out);
    (void)snprintf(text, sizeof(text), "%s", buffer_text(&out));
    buffer_release(&out);
    return is_there ? text : NULL;
}

static void put(struct cache *cache, const char *key, const char *value, int64_t ttl_ms)
{
    cache_put(cache, key, value, strlen(value), ttl_ms);
}

static void what_is_put_is_there(void **state)
{
    (void)state;
    struct cache *cache = new_cache(1 << 20);
    assert_null(get(cache, "a"));
    put(cache, "a", "first", 1000);
    put(cache, "", "empty key", 1000);
    put(cache, "b", "", 1000);
    assert_string_equal(get(cache, "a"), "first");
    assert_string_equal(get(cache, ""), "empty key");
    assert_string_equal(get(cache, "b"), "");
    put(cache, "a", "second", 1000);
    assert_string_equal(get(cache, "a"), "second");
    struct cache_counts counts = cache_counts(cache);
    assert_int_equal(counts.hits, 4);
    assert_int_equal(counts.misses, 1);
    assert_int_equal(counts.entries, 3);
    assert_true(counts.bytes > 0 && counts.bytes < 1000);
    assert_int_equal(counts.budget_bytes, 1 << 20);
    cache_destroy(cache);
    cache_destroy(NULL);
}

static void get_appends(void **state)
{
    (void)state;
    struct cache *cache = new_cache(1 << 20);
    struct buffer out;
    buffer_init(&out, 100);
    put(cache, "a", "def", 1000);
    buffer_append_text(&out, "abc");
    assert_true(cache_get(cache, "a", &out));
    assert_string_equal(buffer_text(&out), "abcdef");
    assert_false(cache_get(cache, "b", &out));
    assert_string_equal(buffer_text(&out), "abcdef");
    buffer_release(&out);
    cache_destroy(cache);
}

static void entries_expire(void **state)
{
    (void)state;
    struct cache *cache = new_cache(1 << 20);
    put(cache, "short", "x", 10);
    put(cache, "long", "y", 1000);
    put(cache, "for ever", "z", INT64_MAX);
    put(cache, "never", "n", 0);
    assert_null(get(cache, "never"));
    pass_ms(9);
    assert_non_null(get(cache, "short"));
    pass_ms(1); /* a hit gives no longer life */
    assert_null(get(cache, "short"));
    assert_non_null(get(cache, "long"));
    pass_ms(INT32_MAX);
    assert_null(get(cache, "long"));
    assert_non_null(get(cache, "for ever"));
    struct cache_counts counts = cache_counts(cache);
    assert_int_equal(counts.expirations, 2);
    assert_int_equal(counts.entries, 1);
    put(cache, "for ever", "gone", -1);
    assert_null(get(cache, "for ever"));
    assert_int_equal(cache_counts(cache).bytes, 0);
    cache_destroy(cache);
}

static void expired_entries_are_tidied_by_puts(void **state)
{
    (void)state;
    struct cache *cache = new_cache(1 << 20);
    char key[16];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof(key), "old %d", i);
        put(cache, key, "x", 10);
    }
    pass_ms(10);
    for (int i = 0; i < 50; i++) {
        (void)snprintf(key, sizeof(key), "new %d", i);
        put(cache, key, "x", 1000);
    }
    assert_int_equal(cache_counts(cache).entries, 50);
    assert_int_equal(cache_counts(cache).expirations, 100);
    assert_int_equal(cache_counts(cache).evictions, 0);
    cache_destroy(cache);
}

/* The cost of one entry with a key of one byte and a value of `size_bytes`, found by asking. */
static size_t cost_of(size_t size_bytes)
{
    struct cache *cache = new_cache(1 << 20);
    char value[200] = "";
    assert_true(size_bytes <= sizeof(value));
    cache_put(cache, "k", value, size_bytes, 1000);
    size_t bytes = cache_counts(cache).bytes;
    cache_destroy(cache);
    return bytes;
}

static void the_longest_unused_goes_first(void **state)
{
    (void)state;
    struct cache *cache = new_cache(3 * cost_of(10));
    put(cache, "a", "0123456789", 1000);
    put(cache, "b", "0123456789", 1000);
    put(cache, "c", "0123456789", 1000);
    assert_int_equal(cache_counts(cache).evictions, 0);
    assert_non_null(get(cache, "a")); /* b is now the oldest */
    put(cache, "d", "0123456789", 1000);
    assert_null(get(cache, "b"));
    assert_non_null(get(cache, "c"));
    put(cache, "a", "9876543210", 1000); /* a put is a use, and takes no room twice */
    assert_int_equal(cache_counts(cache).evictions, 1);
    put(cache, "e", "0123456789", 1000);
    assert_null(get(cache, "d"));
    assert_non_null(get(cache, "a"));
    assert_non_null(get(cache, "c"));
    assert_non_null(get(cache, "e"));
    struct cache_counts counts = cache_counts(cache);
    assert_int_equal(counts.evictions, 2);
    assert_int_equal(counts.entries, 3);
    assert_int_equal(counts.bytes, counts.budget_bytes);
    cache_destroy(cache);
}

static void the_budget_holds(void **state)
{
    static char value[5000];
    struct random random;
    char key[32];
    (void)state;
    random_init(&random, 1);
    for (size_t budget = 20000; budget <= 64 << 20; budget *= 57) { /* one shard, some, many */
        struct cache *cache = new_cache(budget);
        for (int i = 0; i < 20000; i++) {
            (void)snprintf(key, sizeof(key), "key %d", (int)random_below(&random, 30000));
            cache_put(cache, key, value, random_below(&random, sizeof(value)), 1000);
            struct cache_counts counts = cache_counts(cache);
            assert_true(counts.bytes <= budget);
        }
        assert_true(cache_counts(cache).entries > 0);
        assert_int_equal(cache_counts(cache).refused, 0);
        (void)cache_invalidate_prefix(cache, "");
        assert_int_equal(cache_counts(cache).bytes, 0);
        assert_int_equal(cache_counts(cache).entries, 0);
        cache_destroy(cache);
    }
}

static void what_is_larger_than_the_budget_is_refused(void **state)
{
    static char value[4096];
    (void)state;
    struct cache *cache = new_cache(4096);
    put(cache, "a", "small", 1000);
    put(cache, "b", "small", 1000);
    cache_put(cache, "b", value, sizeof(value), 1000);
    assert_int_equal(cache_counts(cache).refused, 1);
    assert_non_null(get(cache, "a")); /* nothing was pushed out for it */
    assert_null(get(cache, "b"));     /* and the old value is not true any more */
    cache_destroy(cache);
    cache = new_cache(0);
    put(cache, "a", "x", 1000);
    assert_null(get(cache, "a"));
    cache_destroy(cache);
}

static void invalidation_by_key_and_prefix(void **state)
{
    (void)state;
    for (size_t budget = 1 << 20; budget <= 64 << 20; budget *= 64) {
        struct cache *cache = new_cache(budget);
        char key[32];
        for (int i = 0; i < 50; i++) {
            (void)snprintf(key, sizeof(key), "England/%d", i);
            put(cache, key, "x", 1000);
            (void)snprintf(key, sizeof(key), "Spain/%d", i);
            put(cache, key, "x", 1000);
        }
        cache_invalidate(cache, "Spain/7");
        cache_invalidate(cache, "Spain/none");
        assert_null(get(cache, "Spain/7"));
        assert_int_equal(cache_invalidate_prefix(cache, "England/"), 50);
        assert_null(get(cache, "England/3"));
        assert_non_null(get(cache, "Spain/3"));
        assert_int_equal(cache_invalidate_prefix(cache, "England/"), 0);
        assert_int_equal(cache_invalidate_prefix(cache, ""), 49);
        struct cache_counts counts = cache_counts(cache);
        assert_int_equal(counts.invalidations, 100);
        assert_int_equal(counts.entries, 0);
        cache_destroy(cache);
    }
}

/* ---- many threads ---- */

enum { STORM_THREADS = 8, STORM_ROUNDS = 20000, STORM_KEYS = 200 };

static bool is_value_of(const char *key, const struct buffer *value)
{
    size_t key_bytes = strlen(key);
    if (value->size_bytes != 20 * key_bytes)
        return false;
    for (int i = 0; i < 20; i++) {
        if (memcmp(value->data + (size_t)i * key_bytes, key, key_bytes) != 0)
            return false;
    }
    return true;
}

static void *storm(void *context)
{
    struct cache *cache = context;
    static atomic_uint seed;
    struct random random;
    struct buffer out;
    char key[32];
    intptr_t wrong = 0;
    random_init(&random, atomic_fetch_add(&seed, 1));
    buffer_init(&out, 10000);
    for (int round = 0; round < STORM_ROUNDS; round++) {
        uint64_t number = random_below(&random, STORM_KEYS), what = random_below(&random, 100);
        (void)snprintf(key, sizeof(key), "%d/%d", (int)(number % 4), (int)number);
        buffer_clear(&out);
        if (what < 50) {
            wrong += cache_get(cache, key, &out) && !is_value_of(key, &out);
        } else if (what < 95) {
            for (int i = 0; i < 20; i++)
                buffer_append_text(&out, key);
            cache_put(cache, key, out.data, out.size_bytes, 5);
        } else if (what < 98) {
            cache_invalidate(cache, key);
        } else {
            key[2] = '\0';
            (void)cache_invalidate_prefix(cache, key);
        }
        if (round % 100 == 0)
            pass_ms(1);
    }
    buffer_release(&out);
    return (void *)wrong; /* NOLINT(performance-no-int-to-ptr) */
}

static void many_threads_never_see_a_wrong_value(void **state)
{
    (void)state;
    size_t budgets[] = {8192, 64 << 20};
    for (size_t i = 0; i < 2; i++) {
        struct cache *cache = new_cache(budgets[i]);
        pthread_t threads[STORM_THREADS];
        for (size_t t = 0; t < STORM_THREADS; t++)
            assert_int_equal(pthread_create(&threads[t], NULL, storm, cache), 0);
        for (size_t t = 0; t < STORM_THREADS; t++) {
            void *wrong;
            assert_int_equal(pthread_join(threads[t], &wrong), 0);
            assert_null(wrong);
        }
        struct cache_counts counts = cache_counts(cache);
        assert_true(counts.bytes <= counts.budget_bytes);
        assert_true(counts.hits > 0 && counts.misses > 0);
        assert_true(i == 1 || counts.evictions > 0);
        cache_destroy(cache);
    }
}

/* ---- speed: said, not judged (machines differ) ---- */

enum { SPEED_KEYS = 20000, SPEED_ROUNDS = 1000000, SPEED_VALUE_BYTES = 240 };

static void *read_much(void *context)
{
    static atomic_uint seed;
    struct random random;
    struct buffer out;
    char key[32];
    random_init(&random, 100 + atomic_fetch_add(&seed, 1));
    buffer_init(&out, 10000);
    int64_t begin_us = clock_monotonic_us();
    for (int round = 0; round < SPEED_ROUNDS; round++) {
        unsigned number = (unsigned)random_below(&random, SPEED_KEYS);
        memcpy(key, "England/form@0123/", 18);
        for (int digit = 22; digit >= 18; digit--, number /= 10)
            key[digit] = (char)('0' + number % 10);
        key[23] = '\0';
        buffer_clear(&out);
        (void)cache_get(context, key, &out);
    }
    int64_t took_us = clock_monotonic_us() - begin_us;
    buffer_release(&out);
    return (void *)(intptr_t)took_us; /* NOLINT(performance-no-int-to-ptr) */
}

static void speed_of_a_read(void **state)
{
    static char value[SPEED_VALUE_BYTES];
    struct cache *cache = NULL;
    struct err err;
    char key[32];
    pthread_t thread;
    void *other_us;
    (void)state;
    enum err_code code = cache_create(64 << 20, clock_system(), &cache, &err);
    assert_int_equal(code, ERR_OK);
    for (int i = 0; i < SPEED_KEYS; i++) {
        (void)snprintf(key, sizeof(key), "England/form@0123/%05d", i);
        cache_put(cache, key, value, sizeof(value), 600000);
    }
    intptr_t took_us = (intptr_t)read_much(cache);
    print_message("one thread: %.0f ns per read of %d bytes\n", (double)took_us * 1000 / SPEED_ROUNDS,
                  SPEED_VALUE_BYTES);
    assert_int_equal(pthread_create(&thread, NULL, read_much, cache), 0);
    took_us = (intptr_t)read_much(cache);
    assert_int_equal(pthread_join(thread, &other_us), 0);
    print_message("two threads: %.0f ns per read in each\n",
                  (double)(took_us + (intptr_t)other_us) * 500 / SPEED_ROUNDS);
    struct cache_counts counts = cache_counts(cache);
    assert_int_equal(counts.hits, 3 * SPEED_ROUNDS);
    assert_int_equal(counts.misses, 0);
    cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_there),
        cmocka_unit_test(get_appends),
        cmocka_unit_test(entries_expire),
        cmocka_unit_test(expired_entries_are_tidied_by_puts),
        cmocka_unit_test(the_longest_unused_goes_first),
        cmocka_unit_test(the_budget_holds),
        cmocka_unit_test(what_is_larger_than_the_budget_is_refused),
        cmocka_unit_test(invalidation_by_key_and_prefix),
        cmocka_unit_test(many_threads_never_see_a_wrong_value),
        cmocka_unit_test(speed_of_a_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
