/* Tests of base/names.h: ids are dense and in order, texts stay where they are, growth loses nothing. */
#include "base/names.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_order_of_first_appearance(void **state)
{
    (void)state;
    struct names *names = names_create();
    assert_non_null(names);
    assert_int_equal(names_count(names), 0);
    assert_int_equal(names_find(names, text_of("Arsenal")), NAMES_NONE);
    assert_int_equal(names_add(names, text_of("Arsenal")), 0);
    assert_int_equal(names_add(names, text_of("Chelsea")), 1);
    assert_int_equal(names_add(names, text_of("Arsenal")), 0);
    assert_int_equal(names_add(names, (struct text){"Chelsea FC", 7}), 1);
    assert_int_equal(names_add(names, text_of("")), 2);
    assert_int_equal(names_add(names, text_of(NULL)), 2);
    assert_int_equal(names_add(names, (struct text){"a\0b", 3}), 3);
    assert_int_equal(names_add(names, text_of("a")), 4);
    assert_int_equal(names_count(names), 5);
    assert_string_equal(names_text(names, 1), "Chelsea");
    assert_string_equal(names_text(names, 2), "");
    assert_int_equal(names_find(names, text_of("chelsea")), NAMES_NONE); /* case counts */
    assert_int_equal(names_find(names, text_of("Chelsea")), 1);
    names_destroy(names);
    names_destroy(NULL);
}

static void test_many(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct names *names = names_create();
    const char *first = NULL;
    for (int32_t id = 0; id < COUNT; id++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "team %d", id * 16);
        assert_int_equal(names_add(names, text_of(text)), id);
        memset(text, 'x', sizeof(text)); /* the bytes are owned */
        if (id == 0)
            first = names_text(names, 0);
    }
    assert_ptr_equal(first, names_text(names, 0));
    assert_int_equal(names_count(names), COUNT);
    for (int32_t id = COUNT - 1; id >= 0; id--) {
        char text[32];
        (void)snprintf(text, sizeof(text), "team %d", id * 16);
        assert_int_equal(names_find(names, text_of(text)), id);
        assert_string_equal(names_text(names, id), text);
        (void)snprintf(text, sizeof(text), "team %d", id * 16 + 1);
        assert_int_equal(names_find(names, text_of(text)), NAMES_NONE);
    }
    names_destroy(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_first_appearance),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
