/* Recovery: what a server does before it runs jobs of its own.
 *
 * One server per store, held by a lock that the kernel drops with the process: without it a second server would take the
 * first one's running jobs for leftovers and kill them. That lock is what a lease rests on: whoever holds it may take over
 * the jobs of every other lease. Workers die with their server (PR_SET_PDEATHSIG), so usually
 * nothing is left; what is left is killed only when pid and start time name the very process that was started. */
#include "job/supervisor_parts.h"

#include "base/log.h"
#include "job/job_folder.h"
#include "job/process_mark.h"
#include "limits.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 1000, KILL_WAIT_MS = 5000, POLL_MS = 5, PAGE_ROWS = 16 };

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

/* 0 or an errno value. A server that was killed while it started a worker leaves its descriptors, and with them the lock,
 * for the moment that the new process needs to become the worker. */
static int take_lock(int descriptor)
{
    int64_t end_us = clock_monotonic_us() + LOCK_WAIT_MS * INT64_C(1000);

    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        int failure = errno;
        if (failure != EINTR && (failure != EWOULDBLOCK || clock_monotonic_us() > end_us))
            return failure;
        sleep_ms(POLL_MS);
    }
    return 0;
}

enum err_code recovery_lock(const struct store *store, int *out, struct err *err)
{
    char path[FILE_PATH_BYTES];

    *out = -1;
    enum err_code code = file_join(store->logs, ".lock", path, err);
    if (code != ERR_OK)
        return code;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    int failure = take_lock(descriptor);
    if (failure != 0) {
        close(descriptor);
        if (failure == EWOULDBLOCK)
            return err_set(err, ERR_BUSY, "another server runs the jobs of '%s'; stop it first",
                           store->folder);
        return err_set_errno(err, failure, "cannot lock '%s'", path);
    }
    *out = descriptor;
    return ERR_OK;
}

static enum err_code kill_leftover(const struct job_row *row, struct err *err)
{
    char mark[PROCESS_MARK_BYTES];
    struct process process = {.pid = (pid_t)row->pid};

    if (row->pid <= 1 || row->process[0] == '\0' || !process_mark(row->pid, mark) ||
        strcmp(mark, row->process) != 0)
        return ERR_OK;
    log_line(LOG_WARN, "jobs", "job %" PRId64 " of a dead server still runs as process %" PRId64 ": killed",
             row->id, row->pid);
    int64_t end_us = clock_monotonic_us() + KILL_WAIT_MS * INT64_C(1000);
    do {
        process_signal(&process, SIGKILL);
        if (process_group_is_gone(process.pid))
            return ERR_OK;
        sleep_ms(POLL_MS);
    } while (clock_monotonic_us() < end_us);
    return err_set(err, ERR_BUSY,
                   "process %" PRId64 " of job %" PRId64
                   " does not die; start the server again when it is gone",
                   row->pid, row->id);
}

/* A run that was completed is finished from the file that it left, on the first turn of the loop. Unless it was passed on too
 * often already: finishing it may be what ends the servers, and then the store gives it up. */
static enum err_code take_result(struct supervisor *supervisor, const struct job_row *row, struct err *err)
{
    json_t *result = NULL;
    size_t queue = QUEUE_DEFAULT;
    int64_t takeovers;

    enum err_code code = job_store_takeovers(supervisor->store->db, row->id, &takeovers, err);
    if (code != ERR_OK || takeovers >= LIMIT_JOB_TAKEOVERS)
        return code;
    if (row->state != JOB_RUNNING ||
        !job_folder_read_result(supervisor->store, row->id, row->attempt, &result))
        return ERR_OK;
    (void)queue_find(row->queue, &queue);
    code = job_store_adopt(supervisor->store->db, row->id, row->attempt, row->lease, supervisor->lease,
                           supervisor_now_us(supervisor), err);
    struct running_job *job = code == ERR_OK ? running_job_add(supervisor, row, queue) : NULL;
    if (job == NULL) {
        json_decref(result);
        return code == ERR_OK ? err_nomem(err, sizeof *job) : code;
    }
    running_job_open_log(job);
    running_job_set_result(job, result);
    log_line(LOG_INFO, "jobs", "job %" PRId64 " was completed under a dead server", row->id);
    return running_job_settle_later(job, 0, err);
}

enum err_code recovery_run(struct supervisor *supervisor, struct err *err)
{
    struct job_row rows[PAGE_ROWS];
    struct db *db = supervisor->store->db;
    int64_t after_id = 0;
    size_t count, recovered = 0;

    do {
        count = PAGE_ROWS;
        enum err_code code = job_store_unfinished(db, after_id, rows, &count, err);
        if (code != ERR_OK)
            return code;
        for (size_t index = 0; index < count; index++) {
            code = kill_leftover(&rows[index], err);
            if (code == ERR_OK)
                code = take_result(supervisor, &rows[index], err);
            if (code != ERR_OK)
                return code;
            after_id = rows[index].id;
        }
    } while (count > 0);
    enum err_code code =
        job_store_recover(db, supervisor->lease, supervisor_now_us(supervisor), &recovered, err);
    if (code == ERR_OK && recovered > 0)
        log_line(LOG_WARN, "jobs", "%zu jobs of a dead server recovered", recovered);
    job_folder_sweep(supervisor->store);
    return code;
}
