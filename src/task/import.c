/* The import: two windows of files. While one thread stores the files that were parsed before, the others parse the
 * next ones; then the windows change places. Storing is the longer part and cannot be shared (SQLite has one writer),
 * so the parsing costs no time as long as there is a second processor.
 *
 * A file goes through one of three ends: parsed, unchanged (its hash is known), failed. Only the storing side touches
 * the database. */
#include "task/import.h"
#include "task/simulate.h"

#include "limits.h"
#include "os/file.h"
#include "task/import_write.h"

#include <stdlib.h>
#include <string.h>

enum { HASH_FIRST_BYTES = 64 << 20 };

#define ROW_STRICT                                                                                           \
    {                                                                                                        \
        "strict", OPTION_BOOL, OPTION_MEMBER(struct import_options, strict), "", 0, 0, "false",              \
            "stop at the first row that would be rejected; nothing of its file is stored"                    \
    }
#define ROW_REPORT                                                                                           \
    {                                                                                                        \
        "report", OPTION_BOOL, OPTION_MEMBER(struct import_options, report), "", 0, 0, "false",              \
            "show what was repaired or rejected, by reason, with files and lines"                            \
    }
#define ROW_QUERY                                                                                            \
    {                                                                                                        \
        "query", OPTION_TEXT, OPTION_MEMBER(struct import_options, query), "SQL", 0, 0, "",                  \
            "the SELECT whose columns are called as in football-data (Div, Date, HomeTeam, AwayTeam, FTHG, " \
            "FTAG, ...)"                                                                                     \
    }

static const struct option_row football_rows[] = {ROW_STRICT, ROW_REPORT};
static const struct option_row sqlite_rows[] = {ROW_QUERY, ROW_STRICT, ROW_REPORT};
const struct option_table import_option_table = {"import", football_rows,
                                                 sizeof football_rows / sizeof *football_rows};
const struct option_table import_sqlite_option_table = {"import_sqlite", sqlite_rows,
                                                        sizeof sqlite_rows / sizeof *sqlite_rows};

struct import {
    struct import_write write;
    char **paths; /* path_count of them */
    size_t path_count, path_capacity;
    struct import_file windows[2][IMPORT_WINDOW];
    size_t counts[2];   /* files in each window */
    int parsing;        /* the window that is being parsed; the other is being stored */
    enum err_code code; /* of the storing side */
    struct err err;
};

/* ---- parsing (any thread) ---- */

static void hash_content(const struct file_map *map, char out[HASH_HEX_BYTES])
{
    struct hash hash;

    hash_init(&hash);
    hash_add_text(&hash, import_version);
    if (map->size_bytes > 0)
        hash_add(&hash, map->data, map->size_bytes);
    hash_final_hex(&hash, out);
}

static enum err_code parse_map(const struct import *import, const struct file_map *map,
                               struct import_file *parsed, struct err *err)
{
    bool strict = import->write.options->strict;
    /* a file of unusual size is parsed first: if it is junk, parsing ends early where hashing would read all of it */
    bool hash_first = map->size_bytes <= HASH_FIRST_BYTES;

    if (hash_first) {
        hash_content(map, parsed->hash);
        if (import_is_known(&import->write, parsed->hash)) {
            parsed->outcome = IMPORT_UNCHANGED;
            return ERR_OK;
        }
    }
    enum err_code code =
        football_data_read(map->data, map->size_bytes, parsed->path, strict, &parsed->tables, err);
    if (code == ERR_OK)
        code = import_rows_make(&parsed->tables, parsed->path, strict, &parsed->rows, err);
    if (code != ERR_OK)
        return code;
    if (!hash_first)
        hash_content(map, parsed->hash);
    parsed->outcome = IMPORT_PARSED;
    return ERR_OK;
}

static void parse_file(const struct import *import, struct import_file *parsed)
{
    struct file_map map = {0};

    enum err_code code = file_map_open(parsed->path, LIMIT_CSV_FILE_BYTES, &map, &parsed->failure);
    if (code == ERR_OK) {
        parsed->size_bytes = (int64_t)map.size_bytes;
        code = parse_map(import, &map, parsed, &parsed->failure);
        file_map_close(&map);
    }
    if (code != ERR_OK) {
        import_file_release(parsed);
        parsed->outcome = IMPORT_FAILED;
    }
}

static void store_window(struct import *import)
{
    int window = 1 - import->parsing;

    for (size_t index = 0; index < import->counts[window] && import->code == ERR_OK; index++)
        import->code = import_write_add(&import->write, &import->windows[window][index], &import->err);
}

/* ---- the two windows ---- */

/* Index 0 stores the one window, the others parse the other. */
static void work(void *context, size_t index)
{
    struct import *import = context;

    if (index == 0)
        store_window(import);
    else
        parse_file(import, &import->windows[import->parsing][index - 1]);
}

static void release_window(struct import *import, int window)
{
    for (size_t index = 0; index < import->counts[window]; index++)
        import_file_release(&import->windows[window][index]);
    import->counts[window] = 0;
}

static void fill_window(struct import *import, size_t first)
{
    size_t count = import->path_count - first;

    count = count < IMPORT_WINDOW ? count : IMPORT_WINDOW;
    for (size_t index = 0; index < count; index++)
        import->windows[import->parsing][index] = (struct import_file){.path = import->paths[first + index]};
    import->counts[import->parsing] = count;
}

/* Until all files are stored, the storing side fails, or the reporter says stop. */
static enum err_code run_windows(struct import *import, struct pool *pool, struct err *err)
{
    size_t given = 0, stored = 0;

    for (;;) {
        fill_window(import, given);
        given += import->counts[import->parsing];
        int storing = 1 - import->parsing;
        if (import->counts[0] + import->counts[1] == 0)
            return ERR_OK;
        pool_for(pool, 1 + import->counts[import->parsing], work, import);
        stored += import->counts[storing];
        release_window(import, storing);
        import->parsing = storing;
        if (import->code != ERR_OK) {
            *err = import->err;
            return import->code;
        }
        report_progress(import->write.reporter, "importing", stored, import->path_count);
        if (report_is_stopped(import->write.reporter) && stored < import->path_count)
            return err_set(err, ERR_CANCELLED,
                           "the import was stopped after %zu of %zu files; they are stored", stored,
                           import->path_count);
    }
}

static enum err_code add_path(struct import *import, const char *path, struct err *err)
{
    if (import->path_count == import->path_capacity) {
        size_t capacity = import->path_capacity == 0 ? 64 : 2 * import->path_capacity;
        char **paths = realloc(import->paths, capacity * sizeof *paths);
        if (paths == NULL)
            return err_nomem(err, capacity * sizeof *paths);
        import->paths = paths;
        import->path_capacity = capacity;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return err_nomem(err, strlen(path));
    import->paths[import->path_count++] = copy;
    return ERR_OK;
}

static bool is_side_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    return strcmp(name, SIMULATE_TRUTH_FILE) == 0 || strcmp(name, SIMULATE_ATTRIBUTES_FILE) == 0;
}

/* A file as it is called, of a folder what ends in .csv and is no side file of the simulator. */
static enum err_code add_paths(struct import *import, const char *path, struct err *err)
{
    struct file_info info;
    struct file_list list = {0};

    enum err_code code = file_stat(path, &info, err);
    if (code != ERR_OK)
        return code;
    if (!info.is_folder)
        return add_path(import, path, err);
    code = file_list_open(path, ".csv", &list, err);
    if (code == ERR_OK && list.count == 0)
        code = err_set(err, ERR_NOT_FOUND, "there is no .csv file in '%s'", path);
    for (size_t index = 0; index < list.count && code == ERR_OK; index++) {
        if (!is_side_file(list.paths[index]))
            code = add_path(import, list.paths[index], err);
    }
    file_list_close(&list);
    return code;
}

static void import_release(struct import *import)
{
    release_window(import, 0);
    release_window(import, 1);
    for (size_t index = 0; index < import->path_count; index++)
        free(import->paths[index]);
    free(import->paths);
    import_write_release(&import->write);
    free(import);
}

static enum err_code run(struct import *import, struct pool *pool, const char *const *paths,
                         size_t path_count, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t index = 0; index < path_count && code == ERR_OK; index++)
        code = add_paths(import, paths[index], err);
    import->write.result->files = import->write.committed.files = import->path_count;
    return code == ERR_OK ? run_windows(import, pool, err) : code;
}

enum err_code import_football(struct store *store, struct pool *pool, const char *const *paths,
                              size_t path_count, const struct import_options *options,
                              const struct reporter *reporter, struct import_result *out, struct err *err)
{
    struct err unread; /* err may be NULL for the caller, not here */
    /* on the heap: two windows of errors and lists are too much for a stack */
    struct import *import = calloc(1, sizeof *import);

    *out = (struct import_result){0};
    err = err != NULL ? err : &unread;
    if (import == NULL)
        return err_nomem(err, sizeof *import);
    enum err_code code = import_write_start(&import->write, store, options, reporter, out, err);
    if (code == ERR_OK) {
        code = run(import, pool, paths, path_count, err);
        code = import_write_finish(&import->write, code, err);
    }
    import_release(import);
    return code;
}
