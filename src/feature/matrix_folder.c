/* The folder of the matrices: one writer at a time, which basis there is for a new one, and what may go.
 *
 * A file counts only if a head names it, so tidying needs no list of its own: rows and values without a head are what an
 * interrupted or replaced build left behind. Readers that have such files open keep them, as the system does. */
#include "feature/matrix_file.h"

#include <stdlib.h>
#include <string.h>

enum { LOCK_WAIT_MS = 30000 };

enum err_code matrix_folder_lock(const char *folder, struct file_lock *out, struct err *err)
{
    char path[FILE_PATH_BYTES];
    out->descriptor = -1;
    enum err_code code = file_join(folder, ".matrix.lock", path, err);
    if (code == ERR_OK)
        code = file_make_folders(folder, err);
    return code == ERR_OK ? file_lock_open(path, LOCK_WAIT_MS, out, err) : code;
}

static enum err_code visit_one(const char *path,
                               enum err_code (*visit)(void *context, const char *path,
                                                      const struct matrix_head *head, struct err *err),
                               void *context, struct err *err)
{
    struct file_map map;
    struct matrix_head head;
    enum err_code code = file_map_open(path, INT64_MAX, &map, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK; /* removed since the folder was read */
    if (code != ERR_OK)
        return code;
    bool is_head = matrix_head_parse(&map, path, &head, NULL) == ERR_OK;
    code = visit(context, path, is_head ? &head : NULL, err);
    file_map_close(&map);
    return code;
}

enum err_code matrix_folder_walk(const char *folder,
                                 enum err_code (*visit)(void *context, const char *path,
                                                        const struct matrix_head *head, struct err *err),
                                 void *context, struct err *err)
{
    struct file_list list;
    enum err_code code = file_list_open(folder, ".mat", &list, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        code = visit_one(list.paths[i], visit, context, err);
    file_list_close(&list);
    return code;
}

/* ---- heads of a folder, in memory ---- */

struct entry {
    char key[HASH_HEX_BYTES], base[MATRIX_BASE_BYTES], stem[MATRIX_BASE_BYTES];
    size_t shared_columns, rows;
    int64_t modified_us;
    bool is_kept;
};
struct entries {
    struct entry *items;
    size_t count, capacity;
    const struct feature_set *set; /* NULL: shared columns are not asked for */
    const char *data_hash;         /* NULL: any */
};

static enum err_code entries_grow(struct entries *entries, struct err *err)
{
    if (entries->count < entries->capacity)
        return ERR_OK;
    size_t capacity = entries->capacity == 0 ? 16 : entries->capacity * 2;
    struct entry *items = reallocarray(entries->items, capacity, sizeof(*items));
    if (items == NULL)
        return err_nomem(err, capacity * sizeof(*items));
    entries->items = items;
    entries->capacity = capacity;
    return ERR_OK;
}

/* A copy under another name is no head of this folder: what its key names is another file. */
static bool is_head_of(const char *path, const char *key)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t size = strlen(key);
    return strncmp(name, key, size) == 0 && strcmp(name + size, ".mat") == 0;
}

static enum err_code entries_add(void *context, const char *path, const struct matrix_head *head,
                                 struct err *err)
{
    struct entries *entries = context;
    struct file_info info;
    if (head == NULL || !is_head_of(path, head->record->key))
        return ERR_OK;
    if (entries->data_hash != NULL && strcmp(head->record->data_hash, entries->data_hash) != 0)
        return ERR_OK;
    enum err_code code = file_stat(path, &info, err);
    if (code == ERR_OK)
        code = entries_grow(entries, err);
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    struct entry *entry = &entries->items[entries->count++];
    *entry = (struct entry){.rows = head->record->rows, .modified_us = info.modified_us};
    memccpy(entry->key, head->record->key, '\0', sizeof(entry->key) - 1);
    memccpy(entry->base, head->record->base, '\0', sizeof(entry->base) - 1);
    memccpy(entry->stem, head->record->stem, '\0', sizeof(entry->stem) - 1);
    if (entries->set != NULL)
        entry->shared_columns = matrix_head_shared_columns(head, entries->set);
    return ERR_OK;
}

/* Most shared columns first, then the newest, then the longest. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->shared_columns != y->shared_columns)
        return x->shared_columns > y->shared_columns ? -1 : 1;
    if (x->modified_us != y->modified_us)
        return x->modified_us > y->modified_us ? -1 : 1;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    return strcmp(x->key, y->key);
}

enum err_code matrix_open_basis(const char *folder, const char *data_hash, const struct feature_set *set,
                                struct matrix **out, struct err *err)
{
    struct entries entries = {.set = set, .data_hash = data_hash};
    enum err_code code = matrix_folder_walk(folder, entries_add, &entries, err);
    if (code != ERR_OK)
        goto out;
    if (entries.count > 0)
        qsort(entries.items, entries.count, sizeof(*entries.items), compare_entries);
    code = ERR_NOT_FOUND;
    /* one that cannot be opened is passed over: it is a cache */
    for (size_t i = 0; code != ERR_OK && i < entries.count && entries.items[i].shared_columns > 0; i++)
        code = matrix_open(folder, entries.items[i].key, out, NULL);
    if (code != ERR_OK)
        code = err_set(err, ERR_NOT_FOUND, "no feature matrix in '%s' shares a family with set '%s'", folder,
                       set->name);
out:
    free(entries.items);
    return code;
}

/* ---- removing ---- */

static enum err_code remove_if_foreign(void *context, const char *path, const struct matrix_head *head,
                                       struct err *err)
{
    (void)context;
    return head == NULL ? file_remove(path, err) : ERR_OK;
}

static bool is_same(const char *base, const char *name, size_t size)
{
    return strlen(base) == size && memcmp(base, name, size) == 0;
}

static bool is_named(const struct entries *entries, const char *path, size_t suffix_size)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t size = strlen(name) - suffix_size;
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->items[i];
        if (entry->is_kept && (is_same(entry->base, name, size) || is_same(entry->stem, name, size)))
            return true;
    }
    return false;
}

static enum err_code remove_unnamed(const char *folder, const char *suffix, const struct entries *entries,
                                    struct err *err)
{
    struct file_list list;
    enum err_code code = file_list_open(folder, suffix, &list, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        if (!is_named(entries, list.paths[i], strlen(suffix)))
            code = file_remove(list.paths[i], err);
    }
    file_list_close(&list);
    return code;
}

static enum err_code remove_dropped(const char *folder, const struct entries *entries, struct err *err)
{
    char path[FILE_PATH_BYTES];
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < entries->count; i++) {
        if (entries->items[i].is_kept)
            continue;
        code = matrix_path(folder, entries->items[i].key, "mat", path, err);
        if (code == ERR_OK)
            code = file_remove(path, err);
    }
    return code;
}

static void choose(struct entries *entries, const char *const *keep_keys, size_t keep_count,
                   size_t newest_count)
{
    if (entries->count > 0)
        qsort(entries->items, entries->count, sizeof(*entries->items), compare_entries);
    for (size_t i = 0; i < entries->count; i++) {
        entries->items[i].is_kept = i < newest_count;
        for (size_t k = 0; k < keep_count && !entries->items[i].is_kept; k++)
            entries->items[i].is_kept = strcmp(entries->items[i].key, keep_keys[k]) == 0;
    }
}

/* Heads go before what they name: interrupted between the two, nothing names what is gone. */
static enum err_code prune(const char *folder, const char *const *keep_keys, size_t keep_count,
                           size_t newest_count, struct err *err)
{
    struct entries entries = {0};
    enum err_code code = matrix_folder_walk(folder, remove_if_foreign, NULL, err);
    if (code == ERR_OK)
        code = matrix_folder_walk(folder, entries_add, &entries, err);
    choose(&entries, keep_keys, keep_count, newest_count);
    if (code == ERR_OK)
        code = remove_dropped(folder, &entries, err);
    if (code == ERR_OK)
        code = remove_unnamed(folder, ".rows", &entries, err);
    if (code == ERR_OK)
        code = remove_unnamed(folder, ".values", &entries, err);
    free(entries.items);
    return code;
}

enum err_code matrix_folder_tidy(const char *folder, struct err *err)
{
    return prune(folder, NULL, 0, SIZE_MAX, err);
}

enum err_code matrix_prune(const char *folder, const char *const *keep_keys, size_t keep_count,
                           size_t newest_count, struct err *err)
{
    struct file_lock lock;
    enum err_code code = matrix_folder_lock(folder, &lock, err);
    if (code == ERR_OK)
        code = prune(folder, keep_keys, keep_count, newest_count, err);
    file_lock_close(&lock);
    return code;
}
