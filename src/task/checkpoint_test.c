/* Checkpoints: a training that was stopped goes on with the fits it has and gives the same bytes; a file that is damaged, or of
 * another recipe or other rows, is not used. */
#include "task/fit.h"

#include "base/random.h"
#include "os/test_folder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 1500, COLUMNS = 2, CLASSES = 3, FOLDS = 4 };

static const char *const names[COLUMNS] = {"elo_plain_difference", "noise"};

struct fixture {
    struct test_folder folder;
    float x[ROWS * COLUMNS];
    int32_t label[ROWS], group[ROWS];
    int64_t time_us[ROWS], block[ROWS];
    struct dataset data;
    struct recipe recipe;
    struct checkpoint checkpoint;
    struct reporter reporter;
    size_t asked, stop_at; /* calls of is_stopped; after stop_at it answers true */
    size_t losses, epochs; /* metrics told */
    size_t last_step;
    char log[4096];
    struct buffer expected;
};

static void on_metric(void *context, const char *name, double value, size_t step)
{
    struct fixture *fixture = context;
    if (strcmp(name, "epochs") == 0) {
        fixture->epochs = (size_t)value;
    } else {
        assert_string_equal(name, "loss");
        assert_true(value > 0 && value < 2 && step >= fixture->last_step);
        fixture->last_step = step;
        fixture->losses++;
    }
}

static void on_log(void *context, const char *line)
{
    struct fixture *fixture = context;
    size_t used = strlen(fixture->log);
    (void)snprintf(fixture->log + used, sizeof(fixture->log) - used, "%s\n", line);
}

static bool on_is_stopped(void *context)
{
    struct fixture *fixture = context;
    return fixture->asked++ >= fixture->stop_at;
}

static void fill(struct fixture *fixture)
{
    struct random random;
    random_init(&random, 5);
    for (size_t i = 0; i < ROWS; i++) {
        double strength = 100 * random_normal(&random);
        double score = strength / 100 + random_normal(&random);
        fixture->x[i * COLUMNS] = (float)strength;
        fixture->x[i * COLUMNS + 1] = (float)random_normal(&random);
        fixture->label[i] = score > 0.4 ? 0 : score > -0.4 ? 1 : 2;
        fixture->time_us[i] = (int64_t)i * 1000;
        fixture->block[i] = (int64_t)i / 10;
    }
    fixture->data =
        (struct dataset){fixture->x,       ROWS,           COLUMNS,        fixture->label, CLASSES,
                         fixture->time_us, fixture->block, fixture->group, names};
}

/* A fit over the present checkpoint folder; the bytes of the model it makes. */
static enum err_code make(struct fixture *fixture, size_t stop_at, struct buffer *out, struct err *err)
{
    struct fitted fitted = {0};
    fixture->asked = 0;
    fixture->stop_at = stop_at;
    fixture->losses = fixture->epochs = fixture->last_step = 0;
    fixture->log[0] = '\0';
    buffer_clear(out);
    checkpoint_init(&fixture->checkpoint, fixture->folder.path, "matrix", &fixture->reporter);
    fixture->recipe.checkpoint = &fixture->checkpoint;
    enum err_code code =
        fit_calibrated(&fixture->recipe, &fixture->data, NULL, &fixture->reporter, &fitted, err);
    if (code == ERR_OK) {
        assert_int_equal(fitted.engine->save(fitted.predictor, out, NULL), ERR_OK);
        assert_int_equal(calibrator_save(fitted.calibrator, out, NULL), ERR_OK);
    }
    fitted_release(&fitted);
    return code;
}

static size_t kept(const struct fixture *fixture, struct file_list *list)
{
    assert_int_equal(file_list_open(fixture->folder.path, ".fit", list, NULL), ERR_OK);
    return list->count;
}

/* What an uninterrupted training gives, made without checkpoints. False: LightGBM is not installed. */
static bool set_up_engine(struct fixture *fixture, const char *engine, const char *parameters)
{
    struct fitted fitted = {0};
    struct err err = {0};
    assert_int_equal(recipe_init(&fixture->recipe, engine, parameters, NULL), ERR_OK);
    fixture->recipe.folds = FOLDS;
    enum err_code code = fit_calibrated(&fixture->recipe, &fixture->data, NULL, NULL, &fitted, &err);
    if (code == ERR_UNAVAILABLE) {
        print_message("skipped: %s\n", err.text);
        return false;
    }
    assert_int_equal(code, ERR_OK);
    buffer_clear(&fixture->expected);
    assert_int_equal(fitted.engine->save(fitted.predictor, &fixture->expected, NULL), ERR_OK);
    assert_int_equal(calibrator_save(fitted.calibrator, &fixture->expected, NULL), ERR_OK);
    fitted_release(&fitted);
    return true;
}

static void assert_expected(const struct fixture *fixture, const struct buffer *bytes)
{
    assert_int_equal(bytes->size_bytes, fixture->expected.size_bytes);
    assert_memory_equal(bytes->data, fixture->expected.data, bytes->size_bytes);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    test_folder_create(&fixture.folder);
    fixture.reporter = (struct reporter){
        .metric = on_metric, .log = on_log, .is_stopped = on_is_stopped, .context = &fixture};
    buffer_init(&fixture.expected, 1 << 24);
    fill(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    buffer_release(&fixture->expected);
    test_folder_remove(&fixture->folder);
    return 0;
}

/* Stopped again and again, a little later each time, until it comes through. */
static void a_stopped_training_goes_on(struct fixture *fixture)
{
    struct buffer bytes;
    struct file_list list;
    size_t before = 0, stops = 0;
    enum err_code code = ERR_CANCELLED;
    buffer_init(&bytes, 1 << 24);
    for (size_t attempt = 0; code == ERR_CANCELLED && attempt < 200; attempt++) {
        code = make(fixture, 2 + attempt % 40, &bytes, NULL);
        assert_true(code == ERR_OK || code == ERR_CANCELLED);
        assert_int_equal(atomic_load(&fixture->checkpoint.reused), before);
        assert_int_equal(kept(fixture, &list), before + atomic_load(&fixture->checkpoint.saved));
        before = list.count;
        file_list_close(&list);
        stops += code == ERR_CANCELLED;
    }
    assert_int_equal(code, ERR_OK);
    assert_true(stops > 1);
    assert_int_equal(before, FOLDS + 1);
    assert_expected(fixture, &bytes);
    /* and once more from what is kept alone */
    assert_int_equal(make(fixture, SIZE_MAX, &bytes, NULL), ERR_OK);
    assert_expected(fixture, &bytes);
    assert_string_equal(fixture->log, "training: 5 of 5 fits were kept by an earlier attempt\n");
    assert_int_equal(fixture->losses, 1);
    buffer_release(&bytes);
}

static void it_goes_on_with_lightgbm(void **state)
{
    struct fixture *fixture = *state;
    if (set_up_engine(fixture, "lightgbm", "trees=20,min_child_samples=10"))
        a_stopped_training_goes_on(fixture);
}

static void it_goes_on_with_elo_logit(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set_up_engine(fixture, "elo_logit", ""));
    a_stopped_training_goes_on(fixture);
}

static void the_loss_is_told_round_by_round(void **state)
{
    struct fixture *fixture = *state;
    struct buffer bytes;
    buffer_init(&bytes, 1 << 24);
    if (set_up_engine(fixture, "lightgbm", "trees=60,min_child_samples=10")) {
        assert_int_equal(make(fixture, SIZE_MAX, &bytes, NULL), ERR_OK);
        assert_int_equal(fixture->epochs, 60);
        assert_int_equal(fixture->last_step, 60);
        assert_in_range(fixture->losses, 12, 25); /* of the model alone, not of its folds */
    }
    buffer_release(&bytes);
}

static void other_trainings_use_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct buffer bytes;
    struct file_list list;
    buffer_init(&bytes, 1 << 24);
    assert_true(set_up_engine(fixture, "elo_logit", ""));
    assert_int_equal(make(fixture, SIZE_MAX, &bytes, NULL), ERR_OK);
    size_t count = kept(fixture, &list);
    file_list_close(&list);
    fixture->recipe.seed++;
    assert_int_equal(make(fixture, SIZE_MAX, &bytes, NULL), ERR_OK);
    assert_int_equal(atomic_load(&fixture->checkpoint.reused), 0);
    fixture->label[3] = (fixture->label[3] + 1) % CLASSES;
    assert_int_equal(make(fixture, SIZE_MAX, &bytes, NULL), ERR_OK);
    assert_int_equal(atomic_load(&fixture->checkpoint.reused), 0);
    assert_int_equal(kept(fixture, &list), 3 * count);
    file_list_close(&list);
    buffer_release(&bytes);
}

/* Every byte of a file matters: one that is cut or changed is made again, and replaced. */
static void a_damaged_file_is_ignored(void **state)
{
    struct fixture *fixture = *state;
    struct buffer bytes, file;
    struct file_list list;
    buffer_init(&bytes, 1 << 24);
    buffer_init(&file, 1 << 24);
    assert_true(set_up_engine(fixture, "elo_logit", ""));
    assert_int_equal(make(fixture, SIZE_MAX, &bytes, NULL), ERR_OK);
    for (size_t round = 0; round < 4; round++) {
        assert_int_equal(kept(fixture, &list), FOLDS + 1);
        buffer_clear(&file);
        assert_int_equal(file_read(list.paths[round], &file, NULL), ERR_OK);
        size_t size_bytes = round == 0   ? 0
                            : round == 1 ? 10
                            : round == 2 ? file.size_bytes - 1
                                         : file.size_bytes;
        if (round == 3)
            file.data[file.size_bytes / 2] ^= 1;
        assert_int_equal(file_write_atomic(list.paths[round], file.data, size_bytes, NULL), ERR_OK);
        file_list_close(&list);
        assert_int_equal(make(fixture, SIZE_MAX, &bytes, NULL), ERR_OK);
        assert_expected(fixture, &bytes);
        assert_int_equal(atomic_load(&fixture->checkpoint.reused), FOLDS);
        assert_non_null(strstr(fixture->log, "a kept fit is ignored, '"));
        assert_non_null(strstr(fixture->log, "training: 4 of 5 fits were kept by an earlier attempt\n"));
    }
    buffer_release(&file);
    buffer_release(&bytes);
}

static void nothing_is_kept_outside_a_job(void **state)
{
    struct fixture *fixture = *state;
    struct checkpoint_fit fit = {.engine = fixture->recipe.engine};
    checkpoint_init(&fixture->checkpoint, NULL, "matrix", NULL);
    assert_false(checkpoint_load(&fixture->checkpoint, &fit));
    checkpoint_save(&fixture->checkpoint, &fit);
    assert_false(checkpoint_load(NULL, &fit));
    checkpoint_save(NULL, &fit);
    /* a folder that cannot be made is told, and is no error */
    checkpoint_init(&fixture->checkpoint, "/proc/no", "matrix", &fixture->reporter);
    assert_non_null(strstr(fixture->log, "no fit is kept"));
    assert_false(checkpoint_load(&fixture->checkpoint, &fit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_goes_on_with_lightgbm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes_on_with_elo_logit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_loss_is_told_round_by_round, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_trainings_use_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_kept_outside_a_job, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
