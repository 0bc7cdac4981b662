/* Matrix file: one header, then names, row records, values, each 64-byte aligned; mapped as it is (docs/formats/matrix.md).
 *
 * The file is built in place: the builder writes its rows straight into the mapping of a temporary file, which gets its
 * final name only when it is whole and on disk. Opening checks magic, format, sizes and the checksum of everything but
 * the values, so that it costs milliseconds; matrix_verify checks the values too. */
#include "feature/matrix.h"

#include "os/file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MATRIX_FORMAT = 1, MATRIX_ALIGNMENT = 64, MATRIX_CHUNK_BYTES = 1 << 20 };
static const char matrix_magic[8] = "ALMATRIX";

struct matrix_header {
    char magic[8];
    uint32_t format, columns;
    uint64_t rows;
    uint64_t names_offset, names_bytes; /* zero-terminated names, one after another */
    uint64_t rows_offset;               /* struct matrix_row [rows] */
    uint64_t values_offset;             /* float32 [rows][columns] */
    uint64_t file_bytes;
    uint64_t head_hash;   /* of all between the header and the values */
    uint64_t values_hash; /* see hash_values */
    char key[HASH_HEX_BYTES];
    char padding[192 - 8 - 8 - 8 * 8 - HASH_HEX_BYTES];
    uint64_t header_hash; /* of all above */
};
_Static_assert(sizeof(struct matrix_header) == 200, "header has no holes");

struct matrix {
    struct file_map map;
    struct matrix_header header;
    const char **names; /* into the map */
};

static uint64_t align_up(uint64_t offset)
{
    return (offset + MATRIX_ALIGNMENT - 1) & ~(uint64_t)(MATRIX_ALIGNMENT - 1);
}

void matrix_key(const char *data_hash, const struct feature_set *set, char out[HASH_HEX_BYTES])
{
    struct hash hash;
    hash_init(&hash);
    hash_add_text(&hash, "matrix");
    hash_add_i64(&hash, MATRIX_FORMAT);
    hash_add_text(&hash, data_hash);
    feature_set_hash(set, &hash);
    hash_final_hex(&hash, out);
}

struct chunk_hashes {
    const char *data;
    size_t size_bytes;
    uint64_t *hashes;
};

static void hash_chunk(void *context, size_t index)
{
    struct chunk_hashes *chunks = context;
    size_t begin = index * MATRIX_CHUNK_BYTES;
    size_t rest = chunks->size_bytes - begin;
    chunks->hashes[index] =
        hash_u64(chunks->data + begin, rest < MATRIX_CHUNK_BYTES ? rest : MATRIX_CHUNK_BYTES, 0);
}

/* hash_u64 over the hash_u64 of each MiB: can be spread over threads. False when out of memory. */
static bool hash_values(const void *data, size_t size_bytes, struct pool *pool, uint64_t *out)
{
    size_t count = (size_bytes + MATRIX_CHUNK_BYTES - 1) / MATRIX_CHUNK_BYTES;
    struct chunk_hashes chunks = {data, size_bytes, calloc(count + 1, sizeof(uint64_t))};
    if (chunks.hashes == NULL)
        return false;
    if (pool != NULL)
        pool_for(pool, count, hash_chunk, &chunks);
    else
        for (size_t i = 0; i < count; i++)
            hash_chunk(&chunks, i);
    *out = hash_u64(chunks.hashes, count * sizeof(uint64_t), 0);
    free(chunks.hashes);
    return true;
}

static struct matrix_header plan_header(const char *key, const struct feature_set *set, size_t rows)
{
    struct matrix_header header = {.format = MATRIX_FORMAT, .rows = rows};
    memcpy(header.magic, matrix_magic, sizeof(header.magic));
    memccpy(header.key, key, '\0', sizeof(header.key) - 1);
    header.columns = (uint32_t)feature_set_columns(set);
    header.names_offset = align_up(sizeof(header));
    for (size_t i = 0; i < header.columns; i++)
        header.names_bytes += strlen(feature_set_at(set, i)->name) + 1;
    header.rows_offset = align_up(header.names_offset + header.names_bytes);
    header.values_offset = align_up(header.rows_offset + rows * sizeof(struct matrix_row));
    header.file_bytes = header.values_offset + rows * header.columns * sizeof(float);
    return header;
}

static uint64_t hash_head(const char *data, const struct matrix_header *header)
{
    return hash_u64(data + sizeof(*header), header->values_offset - sizeof(*header), 0);
}

static void write_head(char *data, const struct matrix_header *header, const struct feature_set *set,
                       const struct matrix_row *rows)
{
    char *name = data + header->names_offset;
    for (size_t i = 0; i < header->columns; i++) {
        size_t size_bytes = strlen(feature_set_at(set, i)->name) + 1;
        memcpy(name, feature_set_at(set, i)->name, size_bytes);
        name += size_bytes;
    }
    if (header->rows > 0)
        memcpy(data + header->rows_offset, rows, header->rows * sizeof(*rows));
}

static enum err_code build_file(const char *path, const char *key, const struct feature_set *set,
                                const struct stream *streams, size_t stream_count,
                                const struct matrix_row *rows, size_t row_count, struct pool *pool,
                                const struct build_watch *watch, struct live_state **out_state,
                                struct err *err)
{
    struct matrix_header header = plan_header(key, set, row_count);
    struct file_build build;
    enum err_code code = file_build_start(path, header.file_bytes, &build, err);
    if (code != ERR_OK)
        return code;
    write_head(build.data, &header, set, rows);
    float *values = (float *)(void *)(build.data + header.values_offset);
    code = builder_run(set, streams, stream_count, values, pool, watch, out_state, err);
    if (code != ERR_OK)
        goto out;
    header.head_hash = hash_head(build.data, &header);
    if (!hash_values(values, header.file_bytes - header.values_offset, pool, &header.values_hash)) {
        code = err_nomem(err, header.file_bytes / MATRIX_CHUNK_BYTES);
        goto out;
    }
    header.header_hash = hash_u64(&header, offsetof(struct matrix_header, header_hash), 0);
    memcpy(build.data, &header, sizeof(header));
    code = file_build_finish(&build, err);
out:
    file_build_abandon(&build);
    return code;
}

enum err_code matrix_open_or_build(const char *folder, const char *key, const struct feature_set *set,
                                   const struct stream *streams, size_t stream_count,
                                   const struct matrix_row *rows, size_t row_count, struct pool *pool,
                                   const struct build_watch *watch, struct matrix **out,
                                   struct live_state **out_state, bool *out_built, struct err *err)
{
    char name[HASH_HEX_BYTES + 4], path[FILE_PATH_BYTES];
    (void)snprintf(name, sizeof(name), "%s.mat", key);
    enum err_code code = file_join(folder, name, path, err);
    if (code != ERR_OK)
        return code;
    *out_built = false;
    if (out_state != NULL)
        *out_state = NULL;
    /* a damaged cache file is no error: it is built again */
    if (file_exists(path) && matrix_open(path, out, NULL) == ERR_OK) {
        if (strcmp((*out)->header.key, key) == 0)
            return ERR_OK;
        matrix_close(*out);
    }
    code = build_file(path, key, set, streams, stream_count, rows, row_count, pool, watch, out_state, err);
    if (code != ERR_OK)
        return code;
    *out_built = true;
    return matrix_open(path, out, err);
}

static enum err_code corrupt(const char *path, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "feature matrix '%s' %s; delete it, it will be built again", path, what);
}

/* Every offset is recomputed from rows and columns: a header that lies is refused. */
static enum err_code check_header(const struct file_map *map, struct matrix_header *header, const char *path,
                                  struct err *err)
{
    if (map->size_bytes < sizeof(*header))
        return corrupt(path, "is truncated", err);
    memcpy(header, map->data, sizeof(*header));
    if (memcmp(header->magic, matrix_magic, sizeof(header->magic)) != 0 || header->format != MATRIX_FORMAT)
        return corrupt(path, "has another format", err);
    if (hash_u64(header, offsetof(struct matrix_header, header_hash), 0) != header->header_hash)
        return corrupt(path, "fails the checksum of its header", err);
    uint64_t rows_offset = align_up(header->names_offset + header->names_bytes);
    uint64_t values_offset = align_up(rows_offset + header->rows * sizeof(struct matrix_row));
    if (header->rows > UINT32_MAX || header->names_offset != align_up(sizeof(*header)) ||
        header->rows_offset != rows_offset || header->values_offset != values_offset ||
        header->file_bytes != values_offset + header->rows * header->columns * sizeof(float) ||
        header->file_bytes != map->size_bytes)
        return corrupt(path, "is truncated or has wrong sizes", err);
    if (hash_head(map->data, header) != header->head_hash)
        return corrupt(path, "fails the checksum of its names and rows", err);
    header->key[sizeof(header->key) - 1] = '\0';
    return ERR_OK;
}

static enum err_code index_names(struct matrix *matrix, const char *path, struct err *err)
{
    matrix->names = calloc(matrix->header.columns + 1, sizeof(*matrix->names));
    if (matrix->names == NULL)
        return err_nomem(err, matrix->header.columns * sizeof(*matrix->names));
    const char *name = matrix->map.data + matrix->header.names_offset,
               *end = name + matrix->header.names_bytes;
    for (size_t i = 0; i < matrix->header.columns; i++) {
        const char *zero = name < end ? memchr(name, '\0', (size_t)(end - name)) : NULL;
        if (zero == NULL)
            return corrupt(path, "has too few names", err);
        matrix->names[i] = name;
        name = zero + 1;
    }
    return ERR_OK;
}

enum err_code matrix_open(const char *path, struct matrix **out, struct err *err)
{
    struct matrix *matrix = calloc(1, sizeof(*matrix));
    if (matrix == NULL)
        return err_nomem(err, sizeof(*matrix));
    enum err_code code = file_map_open(path, INT64_MAX, &matrix->map, err);
    if (code == ERR_OK)
        code = check_header(&matrix->map, &matrix->header, path, err);
    if (code == ERR_OK)
        code = index_names(matrix, path, err);
    if (code != ERR_OK) {
        matrix_close(matrix);
        return code;
    }
    *out = matrix;
    return ERR_OK;
}

enum err_code matrix_verify(const struct matrix *matrix, struct pool *pool, struct err *err)
{
    uint64_t hash = 0;
    size_t size_bytes = matrix->header.file_bytes - matrix->header.values_offset;
    if (!hash_values(matrix_values(matrix), size_bytes, pool, &hash))
        return err_nomem(err, size_bytes / MATRIX_CHUNK_BYTES);
    if (hash != matrix->header.values_hash)
        return corrupt(matrix->header.key, "fails the checksum of its values", err);
    return ERR_OK;
}

void matrix_close(struct matrix *matrix)
{
    if (matrix == NULL)
        return;
    file_map_close(&matrix->map);
    free(matrix->names);
    free(matrix);
}

size_t matrix_rows(const struct matrix *matrix)
{
    return matrix->header.rows;
}

size_t matrix_columns(const struct matrix *matrix)
{
    return matrix->header.columns;
}

const char *const *matrix_names(const struct matrix *matrix)
{
    return matrix->names;
}

const float *matrix_values(const struct matrix *matrix)
{
    return (const float *)(const void *)(matrix->map.data + matrix->header.values_offset);
}

const struct matrix_row *matrix_row_info(const struct matrix *matrix)
{
    return (const struct matrix_row *)(const void *)(matrix->map.data + matrix->header.rows_offset);
}

const char *matrix_key_of(const struct matrix *matrix)
{
    return matrix->header.key;
}
