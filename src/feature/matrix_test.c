/* Matrix files: built, opened, grown, copied; refused when damaged. Every matrix is compared with a build of the whole. */
#include "feature/matrix_head.h"
#include "feature/test_domain.h"

#include "os/process.h"
#include "os/test_folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct files {
    struct test_folder folder;
    struct test_data data;
    float *whole[2]; /* values of test_set and of test_pair_set over all rows */
};

static float *build_whole(const struct test_data *data, const struct feature_set *set)
{
    float *values = calloc(data->rows * feature_set_columns(set), sizeof(*values));
    assert_int_equal(builder_run(set, data->streams, TEST_STREAMS, values, NULL, NULL, NULL, NULL), ERR_OK);
    return values;
}

static void set_up(struct files *files, size_t per_stream)
{
    test_folder_create(&files->folder);
    test_data_init(&files->data, per_stream, 6);
    files->whole[0] = build_whole(&files->data, &test_set);
    files->whole[1] = build_whole(&files->data, &test_pair_set);
}

static void tear_down(struct files *files)
{
    free(files->whole[0]);
    free(files->whole[1]);
    test_data_release(&files->data);
    test_folder_remove(&files->folder);
}

static const float *whole_of(const struct files *files, const struct feature_set *set)
{
    return files->whole[set == &test_pair_set];
}

/* Fills what start left to the caller: rows from keep_rows, values from first_row. */
static void fill(const struct files *files, const struct feature_set *set, struct matrix_build *build,
                 size_t keep_rows)
{
    size_t columns = build->columns, rows = build->row_count;
    if (rows > keep_rows)
        memcpy(build->rows, files->data.info + keep_rows, (rows - keep_rows) * sizeof(*build->rows));
    if (rows > build->first_row) {
        size_t count = rows - build->first_row;
        const float *values = whole_of(files, set) + build->first_row * columns;
        memcpy(build->values, values, count * columns * sizeof(float));
        matrix_build_settle(build, count / 2);
        matrix_build_settle(build, count);
        assert_memory_equal(build->values, values, count * columns * sizeof(float)); /* they come back */
        matrix_build_forget(build, count / 3, count);
    }
}

static struct matrix *grow(const struct files *files, const struct feature_set *set, const char *data_hash,
                           const struct matrix *basis, size_t keep_rows, size_t rows)
{
    struct matrix_build build;
    struct matrix *matrix = NULL;
    assert_int_equal(
        matrix_build_start(files->folder.path, data_hash, set, basis, keep_rows, rows, &build, NULL), ERR_OK);
    fill(files, set, &build, keep_rows);
    assert_int_equal(matrix_build_finish(&build, NULL, &matrix, NULL), ERR_OK);
    matrix_build_abandon(&build); /* harmless */
    return matrix;
}

static void assert_whole(const struct files *files, const struct feature_set *set,
                         const struct matrix *matrix, size_t rows)
{
    size_t columns = feature_set_columns(set);
    assert_int_equal(matrix_rows(matrix), rows);
    assert_int_equal(matrix_columns(matrix), columns);
    if (rows > 0) {
        assert_memory_equal(matrix_row_info(matrix), files->data.info, rows * sizeof(*files->data.info));
        assert_memory_equal(matrix_values(matrix), whole_of(files, set), rows * columns * sizeof(float));
    }
    assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_OK);
}

static const char *part(const struct files *files, const char *name, const char *suffix)
{
    char file[128];
    (void)snprintf(file, sizeof(file), "%s.%s", name, suffix);
    return test_folder_path(&files->folder, file);
}

static size_t size_of(const char *path)
{
    struct file_info info;
    assert_int_equal(file_stat(path, &info, NULL), ERR_OK);
    return (size_t)info.size_bytes;
}

static size_t count_of(const struct files *files, const char *suffix)
{
    struct file_list list;
    assert_int_equal(file_list_open(files->folder.path, suffix, &list, NULL), ERR_OK);
    size_t count = list.count;
    file_list_close(&list);
    return count;
}

static void flip(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    assert_int_not_equal(fputc(byte ^ 0x10, file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void append_bytes(const char *path, size_t size_bytes)
{
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    for (size_t i = 0; i < size_bytes; i++)
        assert_int_equal(fputc('?', file), '?');
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), ERR_OK);
}

static struct matrix *open_again(const struct files *files, const char *key)
{
    struct matrix *matrix = NULL;
    assert_int_equal(matrix_open(files->folder.path, key, &matrix, NULL), ERR_OK);
    return matrix;
}

static void assert_open_fails(const struct files *files, const char *key, enum err_code expected)
{
    struct matrix *matrix = NULL;
    assert_int_equal(matrix_open(files->folder.path, key, &matrix, NULL), expected);
}

/* ---- */

static void a_matrix_is_built_and_opened(void **context)
{
    struct files files;
    char key[HASH_HEX_BYTES];
    (void)context;
    set_up(&files, 200);
    matrix_key("data", &test_pair_set, key);
    assert_open_fails(&files, key, ERR_NOT_FOUND);
    matrix_close(grow(&files, &test_pair_set, "data", NULL, 0, files.data.rows));
    struct matrix *matrix = open_again(&files, key);
    assert_whole(&files, &test_pair_set, matrix, files.data.rows);
    assert_string_equal(matrix_names(matrix)[2], "mean_seen");
    assert_string_equal(matrix_names(matrix)[4], "last_b");
    assert_string_equal(matrix_key_of(matrix), key);
    assert_string_equal(matrix_data_hash(matrix), "data");
    assert_int_equal(matrix_family_column(matrix, &test_tracker), 0);
    assert_int_equal(matrix_family_column(matrix, &test_last_tracker), 3);
    struct tracker newer = test_last_tracker, fewer = test_last_tracker;
    newer.version++;
    fewer.feature_count--;
    assert_int_equal(matrix_family_column(matrix, &newer), -1);
    assert_int_equal(matrix_family_column(matrix, &fewer), -1);
    matrix_close(matrix);
    tear_down(&files);
}

static void an_empty_matrix_is_one(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 10);
    struct matrix *empty = grow(&files, &test_set, "none", NULL, 0, 0);
    assert_whole(&files, &test_set, empty, 0);
    struct matrix *some = grow(&files, &test_set, "some", empty, 0, 7);
    assert_whole(&files, &test_set, some, 7);
    matrix_close(empty);
    matrix_close(some);
    tear_down(&files);
}

/* Many appends, small and across borders of chunks; every earlier head stays true. */
static void appends_grow_in_place(void **context)
{
    enum { STEPS = 6 };
    static const size_t steps[STEPS] = {1, 1000, 1010, 1010, 30000, 36000};
    struct files files;
    struct matrix *matrices[STEPS];
    (void)context;
    set_up(&files, 12000);
    for (size_t i = 0; i < STEPS; i++) {
        char data_hash[8];
        (void)snprintf(data_hash, sizeof(data_hash), "d%zu", i);
        matrices[i] = grow(&files, &test_pair_set, data_hash, i > 0 ? matrices[i - 1] : NULL,
                           i > 0 ? steps[i - 1] : 0, steps[i]);
    }
    assert_int_equal(count_of(&files, ".values"), 1);
    assert_int_equal(count_of(&files, ".rows"), 1);
    assert_int_equal(count_of(&files, ".mat"), STEPS);
    assert_int_equal(size_of(part(&files, matrix_key_of(matrices[0]), "values")),
                     files.data.rows * TEST_PAIR_COLUMNS * sizeof(float));
    for (size_t i = 0; i < STEPS; i++) {
        assert_whole(&files, &test_pair_set, matrices[i], steps[i]);
        struct matrix *again = open_again(&files, matrix_key_of(matrices[i]));
        assert_whole(&files, &test_pair_set, again, steps[i]);
        matrix_close(again);
        matrix_close(matrices[i]);
    }
    tear_down(&files);
}

/* An appended matrix and one built at once have the same hashes: the heads differ by the names only. */
static void an_append_hashes_as_a_build_does(void **context)
{
    struct files files;
    struct matrix_head one, two;
    struct file_map map_one, map_two;
    (void)context;
    set_up(&files, 12000);
    struct matrix *start = grow(&files, &test_pair_set, "a", NULL, 0, 20000);
    struct matrix *grown = grow(&files, &test_pair_set, "b", start, 20000, files.data.rows);
    struct matrix *built = grow(&files, &test_pair_set, "c", NULL, 0, files.data.rows);
    assert_int_equal(file_map_open(part(&files, matrix_key_of(grown), "mat"), INT64_MAX, &map_one, NULL),
                     ERR_OK);
    assert_int_equal(file_map_open(part(&files, matrix_key_of(built), "mat"), INT64_MAX, &map_two, NULL),
                     ERR_OK);
    assert_int_equal(matrix_head_parse(&map_one, "", &one, NULL), ERR_OK);
    assert_int_equal(matrix_head_parse(&map_two, "", &two, NULL), ERR_OK);
    assert_string_not_equal(one.record->base, two.record->base);
    size_t chunks = matrix_chunk_count(matrix_head_rows_bytes(one.record)) +
                    matrix_chunk_count(matrix_head_values_bytes(one.record));
    assert_true(chunks > 8);
    assert_memory_equal(one.rows_hashes, two.rows_hashes, chunks * sizeof(uint64_t));
    file_map_close(&map_one);
    file_map_close(&map_two);
    matrix_close(start);
    matrix_close(grown);
    matrix_close(built);
    tear_down(&files);
}

/* Rows in the middle changed, or another matrix has grown in the files: new files, the old ones stay. */
static void a_change_in_the_middle_copies(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 12000);
    struct matrix *first = grow(&files, &test_pair_set, "a", NULL, 0, 30000);
    struct matrix *changed = grow(&files, &test_pair_set, "b", first, 29000, 30500);
    assert_int_equal(count_of(&files, ".values"), 2);
    assert_whole(&files, &test_pair_set, changed, 30500);
    struct matrix *longer = grow(&files, &test_pair_set, "c", first, 30000, 31000);
    assert_int_equal(count_of(&files, ".values"), 2);
    struct matrix *other = grow(&files, &test_pair_set, "d", first, 30000, 32000);
    assert_int_equal(count_of(&files, ".values"), 3); /* "c" holds the rows behind 30,000 */
    assert_whole(&files, &test_pair_set, longer, 31000);
    assert_whole(&files, &test_pair_set, other, 32000);
    assert_whole(&files, &test_pair_set, first, 30000);
    matrix_close(first);
    matrix_close(changed);
    matrix_close(longer);
    matrix_close(other);
    tear_down(&files);
}

/* The latest rows change again and again: what lies well before them is written once. */
static void changes_near_the_end_cost_little(void **context)
{
    enum { STEPS = 12, ROWS = 60000, BACK = 700 };
    struct files files;
    struct matrix *matrices[STEPS];
    (void)context;
    set_up(&files, ROWS / TEST_STREAMS);
    matrices[0] = grow(&files, &test_pair_set, "d0", NULL, 0, ROWS - 10 * STEPS);
    size_t rows = ROWS - 10 * STEPS;
    for (size_t i = 1; i < STEPS; i++) {
        char data_hash[8];
        (void)snprintf(data_hash, sizeof(data_hash), "d%zu", i);
        size_t keep =
            i % 4 == 0 ? rows : rows - BACK; /* every fourth is a plain append, to new files and old */
        matrices[i] = grow(&files, &test_pair_set, data_hash, matrices[i - 1], keep, rows + 10);
        rows += 10;
        if (i % 4 != 0)
            assert_true(size_of(part(&files, matrix_key_of(matrices[i]), "values")) <
                        MATRIX_CHUNK_BYTES + (BACK + 10 * STEPS) * TEST_PAIR_COLUMNS * sizeof(float));
    }
    assert_int_equal(count_of(&files, ".values"), STEPS - 2); /* two steps grew in place */
    for (size_t i = 0; i < STEPS; i++) {
        assert_whole(&files, &test_pair_set, matrices[i], ROWS - 10 * STEPS + 10 * i);
        struct matrix *again = open_again(&files, matrix_key_of(matrices[i]));
        assert_whole(&files, &test_pair_set, again, matrix_rows(matrices[i]));
        matrix_close(again);
    }
    /* only the last stays: its stem with it */
    const char *const keep[] = {matrix_key_of(matrices[STEPS - 1])};
    assert_int_equal(matrix_prune(files.folder.path, keep, 1, 0, NULL), ERR_OK);
    assert_int_equal(count_of(&files, ".values"), 2);
    assert_int_equal(count_of(&files, ".rows"), 2);
    struct matrix *last = open_again(&files, keep[0]);
    assert_whole(&files, &test_pair_set, last, matrix_rows(matrices[STEPS - 1]));
    matrix_close(last);
    for (size_t i = 0; i < STEPS; i++)
        matrix_close(matrices[i]);
    tear_down(&files);
}

/* A stem counts as long as a head names it, though the heads that wrote it are gone. */
static void a_stem_is_never_cut(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 20000);
    struct matrix *a = grow(&files, &test_pair_set, "a", NULL, 0, 20000);
    struct matrix *b = grow(&files, &test_pair_set, "b", a, 20000, 59000);
    struct matrix *c = grow(&files, &test_pair_set, "c", b, 58000, 60000);
    assert_int_equal(count_of(&files, ".values"), 2);
    const char *const keep[] = {matrix_key_of(a), matrix_key_of(c)};
    assert_int_equal(matrix_prune(files.folder.path, keep, 2, 0, NULL), ERR_OK);
    struct matrix *d = grow(&files, &test_pair_set, "d", a, 20000, 21000);
    struct matrix *again = open_again(&files, matrix_key_of(c));
    assert_whole(&files, &test_pair_set, again, 60000);
    assert_whole(&files, &test_pair_set, d, 21000);
    struct file_info info;
    assert_int_equal(file_stat(part(&files, matrix_key_of(a), "values"), &info, NULL), ERR_OK);
    assert_int_equal(truncate(part(&files, matrix_key_of(a), "values"), 100000), 0); /* less than c's stem */
    assert_open_fails(&files, matrix_key_of(c), ERR_CORRUPT);
    matrix_close(again);
    assert_int_equal(matrix_prune(files.folder.path, keep + 1, 1, 0, NULL), ERR_OK);
    matrix_close(a);
    matrix_close(b);
    matrix_close(c);
    matrix_close(d);
    tear_down(&files);
}

/* Any order of appends, changes, prunings and reopenings, against plain arrays in memory. */
enum { COPIES = 5 };
struct copy {
    struct matrix *matrix;
    struct matrix_row *rows;
    float *values;
    size_t count;
};

static void assert_copy(const struct copy *copy)
{
    assert_int_equal(matrix_rows(copy->matrix), copy->count);
    assert_memory_equal(matrix_row_info(copy->matrix), copy->rows, copy->count * sizeof(*copy->rows));
    assert_memory_equal(matrix_values(copy->matrix), copy->values,
                        copy->count * TEST_PAIR_COLUMNS * sizeof(float));
    assert_int_equal(matrix_verify(copy->matrix, NULL, NULL), ERR_OK);
}

static void copy_release(struct copy *copy)
{
    matrix_close(copy->matrix);
    free(copy->rows);
    free(copy->values);
    *copy = (struct copy){0};
}

/* The basis up to keep, then rows that no other matrix has. */
static struct copy derive(const char *folder, const struct copy *basis, size_t keep, size_t count,
                          uint32_t number)
{
    struct matrix_build build;
    char data_hash[16];
    struct copy copy = {.count = count,
                        .rows = calloc(count + 1, sizeof(*copy.rows)),
                        .values = calloc(count * TEST_PAIR_COLUMNS + 1, sizeof(float))};
    if (keep > 0) {
        memcpy(copy.rows, basis->rows, keep * sizeof(*copy.rows));
        memcpy(copy.values, basis->values, keep * TEST_PAIR_COLUMNS * sizeof(float));
    }
    for (size_t row = keep; row < count; row++) {
        copy.rows[row] = (struct matrix_row){.id = (int64_t)row, .day = number};
        for (size_t i = 0; i < TEST_PAIR_COLUMNS; i++)
            copy.values[row * TEST_PAIR_COLUMNS + i] = (float)(row * 7 + i + number * 1000);
    }
    (void)snprintf(data_hash, sizeof(data_hash), "r%u", number);
    assert_int_equal(matrix_build_start(folder, data_hash, &test_pair_set, keep > 0 ? basis->matrix : NULL,
                                        keep, count, &build, NULL),
                     ERR_OK);
    assert_int_equal(build.first_row, keep);
    if (count > keep) {
        memcpy(build.rows, copy.rows + keep, (count - keep) * sizeof(*copy.rows));
        memcpy(build.values, copy.values + keep * TEST_PAIR_COLUMNS,
               (count - keep) * TEST_PAIR_COLUMNS * sizeof(float));
    }
    assert_int_equal(matrix_build_finish(&build, NULL, &copy.matrix, NULL), ERR_OK);
    return copy;
}

static size_t place_keep(struct random *random, size_t count)
{
    switch (random_below(random, 4)) {
    case 0:
        return random_below(random, count + 1);
    case 1:
        return count - random_below(random, count < 2000 ? count + 1 : 2000);
    default:
        return count;
    }
}

/* Drops some heads of open matrices; the others open as before. */
static void prune_some(const char *folder, const struct copy *copies, struct random *random)
{
    const char *keys[COPIES];
    size_t count = 0;
    struct matrix *matrix = NULL;
    for (size_t i = 0; i < COPIES; i++) {
        if (copies[i].matrix == NULL || random_below(random, 4) == 0 ||
            matrix_open(folder, matrix_key_of(copies[i].matrix), &matrix, NULL) != ERR_OK)
            continue; /* dropped now, or earlier */
        keys[count++] = matrix_key_of(copies[i].matrix);
        matrix_close(matrix);
    }
    assert_int_equal(matrix_prune(folder, keys, count, 1, NULL), ERR_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(matrix_open(folder, keys[i], &matrix, NULL), ERR_OK);
        assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_OK);
        matrix_close(matrix);
    }
}

static void any_history_of_builds_is_true(void **context)
{
    enum { STEPS = 80 };
    (void)context;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct test_folder folder;
        struct copy copies[COPIES] = {0};
        struct random random;
        test_folder_create(&folder);
        random_init(&random, seed);
        copies[0] = derive(folder.path, NULL, 0, 50000, 0);
        for (uint32_t step = 1; step <= STEPS; step++) {
            const struct copy *basis = &copies[random_below(&random, COPIES)];
            size_t slot = random_below(&random, COPIES);
            if (basis->matrix == NULL || &copies[slot] == basis)
                continue;
            size_t keep = place_keep(&random, basis->count);
            size_t count = keep + random_below(&random, random_below(&random, 3) == 0 ? 20000 : 50);
            struct copy next = derive(folder.path, basis, keep, count, step);
            copy_release(&copies[slot]);
            copies[slot] = next;
            if (random_below(&random, 8) == 0)
                prune_some(folder.path, copies, &random);
            for (size_t i = 0; i < COPIES; i++) {
                if (copies[i].matrix != NULL)
                    assert_copy(&copies[i]);
            }
        }
        for (size_t i = 0; i < COPIES; i++)
            copy_release(&copies[i]);
        test_folder_remove(&folder);
    }
}

/* One family is new: the others are copied, the new one is left to the caller. */
static void new_families_are_left_to_the_caller(void **context)
{
    struct files files;
    struct matrix_build build;
    struct matrix *matrix = NULL;
    (void)context;
    set_up(&files, 12000);
    size_t keep = 30000, rows = files.data.rows;
    struct matrix *basis = grow(&files, &test_set, "a", NULL, 0, keep + 10);
    assert_int_equal(
        matrix_build_start(files.folder.path, "a", &test_pair_set, basis, keep, rows, &build, NULL), ERR_OK);
    matrix_close(basis);
    assert_int_equal(build.first_row, 0);
    const float *whole = whole_of(&files, &test_pair_set);
    for (size_t row = 0; row < rows; row++) {
        float *values = build.values + row * TEST_PAIR_COLUMNS;
        if (row < keep)
            assert_memory_equal(values, whole + row * TEST_PAIR_COLUMNS, 3 * sizeof(float));
        else
            memcpy(values, whole + row * TEST_PAIR_COLUMNS, 3 * sizeof(float));
        memcpy(values + 3, whole + row * TEST_PAIR_COLUMNS + 3, 2 * sizeof(float));
    }
    memcpy(build.rows, files.data.info + keep, (rows - keep) * sizeof(*build.rows));
    assert_int_equal(matrix_build_finish(&build, NULL, &matrix, NULL), ERR_OK);
    assert_whole(&files, &test_pair_set, matrix, rows);
    matrix_close(matrix);
    tear_down(&files);
}

/* All families are there, at other columns or with more beside them: copied with all columns. */
static void families_may_move(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 300);
    struct matrix *pair = grow(&files, &test_pair_set, "a", NULL, 0, 800);
    struct matrix *narrow = grow(&files, &test_set, "b", pair, 800, 900);
    assert_whole(&files, &test_set, narrow, 900);
    matrix_close(pair);
    matrix_close(narrow);
    tear_down(&files);
}

/* Nothing in common but the rows. */
static void rows_are_kept_without_any_family(void **context)
{
    static const struct tracker *const trackers[] = {&test_last_tracker, NULL};
    static const struct feature_set last_set = {"last", "", trackers};
    struct files files;
    struct matrix_build build;
    struct matrix *matrix = NULL;
    (void)context;
    set_up(&files, 300);
    struct matrix *basis = grow(&files, &test_set, "a", NULL, 0, 900);
    assert_int_equal(matrix_build_start(files.folder.path, "a", &last_set, basis, 900, 900, &build, NULL),
                     ERR_OK);
    assert_int_equal(build.first_row, 0);
    for (size_t i = 0; i < 900 * 2; i++) {
        assert_true(build.values[i] == 0.0F);
        build.values[i] = (float)i;
    }
    assert_int_equal(matrix_build_finish(&build, NULL, &matrix, NULL), ERR_OK);
    assert_memory_equal(matrix_row_info(matrix), files.data.info, 900 * sizeof(*files.data.info));
    assert_true(matrix_values(matrix)[1799] == 1799.0F);
    matrix_close(basis);
    matrix_close(matrix);
    tear_down(&files);
}

/* ---- damage ---- */

static void damage_is_found(void **context)
{
    struct files files;
    char key[HASH_HEX_BYTES];
    (void)context;
    set_up(&files, 200);
    matrix_key("data", &test_set, key);
    matrix_close(grow(&files, &test_set, "data", NULL, 0, files.data.rows));
    const char *head = part(&files, key, "mat"), *rows = part(&files, key, "rows"),
               *values = part(&files, key, "values");
    for (long offset = 0; offset < (long)size_of(head); offset++) {
        flip(head, offset);
        assert_open_fails(&files, key, ERR_CORRUPT);
        flip(head, offset);
    }
    for (long offset = 0; offset < (long)size_of(rows); offset += 997) {
        flip(rows, offset);
        assert_open_fails(&files, key, ERR_CORRUPT);
        flip(rows, offset);
    }
    flip(values, -2); /* opening is quick and does not see it, verifying does */
    struct matrix *matrix = open_again(&files, key);
    assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_CORRUPT);
    flip(values, -2);
    assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_OK);
    matrix_close(matrix);
    tear_down(&files);
}

static void missing_parts_are_found(void **context)
{
    static const char *const suffixes[] = {"mat", "rows", "values"};
    struct files files;
    char key[HASH_HEX_BYTES];
    (void)context;
    set_up(&files, 200);
    matrix_key("data", &test_set, key);
    for (size_t i = 0; i < 3; i++) {
        matrix_close(grow(&files, &test_set, "data", NULL, 0, files.data.rows));
        const char *path = part(&files, key, suffixes[i]);
        assert_int_equal(truncate(path, (off_t)size_of(path) - 1), 0);
        assert_open_fails(&files, key, ERR_CORRUPT);
        assert_int_equal(truncate(path, 0), 0);
        assert_open_fails(&files, key, ERR_CORRUPT);
        assert_int_equal(unlink(path), 0);
        assert_open_fails(&files, key, i == 0 ? ERR_NOT_FOUND : ERR_CORRUPT);
        test_folder_remove(&files.folder);
        test_folder_create(&files.folder);
    }
    tear_down(&files);
}

static void another_format_is_built_again(void **context)
{
    struct files files;
    char key[HASH_HEX_BYTES];
    (void)context;
    set_up(&files, 200);
    matrix_key("data", &test_set, key);
    write_text(part(&files, "0123", "mat"), "ALMATRIX\1\0\0\0 of an earlier program");
    write_text(part(&files, key, "mat"), "");
    assert_open_fails(&files, key, ERR_CORRUPT);
    matrix_close(grow(&files, &test_set, "data", NULL, 0, files.data.rows));
    struct matrix *matrix = open_again(&files, key);
    assert_whole(&files, &test_set, matrix, files.data.rows);
    assert_int_equal(count_of(&files, ".mat"), 1); /* what nobody can read is gone */
    matrix_close(matrix);
    tear_down(&files);
}

/* A rebuild of the same key does not touch the files of the first, which a reader may have open. */
static void a_rebuild_takes_new_files(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 200);
    struct matrix *first = grow(&files, &test_set, "data", NULL, 0, files.data.rows);
    struct matrix *second = grow(&files, &test_set, "data", NULL, 0, files.data.rows);
    assert_whole(&files, &test_set, first, files.data.rows);
    assert_whole(&files, &test_set, second, files.data.rows);
    assert_int_equal(count_of(&files, ".values"), 1);
    assert_false(file_exists(part(&files, matrix_key_of(first), "values")));
    struct matrix *third = grow(&files, &test_set, "data", NULL, 0, files.data.rows);
    assert_true(file_exists(part(&files, matrix_key_of(first), "values")));
    /* the second is gone from the folder: nothing may grow behind what its head named */
    struct matrix *fourth = grow(&files, &test_set, "more", second, 600, 600);
    assert_int_equal(count_of(&files, ".values"), 2);
    assert_whole(&files, &test_set, fourth, 600);
    assert_whole(&files, &test_set, third, files.data.rows);
    matrix_close(first);
    matrix_close(second);
    matrix_close(third);
    matrix_close(fourth);
    tear_down(&files);
}

static void damage_never_spreads(void **context)
{
    struct files files;
    struct matrix_build build;
    (void)context;
    set_up(&files, 12000);
    struct matrix *basis = grow(&files, &test_set, "a", NULL, 0, 35000);
    flip(part(&files, matrix_key_of(basis), "values"), -2); /* in the chunk that an append completes */
    assert_int_equal(matrix_build_start(files.folder.path, "b", &test_set, basis, 35000, 36000, &build, NULL),
                     ERR_CORRUPT);
    assert_int_equal(
        matrix_build_start(files.folder.path, "b", &test_pair_set, basis, 35000, 36000, &build, NULL),
        ERR_CORRUPT);
    flip(part(&files, matrix_key_of(basis), "values"), -2);
    flip(part(&files, matrix_key_of(basis), "values"), 5); /* in a chunk that an append takes over */
    struct matrix *longer = grow(&files, &test_set, "b", basis, 35000, 36000);
    assert_int_equal(matrix_verify(longer, NULL, NULL), ERR_CORRUPT);
    struct matrix *copy = grow(&files, &test_set, "c", basis, 34000, 36000);
    assert_int_equal(matrix_verify(copy, NULL, NULL), ERR_CORRUPT);
    matrix_close(basis);
    matrix_close(longer);
    matrix_close(copy);
    tear_down(&files);
}

/* ---- interruption ---- */

static void what_an_interrupted_append_leaves_never_counts(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 12000);
    struct matrix *basis = grow(&files, &test_pair_set, "a", NULL, 0, 30000);
    const char *rows = part(&files, matrix_key_of(basis), "rows"),
               *values = part(&files, matrix_key_of(basis), "values");
    append_bytes(rows, 480);
    append_bytes(values, 12345);
    struct matrix *again = open_again(&files, matrix_key_of(basis));
    assert_whole(&files, &test_pair_set, again, 30000);
    struct matrix *longer = grow(&files, &test_pair_set, "b", again, 30000, 30001);
    assert_whole(&files, &test_pair_set, longer, 30001);
    assert_int_equal(count_of(&files, ".values"), 2); /* new files, the old ones as their stem */
    assert_true(size_of(part(&files, matrix_key_of(longer), "values")) < MATRIX_CHUNK_BYTES);
    struct matrix *longest = grow(&files, &test_pair_set, "c", longer, 30001, 30002);
    assert_whole(&files, &test_pair_set, longest, 30002);
    assert_int_equal(count_of(&files, ".values"), 2);
    matrix_close(longest);
    matrix_close(basis);
    matrix_close(again);
    matrix_close(longer);
    tear_down(&files);
}

/* Another process starts the matrix of "b" and ends without a word; its lock ends with it. */
enum { KILLED_ROWS = 33000, KILLED_BASIS_ROWS = 30000, KILL_WAIT_MS = 60000 };

static void start_and_end(const char *folder, const char *basis_key)
{
    struct matrix_build build;
    struct matrix *basis = NULL;
    if (basis_key[0] != '\0' && matrix_open(folder, basis_key, &basis, NULL) != ERR_OK)
        _exit(1);
    size_t keep = basis != NULL ? KILLED_BASIS_ROWS : 0;
    if (matrix_build_start(folder, "b", &test_pair_set, basis, keep, KILLED_ROWS, &build, NULL) != ERR_OK)
        _exit(1);
    memset(build.values, 7, 1000);
    _exit(0);
}

static void start_elsewhere(const struct files *files, const char *basis_key)
{
    const char *const argv[] = {"/proc/self/exe", files->folder.path, basis_key, NULL};
    struct process process;
    struct process_end end;
    assert_int_equal(process_start(argv, &process, NULL), ERR_OK);
    assert_true(process_wait(&process, KILL_WAIT_MS, &end));
    process_close(&process);
    assert_true(end.exited && end.exit_code == 0);
}

static void a_killed_build_leaves_nothing_that_counts(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 12000);
    struct matrix *basis = grow(&files, &test_pair_set, "a", NULL, 0, KILLED_BASIS_ROWS);
    start_elsewhere(&files, "");
    start_elsewhere(&files, matrix_key_of(basis));
    assert_int_equal(count_of(&files, ".values"), 2);
    assert_int_equal(count_of(&files, ".mat"), 1);
    assert_whole(&files, &test_pair_set, basis, KILLED_BASIS_ROWS);
    struct matrix *longer = grow(&files, &test_pair_set, "c", basis, KILLED_BASIS_ROWS, 31000);
    assert_whole(&files, &test_pair_set, longer, 31000);
    struct matrix *other = grow(&files, &test_pair_set, "b", NULL, 0, KILLED_ROWS);
    assert_whole(&files, &test_pair_set, other, KILLED_ROWS);
    assert_int_equal(count_of(&files, ".values"), 3);
    matrix_close(basis);
    matrix_close(longer);
    matrix_close(other);
    tear_down(&files);
}

static void an_abandoned_build_is_undone(void **context)
{
    struct files files;
    struct matrix_build build;
    (void)context;
    set_up(&files, 500);
    size_t descriptors = test_descriptor_count();
    assert_int_equal(matrix_build_start(files.folder.path, "a", &test_set, NULL, 0, 1000, &build, NULL),
                     ERR_OK);
    matrix_build_abandon(&build);
    assert_int_equal(count_of(&files, ".rows"), 0);
    assert_int_equal(count_of(&files, ".values"), 0);
    struct matrix *basis = grow(&files, &test_set, "a", NULL, 0, 1000);
    assert_int_equal(matrix_build_start(files.folder.path, "b", &test_set, basis, 1000, 1200, &build, NULL),
                     ERR_OK);
    fill(&files, &test_set, &build, 1000);
    matrix_build_abandon(&build);
    matrix_build_abandon(&build);
    assert_int_equal(size_of(part(&files, matrix_key_of(basis), "rows")), 1000 * sizeof(struct matrix_row));
    assert_int_equal(size_of(part(&files, matrix_key_of(basis), "values")), 1000 * 3 * sizeof(float));
    assert_whole(&files, &test_set, basis, 1000);
    matrix_close(basis);
    assert_int_equal(test_descriptor_count(), descriptors);
    const char *file = test_folder_path(&files.folder, "no_folder");
    assert_int_equal(file_write_atomic(file, "x", 1, NULL), ERR_OK);
    assert_int_not_equal(matrix_build_start(file, "a", &test_set, NULL, 0, 10, &build, NULL), ERR_OK);
    assert_int_equal(test_descriptor_count(), descriptors);
    tear_down(&files);
}

/* ---- two writers ---- */

struct writer {
    struct files *files;
    struct matrix *basis;
    atomic_int order;
    int started[2];
};

static void write_one(void *context, size_t index)
{
    struct writer *writer = context;
    struct matrix_build build;
    struct matrix *matrix = NULL;
    const char *data_hash = index == 0 ? "x" : "y";
    size_t rows = 800 + 50 * index;
    assert_int_equal(matrix_build_start(writer->files->folder.path, data_hash, &test_set, writer->basis, 700,
                                        rows, &build, NULL),
                     ERR_OK);
    writer->started[index] = atomic_fetch_add(&writer->order, 1);
    fill(writer->files, &test_set, &build, 700);
    (void)usleep(30000); /* the other one comes while this one builds */
    assert_int_equal(atomic_load(&writer->order), writer->started[index] + 1);
    assert_int_equal(matrix_build_finish(&build, NULL, &matrix, NULL), ERR_OK);
    assert_whole(writer->files, &test_set, matrix, rows);
    matrix_close(matrix);
}

static void two_writers_take_turns(void **context)
{
    struct files files;
    struct pool *pool = NULL;
    char key[2][HASH_HEX_BYTES];
    (void)context;
    set_up(&files, 300);
    struct writer writer = {.files = &files, .basis = grow(&files, &test_set, "a", NULL, 0, 700)};
    assert_int_equal(pool_create(2, &pool, NULL), ERR_OK);
    pool_for(pool, 2, write_one, &writer);
    pool_destroy(pool);
    assert_int_equal(count_of(&files, ".values"),
                     2); /* the first grew, the second found it grown and copied */
    for (size_t i = 0; i < 2; i++) {
        matrix_key(i == 0 ? "x" : "y", &test_set, key[i]);
        struct matrix *matrix = open_again(&files, key[i]);
        assert_whole(&files, &test_set, matrix, 800 + 50 * i);
        matrix_close(matrix);
    }
    matrix_close(writer.basis);
    tear_down(&files);
}

/* ---- basis, pruning, key ---- */

static void the_best_basis_is_found(void **context)
{
    static const struct tracker *const trackers[] = {&test_last_tracker, NULL};
    static const struct feature_set last_set = {"last", "", trackers};
    struct files files;
    struct matrix *found = NULL;
    (void)context;
    set_up(&files, 300);
    assert_int_equal(matrix_open_basis(files.folder.path, NULL, &test_set, &found, NULL), ERR_NOT_FOUND);
    struct matrix *narrow = grow(&files, &test_set, "a", NULL, 0, 500);
    assert_int_equal(matrix_open_basis(files.folder.path, NULL, &last_set, &found, NULL), ERR_NOT_FOUND);
    assert_int_equal(matrix_open_basis(files.folder.path, "a", &test_pair_set, &found, NULL), ERR_OK);
    assert_string_equal(matrix_key_of(found), matrix_key_of(narrow));
    matrix_close(found);
    struct matrix *wide = grow(&files, &test_pair_set, "b", NULL, 0, 500);
    struct matrix *longer = grow(&files, &test_pair_set, "c", wide, 500, 510);
    matrix_close(grow(&files, &test_set, "d", narrow, 500, 600)); /* the newest, but with less in it */
    assert_int_equal(matrix_open_basis(files.folder.path, NULL, &test_pair_set, &found, NULL), ERR_OK);
    assert_string_equal(matrix_key_of(found), matrix_key_of(longer));
    matrix_close(found);
    assert_int_equal(matrix_open_basis(files.folder.path, "b", &test_pair_set, &found, NULL), ERR_OK);
    assert_string_equal(matrix_key_of(found), matrix_key_of(wide));
    matrix_close(found);
    flip(part(&files, matrix_key_of(longer), "mat"), 50); /* a damaged one is passed over */
    assert_int_equal(matrix_open_basis(files.folder.path, NULL, &test_pair_set, &found, NULL), ERR_OK);
    assert_string_equal(matrix_key_of(found), matrix_key_of(wide));
    matrix_close(found);
    matrix_close(narrow);
    matrix_close(wide);
    matrix_close(longer);
    tear_down(&files);
}

static void pruning_keeps_what_is_asked_for(void **context)
{
    struct files files;
    (void)context;
    set_up(&files, 300);
    struct matrix *a = grow(&files, &test_set, "a", NULL, 0, 500);
    struct matrix *b = grow(&files, &test_set, "b", a, 500, 600);
    struct matrix *c = grow(&files, &test_pair_set, "c", NULL, 0, 500);
    struct matrix *d = grow(&files, &test_set, "d", b, 400, 620);
    write_text(part(&files, "stray", "values"), "left");
    struct buffer head; /* somebody's copy of a head under another name is no matrix */
    buffer_init(&head, 1 << 20);
    assert_int_equal(file_read(part(&files, matrix_key_of(b), "mat"), &head, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(part(&files, "copied", "mat"), head.data, head.size_bytes, NULL),
                     ERR_OK);
    buffer_release(&head);
    assert_int_equal(matrix_prune(files.folder.path, NULL, 0, 4, NULL), ERR_OK);
    assert_int_equal(file_remove(part(&files, "copied", "mat"), NULL), ERR_OK);
    const char *const keep[] = {matrix_key_of(b)};
    assert_int_equal(matrix_prune(files.folder.path, keep, 1, 1, NULL), ERR_OK);
    assert_open_fails(&files, matrix_key_of(a), ERR_NOT_FOUND);
    assert_open_fails(&files, matrix_key_of(c), ERR_NOT_FOUND);
    assert_int_equal(count_of(&files, ".mat"), 2);
    assert_int_equal(count_of(&files, ".rows"), 2);
    assert_int_equal(count_of(&files, ".values"), 2);
    assert_whole(&files, &test_pair_set, c, 500); /* still open */
    matrix_close(open_again(&files, matrix_key_of(b)));
    matrix_close(open_again(&files, matrix_key_of(d)));
    assert_int_equal(matrix_prune(files.folder.path, NULL, 0, 0, NULL), ERR_OK);
    assert_int_equal(count_of(&files, NULL), 0);
    matrix_close(a);
    matrix_close(b);
    matrix_close(c);
    matrix_close(d);
    tear_down(&files);
}

static void the_key_names_data_and_features(void **context)
{
    struct tracker newer = test_tracker;
    const struct tracker *const trackers[] = {&newer, NULL};
    struct feature_set set = {"test", "", trackers};
    char a[HASH_HEX_BYTES], b[HASH_HEX_BYTES], c[HASH_HEX_BYTES], d[HASH_HEX_BYTES];
    (void)context;
    matrix_key("data", &test_set, a);
    matrix_key("data", &set, b);
    matrix_key("other", &set, c);
    newer.version++;
    matrix_key("data", &set, d);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(a, d);
}

static void a_chunk_hash_sees_every_byte(void **context)
{
    unsigned char bytes[200];
    (void)context;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        uint64_t hash = matrix_chunk_hash(bytes, size);
        for (size_t i = 0; i < size; i++) {
            bytes[i] ^= 1;
            assert_true(matrix_chunk_hash(bytes, size) != hash);
            bytes[i] ^= 1;
        }
        assert_true(size == 0 || matrix_chunk_hash(bytes, size - 1) != hash);
    }
    memset(bytes, 0, sizeof(bytes)); /* zeros at the end count, and lanes are not interchangeable */
    assert_true(matrix_chunk_hash(bytes, 128) != matrix_chunk_hash(bytes, 192));
    bytes[0] = 1;
    uint64_t first = matrix_chunk_hash(bytes, 128);
    bytes[0] = 0;
    bytes[8] = 1;
    assert_true(matrix_chunk_hash(bytes, 128) != first);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        start_and_end(argv[1], argv[2]); /* the other process */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_is_built_and_opened),
        cmocka_unit_test(an_empty_matrix_is_one),
        cmocka_unit_test(appends_grow_in_place),
        cmocka_unit_test(an_append_hashes_as_a_build_does),
        cmocka_unit_test(a_change_in_the_middle_copies),
        cmocka_unit_test(changes_near_the_end_cost_little),
        cmocka_unit_test(a_stem_is_never_cut),
        cmocka_unit_test(any_history_of_builds_is_true),
        cmocka_unit_test(new_families_are_left_to_the_caller),
        cmocka_unit_test(families_may_move),
        cmocka_unit_test(rows_are_kept_without_any_family),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(missing_parts_are_found),
        cmocka_unit_test(another_format_is_built_again),
        cmocka_unit_test(a_rebuild_takes_new_files),
        cmocka_unit_test(damage_never_spreads),
        cmocka_unit_test(what_an_interrupted_append_leaves_never_counts),
        cmocka_unit_test(a_killed_build_leaves_nothing_that_counts),
        cmocka_unit_test(an_abandoned_build_is_undone),
        cmocka_unit_test(two_writers_take_turns),
        cmocka_unit_test(the_best_basis_is_found),
        cmocka_unit_test(pruning_keeps_what_is_asked_for),
        cmocka_unit_test(the_key_names_data_and_features),
        cmocka_unit_test(a_chunk_hash_sees_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
