/* Schema step 13: no list of jobs reads their history.
 *
 * job_due       the next moment at which a job that waits for its time may start
 * job_by_task, job_by_queue   lists of one task or one queue, newest first */
#include "store/migrations.h"

const char *const migration_0013[] = {
    "CREATE INDEX job_due ON job(queue, not_before_us) WHERE state = 'queued' AND not_before_us IS NOT NULL",
    "CREATE INDEX job_by_task ON job(task, id)",
    "CREATE INDEX job_by_queue ON job(queue, id)",
    NULL,
};
