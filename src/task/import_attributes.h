/* Import of attributes of teams (source/attributes_csv.h) into the store.
 *
 * All or nothing per file: values and issues are one transaction. A file that was imported whole is known by its content
 * and passed over; one with rejected lines is read again, as teams may have come to be known since. Values that are
 * stored already change nothing, so importing twice leaves the data (and its name) as it is. A team must be known by
 * name or alias in its country: matches are imported first. */
#ifndef ALMANAC_TASK_IMPORT_ATTRIBUTES_H
#define ALMANAC_TASK_IMPORT_ATTRIBUTES_H

#include "base/buffer.h"
#include "base/err.h"
#include "source/issue.h"
#include "store/store.h"

struct attributes_result {
    bool is_unchanged; /* the file was known */
    int64_t rows_read, rows_kept;
    int64_t values, values_changed; /* told by the file; new or other than before */
    size_t counts[ISSUE_COUNT];
};

/* With `strict` the first line or value that would be rejected is an error, and nothing of the file is stored. */
enum err_code import_attributes(struct store *store, const char *path, bool strict,
                                struct attributes_result *out, struct err *err) CHECKED;
/* One line for a terminal. */
void attributes_result_text(const struct attributes_result *result, struct buffer *out);

#endif
