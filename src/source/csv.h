/* CSV: a reader over bytes in memory (a mapped file): RFC 4180 with the dirt of real files. No copies of clean fields.
 *
 * A UTF-8 byte order mark is skipped. Separator is configurable. Quoted fields may hold separators, quotes ("") and
 * line ends. Lines end in LF, CRLF or CR. Fields that are not valid UTF-8 are read as Windows-1252. Field views stay
 * valid until the next csv_next (quoted and Windows-1252 fields live in the reader's scratch).
 * Threads: one reader per thread. Memory: the data is the caller's and outlives the reader. */
#ifndef ALMANAC_SOURCE_CSV_H
#define ALMANAC_SOURCE_CSV_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

struct csv_reader;

/* `name` is used in messages. */
enum err_code csv_open(const char *data, size_t size_bytes, char separator, const char *name,
                       struct csv_reader **out, struct err *err) CHECKED;
void csv_close(struct csv_reader *reader);
/* The next line: *fields (borrowed), *count. False at the end. A line beyond the limits of limits.h, a NUL byte or an
 * unclosed quote is an error (ERR_INVALID/ERR_TOO_LARGE) naming file and line; reading cannot go on then. */
enum err_code csv_next(struct csv_reader *reader, const struct text **fields, size_t *count, bool *at_end,
                       struct err *err) CHECKED;
size_t csv_line(const struct csv_reader *reader);      /* number of the line last returned, from 1 */
bool csv_was_recoded(const struct csv_reader *reader); /* a field of that line was read as Windows-1252 */
bool csv_had_byte_order_mark(const struct csv_reader *reader);

#endif
