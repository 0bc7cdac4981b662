/* The feature matrix in SQL, and as one Parquet file: feature_matrix_last.parquet.
 *
 * Columns: id BIGINT, start TIMESTAMP (UTC), league VARCHAR, country VARCHAR, label_<target> INTEGER per target (NULL
 * unknown), then every feature as FLOAT (NULL missing); rows in the order of the matrix, which is that of time. The rows are
 * read out of the mapped matrix while the statement runs: memory is what the engine needs, not what the matrix has. */
#ifndef ALMANAC_VIEW_MATRIX_PARQUET_H
#define ALMANAC_VIEW_MATRIX_PARQUET_H

#include "base/err.h"
#include "duck/duck.h"
#include "feature/matrix.h"

/* Names of what a matrix row holds by number; borrowed. */
struct matrix_names {
    const char *const *groups;  /* by matrix_row.group: league codes */
    const char *const *streams; /* by matrix_row.stream: countries */
    const char *const *targets; /* of label[], target_count <= 4 */
    size_t target_count;
};

/* The view `name`; matrix, groups and streams must stay until duck_close. */
enum err_code matrix_expose(struct duck *duck, const char *name, const struct matrix *matrix,
                            const struct matrix_names *names, struct err *err) CHECKED;
/* Written beside `path` and renamed; zstd. Needs DuckDB (ERR_UNAVAILABLE says what to install). */
enum err_code matrix_write_parquet(const struct matrix *matrix, const struct matrix_names *names,
                                   const char *path, struct err *err) CHECKED;

#endif
