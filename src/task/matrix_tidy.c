/* Which matrix a version was made from stands in its details, as its model file says it. */
#include "task/matrix_tidy.h"

#include "base/text.h"
#include "feature/matrix.h"
#include "limits.h"
#include "registry/registry.h"

#include <stdlib.h>
#include <string.h>

enum { TIDY_VERSIONS = 1024 }; /* newest; more are not in service at once */

struct keys {
    char (*key)[HASH_HEX_BYTES];
    const char **list; /* of those in service */
    size_t count;
};

static bool is_in_service(const struct version_row *row)
{
    return row->stage == STAGE_PRODUCTION || row->stage == STAGE_STAGING;
}

static enum err_code read_key(struct store *store, const char *version, char out[HASH_HEX_BYTES],
                              struct err *err)
{
    struct buffer text;
    json_t *details = NULL;
    buffer_init(&text, LIMIT_JSON_BYTES);
    enum err_code code = registry_details(store, version, &text, err);
    if (code == ERR_OK)
        code = json_read(buffer_text(&text), text.size_bytes, &details, err);
    const char *key = json_string_value(json_object_get(json_object_get(details, "description"), "matrix"));
    if (code == ERR_OK && (key == NULL || !text_copy(text_of(key), out, HASH_HEX_BYTES)))
        code = err_set(err, ERR_CORRUPT, "version '%s' does not say which matrix it was made from", version);
    json_decref(details);
    buffer_release(&text);
    return code;
}

static enum err_code read_keys(struct store *store, const struct version_row *rows, size_t count,
                               struct keys *keys, struct err *err)
{
    keys->key = calloc(count + 1, sizeof(*keys->key));
    keys->list = calloc(count + 1, sizeof(*keys->list));
    if (keys->key == NULL || keys->list == NULL)
        return err_nomem(err, count * sizeof(*keys->key));
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        if (!is_in_service(&rows[i]))
            continue;
        code = read_key(store, rows[i].version, keys->key[keys->count], err);
        keys->list[keys->count] = keys->key[keys->count];
        keys->count++;
    }
    return code;
}

enum err_code matrix_tidy(struct store *store, struct err *err)
{
    static const struct model_name all;
    struct keys keys = {0};
    size_t count = TIDY_VERSIONS;
    struct version_row *rows = calloc(count, sizeof(*rows));
    if (rows == NULL)
        return err_nomem(err, count * sizeof(*rows));
    enum err_code code = registry_list(store, &all, rows, &count, err);
    if (code == ERR_OK)
        code = read_keys(store, rows, count, &keys, err);
    if (code == ERR_OK)
        code = matrix_prune(store->matrix, keys.list, keys.count, MATRIX_TIDY_NEWEST, err);
    free(keys.key);
    free((void *)keys.list);
    free(rows);
    return code;
}
