/* Columns of floats behind those of a Parquet file that another writer made: DuckDB writes what has types of all kinds, we what
 * is wide. It takes ten times as long to pass a value through the engine and its writer as to encode it here.
 *
 * The pages stand behind those that are there, in the order of groups and columns whatever the threads; then comes the footer,
 * extended. Until it is written the file is none.
 * Threads: makes as many as there are processors; fill is called from all. Memory: the pages of one group. */
#ifndef ALMANAC_VIEW_PARQUET_APPEND_H
#define ALMANAC_VIEW_PARQUET_APPEND_H

#include "base/err.h"
#include "os/file_draft.h"
#include <stddef.h>

struct parquet_floats {
    const char *const *names; /* [count] */
    size_t count;
    /* Values of rows [first, first + row_count) of a column; NaN: missing. */
    void (*fill)(void *context, size_t column, size_t first, size_t row_count, float *out);
    void *context;
};
/* The draft is a whole Parquet file before and after. ERR_CORRUPT: it is none, or has not `row_count` rows. */
enum err_code parquet_append(const struct file_draft *draft, const struct parquet_floats *columns,
                             size_t row_count, struct err *err) CHECKED;

#endif
