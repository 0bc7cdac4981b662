/* Matrix files, reading (docs/formats/matrix.md).
 *
 * Three maps: the head, the rows and the values. The files of the latter may be longer than what the head names, as later
 * matrices have grown in them; and their first part may lie in the files of an earlier matrix, mapped right in front.
 * Opening checks the head, the sizes and the rows, so that it costs milliseconds; the values are mapped unread,
 * matrix_verify checks them. */
#include "feature/matrix.h"

#include "feature/matrix_file.h"

#include <stdlib.h>
#include <string.h>

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

static enum err_code index_names(struct matrix *matrix, struct err *err)
{
    size_t columns = matrix->head.record->columns;
    matrix->names = calloc(columns + 1, sizeof(*matrix->names));
    if (matrix->names == NULL)
        return err_nomem(err, columns * sizeof(*matrix->names));
    const char *name = matrix->head.names;
    for (size_t i = 0; i < columns; i++) {
        matrix->names[i] = name;
        name += strlen(name) + 1;
    }
    return ERR_OK;
}

static enum err_code open_head(struct matrix *matrix, const char *folder, const char *key, struct err *err)
{
    enum err_code code = matrix_path(folder, key, "mat", matrix->path, err);
    if (code == ERR_OK)
        code = file_map_open(matrix->path, INT64_MAX, &matrix->head_map, err);
    if (code == ERR_OK)
        code = matrix_head_parse(&matrix->head_map, matrix->path, &matrix->head, err);
    if (code == ERR_OK && strcmp(matrix->head.record->key, key) != 0)
        code = matrix_corrupt(matrix->path, "is the head of another matrix", err);
    return code;
}

/* Maps `<base>.<suffix>`, behind the part that lies in `<stem>.<suffix>`; they must hold the bytes that the head names. */
static enum err_code open_part(const struct matrix *matrix, const char *folder, const char *suffix,
                               size_t stem_bytes, size_t total_bytes, struct file_map *out, struct err *err)
{
    char path[FILE_PATH_BYTES], stem_path[FILE_PATH_BYTES];
    enum err_code code = matrix_path(folder, matrix->head.record->base, suffix, path, err);
    if (code == ERR_OK)
        code = matrix_path(folder, matrix->head.record->stem, suffix, stem_path, err);
    if (code != ERR_OK)
        return code;
    code = stem_bytes == 0 ? file_map_open(path, INT64_MAX, out, err)
                           : file_map_join(stem_path, stem_bytes, path, total_bytes - stem_bytes, out, err);
    if (code == ERR_NOT_FOUND)
        return matrix_corrupt(path, stem_bytes == 0 ? "is gone" : "or what it continues is gone", err);
    if (code == ERR_OK && out->size_bytes < total_bytes)
        return matrix_corrupt(path, "is truncated", err);
    return code;
}

static enum err_code open_all(struct matrix *matrix, const char *folder, const char *key,
                              enum matrix_trust trust, struct err *err)
{
    enum err_code code = open_head(matrix, folder, key, err);
    if (code != ERR_OK)
        return code;
    const struct matrix_head *head = &matrix->head;
    size_t rows_bytes = matrix_head_rows_bytes(head->record);
    code =
        open_part(matrix, folder, "rows", head->record->rows_stem_bytes, rows_bytes, &matrix->rows_map, err);
    if (code == ERR_OK)
        code = open_part(matrix, folder, "values", head->record->values_stem_bytes,
                         matrix_head_values_bytes(head->record), &matrix->values_map, err);
    if (code == ERR_OK && trust == MATRIX_CHECK_ROWS &&
        matrix_check_chunks(matrix->rows_map.data, rows_bytes, head->rows_hashes, NULL) >= 0)
        code = matrix_corrupt(matrix->path, "has rows that fail their checksum", err);
    if (code == ERR_OK)
        code = index_names(matrix, err);
    return code;
}

enum err_code matrix_open_file(const char *folder, const char *key, enum matrix_trust trust,
                               struct matrix **out, struct err *err)
{
    struct matrix *matrix = calloc(1, sizeof(*matrix));
    if (matrix == NULL)
        return err_nomem(err, sizeof(*matrix));
    enum err_code code = open_all(matrix, folder, key, trust, err);
    if (code != ERR_OK) {
        matrix_close(matrix);
        return code;
    }
    *out = matrix;
    return ERR_OK;
}

enum err_code matrix_open(const char *folder, const char *key, struct matrix **out, struct err *err)
{
    enum err_code code = matrix_open_file(folder, key, MATRIX_CHECK_ROWS, out, err);
    /* a writer may have replaced the head and removed its old rows between our two looks */
    if (code == ERR_CORRUPT)
        code = matrix_open_file(folder, key, MATRIX_CHECK_ROWS, out, err);
    return code;
}

enum err_code matrix_verify(const struct matrix *matrix, struct pool *pool, struct err *err)
{
    const struct matrix_head *head = &matrix->head;
    if (matrix_check_chunks(matrix->rows_map.data, matrix_head_rows_bytes(head->record), head->rows_hashes,
                            pool) >= 0)
        return matrix_corrupt(matrix->path, "has rows that fail their checksum", err);
    if (matrix_check_chunks(matrix->values_map.data, matrix_head_values_bytes(head->record),
                            head->values_hashes, pool) >= 0)
        return matrix_corrupt(matrix->path, "has values that fail their checksum", err);
    return ERR_OK;
}

void matrix_close(struct matrix *matrix)
{
    if (matrix == NULL)
        return;
    file_map_close(&matrix->head_map);
    file_map_close(&matrix->rows_map);
    file_map_close(&matrix->values_map);
    free(matrix->names);
    free(matrix);
}

size_t matrix_rows(const struct matrix *matrix)
{
    return matrix->head.record->rows;
}

size_t matrix_columns(const struct matrix *matrix)
{
    return matrix->head.record->columns;
}

const char *const *matrix_names(const struct matrix *matrix)
{
    return matrix->names;
}

const float *matrix_values(const struct matrix *matrix)
{
    return (const float *)(const void *)matrix->values_map.data;
}

const struct matrix_row *matrix_row_info(const struct matrix *matrix)
{
    return (const struct matrix_row *)(const void *)matrix->rows_map.data;
}

const char *matrix_key_of(const struct matrix *matrix)
{
    return matrix->head.record->key;
}

const char *matrix_data_hash(const struct matrix *matrix)
{
    return matrix->head.record->data_hash;
}

int64_t matrix_family_column(const struct matrix *matrix, const struct tracker *tracker)
{
    const struct matrix_family *family = matrix_head_family(&matrix->head, tracker);
    return family != NULL ? (int64_t)family->column : -1;
}
