/* What is sent: the payload of an event, its signature, the mail made of it. docs/notifications.md is the contract with
 * receivers. Threads: any, but for what takes a db. */
#ifndef ALMANAC_JOB_NOTIFY_MESSAGE_H
#define ALMANAC_JOB_NOTIFY_MESSAGE_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "os/mail_client.h"
#include "store/notify_store.h"

enum { NOTIFY_SIGNATURE_BYTES = 128 };

const char *
notify_event_at(size_t index); /* NULL past the end; "test" is none of them: it goes to everybody */
/* wanted, "failed,drift" (or "": all), has this event; everything has "test". */
bool notify_wants(const char *wanted, const char *event);
/* A comma separated list of events. ERR_INVALID naming the first that is none. */
enum err_code notify_check_events(const char *wanted, struct err *err) CHECKED;
/* {"id", "event", "at", "data"} */
enum err_code notify_payload(struct db *db, const struct notification_row *row, struct buffer *out,
                             struct err *err) CHECKED;
/* "t=<unix seconds>,v1=<HMAC-SHA-256 of 't.body' under the secret, hexadecimal>" */
void notify_sign(const char *secret, int64_t now_us, const char *body, size_t body_bytes,
                 char out[NOTIFY_SIGNATURE_BYTES]);
/* One line of what happened: "training failed: E0 1x2 lightgbm". */
void notify_title(const char *event, const json_t *data, char *out, size_t out_bytes);
/* A mail of a payload, ready to be sent: header and body in base64, whatever is in the data. */
enum err_code notify_write_mail(const struct mail *mail, const char *payload, int64_t delivery_id,
                                int64_t now_us, struct buffer *out, struct err *err) CHECKED;

#endif
