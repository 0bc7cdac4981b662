/* Leagues: look-ups, countries as streams, seasons of a date. */
#include "football/league.h"

#include "limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct league *league_called(const char *code)
{
    int index = league_find(text_of(code));
    assert_true(index >= 0);
    return league_at((size_t)index);
}

static void codes_are_unique_and_found(void **state)
{
    (void)state;
    assert_int_equal(league_count(), 22 + 16);
    assert_true(league_count() <= LIMIT_LEAGUES);
    for (size_t i = 0; i < league_count(); i++)
        assert_int_equal(league_find(text_of(league_at(i)->code)), (int)i);
    assert_int_equal(league_find(text_of("E9")), -1);
    assert_int_equal(league_find(text_of("")), -1);
    assert_int_equal(league_find(text_of("e0")), -1);
    assert_string_equal(league_called("E0")->name, "Premier League");
    assert_int_equal(league_called("SC3")->tier, 4);
}

static void countries_are_dense_and_share_a_stream(void **state)
{
    (void)state;
    assert_int_equal(league_country_count(), 11 + 16);
    int e0 = league_find(text_of("E0")), ec = league_find(text_of("EC")), sc0 = league_find(text_of("SC0"));
    assert_int_equal(league_country((size_t)e0), 0);
    assert_int_equal(league_country((size_t)ec), 0);
    assert_int_equal(league_country((size_t)sc0), 1);
    for (size_t i = 0; i < league_count(); i++) {
        int country = league_country(i);
        assert_true(country >= 0 && (size_t)country < league_country_count());
        assert_string_equal(league_country_name((size_t)country), league_at(i)->country);
    }
    /* no country has two numbers */
    for (size_t i = 0; i < league_country_count(); i++) {
        for (size_t j = i + 1; j < league_country_count(); j++)
            assert_string_not_equal(league_country_name(i), league_country_name(j));
    }
}

static void extra_layout_names_are_trimmed_and_case_blind(void **state)
{
    (void)state;
    int dnk = league_find(text_of("DNK"));
    assert_int_equal(league_find_extra(text_of("Denmark "), text_of(" Superliga ")), dnk);
    assert_int_equal(league_find_extra(text_of("denmark"), text_of("SUPERLIGA")), dnk);
    assert_int_equal(league_find_extra(text_of("Austria"), text_of("Tipico Bundesliga")),
                     league_find(text_of("AUT")));
    assert_int_equal(league_find_extra(text_of("Argentina"), text_of("Copa De La Liga Profesional")),
                     league_find(text_of("ARG")));
    assert_int_equal(league_find_extra(text_of("Austria"), text_of("2. Liga")), -1);
    assert_int_equal(league_find_extra(text_of("Atlantis"), text_of("Superliga")), -1);
    assert_int_equal(league_find_extra(text_of("Austria"), text_of("")), -1);
    assert_int_equal(league_find_extra(text_of("England"), text_of("Premier League")),
                     -1); /* main layout only */
}

static void seasons_begin_in_july_or_january(void **state)
{
    (void)state;
    assert_int_equal(league_season(league_called("E0"), 2023, 8), 2023);
    assert_int_equal(league_season(league_called("E0"), 2024, 5), 2023);
    assert_int_equal(league_season(league_called("E0"), 2024, 7), 2024);
    assert_int_equal(league_season(league_called("JPN"), 2019, 3), 2019);
    assert_int_equal(league_season(league_called("JPN"), 2019, 11), 2019);
    /* the pandemic's long season */
    assert_int_equal(league_season(league_called("E0"), 2020, 7), 2019);
    assert_int_equal(league_season(league_called("I1"), 2020, 8), 2019);
    assert_int_equal(league_season(league_called("SC0"), 2020, 8), 2020);
    assert_int_equal(league_season(league_called("MEX"), 2020, 7), 2020);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_unique_and_found),
        cmocka_unit_test(countries_are_dense_and_share_a_stream),
        cmocka_unit_test(extra_layout_names_are_trimmed_and_case_blind),
        cmocka_unit_test(seasons_begin_in_july_or_january),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
