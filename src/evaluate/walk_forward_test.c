/* Walk-forward schedules over made seasons: calendar borders, what is known at a refit, days kept whole. */
#include "evaluate/walk_forward.h"

#include "base/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS_MAX = 4000 };
static int64_t time_us[ROWS_MAX], block[ROWS_MAX];
static struct dataset data;

static int64_t at(int year, int month, int day)
{
    return time_day_from_civil(year, month, day) * TIME_DAY_US;
}

/* Three seasons, August to May, three matches (15:00, 17:30, 21:30) every third day. */
static int setup(void **state)
{
    (void)state;
    const int64_t clock_us[3] = {15 * TIME_HOUR_US, 17 * TIME_HOUR_US + 30 * TIME_MINUTE_US,
                                 21 * TIME_HOUR_US + 30 * TIME_MINUTE_US};
    size_t rows = 0;
    for (int year = 2015; year <= 2017; year++)
        for (int64_t day = time_day_from_civil(year, 8, 8); day < time_day_from_civil(year + 1, 5, 20);
             day += 3)
            for (int match = 0; match < 3; match++, rows++) {
                block[rows] = day;
                time_us[rows] = day * TIME_DAY_US + clock_us[match];
            }
    data = (struct dataset){.rows = rows, .columns = 1, .classes = 3, .time_us = time_us, .block = block};
    return 0;
}

static struct walk_plan plan_of(enum walk_cadence cadence)
{
    return (struct walk_plan){.from_us = at(2016, 7, 1),
                              .to_us = at(2018, 7, 1),
                              .cadence = cadence,
                              .embargo_us = 3 * TIME_HOUR_US};
}

static struct walk_forward planned(struct walk_plan plan)
{
    struct walk_forward walk;
    struct err err = {0};
    if (walk_forward_plan(&data, &plan, &walk, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return walk;
}

static size_t rows_between(int64_t from_us, int64_t to_us)
{
    size_t count = 0;
    for (size_t row = 0; row < data.rows; row++)
        count += time_us[row] >= from_us && time_us[row] < to_us;
    return count;
}

/* What every schedule must keep, checked row by row. */
static void assert_sound(const struct walk_forward *walk, const struct walk_plan *plan)
{
    size_t judged = 0;
    for (size_t index = 0; index < walk->count; index++) {
        const struct walk_window *window = &walk->windows[index];
        assert_true(window->train_begin < window->train_end && window->train_end <= window->test_begin);
        assert_true(window->test_begin < window->test_end && window->test_end <= data.rows);
        assert_true(time_us[window->train_end - 1] < window->refit_us - plan->embargo_us);
        assert_true(time_us[window->test_begin] >= window->refit_us);
        assert_true(block[window->train_end - 1] < block[window->test_begin]);
        if (index > 0)
            assert_int_equal(window->test_begin, window[-1].test_end);
        judged += window->test_end - window->test_begin;
    }
    assert_int_equal(judged + walk->skipped_rows, rows_between(plan->from_us, plan->to_us));
}

static void test_months(void **state)
{
    (void)state;
    struct walk_plan plan = plan_of(WALK_MONTHLY);
    struct walk_forward walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_int_equal(walk.count, 20); /* August to May, twice: no window for June and July */
    assert_true(walk.windows[0].refit_us == at(2016, 8, 1) && walk.windows[1].refit_us == at(2016, 9, 1));
    assert_true(walk.windows[5].refit_us == at(2017, 1, 1)); /* over the end of the year */
    assert_int_equal(walk.windows[0].train_begin, 0);
    assert_int_equal(walk.windows[0].train_end, rows_between(at(2015, 1, 1), at(2016, 7, 1)));
    walk_forward_release(&walk);
}

static void test_weeks_begin_on_monday(void **state)
{
    (void)state;
    struct walk_plan plan = plan_of(WALK_WEEKLY);
    plan.from_us = at(2016, 9, 8); /* a Thursday */
    plan.to_us = at(2016, 10, 1);
    struct walk_forward walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_int_equal(walk.count, 4);
    assert_true(walk.windows[0].refit_us == at(2016, 9, 8) && walk.windows[1].refit_us == at(2016, 9, 12));
    assert_true(walk.windows[3].refit_us == at(2016, 9, 26));
    walk_forward_release(&walk);
}

static void test_seasons_and_once(void **state)
{
    (void)state;
    struct walk_plan plan = plan_of(WALK_SEASON);
    struct walk_forward walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_int_equal(walk.count, 2);
    assert_true(walk.windows[1].refit_us == at(2017, 7, 1));
    walk_forward_release(&walk);
    plan.cadence = WALK_ONCE;
    walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_int_equal(walk.count, 1);
    walk_forward_release(&walk);
    plan = plan_of(WALK_SEASON);
    plan.from_us = at(2017, 2, 15); /* in the middle: this season's rest is one window */
    walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_int_equal(walk.count, 2);
    assert_true(walk.windows[0].refit_us == at(2017, 2, 15) && walk.windows[1].refit_us == at(2017, 7, 1));
    walk_forward_release(&walk);
}

static void test_every_n_days_and_rolling(void **state)
{
    (void)state;
    for (int64_t every = 1; every <= 40; every += 13) {
        struct walk_plan plan = plan_of(WALK_DAYS);
        plan.every_days = every;
        plan.window_days = 200;
        struct walk_forward walk = planned(plan);
        assert_sound(&walk, &plan);
        for (size_t index = 0; index < walk.count; index++) {
            const struct walk_window *window = &walk.windows[index];
            assert_int_equal((window->refit_us - plan.from_us) % (every * TIME_DAY_US), 0);
            assert_true(time_us[window->train_begin] >= window->refit_us - 200 * TIME_DAY_US);
            assert_true(window->train_begin == 0 ||
                        time_us[window->train_begin - 1] < window->refit_us - 200 * TIME_DAY_US);
        }
        walk_forward_release(&walk);
    }
}

/* 21:30 of the day before a refit at midnight is not over three hours later: only that match is missing. */
static void test_embargo_drops_unknown_outcomes_only(void **state)
{
    (void)state;
    struct walk_plan plan = plan_of(WALK_ONCE);
    plan.from_us = (block[198] + 1) * TIME_DAY_US;
    struct walk_forward walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_int_equal(walk.windows[0].test_begin, 201);
    assert_int_equal(walk.windows[0].train_end, 200);
    walk_forward_release(&walk);
    plan.embargo_us = 0;
    walk = planned(plan);
    assert_int_equal(walk.windows[0].train_end, 201);
    walk_forward_release(&walk);
    plan.embargo_us = 30 * TIME_DAY_US;
    walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_int_equal(walk.windows[0].train_end, 201 - 30); /* ten match days within 29 days */
    walk_forward_release(&walk);
}

/* Late matches of a day may kick off after midnight UTC: the day still goes to one fit. */
static void test_a_day_is_never_cut(void **state)
{
    (void)state;
    int64_t times[7] = {at(2020, 1, 30), at(2020, 1, 31) + 22 * TIME_HOUR_US,
                        at(2020, 2, 1),  at(2020, 2, 1) + 2 * TIME_HOUR_US,
                        at(2020, 2, 2),  at(2020, 2, 9),
                        at(2020, 3, 2)};
    int64_t days[7] = {1, 2, 2, 2, 4, 11, 33};
    struct dataset late = {.rows = 7, .columns = 1, .classes = 3, .time_us = times, .block = days};
    struct walk_plan plan = {.from_us = at(2020, 1, 31), .to_us = at(2020, 4, 1), .cadence = WALK_MONTHLY};
    struct walk_forward walk;
    assert_int_equal(walk_forward_plan(&late, &plan, &walk, NULL), 0);
    assert_int_equal(walk.count, 3);
    assert_int_equal(walk.windows[0].test_begin, 1);
    assert_int_equal(walk.windows[0].test_end, 4);
    assert_int_equal(walk.windows[1].test_begin, 4);
    assert_int_equal(walk.windows[1].train_end, 2); /* 22:00 was known on 1 February, the two after it not */
    walk_forward_release(&walk);
}

static void test_too_few_training_rows(void **state)
{
    (void)state;
    struct walk_plan plan = plan_of(WALK_MONTHLY);
    plan.from_us = at(2015, 1, 1);
    struct walk_forward walk = planned(plan);
    assert_int_equal(walk.skipped_rows, rows_between(0, at(2015, 9, 1))); /* nothing before the first month */
    assert_sound(&walk, &plan);
    walk_forward_release(&walk);
    plan.least_rows = 100;
    walk = planned(plan);
    assert_sound(&walk, &plan);
    assert_true(walk.windows[0].train_end >= 100 && walk.skipped_rows >= 100);
    walk_forward_release(&walk);
}

static void test_what_cannot_be_planned(void **state)
{
    (void)state;
    struct walk_forward walk;
    struct err err;
    struct walk_plan bad[10];
    for (int index = 0; index < 10; index++)
        bad[index] = plan_of(WALK_DAYS), bad[index].every_days = 7;
    bad[0].from_us = bad[0].to_us;
    bad[1].from_us = INT64_MIN;
    bad[2].to_us = INT64_MAX;
    bad[3].every_days = 0;
    bad[4].every_days = INT64_MAX;
    bad[5].window_days = -1;
    bad[6].embargo_us = -1;
    bad[7].from_us = at(2019, 1, 1), bad[7].to_us = at(2020, 1, 1); /* after the last match */
    bad[8].least_rows = ROWS_MAX;
    bad[9].embargo_us = INT64_MAX;
    for (int index = 0; index < 10; index++) {
        assert_int_equal(walk_forward_plan(&data, &bad[index], &walk, &err), ERR_INVALID);
        assert_null(walk.windows);
    }
    assert_int_equal(walk_forward_plan(&data, &bad[8], &walk, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "training rows"));
    struct dataset empty = data;
    empty.rows = 0;
    struct walk_plan plan = plan_of(WALK_MONTHLY);
    assert_int_equal(walk_forward_plan(&empty, &plan, &walk, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "no match"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_weeks_begin_on_monday),
        cmocka_unit_test(test_seasons_and_once),
        cmocka_unit_test(test_every_n_days_and_rolling),
        cmocka_unit_test(test_embargo_drops_unknown_outcomes_only),
        cmocka_unit_test(test_a_day_is_never_cut),
        cmocka_unit_test(test_too_few_training_rows),
        cmocka_unit_test(test_what_cannot_be_planned),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
