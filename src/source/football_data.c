/* Rows of football-data. A row passes the gates (football_gates.c) before anything of it is kept; behind them it can
 * only lose single values. Repeated rows stay in the frames in file order, so that whoever stores them lets the later
 * one win. */
#include "source/football_row.h"

#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STATISTIC_MAX = 99
}; /* the most fouls on record are in the seventies: three digits are a typing error */

#define XG_MAX 20.0 /* the most ever measured is below 8 */

enum match_column {
    MATCH_LEAGUE,
    MATCH_DAY,
    MATCH_KICKOFF,
    MATCH_TIME_KNOWN,
    MATCH_KICKOFF_TEXT,
    MATCH_SEASON_TEXT,
    MATCH_HOME,
    MATCH_AWAY,
    MATCH_GOALS,
    MATCH_HALF = MATCH_GOALS + 2,
    MATCH_STATISTICS = MATCH_HALF + 2,
    MATCH_XG = MATCH_STATISTICS + PLAN_STATISTIC_COUNT,
    MATCH_SOURCE_ID = MATCH_XG + 2,
    MATCH_LINE,
    MATCH_COLUMNS
};
static const struct frame_field match_fields[MATCH_COLUMNS] = {
    {"league", FRAME_TEXT},
    {"day", FRAME_I64},
    {"kickoff", FRAME_TIME},
    {"time_known", FRAME_I32},
    {"kickoff_text", FRAME_TEXT},
    {"season_text", FRAME_TEXT},
    {"home", FRAME_TEXT},
    {"away", FRAME_TEXT},
    {"home_goals", FRAME_I32},
    {"away_goals", FRAME_I32},
    {"home_half", FRAME_I32},
    {"away_half", FRAME_I32},
    {"home_shots", FRAME_I32},
    {"away_shots", FRAME_I32},
    {"home_shots_on_target", FRAME_I32},
    {"away_shots_on_target", FRAME_I32},
    {"home_corners", FRAME_I32},
    {"away_corners", FRAME_I32},
    {"home_fouls", FRAME_I32},
    {"away_fouls", FRAME_I32},
    {"home_yellows", FRAME_I32},
    {"away_yellows", FRAME_I32},
    {"home_reds", FRAME_I32},
    {"away_reds", FRAME_I32},
    {"home_xg_milli", FRAME_I32},
    {"away_xg_milli", FRAME_I32},
    {"source_id", FRAME_TEXT},
    {"line", FRAME_I64},
};

enum price_column {
    PRICE_MATCH,
    PRICE_MARKET,
    PRICE_BOOKMAKER,
    PRICE_LABEL,
    PRICE_1,
    PRICE_HANDICAP = PRICE_1 + 3,
    PRICE_IS_FLAGGED,
    PRICE_COLUMNS
};
static const struct frame_field price_fields[PRICE_COLUMNS] = {
    {"match", FRAME_I64},   {"market", FRAME_TEXT},  {"bookmaker", FRAME_TEXT},
    {"label", FRAME_TEXT},  {"price_1", FRAME_F64},  {"price_2", FRAME_F64},
    {"price_3", FRAME_F64}, {"handicap", FRAME_F64}, {"is_flagged", FRAME_I32},
};

void football_tables_release(struct football_tables *tables)
{
    frame_destroy(tables->matches);
    frame_destroy(tables->prices);
    issue_list_release(&tables->issues);
    *tables = (struct football_tables){0};
}

enum err_code football_reader_create(const struct text *header, size_t count, const char *name,
                                     struct football_reader **out, struct err *err)
{
    *out = NULL;
    struct football_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return err_nomem(err, sizeof *reader);
    (void)text_copy(text_of(name), reader->name, sizeof reader->name);
    enum err_code code = plan_create(header, count, name, &reader->plan, err);
    if (code == ERR_OK)
        code = frame_builder_create(match_fields, MATCH_COLUMNS, 0, &reader->matches, err);
    if (code == ERR_OK)
        code = frame_builder_create(price_fields, PRICE_COLUMNS, 0, &reader->prices, err);
    if (code == ERR_OK) {
        reader->seen = names_create();
        if (reader->seen == NULL)
            code = err_nomem(err, sizeof *reader);
    }
    if (code != ERR_OK) {
        football_reader_destroy(reader);
        return code;
    }
    *out = reader;
    return ERR_OK;
}

void football_reader_destroy(struct football_reader *reader)
{
    if (reader == NULL)
        return;
    plan_release(&reader->plan);
    frame_builder_destroy(reader->matches);
    frame_builder_destroy(reader->prices);
    names_destroy(reader->seen);
    issue_list_release(&reader->issues);
    free(reader);
}

void football_reader_note(struct football_reader *reader, enum issue_reason reason, size_t line,
                          const char *detail)
{
    issue_add(&reader->issues, reason, line, "", "%s", detail);
}

static void check_result(struct football_reader *reader, const struct row *row)
{
    struct text result = field_at(row, reader->plan.result);

    if (result.size_bytes == 0 || row->goals[0] < 0)
        return;
    const char *letter = row->goals[0] > row->goals[1] ? "H" : row->goals[0] < row->goals[1] ? "A" : "D";
    if (!text_equal_nocase(result, letter))
        issue_add(&reader->issues, ISSUE_RESULT_MISMATCH, row->line, "FTR", "'%.*s' at %d:%d", SHOWN(result),
                  row->goals[0], row->goals[1]);
}

static void read_half_time(struct football_reader *reader, struct row *row)
{
    struct text home = field_at(row, reader->plan.half[0]), away = field_at(row, reader->plan.half[1]);

    row->half[0] = row->half[1] = -1;
    if (home.size_bytes == 0 && away.size_bytes == 0)
        return;
    if (row->goals[0] >= 0 && parse_count(home, row->goals[0], &row->half[0]) &&
        parse_count(away, row->goals[1], &row->half[1]))
        return;
    issue_add(&reader->issues, ISSUE_BAD_HALF_TIME, row->line, "HTHG", "'%.*s' : '%.*s' at %d:%d",
              SHOWN(home), SHOWN(away), row->goals[0], row->goals[1]);
    row->half[0] = row->half[1] = -1;
}

static void set_statistics(struct football_reader *reader, const struct row *row)
{
    enum { SHOTS = 0, ON_TARGET = 2 }; /* then away; see plan_statistic_fields */
    int values[PLAN_STATISTIC_COUNT];

    for (int index = 0; index < PLAN_STATISTIC_COUNT; index++) {
        struct text text = field_at(row, reader->plan.statistics[index]);
        values[index] = -1;
        if (text.size_bytes > 0 && !parse_count(text, STATISTIC_MAX, &values[index]))
            issue_add(&reader->issues, ISSUE_BAD_STATISTIC, row->line, plan_statistic_fields[index], "'%.*s'",
                      SHOWN(text));
    }
    for (int side = 0; side < 2; side++) {
        int *shots = &values[SHOTS + side], *on_target = &values[ON_TARGET + side];
        if (*shots < 0 || *on_target <= *shots)
            continue;
        /* which of the two is wrong cannot be told */
        issue_add(&reader->issues, ISSUE_BAD_STATISTIC, row->line, plan_statistic_fields[ON_TARGET + side],
                  "%d shots on target of %d shots; both dropped", *on_target, *shots);
        *shots = *on_target = -1;
    }
    for (int index = 0; index < PLAN_STATISTIC_COUNT; index++) {
        if (values[index] >= 0)
            frame_set_i64(reader->matches, (size_t)MATCH_STATISTICS + (size_t)index, values[index]);
    }
}

/* Expected goals as a provider measured them: of both sides, or of none. */
static void set_xg(struct football_reader *reader, const struct row *row)
{
    double xg[2] = {NAN, NAN};

    for (int side = 0; side < 2; side++) {
        struct text text = field_at(row, reader->plan.xg[side]);
        if (text.size_bytes == 0)
            return;
        if (!text_parse_f64(text, &xg[side]) || !(xg[side] >= 0 && xg[side] <= XG_MAX)) {
            issue_add(&reader->issues, ISSUE_BAD_STATISTIC, row->line, side == 0 ? "HxG" : "AxG", "'%.*s'",
                      SHOWN(text));
            return;
        }
    }
    for (size_t side = 0; side < 2; side++)
        frame_set_i64(reader->matches, MATCH_XG + side, (int64_t)(xg[side] * 1000 + 0.5));
}

/* "28/05/2023 17:30": what stood in the file. */
static void set_kickoff(struct football_reader *reader, const struct row *row)
{
    struct text date = field_at(row, reader->plan.date), time = field_at(row, reader->plan.time);
    struct civil civil = {0};
    char original[64];

    time_civil_from_day(row->day, &civil.year, &civil.month, &civil.day);
    if (row->minutes >= 0) {
        civil.hour = row->minutes / 60;
        civil.minute = row->minutes % 60;
    }
    int length = snprintf(original, sizeof original, "%.*s%s%.*s", issue_cut_bytes(date, 30), date.data,
                          time.size_bytes > 0 ? " " : "", issue_cut_bytes(time, 30),
                          time.size_bytes > 0 ? time.data : "");
    assert(length > 0 && (size_t)length < sizeof original);
    frame_set_i64(reader->matches, MATCH_DAY, row->day);
    frame_set_i64(reader->matches, MATCH_KICKOFF, time_from_civil(civil, ZONE_LONDON));
    frame_set_i64(reader->matches, MATCH_TIME_KNOWN, row->minutes >= 0);
    frame_set_text(reader->matches, MATCH_KICKOFF_TEXT, (struct text){original, (size_t)length});
}

/* "E0", or "Austria/Bundesliga" written into `joined`. */
static struct text league_of(const struct football_reader *reader, const struct row *row,
                             char joined[2 * LIMIT_NAME_BYTES])
{
    if (!reader->plan.is_extra)
        return field_at(row, reader->plan.division);
    struct text country = field_at(row, reader->plan.country), league = field_at(row, reader->plan.league);
    size_t country_bytes = country.size_bytes < LIMIT_NAME_BYTES ? country.size_bytes : LIMIT_NAME_BYTES - 1;
    int length = snprintf(joined, 2 * LIMIT_NAME_BYTES, "%.*s/%.*s", (int)country_bytes,
                          country.size_bytes > 0 ? country.data : "", (int)league.size_bytes, league.data);
    assert(length > 0 && length < 2 * LIMIT_NAME_BYTES);
    return (struct text){joined, (size_t)length};
}

static void set_text_if_any(struct frame_builder *builder, size_t column, struct text text)
{
    if (text.size_bytes > 0)
        frame_set_text(builder, column, text);
}

static void set_match(struct football_reader *reader, struct row *row)
{
    char joined[2 * LIMIT_NAME_BYTES];

    frame_set_text(reader->matches, MATCH_LEAGUE, league_of(reader, row, joined));
    set_kickoff(reader, row);
    set_text_if_any(reader->matches, MATCH_SEASON_TEXT, field_at(row, reader->plan.season));
    set_text_if_any(reader->matches, MATCH_SOURCE_ID, field_at(row, reader->plan.source_id));
    check_result(reader, row);
    read_half_time(reader, row);
    for (size_t side = 0; side < 2; side++) {
        frame_set_text(reader->matches, MATCH_HOME + side, row->teams[side]);
        if (row->goals[side] >= 0)
            frame_set_i64(reader->matches, MATCH_GOALS + side, row->goals[side]);
        if (row->half[side] >= 0)
            frame_set_i64(reader->matches, MATCH_HALF + side, row->half[side]);
    }
    set_statistics(reader, row);
    set_xg(reader, row);
    frame_set_i64(reader->matches, MATCH_LINE, (int64_t)row->line);
    frame_next_row(reader->matches);
}

/* A price above 1, or NaN. */
static double read_price(struct football_reader *reader, const struct row *row,
                         const struct plan_quote *quote, struct text text)
{
    double price;

    if (text_parse_f64(text, &price) && price > 1.0 && price < LIMIT_ODDS)
        return price;
    issue_add(&reader->issues, ISSUE_BAD_PRICE, row->line, quote->field, "'%.*s'", SHOWN(text));
    return NAN;
}

/* 1/o1 + 1/o2 + ... of a complete set, else NaN. Limits are inclusive; a set at exactly 1.00 may come out a hair
 * below because of rounding, so a hair is allowed. */
static bool overround_is_odd(double sum)
{
    return !isnan(sum) && (sum < LIMIT_OVERROUND_MIN - 1e-9 || sum > LIMIT_OVERROUND_MAX + 1e-9);
}

/* The three texts of a set, by their codes from its second price on. */
static void set_quote_name(struct frame_builder *prices, struct plan_quote *quote)
{
    const char *const texts[3] = {quote->market, quote->bookmaker, quote->label};

    for (size_t index = 0; index < 3; index++) {
        if (quote->codes[index] < 0)
            quote->codes[index] = frame_text_code(prices, PRICE_MARKET + index, text_of(texts[index]));
        if (quote->codes[index] >= 0)
            frame_set_code(prices, PRICE_MARKET + index, quote->codes[index]);
    }
}

static void set_quote(struct football_reader *reader, const struct row *row, struct plan_quote *quote)
{
    double prices[3] = {NAN, NAN, NAN}, sum = 0, handicap;
    bool has_any = false;

    assert(quote->price_count <= 3);
    for (int index = 0; index < quote->price_count; index++) {
        struct text text = field_at(row, quote->price[index]);
        if (text.size_bytes > 0)
            prices[index] = read_price(reader, row, quote, text);
        has_any |= !isnan(prices[index]);
        sum += 1 / prices[index]; /* NaN as soon as one is missing */
    }
    if (!has_any)
        return;
    bool is_flagged = overround_is_odd(sum);
    if (is_flagged)
        issue_add(&reader->issues, ISSUE_OVERROUND, row->line, quote->field, "sum of inverse prices %.4f",
                  sum);
    frame_set_i64(reader->prices, PRICE_MATCH, (int64_t)reader->rows_kept);
    set_quote_name(reader->prices, quote);
    for (int index = 0; index < quote->price_count; index++)
        frame_set_f64(reader->prices, (size_t)PRICE_1 + (size_t)index, prices[index]);
    if (quote->handicap >= 0 && text_parse_f64(field_at(row, quote->handicap), &handicap))
        frame_set_f64(reader->prices, PRICE_HANDICAP, handicap);
    frame_set_i64(reader->prices, PRICE_IS_FLAGGED, is_flagged);
    frame_next_row(reader->prices);
}

/* Counts a repeated row. False without memory. */
static bool note_duplicate(struct football_reader *reader, const struct row *row)
{
    char joined[2 * LIMIT_NAME_BYTES], key[5 * LIMIT_NAME_BYTES];
    struct text league = league_of(reader, row, joined);

    int length = snprintf(key, sizeof key, "%.*s\n%lld\n%.*s\n%.*s", (int)league.size_bytes, league.data,
                          (long long)row->day, (int)row->teams[0].size_bytes, row->teams[0].data,
                          (int)row->teams[1].size_bytes, row->teams[1].data);
    assert(length > 0 && (size_t)length < sizeof key);
    int32_t known = names_count(reader->seen);
    int32_t id = names_add(reader->seen, (struct text){key, (size_t)length});
    if (id != NAMES_NONE && id < known)
        issue_add(&reader->issues, ISSUE_DUPLICATE_ROW, row->line, "", "%.*s - %.*s", SHOWN(row->teams[0]),
                  SHOWN(row->teams[1]));
    return id != NAMES_NONE;
}

enum err_code football_reader_row(struct football_reader *reader, const struct text *fields, size_t count,
                                  size_t line, bool strict, struct err *err)
{
    struct row row = {.fields = fields, .count = count, .line = line};
    bool rejected = false;

    reader->rows_read++;
    enum err_code code = football_gates(reader, &row, strict, &rejected, err);
    if (code != ERR_OK || rejected)
        return code;
    if (!note_duplicate(reader, &row))
        return err_nomem(err, sizeof row);
    set_match(reader, &row);
    for (size_t index = 0; index < reader->plan.quote_count; index++)
        set_quote(reader, &row, &reader->plan.quotes[index]);
    reader->rows_kept++;
    return ERR_OK;
}

enum err_code football_reader_finish(struct football_reader *reader, struct football_tables *out,
                                     struct err *err)
{
    *out = (struct football_tables){0};
    enum err_code code = frame_builder_finish(reader->matches, &out->matches, err);
    if (code == ERR_OK)
        code = frame_builder_finish(reader->prices, &out->prices, err);
    if (code != ERR_OK) {
        football_tables_release(out);
        return code;
    }
    out->issues = reader->issues;
    reader->issues = (struct issue_list){0};
    out->rows_read = reader->rows_read;
    out->rows_kept = reader->rows_kept;
    reader->rows_read = reader->rows_kept = 0;
    return ERR_OK;
}
