/* Live state, inside view: one contiguous block; stream s, tracker t at offset. For builder.c and live_state.c only. */
#ifndef ALMANAC_FEATURE_LIVE_STATE_H
#define ALMANAC_FEATURE_LIVE_STATE_H

#include "feature/builder.h"

struct live_state {
    const struct feature_set *set;
    size_t tracker_count, stream_count;
    struct stream_size *sizes; /* [stream_count] */
    size_t *offsets;           /* [stream_count * tracker_count], multiples of 64 */
    unsigned char *block;      /* 64-byte aligned */
    size_t block_bytes;
};

static inline void *live_state_at(const struct live_state *state, size_t stream, size_t tracker)
{
    return state->block + state->offsets[stream * state->tracker_count + tracker];
}

#endif
