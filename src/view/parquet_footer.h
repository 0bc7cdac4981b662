/* The footer of a Parquet file that another writer made: how many rows its groups have, and the same footer with columns of
 * floats behind those that are there. All else is copied as it is: columns of any type, their statistics, who made them.
 * Source: Apache Parquet, parquet-format (src/main/thrift/parquet.thrift).
 * Threads: one at a time. Memory: the caller's buffers. */
#ifndef ALMANAC_VIEW_PARQUET_FOOTER_H
#define ALMANAC_VIEW_PARQUET_FOOTER_H

#include "base/buffer.h"
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct parquet_group {
    size_t row_count;
    size_t added_bytes;  /* of the pages of the columns added */
    struct buffer added; /* their descriptions (parquet_chunk_describe), one behind the other */
};
/* The groups, in order, with nothing added; freed by parquet_groups_destroy. ERR_CORRUPT: it is no such footer. */
enum err_code parquet_footer_groups(const void *footer, size_t footer_bytes, struct parquet_group **out,
                                    size_t *out_count, struct err *err) CHECKED;
void parquet_groups_destroy(struct parquet_group *groups, size_t count);
/* names: of the columns added, `count` of them in each of the footer's groups. */
enum err_code parquet_footer_extend(const void *footer, size_t footer_bytes, const char *const *names,
                                    size_t count, const struct parquet_group *groups, struct buffer *out,
                                    struct err *err) CHECKED;

#endif
