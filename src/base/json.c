/* JSON reading: see json.h; the writer is in json_write.c.
 *
 * jansson is strict about everything but depth (it allows 2048, a stack of frames for an attacker), so the
 * depth is counted in a pass over the bytes before parsing; the pass also knows where the error is. */
#include "base/json.h"
#include "limits.h"
#include <assert.h>
#include <string.h>

/* Where the nesting first exceeds the limit; SIZE_MAX when it does not. Brackets inside strings do not count.
 * On malformed input the count may be off: the parser refuses that anyway. */
static size_t json_too_deep_at(const char *data, size_t size_bytes)
{
    unsigned depth = 0;
    bool is_inside_text = false;
    for (size_t index = 0; index < size_bytes; index++) {
        char byte = data[index];
        if (is_inside_text) {
            if (byte == '\\')
                index++;
            else if (byte == '"')
                is_inside_text = false;
        } else if (byte == '"')
            is_inside_text = true;
        else if (byte == '[' || byte == '{') {
            if (++depth > LIMIT_JSON_DEPTH)
                return index;
        } else if ((byte == ']' || byte == '}') && depth > 0)
            depth--;
    }
    return SIZE_MAX;
}

static void json_place(const char *data, size_t at, int *line, int *column)
{
    *line = 1;
    *column = 1;
    for (size_t index = 0; index < at; index++) {
        ++*column;
        if (data[index] == '\n') {
            ++*line;
            *column = 1;
        }
    }
}

static enum err_code json_refuse(const json_error_t *error, struct err *err)
{
    if (json_error_code(error) == json_error_out_of_memory)
        return err_set(err, ERR_NOMEM, "out of memory reading JSON");
    return err_set(err, ERR_INVALID, "malformed JSON at line %d column %d: %s", error->line, error->column,
                   error->text);
}

enum err_code json_read(const char *data, size_t size_bytes, json_t **out, struct err *err)
{
    *out = NULL;
    if (size_bytes == 0)
        return err_set(err, ERR_INVALID, "malformed JSON at line 1 column 1: empty");
    if (size_bytes > LIMIT_JSON_BYTES)
        return err_set(err, ERR_TOO_LARGE, "JSON of %zu bytes is larger than %lld", size_bytes,
                       (long long)LIMIT_JSON_BYTES);
    size_t deep_at = json_too_deep_at(data, size_bytes);
    if (deep_at != SIZE_MAX) {
        int line, column;
        json_place(data, deep_at, &line, &column);
        return err_set(err, ERR_INVALID, "malformed JSON at line %d column %d: nested deeper than %d", line,
                       column, LIMIT_JSON_DEPTH);
    }
    json_error_t error;
    *out = json_loadb(data, size_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    return *out ? ERR_OK : json_refuse(&error, err);
}

static const char *json_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    default:
        return "null";
    }
}

/* The member, or NULL with ERR_OK when it is absent and may be. */
static enum err_code json_take(const json_t *object, const char *key, bool required, const json_t **out,
                               struct err *err)
{
    *out = NULL;
    if (!json_is_object(object))
        return err_set_field(err, ERR_INVALID, key, "an object with member '%s' is expected, not %s", key,
                             object ? json_type_name(object) : "nothing");
    const json_t *value = json_object_get(object, key);
    if (value && !json_is_null(value)) {
        *out = value;
        return ERR_OK;
    }
    if (!required)
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, key, "member '%s' is %s", key, value ? "null" : "missing");
}

static enum err_code json_refuse_type(const json_t *value, const char *key, const char *wanted,
                                      struct err *err)
{
    return err_set_field(err, ERR_INVALID, key, "member '%s' must be %s, not %s", key, wanted,
                         json_type_name(value));
}

enum err_code json_take_text(const json_t *object, const char *key, bool required, const char **out,
                             struct err *err)
{
    const json_t *value;
    enum err_code code = json_take(object, key, required, &value, err);
    if (code || !value)
        return code;
    if (!json_is_string(value))
        return json_refuse_type(value, key, "text", err);
    *out = json_string_value(value);
    return ERR_OK;
}

enum err_code json_take_i64(const json_t *object, const char *key, bool required, int64_t *out,
                            struct err *err)
{
    const json_t *value;
    enum err_code code = json_take(object, key, required, &value, err);
    if (code || !value)
        return code;
    if (!json_is_integer(value))
        return json_refuse_type(value, key, "an integer", err);
    *out = json_integer_value(value);
    return ERR_OK;
}

enum err_code json_take_f64(const json_t *object, const char *key, bool required, double *out,
                            struct err *err)
{
    const json_t *value;
    enum err_code code = json_take(object, key, required, &value, err);
    if (code || !value)
        return code;
    if (!json_is_number(value))
        return json_refuse_type(value, key, "a number", err);
    *out = json_number_value(value);
    return ERR_OK;
}

enum err_code json_take_bool(const json_t *object, const char *key, bool required, bool *out, struct err *err)
{
    const json_t *value;
    enum err_code code = json_take(object, key, required, &value, err);
    if (code || !value)
        return code;
    if (!json_is_boolean(value))
        return json_refuse_type(value, key, "true or false", err);
    *out = json_is_true(value);
    return ERR_OK;
}

static bool json_is_known(const char *key, const char *const *known)
{
    for (; *known; known++)
        if (strcmp(key, *known) == 0)
            return true;
    return false;
}

enum err_code json_refuse_unknown(const json_t *object, const char *const *known, struct err *err)
{
    if (!json_is_object(object))
        return err_set(err, ERR_INVALID, "an object is expected, not %s",
                       object ? json_type_name(object) : "nothing");
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const char *key = json_object_iter_key(at);
        if (!json_is_known(key, known))
            return err_set_field(err, ERR_INVALID, key,
                                 "member '%s' is unknown; remove it or correct its name", key);
    }
    return ERR_OK;
}
