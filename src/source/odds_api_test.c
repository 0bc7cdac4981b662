/* Answers of The Odds API: what is kept, what is left out and counted, and what is refused as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "source/connector_league.h"
#include "source/odds_api.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EVENT(id, bookmakers)                                                                                \
    "{\"id\":\"" id "\",\"sport_key\":\"soccer_epl\",\"commence_time\":\"2026-05-02T14:00:00Z\","            \
    "\"home_team\":\"Arsenal\",\"away_team\":\"Everton\",\"bookmakers\":[" bookmakers "]}"
#define MAKER(key, markets)                                                                                  \
    "{\"key\":\"" key "\",\"last_update\":\"2026-05-01T09:00:00Z\",\"markets\":[" markets "]}"
#define MARKET(key, outcomes)    "{\"key\":\"" key "\",\"outcomes\":[" outcomes "]}"
#define PRICE(name, price)       "{\"name\":\"" name "\",\"price\":" price "}"
#define LINE(name, price, point) "{\"name\":\"" name "\",\"price\":" price ",\"point\":" point "}"
#define H2H                      MARKET("h2h", PRICE("Everton", "4.5") "," PRICE("Arsenal", "1.8") "," PRICE("Draw", "3.6"))

static enum err_code read_text(const char *text, struct odds_api_answer *out, struct err *err)
{
    return odds_api_read(text, strlen(text), out, err);
}

static void refuse(const char *text, const char *words)
{
    struct odds_api_answer answer;
    struct err err;
    assert_int_not_equal(read_text(text, &answer, &err), ERR_OK);
    if (strstr(err.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, err.text);
    assert_null(answer.events);
    assert_null(answer.sets);
}

static void complete_sets_are_kept(void **state)
{
    struct odds_api_answer answer;
    struct err err;
    (void)state;
    assert_int_equal(
        read_text("[" EVENT("a", MAKER("pinnacle",
                                       H2H "," MARKET("totals", LINE("Over", "1.9", "2.5") "," LINE(
                                                                    "Under", "2.0",
                                                                    "2.5"))) "," MAKER("nordicbet", H2H)) "]",
                  &answer, &err),
        ERR_OK);
    assert_int_equal(answer.event_count, 1);
    assert_int_equal(answer.set_count, 3);
    assert_string_equal(answer.events[0].home, "Arsenal");
    assert_int_equal(answer.events[0].start_us,
                     time_day_from_civil(2026, 5, 2) * TIME_DAY_US + 14 * TIME_HOUR_US);
    assert_int_equal(answer.events[0].first, 0);
    assert_int_equal(answer.events[0].end, 3);
    const struct odds_api_set *set = &answer.sets[0];
    assert_string_equal(set->bookmaker, "PS");
    assert_string_equal(set->market, "1x2");
    assert_true(set->prices[0] == 1.8 && set->prices[1] == 3.6 && set->prices[2] == 4.5);
    assert_int_equal(set->updated_us, time_day_from_civil(2026, 5, 1) * TIME_DAY_US + 9 * TIME_HOUR_US);
    assert_false(set->is_flagged);
    set = &answer.sets[1];
    assert_string_equal(set->market, "ou25");
    assert_true(set->prices[0] == 2.0 && set->prices[1] == 1.9 && isnan(set->prices[2]));
    assert_string_equal(answer.sets[2].bookmaker, "nordicbet");
    odds_api_release(&answer);
}

static void what_is_of_no_use_is_counted(void **state)
{
    struct odds_api_answer answer;
    struct err err;
    (void)state;
    assert_int_equal(
        read_text(
            "[" EVENT(
                "a",
                MAKER("pinnacle", MARKET("h2h_lay", "") "," MARKET("totals", LINE("Over", "1.9", "3.5") "," LINE("Under", "2", "3.5"))) "," MAKER(
                    "bwin",
                    MARKET(
                        "h2h",
                        PRICE("Arsenal", "1.8") "," PRICE(
                            "Draw",
                            "3.6"))) "," MAKER("unibet_eu",
                                               MARKET(
                                                   "h2h",
                                                   PRICE("Arsenal", "1") "," PRICE("Draw", "3.6") "," PRICE(
                                                       "Everton",
                                                       "4"))) "," MAKER("betfair_ex_uk",
                                                                        H2H) "," MAKER("betfair_ex_eu",
                                                                                       H2H) "," MAKER("coral",
                                                                                                      MARKET(
                                                                                                          "h2"
                                                                                                          "h",
                                                                                                          PRICE("Arsenal", "1.1") "," PRICE(
                                                                                                              "Draw",
                                                                                                              "2") "," PRICE("Everton",
                                                                                                                             "2")))) "]",
            &answer, &err),
        ERR_OK);
    assert_int_equal(answer.other, 2);
    assert_int_equal(answer.incomplete, 2);
    assert_int_equal(answer.repeated, 1); /* both exchanges have one name */
    assert_int_equal(answer.set_count, 2);
    assert_string_equal(answer.sets[0].bookmaker, "BFE");
    assert_false(answer.sets[0].is_flagged);
    assert_true(answer.sets[1].is_flagged); /* 1.91 in all */
    odds_api_release(&answer);
    assert_int_equal(read_text("[]", &answer, &err), ERR_OK);
    assert_int_equal(answer.event_count, 0);
    odds_api_release(&answer);
}

static void other_shapes_are_refused(void **state)
{
    (void)state;
    refuse("", "malformed");
    refuse("[" EVENT("a", MAKER("pinnacle", H2H)), "malformed");
    refuse("{\"message\":\"hello\"}", "no array");
    refuse("[1]", "event 1");
    refuse("[" EVENT("a", "") ",{\"id\":\"b\"}]", "event 2: ");
    refuse("[{\"id\":\"a\",\"home_team\":\"A\",\"away_team\":\"B\",\"commence_time\":\"soon\",\"bookmakers\":"
           "[]}]",
           "'commence_time' is no time: 'soon'");
    refuse("[{\"id\":\"a\",\"home_team\":\"A\",\"away_team\":\"B\",\"commence_time\":\"2026-05-02\","
           "\"bookmakers\":[]}]",
           "no time"); /* a date is none */
    refuse("[" EVENT("a", "{\"key\":\"pinnacle\"}") "]", "bookmaker 'pinnacle': 'markets'");
    refuse("[" EVENT("a", MAKER("pinnacle", "{\"key\":\"h2h\",\"outcomes\":{}}")) "]",
           "'outcomes' is no array");
    refuse("[" EVENT("a", MAKER("pinnacle", MARKET("h2h", "{\"name\":\"Draw\",\"price\":\"3\"}"))) "]",
           "outcome 1");
    refuse("[" EVENT(" ", "") "]", "'id' is empty");
}

static void cut_anywhere_is_refused(void **state)
{
    static const char whole[] = "[" EVENT("a", MAKER("pinnacle", H2H)) "]";
    struct odds_api_answer answer;
    struct err err;
    (void)state;
    for (size_t size = 0; size + 1 < sizeof whole; size++) {
        assert_int_equal(odds_api_read(whole, size, &answer, &err), ERR_INVALID);
        assert_null(answer.sets);
    }
    assert_int_equal(odds_api_read(whole, sizeof whole - 1, &answer, NULL), ERR_OK);
    odds_api_release(&answer);
}

static void names_of_leagues(void **state)
{
    (void)state;
    assert_string_equal(connector_league_find("E0")->sport, "soccer_epl");
    assert_string_equal(connector_league_of("BL1")->code, "D1");
    assert_null(connector_league_find("XX"));
    assert_null(connector_league_of(""));
    assert_string_equal(connector_bookmaker("nobody"), "nobody");
    for (size_t i = 0; connector_league_at(i) != NULL; i++) {
        const struct connector_league *league = connector_league_at(i);
        assert_ptr_equal(connector_league_find(league->code), league);
        if (league->competition[0] != '\0')
            assert_ptr_equal(connector_league_of(league->competition), league);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_sets_are_kept),   cmocka_unit_test(what_is_of_no_use_is_counted),
        cmocka_unit_test(other_shapes_are_refused), cmocka_unit_test(cut_anywhere_is_refused),
        cmocka_unit_test(names_of_leagues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
