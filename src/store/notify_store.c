/* Webhooks and the outbox. Deliveries are in notify_deliveries.c. */
#include "store/notify_store.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void copy(const struct query *query, int column, char *out, size_t out_bytes)
{
    (void)text_copy(text_of(query_text(query, column)), out, out_bytes);
}

static enum err_code end(struct db *db, enum err_code code, struct err *err)
{
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

/* ---- webhooks ---- */

static enum err_code count_webhooks(struct db *db, int64_t *out, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(db, "SELECT count(*) FROM webhook", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out = query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

static enum err_code insert_webhook(struct db *db, const struct webhook_row *row, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "INSERT INTO webhook(url, secret, events, note, who, created_us) VALUES ($1, $2, $3, $4, $5, $6)",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, row->url);
    query_bind_text(query, 2, row->secret);
    query_bind_text(query, 3, row->events);
    query_bind_text(query, 4, row->note);
    query_bind_text(query, 5, row->who);
    query_bind_i64(query, 6, row->created_us);
    return query_run(query, err);
}

enum err_code notify_store_add_webhook(struct db *db, const struct webhook_row *row, int64_t *out_id,
                                       struct err *err)
{
    int64_t count = 0;

    enum err_code code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    code = count_webhooks(db, &count, err);
    if (code == ERR_OK && count >= NOTIFY_WEBHOOKS_MAX)
        code = err_set(err, ERR_CONFLICT, "there are %d webhooks already; delete one", NOTIFY_WEBHOOKS_MAX);
    if (code == ERR_OK)
        code = insert_webhook(db, row, err);
    *out_id = db_last_id(db);
    return end(db, code, err);
}

/* Of a bound query over id, url, secret, events, note, who, created_us. */
static enum err_code read_webhooks(struct query *query, struct webhook_row *out, size_t *count,
                                   struct err *err)
{
    bool has_row = true;
    size_t filled = 0;
    enum err_code code = ERR_OK;

    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        struct webhook_row *row = &out[filled++];
        *row = (struct webhook_row){.id = query_i64(query, 0), .created_us = query_i64(query, 6)};
        copy(query, 1, row->url, sizeof row->url);
        copy(query, 2, row->secret, sizeof row->secret);
        copy(query, 3, row->events, sizeof row->events);
        copy(query, 4, row->note, sizeof row->note);
        copy(query, 5, row->who, sizeof row->who);
    }
    query_reset(query);
    *count = filled;
    return code;
}

enum err_code notify_store_webhooks(struct db *db, struct webhook_row *out, size_t *count, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "SELECT id, url, secret, events, note, who, created_us FROM webhook ORDER BY id", &query, err);
    return code == ERR_OK ? read_webhooks(query, out, count, err) : code;
}

static enum err_code refuse_webhook(int64_t id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no webhook %lld", (long long)id);
}

enum err_code notify_store_webhook(struct db *db, int64_t id, struct webhook_row *out, struct err *err)
{
    struct query *query;
    size_t count = 1;

    enum err_code code = db_query(
        db, "SELECT id, url, secret, events, note, who, created_us FROM webhook WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    code = read_webhooks(query, out, &count, err);
    return code == ERR_OK && count == 0 ? refuse_webhook(id, err) : code;
}

static enum err_code remove_webhook(struct db *db, int64_t id, int64_t now_us, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, "DELETE FROM webhook WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    code = query_run(query, err);
    if (code == ERR_OK && db_changes(db) == 0)
        return refuse_webhook(id, err);
    if (code == ERR_OK)
        code = db_query(db,
                        "UPDATE delivery SET state = 'given_up', error = 'the webhook was deleted', "
                        "ended_us = $2 WHERE webhook_id = $1 AND state = 'waiting'",
                        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_i64(query, 2, now_us);
    return query_run(query, err);
}

enum err_code notify_store_remove_webhook(struct db *db, int64_t id, int64_t now_us, struct err *err)
{
    enum err_code code = db_begin(db, err);

    return code == ERR_OK ? end(db, remove_webhook(db, id, now_us, err), err) : code;
}

/* ---- outbox ---- */

enum err_code notify_store_add(struct db *db, const char *event, const char *data, const char *key,
                               int64_t webhook_id, int64_t now_us, int64_t *out_id, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "INSERT INTO notification(event, at_us, data, key, webhook_id) "
                                  "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, event);
    query_bind_i64(query, 2, now_us);
    query_bind_text(query, 3, data);
    query_bind_text(query, 4, key);
    query_bind_i64(query, 5, webhook_id);
    code = query_run(query, err);
    if (out_id != NULL)
        *out_id = code == ERR_OK && db_changes(db) == 1 ? db_last_id(db) : 0;
    return code;
}

enum err_code notify_store_next(struct db *db, struct notification_row *out, struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code = db_query(
        db, "SELECT id, at_us, webhook_id, event FROM notification WHERE is_spread = 0 ORDER BY id LIMIT 1",
        &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "nothing new has happened");
    *out = (struct notification_row){
        .id = query_i64(query, 0), .at_us = query_i64(query, 1), .webhook_id = query_i64(query, 2)};
    copy(query, 3, out->event, sizeof out->event);
    query_reset(query);
    return ERR_OK;
}

static void write_raw(struct json_writer *out, const char *key, const char *json)
{
    json_key(out, key);
    if (json[0] != '\0')
        json_put_raw(out, json, strlen(json));
    else
        json_put_null(out);
}

static void write_text(struct json_writer *out, const char *key, const struct query *query, int column)
{
    json_field_text(out, key, query_is_null(query, column) ? NULL : query_text(query, column));
}

static void write_job(const struct query *query, struct json_writer *out)
{
    static const char *const keys[] = {"task",    "label", "state",   "who",  "subject",
                                       "variant", "bot",   "version", "stage"};
    json_field_i64(out, "job_id", query_i64(query, 0));
    for (int column = 1; column <= 9; column++)
        write_text(out, keys[column - 1], query, column);
    json_field_text_or_null(out, "error", query_text(query, 10));
    json_field_f64(out, "duration_s",
                   query_is_null(query, 11) ? NAN : (double)query_i64(query, 11) / TIME_SECOND_US);
    json_field_f64(out, "brier", query_f64(query, 12));
    write_raw(out, "options", query_text(query, 13));
}

static void write_move(const struct query *query, struct json_writer *out)
{
    static const char *const keys[] = {"subject", "variant", "bot", "version", "from", "who", "why"};
    for (int column = 0; column < 7; column++)
        write_text(out, keys[column], query, column);
    json_field_bool(out, "rollback", query_i64(query, 7) != 0);
    json_field_f64(out, "brier", query_f64(query, 8));
}

static void write_check(const struct query *query, struct json_writer *out)
{
    static const char *const texts[] = {"subject", "variant", "bot", "version"};
    static const char *const numbers[] = {"psi_max", "share_drifted", "loss", "page_hinkley"};
    for (int column = 0; column < 4; column++)
        write_text(out, texts[column], query, column);
    for (int column = 4; column < 8; column++)
        json_field_f64(out, numbers[column - 4], query_f64(query, column));
}

/* Appends the object that `write` makes of the one row of a query; nothing when there is no row. */
static enum err_code write_row(struct db *db, const char *sql, int64_t id,
                               void (*write)(const struct query *query, struct json_writer *out),
                               struct buffer *out, struct err *err)
{
    struct query *query;
    struct json_writer writer;
    bool has_row = false;

    enum err_code code = db_query(db, sql, &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK || !has_row)
        return code;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write(query, &writer);
    json_end_object(&writer);
    query_reset(query);
    return ERR_OK;
}

static const char job_sql[] =
    "SELECT j.id, j.task, j.label, j.state, j.who, v.subject, v.variant, v.bot, v.version, v.stage, j.error, "
    "j.ended_us - j.started_us, v.brier, j.request FROM notification AS n JOIN job AS j ON j.id = n.job_id "
    "LEFT JOIN version AS v ON v.job_id = j.id WHERE n.id = $1 ORDER BY v.trained_us DESC LIMIT 1";
static const char move_sql[] =
    "SELECT v.subject, v.variant, v.bot, h.version, h.from_stage, h.who, h.why, h.is_rollback, v.brier "
    "FROM notification AS n JOIN stage_history AS h ON h.id = n.move_id "
    "JOIN version AS v ON v.version = h.version WHERE n.id = $1";
static const char check_sql[] =
    "SELECT d.subject, d.variant, d.bot, d.version, d.psi_max, d.share_drifted, d.loss, d.page_hinkley "
    "FROM notification AS n JOIN drift_check AS d ON d.id = n.check_id WHERE n.id = $1";

enum err_code notify_store_data(struct db *db, int64_t id, struct buffer *out, struct err *err)
{
    struct query *query;
    bool has_row = false, has_job = false, has_move = false, has_check = false;

    enum err_code code =
        db_query(db, "SELECT data, job_id, move_id, check_id FROM notification WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "there is no notification %lld", (long long)id);
    buffer_append_text(out, query_text(query, 0));
    has_job = !query_is_null(query, 1);
    has_move = !query_is_null(query, 2);
    has_check = !query_is_null(query, 3);
    query_reset(query);
    if (has_job)
        code = write_row(db, job_sql, id, write_job, out, err);
    else if (has_move)
        code = write_row(db, move_sql, id, write_move, out, err);
    else if (has_check)
        code = write_row(db, check_sql, id, write_check, out, err);
    if (code == ERR_OK && out->size_bytes == 0) /* what it was about is forgotten already */
        buffer_append_text(out, "{}");
    return code == ERR_OK ? buffer_check(out, "a notification", err) : code;
}

static enum err_code insert_delivery(struct db *db, int64_t id, const struct delivery_order *order,
                                     int64_t now_us, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "INSERT INTO delivery(notification_id, channel, webhook_id, target, due_us, "
                 "created_us) VALUES ($1, $2, $3, $4, $5, $5)",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_text(query, 2, order->is_mail ? "mail" : "webhook");
    query_bind_i64(query, 3, order->webhook_id);
    query_bind_text(query, 4, order->target);
    query_bind_i64(query, 5, now_us);
    return query_run(query, err);
}

enum err_code notify_store_spread(struct db *db, int64_t id, const char *payload,
                                  const struct delivery_order *orders, size_t count, int64_t now_us,
                                  struct err *err)
{
    struct query *query;

    enum err_code code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    code = db_query(db, "UPDATE notification SET is_spread = 1, payload = $2 WHERE id = $1 AND is_spread = 0",
                    &query, err);
    if (code == ERR_OK) {
        query_bind_i64(query, 1, id);
        query_bind_text(query, 2, payload);
        code = query_run(query, err);
    }
    if (code == ERR_OK && db_changes(db) != 1)
        code = err_set(err, ERR_CONFLICT, "notification %lld was spread already", (long long)id);
    for (size_t index = 0; code == ERR_OK && index < count; index++)
        code = insert_delivery(db, id, &orders[index], now_us, err);
    return end(db, code, err);
}
