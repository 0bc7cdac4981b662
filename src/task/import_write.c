/* Storing parsed files in batches of some 20,000 matches: one transaction costs a wait for the disk, so there are a
 * dozen of them, not one per file. A strict error is found while parsing, before the storing side has seen the file. */
#include "task/import_write.h"

#include "os/clock.h"
#include "store/import_store.h"

enum { BATCH_MATCHES = 20000 };

const char import_version[] = FOOTBALL_DATA_VERSION ", import 1";

void import_file_release(struct import_file *file)
{
    football_tables_release(&file->tables);
    import_rows_release(&file->rows);
}

static bool is_in(const struct names *hashes, const char *hash)
{
    return names_find(hashes, text_of(hash)) != NAMES_NONE;
}

bool import_is_known(const struct import_write *write, const char *hash)
{
    return is_in(write->known, hash);
}

static enum err_code begin(struct import_write *write, struct err *err)
{
    if (write->writer != NULL)
        return ERR_OK;
    enum err_code code = db_begin(write->store->db, err);
    if (code != ERR_OK)
        return code;
    write->batch_matches = 0;
    code = football_writer_create(write->store->db, &write->writer, err);
    if (code != ERR_OK)
        db_rollback(write->store->db);
    return code;
}

static enum err_code commit(struct import_write *write, struct err *err)
{
    if (write->writer == NULL)
        return ERR_OK;
    football_writer_destroy(write->writer);
    write->writer = NULL;
    enum err_code code = db_commit(write->store->db, err);
    if (code == ERR_OK)
        write->committed = *write->result;
    else
        *write->result = write->committed;
    return code;
}

/* Nothing of the batch is stored, so nothing of it is counted. */
static void give_up(struct import_write *write)
{
    football_writer_destroy(write->writer);
    write->writer = NULL;
    db_rollback(write->store->db);
    *write->result = write->committed;
}

enum err_code import_store_issues(struct db *db, int64_t file_id, const struct issue_list *issues,
                                  struct err *err)
{
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

static enum err_code store_parsed(struct import_write *write, const struct import_file *file,
                                  struct football_saved *saved, struct err *err)
{
    struct stored_file stored = {.path = file->path,
                                 .hash = file->hash,
                                 .size_bytes = file->size_bytes,
                                 .rows_read = (int64_t)file->tables.rows_read,
                                 .rows_kept = (int64_t)file->tables.rows_kept,
                                 .imported_us = clock_now_us()};
    struct football_rows rows = {.matches = file->tables.matches,
                                 .prices = file->tables.prices,
                                 .league = file->rows.league,
                                 .country = file->rows.country,
                                 .season = file->rows.season};

    enum err_code code = begin(write, err);
    if (code == ERR_OK)
        code = import_store_file(write->store->db, &stored, &rows.file_id, err);
    if (code == ERR_OK)
        code = import_store_issues(write->store->db, rows.file_id, &file->tables.issues, err);
    if (code == ERR_OK)
        code = football_writer_save(write->writer, &rows, saved, err);
    if (code == ERR_OK)
        code = football_store_chain(write->store->db, file->hash, err);
    if (code == ERR_OK && names_add(write->stored, text_of(file->hash)) == NAMES_NONE)
        code = err_nomem(err, HASH_HEX_BYTES);
    return code;
}

static void count_parsed(struct import_write *write, const struct import_file *file,
                         const struct football_saved *saved)
{
    struct import_result *result = write->result;

    result->files_imported++;
    result->rows_read += (int64_t)file->tables.rows_read;
    result->rows_kept += (int64_t)file->tables.rows_kept;
    result->saved.matches_new += saved->matches_new;
    result->saved.matches_updated += saved->matches_updated;
    result->saved.prices += saved->prices;
    for (int reason = 0; reason < ISSUE_COUNT; reason++)
        result->counts[reason] += file->tables.issues.counts[reason];
    write->batch_matches += saved->matches_new + saved->matches_updated;
}

static enum err_code store_failed(struct import_write *write, const struct import_file *file, struct err *err)
{
    struct stored_file stored = {.path = file->path,
                                 .hash = "",
                                 .size_bytes = file->size_bytes,
                                 .imported_us = clock_now_us(),
                                 .error = file->failure.text};
    int64_t file_id;

    write->result->files_failed++;
    if (write->result->first_failure.code == ERR_OK)
        write->result->first_failure = file->failure;
    if (write->options->strict) {
        *err = file->failure;
        return file->failure.code;
    }
    report_log(write->reporter, "%s", file->failure.text);
    enum err_code code = begin(write, err);
    return code == ERR_OK ? import_store_file(write->store->db, &stored, &file_id, err) : code;
}

enum err_code import_write_add(struct import_write *write, const struct import_file *file, struct err *err)
{
    struct football_saved saved = {0};

    if (file->outcome == IMPORT_FAILED)
        return store_failed(write, file, err);
    if (file->outcome == IMPORT_UNCHANGED || import_is_known(write, file->hash) ||
        is_in(write->stored, file->hash)) {
        write->result->files_unchanged++;
        return ERR_OK;
    }
    enum err_code code = store_parsed(write, file, &saved, err);
    if (code != ERR_OK) {
        give_up(write);
        return code;
    }
    count_parsed(write, file, &saved);
    return write->batch_matches >= BATCH_MATCHES ? commit(write, err) : ERR_OK;
}

enum err_code import_write_start(struct import_write *write, struct store *store,
                                 const struct import_options *options, const struct reporter *reporter,
                                 struct import_result *result, struct err *err)
{
    write->store = store;
    write->options = options;
    write->reporter = reporter;
    write->result = result;
    write->committed = *result;
    write->stored = names_create();
    if (write->stored == NULL)
        return err_nomem(err, 0);
    enum err_code code = import_store_known(store->db, options->strict, &write->known, err);
    return code == ERR_OK ? db_bulk_begin(store->db, err) : code;
}

enum err_code import_write_finish(struct import_write *write, enum err_code code, struct err *err)
{
    enum err_code commit_code = commit(write, code == ERR_OK ? err : NULL);

    db_bulk_end(write->store->db);
    if (code == ERR_OK)
        code = commit_code;
    if (code == ERR_OK && write->result->files_failed > 0 &&
        write->result->files_failed == write->result->files) {
        *err = write->result->first_failure;
        return err->code;
    }
    return code;
}

void import_write_release(struct import_write *write)
{
    names_destroy(write->known);
    names_destroy(write->stored);
    write->known = write->stored = NULL;
}
