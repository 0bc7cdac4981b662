/* Jobs in the store, one change at a time. A change of state is an UPDATE that names the state, the attempt and the lease it
 * expects, an event, the counts of its queue, and what follows for the jobs that wait for it: one transaction. */
#include "store/job_store_parts.h"

#include "base/text.h"
#include "base/time.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code job_store_end(struct db *db, enum err_code code, struct err *err)
{
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

/* The attempt is that of the row after the change. from NULL: the job is new. */
static enum err_code add_event(struct db *db, const struct job_change *change, const char *from,
                               struct err *err)
{
    struct query *query;
    const char *note = change->note != NULL ? change->note : change->error;

    enum err_code code =
        db_query(db,
                 "INSERT INTO job_event(job_id, at_us, from_state, to_state, attempt, note, who) "
                 "SELECT id, $2, $3, $4, attempt, $5, $6 FROM job WHERE id = $1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, change->id);
    query_bind_i64(query, 2, change->now_us);
    query_bind_text(query, 3, from);
    query_bind_text(query, 4, job_state_name(change->to));
    query_bind_text(query, 5, note == NULL ? "" : note);
    query_bind_text(query, 6, change->who == NULL ? "" : change->who);
    return query_run(query, err);
}

/* ---- the counts of the queue ---- */

static int in_state(enum job_state state, enum job_state wanted)
{
    return state == wanted || (wanted == JOB_RUNNING && state == JOB_STOPPING);
}

/* What ended may come back (a job that is resumed), but never below nothing: the batch may have begun later. */
static enum err_code count_change(struct db *db, const struct job_change *change, struct err *err)
{
    struct query *query;
    enum job_state from = change->from, to = change->to;

    enum err_code code = db_query(
        db,
        "UPDATE queue SET queued = queued + $2, running = running + $3, "
        "completed = max(0, completed + $4), failed = max(0, failed + $5), stopped = max(0, stopped + $6), "
        "usual_us = CASE WHEN $4 > 0 THEN (SELECT CASE WHEN job.started_us IS NULL OR job.ended_us < "
        "job.started_us THEN queue.usual_us "
        "WHEN queue.usual_us IS NULL THEN job.ended_us - job.started_us "
        "ELSE (3 * queue.usual_us + job.ended_us - job.started_us) / 4 END FROM job WHERE id = $1) "
        "ELSE usual_us END "
        "WHERE name = (SELECT queue FROM job WHERE id = $1)",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, change->id);
    query_bind_i64(query, 2, in_state(to, JOB_QUEUED) - in_state(from, JOB_QUEUED));
    query_bind_i64(query, 3, in_state(to, JOB_RUNNING) - in_state(from, JOB_RUNNING));
    query_bind_i64(query, 4, in_state(to, JOB_SUCCEEDED) - in_state(from, JOB_SUCCEEDED));
    query_bind_i64(query, 5, in_state(to, JOB_FAILED) - in_state(from, JOB_FAILED));
    query_bind_i64(query, 6, in_state(to, JOB_STOPPED) - in_state(from, JOB_STOPPED));
    return query_run(query, err);
}

/* A job comes to a queue: when it was empty, a batch begins. */
static enum err_code count_new(struct db *db, const char *queue, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "UPDATE queue SET "
                                  "completed = CASE WHEN queued + running = 0 THEN 0 ELSE completed END, "
                                  "failed = CASE WHEN queued + running = 0 THEN 0 ELSE failed END, "
                                  "stopped = CASE WHEN queued + running = 0 THEN 0 ELSE stopped END, "
                                  "queued = queued + 1 WHERE name = $1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, queue);
    return query_run(query, err);
}

/* ---- a change ---- */

static void bind_change(struct query *query, const struct job_change *change)
{
    bool is_start = change->to == JOB_RUNNING;

    query_bind_i64(query, 1, change->id);
    query_bind_text(query, 2, job_state_name(change->from));
    query_bind_text(query, 3, job_state_name(change->to));
    query_bind_i64(query, 4, change->pid);
    query_bind_text(query, 5, change->error == NULL ? "" : change->error);
    query_bind_text(query, 6, change->result_json);
    query_bind_i64(query, 7, change->now_us);
    query_bind_text(query, 8,
                    change->to == JOB_STOPPING ? NULL
                    : change->process == NULL  ? ""
                                               : change->process);
    query_bind_i64(query, 9, change->attempt);
    query_bind_text(query, 10, is_start ? NULL : change->lease);
    query_bind_text(query, 11, is_start ? change->lease : NULL);
    if (change->not_before_us > 0)
        query_bind_i64(query, 12, change->not_before_us);
    else
        query_bind_null(query, 12);
    query_bind_i64(query, 13, change->is_failure);
}

/* Nothing was changed: says why. */
static enum err_code refuse_change(struct db *db, const struct job_change *change, struct err *err)
{
    struct job_row row;

    enum err_code code = job_store_get(db, change->id, &row, err);
    if (code != ERR_OK)
        return code;
    if (row.state != change->from)
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " is %s, not %s", change->id,
                       job_state_name(row.state), job_state_name(change->from));
    if (change->attempt != 0 && row.attempt != change->attempt)
        return err_set(err, ERR_CONFLICT, "job %" PRId64 " is in attempt %" PRId64 ", not %" PRId64,
                       change->id, row.attempt, change->attempt);
    return err_set(err, ERR_CONFLICT, "job %" PRId64 " belongs to another life of the server", change->id);
}

static enum err_code update_job(struct db *db, const struct job_change *change, struct err *err)
{
    struct query *query;

    /* progress stays as it was at the end, and begins anew with an attempt */
    enum err_code code = db_query(
        db,
        "UPDATE job SET state = $3, pid = $4, error = $5, result = $6, process = coalesce($8, process), "
        "lease = coalesce($11, lease), not_before_us = $12, failures = failures + $13, "
        "attempt = attempt + CASE WHEN $3 = 'running' THEN 1 ELSE 0 END, "
        "started_us = CASE WHEN $3 = 'running' THEN $7 WHEN $3 = 'queued' THEN NULL ELSE started_us END, "
        "ended_us = CASE WHEN $3 IN ('succeeded', 'failed', 'stopped') THEN $7 ELSE NULL END, "
        "progress_done = CASE WHEN $3 IN ('queued', 'running') THEN 0 ELSE progress_done END, "
        "progress_total = CASE WHEN $3 IN ('queued', 'running') THEN 0 ELSE progress_total END, "
        "phase = CASE WHEN $3 IN ('queued', 'running') THEN '' ELSE phase END, "
        "eta_us = CASE WHEN $3 = 'stopping' THEN eta_us ELSE NULL END, "
        "epoch = CASE WHEN $3 IN ('queued', 'running') THEN 0 ELSE epoch END, "
        "epochs = CASE WHEN $3 IN ('queued', 'running') THEN 0 ELSE epochs END, "
        "loss = CASE WHEN $3 IN ('queued', 'running') THEN NULL ELSE loss END, "
        "best = CASE WHEN $3 IN ('queued', 'running') THEN NULL ELSE best END, "
        "has_warning = CASE WHEN $3 IN ('queued', 'running') THEN 0 ELSE has_warning END "
        "WHERE id = $1 AND state = $2 AND ($9 = 0 OR attempt = $9) AND ($10 IS NULL OR lease = $10)",
        &query, err);
    if (code != ERR_OK)
        return code;
    bind_change(query, change);
    code = query_run(query, err);
    if (code != ERR_OK)
        return code;
    return db_changes(db) == 1 ? ERR_OK : refuse_change(db, change, err);
}

static enum err_code change_one(struct db *db, const struct job_change *change, struct err *err)
{
    enum err_code code = update_job(db, change, err);

    if (code == ERR_OK)
        code = add_event(db, change, job_state_name(change->from), err);
    return code == ERR_OK ? count_change(db, change, err) : code;
}

/* ---- those that wait ---- */

static enum err_code set_free(struct db *db, int64_t id, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "UPDATE job SET waits = max(0, waits - 1) WHERE state = 'queued' "
                                  "AND id IN (SELECT job_id FROM job_after WHERE after_id = $1)",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    return query_run(query, err);
}

struct waiting {
    int64_t id, cause;
};

/* Queued jobs that wait for `id`, and those that wait for them, nearest first. *out is the caller's to free. */
static enum err_code read_waiting(struct db *db, int64_t id, struct waiting **out, size_t *count,
                                  struct err *err)
{
    struct query *query;
    bool has_row;
    size_t capacity = 0;

    *out = NULL;
    *count = 0;
    enum err_code code = db_query(
        db,
        "WITH RECURSIVE down(id, cause, depth) AS ("
        "SELECT job_id, after_id, 1 FROM job_after WHERE after_id = $1 "
        "UNION SELECT a.job_id, a.after_id, depth + 1 FROM down JOIN job ON job.id = down.id "
        "JOIN job_after a ON a.after_id = down.id WHERE job.state = 'queued') "
        "SELECT down.id, min(cause) FROM down JOIN job ON job.id = down.id WHERE job.state = 'queued' "
        "GROUP BY down.id ORDER BY min(depth), down.id",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        if (*count == capacity) {
            capacity = capacity == 0 ? 16 : 2 * capacity;
            struct waiting *larger = realloc(*out, capacity * sizeof **out);
            if (larger == NULL) {
                query_reset(query);
                return err_nomem(err, capacity * sizeof **out);
            }
            *out = larger;
        }
        (*out)[(*count)++] = (struct waiting){query_i64(query, 0), query_i64(query, 1)};
    }
    return code;
}

static enum err_code stop_waiting(struct db *db, int64_t id, const struct job_change *cause, struct err *err)
{
    struct waiting *waiting = NULL;
    size_t count = 0;
    char reason[128];

    enum err_code code = read_waiting(db, id, &waiting, &count, err);
    for (size_t index = 0; code == ERR_OK && index < count; index++) {
        bool is_near = waiting[index].cause == id;
        (void)snprintf(reason, sizeof reason, "job %" PRId64 ", which it waits for, %s", waiting[index].cause,
                       is_near && cause->to == JOB_FAILED ? "has failed" : "was stopped");
        struct job_change change = {.id = waiting[index].id,
                                    .from = JOB_QUEUED,
                                    .to = JOB_STOPPED,
                                    .error = reason,
                                    .who = cause->who,
                                    .now_us = cause->now_us};
        code = change_one(db, &change, err);
    }
    free(waiting);
    return code;
}

enum err_code job_store_apply(struct db *db, const struct job_change *change, struct err *err)
{
    enum err_code code = change_one(db, change, err);

    if (code == ERR_OK && change->to == JOB_SUCCEEDED)
        code = set_free(db, change->id, err);
    if (code == ERR_OK && (change->to == JOB_FAILED || change->to == JOB_STOPPED))
        code = stop_waiting(db, change->id, change, err);
    return code;
}

enum err_code job_store_change(struct db *db, const struct job_change *change, struct err *err)
{
    enum err_code code = change->may_wait ? db_begin_lazy(db, err) : db_begin(db, err);

    if (code != ERR_OK)
        return code;
    return job_store_end(db, job_store_apply(db, change, err), err);
}

/* ---- a new job ---- */

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static enum err_code check_text(const char *field, const char *text, size_t bytes, struct err *err)
{
    if (strlen(or_empty(text)) >= bytes)
        return err_set_field(err, ERR_INVALID, field, "'%s' is longer than %zu bytes", field, bytes - 1);
    return ERR_OK;
}

static enum err_code check_order(const struct job_order *order, struct err *err)
{
    const struct job_row *row = NULL;

    if (order->task == NULL || order->task[0] == '\0' || strlen(order->task) >= sizeof row->task)
        return err_set_field(err, ERR_INVALID, "task", "the name of a task has 1 to %zu bytes",
                             sizeof row->task - 1);
    if (order->priority < -JOB_PRIORITY_MAX || order->priority > JOB_PRIORITY_MAX)
        return err_set_field(err, ERR_INVALID, "priority", "'priority' is not within -%d..%d",
                             JOB_PRIORITY_MAX, JOB_PRIORITY_MAX);
    if (order->max_attempts < 0 || order->max_attempts > JOB_ATTEMPTS_MAX)
        return err_set_field(err, ERR_INVALID, "max_attempts", "'max_attempts' is not within 1..%d",
                             JOB_ATTEMPTS_MAX);
    if (order->after_count > JOB_AFTER_MAX)
        return err_set_field(err, ERR_INVALID, "after", "a job waits for at most %d others", JOB_AFTER_MAX);
    enum err_code code = check_text("queue", order->queue, JOB_QUEUE_BYTES, err);
    if (code == ERR_OK)
        code = check_text("key", order->key, JOB_KEY_BYTES, err);
    if (code == ERR_OK)
        code = check_text("who", order->who, JOB_WHO_BYTES, err);
    if (code == ERR_OK)
        code = check_text("batch", order->batch, JOB_BATCH_BYTES, err);
    return code == ERR_OK ? check_text("label", order->label, JOB_LABEL_BYTES, err) : code;
}

static bool is_same_json(const char *first, const char *second)
{
    json_t *one = NULL, *other = NULL;

    if (strcmp(first, second) == 0)
        return true;
    bool is_same = json_read(first, strlen(first), &one, NULL) == ERR_OK &&
                   json_read(second, strlen(second), &other, NULL) == ERR_OK && json_equal(one, other);
    json_decref(one);
    json_decref(other);
    return is_same;
}

/* The job that has the key, if any: *out_id 0 if none. */
static enum err_code find_key(struct db *db, const struct job_order *order, int64_t *out_id, struct err *err)
{
    struct query *query;
    bool has_row = false;

    *out_id = 0;
    if (or_empty(order->key)[0] == '\0')
        return ERR_OK;
    enum err_code code =
        db_query(db, "SELECT id, task, request FROM job WHERE key = $1 AND key <> ''", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, order->key);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK || !has_row)
        return code;
    *out_id = query_i64(query, 0);
    bool is_same = strcmp(query_text(query, 1), order->task) == 0 &&
                   is_same_json(query_text(query, 2), order->request_json);
    query_reset(query);
    if (is_same)
        return ERR_OK;
    return err_set_field(err, ERR_CONFLICT, "key",
                         "the key '%s' belongs to job %" PRId64
                         ", which is another task or has other options",
                         order->key, *out_id);
}

static void bind_order(struct query *query, const struct job_order *order, int64_t now_us)
{
    query_bind_text(query, 1, order->task);
    query_bind_text(query, 2, order->request_json);
    query_bind_i64(query, 3, now_us);
    query_bind_text(query, 4, order->queue == NULL ? "default" : order->queue);
    query_bind_i64(query, 5, order->priority);
    query_bind_i64(query, 6, order->max_attempts == 0 ? 1 : order->max_attempts);
    if (order->not_before_us > 0)
        query_bind_i64(query, 7, order->not_before_us);
    else
        query_bind_null(query, 7);
    query_bind_text(query, 8, or_empty(order->key));
    query_bind_text(query, 9, or_empty(order->who));
    query_bind_text(query, 10, or_empty(order->batch));
    query_bind_text(query, 11, or_empty(order->label));
}

static enum err_code insert_row(struct db *db, const struct job_order *order, int64_t now_us, int64_t *out_id,
                                struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code = db_query(db,
                                  "INSERT INTO job(task, request, state, created_us, queue, priority, "
                                  "max_attempts, not_before_us, key, who, batch, label) "
                                  "VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9, $10, $11) "
                                  "RETURNING id",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    bind_order(query, order, now_us);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    assert(has_row);
    *out_id = query_i64(query, 0);
    query_reset(query);
    struct job_change change = {.id = *out_id, .to = JOB_QUEUED, .who = order->who, .now_us = now_us};
    code = add_event(db, &change, NULL, err);
    return code == ERR_OK ? count_new(db, order->queue == NULL ? "default" : order->queue, err) : code;
}

/* One job to wait for; *out_lost names it when it will not succeed any more. */
static enum err_code insert_after(struct db *db, int64_t id, int64_t after, int64_t *out_lost,
                                  struct err *err)
{
    struct job_row row;
    struct query *query;

    if (after == id || job_store_get(db, after, &row, NULL) != ERR_OK)
        return err_set_field(err, ERR_INVALID, "after", "there is no job %" PRId64 " to wait for", after);
    enum err_code code = db_query(
        db, "INSERT INTO job_after(job_id, after_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, after);
    code = query_run(query, err);
    if (code != ERR_OK || db_changes(db) == 0 || row.state == JOB_SUCCEEDED)
        return code;
    if (job_state_is_final(row.state))
        *out_lost = after;
    code = db_query(db, "UPDATE job SET waits = waits + 1 WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    return query_run(query, err);
}

static enum err_code insert_afters(struct db *db, const struct job_order *order, int64_t id, int64_t now_us,
                                   struct err *err)
{
    int64_t lost = 0;
    enum err_code code = ERR_OK;
    char reason[128];

    for (size_t index = 0; code == ERR_OK && index < order->after_count; index++)
        code = insert_after(db, id, order->after[index], &lost, err);
    if (code != ERR_OK || lost == 0)
        return code;
    (void)snprintf(reason, sizeof reason, "job %" PRId64 ", which it waits for, did not succeed", lost);
    struct job_change change = {.id = id,
                                .from = JOB_QUEUED,
                                .to = JOB_STOPPED,
                                .error = reason,
                                .who = order->who,
                                .now_us = now_us};
    return job_store_apply(db, &change, err);
}

static enum err_code insert_job(struct db *db, const struct job_order *order, int64_t now_us, int64_t *out_id,
                                bool *out_is_new, struct err *err)
{
    enum err_code code = check_order(order, err);
    if (code == ERR_OK)
        code = find_key(db, order, out_id, err);
    bool is_new = code == ERR_OK && *out_id == 0;
    if (is_new)
        code = insert_row(db, order, now_us, out_id, err);
    if (code == ERR_OK && is_new)
        code = insert_afters(db, order, *out_id, now_us, err);
    if (out_is_new != NULL)
        *out_is_new = is_new;
    return code;
}

enum err_code job_store_add_many(struct db *db, const struct job_order *orders, size_t count, int64_t now_us,
                                 int64_t *out_ids, bool *out_is_new, struct err *err)
{
    enum err_code code = db_begin(db, err);

    if (code != ERR_OK)
        return code;
    for (size_t index = 0; code == ERR_OK && index < count; index++)
        code = insert_job(db, &orders[index], now_us, &out_ids[index],
                          out_is_new == NULL ? NULL : &out_is_new[index], err);
    return job_store_end(db, code, err);
}

enum err_code job_store_add(struct db *db, const struct job_order *order, int64_t now_us, int64_t *out_id,
                            bool *out_is_new, struct err *err)
{
    return job_store_add_many(db, order, 1, now_us, out_id, out_is_new, err);
}
