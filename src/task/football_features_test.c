/* The football features on real data, from files over the store to the trackers: counts and checksums of the ratings
 * against an independent implementation of the reference protocol, bounds of every value, the leak audit, the same
 * bytes with one and two threads. Skipped, saying so, where the data is not there. */
#include "feature/audit.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/history.h"
#include "football/league.h"
#include "football/reference.h"
#include "football/target.h"
#include "os/test_folder.h"
#include "store/football_store.h"
#include "task/import.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct football_frames frames;
static struct pool *threads;
static bool has_data;

static const char *data_folder(void)
{
    const char *named = getenv("ALMANAC_TEST_DATA");
    return named ? named : "../shared/data/football";
}

static int import_all(void **state)
{
    (void)state;
    const char *folder = data_folder();
    has_data = access(folder, R_OK) == 0;
    if (!has_data)
        return 0;
    struct test_folder place;
    struct store store;
    struct err err = {0};
    test_folder_create(&place);
    struct import_options *options = calloc(1, sizeof(*options));
    struct import_result *result = calloc(1, sizeof(*result));
    bool is_done = options && result && pool_create(2, &threads, &err) == ERR_OK &&
                   store_open(place.path, DB_READ_WRITE, &store, &err) == ERR_OK &&
                   import_football(&store, threads, &folder, 1, options, NULL, result, &err) == ERR_OK &&
                   football_store_load(store.db, bookmaker_names(), 0, &frames, &err) == ERR_OK;
    if (!is_done)
        print_error("%s\n", err.text);
    else
        store_close(&store);
    free(options);
    free(result);
    test_folder_remove(&place);
    return is_done ? 0 : -1;
}

static int release_all(void **state)
{
    (void)state;
    if (has_data) {
        football_frames_release(&frames);
        pool_destroy(threads);
    }
    return 0;
}

static struct history *open_history(struct history_options options)
{
    struct history *history = NULL;
    struct err err = {0};
    if (!has_data) {
        print_message("no football data in '%s': skipped\n", data_folder());
        skip();
    }
    enum err_code code = history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                        options, &history, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    return history;
}

/* Is this the data of 645 files that the published figures are about? */
static bool is_reference_data(const struct history *history)
{
    size_t played = 0;
    for (size_t row = 0; row < history_rows(history); row++)
        played += history_row_info(history)[row].label[TARGET_1X2] >= 0;
    return played == 225826;
}

static void ratings_have_the_published_sums(void **state)
{
    (void)state;
    static const struct {
        double sum, sum_of_squares;
    } expected[REFERENCE_COUNT] = {
        {68689.03280206, 110260.080672},       {75290.02421590, 138574.812815},
        {-100772.58169803, 3911450918.501787}, {-56240.93883974, 3055788284.883557},
        {-24336.57423534, 2718900121.358316},
    };
    struct history *history = open_history((struct history_options){.by_day = true});
    size_t rows = history_rows(history), results[3] = {0};
    const struct matrix_row *info = history_row_info(history);
    if (!is_reference_data(history)) {
        history_destroy(history);
        print_message("other data than the published figures are about: skipped\n");
        skip();
    }
    double *x = malloc(rows * sizeof(*x));
    assert_non_null(x);
    for (size_t k = 0; k < REFERENCE_COUNT; k++) {
        assert_int_equal(reference_differences(history, reference_at(k), x, NULL), ERR_OK);
        double sum = 0, sum_of_squares = 0;
        for (size_t row = 0; row < rows; row++) {
            if (info[row].label[TARGET_1X2] < 0)
                continue;
            sum += x[row];
            sum_of_squares += x[row] * x[row];
        }
        assert_true(fabs(sum - expected[k].sum) < 1e-5);
        assert_true(fabs(sum_of_squares / expected[k].sum_of_squares - 1) < 1e-11);
    }
    for (size_t row = 0; row < rows; row++) {
        if (info[row].label[TARGET_1X2] >= 0)
            results[info[row].label[TARGET_1X2]]++;
    }
    assert_int_equal(results[0], 102044);
    assert_int_equal(results[1], 60552);
    assert_int_equal(results[2], 63230);
    free(x);
    history_destroy(history);
}

static void features_are_in_bounds(void **state)
{
    (void)state;
    struct history *history = open_history((struct history_options){0});
    const struct feature_set *set = football_feature_set_widest();
    size_t rows = history_rows(history), columns = feature_set_columns(set);
    float *one = malloc(rows * columns * sizeof(float)), *two = malloc(rows * columns * sizeof(float));
    assert_true(one && two);
    const struct stream *streams = history_streams(history);
    size_t count = history_stream_count(history);
    assert_int_equal(builder_run(set, streams, count, one, NULL, NULL, NULL, NULL), ERR_OK);
    assert_int_equal(builder_run(set, streams, count, two, threads, NULL, NULL, NULL), ERR_OK);
    assert_int_equal(memcmp(one, two, rows * columns * sizeof(float)), 0);
    for (size_t c = 0; c < columns; c++) {
        const struct feature *feature = feature_set_at(set, c);
        size_t present = 0;
        for (size_t row = 0; row < rows; row++) {
            double value = (double)one[row * columns + c];
            if (isnan(value))
                continue;
            present++;
            if (!(value >= feature->low && value <= feature->high))
                fail_msg("%s is %g, outside [%g, %g]", feature->name, value, feature->low, feature->high);
        }
        bool is_told = strcmp(football_feature_family(feature)->source, "team attributes") == 0;
        if (is_told)
            assert_int_equal(present, 0); /* nobody tells them of real teams */
        else
            assert_true(present > rows / 3); /* no family is silently empty */
    }
    free(one);
    free(two);
    history_destroy(history);
}

static enum err_code audit_open(void *context, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                                struct audit_variant *out, struct err *err)
{
    (void)context;
    static const enum history_future futures[] = {[AUDIT_WHOLE] = HISTORY_WHOLE,
                                                  [AUDIT_TRUNCATED] = HISTORY_TRUNCATED,
                                                  [AUDIT_SCRAMBLED] = HISTORY_SCRAMBLED};
    struct history_options options = {.future = futures[mode], .cut_us = cut_us, .seed = seed};
    struct history *history = NULL;
    enum err_code code = history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                        options, &history, err);
    if (code == ERR_OK)
        *out = (struct audit_variant){history_streams(history), history_stream_count(history),
                                      history_row_info(history), history_rows(history), history};
    return code;
}

static void audit_close(struct audit_variant *variant)
{
    history_destroy(variant->owner);
}

static void nothing_leaks(void **state)
{
    (void)state;
    history_destroy(open_history((struct history_options){0})); /* skips without data */
    struct audit_source source = {audit_open, audit_close, NULL};
    struct audit_report report;
    struct err err = {0};
    enum err_code code =
        audit_run(football_feature_set_widest(), &source, NULL, 3, 1, threads, NULL, &report, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    assert_int_equal(report.cuts, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratings_have_the_published_sums),
        cmocka_unit_test(features_are_in_bounds),
        cmocka_unit_test(nothing_leaks),
    };
    return cmocka_run_group_tests(tests, import_all, release_all);
}
