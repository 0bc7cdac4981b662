/* Feature sets: the declared rows, and properties of every feature over made-up histories: each value is missing or
 * within its bounds, emit leaves the state alone, the leak audit passes, the bytes do not depend on threads. */
#include "football/feature_sets.h"

#include "feature/audit.h"
#include "football/families.h"
#include "football/league.h"
#include "football/profile.h"
#include "football/test_frames.h"

static bool holds(const struct feature_set *set, const struct feature *feature)
{
    for (size_t i = 0; i < feature_set_columns(set); i++) {
        if (feature_set_at(set, i) == feature)
            return true;
    }
    return false;
}

static void sets_are_declared(void **state)
{
    (void)state;
    const struct feature_set *plain = football_feature_set("no_prices"),
                             *priced = football_feature_set("with_prices"),
                             *all = football_feature_set_widest();
    assert_true(plain && priced && football_feature_set("core"));
    assert_null(football_feature_set("everything"));
    assert_true(feature_set_columns(plain) >= 220);
    assert_true(feature_set_columns(priced) > feature_set_columns(plain));
    assert_false(football_feature_set_has_prices(plain));
    assert_true(football_feature_set_has_prices(priced));
    for (size_t i = 0; i < feature_set_columns(plain); i++)
        assert_true(holds(priced, feature_set_at(plain, i)));
    for (size_t s = 0; football_feature_set_at(s); s++) { /* any set is columns of the widest, each once */
        const struct feature_set *set = football_feature_set_at(s);
        assert_ptr_equal(football_feature_set(set->name), set);
        assert_true(strlen(set->doc) > 10);
        for (size_t i = 0; i < feature_set_columns(set); i++) {
            assert_true(holds(all, feature_set_at(set, i)));
            for (size_t j = 0; j < i; j++)
                assert_ptr_not_equal(feature_set_at(set, i), feature_set_at(set, j));
        }
    }
}

static void choices_are_the_names(void **state)
{
    (void)state;
    struct text rest = text_of(FEATURE_SET_CHOICES), both = text_of(FEATURE_SET_CHOICES_AND_BOTH), part;
    size_t count = 0;
    for (; text_split(&rest, '|', &part); count++) {
        assert_true(text_equal(part, football_feature_set_at(count)->name));
        assert_true(text_split(&both, '|', &part) && text_equal(part, football_feature_set_at(count)->name));
    }
    assert_null(football_feature_set_at(count));
    assert_true(text_split(&both, '|', &part) && text_equal(part, "both") && !text_split(&both, '|', &part));
}

static void hashes_tell_sets_apart(void **state)
{
    (void)state;
    char hex[16][HASH_HEX_BYTES];
    for (size_t s = 0; football_feature_set_at(s); s++) {
        struct hash hash;
        assert_true(s < 16);
        hash_init(&hash);
        feature_set_hash(football_feature_set_at(s), &hash);
        hash_final_hex(&hash, hex[s]);
        for (size_t other = 0; other < s; other++)
            assert_string_not_equal(hex[s], hex[other]);
    }
}

static void leagues_have_profiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < league_count(); i++) {
        assert_non_null(profile_feature_set(i)); /* names a set that is declared */
        assert_false(football_feature_set_has_prices(profile_feature_set(i)));
    }
    assert_string_equal(profile_feature_set((size_t)league_find(text_of("E0")))->name, "no_prices");
    assert_string_equal(profile_feature_set((size_t)league_find(text_of("G1")))->name, "no_prices");
}

static void rows_are_complete_and_unique(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    for (size_t t = 0; set->trackers[t]; t++) {
        const struct tracker *tracker = set->trackers[t];
        assert_true(tracker->version >= 1 && strlen(tracker->doc) > 10 && strlen(tracker->source) > 3);
        for (size_t i = 0; i < tracker->feature_count; i++) {
            const struct feature *feature = &tracker->features[i];
            assert_non_null(feature->name);
            assert_ptr_equal(football_feature_family(feature), tracker);
            assert_int_equal(strncmp(feature->name, tracker->family, strlen(tracker->family)), 0);
            assert_int_equal(feature->name[strlen(tracker->family)], '_');
            assert_true(feature->low < feature->high && isfinite(feature->low) && isfinite(feature->high));
            assert_non_null(feature->unit);
            assert_true(strlen(feature->doc) > 10 && feature->doc[strlen(feature->doc) - 1] == '.');
        }
    }
    for (size_t i = 0; i < feature_set_columns(set); i++) {
        for (size_t j = i + 1; j < feature_set_columns(set); j++)
            assert_string_not_equal(feature_set_at(set, i)->name, feature_set_at(set, j)->name);
    }
}

static void check_bounds(const struct feature_set *set, const float *values, size_t rows, size_t *seen)
{
    size_t columns = feature_set_columns(set);
    for (size_t c = 0; c < columns; c++) {
        const struct feature *feature = feature_set_at(set, c);
        for (size_t row = 0; row < rows; row++) {
            double value = (double)values[row * columns + c];
            if (!isnan(value) && !(value >= feature->low && value <= feature->high))
                fail_msg("%s is %g, outside [%g, %g]", feature->name, value, feature->low, feature->high);
            seen[c] += !isnan(value);
        }
    }
}

static void every_value_is_missing_or_in_bounds(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    size_t columns = feature_set_columns(set);
    size_t *seen = calloc(columns, sizeof(*seen));
    assert_non_null(seen);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct test_frames frames;
        struct history *history = NULL;
        test_frames_random(&frames, seed);
        assert_int_equal(history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                        (struct history_options){0}, &history, NULL),
                         ERR_OK);
        size_t rows = history_rows(history);
        assert_true(rows > 500);
        float *values = malloc(rows * columns * sizeof(float));
        assert_non_null(values);
        assert_int_equal(builder_run(set, history_streams(history), history_stream_count(history), values,
                                     NULL, NULL, NULL, NULL),
                         ERR_OK);
        check_bounds(set, values, rows, seen);
        free(values);
        history_destroy(history);
        test_frames_close(&frames);
    }
    for (size_t c = 0; c < columns; c++) { /* the test would be empty for a column that is always missing */
        if (seen[c] < 100)
            fail_msg("%s has only %zu values", feature_set_at(set, c)->name, seen[c]);
    }
    free(seen);
}

static void emit_leaves_the_state_alone(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    for (size_t t = 0; set->trackers[t]; t++) {
        struct testing_tracker test;
        testing_open(&test, set->trackers[t], 4);
        for (int i = 0; i < 30; i++)
            testing_play(&test, i, i % 4, (i + 1) % 4, i % 3, i % 2);
        void *before = malloc(test.size_bytes + 1);
        assert_non_null(before);
        memcpy(before, test.state, test.size_bytes);
        struct fixture fixture = testing_fixture(99, 99, 2, 0);
        float first[512];
        test.tracker->emit(test.state, &fixture, first);
        test.tracker->emit(test.state, &fixture, test.out);
        assert_memory_equal(before, test.state, test.size_bytes);
        assert_memory_equal(first, test.out, test.tracker->feature_count * sizeof(float));
        free(before);
        testing_close(&test);
    }
}

/* The audit, over the frames in `context`. */
static enum err_code audit_open(void *context, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                                struct audit_variant *out, struct err *err)
{
    static const enum history_future futures[] = {[AUDIT_WHOLE] = HISTORY_WHOLE,
                                                  [AUDIT_TRUNCATED] = HISTORY_TRUNCATED,
                                                  [AUDIT_SCRAMBLED] = HISTORY_SCRAMBLED};
    struct test_frames *frames = context;
    struct history_options options = {.future = futures[mode], .cut_us = cut_us, .seed = seed};
    struct history *history = NULL;
    enum err_code code = history_create(frames->teams, frames->matches, frames->prices, frames->attributes,
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

static void the_leak_audit_passes(void **state)
{
    (void)state;
    struct test_frames frames;
    struct audit_report report;
    struct err err = {0};
    struct pool *pool = NULL;
    test_frames_random(&frames, 11);
    assert_int_equal(pool_create(2, &pool, NULL), ERR_OK);
    struct audit_source source = {audit_open, audit_close, &frames};
    enum err_code code =
        audit_run(football_feature_set_widest(), &source, NULL, 12, 3, pool, NULL, &report, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    assert_true(report.rows_compared > 1000);
    pool_destroy(pool);
    test_frames_close(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_declared),
        cmocka_unit_test(choices_are_the_names),
        cmocka_unit_test(hashes_tell_sets_apart),
        cmocka_unit_test(leagues_have_profiles),
        cmocka_unit_test(rows_are_complete_and_unique),
        cmocka_unit_test(every_value_is_missing_or_in_bounds),
        cmocka_unit_test(emit_leaves_the_state_alone),
        cmocka_unit_test(the_leak_audit_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
