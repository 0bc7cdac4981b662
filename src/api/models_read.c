/* Looking at models: lists, the report, the training history, one version, two versions, a file.
 *
 *   GET /api/models?subject=&variant=&bot=&stage=&status=&cleared=&limit=
 *   GET /api/models/report?limit=
 *   GET /api/models/training-history?symbol=&timeframe=&bot_name=&status=&limit=
 *   GET /api/models/history, /api/models/decisions ?subject=&variant=&bot=&limit=
 *   GET /api/models/compare?a=&b=
 *   GET /api/models/versions/{version}, .../download
 *
 * A version may be named by any unique beginning of at least four digits. Lists may be long and comparisons forecast some
 * thousand matches: both are written on the pool, with a store handle of their own, while the loop serves others. */
#include "api/api.h"

#include "api/model_object.h"
#include "http/defer.h"
#include "limits.h"
#include "os/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE(method, pattern, handler, doc)                                                                 \
    enum err_code handler(void *context, const struct route_match *match, struct http_response *response,    \
                          struct err *err);
#include "api/route_list.h"
#undef ROUTE

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { LIST_MAX = 1000, LIST_DEFAULT = 200, HISTORY_DEFAULT = 100, REPORT_MAX = 5000, REPORT_DEFAULT = 1000 };

/* ---- the query ---- */

static enum err_code read_part(const struct http_request *request, const char *key, char *out,
                               size_t out_bytes, struct err *err)
{
    const char *value = http_request_query(request, key);
    if (value != NULL && !text_copy(text_of(value), out, out_bytes))
        return err_set_field(err, ERR_INVALID, key, "'%s' is longer than %zu bytes", key, out_bytes - 1);
    return ERR_OK;
}

/* keys: subject, variant, bot as the resource calls them. */
static enum err_code read_name(const struct http_request *request, const char *const keys[3],
                               struct model_name *out, struct err *err)
{
    *out = (struct model_name){0};
    enum err_code code = read_part(request, keys[0], out->subject, sizeof(out->subject), err);
    if (code == ERR_OK)
        code = read_part(request, keys[1], out->variant, sizeof(out->variant), err);
    return code == ERR_OK ? read_part(request, keys[2], out->bot, sizeof(out->bot), err) : code;
}

static const char *const model_keys[3] = {"subject", "variant", "bot"}, *const training_keys[3] = {
                                                                            "symbol", "timeframe",
                                                                            "bot_name"};

static enum err_code read_word(const struct http_request *request, const char *key,
                               int (*find)(const char *name), const char *choices, int *out, struct err *err)
{
    const char *value = http_request_query(request, key);
    *out = value != NULL ? find(value) : -1;
    if (value != NULL && *out < 0)
        return err_set_field(err, ERR_INVALID, key, "'%.40s' is no %s; there are %s", value, key, choices);
    return ERR_OK;
}

static enum err_code read_bool(const struct http_request *request, const char *key, bool fallback, bool *out,
                               struct err *err)
{
    const char *value = http_request_query(request, key);
    *out = value != NULL ? strcmp(value, "true") == 0 : fallback;
    if (value != NULL && !*out && strcmp(value, "false") != 0)
        return err_set_field(err, ERR_INVALID, key, "'%s' is neither true nor false", key);
    return ERR_OK;
}

static enum err_code read_status(const struct http_request *request, int *out, struct err *err)
{
    return read_word(request, "status", model_status_find, "active, stale, failed, archived", out, err);
}

static int64_t now_of(const struct api *api)
{
    return api->clock.now_us(api->clock.context);
}

/* ---- lists ---- */

/* A question on its way through the pool. */
struct question {
    enum err_code (*write)(const struct question *question, struct store *store, struct json_writer *out,
                           struct err *err);
    struct model_query query;                            /* of lists */
    size_t limit;                                        /* of the report */
    char a[MODEL_VERSION_BYTES], b[MODEL_VERSION_BYTES]; /* of a comparison */
    int64_t now_us;
    char folder[FILE_PATH_BYTES];
    struct http_deferred *deferred;
    struct err err;
    enum err_code code;
};

static void answer_work(void *context)
{
    struct question *question = context;
    struct http_response *response = http_deferred_response(question->deferred);
    struct json_writer out;
    struct store store;
    question->code = store_open(question->folder, DB_READ_ONLY, &store, &question->err);
    if (question->code != ERR_OK)
        return;
    json_writer_init(&out, &response->body);
    question->code = question->write(question, &store, &out, &question->err);
    if (question->code == ERR_OK)
        question->code = buffer_check(&response->body, "the answer", &question->err);
    store_close(&store);
}

static void answer_done(void *context)
{
    struct question *question = context;
    if (question->code != ERR_OK)
        http_respond_error(http_deferred_response(question->deferred), &question->err);
    http_response_complete(question->deferred);
    free(question);
}

/* A copy of the question is answered. */
static enum err_code submit(struct api *api, const struct question *asked, const struct route_match *match,
                            struct http_response *response, struct err *err)
{
    struct question *question = malloc(sizeof(*question));
    if (question == NULL)
        return err_nomem(err, sizeof(*question));
    *question = *asked;
    question->now_us = now_of(api);
    memcpy(question->folder, api->store->folder, sizeof(question->folder));
    enum err_code code = http_response_defer(match->request, response, &question->deferred, err);
    if (code != ERR_OK) {
        free(question);
        return code;
    }
    code = pool_submit(api->pool, api->loop, answer_work, answer_done, question, err);
    if (code != ERR_OK) { /* the error is the answer; completing only frees */
        http_response_complete(question->deferred);
        free(question);
    }
    return code;
}

static enum err_code write_items(const struct question *question, struct store *store, bool is_history,
                                 struct json_writer *out, struct err *err)
{
    struct model_list list;
    enum err_code code = model_object_list(store, &question->query, question->now_us, &list, err);
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    json_key(out, is_history ? "history" : "models");
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        code = is_history ? model_object_write_training(store, &list.items[i], out, err)
                          : model_object_write(store, &list.items[i], question->now_us, out, err);
    model_object_list_release(&list);
    if (code != ERR_OK)
        return code;
    json_end_array(out);
    json_end_object(out);
    return ERR_OK;
}

static enum err_code write_models(const struct question *question, struct store *store,
                                  struct json_writer *out, struct err *err)
{
    return write_items(question, store, false, out, err);
}

static enum err_code write_history(const struct question *question, struct store *store,
                                   struct json_writer *out, struct err *err)
{
    return write_items(question, store, true, out, err);
}

static enum err_code write_report(const struct question *question, struct store *store,
                                  struct json_writer *out, struct err *err)
{
    return model_object_write_report(store, question->now_us, question->limit, out, err);
}

static enum err_code write_comparison(const struct question *question, struct store *store,
                                      struct json_writer *out, struct err *err)
{
    return model_object_write_comparison(store, question->a, question->b, question->now_us, out, err);
}

HANDLER(api_models_list)
{
    struct question question = {.write = write_models, .query = {.with_failed = true}};
    struct model_query *query = &question.query;
    int64_t limit = LIST_DEFAULT;
    enum err_code code = read_name(match->request, model_keys, &query->name, err);
    if (code == ERR_OK)
        code = read_word(match->request, "stage", stage_find, "None, Staging, Production, Archived",
                         &query->stage, err);
    if (code == ERR_OK)
        code = read_status(match->request, &query->status, err);
    if (code == ERR_OK)
        code = read_bool(match->request, "cleared", true, &query->with_cleared, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", LIST_DEFAULT, 1, LIST_MAX, &limit, err);
    query->limit = (size_t)limit;
    return code == ERR_OK ? submit(context, &question, match, response, err) : code;
}

HANDLER(api_models_training_history)
{
    struct question question = {
        .write = write_history,
        .query = {.stage = -1, .with_cleared = true, .with_failed = true, .all_failures = true}};
    int64_t limit = HISTORY_DEFAULT;
    enum err_code code = read_name(match->request, training_keys, &question.query.name, err);
    if (code == ERR_OK)
        code = read_status(match->request, &question.query.status, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", HISTORY_DEFAULT, 1, LIST_MAX, &limit, err);
    question.query.limit = (size_t)limit;
    return code == ERR_OK ? submit(context, &question, match, response, err) : code;
}

HANDLER(api_models_report)
{
    struct question question = {.write = write_report};
    int64_t limit;
    enum err_code code = api_query_i64(match->request, "limit", REPORT_DEFAULT, 1, REPORT_MAX, &limit, err);
    question.limit = (size_t)limit;
    return code == ERR_OK ? submit(context, &question, match, response, err) : code;
}

/* An array of the registry as the one member of an object. */
static enum err_code write_array(struct http_response *response, const char *key, const struct buffer *array,
                                 struct err *err)
{
    struct json_writer out;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, key);
    json_put_raw(&out, buffer_text(array), array->size_bytes);
    json_end_object(&out);
    return buffer_check(&response->body, "the answer", err);
}

static enum err_code answer_past(struct api *api, const struct route_match *match, bool of_stages,
                                 struct http_response *response, struct err *err)
{
    struct model_name name;
    struct buffer text;
    int64_t limit;
    enum err_code code = read_name(match->request, model_keys, &name, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", HISTORY_DEFAULT, 1, LIST_MAX, &limit, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    code = of_stages ? registry_recent_history(api->store, &name, "", limit, &text, err)
                     : registry_model_decisions(api->store, &name, limit, &text, err);
    if (code == ERR_OK)
        code = write_array(response, of_stages ? "history" : "decisions", &text, err);
    buffer_release(&text);
    return code;
}

HANDLER(api_models_history)
{
    return answer_past(context, match, true, response, err);
}

HANDLER(api_models_decisions)
{
    return answer_past(context, match, false, response, err);
}

/* What is wrong with the question is answered at once. */
static enum err_code find_side(struct api *api, const struct http_request *request, const char *key,
                               char out[MODEL_VERSION_BYTES], struct err *err)
{
    const char *prefix = http_request_query(request, key);
    struct version_row row;
    if (prefix == NULL)
        return err_set_field(err, ERR_INVALID, key, "name two versions to compare: ?a=VERSION&b=VERSION");
    enum err_code code = registry_find(api->store, prefix, &row, err);
    if (code == ERR_OK)
        memcpy(out, row.version, MODEL_VERSION_BYTES);
    return code;
}

HANDLER(api_models_compare)
{
    struct question question = {.write = write_comparison};
    enum err_code code = find_side(context, match->request, "a", question.a, err);
    if (code == ERR_OK)
        code = find_side(context, match->request, "b", question.b, err);
    return code == ERR_OK ? submit(context, &question, match, response, err) : code;
}

/* ---- one version ---- */

static void put_array(struct json_writer *out, const char *key, struct buffer *array)
{
    json_key(out, key);
    json_put_raw(out, buffer_text(array), array->size_bytes);
    buffer_clear(array);
}

HANDLER(api_model_version)
{
    static const struct model_name any = {"", "", ""};
    struct api *api = context;
    struct version_row row;
    struct json_writer out;
    struct buffer text;
    int64_t now_us = now_of(api);
    enum err_code code = registry_find(api->store, match->parameters[0], &row, err);
    if (code != ERR_OK)
        return code;
    struct model_entry entry = model_entry_of(&row, now_us);
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "model");
    code = model_object_write(api->store, &entry, now_us, &out, err);
    if (code == ERR_OK)
        code = registry_recent_history(api->store, &any, row.version, LIST_MAX, &text, err);
    if (code == ERR_OK) {
        put_array(&out, "history", &text);
        code = registry_decisions(api->store, row.version, &text, err);
    }
    if (code == ERR_OK) {
        put_array(&out, "decisions", &text);
        code = registry_details(api->store, row.version, &text, err);
    }
    if (code == ERR_OK) {
        put_array(&out, "details", &text);
        json_end_object(&out);
        code = buffer_check(&response->body, "the answer", err);
    }
    buffer_release(&text);
    return code;
}

/* ---- download ---- */

/* A file on its way; read on the pool, as it may be large. */
struct download {
    struct http_deferred *deferred;
    char path[FILE_PATH_BYTES];
    char name[96];
    struct err err;
    enum err_code code;
};

static void read_work(void *context)
{
    struct download *download = context;
    struct http_response *response = http_deferred_response(download->deferred);
    buffer_release(&response->body);
    buffer_init(&response->body, LIMIT_MODEL_BYTES);
    download->code = file_read(download->path, &response->body, &download->err);
}

/* A version cleared meanwhile has no file any more: that is 404 like any other thing that is not there. */
static void read_done(void *context)
{
    struct download *download = context;
    struct http_response *response = http_deferred_response(download->deferred);
    if (download->code != ERR_OK) {
        http_respond_error(response, &download->err);
    } else {
        response->content_type = "application/octet-stream";
        (void)snprintf(response->attachment, sizeof(response->attachment), "%s", download->name);
    }
    http_response_complete(download->deferred);
    free(download);
}

HANDLER(api_model_download)
{
    struct api *api = context;
    struct version_row row;
    enum err_code code = registry_find(api->store, match->parameters[0], &row, err);
    if (code == ERR_OK && row.cleared_us != TIME_NONE)
        code = err_set(err, ERR_NOT_FOUND, "version %s was cleared, its file is gone", row.version);
    if (code != ERR_OK)
        return code;
    struct download *download = calloc(1, sizeof(*download));
    if (download == NULL)
        return err_nomem(err, sizeof(*download));
    memcpy(download->path, row.path, sizeof(download->path));
    (void)snprintf(download->name, sizeof(download->name), "%.24s-%.16s-%.24s-%.16s.model", row.name.subject,
                   row.name.variant, row.name.bot, row.version);
    code = http_response_defer(match->request, response, &download->deferred, err);
    if (code != ERR_OK) {
        free(download);
        return code;
    }
    code = pool_submit(api->pool, api->loop, read_work, read_done, download, err);
    if (code != ERR_OK) { /* the error is the answer; completing only frees */
        http_response_complete(download->deferred);
        free(download);
    }
    return code;
}
