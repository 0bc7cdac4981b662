/* The system's clocks behind `struct clock`: CLOCK_REALTIME for time stamps, CLOCK_MONOTONIC for durations.
 */
#include "os/clock.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;

    int result = clock_gettime(id, &now);
    assert(result == 0); /* both clocks exist on every Linux */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return read_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

static int64_t system_now_us(void *context)
{
    (void)context;
    return clock_now_us();
}

static int64_t system_monotonic_us(void *context)
{
    (void)context;
    return clock_monotonic_us();
}

struct clock clock_system(void)
{
    return (struct clock){.now_us = system_now_us, .monotonic_us = system_monotonic_us, .context = NULL};
}
