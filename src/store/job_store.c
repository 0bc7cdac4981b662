/* Jobs in the store. The state is text in the row, so that the file can be read by hand; a change of state is an UPDATE
 * that names the old state and an event row, in one transaction. */
#include "store/job_store.h"

#include "base/text.h"
#include "base/time.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char *const state_names[JOB_STATE_COUNT] = {
    [JOB_QUEUED] = "queued",       [JOB_RUNNING] = "running", [JOB_STOPPING] = "stopping",
    [JOB_SUCCEEDED] = "succeeded", [JOB_FAILED] = "failed",   [JOB_STOPPED] = "stopped",
};

const char *job_state_name(enum job_state state)
{
    assert((unsigned)state < JOB_STATE_COUNT);
    return state_names[state];
}

bool job_state_is_final(enum job_state state)
{
    return state == JOB_SUCCEEDED || state == JOB_FAILED || state == JOB_STOPPED;
}

/* ---- reading ---- */

#define COLUMNS                                                                                              \
    "id, task, state, attempt, pid, process, created_us, started_us, ended_us, progress_done, "              \
    "progress_total, "                                                                                       \
    "phase, error"

static enum job_state state_of(const char *name)
{
    int state = 0;

    while (state < JOB_STATE_COUNT && strcmp(state_names[state], name) != 0)
        state++;
    assert(state < JOB_STATE_COUNT); /* the table's CHECK lets nothing else in */
    return (enum job_state)state;
}

static int64_t time_at(const struct query *query, int column)
{
    return query_is_null(query, column) ? TIME_NONE : query_i64(query, column);
}

static void copy_text(const struct query *query, int column, char *out, size_t out_bytes)
{
    (void)text_copy(text_of(query_text(query, column)), out, out_bytes);
}

static void read_row(const struct query *query, struct job_row *out)
{
    *out = (struct job_row){
        .id = query_i64(query, 0),
        .state = state_of(query_text(query, 2)),
        .attempt = query_i64(query, 3),
        .pid = query_i64(query, 4),
        .created_us = query_i64(query, 6),
        .started_us = time_at(query, 7),
        .ended_us = time_at(query, 8),
        .progress_done = query_i64(query, 9),
        .progress_total = query_i64(query, 10),
    };
    copy_text(query, 1, out->task, sizeof out->task);
    copy_text(query, 5, out->process, sizeof out->process);
    copy_text(query, 11, out->phase, sizeof out->phase);
    copy_text(query, 12, out->error, sizeof out->error);
}

static enum err_code read_rows(struct query *query, struct job_row *out, size_t *count, struct err *err)
{
    bool has_row = true;
    size_t filled = 0;
    enum err_code code = ERR_OK;

    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        read_row(query, &out[filled++]);
    query_reset(query);
    *count = filled;
    return code;
}

static enum err_code refuse_unknown(int64_t id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no job %" PRId64, id);
}

enum err_code job_store_get(struct db *db, int64_t id, struct job_row *out, struct err *err)
{
    struct query *query;
    size_t count = 1;

    enum err_code code = db_query(db, "SELECT " COLUMNS " FROM job WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    code = read_rows(query, out, &count, err);
    return code == ERR_OK && count == 0 ? refuse_unknown(id, err) : code;
}

enum err_code job_store_list(struct db *db, int64_t before_id, struct job_row *out, size_t *count,
                             struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "SELECT " COLUMNS " FROM job WHERE $1 = 0 OR id < $1 ORDER BY id DESC LIMIT $2", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, before_id);
    query_bind_i64(query, 2, (int64_t)*count);
    return read_rows(query, out, count, err);
}

enum err_code job_store_unfinished(struct db *db, int64_t after_id, struct job_row *out, size_t *count,
                                   struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "SELECT " COLUMNS " FROM job WHERE state IN ('running', 'stopping') AND id > $1 "
                 "ORDER BY id LIMIT $2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, after_id);
    query_bind_i64(query, 2, (int64_t)*count);
    return read_rows(query, out, count, err);
}

enum err_code job_store_next(struct db *db, int64_t *out_id, struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code =
        db_query(db, "SELECT id FROM job WHERE state = 'queued' ORDER BY id LIMIT 1", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "no job is queued");
    *out_id = query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

/* The first column of the job's row; query has the id as $1. */
static enum err_code append_column(struct query *query, int64_t id, const char *what, struct buffer *out,
                                   struct err *err)
{
    bool has_row = false;

    query_bind_i64(query, 1, id);
    enum err_code code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return refuse_unknown(id, err);
    buffer_append_text(out, query_text(query, 0));
    query_reset(query);
    return buffer_check(out, what, err);
}

enum err_code job_store_request(struct db *db, int64_t id, struct buffer *out, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, "SELECT request FROM job WHERE id = $1", &query, err);
    return code == ERR_OK ? append_column(query, id, "the request of a job", out, err) : code;
}

enum err_code job_store_count(struct db *db, int64_t out[JOB_STATE_COUNT], struct err *err)
{
    struct query *query;
    bool has_row;

    memset(out, 0, JOB_STATE_COUNT * sizeof *out);
    enum err_code code = db_query(db, "SELECT state, count(*) FROM job GROUP BY state", &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        out[state_of(query_text(query, 0))] = query_i64(query, 1);
    return code;
}

enum err_code job_store_result(struct db *db, int64_t id, struct buffer *out, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, "SELECT result FROM job WHERE id = $1", &query, err);
    return code == ERR_OK ? append_column(query, id, "the result of a job", out, err) : code;
}

static void write_event(const struct query *query, struct json_writer *writer)
{
    char at[TIME_TEXT_BYTES];

    time_format_iso(query_i64(query, 0), at);
    json_begin_object(writer);
    json_field_text(writer, "at", at);
    json_field_text(writer, "from", query_is_null(query, 1) ? NULL : query_text(query, 1));
    json_field_text(writer, "to", query_text(query, 2));
    json_field_i64(writer, "attempt", query_i64(query, 3));
    json_field_text(writer, "note", query_text(query, 4));
    json_end_object(writer);
}

enum err_code job_store_events(struct db *db, int64_t id, struct buffer *out, struct err *err)
{
    struct query *query;
    struct json_writer writer;
    bool has_row = false;

    enum err_code code = db_query(
        db, "SELECT at_us, from_state, to_state, attempt, note FROM job_event WHERE job_id = $1 ORDER BY id",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        write_event(query, &writer);
    if (code != ERR_OK)
        return code;
    json_end_array(&writer);
    return buffer_check(out, "the events of a job", err);
}

/* ---- writing ---- */

/* The attempt is that of the row after the change. from NULL: the job is new. */
static enum err_code add_event(struct db *db, int64_t id, const char *from, const char *to, const char *note,
                               int64_t now_us, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "INSERT INTO job_event(job_id, at_us, from_state, to_state, attempt, note) "
                                  "SELECT id, $2, $3, $4, attempt, $5 FROM job WHERE id = $1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, now_us);
    query_bind_text(query, 3, from);
    query_bind_text(query, 4, to);
    query_bind_text(query, 5, note == NULL ? "" : note);
    return query_run(query, err);
}

static enum err_code end_transaction(struct db *db, enum err_code code, struct err *err)
{
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

static enum err_code insert_job(struct db *db, const char *task, const char *request_json, int64_t now_us,
                                int64_t *out_id, struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code = db_query(
        db, "INSERT INTO job(task, request, state, created_us) VALUES ($1, $2, 'queued', $3) RETURNING id",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, task);
    query_bind_text(query, 2, request_json);
    query_bind_i64(query, 3, now_us);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    assert(has_row);
    *out_id = query_i64(query, 0);
    query_reset(query);
    return add_event(db, *out_id, NULL, "queued", NULL, now_us, err);
}

enum err_code job_store_add(struct db *db, const char *task, const char *request_json, int64_t now_us,
                            int64_t *out_id, struct err *err)
{
    enum err_code code = db_begin(db, err);

    if (code != ERR_OK)
        return code;
    return end_transaction(db, insert_job(db, task, request_json, now_us, out_id, err), err);
}

struct change {
    int64_t id, pid, now_us;
    enum job_state from, to;
    const char *process, *error, *result;
};

static void bind_change(struct query *query, const struct change *change)
{
    query_bind_i64(query, 1, change->id);
    query_bind_text(query, 2, job_state_name(change->from));
    query_bind_text(query, 3, job_state_name(change->to));
    query_bind_i64(query, 4, change->pid);
    query_bind_text(query, 5, change->error == NULL ? "" : change->error);
    query_bind_text(query, 6, change->result);
    query_bind_i64(query, 7, change->now_us);
    query_bind_text(query, 8, change->process);
}

/* Nothing was changed: says why. */
static enum err_code refuse_change(struct db *db, const struct change *change, struct err *err)
{
    struct job_row row;

    enum err_code code = job_store_get(db, change->id, &row, err);
    if (code != ERR_OK)
        return code;
    return err_set(err, ERR_CONFLICT, "job %" PRId64 " is %s, not %s", change->id, job_state_name(row.state),
                   job_state_name(change->from));
}

static enum err_code update_job(struct db *db, const struct change *change, struct err *err)
{
    struct query *query;

    /* progress stays as it was at the end, and begins anew with an attempt */
    enum err_code code = db_query(
        db,
        "UPDATE job SET state = $3, pid = $4, error = $5, result = $6, process = coalesce($8, process), "
        "attempt = attempt + CASE WHEN $3 = 'running' THEN 1 ELSE 0 END, "
        "started_us = CASE WHEN $3 = 'running' THEN $7 WHEN $3 = 'queued' THEN NULL ELSE started_us END, "
        "ended_us = CASE WHEN $3 IN ('succeeded', 'failed', 'stopped') THEN $7 ELSE NULL END, "
        "progress_done = CASE WHEN $3 IN ('queued', 'running') THEN 0 ELSE progress_done END, "
        "progress_total = CASE WHEN $3 IN ('queued', 'running') THEN 0 ELSE progress_total END, "
        "phase = CASE WHEN $3 IN ('queued', 'running') THEN '' ELSE phase END "
        "WHERE id = $1 AND state = $2",
        &query, err);
    if (code != ERR_OK)
        return code;
    bind_change(query, change);
    code = query_run(query, err);
    if (code != ERR_OK)
        return code;
    return db_changes(db) == 1 ? ERR_OK : refuse_change(db, change, err);
}

static enum err_code move(struct db *db, const struct change *change, struct err *err)
{
    enum err_code code = db_begin(db, err);

    if (code != ERR_OK)
        return code;
    code = update_job(db, change, err);
    if (code == ERR_OK)
        code = add_event(db, change->id, job_state_name(change->from), job_state_name(change->to),
                         change->error, change->now_us, err);
    return end_transaction(db, code, err);
}

enum err_code job_store_move(struct db *db, int64_t id, enum job_state from, enum job_state to, int64_t pid,
                             const char *error, const char *result_json, int64_t now_us, struct err *err)
{
    struct change change = {.id = id, .pid = pid, .now_us = now_us, .from = from, .to = to, .error = error};

    change.result = result_json;
    change.process = to == JOB_STOPPING ? NULL : "";
    return move(db, &change, err);
}

enum err_code job_store_start(struct db *db, int64_t id, int64_t pid, const char *process, int64_t now_us,
                              struct err *err)
{
    struct change change = {
        .id = id, .pid = pid, .now_us = now_us, .from = JOB_QUEUED, .to = JOB_RUNNING, .process = process};

    return move(db, &change, err);
}

enum err_code job_store_progress(struct db *db, int64_t id, const char *phase, int64_t done, int64_t total,
                                 struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "UPDATE job SET phase = $2, progress_done = $3, progress_total = $4 WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_text(query, 2, phase);
    query_bind_i64(query, 3, done);
    query_bind_i64(query, 4, total);
    code = query_run(query, err);
    return code == ERR_OK && db_changes(db) == 0 ? refuse_unknown(id, err) : code;
}

enum err_code job_store_recover(struct db *db, int64_t now_us, size_t *out_count, struct err *err)
{
    static const char note[] = "the server ended while the job ran";
    struct job_row row;
    int64_t after_id = 0;

    *out_count = 0;
    for (;;) {
        size_t count = 1;
        enum err_code code = job_store_unfinished(db, after_id, &row, &count, err);
        if (code != ERR_OK || count == 0)
            return code;
        struct change change = {.id = row.id, .now_us = now_us, .from = row.state, .process = ""};
        change.to = row.state == JOB_STOPPING ? JOB_STOPPED : JOB_QUEUED;
        change.error = note;
        code = move(db, &change, err);
        if (code != ERR_OK)
            return code;
        after_id = row.id;
        ++*out_count;
    }
}
