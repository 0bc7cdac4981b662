/* WebSocket parser: bytes of a client to messages, with libwslay taking the frames apart. No socket in it: unit tests and
 * a fuzzer feed it. Inside http/ only.
 *
 * Invariant: how the bytes are cut into pieces changes nothing about what comes out. A parser that has nothing half-read
 * (parser_is_empty) need not be kept: a new one goes on just as well, so idle clients have none. Refused: frames that are
 * not masked, reserved bits and opcodes, control frames that are long or in pieces, pieces without a beginning, text that
 * is not UTF-8, binary messages, messages beyond LIMIT_WS_MESSAGE_BYTES.
 * Threads: one. Memory: about 4 kB, and the message under way. */
#ifndef ALMANAC_HTTP_WEBSOCKET_PARSER_H
#define ALMANAC_HTTP_WEBSOCKET_PARSER_H

#include "base/err.h"
#include "http/websocket_frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct websocket_parser;

/* What was read. The bytes are valid during the call; none of the calls may destroy the parser. */
struct websocket_events {
    void (*message)(void *context, const char *text, size_t size_bytes); /* UTF-8, zero-terminated as well */
    void (*ping)(void *context, const unsigned char *data, size_t size_bytes);
    void (*pong)(void *context);
    void (*close)(void *context, enum websocket_code code); /* the client's last frame */
};

enum err_code websocket_parser_create(struct websocket_parser **out, struct err *err) CHECKED;
void websocket_parser_destroy(struct websocket_parser *parser); /* NULL is fine */
/* Returns 0, or the code to close the connection with (1002, 1003, 1007, 1009, 1011): the parser must then not be fed again.
 * What follows a close frame is ignored. */
int websocket_parser_feed(struct websocket_parser *parser, const struct websocket_events *events,
                          void *context, const unsigned char *data, size_t size_bytes);
/* Nothing is half-read. */
bool websocket_parser_is_empty(const struct websocket_parser *parser);

#endif
