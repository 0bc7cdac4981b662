/* Asset: look-up, content types, headers that choose, and what goes over the wire. */
#include "http/test_server.h"

#include "http/asset.h"
#include "http/router.h"

#include <stdio.h>

#define HOST "Host: localhost\r\n"

static const struct asset items[] = {
    {"assets/app-1f.js",
     {{(const unsigned char *)"plain text", 10, "\"aa\""},
      {(const unsigned char *)"\x1f\x8b zipped", 9, "\"bb-gz\""},
      {(const unsigned char *)"brotli", 6, "\"cc-br\""}}},
    {"empty.txt", {{(const unsigned char *)"", 0, "\"ee\""}}},
    {"index.html", {{(const unsigned char *)"<p>hello</p>", 12, "\"dd\""}}},
};
static const struct asset_table table = {items, sizeof items / sizeof *items};

static struct test_server server;

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    struct err err;
    (void)context;
    const struct asset *asset = asset_find(&table, request->path);
    if (asset == NULL) {
        (void)err_set(&err, ERR_NOT_FOUND, "nothing at '%s'", request->path);
        http_response_header(response, "X-Lost", "by the error");
        http_respond_error(response, &err);
        return;
    }
    asset_respond(asset, request, response);
    if (strcmp(asset->path, "empty.txt") == 0)
        memcpy(response->attachment, "job-7.txt", 10);
}

static int set_up(void **state)
{
    (void)state;
    test_server_start(&server, (struct listener_options){.handle = handle, .request_time_ms = 10000});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_server_stop(&server);
    return 0;
}

static void paths_are_looked_up_as_they_are(void **state)
{
    (void)state;
    const struct asset_table none = {NULL, 0};
    for (size_t i = 0; i < table.count; i++)
        assert_ptr_equal(asset_find(&table, items[i].path), &items[i]);
    assert_ptr_equal(asset_find(&table, "/index.html"), &items[2]);
    const char *const strangers[] = {
        "",    "/",         "//index.html", "../index.html",        "assets",    "assets/", "a",
        "zzz", "index.htm", "index.html/",  "assets/../index.html", "INDEX.HTML"};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        assert_null(asset_find(&table, strangers[i]));
    assert_null(asset_find(&none, "index.html"));
}

static void types_go_by_the_ending(void **state)
{
    (void)state;
    assert_string_equal(asset_type("a/b.html"), "text/html; charset=utf-8");
    assert_string_equal(asset_type("x.min.js"), "text/javascript; charset=utf-8");
    assert_string_equal(asset_type("f.woff2"), "font/woff2");
    assert_string_equal(asset_type("openapi.json"), "application/json");
    assert_string_equal(asset_type("noending"), "application/octet-stream");
    assert_string_equal(asset_type(".html"), "application/octet-stream"); /* a hidden file, not an ending */
    assert_string_equal(asset_type("x.html.exe"), "application/octet-stream");
}

static void tags_are_compared_weakly(void **state)
{
    (void)state;
    assert_true(asset_tag_matches("\"a\"", "\"a\""));
    assert_true(asset_tag_matches("\"x\", W/\"a\" ,\"y\"", "\"a\""));
    assert_true(asset_tag_matches("*", "\"a\""));
    assert_false(asset_tag_matches(NULL, "\"a\""));
    assert_false(asset_tag_matches("", "\"a\""));
    assert_false(asset_tag_matches("a", "\"a\""));
    assert_false(asset_tag_matches("\"ab\"", "\"a\""));
    assert_false(asset_tag_matches("W/", "\"a\""));
}

static void codings_are_accepted_as_rfc_9110_says(void **state)
{
    (void)state;
    assert_true(asset_coding_accepted("gzip, deflate, br, zstd", "br"));
    assert_true(asset_coding_accepted("GZIP;q=0.5", "gzip"));
    assert_true(asset_coding_accepted("*", "br"));
    assert_true(asset_coding_accepted("*;q=0, br", "br"));
    assert_false(asset_coding_accepted("*, br;q=0", "br"));
    assert_false(asset_coding_accepted("br;q=0.000", "br"));
    assert_true(asset_coding_accepted("br; q=0.001", "br"));
    assert_false(asset_coding_accepted("gzip", "br"));
    assert_false(asset_coding_accepted("brotli", "br"));
    assert_false(asset_coding_accepted(NULL, "br"));
    assert_false(asset_coding_accepted("", "br"));
    assert_false(asset_coding_accepted(",;,", "br"));
}

static void assert_header(const struct test_answer *answer, const char *name, const char *value)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *found = test_answer_header(answer, wanted);
    if (value == NULL) {
        assert_string_equal(found, "");
        return;
    }
    assert_memory_equal(found, value, strlen(value));
    assert_memory_equal(found + strlen(value), "\r\n", 2);
}

static void a_file_has_its_headers(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    struct test_answer answer = test_exchange(client, "GET /index.html HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "<p>hello</p>");
    assert_header(&answer, "Content-Type", "text/html; charset=utf-8");
    assert_header(&answer, "ETag", "\"dd\"");
    assert_header(&answer, "Cache-Control", "no-cache");
    assert_header(&answer, "Content-Length", "12");
    assert_header(&answer, "X-Content-Type-Options", "nosniff");
    assert_header(&answer, "Vary", NULL);
    assert_header(&answer, "Content-Encoding", NULL);
    free(answer.body);
    close(client);
}

static void the_smallest_accepted_body_is_sent(void **state)
{
    static const struct {
        const char *accept, *body, *encoding, *etag;
    } cases[] = {{"", "plain text", NULL, "\"aa\""},
                 {"Accept-Encoding: gzip\r\n", "\x1f\x8b zipped", "gzip", "\"bb-gz\""},
                 {"Accept-Encoding: gzip, br\r\n", "brotli", "br", "\"cc-br\""},
                 {"Accept-Encoding: br;q=0, gzip;q=0\r\n", "plain text", NULL, "\"aa\""}};
    (void)state;
    int client = test_connect(server.port);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256];
        (void)snprintf(request, sizeof request, "GET /assets/app-1f.js HTTP/1.1\r\n" HOST "%s\r\n",
                       cases[i].accept);
        struct test_answer answer = test_exchange(client, request);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, cases[i].body);
        assert_header(&answer, "Content-Encoding", cases[i].encoding);
        assert_header(&answer, "ETag", cases[i].etag);
        assert_header(&answer, "Vary", "Accept-Encoding");
        assert_header(&answer, "Cache-Control", "public, max-age=31536000, immutable");
        free(answer.body);
    }
    close(client);
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    for (int round = 0; round < 3; round++) { /* a body after a 304 would garble the next */
        struct test_answer answer =
            test_exchange(client, "GET /index.html HTTP/1.1\r\n" HOST "If-None-Match: \"dd\"\r\n\r\n");
        assert_int_equal(answer.status, 304);
        assert_header(&answer, "ETag", "\"dd\"");
        assert_header(&answer, "Content-Type", NULL);
        free(answer.body);
        answer = test_exchange(client, "GET /index.html HTTP/1.1\r\n" HOST "If-None-Match: \"old\"\r\n\r\n");
        assert_int_equal(answer.status, 200);
        free(answer.body);
        /* the tag of another coding is the tag of other bytes */
        answer = test_exchange(client, "GET /assets/app-1f.js HTTP/1.1\r\n" HOST
                                       "Accept-Encoding: br\r\nIf-None-Match: \"aa\"\r\n\r\n");
        assert_int_equal(answer.status, 200);
        free(answer.body);
    }
    close(client);
}

static void head_has_length_and_no_body(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    for (int round = 0; round < 2; round++) {
        struct test_answer answer =
            test_exchange(client, "HEAD /assets/app-1f.js HTTP/1.1\r\n" HOST "Accept-Encoding: br\r\n\r\n");
        assert_int_equal(answer.status, 200);
        assert_header(&answer, "Content-Length", "6");
        assert_header(&answer, "Content-Encoding", "br");
        free(answer.body);
    }
    close(client);
}

static void an_empty_file_and_a_download(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    struct test_answer answer = test_exchange(client, "GET /empty.txt HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_bytes, 0);
    assert_header(&answer, "Content-Length", "0");
    assert_header(&answer, "Content-Disposition", "attachment; filename=\"job-7.txt\"");
    free(answer.body);
    close(client);
}

static void an_error_drops_the_headers(void **state)
{
    (void)state;
    int client = test_connect(server.port);
    struct test_answer answer = test_exchange(client, "GET /nothing HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(answer.status, 404);
    assert_header(&answer, "X-Lost", NULL);
    assert_header(&answer, "Content-Type", "application/json");
    free(answer.body);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_looked_up_as_they_are),
        cmocka_unit_test(types_go_by_the_ending),
        cmocka_unit_test(tags_are_compared_weakly),
        cmocka_unit_test(codings_are_accepted_as_rfc_9110_says),
        cmocka_unit_test_setup_teardown(a_file_has_its_headers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_smallest_accepted_body_is_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_client_has_is_not_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_has_length_and_no_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_file_and_a_download, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_drops_the_headers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
