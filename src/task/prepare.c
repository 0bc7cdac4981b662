/* Prepare: store -> matrix -> dataset. The matrix of the present data is serve/present.h's affair; this adds the leak audit
 * and the words. */
#include "task/prepare.h"

#include "base/time.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "os/clock.h"
#include "serve/present.h"
#include "store/football_store.h"
#include "task/matrix_tidy.h"

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
    code = history_create(frames.teams, frames.matches, frames.prices, frames.attributes, options, out, err);
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

/* ---- the audit's view of football ---- */

static enum err_code audit_open_variant(void *context, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                                        struct audit_variant *out, struct err *err)
{
    static const enum history_future futures[] = {[AUDIT_WHOLE] = HISTORY_WHOLE,
                                                  [AUDIT_TRUNCATED] = HISTORY_TRUNCATED,
                                                  [AUDIT_SCRAMBLED] = HISTORY_SCRAMBLED};
    const struct football_frames *frames = context;
    struct history *history = NULL;
    struct history_options options = {.future = futures[mode], .cut_us = cut_us, .seed = seed};
    enum err_code code = history_create(frames->teams, frames->matches, frames->prices, frames->attributes,
                                        options, &history, err);
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

/* frames: borrowed as long as the source is used. */
static struct audit_source audit_source_of(const struct football_frames *frames)
{
    return (struct audit_source){audit_open_variant, audit_close_variant, (void *)frames};
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
    *out = audit_source_of(frames);
    return ERR_OK;
}

void prepare_audit_close(struct audit_source *source)
{
    football_frames_release(source->context);
    free(source->context);
}

/* ---- the matrix of the present data ---- */

/* audit of present.h */
static enum err_code audit_sample(void *task, const struct football_frames *frames,
                                  const struct audit_built *built, struct err *err)
{
    enum { SAMPLE_CUTS = 1 };
    struct task_context *context = task;
    struct audit_source source = audit_source_of(frames);
    struct build_watch watch = {NULL, watch_stop, context};
    struct audit_report report;
    report_progress(context->reporter, "auditing features for leaks", 0, 0);
    enum err_code code = audit_run(football_feature_set_widest(), &source, built, SAMPLE_CUTS,
                                   (uint64_t)clock_now_us(), context->pool, &watch, &report, err);
    if (code == ERR_OK)
        report_log(context->reporter,
                   "leak audit: %zu features, %zu rows rebuilt without their future, all byte-equal",
                   report.features, report.rows_compared);
    return code;
}

enum err_code prepare_matrix_by_key(struct task_context *context, const char *key, struct matrix **out,
                                    struct err *err)
{
    return matrix_open(context->store->matrix, key, out, err);
}

static void log_present(struct task_context *context, const struct present *present)
{
    size_t rows = matrix_rows(present->matrix), columns = matrix_columns(present->matrix);
    double took_ms = (double)present->took_us / 1e3;
    switch (present->way) {
    case PRESENT_OPENED:
        report_log(context->reporter, "feature matrix %.8s opened: %zu rows x %zu features", present->key,
                   rows, columns);
        return;
    case PRESENT_EXTENDED:
        report_log(context->reporter,
                   "feature matrix %.8s extended: %zu rows computed in %.1f ms, now %zu rows x %zu features",
                   present->key, present->rows_computed, took_ms, rows, columns);
        return;
    case PRESENT_FAMILIES:
        report_log(
            context->reporter,
            "feature matrix %.8s got new families: %zu columns computed in %.1f ms, now %zu rows x %zu "
            "features",
            present->key, present->columns_computed, took_ms, rows, columns);
        return;
    case PRESENT_BUILT:
        report_log(context->reporter, "feature matrix %.8s built: %zu rows x %zu features", present->key,
                   rows, columns);
    }
}

/* Old matrices take room, nothing else: that they could not be removed stops no task. */
static void tidy(struct task_context *context)
{
    struct err err = {0};
    if (matrix_tidy(context->store, &err) != ERR_OK)
        report_log(context->reporter, "old feature matrices were not removed: %s", err.text);
}

static enum err_code open_present(struct task_context *context, bool from_scratch, struct matrix **out,
                                  struct err *err)
{
    struct build_watch watch = prepare_watch(context);
    struct present_request request = {.store = context->store,
                                      .want_matrix = true,
                                      .from_scratch = from_scratch,
                                      .pool = context->pool,
                                      .watch = &watch,
                                      .audit = audit_sample,
                                      .context = context};
    struct present present;
    enum err_code code = present_open(&request, &present, err);
    if (code != ERR_OK)
        return code;
    log_present(context, &present);
    if (present.way != PRESENT_OPENED)
        tidy(context);
    *out = present.matrix;
    present.matrix = NULL;
    present_release(&present);
    return ERR_OK;
}

enum err_code prepare_matrix(struct task_context *context, struct matrix **out, struct err *err)
{
    return open_present(context, false, out, err);
}

enum err_code prepare_matrix_anew(struct task_context *context, struct matrix **out, struct err *err)
{
    return open_present(context, true, out, err);
}
