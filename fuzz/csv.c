/* Fuzzes the CSV reader and the football-data rows on top of it: any bytes give rows, issues or one error, and what
 * the header comments promise holds: fields are UTF-8, kept rows have a day and two teams, every row is accounted for,
 * prices are above 1 and ascend with their matches, strict accepts no more than the rest. */
#include "source/csv.h"
#include "source/football_data.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void read_lines(const char *data, size_t size_bytes)
{
    struct csv_reader *reader;
    const struct text *fields;
    size_t count, line = 0, read_bytes = 0;
    bool at_end = false;

    if (csv_open(data, size_bytes, ',', "fuzz", &reader, NULL) != ERR_OK)
        return;
    while (csv_next(reader, &fields, &count, &at_end, NULL) == ERR_OK && !at_end) {
        require(count > 0 && csv_line(reader) > line);
        line = csv_line(reader);
        for (size_t index = 0; index < count; index++) {
            require(text_is_utf8(fields[index]));
            read_bytes += fields[index].size_bytes;
        }
    }
    require(read_bytes <= 3 * size_bytes);
    csv_close(reader);
}

static size_t column(const struct frame *frame, const char *name)
{
    int index = frame_find(frame, name);

    require(index >= 0);
    return (size_t)index;
}

static void check_matches(const struct frame *matches)
{
    size_t day = column(matches, "day"), home = column(matches, "home"), away = column(matches, "away"),
           goals = column(matches, "home_goals"), clock = column(matches, "kickoff_text");

    for (size_t row = 0; row < frame_rows(matches); row++) {
        require(frame_is_present(matches, day, row));
        require(frame_text(matches, home, row)[0] != '\0' && frame_text(matches, away, row)[0] != '\0');
        require(frame_is_present(matches, goals, row) == frame_is_present(matches, goals + 1, row));
        require(text_is_utf8(text_of(frame_text(matches, clock, row))));
        require(frame_i32(matches, goals)[row] >= 0 && frame_i32(matches, goals)[row] <= 99);
    }
}

static void check_prices(const struct frame *prices, size_t matches)
{
    const int64_t *match = frame_i64(prices, column(prices, "match"));
    size_t price_1 = column(prices, "price_1");

    for (size_t row = 0; row < frame_rows(prices); row++) {
        require(match[row] >= 0 && (size_t)match[row] < matches &&
                (row == 0 || match[row - 1] <= match[row]));
        for (size_t place = 0; place < 3; place++) {
            double price = frame_f64(prices, price_1 + place)[row];
            require(isnan(price) || price > 1);
        }
    }
}

static void check_tables(const struct football_tables *tables)
{
    size_t rejected = 0;

    for (int reason = 0; reason < ISSUE_COUNT; reason++)
        rejected += issue_rejects((enum issue_reason)reason) ? tables->issues.counts[reason] : 0;
    require(tables->rows_kept + rejected == tables->rows_read);
    require(frame_rows(tables->matches) == tables->rows_kept);
    for (size_t index = 0; index < tables->issues.kept; index++) {
        require(tables->issues.items[index].line <= tables->issues.items[index].line_last &&
                text_is_utf8(text_of(tables->issues.items[index].detail)));
    }
    check_matches(tables->matches);
    check_prices(tables->prices, tables->rows_kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct football_tables tables, strict;

    read_lines((const char *)data, size_bytes);
    enum err_code code = football_data_read((const char *)data, size_bytes, "fuzz", false, &tables, NULL);
    enum err_code strict_code =
        football_data_read((const char *)data, size_bytes, "fuzz", true, &strict, NULL);
    if (code == ERR_OK) {
        check_tables(&tables);
        require((strict_code == ERR_OK) == (tables.rows_kept == tables.rows_read));
    } else {
        require(tables.matches == NULL && strict_code != ERR_OK);
    }
    football_tables_release(&tables);
    football_tables_release(&strict);
    return 0;
}
