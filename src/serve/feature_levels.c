/* Feature levels: see feature_levels.h. Today there is one: the store with the live state.
 *
 *   team    the match it played last gives the fixture (view_subject: at the moment its result became known), the live
 *           state the features
 *   pair    the same with the last meeting, sides changed if it was at the other ground
 *   match   played: its row of the matrix, what was known before kick-off; scheduled: from the live state
 *
 * Rows of prices need no state: they are emitted from the prices of the store even for a match that no state covers. */
#include "serve/feature_levels.h"

#include "base/log.h"
#include "base/time.h"
#include "football/attributes.h"
#include "football/feature_sets.h"
#include "football/history.h"
#include "football/history_future.h"
#include "football/league.h"
#include "store/football_store.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_MATCH_TTL_MS = 3600000 };

static int64_t day_start_us(int64_t day)
{
    struct civil civil = {0};
    time_civil_from_day(day, &civil.year, &civil.month, &civil.day);
    return time_from_civil(civil, ZONE_LONDON);
}

/* These two as football/history.c has them. */
static int64_t start_us(const struct stored_fixture *match)
{
    return match->time_known ? match->kickoff_us : day_start_us(match->day);
}

static int64_t known_us(const struct stored_fixture *match)
{
    return match->time_known ? match->kickoff_us + OUTCOME_DELAY_US : day_start_us(match->day + 1);
}

enum err_code feature_levels_fixture(const struct online *online, const struct stored_fixture *stored,
                                     struct fixture *out, size_t *out_stream, struct err *err)
{
    size_t home_stream = 0, away_stream = 0;
    int league = league_find(text_of(stored->league));
    int32_t home = teams_dense(online->present.teams, stored->home_id, &home_stream);
    int32_t away = teams_dense(online->present.teams, stored->away_id, &away_stream);
    if (league < 0)
        return err_set(err, ERR_NOT_FOUND, "match %" PRId64 " is of the unknown league '%s'", stored->id,
                       stored->league);
    if (home < 0 || away < 0 || home_stream != away_stream)
        return err_set(err, ERR_BUSY,
                       "the features of match %" PRId64 " are being built; try again in a few seconds",
                       stored->id);
    *out = (struct fixture){.id = stored->id,
                            .start_us = start_us(stored),
                            .day = stored->day,
                            .league = (int16_t)league,
                            .season = (int16_t)stored->season,
                            .home = home,
                            .away = away,
                            .time_is_known = stored->time_known,
                            .is_neutral = stored->is_neutral,
                            .pre_close = prices_unknown()};
    attributes_clear(out->attributes[SIDE_HOME]);
    attributes_clear(out->attributes[SIDE_AWAY]);
    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        out->attributes[SIDE_HOME][i] = out->attributes[SIDE_AWAY][i] = NAN;
    *out_stream = home_stream;
    return ERR_OK;
}

enum err_code emitted_teams_create(struct emitted_teams *emitted, struct err *err)
{
    size_t size_bytes = (feature_set_columns(football_feature_set_widest()) + 1) * sizeof(float);
    for (size_t i = 0; i < EMITTED_TEAMS * SIDE_COUNT; i++) {
        float **features = &emitted->items[i / SIDE_COUNT].features[i % SIDE_COUNT];
        *features = malloc(size_bytes);
        if (*features == NULL)
            return err_nomem(err, size_bytes);
    }
    return ERR_OK;
}

void emitted_teams_release(struct emitted_teams *emitted)
{
    for (size_t i = 0; i < EMITTED_TEAMS * SIDE_COUNT; i++)
        free(emitted->items[i / SIDE_COUNT].features[i % SIDE_COUNT]);
}

void emitted_teams_forget(struct emitted_teams *emitted)
{
    for (size_t i = 0; i < EMITTED_TEAMS; i++)
        emitted->items[i].team_id = 0;
}

/* ---- teams and pairs ---- */

/* Several views ask for the same last match; it changes only with a result, and is dropped with the country's rows then. */
static enum err_code last_match(const struct feature_level_input *input, struct stored_fixture *out,
                                struct err *err)
{
    char key[FEATURE_KEY_BYTES];
    struct buffer kept;
    (void)snprintf(key, sizeof(key), "%s/last/%" PRId64, league_country_name(input->key->stream),
                   input->key->id[0]);
    buffer_init(&kept, sizeof(*out));
    bool is_kept = cache_get(input->memory, key, &kept) && kept.size_bytes == sizeof(*out);
    if (is_kept)
        memcpy(out, kept.data, sizeof(*out));
    buffer_release(&kept);
    if (is_kept)
        return ERR_OK;
    enum err_code code = football_store_last_match(input->store->db, input->key->id[0], out, err);
    if (code == ERR_OK)
        cache_put(input->memory, key, out, sizeof(*out), LAST_MATCH_TTL_MS);
    return code;
}

/* The team as emitted a moment ago, or a new one with nothing emitted yet. */
static enum err_code find_emitted(const struct feature_level_input *input, struct emitted_team **out,
                                  struct err *err)
{
    struct emitted_teams *emitted = input->emitted;
    struct stored_fixture last;
    struct fixture played;
    for (size_t i = 0; i < EMITTED_TEAMS; i++) {
        *out = &emitted->items[i];
        if ((*out)->team_id == input->key->id[0])
            return ERR_OK;
    }
    struct emitted_team *team = &emitted->items[emitted->next];
    team->team_id = 0;
    enum err_code code = last_match(input, &last, err);
    if (code == ERR_OK)
        code = feature_levels_fixture(input->online, &last, &played, &team->stream, err);
    if (code != ERR_OK)
        return code;
    emitted->next = (emitted->next + 1) % EMITTED_TEAMS;
    team->team_id = input->key->id[0];
    team->event_us = known_us(&last);
    team->side = last.home_id == team->team_id ? SIDE_HOME : SIDE_AWAY;
    view_subject(&played, team->event_us, &team->subject);
    view_swap(&team->subject, &team->swapped);
    team->has_side[SIDE_HOME] = team->has_side[SIDE_AWAY] = false;
    *out = team;
    return ERR_OK;
}

static enum err_code load_team(const struct feature_level_input *input, struct feature_row *row,
                               struct err *err)
{
    struct emitted_team *team = NULL;
    enum err_code code = find_emitted(input, &team, err);
    if (code != ERR_OK)
        return code;
    for (int side = 0; side < SIDE_COUNT; side++) {
        if (team->has_side[side] || !input->view->needs_side[side])
            continue;
        live_state_emit(input->online->present.state, team->stream,
                        side == team->side ? &team->subject : &team->swapped, team->features[side]);
        team->has_side[side] = true;
    }
    row->event_us = team->event_us;
    view_plan_gather(input->view->plan, (const float *const *)team->features, row->values);
    return ERR_OK;
}

static enum err_code load_pair(const struct feature_level_input *input, struct feature_row *row,
                               struct err *err)
{
    struct stored_fixture last;
    struct fixture played, subject, swapped;
    size_t stream;
    enum err_code code =
        football_store_last_meeting(input->store->db, input->key->id[0], input->key->id[1], &last, err);
    if (code == ERR_OK)
        code = feature_levels_fixture(input->online, &last, &played, &stream, err);
    if (code != ERR_OK)
        return code;
    row->event_us = known_us(&last);
    view_subject(&played, row->event_us, &subject);
    view_swap(&subject, &swapped);
    view_plan_emit(input->view->plan, input->online->present.state, stream,
                   last.home_id == input->key->id[0] ? &subject : &swapped, SIDE_HOME, row->values);
    return ERR_OK;
}

/* ---- matches ---- */

static void gather_row(const struct feature_level_input *input, int64_t matrix_row, struct feature_row *row)
{
    const struct matrix *matrix = input->online->present.matrix;
    const float *values = matrix_values(matrix) + (size_t)matrix_row * matrix_columns(matrix);
    const float *const features[SIDE_COUNT] = {values, values};
    view_plan_gather(input->view->plan, features, row->values);
    row->origin = FEATURE_OF_MATRIX;
}

static enum err_code read_prices(const struct feature_level_input *input, struct prices *out, struct err *err)
{
    struct frame *frame = NULL;
    enum err_code code = football_store_match_prices(input->store->db, input->key->id[0], &frame, err);
    if (code == ERR_OK)
        code = history_read_prices(frame, out, err);
    frame_destroy(frame);
    return code;
}

/* Why the live state cannot speak of this match; ERR_OK: it can. */
static enum err_code judge_match(const struct feature_level_input *input, const struct stored_fixture *match,
                                 struct err *err)
{
    char last[TIME_TEXT_BYTES];
    int64_t last_us = input->online->last_kickoff_us;
    if (match->state == MATCH_POSTPONED || match->state == MATCH_VOID)
        return err_set(err, ERR_NOT_FOUND, "match %" PRId64 " was %s", match->id,
                       match->state == MATCH_VOID ? "declared void" : "postponed");
    if (input->view->is_of_prices)
        return ERR_OK;
    if (match->state == MATCH_PLAYED)
        return err_set(err, ERR_NOT_FOUND,
                       "match %" PRId64
                       " was played, and the features before its kick-off are not at hand; they "
                       "are built by the next training",
                       match->id);
    int64_t end_us = match->time_known ? match->kickoff_us : match->kickoff_us + TIME_DAY_US;
    if (last_us == TIME_NONE || end_us > last_us)
        return ERR_OK;
    time_format_iso(last_us, last);
    return err_set(err, ERR_NOT_FOUND,
                   "match %" PRId64 " has no result, and results up to %s are known: honest features of an "
                   "earlier date are not possible",
                   match->id, last);
}

static enum err_code load_match(const struct feature_level_input *input, struct feature_row *row,
                                struct err *err)
{
    struct stored_fixture match;
    struct fixture fixture;
    size_t stream;
    enum err_code code = football_store_fixture(input->store->db, input->key->id[0], &match, err);
    if (code != ERR_OK)
        return code;
    row->event_us = start_us(&match);
    int64_t matrix_row = match.state == MATCH_PLAYED ? online_row(input->online, match.id) : -1;
    if (matrix_row >= 0) {
        gather_row(input, matrix_row, row);
        return ERR_OK;
    }
    code = judge_match(input, &match, err);
    if (code == ERR_OK)
        code = feature_levels_fixture(input->online, &match, &fixture, &stream, err);
    if (code == ERR_OK)
        code = read_prices(input, &fixture.pre_close, err);
    if (code != ERR_OK)
        return code;
    online_fill_attributes(input->online, stream, &fixture);
    view_plan_emit(input->view->plan, input->online->present.state, stream, &fixture, SIDE_HOME, row->values);
    return ERR_OK;
}

static enum err_code load_from_store(const struct feature_level_input *input, struct feature_row *row,
                                     struct err *err)
{
    row->origin = FEATURE_OF_STATE;
    switch (input->view->view->entity) {
    case VIEW_TEAM:
        return load_team(input, row, err);
    case VIEW_PAIR:
        return load_pair(input, row, err);
    default:
        return load_match(input, row, err);
    }
}

/* ---- the list ---- */

struct level {
    const char *name;
    enum err_code (*load)(const struct feature_level_input *input, struct feature_row *row, struct err *err);
};
static const struct level levels[] = {
    {"store", load_from_store},
};

enum err_code feature_levels_load(const struct feature_level_input *input, struct feature_row *row,
                                  struct err *err)
{
    enum err_code code = ERR_NOT_FOUND;
    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels) && code == ERR_NOT_FOUND; i++)
        code = levels[i].load(input, row, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND && code != ERR_BUSY)
        log_line(LOG_ERROR, "features", "%s: %s", input->key->text, err->text);
    return code;
}
