/* The schedule in the store. Columns a user may leave as shipped are NULL; to the caller that is "" or -1. */
#include "store/schedule_store.h"

#include "base/text.h"
#include "base/time.h"

#include <string.h>

static int64_t time_at(const struct query *query, int column)
{
    return query_is_null(query, column) ? TIME_NONE : query_i64(query, column);
}

static void text_at(const struct query *query, int column, char *out, size_t out_bytes)
{
    (void)text_copy(text_of(query_text(query, column)), out, out_bytes);
}

static void bind_time(struct query *query, int index, int64_t time_us)
{
    if (time_us == TIME_NONE)
        query_bind_null(query, index);
    else
        query_bind_i64(query, index, time_us);
}

static void bind_text(struct query *query, int index, const char *text)
{
    query_bind_text(query, index, text[0] != '\0' ? text : NULL);
}

static void read_row(const struct query *query, struct schedule_row *out)
{
    out->is_enabled = query_i64(query, 0) != 0;
    text_at(query, 1, out->cron, sizeof(out->cron));
    text_at(query, 2, out->time_zone, sizeof(out->time_zone));
    text_at(query, 3, out->missed, sizeof(out->missed));
    text_at(query, 4, out->options, sizeof(out->options));
    out->jitter_s = query_is_null(query, 5) ? -1 : query_i64(query, 5);
    out->seen_us = time_at(query, 6);
    out->last_us = time_at(query, 7);
    out->last_duration_us = time_at(query, 8);
    text_at(query, 9, out->last_outcome, sizeof(out->last_outcome));
    text_at(query, 10, out->last_note, sizeof(out->last_note));
    out->last_job = query_i64(query, 11);
    out->runs = query_i64(query, 12);
    out->failures = query_i64(query, 13);
}

enum err_code schedule_store_get(struct db *db, const char *name, struct schedule_row *out, struct err *err)
{
    struct query *query;
    bool has_row = false;
    *out = (struct schedule_row){.is_enabled = true,
                                 .jitter_s = -1,
                                 .seen_us = TIME_NONE,
                                 .last_us = TIME_NONE,
                                 .last_duration_us = TIME_NONE};
    (void)text_copy(text_of(name), out->name, sizeof(out->name));
    enum err_code code =
        db_query(db,
                 "SELECT is_enabled, cron, time_zone, missed, options, jitter_s, seen_us, last_us, "
                 "last_duration_us, last_outcome, last_note, last_job, runs, failures FROM schedule "
                 "WHERE name = $1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && !has_row)
        return err_set(err, ERR_NOT_FOUND, "the schedule has no row '%s'", name);
    if (code == ERR_OK)
        read_row(query, out);
    query_reset(query);
    return code;
}

enum err_code schedule_store_set(struct db *db, const struct schedule_row *row, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "INSERT INTO schedule(name, is_enabled, cron, time_zone, missed, jitter_s, options, seen_us) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT(name) DO UPDATE SET "
        "is_enabled = excluded.is_enabled, cron = excluded.cron, time_zone = excluded.time_zone, "
        "missed = excluded.missed, jitter_s = excluded.jitter_s, options = excluded.options, "
        "seen_us = CASE WHEN schedule.seen_us > excluded.seen_us THEN schedule.seen_us "
        "ELSE excluded.seen_us END",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, row->name);
    query_bind_i64(query, 2, row->is_enabled ? 1 : 0);
    bind_text(query, 3, row->cron);
    bind_text(query, 4, row->time_zone);
    bind_text(query, 5, row->missed);
    bind_time(query, 6, row->jitter_s < 0 ? TIME_NONE : row->jitter_s);
    bind_text(query, 7, row->options);
    bind_time(query, 8, row->seen_us);
    return query_run(query, err);
}

static enum err_code write_state(struct db *db, const struct schedule_row *row, struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db,
                 "INSERT INTO schedule(name, seen_us, last_us, last_duration_us, last_outcome, last_note, "
                 "last_job, runs, failures) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                 "ON CONFLICT(name) DO UPDATE SET seen_us = excluded.seen_us, last_us = excluded.last_us, "
                 "last_duration_us = excluded.last_duration_us, last_outcome = excluded.last_outcome, "
                 "last_note = excluded.last_note, last_job = excluded.last_job, runs = excluded.runs, "
                 "failures = excluded.failures",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, row->name);
    bind_time(query, 2, row->seen_us);
    bind_time(query, 3, row->last_us);
    bind_time(query, 4, row->last_duration_us);
    query_bind_text(query, 5, row->last_outcome);
    query_bind_text(query, 6, row->last_note);
    query_bind_i64(query, 7, row->last_job);
    query_bind_i64(query, 8, row->runs);
    query_bind_i64(query, 9, row->failures);
    return query_run(query, err);
}

static void bind_run(struct query *query, const char *name, const struct schedule_run *run)
{
    query_bind_text(query, 1, name);
    query_bind_i64(query, 2, run->due_us);
    query_bind_i64(query, 3, run->job_id);
    bind_time(query, 4, run->started_us);
    bind_time(query, 5, run->ended_us);
    query_bind_text(query, 6, run->outcome);
    query_bind_text(query, 7, run->note);
}

/* Sweeps now and then only: a few rows more than SCHEDULE_RUNS_KEPT do no harm. */
static enum err_code forget_runs(struct db *db, const char *name, struct err *err)
{
    struct query *query;
    if (db_last_id(db) % 64 != 0)
        return ERR_OK;
    enum err_code code =
        db_query(db,
                 "DELETE FROM schedule_run WHERE name = $1 AND id <= "
                 "(SELECT id FROM schedule_run WHERE name = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_i64(query, 2, SCHEDULE_RUNS_KEPT);
    return query_run(query, err);
}

static enum err_code add_run(struct db *db, const char *name, const struct schedule_run *run, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db,
                                  "INSERT INTO schedule_run(name, due_us, job_id, started_us, ended_us, "
                                  "outcome, note) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    bind_run(query, name, run);
    code = query_run(query, err);
    return code == ERR_OK ? forget_runs(db, name, err) : code;
}

static enum err_code end_run(struct db *db, const struct schedule_run *run, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db,
                                  "UPDATE schedule_run SET started_us = $2, ended_us = $3, outcome = $4, "
                                  "note = $5 WHERE job_id = $1 AND job_id <> 0",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, run->job_id);
    bind_time(query, 2, run->started_us);
    bind_time(query, 3, run->ended_us);
    query_bind_text(query, 4, run->outcome);
    query_bind_text(query, 5, run->note);
    return query_run(query, err);
}

static enum err_code write_both(struct db *db, const struct schedule_row *row, const struct schedule_run *run,
                                bool is_end, struct err *err)
{
    enum err_code code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    code = write_state(db, row, err);
    if (code == ERR_OK && run != NULL)
        code = is_end ? end_run(db, run, err) : add_run(db, row->name, run, err);
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

enum err_code schedule_store_note(struct db *db, const struct schedule_row *row,
                                  const struct schedule_run *run, struct err *err)
{
    return write_both(db, row, run, false, err);
}

enum err_code schedule_store_end(struct db *db, const struct schedule_row *row,
                                 const struct schedule_run *run, struct err *err)
{
    return write_both(db, row, run, true, err);
}

static void read_run(const struct query *query, struct schedule_run *out)
{
    *out = (struct schedule_run){.due_us = query_i64(query, 0),
                                 .job_id = query_i64(query, 1),
                                 .started_us = time_at(query, 2),
                                 .ended_us = time_at(query, 3)};
    text_at(query, 4, out->outcome, sizeof(out->outcome));
    text_at(query, 5, out->note, sizeof(out->note));
}

enum err_code schedule_store_runs(struct db *db, const char *name, struct schedule_run *out, size_t *count,
                                  struct err *err)
{
    struct query *query;
    size_t filled = 0;
    bool has_row = true;
    enum err_code code = db_query(db,
                                  "SELECT due_us, job_id, started_us, ended_us, outcome, note "
                                  "FROM schedule_run WHERE name = $1 ORDER BY id DESC LIMIT $2",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_i64(query, 2, (int64_t)*count);
    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        read_run(query, &out[filled++]);
    query_reset(query);
    *count = filled;
    return code;
}
