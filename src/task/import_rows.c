/* League, country and season of imported rows. Done per dictionary entry of the league column wherever possible: a
 * file has one or two of them. */
#include "task/import_rows.h"

#include "base/time.h"
#include "football/league.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ONE_SEASON_DAYS = 400 };

/* What one text of the league column is. */
struct division {
    const struct league *league; /* NULL: unknown */
    int64_t first_day, last_day;
};

struct making {
    struct football_tables *tables;
    const char *name;
    struct division *divisions; /* by dictionary code */
    size_t league, day, season_text, line;
};

static size_t column(const struct frame *frame, const char *name)
{
    int index = frame_find(frame, name);

    assert(index >= 0); /* the reader's own frame */
    return (size_t)index;
}

/* "E0", or "Austria/Bundesliga" of the extra layout. */
static const struct league *find_league(const char *text)
{
    struct text league = text_of(text), country;
    int index;

    if (strchr(text, '/') != NULL && text_split(&league, '/', &country))
        index = league_find_extra(country, league);
    else
        index = league_find(text_of(text));
    return index < 0 ? NULL : league_at((size_t)index);
}

static enum err_code find_divisions(struct making *making, struct err *err)
{
    const struct frame *matches = making->tables->matches;
    const int32_t *codes = frame_i32(matches, making->league);
    const int64_t *days = frame_i64(matches, making->day);
    int32_t count = frame_dictionary_count(matches, making->league);

    making->divisions = calloc((size_t)count + 1, sizeof *making->divisions);
    if (making->divisions == NULL)
        return err_nomem(err, ((size_t)count + 1) * sizeof *making->divisions);
    for (int32_t code = 0; code < count; code++)
        making->divisions[code] = (struct division){
            find_league(frame_dictionary_text(matches, making->league, code)), INT64_MAX, INT64_MIN};
    for (size_t row = 0; row < frame_rows(matches); row++) {
        assert(codes[row] >= 0); /* rows without a division were rejected by the reader */
        struct division *division = &making->divisions[codes[row]];
        division->first_day = days[row] < division->first_day ? days[row] : division->first_day;
        division->last_day = days[row] > division->last_day ? days[row] : division->last_day;
    }
    return ERR_OK;
}

static int32_t season_of_day(const struct league *league, int64_t day)
{
    int year, month, day_of_month;

    time_civil_from_day(day, &year, &month, &day_of_month);
    return league_season(league, year, month);
}

/* "2012/2013", "2012-13" or "2012"; false for anything else. */
static bool parse_season(const char *text, int32_t *out)
{
    int64_t year;
    size_t length = strlen(text);

    if (length < 4 || !text_parse_i64((struct text){text, 4}, &year) || year < 1800 || year > 2200)
        return false;
    if (length > 4 && text[4] != '/' && text[4] != '-')
        return false;
    *out = (int32_t)year;
    return true;
}

static int32_t season_of(const struct making *making, const struct division *division, size_t row)
{
    const struct frame *matches = making->tables->matches;
    int32_t season;

    if (parse_season(frame_text(matches, making->season_text, row), &season))
        return season;
    bool is_one_season =
        !division->league->calendar_year && division->last_day - division->first_day <= ONE_SEASON_DAYS;
    return season_of_day(division->league,
                         is_one_season ? division->first_day : frame_i64(matches, making->day)[row]);
}

static enum err_code reject_row(struct making *making, size_t row, bool strict, struct err *err)
{
    const char *text = frame_text(making->tables->matches, making->league, row);
    size_t line = (size_t)frame_i64(making->tables->matches, making->line)[row];

    issue_add(&making->tables->issues, ISSUE_UNKNOWN_DIVISION, line, "Div", "'%.60s'", text);
    making->tables->rows_kept--;
    if (!strict)
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, "Div",
                         "cannot import '%s' line %zu, column 'Div': '%.60s': %s (%s)", making->name, line,
                         text, issue_doc(ISSUE_UNKNOWN_DIVISION), issue_name(ISSUE_UNKNOWN_DIVISION));
}

static enum err_code fill(struct making *making, bool strict, struct import_rows *out, struct err *err)
{
    const struct frame *matches = making->tables->matches;
    const int32_t *codes = frame_i32(matches, making->league);

    for (size_t row = 0; row < frame_rows(matches); row++) {
        const struct division *division = &making->divisions[codes[row]];
        if (division->league == NULL) {
            enum err_code code = reject_row(making, row, strict, err);
            if (code != ERR_OK)
                return code;
            continue;
        }
        out->league[row] = division->league->code;
        out->country[row] = division->league->country;
        out->season[row] = season_of(making, division, row);
    }
    return ERR_OK;
}

enum err_code import_rows_make(struct football_tables *tables, const char *name, bool strict,
                               struct import_rows *out, struct err *err)
{
    const struct frame *matches = tables->matches;
    size_t count = frame_rows(matches) + 1; /* never an allocation of nothing */
    struct making making = {.tables = tables, .name = name};

    making.league = column(matches, "league");
    making.day = column(matches, "day");
    making.season_text = column(matches, "season_text");
    making.line = column(matches, "line");
    out->league = calloc(count, sizeof *out->league);
    out->country = calloc(count, sizeof *out->country);
    out->season = calloc(count, sizeof *out->season);
    enum err_code code = ERR_OK;
    if (out->league == NULL || out->country == NULL || out->season == NULL)
        code = err_nomem(err, count * sizeof *out->league);
    if (code == ERR_OK)
        code = find_divisions(&making, err);
    if (code == ERR_OK)
        code = fill(&making, strict, out, err);
    free(making.divisions);
    if (code != ERR_OK)
        import_rows_release(out);
    return code;
}

void import_rows_release(struct import_rows *rows)
{
    free(rows->league);
    free(rows->country);
    free(rows->season);
    *rows = (struct import_rows){0};
}
