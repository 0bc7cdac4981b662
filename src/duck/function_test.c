/* Functions of SQL that C answers: values, NULLs, several chunks and threads, names that are bound again. */
#include "duck/duck.h"
#include "duck/test_engine.h"

#include <stdatomic.h>

enum { ROWS = 300000 };

static const enum duck_column_kind two[] = {DUCK_COLUMN_I64, DUCK_COLUMN_F32};
static atomic_size_t calls, rows_seen;

static bool is_set(const uint64_t *bits, size_t row)
{
    return bits == NULL || (bits[row / 64] >> (row % 64) & 1) != 0;
}

/* first * context + second; NULL where either is, and for first = 7. */
static void weigh(void *context, const struct duck_call *call)
{
    const int64_t *first = call->arguments[0];
    const float *second = call->arguments[1];
    int64_t *out = call->out;
    for (size_t i = 0; i < call->row_count; i++) {
        bool is_there = is_set(call->is_set[0], i) && is_set(call->is_set[1], i) && first[i] != 7;
        out[i] = is_there ? first[i] * *(const int64_t *)context + (int64_t)second[i] : 0;
        if (!is_there)
            call->out_is_set[i / 64] &= ~(UINT64_C(1) << (i % 64));
    }
    atomic_fetch_add(&calls, 1);
    atomic_fetch_add(&rows_seen, call->row_count);
}

static void bind(struct duck *duck, int64_t *factor)
{
    struct err err = {0};
    const struct duck_function function = {"weigh", two, 2, DUCK_COLUMN_I64, weigh, factor};
    assert_int_equal(duck_bind_function(duck, &function, &err), ERR_OK);
}

static int64_t ask(struct duck *duck, const char *sql, bool *out_null)
{
    struct duck_result *result = first_row(duck, sql);
    *out_null = duck_is_null(result, 0);
    int64_t value = *out_null ? 0 : duck_i64(result, 0);
    duck_result_destroy(result);
    return value;
}

static void answers_come_row_by_row(void **state)
{
    int64_t factor = 10;
    bool is_null;
    (void)state;
    struct duck *duck = open_engine(NULL);
    bind(duck, &factor);
    assert_int_equal(ask(duck, "SELECT weigh(4, 2.5)", &is_null), 42);
    (void)ask(duck, "SELECT weigh(7, 1)", &is_null);
    assert_true(is_null);
    (void)ask(duck, "SELECT weigh(NULL, 1)", &is_null);
    assert_true(is_null);
    (void)ask(duck, "SELECT weigh(1, NULL)", &is_null);
    assert_true(is_null);
    duck_close(duck);
}

static void large_tables_come_in_chunks(void **state)
{
    int64_t factor = 3;
    bool is_null;
    (void)state;
    struct duck *duck = open_engine(NULL);
    bind(duck, &factor);
    atomic_store(&calls, 0);
    atomic_store(&rows_seen, 0);
    run(duck, "CREATE TABLE t AS SELECT range AS n FROM range(300000)");
    int64_t sum = ask(duck, "SELECT sum(weigh(n, CASE WHEN n % 2 = 0 THEN 1 END))::BIGINT FROM t", &is_null);
    int64_t expected = 0;
    for (int64_t n = 0; n < ROWS; n += 2)
        expected += n * 3 + 1;
    assert_int_equal(sum, expected);
    assert_int_equal(atomic_load(&rows_seen), ROWS);
    assert_true(atomic_load(&calls) >= ROWS / 2048);
    duck_close(duck);
}

static void a_name_may_be_bound_again(void **state)
{
    int64_t first = 2, second = 5;
    bool is_null;
    (void)state;
    struct duck *duck = open_engine(NULL);
    bind(duck, &first);
    assert_int_equal(ask(duck, "SELECT weigh(100, 0)", &is_null), 200);
    bind(duck, &second);
    assert_int_equal(ask(duck, "SELECT weigh(100, 0)", &is_null), 500);
    duck_close(duck);
}

static void an_unbound_name_answers_nothing(void **state)
{
    int64_t factor = 2;
    bool is_null;
    (void)state;
    struct duck *duck = open_engine(NULL);
    bind(duck, &factor);
    duck_unbind_function(duck, "weigh");
    duck_unbind_function(duck, "never_bound");
    (void)ask(duck, "SELECT weigh(1, 1)", &is_null);
    assert_true(is_null);
    bind(duck, &factor);
    assert_int_equal(ask(duck, "SELECT weigh(1, 1)", &is_null), 3);
    duck_close(duck);
}

static void other_arguments_are_refused(void **state)
{
    int64_t factor = 1;
    struct err err = {0};
    (void)state;
    struct duck *duck = open_engine(NULL);
    bind(duck, &factor);
    assert_int_equal(duck_query(duck, "SELECT weigh(1)", NULL, 0, NULL, &err), ERR_INVALID);
    assert_int_equal(duck_query(duck, "SELECT weigh('a', DATE '2020-01-01')", NULL, 0, NULL, &err),
                     ERR_INVALID);
    duck_close(duck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_row_by_row),     cmocka_unit_test(large_tables_come_in_chunks),
        cmocka_unit_test(a_name_may_be_bound_again),   cmocka_unit_test(an_unbound_name_answers_nothing),
        cmocka_unit_test(other_arguments_are_refused),
    };
    return !library_is_there() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
