/* Handshake: see websocket_handshake.h. */
#include "http/websocket_handshake.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 6455, 1.3. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum { KEY_CHARACTERS = 24, KEY_BYTES = 16, SHA1_BYTES = 20, QUOTE_CHARACTERS = 40 };

bool websocket_has_token(const char *list, const char *token)
{
    size_t token_bytes = strlen(token);
    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        size_t size_bytes = strcspn(list, " \t,");
        if (size_bytes == token_bytes && strncasecmp(list, token, token_bytes) == 0)
            return true;
        list += size_bytes;
    }
    return false;
}

/* 16 bytes in base64, as every client makes them. */
static bool is_key(const char *key)
{
    unsigned char bytes[KEY_BYTES + 2];
    size_t size_bytes = 0;
    return strlen(key) == KEY_CHARACTERS &&
           sodium_base642bin(bytes, sizeof bytes, key, KEY_CHARACTERS, NULL, &size_bytes, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           size_bytes == KEY_BYTES;
}

static int refuse(int status, struct err *err, const char *text)
{
    (void)err_set(err, ERR_INVALID, "%s", text);
    return status;
}

int websocket_check(const struct websocket_handshake *handshake, struct err *err)
{
    if (strcmp(handshake->method, "GET") != 0 || !handshake->is_http_1_1 ||
        !websocket_has_token(handshake->upgrade, "websocket"))
        return refuse(426, err,
                      "this route speaks WebSocket only: ask with 'Upgrade: websocket' over HTTP/1.1");
    if (!websocket_has_token(handshake->connection, "upgrade"))
        return refuse(400, err, "the header 'Connection: Upgrade' is missing");
    if (handshake->has_body)
        return refuse(400, err, "a WebSocket handshake has no body");
    if (handshake->version == NULL || strcmp(handshake->version, "13") != 0) {
        (void)err_set_field(err, ERR_INVALID, "Sec-WebSocket-Version",
                            "cannot speak version '%.*s' of WebSocket: ask with 'Sec-WebSocket-Version: 13'",
                            QUOTE_CHARACTERS, handshake->version == NULL ? "" : handshake->version);
        return 426;
    }
    if (handshake->key == NULL || !is_key(handshake->key)) {
        (void)err_set_field(err, ERR_INVALID, "Sec-WebSocket-Key",
                            "the key '%.*s' is not 16 bytes in base64: make one per connection",
                            QUOTE_CHARACTERS, handshake->key == NULL ? "" : handshake->key);
        return 400;
    }
    return 101;
}

void websocket_accept_key(const char *key, char out[WEBSOCKET_ACCEPT_BYTES])
{
    char text[KEY_CHARACTERS + sizeof guid];
    unsigned char sum[SHA1_BYTES];
    int size_bytes = snprintf(text, sizeof text, "%.*s%s", KEY_CHARACTERS, key, guid);
    int failure = gnutls_hash_fast(GNUTLS_DIG_SHA1, text, (size_t)size_bytes, sum);
    assert(failure == 0); /* RFC 6455 asks for SHA-1; it keeps no secret here */
    (void)sodium_bin2base64(out, WEBSOCKET_ACCEPT_BYTES, sum, sizeof sum, sodium_base64_VARIANT_ORIGINAL);
}
