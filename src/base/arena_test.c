/* Tests of base/arena.h: alignment, zeroing, the maximum, stability of pointers, cleanups. */
#include "base/arena.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Under AddressSanitizer a refused malloc must answer NULL, as it does without. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_memory_is_zeroed_aligned_and_stable(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    enum { COUNT = 3000 };
    static unsigned char *pieces[COUNT];
    size_t total = 0;
    for (size_t index = 0; index < COUNT; index++) {
        size_t size = (index * 37) % 4001;
        size_t alignment = (size_t)1 << (index % 13);
        pieces[index] = arena_alloc_aligned(&arena, size, alignment);
        assert_non_null(pieces[index]);
        assert_int_equal((uintptr_t)pieces[index] % alignment, 0);
        for (size_t byte = 0; byte < size; byte++)
            assert_int_equal(pieces[index][byte], 0);
        memset(pieces[index], (int)(index % 255 + 1), size);
        total += size;
    }
    assert_true(arena.used_bytes >= total && arena.used_bytes < total + COUNT * 4096);
    for (size_t index = 0; index < COUNT; index++)
        for (size_t byte = 0; byte < (index * 37) % 4001; byte++)
            assert_int_equal(pieces[index][byte], index % 255 + 1);
    arena_release(&arena);
    assert_int_equal(arena.used_bytes, 0);
    assert_non_null(arena_alloc(&arena, 10)); /* usable again */
    arena_release(&arena);
}

static void test_default_alignment_and_size_zero(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000);
    assert_non_null(arena_alloc(&arena, 0));
    for (size_t size = 1; size < 20; size++)
        assert_int_equal((uintptr_t)arena_alloc(&arena, size) % 16, 0);
    arena_release(&arena);
}

static void test_maximum(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000);
    assert_null(arena_alloc_aligned(&arena, 1001, 1));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    assert_non_null(arena_alloc_aligned(&arena, 990, 1));
    assert_null(arena_alloc_aligned(&arena, 11, 1));
    assert_non_null(arena_alloc_aligned(&arena, 10, 1));
    assert_int_equal(arena.used_bytes, 1000);
    assert_null(arena_alloc_aligned(&arena, 1, 1));
    assert_non_null(arena_alloc_aligned(&arena, 0, 1));
    assert_null(arena_copy_text(&arena, "a", 1));
    assert_null(arena_printf(&arena, "%d", 1));
    arena_release(&arena);
    assert_non_null(arena_alloc_aligned(&arena, 1000, 1));
    arena_release(&arena);
}

/* Padding counts towards the maximum, also when it alone is more than what is left. */
static void test_padding_counts(void **state)
{
    (void)state;
    for (size_t max = 1; max < 300; max++) {
        struct arena arena;
        arena_init(&arena, max);
        for (size_t round = 0; round < 40; round++) {
            (void)arena_alloc_aligned(&arena, round * 7 % 11, (size_t)1 << (round * 5 % 9));
            assert_true(arena.used_bytes <= max);
        }
        arena_release(&arena);
    }
}

static void test_malloc_refusal_and_overflow(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX / 2));
    assert_null(arena_alloc(&arena, SIZE_MAX - 100));
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 2 + 1, 2)); /* wraps to 0 */
    assert_null(arena_alloc_array(&arena, 2, SIZE_MAX / 2 + 1));
    assert_null(arena_copy_text(&arena, "x", SIZE_MAX));
    assert_int_equal(arena.used_bytes, 0);
    double *numbers = arena_alloc_array(&arena, 100, sizeof(double));
    assert_non_null(numbers);
    assert_true(numbers[99] == 0);
    arena_release(&arena);
}

static void test_large_piece_keeps_the_small_block(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    char *first = arena_alloc(&arena, 16);
    assert_non_null(arena_alloc(&arena, 10 << 20));
    char *second = arena_alloc(&arena, 16);
    assert_ptr_equal(second, first + 16);
    arena_release(&arena);
}

static void test_texts(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_string_equal(arena_copy_text(&arena, "Arsenal FC", 7), "Arsenal");
    assert_string_equal(arena_copy_text(&arena, NULL, 0), "");
    assert_string_equal(arena_printf(&arena, "%s-%05d", "E0", 42), "E0-00042");
    char *wide = arena_printf(&arena, "%9000d", 7);
    assert_int_equal(strlen(wide), 9000);
    arena_release(&arena);
}

static char called[8];
static size_t called_count;

static void note_call(void *handle)
{
    called[called_count++] = *(const char *)handle;
}

static void test_cleanups_run_last_first(void **state)
{
    (void)state;
    struct arena arena;
    called_count = 0;
    arena_init(&arena, 4096);
    assert_int_equal(arena_defer(&arena, note_call, "a"), ERR_OK);
    assert_int_equal(arena_defer(&arena, note_call, "b"), ERR_OK);
    char *in_arena = arena_copy_text(&arena, "c", 1); /* memory is still there while cleanups run */
    assert_int_equal(arena_defer(&arena, note_call, in_arena), ERR_OK);
    assert_int_equal(called_count, 0);
    arena_release(&arena);
    assert_int_equal(called_count, 3);
    assert_memory_equal(called, "cba", 3);
    arena_release(&arena);
    assert_int_equal(called_count, 3);
}

static void test_defer_without_memory_cleans_at_once(void **state)
{
    (void)state;
    struct arena arena;
    called_count = 0;
    arena_init(&arena, 8);
    assert_int_equal(arena_defer(&arena, note_call, "x"), ERR_NOMEM);
    assert_int_equal(called_count, 1);
    arena_release(&arena);
    assert_int_equal(called_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_aligned_and_stable),
        cmocka_unit_test(test_default_alignment_and_size_zero),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_padding_counts),
        cmocka_unit_test(test_malloc_refusal_and_overflow),
        cmocka_unit_test(test_large_piece_keeps_the_small_block),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_cleanups_run_last_first),
        cmocka_unit_test(test_defer_without_memory_cleans_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
