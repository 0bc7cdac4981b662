/* Redis tier: the same keys and bytes in a Redis that several servers share (libhiredis). Optional, and never in the way:
 * when Redis is slow or gone, calls answer "not there" within timeout_ms, the tier rests for a while and tries again later.
 * Threads: any (one connection, a mutex). */
#ifndef ALMANAC_CACHE_REDIS_TIER_H
#define ALMANAC_CACHE_REDIS_TIER_H

#include "base/buffer.h"
#include "base/err.h"
#include "os/clock.h"
#include <stdbool.h>
#include <stdint.h>

struct redis_tier;
struct redis_counts {
    uint64_t hits, misses, writes, errors;
    bool is_connected;
};

/* url: redis://[:password@]host[:port][/database] or unix:///path; prefix goes before every key. Connects lazily: a Redis
 * that is down is no error here. */
enum err_code redis_tier_create(const char *url, const char *prefix, int64_t timeout_ms, struct clock clock,
                                struct redis_tier **out, struct err *err) CHECKED;
void redis_tier_destroy(struct redis_tier *tier);
bool redis_tier_get(struct redis_tier *tier, const char *key, struct buffer *out);
/* Several at once (MGET): found[i] and out[i] per key. */
void redis_tier_get_many(struct redis_tier *tier, const char *const *keys, size_t count, struct buffer *out,
                         bool *found);
void redis_tier_put(struct redis_tier *tier, const char *key, const void *data, size_t size_bytes,
                    int64_t ttl_ms);
void redis_tier_remove(struct redis_tier *tier, const char *key);
/* Everything with this prefix of keys, by SCAN. */
void redis_tier_remove_prefix(struct redis_tier *tier, const char *prefix);
struct redis_counts redis_tier_counts(struct redis_tier *tier);

#endif
