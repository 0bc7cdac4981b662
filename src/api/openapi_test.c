/* Openapi: the real document is complete and stable, option tables say what their reader accepts, and what is missing or
 * wrong in fragments is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api.h"
#include "api/openapi.h"
#include "api/openapi_options.h"
#include "os/file.h"
#include "task/task.h"

#include <stdlib.h>
#include <string.h>

static json_t *document(const struct route *routes, const struct asset_table *fragments,
                        struct buffer *problems)
{
    struct err err;
    struct buffer out;
    json_t *json = NULL;
    buffer_init(&out, 8 << 20);
    buffer_init(problems, 1 << 20);
    assert_int_equal(openapi_write(routes, fragments, false, &out, problems, &err), ERR_OK);
    assert_int_equal(json_read(out.data, out.size_bytes, &json, &err), ERR_OK);
    buffer_release(&out);
    return json;
}

/* "paths", "/train", "post", NULL */
static json_t *at(json_t *json, ...)
{
    va_list names;
    va_start(names, json);
    for (const char *name; (name = va_arg(names, const char *)) != NULL;) {
        json = json_object_get(json, name);
        if (json == NULL)
            fail_msg("there is no '%s'", name);
    }
    va_end(names);
    return json;
}

static void every_route_is_described_and_nothing_else(void **state)
{
    struct buffer problems;
    (void)state;
    json_t *json = document(api_routes, &asset_table_schema, &problems);
    assert_string_equal(buffer_text(&problems), "");
    for (const struct route *route = api_routes; route->method != NULL; route++) {
        char method[16];
        size_t i = 0;
        for (; route->method[i] != '\0'; i++)
            method[i] = (char)(route->method[i] + 32);
        method[i] = '\0';
        json_t *operation = at(json, "paths", route->pattern, method, NULL);
        assert_string_equal(json_string_value(at(operation, "summary", NULL)), route->doc);
        (void)at(operation, "operationId", NULL);
        (void)at(operation, "tags", NULL);
        (void)at(operation, "responses", "default", "$ref", NULL);
    }
    json_decref(json);
    buffer_release(&problems);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    struct buffer a, b;
    struct err err;
    (void)state;
    buffer_init(&a, 8 << 20);
    buffer_init(&b, 8 << 20);
    assert_int_equal(openapi_write(api_routes, &asset_table_schema, true, &a, NULL, &err), ERR_OK);
    assert_int_equal(openapi_write(api_routes, &asset_table_schema, true, &b, NULL, &err), ERR_OK);
    assert_string_equal(buffer_text(&a), buffer_text(&b));
    assert_true(a.size_bytes > 20000);
    buffer_release(&a);
    buffer_release(&b);
}

static void the_binary_carries_the_files_of_the_folder(void **state)
{
    (void)state;
    assert_true(asset_table_schema.count >= 4);
    for (size_t i = 0; i < asset_table_schema.count; i++) {
        const struct asset *asset = &asset_table_schema.items[i];
        const struct asset_body *body = &asset->bodies[ASSET_PLAIN];
        char path[FILE_PATH_BYTES];
        struct buffer file;
        struct err err;
        assert_int_equal(file_join("src/api/schema", asset->path, path, &err), ERR_OK);
        buffer_init(&file, 8 << 20);
        assert_int_equal(file_read(path, &file, &err), ERR_OK);
        assert_int_equal(file.size_bytes, body->size_bytes);
        assert_memory_equal(file.data, body->data, body->size_bytes);
        assert_int_equal(body->data[body->size_bytes], '\0');
        assert_ptr_equal(asset_find(&asset_table_schema, asset->path), asset); /* the table is sorted */
        buffer_release(&file);
    }
}

static void a_task_accepts_what_its_options_say(void **state)
{
    struct buffer problems;
    (void)state;
    json_t *json = document(api_routes, &asset_table_schema, &problems);
    json_t *train = at(json, "components", "schemas", "task_train", NULL);
    assert_true(json_is_false(at(train, "additionalProperties", NULL)));
    json_t *folds = at(train, "properties", "folds", NULL);
    assert_int_equal(json_integer_value(at(folds, "maximum", NULL)), 20);
    assert_int_equal(json_integer_value(at(folds, "minimum", NULL)), 0);
    assert_int_equal(json_integer_value(at(folds, "default", NULL)), 5);
    json_t *holdout = at(train, "properties", "holdout", NULL);
    assert_true(json_real_value(at(holdout, "maximum", NULL)) == 0.9);
    json_t *target = at(train, "properties", "target", "enum", NULL);
    assert_string_equal(json_string_value(json_array_get(target, 1)), "ou25");
    assert_int_equal(json_array_size(target), 3); /* and null */
    for (size_t i = 0; task_at(i) != NULL; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "task_%s", task_at(i)->name);
        assert_int_equal(json_object_size(at(json, "components", "schemas", name, "properties", NULL)),
                         task_at(i)->options->count);
    }
    json_decref(json);
    buffer_release(&problems);
}

/* ---- tables of our own ---- */

static const struct route two_routes[] = {
    {"GET", "/a/{id}/b/{name}", NULL, "one"}, {"POST", "/c", NULL, "two"}, {NULL, NULL, NULL, NULL}};

static struct asset fragment(const char *path, const char *text)
{
    return (struct asset){path, {{(const unsigned char *)text, strlen(text), "\"\""}}};
}

static void problems_are_found(void **state)
{
    const struct asset files[] = {
        fragment("a.json", "{\"paths\":{\"/a/{id}/b/{name}\":{\"get\":{\"responses\":{\"200\":{\"$ref\":"
                           "\"#/components/responses/Missing\"}}}},\"/gone\":{\"put\":{}}},"
                           "\"components\":{\"schemas\":{\"X\":{}}}}"),
        fragment("b.json", "{\"components\":{\"schemas\":{\"X\":{\"type\":\"null\"}}}}"),
    };
    const struct asset_table table = {files, 2};
    struct buffer problems;
    (void)state;
    json_t *json = document(two_routes, &table, &problems);
    const char *text = buffer_text(&problems);
    assert_non_null(strstr(text, "no fragment in src/api/schema describes the route 'POST /c'"));
    assert_non_null(strstr(text, "no route is described by the fragment 'put /gone'"));
    assert_non_null(strstr(text, "two fragments define the component 'X'"));
    assert_non_null(strstr(text, "nothing is at the reference '#/components/responses/Missing'"));
    assert_null(json_object_get(at(json, "paths", NULL), "/gone"));
    (void)at(json, "paths", "/c", "post", "responses", "default", NULL); /* still described */
    json_decref(json);
    buffer_release(&problems);
}

static void parameters_of_the_path_are_added(void **state)
{
    const struct asset files[] = {
        fragment(
            "a.json",
            "{\"paths\":{\"/a/{id}/b/{name}\":{\"get\":{\"parameters\":[{\"name\":\"name\",\"in\":\"path\","
            "\"required\":true,\"schema\":{\"enum\":[\"x\"]}},{\"name\":\"id\",\"in\":\"query\","
            "\"schema\":{}}]}},\"/c\":{\"post\":{}}}}"),
    };
    const struct asset_table table = {files, 1};
    struct buffer problems;
    (void)state;
    json_t *json = document(two_routes, &table, &problems);
    assert_string_equal(buffer_text(&problems), "");
    json_t *parameters = at(json, "paths", "/a/{id}/b/{name}", "get", "parameters", NULL);
    assert_int_equal(json_array_size(parameters), 3);
    json_t *id = json_array_get(parameters, 2);
    assert_string_equal(json_string_value(at(id, "in", NULL)), "path");
    assert_string_equal(json_string_value(at(id, "schema", "type", NULL)), "integer");
    json_t *operation = at(json, "paths", "/a/{id}/b/{name}", "get", NULL);
    assert_string_equal(json_string_value(at(operation, "operationId", NULL)), "get_a_id_b_name");
    assert_string_equal(json_string_value(json_array_get(at(operation, "tags", NULL), 0)), "a");
    json_decref(json);
    buffer_release(&problems);
}

static void a_broken_fragment_is_named(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "{\"a\":1,\"a\":2}", "{} x"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct asset file = fragment("bad.json", texts[i]);
        const struct asset_table table = {&file, 1};
        struct buffer out;
        struct err err;
        buffer_init(&out, 1 << 20);
        assert_int_not_equal(openapi_write(two_routes, &table, false, &out, NULL, &err), ERR_OK);
        assert_non_null(strstr(err.text, "schema fragment 'bad.json'"));
        buffer_release(&out);
    }
}

static void no_room_is_an_error(void **state)
{
    struct buffer out;
    struct err err;
    (void)state;
    buffer_init(&out, 1000);
    assert_int_equal(openapi_write(api_routes, &asset_table_schema, false, &out, NULL, &err), ERR_TOO_LARGE);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described_and_nothing_else),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(the_binary_carries_the_files_of_the_folder),
        cmocka_unit_test(a_task_accepts_what_its_options_say),
        cmocka_unit_test(problems_are_found),
        cmocka_unit_test(parameters_of_the_path_are_added),
        cmocka_unit_test(a_broken_fragment_is_named),
        cmocka_unit_test(no_room_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
