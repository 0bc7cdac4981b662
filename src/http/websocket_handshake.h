/* WebSocket handshake: whether a request may become a WebSocket (RFC 6455, 4.2.1), and the proof that it was understood.
 * Text only: unit tests and fuzzers call it. Threads: any. */
#ifndef ALMANAC_HTTP_WEBSOCKET_HANDSHAKE_H
#define ALMANAC_HTTP_WEBSOCKET_HANDSHAKE_H

#include "base/err.h"

#include <stdbool.h>

enum { WEBSOCKET_ACCEPT_BYTES = 29 }; /* base64 of 20 bytes, with its terminator */

/* Headers of the request; NULL: not there. */
struct websocket_handshake {
    const char *method, *upgrade, *connection, *version, *key;
    bool is_http_1_1; /* not 1.0, which cannot switch protocols */
    bool has_body;
};

/* A list of tokens ("keep-alive, Upgrade") holds `token`, in any case. NULL holds none. */
bool websocket_has_token(const char *list, const char *token);
/* Returns the status to answer with: 101 when all is well, 426 when the client must ask in another way (it is no
 * WebSocket client, or one of another version), 400 when the handshake is broken; *err says why. */
int websocket_check(const struct websocket_handshake *handshake, struct err *err);
/* Sec-WebSocket-Accept for a key that websocket_check has seen. */
void websocket_accept_key(const char *key, char out[WEBSOCKET_ACCEPT_BYTES]);

#endif
