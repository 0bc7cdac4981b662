/* Feature set: which trackers run and which of their columns are kept, by name. Sets are declared data of a domain
 * pack (football/feature_sets.c): `no_prices`, `with_prices`. The set's hash (names, versions) is part of the matrix
 * and model names. */
#ifndef ALMANAC_FEATURE_SET_H
#define ALMANAC_FEATURE_SET_H

#include "base/err.h"
#include "base/hash.h"
#include "feature/tracker.h"

struct feature_set {
    const char *name;
    const char *doc;
    const struct tracker *const *trackers; /* NULL-terminated, order of the columns */
};

size_t feature_set_columns(const struct feature_set *set);
/* Column `index` of the set. */
const struct feature *feature_set_at(const struct feature_set *set, size_t index);
/* names[columns] receives borrowed pointers. */
void feature_set_names(const struct feature_set *set, const char **names);
/* When a value becomes known: "before the start", "prices before the close". */
const char *feature_time_name(enum feature_time time);
void feature_set_hash(const struct feature_set *set, struct hash *hash);

#endif
