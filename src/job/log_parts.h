/* Parts of a job's log: how a log that may grow without end is kept within a bound. Inside job/ only.
 *
 * A log is a stream of lines; a place in it is a byte offset that never changes its meaning. The stream is cut into parts
 * of log_part_bytes() each, and no line crosses a cut: part k holds the offsets from k * log_part_bytes() on, and when its
 * last line leaves room behind it, those offsets are of no byte. Part 0 is <id>.log and is never dropped; part k is
 * <id>.log.parts/<k>.part, of which only the newest LOG_PARTS - 1 are kept. So a job keeps how it began and what it did
 * last, and a reader at an offset that is not there (any more) goes on at the next one that is.
 * Threads: no state. */
#ifndef ALMANAC_JOB_LOG_PARTS_H
#define ALMANAC_JOB_LOG_PARTS_H

#include "base/err.h"
#include "os/file.h"

#include <stddef.h>
#include <stdint.h>

enum { LOG_PARTS = 8 };

struct log_part {
    int64_t index, size_bytes;
};
struct log_parts {
    struct log_part part[LOG_PARTS + 2]; /* ascending; two more than are kept while one is being dropped */
    size_t count;
};

/* Offsets of one part, for a log of at most max_bytes. */
int64_t log_part_bytes(int64_t max_bytes);
/* path: of part 0. */
enum err_code log_part_path(const char *path, int64_t index, char out[FILE_PATH_BYTES],
                            struct err *err) CHECKED;
/* The parts that exist, none when there is no log. A log that has more than it should (a server was killed while it
 * dropped one) shows the newest. */
enum err_code log_parts_list(const char *path, struct log_parts *out, struct err *err) CHECKED;
/* Makes the folder of the parts behind the first. */
enum err_code log_parts_make_folder(const char *path, struct err *err) CHECKED;
/* The whole log; what is not there is removed already. */
enum err_code log_parts_remove(const char *path, struct err *err) CHECKED;

#endif
