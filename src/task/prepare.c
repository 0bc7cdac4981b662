/* Prepare: store -> frames -> history -> matrix -> dataset. Frames and history live only while a matrix is built; a
 * cached matrix is opened without reading a match. */
#include "task/prepare.h"

#include "base/time.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/football_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err_code load_frames(struct task_context *context, struct football_frames *out, struct err *err)
{
    report_progress(context->reporter, "loading matches", 0, 0);
    enum err_code code = football_store_load(context->store->db, bookmaker_names(), 0, out, err);
    if (code != ERR_OK)
        return code;
    if (frame_rows(out->matches) == 0) {
        football_frames_release(out);
        return err_set(err, ERR_NOT_FOUND,
                       "the store holds no matches; import some first: almanac import football PATH");
    }
    return ERR_OK;
}

enum err_code prepare_history(struct task_context *context, struct history_options options,
                              struct history **out, struct err *err)
{
    struct football_frames frames = {0};
    enum err_code code = load_frames(context, &frames, err);
    if (code != ERR_OK)
        return code;
    code = history_create(frames.teams, frames.matches, frames.prices, options, out, err);
    football_frames_release(&frames);
    return code;
}

static void watch_progress(void *context, size_t done, size_t total)
{
    struct task_context *task = context;
    report_progress(task->reporter, "building features", done, total);
}

static bool watch_stop(void *context)
{
    struct task_context *task = context;
    return report_is_stopped(task->reporter);
}

struct build_watch prepare_watch(struct task_context *context)
{
    return (struct build_watch){watch_progress, watch_stop, context};
}

static enum err_code audit_sample(struct task_context *context, struct err *err)
{
    enum { SAMPLE_CUTS = 1 };
    struct audit_source source;
    enum err_code code = prepare_audit_open(context, &source, err);
    if (code != ERR_OK)
        return code;
    struct build_watch watch = {NULL, watch_stop, context};
    struct audit_report report;
    report_progress(context->reporter, "auditing features for leaks", 0, 0);
    code = audit_run(football_feature_set_widest(), &source, SAMPLE_CUTS, (uint64_t)clock_now_us(),
                     context->pool, &watch, &report, err);
    if (code == ERR_OK)
        report_log(context->reporter,
                   "leak audit: %zu features, %zu rows rebuilt without their future, all byte-equal",
                   report.features, report.rows_compared);
    prepare_audit_close(&source);
    return code;
}

/* The live state of the same data, for the server. One that cannot be kept costs the server a build, nothing else. */
static void keep_state(struct task_context *context, const char *key, const struct live_state *state)
{
    char name[HASH_HEX_BYTES + 8], path[FILE_PATH_BYTES];
    struct err err = {0};
    (void)snprintf(name, sizeof(name), "%s.state", key);
    if (file_join(context->store->matrix, name, path, &err) != ERR_OK ||
        live_state_save(state, key, path, &err) != ERR_OK)
        report_log(context->reporter, "the tracker state was not kept: %s", err.text);
}

static enum err_code build_matrix(struct task_context *context, const char *key, struct matrix **out,
                                  bool *out_built, struct err *err)
{
    struct history *history = NULL;
    struct live_state *state = NULL;
    enum err_code code = prepare_history(context, (struct history_options){0}, &history, err);
    if (code != ERR_OK)
        return code;
    struct build_watch watch = prepare_watch(context);
    code = matrix_open_or_build(context->store->matrix, key, football_feature_set_widest(),
                                history_streams(history), history_stream_count(history),
                                history_row_info(history), history_rows(history), context->pool, &watch, out,
                                &state, out_built, err);
    if (code == ERR_OK && state != NULL)
        keep_state(context, key, state);
    live_state_destroy(state);
    history_destroy(history);
    return code;
}

enum err_code prepare_matrix_by_key(struct task_context *context, const char *key, struct matrix **out,
                                    struct err *err)
{
    char name[HASH_HEX_BYTES + 4], path[FILE_PATH_BYTES];
    (void)snprintf(name, sizeof(name), "%s.mat", key);
    enum err_code code = file_join(context->store->matrix, name, path, err);
    return code == ERR_OK ? matrix_open(path, out, err) : code;
}

enum err_code prepare_matrix(struct task_context *context, struct matrix **out, struct err *err)
{
    char data_hash[HASH_HEX_BYTES], key[HASH_HEX_BYTES];
    enum err_code code = football_store_hash(context->store->db, data_hash, err);
    if (code != ERR_OK)
        return code;
    matrix_key(data_hash, football_feature_set_widest(), key);
    if (prepare_matrix_by_key(context, key, out, NULL) == ERR_OK) {
        report_log(context->reporter, "feature matrix %.8s opened: %zu rows x %zu features", key,
                   matrix_rows(*out), matrix_columns(*out));
        return ERR_OK;
    }
    bool was_built = false;
    code = audit_sample(context, err);
    if (code == ERR_OK)
        code = build_matrix(context, key, out, &was_built, err);
    if (code == ERR_OK)
        report_log(context->reporter, "feature matrix %.8s built: %zu rows x %zu features", key,
                   matrix_rows(*out), matrix_columns(*out));
    return code;
}

/* ---- the audit's view of football ---- */

static enum err_code audit_open_variant(void *context, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                                        struct audit_variant *out, struct err *err)
{
    static const enum history_future futures[] = {[AUDIT_WHOLE] = HISTORY_WHOLE,
                                                  [AUDIT_TRUNCATED] = HISTORY_TRUNCATED,
                                                  [AUDIT_SCRAMBLED] = HISTORY_SCRAMBLED};
    struct football_frames *frames = context;
    struct history *history = NULL;
    struct history_options options = {.future = futures[mode], .cut_us = cut_us, .seed = seed};
    enum err_code code =
        history_create(frames->teams, frames->matches, frames->prices, options, &history, err);
    if (code != ERR_OK)
        return code;
    *out = (struct audit_variant){history_streams(history), history_stream_count(history),
                                  history_row_info(history), history_rows(history), history};
    return ERR_OK;
}

static void audit_close_variant(struct audit_variant *variant)
{
    history_destroy(variant->owner);
}

enum err_code prepare_audit_open(struct task_context *context, struct audit_source *out, struct err *err)
{
    struct football_frames *frames = calloc(1, sizeof(*frames));
    if (frames == NULL)
        return err_nomem(err, sizeof(*frames));
    enum err_code code = load_frames(context, frames, err);
    if (code != ERR_OK) {
        free(frames);
        return code;
    }
    *out = (struct audit_source){audit_open_variant, audit_close_variant, frames};
    return ERR_OK;
}

void prepare_audit_close(struct audit_source *source)
{
    football_frames_release(source->context);
    free(source->context);
}
