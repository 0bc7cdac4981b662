/* The look-up of attributes: newest season, latest word, strictly before the day; and what the audit does to them. */
#include "football/test_frames.h"

enum { TEAM = 7, OTHER = 9, DAY = 19600 };

static struct attributes *open_attributes(struct test_frames *frames, struct history_options options)
{
    struct attributes *attributes = NULL;
    struct err err = {0};
    enum err_code code = attributes_create(frames->attributes, &options, &attributes, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    return attributes;
}

static double wages(const struct attributes *attributes, int64_t team, int season, int64_t day)
{
    float out[ATTRIBUTE_COUNT];
    attributes_fill(attributes, team, season, day, out);
    return (double)out[ATTRIBUTE_WAGES];
}

static void some(struct test_frames *frames)
{
    test_frames_open(frames);
    test_frames_attribute(frames, TEAM, 2023, DAY, "wages", 30);
    test_frames_attribute(frames, TEAM, 2022, DAY - 365, "wages", 20);
    test_frames_attribute(frames, TEAM, 2023, DAY + 100, "wages", 31);
    test_frames_attribute(frames, TEAM, 2022, DAY + 50, "wages", 21); /* told late */
    test_frames_attribute(frames, TEAM, 2023, DAY, "squad_size", 25);
    test_frames_attribute(frames, OTHER, 2023, DAY, "average_age", 24.5);
    test_frames_attribute(frames, OTHER, 2023, DAY, "of_another_program", 1);
    test_frames_finish(frames);
}

static void the_rule(void **state)
{
    (void)state;
    static const struct {
        int season;
        int64_t day;
        double value; /* NaN: missing */
    } cases
        [] =
            {
                {2021, DAY + 500, NAN}, /* nothing told of it or before */
                {2022, DAY - 365, NAN}, /* known today: not yet */
                {2022, DAY - 364, 20},  /* known yesterday */
                {2023, DAY, 20},        /* the season before until the new one is known */
                {2023, DAY + 1, 30},
                {2023, DAY + 60, 30}, /* the late word on an older season is none on this one */
                {2022, DAY + 51, 21}, /* but it is one on that season */
                {2023, DAY + 100, 30},
                {2023, DAY + 101, 31},
                {2030, DAY + 3000, 31}, /* the newest there is */
            };
    struct test_frames frames;
    some(&frames);
    struct attributes *attributes = open_attributes(&frames, (struct history_options){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double value = wages(attributes, TEAM, cases[i].season, cases[i].day);
        if (isnan(cases[i].value) ? !isnan(value) : value != cases[i].value)
            fail_msg("case %zu is %g, not %g", i, value, cases[i].value);
    }
    float out[ATTRIBUTE_COUNT];
    attributes_fill(attributes, OTHER, 2023, DAY + 1, out);
    for (size_t a = 0; a < ATTRIBUTE_COUNT; a++)
        assert_true(a == ATTRIBUTE_AVERAGE_AGE ? out[a] == 24.5f : isnan(out[a]));
    attributes_fill(attributes, 8, 2023, DAY + 1, out);
    for (size_t a = 0; a < ATTRIBUTE_COUNT; a++)
        assert_true(isnan(out[a]));
    attributes_destroy(attributes);
    test_frames_close(&frames);
}

static void names_are_found(void **state)
{
    (void)state;
    for (int a = 0; a < ATTRIBUTE_COUNT; a++) {
        const struct attribute_info *info = attribute_at((enum attribute)a);
        assert_int_equal(attribute_find(text_of(info->name)), a);
        assert_true(info->low < info->high && strlen(info->doc) > 5);
    }
    assert_int_equal(attribute_find(text_of("WAGES")), ATTRIBUTE_WAGES);
    assert_int_equal(attribute_find(text_of("wage")), -1);
}

/* A cut in the afternoon of DAY + 100: what became known that day counts as not yet known, although the day has begun. */
static void the_future_is_cut_or_scrambled(void **state)
{
    (void)state;
    struct test_frames frames;
    some(&frames);
    int64_t cut_us = (DAY + 100) * TIME_DAY_US + 15 * TIME_HOUR_US;
    struct attributes *cut =
        open_attributes(&frames, (struct history_options){.future = HISTORY_TRUNCATED, .cut_us = cut_us});
    struct attributes *scrambled = open_attributes(
        &frames, (struct history_options){.future = HISTORY_SCRAMBLED, .cut_us = cut_us, .seed = 4});
    assert_true(wages(cut, TEAM, 2023, DAY + 100) == 30);
    assert_true(wages(scrambled, TEAM, 2023, DAY + 100) == 30);
    assert_true(wages(cut, TEAM, 2023, DAY + 101) == 30); /* 31 is gone */
    double other = wages(scrambled, TEAM, 2023, DAY + 101);
    assert_true(other != 31 && other >= 0 && other <= 1e12);
    attributes_destroy(cut);
    attributes_destroy(scrambled);
    test_frames_close(&frames);
}

static void other_frames_are_refused(void **state)
{
    (void)state;
    struct test_frames frames;
    struct attributes *attributes = NULL;
    struct history_options options = {0};
    struct err err = {0};
    some(&frames);
    assert_int_equal(attributes_create(frames.teams, &options, &attributes, &err), ERR_INVALID);
    assert_string_equal(err.text, "the frame of attributes has no column 'team' of the right type");
    assert_null(attributes);
    test_frames_close(&frames);
}

static void nothing_is_told(void **state)
{
    (void)state;
    struct test_frames frames;
    test_frames_open(&frames);
    test_frames_finish(&frames);
    struct attributes *attributes = open_attributes(&frames, (struct history_options){0});
    assert_true(isnan(wages(attributes, TEAM, 2023, DAY)));
    attributes_destroy(attributes);
    attributes_destroy(NULL);
    test_frames_close(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(the_future_is_cut_or_scrambled),
        cmocka_unit_test(other_frames_are_refused),
        cmocka_unit_test(nothing_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
