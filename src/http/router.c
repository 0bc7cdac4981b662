/* Router: see router.h. A table has a few dozen rows, and comparing a path with all of them costs less than
 * reading the request did; so there is no tree. */
#include "http/router.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Takes the segment behind the leading '/' off the front; false at the end. "/" is one empty segment. */
static bool take_segment(struct text *rest, struct text *segment)
{
    if (rest->size_bytes == 0 || rest->data[0] != '/')
        return false;
    const char *begin = rest->data + 1;
    size_t left_bytes = rest->size_bytes - 1;
    const char *end = left_bytes == 0 ? NULL : memchr(begin, '/', left_bytes);
    segment->data = begin;
    segment->size_bytes = end == NULL ? left_bytes : (size_t)(end - begin);
    rest->data = begin + segment->size_bytes;
    rest->size_bytes = left_bytes - segment->size_bytes;
    return true;
}

static bool is_parameter(struct text segment)
{
    return segment.size_bytes > 2 && segment.data[0] == '{' && segment.data[segment.size_bytes - 1] == '}';
}

/* A parameter is never empty, and one that is too long names nothing that exists. */
static bool matches(const char *pattern, const char *path, struct route_match *match)
{
    struct text pattern_rest = text_of(pattern), path_rest = text_of(path), want, have;
    size_t count = 0;
    while (take_segment(&pattern_rest, &want)) {
        if (!take_segment(&path_rest, &have))
            return false;
        if (!is_parameter(want)) {
            if (want.size_bytes != have.size_bytes || memcmp(want.data, have.data, want.size_bytes) != 0)
                return false;
            continue;
        }
        if (count == ROUTE_PARAMETERS || have.size_bytes == 0 ||
            !text_copy(have, match->parameters[count], ROUTE_PARAMETER_BYTES))
            return false;
        count++;
    }
    return path_rest.size_bytes == 0;
}

static bool serves(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* "GET, HEAD, POST": every method that this path has a row for. */
static void add_allowed(const struct route *route, char *allow, size_t allow_bytes)
{
    size_t used_bytes = strlen(allow);
    (void)snprintf(allow + used_bytes, allow_bytes - used_bytes, "%s%s%s", used_bytes > 0 ? ", " : "",
                   route->method, strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
}

static void call(const struct route *route, void *context, const struct route_match *match,
                 struct http_response *response)
{
    struct err err;
    err.text[0] = err.field[0] = '\0';
    enum err_code code = route->handle(context, match, response, &err);
    if (code == ERR_OK)
        return;
    if (err.text[0] == '\0')
        (void)err_set(&err, code, "%s", err_sentence(code));
    err.code = code;
    http_respond_error(response, &err);
}

void router_dispatch(const struct route *routes, void *context, const struct http_request *request,
                     struct http_response *response)
{
    struct route_match match;
    struct err err;
    char allow[sizeof response->allow] = "";
    match.request = request;
    for (const struct route *route = routes; route->method != NULL; route++) {
        if (!matches(route->pattern, request->path, &match))
            continue;
        if (serves(route, request->method)) {
            response->route = route->pattern;
            call(route, context, &match, response);
            return;
        }
        add_allowed(route, allow, sizeof allow);
    }
    if (allow[0] == '\0')
        (void)err_set(&err, ERR_NOT_FOUND, "no such route: '%.200s'", request->path);
    else
        (void)err_set(&err, ERR_METHOD, "'%.200s' has no method '%.20s': use %s", request->path,
                      request->method, allow);
    http_respond_error(response, &err);
    memcpy(response->allow, allow, sizeof allow);
}
