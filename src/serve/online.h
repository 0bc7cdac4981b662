/* Online: the state of all trackers after the last known result, ready to emit the features of a fixture.
 *
 * Opened from a checkpoint when there is one of the present data (milliseconds), else built from the store by
 * online_build, which may run on a pool thread with its own read-only store. Immutable once made; a newer one replaces
 * it. */
#ifndef ALMANAC_SERVE_ONLINE_H
#define ALMANAC_SERVE_ONLINE_H

#include "base/err.h"
#include "base/hash.h"
#include "feature/builder.h"
#include "feature/matrix.h"
#include "football/match.h"
#include "football/teams.h"
#include "store/store.h"

struct online {
    char key[HASH_HEX_BYTES]; /* matrix key: data and features */
    struct teams *teams;
    struct live_state *state;
    struct matrix *matrix;   /* of the same key; NULL when it was never built */
    int64_t last_kickoff_us; /* of the newest outcome in the state; TIME_NONE without one */
    uint32_t *by_id;         /* matrix rows in order of match id; NULL without a matrix */
};

/* Key of the store's present data. */
enum err_code online_key(struct store *store, char out[HASH_HEX_BYTES], struct err *err) CHECKED;
/* From the checkpoint; ERR_NOT_FOUND when there is none of this key. */
enum err_code online_open(struct store *store, const char *key, struct online **out, struct err *err) CHECKED;
/* From the matches; writes the checkpoint. Reads the store only through the handle given. */
enum err_code online_build(struct store *store, const char *key, struct online **out,
                           struct err *err) CHECKED;
void online_destroy(struct online *online);
/* Row of a match in the matrix; -1 when it is not in it. */
int64_t online_row(const struct online *online, int64_t match_id);

#endif
