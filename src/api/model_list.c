/* Lists of models: versions from the registry, failed trainings from the jobs, merged by time. */
#include "api/model_object.h"

#include "base/text.h"
#include "base/time.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "football/profile.h"
#include "learn/engine.h"
#include "limits.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 200, FAILURES_MAX = 500 };

struct model_entry model_entry_of(const struct version_row *row, int64_t now_us)
{
    return (struct model_entry){.row = *row, .status = model_status_of(row, now_us)};
}

void model_object_list_release(struct model_list *list)
{
    free(list->items);
    *list = (struct model_list){0};
}

/* ---- what a request would have made ---- */

/* The league's profile decides where no feature set is named. */
static const struct feature_set *set_of(const char *name, const char *league)
{
    int index = league_find(text_of(league));
    if (name != NULL && name[0] != '\0')
        return football_feature_set(name);
    return index >= 0 ? profile_feature_set((size_t)index) : NULL;
}

/* As name_model of task/train.c does. */
enum err_code model_name_of_request(const json_t *options, struct model_name *out, struct err *err)
{
    const char *league = "E0", *target = "1x2", *engine = "lightgbm", *features = NULL;
    enum err_code code = json_take_text(options, "league", false, &league, err);
    if (code == ERR_OK)
        code = json_take_text(options, "target", false, &target, err);
    if (code == ERR_OK)
        code = json_take_text(options, "engine", false, &engine, err);
    if (code == ERR_OK)
        code = json_take_text(options, "features", false, &features, err);
    if (code != ERR_OK)
        return code;
    const struct feature_set *set = set_of(features, league);
    bool has_prices = set != NULL && football_feature_set_has_prices(set);
    (void)snprintf(out->subject, sizeof(out->subject), "%s", league);
    (void)snprintf(out->variant, sizeof(out->variant), "%s", target);
    (void)snprintf(out->bot, sizeof(out->bot), "%.23s%s", engine, has_prices ? "_prices" : "");
    return ERR_OK;
}

static void copy_feature_set(const json_t *options, const char *league, struct version_row *row)
{
    const struct feature_set *set = set_of(json_string_value(json_object_get(options, "features")), league);
    (void)snprintf(row->feature_set, sizeof(row->feature_set), "%s", set != NULL ? set->name : "");
}

/* ---- failures ---- */

static enum err_code read_failure(struct store *store, const struct job_row *job, struct model_entry *out,
                                  struct err *err)
{
    struct buffer text;
    json_t *options = NULL;
    *out = (struct model_entry){.status = MODEL_FAILED};
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = job_store_request(store->db, job->id, &text, err);
    if (code == ERR_OK)
        code = json_read(buffer_text(&text), text.size_bytes, &options, err);
    if (code == ERR_OK)
        code = model_name_of_request(options, &out->row.name, err);
    if (code == ERR_OK) {
        struct version_row *row = &out->row;
        copy_feature_set(options, row->name.subject, row);
        row->job_id = job->id;
        row->trained_us = job->ended_us != TIME_NONE ? job->ended_us : job->created_us;
        row->duration_ms = job->started_us != TIME_NONE ? (row->trained_us - job->started_us) / 1000 : 0;
        row->train_from_us = row->train_to_us = row->test_from_us = row->test_to_us = TIME_NONE;
        row->cleared_us = TIME_NONE;
        row->epochs = job->epoch;
        row->train_loss = job->loss;
        row->log_loss = row->brier = row->rps = row->accuracy = row->rmse = row->mae = row->val_loss = NAN;
        memcpy(out->error, job->error, sizeof(out->error));
    }
    json_decref(options);
    buffer_release(&text);
    return code;
}

static bool fits(const struct model_query *query, const struct model_name *name)
{
    return (query->name.subject[0] == '\0' || strcmp(query->name.subject, name->subject) == 0) &&
           (query->name.variant[0] == '\0' || strcmp(query->name.variant, name->variant) == 0) &&
           (query->name.bot[0] == '\0' || strcmp(query->name.bot, name->bot) == 0);
}

static bool is_same_model(const struct model_name *a, const struct model_name *b)
{
    return strcmp(a->subject, b->subject) == 0 && strcmp(a->variant, b->variant) == 0 &&
           strcmp(a->bot, b->bot) == 0;
}

/* A failure is history once a later training of the model went well, or failed again. */
static enum err_code is_history(struct store *store, const struct model_list *list,
                                const struct model_entry *failure, bool *out, struct err *err)
{
    struct version_filter filter = {.name = failure->row.name, .stage = -1, .with_cleared = true};
    size_t count = 1;
    *out = false;
    for (size_t i = 0; i < list->count && !*out; i++)
        *out = is_same_model(&list->items[i].row.name, &failure->row.name);
    if (*out)
        return ERR_OK;
    struct version_row *row = malloc(sizeof(*row));
    if (row == NULL)
        return err_nomem(err, sizeof(*row));
    enum err_code code = registry_search(store, &filter, TIME_NONE, "", row, &count, err);
    *out = code == ERR_OK && count == 1 && row->trained_us >= failure->row.trained_us;
    free(row);
    return code;
}

static enum err_code take_failure(struct store *store, const struct model_query *query,
                                  const struct job_row *job, struct model_list *out, struct err *err)
{
    struct model_entry *entry = &out->items[out->count];
    bool is_old = false;
    struct err ignored = {0};
    enum err_code code = read_failure(store, job, entry, &ignored);
    if (code == ERR_INVALID) /* a request that names no model: nothing to show */
        return ERR_OK;
    if (code != ERR_OK)
        return err_set(err, code, "%s", ignored.text);
    if (!fits(query, &entry->row.name))
        return ERR_OK;
    if (!query->all_failures)
        code = is_history(store, out, entry, &is_old, err);
    if (code == ERR_OK && !is_old)
        out->count++;
    return code;
}

static bool wants_failures(const struct model_query *query)
{
    return query->with_failed && query->stage < 0 && (query->status < 0 || query->status == MODEL_FAILED);
}

/* The newest failures, at most query->limit; out->items has room for FAILURES_MAX. */
static enum err_code read_failures(struct store *store, const struct model_query *query,
                                   struct model_list *out, struct err *err)
{
    struct job_filter filter = {.state = JOB_FAILED, .task = "train"};
    size_t count = FAILURES_MAX;
    if (!wants_failures(query))
        return ERR_OK;
    struct job_row *jobs = calloc(FAILURES_MAX, sizeof(*jobs));
    if (jobs == NULL)
        return err_nomem(err, FAILURES_MAX * sizeof(*jobs));
    enum err_code code = job_store_find(store->db, &filter, jobs, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count && out->count < query->limit; i++)
        code = take_failure(store, query, &jobs[i], out, err);
    free(jobs);
    return code;
}

/* ---- versions ---- */

static enum err_code read_versions(struct store *store, const struct model_query *query, int64_t now_us,
                                   struct model_list *out, struct err *err)
{
    struct version_filter filter = {
        .name = query->name, .stage = query->stage, .with_cleared = query->with_cleared};
    struct version_row *rows = query->status == MODEL_FAILED ? NULL : calloc(PAGE, sizeof(*rows));
    char before[MODEL_VERSION_BYTES] = "";
    int64_t before_us = TIME_NONE;
    size_t count = PAGE;
    enum err_code code = ERR_OK;
    if (query->status == MODEL_FAILED)
        return ERR_OK;
    if (rows == NULL)
        return err_nomem(err, PAGE * sizeof(*rows));
    while (code == ERR_OK && count == PAGE && out->count < query->limit) {
        code = registry_search(store, &filter, before_us, before, rows, &count, err);
        for (size_t i = 0; code == ERR_OK && i < count && out->count < query->limit; i++) {
            struct model_entry entry = model_entry_of(&rows[i], now_us);
            if (query->status < 0 || (int)entry.status == query->status)
                out->items[out->count++] = entry;
        }
        if (code == ERR_OK && count > 0) {
            before_us = rows[count - 1].trained_us;
            memcpy(before, rows[count - 1].version, sizeof(before));
        }
    }
    free(rows);
    return code;
}

/* Newest first; stable in what is equal. */
static int compare_entries(const void *left, const void *right)
{
    const struct model_entry *a = left, *b = right;
    if (a->row.trained_us != b->row.trained_us)
        return a->row.trained_us < b->row.trained_us ? 1 : -1;
    return strcmp(a->row.version, b->row.version);
}

enum err_code model_object_list(struct store *store, const struct model_query *query, int64_t now_us,
                                struct model_list *out, struct err *err)
{
    struct model_list failures = {0};
    assert(query->limit > 0);
    *out = (struct model_list){.items = calloc(query->limit + FAILURES_MAX, sizeof(*out->items))};
    failures.items = calloc(FAILURES_MAX + 1, sizeof(*failures.items));
    enum err_code code = out->items != NULL && failures.items != NULL
                             ? read_failures(store, query, &failures, err)
                             : err_nomem(err, (query->limit + FAILURES_MAX) * sizeof(*out->items));
    if (code == ERR_OK)
        code = read_versions(store, query, now_us, out, err);
    if (code == ERR_OK && failures.count > 0) {
        memcpy(out->items + out->count, failures.items, failures.count * sizeof(*out->items));
        out->count += failures.count;
        qsort(out->items, out->count, sizeof(*out->items), compare_entries);
    }
    if (out->count > query->limit)
        out->count = query->limit;
    model_object_list_release(&failures);
    if (code != ERR_OK)
        model_object_list_release(out);
    return code;
}
