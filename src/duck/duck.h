/* Duck: DuckDB through its C API: Parquet files, joins as of a time, ad-hoc SQL.
 *
 * libduckdb.so is loaded at run time (ALMANAC_DUCKDB_LIBRARY, else <program folder>/lib, else the system's); without it every
 * call answers ERR_UNAVAILABLE and says what to install, and the rest of the program works. The engine is in memory: what
 * lasts are Parquet files. A connection belongs to one thread at a time; the engine uses `threads` threads of its own. */
#ifndef ALMANAC_DUCK_DUCK_H
#define ALMANAC_DUCK_DUCK_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct duck;
struct duck_result;

/* Is the library there? *version (may be NULL) receives its version text, valid for ever. */
enum err_code duck_probe(const char **version, struct err *err) CHECKED;

/* folders: what SQL may read and write, and nothing else: other paths, extensions and the network are refused, and the
 * settings are locked. An empty list: nothing on disk at all. NULL: anything, as a person's own shell may. A statement can
 * still spoil the engine for later ones (CALL enable_logging(...)): one engine per stranger. */
struct duck_options {
    size_t threads;             /* >= 1 */
    size_t memory_bytes;        /* 0: half the machine's; nothing spills to disk beyond it */
    const char *const *folders; /* NULL-terminated */
};
enum err_code duck_open(const struct duck_options *options, struct duck **out, struct err *err) CHECKED;
void duck_close(struct duck *duck);
/* From any thread: the running statement ends with ERR_CANCELLED. */
void duck_interrupt(struct duck *duck);

/* One value bound to $1, $2, ...; text is borrowed. */
enum duck_kind { DUCK_NULL, DUCK_I64, DUCK_F64, DUCK_TEXT };
struct duck_value {
    enum duck_kind kind;
    int64_t i64;
    double f64;
    const char *text;
};
/* One statement. *out may be NULL when rows do not matter. Rows are made while they are fetched: the next statement ends an
 * earlier result (its next row is ERR_CONFLICT); results are destroyed before the engine. Errors carry DuckDB's own message: its first line,
 * and in brackets what it thinks was meant. */
enum err_code duck_query(struct duck *duck, const char *sql, const struct duck_value *values, size_t count,
                         struct duck_result **out, struct err *err) CHECKED;
void duck_result_destroy(struct duck_result *result);
size_t duck_result_columns(const struct duck_result *result);
const char *duck_result_name(const struct duck_result *result, size_t column);
const char *duck_result_type(const struct duck_result *result, size_t column); /* "BIGINT", "FLOAT", ... */
int64_t duck_result_changes(const struct duck_result *result);
/* The next row; *out_row false after the last. Values below are of that row. */
enum err_code duck_result_next(struct duck_result *result, bool *out_row, struct err *err) CHECKED;
bool duck_is_null(const struct duck_result *result, size_t column);
int64_t duck_i64(const struct duck_result *result,
                 size_t column); /* integers, bool; TIMESTAMP: UTC us; DATE: days */
double duck_f64(const struct duck_result *result, size_t column); /* any number; NaN for NULL */
/* The value as text (timestamps ISO 8601 UTC with Z); valid until the next row. */
const char *duck_text(const struct duck_result *result, size_t column);
/* One row, or the names, of CSV (RFC 4180; NULL is nothing, an empty text "") or JSON (an object), appended. */
void duck_result_csv_head(const struct duck_result *result, struct buffer *out);
void duck_result_csv_row(const struct duck_result *result, struct buffer *out);
void duck_result_json_row(const struct duck_result *result, struct json_writer *out);
/* All rows left, as RFC 4180 CSV with a header, or as a JSON array of objects; at most max_rows, *out_more says if there
 * were more. */
enum err_code duck_result_write_csv(struct duck_result *result, struct buffer *out, size_t max_rows,
                                    bool *out_more, struct err *err) CHECKED;
enum err_code duck_result_write_json(struct duck_result *result, struct buffer *out, size_t max_rows,
                                     bool *out_more, struct err *err) CHECKED;
/* A text as an SQL string literal ('...') or identifier ("..."), appended. */
bool duck_quote(struct buffer *out, const char *text);
bool duck_quote_name(struct buffer *out, const char *name);

/* Columns of the caller's memory as rows of a table that exists: fast bulk insertion (chunks of 2048, columnar). Where the
 * table has other types, values are cast. */
struct duck_column { /* NOLINT(clang-analyzer-optin.performance.Padding): in the order one says it */
    enum duck_column_kind {
        DUCK_COLUMN_I64,       /* const int64_t; INT64_MIN is NULL */
        DUCK_COLUMN_I32,       /* const int32_t; INT32_MIN is NULL */
        DUCK_COLUMN_TIMESTAMP, /* const int64_t, UTC microseconds; TIME_NONE is NULL */
        DUCK_COLUMN_F32,       /* const float; NaN stays NaN unless nan_is_null */
        DUCK_COLUMN_TEXT,      /* const char *const; NULL is NULL */
        DUCK_COLUMN_CODE       /* const int32_t, index into texts[]; below 0 is NULL */
    } kind;
    const void *data; /* [rows * stride] */
    size_t stride; /* in elements: 1 for a contiguous column, the row width for one of a row-major matrix */
    bool nan_is_null;
    const char *const *texts;
};
enum err_code duck_append(struct duck *duck, const char *table, const struct duck_column *columns,
                          size_t column_count, size_t row_count, struct err *err) CHECKED;
/* The same columns as a view that reads them in place, in order, only those that a statement names: no copy, no memory.
 * Data and texts must stay as they are until duck_close; names are copied. A view of this name is replaced. */
enum err_code duck_expose(struct duck *duck, const char *name, const char *const *column_names,
                          const struct duck_column *columns, size_t column_count, size_t row_count,
                          struct err *err) CHECKED;

/* A function of SQL that is answered here: called with up to 2048 rows at a time, from several threads of the engine at once,
 * in any order. Arguments and answer are of the kinds named (numbers only); NULLs come as they are. */
struct duck_call {
    size_t row_count;
    const void *const *arguments; /* [argument][row] */
    const uint64_t *const
        *is_set;          /* [argument]: bit i % 64 of word i / 64 is row i's; NULL: no row is NULL */
    void *out;            /* [row] */
    uint64_t *out_is_set; /* the same for the answer; all bits are set */
};
typedef void duck_callback(void *context, const struct duck_call *call);
struct duck_function {
    const char *name; /* in SQL */
    const enum duck_column_kind *arguments;
    size_t argument_count;
    enum duck_column_kind result;
    duck_callback *callback;
    void *context; /* until the name is unbound or bound again */
};
/* A name that is bound again, with the same arguments and result, only changes callback and context. */
enum err_code duck_bind_function(struct duck *duck, const struct duck_function *function,
                                 struct err *err) CHECKED;
/* From now on its answers are NULL, whoever asks. */
void duck_unbind_function(struct duck *duck, const char *name);

#endif
