/* What the files that write jobs share. Inside store/ only.
 *   job_store.c         reading
 *   job_store_write.c   a new job, one change
 *   job_store_sweep.c   many jobs, and what is not a change of state */
#ifndef ALMANAC_STORE_JOB_STORE_PARTS_H
#define ALMANAC_STORE_JOB_STORE_PARTS_H

#include "store/job_store.h"

/* Inside of a transaction: the change with all that follows from it. */
enum err_code job_store_apply(struct db *db, const struct job_change *change, struct err *err) CHECKED;
/* Commits when code is ERR_OK, else rolls back and returns it. */
enum err_code job_store_end(struct db *db, enum err_code code, struct err *err) CHECKED;

#endif
