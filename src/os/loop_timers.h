/* Inside os/ only: the timers of one loop, a binary heap by due time (ties in the order they were added).
 *
 * Invariant: a timer in the heap knows its place, so removal costs a logarithm. Threads: the loop's. */
#ifndef ALMANAC_OS_LOOP_TIMERS_H
#define ALMANAC_OS_LOOP_TIMERS_H

#include "base/err.h"
#include "os/loop.h"
#include <stddef.h>
#include <stdint.h>

struct loop_timers {
    struct loop_timer **heap;
    size_t count, capacity;
    uint64_t next_sequence;
};

void loop_timers_release(struct loop_timers *timers);
/* Times are the monotonic clock's. period_us 0: once. */
enum err_code loop_timers_add(struct loop_timers *timers, int64_t due_us, int64_t period_us,
                              void (*fire)(void *context), void *context, struct loop_timer **out,
                              struct err *err) CHECKED;
void loop_timers_remove(struct loop_timers *timers, struct loop_timer *timer);
/* Fires all that are due at now_us. */
void loop_timers_run(struct loop_timers *timers, int64_t now_us);
/* Milliseconds until the next is due, rounded up; -1 when there is none. */
int64_t loop_timers_wait_ms(const struct loop_timers *timers, int64_t now_us);

#endif
