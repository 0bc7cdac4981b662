/* GET /ws: the clients that speak WebSocket. See live_parts.h. A message is one JSON object; one that cannot be understood is
 * answered with an error, and the connection goes on. */
#include "api/live_parts.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 64 << 10 };

enum err_code api_websocket(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err);

static struct live_client *client_of(const struct live *live, uint64_t socket)
{
    struct live_client *client = live->sockets[websocket_slot(socket)];
    return client != NULL && client->socket == socket ? client : NULL;
}

/* ---- answers ---- */

/* What every answer to a message shares: the id that the client gave it. */
static void finish_answer(struct live_client *client, struct json_writer *out, struct buffer *text,
                          const json_t *id)
{
    if (id != NULL) {
        json_key(out, "id");
        json_put_value(out, id);
    }
    json_end_object(out);
    live_say_socket(client, text);
    buffer_release(text);
}

static void answer_error(struct live_client *client, const struct err *err, const json_t *id)
{
    struct buffer text;
    struct json_writer out;
    buffer_init(&text, ANSWER_BYTES);
    json_writer_init(&out, &text);
    json_begin_object(&out);
    json_field_text(&out, "type", "error");
    json_key(&out, "error");
    json_begin_object(&out);
    json_field_text(&out, "code", err_name(err->code));
    json_field_text(&out, "message", err->text);
    json_field_text(&out, "field", err->field[0] == '\0' ? NULL : err->field);
    json_end_object(&out);
    finish_answer(client, &out, &text, id);
}

static void answer_pong(struct live_client *client, const json_t *id)
{
    struct buffer text;
    struct json_writer out;
    buffer_init(&text, ANSWER_BYTES);
    json_writer_init(&out, &text);
    json_begin_object(&out);
    json_field_text(&out, "type", "pong");
    finish_answer(client, &out, &text, id);
}

/* ---- messages ---- */

static enum err_code read_topics(const json_t *message, struct live_request *out, struct err *err)
{
    const json_t *topics = json_object_get(message, "topics");
    if (!json_is_array(topics) || json_array_size(topics) > LIVE_TOPICS_PER_REQUEST)
        return err_set_field(err, ERR_INVALID, "topics", "'topics' must be a list of at most %d names",
                             LIVE_TOPICS_PER_REQUEST);
    for (size_t i = 0; i < json_array_size(topics); i++) {
        const char *name = json_string_value(json_array_get(topics, i));
        if (name == NULL)
            return err_set_field(err, ERR_INVALID, "topics", "'topics' must be a list of names");
        enum err_code code = live_request_add(out, name, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static void answer_topics(struct live_client *client, const char *type, const struct live_request *request,
                          const json_t *id)
{
    struct buffer text;
    struct json_writer out;
    buffer_init(&text, ANSWER_BYTES);
    live_write_answer(client->live, &out, &text, type, request);
    finish_answer(client, &out, &text, id);
}

/* The answer is on its way before the first event: events are told on later turns of the loop. */
static enum err_code change_topics(struct live_client *client, bool is_more, const json_t *message,
                                   const json_t *id, struct err *err)
{
    struct live_request request = {0};
    enum err_code code = read_topics(message, &request, err);
    if (code == ERR_OK && is_more)
        code = live_subscribe(client, &request, err);
    if (code != ERR_OK)
        return code;
    if (!is_more)
        live_unsubscribe(client, &request);
    answer_topics(client, is_more ? "subscribed" : "unsubscribed", &request, id);
    return ERR_OK;
}

static enum err_code obey(struct live_client *client, const json_t *message, const json_t *id,
                          struct err *err)
{
    static const char *const known[] = {"type", "topics", "id", NULL};
    const char *type = NULL;
    enum err_code code = json_refuse_unknown(message, known, err);
    if (code == ERR_OK && id != NULL && !json_is_integer(id) && !json_is_string(id))
        code = err_set_field(err, ERR_INVALID, "id", "'id' must be a whole number or a text");
    if (code == ERR_OK)
        code = json_take_text(message, "type", true, &type, err);
    if (code != ERR_OK)
        return code;
    if (strcmp(type, "subscribe") == 0 || strcmp(type, "unsubscribe") == 0)
        return change_topics(client, type[0] == 's', message, id, err);
    if (strcmp(type, "ping") != 0)
        return err_set_field(err, ERR_INVALID, "type", "'%.40s' is not subscribe, unsubscribe or ping", type);
    answer_pong(client, id);
    return ERR_OK;
}

static void on_message(void *context, uint64_t socket, const char *text, size_t size_bytes)
{
    struct live_client *client = client_of(context, socket);
    json_t *message = NULL;
    struct err err = {0};
    if (client == NULL)
        return;
    enum err_code code = json_read(text, size_bytes, &message, &err);
    if (code == ERR_OK && !json_is_object(message))
        code = err_set(&err, ERR_INVALID, "the message is not a JSON object");
    const json_t *id = message == NULL ? NULL : json_object_get(message, "id");
    if (code == ERR_OK)
        code = obey(client, message, id, &err);
    if (code != ERR_OK)
        answer_error(client, &err, json_is_integer(id) || json_is_string(id) ? id : NULL);
    json_decref(message);
}

static void drop(struct live *live, struct live_client *client)
{
    live_leave(client);
    live->sockets[websocket_slot(client->socket)] = NULL;
    free(client);
}

static void on_closed(void *context, uint64_t socket, int code)
{
    struct live *live = context;
    struct live_client *client = client_of(live, socket);
    if (code == WEBSOCKET_POLICY || code == WEBSOCKET_INTERNAL)
        log_line(LOG_INFO, "websocket", "a client was closed with code %d", code);
    if (client != NULL)
        drop(live, client);
}

/* ---- life ---- */

enum err_code live_socket_create(struct live *live, struct err *err)
{
    struct websocket_options options = {.message = on_message, .closed = on_closed, .context = live};
    live->sockets = calloc(WEBSOCKET_SLOTS, sizeof(*live->sockets));
    if (live->sockets == NULL)
        return err_nomem(err, WEBSOCKET_SLOTS * sizeof(*live->sockets));
    return websocket_hub_create(live->api->loop, &options, &live->hub, err);
}

void live_socket_destroy(struct live *live)
{
    if (live->hub != NULL) {
        for (size_t slot = 0; slot < WEBSOCKET_SLOTS; slot++) {
            if (live->sockets[slot] != NULL)
                drop(live, live->sockets[slot]);
        }
        websocket_hub_destroy(live->hub);
    }
    free(live->sockets);
}

enum err_code api_websocket(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err)
{
    struct live *live = ((struct api *)context)->live;
    struct live_client *client = calloc(1, sizeof(*client));
    uint64_t socket = 0;
    if (client == NULL)
        return err_nomem(err, sizeof(*client));
    enum err_code code = websocket_hub_accept(live->hub, match->request, response, &socket, err);
    if (socket == 0) { /* refused: the response says why, or the error does */
        free(client);
        return code;
    }
    *client = (struct live_client){.live = live, .socket = socket};
    assert(live->sockets[websocket_slot(socket)] == NULL);
    live->sockets[websocket_slot(socket)] = client;
    return ERR_OK;
}
