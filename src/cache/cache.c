/* Cache: see cache.h.
 *
 * Shards, chosen by the key's hash, each with a lock, a table of chains, a list in order of use and its part of the budget;
 * so threads that read different keys rarely meet. A cache smaller than two SHARD_BYTES has one shard, and there "used
 * longest ago" is exact; with several it holds within a shard.
 * An entry is one block: header, key, value. Its cost is the block and its place in the table, so `bytes` is what the memory
 * is really spent on, to within the allocator's rounding. */
#include "cache/cache.h"

#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARDS_MAX = 16,
    SHARD_BYTES = 4 << 20, /* at least, if there are several */
    BUCKETS_MIN = 64,      /* powers of two */
    TIDY_COUNT = 2         /* expired entries dropped from the old end with every put */
};

struct entry {
    struct entry *chain;
    struct entry *newer, *older;
    uint64_t hash;
    int64_t expires_us; /* monotonic */
    size_t key_bytes;   /* with its terminator */
    size_t size_bytes;
    char data[]; /* key, value */
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct entry **buckets;
    size_t bucket_count;
    struct entry *newest, *oldest;
    struct cache_counts counts;
};

struct cache {
    struct clock clock;
    size_t shard_count; /* a power of two */
    struct shard shards[];
};

/* ---- life ---- */

static bool shard_init(struct shard *shard, size_t budget_bytes)
{
    memset(shard, 0, sizeof(*shard));
    shard->buckets = calloc(BUCKETS_MIN, sizeof(struct entry *));
    shard->bucket_count = BUCKETS_MIN;
    shard->counts.budget_bytes = budget_bytes;
    int failure = pthread_mutex_init(&shard->lock, NULL);
    assert(failure == 0); /* Linux allocates nothing for it */
    (void)failure;
    return shard->buckets != NULL;
}

static void shard_release(struct shard *shard)
{
    for (struct entry *entry = shard->newest, *older; entry != NULL; entry = older) {
        older = entry->older;
        free(entry);
    }
    free(shard->buckets);
    pthread_mutex_destroy(&shard->lock);
}

enum err_code cache_create(size_t budget_bytes, struct clock clock, struct cache **out, struct err *err)
{
    size_t count = 1;
    while (count < SHARDS_MAX && budget_bytes / (count * 2) >= SHARD_BYTES)
        count *= 2;
    size_t size_bytes = sizeof(struct cache) + count * sizeof(struct shard);
    size_bytes = (size_bytes + 63) / 64 * 64;
    struct cache *cache = aligned_alloc(64, size_bytes);
    if (cache == NULL)
        return err_nomem(err, size_bytes);
    bool is_complete = true;
    cache->clock = clock;
    cache->shard_count = count;
    for (size_t i = 0; i < count; i++)
        is_complete = shard_init(&cache->shards[i], budget_bytes / count) && is_complete;
    if (!is_complete) {
        cache_destroy(cache);
        return err_nomem(err, BUCKETS_MIN * sizeof(struct entry *));
    }
    *out = cache;
    return ERR_OK;
}

void cache_destroy(struct cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->shard_count; i++)
        shard_release(&cache->shards[i]);
    free(cache);
}

/* ---- one shard, locked ---- */

struct place {
    struct shard *shard;
    const char *key;
    size_t key_bytes; /* with its terminator */
    uint64_t hash;
};

static struct place lock_place(struct cache *cache, const char *key)
{
    struct place place = {.key = key, .key_bytes = strlen(key) + 1};
    place.hash = hash_u64(key, place.key_bytes, 0);
    place.shard = &cache->shards[(place.hash >> 48) & (cache->shard_count - 1)];
    (void)pthread_mutex_lock(&place.shard->lock);
    return place;
}

static void unlock(struct shard *shard)
{
    (void)pthread_mutex_unlock(&shard->lock);
}

static int64_t now_us(const struct cache *cache)
{
    return cache->clock.monotonic_us(cache->clock.context);
}

static size_t entry_cost_bytes(const struct entry *entry)
{
    return sizeof(*entry) + sizeof(struct entry *) + entry->key_bytes + entry->size_bytes;
}

static struct entry **bucket_of(struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash & (shard->bucket_count - 1)];
}

static struct entry *find_entry(const struct place *place)
{
    struct entry *entry = *bucket_of(place->shard, place->hash);
    while (entry != NULL && (entry->hash != place->hash || entry->key_bytes != place->key_bytes ||
                             memcmp(entry->data, place->key, place->key_bytes) != 0))
        entry = entry->chain;
    return entry;
}

static void list_remove(struct shard *shard, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void list_put_first(struct shard *shard, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest != NULL ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

static void drop_entry(struct shard *shard, struct entry *entry)
{
    struct entry **link = bucket_of(shard, entry->hash);
    while (*link != entry)
        link = &(*link)->chain;
    *link = entry->chain;
    list_remove(shard, entry);
    shard->counts.entries--;
    shard->counts.bytes -= entry_cost_bytes(entry);
    free(entry);
}

/* Twice the buckets; without memory for them the chains grow longer instead. */
static void grow(struct shard *shard)
{
    size_t count = shard->bucket_count * 2;
    struct entry **buckets = calloc(count, sizeof(*buckets));
    if (buckets == NULL)
        return;
    free(shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = count;
    for (struct entry *entry = shard->newest; entry != NULL; entry = entry->older) {
        struct entry **bucket = bucket_of(shard, entry->hash);
        entry->chain = *bucket;
        *bucket = entry;
    }
}

static void make_room(struct shard *shard, size_t cost_bytes)
{
    while (shard->counts.bytes + cost_bytes > shard->counts.budget_bytes) {
        drop_entry(shard, shard->oldest);
        shard->counts.evictions++;
    }
}

static void drop_expired(struct shard *shard, int64_t at_us)
{
    for (int i = 0; i < TIDY_COUNT && shard->oldest != NULL && shard->oldest->expires_us <= at_us; i++) {
        drop_entry(shard, shard->oldest);
        shard->counts.expirations++;
    }
}

static void keep(struct cache *cache, const struct place *place, const void *data, size_t size_bytes,
                 int64_t ttl_ms)
{
    struct shard *shard = place->shard;
    int64_t at_us = now_us(cache);
    struct entry *old = find_entry(place);
    size_t block_bytes = sizeof(struct entry) + place->key_bytes + size_bytes;
    if (old != NULL)
        drop_entry(shard, old);
    if (ttl_ms <= 0)
        return;
    if (size_bytes > shard->counts.budget_bytes ||
        block_bytes + sizeof(struct entry *) > shard->counts.budget_bytes) {
        shard->counts.refused++;
        return;
    }
    struct entry *entry = malloc(block_bytes);
    if (entry == NULL)
        return;
    entry->hash = place->hash;
    entry->expires_us = ttl_ms > (INT64_MAX - at_us) / 1000 ? INT64_MAX : at_us + ttl_ms * 1000;
    entry->key_bytes = place->key_bytes;
    entry->size_bytes = size_bytes;
    memcpy(entry->data, place->key, place->key_bytes);
    if (size_bytes > 0)
        memcpy(entry->data + place->key_bytes, data, size_bytes);
    drop_expired(shard, at_us);
    make_room(shard, entry_cost_bytes(entry));
    if (shard->counts.entries >= shard->bucket_count)
        grow(shard);
    entry->chain = *bucket_of(shard, entry->hash);
    *bucket_of(shard, entry->hash) = entry;
    list_put_first(shard, entry);
    shard->counts.entries++;
    shard->counts.bytes += entry_cost_bytes(entry);
}

static bool take(struct cache *cache, const struct place *place, struct buffer *out)
{
    struct shard *shard = place->shard;
    struct entry *entry = find_entry(place);
    if (entry != NULL && entry->expires_us <= now_us(cache)) {
        drop_entry(shard, entry);
        shard->counts.expirations++;
        entry = NULL;
    }
    if (entry == NULL) {
        shard->counts.misses++;
        return false;
    }
    shard->counts.hits++;
    buffer_append(out, entry->data + entry->key_bytes, entry->size_bytes);
    if (shard->newest != entry) {
        list_remove(shard, entry);
        list_put_first(shard, entry);
    }
    return true;
}

/* ---- get and put ---- */

bool cache_get(struct cache *cache, const char *key, struct buffer *out)
{
    struct place place = lock_place(cache, key);
    bool is_there = take(cache, &place, out);
    unlock(place.shard);
    return is_there;
}

void cache_put(struct cache *cache, const char *key, const void *data, size_t size_bytes, int64_t ttl_ms)
{
    struct place place = lock_place(cache, key);
    keep(cache, &place, data, size_bytes, ttl_ms);
    unlock(place.shard);
}

/* ---- invalidation ---- */

void cache_invalidate(struct cache *cache, const char *key)
{
    struct place place = lock_place(cache, key);
    struct entry *entry = find_entry(&place);
    if (entry != NULL) {
        drop_entry(place.shard, entry);
        place.shard->counts.invalidations++;
    }
    unlock(place.shard);
}

static size_t shard_invalidate(struct shard *shard, const char *prefix, size_t prefix_bytes)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&shard->lock);
    for (struct entry *entry = shard->newest, *older; entry != NULL; entry = older) {
        older = entry->older;
        if (strncmp(entry->data, prefix, prefix_bytes) != 0)
            continue;
        drop_entry(shard, entry);
        count++;
    }
    shard->counts.invalidations += count;
    unlock(shard);
    return count;
}

size_t cache_invalidate_prefix(struct cache *cache, const char *prefix)
{
    size_t count = 0, prefix_bytes = strlen(prefix);
    for (size_t i = 0; i < cache->shard_count; i++)
        count += shard_invalidate(&cache->shards[i], prefix, prefix_bytes);
    return count;
}

struct cache_counts cache_counts(struct cache *cache)
{
    struct cache_counts sum = {0};
    for (size_t i = 0; i < cache->shard_count; i++) {
        struct shard *shard = &cache->shards[i];
        (void)pthread_mutex_lock(&shard->lock);
        struct cache_counts counts = shard->counts;
        unlock(shard);
        sum.hits += counts.hits;
        sum.misses += counts.misses;
        sum.evictions += counts.evictions;
        sum.expirations += counts.expirations;
        sum.invalidations += counts.invalidations;
        sum.refused += counts.refused;
        sum.entries += counts.entries;
        sum.bytes += counts.bytes;
        sum.budget_bytes += counts.budget_bytes;
    }
    return sum;
}
