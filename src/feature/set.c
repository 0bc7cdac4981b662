/* Feature sets: plain walks over a NULL-terminated list of trackers. */
#include "feature/set.h"

#include <assert.h>

size_t feature_set_columns(const struct feature_set *set)
{
    size_t columns = 0;
    for (size_t i = 0; set->trackers[i] != NULL; i++)
        columns += set->trackers[i]->feature_count;
    return columns;
}

const struct feature *feature_set_at(const struct feature_set *set, size_t index)
{
    for (size_t i = 0; set->trackers[i] != NULL; i++) {
        if (index < set->trackers[i]->feature_count)
            return &set->trackers[i]->features[index];
        index -= set->trackers[i]->feature_count;
    }
    assert(!"column index out of range");
    return NULL;
}

void feature_set_names(const struct feature_set *set, const char **names)
{
    for (size_t i = 0; set->trackers[i] != NULL; i++) {
        for (size_t j = 0; j < set->trackers[i]->feature_count; j++)
            *names++ = set->trackers[i]->features[j].name;
    }
}

const char *feature_time_name(enum feature_time time)
{
    return time == FEATURE_PRE_CLOSE ? "prices before the close" : "before the start";
}

void feature_set_hash(const struct feature_set *set, struct hash *hash)
{
    for (size_t i = 0; set->trackers[i] != NULL; i++) {
        const struct tracker *tracker = set->trackers[i];
        hash_add_text(hash, tracker->family);
        hash_add_i64(hash, tracker->version);
        for (size_t j = 0; j < tracker->feature_count; j++)
            hash_add_text(hash, tracker->features[j].name);
    }
}
