/* Columns of our memory: inserted, and read in place. */
#include "base/time.h"
#include "duck/test_engine.h"
#include "os/test_folder.h"

#include <math.h>
#include <string.h>

static struct test_folder inside, outside;

/* ---- columns of our memory ---- */

enum { ROWS = 5000, WIDTH = 3 }; /* more than two chunks, no multiple of one */

struct sample {
    int64_t id[ROWS], start_us[ROWS];
    int32_t label[ROWS][2], code[ROWS];
    const char *text[ROWS];
    float matrix[ROWS][WIDTH];
};

static struct sample *sample_create(void)
{
    static const char *const texts[] = {"short", "a text that is longer than twelve bytes", "", "it's"};
    struct sample *sample = calloc(1, sizeof *sample);
    assert_non_null(sample);
    for (int i = 0; i < ROWS; i++) {
        sample->id[i] = i;
        sample->start_us[i] = i % 11 == 0 ? TIME_NONE : i * TIME_DAY_US + 1;
        sample->label[i][0] = i % 13 == 0 ? INT32_MIN : i % 3;
        sample->code[i] = i % 5 - 1;
        sample->text[i] = i % 7 == 0 ? NULL : texts[i % 4];
        for (int j = 0; j < WIDTH; j++)
            sample->matrix[i][j] = i % (j + 2) == 0 ? NAN : (float)i / (float)(j + 3);
    }
    return sample;
}

static const char *const code_texts[] = {"E0", "E1", "SC0", "a league of a long name"};
static const char *const sample_names[] = {"id", "start", "label", "code", "text", "f0", "f2"};
enum { SAMPLE_COLUMNS = 7 };

static void sample_columns(const struct sample *sample, struct duck_column out[SAMPLE_COLUMNS])
{
    const struct duck_column columns[SAMPLE_COLUMNS] = {
        {DUCK_COLUMN_I64, sample->id, 1},
        {DUCK_COLUMN_TIMESTAMP, sample->start_us, 1},
        {DUCK_COLUMN_I32, sample->label, 2},
        {DUCK_COLUMN_CODE, sample->code, 1, .texts = code_texts},
        {DUCK_COLUMN_TEXT, sample->text, 1},
        {DUCK_COLUMN_F32, &sample->matrix[0][0], WIDTH},
        {DUCK_COLUMN_F32, &sample->matrix[0][2], WIDTH, .nan_is_null = true},
    };
    memcpy(out, columns, sizeof columns);
}

static void expect_text_cell(const struct duck_result *result, size_t column, const char *expected)
{
    assert_int_equal(duck_is_null(result, column), expected == NULL);
    assert_string_equal(duck_text(result, column), expected != NULL ? expected : "");
}

static void expect_sample(struct duck *duck, const char *sql, const struct sample *sample)
{
    struct duck_result *result = query(duck, sql);
    struct err err;
    bool has_row = true;
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(duck_result_next(result, &has_row, &err), ERR_OK);
        assert_true(has_row);
        assert_int_equal(duck_i64(result, 0), i);
        assert_int_equal(duck_is_null(result, 1), i % 11 == 0);
        assert_int_equal(duck_i64(result, 1), i % 11 == 0 ? 0 : sample->start_us[i]);
        assert_int_equal(duck_is_null(result, 2), i % 13 == 0);
        assert_int_equal(duck_i64(result, 2), i % 13 == 0 ? 0 : i % 3);
        expect_text_cell(result, 3, i % 5 == 0 ? NULL : code_texts[i % 5 - 1]);
        expect_text_cell(result, 4, sample->text[i]);
        assert_false(duck_is_null(result, 5)); /* NaN stays */
        assert_true(isnan(sample->matrix[i][0]) ? isnan(duck_f64(result, 5))
                                                : (float)duck_f64(result, 5) == sample->matrix[i][0]);
        assert_int_equal(duck_is_null(result, 6), isnan(sample->matrix[i][2]));
        assert_true(duck_is_null(result, 6) || (float)duck_f64(result, 6) == sample->matrix[i][2]);
    }
    assert_int_equal(duck_result_next(result, &has_row, &err), ERR_OK);
    assert_false(has_row);
    duck_result_destroy(result);
}

static void columns_are_inserted(void **state)
{
    struct sample *sample = sample_create();
    struct duck_column columns[SAMPLE_COLUMNS];
    struct duck *duck = open_engine(NULL);
    struct err err = {.code = ERR_OK};
    (void)state;
    sample_columns(sample, columns);
    run(duck,
        "CREATE TABLE t(id BIGINT, start TIMESTAMP, label INT, code VARCHAR, text VARCHAR, f0 FLOAT, f2 "
        "FLOAT)");
    assert_int_equal(duck_append(duck, "t", columns, SAMPLE_COLUMNS, ROWS, &err), ERR_OK);
    expect_sample(duck, "FROM t", sample);
    assert_int_equal(duck_append(duck, "t", columns, SAMPLE_COLUMNS, 0, &err),
                     ERR_OK); /* no rows: no change */
    assert_int_equal(duck_append(duck, "t", columns, SAMPLE_COLUMNS, 1, &err), ERR_OK);
    expect_text(duck, "SELECT count(*) FROM t", "5001");
    struct duck_result *half_read = first_row(duck, "SELECT range FROM range(100000)");
    assert_int_equal(duck_append(duck, "t", columns, SAMPLE_COLUMNS, 1, &err), ERR_OK);
    duck_result_destroy(half_read);
    expect_text(duck, "SELECT count(*) FROM t", "5002");
    run(duck, "CREATE TABLE wide(id VARCHAR, x DOUBLE)"); /* of other types: values are cast */
    const struct duck_column two[] = {columns[0], columns[5]};
    assert_int_equal(duck_append(duck, "wide", two, 2, 3, &err), ERR_OK);
    expect_text(duck, "SELECT x FROM wide WHERE id = '1'", "0.3333333432674408");
    duck_close(duck);
    free(sample);
}

static void insertion_says_what_is_wrong(void **state)
{
    struct sample *sample = sample_create();
    struct duck_column columns[SAMPLE_COLUMNS];
    struct duck *duck = open_engine(NULL);
    struct err err = {.code = ERR_OK};
    (void)state;
    sample_columns(sample, columns);
    assert_int_equal(duck_append(duck, "nowhere", columns, 1, ROWS, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "nowhere"));
    run(duck, "CREATE TABLE t(a BIGINT, b BIGINT)");
    assert_int_equal(duck_append(duck, "t", columns, 1, ROWS, &err), ERR_INVALID);
    run(duck, "CREATE TABLE k(a BIGINT PRIMARY KEY)");
    assert_int_equal(duck_append(duck, "k", columns, 1, ROWS, &err), ERR_OK);
    assert_int_equal(duck_append(duck, "k", columns, 1, ROWS, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "primary key"));
    expect_text(duck, "SELECT count(*) FROM k", "5000"); /* all or nothing */
    duck_close(duck);
    free(sample);
}

static void columns_are_read_in_place(void **state)
{
    const char *folders[] = {inside.path, NULL};
    char sql[FILE_PATH_BYTES + 64];
    struct sample *sample = sample_create();
    struct duck_column columns[SAMPLE_COLUMNS];
    struct duck *duck = open_engine(folders);
    struct err err = {.code = ERR_OK};
    (void)state;
    sample_columns(sample, columns);
    assert_int_equal(duck_expose(duck, "sample rows", sample_names, columns, SAMPLE_COLUMNS, ROWS, &err),
                     ERR_OK);
    expect_sample(duck, "FROM \"sample rows\"", sample);
    expect_text(duck, "SELECT count(*) FROM \"sample rows\"", "5000");
    expect_text(duck, "SELECT f2 FROM \"sample rows\" WHERE id = 4999", "999.8");
    expect_text(duck, "SELECT count(f2) + max(id) FROM \"sample rows\" WHERE code = 'SC0'",
                "5748"); /* 750 + 4998 */
    snprintf(sql, sizeof sql, "COPY \"sample rows\" TO '%s/s.parquet' (ROW_GROUP_SIZE 2048)", inside.path);
    run(duck, sql);
    snprintf(sql, sizeof sql, "FROM '%s/s.parquet'", inside.path);
    expect_sample(duck, sql, sample);
    assert_int_equal(duck_expose(duck, "none", sample_names, columns, 1, 0, &err), ERR_OK);
    expect_text(duck, "SELECT count(*) FROM none", "0");
    if (duck_expose(duck, "none", sample_names, columns, 2, 9, &err) != ERR_OK) /* another */
        fail_msg("%s", err.text);
    expect_text(duck, "SELECT sum(id) FROM none", "36");
    duck_close(duck);
    free(sample);
}

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&inside);
    test_folder_create(&outside);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(&inside);
    test_folder_remove(&outside);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_inserted),
        cmocka_unit_test(insertion_says_what_is_wrong),
        cmocka_unit_test_setup_teardown(columns_are_read_in_place, set_up, tear_down),
    };
    return !library_is_there() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
