/* Reading attributes: what arrives, and every reason for which something does not. */
#include "source/attributes_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct attribute_column columns[] = {{"wages", 0, 1e9}, {"average_age", 15, 45}};

static enum err_code read(const char *data, bool strict, struct attribute_rows *out, struct err *err)
{
    *err = (struct err){0};
    return attributes_csv_read(data, strlen(data), "a.csv", strict, columns, 2, out, err);
}

static void read_well(const char *data, struct attribute_rows *out)
{
    struct err err;
    enum err_code code = read(data, false, out, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
}

static void values_arrive(void **state)
{
    (void)state;
    struct attribute_rows rows;
    read_well("\xEF\xBB\xBFTeam,Season,known_from,Average_Age,COUNTRY,wages,league\n"
              " Arsenal ,2023-24,2023-09-01,24.4,England,235000000,E0\n"
              "\"Chelsea\",2023/2024,01/09/2023,,England,0,E0\n"
              "Leeds,1999-00,1999-08-01,23.5,England,,E1\n",
              &rows);
    assert_int_equal(rows.rows_read, 3);
    assert_int_equal(rows.rows_kept, 3);
    assert_int_equal(rows.issues.counts[ISSUE_BYTE_ORDER_MARK], 1);
    assert_int_equal(rows.issues.kept, 1);
    static const struct {
        const char *team;
        int64_t season, day, line;
        int attribute;
        double value;
    } expected[] = {{"Arsenal", 2023, 19601, 2, 1, 24.4},
                    {"Arsenal", 2023, 19601, 2, 0, 235000000},
                    {"Chelsea", 2023, 19601, 3, 0, 0},
                    {"Leeds", 1999, 10804, 4, 1, 23.5}};
    assert_int_equal(frame_rows(rows.values), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(frame_text(rows.values, ATTRIBUTE_ROW_PLACE, i), "England");
        assert_int_equal(frame_i32(rows.values, ATTRIBUTE_ROW_IS_LEAGUE)[i], 0);
        assert_string_equal(frame_text(rows.values, ATTRIBUTE_ROW_TEAM, i), expected[i].team);
        assert_int_equal(frame_i64(rows.values, ATTRIBUTE_ROW_SEASON)[i], expected[i].season);
        assert_int_equal(frame_i64(rows.values, ATTRIBUTE_ROW_KNOWN_DAY)[i], expected[i].day);
        assert_int_equal(frame_i64(rows.values, ATTRIBUTE_ROW_LINE)[i], expected[i].line);
        assert_int_equal(frame_i32(rows.values, ATTRIBUTE_ROW_ATTRIBUTE)[i], expected[i].attribute);
        assert_true(frame_f64(rows.values, ATTRIBUTE_ROW_VALUE)[i] == expected[i].value);
    }
    attribute_rows_release(&rows);
}

static void a_league_is_a_place_too(void **state)
{
    (void)state;
    struct attribute_rows rows;
    read_well("league,team,season,known_from,wages\nE0,Arsenal,2023,2023-09-01,5\n", &rows);
    assert_string_equal(frame_text(rows.values, ATTRIBUTE_ROW_PLACE, 0), "E0");
    assert_int_equal(frame_i32(rows.values, ATTRIBUTE_ROW_IS_LEAGUE)[0], 1);
    attribute_rows_release(&rows);
}

#define HEADER "country,team,season,known_from,wages,average_age\n"
static const struct {
    const char *line;
    enum issue_reason reason;
    size_t kept, values;
    const char *error; /* when strict; NULL: none */
} dirt[] = {
    {",,,,,", ISSUE_BLANK_ROW, 0, 0, "blank_row"},
    {"England,,2023,2023-09-01,5,25", ISSUE_MISSING_TEAM, 0, 0, "column 'team'"},
    {",Arsenal,2023,2023-09-01,5,25", ISSUE_UNKNOWN_DIVISION, 0, 0, "column 'country'"},
    {"England,Arsenal,,2023-09-01,5,25", ISSUE_BAD_SEASON, 0, 0, "column 'season'"},
    {"England,Arsenal,2023-25,2023-09-01,5,25", ISSUE_BAD_SEASON, 0, 0, "'2023-25'"},
    {"England,Arsenal,23-24,2023-09-01,5,25", ISSUE_BAD_SEASON, 0, 0, "'23-24'"},
    {"England,Arsenal,2023,,5,25", ISSUE_BAD_DATE, 0, 0, "column 'known_from'"},
    {"England,Arsenal,2023,2023-02-30,5,25", ISSUE_BAD_DATE, 0, 0, "'2023-02-30'"},
    {"England,Arsenal,2023,2023-09-01,-1,25", ISSUE_BAD_ATTRIBUTE, 1, 1, "column 'wages': '-1'"},
    {"England,Arsenal,2023,2023-09-01,nan,25", ISSUE_BAD_ATTRIBUTE, 1, 1, "'nan'"},
    {"England,Arsenal,2023,2023-09-01,5,99", ISSUE_BAD_ATTRIBUTE, 1, 1, "column 'average_age': '99'"},
    {"England,Arsenal,2023,2023-09-01,5", ISSUE_RAGGED_ROW, 1, 1, NULL},
    {"England,Arsenal,2023,2023-09-01,5,25,7", ISSUE_RAGGED_ROW, 1, 2, NULL},
};

static void dirt_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(dirt) / sizeof(*dirt); i++) {
        char text[256];
        struct attribute_rows rows;
        struct err err;
        snprintf(text, sizeof(text), HEADER "%s\n", dirt[i].line);
        read_well(text, &rows);
        assert_int_equal(rows.issues.counts[dirt[i].reason], 1);
        assert_int_equal(rows.issues.items[0].line, 2);
        assert_int_equal(rows.rows_read, 1);
        assert_int_equal(rows.rows_kept, dirt[i].kept);
        assert_int_equal(frame_rows(rows.values), dirt[i].values);
        assert_int_equal(issue_rejects(dirt[i].reason), dirt[i].error != NULL);
        attribute_rows_release(&rows);
        enum err_code code = read(text, true, &rows, &err);
        assert_int_equal(code, dirt[i].error ? ERR_INVALID : ERR_OK);
        if (dirt[i].error)
            assert_non_null(strstr(err.text, dirt[i].error));
        attribute_rows_release(&rows);
    }
}

static void other_columns_are_ignored(void **state)
{
    (void)state;
    struct attribute_rows rows;
    read_well("country,team,season,known_from,wages,notes\nEngland,Arsenal,2023,2023-09-01,5,hello\n", &rows);
    assert_int_equal(rows.issues.counts[ISSUE_UNKNOWN_COLUMN], 1);
    assert_int_equal(rows.rows_kept, 1);
    attribute_rows_release(&rows);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *data, *text;
    } cases[] = {
        {"", "cannot read 'a.csv': the file is empty"},
        {"team,season,known_from,wages\n",
         "cannot read 'a.csv': the header has no column country (or league)"},
        {"country,season,known_from,wages\n", "cannot read 'a.csv': the header has no column team"},
        {"country,team,known_from,wages\n", "cannot read 'a.csv': the header has no column season"},
        {"country,team,season,wages\n",
         "cannot read 'a.csv': the header has no column known_from (the day from which "
         "on a row may be used)"},
        {"country,team,season,known_from\n",
         "cannot read 'a.csv': no column of the header is an attribute (wages, ...)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct attribute_rows rows;
        struct err err;
        assert_int_equal(read(cases[i].data, false, &rows, &err), ERR_INVALID);
        assert_string_equal(err.text, cases[i].text);
        assert_null(rows.values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(a_league_is_a_place_too),
        cmocka_unit_test(dirt_is_counted),
        cmocka_unit_test(other_columns_are_ignored),
        cmocka_unit_test(files_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
