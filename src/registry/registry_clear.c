/* Clearing and sweeping.
 *
 * Order is everything here. The rows of all that is cleared are archived in one transaction; from its commit on no server
 * serves them, whichever process did it. Only then the files go, one by one. A crash in between leaves files without an
 * owner, which the sweep removes; the other order would leave rows whose file is gone.
 * A server that maps or has loaded a file is not disturbed by its removal. */
#include "registry/registry_row.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "os/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What is needed of a row to clear it: a version_row holds a whole path. */
struct doomed {
    struct model_name name;
    char version[MODEL_VERSION_BYTES];
    enum stage stage;
};
struct doomed_list {
    struct doomed *items;
    size_t count, capacity;
};

static bool reserve(struct doomed_list *list)
{
    if (list->count < list->capacity)
        return true;
    size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
    struct doomed *items = realloc(list->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    list->items = items;
    list->capacity = capacity;
    return true;
}

static void take_row(const struct query *query, struct doomed *out)
{
    int stage = stage_find(query_text(query, 4));

    assert(stage >= 0);
    *out = (struct doomed){.stage = (enum stage)stage};
    (void)text_copy(text_of(query_text(query, 0)), out->version, sizeof out->version);
    (void)text_copy(text_of(query_text(query, 1)), out->name.subject, sizeof out->name.subject);
    (void)text_copy(text_of(query_text(query, 2)), out->name.variant, sizeof out->name.variant);
    (void)text_copy(text_of(query_text(query, 3)), out->name.bot, sizeof out->name.bot);
}

static enum err_code list_doomed(struct db *db, const struct model_name *name, const char *version,
                                 struct doomed_list *out, struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code =
        db_query(db,
                 "SELECT version, subject, variant, bot, stage FROM version WHERE ($1 = '' OR subject = $1) "
                 "AND ($2 = '' OR variant = $2) AND ($3 = '' OR bot = $3) AND ($4 = '' OR version = $4) "
                 "AND cleared_us IS NULL ORDER BY version",
                 &query, err);
    if (code != ERR_OK)
        return code;
    registry_bind_name(query, name);
    query_bind_text(query, 4, version);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        if (!reserve(out)) {
            query_reset(query);
            return err_nomem(err, out->capacity * 2 * sizeof *out->items);
        }
        take_row(query, &out->items[out->count++]);
    }
    return code;
}

static enum err_code archive_row(struct db *db, const struct doomed *doomed, const char *who, const char *why,
                                 struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "UPDATE version SET stage = 'Archived', cleared_us = $2 WHERE version = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, doomed->version);
    query_bind_i64(query, 2, clock_now_us());
    code = query_run(query, err);
    if (code == ERR_OK)
        code =
            registry_insert_history(db, doomed->version, doomed->stage, STAGE_ARCHIVED, false, who, why, err);
    return code;
}

static enum err_code archive_rows(struct store *store, const struct model_name *name, const char *version,
                                  const char *who, const char *why, struct doomed_list *out, struct err *err)
{
    enum err_code code = db_begin(store->db, err);

    if (code != ERR_OK)
        return code;
    code = list_doomed(store->db, name, version, out, err);
    for (size_t index = 0; code == ERR_OK && index < out->count; index++)
        code = archive_row(store->db, &out->items[index], who, why, err);
    return registry_end(store, code, err);
}

/* What cannot be removed now is an orphan: said in the log, removed by a later sweep. */
static int64_t remove_file(const char *path)
{
    struct err err = {0};
    struct file_info info;

    enum err_code code = file_stat(path, &info, &err);
    if (code == ERR_OK)
        code = file_remove(path, &err);
    if (code == ERR_OK)
        return info.size_bytes;
    if (code != ERR_NOT_FOUND)
        log_line(LOG_WARN, "registry", "the file of a cleared version stays for now: %s", err.text);
    return 0;
}

/* After the commit: nothing here undoes it. */
static int64_t remove_files(const struct store *store, const struct doomed_list *list)
{
    char path[FILE_PATH_BYTES];
    int64_t freed_bytes = 0;

    for (size_t index = 0; index < list->count; index++) {
        const struct doomed *doomed = &list->items[index];
        if (registry_place(store, &doomed->name, doomed->version, path, NULL) == ERR_OK)
            freed_bytes += remove_file(path);
    }
    return freed_bytes;
}

enum err_code registry_clear(struct store *store, const struct model_name *name, const char *version,
                             const char *who, const char *why, struct cleared *out, struct err *err)
{
    struct doomed_list list = {0};

    assert(who != NULL && why != NULL);
    *out = (struct cleared){0};
    enum err_code code = archive_rows(store, name, version, who, why, &list, err);
    if (code != ERR_OK || list.count == 0)
        goto out;
    out->freed_bytes = remove_files(store, &list);
    out->versions = calloc(list.count, sizeof *out->versions);
    if (out->versions == NULL) { /* only what is said about it is lost */
        code = err_nomem(err, list.count * sizeof *out->versions);
        goto out;
    }
    for (size_t index = 0; index < list.count; index++)
        memcpy(out->versions[index], list.items[index].version, sizeof *out->versions);
    out->count = list.count;
out:
    free(list.items);
    return code;
}

void registry_cleared_release(struct cleared *cleared)
{
    free(cleared->versions);
    *cleared = (struct cleared){0};
}

/* ---- sweep ---- */

/* "<models>/<subject>/<variant>/<bot>/<version>.model" is owned by the row of that version, if that row lies there. */
static enum err_code is_owned(struct store *store, const char *path, bool *out, struct err *err)
{
    char version[MODEL_VERSION_BYTES];
    struct version_row row;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t size = strcspn(name, ".");

    *out = false;
    if (strcmp(name + size, ".model") != 0 || size == 0 || size >= sizeof version)
        return ERR_OK;
    memcpy(version, name, size);
    version[size] = '\0';
    enum err_code code = registry_get(store, version, &row, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    *out = code == ERR_OK && row.cleared_us == TIME_NONE && strcmp(row.path, path) == 0;
    return code;
}

enum err_code registry_sweep(struct store *store, int64_t before_us, size_t *out_files, int64_t *out_bytes,
                             struct err *err)
{
    struct file_list list = {0};
    struct file_info info;
    bool owned = true;

    *out_files = 0;
    *out_bytes = 0;
    if (!file_exists(store->models))
        return ERR_OK;
    enum err_code code = file_list_open(store->models, ".model", &list, err);
    for (size_t index = 0; code == ERR_OK && index < list.count; index++) {
        if (file_stat(list.paths[index], &info, NULL) != ERR_OK || info.modified_us >= before_us)
            continue;
        code = is_owned(store, list.paths[index], &owned, err);
        if (code != ERR_OK || owned || file_remove(list.paths[index], NULL) != ERR_OK)
            continue;
        (*out_files)++;
        *out_bytes += info.size_bytes;
    }
    file_list_close(&list);
    return code;
}
