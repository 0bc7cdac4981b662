/* GET /model/current. */
#include "api/api.h"

#include <string.h>

enum err_code api_model_current(void *context, const struct route_match *match,
                                struct http_response *response, struct err *err);

static void write_number(struct json_writer *out, const char *key, double value)
{
    json_field_f64(out, key, value); /* NaN becomes null */
}

void api_write_recalibrated(struct json_writer *out, const struct serving_layer *layer)
{
    json_key(out, "recalibrated");
    if (layer == NULL) {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    json_field_time(out, "at", layer->made_us);
    json_field_i64(out, "matches", layer->matches);
    json_end_object(out);
}

static void write_model(struct json_writer *out, const struct serving_model *item,
                        const struct serving_layer *layer)
{
    const struct version_row *row = &item->row;
    json_begin_object(out);
    json_field_text(out, "league", row->name.subject);
    json_field_text(out, "target", row->name.variant);
    json_field_text(out, "bot", row->name.bot);
    json_field_text(out, "version", row->version);
    json_field_text(out, "stage", stage_name(row->stage));
    json_field_bool(out, "is_fallback", item->is_fallback);
    json_field_text(out, "feature_set", row->feature_set);
    json_field_bool(out, "needs_prices", item->needs_prices);
    json_field_time(out, "trained_at", row->trained_us);
    json_field_time(out, "learned_from", row->train_from_us);
    json_field_time(out, "learned_to", row->train_to_us);
    json_field_i64(out, "matches_learned", row->rows);
    json_key(out, "holdout");
    json_begin_object(out);
    json_field_time(out, "from", row->test_from_us);
    json_field_time(out, "to", row->test_to_us);
    write_number(out, "log_loss", row->log_loss);
    write_number(out, "brier", row->brier);
    write_number(out, "rps", row->rps);
    write_number(out, "accuracy", row->accuracy);
    json_end_object(out);
    json_field_i64(out, "size_bytes", row->size_bytes);
    json_field_i64(out, "duration_ms", row->duration_ms);
    api_write_recalibrated(out, layer);
    json_end_object(out);
}

static bool passes(const struct http_request *request, const char *name, const char *value)
{
    const char *wanted = http_request_query(request, name);
    return wanted == NULL || strcmp(wanted, value) == 0;
}

enum err_code api_model_current(void *context, const struct route_match *match,
                                struct http_response *response, struct err *err)
{
    struct api *api = context;
    const struct serving_models *models = forecaster_models(api->forecaster);
    struct json_writer out;
    (void)err;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "models");
    json_begin_array(&out);
    for (size_t i = 0; i < models->count; i++) {
        const struct serving_model *item = &models->items[i];
        if (passes(match->request, "league", item->row.name.subject) &&
            passes(match->request, "target", item->row.name.variant) &&
            passes(match->request, "bot", item->row.name.bot))
            write_model(&out, item, forecaster_layer(api->forecaster, item));
    }
    json_end_array(&out);
    json_end_object(&out);
    return ERR_OK;
}
