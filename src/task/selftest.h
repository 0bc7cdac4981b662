/* Selftest: a task that does nothing but behave, well or badly, so that the job system of a running installation can be tried
 * out: it steps for a while, reports progress, metrics and lines, prints past the protocol, and on demand fails, crashes,
 * ignores TERM, takes memory or processor time. It never runs twice at a time for one job (a lock in the job's folder).
 * With a mark, each completed run is written down by the server, in <data>/selftest/marks: "<mark> <run>" per line, where
 * run names the run and not the job: a job that was run twice would have two. */
#ifndef ALMANAC_TASK_SELFTEST_H
#define ALMANAC_TASK_SELFTEST_H

#include "task/task.h"

struct selftest_options {
    int64_t steps;
    int64_t step_ms;
    int64_t lines;     /* of the log, per step */
    int64_t epochs;    /* reports a loss per step when above 0 */
    int64_t memory_mb; /* taken and used before the first step */
    bool spins;        /* uses the processor instead of waiting */
    bool prints;       /* a line per step past the protocol, on stdout and stderr */
    bool ignores_term;
    int ending;           /* enum selftest_ending */
    int64_t bad_attempts; /* `ending` only that often, then it succeeds; 0: always */
    char mark[64];
    char then[32]; /* the task that follows; "" none */
};
extern const struct task task_selftest;

#endif
