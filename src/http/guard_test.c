/* Guard: targets, framing, Host and Origin, as text. What the listener makes of them is in listener_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/guard.h"

#include <string.h>

static void targets(void **state)
{
    static const char *const good[] = {"/",        "/a/b?c=d&e", "/%41%7a%C3%A9",
                                       "/a?b=%0A", "/?",         "/~!$&'()*+,;=:@|\"<>"};
    static const char *const bad[] = {"",
                                      "*",
                                      "a",
                                      "/%",
                                      "/%4",
                                      "/%4g",
                                      "/%g4",
                                      "/%00",
                                      "/%0a",
                                      "/%7F",
                                      "/a b",
                                      "/a\tb",
                                      "/\x7f",
                                      "/\xc3\xa9",
                                      "/?%",
                                      "/?%00",
                                      "/?a b",
                                      "?/",
                                      "http://localhost/"};
    struct err err;
    (void)state;
    for (size_t index = 0; index < sizeof good / sizeof *good; index++)
        if (guard_check_target(good[index], &err) != ERR_OK)
            fail_msg("'%s': %s", good[index], err.text);
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++)
        if (guard_check_target(bad[index], &err) != ERR_INVALID)
            fail_msg("'%s' passes", bad[index]);
    enum err_code code = guard_check_target("/a%0", &err);
    assert_int_equal(code, ERR_INVALID);
    assert_string_equal(err.text, "incomplete percent-escape '%0': write '%25' for a percent sign");
}

static void paths_are_utf_8(void **state)
{
    struct err err;
    (void)state;
    assert_true(guard_check_path("/caf\xc3\xa9", &err) == ERR_OK);
    assert_true(guard_check_path("/caf\xe9", &err) == ERR_INVALID);
    assert_true(guard_check_path("/\xc0\xaf", &err) == ERR_INVALID); /* an overlong '/' */
}

struct header {
    const char *name, *value;
};

static struct guard collect(const struct header *headers)
{
    struct guard guard = {0};
    for (; headers->name != NULL; headers++)
        guard_take_header(&guard, headers->name, headers->value);
    return guard;
}

#define COLLECT(...) collect((const struct header[]){__VA_ARGS__, {NULL, NULL}})

static int64_t framing(struct guard guard)
{
    struct err err;
    int64_t length_bytes;
    enum err_code code = guard_check_framing(&guard, &length_bytes, &err);
    return code == ERR_OK ? length_bytes : -2;
}

static void framing_is_beyond_doubt(void **state)
{
    (void)state;
    assert_int_equal(framing(COLLECT({"Accept", "x"})), -1);
    assert_int_equal(framing(COLLECT({"content-LENGTH", "12"})), 12);
    assert_int_equal(framing(COLLECT({"Content-Length", "0"})), 0);
    assert_int_equal(framing(COLLECT({"Transfer-Encoding", "Chunked"})), -1);
    assert_int_equal(framing(COLLECT({"Content-Length", "1"}, {"Content-Length", "1"})), -2);
    assert_int_equal(framing(COLLECT({"Content-Length", "1"}, {"Transfer-Encoding", "chunked"})), -2);
    assert_int_equal(framing(COLLECT({"Transfer-Encoding", "chunked"}, {"transfer-encoding", "chunked"})),
                     -2);
    assert_int_equal(framing(COLLECT({"Transfer-Encoding", "identity"})), -2);
    assert_int_equal(framing(COLLECT({"Transfer-Encoding", ""})), -2);
    assert_int_equal(framing(COLLECT({"Transfer-Encoding", NULL})), -2);
    assert_int_equal(framing(COLLECT({"Content-Length", ""})), -2);
    assert_int_equal(framing(COLLECT({"Content-Length", "1 "})), -2);
    assert_int_equal(framing(COLLECT({"Content-Length", "+1"})), -2);
    assert_int_equal(framing(COLLECT({"Content-Length", "-1"})), -2);
    assert_int_equal(framing(COLLECT({"Content-Length", "99999999999999999999"})), -2);
    assert_int_equal(framing(COLLECT({"Content-Length ", "1"})), -2);
    assert_int_equal(framing(COLLECT({" Host", "x"})), -2);
    assert_int_equal(framing(COLLECT({"", "x"})), -2);
    assert_int_equal(framing(COLLECT({"X\x01", "x"})), -2);
    assert_int_equal(framing(COLLECT({"X\xc3\xa9", "x"})), -2);
    assert_int_equal(framing(COLLECT({"Host", "a"}, {"host", "a"})), -2);
    assert_true(COLLECT({"Expect", "100-continue"}).expects_continue);
}

static enum err_code host(const char *value, const char *address)
{
    struct err err;
    struct guard guard = COLLECT({"Host", value});
    return guard_check_access(&guard, address, true, true, &err);
}

static void hosts(void **state)
{
    static const char *const own[] = {"localhost",       "LOCALHOST:80", "127.0.0.1",
                                      "127.0.0.1:65535", "[::1]",        "[::1]:1"};
    static const char *const foreign[] = {"",
                                          ":80",
                                          "example.com",
                                          "localhost.",
                                          "localhost:",
                                          "localhost:x",
                                          "localhost:123456",
                                          "127.0.0.1.example.com",
                                          "[::1",
                                          "[::1]x",
                                          "[::1]:",
                                          "[]",
                                          "::1",
                                          "localhost@example.com",
                                          "127.0.0.2",
                                          "localhost ",
                                          "[localhost]"};
    (void)state;
    for (size_t index = 0; index < sizeof own / sizeof *own; index++)
        if (host(own[index], "127.0.0.1") != ERR_OK)
            fail_msg("'%s' is refused", own[index]);
    for (size_t index = 0; index < sizeof foreign / sizeof *foreign; index++)
        if (host(foreign[index], "127.0.0.1") != ERR_FORBIDDEN)
            fail_msg("'%s' passes", foreign[index]);
    assert_int_equal(host("192.168.1.9:80", "192.168.1.9"), ERR_OK);
    assert_int_equal(host("192.168.1.9:80", "0.0.0.0"),
                     ERR_OK); /* digits cannot be made to point elsewhere */
    assert_int_equal(host("[fe80::1]:80", "::"), ERR_OK);
    assert_int_equal(host("192.168.1.9.example.com", "0.0.0.0"), ERR_FORBIDDEN);
    assert_int_equal(host("[fe80::1]", "fe80::1"), ERR_OK);
}

static void a_missing_host_is_for_http_1_0(void **state)
{
    struct guard guard = {0};
    struct err err;
    (void)state;
    assert_true(guard_check_access(&guard, "127.0.0.1", true, true, &err) == ERR_INVALID);
    assert_true(guard_check_access(&guard, "127.0.0.1", true, false, &err) == ERR_OK);
}

static enum err_code origin(const char *value, bool only_reads)
{
    struct err err;
    struct guard guard = COLLECT({"Host", "localhost"}, {"Origin", value});
    return guard_check_access(&guard, "127.0.0.1", only_reads, true, &err);
}

static void origins(void **state)
{
    (void)state;
    assert_int_equal(origin("http://localhost:3000", false), ERR_OK);
    assert_int_equal(origin("HTTPS://127.0.0.1", false), ERR_OK);
    assert_int_equal(origin("http://[::1]:8080", false), ERR_OK);
    assert_int_equal(origin("http://example.com", false), ERR_FORBIDDEN);
    assert_int_equal(origin("http://localhost.example.com", false), ERR_FORBIDDEN);
    assert_int_equal(origin("http://localhost@example.com", false), ERR_FORBIDDEN);
    assert_int_equal(origin("ftp://localhost", false), ERR_FORBIDDEN);
    assert_int_equal(origin("http://", false), ERR_FORBIDDEN);
    assert_int_equal(origin("null", false), ERR_FORBIDDEN);
    assert_int_equal(origin("", false), ERR_FORBIDDEN);
    assert_int_equal(origin("http://example.com", true), ERR_OK);
}

static void an_upgrade_is_noticed(void **state)
{
    struct guard plain = COLLECT({"Host", "localhost"}), upgrading = COLLECT({"uPGRADE", "websocket"});
    (void)state;
    assert_false(plain.upgrades);
    assert_true(upgrading.upgrades);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),
        cmocka_unit_test(paths_are_utf_8),
        cmocka_unit_test(framing_is_beyond_doubt),
        cmocka_unit_test(hosts),
        cmocka_unit_test(a_missing_host_is_for_http_1_0),
        cmocka_unit_test(origins),
        cmocka_unit_test(an_upgrade_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
