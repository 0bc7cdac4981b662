/* Statuses: the words, the colours, and the day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/status.h"

static void check(const struct version_row *row, int64_t age_us, const char *name, const char *colour)
{
    enum model_status status = model_status_of(row, row->trained_us + age_us);

    assert_string_equal(model_status_name(status), name);
    assert_string_equal(model_status_colour(status), colour);
}

static void test_age(void **state)
{
    const struct version_row row = {.trained_us = 1000, .cleared_us = TIME_NONE, .stage = STAGE_PRODUCTION};

    (void)state;
    check(&row, 0, "active", "#26a69a");
    check(&row, 24 * TIME_HOUR_US - 1, "active", "#26a69a");
    check(&row, 24 * TIME_HOUR_US, "stale", "#ffa726");
    check(&row, 400 * TIME_DAY_US, "stale", "#ffa726");
    check(&row, -TIME_DAY_US, "active", "#26a69a"); /* the clock went back */
}

static void test_archived(void **state)
{
    const struct version_row archived = {.trained_us = 1000,
                                         .cleared_us = TIME_NONE,
                                         .stage = STAGE_ARCHIVED},
                             cleared = {.trained_us = 1000, .cleared_us = 2000, .stage = STAGE_ARCHIVED};

    (void)state;
    check(&archived, 1, "archived", "#666");
    check(&cleared, 1, "archived", "#666");
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(model_status_colour(MODEL_FAILED), "#ef5350");
    for (int status = 0; status < MODEL_STATUS_COUNT; status++)
        assert_int_equal(model_status_find(model_status_name((enum model_status)status)), status);
    assert_int_equal(model_status_find("Active"), -1);
    assert_int_equal(model_status_find(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_archived),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
