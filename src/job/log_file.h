/* Log file of a job: `2026-03-01T12:00:00.123456Z text\n` per line, appended. Inside job/ only.
 *
 * Lines are collected and written together by log_file_flush. A file holds whole lines only (a write that fails is
 * undone, what a killed server left is ended at the next open). A log that grows beyond its bound is cut into parts, of
 * which the first and the newest are kept (log_parts.h); the first then ends with a line that says so. A log that cannot
 * be written never fails its job: the reason is in the server's own log.
 * Threads: one. */
#ifndef ALMANAC_JOB_LOG_FILE_H
#define ALMANAC_JOB_LOG_FILE_H

#include "base/buffer.h"
#include "base/err.h"
#include "os/file.h"
#include <stdbool.h>
#include <stdint.h>

/* Longer lines are cut into pieces before they come here. */
enum { LOG_FILE_TEXT_BYTES = 8192 };

struct log_file {
    int descriptor;     /* of the newest part */
    int64_t part;       /* its index */
    int64_t size_bytes; /* of that part */
    int64_t part_bytes; /* most of a part */
    bool has_failed;
    struct buffer pending;
    char path[FILE_PATH_BYTES]; /* of the first part */
};

/* max_bytes: of all parts together. */
enum err_code log_file_open(struct log_file *file, const char *path, int64_t max_bytes,
                            struct err *err) CHECKED;
void log_file_close(struct log_file *file); /* what was not flushed is lost */
/* Adds a line, without its end; control characters become blanks. now_us: UTC. */
void log_file_add(struct log_file *file, int64_t now_us, const char *text, size_t size_bytes);
/* Bytes that wait for a flush. */
size_t log_file_pending_bytes(const struct log_file *file);
/* Writes what was added, then hands it (if the disk took it) to `written` with its place in the log; twice when a new part
 * begins in between. */
void log_file_flush(struct log_file *file,
                    void (*written)(void *context, int64_t begin, const char *data, size_t size_bytes),
                    void *context);

#endif
