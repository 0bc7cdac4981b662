/* Report: how a task tells what it does, and learns that it should stop. The CLI prints it, a worker sends it to the
 * server over its channel. Threads: any thread of the task may call. */
#ifndef ALMANAC_JOB_REPORT_H
#define ALMANAC_JOB_REPORT_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct reporter {
    /* "building features", 240000 of 480000; total 0: not known. Rate-limited by the receiver. */
    void (*progress)(void *context, const char *phase, size_t done, size_t total);
    void (*metric)(void *context, const char *name, double value, size_t step);
    void (*log)(void *context, const char *line); /* one line, without its end */
    bool (*is_stopped)(void *context);
    void *context;
};

void report_progress(const struct reporter *reporter, const char *phase, size_t done, size_t total);
void report_metric(const struct reporter *reporter, const char *name, double value, size_t step);
void report_log(const struct reporter *reporter, const char *format, ...) PRINTF_LIKE(2, 3);
bool report_is_stopped(const struct reporter *reporter);

#endif
