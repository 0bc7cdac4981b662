/* WebSocket frames that go out: written once, shared by every client they go to. A server's frames are not masked
 * (RFC 6455, 5.1), so all clients get the same bytes. Inside http/, and for those who send through a hub.
 *
 * Threads: a frame may be shared and released from any thread; its bytes never change. Memory: one block, freed with the
 * last reference. */
#ifndef ALMANAC_HTTP_WEBSOCKET_FRAME_H
#define ALMANAC_HTTP_WEBSOCKET_FRAME_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* RFC 6455, 5.2. */
enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10
};

/* RFC 6455, 7.4.1. */
enum websocket_code {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_NO_CODE = 1005,  /* a close frame without one; never sent */
    WEBSOCKET_LOST = 1006,     /* the connection ended without a close frame; never sent */
    WEBSOCKET_BAD_TEXT = 1007, /* not UTF-8 */
    WEBSOCKET_POLICY = 1008,   /* too slow, or too many messages */
    WEBSOCKET_TOO_BIG = 1009,
    WEBSOCKET_INTERNAL = 1011
};

enum { WEBSOCKET_CONTROL_BYTES = 125, WEBSOCKET_HEADER_BYTES = 10 };

struct websocket_frame;

/* One whole message: header and a copy of the payload (at most 2^31 bytes; of a control frame 125). The caller has one
 * reference. ERR_NOMEM. */
enum err_code websocket_frame_create(enum websocket_opcode opcode, const void *payload, size_t size_bytes,
                                     struct websocket_frame **out, struct err *err) CHECKED;
/* A close frame; the reason is cut to what fits. */
enum err_code websocket_frame_create_close(enum websocket_code code, const char *reason,
                                           struct websocket_frame **out, struct err *err) CHECKED;
struct websocket_frame *websocket_frame_share(struct websocket_frame *frame); /* one more reference */
void websocket_frame_release(struct websocket_frame *frame);                  /* NULL is fine */
/* As they go over the wire. */
const unsigned char *websocket_frame_bytes(const struct websocket_frame *frame, size_t *out_size_bytes);

#endif
