/* The simulated world: calendar, complete seasons, promotion, averages, calibration of the truth, the same bytes. */
#include "base/hash.h"
#include "base/time.h"
#include "football/league.h"
#include "football/simulation.h"
#include "football/simulation_private.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLUBS_MAX = 160, MATCHES_MAX = 600 };

static struct simulation *open_country(const struct simulation_plan *plan, size_t country)
{
    struct simulation *simulation = NULL;
    struct err err;
    if (simulation_create(plan, country, &simulation, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return simulation;
}

/* Calls `each` for every season of every country. */
static void for_each_season(const struct simulation_plan *plan,
                            void (*each)(const struct simulation *, const struct simulated_season *, void *),
                            void *context)
{
    for (size_t country = 0; country < simulation_country_count(plan); country++) {
        struct simulation *simulation = open_country(plan, country);
        struct simulated_season season;
        while (simulation_next(simulation, &season))
            each(simulation, &season, context);
        simulation_destroy(simulation);
    }
}

static void plans_out_of_range_are_refused(void **state)
{
    static const struct simulation_plan plans[] = {{0, 10, 2025, 1},  {23, 10, 2025, 1}, {4, 0, 2025, 1},
                                                   {4, 101, 2025, 1}, {4, 10, 1899, 1},  {4, 10, 2201, 1}};
    static const char *const fields[] = {"leagues", "leagues", "seasons", "seasons", "end_year", "end_year"};
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct simulation *simulation = NULL;
        struct err err;
        assert_int_equal(simulation_create(&plans[i], 0, &simulation, &err), ERR_INVALID);
        assert_string_equal(err.field, fields[i]);
        assert_null(simulation);
    }
}

static void everybody_meets_everybody_twice(void **state)
{
    static struct simulated_pairing pairings[MATCHES_MAX];
    (void)state;
    for (size_t teams = 2; teams <= SIMULATION_TEAMS_MAX; teams += 2) {
        bool met[SIMULATION_TEAMS_MAX][SIMULATION_TEAMS_MAX] = {{false}};
        int at_home[SIMULATION_TEAMS_MAX] = {0}; /* matches in a row at home; negative: away */
        simulation_pair(teams, pairings);
        for (size_t round = 0; round < 2 * (teams - 1); round++) {
            bool plays[SIMULATION_TEAMS_MAX] = {false};
            for (size_t i = 0; i < teams / 2; i++) {
                struct simulated_pairing pairing = pairings[round * teams / 2 + i];
                assert_true(pairing.home != pairing.away && !met[pairing.home][pairing.away]);
                assert_true(!plays[pairing.home] && !plays[pairing.away]);
                met[pairing.home][pairing.away] = plays[pairing.home] = plays[pairing.away] = true;
                at_home[pairing.home] = at_home[pairing.home] > 0 ? at_home[pairing.home] + 1 : 1;
                at_home[pairing.away] = at_home[pairing.away] < 0 ? at_home[pairing.away] - 1 : -1;
                assert_true(at_home[pairing.home] <= 3 && at_home[pairing.away] >= -3);
            }
        }
    }
}

static void calendars_are_those_of_europe(void **state)
{
    (void)state;
    size_t saturdays = 0, in_week = 0, matches = 0;
    for (int year = 1920; year <= 2060; year++) {
        for (size_t teams = 10; teams <= SIMULATION_TEAMS_MAX; teams += 2) {
            struct simulated_round rounds[SIMULATION_ROUNDS_MAX];
            size_t count = 2 * (teams - 1);
            simulation_calendar(year, teams, 1 + (int)(teams == 24), rounds);
            int64_t last_day = time_day_from_civil(year, year == 2020 ? 9 : 8, year == 2020 ? 11 : 7) - 3;
            for (size_t round = 0; round < count; round++) {
                for (size_t i = 0; i < teams / 2; i++) {
                    struct simulated_kickoff kickoff = rounds[round].kickoffs[i];
                    int weekday = time_weekday(kickoff.day);
                    assert_true(kickoff.day >= last_day + 3); /* three days between two matches of anybody */
                    assert_true(kickoff.minutes >= 12 * 60 && kickoff.minutes <= 21 * 60);
                    assert_true(i == 0 || kickoff.day > rounds[round].kickoffs[i - 1].day ||
                                (kickoff.day == rounds[round].kickoffs[i - 1].day &&
                                 kickoff.minutes >= rounds[round].kickoffs[i - 1].minutes));
                    saturdays += weekday == 5;
                    in_week += weekday >= 1 && weekday <= 3;
                    matches++;
                }
                last_day = rounds[round].kickoffs[teams / 2 - 1].day;
            }
            assert_true(last_day <= time_day_from_civil(year + 1, 5, 31));
        }
    }
    assert_in_range(100 * saturdays / matches, 55, 85);
    assert_in_range(100 * in_week / matches, 5, 25);
}

/* n (n - 1) matches, every ordered pair once, by kick-off, in the right season, on paths that are told before. */
static void check_season(const struct simulation *simulation, const struct simulated_season *season,
                         void *context)
{
    static bool met[CLUBS_MAX][CLUBS_MAX];
    size_t *seasons = context;
    int index = league_find(text_of(season->league));
    assert_true(index >= 0);
    memset(met, 0, sizeof met);
    assert_int_equal(season->count, season->teams * (season->teams - 1));
    for (size_t i = 0; i < season->count; i++) {
        const struct simulated_match *match = &season->matches[i];
        int home = match->club[SIDE_HOME], away = match->club[SIDE_AWAY], year, month, day;
        assert_true(home != away && !met[home][away]);
        met[home][away] = true;
        assert_true(strlen(simulation_club(simulation, home)) >= 5);
        time_civil_from_day(match->day, &year, &month, &day);
        assert_int_equal(league_season(league_at((size_t)index), year, month), season->year);
        assert_true(i == 0 || match->day > match[-1].day ||
                    (match->day == match[-1].day && match->minutes >= match[-1].minutes));
        assert_true(match->p[0] > 0 && match->p[1] > 0 && match->p[2] > 0);
    }
    (*seasons)++;
}

static void seasons_are_complete(void **state)
{
    struct simulation_plan plan = {SIMULATION_LEAGUES_MAX, 7, 2025, 7};
    size_t seasons = 0;
    (void)state;
    for_each_season(&plan, check_season, &seasons);
    assert_int_equal(seasons, simulation_season_count(&plan));
    assert_int_equal(seasons, 22 * 7);
    assert_int_equal(simulation_country_count(&plan), 11);
}

static void leagues_come_in_their_order(void **state)
{
    struct simulation_plan plan = {4, 2, 2025, 7};
    static const char *const paths[] = {
        "england/PremierLeague_2023-2024.csv", "england/PremierLeague_2024-2025.csv",
        "england/Championship_2023-2024.csv",  "england/Championship_2024-2025.csv",
        "spain/LaLiga_2023-2024.csv",          "spain/LaLiga_2024-2025.csv",
        "spain/LaLiga2_2023-2024.csv",         "spain/LaLiga2_2024-2025.csv"};
    static const char *const leagues[] = {"E0", "E1", "E0", "E1"};
    struct simulated_season season;
    (void)state;
    assert_int_equal(simulation_season_count(&plan), 8);
    for (size_t i = 0; i < 8; i++) {
        char path[SIMULATION_PATH_BYTES];
        simulation_path(&plan, i, path);
        assert_string_equal(path, paths[i]);
    }
    struct simulation *simulation = open_country(&plan, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_true(simulation_next(simulation, &season));
        assert_string_equal(season.league, leagues[i]);
        assert_string_equal(season.path, paths[i == 0 ? 0 : i == 1 ? 2 : i == 2 ? 1 : 3]);
    }
    assert_false(simulation_next(simulation, &season));
    assert_false(simulation_next(simulation, &season));
    simulation_destroy(simulation);
}

/* ---- promotion and relegation ---- */

struct table {
    bool plays[CLUBS_MAX];
    long rating[CLUBS_MAX]; /* points, then goal difference, then goals */
    size_t teams;
};

static void make_table(const struct simulated_season *season, struct table *out)
{
    memset(out, 0, sizeof *out);
    out->teams = season->teams;
    for (size_t i = 0; i < season->count; i++) {
        const struct simulated_match *match = &season->matches[i];
        for (int side = 0; side < SIDE_COUNT; side++) {
            int club = match->club[side], goals = match->goals[side], against = match->goals[1 - side];
            out->plays[club] = true;
            out->rating[club] += 1000000L * match_points(goals, against) + 1000L * (goals - against) + goals;
        }
    }
}

/* How many in the table are better; the clubs with the same rating are told apart by their number. */
static size_t rank_of(const struct table *table, int club)
{
    size_t better = 0;
    for (int other = 0; other < CLUBS_MAX; other++) {
        if (table->plays[other] && (table->rating[other] > table->rating[club] ||
                                    (table->rating[other] == table->rating[club] && other < club)))
            better++;
    }
    return better;
}

static void clubs_go_up_and_down(void **state)
{
    struct simulation_plan plan = {2, 30, 2025, 11};
    struct table last[2], now[2];
    struct simulated_season season;
    int newcomers = 0;
    (void)state;
    struct simulation *simulation = open_country(&plan, 0);
    for (int year = 0; year < 30; year++) {
        for (int tier = 0; tier < 2; tier++) {
            assert_true(simulation_next(simulation, &season));
            make_table(&season, &now[tier]);
        }
        for (int club = 0; year > 0 && club < CLUBS_MAX; club++) {
            assert_false(now[0].plays[club] && now[1].plays[club]);
            if (last[0].plays[club])
                assert_int_equal(now[rank_of(&last[0], club) >= 17].plays[club], true);
            else if (last[1].plays[club] && rank_of(&last[1], club) < 3)
                assert_true(now[0].plays[club]);
            else if (last[1].plays[club]) /* the last three leave the simulated divisions */
                assert_int_equal(now[1].plays[club], rank_of(&last[1], club) < 21);
            else
                newcomers += now[1].plays[club];
            if (!last[0].plays[club] && !last[1].plays[club])
                assert_false(now[0].plays[club]);
        }
        memcpy(last, now, sizeof last);
    }
    assert_int_equal(newcomers, 29 * 3);
    simulation_destroy(simulation);
}

static void documented_clubs_stay_up(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct simulation_plan plan = {2, 10, 2025, seed};
        struct simulation *simulation = open_country(&plan, 0);
        struct simulated_season season;
        struct table table;
        assert_string_equal(simulation_club(simulation, 0), "Arsenal");
        assert_string_equal(simulation_club(simulation, 1), "Chelsea");
        while (simulation_next(simulation, &season)) {
            if (strcmp(season.league, "E0") != 0)
                continue;
            make_table(&season, &table);
            assert_true(table.plays[0]);
            assert_true(table.plays[1]);
        }
        simulation_destroy(simulation);
    }
}

static void names_are_unique_in_a_country(void **state)
{
    static const struct {
        const char *country;
        size_t clubs;
    } countries[] = {{"E0", 126}, {"SP1", 50}, {"D1", 44}, {"I1", 48}, {"F1", 44}, {"SC0", 46},
                     {"N1", 24},  {"P1", 24},  {"B1", 20}, {"T1", 26}, {"G1", 22}};
    static char names[CLUBS_MAX][SIMULATION_NAME_BYTES];
    (void)state;
    for (size_t c = 0; c < sizeof countries / sizeof *countries; c++) {
        for (size_t i = 0; i < countries[c].clubs; i++) {
            simulation_name(countries[c].country, i, names[i]);
            assert_in_range(strlen(names[i]), 5, 30);
            assert_null(strchr(names[i], ','));
            for (size_t other = 0; other < i; other++)
                assert_string_not_equal(names[i], names[other]);
        }
    }
}

/* ---- what comes out on average ---- */

struct sums {
    double matches, goals, wins, draws;
};

static void add_sums(const struct simulation *simulation, const struct simulated_season *season,
                     void *context)
{
    struct sums *sums = context, *own = &sums[league_find(text_of(season->league))];
    (void)simulation;
    for (size_t i = 0; i < season->count; i++) {
        const int *goals = season->matches[i].goals;
        own->matches++;
        own->goals += goals[0] + goals[1];
        own->wins += goals[0] > goals[1];
        own->draws += goals[0] == goals[1];
    }
}

static void averages_are_those_of_real_leagues(void **state)
{
    struct simulation_plan plan = {SIMULATION_LEAGUES_MAX, 60, 2025, 7};
    struct sums sums[SIMULATION_LEAGUES_MAX] = {{0}};
    (void)state;
    for_each_season(&plan, add_sums, sums);
    for (size_t i = 0; i < SIMULATION_LEAGUES_MAX; i++) {
        assert_true(sums[i].matches >= 60 * 90);
        assert_in_range((int)(1000 * sums[i].goals / sums[i].matches), 2400, 3000);
        assert_in_range((int)(1000 * sums[i].wins / sums[i].matches), 400, 500);
        assert_in_range((int)(1000 * sums[i].draws / sums[i].matches), 220, 300);
    }
}

/* Outcomes against the truth: of each of four events the matches in 20 bins of its probability; and the truth's own log
 * loss, whose expectation and variance it states itself. */
enum { EVENTS = 4, BINS = 20 };
struct calibration {
    double expected[EVENTS][BINS], variance[EVENTS][BINS], seen[EVENTS][BINS];
    double loss, loss_expected, loss_variance, matches;
};

static void add_calibration(const struct simulation *simulation, const struct simulated_season *season,
                            void *context)
{
    struct calibration *sums = context;
    (void)simulation;
    for (size_t i = 0; i < season->count; i++) {
        const struct simulated_match *match = &season->matches[i];
        int home = match->goals[0], away = match->goals[1], result = home > away ? 0 : home == away ? 1 : 2;
        double p[EVENTS] = {match->p[0], match->p[1], match->p[2], match->p_over}, mean = 0, square = 0;
        bool happens[EVENTS] = {result == 0, result == 1, result == 2, home + away > 2};
        for (int event = 0; event < EVENTS; event++) {
            int bin = (int)(p[event] * BINS);
            sums->expected[event][bin] += p[event];
            sums->variance[event][bin] += p[event] * (1 - p[event]);
            sums->seen[event][bin] += happens[event];
        }
        for (int k = 0; k < 3; k++) {
            mean -= p[k] * log(p[k]);
            square += p[k] * log(p[k]) * log(p[k]);
        }
        sums->loss -= log(p[result]);
        sums->loss_expected += mean;
        sums->loss_variance += square - mean * mean;
        sums->matches++;
    }
}

static void truth_is_calibrated(void **state)
{
    struct simulation_plan plan = {SIMULATION_LEAGUES_MAX, 20, 2025, 5};
    struct calibration sums = {.loss = 0};
    (void)state;
    for_each_season(&plan, add_calibration, &sums);
    for (int event = 0; event < EVENTS; event++) {
        double chi_square = 0;
        int bins = 0;
        for (int bin = 0; bin < BINS; bin++) {
            double miss = sums.seen[event][bin] - sums.expected[event][bin];
            if (sums.variance[event][bin] < 20)
                continue;
            chi_square += miss * miss / sums.variance[event][bin];
            bins++;
        }
        assert_true(bins >= 6);
        assert_true(chi_square < bins + 4 * sqrt(2.0 * bins)); /* about one in 5,000 */
    }
    assert_true(fabs(sums.loss - sums.loss_expected) < 4 * sqrt(sums.loss_variance));
    assert_in_range((int)(1000 * sums.loss / sums.matches), 980,
                    1040); /* neither a lottery nor a certainty */
}

/* The two meetings of a pair in a season tell how far their strengths moved in between. */
static void strengths_move_slowly(void **state)
{
    struct simulation_plan plan = {1, 20, 2025, 3};
    static double first[CLUBS_MAX][CLUBS_MAX];
    struct simulated_season season;
    double square = 0, count = 0, home_share = 0.555;
    (void)state;
    struct simulation *simulation = open_country(&plan, 0);
    while (simulation_next(simulation, &season)) {
        memset(first, 0, sizeof first);
        for (size_t i = 0; i < season.count; i++) {
            const struct simulated_match *match = &season.matches[i];
            int home = match->club[SIDE_HOME], away = match->club[SIDE_AWAY];
            double expected = match->expected[SIDE_HOME] / home_share;
            if (first[home][away] > 0) { /* what the same side was expected to score as the guest */
                double step = log(expected / first[home][away]);
                square += step * step;
                count++;
            }
            first[away][home] = match->expected[SIDE_AWAY] / (1 - home_share);
        }
    }
    assert_in_range((int)count, 20 * 380 / 2, 20 * 380 / 2);
    assert_in_range((int)(1000 * sqrt(square / count)), 30, 150);
    simulation_destroy(simulation);
}

/* ---- bytes ---- */

static void hash_files(const struct simulation_plan *plan, size_t country, char out[HASH_HEX_BYTES])
{
    struct simulation *simulation = open_country(plan, country);
    struct simulated_season season;
    struct buffer text;
    struct hash hash;
    hash_init(&hash);
    buffer_init(&text, 1 << 24);
    while (simulation_next(simulation, &season)) {
        buffer_clear(&text);
        simulation_write_csv(simulation, &season, &text);
        simulation_write_truth(simulation, &season, &text);
        assert_int_equal(text.failed, ERR_OK);
        hash_add(&hash, buffer_text(&text), text.size_bytes);
    }
    hash_final_hex(&hash, out);
    buffer_release(&text);
    simulation_destroy(simulation);
}

/* The sum stands here so that no compiler, machine or change of the code can alter what a seed means unseen. */
static void same_seed_same_bytes(void **state)
{
    struct simulation_plan plan = {4, 3, 2025, 7}, other = {4, 3, 2025, 8}, fewer = {2, 3, 2025, 7};
    char first[HASH_HEX_BYTES], second[HASH_HEX_BYTES];
    (void)state;
    hash_files(&plan, 0, first);
    assert_string_equal(first, "c51279bfa396cc3ce3157e426f399ef2663b375926148ed870f7c5d23e0af663");
    hash_files(&plan, 0, second);
    assert_string_equal(first, second);
    hash_files(&fewer, 0, second); /* Spain has its own numbers */
    assert_string_equal(first, second);
    hash_files(&other, 0, second);
    assert_string_not_equal(first, second);
    hash_files(&plan, 1, second);
    assert_string_not_equal(first, second);
}

static void rows_are_written_as_football_data_does(void **state)
{
    (void)state;
    struct simulation_plan plan = {1, 1, 2025, 7};
    struct simulation *simulation = open_country(&plan, 0);
    struct simulated_match match = {
        .day = time_day_from_civil(2024, 12, 1), .minutes = 12 * 60 + 5, .club = {0, 1}};
    struct simulated_season season = {"E0", "x.csv", 2024, 20, &match, 1};
    struct buffer text;
    match.goals[0] = 2;
    match.half_goals[1] = 0;
    match.stats[STAT_SHOTS][0] = 13;
    match.stats[STAT_FOULS][1] = 9;
    for (int i = 0; i < SIMULATED_BOOKMAKERS; i++) {
        for (int k = 0; k < 3; k++)
            match.pre_close.home_draw_away[i][k] = match.close.home_draw_away[i][k] = 205 + 1000 * k;
        for (int k = 0; k < 2; k++)
            match.pre_close.under_over[i][k] = match.close.under_over[i][k] = 110 + k;
    }
    match.p[0] = 0.5, match.p[1] = 0.25, match.p[2] = 0.25, match.p_over = 0.012345674;
    buffer_init(&text, 1 << 20);
    simulation_write_csv(simulation, &season, &text);
    static const char row[] = "\nE0,01/12/2024,12:05,Arsenal,Chelsea,2,0,H,0,0,D,13,0,0,0,0,0,0,9,0,0,0,0,"
                              "2.05,12.05,22.05,2.05,";
    assert_non_null(strstr(buffer_text(&text), row));
    assert_non_null(strstr(buffer_text(&text), "22.05,1.11,1.10,1.11,1.10,"));
    buffer_clear(&text);
    simulation_write_truth(simulation, &season, &text);
    assert_string_equal(buffer_text(&text),
                        "E0,2024-12-01,Arsenal,Chelsea,0.50000000,0.25000000,0.25000000,0.01234567\n");
    buffer_release(&text);
    simulation_destroy(simulation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_out_of_range_are_refused),
        cmocka_unit_test(everybody_meets_everybody_twice),
        cmocka_unit_test(calendars_are_those_of_europe),
        cmocka_unit_test(seasons_are_complete),
        cmocka_unit_test(leagues_come_in_their_order),
        cmocka_unit_test(clubs_go_up_and_down),
        cmocka_unit_test(documented_clubs_stay_up),
        cmocka_unit_test(names_are_unique_in_a_country),
        cmocka_unit_test(averages_are_those_of_real_leagues),
        cmocka_unit_test(truth_is_calibrated),
        cmocka_unit_test(strengths_move_slowly),
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(rows_are_written_as_football_data_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
