/* Schema step 11: notifications. The outbox is filled by triggers, in the transaction of what it tells about: whoever makes a
 * training end or a version go into production, in whichever process, no event is lost and none is told that was rolled
 * back. Times are UTC microseconds.
 *
 * webhook           who wants to be called; events: names, comma separated, '' all
 * notification      what happened: the row it is told from (job_id, move_id, check_id), or data, a JSON object. payload is
 *                   made once, when it is spread to its deliveries; key: the same is told once
 * delivery          one receiver of one notification, 'waiting' until it has taken it or is given up
 * delivery_attempt  every try */
#include "store/migrations.h"

const char *const migration_0011[] = {
    "CREATE TABLE webhook("
    "id INTEGER PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, events TEXT NOT NULL, "
    "note TEXT NOT NULL, who TEXT NOT NULL, created_us INTEGER NOT NULL)",

    "CREATE TABLE notification("
    "id INTEGER PRIMARY KEY, "
    "event TEXT NOT NULL CHECK(event IN ('completed', 'failed', 'drift', 'promoted', 'test')), "
    "at_us INTEGER NOT NULL, job_id INTEGER, move_id INTEGER, check_id INTEGER, data TEXT, "
    "webhook_id INTEGER NOT NULL DEFAULT 0, is_spread INTEGER NOT NULL DEFAULT 0, payload TEXT, "
    "key TEXT UNIQUE)",
    "CREATE INDEX notification_new ON notification(id) WHERE is_spread = 0",

    "CREATE TABLE delivery("
    "id INTEGER PRIMARY KEY, notification_id INTEGER NOT NULL REFERENCES notification(id), "
    "channel TEXT NOT NULL CHECK(channel IN ('webhook', 'mail')), webhook_id INTEGER NOT NULL, "
    "target TEXT NOT NULL, "
    "state TEXT NOT NULL DEFAULT 'waiting' CHECK(state IN ('waiting', 'delivered', 'given_up')), "
    "attempts INTEGER NOT NULL DEFAULT 0, due_us INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 0, "
    "error TEXT NOT NULL DEFAULT '', created_us INTEGER NOT NULL, ended_us INTEGER)",
    "CREATE INDEX delivery_due ON delivery(due_us) WHERE state = 'waiting'",
    "CREATE INDEX delivery_by_notification ON delivery(notification_id)",

    "CREATE TABLE delivery_attempt("
    "id INTEGER PRIMARY KEY, delivery_id INTEGER NOT NULL REFERENCES delivery(id), at_us INTEGER NOT NULL, "
    "status INTEGER NOT NULL, error TEXT NOT NULL, took_ms INTEGER NOT NULL)",
    "CREATE INDEX delivery_attempt_by_delivery ON delivery_attempt(delivery_id, id)",

    "CREATE TRIGGER training_completed AFTER UPDATE OF state ON job "
    "WHEN new.state = 'succeeded' AND old.state <> 'succeeded' AND new.task = 'train' BEGIN "
    "INSERT INTO notification(event, at_us, job_id) VALUES ('completed', coalesce(new.ended_us, 0), new.id); "
    "END",
    "CREATE TRIGGER training_failed AFTER UPDATE OF state ON job "
    "WHEN new.state = 'failed' AND old.state <> 'failed' AND new.task IN ('train', 'retrain') BEGIN "
    "INSERT INTO notification(event, at_us, job_id) VALUES ('failed', coalesce(new.ended_us, 0), new.id); "
    "END",
    "CREATE TRIGGER version_promoted AFTER INSERT ON stage_history WHEN new.to_stage = 'Production' BEGIN "
    "INSERT INTO notification(event, at_us, move_id) VALUES ('promoted', new.at_us, new.id); END",
    /* told when an alarm begins, not at every look while it lasts */
    "CREATE TRIGGER model_drifted AFTER INSERT ON drift_check WHEN new.is_alarm = 1 AND coalesce((SELECT "
    "c.is_alarm FROM drift_check AS c WHERE c.version = new.version AND c.id < new.id ORDER BY c.id DESC "
    "LIMIT 1), 0) = 0 BEGIN "
    "INSERT INTO notification(event, at_us, check_id) VALUES ('drift', new.made_us, new.id); END",
    NULL,
};
