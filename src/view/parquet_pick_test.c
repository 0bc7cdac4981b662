/* Rows picked out of Parquet files of DuckDB's are those that the engine reads; other files are left to it; damage is harmless. */
#include "view/parquet_pick.h"

#include "base/random.h"
#include "duck/duck.h"
#include "os/test_folder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 50000, COLUMNS = 6 };

/* Nulls in long runs and short ones, constants, few values, many, none. */
static const char *const columns[COLUMNS] = {
    "CASE WHEN i % 7 < 2 THEN NULL ELSE (i * 37 % 1000) / 8 END",
    "CASE WHEN i BETWEEN 3000 AND 30000 THEN NULL ELSE i % 3 END",
    "sin(i)",
    "4.5",
    "NULL",
    "CASE WHEN i < 40 OR hash(i) % 2 = 0 THEN i END",
};

static struct test_folder place;
static struct duck *duck;
static char select_text[2048];

static int set_up(void **state)
{
    struct err err = {0};
    size_t size = (size_t)snprintf(select_text, sizeof(select_text),
                                   "SELECT (CASE WHEN i %% 5 > 0 THEN i * i END)::BIGINT AS n");
    (void)state;
    if (duck_probe(NULL, &err) != ERR_OK) {
        print_message("%s: skipped\n", err.text);
        return 0;
    }
    for (int c = 0; c < COLUMNS; c++)
        size += (size_t)snprintf(select_text + size, sizeof(select_text) - size, ", (%s)::FLOAT AS c%d",
                                 columns[c], c);
    (void)snprintf(select_text + size, sizeof(select_text) - size, " FROM (SELECT range AS i FROM range(%d))",
                   ROWS);
    test_folder_create(&place);
    return duck_open(&(struct duck_options){.threads = 2}, &duck, &err) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (duck == NULL)
        return 0;
    duck_close(duck);
    test_folder_remove(&place);
    return 0;
}

static void need_duck(void)
{
    if (duck == NULL)
        skip();
}

static void run(const char *format, ...)
{
    char sql[4096];
    struct err err = {0};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    if (duck_query(duck, sql, NULL, 0, NULL, &err) != ERR_OK)
        fail_msg("%s: %s", sql, err.text);
}

static const char *make_file(const char *name, const char *options)
{
    const char *path = test_folder_path(&place, name);
    run("COPY (%s) TO '%s' (FORMAT parquet%s)", select_text, path, options);
    return path;
}

/* Every row of what the engine reads. */
static void read_all(const char *path, int64_t *numbers, float (*floats)[ROWS])
{
    char sql[1024];
    bool has_row;
    size_t row = 0;
    struct duck_result *result = NULL;
    (void)snprintf(sql, sizeof(sql), "SELECT * FROM '%s'", path);
    assert_int_equal(duck_query(duck, sql, NULL, 0, &result, NULL), ERR_OK);
    for (; duck_result_next(result, &has_row, NULL) == ERR_OK && has_row; row++) {
        numbers[row] = duck_is_null(result, 0) ? INT64_MIN : duck_i64(result, 0);
        for (size_t c = 0; c < COLUMNS; c++)
            floats[c][row] = (float)duck_f64(result, 1 + c); /* NaN for NULL */
    }
    assert_int_equal(row, ROWS);
    duck_result_destroy(result);
}

static void check_pick(const struct parquet_file *file, const int64_t *numbers, float (*floats)[ROWS],
                       size_t one_of, uint64_t seed)
{
    int32_t *rows = malloc(ROWS * sizeof(*rows));
    int64_t *got = malloc(ROWS * sizeof(*got));
    float *got_floats = malloc(ROWS * sizeof(*got_floats));
    struct random random;
    size_t count = 0;
    char name[8];
    assert_true(rows != NULL && got != NULL && got_floats != NULL);
    random_init(&random, seed);
    for (int32_t i = 0; i < ROWS; i++) {
        if (random_below(&random, one_of) == 0)
            rows[count++] = i;
    }
    assert_true(parquet_pick_i64(file, "n", rows, count, got));
    for (size_t i = 0; i < count; i++)
        assert_true(got[i] == numbers[rows[i]]);
    for (size_t c = 0; c < COLUMNS; c++) {
        (void)snprintf(name, sizeof(name), "c%zu", c);
        assert_true(parquet_pick_f32(file, name, rows, count, got_floats));
        for (size_t i = 0; i < count; i++) {
            float expected = floats[c][rows[i]];
            assert_true(isnan(expected) ? isnan(got_floats[i]) : got_floats[i] == expected);
        }
    }
    free(rows);
    free(got);
    free(got_floats);
}

static void picked_rows_are_those_of_the_engine(void **state)
{
    static const char *const options[] = {", COMPRESSION uncompressed",
                                          ", COMPRESSION uncompressed, ROW_GROUP_SIZE 2048",
                                          ", COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1",
                                          ", COMPRESSION uncompressed, ROW_GROUP_SIZE 20480"};
    int64_t *numbers = malloc(ROWS * sizeof(*numbers));
    float(*floats)[ROWS] = malloc(sizeof(*floats) * COLUMNS);
    (void)state;
    need_duck();
    assert_true(numbers != NULL && floats != NULL);
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        struct parquet_file *file = NULL;
        const char *path = make_file("plain.parquet", options[i]);
        read_all(path, numbers, floats);
        assert_int_equal(parquet_file_open(path, &file, NULL), ERR_OK);
        assert_int_equal(parquet_file_rows(file), ROWS);
        for (size_t one_of = 1; one_of < ROWS; one_of *= 7)
            check_pick(file, numbers, floats, one_of, i + one_of);
        parquet_file_close(file);
    }
    free(numbers);
    free(floats);
}

static void other_columns_and_files_are_left_to_the_engine(void **state)
{
    static const char *const codecs[] = {"snappy", "zstd", "lz4_raw", "gzip"};
    const int32_t row = 5;
    float value;
    int64_t number;
    struct parquet_file *file = NULL;
    struct err err = {0};
    char options[64];
    (void)state;
    need_duck();
    assert_int_equal(parquet_file_open(make_file("a.parquet", ", COMPRESSION uncompressed"), &file, NULL),
                     ERR_OK);
    assert_false(parquet_pick_f32(file, "none", &row, 1, &value));
    assert_false(parquet_pick_f32(file, "n", &row, 1, &value)); /* of another type */
    assert_false(parquet_pick_i64(file, "c0", &row, 1, &number));
    assert_true(parquet_pick_f32(file, "c0", &row, 0, &value)); /* nothing is asked */
    const int32_t beyond = ROWS;
    assert_false(parquet_pick_f32(file, "c0", &beyond, 1, &value));
    parquet_file_close(file);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(*codecs); i++) {
        (void)snprintf(options, sizeof(options), ", COMPRESSION %s", codecs[i]);
        assert_int_equal(parquet_file_open(make_file("c.parquet", options), &file, NULL), ERR_OK);
        assert_false(parquet_pick_f32(file, "c0", &row, 1, &value));
        parquet_file_close(file);
    }
    const char *nested = test_folder_path(&place, "nested.parquet");
    run("COPY (SELECT 1::FLOAT AS c0, {'a': 1::FLOAT} AS s) TO '%s' (FORMAT parquet, COMPRESSION "
        "uncompressed)",
        nested);
    assert_int_equal(parquet_file_open(nested, &file, &err), ERR_CORRUPT);
    assert_int_equal(parquet_file_open(test_folder_path(&place, "none"), &file, &err), ERR_NOT_FOUND);
}

/* Whatever a file says, nothing is read beyond it and nothing never ends; what is picked must not be right. */
static void damage_is_harmless(void **state)
{
    static int32_t rows[ROWS / 50];
    static float got[ROWS / 50];
    struct random random;
    struct buffer whole, spoilt;
    const char *path = test_folder_path(&place, "spoilt.parquet");
    (void)state;
    need_duck();
    buffer_init(&whole, 64 << 20);
    buffer_init(&spoilt, 64 << 20);
    assert_int_equal(
        file_read(make_file("b.parquet", ", COMPRESSION uncompressed, ROW_GROUP_SIZE 20480"), &whole, NULL),
        ERR_OK);
    for (int32_t i = 0; i < ROWS / 50; i++)
        rows[i] = i * 50;
    random_init(&random, 17);
    for (int attempt = 0; attempt < 300; attempt++) {
        struct parquet_file *file = NULL;
        buffer_clear(&spoilt);
        size_t size = attempt % 3 == 0 ? random_below(&random, whole.size_bytes) : whole.size_bytes;
        buffer_append(&spoilt, whole.data, size);
        for (size_t i = 0; attempt % 3 > 0 && i < 40; i++) { /* pages, or the footer */
            size_t from_end = random_below(&random, attempt % 3 == 1 ? size : 3000);
            spoilt.data[size - 1 - from_end] = (char)random_below(&random, 256);
        }
        FILE *out = fopen(path, "w");
        assert_true(out != NULL && fwrite(spoilt.data, 1, size, out) == size && fclose(out) == 0);
        if (parquet_file_open(path, &file, NULL) != ERR_OK)
            continue;
        for (size_t c = 0; c < COLUMNS; c++) {
            const char name[] = {'c', (char)('0' + c), '\0'};
            (void)parquet_pick_f32(file, name, rows, ROWS / 50, got);
        }
        parquet_file_close(file);
    }
    buffer_release(&whole);
    buffer_release(&spoilt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picked_rows_are_those_of_the_engine),
        cmocka_unit_test(other_columns_and_files_are_left_to_the_engine),
        cmocka_unit_test(damage_is_harmless),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
