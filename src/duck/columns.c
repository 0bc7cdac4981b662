/* Columns of the caller's memory: inserted into tables (duck_append), or read in place by statements (duck_expose).
 *
 * Exposed columns are a table function of DuckDB's: it asks for 2048 rows of the columns that a statement names, in order,
 * so that neither a copy nor memory for the whole is needed. */
#include "duck/duck.h"
#include "duck/duck_private.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_ROWS = 32, NAME_MAX_BYTES = 1 << 20 };

int duck_column_type(const struct duck_column *column)
{
    static const int types[] = {
        [DUCK_COLUMN_I64] = DUCK_TYPE_BIGINT,          [DUCK_COLUMN_I32] = DUCK_TYPE_INTEGER,
        [DUCK_COLUMN_TIMESTAMP] = DUCK_TYPE_TIMESTAMP, [DUCK_COLUMN_F32] = DUCK_TYPE_FLOAT,
        [DUCK_COLUMN_TEXT] = DUCK_TYPE_VARCHAR,        [DUCK_COLUMN_CODE] = DUCK_TYPE_VARCHAR,
    };
    return types[column->kind];
}

/* ---- into vectors ---- */

struct target {
    const struct duck_library *library;
    void *vector;
    void *data;
};

static void set_null(const struct target *target, size_t row)
{
    target->library->vector_ensure_validity_writable(target->vector);
    target->library->vector_get_validity(target->vector)[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

static void fill_i64(const struct duck_column *column, size_t from, size_t to, size_t count,
                     const struct target *target)
{
    const int64_t *source = (const int64_t *)column->data + from * column->stride;
    int64_t *data = (int64_t *)target->data + to;
    for (size_t i = 0; i < count; i++) {
        data[i] = source[i * column->stride];
        if (data[i] == INT64_MIN)
            set_null(target, to + i);
    }
}

static void fill_i32(const struct duck_column *column, size_t from, size_t to, size_t count,
                     const struct target *target)
{
    const int32_t *source = (const int32_t *)column->data + from * column->stride;
    int32_t *data = (int32_t *)target->data + to;
    for (size_t i = 0; i < count; i++) {
        data[i] = source[i * column->stride];
        if (data[i] == INT32_MIN)
            set_null(target, to + i);
    }
}

static void fill_f32(const struct duck_column *column, size_t from, size_t to, size_t count,
                     const struct target *target)
{
    const float *source = (const float *)column->data + from * column->stride;
    float *data = (float *)target->data + to;
    for (size_t i = 0; i < count; i++)
        data[i] = source[i * column->stride];
    for (size_t i = 0; column->nan_is_null && i < count; i++)
        if (isnan(data[i]))
            set_null(target, to + i);
}

static const char *text_at(const struct duck_column *column, size_t row)
{
    if (column->kind == DUCK_COLUMN_TEXT)
        return ((const char *const *)column->data)[row * column->stride];
    int32_t code = ((const int32_t *)column->data)[row * column->stride];
    return code >= 0 ? column->texts[code] : NULL;
}

static void fill_text(const struct duck_column *column, size_t from, size_t to, size_t count,
                      const struct target *target)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = text_at(column, from + i);
        if (text != NULL)
            target->library->vector_assign_string_element(target->vector, to + i, text);
        else
            set_null(target, to + i);
    }
}

typedef void fill_function(const struct duck_column *column, size_t from, size_t to, size_t count,
                           const struct target *target);

static fill_function *const fill_of[] = {
    [DUCK_COLUMN_I64] = fill_i64, [DUCK_COLUMN_TIMESTAMP] = fill_i64, [DUCK_COLUMN_I32] = fill_i32,
    [DUCK_COLUMN_F32] = fill_f32, [DUCK_COLUMN_TEXT] = fill_text,     [DUCK_COLUMN_CODE] = fill_text,
};

void duck_columns_fill(const struct duck_library *library, const struct duck_column *columns,
                       const uint64_t *which, size_t column_count, size_t first, size_t count, void *chunk)
{
    for (size_t tile = 0; tile < count; tile += TILE_ROWS) {
        size_t rows = count - tile < TILE_ROWS ? count - tile : TILE_ROWS;
        for (size_t i = 0; i < column_count; i++) {
            const struct duck_column *column = &columns[which[i]];
            struct target target = {library, library->data_chunk_get_vector(chunk, i), NULL};
            target.data = library->vector_get_data(target.vector);
            fill_of[column->kind](column, first + tile, tile, rows, &target);
        }
    }
    library->data_chunk_set_size(chunk, count);
}

/* ---- insertion ---- */

static void *create_chunk(const struct duck_library *library, const struct duck_column *columns, size_t count)
{
    void **types = calloc(count, sizeof *types);
    void *chunk = NULL;
    if (types == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        types[i] = library->create_logical_type(duck_column_type(&columns[i]));
    chunk = library->create_data_chunk(types, count);
    for (size_t i = 0; i < count; i++)
        library->destroy_logical_type(&types[i]);
    free(types);
    return chunk;
}

static enum err_code append_rows(struct duck *duck, void *appender, const struct duck_column *columns,
                                 size_t column_count, size_t row_count, struct err *err)
{
    const struct duck_library *library = duck->library;
    const size_t chunk_rows = (size_t)library->vector_size();
    uint64_t *which = calloc(column_count, sizeof *which);
    void *chunk = create_chunk(library, columns, column_count);
    enum err_code code = which != NULL && chunk != NULL ? ERR_OK : err_nomem(err, column_count * 16);
    for (size_t i = 0; code == ERR_OK && i < column_count; i++)
        which[i] = i;
    for (size_t first = 0; code == ERR_OK && first < row_count; first += chunk_rows) {
        size_t count = row_count - first < chunk_rows ? row_count - first : chunk_rows;
        library->data_chunk_reset(chunk);
        duck_columns_fill(library, columns, which, column_count, first, count, chunk);
        if (library->append_data_chunk(appender, chunk))
            code = duck_fail(library->appender_error(appender), err);
    }
    if (chunk != NULL)
        library->destroy_data_chunk(&chunk);
    free(which);
    return code;
}

/* A result that was not read to its end leaves its statement open, and what is registered or inserted now would belong to
 * that statement and vanish with it: any other statement ends it. */
enum err_code duck_settle(struct duck *duck, struct err *err)
{
    return duck_query(duck, "SELECT 1", NULL, 0, NULL, err);
}

enum err_code duck_append(struct duck *duck, const char *table, const struct duck_column *columns,
                          size_t column_count, size_t row_count, struct err *err)
{
    const struct duck_library *library = duck->library;
    void *appender = NULL;
    assert(column_count > 0);
    enum err_code code = duck_settle(duck, err);
    if (code == ERR_OK && library->appender_create(duck->connection, NULL, table, &appender))
        code = duck_fail(library->appender_error(appender), err);
    if (code == ERR_OK)
        code = append_rows(duck, appender, columns, column_count, row_count, err);
    if (code == ERR_OK && library->appender_close(appender))
        code = duck_fail(library->appender_error(appender), err);
    if (appender != NULL)
        library->appender_destroy(&appender);
    return code != ERR_OK ? err_prefix(err, "cannot insert into '%s'", table) : ERR_OK;
}

/* ---- in place ---- */

/* What the table function knows; freed by the engine. */
struct exposed {
    const struct duck_library *library;
    struct duck_column *columns;
    char **names;
    size_t column_count, row_count;
};
/* One scan of it. */
struct scan {
    const struct exposed *exposed;
    size_t next_row, column_count;
    uint64_t which[];
};

static void exposed_destroy(void *info)
{
    struct exposed *exposed = info;
    for (size_t i = 0; exposed->names != NULL && i < exposed->column_count; i++)
        free(exposed->names[i]);
    free(exposed->names);
    free(exposed->columns);
    free(exposed);
}

static struct exposed *exposed_create(const struct duck *duck, const char *const *names,
                                      const struct duck_column *columns, size_t column_count,
                                      size_t row_count)
{
    struct exposed *exposed = calloc(1, sizeof *exposed);
    if (exposed == NULL)
        return NULL;
    *exposed = (struct exposed){duck->library, calloc(column_count, sizeof *columns),
                                calloc(column_count, sizeof(char *)), column_count, row_count};
    bool is_whole = exposed->columns != NULL && exposed->names != NULL;
    for (size_t i = 0; is_whole && i < column_count; i++) {
        exposed->columns[i] = columns[i];
        exposed->names[i] = strdup(names[i]);
        is_whole = exposed->names[i] != NULL;
    }
    if (is_whole)
        return exposed;
    exposed_destroy(exposed);
    return NULL;
}

/* There is no handle of the library in `info` before its extra info is known: the library is the process's only one. */
static const struct duck_library *the_library(void)
{
    const struct duck_library *library;
    enum err_code code = duck_library_open(&library, NULL);
    assert(code == ERR_OK);
    (void)code;
    return library;
}

static void scan_bind(void *info)
{
    const struct duck_library *library = the_library();
    const struct exposed *exposed = library->bind_get_extra_info(info);
    for (size_t i = 0; i < exposed->column_count; i++) {
        void *type = library->create_logical_type(duck_column_type(&exposed->columns[i]));
        library->bind_add_result_column(info, exposed->names[i], type);
        library->destroy_logical_type(&type);
    }
    library->bind_set_cardinality(info, exposed->row_count, true);
}

static void scan_init(void *info)
{
    const struct duck_library *library = the_library();
    size_t count = (size_t)library->init_get_column_count(info);
    struct scan *scan = calloc(1, sizeof *scan + count * sizeof *scan->which);
    if (scan == NULL) {
        library->init_set_error(info, "out of memory");
        return;
    }
    scan->exposed = library->init_get_extra_info(info);
    for (size_t i = 0; i < count; i++) {
        uint64_t column = library->init_get_column_index(info, i);
        if (column <
            scan->exposed->column_count) /* count(*) asks for the row's number, which no vector receives */
            scan->which[scan->column_count++] = column;
    }
    library->init_set_init_data(info, scan, free);
}

static void scan_fill(void *info, void *chunk)
{
    const struct duck_library *library = the_library();
    struct scan *scan = library->function_get_init_data(info);
    size_t left = scan->exposed->row_count - scan->next_row, most = (size_t)library->vector_size();
    size_t count = left < most ? left : most;
    duck_columns_fill(library, scan->exposed->columns, scan->which, scan->column_count, scan->next_row, count,
                      chunk);
    scan->next_row += count;
}

static enum err_code register_scan(struct duck *duck, const char *name, struct exposed *exposed,
                                   struct err *err)
{
    const struct duck_library *library = duck->library;
    void *function = library->create_table_function();
    library->table_function_set_name(function, name);
    library->table_function_set_extra_info(function, exposed, exposed_destroy);
    library->table_function_set_bind(function, scan_bind);
    library->table_function_set_init(function, scan_init);
    library->table_function_set_function(function, scan_fill);
    library->table_function_supports_projection_pushdown(function, true);
    int failed = library->register_table_function(duck->connection, function);
    library->destroy_table_function(&function);
    return failed ? err_set(err, ERR_INTERNAL, "DuckDB refuses the table function '%s'", name) : ERR_OK;
}

enum err_code duck_expose(struct duck *duck, const char *name, const char *const *column_names,
                          const struct duck_column *columns, size_t column_count, size_t row_count,
                          struct err *err)
{
    struct buffer sql;
    char function[40]; /* never the same twice: registering a name again would add to what it means */
    assert(column_count > 0);
    (void)snprintf(function, sizeof function, "almanac_rows_%llu", (unsigned long long)++duck->exposed);
    enum err_code code = duck_settle(duck, err);
    if (code != ERR_OK)
        return code;
    struct exposed *exposed = exposed_create(duck, column_names, columns, column_count, row_count);
    if (exposed == NULL)
        return err_nomem(err, column_count * sizeof *columns);
    code = register_scan(duck, function, exposed, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&sql, NAME_MAX_BYTES);
    buffer_append_text(&sql, "CREATE OR REPLACE TEMP VIEW ");
    duck_quote_name(&sql, name);
    buffer_printf(&sql, " AS SELECT * FROM %s()", function);
    code = buffer_check(&sql, name, err);
    if (code == ERR_OK)
        code = duck_query(duck, buffer_text(&sql), NULL, 0, NULL, err);
    buffer_release(&sql);
    return code;
}
