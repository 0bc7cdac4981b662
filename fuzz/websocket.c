/* Fuzzes what WebSocket clients send: the parser of frames, fed whole and in pieces, and the handshake's headers.
 *
 * How the bytes are cut must change nothing: the same messages, pings and closes, and the same code in the end. Messages are
 * UTF-8 within their bound. A parser that says it is empty may be replaced by a new one. The first byte says how long the
 * pieces are, the second whether frames are built from the rest (so that masks and lengths are right) or the rest is taken
 * as it is. */
#include "base/buffer.h"
#include "base/text.h"
#include "http/websocket_handshake.h"
#include "http/websocket_parser.h"
#include "limits.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_BYTES = 4 << 20, MOST_BYTES = 64 << 10, MASK_BYTES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static bool has_closed; /* the parser under way has seen a close frame: the hub keeps it then */

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void on_message(void *context, const char *text, size_t size_bytes)
{
    require(size_bytes <= LIMIT_WS_MESSAGE_BYTES && text[size_bytes] == '\0');
    require(text_is_utf8((struct text){text, size_bytes}));
    buffer_printf(context, "message %zu ", size_bytes);
    buffer_append(context, text, size_bytes);
}

static void on_ping(void *context, const unsigned char *data, size_t size_bytes)
{
    require(size_bytes <= WEBSOCKET_CONTROL_BYTES);
    buffer_printf(context, "ping %zu ", size_bytes);
    buffer_append(context, data, size_bytes);
}

static void on_pong(void *context)
{
    buffer_append_text(context, "pong ");
}

static void on_close(void *context, enum websocket_code code)
{
    require((code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999));
    has_closed = true;
    buffer_printf(context, "close %d ", (int)code);
}

static const struct websocket_events events = {on_message, on_ping, on_pong, on_close};

/* replaces: an empty parser is thrown away, as the hub does. */
static int feed(const unsigned char *data, size_t size_bytes, size_t piece_bytes, bool replaces,
                struct buffer *seen)
{
    has_closed = false;
    struct websocket_parser *parser = NULL;
    int code = 0;
    for (size_t at = 0; at < size_bytes && code == 0; at += piece_bytes) {
        size_t left_bytes = size_bytes - at;
        if (parser == NULL && websocket_parser_create(&parser, NULL) != ERR_OK)
            abort();
        code = websocket_parser_feed(parser, &events, seen, data + at,
                                     left_bytes < piece_bytes ? left_bytes : piece_bytes);
        require(code == 0 || (code >= 1002 && code <= 1011));
        if (replaces && !has_closed && websocket_parser_is_empty(parser)) {
            websocket_parser_destroy(parser);
            parser = NULL;
        }
    }
    websocket_parser_destroy(parser);
    return code;
}

static void check_cuts(const unsigned char *data, size_t size_bytes, size_t piece_bytes)
{
    struct buffer whole, pieces, single;
    buffer_init(&whole, SEEN_BYTES);
    buffer_init(&pieces, SEEN_BYTES);
    buffer_init(&single, SEEN_BYTES);
    int code = feed(data, size_bytes, size_bytes, false, &whole);
    require(feed(data, size_bytes, piece_bytes, true, &pieces) == code);
    require(feed(data, size_bytes, 1, false, &single) == code);
    require(whole.size_bytes == pieces.size_bytes && whole.size_bytes == single.size_bytes);
    require(whole.size_bytes == 0 || (memcmp(whole.data, pieces.data, whole.size_bytes) == 0 &&
                                      memcmp(whole.data, single.data, whole.size_bytes) == 0));
    buffer_release(&whole);
    buffer_release(&pieces);
    buffer_release(&single);
}

/* Frames from bytes: first byte, length, payload; masked with zeros. Returns the size. */
static size_t build(const uint8_t *data, size_t size_bytes, unsigned char *out)
{
    size_t used_bytes = 0;
    while (size_bytes >= 2 && used_bytes + size_bytes + 2 + MASK_BYTES < MOST_BYTES) {
        size_t length_bytes = data[1] & 0x7f;
        if (length_bytes > 125)
            length_bytes = 125;
        if (length_bytes > size_bytes - 2)
            length_bytes = size_bytes - 2;
        out[used_bytes++] = data[0];
        out[used_bytes++] = (unsigned char)(0x80 | length_bytes);
        memset(out + used_bytes, 0, MASK_BYTES);
        used_bytes += MASK_BYTES;
        memcpy(out + used_bytes, data + 2, length_bytes);
        used_bytes += length_bytes;
        data += 2 + length_bytes;
        size_bytes -= 2 + length_bytes;
    }
    return used_bytes;
}

static void check_handshake(const uint8_t *data, size_t size_bytes)
{
    char *text = malloc(size_bytes + 1);
    char accept[WEBSOCKET_ACCEPT_BYTES];
    struct err err = {0};
    if (text == NULL)
        return;
    memcpy(text, data, size_bytes);
    text[size_bytes] = '\0';
    struct websocket_handshake handshake = {.method = "GET",
                                            .upgrade = text,
                                            .connection = text,
                                            .version = "13",
                                            .key = text,
                                            .is_http_1_1 = true};
    (void)websocket_check(&handshake, &err);
    handshake.upgrade = handshake.connection = "websocket, upgrade";
    if (websocket_check(&handshake, &err) == 101) {
        websocket_accept_key(text, accept);
        require(strlen(accept) == WEBSOCKET_ACCEPT_BYTES - 1);
    } else {
        require(err.text[0] != '\0');
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static unsigned char frames[MOST_BYTES];
    if (size_bytes < 3 || size_bytes > MOST_BYTES / 8)
        return 0;
    size_t piece_bytes = 1 + (size_t)data[0];
    bool builds = (data[1] & 1) != 0;
    data += 2;
    size_bytes -= 2;
    check_handshake(data, size_bytes);
    if (builds) {
        size_t built_bytes = build(data, size_bytes, frames);
        if (built_bytes > 0)
            check_cuts(frames, built_bytes, piece_bytes);
    } else {
        check_cuts(data, size_bytes, piece_bytes);
    }
    return 0;
}
