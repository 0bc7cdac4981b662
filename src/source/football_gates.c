/* The gates of a football-data row: it is a match at all (blank, teams), its division is named, its goals can be read,
 * it has a day. The order of the gates is the order in which a row with several faults is counted. */
#include "source/football_row.h"

#include "base/time.h"

#include <string.h>

/* Counts a row that is left out. *rejected is set; strict makes it an error. */
static enum err_code reject(struct football_reader *reader, const struct row *row, bool strict,
                            enum issue_reason reason, const char *field, struct text value, bool *rejected,
                            struct err *err)
{
    *rejected = true;
    issue_add(&reader->issues, reason, row->line, field, "'%.*s'", SHOWN(value));
    if (!strict)
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, field, "cannot import '%s' line %zu, column '%s': '%.*s': %s (%s)",
                         reader->name, row->line, field, SHOWN(value), issue_doc(reason), issue_name(reason));
}

static bool row_is_blank(const struct row *row)
{
    for (size_t column = 0; column < row->count; column++) {
        if (!text_is_blank(row->fields[column]))
            return false;
    }
    return true;
}

static void note_ragged(struct football_reader *reader, const struct row *row)
{
    size_t columns = reader->plan.column_count;

    if (row->count == columns)
        return;
    for (size_t column = columns; column < row->count; column++) {
        struct text extra = text_trim(row->fields[column]);
        if (extra.size_bytes > 0) {
            issue_add(&reader->issues, ISSUE_RAGGED_ROW, row->line, "",
                      "%zu fields, header has %zu; ignored '%.*s'", row->count, columns, SHOWN(extra));
            return;
        }
    }
    issue_add(&reader->issues, ISSUE_RAGGED_ROW, row->line, "", "%zu fields, header has %zu", row->count,
              columns);
}

/* The name of a team without spaces around it and as UTF-8 (rows of a database need not be). */
static void read_team(struct football_reader *reader, struct row *row, int side)
{
    int column = side == 0 ? reader->plan.home : reader->plan.away;
    const char *field = side == 0 ? "HomeTeam" : "AwayTeam";
    struct text name = field_at(row, column);

    if (name.size_bytes > 0 && name.size_bytes != row->fields[column].size_bytes)
        issue_add(&reader->issues, ISSUE_NAME_SPACES, row->line, field, "'%.*s'", SHOWN(row->fields[column]));
    if (name.size_bytes > 0 && name.size_bytes < LIMIT_NAME_BYTES && !text_is_utf8(name)) {
        name = (struct text){row->recoded[side], text_cp1252_to_utf8(name, row->recoded[side])};
        issue_add(&reader->issues, ISSUE_ENCODING, row->line, field, "'%.*s'", SHOWN(name));
    }
    row->teams[side] = name;
}

static bool teams_are_same(struct text home, struct text away)
{
    char name[LIMIT_NAME_BYTES];

    return text_copy(home, name, sizeof name) && text_equal_nocase(away, name);
}

static enum err_code check_teams(struct football_reader *reader, struct row *row, bool strict, bool *rejected,
                                 struct err *err)
{
    for (int side = 0; side < 2; side++) {
        read_team(reader, row, side);
        struct text name = row->teams[side];
        bool has_zero = name.size_bytes > 0 && memchr(name.data, '\0', name.size_bytes) != NULL;
        if (name.size_bytes == 0 || name.size_bytes >= LIMIT_NAME_BYTES || has_zero)
            return reject(reader, row, strict, ISSUE_MISSING_TEAM, side == 0 ? "HomeTeam" : "AwayTeam", name,
                          rejected, err);
    }
    if (teams_are_same(row->teams[0], row->teams[1]))
        return reject(reader, row, strict, ISSUE_MISSING_TEAM, "AwayTeam", row->teams[1], rejected, err);
    return ERR_OK;
}

/* Both empty: not played yet. */
static enum err_code check_goals(struct football_reader *reader, struct row *row, bool strict, bool *rejected,
                                 struct err *err)
{
    static const char *const fields[2] = {"FTHG", "FTAG"};
    struct text home = field_at(row, reader->plan.goals[0]), away = field_at(row, reader->plan.goals[1]);

    row->goals[0] = row->goals[1] = -1;
    if (home.size_bytes == 0 && away.size_bytes == 0) {
        issue_add(&reader->issues, ISSUE_NO_RESULT, row->line, "", "%.*s - %.*s", SHOWN(row->teams[0]),
                  SHOWN(row->teams[1]));
        return ERR_OK;
    }
    for (int side = 0; side < 2; side++) {
        struct text value = side == 0 ? home : away;
        if (!parse_count(value, LIMIT_GOALS, &row->goals[side]))
            return reject(reader, row, strict, ISSUE_BAD_GOALS, fields[side], value, rejected, err);
    }
    return ERR_OK;
}

static bool has_two_digit_year(struct text date)
{
    return date.size_bytes >= 3 && date.data[date.size_bytes - 3] == '/';
}

static enum err_code check_date(struct football_reader *reader, struct row *row, bool strict, bool *rejected,
                                struct err *err)
{
    struct text date = field_at(row, reader->plan.date), time = field_at(row, reader->plan.time);

    if (!time_parse_football_date(date, &row->day))
        return reject(reader, row, strict, ISSUE_BAD_DATE, "Date", date, rejected, err);
    if (has_two_digit_year(date))
        issue_add(&reader->issues, ISSUE_TWO_DIGIT_YEAR, row->line, "Date", "'%.*s'", SHOWN(date));
    row->minutes = -1;
    if (time.size_bytes > 0 && !time_parse_clock(time, &row->minutes)) {
        row->minutes = -1;
        issue_add(&reader->issues, ISSUE_BAD_TIME, row->line, "Time", "'%.*s'", SHOWN(time));
    }
    return ERR_OK;
}

static enum err_code check_division(struct football_reader *reader, struct row *row, bool strict,
                                    bool *rejected, struct err *err)
{
    int column = reader->plan.is_extra ? reader->plan.league : reader->plan.division;
    struct text league = field_at(row, column);

    if (league.size_bytes > 0 && league.size_bytes < LIMIT_NAME_BYTES)
        return ERR_OK;
    return reject(reader, row, strict, ISSUE_UNKNOWN_DIVISION, reader->plan.is_extra ? "League" : "Div",
                  league, rejected, err);
}

enum err_code football_gates(struct football_reader *reader, struct row *row, bool strict, bool *rejected,
                             struct err *err)
{
    enum err_code (*const gates[])(struct football_reader *, struct row *, bool, bool *,
                                   struct err *) = {check_teams, check_division, check_goals, check_date};

    if (row_is_blank(row))
        return reject(reader, row, strict, ISSUE_BLANK_ROW, "", (struct text){0}, rejected, err);
    note_ragged(reader, row);
    for (size_t index = 0; index < sizeof gates / sizeof gates[0] && !*rejected; index++) {
        enum err_code code = gates[index](reader, row, strict, rejected, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}
