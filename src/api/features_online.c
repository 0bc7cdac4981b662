/* Features as of now, from the online store (serve/feature_reader.h).
 *
 *   GET  /api/features/online/{view}?team=England/Arsenal        one row (also by team id; match=ID; home=&away=)
 *   POST /api/features/online/{view} {"entities": [...], "features": [...]}   many, some columns if wanted
 *   GET  /api/features/online/bundle?match=ID                    the seven groups of a match page in one read
 *
 * A row is {"view", "version", "age_ms", "source", "entity", "event_timestamp", "features": {name: value or null}}. What
 * memory has is answered at once; when Redis has to be asked the answer is deferred, and the loop goes on. */
#include "api/api.h"

#include "football/views.h"
#include "http/defer.h"
#include "limits.h"
#include "serve/feature_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE(method, pattern, handler, doc)                                                                 \
    enum err_code handler(void *context, const struct route_match *match, struct http_response *response,    \
                          struct err *err);
#include "api/route_list.h"
#undef ROUTE

/* An entity of a batch that names nothing: answered beside the others. */
struct refusal {
    enum err_code code;
    char text[256];
};

/* One read on its way. Owns all it points to. */
struct online_read {
    struct api *api;
    enum err_code (*write)(struct online_read *read, struct http_response *response, struct err *err);
    struct http_deferred *deferred; /* NULL: answered in the handler */
    size_t view, count;
    struct feature_key *keys;       /* [count] */
    struct feature_answer *answers; /* [count] */
    /* a batch */
    json_t *body;
    size_t entity_count;
    int32_t *key_of;          /* [entity_count] -1: refused */
    struct refusal *refusals; /* [entity_count]; NULL while there are none */
    size_t column_count;
    size_t *columns; /* NULL: all */
    /* a bundle */
    bool has_match;
};

static void release(struct online_read *read)
{
    if (read == NULL)
        return;
    for (size_t i = 0; i < read->count && read->answers != NULL; i++)
        feature_answer_release(&read->answers[i]);
    json_decref(read->body);
    free(read->keys);
    free(read->answers);
    free(read->key_of);
    free(read->refusals);
    free(read->columns);
    free(read);
}

static enum err_code create(struct api *api, size_t capacity, struct online_read **out, struct err *err)
{
    struct online_read *read = calloc(1, sizeof(*read));
    if (read == NULL)
        return err_nomem(err, sizeof(*read));
    read->api = api;
    read->keys = malloc(capacity * sizeof(*read->keys));
    read->answers = malloc(capacity * sizeof(*read->answers));
    if (read->keys == NULL || read->answers == NULL) {
        release(read);
        return err_nomem(err, capacity * sizeof(*read->keys));
    }
    *out = read;
    return ERR_OK;
}

/* For a key that stands in read->keys[count]. */
static void add_key(struct online_read *read)
{
    feature_answer_init(&read->answers[read->count++]);
}

static void finish(void *context)
{
    struct online_read *read = context;
    struct http_response *response = http_deferred_response(read->deferred);
    struct err err;
    enum err_code code = read->write(read, response, &err);
    if (code != ERR_OK) {
        err.code = code;
        http_respond_error(response, &err);
    }
    http_response_complete(read->deferred);
    release(read);
}

/* Takes the read. */
static enum err_code run(struct online_read *read, const struct route_match *match,
                         struct http_response *response, struct err *err)
{
    struct feature_reader *reader = read->api->features;
    enum err_code code;
    if (feature_reader_read(reader, read->keys, read->count, read->answers)) {
        code = read->write(read, response, err);
        release(read);
        return code;
    }
    code = http_response_defer(match->request, response, &read->deferred, err);
    if (code == ERR_OK) {
        code = feature_reader_fetch(reader, read->keys, read->count, read->answers, finish, read, err);
        if (code == ERR_OK)
            return ERR_OK;
        http_response_complete(read->deferred);
    }
    release(read);
    return code;
}

/* ---- rows ---- */

static void write_columns(struct json_writer *out, const struct online_read *read,
                          const struct feature_value *value)
{
    const char *features = memmem(value->json, value->json_bytes, "\"features\":{", 12);
    buffer_append_char(out->out, ',');
    buffer_append(out->out, value->json, (size_t)(features - value->json) + 12);
    for (size_t i = 0; i < read->column_count; i++) {
        size_t column = read->columns[i];
        buffer_append_text(out->out, i > 0 ? ",\"" : "\"");
        buffer_append_text(out->out, feature_reader_column_name(read->api->features, read->view, column));
        buffer_append(out->out, "\":", 2);
        feature_value_write_number(out->out, value->values[column]);
    }
    buffer_append_char(out->out, '}');
}

/* The members of a row. What memory keeps ends with its JSON, which is copied as it is. */
static void write_row(struct json_writer *out, const struct online_read *read,
                      const struct feature_answer *answer)
{
    struct feature_value value;
    struct clock clock = read->api->clock;
    feature_value_read_own(answer->value.data, answer->value.size_bytes, &value);
    int64_t age_us = clock.now_us(clock.context) - value.made_us;
    json_field_i64(out, "age_ms", age_us < 0 ? 0 : age_us / 1000);
    json_field_text(out, "source", feature_source_name(answer->source));
    if (read->columns != NULL) {
        write_columns(out, read, &value);
        return;
    }
    buffer_append_char(out->out, ',');
    buffer_append(out->out, value.json, value.json_bytes);
}

static void write_view(struct json_writer *out, size_t index)
{
    const struct feature_view *view = football_view_at(index);
    json_field_text(out, "view", view->name);
    json_field_i64(out, "version", view->version);
}

static const char *reason_of(const struct feature_answer *answer)
{
    return answer->reason != NULL ? answer->reason : err_sentence(answer->code);
}

/* ---- one ---- */

static enum err_code find_view(const struct route_match *match, size_t *out, struct err *err)
{
    const char *name = match->parameters[0];
    for (*out = 0; football_view_at(*out) != NULL; (*out)++) {
        if (strcmp(football_view_at(*out)->name, name) == 0)
            return ERR_OK;
    }
    return err_set_field(err, ERR_NOT_FOUND, "view", "no view is called '%.60s'", name);
}

static const char *entity_words(enum view_entity entity)
{
    return entity == VIEW_TEAM   ? "team=England/Arsenal or a team's id"
           : entity == VIEW_PAIR ? "home= and away=, teams by name or id"
                                 : "match= with an own or source id";
}

static enum err_code find_key(struct feature_reader *reader, size_t view, const char *team, const char *home,
                              const char *away, const char *match, struct feature_key *out, struct err *err)
{
    enum view_entity entity = football_view_at(view)->entity;
    if (entity == VIEW_TEAM && team != NULL && home == NULL && away == NULL && match == NULL)
        return feature_reader_team(reader, view, team, out, err);
    if (entity == VIEW_PAIR && home != NULL && away != NULL && team == NULL && match == NULL)
        return feature_reader_pair(reader, view, home, away, out, err);
    if (entity == VIEW_MATCH && match != NULL && team == NULL && home == NULL && away == NULL)
        return feature_reader_match(reader, view, match, out, err);
    return err_set_field(err, ERR_INVALID,
                         entity == VIEW_TEAM   ? "team"
                         : entity == VIEW_PAIR ? "home"
                                               : "match",
                         "a row of '%s' is named by %s, and nothing else", football_view_at(view)->name,
                         entity_words(entity));
}

static enum err_code write_one(struct online_read *read, struct http_response *response, struct err *err)
{
    const struct feature_answer *answer = &read->answers[0];
    struct json_writer out;
    if (answer->code != ERR_OK)
        return err_set(err, answer->code, "%s", reason_of(answer));
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    write_view(&out, read->view);
    write_row(&out, read, answer);
    json_end_object(&out);
    return ERR_OK;
}

enum err_code api_features_online(void *context, const struct route_match *match,
                                  struct http_response *response, struct err *err)
{
    struct api *api = context;
    struct online_read *read = NULL;
    const struct http_request *request = match->request;
    enum err_code code = create(api, 1, &read, err);
    if (code == ERR_OK)
        code = find_view(match, &read->view, err);
    if (code == ERR_OK)
        code = find_key(api->features, read->view, http_request_query(request, "team"),
                        http_request_query(request, "home"), http_request_query(request, "away"),
                        http_request_query(request, "match"), &read->keys[0], err);
    if (code != ERR_OK) {
        release(read);
        return code;
    }
    add_key(read);
    read->write = write_one;
    return run(read, match, response, err);
}

/* ---- many ---- */

/* A name or an id; false: neither. */
static bool take_name(const json_t *value, char *number, size_t number_bytes, const char **out)
{
    *out = NULL;
    if (value == NULL)
        return true;
    if (json_is_integer(value)) {
        (void)snprintf(number, number_bytes, "%lld", (long long)json_integer_value(value));
        *out = number;
        return true;
    }
    *out = json_string_value(value);
    return *out != NULL;
}

static enum err_code find_entity(struct online_read *read, const json_t *entity, struct feature_key *out,
                                 struct err *err)
{
    static const char *const known[] = {"team", "home", "away", "match", NULL};
    char numbers[4][24];
    const char *names[4] = {NULL, NULL, NULL, NULL};
    enum view_entity kind = football_view_at(read->view)->entity;
    bool is_good = true;
    if (!json_is_object(entity)) { /* short: the team, or the match, itself */
        is_good = kind != VIEW_PAIR && take_name(entity, numbers[0], 24, &names[kind == VIEW_TEAM ? 0 : 3]);
    } else {
        enum err_code code = json_refuse_unknown(entity, known, err);
        if (code != ERR_OK)
            return code;
        for (size_t i = 0; i < 4; i++)
            is_good = take_name(json_object_get(entity, known[i]), numbers[i], 24, &names[i]) && is_good;
    }
    if (!is_good)
        return err_set(err, ERR_INVALID,
                       "names and ids are texts or whole numbers; a row of '%s' is named by %s",
                       football_view_at(read->view)->name, entity_words(kind));
    return find_key(read->api->features, read->view, names[0], names[1], names[2], names[3], out, err);
}

static enum err_code refuse_entity(struct online_read *read, size_t index, const struct err *why,
                                   struct err *err)
{
    if (read->refusals == NULL)
        read->refusals = calloc(read->entity_count, sizeof(*read->refusals));
    if (read->refusals == NULL)
        return err_nomem(err, read->entity_count * sizeof(*read->refusals));
    read->key_of[index] = -1;
    read->refusals[index].code = why->code;
    (void)text_copy(text_of(why->text), read->refusals[index].text, sizeof(read->refusals[index].text));
    return ERR_OK;
}

/* What is not known is answered beside the others; what cannot be meant refuses the request. */
static enum err_code read_entities(struct online_read *read, const json_t *entities, struct err *err)
{
    for (size_t i = 0; i < read->entity_count; i++) {
        struct err why;
        enum err_code code = find_entity(read, json_array_get(entities, i), &read->keys[read->count], &why);
        if (code == ERR_OK) {
            read->key_of[i] = (int32_t)read->count;
            add_key(read);
            continue;
        }
        why.code = code;
        if (code == ERR_INVALID) {
            char field[ERR_FIELD_BYTES];
            (void)snprintf(field, sizeof(field), "entities[%zu]", i);
            return err_set_field(err, code, field, "%s", why.text);
        }
        code = refuse_entity(read, i, &why, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code read_column(struct online_read *read, const json_t *value, struct err *err)
{
    const char *name = json_string_value(value);
    size_t count = feature_reader_columns(read->api->features, read->view);
    for (size_t i = 0; name != NULL && i < count; i++) {
        if (strcmp(name, feature_reader_column_name(read->api->features, read->view, i)) == 0) {
            read->columns[read->column_count++] = i;
            return ERR_OK;
        }
    }
    return err_set_field(err, ERR_INVALID, "features", "'%s' has no feature '%.80s'",
                         football_view_at(read->view)->name, name != NULL ? name : "(not a text)");
}

static enum err_code read_columns(struct online_read *read, const json_t *features, struct err *err)
{
    size_t count = json_array_size(features);
    if (features == NULL || json_is_null(features))
        return ERR_OK;
    if (!json_is_array(features) || count == 0 || count > LIMIT_FEATURES)
        return err_set_field(err, ERR_INVALID, "features",
                             "'features' is a list of names, or left out for all");
    read->columns = malloc(count * sizeof(*read->columns));
    if (read->columns == NULL)
        return err_nomem(err, count * sizeof(*read->columns));
    for (size_t i = 0; i < count; i++) {
        enum err_code code = read_column(read, json_array_get(features, i), err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code check_body(const json_t *body, const json_t **entities, struct err *err)
{
    static const char *const known[] = {"entities", "features", NULL};
    enum err_code code = json_refuse_unknown(body, known, err);
    if (code != ERR_OK)
        return code;
    *entities = json_object_get(body, "entities");
    if (!json_is_array(*entities) || json_array_size(*entities) == 0)
        return err_set_field(err, ERR_INVALID, "entities", "'entities' is a list of at least one entity");
    if (json_array_size(*entities) > LIMIT_FEATURE_KEYS)
        return err_set_field(err, ERR_TOO_LARGE, "entities",
                             "%zu entities in one request, at most %d are answered",
                             json_array_size(*entities), LIMIT_FEATURE_KEYS);
    return ERR_OK;
}

static void write_refused(struct json_writer *out, const json_t *entity, enum err_code code,
                          const char *reason)
{
    json_key(out, "entity");
    json_put_value(out, entity);
    json_key(out, "error");
    json_begin_object(out);
    json_field_text(out, "code", err_name(code));
    json_field_text(out, "message", reason);
    json_end_object(out);
}

static enum err_code write_many(struct online_read *read, struct http_response *response, struct err *err)
{
    const json_t *entities = json_object_get(read->body, "entities");
    struct json_writer out;
    (void)err;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    write_view(&out, read->view);
    json_key(&out, "rows");
    json_begin_array(&out);
    for (size_t i = 0; i < read->entity_count; i++) {
        const struct feature_answer *answer = read->key_of[i] < 0 ? NULL : &read->answers[read->key_of[i]];
        json_begin_object(&out);
        if (answer == NULL)
            write_refused(&out, json_array_get(entities, i), read->refusals[i].code, read->refusals[i].text);
        else if (answer->code != ERR_OK)
            write_refused(&out, json_array_get(entities, i), answer->code, reason_of(answer));
        else
            write_row(&out, read, answer);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    return ERR_OK;
}

enum err_code api_features_online_batch(void *context, const struct route_match *match,
                                        struct http_response *response, struct err *err)
{
    struct api *api = context;
    struct online_read *read = NULL;
    const json_t *entities = NULL;
    enum err_code code = create(api, LIMIT_FEATURE_KEYS, &read, err);
    if (code == ERR_OK)
        code = find_view(match, &read->view, err);
    if (code == ERR_OK)
        code = api_read_object(match->request, &read->body, err);
    if (code == ERR_OK)
        code = check_body(read->body, &entities, err);
    if (code == ERR_OK) {
        read->entity_count = json_array_size(entities);
        read->key_of = malloc(read->entity_count * sizeof(*read->key_of));
        code = read->key_of == NULL ? err_nomem(err, read->entity_count * sizeof(*read->key_of)) : ERR_OK;
    }
    if (code == ERR_OK)
        code = read_columns(read, json_object_get(read->body, "features"), err);
    if (code == ERR_OK)
        code = read_entities(read, entities, err);
    if (code != ERR_OK) {
        release(read);
        return code;
    }
    read->write = write_many;
    return run(read, match, response, err);
}

/* ---- a match page ---- */

static void write_group(struct json_writer *out, const struct online_read *read, enum feature_group group)
{
    bool is_of_match = group == GROUP_ODDS || group == GROUP_MATCH;
    const struct feature_answer *answer = &read->answers[group];
    json_key(out, feature_group_name(group));
    json_begin_object(out);
    if (is_of_match && !read->has_match) {
        json_field_null(out, "features");
        json_field_text(out, "reason", "no match of these sides is stored");
    } else if (answer->code != ERR_OK) {
        json_field_null(out, "features");
        json_field_text(out, "reason", reason_of(answer));
    } else {
        write_view(out, read->keys[group].view);
        write_row(out, read, answer);
    }
    json_end_object(out);
}

static enum err_code write_bundle(struct online_read *read, struct http_response *response, struct err *err)
{
    struct json_writer out;
    (void)err;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "match");
    if (read->has_match)
        json_put_i64(&out, read->keys[GROUP_MATCH].id[0]);
    else
        json_put_null(&out);
    json_key(&out, "groups");
    json_begin_object(&out);
    for (size_t i = 0; i < FEATURE_GROUP_COUNT; i++)
        write_group(&out, read, (enum feature_group)i);
    json_end_object(&out);
    json_end_object(&out);
    return ERR_OK;
}

enum err_code api_features_online_bundle(void *context, const struct route_match *match,
                                         struct http_response *response, struct err *err)
{
    struct api *api = context;
    struct online_read *read = NULL;
    const char *id = http_request_query(match->request, "match");
    const char *home = http_request_query(match->request, "home");
    const char *away = http_request_query(match->request, "away");
    if ((id == NULL) == (home == NULL || away == NULL))
        return err_set_field(err, ERR_INVALID, "match",
                             "a match is named by match= with an own or source id, or by home= and away=");
    enum err_code code = create(api, FEATURE_GROUP_COUNT, &read, err);
    if (code == ERR_OK)
        code = feature_reader_bundle(api->features, id, home, away, read->keys, &read->has_match, err);
    if (code != ERR_OK) {
        release(read);
        return code;
    }
    /* the two groups of a match stand last */
    size_t count = read->has_match ? FEATURE_GROUP_COUNT : GROUP_ODDS;
    while (read->count < count)
        add_key(read);
    read->write = write_bundle;
    return run(read, match, response, err);
}
