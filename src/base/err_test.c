/* Tests of base/err.h: texts, cutting, context, errno, and the list itself. */
#include "base/err.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_set_stores_code_and_text(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(err_set_field(&err, ERR_INVALID, "odds.home", "price %.2f is below 1", 0.5),
                     ERR_INVALID);
    assert_string_equal(err.text, "price 0.50 is below 1");
    assert_string_equal(err.field, "odds.home");
    assert_int_equal(err_set(&err, ERR_BUSY, "locked"), ERR_BUSY);
    assert_int_equal(err.code, ERR_BUSY);
    assert_string_equal(err.field, "");
}

static void test_null_err_keeps_the_code(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_CORRUPT, "x"), ERR_CORRUPT);
    assert_int_equal(err_set_field(NULL, ERR_LEAK, "f", "x"), ERR_LEAK);
    assert_int_equal(err_set_errno(NULL, ENOENT, "x"), ERR_NOT_FOUND);
    assert_int_equal(err_nomem(NULL, 5), ERR_NOMEM);
    assert_true(err_prefix(NULL, "x") != ERR_OK);
}

static void test_text_may_be_its_own_argument(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_IO, "inner");
    (void)err_set(&err, ERR_INTERNAL, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
    (void)err_prefix(&err, "again %s", err.text);
    assert_string_equal(err.text, "again outer (inner): outer (inner)");
    (void)err_set_field(&err, ERR_INVALID, "name", "x");
    (void)err_set_field(&err, ERR_INVALID, err.field, "y");
    assert_string_equal(err.field, "name");
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    struct err err;
    (void)err_set_field(&err, ERR_INVALID, text, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    assert_string_equal(err.text + ERR_TEXT_BYTES - 6, "aa...");
    assert_int_equal(strlen(err.field), ERR_FIELD_BYTES - 1);
    assert_string_equal(err.field + ERR_FIELD_BYTES - 4, "...");
    text[ERR_TEXT_BYTES - 1] = '\0'; /* the longest that fits is not cut */
    (void)err_set(&err, ERR_INVALID, "%s", text);
    assert_string_equal(err.text, text);
    assert_int_equal(err_prefix(&err, "file"), ERR_INVALID);
    assert_memory_equal(err.text, "file: aaa", 9);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    assert_string_equal(err.text + ERR_TEXT_BYTES - 6, "aa...");
    (void)err_prefix(&err, "%2000d", 1); /* context alone fills it */
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
}

static void test_cut_keeps_utf8_whole(void **state)
{
    (void)state;
    struct err err;
    for (int shift = 0; shift < 3; shift++) {
        char text[2000] = "xx";
        size_t length = (size_t)shift;
        while (length + 3 < sizeof(text)) {
            memcpy(text + length, "\xE2\x82\xAC", 4);
            length += 3;
        }
        (void)err_set(&err, ERR_INVALID, "%s", text);
        size_t cut = strlen(err.text) - 3;
        assert_string_equal(err.text + cut, "...");
        assert_int_equal((cut - (size_t)shift) % 3, 0);
        assert_true(strlen(err.text) >= ERR_TEXT_BYTES - 4);
    }
}

static void test_prefix_keeps_field(void **state)
{
    (void)state;
    struct err err;
    (void)err_set_field(&err, ERR_INVALID, "date", "day 31 does not exist");
    assert_int_equal(err_prefix(&err, "line %d", 4), ERR_INVALID);
    assert_string_equal(err.text, "line 4: day 31 does not exist");
    assert_string_equal(err.field, "date");
}

static void test_errno(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set_errno(&err, ENOENT, "cannot open '%s'", "E0.csv"), ERR_NOT_FOUND);
    assert_string_equal(err.text, "cannot open 'E0.csv': No such file or directory");
    assert_int_equal(err_set_errno(&err, ENOMEM, "x"), ERR_NOMEM);
    assert_int_equal(err_set_errno(&err, ENOSPC, "x"), ERR_IO);
    assert_int_equal(err_set_errno(&err, 99999, "x"), ERR_IO);
    assert_int_equal(err_nomem(&err, 12345), ERR_NOMEM);
    assert_string_equal(err.text, "out of memory (12345 bytes)");
}

static void test_list(void **state)
{
    (void)state;
    assert_int_equal(ERR_OK, 0);
    assert_int_equal(ERR_INVALID, -1);
    assert_string_equal(err_name(ERR_OK), "ok");
    assert_string_equal(err_name(ERR_NOT_FOUND), "not_found");
    assert_int_equal(err_http_status(ERR_OK), 200);
    assert_int_equal(err_http_status(ERR_TOO_LARGE), 413);
    assert_int_equal(err_exit_code(ERR_OK), 0);
    assert_int_equal(err_exit_code(ERR_INTERNAL), 70);
    assert_true(err_is_retryable(ERR_BUSY));
    assert_false(err_is_retryable(ERR_INVALID));
    for (int ordinal = 1; ordinal < ERR_ORDINAL_COUNT; ordinal++) {
        enum err_code code = (enum err_code) - ordinal;
        assert_true(err_http_status(code) >= 400 && err_http_status(code) < 600);
        assert_true(strlen(err_sentence(code)) > 10);
        for (int other = 0; other < ordinal; other++) {
            assert_string_not_equal(err_name(code), err_name((enum err_code) - other));
            assert_int_not_equal(err_exit_code(code), err_exit_code((enum err_code) - other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_stores_code_and_text),
        cmocka_unit_test(test_null_err_keeps_the_code),
        cmocka_unit_test(test_text_may_be_its_own_argument),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_cut_keeps_utf8_whole),
        cmocka_unit_test(test_prefix_keeps_field),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
