/* Leak audit: proves that no feature depends on the future.
 *
 *   truncation  rebuild with everything after a cut removed
 *   scramble    rebuild with every outcome known after the cut replaced by another one
 *
 * In both, each event that starts at or before the cut must have the very bytes that the build from all data gave it. The
 * domain rebuilds its streams from the source rows for each cut, so that leaks in the preparation are caught as well as
 * leaks in a tracker. Every new matrix is audited on a sample before it counts; `almanac features audit --full` takes many
 * cuts. What is caught is named with feature, event and both values: ERR_LEAK. A build that the same data do not give
 * once more is no leak: ERR_CONFLICT.
 * Threads: one audit at a time; each thread of the pool has one rebuild at work, so open and close are called from any of
 * them. Memory: as many rebuilds as there are threads, each with its streams and a slice of rows. */
#ifndef ALMANAC_FEATURE_AUDIT_H
#define ALMANAC_FEATURE_AUDIT_H

#include "base/err.h"
#include "feature/builder.h"
#include "feature/matrix.h"
#include "feature/set.h"

enum audit_mode { AUDIT_WHOLE, AUDIT_TRUNCATED, AUDIT_SCRAMBLED };

/* Streams of one rebuild; rows are in matrix order, ids unique. `owner` is for close. */
struct audit_variant {
    const struct stream *streams;
    size_t stream_count;
    const struct matrix_row *rows;
    size_t row_count;
    void *owner;
};
struct audit_source {
    /* Rebuilds from the source rows. AUDIT_WHOLE ignores cut_us and seed. */
    enum err_code (*open)(void *context, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                          struct audit_variant *out, struct err *err);
    void (*close)(struct audit_variant *variant);
    void *context;
};
/* What the build from all data gave, which the rebuilds must repeat. */
struct audit_built {
    const struct matrix_row *rows; /* [row_count] */
    const float *values;           /* [row_count][columns of the set] */
    size_t row_count;
    /* Called when rows begin..end-1 were compared, from any thread: their pages need not stay in memory. May be NULL. */
    void (*forget)(void *context, size_t begin, size_t end);
    void *context;
};
struct audit_report {
    size_t cuts;          /* cut points tried, each in both modes */
    size_t rows_compared; /* feature rows compared byte by byte */
    size_t features;
};

/* cuts >= 1, at times of events drawn by the seed, spread over the whole history. built NULL: it is built here first, in
 * memory, from AUDIT_WHOLE. */
enum err_code audit_run(const struct feature_set *set, const struct audit_source *source,
                        const struct audit_built *built, size_t cuts, uint64_t seed, struct pool *pool,
                        const struct build_watch *watch, struct audit_report *out, struct err *err) CHECKED;

#endif
