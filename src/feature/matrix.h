/* Matrix: the cached result of a build: float32 rows x columns with event ids, times, labels beside it, in one mapped
 * file named by the hash of source rows, feature set and code version (docs/formats/matrix.md).
 * Rows are in time order over all streams. Immutable; any thread may read. */
#ifndef ALMANAC_FEATURE_MATRIX_H
#define ALMANAC_FEATURE_MATRIX_H

#include "base/err.h"
#include "base/hash.h"
#include "feature/builder.h"
#include "feature/set.h"
#include "os/thread.h"

/* What stands beside each row; domain packs fill it. */
struct matrix_row {
    int64_t id;       /* own id of the event */
    int64_t start_us; /* UTC */
    int64_t day;      /* block of the bootstrap: days since 1970 of the local date */
    int32_t group;    /* league index of the domain */
    int32_t stream;
    int32_t label[4]; /* per target of the domain; -1 unknown */
};

struct matrix;

/* Key of a build: the data hash (over all rows that enter), the set. out: hex name. */
void matrix_key(const char *data_hash, const struct feature_set *set, char out[HASH_HEX_BYTES]);
/* Opens <folder>/<key>.mat if it is there and whole; else builds it there (temp + rename). *out_built tells which;
 * *out_state (may be NULL) receives the live state of a build, NULL when the matrix was only opened. */
enum err_code matrix_open_or_build(const char *folder, const char *key, const struct feature_set *set,
                                   const struct stream *streams, size_t stream_count,
                                   const struct matrix_row *rows, size_t row_count, struct pool *pool,
                                   const struct build_watch *watch, struct matrix **out,
                                   struct live_state **out_state, bool *out_built, struct err *err) CHECKED;
enum err_code matrix_open(const char *path, struct matrix **out, struct err *err) CHECKED;
/* Checks the values too (reads the whole file); ERR_CORRUPT. pool may be NULL. */
enum err_code matrix_verify(const struct matrix *matrix, struct pool *pool, struct err *err) CHECKED;
void matrix_close(struct matrix *matrix);
size_t matrix_rows(const struct matrix *matrix);
size_t matrix_columns(const struct matrix *matrix);
const char *const *matrix_names(const struct matrix *matrix);
const float *matrix_values(const struct matrix *matrix);               /* [rows][columns] */
const struct matrix_row *matrix_row_info(const struct matrix *matrix); /* [rows] */
const char *matrix_key_of(const struct matrix *matrix);
/* id,start,league,labels,features...: feature_matrix_last.csv; league names by group. */
enum err_code matrix_write_csv(const struct matrix *matrix, const char *const *group_names, const char *path,
                               struct err *err) CHECKED;

#endif
