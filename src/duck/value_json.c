/* Values as JSON: nested types call themselves for their children. See value.h. */
#include "duck/value.h"

/* The child vector of a nested column as a column of its own; false where nothing reads its type. */
static bool open_child(const struct value_column *column, void *type, void *vector,
                       struct value_column *child)
{
    bool is_known = value_column_init(child, column->library, type, NULL) == ERR_OK;
    value_column_set(child, vector);
    return is_known;
}

static void write_items(const struct value_column *column, uint64_t row, struct json_writer *out)
{
    const struct duck_library *library = column->library;
    bool is_array = column->id == DUCK_TYPE_ARRAY;
    struct value_column child;
    struct duck_raw_list list = {0, 0};
    if (is_array) {
        list.count = library->array_type_array_size(column->type);
        list.offset = row * list.count;
    } else {
        list = ((const struct duck_raw_list *)column->data)[row];
    }
    void *type =
        is_array ? library->array_type_child_type(column->type) : library->list_type_child_type(column->type);
    void *vector = is_array ? library->array_vector_get_child(column->vector)
                            : library->list_vector_get_child(column->vector);
    bool is_known = open_child(column, type, vector, &child);
    json_begin_array(out);
    for (uint64_t i = 0; is_known && i < list.count; i++)
        value_write_json(&child, list.offset + i, out);
    json_end_array(out);
    value_column_release(&child);
}

static void write_struct(const struct value_column *column, uint64_t row, struct json_writer *out)
{
    const struct duck_library *library = column->library;
    json_begin_object(out);
    for (uint64_t i = 0; i < library->struct_type_child_count(column->type); i++) {
        struct value_column child;
        char *name = library->struct_type_child_name(column->type, i);
        bool is_known = open_child(column, library->struct_type_child_type(column->type, i),
                                   library->struct_vector_get_child(column->vector, i), &child);
        json_key(out, name != NULL ? name : "");
        if (is_known)
            value_write_json(&child, row, out);
        else
            json_put_null(out);
        library->free(name);
        value_column_release(&child);
    }
    json_end_object(out);
}

/* A list of structures of key and value. */
static void write_map(const struct value_column *column, uint64_t row, struct json_writer *out)
{
    const struct duck_library *library = column->library;
    const struct duck_raw_list list = ((const struct duck_raw_list *)column->data)[row];
    void *entries = library->list_vector_get_child(column->vector);
    struct value_column key, value;
    struct buffer text;
    bool is_known = open_child(column, library->map_type_key_type(column->type),
                               library->struct_vector_get_child(entries, 0), &key);
    is_known &= open_child(column, library->map_type_value_type(column->type),
                           library->struct_vector_get_child(entries, 1), &value);
    buffer_init(&text, out->out->max_bytes);
    json_begin_object(out);
    for (uint64_t i = 0; is_known && i < list.count; i++) {
        buffer_clear(&text);
        value_write(&key, list.offset + i, &text);
        json_key(out, buffer_text(&text));
        value_write_json(&value, list.offset + i, out);
    }
    json_end_object(out);
    buffer_release(&text);
    value_column_release(&key);
    value_column_release(&value);
}

static void write_nested(const struct value_column *column, uint64_t row, struct json_writer *out)
{
    if (out->depth >= VALUE_DEPTH)
        json_put_text(out, "(nested deeper)");
    else if (column->id == DUCK_TYPE_STRUCT)
        write_struct(column, row, out);
    else if (column->id == DUCK_TYPE_MAP)
        write_map(column, row, out);
    else
        write_items(column, row, out);
}

void value_write_json(const struct value_column *column, uint64_t row, struct json_writer *out)
{
    struct buffer text;
    if (value_is_null(column, row)) {
        json_put_null(out);
        return;
    }
    if (value_is_nested(column)) {
        write_nested(column, row, out);
        return;
    }
    buffer_init(&text, out->out->max_bytes);
    value_write(column, row, &text);
    if (text.failed)
        out->out->failed = text.failed;
    if (column->id == DUCK_TYPE_BOOLEAN || value_is_exact_number(column, row))
        json_put_raw(out, buffer_text(&text), text.size_bytes);
    else if (column->id == DUCK_TYPE_FLOAT || column->id == DUCK_TYPE_DOUBLE)
        json_put_null(out);
    else
        json_put_text(out, buffer_text(&text));
    buffer_release(&text);
}
