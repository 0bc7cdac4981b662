/* What `almanac sql` can name: every feature view of the feature store, and, made only when the statement names them,
 * `matrix` (the feature matrix of the present data, built when it is not cached), `matches` and `teams` of the store. */
#ifndef ALMANAC_CLI_SQL_TABLES_H
#define ALMANAC_CLI_SQL_TABLES_H

#include "base/arena.h"
#include "cli/command.h"
#include "cli/matrix_names.h"
#include "duck/duck.h"
#include "store/football_store.h"

struct sql_tables {
    struct session session;
    bool has_session;
    struct matrix *matrix;
    struct matrix_names names;
    struct football_frames frames;
    struct arena arena;
};

enum err_code sql_tables_open(const struct settings *settings, const char *sql, struct duck *duck,
                              struct sql_tables *out, struct err *err) CHECKED;
/* After duck_close: the engine reads the rows where they lie. */
void sql_tables_close(struct sql_tables *tables);

#endif
