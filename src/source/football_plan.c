/* The plan of a header. Look-ups are linear: a header has some 130 columns and is read once per file. */
#include "source/football_plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const plan_statistic_fields[PLAN_STATISTIC_COUNT] = {"HS", "AS", "HST", "AST", "HC", "AC",
                                                                 "HF", "AF", "HY",  "AY",  "HR", "AR"};

/* Bookmakers whose closing columns are recognised by their C even when the file has no opening ones. VC is a bookmaker
 * itself, which is why a trailing C alone proves nothing. */
static const char *const known_bookmakers[] = {"1XB", "Avg",  "B365", "BF", "BFD", "BFE", "BMGM", "BS",  "BV",
                                               "BW",  "BbAv", "BbMx", "CL", "GB",  "IW",  "LB",   "Max", "P",
                                               "PS",  "SB",   "SJ",   "SO", "SY",  "VC",  "WH"};

struct header {
    const struct text *names;
    size_t count;
};

/* The first column of that name: of two equal ones the first counts. */
static int find(struct header header, const char *name)
{
    for (size_t column = 0; column < header.count; column++) {
        if (text_equal(text_trim(header.names[column]), name))
            return (int)column;
    }
    return -1;
}

static int find_either(struct header header, const char *name, const char *other)
{
    int column = find(header, name);

    return column >= 0 ? column : find(header, other);
}

/* The column `stem` + `ending`. */
static int find_joined(struct header header, struct text stem, const char *ending)
{
    char name[64];

    int length = snprintf(name, sizeof name, "%.*s%s", (int)stem.size_bytes, stem.data, ending);
    return length > 0 && (size_t)length < sizeof name ? find(header, name) : -1;
}

/* name = stem + ending, with a stem of 1 to 15 bytes. */
static bool take_stem(struct text name, const char *ending, struct text *stem)
{
    size_t size_bytes = strlen(ending);

    name = text_trim(name);
    if (name.size_bytes <= size_bytes || name.size_bytes - size_bytes >= PLAN_BOOKMAKER_BYTES)
        return false;
    *stem = (struct text){name.data, name.size_bytes - size_bytes};
    return memcmp(name.data + stem->size_bytes, ending, size_bytes) == 0;
}

static bool is_known_bookmaker(struct text stem)
{
    for (size_t index = 0; index < sizeof known_bookmakers / sizeof known_bookmakers[0]; index++) {
        if (text_equal(stem, known_bookmakers[index]))
            return true;
    }
    return false;
}

/* A market: how its columns are called behind the bookmaker's name, in the order of the price frame. */
struct market {
    const char *name;
    const char *endings[3];
    int price_count;
};

static const struct market markets[] = {
    {"1x2", {"H", "D", "A"}, 3},
    {"ou25", {"<2.5", ">2.5"}, 2},
    {"ah", {"AHH", "AHA"}, 2},
};

/* "B365C" is the close of B365: if B365 is known, or stands in this header with the same market. */
static bool take_closing(struct header header, const struct market *market, struct text *stem)
{
    if (stem->size_bytes < 2 || stem->data[stem->size_bytes - 1] != 'C')
        return false;
    struct text opening = {stem->data, stem->size_bytes - 1};
    if (!is_known_bookmaker(opening) && find_joined(header, opening, market->endings[0]) < 0)
        return false;
    *stem = opening;
    return true;
}

static int find_handicap(struct header header, struct text stem, bool is_closing)
{
    if (is_closing)
        return find(header, "AHCh");
    int column = find_joined(header, stem, "AH");
    if (column < 0 && text_starts(stem, "Bb"))
        column = find(header, "BbAHh");
    return column >= 0 ? column : find(header, "AHh");
}

/* PH and PSH in one header would be the same quote twice: the first counts. */
static bool has_quote(const struct plan *plan, const struct plan_quote *quote)
{
    for (size_t index = 0; index < plan->quote_count; index++) {
        const struct plan_quote *other = &plan->quotes[index];
        if (strcmp(other->market, quote->market) == 0 && strcmp(other->label, quote->label) == 0 &&
            strcmp(other->bookmaker, quote->bookmaker) == 0)
            return true;
    }
    return false;
}

/* Adds the quote whose first column is `column`, if it is one of this market. */
static enum err_code add_quote(struct plan *plan, struct header header, const struct market *market,
                               size_t column, struct err *err)
{
    struct plan_quote quote = {
        .market = market->name, .price_count = market->price_count, .handicap = -1, .codes = {-1, -1, -1}};
    struct text stem;

    if (!take_stem(header.names[column], market->endings[0], &stem))
        return ERR_OK;
    for (int index = 0; index < market->price_count; index++) {
        quote.price[index] = find_joined(header, stem, market->endings[index]);
        if (quote.price[index] < 0)
            return ERR_OK;
    }
    if (quote.price[0] != (int)column)
        return ERR_OK; /* the name stands twice */
    (void)snprintf(quote.field, sizeof quote.field, "%.*s %s", (int)stem.size_bytes, stem.data, market->name);
    bool is_closing = take_closing(header, market, &stem);
    quote.label = is_closing || plan->is_extra ? "close" : "pre_close";
    if (strcmp(market->name, "ah") == 0)
        quote.handicap = find_handicap(header, stem, is_closing);
    if (text_equal(stem, "P"))
        stem = text_of("PS");
    (void)text_copy(stem, quote.bookmaker, sizeof quote.bookmaker);
    if (has_quote(plan, &quote))
        return ERR_OK;
    struct plan_quote *quotes = realloc(plan->quotes, (plan->quote_count + 1) * sizeof *quotes);
    if (quotes == NULL)
        return err_nomem(err, (plan->quote_count + 1) * sizeof *quotes);
    quotes[plan->quote_count] = quote;
    plan->quotes = quotes;
    plan->quote_count++;
    return ERR_OK;
}

static enum err_code add_quotes(struct plan *plan, struct header header, struct err *err)
{
    for (size_t index = 0; index < sizeof markets / sizeof markets[0]; index++) {
        for (size_t column = 0; column < header.count; column++) {
            enum err_code code = add_quote(plan, header, &markets[index], column, err);
            if (code != ERR_OK)
                return code;
        }
    }
    return ERR_OK;
}

static enum err_code require(const struct plan *plan, const char *name, struct err *err)
{
    struct {
        const char *column;
        bool is_missing;
    } needs[] = {
        {"Div", !plan->is_extra && plan->division < 0},
        {"League", plan->is_extra && plan->league < 0},
        {"Date", plan->date < 0},
        {plan->is_extra ? "Home" : "HomeTeam", plan->home < 0},
        {plan->is_extra ? "Away" : "AwayTeam", plan->away < 0},
    };
    for (size_t index = 0; index < sizeof needs / sizeof needs[0]; index++) {
        if (needs[index].is_missing)
            return err_set_field(
                err, ERR_INVALID, needs[index].column,
                "cannot read '%s': the header has no column '%s'; this is neither football-data's "
                "main layout (Div, Date, HomeTeam, AwayTeam, ...) nor its extra leagues (Country, "
                "League, Date, Home, Away, ...)",
                name, needs[index].column);
    }
    return ERR_OK;
}

static void find_columns(struct plan *plan, struct header header)
{
    plan->division = find(header, "Div");
    plan->country = find(header, "Country");
    plan->league = find(header, "League");
    plan->is_extra = plan->division < 0 && plan->country >= 0;
    plan->season = find(header, "Season");
    plan->date = find(header, "Date");
    plan->time = find(header, "Time");
    plan->home = find_either(header, "HomeTeam", "Home");
    plan->away = find_either(header, "AwayTeam", "Away");
    if (plan->home < 0 && plan->away < 0) { /* five real files of the main layout call the teams so */
        plan->home = find(header, "HT");
        plan->away = find(header, "AT");
    }
    plan->goals[0] = find_either(header, "FTHG", "HG");
    plan->goals[1] = find_either(header, "FTAG", "AG");
    plan->half[0] = find(header, "HTHG");
    plan->half[1] = find(header, "HTAG");
    plan->xg[0] = find_either(header, "HxG", "home_xg");
    plan->xg[1] = find_either(header, "AxG", "away_xg");
    plan->result = find_either(header, "FTR", "Res");
    plan->source_id = find(header, "source_id");
    for (int index = 0; index < PLAN_STATISTIC_COUNT; index++)
        plan->statistics[index] = find(header, plan_statistic_fields[index]);
}

enum err_code plan_create(const struct text *header, size_t count, const char *name, struct plan *out,
                          struct err *err)
{
    struct header names = {header, count};

    *out = (struct plan){.column_count = count};
    find_columns(out, names);
    enum err_code code = require(out, name, err);
    if (code == ERR_OK)
        code = add_quotes(out, names, err);
    if (code != ERR_OK)
        plan_release(out);
    return code;
}

void plan_release(struct plan *plan)
{
    free(plan->quotes);
    plan->quotes = NULL;
    plan->quote_count = 0;
}
