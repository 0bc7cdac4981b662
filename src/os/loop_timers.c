/* Timers in a binary heap. A timer may remove itself or any other while it fires: a periodic one is put back
 * before its call and not touched after; a single one is out of the heap during its call (removing it then
 * does nothing) and freed after. A periodic timer that is late by more than a period skips what it missed
 * instead of firing in a row. */
#include "os/loop_timers.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };
#define NOT_IN_HEAP SIZE_MAX

struct loop_timer {
    int64_t due_us, period_us;
    uint64_t sequence;
    size_t place;
    void (*fire)(void *context);
    void *context;
};

static bool is_before(const struct loop_timer *left, const struct loop_timer *right)
{
    if (left->due_us != right->due_us)
        return left->due_us < right->due_us;
    return left->sequence < right->sequence;
}

static void put(struct loop_timers *timers, size_t place, struct loop_timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void sift_up(struct loop_timers *timers, size_t place)
{
    struct loop_timer *timer = timers->heap[place];

    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (!is_before(timer, timers->heap[parent]))
            break;
        put(timers, place, timers->heap[parent]);
        place = parent;
    }
    put(timers, place, timer);
}

static void sift_down(struct loop_timers *timers, size_t place)
{
    struct loop_timer *timer = timers->heap[place];

    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && is_before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!is_before(timers->heap[child], timer))
            break;
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

/* There is room: capacity never shrinks and loop_timers_add made it. */
static void insert(struct loop_timers *timers, struct loop_timer *timer)
{
    assert(timers->count < timers->capacity);
    timer->sequence = timers->next_sequence++;
    put(timers, timers->count++, timer);
    sift_up(timers, timer->place);
}

static void take_out(struct loop_timers *timers, struct loop_timer *timer)
{
    size_t place = timer->place;

    assert(place < timers->count && timers->heap[place] == timer);
    struct loop_timer *last = timers->heap[--timers->count];
    timer->place = NOT_IN_HEAP;
    if (place == timers->count)
        return;
    put(timers, place, last);
    sift_up(timers, place);
    sift_down(timers, last->place);
}

/* A periodic timer needs none of it: it leaves the heap and comes back before its call. */
static enum err_code make_room(struct loop_timers *timers, struct err *err)
{
    if (timers->count < timers->capacity)
        return ERR_OK;
    size_t capacity = timers->capacity == 0 ? FIRST_CAPACITY : timers->capacity * 2;
    struct loop_timer **heap = reallocarray(timers->heap, capacity, sizeof(struct loop_timer *));
    if (heap == NULL)
        return err_nomem(err, capacity * sizeof(struct loop_timer *));
    timers->heap = heap;
    timers->capacity = capacity;
    return ERR_OK;
}

enum err_code loop_timers_add(struct loop_timers *timers, int64_t due_us, int64_t period_us,
                              void (*fire)(void *context), void *context, struct loop_timer **out,
                              struct err *err)
{
    enum err_code code = make_room(timers, err);
    if (code != ERR_OK)
        return code;
    struct loop_timer *timer = malloc(sizeof *timer);
    if (timer == NULL)
        return err_nomem(err, sizeof *timer);
    *timer = (struct loop_timer){.due_us = due_us, .period_us = period_us, .fire = fire, .context = context};
    insert(timers, timer);
    if (out != NULL)
        *out = timer;
    return ERR_OK;
}

void loop_timers_remove(struct loop_timers *timers, struct loop_timer *timer)
{
    if (timer->place == NOT_IN_HEAP)
        return; /* a single timer inside its own call: loop_timers_run frees it */
    take_out(timers, timer);
    free(timer);
}

static void fire_first(struct loop_timers *timers, int64_t now_us)
{
    struct loop_timer *timer = timers->heap[0];
    void (*fire)(void *) = timer->fire;
    void *context = timer->context;

    assert(timer->place == 0);
    take_out(timers, timer);
    if (timer->period_us > 0) {
        timer->due_us += timer->period_us;
        if (timer->due_us <= now_us)
            timer->due_us = now_us + timer->period_us;
        insert(timers, timer);
        fire(context);
        return;
    }
    fire(context);
    free(timer);
}

void loop_timers_run(struct loop_timers *timers, int64_t now_us)
{
    uint64_t stop_sequence = timers->next_sequence; /* what is added meanwhile waits for the next round */

    while (timers->count > 0 && timers->heap[0]->due_us <= now_us &&
           timers->heap[0]->sequence < stop_sequence)
        fire_first(timers, now_us);
}

int64_t loop_timers_wait_ms(const struct loop_timers *timers, int64_t now_us)
{
    if (timers->count == 0)
        return -1;
    int64_t wait_us = timers->heap[0]->due_us - now_us;
    return wait_us <= 0 ? 0 : (wait_us + 999) / 1000;
}

void loop_timers_release(struct loop_timers *timers)
{
    for (size_t index = 0; index < timers->count; index++)
        free(timers->heap[index]);
    free(timers->heap);
    *timers = (struct loop_timers){0};
}
