/* Options in words: the help of the terminal, the table of the documentation, JSON. See option.h.
 *
 * All three come from the row alone, so a new option is documented by being written down once. */
#include "base/option.h"
#include "base/option_row.h"
#include "base/text.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_RANGE_BYTES = 96, OPTION_HELP_COLUMN = 28, OPTION_HELP_WIDTH = 100 };

void option_variable_name(const struct option_row *row, char out[OPTION_VARIABLE_BYTES])
{
    int length = snprintf(out, OPTION_VARIABLE_BYTES, "ALMANAC_%s", row->name);
    assert(length > 0 && length < OPTION_VARIABLE_BYTES);
    for (int index = 0; index < length; index++)
        if (out[index] >= 'a' && out[index] <= 'z')
            out[index] = (char)(out[index] - 32);
}

/* "1..65535", "at least 0", "" when there is no bound */
static void option_range(const struct option_row *row, char out[OPTION_RANGE_BYTES])
{
    out[0] = '\0';
    if (row->type != OPTION_INT && row->type != OPTION_REAL)
        return;
    bool has_min = row->min > (row->type == OPTION_INT ? -0x1p62 : -1e300);
    bool has_max = row->max < (row->type == OPTION_INT ? 0x1p62 : 1e300);
    int digits = row->type == OPTION_INT ? 17 : 15; /* a whole number in full */
    if (has_min && has_max)
        (void)snprintf(out, OPTION_RANGE_BYTES, "%.*g..%.*g", digits, row->min, digits, row->max);
    else if (has_min)
        (void)snprintf(out, OPTION_RANGE_BYTES, "at least %.*g", digits, row->min);
    else if (has_max)
        (void)snprintf(out, OPTION_RANGE_BYTES, "at most %.*g", digits, row->max);
}

static void option_describe_choices(const struct option_row *row, char *out, size_t out_bytes)
{
    size_t used = (size_t)snprintf(out, out_bytes, "one of");
    struct text rest = text_of(row->unit);
    struct text choice;
    for (const char *separator = " "; text_split(&rest, '|', &choice) && used < out_bytes; separator = ", ")
        used += (size_t)snprintf(out + used, out_bytes - used, "%s%.*s", separator, (int)choice.size_bytes,
                                 choice.data);
}

void option_describe(const struct option_row *row, char *out, size_t out_bytes)
{
    char range[OPTION_RANGE_BYTES];
    option_range(row, range);
    const char *joint = range[0] == '\0' ? "" : range[0] == 'a' ? " of " : " in ";
    switch (row->type) {
    case OPTION_BOOL:
        (void)snprintf(out, out_bytes, "true or false");
        return;
    case OPTION_INT:
        (void)snprintf(out, out_bytes, "an integer%s%s", joint, range);
        return;
    case OPTION_REAL:
        (void)snprintf(out, out_bytes, "a number%s%s", joint, range);
        return;
    case OPTION_TEXT:
        (void)snprintf(out, out_bytes, "UTF-8 text of at most %zu bytes without control characters",
                       row->size_bytes - 1);
        return;
    case OPTION_DATE:
        (void)snprintf(out, out_bytes, "a date (2024-08-17 or 2024-08-17T14:00Z) or empty");
        return;
    case OPTION_ENUM:
        option_describe_choices(row, out, out_bytes);
        return;
    }
}

/* The name of choice number `index`; the member is only ever set by option.c, so it exists. */
static struct text option_choice(const struct option_row *row, int index)
{
    struct text rest = text_of(row->unit);
    struct text choice = {"", 0};
    for (int at = 0; at <= index; at++) {
        bool exists = text_split(&rest, '|', &choice);
        assert(exists);
        (void)exists;
    }
    return choice;
}

static void option_write_choice(const struct option_row *row, const char *member, struct json_writer *out)
{
    int index;
    memcpy(&index, member, sizeof(index));
    char name[64];
    bool fits = text_copy(option_choice(row, index), name, sizeof(name));
    assert(fits);
    (void)fits;
    json_field_text(out, row->name, name);
}

static void option_write_member(const struct option_row *row, const void *target, struct json_writer *out)
{
    const char *member = (const char *)target + row->offset;
    bool boolean;
    int64_t integer;
    double real;
    switch (row->type) {
    case OPTION_BOOL:
        memcpy(&boolean, member, sizeof(boolean));
        json_field_bool(out, row->name, boolean);
        return;
    case OPTION_INT:
        memcpy(&integer, member, sizeof(integer));
        json_field_i64(out, row->name, integer);
        return;
    case OPTION_REAL:
        memcpy(&real, member, sizeof(real));
        json_field_f64(out, row->name, real);
        return;
    case OPTION_TEXT:
        json_field_text(out, row->name, member);
        return;
    case OPTION_DATE:
        memcpy(&integer, member, sizeof(integer));
        json_field_time(out, row->name, integer);
        return;
    case OPTION_ENUM:
        option_write_choice(row, member, out);
        return;
    }
}

void option_write_json(const struct option_table *table, const void *target, struct json_writer *out)
{
    json_begin_object(out);
    for (size_t index = 0; index < table->count; index++)
        option_write_member(&table->rows[index], target, out);
    json_end_object(out);
}

static void option_append_name(const struct option_row *row, struct buffer *out)
{
    for (const char *at = row->name; *at; at++)
        buffer_append_char(out, *at == '_' ? '-' : *at);
}

static void option_append_flag_name(const struct option_row *row, struct buffer *out)
{
    buffer_append_text(out, "--");
    option_append_name(row, out);
}

static const char *option_type_name(enum option_type type)
{
    static const char *const names[] = {"flag", "integer", "number", "text", "date", "choice"};
    return names[type];
}

static void option_append_spaces(struct buffer *out, size_t count)
{
    while (count-- > 0)
        buffer_append_char(out, ' ');
}

/* Words of `text` from OPTION_HELP_COLUMN on, no line wider than OPTION_HELP_WIDTH where words allow. */
static void option_append_wrapped(struct buffer *out, const char *text)
{
    struct text rest = text_of(text);
    struct text word;
    size_t column = OPTION_HELP_COLUMN;
    while (text_split(&rest, ' ', &word)) {
        if (column > OPTION_HELP_COLUMN && column + 1 + word.size_bytes > OPTION_HELP_WIDTH) {
            buffer_append_char(out, '\n');
            option_append_spaces(out, OPTION_HELP_COLUMN);
            column = OPTION_HELP_COLUMN;
        } else if (column > OPTION_HELP_COLUMN) {
            buffer_append_char(out, ' ');
            column++;
        }
        buffer_append(out, word.data, word.size_bytes);
        column += word.size_bytes;
    }
    buffer_append_char(out, '\n');
}

/* Doc, then in brackets unit, range or choices, default; how to turn off what is on. */
static void option_append_meaning(const struct option_row *row, struct buffer *out)
{
    char range[OPTION_RANGE_BYTES];
    option_range(row, range);
    buffer_append_text(out, row->doc);
    const char *separator = " [";
    if (row->unit[0] != '\0') {
        buffer_printf(out, "%s%s", separator, row->unit);
        separator = "; ";
    }
    if (range[0] != '\0') {
        buffer_printf(out, "%s%s", separator, range);
        separator = "; ";
    }
    if (row->fallback[0] != '\0') {
        buffer_printf(out, "%sdefault %s", separator, row->fallback);
        separator = "; ";
    }
    if (row->type == OPTION_BOOL && strcmp(row->fallback, "true") == 0) {
        buffer_append_text(out, "; off: --no-");
        option_append_name(row, out);
    }
    if (separator[0] == ';')
        buffer_append_char(out, ']');
}

void option_write_help(const struct option_table *table, struct buffer *out)
{
    struct buffer meaning;
    buffer_init(&meaning, 1 << 16);
    for (size_t index = 0; index < table->count; index++) {
        const struct option_row *row = &table->rows[index];
        size_t start = out->size_bytes;
        buffer_append_text(out, "  ");
        option_append_flag_name(row, out);
        if (row->type != OPTION_BOOL)
            buffer_printf(out, " <%s>", option_type_name(row->type));
        size_t width = out->size_bytes - start;
        if (width >= OPTION_HELP_COLUMN) {
            buffer_append_char(out, '\n');
            width = 0;
        }
        option_append_spaces(out, OPTION_HELP_COLUMN - width);
        buffer_clear(&meaning);
        option_append_meaning(row, &meaning);
        option_append_wrapped(out, buffer_text(&meaning));
    }
    if (meaning.failed && !out->failed)
        out->failed = meaning.failed;
    buffer_release(&meaning);
}

/* '|' would end the cell. */
static void option_append_cell(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buffer_append_char(out, '\\');
        buffer_append_char(out, *text);
    }
    buffer_append_text(out, " |");
}

void option_write_markdown(const struct option_table *table, struct buffer *out)
{
    buffer_append_text(
        out, "| flag | file, JSON | environment | type | unit or choices | range | default | meaning |\n"
             "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t index = 0; index < table->count; index++) {
        const struct option_row *row = &table->rows[index];
        char variable[OPTION_VARIABLE_BYTES];
        char range[OPTION_RANGE_BYTES];
        option_variable_name(row, variable);
        option_range(row, range);
        buffer_append_text(out, "| `");
        option_append_flag_name(row, out);
        buffer_printf(out, "` | `%s` | `%s` | %s |", row->name, variable, option_type_name(row->type));
        const char *const cells[] = {row->unit, range, row->fallback, row->doc};
        for (size_t cell = 0; cell < 4; cell++) {
            if (cells[cell][0] != '\0')
                buffer_append_char(out, ' ');
            option_append_cell(out, cells[cell]);
        }
        buffer_append_char(out, '\n');
    }
}
