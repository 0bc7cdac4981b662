/* Tests of base/option.h: one table of every type through every way in, precedence, every refusal, that a
 * refused input changes nothing, and what is printed. */
#include "base/option.h"
#include "base/time.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct settings {
    bool verbose;
    int64_t port;
    double share;
    char data_dir[32];
    int64_t since_us;
    int mode;
};

static const struct option_row rows[] = {
    {"verbose", OPTION_BOOL, OPTION_MEMBER(struct settings, verbose), "", 0, 0, "false", "Say more."},
    {"port", OPTION_INT, OPTION_MEMBER(struct settings, port), "", 1, 65535, "5050",
     "TCP port to listen on."},
    {"share", OPTION_REAL, OPTION_MEMBER(struct settings, share), "of bank", 0, 1, "0.25",
     "Fraction of Kelly | cap."},
    {"data_dir", OPTION_TEXT, OPTION_MEMBER(struct settings, data_dir), "", 0, 0, "almanac-data",
     "Where things lie."},
    {"since", OPTION_DATE, OPTION_MEMBER(struct settings, since_us), "", 0, 0, "", "First day."},
    {"mode", OPTION_ENUM, OPTION_MEMBER(struct settings, mode), "fast|exact|slow", 0, 0, "exact",
     "How to count."},
};
static const struct option_table table = {"serve", rows, sizeof(rows) / sizeof(rows[0])};

struct extra {
    int64_t trees;
    bool quiet;
};

static const struct option_row extra_rows[] = {
    {"trees", OPTION_INT, OPTION_MEMBER(struct extra, trees), "trees", 1, INFINITY, "200",
     "Number of trees."},
    {"quiet", OPTION_BOOL, OPTION_MEMBER(struct extra, quiet), "", 0, 0, "true", "Say less."},
};
static const struct option_table extra_table = {"train", extra_rows, 2};

static struct settings defaults(void)
{
    struct settings settings;
    memset(&settings, 0, sizeof(settings));
    option_defaults(&table, &settings);
    return settings;
}

static void test_defaults(void **state)
{
    (void)state;
    struct settings settings = defaults();
    assert_false(settings.verbose);
    assert_int_equal(settings.port, 5050);
    assert_true(settings.share == 0.25);
    assert_string_equal(settings.data_dir, "almanac-data");
    assert_true(settings.since_us == TIME_NONE);
    assert_int_equal(settings.mode, 1);
}

static void test_set(void **state)
{
    (void)state;
    struct settings settings = defaults();
    struct err err;
    static const char *const yes[] = {"true", "yes", "on", "1", "TRUE"};
    for (size_t index = 0; index < 5; index++) {
        settings.verbose = false;
        assert_int_equal(option_set(&table, &settings, "verbose", yes[index], &err), ERR_OK);
        assert_true(settings.verbose);
    }
    static const char *const no[] = {"false", "no", "off", "0", "No"};
    for (size_t index = 0; index < 5; index++) {
        settings.verbose = true;
        assert_int_equal(option_set(&table, &settings, "verbose", no[index], &err), ERR_OK);
        assert_false(settings.verbose);
    }
    assert_int_equal(option_set(&table, &settings, "port", "65535", &err), ERR_OK);
    assert_int_equal(settings.port, 65535);
    assert_int_equal(option_set(&table, &settings, "share", "1e-3", &err), ERR_OK);
    assert_true(settings.share == 0.001);
    assert_int_equal(option_set(&table, &settings, "data-dir", "/srv/a b", &err), ERR_OK);
    assert_string_equal(settings.data_dir, "/srv/a b");
    assert_int_equal(option_set(&table, &settings, "data_dir", "", &err), ERR_OK);
    assert_string_equal(settings.data_dir, "");
    assert_int_equal(option_set(&table, &settings, "since", "2024-08-17", &err), ERR_OK);
    assert_true(settings.since_us == time_day_from_civil(2024, 8, 17) * TIME_DAY_US);
    assert_int_equal(option_set(&table, &settings, "since", "", &err), ERR_OK);
    assert_true(settings.since_us == TIME_NONE);
    assert_int_equal(option_set(&table, &settings, "mode", "slow", &err), ERR_OK);
    assert_int_equal(settings.mode, 2);
    static const char long_text[] = "1234567890123456789012345678901"; /* 31 bytes: just fits */
    assert_int_equal(option_set(&table, &settings, "data_dir", long_text, &err), ERR_OK);
}

static void test_set_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *text;
    } bad[] = {
        {"verbose", "maybe", "option 'verbose' must be true or false, not 'maybe'"},
        {"verbose", "", "option 'verbose' must be true or false, not ''"},
        {"port", "0", "option 'port' must be an integer in 1..65535, not '0'"},
        {"port", "65536", "option 'port' must be an integer in 1..65535, not '65536'"},
        {"port", "80x", "option 'port' must be an integer in 1..65535, not '80x'"},
        {"port", "", "option 'port' must be an integer in 1..65535, not ''"},
        {"port", "99999999999999999999",
         "option 'port' must be an integer in 1..65535, not '99999999999999999999'"},
        {"share", "1.01", "option 'share' must be a number in 0..1, not '1.01'"},
        {"share", "nan", "option 'share' must be a number in 0..1, not 'nan'"},
        {"share", "-0.1", "option 'share' must be a number in 0..1, not '-0.1'"},
        {"data_dir", "12345678901234567890123456789012", NULL},
        {"data_dir", "a\nb", NULL},
        {"data_dir", "a\xFF", NULL},
        {"since", "2024-02-30", NULL},
        {"since", "yesterday", NULL},
        {"mode", "quick", "option 'mode' must be one of fast, exact, slow, not 'quick'"},
        {"mode", "", NULL},
        {"mode", "fast|exact", NULL},
        {"mode", "fas", NULL},
    };
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct settings settings = defaults();
        struct settings before = defaults();
        struct err err;
        assert_int_equal(option_set(&table, &settings, bad[index].name, bad[index].value, &err), ERR_INVALID);
        assert_memory_equal(&settings, &before, sizeof(settings));
        assert_string_equal(err.field, bad[index].name);
        if (bad[index].text)
            assert_string_equal(err.text, bad[index].text);
    }
    struct settings settings = defaults();
    struct err err;
    assert_int_equal(option_set(&table, &settings, "prt", "1", &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "option 'prt' does not exist in 'serve'");
    assert_int_equal(option_set(&table, &settings, "", "1", &err), ERR_NOT_FOUND);
    assert_int_equal(option_set(&table, &settings, "portx", "1", NULL), ERR_NOT_FOUND);
}

static const char *environment[8][2];

static const char *fake_get(const char *name)
{
    for (size_t index = 0; index < 8 && environment[index][0]; index++)
        if (strcmp(environment[index][0], name) == 0)
            return environment[index][1];
    return NULL;
}

static void test_environment(void **state)
{
    (void)state;
    struct settings settings = defaults();
    struct err err;
    memset(environment, 0, sizeof(environment));
    assert_int_equal(option_read_environment(&table, &settings, fake_get, &err), ERR_OK);
    environment[0][0] = "ALMANAC_PORT";
    environment[0][1] = "81";
    environment[1][0] = "ALMANAC_DATA_DIR";
    environment[1][1] = "/srv";
    environment[2][0] = "PORT";
    environment[2][1] = "junk";
    assert_int_equal(option_read_environment(&table, &settings, fake_get, &err), ERR_OK);
    assert_int_equal(settings.port, 81);
    assert_string_equal(settings.data_dir, "/srv");
    environment[0][1] = "82";
    environment[3][0] = "ALMANAC_MODE";
    environment[3][1] = "odd";
    assert_int_equal(option_read_environment(&table, &settings, fake_get, &err), ERR_INVALID);
    assert_string_equal(err.text,
                        "cannot use environment variable ALMANAC_MODE: option 'mode' must be one of fast, "
                        "exact, slow, not 'odd'");
    assert_int_equal(settings.port, 81); /* nothing of a bad environment is taken */
}

static void test_ini(void **state)
{
    (void)state;
    struct settings settings = defaults();
    struct err err;
    const char *text = "\xEF\xBB\xBF; comment\n"
                       "share = 0.5\n"
                       "\n"
                       "[train]\r\n"
                       "port = 9\n"
                       "unknown = 1\n"
                       "[serve]\n"
                       "# comment\n"
                       "  port=8080\r\n"
                       "data-dir = /srv/al manac ; inline\n"
                       "mode: fast\n"
                       "since =\n"
                       "verbose = on";
    assert_int_equal(option_read_ini(&table, &settings, text, "a.ini", &err), ERR_OK);
    assert_true(settings.share == 0.5);
    assert_int_equal(settings.port, 8080);
    assert_string_equal(settings.data_dir, "/srv/al manac");
    assert_int_equal(settings.mode, 0);
    assert_true(settings.verbose);
    assert_int_equal(option_read_ini(&table, &settings, "", "a.ini", &err), ERR_OK);
}

static void test_ini_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *ini, *text;
    } bad[] = {
        {"[serve]\nport = 80\nprt = 81\n", "cannot read 'a.ini' line 3: option 'prt' does not exist"},
        {"port = 80\n\n\nprt = 81\n", "cannot read 'a.ini' line 4: option 'prt' does not exist"},
        {"[serve]\nport = 80\nshare = 7\n",
         "cannot read 'a.ini' line 3: option 'share' must be a number in 0..1, not '7'"},
        {"[serve]\nport = 80\nnonsense\n",
         "cannot read 'a.ini' line 3: neither '[section]' nor 'name = value'"},
        {"port = 80\n[serve\n", "cannot read 'a.ini' line 2: neither '[section]' nor 'name = value'"},
        /* an indented line is a line of its own, not more of the one above */
        {"port = 80\n  81\n", "cannot read 'a.ini' line 2: neither '[section]' nor 'name = value'"},
    };
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct settings settings = defaults();
        struct settings before = defaults();
        struct err err;
        assert_int_equal(option_read_ini(&table, &settings, bad[index].ini, "a.ini", &err), ERR_INVALID);
        assert_string_equal(err.text, bad[index].text);
        assert_memory_equal(&settings, &before, sizeof(settings));
    }
    struct settings settings = defaults();
    struct err err;
    char text[6000];
    memset(text, 'x', sizeof(text));
    memcpy(text, "port = 80\ndata_dir = ", 21);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(option_read_ini(&table, &settings, text, "a.ini", &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "'a.ini' line 2: longer than "));
    text[3000] = '\0'; /* long, but one line: refused by the option, not cut in two */
    assert_int_equal(option_read_ini(&table, &settings, text, "a.ini", &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "'a.ini' line 2: option 'data_dir' must be"));
    assert_int_equal(settings.port, 5050);
}

static enum err_code read_json(struct settings *settings, const char *text, bool strict, struct err *err)
{
    json_t *object;
    assert_int_equal(json_read(text, strlen(text), &object, err), ERR_OK);
    enum err_code code = option_read_json(&table, settings, object, strict, err);
    json_decref(object);
    return code;
}

static void test_json(void **state)
{
    (void)state;
    struct settings settings = defaults();
    struct err err;
    assert_int_equal(read_json(&settings,
                               "{\"verbose\":true,\"port\":99,\"share\":1,\"data_dir\":\"/x\","
                               "\"since\":\"2020-01-02T03:04Z\",\"mode\":\"slow\"}",
                               true, &err),
                     ERR_OK);
    assert_true(settings.verbose && settings.port == 99 && settings.share == 1 && settings.mode == 2);
    assert_string_equal(settings.data_dir, "/x");
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 4096);
    json_writer_init(&writer, &out);
    option_write_json(&table, &settings, &writer);
    assert_string_equal(buffer_text(&out), "{\"verbose\":true,\"port\":99,\"share\":1,\"data_dir\":\"/x\","
                                           "\"since\":\"2020-01-02T03:04:00Z\",\"mode\":\"slow\"}");
    struct settings again = defaults();
    assert_int_equal(read_json(&again, buffer_text(&out), true, &err), ERR_OK);
    assert_memory_equal(&again, &settings, sizeof(settings));
    buffer_release(&out);
    assert_int_equal(read_json(&settings, "{\"port\":null}", true, &err), ERR_OK); /* null is absent */
    assert_int_equal(settings.port, 99);
    assert_int_equal(read_json(&settings, "{\"port\":7,\"league\":\"E0\"}", false, &err), ERR_OK);
    assert_int_equal(settings.port, 7);
}

static void test_json_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *json, *field, *text;
    } bad[] = {
        {"{\"port\":7,\"league\":\"E0\"}", "league",
         "member 'league' is unknown; remove it or correct its name"},
        {"{\"port\":7,\"data-dir\":\"E0\"}", "data-dir", NULL},
        {"{\"verbose\":true,\"port\":0}", "port", "option 'port' must be an integer in 1..65535, not '0'"},
        {"{\"verbose\":true,\"port\":\"80\"}", "port", NULL},
        {"{\"verbose\":true,\"port\":80.0}", "port", NULL},
        {"{\"port\":1,\"verbose\":1}", "verbose", NULL},
        {"{\"port\":1,\"verbose\":\"true\"}", "verbose", NULL},
        {"{\"port\":1,\"share\":2}", "share", NULL},
        {"{\"port\":1,\"share\":\"0.5\"}", "share", NULL},
        {"{\"port\":1,\"mode\":1}", "mode", "option 'mode' must be one of fast, exact, slow, not '1'"},
        {"{\"port\":1,\"mode\":\"odd\"}", "mode", NULL},
        {"{\"port\":1,\"since\":20200101}", "since", NULL},
        {"{\"port\":1,\"data_dir\":{\"a\":[1]}}", "data_dir", NULL},
        {"{\"port\":1,\"data_dir\":\"12345678901234567890123456789012\"}", "data_dir", NULL},
    };
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct settings settings = defaults();
        struct settings before = defaults();
        struct err err;
        assert_int_equal(read_json(&settings, bad[index].json, true, &err), ERR_INVALID);
        assert_string_equal(err.field, bad[index].field);
        if (bad[index].text)
            assert_string_equal(err.text, bad[index].text);
        assert_memory_equal(&settings, &before, sizeof(settings));
    }
    struct settings settings = defaults();
    struct err err;
    assert_int_equal(read_json(&settings, "[]", false, &err), ERR_INVALID);
}

enum { MOST_POSITIONALS = 2 };

struct parsed {
    struct settings settings;
    struct extra extra;
    const char *positionals[MOST_POSITIONALS];
    size_t count;
    struct err err;
};

static enum err_code read_flags(struct parsed *parsed, const char *const *arguments)
{
    const struct option_table *const tables[] = {&table, &extra_table};
    void *const targets[] = {&parsed->settings, &parsed->extra};
    char memory[16][64];
    char *argv[16];
    int argc = 0;
    for (; arguments[argc]; argc++) {
        (void)snprintf(memory[argc], sizeof(memory[argc]), "%s", arguments[argc]);
        argv[argc] = memory[argc];
    }
    enum err_code code = option_read_flags(tables, targets, 2, argc, argv, parsed->positionals,
                                           MOST_POSITIONALS, &parsed->count, &parsed->err);
    for (size_t index = 0; index < parsed->count;
         index++) /* point at the caller's texts, memory[] ends here */
        for (int at = 0; at < argc; at++)
            if (parsed->positionals[index] == argv[at])
                parsed->positionals[index] = arguments[at];
    return code;
}

static void parsed_init(struct parsed *parsed)
{
    memset(parsed, 0, sizeof(*parsed));
    option_defaults(&table, &parsed->settings);
    option_defaults(&extra_table, &parsed->extra);
}

#define ARGUMENTS(...)                                                                                       \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

static void test_flags(void **state)
{
    (void)state;
    struct parsed parsed;
    parsed_init(&parsed);
    assert_int_equal(
        read_flags(&parsed, ARGUMENTS("E0.csv", "--port", "81", "--data-dir=/a=b", "--verbose", "--no-quiet",
                                      "--trees", "7", "--share=1", "--since=", "-5")),
        ERR_OK);
    assert_int_equal(parsed.settings.port, 81);
    assert_string_equal(parsed.settings.data_dir, "/a=b");
    assert_true(parsed.settings.verbose);
    assert_false(parsed.extra.quiet);
    assert_int_equal(parsed.extra.trees, 7);
    assert_int_equal(parsed.count, 2);
    assert_string_equal(parsed.positionals[0], "E0.csv");
    assert_string_equal(parsed.positionals[1], "-5");
    parsed_init(&parsed);
    assert_int_equal(read_flags(&parsed, ARGUMENTS("--port=1", "--port=2", "--", "--verbose", "-x")), ERR_OK);
    assert_int_equal(parsed.settings.port, 2); /* the last one counts */
    assert_false(parsed.settings.verbose);
    assert_string_equal(parsed.positionals[0], "--verbose");
    assert_string_equal(parsed.positionals[1], "-x");
    parsed_init(&parsed);
    assert_int_equal(
        read_flags(&parsed, ARGUMENTS("--verbose", "true", "--quiet=false", "--data_dir", "-", "-")), ERR_OK);
    assert_string_equal(parsed.positionals[0], "true"); /* a boolean flag takes no argument */
    assert_string_equal(parsed.positionals[1], "-");
    assert_string_equal(parsed.settings.data_dir, "-");
    assert_false(parsed.extra.quiet);
    assert_int_equal(read_flags(&parsed, (const char *const[]){NULL}), ERR_OK);
    assert_int_equal(parsed.count, 0);
}

static void assert_flags_refused(const char *const *arguments, const char *text)
{
    struct parsed parsed, before;
    parsed_init(&parsed);
    parsed_init(&before);
    assert_int_equal(read_flags(&parsed, arguments), ERR_INVALID);
    assert_string_equal(parsed.err.text, text);
    assert_memory_equal(&parsed.settings, &before.settings, sizeof(parsed.settings));
    assert_memory_equal(&parsed.extra, &before.extra, sizeof(parsed.extra));
    assert_int_equal(parsed.count, 0);
}

static void test_flags_refuse(void **state)
{
    (void)state;
    assert_flags_refused(ARGUMENTS("--port", "81", "--prt", "9"),
                         "flag '--prt' does not exist; --help lists them");
    assert_flags_refused(ARGUMENTS("--prt=9"), "flag '--prt=9' does not exist; --help lists them");
    assert_flags_refused(ARGUMENTS("--verbose", "--port"), "flag '--port' needs a value");
    assert_flags_refused(
        ARGUMENTS("--data-dir", "--verbose"),
        "flag '--data-dir' needs a value, not '--verbose' (write '--data-dir=--verbose' if that is "
        "meant)");
    assert_flags_refused(ARGUMENTS("--verbose", "--port", "x"),
                         "cannot use flag '--port': option 'port' must be an integer in 1..65535, not 'x'");
    assert_flags_refused(
        ARGUMENTS("--verbose=maybe"),
        "cannot use flag '--verbose=maybe': option 'verbose' must be true or false, not 'maybe'");
    assert_flags_refused(ARGUMENTS("--no-port"), "flag '--no-port' does not exist; --help lists them");
    assert_flags_refused(ARGUMENTS("--no-verbose=1"),
                         "flag '--no-verbose=1' does not exist; --help lists them");
    assert_flags_refused(ARGUMENTS("--no-"), "flag '--no-' does not exist; --help lists them");
    assert_flags_refused(ARGUMENTS("--=1"), "flag '--=1' does not exist; --help lists them");
    assert_flags_refused(ARGUMENTS("-v"), "flag '-v' does not exist; flags begin with '--'");
    assert_flags_refused(ARGUMENTS("--port=2", "a", "b", "c"), "argument 'c' is not expected (at most 2)");
}

static void test_precedence(void **state)
{
    (void)state;
    struct parsed parsed;
    struct err err;
    parsed_init(&parsed);
    memset(environment, 0, sizeof(environment));
    environment[0][0] = "ALMANAC_PORT";
    environment[0][1] = "2";
    environment[1][0] = "ALMANAC_SHARE";
    environment[1][1] = "0.2";
    assert_int_equal(option_read_ini(&table, &parsed.settings, "port=1\nshare=0.1\ndata_dir=/1\n", "f", &err),
                     ERR_OK);
    assert_int_equal(option_read_environment(&table, &parsed.settings, fake_get, &err), ERR_OK);
    assert_int_equal(read_flags(&parsed, ARGUMENTS("--port", "3")), ERR_OK);
    assert_int_equal(parsed.settings.port, 3);           /* flag over environment */
    assert_true(parsed.settings.share == 0.2);           /* environment over file */
    assert_string_equal(parsed.settings.data_dir, "/1"); /* file over default */
    assert_int_equal(parsed.settings.mode, 1);           /* default */
}

static void test_printing(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 16);
    option_write_help(&table, &out);
    assert_string_equal(buffer_text(&out),
                        "  --verbose                 Say more. [default false]\n"
                        "  --port <integer>          TCP port to listen on. [1..65535; default 5050]\n"
                        "  --share <number>          Fraction of Kelly | cap. [of bank; 0..1; default 0.25]\n"
                        "  --data-dir <text>         Where things lie. [default almanac-data]\n"
                        "  --since <date>            First day.\n"
                        "  --mode <choice>           How to count. [fast|exact|slow; default exact]\n");
    buffer_clear(&out);
    option_write_markdown(&extra_table, &out);
    assert_non_null(strstr(buffer_text(&out),
                           "| `--trees` | `trees` | `ALMANAC_TREES` | integer | trees | at least 1 | "
                           "200 | Number of trees. |\n"));
    buffer_clear(&out);
    option_write_markdown(&table, &out);
    assert_non_null(strstr(buffer_text(&out), "| fast\\|exact\\|slow |"));
    assert_non_null(strstr(buffer_text(&out), "Fraction of Kelly \\| cap. |\n"));
    size_t cells = 0; /* every line has the same number of cells */
    for (const char *line = buffer_text(&out); *line; line = strchr(line, '\n') + 1) {
        size_t bars = 0;
        for (const char *at = line; *at != '\n'; at++)
            bars += *at == '|' && (at == line || at[-1] != '\\');
        assert_true(cells == 0 || bars == cells);
        cells = bars;
    }
    buffer_release(&out);
}

/* What is on says how to turn it off; a whole number is written in full. */
static void test_help_of_a_flag_that_is_on(void **state)
{
    (void)state;
    static const struct option_row on_rows[] = {
        {"drop_one", OPTION_BOOL, 0, sizeof(bool), "", 0, 0, "true", "Walk."},
        {"seed", OPTION_INT, 8, sizeof(int64_t), "", 0, 9007199254740991.0, "7", "Same bytes."},
        {"share", OPTION_REAL, 16, sizeof(double), "", 0.1, 0.9, "0.3", "Part."},
    };
    static const struct option_table on_table = {"x", on_rows, 3};
    struct buffer out;
    buffer_init(&out, 1 << 16);
    option_write_help(&on_table, &out);
    assert_string_equal(buffer_text(&out),
                        "  --drop-one                Walk. [default true; off: --no-drop-one]\n"
                        "  --seed <integer>          Same bytes. [0..9007199254740991; default 7]\n"
                        "  --share <number>          Part. [0.1..0.9; default 0.3]\n");
    buffer_release(&out);
}

static void test_help_wraps(void **state)
{
    (void)state;
    static const struct option_row long_row = {"a_name_that_is_longer_than_its_column",
                                               OPTION_BOOL,
                                               0,
                                               sizeof(bool),
                                               "",
                                               0,
                                               0,
                                               "false",
                                               "A sentence of many words that goes on beyond the hundredth "
                                               "column of any terminal that a person would use."};
    static const struct option_table long_table = {"x", &long_row, 1};
    struct buffer out;
    buffer_init(&out, 1 << 16);
    option_write_help(&long_table, &out);
    int lines = 0;
    for (const char *line = buffer_text(&out); *line; line = strchr(line, '\n') + 1, lines++) {
        assert_true(strchr(line, '\n') - line <= 100);
        if (lines > 0)
            assert_memory_equal(line, "                            ", 28);
    }
    assert_int_equal(lines, 3);
    buffer_release(&out);
    buffer_init(&out, 30);
    option_write_help(&long_table, &out);
    assert_int_equal(buffer_check(&out, "help", NULL), ERR_TOO_LARGE);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_set_refuses),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_ini),
        cmocka_unit_test(test_ini_refuses),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_refuses),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_flags_refuse),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_printing),
        cmocka_unit_test(test_help_of_a_flag_that_is_on),
        cmocka_unit_test(test_help_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
