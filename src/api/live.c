/* Topics and their followers: see live.h. A topic is a bit: one group of the hub, and one bit of each stream's client. */
#include "api/live_parts.h"

#include "base/time.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const topics[] = {
#define TOPIC(symbol, name, doc) name,
#include "api/topic_list.h"
#undef TOPIC
};
_Static_assert((int)LIVE_TOPIC_COUNT <= (int)WEBSOCKET_GROUPS, "a topic is a group of the hub");

size_t live_topic_find(const char *name)
{
    size_t topic = 0;
    while (topic < LIVE_TOPIC_COUNT && strcmp(topics[topic], name) != 0)
        topic++;
    return topic;
}

const char *live_topic_name(size_t topic)
{
    assert(topic < LIVE_TOPIC_COUNT);
    return topics[topic];
}

enum err_code live_create(struct api *api, struct live **out, struct err *err)
{
    struct live *live = calloc(1, sizeof(*live));
    if (live == NULL)
        return err_nomem(err, sizeof(*live));
    live->api = api;
    time_format_iso(api->clock.now_us(api->clock.context), live->run);
    enum err_code code = live_logs_create(live, &live->logs, err);
    if (code == ERR_OK)
        code = live_jobs_create(live, &live->jobs, err);
    if (code == ERR_OK)
        code = live_socket_create(live, err);
    if (code != ERR_OK)
        live_destroy(live);
    else
        *out = live;
    return code;
}

void live_destroy(struct live *live)
{
    if (live == NULL)
        return;
    assert(live->streams == NULL); /* the listener has closed them */
    live_socket_destroy(live);
    live_jobs_destroy(live->jobs);
    live_logs_destroy(live->logs);
    free(live);
}

size_t live_client_count(const struct live *live)
{
    return live == NULL ? 0 : websocket_hub_client_count(live->hub);
}

/* ---- followers ---- */

void live_set_topics(struct live_client *client, uint64_t wanted)
{
    struct live *live = client->live;
    for (size_t topic = 0; topic < LIVE_TOPIC_COUNT; topic++) {
        uint64_t bit = UINT64_C(1) << topic;
        if ((client->topics & bit) != 0)
            live->followers[topic]--;
        if ((wanted & bit) != 0)
            live->followers[topic]++;
    }
    client->topics = wanted;
    if (client->socket != 0)
        websocket_hub_join(live->hub, client->socket, wanted);
}

void live_leave(struct live_client *client)
{
    live_set_topics(client, 0);
    live_unfollow_all(client);
}

bool live_has_subscribers(const struct live *live, const char *topic)
{
    size_t index = live_topic_find(topic);
    assert(index < LIVE_TOPIC_COUNT);
    return live != NULL && live->followers[index] > 0;
}

size_t live_unsent_bytes(const struct live_client *client)
{
    return client->stream != NULL ? http_stream_unsent_bytes(client->stream)
                                  : websocket_hub_unsent_bytes(client->live->hub, client->socket);
}

/* ---- events ---- */

void live_begin_event(struct live *live, struct json_writer *out, struct buffer *text, const char *topic,
                      int64_t seq)
{
    struct clock clock = live->api->clock;
    json_writer_init(out, text);
    json_begin_object(out);
    json_field_text(out, "type", "event");
    json_field_text(out, "topic", topic);
    json_field_time(out, "at", clock.now_us(clock.context));
    json_field_i64(out, "seq", seq);
    json_key(out, "data");
}

void live_end_event(struct json_writer *out)
{
    json_end_object(out);
}

/* NULL when there is no memory: the gap in `seq` tells the clients. */
static struct websocket_frame *make_frame(const struct buffer *text)
{
    struct websocket_frame *frame = NULL;
    if (text->failed == ERR_OK &&
        websocket_frame_create(WEBSOCKET_TEXT, buffer_text(text), text->size_bytes, &frame, NULL) != ERR_OK)
        return NULL;
    return frame;
}

void live_say_socket(struct live_client *client, const struct buffer *text)
{
    struct websocket_frame *frame = make_frame(text);
    if (frame != NULL)
        websocket_hub_send(client->live->hub, client->socket, frame);
    websocket_frame_release(frame);
}

static void tell_sockets(struct live *live, size_t topic, const struct buffer *data)
{
    struct buffer text;
    struct json_writer out;
    buffer_init(&text, 2 * LIVE_EVENT_BYTES);
    live_begin_event(live, &out, &text, topics[topic], live->seq[topic]);
    json_put_raw(&out, buffer_text(data), data->size_bytes);
    live_end_event(&out);
    struct websocket_frame *frame = make_frame(&text);
    if (frame != NULL)
        websocket_hub_broadcast(live->hub, (unsigned)topic, frame);
    websocket_frame_release(frame);
    buffer_release(&text);
}

static void tell_streams(struct live *live, size_t topic, const struct buffer *data)
{
    for (struct live_client *client = live->streams; client != NULL; client = client->next) {
        if ((client->topics & UINT64_C(1) << topic) != 0)
            http_stream_event(client->stream, -1, topics[topic], buffer_text(data), data->size_bytes);
    }
}

void live_publish(struct live *live, const char *topic, void (*write)(void *context, struct json_writer *out),
                  void *context)
{
    size_t index = live_topic_find(topic);
    struct buffer data;
    struct json_writer out;
    assert(index < LIVE_TOPIC_COUNT);
    if (live == NULL)
        return;
    live->seq[index]++;
    if (live->followers[index] == 0)
        return;
    buffer_init(&data, LIVE_EVENT_BYTES);
    json_writer_init(&out, &data);
    write(context, &out);
    if (data.failed == ERR_OK && data.size_bytes > 0) {
        tell_sockets(live, index, &data);
        tell_streams(live, index, &data);
    }
    buffer_release(&data);
}
