/* What the files of duck/ share; nobody else includes it. */
#ifndef ALMANAC_DUCK_DUCK_PRIVATE_H
#define ALMANAC_DUCK_DUCK_PRIVATE_H

#include "base/buffer.h"
#include "duck/duck.h"
#include "duck/library.h"
#include "duck/value.h"

struct duck {
    const struct duck_library *library;
    void *database, *connection;
    uint64_t statement;       /* counts statements: a result that streams ends when the next one starts */
    uint64_t exposed;         /* counts duck_expose: names of its table functions */
    uint64_t open_results;    /* none may be left at duck_close */
    struct duck_bound *bound; /* functions, the newest first; the engine frees them */
};

struct duck_result {
    struct duck *duck;
    uint64_t statement;
    struct duck_raw_result raw;
    bool has_raw, is_done;
    size_t column_count;
    struct value_column *columns; /* [column_count] */
    int64_t changes;
    void *chunk;
    uint64_t chunk_rows, row; /* the row in the chunk */
    struct buffer *texts;     /* [column_count], of the present row */
    uint64_t *text_row;       /* [column_count]: which row texts[i] is of, counted from 1 */
    uint64_t rows_seen;
};

/* DuckDB's message as our error: its first line; the code from the kind that it begins with. */
enum err_code duck_fail(const char *message, struct err *err) CHECKED;

/* A statement that was not read to its end would take what is registered or inserted now with it: another one ends it. */
enum err_code duck_settle(struct duck *duck, struct err *err) CHECKED;

/* ---- columns.c: the caller's memory into the vectors of a chunk ---- */

int duck_column_type(const struct duck_column *column); /* enum duck_type */
/* Rows first .. first+count-1 of the columns chosen (which[column_count]) into the vectors of the chunk. Tiles of rows: all
 * columns of a tile are copied while its cache lines are warm, as they lie across row-major matrices. */
void duck_columns_fill(const struct duck_library *library, const struct duck_column *columns,
                       const uint64_t *which, size_t column_count, size_t first, size_t count, void *chunk);

#endif
