/* Clean up. Files are judged one by one against the store, read-only, in the child; a file that cannot be judged or removed is
 * reported and left. Rows are removed in the process that owns the store. */
#include "task/clean_up.h"

#include "base/text.h"
#include "base/time.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/file_leftover.h"
#include "os/folder.h"
#include "registry/registry.h"
#include "store/clean_store.h"
#include "store/forecast_store.h"
#include "store/job_store.h"
#include "store/value_bet_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORGET_BATCH = 500, FORGET_BATCHES = 200 };

#define MEMBER(name) OPTION_MEMBER(struct clean_up_options, name)
static const struct option_row option_rows[] = {
    {"forecast_days", OPTION_INT, MEMBER(forecast_days), "days", 1, 36500, "30",
     "forecasts of older matches are removed"},
    {"job_days", OPTION_INT, MEMBER(job_days), "days", 0, 36500, "30",
     "jobs that ended earlier are removed, with their logs and folders; 0: none"},
    {"dry_run", OPTION_BOOL, MEMBER(dry_run), "", 0, 0, "false", "only count"},
};
static const struct option_table clean_up_table = {"clean_up", option_rows,
                                                   sizeof(option_rows) / sizeof(*option_rows)};

struct sweep {
    struct task_context *context;
    const struct clean_up_options *options;
    int64_t now_us, forecast_us, job_us; /* what is older goes */
    int64_t guard_us;                    /* what was written later is not touched */
    struct clean_counts counts;
    size_t models, logs, folders, temporaries;
    int64_t freed_bytes;
};

/* ---- files ---- */

static int64_t tree_bytes(const char *path)
{
    struct file_list files;
    struct file_info info;
    int64_t bytes = 0;
    if (file_list_open(path, NULL, &files, NULL) != ERR_OK)
        return 0;
    for (size_t i = 0; i < files.count; i++) {
        if (file_stat(files.paths[i], &info, NULL) == ERR_OK)
            bytes += info.size_bytes;
    }
    file_list_close(&files);
    return bytes;
}

/* A file or a folder with all it holds; true when it is gone, or would be. */
static bool drop(struct sweep *sweep, const char *path)
{
    struct file_info info;
    struct err err = {0};
    if (file_stat(path, &info, NULL) != ERR_OK || info.modified_us >= sweep->guard_us)
        return false;
    int64_t bytes = info.is_folder ? tree_bytes(path) : info.size_bytes;
    if (!sweep->options->dry_run) {
        enum err_code code = info.is_folder ? folder_remove(path, &err) : file_remove(path, &err);
        if (code != ERR_OK) {
            report_log(sweep->context->reporter, "left: %s", err.text);
            return false;
        }
    }
    sweep->freed_bytes += bytes;
    return true;
}

/* The version of <models>/<subject>/<variant>/<bot>/<version>.model, when the store has it there. */
static enum err_code is_owned(const struct sweep *sweep, const char *path, bool *out, struct err *err)
{
    struct version_row row;
    char version[MODEL_VERSION_BYTES];
    const char *name = strrchr(path, '/') + 1, *dot = strrchr(name, '.');
    *out = false;
    if (!text_copy((struct text){name, (size_t)(dot - name)}, version, sizeof(version)))
        return ERR_OK;
    enum err_code code = registry_get(sweep->context->store, version, &row, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    *out = code == ERR_OK && row.cleared_us == TIME_NONE && strcmp(row.path, path) == 0;
    return code;
}

static enum err_code sweep_models(struct sweep *sweep, struct err *err)
{
    struct file_list files = {0};
    bool is_kept = true;
    if (!file_exists(sweep->context->store->models))
        return ERR_OK;
    enum err_code code = file_list_open(sweep->context->store->models, ".model", &files, err);
    for (size_t i = 0; code == ERR_OK && i < files.count; i++) {
        code = is_owned(sweep, files.paths[i], &is_kept, err);
        if (code == ERR_OK && !is_kept)
            sweep->models += drop(sweep, files.paths[i]);
    }
    file_list_close(&files);
    return code;
}

/* "17" of "17", "17.log", "17.log.parts". */
static bool read_job_id(const char *name, const char *suffix, int64_t *out)
{
    size_t size_bytes = strlen(name), suffix_bytes = strlen(suffix);
    return size_bytes > suffix_bytes && strcmp(name + size_bytes - suffix_bytes, suffix) == 0 &&
           text_parse_i64((struct text){name, size_bytes - suffix_bytes}, out) && *out > 0;
}

/* Nobody knows the job, or it ended long ago. A folder of one that has succeeded is not needed either. */
static enum err_code is_done_with(const struct sweep *sweep, int64_t id, bool is_folder, bool *out,
                                  struct err *err)
{
    struct job_row job;
    enum err_code code = job_store_get(sweep->context->store->db, id, &job, err);
    *out = code == ERR_NOT_FOUND;
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    if (job_state_is_final(job.state))
        *out = job.ended_us < sweep->job_us ||
               (is_folder && job.state == JOB_SUCCEEDED && job.ended_us < sweep->guard_us);
    return ERR_OK;
}

static enum err_code sweep_entry(struct sweep *sweep, const char *path, const char *suffix, bool is_folder,
                                 size_t *count, struct err *err)
{
    int64_t id;
    bool is_done = false;
    if (!read_job_id(strrchr(path, '/') + 1, suffix, &id))
        return ERR_OK; /* not ours */
    enum err_code code = is_done_with(sweep, id, is_folder, &is_done, err);
    if (code == ERR_OK && is_done)
        *count += drop(sweep, path);
    return code;
}

static enum err_code sweep_folders(struct sweep *sweep, const char *parent, const char *suffix,
                                   bool is_folder, size_t *count, struct err *err)
{
    struct folder_list folders = {0};
    char path[FILE_PATH_BYTES];
    enum err_code code = folder_list_open(parent, &folders, err);
    for (size_t i = 0; code == ERR_OK && i < folders.count; i++) {
        code = file_join(parent, folders.names[i], path, err);
        if (code == ERR_OK)
            code = sweep_entry(sweep, path, suffix, is_folder, count, err);
    }
    folder_list_close(&folders);
    return code;
}

static enum err_code sweep_logs(struct sweep *sweep, struct err *err)
{
    struct file_list files = {0};
    const char *logs = sweep->context->store->logs;
    if (!file_exists(logs))
        return ERR_OK;
    enum err_code code = file_list_open(logs, ".log", &files, err);
    for (size_t i = 0; code == ERR_OK && i < files.count; i++)
        code = sweep_entry(sweep, files.paths[i], ".log", false, &sweep->logs, err);
    file_list_close(&files);
    return code == ERR_OK ? sweep_folders(sweep, logs, ".log.parts", false, &sweep->logs, err) : code;
}

static enum err_code sweep_temporaries(struct sweep *sweep, struct err *err)
{
    struct file_list files;
    enum err_code code = file_leftover_list(sweep->context->store->folder, sweep->guard_us, &files, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < files.count; i++)
        sweep->temporaries += drop(sweep, files.paths[i]);
    file_list_close(&files);
    return ERR_OK;
}

/* ---- the task ---- */

static enum err_code set_times(struct sweep *sweep, struct err *err)
{
    int64_t oldest_us = TIME_NONE, days = sweep->options->job_days;
    sweep->now_us = clock_now_us();
    sweep->forecast_us = sweep->now_us - sweep->options->forecast_days * TIME_DAY_US;
    sweep->job_us = days > 0 ? sweep->now_us - days * TIME_DAY_US : 0;
    sweep->guard_us = sweep->now_us - TIME_HOUR_US;
    enum err_code code = clean_store_oldest_job(sweep->context->store->db, &oldest_us, err);
    if (code == ERR_OK && oldest_us != TIME_NONE && oldest_us < sweep->guard_us)
        sweep->guard_us = oldest_us;
    return code;
}

static enum err_code write_result(const struct sweep *sweep, struct buffer *result, struct err *err)
{
    struct json_writer out;
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_field_bool(&out, "dry_run", sweep->options->dry_run);
    json_field_i64(&out, "forecasts", sweep->counts.forecasts);
    json_field_i64(&out, "value_bets", sweep->counts.value_bets);
    json_field_i64(&out, "jobs", sweep->counts.jobs);
    json_field_i64(&out, "model_files", (int64_t)sweep->models);
    json_field_i64(&out, "log_files", (int64_t)sweep->logs);
    json_field_i64(&out, "job_folders", (int64_t)sweep->folders);
    json_field_i64(&out, "temporary_files", (int64_t)sweep->temporaries);
    json_field_i64(&out, "freed_bytes", sweep->freed_bytes);
    json_field_i64(&out, "now_us", sweep->now_us);
    json_field_i64(&out, "forecast_us", sweep->forecast_us);
    json_field_i64(&out, "job_us", sweep->job_us);
    json_end_object(&out);
    return buffer_check(result, "the result of the clean-up", err);
}

static enum err_code run(struct task_context *context, const void *options, struct buffer *result,
                         struct err *err)
{
    struct sweep sweep = {.context = context, .options = options};
    enum err_code code = set_times(&sweep, err);
    if (code == ERR_OK)
        code = clean_store_count(context->store->db, sweep.forecast_us, sweep.job_us, sweep.now_us,
                                 &sweep.counts, err);
    if (code == ERR_OK)
        code = sweep_models(&sweep, err);
    if (code == ERR_OK)
        code = sweep_logs(&sweep, err);
    if (code == ERR_OK)
        code = sweep_folders(&sweep, context->store->jobs, "", true, &sweep.folders, err);
    if (code == ERR_OK)
        code = sweep_temporaries(&sweep, err);
    report_log(context->reporter,
               "%s%zu model files, %zu logs, %zu job folders, %zu temporary files: %lld bytes",
               sweep.options->dry_run ? "would remove " : "removed ", sweep.models, sweep.logs, sweep.folders,
               sweep.temporaries, (long long)sweep.freed_bytes);
    return code == ERR_OK ? write_result(&sweep, result, err) : code;
}

static enum err_code forget_jobs(struct db *db, int64_t before_us, struct err *err)
{
    int64_t ids[FORGET_BATCH];
    size_t count = FORGET_BATCH;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && count == FORGET_BATCH && i < FORGET_BATCHES; i++)
        code = job_store_forget(db, before_us, ids, &count, err);
    return code;
}

static enum err_code commit(struct store *store, const json_t *result, struct err *err)
{
    bool dry_run = true;
    int64_t now_us = 0, forecast_us = 0, job_us = 0, count = 0;
    enum err_code code = json_take_bool(result, "dry_run", true, &dry_run, err);
    if (code == ERR_OK)
        code = json_take_i64(result, "now_us", true, &now_us, err);
    if (code == ERR_OK)
        code = json_take_i64(result, "forecast_us", true, &forecast_us, err);
    if (code == ERR_OK)
        code = json_take_i64(result, "job_us", true, &job_us, err);
    if (code != ERR_OK || dry_run)
        return code;
    code = forecast_store_prune(store->db, forecast_us, &count, err);
    if (code == ERR_OK)
        code = value_bet_store_forget(store->db, forecast_us, now_us, &count, err);
    if (code == ERR_OK && job_us > 0)
        code = forget_jobs(store->db, job_us, err);
    return code;
}

const struct task task_clean_up = {
    .name = "clean_up",
    .doc =
        "Removes old forecasts and jobs, files that belong to nothing, and what killed writers left behind.",
    .options = &clean_up_table,
    .options_bytes = sizeof(struct clean_up_options),
    .run = run,
    .commit = commit,
};
