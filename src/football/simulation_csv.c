/* The files of a simulation. Numbers are written by hand: half a million matches have fifty million fields, and every
 * one of them is a whole number (prices are hundredths, probabilities hundred-millionths). */
#include "football/simulation_private.h"

#include "base/time.h"

#include <assert.h>
#include <string.h>

enum { ROW_BYTES_MAX = 1024, TRUTH_DIGITS = 8 };
#define TRUTH_UNIT 1e8

static const char header[] =
    "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HTHG,HTAG,HTR,HS,AS,HST,AST,HC,AC,HF,AF,HY,AY,HR,AR,"
    "B365H,B365D,B365A,PSH,PSD,PSA,MaxH,MaxD,MaxA,AvgH,AvgD,AvgA,"
    "B365>2.5,B365<2.5,P>2.5,P<2.5,Max>2.5,Max<2.5,Avg>2.5,Avg<2.5,"
    "B365CH,B365CD,B365CA,PSCH,PSCD,PSCA,MaxCH,MaxCD,MaxCA,AvgCH,AvgCD,AvgCA,"
    "B365C>2.5,B365C<2.5,PC>2.5,PC<2.5,MaxC>2.5,MaxC<2.5,AvgC>2.5,AvgC<2.5\n";

/* A row under way: every field is followed by a comma, the last comma becomes the end of the line. */
struct row {
    char data[ROW_BYTES_MAX];
    size_t size_bytes;
};

static void put_char(struct row *row, char byte)
{
    assert(row->size_bytes < sizeof row->data);
    row->data[row->size_bytes++] = byte;
}

static void put_text(struct row *row, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(row, *text);
    put_char(row, ',');
}

/* At least `digits` digits, zeros in front. */
static void put_digits(struct row *row, uint64_t value, int digits)
{
    char reversed[24];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || count < digits);
    while (count > 0)
        put_char(row, reversed[--count]);
}

static void put_count(struct row *row, int value)
{
    assert(value >= 0);
    put_digits(row, (uint64_t)value, 1);
    put_char(row, ',');
}

/* 215 is "2.15" */
static void put_price(struct row *row, int32_t hundredths)
{
    assert(hundredths > 100);
    put_digits(row, (uint64_t)hundredths / 100, 1);
    put_char(row, '.');
    put_digits(row, (uint64_t)hundredths % 100, 2);
    put_char(row, ',');
}

static void put_probability(struct row *row, double p)
{
    assert(p > 0 && p < 1);
    put_text(row, "0");
    row->data[row->size_bytes - 1] = '.';
    put_digits(row, (uint64_t)(p * TRUTH_UNIT + 0.5), TRUTH_DIGITS);
    put_char(row, ',');
}

/* dd/mm/yyyy, or yyyy-mm-dd */
static void put_date(struct row *row, int64_t day, bool is_iso)
{
    int year, month, day_of_month;
    time_civil_from_day(day, &year, &month, &day_of_month);
    put_digits(row, (uint64_t)(is_iso ? year : day_of_month), is_iso ? 4 : 2);
    put_char(row, is_iso ? '-' : '/');
    put_digits(row, (uint64_t)month, 2);
    put_char(row, is_iso ? '-' : '/');
    put_digits(row, (uint64_t)(is_iso ? day_of_month : year), is_iso ? 2 : 4);
    put_char(row, ',');
}

static void put_clock(struct row *row, int minutes)
{
    put_digits(row, (uint64_t)minutes / 60, 2);
    put_char(row, ':');
    put_digits(row, (uint64_t)minutes % 60, 2);
    put_char(row, ',');
}

static void put_score(struct row *row, const int goals[SIDE_COUNT])
{
    put_count(row, goals[SIDE_HOME]);
    put_count(row, goals[SIDE_AWAY]);
    put_text(row, goals[SIDE_HOME] > goals[SIDE_AWAY]   ? "H"
                  : goals[SIDE_HOME] < goals[SIDE_AWAY] ? "A"
                                                        : "D");
}

static void put_prices(struct row *row, const struct simulated_prices *prices)
{
    for (size_t bookmaker = 0; bookmaker < SIMULATED_BOOKMAKERS; bookmaker++) {
        for (size_t i = 0; i < 3; i++)
            put_price(row, prices->home_draw_away[bookmaker][i]);
    }
    for (size_t bookmaker = 0; bookmaker < SIMULATED_BOOKMAKERS; bookmaker++) {
        put_price(row, prices->under_over[bookmaker][1]); /* the files begin with "over" */
        put_price(row, prices->under_over[bookmaker][0]);
    }
}

static void end_row(struct row *row, struct buffer *out)
{
    row->data[row->size_bytes - 1] = '\n';
    buffer_append(out, row->data, row->size_bytes);
}

void simulation_write_csv(const struct simulation *simulation, const struct simulated_season *season,
                          struct buffer *out)
{
    buffer_append(out, header, sizeof header - 1);
    for (size_t i = 0; i < season->count; i++) {
        const struct simulated_match *match = &season->matches[i];
        struct row row;
        row.size_bytes = 0; /* not an initialiser: that would clear a kilobyte per match */
        put_text(&row, season->league);
        put_date(&row, match->day, false);
        put_clock(&row, match->minutes);
        put_text(&row, simulation_club(simulation, match->club[SIDE_HOME]));
        put_text(&row, simulation_club(simulation, match->club[SIDE_AWAY]));
        put_score(&row, match->goals);
        put_score(&row, match->half_goals);
        for (size_t stat = 0; stat < STAT_COUNT; stat++) {
            static const enum match_stat order[STAT_COUNT] = {STAT_SHOTS, STAT_SHOTS_ON_TARGET, STAT_CORNERS,
                                                              STAT_FOULS, STAT_YELLOWS,         STAT_REDS};
            put_count(&row, match->stats[order[stat]][SIDE_HOME]);
            put_count(&row, match->stats[order[stat]][SIDE_AWAY]);
        }
        put_prices(&row, &match->pre_close);
        put_prices(&row, &match->close);
        end_row(&row, out);
    }
}

void simulation_write_truth(const struct simulation *simulation, const struct simulated_season *season,
                            struct buffer *out)
{
    for (size_t i = 0; i < season->count; i++) {
        const struct simulated_match *match = &season->matches[i];
        struct row row;
        row.size_bytes = 0;
        put_text(&row, season->league);
        put_date(&row, match->day, true);
        put_text(&row, simulation_club(simulation, match->club[SIDE_HOME]));
        put_text(&row, simulation_club(simulation, match->club[SIDE_AWAY]));
        for (size_t k = 0; k < 3; k++)
            put_probability(&row, match->p[k]);
        put_probability(&row, match->p_over);
        end_row(&row, out);
    }
}
