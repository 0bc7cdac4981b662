/* Errors: see err.h.
 *
 * One sentence is written where the cause is known, and outer functions may only put context in front. The
 * text is always formatted beside the struct first, because callers pass err->text itself as an argument
 * (err_set(err, code, "...: %s", err->text)). */
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    const char *name;
    const char *sentence;
    int http_status;
    int exit_code;
    int is_retryable;
};

static const struct err_row err_rows[ERR_ORDINAL_COUNT] = {
    {"OK", "Success.", 200, 0, 0},
#define ERR_CODE(name, http, exit, retryable, sentence) {#name, sentence, http, exit, retryable},
#include "base/err_list.h"
#undef ERR_CODE
};

static const struct err_row *err_row_of(enum err_code code)
{
    int ordinal = -(int)code;
    assert(ordinal >= 0 && ordinal < ERR_ORDINAL_COUNT);
    return &err_rows[ordinal];
}

/* Ends a text that did not fit with "...", never inside a UTF-8 sequence. */
static void err_mark_cut(char *text, size_t size_bytes)
{
    size_t end = size_bytes - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

static void err_format(char out[ERR_TEXT_BYTES], const char *format, va_list arguments)
{
    int length = vsnprintf(out, ERR_TEXT_BYTES, format, arguments);
    if (length < 0)
        out[0] = '\0';
    else if (length >= ERR_TEXT_BYTES)
        err_mark_cut(out, ERR_TEXT_BYTES);
}

/* out = first second, cut with "..." */
static void err_join(char out[ERR_TEXT_BYTES], const char *first, const char *second)
{
    size_t first_bytes = strlen(first);
    size_t second_bytes = strlen(second);
    size_t room = ERR_TEXT_BYTES - 1 - first_bytes;
    size_t taken = second_bytes < room ? second_bytes : room;
    char joined[ERR_TEXT_BYTES];
    memcpy(joined, first, first_bytes);
    memcpy(joined + first_bytes, second, taken);
    joined[first_bytes + taken] = '\0';
    if (taken < second_bytes)
        err_mark_cut(joined, ERR_TEXT_BYTES);
    memcpy(out, joined, first_bytes + taken + 1);
}

static void err_store(struct err *err, enum err_code code, const char *field, const char *text)
{
    char copy[ERR_FIELD_BYTES] = "";
    size_t field_bytes = strlen(field);
    if (field_bytes >= ERR_FIELD_BYTES) {
        memcpy(copy, field, ERR_FIELD_BYTES - 1);
        err_mark_cut(copy, ERR_FIELD_BYTES);
    } else
        memcpy(copy, field, field_bytes);
    memcpy(err->field, copy, ERR_FIELD_BYTES);
    err->code = code;
    size_t text_bytes = strlen(text);
    memcpy(err->text, text, text_bytes + 1);
}

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err)
        return code;
    char text[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    err_format(text, format, arguments);
    va_end(arguments);
    err_store(err, code, "", text);
    return code;
}

enum err_code err_set_field(struct err *err, enum err_code code, const char *field, const char *format, ...)
{
    if (!err)
        return code;
    char text[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    err_format(text, format, arguments);
    va_end(arguments);
    err_store(err, code, field, text);
    return code;
}

static enum err_code err_code_of_errno(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

enum err_code err_set_errno(struct err *err, int errno_value, const char *format, ...)
{
    enum err_code code = err_code_of_errno(errno_value);
    if (!err)
        return code;
    char text[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    err_format(text, format, arguments);
    va_end(arguments);
    char reason_memory[128];
    const char *reason =
        strerror_r(errno_value, reason_memory, sizeof(reason_memory)); /* GNU form: returns text */
    char tail[160];
    (void)snprintf(tail, sizeof(tail), ": %s", reason);
    err_join(text, text, tail);
    err_store(err, code, "", text);
    return code;
}

enum err_code err_prefix(struct err *err, const char *format, ...)
{
    if (!err)
        return ERR_INTERNAL; /* the code is lost without a struct: never answer "ok" for a failure */
    char text[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    err_format(text, format, arguments);
    va_end(arguments);
    err_join(text, text, ": ");
    err_join(err->text, text, err->text);
    return err->code;
}

enum err_code err_nomem(struct err *err, size_t size_bytes)
{
    return err_set(err, ERR_NOMEM, "out of memory (%zu bytes)", size_bytes);
}

/* The identifiers of the list are upper case; people read lower case. The list stays the one source, so the
 * letters are lowered once, on first use. */
static char err_lower_names[ERR_ORDINAL_COUNT][16];
static pthread_once_t err_lower_once = PTHREAD_ONCE_INIT;

static void err_lower(void)
{
    for (size_t ordinal = 0; ordinal < ERR_ORDINAL_COUNT; ordinal++) {
        const char *upper = err_rows[ordinal].name;
        assert(strlen(upper) < sizeof(err_lower_names[ordinal]));
        for (size_t index = 0; upper[index]; index++)
            err_lower_names[ordinal][index] =
                (char)(upper[index] >= 'A' && upper[index] <= 'Z' ? upper[index] + 32 : upper[index]);
    }
}

const char *err_name(enum err_code code)
{
    (void)err_row_of(code); /* asserts the range */
    (void)pthread_once(&err_lower_once, err_lower);
    return err_lower_names[-(int)code];
}

const char *err_sentence(enum err_code code)
{
    return err_row_of(code)->sentence;
}

int err_http_status(enum err_code code)
{
    return err_row_of(code)->http_status;
}

int err_exit_code(enum err_code code)
{
    return err_row_of(code)->exit_code;
}

int err_is_retryable(enum err_code code)
{
    return err_row_of(code)->is_retryable;
}
