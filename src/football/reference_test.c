/* The reference ratings: the trackers of the same settings say the same in a history by day; a day is one batch. */
#include "football/reference.h"

#include "football/families.h"
#include "football/feature_sets.h"
#include "football/test_frames.h"

static size_t column_called(const struct feature_set *set, const char *name)
{
    for (size_t i = 0; i < feature_set_columns(set); i++) {
        if (strcmp(feature_set_at(set, i)->name, name) == 0)
            return i;
    }
    fail_msg("no feature %s", name);
    return 0;
}

static void as_the_trackers_have_it(void **state)
{
    (void)state;
    static const struct {
        size_t reference;
        const char *feature;
        double shift;
    } pairs[] = {{0, "pi_expected_goal_difference", 0},
                 {2, "elo_world_difference", 60},
                 {3, "elo_club_difference", 60},
                 {4, "elo_plain_difference", 60}};
    struct test_frames frames;
    struct history *history = NULL;
    test_frames_random(&frames, 21);
    assert_int_equal(history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                    (struct history_options){.by_day = true}, &history, NULL),
                     ERR_OK);
    const struct feature_set *set = football_feature_set("no_prices");
    size_t rows = history_rows(history), columns = feature_set_columns(set);
    float *values = malloc(rows * columns * sizeof(float));
    double *x = malloc(rows * sizeof(double));
    assert_true(values && x);
    assert_int_equal(builder_run(set, history_streams(history), history_stream_count(history), values, NULL,
                                 NULL, NULL, NULL),
                     ERR_OK);
    for (size_t k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++) {
        assert_int_equal(reference_differences(history, reference_at(pairs[k].reference), x, NULL), ERR_OK);
        size_t column = column_called(set, pairs[k].feature);
        for (size_t row = 0; row < rows; row++)
            assert_close(x[row] + pairs[k].shift, (double)values[row * columns + column], 1e-3);
    }
    free(values);
    free(x);
    history_destroy(history);
    test_frames_close(&frames);
}

static void a_day_is_one_batch(void **state)
{
    (void)state;
    struct test_frames frames;
    struct history *history = NULL;
    double x[4];
    test_frames_open(&frames);
    test_frames_team(&frames, 1, "England", "Norwich");
    test_frames_team(&frames, 2, "England", "Man United");
    for (int i = 0; i < 4; i++) /* two matches on the first day, one on each of the next */
        test_frames_match(&frames, &(struct test_match){.id = i,
                                                        .league = "E0",
                                                        .day = 8626 + (i > 1) * (i - 1),
                                                        .minute = 600 + 180 * (i % 2),
                                                        .home = 1,
                                                        .away = 2,
                                                        .goals_away = 2,
                                                        .state = 1});
    test_frames_finish(&frames);
    assert_int_equal(history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                    (struct history_options){.by_day = true}, &history, NULL),
                     ERR_OK);
    assert_int_equal(reference_differences(history, reference_at(4), x, NULL), ERR_OK);
    assert_close(x[0], 0, 0);
    assert_close(x[1], 0, 0); /* the morning's result is not known in the afternoon */
    double first = 20 / (1 + pow(10, -0.15)), second = 20 / (1 + pow(10, -(60 - 2 * first) / 400));
    assert_close(x[2], -2 * (first + second), 1e-9);
    assert_true(x[3] < x[2]);
    history_destroy(history);
    test_frames_close(&frames);
}

static void settings_are_those_of_the_protocol(void **state)
{
    (void)state;
    assert_string_equal(reference_at(0)->name, "pi_035_07");
    assert_close(reference_at(1)->pi.gamma, 0.6, 0);
    assert_close(reference_at(3)->elo.k, 12, 0);
    for (size_t i = 0; i < REFERENCE_COUNT; i++)
        assert_true(strlen(reference_at(i)->title) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_trackers_have_it),
        cmocka_unit_test(a_day_is_one_batch),
        cmocka_unit_test(settings_are_those_of_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
