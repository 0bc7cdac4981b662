/* Builder: one pass over each stream through all trackers of a set, giving feature rows and, at its end, the live state.
 * Streams are independent and run on a pool; the bytes do not depend on the number of threads.
 *
 * A pass may be cut in two anywhere: the state at a moment T is the state after exactly the outcomes with known_us <= T,
 * and running [from, T) and then [T, until) over the same events gives the bytes of one pass. That is what checkpoints,
 * appends and the live state rest on. */
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

/* The part of time a run covers: emits events with from_us <= start < until_us, applies outcomes with
 * from_us < known <= until_us. */
struct build_span {
    int64_t from_us, until_us;
};
#define BUILD_WHOLE ((struct build_span){INT64_MIN, INT64_MAX})

/* Where rows go: feature j of tracker t of event i of stream s lands at
 * values[(streams[s].row[i] - first_row) * stride + offsets[t] + j]. */
struct build_target {
    float *values;         /* NULL: only the state is wanted */
    size_t first_row;      /* matrix row of values[0] */
    size_t stride;         /* floats per row */
    const size_t *offsets; /* [trackers]; NULL: one after another from 0 */
};

/* Runs the streams through *state, which stands at span.from_us, and leaves it at span.until_us. pool may be NULL: one
 * thread. After an error the state is of no use. */
enum err_code builder_advance(struct live_state *state, const struct stream *streams, struct build_span span,
                              struct build_target target, struct pool *pool, const struct build_watch *watch,
                              struct err *err) CHECKED;
/* The whole of the streams from a new state. out[rows][columns] may be NULL; *out_state (may be NULL) receives the state
 * after all outcomes. */
enum err_code builder_run(const struct feature_set *set, const struct stream *streams, size_t stream_count,
                          float *out, struct pool *pool, const struct build_watch *watch,
                          struct live_state **out_state, struct err *err) CHECKED;

enum err_code live_state_create(const struct feature_set *set, const struct stream_size *sizes,
                                size_t stream_count, struct live_state **out, struct err *err) CHECKED;
enum err_code live_state_copy(const struct live_state *state, struct live_state **out,
                              struct err *err) CHECKED;
void live_state_destroy(struct live_state *state);
/* Features of one fixture as of everything applied so far; out[columns of the set]. */
void live_state_emit(const struct live_state *state, size_t stream, const void *fixture, float *out);
void live_state_apply(struct live_state *state, size_t stream, const void *fixture, const void *outcome);
size_t live_state_size_bytes(const struct live_state *state);
/* A checksummed file named by the caller; `tag` (HASH_HEX) ties it to data and feature set and must match on opening;
 * at_us is the moment the state stands at (INT64_MAX: after everything). */
enum err_code live_state_save(const struct live_state *state, const char *tag, int64_t at_us,
                              const char *path, struct err *err) CHECKED;
enum err_code live_state_open(const struct feature_set *set, const struct stream_size *sizes,
                              size_t stream_count, const char *tag, const char *path, struct live_state **out,
                              int64_t *out_at_us, struct err *err) CHECKED;
/* A state of `set` whose trackers come, family by family, from those of `parts` (each of some set over the same streams;
 * the first part that has a tracker of that family and version gives it): how one changed family joins the others.
 * ERR_NOT_FOUND names a family that no part has. */
enum err_code live_state_join(const struct feature_set *set, const struct live_state *const *parts,
                              size_t part_count, struct live_state **out, struct err *err) CHECKED;

#endif
