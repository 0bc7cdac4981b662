/* /api/training: status, pause, resume, stop, force stop, and what a training can be made of. The queue itself belongs to the
 * supervisor; trainings are its jobs, and symbol, timeframe and bot of one are read from what it was asked. */
#include "api/training.h"

#include "api/api.h"
#include "base/text.h"
#include "base/time.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "football/target.h"
#include "http/defer.h"
#include "limits.h"
#include "store/league_store.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err);                                                                     \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { MAX_DEPTH = 500000 }; /* the end of the data-depth slider; `last` itself takes more */

size_t training_bots(struct training_bot out[TRAINING_BOTS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; engine_at(i) != NULL; i++) {
        const struct engine *engine = engine_at(i);
        for (int prices = (engine->capabilities & ENGINE_NEEDS_PRICES) != 0; prices < 2; prices++) {
            assert(count < TRAINING_BOTS_MAX);
            struct training_bot *bot = &out[count++];
            *bot = (struct training_bot){.engine = engine, .has_prices = prices != 0};
            (void)snprintf(bot->name, sizeof(bot->name), "%.23s%s", engine->name, prices ? "_prices" : "");
        }
    }
    return count;
}

/* ---- status ---- */

struct training_name {
    char symbol[16], timeframe[16], bot[TRAINING_BOT_BYTES];
};

/* Empty parts where the request is none of this program. */
static struct training_name name_request(const char *request, size_t size_bytes)
{
    struct training_name name = {0};
    struct train_options options;
    struct model_name model;
    json_t *json = NULL;
    option_defaults(task_train.options, &options);
    if (json_read(request, size_bytes, &json, NULL) == ERR_OK &&
        option_read_json(task_train.options, &options, json, false, NULL) == ERR_OK &&
        train_model_name(&options, &model, NULL) == ERR_OK) {
        (void)text_copy(text_of(model.subject), name.symbol, sizeof(name.symbol));
        (void)text_copy(text_of(model.variant), name.timeframe, sizeof(name.timeframe));
        (void)text_copy(text_of(model.bot), name.bot, sizeof(name.bot));
    }
    json_decref(json);
    return name;
}

/* What start-auto wrote; false: somebody else did. */
static bool read_label(const char *label, struct training_name *out)
{
    struct text rest = text_of(label), symbol, timeframe, bot;
    return text_split(&rest, ' ', &symbol) && text_split(&rest, ' ', &timeframe) &&
           text_split(&rest, ' ', &bot) && rest.data == NULL &&
           text_copy(symbol, out->symbol, sizeof(out->symbol)) &&
           text_copy(timeframe, out->timeframe, sizeof(out->timeframe)) &&
           text_copy(bot, out->bot, sizeof(out->bot));
}

/* The jobs of a batch have it in their label, so that the status of a long queue, told with every change, reads no requests. */
static struct training_name name_of(const struct api *api, const struct job_row *job)
{
    struct training_name name = {0};
    struct buffer request;
    if (strcmp(job->task, task_train.name) != 0 || (job->batch[0] != '\0' && read_label(job->label, &name)))
        return name;
    buffer_init(&request, LIMIT_BODY_BYTES);
    if (job_store_request(api->store->db, job->id, &request, NULL) == ERR_OK)
        name = name_request(buffer_text(&request), request.size_bytes);
    buffer_release(&request);
    return name;
}

void training_label(const char *request, char out[JOB_LABEL_BYTES])
{
    struct training_name name = name_request(request, strlen(request));
    out[0] = '\0';
    if (name.symbol[0] != '\0')
        (void)snprintf(out, JOB_LABEL_BYTES, "%s %s %s", name.symbol, name.timeframe, name.bot);
}

static void write_name(struct json_writer *out, const struct api *api, const struct job_row *job)
{
    struct training_name name = name_of(api, job);
    json_field_i64(out, "job_id", job->id);
    json_field_text_or_null(out, "symbol", name.symbol);
    json_field_text_or_null(out, "timeframe", name.timeframe);
    json_field_text_or_null(out, "bot", name.bot);
}

static void write_current(struct json_writer *out, const struct api *api, const struct job_row *job)
{
    json_begin_object(out);
    write_name(out, api, job);
    json_field_text_or_null(out, "phase", job->phase);
    if (job->progress_total > 0)
        json_field_f64(out, "progress", (double)job->progress_done / (double)job->progress_total);
    else
        json_field_null(out, "progress");
    json_field_i64(out, "epoch", job->epoch);
    json_field_i64(out, "epochs", job->epochs);
    json_field_f64(out, "loss", job->loss);
    json_field_f64(out, "best_loss", job->best);
    json_field_seconds(out, "eta_s", job->eta_us);
    json_end_object(out);
}

/* In the order in which they will run. */
static int compare_jobs(const void *a, const void *b)
{
    const struct job_row *left = a, *right = b;
    if (left->priority != right->priority)
        return left->priority > right->priority ? -1 : 1;
    return (left->id > right->id) - (left->id < right->id);
}

enum { QUEUE_SHOWN = 500 };

static enum err_code write_queue(struct json_writer *out, struct api *api, struct err *err)
{
    struct job_filter filter = {.state = JOB_QUEUED, .queue = TRAINING_QUEUE};
    size_t count = QUEUE_SHOWN;
    struct job_row *jobs = calloc(count, sizeof(*jobs));
    if (jobs == NULL)
        return err_nomem(err, count * sizeof(*jobs));
    enum err_code code = job_store_find(api->store->db, &filter, jobs, &count, err);
    if (code != ERR_OK)
        count = 0;
    qsort(jobs, count, sizeof(*jobs), compare_jobs);
    json_key(out, "queue");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(out);
        write_name(out, api, &jobs[i]);
        json_end_object(out);
    }
    json_end_array(out);
    free(jobs);
    return code;
}

enum err_code training_batch(struct api *api, bool only_active, char out[JOB_BATCH_BYTES], struct err *err)
{
    static const int states[] = {JOB_QUEUED, JOB_RUNNING, JOB_STOPPING, -1};
    enum { LOOKED_AT = 20 };
    struct job_row *jobs = calloc(LOOKED_AT, sizeof(*jobs));
    enum err_code code = jobs != NULL ? ERR_OK : err_nomem(err, LOOKED_AT * sizeof(*jobs));
    out[0] = '\0';
    for (size_t s = 0; code == ERR_OK && s < (only_active ? 3 : 4) && out[0] == '\0'; s++) {
        struct job_filter filter = {.state = states[s], .queue = TRAINING_QUEUE};
        size_t count = LOOKED_AT;
        code = job_store_find(api->store->db, &filter, jobs, &count, err);
        for (size_t i = 0; code == ERR_OK && i < count && out[0] == '\0'; i++)
            (void)text_copy(text_of(jobs[i].batch), out, JOB_BATCH_BYTES);
    }
    free(jobs);
    return code;
}

enum err_code training_write_status(struct api *api, struct json_writer *out, struct err *err)
{
    struct queue_status status;
    struct job_row job;
    char batch[JOB_BATCH_BYTES];
    enum err_code code = supervisor_queue_status(api->supervisor, TRAINING_QUEUE, &status, err);
    if (code == ERR_OK)
        code = training_batch(api, false, batch, err);
    bool has_current = code == ERR_OK && status.current != 0 &&
                       job_store_get(api->store->db, status.current, &job, NULL) == ERR_OK;
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    json_field_bool(out, "is_running", status.is_running);
    json_field_bool(out, "is_paused", status.is_paused);
    json_field_bool(out, "is_stopping", status.is_stopping);
    json_key(out, "current_training");
    if (has_current)
        write_current(out, api, &job);
    else
        json_put_null(out);
    json_field_i64(out, "queue_length", (int64_t)status.queued);
    json_field_i64(out, "completed_count", status.completed);
    json_field_i64(out, "failed_count", status.failed);
    json_field_i64(out, "stopped_count", status.stopped);
    json_field_seconds(out, "eta_s", status.eta_us);
    json_field_text_or_null(out, "batch", batch);
    code = write_queue(out, api, err);
    json_end_object(out);
    return code;
}

HANDLER(api_training_status)
{
    struct json_writer out;
    (void)match;
    json_writer_init(&out, &response->body);
    return training_write_status(context, &out, err);
}

/* ---- control ---- */

static enum err_code control(struct api *api, enum queue_action action, const struct route_match *match,
                             struct http_response *response, struct err *err)
{
    struct queue_status status;
    struct json_writer out;
    const char *who = NULL;
    enum err_code code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = supervisor_control(api->supervisor, TRAINING_QUEUE, action, who, &status, err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, &response->body);
    return training_write_status(api, &out, err);
}

HANDLER(api_training_pause)
{
    return control(context, QUEUE_PAUSE, match, response, err);
}

HANDLER(api_training_resume)
{
    return control(context, QUEUE_RESUME, match, response, err);
}

HANDLER(api_training_stop)
{
    return control(context, QUEUE_STOP, match, response, err);
}

HANDLER(api_training_force_stop)
{
    return control(context, QUEUE_FORCE_STOP, match, response, err);
}

/* ---- what there is ---- */

static const char *const type_names[] = {
    [OPTION_BOOL] = "bool", [OPTION_INT] = "int",   [OPTION_REAL] = "real",
    [OPTION_TEXT] = "text", [OPTION_DATE] = "date", [OPTION_ENUM] = "enum",
};

static void write_choices(struct json_writer *out, const struct option_row *row)
{
    struct text rest = text_of(row->unit), choice;
    char name[64];
    json_key(out, "choices");
    if (row->type != OPTION_ENUM) {
        json_put_null(out);
        return;
    }
    json_begin_array(out);
    while (text_split(&rest, '|', &choice)) {
        (void)text_copy(choice, name, sizeof(name));
        json_put_text(out, name);
    }
    json_end_array(out);
}

/* As JSON has it: numbers and truth as such, everything else as text. */
static void write_default(struct json_writer *out, const struct option_row *row)
{
    int64_t whole;
    double real;
    json_key(out, "default");
    if (row->type == OPTION_BOOL)
        json_put_bool(out, strcmp(row->fallback, "true") == 0);
    else if (row->type == OPTION_INT && text_parse_i64(text_of(row->fallback), &whole))
        json_put_i64(out, whole);
    else if (row->type == OPTION_REAL && text_parse_f64(text_of(row->fallback), &real))
        json_put_f64(out, real);
    else
        json_put_text(out, row->fallback);
}

static void write_options(struct json_writer *out, const char *key, const struct option_table *table)
{
    json_key(out, key);
    json_begin_array(out);
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        bool is_number = row->type == OPTION_INT || row->type == OPTION_REAL;
        json_begin_object(out);
        json_field_text(out, "name", row->name);
        json_field_text(out, "type", type_names[row->type]);
        json_field_text(out, "unit", row->type == OPTION_ENUM ? "" : row->unit);
        json_field_f64(out, "min", is_number ? row->min : (double)NAN);
        json_field_f64(out, "max", is_number ? row->max : (double)NAN);
        write_default(out, row);
        json_field_text(out, "doc", row->doc);
        write_choices(out, row);
        json_end_object(out);
    }
    json_end_array(out);
}

static void write_bots(struct json_writer *out)
{
    struct training_bot bots[TRAINING_BOTS_MAX];
    char name[96];
    size_t count = training_bots(bots);
    json_key(out, "bots");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(out);
        json_field_text(out, "id", bots[i].name);
        (void)snprintf(name, sizeof(name), "%s%s", bots[i].engine->name,
                       bots[i].has_prices ? ", with bookmakers' prices" : "");
        json_field_text(out, "name", name);
        json_field_text(out, "engine", bots[i].engine->name);
        json_field_text(out, "doc", bots[i].engine->doc);
        json_field_bool(out, "is_baseline", (bots[i].engine->capabilities & ENGINE_IS_BASELINE) != 0);
        json_field_bool(out, "needs_prices", bots[i].has_prices);
        write_options(out, "options", bots[i].engine->options);
        json_end_object(out);
    }
    json_end_array(out);
}

static void write_timeframes(struct json_writer *out)
{
    char name[96];
    json_key(out, "timeframes");
    json_begin_array(out);
    for (int target = 0; target < TARGET_COUNT; target++) {
        const struct target_info *info = target_at((enum target)target);
        size_t used = 0;
        for (size_t c = 0; c < info->classes && used < sizeof(name); c++)
            used += (size_t)snprintf(name + used, sizeof(name) - used, "%s%s", c == 0 ? "" : " / ",
                                     info->class_names[c]);
        json_begin_object(out);
        json_field_text(out, "id", info->name);
        json_field_text(out, "name", name);
        json_end_object(out);
    }
    json_end_array(out);
}

static void write_symbols(struct json_writer *out, const struct league_row *rows, size_t count)
{
    char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
    json_key(out, "symbols");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        int index = league_find(text_of(rows[i].league));
        if (index < 0)
            continue; /* stored by another program: nothing here could train it */
        time_format_date(rows[i].from_day, from);
        time_format_date(rows[i].to_day, to);
        json_begin_object(out);
        json_field_text(out, "id", rows[i].league);
        json_field_text(out, "name", league_at((size_t)index)->name);
        json_field_text(out, "country", league_at((size_t)index)->country);
        json_field_i64(out, "matches", rows[i].matches);
        json_field_text(out, "from", from);
        json_field_text(out, "to", to);
        json_end_object(out);
    }
    json_end_array(out);
}

static void write_feature_sets(struct json_writer *out)
{
    json_key(out, "features");
    json_begin_array(out);
    for (size_t i = 0; football_feature_set_at(i) != NULL; i++) {
        const struct feature_set *set = football_feature_set_at(i);
        json_begin_object(out);
        json_field_text(out, "id", set->name);
        json_field_text(out, "doc", set->doc);
        json_field_bool(out, "needs_prices", football_feature_set_has_prices(set));
        json_end_object(out);
    }
    json_end_array(out);
}

/* On the pool, with a store of its own: the matches are counted. */
struct options_question {
    struct http_deferred *deferred;
    char folder[FILE_PATH_BYTES];
};

static enum err_code answer_options(const struct options_question *question, struct json_writer *out,
                                    struct err *err)
{
    struct store store = {0};
    struct league_row rows[LIMIT_LEAGUES];
    size_t count = LIMIT_LEAGUES;
    enum err_code code = store_open(question->folder, DB_READ_ONLY, &store, err);
    if (code == ERR_OK)
        code = league_store_list(store.db, rows, &count, err);
    store_close(&store);
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    write_symbols(out, rows, count);
    write_timeframes(out);
    write_bots(out);
    write_feature_sets(out);
    write_options(out, "train_options", task_train.options);
    json_field_i64(out, "max_depth", MAX_DEPTH);
    json_end_object(out);
    return ERR_OK;
}

static void options_work(void *context)
{
    struct options_question *question = context;
    struct http_response *response = http_deferred_response(question->deferred);
    struct json_writer out;
    struct err err = {0};
    json_writer_init(&out, &response->body);
    enum err_code code = answer_options(question, &out, &err);
    if (code == ERR_OK)
        code = buffer_check(&response->body, "the answer", &err);
    if (code != ERR_OK) {
        err.code = code;
        http_respond_error(response, &err);
    }
}

static void options_done(void *context)
{
    struct options_question *question = context;
    http_response_complete(question->deferred);
    free(question);
}

HANDLER(api_training_options)
{
    struct api *api = context;
    struct options_question *question = calloc(1, sizeof(*question));
    if (question == NULL)
        return err_nomem(err, sizeof(*question));
    (void)text_copy(text_of(api->store->folder), question->folder, sizeof(question->folder));
    enum err_code code = http_response_defer(match->request, response, &question->deferred, err);
    if (code != ERR_OK) {
        free(question);
        return code;
    }
    code = pool_submit(api->pool, api->loop, options_work, options_done, question, err);
    if (code != ERR_OK) /* the error is the answer; completing only frees */
        options_done(question);
    return code;
}
