/* Clocks. Schedulers, supervisors and caches take a `struct clock` so that tests run in simulated time. */
#ifndef ALMANAC_OS_CLOCK_H
#define ALMANAC_OS_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*now_us)(void *context);       /* UTC microseconds since 1970 (wall clock, may jump) */
    int64_t (*monotonic_us)(void *context); /* never goes back */
    void *context;
};

struct clock clock_system(void);
int64_t clock_now_us(void); /* the system's, for log lines and measurements */
int64_t clock_monotonic_us(void);

#endif
