/* The handshake: the example of RFC 6455, 1.3, and everything that must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/websocket_handshake.h"

#include <string.h>

static struct websocket_handshake good(void)
{
    return (struct websocket_handshake){.method = "GET",
                                        .upgrade = "websocket",
                                        .connection = "keep-alive, Upgrade",
                                        .version = "13",
                                        .key = "dGhlIHNhbXBsZSBub25jZQ==",
                                        .is_http_1_1 = true};
}

static void refused(struct websocket_handshake handshake, int status, const char *part)
{
    struct err err = {0};
    assert_int_equal(websocket_check(&handshake, &err), status);
    if (strstr(err.text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, err.text);
}

static void test_good(void **state)
{
    struct websocket_handshake handshake = good();
    char accept[WEBSOCKET_ACCEPT_BYTES];
    struct err err = {0};
    (void)state;
    assert_int_equal(websocket_check(&handshake, &err), 101);
    websocket_accept_key(handshake.key, accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    handshake.upgrade = "h2c, WebSocket";
    handshake.connection = "UPGRADE";
    assert_int_equal(websocket_check(&handshake, &err), 101);
}

static void test_not_a_websocket_client(void **state)
{
    struct websocket_handshake handshake = good();
    (void)state;
    handshake.upgrade = NULL;
    refused(handshake, 426, "Upgrade: websocket");
    handshake.upgrade = "websockets";
    refused(handshake, 426, "Upgrade: websocket");
    handshake = good();
    handshake.method = "POST";
    refused(handshake, 426, "WebSocket only");
    handshake = good();
    handshake.is_http_1_1 = false;
    refused(handshake, 426, "HTTP/1.1");
}

static void test_another_version(void **state)
{
    struct websocket_handshake handshake = good();
    (void)state;
    handshake.version = "8";
    refused(handshake, 426, "version '8'");
    handshake.version = NULL;
    refused(handshake, 426, "version ''");
}

static void test_broken(void **state)
{
    static const char *const keys[] = {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                                       "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZQAA"};
    struct websocket_handshake handshake = good();
    (void)state;
    handshake.connection = "close";
    refused(handshake, 400, "Connection: Upgrade");
    handshake = good();
    handshake.has_body = true;
    refused(handshake, 400, "no body");
    handshake = good();
    handshake.key = NULL;
    refused(handshake, 400, "16 bytes");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        handshake.key = keys[i];
        refused(handshake, 400, "16 bytes");
    }
}

static void test_tokens(void **state)
{
    (void)state;
    assert_true(websocket_has_token(" a ,\tupgrade ", "Upgrade"));
    assert_false(websocket_has_token("", "a"));
    assert_false(websocket_has_token(NULL, "a"));
    assert_false(websocket_has_token("ab", "a"));
    assert_false(websocket_has_token(",, ,", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good), cmocka_unit_test(test_not_a_websocket_client),
        cmocka_unit_test(test_another_version), cmocka_unit_test(test_broken), cmocka_unit_test(test_tokens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
