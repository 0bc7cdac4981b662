/* Errors: a code, and one sentence written by the lowest function that knows the cause.
 *
 * Fallible functions return `enum err_code` (ERR_OK is 0, the rest negative) and take `struct err *` last.
 * The text is lower case, cause first, quotes its subject and says what to do:
 *     cannot read 'E0.csv' line 416: 133 fields, header has 132
 * Callers may put context in front (err_prefix). The pointer may be NULL where only the code matters.
 * Threads: a struct err belongs to one thread at a time. */
#ifndef ALMANAC_BASE_ERR_H
#define ALMANAC_BASE_ERR_H

#include <stddef.h>

#define CHECKED                          __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first) __attribute__((format(printf, format_index, first)))

enum err_ordinal {
    ERR_ORDINAL_OK,
#define ERR_CODE(name, http, exit, retryable, sentence) ERR_ORDINAL_##name,
#include "base/err_list.h"
#undef ERR_CODE
    ERR_ORDINAL_COUNT
};

enum err_code {
    ERR_OK = 0,
#define ERR_CODE(name, http, exit, retryable, sentence) ERR_##name = -ERR_ORDINAL_##name,
#include "base/err_list.h"
#undef ERR_CODE
};

enum { ERR_TEXT_BYTES = 1024, ERR_FIELD_BYTES = 64 };

struct err {
    enum err_code code;
    char text[ERR_TEXT_BYTES];   /* one sentence, zero-terminated, cut with "..." when too long */
    char field[ERR_FIELD_BYTES]; /* the input field at fault ("odds.home"), or "" */
};

/* Sets code and text, clears the field; returns `code`, so that `return err_set(...)` reads well. err may be
 * NULL. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same, naming the input field at fault. */
enum err_code err_set_field(struct err *err, enum err_code code, const char *field, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Like err_set with ": <strerror(errno_value)>" at the end; code is IO, NOT_FOUND (ENOENT) or NOMEM (ENOMEM).
 */
enum err_code err_set_errno(struct err *err, int errno_value, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts "context: " in front of the text; returns err->code (ERR_INTERNAL where err is NULL). */
enum err_code err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* "out of memory (N bytes)" with ERR_NOMEM. */
enum err_code err_nomem(struct err *err, size_t size_bytes);

const char *err_name(enum err_code code); /* "invalid", "not_found", ... lower case; "ok" for 0 */
const char *err_sentence(enum err_code code);
int err_http_status(enum err_code code); /* 200 for ERR_OK */
int err_exit_code(enum err_code code);   /* 0 for ERR_OK */
int err_is_retryable(enum err_code code);

#endif
