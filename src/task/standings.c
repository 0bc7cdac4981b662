/* Standings: the table of each stored league that football-data.org has, and the fixtures of the next days of those leagues in
 * one more question. Only leagues whose table could be had (or has not changed) are asked for fixtures: the source refuses
 * leagues that are not in the plan of a token, and a list with one of them in it might be refused as a whole.
 *
 * A table keeps rows whose team is none of ours, under the source's name; a fixture needs both teams, or it is left out and
 * listed. A match is on the day that clocks in the United Kingdom show, as in football-data's files, so that the result that
 * is imported later meets its fixture. */
#include "base/text.h"
#include "base/time.h"
#include "football/league.h"
#include "limits.h"
#include "os/clock.h"
#include "source/connector_league.h"
#include "source/football_data_org.h"
#include "store/fetched_store.h"
#include "store/football_store.h"
#include "store/league_store.h"
#include "store/standing_store.h"
#include "store/team_names.h"
#include "task/connector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct standings_options {
    char league[16];
    int64_t days;
};

enum { BODY_BYTES = 16 << 20, TABLE_NUMBERS = 8, NUMBERS_FIRST = 4, RECENT_DAYS = 400 };

#define MEMBER(name) OPTION_MEMBER(struct standings_options, name)
static const struct option_row option_rows[] = {
    {"days", OPTION_INT, MEMBER(days), "days", 0, 9, "7",
     "fixtures of so many days from now on; 0: tables only"},
    {"league", OPTION_TEXT, MEMBER(league), "", 0, 0, "", "only this league, by its code"},
};
static const struct option_table standings_table = {"standings", option_rows,
                                                    sizeof(option_rows) / sizeof(*option_rows)};

static const struct connector_source source = {.name = "football-data.org",
                                               .title = "football-data.org",
                                               .setting = "football_data_org_token",
                                               .header = "X-Auth-Token",
                                               .is_tiered = true};

struct run {
    struct connector connector;
    struct task_context *context;
    const struct standings_options *options;
    struct league_row stored[LIMIT_LEAGUES];
    size_t stored_count;
    int64_t now_us;
    struct team_names *names;
    int country; /* of `names`; -1 none yet */
    struct buffer body, payload;
    struct json_writer rows;
    struct connector_list teams;
    char competitions[512]; /* that can be had, comma separated */
    size_t leagues, table_rows, fixtures, called_off, unmatched, open;
};

static enum err_code check(const void *options, struct err *err)
{
    const struct standings_options *wanted = options;
    if (wanted->league[0] != '\0' && league_find(text_of(wanted->league)) < 0)
        return err_set_field(err, ERR_INVALID, "league", "no league has the code '%s'", wanted->league);
    return ERR_OK;
}

static const struct team_name *find_team(const struct run *run, const struct org_team *team)
{
    const struct team_name *found = team_names_find(run->names, team->name);
    return found == NULL && team->short_name[0] != '\0' ? team_names_find(run->names, team->short_name)
                                                        : found;
}

/* ---- tables ---- */

static void write_row(struct run *run, const char *league, const struct org_standing *row)
{
    const struct team_name *team = find_team(run, &row->team);
    const int64_t numbers[TABLE_NUMBERS] = {row->position, row->played,    row->won,           row->drawn,
                                            row->lost,     row->goals_for, row->goals_against, row->points};
    struct json_writer *out = &run->rows;
    if (team == NULL)
        connector_list_add(&run->teams, league, row->team.name, NULL);
    json_begin_array(out);
    json_put_i64(out, team != NULL ? team->id : 0);
    json_put_text(out, team != NULL ? team->name : row->team.name);
    json_put_text(out, row->stage);
    json_put_text(out, row->group);
    for (int index = 0; index < TABLE_NUMBERS; index++)
        json_put_i64(out, numbers[index]);
    json_end_array(out);
    run->table_rows++;
}

static void write_table(struct run *run, const char *code, const struct org_standings *table)
{
    const struct league *league = league_at((size_t)league_find(text_of(code)));
    int year, month, day;
    /* the middle of the season is in it whatever day in June or July it begins */
    time_civil_from_day((table->season_from + table->season_to) / 2, &year, &month, &day);
    json_begin_object(&run->rows);
    json_field_text(&run->rows, "league", code);
    json_field_i64(&run->rows, "season", league_season(league, year, month));
    json_field_i64(&run->rows, "fetched_us", clock_now_us());
    json_key(&run->rows, "rows");
    json_begin_array(&run->rows);
    for (size_t index = 0; index < table->count; index++)
        write_row(run, code, &table->items[index]);
    json_end_array(&run->rows);
    json_end_object(&run->rows);
}

static enum err_code read_table(struct run *run, const struct connector_league *league,
                                struct connector_answer *validators, struct err *err)
{
    struct org_standings table;
    size_t unknown = run->teams.count;
    enum err_code code = org_standings_read(buffer_text(&run->body), run->body.size_bytes, &table, err);
    if (code == ERR_OK && strcmp(table.competition, league->competition) != 0)
        code =
            err_set(err, ERR_INVALID, "it is of '%s', not of '%s'", table.competition, league->competition);
    if (code != ERR_OK) {
        org_standings_release(&table);
        return err_prefix(err, "the table of %s from %s", league->code, source.title);
    }
    write_table(run, league->code, &table);
    if (run->teams.count > unknown)
        connector_forget(validators); /* the team may be known by the next time */
    org_standings_release(&table);
    return ERR_OK;
}

static void add_competition(struct run *run, const char *competition)
{
    size_t size = strlen(run->competitions);
    (void)snprintf(run->competitions + size, sizeof run->competitions - size, "%s%s", size > 0 ? "," : "",
                   competition);
}

static enum err_code fetch_table(struct run *run, const struct connector_league *league,
                                 enum connector_outcome *out, struct err *err)
{
    char path[128], resource[CONNECTOR_RESOURCE_BYTES];
    struct connector_answer *validators = NULL;
    (void)snprintf(path, sizeof path, "/v4/competitions/%s/standings", league->competition);
    (void)snprintf(resource, sizeof resource, "standings %s", league->code);
    enum err_code code =
        connector_names(run->context, league->code, run->now_us, &run->country, &run->names, err);
    if (code == ERR_OK)
        code = connector_get(&run->connector, resource, path, &run->body, out, &validators, err);
    if (code != ERR_OK || *out == CONNECTOR_TOO_MUCH || *out == CONNECTOR_NOT_OFFERED)
        return code;
    add_competition(run, league->competition);
    run->leagues++;
    return *out == CONNECTOR_NEW ? read_table(run, league, validators, err) : ERR_OK;
}

/* A league of which results are stored, and that is still played. */
static bool is_wanted(const struct run *run, const struct connector_league *league)
{
    if (league->competition[0] == '\0' ||
        (run->options->league[0] != '\0' && strcmp(run->options->league, league->code) != 0))
        return false;
    for (size_t index = 0; index < run->stored_count; index++) {
        if (strcmp(run->stored[index].league, league->code) == 0)
            return run->stored[index].to_day >= time_day_of(run->now_us) - RECENT_DAYS;
    }
    return false;
}

static enum err_code fetch_tables(struct run *run, enum connector_outcome *outcome, struct err *err)
{
    const struct connector_league *league;
    size_t wanted = 0, done = 0;
    for (size_t index = 0; (league = connector_league_at(index)) != NULL; index++)
        wanted += is_wanted(run, league);
    enum err_code code = ERR_OK;
    for (size_t index = 0; code == ERR_OK && *outcome != CONNECTOR_TOO_MUCH; index++) {
        if ((league = connector_league_at(index)) == NULL)
            break;
        if (!is_wanted(run, league))
            continue;
        code = fetch_table(run, league, outcome, err);
        report_progress(run->context->reporter, "fetching tables", ++done, wanted);
    }
    if (code == ERR_OK && wanted == 0) {
        run->connector.is_skipped = true;
        (void)snprintf(run->connector.note, sizeof run->connector.note,
                       "no league that %s has was played in the last %d days, as far as is stored",
                       source.title, RECENT_DAYS);
    }
    if (code == ERR_OK && wanted > 0 && run->connector.not_offered == wanted)
        code = err_set(err, ERR_UNAUTHORIZED, "%s gives none of %zu leagues for this key: look at %s",
                       source.title, wanted, source.setting);
    return code;
}

/* ---- fixtures ---- */

static void write_fixture(struct run *run, const struct org_match *match, const struct league *league,
                          const struct team_name *const teams[2])
{
    struct json_writer *out = &run->rows;
    struct civil local = time_to_civil(match->start_us, ZONE_LONDON);
    int64_t day = time_day_from_civil(local.year, local.month, local.day);
    char id[MATCH_SOURCE_ID_BYTES];
    int state = match->state == ORG_TO_COME     ? MATCH_SCHEDULED
                : match->state == ORG_POSTPONED ? MATCH_POSTPONED
                                                : MATCH_VOID;
    (void)snprintf(id, sizeof id, "football-data.org/%lld", (long long)match->id);
    json_begin_object(out);
    json_field_text(out, "source_id", id);
    json_field_text(out, "league", league->code);
    json_field_text(out, "country", league->country);
    json_field_text(out, "home", teams[0]->name);
    json_field_text(out, "away", teams[1]->name);
    json_field_i64(out, "home_id", teams[0]->id);
    json_field_i64(out, "away_id", teams[1]->id);
    json_field_i64(out, "day", day);
    json_field_i64(
        out, "kickoff_us",
        match->time_known
            ? match->start_us
            : time_from_civil((struct civil){local.year, local.month, local.day, 0, 0, 0}, ZONE_LONDON));
    json_field_text(out, "kickoff_text", match->start_text);
    json_field_i64(out, "season", league_season(league, local.year, local.month));
    json_field_bool(out, "time_known", match->time_known);
    json_field_i64(out, "state", state);
    json_end_object(out);
    run->fixtures += state == MATCH_SCHEDULED;
    run->called_off += state != MATCH_SCHEDULED;
}

static enum err_code take_fixture(struct run *run, const struct org_match *match, struct err *err)
{
    const struct connector_league *league = connector_league_of(match->competition);
    const struct team_name *teams[2];
    const struct org_team *sides[2] = {&match->home, &match->away};
    int64_t end_us = run->now_us + run->options->days * TIME_DAY_US;
    if (league == NULL || match->state == ORG_BEGUN || match->start_us > end_us ||
        (match->state == ORG_TO_COME && match->time_known && match->start_us <= run->now_us))
        return ERR_OK;
    enum err_code code =
        connector_names(run->context, league->code, run->now_us, &run->country, &run->names, err);
    if (code != ERR_OK)
        return code;
    for (int side = 0; side < 2; side++) {
        teams[side] = find_team(run, sides[side]);
        if (teams[side] == NULL)
            connector_list_add(&run->teams, league->code, sides[side]->name, NULL);
    }
    if (teams[0] == NULL || teams[1] == NULL || teams[0] == teams[1])
        run->unmatched++;
    else
        write_fixture(run, match, league_at((size_t)league_find(text_of(league->code))), teams);
    return ERR_OK;
}

static enum err_code read_fixtures(struct run *run, struct connector_answer *validators, struct err *err)
{
    struct org_matches matches;
    enum err_code code = org_matches_read(buffer_text(&run->body), run->body.size_bytes, &matches, err);
    if (code != ERR_OK)
        return err_prefix(err, "the fixtures from %s", source.title);
    for (size_t index = 0; index < matches.count && code == ERR_OK; index++)
        code = take_fixture(run, &matches.items[index], err);
    run->open += matches.open;
    if (run->unmatched > 0)
        connector_forget(validators);
    org_matches_release(&matches);
    return code;
}

static enum err_code fetch_fixtures(struct run *run, struct err *err)
{
    char path[1024], from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
    enum connector_outcome outcome;
    struct connector_answer *validators = NULL;
    int64_t today = time_day_of(run->now_us);
    if (run->options->days == 0 || run->competitions[0] == '\0')
        return ERR_OK;
    time_format_date(today, from);
    time_format_date(today + run->options->days + 1, to); /* that day itself is not meant */
    (void)snprintf(path, sizeof path, "/v4/matches?competitions=%s&dateFrom=%s&dateTo=%s", run->competitions,
                   from, to);
    enum err_code code =
        connector_get(&run->connector, "fixtures", path, &run->body, &outcome, &validators, err);
    return code == ERR_OK && outcome == CONNECTOR_NEW ? read_fixtures(run, validators, err) : code;
}

/* ---- the task ---- */

static enum err_code fetch_all(struct run *run, struct err *err)
{
    enum connector_outcome outcome = CONNECTOR_NEW;
    run->stored_count = LIMIT_LEAGUES;
    enum err_code code = league_store_list(run->context->store->db, run->stored, &run->stored_count, err);
    json_key(&run->rows, "tables");
    json_begin_array(&run->rows);
    if (code == ERR_OK)
        code = fetch_tables(run, &outcome, err);
    json_end_array(&run->rows);
    json_key(&run->rows, "fixtures");
    json_begin_array(&run->rows);
    if (code == ERR_OK && outcome != CONNECTOR_TOO_MUCH)
        code = fetch_fixtures(run, err);
    json_end_array(&run->rows);
    return code;
}

static enum err_code write_result(struct run *run, struct buffer *result, struct err *err)
{
    struct json_writer out;
    json_end_object(&run->rows);
    enum err_code code = buffer_check(&run->payload, "the fetched tables", err);
    json_writer_init(&out, result);
    json_begin_object(&out);
    if (code == ERR_OK)
        code = connector_write_result(&run->connector, run->connector.is_skipped ? NULL : &run->payload, &out,
                                      err);
    json_field_i64(&out, "leagues", (int64_t)run->leagues);
    json_field_i64(&out, "table_rows", (int64_t)run->table_rows);
    json_field_i64(&out, "fixtures", (int64_t)run->fixtures);
    json_field_i64(&out, "called_off", (int64_t)run->called_off);
    json_field_i64(&out, "unmatched_fixtures", (int64_t)run->unmatched);
    json_field_i64(&out, "undecided_fixtures", (int64_t)run->open);
    connector_list_end(&run->teams, "unknown_teams", &out);
    json_end_object(&out);
    return code == ERR_OK ? buffer_check(result, "the result", err) : code;
}

static enum err_code run(struct task_context *context, const void *options, struct buffer *result,
                         struct err *err)
{
    struct run *run = calloc(1, sizeof *run);
    const struct connector_settings *settings = context->connectors;
    if (run == NULL)
        return err_nomem(err, sizeof *run);
    run->context = context;
    run->options = options;
    run->now_us = clock_now_us();
    run->country = -1;
    buffer_init(&run->body, BODY_BYTES);
    buffer_init(&run->payload, LIMIT_RESULT_BYTES);
    connector_list_begin(&run->teams);
    json_writer_init(&run->rows, &run->payload);
    json_begin_object(&run->rows);
    enum err_code code = connector_open(&run->connector, &source, context,
                                        settings != NULL ? settings->football_data_org_url : NULL,
                                        settings != NULL ? settings->football_data_org_token : NULL,
                                        settings != NULL ? settings->football_data_org_per_minute : 1, err);
    if (code == ERR_OK && !run->connector.is_skipped)
        code = fetch_all(run, err);
    if (code == ERR_OK)
        code = write_result(run, result, err);
    team_names_close(run->names);
    buffer_release(&run->teams.text);
    buffer_release(&run->body);
    buffer_release(&run->payload);
    free(run);
    return code;
}

/* ---- the commit ---- */

static enum err_code read_row(const json_t *json, struct standing *out, struct err *err)
{
    const char *texts[3];
    int64_t *const numbers[TABLE_NUMBERS] = {&out->position,      &out->played, &out->won,
                                             &out->drawn,         &out->lost,   &out->goals_for,
                                             &out->goals_against, &out->points};
    for (size_t index = 0; index < 3; index++)
        texts[index] = json_string_value(json_array_get(json, 1 + index));
    if (json_array_size(json) != NUMBERS_FIRST + TABLE_NUMBERS || texts[0] == NULL || texts[1] == NULL ||
        texts[2] == NULL || !text_copy(text_of(texts[0]), out->name, sizeof out->name) ||
        !text_copy(text_of(texts[1]), out->stage, sizeof out->stage) ||
        !text_copy(text_of(texts[2]), out->group, sizeof out->group))
        return err_set(err, ERR_INVALID, "a row of the fetched tables is none");
    out->team_id = json_integer_value(json_array_get(json, 0));
    for (size_t index = 0; index < TABLE_NUMBERS; index++)
        *numbers[index] = json_integer_value(json_array_get(json, NUMBERS_FIRST + index));
    return ERR_OK;
}

static enum err_code store_table(struct db *db, const json_t *table, struct err *err)
{
    const json_t *list = json_object_get(table, "rows");
    const char *league = NULL;
    int64_t season = 0, fetched_us = 0;
    size_t count = json_array_size(list);
    struct standing *rows = calloc(count + 1, sizeof *rows);
    if (rows == NULL)
        return err_nomem(err, count * sizeof *rows);
    enum err_code code = json_take_text(table, "league", true, &league, err);
    if (code == ERR_OK)
        code = json_take_i64(table, "season", true, &season, err);
    if (code == ERR_OK)
        code = json_take_i64(table, "fetched_us", true, &fetched_us, err);
    for (size_t index = 0; index < count && code == ERR_OK; index++)
        code = read_row(json_array_get(list, index), &rows[index], err);
    if (code == ERR_OK)
        code = standing_store_replace(db, league, season, rows, count, fetched_us, err);
    free(rows);
    return code;
}

static enum err_code read_fixture(const json_t *json, struct fetched_fixture *out, struct err *err)
{
    const struct {
        const char *key;
        const char **out;
    } texts[] = {{"source_id", &out->source_id}, {"league", &out->league},
                 {"country", &out->country},     {"home", &out->home},
                 {"away", &out->away},           {"kickoff_text", &out->kickoff_text}};
    int64_t season = 0, state = 0;
    const struct {
        const char *key;
        int64_t *out;
    } numbers[] = {{"home_id", &out->home_id},       {"away_id", &out->away_id}, {"day", &out->day},
                   {"kickoff_us", &out->kickoff_us}, {"season", &season},        {"state", &state}};
    enum err_code code = json_take_bool(json, "time_known", true, &out->time_known, err);
    for (size_t index = 0; code == ERR_OK && index < sizeof texts / sizeof *texts; index++)
        code = json_take_text(json, texts[index].key, true, texts[index].out, err);
    for (size_t index = 0; code == ERR_OK && index < sizeof numbers / sizeof *numbers; index++)
        code = json_take_i64(json, numbers[index].key, true, numbers[index].out, err);
    out->season = (int32_t)season;
    out->state = (int)state;
    return code;
}

static enum err_code store_fixtures(struct db *db, const json_t *list, struct err *err)
{
    struct fetched_fixtures_saved saved = {0};
    size_t count = json_array_size(list);
    struct fetched_fixture *fixtures = calloc(count + 1, sizeof *fixtures);
    enum err_code code = ERR_OK;
    if (fixtures == NULL)
        return err_nomem(err, count * sizeof *fixtures);
    for (size_t index = 0; index < count && code == ERR_OK; index++)
        code = read_fixture(json_array_get(list, index), &fixtures[index], err);
    if (code == ERR_OK)
        code = fetched_store_fixtures(db, fixtures, count, &saved, err);
    free(fixtures);
    return code;
}

static enum err_code keep(struct db *db, const json_t *payload, struct err *err)
{
    const json_t *tables = json_object_get(payload, "tables"), *table;
    size_t index;
    enum err_code code = ERR_OK;
    json_array_foreach(tables, index, table)
    {
        if (code == ERR_OK)
            code = store_table(db, table, err);
    }
    return code == ERR_OK ? store_fixtures(db, json_object_get(payload, "fixtures"), err) : code;
}

static enum err_code commit(struct store *store, const json_t *result, struct err *err)
{
    return connector_commit(store, result, keep, "fixtures", err);
}

const struct task task_standings = {
    .name = "standings",
    .doc =
        "Fetches the tables of the leagues and the fixtures of the next days from football-data.org, if its "
        "token is set.",
    .options = &standings_table,
    .options_bytes = sizeof(struct standings_options),
    .check = check,
    .run = run,
    .commit = commit,
};
