/* Rankings: the order of keys is that of a table; random lists against sorting. */
#include "football/ranking.h"

#include "football/test_events.h"

static void keys_sort_as_a_table(void **state)
{
    (void)state;
    assert_true(ranking_key(3, 0, 50) > ranking_key(2, 50, 0)); /* points first */
    assert_true(ranking_key(3, 2, 0) > ranking_key(3, 5, 4));   /* then the difference */
    assert_true(ranking_key(3, 5, 4) > ranking_key(3, 4, 3));   /* then goals scored */
    assert_int_equal(ranking_key(3, 4, 3), ranking_key(3, 4, 3));
    assert_true(ranking_key(0, 0, 1) < ranking_key(0, 0, 0));
    assert_true(ranking_key(0, 0, 0) > 0);
    for (int points = 0; points < 1100; points++)
        assert_int_equal(ranking_points(ranking_key(points, points * 3 % 77, 1023)),
                         points < RANKING_HIGH ? points : RANKING_HIGH);
    assert_true(ranking_key(5000, 5000, 0) > ranking_key(5000, 0, 5000)); /* beyond the range: no overflow */
    assert_true(ranking_key(5000, 0, 5000) > 0);
}

static int compare_down(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

static void assert_zeros(const int32_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(keys[i], 0);
}

static void lists_stay_sorted(void **state)
{
    (void)state;
    enum { PLACES = 30, STEPS = 3000 };
    int32_t keys[PLACES + RANKING_LANES] = {0}, sorted[PLACES];
    size_t count = 0;
    struct random random;
    random_init(&random, 2);
    for (int step = 0; step < STEPS; step++) {
        if (count == PLACES || (count > 0 && random_below(&random, 2))) {
            ranking_remove(keys, count, sorted[random_below(&random, count)]);
            count--;
        } else {
            ranking_insert(keys, count,
                           ranking_key((int)random_below(&random, 5), (int)random_below(&random, 3), 1));
            count++;
        }
        memcpy(sorted, keys, count * sizeof(*keys));
        qsort(sorted, count, sizeof(*sorted), compare_down);
        assert_memory_equal(keys, sorted, count * sizeof(*keys));
        for (size_t i = 0; i < count; i++)
            assert_true(ranking_place(keys, count, keys[i]) <= i);
        assert_zeros(keys + count, ranking_room(PLACES) - count);
    }
    ranking_clear(keys, count);
    assert_zeros(keys, ranking_room(PLACES));
}

static void replaced_keys_stand_as_if_put_in_anew(void **state)
{
    (void)state;
    enum { PLACES = 24, STEPS = 3000 };
    int32_t keys[PLACES + RANKING_LANES] = {0}, other[PLACES + RANKING_LANES] = {0};
    struct random random;
    random_init(&random, 3);
    for (size_t count = 1; count <= PLACES; count++) {
        for (size_t i = 0; i < count; i++)
            ranking_insert(keys, i, (int32_t)random_below(&random, 9));
        for (int step = 0; step < STEPS; step++) {
            int32_t old = keys[random_below(&random, count)], key = (int32_t)random_below(&random, 9);
            memcpy(other, keys, count * sizeof(*keys));
            ranking_replace(keys, count, old, key);
            ranking_remove(other, count, old);
            ranking_insert(other, count - 1, key);
            assert_memory_equal(keys, other, sizeof(keys));
        }
        ranking_clear(keys, count);
        memset(other, 0, sizeof(other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sort_as_a_table),
        cmocka_unit_test(lists_stay_sorted),
        cmocka_unit_test(replaced_keys_stand_as_if_put_in_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
