/* The ends of jobs reach the disk together, at most a second after they happened, instead of holding the loop for each: until
 * then the result is safe in the job's folder, which the worker has synced and which is removed only here, afterwards. */
#include "job/supervisor_parts.h"

#include "base/log.h"
#include "job/job_folder.h"

enum { SYNC_MS = 1000 };

void supervisor_sync(struct supervisor *supervisor)
{
    struct err err = {0};

    if (db_sync(supervisor->store->db, &err) != ERR_OK) {
        log_line(LOG_WARN, "jobs", "the ends of jobs are not on the disk yet: %s", err.text);
        return;
    }
    for (size_t index = 0; index < supervisor->succeeded_count; index++)
        job_folder_remove(supervisor->store, supervisor->succeeded[index]);
    supervisor->succeeded_count = 0;
}

static void on_sync(void *context)
{
    struct supervisor *supervisor = context;

    supervisor->sync_timer = NULL;
    supervisor_sync(supervisor);
    if (supervisor->succeeded_count > 0)
        supervisor_sync_soon(supervisor);
}

void supervisor_sync_soon(struct supervisor *supervisor)
{
    struct err err = {0};

    if (supervisor->sync_timer != NULL || supervisor->is_closing)
        return;
    if (loop_timer_add(supervisor->loop, SYNC_MS, 0, on_sync, supervisor, &supervisor->sync_timer, &err) ==
        ERR_OK)
        return;
    log_line(LOG_WARN, "jobs", "the end of a job is synced at once: %s", err.text);
    supervisor_sync(supervisor);
}

void supervisor_note_success(struct supervisor *supervisor, int64_t id)
{
    if (supervisor->succeeded_count == SUCCEEDED_MAX)
        supervisor_sync(supervisor);
    if (supervisor->succeeded_count < SUCCEEDED_MAX) /* else the next start finds the folder */
        supervisor->succeeded[supervisor->succeeded_count++] = id;
}
