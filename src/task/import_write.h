/* Inside task/ only: the storing side of an import. One thread at a time.
 *
 * Invariant: `result` counts what is committed, or will be by the transaction that is open; a failure of the database
 * sets it back. Order of calls: start, add ..., finish, release. */
#ifndef ALMANAC_TASK_IMPORT_WRITE_H
#define ALMANAC_TASK_IMPORT_WRITE_H

#include "base/hash.h"
#include "base/names.h"
#include "source/football_data.h"
#include "task/import.h"
#include "task/import_rows.h"

/* Part of the content hash: changes when the same file gives other rows than before. */
extern const char import_version[];

/* A file between reading and storing. */
enum import_outcome { IMPORT_PARSED, IMPORT_UNCHANGED, IMPORT_FAILED };
struct import_file {
    const char *path;
    enum import_outcome outcome;
    char hash[HASH_HEX_BYTES];
    int64_t size_bytes;
    struct football_tables tables; /* and rows: of a parsed file */
    struct import_rows rows;
    struct err failure;
};

struct import_write {
    struct store *store;
    const struct import_options *options;
    const struct reporter *reporter;
    struct import_result *result;
    struct import_result committed; /* the result to go back to when a batch is undone */
    struct names *known;            /* hashes stored before: parsers read it, so it does not change */
    struct names *stored;           /* hashes stored now */
    struct football_writer *writer; /* NULL: no transaction is open */
    int64_t batch_matches;
};

enum err_code import_write_start(struct import_write *write, struct store *store,
                                 const struct import_options *options, const struct reporter *reporter,
                                 struct import_result *result, struct err *err) CHECKED;
/* A failure of the database undoes the whole batch; a strict stop comes before anything of its file was written, so
 * what stands in the batch is kept. */
enum err_code import_write_add(struct import_write *write, const struct import_file *file,
                               struct err *err) CHECKED;
/* `code`: how the import went. Commits what was added before a stop or a strict error. Returns the first error. */
enum err_code import_write_finish(struct import_write *write, enum err_code code, struct err *err) CHECKED;
void import_write_release(struct import_write *write);

/* The issues of a file and their counts, in the transaction that is open. */
enum err_code import_store_issues(struct db *db, int64_t file_id, const struct issue_list *issues,
                                  struct err *err) CHECKED;
bool import_is_known(const struct import_write *write, const char *hash);
void import_file_release(struct import_file *file);

#endif
