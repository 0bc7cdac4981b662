/* Histories: order, times of knowledge, by-day batches, prices in place, the audited future, bad tables. */
#include "football/history.h"

#include "football/league.h"
#include "football/teams.h"
#include "football/test_frames.h"

enum { DAY = 19700 }; /* 2023-12-09: winter, London is UTC */

/* Arsenal 1, Chelsea 2, Bolton 3 (England); Bayern 7, Bremen 8 (Germany). Frame rows are in order of the day. */
static void small_frames(struct test_frames *frames)
{
    static const int stats[SIDE_COUNT * (1 + STAT_COUNT)] = {1, 0, 11, 9, 5, 4, 6, 3, 12, 10, 2, 1, 0, 1};
    static const struct test_match matches[] = {
        {.id = 50,
         .league = "E0",
         .day = DAY,
         .minute = -1,
         .home = 1,
         .away = 2,
         .goals_home = 2,
         .goals_away = 1,
         .state = 1,
         .stats = stats},
        {.id = 51,
         .league = "E0",
         .day = DAY,
         .minute = 900,
         .home = 3,
         .away = 1,
         .goals_home = 0,
         .goals_away = 0,
         .state = 1},
        {.id = 52,
         .league = "D2",
         .day = DAY,
         .minute = 840,
         .home = 7,
         .away = 8,
         .goals_home = 0,
         .goals_away = 3,
         .state = 1},
        {.id = 53,
         .league = "E1",
         .day = DAY,
         .minute = 840,
         .home = 2,
         .away = 3,
         .goals_home = 1,
         .goals_away = 1,
         .state = 1},
        {.id = 54,
         .league = "E0",
         .day = DAY + 1,
         .minute = 840,
         .home = 1,
         .away = 3,
         .goals_home = -1,
         .state = 2},
        {.id = 55,
         .league = "E0",
         .day = DAY + 1,
         .minute = 900,
         .home = 2,
         .away = 1,
         .goals_home = -1,
         .state = 0},
    };
    test_frames_open(frames);
    test_frames_team(frames, 1, "England", "Arsenal");
    test_frames_team(frames, 7, "Germany", "Bayern");
    test_frames_team(frames, 2, "England", "Chelsea");
    test_frames_team(frames, 8, "Germany", "Bremen");
    test_frames_team(frames, 3, "England", "Bolton");
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++)
        test_frames_match(frames, &matches[i]);
    test_frames_price(frames, 0, "1x2", "B365", "pre_close", 1.5, 4, 6);
    test_frames_price(frames, 0, "1x2", "PS", "close", 1.6, 4.1, 6.1);
    test_frames_price(frames, 1, "ou25", "Avg", "pre_close", 1.8, 2.1, NAN);
    test_frames_price(frames, 1, "1x2", "B365", "pre_close", 0.5, 3, NAN);
    test_frames_price(frames, 2, "1x2", "Nobody", "pre_close", 2, 3, 4);
    test_frames_price(frames, 2, "ah", "B365", "pre_close", 2, 2, NAN);
    test_frames_price(frames, 4, "1x2", "B365", "pre_close", 2, 3, 4);
    test_frames_price(frames, 5, "1x2", "Max", "pre_close", 2, 3, 4);
    test_frames_price(frames, 5, "1x2", "Max", "close", 2, 3, 4);
    test_frames_finish(frames);
}

static struct history *open_history(const struct test_frames *frames, struct history_options options)
{
    struct history *history = NULL;
    struct err err = {0};
    enum err_code code = history_create(frames->teams, frames->matches, frames->prices, frames->attributes,
                                        options, &history, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    return history;
}

static const struct stream *stream_called(const struct history *history, const char *country)
{
    for (size_t i = 0; i < history_stream_count(history); i++) {
        if (strcmp(league_country_name(i), country) == 0)
            return &history_streams(history)[i];
    }
    fail();
    return NULL;
}

static void rows_are_in_time_order(void **state)
{
    (void)state;
    struct test_frames frames;
    small_frames(&frames);
    struct history *history = open_history(&frames, (struct history_options){0});
    static const int64_t ids[] = {50, 53, 52, 51,
                                  55};          /* 00:00; 14:00 England, Germany; 15:00; the next day */
    assert_int_equal(history_rows(history), 5); /* the postponed match is left out */
    for (size_t row = 0; row < 5; row++) {
        assert_int_equal(history_row_info(history)[row].id, ids[row]);
        assert_int_equal(history_fixture(history, row)->id, ids[row]);
    }
    const struct stream *england = stream_called(history, "England");
    assert_int_equal(england->count, 4);
    static const uint32_t rows[] = {0, 1, 3, 4};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(england->row[i], rows[i]);
        const struct fixture *fixture = (const struct fixture *)england->fixtures + i;
        assert_ptr_equal(fixture, history_fixture(history, rows[i]));
        assert_int_equal(england->start_us[i], fixture->start_us);
        assert_int_equal(england->known_us[i], history_outcome(history, rows[i])->known_us);
    }
    assert_int_equal(stream_called(history, "Germany")->count, 1);
    assert_int_equal(stream_called(history, "Italy")->count, 0);
    assert_int_equal(history_stream_count(history), league_country_count());
    history_destroy(history);
    test_frames_close(&frames);
}

static void outcomes_are_known_after_the_match(void **state)
{
    (void)state;
    struct test_frames frames;
    small_frames(&frames);
    struct history *history = open_history(&frames, (struct history_options){0});
    int64_t midnight = DAY * TIME_DAY_US;
    assert_int_equal(history_fixture(history, 0)->start_us, midnight);
    assert_int_equal(history_outcome(history, 0)->known_us, midnight + TIME_DAY_US);
    assert_false(history_fixture(history, 0)->time_is_known);
    assert_int_equal(history_fixture(history, 3)->start_us, midnight + 15 * TIME_HOUR_US);
    assert_int_equal(history_outcome(history, 3)->known_us,
                     midnight + 17 * TIME_HOUR_US + 15 * TIME_MINUTE_US);
    assert_true(history_outcome(history, 4)->known_us == INT64_MAX); /* not yet played */
    assert_int_equal(history_outcome(history, 4)->goals[SIDE_HOME], GOALS_NONE);
    static const int32_t result[] = {0, 1, 2, 1, -1}, over[] = {1, 0, 1, 0, -1};
    for (size_t row = 0; row < 5; row++) {
        assert_int_equal(history_row_info(history)[row].label[0], result[row]);
        assert_int_equal(history_row_info(history)[row].label[1], over[row]);
        assert_int_equal(history_row_info(history)[row].label[2], -1);
    }
    history_destroy(history);
    test_frames_close(&frames);
}

static void fields_arrive(void **state)
{
    (void)state;
    struct test_frames frames;
    small_frames(&frames);
    struct history *history = open_history(&frames, (struct history_options){.with_close = true});
    const struct fixture *fixture = history_fixture(history, 0);
    const struct outcome *outcome = history_outcome(history, 0);
    const struct prices *close = history_close(history, 0);
    size_t england = 0;
    assert_string_equal(history_team_name(history, england, fixture->home), "Arsenal");
    assert_string_equal(history_team_name(history, england, fixture->away), "Chelsea");
    assert_int_equal(history_team_find(history, england, text_of("CHELSEA")), fixture->away);
    assert_int_equal(history_team_find(history, england, text_of("Bayern")), -1);
    assert_int_equal(history_sizes(history)[england].entities, TEAMS_ROUND);
    assert_string_equal(league_at((size_t)fixture->league)->code, "E0");
    assert_int_equal(fixture->season, 2023);
    assert_int_equal(fixture->day, DAY);
    assert_int_equal(outcome->goals[SIDE_HOME], 2);
    assert_int_equal(outcome->half_goals[SIDE_AWAY], 0);
    assert_int_equal(outcome->stats[STAT_SHOTS][SIDE_HOME], 11);
    assert_int_equal(outcome->stats[STAT_SHOTS_ON_TARGET][SIDE_AWAY], 4);
    assert_int_equal(outcome->stats[STAT_FOULS][SIDE_HOME], 12);
    assert_int_equal(outcome->stats[STAT_REDS][SIDE_AWAY], 1);
    assert_int_equal(history_outcome(history, 1)->stats[STAT_SHOTS][SIDE_HOME], -1);
    /* prices */
    assert_close(fixture->pre_close.home_draw_away[BOOKMAKER_BET365][2], 6, 0);
    assert_true(isnan(fixture->pre_close.home_draw_away[BOOKMAKER_PINNACLE][0]));
    assert_close(close->home_draw_away[BOOKMAKER_PINNACLE][0], (double)1.6f, 0);
    assert_true(isnan(close->home_draw_away[BOOKMAKER_BET365][0]));
    const struct prices *bolton = &history_fixture(history, 3)->pre_close;
    assert_close(bolton->under_over[BOOKMAKER_AVERAGE][1], (double)2.1f, 0);
    assert_true(isnan(bolton->home_draw_away[BOOKMAKER_BET365][0])); /* 0.5 is no price */
    assert_close(bolton->home_draw_away[BOOKMAKER_BET365][1], 3, 0);
    assert_true(isnan(bolton->home_draw_away[BOOKMAKER_BET365][2]));
    assert_close(history_fixture(history, 4)->pre_close.home_draw_away[BOOKMAKER_MAXIMUM][0], 2, 0);
    assert_true(isnan(history_close(history, 4)->home_draw_away[BOOKMAKER_MAXIMUM][0]));
    history_destroy(history);
    test_frames_close(&frames);
}

static void prices_of_one_match_are_read_the_same_way(void **state)
{
    (void)state;
    struct test_frames frames;
    struct prices prices = prices_unknown();
    struct err err = {0};
    test_frames_open(&frames);
    test_frames_price(&frames, 0, "1x2", "B365", "pre_close", 1.5, 4, 6);
    test_frames_price(&frames, 0, "1x2", "PS", "close", 1.6, 4.1, 6.1);
    test_frames_price(&frames, 0, "ou25", "Avg", "pre_close", 0.9, 2.1, NAN);
    test_frames_finish(&frames);
    assert_int_equal(history_read_prices(frames.prices, &prices, &err), ERR_OK);
    assert_close(prices.home_draw_away[BOOKMAKER_BET365][0], 1.5, 0);
    assert_true(isnan(prices.home_draw_away[BOOKMAKER_PINNACLE][0]));
    assert_true(isnan(prices.under_over[BOOKMAKER_AVERAGE][0]));
    assert_close(prices.under_over[BOOKMAKER_AVERAGE][1], (double)2.1f, 0);
    assert_int_equal(history_read_prices(frames.teams, &prices, &err), ERR_INVALID);
    test_frames_close(&frames);
}

static void by_day_the_clock_is_not_read(void **state)
{
    (void)state;
    struct test_frames frames;
    small_frames(&frames);
    struct history *history = open_history(&frames, (struct history_options){.by_day = true});
    static const int64_t ids[] = {50, 51, 53, 52, 55};
    for (size_t row = 0; row < 5; row++) {
        const struct fixture *fixture = history_fixture(history, row);
        assert_int_equal(fixture->id, ids[row]);
        assert_int_equal(fixture->start_us, fixture->day * TIME_DAY_US);
        if (row < 4)
            assert_int_equal(history_outcome(history, row)->known_us, (fixture->day + 1) * TIME_DAY_US);
    }
    history_destroy(history);
    test_frames_close(&frames);
}

static void summer_days_begin_before_utc(void **state)
{
    (void)state;
    struct test_frames frames;
    int64_t day = time_day_from_civil(2023, 8, 12);
    test_frames_open(&frames);
    test_frames_team(&frames, 1, "England", "Arsenal");
    test_frames_team(&frames, 2, "England", "Chelsea");
    test_frames_match(
        &frames, &(struct test_match){
                     .id = 1, .league = "E0", .day = day, .minute = -1, .home = 1, .away = 2, .state = 1});
    test_frames_finish(&frames);
    struct history *history = open_history(&frames, (struct history_options){0});
    assert_int_equal(history_fixture(history, 0)->start_us, day * TIME_DAY_US - TIME_HOUR_US);
    assert_int_equal(history_outcome(history, 0)->known_us, (day + 1) * TIME_DAY_US - TIME_HOUR_US);
    history_destroy(history);
    test_frames_close(&frames);
}

static void the_future_is_cut_or_scrambled(void **state)
{
    const size_t outcome_bytes = offsetof(struct outcome, xg_milli) + sizeof(((struct outcome *)0)->xg_milli);
    (void)state;
    struct test_frames frames;
    small_frames(&frames);
    int64_t cut_us =
        DAY * TIME_DAY_US + 17 * TIME_HOUR_US; /* the 14:00 matches are known, the others are not */
    struct history *whole = open_history(&frames, (struct history_options){.with_close = true});
    struct history *cut = open_history(
        &frames, (struct history_options){.future = HISTORY_TRUNCATED, .cut_us = cut_us, .with_close = true});
    struct history *scrambled = open_history(
        &frames, (struct history_options){
                     .future = HISTORY_SCRAMBLED, .cut_us = cut_us, .seed = 5, .with_close = true});
    assert_int_equal(history_rows(cut), 4);
    assert_int_equal(history_rows(scrambled), 5);
    for (size_t row = 0; row < 4; row++) {
        const struct outcome *a = history_outcome(whole, row), *b = history_outcome(cut, row);
        const struct outcome *c = history_outcome(scrambled, row);
        assert_memory_equal(history_fixture(whole, row), history_fixture(cut, row), sizeof(struct fixture));
        assert_memory_equal(history_fixture(whole, row), history_fixture(scrambled, row),
                            sizeof(struct fixture));
        if (a->known_us <= cut_us) {
            assert_memory_equal(a, b, outcome_bytes);
            assert_memory_equal(a, c, outcome_bytes);
            assert_memory_equal(history_close(whole, row), history_close(cut, row), sizeof(struct prices));
            assert_memory_equal(history_close(whole, row), history_close(scrambled, row),
                                sizeof(struct prices));
            continue;
        }
        assert_true(b->known_us == INT64_MAX);
        assert_int_equal(b->goals[SIDE_HOME], GOALS_NONE);
        assert_int_equal(history_row_info(cut)[row].label[0], -1);
        assert_true(isnan(history_close(cut, row)->home_draw_away[BOOKMAKER_PINNACLE][0]));
        assert_true(a->known_us == c->known_us);
        for (size_t side = 0; side < SIDE_COUNT; side++) {
            assert_int_not_equal(a->goals[side], c->goals[side]);
            assert_int_not_equal(a->half_goals[side], c->half_goals[side]);
            for (size_t stat = 0; stat < STAT_COUNT; stat++)
                assert_int_not_equal(a->stats[stat][side], c->stats[stat][side]);
        }
        for (size_t book = 0; book < BOOKMAKER_COUNT; book++)
            assert_true(history_close(scrambled, row)->home_draw_away[book][0] !=
                            history_close(whole, row)->home_draw_away[book][0] &&
                        history_close(scrambled, row)->under_over[book][1] > 1);
    }
    history_destroy(whole);
    history_destroy(cut);
    history_destroy(scrambled);
    test_frames_close(&frames);
}

static void bad_tables_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *league;
        int64_t home, away, price_row;
        const char *text;
    } cases[] = {
        {"E9", 1, 2, 0, "match 9 is of the unknown league 'E9'"},
        {"E0", 1, 77, 0, "match 9 names team 77, which is not in the table of teams"},
        {"E0", 1, 7, 0, "match 9 names team 7, which is of another country"},
        {"E0", 1, 1, 0, "match 9 names the same team twice"},
        {"E0", 1, 2, 3, "price row 0 names match row 3 of 1"},
        {"E0", 1, 2, -1, "price row 0 names match row -1 of 1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_frames frames;
        struct history *history = NULL;
        struct err err;
        test_frames_open(&frames);
        test_frames_team(&frames, 1, "England", "Arsenal");
        test_frames_team(&frames, 2, "England", "Chelsea");
        test_frames_team(&frames, 7, "Germany", "Bayern");
        test_frames_match(&frames, &(struct test_match){.id = 9,
                                                        .league = cases[i].league,
                                                        .day = DAY,
                                                        .minute = -1,
                                                        .home = cases[i].home,
                                                        .away = cases[i].away,
                                                        .state = 1});
        test_frames_price(&frames, cases[i].price_row, "1x2", "B365", "close", 2, 3, 4);
        test_frames_finish(&frames);
        assert_int_equal(history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                        (struct history_options){0}, &history, &err),
                         ERR_INVALID);
        assert_string_equal(err.text, cases[i].text);
        assert_null(history);
        /* a frame of another kind */
        assert_int_equal(history_create(frames.teams, frames.teams, frames.prices, frames.attributes,
                                        (struct history_options){0}, &history, &err),
                         ERR_INVALID);
        assert_string_equal(err.text, "the frame of matches has no column 'league'");
        test_frames_close(&frames);
    }
}

static void no_matches_make_an_empty_history(void **state)
{
    (void)state;
    struct test_frames frames;
    test_frames_open(&frames);
    test_frames_team(&frames, 1, "England", "Arsenal");
    test_frames_finish(&frames);
    struct history *history = open_history(&frames, (struct history_options){0});
    assert_int_equal(history_rows(history), 0);
    assert_int_equal(history_team_find(history, 0, text_of("arsenal")), 0);
    history_destroy(history);
    history_destroy(NULL);
    test_frames_close(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_in_time_order),
        cmocka_unit_test(outcomes_are_known_after_the_match),
        cmocka_unit_test(fields_arrive),
        cmocka_unit_test(prices_of_one_match_are_read_the_same_way),
        cmocka_unit_test(by_day_the_clock_is_not_read),
        cmocka_unit_test(summer_days_begin_before_utc),
        cmocka_unit_test(the_future_is_cut_or_scrambled),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(no_matches_make_an_empty_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
