/* Text views and strict, locale-free parsing. A view does not own its bytes and is not zero-terminated. */
#ifndef ALMANAC_BASE_TEXT_H
#define ALMANAC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    const char *data;
    size_t size_bytes;
};

struct text text_of(const char *zero_terminated);
struct text text_trim(struct text text); /* ASCII space, tab, CR, LF, and UTF-8 no-break space at both ends */
bool text_equal(struct text text, const char *zero_terminated);
bool text_equal_nocase(struct text text, const char *zero_terminated); /* ASCII case only */
bool text_starts(struct text text, const char *prefix);
bool text_is_blank(struct text text);
/* The whole view must be a number; no locale, no hex, no "inf"/"nan". False leaves *out alone. */
bool text_parse_i64(struct text text, int64_t *out);
bool text_parse_f64(struct text text, double *out); /* correctly rounded; fast path for short decimals */
/* Takes the part before the first `separator` off the front; false when *rest was empty and done
 * (data NULL): "a," has two parts and "" has one. */
bool text_split(struct text *rest, char separator, struct text *part);
bool text_is_utf8(struct text text);
/* Writes text as UTF-8, reading bytes that are not valid UTF-8 as Windows-1252. `out` holds up to 3 bytes per
 * input byte; returns the bytes written. */
size_t text_cp1252_to_utf8(struct text text, char *out);
/* Copies into a fixed buffer, cutting; always terminates. Returns false when cut. */
bool text_copy(struct text text, char *out, size_t out_bytes);

#endif
