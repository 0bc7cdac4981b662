/* Forecaster: a change of the store that could not be taken in is taken in later, without another change. */
#include "base/text.h"
#include "os/test_folder.h"
#include "serve/forecaster.h"
#include "serve/test_world.h"

#include <unistd.h>

enum { SECOND_US = 1000000 };

static struct test_folder folder;
static struct store store;
static struct world world;
static struct loop *loop;
static struct pool *pool;
static int64_t monotonic_us;

static int64_t now(void *context)
{
    (void)context;
    return INT64_C(2000000000000000);
}

static int64_t monotonic(void *context)
{
    (void)context;
    return monotonic_us;
}

static int set_up(void **state)
{
    (void)state;
    monotonic_us = SECOND_US;
    test_folder_create(&folder);
    assert_int_equal(store_open(folder.path, DB_READ_WRITE, &store, NULL), ERR_OK);
    world_create(&world, 3, 60);
    world_tell(&world, store.db);
    assert_int_equal(loop_create(&loop, NULL), ERR_OK);
    assert_int_equal(pool_create(1, &pool, NULL), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pool_destroy(pool);
    loop_drain(loop);
    loop_destroy(loop);
    store_close(&store);
    test_folder_remove(&folder);
    return 0;
}

static void nothing(void *context)
{
    (void)context;
}

static void stop(void *context)
{
    loop_stop(context);
}

/* Until the pool has done all that it was given; its one thread takes one after the other. */
static void settle(void)
{
    assert_int_equal(pool_submit(pool, loop, nothing, stop, loop, NULL), ERR_OK);
    assert_int_equal(loop_run(loop, NULL), ERR_OK);
}

/* Whoever opens the store anew, as the pool does, finds it or does not. */
static void move_store(const char *from, const char *to)
{
    char source[FILE_PATH_BYTES];
    assert_true(text_copy(text_of(test_folder_path(&folder, from)), source, sizeof source));
    assert_int_equal(rename(source, test_folder_path(&folder, to)), 0);
}

static void check_at(struct forecaster *forecaster, int64_t seconds, bool is_ready)
{
    monotonic_us = seconds * SECOND_US;
    forecaster_check(forecaster);
    settle();
    assert_int_equal(forecaster_is_ready(forecaster), is_ready);
}

static void what_failed_is_tried_again(void **state)
{
    (void)state;
    struct forecaster *forecaster;
    struct clock clock = {.now_us = now, .monotonic_us = monotonic};

    move_store("almanac.db", "elsewhere.db");
    assert_int_equal(forecaster_create(loop, pool, &store, clock, &forecaster, NULL), ERR_OK);
    settle();
    assert_false(forecaster_is_ready(forecaster));
    check_at(forecaster, 12, false); /* the second time, 10 s after the first */
    move_store("elsewhere.db", "almanac.db");
    check_at(forecaster, 31, false); /* not before another 20 s are over */
    uint64_t changes = forecaster_changes(forecaster);
    check_at(forecaster, 33, true);
    assert_true(forecaster_changes(forecaster) > changes);
    changes = forecaster_changes(forecaster);
    check_at(forecaster, 100000, true);
    assert_int_equal(forecaster_changes(forecaster), changes); /* and then nothing is left to do */
    forecaster_destroy(forecaster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_failed_is_tried_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
