/* The schema of an option table: see openapi_options.h. Follows base/option.c, which reads the JSON. */
#include "api/openapi_options.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static json_t *nullable(const char *type)
{
    return json_pack("[s,s]", type, "null");
}

/* A whole number is written as one: 1, not 1.0. */
static json_t *number(double value)
{
    return value == floor(value) && fabs(value) < 0x1p53 ? json_integer((json_int_t)value) : json_real(value);
}

static void put_range(json_t *schema, const struct option_row *row)
{
    double bound = row->type == OPTION_INT ? 0x1p62 : 1e300;
    if (row->min > -bound)
        (void)json_object_set_new(schema, "minimum", number(row->min));
    if (row->max < bound)
        (void)json_object_set_new(schema, "maximum", number(row->max));
}

static json_t *choices(const struct option_row *row)
{
    struct text rest = text_of(row->unit), choice;
    json_t *list = json_array();
    while (text_split(&rest, '|', &choice))
        (void)json_array_append_new(list, json_stringn(choice.data, choice.size_bytes));
    (void)json_array_append_new(list, json_null());
    return list;
}

static void put_type(json_t *schema, const struct option_row *row)
{
    switch (row->type) {
    case OPTION_BOOL:
        (void)json_object_set_new(schema, "type", nullable("boolean"));
        return;
    case OPTION_INT:
    case OPTION_REAL:
        (void)json_object_set_new(schema, "type", nullable(row->type == OPTION_INT ? "integer" : "number"));
        put_range(schema, row);
        return;
    case OPTION_TEXT: /* bytes, so fewer characters may be too long already */
        (void)json_object_set_new(schema, "type", nullable("string"));
        (void)json_object_set_new(schema, "maxLength", json_integer((json_int_t)row->size_bytes - 1));
        return;
    case OPTION_DATE:
        (void)json_object_set_new(schema, "type", nullable("string"));
        (void)json_object_set_new(schema, "examples", json_pack("[s,s]", "2024-08-17", "2024-08-17T14:00Z"));
        return;
    case OPTION_ENUM:
        (void)json_object_set_new(schema, "enum", choices(row));
        return;
    }
}

static json_t *fallback(const struct option_row *row)
{
    struct text text = text_of(row->fallback);
    int64_t integer = 0;
    double real = 0;
    switch (row->type) {
    case OPTION_BOOL:
        return json_boolean(text_equal(text, "true"));
    case OPTION_INT:
        return text_parse_i64(text, &integer) ? json_integer(integer) : NULL;
    case OPTION_REAL:
        return text_parse_f64(text, &real) ? number(real) : NULL;
    default:
        return text.size_bytes == 0 ? NULL : json_string(row->fallback);
    }
}

static json_t *property(const struct option_row *row)
{
    json_t *schema = json_object(), *value = fallback(row);
    put_type(schema, row);
    if (value != NULL)
        (void)json_object_set_new(schema, "default", value);
    (void)json_object_set_new(schema, "description", json_string(row->doc));
    if (row->unit[0] != '\0' && row->type != OPTION_ENUM)
        (void)json_object_set_new(schema, "x-unit", json_string(row->unit));
    return schema;
}

json_t *openapi_options(const struct option_table *table, const char *doc)
{
    json_t *schema =
        json_pack("{s:s,s:s,s:b}", "type", "object", "description", doc, "additionalProperties", 0);
    json_t *properties = json_object();
    for (size_t i = 0; i < table->count; i++)
        (void)json_object_set_new(properties, table->rows[i].name, property(&table->rows[i]));
    if (json_object_set_new(schema, "properties", properties) == 0)
        return schema;
    json_decref(schema);
    return NULL;
}
