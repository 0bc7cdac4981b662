/* Import: football files (main layout and extra leagues) and queries of SQLite files into the store.
 *
 * All or nothing per file: a file with its teams, matches, prices and issues is inside one transaction. Several files
 * share a transaction (about 20,000 matches), so after a kill -9 or a power cut the files of committed transactions are
 * whole and the others absent; the next import skips the former by their content hash and reads the latter.
 * The same content is never imported twice; changed content updates by natural key, and matches that are no longer in
 * it stay. The result does not depend on the number of threads, nor on where an earlier import was stopped.
 * Memory: at most IMPORT_WINDOW files are being parsed while as many are being stored. */
#ifndef ALMANAC_TASK_IMPORT_H
#define ALMANAC_TASK_IMPORT_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "base/option.h"
#include "job/report.h"
#include "os/thread.h"
#include "source/issue.h"
#include "store/football_store.h"
#include "store/store.h"

enum { IMPORT_WINDOW = 4, IMPORT_QUERY_BYTES = 8192 };

struct import_options {
    bool strict;
    bool report;                    /* for the caller: print import_report_text afterwards */
    char query[IMPORT_QUERY_BYTES]; /* of an SQLite source */
};
extern const struct option_table import_option_table;        /* strict, report */
extern const struct option_table import_sqlite_option_table; /* strict, report, query */

struct import_result {
    size_t files, files_imported, files_unchanged, files_failed;
    int64_t rows_read, rows_kept;
    struct football_saved saved;
    size_t counts[ISSUE_COUNT]; /* of the files imported now */
    struct err first_failure;   /* code ERR_OK: none */
};

/* Files, or folders whose .csv files are taken in byte order of their paths. A file that cannot be read is counted,
 * recorded with its error and passed over; the result is an error when no file could be read. With `strict` the first
 * row that would be rejected (or file that cannot be read) ends the import with an error; the files before it are
 * stored, nothing of its own is. Strict looks again at files with rejected rows that were imported without it.
 * *out is filled also on an error. ERR_CANCELLED: the reporter said stop.
 * reporter may be NULL; it is called from one thread at a time. */
enum err_code import_football(struct store *store, struct pool *pool, const char *const *paths,
                              size_t path_count, const struct import_options *options,
                              const struct reporter *reporter, struct import_result *out,
                              struct err *err) CHECKED;
/* The rows of options->query of an SQLite file, which is opened read-only. Columns are named as in football-data. */
enum err_code import_sqlite(struct store *store, const char *path, const struct import_options *options,
                            const struct reporter *reporter, struct import_result *out,
                            struct err *err) CHECKED;

/* What the store knows of all imports: totals, counts by reason with the first places. */
enum err_code import_report_text(struct store *store, struct buffer *out, struct err *err) CHECKED;
enum err_code import_report_json(struct store *store, struct json_writer *out, struct err *err) CHECKED;
/* One line for a terminal: "645 files: 645 imported, ...". */
void import_result_text(const struct import_result *result, struct buffer *out);

#endif
