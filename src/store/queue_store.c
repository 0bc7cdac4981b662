/* Queues in the store. */
#include "store/queue_store.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

#include <assert.h>

const char *queue_action_name(enum queue_action action)
{
    static const char *const names[QUEUE_ACTION_COUNT] = {
        [QUEUE_PAUSE] = "pause",
        [QUEUE_RESUME] = "resume",
        [QUEUE_STOP] = "stop",
        [QUEUE_FORCE_STOP] = "force-stop",
    };

    assert((unsigned)action < QUEUE_ACTION_COUNT);
    return names[action];
}

static enum err_code run_for_name(struct db *db, const char *sql, const char *name, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, sql, &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    return query_run(query, err);
}

enum err_code queue_store_open(struct db *db, const char *name, struct err *err)
{
    enum err_code code =
        run_for_name(db, "INSERT INTO queue(name) VALUES ($1) ON CONFLICT DO NOTHING", name, err);
    if (code != ERR_OK)
        return code;
    return run_for_name(
        db,
        "UPDATE queue SET queued = (SELECT count(*) FROM job WHERE queue = $1 AND state = 'queued'), "
        "running = (SELECT count(*) FROM job WHERE queue = $1 AND state IN ('running', 'stopping')) "
        "WHERE name = $1",
        name, err);
}

static void read_row(const struct query *query, struct queue_row *out)
{
    *out = (struct queue_row){
        .is_paused = query_i64(query, 1) != 0,
        .paused_us = query_is_null(query, 2) ? TIME_NONE : query_i64(query, 2),
        .queued = query_i64(query, 4),
        .running = query_i64(query, 5),
        .completed = query_i64(query, 6),
        .failed = query_i64(query, 7),
        .stopped = query_i64(query, 8),
        .usual_us = query_is_null(query, 9) ? TIME_NONE : query_i64(query, 9),
    };
    (void)text_copy(text_of(query_text(query, 0)), out->name, sizeof out->name);
    (void)text_copy(text_of(query_text(query, 3)), out->paused_by, sizeof out->paused_by);
}

enum err_code queue_store_get(struct db *db, const char *name, struct queue_row *out, struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code = db_query(db,
                                  "SELECT name, is_paused, paused_us, paused_by, queued, running, completed, "
                                  "failed, stopped, usual_us FROM queue WHERE name = $1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "there is no queue '%s'", name);
    read_row(query, out);
    query_reset(query);
    return ERR_OK;
}

static enum err_code set_paused(struct db *db, const char *name, bool is_paused, const char *who,
                                int64_t now_us, bool *out_has_changed, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "UPDATE queue SET is_paused = $2, paused_us = CASE WHEN $2 = 1 THEN $3 ELSE NULL END, "
                 "paused_by = CASE WHEN $2 = 1 THEN $4 ELSE '' END WHERE name = $1 AND is_paused <> $2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_i64(query, 2, is_paused);
    query_bind_i64(query, 3, now_us);
    query_bind_text(query, 4, who == NULL ? "" : who);
    code = query_run(query, err);
    *out_has_changed = db_changes(db) == 1;
    return code;
}

static enum err_code add_event(struct db *db, const char *name, enum queue_action action, const char *who,
                               const char *note, int64_t now_us, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db, "INSERT INTO queue_event(queue, at_us, action, who, note) VALUES ($1, $2, $3, $4, $5)",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_i64(query, 2, now_us);
    query_bind_text(query, 3, queue_action_name(action));
    query_bind_text(query, 4, who == NULL ? "" : who);
    query_bind_text(query, 5, note == NULL ? "" : note);
    return query_run(query, err);
}

enum err_code queue_store_act(struct db *db, const char *name, enum queue_action action, const char *who,
                              const char *note, int64_t now_us, bool *out_has_changed, struct err *err)
{
    bool has_changed = true;

    enum err_code code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    if (action == QUEUE_PAUSE || action == QUEUE_RESUME)
        code = set_paused(db, name, action == QUEUE_PAUSE, who, now_us, &has_changed, err);
    if (code == ERR_OK && has_changed)
        code = add_event(db, name, action, who, note, now_us, err);
    if (out_has_changed != NULL)
        *out_has_changed = has_changed;
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

static void write_event(const struct query *query, struct json_writer *writer)
{
    json_begin_object(writer);
    json_field_time(writer, "at", query_i64(query, 0));
    json_field_text(writer, "action", query_text(query, 1));
    json_field_text(writer, "who", query_text(query, 2));
    json_field_text(writer, "note", query_text(query, 3));
    json_end_object(writer);
}

enum err_code queue_store_events(struct db *db, const char *name, int64_t limit, struct buffer *out,
                                 struct err *err)
{
    struct query *query;
    struct json_writer writer;
    bool has_row = false;

    enum err_code code = db_query(
        db, "SELECT at_us, action, who, note FROM queue_event WHERE queue = $1 ORDER BY id DESC LIMIT $2",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_i64(query, 2, limit);
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        write_event(query, &writer);
    if (code != ERR_OK)
        return code;
    json_end_array(&writer);
    return buffer_check(out, "the events of a queue", err);
}
