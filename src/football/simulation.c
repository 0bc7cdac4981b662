/* The world of a simulation: clubs, divisions, seasons.
 *
 * A club's attack and defence are each the sum of three parts, all on the scale of log goals: a rank for ever, a part
 * that changes every summer, and a form that changes every round. The latter two are autoregressive (AR(1)) and keep
 * their variance, so sixty seasons look like the first. Ranks fall from division to division; clubs of neighbouring
 * divisions overlap, and promotion sorts them.
 *
 * Expected goals are exp(attack - defence), scaled once a season so that the division's mean over all its pairs is what
 * its row of simulated_league_list.h says: the level of a league does not wander with its clubs. */
#include "football/league.h"
#include "football/simulation_private.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIERS_MAX = SIMULATION_TIERS_MAX,
    OUTSIDE_MAX = SIMULATION_OUTSIDE_MAX,
    MATCHES_MAX = SIMULATION_TEAMS_MAX * (SIMULATION_TEAMS_MAX - 1)
};
enum { ATTACK, DEFENCE, SKILLS };
enum { YEAR_LEAST = 1900, YEAR_MOST = 2200 };

#define RANK_GAP          0.26 /* between neighbouring divisions, per skill */
#define RANK_TOP          0.26 /* deviation in a top division, common to both skills of a club: it has its giants */
#define RANK_LOWER        0.14 /* in the others */
#define RANK_NAMED        0.40 /* the clubs of the documentation's examples: good enough to stay up */
#define SKILL_DEVIATION   0.08 /* of each skill's own part of the rank */
#define SUMMER_DEVIATION  0.10
#define SUMMER_KEPT       0.70
#define FORM_DEVIATION    0.07
#define FORM_KEPT_ROUND   0.97
#define FORM_KEPT_SUMMER  0.50
#define SCORING_DEVIATION 0.03 /* of a division's goals, from season to season */
#define SCORING_KEPT      0.80
#define HOME_SHARE        0.555 /* of the goals */
#define SHIFT_GOALS_TIMES 1.6
#define EXPECTED_LEAST    0.15
#define EXPECTED_MOST     4.2

static const struct simulated_league {
    const char *code, *file;
    int teams, relegated;
    double goals, rho;
} leagues[] = {
#define SIMULATED_LEAGUE(code, file, teams, relegated, goals_percent, rho_percent)                           \
    {code, file, teams, relegated, (goals_percent) / 100.0, (rho_percent) / 100.0},
#include "football/simulated_league_list.h"
#undef SIMULATED_LEAGUE
};
_Static_assert(sizeof leagues / sizeof *leagues == SIMULATION_LEAGUES_MAX,
               "one row per league of the main layout");

struct club {
    char name[SIMULATION_NAME_BYTES];
    double rank[SKILLS], summer[SKILLS], form[SKILLS];
};
struct division {
    const struct simulated_league *league;
    int clubs[SIMULATION_TEAMS_MAX]; /* in the order of the last table */
    double scoring;                  /* log, of this season */
};
struct simulation {
    struct random random;
    uint64_t attribute_seed;
    enum simulation_shift shift;
    int64_t shift_day;
    int year, year_end;
    size_t tier; /* the next division of this year */
    size_t tiers, club_count, outside_count;
    struct division divisions[TIERS_MAX];
    int outside[OUTSIDE_MAX];
    struct club clubs[SIMULATION_CLUBS_MAX];
    char path[SIMULATION_PATH_BYTES];
    struct simulated_match matches[MATCHES_MAX];
};

/* ---- the plan ---- */

static enum err_code check_range(const char *name, int64_t value, int64_t least, int64_t most,
                                 struct err *err)
{
    if (value >= least && value <= most)
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, name, "'%s' must be %lld to %lld, not %lld", name,
                         (long long)least, (long long)most, (long long)value);
}

enum err_code simulation_plan_check(const struct simulation_plan *plan, struct err *err)
{
    enum err_code code = check_range("leagues", plan->leagues, 1, SIMULATION_LEAGUES_MAX, err);
    if (code == ERR_OK)
        code = check_range("seasons", plan->seasons, 1, SIMULATION_SEASONS_MAX, err);
    if (code == ERR_OK)
        code = check_range("end_year", plan->end_year, YEAR_LEAST, YEAR_MOST, err);
    return code;
}

static const struct league *league_of(const struct simulated_league *league)
{
    int index = league_find(text_of(league->code));
    assert(index >= 0);
    return league_at((size_t)index);
}

size_t simulation_country_count(const struct simulation_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < (size_t)plan->leagues; i++)
        count += league_of(&leagues[i])->tier == 1;
    return count;
}

size_t simulation_season_count(const struct simulation_plan *plan)
{
    return (size_t)plan->leagues * (size_t)plan->seasons;
}

/* Countries are numbered in the order of their first divisions. */
static const struct simulated_league *first_division(size_t country)
{
    for (size_t i = 0; i < SIMULATION_LEAGUES_MAX; i++) {
        if (league_of(&leagues[i])->tier == 1 && country-- == 0)
            return &leagues[i];
    }
    assert(!"no such country");
    return NULL;
}

const char *simulation_folder(size_t country)
{
    static const char *const folders[] = {"england", "spain",    "germany",     "italy",
                                          "france",  "scotland", "netherlands", "portugal",
                                          "belgium", "turkey",   "greece"};
    assert(country < sizeof folders / sizeof *folders);
    return folders[country];
}

static void format_path(const struct simulated_league *league, int year, char out[SIMULATION_PATH_BYTES])
{
    size_t country = 0;
    while (strcmp(league_of(first_division(country))->country, league_of(league)->country) != 0)
        country++;
    int length = snprintf(out, SIMULATION_PATH_BYTES, "%s/%s_%d-%d.csv", simulation_folder(country),
                          league->file, year, year + 1);
    assert(length > 0 && length < SIMULATION_PATH_BYTES);
    (void)length;
}

void simulation_path(const struct simulation_plan *plan, size_t index, char out[SIMULATION_PATH_BYTES])
{
    size_t seasons = (size_t)plan->seasons;
    assert(index < simulation_season_count(plan));
    format_path(&leagues[index / seasons], (int)(plan->end_year - plan->seasons) + (int)(index % seasons),
                out);
}

/* ---- clubs ---- */

/* One step of an AR(1) that keeps the deviation: x' = kept x + sqrt(1 - kept^2) deviation noise. kept 0 starts it. */
static double step(struct random *random, double value, double kept, double deviation)
{
    return kept * value + sqrt(1 - kept * kept) * deviation * random_normal(random);
}

static int found_club(struct simulation *simulation, const char *country, size_t tier)
{
    size_t index = simulation->club_count++;
    struct club *club = &simulation->clubs[index];
    struct random *random = &simulation->random;
    bool is_named = strcmp(country, "E0") == 0 && index < 2;
    double common = step(random, 0, 0, tier == 0 ? RANK_TOP : RANK_LOWER) - RANK_GAP * (double)tier;
    simulation_name(country, index, club->name);
    for (size_t skill = 0; skill < SKILLS; skill++) {
        club->rank[skill] = (is_named ? RANK_NAMED : common) + step(random, 0, 0, SKILL_DEVIATION);
        club->summer[skill] = step(random, 0, 0, SUMMER_DEVIATION);
        club->form[skill] = step(random, 0, 0, FORM_DEVIATION);
    }
    return (int)index;
}

static double skill_of(const struct club *club, size_t skill)
{
    return club->rank[skill] + club->summer[skill] + club->form[skill];
}

static double strength_of(const struct simulation *simulation, int club)
{
    return skill_of(&simulation->clubs[club], ATTACK) + skill_of(&simulation->clubs[club], DEFENCE);
}

static void move_form(struct simulation *simulation, const struct division *division)
{
    for (int i = 0; i < division->league->teams; i++) {
        struct club *club = &simulation->clubs[division->clubs[i]];
        for (size_t skill = 0; skill < SKILLS; skill++)
            club->form[skill] = step(&simulation->random, club->form[skill], FORM_KEPT_ROUND, FORM_DEVIATION);
    }
}

/* ---- summer ---- */

static void exchange(int *one, int *other)
{
    int kept = *one;
    *one = *other;
    *other = kept;
}

/* The strongest outside first. */
static void rank_outside(struct simulation *simulation)
{
    for (size_t i = 1; i < simulation->outside_count; i++) {
        for (size_t k = i; k > 0 && strength_of(simulation, simulation->outside[k]) >
                                        strength_of(simulation, simulation->outside[k - 1]);
             k--)
            exchange(&simulation->outside[k], &simulation->outside[k - 1]);
    }
}

/* The last of each division against the first of the one below. */
static void promote(struct simulation *simulation)
{
    rank_outside(simulation);
    for (size_t tier = 0; tier < simulation->tiers; tier++) {
        struct division *division = &simulation->divisions[tier];
        int count = division->league->relegated, first = division->league->teams - count;
        int *below = tier + 1 < simulation->tiers ? division[1].clubs : simulation->outside;
        for (int i = 0; i < count; i++)
            exchange(&division->clubs[first + i], &below[i]);
    }
}

static void pass_summer(struct simulation *simulation)
{
    struct random *random = &simulation->random;
    promote(simulation);
    for (size_t i = 0; i < simulation->club_count; i++) {
        struct club *club = &simulation->clubs[i];
        for (size_t skill = 0; skill < SKILLS; skill++) {
            club->summer[skill] = step(random, club->summer[skill], SUMMER_KEPT, SUMMER_DEVIATION);
            club->form[skill] = step(random, club->form[skill], FORM_KEPT_SUMMER, FORM_DEVIATION);
        }
    }
    for (size_t tier = 0; tier < simulation->tiers; tier++) {
        struct division *division = &simulation->divisions[tier];
        division->scoring = step(random, division->scoring, SCORING_KEPT, SCORING_DEVIATION);
    }
}

/* ---- a season ---- */

static void shuffle(struct random *random, int *values, size_t count)
{
    for (size_t i = count; i > 1; i--)
        exchange(&values[i - 1], &values[random_below(random, i)]);
}

/* Half the goals of a match over the mean of exp(attack_i - defence_j) over all pairs i != j. */
static double find_scale(const struct simulation *simulation, const struct division *division)
{
    double attack = 0, defence = 0, both = 0;
    int teams = division->league->teams;
    for (int i = 0; i < teams; i++) {
        const struct club *club = &simulation->clubs[division->clubs[i]];
        double a = simulation_exp(skill_of(club, ATTACK)), d = simulation_exp(-skill_of(club, DEFENCE));
        attack += a;
        defence += d;
        both += a * d;
    }
    double mean = (attack * defence - both) / (teams * (teams - 1));
    return division->league->goals * simulation_exp(division->scoring) / mean;
}

static double bound(double expected)
{
    return expected < EXPECTED_LEAST ? EXPECTED_LEAST : expected > EXPECTED_MOST ? EXPECTED_MOST : expected;
}

/* Of the ranks of a division's clubs. */
static double mean_rank(const struct simulation *simulation, const struct division *division, size_t skill)
{
    double sum = 0;
    for (int i = 0; i < division->league->teams; i++)
        sum += simulation->clubs[division->clubs[i]].rank[skill];
    return sum / division->league->teams;
}

/* A club's skill on a day; mirrored at the division's mean where the pecking order is turned round. */
static double skill_on(const struct simulation *simulation, const struct division *division, int club,
                       size_t skill, bool is_mirrored)
{
    const struct club *of = &simulation->clubs[club];
    double mirror = is_mirrored ? 2 * (of->rank[skill] - mean_rank(simulation, division, skill)) : 0;
    return skill_of(of, skill) - mirror;
}

static double expect_goals(const struct simulation *simulation, const struct division *division, double scale,
                           const struct simulated_match *match, int side)
{
    enum simulation_shift shift = match->day >= simulation->shift_day ? simulation->shift : SHIFT_NONE;
    bool is_mirrored = shift == SHIFT_STRENGTH;
    double attack = skill_on(simulation, division, match->club[side], ATTACK, is_mirrored);
    double defence = skill_on(simulation, division, match->club[1 - side], DEFENCE, is_mirrored);
    bool has_ground = (side == SIDE_HOME) != (shift == SHIFT_HOME);
    double share = has_ground ? HOME_SHARE : 1 - HOME_SHARE;
    double goals = share * scale * simulation_exp(attack - defence);
    return bound(shift == SHIFT_GOALS ? SHIFT_GOALS_TIMES * goals : goals);
}

static void play_round(struct simulation *simulation, const struct division *division, double scale,
                       const struct simulated_pairing *pairings, const struct simulated_round *round,
                       struct simulated_match *out)
{
    int order[SIMULATION_TEAMS_MAX / 2], count = division->league->teams / 2;
    for (int i = 0; i < count; i++)
        order[i] = i;
    shuffle(&simulation->random, order, (size_t)count);
    for (int i = 0; i < count; i++) {
        struct simulated_match *match = &out[i];
        struct simulated_pairing pairing = pairings[order[i]];
        *match =
            (struct simulated_match){.day = round->kickoffs[i].day, .minutes = round->kickoffs[i].minutes};
        match->club[SIDE_HOME] = division->clubs[pairing.home];
        match->club[SIDE_AWAY] = division->clubs[pairing.away];
        for (int side = 0; side < SIDE_COUNT; side++)
            match->expected[side] = expect_goals(simulation, division, scale, match, side);
        simulation_play(&simulation->random, division->league->rho, match);
        simulation_price(&simulation->random, match);
    }
}

struct standing {
    int club, points, difference, goals;
};

static int standing_compare(const void *left, const void *right)
{
    const struct standing *a = left, *b = right;
    if (a->points != b->points)
        return b->points - a->points;
    if (a->difference != b->difference)
        return b->difference - a->difference;
    return a->goals != b->goals ? b->goals - a->goals : a->club - b->club;
}

/* Puts the division's clubs in the order of the final table. */
static void make_table(struct simulation *simulation, struct division *division, size_t matches)
{
    struct standing table[SIMULATION_TEAMS_MAX];
    int place[sizeof simulation->clubs / sizeof *simulation->clubs], teams = division->league->teams;
    for (int i = 0; i < teams; i++) {
        table[i] = (struct standing){.club = division->clubs[i]};
        place[division->clubs[i]] = i;
    }
    for (size_t i = 0; i < matches; i++) {
        const struct simulated_match *match = &simulation->matches[i];
        for (int side = 0; side < SIDE_COUNT; side++) {
            struct standing *standing = &table[place[match->club[side]]];
            standing->points += match_points(match->goals[side], match->goals[1 - side]);
            standing->difference += match->goals[side] - match->goals[1 - side];
            standing->goals += match->goals[side];
        }
    }
    qsort(table, (size_t)teams, sizeof *table, standing_compare);
    for (int i = 0; i < teams; i++)
        division->clubs[i] = table[i].club;
}

static void play_season(struct simulation *simulation, size_t tier, struct simulated_season *out)
{
    struct division *division = &simulation->divisions[tier];
    struct simulated_pairing pairings[MATCHES_MAX];
    struct simulated_round rounds[SIMULATION_ROUNDS_MAX];
    size_t teams = (size_t)division->league->teams, half = teams / 2, count = 0;
    shuffle(&simulation->random, division->clubs, teams);
    double scale = find_scale(simulation, division);
    simulation_pair(teams, pairings);
    simulation_calendar(simulation->year, teams, (int)tier + 1, rounds);
    for (size_t round = 0; round < 2 * (teams - 1); round++, count += half) {
        play_round(simulation, division, scale, &pairings[count], &rounds[round],
                   &simulation->matches[count]);
        move_form(simulation, division);
    }
    make_table(simulation, division, count);
    format_path(division->league, simulation->year, simulation->path);
    *out = (struct simulated_season){
        division->league->code, simulation->path, simulation->year, teams, simulation->matches, count};
}

bool simulation_next(struct simulation *simulation, struct simulated_season *out)
{
    if (simulation->tier == simulation->tiers) {
        if (simulation->year + 1 == simulation->year_end)
            return false;
        pass_summer(simulation);
        simulation->year++;
        simulation->tier = 0;
    }
    play_season(simulation, simulation->tier++, out);
    return true;
}

/* ---- the whole ---- */

static void found_country(struct simulation *simulation, const struct simulation_plan *plan,
                          const struct simulated_league *first)
{
    const char *country = league_of(first)->country;
    for (size_t i = 0; i < (size_t)plan->leagues; i++) {
        const struct simulated_league *league = &leagues[i];
        if (strcmp(league_of(league)->country, country) != 0)
            continue;
        size_t tier = simulation->tiers++;
        assert(tier < TIERS_MAX && league_of(league)->tier == (int)tier + 1 &&
               league->teams <= SIMULATION_TEAMS_MAX);
        simulation->divisions[tier] = (struct division){
            .league = league, .scoring = step(&simulation->random, 0, 0, SCORING_DEVIATION)};
        for (int place = 0; place < league->teams; place++)
            simulation->divisions[tier].clubs[place] = found_club(simulation, first->code, tier);
    }
    simulation->outside_count =
        2 * (size_t)simulation->divisions[simulation->tiers - 1].league->relegated + 2;
    assert(simulation->outside_count <= OUTSIDE_MAX);
    for (size_t i = 0; i < simulation->outside_count; i++)
        simulation->outside[i] = found_club(simulation, first->code, simulation->tiers);
}

enum err_code simulation_create(const struct simulation_plan *plan, size_t country, struct simulation **out,
                                struct err *err)
{
    struct random whole;
    *out = NULL;
    enum err_code code = simulation_plan_check(plan, err);
    if (code != ERR_OK)
        return code;
    assert(country < simulation_country_count(plan));
    struct simulation *simulation = calloc(1, sizeof *simulation);
    if (simulation == NULL)
        return err_nomem(err, sizeof *simulation);
    random_init(&whole, plan->seed);
    simulation->random = random_fork(&whole, country);
    simulation->attribute_seed = plan->seed ^ (country + 1) * UINT64_C(0x9e3779b97f4a7c15);
    simulation->shift = plan->shift;
    simulation->shift_day = plan->shift_day;
    simulation->year_end = (int)plan->end_year;
    simulation->year = (int)(plan->end_year - plan->seasons);
    found_country(simulation, plan, first_division(country));
    *out = simulation;
    return ERR_OK;
}

void simulation_destroy(struct simulation *simulation)
{
    free(simulation);
}

struct simulated_club simulation_club_state(const struct simulation *simulation, int club)
{
    const struct club *of = &simulation->clubs[club];
    struct random base;
    double strength = 0;
    assert(club >= 0 && (size_t)club < simulation->club_count);
    random_init(&base, simulation->attribute_seed);
    for (size_t skill = 0; skill < SKILLS; skill++)
        strength += of->rank[skill] + of->summer[skill];
    return (struct simulated_club){
        strength, random_fork(&base, (uint64_t)club * YEAR_MOST + (uint64_t)simulation->year)};
}

const char *simulation_club(const struct simulation *simulation, int club)
{
    assert(club >= 0 && (size_t)club < simulation->club_count);
    return simulation->clubs[club].name;
}
