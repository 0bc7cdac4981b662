/* For the tests of WebSocket: frames as a client writes them, byte by byte, whole or broken. */
#ifndef ALMANAC_HTTP_TEST_WEBSOCKET_H
#define ALMANAC_HTTP_TEST_WEBSOCKET_H

#include "http/websocket_frame.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TEST_FIN = 0x80, TEST_MASKED = 0x80, TEST_FRAME_BYTES = 1 << 17 };

struct test_frames {
    unsigned char bytes[TEST_FRAME_BYTES];
    size_t size_bytes;
};

static inline void test_add_byte(struct test_frames *out, unsigned byte)
{
    out->bytes[out->size_bytes++] = (unsigned char)byte;
}

/* A masked frame with this first byte (TEST_FIN | opcode, reserved bits). */
static inline void test_add_frame(struct test_frames *out, unsigned first, const void *payload,
                                  size_t size_bytes)
{
    static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
    size_t length_bytes = size_bytes <= 125 ? 0 : size_bytes <= UINT16_MAX ? 2 : 8;
    test_add_byte(out, first);
    test_add_byte(out, TEST_MASKED | (unsigned)(length_bytes == 0   ? size_bytes
                                                : length_bytes == 2 ? 126
                                                                    : 127));
    for (size_t i = 0; i < length_bytes; i++)
        test_add_byte(out, (unsigned)((uint64_t)size_bytes >> (8 * (length_bytes - 1 - i))) & 0xff);
    for (size_t i = 0; i < sizeof mask; i++)
        test_add_byte(out, mask[i]);
    for (size_t i = 0; i < size_bytes; i++)
        test_add_byte(out, ((const unsigned char *)payload)[i] ^ mask[i % 4]);
}

static inline void test_add_text(struct test_frames *out, const char *text)
{
    test_add_frame(out, TEST_FIN | WEBSOCKET_TEXT, text, strlen(text));
}

#endif
