/* Matrix: the cached result of a build: float32 rows x columns with event ids, times, labels beside it
 * (docs/formats/matrix.md). Rows are in time order over all streams.
 *
 * Three files: a small head `<key>.mat` named by the hash of source rows, feature set and code versions, and beside it
 * `<base>.rows` and `<base>.values`, where <base> is the key of the first matrix written to them. New rows are appended to
 * the two and get a new head, so that the cost follows the new rows; the heads of earlier states of the data stay true, as
 * they name their own number of rows. When rows near the end change, whole chunks before them stay where they are and new
 * files begin at the chunk of the change; when much changes, what is kept is copied.
 * An open matrix is immutable; any thread may read. */
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
/* ERR_NOT_FOUND: no such head; ERR_CORRUPT: damaged, of another format, or its rows are gone. */
enum err_code matrix_open(const char *folder, const char *key, struct matrix **out, struct err *err) CHECKED;
/* The matrix of a folder that shares most columns with the set (families of the same name, version and feature names), of
 * several such the newest; of data `data_hash`, or of any data when data_hash is NULL: a basis for an append or for a build
 * of the missing families. ERR_NOT_FOUND when there is none that shares any family with the set. */
enum err_code matrix_open_basis(const char *folder, const char *data_hash, const struct feature_set *set,
                                struct matrix **out, struct err *err) CHECKED;
/* Checks the values too (reads the whole file); ERR_CORRUPT. pool may be NULL. */
enum err_code matrix_verify(const struct matrix *matrix, struct pool *pool, struct err *err) CHECKED;
void matrix_close(struct matrix *matrix);
size_t matrix_rows(const struct matrix *matrix);
size_t matrix_columns(const struct matrix *matrix);
const char *const *matrix_names(const struct matrix *matrix);
const float *matrix_values(const struct matrix *matrix);               /* [rows][columns] */
const struct matrix_row *matrix_row_info(const struct matrix *matrix); /* [rows] */
const char *matrix_key_of(const struct matrix *matrix);
const char *matrix_data_hash(const struct matrix *matrix);
/* Column of the family's first feature if the matrix holds exactly this tracker (family, version, names); -1 if not. */
int64_t matrix_family_column(const struct matrix *matrix, const struct tracker *tracker);

/* Writing. The first keep_rows rows of `basis` stay as they are (NULL: 0), the caller fills the others in `rows` and
 * `values`, finish gives the file its head. If the basis has the columns of the set, keeps all its rows and is the last in
 * its files, these grow in place; else what is kept is copied or left where it is (see above): all columns that the basis
 * has, the others left for the caller (zero until then). The basis lies in the same folder and may be closed once start is
 * back. One writer at a time per folder: start waits for another one, half a minute at most, then ERR_BUSY. Until finish,
 * nothing of it can be seen; abandon undoes it. */
struct matrix_build {
    struct matrix_row *rows; /* [row_count - keep_rows], for the caller */
    float *values;           /* [row_count - first_row][columns] */
    size_t first_row; /* matrix row of values[0]: keep_rows when rows are appended in place or copied with all
                                columns; 0 when some families are new, as their columns are to be filled everywhere */
    size_t row_count, columns;
    void *owner;
};
/* ERR_CORRUPT: the basis is damaged; build without it. */
enum err_code matrix_build_start(const char *folder, const char *data_hash, const struct feature_set *set,
                                 const struct matrix *basis, size_t keep_rows, size_t row_count,
                                 struct matrix_build *out, struct err *err) CHECKED;
/* The first `rows` rows of build->values are written and will not change again: they begin to go to the disk, and their
 * pages may leave the process, so that memory does not follow the size of the matrix. A hint. */
void matrix_build_settle(struct matrix_build *build, size_t rows);
/* Rows begin..end-1 of build->values were read again and may leave again. Any thread. A hint. */
void matrix_build_forget(const struct matrix_build *build, size_t begin, size_t end);
/* Whether it succeeds or not, the build is over. New files also tidy the folder: heads of other formats go, and rows and
 * values that no head names. */
enum err_code matrix_build_finish(struct matrix_build *build, struct pool *pool, struct matrix **out,
                                  struct err *err) CHECKED;
void matrix_build_abandon(struct matrix_build *build); /* safe after finish */
/* Removes all matrices but those of the keys and the newest newest_count, and tidies the folder. Matrices that are open
 * stay readable. */
enum err_code matrix_prune(const char *folder, const char *const *keep_keys, size_t keep_count,
                           size_t newest_count, struct err *err) CHECKED;
/* id,start,league,labels,features...: feature_matrix_last.csv; league names by group. */
enum err_code matrix_write_csv(const struct matrix *matrix, const char *const *group_names, const char *path,
                               struct err *err) CHECKED;

#endif
