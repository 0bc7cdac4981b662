/* Leak audit: proves that no feature depends on the future.
 *
 *   truncation  rebuild with everything after a cut removed
 *   scramble    rebuild with every outcome known after the cut replaced by another one
 *
 * In both, each event that starts at or before the cut must have byte-equal features. The domain rebuilds its streams
 * from the source rows for each cut, so that leaks in the preparation are caught as well as leaks in a tracker. Every
 * new matrix is audited on a sample; `almanac features audit --full` takes many cuts. What is caught is named with
 * feature, event and both values: ERR_LEAK. Threads: one audit at a time; builds inside use the pool. */
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
struct audit_report {
    size_t cuts;          /* cut points tried, each in both modes */
    size_t rows_compared; /* feature rows compared byte by byte */
    size_t features;
};

/* cuts >= 1, at times of events drawn by the seed, spread over the whole history. */
enum err_code audit_run(const struct feature_set *set, const struct audit_source *source, size_t cuts,
                        uint64_t seed, struct pool *pool, const struct build_watch *watch,
                        struct audit_report *out, struct err *err) CHECKED;

#endif
