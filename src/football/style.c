/* Style family: what kind of league a match belongs to and how its teams fit in. How far the three best tower over
 * the rest (Ajax, PSV and Feyenoord are the textbook case), how equal the others are; how many goals, draws and
 * home wins the league sees; how hard it plays; and, of each team, how much harder and how much more openly than its
 * league it plays.
 *
 * Strength is an Elo rating of its own here (K 20, World Football margin, as in elo.c: a tracker does not read
 * another's state). A league's members are the teams whose latest match was in it, this season; until somebody has
 * played three times in the season, those of the season before count, too. Every result changes two ratings, so
 * the figures of a league are taken anew from its twenty members and kept for emit.
 *
 * Goals, results and intensity of a league are over its season on record and the one before: some 400 to 700
 * matches. Intensity is fouls plus cards, of matches that have both. A team's last ten matches are set against what
 * is usual: 1 is like everybody in its league. */
#include "football/families.h"
#include "football/match.h"
#include "football/rating.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    STYLE_TOP = 3,
    STYLE_MEMBERS_LEAST = 6, /* below this a top three says nothing */
    STYLE_SURE_PLAYED = 3,   /* once a team has played so often, every team has been seen */
    STYLE_LAST = 10,         /* matches of a team */
    STYLE_COUNT_HIGH = 99,   /* goals, fouls plus cards of a team in a match: more counts as this */
};
#define RELATIVE_HIGH  9.0 /* times what is usual: more counts as this */
#define INTENSITY_HIGH (2.0 * STYLE_COUNT_HIGH)

enum { SIDE_RATING, SIDE_ATTACK, SIDE_OPENNESS, SIDE_INTENSITY, STYLE_SIDE };
enum {
    STYLE_TOP_LEAD = SIDE_COUNT * STYLE_SIDE,
    STYLE_SPREAD,
    STYLE_TOP_TEAMS,
    STYLE_GOALS,
    STYLE_HOME_WINS,
    STYLE_DRAWS,
    STYLE_INTENSITY,
    STYLE_FEATURES
};

#define STYLE_ROW(name, unit, low, high, doc)                                                                \
    {                                                                                                        \
        "style_" name, unit, low, high, FEATURE_BEFORE_START, doc                                            \
    }
#define RATING_SPAN (ELO_HIGH - ELO_LOW)
#define OF_LAST_TEN " in its last 10 matches, 1 is usual in the league."
#define OF_LEAGUE   " of the league, over its present season and the one before."
#define STYLE_ELO   "Elo (K 20, World Football margin)"
#define STYLE_TEAM(side, team)                                                                               \
    STYLE_ROW(side "_rating_lead", "points", -RATING_SPAN, RATING_SPAN,                                      \
              STYLE_ELO " of the " team " minus the mean of the league's teams."),                           \
        STYLE_ROW(side "_attack", "", 0, RELATIVE_HIGH, "Goals scored by the " team OF_LAST_TEN),            \
        STYLE_ROW(side "_openness", "", 0, RELATIVE_HIGH, "Goals of both sides, " team OF_LAST_TEN),         \
        STYLE_ROW(side "_intensity", "", 0, RELATIVE_HIGH, "Fouls plus cards of the " team OF_LAST_TEN)

static const struct feature style_features[STYLE_FEATURES] = {
    STYLE_TEAM("home", "home team"),
    STYLE_TEAM("away", "away team"),
    [STYLE_TOP_LEAD] =
        STYLE_ROW("top_three_lead", "points", 0, RATING_SPAN,
                  "Mean " STYLE_ELO " of the league's three best teams minus the mean of its others."),
    [STYLE_SPREAD] = STYLE_ROW("rating_spread", "points", 0, RATING_SPAN,
                               "Standard deviation of " STYLE_ELO " over the league's teams."),
    [STYLE_TOP_TEAMS] = STYLE_ROW("top_three_teams", "teams", 0, SIDE_COUNT,
                                  "How many of the two teams are rated as the league's three best are."),
    [STYLE_GOALS] = STYLE_ROW("league_goals", "goals", 0, 2 * STYLE_COUNT_HIGH, "Goals per match" OF_LEAGUE),
    [STYLE_HOME_WINS] = STYLE_ROW("league_home_wins", "share", 0, 1, "Share of home wins" OF_LEAGUE),
    [STYLE_DRAWS] = STYLE_ROW("league_draws", "share", 0, 1, "Share of draws" OF_LEAGUE),
    [STYLE_INTENSITY] =
        STYLE_ROW("league_intensity", "fouls", 0, INTENSITY_HIGH, "Fouls plus cards per match" OF_LEAGUE),
};

/* Sums over matches of a league. */
struct style_sums {
    int32_t matches, goals, home_wins, draws;
    int32_t hard_matches, hardness; /* matches with fouls and cards; their sum */
};

/* The last ten values of something, and their sum. */
struct last_ten {
    uint8_t value[STYLE_LAST]; /* a ring */
    uint8_t next, count;
    int32_t sum;
};

struct style_team {
    int16_t league, season;   /* of its latest match; the season as its league counts */
    int32_t played;           /* in them; 0: never seen */
    int32_t is_member;        /* stands in its league's list */
    struct last_ten scored;   /* goals */
    struct last_ten goals;    /* of both sides */
    struct last_ten hardness; /* fouls plus cards */
};

struct style_league {
    double mean, top_lead, spread, third; /* of the members' ratings; third: the third best */
    struct style_sums now, before;
    int16_t season;
    uint8_t has_season, is_sure;
    uint32_t member_count;
};

/* Behind the leagues: ratings of the teams, side by side as they are walked through most; the teams; and per league
 * `team_count` places for members. */
struct style_state {
    uint64_t team_count, league_count;
    struct style_league league[];
};

static size_t style_state_bytes(const struct stream_size *size)
{
    return sizeof(struct style_state) + size->groups * sizeof(struct style_league) +
           size->entities * (sizeof(double) + sizeof(struct style_team)) +
           size->groups * size->entities * sizeof(int32_t);
}

static const double *ratings_of(const struct style_state *state)
{
    return (const double *)(state->league + state->league_count);
}

static const struct style_league *league_of(const struct style_state *state, int league)
{
    assert((uint64_t)league < state->league_count);
    return &state->league[league];
}

static const struct style_team *team_of(const struct style_state *state, int32_t team)
{
    assert((uint64_t)team < state->team_count);
    return (const struct style_team *)(ratings_of(state) + state->team_count) + team;
}

static double *ratings_to_change(struct style_state *state)
{
    return (double *)ratings_of(state);
}

static struct style_league *league_to_change(struct style_state *state, int league)
{
    return (struct style_league *)league_of(state, league);
}

static struct style_team *team_to_change(struct style_state *state, int32_t team)
{
    return (struct style_team *)team_of(state, team);
}

static int32_t *members_to_change(struct style_state *state, int league)
{
    struct style_team *teams = (struct style_team *)(ratings_to_change(state) + state->team_count);
    return (int32_t *)(teams + state->team_count) + (size_t)league * state->team_count;
}

static void style_init(void *memory, const struct stream_size *size)
{
    struct style_state *state = memory;
    state->team_count = size->entities;
    state->league_count = size->groups;
    for (size_t i = 0; i < size->groups; i++)
        state->league[i].mean = state->league[i].top_lead = state->league[i].spread = state->league[i].third =
            NAN;
    for (size_t i = 0; i < size->entities; i++)
        ratings_to_change(state)[i] = ELO_START;
}

/* The mean of the last ten against what is usual; missing while there is nothing to compare. */
static float relative(const struct last_ten *own, double usual, double usual_matches)
{
    double value = own->sum * usual_matches / (own->count * usual);
    return !(usual > 0 && own->count > 0) ? NAN : value < RELATIVE_HIGH ? (float)value : (float)RELATIVE_HIGH;
}

static struct style_sums both_seasons(const struct style_league *league)
{
    const struct style_sums *a = &league->now, *b = &league->before;
    return (struct style_sums){a->matches + b->matches,           a->goals + b->goals,
                               a->home_wins + b->home_wins,       a->draws + b->draws,
                               a->hard_matches + b->hard_matches, a->hardness + b->hardness};
}

static void emit_side(const struct style_team *team, double rating, const struct style_league *league,
                      const struct style_sums *sums, float *out)
{
    out[SIDE_RATING] = (float)(rating - league->mean);
    out[SIDE_ATTACK] = relative(&team->scored, sums->goals, SIDE_COUNT * sums->matches);
    out[SIDE_OPENNESS] = relative(&team->goals, sums->goals, sums->matches);
    out[SIDE_INTENSITY] = relative(&team->hardness, sums->hardness, SIDE_COUNT * sums->hard_matches);
}

static void style_emit(const void *memory, const void *event, float *out)
{
    const struct style_state *state = memory;
    const struct fixture *fixture = event;
    const struct style_league *league = league_of(state, fixture->league);
    const struct style_team *home = team_of(state, fixture->home), *away = team_of(state, fixture->away);
    double rating_home = ratings_of(state)[fixture->home], rating_away = ratings_of(state)[fixture->away];
    struct style_sums sums = both_seasons(league);
    float matches = (float)sums.matches; /* 0/0 says "missing" */
    emit_side(home, rating_home, league, &sums, out);
    emit_side(away, rating_away, league, &sums, out + STYLE_SIDE);
    out[STYLE_TOP_LEAD] = (float)league->top_lead;
    out[STYLE_SPREAD] = (float)league->spread;
    out[STYLE_TOP_TEAMS] =
        isnan(league->third) ? NAN : (float)((rating_home >= league->third) + (rating_away >= league->third));
    out[STYLE_GOALS] = (float)sums.goals / matches;
    out[STYLE_HOME_WINS] = (float)sums.home_wins / matches;
    out[STYLE_DRAWS] = (float)sums.draws / matches;
    out[STYLE_INTENSITY] = (float)sums.hardness / (float)sums.hard_matches;
}

/* Members. */

static void remove_member(struct style_state *state, int league, int32_t team)
{
    struct style_league *old = league_to_change(state, league);
    int32_t *members = members_to_change(state, league);
    uint32_t at = 0;
    while (at < old->member_count && members[at] != team)
        at++;
    assert(at < old->member_count);
    memmove(members + at, members + at + 1, (old->member_count - at - 1) * sizeof(*members));
    old->member_count--;
}

static void join(struct style_state *state, const struct fixture *fixture, int32_t index)
{
    struct style_team *team = team_to_change(state, index);
    struct style_league *league = league_to_change(state, fixture->league);
    if (team->is_member && team->league != fixture->league) {
        remove_member(state, team->league, index);
        team->is_member = 0;
    }
    if (team->league != fixture->league || team->season != league->season)
        team->played = 0;
    if (!team->is_member)
        members_to_change(state, fixture->league)[league->member_count++] = index;
    team->is_member = 1;
    team->league = fixture->league;
    team->season = league->season;
    team->played++;
}

/* Those that have not come back this season are no longer members. */
static void drop_absent(struct style_state *state, int league_index)
{
    struct style_league *league = league_to_change(state, league_index);
    int32_t *members = members_to_change(state, league_index);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < league->member_count; i++) {
        struct style_team *team = team_to_change(state, members[i]);
        team->is_member = team->season == league->season;
        if (team->is_member)
            members[kept++] = members[i];
    }
    league->member_count = kept;
    league->is_sure = 1;
}

/* The higher value stays, the lower one is returned: in registers and without a branch. */
static inline double keep_higher(double *kept, double value)
{
    double lower = value > *kept ? *kept : value;
    *kept = value > *kept ? value : *kept;
    return lower;
}

static void rate_members(struct style_state *state, int league_index)
{
    struct style_league *league = league_to_change(state, league_index);
    const int32_t *members = members_to_change(state, league_index);
    const double *ratings = ratings_of(state);
    double first = ELO_LOW, second = ELO_LOW, third = ELO_LOW;
    double sum = 0, squares = 0, count = league->member_count;
    for (uint32_t i = 0; i < league->member_count; i++) {
        double rating = ratings[members[i]];
        sum += rating;
        squares += (rating - ELO_START) * (rating - ELO_START);
        keep_higher(&third, keep_higher(&second, keep_higher(&first, rating)));
    }
    league->mean = sum / count;
    league->top_lead = league->spread = league->third = NAN;
    if (league->member_count < STYLE_MEMBERS_LEAST)
        return;
    double shift = league->mean - ELO_START, best = first + second + third;
    league->third = third;
    league->top_lead = fmax(0, best / STYLE_TOP - (sum - best) / (count - STYLE_TOP));
    league->spread = sqrt(fmax(0, squares / count - shift * shift));
}

/* Learning. */

static void begin_season(struct style_league *league, int16_t season)
{
    league->before = league->now;
    league->now = (struct style_sums){0};
    league->season = season;
    league->has_season = 1;
    league->is_sure = 0;
}

static bool has_hardness(const struct outcome *outcome)
{
    const int16_t(*stats)[SIDE_COUNT] = outcome->stats;
    bool is_known = true;
    for (size_t side = 0; side < SIDE_COUNT; side++)
        is_known = is_known && stats[STAT_FOULS][side] >= 0 && stats[STAT_YELLOWS][side] >= 0 &&
                   stats[STAT_REDS][side] >= 0;
    return is_known;
}

static int cut(int count)
{
    return count < STYLE_COUNT_HIGH ? count : STYLE_COUNT_HIGH;
}

static void last_ten_add(struct last_ten *last, int value)
{
    last->sum += value - last->value[last->next]; /* 0 before there are ten */
    last->value[last->next] = (uint8_t)value;
    last->next = (uint8_t)((last->next + 1) % STYLE_LAST);
    last->count += last->count < STYLE_LAST;
}

static void learn_goals(struct style_team *home, struct style_team *away, struct style_sums *sums,
                        const struct outcome *outcome)
{
    int goals_home = cut(outcome->goals[SIDE_HOME]), goals_away = cut(outcome->goals[SIDE_AWAY]);
    last_ten_add(&home->scored, goals_home);
    last_ten_add(&home->goals, goals_home + goals_away);
    last_ten_add(&away->scored, goals_away);
    last_ten_add(&away->goals, goals_home + goals_away);
    sums->matches++;
    sums->goals += goals_home + goals_away;
    sums->home_wins += goals_home > goals_away;
    sums->draws += goals_home == goals_away;
}

static void learn_hardness(struct style_team *team, struct style_sums *sums, const struct outcome *outcome,
                           int side)
{
    const int16_t(*stats)[SIDE_COUNT] = outcome->stats;
    int hardness = cut(stats[STAT_FOULS][side] + stats[STAT_YELLOWS][side] + stats[STAT_REDS][side]);
    last_ten_add(&team->hardness, hardness);
    sums->hardness += hardness;
}

static void style_apply(void *memory, const void *event, const void *result)
{
    static const struct elo_rule rule = {20, 60, ELO_MARGIN_WORLD};
    struct style_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    struct style_league *league = league_to_change(state, fixture->league);
    struct style_team *home = team_to_change(state, fixture->home),
                      *away = team_to_change(state, fixture->away);
    double *ratings = ratings_to_change(state);
    if (!league->has_season || fixture->season > league->season)
        begin_season(league, fixture->season);
    elo_update(&rule, &ratings[fixture->home], &ratings[fixture->away], outcome->goals[SIDE_HOME],
               outcome->goals[SIDE_AWAY], fixture->is_neutral);
    learn_goals(home, away, &league->now, outcome);
    if (has_hardness(outcome)) {
        learn_hardness(home, &league->now, outcome, SIDE_HOME);
        learn_hardness(away, &league->now, outcome, SIDE_AWAY);
        league->now.hard_matches++;
    }
    join(state, fixture, fixture->home);
    join(state, fixture, fixture->away);
    if (!league->is_sure && (home->played >= STYLE_SURE_PLAYED || away->played >= STYLE_SURE_PLAYED))
        drop_absent(state, fixture->league);
    rate_members(state, fixture->league);
}

const struct tracker tracker_style = {
    .family = "style",
    .doc =
        "The league's character, how far its best three are ahead, goals, home wins, intensity, and the two "
        "teams against it.",
    .source = "results, fouls, cards",
    .version = 1,
    .features = style_features,
    .feature_count = STYLE_FEATURES,
    .state_bytes = style_state_bytes,
    .init = style_init,
    .emit = style_emit,
    .apply = style_apply,
};
