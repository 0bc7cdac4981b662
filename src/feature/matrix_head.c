/* Matrix head: written once, checked wholly whenever it is read. A head that lies is refused: all sizes are computed again
 * from rows, columns and families. */
#include "feature/matrix_head.h"

#include "feature/matrix.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 1 << 20, BLOCK_BYTES = 64 };
static const char matrix_magic[8] = "ALMATRIX";

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "file formats are little endian");
_Static_assert(sizeof(struct matrix_head_record) == 448, "record has no holes");
_Static_assert(sizeof(struct matrix_family) == 64, "family has no holes");
_Static_assert(sizeof(struct matrix_row) == 48, "row record has no holes");

/* ---- hashes ---- */

static inline uint64_t mix_word(uint64_t lane, const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    lane = (lane ^ word) * UINT64_C(0x9FB21C651E98DF25);
    return lane ^ lane >> 32;
}

/* The lanes have names, as an array of them spills to memory: a third of the speed. */
uint64_t matrix_chunk_hash(const void *data, size_t size_bytes)
{
    const unsigned char *at = data;
    size_t rest = size_bytes;
    uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (; rest >= BLOCK_BYTES; rest -= BLOCK_BYTES, at += BLOCK_BYTES) {
        a = mix_word(a, at);
        b = mix_word(b, at + 8);
        c = mix_word(c, at + 16);
        d = mix_word(d, at + 24);
        e = mix_word(e, at + 32);
        f = mix_word(f, at + 40);
        g = mix_word(g, at + 48);
        h = mix_word(h, at + 56);
    }
    const uint64_t lanes[] = {a, b, c, d, e, f, g, h};
    return hash_u64(at, rest, hash_u64(lanes, sizeof(lanes), size_bytes));
}

struct chunk_work {
    const char *data;
    size_t size_bytes;
    uint64_t *hashes;         /* NULL: compare */
    const uint64_t *expected; /* with hashes NULL */
    atomic_llong first_bad;
};

static void hash_chunk(void *context, size_t index)
{
    struct chunk_work *work = context;
    size_t begin = index * MATRIX_CHUNK_BYTES, rest = work->size_bytes - begin;
    uint64_t hash =
        matrix_chunk_hash(work->data + begin, rest < MATRIX_CHUNK_BYTES ? rest : MATRIX_CHUNK_BYTES);
    if (work->hashes != NULL) {
        work->hashes[index] = hash;
    } else if (hash != work->expected[index]) {
        long long known = atomic_load(&work->first_bad);
        while ((known < 0 || (long long)index < known) &&
               !atomic_compare_exchange_weak(&work->first_bad, &known, (long long)index))
            ;
    }
}

static void for_chunks(struct chunk_work *work, struct pool *pool)
{
    enum { POOL_CHUNKS = 8 }; /* fewer are done before the threads of a pool are awake */
    size_t count = matrix_chunk_count(work->size_bytes);
    if (pool != NULL && count >= POOL_CHUNKS) {
        pool_for(pool, count, hash_chunk, work);
        return;
    }
    for (size_t i = 0; i < count; i++)
        hash_chunk(work, i);
}

void matrix_hash_chunks(const void *data, size_t size_bytes, uint64_t *hashes, struct pool *pool)
{
    struct chunk_work work = {.data = data, .size_bytes = size_bytes, .hashes = hashes};
    for_chunks(&work, pool);
}

int64_t matrix_check_chunks(const void *data, size_t size_bytes, const uint64_t *hashes, struct pool *pool)
{
    struct chunk_work work = {.data = data, .size_bytes = size_bytes, .expected = hashes, .first_bad = -1};
    for_chunks(&work, pool);
    return atomic_load(&work.first_bad);
}

/* ---- sizes ---- */

size_t matrix_chunk_count(size_t size_bytes)
{
    return (size_bytes + MATRIX_CHUNK_BYTES - 1) / MATRIX_CHUNK_BYTES;
}

size_t matrix_head_rows_bytes(const struct matrix_head_record *record)
{
    return record->rows * sizeof(struct matrix_row);
}

size_t matrix_head_values_bytes(const struct matrix_head_record *record)
{
    return record->rows * record->columns * sizeof(float);
}

static size_t hashes_count(const struct matrix_head_record *record)
{
    return matrix_chunk_count(matrix_head_rows_bytes(record)) +
           matrix_chunk_count(matrix_head_values_bytes(record));
}

static uint64_t size_of_head(const struct matrix_head_record *record)
{
    return sizeof(*record) + record->families * sizeof(struct matrix_family) + record->names_bytes +
           (hashes_count(record) + 1) * sizeof(uint64_t);
}

/* ---- writing ---- */

static void copy_text(char *out, size_t capacity, const char *text)
{
    size_t size = strlen(text) + 1;
    assert(size <= capacity);
    memcpy(out, text, size);
}

struct matrix_head_record matrix_head_plan(const struct feature_set *set, const char *key,
                                           const char *data_hash, size_t rows)
{
    struct matrix_head_record record = {
        .format = MATRIX_FORMAT, .rows = rows, .chunk_bytes = MATRIX_CHUNK_BYTES};
    assert(rows <= UINT32_MAX);
    memcpy(record.magic, matrix_magic, sizeof(record.magic));
    copy_text(record.key, sizeof(record.key), key);
    copy_text(record.data_hash, sizeof(record.data_hash), data_hash);

    record.columns = (uint32_t)feature_set_columns(set);
    assert(record.columns <= COLUMNS_MAX);
    while (set->trackers[record.families] != NULL)
        record.families++;
    for (size_t i = 0; i < record.columns; i++)
        record.names_bytes += strlen(feature_set_at(set, i)->name) + 1;
    record.names_bytes = (record.names_bytes + 7) & ~UINT64_C(7);
    record.head_bytes = size_of_head(&record);
    return record;
}

static char *write_families(const struct feature_set *set, char *at)
{
    uint32_t column = 0;
    for (size_t t = 0; set->trackers[t] != NULL; t++) {
        const struct tracker *tracker = set->trackers[t];
        struct matrix_family family = {
            .version = tracker->version, .column = column, .count = (uint32_t)tracker->feature_count};
        copy_text(family.name, sizeof(family.name), tracker->family);
        memcpy(at, &family, sizeof(family));
        at += sizeof(family);
        column += family.count;
    }
    return at;
}

static void write_names(const struct feature_set *set, size_t columns, char *at)
{
    for (size_t i = 0; i < columns; i++) {
        size_t size = strlen(feature_set_at(set, i)->name) + 1;
        memcpy(at, feature_set_at(set, i)->name, size);
        at += size;
    }
}

void matrix_head_write(const struct matrix_head_record *record, const struct feature_set *set,
                       const uint64_t *rows_hashes, const uint64_t *values_hashes, char *head)
{
    size_t rows_count = matrix_chunk_count(matrix_head_rows_bytes(record)),
           values_count = matrix_chunk_count(matrix_head_values_bytes(record));
    memset(head, 0, record->head_bytes);
    memcpy(head, record, sizeof(*record));
    char *at = write_families(set, head + sizeof(*record));
    write_names(set, record->columns, at);
    at += record->names_bytes;
    if (rows_count > 0)
        memcpy(at, rows_hashes, rows_count * sizeof(uint64_t));
    at += rows_count * sizeof(uint64_t);
    if (values_count > 0)
        memcpy(at, values_hashes, values_count * sizeof(uint64_t));
    at += values_count * sizeof(uint64_t);
    uint64_t hash = matrix_chunk_hash(head, (size_t)(at - head));
    memcpy(at, &hash, sizeof(hash));
    assert(at + sizeof(hash) == head + record->head_bytes);
}

/* ---- reading ---- */

static bool is_zero(const char *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != '\0')
            return false;
    }
    return true;
}

/* Zero-terminated, and zero up to the end of its place. */
static bool is_text(const char *text, size_t capacity)
{
    const char *end = memchr(text, '\0', capacity);
    return end != NULL && is_zero(end, (size_t)(text + capacity - end));
}

/* Of a file beside the head, never elsewhere. */
static bool is_name(const char *name, size_t capacity)
{
    return is_text(name, capacity) && strchr(name, '/') == NULL;
}

static bool is_stem(uint64_t stem_bytes, uint64_t total_bytes)
{
    return stem_bytes % MATRIX_CHUNK_BYTES == 0 && stem_bytes <= total_bytes;
}

static bool has_texts(const struct matrix_head_record *record)
{
    bool needs_stem = record->rows_stem_bytes > 0 || record->values_stem_bytes > 0;
    return is_name(record->key, sizeof(record->key)) && record->key[0] != '\0' &&
           is_text(record->data_hash, sizeof(record->data_hash)) &&
           is_name(record->base, sizeof(record->base)) && record->base[0] != '\0' &&
           is_name(record->stem, sizeof(record->stem)) && (record->stem[0] != '\0' || !needs_stem) &&
           is_zero(record->padding, sizeof(record->padding));
}

/* As many as the columns, and then only the zeros that fill up a word. */
static bool has_all_names(const struct matrix_head *head)
{
    const char *at = head->names, *end = at + head->record->names_bytes;
    for (size_t i = 0; i < head->record->columns; i++) {
        at = memchr(at, '\0', (size_t)(end - at));
        if (at == NULL)
            return false;
        at++;
    }
    return end - at < 8 && is_zero(at, (size_t)(end - at));
}

/* Families follow one another and cover the columns. */
static bool is_consistent(const struct matrix_head *head)
{
    uint64_t column = 0;
    for (size_t i = 0; i < head->record->families; i++) {
        const struct matrix_family *family = &head->families[i];
        if (!is_text(family->name, sizeof(family->name)) || family->column != column || family->padding != 0)
            return false;
        column += family->count;
    }
    return column == head->record->columns && has_texts(head->record) && has_all_names(head);
}

static bool has_sizes(const struct matrix_head_record *record, size_t size_bytes)
{
    return record->chunk_bytes == MATRIX_CHUNK_BYTES && record->rows <= UINT32_MAX &&
           record->columns <= COLUMNS_MAX && record->families <= COLUMNS_MAX &&
           record->names_bytes <= size_bytes && record->names_bytes % 8 == 0 &&
           record->head_bytes == size_bytes && size_of_head(record) == size_bytes &&
           is_stem(record->rows_stem_bytes, matrix_head_rows_bytes(record)) &&
           is_stem(record->values_stem_bytes, matrix_head_values_bytes(record));
}

enum err_code matrix_head_parse(const struct file_map *map, const char *path, struct matrix_head *out,
                                struct err *err)
{
    const struct matrix_head_record *record = (const void *)map->data;
    if (map->size_bytes < sizeof(*record))
        return matrix_corrupt(path, "is truncated", err);
    if (memcmp(record->magic, matrix_magic, sizeof(record->magic)) != 0 || record->format != MATRIX_FORMAT)
        return matrix_corrupt(path, "has another format", err);
    if (!has_sizes(record, map->size_bytes))
        return matrix_corrupt(path, "is truncated or has wrong sizes", err);
    uint64_t hash;
    memcpy(&hash, map->data + map->size_bytes - sizeof(hash), sizeof(hash));
    if (matrix_chunk_hash(map->data, map->size_bytes - sizeof(hash)) != hash)
        return matrix_corrupt(path, "fails the checksum of its head", err);
    out->record = record;
    out->families = (const void *)(map->data + sizeof(*record));
    out->names = map->data + sizeof(*record) + record->families * sizeof(struct matrix_family);
    out->rows_hashes = (const void *)(out->names + record->names_bytes);
    out->values_hashes = out->rows_hashes + matrix_chunk_count(matrix_head_rows_bytes(record));
    if (!is_consistent(out))
        return matrix_corrupt(path, "contradicts itself", err);
    return ERR_OK;
}

/* ---- families ---- */

static bool has_names(const struct matrix_head *head, const struct matrix_family *family,
                      const struct tracker *tracker)
{
    const char *name = head->names;
    for (uint32_t i = 0; i < family->column; i++)
        name += strlen(name) + 1;
    for (size_t i = 0; i < tracker->feature_count; i++) {
        if (strcmp(name, tracker->features[i].name) != 0)
            return false;
        name += strlen(name) + 1;
    }
    return true;
}

const struct matrix_family *matrix_head_family(const struct matrix_head *head, const struct tracker *tracker)
{
    for (size_t i = 0; i < head->record->families; i++) {
        const struct matrix_family *family = &head->families[i];
        if (strcmp(family->name, tracker->family) == 0 && family->version == tracker->version &&
            family->count == tracker->feature_count && has_names(head, family, tracker))
            return family;
    }
    return NULL;
}

size_t matrix_head_shared_columns(const struct matrix_head *head, const struct feature_set *set)
{
    size_t columns = 0;
    for (size_t t = 0; set->trackers[t] != NULL; t++) {
        if (matrix_head_family(head, set->trackers[t]) != NULL)
            columns += set->trackers[t]->feature_count;
    }
    return columns;
}

/* One walk over the names: this is on the path of every append. */
bool matrix_head_has_layout(const struct matrix_head *head, const struct feature_set *set)
{
    const char *name = head->names;
    size_t t = 0;
    for (; set->trackers[t] != NULL; t++) {
        const struct tracker *tracker = set->trackers[t];
        const struct matrix_family *family = &head->families[t];
        if (t == head->record->families || strcmp(family->name, tracker->family) != 0 ||
            family->version != tracker->version || family->count != tracker->feature_count)
            return false;
        for (size_t i = 0; i < tracker->feature_count; i++) {
            if (strcmp(name, tracker->features[i].name) != 0)
                return false;
            name += strlen(name) + 1;
        }
    }
    return t == head->record->families;
}

/* ---- names of files ---- */

enum err_code matrix_path(const char *folder, const char *name, const char *suffix, char out[FILE_PATH_BYTES],
                          struct err *err)
{
    char file[MATRIX_BASE_BYTES + 16];
    (void)snprintf(file, sizeof(file), "%s.%s", name, suffix);
    return file_join(folder, file, out, err);
}

enum err_code matrix_corrupt(const char *path, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "feature matrix '%s' %s; it has to be built again", path, what);
}
