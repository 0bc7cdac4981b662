/* Offline store: writing one version. The version's folder is made anew under a hidden name: partitions that stay are links
 * to the files of the old one, the others are written by DuckDB from a table that holds one year, so that memory follows the
 * largest year. When all is there (statistics over all partitions, view.json last), it takes its place in one step. What is
 * left of a writer that was killed is removed by the next, under the same lock. A file is small by the dictionaries
 * of its columns: zstd would take an eighth off it, LZ4 a twenty-fifth, and then a row's value could not be read where it
 * lies (parquet_pick.h). */
#include "view/offline_private.h"

#include "base/time.h"
#include "os/folder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_YEAR = INT32_MIN };

struct offline_writer {
    struct duck *duck;
    struct offline_write write;
    char name[OFFLINE_NAME_BYTES];
    char path[FILE_PATH_BYTES], made[FILE_PATH_BYTES]; /* in its place, and meanwhile */
    struct view_column *columns;
    size_t column_count;
    struct buffer sql;
    char table[OFFLINE_NAME_BYTES + 16]; /* of the engine: writers of several views may share one */
    int lock;
    bool is_locked;
    int year; /* of the table; NO_YEAR: there is none */
    int64_t last_us;
};

static int year_of(int64_t time_us)
{
    int year, month, day;
    time_civil_from_day(time_day_of(time_us), &year, &month, &day);
    return year;
}

static int64_t year_end_us(int year)
{
    return time_day_from_civil(year + 1, 1, 1) * TIME_DAY_US;
}

/* ---- opening ---- */

static enum err_code name_paths(struct offline_writer *writer, const char *folder, struct err *err)
{
    char name[OFFLINE_NAME_BYTES + 16], lock_path[FILE_PATH_BYTES];
    enum err_code code = file_make_folders(folder, err);
    if (code == ERR_OK)
        code = file_join(folder, writer->name, writer->path, err);
    (void)snprintf(name, sizeof(name), ".%s.made", writer->name);
    if (code == ERR_OK)
        code = file_join(folder, name, writer->made, err);
    (void)snprintf(name, sizeof(name), ".%s.lock", writer->name);
    if (code == ERR_OK)
        code = file_join(folder, name, lock_path, err);
    if (code == ERR_OK)
        code = folder_lock(lock_path, &writer->lock, err);
    writer->is_locked = code == ERR_OK;
    return code;
}

/* Links the partition `name` of the old version if it stays. */
static enum err_code keep_partition(struct offline_writer *writer, const char *name, struct err *err)
{
    char from[FILE_PATH_BYTES], to[FILE_PATH_BYTES], old_file[FILE_PATH_BYTES], new_file[FILE_PATH_BYTES];
    int64_t year;
    if (!text_starts(text_of(name), "year=") || !text_parse_i64(text_of(name + strlen("year=")), &year) ||
        year >= year_of(writer->write.from_us))
        return ERR_OK;
    enum err_code code = file_join(writer->path, name, from, err);
    if (code == ERR_OK)
        code = file_join(writer->made, name, to, err);
    if (code == ERR_OK)
        code = file_make_folders(to, err);
    if (code == ERR_OK)
        code = file_join(from, "rows.parquet", old_file, err);
    if (code == ERR_OK)
        code = file_join(to, "rows.parquet", new_file, err);
    return code == ERR_OK ? folder_link_file(old_file, new_file, err) : code;
}

static enum err_code begin_folder(struct offline_writer *writer, struct err *err)
{
    struct folder_list list;
    enum err_code code = folder_remove(writer->made, err);
    if (code == ERR_OK)
        code = file_make_folders(writer->made, err);
    if (code != ERR_OK || writer->write.from_us == INT64_MIN)
        return code;
    code = folder_list_open(writer->path, &list, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        code = keep_partition(writer, list.names[i], err);
    folder_list_close(&list);
    return code;
}

enum err_code offline_writer_open(const char *folder, struct duck *duck, const struct offline_write *write,
                                  struct offline_writer **out, struct err *err)
{
    struct offline_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return err_nomem(err, sizeof(*writer));
    writer->duck = duck;
    writer->write = *write;
    writer->year = NO_YEAR;
    writer->last_us = INT64_MIN;
    buffer_init(&writer->sql, OFFLINE_SQL_BYTES);
    offline_store_name(write->view, write->set, writer->name);
    (void)snprintf(writer->table, sizeof(writer->table), "offline_new_%s", write->view->name);
    writer->column_count = feature_view_columns(write->view, write->set, NULL, 0);
    writer->columns = calloc(writer->column_count + 1, sizeof(*writer->columns));
    enum err_code code =
        writer->columns != NULL ? name_paths(writer, folder, err) : err_nomem(err, writer->column_count);
    if (code == ERR_OK) {
        (void)feature_view_columns(write->view, write->set, writer->columns, writer->column_count);
        code = begin_folder(writer, err);
    }
    if (code != ERR_OK) {
        offline_writer_close(writer);
        return code;
    }
    *out = writer;
    return ERR_OK;
}

void offline_writer_close(struct offline_writer *writer)
{
    struct err err;
    if (writer == NULL)
        return;
    if (writer->year != NO_YEAR) {
        buffer_clear(&writer->sql);
        buffer_printf(&writer->sql, "DROP TABLE IF EXISTS %s", writer->table);
        (void)!offline_query(writer->duck, &writer->sql, NULL, &err);
    }
    if (writer->is_locked) {
        (void)!folder_remove(writer->made, &err);
        folder_unlock(writer->lock);
    }
    buffer_release(&writer->sql);
    free(writer->columns);
    free(writer);
}

/* ---- rows ---- */

static enum err_code create_table(struct offline_writer *writer, struct err *err)
{
    size_t key_count;
    const char *const *keys = offline_key_names(writer->write.view->entity, &key_count);
    struct buffer *sql = &writer->sql;
    buffer_printf(sql, "CREATE OR REPLACE TABLE %s (", writer->table);
    for (size_t i = 0; i < key_count; i++)
        buffer_printf(sql, "\"%s\" BIGINT, ", keys[i]);
    buffer_append_text(sql, "event_timestamp TIMESTAMP");
    for (size_t i = 0; i < writer->column_count; i++)
        buffer_printf(sql, ", \"%s\" FLOAT", writer->columns[i].name);
    buffer_append_text(sql, ")");
    return offline_query(writer->duck, sql, NULL, err);
}

static enum err_code end_year(struct offline_writer *writer, struct err *err)
{
    char partition[32], folder[FILE_PATH_BYTES], file[FILE_PATH_BYTES];
    if (writer->year == NO_YEAR)
        return ERR_OK;
    (void)snprintf(partition, sizeof(partition), "year=%04d", writer->year);
    enum err_code code = file_join(writer->made, partition, folder, err);
    if (code == ERR_OK)
        code = file_make_folders(folder, err);
    if (code == ERR_OK)
        code = file_join(folder, "rows.parquet", file, err);
    if (code != ERR_OK)
        return code;
    buffer_printf(&writer->sql, "COPY %s TO ", writer->table); /* rows came in order, and stay so */
    (void)duck_quote(&writer->sql, file);
    buffer_append_text(&writer->sql, " (FORMAT parquet, COMPRESSION uncompressed)");
    code = offline_query(writer->duck, &writer->sql, NULL, err);
    if (code != ERR_OK)
        return code;
    buffer_printf(&writer->sql, "DROP TABLE %s", writer->table);
    code = offline_query(writer->duck, &writer->sql, NULL, err);
    writer->year = NO_YEAR;
    return code;
}

/* Rows of one year: rows[first, first + count). */
static enum err_code add_year(struct offline_writer *writer, const struct offline_rows *rows, size_t first,
                              size_t count, struct err *err)
{
    size_t key_count, at = 0;
    (void)offline_key_names(writer->write.view->entity, &key_count);
    struct duck_column *columns = calloc(key_count + 1 + writer->column_count, sizeof(*columns));
    if (columns == NULL)
        return err_nomem(err, writer->column_count * sizeof(*columns));
    for (size_t i = 0; i < key_count; i++)
        columns[at++] = (struct duck_column){DUCK_COLUMN_I64, rows->key[i] + first, 1, false};
    columns[at++] = (struct duck_column){DUCK_COLUMN_TIMESTAMP, rows->event_us + first, 1, false};
    for (size_t i = 0; i < writer->column_count; i++)
        columns[at++] = (struct duck_column){DUCK_COLUMN_F32, rows->values + first * writer->column_count + i,
                                             writer->column_count, true};
    enum err_code code = duck_append(writer->duck, writer->table, columns, at, count, err);
    free(columns);
    return code;
}

enum err_code offline_writer_add(struct offline_writer *writer, const struct offline_rows *rows,
                                 struct err *err)
{
    enum err_code code = ERR_OK;
    int first_year = writer->write.from_us == INT64_MIN ? INT32_MIN : year_of(writer->write.from_us);
    for (size_t first = 0, end; code == ERR_OK && first < rows->row_count; first = end) {
        int year = year_of(rows->event_us[first]);
        int64_t end_us = year_end_us(year);
        assert(year >= first_year);
        for (end = first; end < rows->row_count && rows->event_us[end] < end_us; end++) {
            assert(rows->event_us[end] >= writer->last_us);
            writer->last_us = rows->event_us[end];
        }
        if (writer->year != year) {
            code = end_year(writer, err);
            if (code == ERR_OK)
                code = create_table(writer, err);
            if (code == ERR_OK)
                writer->year = year;
        }
        if (code == ERR_OK)
            code = add_year(writer, rows, first, end - first, err);
    }
    return code;
}

/* ---- finishing ---- */

struct summary {
    int64_t rows, first_us, last_us, bytes;
};

static enum err_code summarise(struct offline_writer *writer, struct summary *out, struct err *err)
{
    struct duck_result *result = NULL;
    struct file_list files;
    bool has_row = false;
    *out = (struct summary){0};
    enum err_code code = file_list_open(writer->made, ".parquet", &files, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < files.count; i++) {
        struct file_info info;
        if (file_stat(files.paths[i], &info, NULL) == ERR_OK)
            out->bytes += info.size_bytes;
    }
    bool is_empty = files.count == 0;
    file_list_close(&files);
    if (is_empty)
        return err_set(err, ERR_NOT_FOUND, "the view '%s' has no rows: import played matches first",
                       writer->write.view->name);
    buffer_append_text(
        &writer->sql,
        "SELECT count(*), epoch_us(min(event_timestamp)), epoch_us(max(event_timestamp)) FROM ");
    offline_put_source(&writer->sql, writer->made);
    code = offline_query(writer->duck, &writer->sql, &result, err);
    if (code == ERR_OK)
        code = duck_result_next(result, &has_row, err);
    if (code == ERR_OK && has_row) {
        out->rows = duck_i64(result, 0);
        out->first_us = duck_i64(result, 1);
        out->last_us = duck_i64(result, 2);
    }
    duck_result_destroy(result);
    return code;
}

static const char *family_of(const struct feature_set *set, const struct feature *feature)
{
    for (const struct tracker *const *tracker = set->trackers; *tracker != NULL; tracker++) {
        if (feature >= (*tracker)->features && feature < (*tracker)->features + (*tracker)->feature_count)
            return (*tracker)->family;
    }
    return NULL;
}

static void put_schema(const struct offline_writer *writer, struct json_writer *out)
{
    json_key(out, "features");
    json_begin_array(out);
    for (size_t i = 0; i < writer->column_count; i++) {
        const struct feature *feature = writer->columns[i].feature;
        json_begin_object(out);
        json_field_text(out, "name", writer->columns[i].name);
        json_field_text(out, "type", "float");
        json_field_text(out, "unit", feature->unit);
        json_field_f64(out, "low", feature->low);
        json_field_f64(out, "high", feature->high);
        json_field_text(out, "doc", feature->doc);
        json_field_text(out, "family", family_of(writer->write.set, feature));
        json_field_text(out, "available_at",
                        feature->available == FEATURE_PRE_CLOSE ? "pre_close" : "before_start");
        json_field_text(out, "source", feature->name);
        json_end_object(out);
    }
    json_end_array(out);
}

static void put_time(struct json_writer *out, const char *key, int64_t time_us)
{
    char text[TIME_TEXT_BYTES];
    time_format_iso(time_us, text);
    json_field_text(out, key, text);
}

static void put_head(const struct offline_writer *writer, const struct summary *summary,
                     struct json_writer *out)
{
    const struct feature_view *view = writer->write.view;
    size_t key_count;
    const char *const *keys = offline_key_names(view->entity, &key_count);
    json_field_text(out, "name", view->name);
    json_field_text(out, "version", strchr(writer->name, '@') + 1);
    json_field_text(out, "entity", offline_entity_name(view->entity));
    json_key(out, "keys");
    json_begin_array(out);
    for (size_t i = 0; i < key_count; i++)
        json_put_text(out, keys[i]);
    json_end_array(out);
    json_field_text(out, "timestamp", "event_timestamp");
    json_field_text(out, "owner", view->owner);
    json_field_text(out, "description", view->doc);
    json_field_i64(out, "ttl_ms", view->ttl_ms);
    json_field_text(out, "source_hash", writer->write.source_hash);
    json_field_i64(out, "rows", summary->rows);
    put_time(out, "first_event", summary->first_us);
    put_time(out, "last_event", summary->last_us);
    json_field_i64(out, "bytes", summary->bytes);
    put_time(out, "created", writer->write.now_us);
}

static enum err_code write_meta(struct offline_writer *writer, struct err *err)
{
    struct summary summary;
    struct buffer text;
    struct json_writer out;
    char file[FILE_PATH_BYTES];
    buffer_init(&text, OFFLINE_JSON_BYTES);
    enum err_code code = summarise(writer, &summary, err);
    if (code != ERR_OK)
        goto out;
    json_writer_init(&out, &text);
    json_begin_object(&out);
    put_head(writer, &summary, &out);
    put_schema(writer, &out);
    json_key(&out, "statistics");
    code = offline_write_statistics(writer->duck, writer->made, writer->columns, writer->column_count,
                                    summary.rows, &out, err);
    json_end_object(&out);
    if (code == ERR_OK)
        code = buffer_check(&text, "view.json", err);
    if (code == ERR_OK)
        code = file_join(writer->made, "view.json", file, err);
    if (code == ERR_OK)
        code = file_write_atomic(file, buffer_text(&text), text.size_bytes, err);
out:
    buffer_release(&text);
    return code;
}

enum err_code offline_writer_finish(struct offline_writer *writer, struct err *err)
{
    enum err_code code = end_year(writer, err);
    if (code == ERR_OK)
        code = write_meta(writer, err);
    if (code == ERR_OK)
        code = folder_sync(writer->made, err);
    if (code == ERR_OK)
        code = folder_replace(writer->made, writer->path, err);
    return code;
}

enum err_code offline_store_write(const char *folder, struct duck *duck, const struct offline_write *write,
                                  const struct offline_rows *rows, struct err *err)
{
    struct offline_writer *writer = NULL;
    enum err_code code = offline_writer_open(folder, duck, write, &writer, err);
    if (code == ERR_OK)
        code = offline_writer_add(writer, rows, err);
    if (code == ERR_OK)
        code = offline_writer_finish(writer, err);
    offline_writer_close(writer);
    return code;
}
