/* Football's views: every pick gives something, names are unique, and a team's row is the team's alone: byte-equal
 * whoever the opponent is and whichever side it is named on. */
#include "football/views.h"

#include "football/feature_sets.h"
#include "football/test_frames.h"

enum { COLUMNS_MAX = 1024 };

static void every_view_is_declared_well(void **state)
{
    static struct view_column columns[COLUMNS_MAX];
    (void)state;
    size_t count = 0;
    for (; football_view_at(count) != NULL; count++) {
        const struct feature_view *view = football_view_at(count);
        assert_ptr_equal(football_view(view->name), view);
        assert_true(view->version >= 1 && view->ttl_ms > 0 && strlen(view->doc) > 10);
        size_t n = feature_view_columns(view, football_feature_set_widest(), columns, COLUMNS_MAX);
        assert_true(n > 0 && n <= COLUMNS_MAX);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = i + 1; j < n; j++)
                assert_string_not_equal(columns[i].name, columns[j].name);
        }
    }
    assert_int_equal(count, 6);
    assert_null(football_view("nothing"));
}

static void every_pick_gives_a_column(void **state)
{
    const struct feature_set *set = football_feature_set_widest();
    (void)state;
    for (size_t v = 0; football_view_at(v) != NULL; v++) {
        for (const struct view_pick *pick = football_view_at(v)->picks; pick->prefix != NULL; pick++) {
            size_t found = 0;
            for (size_t i = 0; i < feature_set_columns(set); i++)
                found += strncmp(feature_set_at(set, i)->name, pick->prefix, strlen(pick->prefix)) == 0;
            if (found == 0)
                fail_msg("no feature begins with '%s' of view %s", pick->prefix, football_view_at(v)->name);
        }
    }
}

static void prices_are_in_odds_only(void **state)
{
    static struct view_column columns[COLUMNS_MAX];
    const struct feature_set *set = football_feature_set_widest();
    size_t priced = 0, in_odds = 0;
    (void)state;
    for (size_t i = 0; i < feature_set_columns(set); i++)
        priced += feature_set_at(set, i)->available != FEATURE_BEFORE_START;
    for (size_t v = 0; football_view_at(v) != NULL; v++) {
        const struct feature_view *view = football_view_at(v);
        size_t n = feature_view_columns(view, set, columns, COLUMNS_MAX);
        for (size_t i = 0; i < n; i++) {
            bool is_priced = columns[i].feature->available != FEATURE_BEFORE_START;
            if (strcmp(view->name, "odds") != 0 && is_priced)
                fail_msg("%s of view %s needs prices", columns[i].name, view->name);
            in_odds += is_priced;
        }
        if (strcmp(view->name, "match") == 0)
            assert_int_equal(n, feature_set_columns(set) - priced);
        if (strcmp(view->name, "form") == 0)
            assert_true(n >= 60);
    }
    assert_int_equal(in_odds, priced);
}

/* A history played to its end. */
struct played {
    struct test_frames frames;
    struct history *history;
    struct live_state *state;
};

static void play(struct played *played, uint64_t seed)
{
    test_frames_random(&played->frames, seed);
    assert_int_equal(history_create(played->frames.teams, played->frames.matches, played->frames.prices,
                                    played->frames.attributes, (struct history_options){0}, &played->history,
                                    NULL),
                     ERR_OK);
    assert_int_equal(builder_run(football_feature_set_widest(), history_streams(played->history),
                                 history_stream_count(played->history), NULL, NULL, NULL, &played->state,
                                 NULL),
                     ERR_OK);
}

static void release(struct played *played)
{
    live_state_destroy(played->state);
    history_destroy(played->history);
    test_frames_close(&played->frames);
}

static void check_team(struct view_plan *plan, const struct played *played, size_t stream,
                       const struct fixture *last, size_t teams, size_t *compared)
{
    static float expected[COLUMNS_MAX], got[COLUMNS_MAX];
    size_t bytes = view_plan_columns(plan) * sizeof(float);
    view_plan_emit(plan, played->state, stream, last, SIDE_HOME, expected);
    for (int32_t other = 0; (size_t)other < teams; other++) {
        if (other == last->home)
            continue;
        struct fixture fixture = *last, swapped;
        fixture.away = other;
        view_swap(&fixture, &swapped);
        assert_int_equal(swapped.home, other);
        memset(got, 1, bytes);
        view_plan_emit(plan, played->state, stream, &fixture, SIDE_HOME, got);
        assert_memory_equal(expected, got, bytes);
        memset(got, 1, bytes);
        view_plan_emit(plan, played->state, stream, &swapped, SIDE_AWAY, got);
        assert_memory_equal(expected, got, bytes);
        ++*compared;
    }
}

static void a_team_s_row_is_its_own(void **state)
{
    size_t compared = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct played played;
        play(&played, seed);
        for (size_t v = 0; football_view_at(v) != NULL; v++) {
            struct view_plan *plan = NULL;
            if (football_view_at(v)->entity != VIEW_TEAM)
                continue;
            assert_int_equal(view_plan_create(football_view_at(v), &plan, NULL), ERR_OK);
            for (size_t row = history_rows(played.history) - 60; row < history_rows(played.history); row++) {
                struct fixture subject;
                size_t stream = (size_t)history_row_info(played.history)[row].stream;
                view_subject(history_fixture(played.history, row),
                             history_row_info(played.history)[row].start_us, &subject);
                check_team(plan, &played, stream, &subject, history_sizes(played.history)[stream].entities,
                           &compared);
            }
            view_plan_destroy(plan);
        }
        release(&played);
    }
    assert_true(compared > 500);
}

static void rows_hold_the_columns_they_name(void **state)
{
    struct played played;
    static float features[2][COLUMNS_MAX], row[COLUMNS_MAX];
    (void)state;
    play(&played, 4);
    const struct fixture *fixture = history_fixture(played.history, history_rows(played.history) - 1);
    size_t stream = (size_t)history_row_info(played.history)[history_rows(played.history) - 1].stream;
    struct fixture swapped;
    view_swap(fixture, &swapped);
    live_state_emit(played.state, stream, fixture, features[0]);
    live_state_emit(played.state, stream, &swapped, features[1]);
    for (size_t v = 0; football_view_at(v) != NULL; v++) {
        struct view_plan *plan = NULL;
        assert_int_equal(view_plan_create(football_view_at(v), &plan, NULL), ERR_OK);
        view_plan_emit(plan, played.state, stream, fixture, SIDE_HOME, row);
        for (size_t i = 0; i < view_plan_columns(plan); i++) {
            const struct view_column *column = view_plan_column(plan, i);
            assert_memory_equal(&row[i], &features[column->side][column->column], sizeof(float));
        }
        view_plan_destroy(plan);
    }
    release(&played);
}

static void the_subject_stands_at_its_moment(void **state)
{
    struct fixture last = testing_fixture(7, 100, 1, 2), subject;
    (void)state;
    last.is_neutral = true;
    last.pre_close.home_draw_away[0][0] = 2;
    int64_t summer = time_day_from_civil(2024, 7, 1) * TIME_DAY_US; /* 01:00 in London */
    view_subject(&last, summer - TIME_HOUR_US / 2, &subject);       /* half past midnight of that day */
    assert_int_equal(subject.day, time_day_from_civil(2024, 7, 1));
    assert_int_equal(subject.start_us, summer - TIME_HOUR_US / 2);
    assert_false(subject.is_neutral);
    assert_true(isnan(subject.pre_close.home_draw_away[0][0]));
    assert_int_equal(subject.home, 1);
    assert_int_equal(subject.league, last.league);
    assert_int_equal(subject.season, last.season);
    view_subject(&last, summer - 2 * TIME_HOUR_US, &subject);
    assert_int_equal(subject.day, time_day_from_civil(2024, 6, 30));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_is_declared_well),     cmocka_unit_test(every_pick_gives_a_column),
        cmocka_unit_test(prices_are_in_odds_only),         cmocka_unit_test(a_team_s_row_is_its_own),
        cmocka_unit_test(rows_hold_the_columns_they_name), cmocka_unit_test(the_subject_stands_at_its_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
