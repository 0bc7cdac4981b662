/* Columns added to Parquet files of DuckDB's: the engine reads back both, to the bit, whatever the values and the groups. */
#include "view/parquet_append.h"

#include "base/random.h"
#include "duck/duck.h"
#include "os/test_folder.h"
#include "view/parquet_pick.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 100003, COLUMNS = 9 };

static struct test_folder place;
static struct duck *duck;
static float (*values)[ROWS]; /* [COLUMNS] */
static const char *const names[COLUMNS] = {
    "none", "all", "some", "one", "many", "zeros", "bounds", "few", "odd \"name\", with a dot."};

static float any_float(struct random *random)
{
    uint32_t bits = (uint32_t)random_u64(random);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value; /* NaNs among them are missing */
}

static void make_values(void)
{
    static const float bounds[] = {INFINITY, -INFINITY, 1e-45F, -3e38F, 3e38F, 0.1F};
    struct random random;
    random_init(&random, 3);
    values = malloc(sizeof(*values) * COLUMNS);
    assert_non_null(values);
    for (size_t i = 0; i < ROWS; i++) {
        const float row[COLUMNS] = {NAN,
                                    (float)random_below(&random, 3000) / 7,
                                    random_below(&random, 9) == 0 ? NAN : (float)random_below(&random, 9),
                                    4.5F,
                                    any_float(&random), /* too many for a dictionary */
                                    random_below(&random, 2) == 0 ? 0.0F : -0.0F,
                                    bounds[random_below(&random, 6)],
                                    i % 5000 == 17 ? (float)i : NAN,
                                    (float)(i % 32768) /* as many as a dictionary may hold */};
        for (size_t c = 0; c < COLUMNS; c++)
            values[c][i] = row[c];
    }
}

static int set_up(void **state)
{
    struct err err = {0};
    (void)state;
    if (duck_probe(NULL, &err) != ERR_OK) {
        print_message("%s: skipped\n", err.text);
        return 0;
    }
    test_folder_create(&place);
    make_values();
    return duck_open(&(struct duck_options){.threads = 2}, &duck, &err) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (duck == NULL)
        return 0;
    free(values);
    duck_close(duck);
    test_folder_remove(&place);
    return 0;
}

static void need_duck(void)
{
    if (duck == NULL)
        skip();
}

static void fill(void *context, size_t column, size_t first, size_t row_count, float *out)
{
    (void)context;
    memcpy(out, values[column] + first, row_count * sizeof(float));
}

static struct duck_result *ask(const char *format, ...)
{
    char sql[4096];
    struct err err = {0};
    struct duck_result *result = NULL;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    if (duck_query(duck, sql, NULL, 0, &result, &err) != ERR_OK)
        fail_msg("%s: %s", sql, err.text);
    return result;
}

static void run(const char *select, const char *path, const char *options)
{
    struct duck_result *result =
        ask("COPY (%s) TO '%s' (FORMAT parquet, USE_TMP_FILE false%s)", select, path, options);
    duck_result_destroy(result);
}

static const struct parquet_floats floats = {names, COLUMNS, fill, NULL};

/* Columns of the engine's of many kinds, and ours. */
static const char *make_file(const char *name, size_t rows, const char *options)
{
    static char select[1024];
    struct file_draft draft;
    struct err err = {0};
    const char *path = test_folder_path(&place, name);
    (void)snprintf(
        select, sizeof(select),
        "SELECT range AS i, 'text ' || range AS t, {'a': range, 'b': [range, NULL]} AS s, "
        "make_timestamp(range)::TIMESTAMPTZ AS z, range %% 2 = 0 AS even, 1.25::DECIMAL(9, 2) AS d "
        "FROM range(%zu)",
        rows);
    assert_int_equal(file_draft_start(path, &draft, NULL), ERR_OK);
    run(select, draft.name, options);
    enum err_code code = parquet_append(&draft, &floats, rows, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    assert_int_equal(file_draft_finish(&draft, NULL), ERR_OK);
    return path;
}

static void check_bits(float got, float expected)
{
    uint32_t a, b;
    memcpy(&a, &got, sizeof(a));
    memcpy(&b, &expected, sizeof(b));
    if (a != b)
        fail_msg("%a instead of %a", (double)got, (double)expected);
}

static void check_file(const char *path, size_t rows)
{
    bool has_row;
    size_t row = 0;
    char text[32];
    struct duck_result *result = ask("SELECT i, t, s.a, s.b[1], epoch_us(z), even, d, \"none\", \"all\", "
                                     "\"some\", \"one\", many, zeros, bounds, "
                                     "few, \"odd \"\"name\"\", with a dot.\" FROM read_parquet('%s')",
                                     path);
    while (duck_result_next(result, &has_row, NULL) == ERR_OK && has_row) {
        (void)snprintf(text, sizeof(text), "text %zu", row);
        assert_int_equal(duck_i64(result, 0), row);
        assert_string_equal(duck_text(result, 1), text);
        for (size_t i = 2; i <= 4; i++)
            assert_int_equal(duck_i64(result, i), row);
        assert_int_equal(duck_i64(result, 5), row % 2 == 0);
        assert_true(duck_f64(result, 6) == 1.25);
        for (size_t c = 0; c < COLUMNS; c++) {
            assert_int_equal(duck_is_null(result, 7 + c), isnan(values[c][row]));
            if (!isnan(values[c][row]))
                check_bits((float)duck_f64(result, 7 + c), values[c][row]);
        }
        row++;
    }
    duck_result_destroy(result);
    assert_int_equal(row, rows);
}

static void the_engine_reads_back_both(void **state)
{
    (void)state;
    need_duck();
    check_file(make_file("whole.parquet", ROWS, ""), ROWS);
    check_file(make_file("groups.parquet", ROWS, ", ROW_GROUP_SIZE 20480, COMPRESSION zstd"), ROWS);
    check_file(make_file("one.parquet", 1, ""), 1);
    check_file(make_file("eight.parquet", 8, ""), 8);
    check_file(make_file("nine.parquet", 9, ", COMPRESSION uncompressed"), 9);
}

static void missing_values_are_counted(void **state)
{
    (void)state;
    need_duck();
    const char *path = make_file("missing.parquet", ROWS, ", ROW_GROUP_SIZE 20480");
    for (size_t c = 0; c < COLUMNS - 1; c++) { /* the last is another kind of name to parquet_metadata */
        bool has_row;
        size_t missing = 0;
        for (size_t i = 0; i < ROWS; i++)
            missing += isnan(values[c][i]);
        struct duck_result *result = ask("SELECT sum(stats_null_count), sum(num_values), min(type) FROM "
                                         "parquet_metadata('%s') WHERE path_in_schema = '%s'",
                                         path, names[c]);
        assert_int_equal(duck_result_next(result, &has_row, NULL), ERR_OK);
        assert_int_equal(duck_i64(result, 0), missing);
        assert_int_equal(duck_i64(result, 1), ROWS);
        assert_string_equal(duck_text(result, 2), "FLOAT");
        duck_result_destroy(result);
    }
}

/* What the engine leaves out by low and high must be what is not there. */
static void bounds_do_not_mislead(void **state)
{
    (void)state;
    need_duck();
    const char *path = make_file("bounds.parquet", ROWS, ", ROW_GROUP_SIZE 20480");
    static const char *const conditions[] = {"\"all\" > 428", "\"all\" = 0",          "zeros = 0",
                                             "zeros < 0",     "many > 1e30",          "bounds = 'inf'::FLOAT",
                                             "few > 95000",   "\"none\" IS NOT NULL", "\"some\" IS NULL",
                                             "\"one\" <> 4.5"};
    duck_result_destroy(ask("CREATE OR REPLACE TABLE whole AS SELECT * FROM '%s'", path));
    for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
        bool has_row;
        struct duck_result *result =
            ask("SELECT (SELECT count(*) FROM '%s' WHERE %s), (SELECT count(*) FROM whole WHERE %s)", path,
                conditions[i], conditions[i]);
        assert_int_equal(duck_result_next(result, &has_row, NULL), ERR_OK);
        if (duck_i64(result, 0) != duck_i64(result, 1))
            fail_msg("%s: %lld rows instead of %lld", conditions[i], (long long)duck_i64(result, 0),
                     (long long)duck_i64(result, 1));
        duck_result_destroy(result);
    }
}

static void the_same_bytes_every_time(void **state)
{
    struct file_map a, b;
    (void)state;
    need_duck();
    assert_int_equal(file_map_open(make_file("a.parquet", ROWS, ""), INT64_MAX, &a, NULL), ERR_OK);
    assert_int_equal(file_map_open(make_file("b.parquet", ROWS, ""), INT64_MAX, &b, NULL), ERR_OK);
    assert_int_equal(a.size_bytes, b.size_bytes);
    assert_memory_equal(a.data, b.data, a.size_bytes);
    file_map_close(&a);
    file_map_close(&b);
}

static void what_is_no_parquet_is_refused(void **state)
{
    static const char *const texts[] = {"", "PAR1", "PAR1....PAR1", "no Parquet file at all, not at all",
                                        "PAR1\x15\x02\xff\xff\x04\0\0\0PAR1"};
    static const size_t sizes[] = {0, 4, 12, 34, 16};
    (void)state;
    need_duck();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct file_draft draft;
        struct err err = {0};
        assert_int_equal(file_draft_start(test_folder_path(&place, "bad.parquet"), &draft, NULL), ERR_OK);
        assert_int_equal(file_draft_write(&draft, 0, texts[i], sizes[i], NULL), ERR_OK);
        assert_int_equal(parquet_append(&draft, &floats, 5, &err), ERR_CORRUPT);
        assert_non_null(strstr(err.text, "bad.parquet"));
        file_draft_abandon(&draft);
    }
    struct file_draft draft;
    struct err err = {0};
    assert_int_equal(file_draft_start(test_folder_path(&place, "bad.parquet"), &draft, NULL), ERR_OK);
    run("SELECT range FROM range(7)", draft.name, "");
    assert_int_equal(parquet_append(&draft, &floats, 8, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "7 rows instead of 8"));
    file_draft_abandon(&draft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_reads_back_both),    cmocka_unit_test(missing_values_are_counted),
        cmocka_unit_test(bounds_do_not_mislead),         cmocka_unit_test(the_same_bytes_every_time),
        cmocka_unit_test(what_is_no_parquet_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
