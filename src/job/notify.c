/* Notifier. A quarter-second timer looks at the outbox (two look-ups by index); what is due goes to the pool as struct work,
 * which owns all it needs, and comes back to the loop as a row of the log. */
#include "job/notify.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "job/notify_message.h"
#include "limits.h"
#include "os/http_client.h"
#include "os/mail_client.h"
#include "os/thread.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 250,
    IN_FLIGHT_MAX = 4, /* a thread for each: one less that do not answer keep nobody waiting */
    DUE_MAX = NOTIFY_WEBHOOKS_MAX + 1,
    SPREAD_MAX = 20, /* events in one turn */
    ANSWER_BYTES = 64 << 10,
    RETRY_MAX_MS = 3600000,
    KEEP_DAYS = 30,
    TEXT_BYTES = 1024
};

struct mail_settings {
    char url[TEXT_BYTES], user[TEXT_BYTES], password[TEXT_BYTES], from[TEXT_BYTES], to[2 * TEXT_BYTES],
        events[NOTIFY_EVENTS_BYTES];
};

struct notifier {
    struct loop *loop;
    struct pool *pool;
    struct store *store;
    struct clock clock;
    struct notifier_options options;
    struct mail_settings mail;
    struct loop_timer *timer;
    struct work *in_flight[IN_FLIGHT_MAX];
    int64_t served; /* webhook that had its turn last; 0: the mail */
    atomic_bool is_stopped;
    int64_t forgot_us; /* when old rows were removed last; TIME_NONE never */
};

/* One attempt. Made and read on the loop, filled on the pool in between. */
struct work {
    struct notifier *notifier; /* NULL: it has gone */
    const atomic_bool *is_stopped;
    struct delivery_row delivery;
    struct webhook_row webhook; /* of a webhook */
    struct mail_settings mail;  /* of a mail */
    struct buffer payload;
    int64_t timeout_ms, began_us, now_us, took_ms, retry_after_s;
    int status;
    enum err_code code;
    struct err err;
};

static int64_t now_of(const struct notifier *notifier)
{
    return notifier->clock.now_us(notifier->clock.context);
}

static bool is_cancelled(void *context)
{
    const struct work *work = context;
    return atomic_load(work->is_stopped);
}

static void destroy_work(struct work *work)
{
    buffer_release(&work->payload);
    free(work);
}

/* ---- on the pool ---- */

static void post(struct work *work)
{
    char signature[NOTIFY_SIGNATURE_BYTES], lines[3][NOTIFY_SIGNATURE_BYTES + 32];
    struct http_reply reply;
    notify_sign(work->webhook.secret, work->now_us, buffer_text(&work->payload), work->payload.size_bytes,
                signature);
    (void)snprintf(lines[0], sizeof lines[0], "X-Almanac-Event: %s", work->delivery.event);
    (void)snprintf(lines[1], sizeof lines[1], "X-Almanac-Delivery: %lld", (long long)work->delivery.id);
    (void)snprintf(lines[2], sizeof lines[2], "X-Almanac-Signature: %s", signature);
    struct http_call call = {.method = "POST",
                             .url = work->webhook.url,
                             .headers = {"Content-Type: application/json", lines[0], lines[1], lines[2]},
                             .body = buffer_text(&work->payload),
                             .body_bytes = work->payload.size_bytes,
                             .total_ms = work->timeout_ms,
                             .max_bytes = ANSWER_BYTES,
                             .is_stopped = is_cancelled,
                             .context = work};
    work->code = http_call_run(&call, &reply, &work->err);
    work->status = reply.status;
    work->retry_after_s = reply.retry_after_s;
    if (work->code == ERR_TOO_LARGE && reply.status == 0)
        work->code = ERR_IO;
    if (work->code == ERR_OK && (reply.status < 200 || reply.status > 299))
        work->code = err_set(&work->err, ERR_IO, "the receiver answered %d", reply.status);
    http_reply_release(&reply);
}

static void send_mail(struct work *work)
{
    const struct mail_settings *settings = &work->mail;
    struct buffer message;
    struct mail *mail = calloc(1, sizeof *mail);
    if (mail == NULL) {
        work->code = err_nomem(&work->err, sizeof *mail);
        return;
    }
    *mail = (struct mail){.url = settings->url,
                          .user = settings->user,
                          .password = settings->password,
                          .from = settings->from,
                          .total_ms = work->timeout_ms,
                          .is_stopped = is_cancelled,
                          .context = work};
    buffer_init(&message, LIMIT_BODY_BYTES);
    work->code = mail_read_recipients(settings->to, mail, &work->err);
    if (work->code == ERR_OK)
        work->code = notify_write_mail(mail, buffer_text(&work->payload), work->delivery.id, work->now_us,
                                       &message, &work->err);
    mail->message = buffer_text(&message);
    mail->message_bytes = message.size_bytes;
    if (work->code == ERR_OK)
        work->code = mail_send(mail, &work->status, &work->err);
    buffer_release(&message);
    free(mail);
}

static void attempt(void *context)
{
    struct work *work = context;
    int64_t began_us = clock_monotonic_us();
    if (work->delivery.is_mail)
        send_mail(work);
    else
        post(work);
    work->took_ms = (clock_monotonic_us() - began_us) / 1000;
}

/* ---- what came of it ---- */

/* Twice the pause each time, and no earlier than the receiver asks for. */
static int64_t pause_us(const struct notifier *notifier, const struct work *work)
{
    int64_t pause_ms = notifier->options.retry_ms;
    for (int64_t i = 0; i < work->delivery.attempts && pause_ms < RETRY_MAX_MS; i++)
        pause_ms *= 2;
    if (pause_ms > RETRY_MAX_MS)
        pause_ms = RETRY_MAX_MS;
    int64_t asked_ms = work->retry_after_s < RETRY_MAX_MS / 1000 ? work->retry_after_s * 1000 : RETRY_MAX_MS;
    return (asked_ms > pause_ms ? asked_ms : pause_ms) * 1000;
}

static enum delivery_state state_after(const struct notifier *notifier, const struct work *work)
{
    if (work->code == ERR_OK)
        return DELIVERY_DELIVERED;
    /* "gone" and addresses that are never called do not get better */
    if (work->status == 410 || work->code == ERR_FORBIDDEN || work->code == ERR_INVALID)
        return DELIVERY_GIVEN_UP;
    return work->delivery.attempts + 1 >= notifier->options.attempts ? DELIVERY_GIVEN_UP : DELIVERY_WAITING;
}

static void record(struct notifier *notifier, const struct work *work)
{
    struct err err = {0};
    struct delivery_row row;
    int64_t now_us = now_of(notifier);
    enum delivery_state state = state_after(notifier, work);
    char error[NOTIFY_ERROR_BYTES] = "";
    if (work->code != ERR_OK)
        (void)text_copy(text_of(work->err.text), error, sizeof error);
    struct attempt_row row_of_attempt = {.delivery_id = work->delivery.id,
                                         .at_us = now_us,
                                         .status = work->status,
                                         .took_ms = work->took_ms,
                                         .error = error};
    enum err_code code = notify_store_attempt(notifier->store->db, &row_of_attempt, state,
                                              now_us + pause_us(notifier, work), &err);
    if (code != ERR_OK)
        log_line(LOG_ERROR, "notify", "delivery %lld is not noted: %s", (long long)work->delivery.id,
                 err.text);
    else if (state == DELIVERY_GIVEN_UP)
        log_line(LOG_WARN, "notify", "delivery %lld (%s) is given up: %s", (long long)work->delivery.id,
                 work->delivery.event, error);
    if (code == ERR_OK && notifier->options.changed != NULL &&
        notify_store_delivery(notifier->store->db, work->delivery.id, &row, &err) == ERR_OK)
        notifier->options.changed(notifier->options.context, &row);
}

static void look(void *context);

static void finish(void *context)
{
    struct work *work = context;
    struct notifier *notifier = work->notifier;
    if (notifier == NULL) {
        destroy_work(work);
        return;
    }
    for (size_t index = 0; index < IN_FLIGHT_MAX; index++) {
        if (notifier->in_flight[index] == work)
            notifier->in_flight[index] = NULL;
    }
    record(notifier, work);
    destroy_work(work);
    look(notifier);
}

/* ---- starting attempts ---- */

static bool is_same_receiver(const struct delivery_row *a, const struct delivery_row *b)
{
    return a->is_mail == b->is_mail && a->webhook_id == b->webhook_id;
}

/* A place for it, or NULL: no place is free, or its receiver is busy. */
static struct work **find_place(struct notifier *notifier, const struct delivery_row *delivery)
{
    struct work **place = NULL;
    for (size_t index = 0; index < IN_FLIGHT_MAX; index++) {
        struct work **slot = &notifier->in_flight[index];
        if (*slot == NULL)
            place = slot;
        else if (is_same_receiver(&(*slot)->delivery, delivery))
            return NULL;
    }
    return place;
}

static enum err_code prepare(struct notifier *notifier, struct work *work, struct err *err)
{
    if (work->delivery.is_mail)
        work->mail = notifier->mail;
    else {
        enum err_code code =
            notify_store_webhook(notifier->store->db, work->delivery.webhook_id, &work->webhook, err);
        if (code != ERR_OK)
            return code;
    }
    return notify_store_payload(notifier->store->db, work->delivery.notification_id, &work->payload, err);
}

static void start(struct notifier *notifier, const struct delivery_row *delivery, struct work **place)
{
    struct work *work = calloc(1, sizeof *work);
    struct err err = {0};
    if (work == NULL)
        return;
    *work = (struct work){.notifier = notifier,
                          .is_stopped = &notifier->is_stopped,
                          .delivery = *delivery,
                          .timeout_ms = notifier->options.timeout_ms,
                          .now_us = now_of(notifier),
                          .retry_after_s = -1};
    buffer_init(&work->payload, LIMIT_BODY_BYTES);
    enum err_code code = prepare(notifier, work, &err);
    if (code == ERR_OK)
        code = pool_submit(notifier->pool, notifier->loop, attempt, finish, work, &err);
    if (code != ERR_OK) {
        log_line(LOG_ERROR, "notify", "delivery %lld cannot be tried: %s", (long long)delivery->id, err.text);
        destroy_work(work);
        return;
    }
    *place = work;
}

/* Receivers have their turn one after the other: those that have much to hear and do not answer keep nobody waiting. */
static void start_due(struct notifier *notifier)
{
    struct delivery_row *due = calloc(DUE_MAX, sizeof *due);
    struct err err = {0};
    size_t count = DUE_MAX;
    if (due == NULL)
        return;
    if (notify_store_due(notifier->store->db, now_of(notifier), due, &count, &err) != ERR_OK) {
        log_line(LOG_ERROR, "notify", "%s", err.text);
        count = 0;
    }
    size_t first = 0;
    while (first < count && due[first].webhook_id <= notifier->served)
        first++;
    for (size_t index = 0; index < count; index++) {
        const struct delivery_row *delivery = &due[(first + index) % count];
        struct work **place = find_place(notifier, delivery);
        if (place == NULL)
            continue;
        notifier->served = delivery->webhook_id;
        start(notifier, delivery, place);
    }
    free(due);
}

/* ---- spreading events ---- */

static size_t list_receivers(const struct notifier *notifier, const struct notification_row *row,
                             const struct webhook_row *webhooks, size_t webhook_count,
                             struct delivery_order *out)
{
    size_t count = 0;
    for (size_t index = 0; index < webhook_count; index++) {
        bool is_meant = row->webhook_id == 0 ? row->at_us >= webhooks[index].created_us /* no old news */
                                             : row->webhook_id == webhooks[index].id;
        if (is_meant && notify_wants(webhooks[index].events, row->event))
            out[count++] =
                (struct delivery_order){.webhook_id = webhooks[index].id, .target = webhooks[index].url};
    }
    if (notifier->mail.url[0] != '\0' && row->webhook_id == 0 &&
        notify_wants(notifier->mail.events, row->event))
        out[count++] = (struct delivery_order){.is_mail = true, .target = notifier->mail.to};
    return count;
}

static enum err_code spread(struct notifier *notifier, const struct notification_row *row,
                            struct webhook_row *webhooks, struct err *err)
{
    struct delivery_order orders[NOTIFY_WEBHOOKS_MAX + 1];
    struct buffer payload;
    size_t count = NOTIFY_WEBHOOKS_MAX;
    buffer_init(&payload, LIMIT_BODY_BYTES);
    enum err_code code = notify_store_webhooks(notifier->store->db, webhooks, &count, err);
    if (code == ERR_OK)
        code = notify_payload(notifier->store->db, row, &payload, err);
    if (code == ERR_OK) {
        count = list_receivers(notifier, row, webhooks, count, orders);
        code = notify_store_spread(notifier->store->db, row->id, buffer_text(&payload), orders, count,
                                   now_of(notifier), err);
    }
    buffer_release(&payload);
    return code;
}

static void spread_new(struct notifier *notifier)
{
    struct notification_row row;
    struct err err = {0};
    struct webhook_row *webhooks = NULL;
    enum err_code code = ERR_OK;
    for (size_t index = 0; code == ERR_OK && index < SPREAD_MAX; index++) {
        code = notify_store_next(notifier->store->db, &row, &err);
        if (code == ERR_NOT_FOUND)
            break;
        if (code == ERR_OK && webhooks == NULL)
            webhooks = calloc(NOTIFY_WEBHOOKS_MAX, sizeof *webhooks);
        if (code == ERR_OK)
            code = webhooks != NULL ? spread(notifier, &row, webhooks, &err) : err_nomem(&err, 0);
    }
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        log_line(LOG_ERROR, "notify", "an event is not told yet: %s", err.text);
    free(webhooks);
}

static void forget_old(struct notifier *notifier)
{
    struct err err = {0};
    int64_t now_us = now_of(notifier);
    if (notifier->forgot_us != TIME_NONE && now_us - notifier->forgot_us < TIME_DAY_US)
        return;
    notifier->forgot_us = now_us;
    if (notify_store_forget(notifier->store->db, now_us - KEEP_DAYS * TIME_DAY_US, &err) != ERR_OK)
        log_line(LOG_ERROR, "notify", "%s", err.text);
}

static void look(void *context)
{
    struct notifier *notifier = context;
    spread_new(notifier);
    start_due(notifier);
    forget_old(notifier);
}

void notifier_wake(struct notifier *notifier)
{
    if (notifier != NULL)
        look(notifier);
}

/* ---- life ---- */

static bool copy_text(const char *text, char *out, size_t out_bytes)
{
    return text_copy(text_of(text != NULL ? text : ""), out, out_bytes);
}

static enum err_code read_mail(const struct notify_mail *options, struct mail_settings *out, struct err *err)
{
    struct mail *mail;
    *out = (struct mail_settings){0};
    if (options->url == NULL || options->url[0] == '\0' || options->to == NULL || options->to[0] == '\0')
        return ERR_OK;
    if (!copy_text(options->url, out->url, sizeof out->url) ||
        !copy_text(options->user, out->user, sizeof out->user) ||
        !copy_text(options->password, out->password, sizeof out->password) ||
        !copy_text(options->from, out->from, sizeof out->from) ||
        !copy_text(options->to, out->to, sizeof out->to) ||
        !copy_text(options->events, out->events, sizeof out->events))
        return err_set(err, ERR_INVALID, "a setting of the mail is too long");
    enum err_code code = mail_check_url(out->url, err);
    if (code == ERR_OK)
        code = mail_check_address(out->from, err);
    if (code != ERR_OK)
        return err_prefix(err, "smtp_url and smtp_from");
    mail = calloc(1, sizeof *mail);
    code = mail != NULL ? mail_read_recipients(out->to, mail, err) : err_nomem(err, sizeof *mail);
    free(mail);
    return code == ERR_OK ? notify_check_events(out->events, err) : code;
}

enum err_code notifier_create(struct loop *loop, struct store *store, struct clock clock,
                              const struct notifier_options *options, struct notifier **out, struct err *err)
{
    struct notifier *notifier = calloc(1, sizeof *notifier);
    if (notifier == NULL)
        return err_nomem(err, sizeof *notifier);
    notifier->loop = loop;
    notifier->store = store;
    notifier->clock = clock;
    notifier->options = *options;
    notifier->forgot_us = TIME_NONE;
    atomic_init(&notifier->is_stopped, false);
    http_client_start();
    enum err_code code = read_mail(&options->mail, &notifier->mail, err);
    if (code == ERR_OK)
        code = pool_create(IN_FLIGHT_MAX, &notifier->pool, err);
    if (code == ERR_OK)
        code = loop_timer_add(loop, LOOK_MS, LOOK_MS, look, notifier, &notifier->timer, err);
    if (code != ERR_OK) {
        notifier_destroy(notifier);
        return code;
    }
    look(notifier); /* what happened while no server ran */
    *out = notifier;
    return ERR_OK;
}

/* What had its answer is still noted; what was broken off goes on waiting. */
void notifier_destroy(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    if (notifier->timer != NULL)
        loop_timer_remove(notifier->loop, notifier->timer);
    atomic_store(&notifier->is_stopped, true);
    if (notifier->pool != NULL)
        pool_destroy(notifier->pool);
    notifier->options.changed = NULL;
    for (size_t index = 0; index < IN_FLIGHT_MAX; index++) {
        struct work *work = notifier->in_flight[index];
        if (work == NULL)
            continue;
        if (work->code != ERR_CANCELLED)
            record(notifier, work);
        work->notifier = NULL; /* its finish() is posted already */
    }
    free(notifier);
}

struct notify_mail notifier_mail(const struct notifier *notifier)
{
    return (struct notify_mail){.url = notifier->mail.url,
                                .from = notifier->mail.from,
                                .to = notifier->mail.to,
                                .events = notifier->mail.events};
}
