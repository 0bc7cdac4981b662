/* The loop: watches, timers and posts, each of them removing itself and its neighbours while it is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/loop_timers.h"
#include "os/test_folder.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;

static int set_up(void **state)
{
    (void)state;
    return loop_create(&loop, NULL) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_destroy(loop);
    return 0;
}

static void run(void)
{
    struct err err;
    enum err_code code = loop_run(loop, &err);

    assert_int_equal(code, ERR_OK);
}

static void stop(void *context)
{
    (void)context;
    loop_stop(loop);
}

static void stop_after_ms(int64_t ms)
{
    struct err err;
    enum err_code code = loop_timer_add(loop, ms, 0, stop, NULL, NULL, &err);

    assert_int_equal(code, ERR_OK);
}

/* ---- watches ---- */

struct end {
    int descriptors[2]; /* read, write */
    struct loop_watch *watch;
    struct end *victim; /* whose watch is removed when this one is called */
    int calls;
    unsigned events;
    bool keeps;
};

static void on_ready(void *context, unsigned events)
{
    struct end *end = context;

    end->calls++;
    end->events = events;
    if (end->victim != NULL && end->victim->watch != NULL) {
        loop_watch_remove(loop, end->victim->watch);
        end->victim->watch = NULL;
    }
    if (!end->keeps && end->watch != NULL) {
        loop_watch_remove(loop, end->watch);
        end->watch = NULL;
    }
}

static void open_end(struct end *end, unsigned events)
{
    struct err err;

    *end = (struct end){0};
    assert_int_equal(pipe2(end->descriptors, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(loop_watch_add(loop, end->descriptors[0], events, on_ready, end, &end->watch, &err),
                     ERR_OK);
}

static void close_end(struct end *end)
{
    close(end->descriptors[0]);
    if (end->descriptors[1] >= 0)
        close(end->descriptors[1]);
}

static void feed(const struct end *end)
{
    assert_int_equal(write(end->descriptors[1], "x", 1), 1);
}

static void watch_removes_itself(void **state)
{
    (void)state;
    struct end end;

    open_end(&end, LOOP_READ);
    feed(&end);
    stop_after_ms(20);
    run();
    assert_int_equal(end.calls, 1); /* level-triggered: it would be called again if it were still there */
    assert_int_equal(end.events, LOOP_READ);
    close_end(&end);
}

static void watch_is_level_triggered(void **state)
{
    (void)state;
    struct end end;

    open_end(&end, LOOP_READ);
    end.keeps = true;
    feed(&end);
    stop_after_ms(20);
    run();
    assert_true(end.calls > 2);
    close_end(&end);
}

/* Both are in one batch; whichever comes first removes the other. */
static void removed_watch_is_not_called_any_more(void **state)
{
    (void)state;
    struct end left, right;

    open_end(&left, LOOP_READ);
    open_end(&right, LOOP_READ);
    left.victim = &right;
    right.victim = &left;
    feed(&left);
    feed(&right);
    stop_after_ms(20);
    run();
    assert_int_equal(left.calls + right.calls, 1);
    close_end(&left);
    close_end(&right);
}

static void end_of_stream_reads_and_hangs_up(void **state)
{
    (void)state;
    struct end end;

    open_end(&end, LOOP_READ);
    close(end.descriptors[1]);
    end.descriptors[1] = -1;
    stop_after_ms(20);
    run();
    assert_int_equal(end.calls, 1);
    assert_int_equal(end.events, LOOP_READ | LOOP_HANGUP);
    close_end(&end);
}

static void write_watch_and_broken_pipe(void **state)
{
    (void)state;
    struct end end = {0};
    struct err err;

    assert_int_equal(pipe2(end.descriptors, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(loop_watch_add(loop, end.descriptors[1], LOOP_WRITE, on_ready, &end, &end.watch, &err),
                     ERR_OK);
    stop_after_ms(20);
    run();
    assert_int_equal(end.events, LOOP_WRITE);
    close(end.descriptors[0]);
    assert_int_equal(loop_watch_add(loop, end.descriptors[1], LOOP_WRITE, on_ready, &end, &end.watch, &err),
                     ERR_OK);
    stop_after_ms(20);
    run();
    assert_int_equal(end.events, LOOP_WRITE | LOOP_HANGUP);
    assert_int_equal(end.calls, 2);
    close(end.descriptors[1]);
}

static void closed_descriptor_may_still_be_removed(void **state)
{
    (void)state;
    struct end end;

    open_end(&end, LOOP_READ);
    close_end(&end);
    loop_watch_remove(loop, end.watch);
    stop_after_ms(1);
    run();
    assert_int_equal(end.calls, 0);
}

static void file_cannot_be_watched(void **state)
{
    (void)state;
    struct loop_watch *watch = NULL;
    struct err err;
    int descriptor = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_int_equal(loop_watch_add(loop, descriptor, LOOP_READ, on_ready, NULL, &watch, &err), ERR_IO);
    assert_non_null(strstr(err.text, "cannot watch"));
    close(descriptor);
}

/* More than one batch of ready descriptors. */
static void hundred_watches(void **state)
{
    (void)state;
    static struct end ends[100];

    for (size_t index = 0; index < 100; index++) {
        open_end(&ends[index], LOOP_READ);
        feed(&ends[index]);
    }
    stop_after_ms(50);
    run();
    for (size_t index = 0; index < 100; index++) {
        assert_int_equal(ends[index].calls, 1);
        close_end(&ends[index]);
    }
}

/* ---- timers ---- */

struct tick {
    struct loop_timer *timer;
    struct tick *victim;
    int calls, stop_at;
    int64_t last_us;
};

static void on_tick(void *context)
{
    struct tick *tick = context;

    tick->calls++;
    tick->last_us = clock_monotonic_us();
    if (tick->victim != NULL && tick->victim->timer != NULL) {
        loop_timer_remove(loop, tick->victim->timer);
        tick->victim->timer = NULL;
    }
    if (tick->calls == tick->stop_at) {
        loop_timer_remove(loop, tick->timer);
        tick->timer = NULL;
        stop_after_ms(20);
    }
}

static void add_tick(struct tick *tick, int64_t delay_ms, int64_t period_ms, int stop_at)
{
    struct err err;

    *tick = (struct tick){.stop_at = stop_at};
    assert_int_equal(loop_timer_add(loop, delay_ms, period_ms, on_tick, tick, &tick->timer, &err), ERR_OK);
}

static void single_timer_fires_once_and_not_early(void **state)
{
    (void)state;
    struct tick tick;
    int64_t start_us = clock_monotonic_us();

    add_tick(&tick, 20, 0, 0);
    stop_after_ms(60);
    run();
    assert_int_equal(tick.calls, 1);
    assert_true(tick.last_us - start_us >= 20000);
}

static void single_timer_may_remove_itself(void **state)
{
    (void)state;
    struct tick tick;

    add_tick(&tick, 1, 0, 1);
    run();
    assert_int_equal(tick.calls, 1);
}

static void periodic_timer_removes_itself(void **state)
{
    (void)state;
    struct tick tick;

    add_tick(&tick, 0, 2, 3);
    run();
    assert_int_equal(tick.calls, 3);
}

static void timer_removes_another_that_is_due(void **state)
{
    (void)state;
    struct tick first, second;

    add_tick(&first, 5, 0, 0);
    add_tick(&second, 5, 0, 0);
    first.victim = &second;
    second.victim = &first;
    stop_after_ms(30);
    run();
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
}

static void timers_left_over_are_freed(void **state)
{
    (void)state;
    struct tick ticks[40];

    for (size_t index = 0; index < 40; index++)
        add_tick(&ticks[index], 100000, 100000, 0);
    stop_after_ms(1);
    run();
    assert_int_equal(ticks[0].calls, 0);
}

/* The heap itself, in simulated time: what fires is sorted by due time, then by age. */
struct planned {
    struct loop_timer *timer;
    int64_t due_us;
    bool removed;
    int fired;
};
static struct planned planned[2000];
static int64_t last_due_us;
static const struct planned *last_planned;

static void on_planned(void *context)
{
    struct planned *this = context;

    this->fired++;
    if (this->due_us < last_due_us || (this->due_us == last_due_us && this < last_planned))
        this->fired = -1000; /* out of order */
    last_due_us = this->due_us;
    last_planned = this;
}

static void heap_fires_in_order(void **state)
{
    (void)state;
    struct loop_timers timers = {0};
    struct random random;
    struct err err;

    random_init(&random, 5);
    last_due_us = -1;
    for (size_t index = 0; index < 2000; index++) {
        planned[index] = (struct planned){.due_us = (int64_t)random_below(&random, 500)};
        assert_int_equal(loop_timers_add(&timers, planned[index].due_us, 0, on_planned, &planned[index],
                                         &planned[index].timer, &err),
                         ERR_OK);
    }
    for (size_t index = 0; index < 2000; index += 1 + random_below(&random, 4)) {
        planned[index].removed = true;
        loop_timers_remove(&timers, planned[index].timer);
    }
    for (int64_t now_us = -1; now_us < 500; now_us += 7) {
        loop_timers_run(&timers, now_us);
        for (size_t index = 0; index < 2000; index++)
            assert_int_equal(planned[index].fired,
                             !planned[index].removed && planned[index].due_us <= now_us);
        if (timers.count > 0)
            assert_int_equal(loop_timers_wait_ms(&timers, now_us), 1);
    }
    loop_timers_run(&timers, 500);
    assert_int_equal(loop_timers_wait_ms(&timers, 500), -1);
    loop_timers_release(&timers);
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void late_periodic_timer_skips_what_it_missed(void **state)
{
    (void)state;
    struct loop_timers timers = {0};
    struct err err;
    int calls = 0;

    assert_int_equal(loop_timers_add(&timers, 10000, 10000, count_call, &calls, NULL, &err), ERR_OK);
    loop_timers_run(&timers, 9999);
    assert_int_equal(calls, 0);
    loop_timers_run(&timers, 10500);
    assert_int_equal(calls, 1);
    assert_int_equal(loop_timers_wait_ms(&timers, 10500),
                     10); /* due at 20000 still: lateness does not add up */
    loop_timers_run(&timers, 95000);
    assert_int_equal(calls, 2);
    assert_int_equal(loop_timers_wait_ms(&timers, 95000), 10);
    loop_timers_release(&timers);
}

/* ---- posts, stop, prepare ---- */

enum { POSTERS = 4, POSTS = 1000 };

struct poster {
    pthread_t thread;
    int next; /* on the loop's thread only */
    bool disordered;
};
struct post {
    struct poster *poster;
    int number;
};
static int posts_left;

static void on_post(void *context)
{
    struct post *post = context;

    if (post->number != post->poster->next++)
        post->poster->disordered = true;
    free(post);
    if (--posts_left == 0)
        loop_stop(loop);
}

static void *post_all(void *context)
{
    for (int number = 0; number < POSTS; number++) {
        struct post *post = malloc(sizeof *post);
        *post = (struct post){.poster = context, .number = number};
        if (loop_post(loop, on_post, post, NULL) != ERR_OK)
            abort();
    }
    return NULL;
}

static void posts_of_each_thread_keep_their_order(void **state)
{
    (void)state;
    struct poster posters[POSTERS] = {0};

    posts_left = POSTERS * POSTS;
    for (size_t index = 0; index < POSTERS; index++)
        assert_int_equal(pthread_create(&posters[index].thread, NULL, post_all, &posters[index]), 0);
    run();
    for (size_t index = 0; index < POSTERS; index++) {
        pthread_join(posters[index].thread, NULL);
        assert_int_equal(posters[index].next, POSTS);
        assert_false(posters[index].disordered);
    }
}

static int chain_calls;

/* Posts itself for ever: timers and descriptors must get their turn all the same. */
static void chain(void *context)
{
    chain_calls++;
    if (loop_post(loop, chain, context, NULL) != ERR_OK)
        abort();
}

static void posting_posts_starve_nobody(void **state)
{
    (void)state;
    struct end end;

    chain_calls = 0;
    open_end(&end, LOOP_READ);
    feed(&end);
    chain(NULL);
    stop_after_ms(10);
    run();
    assert_int_equal(end.calls, 1);
    assert_true(chain_calls > 2);
    close_end(&end);
}

static void post_left_over_is_dropped(void **state)
{
    (void)state;
    int calls = 0;
    struct err err;

    assert_int_equal(loop_post(loop, count_call, &calls, &err), ERR_OK);
    loop_destroy(loop);
    assert_int_equal(calls, 0);
    assert_int_equal(loop_create(&loop, &err), ERR_OK);
}

static void *stop_soon(void *context)
{
    (void)context;
    usleep(10000);
    loop_stop(loop);
    return NULL;
}

static void stop_from_another_thread(void **state)
{
    (void)state;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    run(); /* nothing else would ever wake it */
    pthread_join(thread, NULL);
}

static void stop_before_run_is_not_lost(void **state)
{
    (void)state;
    loop_stop(loop);
    run();
    stop_after_ms(5); /* and a loop runs again */
    int64_t start_us = clock_monotonic_us();
    run();
    assert_true(clock_monotonic_us() - start_us >= 4000);
}

static int prepare_calls;

static int64_t prepare(void *context)
{
    if (++prepare_calls == 5)
        loop_stop(loop);
    return *(int64_t *)context;
}

static void prepare_bounds_the_wait(void **state)
{
    (void)state;
    int64_t allowed_ms = 3;
    int64_t start_us = clock_monotonic_us();

    prepare_calls = 0;
    loop_set_prepare(loop, prepare, &allowed_ms);
    run();
    assert_int_equal(prepare_calls, 5);
    assert_true(clock_monotonic_us() - start_us >= 4 * 3000 - 1000);
    prepare_calls = 10;
    allowed_ms = -1; /* any: the timer decides */
    stop_after_ms(10);
    run();
    assert_in_range(prepare_calls, 11, 13);
}

/* ---- signals ---- */

static void signals_stop_the_loop(void **state)
{
    (void)state;
    struct err err;
    sigset_t before, after;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(loop_stop_on_signals(loop, &err), ERR_OK);
    raise(SIGTERM);
    run();
    raise(SIGINT);
    run();
    raise(SIGPIPE); /* ignored */
    raise(SIGXFSZ); /* a file that may not grow */
    loop_destroy(loop);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
    assert_int_equal(loop_create(&loop, &err), ERR_OK);
}

static void on_alarm(int number)
{
    (void)number;
    /* that a handler may call this is what is tested: NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c) */
    loop_stop(loop);
}

static void stop_from_a_signal_handler(void **state)
{
    (void)state;
    signal(SIGALRM, on_alarm);
    ualarm(10000, 0);
    run();
    signal(SIGALRM, SIG_DFL);
}

static void destroy_closes_its_own_descriptors(void **state)
{
    (void)state;
    struct loop *other = NULL;
    struct err err;
    size_t open_before = test_descriptor_count();

    assert_int_equal(loop_create(&other, &err), ERR_OK);
    assert_int_equal(loop_stop_on_signals(other, &err), ERR_OK);
    loop_destroy(other);
    loop_destroy(NULL);
    assert_int_equal(test_descriptor_count(), open_before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(watch_removes_itself),
        TEST(watch_is_level_triggered),
        TEST(removed_watch_is_not_called_any_more),
        TEST(end_of_stream_reads_and_hangs_up),
        TEST(write_watch_and_broken_pipe),
        TEST(closed_descriptor_may_still_be_removed),
        TEST(file_cannot_be_watched),
        TEST(hundred_watches),
        TEST(single_timer_fires_once_and_not_early),
        TEST(single_timer_may_remove_itself),
        TEST(periodic_timer_removes_itself),
        TEST(timer_removes_another_that_is_due),
        TEST(timers_left_over_are_freed),
        TEST(heap_fires_in_order),
        TEST(late_periodic_timer_skips_what_it_missed),
        TEST(posts_of_each_thread_keep_their_order),
        TEST(posting_posts_starve_nobody),
        TEST(post_left_over_is_dropped),
        TEST(stop_from_another_thread),
        TEST(stop_before_run_is_not_lost),
        TEST(prepare_bounds_the_wait),
        TEST(signals_stop_the_loop),
        TEST(stop_from_a_signal_handler),
        TEST(destroy_closes_its_own_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
