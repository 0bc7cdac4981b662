/* The style family: sums of a league and relative figures by hand, members coming and going, and random seasons against
 * a model that looks for each league's members among all teams. */
#include "football/families.h"
#include "football/rating.h"
#include "football/test_events.h"

enum { E0, E1, LEAGUES };

static void open_style(struct testing_tracker *test, size_t teams)
{
    struct stream_size size = {.entities = teams, .groups = LEAGUES};
    test->tracker = &tracker_style;
    test->size_bytes = tracker_style.state_bytes(&size);
    test->state = calloc(1, test->size_bytes);
    assert_non_null(test->state);
    tracker_style.init(test->state, &size);
}

static struct fixture fixture_of(int league, int season, int home, int away)
{
    struct fixture fixture = testing_fixture(1, 1, home, away);
    fixture.league = (int16_t)league;
    fixture.season = (int16_t)season;
    return fixture;
}

static void play(struct testing_tracker *test, int league, int season, int home, int away, int goals_home,
                 int goals_away)
{
    struct fixture fixture = fixture_of(league, season, home, away);
    struct outcome outcome = testing_result(goals_home, goals_away);
    tracker_style.apply(test->state, &fixture, &outcome);
}

static void goals_and_results_of_two_seasons(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_style(&test, 4);
    struct fixture fixture = fixture_of(E0, 2002, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "style_league_goals")));
    assert_true(isnan(testing_feature(&test, &fixture, "style_home_attack")));
    assert_true(isnan(testing_feature(&test, &fixture, "style_home_rating_lead")));
    play(&test, E0, 2000, 0, 1, 9, 9); /* forgotten with the third season */
    play(&test, E0, 2001, 0, 1, 3, 0);
    play(&test, E0, 2001, 2, 3, 1, 1);
    play(&test, E0, 2002, 0, 2, 0, 2);
    play(&test, E1, 2002, 1, 3, 7, 0); /* another league */
    assert_close(testing_feature(&test, &fixture, "style_league_goals"), 7 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "style_league_home_wins"), 1 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "style_league_draws"), 1 / 3.0, 1e-6);
    assert_true(isnan(testing_feature(&test, &fixture, "style_league_intensity")));
    /* team 0 scored 9, 3, 0, in matches of 18, 3, 2 goals; usual are 7/6 and 7/3 */
    assert_close(testing_feature(&test, &fixture, "style_home_attack"), 12 / 3.0 / (7 / 6.0), 1e-5);
    assert_close(testing_feature(&test, &fixture, "style_home_openness"), 23 / 3.0 / (7 / 3.0), 1e-5);
    testing_close(&test);
}

static void intensity_needs_fouls_and_cards(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_style(&test, 2);
    struct fixture fixture = fixture_of(E0, 2000, 0, 1);
    struct outcome outcome = testing_result(0, 0);
    static const int16_t stats[STAT_COUNT][SIDE_COUNT] = {{-1, -1}, {-1, -1}, {-1, -1},
                                                          {14, 8},  {3, 1},   {1, 0}};
    memcpy(outcome.stats, stats, sizeof(stats));
    tracker_style.apply(test.state, &fixture, &outcome); /* 18 and 9 */
    outcome.stats[STAT_REDS][SIDE_AWAY] = -1;
    tracker_style.apply(test.state, &fixture, &outcome);
    assert_close(testing_feature(&test, &fixture, "style_league_intensity"), 27, 0);
    assert_close(testing_feature(&test, &fixture, "style_home_intensity"), 18 / 13.5, 1e-6);
    assert_close(testing_feature(&test, &fixture, "style_away_intensity"), 9 / 13.5, 1e-6);
    testing_close(&test);
}

static void relative_figures_are_cut(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_style(&test, 4);
    struct fixture fixture = fixture_of(E0, 2000, 0, 1);
    play(&test, E0, 2000, 2, 3, 0, 0);
    assert_true(isnan(testing_feature(&test, &fixture, "style_home_attack"))); /* no goal is usual */
    for (int i = 0; i < 40; i++)
        play(&test, E0, 2000, 2, 3, 0, 0);
    play(&test, E0, 2000, 0, 1, 99, 1);
    assert_close(testing_feature(&test, &fixture, "style_home_attack"), 9, 0);
    testing_close(&test);
}

static void the_top_three(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_style(&test, 6);
    for (int round = 0; round < 3; round++) { /* 0, 1, 2 always beat 3, 4, 5 */
        for (int i = 0; i < 3; i++)
            play(&test, E0, 2000, i, 3 + i, 1, 0);
        struct fixture fixture = fixture_of(E0, 2000, 0, 3);
        assert_close(testing_feature(&test, &fixture, "style_top_three_teams"), 1, 0);
        /* all pairs have the same history, so the best stand as far above 1500 as the others below */
        double lead = testing_feature(&test, &fixture, "style_home_rating_lead");
        assert_true(lead > 7 * round);
        assert_close(testing_feature(&test, &fixture, "style_away_rating_lead"), -lead, 1e-3);
        assert_close(testing_feature(&test, &fixture, "style_top_three_lead"), 2 * lead, 1e-3);
        assert_close(testing_feature(&test, &fixture, "style_rating_spread"), lead, 1e-3);
    }
    struct fixture fixture = fixture_of(E0, 2000, 1, 2);
    assert_close(testing_feature(&test, &fixture, "style_top_three_teams"), 2, 0);
    play(&test, E1, 2000, 5, 4, 1, 0); /* two leave: four are too few */
    play(&test, E0, 2000, 0, 3, 1, 0);
    assert_true(isnan(testing_feature(&test, &fixture, "style_top_three_lead")));
    assert_true(isnan(testing_feature(&test, &fixture, "style_top_three_teams")));
    testing_close(&test);
}

/* The slow way: each team's rating and latest match, each league's members found anew. */

enum { TEAMS = 16, MATCHES = 2000 };

struct model {
    double rating[TEAMS];
    int league[TEAMS], season[TEAMS], played[TEAMS]; /* of the latest match; played 0: none */
    bool is_absent[TEAMS];
    int running[LEAGUES], before[LEAGUES];
    bool is_sure[LEAGUES];
    double mean[LEAGUES], lead[LEAGUES], spread[LEAGUES], third[LEAGUES];
};

static int compare_down(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

static void rate(struct model *model, int league)
{
    double ratings[TEAMS], sum = 0, squares = 0, rest = 0;
    size_t count = 0;
    for (int team = 0; team < TEAMS; team++) {
        if (model->played[team] > 0 && model->league[team] == league && !model->is_absent[team])
            ratings[count++] = model->rating[team];
    }
    qsort(ratings, count, sizeof(*ratings), compare_down);
    for (size_t i = 0; i < count; i++)
        sum += ratings[i];
    for (size_t i = 0; i < count; i++) {
        squares += pow(ratings[i] - sum / (double)count, 2);
        rest += i >= 3 ? ratings[i] : 0;
    }
    model->mean[league] = sum / (double)count;
    model->lead[league] = model->spread[league] = model->third[league] = NAN;
    if (count >= 6) {
        model->third[league] = ratings[2];
        model->lead[league] = (ratings[0] + ratings[1] + ratings[2]) / 3 - rest / (double)(count - 3);
        model->spread[league] = sqrt(squares / (double)count);
    }
}

static void add(struct model *model, const struct fixture *fixture, int goals_home, int goals_away)
{
    static const struct elo_rule rule = {20, 60, ELO_MARGIN_WORLD};
    const int teams[SIDE_COUNT] = {fixture->home, fixture->away};
    int league = fixture->league;
    if (fixture->season > model->running[league]) {
        model->running[league] = fixture->season;
        model->is_sure[league] = false;
    }
    elo_update(&rule, &model->rating[teams[0]], &model->rating[teams[1]], goals_home, goals_away, false);
    for (int side = 0; side < SIDE_COUNT; side++) {
        int team = teams[side];
        if (model->league[team] != league || model->season[team] != model->running[league])
            model->played[team] = 0;
        model->league[team] = league;
        model->season[team] = model->running[league];
        model->played[team]++;
        model->is_absent[team] = false;
    }
    if (!model->is_sure[league] && (model->played[teams[0]] >= 3 || model->played[teams[1]] >= 3)) {
        model->is_sure[league] = true;
        for (int team = 0; team < TEAMS; team++) {
            if (model->league[team] == league && model->season[team] != model->running[league])
                model->is_absent[team] = true;
        }
    }
    rate(model, league);
}

static void assert_same(struct testing_tracker *test, const struct fixture *fixture, const char *name,
                        double expected)
{
    double actual = testing_feature(test, fixture, name);
    if (isnan(actual) != isnan(expected) || fabs(actual - expected) > 1e-3)
        fail_msg("%s is %g, not %g", name, actual, expected);
}

static void random_seasons_equal_the_slow_way(void **state)
{
    (void)state;
    static struct model model;
    struct random random;
    struct testing_tracker test;
    size_t with_lead = 0;
    random_init(&random, 23);
    open_style(&test, TEAMS);
    for (int team = 0; team < TEAMS; team++) {
        model.rating[team] = ELO_START;
        model.league[team] = -1;
    }
    for (int league = 0; league < LEAGUES; league++)
        model.mean[league] = model.lead[league] = model.spread[league] = model.third[league] = NAN;
    for (int i = 0; i < MATCHES; i++) {
        int league = (int)random_below(&random, LEAGUES), season = 2000 + (i + 15 * league) / 70;
        int first = league * TEAMS / 2 + season; /* who plays where changes with the season */
        int home = (first + (int)random_below(&random, TEAMS / 2 - 1)) % TEAMS;
        int away = random_below(&random, 50) ? (first + (int)random_below(&random, TEAMS / 2 - 1)) % TEAMS
                                             : (int)random_below(&random, TEAMS);
        if (home == away)
            continue;
        struct fixture fixture = fixture_of(league, season - (random_below(&random, 40) == 0), home, away);
        assert_same(&test, &fixture, "style_home_rating_lead", model.rating[home] - model.mean[league]);
        assert_same(&test, &fixture, "style_away_rating_lead", model.rating[away] - model.mean[league]);
        assert_same(&test, &fixture, "style_top_three_lead", model.lead[league]);
        assert_same(&test, &fixture, "style_rating_spread", model.spread[league]);
        double third = model.third[league];
        assert_same(&test, &fixture, "style_top_three_teams",
                    isnan(third) ? NAN : (model.rating[home] >= third) + (model.rating[away] >= third));
        with_lead += !isnan(third);
        int goals_home = random_poisson(&random, 1.6), goals_away = random_poisson(&random, 1.1);
        add(&model, &fixture, goals_home, goals_away);
        struct outcome outcome = testing_result(goals_home, goals_away);
        tracker_style.apply(test.state, &fixture, &outcome);
    }
    assert_true(with_lead > MATCHES / 2);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goals_and_results_of_two_seasons),
        cmocka_unit_test(intensity_needs_fouls_and_cards),
        cmocka_unit_test(relative_figures_are_cut),
        cmocka_unit_test(the_top_three),
        cmocka_unit_test(random_seasons_equal_the_slow_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
