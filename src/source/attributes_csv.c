/* Reading attributes: the header becomes a plan (which field is what), each line is checked from left to right and gives
 * one row per value. A reason to leave out a whole line (no team, no season, no day) ends it; a bad value costs itself
 * only. */
#include "source/attributes_csv.h"

#include "base/time.h"
#include "limits.h"
#include "source/csv.h"

#include <stdlib.h>

enum { FIELD_NONE = -1, YEAR_LEAST = 1850, YEAR_MOST = 2200 };

/* What the fields of a line are. */
struct plan {
    int place, team, season, known_from; /* FIELD_NONE: not there */
    bool is_league;
    int *attribute; /* [count]: index of the attribute a field holds; -1 none */
    size_t count;
};

struct reading {
    struct csv_reader *csv;
    const char *name;
    bool strict;
    const struct attribute_column *columns;
    size_t column_count;
    struct plan plan;
    struct frame_builder *builder;
    struct attribute_rows *out;
};

static const struct frame_field row_fields[ATTRIBUTE_ROW_COLUMNS] = {
    [ATTRIBUTE_ROW_PLACE] = {"place", FRAME_TEXT},
    [ATTRIBUTE_ROW_IS_LEAGUE] = {"is_league", FRAME_I32},
    [ATTRIBUTE_ROW_TEAM] = {"team", FRAME_TEXT},
    [ATTRIBUTE_ROW_SEASON] = {"season", FRAME_I64},
    [ATTRIBUTE_ROW_KNOWN_DAY] = {"known_day", FRAME_I64},
    [ATTRIBUTE_ROW_ATTRIBUTE] = {"attribute", FRAME_I32},
    [ATTRIBUTE_ROW_VALUE] = {"value", FRAME_F64},
    [ATTRIBUTE_ROW_LINE] = {"line", FRAME_I64},
};

void attribute_rows_release(struct attribute_rows *rows)
{
    frame_destroy(rows->values);
    issue_list_release(&rows->issues);
    *rows = (struct attribute_rows){0};
}

/* ---- the header ---- */

static int find_attribute(const struct reading *reading, struct text name)
{
    for (size_t i = 0; i < reading->column_count; i++) {
        if (text_equal_nocase(name, reading->columns[i].name))
            return (int)i;
    }
    return FIELD_NONE;
}

static void plan_field(struct reading *reading, struct text name, int field)
{
    struct plan *plan = &reading->plan;
    int attribute = find_attribute(reading, name);
    plan->attribute[field] = attribute;
    if (attribute >= 0)
        return;
    if (text_equal_nocase(name, "country") || (text_equal_nocase(name, "league") && plan->place < 0)) {
        plan->place = field;
        plan->is_league = text_equal_nocase(name, "league");
    } else if (text_equal_nocase(name, "team")) {
        plan->team = field;
    } else if (text_equal_nocase(name, "season")) {
        plan->season = field;
    } else if (text_equal_nocase(name, "known_from")) {
        plan->known_from = field;
    } else if (!text_equal_nocase(name, "league")) {
        issue_add(&reading->out->issues, ISSUE_UNKNOWN_COLUMN, 1, "", "'%.*s'",
                  issue_cut_bytes(name, ISSUE_SHOWN_BYTES), name.data);
    }
}

static enum err_code check_plan(const struct reading *reading, struct err *err)
{
    const struct plan *plan = &reading->plan;
    bool has_attribute = false;
    const char *missing = plan->place < 0        ? "country (or league)"
                          : plan->team < 0       ? "team"
                          : plan->season < 0     ? "season"
                          : plan->known_from < 0 ? "known_from (the day from which on a row may be used)"
                                                 : NULL;
    if (missing != NULL)
        return err_set(err, ERR_INVALID, "cannot read '%s': the header has no column %s", reading->name,
                       missing);
    for (size_t i = 0; i < plan->count; i++)
        has_attribute = has_attribute || plan->attribute[i] >= 0;
    if (!has_attribute)
        return err_set(err, ERR_INVALID,
                       "cannot read '%s': no column of the header is an attribute (%s, ...)", reading->name,
                       reading->columns[0].name);
    return ERR_OK;
}

static enum err_code read_header(struct reading *reading, struct err *err)
{
    const struct text *fields;
    size_t count;
    bool at_end;
    enum err_code code = csv_next(reading->csv, &fields, &count, &at_end, err);
    if (code == ERR_OK && at_end)
        code = err_set(err, ERR_INVALID, "cannot read '%s': the file is empty", reading->name);
    if (code != ERR_OK)
        return code;
    if (csv_had_byte_order_mark(reading->csv))
        issue_add(&reading->out->issues, ISSUE_BYTE_ORDER_MARK, 0, "", "skipped");
    reading->plan = (struct plan){FIELD_NONE, FIELD_NONE, FIELD_NONE, FIELD_NONE, false, NULL, count};
    reading->plan.attribute = malloc((count + 1) * sizeof(*reading->plan.attribute));
    if (reading->plan.attribute == NULL)
        return err_nomem(err, count * sizeof(*reading->plan.attribute));
    for (size_t i = 0; i < count; i++)
        plan_field(reading, text_trim(fields[i]), (int)i);
    return check_plan(reading, err);
}

/* ---- a line ---- */

static struct text field_of(const struct text *fields, size_t count, int field)
{
    return (size_t)field < count ? text_trim(fields[field]) : text_of("");
}

/* Counts a reason that leaves something out; an error when strict. */
static enum err_code reject(struct reading *reading, enum issue_reason reason, const char *column,
                            struct text value, struct err *err)
{
    size_t line = csv_line(reading->csv);
    int shown = issue_cut_bytes(value, ISSUE_SHOWN_BYTES);
    issue_add(&reading->out->issues, reason, line, column, "'%.*s'", shown, value.data);
    if (!reading->strict)
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, column,
                         "cannot import '%s' line %zu, column '%s': '%.*s': %s (%s)", reading->name, line,
                         column, shown, value.data, issue_doc(reason), issue_name(reason));
}

static bool parse_year(struct text text, int64_t *out) /* no sign */
{
    return text.size_bytes > 0 && text.data[0] >= '0' && text.data[0] <= '9' && text_parse_i64(text, out);
}

/* "2023", "2023-24", "2023/2024": the year it begins in; the second, if any, is the next one. */
static bool parse_season(struct text text, int64_t *out)
{
    int64_t first, second;
    struct text rest = text, part;
    if (parse_year(text, out))
        return *out >= YEAR_LEAST && *out <= YEAR_MOST;
    bool is_slash = false;
    for (size_t i = 0; i < text.size_bytes; i++)
        is_slash = is_slash || text.data[i] == '/';
    if (!text_split(&rest, is_slash ? '/' : '-', &part) || !parse_year(part, &first) ||
        !parse_year(rest, &second) || (rest.size_bytes != 2 && rest.size_bytes != 4))
        return false;
    *out = first;
    return first >= YEAR_LEAST && first <= YEAR_MOST &&
           second == (rest.size_bytes == 2 ? (first + 1) % 100 : first + 1);
}

static bool is_blank(const struct text *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!text_is_blank(fields[i]))
            return false;
    }
    return true;
}

/* What all values of a line share. */
struct line {
    struct text place, team;
    int64_t season, known_day;
};

static void set_value(struct reading *reading, const struct line *line, int attribute, double value)
{
    struct frame_builder *builder = reading->builder;
    frame_set_text(builder, ATTRIBUTE_ROW_PLACE, line->place);
    frame_set_i64(builder, ATTRIBUTE_ROW_IS_LEAGUE, reading->plan.is_league);
    frame_set_text(builder, ATTRIBUTE_ROW_TEAM, line->team);
    frame_set_i64(builder, ATTRIBUTE_ROW_SEASON, line->season);
    frame_set_i64(builder, ATTRIBUTE_ROW_KNOWN_DAY, line->known_day);
    frame_set_i64(builder, ATTRIBUTE_ROW_ATTRIBUTE, attribute);
    frame_set_f64(builder, ATTRIBUTE_ROW_VALUE, value);
    frame_set_i64(builder, ATTRIBUTE_ROW_LINE, (int64_t)csv_line(reading->csv));
    frame_next_row(builder);
}

static enum err_code read_values(struct reading *reading, const struct line *line, const struct text *fields,
                                 size_t count, struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < reading->plan.count && i < count; i++) {
        int attribute = reading->plan.attribute[i];
        struct text text = text_trim(fields[i]);
        double value;
        if (attribute < 0 || text.size_bytes == 0)
            continue;
        const struct attribute_column *column = &reading->columns[attribute];
        if (text_parse_f64(text, &value) && value >= column->low && value <= column->high)
            set_value(reading, line, attribute, value);
        else
            code = reject(reading, ISSUE_BAD_ATTRIBUTE, column->name, text, err);
    }
    return code;
}

static enum err_code read_line(struct reading *reading, const struct text *fields, size_t count,
                               struct err *err)
{
    const struct plan *plan = &reading->plan;
    struct line line = {.place = field_of(fields, count, plan->place),
                        .team = field_of(fields, count, plan->team)};
    struct text season = field_of(fields, count, plan->season),
                known = field_of(fields, count, plan->known_from);
    reading->out->rows_read++;
    if (is_blank(fields, count))
        return reject(reading, ISSUE_BLANK_ROW, "", text_of(""), err);
    if (count != plan->count)
        issue_add(&reading->out->issues, ISSUE_RAGGED_ROW, csv_line(reading->csv), "",
                  "%zu fields, the header has %zu", count, plan->count);
    if (csv_was_recoded(reading->csv))
        issue_add(&reading->out->issues, ISSUE_ENCODING, csv_line(reading->csv), "", "read as Windows-1252");
    if (line.team.size_bytes == 0 || line.team.size_bytes >= LIMIT_NAME_BYTES)
        return reject(reading, ISSUE_MISSING_TEAM, "team", line.team, err);
    if (line.place.size_bytes == 0 || line.place.size_bytes >= LIMIT_NAME_BYTES)
        return reject(reading, ISSUE_UNKNOWN_DIVISION, plan->is_league ? "league" : "country", line.place,
                      err);
    if (!parse_season(season, &line.season))
        return reject(reading, ISSUE_BAD_SEASON, "season", season, err);
    if (!time_parse_football_date(known, &line.known_day))
        return reject(reading, ISSUE_BAD_DATE, "known_from", known, err);
    reading->out->rows_kept++;
    return read_values(reading, &line, fields, count, err);
}

static enum err_code read_lines(struct reading *reading, struct err *err)
{
    const struct text *fields;
    size_t count;
    bool at_end = false;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && (code = csv_next(reading->csv, &fields, &count, &at_end, err)) == ERR_OK &&
           !at_end)
        code = read_line(reading, fields, count, err);
    return code;
}

enum err_code attributes_csv_read(const char *data, size_t size_bytes, const char *name, bool strict,
                                  const struct attribute_column *columns, size_t column_count,
                                  struct attribute_rows *out, struct err *err)
{
    struct reading reading = {
        .name = name, .strict = strict, .columns = columns, .column_count = column_count, .out = out};
    *out = (struct attribute_rows){0};
    enum err_code code = csv_open(data, size_bytes, ',', name, &reading.csv, err);
    if (code != ERR_OK)
        return code;
    code = read_header(&reading, err);
    if (code == ERR_OK)
        code = frame_builder_create(row_fields, ATTRIBUTE_ROW_COLUMNS, 0, &reading.builder, err);
    if (code == ERR_OK)
        code = read_lines(&reading, err);
    if (code == ERR_OK)
        code = frame_builder_finish(reading.builder, &out->values, err);
    frame_builder_destroy(reading.builder);
    free(reading.plan.attribute);
    csv_close(reading.csv);
    if (code != ERR_OK)
        attribute_rows_release(out);
    return code;
}
