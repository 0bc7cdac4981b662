/* Offline store: versions that are there. A version is a folder <view>@<8 hex digits> with a view.json; anything else in the
 * store's folder is not looked at, so that locks and half-made versions (hidden names) are never taken for one. */
#include "view/offline_private.h"

#include "os/folder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const *offline_key_names(enum view_entity entity, size_t *count)
{
    static const char *const match[] = {"match"}, *const team[] = {"team"}, *const pair[] = {"home", "away"};
    *count = entity == VIEW_PAIR ? 2 : 1;
    return entity == VIEW_MATCH ? match : entity == VIEW_TEAM ? team : pair;
}

static const char *const entity_names[] = {
    [VIEW_MATCH] = "match", [VIEW_TEAM] = "team", [VIEW_PAIR] = "pair"};

const char *offline_entity_name(enum view_entity entity)
{
    return entity_names[entity];
}

void offline_store_name(const struct feature_view *view, const struct feature_set *set,
                        char out[OFFLINE_NAME_BYTES])
{
    struct hash hash;
    char hex[HASH_HEX_BYTES];
    hash_init(&hash);
    feature_view_hash(view, set, &hash);
    hash_final_hex(&hash, hex);
    int length = snprintf(out, OFFLINE_NAME_BYTES, "%s@%.8s", view->name, hex);
    assert(length > 0 && length < OFFLINE_NAME_BYTES);
}

static enum err_code read_meta(const char *path, json_t **out, struct err *err)
{
    char file[FILE_PATH_BYTES];
    struct buffer text;
    buffer_init(&text, OFFLINE_JSON_BYTES);
    enum err_code code = file_join(path, "view.json", file, err);
    if (code == ERR_OK)
        code = file_read(file, &text, err);
    if (code == ERR_OK) {
        code = json_read(buffer_text(&text), text.size_bytes, out, err);
        if (code != ERR_OK)
            code = err_set(err, ERR_CORRUPT,
                           "'%s' is damaged; write the view again with 'features materialize "
                           "--full'",
                           file);
    }
    buffer_release(&text);
    return code;
}

static const char *text_member(const json_t *meta, const char *key)
{
    const char *text = json_string_value(json_object_get(meta, key));
    return text != NULL ? text : "";
}

/* By name, newest first. */
static int compare_metas(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = strcmp(text_member(x, "name"), text_member(y, "name"));
    if (order == 0)
        order = strcmp(text_member(y, "created"), text_member(x, "created"));
    return order != 0 ? order : strcmp(text_member(x, "version"), text_member(y, "version"));
}

struct metas {
    json_t **items;
    size_t count;
};

static void release_metas(struct metas *metas)
{
    for (size_t i = 0; i < metas->count; i++)
        json_decref(metas->items[i]);
    free(metas->items);
}

/* Versions that vanish meanwhile are left out. */
static enum err_code read_metas(const char *folder, struct metas *out, struct err *err)
{
    struct folder_list list;
    char path[FILE_PATH_BYTES];
    *out = (struct metas){0};
    enum err_code code = folder_list_open(folder, &list, err);
    if (code != ERR_OK)
        return code;
    out->items = calloc(list.count + 1, sizeof(*out->items));
    if (out->items == NULL)
        code = err_nomem(err, list.count * sizeof(*out->items));
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        if (strchr(list.names[i], '@') == NULL)
            continue;
        code = file_join(folder, list.names[i], path, err);
        if (code == ERR_OK)
            code = read_meta(path, &out->items[out->count], err);
        if (code == ERR_OK)
            out->count++;
        else if (code == ERR_NOT_FOUND)
            code = ERR_OK;
    }
    folder_list_close(&list);
    if (code != ERR_OK)
        release_metas(out);
    else if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), compare_metas);
    return code;
}

enum err_code offline_store_list(const char *folder, json_t **out, struct err *err)
{
    struct metas metas;
    enum err_code code = read_metas(folder, &metas, err);
    if (code != ERR_OK)
        return code;
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < metas.count; i++) {
        (void)json_object_del(metas.items[i], "statistics");
        if (json_array_append(array, metas.items[i]) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    release_metas(&metas);
    if (array == NULL)
        return err_nomem(err, sizeof(void *));
    *out = array;
    return ERR_OK;
}

static bool is_meant(const json_t *meta, const char *view)
{
    const char *name = text_member(meta, "name"), *version = text_member(meta, "version"),
               *at = strchr(view, '@');
    size_t name_bytes = at == NULL ? strlen(view) : (size_t)(at - view);
    return strlen(name) == name_bytes && strncmp(name, view, name_bytes) == 0 &&
           (at == NULL || strcmp(at + 1, version) == 0);
}

static enum err_code refuse_missing(const struct metas *metas, const char *view, struct err *err)
{
    struct buffer known;
    buffer_init(&known, ERR_TEXT_BYTES);
    for (size_t i = 0; i < metas->count; i++)
        buffer_printf(&known, "%s%s@%s", i > 0 ? ", " : "", text_member(metas->items[i], "name"),
                      text_member(metas->items[i], "version"));
    enum err_code code =
        metas->count == 0
            ? err_set_field(err, ERR_NOT_FOUND, "view",
                            "no feature view is stored; write them first: almanac features materialize")
            : err_set_field(err, ERR_NOT_FOUND, "view", "no feature view '%.80s' is stored; there are %s",
                            view, buffer_text(&known));
    buffer_release(&known);
    return code;
}

enum err_code offline_entity(const json_t *meta, enum view_entity *out, struct err *err)
{
    for (int i = VIEW_MATCH; i <= VIEW_PAIR; i++) {
        if (strcmp(text_member(meta, "entity"), entity_names[i]) == 0) {
            *out = (enum view_entity)i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_CORRUPT, "the description of the view '%.80s' names no known entity",
                   text_member(meta, "name"));
}

static enum err_code open_version(const char *folder, const json_t *meta, struct offline_version *out,
                                  struct err *err)
{
    char name[OFFLINE_NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%s@%s", text_member(meta, "name"), text_member(meta, "version"));
    enum err_code code = file_join(folder, name, out->path, err);
    return code == ERR_OK ? offline_entity(meta, &out->entity, err) : code;
}

/* *out_same: how many versions the name without a version means. */
static enum err_code find(const char *folder, const char *view, struct offline_version *out, size_t *out_same,
                          struct err *err)
{
    struct metas metas;
    json_t *found = NULL;
    *out = (struct offline_version){0};
    *out_same = 0;
    enum err_code code = read_metas(folder, &metas, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < metas.count; i++) {
        if (!is_meant(metas.items[i], view))
            continue;
        ++*out_same;
        if (found == NULL)
            found = metas.items[i];
    }
    code = found != NULL ? open_version(folder, found, out, err) : refuse_missing(&metas, view, err);
    if (code == ERR_OK)
        out->meta = json_incref(found);
    release_metas(&metas);
    return code;
}

enum err_code offline_find(const char *folder, const char *view, struct offline_version *out, struct err *err)
{
    size_t same;
    return find(folder, view, out, &same, err);
}

void offline_version_release(struct offline_version *version)
{
    json_decref(version->meta);
    version->meta = NULL;
}

enum err_code offline_store_describe(const char *folder, const char *view, json_t **out, struct err *err)
{
    struct offline_version version;
    enum err_code code = offline_find(folder, view, &version, err);
    if (code == ERR_OK)
        *out = version.meta;
    return code;
}

/* Under a hidden name first: a half-removed version is none. */
static enum err_code remove_version(const char *folder, const char *path, struct err *err)
{
    char hidden[FILE_PATH_BYTES], lock_path[FILE_PATH_BYTES], name[OFFLINE_NAME_BYTES + 16];
    const char *base = strrchr(path, '/') + 1;
    int lock;
    (void)snprintf(name, sizeof(name), ".%s.lock", base);
    enum err_code code = file_join(folder, name, lock_path, err);
    (void)snprintf(name, sizeof(name), ".%s.gone", base);
    if (code == ERR_OK)
        code = file_join(folder, name, hidden, err);
    if (code == ERR_OK)
        code = folder_lock(lock_path, &lock, err);
    if (code != ERR_OK)
        return code;
    code = folder_remove(hidden, err);
    if (code == ERR_OK)
        code = folder_replace(path, hidden, err);
    if (code == ERR_OK)
        code = folder_remove(hidden, err);
    folder_unlock(lock);
    return code;
}

enum err_code offline_store_delete(const char *folder, const char *view, struct err *err)
{
    struct offline_version version;
    size_t same;
    enum err_code code = find(folder, view, &version, &same, err);
    if (code != ERR_OK)
        return code;
    if (same > 1)
        code = err_set_field(err, ERR_CONFLICT, "view",
                             "there are %zu versions of '%.80s': name one, e.g. %.80s", same, view,
                             strrchr(version.path, '/') + 1);
    else
        code = remove_version(folder, version.path, err);
    offline_version_release(&version);
    return code;
}

static void put_source(struct buffer *sql, const char *path, const char *more)
{
    struct buffer pattern;
    buffer_init(&pattern, FILE_PATH_BYTES + 64);
    buffer_printf(&pattern, "%s/year=*/*.parquet", path);
    buffer_append_text(sql, "read_parquet(");
    (void)duck_quote(sql, buffer_text(&pattern));
    buffer_printf(sql, ", hive_partitioning = false%s)", more);
    buffer_release(&pattern);
}

void offline_put_source(struct buffer *sql, const char *path)
{
    put_source(sql, path, "");
}

void offline_put_numbered_source(struct buffer *sql, const char *path)
{
    put_source(sql, path, ", file_row_number = true");
}

enum err_code offline_query(struct duck *duck, struct buffer *sql, struct duck_result **out, struct err *err)
{
    enum err_code code = buffer_check(sql, "the query", err);
    if (code == ERR_OK)
        code = duck_query(duck, buffer_text(sql), NULL, 0, out, err);
    buffer_clear(sql);
    return code;
}

enum err_code offline_query_i64(struct duck *duck, struct buffer *sql, int64_t *out, struct err *err)
{
    struct duck_result *result = NULL;
    bool has_row = false;
    enum err_code code = offline_query(duck, sql, &result, err);
    if (code == ERR_OK)
        code = duck_result_next(result, &has_row, err);
    if (code == ERR_OK)
        *out = has_row && !duck_is_null(result, 0) ? duck_i64(result, 0) : 0;
    duck_result_destroy(result);
    return code;
}
