/* Notifications as kept: webhooks, the outbox, its deliveries and every attempt (migration_0011 says how events come into
 * the outbox). Each function that writes is one transaction of its own, but for notify_store_add, which joins the one that
 * is open. Threads: as the connection. */
#ifndef ALMANAC_STORE_NOTIFY_STORE_H
#define ALMANAC_STORE_NOTIFY_STORE_H

#include "base/buffer.h"
#include "base/err.h"
#include "store/db.h"

enum {
    NOTIFY_URL_BYTES = 2048,
    NOTIFY_SECRET_BYTES = 129,
    NOTIFY_EVENTS_BYTES = 64,
    NOTIFY_NOTE_BYTES = 128,
    NOTIFY_WHO_BYTES = 64,
    NOTIFY_ERROR_BYTES = 256,
    NOTIFY_WEBHOOKS_MAX = 32 /* every event is spread to all of them */
};

struct webhook_row {
    int64_t id;
    char url[NOTIFY_URL_BYTES];
    char secret[NOTIFY_SECRET_BYTES];
    char events[NOTIFY_EVENTS_BYTES]; /* "failed,drift"; "" all */
    char note[NOTIFY_NOTE_BYTES], who[NOTIFY_WHO_BYTES];
    int64_t created_us;
};
/* ERR_CONFLICT: there are NOTIFY_WEBHOOKS_MAX already. */
enum err_code notify_store_add_webhook(struct db *db, const struct webhook_row *row, int64_t *out_id,
                                       struct err *err) CHECKED;
enum err_code notify_store_webhook(struct db *db, int64_t id, struct webhook_row *out,
                                   struct err *err) CHECKED;
/* In order of their ids; *count in: capacity, out: filled. */
enum err_code notify_store_webhooks(struct db *db, struct webhook_row *out, size_t *count,
                                    struct err *err) CHECKED;
/* With what still waits for it. ERR_NOT_FOUND. */
enum err_code notify_store_remove_webhook(struct db *db, int64_t id, int64_t now_us, struct err *err) CHECKED;

/* Puts an event into the outbox: "drift", "completed", "failed", "promoted", "test". data: a JSON object. key: NULL, or what
 * must be told once only. webhook_id: 0, or the only one that is to hear of it. out_id (may be NULL): 0 when the key was
 * there. */
enum err_code notify_store_add(struct db *db, const char *event, const char *data, const char *key,
                               int64_t webhook_id, int64_t now_us, int64_t *out_id, struct err *err) CHECKED;

struct notification_row {
    int64_t id, at_us, webhook_id;
    char event[16];
};
/* The oldest that is not spread yet; ERR_NOT_FOUND. */
enum err_code notify_store_next(struct db *db, struct notification_row *out, struct err *err) CHECKED;
/* Its data as a JSON object, read from the row it is told from. */
enum err_code notify_store_data(struct db *db, int64_t id, struct buffer *out, struct err *err) CHECKED;
struct delivery_order {
    bool is_mail;
    int64_t webhook_id;
    const char *target; /* what people see: the address */
};
/* Keeps the payload and the deliveries, due at once. */
enum err_code notify_store_spread(struct db *db, int64_t id, const char *payload,
                                  const struct delivery_order *orders, size_t count, int64_t now_us,
                                  struct err *err) CHECKED;

enum delivery_state { DELIVERY_WAITING, DELIVERY_DELIVERED, DELIVERY_GIVEN_UP, DELIVERY_STATE_COUNT };
const char *delivery_state_name(enum delivery_state state); /* "waiting", "delivered", "given_up" */
int delivery_state_find(const char *name);                  /* -1 unknown */
struct delivery_row {
    int64_t id, notification_id, webhook_id;
    bool is_mail;
    enum delivery_state state;
    char event[16];
    char target[NOTIFY_URL_BYTES];
    int64_t attempts, due_us, created_us, ended_us;
    int64_t status; /* of the newest attempt; 0: no answer */
    char error[NOTIFY_ERROR_BYTES];
};
enum err_code notify_store_delivery(struct db *db, int64_t id, struct delivery_row *out,
                                    struct err *err) CHECKED;
/* Of each receiver that has any the one that is due longest, by webhook (mail first); *count in: capacity, out: filled. */
enum err_code notify_store_due(struct db *db, int64_t now_us, struct delivery_row *out, size_t *count,
                               struct err *err) CHECKED;
/* Newest first, with an id below before (0: all); state -1: any. */
enum err_code notify_store_deliveries(struct db *db, int state, int64_t before, struct delivery_row *out,
                                      size_t *count, struct err *err) CHECKED;
/* The payload of a notification. */
enum err_code notify_store_payload(struct db *db, int64_t notification_id, struct buffer *out,
                                   struct err *err) CHECKED;
struct attempt_row {
    int64_t delivery_id, at_us, status, took_ms;
    const char *error; /* "" none */
};
/* Keeps an attempt and what became of the delivery. due_us: of the next one, when it goes on waiting. A delivery that no longer
 * waits stays as it is. */
enum err_code notify_store_attempt(struct db *db, const struct attempt_row *attempt,
                                   enum delivery_state state, int64_t due_us, struct err *err) CHECKED;
/* [{"at", "status", "error", "took_ms"}], oldest first. */
enum err_code notify_store_attempts(struct db *db, int64_t delivery_id, struct buffer *out,
                                    struct err *err) CHECKED;
/* Forgets what happened before a time and waits no more. */
enum err_code notify_store_forget(struct db *db, int64_t before_us, struct err *err) CHECKED;

#endif
