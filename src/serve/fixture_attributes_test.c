/* A fixture to come gets what a history would give it. */
#include "serve/fixture_attributes.h"

#include "football/attributes.h"
#include "os/test_folder.h"
#include "store/attribute_store.h"
#include "store/store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 19700 };

static void save(struct db *db, int64_t team, int64_t season, int64_t known_day, const char *name,
                 double value)
{
    struct stored_attribute attribute = {team, season, known_day, name, value};
    bool has_changed = false;
    assert_int_equal(attribute_store_save(db, &attribute, 1, &has_changed, NULL), ERR_OK);
    assert_true(has_changed);
    assert_int_equal(attribute_store_save(db, &attribute, 1, &has_changed, NULL), ERR_OK);
    assert_false(has_changed);
}

static void fill_store(struct db *db)
{
    assert_int_equal(
        db_execute(db,
                   "INSERT INTO team(id, country, name, name_key) VALUES (1, 'England', 'A', 'a'), "
                   "(2, 'England', 'B', 'b'), (3, 'England', 'C', 'c')",
                   NULL),
        ERR_OK);
    save(db, 1, 2022, DAY - 300, "wages", 10);
    save(db, 1, 2023, DAY - 1, "wages", 20);
    save(db, 1, 2023, DAY, "wages", 30); /* known on the day itself: not used */
    save(db, 2, 2022, DAY - 100, "squad_size", 25);
    save(db, 3, 2023, DAY - 50, "wages", 99); /* of a third team */
}

static void two_teams(void **state)
{
    (void)state;
    struct test_folder folder;
    struct store store;
    struct err err = {0};
    struct fixture fixture = {.day = DAY, .season = 2023, .home = 0, .away = 1};
    struct frame *frame = NULL;
    struct attributes *all = NULL;
    const struct history_options whole = {0};
    test_folder_create(&folder);
    assert_int_equal(store_open(folder.path, DB_READ_WRITE, &store, &err), ERR_OK);
    fill_store(store.db);
    assert_int_equal(fixture_attributes(store.db, 1, 2, &fixture, &err), ERR_OK);
    assert_true(fixture.attributes[SIDE_HOME][ATTRIBUTE_WAGES] == 20);
    assert_true(fixture.attributes[SIDE_AWAY][ATTRIBUTE_SQUAD_SIZE] == 25);
    assert_true(isnan(fixture.attributes[SIDE_AWAY][ATTRIBUTE_WAGES]));
    /* as a history does it: from all rows */
    assert_int_equal(attribute_store_load(store.db, &frame, &err), ERR_OK);
    assert_int_equal(frame_rows(frame), 5);
    assert_int_equal(attributes_create(frame, &whole, &all, &err), ERR_OK);
    for (int side = 0; side < SIDE_COUNT; side++) {
        float out[ATTRIBUTE_COUNT];
        attributes_fill(all, 1 + side, 2023, DAY, out);
        assert_memory_equal(out, fixture.attributes[side], sizeof(out));
    }
    attributes_destroy(all);
    frame_destroy(frame);
    store_close(&store);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_teams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
