/* Football-data from a CSV file: the reader of lines and the reader of rows put together. */
#include "source/football_data.h"

#include "source/csv.h"

/* All rows behind the header. */
static enum err_code read_rows(struct football_reader *reader, struct csv_reader *csv, bool strict,
                               struct err *err)
{
    const struct text *fields;
    size_t count;
    bool at_end;

    for (;;) {
        enum err_code code = csv_next(csv, &fields, &count, &at_end, err);
        if (code != ERR_OK || at_end)
            return code;
        if (csv_was_recoded(csv))
            football_reader_note(reader, ISSUE_ENCODING, csv_line(csv), "read as Windows-1252");
        code = football_reader_row(reader, fields, count, csv_line(csv), strict, err);
        if (code != ERR_OK)
            return code;
    }
}

enum err_code football_data_read(const char *data, size_t size_bytes, const char *name, bool strict,
                                 struct football_tables *out, struct err *err)
{
    struct csv_reader *csv = NULL;
    struct football_reader *reader = NULL;
    const struct text *fields;
    size_t count;
    bool at_end;

    *out = (struct football_tables){0};
    enum err_code code = csv_open(data, size_bytes, ',', name, &csv, err);
    if (code != ERR_OK)
        return code;
    code = csv_next(csv, &fields, &count, &at_end, err);
    if (code == ERR_OK && at_end)
        code = err_set(err, ERR_INVALID, "cannot read '%s': the file is empty", name);
    if (code == ERR_OK)
        code = football_reader_create(fields, count, name, &reader, err);
    if (code != ERR_OK)
        goto out;
    if (csv_had_byte_order_mark(csv))
        football_reader_note(reader, ISSUE_BYTE_ORDER_MARK, 0, "skipped");
    code = read_rows(reader, csv, strict, err);
    if (code == ERR_OK)
        code = football_reader_finish(reader, out, err);
out:
    football_reader_destroy(reader);
    csv_close(csv);
    return code;
}
