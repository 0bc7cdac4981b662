/* The parser: what comes out of whole and broken frames, however the bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/test_websocket.h"
#include "http/websocket_parser.h"
#include "limits.h"

#include <stdlib.h>

/* What came out, as text. */
struct seen {
    struct buffer text;
};

static void on_message(void *context, const char *text, size_t size_bytes)
{
    struct seen *seen = context;
    assert_int_equal(text[size_bytes], '\0');
    if (size_bytes > 64)
        buffer_printf(&seen->text, "[%zu bytes]", size_bytes);
    else
        buffer_printf(&seen->text, "[%s]", text);
}

static void on_ping(void *context, const unsigned char *data, size_t size_bytes)
{
    struct seen *seen = context;
    buffer_printf(&seen->text, "ping(%.*s)", (int)size_bytes, (const char *)data);
}

static void on_pong(void *context)
{
    struct seen *seen = context;
    buffer_append_text(&seen->text, "pong");
}

static void on_close(void *context, enum websocket_code code)
{
    struct seen *seen = context;
    buffer_printf(&seen->text, "close(%d)", (int)code);
}

static const struct websocket_events events = {on_message, on_ping, on_pong, on_close};

/* Feeds pieces of piece_bytes; returns the code. */
static int feed(const struct test_frames *frames, size_t piece_bytes, struct seen *seen, bool *out_is_empty)
{
    struct websocket_parser *parser;
    int code = 0;
    buffer_init(&seen->text, 1 << 20);
    assert_int_equal(websocket_parser_create(&parser, NULL), ERR_OK);
    for (size_t at = 0; at < frames->size_bytes && code == 0; at += piece_bytes) {
        size_t left_bytes = frames->size_bytes - at;
        code = websocket_parser_feed(parser, &events, seen, frames->bytes + at,
                                     left_bytes < piece_bytes ? left_bytes : piece_bytes);
    }
    *out_is_empty = websocket_parser_is_empty(parser);
    websocket_parser_destroy(parser);
    return code;
}

/* The same, whole and in all small pieces. */
static void check(const struct test_frames *frames, int code, const char *text)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 4096, TEST_FRAME_BYTES};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct seen seen;
        bool is_empty;
        assert_int_equal(feed(frames, pieces[i], &seen, &is_empty), code);
        assert_string_equal(buffer_text(&seen.text), text);
        if (code == 0 && strstr(text, "close") == NULL)
            assert_true(is_empty);
        buffer_release(&seen.text);
    }
}

static void test_messages(void **state)
{
    struct test_frames *frames = calloc(1, sizeof *frames);
    static char longest[LIMIT_WS_MESSAGE_BYTES];
    (void)state;
    test_add_text(frames, "one");
    test_add_text(frames, "");
    test_add_text(frames, "z\xc3\xbcrich");
    memset(longest, 'x', sizeof longest);
    test_add_frame(frames, TEST_FIN | WEBSOCKET_TEXT, longest, 125);
    test_add_frame(frames, TEST_FIN | WEBSOCKET_TEXT, longest, 126);
    test_add_frame(frames, TEST_FIN | WEBSOCKET_TEXT, longest, sizeof longest);
    check(frames, 0, "[one][][z\xc3\xbcrich][125 bytes][126 bytes][16384 bytes]");
    free(frames);
}

static void test_pieces_and_control_frames_between(void **state)
{
    struct test_frames frames = {0};
    (void)state;
    test_add_frame(&frames, WEBSOCKET_TEXT, "a\xc3", 2); /* a character may be cut */
    test_add_frame(&frames, TEST_FIN | WEBSOCKET_PING, "p", 1);
    test_add_frame(&frames, WEBSOCKET_CONTINUATION, "\xbc", 1);
    test_add_frame(&frames, TEST_FIN | WEBSOCKET_PONG, "", 0);
    test_add_frame(&frames, WEBSOCKET_CONTINUATION, "", 0);
    test_add_frame(&frames, TEST_FIN | WEBSOCKET_CONTINUATION, "b", 1);
    check(&frames, 0,
          "ping(p)pong[a\xc3\xbc"
          "b]");
}

static void test_close(void **state)
{
    struct test_frames frames = {0};
    (void)state;
    test_add_text(&frames, "a");
    test_add_frame(&frames, TEST_FIN | WEBSOCKET_CLOSE, "\x03\xe8 bye", 6);
    test_add_text(&frames, "nobody reads this");
    check(&frames, 0, "[a]close(1000)");
    frames.size_bytes = 0;
    test_add_frame(&frames, TEST_FIN | WEBSOCKET_CLOSE, "", 0);
    check(&frames, 0, "close(1005)");
    frames.size_bytes = 0;
    test_add_frame(&frames, TEST_FIN | WEBSOCKET_CLOSE, "\x0f\xa0", 2);
    check(&frames, 0, "close(4000)");
}

static void refused(unsigned first, const char *payload, size_t size_bytes, int code)
{
    struct test_frames frames = {0};
    test_add_text(&frames, "a");
    test_add_frame(&frames, first, payload, size_bytes);
    check(&frames, code, "[a]");
}

static void test_broken_frames(void **state)
{
    static const char text[200] = "";
    struct test_frames frames = {0};
    (void)state;
    refused(TEST_FIN | 0x40 | WEBSOCKET_TEXT, "b", 1, WEBSOCKET_PROTOCOL_ERROR); /* a reserved bit */
    refused(TEST_FIN | 3, "b", 1, WEBSOCKET_PROTOCOL_ERROR);                     /* a reserved opcode */
    refused(TEST_FIN | 11, "b", 1, WEBSOCKET_PROTOCOL_ERROR);
    refused(TEST_FIN | WEBSOCKET_CONTINUATION, "b", 1, WEBSOCKET_PROTOCOL_ERROR); /* of what? */
    refused(WEBSOCKET_PING, "b", 1, WEBSOCKET_PROTOCOL_ERROR);                    /* a ping in pieces */
    refused(TEST_FIN | WEBSOCKET_PING, text, 126, WEBSOCKET_PROTOCOL_ERROR);
    refused(TEST_FIN | WEBSOCKET_BINARY, "b", 1, WEBSOCKET_UNSUPPORTED);
    refused(TEST_FIN | WEBSOCKET_TEXT, "\xc3", 1, WEBSOCKET_BAD_TEXT);
    refused(TEST_FIN | WEBSOCKET_TEXT, "\xed\xa0\x80", 3, WEBSOCKET_BAD_TEXT); /* a surrogate */
    refused(TEST_FIN | WEBSOCKET_CLOSE, "\x03", 1, WEBSOCKET_PROTOCOL_ERROR);
    refused(TEST_FIN | WEBSOCKET_CLOSE, "\x03\xed", 2, WEBSOCKET_PROTOCOL_ERROR); /* 1005 is never sent */
    refused(TEST_FIN | WEBSOCKET_CLOSE, "\x03\xe8\xff", 3, WEBSOCKET_BAD_TEXT);
    test_add_frame(&frames, WEBSOCKET_TEXT, "b", 1); /* a message within a message */
    test_add_text(&frames, "c");
    check(&frames, WEBSOCKET_PROTOCOL_ERROR, "");
}

static void test_not_masked(void **state)
{
    struct test_frames frames = {.bytes = "\x81\x01"
                                          "a",
                                 .size_bytes = 3};
    (void)state;
    check(&frames, WEBSOCKET_PROTOCOL_ERROR, "");
}

static void test_lengths_in_a_longer_form_than_needed(void **state)
{
    struct test_frames frames = {.bytes = "\x81\xfe\x00\x01mask"
                                          "a",
                                 .size_bytes = 9};
    (void)state;
    check(&frames, WEBSOCKET_PROTOCOL_ERROR, "");
}

static void test_too_big(void **state)
{
    struct test_frames *frames = calloc(1, sizeof *frames);
    static char text[LIMIT_WS_MESSAGE_BYTES + 1];
    struct test_frames huge = {.bytes = "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xffmaska", .size_bytes = 15};
    (void)state;
    memset(text, 'x', sizeof text);
    test_add_frame(frames, TEST_FIN | WEBSOCKET_TEXT, text, sizeof text);
    check(frames, WEBSOCKET_TOO_BIG, "");
    frames->size_bytes = 0;
    test_add_frame(frames, WEBSOCKET_TEXT, text, sizeof text - 1); /* all pieces together count */
    test_add_frame(frames, TEST_FIN | WEBSOCKET_CONTINUATION, text, 1);
    check(frames, WEBSOCKET_TOO_BIG, "");
    check(&huge, WEBSOCKET_TOO_BIG, "");
    free(frames);
}

static void test_half_a_frame_is_not_empty(void **state)
{
    struct test_frames frames = {0};
    struct seen seen;
    bool is_empty;
    (void)state;
    test_add_text(&frames, "abc");
    for (size_t size_bytes = frames.size_bytes - 1; size_bytes > 0; size_bytes--) {
        frames.size_bytes = size_bytes;
        assert_int_equal(feed(&frames, TEST_FRAME_BYTES, &seen, &is_empty), 0);
        assert_false(is_empty);
        assert_int_equal(seen.text.size_bytes, 0);
        buffer_release(&seen.text);
    }
    frames.size_bytes = 0;
    test_add_frame(&frames, WEBSOCKET_TEXT, "abc", 3); /* a whole frame, half a message */
    assert_int_equal(feed(&frames, TEST_FRAME_BYTES, &seen, &is_empty), 0);
    assert_false(is_empty);
    buffer_release(&seen.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),   cmocka_unit_test(test_pieces_and_control_frames_between),
        cmocka_unit_test(test_close),      cmocka_unit_test(test_broken_frames),
        cmocka_unit_test(test_not_masked), cmocka_unit_test(test_lengths_in_a_longer_form_than_needed),
        cmocka_unit_test(test_too_big),    cmocka_unit_test(test_half_a_frame_is_not_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
