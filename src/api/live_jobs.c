/* What is told about jobs, queues and the server itself. See live_parts.h.
 *
 * A change of state is told at once; progress of a job at most every TELL_MS, and then the newest. Queues and the training
 * status follow from jobs: they are marked, and told together a moment later; and because queues are steered from
 * elsewhere too, they are looked at once a second while somebody follows. */
#include "api/live_parts.h"

#include "api/metrics.h"
#include "api/training.h"
#include "base/log.h"
#include "os/process.h"

#include <stdlib.h>
#include <string.h>

enum { TELL_MS = 100, STATS_MS = 1000, PLACES = 64 };

static const char *const queues[] = {
#define QUEUE(symbol, name, setting, doc) name,
#include "job/queue_list.h"
#undef QUEUE
};
enum { QUEUE_NAMES = sizeof(queues) / sizeof(*queues) };

/* A job that was told about a moment ago. */
struct place {
    bool has_news;
    struct job_row job; /* as told, or the news */
};

struct live_jobs {
    struct live *live;
    struct loop_timer *tell, *stats; /* tell NULL: nothing to tell */
    size_t place_count;
    struct place places[PLACES];
    bool is_marked[QUEUE_NAMES], is_training_marked;
    struct queue_status told[QUEUE_NAMES];
    uint64_t forecasts; /* a second ago */
    double forecasts_per_s;
};

static void on_stats(void *context);

enum err_code live_jobs_create(struct live *live, struct live_jobs **out, struct err *err)
{
    struct live_jobs *jobs = calloc(1, sizeof(*jobs));
    *out = jobs;
    if (jobs == NULL)
        return err_nomem(err, sizeof(*jobs));
    jobs->live = live;
    return loop_timer_add(live->api->loop, STATS_MS, STATS_MS, on_stats, jobs, &jobs->stats, err);
}

void live_jobs_destroy(struct live_jobs *jobs)
{
    if (jobs == NULL)
        return;
    if (jobs->stats != NULL)
        loop_timer_remove(jobs->live->api->loop, jobs->stats);
    if (jobs->tell != NULL)
        loop_timer_remove(jobs->live->api->loop, jobs->tell);
    free(jobs);
}

static int64_t now_us(const struct live_jobs *jobs)
{
    struct clock clock = jobs->live->api->clock;
    return clock.monotonic_us(clock.context);
}

static bool is_followed(const struct live_jobs *jobs, enum live_topic_ordinal topic)
{
    return jobs->live->followers[topic] > 0;
}

/* ---- jobs ---- */

struct telling {
    const struct api *api;
    const void *what;
};

static void write_job(void *context, struct json_writer *out)
{
    const struct telling *telling = context;
    api_write_job(out, telling->api, telling->what);
}

static void tell_job(struct live_jobs *jobs, const struct job_row *job)
{
    struct telling telling = {jobs->live->api, job};
    live_publish(jobs->live, "jobs", write_job, &telling);
}

static struct place *find_place(struct live_jobs *jobs, int64_t id)
{
    for (size_t i = 0; i < jobs->place_count; i++) {
        if (jobs->places[i].job.id == id)
            return &jobs->places[i];
    }
    return NULL;
}

static void drop_place(struct live_jobs *jobs, struct place *place)
{
    *place = jobs->places[--jobs->place_count];
}

/* ---- queues and training ---- */

static void write_queue(void *context, struct json_writer *out)
{
    api_write_queue(out, context);
}

static void tell_queue(struct live_jobs *jobs, size_t index)
{
    struct queue_status status;
    jobs->is_marked[index] = false;
    if (supervisor_queue_status(jobs->live->api->supervisor, queues[index], &status, NULL) != ERR_OK)
        return;
    jobs->told[index] = status;
    live_publish(jobs->live, "queues", write_queue, &status);
}

static void write_training(void *context, struct json_writer *out)
{
    struct err err = {0};
    if (training_write_status(context, out, &err) != ERR_OK)
        log_line(LOG_WARN, "live", "cannot tell the training status: %s", err.text);
}

static void tell_marked(struct live_jobs *jobs)
{
    for (size_t i = 0; i < QUEUE_NAMES; i++) {
        if (jobs->is_marked[i])
            tell_queue(jobs, i);
    }
    if (jobs->is_training_marked)
        live_publish(jobs->live, "training", write_training, jobs->live->api);
    jobs->is_training_marked = false;
}

/* ---- when ---- */

static void on_tell(void *context)
{
    struct live_jobs *jobs = context;
    jobs->tell = NULL;
    for (size_t i = jobs->place_count; i-- > 0;) {
        struct place *place = &jobs->places[i];
        if (!place->has_news) {
            drop_place(jobs, place); /* quiet for a while */
            continue;
        }
        place->has_news = false;
        tell_job(jobs, &place->job);
    }
    tell_marked(jobs);
    if (jobs->place_count > 0 &&
        loop_timer_add(jobs->live->api->loop, TELL_MS, 0, on_tell, jobs, &jobs->tell, NULL) != ERR_OK)
        jobs->place_count = 0;
}

static bool want_tell(struct live_jobs *jobs)
{
    return jobs->tell != NULL ||
           loop_timer_add(jobs->live->api->loop, TELL_MS, 0, on_tell, jobs, &jobs->tell, NULL) == ERR_OK;
}

static void mark(struct live_jobs *jobs, const char *queue)
{
    for (size_t i = 0; i < QUEUE_NAMES; i++) {
        if (queue == NULL || strcmp(queue, queues[i]) == 0)
            jobs->is_marked[i] = true;
    }
    if (queue == NULL || strcmp(queue, queues[QUEUE_TRAINING]) == 0)
        jobs->is_training_marked = true;
    if (!want_tell(jobs))
        tell_marked(jobs);
}

static bool has_moved(const struct place *place, const struct job_row *job)
{
    return place->job.state != job->state || place->job.attempt != job->attempt ||
           place->job.priority != job->priority;
}

void live_job_changed(struct live *live, const struct job_row *job)
{
    if (live == NULL)
        return;
    struct live_jobs *jobs = live->jobs;
    if (is_followed(jobs, LIVE_QUEUES) || is_followed(jobs, LIVE_TRAINING))
        mark(jobs, job->queue);
    if (!is_followed(jobs, LIVE_JOBS)) {
        live_publish(live, "jobs", NULL, NULL); /* counts it */
        return;
    }
    struct place *place = find_place(jobs, job->id);
    if (place != NULL && !has_moved(place, job)) {
        place->job = *job;
        place->has_news = true; /* the timer runs as long as there is a place */
        return;
    }
    if (place == NULL && jobs->place_count < PLACES && want_tell(jobs))
        place = &jobs->places[jobs->place_count++];
    if (place != NULL)
        *place = (struct place){.job = *job};
    tell_job(jobs, job);
}

void live_queue_changed(struct live *live, const char *queue)
{
    if (live != NULL && (is_followed(live->jobs, LIVE_QUEUES) || is_followed(live->jobs, LIVE_TRAINING)))
        mark(live->jobs, queue);
}

/* ---- every second ---- */

struct stats {
    const struct live_jobs *jobs;
    size_t queued;
};

static void write_stats(void *context, struct json_writer *out)
{
    const struct stats *stats = context;
    const struct api *api = stats->jobs->live->api;
    json_begin_object(out);
    json_field_i64(out, "jobs_running", (int64_t)supervisor_running_count(api->supervisor));
    json_field_i64(out, "queue_length", (int64_t)stats->queued);
    json_field_i64(out, "predictions_total", (int64_t)stats->jobs->forecasts);
    json_field_f64(out, "predict_per_s", stats->jobs->forecasts_per_s);
    json_field_f64(out, "uptime_s", (double)(now_us(stats->jobs) - api->started_us) / 1e6);
    json_field_i64(out, "ws_clients", (int64_t)live_client_count(stats->jobs->live));
    json_field_i64(out, "memory_bytes", process_resident_bytes());
    json_end_object(out);
}

static bool has_changed(const struct queue_status *a, const struct queue_status *b)
{
    return a->is_running != b->is_running || a->is_paused != b->is_paused ||
           a->is_stopping != b->is_stopping || a->queued != b->queued || a->running != b->running ||
           a->completed != b->completed || a->failed != b->failed || a->stopped != b->stopped ||
           a->current != b->current;
}

static size_t look_at_queues(struct live_jobs *jobs)
{
    size_t queued = 0;
    for (size_t i = 0; i < QUEUE_NAMES; i++) {
        struct queue_status status;
        if (supervisor_queue_status(jobs->live->api->supervisor, queues[i], &status, NULL) != ERR_OK)
            continue;
        queued += status.queued;
        if (!has_changed(&jobs->told[i], &status))
            continue;
        jobs->told[i] = status;
        if (is_followed(jobs, LIVE_QUEUES) || is_followed(jobs, LIVE_TRAINING))
            mark(jobs, queues[i]);
    }
    return queued;
}

static uint64_t count_forecasts(const struct api *api)
{
    uint64_t count = 0;
    for (size_t i = 0; i < FORECAST_OUTCOME_COUNT; i++)
        count += api->metrics->forecasts[i];
    return count;
}

static void on_stats(void *context)
{
    struct live_jobs *jobs = context;
    const struct live *live = jobs->live;
    uint64_t forecasts = count_forecasts(live->api);
    jobs->forecasts_per_s = (double)(forecasts - jobs->forecasts) * 1000 / STATS_MS;
    jobs->forecasts = forecasts;
    if (live->api->supervisor == NULL || !(is_followed(jobs, LIVE_STATS) || is_followed(jobs, LIVE_QUEUES) ||
                                           is_followed(jobs, LIVE_TRAINING)))
        return;
    struct stats stats = {jobs, look_at_queues(jobs)};
    live_publish(jobs->live, "stats", write_stats, &stats);
}
