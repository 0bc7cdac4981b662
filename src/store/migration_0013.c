/* Schema step 13: no question about jobs reads their history.
 *
 * job_due       the next moment at which a job that waits for its time may start
 * job_by_task, job_by_queue   lists of one task or one queue, newest first
 * job_count     how many jobs are in each state: kept by triggers, whoever changes the rows */
#include "store/migrations.h"

const char *const migration_0013[] = {
    "CREATE INDEX job_due ON job(queue, not_before_us) WHERE state = 'queued' AND not_before_us IS NOT NULL",
    "CREATE INDEX job_by_task ON job(task, id)",
    "CREATE INDEX job_by_queue ON job(queue, id)",

    "CREATE TABLE job_count(state TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO job_count(state, count) VALUES ('queued', 0), ('running', 0), ('stopping', 0), "
    "('succeeded', 0), ('failed', 0), ('stopped', 0)",
    "UPDATE job_count SET count = (SELECT count(*) FROM job WHERE job.state = job_count.state)",
    "CREATE TRIGGER job_counted AFTER INSERT ON job BEGIN "
    "UPDATE job_count SET count = count + 1 WHERE state = new.state; END",
    "CREATE TRIGGER job_moved AFTER UPDATE OF state ON job WHEN new.state <> old.state BEGIN "
    "UPDATE job_count SET count = count - 1 WHERE state = old.state; "
    "UPDATE job_count SET count = count + 1 WHERE state = new.state; END",
    "CREATE TRIGGER job_forgotten AFTER DELETE ON job BEGIN "
    "UPDATE job_count SET count = count - 1 WHERE state = old.state; END",
    NULL,
};
