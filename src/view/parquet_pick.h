/* Some rows of some columns of a Parquet file, without what stands between them: the codes of a page are read where they lie,
 * in the mapped file. For files that are flat and not compressed, as the offline store's are; what is more is left to the
 * engine, which reads everything.
 * https://parquet.apache.org/docs/file-format
 * Threads: picking from any. Memory: the map, and 32 bytes for each column of each row group. */
#ifndef ALMANAC_VIEW_PARQUET_PICK_H
#define ALMANAC_VIEW_PARQUET_PICK_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parquet_file;
/* ERR_CORRUPT: it is no Parquet file, or none that is read here. */
enum err_code parquet_file_open(const char *path, struct parquet_file **out, struct err *err) CHECKED;
void parquet_file_close(struct parquet_file *file);
size_t parquet_file_rows(const struct parquet_file *file);
/* Values of the rows rows[0] < rows[1] < ... < parquet_file_rows; missing: NaN, INT64_MIN. false: there is no such column of
 * this type, or it is damaged, or written in a way that is not read here; then `out` holds anything. */
bool parquet_pick_f32(const struct parquet_file *file, const char *column, const int32_t *rows, size_t count,
                      float *out);
bool parquet_pick_i64(const struct parquet_file *file, const char *column, const int32_t *rows, size_t count,
                      int64_t *out);

#endif
