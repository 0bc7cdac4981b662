/* Attributes of teams: saved once, said again, told anew; loaded in order. */
#include "store/attribute_store.h"

#include "os/test_folder.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { DAY = 19700 };

static bool save(struct db *db, int64_t team, int64_t season, int64_t known_day, const char *name,
                 double value)
{
    struct stored_attribute attribute = {team, season, known_day, name, value};
    bool has_changed = false;
    assert_int_equal(attribute_store_save(db, &attribute, 1, &has_changed, NULL), ERR_OK);
    return has_changed;
}

static void values_are_kept_by_the_day_they_were_known(void **state)
{
    (void)state;
    struct test_folder folder;
    struct store store;
    struct frame *frame = NULL;
    test_folder_create(&folder);
    assert_int_equal(store_open(folder.path, DB_READ_WRITE, &store, NULL), ERR_OK);
    assert_int_equal(db_execute(store.db,
                                "INSERT INTO team(id, country, name, name_key) VALUES "
                                "(1, 'England', 'A', 'a'), (2, 'England', 'B', 'b')",
                                NULL),
                     ERR_OK);
    assert_true(save(store.db, 2, 2022, DAY - 100, "squad_size", 25));
    assert_true(save(store.db, 1, 2023, DAY, "wages", 30));
    assert_true(save(store.db, 1, 2023, DAY - 1, "wages", 20)); /* an earlier word stays beside the later */
    assert_false(save(store.db, 1, 2023, DAY - 1, "wages", 20));
    assert_true(save(store.db, 1, 2023, DAY - 1, "wages", 21)); /* corrected */
    assert_int_equal(attribute_store_load(store.db, &frame, NULL), ERR_OK);
    assert_int_equal(frame_rows(frame), 3);
    const int64_t *team = frame_i64(frame, 0), *known_day = frame_i64(frame, 2);
    const double *value = frame_f64(frame, 4);
    assert_true(team[0] == 1 && known_day[0] == DAY - 1 && value[0] == 21);
    assert_true(team[1] == 1 && known_day[1] == DAY && value[1] == 30);
    assert_true(team[2] == 2 && value[2] == 25);
    assert_string_equal(frame_text(frame, 3, 2), "squad_size");
    frame_destroy(frame);
    store_close(&store);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_kept_by_the_day_they_were_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
