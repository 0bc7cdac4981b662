/* Parser: see websocket_parser.h. libwslay's frame layer is used and not its event layer: that keeps 8 kB of buffers for
 * each connection for ever, this one is asked for only while bytes arrive. The frame layer checks lengths (the shortest
 * form, 63 bits) and that control frames are short and whole; everything about messages is checked here. */
#include "http/websocket_parser.h"

#include "base/buffer.h"
#include "base/text.h"
#include "limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

enum { CODE_NONE = 0, HEADER_BYTES = 2, MASK_BYTES = 4, LENGTH_16 = 126 };

struct websocket_parser {
    wslay_frame_context_ptr frames;
    const unsigned char *data; /* of the feed under way, not taken by the library yet */
    size_t data_bytes;
    uint64_t unparsed_bytes; /* fed, and not part of a whole frame yet */
    bool in_frame;
    uint8_t opcode;      /* of the frame under way */
    bool is_last;        /* it ends its message */
    uint64_t left_bytes; /* of its payload */
    bool in_message;     /* the first frame of a message was read, its last was not */
    bool is_closed;      /* a close frame was read */
    struct buffer message;
    unsigned char control[WEBSOCKET_CONTROL_BYTES];
    size_t control_bytes;
};

static ssize_t hand_over(uint8_t *out, size_t max_bytes, int flags, void *context)
{
    struct websocket_parser *parser = context;
    size_t size_bytes = parser->data_bytes < max_bytes ? parser->data_bytes : max_bytes;
    (void)flags;
    if (size_bytes == 0)
        return -1;
    memcpy(out, parser->data, size_bytes);
    parser->data += size_bytes;
    parser->data_bytes -= size_bytes;
    return (ssize_t)size_bytes;
}

enum err_code websocket_parser_create(struct websocket_parser **out, struct err *err)
{
    static const struct wslay_frame_callbacks callbacks = {.recv_callback = hand_over};
    struct websocket_parser *parser = calloc(1, sizeof *parser);
    *out = NULL;
    if (parser == NULL)
        return err_nomem(err, sizeof *parser);
    if (wslay_frame_context_init(&parser->frames, &callbacks, parser) != 0) {
        free(parser);
        return err_nomem(err, sizeof *parser);
    }
    buffer_init(&parser->message, LIMIT_WS_MESSAGE_BYTES);
    *out = parser;
    return ERR_OK;
}

void websocket_parser_destroy(struct websocket_parser *parser)
{
    if (parser == NULL)
        return;
    wslay_frame_context_free(parser->frames);
    buffer_release(&parser->message);
    free(parser);
}

bool websocket_parser_is_empty(const struct websocket_parser *parser)
{
    return parser->unparsed_bytes == 0 && !parser->in_message;
}

/* RFC 6455, 7.4: which codes a client may send. */
static bool is_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static int end_control(struct websocket_parser *parser, const struct websocket_events *events, void *context)
{
    const unsigned char *data = parser->control;
    size_t size_bytes = parser->control_bytes;
    unsigned code = WEBSOCKET_NO_CODE;
    switch (parser->opcode) {
    case WEBSOCKET_PING:
        events->ping(context, data, size_bytes);
        return CODE_NONE;
    case WEBSOCKET_PONG:
        events->pong(context);
        return CODE_NONE;
    default:
        if (size_bytes == 1)
            return WEBSOCKET_PROTOCOL_ERROR;
        if (size_bytes >= 2)
            code = (unsigned)data[0] << 8 | data[1];
        if (size_bytes >= 2 && !is_code(code))
            return WEBSOCKET_PROTOCOL_ERROR;
        if (size_bytes > 2 && !text_is_utf8((struct text){(const char *)data + 2, size_bytes - 2}))
            return WEBSOCKET_BAD_TEXT;
        parser->is_closed = true;
        events->close(context, (enum websocket_code)code);
        return CODE_NONE;
    }
}

static int end_message(struct websocket_parser *parser, const struct websocket_events *events, void *context)
{
    const char *text = buffer_text(&parser->message);
    parser->in_message = false;
    if (!text_is_utf8((struct text){text, parser->message.size_bytes}))
        return WEBSOCKET_BAD_TEXT;
    events->message(context, text, parser->message.size_bytes);
    buffer_clear(&parser->message);
    return CODE_NONE;
}

static int begin_frame(struct websocket_parser *parser, const struct wslay_frame_iocb *frame)
{
    bool is_control = wslay_is_ctrl_frame(frame->opcode);
    if (!frame->mask || frame->rsv != WSLAY_RSV_NONE)
        return WEBSOCKET_PROTOCOL_ERROR;
    if (is_control ? frame->opcode > WEBSOCKET_PONG : frame->opcode > WEBSOCKET_BINARY)
        return WEBSOCKET_PROTOCOL_ERROR;
    if (!is_control && parser->in_message != (frame->opcode == WEBSOCKET_CONTINUATION))
        return WEBSOCKET_PROTOCOL_ERROR;
    if (frame->opcode == WEBSOCKET_BINARY)
        return WEBSOCKET_UNSUPPORTED;
    if (!is_control && frame->payload_length > LIMIT_WS_MESSAGE_BYTES - parser->message.size_bytes)
        return WEBSOCKET_TOO_BIG;
    parser->in_frame = true;
    parser->opcode = frame->opcode;
    parser->is_last = frame->fin;
    parser->left_bytes = frame->payload_length;
    parser->control_bytes = 0;
    if (!is_control)
        parser->in_message = true;
    return CODE_NONE;
}

static int end_frame(struct websocket_parser *parser, const struct wslay_frame_iocb *frame,
                     const struct websocket_events *events, void *context)
{
    uint64_t length_bytes = frame->payload_length < LENGTH_16     ? 0
                            : frame->payload_length <= UINT16_MAX ? 2
                                                                  : 8;
    uint64_t frame_bytes = HEADER_BYTES + length_bytes + MASK_BYTES + frame->payload_length;
    assert(frame_bytes <= parser->unparsed_bytes);
    parser->unparsed_bytes -= frame_bytes;
    parser->in_frame = false;
    if (wslay_is_ctrl_frame(parser->opcode))
        return end_control(parser, events, context);
    return parser->is_last ? end_message(parser, events, context) : CODE_NONE;
}

/* A piece of a frame, perhaps its first or its last, perhaps empty. */
static int take_piece(struct websocket_parser *parser, const struct wslay_frame_iocb *piece,
                      const struct websocket_events *events, void *context)
{
    int code = parser->in_frame ? CODE_NONE : begin_frame(parser, piece);
    if (code != CODE_NONE)
        return code;
    assert(piece->data_length <= parser->left_bytes);
    if (wslay_is_ctrl_frame(parser->opcode)) {
        assert(parser->control_bytes + piece->data_length <= sizeof parser->control);
        if (piece->data_length > 0)
            memcpy(parser->control + parser->control_bytes, piece->data, piece->data_length);
        parser->control_bytes += piece->data_length;
    } else {
        buffer_append(&parser->message, piece->data, piece->data_length);
        if (parser->message.failed != ERR_OK)
            return WEBSOCKET_INTERNAL;
    }
    parser->left_bytes -= piece->data_length;
    return parser->left_bytes > 0 ? CODE_NONE : end_frame(parser, piece, events, context);
}

int websocket_parser_feed(struct websocket_parser *parser, const struct websocket_events *events,
                          void *context, const unsigned char *data, size_t size_bytes)
{
    int code = CODE_NONE;
    parser->data = data;
    parser->data_bytes = size_bytes;
    parser->unparsed_bytes += size_bytes;
    while (code == CODE_NONE && !parser->is_closed) {
        struct wslay_frame_iocb piece = {0};
        ssize_t got = wslay_frame_recv(parser->frames, &piece);
        if (got == WSLAY_ERR_WANT_READ && parser->data_bytes == 0)
            break;
        if (got >= 0)
            code = take_piece(parser, &piece, events, context);
        else if (got != WSLAY_ERR_WANT_READ)
            code = WEBSOCKET_PROTOCOL_ERROR;
    }
    parser->data = NULL;
    parser->data_bytes = 0;
    return code;
}
