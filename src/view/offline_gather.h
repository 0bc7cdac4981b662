/* Offline store, private: the rows that a join hits, and their features, in the caller's order.
 *
 * For n entities and moments: slot_of[i] is where the features of entity i stand in values[feature][slot], or -1. One slot
 * for each row of the store that is hit, however often. Missing values are NaN, as in what the writer was given.
 * Threads: as the engine. Memory: 4 bytes for each feature of each row that is hit, and about 50 for each row of the store
 * whose entity is asked for. */
#ifndef ALMANAC_VIEW_OFFLINE_GATHER_H
#define ALMANAC_VIEW_OFFLINE_GATHER_H

#include "view/offline_private.h"

struct offline_request {
    const int64_t *key[VIEW_KEYS]; /* [count]; key[1] only for pairs */
    const int64_t *moment_us;      /* [count] */
    size_t count;
    int64_t max_age_us; /* 0: any age */
    const char *const *features;
    size_t feature_count;
};
struct offline_gathered {
    int32_t *slot_of; /* [count] */
    float *values;    /* [feature][slot_count] */
    size_t slot_count;
    int64_t found; /* entities with a row */
};
/* ERR_CORRUPT: the rows of a partition are not of its year, or not in order. ERR_CONFLICT: the version was written again
 * meanwhile, several times. */
enum err_code offline_gather(struct duck *duck, const struct offline_version *version,
                             const struct offline_request *request, struct offline_gathered *out,
                             struct err *err) CHECKED;
void offline_gathered_release(struct offline_gathered *gathered);

#endif
