/* Matrix files, writing (docs/formats/matrix.md).
 *
 * Rows and values are written in place, behind what any head names or in files that no head names yet; the head, which
 * makes them count, is written last, by rename, when they are on the disk. So a build can end at any instant: what it
 * leaves in new files is removed by the next writer, what it leaves behind old rows is never trusted nor written over.
 * What is settled begins to go to the disk at once, so that the flush in front of the head has little left to wait for.
 * The two files are mapped from the chunk on in which the new part begins, as the hash of that chunk is computed anew; the
 * hashes of all chunks before it are those of the basis. What is copied from a basis is checked or keeps its hash, so that
 * damage to a file never becomes part of a good one.
 *
 * When rows near the end change (a result of yesterday comes in today), copying everything before them would cost a
 * thousand times what they do. Whole chunks before the change stay where they are instead: the files of the basis become
 * the stem, and the new files begin at the chunk of the change. */
#include "feature/matrix.h"

#include "feature/matrix_file.h"
#include "os/file_grow.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COPY_BYTES = 32 * MATRIX_CHUNK_BYTES, NAMES_MAX = 10000 };

struct owner {
    struct file_lock lock;
    struct file_grow rows, values;
    size_t settled_bytes; /* of the map of values */
    const struct feature_set *set;
    struct matrix_head_record record;
    uint64_t *rows_hashes, *values_hashes; /* of all chunks; those before the maps are the basis' */
    bool is_in_place;
    char folder[FILE_PATH_BYTES];
};

/* What of the basis enters, fixed before a file is touched. */
struct plan {
    const struct matrix *basis; /* NULL: nothing */
    size_t keep_rows, row_count;
    bool has_layout;  /* the basis has the very columns of the set */
    bool has_columns; /* it has them all, perhaps elsewhere */
};

static size_t chunk_floor(size_t offset)
{
    return offset / MATRIX_CHUNK_BYTES * MATRIX_CHUNK_BYTES;
}

static size_t keep_rows_bytes(const struct plan *plan)
{
    return plan->keep_rows * sizeof(struct matrix_row);
}

/* Of the values that are kept as they are. */
static size_t keep_values_bytes(const struct plan *plan)
{
    return plan->has_layout ? plan->keep_rows * matrix_columns(plan->basis) * sizeof(float) : 0;
}

/* Bytes in the files of `base`: what does not lie in those of the stem. */
static size_t own_rows_bytes(const struct matrix_head_record *record)
{
    return matrix_head_rows_bytes(record) - record->rows_stem_bytes;
}

static size_t own_values_bytes(const struct matrix_head_record *record)
{
    return matrix_head_values_bytes(record) - record->values_stem_bytes;
}

/* ---- may the files of the basis grow? ---- */

/* The head still lies in the folder as it was opened: then its files are those that the basis has mapped. */
static bool is_on_disk(const char *folder, const struct matrix *basis)
{
    char path[FILE_PATH_BYTES];
    struct file_map map;
    if (matrix_path(folder, matrix_key_of(basis), "mat", path, NULL) != ERR_OK ||
        file_map_open(path, INT64_MAX, &map, NULL) != ERR_OK)
        return false;
    bool is_same = map.size_bytes == basis->head_map.size_bytes &&
                   memcmp(map.data, basis->head_map.data, map.size_bytes) == 0;
    file_map_close(&map);
    return is_same;
}

static int64_t size_of_part(const char *folder, const char *base, const char *suffix)
{
    char path[FILE_PATH_BYTES];
    struct file_info info;
    if (matrix_path(folder, base, suffix, path, NULL) != ERR_OK || file_stat(path, &info, NULL) != ERR_OK)
        return -1;
    return info.size_bytes;
}

/* Its files hold what the basis names, and nothing behind that. What is behind may be a later matrix, one that is not named
 * any more but still open somewhere, or the rest of an interrupted append: it is never written over. */
static bool is_newest(const char *folder, const struct matrix *basis)
{
    const struct matrix_head_record *record = basis->head.record;
    return size_of_part(folder, record->base, "rows") == (int64_t)own_rows_bytes(record) &&
           size_of_part(folder, record->base, "values") == (int64_t)own_values_bytes(record) &&
           is_on_disk(folder, basis);
}

/* ---- what is kept of the basis ---- */

/* The chunk in which the kept part ends is hashed anew: first it must be what it was. */
static enum err_code check_border(const struct matrix *basis, const struct file_map *map, size_t total_bytes,
                                  const uint64_t *hashes, size_t keep_bytes, struct err *err)
{
    size_t begin = chunk_floor(keep_bytes), rest = total_bytes - begin;
    if (begin == keep_bytes)
        return ERR_OK;
    size_t size_bytes = rest < MATRIX_CHUNK_BYTES ? rest : MATRIX_CHUNK_BYTES;
    if (matrix_check_chunks(map->data + begin, size_bytes, hashes + begin / MATRIX_CHUNK_BYTES, NULL) >= 0)
        return matrix_corrupt(basis->path, "fails the checksum of its last rows", err);
    return ERR_OK;
}

static enum err_code check_borders(const struct plan *plan, struct err *err)
{
    const struct matrix_head *head = &plan->basis->head;
    enum err_code code =
        check_border(plan->basis, &plan->basis->rows_map, matrix_head_rows_bytes(head->record),
                     head->rows_hashes, keep_rows_bytes(plan), err);
    if (code == ERR_OK)
        code = check_border(plan->basis, &plan->basis->values_map, matrix_head_values_bytes(head->record),
                            head->values_hashes, keep_values_bytes(plan), err);
    return code;
}

/* Writes bytes [begin, end) of the map to the start of the file, page after page forgotten: a second copy in memory would
 * double the peak. */
static enum err_code copy_start(struct file_grow *to, const struct file_map *from, size_t begin, size_t end,
                                struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t offset = begin; code == ERR_OK && offset < end; offset += COPY_BYTES) {
        size_t rest = end - offset, size_bytes = rest < COPY_BYTES ? rest : COPY_BYTES;
        code = file_grow_write(to, offset - begin, from->data + offset, size_bytes, err);
        file_map_forget(from, offset, size_bytes);
    }
    return code;
}

static void copy_family(float *to, size_t to_columns, const float *from, size_t from_columns, size_t rows,
                        size_t count)
{
    for (size_t row = 0; row < rows; row++)
        memcpy(to + row * to_columns, from + row * from_columns, count * sizeof(float));
}

/* The columns of the families that the basis has, by blocks of rows. Their chunks get new hashes, so they are checked. */
static enum err_code copy_families(struct owner *owner, const struct plan *plan, struct err *err)
{
    const struct matrix *basis = plan->basis;
    size_t from_columns = matrix_columns(basis), to_columns = owner->record.columns;
    size_t block_rows = COPY_BYTES / (from_columns * sizeof(float) + 1) + 1;
    float *to = (float *)(void *)owner->values.data;
    enum err_code code = matrix_verify(basis, NULL, err);
    for (size_t row = 0; code == ERR_OK && row < plan->keep_rows; row += block_rows) {
        size_t rest = plan->keep_rows - row, rows = rest < block_rows ? rest : block_rows, column = 0;
        for (size_t t = 0; owner->set->trackers[t] != NULL; t++) {
            const struct tracker *tracker = owner->set->trackers[t];
            int64_t from = matrix_family_column(basis, tracker);
            if (from >= 0)
                copy_family(to + row * to_columns + column, to_columns,
                            matrix_values(basis) + row * from_columns + from, from_columns, rows,
                            tracker->feature_count);
            column += tracker->feature_count;
        }
        file_map_forget(&basis->values_map, row * from_columns * sizeof(float),
                        rows * from_columns * sizeof(float));
    }
    return code;
}

/* ---- start ---- */

static enum err_code open_in_place(struct owner *owner, const struct plan *plan, struct err *err)
{
    char path[FILE_PATH_BYTES];
    assert(plan->basis != NULL);
    const struct matrix_head_record *old = plan->basis->head.record, *new = &owner->record;
    enum err_code code = matrix_path(owner->folder, old->base, "rows", path, err);
    if (code == ERR_OK)
        code = file_grow_open(path, own_rows_bytes(old), own_rows_bytes(new), &owner->rows, err);
    if (code == ERR_OK)
        code = matrix_path(owner->folder, old->base, "values", path, err);
    if (code == ERR_OK)
        code = file_grow_open(path, own_values_bytes(old), own_values_bytes(new), &owner->values, err);
    return code;
}

static enum err_code create_files(struct owner *owner, struct err *err)
{
    char path[FILE_PATH_BYTES];
    enum err_code code = matrix_path(owner->folder, owner->record.base, "rows", path, err);
    if (code == ERR_OK)
        code = file_grow_create(path, own_rows_bytes(&owner->record), &owner->rows, err);
    if (code == ERR_OK)
        code = matrix_path(owner->folder, owner->record.base, "values", path, err);
    if (code == ERR_OK)
        code = file_grow_create(path, own_values_bytes(&owner->record), &owner->values, err);
    return code;
}

/* The whole chunks that may stay where they are. A stem has no stem: what lies in the basis' own files behind its stem is
 * copied, until that is a good part of the whole, when it is time for a copy of everything. */
static void choose_stem(struct matrix_head_record *record, const struct plan *plan)
{
    enum { STEM_PARTS = 4 };
    const struct matrix_head_record *old = plan->basis->head.record;
    bool has_stem = old->stem[0] != '\0';
    size_t rows_bytes = chunk_floor(keep_rows_bytes(plan)),
           values_bytes = chunk_floor(keep_values_bytes(plan));
    if (has_stem && rows_bytes > old->rows_stem_bytes)
        rows_bytes = old->rows_stem_bytes;
    if (has_stem && values_bytes > old->values_stem_bytes)
        values_bytes = old->values_stem_bytes;
    size_t total_bytes = matrix_head_values_bytes(record);
    if (values_bytes == 0 || total_bytes - values_bytes > total_bytes / STEM_PARTS)
        return;
    record->rows_stem_bytes = rows_bytes;
    record->values_stem_bytes = values_bytes;
    memcpy(record->stem, has_stem ? old->stem : old->base, sizeof(record->stem));
}

/* The key, or the key with a number while a matrix of the same key, built earlier, holds the name. */
static enum err_code find_free_base(const char *folder, const char *key, char out[MATRIX_BASE_BYTES],
                                    struct err *err)
{
    (void)snprintf(out, MATRIX_BASE_BYTES, "%s", key);
    for (int number = 2; number < NAMES_MAX; number++) {
        if (size_of_part(folder, out, "rows") < 0 && size_of_part(folder, out, "values") < 0)
            return ERR_OK;
        (void)snprintf(out, MATRIX_BASE_BYTES, "%s-%d", key, number);
    }
    return err_set(err, ERR_CONFLICT, "'%s' holds %d matrices of one key; remove some", folder, NAMES_MAX);
}

static enum err_code name_files(struct owner *owner, const struct plan *plan, const char *data_hash,
                                struct err *err)
{
    char key[HASH_HEX_BYTES];
    struct matrix_head_record *record = &owner->record;
    matrix_key(data_hash, owner->set, key);
    *record = matrix_head_plan(owner->set, key, data_hash, plan->row_count);
    if (owner->is_in_place) {
        const struct matrix_head_record *old = plan->basis->head.record;
        memcpy(record->base, old->base, sizeof(record->base));
        memcpy(record->stem, old->stem, sizeof(record->stem));
        record->rows_stem_bytes = old->rows_stem_bytes;
        record->values_stem_bytes = old->values_stem_bytes;
        return ERR_OK;
    }
    if (plan->has_layout && is_on_disk(owner->folder, plan->basis))
        choose_stem(record, plan);
    /* what interrupted builds left goes first; failing that, it only takes up room */
    (void)!matrix_folder_tidy(owner->folder, NULL);
    return find_free_base(owner->folder, key, record->base, err);
}

/* Maps both files from the chunk on in which the new part begins, and takes over the hashes before it. */
static enum err_code map_files(struct owner *owner, const struct plan *plan, struct err *err)
{
    const struct matrix_head_record *record = &owner->record;
    size_t rows_count = matrix_chunk_count(matrix_head_rows_bytes(record)),
           values_count = matrix_chunk_count(matrix_head_values_bytes(record));
    size_t rows_from = chunk_floor(keep_rows_bytes(plan)), values_from = chunk_floor(keep_values_bytes(plan));
    owner->rows_hashes = malloc((rows_count + values_count + 1) * sizeof(uint64_t));
    if (owner->rows_hashes == NULL)
        return err_nomem(err, (rows_count + values_count) * sizeof(uint64_t));
    owner->values_hashes = owner->rows_hashes + rows_count;
    if (plan->basis != NULL) {
        memcpy(owner->rows_hashes, plan->basis->head.rows_hashes,
               rows_from / MATRIX_CHUNK_BYTES * sizeof(uint64_t));
        memcpy(owner->values_hashes, plan->basis->head.values_hashes,
               values_from / MATRIX_CHUNK_BYTES * sizeof(uint64_t));
    }
    enum err_code code = file_grow_map(&owner->rows, rows_from - record->rows_stem_bytes, err);
    return code == ERR_OK ? file_grow_map(&owner->values, values_from - record->values_stem_bytes, err)
                          : code;
}

static enum err_code copy_kept(struct owner *owner, const struct plan *plan, struct err *err)
{
    const struct matrix_head_record *record = &owner->record;
    enum err_code code =
        copy_start(&owner->rows, &plan->basis->rows_map, record->rows_stem_bytes, keep_rows_bytes(plan), err);
    return code == ERR_OK ? copy_start(&owner->values, &plan->basis->values_map, record->values_stem_bytes,
                                       keep_values_bytes(plan), err)
                          : code;
}

static enum err_code open_files(struct owner *owner, const struct plan *plan, const char *data_hash,
                                struct err *err)
{
    enum err_code code = name_files(owner, plan, data_hash, err);
    if (code == ERR_OK && plan->basis != NULL)
        code = check_borders(plan, err);
    if (code == ERR_OK)
        code = owner->is_in_place ? open_in_place(owner, plan, err) : create_files(owner, err);
    if (code == ERR_OK && plan->basis != NULL && !owner->is_in_place)
        code = copy_kept(owner, plan, err);
    if (code == ERR_OK)
        code = map_files(owner, plan, err);
    if (code == ERR_OK && plan->basis != NULL && !plan->has_layout)
        code = copy_families(owner, plan, err);
    return code;
}

static struct plan make_plan(const struct feature_set *set, const struct matrix *basis, size_t keep_rows,
                             size_t row_count)
{
    struct plan plan = {.keep_rows = keep_rows, .row_count = row_count};
    assert(keep_rows <= row_count && (keep_rows == 0 || (basis != NULL && keep_rows <= matrix_rows(basis))));
    if (keep_rows == 0)
        return plan;
    plan.basis = basis;
    plan.has_layout = matrix_head_has_layout(&basis->head, set);
    plan.has_columns =
        plan.has_layout || matrix_head_shared_columns(&basis->head, set) == feature_set_columns(set);
    return plan;
}

static void *at_byte(const struct file_grow *grow, size_t stem_bytes, size_t offset)
{
    return grow->data != NULL ? grow->data + (offset - stem_bytes - grow->map_from) : NULL;
}

enum err_code matrix_build_start(const char *folder, const char *data_hash, const struct feature_set *set,
                                 const struct matrix *basis, size_t keep_rows, size_t row_count,
                                 struct matrix_build *out, struct err *err)
{
    out->owner = NULL;
    struct owner *owner = calloc(1, sizeof(*owner));
    if (owner == NULL)
        return err_nomem(err, sizeof(*owner));
    owner->set = set;
    owner->rows.descriptor = owner->values.descriptor = owner->lock.descriptor = -1;
    out->owner = owner;
    struct plan plan = make_plan(set, basis, keep_rows, row_count);
    enum err_code code = file_join(folder, "", owner->folder, err);
    if (code == ERR_OK)
        code = matrix_folder_lock(folder, &owner->lock, err);
    if (code == ERR_OK) {
        owner->is_in_place =
            plan.has_layout && keep_rows == matrix_rows(basis) && is_newest(owner->folder, basis);
        code = open_files(owner, &plan, data_hash, err);
    }
    if (code != ERR_OK) {
        matrix_build_abandon(out);
        return code;
    }
    out->first_row = plan.has_columns ? keep_rows : 0;
    out->row_count = row_count;
    out->columns = owner->record.columns;
    out->rows = at_byte(&owner->rows, owner->record.rows_stem_bytes, keep_rows * sizeof(struct matrix_row));
    out->values = at_byte(&owner->values, owner->record.values_stem_bytes,
                          out->first_row * out->columns * sizeof(float));
    return ERR_OK;
}

void matrix_build_settle(struct matrix_build *build, size_t rows)
{
    struct owner *owner = build->owner;
    const char *end = (const char *)(build->values + rows * build->columns);
    size_t end_bytes = (size_t)(end - owner->values.data);
    assert(rows <= build->row_count - build->first_row);
    if (end_bytes > owner->settled_bytes) {
        file_grow_settle(&owner->values, owner->settled_bytes, end_bytes - owner->settled_bytes);
        owner->settled_bytes = end_bytes;
    }
}

void matrix_build_forget(const struct matrix_build *build, size_t begin, size_t end)
{
    const struct owner *owner = build->owner;
    const char *first = (const char *)(build->values + begin * build->columns);
    assert(begin <= end && end <= build->row_count - build->first_row);
    file_grow_forget(&owner->values, (size_t)(first - owner->values.data),
                     (end - begin) * build->columns * sizeof(float));
}

/* ---- end ---- */

static enum err_code write_head(struct owner *owner, struct err *err)
{
    char path[FILE_PATH_BYTES];
    char *head = malloc(owner->record.head_bytes);
    if (head == NULL)
        return err_nomem(err, owner->record.head_bytes);
    matrix_head_write(&owner->record, owner->set, owner->rows_hashes, owner->values_hashes, head);
    enum err_code code = matrix_path(owner->folder, owner->record.key, "mat", path, err);
    if (code == ERR_OK)
        code = file_write_atomic(path, head, owner->record.head_bytes, err);
    free(head);
    return code;
}

/* A piece at a time, whose pages then leave again. */
static void hash_mapped(const struct file_grow *grow, size_t stem_bytes, uint64_t *hashes, struct pool *pool)
{
    enum { PIECE_BYTES = 256 * MATRIX_CHUNK_BYTES };
    size_t first = (stem_bytes + grow->map_from) / MATRIX_CHUNK_BYTES;
    for (size_t begin = 0; begin < grow->map_bytes; begin += PIECE_BYTES) {
        size_t rest = grow->map_bytes - begin, size_bytes = rest < PIECE_BYTES ? rest : PIECE_BYTES;
        matrix_hash_chunks(grow->data + begin, size_bytes, hashes + first + begin / MATRIX_CHUNK_BYTES, pool);
        if (grow->map_bytes > PIECE_BYTES)
            file_grow_forget(grow, begin, size_bytes);
    }
}

enum err_code matrix_build_finish(struct matrix_build *build, struct pool *pool, struct matrix **out,
                                  struct err *err)
{
    struct owner *owner = build->owner;
    assert(owner != NULL);
    hash_mapped(&owner->rows, owner->record.rows_stem_bytes, owner->rows_hashes, pool);
    hash_mapped(&owner->values, owner->record.values_stem_bytes, owner->values_hashes, pool);
    enum err_code code = file_grow_flush(&owner->rows, err);
    if (code == ERR_OK)
        code = file_grow_flush(&owner->values, err);
    if (code == ERR_OK)
        code = write_head(owner, err);
    if (code != ERR_OK)
        goto out;
    file_grow_close(&owner->rows);
    file_grow_close(&owner->values);
    if (!owner->is_in_place)
        (void)!matrix_folder_tidy(owner->folder, NULL); /* the matrix stands; old files only take up room */
    code = matrix_open_file(owner->folder, owner->record.key, MATRIX_TRUST_ROWS, out, err);
out:
    matrix_build_abandon(build);
    return code;
}

void matrix_build_abandon(struct matrix_build *build)
{
    struct owner *owner = build->owner;
    if (owner == NULL)
        return;
    file_grow_abandon(&owner->rows);
    file_grow_abandon(&owner->values);
    file_lock_close(&owner->lock);
    free(owner->rows_hashes);
    free(owner);
    build->owner = NULL;
}
