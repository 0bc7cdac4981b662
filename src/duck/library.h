/* DuckDB's shared library, loaded when first needed: Almanac starts, serves and tests without it.
 *
 * The functions of its C API that we call (function_list.h) as members of one table, and the few structures of it that are
 * passed by value or lie in vectors. DuckDB promises them for all of 1.x; other versions are refused when loading. It stays
 * loaded until the process ends: its threads do not survive unloading. Threads: opening is safe from any. */
#ifndef ALMANAC_DUCK_LIBRARY_H
#define ALMANAC_DUCK_LIBRARY_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* duckdb_result: five deprecated members and the handle. */
struct duck_raw_result {
    uint64_t column_count, row_count, rows_changed;
    void *columns;
    char *error_message;
    void *internal;
};
/* duckdb_string_t: up to 12 bytes lie in place, longer ones behind the pointer. */
enum { DUCK_INLINE_BYTES = 12 };
struct duck_raw_text {
    uint32_t size_bytes;
    char prefix[4];
    union {
        const char *pointer;
        char rest[8];
    } tail;
};
struct duck_raw_i128 {
    uint64_t low;
    int64_t high;
};
struct duck_raw_interval {
    int32_t months, days;
    int64_t us;
};
struct duck_raw_list {
    uint64_t offset, count;
};
/* duckdb_type */
enum duck_type {
    DUCK_TYPE_BOOLEAN = 1,
    DUCK_TYPE_TINYINT,
    DUCK_TYPE_SMALLINT,
    DUCK_TYPE_INTEGER,
    DUCK_TYPE_BIGINT,
    DUCK_TYPE_UTINYINT,
    DUCK_TYPE_USMALLINT,
    DUCK_TYPE_UINTEGER,
    DUCK_TYPE_UBIGINT,
    DUCK_TYPE_FLOAT,
    DUCK_TYPE_DOUBLE,
    DUCK_TYPE_TIMESTAMP,
    DUCK_TYPE_DATE,
    DUCK_TYPE_TIME,
    DUCK_TYPE_INTERVAL,
    DUCK_TYPE_HUGEINT,
    DUCK_TYPE_VARCHAR,
    DUCK_TYPE_BLOB,
    DUCK_TYPE_DECIMAL,
    DUCK_TYPE_TIMESTAMP_S,
    DUCK_TYPE_TIMESTAMP_MS,
    DUCK_TYPE_TIMESTAMP_NS,
    DUCK_TYPE_ENUM,
    DUCK_TYPE_LIST,
    DUCK_TYPE_STRUCT,
    DUCK_TYPE_MAP,
    DUCK_TYPE_UUID,
    DUCK_TYPE_TIMESTAMP_TZ = 31,
    DUCK_TYPE_UHUGEINT = 32,
    DUCK_TYPE_ARRAY = 33,
    DUCK_TYPE_SQLNULL = 36,
};
enum { DUCK_RETURNS_ROWS = 3 }; /* DUCKDB_RESULT_TYPE_QUERY_RESULT */

struct duck_library {
/* declarations take no brackets: NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define DUCK_FUNCTION(result, name, arguments) result(*name) arguments;
#include "duck/function_list.h"
#undef DUCK_FUNCTION
};

/* The library, borrowed until the process ends. Looks at $ALMANAC_DUCKDB_LIBRARY (alone, if set), then <program>/lib,
 * <program>/../lib/almanac, and the system's places for libduckdb.so. ERR_UNAVAILABLE says what was tried and what to do.
 */
enum err_code duck_library_open(const struct duck_library **out, struct err *err) CHECKED;

#endif
