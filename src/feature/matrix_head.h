/* The head of a matrix, format 2 (docs/formats/matrix.md): what a `<key>.mat` file says of the rows and values beside it.
 * Inside view of the matrix, for matrix*.c only.
 *
 * Hashes are kept by chunk, so that an append takes over those of all whole chunks and computes the rest anew.
 * Threads: plain data. Memory: a parsed head points into the bytes it was parsed from. */
#ifndef ALMANAC_FEATURE_MATRIX_HEAD_H
#define ALMANAC_FEATURE_MATRIX_HEAD_H

#include "base/err.h"
#include "base/hash.h"
#include "feature/set.h"
#include "os/file.h"
#include "os/thread.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    MATRIX_FORMAT = 2,
    MATRIX_CHUNK_BYTES = 256 * 1024, /* a multiple of any page size */
    MATRIX_BASE_BYTES = 96,          /* key, and "-" with a number where that name was taken */
    MATRIX_FAMILY_BYTES = 48,
};

struct matrix_head_record {
    char magic[8];
    uint32_t format, columns;
    uint64_t rows;
    uint32_t families, chunk_bytes;
    uint64_t names_bytes;                        /* with zeros up to a multiple of 8 */
    uint64_t head_bytes;                         /* of the whole head file */
    uint64_t rows_stem_bytes, values_stem_bytes; /* that lie in the files of `stem`; multiples of the chunk */
    char key[72], data_hash[72];
    char base[MATRIX_BASE_BYTES]; /* files that hold the rest, and grow */
    char stem[MATRIX_BASE_BYTES]; /* "" when all lies in `base` */
    char padding[48];
};
struct matrix_family {
    char name[MATRIX_FAMILY_BYTES];
    int32_t version;
    uint32_t column, count, padding;
};

struct matrix_head {
    const struct matrix_head_record *record;
    const struct matrix_family *families;
    const char *names;             /* zero-terminated, one behind the other */
    const uint64_t *rows_hashes;   /* [chunks of the row records] */
    const uint64_t *values_hashes; /* [chunks of the values] */
};

/* The record of a matrix to be written: sizes, magic and texts are filled in; base and stem are left to the caller. */
struct matrix_head_record matrix_head_plan(const struct feature_set *set, const char *key,
                                           const char *data_hash, size_t rows);
/* Writes record, families, names, hashes and checksum into head[record->head_bytes]. */
void matrix_head_write(const struct matrix_head_record *record, const struct feature_set *set,
                       const uint64_t *rows_hashes, const uint64_t *values_hashes, char *head);
/* Checks every byte of a head file; ERR_CORRUPT. path: for the message. */
enum err_code matrix_head_parse(const struct file_map *map, const char *path, struct matrix_head *out,
                                struct err *err) CHECKED;

size_t matrix_head_rows_bytes(const struct matrix_head_record *record);
size_t matrix_head_values_bytes(const struct matrix_head_record *record);
size_t matrix_chunk_count(size_t size_bytes);
/* Entry of this very family: name, version and feature names in order; NULL if there is none. */
const struct matrix_family *matrix_head_family(const struct matrix_head *head, const struct tracker *tracker);
/* Columns of the set that the head has. */
size_t matrix_head_shared_columns(const struct matrix_head *head, const struct feature_set *set);
/* The same families at the same columns, and no others. */
bool matrix_head_has_layout(const struct matrix_head *head, const struct feature_set *set);

/* Hash of one chunk: eight words side by side, as one after the other waits for the multiplier (format: matrix.md). */
uint64_t matrix_chunk_hash(const void *data, size_t size_bytes);
/* hashes[i] of chunk i of the data; pool may be NULL. */
void matrix_hash_chunks(const void *data, size_t size_bytes, uint64_t *hashes, struct pool *pool);
/* Index of the first chunk that differs from its hash, -1 when none does. pool may be NULL. */
int64_t matrix_check_chunks(const void *data, size_t size_bytes, const uint64_t *hashes, struct pool *pool);

/* "<folder>/<name>.<suffix>" */
enum err_code matrix_path(const char *folder, const char *name, const char *suffix, char out[FILE_PATH_BYTES],
                          struct err *err) CHECKED;
/* ERR_CORRUPT: "feature matrix '<path>' <what>; it has to be built again". */
enum err_code matrix_corrupt(const char *path, const char *what, struct err *err);

#endif
