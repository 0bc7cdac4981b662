/* What a look leaves in the store, written by the process that owns it, in one transaction. */
#include "task/performance.h"

#include "base/time.h"
#include "os/clock.h"
#include "store/forecast_store.h"
#include "store/retrain_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static double number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int64_t integer_at(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static enum err_code put_forecast(struct store *store, const json_t *json, struct err *err)
{
    struct stored_forecast forecast = {.match_id = integer_at(json, "match"),
                                       .kickoff_us = integer_at(json, "kickoff_us"),
                                       .made_us = integer_at(json, "made_us"),
                                       .settled_us = integer_at(json, "made_us"),
                                       .outcome = (int)integer_at(json, "outcome"),
                                       .loss = number_at(json, "loss")};
    const json_t *p = json_object_get(json, "p");
    (void)text_copy(text_of(text_at(json, "version")), forecast.version, sizeof(forecast.version));
    (void)text_copy(text_of(text_at(json, "subject")), forecast.subject, sizeof(forecast.subject));
    (void)text_copy(text_of(text_at(json, "target")), forecast.target, sizeof(forecast.target));
    forecast.classes = json_array_size(p) == 3 ? 3 : 2;
    for (size_t k = 0; k < forecast.classes; k++)
        forecast.p[k] = json_number_value(json_array_get(p, k));
    return forecast_store_put(store->db, &forecast, err);
}

static enum err_code put_check(struct store *store, const json_t *json, bool is_whole, struct err *err)
{
    bool has_clock;
    struct drift_check check = {.made_us = clock_now_us(),
                                .psi_max = number_at(json, "psi_max"),
                                .share_drifted = number_at(json, "share_drifted"),
                                .loss = number_at(json_object_get(json, "live_loss"), "mean"),
                                .page_hinkley = number_at(json_object_get(json, "live_loss"), "page_hinkley"),
                                .score = number_at(json_object_get(json, "performance"), "score"),
                                .is_alarm = json_is_string(json_object_get(json, "trigger"))};
    if (!time_parse_iso(text_of(text_at(json, "at")), &check.at_us, &has_clock))
        return err_set(err, ERR_INVALID, "a check of a performance result has no time");
    (void)text_copy(text_of(text_at(json, "version")), check.model.version, sizeof(check.model.version));
    (void)text_copy(text_of(text_at(json, "subject")), check.model.subject, sizeof(check.model.subject));
    (void)text_copy(text_of(text_at(json, "variant")), check.model.variant, sizeof(check.model.variant));
    (void)text_copy(text_of(text_at(json, "bot")), check.model.bot, sizeof(check.model.bot));
    char *text = is_whole ? json_dumps(json, JSON_COMPACT) : NULL;
    if (is_whole && text == NULL)
        return err_nomem(err, 0);
    enum err_code code = retrain_store_put_check(store->db, &check, is_whole ? text : "", err);
    free(text);
    return code;
}

static enum err_code put_limits(struct store *store, const json_t *json, struct err *err)
{
    char *text = json_dumps(json_object_get(json, "limits"), JSON_COMPACT);
    if (text == NULL)
        return err_nomem(err, 0);
    enum err_code code = retrain_store_put_limits(store->db, text_at(json, "version"), text_at(json, "key"),
                                                  clock_now_us(), text, err);
    free(text);
    return code;
}

static enum err_code put_all(struct store *store, const json_t *result, struct err *err)
{
    const json_t *item;
    size_t i;
    enum err_code code = ERR_OK;
    json_array_foreach(json_object_get(result, "limits"), i, item) code =
        code == ERR_OK ? put_limits(store, item, err) : code;
    json_array_foreach(json_object_get(result, "settled"), i, item) code =
        code == ERR_OK ? forecast_store_settle(store->db, text_at(item, "version"), integer_at(item, "match"),
                                               (int)integer_at(item, "outcome"), number_at(item, "loss"),
                                               clock_now_us(), err)
                       : code;
    json_array_foreach(json_object_get(result, "forecasts"), i, item) code =
        code == ERR_OK ? put_forecast(store, item, err) : code;
    json_array_foreach(json_object_get(result, "points"), i, item) code =
        code == ERR_OK ? put_check(store, item, false, err) : code;
    json_array_foreach(json_object_get(result, "models"), i, item) code =
        code == ERR_OK ? put_check(store, item, true, err) : code;
    return code;
}

enum err_code performance_commit(struct store *store, const json_t *result, struct err *err)
{
    enum err_code code = db_begin(store->db, err);
    if (code != ERR_OK)
        return code;
    code = put_all(store, result, err);
    if (code == ERR_OK)
        code = db_commit(store->db, err);
    else
        db_rollback(store->db);
    return code;
}
