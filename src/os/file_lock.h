/* A lock between processes: one holder of a file's lock at a time. The kernel lets go of it when the holder ends, however
 * it ends, so a crash leaves no lock behind. The file itself is empty and stays.
 * Threads: two opens of one process exclude each other as those of two processes do. Memory: the caller's struct. */
#ifndef ALMANAC_OS_FILE_LOCK_H
#define ALMANAC_OS_FILE_LOCK_H

#include "base/err.h"
#include <stdint.h>

struct file_lock {
    int descriptor; /* -1: not held */
};

/* Makes the file when it is not there. Waits up to wait_ms for another holder, then ERR_BUSY. */
enum err_code file_lock_open(const char *path, int64_t wait_ms, struct file_lock *out,
                             struct err *err) CHECKED;
void file_lock_close(struct file_lock *lock); /* safe when not held */

#endif
