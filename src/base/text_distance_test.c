/* Distances known by hand. */
#include "base/text_distance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void distances(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        size_t distance;
    } cases[] = {{"", "", 0},       {"", "abc", 3},           {"abc", "", 3},      {"abc", "abc", 0},
                 {"abc", "abd", 1}, {"kitten", "sitting", 3}, {"elo", "hello", 2}, {"flaw", "lawn", 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(text_distance(cases[i].left, cases[i].right), cases[i].distance);
        assert_int_equal(text_distance(cases[i].right, cases[i].left), cases[i].distance);
    }
}

static void long_names_are_far(void **state)
{
    (void)state;
    char name[TEXT_DISTANCE_BYTES + 2];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_true(text_distance("a", name) == SIZE_MAX);
    assert_int_equal(text_distance("a", name + 1), TEXT_DISTANCE_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(long_names_are_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
