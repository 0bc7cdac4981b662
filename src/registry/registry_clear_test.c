/* Clearing: rows first, then files; what is cleared is out of use for good, unless it is trained again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/time.h"
#include "os/test_folder.h"
#include "registry/registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct fixture {
    struct test_folder folder;
    struct store store;
};

static const struct model_name E0 = {"E0", "1x2", "elo_logit"}, TOTALS = {"E0", "ou25", "elo_logit"},
                               BOOSTED = {"E0", "1x2", "lightgbm"}, OTHER = {"E1", "1x2", "elo_logit"};

static int set_up(void **state)
{
    static struct fixture fixture;

    test_folder_create(&fixture.folder);
    *state = &fixture;
    return store_open(fixture.folder.path, DB_READ_WRITE, &fixture.store, NULL);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    store_close(&fixture->store);
    test_folder_remove(&fixture->folder);
    return 0;
}

static void record(struct fixture *fixture, const struct model_name *name, const char *version,
                   const char *details)
{
    struct version_row row = {.name = *name,
                              .trained_us = 1000,
                              .size_bytes = 5,
                              .feature_set = "football",
                              .train_from_us = 1,
                              .train_to_us = 2,
                              .test_from_us = 3,
                              .test_to_us = 4,
                              .job_id = 7,
                              .epochs = 25,
                              .rmse = 0.44,
                              .mae = 0.4,
                              .train_loss = NAN,
                              .val_loss = 0.98};
    char path[FILE_PATH_BYTES];

    (void)snprintf(row.version, sizeof row.version, "%s", version);
    assert_int_equal(registry_path(&fixture->store, name, version, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "model", 5, NULL), ERR_OK);
    assert_int_equal(registry_add(&fixture->store, &row, details, NULL), ERR_OK);
}

static struct version_row get(struct fixture *fixture, const char *version)
{
    struct version_row row;

    assert_int_equal(registry_get(&fixture->store, version, &row, NULL), ERR_OK);
    return row;
}

static void promote(struct fixture *fixture, const char *version)
{
    assert_int_equal(registry_move(&fixture->store, version, STAGE_PRODUCTION, "test", "better", NULL),
                     ERR_OK);
}

/* Clears and says what, as "a b". */
static void clear(struct fixture *fixture, const struct model_name *name, const char *version,
                  const char *expected)
{
    struct cleared cleared;
    char text[256] = "";

    assert_int_equal(registry_clear(&fixture->store, name, version, "me", "no longer wanted", &cleared, NULL),
                     ERR_OK);
    for (size_t index = 0; index < cleared.count; index++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%s", index == 0 ? "" : " ",
                       cleared.versions[index]);
    }
    assert_string_equal(text, expected);
    assert_int_equal(cleared.freed_bytes, 5 * cleared.count);
    registry_cleared_release(&cleared);
}

static void fill(struct fixture *fixture)
{
    record(fixture, &E0, "aaaa01", "{}");
    record(fixture, &E0, "aaaa02", "{}");
    record(fixture, &TOTALS, "bbbb01", "{}");
    record(fixture, &BOOSTED, "cccc01", "{}");
    record(fixture, &OTHER, "dddd01", "{}");
    promote(fixture, "aaaa01");
    promote(fixture, "aaaa02");
    promote(fixture, "cccc01");
}

static bool is_there(struct fixture *fixture, const char *version)
{
    struct version_row row = get(fixture, version);

    assert_int_equal(row.cleared_us == TIME_NONE, file_exists(row.path));
    return row.cleared_us == TIME_NONE;
}

static void test_columns(void **state)
{
    struct fixture *fixture = *state;

    record(fixture, &E0, "aaaa01", "{}");
    struct version_row row = get(fixture, "aaaa01");
    assert_int_equal(row.job_id, 7);
    assert_int_equal(row.epochs, 25);
    assert_true(row.rmse == 0.44 && row.mae == 0.4 && isnan(row.train_loss) && row.val_loss == 0.98);
    assert_true(row.cleared_us == TIME_NONE);
    assert_int_equal(registry_set_training(&fixture->store, "aaaa01", 9, 0, NAN, NULL), ERR_OK);
    row = get(fixture, "aaaa01");
    assert_true(row.job_id == 9 && row.epochs == 25 && isnan(row.train_loss));
    assert_int_equal(registry_set_training(&fixture->store, "aaaa01", 9, 30, 0.9, NULL), ERR_OK);
    row = get(fixture, "aaaa01");
    assert_true(row.epochs == 30 && row.train_loss == 0.9);
}

static void test_one_version(void **state)
{
    static const struct model_name any = {"", "", ""};
    struct fixture *fixture = *state;
    struct version_row row;
    struct err err = {0};

    fill(fixture);
    clear(fixture, &any, "aaaa02", "aaaa02");
    assert_false(is_there(fixture, "aaaa02"));
    assert_true(is_there(fixture, "aaaa01"));
    row = get(fixture, "aaaa02");
    assert_int_equal(row.stage, STAGE_ARCHIVED);
    assert_int_equal(registry_production(&fixture->store, &E0, &row, NULL), ERR_NOT_FOUND);
    clear(fixture, &any, "aaaa02", ""); /* again */
    assert_int_equal(registry_move(&fixture->store, "aaaa02", STAGE_PRODUCTION, "me", "x", &err),
                     ERR_CONFLICT);
    assert_string_equal(err.text, "version aaaa02 was cleared, its file is gone; train it again");
    assert_int_equal(registry_load(&row, &(struct model *){NULL}, NULL), ERR_NOT_FOUND);
}

static void test_by_name(void **state)
{
    static const struct model_name subject = {"E0", "1x2", ""}, all = {"", "", ""}, nobody = {"E9", "", ""};
    struct fixture *fixture = *state;

    fill(fixture);
    clear(fixture, &nobody, "", "");
    clear(fixture, &E0, "", "aaaa01 aaaa02");
    assert_true(is_there(fixture, "cccc01"));
    clear(fixture, &subject, "", "cccc01");
    assert_true(is_there(fixture, "bbbb01") && is_there(fixture, "dddd01"));
    clear(fixture, &all, "", "bbbb01 dddd01");
    clear(fixture, &all, "", "");
}

static void test_lists_and_history(void **state)
{
    struct fixture *fixture = *state;
    struct version_filter filter = {.name = E0, .stage = -1};
    struct version_row rows[8];
    struct buffer text;
    size_t count = 8;

    fill(fixture);
    clear(fixture, &E0, "aaaa01", "aaaa01");
    assert_int_equal(registry_list(&fixture->store, &E0, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    count = 8;
    assert_int_equal(registry_previous(&fixture->store, &E0, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 0); /* nothing to fall back to */
    filter.with_cleared = true;
    count = 8;
    assert_int_equal(registry_search(&fixture->store, &filter, TIME_NONE, "", rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    count = 8; /* the page after the first row */
    assert_int_equal(
        registry_search(&fixture->store, &filter, rows[0].trained_us, rows[0].version, rows, &count, NULL),
        ERR_OK);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].version, "aaaa02");
    filter.stage = STAGE_PRODUCTION;
    filter.name = (struct model_name){"", "", ""};
    count = 8;
    assert_int_equal(registry_search(&fixture->store, &filter, TIME_NONE, "", rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 2); /* aaaa02, cccc01 */
    buffer_init(&text, 1 << 20);
    assert_int_equal(registry_recent_history(&fixture->store, &E0, "aaaa01", 1, &text, NULL), ERR_OK);
    assert_non_null(strstr(buffer_text(&text), "\"who\":\"me\",\"why\":\"no longer wanted\""));
    buffer_release(&text);
}

static void test_trained_again(void **state)
{
    struct fixture *fixture = *state;

    fill(fixture);
    clear(fixture, &E0, "aaaa02", "aaaa02");
    record(fixture, &E0, "aaaa02", "{}");
    assert_true(is_there(fixture, "aaaa02"));
    assert_int_equal(get(fixture, "aaaa02").stage, STAGE_NONE); /* not in production by itself */
    promote(fixture, "aaaa02");
}

/* What a crash between the commit and the removal leaves, and a file that was never recorded. */
static void test_sweep(void **state)
{
    struct fixture *fixture = *state;
    char path[FILE_PATH_BYTES];
    size_t files = 9;
    int64_t bytes = 9;

    assert_int_equal(registry_sweep(&fixture->store, INT64_MAX, &files, &bytes, NULL), ERR_OK);
    assert_int_equal(files, 0);
    fill(fixture);
    clear(fixture, &E0, "aaaa01", "aaaa01");
    assert_int_equal(file_write_atomic(get(fixture, "aaaa01").path, "model", 5, NULL), ERR_OK);
    assert_int_equal(registry_path(&fixture->store, &OTHER, "ffff01", path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "abc", 3, NULL), ERR_OK);
    /* the file of a version, where it does not belong */
    assert_int_equal(registry_path(&fixture->store, &OTHER, "bbbb01", path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "abc", 3, NULL), ERR_OK);
    assert_int_equal(registry_sweep(&fixture->store, 1000, &files, &bytes, NULL), ERR_OK);
    assert_int_equal(files, 0); /* all are younger */
    assert_int_equal(registry_sweep(&fixture->store, INT64_MAX, &files, &bytes, NULL), ERR_OK);
    assert_int_equal(files, 3);
    assert_int_equal(bytes, 11);
    assert_true(is_there(fixture, "aaaa02") && is_there(fixture, "bbbb01") && is_there(fixture, "cccc01") &&
                is_there(fixture, "dddd01"));
    assert_false(is_there(fixture, "aaaa01"));
}

static void check_config(struct fixture *fixture, const char *version, const char *expected)
{
    struct buffer text;

    buffer_init(&text, 1 << 16);
    assert_int_equal(registry_config(&fixture->store, version, &text, NULL), ERR_OK);
    assert_string_equal(buffer_text(&text), expected);
    buffer_release(&text);
}

static void test_config(void **state)
{
    static const char details[] =
        "{\"description\":{\"options\":{\"league\":\"E0\",\"seed\":3},\"engine_options\":null}}";
    static const char expected[] = "{\"options\":{\"league\":\"E0\",\"seed\":3},\"engine_options\":null}";
    struct fixture *fixture = *state;
    struct buffer text;

    record(fixture, &E0, "aaaa01", details);
    check_config(fixture, "aaaa01", expected);
    assert_int_equal(db_execute(fixture->store.db, "UPDATE version SET config = ''", NULL), ERR_OK);
    check_config(fixture, "aaaa01", expected); /* of an earlier program */
    record(fixture, &E0, "aaaa02", "{}");
    check_config(fixture, "aaaa02", "{\"options\":null,\"engine_options\":null}");
    buffer_init(&text, 1 << 16);
    assert_int_equal(registry_config(&fixture->store, "ffff", &text, NULL), ERR_NOT_FOUND);
    buffer_release(&text);
}

static void test_decisions_of_a_model(void **state)
{
    struct fixture *fixture = *state;
    struct decision decision = {.promoted = true, .reason = "better"};
    struct buffer text;
    json_t *root = NULL;

    fill(fixture);
    assert_int_equal(registry_record_decision(&fixture->store, "aaaa01", &decision, "{}", NULL), ERR_OK);
    decision.promoted = false;
    assert_int_equal(registry_record_decision(&fixture->store, "aaaa02", &decision, "{}", NULL), ERR_OK);
    buffer_init(&text, 1 << 16);
    assert_int_equal(registry_model_decisions(&fixture->store, &E0, 10, &text, NULL), ERR_OK);
    assert_int_equal(json_read(text.data, text.size_bytes, &root, NULL), ERR_OK);
    assert_int_equal(json_array_size(root), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(root, 0), "version")), "aaaa02");
    json_decref(root);
    buffer_clear(&text);
    assert_int_equal(registry_model_decisions(&fixture->store, &OTHER, 10, &text, NULL), ERR_OK);
    assert_string_equal(buffer_text(&text), "[]");
    buffer_release(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_columns),       TEST(test_one_version), TEST(test_by_name), TEST(test_lists_and_history),
        TEST(test_trained_again), TEST(test_sweep),       TEST(test_config),  TEST(test_decisions_of_a_model),
    };

    return cmocka_run_group_tests_name("registry clear", tests, NULL, NULL);
}
