/* Files, issues and counts. A file is known by its path; what is known about its content is the hash. */
#include "store/import_store.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code import_store_known(struct db *db, bool whole_only, struct names **out, struct err *err)
{
    struct query *query;
    bool has_row;

    *out = names_create();
    if (*out == NULL)
        return err_nomem(err, 0);
    enum err_code code =
        db_query(db, "SELECT hash FROM import_file WHERE error IS NULL AND ($1 = 0 OR rows_kept = rows_read)",
                 &query, err);
    if (code == ERR_OK)
        query_bind_i64(query, 1, whole_only);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        if (names_add(*out, text_of(query_text(query, 0))) == NAMES_NONE)
            code = err_nomem(err, 0);
    }
    if (code != ERR_OK) {
        names_destroy(*out);
        *out = NULL;
    }
    return code;
}

static enum err_code find_file(struct db *db, const char *path, int64_t *out_id, struct err *err)
{
    struct query *query;
    bool has_row;

    *out_id = 0;
    enum err_code code = db_query(db, "SELECT id FROM import_file WHERE path = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, path);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row) {
        *out_id = query_i64(query, 0);
        query_reset(query);
    }
    return code;
}

static enum err_code run_for_file(struct db *db, const char *sql, int64_t file_id, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, sql, &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, file_id);
    return query_run(query, err);
}

static enum err_code forget_issues(struct db *db, int64_t file_id, struct err *err)
{
    enum err_code code = run_for_file(db, "DELETE FROM import_issue WHERE file_id = $1", file_id, err);

    if (code == ERR_OK)
        code = run_for_file(db, "DELETE FROM import_count WHERE file_id = $1", file_id, err);
    return code;
}

enum err_code import_store_file(struct db *db, const struct stored_file *file, int64_t *out_id,
                                struct err *err)
{
    struct query *query;

    enum err_code code = find_file(db, file->path, out_id, err);
    if (code == ERR_OK && *out_id != 0)
        code = forget_issues(db, *out_id, err);
    if (code == ERR_OK)
        code = db_query(
            db,
            "INSERT INTO import_file(path, hash, size_bytes, rows_read, rows_kept, imported_us, error) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT(path) DO UPDATE SET hash = excluded.hash, "
            "size_bytes = excluded.size_bytes, rows_read = excluded.rows_read, "
            "rows_kept = excluded.rows_kept, imported_us = excluded.imported_us, error = excluded.error",
            &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, file->path);
    query_bind_text(query, 2, file->hash);
    query_bind_i64(query, 3, file->size_bytes);
    query_bind_i64(query, 4, file->rows_read);
    query_bind_i64(query, 5, file->rows_kept);
    query_bind_i64(query, 6, file->imported_us);
    query_bind_text(query, 7, file->error);
    code = query_run(query, err);
    if (code == ERR_OK && *out_id == 0)
        *out_id = db_last_id(db);
    return code;
}

enum err_code import_store_issue(struct db *db, int64_t file_id, int64_t number,
                                 const struct stored_issue *issue, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "INSERT INTO import_issue(file_id, number, reason, line, line_last, field, detail) "
                 "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, file_id);
    query_bind_i64(query, 2, number);
    query_bind_text(query, 3, issue->reason);
    query_bind_i64(query, 4, issue->line);
    query_bind_i64(query, 5, issue->line_last);
    query_bind_text(query, 6, issue->field);
    query_bind_text(query, 7, issue->detail);
    return query_run(query, err);
}

enum err_code import_store_count(struct db *db, int64_t file_id, const char *reason, int64_t count,
                                 struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db, "INSERT INTO import_count(file_id, reason, count) VALUES ($1, $2, $3)", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, file_id);
    query_bind_text(query, 2, reason);
    query_bind_i64(query, 3, count);
    return query_run(query, err);
}

/* ---- totals ---- */

/* The end of a path tells more than its beginning. */
static void copy_end(const char *text, char *out, size_t out_bytes)
{
    size_t size_bytes = strlen(text);

    if (size_bytes < out_bytes)
        memcpy(out, text, size_bytes + 1);
    else
        (void)snprintf(out, out_bytes, "...%s", text + size_bytes - (out_bytes - 4));
}

static enum err_code read_sums(struct db *db, struct import_totals *out, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code =
        db_query(db,
                 "SELECT count(*), COALESCE(sum(error IS NOT NULL), 0), COALESCE(sum(rows_read), 0), "
                 "COALESCE(sum(rows_kept), 0), (SELECT count(*) FROM match), (SELECT count(*) FROM price), "
                 "(SELECT count(*) FROM team) FROM import_file",
                 &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    int64_t *const sums[] = {&out->files,   &out->files_failed, &out->rows_read, &out->rows_kept,
                             &out->matches, &out->prices,       &out->teams};
    for (int index = 0; has_row && index < (int)(sizeof sums / sizeof sums[0]); index++)
        *sums[index] = query_i64(query, index);
    query_reset(query);
    return ERR_OK;
}

static enum err_code read_reasons(struct db *db, struct import_totals *out, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(db,
                                  "SELECT reason, sum(count), count(*) FROM import_count GROUP BY reason "
                                  "ORDER BY sum(count) DESC, reason",
                                  &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        if (out->reason_count == IMPORT_REASONS_MAX)
            continue;
        struct import_reason *reason = &out->reasons[out->reason_count++];
        (void)text_copy(text_of(query_text(query, 0)), reason->name, sizeof reason->name);
        reason->count = query_i64(query, 1);
        reason->files = query_i64(query, 2);
    }
    return code;
}

static void take_example(const struct query *query, struct import_example *out)
{
    copy_end(query_text(query, 0), out->path, sizeof out->path);
    out->line = query_i64(query, 1);
    out->line_last = query_i64(query, 2);
    (void)text_copy(text_of(query_text(query, 3)), out->field, sizeof out->field);
    (void)text_copy(text_of(query_text(query, 4)), out->detail, sizeof out->detail);
}

/* The first issues of a reason, by file and line. */
static enum err_code read_examples(struct db *db, struct import_reason *reason, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(db,
                                  "SELECT f.path, i.line, i.line_last, i.field, i.detail FROM import_issue i "
                                  "JOIN import_file f ON f.id = i.file_id WHERE i.reason = $1 "
                                  "ORDER BY f.path, i.line LIMIT 3",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, reason->name);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        if (reason->example_count < IMPORT_EXAMPLES)
            take_example(query, &reason->examples[reason->example_count++]);
    }
    return code;
}

static enum err_code read_failed(struct db *db, struct import_totals *out, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(
        db, "SELECT path, 0, 0, '', error FROM import_file WHERE error IS NOT NULL ORDER BY path LIMIT 3",
        &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        if (out->failed_count < IMPORT_EXAMPLES)
            take_example(query, &out->failed[out->failed_count++]);
    }
    return code;
}

enum err_code import_store_totals(struct db *db, struct import_totals *out, struct err *err)
{
    *out = (struct import_totals){0};
    enum err_code code = read_sums(db, out, err);
    if (code == ERR_OK)
        code = read_reasons(db, out, err);
    for (size_t index = 0; index < out->reason_count && code == ERR_OK; index++)
        code = read_examples(db, &out->reasons[index], err);
    if (code == ERR_OK)
        code = read_failed(db, out, err);
    return code;
}
