/* Fetch odds: for each league that has matches to come, one answer of The Odds API; its events are found among the stored
 * matches by their teams, and the prices of those that are found are stored by the commit. Nothing is asked for a league
 * without matches to come: each question costs the month's quota.
 *
 * An event is the scheduled match of these two sides in that league that begins within a day of it. What is not found is
 * counted and listed, and the answer's validators are forgotten then: the match may be stored before the source says anything
 * new. Prices of events that have begun are prices of the running match; they never enter. */
#include "base/text.h"
#include "base/time.h"
#include "football/league.h"
#include "limits.h"
#include "os/clock.h"
#include "source/connector_league.h"
#include "source/odds_api.h"
#include "store/fetched_store.h"
#include "store/team_names.h"
#include "task/connector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fetch_odds_options {
    char league[16], regions[64];
    int64_t days;
};

enum { BODY_BYTES = 16 << 20, MATCH_DAYS = 60 /* stored matches that events are looked for among */ };

#define MEMBER(name) OPTION_MEMBER(struct fetch_odds_options, name)
static const struct option_row option_rows[] = {
    {"days", OPTION_INT, MEMBER(days), "days", 1, 28, "7",
     "leagues with a match within these days are asked for"},
    {"league", OPTION_TEXT, MEMBER(league), "", 0, 0, "", "only this league, by its code"},
    {"regions", OPTION_TEXT, MEMBER(regions), "", 0, 0, "eu,uk",
     "whose bookmakers, comma separated: eu, uk, us, au"},
};
static const struct option_table fetch_odds_table = {"fetch_odds", option_rows,
                                                     sizeof(option_rows) / sizeof(*option_rows)};

static const struct connector_source source = {
    .name = "odds", .title = "The Odds API", .setting = "odds_api_key", .parameter = "apiKey"};

struct run {
    struct connector connector;
    struct task_context *context;
    const struct fetch_odds_options *options;
    struct upcoming_match *matches;
    size_t match_count;
    int64_t now_us;
    struct team_names *names;
    int country; /* of `names`; -1 none yet */
    struct buffer body, payload;
    struct json_writer rows;
    struct connector_list teams, unmatched;
    size_t leagues, events, matched, sets, started, other, incomplete, repeated;
};

static enum err_code check(const void *options, struct err *err)
{
    const struct fetch_odds_options *wanted = options;
    if (wanted->league[0] != '\0' && league_find(text_of(wanted->league)) < 0)
        return err_set_field(err, ERR_INVALID, "league", "no league has the code '%s'", wanted->league);
    if (wanted->regions[0] == '\0' ||
        wanted->regions[strspn(wanted->regions, "abcdefghijklmnopqrstuvwxyz0123456789_,")] != '\0')
        return err_set_field(err, ERR_INVALID, "regions", "'regions' is a list like eu,uk");
    return ERR_OK;
}

/* ---- events to matches ---- */

static const struct upcoming_match *find_match(const struct run *run, const char *league,
                                               const struct odds_api_event *event, int64_t home_id,
                                               int64_t away_id)
{
    const struct upcoming_match *best = NULL;
    int64_t day = time_day_of(event->start_us), least = 2;
    for (size_t index = 0; index < run->match_count; index++) {
        const struct upcoming_match *match = &run->matches[index];
        int64_t apart = llabs(match->day - day);
        if (match->home_id == home_id && match->away_id == away_id && apart < least &&
            strcmp(match->league, league) == 0) {
            best = match;
            least = apart;
        }
    }
    return best;
}

static void write_set(struct json_writer *out, int64_t match_id, const struct odds_api_set *set)
{
    json_begin_array(out);
    json_put_i64(out, match_id);
    json_put_text(out, set->market);
    json_put_text(out, set->bookmaker);
    for (int index = 0; index < 3; index++)
        json_put_f64(out, set->prices[index]); /* NaN: null */
    json_put_bool(out, set->is_flagged);
    json_end_array(out);
}

/* Both teams, or the one that is not known is listed. */
static bool find_teams(struct run *run, const char *league, const struct odds_api_event *event,
                       const struct team_name *teams[2])
{
    const char *names[2] = {event->home, event->away};
    for (int side = 0; side < 2; side++) {
        teams[side] = team_names_find(run->names, names[side]);
        if (teams[side] == NULL)
            connector_list_add(&run->teams, league, names[side], NULL);
    }
    return teams[0] != NULL && teams[1] != NULL;
}

/* False: something of it could not be used, and may be of use later. */
static bool take_event(struct run *run, const char *league, const struct odds_api_answer *answer,
                       const struct odds_api_event *event, int64_t captured_us)
{
    const struct team_name *teams[2];
    char what[2 * ODDS_API_NAME_BYTES + 8], when[TIME_TEXT_BYTES];
    run->events++;
    if (event->start_us <= captured_us) {
        run->started++;
        return true;
    }
    const struct upcoming_match *match = NULL;
    if (find_teams(run, league, event, teams))
        match = find_match(run, league, event, teams[0]->id, teams[1]->id);
    if (match == NULL) {
        (void)snprintf(what, sizeof what, "%s - %s", event->home, event->away);
        time_format_iso(event->start_us, when);
        connector_list_add(&run->unmatched, league, what, when);
        return false;
    }
    run->matched++;
    for (size_t index = event->first; index < event->end; index++) {
        write_set(&run->rows, match->id, &answer->sets[index]);
        run->sets++;
    }
    return true;
}

/* ---- a league ---- */

static void take_answer(struct run *run, const char *league, const struct odds_api_answer *answer,
                        struct connector_answer *validators)
{
    int64_t captured_us = clock_now_us();
    bool is_used = true;
    json_begin_object(&run->rows);
    json_field_i64(&run->rows, "captured_us", captured_us);
    json_key(&run->rows, "prices");
    json_begin_array(&run->rows);
    for (size_t index = 0; index < answer->event_count; index++)
        is_used &= take_event(run, league, answer, &answer->events[index], captured_us);
    json_end_array(&run->rows);
    json_end_object(&run->rows);
    if (!is_used)
        connector_forget(validators);
    run->other += answer->other;
    run->incomplete += answer->incomplete;
    run->repeated += answer->repeated;
}

static enum err_code fetch_league(struct run *run, const struct connector_league *league,
                                  enum connector_outcome *out, struct err *err)
{
    char path[256], resource[CONNECTOR_RESOURCE_BYTES];
    struct odds_api_answer answer = {0};
    struct connector_answer *validators = NULL;
    (void)snprintf(path, sizeof path,
                   "/v4/sports/%s/odds?regions=%s&markets=h2h,totals&oddsFormat=decimal&dateFormat=iso",
                   league->sport, run->options->regions);
    (void)snprintf(resource, sizeof resource, "odds %s", league->code);
    enum err_code code =
        connector_names(run->context, league->code, run->now_us, &run->country, &run->names, err);
    if (code == ERR_OK)
        code = connector_get(&run->connector, resource, path, &run->body, out, &validators, err);
    if (code != ERR_OK || *out != CONNECTOR_NEW)
        return code;
    code = odds_api_read(buffer_text(&run->body), run->body.size_bytes, &answer, err);
    if (code != ERR_OK)
        return err_prefix(err, "the answer of %s for %s", source.title, league->code);
    take_answer(run, league->code, &answer, validators);
    odds_api_release(&answer);
    return ERR_OK;
}

static bool is_wanted(const struct run *run, const struct connector_league *league)
{
    int64_t end_us = run->now_us + run->options->days * TIME_DAY_US;
    if (league->sport[0] == '\0' ||
        (run->options->league[0] != '\0' && strcmp(run->options->league, league->code) != 0))
        return false;
    for (size_t index = 0; index < run->match_count; index++) {
        if (run->matches[index].kickoff_us <= end_us && strcmp(run->matches[index].league, league->code) == 0)
            return true;
    }
    return false;
}

static enum err_code fetch_leagues(struct run *run, struct err *err)
{
    const struct connector_league *league;
    enum connector_outcome outcome = CONNECTOR_NEW;
    size_t wanted = 0;
    for (size_t index = 0; (league = connector_league_at(index)) != NULL; index++)
        wanted += is_wanted(run, league);
    enum err_code code = ERR_OK;
    for (size_t index = 0; code == ERR_OK && outcome != CONNECTOR_TOO_MUCH; index++) {
        if ((league = connector_league_at(index)) == NULL)
            break;
        if (!is_wanted(run, league))
            continue;
        code = fetch_league(run, league, &outcome, err);
        run->leagues += code == ERR_OK && outcome == CONNECTOR_NEW;
        report_progress(run->context->reporter, "fetching prices", run->leagues, wanted);
    }
    if (code == ERR_OK && wanted == 0) {
        run->connector.is_skipped = true;
        (void)snprintf(run->connector.note, sizeof run->connector.note,
                       "no stored match of a league that %s has begins within %lld days", source.title,
                       (long long)run->options->days);
    }
    return code;
}

/* ---- the task ---- */

static enum err_code write_result(struct run *run, struct buffer *result, struct err *err)
{
    struct json_writer out;
    json_end_array(&run->rows);
    json_end_object(&run->rows);
    enum err_code code = buffer_check(&run->payload, "the fetched prices", err);
    json_writer_init(&out, result);
    json_begin_object(&out);
    if (code == ERR_OK)
        code = connector_write_result(&run->connector, run->leagues > 0 ? &run->payload : NULL, &out, err);
    json_field_i64(&out, "leagues", (int64_t)run->leagues);
    json_field_i64(&out, "events", (int64_t)run->events);
    json_field_i64(&out, "matched", (int64_t)run->matched);
    json_field_i64(&out, "started", (int64_t)run->started);
    json_field_i64(&out, "prices", (int64_t)run->sets);
    json_field_i64(&out, "other_markets", (int64_t)run->other);
    json_field_i64(&out, "incomplete", (int64_t)run->incomplete);
    json_field_i64(&out, "repeated_bookmakers", (int64_t)run->repeated);
    connector_list_end(&run->teams, "unknown_teams", &out);
    connector_list_end(&run->unmatched, "unmatched", &out);
    json_end_object(&out);
    return code == ERR_OK ? buffer_check(result, "the result", err) : code;
}

static void begin(struct run *run)
{
    run->country = -1;
    buffer_init(&run->body, BODY_BYTES);
    buffer_init(&run->payload, LIMIT_RESULT_BYTES);
    connector_list_begin(&run->teams);
    connector_list_begin(&run->unmatched);
    json_writer_init(&run->rows, &run->payload);
    json_begin_object(&run->rows);
    json_key(&run->rows, "leagues");
    json_begin_array(&run->rows);
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
    begin(run);
    enum err_code code =
        connector_open(&run->connector, &source, context, settings != NULL ? settings->odds_api_url : NULL,
                       settings != NULL ? settings->odds_api_key : NULL,
                       settings != NULL ? settings->odds_api_per_minute : 1, err);
    if (code == ERR_OK && !run->connector.is_skipped)
        code = fetched_store_upcoming(context->store->db, run->now_us, run->now_us + MATCH_DAYS * TIME_DAY_US,
                                      &run->matches, &run->match_count, err);
    if (code == ERR_OK && !run->connector.is_skipped)
        code = fetch_leagues(run, err);
    if (code == ERR_OK)
        code = write_result(run, result, err);
    team_names_close(run->names);
    buffer_release(&run->teams.text);
    buffer_release(&run->unmatched.text);
    buffer_release(&run->body);
    buffer_release(&run->payload);
    free(run->matches);
    free(run);
    return code;
}

/* ---- the commit ---- */

static enum err_code read_price(const json_t *json, int64_t captured_us, struct fetched_price *out,
                                struct err *err)
{
    const char *market = json_string_value(json_array_get(json, 1)),
               *bookmaker = json_string_value(json_array_get(json, 2));
    if (json_array_size(json) != 7 || market == NULL || bookmaker == NULL ||
        (strcmp(market, "1x2") != 0 && strcmp(market, "ou25") != 0))
        return err_set(err, ERR_INVALID, "a row of the fetched prices is none");
    *out = (struct fetched_price){.match_id = json_integer_value(json_array_get(json, 0)),
                                  .captured_us = captured_us,
                                  .market = market,
                                  .bookmaker = bookmaker,
                                  .is_flagged = json_is_true(json_array_get(json, 6))};
    for (size_t index = 0; index < 3; index++) {
        const json_t *price = json_array_get(json, 3 + index);
        out->prices[index] = json_is_number(price) ? json_number_value(price) : NAN;
    }
    return ERR_OK;
}

static enum err_code store_league(struct db *db, const json_t *league, struct fetched_prices_saved *saved,
                                  struct err *err)
{
    const json_t *list = json_object_get(league, "prices");
    size_t count = json_array_size(list);
    int64_t captured_us = 0;
    struct fetched_price *prices = calloc(count + 1, sizeof *prices);
    if (prices == NULL)
        return err_nomem(err, count * sizeof *prices);
    enum err_code code = json_take_i64(league, "captured_us", true, &captured_us, err);
    for (size_t index = 0; index < count && code == ERR_OK; index++)
        code = read_price(json_array_get(list, index), captured_us, &prices[index], err);
    if (code == ERR_OK)
        code = fetched_store_prices(db, prices, count, saved, err);
    free(prices);
    return code;
}

static enum err_code keep(struct db *db, const json_t *payload, struct err *err)
{
    struct fetched_prices_saved saved = {0};
    const json_t *leagues = json_object_get(payload, "leagues"), *league;
    size_t index;
    enum err_code code = ERR_OK;
    json_array_foreach(leagues, index, league)
    {
        if (code == ERR_OK)
            code = store_league(db, league, &saved, err);
    }
    return code;
}

static enum err_code commit(struct store *store, const json_t *result, struct err *err)
{
    return connector_commit(store, result, keep, "odds", err);
}

const struct task task_fetch_odds = {
    .name = "fetch_odds",
    .doc = "Fetches the prices of matches to come from The Odds API, if its key is set.",
    .options = &fetch_odds_table,
    .options_bytes = sizeof(struct fetch_odds_options),
    .check = check,
    .run = run,
    .commit = commit,
};
