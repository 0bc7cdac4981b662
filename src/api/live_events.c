/* GET /api/events: the same topics as server-sent events, for clients without WebSocket. See live_parts.h. The data of an event
 * is what "data" holds over WebSocket. */
#include "api/live_parts.h"

#include "base/text.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

enum { TOPIC_BYTES = 64, ANSWER_BYTES = 64 << 10 };

enum err_code api_events(void *context, const struct route_match *match, struct http_response *response,
                         struct err *err);

static enum err_code read_topics(const char *list, struct live_request *out, struct err *err)
{
    struct text rest = text_of(list == NULL ? "" : list), part;
    char name[TOPIC_BYTES];
    if (list == NULL || list[0] == '\0')
        return err_set_field(err, ERR_INVALID, "topics", "say which topics: /api/events?topics=jobs,queues");
    while (text_split(&rest, ',', &part)) {
        if (!text_copy(part, name, sizeof name))
            return err_set_field(err, ERR_INVALID, "topics", "there is no topic '%.40s'", name);
        enum err_code code = live_request_add(out, name, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* An EventSource that reconnects says where it was in the log, if it follows one. */
static enum err_code take_last_id(const struct http_request *request, struct live_request *out,
                                  struct err *err)
{
    const char *last = http_request_header(request, "Last-Event-ID");
    int64_t offset;
    if (last == NULL || last[0] == '\0' || out->log_count != 1)
        return ERR_OK;
    if (!text_parse_i64(text_of(last), &offset) || offset < 0)
        return err_set_field(err, ERR_INVALID, "Last-Event-ID", "'%.40s' is not a byte offset", last);
    out->logs[0].offset = offset;
    return ERR_OK;
}

static void link_client(struct live_client *client)
{
    struct live *live = client->live;
    client->next = live->streams;
    if (client->next != NULL)
        client->next->previous = client;
    live->streams = client;
}

static void on_closed(void *context)
{
    struct live_client *client = context;
    live_leave(client);
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        client->live->streams = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    free(client);
}

static void greet(struct live_client *client, const struct live_request *request)
{
    struct buffer text;
    struct json_writer out;
    buffer_init(&text, ANSWER_BYTES);
    live_write_answer(client->live, &out, &text, "subscribed", request);
    json_end_object(&out);
    http_stream_event(client->stream, -1, "subscribed", buffer_text(&text), text.size_bytes);
    buffer_release(&text);
}

enum err_code api_events(void *context, const struct route_match *match, struct http_response *response,
                         struct err *err)
{
    struct api *api = context;
    struct live_request request = {0};
    enum err_code code = read_topics(http_request_query(match->request, "topics"), &request, err);
    if (code == ERR_OK)
        code = take_last_id(match->request, &request, err);
    if (code != ERR_OK)
        return code;
    struct live_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return err_nomem(err, sizeof(*client));
    client->live = api->live;
    code = http_stream_open(match->request, response, on_closed, client, &client->stream, err);
    if (code != ERR_OK) {
        free(client);
        return code;
    }
    link_client(client);
    code =
        live_subscribe(client, &request, err); /* on an error the stream is closed, and the client with it */
    if (code == ERR_OK)
        greet(client, &request);
    return code;
}
