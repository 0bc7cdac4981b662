/* Library, statements, results, streaming, interruption. */
#include "duck/duck.h"
#include "duck/test_engine.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

static void expect_csv(struct duck *duck, const char *sql, const char *expected)
{
    struct buffer out;
    struct err err;
    bool has_more;
    struct duck_result *result = query(duck, sql);
    buffer_init(&out, 1 << 20);
    assert_int_equal(duck_result_write_csv(result, &out, SIZE_MAX, &has_more, &err), ERR_OK);
    assert_string_equal(buffer_text(&out), expected);
    assert_false(has_more);
    buffer_release(&out);
    duck_result_destroy(result);
}

/* ---- library ---- */

static void refuse_library(const char *path, const char *said)
{
    struct err err = {.code = ERR_OK};
    struct duck *duck = NULL;
    const char *version = NULL;
    (void)setenv("ALMANAC_DUCKDB_LIBRARY", path, 1);
    assert_int_equal(duck_open(&(struct duck_options){.threads = 1}, &duck, &err), ERR_UNAVAILABLE);
    assert_null(duck);
    assert_non_null(strstr(err.text, said));
    assert_non_null(strstr(err.text, "ALMANAC_DUCKDB_LIBRARY"));
    assert_int_equal(duck_probe(&version, &err), ERR_UNAVAILABLE);
    assert_string_equal(version, "");
}

/* Runs first: later tests find the library open. */
static void a_missing_library_is_named(void **state)
{
    (void)state;
    const char *was = getenv("ALMANAC_DUCKDB_LIBRARY");
    char *kept = was != NULL ? strdup(was) : NULL;
    refuse_library("/nowhere/libduckdb.so", "/nowhere/libduckdb.so");
    refuse_library("libm.so.6", "duckdb_library_version"); /* a library, but not this one */
    if (kept != NULL)
        (void)setenv("ALMANAC_DUCKDB_LIBRARY", kept, 1);
    else
        (void)unsetenv("ALMANAC_DUCKDB_LIBRARY");
    free(kept);
}

static void its_version_is_known(void **state)
{
    const char *version = NULL;
    (void)state;
    assert_int_equal(duck_probe(&version, NULL), ERR_OK);
    assert_memory_equal(version, "v1.", 3);
}

/* ---- results ---- */

static void csv_is_rfc_4180(void **state)
{
    struct duck *duck = open_engine(NULL);
    (void)state;
    expect_csv(duck, "SELECT 'a,b' AS \"x,\"\"y\", 'q\"q' b, '' c, NULL d, 'l\nm' e, ' pad' f, 1.5 g",
               "\"x,\"\"y\",b,c,d,e,f,g\n\"a,b\",\"q\"\"q\",\"\",,\"l\nm\",\" pad\",1.5\n");
    expect_csv(duck, "SELECT 1 AS a WHERE false", "a\n");
    expect_csv(duck, "CREATE TABLE t(a INT)", "\n");
    duck_close(duck);
}

static void json_keeps_types(void **state)
{
    struct duck *duck = open_engine(NULL);
    struct duck_result *result =
        query(duck, "SELECT range AS a, 'x\"' b, 0.1::FLOAT c, 'nan'::DOUBLE d, NULL e, true f, "
                    "sum(range) OVER () g, 170141183460469231731687303715884105727::HUGEINT h, [1] i, "
                    "1.50::DECIMAL(3,2) j FROM range(3) ORDER BY a");
    struct buffer out;
    struct err err;
    bool has_more = false;
    (void)state;
    buffer_init(&out, 1 << 20);
    assert_int_equal(duck_result_write_json(result, &out, 1, &has_more, &err), ERR_OK);
    assert_true(has_more);
    assert_string_equal(buffer_text(&out),
                        "[{\"a\":0,\"b\":\"x\\\"\",\"c\":0.1,\"d\":null,\"e\":null,\"f\":true,\"g\":3,"
                        "\"h\":\"170141183460469231731687303715884105727\",\"i\":[1],\"j\":1.50}]");
    buffer_release(&out);
    duck_result_destroy(result);
    duck_close(duck);
}

static void a_buffer_too_small_is_an_error(void **state)
{
    struct duck *duck = open_engine(NULL);
    struct duck_result *result = query(duck, "SELECT repeat('x', 100) FROM range(1000)");
    struct buffer out;
    struct err err;
    bool has_more = false;
    (void)state;
    buffer_init(&out, 1000);
    assert_int_equal(duck_result_write_csv(result, &out, SIZE_MAX, &has_more, &err), ERR_TOO_LARGE);
    buffer_release(&out);
    duck_result_destroy(result);
    duck_close(duck);
}

static void values_are_bound(void **state)
{
    struct duck *duck = open_engine(NULL);
    struct duck_result *result = NULL;
    struct err err = {.code = ERR_OK};
    bool has_row;
    const struct duck_value values[] = {{.kind = DUCK_I64, .i64 = INT64_MIN},
                                        {.kind = DUCK_F64, .f64 = -0.5},
                                        {.kind = DUCK_TEXT, .text = "it's"},
                                        {.kind = DUCK_NULL}};
    (void)state;
    assert_int_equal(duck_query(duck, "SELECT $1, $2, $3, $4", values, 4, &result, &err), ERR_OK);
    assert_int_equal(duck_result_next(result, &has_row, &err), ERR_OK);
    assert_int_equal(duck_i64(result, 0), INT64_MIN);
    assert_true(duck_f64(result, 1) == -0.5);
    assert_string_equal(duck_text(result, 2), "it's");
    assert_true(duck_is_null(result, 3));
    assert_int_equal(duck_result_next(result, &has_row, &err), ERR_OK);
    assert_false(has_row);
    assert_int_equal(duck_result_next(result, &has_row, &err), ERR_OK); /* and again */
    assert_false(has_row);
    duck_result_destroy(result);
    assert_int_equal(duck_query(duck, "SELECT $1", values, 2, &result, &err), ERR_INVALID);
    assert_string_equal(err.text, "the statement has 1 parameters, 2 values were given");
    duck_close(duck);
}

static void errors_are_one_line_of_a_kind(void **state)
{
    static const struct {
        const char *sql;
        enum err_code code;
        const char *text;
    } rows[] = {
        {"SELEC 1", ERR_INVALID, "Parser Error"},
        {"SELECT nothing FROM range(1)", ERR_INVALID, "Binder Error"},
        {"SELECT home FROM (SELECT 1 AS homes)", ERR_INVALID, "(Candidate bindings: \"homes\")"},
        {"SELECT 1; SELECT 2", ERR_INVALID, "multiple statements"},
        {"", ERR_INVALID, ""},
        {"SELECT 'x'::INT FROM range(2)", ERR_INVALID, "Conversion Error"},
        {"FROM '/nowhere/at/all.parquet'", ERR_IO, "/nowhere/at/all.parquet"},
    };
    struct duck *duck = open_engine(NULL);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct duck_result *result = NULL;
        struct err err = {.code = ERR_OK};
        bool has_row = true;
        enum err_code code = duck_query(duck, rows[i].sql, NULL, 0, &result, &err);
        if (code == ERR_OK) /* it may fail with the first row only */
            code = duck_result_next(result, &has_row, &err);
        assert_int_equal(code, rows[i].code);
        assert_non_null(strstr(err.text, rows[i].text));
        assert_null(strchr(err.text, '\n'));
        duck_result_destroy(result);
    }
    duck_close(duck);
}

static void quotes_are_doubled(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 64);
    assert_true(duck_quote(&out, "it's"));
    assert_true(duck_quote_name(&out, "a\"b"));
    assert_string_equal(buffer_text(&out), "'it''s'\"a\"\"b\"");
    buffer_release(&out);
    buffer_init(&out, 4);
    assert_false(duck_quote(&out, "too long"));
    buffer_release(&out);
}

static void changes_are_counted(void **state)
{
    struct duck *duck = open_engine(NULL);
    struct duck_result *result;
    (void)state;
    run(duck, "CREATE TABLE t AS FROM range(10)");
    result = query(duck, "DELETE FROM t WHERE range < 3");
    assert_int_equal(duck_result_changes(result), 3);
    assert_int_equal(duck_result_columns(result), 0);
    duck_result_destroy(result);
    duck_close(duck);
}

static int64_t peak_kb(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* 10 million rows of 16 bytes and more would be 200 MB if they were held. */
static void large_results_stream(void **state)
{
    enum { ROWS = 10000000 };
    struct duck *duck = open_engine(NULL);
    struct duck_result *result = query(duck, "SELECT range AS a, range * 2 AS b FROM range(10000000)");
    struct err err;
    bool has_row = true;
    int64_t sum = 0, rows = 0, before_kb = peak_kb();
    (void)state;
    for (;; rows++) {
        assert_int_equal(duck_result_next(result, &has_row, &err), ERR_OK);
        if (!has_row)
            break;
        sum += duck_i64(result, 1) - duck_i64(result, 0);
    }
    assert_int_equal(rows, ROWS);
    assert_int_equal(sum, (int64_t)ROWS * (ROWS - 1) / 2);
    assert_true(peak_kb() - before_kb < 60000);
    duck_result_destroy(result);
    duck_close(duck);
}

static void a_later_statement_ends_a_result(void **state)
{
    struct duck *duck = open_engine(NULL);
    struct duck_result *result = first_row(duck, "SELECT range FROM range(1000000)");
    struct err err = {.code = ERR_OK};
    bool has_row = true;
    enum err_code code = ERR_OK;
    (void)state;
    run(duck, "SELECT 1");
    while (code == ERR_OK && has_row)
        code = duck_result_next(result, &has_row, &err);
    assert_int_equal(code, ERR_CONFLICT);
    assert_false(has_row);
    duck_result_destroy(result);
    duck_close(duck);
}

struct interrupter {
    struct duck *duck;
    atomic_bool is_over;
};

static void *interrupt_until_over(void *context)
{
    struct interrupter *interrupter = context;
    while (!atomic_load(&interrupter->is_over)) { /* the first may come before the statement runs */
        usleep(20000);
        duck_interrupt(interrupter->duck);
    }
    return NULL;
}

static void statements_are_interrupted(void **state)
{
    struct duck *duck = open_engine(NULL);
    struct interrupter interrupter = {.duck = duck};
    struct err err = {.code = ERR_OK};
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_until_over, &interrupter), 0);
    enum err_code code = duck_query(duck,
                                    "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE "
                                    "hash(a.range) + hash(b.range) = 12345",
                                    NULL, 0, NULL, &err);
    atomic_store(&interrupter.is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(code, ERR_CANCELLED);
    expect_text(duck, "SELECT 42", "42"); /* the engine goes on */
    duck_close(duck);
}

static void memory_is_bounded(void **state)
{
    struct duck *duck = NULL;
    struct err err = {.code = ERR_OK};
    struct duck_options options = {.threads = 1, .memory_bytes = 64 << 20};
    (void)state;
    assert_int_equal(duck_open(&options, &duck, &err), ERR_OK);
    assert_int_equal(duck_query(duck, "CREATE TABLE t AS SELECT hash(range) a, uuid() b FROM range(20000000)",
                                NULL, 0, NULL, &err),
                     ERR_NOMEM);
    duck_close(duck);
}

int main(void)
{
    const struct CMUnitTest first[] = {cmocka_unit_test(a_missing_library_is_named)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_version_is_known),       cmocka_unit_test(csv_is_rfc_4180),
        cmocka_unit_test(json_keeps_types),           cmocka_unit_test(a_buffer_too_small_is_an_error),
        cmocka_unit_test(values_are_bound),           cmocka_unit_test(errors_are_one_line_of_a_kind),
        cmocka_unit_test(quotes_are_doubled),         cmocka_unit_test(changes_are_counted),
        cmocka_unit_test(large_results_stream),       cmocka_unit_test(a_later_statement_ends_a_result),
        cmocka_unit_test(statements_are_interrupted), cmocka_unit_test(memory_is_bounded),
    };
    int failed = cmocka_run_group_tests(first, NULL, NULL);
    return !library_is_there() ? failed : failed + cmocka_run_group_tests(tests, NULL, NULL);
}
