/* One column chunk of a Parquet file: floats, NaN missing, as a dictionary page and a data page, or the data page alone when
 * there are too many different values. Not compressed: the codes of a dictionary hardly are compressible, and what is left is
 * not worth the time. Bits are kept: -0 and 0 are two values.
 * https://parquet.apache.org/docs/file-format
 * Threads: one at a time per scratch. Memory: the scratch holds about 6 bytes for each row and 1 MB, the chunk what is encoded. */
#ifndef ALMANAC_VIEW_PARQUET_CHUNK_H
#define ALMANAC_VIEW_PARQUET_CHUNK_H

#include "base/buffer.h"
#include "base/err.h"
#include "view/thrift.h"
#include <stddef.h>
#include <stdint.h>

/* Numbers of the format. */
enum parquet_type { PARQUET_FLOAT = 4 };
enum parquet_repetition { PARQUET_OPTIONAL = 1 };

struct parquet_scratch;
enum err_code parquet_scratch_create(size_t most_rows, struct parquet_scratch **out, struct err *err) CHECKED;
void parquet_scratch_destroy(struct parquet_scratch *scratch);
float *
parquet_scratch_values(struct parquet_scratch *scratch); /* [most_rows], to be filled before encoding */

struct parquet_chunk {
    struct buffer bytes; /* pages */
    size_t row_count, missing, dictionary_bytes;
    float low, high; /* when not all are missing */
};
/* The first row_count values of the scratch, which are not kept. A failure sticks in chunk->bytes; released by
 * buffer_release. */
void parquet_chunk_encode(struct parquet_scratch *scratch, size_t row_count, struct parquet_chunk *chunk);
/* The element of a row group's list of columns, for a chunk that stands at `offset` of the file. */
void parquet_chunk_describe(const struct parquet_chunk *chunk, const char *name, size_t offset,
                            struct buffer *out);

#endif
