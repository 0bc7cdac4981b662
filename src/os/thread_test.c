/* The pool: every index once, no more threads than asked for, tasks in order, results handed to the loop's
 * thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/loop.h"
#include "os/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct pool *make_pool(size_t thread_count)
{
    struct pool *pool = NULL;
    struct err err;
    enum err_code code = pool_create(thread_count, &pool, &err);

    assert_int_equal(code, ERR_OK);
    return pool;
}

static void submit(struct pool *pool, struct loop *loop, void (*work)(void *), void (*done)(void *),
                   void *context)
{
    struct err err;
    enum err_code code = pool_submit(pool, loop, work, done, context, &err);

    assert_int_equal(code, ERR_OK);
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* Waits until *flag reaches value; false after a minute. */
static bool wait_for(atomic_int *flag, int value)
{
    int64_t end_us = clock_monotonic_us() + 60 * 1000 * 1000;

    while (atomic_load(flag) < value) {
        if (clock_monotonic_us() > end_us)
            return false;
        sched_yield();
    }
    return true;
}

/* ---- pool_for ---- */

static void add_one(void *context, size_t index)
{
    ((unsigned char *)context)[index]++; /* not atomic: the sanitizer sees an index that runs twice */
}

static void every_index_exactly_once(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 31, 32, 33, 1000, 65537, 300000};

    for (size_t threads = 1; threads <= 5; threads++) {
        struct pool *pool = make_pool(threads);
        assert_int_equal(pool_thread_count(pool), threads);
        for (size_t which = 0; which < sizeof counts / sizeof *counts; which++) {
            unsigned char *seen = calloc(counts[which] + 1, 1);
            pool_for(pool, counts[which], add_one, seen);
            for (size_t index = 0; index < counts[which]; index++)
                assert_int_equal(seen[index], 1);
            assert_int_equal(seen[counts[which]], 0);
            free(seen);
        }
        pool_destroy(pool);
    }
}

static void many_small_ranges(void **state)
{
    (void)state;
    struct pool *pool = make_pool(3);

    for (int round = 0; round < 3000; round++) {
        unsigned char seen[7] = {0};
        pool_for(pool, 7, add_one, seen);
        for (size_t index = 0; index < 7; index++)
            assert_int_equal(seen[index], 1);
    }
    pool_destroy(pool);
}

struct meeting {
    atomic_int inside, most, missed;
};

/* Leaves only when another thread is inside, too. */
static void meet(void *context, size_t index)
{
    struct meeting *meeting = context;

    (void)index;
    atomic_fetch_add(&meeting->inside, 1);
    if (!wait_for(&meeting->inside, 2))
        atomic_store(&meeting->missed, 1);
}

static void two_threads_work_at_once(void **state)
{
    (void)state;
    struct meeting meeting = {0};
    struct pool *pool = make_pool(2);

    pool_for(pool, 2, meet, &meeting);
    assert_int_equal(atomic_load(&meeting.missed), 0);
    pool_destroy(pool);
}

static void count_inside(void *context, size_t index)
{
    struct meeting *meeting = context;

    (void)index;
    int inside = atomic_fetch_add(&meeting->inside, 1) + 1;
    int most = atomic_load(&meeting->most);
    while (inside > most && !atomic_compare_exchange_weak(&meeting->most, &most, inside)) {
    }
    pause_ms(1);
    atomic_fetch_sub(&meeting->inside, 1);
}

static void never_more_threads_than_asked_for(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 4; threads++) {
        struct meeting meeting = {0};
        struct pool *pool = make_pool(threads);
        pool_for(pool, 40, count_inside, &meeting);
        assert_in_range(atomic_load(&meeting.most), 1, threads);
        pool_destroy(pool);
    }
}

struct gate {
    atomic_int entered, opened;
};

static void wait_at_gate(void *context)
{
    struct gate *gate = context;

    atomic_fetch_add(&gate->entered, 1);
    (void)wait_for(&gate->opened, 1);
}

static void for_goes_on_while_tasks_block_every_thread(void **state)
{
    (void)state;
    struct gate gate = {0};
    unsigned char seen[500] = {0};
    struct pool *pool = make_pool(2);

    submit(pool, NULL, wait_at_gate, NULL, &gate);
    submit(pool, NULL, wait_at_gate, NULL, &gate);
    assert_true(wait_for(&gate.entered, 2));
    pool_for(pool, 500, add_one, seen);
    for (size_t index = 0; index < 500; index++)
        assert_int_equal(seen[index], 1);
    atomic_store(&gate.opened, 1);
    pool_destroy(pool);
}

/* ---- pool_submit ---- */

struct journal {
    int entries[400];
    size_t count;
    pthread_t owner;
    struct loop *loop;
    size_t stop_at;
    bool foreign; /* something ran on a thread other than the owner */
};

struct item {
    struct journal *journal;
    int number;
    bool worked;
    pthread_t worker;
};

static void do_work(void *context)
{
    struct item *item = context;

    item->worker = pthread_self();
    item->worked = true;
}

static void note_done(void *context)
{
    struct item *item = context;
    struct journal *journal = item->journal;

    if (!pthread_equal(pthread_self(), journal->owner) || pthread_equal(item->worker, journal->owner))
        journal->foreign = true;
    if (item->worked)
        journal->entries[journal->count] = item->number;
    if (++journal->count == journal->stop_at)
        loop_stop(journal->loop);
}

static void run_items(size_t threads, struct journal *journal, struct item *items, size_t count)
{
    struct err err;
    struct pool *pool = make_pool(threads);

    memset(journal, 0, sizeof *journal);
    journal->owner = pthread_self();
    journal->stop_at = count;
    assert_int_equal(loop_create(&journal->loop, &err), ERR_OK);
    for (size_t index = 0; index < count; index++) {
        items[index] = (struct item){.journal = journal, .number = (int)index + 1};
        submit(pool, journal->loop, do_work, note_done, &items[index]);
    }
    assert_int_equal(loop_run(journal->loop, &err), ERR_OK);
    pool_destroy(pool);
    loop_destroy(journal->loop);
    assert_int_equal(journal->count, count);
    assert_false(journal->foreign);
}

static void done_runs_on_the_loop_in_order(void **state)
{
    (void)state;
    static struct journal journal;
    static struct item items[400];

    run_items(1, &journal, items, 400); /* one thread: first in, first out */
    for (size_t index = 0; index < 400; index++)
        assert_int_equal(journal.entries[index], index + 1);
}

static void done_runs_once_per_task_with_many_threads(void **state)
{
    (void)state;
    static struct journal journal;
    static struct item items[400];
    bool seen[401] = {false};

    run_items(4, &journal, items, 400);
    for (size_t index = 0; index < 400; index++) {
        assert_in_range(journal.entries[index], 1, 400);
        assert_false(seen[journal.entries[index]]);
        seen[journal.entries[index]] = true;
    }
}

static void count_up(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void count_slowly(void *context)
{
    pause_ms(2);
    count_up(context);
}

static void destroy_waits_for_what_was_submitted(void **state)
{
    (void)state;
    atomic_int count = 0;
    struct pool *pool = make_pool(2);

    for (int index = 0; index < 50; index++)
        submit(pool, NULL, count_slowly, count_up, &count); /* without a loop done runs at once */
    pool_destroy(pool);
    assert_int_equal(atomic_load(&count), 100);
}

static void drain_runs_what_a_stopped_loop_missed(void **state)
{
    (void)state;
    atomic_int count = 0;
    struct loop *loop = NULL;
    struct err err;
    struct pool *pool = make_pool(2);

    assert_int_equal(loop_create(&loop, &err), ERR_OK);
    for (int index = 0; index < 10; index++)
        submit(pool, loop, count_up, count_up, &count);
    pool_destroy(pool);
    assert_int_equal(atomic_load(&count), 10);
    loop_drain(loop);
    assert_int_equal(atomic_load(&count), 20);
    loop_drain(loop);
    assert_int_equal(atomic_load(&count), 20);
    loop_destroy(loop);
}

static void note_mask(void *context)
{
    pthread_sigmask(SIG_SETMASK, NULL, context);
}

static void signals_stay_with_the_main_thread(void **state)
{
    (void)state;
    sigset_t inside, outside;
    struct pool *pool = make_pool(1);

    submit(pool, NULL, note_mask, NULL, &inside);
    pool_destroy(pool);
    pthread_sigmask(SIG_SETMASK, NULL, &outside);
    assert_int_equal(sigismember(&inside, SIGTERM), 1);
    assert_int_equal(sigismember(&inside, SIGINT), 1);
    assert_int_equal(sigismember(&inside, SIGSEGV), 0);
    assert_int_equal(sigismember(&outside, SIGTERM), 0);
}

static void zero_threads_means_the_processors(void **state)
{
    (void)state;
    struct pool *pool = make_pool(0);

    assert_true(thread_processor_count() >= 1);
    assert_int_equal(pool_thread_count(pool), thread_processor_count());
    pool_destroy(pool);
    pool_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_exactly_once),
        cmocka_unit_test(many_small_ranges),
        cmocka_unit_test(two_threads_work_at_once),
        cmocka_unit_test(never_more_threads_than_asked_for),
        cmocka_unit_test(for_goes_on_while_tasks_block_every_thread),
        cmocka_unit_test(done_runs_on_the_loop_in_order),
        cmocka_unit_test(done_runs_once_per_task_with_many_threads),
        cmocka_unit_test(destroy_waits_for_what_was_submitted),
        cmocka_unit_test(drain_runs_what_a_stopped_loop_missed),
        cmocka_unit_test(signals_stay_with_the_main_thread),
        cmocka_unit_test(zero_threads_means_the_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
