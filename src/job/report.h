/* Report: how a task tells what it does, and learns that it should stop. The CLI prints it, a worker sends it to the
 * server over its channel; both use the same sentence and the same pace. Threads: any thread of the task may call
 * report_*; a struct report_pace belongs to one thread at a time. */
#ifndef ALMANAC_JOB_REPORT_H
#define ALMANAC_JOB_REPORT_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reporter {
    /* "building features", 240000 of 480000; total 0: not known. Rate-limited by the receiver. */
    void (*progress)(void *context, const char *phase, size_t done, size_t total);
    void (*metric)(void *context, const char *name, double value, size_t step);
    void (*log)(void *context, const char *line); /* one line, without its end */
    bool (*is_stopped)(void *context);
    void *context;
};

/* The reporter, and each of its functions, may be NULL: then nobody listens. */
void report_progress(const struct reporter *reporter, const char *phase, size_t done, size_t total);
void report_metric(const struct reporter *reporter, const char *name, double value, size_t step);
void report_log(const struct reporter *reporter, const char *format, ...) PRINTF_LIKE(2, 3);
bool report_is_stopped(const struct reporter *reporter);

/* ---- for those who receive ---- */

enum { REPORT_PHASE_BYTES = 64, REPORT_LINE_BYTES = 192 };

/* `building features: 240000/480000 (50%) eta 2s`; without eta before the first step, without total and percent when
 * it is not known. elapsed_us: since the phase began. A phase that is too long is cut. */
void report_format_progress(const char *phase, size_t done, size_t total, int64_t elapsed_us,
                            char out[REPORT_LINE_BYTES]);

/* Which news of a phase are shown: at most one in period_us, and the one that completes it. */
struct report_pace {
    int64_t period_us;
    char phase[REPORT_PHASE_BYTES];
    size_t done, total;
    int64_t phase_started_us, shown_us;
    bool has_news;  /* what is kept here was not shown yet */
    bool was_shown; /* anything ever */
};
void report_pace_init(struct report_pace *pace, int64_t period_us);
/* True when the news should be shown now. now_us: of a monotonic clock. */
bool report_pace_step(struct report_pace *pace, const char *phase, size_t done, size_t total, int64_t now_us);
/* The newest news as a sentence. */
void report_pace_format(const struct report_pace *pace, int64_t now_us, char out[REPORT_LINE_BYTES]);

#endif
