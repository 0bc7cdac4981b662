/* Present: the feature matrix and the live state of the store's data as it is now, found in the cheapest way that is true:
 *
 *   opened    what was asked for is there
 *   extended  data changed from some day on: rows before it stay, a state from before it is advanced over the rest
 *   families  the data is the same, some families are new or changed: only their columns are computed
 *   built     from the first match
 *
 * Each way gives the same bytes (tested). What is made is kept in the matrix folder: head, rows, and two states from
 * before the end, `<key>.state` (some days, where results arrive out of order) and `<key>.checkpoint` (some weeks, for
 * results that come late). A state serves all later data as long as nothing before its moment changed, so most extensions
 * write none.
 * Reads the store only through the handle given, so it may run on a pool thread with its own. Any number of processes may
 * do so at the same time. */
#ifndef ALMANAC_SERVE_PRESENT_H
#define ALMANAC_SERVE_PRESENT_H

#include "base/err.h"
#include "base/hash.h"
#include "feature/audit.h"
#include "feature/builder.h"
#include "feature/matrix.h"
#include "football/teams.h"
#include "store/football_store.h"
#include "store/store.h"

enum present_way { PRESENT_OPENED, PRESENT_EXTENDED, PRESENT_FAMILIES, PRESENT_BUILT };
const char *present_way_name(enum present_way way); /* "opened", ... */

struct present {
    char data_hash[HASH_HEX_BYTES], key[HASH_HEX_BYTES];
    struct teams *teams;
    struct matrix *matrix;    /* NULL unless asked for */
    struct live_state *state; /* NULL unless asked for; after everything */
    enum present_way way;
    size_t rows_computed, columns_computed; /* of the matrix */
    int64_t took_us;
};
struct present_request {
    struct store *store;
    const struct feature_set *set; /* NULL: the widest of football */
    bool want_matrix, want_state;
    bool only_open;    /* ERR_NOT_FOUND instead of computing a row */
    bool only_extend;  /* ERR_NOT_FOUND instead of computing from the first match */
    bool from_scratch; /* compute everything even if something is kept (to measure, to compare) */
    struct pool *pool; /* may be NULL */
    const struct build_watch *watch;
    /* Called when a matrix was built from scratch or with new families, with what it was built from and what came out (the
     * leak audit). An error refuses it: nothing of it stays. ERR_CONFLICT of one with new families: it is built from
     * scratch. May be NULL. */
    enum err_code (*audit)(void *context, const struct football_frames *frames,
                           const struct audit_built *built, struct err *err);
    void *context;
};

/* Key of the store's present data, of the widest feature set. */
enum err_code present_key(struct store *store, char out[HASH_HEX_BYTES], struct err *err) CHECKED;
/* ERR_NOT_FOUND: a matrix of a store without matches; or nothing is kept and the request forbids to compute. On success
 * *out is released by the caller with present_release. */
enum err_code present_open(const struct present_request *request, struct present *out,
                           struct err *err) CHECKED;
void present_release(struct present *present);

#endif
