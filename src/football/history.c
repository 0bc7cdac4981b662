/* History: from the store's frames to streams, in four steps.
 *
 * Teams get names and dense ids per country, whichever matches are kept (teams.c).
 *
 * Entries: one small record per kept match, sorted by (start, stream, id). That is the order of the matrix
 * rows, and within each stream the order of its events.
 *
 * Events: fixtures and outcomes, stream after stream, each in event order; prices are put in place last.
 *
 * An outcome can be used 2 h 15 min after a known kick-off, else from the end of the local day. The audit's
 * future (truncated, scrambled) is made before labels and streams are derived, so that nothing downstream
 * can tell; that of the teams' attributes before any of them is looked up (attributes.c). */
#include "football/history_private.h"

#include "base/time.h"
#include "football/history_future.h"
#include "football/league.h"
#include "football/target.h"

#include <assert.h>
#include <stdlib.h>

enum { MATCH_SCHEDULED = 0, MATCH_PLAYED = 1 }; /* states of the matches frame that are kept */

/* First instant of a day in London. Matches come in date order, so the last answer is often the next. */
static int64_t day_start_us(struct loading *loading, int64_t day)
{
    if (loading->cached_day != day) {
        struct civil civil = {0};
        time_civil_from_day(day, &civil.year, &civil.month, &civil.day);
        loading->cached_day = day;
        loading->cached_start_us = time_from_civil(civil, ZONE_LONDON);
    }
    return loading->cached_start_us;
}

static int64_t start_of_match(struct loading *loading, size_t match)
{
    const struct match_columns *m = &loading->matches;
    if (m->time_known[match] && !loading->history->options.by_day)
        return m->kickoff_us[match];
    return day_start_us(loading, m->day[match]);
}

static int64_t known_of_match(struct loading *loading, size_t match)
{
    const struct match_columns *m = &loading->matches;
    if (m->time_known[match] && !loading->history->options.by_day)
        return m->kickoff_us[match] + OUTCOME_DELAY_US;
    return day_start_us(loading, m->day[match] + 1);
}

/* Order. */

static enum err_code load_leagues(struct loading *loading, struct err *err)
{
    const struct frame *frame = loading->matches.frame;
    size_t column = loading->matches.league_column;
    int32_t count = frame_dictionary_count(frame, column);
    loading->league_of_code = malloc(((size_t)count + 1) * sizeof(*loading->league_of_code));
    loading->stream_of_league = malloc(league_count() * sizeof(*loading->stream_of_league));
    if (!loading->league_of_code || !loading->stream_of_league)
        return err_nomem(err, (size_t)count * sizeof(*loading->league_of_code));
    for (int32_t i = 0; i < count; i++)
        loading->league_of_code[i] = league_find(text_of(frame_dictionary_text(frame, column, i)));
    for (size_t i = 0; i < league_count(); i++) {
        loading->stream_of_league[i] = league_country(i);
    }
    return ERR_OK;
}

static bool is_kept(struct loading *loading, size_t match)
{
    int32_t state = loading->matches.state[match];
    if (state != MATCH_SCHEDULED && state != MATCH_PLAYED)
        return false;
    const struct history_options *options = &loading->history->options;
    return options->future != HISTORY_TRUNCATED || start_of_match(loading, match) <= options->cut_us;
}

static enum err_code check_match(const struct loading *loading, size_t match, struct err *err)
{
    const struct match_columns *m = &loading->matches;
    long long id = m->id[match];
    int32_t code = m->league[match], league = code < 0 ? -1 : loading->league_of_code[code];
    if (league < 0)
        return err_set(err, ERR_INVALID, "match %lld is of the unknown league '%s'", id,
                       frame_text(m->frame, m->league_column, match));
    const int64_t team[SIDE_COUNT] = {m->home[match], m->away[match]};
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        int32_t stream = history_team_slot(&loading->map, team[side])->stream;
        if (stream != loading->stream_of_league[league])
            return err_set(err, ERR_INVALID, "match %lld names team %lld, which is %s", id,
                           (long long)team[side],
                           stream < 0 ? "not in the table of teams" : "of another country");
    }
    if (team[SIDE_HOME] == team[SIDE_AWAY])
        return err_set(err, ERR_INVALID, "match %lld names the same team twice", id);
    return ERR_OK;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->start_us != y->start_us)
        return x->start_us < y->start_us ? -1 : 1;
    if (x->stream != y->stream)
        return x->stream < y->stream ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static enum err_code load_entries(struct loading *loading, struct err *err)
{
    size_t matches = frame_rows(loading->matches.frame);
    loading->entries = malloc((matches + 1) * sizeof(*loading->entries));
    loading->event_of_match = malloc((matches + 1) * sizeof(*loading->event_of_match));
    if (!loading->entries || !loading->event_of_match)
        return err_nomem(err, matches * sizeof(*loading->entries));
    size_t count = 0;
    for (size_t match = 0; match < matches; match++) {
        loading->event_of_match[match] = EVENT_NONE;
        if (!is_kept(loading, match))
            continue;
        enum err_code code = check_match(loading, match, err);
        if (code != ERR_OK)
            return code;
        int32_t league = loading->league_of_code[loading->matches.league[match]];
        loading->entries[count++] = (struct entry){start_of_match(loading, match), loading->matches.id[match],
                                                   loading->stream_of_league[league], (uint32_t)match};
    }
    qsort(loading->entries, count, sizeof(*loading->entries), compare_entries);
    loading->history->rows = count;
    return ERR_OK;
}

/* Events. */

/* A count of the matches frame; -1 when it is missing. */
static int16_t read_count(const struct loading *loading, size_t column, size_t match)
{
    const struct frame *frame = loading->matches.frame;
    int32_t value = frame_is_present(frame, column, match) ? frame_i32(frame, column)[match] : -1;
    return (int16_t)(value < 0 ? -1 : value < INT16_MAX ? value : INT16_MAX);
}

/* Writes member by member into zeroed memory: the bytes between members stay zero, so equal fixtures are equal bytes. */
static void read_fixture(struct loading *loading, const struct entry *entry, struct fixture *out)
{
    const struct match_columns *m = &loading->matches;
    size_t match = entry->match;
    out->id = entry->id;
    out->start_us = entry->start_us;
    out->day = m->day[match];
    out->league = (int16_t)loading->league_of_code[m->league[match]];
    out->season = (int16_t)m->season[match];
    out->home = history_team_slot(&loading->map, m->home[match])->team;
    out->away = history_team_slot(&loading->map, m->away[match])->team;
    out->time_is_known = m->time_known[match] != 0;
    out->is_neutral = m->is_neutral[match] != 0;
    out->pre_close = loading->unknown_prices;
    attributes_fill(loading->attributes, m->home[match], out->season, out->day, out->attributes[SIDE_HOME]);
    attributes_fill(loading->attributes, m->away[match], out->season, out->day, out->attributes[SIDE_AWAY]);
}

static struct outcome read_outcome(struct loading *loading, size_t match)
{
    const struct match_columns *m = &loading->matches;
    struct outcome outcome = loading->unknown;
    if (m->state[match] != MATCH_PLAYED)
        return outcome;
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        outcome.goals[side] = read_count(loading, m->goals[side], match);
        outcome.half_goals[side] = read_count(loading, m->half_goals[side], match);
        outcome.xg_milli[side] = read_count(loading, m->xg_milli[side], match);
        for (size_t stat = 0; stat < STAT_COUNT; stat++)
            outcome.stats[stat][side] = read_count(loading, m->stats[stat][side], match);
    }
    if (outcome.goals[SIDE_HOME] < 0 || outcome.goals[SIDE_AWAY] < 0) /* played, but nothing to learn */
        return loading->unknown;
    outcome.known_us = known_of_match(loading, match);
    return outcome;
}

static enum err_code allocate_events(struct history *history, struct err *err)
{
    size_t count = history->rows + 1;
    history->info = calloc(count, sizeof(*history->info));
    history->event_of_row = malloc(count * sizeof(*history->event_of_row));
    history->row_of_event = malloc(count * sizeof(*history->row_of_event));
    history->start_us = malloc(count * sizeof(*history->start_us));
    history->known_us = malloc(count * sizeof(*history->known_us));
    history->fixtures = calloc(count, sizeof(*history->fixtures));
    history->outcomes = malloc(count * sizeof(*history->outcomes));
    if (!history->info || !history->event_of_row || !history->row_of_event || !history->start_us ||
        !history->known_us || !history->fixtures || !history->outcomes)
        return err_nomem(err, count * (sizeof(struct fixture) + sizeof(struct outcome)));
    if (history->options.with_close) {
        history->closes = malloc(count * sizeof(*history->closes));
        if (!history->closes)
            return err_nomem(err, count * sizeof(*history->closes));
    }
    return ERR_OK;
}

/* Gives each stream its part of the event arrays. */
static void lay_out_streams(struct loading *loading)
{
    struct history *history = loading->history;
    for (size_t row = 0; row < history->rows; row++)
        history->streams[loading->entries[row].stream].count++;
    size_t begin = 0;
    for (size_t s = 0; s < history->stream_count; s++) {
        struct stream *stream = &history->streams[s];
        stream->size = teams_sizes(history->teams)[s];
        stream->start_us = history->start_us + begin;
        stream->known_us = history->known_us + begin;
        stream->fixtures = history->fixtures + begin;
        stream->fixture_bytes = sizeof(struct fixture);
        stream->outcomes = history->outcomes + begin;
        stream->outcome_bytes = sizeof(struct outcome);
        stream->row = history->row_of_event + begin;
        begin += stream->count;
    }
}

static enum err_code load_events(struct loading *loading, struct err *err)
{
    struct history *history = loading->history;
    enum err_code code = allocate_events(history, err);
    size_t *next = calloc(history->stream_count, sizeof(*next));
    if (code == ERR_OK && !next)
        code = err_nomem(err, history->stream_count * sizeof(*next));
    if (code != ERR_OK)
        goto out;
    lay_out_streams(loading);
    for (size_t s = 0; s < history->stream_count; s++)
        next[s] = (size_t)(history->streams[s].row - history->row_of_event);
    for (size_t row = 0; row < history->rows; row++) {
        const struct entry *entry = &loading->entries[row];
        size_t event = next[entry->stream]++;
        history->row_of_event[event] = (uint32_t)row;
        history->event_of_row[row] = (uint32_t)event;
        history->start_us[event] = entry->start_us;
        read_fixture(loading, entry, &history->fixtures[event]);
        history->outcomes[event] = read_outcome(loading, entry->match);
        if (history->closes != NULL)
            history->closes[event] = loading->unknown_prices;
        loading->event_of_match[entry->match] = (uint32_t)event;
    }
out:
    free(next);
    return code;
}

/* What becomes known with an outcome goes, or becomes something else. */
static void change_future(struct loading *loading, size_t event)
{
    struct history *history = loading->history;
    struct prices *close = history->closes != NULL ? &history->closes[event] : NULL;
    uint64_t seed =
        history->options.seed ^ ((uint64_t)history->fixtures[event].id * UINT64_C(0x9e3779b97f4a7c15));
    if (history->options.future == HISTORY_TRUNCATED) {
        history->outcomes[event] = loading->unknown;
        if (close != NULL)
            *close = loading->unknown_prices;
    } else if (history->options.future == HISTORY_SCRAMBLED) {
        outcome_scramble(&history->outcomes[event], seed);
        if (close != NULL)
            prices_scramble(close, ~seed);
    }
}

/* The audited future, then what is derived from outcomes. */
static void finish_events(struct loading *loading)
{
    struct history *history = loading->history;
    const struct history_options *options = &history->options;
    for (size_t row = 0; row < history->rows; row++) {
        size_t event = history->event_of_row[row];
        const struct fixture *fixture = &history->fixtures[event];
        struct outcome *outcome = &history->outcomes[event];
        if (outcome->known_us != INT64_MAX && outcome->known_us > options->cut_us)
            change_future(loading, event);
        history->known_us[event] = outcome->known_us;
        struct matrix_row *info = &history->info[row];
        *info = (struct matrix_row){
            fixture->id,     fixture->start_us, fixture->day, fixture->league, loading->entries[row].stream,
            {-1, -1, -1, -1}};
        for (int target = 0; target < TARGET_COUNT; target++)
            info->label[target] = target_label((enum target)target, outcome);
    }
}

static enum err_code allocate_streams(struct history *history, struct err *err)
{
    history->stream_count = league_country_count();
    history->streams = calloc(history->stream_count, sizeof(*history->streams));
    return history->streams ? ERR_OK : err_nomem(err, history->stream_count * sizeof(*history->streams));
}

static enum err_code load(struct loading *loading, const struct frame *teams, struct err *err)
{
    enum err_code code = allocate_streams(loading->history, err);
    if (code == ERR_OK)
        code = history_load_teams(loading, teams, err);
    if (code == ERR_OK)
        code = load_leagues(loading, err);
    if (code == ERR_OK)
        code = load_entries(loading, err);
    if (code == ERR_OK)
        code = load_events(loading, err);
    if (code == ERR_OK)
        code = history_load_prices(loading, err);
    if (code == ERR_OK)
        finish_events(loading);
    return code;
}

enum err_code history_create(const struct frame *teams, const struct frame *matches,
                             const struct frame *prices, const struct frame *attributes,
                             struct history_options options, struct history **out, struct err *err)
{
    struct loading loading = {
        .cached_day = INT64_MIN, .unknown = outcome_unknown(), .unknown_prices = prices_unknown()};
    enum err_code code = match_columns_find(matches, &loading.matches, err);
    if (code == ERR_OK)
        code = price_columns_find(prices, &loading.prices, err);
    if (code != ERR_OK)
        return code;
    struct history *history = calloc(1, sizeof(*history));
    if (!history)
        return err_nomem(err, sizeof(*history));
    history->options = options;
    loading.history = history;
    code = attributes_create(attributes, &options, &loading.attributes, err);
    if (code == ERR_OK)
        code = load(&loading, teams, err);
    attributes_destroy(loading.attributes);
    free(loading.map.slots);
    free(loading.league_of_code);
    free(loading.stream_of_league);
    free(loading.entries);
    free(loading.event_of_match);
    if (code != ERR_OK) {
        history_destroy(history);
        return code;
    }
    *out = history;
    return ERR_OK;
}

void history_destroy(struct history *history)
{
    if (!history)
        return;
    teams_destroy(history->teams);
    free(history->streams);
    free(history->info);
    free(history->event_of_row);
    free(history->row_of_event);
    free(history->start_us);
    free(history->known_us);
    free(history->fixtures);
    free(history->outcomes);
    free(history->closes);
    free(history);
}

size_t history_stream_count(const struct history *history)
{
    return history->stream_count;
}

const struct stream *history_streams(const struct history *history)
{
    return history->streams;
}

const struct stream_size *history_sizes(const struct history *history)
{
    return teams_sizes(history->teams);
}

const struct teams *history_teams(const struct history *history)
{
    return history->teams;
}

size_t history_rows(const struct history *history)
{
    return history->rows;
}

const struct matrix_row *history_row_info(const struct history *history)
{
    return history->info;
}

const struct fixture *history_fixture(const struct history *history, size_t row)
{
    assert(row < history->rows);
    return &history->fixtures[history->event_of_row[row]];
}

const struct outcome *history_outcome(const struct history *history, size_t row)
{
    assert(row < history->rows);
    return &history->outcomes[history->event_of_row[row]];
}

const struct prices *history_close(const struct history *history, size_t row)
{
    assert(row < history->rows && history->closes != NULL);
    return &history->closes[history->event_of_row[row]];
}
