/* Topic "predictions": the forecasts that were written together, once a second at most; how many are named, forecast_log.c says. */
#include "api/api.h"
#include "api/forecast_log.h"
#include "api/live.h"
#include "football/target.h"
#include "store/forecast_store.h"

struct news {
    const struct stored_forecast *const *forecasts;
    size_t count, total;
};

static void write_forecast(struct json_writer *out, const struct stored_forecast *forecast)
{
    int target = target_find(forecast->target);
    json_begin_object(out);
    json_field_i64(out, "match_id", forecast->match_id);
    json_field_text(out, "subject", forecast->subject);
    json_field_text(out, "target", forecast->target);
    json_field_text(out, "version", forecast->version);
    json_field_time(out, "kickoff", forecast->kickoff_us);
    json_field_time(out, "made_at", forecast->made_us);
    json_key(out, "p");
    json_begin_object(out);
    for (size_t i = 0; target >= 0 && i < forecast->classes; i++)
        json_field_f64(out, target_at((enum target)target)->class_names[i], forecast->p[i]);
    json_end_object(out);
    json_end_object(out);
}

static void write_news(void *context, struct json_writer *out)
{
    const struct news *news = context;
    json_begin_object(out);
    json_field_i64(out, "count", (int64_t)news->total);
    json_key(out, "predictions");
    json_begin_array(out);
    for (size_t i = 0; i < news->count; i++)
        write_forecast(out, news->forecasts[i]);
    json_end_array(out);
    json_end_object(out);
}

void api_forecasts_written(void *context, const struct stored_forecast *const *forecasts, size_t count,
                           size_t total)
{
    const struct api *api = context;
    struct news news = {forecasts, count, total};
    live_publish(api->live, "predictions", write_news, &news);
}
