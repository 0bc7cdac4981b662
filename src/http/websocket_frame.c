/* Frames that go out: see websocket_frame.h. */
#include "http/websocket_frame.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FIN = 0x80, SHORT_BYTES = 125, LENGTH_16 = 126, LENGTH_64 = 127 };

struct websocket_frame {
    atomic_uint references;
    size_t size_bytes;
    unsigned char bytes[];
};

/* RFC 6455, 5.2: the length takes 7 bits, 7 + 16, or 7 + 64. Returns the bytes of the header. */
static size_t write_header(unsigned char *out, enum websocket_opcode opcode, size_t size_bytes)
{
    size_t length_bytes = size_bytes <= SHORT_BYTES ? 0 : size_bytes <= UINT16_MAX ? 2 : 8;
    out[0] = (unsigned char)(FIN | opcode);
    out[1] = (unsigned char)(length_bytes == 0 ? size_bytes : length_bytes == 2 ? LENGTH_16 : LENGTH_64);
    for (size_t i = 0; i < length_bytes; i++)
        out[2 + i] = (unsigned char)((uint64_t)size_bytes >> (8 * (length_bytes - 1 - i)));
    return 2 + length_bytes;
}

enum err_code websocket_frame_create(enum websocket_opcode opcode, const void *payload, size_t size_bytes,
                                     struct websocket_frame **out, struct err *err)
{
    assert(size_bytes <= INT32_MAX && (opcode < WEBSOCKET_CLOSE || size_bytes <= WEBSOCKET_CONTROL_BYTES));
    size_t most_bytes = sizeof(struct websocket_frame) + WEBSOCKET_HEADER_BYTES + size_bytes;
    struct websocket_frame *frame = malloc(most_bytes);
    *out = frame;
    if (frame == NULL)
        return err_nomem(err, most_bytes);
    atomic_init(&frame->references, 1);
    size_t header_bytes = write_header(frame->bytes, opcode, size_bytes);
    if (size_bytes > 0)
        memcpy(frame->bytes + header_bytes, payload, size_bytes);
    frame->size_bytes = header_bytes + size_bytes;
    return ERR_OK;
}

enum err_code websocket_frame_create_close(enum websocket_code code, const char *reason,
                                           struct websocket_frame **out, struct err *err)
{
    unsigned char payload[WEBSOCKET_CONTROL_BYTES];
    size_t reason_bytes = strlen(reason);
    if (reason_bytes > sizeof payload - 2)
        reason_bytes = sizeof payload - 2;
    payload[0] = (unsigned char)((unsigned)code >> 8);
    payload[1] = (unsigned char)code;
    memcpy(payload + 2, reason, reason_bytes);
    return websocket_frame_create(WEBSOCKET_CLOSE, payload, 2 + reason_bytes, out, err);
}

struct websocket_frame *websocket_frame_share(struct websocket_frame *frame)
{
    (void)atomic_fetch_add_explicit(&frame->references, 1, memory_order_relaxed);
    return frame;
}

void websocket_frame_release(struct websocket_frame *frame)
{
    if (frame == NULL)
        return;
    /* what others read of the frame must have happened before it is freed */
    if (atomic_fetch_sub_explicit(&frame->references, 1, memory_order_acq_rel) == 1)
        free(frame);
}

const unsigned char *websocket_frame_bytes(const struct websocket_frame *frame, size_t *out_size_bytes)
{
    *out_size_bytes = frame->size_bytes;
    return frame->bytes;
}
