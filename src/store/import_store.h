/* What was imported: files, the issues found in them, counts by reason. Reasons are names (source/issue_list.h): the
 * store does not know what they mean. */
#ifndef ALMANAC_STORE_IMPORT_STORE_H
#define ALMANAC_STORE_IMPORT_STORE_H

#include "base/err.h"
#include "base/names.h"
#include "store/db.h"
#include <stdbool.h>

struct stored_file {
    const char *path, *hash; /* hash of the content and of the reader's version */
    int64_t size_bytes, rows_read, rows_kept, imported_us;
    const char *error; /* NULL: imported; else nothing of it was stored, and why */
};
struct stored_issue {
    const char *reason, *field, *detail;
    int64_t line, line_last;
};

/* The hashes of all files that were imported without an error; `whole_only`: of those no row of which was rejected. */
enum err_code import_store_known(struct db *db, bool whole_only, struct names **out, struct err *err) CHECKED;
/* A file by path: a new row, or the old one with its issues and counts removed. */
enum err_code import_store_file(struct db *db, const struct stored_file *file, int64_t *out_id,
                                struct err *err) CHECKED;
enum err_code import_store_issue(struct db *db, int64_t file_id, int64_t number,
                                 const struct stored_issue *issue, struct err *err) CHECKED;
enum err_code import_store_count(struct db *db, int64_t file_id, const char *reason, int64_t count,
                                 struct err *err) CHECKED;

enum { IMPORT_REASONS_MAX = 64, IMPORT_EXAMPLES = 3, IMPORT_PATH_SHOWN = 256 };
struct import_example {
    char path[IMPORT_PATH_SHOWN]; /* the end of it, if longer */
    char field[48], detail[160];
    int64_t line, line_last; /* 0: the whole file */
};
struct import_reason {
    char name[32];
    int64_t count, files;
    struct import_example examples[IMPORT_EXAMPLES];
    size_t example_count;
};
struct import_totals {
    int64_t files, files_failed, rows_read, rows_kept, matches, prices, teams;
    struct import_reason reasons[IMPORT_REASONS_MAX]; /* most frequent first */
    size_t reason_count;
    struct import_example failed[IMPORT_EXAMPLES]; /* detail: the error */
    size_t failed_count;
};
/* Large (some 100 kB): keep it on the heap. */
enum err_code import_store_totals(struct db *db, struct import_totals *out, struct err *err) CHECKED;

#endif
