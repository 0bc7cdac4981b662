/* /api/features/views: the offline feature store over HTTP. Names are resolved on the loop's thread, which has the store;
 * everything that reads files or asks DuckDB runs on the pool, with an engine of its own that may read the folder of the
 * views and nothing else. */
#include "api/api.h"

#include "base/time.h"
#include "http/defer.h"
#include "limits.h"
#include "task/materialize.h"
#include "task/view_query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err);                                                                     \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)
#define DUCK_MEMORY_BYTES ((size_t)512 << 20)

enum { RANGE_LIMIT_DEFAULT = 100 };

/* A question on its way to the pool and back. */
struct question {
    enum err_code (*answer)(struct question *question, struct json_writer *out, struct err *err);
    struct http_deferred *deferred;
    char folder[FILE_PATH_BYTES], view[ROUTE_PARAMETER_BYTES];
    struct view_features features;
    /* history */
    enum view_entity entity;
    int64_t *key[VIEW_KEYS], *at_us;
    size_t count;
    int64_t max_age_us;
    /* range */
    int64_t keys[VIEW_KEYS], from_us, to_us, limit;
    bool has_keys;
};

static void destroy(struct question *question)
{
    if (question == NULL)
        return;
    for (size_t i = 0; i < VIEW_KEYS; i++)
        free(question->key[i]);
    free(question->at_us);
    free(question);
}

static enum err_code create(struct api *api, const struct route_match *match, bool names_view,
                            enum err_code (*answer)(struct question *question, struct json_writer *out,
                                                    struct err *err),
                            struct question **out, struct err *err)
{
    struct question *question = calloc(1, sizeof(*question));
    if (question == NULL)
        return err_nomem(err, sizeof(*question));
    question->answer = answer;
    if (names_view)
        memcpy(question->view, match->parameters[0], sizeof(question->view));
    enum err_code code = materialize_folder(api->store, question->folder, err);
    if (code != ERR_OK) {
        destroy(question);
        return code;
    }
    *out = question;
    return ERR_OK;
}

static void work(void *context)
{
    struct question *question = context;
    struct http_response *response = http_deferred_response(question->deferred);
    struct json_writer out;
    struct err err = {0};
    json_writer_init(&out, &response->body);
    enum err_code code = question->answer(question, &out, &err);
    if (code == ERR_OK)
        code = buffer_check(&response->body, "the answer", &err);
    if (code != ERR_OK) {
        err.code = code;
        http_respond_error(response, &err);
    }
}

static void done(void *context)
{
    struct question *question = context;
    http_response_complete(question->deferred);
    destroy(question);
}

/* Takes the question. */
static enum err_code submit(struct api *api, const struct route_match *match, struct question *question,
                            struct http_response *response, struct err *err)
{
    enum err_code code = http_response_defer(match->request, response, &question->deferred, err);
    if (code != ERR_OK) {
        destroy(question);
        return code;
    }
    code = pool_submit(api->pool, api->loop, work, done, question, err);
    if (code != ERR_OK) /* the error is the answer; completing only frees */
        done(question);
    return code;
}

static enum err_code open_duck(const struct question *question, struct duck **out, struct err *err)
{
    const char *const folders[] = {question->folder, NULL};
    struct duck_options options = {.threads = 1, .memory_bytes = DUCK_MEMORY_BYTES, .folders = folders};
    return duck_open(&options, out, err);
}

/* ---- list, one, delete ---- */

static enum err_code answer_list(struct question *question, struct json_writer *out, struct err *err)
{
    json_t *list = NULL;
    enum err_code code = offline_store_list(question->folder, &list, err);
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    json_key(out, "views");
    json_put_value(out, list);
    json_end_object(out);
    json_decref(list);
    return ERR_OK;
}

static enum err_code answer_one(struct question *question, struct json_writer *out, struct err *err)
{
    json_t *meta = NULL;
    enum err_code code = offline_store_describe(question->folder, question->view, &meta, err);
    if (code != ERR_OK)
        return code;
    json_put_value(out, meta);
    json_decref(meta);
    return ERR_OK;
}

static enum err_code answer_delete(struct question *question, struct json_writer *out, struct err *err)
{
    enum err_code code = offline_store_delete(question->folder, question->view, err);
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    json_field_text(out, "deleted", question->view);
    json_end_object(out);
    return ERR_OK;
}

static enum err_code ask(struct api *api, const struct route_match *match, bool names_view,
                         enum err_code (*answer)(struct question *question, struct json_writer *out,
                                                 struct err *err),
                         struct http_response *response, struct err *err)
{
    struct question *question;
    enum err_code code = create(api, match, names_view, answer, &question, err);
    return code == ERR_OK ? submit(api, match, question, response, err) : code;
}

HANDLER(api_view_list)
{
    return ask(context, match, false, answer_list, response, err);
}

HANDLER(api_view_get)
{
    return ask(context, match, true, answer_one, response, err);
}

HANDLER(api_view_delete)
{
    return ask(context, match, true, answer_delete, response, err);
}

/* ---- history ---- */

static enum err_code put_rows(struct question *question, struct duck_result *result, size_t most,
                              struct json_writer *out, struct err *err)
{
    struct buffer rows;
    bool has_more;
    buffer_init(&rows, LIMIT_RESULT_BYTES);
    enum err_code code = duck_result_write_json(result, &rows, most, &has_more, err);
    if (code == ERR_OK)
        code = buffer_check(&rows, "the answer", err);
    if (code == ERR_OK) {
        json_begin_object(out);
        json_field_text(out, "view", question->view);
        json_key(out, "rows");
        json_put_raw(out, buffer_text(&rows), rows.size_bytes);
        json_end_object(out);
    }
    buffer_release(&rows);
    return code;
}

static enum err_code check_entity(const struct question *question, struct err *err)
{
    static const char *const by[] = {
        [VIEW_MATCH] = "a match", [VIEW_TEAM] = "a team", [VIEW_PAIR] = "two teams, home and away"};
    json_t *meta = NULL;
    enum view_entity entity;
    enum err_code code = offline_store_describe(question->folder, question->view, &meta, err);
    if (code == ERR_OK)
        code = offline_entity(meta, &entity, err);
    if (code == ERR_OK && entity != question->entity)
        code = err_set_field(err, ERR_INVALID, "entities", "the view '%s' is about %s, not %s",
                             question->view, by[entity], by[question->entity]);
    json_decref(meta);
    return code;
}

static enum err_code answer_history(struct question *question, struct json_writer *out, struct err *err)
{
    struct duck *duck = NULL;
    struct offline_joined joined = {0};
    enum err_code code = check_entity(question, err);
    if (code == ERR_OK)
        code = open_duck(question, &duck, err);
    if (code != ERR_OK)
        return code;
    struct offline_join join = {.view = question->view,
                                .key = {question->key[0], question->key[1]},
                                .event_us = question->at_us,
                                .count = question->count,
                                .features = question->features.chosen,
                                .max_age_us = question->max_age_us};
    code = offline_store_join(question->folder, duck, &join, &joined, err);
    if (code == ERR_OK)
        code = put_rows(question, joined.result, question->count, out, err);
    duck_result_destroy(joined.result);
    duck_close(duck);
    return code;
}

static enum err_code read_id(struct api *api, const json_t *entity, const char *key, int64_t *out,
                             struct err *err)
{
    const json_t *value = json_object_get(entity, key);
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return ERR_OK;
    }
    if (!json_is_string(value))
        return err_set_field(err, ERR_INVALID, key, "'%s' is neither an id nor a text", key);
    if (strcmp(key, "match") != 0)
        return view_team_id(api->store->db, json_string_value(value), out, err);
    return text_parse_i64(text_of(json_string_value(value)), out)
               ? ERR_OK
               : err_set_field(err, ERR_INVALID, key, "'%.80s' is not a match id", json_string_value(value));
}

static enum view_entity entity_of(const json_t *entity)
{
    return json_object_get(entity, "match") != NULL  ? VIEW_MATCH
           : json_object_get(entity, "home") != NULL ? VIEW_PAIR
                                                     : VIEW_TEAM;
}

static enum err_code read_entity(struct api *api, struct question *question, const json_t *entity, size_t at,
                                 struct err *err)
{
    static const char *const known[] = {"match", "team", "home", "away", "at", NULL};
    const char *moment = NULL;
    size_t key_count;
    const char *const *keys = offline_key_names(question->entity, &key_count);
    if (!json_is_object(entity) || entity_of(entity) != question->entity)
        return err_set(err, ERR_INVALID, "is not an object with %s as the first", keys[0]);
    enum err_code code = json_refuse_unknown(entity, known, err);
    for (size_t k = 0; code == ERR_OK && k < key_count; k++)
        code = read_id(api, entity, keys[k], &question->key[k][at], err);
    if (code == ERR_OK)
        code = json_take_text(entity, "at", true, &moment, err);
    if (code == ERR_OK && !time_parse_iso(text_of(moment), &question->at_us[at], NULL))
        code =
            err_set_field(err, ERR_INVALID, "at", "'%.60s' is no moment as '2024-08-17T14:00:00Z'", moment);
    return code;
}

static enum err_code read_entities(struct api *api, struct question *question, const json_t *list,
                                   struct err *err)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0)
        return err_set_field(
            err, ERR_INVALID, "entities",
            "'entities' is not a list as [{\"team\": 57, \"at\": \"2024-08-17T14:00:00Z\"}]");
    if (count > LIMIT_HISTORY_ENTITIES)
        return err_set_field(err, ERR_TOO_LARGE, "entities",
                             "%zu entities, at most %d are answered at once; for more: almanac features get",
                             count, LIMIT_HISTORY_ENTITIES);
    for (size_t i = 0; i < VIEW_KEYS; i++)
        question->key[i] = calloc(count, sizeof(int64_t));
    question->at_us = calloc(count, sizeof(int64_t));
    if (question->key[0] == NULL || question->key[1] == NULL || question->at_us == NULL)
        return err_nomem(err, count * sizeof(int64_t));
    question->count = count;
    question->entity = entity_of(json_array_get(list, 0));
    for (size_t i = 0; i < count; i++) {
        char field[ERR_FIELD_BYTES];
        enum err_code code = read_entity(api, question, json_array_get(list, i), i, err);
        if (code == ERR_OK)
            continue;
        struct err cause = *err;
        (void)snprintf(field, sizeof(field), "entities[%zu]%s%.32s", i, cause.field[0] != '\0' ? "." : "",
                       cause.field);
        return err_set_field(err, code, field, "entity %zu: %s", i, cause.text);
    }
    return ERR_OK;
}

static enum err_code read_features(struct question *question, const json_t *list, struct err *err)
{
    size_t index;
    const json_t *name;
    struct buffer text;
    if (list == NULL || json_is_null(list))
        return ERR_OK;
    buffer_init(&text, VIEW_FEATURES_BYTES);
    enum err_code code =
        json_is_array(list) && json_array_size(list) > 0
            ? ERR_OK
            : err_set_field(err, ERR_INVALID, "features", "'features' is not a list of names");
    json_array_foreach(list, index, name)
    {
        if (code == ERR_OK && !json_is_string(name))
            code = err_set_field(err, ERR_INVALID, "features", "'features' is not a list of names");
        if (code == ERR_OK)
            buffer_printf(&text, "%s%s", index > 0 ? "," : "", json_string_value(name));
    }
    if (code == ERR_OK)
        code = buffer_check(&text, "features", err);
    if (code == ERR_OK)
        code = view_features_read(&question->features, buffer_text(&text), err);
    buffer_release(&text);
    return code;
}

static enum err_code read_history(struct api *api, struct question *question, const json_t *body,
                                  struct err *err)
{
    static const char *const known[] = {"entities", "features", "max_age_days", NULL};
    double max_age_days = 0;
    enum err_code code = json_refuse_unknown(body, known, err);
    if (code == ERR_OK)
        code = json_take_f64(body, "max_age_days", false, &max_age_days, err);
    if (code == ERR_OK && !(max_age_days >= 0 && max_age_days <= 100000))
        code = err_set_field(err, ERR_INVALID, "max_age_days", "max_age_days is not in 0..100000");
    if (code != ERR_OK)
        return code;
    question->max_age_us = (int64_t)llround(max_age_days * (double)TIME_DAY_US);
    code = read_features(question, json_object_get(body, "features"), err);
    return code == ERR_OK ? read_entities(api, question, json_object_get(body, "entities"), err) : code;
}

HANDLER(api_view_history)
{
    struct api *api = context;
    struct question *question = NULL;
    json_t *body = NULL;
    enum err_code code = api_read_object(match->request, &body, err);
    if (code == ERR_OK)
        code = create(api, match, true, answer_history, &question, err);
    if (code == ERR_OK)
        code = read_history(api, question, body, err);
    json_decref(body);
    if (code != ERR_OK) {
        destroy(question);
        return code;
    }
    return submit(api, match, question, response, err);
}

/* ---- range ---- */

static enum err_code answer_range(struct question *question, struct json_writer *out, struct err *err)
{
    struct duck *duck = NULL;
    struct duck_result *result = NULL;
    enum err_code code = question->has_keys ? check_entity(question, err) : ERR_OK;
    if (code == ERR_OK)
        code = open_duck(question, &duck, err);
    if (code != ERR_OK)
        return code;
    struct offline_range range = {.view = question->view,
                                  .keys = question->has_keys ? question->keys : NULL,
                                  .features = question->features.chosen,
                                  .from_us = question->from_us,
                                  .to_us = question->to_us,
                                  .limit = question->limit};
    code = offline_store_range(question->folder, duck, &range, &result, err);
    if (code == ERR_OK)
        code = put_rows(question, result, (size_t)question->limit, out, err);
    duck_result_destroy(result);
    duck_close(duck);
    return code;
}

static const char *asked_text(const struct http_request *request, const char *name)
{
    const char *value = http_request_query(request, name);
    return value != NULL ? value : "";
}

static enum err_code read_moment(const struct http_request *request, const char *name, int64_t fallback_us,
                                 int64_t *out_us, struct err *err)
{
    const char *value = asked_text(request, name);
    *out_us = fallback_us;
    if (value[0] == '\0' || time_parse_iso(text_of(value), out_us, NULL))
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, name, "'%.60s' is no moment as '2024-08-17T14:00:00Z'", value);
}

/* match, team or team and opponent: what is there says what the view must be about. */
static enum err_code read_keys(struct api *api, struct question *question, const struct http_request *request,
                               struct err *err)
{
    struct view_entity_text given = {asked_text(request, "match"), asked_text(request, "team"),
                                     asked_text(request, "opponent")};
    question->entity = given.match[0] != '\0'      ? VIEW_MATCH
                       : given.opponent[0] != '\0' ? VIEW_PAIR
                                                   : VIEW_TEAM;
    return view_entity_keys(api->store->db, question->entity, &given, question->keys, &question->has_keys,
                            err);
}

HANDLER(api_view_range)
{
    struct api *api = context;
    struct question *question = NULL;
    enum err_code code = create(api, match, true, answer_range, &question, err);
    if (code != ERR_OK)
        return code;
    code = read_keys(api, question, match->request, err);
    if (code == ERR_OK)
        code = read_moment(match->request, "from", INT64_MIN, &question->from_us, err);
    if (code == ERR_OK)
        code = read_moment(match->request, "to", INT64_MAX, &question->to_us, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", RANGE_LIMIT_DEFAULT, 1, LIMIT_RANGE_ROWS,
                             &question->limit, err);
    if (code == ERR_OK)
        code = view_features_read(&question->features, asked_text(match->request, "features"), err);
    if (code != ERR_OK) {
        destroy(question);
        return code;
    }
    return submit(api, match, question, response, err);
}
