/* Router: which row a request finds, what it is told when there is none, and the shape of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/router.h"

#include <stdio.h>
#include <string.h>

static enum err_code answer(struct http_response *response, const char *name, const struct route_match *match,
                            size_t parameters)
{
    buffer_append_text(&response->body, name);
    for (size_t index = 0; index < parameters; index++)
        buffer_printf(&response->body, " %s", match->parameters[index]);
    return ERR_OK;
}

static enum err_code root(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    (void)err;
    assert_string_equal(context, "context");
    return answer(response, "root", match, 0);
}

static enum err_code jobs(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    (void)context;
    (void)err;
    return answer(response, match->request->method, match, 0);
}

static enum err_code job(void *context, const struct route_match *match, struct http_response *response,
                         struct err *err)
{
    (void)context;
    (void)err;
    return answer(response, "job", match, 1);
}

static enum err_code newest(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err)
{
    (void)context;
    (void)err;
    return answer(response, "newest", match, 0);
}

static enum err_code four(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    (void)context;
    (void)err;
    return answer(response, "four", match, 4);
}

static enum err_code failing(void *context, const struct route_match *match, struct http_response *response,
                             struct err *err)
{
    (void)context;
    (void)match;
    response->status = 201;
    response->content_type = "text/csv";
    buffer_append_text(&response->body, "half,an,answer");
    return err_set_field(err, ERR_INVALID, "stake", "stake 0 is not above 0");
}

static enum err_code silent(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err)
{
    (void)context;
    (void)match;
    (void)response;
    (void)err;
    return ERR_BUSY; /* and no text */
}

static const struct route routes[] = {
    {"GET", "/", root, "Root."},
    {"GET", "/jobs", jobs, "List."},
    {"POST", "/jobs", jobs, "New."},
    {"GET", "/jobs/newest", newest, "Newest; before the row with a parameter."},
    {"GET", "/jobs/{id}", job, "One."},
    {"POST", "/jobs/{id}/stop", job, "Stop."},
    {"DELETE", "/{a}/{b}/{c}/{d}", four, "Four."},
    {"POST", "/failing", failing, "Fails."},
    {"GET", "/silent", silent, "Fails without a word."},
    {NULL, NULL, NULL, NULL},
};

static struct http_response response;

static int set_up(void **state)
{
    (void)state;
    response = (struct http_response){.status = 200, .content_type = "application/json"};
    buffer_init(&response.body, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_release(&response.body);
    return 0;
}

static void ask(const char *method, const char *path, int status, const char *body)
{
    char context[] = "context";
    struct http_request request = {.method = method, .path = path, .body = ""};
    buffer_clear(&response.body);
    response.status = 200;
    response.allow[0] = '\0';
    router_dispatch(routes, context, &request, &response);
    assert_string_equal(buffer_text(&response.body), body);
    assert_int_equal(response.status, status);
}

static void rows_are_found(void **state)
{
    (void)state;
    ask("GET", "/", 200, "root");
    ask("GET", "/jobs", 200, "GET");
    ask("POST", "/jobs", 200, "POST");
    ask("HEAD", "/jobs", 200, "HEAD");
    assert_string_equal(response.allow, "");
}

static void parameters_are_handed_over_in_order(void **state)
{
    (void)state;
    ask("GET", "/jobs/7", 200, "job 7");
    ask("GET", "/jobs/a b\xc3\xa9", 200, "job a b\xc3\xa9");
    ask("GET", "/jobs/newest", 200, "newest");
    ask("POST", "/jobs/7/stop", 200, "job 7");
    ask("DELETE", "/1/22/333/4", 200, "four 1 22 333 4");
}

static void what_is_not_there_is_404(void **state)
{
    static const char *const paths[] = {
        "/job",    "/jobs/", "/jobs//stop", "/jobs/7/", "/jobs/7/start",
        "/Jobs",   "//",     "/1/22/333",   "",         "/jobs/7/stop/now/please",
        "/jobs/7?"};
    char body[256];
    (void)state;
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        (void)snprintf(
            body, sizeof body,
            "{\"error\":{\"code\":\"not_found\",\"message\":\"no such route: '%s'\",\"field\":null}}",
            paths[index]);
        if (strcmp(paths[index], "/jobs/7?") == 0)
            ask("GET", paths[index], 200,
                "job 7?"); /* the listener has cut the query off; the rest is a name */
        else
            ask("GET", paths[index], 404, body);
    }
    assert_string_equal(response.content_type, "application/json");
}

static void a_parameter_has_a_length(void **state)
{
    char path[ROUTE_PARAMETER_BYTES + 16] = "/jobs/", want[ROUTE_PARAMETER_BYTES + 16] = "job ";
    struct http_request request = {.method = "GET", .path = path, .body = ""};
    (void)state;
    memset(path + 6, 'x', ROUTE_PARAMETER_BYTES - 1);
    memset(want + 4, 'x', ROUTE_PARAMETER_BYTES - 1);
    ask("GET", path, 200, want);
    path[6 + ROUTE_PARAMETER_BYTES - 1] = 'x';
    router_dispatch(routes, NULL, &request, &response);
    assert_int_equal(response.status, 404);
}

static void wrong_methods_are_told_the_right_ones(void **state)
{
    (void)state;
    ask("DELETE", "/jobs", 405,
        "{\"error\":{\"code\":\"method\",\"message\":\"'/jobs' has no method 'DELETE': use GET, HEAD, POST\","
        "\"field\":null}}");
    assert_string_equal(response.allow, "GET, HEAD, POST");
    ask("GET", "/jobs/7/stop", 405,
        "{\"error\":{\"code\":\"method\",\"message\":\"'/jobs/7/stop' has no method 'GET': use POST\","
        "\"field\":null}}");
    assert_string_equal(response.allow, "POST");
    ask("HEAD", "/failing", 405,
        "{\"error\":{\"code\":\"method\",\"message\":\"'/failing' has no method 'HEAD': use "
        "POST\",\"field\":null}}");
    ask("GET", "/a/b/c/d", 405,
        "{\"error\":{\"code\":\"method\",\"message\":\"'/a/b/c/d' has no method 'GET': use "
        "DELETE\",\"field\":null}}");
}

static void errors_replace_what_was_written(void **state)
{
    (void)state;
    ask("POST", "/failing", 400,
        "{\"error\":{\"code\":\"invalid\",\"message\":\"stake 0 is not above 0\",\"field\":\"stake\"}}");
    assert_string_equal(response.content_type, "application/json");
    ask("GET", "/silent", 503,
        "{\"error\":{\"code\":\"busy\",\"message\":\"Another process holds the resource; try "
        "again.\",\"field\":null}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameters_are_handed_over_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_404, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_parameter_has_a_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_methods_are_told_the_right_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_replace_what_was_written, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
