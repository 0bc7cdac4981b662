/* Offline store: reading. A join gathers the features of the rows that are hit (offline_gather.c); the engine then reads the
 * file's table in its order and asks for each value by two functions of SQL, so that it makes the answer without joining or
 * sorting it. Into Parquet the engine writes only the file's own columns, and the features are added behind them
 * (parquet_append.h). */
#include "os/file_draft.h"
#include "view/offline_gather.h"
#include "view/parquet_append.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- features ---- */

static bool is_feature(const json_t *meta, const char *name)
{
    size_t index;
    const json_t *feature;
    json_array_foreach(json_object_get(meta, "features"), index, feature)
    {
        const char *own = json_string_value(json_object_get(feature, "name"));
        if (own != NULL && strcmp(own, name) == 0)
            return true;
    }
    return false;
}

/* `prefix."name"` of those chosen, in the order asked for; refused when one is unknown. */
static enum err_code put_features(const struct offline_version *version, const char *const *chosen,
                                  const char *prefix, struct buffer *out, struct err *err)
{
    size_t index;
    const json_t *feature;
    for (size_t i = 0; chosen != NULL && chosen[i] != NULL; i++) {
        if (!is_feature(version->meta, chosen[i]))
            return err_set_field(err, ERR_INVALID, "features", "the view '%s' has no feature '%.80s'",
                                 strrchr(version->path, '/') + 1, chosen[i]);
        buffer_printf(out, ", %s.", prefix);
        (void)duck_quote_name(out, chosen[i]);
    }
    if (chosen != NULL)
        return buffer_check(out, "the features", err);
    json_array_foreach(json_object_get(version->meta, "features"), index, feature)
    {
        buffer_printf(out, ", %s.", prefix);
        (void)duck_quote_name(out, json_string_value(json_object_get(feature, "name")));
    }
    return buffer_check(out, "the features", err);
}

/* A column of the file with a feature's name would be two of one name in the result. */
static enum err_code check_clash(const struct offline_version *version, const struct offline_join *join,
                                 const struct names *columns, struct err *err)
{
    for (int32_t i = 0; i < names_count(columns); i++) {
        const char *name = names_text(columns, i);
        bool is_chosen = join->features == NULL && is_feature(version->meta, name);
        for (size_t f = 0; join->features != NULL && join->features[f] != NULL; f++)
            is_chosen = is_chosen || strcmp(join->features[f], name) == 0;
        if (is_chosen)
            return err_set_field(err, ERR_INVALID, name,
                                 "'%s' has a column '%s', which is a feature of the view too: rename it, or "
                                 "choose other features",
                                 join->entities, name);
    }
    return ERR_OK;
}

/* ---- the join ---- */

/* Names of the features chosen, or of all; *out is the caller's to free. */
static enum err_code list_features(const struct offline_version *version, const char *const *chosen,
                                   const char ***out, size_t *out_count, struct err *err)
{
    const json_t *all = json_object_get(version->meta, "features"), *feature;
    size_t count = 0, index;
    while (chosen != NULL && chosen[count] != NULL)
        count++;
    if (chosen == NULL)
        count = json_array_size(all);
    *out = calloc(count + 1, sizeof(**out));
    if (*out == NULL)
        return err_nomem(err, count * sizeof(**out));
    for (size_t i = 0; chosen != NULL && i < count; i++)
        (*out)[i] = chosen[i];
    json_array_foreach(all, index, feature)
    {
        if (chosen == NULL)
            (*out)[index] = json_string_value(json_object_get(feature, "name"));
        if (chosen == NULL && (*out)[index] == NULL)
            return err_set(err, ERR_CORRUPT, "the description of '%s' has a feature without a name",
                           version->path);
    }
    *out_count = count;
    return ERR_OK;
}

struct answer {
    const struct offline_entities *entities;
    struct offline_gathered gathered;
    const char **features;
    size_t feature_count;
};

/* offline_at(row, feature): its value; the feature is the same in all rows. */
static void answer_value(void *context, const struct duck_call *call)
{
    const struct answer *answer = context;
    const struct offline_gathered *gathered = &answer->gathered;
    const int64_t *row = call->arguments[0];
    const int32_t *feature = call->arguments[1];
    if (call->row_count == 0)
        return;
    const float *values = gathered->values + (size_t)feature[0] * gathered->slot_count;
    float *out = call->out;
    for (size_t first = 0; first < call->row_count; first += 64) {
        size_t end = first + 64 < call->row_count ? first + 64 : call->row_count;
        uint64_t missing = 0;
        for (size_t i = first; i < end; i++) {
            int32_t slot = gathered->slot_of[row[i]];
            out[i] = slot >= 0 ? values[slot] : NAN;
            missing |= (uint64_t)(out[i] != out[i]) << (i - first); /* NaN alone is not itself */
        }
        call->out_is_set[first / 64] &= ~missing;
    }
}

/* offline_moment(row). */
static void answer_moment(void *context, const struct duck_call *call)
{
    const struct answer *answer = context;
    const int64_t *row = call->arguments[0];
    int64_t *out = call->out;
    for (size_t i = 0; i < call->row_count; i++)
        out[i] = answer->entities->moment_us[row[i]];
}

static enum err_code bind_answer(struct duck *duck, struct answer *answer, struct err *err)
{
    static const enum duck_column_kind kinds[] = {DUCK_COLUMN_I64, DUCK_COLUMN_I32};
    const struct duck_function value = {"offline_at", kinds, 2, DUCK_COLUMN_F32, answer_value, answer};
    const struct duck_function moment = {"offline_moment",      kinds,         1,
                                         DUCK_COLUMN_TIMESTAMP, answer_moment, answer};
    enum err_code code = duck_bind_function(duck, &value, err);
    return code == ERR_OK ? duck_bind_function(duck, &moment, err) : code;
}

/* The rows in order, those of a table come by rowid; with their features or without. */
static void put_answer(const struct answer *answer, bool has_features, struct buffer *sql)
{
    bool has_file = answer->entities->names != NULL;
    const char *row = has_file ? "e.rowid" : "e.range";
    buffer_printf(sql, "SELECT %s",
                  has_file ? buffer_text(&answer->entities->columns) : "e.range AS \"row\"");
    for (size_t i = 0; has_features && i < answer->feature_count; i++) {
        buffer_printf(sql, ", offline_at(%s, %zu::INTEGER) AS ", row, i);
        (void)duck_quote_name(sql, answer->features[i]);
    }
    if (has_file)
        buffer_append_text(sql, " FROM offline_entity e");
    else
        buffer_printf(sql, " FROM range(%lld) e", (long long)answer->entities->rows);
}

static bool ends_with(const char *path, const char *suffix)
{
    size_t path_bytes = strlen(path), suffix_bytes = strlen(suffix);
    return path_bytes > suffix_bytes &&
           text_equal_nocase((struct text){path + path_bytes - suffix_bytes, suffix_bytes}, suffix);
}

static bool is_parquet(const char *output)
{
    return ends_with(output, ".parquet");
}

static enum err_code check_output(const char *output, struct err *err)
{
    if (strcmp(output, "-") == 0 || ends_with(output, ".csv") || is_parquet(output))
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, "output",
                         "cannot write '%.200s': the name must end in .csv or "
                         ".parquet",
                         output);
}

/* Values of the feature for some rows, as the writer of Parquet asks for them. */
static void fill_feature(void *context, size_t feature, size_t first, size_t row_count, float *out)
{
    const struct answer *answer = context;
    const int32_t *slot_of = answer->gathered.slot_of + first;
    const float *values = answer->gathered.values + feature * answer->gathered.slot_count;
    for (size_t i = 0; i < row_count; i++)
        out[i] = slot_of[i] >= 0 ? values[slot_of[i]] : NAN;
}

/* The file's own columns may be of any type: they are the engine's. */
static enum err_code write_parquet(struct duck *duck, const char *output, struct answer *answer,
                                   struct buffer *sql, struct err *err)
{
    const struct parquet_floats columns = {answer->features, answer->feature_count, fill_feature, answer};
    struct file_draft draft;
    enum err_code code = file_draft_start(output, &draft, err);
    if (code != ERR_OK)
        return code;
    buffer_append_text(sql, "COPY (");
    put_answer(answer, false, sql);
    buffer_append_text(sql, ") TO ");
    (void)duck_quote(sql, draft.name);
    buffer_append_text(sql, " (FORMAT parquet, COMPRESSION snappy, USE_TMP_FILE false)");
    code = offline_query(duck, sql, NULL, err);
    if (code == ERR_OK)
        code = parquet_append(&draft, &columns, (size_t)answer->entities->rows, err);
    if (code == ERR_OK)
        code = file_draft_finish(&draft, err);
    file_draft_abandon(&draft);
    return code;
}

static enum err_code write_csv(struct duck *duck, const char *output, const struct answer *answer,
                               struct buffer *sql, struct err *err)
{
    buffer_append_text(sql, "COPY (");
    put_answer(answer, true, sql);
    buffer_append_text(sql, ") TO ");
    (void)duck_quote(sql, strcmp(output, "-") == 0 ? "/dev/stdout" : output);
    buffer_append_text(sql, " (FORMAT csv, HEADER true)");
    return offline_query(duck, sql, NULL, err);
}

static enum err_code make_table(struct duck *duck, const struct answer *answer, struct buffer *sql,
                                struct err *err)
{
    buffer_append_text(sql, "CREATE OR REPLACE TABLE offline_answer AS ");
    put_answer(answer, true, sql);
    return offline_query(duck, sql, NULL, err);
}

/* Without a file the answer is a table: what is gathered goes before its rows are read. The next join replaces it. */
static enum err_code put_out(struct duck *duck, const struct offline_join *join, struct answer *answer,
                             struct buffer *sql, struct duck_result **out, struct err *err)
{
    enum err_code code = bind_answer(duck, answer, err);
    if (code == ERR_OK && join->output == NULL)
        code = make_table(duck, answer, sql, err);
    else if (code == ERR_OK && is_parquet(join->output))
        code = write_parquet(duck, join->output, answer, sql, err);
    else if (code == ERR_OK)
        code = write_csv(duck, join->output, answer, sql, err);
    buffer_clear(sql);
    duck_unbind_function(duck, "offline_at");
    duck_unbind_function(duck, "offline_moment");
    if (code != ERR_OK || join->output != NULL)
        return code;
    buffer_append_text(sql, "SELECT * FROM offline_answer");
    return offline_query(duck, sql, out, err);
}

static enum err_code answer_join(struct duck *duck, const struct offline_version *version,
                                 const struct offline_join *join, struct answer *answer, struct buffer *sql,
                                 struct offline_joined *out, struct err *err)
{
    const struct offline_entities *entities = answer->entities;
    const struct offline_request request = {.key = {entities->key[0], entities->key[1]},
                                            .moment_us = entities->moment_us,
                                            .count = (size_t)entities->rows,
                                            .max_age_us = join->max_age_us,
                                            .features = answer->features,
                                            .feature_count = answer->feature_count};
    enum err_code code = offline_gather(duck, version, &request, &answer->gathered, err);
    out->rows = entities->rows;
    out->found = answer->gathered.found;
    if (code == ERR_OK)
        code = put_out(duck, join, answer, sql, &out->result, err);
    offline_gathered_release(&answer->gathered);
    return code;
}

enum err_code offline_store_join(const char *folder, struct duck *duck, const struct offline_join *join,
                                 struct offline_joined *out, struct err *err)
{
    struct offline_version version;
    struct offline_entities entities = {0};
    struct answer answer = {.entities = &entities};
    struct buffer sql;
    *out = (struct offline_joined){0};
    enum err_code code = offline_find(folder, join->view, &version, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&sql, OFFLINE_SQL_BYTES);
    code = put_features(&version, join->features, "f", &sql, err); /* before a large file is read */
    if (code == ERR_OK)
        code = list_features(&version, join->features, &answer.features, &answer.feature_count, err);
    if (code == ERR_OK && join->output != NULL)
        code = check_output(join->output, err);
    buffer_clear(&sql);
    if (code == ERR_OK)
        code = offline_entities_load(duck, join, version.entity, &entities, err);
    if (code == ERR_OK && entities.names != NULL)
        code = check_clash(&version, join, entities.names, err);
    if (code == ERR_OK)
        code = answer_join(duck, &version, join, &answer, &sql, out, err);
    offline_entities_release(out->result == NULL ? duck : NULL, &entities);
    free(answer.features);
    buffer_release(&sql);
    offline_version_release(&version);
    return code;
}

/* ---- ranges ---- */

enum err_code offline_store_range(const char *folder, struct duck *duck, const struct offline_range *range,
                                  struct duck_result **out, struct err *err)
{
    struct offline_version version;
    struct buffer sql;
    size_t key_count;
    enum err_code code = offline_find(folder, range->view, &version, err);
    if (code != ERR_OK)
        return code;
    const char *const *keys = offline_key_names(version.entity, &key_count);
    buffer_init(&sql, OFFLINE_SQL_BYTES);
    buffer_append_text(&sql, "SELECT * FROM (SELECT ");
    for (size_t i = 0; i < key_count; i++)
        buffer_printf(&sql, "v.\"%s\", ", keys[i]);
    buffer_append_text(&sql, "v.event_timestamp");
    code = put_features(&version, range->features, "v", &sql, err);
    if (code != ERR_OK)
        goto out;
    buffer_append_text(&sql, " FROM ");
    offline_put_source(&sql, version.path);
    buffer_append_text(&sql, " v WHERE true");
    for (size_t i = 0; range->keys != NULL && i < key_count; i++)
        buffer_printf(&sql, " AND v.\"%s\" = %lld", keys[i], (long long)range->keys[i]);
    if (range->from_us != INT64_MIN)
        buffer_printf(&sql, " AND v.event_timestamp >= make_timestamp(%lld)", (long long)range->from_us);
    if (range->to_us != INT64_MAX)
        buffer_printf(&sql, " AND v.event_timestamp < make_timestamp(%lld)", (long long)range->to_us);
    buffer_printf(
        &sql, " ORDER BY v.event_timestamp DESC, v.\"%s\" DESC LIMIT %lld) ORDER BY event_timestamp, \"%s\"",
        keys[0], (long long)range->limit, keys[0]);
    code = offline_query(duck, &sql, out, err);
    if (code != ERR_OK)
        (void)err_prefix(err, "cannot read '%s'", version.path);
out:
    buffer_release(&sql);
    offline_version_release(&version);
    return code;
}

/* ---- SQL ---- */

static enum err_code attach(struct duck *duck, const char *folder, const char *name, const char *version,
                            bool is_newest, struct buffer *sql, struct err *err)
{
    char full[OFFLINE_NAME_BYTES], path[FILE_PATH_BYTES];
    (void)snprintf(full, sizeof(full), "%s@%s", name, version);
    enum err_code code = file_join(folder, full, path, err);
    for (int newest = 0; code == ERR_OK && newest <= is_newest; newest++) {
        buffer_append_text(sql, "CREATE OR REPLACE VIEW ");
        (void)duck_quote_name(sql, newest ? name : full);
        buffer_append_text(sql, " AS SELECT * FROM ");
        offline_put_source(sql, path);
        code = offline_query(duck, sql, NULL, err);
    }
    return code;
}

enum err_code offline_store_attach(const char *folder, struct duck *duck, struct err *err)
{
    json_t *list = NULL;
    const json_t *meta;
    const char *last = "";
    size_t index;
    struct buffer sql;
    enum err_code code = offline_store_list(folder, &list, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&sql, OFFLINE_SQL_BYTES);
    json_array_foreach(list, index, meta)
    {
        const char *name = json_string_value(json_object_get(meta, "name"));
        const char *version = json_string_value(json_object_get(meta, "version"));
        if (code != ERR_OK || name == NULL || version == NULL)
            continue;
        code = attach(duck, folder, name, version, strcmp(last, name) != 0, &sql, err);
        last = name;
    }
    buffer_release(&sql);
    json_decref(list);
    return code;
}
