/* almanac jobs list | show: the queue of a running server, over HTTP, or of the store when no server answers; the objects are
 * the same. */
#include "cli/jobs.h"

#include "api/api.h"
#include "base/text.h"
#include "limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 500 };

/* ---- shared ---- */

void jobs_print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
    command_printf("%s\n", text != NULL ? text : "null");
    free(text);
}

const char *jobs_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static int64_t number_in(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* "1234/6000 (20%) eta 12s, epoch 40/100, loss 0.9801" */
static void print_progress(const json_t *job)
{
    int64_t total = number_in(job, "total"), epochs = number_in(job, "epochs");
    const json_t *eta = json_object_get(job, "eta_s"), *loss = json_object_get(job, "loss");
    if (jobs_text(job, "phase")[0] != '\0')
        command_printf("  %s", jobs_text(job, "phase"));
    if (total > 0)
        command_printf(" %" PRId64 "%%", 100 * number_in(job, "done") / total);
    if (json_is_number(eta))
        command_printf(", %.0f s left", json_number_value(eta));
    if (epochs > 0)
        command_printf(", epoch %" PRId64 "/%" PRId64, number_in(job, "epoch"), epochs);
    if (json_is_number(loss))
        command_printf(", loss %.4f", json_number_value(loss));
}

void jobs_print_line(const json_t *job)
{
    const char *state = jobs_text(job, "state");
    command_printf("%6" PRId64 "  %-9s  %-8s  %-24s", number_in(job, "id"), state, jobs_text(job, "queue"),
                   jobs_text(job, "label"));
    if (strcmp(state, "running") == 0 || strcmp(state, "stopping") == 0)
        print_progress(job);
    else if (jobs_text(job, "error")[0] != '\0')
        command_printf("  %s", jobs_text(job, "error"));
    else if (jobs_text(job, "ended_at")[0] != '\0')
        command_printf("  %.19s", jobs_text(job, "ended_at"));
    command_printf("\n");
}

bool jobs_state_is_final(const char *state)
{
    enum job_state found;
    return job_state_find(state, &found) && job_state_is_final(found);
}

enum err_code jobs_outcome(const char *id, const char *state, const char *error, struct err *err)
{
    if (strcmp(state, "succeeded") == 0)
        return ERR_OK;
    if (strcmp(state, "stopped") == 0)
        return err_set(err, ERR_CANCELLED, "job %s was stopped", id);
    return err_set(err, ERR_CONFLICT, "job %s has %s%s%s", id, state, error[0] != '\0' ? ": " : "", error);
}

enum err_code jobs_read_id(const char *argument, int64_t *out, struct err *err)
{
    if (argument[0] == '\0')
        return err_set(err, ERR_INVALID, "name a job by its id; 'almanac jobs list' shows them");
    if (!text_parse_i64(text_of(argument), out) || *out < 1)
        return err_set(err, ERR_INVALID, "'%s' is not the id of a job: a whole number from 1 on", argument);
    return ERR_OK;
}

/* ---- without a server ---- */

/* Writes one answer of the API from the store. */
static enum err_code read_store(const struct settings *settings, json_t **out,
                                enum err_code (*write)(const struct api *api, void *context,
                                                       struct json_writer *writer, struct err *err),
                                void *context, struct err *err)
{
    struct store store = {0};
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_writer_init(&writer, &text);
    enum err_code code = store_open(settings->data_dir, DB_READ_ONLY, &store, err);
    const struct api api = {.store = &store}; /* all that writing a job asks of it */
    if (code == ERR_OK)
        code = write(&api, context, &writer, err);
    if (code == ERR_OK)
        code = json_read(buffer_text(&text), text.size_bytes, out, err);
    store_close(&store);
    buffer_release(&text);
    return code;
}

/* ---- list ---- */

struct list_options {
    char state[16], queue[16], task[32], batch[32];
    int64_t limit;
};
#define MEMBER(name) OPTION_MEMBER(struct list_options, name)
static const struct option_row list_rows[] = {
    {"state", OPTION_TEXT, MEMBER(state), "", 0, 0, "",
     "only jobs in this state: queued, running, stopping, succeeded, failed or stopped"},
    {"queue", OPTION_TEXT, MEMBER(queue), "", 0, 0, "", "only jobs of this queue: default or training"},
    {"task", OPTION_TEXT, MEMBER(task), "", 0, 0, "", "only jobs of this task: train, backtest, ..."},
    {"batch", OPTION_TEXT, MEMBER(batch), "", 0, 0, "", "only jobs of this auto-training"},
    {"limit", OPTION_INT, MEMBER(limit), "jobs", 1, LIST_MAX, "50", "the newest so many"},
};
#undef MEMBER
static const struct option_table list_table = {"jobs_list", list_rows,
                                               sizeof(list_rows) / sizeof(*list_rows)};

/* A name of ours in a query: other characters than these would not be one. */
static enum err_code add_query(struct buffer *path, const char *key, const char *value, struct err *err)
{
    if (value[0] == '\0')
        return ERR_OK;
    if (strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") != strlen(value))
        return err_set_field(err, ERR_INVALID, key, "'%s' is no name of a %s", value, key);
    buffer_printf(path, "&%s=%s", key, value);
    return ERR_OK;
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static enum err_code write_list(const struct api *api, void *context, struct json_writer *out,
                                struct err *err)
{
    const struct list_options *options = context;
    enum job_state state = JOB_QUEUED;
    size_t count = (size_t)options->limit;
    struct job_row *rows = calloc(count, sizeof(*rows));
    if (rows == NULL)
        return err_nomem(err, count * sizeof(*rows));
    enum err_code code = ERR_OK;
    if (options->state[0] != '\0' && !job_state_find(options->state, &state))
        code = err_set_field(err, ERR_INVALID, "state", "no job is ever '%s'", options->state);
    struct job_filter filter = {.state = options->state[0] != '\0' ? (int)state : -1,
                                .queue = or_null(options->queue),
                                .task = or_null(options->task),
                                .batch = or_null(options->batch)};
    if (code == ERR_OK)
        code = job_store_find(api->store->db, &filter, rows, &count, err);
    json_begin_object(out);
    json_key(out, "jobs");
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        api_write_job(out, api, &rows[i]);
    json_end_array(out);
    json_end_object(out);
    free(rows);
    return code;
}

static enum err_code ask_list(const struct settings *settings, const struct list_options *options,
                              json_t **out, struct err *err)
{
    struct server_client *client = NULL;
    struct buffer path;
    buffer_init(&path, 1024);
    buffer_printf(&path, "/api/jobs?limit=%" PRId64, options->limit);
    enum err_code code = add_query(&path, "state", options->state, err);
    if (code == ERR_OK)
        code = add_query(&path, "queue", options->queue, err);
    if (code == ERR_OK)
        code = add_query(&path, "task", options->task, err);
    if (code == ERR_OK)
        code = add_query(&path, "batch", options->batch, err);
    if (code == ERR_OK)
        code = server_client_create(settings, &client, err);
    if (code == ERR_OK)
        code = server_client_call(client, "GET", buffer_text(&path), NULL, out, err);
    server_client_destroy(client);
    buffer_release(&path);
    return code;
}

static enum err_code run_list(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct list_options options;
    json_t *answer = NULL;
    const json_t *job;
    size_t index;
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = ask_list(&settings, &options, &answer, err);
    if (code == ERR_UNAVAILABLE)
        code = read_store(&settings, &answer, write_list, &options, err);
    if (code == ERR_OK && settings.json)
        jobs_print_json(answer);
    else if (code == ERR_OK)
        json_array_foreach(json_object_get(answer, "jobs"), index, job) jobs_print_line(job);
    json_decref(answer);
    return code;
}

/* ---- show ---- */

static void write_raw(struct json_writer *out, const char *key, const struct buffer *json)
{
    json_key(out, key);
    if (json->size_bytes > 0)
        json_put_raw(out, buffer_text(json), json->size_bytes);
    else
        json_put_null(out);
}

static enum err_code write_one(const struct api *api, void *context, struct json_writer *out, struct err *err)
{
    const int64_t *id = context;
    struct db *db = api->store->db;
    struct job_row job;
    struct buffer request, result, events;
    buffer_init(&request, LIMIT_RESULT_BYTES);
    buffer_init(&result, LIMIT_RESULT_BYTES);
    buffer_init(&events, LIMIT_RESULT_BYTES);
    enum err_code code = job_store_get(db, *id, &job, err);
    if (code == ERR_OK)
        code = job_store_request(db, *id, &request, err);
    if (code == ERR_OK)
        code = job_store_result(db, *id, &result, err);
    if (code == ERR_OK)
        code = job_store_events(db, *id, &events, err);
    if (code == ERR_OK) {
        json_begin_object(out);
        json_key(out, "job");
        api_write_job(out, api, &job);
        write_raw(out, "request", &request);
        write_raw(out, "result", &result);
        write_raw(out, "events", &events);
        json_end_object(out);
    }
    buffer_release(&request);
    buffer_release(&result);
    buffer_release(&events);
    return code;
}

enum err_code jobs_ask(struct server_client *client, int64_t id, json_t **out, struct err *err)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/api/jobs/%" PRId64, id);
    return server_client_call(client, "GET", path, NULL, out, err);
}

static void print_one(const json_t *answer)
{
    static const char *const keys[] = {"who", "batch", "key", "created_at", "started_at", "ended_at"};
    const json_t *job = json_object_get(answer, "job"), *event;
    size_t index;
    jobs_print_line(job);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (jobs_text(job, keys[i])[0] != '\0')
            command_printf("%12s  %s\n", keys[i], jobs_text(job, keys[i]));
    }
    char *request = json_dumps(json_object_get(answer, "request"), JSON_ENCODE_ANY);
    command_printf("%12s  %s\n", "options", request != NULL ? request : "");
    free(request);
    json_array_foreach(json_object_get(answer, "events"), index, event)
        command_printf("%.26s  %s -> %s  attempt %" PRId64 "  %s  %s\n", jobs_text(event, "at"),
                       jobs_text(event, "from"), jobs_text(event, "to"), number_in(event, "attempt"),
                       jobs_text(event, "who"), jobs_text(event, "note"));
}

enum err_code jobs_parse_id(const struct command *command, int argc, char **argv, struct settings *settings,
                            int64_t *id, struct err *err)
{
    const char *positionals[1] = {""};
    size_t count = 0;
    enum err_code code = command_parse(command, argc, argv, settings, NULL, positionals, 1, &count, err);
    return code == ERR_OK ? jobs_read_id(positionals[0], id, err) : code;
}

static enum err_code run_show(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct server_client *client = NULL;
    json_t *answer = NULL;
    int64_t id = 0;
    enum err_code code = jobs_parse_id(command, argc, argv, &settings, &id, err);
    if (code == ERR_OK)
        code = server_client_create(&settings, &client, err);
    if (code == ERR_OK)
        code = jobs_ask(client, id, &answer, err);
    if (code == ERR_UNAVAILABLE)
        code = read_store(&settings, &answer, write_one, &id, err);
    if (code == ERR_OK && settings.json)
        jobs_print_json(answer);
    else if (code == ERR_OK)
        print_one(answer);
    json_decref(answer);
    server_client_destroy(client);
    return code;
}

const struct command command_jobs_list = {
    "jobs list", "[flags]", "jobs, newest first; of the server, or of the store when none runs",
    &list_table, NULL,      run_list};
const struct command command_jobs_show = {
    "jobs show", "ID", "one job: state, progress, options, and who did what to it when",
    NULL,        NULL, run_show};
