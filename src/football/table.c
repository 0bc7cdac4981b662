/* Table family: where both teams stand in their league this season, how far it is to the places that matter,
 * how much is left to play, and where they come from.
 *
 * Which table. A table is of one league and one season (as the source numbers them); split seasons and play-offs
 * that the source files under the league simply go on. It begins with the season's first result. A team is in
 * the table of the league of its latest match of the season; should it change leagues within one (sources do
 * err), it begins anew. A result of an earlier season than its league or its teams have reached is passed over.
 * Deducted points and points halved before a split are not in the sources: points are those won.
 *
 * Places. A table keeps its teams' keys (ranking.h: points, goal difference, goals for) sorted downwards; a result
 * moves two of them a few places. The position is one more than the number of greater keys.
 * A *line* of k places (the title 1, Europe or the play-offs 4 to 6, the safe places) is judged by the k-th best
 * of the OTHER teams: for a team inside that is the first one outside, for one outside it is the last one inside.
 * So the distance, own points minus the points of that team, is a lead when positive and a deficit when negative,
 * and there is one formula for both. Teams that have not played yet stand on 0 points.
 *
 * How much is left. A season's number of teams is known once somebody has played three times; until then it is
 * at least that of the season before. Matches per team are (teams - 1) times the matches per opponent of the
 * last two seasons, whichever had more (38/11 in Scotland; one broken off is thus passed over), 2 without any.
 *
 * Pressure. A line is close when the distance can be made good: 1 - |distance| / (3 * matches left + 1), at
 * least 0; weighed by the played share of the season, as nothing presses in August. */
#include "football/families.h"
#include "football/league.h"
#include "football/match.h"
#include "football/ranking.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    TABLE_HIGH = 99,       /* position, teams, distance: more counts as this */
    TABLE_SURE_PLAYED = 3, /* once a team has played so often, every team has been seen */
    FORM_MATCHES = 5,
    FORM_POINTS = 3 * FORM_MATCHES + 1, /* values 0..15 of points in the last 5 */
};

enum {
    SIDE_POSITION,
    SIDE_POINTS,
    SIDE_GOAL_DIFFERENCE,
    SIDE_VENUE_POINTS,
    SIDE_FORM_POSITION,
    SIDE_TITLE,
    SIDE_EUROPE,
    SIDE_RELEGATION,
    SIDE_PRESSURE,
    SIDE_PLAYOFF_PRESSURE,
    SIDE_MOVED,
    SIDE_LAST_POINTS,
    TABLE_SIDE
};
enum {
    TABLE_POSITION_GAP = SIDE_COUNT * TABLE_SIDE,
    TABLE_POINTS_GAP,
    TABLE_PROGRESS,
    TABLE_TEAMS,
    TABLE_FEATURES
};

#define TABLE_ROW(name, unit, low, high, doc)                                                                \
    {                                                                                                        \
        "table_" name, unit, low, high, FEATURE_BEFORE_START, doc                                            \
    }
#define TABLE_TEAM(side, team, ground)                                                                       \
    TABLE_ROW(side "_position", "", 1, TABLE_HIGH,                                                           \
              "Position of the " team " in the league; equal teams share one."),                             \
        TABLE_ROW(side "_points", "points", 0, 3, "Points per match of the " team " this season."),          \
        TABLE_ROW(side "_goal_difference", "goals", -TABLE_HIGH, TABLE_HIGH,                                 \
                  "Goal difference per match of the " team " this season."),                                 \
        TABLE_ROW(side "_venue_points", "points", 0, 3,                                                      \
                  "Points per match of the " team " " ground " this season."),                               \
        TABLE_ROW(side "_form_position", "", 1, TABLE_HIGH,                                                  \
                  "Position of the " team " by points won in the last 5 matches of the season."),            \
        TABLE_ROW(side "_title_distance", "points", -TABLE_HIGH, TABLE_HIGH,                                 \
                  "Points of the " team " minus those of the best other team."),                             \
        TABLE_ROW(side "_europe_distance", "points", -TABLE_HIGH, TABLE_HIGH,                                \
                  "Points of the " team                                                                      \
                  " ahead of the first team outside the top places, or behind the last "                     \
                  "one inside (negative): 6 of 20 or more teams, 5 of 16, else 4; Europe, or play-offs."),   \
        TABLE_ROW(side "_relegation_distance", "points", -TABLE_HIGH, TABLE_HIGH,                            \
                  "Points of the " team " ahead of the best team in the bottom places, or behind the last "  \
                  "safe one (negative): 3 of 18 or more teams, 2 of 12, else 1."),                           \
        TABLE_ROW(side "_pressure", "", 0, 1,                                                                \
                  "Played share of the season times the closeness of the nearest line of title, Europe or "  \
                  "relegation: 1 - |distance| / (3 * matches left + 1), " team "."),                         \
        TABLE_ROW(side "_playoff_pressure", "", 0, 1,                                                        \
                  "The same for the line of Europe or the play-offs alone, " team "."),                      \
        TABLE_ROW(side "_moved", "", -1, 1,                                                                  \
                  "1 when the " team " played in a lower league last season or in none that is covered, "    \
                  "-1 in a higher one, 0 in one as high."),                                                  \
        TABLE_ROW(side "_last_points", "points", 0, 3,                                                       \
                  "Points per match of the " team " last season, in whichever league.")

static const struct feature table_features[TABLE_FEATURES] = {
    TABLE_TEAM("home", "home team", "at home"),
    TABLE_TEAM("away", "away team", "away"),
    [TABLE_POSITION_GAP] = TABLE_ROW("position_gap", "", -TABLE_HIGH, TABLE_HIGH,
                                     "Position of the home team minus that of the away team."),
    [TABLE_POINTS_GAP] = TABLE_ROW("points_gap", "points", -3, 3,
                                   "Points per match of the home team this season minus the away team's."),
    [TABLE_PROGRESS] =
        TABLE_ROW("progress", "", 0, 1,
                  "Played share of the season: matches of both teams over what they are expected to play."),
    [TABLE_TEAMS] = TABLE_ROW("teams", "teams", 2, TABLE_HIGH, "Teams of the league."),
};

/* A team's season. */
struct table_team {
    int32_t played, points, goals_for, goals_against; /* played 0: no season yet */
    int32_t key;                                      /* ranking.h's, of the three */
    int32_t venue_played[SIDE_COUNT], venue_points[SIDE_COUNT];
    int32_t last_played, last_points; /* the season before on record, in last_season */
    int16_t league, season, last_league, last_season;
    uint8_t form[FORM_MATCHES]; /* points, latest first */
    uint8_t form_points;        /* their sum */
    uint8_t padding[2];
};

/* A league's season. */
struct table_league {
    int16_t season, last_season;
    uint8_t has_season, has_last, padding[2];
    uint32_t team_count, most_played;           /* this season */
    uint32_t last_team_count, last_most_played; /* the one before on record */
    double per_opponent;                        /* as expected of this season; 0 unknown */
    uint16_t with_form[FORM_POINTS];            /* how many teams won so many points in their last 5 */
};

static int32_t cut(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* The teams follow the leagues, then come `team_count` places for keys per league. */
struct table_state {
    uint64_t team_count, league_count;
    struct table_league league[];
};

static size_t table_state_bytes(const struct stream_size *size)
{
    return sizeof(struct table_state) + size->groups * sizeof(struct table_league) +
           size->entities * sizeof(struct table_team) +
           size->groups * ranking_room(size->entities) * sizeof(int32_t);
}

static void table_init(void *memory, const struct stream_size *size)
{
    struct table_state *state = memory;
    state->team_count = size->entities;
    state->league_count = size->groups;
}

static const struct table_league *league_of(const struct table_state *state, int league)
{
    assert((uint64_t)league < state->league_count);
    return &state->league[league];
}

static const struct table_team *team_of(const struct table_state *state, int32_t team)
{
    assert((uint64_t)team < state->team_count);
    return (const struct table_team *)(state->league + state->league_count) + team;
}

/* The keys of a league, greatest first. */
static const int32_t *keys_of(const struct table_state *state, int league)
{
    const struct table_team *teams = (const struct table_team *)(state->league + state->league_count);
    return (const int32_t *)(teams + state->team_count) + (size_t)league * ranking_room(state->team_count);
}

static struct table_league *league_to_change(struct table_state *state, int league)
{
    return (struct table_league *)league_of(state, league);
}

static struct table_team *team_to_change(struct table_state *state, int32_t team)
{
    return (struct table_team *)team_of(state, team);
}

static int32_t *keys_to_change(struct table_state *state, int league)
{
    return (int32_t *)keys_of(state, league);
}

/* What a league says about a season that runs or is about to begin. */
struct table_view {
    size_t seen;         /* teams that have played: keys in use */
    size_t teams;        /* teams that are expected; 0 unknown */
    double matches;      /* per team over the season */
    bool has_season_ago; /* the league was played the season before, too */
    int tier;
    const int32_t *keys;
    const uint16_t *with_form; /* NULL: nobody has played */
};

static double matches_per_opponent(uint32_t team_count, uint32_t most_played)
{
    return team_count >= 2 ? (double)most_played / (team_count - 1) : 0;
}

/* What is expected of the season after the one on record. */
static double next_per_opponent(const struct table_league *league)
{
    double last = matches_per_opponent(league->team_count, league->most_played);
    double older = matches_per_opponent(league->last_team_count, league->last_most_played);
    return last > older ? last : older;
}

static struct table_view view_of(const struct table_state *state, const struct fixture *fixture)
{
    const struct table_league *league = league_of(state, fixture->league);
    bool runs = league->has_season && league->season == fixture->season;
    struct table_view view = {.keys = keys_of(state, fixture->league),
                              .tier = league_at((size_t)fixture->league)->tier};
    double per_opponent;
    uint32_t last_teams, most_played = 0;
    if (runs) {
        view.seen = league->team_count;
        view.with_form = league->with_form;
        view.has_season_ago = league->has_last && league->last_season == fixture->season - 1;
        most_played = league->most_played;
        last_teams = league->last_team_count;
        per_opponent = league->per_opponent;
    } else { /* what runs there is the season before, or an older one */
        view.has_season_ago = league->has_season && league->season == fixture->season - 1;
        last_teams = league->team_count;
        per_opponent = next_per_opponent(league);
    }
    bool is_sure = most_played >= TABLE_SURE_PLAYED;
    view.teams = is_sure || last_teams < view.seen ? view.seen : last_teams;
    if (!is_sure && last_teams == 0)
        view.teams = 0;
    view.matches = (per_opponent > 0 ? per_opponent : 2) * ((double)view.teams - 1);
    if (view.matches < most_played)
        view.matches = most_played;
    return view;
}

/* Own points minus those of the k-th best of the other teams (k from 1). own: the place of a team that has
 * played, else any number not below `seen`. */
static int32_t line_distance(const struct table_view *view, int32_t points, size_t own, size_t k)
{
    size_t at = k - 1;
    at += at >= own;
    return cut(points - (at < view->seen ? ranking_points(view->keys[at]) : 0), -TABLE_HIGH, TABLE_HIGH);
}

static int32_t magnitude(int32_t value)
{
    return value < 0 ? -value : value;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* How close a line is: it falls with the distance, here without a sign. */
static float closeness(int32_t distance, double matches_left)
{
    double value = 1 - distance / (3 * matches_left + 1);
    return value > 0 ? (float)value : 0;
}

static size_t europe_places(size_t teams)
{
    return teams >= 20 ? 6 : teams >= 16 ? 5 : 4;
}

static size_t safe_places(size_t teams)
{
    return teams - (teams >= 18 ? 3 : teams >= 12 ? 2 : 1);
}

static void emit_lines(const struct table_view *view, const struct table_team *team, size_t own, float *out)
{
    if (view->teams < 2) {
        out[SIDE_TITLE] = out[SIDE_EUROPE] = out[SIDE_RELEGATION] = NAN;
        out[SIDE_PRESSURE] = out[SIDE_PLAYOFF_PRESSURE] = NAN;
        return;
    }
    int32_t title = line_distance(view, team->points, own, 1);
    int32_t europe = line_distance(view, team->points, own, europe_places(view->teams));
    int32_t relegation = line_distance(view, team->points, own, safe_places(view->teams));
    double left = view->matches - team->played;
    float played = (float)(team->played / view->matches);
    int32_t nearest = least(magnitude(title), least(magnitude(europe), magnitude(relegation)));
    out[SIDE_TITLE] = (float)title;
    out[SIDE_EUROPE] = (float)europe;
    out[SIDE_RELEGATION] = (float)relegation;
    out[SIDE_PRESSURE] = played * closeness(nearest, left);
    out[SIDE_PLAYOFF_PRESSURE] = played * closeness(magnitude(europe), left);
}

/* Position by points won in the last matches. Every count is looked at: no branch depends on the team. */
static int32_t form_position(const struct table_view *view, const struct table_team *team)
{
    uint16_t better = 0, own = team->form_points;
    if (view->with_form == NULL)
        return 1;
    for (uint16_t points = 0; points < (uint16_t)FORM_POINTS; points++)
        better = (uint16_t)(better + view->with_form[points] * (points > own));
    return cut(better + 1, 1, TABLE_HIGH);
}

/* Where the team was the season before: its league and what it won there. */
static void emit_past(const struct table_state *state, const struct table_view *view,
                      const struct fixture *fixture, int32_t index, float *out)
{
    const struct table_team *team = team_of(state, index);
    int league = -1, played = 0, points = 0;
    if (team->played > 0 && team->season == fixture->season - 1) {
        league = team->league;
        played = team->played;
        points = team->points;
    } else if (team->last_played > 0 && team->last_season == fixture->season - 1) {
        league = team->last_league;
        played = team->last_played;
        points = team->last_points;
    }
    out[SIDE_LAST_POINTS] = league < 0 ? NAN : (float)points / (float)played;
    out[SIDE_MOVED] = view->has_season_ago ? 1 : NAN; /* from below what is covered */
    if (league >= 0) {
        int before = league_at((size_t)league)->tier;
        out[SIDE_MOVED] = (float)((before > view->tier) - (before < view->tier));
    }
}

/* The position is returned, too. */
static int32_t emit_side(const struct table_state *state, const struct table_view *view,
                         const struct fixture *fixture, int side, float *out)
{
    static const struct table_team nothing = {0};
    int32_t index = side == SIDE_HOME ? fixture->home : fixture->away;
    const struct table_team *team = team_of(state, index);
    bool is_in = team->played > 0 && team->season == fixture->season && team->league == fixture->league;
    if (!is_in)
        team = &nothing;
    float played = (float)team->played, venue = (float)team->venue_played[side]; /* 0/0 says "missing" */
    float difference = (float)(team->goals_for - team->goals_against) / played;
    size_t greater = ranking_place(view->keys, view->seen, is_in ? team->key : ranking_key(0, 0, 0));
    out[SIDE_POINTS] = (float)team->points / played;
    out[SIDE_GOAL_DIFFERENCE] = difference;
    out[SIDE_VENUE_POINTS] = (float)team->venue_points[side] / venue;
    int32_t position = cut((int32_t)greater + 1, 1, TABLE_HIGH);
    out[SIDE_POSITION] = (float)position;
    out[SIDE_FORM_POSITION] = (float)form_position(view, team);
    emit_lines(view, team, is_in ? greater : view->seen, out);
    emit_past(state, view, fixture, index, out);
    return position;
}

static double played_of(const struct table_state *state, const struct fixture *fixture, int32_t index)
{
    const struct table_team *team = team_of(state, index);
    return team->season == fixture->season && team->league == fixture->league ? team->played : 0;
}

static void table_emit(const void *memory, const void *event, float *out)
{
    const struct table_state *state = memory;
    const struct fixture *fixture = event;
    struct table_view view = view_of(state, fixture);
    float *home = out, *away = out + TABLE_SIDE;
    int32_t position_gap = emit_side(state, &view, fixture, SIDE_HOME, home);
    position_gap -= emit_side(state, &view, fixture, SIDE_AWAY, away);
    double played = played_of(state, fixture, fixture->home) + played_of(state, fixture, fixture->away);
    out[TABLE_POSITION_GAP] = (float)position_gap;
    out[TABLE_POINTS_GAP] = home[SIDE_POINTS] - away[SIDE_POINTS];
    out[TABLE_PROGRESS] = view.teams < 2 ? NAN : (float)(played / (2 * view.matches));
    out[TABLE_TEAMS] = view.teams < 2 ? NAN : (float)cut((int32_t)view.teams, 2, TABLE_HIGH);
}

/* Learning. */

static void begin_league_season(struct table_state *state, const struct fixture *fixture)
{
    struct table_league *league = league_to_change(state, fixture->league);
    ranking_clear(keys_to_change(state, fixture->league), league->team_count);
    league->per_opponent = next_per_opponent(league);
    league->last_team_count = league->team_count;
    league->last_most_played = league->most_played;
    league->last_season = league->season;
    league->has_last = league->has_season;
    league->season = fixture->season;
    league->has_season = 1;
    league->team_count = league->most_played = 0;
    memset(league->with_form, 0, sizeof(league->with_form));
}

/* Out of its present table, to be put into another one. */
static void take_out(struct table_state *state, const struct table_team *team)
{
    struct table_league *league = league_to_change(state, team->league);
    if (league->season != team->season)
        return; /* that table is history */
    ranking_remove(keys_to_change(state, team->league), league->team_count, team->key);
    league->team_count--;
    league->with_form[team->form_points]--;
}

/* Into the table of its league, last and with nothing won. */
static void put_in(struct table_state *state, const struct table_team *team)
{
    struct table_league *league = league_to_change(state, team->league);
    ranking_insert(keys_to_change(state, team->league), league->team_count, team->key);
    league->team_count++;
    league->with_form[team->form_points]++;
}

static void begin_team_season(struct table_team *team, const struct fixture *fixture)
{
    struct table_team fresh = {
        .key = ranking_key(0, 0, 0), .league = fixture->league, .season = fixture->season};
    bool is_new_season = team->season != fixture->season;
    fresh.last_league = is_new_season ? team->league : team->last_league;
    fresh.last_season = is_new_season ? team->season : team->last_season;
    fresh.last_played = is_new_season ? team->played : team->last_played;
    fresh.last_points = is_new_season ? team->points : team->last_points;
    *team = fresh;
}

/* The team's own numbers. */
static void count_match(struct table_team *team, int side, bool is_neutral, int own, int other)
{
    int points = match_points(own, other);
    team->points += points;
    team->goals_for += own;
    team->goals_against += other;
    team->key = ranking_key(team->points, team->goals_for, team->goals_against);
    team->played++;
    if (!is_neutral) {
        team->venue_points[side] += points;
        team->venue_played[side]++;
    }
    team->form_points = (uint8_t)(team->form_points + points - team->form[FORM_MATCHES - 1]);
    memmove(team->form + 1, team->form, sizeof(team->form) - sizeof(team->form[0]));
    team->form[0] = (uint8_t)points;
}

static void learn_side(struct table_state *state, const struct fixture *fixture, int side, int own, int other)
{
    struct table_team *team = team_to_change(state, side == SIDE_HOME ? fixture->home : fixture->away);
    struct table_league *league = league_to_change(state, fixture->league);
    bool has_season = team->played > 0 && team->season == fixture->season;
    if (!has_season || team->league != fixture->league) {
        if (has_season)
            take_out(state, team);
        begin_team_season(team, fixture);
        put_in(state, team);
    }
    int32_t before = team->key;
    league->with_form[team->form_points]--;
    count_match(team, side, fixture->is_neutral, own, other);
    league->with_form[team->form_points]++;
    ranking_replace(keys_to_change(state, fixture->league), league->team_count, before, team->key);
    if ((uint32_t)team->played > league->most_played)
        league->most_played = (uint32_t)team->played;
}

static void table_apply(void *memory, const void *event, const void *result)
{
    struct table_state *state = memory;
    const struct fixture *fixture = event;
    const struct outcome *outcome = result;
    struct table_league *league = league_to_change(state, fixture->league);
    const struct table_team *home = team_of(state, fixture->home), *away = team_of(state, fixture->away);
    if ((league->has_season && fixture->season < league->season) ||
        (home->played > 0 && fixture->season < home->season) ||
        (away->played > 0 && fixture->season < away->season))
        return;
    if (!league->has_season || league->season != fixture->season)
        begin_league_season(state, fixture);
    int goals[SIDE_COUNT];
    for (size_t side = 0; side < SIDE_COUNT; side++)
        goals[side] = cut(outcome->goals[side], 0, TABLE_HIGH);
    learn_side(state, fixture, SIDE_HOME, goals[SIDE_HOME], goals[SIDE_AWAY]);
    learn_side(state, fixture, SIDE_AWAY, goals[SIDE_AWAY], goals[SIDE_HOME]);
}

const struct tracker tracker_table = {
    .family = "table",
    .doc = "The league table: positions, distances to the lines that matter, pressure, promotion and "
           "relegation.",
    .source = "results",
    .version = 1,
    .features = table_features,
    .feature_count = TABLE_FEATURES,
    .state_bytes = table_state_bytes,
    .init = table_init,
    .emit = table_emit,
    .apply = table_apply,
};
