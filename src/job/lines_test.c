/* The same lines whatever the pieces, and what is too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job/lines.h"

#include <string.h>

static void on_line(void *context, const char *text, size_t size_bytes)
{
    struct buffer *heard = context;

    buffer_append_char(heard, '<');
    buffer_append(heard, text, size_bytes);
    buffer_append_char(heard, '>');
}

static void check(size_t max_bytes, bool breaks_long, const char *input, size_t piece, const char *expected)
{
    struct lines lines;
    struct buffer heard;
    size_t left = strlen(input);

    buffer_init(&heard, 4096);
    lines_init(&lines, max_bytes, breaks_long, on_line, &heard);
    for (const char *at = input; left > 0;) {
        size_t taken = piece < left ? piece : left;
        lines_feed(&lines, at, taken);
        at += taken;
        left -= taken;
    }
    lines_end(&lines);
    assert_string_equal(buffer_text(&heard), expected);
    lines_release(&lines);
    buffer_release(&heard);
}

static void test_pieces_do_not_matter(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 30; piece++) {
        check(100, false, "one\n\nthree\nfour", piece, "<one><><three><four>");
        check(100, true, "one\n\nthree\nfour\n", piece, "<one><><three><four>");
        check(4, true, "abcdefghij\nkl\n", piece, "<abcd><efgh><ij><kl>");
        check(4, true, "abcd\nef", piece, "<abcd><ef>");
        check(4, false, "abcd\nef\n", piece, "<abcd><ef>");
    }
    check(10, true, "", 1, "");
}

static void test_too_long_is_sticky(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 30; piece++) {
        struct lines lines;
        struct buffer heard;
        const char input[] = "ab\nabcde\nab\n";
        buffer_init(&heard, 4096);
        lines_init(&lines, 4, false, on_line, &heard);
        for (size_t at = 0; at < sizeof input - 1; at += piece)
            lines_feed(&lines, input + at, at + piece < sizeof input - 1 ? piece : sizeof input - 1 - at);
        lines_end(&lines);
        assert_true(lines.is_too_long);
        assert_string_equal(buffer_text(&heard), "<ab>");
        lines_release(&lines);
        buffer_release(&heard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_do_not_matter),
        cmocka_unit_test(test_too_long_is_sticky),
    };

    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
