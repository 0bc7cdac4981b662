/* The thread pool. Threads sleep on one condition and take, in this order, a share of the running range
 * (pool_for) or the oldest submitted task.
 *
 * pool_for keeps its range on the caller's stack. Indices are handed out by one atomic counter in small runs;
 * helpers register under the lock while the range is open, and the caller returns after the last of them has
 * left. The caller counts as one of thread_count, so at most thread_count - 1 helpers join: no more threads
 * compute than were asked for. Because the caller works too, a pool whose threads are all busy with tasks
 * still makes progress.
 *
 * Handing a finished task to its loop must not fail, so the post is allocated when the task is submitted. */
#include "os/thread.h"

#include "os/loop_call.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs of indices per thread: enough to level out uneven bodies, few enough that the counter is not fought
 * over. */
enum { RUNS_PER_THREAD = 16, RUN_MAX = 1024 };

struct range {
    void (*body)(void *context, size_t index);
    void *context;
    size_t count, run;
    atomic_size_t next;
    size_t seats;  /* helpers that may still join; guarded by the pool's lock, as `active` */
    size_t active; /* helpers inside */
};

struct task {
    void (*work)(void *context);
    void (*done)(void *context);
    void *context;
    struct loop *loop;
    struct loop_call *post; /* NULL: done runs on the pool thread */
    struct task *next;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work_there; /* a range was opened, a task submitted, or `closing` set */
    pthread_cond_t range_left; /* the last helper left the range */
    struct range *range;
    struct task *first_task, *last_task;
    bool closing;
    size_t thread_count; /* started */
    pthread_t threads[];
};

static _Thread_local const struct pool *thread_pool; /* the pool this thread belongs to */

size_t thread_processor_count(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    long count = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than cpu_set_t holds */
    return count > 0 ? (size_t)count : 1;
}

static void work_on(struct range *range)
{
    for (;;) {
        size_t first = atomic_fetch_add_explicit(&range->next, range->run, memory_order_relaxed);
        if (first >= range->count)
            return;
        size_t end = range->count - first < range->run ? range->count : first + range->run;
        for (size_t index = first; index < end; index++)
            range->body(range->context, index);
    }
}

/* Called with the lock held; returns with it held. */
static void help_range(struct pool *pool, struct range *range)
{
    range->seats--;
    range->active++;
    pthread_mutex_unlock(&pool->lock);
    work_on(range);
    pthread_mutex_lock(&pool->lock);
    if (--range->active == 0)
        pthread_cond_signal(&pool->range_left);
}

static void run_task(struct task *task)
{
    task->work(task->context);
    if (task->post != NULL)
        loop_post_call(task->loop, task->post);
    else if (task->done != NULL)
        task->done(task->context);
    free(task);
}

static void take_task(struct pool *pool)
{
    struct task *task = pool->first_task;

    pool->first_task = task->next;
    if (pool->first_task == NULL)
        pool->last_task = NULL;
    pthread_mutex_unlock(&pool->lock);
    run_task(task);
    pthread_mutex_lock(&pool->lock);
}

static void *thread_main(void *context)
{
    struct pool *pool = context;

    thread_pool = pool;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        if (pool->range != NULL && pool->range->seats > 0)
            help_range(pool, pool->range);
        else if (pool->first_task != NULL)
            take_task(pool);
        else if (pool->closing)
            break;
        else
            pthread_cond_wait(&pool->work_there, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Signals belong to the loop's thread; those that a fault raises stay open for the sanitizers and the core
 * dump. */
static void block_signals(sigset_t *old)
{
    sigset_t mask;

    sigfillset(&mask);
    sigdelset(&mask, SIGSEGV);
    sigdelset(&mask, SIGBUS);
    sigdelset(&mask, SIGFPE);
    sigdelset(&mask, SIGILL);
    sigdelset(&mask, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &mask, old);
}

static enum err_code start_threads(struct pool *pool, size_t count, struct err *err)
{
    sigset_t old;
    int failure = 0;

    block_signals(&old);
    while (pool->thread_count < count && failure == 0) {
        failure = pthread_create(&pool->threads[pool->thread_count], NULL, thread_main, pool);
        if (failure == 0)
            pool->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failure != 0)
        return err_set_errno(err, failure, "cannot start thread %zu of %zu", pool->thread_count + 1, count);
    return ERR_OK;
}

enum err_code pool_create(size_t thread_count, struct pool **out, struct err *err)
{
    *out = NULL;
    if (thread_count == 0)
        thread_count = thread_processor_count();
    size_t size_bytes = sizeof(struct pool) + thread_count * sizeof(pthread_t);
    struct pool *pool = calloc(1, size_bytes);
    if (pool == NULL)
        return err_nomem(err, size_bytes);
    int failure = pthread_mutex_init(&pool->lock, NULL) | pthread_cond_init(&pool->work_there, NULL) |
                  pthread_cond_init(&pool->range_left, NULL);
    assert(failure == 0); /* with default attributes they ask for nothing */
    enum err_code code = start_threads(pool, thread_count, err);
    if (code != ERR_OK) {
        pool_destroy(pool);
        return code;
    }
    *out = pool;
    return ERR_OK;
}

void pool_destroy(struct pool *pool)
{
    if (pool == NULL)
        return;
    assert(thread_pool != pool);
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work_there);
    pthread_mutex_unlock(&pool->lock);
    for (size_t index = 0; index < pool->thread_count; index++)
        pthread_join(pool->threads[index], NULL);
    pthread_cond_destroy(&pool->work_there);
    pthread_cond_destroy(&pool->range_left);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t pool_thread_count(const struct pool *pool)
{
    return pool->thread_count;
}

static size_t run_length(size_t count, size_t thread_count)
{
    size_t run = count / (thread_count * RUNS_PER_THREAD);

    return run == 0 ? 1 : run > RUN_MAX ? RUN_MAX : run;
}

/* Opens the range to helpers, works, closes it and waits for the last helper. */
static void share_range(struct pool *pool, struct range *range)
{
    pthread_mutex_lock(&pool->lock);
    assert(pool->range == NULL); /* one pool_for at a time */
    pool->range = range;
    pthread_cond_broadcast(&pool->work_there);
    pthread_mutex_unlock(&pool->lock);
    work_on(range);
    pthread_mutex_lock(&pool->lock);
    pool->range = NULL;
    while (range->active > 0)
        pthread_cond_wait(&pool->range_left, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void pool_for(struct pool *pool, size_t count, void (*body)(void *context, size_t index), void *context)
{
    assert(thread_pool != pool);
    struct range range = {.body = body, .context = context, .count = count};

    range.run = run_length(count, pool->thread_count);
    range.seats = pool->thread_count - 1;
    if (range.seats >= count)
        range.seats = count == 0 ? 0 : count - 1;
    atomic_init(&range.next, 0);
    if (range.seats == 0)
        work_on(&range);
    else
        share_range(pool, &range);
}

/* The task with its post, if it needs one. */
static struct task *create_task(struct loop *loop, void (*done)(void *context), void *context)
{
    struct task *task = calloc(1, sizeof *task);

    if (task == NULL || done == NULL || loop == NULL)
        return task;
    task->post = malloc(sizeof *task->post);
    if (task->post == NULL) {
        free(task);
        return NULL;
    }
    *task->post = (struct loop_call){.call = done, .context = context};
    return task;
}

enum err_code pool_submit(struct pool *pool, struct loop *loop, void (*work)(void *context),
                          void (*done)(void *context), void *context, struct err *err)
{
    struct task *task = create_task(loop, done, context);
    if (task == NULL)
        return err_nomem(err, sizeof *task + sizeof *task->post);
    task->work = work;
    task->done = done;
    task->context = context;
    task->loop = loop;
    pthread_mutex_lock(&pool->lock);
    assert(!pool->closing || thread_pool == pool); /* running tasks may still submit, they are waited for */
    if (pool->last_task != NULL)
        pool->last_task->next = task;
    else
        pool->first_task = task;
    pool->last_task = task;
    pthread_cond_signal(&pool->work_there);
    pthread_mutex_unlock(&pool->lock);
    return ERR_OK;
}
