/* Offline store: reading. A join is two steps: keys and times alone find the newest row of each entity (ASOF join over two
 * narrow columns), then an ordinary join fetches the features of the rows that were hit, so that what is sorted is small. */
#include "view/offline_private.h"

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

static enum err_code find_hits(struct duck *duck, const struct offline_version *version, int64_t max_age_us,
                               struct buffer *sql, int64_t *out_found, struct err *err)
{
    size_t key_count;
    const char *const *keys = offline_key_names(version->entity, &key_count);
    buffer_append_text(sql,
                       "CREATE OR REPLACE TABLE offline_hit AS SELECT k.n, k.k0, k.k1, v.event_timestamp AS "
                       "event FROM offline_key k ASOF JOIN (SELECT event_timestamp");
    for (size_t i = 0; i < key_count; i++)
        buffer_printf(sql, ", \"%s\" AS v%zu", keys[i], i);
    buffer_append_text(sql, " FROM ");
    offline_put_source(sql, version->path);
    buffer_append_text(sql, ") v ON ");
    for (size_t i = 0; i < key_count; i++)
        buffer_printf(sql, "k.k%zu = v.v%zu AND ", i, i);
    buffer_append_text(sql, "k.moment >= v.event_timestamp");
    if (max_age_us > 0)
        buffer_printf(sql, " WHERE epoch_us(k.moment) - epoch_us(v.event_timestamp) <= %lld",
                      (long long)max_age_us);
    enum err_code code = offline_query(duck, sql, NULL, err);
    if (code != ERR_OK)
        return code;
    buffer_append_text(sql, "SELECT count(*) FROM offline_hit");
    return offline_query_i64(duck, sql, out_found, err);
}

/* The rows with their features, in order. `own`: columns of e and k to answer with. */
static enum err_code put_answer(const struct offline_version *version, const struct offline_join *join,
                                const struct offline_entities *entities, struct buffer *sql, struct err *err)
{
    size_t key_count;
    const char *const *keys = offline_key_names(version->entity, &key_count);
    bool has_file = join->entities != NULL;
    buffer_printf(sql, "SELECT %s", has_file ? buffer_text(&entities->columns) : "k.n AS \"row\"");
    enum err_code code = put_features(version, join->features, "f", sql, err);
    if (code != ERR_OK)
        return code;
    buffer_append_text(sql, has_file ? " FROM offline_entity e JOIN offline_key k ON k.n = e.rowid"
                                     : " FROM offline_key k");
    buffer_append_text(sql, " LEFT JOIN (SELECT h.n");
    code = put_features(version, join->features, "v", sql, err);
    if (code != ERR_OK)
        return code;
    buffer_append_text(sql, " FROM offline_hit h JOIN ");
    offline_put_source(sql, version->path);
    buffer_append_text(sql, " v ON v.event_timestamp = h.event");
    for (size_t i = 0; i < key_count; i++)
        buffer_printf(sql, " AND v.\"%s\" = h.k%zu", keys[i], i);
    buffer_append_text(sql, ") f ON f.n = k.n ORDER BY k.n");
    return ERR_OK;
}

static enum err_code wrap_output(struct buffer *sql, const char *output, struct err *err)
{
    size_t size = strlen(output);
    bool is_stdout = strcmp(output, "-") == 0;
    bool is_parquet = size > 8 && text_equal_nocase(text_of(output + size - 8), ".parquet");
    bool is_csv = is_stdout || (size > 4 && text_equal_nocase(text_of(output + size - 4), ".csv"));
    if (!is_csv && !is_parquet)
        return err_set_field(err, ERR_INVALID, "output",
                             "cannot write '%.200s': the name must end in .csv or "
                             ".parquet",
                             output);
    buffer_append_text(sql, ") TO ");
    (void)duck_quote(sql, is_stdout ? "/dev/stdout" : output);
    buffer_append_text(sql,
                       is_parquet ? " (FORMAT parquet, COMPRESSION zstd)" : " (FORMAT csv, HEADER true)");
    return ERR_OK;
}

static enum err_code answer(struct duck *duck, const struct offline_version *version,
                            const struct offline_join *join, const struct offline_entities *entities,
                            struct buffer *sql, struct duck_result **out, struct err *err)
{
    if (join->output != NULL)
        buffer_append_text(sql, "COPY (");
    enum err_code code = put_answer(version, join, entities, sql, err);
    if (code == ERR_OK && join->output != NULL)
        code = wrap_output(sql, join->output, err);
    return code == ERR_OK ? offline_query(duck, sql, join->output == NULL ? out : NULL, err) : code;
}

enum err_code offline_store_join(const char *folder, struct duck *duck, const struct offline_join *join,
                                 struct offline_joined *out, struct err *err)
{
    struct offline_version version;
    struct offline_entities entities = {0};
    struct buffer sql;
    *out = (struct offline_joined){0};
    enum err_code code = offline_find(folder, join->view, &version, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&sql, OFFLINE_SQL_BYTES);
    code = put_features(&version, join->features, "f", &sql, err); /* before a large file is read */
    if (code == ERR_OK && join->output != NULL)
        code = wrap_output(&sql, join->output, err);
    buffer_clear(&sql);
    if (code == ERR_OK)
        code = offline_entities_load(duck, join, version.entity, &entities, err);
    if (code == ERR_OK && entities.names != NULL)
        code = check_clash(&version, join, entities.names, err);
    if (code == ERR_OK)
        code = find_hits(duck, &version, join->max_age_us, &sql, &out->found, err);
    if (code == ERR_OK)
        code = answer(duck, &version, join, &entities, &sql, &out->result, err);
    out->rows = entities.rows;
    offline_entities_release(out->result == NULL ? duck : NULL, &entities);
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
