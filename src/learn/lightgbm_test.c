/* The LightGBM engine: what it refuses, reproducibility, agreement with LightGBM itself, bytes. */
#include "base/hash.h"
#include "learn/engine.h"
#include "learn/test_library.h"
#include "learn/test_matrix.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

enum { ROWS = 1500, COLUMNS = 12 };
static _Alignas(16) char options[ENGINE_OPTIONS_BYTES];
static struct test_matrix m3, m2;

static int setup(void **state)
{
    (void)state;
    m3 = test_matrix_create(ROWS, COLUMNS, 3, 1);
    m2 = test_matrix_create(ROWS, COLUMNS, 2, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_matrix_destroy(&m3);
    test_matrix_destroy(&m2);
    return 0;
}

/* The library, or the test is skipped. */
static const struct lightgbm_library *needed(void)
{
    struct err err = {.code = ERR_OK};
    const struct lightgbm_library *library = test_library_open(&err);
    if (!library) {
        print_message("skipped: %s\n", err.text);
        skip();
    }
    return library;
}

static void set(const char *name, const char *value)
{
    struct err err = {.code = ERR_OK};
    if (option_set(engine_lightgbm.options, options, name, value, &err))
        fail_msg("%s", err.text);
}

static int small_options(void **state)
{
    (void)state;
    option_defaults(engine_lightgbm.options, options);
    set("trees", "25");
    set("min_child_samples", "20");
    return 0;
}

static enum err_code train(const struct dataset *data, uint64_t seed, int threads,
                           struct training_watch watch, struct predictor **out, struct err *err)
{
    struct training training = {
        .data = data, .options = options, .seed = seed, .threads = threads, .watch = watch};
    return engine_lightgbm.train(&training, out, err);
}

static struct predictor *trained(const struct dataset *data, uint64_t seed, int threads)
{
    struct predictor *predictor = NULL;
    struct err err = {.code = ERR_OK};
    if (train(data, seed, threads, (struct training_watch){NULL}, &predictor, &err))
        fail_msg("%s", err.text);
    return predictor;
}

/* Runs first: later tests find the library open. */
static void a_missing_library_is_named(void **state)
{
    (void)state;
    const char *was = getenv("ALMANAC_LIGHTGBM_LIBRARY");
    char *kept = was ? strdup(was) : NULL;
    struct predictor *predictor = NULL;
    struct err err = {.code = ERR_OK};
    (void)setenv("ALMANAC_LIGHTGBM_LIBRARY", "/nowhere/lib_lightgbm.so", 1);
    assert_int_equal(train(&m3.data, 1, 1, (struct training_watch){NULL}, &predictor, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "/nowhere/lib_lightgbm.so"));
    assert_non_null(strstr(err.text, "ALMANAC_LIGHTGBM_LIBRARY"));
    assert_null(predictor);
    (void)setenv("ALMANAC_LIGHTGBM_LIBRARY", "libm.so.6", 1); /* a library, but not this one */
    assert_int_equal(train(&m3.data, 1, 1, (struct training_watch){NULL}, &predictor, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "LGBM_GetLastError"));
    if (kept)
        (void)setenv("ALMANAC_LIGHTGBM_LIBRARY", kept, 1);
    else
        (void)unsetenv("ALMANAC_LIGHTGBM_LIBRARY");
    free(kept);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct predictor *predictor = NULL;
    struct err err = {.code = ERR_OK};
    set("boosting", "rf");
    set("subsample", "1");
    assert_int_equal(train(&m3.data, 1, 1, (struct training_watch){NULL}, &predictor, &err), ERR_INVALID);
    assert_string_equal(err.field, "subsample");
    struct dataset none = dataset_slice(&m3.data, 0, 0);
    set("boosting", "gbdt");
    assert_int_equal(train(&none, 1, 1, (struct training_watch){NULL}, &predictor, &err), ERR_INVALID);
    struct dataset one_class = m3.data;
    one_class.classes = 1;
    assert_int_equal(train(&one_class, 1, 1, (struct training_watch){NULL}, &predictor, &err), ERR_INVALID);
    assert_null(predictor);
}

static void bytes_of(const struct predictor *predictor, char hex[HASH_HEX_BYTES])
{
    struct buffer out;
    struct hash hash;
    buffer_init(&out, 1 << 24);
    assert_int_equal(engine_lightgbm.save(predictor, &out, NULL), ERR_OK);
    hash_init(&hash);
    hash_add(&hash, out.data, out.size_bytes);
    hash_final_hex(&hash, hex);
    buffer_release(&out);
}

static void same_recipe_same_bytes(void **state)
{
    (void)state;
    char first[HASH_HEX_BYTES], second[HASH_HEX_BYTES];
    (void)needed();
    struct predictor *a = trained(&m3.data, 5, 2), *b = trained(&m3.data, 5, 2), *c = trained(&m3.data, 6, 2);
    bytes_of(a, first);
    bytes_of(b, second);
    assert_string_equal(first, second);
    bytes_of(c, second);
    assert_string_not_equal(first, second);
    engine_lightgbm.destroy(a);
    engine_lightgbm.destroy(b);
    engine_lightgbm.destroy(c);
}

static void rows_are_probabilities(const struct predictor *predictor, const struct dataset *data,
                                   double *loss)
{
    double *p = calloc(data->rows * data->classes, sizeof *p), one[3];
    assert_non_null(p);
    engine_lightgbm.predict(predictor, data->x, data->rows, p);
    *loss = 0;
    for (size_t row = 0; row < data->rows; row++) {
        double sum = 0;
        for (size_t c = 0; c < data->classes; c++) {
            assert_true(p[row * data->classes + c] > 0);
            sum += p[row * data->classes + c];
        }
        assert_true(fabs(sum - 1) < 1e-12);
        *loss -= log(p[row * data->classes + (size_t)data->label[row]]) / (double)data->rows;
        engine_lightgbm.predict(predictor, data->x + row * data->columns, 1, one);
        assert_memory_equal(one, p + row * data->classes, data->classes * sizeof *one);
    }
    free(p);
}

static void every_boosting_learns(void **state)
{
    (void)state;
    static const char *const kinds[] = {"gbdt", "rf", "extra_trees"};
    (void)needed();
    for (size_t i = 0; i < 3; i++) {
        double loss;
        set("boosting", kinds[i]);
        set("learning_rate", "0.1");
        struct predictor *a = trained(&m3.data, 1, 1), *b = trained(&m2.data, 1, 1);
        rows_are_probabilities(a, &m3.data, &loss);
        assert_true(loss < 0.95); /* about 1.10 without learning */
        rows_are_probabilities(b, &m2.data, &loss);
        assert_true(loss < 0.62); /* about 0.69 */
        engine_lightgbm.destroy(a);
        engine_lightgbm.destroy(b);
    }
}

/* The engine's probabilities are LightGBM's own for the parameters the options stand for. */
static void probabilities_equal_lightgbms(void **state)
{
    (void)state;
    static const char parameters[] = "objective=multiclass num_class=3 num_leaves=8 min_data_in_leaf=20 "
                                     "learning_rate=0.05 bagging_fraction=0.8 max_bin=63 "
                                     "bagging_freq=1 feature_fraction=0.3 lambda_l2=5 seed=9 num_threads=2 "
                                     "deterministic=true force_col_wise=true "
                                     "verbosity=-1";
    const struct lightgbm_library *library = needed();
    static double theirs[ROWS * 3], ours[ROWS * 3];
    static float label[ROWS];
    void *dataset = NULL, *booster = NULL;
    int finished;
    int64_t count = 0;
    for (size_t i = 0; i < ROWS; i++)
        label[i] = (float)m3.label[i];
    assert_int_equal(library->dataset_create_from_mat(m3.x, LIGHTGBM_FLOAT32, ROWS, COLUMNS, 1, parameters,
                                                      NULL, &dataset),
                     0);
    assert_int_equal(library->dataset_set_field(dataset, "label", label, ROWS, LIGHTGBM_FLOAT32), 0);
    assert_int_equal(library->booster_create(dataset, parameters, &booster), 0);
    for (int i = 0; i < 25; i++)
        assert_int_equal(library->booster_update_one_iter(booster, &finished), 0);
    assert_int_equal(library->booster_predict_for_mat(booster, m3.x, LIGHTGBM_FLOAT32, ROWS, COLUMNS, 1,
                                                      LIGHTGBM_NORMAL, 0, -1, "", &count, theirs),
                     0);
    struct predictor *predictor = trained(&m3.data, 9, 2);
    engine_lightgbm.predict(predictor, m3.x, ROWS, ours);
    for (size_t i = 0; i < ROWS * 3; i++)
        assert_true(fabs(ours[i] - theirs[i]) <= 1e-15);
    engine_lightgbm.destroy(predictor);
    (void)library->booster_free(booster);
    (void)library->dataset_free(dataset);
}

static void without_any_split_the_base_rate_remains(void **state)
{
    (void)state;
    double p[3], counts[3] = {0};
    (void)needed();
    struct dataset few = dataset_slice(&m3.data, 0, 30);
    set("min_child_samples", "100");
    struct predictor *predictor = trained(&few, 1, 1);
    engine_lightgbm.predict(predictor, m3.x, 1, p);
    for (size_t i = 0; i < few.rows; i++)
        counts[few.label[i]] += 1;
    for (size_t c = 0; c < 3; c++)
        assert_true(fabs(p[c] - counts[c] / 30) < 1e-6);
    engine_lightgbm.destroy(predictor);
}

struct watcher {
    size_t calls, last_done, stop_after, losses;
    double first_loss, last_loss;
};

static void count_progress(void *context, size_t done, size_t total, double loss)
{
    struct watcher *watcher = context;
    assert_int_equal(total, 25);
    assert_true(done > watcher->last_done);
    watcher->last_done = done;
    watcher->calls++;
    if (!isnan(loss)) {
        watcher->first_loss = watcher->losses ? watcher->first_loss : loss;
        watcher->last_loss = loss;
        watcher->losses++;
    }
}

static bool stop_now(void *context)
{
    const struct watcher *watcher = context;
    return watcher->calls >= watcher->stop_after;
}

static void progress_is_told_and_a_stop_obeyed(void **state)
{
    (void)state;
    struct watcher watcher = {.stop_after = SIZE_MAX};
    struct training_watch watch = {count_progress, stop_now, &watcher};
    struct predictor *predictor = NULL;
    struct err err = {.code = ERR_OK};
    (void)needed();
    assert_int_equal(train(&m3.data, 1, 1, watch, &predictor, &err), ERR_OK);
    assert_int_equal(watcher.calls, 25);
    assert_int_equal(watcher.losses, 13); /* after every second, and the last */
    assert_true(watcher.last_loss < watcher.first_loss && watcher.last_loss > 0);
    engine_lightgbm.destroy(predictor);
    watcher = (struct watcher){.stop_after = 7};
    assert_int_equal(train(&m3.data, 1, 1, watch, &predictor, &err), ERR_CANCELLED);
    assert_int_equal(watcher.calls, 7);
    assert_null(predictor);
    assert_non_null(strstr(err.text, "7 of 25"));
}

static void a_predictor_comes_back_the_same(void **state)
{
    (void)state;
    struct buffer out;
    struct predictor *back = NULL;
    double a[3], b[3], gain[COLUMNS];
    (void)needed();
    struct predictor *predictor = trained(&m3.data, 1, 1);
    buffer_init(&out, 1 << 24);
    assert_int_equal(engine_lightgbm.save(predictor, &out, NULL), ERR_OK);
    assert_int_equal(engine_lightgbm.load(out.data, out.size_bytes, m3.names, COLUMNS, 3, &back, NULL),
                     ERR_OK);
    for (size_t row = 0; row < 50; row++) {
        engine_lightgbm.predict(predictor, m3.x + row * COLUMNS, 1, a);
        engine_lightgbm.predict(back, m3.x + row * COLUMNS, 1, b);
        assert_memory_equal(a, b, sizeof a);
    }
    engine_lightgbm.importance(back, gain);
    assert_true(gain[0] > gain[2] && gain[1] > gain[3]); /* the label follows features 0 and 1 */
    engine_lightgbm.destroy(back);
    assert_int_equal(engine_lightgbm.load(out.data, out.size_bytes, m3.names, COLUMNS - 1, 3, &back, NULL),
                     ERR_CORRUPT);
    assert_int_equal(engine_lightgbm.load(out.data, out.size_bytes, m3.names, COLUMNS, 2, &back, NULL),
                     ERR_CORRUPT);
    assert_int_equal(engine_lightgbm.load(out.data, out.size_bytes - 1, m3.names, COLUMNS, 3, &back, NULL),
                     ERR_CORRUPT);
    assert_null(back);
    buffer_release(&out);
    engine_lightgbm.destroy(predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_missing_library_is_named, small_options),
        cmocka_unit_test_setup(options_that_make_no_sense_are_refused, small_options),
        cmocka_unit_test_setup(same_recipe_same_bytes, small_options),
        cmocka_unit_test_setup(every_boosting_learns, small_options),
        cmocka_unit_test_setup(probabilities_equal_lightgbms, small_options),
        cmocka_unit_test_setup(without_any_split_the_base_rate_remains, small_options),
        cmocka_unit_test_setup(progress_is_told_and_a_stop_obeyed, small_options),
        cmocka_unit_test_setup(a_predictor_comes_back_the_same, small_options),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
