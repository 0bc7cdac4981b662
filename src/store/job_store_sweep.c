/* Jobs in the store: changes of many jobs at once, and what is not a change of state. */
#include "store/job_store_parts.h"

#include "base/time.h"
#include "limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_IDS = 256 };

static enum err_code run_for_id(struct db *db, const char *sql, int64_t id, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, sql, &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    return query_run(query, err);
}

static enum err_code read_ids(struct query *query, int64_t *out, size_t *count, struct err *err)
{
    bool has_row = true;
    size_t filled = 0;
    enum err_code code = ERR_OK;

    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        out[filled++] = query_i64(query, 0);
    query_reset(query);
    *count = filled;
    return code;
}

/* ---- stopping what waits ---- */

static enum err_code read_queued(struct db *db, const char *queue, int64_t *out, size_t *count,
                                 struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "SELECT id FROM job WHERE state = 'queued' AND queue = $1 ORDER BY priority DESC, id LIMIT $2",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, queue);
    query_bind_i64(query, 2, (int64_t)*count);
    return read_ids(query, out, count, err);
}

/* What waits for one of them, in whatever queue, is stopped with it. */
static enum err_code stop_queued(struct db *db, const char *queue, const struct job_change *like,
                                 size_t *out_count, struct err *err)
{
    int64_t ids[PAGE_IDS];
    size_t count;

    do {
        count = PAGE_IDS;
        enum err_code code = read_queued(db, queue, ids, &count, err);
        for (size_t index = 0; code == ERR_OK && index < count; index++) {
            struct job_change change = *like;
            change.id = ids[index];
            code = job_store_apply(db, &change, err);
            if (code == ERR_CONFLICT) /* it waited for one of those before it */
                code = ERR_OK;
            else if (code == ERR_OK)
                ++*out_count;
        }
        if (code != ERR_OK)
            return code;
    } while (count > 0);
    return ERR_OK;
}

enum err_code job_store_stop_queued(struct db *db, const char *queue, const char *who, const char *reason,
                                    int64_t now_us, size_t *out_count, struct err *err)
{
    const struct job_change like = {
        .from = JOB_QUEUED, .to = JOB_STOPPED, .error = reason, .who = who, .now_us = now_us};

    *out_count = 0;
    enum err_code code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    return job_store_end(db, stop_queued(db, queue, &like, out_count, err), err);
}

/* ---- again ---- */

/* How many it waits for; one that did not succeed, if any. */
static enum err_code look_at_after(struct db *db, int64_t id, int64_t *out_waits, int64_t *out_lost,
                                   struct err *err)
{
    int64_t after[JOB_AFTER_MAX];
    size_t count;
    struct job_row row;

    *out_waits = *out_lost = 0;
    enum err_code code = job_store_after(db, id, after, &count, err);
    for (size_t index = 0; code == ERR_OK && index < count; index++) {
        code = job_store_get(db, after[index], &row, err);
        if (code != ERR_OK || row.state == JOB_SUCCEEDED)
            continue;
        ++*out_waits;
        if (job_state_is_final(row.state))
            *out_lost = row.id;
    }
    return code;
}

static enum err_code set_waits(struct db *db, int64_t id, int64_t waits, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, "UPDATE job SET waits = $2, failures = 0 WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, waits);
    return query_run(query, err);
}

static enum err_code resume(struct db *db, int64_t id, const char *who, int64_t now_us, struct err *err)
{
    struct job_row row;
    int64_t waits, lost;

    enum err_code code = job_store_get(db, id, &row, err);
    if (code != ERR_OK)
        return code;
    if (row.state != JOB_STOPPED && row.state != JOB_FAILED)
        return err_set(err, ERR_CONFLICT,
                       "job %" PRId64 " is %s; a job that was stopped or has failed can be resumed", id,
                       job_state_name(row.state));
    code = look_at_after(db, id, &waits, &lost, err);
    if (code == ERR_OK && lost != 0)
        return err_set(err, ERR_CONFLICT,
                       "job %" PRId64 " waits for job %" PRId64 ", which did not succeed; resume that first",
                       id, lost);
    if (code == ERR_OK)
        code = set_waits(db, id, waits, err);
    struct job_change change = {
        .id = id, .from = row.state, .to = JOB_QUEUED, .note = "resumed", .who = who, .now_us = now_us};
    return code == ERR_OK ? job_store_apply(db, &change, err) : code;
}

enum err_code job_store_resume(struct db *db, int64_t id, const char *who, int64_t now_us, struct err *err)
{
    enum err_code code = db_begin(db, err); /* accepted again: on the disk */

    if (code != ERR_OK)
        return code;
    return job_store_end(db, resume(db, id, who, now_us, err), err);
}

/* ---- not a change of state ---- */

static enum err_code set_priority(struct db *db, int64_t id, int64_t priority, const char *who,
                                  int64_t now_us, struct err *err)
{
    struct query *query;
    struct job_row row;

    enum err_code code = job_store_get(db, id, &row, err);
    if (code != ERR_OK)
        return code;
    if (row.state != JOB_QUEUED)
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " is %s; only the priority of a queued job matters",
                       id, job_state_name(row.state));
    code = db_query(db, "UPDATE job SET priority = $2 WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, priority);
    code = query_run(query, err);
    if (code == ERR_OK)
        code = db_query(db,
                        "INSERT INTO job_event(job_id, at_us, from_state, to_state, attempt, note, who) "
                        "SELECT id, $2, state, state, attempt, 'priority ' || $3, $4 FROM job WHERE id = $1",
                        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, now_us);
    query_bind_i64(query, 3, priority);
    query_bind_text(query, 4, who == NULL ? "" : who);
    return query_run(query, err);
}

enum err_code job_store_set_priority(struct db *db, int64_t id, int64_t priority, const char *who,
                                     int64_t now_us, struct err *err)
{
    if (priority < -JOB_PRIORITY_MAX || priority > JOB_PRIORITY_MAX)
        return err_set_field(err, ERR_INVALID, "priority", "'priority' is not within -%d..%d",
                             JOB_PRIORITY_MAX, JOB_PRIORITY_MAX);
    enum err_code code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    return job_store_end(db, set_priority(db, id, priority, who, now_us, err), err);
}

static enum err_code save_progress(struct db *db, const struct job_row *row, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "UPDATE job SET phase = $2, progress_done = $3, progress_total = $4, eta_us = $5, "
                 "epoch = $6, epochs = $7, loss = $8, best = $9, has_warning = $10 WHERE id = $1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, row->id);
    query_bind_text(query, 2, row->phase);
    query_bind_i64(query, 3, row->progress_done);
    query_bind_i64(query, 4, row->progress_total);
    if (row->eta_us == TIME_NONE)
        query_bind_null(query, 5);
    else
        query_bind_i64(query, 5, row->eta_us);
    query_bind_i64(query, 6, row->epoch);
    query_bind_i64(query, 7, row->epochs);
    query_bind_f64(query, 8, row->loss);
    query_bind_f64(query, 9, row->best);
    query_bind_i64(query, 10, row->has_warning);
    code = query_run(query, err);
    if (code == ERR_OK && db_changes(db) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no job %" PRId64, row->id);
    return code;
}

enum err_code job_store_progress(struct db *db, const struct job_row *row, struct err *err)
{
    enum err_code code = db_begin_lazy(db, err);

    if (code != ERR_OK)
        return code;
    return job_store_end(db, save_progress(db, row, err), err);
}

/* ---- what a dead server left ---- */

#define SERVER_ENDED "the server ended while the job ran"

enum err_code job_store_takeovers(struct db *db, int64_t id, int64_t *out, struct err *err)
{
    struct query *query;
    bool has_row = false;

    *out = 0;
    enum err_code code =
        db_query(db,
                 "SELECT count(*) FROM job_event WHERE job_id = $1 AND from_state = 'running' AND note = $2 "
                 "AND id > (SELECT ifnull(max(id), 0) FROM job_event WHERE job_id = $1 "
                 "AND to_state = 'queued' AND from_state IN ('stopped', 'failed'))",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_text(query, 2, SERVER_ENDED);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out = query_i64(query, 0); /* an aggregate has its row */
    query_reset(query);
    return ERR_OK;
}

static enum err_code pass_on(struct db *db, int64_t id, int64_t attempt, const char *old_lease,
                             const char *lease, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "UPDATE job SET lease = $4 WHERE id = $1 AND state = 'running' "
                                  "AND attempt = $2 AND lease = $3",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, attempt);
    query_bind_text(query, 3, old_lease);
    query_bind_text(query, 4, lease);
    code = query_run(query, err);
    if (code == ERR_OK && db_changes(db) == 0)
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " does not run any more", id);
    return code;
}

static enum err_code note_takeover(struct db *db, int64_t id, int64_t now_us, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "INSERT INTO job_event(job_id, at_us, from_state, to_state, attempt, note) "
                                  "SELECT id, $2, state, state, attempt, $3 FROM job WHERE id = $1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, now_us);
    query_bind_text(query, 3, SERVER_ENDED);
    return query_run(query, err);
}

enum err_code job_store_adopt(struct db *db, int64_t id, int64_t attempt, const char *old_lease,
                              const char *lease, int64_t now_us, struct err *err)
{
    enum err_code code = db_begin_lazy(db, err);

    if (code != ERR_OK)
        return code;
    code = pass_on(db, id, attempt, old_lease, lease, err);
    if (code == ERR_OK)
        code = note_takeover(db, id, now_us, err);
    return job_store_end(db, code, err);
}

/* A job that ends its server whenever it runs would do so for ever. */
static enum err_code recover_one(struct db *db, const struct job_row *row, int64_t now_us, struct err *err)
{
    char error[160] = SERVER_ENDED;
    int64_t takeovers = 0;
    struct job_change change = {.id = row->id,
                                .from = row->state,
                                .to = row->state == JOB_STOPPING ? JOB_STOPPED : JOB_QUEUED,
                                .attempt = row->attempt,
                                .lease = row->lease,
                                .error = error,
                                .now_us = now_us};

    enum err_code code = change.to == JOB_QUEUED ? job_store_takeovers(db, row->id, &takeovers, err) : ERR_OK;
    if (takeovers >= LIMIT_JOB_TAKEOVERS) {
        change.to = JOB_FAILED;
        change.is_failure = true;
        (void)snprintf(error, sizeof(error),
                       "the server ended %" PRId64 " times while the job ran, maybe because of it; see the "
                       "server's log, then resume it",
                       takeovers + 1);
    }
    return code == ERR_OK ? job_store_change(db, &change, err) : code;
}

enum err_code job_store_recover(struct db *db, const char *keep, int64_t now_us, size_t *out_count,
                                struct err *err)
{
    struct job_row row;
    int64_t after_id = 0;

    *out_count = 0;
    for (;;) {
        size_t count = 1;
        enum err_code code = job_store_unfinished(db, after_id, &row, &count, err);
        if (code != ERR_OK || count == 0)
            return code;
        after_id = row.id;
        if (keep != NULL && strcmp(row.lease, keep) == 0)
            continue;
        code = recover_one(db, &row, now_us, err);
        if (code != ERR_OK)
            return code;
        ++*out_count;
    }
}

/* ---- forgetting ---- */

/* Numbers are given anew above the highest that is left: the newest job and the one of the newest event stay, so that no id
 * ever means two jobs, and no event is taken for one that was told. */
static enum err_code read_forgettable(struct db *db, int64_t before_us, int64_t *out, size_t *count,
                                      struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "SELECT id FROM job WHERE id < (SELECT max(id) FROM job) "
                 "AND id <> (SELECT job_id FROM job_event ORDER BY id DESC LIMIT 1) AND state IN "
                 "('succeeded', 'failed', 'stopped') AND ended_us < $1 "
                 "AND NOT EXISTS (SELECT 1 FROM job_after a JOIN job w ON w.id = a.job_id "
                 "WHERE a.after_id = job.id AND w.state IN ('queued', 'running', 'stopping')) "
                 "ORDER BY id LIMIT $2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, before_us);
    query_bind_i64(query, 2, (int64_t)*count);
    return read_ids(query, out, count, err);
}

static enum err_code forget_one(struct db *db, int64_t id, struct err *err)
{
    enum err_code code = run_for_id(db, "DELETE FROM job_event WHERE job_id = $1", id, err);
    if (code == ERR_OK)
        code = run_for_id(db, "DELETE FROM job_after WHERE job_id = $1", id, err);
    if (code == ERR_OK)
        code = run_for_id(db, "DELETE FROM job_after WHERE after_id = $1", id, err);
    return code == ERR_OK ? run_for_id(db, "DELETE FROM job WHERE id = $1", id, err) : code;
}

enum err_code job_store_forget(struct db *db, int64_t ended_before_us, int64_t *out_ids, size_t *count,
                               struct err *err)
{
    enum err_code code = db_begin(db, err);

    if (code != ERR_OK)
        return code;
    code = read_forgettable(db, ended_before_us, out_ids, count, err);
    for (size_t index = 0; code == ERR_OK && index < *count; index++)
        code = forget_one(db, out_ids[index], err);
    return job_store_end(db, code, err);
}
