/* Targets: labels of every kind of result, prices in class order. */
#include "football/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int label_of(enum target target, int home, int away)
{
    struct outcome outcome = {.goals = {(int16_t)home, (int16_t)away}};
    return target_label(target, &outcome);
}

static void labels_follow_the_goals(void **state)
{
    (void)state;
    assert_int_equal(label_of(TARGET_1X2, 2, 1), 0);
    assert_int_equal(label_of(TARGET_1X2, 0, 0), 1);
    assert_int_equal(label_of(TARGET_1X2, 1, 3), 2);
    assert_int_equal(label_of(TARGET_OU25, 1, 1), 0);
    assert_int_equal(label_of(TARGET_OU25, 2, 1), 1);
    assert_int_equal(label_of(TARGET_OU25, 0, 3), 1);
    assert_int_equal(label_of(TARGET_OU25, 0, 0), 0);
}

static void unknown_goals_have_no_label(void **state)
{
    (void)state;
    for (int target = 0; target < TARGET_COUNT; target++) {
        assert_int_equal(label_of((enum target)target, GOALS_NONE, 1), -1);
        assert_int_equal(label_of((enum target)target, 1, GOALS_NONE), -1);
    }
}

static void names_are_found(void **state)
{
    (void)state;
    assert_int_equal(target_find("1x2"), TARGET_1X2);
    assert_int_equal(target_find("ou25"), TARGET_OU25);
    assert_int_equal(target_find("OU25"), -1);
    for (int target = 0; target < TARGET_COUNT; target++) {
        const struct target_info *info = target_at((enum target)target);
        assert_int_equal(target_find(info->name), target);
        assert_in_range(info->classes, 2, 3);
        for (size_t i = 0; i < info->classes; i++)
            assert_non_null(info->class_names[i]);
        assert_true(info->accuracy_ceiling > 0.5 && info->accuracy_ceiling < 1);
    }
}

static void prices_are_in_class_order(void **state)
{
    (void)state;
    struct prices prices = {0};
    prices.home_draw_away[BOOKMAKER_PINNACLE][2] = 4.5f;
    prices.under_over[BOOKMAKER_BET365][1] = 1.9f;
    assert_float_equal(target_prices(TARGET_1X2, &prices, BOOKMAKER_PINNACLE)[2], 4.5f, 0);
    assert_float_equal(target_prices(TARGET_OU25, &prices, BOOKMAKER_BET365)[1], 1.9f, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_follow_the_goals),
        cmocka_unit_test(unknown_goals_have_no_label),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(prices_are_in_class_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
