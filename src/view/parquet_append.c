/* Columns behind those of a Parquet file: see parquet_append.h. One group at a time: its columns are encoded by all threads,
 * then their places are known, and all threads write. */
#include "view/parquet_append.h"

#include "os/thread.h"
#include "view/parquet_chunk.h"
#include "view/parquet_footer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 4, TAIL_BYTES = 8 /* length of the footer, magic */ };
static const char MAGIC[] = "PAR1";

struct append {
    const struct file_draft *draft;
    const struct parquet_floats *columns;
    struct buffer footer; /* as it was */
    size_t end;           /* of the pages so far */
    struct parquet_group *groups;
    size_t group_count;
    struct pool *pool;
    struct parquet_scratch **idle; /* [idle_count] */
    size_t idle_count;
    /* of one group */
    size_t first_row, row_count;
    struct parquet_chunk *chunks; /* [columns] */
    size_t *offsets;              /* [columns] */
    pthread_mutex_t lock;         /* of idle, code and cause */
    enum err_code code;           /* the first failure of a thread */
    struct err cause;
};

/* ---- the file as it is ---- */

static enum err_code take_footer(struct append *append, const struct file_map *map, struct err *err)
{
    const size_t around_bytes = MAGIC_BYTES + TAIL_BYTES, file_bytes = map->size_bytes;
    uint32_t size_bytes = UINT32_MAX;
    if (file_bytes >= around_bytes && memcmp(map->data + file_bytes - MAGIC_BYTES, MAGIC, MAGIC_BYTES) == 0)
        memcpy(&size_bytes, map->data + file_bytes - TAIL_BYTES, sizeof(size_bytes));
    if (file_bytes < around_bytes || size_bytes > file_bytes - around_bytes)
        return err_set(err, ERR_CORRUPT, "it is no Parquet file");
    append->end = file_bytes - TAIL_BYTES - size_bytes;
    buffer_append(&append->footer, map->data + append->end, size_bytes);
    return buffer_check(&append->footer, "the footer", err);
}

static enum err_code read_file(struct append *append, size_t row_count, struct err *err)
{
    struct file_map map;
    size_t rows = 0;
    enum err_code code = file_map_open(append->draft->name, INT64_MAX, &map, err);
    if (code != ERR_OK)
        return code;
    code = take_footer(append, &map, err);
    file_map_close(&map);
    if (code == ERR_OK)
        code = parquet_footer_groups(append->footer.data, append->footer.size_bytes, &append->groups,
                                     &append->group_count, err);
    for (size_t i = 0; i < append->group_count; i++)
        rows += append->groups[i].row_count;
    if (code == ERR_OK && rows != row_count)
        code = err_set(err, ERR_CORRUPT, "it has %zu rows instead of %zu", rows, row_count);
    return code;
}

/* ---- in all threads ---- */

static struct parquet_scratch *take_scratch(struct append *append)
{
    (void)pthread_mutex_lock(&append->lock);
    assert(append->idle_count > 0); /* there are as many as threads */
    struct parquet_scratch *scratch = append->idle[--append->idle_count];
    (void)pthread_mutex_unlock(&append->lock);
    return scratch;
}

static void give_scratch(struct append *append, struct parquet_scratch *scratch)
{
    (void)pthread_mutex_lock(&append->lock);
    append->idle[append->idle_count++] = scratch;
    (void)pthread_mutex_unlock(&append->lock);
}

static void encode_column(void *context, size_t column)
{
    struct append *append = context;
    const struct parquet_floats *columns = append->columns;
    struct parquet_scratch *scratch = take_scratch(append);
    columns->fill(columns->context, column, append->first_row, append->row_count,
                  parquet_scratch_values(scratch));
    parquet_chunk_encode(scratch, append->row_count, &append->chunks[column]);
    give_scratch(append, scratch);
}

static void write_column(void *context, size_t column)
{
    struct append *append = context;
    struct parquet_chunk *chunk = &append->chunks[column];
    struct err err = {0};
    enum err_code code = buffer_check(&chunk->bytes, append->columns->names[column], &err);
    if (code == ERR_OK)
        code = file_draft_write(append->draft, append->offsets[column], chunk->bytes.data,
                                chunk->bytes.size_bytes, &err);
    buffer_release(&chunk->bytes);
    if (code == ERR_OK)
        return;
    (void)pthread_mutex_lock(&append->lock);
    append->code = code;
    append->cause = err;
    (void)pthread_mutex_unlock(&append->lock);
}

/* ---- groups ---- */

static enum err_code append_group(struct append *append, struct parquet_group *group, struct err *err)
{
    const struct parquet_floats *columns = append->columns;
    append->row_count = group->row_count;
    pool_for(append->pool, columns->count, encode_column, append);
    for (size_t i = 0; i < columns->count; i++) {
        append->offsets[i] = append->end;
        append->end += append->chunks[i].bytes.size_bytes;
        group->added_bytes += append->chunks[i].bytes.size_bytes;
        parquet_chunk_describe(&append->chunks[i], columns->names[i], append->offsets[i], &group->added);
    }
    pool_for(append->pool, columns->count, write_column, append);
    append->first_row += group->row_count;
    if (append->code != ERR_OK)
        return err_set(err, append->code, "%s", append->cause.text);
    return buffer_check(&group->added, "the descriptions of the columns", err);
}

static enum err_code write_footer(struct append *append, struct err *err)
{
    struct buffer footer;
    buffer_init(&footer, INT32_MAX);
    enum err_code code =
        parquet_footer_extend(append->footer.data, append->footer.size_bytes, append->columns->names,
                              append->columns->count, append->groups, &footer, err);
    buffer_append_u32(&footer, (uint32_t)footer.size_bytes);
    buffer_append(&footer, MAGIC, MAGIC_BYTES);
    if (code == ERR_OK)
        code = buffer_check(&footer, "the footer", err);
    if (code == ERR_OK)
        code = file_draft_write(append->draft, append->end, footer.data, footer.size_bytes, err);
    buffer_release(&footer);
    return code;
}

static enum err_code prepare(struct append *append, struct err *err)
{
    size_t most_rows = 0, count = append->columns->count;
    for (size_t i = 0; i < append->group_count; i++)
        most_rows = append->groups[i].row_count > most_rows ? append->groups[i].row_count : most_rows;
    enum err_code code = pool_create(0, &append->pool, err);
    if (code != ERR_OK)
        return code;
    size_t threads = pool_thread_count(append->pool);
    append->chunks = calloc(count + 1, sizeof(*append->chunks));
    append->offsets = calloc(count + 1, sizeof(*append->offsets));
    append->idle = calloc(threads, sizeof(struct parquet_scratch *));
    if (append->chunks == NULL || append->offsets == NULL || append->idle == NULL)
        return err_nomem(err, count * sizeof(*append->chunks));
    for (; code == ERR_OK && append->idle_count < threads; append->idle_count += code == ERR_OK)
        code = parquet_scratch_create(most_rows, &append->idle[append->idle_count], err);
    return code;
}

static void release(struct append *append)
{
    pool_destroy(append->pool);
    for (size_t i = 0; i < append->idle_count; i++)
        parquet_scratch_destroy(append->idle[i]);
    free(append->idle);
    free(append->chunks);
    free(append->offsets);
    parquet_groups_destroy(append->groups, append->group_count);
    buffer_release(&append->footer);
    (void)pthread_mutex_destroy(&append->lock);
}

enum err_code parquet_append(const struct file_draft *draft, const struct parquet_floats *columns,
                             size_t row_count, struct err *err)
{
    struct append append = {.draft = draft, .columns = columns};
    buffer_init(&append.footer, UINT32_MAX);
    (void)pthread_mutex_init(&append.lock, NULL);
    enum err_code code = read_file(&append, row_count, err);
    if (code == ERR_OK)
        code = prepare(&append, err);
    for (size_t i = 0; code == ERR_OK && i < append.group_count; i++)
        code = append_group(&append, &append.groups[i], err);
    if (code == ERR_OK)
        code = write_footer(&append, err);
    release(&append);
    if (code == ERR_CORRUPT)
        return err_prefix(err, "cannot add columns to '%s'", draft->path);
    return code;
}
