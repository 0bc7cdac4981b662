/* Attributes of teams from a CSV file: country (or league), team, season, known_from, and one column per attribute.
 *
 *   country,team,season,known_from,wages,average_age
 *   England,Arsenal,2023-24,2023-09-01,235000000,24.4
 *
 * known_from is the day from which on a value may be used; a row without one is rejected, as there is no honest day to
 * put in its place. Columns in any order, names without regard to ASCII case. An empty value says nothing. A season is
 * the year it begins in, alone ("2023") or with the next ("2023-24", "2023/2024").
 * Rows frame, one row per value: place TEXT (country or league as written), is_league I32, team TEXT, season I64,
 *   known_day I64, attribute I32 (index into the columns asked for), value F64, line I64; in the order of the file.
 * Threads: one per call. Memory: attribute_rows_release. */
#ifndef ALMANAC_SOURCE_ATTRIBUTES_CSV_H
#define ALMANAC_SOURCE_ATTRIBUTES_CSV_H

#include "base/err.h"
#include "frame/frame.h"
#include "source/issue.h"

/* Changes when the same bytes give other rows than before. */
#define ATTRIBUTES_CSV_VERSION "attributes 1"

struct attribute_column {
    const char *name;
    double low, high; /* a value outside is rejected */
};

enum {
    ATTRIBUTE_ROW_PLACE,
    ATTRIBUTE_ROW_IS_LEAGUE,
    ATTRIBUTE_ROW_TEAM,
    ATTRIBUTE_ROW_SEASON,
    ATTRIBUTE_ROW_KNOWN_DAY,
    ATTRIBUTE_ROW_ATTRIBUTE,
    ATTRIBUTE_ROW_VALUE,
    ATTRIBUTE_ROW_LINE,
    ATTRIBUTE_ROW_COLUMNS
};

struct attribute_rows {
    struct frame *values;
    struct issue_list issues;
    size_t rows_read, rows_kept; /* lines behind the header; kept: with no reason to leave the line out */
};
void attribute_rows_release(struct attribute_rows *rows);

/* A whole file in memory. columns[column_count]: the attributes there are. ERR_INVALID when a needed column is missing or
 * there is no attribute at all. With `strict` the first rejecting issue is an error naming file, line and column. */
enum err_code attributes_csv_read(const char *data, size_t size_bytes, const char *name, bool strict,
                                  const struct attribute_column *columns, size_t column_count,
                                  struct attribute_rows *out, struct err *err) CHECKED;

#endif
