/* GET /health: cheap enough to be asked every second by anything. */
#include "api/api.h"

#include "base/hash.h"
#include "store/football_store.h"

#include <string.h>

enum err_code api_health(void *context, const struct route_match *match, struct http_response *response,
                         struct err *err);

enum err_code api_health(void *context, const struct route_match *match, struct http_response *response,
                         struct err *err)
{
    struct api *api = context;
    struct json_writer out;
    char data_hash[HASH_HEX_BYTES] = "";
    const struct online *online = forecaster_online(api->forecaster);
    bool is_current = online != NULL && football_store_hash(api->store->db, data_hash, err) == ERR_OK &&
                      strcmp(online->present.data_hash, data_hash) == 0;
    int64_t uptime_ms = (api->clock.monotonic_us(api->clock.context) - api->started_us) / 1000;
    (void)match;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_text(&out, "status", "ok");
    json_field_f64(&out, "uptime_s", (double)uptime_ms / 1000);
    json_field_i64(&out, "models", (int64_t)forecaster_models(api->forecaster)->count);
    json_field_bool(&out, "features_ready", forecaster_is_ready(api->forecaster));
    json_field_bool(&out, "features_current", is_current); /* nothing was imported that is not live yet */
    json_field_i64(&out, "connections", (int64_t)listener_connection_count(api->listener));
    json_end_object(&out);
    return ERR_OK;
}
