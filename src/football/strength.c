/* Strength: the arithmetic of strength.h.
 *
 * The constants were searched for on the matches of 22 leagues up to 2011-12 (log loss of results and of over/under
 * 2.5, every match predicted before it is learned) and rounded. Around them both are flat: half or twice of a fade or
 * of a prior costs 0.002 at most. */
#include "football/strength.h"

#include <math.h>

static const double FADE_PER_DAY = 0.002;         /* xi: half the weight after 347 days */
static const double LEAGUE_FADE_PER_DAY = 0.0005; /* leagues change more slowly than teams */
static const double PRIOR = 10;                   /* P, in goals: about seven matches */
static const double LEAGUE_PRIOR = 150;
static const double ANCHOR = 0.95;
static const double MEAN_RATE = 0.005;                          /* of the league averages, per match */
static const double LEVEL_START = 0.22, ADVANTAGE_START = 0.35; /* 1.48 goals against 1.05 */

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

void strength_fades_init(struct strength_fades *fades)
{
    for (int days = 0; days < STRENGTH_FADE_DAYS; days++) {
        fades->team[days] = exp(-FADE_PER_DAY * days);
        fades->league[days] = exp(-LEAGUE_FADE_PER_DAY * days);
    }
}

static double team_fade(const struct strength_fades *fades, int64_t days)
{
    return days < STRENGTH_FADE_DAYS ? fades->team[days] : exp(-FADE_PER_DAY * (double)days);
}

double strength_league_fade(const struct strength_fades *fades, int64_t days)
{
    return days < STRENGTH_FADE_DAYS ? fades->league[days] : exp(-LEAGUE_FADE_PER_DAY * (double)days);
}

void strength_league_init(struct strength_league *league)
{
    *league = (struct strength_league){.level = LEVEL_START, .advantage = ADVANTAGE_START};
}

struct strength_team strength_of(const struct strength_team *team, const struct strength_league *league)
{
    if (team->matches > 0)
        return *team;
    return (struct strength_team){.attack = league->mean_attack, .defence = league->mean_defence};
}

void strength_expect(const struct strength_team *home, const struct strength_team *away,
                     const struct strength_league *league, bool is_neutral, double spread,
                     double expected[SIDE_COUNT])
{
    double half = is_neutral ? 0 : league->advantage / 2;
    double lambda = exp(league->level + half + spread * (home->attack - away->defence));
    double mu = exp(league->level - half + spread * (away->attack - home->defence));
    expected[SIDE_HOME] = clamp(lambda, STRENGTH_GOALS_LOW, STRENGTH_GOALS_HIGH);
    expected[SIDE_AWAY] = clamp(mu, STRENGTH_GOALS_LOW, STRENGTH_GOALS_HIGH);
}

static double fade_to(double value, double mean, double information, double weight)
{
    return mean + (value - mean) * weight * (PRIOR + information) / (PRIOR + weight * information);
}

static void fade_team(struct strength_team *team, const struct strength_league *league,
                      const struct strength_fades *fades, int64_t day)
{
    if (team->matches > 0 && day > team->day) {
        double weight = team_fade(fades, day - team->day);
        team->attack = fade_to(team->attack, ANCHOR * league->mean_attack, team->attack_information, weight);
        team->defence =
            fade_to(team->defence, ANCHOR * league->mean_defence, team->defence_information, weight);
        team->attack_information *= weight;
        team->defence_information *= weight;
    }
    if (team->matches == 0)
        *team = strength_of(team, league);
    if (team->matches == 0 || day > team->day)
        team->day = day;
}

void strength_fade(struct strength_team *home, struct strength_team *away, struct strength_league *league,
                   const struct strength_fades *fades, int64_t day)
{
    fade_team(home, league, fades, day);
    fade_team(away, league, fades, day);
    if (league->matches > 0 && day > league->day) {
        double weight = strength_league_fade(fades, day - league->day);
        league->level_information *= weight;
        league->advantage_information *= weight;
    }
    if (league->matches == 0 || day > league->day)
        league->day = day;
}

static void step_attack(struct strength_team *team, double expected, double score)
{
    team->attack_information += expected;
    team->attack =
        clamp(team->attack + score / (PRIOR + team->attack_information), -STRENGTH_LIMIT, STRENGTH_LIMIT);
}

static void step_defence(struct strength_team *team, double expected, double score)
{
    team->defence_information += expected;
    team->defence =
        clamp(team->defence - score / (PRIOR + team->defence_information), -STRENGTH_LIMIT, STRENGTH_LIMIT);
}

/* Level: log lambda and log mu move with it one to one. Advantage: by a half, in opposite directions. */
static void step_league(struct strength_league *league, bool is_neutral, const double expected[SIDE_COUNT],
                        const double score[SIDE_COUNT])
{
    double goals = expected[SIDE_HOME] + expected[SIDE_AWAY];
    league->level_information += goals;
    league->level += (score[SIDE_HOME] + score[SIDE_AWAY]) / (LEAGUE_PRIOR + league->level_information);
    league->level = clamp(league->level, -STRENGTH_LEVEL_LIMIT, STRENGTH_LEVEL_LIMIT);
    league->matches++;
    if (is_neutral)
        return;
    league->advantage_information += goals / 4;
    league->advantage +=
        (score[SIDE_HOME] - score[SIDE_AWAY]) / 2 / (LEAGUE_PRIOR + league->advantage_information);
    league->advantage = clamp(league->advantage, -STRENGTH_ADVANTAGE_LIMIT, STRENGTH_ADVANTAGE_LIMIT);
}

void strength_step(struct strength_team *home, struct strength_team *away, struct strength_league *league,
                   bool is_neutral, const double expected[SIDE_COUNT], const double score[SIDE_COUNT])
{
    step_attack(home, expected[SIDE_HOME], score[SIDE_HOME]);
    step_defence(away, expected[SIDE_HOME], score[SIDE_HOME]);
    step_attack(away, expected[SIDE_AWAY], score[SIDE_AWAY]);
    step_defence(home, expected[SIDE_AWAY], score[SIDE_AWAY]);
    step_league(league, is_neutral, expected, score);
    home->matches++;
    away->matches++;
    league->mean_attack += MEAN_RATE * ((home->attack + away->attack) / 2 - league->mean_attack);
    league->mean_defence += MEAN_RATE * ((home->defence + away->defence) / 2 - league->mean_defence);
}
