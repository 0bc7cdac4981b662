/* The table family: a league of four by hand, promotion and relegation, and random seasons of two leagues with moving
 * teams against a model that counts every table anew from the list of all results. */
#include "football/families.h"
#include "football/test_events.h"

#include <stdio.h>

enum { E0, E1, LEAGUES }; /* rows of league_list.h: tiers 1 and 2 */

static void open_table(struct testing_tracker *test, size_t teams)
{
    struct stream_size size = {.entities = teams, .groups = LEAGUES};
    test->tracker = &tracker_table;
    test->size_bytes = tracker_table.state_bytes(&size);
    test->state = calloc(1, test->size_bytes);
    assert_non_null(test->state);
    tracker_table.init(test->state, &size);
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
    tracker_table.apply(test->state, &fixture, &outcome);
}

/* 0 beats all, 3 loses to all, 1 and 2 draw: 9, 4, 4, 0 points after three rounds. */
static void play_half_a_season(struct testing_tracker *test, int season)
{
    play(test, E0, season, 0, 1, 2, 0);
    play(test, E0, season, 2, 3, 1, 0);
    play(test, E0, season, 0, 2, 1, 0);
    play(test, E0, season, 3, 1, 0, 3);
    play(test, E0, season, 3, 0, 0, 5);
    play(test, E0, season, 1, 2, 1, 1);
}

static void a_league_of_four(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_table(&test, 4);
    struct fixture fixture = fixture_of(E0, 2000, 1, 3);
    assert_true(isnan(testing_feature(&test, &fixture, "table_home_points")));
    assert_true(isnan(testing_feature(&test, &fixture, "table_teams"))); /* nobody knows the league */
    assert_true(isnan(testing_feature(&test, &fixture, "table_home_title_distance")));
    assert_true(isnan(testing_feature(&test, &fixture, "table_home_moved")));
    play_half_a_season(&test, 2000);
    assert_close(testing_feature(&test, &fixture, "table_teams"), 4, 0);
    assert_close(testing_feature(&test, &fixture, "table_progress"), 0.5, 0); /* 3 of 6 */
    /* 1 and 2 have 4 points each; goals 4:3 and 2:2 */
    assert_close(testing_feature(&test, &fixture, "table_home_position"), 2, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_position"), 4, 0);
    assert_close(testing_feature(&test, &fixture, "table_position_gap"), -2, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_points"), 4 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "table_points_gap"), 4 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "table_home_goal_difference"), 1 / 3.0, 1e-6);
    assert_close(testing_feature(&test, &fixture, "table_home_venue_points"), 1, 0); /* a draw at home */
    assert_close(testing_feature(&test, &fixture, "table_away_venue_points"), 0, 0); /* a defeat away */
    assert_close(testing_feature(&test, &fixture, "table_home_title_distance"), -5, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_europe_distance"), 4,
                 0); /* four places for four */
    assert_close(testing_feature(&test, &fixture, "table_home_relegation_distance"), 4, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_relegation_distance"), -4, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_form_position"), 2, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_form_position"), 4, 0);
    /* three matches left: the line of Europe and of relegation is 4 points away */
    assert_close(testing_feature(&test, &fixture, "table_home_pressure"), 0.5 * (1 - 4 / 10.0), 1e-6);
    assert_close(testing_feature(&test, &fixture, "table_home_playoff_pressure"), 0.5 * (1 - 4 / 10.0), 1e-6);
    fixture = fixture_of(E0, 2000, 0, 2);
    assert_close(testing_feature(&test, &fixture, "table_home_position"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_title_distance"), 5, 0); /* a lead */
    assert_close(testing_feature(&test, &fixture, "table_away_position"), 3, 0);
    testing_close(&test);
}

static void equal_teams_share_a_position(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_table(&test, 6);
    play(&test, E0, 2000, 0, 1, 2, 1);
    play(&test, E0, 2000, 2, 3, 2, 1);
    play(&test, E0, 2000, 4, 5, 1, 0);
    struct fixture fixture = fixture_of(E0, 2000, 0, 2);
    assert_close(testing_feature(&test, &fixture, "table_home_position"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_position"), 1, 0);
    fixture = fixture_of(E0, 2000, 4, 5); /* fewer goals scored */
    assert_close(testing_feature(&test, &fixture, "table_home_position"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_position"), 6, 0);
    testing_close(&test);
}

static void seasons_and_leagues_change(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_table(&test, 9);
    play_half_a_season(&test, 2000);
    play(&test, E1, 2000, 4, 5, 1, 0);
    play(&test, E1, 2000, 6, 7, 1, 0);
    struct fixture fixture = fixture_of(E0, 2001, 4, 0); /* 4 has come up, 3 goes down */
    assert_close(testing_feature(&test, &fixture, "table_teams"), 4, 0);
    assert_close(testing_feature(&test, &fixture, "table_progress"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_moved"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_moved"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_last_points"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_last_points"), 3, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_title_distance"), 0, 0);
    play(&test, E0, 2001, 4, 0, 2, 2);
    assert_close(testing_feature(&test, &fixture, "table_home_points"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_moved"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_last_points"), 3, 0);
    fixture = fixture_of(E1, 2001, 3, 8); /* 8 comes from a league that is not covered */
    assert_close(testing_feature(&test, &fixture, "table_home_moved"), -1, 0);
    assert_close(testing_feature(&test, &fixture, "table_home_last_points"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "table_away_moved"), 1, 0);
    assert_true(isnan(testing_feature(&test, &fixture, "table_away_last_points")));
    fixture = fixture_of(E0, 2003, 1, 2); /* a season is missing */
    assert_true(isnan(testing_feature(&test, &fixture, "table_home_moved")));
    assert_true(isnan(testing_feature(&test, &fixture, "table_home_last_points")));
    testing_close(&test);
}

static void late_results_of_old_seasons_are_passed_over(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_table(&test, 4);
    play_half_a_season(&test, 2000);
    play(&test, E0, 2001, 0, 1, 1, 0);
    void *before = malloc(test.size_bytes);
    assert_non_null(before);
    memcpy(before, test.state, test.size_bytes);
    play(&test, E0, 2000, 2, 3, 1, 0);
    play(&test, E1, 2000, 0, 2, 1, 0);
    assert_memory_equal(before, test.state, test.size_bytes);
    free(before);
    testing_close(&test);
}

static void an_interrupted_season_is_passed_over(void **state)
{
    (void)state;
    struct testing_tracker test;
    open_table(&test, 4);
    play_half_a_season(&test, 2000); /* twice: two matches per opponent */
    play_half_a_season(&test, 2000);
    play_half_a_season(&test, 2001); /* broken off: one per opponent */
    struct fixture fixture = fixture_of(E0, 2002, 0, 1);
    play(&test, E0, 2002, 0, 1, 0, 0);
    assert_close(testing_feature(&test, &fixture, "table_progress"), 1 / 6.0, 1e-6);
    testing_close(&test);
}

/* The slow way. */

enum { TEAMS = 14, MATCHES = 1500 };

struct played {
    int league, season, home, away, goals[SIDE_COUNT];
};
struct model {
    struct played past[MATCHES]; /* results that count */
    size_t count;
    struct {
        int season, teams, most; /* of finished seasons */
    } ended[LEAGUES][64];
    size_t ended_count[LEAGUES];
    int season[LEAGUES], most[LEAGUES]; /* of the running one; season 0: none */
};
struct standing {
    int played, points, goals_for, goals_against, venue_played[2], venue_points[2], form;
};

/* A team's latest results in a league and season, unbroken by another league. */
static struct standing standing_of(const struct model *model, int team, int league, int season)
{
    struct standing out = {0};
    for (size_t i = model->count; i-- > 0;) {
        const struct played *match = &model->past[i];
        if (match->season != season || (match->home != team && match->away != team))
            continue;
        if (match->league != league)
            break;
        int side = match->away == team, own = match->goals[side], other = match->goals[!side];
        int points = own > other ? 3 : own == other;
        out.form += out.played < 5 ? points : 0;
        out.played++;
        out.points += points;
        out.goals_for += own;
        out.goals_against += other;
        out.venue_played[side]++;
        out.venue_points[side] += points;
    }
    return out;
}

static int count_teams(const struct model *model, int league, int season)
{
    int count = 0;
    for (int team = 0; team < TEAMS; team++)
        count += standing_of(model, team, league, season).played > 0;
    return count;
}

static int latest_season(const struct model *model, int team, int before)
{
    for (size_t i = model->count; i-- > 0;) {
        const struct played *match = &model->past[i];
        if (match->season < before && (match->home == team || match->away == team))
            return match->season;
    }
    return 0;
}

static int latest_league(const struct model *model, int team, int season)
{
    for (size_t i = model->count; i-- > 0;) {
        const struct played *match = &model->past[i];
        if (match->season == season && (match->home == team || match->away == team))
            return match->league;
    }
    return -1;
}

static bool counts(const struct model *model, const struct played *match)
{
    return match->season >= model->season[match->league] &&
           match->season >= latest_season(model, match->home, 99999) &&
           match->season >= latest_season(model, match->away, 99999);
}

static void add(struct model *model, const struct played *match)
{
    int league = match->league;
    if (model->season[league] != match->season) {
        size_t n = model->ended_count[league];
        if (model->season[league] != 0) {
            model->ended[league][n].season = model->season[league];
            model->ended[league][n].teams = count_teams(model, league, model->season[league]);
            model->ended[league][n].most = model->most[league];
            model->ended_count[league]++;
        }
        model->season[league] = match->season;
        model->most[league] = 0;
    }
    model->past[model->count++] = *match;
    for (int side = 0; side < SIDE_COUNT; side++) {
        int team = side == SIDE_HOME ? match->home : match->away;
        int played = standing_of(model, team, league, match->season).played;
        model->most[league] = played > model->most[league] ? played : model->most[league];
    }
}

static bool is_ahead(const struct standing *a, const struct standing *b)
{
    int difference_a = a->goals_for - a->goals_against, difference_b = b->goals_for - b->goals_against;
    if (a->points != b->points)
        return a->points > b->points;
    return difference_a != difference_b ? difference_a > difference_b : a->goals_for > b->goals_for;
}

struct season_view {
    bool runs, follows;
    int teams;
    double matches;
};

static struct season_view view_season(const struct model *model, int league, int season)
{
    struct season_view view = {.runs = model->season[league] == season};
    int seen = view.runs ? count_teams(model, league, season) : 0, most = view.runs ? model->most[league] : 0;
    int last_teams = 0, last_season = 0;
    double per_opponent = 0;
    size_t n = model->ended_count[league];
    for (size_t back = 0; back < 2; back++) {
        int teams = 0, played = 0, year = 0;
        if (!view.runs && back == 0 && model->season[league] != 0) {
            year = model->season[league];
            teams = count_teams(model, league, year);
            played = model->most[league];
        } else if (n > 0) {
            n--;
            year = model->ended[league][n].season;
            teams = model->ended[league][n].teams;
            played = model->ended[league][n].most;
        }
        if (back == 0) {
            last_teams = teams;
            last_season = year;
        }
        if (teams >= 2 && (double)played / (teams - 1) > per_opponent)
            per_opponent = (double)played / (teams - 1);
    }
    view.follows = last_season != 0 && last_season == season - 1;
    view.teams = most >= 3 ? seen : last_teams == 0 ? 0 : seen > last_teams ? seen : last_teams;
    view.matches = fmax((per_opponent > 0 ? per_opponent : 2) * (view.teams - 1), most);
    return view;
}

/* Own points minus those of the k-th of the other teams, in the order of the table. */
static double distance_to(const struct model *model, int team, int league, int season, int k)
{
    struct standing own = standing_of(model, team, league, season);
    for (int other = 0; other < TEAMS; other++) {
        struct standing his = standing_of(model, other, league, season);
        int better = 0;
        for (int third = 0; third < TEAMS; third++) {
            struct standing its = standing_of(model, third, league, season);
            if (third != team && third != other && its.played > 0)
                better += is_ahead(&its, &his) || (!is_ahead(&his, &its) && third < other);
        }
        if (other != team && his.played > 0 && better == k - 1)
            return own.points - his.points;
    }
    return own.points; /* there are no k others: those who have not played have no points */
}

static double near(double distance, double left)
{
    return fmax(0, 1 - fabs(distance) / (3 * left + 1));
}

static void assert_feature(struct testing_tracker *test, const struct fixture *fixture, int side,
                           const char *name, double expected)
{
    char full[64];
    (void)snprintf(full, sizeof(full), "table_%s_%s", side == SIDE_HOME ? "home" : "away", name);
    double actual = testing_feature(test, fixture, full);
    if (isnan(actual) != isnan(expected) || fabs(actual - expected) > 1e-5)
        fail_msg("%s is %g, not %g", full, actual, expected);
}

static void compare_side(struct testing_tracker *test, const struct model *model,
                         const struct fixture *fixture, int side)
{
    int team = side == SIDE_HOME ? fixture->home : fixture->away, league = fixture->league;
    int season = fixture->season, position = 1, form_position = 1;
    struct season_view view = view_season(model, league, season);
    struct standing own = standing_of(model, team, league, season);
    for (int other = 0; view.runs && other < TEAMS; other++) {
        struct standing his = standing_of(model, other, league, season);
        position += his.played > 0 && is_ahead(&his, &own);
        form_position += his.played > 0 && his.form > own.form;
    }
    assert_feature(test, fixture, side, "position", position);
    assert_feature(test, fixture, side, "form_position", form_position);
    assert_feature(test, fixture, side, "points", (double)own.points / own.played);
    assert_feature(test, fixture, side, "goal_difference",
                   (double)(own.goals_for - own.goals_against) / own.played);
    assert_feature(test, fixture, side, "venue_points",
                   (double)own.venue_points[side] / own.venue_played[side]);
    bool known = view.teams >= 2;
    int n = view.teams, safe = n - (n >= 18 ? 3 : n >= 12 ? 2 : 1), europe = n >= 20 ? 6 : n >= 16 ? 5 : 4;
    double title = known ? distance_to(model, team, league, season, 1) : NAN;
    double top = known ? distance_to(model, team, league, season, europe) : NAN;
    double bottom = known ? distance_to(model, team, league, season, safe) : NAN;
    double left = view.matches - own.played, share = own.played / view.matches;
    assert_feature(test, fixture, side, "title_distance", title);
    assert_feature(test, fixture, side, "europe_distance", top);
    assert_feature(test, fixture, side, "relegation_distance", bottom);
    assert_feature(test, fixture, side, "playoff_pressure", known ? share * near(top, left) : NAN);
    assert_feature(test, fixture, side, "pressure",
                   known ? share * fmax(near(title, left), fmax(near(top, left), near(bottom, left))) : NAN);
    int before = latest_season(model, team, season);
    int old_league = before != 0 && before == season - 1 ? latest_league(model, team, before) : -1;
    struct standing old = standing_of(model, team, old_league, before);
    assert_feature(test, fixture, side, "moved",
                   old_league >= 0 ? (old_league > league) - (old_league < league)
                   : view.follows  ? 1
                                   : NAN);
    assert_feature(test, fixture, side, "last_points",
                   old_league >= 0 ? (double)old.points / old.played : NAN);
}

/* Leagues of seven; one begins its season later than the other; now and then a team appears in the wrong one, and a
 * result comes a season too late. */
static void random_seasons_equal_the_slow_way(void **state)
{
    (void)state;
    static struct model model;
    struct random random;
    struct testing_tracker test;
    size_t passed_over = 0;
    random_init(&random, 17);
    open_table(&test, TEAMS);
    for (int i = 0; i < MATCHES; i++) {
        struct played match = {.league = (int)random_below(&random, LEAGUES)};
        match.season = 2000 + (i + 20 * match.league) / 90 * (1 + (i > MATCHES / 2)); /* later with gaps */
        match.season -= random_below(&random, 40) == 0;
        int shift = match.season * 3; /* who plays where changes with the season */
        match.home = (int)((random_below(&random, TEAMS / 2) + match.league * TEAMS / 2 + shift) % TEAMS);
        match.away = (int)((random_below(&random, TEAMS / 2) + match.league * TEAMS / 2 + shift) % TEAMS);
        if (random_below(&random, 60) == 0)
            match.away = (int)random_below(&random, TEAMS);
        if (match.home == match.away)
            continue;
        match.goals[SIDE_HOME] = random_poisson(&random, 1.5);
        match.goals[SIDE_AWAY] = random_poisson(&random, 1.1);
        struct fixture fixture = fixture_of(match.league, match.season, match.home, match.away);
        bool is_counted = counts(&model, &match);
        passed_over += !is_counted;
        if (is_counted) {
            compare_side(&test, &model, &fixture, SIDE_HOME);
            compare_side(&test, &model, &fixture, SIDE_AWAY);
            add(&model, &match);
        }
        play(&test, match.league, match.season, match.home, match.away, match.goals[SIDE_HOME],
             match.goals[SIDE_AWAY]);
    }
    assert_true(passed_over > 10 && model.count > 1000 && model.ended_count[E0] > 10);
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_league_of_four),
        cmocka_unit_test(equal_teams_share_a_position),
        cmocka_unit_test(seasons_and_leagues_change),
        cmocka_unit_test(late_results_of_old_seasons_are_passed_over),
        cmocka_unit_test(an_interrupted_season_is_passed_over),
        cmocka_unit_test(random_seasons_equal_the_slow_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
