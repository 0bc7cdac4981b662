/* Jobs in the store, reading. The state is text in the row, so that the file can be read by hand. What writes is
 * job_store_write.c (one job) and job_store_sweep.c (many). */
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

bool job_state_find(const char *name, enum job_state *out)
{
    for (int state = 0; state < JOB_STATE_COUNT; state++) {
        if (strcmp(state_names[state], name) == 0) {
            *out = (enum job_state)state;
            return true;
        }
    }
    return false;
}

bool job_state_is_final(enum job_state state)
{
    return state == JOB_SUCCEEDED || state == JOB_FAILED || state == JOB_STOPPED;
}

/* ---- reading ---- */

#define COLUMNS                                                                                              \
    "id, task, state, attempt, pid, process, created_us, started_us, ended_us, progress_done, "              \
    "progress_total, phase, error, queue, priority, max_attempts, failures, not_before_us, waits, lease, "   \
    "key, who, batch, label, eta_us, epoch, epochs, loss, best, has_warning"

static enum job_state state_of(const char *name)
{
    enum job_state state = JOB_QUEUED;
    bool is_known = job_state_find(name, &state);

    assert(is_known); /* the table's CHECK lets nothing else in */
    (void)is_known;
    return state;
}

static int64_t time_at(const struct query *query, int column)
{
    return query_is_null(query, column) ? TIME_NONE : query_i64(query, column);
}

static void copy_text(const struct query *query, int column, char *out, size_t out_bytes)
{
    (void)text_copy(text_of(query_text(query, column)), out, out_bytes);
}

static void read_texts(const struct query *query, struct job_row *out)
{
    copy_text(query, 1, out->task, sizeof out->task);
    copy_text(query, 5, out->process, sizeof out->process);
    copy_text(query, 11, out->phase, sizeof out->phase);
    copy_text(query, 12, out->error, sizeof out->error);
    copy_text(query, 13, out->queue, sizeof out->queue);
    copy_text(query, 19, out->lease, sizeof out->lease);
    copy_text(query, 20, out->key, sizeof out->key);
    copy_text(query, 21, out->who, sizeof out->who);
    copy_text(query, 22, out->batch, sizeof out->batch);
    copy_text(query, 23, out->label, sizeof out->label);
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
        .priority = query_i64(query, 14),
        .max_attempts = query_i64(query, 15),
        .failures = query_i64(query, 16),
        .not_before_us = time_at(query, 17),
        .waits = query_i64(query, 18),
        .eta_us = time_at(query, 24),
        .epoch = query_i64(query, 25),
        .epochs = query_i64(query, 26),
        .loss = query_f64(query, 27),
        .best = query_f64(query, 28),
        .has_warning = query_i64(query, 29) != 0,
    };
    read_texts(query, out);
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

/* Everything that is unset matches. The condition of each kind is the one that has an index with the ids in order. */
#define FIND(condition)                                                                                      \
    "SELECT " COLUMNS " FROM job WHERE ($1 = 0 OR id < $1) AND ($3 IS NULL OR state = $3) "                  \
    "AND ($4 IS NULL OR queue = $4) AND ($5 IS NULL OR task = $5) " condition " ORDER BY id DESC LIMIT $2"

static const char *choose_find(const struct job_filter *filter)
{
    bool is_ended = filter->state < 0 || job_state_is_final((enum job_state)filter->state); /* or any */

    if (filter->batch != NULL)
        return FIND("AND batch = $6 AND batch <> ''");
    if (filter->task != NULL)
        return FIND("AND task = $5");
    if (filter->queue != NULL && is_ended) /* what has not ended is little */
        return FIND("AND queue = $4");
    return filter->state >= 0 ? FIND("AND state = $3") : FIND("");
}

enum err_code job_store_find(struct db *db, const struct job_filter *filter, struct job_row *out,
                             size_t *count, struct err *err)
{
    struct query *query;
    const char *state = filter->state >= 0 ? job_state_name((enum job_state)filter->state) : NULL;

    enum err_code code = db_query(db, choose_find(filter), &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, filter->before_id);
    query_bind_i64(query, 2, (int64_t)*count);
    query_bind_text(query, 3, state);
    query_bind_text(query, 4, filter->queue);
    query_bind_text(query, 5, filter->task);
    if (filter->batch != NULL)
        query_bind_text(query, 6, filter->batch);
    return read_rows(query, out, count, err);
}

enum err_code job_store_list(struct db *db, int64_t before_id, struct job_row *out, size_t *count,
                             struct err *err)
{
    struct job_filter filter = {.before_id = before_id, .state = -1};

    return job_store_find(db, &filter, out, count, err);
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

/* A number of the first row; *out stays when there is none, or it is NULL. */
static enum err_code read_number(struct query *query, int64_t *out, bool *out_found, struct err *err)
{
    bool has_row = false;

    *out_found = false;
    enum err_code code = query_next(query, &has_row, err);
    if (code != ERR_OK || !has_row)
        return code;
    *out_found = !query_is_null(query, 0);
    if (*out_found)
        *out = query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

enum err_code job_store_next(struct db *db, const char *queue, int64_t now_us, int64_t *out_id,
                             struct err *err)
{
    struct query *query;
    bool is_found = false;

    enum err_code code = db_query(db,
                                  "SELECT id FROM job WHERE state = 'queued' AND queue = $1 AND waits = 0 "
                                  "AND (not_before_us IS NULL OR not_before_us <= $2) "
                                  "ORDER BY priority DESC, id LIMIT 1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, queue);
    query_bind_i64(query, 2, now_us);
    code = read_number(query, out_id, &is_found, err);
    if (code == ERR_OK && !is_found)
        return err_set(err, ERR_NOT_FOUND, "no job is ready in the queue '%s'", queue);
    return code;
}

enum err_code job_store_next_due(struct db *db, const char *queue, int64_t now_us, int64_t *out_us,
                                 struct err *err)
{
    struct query *query;
    bool is_found = false;

    *out_us = TIME_NONE;
    enum err_code code = db_query(db,
                                  "SELECT min(not_before_us) FROM job WHERE state = 'queued' AND queue = $1 "
                                  "AND waits = 0 AND not_before_us > $2",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, queue);
    query_bind_i64(query, 2, now_us);
    return read_number(query, out_us, &is_found, err);
}

enum err_code job_store_newest_event(struct db *db, int64_t *out, struct err *err)
{
    struct query *query;
    bool is_found = false;

    *out = 0;
    enum err_code code = db_query(db, "SELECT max(id) FROM job_event", &query, err);
    return code == ERR_OK ? read_number(query, out, &is_found, err) : code;
}

/* Two columns of numbers. */
static enum err_code read_pairs(struct query *query, int64_t *first, int64_t *last_second, size_t *count,
                                struct err *err)
{
    bool has_row = true;
    size_t filled = 0;
    enum err_code code = ERR_OK;

    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        first[filled++] = query_i64(query, 0);
        *last_second = query_i64(query, 1);
    }
    query_reset(query);
    *count = filled;
    return code;
}

enum err_code job_store_news(struct db *db, int64_t *event_id, int64_t *out_ids, size_t *count,
                             struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db, "SELECT job_id, id FROM job_event WHERE id > $1 ORDER BY id LIMIT $2", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, *event_id);
    query_bind_i64(query, 2, (int64_t)*count);
    return read_pairs(query, out_ids, event_id, count, err);
}

enum err_code job_store_after(struct db *db, int64_t id, int64_t out[JOB_AFTER_MAX], size_t *count,
                              struct err *err)
{
    struct query *query;
    int64_t unused;

    *count = JOB_AFTER_MAX;
    enum err_code code = db_query(
        db, "SELECT after_id, job_id FROM job_after WHERE job_id = $1 ORDER BY after_id", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    return read_pairs(query, out, &unused, count, err);
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
    json_begin_object(writer);
    json_field_time(writer, "at", query_i64(query, 0));
    json_field_text(writer, "from", query_is_null(query, 1) ? NULL : query_text(query, 1));
    json_field_text(writer, "to", query_text(query, 2));
    json_field_i64(writer, "attempt", query_i64(query, 3));
    json_field_text(writer, "who", query_text(query, 5));
    json_field_text(writer, "note", query_text(query, 4));
    json_end_object(writer);
}

enum err_code job_store_events(struct db *db, int64_t id, struct buffer *out, struct err *err)
{
    struct query *query;
    struct json_writer writer;
    bool has_row = false;

    enum err_code code =
        db_query(db,
                 "SELECT at_us, from_state, to_state, attempt, note, who FROM (SELECT * FROM "
                 "job_event WHERE job_id = $1 ORDER BY id DESC LIMIT $2) ORDER BY id",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, JOB_EVENTS_MAX);
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        write_event(query, &writer);
    if (code != ERR_OK)
        return code;
    json_end_array(&writer);
    return buffer_check(out, "the events of a job", err);
}
