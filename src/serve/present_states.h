/* The tracker states that present.c keeps beside the matrix, and which of them serve the present data. Private to
 * present*.c.
 *
 * A state at the moment T is the state after the outcomes known at T. It was made of the data its tag names; it is one of
 * the present data too if nothing before T changed since. */
#ifndef ALMANAC_SERVE_PRESENT_STATES_H
#define ALMANAC_SERVE_PRESENT_STATES_H

#include "base/err.h"
#include "base/hash.h"
#include "feature/builder.h"
#include "store/change_store.h"
#include "store/store.h"

enum state_kind { STATE_RECENT, STATE_CHECKPOINT, STATE_KINDS }; /* <key>.state, <key>.checkpoint */

/* How far before the newest outcome the kept states stand. */
#define STATE_RECENT_US     (INT64_C(3) * 24 * 3600 * 1000000)
#define STATE_CHECKPOINT_US (INT64_C(45) * 24 * 3600 * 1000000)
/* A checkpoint that is further behind is moved forward. */
#define STATE_CHECKPOINT_OLD_US (INT64_C(120) * 24 * 3600 * 1000000)

/* The states the data was in, newest first. The first few are read at once, the others when they are asked for; so are keys
 * computed. */
struct known_state {
    char data_hash[HASH_HEX_BYTES], key[HASH_HEX_BYTES]; /* key "": not computed yet */
};
struct known_states {
    struct store *store;
    const struct feature_set *set;
    struct known_state *items;
    size_t count;
    bool is_whole;
};
enum err_code known_states_load(struct store *store, const struct feature_set *set, struct known_states *out,
                                struct err *err) CHECKED;
void known_states_release(struct known_states *states);
/* NULL behind the last; valid until the next call. */
const struct known_state *known_states_at(struct known_states *states, size_t index);
/* First instant at which the present data may be other than that of the state: INT64_MAX when nothing changed. */
enum err_code known_states_changed_us(struct store *store, const char *data_hash, int64_t *out,
                                      struct err *err) CHECKED;
/* First instant of a local day, as history.c counts it. */
int64_t present_day_start_us(int64_t day);

struct state_place {
    struct store *store;
    const struct feature_set *set;
    const struct stream_size *sizes;
    size_t stream_count;
};
/* The kept state of this kind that stands latest among those at or before `latest_us` and is one of the present data.
 * ERR_NOT_FOUND when there is none. */
enum err_code state_find(const struct state_place *place, struct known_states *states, enum state_kind kind,
                         int64_t latest_us, struct live_state **out, int64_t *out_at_us,
                         struct err *err) CHECKED;
enum err_code state_open(const struct state_place *place, const char *key, enum state_kind kind,
                         struct live_state **out, int64_t *out_at_us, struct err *err) CHECKED;
/* Keeps the state and removes the others of its kind. One that cannot be kept costs a later start some time: it is logged,
 * nothing else. */
void state_keep(struct store *store, const char *key, enum state_kind kind, const struct live_state *state,
                int64_t at_us);

#endif
