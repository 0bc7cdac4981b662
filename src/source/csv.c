/* CSV reader: one pass over the bytes, field by field.
 *
 * Plain bytes are skipped through a table of 256 classes, so the inner loop is one load and one branch. A field is a
 * view into the data unless it was quoted or is not UTF-8; then it is written to a scratch whose size is fixed at the
 * first need (four times the longest line that is allowed), so that earlier views of the line never move.
 *
 * Nothing is read further than LIMIT_CSV_LINE_BYTES behind the start of a line: a sparse file of gigabytes without a
 * line end is refused after its first megabyte. */
#include "source/csv.h"

#include "limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum byte_class { PLAIN, SEPARATOR, LINE_FEED, CARRIAGE_RETURN, ZERO, HIGH };

struct csv_reader {
    const char *at, *end;   /* next unread byte; end of the data */
    const char *line_limit; /* the line must end here */
    size_t line, next_line; /* number of the line last returned; of `at` */
    struct text *fields;
    size_t count, capacity;
    char *scratch; /* NULL until needed */
    size_t scratch_used;
    size_t size_bytes;
    bool had_mark, was_recoded;
    unsigned char class_of[256];
    char name[256];
};

enum err_code csv_open(const char *data, size_t size_bytes, char separator, const char *name,
                       struct csv_reader **out, struct err *err)
{
    *out = NULL;
    assert(separator != '\n' && separator != '\r' && separator != '"' && separator != '\0');
    struct csv_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return err_nomem(err, sizeof *reader);
    if (size_bytes >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
        reader->had_mark = true;
        data += 3;
        size_bytes -= 3;
    }
    reader->at = data;
    reader->end = size_bytes == 0 ? data : data + size_bytes;
    reader->size_bytes = size_bytes;
    reader->next_line = 1;
    for (int byte = 0x80; byte < 0x100; byte++)
        reader->class_of[byte] = HIGH;
    reader->class_of['\n'] = LINE_FEED;
    reader->class_of['\r'] = CARRIAGE_RETURN;
    reader->class_of['\0'] = ZERO;
    reader->class_of[(unsigned char)separator] = SEPARATOR;
    (void)text_copy(text_of(name), reader->name, sizeof reader->name);
    *out = reader;
    return ERR_OK;
}

void csv_close(struct csv_reader *reader)
{
    if (reader == NULL)
        return;
    free(reader->fields);
    free(reader->scratch);
    free(reader);
}

size_t csv_line(const struct csv_reader *reader)
{
    return reader->line;
}

bool csv_was_recoded(const struct csv_reader *reader)
{
    return reader->was_recoded;
}

bool csv_had_byte_order_mark(const struct csv_reader *reader)
{
    return reader->had_mark;
}

/* Room for a field of at most size_bytes (of this line) in scratch; NULL without memory. All fields of a line together
 * have at most `longest` bytes, each is copied once at most and grows threefold at most when it is recoded. */
static char *scratch_room(struct csv_reader *reader)
{
    size_t longest = reader->size_bytes < LIMIT_CSV_LINE_BYTES ? reader->size_bytes : LIMIT_CSV_LINE_BYTES;

    if (reader->scratch == NULL)
        reader->scratch = malloc(4 * longest + 1);
    return reader->scratch == NULL ? NULL : reader->scratch + reader->scratch_used;
}

static enum err_code recode(struct csv_reader *reader, struct text *field, struct err *err)
{
    char *room = scratch_room(reader);

    if (room == NULL)
        return err_nomem(err, 4 * reader->size_bytes);
    size_t written = text_cp1252_to_utf8(*field, room);
    reader->scratch_used += written;
    *field = (struct text){room, written};
    reader->was_recoded = true;
    return ERR_OK;
}

static enum err_code add_field(struct csv_reader *reader, struct text field, bool has_high, struct err *err)
{
    if (reader->count >= LIMIT_CSV_FIELDS)
        return err_set(err, ERR_TOO_LARGE, "cannot read '%s' line %zu: more than %d fields", reader->name,
                       reader->line, LIMIT_CSV_FIELDS);
    if (reader->count == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? 160 : 2 * reader->capacity;
        struct text *fields = realloc(reader->fields, capacity * sizeof *fields);
        if (fields == NULL)
            return err_nomem(err, capacity * sizeof *fields);
        reader->fields = fields;
        reader->capacity = capacity;
    }
    if (has_high && !text_is_utf8(field)) {
        enum err_code code = recode(reader, &field, err);
        if (code != ERR_OK)
            return code;
    }
    reader->fields[reader->count++] = field;
    return ERR_OK;
}

static enum err_code refuse_zero(const struct csv_reader *reader, struct err *err)
{
    return err_set(err, ERR_INVALID, "cannot read '%s' line %zu: a zero byte; this is not a text file",
                   reader->name, reader->line);
}

static enum err_code refuse_long(const struct csv_reader *reader, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "cannot read '%s' line %zu: longer than %d bytes", reader->name,
                   reader->line, LIMIT_CSV_LINE_BYTES);
}

/* From *at to the separator, line end or end of the data, which *at is left on. */
static enum err_code scan_plain(const struct csv_reader *reader, const char **at, bool *has_high,
                                struct err *err)
{
    const char *p = *at, *limit = reader->line_limit;

    for (;;) {
        while (p < limit && reader->class_of[(unsigned char)*p] == PLAIN)
            p++;
        if (p == limit) {
            if (limit < reader->end)
                return refuse_long(reader, err);
            break;
        }
        enum byte_class class = reader->class_of[(unsigned char)*p];
        if (class == ZERO)
            return refuse_zero(reader, err);
        if (class != HIGH)
            break;
        *has_high = true;
        p++;
    }
    *at = p;
    return ERR_OK;
}

/* The inside of a quoted field, *at on the byte behind the opening quote, copied to `out`. */
static enum err_code copy_quoted(struct csv_reader *reader, const char **at, char *out, size_t *size_bytes,
                                 bool *has_high, struct err *err)
{
    const char *p = *at, *limit = reader->line_limit;

    for (; p < limit; p++) {
        if (*p == '"') {
            if (p + 1 >= limit || p[1] != '"')
                break;
            p++; /* "" is one quote */
        } else if (*p == '\0') {
            return refuse_zero(reader, err);
        } else if (*p == '\n' || (*p == '\r' && (p + 1 == limit || p[1] != '\n'))) {
            reader->next_line++;
        }
        *has_high |= (unsigned char)*p >= 0x80;
        out[(*size_bytes)++] = *p;
    }
    if (p == limit)
        return limit < reader->end
                   ? refuse_long(reader, err)
                   : err_set(err, ERR_INVALID, "cannot read '%s' line %zu: a quote is not closed",
                             reader->name, reader->line);
    *at = p + 1;
    return ERR_OK;
}

/* A quoted field, *at on the opening quote. Text between the closing quote and the separator is kept as it is. */
static enum err_code read_quoted(struct csv_reader *reader, const char **at, struct err *err)
{
    char *room = scratch_room(reader);
    size_t size_bytes = 0;
    bool has_high = false;

    if (room == NULL)
        return err_nomem(err, 4 * reader->size_bytes);
    const char *p = *at + 1;
    enum err_code code = copy_quoted(reader, &p, room, &size_bytes, &has_high, err);
    if (code != ERR_OK)
        return code;
    const char *tail = p;
    code = scan_plain(reader, &p, &has_high, err);
    if (code != ERR_OK)
        return code;
    memcpy(room + size_bytes, tail, (size_t)(p - tail));
    size_bytes += (size_t)(p - tail);
    reader->scratch_used += size_bytes;
    *at = p;
    return add_field(reader, (struct text){room, size_bytes}, has_high, err);
}

static enum err_code read_field(struct csv_reader *reader, const char **at, struct err *err)
{
    const char *start = *at;
    bool has_high = false;

    if (start < reader->line_limit && *start == '"')
        return read_quoted(reader, at, err);
    enum err_code code = scan_plain(reader, at, &has_high, err);
    if (code != ERR_OK)
        return code;
    return add_field(reader, (struct text){start, (size_t)(*at - start)}, has_high, err);
}

enum err_code csv_next(struct csv_reader *reader, const struct text **fields, size_t *count, bool *at_end,
                       struct err *err)
{
    const char *p = reader->at;

    reader->count = reader->scratch_used = 0;
    reader->was_recoded = false;
    *fields = NULL;
    *count = 0;
    *at_end = p == reader->end;
    if (*at_end)
        return ERR_OK;
    reader->line = reader->next_line;
    /* one byte more than a line may have, for its line end */
    size_t left = (size_t)(reader->end - p);
    reader->line_limit = left <= LIMIT_CSV_LINE_BYTES ? reader->end : p + LIMIT_CSV_LINE_BYTES + 1;
    for (;;) {
        enum err_code code = read_field(reader, &p, err);
        if (code != ERR_OK)
            return code;
        if (p == reader->end || reader->class_of[(unsigned char)*p] != SEPARATOR)
            break;
        p++;
    }
    if (p < reader->end) {
        p += *p == '\r' && p + 1 < reader->end && p[1] == '\n' ? 2 : 1;
        reader->next_line++;
    }
    reader->at = p;
    *fields = reader->fields;
    *count = reader->count;
    return ERR_OK;
}
