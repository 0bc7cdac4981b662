/* Log reader: the log of a job as it is now, from any place: lines, the last of them, a search. Reads files only, so a
 * pool thread or another process may use it while the server writes.
 *
 * An offset is a place in the job's whole log since it began (log_parts.h). What was dropped of a log that grew beyond its
 * bound is skipped; the last line of the part before says that lines are missing. A line that has no end yet is not handed out,
 * unless takes_rest.
 * Threads: a value belongs to one thread. Memory: none but the struct. */
#ifndef ALMANAC_JOB_LOG_READER_H
#define ALMANAC_JOB_LOG_READER_H

#include "base/err.h"
#include "base/text.h"
#include "job/log_parts.h"
#include "os/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_reader {
    char path[FILE_PATH_BYTES]; /* of part 0 */
    int64_t part_bytes;
    struct log_parts parts; /* when it was opened */
    bool
        takes_rest; /* set it for the log of a job that has ended: bytes without an end of line are a line too */
};
struct log_line {
    int64_t offset, next; /* where it begins, and where the next one does */
    struct text at;       /* its time as written, 27 bytes; empty when it has none */
    struct text text;
};

/* <folder>/<id>.log */
enum err_code log_reader_path(const char *folder, int64_t id, char out[FILE_PATH_BYTES],
                              struct err *err) CHECKED;
/* path: of the log; one that is not there (yet) is empty. max_bytes: its bound, LIMIT_JOB_LOG_BYTES. */
enum err_code log_reader_open(const char *path, int64_t max_bytes, struct log_reader *out,
                              struct err *err) CHECKED;
/* Behind the last byte. */
int64_t log_reader_end(const struct log_reader *reader);
/* How many bytes there are: the end, less what was dropped. */
int64_t log_reader_size_bytes(const struct log_reader *reader);
/* Bytes from *offset on, which is moved forward to the first byte that is there; *got 0: the end. */
enum err_code log_reader_read(const struct log_reader *reader, int64_t *offset, char *out, size_t room_bytes,
                              size_t *got, struct err *err) CHECKED;
/* Every line from `offset` (any place) up to where `line` answers false, which has then seen the last one. */
enum err_code log_reader_lines(const struct log_reader *reader, int64_t offset,
                               bool (*line)(void *context, const struct log_line *line), void *context,
                               struct err *err) CHECKED;
/* Where the last `count` lines begin. */
enum err_code log_reader_tail(const struct log_reader *reader, size_t count, int64_t *out,
                              struct err *err) CHECKED;
/* Time and text of a line without its end. */
void log_line_split(const char *data, size_t size_bytes, struct text *at, struct text *text);

/* The newest lines before the offset `before` (0: the end) whose text holds `what`, letters of ASCII in either case.
 * offsets[limit], oldest first; *count of them; *has_more: there are older ones. Bounded by the size of a log. */
enum err_code log_reader_search(const struct log_reader *reader, const char *what, int64_t before,
                                int64_t *offsets, size_t limit, size_t *count, bool *has_more,
                                struct err *err) CHECKED;

#endif
