/* Tracker: a feature family as a small state machine over a stream of dated events.
 *
 *   emit(state, fixture, out)            the family's features of an event, from what is known before it starts
 *   apply(state, fixture, outcome)       learn what happened
 *
 * An event is two plain structs of the domain: the *fixture* (what is known before it starts: who, when, prices stamped
 * earlier) and the *outcome* (what is known after it ended). emit never sees an outcome, so it cannot leak by mistake;
 * the audit (audit.h) catches what is left (state that was filled from the future).
 *
 * State is plain old data in one block of state_bytes: no pointers, so that it can be written to a file, mapped,
 * copied and compared. It is zeroed, then init() is called once. The size depends on the domain's sizes only
 * (number of teams), so one block per stream (country) lives in one array.
 *
 * The same two calls build the training matrix, serve tomorrow's fixture and take in a new result: there is no other
 * code path that computes a feature. Threads: a state belongs to one thread while apply runs; emit is read-only. */
#ifndef ALMANAC_FEATURE_TRACKER_H
#define ALMANAC_FEATURE_TRACKER_H

#include <stddef.h>
#include <stdint.h>

/* When the value becomes known, relative to the event it describes. */
enum feature_time {
    FEATURE_BEFORE_START, /* from earlier events, the calendar */
    FEATURE_PRE_CLOSE,    /* needs prices captured before the start (label pre_close) */
};

struct feature {
    const char *name; /* unique over all families, snake_case, begins with the family's name */
    const char *unit; /* "goals", "points", "days", "probability", "" ... */
    double low, high; /* every finite value lies in [low, high]: checked over every row by a property test */
    enum feature_time available;
    const char *doc; /* one sentence, with the source of the definition where there is one */
};

/* Sizes of one stream. */
struct stream_size {
    size_t entities; /* teams (football), symbols (market) of this stream */
    size_t groups;   /* leagues */
};

struct tracker {
    const char *family;
    const char *doc;
    int version; /* raise when the numbers change: part of the matrix hash */
    const struct feature *features;
    size_t feature_count;
    size_t (*state_bytes)(const struct stream_size *size);
    void (*init)(void *state, const struct stream_size *size);        /* state is zeroed */
    void (*emit)(const void *state, const void *fixture, float *out); /* out[feature_count], NaN: missing */
    void (*apply)(void *state, const void *fixture, const void *outcome);
    const char
        *source; /* what the values are computed from: "results", "results, shots", "team attributes" */
};

/* One stream of events that share state, e.g. all leagues of a country. Events in order of start_us.
 * known_us[i] > start_us[i] is when outcome i became known: an outcome is applied before an event that starts at t
 * only if known_us <= t (so all events of one kick-off, or of one day when times are unknown, are emitted before any
 * of them is applied). An event without an outcome (not yet played) has known_us INT64_MAX and is never applied. */
struct stream {
    struct stream_size size;
    size_t count;
    const int64_t *start_us;
    const int64_t *known_us;
    const void *fixtures;
    size_t fixture_bytes;
    const void *outcomes;
    size_t outcome_bytes;
    const uint32_t *row; /* matrix row of each event (streams are interleaved by time in the matrix) */
};

#endif
