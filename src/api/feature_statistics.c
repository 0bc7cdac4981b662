/* GET /api/features/statistics?league=&reference_to=&recent_days=&family=&limit=
 *
 * 200 with the JSON of task/statistics.h, made once per state of the data and then kept as a file. When it is still to be
 * made, that is a job, as measuring a large matrix takes seconds: 202 {"job_id", "pid", "job"}; ask again when the job has
 * succeeded. Who asks while it runs gets the same job. The whole file goes out as it is; the features of a family, or the
 * first few, are picked on the pool, so that the loop never reads through hundreds of kilobytes of JSON. */
#include "api/api.h"

#include "base/text.h"
#include "football/feature_sets.h"
#include "http/defer.h"
#include "limits.h"
#include "task/statistics.h"

#include <stdlib.h>
#include <string.h>

enum err_code api_feature_statistics(void *context, const struct route_match *match,
                                     struct http_response *response, struct err *err);

enum { RECENT_JOBS = 50 };

/* The task's options from the query, the task's defaults where it says nothing. */
static enum err_code read_options(const struct http_request *request, struct statistics_options *out,
                                  struct err *err)
{
    const struct option_table *table = task_statistics.options;
    option_defaults(table, out);
    for (size_t i = 0; i < table->count; i++) {
        const char *value = http_request_query(request, table->rows[i].name);
        enum err_code code = value != NULL ? option_set(table, out, table->rows[i].name, value, err) : ERR_OK;
        if (code != ERR_OK)
            return code;
    }
    return statistics_check(out, err);
}

/* Before anything is started: a bad request makes no job. */
static enum err_code check_family(const char *family, struct err *err)
{
    const struct feature_set *set = football_feature_set_widest();
    if (family == NULL || family[0] == '\0')
        return ERR_OK;
    for (size_t i = 0; set->trackers[i] != NULL; i++)
        if (strcmp(set->trackers[i]->family, family) == 0)
            return ERR_OK;
    return err_set_field(err, ERR_INVALID, "family", "no feature family is called '%.40s'", family);
}

/* ---- picking, on the pool ---- */

struct pick {
    struct http_deferred *deferred;
    struct buffer json;
    char family[64];
    size_t limit;
};

static void pick_work(void *context)
{
    struct pick *pick = context;
    struct http_response *response = http_deferred_response(pick->deferred);
    struct json_writer out;
    struct err err = {0};
    json_t *json = NULL;
    enum err_code code = json_read(buffer_text(&pick->json), pick->json.size_bytes, &json, &err);
    if (code == ERR_OK)
        code = statistics_select(json, pick->family, pick->limit, &err);
    if (code == ERR_OK) {
        json_writer_init(&out, &response->body);
        json_put_value(&out, json);
    } else {
        http_respond_error(response, &err);
    }
    json_decref(json);
}

static void pick_done(void *context)
{
    struct pick *pick = context;
    http_response_complete(pick->deferred);
    buffer_release(&pick->json);
    free(pick);
}

/* Takes the content of `json`. */
static enum err_code answer_part(struct api *api, const struct route_match *match, struct buffer *json,
                                 const char *family, size_t limit, struct http_response *response,
                                 struct err *err)
{
    struct pick *pick = calloc(1, sizeof(*pick));
    if (pick == NULL)
        return err_nomem(err, sizeof(*pick));
    (void)text_copy(text_of(family), pick->family, sizeof(pick->family)); /* its name has been checked */
    enum err_code code = http_response_defer(match->request, response, &pick->deferred, err);
    if (code != ERR_OK) {
        free(pick);
        return code;
    }
    pick->json = *json;
    buffer_init(json, LIMIT_RESULT_BYTES);
    pick->limit = limit;
    code = pool_submit(api->pool, api->loop, pick_work, pick_done, pick, err);
    if (code != ERR_OK) /* the error is the answer; completing only frees */
        pick_done(pick);
    return code;
}

/* ---- making, as a job ---- */

/* The job that makes just this, if there is one under way. */
static enum err_code find_job(struct api *api, const char *request, struct job_row *out, struct err *err)
{
    size_t count = RECENT_JOBS;
    struct buffer other;
    struct job_row *jobs = calloc(RECENT_JOBS, sizeof(*jobs));
    if (jobs == NULL)
        return err_nomem(err, RECENT_JOBS * sizeof(*jobs));
    buffer_init(&other, LIMIT_RESULT_BYTES);
    bool is_found = false;
    enum err_code code = job_store_list(api->store->db, 0, jobs, &count, err);
    for (size_t i = 0; code == ERR_OK && !is_found && i < count; i++) {
        if (strcmp(jobs[i].task, task_statistics.name) != 0 || job_state_is_final(jobs[i].state) ||
            jobs[i].state == JOB_STOPPING)
            continue;
        buffer_clear(&other);
        code = job_store_request(api->store->db, jobs[i].id, &other, err);
        is_found = code == ERR_OK && strcmp(buffer_text(&other), request) == 0;
        *out = jobs[i];
    }
    buffer_release(&other);
    free(jobs);
    return code != ERR_OK || is_found ? code : err_set(err, ERR_NOT_FOUND, "no such job is under way");
}

static enum err_code answer_job(struct api *api, const struct statistics_options *options,
                                struct http_response *response, struct err *err)
{
    struct json_writer out;
    struct buffer request;
    struct job_row job;
    buffer_init(&request, LIMIT_BODY_BYTES);
    json_writer_init(&out, &request);
    option_write_json(task_statistics.options, options, &out);
    enum err_code code = find_job(api, buffer_text(&request), &job, err);
    if (code == ERR_NOT_FOUND)
        code = supervisor_submit(api->supervisor,
                                 &(struct job_order){.task = task_statistics.name,
                                                     .request_json = buffer_text(&request),
                                                     .who = "api"},
                                 &job, NULL, err);
    buffer_release(&request);
    if (code != ERR_OK)
        return code;
    api_answer_job(api, &job, response);
    return ERR_OK;
}

enum err_code api_feature_statistics(void *context, const struct route_match *match,
                                     struct http_response *response, struct err *err)
{
    struct api *api = context;
    struct statistics_options options;
    struct buffer json;
    int64_t limit = 0;
    const char *family = http_request_query(match->request, "family");
    enum err_code code = read_options(match->request, &options, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", 0, 1, LIMIT_FEATURES, &limit, err);
    if (code == ERR_OK)
        code = check_family(family, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&json, LIMIT_RESULT_BYTES);
    code = statistics_read(api->store, &options, &json, err);
    if (code == ERR_NOT_FOUND)
        code = answer_job(api, &options, response, err);
    else if (code == ERR_OK && (limit > 0 || (family != NULL && family[0] != '\0')))
        code = answer_part(api, match, &json, family != NULL ? family : "", (size_t)limit, response, err);
    else if (code == ERR_OK)
        buffer_append(&response->body, json.data, json.size_bytes);
    buffer_release(&json);
    return code;
}
