/* The CSV reader: RFC 4180, the dirt of real files, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "limits.h"
#include "source/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* All lines joined as "a|b/c|d/", or "!" and the error. */
static void read_all(const char *data, size_t size_bytes, char separator, char *out, size_t out_bytes)
{
    struct csv_reader *reader;
    struct err err = {0};
    const struct text *fields;
    size_t count, used = 0;
    bool at_end;

    out[0] = '\0';
    assert_int_equal(csv_open(data, size_bytes, separator, "t.csv", &reader, &err), ERR_OK);
    for (;;) {
        if (csv_next(reader, &fields, &count, &at_end, &err) != ERR_OK) {
            snprintf(out + used, out_bytes - used, "!%s", err.text);
            break;
        }
        if (at_end)
            break;
        for (size_t index = 0; index < count; index++)
            used += (size_t)snprintf(out + used, out_bytes - used, "%s%.*s", index == 0 ? "" : "|",
                                     (int)fields[index].size_bytes, fields[index].data);
        used += (size_t)snprintf(out + used, out_bytes - used, "/");
        assert_true(used < out_bytes);
    }
    csv_close(reader);
}

static void expect(const char *input, const char *wanted)
{
    char got[4096];

    /* an exact copy on the heap: a read behind the end is a fault under the sanitizer */
    size_t size_bytes = strlen(input);
    char *data = malloc(size_bytes + 1);
    memcpy(data, input, size_bytes);
    char *exact = realloc(data, size_bytes == 0 ? 1 : size_bytes);
    read_all(exact, size_bytes, ',', got, sizeof got);
    free(exact);
    assert_string_equal(got, wanted);
}

static void lines_and_fields(void **state)
{
    (void)state;
    expect("", "");
    expect("a", "a/");
    expect("a,b\nc,d\n", "a|b/c|d/");
    expect("a,b\r\nc,d\r\n", "a|b/c|d/");
    expect("a,b\rc,d\r", "a|b/c|d/");
    expect("a,b\nc,d", "a|b/c|d/");
    expect(",\n", "|/");
    expect("a,", "a|/");
    expect("\n\na\n", "//a/");
    expect("\r\n", "/");
}

static void quotes(void **state)
{
    (void)state;
    expect("\"a,b\",c\n", "a,b|c/");
    expect("\"a \"\"b\"\"\",\"\"\n", "a \"b\"|/");
    expect("\"a\nb\",c\nd\n", "a\nb|c/d/");
    expect("\"a\"x,b\n", "ax|b/"); /* text behind the quote is kept */
    expect("a\"b,c\n", "a\"b|c/"); /* a quote inside is a quote */
    expect("\"Dean, M. L\"", "Dean, M. L/");
    expect("a\nb,\"c", "a/!cannot read 't.csv' line 2: a quote is not closed");
}

static void encodings(void **state)
{
    (void)state;
    expect("\xEF\xBB\xBF"
           "Div,Date\n",
           "Div|Date/");
    expect("King\x92s Lynn,M\xFCnchen\n", "King\xE2\x80\x99s Lynn|M\xC3\xBCnchen/");
    expect("M\xC3\xBCnchen,x\n", "M\xC3\xBCnchen|x/");
    expect("\"\x92,\"\"\",\x92\n", "\xE2\x80\x99,\"|\xE2\x80\x99/");
}

static void recoding_and_lines_are_told(void **state)
{
    static const char data[] = "\xEF\xBB\xBF"
                               "a\n\x92\n\"x\r\ny\nz\"\nb\n";
    static const size_t lines[] = {1, 2, 3, 6};
    struct csv_reader *reader;
    const struct text *fields;
    size_t count;
    bool at_end;

    (void)state;
    assert_int_equal(csv_open(data, sizeof data - 1, ',', "t", &reader, NULL), ERR_OK);
    assert_true(csv_had_byte_order_mark(reader));
    for (size_t index = 0; index < 4; index++) {
        assert_int_equal(csv_next(reader, &fields, &count, &at_end, NULL), ERR_OK);
        assert_false(at_end);
        assert_int_equal(csv_line(reader), lines[index]);
        assert_int_equal(csv_was_recoded(reader), index == 1);
    }
    assert_int_equal(csv_next(reader, &fields, &count, &at_end, NULL), ERR_OK);
    assert_true(at_end);
    csv_close(reader);
}

static void other_separator(void **state)
{
    char got[256];

    (void)state;
    read_all("a,b;c\n", 6, ';', got, sizeof got);
    assert_string_equal(got, "a,b|c/");
}

static void zero_bytes_are_refused(void **state)
{
    char got[256];

    (void)state;
    read_all("a,b\nc\0d\n", 8, ',', got, sizeof got);
    assert_string_equal(got, "a|b/!cannot read 't.csv' line 2: a zero byte; this is not a text file");
    read_all("\"a\0\"\n", 5, ',', got, sizeof got);
    assert_string_equal(got, "!cannot read 't.csv' line 1: a zero byte; this is not a text file");
}

/* A line of `length` bytes and what follows it. */
static enum err_code read_long(size_t length, char fill, const char *tail, struct err *err)
{
    struct csv_reader *reader;
    const struct text *fields;
    size_t count;
    bool at_end;
    char *data = malloc(length + strlen(tail));

    memset(data, fill, length);
    memcpy(data + length, tail, strlen(tail));
    assert_int_equal(csv_open(data, length + strlen(tail), ',', "t", &reader, err), ERR_OK);
    enum err_code code = csv_next(reader, &fields, &count, &at_end, err);
    csv_close(reader);
    free(data);
    return code;
}

static void long_lines_are_refused(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(read_long(LIMIT_CSV_LINE_BYTES, 'x', "\nb\n", &err), ERR_OK);
    assert_int_equal(read_long(LIMIT_CSV_LINE_BYTES, 'x', "", &err), ERR_OK);
    assert_int_equal(read_long(LIMIT_CSV_LINE_BYTES + 1, 'x', "\nb\n", &err), ERR_TOO_LARGE);
    assert_int_equal(read_long(LIMIT_CSV_LINE_BYTES + 2, 'x', "", &err), ERR_TOO_LARGE);
    assert_int_equal(read_long(LIMIT_CSV_LINE_BYTES, '"', "\nb\n", &err),
                     ERR_OK); /* escaped quotes all along */
    assert_int_equal(read_long(LIMIT_CSV_LINE_BYTES + 2, '"', "b\n", &err), ERR_TOO_LARGE);
    assert_int_equal(read_long(LIMIT_CSV_LINE_BYTES, '\xFF', "\n", &err),
                     ERR_OK); /* threefold when recoded */
    assert_int_equal(read_long(LIMIT_CSV_FIELDS, ',', "\n", &err), ERR_TOO_LARGE);
    assert_non_null(strstr(err.text, "line 1: more than 4096 fields"));
    assert_int_equal(read_long(LIMIT_CSV_FIELDS - 1, ',', "\n", &err), ERR_OK);
}

/* 2 GB without a line end: only the first megabyte may be touched, so most of it is not readable at all. */
static void gigabytes_without_line_end_are_not_read(void **state)
{
    size_t size_bytes = (size_t)2 << 30, readable = 2 * LIMIT_CSV_LINE_BYTES;
    struct csv_reader *reader;
    struct err err;
    const struct text *fields;
    size_t count;
    bool at_end;

    (void)state;
    char *data = mmap(NULL, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    assert_int_equal(mprotect(data, readable, PROT_READ | PROT_WRITE), 0);
    memset(data, 'x', readable);
    assert_int_equal(csv_open(data, size_bytes, ',', "t", &reader, &err), ERR_OK);
    assert_int_equal(csv_next(reader, &fields, &count, &at_end, &err), ERR_TOO_LARGE);
    assert_string_equal(err.text, "cannot read 't' line 1: longer than 1048576 bytes");
    csv_close(reader);
    munmap(data, size_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_fields),
        cmocka_unit_test(quotes),
        cmocka_unit_test(encodings),
        cmocka_unit_test(recoding_and_lines_are_told),
        cmocka_unit_test(other_separator),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(long_lines_are_refused),
        cmocka_unit_test(gigabytes_without_line_end_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
