/* Metrics of queues, jobs, the schedule and notifications. What the store cannot tell at the moment (it is locked) is left out of this
 * scrape. */
#include "api/metrics.h"

#include "base/time.h"
#include "store/job_store.h"
#include "store/metrics_store.h"
#include "task/task.h"

enum { SCHEDULED_TASKS = 64, DELIVERY_ROWS = 16 };

static void write_queue_jobs(struct scrape *scrape)
{
    struct queue_status status;
    for (size_t i = 0; queue_name(i) != NULL; i++) {
        struct err ignored;
        if (supervisor_queue_status(scrape->api->supervisor, queue_name(i), &status, &ignored) != ERR_OK)
            continue;
        scrape_sample(scrape, status.queued, "queue", queue_name(i), "state", "queued", NULL);
        scrape_sample(scrape, status.running, "queue", queue_name(i), "state", "running", NULL);
    }
}

static void write_queue_paused(struct scrape *scrape)
{
    struct queue_status status;
    for (size_t i = 0; queue_name(i) != NULL; i++) {
        struct err ignored;
        if (supervisor_queue_status(scrape->api->supervisor, queue_name(i), &status, &ignored) == ERR_OK)
            scrape_sample(scrape, status.is_paused, "queue", queue_name(i), NULL);
    }
}

static void write_jobs(struct scrape *scrape)
{
    int64_t counts[JOB_STATE_COUNT];
    struct err ignored;
    enum err_code code = job_store_count(scrape->api->store->db, counts, &ignored);
    for (int i = 0; code == ERR_OK && i < JOB_STATE_COUNT; i++)
        scrape_sample(scrape, counts[i], "state", job_state_name((enum job_state)i), NULL);
}

static void write_ended(struct scrape *scrape)
{
    const struct api_metrics *metrics = scrape->api->metrics;
    for (size_t i = 0; i < TASKS_COUNTED && task_at(i) != NULL; i++)
        for (int state = 0; state < JOB_STATE_COUNT; state++)
            if (metrics->tasks[i].ended[state] > 0)
                scrape_sample(scrape, metrics->tasks[i].ended[state], "task", task_at(i)->name, "state",
                              job_state_name((enum job_state)state), NULL);
}

static void write_durations(struct scrape *scrape)
{
    const struct api_metrics *metrics = scrape->api->metrics;
    for (size_t i = 0; i < TASKS_COUNTED && task_at(i) != NULL; i++)
        if (histogram_count(&metrics->tasks[i].seconds) > 0)
            metrics_histogram(scrape->out, scrape->name, &metrics->tasks[i].seconds, &metrics_job_scale,
                              "task", task_at(i)->name);
}

/* ---- schedule ---- */

static size_t read_schedule(const struct scrape *scrape, struct schedule_figures out[SCHEDULED_TASKS])
{
    size_t count = SCHEDULED_TASKS;
    struct err ignored;
    return metrics_store_schedule(scrape->api->store->db, out, &count, &ignored) == ERR_OK ? count : 0;
}

static void write_last_success(struct scrape *scrape)
{
    struct schedule_figures rows[SCHEDULED_TASKS];
    size_t count = read_schedule(scrape, rows);
    for (size_t i = 0; i < count; i++)
        if (rows[i].last_success_us != TIME_NONE)
            scrape_sample(scrape, (double)rows[i].last_success_us / 1e6, "task", rows[i].name, NULL);
}

static void write_last_run(struct scrape *scrape)
{
    struct schedule_figures rows[SCHEDULED_TASKS];
    size_t count = read_schedule(scrape, rows);
    for (size_t i = 0; i < count; i++)
        if (rows[i].last_us != TIME_NONE)
            scrape_sample(scrape, (double)rows[i].last_us / 1e6, "task", rows[i].name, NULL);
}

static void write_runs(struct scrape *scrape)
{
    struct schedule_figures rows[SCHEDULED_TASKS];
    size_t count = read_schedule(scrape, rows);
    for (size_t i = 0; i < count; i++)
        scrape_sample(scrape, rows[i].runs, "task", rows[i].name, NULL);
}

static void write_run_failures(struct scrape *scrape)
{
    struct schedule_figures rows[SCHEDULED_TASKS];
    size_t count = read_schedule(scrape, rows);
    for (size_t i = 0; i < count; i++)
        scrape_sample(scrape, rows[i].failures, "task", rows[i].name, NULL);
}

/* ---- notifications ---- */

static void write_deliveries(struct scrape *scrape)
{
    struct delivery_figures rows[DELIVERY_ROWS];
    size_t count = DELIVERY_ROWS;
    struct err ignored;
    enum err_code code = metrics_store_deliveries(scrape->api->store->db, rows, &count, &ignored);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        scrape_sample(scrape, rows[i].count, "channel", rows[i].channel, "state", rows[i].state, NULL);
}

const struct metric metrics_of_jobs[] = {
    {"almanac_queue_jobs", "gauge", write_queue_jobs, "Jobs that wait or run now, by queue."},
    {"almanac_queue_paused", "gauge", write_queue_paused, "1 while the queue is paused."},
    {"almanac_jobs", "gauge", write_jobs, "Jobs kept, by state."},
    {"almanac_jobs_ended_total", "counter", write_ended, "Jobs that ended, by task and state."},
    {"almanac_job_duration_seconds", "histogram", write_durations,
     "From the start of a job's last attempt to its end, by task."},
    {"almanac_schedule_last_success_timestamp_seconds", "gauge", write_last_success,
     "When a scheduled task succeeded last, since 1970 in UTC."},
    {"almanac_schedule_last_run_timestamp_seconds", "gauge", write_last_run,
     "When a scheduled task began to run last, since 1970 in UTC."},
    {"almanac_schedule_runs_total", "counter", write_runs, "Runs of a scheduled task, kept over restarts."},
    {"almanac_schedule_failures_total", "counter", write_run_failures,
     "Runs of a scheduled task that failed, kept over restarts."},
    {"almanac_notification_deliveries", "gauge", write_deliveries,
     "Deliveries of notifications that are kept, by channel and state."},
    {NULL},
};
