/* The forest's bytes: there and back, cut, changed. */
#include "learn/forest.h"
#include "learn/test_forest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { COLUMNS = 6, OUTPUTS = 3, HEAD_BYTES = 24 };

static struct buffer bytes;
static double expected[OUTPUTS];
static const float row[COLUMNS] = {1, NAN, -3, 0, 1e-44f, 5};

static int setup(void **state)
{
    (void)state;
    struct forest *forest = test_forest_create(COLUMNS, OUTPUTS, 12, 10, 3);
    buffer_init(&bytes, 1 << 20);
    forest->is_average = true;
    if (forest_seal(forest, NULL) || forest_save(forest, &bytes, NULL))
        return 1;
    forest_predict_raw(forest, row, 1, expected);
    forest_destroy(forest);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buffer_release(&bytes);
    return 0;
}

static void a_forest_comes_back_the_same(void **state)
{
    (void)state;
    struct forest *forest = NULL;
    struct buffer again;
    double out[OUTPUTS];
    buffer_init(&again, 1 << 20);
    assert_int_equal(forest_load(bytes.data, bytes.size_bytes, &forest, NULL), ERR_OK);
    forest_predict_raw(forest, row, 1, out);
    assert_memory_equal(out, expected, sizeof out);
    assert_int_equal(forest_save(forest, &again, NULL), ERR_OK);
    assert_int_equal(again.size_bytes, bytes.size_bytes);
    assert_memory_equal(again.data, bytes.data, bytes.size_bytes);
    buffer_release(&again);
    forest_destroy(forest);
}

static void a_cut_forest_is_refused(void **state)
{
    (void)state;
    struct forest *forest = NULL;
    for (size_t size_bytes = 0; size_bytes < bytes.size_bytes; size_bytes++) {
        char *cut =
            malloc(size_bytes + 1); /* its own block: a read beyond the end shows under the sanitizer */
        assert_non_null(cut);
        memcpy(cut, bytes.data, size_bytes);
        assert_int_equal(forest_load(cut, size_bytes, &forest, NULL), ERR_CORRUPT);
        assert_null(forest);
        free(cut);
    }
    buffer_append_char(&bytes, 0);
    assert_int_equal(forest_load(bytes.data, bytes.size_bytes--, &forest, NULL), ERR_CORRUPT);
}

/* Whatever a changed byte gives, it is refused or a forest that can be walked. */
static void a_changed_forest_never_runs_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < bytes.size_bytes; i++) {
        for (unsigned change = 1; change < 256; change += 42) {
            struct forest *forest = NULL;
            char was = bytes.data[i];
            double out[FOREST_OUTPUTS];
            bytes.data[i] = (char)((unsigned char)was ^ change);
            if (!forest_load(bytes.data, bytes.size_bytes, &forest, NULL) &&
                forest_columns(forest) == COLUMNS)
                forest_predict_raw(forest, row, 1, out);
            forest_destroy(forest);
            bytes.data[i] = was;
        }
    }
}

static void great_claims_cost_nothing(void **state)
{
    (void)state;
    struct forest *forest = NULL;
    unsigned char head[HEAD_BYTES];
    memset(head, 0xff, sizeof head);
    memcpy(head, bytes.data, 8); /* format and flags good, then 2^32 - 1 of everything */
    assert_int_equal(forest_load(head, sizeof head, &forest, NULL), ERR_CORRUPT);
    memset(head + 8, 0, HEAD_BYTES - 8);
    assert_int_equal(forest_load(head, sizeof head, &forest, NULL), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forest_comes_back_the_same),
        cmocka_unit_test(a_cut_forest_is_refused),
        cmocka_unit_test(a_changed_forest_never_runs_away),
        cmocka_unit_test(great_claims_cost_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
