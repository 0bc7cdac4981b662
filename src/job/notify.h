/* Notifier: tells receivers what happened: signed webhooks, and mail.
 *
 * What happened is in the outbox of the store already (store/notify_store.h). The notifier spreads each event to the
 * webhooks that want it and to the mail addresses, tries every delivery on threads of its own, keeps each attempt, and tries
 * again later, ever more seldom, until it is taken or given up. Invariant: a delivery is waiting in the store until its
 * receiver has said that it took it, so a killed server loses none; a receiver may get one twice then (X-Almanac-Delivery is
 * the same). At most one attempt at a time per receiver: a slow one does not hold up the others.
 * Secrets are in no answer, no log line and no error. Threads: the loop's; the network is on two threads of its own. */
#ifndef ALMANAC_JOB_NOTIFY_H
#define ALMANAC_JOB_NOTIFY_H

#include "base/err.h"
#include "os/clock.h"
#include "os/loop.h"
#include "store/notify_store.h"
#include "store/store.h"

struct notifier;

struct notify_mail {
    const char *url; /* smtp:// or smtps://; NULL or "": no mail */
    const char *user, *password, *from;
    const char *to;     /* addresses, comma separated; NULL or "": no mail */
    const char *events; /* comma separated; NULL or "": all */
};
struct notifier_options {
    struct notify_mail mail; /* copied */
    int64_t retry_ms;   /* pause before the second attempt, doubled for each further one, up to an hour */
    int64_t attempts;   /* then it is given up */
    int64_t timeout_ms; /* of one attempt */
    void (*changed)(void *context, const struct delivery_row *delivery); /* after an attempt; may be NULL */
    void *context;
};
/* Looks at the outbox at once; `changed` is called by the loop only. store is borrowed. ERR_INVALID: settings of the mail that cannot work. */
enum err_code notifier_create(struct loop *loop, struct store *store, struct clock clock,
                              const struct notifier_options *options, struct notifier **out,
                              struct err *err) CHECKED;
/* Breaks off what is under way; it goes on waiting. NULL is fine. */
void notifier_destroy(struct notifier *notifier);
/* Looks at the outbox now instead of within a quarter of a second. NULL is fine. */
void notifier_wake(struct notifier *notifier);
/* The mail's settings without its secrets; url "" when there is no mail. Valid as long as the notifier. */
struct notify_mail notifier_mail(const struct notifier *notifier);

#endif
