/* Windows against a plain recomputation over random matches, and by hand. */
#include "football/test_events.h"
#include "football/window.h"

static void by_hand(void **state)
{
    (void)state;
    struct window window = {0};
    struct window_means means;
    window_add(&window, window_word(3, 2, 0, 1));
    window_means(&window, &means);
    for (size_t w = 0; w < WINDOW_COUNT; w++) { /* one match: its own mean in every window */
        assert_close(means.value[w][0], 3, 0);
        assert_close(means.value[w][1], 2, 0);
        assert_close(means.value[w][3], 1, 0);
    }
    window_add(&window, window_word(0, 1, 4, 0));
    window_add(&window, window_word(1, 1, 1, 0));
    window_add(&window, window_word(0, 0, 2, 0));
    window_means(&window, &means);
    /* last 3, latest first: 0, 1 at 1.5 and 0 at 0.7; last 5: 0, 1, 0 at 1.5 and 3 at 0.7 */
    assert_close(means.value[WINDOW_3][0], 1.5 / 3.7, 1e-7);
    assert_close(means.value[WINDOW_5][0], (1.5 + 3 * 0.7) / (3 * 1.5 + 0.7), 1e-7);
    assert_close(means.value[WINDOW_3][2], (2 * 1.5 + 1.5 + 4 * 0.7) / 3.7, 1e-6);
    assert_close(means.value[WINDOW_20][0], 1, 0); /* all four are in the recent half */
}

static double plain_mean(const int *values, size_t count, size_t length)
{
    double sum = 0, weights = 0;
    for (size_t age = 0; age < length && age < count; age++) {
        double weight = age < (length + 1) / 2 ? 1.5 : 0.7;
        sum += weight * values[count - 1 - age];
        weights += weight;
    }
    return sum / weights;
}

static void as_recomputed_from_scratch(void **state)
{
    (void)state;
    enum { MATCHES = 3000 }; /* totals wrap around */
    static const size_t lengths[WINDOW_COUNT] = {3, 5, 10, 20};
    static int values[WINDOW_LANES][MATCHES];
    struct window window = {0};
    struct random random;
    random_init(&random, 3);
    for (size_t i = 0; i < MATCHES; i++) {
        for (size_t lane = 0; lane < WINDOW_LANES; lane++) /* the highest value often: lanes must not carry */
            values[lane][i] = random_below(&random, 2) ? WINDOW_VALUE_HIGH : (int)random_below(&random, 5);
        window_add(&window, window_word(values[0][i], values[1][i], values[2][i], values[3][i]));
        struct window_means means;
        window_means(&window, &means);
        for (size_t w = 0; w < WINDOW_COUNT; w++) {
            for (size_t lane = 0; lane < WINDOW_LANES; lane++) {
                assert_close(means.value[w][lane], plain_mean(values[lane], i + 1, lengths[w]), 1e-5);
                assert_true(means.value[w][lane] <= WINDOW_VALUE_HIGH);
            }
        }
    }
}

static void values_out_of_range_are_cut(void **state)
{
    (void)state;
    struct window window = {0};
    struct window_means means;
    for (int i = 0; i < 50; i++)
        window_add(&window, window_word(30000, -1, 145, 99));
    window_means(&window, &means);
    assert_close(means.value[WINDOW_20][0], WINDOW_VALUE_HIGH, 0);
    assert_close(means.value[WINDOW_20][1], 0, 0);
    assert_close(means.value[WINDOW_20][2], WINDOW_VALUE_HIGH, 0);
    window_means_clear(&means);
    assert_true(isnan(means.value[WINDOW_3][0]) && isnan(means.value[WINDOW_20][3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(as_recomputed_from_scratch),
        cmocka_unit_test(values_out_of_range_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
