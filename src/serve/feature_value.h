/* Feature value: the bytes of one row of a feature view as the online store keeps them, in memory and in Redis.
 *
 * Little endian, as all Almanac files:
 *
 *   offset  bytes
 *        0      4  "AFV1"
 *        4      4  columns
 *        8     16  schema: first half of the view's hash (feature_view_hash): name, version, columns, versions of families
 *       24     32  data: football_store_hash of the data it was made from; of a match: hash of that and of the store's own,
 *                  where its prices come from
 *       56      8  event_us: from when on the row holds (VIEW_MATCH: kick-off; else when the last result became known)
 *       64      8  made_us: when it was computed (wall clock of who did)
 *       72      8  origin: enum feature_origin
 *       80      8  check: hash_u64 over everything else
 *       88  4 * n  float32, NaN for missing
 *
 * In memory the JSON that answers it follows: from `"entity":` to the end of `"features":{...}`, without outer braces.
 * A value is only used if schema, check and size are right, and its data still says the same (feature_reader.c), so values
 * of other code or other data never mix. Threads: any. */
#ifndef ALMANAC_SERVE_FEATURE_VALUE_H
#define ALMANAC_SERVE_FEATURE_VALUE_H

#include "base/buffer.h"
#include "base/hash.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FEATURE_SCHEMA_BYTES = 16, FEATURE_VALUE_HEADER_BYTES = 88 };
enum feature_origin { FEATURE_OF_STATE, FEATURE_OF_MATRIX };

struct feature_value {
    unsigned char schema[FEATURE_SCHEMA_BYTES], data[HASH_BYTES];
    int64_t event_us, made_us;
    enum feature_origin origin;
    size_t count;
    const float *values; /* of the bytes it was read from; aligned when they are */
    const char *json;    /* behind the floats; NULL when there is none */
    size_t json_bytes;
};

void feature_value_write(const struct feature_value *value, struct buffer *out); /* without JSON */
/* False: not such bytes, damaged, or of a moment outside the calendar. Points into data. */
bool feature_value_read(const void *data, size_t size_bytes, struct feature_value *out);
/* The same of bytes that this process wrote itself: without the check. */
void feature_value_read_own(const void *data, size_t size_bytes, struct feature_value *out);
/* The shortest decimal that reads back as the same float32; null when it is not finite. */
void feature_value_write_number(struct buffer *out, float value);

#endif
