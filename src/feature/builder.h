/* Builder: one pass over each stream through all trackers of a set, giving the feature matrix and, at its end, the
 * live state. Streams are independent and run on a pool; the bytes do not depend on the number of threads. */
#ifndef ALMANAC_FEATURE_BUILDER_H
#define ALMANAC_FEATURE_BUILDER_H

#include "base/err.h"
#include "feature/set.h"
#include "os/thread.h"
#include <stdbool.h>

/* Tracker states of all streams: what serves the next fixture. */
struct live_state;

struct build_watch {
    /* about every 50 ms, from any thread: events done of all */
    void (*progress)(void *context, size_t done, size_t total);
    bool (*stop)(void *context); /* true: give up with ERR_CANCELLED */
    void *context;
};

/* out[rows][columns] receives event i of stream s at row streams[s].row[i]; NULL when only the state is wanted.
 * *out_state (may be NULL) receives the state after all outcomes. pool may be NULL: one thread. */
enum err_code builder_run(const struct feature_set *set, const struct stream *streams, size_t stream_count,
                          float *out, struct pool *pool, const struct build_watch *watch,
                          struct live_state **out_state, struct err *err) CHECKED;

enum err_code live_state_create(const struct feature_set *set, const struct stream_size *sizes,
                                size_t stream_count, struct live_state **out, struct err *err) CHECKED;
void live_state_destroy(struct live_state *state);
/* Features of one fixture as of everything applied so far; out[columns of the set]. */
void live_state_emit(const struct live_state *state, size_t stream, const void *fixture, float *out);
void live_state_apply(struct live_state *state, size_t stream, const void *fixture, const void *outcome);
size_t live_state_size_bytes(const struct live_state *state);
/* A checksummed file named by the caller; `tag` (HASH_HEX) ties it to data and feature set and must match on opening. */
enum err_code live_state_save(const struct live_state *state, const char *tag, const char *path,
                              struct err *err) CHECKED;
enum err_code live_state_open(const struct feature_set *set, const struct stream_size *sizes,
                              size_t stream_count, const char *tag, const char *path, struct live_state **out,
                              struct err *err) CHECKED;

#endif
