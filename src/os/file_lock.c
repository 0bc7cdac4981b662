/* flock, asked again every few milliseconds: the kernel's own wait has no limit, and a timer by signal would reach into
 * the threads of the whole process. */
#include "os/file_lock.h"

#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 5 };

static void sleep_ms(long duration_ms)
{
    struct timespec duration = {duration_ms / 1000, duration_ms % 1000 * 1000000L};
    (void)nanosleep(&duration, NULL); /* woken early: asked again early */
}

enum err_code file_lock_open(const char *path, int64_t wait_ms, struct file_lock *out, struct err *err)
{
    out->descriptor = -1;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot open lock '%s'", path);
    int64_t start_us = clock_monotonic_us();
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        enum err_code code = ERR_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            code = err_set_errno(err, errno, "cannot lock '%s'", path);
        else if (clock_monotonic_us() - start_us >= wait_ms * 1000)
            code =
                err_set(err, ERR_BUSY, "another process holds '%s' since more than %" PRId64 " ms; try again",
                        path, wait_ms);
        if (code != ERR_OK) {
            close(descriptor);
            return code;
        }
        sleep_ms(POLL_MS);
    }
    out->descriptor = descriptor;
    return ERR_OK;
}

void file_lock_close(struct file_lock *lock)
{
    if (lock->descriptor >= 0)
        close(lock->descriptor); /* lets go of the lock */
    lock->descriptor = -1;
}
