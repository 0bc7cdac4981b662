/* Forecaster: finds the fixture, its features, the model, in that order; every step that cannot go on leaves a reason. */
#include "serve/forecaster.h"

#include "base/log.h"
#include "base/time.h"
#include "football/feature_sets.h"
#include "football/history.h"
#include "football/league.h"
#include "serve/online.h"
#include "store/fixture_store.h"
#include "store/football_store.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct forecaster {
    struct loop *loop;
    struct pool *pool;
    struct store *store;
    struct clock clock;
    struct serving_models models;
    struct online *online; /* NULL until loaded */
    float *features;       /* [widest columns] */
    float *x;              /* [widest columns], those of the model */
    int64_t data_version;
    struct rebuild *rebuild; /* in flight; NULL none */
    bool is_dirty;           /* the store changed while a rebuild was in flight */
    int64_t retry_us;      /* monotonic: when what could not be taken in is tried again; INT64_MAX: nothing */
    int failures;          /* since the store changed */
    uint64_t change_count; /* see forecaster_changes */
};

/* The present taken in on the pool, with a store handle of its own. */
struct rebuild {
    struct forecaster *forecaster; /* NULL: the forecaster has gone */
    char folder[FILE_PATH_BYTES];
    enum online_effort effort;
    struct online *online;
    struct err err;
};

/* A failure may be one of the moment (descriptors, memory, the disk), and the store need not change again soon: what could not
 * be taken in is tried again, after 10 s first, then twice as long each time, up to 43 minutes. */
#define RETRY_FIRST_US INT64_C(10000000)
enum { RETRY_DOUBLINGS = 8 };

static int64_t monotonic_of(const struct forecaster *forecaster)
{
    return forecaster->clock.monotonic_us(forecaster->clock.context);
}

static void try_later(struct forecaster *forecaster)
{
    forecaster->retry_us = monotonic_of(forecaster) + (RETRY_FIRST_US << forecaster->failures);
    if (forecaster->failures < RETRY_DOUBLINGS)
        forecaster->failures++;
}

static void rebuild_work(void *context)
{
    struct rebuild *rebuild = context;
    struct store store;
    if (store_open(rebuild->folder, DB_READ_ONLY, &store, &rebuild->err) != ERR_OK)
        return;
    if (online_open(&store, rebuild->effort, &rebuild->online, &rebuild->err) != ERR_OK)
        rebuild->online = NULL;
    store_close(&store);
}

static void log_present(const struct present *present)
{
    log_line(LOG_INFO, "online", "tracker state of data %.8s is live (%s in %.1f ms)", present->key,
             present_way_name(present->way), (double)present->took_us / 1e3);
}

static void rebuild_done(void *context)
{
    struct rebuild *rebuild = context;
    struct forecaster *forecaster = rebuild->forecaster;
    if (forecaster == NULL) {
        online_destroy(rebuild->online);
        free(rebuild);
        return;
    }
    forecaster->rebuild = NULL;
    if (rebuild->online != NULL) {
        forecaster->change_count++;
        online_destroy(forecaster->online);
        forecaster->online = rebuild->online;
        log_present(&forecaster->online->present);
    } else if (rebuild->effort == ONLINE_BUILD || rebuild->err.code != ERR_NOT_FOUND) {
        log_line(LOG_ERROR, "online", "tracker state could not be built: %s", rebuild->err.text);
        try_later(forecaster);
    }
    free(rebuild);
    if (forecaster->is_dirty)
        forecaster_check(forecaster);
}

static void start_rebuild(struct forecaster *forecaster, enum online_effort effort)
{
    struct rebuild *rebuild = calloc(1, sizeof(*rebuild));
    struct err err = {0};
    if (rebuild == NULL) {
        try_later(forecaster);
        return;
    }
    rebuild->forecaster = forecaster;
    memcpy(rebuild->folder, forecaster->store->folder, sizeof(rebuild->folder));
    rebuild->effort = effort;
    if (pool_submit(forecaster->pool, forecaster->loop, rebuild_work, rebuild_done, rebuild, &err) !=
        ERR_OK) {
        log_line(LOG_ERROR, "online", "tracker state could not be built: %s", err.text);
        try_later(forecaster);
        free(rebuild);
        return;
    }
    forecaster->rebuild = rebuild;
    forecaster->is_dirty = false;
}

/* A training in another process may have built it since. */
static bool is_matrix_kept(struct forecaster *forecaster, const char *key)
{
    char name[HASH_HEX_BYTES + 4], path[FILE_PATH_BYTES];
    (void)snprintf(name, sizeof(name), "%s.mat", key);
    return file_join(forecaster->store->matrix, name, path, NULL) == ERR_OK && file_exists(path);
}

/* Data that changed: what is kept at once if nothing serves yet, else in the background. */
static void refresh_online(struct forecaster *forecaster)
{
    char key[HASH_HEX_BYTES];
    struct err err = {0};
    if (forecaster->rebuild != NULL) {
        forecaster->is_dirty = true;
        return;
    }
    forecaster->is_dirty = false;
    if (present_key(forecaster->store, key, &err) != ERR_OK) {
        log_line(LOG_ERROR, "online", "%s", err.text);
        try_later(forecaster);
        return;
    }
    const struct online *online = forecaster->online;
    if (online == NULL && online_open(forecaster->store, ONLINE_OPEN, &forecaster->online, &err) == ERR_OK)
        return;
    bool is_same = online != NULL && strcmp(online->present.key, key) == 0;
    if (!is_same)
        start_rebuild(forecaster, ONLINE_BUILD);
    else if (online->present.matrix == NULL && is_matrix_kept(forecaster, key))
        start_rebuild(forecaster, ONLINE_OPEN);
}

void forecaster_check(struct forecaster *forecaster)
{
    struct err err = {0};
    int64_t version = db_data_version(forecaster->store->db);
    bool is_changed = version != forecaster->data_version || forecaster->is_dirty;
    if (!is_changed && monotonic_of(forecaster) < forecaster->retry_us)
        return;
    forecaster->data_version = version;
    forecaster->change_count++;
    forecaster->retry_us = INT64_MAX;
    if (is_changed)
        forecaster->failures = 0;
    if (serving_models_refresh(&forecaster->models, forecaster->store, &err) != ERR_OK) {
        log_line(LOG_ERROR, "models", "%s", err.text);
        try_later(forecaster);
    }
    refresh_online(forecaster);
}

void forecaster_reload(struct forecaster *forecaster)
{
    forecaster->is_dirty = true;
    forecaster_check(forecaster);
}

enum err_code forecaster_create(struct loop *loop, struct pool *pool, struct store *store, struct clock clock,
                                struct forecaster **out, struct err *err)
{
    size_t columns = feature_set_columns(football_feature_set_widest());
    struct forecaster *forecaster = calloc(1, sizeof(*forecaster));
    if (forecaster == NULL)
        return err_nomem(err, sizeof(*forecaster));
    forecaster->loop = loop;
    forecaster->pool = pool;
    forecaster->store = store;
    forecaster->clock = clock;
    forecaster->retry_us = INT64_MAX;
    forecaster->features = calloc(columns + 1, sizeof(float));
    forecaster->x = calloc(columns + 1, sizeof(float));
    if (forecaster->features == NULL || forecaster->x == NULL) {
        forecaster_destroy(forecaster);
        return err_nomem(err, columns * sizeof(float));
    }
    forecaster_reload(forecaster);
    *out = forecaster;
    return ERR_OK;
}

void forecaster_destroy(struct forecaster *forecaster)
{
    if (forecaster == NULL)
        return;
    if (forecaster->rebuild != NULL)
        forecaster->rebuild->forecaster = NULL;
    serving_models_release(&forecaster->models);
    online_destroy(forecaster->online);
    free(forecaster->features);
    free(forecaster->x);
    free(forecaster);
}

const char *forecast_outcome_name(enum forecast_outcome outcome)
{
    static const char *const names[FORECAST_OUTCOME_COUNT] = {
        "answered",      "not_ready", "unknown_league", "unknown_team",
        "unknown_match", "no_model",  "no_features",    "past",
    };
    return names[outcome];
}

const struct serving_models *forecaster_models(const struct forecaster *forecaster)
{
    return &forecaster->models;
}

static int64_t now_of(const struct forecaster *forecaster)
{
    return forecaster->clock.now_us(forecaster->clock.context);
}

const struct serving_layer *forecaster_layer(const struct forecaster *forecaster,
                                             const struct serving_model *item)
{
    return layer_is_live(&item->layer, now_of(forecaster)) ? &item->layer : NULL;
}

bool forecaster_is_ready(const struct forecaster *forecaster)
{
    return forecaster->online != NULL;
}

const struct online *forecaster_online(const struct forecaster *forecaster)
{
    return forecaster->online;
}

uint64_t forecaster_changes(const struct forecaster *forecaster)
{
    return forecaster->change_count;
}

/* ---- one answer ---- */

static void refuse(struct forecast_answer *out, enum forecast_outcome outcome, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void refuse(struct forecast_answer *out, enum forecast_outcome outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(out->reason, sizeof(out->reason), format, arguments);
    va_end(arguments);
    out->is_available = false;
    out->outcome = outcome;
}

static bool find_team(struct forecaster *forecaster, size_t stream, const char *name, int32_t *dense,
                      int64_t *id, struct forecast_answer *out)
{
    struct err err = {0};
    *dense = teams_find(forecaster->online->present.teams, stream, text_trim(text_of(name)));
    if (*dense >= 0) {
        *id = teams_id(forecaster->online->present.teams, stream, *dense);
        return true;
    }
    size_t of_stream = 0;
    if (football_store_find_team(forecaster->store->db, league_country_name(stream), name, id, &err) ==
        ERR_OK)
        *dense = teams_dense(forecaster->online->present.teams, *id, &of_stream);
    if (*dense < 0)
        refuse(out, FORECAST_UNKNOWN_TEAM, "%s",
               err.text[0] != '\0' ? err.text : "the team is not known yet");
    return *dense >= 0;
}

/* Turns a match id of either kind into the request by names; false leaves a reason or an error. */
static enum err_code resolve_match(struct forecaster *forecaster, struct forecast_request *request,
                                   struct forecast_answer *out, struct err *err)
{
    struct stored_match match;
    enum err_code code = football_store_find_match(forecaster->store->db, request->match, &match, err);
    if (code == ERR_NOT_FOUND) {
        refuse(out, FORECAST_UNKNOWN_MATCH, "no match has the id '%s'", request->match);
        return ERR_OK;
    }
    if (code != ERR_OK)
        return code;
    out->match_id = match.id;
    out->is_played = match.home_goals >= 0;
    request->kickoff_us = match.kickoff_us;
    request->has_clock = match.time_known;
    (void)text_copy(text_of(match.league), request->league, sizeof(request->league));
    (void)text_copy(text_of(match.home), request->home, sizeof(request->home));
    (void)text_copy(text_of(match.away), request->away, sizeof(request->away));
    return ERR_OK;
}

static void clear_prices(struct prices *prices)
{
    for (size_t b = 0; b < BOOKMAKER_COUNT; b++) {
        for (size_t i = 0; i < 3; i++)
            prices->home_draw_away[b][i] = NAN;
        for (size_t i = 0; i < 2; i++)
            prices->under_over[b][i] = NAN;
    }
}

/* The prices kept for a stored match; those of the request go over them. */
static enum err_code gather_prices(struct forecaster *forecaster, const struct forecast_request *request,
                                   int64_t match_id, struct prices *prices, struct err *err)
{
    clear_prices(prices);
    if (match_id != 0) {
        struct frame *frame = NULL;
        enum err_code code = football_store_match_prices(forecaster->store->db, match_id, &frame, err);
        if (code == ERR_OK)
            code = history_read_prices(frame, prices, err);
        frame_destroy(frame);
        if (code != ERR_OK)
            return code;
    }
    if (!request->has_prices)
        return ERR_OK;
    for (size_t b = 0; b < BOOKMAKER_COUNT; b++) {
        if (!isnan(request->prices.home_draw_away[b][0]))
            memcpy(prices->home_draw_away[b], request->prices.home_draw_away[b],
                   sizeof(prices->home_draw_away[b]));
        if (!isnan(request->prices.under_over[b][0]))
            memcpy(prices->under_over[b], request->prices.under_over[b], sizeof(prices->under_over[b]));
    }
    return ERR_OK;
}

static bool has_any_price(const struct prices *prices, enum target target)
{
    for (size_t b = 0; b < BOOKMAKER_COUNT; b++) {
        if (!isnan(target_prices(target, prices, (enum bookmaker)b)[0]))
            return true;
    }
    return false;
}

static void choose_model(struct forecaster *forecaster, const struct forecast_request *request,
                         bool has_prices, struct forecast_answer *out)
{
    const char *variant = target_at(request->target)->name;
    out->model = serving_models_choose(&forecaster->models, out->league, variant, request->bot, has_prices);
    if (out->model == NULL)
        refuse(out, FORECAST_NO_MODEL, "no model for %s/%s%s%s is in production%s; train one: POST /train",
               out->league, variant, request->bot[0] != '\0' ? "/" : "", request->bot,
               has_prices ? "" : " that works without prices");
}

/* From a row of the widest set. */
static void predict(struct forecaster *forecaster, const float *features, struct forecast_answer *out)
{
    for (size_t i = 0; i < model_columns(out->model->model); i++)
        forecaster->x[i] = features[out->model->columns[i]];
    if (out->is_played) {
        model_predict(out->model->model, forecaster->x, 1, out->own);
        memcpy(out->p, out->own, sizeof(out->p));
    } else {
        out->layer = serving_model_predict(out->model, forecaster->x, now_of(forecaster), out->own, out->p);
    }
    out->classes = model_classes(out->model->model);
    out->used_prices = out->model->needs_prices;
    out->is_available = true;
}

static void answer_played(struct forecaster *forecaster, const struct forecast_request *request,
                          struct forecast_answer *out)
{
    int64_t row = online_row(forecaster->online, out->match_id);
    if (row < 0) {
        refuse(out, FORECAST_NO_FEATURES,
               "the match was played, and the features before its kick-off are not at hand; they are "
               "built by the next "
               "training");
        return;
    }
    const float *features = matrix_values(forecaster->online->present.matrix) +
                            (size_t)row * matrix_columns(forecaster->online->present.matrix);
    choose_model(forecaster, request, true, out);
    if (out->model != NULL)
        predict(forecaster, features, out);
}

static int64_t local_day(int64_t time_us)
{
    struct civil civil = time_to_civil(time_us, ZONE_LONDON);
    return time_day_from_civil(civil.year, civil.month, civil.day);
}

static enum err_code answer_fixture(struct forecaster *forecaster, const struct forecast_request *request,
                                    size_t league, int32_t home, int32_t away, struct forecast_answer *out,
                                    struct err *err)
{
    struct fixture fixture = {.id = out->match_id,
                              .start_us = out->kickoff_us,
                              .day = local_day(out->kickoff_us),
                              .league = (int16_t)league,
                              .home = home,
                              .away = away,
                              .time_is_known = request->has_clock};
    struct civil civil = time_to_civil(out->kickoff_us, ZONE_LONDON);
    size_t stream = (size_t)league_country(league);
    fixture.season = (int16_t)league_season(league_at(league), civil.year, civil.month);
    enum err_code code = gather_prices(forecaster, request, out->match_id, &fixture.pre_close, err);
    if (code != ERR_OK)
        return code;
    online_fill_attributes(forecaster->online, stream, &fixture);
    choose_model(forecaster, request, has_any_price(&fixture.pre_close, request->target), out);
    if (out->model == NULL)
        return ERR_OK;
    live_state_emit(forecaster->online->present.state, stream, &fixture, forecaster->features);
    predict(forecaster, forecaster->features, out);
    return ERR_OK;
}

/* Kick-off to use; false leaves a reason. */
static bool place_in_time(struct forecaster *forecaster, const struct forecast_request *request,
                          struct forecast_answer *out)
{
    int64_t last_us = forecaster->online->last_kickoff_us,
            now_us = forecaster->clock.now_us(forecaster->clock.context);
    if (request->kickoff_us == TIME_NONE) {
        out->kickoff_us = last_us != TIME_NONE && last_us >= now_us ? last_us + 1 : now_us;
        return true;
    }
    out->kickoff_us = request->kickoff_us;
    int64_t day_end_us = request->has_clock ? request->kickoff_us : request->kickoff_us + TIME_DAY_US;
    if (out->is_played || last_us == TIME_NONE || day_end_us > last_us)
        return true;
    char last[TIME_TEXT_BYTES];
    time_format_iso(last_us, last);
    refuse(out, FORECAST_PAST,
           "%s, and results up to %s are known: an honest forecast for an earlier date is not possible",
           out->match_id != 0 ? "the match has no result" : "no such match is stored", last);
    return false;
}

/* A stored match of these teams on this day answers with its own id and kick-off. */
static enum err_code find_stored(struct forecaster *forecaster, struct forecast_request *request,
                                 int64_t home_id, int64_t away_id, struct forecast_answer *out,
                                 struct err *err)
{
    struct stored_match match;
    char id[24];
    if (out->match_id != 0 || request->kickoff_us == TIME_NONE)
        return ERR_OK;
    enum err_code code =
        football_store_match_id(forecaster->store->db, out->league, local_day(request->kickoff_us), home_id,
                                away_id, &out->match_id, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code != ERR_OK)
        return code;
    (void)snprintf(id, sizeof(id), "%lld", (long long)out->match_id);
    code = football_store_find_match(forecaster->store->db, id, &match, err);
    if (code != ERR_OK)
        return code;
    out->is_played = match.home_goals >= 0;
    request->kickoff_us = match.kickoff_us;
    request->has_clock = match.time_known;
    return ERR_OK;
}

static enum err_code answer_named(struct forecaster *forecaster, struct forecast_request *request,
                                  struct forecast_answer *out, struct err *err)
{
    int league = league_find(text_of(request->league));
    int32_t home = -1, away = -1;
    int64_t home_id = 0, away_id = 0;
    if (league < 0) {
        refuse(out, FORECAST_UNKNOWN_LEAGUE, "no league has the code '%s'", request->league);
        return ERR_OK;
    }
    size_t stream = (size_t)league_country((size_t)league);
    (void)text_copy(text_of(request->league), out->league, sizeof(out->league));
    if (!find_team(forecaster, stream, request->home, &home, &home_id, out) ||
        !find_team(forecaster, stream, request->away, &away, &away_id, out))
        return ERR_OK;
    if (home == away) {
        refuse(out, FORECAST_UNKNOWN_MATCH, "'%s' cannot play itself", request->home);
        return ERR_OK;
    }
    (void)text_copy(text_of(teams_name(forecaster->online->present.teams, stream, home)), out->home,
                    sizeof(out->home));
    (void)text_copy(text_of(teams_name(forecaster->online->present.teams, stream, away)), out->away,
                    sizeof(out->away));
    enum err_code code = find_stored(forecaster, request, home_id, away_id, out, err);
    if (code != ERR_OK || !place_in_time(forecaster, request, out))
        return code;
    if (out->is_played) {
        answer_played(forecaster, request, out);
        return ERR_OK;
    }
    return answer_fixture(forecaster, request, (size_t)league, home, away, out, err);
}

enum err_code forecaster_answer(struct forecaster *forecaster, const struct forecast_request *request,
                                struct forecast_answer *out, struct err *err)
{
    struct forecast_request named = *request;
    *out = (struct forecast_answer){.classes = target_at(request->target)->classes,
                                    .kickoff_us = request->kickoff_us};
    if (forecaster->online == NULL) {
        refuse(out, FORECAST_NOT_READY,
               forecaster->rebuild != NULL
                   ? "the features are still being built; try again in a few seconds"
                   : "the store holds no matches; import some: almanac import football PATH");
        return ERR_OK;
    }
    if (named.match[0] != '\0') {
        enum err_code code = resolve_match(forecaster, &named, out, err);
        if (code != ERR_OK || out->reason[0] != '\0')
            return code;
    }
    return answer_named(forecaster, &named, out, err);
}
