/* JSON: strict reading (jansson behind it) and a streaming writer into a buffer.
 *
 * Reading refuses: bad UTF-8, NaN, trailing data, duplicate keys, depth beyond LIMIT_JSON_DEPTH. Integers are
 * exact int64. Errors name line and column. Getters check type and presence and name the field in struct err.
 * The writer keeps commas itself; doubles are written with 17 significant digits at most, shortest that reads
 * back; non-finite doubles become null. Threads: values and writers belong to one thread. */
#ifndef ALMANAC_BASE_JSON_H
#define ALMANAC_BASE_JSON_H

#include "base/buffer.h"
#include "base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Parses exactly one value. *out is released with json_decref. */
enum err_code json_read(const char *data, size_t size_bytes, json_t **out, struct err *err) CHECKED;

/* Typed members of an object. Missing or null: *out keeps its value and the result is ERR_OK when `required`
 * is false, ERR_INVALID otherwise. Wrong type: ERR_INVALID always. Strings are borrowed from the object. */
enum err_code json_take_text(const json_t *object, const char *key, bool required, const char **out,
                             struct err *err) CHECKED;
enum err_code json_take_i64(const json_t *object, const char *key, bool required, int64_t *out,
                            struct err *err) CHECKED;
enum err_code json_take_f64(const json_t *object, const char *key, bool required, double *out,
                            struct err *err) CHECKED;
enum err_code json_take_bool(const json_t *object, const char *key, bool required, bool *out,
                             struct err *err) CHECKED;
/* ERR_INVALID naming the first member of `object` that is not in the NULL-terminated list. */
enum err_code json_refuse_unknown(const json_t *object, const char *const *known, struct err *err) CHECKED;

enum { JSON_WRITER_DEPTH = 32 };
struct json_writer {
    struct buffer *out;
    unsigned depth;
    bool has_items[JSON_WRITER_DEPTH];
    bool after_key;
};

void json_writer_init(struct json_writer *writer, struct buffer *out);
void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);
void json_put_text(struct json_writer *writer,
                   const char *text); /* NULL becomes null; bad UTF-8 becomes U+FFFD */
void json_put_i64(struct json_writer *writer, int64_t value);
void json_put_f64(struct json_writer *writer, double value);
void json_put_bool(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);
void json_put_raw(struct json_writer *writer, const char *json, size_t size_bytes); /* already JSON */
void json_put_value(struct json_writer *writer, const json_t *value);
/* key and value in one call */
void json_field_text(struct json_writer *writer, const char *key, const char *text);
void json_field_i64(struct json_writer *writer, const char *key, int64_t value);
void json_field_f64(struct json_writer *writer, const char *key, double value);
void json_field_bool(struct json_writer *writer, const char *key, bool value);
void json_field_null(struct json_writer *writer, const char *key);
void json_field_text_or_null(struct json_writer *writer, const char *key,
                             const char *text);                              /* "" becomes null */
void json_field_id(struct json_writer *writer, const char *key, int64_t id); /* 0 (of nothing) becomes null */
/* UTC, ISO 8601; TIME_NONE becomes null. */
void json_field_time(struct json_writer *writer, const char *key, int64_t time_us);
/* A duration in seconds; TIME_NONE becomes null. */
void json_field_seconds(struct json_writer *writer, const char *key, int64_t duration_us);

#endif
