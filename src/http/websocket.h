/* WebSocket hub (RFC 6455): many clients on threads of their own, with messages to one or to a group of them.
 *
 * It knows no topics: a client is an id, a group is a bit. The sockets come from the listener by way of an HTTP request
 * (websocket_hub_accept) and belong to one of the hub's threads, with its own epoll set; the loop's thread hands them frames and
 * gets messages. So a broadcast costs the loop the same for one client and for ten thousand.
 * Invariants: an id is never used again; for each accepted client `closed` is called once, and nothing after it. What is
 * handed to the hub for a client goes out in that order.
 * Threads: all functions and callbacks on the loop's; frames may be made anywhere. Memory: about 200 bytes per idle client;
 * frames are shared; bounds in limits.h (LIMIT_WS_...). */
#ifndef ALMANAC_HTTP_WEBSOCKET_H
#define ALMANAC_HTTP_WEBSOCKET_H

#include "http/listener.h"
#include "http/websocket_frame.h"
#include "os/loop.h"

#include <stddef.h>
#include <stdint.h>

struct websocket_hub;

enum { WEBSOCKET_GROUPS = 64, WEBSOCKET_SLOTS = 1 << 16 };

/* Clients that are open at the same time have different slots, below WEBSOCKET_SLOTS: for tables. */
static inline size_t websocket_slot(uint64_t client)
{
    return (size_t)(client & (WEBSOCKET_SLOTS - 1));
}

struct websocket_options {
    size_t max_clients; /* 0: LIMIT_WS_CLIENTS, or fewer where the system allows fewer open files */
    int64_t ping_ms;    /* silence after which a client is asked for a sign of life; 0: 30 s */
    int64_t pong_ms;    /* for that sign; 0: 20 s */
    int64_t message_ms; /* for a message to arrive; 0: LIMIT_REQUEST_TIME_MS */
    int64_t close_ms;   /* for a close frame to be answered; 0: 2 s */
    /* A text message, UTF-8, zero-terminated. */
    void (*message)(void *context, uint64_t client, const char *text, size_t size_bytes);
    /* The client is gone; code as in enum websocket_code, WEBSOCKET_LOST without a close frame. */
    void (*closed)(void *context, uint64_t client, int code);
    void *context;
};

enum err_code websocket_hub_create(struct loop *loop, const struct websocket_options *options,
                                   struct websocket_hub **out, struct err *err) CHECKED;
/* Tells every client that the server goes (1001), waits for them close_ms at most, and calls nobody. After the listener,
 * which may still hold handshakes. NULL is fine. */
void websocket_hub_destroy(struct websocket_hub *hub);

/* The answer to a request for a WebSocket. *out is the client, or 0 when the response is a refusal (426, 400) in the error
 * shape. ERR_BUSY: as many clients as allowed. */
enum err_code websocket_hub_accept(struct websocket_hub *hub, const struct http_request *request,
                                   struct http_response *response, uint64_t *out, struct err *err) CHECKED;
size_t websocket_hub_client_count(const struct websocket_hub *hub);

/* From here on: a client that is gone is ignored, and frames stay the caller's. Groups: one bit each, all anew. */
void websocket_hub_join(struct websocket_hub *hub, uint64_t client, uint64_t groups);
void websocket_hub_send(struct websocket_hub *hub, uint64_t client, struct websocket_frame *frame);
/* To all clients that are in the group. */
void websocket_hub_broadcast(struct websocket_hub *hub, unsigned group, struct websocket_frame *frame);
void websocket_hub_close(struct websocket_hub *hub, uint64_t client, enum websocket_code code);
/* What the client has not taken yet. */
size_t websocket_hub_unsent_bytes(const struct websocket_hub *hub, uint64_t client);

#endif
