/* Offline store, private: the features of the rows that a join hits, each at its slot.
 *
 * Threads: makes some, and the engine has its own. Memory: the values are the caller's; a partition's file is mapped while it
 * is read. */
#ifndef ALMANAC_VIEW_OFFLINE_VALUES_H
#define ALMANAC_VIEW_OFFLINE_VALUES_H

#include "view/offline_parts.h"

struct offline_wanted {
    struct duck *duck;
    struct offline_parts *parts; /* numbered; is_for_engine is set here */
    const int64_t *slot_us;      /* [slot_count]: event_timestamp of the row */
    size_t slot_count;
    const char *const *features;
    size_t feature_count;
    float *values; /* [feature][slot_count], to be filled; NaN: missing */
};
/* *out_is_changed: the files are not those of which the hits were found, and the values mean nothing. */
enum err_code offline_values_read(const struct offline_wanted *wanted, bool *out_is_changed,
                                  struct err *err) CHECKED;

#endif
