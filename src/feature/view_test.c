/* Feature view: which columns a view takes, and what its hash tells apart. */
#include "feature/view.h"

#include "feature/test_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct view_pick side_picks[] = {{"mean_a", "mean", 0}, {"mean_a", "again", 0}, {0}};
static const struct view_pick all_picks[] = {{"mean_seen", NULL, 0}, {"", "x_", 0}, {0}};
static const struct view_pick two_picks[] = {{"mean_b", "b", 1}, {"mean_", "a_", 0}, {0}};

static struct feature_view view_of(const struct view_pick *picks, enum view_entity entity)
{
    return (struct feature_view){"v", 1, entity, "doc", "me", 1000, picks};
}

static void columns_are_renamed_and_taken_once(void **state)
{
    struct view_column columns[8];
    struct feature_view view = view_of(side_picks, VIEW_TEAM);
    (void)state;
    assert_int_equal(feature_view_columns(&view, &test_set, columns, 8), 1);
    assert_string_equal(columns[0].name, "mean");
    assert_int_equal(columns[0].column, 0);
    assert_ptr_equal(columns[0].feature, &test_features[0]);
    view = view_of(two_picks, VIEW_TEAM); /* in the order of the picks */
    assert_int_equal(feature_view_columns(&view, &test_set, columns, 8), 3);
    assert_string_equal(columns[0].name, "b");
    assert_int_equal(columns[0].side, 1);
    assert_string_equal(columns[1].name, "a_a");
    assert_string_equal(columns[2].name, "a_seen");
}

static void a_pick_without_a_name_leaves_out(void **state)
{
    struct view_column columns[8];
    struct feature_view view = view_of(all_picks, VIEW_MATCH);
    (void)state;
    assert_int_equal(feature_view_columns(&view, &test_set, columns, 8), 2);
    assert_string_equal(columns[0].name, "x_mean_a");
    assert_string_equal(columns[1].name, "x_mean_b");
}

static void no_more_than_the_capacity_is_written(void **state)
{
    struct view_column columns[2] = {0};
    struct feature_view view = view_of(all_picks, VIEW_MATCH);
    (void)state;
    assert_int_equal(feature_view_columns(&view, &test_set, columns, 1), 2);
    assert_string_equal(columns[1].name, "");
    assert_int_equal(feature_view_columns(&view, &test_set, NULL, 0), 2);
}

static void hash_of(const struct feature_view *view, const struct feature_set *set, char out[HASH_HEX_BYTES])
{
    struct hash hash;
    hash_init(&hash);
    feature_view_hash(view, set, &hash);
    hash_final_hex(&hash, out);
}

static void the_hash_follows_the_schema(void **state)
{
    char first[HASH_HEX_BYTES], other[HASH_HEX_BYTES];
    struct feature_view view = view_of(side_picks, VIEW_TEAM), changed = view;
    (void)state;
    hash_of(&view, &test_set, first);
    changed.doc = "another sentence";
    changed.ttl_ms = 5;
    hash_of(&changed, &test_set, other);
    assert_string_equal(first, other);
    changed.version = 2;
    hash_of(&changed, &test_set, other);
    assert_string_not_equal(first, other);
    changed = view;
    changed.picks = two_picks;
    hash_of(&changed, &test_set, other);
    assert_string_not_equal(first, other);
    struct tracker tracker = test_tracker;
    tracker.version++;
    const struct tracker *const trackers[] = {&tracker, NULL};
    const struct feature_set set = {"test", "for tests", trackers};
    hash_of(&view, &set, other);
    assert_string_not_equal(first, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_renamed_and_taken_once),
        cmocka_unit_test(a_pick_without_a_name_leaves_out),
        cmocka_unit_test(no_more_than_the_capacity_is_written),
        cmocka_unit_test(the_hash_follows_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
