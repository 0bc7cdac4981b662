/* Splits: days stay whole, training comes before judging, the embargo, and what cannot be split. */
#include "learn/split.h"

#include "base/time.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS = 1000 };
static int64_t time_us[ROWS], block[ROWS];
static struct dataset data;

/* Days of 1 to 7 matches, two hours apart from noon on. */
static int setup(void **state)
{
    (void)state;
    int64_t day = 18000;
    for (int row = 0, left = 1, size = 1; row < ROWS; row++) {
        block[row] = day;
        time_us[row] = day * TIME_DAY_US + (12 + 2 * (size - left)) * TIME_HOUR_US;
        if (--left == 0) {
            day += 1 + day % 3;
            left = size = 1 + (int)(day % 7);
        }
    }
    data = (struct dataset){.rows = ROWS, .columns = 1, .classes = 3, .time_us = time_us, .block = block};
    return 0;
}

static void assert_sound(const struct split *split)
{
    assert_true(split->train_begin == 0 && split->train_begin < split->train_end);
    assert_true(split->train_end <= split->test_begin && split->test_begin < split->test_end);
    assert_true(block[split->train_end - 1] < block[split->test_begin]);
    assert_true(split->test_end == ROWS || block[split->test_end - 1] < block[split->test_end]);
}

static void test_holdout_keeps_days_whole(void **state)
{
    (void)state;
    struct split split;
    for (int percent = 1; percent < 99; percent++) {
        assert_int_equal(split_holdout(&data, percent / 100., 0, &split, NULL), 0);
        assert_sound(&split);
        assert_int_equal(split.train_end, split.test_begin); /* nothing lost without embargo */
        assert_int_equal(split.test_end, ROWS);
        assert_true(fabs((double)(ROWS - split.test_begin) - 10 * percent) <=
                    4); /* half of the longest day */
    }
}

static void test_embargo_drops_the_last_rows_only(void **state)
{
    (void)state;
    struct split plain, split;
    assert_int_equal(split_holdout(&data, 0.2, 0, &plain, NULL), 0);
    int64_t start_us = time_us[plain.test_begin], gap_us = start_us - time_us[plain.test_begin - 1];
    assert_int_equal(split_holdout(&data, 0.2, gap_us, &split, NULL), 0);
    assert_int_equal(split.train_end, plain.train_end); /* exactly the embargo before is far enough */
    assert_int_equal(split_holdout(&data, 0.2, gap_us + 1, &split, NULL), 0);
    assert_int_equal(split.train_end, plain.train_end - 1);
    assert_int_equal(split_holdout(&data, 0.2, 10 * TIME_DAY_US, &split, NULL), 0);
    assert_sound(&split);
    assert_int_equal(split.test_begin, plain.test_begin);
    assert_true(start_us - time_us[split.train_end - 1] >= 10 * TIME_DAY_US);
    assert_true(start_us - time_us[split.train_end] < 10 * TIME_DAY_US);
}

static void test_expanding_folds_tile_the_rows(void **state)
{
    (void)state;
    struct split folds[8];
    for (size_t count = 1; count <= 8; count++) {
        assert_int_equal(split_expanding(&data, count, 3 * TIME_DAY_US, folds, NULL), 0);
        for (size_t fold = 0; fold < count; fold++) {
            assert_sound(&folds[fold]);
            assert_true(time_us[folds[fold].test_begin] - time_us[folds[fold].train_end - 1] >=
                        3 * TIME_DAY_US);
            double ideal = (double)ROWS * (double)(fold + 1) / (double)(count + 1);
            assert_true(fabs((double)folds[fold].test_begin - ideal) <= 4.5);
            assert_int_equal(folds[fold].test_end, fold + 1 < count ? folds[fold + 1].test_begin : ROWS);
        }
    }
}

static void test_what_cannot_be_split(void **state)
{
    (void)state;
    struct split split[8];
    struct err err;
    const double shares[] = {0, 1, -0.5, 2, NAN};
    for (size_t index = 0; index < sizeof shares / sizeof *shares; index++)
        assert_int_equal(split_holdout(&data, shares[index], 0, split, &err), ERR_INVALID);
    assert_int_equal(split_holdout(&data, 0.2, -1, split, &err), ERR_INVALID);
    assert_int_equal(split_holdout(&data, 0.2, INT64_MAX, split, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "embargo"));
    assert_int_equal(split_expanding(&data, 0, 0, split, &err), ERR_INVALID);
    assert_int_equal(split_expanding(&data, 2, -1, split, &err), ERR_INVALID);
    assert_int_equal(split_expanding(&data, ROWS, 0, split, &err), ERR_INVALID);
    assert_int_equal(split_expanding(&data, 2, INT64_MAX, split, &err), ERR_INVALID);
    struct dataset empty = data, day = data;
    empty.rows = 0;
    assert_int_equal(split_holdout(&empty, 0.2, 0, split, &err), ERR_INVALID);
    assert_int_equal(split_expanding(&empty, 1, 0, split, &err), ERR_INVALID);
    int64_t one_day[6] = {5, 5, 5, 5, 5, 6};
    day.rows = 5;
    day.block = one_day;
    assert_int_equal(split_holdout(&day, 0.5, 0, split, &err), ERR_INVALID);
    day.rows = 6;
    assert_int_equal(split_expanding(&day, 3, 0, split, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "too few"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holdout_keeps_days_whole),
        cmocka_unit_test(test_embargo_drops_the_last_rows_only),
        cmocka_unit_test(test_expanding_folds_tile_the_rows),
        cmocka_unit_test(test_what_cannot_be_split),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
