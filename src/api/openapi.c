/* Openapi: see openapi.h. The document is put together as a jansson tree, which is read and walked more easily than
 * written text; it is made when it is first asked for, in a few milliseconds, and kept.
 *
 * Every operation gets, beside what its fragment says: a summary (the row's sentence), an id, the resource as its tag, the
 * parameters of its path when the fragment has nothing better, and the shared error as the default response. */
#include "api/openapi.h"

#include "api/api.h"
#include "api/openapi_options.h"
#include "base/hash.h"
#include "base/text.h"
#include "task/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_BYTES = 8 << 20, NAME_BYTES = 256 };

static const char about[] = "Forecasts of football matches, and the control room of their models. Errors "
                            "have one shape, whatever the route: "
                            "`{\"error\": {\"code\", \"message\", \"field\"}}`. Times are UTC, ISO 8601. GET "
                            "routes answer HEAD as well.";

struct work {
    json_t *paths;      /* of the fragments: path -> method -> operation */
    json_t *components; /* kind -> name -> component */
    json_t *out_paths;
    struct buffer *problems; /* may be NULL */
};

static void complain(struct work *work, const char *what, const char *name)
{
    if (work->problems != NULL)
        buffer_printf(work->problems, "%s '%s'\n", what, name);
}

/* ---- fragments ---- */

/* Members of `from` join `to`. */
static void merge(struct work *work, json_t *to, json_t *from, const char *twice)
{
    const char *name;
    json_t *value;
    json_object_foreach(from, name, value)
    {
        if (json_object_get(to, name) != NULL)
            complain(work, twice, name);
        (void)json_object_set(to, name, value);
    }
}

static json_t *member_object(json_t *object, const char *name)
{
    json_t *member = json_object_get(object, name);
    if (member == NULL) {
        member = json_object();
        (void)json_object_set_new(object, name, member);
    }
    return member;
}

/* "jobs.json" -> tag "jobs" */
static void tag_operations(json_t *methods, const char *file)
{
    const char *method;
    json_t *operation;
    json_object_foreach(methods, method, operation)
    {
        if (json_object_get(operation, "tags") == NULL)
            (void)json_object_set_new(operation, "tags", json_pack("[s#]", file, (int)strcspn(file, ".")));
    }
}

static enum err_code take_fragment(struct work *work, const struct asset *file, struct err *err)
{
    json_t *fragment = NULL, *methods, *kind;
    const char *path, *name;
    const struct asset_body *body = &file->bodies[ASSET_PLAIN];
    enum err_code code = json_read((const char *)body->data, body->size_bytes, &fragment, err);
    if (code == ERR_OK && !json_is_object(fragment))
        code = err_set(err, ERR_INVALID, "it is no JSON object");
    if (code != ERR_OK) {
        struct err cause = *err;
        json_decref(fragment);
        return err_set(err, code, "schema fragment '%s': %s", file->path, cause.text);
    }
    json_object_foreach(json_object_get(fragment, "paths"), path, methods)
    {
        tag_operations(methods, file->path);
        merge(work, member_object(work->paths, path), methods, "two fragments describe a method of");
    }
    json_object_foreach(json_object_get(fragment, "components"), name, kind)
        merge(work, member_object(work->components, name), kind, "two fragments define the component");
    json_decref(fragment);
    return ERR_OK;
}

/* ---- components ---- */

static json_t *error_schema(void)
{
    json_t *codes = json_array();
    for (int i = 1; i < ERR_ORDINAL_COUNT; i++)
        (void)json_array_append_new(codes, json_string(err_name((enum err_code) - i)));
    json_t *members =
        json_pack("{s:{s:o},s:{s:s},s:{s:[s,s],s:s}}", "code", "enum", codes, "message", "type", "string",
                  "field", "type", "string", "null", "description", "the member or parameter at fault");
    return json_pack("{s:s,s:b,s:[s],s:{s:{s:s,s:b,s:[s,s,s],s:o}}}", "type", "object",
                     "additionalProperties", 0, "required", "error", "properties", "error", "type", "object",
                     "additionalProperties", 0, "required", "code", "message", "field", "properties",
                     members);
}

static void add_shared(struct work *work)
{
    json_t *schemas = member_object(work->components, "schemas");
    (void)json_object_set_new(schemas, "Error", error_schema());
    (void)json_object_set_new(member_object(work->components, "responses"), "Error",
                              json_pack("{s:s,s:{s:{s:{s:s}}}}", "description",
                                        "What was wrong, in the one shape of errors.", "content",
                                        "application/json", "schema", "$ref", "#/components/schemas/Error"));
    for (size_t i = 0; task_at(i) != NULL; i++) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof(name), "task_%s", task_at(i)->name);
        (void)json_object_set_new(schemas, name, openapi_options(task_at(i)->options, task_at(i)->doc));
    }
}

/* ---- routes ---- */

static void lower(const char *text, char *out, size_t out_bytes)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < out_bytes; i++)
        out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    out[i] = '\0';
}

/* "get_api_jobs_id" */
static void name_operation(const char *method, const char *pattern, char out[NAME_BYTES])
{
    size_t used = (size_t)snprintf(out, NAME_BYTES, "%s_", method);
    for (const char *at = pattern; *at != '\0' && used + 1 < NAME_BYTES; at++) {
        bool is_word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (is_word)
            out[used++] = *at;
        else if (out[used - 1] != '_')
            out[used++] = '_';
    }
    while (used > 0 && out[used - 1] == '_')
        used--;
    out[used] = '\0';
}

static bool has_path_parameter(const json_t *parameters, const char *name)
{
    size_t index;
    const json_t *parameter;
    json_array_foreach(parameters, index, parameter)
    {
        const char *own = json_string_value(json_object_get(parameter, "name"));
        const char *place = json_string_value(json_object_get(parameter, "in"));
        if (own != NULL && place != NULL && strcmp(own, name) == 0 && strcmp(place, "path") == 0)
            return true;
    }
    return false;
}

/* {id} is a number everywhere; other names are texts. */
static void add_path_parameters(json_t *operation, const char *pattern)
{
    for (const char *at = strchr(pattern, '{'); at != NULL; at = strchr(at + 1, '{')) {
        char name[NAME_BYTES];
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        json_t *parameters = json_object_get(operation, "parameters");
        if (has_path_parameter(parameters, name))
            continue;
        json_t *schema = strcmp(name, "id") == 0 ? json_pack("{s:s,s:i}", "type", "integer", "minimum", 1)
                                                 : json_pack("{s:s,s:i}", "type", "string", "minLength", 1);
        if (parameters == NULL)
            (void)json_object_set_new(operation, "parameters", parameters = json_array());
        (void)json_array_append_new(parameters, json_pack("{s:s,s:s,s:b,s:o}", "name", name, "in", "path",
                                                          "required", 1, "schema", schema));
    }
}

static void add_route(struct work *work, const struct route *route)
{
    char method[16], id[NAME_BYTES], both[NAME_BYTES];
    lower(route->method, method, sizeof(method));
    name_operation(method, route->pattern, id);
    (void)snprintf(both, sizeof(both), "%s %s", route->method, route->pattern);
    json_t *fragments = json_object_get(work->paths, route->pattern);
    json_t *fragment = json_object_get(fragments, method);
    if (fragment == NULL)
        complain(work, "no fragment in src/api/schema describes the route", both);
    json_t *operation =
        json_pack("{s:s,s:s}", "operationId", id, "summary", route->doc); /* first, for the reader */
    if (fragment != NULL)
        (void)json_object_update(operation, fragment);
    add_path_parameters(operation, route->pattern);
    (void)json_object_set_new(member_object(operation, "responses"), "default",
                              json_pack("{s:s}", "$ref", "#/components/responses/Error"));
    (void)json_object_set_new(member_object(work->out_paths, route->pattern), method, operation);
    (void)json_object_del(fragments, method); /* what stays has no route */
}

static void complain_of_leftovers(struct work *work)
{
    const char *path, *method;
    json_t *methods, *operation;
    json_object_foreach(work->paths, path, methods)
    {
        json_object_foreach(methods, method, operation)
        {
            char both[NAME_BYTES];
            (void)snprintf(both, sizeof(both), "%s %s", method, path);
            complain(work, "no route is described by the fragment", both);
        }
    }
}

/* ---- references ---- */

static bool leads_somewhere(const json_t *root, const char *reference)
{
    struct text rest = text_of(reference), part;
    char name[NAME_BYTES];
    if (!text_starts(rest, "#/"))
        return false;
    rest.data += 2;
    rest.size_bytes -= 2;
    while (root != NULL && text_split(&rest, '/', &part))
        root = text_copy(part, name, sizeof(name)) ? json_object_get(root, name) : NULL;
    return root != NULL;
}

/* Fragments are a few levels deep, bounded by LIMIT_JSON_DEPTH: the recursion is too. */
static void check_references(struct work *work, const json_t *root, json_t *value)
{
    const char *name;
    size_t index;
    json_t *item;
    json_object_foreach(value, name, item)
    {
        if (strcmp(name, "$ref") == 0 && json_is_string(item) &&
            !leads_somewhere(root, json_string_value(item)))
            complain(work, "nothing is at the reference", json_string_value(item));
        check_references(work, root, item);
    }
    json_array_foreach(value, index, item) check_references(work, root, item);
}

/* ---- the document ---- */

static enum err_code print(const json_t *root, bool is_indented, struct buffer *out, struct err *err)
{
    char *text = json_dumps(root, is_indented ? JSON_INDENT(1) : JSON_COMPACT);
    if (text == NULL)
        return err_nomem(err, DOCUMENT_BYTES);
    buffer_append_text(out, text);
    if (is_indented)
        buffer_append_char(out, '\n');
    free(text);
    return buffer_check(out, "the description of the API", err);
}

enum err_code openapi_write(const struct route *routes, const struct asset_table *fragments, bool is_indented,
                            struct buffer *out, struct buffer *problems, struct err *err)
{
    struct work work = {json_object(), json_object(), json_object(), problems};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < fragments->count; i++)
        code = take_fragment(&work, &fragments->items[i], err);
    if (code == ERR_OK) {
        add_shared(&work);
        for (const struct route *route = routes; route->method != NULL; route++)
            add_route(&work, route);
        complain_of_leftovers(&work);
        json_t *root = json_pack("{s:s,s:{s:s,s:s,s:s},s:[{s:s}],s:O,s:O}", "openapi", "3.1.0", "info",
                                 "title", "Almanac", "version", "1", "description", about, "servers", "url",
                                 "/", "paths", work.out_paths, "components", work.components);
        check_references(&work, root, root);
        code = print(root, is_indented, out, err);
        json_decref(root);
    }
    json_decref(work.paths);
    json_decref(work.components);
    json_decref(work.out_paths);
    return code;
}

/* ---- GET /openapi.json ---- */

struct openapi {
    struct buffer json;
    char etag[HASH_HEX_BYTES + 2];
    struct asset asset; /* of the two */
};

void openapi_destroy(struct openapi *openapi)
{
    if (openapi == NULL)
        return;
    buffer_release(&openapi->json);
    free(openapi);
}

static enum err_code create(struct openapi **out, struct err *err)
{
    struct hash hash;
    char hex[HASH_HEX_BYTES];
    struct openapi *openapi = calloc(1, sizeof(*openapi));
    if (openapi == NULL)
        return err_nomem(err, sizeof(*openapi));
    buffer_init(&openapi->json, DOCUMENT_BYTES);
    enum err_code code = openapi_write(api_routes, &asset_table_schema, false, &openapi->json, NULL, err);
    if (code != ERR_OK) {
        openapi_destroy(openapi);
        err->code = ERR_INTERNAL; /* not the request's fault */
        return ERR_INTERNAL;
    }
    hash_init(&hash);
    hash_add(&hash, openapi->json.data, openapi->json.size_bytes);
    hash_final_hex(&hash, hex);
    (void)snprintf(openapi->etag, sizeof(openapi->etag), "\"%s\"", hex);
    openapi->asset = (struct asset){"openapi.json",
                                    {[ASSET_PLAIN] = {(const unsigned char *)openapi->json.data,
                                                      openapi->json.size_bytes, openapi->etag}}};
    *out = openapi;
    return ERR_OK;
}

enum err_code api_openapi(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err);

enum err_code api_openapi(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    struct api *api = context;
    enum err_code code = api->openapi == NULL ? create(&api->openapi, err) : ERR_OK;
    if (code == ERR_OK)
        asset_respond(&api->openapi->asset, match->request, response);
    return code;
}
