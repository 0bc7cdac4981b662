/* What a run hands to the server's process, and how that stores it. The rows go beside the result: a result is kept with its
 * job for weeks, and a round of prices is half a megabyte every five minutes. The folder of a job is there until its result
 * is committed, so a commit that is repeated after a crash finds the file again. */
#include "task/connector.h"

#include "base/text.h"
#include "base/time.h"
#include "football/league.h"
#include "limits.h"
#include "os/file.h"
#include "store/fetched_store.h"

#include <stdio.h>
#include <string.h>

static const char payload_name[] = "fetched.json";

/* ---- the result ---- */

static void write_answers(const struct connector *connector, struct json_writer *out)
{
    json_key(out, "answers");
    json_begin_array(out);
    for (size_t index = 0; index < connector->answer_count; index++) {
        const struct connector_answer *answer = &connector->answers[index];
        json_begin_object(out);
        json_field_text(out, "resource", answer->resource);
        json_field_text(out, "request", answer->request);
        json_field_text(out, "etag", answer->etag);
        json_field_text(out, "last_modified", answer->last_modified);
        json_field_i64(out, "fetched_us", answer->fetched_us);
        json_end_object(out);
    }
    json_end_array(out);
}

/* "<job>/fetched.json" in the result, below the store's folder of jobs. */
static enum err_code write_payload(const struct connector *connector, const struct buffer *payload,
                                   struct json_writer *out, struct err *err)
{
    char path[FILE_PATH_BYTES], told[64];
    const char *folder = connector->task->job_folder, *name = folder != NULL ? strrchr(folder, '/') : NULL;
    if (name == NULL) {
        json_key(out, "fetched");
        json_put_raw(out, buffer_text(payload), payload->size_bytes);
        return ERR_OK;
    }
    int length = snprintf(path, sizeof path, "%s/%s", folder, payload_name);
    if (length < 0 || (size_t)length >= sizeof path)
        return err_set(err, ERR_TOO_LARGE, "the path of the job's folder is too long");
    (void)snprintf(told, sizeof told, "%.20s/%s", name + 1, payload_name);
    json_field_text(out, "fetched_file", told);
    return file_write_atomic(path, buffer_text(payload), payload->size_bytes, err);
}

enum err_code connector_write_result(const struct connector *connector, const struct buffer *payload,
                                     struct json_writer *out, struct err *err)
{
    bool is_empty = connector->row.not_before_us != TIME_NONE && connector->answer_count == 0 &&
                    connector->unchanged == 0; /* throttled before anything came */
    if (connector->is_skipped || (is_empty && connector->note[0] != '\0'))
        json_field_text(out, "outcome", "skipped");
    if (connector->note[0] != '\0')
        json_field_text(out, "note", connector->note);
    json_field_text(out, "connector", connector->source->name);
    json_field_text(out, "source", connector->source->title);
    json_field_i64(out, "requests", (int64_t)connector->requests);
    json_field_i64(out, "repeated", (int64_t)connector->repeated);
    json_field_i64(out, "unchanged", (int64_t)connector->unchanged);
    json_field_i64(out, "not_offered", (int64_t)connector->not_offered);
    if (connector->requests == 0)
        return ERR_OK;
    if (connector->row.not_before_us != TIME_NONE)
        json_field_i64(out, "not_before_us", connector->row.not_before_us);
    json_field_i64(out, "asked_us", connector->row.asked_us);
    write_answers(connector, out);
    return payload != NULL ? write_payload(connector, payload, out, err) : ERR_OK;
}

/* ---- the commit ---- */

/* Only "<digits>/fetched.json": a result cannot name any other file. */
static bool is_payload_path(const char *told)
{
    size_t digits = strspn(told, "0123456789");
    return digits > 0 && told[digits] == '/' && strcmp(told + digits + 1, payload_name) == 0;
}

static enum err_code read_payload_file(const struct store *store, const char *told, json_t **out,
                                       struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct buffer text;
    if (!is_payload_path(told))
        return err_set(err, ERR_INVALID, "'%.60s' is no file of fetched rows", told);
    int length = snprintf(path, sizeof path, "%s/%s", store->jobs, told);
    if (length < 0 || (size_t)length >= sizeof path)
        return err_set(err, ERR_TOO_LARGE, "the path of the fetched rows is too long");
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = file_read(path, &text, err);
    if (code == ERR_OK)
        code = json_read(buffer_text(&text), text.size_bytes, out, err);
    buffer_release(&text);
    return code;
}

/* *out is NULL when there is none, else the caller's to release. */
static enum err_code read_payload(const struct store *store, const json_t *result, json_t **out,
                                  struct err *err)
{
    const char *told = NULL;
    json_t *inside = json_object_get(result, "fetched");
    *out = inside != NULL ? json_incref(inside) : NULL;
    enum err_code code = json_take_text(result, "fetched_file", false, &told, err);
    return code == ERR_OK && *out == NULL && told != NULL ? read_payload_file(store, told, out, err) : code;
}

static enum err_code take_copy(const json_t *object, const char *key, char *out, size_t out_bytes,
                               struct err *err)
{
    const char *text = NULL;
    enum err_code code = json_take_text(object, key, true, &text, err);
    return code == ERR_OK && !text_copy(text_of(text), out, out_bytes)
               ? err_set(err, ERR_INVALID, "'%s' of an answer is too long", key)
               : code;
}

static enum err_code keep_answer(struct db *db, const char *name, const json_t *json, struct err *err)
{
    struct connector_answer answer = {0};
    enum err_code code = take_copy(json, "resource", answer.resource, sizeof answer.resource, err);
    if (code == ERR_OK)
        code = take_copy(json, "request", answer.request, sizeof answer.request, err);
    if (code == ERR_OK)
        code = take_copy(json, "etag", answer.etag, sizeof answer.etag, err);
    if (code == ERR_OK)
        code = take_copy(json, "last_modified", answer.last_modified, sizeof answer.last_modified, err);
    if (code == ERR_OK)
        code = json_take_i64(json, "fetched_us", true, &answer.fetched_us, err);
    return code == ERR_OK ? connector_store_keep(db, name, &answer, err) : code;
}

/* Validators and waiting times. */
static enum err_code keep_answers(struct db *db, const json_t *result, struct err *err)
{
    const char *name = NULL;
    const json_t *answers = json_object_get(result, "answers"), *answer;
    struct connector_row row = {TIME_NONE, TIME_NONE};
    size_t index;
    enum err_code code = json_take_text(result, "connector", true, &name, err);
    if (code == ERR_OK)
        code = json_take_i64(result, "not_before_us", false, &row.not_before_us, err);
    if (code == ERR_OK)
        code = json_take_i64(result, "asked_us", true, &row.asked_us, err);
    if (code == ERR_OK)
        code = connector_store_set(db, name, &row, err);
    json_array_foreach(answers, index, answer)
    {
        if (code == ERR_OK)
            code = keep_answer(db, name, answer, err);
    }
    return code;
}

static enum err_code keep_all(struct db *db, const json_t *result, const json_t *payload,
                              enum err_code (*keep)(struct db *db, const json_t *payload, struct err *err),
                              const char *salt, struct err *err)
{
    char name[64];
    int64_t asked_us = 0;
    bool is_changed;
    enum err_code code = json_take_i64(result, "asked_us", true, &asked_us, err);
    if (code == ERR_OK)
        code = keep(db, payload, err);
    if (code == ERR_OK)
        code = keep_answers(db, result, err);
    (void)snprintf(name, sizeof name, "%s %lld", salt, (long long)asked_us);
    return code == ERR_OK ? fetched_store_finish(db, name, &is_changed, err) : code;
}

enum err_code connector_commit(struct store *store, const json_t *result,
                               enum err_code (*keep)(struct db *db, const json_t *payload, struct err *err),
                               const char *salt, struct err *err)
{
    json_t *payload = NULL;
    if (json_integer_value(json_object_get(result, "requests")) == 0)
        return ERR_OK;
    enum err_code code = read_payload(store, result, &payload, err);
    if (code == ERR_OK)
        code = db_begin(store->db, err);
    if (code == ERR_OK) {
        code = keep_all(store->db, result, payload, keep, salt, err);
        if (code == ERR_OK)
            code = db_commit(store->db, err);
        else
            db_rollback(store->db);
    }
    json_decref(payload);
    return code;
}

/* ---- names ---- */

enum err_code connector_names(struct task_context *context, const char *league, int64_t now_us, int *country,
                              struct team_names **names, struct err *err)
{
    int index = league_find(text_of(league)), wanted = league_country((size_t)index);
    if (wanted == *country)
        return ERR_OK;
    team_names_close(*names);
    *names = NULL;
    *country = wanted;
    return team_names_open(context->store->db, league_country_name((size_t)wanted), time_day_of(now_us),
                           names, err);
}

void connector_list_begin(struct connector_list *list)
{
    *list = (struct connector_list){0};
    buffer_init(&list->text, 1 << 20);
    json_writer_init(&list->out, &list->text);
    json_begin_array(&list->out);
}

void connector_list_add(struct connector_list *list, const char *league, const char *name, const char *more)
{
    if (list->count++ >= CONNECTOR_LISTED)
        return;
    json_begin_object(&list->out);
    json_field_text(&list->out, "league", league);
    json_field_text(&list->out, "name", name);
    if (more != NULL)
        json_field_text(&list->out, "at", more);
    json_end_object(&list->out);
}

void connector_list_end(struct connector_list *list, const char *name, struct json_writer *out)
{
    char count[64];
    json_end_array(&list->out);
    json_key(out, name);
    json_put_raw(out, buffer_text(&list->text), list->text.size_bytes);
    (void)snprintf(count, sizeof count, "%s_count", name);
    json_field_i64(out, count, (int64_t)list->count);
    buffer_release(&list->text);
}
