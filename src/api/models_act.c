/* Doing something with versions: promote, archive, roll back, train again; and what happens when a training was committed.
 *
 *   POST /api/models/versions/{version}/promote {"stage"?, "why"?}    -> {"model"}
 *   POST /api/models/versions/{version}/archive {"why"?}              -> {"model"}
 *   POST /api/models/rollback {"subject", "variant", "bot"}           -> {"model"}
 *   POST /api/models/versions/{version}/retrain                       -> 202 with the job
 *   POST /api/models/retrain-stale                                    -> 202 {"queued", "jobs"} */
#include "api/models.h"

#include "api/live.h"
#include "api/model_object.h"
#include "base/log.h"
#include "base/time.h"
#include "limits.h"
#include "task/task.h"

#include <assert.h>
#include <math.h>
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

enum { WHY_BYTES = 256, STALE_MAX = 1000 };

static int64_t now_of(const struct api *api)
{
    return api->clock.now_us(api->clock.context);
}

/* ---- telling ---- */

struct news {
    struct api *api;
    const char *action;
    struct model_entry entry;
};

static void write_news(void *context, struct json_writer *out)
{
    struct news *news = context;
    struct err err = {0};
    json_begin_object(out);
    json_field_text(out, "action", news->action);
    json_key(out, "model");
    if (model_object_write(news->api->store, &news->entry, now_of(news->api), out, &err) != ERR_OK)
        json_put_null(out);
    json_end_object(out);
}

void api_models_publish(struct api *api, const char *action, const char *version)
{
    struct version_row row;
    if (!live_has_subscribers(api->live, "models") || registry_get(api->store, version, &row, NULL) != ERR_OK)
        return;
    struct news news = {api, action, model_entry_of(&row, now_of(api))};
    live_publish(api->live, "models", write_news, &news);
}

void api_models_trained(struct api *api, const struct job_row *job, const json_t *result)
{
    struct err err = {0};
    const char *version = json_string_value(json_object_get(result, "version"));
    if (version == NULL || strcmp(job->task, "train") != 0)
        return;
    if (registry_set_training(api->store, version, job->id, job->epoch, job->loss, &err) != ERR_OK)
        log_line(LOG_ERROR, "models", "job %lld is not noted with version %s: %s", (long long)job->id,
                 version, err.text);
    api_models_publish(api, "trained", version);
    if (json_is_true(json_object_get(json_object_get(result, "decision"), "promote")))
        api_models_publish(api, "promoted", version);
}

/* ---- stages ---- */

/* The body of an action may be absent. */
static enum err_code read_body(const struct http_request *request, const char *const *known, json_t **out,
                               struct err *err)
{
    *out = NULL;
    if (request->body_bytes == 0) {
        *out = json_object();
        return *out != NULL ? ERR_OK : err_nomem(err, 0);
    }
    enum err_code code = api_read_object(request, out, err);
    if (code == ERR_OK)
        code = json_refuse_unknown(*out, known, err);
    return code;
}

static enum err_code read_text(const json_t *body, const char *key, bool required, char *out,
                               size_t out_bytes, struct err *err)
{
    const char *text = NULL;
    enum err_code code = json_take_text(body, key, required, &text, err);
    if (code == ERR_OK && text != NULL && !text_copy(text_of(text), out, out_bytes))
        return err_set_field(err, ERR_INVALID, key, "'%s' is longer than %zu bytes", key, out_bytes - 1);
    return code;
}

static enum err_code answer_model(struct api *api, const char *version, struct http_response *response,
                                  struct err *err)
{
    struct version_row row;
    struct json_writer out;
    enum err_code code = registry_get(api->store, version, &row, err);
    if (code != ERR_OK)
        return code;
    struct model_entry entry = model_entry_of(&row, now_of(api));
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "model");
    code = model_object_write(api->store, &entry, now_of(api), &out, err);
    json_end_object(&out);
    return code;
}

static enum err_code move(struct api *api, const struct route_match *match, enum stage stage, const char *why,
                          struct http_response *response, struct err *err)
{
    struct version_row row;
    const char *who = NULL;
    enum err_code code = registry_find(api->store, match->parameters[0], &row, err);
    if (code == ERR_OK)
        code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = registry_move(api->store, row.version, stage, who, why, err);
    if (code != ERR_OK)
        return code;
    forecaster_reload(api->forecaster);
    if (row.stage != stage)
        api_models_publish(api, stage == STAGE_ARCHIVED ? "archived" : "promoted", row.version);
    return answer_model(api, row.version, response, err);
}

HANDLER(api_model_promote)
{
    static const char *const known[] = {"stage", "why", NULL};
    char why[WHY_BYTES] = "by hand", stage_text[16] = "Production";
    json_t *body;
    enum err_code code = read_body(match->request, known, &body, err);
    if (code == ERR_OK)
        code = read_text(body, "why", false, why, sizeof(why), err);
    if (code == ERR_OK)
        code = read_text(body, "stage", false, stage_text, sizeof(stage_text), err);
    json_decref(body);
    int stage = stage_find(stage_text);
    if (code == ERR_OK && stage < 0)
        code = err_set_field(err, ERR_INVALID, "stage",
                             "'%s' is no stage; there are None, Staging, Production, Archived", stage_text);
    return code == ERR_OK ? move(context, match, (enum stage)stage, why, response, err) : code;
}

HANDLER(api_model_archive)
{
    static const char *const known[] = {"why", NULL};
    char why[WHY_BYTES] = "by hand";
    json_t *body;
    enum err_code code = read_body(match->request, known, &body, err);
    if (code == ERR_OK)
        code = read_text(body, "why", false, why, sizeof(why), err);
    json_decref(body);
    return code == ERR_OK ? move(context, match, STAGE_ARCHIVED, why, response, err) : code;
}

HANDLER(api_models_rollback)
{
    static const char *const known[] = {"subject", "variant", "bot", NULL};
    struct api *api = context;
    struct model_name name = {0};
    struct version_row row;
    const char *who = NULL;
    json_t *body;
    enum err_code code = read_body(match->request, known, &body, err);
    if (code == ERR_OK)
        code = read_text(body, "subject", true, name.subject, sizeof(name.subject), err);
    if (code == ERR_OK)
        code = read_text(body, "variant", true, name.variant, sizeof(name.variant), err);
    if (code == ERR_OK)
        code = read_text(body, "bot", true, name.bot, sizeof(name.bot), err);
    json_decref(body);
    if (code == ERR_OK)
        code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = registry_rollback(api->store, &name, who, &row, err);
    if (code != ERR_OK)
        return code;
    forecaster_reload(api->forecaster);
    api_models_publish(api, "promoted", row.version);
    return answer_model(api, row.version, response, err);
}

/* ---- training again ---- */

/* The options of the version's training, checked as those of a request are, without the matrix of then. */
static enum err_code complete_options(const struct task *task, const json_t *config, const char *version,
                                      struct buffer *out, struct err *err)
{
    _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES];
    struct json_writer writer;
    json_t *told = json_deep_copy(json_object_get(config, "options"));
    assert(task->options_bytes <= sizeof(options));
    if (told == NULL)
        return err_set(err, ERR_CONFLICT, "the settings of version %s are not known", version);
    (void)json_object_del(told, "matrix");
    option_defaults(task->options, options);
    enum err_code code = option_read_json(task->options, options, told, true, err);
    if (code == ERR_OK && task->check != NULL)
        code = task->check(options, err);
    json_decref(told);
    json_writer_init(&writer, out);
    if (code == ERR_OK)
        option_write_json(task->options, options, &writer);
    return code;
}

enum err_code api_models_retrain(struct api *api, const struct version_row *row, const char *key,
                                 const char *who, struct job_row *out, bool *out_is_new, struct err *err)
{
    const struct task *task = task_find("train");
    struct model_entry entry = {.row = *row};
    struct buffer options;
    char label[JOB_LABEL_BYTES];
    json_t *config = NULL;
    assert(task != NULL);
    (void)snprintf(label, sizeof(label), "%.24s %.24s %.31s", row->name.subject, row->name.variant,
                   row->name.bot);
    buffer_init(&options, LIMIT_BODY_BYTES);
    enum err_code code = model_object_config(api->store, &entry, &config, err);
    if (code == ERR_OK)
        code = complete_options(task, config, row->version, &options, err);
    if (code == ERR_OK) {
        struct job_order order = {.task = task->name,
                                  .request_json = buffer_text(&options),
                                  .key = key,
                                  .who = who,
                                  .label = label};
        code = supervisor_submit(api->supervisor, &order, out, out_is_new, err);
    }
    json_decref(config);
    buffer_release(&options);
    return code;
}

HANDLER(api_model_retrain)
{
    struct api *api = context;
    struct version_row row;
    struct job_row job;
    const char *who = NULL;
    const char *key = http_request_header(match->request, "Idempotency-Key");
    enum err_code code = registry_find(api->store, match->parameters[0], &row, err);
    if (code == ERR_OK)
        code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = api_models_retrain(api, &row, key != NULL ? key : "", who, &job, NULL, err);
    if (code != ERR_OK)
        return code;
    api_answer_job(api, &job, response);
    return ERR_OK;
}

/* Once a day at most for each version: asking twice queues nothing twice. */
static void stale_key(const char *version, int64_t now_us, char out[JOB_KEY_BYTES])
{
    char today[TIME_TEXT_BYTES];
    time_format_iso(now_us, today);
    (void)snprintf(out, JOB_KEY_BYTES, "retrain-stale:%s:%.10s", version, today);
}

static enum err_code retrain_each(struct api *api, const struct model_list *stale, const char *who,
                                  struct json_writer *out, struct err *err)
{
    char key[JOB_KEY_BYTES];
    struct job_row job;
    int64_t queued = 0;
    enum err_code code = ERR_OK;
    json_key(out, "jobs");
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < stale->count; i++) {
        bool is_new = false;
        stale_key(stale->items[i].row.version, now_of(api), key);
        code = api_models_retrain(api, &stale->items[i].row, key, who, &job, &is_new, err);
        if (code == ERR_OK) {
            api_write_job(out, api, &job);
            queued += is_new;
        }
    }
    json_end_array(out);
    json_field_i64(out, "queued", queued);
    return code;
}

HANDLER(api_models_retrain_stale)
{
    struct api *api = context;
    struct model_query query = {.stage = STAGE_PRODUCTION, .status = MODEL_STALE, .limit = STALE_MAX};
    struct model_list stale;
    struct json_writer out;
    const char *who = NULL;
    enum err_code code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = model_object_list(api->store, &query, now_of(api), &stale, err);
    if (code != ERR_OK)
        return code;
    response->status = 202;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    code = retrain_each(api, &stale, who, &out, err);
    json_end_object(&out);
    model_object_list_release(&stale);
    return code;
}
