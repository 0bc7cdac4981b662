/* Answers of football-data.org: rows, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "source/football_data_org.h"

#include <string.h>

#define TEAM(name, shorter) "{\"id\":1,\"name\":\"" name "\",\"shortName\":" shorter ",\"tla\":\"X\"}"
#define MATCH(id, status, away)                                                                              \
    "{\"id\":" id ",\"utcDate\":\"2026-05-02T11:30:00Z\",\"status\":\"" status                               \
    "\",\"competition\":{\"code\":\"PL\"},\"homeTeam\":" TEAM("Arsenal FC",                                  \
                                                              "\"Arsenal\"") ",\"awayTeam\":" away "}"
#define AWAY TEAM("Everton FC", "null")
#define ROW(position, played, points)                                                                        \
    "{\"position\":" position                                                                                \
    ",\"team\":" TEAM("Arsenal FC", "\"Arsenal\"") ",\"playedGames\":" played                                \
                                                   ",\"won\":3,\"draw\":1,\"lost\":2,\"points\":" points     \
                                                   ",\"goalsFor\":9,\"goalsAgainst\":7}"
#define SEASON "\"season\":{\"startDate\":\"2025-08-15\",\"endDate\":\"2026-05-24\"}"
#define TABLE(type, rows)                                                                                    \
    "{\"stage\":\"REGULAR_SEASON\",\"type\":\"" type "\",\"group\":null,\"table\":[" rows "]}"
#define STANDINGS(tables) "{\"competition\":{\"code\":\"PL\"}," SEASON ",\"standings\":[" tables "]}"

static void refuse_matches(const char *text, const char *words)
{
    struct org_matches matches;
    struct err err;
    assert_int_not_equal(org_matches_read(text, strlen(text), &matches, &err), ERR_OK);
    if (strstr(err.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, err.text);
    assert_null(matches.items);
}

static void refuse_standings(const char *text, const char *words)
{
    struct org_standings standings;
    struct err err;
    assert_int_not_equal(org_standings_read(text, strlen(text), &standings, &err), ERR_OK);
    if (strstr(err.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, err.text);
    assert_null(standings.items);
}

static void matches(void **state)
{
    static const char text[] =
        "{\"matches\":[" MATCH("7", "TIMED", AWAY) "," MATCH("8", "SCHEDULED", AWAY) "," MATCH(
            "9", "POSTPONED",
            AWAY) "," MATCH("10", "CANCELLED",
                            AWAY) "," MATCH("11", "IN_PLAY",
                                            AWAY) "," MATCH("12", "TIMED",
                                                            "{\"id\":null,\"name\":null}") "]}";
    static const enum org_state states[] = {ORG_TO_COME, ORG_TO_COME, ORG_POSTPONED, ORG_CANCELLED,
                                            ORG_BEGUN};
    struct org_matches out;
    struct err err;
    (void)state;
    assert_int_equal(org_matches_read(text, strlen(text), &out, &err), ERR_OK);
    assert_int_equal(out.count, 5);
    assert_int_equal(out.open, 1);
    for (size_t i = 0; i < out.count; i++) {
        assert_int_equal(out.items[i].id, 7 + i);
        assert_int_equal(out.items[i].state, states[i]);
        assert_int_equal(out.items[i].time_known, i != 1);
    }
    assert_int_equal(out.items[0].start_us,
                     time_day_from_civil(2026, 5, 2) * TIME_DAY_US + 11 * TIME_HOUR_US + TIME_HOUR_US / 2);
    assert_string_equal(out.items[0].competition, "PL");
    assert_string_equal(out.items[0].home.short_name, "Arsenal");
    assert_string_equal(out.items[0].away.short_name, "");
    org_matches_release(&out);
}

static void matches_of_one_competition(void **state)
{
    static const char text[] =
        "{\"competition\":{\"code\":\"BL1\"},\"matches\":[" MATCH("7", "TIMED", AWAY) "]}";
    struct org_matches out;
    (void)state;
    assert_int_equal(org_matches_read(text, strlen(text), &out, NULL), ERR_OK);
    assert_string_equal(out.items[0].competition, "BL1");
    org_matches_release(&out);
}

static void standings(void **state)
{
    static const char text[] = STANDINGS(
        TABLE("TOTAL", ROW("1", "6", "10") "," ROW("2", "6", "-2")) "," TABLE("HOME", ROW("1", "6", "10")));
    struct org_standings out;
    struct err err;
    (void)state;
    assert_int_equal(org_standings_read(text, strlen(text), &out, &err), ERR_OK);
    assert_int_equal(out.count, 2); /* HOME is left out */
    assert_string_equal(out.competition, "PL");
    assert_int_equal(out.season_from, time_day_from_civil(2025, 8, 15));
    assert_int_equal(out.season_to, time_day_from_civil(2026, 5, 24));
    assert_string_equal(out.items[0].stage, "REGULAR_SEASON");
    assert_string_equal(out.items[0].group, "");
    assert_int_equal(out.items[0].goals_for, 9);
    assert_int_equal(out.items[1].points, -2); /* points were taken away */
    org_standings_release(&out);
}

static void other_shapes_are_refused(void **state)
{
    (void)state;
    refuse_matches("{\"matches\":[", "malformed");
    refuse_matches("[]", "'matches'");
    refuse_matches("{\"matches\":[{}]}", "match 1: ");
    refuse_matches("{\"matches\":[{\"id\":1,\"status\":\"TIMED\",\"utcDate\":\"tomorrow\",\"competition\":{"
                   "\"code\":\"PL\"}}]}",
                   "'utcDate' is no time");
    refuse_standings("{}", "'competition'");
    refuse_standings("{\"competition\":{\"code\":\"PL\"}}", "'season'");
    refuse_standings("{\"competition\":{\"code\":\"PL\"}," SEASON "}", "'standings'");
    refuse_standings(STANDINGS(TABLE("TOTAL", ROW("-1", "6", "1"))),
                     "standings 1: row 1: 'position' is out of range");
    refuse_standings(STANDINGS(TABLE("TOTAL", ROW("1", "7", "1"))), "7 matches are not");
    refuse_standings(STANDINGS(TABLE("TOTAL", "{\"team\":{\"name\":null}}")), "'team' has no name");
}

static void cut_anywhere_is_refused(void **state)
{
    static const char whole[] = STANDINGS(TABLE("TOTAL", ROW("1", "6", "10")));
    struct org_standings out;
    struct err err;
    (void)state;
    for (size_t size = 0; size + 1 < sizeof whole; size++)
        assert_int_equal(org_standings_read(whole, size, &out, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(matches_of_one_competition),
        cmocka_unit_test(standings),
        cmocka_unit_test(other_shapes_are_refused),
        cmocka_unit_test(cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
