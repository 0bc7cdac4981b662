/* One client: see websocket_client.h. */
#include "http/websocket_client.h"

#include "limits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 8, SECOND_MS = 1000, PING_STEPS = 16 };

enum err_code websocket_client_create(uint64_t id, int socket, int64_t now_ms, atomic_llong *unsent_bytes,
                                      struct websocket_client **out, struct err *err)
{
    struct websocket_client *client = calloc(1, sizeof *client);
    *out = client;
    if (client == NULL)
        return err_nomem(err, sizeof *client);
    client->id = id;
    client->socket = socket;
    client->unsent_bytes = unsent_bytes;
    client->second_ms = client->heard_ms = client->moved_ms = now_ms;
    return ERR_OK;
}

static size_t frame_size(const struct websocket_frame *frame)
{
    size_t size_bytes;
    (void)websocket_frame_bytes(frame, &size_bytes);
    return size_bytes;
}

/* ---- sending ---- */

static struct websocket_frame *queue_at(const struct websocket_client *client, size_t index)
{
    return client->queue[(client->queue_first + index) % client->queue_capacity];
}

static void queue_pop(struct websocket_client *client)
{
    struct websocket_frame *frame = queue_at(client, 0);
    (void)atomic_fetch_sub(client->unsent_bytes, (long long)frame_size(frame));
    client->queue_first = (uint16_t)((client->queue_first + 1) % client->queue_capacity);
    client->queue_count--;
    client->sent_bytes = 0;
    websocket_frame_release(frame);
    if (client->queue_count > 0)
        return;
    free(client->queue); /* an idle client keeps nothing */
    client->queue = NULL;
    client->queue_first = client->queue_capacity = 0;
}

static bool queue_grow(struct websocket_client *client)
{
    size_t capacity = client->queue_capacity == 0 ? FIRST_CAPACITY : 2U * client->queue_capacity;
    struct websocket_frame **queue = calloc(capacity, sizeof(*queue));
    if (queue == NULL)
        return false;
    for (size_t i = 0; i < client->queue_count; i++)
        queue[i] = queue_at(client, i);
    free(client->queue);
    client->queue = queue;
    client->queue_first = 0;
    client->queue_capacity = (uint16_t)capacity;
    return true;
}

/* Takes a reference of its own. */
static bool queue_push(struct websocket_client *client, struct websocket_frame *frame)
{
    if (client->queue_count == client->queue_capacity && !queue_grow(client))
        return false;
    client->queue[(client->queue_first + client->queue_count) % client->queue_capacity] =
        websocket_frame_share(frame);
    client->queue_count++;
    (void)atomic_fetch_add(client->unsent_bytes, (long long)frame_size(frame));
    return true;
}

/* Whatever has not been begun: it would come behind the close frame. */
static void queue_drop(struct websocket_client *client)
{
    struct websocket_frame *begun = NULL;
    size_t sent_bytes = client->sent_bytes;
    if (client->queue_count > 0 && sent_bytes > 0)
        begun = websocket_frame_share(queue_at(client, 0));
    while (client->queue_count > 0)
        queue_pop(client);
    if (begun == NULL)
        return;
    if (queue_push(client, begun)) /* without memory the client finds half a frame and the end */
        client->sent_bytes = sent_bytes;
    websocket_frame_release(begun);
}

void websocket_client_destroy(struct websocket_client *client)
{
    while (client->queue_count > 0)
        queue_pop(client);
    websocket_parser_destroy(client->parser);
    close(client->socket);
    free(client);
}

/* Bytes taken, 0 when the socket is full, -1 when the client has gone. */
static ssize_t put(struct websocket_client *client, const unsigned char *data, size_t size_bytes,
                   int64_t now_ms)
{
    ssize_t sent;
    do
        sent = send(client->socket, data, size_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        client->moved_ms = now_ms;
        return sent;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

/* All is sent. After a close frame nothing more goes out; who answers a close frame is done. */
static bool is_drained(struct websocket_client *client)
{
    client->wants_write = false;
    if (!client->is_closing || client->is_ended)
        return true;
    if (client->is_answered)
        return false;
    client->is_ended = true;
    (void)shutdown(client->socket, SHUT_WR); /* fails when the client has gone, which the next read tells */
    return true;
}

bool websocket_client_flush(struct websocket_client *client, int64_t now_ms)
{
    while (client->queue_count > 0) {
        size_t size_bytes;
        const unsigned char *bytes = websocket_frame_bytes(queue_at(client, 0), &size_bytes);
        ssize_t sent = put(client, bytes + client->sent_bytes, size_bytes - client->sent_bytes, now_ms);
        if (sent < 0)
            return false;
        client->sent_bytes += (size_t)sent;
        client->wants_write = client->sent_bytes < size_bytes;
        if (client->wants_write)
            return true;
        queue_pop(client);
    }
    return is_drained(client);
}

static bool is_too_slow(const struct websocket_client *client)
{
    return client->queue_count >= LIMIT_WS_UNSENT_FRAMES ||
           atomic_load(client->unsent_bytes) > LIMIT_WS_UNSENT_BYTES;
}

bool websocket_client_send(struct websocket_client *client, struct websocket_frame *frame, int64_t now_ms)
{
    size_t size_bytes;
    const unsigned char *bytes = websocket_frame_bytes(frame, &size_bytes);
    ssize_t sent = 0;
    if (client->is_closing)
        return true;
    if (client->queue_count == 0) {
        sent = put(client, bytes, size_bytes, now_ms);
        if (sent < 0)
            return false;
        if ((size_t)sent == size_bytes)
            return true;
    } else if (is_too_slow(client)) {
        return websocket_client_close(client, WEBSOCKET_POLICY, "too slow", now_ms);
    }
    if (!queue_push(client, frame))
        return false;
    if (client->queue_count == 1) {
        client->sent_bytes = (size_t)sent;
        client->moved_ms = now_ms; /* from here on it is looked at whether it moves */
    }
    client->wants_write = true;
    return true;
}

bool websocket_client_close(struct websocket_client *client, enum websocket_code code, const char *reason,
                            int64_t now_ms)
{
    struct websocket_frame *frame;
    if (client->is_closing)
        return true;
    client->code = (int16_t)code;
    client->is_closing = true;
    client->moved_ms = now_ms;
    queue_drop(client);
    /* what a client sends without a code is answered without one */
    enum err_code made = code == WEBSOCKET_NO_CODE
                             ? websocket_frame_create(WEBSOCKET_CLOSE, NULL, 0, &frame, NULL)
                             : websocket_frame_create_close(code, reason, &frame, NULL);
    if (made != ERR_OK)
        return false;
    bool is_queued = queue_push(client, frame);
    websocket_frame_release(frame);
    return is_queued && websocket_client_flush(client, now_ms);
}

/* ---- receiving ---- */

/* What the parser's callbacks share. */
struct taking {
    struct websocket_client *client;
    int64_t now_ms;
    void (*message)(void *context, uint64_t id, const char *text, size_t size_bytes);
    void *context;
    bool is_alive;
};

/* Messages and pings cost the server work: so many a second, and no more. */
static bool is_welcome(struct taking *taking)
{
    struct websocket_client *client = taking->client;
    client->begun_ms = taking->now_ms; /* what is half-read now began later than this */
    if (taking->now_ms - client->second_ms >= SECOND_MS) {
        client->second_ms = taking->now_ms;
        client->messages = 0;
    }
    if (!taking->is_alive || client->is_closing)
        return false;
    if (++client->messages <= LIMIT_WS_MESSAGES_PER_S)
        return true;
    taking->is_alive = websocket_client_close(client, WEBSOCKET_POLICY, "too many messages", taking->now_ms);
    return false;
}

static void on_message(void *context, const char *text, size_t size_bytes)
{
    struct taking *taking = context;
    if (is_welcome(taking))
        taking->message(taking->context, taking->client->id, text, size_bytes);
}

static void on_ping(void *context, const unsigned char *data, size_t size_bytes)
{
    struct taking *taking = context;
    struct websocket_frame *pong;
    if (!is_welcome(taking))
        return;
    if (websocket_frame_create(WEBSOCKET_PONG, data, size_bytes, &pong, NULL) != ERR_OK) {
        taking->is_alive = false;
        return;
    }
    taking->is_alive = websocket_client_send(taking->client, pong, taking->now_ms);
    websocket_frame_release(pong);
}

static void on_pong(void *context)
{
    struct taking *taking = context; /* every byte is a sign of life: there is nothing more to do */
    taking->client->begun_ms = taking->now_ms;
}

static void on_close(void *context, enum websocket_code code)
{
    struct taking *taking = context;
    struct websocket_client *client = taking->client;
    if (!taking->is_alive)
        return;
    client->is_answered = true;
    if (!client->is_closing)
        taking->is_alive = websocket_client_close(client, code, "", taking->now_ms);
    else if (client->queue_count == 0)
        taking->is_alive = false; /* ours is out already */
}

static const char *reason_of(int code)
{
    switch (code) {
    case WEBSOCKET_UNSUPPORTED:
        return "text only";
    case WEBSOCKET_BAD_TEXT:
        return "not UTF-8";
    case WEBSOCKET_TOO_BIG:
        return "message too long";
    case WEBSOCKET_PROTOCOL_ERROR:
        return "broken frame";
    default:
        return "out of memory";
    }
}

/* The parser is made when bytes come and let go when nothing of them is left over. */
static int parse(struct taking *taking, const unsigned char *data, size_t size_bytes)
{
    static const struct websocket_events events = {on_message, on_ping, on_pong, on_close};
    struct websocket_client *client = taking->client;
    if (client->parser == NULL) {
        client->begun_ms = taking->now_ms;
        if (websocket_parser_create(&client->parser, NULL) != ERR_OK)
            return WEBSOCKET_INTERNAL;
    }
    int code = websocket_parser_feed(client->parser, &events, taking, data, size_bytes);
    if (code == 0 && !websocket_parser_is_empty(client->parser))
        return 0;
    websocket_parser_destroy(client->parser);
    client->parser = NULL;
    return code;
}

bool websocket_client_take(struct websocket_client *client, const unsigned char *data, size_t size_bytes,
                           int64_t now_ms,
                           void (*message)(void *context, uint64_t id, const char *text, size_t size_bytes),
                           void *context)
{
    struct taking taking = {client, now_ms, message, context, true};
    if (size_bytes == 0)
        return false;
    client->heard_ms = now_ms;
    client->is_pinged = false;
    if (client->is_answered || client->is_deaf)
        return true; /* nothing may follow a close frame */
    int code = parse(&taking, data, size_bytes);
    client->is_deaf = code != 0;
    if (code != 0 && taking.is_alive)
        return websocket_client_close(client, (enum websocket_code)code, reason_of(code), now_ms);
    return taking.is_alive;
}

/* ---- deadlines ---- */

/* Clients that came together are not asked together. */
static int64_t ping_due_ms(const struct websocket_client *client, const struct websocket_times *times)
{
    return client->heard_ms + times->ping_ms -
           times->ping_ms / 2 * (int64_t)(client->id % PING_STEPS) / PING_STEPS;
}

bool websocket_client_sweep(struct websocket_client *client, const struct websocket_times *times,
                            struct websocket_frame *ping, int64_t now_ms)
{
    if (client->is_closing)
        return now_ms - client->moved_ms < times->close_ms;
    if (client->is_pinged)
        return now_ms - client->heard_ms < times->pong_ms;
    if (client->parser != NULL && now_ms - client->begun_ms >= times->message_ms)
        return websocket_client_close(client, WEBSOCKET_POLICY, "message takes too long", now_ms);
    if (client->queue_count > 0 && now_ms - client->moved_ms >= times->ping_ms + times->pong_ms)
        return websocket_client_close(client, WEBSOCKET_POLICY, "too slow", now_ms);
    if (now_ms < ping_due_ms(client, times))
        return true;
    client->is_pinged = true;
    client->heard_ms = now_ms;
    return websocket_client_send(client, ping, now_ms);
}
