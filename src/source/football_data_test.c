/* Football-data rows: every quirk with the issue it must become, both layouts, all kinds of prices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "source/football_data.h"

#include <stdio.h>
#include <string.h>

#define HEADER "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HTHG,HTAG,HS,AS,HST,AST,B365H,B365D,B365A\n"

static struct football_tables read_text(const char *text)
{
    struct football_tables tables;
    struct err err = {0};
    enum err_code code = football_data_read(text, strlen(text), "t.csv", false, &tables, &err);

    if (code != ERR_OK)
        fail_msg("%s", err.text);
    return tables;
}

static void expect_error(const char *text, enum err_code wanted, const char *part)
{
    struct football_tables tables;
    struct err err = {0};

    assert_int_equal(football_data_read(text, strlen(text), "t.csv", false, &tables, &err), wanted);
    if (strstr(err.text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, err.text);
    assert_null(tables.matches);
}

static int64_t number(const struct frame *frame, const char *column, size_t row)
{
    int index = frame_find(frame, column);

    assert_true(index >= 0);
    if (!frame_is_present(frame, (size_t)index, row))
        return -1;
    enum frame_type type = frame_column_type(frame, (size_t)index);
    return type == FRAME_I32 ? frame_i32(frame, (size_t)index)[row] : frame_i64(frame, (size_t)index)[row];
}

static const char *text(const struct frame *frame, const char *column, size_t row)
{
    int index = frame_find(frame, column);

    assert_true(index >= 0);
    return frame_text(frame, (size_t)index, row);
}

static double real(const struct frame *frame, const char *column, size_t row)
{
    int index = frame_find(frame, column);

    assert_true(index >= 0);
    return frame_f64(frame, (size_t)index)[row];
}

/* The one issue of a row behind the header, or none (ISSUE_COUNT). */
static void expect_issue(const char *row, enum issue_reason reason, size_t kept)
{
    char input[1024];
    size_t total = 0;

    snprintf(input, sizeof input, HEADER "%s\n", row);
    struct football_tables tables = read_text(input);
    for (int index = 0; index < ISSUE_COUNT; index++)
        total += tables.issues.counts[index];
    if (reason == ISSUE_COUNT) {
        assert_int_equal(total, 0);
    } else {
        if (total != 1 || tables.issues.counts[reason] != 1)
            fail_msg("'%s': %zu issues, first %s", row, total,
                     tables.issues.kept == 0 ? "none" : issue_name(tables.issues.items[0].reason));
        assert_int_equal(tables.issues.items[0].line, 2);
        assert_int_equal(issue_rejects(reason), kept == 0);
    }
    assert_int_equal(tables.rows_read, 1);
    assert_int_equal(tables.rows_kept, kept);
    assert_int_equal(frame_rows(tables.matches), kept);
    football_tables_release(&tables);
}

static void a_clean_row(void **state)
{
    (void)state;
    struct football_tables tables =
        read_text(HEADER "E0,17/08/2024,15:00,Arsenal,Wolves,2,0,H,1,0,18,9,6,3,1.2,7,15\n");
    const struct frame *matches = tables.matches, *prices = tables.prices;

    assert_int_equal(frame_rows(matches), 1);
    assert_string_equal(text(matches, "league", 0), "E0");
    assert_string_equal(text(matches, "home", 0), "Arsenal");
    assert_string_equal(text(matches, "away", 0), "Wolves");
    assert_string_equal(text(matches, "kickoff_text", 0), "17/08/2024 15:00");
    assert_int_equal(number(matches, "day", 0), time_day_from_civil(2024, 8, 17));
    /* 15:00 in London in August is 14:00 UTC */
    assert_int_equal(number(matches, "kickoff", 0),
                     time_day_from_civil(2024, 8, 17) * TIME_DAY_US + 14 * TIME_HOUR_US);
    assert_int_equal(number(matches, "time_known", 0), 1);
    assert_int_equal(number(matches, "home_goals", 0), 2);
    assert_int_equal(number(matches, "away_goals", 0), 0);
    assert_int_equal(number(matches, "home_half", 0), 1);
    assert_int_equal(number(matches, "home_shots", 0), 18);
    assert_int_equal(number(matches, "away_shots_on_target", 0), 3);
    assert_int_equal(number(matches, "home_corners", 0), -1);
    assert_int_equal(number(matches, "line", 0), 2);
    assert_int_equal(frame_rows(prices), 1);
    assert_string_equal(text(prices, "market", 0), "1x2");
    assert_string_equal(text(prices, "bookmaker", 0), "B365");
    assert_string_equal(text(prices, "label", 0), "pre_close");
    assert_true(real(prices, "price_1", 0) == 1.2 && real(prices, "price_2", 0) == 7 &&
                real(prices, "price_3", 0) == 15);
    assert_int_equal(number(prices, "is_flagged", 0), 0);
    assert_int_equal(tables.issues.kept, 0);
    football_tables_release(&tables);
}

/* Without a time the kick-off is the first instant of the local day: 23:00 UTC the day before in summer. */
static void unknown_time(void **state)
{
    (void)state;
    struct football_tables tables = read_text("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\n"
                                              "E0,17/08/2024,A,B,1,1\nE0,13/01/2024,A,B,1,1\n");

    assert_int_equal(number(tables.matches, "kickoff", 0),
                     time_day_from_civil(2024, 8, 17) * TIME_DAY_US - TIME_HOUR_US);
    assert_int_equal(number(tables.matches, "kickoff", 1), time_day_from_civil(2024, 1, 13) * TIME_DAY_US);
    assert_int_equal(number(tables.matches, "time_known", 0), 0);
    football_tables_release(&tables);
}

static void rows_that_are_left_out(void **state)
{
    (void)state;
    expect_issue(",,,,,,,,,,,,,,,,", ISSUE_BLANK_ROW, 0);
    expect_issue("", ISSUE_BLANK_ROW, 0);
    expect_issue(" , ,\xC2\xA0,,,,,,,,,,,,,,", ISSUE_BLANK_ROW, 0);
}

static void gates(void **state)
{
    (void)state;
    expect_issue("E0,31/02/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3,4", ISSUE_BAD_DATE, 0);
    expect_issue("E0,,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3,4", ISSUE_BAD_DATE, 0);
    expect_issue("E0,2024-13-01,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3,4", ISSUE_BAD_DATE, 0);
    expect_issue("E0,17/08/2024,15:00,,B,1,1,D,0,0,9,9,3,3,2,3,4", ISSUE_MISSING_TEAM, 0);
    expect_issue("E0,17/08/2024,15:00,A,a,1,1,D,0,0,9,9,3,3,2,3,4", ISSUE_MISSING_TEAM, 0);
    expect_issue("E0,17/08/2024,15:00,A,B,-1,1,A,0,0,9,9,3,3,2,3,4", ISSUE_BAD_GOALS, 0);
    expect_issue("E0,17/08/2024,15:00,A,B,100,1,H,0,0,9,9,3,3,2,3,4", ISSUE_BAD_GOALS, 0);
    expect_issue("E0,17/08/2024,15:00,A,B,1.5,1,H,0,0,9,9,3,3,2,3,4", ISSUE_BAD_GOALS, 0);
    expect_issue("E0,17/08/2024,15:00,A,B,1,,H,0,0,9,9,3,3,2,3,4", ISSUE_BAD_GOALS, 0);
    expect_issue(",17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3,4", ISSUE_UNKNOWN_DIVISION, 0);
}

static void values_that_are_dropped_or_repaired(void **state)
{
    (void)state;
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3.5,4", ISSUE_COUNT, 1);
    expect_issue("E0,2024-08-17,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3.5,4", ISSUE_COUNT, 1);
    expect_issue("E0,17/08/94,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3.5,4", ISSUE_TWO_DIGIT_YEAR, 1);
    expect_issue("E0,17/08/2024,25:00,A,B,1,1,D,0,0,9,9,3,3,2,3.5,4", ISSUE_BAD_TIME, 1);
    expect_issue("E0,17/08/2024,15:00,A ,B,1,1,D,0,0,9,9,3,3,2,3.5,4", ISSUE_NAME_SPACES, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,H,0,0,9,9,3,3,2,3.5,4", ISSUE_RESULT_MISMATCH, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,2,0,9,9,3,3,2,3.5,4", ISSUE_BAD_HALF_TIME, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,-9,9,3,3,2,3.5,4", ISSUE_BAD_STATISTIC, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,2,3,3,2,3.5,4", ISSUE_BAD_STATISTIC, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,1.00,3.5,4", ISSUE_BAD_PRICE, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,-2,3.5,4", ISSUE_BAD_PRICE, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,x,3.5,4", ISSUE_BAD_PRICE, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,3.75,3.75,3.75", ISSUE_OVERROUND, 1); /* 0.8 */
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,2,2,2", ISSUE_OVERROUND, 1);          /* 1.5 */
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,3,3,3", ISSUE_COUNT, 1);              /* 1.0 */
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,,3.5,4", ISSUE_COUNT, 1); /* not complete */
    expect_issue("E0,17/08/2024,15:00,A,B,,,,,,,,,,2,3.5,4", ISSUE_NO_RESULT, 1);
    expect_issue("E0,17/08/2024,15:00,King\x92s,B,1,1,D,0,0,9,9,3,3,2,3.5,4", ISSUE_ENCODING, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3.5,4,,", ISSUE_RAGGED_ROW, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3.5,4,extra", ISSUE_RAGGED_ROW, 1);
    expect_issue("E0,17/08/2024,15:00,A,B,1,1", ISSUE_RAGGED_ROW, 1);
}

static void dropped_values_are_missing(void **state)
{
    (void)state;
    struct football_tables tables = read_text(HEADER "E0,17/08/2024,15:00,A,B,1,1,D,2,0,9,2,3,3,1.00,3.5,4\n"
                                                     "E0,18/08/2024,15:00,A,B,1,1,D,,,,,,,3.75,3.75,3.75\n"
                                                     "E0,19/08/2024,15:00,A,B,,,,,,,,,,,,\n");

    assert_int_equal(number(tables.matches, "home_half", 0), -1);
    assert_int_equal(number(tables.matches, "home_shots", 0), 9);
    assert_int_equal(number(tables.matches, "away_shots", 0), -1); /* 2 shots, 3 on target */
    assert_int_equal(number(tables.matches, "away_shots_on_target", 0), -1);
    assert_int_equal(number(tables.matches, "home_goals", 2), -1);
    assert_int_equal(frame_rows(tables.prices), 2);
    assert_true(real(tables.prices, "price_1", 0) != real(tables.prices, "price_1", 0));
    assert_true(real(tables.prices, "price_2", 0) == 3.5);
    assert_int_equal(number(tables.prices, "is_flagged", 0), 0);
    assert_int_equal(number(tables.prices, "is_flagged", 1), 1);
    assert_int_equal(number(tables.prices, "match", 1), 1);
    football_tables_release(&tables);
}

static void price_columns_by_grammar(void **state)
{
    static const struct {
        const char *market, *bookmaker, *label;
        double prices[3], handicap;
    } wanted[] = {
        {"1x2", "VC", "pre_close", {2, 3, 4}, 0},       {"1x2", "VC", "close", {2.1, 3.1, 4.1}, 0},
        {"1x2", "PS", "close", {2.2, 3.2, 4.2}, 0},     {"1x2", "XYZ", "pre_close", {2.3, 3.3, 4.3}, 0},
        {"ou25", "PS", "pre_close", {1.9, 1.8, 0}, 0},  {"ou25", "PS", "close", {1.95, 1.85, 0}, 0},
        {"ah", "GB", "pre_close", {1.7, 2.2, 0}, -0.5}, {"ah", "BbMx", "pre_close", {1.71, 2.21, 0}, -0.25},
        {"ah", "PS", "close", {1.72, 2.22, 0}, -1},
    };

    (void)state;
    struct football_tables tables = read_text(
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,VCH,VCD,VCA,VCCH,VCCD,VCCA,PSCH,PSCD,PSCA,XYZH,XYZD,XYZA,P>2.5,"
        "P<2.5,PC>2.5,PC<2.5,GBAHH,GBAHA,GBAH,BbAHh,BbMxAHH,BbMxAHA,AHCh,PCAHH,PCAHA\n"
        "E0,17/08/2024,A,B,1,1,2,3,4,2.1,3.1,4.1,2.2,3.2,4.2,2.3,3.3,4.3,1.8,1.9,1.85,1.95,1.7,2.2,-0.5,"
        "-0.25,1.71,2.21,-1,1.72,2.22\n");
    assert_int_equal(frame_rows(tables.prices), sizeof wanted / sizeof wanted[0]);
    for (size_t row = 0; row < frame_rows(tables.prices); row++) {
        assert_string_equal(text(tables.prices, "market", row), wanted[row].market);
        assert_string_equal(text(tables.prices, "bookmaker", row), wanted[row].bookmaker);
        assert_string_equal(text(tables.prices, "label", row), wanted[row].label);
        assert_true(real(tables.prices, "price_1", row) == wanted[row].prices[0]);
        assert_true(real(tables.prices, "price_2", row) == wanted[row].prices[1]);
        if (wanted[row].prices[2] > 0)
            assert_true(real(tables.prices, "price_3", row) == wanted[row].prices[2]);
        if (wanted[row].handicap != 0)
            assert_true(real(tables.prices, "handicap", row) == wanted[row].handicap);
    }
    football_tables_release(&tables);
}

static void extra_layout(void **state)
{
    (void)state;
    struct football_tables tables =
        read_text("Country,League,Season,Date,Time,Home,Away,HG,AG,Res,PH,PD,PA,MaxH,MaxD,MaxA\n"
                  "Japan, J1 League,2012,10/03/2012,05:00,G-Osaka,Kobe,2,3,A,1.94,3.56,4.34,1.94,4,5.5\n");

    assert_string_equal(text(tables.matches, "league", 0), "Japan/J1 League");
    assert_string_equal(text(tables.matches, "season_text", 0), "2012");
    assert_int_equal(number(tables.matches, "away_goals", 0), 3);
    assert_string_equal(text(tables.prices, "bookmaker", 0), "PS");
    assert_string_equal(text(tables.prices, "label", 0), "close");
    football_tables_release(&tables);
}

static void teams_called_ht_and_at(void **state)
{
    (void)state;
    struct football_tables tables = read_text("Div,Date,HT,AT,FTHG,FTAG\nG1,28/08/2004,AEK,Aris,1,0\n");

    assert_string_equal(text(tables.matches, "home", 0), "AEK");
    assert_string_equal(text(tables.matches, "away", 0), "Aris");
    football_tables_release(&tables);
}

static void repeated_rows_stay_and_are_counted(void **state)
{
    (void)state;
    struct football_tables tables =
        read_text("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,17/08/2024,A,B,1,1\n"
                  "E0,18/08/2024,A,B,1,1\nE1,17/08/2024,A,B,1,1\nE0,17/08/2024,A,B,2,1\n");

    assert_int_equal(tables.rows_kept, 4);
    assert_int_equal(tables.issues.counts[ISSUE_DUPLICATE_ROW], 1);
    assert_int_equal(tables.issues.items[0].line, 5);
    football_tables_release(&tables);
}

static void runs_of_lines_are_one_issue(void **state)
{
    (void)state;
    struct football_tables tables =
        read_text("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,17/08/94,A,B,1,1\n"
                  "E0,18/08/94,A,B,1,1\nE0,19/08/1994,A,B,1,1\n,,,,,\n,,,,,\n,,,,,\n"
                  "E0,20/08/94,A,B,1,1\n");
    const struct issue *items = tables.issues.items;

    assert_int_equal(tables.issues.kept, 3);
    assert_int_equal(items[0].line, 2);
    assert_int_equal(items[0].line_last, 3);
    assert_string_equal(items[0].detail, "'17/08/94'");
    assert_int_equal(items[1].reason, ISSUE_BLANK_ROW);
    assert_int_equal(items[1].line, 5);
    assert_int_equal(items[1].line_last, 7);
    assert_int_equal(items[2].line, 8);
    assert_int_equal(tables.issues.counts[ISSUE_TWO_DIGIT_YEAR], 3);
    assert_int_equal(tables.issues.counts[ISSUE_BLANK_ROW], 3);
    football_tables_release(&tables);
}

static void byte_order_mark(void **state)
{
    (void)state;
    struct football_tables tables = read_text("\xEF\xBB\xBF" HEADER);

    assert_int_equal(tables.rows_read, 0);
    assert_int_equal(frame_rows(tables.matches), 0);
    assert_int_equal(tables.issues.counts[ISSUE_BYTE_ORDER_MARK], 1);
    assert_int_equal(tables.issues.items[0].line, 0);
    football_tables_release(&tables);
}

static void files_that_are_refused(void **state)
{
    static const char junk[] = "\x7F"
                               "ELF\x02\x01\x01\0\0\0";
    struct football_tables tables;
    struct err err;

    (void)state;
    expect_error("", ERR_INVALID, "the file is empty");
    expect_error("\n", ERR_INVALID, "no column 'Div'");
    expect_error("Date,Open,High,Low,Close\n2024-01-02,1,2,3,4\n", ERR_INVALID, "no column 'Div'");
    expect_error("Div,HomeTeam,AwayTeam\n", ERR_INVALID, "no column 'Date'");
    expect_error("Country,Date,Home,Away\n", ERR_INVALID, "no column 'League'");
    expect_error("Div,Date,HomeTeam,AwayTeam\nE0,\"17/08/2024,A,B\n", ERR_INVALID,
                 "line 2: a quote is not closed");
    assert_int_equal(football_data_read(junk, sizeof junk, "t", false, &tables, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "zero byte"));
}

static void strict_stops_at_the_first_rejected_row(void **state)
{
    static const char input[] = HEADER "E0,17/08/94,15:00,A ,B,1,1,H,0,0,9,9,3,3,1,3,4\n"
                                       "E0,31/02/2024,15:00,A,B,1,1,D,0,0,9,9,3,3,2,3,4\n";
    struct football_tables tables;
    struct err err;

    (void)state;
    assert_int_equal(football_data_read(input, sizeof input - 1, "t.csv", true, &tables, &err), ERR_INVALID);
    assert_string_equal(err.text,
                        "cannot import 't.csv' line 3, column 'Date': '31/02/2024': the date is missing or "
                        "not a day of the calendar (bad_date)");
    assert_string_equal(err.field, "Date");
    assert_null(tables.matches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_row),
        cmocka_unit_test(unknown_time),
        cmocka_unit_test(rows_that_are_left_out),
        cmocka_unit_test(gates),
        cmocka_unit_test(values_that_are_dropped_or_repaired),
        cmocka_unit_test(dropped_values_are_missing),
        cmocka_unit_test(price_columns_by_grammar),
        cmocka_unit_test(extra_layout),
        cmocka_unit_test(teams_called_ht_and_at),
        cmocka_unit_test(repeated_rows_stay_and_are_counted),
        cmocka_unit_test(runs_of_lines_are_one_issue),
        cmocka_unit_test(byte_order_mark),
        cmocka_unit_test(files_that_are_refused),
        cmocka_unit_test(strict_stops_at_the_first_rejected_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
