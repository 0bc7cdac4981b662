/* The event loop: one epoll set, a heap of timers and a list of posts guarded by a mutex and announced
 * through an eventfd. A round is: prepare, wait, watches, timers, posts.
 *
 * Removal during dispatch: epoll hands out a batch, and a callback may remove a watch whose event is still in
 * that batch. A removed watch therefore only loses its callback and moves to `removed`; its memory goes after
 * the batch. Posts that are added by posts wait for the next round, so that they cannot starve the
 * descriptors. */
#include "os/loop.h"

#include "os/clock.h"
#include "os/loop_call.h"
#include "os/loop_timers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { BATCH_EVENTS = 64 };

struct loop_watch {
    int descriptor;
    unsigned events;
    void (*ready)(void *context, unsigned events); /* NULL: removed */
    void *context;
    struct loop_watch *next, *previous;
};

struct loop {
    int epoll, wake, signals; /* descriptors, -1 when not open */
    struct loop_watch *watches, *removed;
    struct loop_timers timers;
    int64_t (*prepare)(void *context);
    void *prepare_context;
    pthread_mutex_t lock; /* guards the posts */
    struct loop_call *first_post, *last_post;
    atomic_bool stop;
    sigset_t old_mask; /* to restore when `signals` is open */
};

static enum err_code open_descriptors(struct loop *loop, struct err *err)
{
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        return err_set_errno(err, errno, "cannot create an event loop");
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake < 0)
        return err_set_errno(err, errno, "cannot create the event loop's wake descriptor");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}; /* NULL names the wake descriptor */
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) != 0)
        return err_set_errno(err, errno, "cannot watch the event loop's wake descriptor");
    return ERR_OK;
}

enum err_code loop_create(struct loop **out, struct err *err)
{
    *out = NULL;
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return err_nomem(err, sizeof *loop);
    loop->epoll = loop->wake = loop->signals = -1;
    atomic_init(&loop->stop, false);
    int failure = pthread_mutex_init(&loop->lock, NULL);
    assert(failure == 0); /* a default mutex asks for nothing */
    enum err_code code = open_descriptors(loop, err);
    if (code != ERR_OK) {
        loop_destroy(loop);
        return code;
    }
    *out = loop;
    return ERR_OK;
}

static void free_watches(struct loop_watch *watch)
{
    while (watch != NULL) {
        struct loop_watch *next = watch->next;
        free(watch);
        watch = next;
    }
}

static void free_posts(struct loop_call *post)
{
    while (post != NULL) {
        struct loop_call *next = post->next;
        free(post);
        post = next;
    }
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->signals >= 0) {
        close(loop->signals);
        pthread_sigmask(SIG_SETMASK, &loop->old_mask, NULL);
    }
    if (loop->wake >= 0)
        close(loop->wake);
    if (loop->epoll >= 0)
        close(loop->epoll);
    free_watches(loop->watches);
    free_watches(loop->removed);
    free_posts(loop->first_post);
    loop_timers_release(&loop->timers);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

/* Async-signal-safe. A full counter is as good: the loop wakes. */
static void wake(struct loop *loop)
{
    int saved = errno;
    uint64_t one = 1;
    ssize_t done = write(loop->wake, &one, sizeof one);

    assert(done == (ssize_t)sizeof one || errno == EAGAIN);
    errno = saved;
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stop, true);
    wake(loop);
}

void loop_post_call(struct loop *loop, struct loop_call *call)
{
    call->next = NULL;
    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->first_post == NULL;
    if (was_empty)
        loop->first_post = call;
    else
        loop->last_post->next = call;
    loop->last_post = call;
    if (was_empty) /* inside the lock: once the call has run, its poster's loop may be gone */
        wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

enum err_code loop_post(struct loop *loop, void (*call)(void *context), void *context, struct err *err)
{
    struct loop_call *post = malloc(sizeof *post);
    if (post == NULL)
        return err_nomem(err, sizeof *post);
    *post = (struct loop_call){.call = call, .context = context};
    loop_post_call(loop, post);
    return ERR_OK;
}

/* Runs what is there now; true when there was something. */
static bool run_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct loop_call *post = loop->first_post;
    loop->first_post = loop->last_post = NULL;
    pthread_mutex_unlock(&loop->lock);
    bool any = post != NULL;
    while (post != NULL) {
        struct loop_call this = *post;
        free(post);
        this.call(this.context);
        post = this.next;
    }
    return any;
}

void loop_drain(struct loop *loop)
{
    while (run_posts(loop)) {
    }
}

static uint32_t to_epoll(unsigned events)
{
    uint32_t result = 0;

    if ((events & LOOP_READ) != 0)
        result |= EPOLLIN;
    if ((events & LOOP_WRITE) != 0)
        result |= EPOLLOUT;
    if ((events & LOOP_HANGUP) != 0)
        result |= EPOLLRDHUP;
    return result;
}

/* A hang-up or an error also counts as what was asked for: read and write then tell which it is, and a
 * callback that looks at LOOP_READ alone meets the end of the stream instead of being called for ever. */
static unsigned from_epoll(uint32_t happened, unsigned asked)
{
    unsigned events = 0;

    if ((happened & EPOLLIN) != 0)
        events |= LOOP_READ;
    if ((happened & EPOLLOUT) != 0)
        events |= LOOP_WRITE;
    if ((happened & (EPOLLHUP | EPOLLERR)) != 0)
        events |= LOOP_HANGUP | (asked & (LOOP_READ | LOOP_WRITE));
    if ((happened & EPOLLRDHUP) != 0)
        events |= LOOP_HANGUP;
    return events;
}

enum err_code loop_watch_add(struct loop *loop, int descriptor, unsigned events,
                             void (*ready)(void *context, unsigned events), void *context,
                             struct loop_watch **out, struct err *err)
{
    assert(ready != NULL && events != 0);
    struct loop_watch *watch = malloc(sizeof *watch);
    if (watch == NULL)
        return err_nomem(err, sizeof *watch);
    *watch =
        (struct loop_watch){.descriptor = descriptor, .events = events, .ready = ready, .context = context};
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        enum err_code code = err_set_errno(err, errno, "cannot watch descriptor %d", descriptor);
        free(watch);
        return code;
    }
    watch->next = loop->watches;
    if (watch->next != NULL)
        watch->next->previous = watch;
    loop->watches = watch;
    if (out != NULL)
        *out = watch;
    return ERR_OK;
}

void loop_watch_remove(struct loop *loop, struct loop_watch *watch)
{
    assert(watch->ready != NULL);
    /* fails only when the descriptor was closed before, and then it has left the set by itself */
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->descriptor, NULL);
    watch->ready = NULL;
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        loop->watches = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    watch->previous = NULL;
    watch->next = loop->removed;
    loop->removed = watch;
}

enum err_code loop_timer_add(struct loop *loop, int64_t delay_ms, int64_t period_ms,
                             void (*fire)(void *context), void *context, struct loop_timer **out,
                             struct err *err)
{
    assert(delay_ms >= 0 && period_ms >= 0 && fire != NULL);
    int64_t due_us = clock_monotonic_us() + delay_ms * 1000;
    return loop_timers_add(&loop->timers, due_us, period_ms * 1000, fire, context, out, err);
}

void loop_timer_remove(struct loop *loop, struct loop_timer *timer)
{
    loop_timers_remove(&loop->timers, timer);
}

void loop_set_prepare(struct loop *loop, int64_t (*prepare)(void *context), void *context)
{
    loop->prepare = prepare;
    loop->prepare_context = context;
}

static int wait_ms(struct loop *loop)
{
    int64_t allowed = loop->prepare == NULL ? -1 : loop->prepare(loop->prepare_context);
    int64_t timers = loop_timers_wait_ms(&loop->timers, clock_monotonic_us());
    int64_t least = allowed < 0 || (timers >= 0 && timers < allowed) ? timers : allowed;

    if (atomic_load(&loop->stop))
        return 0;
    return least > INT32_MAX ? INT32_MAX : (int)least;
}

static void dispatch(struct loop *loop, const struct epoll_event *events, int count)
{
    for (int index = 0; index < count; index++) {
        struct loop_watch *watch = events[index].data.ptr;
        if (watch == NULL) {
            uint64_t ignored;
            ssize_t got = read(loop->wake, &ignored, sizeof ignored);
            assert(got == (ssize_t)sizeof ignored || errno == EAGAIN || errno == EINTR);
            continue;
        }
        if (watch->ready != NULL)
            watch->ready(watch->context, from_epoll(events[index].events, watch->events));
    }
    free_watches(loop->removed);
    loop->removed = NULL;
}

enum err_code loop_run(struct loop *loop, struct err *err)
{
    struct epoll_event events[BATCH_EVENTS];

    while (!atomic_load(&loop->stop)) {
        int count = epoll_wait(loop->epoll, events, BATCH_EVENTS, wait_ms(loop));
        if (count < 0 && errno != EINTR)
            return err_set_errno(err, errno, "cannot wait for events");
        dispatch(loop, events, count);
        loop_timers_run(&loop->timers, clock_monotonic_us());
        run_posts(loop);
    }
    atomic_store(&loop->stop, false); /* a loop can run again */
    return ERR_OK;
}

static void on_signal(void *context, unsigned events)
{
    struct loop *loop = context;
    struct signalfd_siginfo info;

    (void)events;
    while (read(loop->signals, &info, sizeof info) == (ssize_t)sizeof info)
        loop_stop(loop);
}

enum err_code loop_stop_on_signals(struct loop *loop, struct err *err)
{
    sigset_t mask;

    assert(loop->signals < 0);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    int descriptor = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot receive signals");
    enum err_code code = loop_watch_add(loop, descriptor, LOOP_READ, on_signal, loop, NULL, err);
    if (code != ERR_OK) {
        close(descriptor);
        return code;
    }
    pthread_sigmask(SIG_BLOCK, &mask, &loop->old_mask);
    loop->signals = descriptor;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its write, as a full disk is */
    return ERR_OK;
}
