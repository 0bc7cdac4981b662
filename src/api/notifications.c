/* Webhooks, the log of deliveries, a test.
 *
 *   GET    /api/notifications/webhooks
 *   POST   /api/notifications/webhooks {"url", "events"?: ["failed"], "secret"?, "note"?} -> 201 {"webhook", "secret"}
 *   DELETE /api/notifications/webhooks/{id}
 *   GET    /api/notifications/deliveries?state=&limit=&before=
 *   POST   /api/notifications/test {"webhook_id"?}
 *
 * A secret is told once, in the answer that made it, and only when it was made here; no other answer and no log has it. */
#include "api/notifications.h"

#include "api/live.h"
#include "base/time.h"
#include "job/notify_message.h"
#include "limits.h"
#include "os/http_client.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTE(method, pattern, handler, doc)                                                                 \
    enum err_code handler(void *context, const struct route_match *match, struct http_response *response,    \
                          struct err *err);
#include "api/route_list.h"
#undef ROUTE

#define HANDLER(name)                                                                                        \
    enum err_code name(void *context, const struct route_match *match, struct http_response *response,       \
                       struct err *err)

enum { DELIVERIES_MAX = 500, DELIVERIES_DEFAULT = 50, SECRET_MIN = 16, SECRET_RANDOM_BYTES = 32 };

static int64_t now_of(const struct api *api)
{
    return api->clock.now_us(api->clock.context);
}

/* ---- telling ---- */

static enum err_code write_delivery(const struct api *api, const struct delivery_row *row,
                                    struct json_writer *out, struct err *err)
{
    struct buffer attempts;
    buffer_init(&attempts, LIMIT_BODY_BYTES);
    enum err_code code = notify_store_attempts(api->store->db, row->id, &attempts, err);
    if (code == ERR_OK) {
        json_begin_object(out);
        json_field_i64(out, "id", row->id);
        json_field_i64(out, "notification_id", row->notification_id);
        json_field_text(out, "event", row->event);
        json_field_text(out, "channel", row->is_mail ? "mail" : "webhook");
        json_key(out, "webhook_id");
        if (row->is_mail)
            json_put_null(out);
        else
            json_put_i64(out, row->webhook_id);
        json_field_text(out, "target", row->target);
        json_field_text(out, "state", delivery_state_name(row->state));
        json_field_i64(out, "attempts", row->attempts);
        json_key(out, "status");
        if (row->status == 0)
            json_put_null(out);
        else
            json_put_i64(out, row->status);
        json_field_text_or_null(out, "error", row->error);
        json_field_time(out, "created_at", row->created_us);
        json_field_time(out, "next_at", row->state == DELIVERY_WAITING ? row->due_us : TIME_NONE);
        json_field_time(out, "ended_at", row->ended_us);
        json_key(out, "log");
        json_put_raw(out, buffer_text(&attempts), attempts.size_bytes);
        json_end_object(out);
    }
    buffer_release(&attempts);
    return code;
}

struct news {
    const struct api *api;
    const struct delivery_row *delivery;
};

static void write_news(void *context, struct json_writer *out)
{
    const struct news *news = context;
    struct err err = {0};
    if (write_delivery(news->api, news->delivery, out, &err) != ERR_OK)
        json_put_null(out);
}

static void delivery_changed(void *context, const struct delivery_row *delivery)
{
    const struct api *api = context;
    struct news news = {api, delivery};
    live_publish(api->live, "notifications", write_news, &news);
}

enum err_code api_notifications_create(struct api *api, const struct api_options *options, struct err *err)
{
    struct notifier_options notify = {.mail = options->mail,
                                      .retry_ms = options->notify_retry_ms,
                                      .attempts = options->notify_attempts,
                                      .timeout_ms = options->notify_timeout_ms,
                                      .changed = delivery_changed,
                                      .context = api};
    return notifier_create(api->loop, api->store, api->clock, &notify, &api->notifier, err);
}

/* ---- webhooks ---- */

/* "failed,drift" as an array; all events for "". */
static void write_events(struct json_writer *out, const char *events)
{
    json_key(out, "events");
    json_begin_array(out);
    for (size_t i = 0; notify_event_at(i) != NULL; i++) {
        if (notify_wants(events, notify_event_at(i)))
            json_put_text(out, notify_event_at(i));
    }
    json_end_array(out);
}

static void write_webhook(struct json_writer *out, const struct webhook_row *row)
{
    json_begin_object(out);
    json_field_i64(out, "id", row->id);
    json_field_text(out, "url", row->url);
    write_events(out, row->events);
    json_field_text_or_null(out, "note", row->note);
    json_field_text(out, "who", row->who);
    json_field_time(out, "created_at", row->created_us);
    json_end_object(out);
}

static void write_mail(struct json_writer *out, const struct notify_mail *mail)
{
    bool is_configured = mail->url[0] != '\0';
    json_key(out, "mail");
    json_begin_object(out);
    json_field_bool(out, "is_configured", is_configured);
    json_field_text(out, "from", is_configured ? mail->from : NULL);
    json_field_text(out, "to", is_configured ? mail->to : NULL);
    write_events(out, is_configured ? mail->events : "none");
    json_end_object(out);
}

HANDLER(api_webhooks_list)
{
    struct api *api = context;
    struct notify_mail mail = notifier_mail(api->notifier);
    struct json_writer out;
    size_t count = NOTIFY_WEBHOOKS_MAX;
    struct webhook_row *rows = calloc(NOTIFY_WEBHOOKS_MAX, sizeof(*rows));
    (void)match;
    if (rows == NULL)
        return err_nomem(err, NOTIFY_WEBHOOKS_MAX * sizeof(*rows));
    enum err_code code = notify_store_webhooks(api->store->db, rows, &count, err);
    if (code == ERR_OK) {
        json_writer_init(&out, &response->body);
        json_begin_object(&out);
        json_key(&out, "webhooks");
        json_begin_array(&out);
        for (size_t i = 0; i < count; i++)
            write_webhook(&out, &rows[i]);
        json_end_array(&out);
        write_mail(&out, &mail);
        json_end_object(&out);
    }
    free(rows);
    return code;
}

static enum err_code read_text(const json_t *body, const char *key, bool required, char *out,
                               size_t out_bytes, struct err *err)
{
    const char *text = NULL;
    enum err_code code = json_take_text(body, key, required, &text, err);
    if (code == ERR_OK && text != NULL && !text_copy(text_of(text), out, out_bytes))
        return err_set_field(err, ERR_INVALID, key, "'%s' is longer than %zu bytes", key, out_bytes - 1);
    return code;
}

/* ["failed", "drift"] as "failed,drift"; every event once at most, so that it fits. */
static enum err_code read_events(const json_t *body, char out[NOTIFY_EVENTS_BYTES], struct err *err)
{
    const json_t *list = json_object_get(body, "events"), *item;
    size_t index;
    out[0] = '\0';
    if (list == NULL || json_is_null(list))
        return ERR_OK;
    if (!json_is_array(list) || json_array_size(list) == 0)
        return err_set_field(err, ERR_INVALID, "events",
                             "'events' is not a list of events; leave it out for all");
    json_array_foreach(list, index, item)
    {
        const char *event = json_string_value(item);
        if (event == NULL || event[0] == '\0' || strchr(event, ',') != NULL)
            return err_set_field(err, ERR_INVALID, "events", "an event is a name, such as \"failed\"");
        enum err_code code = notify_check_events(event, err);
        if (code != ERR_OK)
            return code;
        if (out[0] != '\0' && notify_wants(out, event))
            continue;
        size_t used = strlen(out);
        (void)snprintf(out + used, NOTIFY_EVENTS_BYTES - used, "%s%s", used > 0 ? "," : "", event);
    }
    return ERR_OK;
}

/* Printable ASCII of a useful length; one is made when none was given. */
static enum err_code read_secret(const json_t *body, char out[NOTIFY_SECRET_BYTES], bool *out_is_made,
                                 struct err *err)
{
    unsigned char random[SECRET_RANDOM_BYTES];
    out[0] = '\0';
    enum err_code code = read_text(body, "secret", false, out, NOTIFY_SECRET_BYTES, err);
    if (code != ERR_OK)
        return code;
    *out_is_made = json_object_get(body, "secret") == NULL || json_is_null(json_object_get(body, "secret"));
    if (*out_is_made) {
        randombytes_buf(random, sizeof(random));
        sodium_bin2hex(out, NOTIFY_SECRET_BYTES, random, sizeof(random));
        sodium_memzero(random, sizeof(random));
        return ERR_OK;
    }
    bool is_plain = strlen(out) >= SECRET_MIN;
    for (const char *c = out; is_plain && *c != '\0'; c++)
        is_plain = *c > ' ' && *c <= '~';
    return is_plain ? ERR_OK
                    : err_set_field(err, ERR_INVALID, "secret",
                                    "a secret is %d to %d printable characters without blanks", SECRET_MIN,
                                    NOTIFY_SECRET_BYTES - 1);
}

static enum err_code read_webhook(const struct http_request *request, struct webhook_row *row,
                                  bool *out_is_made, struct err *err)
{
    static const char *const known[] = {"url", "events", "secret", "note", NULL};
    const char *who = NULL;
    json_t *body = NULL;
    enum err_code code = api_read_who(request, &who, err);
    if (code == ERR_OK)
        code = api_read_object(request, &body, err);
    if (code == ERR_OK)
        code = json_refuse_unknown(body, known, err);
    if (code == ERR_OK)
        code = read_text(body, "url", true, row->url, sizeof(row->url), err);
    if (code == ERR_OK)
        code = http_call_check_url(row->url, NULL, 0, err);
    if (code == ERR_OK)
        code = read_events(body, row->events, err);
    if (code == ERR_OK)
        code = read_text(body, "note", false, row->note, sizeof(row->note), err);
    if (code == ERR_OK)
        code = read_secret(body, row->secret, out_is_made, err);
    if (code == ERR_OK)
        (void)text_copy(text_of(who), row->who, sizeof(row->who));
    json_decref(body);
    return code;
}

HANDLER(api_webhook_add)
{
    struct api *api = context;
    struct webhook_row row = {.created_us = now_of(api)};
    struct json_writer out;
    bool is_made = false;
    enum err_code code = read_webhook(match->request, &row, &is_made, err);
    if (code == ERR_OK)
        code = notify_store_add_webhook(api->store->db, &row, &row.id, err);
    if (code == ERR_OK) {
        response->status = 201;
        json_writer_init(&out, &response->body);
        json_begin_object(&out);
        json_key(&out, "webhook");
        write_webhook(&out, &row);
        json_field_text(&out, "secret", is_made ? row.secret : NULL);
        json_end_object(&out);
    }
    sodium_memzero(row.secret, sizeof(row.secret));
    return code;
}

HANDLER(api_webhook_delete)
{
    struct api *api = context;
    struct json_writer out;
    int64_t id;
    enum err_code code = api_path_id(match, 0, &id, err);
    if (code == ERR_OK)
        code = notify_store_remove_webhook(api->store->db, id, now_of(api), err);
    if (code != ERR_OK)
        return code;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_i64(&out, "deleted", id);
    json_end_object(&out);
    return ERR_OK;
}

/* ---- deliveries ---- */

static enum err_code read_state(const struct http_request *request, int *out, struct err *err)
{
    const char *value = http_request_query(request, "state");
    *out = value != NULL ? delivery_state_find(value) : -1;
    if (value != NULL && *out < 0)
        return err_set_field(err, ERR_INVALID, "state",
                             "'%.40s' is no state; there are waiting, delivered, given_up", value);
    return ERR_OK;
}

HANDLER(api_deliveries)
{
    struct api *api = context;
    struct json_writer out;
    int64_t limit = DELIVERIES_DEFAULT, before = 0;
    int state = -1;
    enum err_code code = read_state(match->request, &state, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "limit", DELIVERIES_DEFAULT, 1, DELIVERIES_MAX, &limit, err);
    if (code == ERR_OK)
        code = api_query_i64(match->request, "before", 0, 0, INT64_MAX, &before, err);
    if (code != ERR_OK)
        return code;
    size_t count = (size_t)limit;
    struct delivery_row *rows = calloc(count, sizeof(*rows));
    if (rows == NULL)
        return err_nomem(err, count * sizeof(*rows));
    code = notify_store_deliveries(api->store->db, state, before, rows, &count, err);
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "deliveries");
    json_begin_array(&out);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = write_delivery(api, &rows[i], &out, err);
    json_end_array(&out);
    json_end_object(&out);
    free(rows);
    return code;
}

/* ---- test ---- */

/* 0: everybody. The body may be absent. */
static enum err_code read_target(const struct http_request *request, int64_t *out, struct err *err)
{
    static const char *const known[] = {"webhook_id", NULL};
    json_t *body = NULL;
    *out = 0;
    if (request->body_bytes == 0)
        return ERR_OK;
    enum err_code code = api_read_object(request, &body, err);
    if (code == ERR_OK)
        code = json_refuse_unknown(body, known, err);
    if (code == ERR_OK)
        code = json_take_i64(body, "webhook_id", false, out, err);
    if (code == ERR_OK && *out < 0)
        code = err_set_field(err, ERR_INVALID, "webhook_id", "'webhook_id' is the id of a webhook");
    json_decref(body);
    return code;
}

/* Counts who will get it: what cannot reach anybody says so at once. */
static enum err_code count_receivers(struct api *api, int64_t webhook_id, int64_t *out, struct err *err)
{
    struct notify_mail mail = notifier_mail(api->notifier);
    size_t count = NOTIFY_WEBHOOKS_MAX;
    struct webhook_row *rows = calloc(NOTIFY_WEBHOOKS_MAX, sizeof(*rows));
    if (rows == NULL)
        return err_nomem(err, NOTIFY_WEBHOOKS_MAX * sizeof(*rows));
    enum err_code code = webhook_id != 0 ? notify_store_webhook(api->store->db, webhook_id, rows, err)
                                         : notify_store_webhooks(api->store->db, rows, &count, err);
    *out = webhook_id != 0 ? 1 : (int64_t)count + (mail.url[0] != '\0');
    free(rows);
    if (code == ERR_OK && *out == 0)
        code = err_set(err, ERR_CONFLICT, "nobody would get it: add a webhook, or set smtp_url and smtp_to");
    return code;
}

HANDLER(api_notifications_test)
{
    struct api *api = context;
    struct json_writer out;
    int64_t webhook_id, receivers = 0, id = 0;
    enum err_code code = read_target(match->request, &webhook_id, err);
    if (code == ERR_OK)
        code = count_receivers(api, webhook_id, &receivers, err);
    if (code == ERR_OK)
        code = notify_store_add(api->store->db, "test", "{\"message\":\"this is a test\"}", NULL, webhook_id,
                                now_of(api), &id, err);
    if (code != ERR_OK)
        return code;
    notifier_wake(api->notifier);
    response->status = 202;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_i64(&out, "notification_id", id);
    json_field_i64(&out, "deliveries", receivers);
    json_end_object(&out);
    return ERR_OK;
}
