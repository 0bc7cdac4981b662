/* POST /predict.
 *
 * {"match": "1234"} or {"league": "E0", "home": "Arsenal", "away": "Chelsea", "date": "2026-03-01[T15:00Z]"}, with optional
 * "target" ("1x2", "ou25"), "bot", and "odds": {"home": 2.1, "draw": 3.4, "away": 3.6} or by bookmaker
 * {"B365": {"home": ...}, ...}. The answer has one probability per class, the fair odds 1/p, and per given price the edge
 * p * odds - 1; or null with a reason. A bad request is answered with 4xx; missing models or teams are not bad requests. */
#include "api/api.h"
#include "api/forecast_log.h"

#include "base/time.h"
#include "football/bookmaker.h"
#include "limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum err_code api_predict(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err);

static const char *const known_members[] = {"match",  "league", "home", "away", "date",
                                            "target", "bot",    "odds", NULL};

static enum err_code read_text(const json_t *body, const char *key, char *out, size_t out_bytes,
                               struct err *err)
{
    const char *text = NULL;
    enum err_code code = json_take_text(body, key, false, &text, err);
    if (code == ERR_OK && text != NULL && !text_copy(text_of(text), out, out_bytes))
        return err_set_field(err, ERR_INVALID, key, "'%s' is longer than %zu bytes", key, out_bytes - 1);
    return code;
}

/* An own id may be a number. */
static enum err_code read_match(const json_t *body, struct forecast_request *request, struct err *err)
{
    const json_t *value = json_object_get(body, "match");
    if (json_is_integer(value)) {
        (void)snprintf(request->match, sizeof(request->match), "%lld", (long long)json_integer_value(value));
        return ERR_OK;
    }
    return read_text(body, "match", request->match, sizeof(request->match), err);
}

static enum err_code read_date(const json_t *body, struct forecast_request *request, struct err *err)
{
    const char *text = NULL;
    enum err_code code = json_take_text(body, "date", false, &text, err);
    request->kickoff_us = TIME_NONE;
    if (code != ERR_OK || text == NULL)
        return code;
    if (!time_parse_iso(text_of(text), &request->kickoff_us, &request->has_clock))
        return err_set_field(err, ERR_INVALID, "date",
                             "'%.40s' is not a date (2026-03-01) or a time (2026-03-01T15:00Z)", text);
    if (!request->has_clock) { /* a date alone is a day of the league's clock */
        struct civil civil = time_to_civil(request->kickoff_us, ZONE_UTC);
        request->kickoff_us = time_from_civil(civil, ZONE_LONDON);
    }
    return ERR_OK;
}

static enum err_code read_target(const json_t *body, struct forecast_request *request, struct err *err)
{
    const char *text = "1x2";
    enum err_code code = json_take_text(body, "target", false, &text, err);
    if (code != ERR_OK)
        return code;
    int target = target_find(text);
    if (target < 0)
        return err_set_field(err, ERR_INVALID, "target",
                             "no target is called '%.40s'; there are 1x2 and ou25", text);
    request->target = (enum target)target;
    return ERR_OK;
}

static float *prices_of(struct forecast_request *request, size_t bookmaker)
{
    return request->target == TARGET_1X2 ? request->prices.home_draw_away[bookmaker]
                                         : request->prices.under_over[bookmaker];
}

static enum err_code read_prices(const json_t *object, const char *place, enum target target, float *out,
                                 struct err *err)
{
    const struct target_info *info = target_at(target);
    const char *known[4] = {NULL};
    for (size_t i = 0; i < info->classes; i++)
        known[i] = info->class_names[i];
    enum err_code code = json_refuse_unknown(object, known, err);
    for (size_t i = 0; code == ERR_OK && i < info->classes; i++) {
        double odds = NAN;
        code = json_take_f64(object, info->class_names[i], true, &odds, err);
        if (code == ERR_OK && !(odds > 1 && odds <= LIMIT_ODDS))
            code = err_set(err, ERR_INVALID, "decimal odds are above 1 and at most %.0f, not %g", LIMIT_ODDS,
                           odds);
        out[i] = (float)odds;
        if (code != ERR_OK && err != NULL)
            (void)snprintf(err->field, sizeof(err->field), "%s.%s", place, info->class_names[i]);
    }
    return code;
}

static void clear_prices(struct forecast_request *request)
{
    for (size_t b = 0; b < BOOKMAKER_COUNT; b++) {
        for (size_t i = 0; i < 3; i++)
            request->prices.home_draw_away[b][i] = NAN;
        for (size_t i = 0; i < 2; i++)
            request->prices.under_over[b][i] = NAN;
    }
}

/* Prices without a bookmaker's name count as the market's average. */
static enum err_code read_odds(const json_t *body, struct forecast_request *request, struct err *err)
{
    json_t *odds = json_object_get(body, "odds"), *value;
    const char *name;
    clear_prices(request);
    if (odds == NULL || json_is_null(odds))
        return ERR_OK;
    if (!json_is_object(odds) || json_object_size(odds) == 0)
        return err_set_field(err, ERR_INVALID, "odds", "'odds' is not an object of prices");
    request->has_prices = true;
    if (!json_is_object(json_object_iter_value(json_object_iter(odds))))
        return read_prices(odds, "odds", request->target, prices_of(request, BOOKMAKER_AVERAGE), err);
    json_object_foreach(odds, name, value)
    {
        char place[ERR_FIELD_BYTES];
        int bookmaker = bookmaker_find(name);
        (void)snprintf(place, sizeof(place), "odds.%.40s", name);
        if (bookmaker < 0)
            return err_set_field(err, ERR_INVALID, place, "no bookmaker is called '%.40s'", name);
        if (!json_is_object(value))
            return err_set_field(err, ERR_INVALID, place, "'%s' is not an object of prices", place);
        enum err_code code =
            read_prices(value, place, request->target, prices_of(request, (size_t)bookmaker), err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code read_request(const json_t *body, struct forecast_request *request, struct err *err)
{
    *request = (struct forecast_request){0};
    enum err_code code = json_refuse_unknown(body, known_members, err);
    if (code == ERR_OK)
        code = read_match(body, request, err);
    if (code == ERR_OK)
        code = read_text(body, "league", request->league, sizeof(request->league), err);
    if (code == ERR_OK)
        code = read_text(body, "home", request->home, sizeof(request->home), err);
    if (code == ERR_OK)
        code = read_text(body, "away", request->away, sizeof(request->away), err);
    if (code == ERR_OK)
        code = read_text(body, "bot", request->bot, sizeof(request->bot), err);
    if (code == ERR_OK)
        code = read_date(body, request, err);
    if (code == ERR_OK)
        code = read_target(body, request, err);
    if (code == ERR_OK)
        code = read_odds(body, request, err);
    if (code != ERR_OK || request->match[0] != '\0')
        return code;
    const char *missing = request->league[0] == '\0' ? "league"
                          : request->home[0] == '\0' ? "home"
                          : request->away[0] == '\0' ? "away"
                                                     : NULL;
    return missing == NULL ? ERR_OK
                           : err_set_field(err, ERR_INVALID, missing,
                                           "'%s' is missing: name a match by 'match', or by 'league', "
                                           "'home' and 'away'",
                                           missing);
}

static void write_classes(struct json_writer *out, const struct target_info *info, const double *values)
{
    json_begin_object(out);
    for (size_t i = 0; i < info->classes; i++)
        json_field_f64(out, info->class_names[i], values[i]);
    json_end_object(out);
}

static void write_edges(struct json_writer *out, struct forecast_request *request,
                        const struct forecast_answer *answer)
{
    const struct target_info *info = target_at(request->target);
    json_key(out, "edge");
    if (!request->has_prices || !answer->is_available) {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    for (size_t b = 0; b < BOOKMAKER_COUNT; b++) {
        const float *odds = prices_of(request, b);
        double edge[3];
        if (isnan(odds[0]))
            continue;
        for (size_t i = 0; i < info->classes; i++)
            edge[i] = round((answer->p[i] * (double)odds[i] - 1) * 1e10) / 1e10;
        json_key(out, b == BOOKMAKER_AVERAGE ? "given" : bookmaker_name((enum bookmaker)b));
        write_classes(out, info, edge);
    }
    json_end_object(out);
}

static void write_prediction(struct json_writer *out, const struct target_info *info,
                             const struct forecast_answer *answer)
{
    double fair[3];
    json_key(out, "prediction");
    if (!answer->is_available) {
        json_put_null(out);
        json_field_null(out, "fair_odds");
        return;
    }
    for (size_t i = 0; i < info->classes; i++)
        fair[i] = round(1e10 / answer->p[i]) / 1e10;
    write_classes(out, info, answer->p);
    json_key(out, "fair_odds");
    write_classes(out, info, fair);
}

static void write_model(struct json_writer *out, const struct forecast_answer *answer)
{
    json_key(out, "model");
    if (answer->model == NULL) {
        json_put_null(out);
        return;
    }
    const struct calibrator *calibrator = model_calibrator(answer->model->model);
    json_begin_object(out);
    json_field_text(out, "bot", answer->model->row.name.bot);
    json_field_text(out, "version", answer->model->row.version);
    json_field_text(out, "calibration",
                    calibration_name(calibrator != NULL ? calibrator_kind(calibrator) : CALIBRATION_NONE));
    json_field_bool(out, "uses_prices", answer->used_prices);
    api_write_recalibrated(out, answer->layer);
    json_end_object(out);
}

/* Ten decimals are far finer than any forecast, are written three times as fast as all seventeen, and what a client
 * computes from them agrees with our own odds and edges. */
static void round_probabilities(struct forecast_answer *answer)
{
    for (size_t i = 0; i < answer->classes; i++) {
        answer->p[i] = round(answer->p[i] * 1e10) / 1e10;
        answer->own[i] = round(answer->own[i] * 1e10) / 1e10;
    }
}

static void write_answer(struct json_writer *out, struct forecast_request *request,
                         const struct forecast_answer *answer)
{
    const struct target_info *info = target_at(request->target);
    json_begin_object(out);
    write_prediction(out, info, answer);
    write_edges(out, request, answer);
    json_field_text_or_null(out, "reason", answer->reason);
    json_field_text(out, "target", info->name);
    json_key(out, "match");
    json_begin_object(out);
    json_field_id(out, "id", answer->match_id);
    json_field_text_or_null(out, "league", answer->league);
    json_field_text_or_null(out, "home", answer->home);
    json_field_text_or_null(out, "away", answer->away);
    json_field_time(out, "kickoff", answer->kickoff_us);
    json_field_bool(out, "is_played", answer->is_played);
    json_end_object(out);
    write_model(out, answer);
    json_end_object(out);
}

enum err_code api_predict(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    struct api *api = context;
    struct forecast_request request;
    struct forecast_answer answer;
    struct json_writer out;
    json_t *body = NULL;
    enum err_code code = api_read_object(match->request, &body, err);
    if (code == ERR_OK)
        code = read_request(body, &request, err);
    json_decref(body);
    if (code == ERR_OK)
        code = forecaster_answer(api->forecaster, &request, &answer, err);
    if (code != ERR_OK)
        return code;
    api_metrics_forecast(api->metrics, &answer);
    round_probabilities(&answer);
    forecast_log_note(api->forecasts, &request, &answer);
    json_writer_init(&out, &response->body);
    write_answer(&out, &request, &answer);
    return ERR_OK;
}
