/* Inside source/ only: a football-data row on its way, shared by the gates (football_gates.c: is it kept at all?) and
 * the values (football_data.c: what is kept of it?). */
#ifndef ALMANAC_SOURCE_FOOTBALL_ROW_H
#define ALMANAC_SOURCE_FOOTBALL_ROW_H

#include "base/names.h"
#include "base/text.h"
#include "frame/frame.h"
#include "limits.h"
#include "source/football_data.h"
#include "source/football_plan.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct football_reader {
    struct plan plan;
    struct frame_builder *matches, *prices;
    struct names *seen; /* league, date and teams of the rows kept */
    struct issue_list issues;
    size_t rows_read, rows_kept;
    char name[256];
};

/* One row on its way, and what was made of it. */
struct row {
    const struct text *fields;
    size_t count, line;
    struct text teams[2];
    char recoded[2][3 * LIMIT_NAME_BYTES];
    int64_t day;
    int goals[2], half[2]; /* -1 unknown */
    int minutes;           /* of the kick-off; -1 unknown */
};

/* The trimmed field of a column; empty when the file or the row has none. */
static inline struct text field_at(const struct row *row, int column)
{
    if (column < 0 || (size_t)column >= row->count)
        return (struct text){0};
    return text_trim(row->fields[column]);
}

/* Text for a "%.*s", cut to what an issue can show. */
#define SHOWN(text) issue_cut_bytes(text, ISSUE_SHOWN_BYTES), (text).size_bytes == 0 ? "" : (text).data

/* A whole number from 0 to max. */
static inline bool parse_count(struct text text, int64_t max, int *out)
{
    int64_t value;

    if (!text_parse_i64(text, &value) || value < 0 || value > max)
        return false;
    *out = (int)value;
    return true;
}

/* Fills teams, goals, day and minutes. *rejected: the row was counted and is left out; with `strict` that is an error. */
enum err_code football_gates(struct football_reader *reader, struct row *row, bool strict, bool *rejected,
                             struct err *err) CHECKED;

#endif
