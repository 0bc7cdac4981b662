/* The import: two windows of files. While one thread stores the files that were parsed before, the others parse the
 * next ones; then the windows change places. Storing is the longer part and cannot be shared (SQLite has one writer),
 * so the parsing costs no time as long as there is a second processor.
 *
 * A file goes through one of three ends: parsed, unchanged (its hash is known), failed. Only the storing side touches
 * the database. */
#include "task/import.h"

#include "base/hash.h"
#include "base/names.h"
#include "limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "source/football_data.h"
#include "source/sqlite_source.h"
#include "store/import_store.h"
#include "task/import_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MATCHES = 20000, HASH_FIRST_BYTES = 64 << 20 };

/* Part of the content hash: changes when the same file gives other rows than before. */
static const char import_version[] = FOOTBALL_DATA_VERSION ", import 1";

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

enum outcome { PARSED, UNCHANGED, FAILED };
struct parsed {
    const char *path;
    enum outcome outcome;
    char hash[HASH_HEX_BYTES];
    int64_t size_bytes;
    struct football_tables tables; /* and rows: of a parsed file */
    struct import_rows rows;
    struct err failure;
};

struct import {
    struct store *store;
    const struct import_options *options;
    const struct reporter *reporter;
    struct import_result *result;
    struct import_result committed; /* the result to go back to when a batch is undone */
    struct names *known;            /* hashes stored before: parsers read it, so it does not change */
    struct names *stored;           /* hashes stored now: the storing side's own */
    char **paths;                   /* path_count of them */
    size_t path_count, path_capacity;
    struct parsed windows[2][IMPORT_WINDOW];
    size_t counts[2];               /* files in each window */
    int parsing;                    /* the window that is being parsed; the other is being stored */
    struct football_writer *writer; /* NULL: no transaction is open */
    int64_t batch_matches;
    enum err_code code; /* of the storing side */
    struct err err;
};

static void parsed_release(struct parsed *parsed)
{
    football_tables_release(&parsed->tables);
    import_rows_release(&parsed->rows);
}

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

static bool is_in(const struct names *hashes, const char *hash)
{
    return names_find(hashes, text_of(hash)) != NAMES_NONE;
}

static enum err_code parse_map(const struct import *import, const struct file_map *map, struct parsed *parsed,
                               struct err *err)
{
    bool strict = import->options->strict;
    /* a file of unusual size is parsed first: if it is junk, parsing ends early where hashing would read all of it */
    bool hash_first = map->size_bytes <= HASH_FIRST_BYTES;

    if (hash_first) {
        hash_content(map, parsed->hash);
        if (is_in(import->known, parsed->hash)) {
            parsed->outcome = UNCHANGED;
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
    parsed->outcome = PARSED;
    return ERR_OK;
}

static void parse_file(const struct import *import, struct parsed *parsed)
{
    struct file_map map = {0};

    enum err_code code = file_map_open(parsed->path, LIMIT_CSV_FILE_BYTES, &map, &parsed->failure);
    if (code == ERR_OK) {
        parsed->size_bytes = (int64_t)map.size_bytes;
        code = parse_map(import, &map, parsed, &parsed->failure);
        file_map_close(&map);
    }
    if (code != ERR_OK) {
        parsed_release(parsed);
        parsed->outcome = FAILED;
    }
}

/* ---- storing (one thread at a time) ---- */

static enum err_code begin(struct import *import, struct err *err)
{
    if (import->writer != NULL)
        return ERR_OK;
    enum err_code code = db_begin(import->store->db, err);
    if (code != ERR_OK)
        return code;
    import->batch_matches = 0;
    code = football_writer_create(import->store->db, &import->writer, err);
    if (code != ERR_OK)
        db_rollback(import->store->db);
    return code;
}

static enum err_code commit(struct import *import, struct err *err)
{
    if (import->writer == NULL)
        return ERR_OK;
    football_writer_destroy(import->writer);
    import->writer = NULL;
    enum err_code code = db_commit(import->store->db, err);
    if (code == ERR_OK)
        import->committed = *import->result;
    else
        *import->result = import->committed;
    return code;
}

/* Nothing of the batch is stored, so nothing of it is counted. */
static void give_up(struct import *import)
{
    football_writer_destroy(import->writer);
    import->writer = NULL;
    db_rollback(import->store->db);
    *import->result = import->committed;
}

static enum err_code store_issues(struct import *import, int64_t file_id, const struct issue_list *issues,
                                  struct err *err)
{
    struct db *db = import->store->db;

    for (size_t index = 0; index < issues->kept; index++) {
        const struct issue *item = &issues->items[index];
        struct stored_issue stored = {issue_name(item->reason), item->field, item->detail,
                                      (int64_t)item->line, (int64_t)item->line_last};
        enum err_code code = import_store_issue(db, file_id, (int64_t)index + 1, &stored, err);
        if (code != ERR_OK)
            return code;
    }
    for (int reason = 0; reason < ISSUE_COUNT; reason++) {
        if (issues->counts[reason] == 0)
            continue;
        enum err_code code = import_store_count(db, file_id, issue_name((enum issue_reason)reason),
                                                (int64_t)issues->counts[reason], err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code store_parsed(struct import *import, const struct parsed *parsed,
                                  struct football_saved *saved, struct err *err)
{
    struct stored_file file = {.path = parsed->path,
                               .hash = parsed->hash,
                               .size_bytes = parsed->size_bytes,
                               .rows_read = (int64_t)parsed->tables.rows_read,
                               .rows_kept = (int64_t)parsed->tables.rows_kept,
                               .imported_us = clock_now_us()};
    struct football_rows rows = {.matches = parsed->tables.matches,
                                 .prices = parsed->tables.prices,
                                 .league = parsed->rows.league,
                                 .country = parsed->rows.country,
                                 .season = parsed->rows.season};

    enum err_code code = begin(import, err);
    if (code == ERR_OK)
        code = import_store_file(import->store->db, &file, &rows.file_id, err);
    if (code == ERR_OK)
        code = store_issues(import, rows.file_id, &parsed->tables.issues, err);
    if (code == ERR_OK)
        code = football_writer_save(import->writer, &rows, saved, err);
    if (code == ERR_OK)
        code = football_store_chain(import->store->db, parsed->hash, err);
    if (code == ERR_OK && names_add(import->stored, text_of(parsed->hash)) == NAMES_NONE)
        code = err_nomem(err, HASH_HEX_BYTES);
    return code;
}

static void count_parsed(struct import *import, const struct parsed *parsed,
                         const struct football_saved *saved)
{
    struct import_result *result = import->result;

    result->files_imported++;
    result->rows_read += (int64_t)parsed->tables.rows_read;
    result->rows_kept += (int64_t)parsed->tables.rows_kept;
    result->saved.matches_new += saved->matches_new;
    result->saved.matches_updated += saved->matches_updated;
    result->saved.prices += saved->prices;
    for (int reason = 0; reason < ISSUE_COUNT; reason++)
        result->counts[reason] += parsed->tables.issues.counts[reason];
    import->batch_matches += saved->matches_new + saved->matches_updated;
}

static enum err_code store_failed(struct import *import, const struct parsed *parsed, struct err *err)
{
    struct stored_file file = {.path = parsed->path,
                               .hash = "",
                               .size_bytes = parsed->size_bytes,
                               .imported_us = clock_now_us(),
                               .error = parsed->failure.text};
    int64_t file_id;

    import->result->files_failed++;
    if (import->result->first_failure.code == ERR_OK)
        import->result->first_failure = parsed->failure;
    report_log(import->reporter, "%s", parsed->failure.text);
    if (import->options->strict) {
        *err = parsed->failure;
        return parsed->failure.code;
    }
    enum err_code code = begin(import, err);
    return code == ERR_OK ? import_store_file(import->store->db, &file, &file_id, err) : code;
}

/* A failure of the database undoes the whole batch; a strict stop comes before anything of its file was written, so
 * what stands in the batch is kept. */
static enum err_code store_file(struct import *import, const struct parsed *parsed, struct err *err)
{
    struct football_saved saved = {0};

    if (parsed->outcome == FAILED)
        return store_failed(import, parsed, err);
    if (parsed->outcome == UNCHANGED || is_in(import->known, parsed->hash) ||
        is_in(import->stored, parsed->hash)) {
        import->result->files_unchanged++;
        return ERR_OK;
    }
    enum err_code code = store_parsed(import, parsed, &saved, err);
    if (code != ERR_OK) {
        give_up(import);
        return code;
    }
    count_parsed(import, parsed, &saved);
    return import->batch_matches >= BATCH_MATCHES ? commit(import, err) : ERR_OK;
}

static void store_window(struct import *import)
{
    int window = 1 - import->parsing;

    for (size_t index = 0; index < import->counts[window] && import->code == ERR_OK; index++)
        import->code = store_file(import, &import->windows[window][index], &import->err);
}

/* ---- both ---- */

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
        parsed_release(&import->windows[window][index]);
    import->counts[window] = 0;
}

static void fill_window(struct import *import, size_t first)
{
    size_t count = import->path_count - first;

    count = count < IMPORT_WINDOW ? count : IMPORT_WINDOW;
    for (size_t index = 0; index < count; index++)
        import->windows[import->parsing][index] = (struct parsed){.path = import->paths[first + index]};
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
        report_progress(import->reporter, "importing", stored, import->path_count);
        if (report_is_stopped(import->reporter) && stored < import->path_count)
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

/* A file as it is called, of a folder what ends in .csv. */
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
    for (size_t index = 0; index < list.count && code == ERR_OK; index++)
        code = add_path(import, list.paths[index], err);
    file_list_close(&list);
    return code;
}

static enum err_code prepare(struct import *import, struct err *err)
{
    import->stored = names_create();
    if (import->stored == NULL)
        return err_nomem(err, 0);
    enum err_code code = import_store_known(import->store->db, &import->known, err);
    return code == ERR_OK ? db_bulk_begin(import->store->db, err) : code;
}

/* What was stored before a stop or a strict error is kept; the first error is the one that is told. */
static enum err_code finish(struct import *import, enum err_code code, struct err *err)
{
    enum err_code commit_code = commit(import, code == ERR_OK ? err : NULL);

    db_bulk_end(import->store->db);
    if (code == ERR_OK)
        code = commit_code;
    if (code == ERR_OK && import->result->files_failed > 0 &&
        import->result->files_failed == import->result->files) {
        *err = import->result->first_failure;
        return err->code;
    }
    return code;
}

static void import_release(struct import *import)
{
    release_window(import, 0);
    release_window(import, 1);
    for (size_t index = 0; index < import->path_count; index++)
        free(import->paths[index]);
    free(import->paths);
    names_destroy(import->known);
    names_destroy(import->stored);
    free(import);
}

/* On the heap: two windows of errors and lists are too much for a stack. */
static struct import *import_create(struct store *store, const struct import_options *options,
                                    const struct reporter *reporter, struct import_result *out)
{
    struct import *import = calloc(1, sizeof *import);

    *out = (struct import_result){0};
    if (import == NULL)
        return NULL;
    import->store = store;
    import->options = options;
    import->reporter = reporter;
    import->result = out;
    return import;
}

enum err_code import_football(struct store *store, struct pool *pool, const char *const *paths,
                              size_t path_count, const struct import_options *options,
                              const struct reporter *reporter, struct import_result *out, struct err *err)
{
    struct err unread; /* err may be NULL for the caller, not here */
    struct import *import = import_create(store, options, reporter, out);

    err = err != NULL ? err : &unread;
    if (import == NULL)
        return err_nomem(err, sizeof *import);
    enum err_code code = ERR_OK;
    for (size_t index = 0; index < path_count && code == ERR_OK; index++)
        code = add_paths(import, paths[index], err);
    out->files = import->committed.files = import->path_count;
    if (code == ERR_OK)
        code = prepare(import, err);
    if (code == ERR_OK) {
        code = run_windows(import, pool, err);
        code = finish(import, code, err);
    }
    import_release(import);
    return code;
}

/* ---- SQLite ---- */

/* Values, bitmaps and dictionaries of a frame: the content that is imported, whatever file it came from. */
static void hash_frame(struct hash *hash, const struct frame *frame)
{
    size_t rows = frame_rows(frame);

    hash_add_i64(hash, (int64_t)rows);
    for (size_t column = 0; column < frame_columns(frame); column++) {
        hash_add_text(hash, frame_name(frame, column));
        enum frame_type type = frame_column_type(frame, column);
        if (rows == 0)
            continue;
        if (type == FRAME_F64)
            hash_add(hash, frame_f64(frame, column), rows * sizeof(double));
        else if (type == FRAME_I64 || type == FRAME_TIME)
            hash_add(hash, frame_i64(frame, column), rows * sizeof(int64_t));
        else
            hash_add(hash, frame_i32(frame, column), rows * sizeof(int32_t));
        for (size_t row = 0; type == FRAME_I32 && row < rows; row++)
            hash_add(hash, frame_is_present(frame, column, row) ? "1" : "0", 1);
        for (int32_t code = 0; type == FRAME_TEXT && code < frame_dictionary_count(frame, column); code++)
            hash_add_text(hash, frame_dictionary_text(frame, column, code));
    }
}

/* "app.sqlite?query=1a2b3c4d": two queries of one file are two sources. */
static enum err_code name_source(const char *path, const char *query, struct buffer *out, struct err *err)
{
    char hex[HASH_HEX_BYTES];
    struct hash hash;

    hash_init(&hash);
    hash_add_text(&hash, query);
    hash_final_hex(&hash, hex);
    buffer_printf(out, "%s?query=%.8s", path, hex);
    return buffer_check(out, "path", err);
}

static enum err_code parse_sqlite(const struct import *import, const char *path, struct parsed *parsed,
                                  struct err *err)
{
    struct hash hash;
    bool strict = import->options->strict;

    enum err_code code = sqlite_source_read(path, import->options->query, strict, &parsed->tables, err);
    if (code == ERR_OK)
        code = import_rows_make(&parsed->tables, path, strict, &parsed->rows, err);
    if (code != ERR_OK)
        return code;
    hash_init(&hash);
    hash_add_text(&hash, import_version);
    hash_add_text(&hash, parsed->path);
    hash_frame(&hash, parsed->tables.matches);
    hash_frame(&hash, parsed->tables.prices);
    hash_final_hex(&hash, parsed->hash);
    parsed->outcome = PARSED;
    return ERR_OK;
}

enum err_code import_sqlite(struct store *store, const char *path, const struct import_options *options,
                            const struct reporter *reporter, struct import_result *out, struct err *err)
{
    struct err unread;
    struct buffer name;
    struct parsed parsed = {0};
    struct file_info info;
    struct import *import = import_create(store, options, reporter, out);

    err = err != NULL ? err : &unread;
    if (import == NULL)
        return err_nomem(err, sizeof *import);
    buffer_init(&name, 2 * FILE_PATH_BYTES);
    out->files = import->committed.files = 1;
    report_progress(reporter, "importing", 0, 1);
    enum err_code code = name_source(path, options->query, &name, err);
    parsed.path = buffer_text(&name);
    if (code == ERR_OK)
        code = file_stat(path, &info, err);
    if (code == ERR_OK) {
        parsed.size_bytes = info.size_bytes;
        code = parse_sqlite(import, path, &parsed, err);
    }
    if (code == ERR_OK)
        code = prepare(import, err);
    if (code == ERR_OK) {
        code = store_file(import, &parsed, err);
        code = finish(import, code, err);
    }
    if (code == ERR_OK)
        report_progress(reporter, "importing", 1, 1);
    parsed_release(&parsed);
    buffer_release(&name);
    import_release(import);
    return code;
}
