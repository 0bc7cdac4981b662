/* Value bets: the models and the live state of the present data are opened as the server does it; then match by match: fixture,
 * prices, features once, one forecast per target, one look per bookmaker and selection. */
#include "task/value_bets.h"

#include "base/text.h"
#include "base/time.h"
#include "evaluate/kelly.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/history.h"
#include "football/league.h"
#include "football/overround.h"
#include "football/profile.h"
#include "football/target.h"
#include "limits.h"
#include "os/clock.h"
#include "serve/feature_levels.h"
#include "serve/models.h"
#include "serve/online.h"
#include "store/fixture_store.h"
#include "store/value_bet_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MATCHES_MAX = 2000, BETS_MAX = 2000, BET_BYTES = 512 /* as JSON, at most */ };
_Static_assert(LIMIT_WORKER_LINE_BYTES / BET_BYTES >= BETS_MAX, "a worker sends its result as one line");

#define MEMBER(name) OPTION_MEMBER(struct value_bets_options, name)
static const struct option_row option_rows[] = {
    {"hours", OPTION_INT, MEMBER(hours), "h", 1, 336, "24", "matches that begin within this time"},
    {"league", OPTION_TEXT, MEMBER(league), "", 0, 0, "", "matches of this league only"},
    {"bookmaker", OPTION_TEXT, MEMBER(bookmaker), "", 0, 0, "", "prices of this bookmaker only, like PS"},
    {"min_edge", OPTION_REAL, MEMBER(min_edge), "", -1, 100, "-1",
     "least edge, like 0.042 for 4.2 %; below 0: that of the league's profile"},
    {"fraction", OPTION_REAL, MEMBER(fraction), "", 0.01, 1, "0.25",
     "part of the Kelly stake that is staked"},
    {"cap", OPTION_REAL, MEMBER(cap), "", 0.0001, 1, "0.02", "largest share of the bankroll on one bet"},
};
static const struct option_table value_bets_table = {"value_bets", option_rows,
                                                     sizeof(option_rows) / sizeof(*option_rows)};

struct scan {
    struct task_context *context;
    const struct value_bets_options *options;
    struct online *online;
    struct serving_models models;
    int64_t now_us, *ids;
    size_t matches, forecasts, priced, past, unknown; /* counts */
    float *features, *x;                              /* [widest columns] */
    struct value_bet *bets;
    size_t count;
    bool is_full;
};

static enum err_code check(const void *options, struct err *err)
{
    const struct value_bets_options *wanted = options;
    if (wanted->league[0] != '\0' && league_find(text_of(wanted->league)) < 0)
        return err_set_field(err, ERR_INVALID, "league", "no league has the code '%s'", wanted->league);
    if (wanted->bookmaker[0] != '\0' && bookmaker_find(wanted->bookmaker) < 0)
        return err_set_field(err, ERR_INVALID, "bookmaker", "no bookmaker is called '%s'", wanted->bookmaker);
    return ERR_OK;
}

/* ---- one match ---- */

/* A price that may be bet on. */
struct offer {
    const struct fixture *fixture;
    const struct serving_model *model;
    enum target target;
    enum bookmaker bookmaker;
    const float *odds; /* by class */
    const double *p;
};

static void fill_stakes(const struct scan *scan, double odds, struct value_bet *bet)
{
    struct profile_betting profile = profile_betting((size_t)league_find(text_of(bet->league)));
    bet->flat = profile.unit_stake;
    bet->value_flat = profile.unit_stake * bet->edge;
    bet->kelly = kelly_fraction(bet->p, odds);
    bet->fractional = fmin(bet->kelly * scan->options->fraction, scan->options->cap);
    bet->value_fractional = bet->fractional * bet->edge;
    (void)text_copy(text_of(profile.currency), bet->currency, sizeof(bet->currency));
}

static void add_bet(struct scan *scan, const struct offer *offer, size_t selection, double market_p,
                    double min_edge, int64_t price_us)
{
    const struct target_info *target = target_at(offer->target);
    if (scan->count == BETS_MAX) {
        scan->is_full = true;
        return;
    }
    struct value_bet *bet = &scan->bets[scan->count++];
    double odds = round((double)offer->odds[selection] * 1e4) / 1e4; /* as it was quoted, before float */
    *bet = (struct value_bet){.match_id = offer->fixture->id,
                              .odds = odds,
                              .price_us = price_us,
                              .p = offer->p[selection],
                              .market_p = market_p,
                              .edge = offer->p[selection] * odds - 1,
                              .min_edge = min_edge,
                              .found_us = scan->now_us};
    (void)text_copy(text_of(league_at((size_t)offer->fixture->league)->code), bet->league,
                    sizeof(bet->league));
    (void)text_copy(text_of(target->name), bet->target, sizeof(bet->target));
    (void)text_copy(text_of(target->class_names[selection]), bet->selection, sizeof(bet->selection));
    (void)text_copy(text_of(bookmaker_name(offer->bookmaker)), bet->bookmaker, sizeof(bet->bookmaker));
    (void)text_copy(text_of("pre_close"), bet->label, sizeof(bet->label));
    (void)text_copy(text_of(offer->model->row.name.bot), bet->bot, sizeof(bet->bot));
    (void)text_copy(text_of(offer->model->row.version), bet->version, sizeof(bet->version));
    fill_stakes(scan, odds, bet);
}

static enum err_code look_at(struct scan *scan, const struct offer *offer, struct err *err)
{
    const struct target_info *target = target_at(offer->target);
    struct profile_betting profile = profile_betting((size_t)offer->fixture->league);
    double min_edge = scan->options->min_edge >= 0 ? scan->options->min_edge : profile.min_edge;
    double fair[3] = {NAN, NAN, NAN};
    int64_t price_us = TIME_NONE;
    bool has_time = false;
    if (!overround_remove(OVERROUND_SHIN, offer->odds, target->classes, fair))
        fair[0] = fair[1] = fair[2] = NAN;
    for (size_t i = 0; i < target->classes; i++) {
        if (!((double)offer->odds[i] > 1) || offer->p[i] * (double)offer->odds[i] - 1 < min_edge)
            continue;
        if (!has_time) {
            enum err_code code =
                value_bet_store_price_time(scan->context->store->db, offer->fixture->id, target->name,
                                           bookmaker_name(offer->bookmaker), &price_us, err);
            if (code != ERR_OK)
                return code;
            has_time = true;
        }
        add_bet(scan, offer, i, fair[i], min_edge, price_us);
    }
    return ERR_OK;
}

static bool is_wanted(const struct scan *scan, enum bookmaker bookmaker)
{
    return bookmaker != BOOKMAKER_AVERAGE &&
           (scan->options->bookmaker[0] == '\0' ||
            strcmp(bookmaker_name(bookmaker), scan->options->bookmaker) == 0);
}

static bool has_price(const struct scan *scan, const struct fixture *fixture, enum target target)
{
    for (size_t b = 0; b < BOOKMAKER_COUNT; b++) {
        if (is_wanted(scan, (enum bookmaker)b) &&
            !isnan(target_prices(target, &fixture->pre_close, (enum bookmaker)b)[0]))
            return true;
    }
    return false;
}

static enum err_code scan_target(struct scan *scan, const struct fixture *fixture, enum target target,
                                 struct err *err)
{
    double own[3], p[3];
    struct offer offer = {.fixture = fixture, .target = target, .p = p};
    enum err_code code = ERR_OK;
    if (!has_price(scan, fixture, target))
        return ERR_OK;
    offer.model = serving_models_choose(&scan->models, league_at((size_t)fixture->league)->code,
                                        target_at(target)->name, "", true);
    if (offer.model == NULL)
        return ERR_OK;
    for (size_t i = 0; i < model_columns(offer.model->model); i++)
        scan->x[i] = scan->features[offer.model->columns[i]];
    (void)serving_model_predict(offer.model, scan->x, scan->now_us, own, p); /* as /predict does */
    scan->forecasts++;
    for (size_t b = 0; code == ERR_OK && b < BOOKMAKER_COUNT; b++) {
        offer.bookmaker = (enum bookmaker)b;
        offer.odds = target_prices(target, &fixture->pre_close, offer.bookmaker);
        if (is_wanted(scan, offer.bookmaker) && !isnan(offer.odds[0]))
            code = look_at(scan, &offer, err);
    }
    return code;
}

static enum err_code read_prices(struct scan *scan, struct fixture *fixture, struct err *err)
{
    struct frame *frame = NULL;
    enum err_code code = football_store_match_prices(scan->context->store->db, fixture->id, &frame, err);
    if (code == ERR_OK)
        code = history_read_prices(frame, &fixture->pre_close, err);
    frame_destroy(frame);
    return code;
}

/* A match whose teams or league the state does not know is counted, not an error. */
static enum err_code scan_match(struct scan *scan, int64_t id, struct err *err)
{
    struct stored_fixture stored;
    struct fixture fixture;
    size_t stream = 0;
    enum err_code code = football_store_fixture(scan->context->store->db, id, &stored, err);
    if (code != ERR_OK)
        return code;
    if (scan->options->league[0] != '\0' && strcmp(stored.league, scan->options->league) != 0)
        return ERR_OK;
    scan->matches++;
    code = feature_levels_fixture(scan->online, &stored, &fixture, &stream, err);
    if (code == ERR_NOT_FOUND || code == ERR_BUSY) {
        scan->unknown++;
        return ERR_OK;
    }
    if (code == ERR_OK)
        code = read_prices(scan, &fixture, err);
    if (code != ERR_OK)
        return code;
    int64_t end_us = stored.time_known ? stored.kickoff_us : stored.kickoff_us + TIME_DAY_US;
    if (scan->online->last_kickoff_us != TIME_NONE && end_us <= scan->online->last_kickoff_us) {
        scan->past++; /* the state has seen later matches */
        return ERR_OK;
    }
    online_fill_attributes(scan->online, stream, &fixture);
    live_state_emit(scan->online->present.state, stream, &fixture, scan->features);
    size_t before = scan->forecasts;
    for (int target = 0; code == ERR_OK && target < TARGET_COUNT; target++)
        code = scan_target(scan, &fixture, (enum target)target, err);
    scan->priced += scan->forecasts > before;
    return code;
}

/* ---- the scan ---- */

static void write_bet(struct json_writer *out, const struct value_bet *bet)
{
    json_begin_object(out);
    json_field_i64(out, "match_id", bet->match_id);
    json_field_text(out, "league", bet->league);
    json_field_text(out, "target", bet->target);
    json_field_text(out, "selection", bet->selection);
    json_field_text(out, "bookmaker", bet->bookmaker);
    json_field_text(out, "label", bet->label);
    json_field_f64(out, "odds", bet->odds);
    if (bet->price_us != TIME_NONE)
        json_field_i64(out, "price_us", bet->price_us);
    json_field_f64(out, "p", bet->p);
    json_field_f64(out, "market_p", bet->market_p);
    json_field_f64(out, "edge", bet->edge);
    json_field_f64(out, "min_edge", bet->min_edge);
    json_field_f64(out, "flat", bet->flat);
    json_field_f64(out, "kelly", bet->kelly);
    json_field_f64(out, "fractional", bet->fractional);
    json_field_f64(out, "value_flat", bet->value_flat);
    json_field_f64(out, "value_fractional", bet->value_fractional);
    json_field_text(out, "currency", bet->currency);
    json_field_text(out, "bot", bet->bot);
    json_field_text(out, "version", bet->version);
    json_end_object(out);
}

static enum err_code write_result(const struct scan *scan, const char *note, struct buffer *result,
                                  struct err *err)
{
    struct json_writer out;
    json_writer_init(&out, result);
    json_begin_object(&out);
    if (note != NULL) {
        json_field_text(&out, "outcome", "skipped");
        json_field_text(&out, "note", note);
    }
    json_field_i64(&out, "scanned_us", scan->now_us);
    json_field_i64(&out, "hours", scan->options->hours);
    json_field_text(&out, "league", scan->options->league);
    json_field_text(&out, "bookmaker", scan->options->bookmaker);
    json_field_i64(&out, "matches", (int64_t)scan->matches);
    json_field_i64(&out, "priced", (int64_t)scan->priced);
    json_field_i64(&out, "forecasts", (int64_t)scan->forecasts);
    json_field_i64(&out, "past", (int64_t)scan->past);
    json_field_i64(&out, "unknown", (int64_t)scan->unknown);
    json_field_bool(&out, "is_complete", !scan->is_full);
    json_key(&out, "value_bets");
    json_begin_array(&out);
    for (size_t i = 0; i < scan->count; i++)
        write_bet(&out, &scan->bets[i]);
    json_end_array(&out);
    json_end_object(&out);
    return buffer_check(result, "the value bets", err);
}

static enum err_code open_scan(struct scan *scan, struct err *err)
{
    size_t columns = feature_set_columns(football_feature_set_widest());
    scan->ids = calloc(MATCHES_MAX, sizeof(*scan->ids));
    scan->bets = calloc(BETS_MAX, sizeof(*scan->bets));
    scan->features = calloc(columns + 1, sizeof(float));
    scan->x = calloc(columns + 1, sizeof(float));
    if (scan->ids == NULL || scan->bets == NULL || scan->features == NULL || scan->x == NULL)
        return err_nomem(err, BETS_MAX * sizeof(*scan->bets));
    return ERR_OK;
}

static void close_scan(struct scan *scan)
{
    online_destroy(scan->online);
    serving_models_release(&scan->models);
    free(scan->ids);
    free(scan->bets);
    free(scan->features);
    free(scan->x);
}

static enum err_code scan_matches(struct scan *scan, size_t count, struct err *err)
{
    enum err_code code = online_open(scan->context->store, ONLINE_BUILD, &scan->online, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        if (report_is_stopped(scan->context->reporter))
            return err_set(err, ERR_CANCELLED, "stopped");
        code = scan_match(scan, scan->ids[i], err);
        report_progress(scan->context->reporter, "looking at prices", i + 1, count);
    }
    report_log(scan->context->reporter, "%zu matches, %zu with prices and a model, %zu value bets",
               scan->matches, scan->priced, scan->count);
    return code;
}

static enum err_code run(struct task_context *context, const void *options, struct buffer *result,
                         struct err *err)
{
    struct scan scan = {.context = context, .options = options, .now_us = clock_now_us()};
    size_t count = MATCHES_MAX;
    char note[128] = "";
    enum err_code code = open_scan(&scan, err);
    if (code == ERR_OK)
        code =
            value_bet_store_upcoming(context->store->db, scan.now_us,
                                     scan.now_us + scan.options->hours * TIME_HOUR_US, scan.ids, &count, err);
    if (code == ERR_OK)
        code = serving_models_refresh(&scan.models, context->store, err);
    if (code == ERR_OK && count == 0)
        (void)snprintf(note, sizeof(note), "no stored match begins within %lld h",
                       (long long)scan.options->hours);
    else if (code == ERR_OK && scan.models.count == 0)
        (void)snprintf(note, sizeof(note), "no model is in production");
    else if (code == ERR_OK)
        code = scan_matches(&scan, count, err);
    if (code == ERR_OK && note[0] == '\0' && scan.priced == 0)
        (void)snprintf(note, sizeof(note), "none of %zu matches has both a price and a model", scan.matches);
    if (code == ERR_OK)
        code = write_result(&scan, note[0] != '\0' ? note : NULL, result, err);
    close_scan(&scan);
    return code;
}

/* ---- the commit ---- */

static enum err_code take_text(const json_t *object, const char *key, char *out, size_t out_bytes,
                               struct err *err)
{
    const char *text = "";
    enum err_code code = json_take_text(object, key, true, &text, err);
    return code == ERR_OK && !text_copy(text_of(text), out, out_bytes)
               ? err_set(err, ERR_INVALID, "'%s' of a value bet is too long", key)
               : code;
}

static enum err_code read_texts(const json_t *object, struct value_bet *bet, struct err *err)
{
    enum err_code code = take_text(object, "target", bet->target, sizeof(bet->target), err);
    if (code == ERR_OK)
        code = take_text(object, "selection", bet->selection, sizeof(bet->selection), err);
    if (code == ERR_OK)
        code = take_text(object, "bookmaker", bet->bookmaker, sizeof(bet->bookmaker), err);
    if (code == ERR_OK)
        code = take_text(object, "label", bet->label, sizeof(bet->label), err);
    if (code == ERR_OK)
        code = take_text(object, "currency", bet->currency, sizeof(bet->currency), err);
    if (code == ERR_OK)
        code = take_text(object, "bot", bet->bot, sizeof(bet->bot), err);
    if (code == ERR_OK)
        code = take_text(object, "version", bet->version, sizeof(bet->version), err);
    return code;
}

static enum err_code read_bet(const json_t *object, struct value_bet *bet, struct err *err)
{
    const struct {
        const char *key;
        double *out;
    } numbers[] = {{"odds", &bet->odds},
                   {"p", &bet->p},
                   {"edge", &bet->edge},
                   {"min_edge", &bet->min_edge},
                   {"flat", &bet->flat},
                   {"kelly", &bet->kelly},
                   {"fractional", &bet->fractional},
                   {"value_flat", &bet->value_flat},
                   {"value_fractional", &bet->value_fractional}};
    *bet = (struct value_bet){.price_us = TIME_NONE, .market_p = NAN};
    enum err_code code = json_take_i64(object, "match_id", true, &bet->match_id, err);
    if (code == ERR_OK)
        code = json_take_i64(object, "price_us", false, &bet->price_us, err);
    if (code == ERR_OK)
        code = json_take_f64(object, "market_p", false, &bet->market_p, err);
    for (size_t i = 0; code == ERR_OK && i < sizeof(numbers) / sizeof(*numbers); i++)
        code = json_take_f64(object, numbers[i].key, true, numbers[i].out, err);
    return code == ERR_OK ? read_texts(object, bet, err) : code;
}

static enum err_code commit(struct store *store, const json_t *result, struct err *err)
{
    const json_t *list = json_object_get(result, "value_bets");
    size_t count = json_array_size(list);
    const char *league = "", *bookmaker = "";
    int64_t now_us = 0;
    struct value_bet *bets = calloc(count + 1, sizeof(*bets));
    if (bets == NULL)
        return err_nomem(err, count * sizeof(*bets));
    enum err_code code = json_take_i64(result, "scanned_us", true, &now_us, err);
    if (code == ERR_OK)
        code = json_take_text(result, "league", false, &league, err);
    if (code == ERR_OK)
        code = json_take_text(result, "bookmaker", false, &bookmaker, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        code = read_bet(json_array_get(list, i), &bets[i], err);
        bets[i].found_us = now_us;
    }
    if (code == ERR_OK)
        code = value_bet_store_replace(store->db, bets, count, league, bookmaker, now_us, err);
    free(bets);
    return code;
}

const struct task task_value_bets = {
    .name = "value_bets",
    .doc = "Looks for prices of matches to come that are higher than the model in production thinks they "
           "should be.",
    .options = &value_bets_table,
    .options_bytes = sizeof(struct value_bets_options),
    .check = check,
    .run = run,
    .commit = commit,
};
