/* Fuzzes the reader of matrix heads with the bytes as they are, with sizes and a checksum that fit them (or the fuzzer would
 * never get past those), and with a head that the writer wrote, bytes of which are then changed: the first two bytes are its
 * rows, each three that follow a place and what to change there.
 *
 * What is accepted must be what the header promises: all parts lie inside the file, there is a name for every column, families
 * cover the columns, other files are named beside the head only; and the writer makes the very same bytes of it. */
#include "feature/matrix_head.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- the set that a head names ---- */

struct made_set {
    struct feature_set set;
    struct tracker *trackers;
    const struct tracker **list; /* NULL-terminated */
    struct feature *features;
};

static void make_set(const struct matrix_head *head, struct made_set *out)
{
    size_t families = head->record->families, columns = head->record->columns, column = 0;
    const char *name = head->names;
    out->trackers = calloc(families + 1, sizeof(*out->trackers));
    out->list = calloc(families + 1, sizeof(*out->list));
    out->features = calloc(columns + 1, sizeof(*out->features));
    require(out->trackers != NULL && out->list != NULL && out->features != NULL);
    for (size_t i = 0; i < columns; i++) {
        out->features[i].name = name;
        name += strlen(name) + 1;
    }
    require(name <= head->names + head->record->names_bytes);
    for (size_t i = 0; i < families; i++) {
        const struct matrix_family *family = &head->families[i];
        require(family->column == column);
        out->trackers[i] = (struct tracker){.family = family->name,
                                            .version = family->version,
                                            .features = &out->features[column],
                                            .feature_count = family->count};
        out->list[i] = &out->trackers[i];
        column += family->count;
    }
    require(column == columns);
    out->set = (struct feature_set){"fuzz", "", out->list};
}

static void release_set(struct made_set *set)
{
    free(set->trackers);
    free(set->list);
    free(set->features);
}

/* ---- what a parsed head promises ---- */

static void check_places(const struct file_map *map, const struct matrix_head *head)
{
    const struct matrix_head_record *record = head->record;
    size_t rows_bytes = matrix_head_rows_bytes(record), values_bytes = matrix_head_values_bytes(record);
    require((const char *)head->record == map->data);
    require((const char *)head->families == map->data + sizeof(*record));
    require(head->names == (const char *)(head->families + record->families));
    require((const char *)head->rows_hashes == head->names + record->names_bytes);
    require(head->values_hashes == head->rows_hashes + matrix_chunk_count(rows_bytes));
    require((const char *)(head->values_hashes + matrix_chunk_count(values_bytes) + 1) ==
            map->data + map->size_bytes);
    require(record->rows_stem_bytes <= rows_bytes && record->values_stem_bytes <= values_bytes);
}

/* Of a file of the folder: nobody opens or removes one elsewhere. */
static void check_name(const char *name, size_t capacity, bool may_be_empty)
{
    require(memchr(name, '\0', capacity) != NULL && strchr(name, '/') == NULL);
    require(may_be_empty || name[0] != '\0');
}

static void check_written(const struct file_map *map, const struct matrix_head *head,
                          const struct feature_set *set)
{
    const struct matrix_head_record *record = head->record;
    struct matrix_head_record plan = matrix_head_plan(set, record->key, record->data_hash, record->rows);
    require(plan.columns == record->columns && plan.families == record->families &&
            plan.names_bytes == record->names_bytes && plan.head_bytes == map->size_bytes);
    char *back = malloc(map->size_bytes);
    require(back != NULL);
    matrix_head_write(record, set, head->rows_hashes, head->values_hashes, back);
    require(memcmp(back, map->data, map->size_bytes) == 0);
    free(back);
}

static bool parse(const void *data, size_t size_bytes)
{
    struct file_map map = {.data = data, .size_bytes = size_bytes};
    struct matrix_head head;
    struct made_set made;
    struct err err = {0};
    if (matrix_head_parse(&map, "fuzz", &head, &err) != ERR_OK) {
        require(err.code == ERR_CORRUPT && err.text[0] != '\0');
        return false;
    }
    check_places(&map, &head);
    check_name(head.record->key, sizeof(head.record->key), false);
    check_name(head.record->base, sizeof(head.record->base), false);
    check_name(head.record->stem, sizeof(head.record->stem),
               head.record->rows_stem_bytes == 0 && head.record->values_stem_bytes == 0);
    make_set(&head, &made);
    require(matrix_head_has_layout(&head, &made.set));
    require(matrix_head_shared_columns(&head, &made.set) == head.record->columns);
    check_written(&map, &head, &made.set);
    release_set(&made);
    return true;
}

/* ---- forged heads ---- */

static void seal(char *head, size_t size_bytes)
{
    uint64_t hash = matrix_chunk_hash(head, size_bytes - sizeof(hash));
    memcpy(head + size_bytes - sizeof(hash), &hash, sizeof(hash));
}

/* The names get all the room that families and hashes leave, if that is any. */
static void forge(char *head, size_t size_bytes)
{
    struct matrix_head_record record;
    memcpy(&record, head, sizeof(record));
    memcpy(record.magic, "ALMATRIX", sizeof(record.magic));
    record.format = MATRIX_FORMAT;
    record.chunk_bytes = MATRIX_CHUNK_BYTES;
    record.rows &= 0xffffff;
    record.columns &= 0xff;
    record.families &= 0xf;
    record.rows_stem_bytes -= record.rows_stem_bytes % MATRIX_CHUNK_BYTES;
    record.values_stem_bytes -= record.values_stem_bytes % MATRIX_CHUNK_BYTES;
    record.head_bytes = size_bytes;
    size_t hashes = matrix_chunk_count(matrix_head_rows_bytes(&record)) +
                    matrix_chunk_count(matrix_head_values_bytes(&record)) + 1;
    size_t other_bytes =
        sizeof(record) + record.families * sizeof(struct matrix_family) + hashes * sizeof(uint64_t);
    record.names_bytes = size_bytes >= other_bytes ? size_bytes - other_bytes : 0;
    memcpy(head, &record, sizeof(record));
    seal(head, size_bytes);
}

static void parse_forged(const uint8_t *data, size_t size_bytes)
{
    size_bytes -= size_bytes % sizeof(uint64_t);
    if (size_bytes < sizeof(struct matrix_head_record) + sizeof(uint64_t))
        return;
    char *forged = malloc(size_bytes);
    require(forged != NULL);
    memcpy(forged, data, size_bytes);
    seal(forged, size_bytes);
    (void)parse(forged, size_bytes);
    forge(forged, size_bytes);
    (void)parse(forged, size_bytes);
    free(forged);
}

/* ---- written heads, changed ---- */

static const struct feature elo_features[] = {{.name = "elo_home"}, {.name = "elo_away"}, {.name = "elo"}},
                            form_features[] = {{.name = "form_points"}};
static const struct tracker
    elo = {.family = "elo", .version = 2, .features = elo_features, .feature_count = 3},
    form = {.family = "form", .version = 1, .features = form_features, .feature_count = 1},
    none = {.family = "none", .version = -1, .features = form_features, .feature_count = 0};
static const struct tracker *const trackers[] = {&elo, &none, &form, NULL};
static const struct feature_set written_set = {"written", "", trackers};

static void parse_changed(const uint8_t *data, size_t size_bytes)
{
    static const uint64_t hashes[64] = {1, 2, 3};
    if (size_bytes < 2)
        return;
    struct matrix_head_record record =
        matrix_head_plan(&written_set, "0123456789abcdef", "fedcba98", data[0] + 256U * data[1]);
    (void)snprintf(record.base, sizeof(record.base), "0123456789abcdef-2");
    require(matrix_chunk_count(matrix_head_rows_bytes(&record)) <= 64);
    char *head = malloc(record.head_bytes);
    require(head != NULL);
    matrix_head_write(&record, &written_set, hashes, hashes, head);
    require(parse(head, record.head_bytes)); /* what was written is read */
    for (size_t i = 2; i + 3 <= size_bytes; i += 3) {
        size_t place = (data[i] + 256U * data[i + 1]) % record.head_bytes;
        head[place] = (char)(head[place] ^ data[i + 2]);
    }
    (void)parse(head, record.head_bytes);
    seal(head, record.head_bytes);
    (void)parse(head, record.head_bytes);
    free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    (void)parse(data, size_bytes);
    parse_forged(data, size_bytes);
    parse_changed(data, size_bytes);
    return 0;
}
