/* One client of a hub: its socket, what arrives, what waits to be sent, and its deadlines. Inside http/ only.
 *
 * Invariant: frames go out whole and in order; a frame that was begun is ended before anything else, also before the close
 * frame of a client that is given up. Threads: one of the hub's, and only `unsent_bytes` is looked at by another. Memory: about
 * 150 bytes for a client that is idle; a parser while a frame is half-read; pointers to shared frames while the socket is
 * full, at most LIMIT_WS_UNSENT_FRAMES of them and LIMIT_WS_UNSENT_BYTES. */
#ifndef ALMANAC_HTTP_WEBSOCKET_CLIENT_H
#define ALMANAC_HTTP_WEBSOCKET_CLIENT_H

#include "http/websocket_frame.h"
#include "http/websocket_parser.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct websocket_times {
    int64_t ping_ms;    /* a client that was silent for this long is asked for a sign of life */
    int64_t pong_ms;    /* which must come within this time */
    int64_t message_ms; /* for a message, from its first byte to its last */
    int64_t close_ms;   /* for the close frame to be answered */
};

struct websocket_client {
    uint64_t id;
    int socket;
    uint64_t groups; /* bit by bit */
    atomic_llong *unsent_bytes;
    struct websocket_parser *parser; /* NULL: nothing is half-read */
    struct websocket_frame **queue;  /* ring; NULL while nothing waits */
    uint16_t queue_first, queue_count, queue_capacity;
    uint16_t messages; /* in this second */
    int16_t code;      /* of the close, sent or received; 0: still open */
    bool is_closing;   /* the close frame is queued or sent: nothing else goes out */
    bool is_answered;  /* the client's close frame is there: ours is all it waits for */
    bool is_ended;     /* all is sent, and the sending half is closed */
    bool wants_write;  /* the socket was full */
    bool is_deaf;      /* its frames are broken: nothing more is read */
    bool is_pinged;
    size_t sent_bytes; /* of the first frame in the queue */
    int64_t second_ms; /* that `messages` counts */
    int64_t heard_ms;  /* the last byte from the client, or the ping */
    int64_t begun_ms;  /* of what is half-read */
    int64_t moved_ms;  /* when the client last took bytes, or the close frame was queued */
};

/* Takes the socket (non-blocking). ERR_NOMEM: it stays the caller's. */
enum err_code websocket_client_create(uint64_t id, int socket, int64_t now_ms, atomic_llong *unsent_bytes,
                                      struct websocket_client **out, struct err *err) CHECKED;
void websocket_client_destroy(struct websocket_client *client); /* closes the socket */

/* Sends what the socket takes and queues the rest; a client with too much waiting is closed with WEBSOCKET_POLICY. The
 * reference stays the caller's. False: the connection is over, destroy the client. So with the next three. */
bool websocket_client_send(struct websocket_client *client, struct websocket_frame *frame, int64_t now_ms);
bool websocket_client_close(struct websocket_client *client, enum websocket_code code, const char *reason,
                            int64_t now_ms);
/* The socket takes bytes again. */
bool websocket_client_flush(struct websocket_client *client, int64_t now_ms);
/* Looks at the deadlines; `ping` is a prepared frame. */
bool websocket_client_sweep(struct websocket_client *client, const struct websocket_times *times,
                            struct websocket_frame *ping, int64_t now_ms);
/* Bytes of the client, 0 at the end of the stream. message is called for each text message. */
bool websocket_client_take(struct websocket_client *client, const unsigned char *data, size_t size_bytes,
                           int64_t now_ms,
                           void (*message)(void *context, uint64_t id, const char *text, size_t size_bytes),
                           void *context);

#endif
