/* POST /api/training/start-auto: symbols x timeframes x bots become trainings, in that order, symbols outermost. Everything is
 * checked before anything is queued: one unknown name, and nothing happens. Pairs that wait or run already in the batch under
 * way are not added again; with a key, asking twice is asking once. */
#include "api/api.h"
#include "api/training.h"
#include "base/text.h"
#include "base/time.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "football/target.h"
#include "limits.h"
#include "store/league_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 256, KEY_BYTES = 33 };

struct names {
    const char *text[NAMES_MAX]; /* borrowed from the body */
    size_t count;
};

/* One training to be queued. */
struct pair {
    char label[JOB_LABEL_BYTES], key[JOB_KEY_BYTES];
    struct buffer request;
    bool is_known; /* waits or runs already: `known` */
    struct job_row known;
};

struct start {
    struct api *api;
    json_t *body;
    struct names symbols, timeframes, bots;
    const char *key;
    int64_t priority;
    struct train_options base; /* what all trainings have in common */
    char batch[JOB_BATCH_BYTES];
    struct pair *pairs;
    size_t pair_count;
};

static void release(struct start *start)
{
    for (size_t i = 0; start->pairs != NULL && i < start->pair_count; i++)
        buffer_release(&start->pairs[i].request);
    free(start->pairs);
    json_decref(start->body);
}

/* ---- the body ---- */

static bool has_name(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->text[i], name) == 0)
            return true;
    }
    return false;
}

/* A list of texts, without what is in it twice. */
static enum err_code read_names(const json_t *body, const char *key, struct names *out, struct err *err)
{
    const json_t *list = json_object_get(body, key);
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > NAMES_MAX)
        return err_set_field(err, ERR_INVALID, key, "'%s' is a list of 1 to %d names", key, NAMES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL)
            return err_set_field(err, ERR_INVALID, key, "'%s' has an element that is not text", key);
        if (!has_name(out, name))
            out->text[out->count++] = name;
    }
    return ERR_OK;
}

/* {"trees": 50} as the training's own "trees=50". */
static enum err_code read_parameters(const json_t *value, char *out, size_t out_bytes, struct err *err)
{
    struct buffer text;
    const char *name;
    json_t *member;
    enum err_code code = ERR_OK;
    if (json_is_string(value))
        return text_copy(text_of(json_string_value(value)), out, out_bytes)
                   ? ERR_OK
                   : err_set_field(err, ERR_INVALID, "parameters", "the parameters are too long");
    if (!json_is_object(value))
        return err_set_field(err, ERR_INVALID, "parameters", "parameters are an object: {\"trees\": 200}");
    buffer_init(&text, out_bytes);
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        buffer_printf(&text, "%s%s=", text.size_bytes > 0 ? "," : "", name);
        if (json_is_string(member) && strchr(json_string_value(member), ',') == NULL)
            buffer_append_text(&text, json_string_value(member));
        else if (json_is_integer(member))
            buffer_printf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(member));
        else if (json_is_real(member))
            buffer_printf(&text, "%.17g", json_real_value(member));
        else if (json_is_boolean(member))
            buffer_append_text(&text, json_is_true(member) ? "true" : "false");
        else
            code = err_set_field(err, ERR_INVALID, "parameters", "parameter '%s' is no number and no text",
                                 name);
    }
    if (code == ERR_OK && (text.failed != ERR_OK || !text_copy(text_of(buffer_text(&text)), out, out_bytes)))
        code = err_set_field(err, ERR_INVALID, "parameters", "the parameters are too long");
    buffer_release(&text);
    return code;
}

/* What is left of the body once our own members are taken are options of a training. */
static enum err_code read_base(struct start *start, struct err *err)
{
    static const char *const own[] = {"symbols", "timeframes", "bots", "key", "priority", "parameters"};
    static const char *const made[] = {"league", "target", "engine", "matrix"};
    const json_t *parameters = json_object_get(start->body, "parameters");
    json_t *rest = json_copy(start->body);
    enum err_code code = rest != NULL ? ERR_OK : err_nomem(err, 0);
    option_defaults(task_train.options, &start->base);
    for (size_t i = 0; code == ERR_OK && i < sizeof(own) / sizeof(*own); i++)
        (void)json_object_del(rest, own[i]);
    for (size_t i = 0; code == ERR_OK && i < sizeof(made) / sizeof(*made); i++) {
        if (json_object_get(rest, made[i]) != NULL)
            code = err_set_field(err, ERR_INVALID, made[i], "'%s' follows from symbols, timeframes and bots",
                                 made[i]);
    }
    if (code == ERR_OK)
        code = option_read_json(task_train.options, &start->base, rest, true, err);
    if (code == ERR_OK && parameters != NULL && !json_is_null(parameters))
        code = read_parameters(parameters, start->base.parameters, sizeof(start->base.parameters), err);
    json_decref(rest);
    return code;
}

static enum err_code read_body(struct start *start, const struct http_request *request, struct err *err)
{
    enum err_code code = api_read_object(request, &start->body, err);
    start->key = http_request_header(request, "Idempotency-Key");
    if (code == ERR_OK)
        code = read_names(start->body, "symbols", &start->symbols, err);
    if (code == ERR_OK)
        code = read_names(start->body, "timeframes", &start->timeframes, err);
    if (code == ERR_OK)
        code = read_names(start->body, "bots", &start->bots, err);
    if (code == ERR_OK)
        code = json_take_text(start->body, "key", false, &start->key, err);
    if (code == ERR_OK)
        code = json_take_i64(start->body, "priority", false, &start->priority, err);
    if (start->key != NULL && start->key[0] == '\0')
        start->key = NULL;
    if (code == ERR_OK && start->key != NULL && strlen(start->key) >= KEY_BYTES)
        code = err_set_field(err, ERR_INVALID, "key", "the key is longer than %d bytes", KEY_BYTES - 1);
    return code == ERR_OK ? read_base(start, err) : code;
}

/* ---- pairs ---- */

static enum err_code check_symbol(const struct start *start, const char *symbol, struct err *err)
{
    bool has_matches = false;
    if (league_find(text_of(symbol)) < 0)
        return err_set_field(err, ERR_INVALID, "symbols", "no league has the code '%s'", symbol);
    enum err_code code = league_store_has(start->api->store->db, symbol, &has_matches, err);
    if (code != ERR_OK || has_matches)
        return code;
    return err_set_field(err, ERR_INVALID, "symbols",
                         "league '%s' has no matches here: import them first (almanac import football)",
                         symbol);
}

static enum err_code find_bot(const char *name, struct training_bot *out, struct err *err)
{
    struct training_bot bots[TRAINING_BOTS_MAX];
    char all[512] = "";
    size_t count = training_bots(bots), used = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(bots[i].name, name) == 0) {
            *out = bots[i];
            return ERR_OK;
        }
        if (used < sizeof(all))
            used +=
                (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ", bots[i].name);
    }
    return err_set_field(err, ERR_INVALID, "bots", "no bot is called '%s'; there are %s", name, all);
}

/* ---- parameters: each goes to the bots whose engine has it ---- */

/* The name in "name=value". */
static bool engine_has(const struct engine *engine, struct text pair)
{
    char name[64];
    struct text part;
    if (!text_split(&pair, '=', &part) || !text_copy(text_trim(part), name, sizeof(name)))
        return false;
    for (char *byte = name; *byte != '\0'; byte++) {
        if (*byte == '-')
            *byte = '_';
    }
    for (size_t i = 0; engine->options != NULL && i < engine->options->count; i++) {
        if (strcmp(engine->options->rows[i].name, name) == 0)
            return true;
    }
    return false;
}

/* No parameter may be of no use. */
static enum err_code check_parameters(const struct start *start, struct err *err)
{
    struct text rest = text_of(start->base.parameters), pair;
    struct training_bot bot;
    while (start->base.parameters[0] != '\0' && text_split(&rest, ',', &pair)) {
        bool is_used = false;
        for (size_t b = 0; b < start->bots.count; b++) {
            enum err_code code = find_bot(start->bots.text[b], &bot, err);
            if (code != ERR_OK)
                return code;
            is_used = is_used || engine_has(bot.engine, pair);
        }
        if (!is_used)
            return err_set_field(err, ERR_INVALID, "parameters", "none of the bots has a parameter '%.*s'",
                                 (int)(pair.size_bytes < 64 ? pair.size_bytes : 64), pair.data);
    }
    return ERR_OK;
}

static void fit_parameters(const struct start *start, const struct engine *engine,
                           struct train_options *options)
{
    struct text rest = text_of(start->base.parameters), pair;
    size_t used = 0;
    while (text_split(&rest, ',', &pair)) { /* never longer than what it is made of */
        if (engine_has(engine, pair))
            used += (size_t)snprintf(options->parameters + used, sizeof(options->parameters) - used, "%s%.*s",
                                     used > 0 ? "," : "", (int)pair.size_bytes, pair.data);
    }
    options->parameters[used] = '\0';
}

/* The feature set that makes a model of this engine the bot that was asked for. */
static enum err_code fit_features(const struct start *start, const struct training_bot *bot,
                                  struct train_options *options, struct model_name *name, struct err *err)
{
    bool is_told = start->base.features[0] != '\0';
    if (!is_told && bot->has_prices)
        (void)snprintf(options->features, sizeof(options->features), TRAINING_FEATURES_WITH_PRICES);
    enum err_code code = train_model_name(options, name, err);
    if (code == ERR_OK && !is_told && strcmp(name->bot, bot->name) != 0) { /* a profile with prices */
        (void)snprintf(options->features, sizeof(options->features), "no_prices");
        code = train_model_name(options, name, err);
    }
    if (code == ERR_OK && strcmp(name->bot, bot->name) != 0)
        return err_set_field(err, ERR_INVALID, "features", "feature set '%s' makes bot '%s', not '%s'",
                             options->features, name->bot, bot->name);
    return code;
}

static enum err_code add_pair(struct start *start, const char *symbol, int target, const char *bot_name,
                              struct err *err)
{
    struct pair *pair = &start->pairs[start->pair_count];
    struct train_options options = start->base;
    struct training_bot bot;
    struct model_name name;
    struct json_writer writer;
    enum err_code code = find_bot(bot_name, &bot, err);
    if (code != ERR_OK)
        return code;
    (void)text_copy(text_of(symbol), options.league, sizeof(options.league));
    (void)text_copy(text_of(bot.engine->name), options.engine, sizeof(options.engine));
    options.target = target;
    fit_parameters(start, bot.engine, &options);
    code = fit_features(start, &bot, &options, &name, err);
    if (code != ERR_OK)
        return code;
    start->pair_count++;
    (void)snprintf(pair->label, sizeof(pair->label), "%.15s %.15s %.31s", name.subject, name.variant,
                   name.bot);
    if (start->key != NULL)
        (void)snprintf(pair->key, sizeof(pair->key), "auto:%.32s:%.*s", start->key, 56, pair->label);
    buffer_init(&pair->request, LIMIT_BODY_BYTES);
    json_writer_init(&writer, &pair->request);
    option_write_json(task_train.options, &options, &writer);
    return buffer_check(&pair->request, "a training", err);
}

static enum err_code make_pairs(struct start *start, struct err *err)
{
    size_t most = start->symbols.count * start->timeframes.count * start->bots.count;
    enum err_code code = ERR_OK;
    if (most > LIMIT_BATCH_JOBS)
        return err_set_field(err, ERR_INVALID, "symbols", "%zu trainings are more than %d at once", most,
                             LIMIT_BATCH_JOBS);
    start->pairs = calloc(most, sizeof(*start->pairs));
    code = start->pairs != NULL ? check_parameters(start, err) : err_nomem(err, most * sizeof(*start->pairs));
    for (size_t s = 0; code == ERR_OK && s < start->symbols.count; s++) {
        code = check_symbol(start, start->symbols.text[s], err);
        for (size_t t = 0; code == ERR_OK && t < start->timeframes.count; t++) {
            int target = target_find(start->timeframes.text[t]);
            if (target < 0)
                return err_set_field(err, ERR_INVALID, "timeframes", "no target is called '%s'",
                                     start->timeframes.text[t]);
            for (size_t b = 0; code == ERR_OK && b < start->bots.count; b++)
                code = add_pair(start, start->symbols.text[s], target, start->bots.text[b], err);
        }
    }
    return code;
}

/* ---- the batch ---- */

/* The batch under way, so that what is added to it is counted with it; else a new one, named by the clock. */
static enum err_code name_batch(struct start *start, struct err *err)
{
    const struct clock *clock = &start->api->clock;
    enum err_code code = training_batch(start->api, true, start->batch, err);
    if (code != ERR_OK || start->batch[0] != '\0')
        return code;
    char now[TIME_TEXT_BYTES];
    time_format_iso(clock->now_us(clock->context), now); /* to the microsecond */
    size_t used = 0;
    for (size_t i = 0; now[i] != '\0' && used + 1 < sizeof(start->batch); i++) {
        if (now[i] != '-' && now[i] != ':' && now[i] != 'Z')
            start->batch[used++] = now[i];
    }
    return ERR_OK;
}

static enum err_code mark_known(struct start *start, enum job_state state, struct job_row *jobs,
                                struct err *err)
{
    struct job_filter filter = {.state = (int)state, .queue = TRAINING_QUEUE, .batch = start->batch};
    size_t count = LIMIT_BATCH_JOBS;
    enum err_code code = job_store_find(start->api->store->db, &filter, jobs, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        for (size_t p = 0; p < start->pair_count; p++) {
            if (strcmp(start->pairs[p].label, jobs[i].label) == 0 && !start->pairs[p].is_known) {
                start->pairs[p].is_known = true;
                start->pairs[p].known = jobs[i];
            }
        }
    }
    return code;
}

static enum err_code find_known(struct start *start, struct err *err)
{
    struct job_row *jobs = calloc(LIMIT_BATCH_JOBS, sizeof(*jobs));
    if (jobs == NULL)
        return err_nomem(err, LIMIT_BATCH_JOBS * sizeof(*jobs));
    enum err_code code = mark_known(start, JOB_QUEUED, jobs, err);
    if (code == ERR_OK)
        code = mark_known(start, JOB_RUNNING, jobs, err);
    free(jobs);
    return code;
}

static void write_answer(const struct start *start, const struct job_row *jobs, size_t added,
                         struct http_response *response)
{
    struct json_writer out;
    size_t next = 0;
    response->status = 202;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_text(&out, "batch", start->batch);
    json_field_i64(&out, "queued", (int64_t)added);
    json_key(&out, "jobs");
    json_begin_array(&out);
    for (size_t i = 0; i < start->pair_count; i++)
        api_write_job(&out, start->api, start->pairs[i].is_known ? &start->pairs[i].known : &jobs[next++]);
    json_end_array(&out);
    json_end_object(&out);
}

/* Queues the pairs that are not known, all or none, and answers. */
static enum err_code queue_pairs(struct start *start, const char *who, struct http_response *response,
                                 struct err *err)
{
    struct job_order *orders = calloc(start->pair_count, sizeof(*orders));
    struct job_row *jobs = calloc(start->pair_count, sizeof(*jobs));
    bool *is_new = calloc(start->pair_count, sizeof(*is_new));
    size_t count = 0, added = 0;
    enum err_code code = orders != NULL && jobs != NULL && is_new != NULL ? ERR_OK : err_nomem(err, 0);
    for (size_t i = 0; code == ERR_OK && i < start->pair_count; i++) {
        const struct pair *pair = &start->pairs[i];
        if (pair->is_known)
            continue;
        orders[count++] = (struct job_order){.task = task_train.name,
                                             .request_json = buffer_text(&pair->request),
                                             .queue = TRAINING_QUEUE,
                                             .key = pair->key[0] != '\0' ? pair->key : NULL,
                                             .who = who,
                                             .batch = start->batch,
                                             .label = pair->label,
                                             .priority = start->priority};
    }
    if (code == ERR_OK && count > 0)
        code = supervisor_submit_many(start->api->supervisor, orders, count, jobs, is_new, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        added += is_new[i];
    if (code == ERR_OK && count > 0 && jobs[0].batch[0] != '\0') /* a key that was used before: its batch */
        (void)text_copy(text_of(jobs[0].batch), start->batch, sizeof(start->batch));
    if (code == ERR_OK)
        write_answer(start, jobs, added, response);
    free(orders);
    free(jobs);
    free(is_new);
    return code;
}

enum err_code api_training_start_auto(void *context, const struct route_match *match,
                                      struct http_response *response, struct err *err);
enum err_code api_training_start_auto(void *context, const struct route_match *match,
                                      struct http_response *response, struct err *err)
{
    struct start *start = calloc(1, sizeof(*start));
    const char *who = NULL;
    if (start == NULL)
        return err_nomem(err, sizeof(*start));
    start->api = context;
    enum err_code code = api_read_who(match->request, &who, err);
    if (code == ERR_OK)
        code = read_body(start, match->request, err);
    if (code == ERR_OK)
        code = make_pairs(start, err);
    if (code == ERR_OK)
        code = name_batch(start, err);
    if (code == ERR_OK)
        code = find_known(start, err);
    if (code == ERR_OK)
        code = queue_pairs(start, who, response, err);
    release(start);
    free(start);
    return code;
}
