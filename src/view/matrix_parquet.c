/* The matrix as rows of DuckDB. See matrix_parquet.h. */
#include "view/matrix_parquet.h"
#include "limits.h"
#include "os/thread.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FIXED_COLUMNS = 4,
    LABELS = sizeof(((struct matrix_row *)0)->label) / sizeof(int32_t),
    LABEL_NAME_BYTES = 64,
    SQL_MAX_BYTES = 1 << 20,
    ROW_GROUP_ROWS = 20480 /* a group is held in memory until it is written: 30 MB at 363 features */
};

/* Numbers stand in the rows of the matrix: every struct matrix_row is so many elements of their type. */
enum {
    STRIDE_I64 = sizeof(struct matrix_row) / sizeof(int64_t),
    STRIDE_I32 = sizeof(struct matrix_row) / sizeof(int32_t)
};

struct column_list {
    struct duck_column *columns;
    const char **names;
    char labels[LABELS][LABEL_NAME_BYTES];
    size_t count;
};

static void add(struct column_list *list, const char *name, struct duck_column column)
{
    list->names[list->count] = name;
    list->columns[list->count++] = column;
}

static void add_row_columns(struct column_list *list, const struct matrix *matrix,
                            const struct matrix_names *names)
{
    static const struct matrix_row none = {0};
    const struct matrix_row *rows = matrix_rows(matrix) > 0 ? matrix_row_info(matrix) : &none;
    add(list, "id", (struct duck_column){DUCK_COLUMN_I64, &rows->id, STRIDE_I64});
    add(list, "start", (struct duck_column){DUCK_COLUMN_TIMESTAMP, &rows->start_us, STRIDE_I64});
    add(list, "league",
        (struct duck_column){DUCK_COLUMN_CODE, &rows->group, STRIDE_I32, .texts = names->groups});
    add(list, "country",
        (struct duck_column){DUCK_COLUMN_CODE, &rows->stream, STRIDE_I32, .texts = names->streams});
    for (size_t i = 0; i < names->target_count; i++) {
        (void)snprintf(list->labels[i], LABEL_NAME_BYTES, "label_%s", names->targets[i]);
        add(list, list->labels[i], (struct duck_column){DUCK_COLUMN_I32, &rows->label[i], STRIDE_I32});
    }
}

/* The view over the rows as they stand: in a matrix an unknown label is -1. */
static enum err_code create_view(struct duck *duck, const char *name, const char *rows_name,
                                 const struct column_list *list, size_t label_count, struct err *err)
{
    struct buffer sql;
    buffer_init(&sql, SQL_MAX_BYTES);
    buffer_append_text(&sql, "CREATE OR REPLACE TEMP VIEW ");
    duck_quote_name(&sql, name);
    buffer_append_text(&sql, " AS SELECT * ");
    for (size_t i = 0; i < label_count; i++) {
        buffer_append_text(&sql, i == 0 ? "REPLACE (nullif(" : ", nullif(");
        duck_quote_name(&sql, list->labels[i]);
        buffer_append_text(&sql, ", -1) AS ");
        duck_quote_name(&sql, list->labels[i]);
    }
    buffer_append_text(&sql, label_count > 0 ? ") FROM " : "FROM ");
    duck_quote_name(&sql, rows_name);
    enum err_code code = buffer_check(&sql, name, err);
    if (code == ERR_OK)
        code = duck_query(duck, buffer_text(&sql), NULL, 0, NULL, err);
    buffer_release(&sql);
    return code;
}

enum err_code matrix_expose(struct duck *duck, const char *name, const struct matrix *matrix,
                            const struct matrix_names *names, struct err *err)
{
    const size_t features = matrix_columns(matrix), most = FIXED_COLUMNS + LABELS + features;
    struct column_list list = {calloc(most, sizeof *list.columns), calloc(most, sizeof *list.names)};
    enum err_code code = ERR_OK;
    char rows_name[LIMIT_NAME_BYTES];
    assert(names->target_count <= LABELS);
    (void)snprintf(rows_name, sizeof rows_name, "%s_rows", name);
    if (list.columns == NULL || list.names == NULL) {
        code = err_nomem(err, most * sizeof *list.columns);
        goto out;
    }
    add_row_columns(&list, matrix, names);
    for (size_t i = 0; i < features; i++)
        add(&list, matrix_names(matrix)[i],
            (struct duck_column){DUCK_COLUMN_F32, matrix_values(matrix) + i, features, .nan_is_null = true});
    code = duck_expose(duck, rows_name, list.names, list.columns, list.count, matrix_rows(matrix), err);
    if (code == ERR_OK)
        code = create_view(duck, name, rows_name, &list, names->target_count, err);
out:
    free(list.columns);
    free((void *)list.names);
    return code;
}

enum err_code matrix_write_parquet(const struct matrix *matrix, const struct matrix_names *names,
                                   const char *path, struct err *err)
{
    struct duck *duck = NULL;
    struct buffer sql;
    buffer_init(&sql, SQL_MAX_BYTES);
    enum err_code code = duck_open(&(struct duck_options){.threads = thread_processor_count()}, &duck, err);
    if (code == ERR_OK)
        code = matrix_expose(duck, "matrix", matrix, names, err);
    buffer_append_text(&sql, "COPY matrix TO ");
    duck_quote(&sql, path);
    buffer_printf(&sql, " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE true)",
                  ROW_GROUP_ROWS);
    if (code == ERR_OK)
        code = buffer_check(&sql, path, err);
    if (code == ERR_OK)
        code = duck_query(duck, buffer_text(&sql), NULL, 0, NULL, err);
    buffer_release(&sql);
    duck_close(duck);
    return code;
}
