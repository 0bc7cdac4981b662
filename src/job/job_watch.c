/* The limits of running jobs, looked at four times a second for as long as any runs.
 *
 * Time is that of one attempt by the monotonic clock: a line and a mark past the soft limit, TERM and then KILL past the hard
 * one. Memory is what the processes of the group have for themselves (process_group_memory), once a second: RLIMIT_AS
 * would count the mapped matrices and what libraries reserve without using, RLIMIT_DATA the latter, and both make an
 * allocation fail somewhere inside a library instead of saying which limit was broken; here the group is killed and the
 * job says so. What grows by gigabytes within a second is left to the kernel. Processor time is RLIMIT_CPU of the
 * process, set at its start: exact, and held by the kernel also when the server hangs. */
#include "job/supervisor_parts.h"

#include "base/log.h"
#include "os/process.h"

#include <inttypes.h>
#include <stdio.h>

enum { WATCH_MS = 250, MEMORY_TURNS = 4, GROUPS_MAX = 128 };

static bool is_watched(const struct running_job *job)
{
    return job->child != NULL && job->state == JOB_RUNNING && job->limit_reason[0] == '\0';
}

static void watch_time(struct running_job *job, int64_t now_us)
{
    const struct supervisor_options *options = &job->supervisor->options;
    int64_t elapsed_ms = (now_us - job->begun_us) / 1000;

    if (!job->told.has_warning && elapsed_ms >= options->warn_ms && options->warn_ms < options->time_ms) {
        running_job_say(job, "warning: it runs for %" PRId64 " s; it will be ended at %" PRId64 " s",
                        elapsed_ms / 1000, options->time_ms / 1000);
        running_job_warn(job);
    }
    if (elapsed_ms < options->time_ms)
        return;
    (void)snprintf(job->limit_reason, sizeof job->limit_reason,
                   "it ran longer than %g s (job_time_s) and was ended", (double)options->time_ms / 1000);
    running_job_say(job, "%s", job->limit_reason);
    child_terminate(job->child);
}

static void judge_memory(struct running_job *job, int64_t used_bytes)
{
    int64_t most_bytes = job->supervisor->options.memory_bytes;

    if (used_bytes <= most_bytes)
        return;
    (void)snprintf(job->limit_reason, sizeof job->limit_reason,
                   "it used %" PRId64 " MB of memory, more than %" PRId64
                   " MB (job_memory_mb), and was ended",
                   used_bytes >> 20, most_bytes >> 20);
    running_job_say(job, "%s", job->limit_reason);
    child_kill(job->child);
}

static void watch_memory(struct supervisor *supervisor)
{
    struct running_job *jobs[GROUPS_MAX];
    pid_t groups[GROUPS_MAX];
    int64_t used_bytes[GROUPS_MAX];
    size_t count = 0;

    for (struct running_job *job = supervisor->running; job != NULL && count < GROUPS_MAX; job = job->next) {
        if (!is_watched(job))
            continue;
        jobs[count] = job;
        groups[count++] = (pid_t)child_pid(job->child);
    }
    if (count == 0)
        return;
    process_group_memory(groups, used_bytes, count);
    for (size_t index = 0; index < count; index++)
        judge_memory(jobs[index], used_bytes[index]);
}

static void on_watch(void *context)
{
    struct supervisor *supervisor = context;
    int64_t now_us = supervisor_monotonic_us(supervisor);

    for (struct running_job *job = supervisor->running, *next; job != NULL; job = next) {
        next = job->next;
        if (is_watched(job))
            watch_time(job, now_us);
    }
    if (supervisor->options.memory_bytes > 0 && ++supervisor->watch_turns % MEMORY_TURNS == 0)
        watch_memory(supervisor);
    if (supervisor->running_count == 0) {
        loop_timer_remove(supervisor->loop, supervisor->watch_timer);
        supervisor->watch_timer = NULL;
    }
}

void supervisor_watch(struct supervisor *supervisor)
{
    struct err err = {0};

    if (supervisor->watch_timer == NULL &&
        loop_timer_add(supervisor->loop, WATCH_MS, WATCH_MS, on_watch, supervisor, &supervisor->watch_timer,
                       &err) != ERR_OK)
        log_line(LOG_ERROR, "jobs", "the limits of jobs are not watched: %s", err.text);
}
