/* Clearing models. What is cleared stops predicting before the answer is sent: the forecaster takes the registry in again on
 * the loop's own thread. A training of the same model that is under way is not touched: when it ends it records its version
 * as ever, or fails, saying so, if it made again the very version whose file has just been removed.
 *
 *   DELETE /api/models/clear/{symbol}/{timeframe}/{bot_name}
 *   DELETE /api/models/clear-all/{symbol}/{timeframe}
 *   DELETE /api/models/clear-all?confirm=true
 *   DELETE /api/models/versions/{version} */
#include "api/models.h"

#include "api/live.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

#define ROUTE(method, pattern, handler, doc)                                                                 \
    enum err_code handler(void *context, const struct route_match *match, struct http_response *response,    \
                          struct err *err);
#include "api/route_list.h"
#undef ROUTE

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

static enum err_code take_part(const char *value, const char *field, char *out, size_t out_bytes,
                               struct err *err)
{
    if (!text_copy(text_of(value), out, out_bytes))
        return err_set_field(err, ERR_INVALID, field, "'%.40s...' is longer than %zu bytes", value,
                             out_bytes - 1);
    return ERR_OK;
}

static void write_cleared(const struct cleared *cleared, struct http_response *response)
{
    struct json_writer out;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_i64(&out, "cleared", (int64_t)cleared->count);
    json_key(&out, "versions");
    json_begin_array(&out);
    for (size_t i = 0; i < cleared->count; i++)
        json_put_text(&out, cleared->versions[i]);
    json_end_array(&out);
    json_field_i64(&out, "freed_bytes", cleared->freed_bytes);
    json_end_object(&out);
}

static enum err_code clear(struct api *api, const struct model_name *name, const char *version,
                           const char *why, const struct route_match *match, struct http_response *response,
                           struct err *err)
{
    struct cleared cleared;
    const char *who = NULL;
    enum err_code code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = registry_clear(api->store, name, version, who, why, &cleared, err);
    if (code != ERR_OK)
        return code;
    if (cleared.count > 0)
        forecaster_reload(api->forecaster);
    for (size_t i = 0; i < cleared.count && live_has_subscribers(api->live, "models"); i++)
        api_models_publish(api, "cleared", cleared.versions[i]);
    write_cleared(&cleared, response);
    registry_cleared_release(&cleared);
    return ERR_OK;
}

/* A name that never had a version is a mistake; one whose versions are all cleared is not: asking again is safe. */
static enum err_code check_known(struct api *api, const struct model_name *name, struct err *err)
{
    struct version_filter filter = {.name = *name, .stage = -1, .with_cleared = true};
    struct version_row row;
    size_t count = 1;
    enum err_code code = registry_search(api->store, &filter, TIME_NONE, "", &row, &count, err);
    if (code == ERR_OK && count == 0)
        code = err_set(err, ERR_NOT_FOUND, "there is no version of %s/%s%s%s", name->subject, name->variant,
                       name->bot[0] != '\0' ? "/" : "", name->bot);
    return code;
}

HANDLER(api_models_clear)
{
    struct model_name name = {0};
    enum err_code code = take_part(match->parameters[0], "symbol", name.subject, sizeof(name.subject), err);
    if (code == ERR_OK)
        code = take_part(match->parameters[1], "timeframe", name.variant, sizeof(name.variant), err);
    if (code == ERR_OK)
        code = take_part(match->parameters[2], "bot_name", name.bot, sizeof(name.bot), err);
    if (code == ERR_OK)
        code = check_known(context, &name, err);
    return code == ERR_OK ? clear(context, &name, "", "cleared: one model", match, response, err) : code;
}

HANDLER(api_models_clear_variant)
{
    struct model_name name = {0};
    enum err_code code = take_part(match->parameters[0], "symbol", name.subject, sizeof(name.subject), err);
    if (code == ERR_OK)
        code = take_part(match->parameters[1], "timeframe", name.variant, sizeof(name.variant), err);
    if (code == ERR_OK)
        code = check_known(context, &name, err);
    return code == ERR_OK ? clear(context, &name, "", "cleared: all bots", match, response, err) : code;
}

HANDLER(api_models_clear_all)
{
    static const struct model_name all = {"", "", ""};
    const char *confirm = http_request_query(match->request, "confirm");
    if (confirm == NULL || strcmp(confirm, "true") != 0)
        return err_set_field(err, ERR_INVALID, "confirm",
                             "this would clear every model; confirm it with ?confirm=true");
    return clear(context, &all, "", "cleared: everything", match, response, err);
}

HANDLER(api_model_clear_version)
{
    struct api *api = context;
    struct version_row row;
    enum err_code code = registry_find(api->store, match->parameters[0], &row, err);
    return code == ERR_OK ? clear(api, &row.name, row.version, "cleared: one version", match, response, err)
                          : code;
}
