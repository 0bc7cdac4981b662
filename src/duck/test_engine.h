/* For the tests of this folder: an engine, and statements that must succeed. Included after cmocka.h's own needs. */
#ifndef ALMANAC_DUCK_TEST_ENGINE_H
#define ALMANAC_DUCK_TEST_ENGINE_H

#include "duck/duck.h"
#include "duck/test_library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static inline struct duck *open_engine(const char *const *folders)
{
    struct duck *duck = NULL;
    struct err err = {.code = ERR_OK};
    struct duck_options options = {.threads = 2, .folders = folders};
    if (duck_open(&options, &duck, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return duck;
}

static inline void run(struct duck *duck, const char *sql)
{
    struct err err = {.code = ERR_OK};
    if (duck_query(duck, sql, NULL, 0, NULL, &err) != ERR_OK)
        fail_msg("%s: %s", sql, err.text);
}

static inline struct duck_result *query(struct duck *duck, const char *sql)
{
    struct duck_result *result = NULL;
    struct err err = {.code = ERR_OK};
    if (duck_query(duck, sql, NULL, 0, &result, &err) != ERR_OK)
        fail_msg("%s: %s", sql, err.text);
    return result;
}

static inline struct duck_result *first_row(struct duck *duck, const char *sql)
{
    bool has_row;
    struct err err = {.code = ERR_OK};
    struct duck_result *result = query(duck, sql);
    assert_int_equal(duck_result_next(result, &has_row, &err), ERR_OK);
    assert_true(has_row);
    return result;
}

static inline void expect_text(struct duck *duck, const char *sql, const char *expected)
{
    struct duck_result *result = first_row(duck, sql);
    assert_string_equal(duck_text(result, 0), expected);
    duck_result_destroy(result);
}

/* False, saying so, where DuckDB is not there: then there is nothing to test. */
static inline bool library_is_there(void)
{
    struct err err = {.code = ERR_OK};
    bool is_there = test_duck_is_there(&err);
    if (!is_there)
        print_message("skipped: %s\n", err.text);
    return is_there;
}

#endif
