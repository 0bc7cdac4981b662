/* /api/queues: what is in them, who held them, and their controls. */
#include "api/api.h"

#include "limits.h"

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err);                                                                     \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { EVENTS_LIMIT = 500, EVENTS_LIMIT_DEFAULT = 50 };

HANDLER(api_queues_list)
{
    struct api *api = context;
    struct json_writer out;
    struct queue_status status;
    enum err_code code = ERR_OK;
    (void)match;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "queues");
    json_begin_array(&out);
    for (size_t i = 0; code == ERR_OK && queue_name(i) != NULL; i++) {
        code = supervisor_queue_status(api->supervisor, queue_name(i), &status, err);
        if (code == ERR_OK)
            api_write_queue(&out, &status);
    }
    json_end_array(&out);
    json_end_object(&out);
    return code;
}

static enum err_code control(struct api *api, const struct route_match *match, enum queue_action action,
                             struct http_response *response, struct err *err)
{
    struct queue_status status;
    struct json_writer out;
    const char *who = NULL;
    enum err_code code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = supervisor_control(api->supervisor, match->parameters[0], action, who, &status, err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, &response->body);
    api_write_queue(&out, &status);
    return ERR_OK;
}

HANDLER(api_queue_pause)
{
    return control(context, match, QUEUE_PAUSE, response, err);
}

HANDLER(api_queue_resume)
{
    return control(context, match, QUEUE_RESUME, response, err);
}

HANDLER(api_queue_stop)
{
    return control(context, match, QUEUE_STOP, response, err);
}

HANDLER(api_queue_force_stop)
{
    return control(context, match, QUEUE_FORCE_STOP, response, err);
}

HANDLER(api_queue_events)
{
    struct api *api = context;
    struct json_writer out;
    struct buffer events;
    struct queue_row row;
    int64_t limit;
    enum err_code code =
        api_query_i64(match->request, "limit", EVENTS_LIMIT_DEFAULT, 1, EVENTS_LIMIT, &limit, err);
    if (code == ERR_OK)
        code = queue_store_get(api->store->db, match->parameters[0], &row, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&events, LIMIT_RESULT_BYTES);
    code = queue_store_events(api->store->db, row.name, limit, &events, err);
    if (code == ERR_OK) {
        json_writer_init(&out, &response->body);
        json_begin_object(&out);
        json_key(&out, "events");
        json_put_raw(&out, buffer_text(&events), events.size_bytes);
        json_end_object(&out);
    }
    buffer_release(&events);
    return code;
}
