/* Cache: bytes by key in memory, with a time to live per entry, a byte budget, and eviction of what was used longest ago.
 *
 * Expired entries are never returned. Threads: any. Time comes from the clock given. */
#ifndef ALMANAC_CACHE_CACHE_H
#define ALMANAC_CACHE_CACHE_H

#include "base/buffer.h"
#include "base/err.h"
#include "os/clock.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;

struct cache_counts {
    uint64_t hits, misses;
    uint64_t evictions, expirations, invalidations, refused; /* refused: larger than the budget */
    uint64_t entries, bytes, budget_bytes;
};

enum err_code cache_create(size_t budget_bytes, struct clock clock, struct cache **out,
                           struct err *err) CHECKED;
void cache_destroy(struct cache *cache);
/* Appends the value to *out; false: not there, or expired. Keys are short texts. */
bool cache_get(struct cache *cache, const char *key, struct buffer *out);
/* What cannot be kept (no memory, larger than the budget) is not kept; nothing else happens. */
void cache_put(struct cache *cache, const char *key, const void *data, size_t size_bytes, int64_t ttl_ms);
void cache_invalidate(struct cache *cache, const char *key);
size_t cache_invalidate_prefix(struct cache *cache, const char *prefix); /* "" all; returns how many */
struct cache_counts cache_counts(struct cache *cache);

#endif
