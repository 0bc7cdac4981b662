/* Frames that go out: the three forms of the length, close frames, references. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/websocket_frame.h"

#include <stdlib.h>
#include <string.h>

static void check_text(size_t size_bytes, const char *header, size_t header_bytes)
{
    char *payload = malloc(size_bytes + 1);
    struct websocket_frame *frame;
    size_t frame_bytes;
    assert_non_null(payload);
    memset(payload, 'x', size_bytes);
    assert_int_equal(websocket_frame_create(WEBSOCKET_TEXT, payload, size_bytes, &frame, NULL), ERR_OK);
    const unsigned char *bytes = websocket_frame_bytes(frame, &frame_bytes);
    assert_int_equal(frame_bytes, header_bytes + size_bytes);
    assert_memory_equal(bytes, header, header_bytes);
    assert_memory_equal(bytes + header_bytes, payload, size_bytes);
    websocket_frame_release(frame);
    free(payload);
}

static void test_lengths(void **state)
{
    (void)state;
    check_text(0, "\x81\x00", 2);
    check_text(125, "\x81\x7d", 2);
    check_text(126, "\x81\x7e\x00\x7e", 4);
    check_text(65535, "\x81\x7e\xff\xff", 4);
    check_text(65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
}

static void test_close(void **state)
{
    struct websocket_frame *frame;
    char reason[300];
    size_t size_bytes;
    (void)state;
    assert_int_equal(websocket_frame_create_close(WEBSOCKET_GOING_AWAY, "bye", &frame, NULL), ERR_OK);
    assert_memory_equal(websocket_frame_bytes(frame, &size_bytes),
                        "\x88\x05\x03\xe9"
                        "bye",
                        7);
    assert_int_equal(size_bytes, 7);
    websocket_frame_release(frame);
    memset(reason, 'r', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    assert_int_equal(websocket_frame_create_close(WEBSOCKET_POLICY, reason, &frame, NULL), ERR_OK);
    assert_int_equal(websocket_frame_bytes(frame, &size_bytes)[1], WEBSOCKET_CONTROL_BYTES);
    assert_int_equal(size_bytes, 2 + WEBSOCKET_CONTROL_BYTES);
    websocket_frame_release(frame);
}

static void test_references(void **state)
{
    struct websocket_frame *frame;
    size_t size_bytes;
    (void)state;
    assert_int_equal(websocket_frame_create(WEBSOCKET_PING, NULL, 0, &frame, NULL), ERR_OK);
    assert_ptr_equal(websocket_frame_share(frame), frame);
    websocket_frame_release(frame);
    assert_memory_equal(websocket_frame_bytes(frame, &size_bytes), "\x89\x00", 2); /* still there */
    websocket_frame_release(frame);
    websocket_frame_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lengths), cmocka_unit_test(test_close),
                                       cmocka_unit_test(test_references)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
