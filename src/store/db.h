/* Db: the small interface under all queries, SQLite today, PostgreSQL beside it later (same SQL text: $1, RETURNING,
 * ON CONFLICT). Only files of store/ use it; the rest of the program calls store/<topic>.h.
 *
 * Statements are prepared once per connection and cached by their text pointer. A connection is used by one thread at
 * a time (it may move between threads that synchronise).
 * SQLite: WAL, synchronous=FULL for what was accepted from a client, foreign keys on, busy timeout 5 s. */
#ifndef ALMANAC_STORE_DB_H
#define ALMANAC_STORE_DB_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct query;

enum db_mode { DB_READ_WRITE, DB_READ_ONLY };

/* `where`: a path of an SQLite file. READ_WRITE creates it and runs the migrations of store/migrations.h. READ_ONLY
 * needs a file of exactly this version's schema. ERR_CONFLICT: the file is of a newer program, or not of ours. */
enum err_code db_open(const char *where, enum db_mode mode, struct db **out, struct err *err) CHECKED;
void db_close(struct db *db);
enum err_code db_begin(struct db *db, struct err *err) CHECKED; /* immediate: takes the write lock */
/* The same for what need not outlive a power cut: its commit does not wait for the disk. It outlives the end of any process,
 * and the next commit that waits covers it. */
enum err_code db_begin_lazy(struct db *db, struct err *err) CHECKED;
/* Waits until all that was committed is on the disk. */
enum err_code db_sync(struct db *db, struct err *err) CHECKED;
enum err_code db_commit(struct db *db,
                        struct err *err) CHECKED; /* on an error the transaction is rolled back */
void db_rollback(struct db *db);                  /* safe when no transaction is open */
enum err_code db_execute(struct db *db, const char *sql,
                         struct err *err) CHECKED; /* several statements, no results */

/* sql must be a string literal (cached by address). Resets a statement left half-read. */
enum err_code db_query(struct db *db, const char *sql, struct query **out, struct err *err) CHECKED;
void query_bind_i64(struct query *query, int index, int64_t value);      /* index from 1, as $1 */
void query_bind_f64(struct query *query, int index, double value);       /* NaN binds NULL */
void query_bind_text(struct query *query, int index, const char *value); /* copied; NULL binds NULL */
void query_bind_blob(struct query *query, int index, const void *data, size_t size_bytes);
void query_bind_null(struct query *query, int index);
/* One step: *out_row false when done (the statement is then reset). */
enum err_code query_next(struct query *query, bool *out_row, struct err *err) CHECKED;
/* Runs to the end, ignoring rows. */
enum err_code query_run(struct query *query, struct err *err) CHECKED;
void query_reset(struct query *query);                     /* bound values stay until they are bound again */
bool query_is_null(const struct query *query, int column); /* column from 0 */
int64_t query_i64(const struct query *query, int column);
double query_f64(const struct query *query, int column);       /* NaN for NULL */
const char *query_text(const struct query *query, int column); /* "" for NULL; valid until the next step */
int64_t db_changes(const struct db *db);
int64_t db_last_id(const struct db *db);
/* Changes whenever another connection committed (PRAGMA data_version). */
int64_t db_data_version(struct db *db);

/* Around a bulk load: fewer, larger checkpoints and a larger page cache. db_bulk_end empties the log into the file.
 * Safety is unchanged: a commit is on the disk when db_commit returns. Call outside transactions. */
enum err_code db_bulk_begin(struct db *db, struct err *err) CHECKED;
void db_bulk_end(struct db *db);

#endif
