/* Metrics of the online feature store: reads, and both tiers of its cache. */
#include "api/metrics.h"

#include "football/views.h"

static void write_reads(struct scrape *scrape)
{
    for (size_t view = 0; football_view_at(view) != NULL; view++) {
        for (int i = 0; i < FEATURE_SOURCE_COUNT; i++) {
            enum feature_source source = (enum feature_source)i;
            scrape_sample(scrape, feature_reader_reads(scrape->api->features, view, source), "view",
                          football_view_at(view)->name, "source", feature_source_name(source), NULL);
        }
    }
}

static void write_failures(struct scrape *scrape)
{
    for (size_t view = 0; football_view_at(view) != NULL; view++)
        scrape_sample(scrape, feature_reader_failures(scrape->api->features, view), "view",
                      football_view_at(view)->name, NULL);
}

/* A counter of both tiers, or of one. */
static void write_tiers(struct scrape *scrape, uint64_t memory, uint64_t redis)
{
    scrape_sample(scrape, memory, "tier", "memory", NULL);
    if (scrape->features.has_redis)
        scrape_sample(scrape, redis, "tier", "redis", NULL);
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
    scrape_sample(scrape, scrape->features.loads, NULL);
}

static void write_waits(struct scrape *scrape)
{
    scrape_sample(scrape, scrape->features.waits, NULL);
}

#define OF_MEMORY(name)                                                                                      \
    static void write_##name(struct scrape *scrape)                                                          \
    {                                                                                                        \
        scrape_sample(scrape, scrape->features.memory.name, "tier", "memory", NULL);                         \
    }
OF_MEMORY(evictions)
OF_MEMORY(expirations)
OF_MEMORY(invalidations)
OF_MEMORY(entries)
OF_MEMORY(bytes)
OF_MEMORY(budget_bytes)
#undef OF_MEMORY

#define OF_REDIS(name, value)                                                                                \
    static void write_redis_##name(struct scrape *scrape)                                                    \
    {                                                                                                        \
        if (scrape->features.has_redis)                                                                      \
            scrape_sample(scrape, scrape->features.value, NULL);                                             \
    }
OF_REDIS(writes, redis.writes)
OF_REDIS(errors, redis.errors)
OF_REDIS(rejected, rejected)
OF_REDIS(connected, redis.is_connected)
#undef OF_REDIS

const struct metric metrics_of_features[] = {
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
    {"almanac_feature_cache_budget_bytes", "gauge", write_budget_bytes, "Memory they may take."},
    {"almanac_redis_writes_total", "counter", write_redis_writes, "Values written to Redis."},
    {"almanac_redis_errors_total", "counter", write_redis_errors,
     "Commands that Redis did not answer, or refused."},
    {"almanac_redis_rejected_total", "counter", write_redis_rejected,
     "Values of Redis that were damaged, or of other code or data."},
    {"almanac_redis_connected", "gauge", write_redis_connected, "1 while connected."},
    {NULL},
};
