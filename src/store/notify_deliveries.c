/* Deliveries and their attempts. */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "store/notify_store.h"

#include <assert.h>
#include <string.h>

static const char *const state_names[DELIVERY_STATE_COUNT] = {"waiting", "delivered", "given_up"};

const char *delivery_state_name(enum delivery_state state)
{
    assert((unsigned)state < DELIVERY_STATE_COUNT);
    return state_names[state];
}

int delivery_state_find(const char *name)
{
    for (int state = 0; state < DELIVERY_STATE_COUNT; state++) {
        if (strcmp(state_names[state], name) == 0)
            return state;
    }
    return -1;
}

#define DELIVERY_COLUMNS                                                                                     \
    "SELECT d.id, d.notification_id, d.webhook_id, d.channel, d.state, n.event, d.target, d.attempts, "      \
    "d.due_us, d.created_us, d.ended_us, d.status, d.error FROM delivery AS d "                              \
    "JOIN notification AS n ON n.id = d.notification_id "

static void read_row(const struct query *query, struct delivery_row *out)
{
    int state = delivery_state_find(query_text(query, 4));

    assert(state >= 0); /* the table's CHECK lets nothing else in */
    *out = (struct delivery_row){.id = query_i64(query, 0),
                                 .notification_id = query_i64(query, 1),
                                 .webhook_id = query_i64(query, 2),
                                 .is_mail = strcmp(query_text(query, 3), "mail") == 0,
                                 .state = (enum delivery_state)state,
                                 .attempts = query_i64(query, 7),
                                 .due_us = query_i64(query, 8),
                                 .created_us = query_i64(query, 9),
                                 .ended_us = query_is_null(query, 10) ? TIME_NONE : query_i64(query, 10),
                                 .status = query_i64(query, 11)};
    (void)text_copy(text_of(query_text(query, 5)), out->event, sizeof out->event);
    (void)text_copy(text_of(query_text(query, 6)), out->target, sizeof out->target);
    (void)text_copy(text_of(query_text(query, 12)), out->error, sizeof out->error);
}

static enum err_code read_rows(struct query *query, struct delivery_row *out, size_t *count, struct err *err)
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

enum err_code notify_store_delivery(struct db *db, int64_t id, struct delivery_row *out, struct err *err)
{
    struct query *query;
    size_t count = 1;

    enum err_code code = db_query(db, DELIVERY_COLUMNS "WHERE d.id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    code = read_rows(query, out, &count, err);
    if (code == ERR_OK && count == 0)
        code = err_set(err, ERR_NOT_FOUND, "there is no delivery %lld", (long long)id);
    return code;
}

enum err_code notify_store_due(struct db *db, int64_t now_us, struct delivery_row *out, size_t *count,
                               struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 DELIVERY_COLUMNS "WHERE d.id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY "
                                  "channel, webhook_id ORDER BY due_us, id) AS place FROM delivery "
                                  "WHERE state = 'waiting' AND due_us <= $1) WHERE place = 1) "
                                  "ORDER BY d.webhook_id LIMIT $2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, now_us);
    query_bind_i64(query, 2, (int64_t)*count);
    return read_rows(query, out, count, err);
}

enum err_code notify_store_deliveries(struct db *db, int state, int64_t before, struct delivery_row *out,
                                      size_t *count, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 DELIVERY_COLUMNS "WHERE ($1 = '' OR d.state = $1) AND ($2 = 0 OR d.id < $2) "
                                  "ORDER BY d.id DESC LIMIT $3",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, state < 0 ? "" : state_names[state]);
    query_bind_i64(query, 2, before);
    query_bind_i64(query, 3, (int64_t)*count);
    return read_rows(query, out, count, err);
}

enum err_code notify_store_payload(struct db *db, int64_t notification_id, struct buffer *out,
                                   struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code =
        db_query(db, "SELECT payload FROM notification WHERE id = $1 AND payload IS NOT NULL", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, notification_id);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "notification %lld has no payload", (long long)notification_id);
    buffer_append_text(out, query_text(query, 0));
    query_reset(query);
    return buffer_check(out, "a notification", err);
}

/* ---- attempts ---- */

static enum err_code insert_attempt(struct db *db, const struct attempt_row *attempt, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "INSERT INTO delivery_attempt(delivery_id, at_us, status, error, took_ms) "
                                  "VALUES ($1, $2, $3, $4, $5)",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, attempt->delivery_id);
    query_bind_i64(query, 2, attempt->at_us);
    query_bind_i64(query, 3, attempt->status);
    query_bind_text(query, 4, attempt->error);
    query_bind_i64(query, 5, attempt->took_ms);
    return query_run(query, err);
}

static enum err_code update_delivery(struct db *db, const struct attempt_row *attempt,
                                     enum delivery_state state, int64_t due_us, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "UPDATE delivery SET attempts = attempts + 1, status = $2, error = $3, state = $4, "
                 "due_us = $5, ended_us = $6 WHERE id = $1 AND state = 'waiting'",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, attempt->delivery_id);
    query_bind_i64(query, 2, attempt->status);
    query_bind_text(query, 3, attempt->error);
    query_bind_text(query, 4, delivery_state_name(state));
    query_bind_i64(query, 5, due_us);
    if (state == DELIVERY_WAITING)
        query_bind_null(query, 6);
    else
        query_bind_i64(query, 6, attempt->at_us);
    return query_run(query, err);
}

enum err_code notify_store_attempt(struct db *db, const struct attempt_row *attempt,
                                   enum delivery_state state, int64_t due_us, struct err *err)
{
    enum err_code code = db_begin(db, err);

    if (code != ERR_OK)
        return code;
    code = insert_attempt(db, attempt, err);
    if (code == ERR_OK)
        code = update_delivery(db, attempt, state, due_us, err);
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

enum err_code notify_store_attempts(struct db *db, int64_t delivery_id, struct buffer *out, struct err *err)
{
    struct query *query;
    struct json_writer writer;
    bool has_row = false;

    enum err_code code = db_query(
        db, "SELECT at_us, status, error, took_ms FROM delivery_attempt WHERE delivery_id = $1 ORDER BY id",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, delivery_id);
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        const char *error = query_text(query, 2);
        json_begin_object(&writer);
        json_field_time(&writer, "at", query_i64(query, 0));
        if (query_i64(query, 1) != 0)
            json_field_i64(&writer, "status", query_i64(query, 1));
        else
            json_field_null(&writer, "status");
        json_field_text_or_null(&writer, "error", error);
        json_field_i64(&writer, "took_ms", query_i64(query, 3));
        json_end_object(&writer);
    }
    if (code != ERR_OK)
        return code;
    json_end_array(&writer);
    return buffer_check(out, "the attempts of a delivery", err);
}

/* ---- forgetting ---- */

static enum err_code forget(struct db *db, int64_t before_us, struct err *err)
{
    static const char *const steps[] = {
        "DELETE FROM delivery_attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE created_us < $1 "
        "AND state <> 'waiting')",
        "DELETE FROM delivery WHERE created_us < $1 AND state <> 'waiting'",
        "DELETE FROM notification WHERE at_us < $1 AND is_spread = 1 AND NOT EXISTS "
        "(SELECT 1 FROM delivery AS d WHERE d.notification_id = notification.id)"};
    enum err_code code = ERR_OK;

    for (size_t index = 0; code == ERR_OK && index < sizeof steps / sizeof steps[0]; index++) {
        struct query *query;
        code = db_query(db, steps[index], &query, err);
        if (code != ERR_OK)
            break;
        query_bind_i64(query, 1, before_us);
        code = query_run(query, err);
    }
    return code;
}

enum err_code notify_store_forget(struct db *db, int64_t before_us, struct err *err)
{
    enum err_code code = db_begin(db, err);

    if (code != ERR_OK)
        return code;
    code = forget(db, before_us, err);
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}
