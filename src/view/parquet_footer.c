/* Footers of Parquet files: see parquet_footer.h. Names of the format's structures are in capitals in the comments, and the
 * numbers of their fields in the enumerations. */
#include "view/parquet_footer.h"
#include "view/parquet_chunk.h"
#include "view/thrift.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_SCHEMA = 2, FILE_GROUPS = 4, FILE_ORDERS = 7 };
enum { SCHEMA_TYPE = 1, SCHEMA_REPETITION = 3, SCHEMA_NAME = 4, SCHEMA_CHILDREN = 5 };
enum { GROUP_COLUMNS = 1, GROUP_BYTES = 2, GROUP_ROWS = 3, GROUP_COMPRESSED_BYTES = 6 };
enum { ORDER_OF_TYPE = 1 };

static struct thrift_reader reader_of(const void *footer, size_t footer_bytes)
{
    const uint8_t *bytes = footer;
    return (struct thrift_reader){.at = bytes, .end = bytes + footer_bytes};
}

static enum err_code check(const struct thrift_reader *reader, struct err *err)
{
    return reader->is_damaged ? err_set(err, ERR_CORRUPT, "the footer of the Parquet file is damaged")
                              : ERR_OK;
}

/* ---- the groups ---- */

static void read_group(struct thrift_reader *reader, struct parquet_group *group)
{
    struct thrift_field field = {0};
    while (thrift_next_field(reader, &field)) {
        if (field.id != GROUP_ROWS || field.type != THRIFT_I64) {
            thrift_skip(reader, field.type);
            continue;
        }
        int64_t rows = thrift_i64(reader);
        reader->is_damaged |= rows < 0 || rows > INT32_MAX;
        group->row_count = reader->is_damaged ? 0 : (size_t)rows;
    }
}

static enum err_code read_groups(struct thrift_reader *reader, struct parquet_group **out, size_t *out_count,
                                 struct err *err)
{
    enum thrift_type element;
    size_t count = thrift_list(reader, &element);
    if (*out != NULL || element != THRIFT_STRUCT)
        reader->is_damaged = true;
    if (reader->is_damaged)
        return ERR_OK;
    *out = calloc(count + 1, sizeof(**out));
    if (*out == NULL)
        return err_nomem(err, count * sizeof(**out));
    *out_count = count;
    for (size_t i = 0; i < count; i++) {
        buffer_init(&(*out)[i].added, INT32_MAX);
        read_group(reader, &(*out)[i]);
    }
    return ERR_OK;
}

enum err_code parquet_footer_groups(const void *footer, size_t footer_bytes, struct parquet_group **out,
                                    size_t *out_count, struct err *err)
{
    struct thrift_reader reader = reader_of(footer, footer_bytes);
    struct thrift_field field = {0};
    enum err_code code = ERR_OK;
    *out = NULL;
    *out_count = 0;
    while (code == ERR_OK && thrift_next_field(&reader, &field)) {
        if (field.id == FILE_GROUPS && field.type == THRIFT_LIST)
            code = read_groups(&reader, out, out_count, err);
        else
            thrift_skip(&reader, field.type);
    }
    if (code == ERR_OK)
        code = check(&reader, err);
    if (code == ERR_OK)
        return ERR_OK;
    parquet_groups_destroy(*out, *out_count);
    *out = NULL;
    *out_count = 0;
    return code;
}

void parquet_groups_destroy(struct parquet_group *groups, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_release(&groups[i].added);
    free(groups);
}

/* ---- with more columns ---- */

/* The next element of a list of structures, as it is. */
static void copy_element(struct thrift_reader *reader, struct buffer *out)
{
    const uint8_t *first = reader->at;
    thrift_skip(reader, THRIFT_STRUCT);
    buffer_append(out, first, (size_t)(reader->at - first));
}

/* Begins the list with `more` elements than it has; returns how many it has. */
static size_t begin_list(struct thrift_writer *writer, int id, size_t more, struct thrift_reader *reader)
{
    enum thrift_type element;
    size_t count = thrift_list(reader, &element);
    reader->is_damaged |= element != THRIFT_STRUCT;
    thrift_put_list(writer, id, THRIFT_STRUCT, count + more);
    return reader->is_damaged ? 0 : count;
}

/* The number of the field and `more`; none of a file that is whole is negative. */
static int64_t more_of(struct thrift_reader *reader, size_t more, int64_t most)
{
    int64_t number = thrift_i64(reader);
    reader->is_damaged |= number < 0 || more > (size_t)most || number > most - (int64_t)more;
    return reader->is_damaged ? 0 : number + (int64_t)more;
}

/* The first SCHEMAELEMENT: all columns are its children. */
static void put_root(struct thrift_reader *reader, size_t more, struct buffer *out)
{
    struct thrift_writer writer = {.out = out};
    struct thrift_field field = {0};
    while (thrift_next_field(reader, &field)) {
        if (field.id == SCHEMA_CHILDREN && field.type == THRIFT_I32)
            thrift_put_i32(&writer, SCHEMA_CHILDREN, (int32_t)more_of(reader, more, INT32_MAX));
        else
            thrift_copy(&writer, field, reader);
    }
    thrift_end(&writer);
}

static void put_schema(struct thrift_writer *writer, struct thrift_reader *reader, const char *const *names,
                       size_t count)
{
    size_t elements = begin_list(writer, FILE_SCHEMA, count, reader);
    if (elements == 0)
        reader->is_damaged = true;
    else
        put_root(reader, count, writer->out);
    for (size_t i = 1; i < elements; i++)
        copy_element(reader, writer->out);
    for (size_t i = 0; i < count; i++) {
        struct thrift_writer element = {.out = writer->out};
        thrift_put_i32(&element, SCHEMA_TYPE, PARQUET_FLOAT);
        thrift_put_i32(&element, SCHEMA_REPETITION, PARQUET_OPTIONAL);
        thrift_put_bytes(&element, SCHEMA_NAME, names[i], strlen(names[i]));
        thrift_end(&element);
    }
}

static void put_group(struct thrift_reader *reader, size_t more, const struct parquet_group *group,
                      struct buffer *out)
{
    struct thrift_writer writer = {.out = out};
    struct thrift_field field = {0};
    size_t lists = 0;
    while (thrift_next_field(reader, &field)) {
        if (field.id == GROUP_COLUMNS && field.type == THRIFT_LIST) {
            size_t columns = begin_list(&writer, GROUP_COLUMNS, more, reader);
            for (size_t i = 0; i < columns; i++)
                copy_element(reader, out);
            buffer_append(out, group->added.data, group->added.size_bytes);
            lists++;
        } else if ((field.id == GROUP_BYTES || field.id == GROUP_COMPRESSED_BYTES) &&
                   field.type == THRIFT_I64) {
            thrift_put_i64(&writer, field.id, more_of(reader, group->added_bytes, INT64_MAX));
        } else {
            thrift_copy(&writer, field, reader);
        }
    }
    reader->is_damaged |= lists != 1;
    thrift_end(&writer);
}

/* COLUMNORDER: that of the type, which says what low and high mean. */
static void put_orders(struct thrift_writer *writer, struct thrift_reader *reader, size_t more)
{
    size_t orders = begin_list(writer, FILE_ORDERS, more, reader);
    for (size_t i = 0; i < orders; i++)
        copy_element(reader, writer->out);
    for (size_t i = 0; i < more; i++) {
        struct thrift_writer order = {.out = writer->out};
        struct thrift_writer of_type = thrift_put_struct(&order, ORDER_OF_TYPE);
        thrift_end(&of_type);
        thrift_end(&order);
    }
}

enum err_code parquet_footer_extend(const void *footer, size_t footer_bytes, const char *const *names,
                                    size_t count, const struct parquet_group *groups, struct buffer *out,
                                    struct err *err)
{
    struct thrift_reader reader = reader_of(footer, footer_bytes);
    struct thrift_writer writer = {.out = out};
    struct thrift_field field = {0};
    size_t schemas = 0;
    while (thrift_next_field(&reader, &field)) {
        if (field.id == FILE_SCHEMA && field.type == THRIFT_LIST) {
            put_schema(&writer, &reader, names, count);
            schemas++;
        } else if (field.id == FILE_GROUPS && field.type == THRIFT_LIST) {
            size_t group_count = begin_list(&writer, FILE_GROUPS, 0, &reader);
            for (size_t i = 0; i < group_count; i++)
                put_group(&reader, count, &groups[i], out);
        } else if (field.id == FILE_ORDERS && field.type == THRIFT_LIST) {
            put_orders(&writer, &reader, count);
        } else {
            thrift_copy(&writer, field, &reader);
        }
    }
    reader.is_damaged |= schemas != 1;
    thrift_end(&writer);
    enum err_code code = check(&reader, err);
    return code == ERR_OK ? buffer_check(out, "the footer of the Parquet file", err) : code;
}
