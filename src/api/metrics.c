/* GET /metrics: counters in the text format of Prometheus, version 0.0.4. One row per metric in the table at the end; the
 * functions above it write the samples. Requests are counted as their answers are handed to the listener, by the pattern of
 * their route, so that no client can make labels of its own. Belongs to the loop's thread. */
#include "api/api.h"

#include "football/views.h"
#include "os/process.h"
#include "store/job_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum err_code api_metrics(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err);

enum { STATUS_CLASSES = 6 }; /* by first digit */

static const double bucket_s[] = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                  0.025,   0.05,   0.1,     0.25,   0.5,   1,      2.5,   10};
enum { BUCKET_COUNT = sizeof(bucket_s) / sizeof(*bucket_s) };

struct route_counts {
    const char *route; /* pattern; NULL: no route */
    uint64_t by_class[STATUS_CLASSES];
    uint64_t buckets[BUCKET_COUNT + 1]; /* not cumulative; the last one is beyond them all */
    int64_t total_us;
};

struct api_metrics {
    uint64_t forecasts[FORECAST_OUTCOME_COUNT];
    size_t route_count; /* patterns, each once, and NULL at the end */
    struct route_counts *routes;
    uint16_t *route_of_row; /* of api_routes */
    size_t row_count;
};

static size_t find_route(const struct api_metrics *metrics, const char *pattern)
{
    size_t index = 0;
    while (index < metrics->route_count && strcmp(metrics->routes[index].route, pattern) != 0)
        index++;
    return index;
}

enum err_code api_metrics_create(struct api_metrics **out, struct err *err)
{
    struct api_metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL)
        return err_nomem(err, sizeof(*metrics));
    while (api_routes[metrics->row_count].method != NULL)
        metrics->row_count++;
    metrics->routes = calloc(metrics->row_count + 1, sizeof(*metrics->routes));
    metrics->route_of_row = calloc(metrics->row_count, sizeof(*metrics->route_of_row));
    if (metrics->routes == NULL || metrics->route_of_row == NULL) {
        api_metrics_destroy(metrics);
        return err_nomem(err, sizeof(*metrics->routes));
    }
    for (size_t row = 0; row < metrics->row_count; row++) {
        size_t index = find_route(metrics, api_routes[row].pattern);
        if (index == metrics->route_count)
            metrics->routes[metrics->route_count++].route = api_routes[row].pattern;
        metrics->route_of_row[row] = (uint16_t)index;
    }
    metrics->route_count++; /* requests of no route */
    *out = metrics;
    return ERR_OK;
}

void api_metrics_destroy(struct api_metrics *metrics)
{
    if (metrics == NULL)
        return;
    free(metrics->routes);
    free(metrics->route_of_row);
    free(metrics);
}

void api_metrics_request(struct api_metrics *metrics, const struct http_response *response, int64_t took_us)
{
    size_t index = metrics->route_count - 1, bucket = 0;
    for (size_t row = 0; response->route != NULL && row < metrics->row_count; row++) {
        if (api_routes[row].pattern == response->route) { /* the router hands out the table's own pointers */
            index = metrics->route_of_row[row];
            break;
        }
    }
    struct route_counts *counts = &metrics->routes[index];
    counts->by_class[response->status / 100]++;
    counts->total_us += took_us;
    while (bucket < BUCKET_COUNT && (double)took_us > bucket_s[bucket] * 1e6)
        bucket++;
    counts->buckets[bucket]++;
}

void api_metrics_forecast(struct api_metrics *metrics, enum forecast_outcome outcome)
{
    metrics->forecasts[outcome]++;
}

/* ---- samples ---- */

/* A scrape of this server. */
struct scrape {
    struct api *api;
    const char *name; /* of the metric being written */
    struct buffer *out;
    struct feature_reader_counts features;
};

static void sample(struct scrape *scrape, uint64_t value)
{
    buffer_printf(scrape->out, "%s %" PRIu64 "\n", scrape->name, value);
}

/* Labels are names of our own tables: nothing in them needs escaping. */
static void sample_of(struct scrape *scrape, const char *label, const char *value, uint64_t count)
{
    buffer_printf(scrape->out, "%s{%s=\"%s\"} %" PRIu64 "\n", scrape->name, label, value, count);
}

static void write_uptime(struct scrape *scrape)
{
    struct clock clock = scrape->api->clock;
    int64_t uptime_us = clock.monotonic_us(clock.context) - scrape->api->started_us;
    buffer_printf(scrape->out, "%s %.3f\n", scrape->name, (double)uptime_us / 1e6);
}

static void write_resident(struct scrape *scrape)
{
    sample(scrape, (uint64_t)process_resident_bytes());
}

static void write_connections(struct scrape *scrape)
{
    sample(scrape, listener_connection_count(scrape->api->listener));
}

static void write_models(struct scrape *scrape)
{
    sample(scrape, forecaster_models(scrape->api->forecaster)->count);
}

static const char *route_name(const struct route_counts *counts)
{
    return counts->route != NULL ? counts->route : "none";
}

static bool is_used(const struct route_counts *counts)
{
    for (size_t class = 0; class < STATUS_CLASSES; class ++) {
        if (counts->by_class[class] > 0)
            return true;
    }
    return false;
}

static void write_requests(struct scrape *scrape)
{
    const struct api_metrics *metrics = scrape->api->metrics;
    for (size_t i = 0; i < metrics->route_count; i++) {
        for (size_t class = 2; class < STATUS_CLASSES; class ++) {
            if (metrics->routes[i].by_class[class] > 0)
                buffer_printf(scrape->out, "%s{route=\"%s\",status=\"%zuxx\"} %" PRIu64 "\n", scrape->name,
                              route_name(&metrics->routes[i]), class, metrics->routes[i].by_class[class]);
        }
    }
}

static void write_histogram(struct scrape *scrape, const struct route_counts *counts)
{
    const char *route = route_name(counts);
    uint64_t sum = 0;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        sum += counts->buckets[i];
        buffer_printf(scrape->out, "%s_bucket{route=\"%s\",le=\"%g\"} %" PRIu64 "\n", scrape->name, route,
                      bucket_s[i], sum);
    }
    sum += counts->buckets[BUCKET_COUNT];
    buffer_printf(scrape->out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", scrape->name, route, sum);
    buffer_printf(scrape->out, "%s_sum{route=\"%s\"} %.6f\n", scrape->name, route,
                  (double)counts->total_us / 1e6);
    buffer_printf(scrape->out, "%s_count{route=\"%s\"} %" PRIu64 "\n", scrape->name, route, sum);
}

static void write_latency(struct scrape *scrape)
{
    const struct api_metrics *metrics = scrape->api->metrics;
    for (size_t i = 0; i < metrics->route_count; i++) {
        if (is_used(&metrics->routes[i]))
            write_histogram(scrape, &metrics->routes[i]);
    }
}

static void write_forecasts(struct scrape *scrape)
{
    for (int i = 0; i < FORECAST_OUTCOME_COUNT; i++)
        sample_of(scrape, "outcome", forecast_outcome_name((enum forecast_outcome)i),
                  scrape->api->metrics->forecasts[i]);
}

static void write_jobs(struct scrape *scrape)
{
    int64_t counts[JOB_STATE_COUNT];
    struct err ignored;
    enum err_code code = job_store_count(scrape->api->store->db, counts, &ignored);
    for (int i = 0; code == ERR_OK && i < JOB_STATE_COUNT; i++)
        sample_of(scrape, "state", job_state_name((enum job_state)i), (uint64_t)counts[i]);
}

static void write_reads(struct scrape *scrape)
{
    for (size_t view = 0; football_view_at(view) != NULL; view++) {
        for (int i = 0; i < FEATURE_SOURCE_COUNT; i++) {
            enum feature_source source = (enum feature_source)i;
            buffer_printf(scrape->out, "%s{view=\"%s\",source=\"%s\"} %" PRIu64 "\n", scrape->name,
                          football_view_at(view)->name, feature_source_name(source),
                          feature_reader_reads(scrape->api->features, view, source));
        }
    }
}

static void write_failures(struct scrape *scrape)
{
    for (size_t view = 0; football_view_at(view) != NULL; view++)
        sample_of(scrape, "view", football_view_at(view)->name,
                  feature_reader_failures(scrape->api->features, view));
}

/* A counter of both tiers, or of one. */
static void write_tiers(struct scrape *scrape, uint64_t memory, uint64_t redis)
{
    sample_of(scrape, "tier", "memory", memory);
    if (scrape->features.has_redis)
        sample_of(scrape, "tier", "redis", redis);
}

static void write_hits(struct scrape *scrape)
{
    write_tiers(scrape, scrape->features.memory.hits, scrape->features.redis.hits);
}

static void write_misses(struct scrape *scrape)
{
    write_tiers(scrape, scrape->features.memory.misses, scrape->features.redis.misses);
}

static void write_loads(struct scrape *scrape)
{
    sample(scrape, scrape->features.loads);
}

static void write_waits(struct scrape *scrape)
{
    sample(scrape, scrape->features.waits);
}

static void write_evictions(struct scrape *scrape)
{
    sample_of(scrape, "tier", "memory", scrape->features.memory.evictions);
}

static void write_expirations(struct scrape *scrape)
{
    sample_of(scrape, "tier", "memory", scrape->features.memory.expirations);
}

static void write_invalidations(struct scrape *scrape)
{
    sample_of(scrape, "tier", "memory", scrape->features.memory.invalidations);
}

static void write_entries(struct scrape *scrape)
{
    sample_of(scrape, "tier", "memory", scrape->features.memory.entries);
}

static void write_bytes(struct scrape *scrape)
{
    sample_of(scrape, "tier", "memory", scrape->features.memory.bytes);
}

static void write_budget(struct scrape *scrape)
{
    sample_of(scrape, "tier", "memory", scrape->features.memory.budget_bytes);
}

static void write_redis_writes(struct scrape *scrape)
{
    if (scrape->features.has_redis)
        sample(scrape, scrape->features.redis.writes);
}

static void write_redis_errors(struct scrape *scrape)
{
    if (scrape->features.has_redis)
        sample(scrape, scrape->features.redis.errors);
}

static void write_redis_rejected(struct scrape *scrape)
{
    if (scrape->features.has_redis)
        sample(scrape, scrape->features.rejected);
}

static void write_redis_connected(struct scrape *scrape)
{
    if (scrape->features.has_redis)
        sample(scrape, scrape->features.redis.is_connected);
}

/* ---- the table ---- */

struct metric {
    const char *name, *type;
    void (*write)(struct scrape *scrape);
    const char *help;
};

static const struct metric metrics_table[] = {
    {"almanac_uptime_seconds", "gauge", write_uptime, "Time since the server started."},
    {"process_resident_memory_bytes", "gauge", write_resident, "Memory of the server that is in RAM."},
    {"almanac_http_connections", "gauge", write_connections, "Open connections."},
    {"almanac_http_requests_total", "counter", write_requests,
     "Requests by pattern of the route and class of status."},
    {"almanac_http_request_duration_seconds", "histogram", write_latency,
     "From the first line of a request to its answer, by pattern of the route."},
    {"almanac_predictions_total", "counter", write_forecasts, "Predictions asked for, by what came of them."},
    {"almanac_models_in_production", "gauge", write_models, "Versions that answer."},
    {"almanac_jobs", "gauge", write_jobs, "Jobs kept, by state."},
    {"almanac_feature_reads_total", "counter", write_reads, "Rows of features answered, by view and level."},
    {"almanac_feature_failures_total", "counter", write_failures,
     "Rows of features that could not be answered."},
    {"almanac_feature_cache_hits_total", "counter", write_hits, "Look-ups that found a value."},
    {"almanac_feature_cache_misses_total", "counter", write_misses, "Look-ups that found none."},
    {"almanac_feature_loads_total", "counter", write_loads, "Rows computed because no cache had them."},
    {"almanac_feature_waits_total", "counter", write_waits, "Reads that shared another's load."},
    {"almanac_feature_cache_evictions_total", "counter", write_evictions, "Values dropped to make room."},
    {"almanac_feature_cache_expirations_total", "counter", write_expirations, "Values dropped as too old."},
    {"almanac_feature_cache_invalidations_total", "counter", write_invalidations,
     "Values dropped because data changed."},
    {"almanac_feature_cache_entries", "gauge", write_entries, "Values kept."},
    {"almanac_feature_cache_bytes", "gauge", write_bytes, "Memory of the values kept."},
    {"almanac_feature_cache_budget_bytes", "gauge", write_budget, "Memory they may take."},
    {"almanac_redis_writes_total", "counter", write_redis_writes, "Values written to Redis."},
    {"almanac_redis_errors_total", "counter", write_redis_errors,
     "Commands that Redis did not answer, or refused."},
    {"almanac_redis_rejected_total", "counter", write_redis_rejected,
     "Values of Redis that were damaged, or of other code or data."},
    {"almanac_redis_connected", "gauge", write_redis_connected, "1 while connected."},
};

static void cut(struct buffer *buffer, size_t size_bytes)
{
    buffer->size_bytes = size_bytes;
    buffer->data[size_bytes] = '\0';
}

enum err_code api_metrics(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    struct api *api = context;
    struct scrape scrape = {
        .api = api, .out = &response->body, .features = feature_reader_counts(api->features)};
    (void)match;
    (void)err;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    for (size_t i = 0; i < sizeof(metrics_table) / sizeof(*metrics_table); i++) {
        const struct metric *metric = &metrics_table[i];
        scrape.name = metric->name;
        size_t begin_bytes = response->body.size_bytes;
        buffer_printf(&response->body, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                      metric->name, metric->type);
        size_t head_bytes = response->body.size_bytes;
        metric->write(&scrape);
        if (response->body.size_bytes == head_bytes && response->body.failed == ERR_OK)
            cut(&response->body, begin_bytes); /* no sample yet: not named at all */
    }
    return ERR_OK;
}
