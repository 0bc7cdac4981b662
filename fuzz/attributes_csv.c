/* Fuzzes the reader of team attributes: any bytes give rows, issues or one error that says why, and what the header
 * comment promises holds: every line is accounted for, every value is within the range asked for, has a place, a team, a
 * season and a day, and stands in the order of the file; strict accepts what has no rejected line or value, and no more. */
#include "source/attributes_csv.h"
#include "base/time.h"
#include "limits.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static const struct attribute_column columns[] = {
    {"wages", 0, 1e9}, {"average_age", 15, 45}, {"newness", 0, 1}};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* A name as written: not empty, no spaces around it, of the length that the rest of Almanac expects. */
static void check_name(const char *name)
{
    struct text text = text_of(name);
    require(text.size_bytes > 0 && text.size_bytes < LIMIT_NAME_BYTES && text_is_utf8(text));
    require(text_trim(text).size_bytes == text.size_bytes);
}

static void check_row(const struct frame *rows, size_t row)
{
    for (size_t column = 0; column < ATTRIBUTE_ROW_COLUMNS; column++)
        require(frame_is_present(rows, column, row));
    check_name(frame_text(rows, ATTRIBUTE_ROW_PLACE, row));
    check_name(frame_text(rows, ATTRIBUTE_ROW_TEAM, row));
    int64_t season = frame_i64(rows, ATTRIBUTE_ROW_SEASON)[row],
            day = frame_i64(rows, ATTRIBUTE_ROW_KNOWN_DAY)[row];
    int32_t attribute = frame_i32(rows, ATTRIBUTE_ROW_ATTRIBUTE)[row];
    double value = frame_f64(rows, ATTRIBUTE_ROW_VALUE)[row];
    require(season >= 1800 && season <= 2200);
    require(day >= time_day_from_civil(1800, 1, 1) && day <= time_day_from_civil(2200, 12, 31));
    require(attribute >= 0 && attribute < COLUMNS);
    require(value >= columns[attribute].low && value <= columns[attribute].high);
}

static void check_values(const struct attribute_rows *rows)
{
    const int64_t *line = frame_i64(rows->values, ATTRIBUTE_ROW_LINE);
    const int32_t *is_league = frame_i32(rows->values, ATTRIBUTE_ROW_IS_LEAGUE);
    for (size_t row = 0; row < frame_rows(rows->values); row++) {
        check_row(rows->values, row);
        require(line[row] > (row == 0 ? 1 : line[row - 1] - 1));
        require((is_league[row] == 0 || is_league[row] == 1) && is_league[row] == is_league[0]);
    }
}

/* Returns how many lines and values were left out. */
static size_t check_issues(const struct attribute_rows *rows)
{
    const struct issue_list *issues = &rows->issues;
    size_t lines = 0;
    for (int reason = 0; reason < ISSUE_COUNT; reason++) {
        if (issue_rejects((enum issue_reason)reason) && reason != ISSUE_BAD_ATTRIBUTE)
            lines += issues->counts[reason];
    }
    require(rows->rows_kept + lines == rows->rows_read);
    for (size_t i = 0; i < issues->kept; i++) {
        const struct issue *issue = &issues->items[i];
        require(issue->line <= issue->line_last && text_is_utf8(text_of(issue->field)));
        require(text_is_utf8(text_of(issue->detail)));
    }
    return lines + issues->counts[ISSUE_BAD_ATTRIBUTE];
}

static enum err_code read_as(const uint8_t *data, size_t size_bytes, bool strict, struct attribute_rows *out)
{
    struct err err = {0};
    enum err_code code =
        attributes_csv_read((const char *)data, size_bytes, "fuzz", strict, columns, COLUMNS, out, &err);
    if (code != ERR_OK)
        require(out->values == NULL && out->issues.items == NULL && err.text[0] != '\0');
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct attribute_rows rows, strict;
    enum err_code code = read_as(data, size_bytes, false, &rows),
                  strict_code = read_as(data, size_bytes, true, &strict);
    if (code == ERR_OK) {
        check_values(&rows);
        require((strict_code == ERR_OK) == (check_issues(&rows) == 0));
        require(strict_code != ERR_OK || frame_rows(strict.values) == frame_rows(rows.values));
    } else {
        require(strict_code != ERR_OK);
    }
    attribute_rows_release(&rows);
    attribute_rows_release(&strict);
    return 0;
}
