/* Results: rows one after the other, a chunk of DuckDB's at a time; and as CSV and JSON. See duck.h. */
#include "duck/duck.h"
#include "duck/duck_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void duck_result_destroy(struct duck_result *result)
{
    if (result == NULL)
        return;
    const struct duck_library *library = result->duck->library;
    if (result->chunk != NULL)
        library->destroy_data_chunk(&result->chunk);
    for (size_t i = 0; i < result->column_count; i++) {
        value_column_release(&result->columns[i]);
        buffer_release(&result->texts[i]);
    }
    if (result->has_raw)
        library->destroy_result(&result->raw);
    result->duck->open_results--;
    free(result->columns);
    free(result->texts);
    free(result->text_row);
    free(result);
}

size_t duck_result_columns(const struct duck_result *result)
{
    return result->column_count;
}

const char *duck_result_name(const struct duck_result *result, size_t column)
{
    assert(column < result->column_count);
    /* the name is kept by the result; the C API forgot the const */
    struct duck_raw_result raw = result->raw;
    return result->duck->library->column_name(&raw, column);
}

const char *duck_result_type(const struct duck_result *result, size_t column)
{
    assert(column < result->column_count);
    return result->columns[column].type_name;
}

int64_t duck_result_changes(const struct duck_result *result)
{
    return result->changes;
}

/* The next chunk that has rows, or none. */
static enum err_code next_chunk(struct duck_result *result, struct err *err)
{
    const struct duck_library *library = result->duck->library;
    if (result->statement != result->duck->statement)
        return err_set(err, ERR_CONFLICT, "another statement has begun: its rows came instead of these");
    do {
        if (result->chunk != NULL)
            library->destroy_data_chunk(&result->chunk);
        result->chunk = library->fetch_chunk(result->raw);
        result->chunk_rows = result->chunk != NULL ? library->data_chunk_get_size(result->chunk) : 0;
    } while (result->chunk != NULL && result->chunk_rows == 0);
    const char *message = library->result_error(&result->raw);
    if (result->chunk == NULL && message != NULL && *message != '\0')
        return duck_fail(message, err);
    for (size_t i = 0; result->chunk != NULL && i < result->column_count; i++)
        value_column_set(&result->columns[i], library->data_chunk_get_vector(result->chunk, i));
    result->row = 0;
    return ERR_OK;
}

enum err_code duck_result_next(struct duck_result *result, bool *out_row, struct err *err)
{
    enum err_code code = ERR_OK;
    *out_row = false;
    if (result->is_done)
        return ERR_OK;
    if (result->chunk != NULL && result->row + 1 < result->chunk_rows)
        result->row++;
    else
        code = next_chunk(result, err);
    result->is_done = code != ERR_OK || result->chunk == NULL;
    *out_row = !result->is_done;
    result->rows_seen += *out_row;
    return code;
}

static const struct value_column *cell(const struct duck_result *result, size_t column)
{
    assert(column < result->column_count && result->chunk != NULL);
    return &result->columns[column];
}

bool duck_is_null(const struct duck_result *result, size_t column)
{
    return value_is_null(cell(result, column), result->row);
}

int64_t duck_i64(const struct duck_result *result, size_t column)
{
    return value_i64(cell(result, column), result->row);
}

double duck_f64(const struct duck_result *result, size_t column)
{
    return value_f64(cell(result, column), result->row);
}

const char *duck_text(const struct duck_result *result, size_t column)
{
    const struct value_column *at = cell(result, column);
    struct buffer *text = &result->texts[column];
    if (result->text_row[column] != result->rows_seen) {
        buffer_clear(text);
        value_write(at, result->row, text);
        result->text_row[column] = result->rows_seen;
    }
    return buffer_text(text);
}

/* ---- CSV ---- */

/* Quoted when a reader would take it apart; an empty text is "", as nothing at all is NULL. */
static void append_field(struct buffer *out, const char *text, size_t size_bytes)
{
    bool is_plain = size_bytes > 0;
    for (size_t i = 0; i < size_bytes && is_plain; i++)
        is_plain = strchr(",\"\r\n", text[i]) == NULL || text[i] == '\0';
    is_plain = is_plain && text[0] != ' ' && text[size_bytes - 1] != ' ';
    if (is_plain) {
        buffer_append(out, text, size_bytes);
        return;
    }
    buffer_append_char(out, '"');
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, text[i]);
    }
    buffer_append_char(out, '"');
}

void duck_result_csv_head(const struct duck_result *result, struct buffer *out)
{
    for (size_t i = 0; i < result->column_count; i++) {
        const char *name = duck_result_name(result, i);
        if (i > 0)
            buffer_append_char(out, ',');
        append_field(out, name, strlen(name));
    }
    buffer_append_char(out, '\n');
}

void duck_result_csv_row(const struct duck_result *result, struct buffer *out)
{
    for (size_t i = 0; i < result->column_count; i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        if (duck_is_null(result, i))
            continue;
        const char *text = duck_text(result, i);
        append_field(out, text, result->texts[i].size_bytes);
    }
    buffer_append_char(out, '\n');
}

void duck_result_json_row(const struct duck_result *result, struct json_writer *out)
{
    json_begin_object(out);
    for (size_t i = 0; i < result->column_count; i++) {
        json_key(out, duck_result_name(result, i));
        value_write_json(cell(result, i), result->row, out);
    }
    json_end_object(out);
}

/* ---- all rows ---- */

enum err_code duck_result_write_csv(struct duck_result *result, struct buffer *out, size_t max_rows,
                                    bool *out_more, struct err *err)
{
    bool has_row = false;
    size_t count = 0;
    duck_result_csv_head(result, out);
    enum err_code code = duck_result_next(result, &has_row, err);
    for (; code == ERR_OK && has_row && count < max_rows && !out->failed; count++) {
        duck_result_csv_row(result, out);
        code = duck_result_next(result, &has_row, err);
    }
    *out_more = code == ERR_OK && has_row;
    return code == ERR_OK ? buffer_check(out, "the rows as CSV", err) : code;
}

enum err_code duck_result_write_json(struct duck_result *result, struct buffer *out, size_t max_rows,
                                     bool *out_more, struct err *err)
{
    struct json_writer writer;
    bool has_row = false;
    size_t count = 0;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    enum err_code code = duck_result_next(result, &has_row, err);
    for (; code == ERR_OK && has_row && count < max_rows && !out->failed; count++) {
        duck_result_json_row(result, &writer);
        code = duck_result_next(result, &has_row, err);
    }
    json_end_array(&writer);
    *out_more = code == ERR_OK && has_row;
    return code == ERR_OK ? buffer_check(out, "the rows as JSON", err) : code;
}
