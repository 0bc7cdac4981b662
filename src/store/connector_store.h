/* What connectors remember between their runs: when a source may be asked again, and the validators of the answers that are
 * in the store. A validator is written in the transaction that stores its answer, so that "not modified" always means what
 * is here.
 * Threads: as the connection. */
#ifndef ALMANAC_STORE_CONNECTOR_STORE_H
#define ALMANAC_STORE_CONNECTOR_STORE_H

#include "base/err.h"
#include "base/hash.h"
#include "store/db.h"

#include <stdint.h>

enum { CONNECTOR_TAG_BYTES = 256, CONNECTOR_RESOURCE_BYTES = 64 };

struct connector_row {
    int64_t not_before_us; /* TIME_NONE: at once */
    int64_t asked_us;      /* the newest request; TIME_NONE: never */
};
/* A source that was never asked has both TIME_NONE. */
enum err_code connector_store_get(struct db *db, const char *name, struct connector_row *out,
                                  struct err *err) CHECKED;
enum err_code connector_store_set(struct db *db, const char *name, const struct connector_row *row,
                                  struct err *err) CHECKED;

struct connector_answer {
    char resource[CONNECTOR_RESOURCE_BYTES]; /* "odds E0" */
    char request[HASH_HEX_BYTES];            /* hash of what was asked */
    char etag[CONNECTOR_TAG_BYTES], last_modified[CONNECTOR_TAG_BYTES];
    int64_t fetched_us;
};
/* Both validators "" when the resource is not there, or was asked for in another way. */
enum err_code connector_store_answer(struct db *db, const char *name, const char *resource,
                                     const char *request, struct connector_answer *out,
                                     struct err *err) CHECKED;
enum err_code connector_store_keep(struct db *db, const char *name, const struct connector_answer *answer,
                                   struct err *err) CHECKED;

#endif
