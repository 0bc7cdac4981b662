/* Reads the rows of one query from another application's SQLite file. Columns are told by their names, as in
 * source/football_data.h: the query renames what is called otherwise (SELECT played_on AS Date, ...).
 *
 * The file is never written: it is opened read-only with query_only, statements that do anything but read are refused
 * by SQLite's authorizer, and a file in WAL mode that nobody has open is read as immutable, because SQLite would put
 * -wal and -shm files beside it otherwise. Only where a -wal file is there already (the other application is running,
 * or was killed) SQLite may touch the -shm beside it; its content is part of the data then.
 * Threads: safe. Errors: ERR_BUSY while another program writes, ERR_CORRUPT, ERR_NOT_FOUND, ERR_INVALID for the query.
 */
#ifndef ALMANAC_SOURCE_SQLITE_SOURCE_H
#define ALMANAC_SOURCE_SQLITE_SOURCE_H

#include "source/football_data.h"

/* Issues name the number of the result row (from 1) as line. */
enum err_code sqlite_source_read(const char *path, const char *query, bool strict,
                                 struct football_tables *out, struct err *err) CHECKED;

#endif
