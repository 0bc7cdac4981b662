/* Online: what the server answers from: the state of all trackers after the last known result, and the matrix of the
 * matches before (serve/present.h), with what answers need beside them. Immutable once made; a newer one replaces it. */
#ifndef ALMANAC_SERVE_ONLINE_H
#define ALMANAC_SERVE_ONLINE_H

#include "base/err.h"
#include "football/attributes.h"
#include "serve/present.h"
#include "store/store.h"

struct online {
    struct present present;        /* with its state; matrix NULL when there is none of the present data */
    int64_t last_kickoff_us;       /* of the newest outcome in the state; TIME_NONE without one */
    uint32_t *by_id;               /* matrix rows in order of match id; NULL without a matrix */
    struct attributes *attributes; /* of all teams */
};

enum online_effort {
    ONLINE_OPEN, /* what is kept: milliseconds; ERR_NOT_FOUND when that is not enough */
    ONLINE_BUILD, /* also extended; also from the first match, then without a matrix: a training builds and audits it */
};
/* Reads the store only through the handle given, so it may run on a pool thread with its own. The matrix is left out when
 * only the state can be had with the effort. */
enum err_code online_open(struct store *store, enum online_effort effort, struct online **out,
                          struct err *err) CHECKED;
void online_destroy(struct online *online);
/* What is told of the two teams of a fixture of `stream`: its league, season, day and teams are set. */
void online_fill_attributes(const struct online *online, size_t stream, struct fixture *fixture);
/* Row of a match in the matrix; -1 when it is not in it. */
int64_t online_row(const struct online *online, int64_t match_id);

#endif
