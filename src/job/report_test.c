/* The sentence of progress and its pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job/report.h"

#include <stdio.h>
#include <string.h>

static void check_line(const char *phase, size_t done, size_t total, int64_t elapsed_us, const char *expected)
{
    char line[REPORT_LINE_BYTES];

    report_format_progress(phase, done, total, elapsed_us, line);
    assert_string_equal(line, expected);
}

static void test_sentence(void **state)
{
    (void)state;
    check_line("building features", 240000, 480000, 2000000, "building features: 240000/480000 (50%) eta 2s");
    check_line("building features", 480000, 480000, 4000000,
               "building features: 480000/480000 (100%) eta 0s");
    check_line("building features", 0, 480000, 4000000, "building features: 0/480000 (0%)");
    check_line("x", 1, 3, 1000000, "x: 1/3 (33%) eta 2s");
    check_line("x", 2, 3, 1, "x: 2/3 (66%) eta 1s"); /* a rest is never 0 s */
    check_line("x", 29, 100, 0, "x: 29/100 (29%) eta 0s");
    check_line("x", 1, 120, 1000000, "x: 1/120 (0%) eta 119s");
    check_line("x", 1, 121, 1000000, "x: 1/121 (0%) eta 2m00s");
    check_line("x", 1, 3600, 1000000, "x: 1/3600 (0%) eta 59m59s");
    check_line("x", 1, 7501, 1000000, "x: 1/7501 (0%) eta 2h05m");
    check_line("x", 999, 1000, 999000, "x: 999/1000 (99%) eta 1s"); /* not 100 before the end */
    check_line("x", 5, 3, 1000000, "x: 5/3 (100%) eta 0s");
    check_line("reading", 12, 0, 1000000, "reading: 12");
    check_line("judging", 0, 0, 1000000, "judging");
}

static void test_sentence_never_overflows(void **state)
{
    char phase[300], line[REPORT_LINE_BYTES];

    (void)state;
    memset(phase, 'p', sizeof phase - 1);
    phase[sizeof phase - 1] = '\0';
    report_format_progress(phase, 1, SIZE_MAX, INT64_MAX, line);
    assert_true(strlen(line) < REPORT_LINE_BYTES);
    assert_int_equal(strspn(line, "p"), REPORT_PHASE_BYTES - 1);
    assert_non_null(strstr(line, " eta "));
}

static void test_pace(void **state)
{
    struct report_pace pace;
    char line[REPORT_LINE_BYTES];

    (void)state;
    report_pace_init(&pace, 200000);
    assert_true(report_pace_step(&pace, "a", 0, 100, 1000000));  /* the first at once */
    assert_false(report_pace_step(&pace, "a", 0, 100, 9000000)); /* no news */
    assert_false(report_pace_step(&pace, "a", 1, 100, 1199999));
    assert_true(pace.has_news);
    assert_true(report_pace_step(&pace, "a", 2, 100, 1200000));
    assert_false(pace.has_news);
    report_pace_format(&pace, 1200000, line);
    assert_string_equal(line, "a: 2/100 (2%) eta 10s");
    assert_true(report_pace_step(&pace, "a", 100, 100, 1200001)); /* the last always */
    assert_false(report_pace_step(&pace, "a", 100, 100, 5000000));
    assert_false(report_pace_step(&pace, "b", 0, 0, 1200002)); /* a new phase keeps to the pace */
    assert_true(pace.has_news);
    assert_true(report_pace_step(&pace, "b", 0, 0, 1500000)); /* what was not shown is news */
}

static void test_pace_begins_eta_with_the_phase(void **state)
{
    struct report_pace pace;
    char line[REPORT_LINE_BYTES];

    (void)state;
    report_pace_init(&pace, 1);
    (void)report_pace_step(&pace, "a", 5, 10, 0);
    (void)report_pace_step(&pace, "b", 0, 10, 60000000);
    (void)report_pace_step(&pace, "b", 5, 10, 65000000);
    report_pace_format(&pace, 65000000, line);
    assert_string_equal(line, "b: 5/10 (50%) eta 5s");
    (void)report_pace_step(&pace, "b", 0, 10, 70000000); /* the same phase once more */
    (void)report_pace_step(&pace, "b", 1, 10, 71000000);
    report_pace_format(&pace, 71000000, line);
    assert_string_equal(line, "b: 1/10 (10%) eta 9s");
}

struct heard {
    char text[256];
    size_t count;
};

static void on_log(void *context, const char *line)
{
    struct heard *heard = context;

    (void)snprintf(heard->text, sizeof heard->text, "%s", line);
    heard->count++;
}

static void test_nobody_listens(void **state)
{
    static const struct reporter silent = {0};
    struct heard heard = {0};
    struct reporter reporter = {.log = on_log, .context = &heard};

    (void)state;
    report_progress(NULL, "a", 1, 2);
    report_metric(&silent, "a", 1, 2);
    report_log(&silent, "%d", 1);
    assert_false(report_is_stopped(NULL));
    assert_false(report_is_stopped(&silent));
    report_progress(&reporter, "a", 1, 2);
    report_log(&reporter, "%s %d", "line", 7);
    assert_string_equal(heard.text, "line 7");
    assert_int_equal(heard.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentence),       cmocka_unit_test(test_sentence_never_overflows),
        cmocka_unit_test(test_pace),           cmocka_unit_test(test_pace_begins_eta_with_the_phase),
        cmocka_unit_test(test_nobody_listens),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
