/* Retrain.
 *
 *   result {"at", "outcome", "note", "models": [{subject, variant, bot, version, decision, reason, new_matches, job_key,
 *           "details": {"check", "walk_forward", "options"}}], "then": [train...]}
 *
 * Decisions: train, cooldown (asked again too soon), off (the pipeline was stopped), nothing_new (the data are what the model
 * was made of), rejected (the recipe, refitted, is shown to be worse on the matches since), fresh (not stale yet). All but
 * nothing_new and fresh become rows of the history. The training's own job decides about promotion. */
#include "task/retrain.h"

#include "base/time.h"
#include "football/league.h"
#include "limits.h"
#include "os/clock.h"
#include "store/retrain_store.h"
#include "task/performance.h"
#include "task/prepare.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_FULL, WINDOW_DAYS_180, CHECK_FEATURES = 20 };

#define MEMBER(name) OPTION_MEMBER(struct retrain_options, name)
static const struct option_row rows[] = {
    {"subject", OPTION_TEXT, MEMBER(subject), "", 0, 0, "", "models of this league only"},
    {"variant", OPTION_TEXT, MEMBER(variant), "", 0, 0, "", "models of this target only"},
    {"bot", OPTION_TEXT, MEMBER(bot), "", 0, 0, "", "models of this bot only"},
    {"trigger", OPTION_ENUM, MEMBER(trigger), RETRAIN_TRIGGER_CHOICES, 0, 0, "schedule",
     "why; stale: only models trained longer ago than stale_h; manual: whatever the state, no cooldown"},
    {"window", OPTION_ENUM, MEMBER(window), "full|180d", 0, 0, "full",
     "learn from all that the model learned from, or from the last 180 days only"},
    {"cooldown_h", OPTION_INT, MEMBER(cooldown_h), "h", 0, 87600, "20",
     "a model that was trained again so recently is left alone"},
    {"stale_h", OPTION_INT, MEMBER(stale_h), "h", 1, 87600, "24", "age from which a model is stale"},
    {"least_new", OPTION_INT, MEMBER(least_new), "matches", 0, 100000, "10",
     "new results without which nothing is trained"},
    {"validate", OPTION_INT, MEMBER(validate), "refits", 0, 20, "3",
     "refits of the walk-forward validation; 0: none"},
    {"at", OPTION_DATE, MEMBER(at_us), "", 0, 0, "",
     "as of this moment: later results are not used; empty: now"},
};
static const struct option_table retrain_table = {"retrain", rows, sizeof(rows) / sizeof(*rows)};

static const char *trigger_name(int trigger)
{
    static const char *const names[] = {"schedule", "drift", "performance", "stale", "manual"};
    assert(trigger >= 0 && trigger < (int)(sizeof(names) / sizeof(*names)));
    return names[trigger];
}

struct run {
    struct task_context *context;
    const struct retrain_options *options;
    int64_t at_us;
    bool is_on;
    struct matrix *matrix;
    struct buffer models, then; /* elements of arrays */
    size_t trained, looked;
};

/* One model on its way to a decision. */
struct candidate {
    const struct version_row *row;
    size_t new_matches;
    const char *decision;
    char reason[640], job_key[96];
    struct train_options options;
    struct buffer walk_forward; /* JSON, "" none */
};

static struct json_writer next_element(struct buffer *array)
{
    struct json_writer out;
    if (array->size_bytes > 0)
        buffer_append_char(array, ',');
    json_writer_init(&out, array);
    return out;
}

static size_t count_new(const struct run *run, const struct version_row *row)
{
    const struct matrix_row *info = matrix_row_info(run->matrix);
    int league = league_find(text_of(row->name.subject)), target = target_find(row->name.variant);
    size_t count = 0;
    for (size_t i = 0; league >= 0 && target >= 0 && i < matrix_rows(run->matrix); i++)
        count += info[i].group == league && info[i].label[target] >= 0 &&
                 info[i].start_us > row->test_to_us && info[i].start_us + OUTCOME_DELAY_US <= run->at_us;
    return count;
}

/* The settings of the version in production, for the data as of now. */
static enum err_code read_options(const struct run *run, const struct version_row *row,
                                  struct train_options *out, struct err *err)
{
    struct model *model = NULL;
    json_t *description = NULL;
    enum err_code code = registry_load(row, &model, err);
    if (code == ERR_OK)
        code = json_read(model_description(model), strlen(model_description(model)), &description, err);
    option_defaults(task_train.options, out);
    if (code == ERR_OK)
        code = option_read_json(task_train.options, out, json_object_get(description, "options"), false, err);
    json_decref(description);
    model_destroy(model);
    out->matrix[0] = '\0';
    out->to_us = run->options->at_us;
    if (run->options->window == WINDOW_DAYS_180)
        out->from_us = run->at_us - run->at_us % TIME_DAY_US - 180 * TIME_DAY_US;
    return code;
}

static enum err_code is_cooling(const struct run *run, const struct version_row *row, bool *out,
                                int64_t *last_us, struct err *err)
{
    struct watched_model model = {0};
    memcpy(model.subject, row->name.subject, sizeof(model.subject));
    memcpy(model.variant, row->name.variant, sizeof(model.variant));
    memcpy(model.bot, row->name.bot, sizeof(model.bot));
    enum err_code code =
        retrain_store_last_training(run->context->store->db, &model, run->at_us, last_us, err);
    *out = code == ERR_OK && *last_us != TIME_NONE &&
           run->at_us - *last_us < run->options->cooldown_h * TIME_HOUR_US;
    return code;
}

/* What speaks against a training before anything is computed; NULL: nothing. */
static enum err_code find_objection(const struct run *run, struct candidate *candidate, struct err *err)
{
    const struct retrain_options *options = run->options;
    bool is_manual = options->trigger == RETRAIN_MANUAL, is_cooled = false;
    int64_t last_us = TIME_NONE, age_h = (run->at_us - candidate->row->trained_us) / TIME_HOUR_US;
    enum err_code code = is_cooling(run, candidate->row, &is_cooled, &last_us, err);
    if (code != ERR_OK)
        return code;
    if (!run->is_on && !is_manual) {
        candidate->decision = "off";
        (void)snprintf(candidate->reason, sizeof(candidate->reason), "auto-retraining is stopped");
    } else if (is_cooled && !is_manual) {
        char text[TIME_TEXT_BYTES];
        time_format_iso(last_us, text);
        candidate->decision = "cooldown";
        (void)snprintf(candidate->reason, sizeof(candidate->reason),
                       "last trained again as of %s, less than %lld h ago", text,
                       (long long)options->cooldown_h);
    } else if (options->trigger == RETRAIN_STALE && age_h < options->stale_h) {
        candidate->decision = "fresh";
        (void)snprintf(candidate->reason, sizeof(candidate->reason), "trained %lld h ago", (long long)age_h);
    } else if (candidate->new_matches < (size_t)options->least_new && !is_manual) {
        candidate->decision = "nothing_new";
        (void)snprintf(candidate->reason, sizeof(candidate->reason),
                       "%zu new results since the version was judged; %lld are needed",
                       candidate->new_matches, (long long)options->least_new);
    }
    return ERR_OK;
}

/* The numbers of the newest look at the version, with the few features that moved most. */
static json_t *read_check(const struct run *run, const char *version)
{
    struct buffer text;
    struct err err = {0};
    json_t *check = NULL;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    if (retrain_store_last_check(run->context->store->db, version, &text, &err) == ERR_OK)
        (void)!json_read(buffer_text(&text), text.size_bytes, &check, &err);
    json_t *features = json_object_get(check, "features");
    while (json_array_size(features) > CHECK_FEATURES)
        (void)json_array_remove(features, json_array_size(features) - 1);
    buffer_release(&text);
    return check;
}

static void name_job(const struct run *run, struct candidate *candidate)
{
    char text[TIME_TEXT_BYTES];
    time_format_iso(run->at_us, text);
    int bytes = run->options->trigger == RETRAIN_MANUAL || run->options->at_us != TIME_NONE ? 27 : 10;
    (void)snprintf(candidate->job_key, sizeof(candidate->job_key), "retrain-train:%s:%s:%.*s",
                   candidate->row->version, trigger_name(run->options->trigger), bytes, text);
}

static void ask(struct run *run, struct candidate *candidate)
{
    const struct model_name *name = &candidate->row->name;
    char label[96];
    struct json_writer out = next_element(&run->then);
    (void)snprintf(label, sizeof(label), "%.16s %.16s %.24s", name->subject, name->variant, name->bot);
    json_begin_object(&out);
    json_field_text(&out, "task", "train");
    json_key(&out, "options");
    option_write_json(task_train.options, &candidate->options, &out);
    json_field_text(&out, "key", candidate->job_key);
    json_field_text(&out, "label", label);
    json_end_object(&out);
    run->trained++;
}

static enum err_code validate(struct run *run, struct candidate *candidate, struct err *err)
{
    struct validation validation;
    struct json_writer out;
    json_writer_init(&out, &candidate->walk_forward);
    enum err_code code = retrain_validate(run->context, run->matrix, candidate->row, &candidate->options,
                                          run->at_us, (size_t)run->options->validate, &out, &validation, err);
    if (code != ERR_OK)
        return code;
    bool is_rejected = validation.is_worse && run->options->trigger != RETRAIN_MANUAL;
    candidate->decision = is_rejected ? "rejected" : "train";
    (void)snprintf(candidate->reason, sizeof(candidate->reason), "%zu new results; %.500s",
                   candidate->new_matches, validation.verdict);
    if (is_rejected)
        return ERR_OK;
    name_job(run, candidate);
    ask(run, candidate);
    return ERR_OK;
}

static void write_candidate(struct run *run, struct candidate *candidate)
{
    const struct model_name *name = &candidate->row->name;
    json_t *check = read_check(run, candidate->row->version);
    struct json_writer out = next_element(&run->models);
    json_begin_object(&out);
    json_field_text(&out, "subject", name->subject);
    json_field_text(&out, "variant", name->variant);
    json_field_text(&out, "bot", name->bot);
    json_field_text(&out, "version", candidate->row->version);
    json_field_text(&out, "decision", candidate->decision);
    json_field_text(&out, "reason", candidate->reason);
    json_field_i64(&out, "new_matches", (int64_t)candidate->new_matches);
    json_field_text_or_null(&out, "job_key", candidate->job_key);
    json_key(&out, "details");
    json_begin_object(&out);
    json_key(&out, "check");
    json_put_value(&out, check != NULL ? check : json_null());
    json_key(&out, "walk_forward");
    if (candidate->walk_forward.size_bytes > 0)
        json_put_raw(&out, buffer_text(&candidate->walk_forward), candidate->walk_forward.size_bytes);
    else
        json_put_null(&out);
    json_end_object(&out);
    json_end_object(&out);
    json_decref(check);
}

/* A version whose file is bad or whose features are gone is trained anew without being compared. */
static enum err_code consider(struct run *run, const struct version_row *row, struct err *err)
{
    struct candidate candidate = {.row = row, .new_matches = count_new(run, row)};
    buffer_init(&candidate.walk_forward, LIMIT_DESCRIPTION_BYTES);
    enum err_code code = find_objection(run, &candidate, err);
    if (code == ERR_OK && candidate.decision == NULL) {
        struct err reason = {0};
        code = read_options(run, row, &candidate.options, &reason);
        if (code == ERR_OK)
            code = validate(run, &candidate, &reason);
        if (code == ERR_CORRUPT || code == ERR_NOT_FOUND || code == ERR_CONFLICT || code == ERR_INVALID) {
            buffer_clear(&candidate.walk_forward);
            candidate.decision = "failed";
            (void)snprintf(candidate.reason, sizeof(candidate.reason), "%.600s", reason.text);
            code = ERR_OK;
        } else if (code != ERR_OK) {
            code = err_set(err, code, "%s", reason.text);
        }
    }
    if (code == ERR_OK) {
        write_candidate(run, &candidate);
        report_log(run->context->reporter, "%s/%s/%s %s: %s: %s", row->name.subject, row->name.variant,
                   row->name.bot, row->version, candidate.decision, candidate.reason);
    }
    buffer_release(&candidate.walk_forward);
    return code;
}

static enum err_code write_result(struct run *run, struct buffer *result, struct err *err)
{
    struct json_writer out;
    char note[160];
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_field_time(&out, "at", run->at_us);
    json_field_text(&out, "trigger", trigger_name(run->options->trigger));
    json_field_text(&out, "outcome", run->trained > 0 ? "succeeded" : "skipped");
    (void)snprintf(note, sizeof(note),
                   run->looked > 0 ? "%zu of %zu models are trained again" : "no model is in production",
                   run->trained, run->looked);
    json_field_text(&out, "note", note);
    json_key(&out, "models");
    json_begin_array(&out);
    if (run->models.size_bytes > 0)
        json_put_raw(&out, buffer_text(&run->models), run->models.size_bytes);
    json_end_array(&out);
    json_key(&out, "then");
    json_begin_array(&out);
    if (run->then.size_bytes > 0)
        json_put_raw(&out, buffer_text(&run->then), run->then.size_bytes);
    json_end_array(&out);
    json_end_object(&out);
    enum err_code code = buffer_check(&run->models, "retraining result", err);
    return code == ERR_OK ? buffer_check(result, "retraining result", err) : code;
}

static enum err_code retrain_run(struct task_context *context, const void *options, struct buffer *result,
                                 struct err *err)
{
    struct run run = {.context = context, .options = options};
    struct version_row *models = NULL;
    run.at_us = run.options->at_us != TIME_NONE ? run.options->at_us : clock_now_us();
    buffer_init(&run.models, LIMIT_RESULT_BYTES);
    buffer_init(&run.then, LIMIT_RESULT_BYTES);
    enum err_code code = performance_models(context->store, run.options->subject, run.options->variant,
                                            run.options->bot, &models, &run.looked, err);
    if (code == ERR_OK)
        code = retrain_store_is_on(context->store->db, &run.is_on, err);
    if (code == ERR_OK && run.looked > 0)
        code = prepare_matrix(context, &run.matrix, err);
    for (size_t i = 0; code == ERR_OK && i < run.looked; i++)
        code = report_is_stopped(context->reporter) ? err_set(err, ERR_CANCELLED, "stopped on request")
                                                    : consider(&run, &models[i], err);
    if (code == ERR_OK)
        code = write_result(&run, result, err);
    buffer_release(&run.models);
    buffer_release(&run.then);
    matrix_close(run.matrix);
    free(models);
    return code;
}

/* ---- commit ---- */

static void take_text(const json_t *object, const char *key, char *out, size_t out_bytes)
{
    const char *text = json_string_value(json_object_get(object, key));
    (void)snprintf(out, out_bytes, "%s", text != NULL ? text : "");
}

static enum err_code put_event(struct store *store, const json_t *result, const json_t *model,
                               struct err *err)
{
    struct retraining_event event = {.made_us = clock_now_us()};
    char at[TIME_TEXT_BYTES];
    bool has_clock;
    take_text(result, "at", at, sizeof(at));
    take_text(result, "trigger", event.cause, sizeof(event.cause));
    take_text(model, "decision", event.decision, sizeof(event.decision));
    take_text(model, "subject", event.model.subject, sizeof(event.model.subject));
    take_text(model, "variant", event.model.variant, sizeof(event.model.variant));
    take_text(model, "bot", event.model.bot, sizeof(event.model.bot));
    take_text(model, "version", event.model.version, sizeof(event.model.version));
    take_text(model, "reason", event.reason, sizeof(event.reason));
    take_text(model, "job_key", event.job_key, sizeof(event.job_key));
    if (strcmp(event.decision, "nothing_new") == 0 || strcmp(event.decision, "fresh") == 0)
        return ERR_OK;
    if (!time_parse_iso(text_of(at), &event.at_us, &has_clock))
        return err_set(err, ERR_INVALID, "a retraining result has no time");
    char *details = json_dumps(json_object_get(model, "details"), JSON_COMPACT | JSON_ENCODE_ANY);
    if (details == NULL)
        return err_nomem(err, 0);
    enum err_code code = retrain_store_put_event(store->db, &event, details, err);
    free(details);
    return code;
}

static enum err_code retrain_commit(struct store *store, const json_t *result, struct err *err)
{
    const json_t *model;
    size_t i;
    enum err_code code = db_begin(store->db, err);
    if (code != ERR_OK)
        return code;
    json_array_foreach(json_object_get(result, "models"), i, model) code =
        code == ERR_OK ? put_event(store, result, model, err) : code;
    if (code == ERR_OK)
        code = db_commit(store->db, err);
    else
        db_rollback(store->db);
    return code;
}

const struct task task_retrain = {
    .name = "retrain",
    .doc = "decide which models in production are trained again, validate it on the matches since, and queue "
           "the trainings",
    .options = &retrain_table,
    .options_bytes = sizeof(struct retrain_options),
    .run = retrain_run,
    .commit = retrain_commit,
};
