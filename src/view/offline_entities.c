/* Offline store: what a join is asked for. The file is read by DuckDB into a table as it is (text, for a CSV that goes out as
 * CSV, so that nothing is written other than it came), then keys and times are taken from it row by row: strict parsing, and
 * an error that names the line. Names are resolved once each. */
#include "view/offline_private.h"

#include "base/names.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_COLUMN = -1 };

/* Where one key comes from. */
struct key_source {
    const char *name;  /* "team" */
    char by_name[32];  /* "team_name" */
    int id, team_name; /* columns of the file */
    bool is_number;    /* ids that need no parsing */
};
struct entity_file {
    struct duck *duck;
    const struct offline_join *join;
    enum view_entity entity;
    struct buffer sql;
    struct names *columns; /* of the file, in its order */
    bool is_csv, keeps_text;
    struct key_source key[VIEW_KEYS];
    size_t key_count;
    int country, timestamp;
    bool timestamp_is_text;
    int64_t rows;
    int64_t *keys[VIEW_KEYS], *at_us;
    bool *is_unknown;    /* [rows] */
    struct names *known; /* "country/name" resolved so far */
    int64_t *known_ids;  /* 0: unknown */
    size_t known_capacity;
};

static bool ends_with(const char *path, const char *suffix)
{
    size_t path_bytes = strlen(path), suffix_bytes = strlen(suffix);
    return path_bytes >= suffix_bytes &&
           text_equal_nocase((struct text){path + path_bytes - suffix_bytes, suffix_bytes}, suffix);
}

/* ---- where in the file ---- */

/* Line of the record-th row below the header: quoted fields may hold line ends, blank lines are no rows. */
static int64_t line_of(const char *path, int64_t record)
{
    struct file_map map;
    int64_t line = 1, record_line = 1, left = record + 1;
    bool is_quoted = false, is_blank = true;
    if (file_map_open(path, INT64_MAX, &map, NULL) != ERR_OK)
        return record + 2;
    for (size_t i = 0; i < map.size_bytes; i++) {
        char byte = map.data[i];
        is_quoted ^= byte == '"';
        if (byte != '\n') {
            is_blank = is_blank && byte == '\r';
            continue;
        }
        line++;
        if (is_quoted)
            continue;
        if (!is_blank && left-- == 0)
            break;
        record_line = line;
        is_blank = true;
    }
    file_map_close(&map);
    return record_line;
}

static enum err_code refuse_row(const struct entity_file *file, int64_t row, const char *field,
                                const char *why, struct err *err)
{
    return err_set_field(err, ERR_INVALID, field, "cannot read '%s' %s %lld, field '%s': %s",
                         file->join->entities, file->is_csv ? "line" : "row",
                         (long long)(file->is_csv ? line_of(file->join->entities, row) : row + 1), field,
                         why);
}

/* ---- columns ---- */

static int find_column(const struct entity_file *file, const char *name)
{
    for (int32_t i = 0; i < names_count(file->columns); i++) {
        if (text_equal_nocase(text_of(names_text(file->columns, i)), name))
            return i;
    }
    return NO_COLUMN;
}

static enum err_code find_columns(struct entity_file *file, struct err *err)
{
    file->timestamp = find_column(file, "event_timestamp");
    file->country = find_column(file, "country");
    if (file->timestamp == NO_COLUMN)
        return err_set_field(err, ERR_INVALID, "event_timestamp",
                             "cannot read '%s': there is no column 'event_timestamp'", file->join->entities);
    for (size_t k = 0; k < file->key_count; k++) {
        struct key_source *key = &file->key[k];
        key->id = find_column(file, key->name);
        key->team_name = file->entity == VIEW_MATCH ? NO_COLUMN : find_column(file, key->by_name);
        if (key->id != NO_COLUMN)
            key->team_name = NO_COLUMN;
        else if (key->team_name == NO_COLUMN || file->country == NO_COLUMN)
            return err_set_field(
                err, ERR_INVALID, key->name, "cannot read '%s': there is no column '%s'%s%s%s",
                file->join->entities, key->name, file->entity == VIEW_MATCH ? "" : " (or 'country' and '",
                file->entity == VIEW_MATCH ? "" : key->by_name, file->entity == VIEW_MATCH ? "" : "')");
    }
    return ERR_OK;
}

static bool is_integer_type(const char *type)
{
    static const char *const types[] = {"BIGINT",   "INTEGER",   "SMALLINT", "TINYINT",
                                        "UINTEGER", "USMALLINT", "UTINYINT", "UBIGINT"};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (strcmp(type, types[i]) == 0)
            return true;
    }
    return false;
}

static enum err_code check_types(struct entity_file *file, const struct duck_result *head, struct err *err)
{
    for (size_t k = 0; k < file->key_count; k++) {
        struct key_source *key = &file->key[k];
        const char *type = duck_result_type(head, (size_t)(key->id != NO_COLUMN ? key->id : key->team_name));
        if (strcmp(type, "VARCHAR") != 0 && !(key->id != NO_COLUMN && is_integer_type(type)))
            return err_set_field(err, ERR_INVALID, key->name,
                                 "cannot read '%s': column '%s' is %s, not an id or a name",
                                 file->join->entities, key->id != NO_COLUMN ? key->name : key->by_name, type);
        key->is_number = strcmp(type, "VARCHAR") != 0 && strcmp(type, "UBIGINT") != 0;
    }
    const char *type = duck_result_type(head, (size_t)file->timestamp);
    file->timestamp_is_text = strcmp(type, "VARCHAR") == 0;
    if (!file->timestamp_is_text && strncmp(type, "TIMESTAMP", 9) != 0 && strcmp(type, "DATE") != 0)
        return err_set_field(err, ERR_INVALID, "event_timestamp",
                             "cannot read '%s': column 'event_timestamp' is %s, not a timestamp",
                             file->join->entities, type);
    return ERR_OK;
}

/* ---- the table ---- */

static enum err_code load_table(struct entity_file *file, struct err *err)
{
    const char *path = file->join->entities;
    struct file_info info;
    enum err_code code = file_stat(path, &info, err);
    if (code == ERR_OK && info.is_folder)
        code = err_set_field(err, ERR_INVALID, "entities", "cannot read '%s': it is a folder", path);
    if (code == ERR_OK && info.size_bytes == 0)
        code = err_set_field(err, ERR_INVALID, "entities", "cannot read '%s': the file is empty", path);
    if (code != ERR_OK)
        return code;
    buffer_printf(&file->sql, "CREATE OR REPLACE TABLE offline_entity AS SELECT * FROM %s(",
                  file->is_csv ? "read_csv" : "read_parquet");
    (void)duck_quote(&file->sql, path);
    if (file->is_csv)
        buffer_append_text(&file->sql, ", header = true, delim = ',', quote = '\"', escape = '\"', ");
    if (file->is_csv && file->keeps_text)
        buffer_append_text(&file->sql, "all_varchar = true");
    else if (file->is_csv)
        buffer_append_text(&file->sql,
                           "sample_size = -1, auto_type_candidates = ['BIGINT', 'DOUBLE', 'VARCHAR']");
    buffer_append_text(&file->sql, ")");
    code = offline_query(file->duck, &file->sql, NULL, err);
    if (code == ERR_OK || code == ERR_NOMEM || code == ERR_CANCELLED || code == ERR_UNAVAILABLE)
        return code;
    struct err cause = *err;
    return err_set_field(err, ERR_INVALID, "entities", "cannot read '%s': %s", path, cause.text);
}

static enum err_code load_columns(struct entity_file *file, struct err *err)
{
    struct duck_result *head = NULL;
    buffer_append_text(&file->sql, "SELECT * FROM offline_entity LIMIT 0");
    enum err_code code = offline_query(file->duck, &file->sql, &head, err);
    for (size_t i = 0; code == ERR_OK && i < duck_result_columns(head); i++) {
        if (names_add(file->columns, text_of(duck_result_name(head, i))) != (int32_t)i)
            code = err_nomem(err, sizeof(int32_t));
    }
    if (code == ERR_OK)
        code = find_columns(file, err);
    if (code == ERR_OK)
        code = check_types(file, head, err);
    duck_result_destroy(head);
    return code;
}

static enum err_code count_rows(struct entity_file *file, struct err *err)
{
    buffer_append_text(&file->sql, "SELECT count(*) FROM offline_entity");
    enum err_code code = offline_query_i64(file->duck, &file->sql, &file->rows, err);
    if (code == ERR_OK && file->rows == 0)
        code = err_set_field(err, ERR_INVALID, "entities", "cannot read '%s': it has no rows",
                             file->join->entities);
    return code;
}

static enum err_code allocate(struct entity_file *file, struct err *err)
{
    size_t rows = (size_t)file->rows;
    file->at_us = malloc(rows * sizeof(*file->at_us));
    file->is_unknown = calloc(rows, sizeof(*file->is_unknown));
    for (size_t k = 0; k < VIEW_KEYS; k++)
        file->keys[k] = calloc(rows, sizeof(*file->keys[k]));
    if (file->at_us == NULL || file->is_unknown == NULL || file->keys[0] == NULL || file->keys[1] == NULL)
        return err_nomem(err, rows * 4 * sizeof(int64_t));
    return ERR_OK;
}

/* ---- values ---- */

/* The forms of time_parse_iso, and those of other programs: a blank for the T, no zone (UTC). */
static bool parse_time(const char *value, int64_t *out_us)
{
    enum { LONGEST = 40, DATE_BYTES = 10 };
    char text[LONGEST + 2];
    struct text trimmed = text_trim(text_of(value));
    if (trimmed.size_bytes > LONGEST || !text_copy(trimmed, text, sizeof(text)))
        return false;
    size_t size = trimmed.size_bytes;
    if (size > DATE_BYTES && text[DATE_BYTES] == ' ')
        text[DATE_BYTES] = 'T';
    if (size > DATE_BYTES && text[size - 1] != 'Z' && strpbrk(text + DATE_BYTES, "+-") == NULL)
        memcpy(text + size, "Z", 2);
    return time_parse_iso(text_of(text), out_us, NULL);
}

static enum err_code resolve(struct entity_file *file, const char *country, const char *name, int64_t *out_id,
                             struct err *err)
{
    char key[512];
    int length = snprintf(key, sizeof(key), "%s/%s", country, name);
    if (length < 0 || (size_t)length >= sizeof(key))
        return err_set(err, ERR_INVALID, "the name is too long");
    int32_t index = names_find(file->known, text_of(key));
    if (index >= 0) {
        *out_id = file->known_ids[index];
        return ERR_OK;
    }
    if (file->join->resolver.resolve == NULL)
        return err_set(err, ERR_INVALID, "'%s' is a name; ids only are read here", key);
    enum err_code code =
        file->join->resolver.resolve(file->join->resolver.context, country, name, out_id, err);
    if (code == ERR_NOT_FOUND && file->join->allow_unknown) {
        *out_id = 0;
        code = ERR_OK;
    }
    if (code != ERR_OK)
        return code;
    index = names_add(file->known, text_of(key));
    if (index >= 0 && (size_t)index >= file->known_capacity) {
        size_t capacity = file->known_capacity * 2 + 64;
        int64_t *grown = realloc(file->known_ids, capacity * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(err, capacity * sizeof(*grown));
        file->known_ids = grown;
        file->known_capacity = capacity;
    }
    if (index < 0)
        return err_nomem(err, sizeof(key));
    file->known_ids[index] = *out_id;
    return ERR_OK;
}

/* "England/Arsenal". */
static enum err_code resolve_whole(struct entity_file *file, const char *value, int64_t *out_id,
                                   struct err *err)
{
    char country[128];
    const char *slash = strchr(value, '/');
    if (slash == NULL || !text_copy((struct text){value, (size_t)(slash - value)}, country, sizeof(country)))
        return err_set(err, ERR_INVALID, "'%.80s' is no id, nor a name as 'England/Arsenal'", value);
    return resolve(file, country, slash + 1, out_id, err);
}

static enum err_code take_key(struct entity_file *file, const struct duck_result *result, size_t k,
                              int64_t row, struct err *err)
{
    const struct key_source *key = &file->key[k];
    const char *field = key->id != NO_COLUMN ? key->name : key->by_name;
    size_t column = 1 + k;
    int64_t *out = &file->keys[k][row];
    enum err_code code = ERR_OK;
    struct err cause = {0};
    if (duck_is_null(result, column))
        return refuse_row(file, row, field, "is empty", err);
    if (key->is_number) {
        *out = duck_i64(result, column);
        file->is_unknown[row] |= *out == 0;
        return ERR_OK;
    }
    const char *value = duck_text(result, column);
    if (key->id == NO_COLUMN) {
        char name[256];
        (void)text_copy(text_of(value), name, sizeof(name));
        size_t at = 1 + file->key_count + 1;
        code = resolve(file, duck_is_null(result, at) ? "" : duck_text(result, at), name, out, &cause);
    } else if (!text_parse_i64(text_trim(text_of(value)), out)) {
        code = file->entity == VIEW_MATCH ? err_set(&cause, ERR_INVALID, "'%.80s' is not a match id", value)
                                          : resolve_whole(file, value, out, &cause);
    }
    if (code == ERR_OK) {
        file->is_unknown[row] |= *out == 0;
        return ERR_OK;
    }
    enum err_code refused = refuse_row(file, row, field, cause.text, err);
    return code == ERR_INVALID || code == ERR_NOT_FOUND ? refused : (err->code = code);
}

static enum err_code take_time(struct entity_file *file, const struct duck_result *result, int64_t row,
                               struct err *err)
{
    size_t column = 1 + file->key_count;
    char why[160];
    if (duck_is_null(result, column))
        return refuse_row(file, row, "event_timestamp", "is empty", err);
    if (!file->timestamp_is_text) {
        file->at_us[row] = duck_i64(result, column);
        return ERR_OK;
    }
    const char *value = duck_text(result, column);
    if (parse_time(value, &file->at_us[row]))
        return ERR_OK;
    (void)snprintf(why, sizeof(why), "'%.60s' is no timestamp as '2024-08-17T14:00:00Z' or '2024-08-17'",
                   value);
    return refuse_row(file, row, "event_timestamp", why, err);
}

/* rowid, keys, time, country. */
static void put_values(struct entity_file *file)
{
    buffer_append_text(&file->sql, "SELECT rowid");
    for (size_t k = 0; k < file->key_count; k++) {
        int column = file->key[k].id != NO_COLUMN ? file->key[k].id : file->key[k].team_name;
        buffer_append_text(&file->sql, ", ");
        (void)duck_quote_name(&file->sql, names_text(file->columns, column));
        buffer_append_text(&file->sql, file->key[k].is_number ? "::BIGINT" : "::VARCHAR");
    }
    buffer_append_text(&file->sql, file->timestamp_is_text ? ", " : ", epoch_us(");
    (void)duck_quote_name(&file->sql, names_text(file->columns, file->timestamp));
    buffer_append_text(&file->sql, file->timestamp_is_text ? "" : ")");
    if (file->country != NO_COLUMN) {
        buffer_append_text(&file->sql, ", ");
        (void)duck_quote_name(&file->sql, names_text(file->columns, file->country));
        buffer_append_text(&file->sql, "::VARCHAR");
    }
    buffer_append_text(&file->sql, " FROM offline_entity");
}

static enum err_code load_values(struct entity_file *file, struct err *err)
{
    struct duck_result *result = NULL;
    bool has_row = true;
    put_values(file);
    enum err_code code = offline_query(file->duck, &file->sql, &result, err);
    while (code == ERR_OK) {
        code = duck_result_next(result, &has_row, err);
        if (code != ERR_OK || !has_row)
            break;
        int64_t row = duck_i64(result, 0);
        for (size_t k = 0; code == ERR_OK && k < file->key_count; k++)
            code = take_key(file, result, k, row, err);
        if (code == ERR_OK)
            code = take_time(file, result, row, err);
    }
    duck_result_destroy(result);
    return code;
}

static void put_columns(const struct entity_file *file, struct offline_entities *out)
{
    for (int32_t i = 0; i < names_count(file->columns); i++) {
        bool is_time = i == file->timestamp && !file->keeps_text;
        buffer_append_text(&out->columns, i > 0 ? ", " : "");
        buffer_append_text(&out->columns, is_time ? "offline_moment(e.rowid) AS " : "e.");
        (void)duck_quote_name(&out->columns, names_text(file->columns, i));
    }
}

static void keep_values(struct entity_file *file, struct offline_entities *out)
{
    for (size_t k = 0; k < VIEW_KEYS; k++) {
        out->key[k] = out->own[k] = file->keys[k];
        file->keys[k] = NULL;
    }
    out->moment_us = out->own[VIEW_KEYS] = file->at_us;
    file->at_us = NULL;
}

static void release(struct entity_file *file)
{
    buffer_release(&file->sql);
    names_destroy(file->known);
    free(file->known_ids);
    free(file->at_us);
    free(file->is_unknown);
    for (size_t k = 0; k < VIEW_KEYS; k++)
        free(file->keys[k]);
}

static enum err_code load_file(struct entity_file *file, struct err *err)
{
    enum err_code code =
        file->columns != NULL && file->known != NULL ? load_table(file, err) : err_nomem(err, sizeof(*file));
    if (code == ERR_OK)
        code = load_columns(file, err);
    if (code == ERR_OK)
        code = count_rows(file, err);
    if (code == ERR_OK)
        code = allocate(file, err);
    if (code == ERR_OK)
        code = load_values(file, err);
    for (int64_t row = 0; code == ERR_OK && row < file->rows; row++) {
        if (file->is_unknown[row]) /* no entity has this id */
            file->keys[0][row] = -1;
    }
    return code;
}

enum err_code offline_entities_load(struct duck *duck, const struct offline_join *join,
                                    enum view_entity entity, struct offline_entities *out, struct err *err)
{
    *out = (struct offline_entities){0};
    buffer_init(&out->columns, OFFLINE_SQL_BYTES);
    if (join->entities == NULL) {
        out->rows = (int64_t)join->count;
        memcpy(out->key, join->key, sizeof(out->key));
        out->moment_us = join->event_us;
        return ERR_OK;
    }
    struct entity_file file = {.duck = duck,
                               .join = join,
                               .entity = entity,
                               .columns = names_create(),
                               .known = names_create(),
                               .is_csv = !ends_with(join->entities, ".parquet")};
    const char *const *keys = offline_key_names(entity, &file.key_count);
    for (size_t k = 0; k < file.key_count; k++) {
        file.key[k].name = keys[k];
        (void)snprintf(file.key[k].by_name, sizeof(file.key[k].by_name), "%s_name", keys[k]);
    }
    file.keeps_text = file.is_csv && (join->output == NULL || !ends_with(join->output, ".parquet"));
    buffer_init(&file.sql, OFFLINE_SQL_BYTES);
    enum err_code code = load_file(&file, err);
    if (code == ERR_OK) {
        out->rows = file.rows;
        keep_values(&file, out);
        put_columns(&file, out);
        code = buffer_check(&out->columns, "the columns of the entities", err);
    }
    out->names = file.columns;
    release(&file);
    return code;
}

void offline_entities_release(struct duck *duck, struct offline_entities *entities)
{
    struct err err;
    if (duck != NULL && entities->names != NULL)
        (void)!duck_query(duck, "DROP TABLE IF EXISTS offline_entity", NULL, 0, NULL, &err);
    for (size_t k = 0; k < sizeof(entities->own) / sizeof(*entities->own); k++)
        free(entities->own[k]);
    buffer_release(&entities->columns);
    names_destroy(entities->names);
}
