/* Frames: the builder, the getters, gathering and sorting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "frame/frame.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { I64, F64, I32, F32, TIME, TEXT, COLUMNS };

static const struct frame_field fields[COLUMNS] = {
    {"i64", FRAME_I64}, {"f64", FRAME_F64},   {"i32", FRAME_I32},
    {"f32", FRAME_F32}, {"time", FRAME_TIME}, {"text", FRAME_TEXT},
};

static struct frame_builder *make_builder(size_t rows_hint)
{
    struct frame_builder *builder = NULL;
    struct err err;
    enum err_code code = frame_builder_create(fields, COLUMNS, rows_hint, &builder, &err);

    assert_int_equal(code, ERR_OK);
    return builder;
}

static struct frame *finish(struct frame_builder *builder)
{
    struct frame *frame = NULL;
    struct err err;
    enum err_code code = frame_builder_finish(builder, &frame, &err);

    assert_int_equal(code, ERR_OK);
    assert_non_null(frame);
    return frame;
}

static void set_row(struct frame_builder *builder, int number, const char *text)
{
    frame_set_i64(builder, I64, INT64_MAX - number);
    frame_set_f64(builder, F64, number / 3.0);
    frame_set_i64(builder, I32, INT32_MIN + number);
    frame_set_f64(builder, F32, number / 3.0);
    frame_set_i64(builder, TIME, -number);
    frame_set_text(builder, TEXT, text_of(text));
}

static void values_come_back(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(0);

    for (int row = 0; row < 1000; row++) { /* grows several times */
        set_row(builder, row, row % 2 == 0 ? "even" : "odd");
        frame_next_row(builder);
    }
    struct frame *frame = finish(builder);
    frame_builder_destroy(builder);
    assert_int_equal(frame_rows(frame), 1000);
    assert_int_equal(frame_columns(frame), COLUMNS);
    assert_int_equal(frame_dictionary_count(frame, TEXT), 2);
    assert_string_equal(frame_dictionary_text(frame, TEXT, 1), "odd");
    for (int row = 0; row < 1000; row++) {
        assert_int_equal(frame_i64(frame, I64)[row], INT64_MAX - row);
        assert_true(frame_f64(frame, F64)[row] == row / 3.0);
        assert_int_equal(frame_i32(frame, I32)[row], INT32_MIN + row);
        assert_true(frame_f32(frame, F32)[row] == (float)(row / 3.0));
        assert_int_equal(frame_i64(frame, TIME)[row], -row);
        assert_int_equal(frame_i32(frame, TEXT)[row], row % 2);
        assert_string_equal(frame_text(frame, TEXT, (size_t)row), row % 2 == 0 ? "even" : "odd");
        for (size_t column = 0; column < COLUMNS; column++)
            assert_true(frame_is_present(frame, column, (size_t)row));
    }
    frame_destroy(frame);
}

static void columns_are_found_and_aligned(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(5);
    struct frame *frame = finish(builder);

    for (size_t column = 0; column < COLUMNS; column++) {
        assert_string_equal(frame_name(frame, column), fields[column].name);
        assert_int_equal(frame_column_type(frame, column), fields[column].type);
        assert_int_equal(frame_find(frame, fields[column].name), column);
    }
    assert_int_equal(frame_find(frame, "I64"), -1);
    assert_int_equal(frame_find(frame, ""), -1);
    assert_int_equal((uintptr_t)frame_i64(frame, I64) % 64, 0);
    assert_int_equal((uintptr_t)frame_f32(frame, F32) % 64, 0);
    assert_int_equal(frame_rows(frame), 0);
    assert_int_equal(frame_dictionary_count(frame, TEXT), 0);
    frame_destroy(frame);
    frame_destroy(NULL);
    frame_builder_destroy(builder);
    frame_builder_destroy(NULL);
}

static void missing_values_read_as_documented(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(0);

    for (int row = 0; row < 200; row++) {
        if (row % 3 == 0)
            set_row(builder, row + 1, "here");
        frame_next_row(builder);
    }
    struct frame *frame = finish(builder);
    for (size_t row = 0; row < 200; row++) {
        for (size_t column = 0; column < COLUMNS; column++)
            assert_int_equal(frame_is_present(frame, column, row), row % 3 == 0);
        if (row % 3 == 0)
            continue;
        assert_int_equal(frame_i64(frame, I64)[row], 0);
        assert_true(isnan(frame_f64(frame, F64)[row]));
        assert_int_equal(frame_i32(frame, I32)[row], 0);
        assert_true(isnan(frame_f32(frame, F32)[row]));
        assert_int_equal(frame_i64(frame, TIME)[row], 0);
        assert_int_equal(frame_i32(frame, TEXT)[row], -1);
        assert_string_equal(frame_text(frame, TEXT, row), "");
    }
    frame_destroy(frame);
    frame_builder_destroy(builder);
}

static void nan_is_missing_and_empty_text_is_not(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(0);

    frame_set_f64(builder, F64, 1);
    frame_set_f64(builder, F64, NAN); /* the last one counts */
    frame_set_f64(builder, F32, INFINITY);
    frame_set_text(builder, TEXT, text_of(""));
    frame_next_row(builder);
    frame_set_text(builder, TEXT, (struct text){"ab\0cd", 5});
    frame_set_i64(builder, I64, 1);
    frame_set_i64(builder, I64, 2);
    frame_next_row(builder);
    struct frame *frame = finish(builder);
    assert_false(frame_is_present(frame, F64, 0));
    assert_true(isnan(frame_f64(frame, F64)[0]));
    assert_true(frame_is_present(frame, F32, 0));
    assert_true(isinf(frame_f32(frame, F32)[0]));
    assert_true(frame_is_present(frame, TEXT, 0));
    assert_int_equal(frame_i32(frame, TEXT)[0], 0);
    assert_string_equal(frame_text(frame, TEXT, 0), "");
    assert_string_equal(frame_text(frame, TEXT, 1), "ab");
    assert_int_equal(frame_i64(frame, I64)[1], 2);
    frame_destroy(frame);
    frame_builder_destroy(builder);
}

static void dropped_row_leaves_no_trace(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(0);

    frame_drop_row(builder); /* nothing there yet */
    set_row(builder, 1, "kept");
    frame_next_row(builder);
    set_row(builder, 2, "dropped");
    frame_drop_row(builder);
    frame_set_i64(builder, I64, 3);
    frame_next_row(builder);
    set_row(builder, 4, "unfinished"); /* finish drops it */
    struct frame *frame = finish(builder);
    assert_int_equal(frame_rows(frame), 2);
    assert_int_equal(frame_i64(frame, I64)[1], 3);
    for (size_t column = F64; column < COLUMNS; column++)
        assert_false(frame_is_present(frame, column, 1));
    assert_true(isnan(frame_f64(frame, F64)[1]));
    assert_int_equal(frame_i32(frame, TEXT)[1], -1);
    frame_destroy(frame);
    frame_builder_destroy(builder);
}

static void builder_can_be_used_again(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(0);

    set_row(builder, 1, "first");
    frame_next_row(builder);
    struct frame *first = finish(builder);
    set_row(builder, 2, "second");
    frame_next_row(builder);
    struct frame *second = finish(builder);
    struct frame *third = finish(builder);
    frame_builder_destroy(builder);
    assert_string_equal(frame_text(first, TEXT, 0), "first");
    assert_string_equal(frame_text(second, TEXT, 0), "second");
    assert_int_equal(frame_i32(second, TEXT)[0], 0); /* a dictionary of its own */
    assert_int_equal(frame_rows(third), 0);
    frame_destroy(first);
    frame_destroy(second);
    frame_destroy(third);
}

static void texts_by_code(void **state)
{
    struct frame_builder *builder = make_builder(0);

    (void)state;
    int32_t one = frame_text_code(builder, TEXT, text_of("one")),
            two = frame_text_code(builder, TEXT, text_of("two"));
    assert_int_equal(frame_text_code(builder, TEXT, text_of("one")), one);
    frame_set_code(builder, TEXT, two);
    frame_next_row(builder);
    frame_next_row(builder);
    frame_set_text(builder, TEXT, text_of("one"));
    frame_next_row(builder);
    struct frame *frame = finish(builder);
    assert_string_equal(frame_text(frame, TEXT, 0), "two");
    assert_false(frame_is_present(frame, TEXT, 1));
    assert_int_equal(frame_i32(frame, TEXT)[2], one);
    assert_int_equal(frame_dictionary_count(frame, TEXT), 2);
    frame_destroy(frame);
    frame_builder_destroy(builder);
}

static void number_beyond_32_bits_fails_at_finish(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(0);
    struct frame *frame = NULL;
    struct err err;

    frame_next_row(builder);
    frame_set_i64(builder, I32, (int64_t)INT32_MAX + 1);
    set_row(builder, 1, "ignored");
    frame_next_row(builder);
    assert_int_equal(frame_builder_finish(builder, &frame, &err), ERR_INVALID);
    assert_null(frame);
    assert_string_equal(err.text, "column 'i32' row 1: 2147483648 does not fit 32 bits");
    set_row(builder, 1, "again"); /* the error is over with finish */
    frame_next_row(builder);
    frame = finish(builder);
    assert_int_equal(frame_rows(frame), 1);
    frame_destroy(frame);
    frame_builder_destroy(builder);
}

static void bad_fields_are_refused(void **state)
{
    (void)state;
    struct frame_builder *builder = NULL;
    struct err err;
    const struct frame_field twice[] = {{"a", FRAME_I64}, {"b", FRAME_I64}, {"a", FRAME_TEXT}};
    const struct frame_field nameless[] = {{"", FRAME_I64}};
    const struct frame_field typeless[] = {{"a", (enum frame_type)17}};

    assert_int_equal(frame_builder_create(twice, 3, 0, &builder, &err), ERR_INVALID);
    assert_string_equal(err.text, "two columns are called 'a'");
    assert_int_equal(frame_builder_create(nameless, 1, 0, &builder, &err), ERR_INVALID);
    assert_int_equal(frame_builder_create(typeless, 1, 0, &builder, &err), ERR_INVALID);
    assert_int_equal(frame_builder_create(twice, 0, 0, &builder, &err), ERR_INVALID);
    assert_int_equal(frame_builder_create(twice, 100000, 0, &builder, &err), ERR_TOO_LARGE);
    assert_int_equal(frame_builder_create(twice, 2, SIZE_MAX, &builder, &err), ERR_TOO_LARGE);
    assert_null(builder);
}

/* ---- gather ---- */

static void gather_picks_rows_in_order(void **state)
{
    (void)state;
    struct frame_builder *builder = make_builder(0);
    struct frame *picked = NULL;
    struct err err;
    static const uint32_t index[] = {9, 0, 3, 3, 4};
    static const uint32_t even[] = {0, 2, 4, 6, 8};
    char name[16];

    for (int row = 0; row < 10; row++) {
        snprintf(name, sizeof name, "n%d", row);
        if (row % 2 == 0)
            set_row(builder, row, name);
        frame_next_row(builder);
    }
    struct frame *frame = finish(builder);
    frame_builder_destroy(builder);
    assert_int_equal(frame_gather(frame, index, 5, &picked, &err), ERR_OK);
    assert_int_equal(frame_rows(picked), 5);
    for (size_t place = 0; place < 5; place++) {
        assert_int_equal(frame_is_present(picked, I64, place), index[place] % 2 == 0);
        assert_int_equal(frame_i64(picked, I64)[place], frame_i64(frame, I64)[index[place]]);
        assert_int_equal(frame_i32(picked, I32)[place], frame_i32(frame, I32)[index[place]]);
        assert_string_equal(frame_text(picked, TEXT, place), frame_text(frame, TEXT, index[place]));
    }
    assert_string_equal(frame_name(picked, F32), "f32");
    frame_destroy(picked);
    assert_int_equal(frame_gather(frame, even, 5, &picked, &err), ERR_OK);
    frame_destroy(frame); /* the gathered one stands alone */
    for (size_t place = 0; place < 5; place++) {
        assert_true(frame_is_present(picked, F64, place));
        assert_int_equal(frame_text(picked, TEXT, place)[1], '0' + (int)even[place]);
    }
    struct frame *none = NULL;
    assert_int_equal(frame_gather(picked, NULL, 0, &none, &err), ERR_OK);
    assert_int_equal(frame_rows(none), 0);
    frame_destroy(none);
    frame_destroy(picked);
}

/* ---- sort ---- */

static void assert_order(const struct frame *frame, size_t column, const uint32_t *expected)
{
    uint32_t order[16];
    struct err err;

    assert_int_equal(frame_sort_order(frame, &column, 1, order, &err), ERR_OK);
    for (size_t place = 0; place < frame_rows(frame); place++)
        assert_int_equal(order[place], expected[place]);
}

static void each_type_sorts_missing_first(void **state)
{
    (void)state;
    static const double reals[] = {2.5, -0.0, 0.0, -1e300, INFINITY, -INFINITY, 1e-310};
    static const int64_t whole[] = {5, -1, 0, INT64_MIN, INT64_MAX, 5, 256};
    static const int32_t small[] = {5, -1, 0, INT32_MIN, INT32_MAX, 5, 256};
    static const char *const texts[] = {"b", "a", "\xc3\xa9", "", "B", "ab", "a"};
    static const uint32_t by_real[] = {7, 5, 3, 1, 2, 6, 0, 4};
    static const uint32_t by_whole[] = {7, 3, 1, 2, 0, 5, 6, 4};
    static const uint32_t by_text[] = {7, 3, 4, 1, 6, 5, 0, 2};
    static const uint32_t by_single[] = {7, 5, 3, 1, 2, 6, 0, 4}; /* -1e300 becomes -inf, 1e-310 becomes 0 */
    struct frame_builder *builder = make_builder(0);

    for (size_t row = 0; row < 7; row++) {
        frame_set_f64(builder, F64, reals[row]);
        frame_set_f64(builder, F32, row == 3 ? -1e30 : reals[row]);
        frame_set_i64(builder, I64, whole[row]);
        frame_set_i64(builder, TIME, whole[row]);
        frame_set_i64(builder, I32, small[row]);
        frame_set_text(builder, TEXT, text_of(texts[row]));
        frame_next_row(builder);
    }
    frame_next_row(builder); /* all missing */
    struct frame *frame = finish(builder);
    frame_builder_destroy(builder);
    assert_order(frame, F64, by_real);
    assert_order(frame, I64, by_whole);
    assert_order(frame, TIME, by_whole);
    assert_order(frame, I32, by_whole);
    assert_order(frame, TEXT, by_text);
    assert_order(frame, F32, by_single);
    frame_destroy(frame);
}

/* The order the documentation promises, the slow way. */
static int compare_rows(const struct frame *frame, uint32_t left, uint32_t right)
{
    static const size_t columns[] = {TEXT, F64, I32, TIME};

    for (size_t index = 0; index < 4; index++) {
        size_t column = columns[index];
        bool has_left = frame_is_present(frame, column, left),
             has_right = frame_is_present(frame, column, right);
        if (has_left != has_right)
            return has_left ? 1 : -1;
        if (!has_left)
            continue;
        int difference = 0;
        if (column == TEXT) {
            difference = strcmp(frame_text(frame, TEXT, left), frame_text(frame, TEXT, right));
        } else if (column == F64) {
            double a = frame_f64(frame, F64)[left], b = frame_f64(frame, F64)[right];
            difference = (a > b) - (a < b);
        } else {
            int64_t a = column == I32 ? frame_i32(frame, I32)[left] : frame_i64(frame, TIME)[left];
            int64_t b = column == I32 ? frame_i32(frame, I32)[right] : frame_i64(frame, TIME)[right];
            difference = (a > b) - (a < b);
        }
        if (difference != 0)
            return difference;
    }
    return left < right ? -1 : 1; /* stable */
}

static struct frame *make_random_frame(size_t rows)
{
    static const char *const texts[] = {"delta", "alpha", "charlie", "bravo"};
    struct frame_builder *builder = make_builder(rows);
    struct random random;

    random_init(&random, 11);
    for (size_t row = 0; row < rows; row++) {
        if (random_below(&random, 10) > 0)
            frame_set_text(builder, TEXT, text_of(texts[random_below(&random, 4)]));
        if (random_below(&random, 10) > 0)
            frame_set_f64(builder, F64, (double)random_below(&random, 5) - 2);
        if (random_below(&random, 10) > 0)
            frame_set_i64(builder, I32, (int64_t)random_below(&random, 7) - 3);
        if (random_below(&random, 10) > 0)
            frame_set_i64(builder, TIME, ((int64_t)random_below(&random, 5) - 2) * INT64_C(1000000000000));
        frame_next_row(builder);
    }
    struct frame *frame = finish(builder);
    frame_builder_destroy(builder);
    return frame;
}

static void four_columns_sort_stably(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    static const size_t columns[] = {TEXT, F64, I32, TIME};
    static uint32_t order[ROWS];
    static bool seen[ROWS];
    struct err err;
    struct frame *frame = make_random_frame(ROWS);

    assert_int_equal(frame_sort_order(frame, columns, 4, order, &err), ERR_OK);
    for (size_t place = 0; place < ROWS; place++) {
        assert_in_range(order[place], 0, ROWS - 1);
        assert_false(seen[order[place]]);
        seen[order[place]] = true;
        if (place > 0)
            assert_true(compare_rows(frame, order[place - 1], order[place]) < 0);
    }
    frame_destroy(frame);
}

static void sorting_few_rows_or_by_nothing(void **state)
{
    (void)state;
    struct frame *one = make_random_frame(1), *three = make_random_frame(3), *none = make_random_frame(0);
    const size_t column = TEXT;
    uint32_t order[3] = {9, 9, 9};
    struct err err;

    assert_int_equal(frame_sort_order(none, &column, 1, order, &err), ERR_OK);
    assert_int_equal(order[0], 9);
    assert_int_equal(frame_sort_order(one, &column, 1, order, &err), ERR_OK);
    assert_int_equal(order[0], 0);
    assert_int_equal(frame_sort_order(three, NULL, 0, order, &err), ERR_OK);
    assert_int_equal(order[0] + 10 * order[1] + 100 * order[2], 210);
    frame_destroy(one);
    frame_destroy(three);
    frame_destroy(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(columns_are_found_and_aligned),
        cmocka_unit_test(missing_values_read_as_documented),
        cmocka_unit_test(nan_is_missing_and_empty_text_is_not),
        cmocka_unit_test(dropped_row_leaves_no_trace),
        cmocka_unit_test(builder_can_be_used_again),
        cmocka_unit_test(texts_by_code),
        cmocka_unit_test(number_beyond_32_bits_fails_at_finish),
        cmocka_unit_test(bad_fields_are_refused),
        cmocka_unit_test(gather_picks_rows_in_order),
        cmocka_unit_test(each_type_sorts_missing_first),
        cmocka_unit_test(four_columns_sort_stably),
        cmocka_unit_test(sorting_few_rows_or_by_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
