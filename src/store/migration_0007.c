/* Schema step 7: the queue.
 *
 * job            what a queue needs: where it waits and how urgently, what it waits for (`waits` counts the unfinished ones
 *                of job_after), its key, its owner (`lease`: the life of the server that runs it), what it learns (epoch,
 *                loss), and how often it has failed.
 * job_after      job_id starts when after_id has succeeded.
 * queue          one row per queue: held or not, how many jobs are in it, what became of those since the batch began (it
 *                begins when a job comes to an empty queue), the usual duration of a job. Kept with each change of state, so
 *                that no question about a queue reads its history.
 * queue_event    who did what to a queue. */
#include "store/migrations.h"

const char *const migration_0007[] = {
    "ALTER TABLE job ADD COLUMN queue TEXT NOT NULL DEFAULT 'default'",
    "ALTER TABLE job ADD COLUMN priority INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN max_attempts INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE job ADD COLUMN failures INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN not_before_us INTEGER",
    "ALTER TABLE job ADD COLUMN waits INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN lease TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE job ADD COLUMN key TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE job ADD COLUMN who TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE job ADD COLUMN batch TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE job ADD COLUMN label TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE job ADD COLUMN eta_us INTEGER",
    "ALTER TABLE job ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN epochs INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN loss REAL",
    "ALTER TABLE job ADD COLUMN best REAL",
    "ALTER TABLE job ADD COLUMN has_warning INTEGER NOT NULL DEFAULT 0",
    "UPDATE job SET queue = 'training' WHERE task = 'train'",
    "DROP INDEX job_unfinished",
    "CREATE INDEX job_by_state ON job(state, id)",
    "CREATE INDEX job_ready ON job(queue, priority DESC, id) WHERE state = 'queued'",
    "CREATE UNIQUE INDEX job_by_key ON job(key) WHERE key <> ''",
    "CREATE INDEX job_by_batch ON job(batch, id) WHERE batch <> ''",

    "ALTER TABLE job_event ADD COLUMN who TEXT NOT NULL DEFAULT ''",

    ("CREATE TABLE job_after("
     "job_id INTEGER NOT NULL REFERENCES job(id), after_id INTEGER NOT NULL REFERENCES job(id), "
     "PRIMARY KEY(job_id, after_id)) WITHOUT ROWID"),
    "CREATE INDEX job_after_by_after ON job_after(after_id)",

    ("CREATE TABLE queue("
     "name TEXT PRIMARY KEY, is_paused INTEGER NOT NULL DEFAULT 0, paused_us INTEGER, "
     "paused_by TEXT NOT NULL DEFAULT '', "
     "queued INTEGER NOT NULL DEFAULT 0, running INTEGER NOT NULL DEFAULT 0, "
     "completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, "
     "stopped INTEGER NOT NULL DEFAULT 0, usual_us INTEGER) WITHOUT ROWID"),
    "INSERT INTO queue(name) VALUES('default'), ('training')",
    ("UPDATE queue SET queued = (SELECT count(*) FROM job WHERE queue = name AND state = 'queued'), "
     "running = (SELECT count(*) FROM job WHERE queue = name AND state IN ('running', 'stopping'))"),

    ("CREATE TABLE queue_event("
     "id INTEGER PRIMARY KEY, queue TEXT NOT NULL, at_us INTEGER NOT NULL, action TEXT NOT NULL, "
     "who TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '')"),
    "CREATE INDEX queue_event_by_queue ON queue_event(queue, id)",
    NULL,
};
