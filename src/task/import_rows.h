/* Inside task/ only: what the rows of a source lack to be stored: league, country, season. */
#ifndef ALMANAC_TASK_IMPORT_ROWS_H
#define ALMANAC_TASK_IMPORT_ROWS_H

#include "base/err.h"
#include "source/football_data.h"
#include <stdbool.h>
#include <stdint.h>

/* Per row of tables->matches. */
struct import_rows {
    const char **league; /* code; NULL: unknown, counted as an issue */
    const char **country;
    int32_t *season;
};

/* Rows of an unknown division become issues of `tables` and leave rows_kept; with `strict` the first is an error.
 *
 * The season is the source's own, where it has one ("2012/2013"). Otherwise a league whose rows span no more than 400
 * days is one season, the one of its first day: the summer of 2020 played the season of 2019 into August. */
enum err_code import_rows_make(struct football_tables *tables, const char *name, bool strict,
                               struct import_rows *out, struct err *err) CHECKED;
void import_rows_release(struct import_rows *rows);

#endif
