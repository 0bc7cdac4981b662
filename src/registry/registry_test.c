/* The registry: paths that stay inside, one Production version per model, rollback, reading without writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "learn/test_model.h"
#include "os/test_folder.h"
#include "registry/registry.h"

#include <math.h>
#include <string.h>

struct fixture {
    struct test_folder folder;
    struct store store;
};

static const struct model_name E0 = {"E0", "1x2", "elo_logit"};

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

static struct version_row make_row(const struct model_name *name, const char *version, int64_t trained_us)
{
    struct version_row row = {.name = *name,
                              .trained_us = trained_us,
                              .size_bytes = 5,
                              .duration_ms = 1234,
                              .feature_set = "football",
                              .log_loss = 0.98,
                              .brier = 0.58,
                              .rps = 0.19,
                              .accuracy = NAN,
                              .train_from_us = 1,
                              .train_to_us = 2,
                              .test_from_us = 3,
                              .test_to_us = TIME_NONE,
                              .rows = 4000};

    (void)snprintf(row.version, sizeof row.version, "%s", version);
    return row;
}

/* With a file of any content. */
static void add(struct fixture *fixture, const struct model_name *name, const char *version,
                int64_t trained_us)
{
    struct version_row row = make_row(name, version, trained_us);
    char path[FILE_PATH_BYTES];

    assert_int_equal(registry_path(&fixture->store, name, version, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "model", 5, NULL), ERR_OK);
    assert_int_equal(registry_add(&fixture->store, &row, "{\"a\":1}", NULL), ERR_OK);
}

static void promote(struct fixture *fixture, const char *version)
{
    assert_int_equal(registry_move(&fixture->store, version, STAGE_PRODUCTION, "test", "better", NULL),
                     ERR_OK);
}

static struct version_row get(struct fixture *fixture, const char *version)
{
    struct version_row row;

    assert_int_equal(registry_get(&fixture->store, version, &row, NULL), ERR_OK);
    return row;
}

static void check_production(struct fixture *fixture, const struct model_name *name, const char *version)
{
    struct version_row row;
    struct err err = {0};

    enum err_code code = registry_production(&fixture->store, name, &row, &err);
    if (version == NULL) {
        assert_int_equal(code, ERR_NOT_FOUND);
        return;
    }
    assert_int_equal(code, ERR_OK);
    assert_string_equal(row.version, version);
    assert_int_equal(row.stage, STAGE_PRODUCTION);
}

/* The versions that serving could fall back to, in order, as "b a". */
static void check_previous(struct fixture *fixture, const char *expected)
{
    struct version_row rows[8];
    size_t count = 8;
    char text[256] = "";

    assert_int_equal(registry_previous(&fixture->store, &E0, rows, &count, NULL), ERR_OK);
    for (size_t index = 0; index < count; index++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%s", index == 0 ? "" : " ", rows[index].version);
    }
    assert_string_equal(text, expected);
}

/* ---- names ---- */

static void test_stages(void **state)
{
    (void)state;
    assert_string_equal(stage_name(STAGE_NONE), "None");
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        assert_int_equal(stage_find(stage_name((enum stage)stage)), stage);
    assert_int_equal(stage_find("production"), -1);
    assert_int_equal(stage_find(""), -1);
}

static void test_path(void **state)
{
    struct fixture *fixture = *state;
    char path[FILE_PATH_BYTES], expected[FILE_PATH_BYTES];
    struct file_info info;

    assert_int_equal(registry_path(&fixture->store, &E0, "0123456789abcdef", path, NULL), ERR_OK);
    (void)snprintf(expected, sizeof expected, "%.3000s/models/E0/1x2/elo_logit/0123456789abcdef.model",
                   fixture->folder.path);
    assert_string_equal(path, expected);
    *strrchr(expected, '/') = '\0';
    assert_int_equal(file_stat(expected, &info, NULL), ERR_OK); /* the folder was made */
    assert_true(info.is_folder);
    struct model_name symbol = {"TCS.NS", "5m", "lstm_bot"};
    assert_int_equal(registry_path(&fixture->store, &symbol, "ab", path, NULL), ERR_OK);
}

static void test_no_path_escapes(void **state)
{
    static const char *const bad[] = {"",      ".",    "..",   "../E0", "a/b",      "/etc", ".hidden",
                                      "a b",   "a\nb", "a\\b", "E0;",   "\xC3\xA4", "a*",   "~",
                                      "$HOME", "a:b",  "%2e",  "a\"b",  "a'b"};
    static const char *const bad_versions[] = {"",    "..", "../a", "xyz", "AB", "0123456789abcdef0",
                                               "a/b", "a.b"};
    struct fixture *fixture = *state;
    char path[FILE_PATH_BYTES];
    struct err err = {0};

    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        for (int part = 0; part < 3; part++) {
            struct model_name name = E0;
            char *member = part == 0 ? name.subject : part == 1 ? name.variant : name.bot;
            (void)snprintf(member, sizeof name.bot, "%s", bad[index]);
            assert_int_equal(registry_path(&fixture->store, &name, "ab", path, &err), ERR_INVALID);
            assert_true(err.field[0] != '\0');
            struct version_row row = make_row(&name, "ab", 1);
            assert_int_equal(registry_add(&fixture->store, &row, "{}", NULL), ERR_INVALID);
        }
    }
    for (size_t index = 0; index < sizeof bad_versions / sizeof bad_versions[0]; index++)
        assert_int_equal(registry_path(&fixture->store, &E0, bad_versions[index], path, &err), ERR_INVALID);
    assert_string_equal(err.field, "version");
    assert_int_equal(test_entry_count(fixture->store.models), 0); /* nothing was made */
}

/* ---- recording ---- */

static void test_add_and_get(void **state)
{
    struct fixture *fixture = *state;
    struct buffer text;

    add(fixture, &E0, "aaaa01", 1000);
    struct version_row row = get(fixture, "aaaa01");
    assert_memory_equal(&row.name, &E0, sizeof E0);
    assert_int_equal(row.stage, STAGE_NONE);
    assert_int_equal(row.trained_us, 1000);
    assert_int_equal(row.size_bytes, 5);
    assert_int_equal(row.duration_ms, 1234);
    assert_string_equal(row.feature_set, "football");
    assert_true(row.log_loss == 0.98 && row.brier == 0.58 && row.rps == 0.19 && isnan(row.accuracy));
    assert_int_equal(row.train_from_us, 1);
    assert_int_equal(row.test_from_us, 3);
    assert_true(row.test_to_us == TIME_NONE);
    assert_int_equal(row.rows, 4000);
    assert_true(file_exists(row.path));
    buffer_init(&text, 4096);
    assert_int_equal(registry_details(&fixture->store, "aaaa01", &text, NULL), ERR_OK);
    assert_string_equal(text.data, "{\"a\":1}");
    assert_int_equal(registry_details(&fixture->store, "bbbb", &text, NULL), ERR_NOT_FOUND);
    assert_int_equal(registry_get(&fixture->store, "aaaa", &row, NULL), ERR_NOT_FOUND);
    buffer_release(&text);
}

static void test_added_again(void **state)
{
    struct fixture *fixture = *state;
    struct version_row again = make_row(&E0, "aaaa01", 9999), other;
    struct model_name name = {"E1", "1x2", "elo_logit"};
    char path[FILE_PATH_BYTES];
    struct err err = {0};

    add(fixture, &E0, "aaaa01", 1000);
    promote(fixture, "aaaa01");
    assert_int_equal(registry_add(&fixture->store, &again, "{}", NULL), ERR_OK);
    assert_int_equal(get(fixture, "aaaa01").trained_us, 9999); /* trained again */
    again.trained_us = 500;
    assert_int_equal(registry_add(&fixture->store, &again, "{}", NULL), ERR_OK); /* a late repetition */
    assert_int_equal(get(fixture, "aaaa01").trained_us, 9999);
    assert_int_equal(get(fixture, "aaaa01").stage, STAGE_PRODUCTION);
    other = make_row(&name, "aaaa01", 1);
    assert_int_equal(registry_path(&fixture->store, &name, "aaaa01", path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, "model", 5, NULL), ERR_OK);
    assert_int_equal(registry_add(&fixture->store, &other, "{}", &err), ERR_CONFLICT);
    assert_string_equal(err.text, "version aaaa01 is one of E0/1x2/elo_logit already");
    add(fixture, &E0, "aaaa02", 1); /* no transaction was left open */
}

static void test_no_row_without_its_file(void **state)
{
    struct fixture *fixture = *state;
    struct version_row row = make_row(&E0, "aaaa01", 1);
    struct err err = {0};

    assert_int_equal(registry_add(&fixture->store, &row, "{}", &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "version aaaa01 cannot be recorded"));
    assert_int_equal(registry_get(&fixture->store, "aaaa01", &row, NULL), ERR_NOT_FOUND);
}

/* ---- stages ---- */

static void test_one_in_production(void **state)
{
    struct fixture *fixture = *state;
    struct model_name totals = {"E0", "ou25", "elo_logit"};

    add(fixture, &E0, "aaaa01", 1);
    add(fixture, &E0, "bbbb01", 2);
    add(fixture, &totals, "cccc01", 3);
    check_production(fixture, &E0, NULL);
    promote(fixture, "aaaa01");
    promote(fixture, "cccc01");
    promote(fixture, "bbbb01");
    check_production(fixture, &E0, "bbbb01");
    check_production(fixture, &totals, "cccc01"); /* another model */
    assert_int_equal(get(fixture, "aaaa01").stage, STAGE_ARCHIVED);
    promote(fixture, "bbbb01"); /* again: nothing */
    assert_int_equal(registry_move(&fixture->store, "bbbb01", STAGE_STAGING, "test", "wait", NULL), ERR_OK);
    check_production(fixture, &E0, NULL);
    assert_int_equal(registry_move(&fixture->store, "ffff", STAGE_STAGING, "test", "wait", NULL),
                     ERR_NOT_FOUND);
}

/* The store itself refuses a second one, whoever writes it. */
static void test_index_holds_the_invariant(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, &E0, "aaaa01", 1);
    add(fixture, &E0, "bbbb01", 2);
    promote(fixture, "aaaa01");
    assert_int_equal(db_execute(fixture->store.db,
                                "UPDATE version SET stage = 'Production' WHERE version = 'bbbb01'", NULL),
                     ERR_CONFLICT);
    check_production(fixture, &E0, "aaaa01");
}

static void test_production_of_any_bot(void **state)
{
    struct fixture *fixture = *state;
    struct model_name boosted = {"E0", "1x2", "lightgbm"}, any = {"E0", "1x2", ""},
                      nobody = {"E9", "1x2", ""};

    add(fixture, &E0, "aaaa01", 9);
    add(fixture, &boosted, "bbbb01", 1);
    promote(fixture, "aaaa01");
    promote(fixture, "bbbb01");
    check_production(fixture, &any, "bbbb01"); /* promoted later, though trained earlier */
    check_production(fixture, &E0, "aaaa01");
    check_production(fixture, &nobody, NULL);
    assert_int_equal(registry_move(&fixture->store, "bbbb01", STAGE_ARCHIVED, "test", "x", NULL), ERR_OK);
    check_production(fixture, &any, "aaaa01");
}

static void roll_back(struct fixture *fixture, const char *expected)
{
    struct version_row row;

    assert_int_equal(registry_rollback(&fixture->store, &E0, "test", &row, NULL), ERR_OK);
    assert_string_equal(row.version, expected);
    assert_int_equal(row.stage, STAGE_PRODUCTION);
    check_production(fixture, &E0, expected);
}

static void test_rollback(void **state)
{
    struct fixture *fixture = *state;
    struct version_row row;
    struct err err = {0};

    assert_int_equal(registry_rollback(&fixture->store, &E0, "test", &row, &err), ERR_NOT_FOUND);
    add(fixture, &E0, "aaaa01", 1);
    add(fixture, &E0, "bbbb01", 2);
    add(fixture, &E0, "cccc01", 3);
    add(fixture, &E0, "dddd01", 4); /* never promoted */
    promote(fixture, "aaaa01");
    assert_int_equal(registry_rollback(&fixture->store, &E0, "test", &row, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "E0/1x2/elo_logit had no other version in production before");
    check_production(fixture, &E0, "aaaa01");
    promote(fixture, "bbbb01");
    promote(fixture, "cccc01");
    check_previous(fixture, "bbbb01 aaaa01");
    roll_back(fixture, "bbbb01");
    assert_int_equal(get(fixture, "cccc01").stage, STAGE_ARCHIVED);
    check_previous(fixture, "aaaa01");
    roll_back(fixture, "aaaa01"); /* not to cccc01 again */
    check_previous(fixture, "");
    promote(fixture, "cccc01"); /* it was mended */
    check_previous(fixture, "bbbb01 aaaa01");
    roll_back(fixture, "bbbb01");
}

static void test_previous_of_nothing(void **state)
{
    struct fixture *fixture = *state;

    check_previous(fixture, "");
    add(fixture, &E0, "aaaa01", 1);
    add(fixture, &E0, "bbbb01", 2);
    promote(fixture, "aaaa01");
    promote(fixture, "bbbb01");
    assert_int_equal(registry_move(&fixture->store, "bbbb01", STAGE_ARCHIVED, "test", "cleared", NULL),
                     ERR_OK);
    check_previous(fixture, "bbbb01 aaaa01");
    roll_back(fixture, "bbbb01");
}

/* ---- looking ---- */

static void test_find(void **state)
{
    struct fixture *fixture = *state;
    struct version_row row;
    struct err err = {0};

    add(fixture, &E0, "abcd1234", 1);
    add(fixture, &E0, "abcd5678", 2);
    add(fixture, &E0, "abcd", 3);
    assert_int_equal(registry_find(&fixture->store, "abcd1", &row, NULL), ERR_OK);
    assert_string_equal(row.version, "abcd1234");
    assert_int_equal(registry_find(&fixture->store, "abcd", &row, NULL), ERR_OK); /* a whole one */
    assert_string_equal(row.version, "abcd");
    assert_int_equal(registry_find(&fixture->store, "abc", &row, &err), ERR_INVALID);
    assert_int_equal(registry_find(&fixture->store, "ffff", &row, &err), ERR_NOT_FOUND);
    assert_int_equal(registry_find(&fixture->store, "abcd%", &row, &err), ERR_NOT_FOUND);
    add(fixture, &E0, "beef01", 4);
    add(fixture, &E0, "beef02", 5);
    assert_int_equal(registry_find(&fixture->store, "beef", &row, &err), ERR_CONFLICT);
    assert_string_equal(err.text,
                        "'beef' is not unique: versions beef01 and beef02 begin so; give more digits");
}

static void test_list(void **state)
{
    struct fixture *fixture = *state;
    struct model_name totals = {"E0", "ou25", "elo_logit"}, all = {"", "", ""}, subject = {"E0", "", ""};
    struct version_row rows[3];
    size_t count = 3;

    add(fixture, &E0, "aaaa01", 10);
    add(fixture, &totals, "bbbb01", 30);
    add(fixture, &E0, "cccc01", 20);
    add(fixture, &E0, "dddd01", 5);
    assert_int_equal(registry_list(&fixture->store, &all, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 3); /* the capacity */
    assert_string_equal(rows[0].version, "bbbb01");
    assert_string_equal(rows[1].version, "cccc01");
    assert_string_equal(rows[2].version, "aaaa01");
    assert_int_equal(registry_list(&fixture->store, &totals, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    count = 3;
    assert_int_equal(registry_list(&fixture->store, &subject, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 3);
}

static json_t *parse(const struct buffer *text)
{
    json_t *root = NULL;

    assert_int_equal(json_read(text->data, text->size_bytes, &root, NULL), ERR_OK);
    return root;
}

static const char *member(const json_t *array, size_t index, const char *key)
{
    return json_string_value(json_object_get(json_array_get(array, index), key));
}

static void test_history(void **state)
{
    struct fixture *fixture = *state;
    struct version_row row;
    struct buffer text;

    add(fixture, &E0, "aaaa01", 1);
    add(fixture, &E0, "bbbb01", 2);
    promote(fixture, "aaaa01");
    promote(fixture, "bbbb01");
    assert_int_equal(registry_rollback(&fixture->store, &E0, "me \"myself\"", &row, NULL), ERR_OK);
    buffer_init(&text, 1 << 20);
    assert_int_equal(registry_history(&fixture->store, &E0, &text, NULL), ERR_OK);
    json_t *root = parse(&text);
    assert_int_equal(json_array_size(root), 7); /* recorded 2, promoted 1, archived and promoted twice */
    assert_true(json_is_null(json_object_get(json_array_get(root, 0), "from")));
    assert_string_equal(member(root, 0, "to"), "None");
    assert_string_equal(member(root, 2, "version"), "aaaa01");
    assert_string_equal(member(root, 2, "to"), "Production");
    assert_string_equal(member(root, 2, "why"), "better");
    assert_string_equal(member(root, 3, "to"), "Archived");
    assert_string_equal(member(root, 3, "why"), "replaced");
    assert_string_equal(member(root, 5, "version"), "bbbb01");
    assert_string_equal(member(root, 5, "why"), "rolled back");
    assert_string_equal(member(root, 6, "version"), "aaaa01");
    assert_string_equal(member(root, 6, "from"), "Archived");
    assert_string_equal(member(root, 6, "who"), "me \"myself\"");
    assert_true(json_is_true(json_object_get(json_array_get(root, 6), "rollback")));
    json_decref(root);
    buffer_clear(&text);
    struct model_name other = {"E9", "", ""};
    assert_int_equal(registry_history(&fixture->store, &other, &text, NULL), ERR_OK);
    assert_string_equal(text.data, "[]");
    buffer_release(&text);
}

static void test_decisions(void **state)
{
    struct fixture *fixture = *state;
    struct decision decision = {.promoted = true, .reason = "Brier -0.00312 [-0.00501, -0.00120]: better"};
    struct buffer text;

    add(fixture, &E0, "aaaa01", 1);
    assert_int_equal(
        registry_record_decision(&fixture->store, "aaaa01", &decision, "{\"brier\":-0.00312}", NULL), ERR_OK);
    assert_int_equal(registry_record_decision(&fixture->store, "ffff", &decision, "{}", NULL), ERR_NOT_FOUND);
    buffer_init(&text, 1 << 20);
    assert_int_equal(registry_decisions(&fixture->store, "aaaa01", &text, NULL), ERR_OK);
    json_t *root = parse(&text);
    assert_int_equal(json_array_size(root), 1);
    assert_string_equal(member(root, 0, "reason"), decision.reason);
    assert_true(json_is_true(json_object_get(json_array_get(root, 0), "promoted")));
    const json_t *numbers = json_object_get(json_array_get(root, 0), "numbers");
    assert_true(json_real_value(json_object_get(numbers, "brier")) == -0.00312);
    json_decref(root);
    buffer_release(&text);
}

static void test_read_only(void **state)
{
    struct fixture *fixture = *state;
    struct store reader;
    struct version_row row, rows[2];
    size_t count = 2;
    struct buffer text;

    add(fixture, &E0, "aaaa01", 1);
    add(fixture, &E0, "bbbb01", 2);
    promote(fixture, "aaaa01");
    promote(fixture, "bbbb01");
    assert_int_equal(store_open(fixture->folder.path, DB_READ_ONLY, &reader, NULL), ERR_OK);
    assert_int_equal(registry_production(&reader, &E0, &row, NULL), ERR_OK);
    assert_string_equal(row.version, "bbbb01");
    assert_true(file_exists(row.path));
    assert_int_equal(registry_get(&reader, "aaaa01", &row, NULL), ERR_OK);
    assert_int_equal(registry_find(&reader, "aaaa", &row, NULL), ERR_OK);
    assert_int_equal(registry_list(&reader, &E0, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 2);
    assert_int_equal(registry_previous(&reader, &E0, rows, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    buffer_init(&text, 1 << 20);
    assert_int_equal(registry_history(&reader, &E0, &text, NULL), ERR_OK);
    assert_int_equal(registry_details(&reader, "aaaa01", &text, NULL), ERR_OK);
    assert_int_equal(registry_decisions(&reader, "aaaa01", &text, NULL), ERR_OK);
    buffer_release(&text);
    assert_int_not_equal(registry_move(&reader, "aaaa01", STAGE_PRODUCTION, "test", "x", NULL), ERR_OK);
    store_close(&reader);
    check_production(fixture, &E0, "bbbb01");
}

/* ---- loading ---- */

static void test_load(void **state)
{
    struct fixture *fixture = *state;
    struct model *model = test_model_create(&engine_elo_logit, CALIBRATION_PLATT), *loaded;
    struct version_row row;
    struct buffer bytes;
    struct err err = {0};

    buffer_init(&bytes, 1 << 20);
    assert_int_equal(model_write(model, &bytes, NULL), ERR_OK);
    add(fixture, &E0, model_version(model), 1);
    row = get(fixture, model_version(model));
    assert_int_equal(registry_load(&row, &loaded, &err), ERR_CORRUPT); /* the file of add() is none */
    assert_null(loaded);
    assert_int_equal(file_write_atomic(row.path, bytes.data, bytes.size_bytes, NULL), ERR_OK);
    assert_int_equal(registry_load(&row, &loaded, &err), ERR_OK);
    assert_string_equal(model_version(loaded), row.version);
    model_destroy(loaded);

    add(fixture, &E0, "abcdef01", 1); /* somebody copied the file of another version */
    struct version_row copy = get(fixture, "abcdef01");
    assert_int_equal(file_write_atomic(copy.path, bytes.data, bytes.size_bytes, NULL), ERR_OK);
    assert_int_equal(registry_load(&copy, &loaded, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "not abcdef01"));
    assert_null(loaded);

    bytes.data[bytes.size_bytes / 2] ^= 1; /* one bit */
    assert_int_equal(file_write_atomic(row.path, bytes.data, bytes.size_bytes, NULL), ERR_OK);
    assert_int_equal(registry_load(&row, &loaded, &err), ERR_CORRUPT);
    assert_int_equal(file_write_atomic(row.path, "", 0, NULL), ERR_OK);
    assert_int_equal(registry_load(&row, &loaded, &err), ERR_CORRUPT);
    assert_int_equal(file_remove(row.path, NULL), ERR_OK);
    assert_int_equal(registry_load(&row, &loaded, &err), ERR_NOT_FOUND);
    buffer_release(&bytes);
    model_destroy(model);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages),
        TEST(test_path),
        TEST(test_no_path_escapes),
        TEST(test_add_and_get),
        TEST(test_added_again),
        TEST(test_no_row_without_its_file),
        TEST(test_one_in_production),
        TEST(test_index_holds_the_invariant),
        TEST(test_production_of_any_bot),
        TEST(test_rollback),
        TEST(test_previous_of_nothing),
        TEST(test_find),
        TEST(test_list),
        TEST(test_history),
        TEST(test_decisions),
        TEST(test_read_only),
        TEST(test_load),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
