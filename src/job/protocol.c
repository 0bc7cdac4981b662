/* The worker protocol, both directions. Every message is an object with a "type"; one row per type says how its other
 * members are read. Unknown members are refused: both ends are the same program, so they can only be a mistake. */
#include "job/protocol.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const char *const kind_names[PROTOCOL_KIND_COUNT] = {
    [PROTOCOL_HELLO] = "hello", [PROTOCOL_PROGRESS] = "progress", [PROTOCOL_METRIC] = "metric",
    [PROTOCOL_LOG] = "log",     [PROTOCOL_RESULT] = "result",     [PROTOCOL_FAILED] = "failed",
};

const char *protocol_kind_name(enum protocol_kind kind)
{
    assert((unsigned)kind < PROTOCOL_KIND_COUNT);
    return kind_names[kind];
}

/* ---- writing ---- */

void protocol_write_request(struct buffer *out, const char *task, const char *options_json,
                            const char *data_dir, int64_t job, int64_t attempt)
{
    struct json_writer writer;

    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_field_text(&writer, "task", task);
    json_key(&writer, "options");
    json_put_raw(&writer, options_json, strlen(options_json));
    json_field_text(&writer, "data_dir", data_dir);
    json_field_i64(&writer, "job", job);
    json_field_i64(&writer, "attempt", attempt);
    json_end_object(&writer);
}

static void begin(struct json_writer *writer, struct buffer *out, enum protocol_kind kind)
{
    json_writer_init(writer, out);
    json_begin_object(writer);
    json_field_text(writer, "type", protocol_kind_name(kind));
}

static void end(struct json_writer *writer, struct buffer *out)
{
    json_end_object(writer);
    buffer_append_char(out, '\n');
}

void protocol_write_hello(struct buffer *out, int64_t pid)
{
    struct json_writer writer;

    begin(&writer, out, PROTOCOL_HELLO);
    json_field_i64(&writer, "version", PROTOCOL_VERSION);
    json_field_i64(&writer, "pid", pid);
    end(&writer, out);
}

void protocol_write_progress(struct buffer *out, const char *phase, size_t done, size_t total)
{
    struct json_writer writer;

    begin(&writer, out, PROTOCOL_PROGRESS);
    json_field_text(&writer, "phase", phase);
    json_field_i64(&writer, "done", (int64_t)done);
    json_field_i64(&writer, "total", (int64_t)total);
    end(&writer, out);
}

void protocol_write_metric(struct buffer *out, const char *name, double value, size_t step)
{
    struct json_writer writer;

    begin(&writer, out, PROTOCOL_METRIC);
    json_field_text(&writer, "name", name);
    json_field_f64(&writer, "value", value);
    json_field_i64(&writer, "step", (int64_t)step);
    end(&writer, out);
}

void protocol_write_log(struct buffer *out, const char *line)
{
    struct json_writer writer;

    begin(&writer, out, PROTOCOL_LOG);
    json_field_text(&writer, "line", line);
    end(&writer, out);
}

void protocol_write_result(struct buffer *out, const json_t *result)
{
    struct json_writer writer;

    begin(&writer, out, PROTOCOL_RESULT);
    json_key(&writer, "result");
    json_put_value(&writer, result);
    end(&writer, out);
}

void protocol_write_failed(struct buffer *out, enum err_code code, const char *message, const char *field)
{
    struct json_writer writer;

    begin(&writer, out, PROTOCOL_FAILED);
    json_field_text(&writer, "code", err_name(code));
    json_field_text(&writer, "message", message);
    json_field_text(&writer, "field", field);
    end(&writer, out);
}

/* ---- reading ---- */

/* Numbers that count something. */
static enum err_code take_count(const json_t *root, const char *key, int64_t *out, struct err *err)
{
    enum err_code code = json_take_i64(root, key, true, out, err);

    if (code == ERR_OK && *out < 0)
        code = err_set_field(err, ERR_INVALID, key, "'%s' is negative", key);
    return code;
}

static enum err_code read_hello(const json_t *root, struct protocol_message *out, struct err *err)
{
    static const char *const known[] = {"type", "version", "pid", NULL};

    enum err_code code = json_refuse_unknown(root, known, err);
    if (code == ERR_OK)
        code = take_count(root, "version", &out->version, err);
    if (code == ERR_OK)
        code = take_count(root, "pid", &out->pid, err);
    return code;
}

static enum err_code read_progress(const json_t *root, struct protocol_message *out, struct err *err)
{
    static const char *const known[] = {"type", "phase", "done", "total", NULL};

    enum err_code code = json_refuse_unknown(root, known, err);
    if (code == ERR_OK)
        code = json_take_text(root, "phase", true, &out->text, err);
    if (code == ERR_OK)
        code = take_count(root, "done", &out->done, err);
    if (code == ERR_OK)
        code = take_count(root, "total", &out->total, err);
    return code;
}

static enum err_code read_metric(const json_t *root, struct protocol_message *out, struct err *err)
{
    static const char *const known[] = {"type", "name", "value", "step", NULL};

    out->value = NAN;
    enum err_code code = json_refuse_unknown(root, known, err);
    if (code == ERR_OK)
        code = json_take_text(root, "name", true, &out->text, err);
    if (code == ERR_OK)
        code = json_take_f64(root, "value", false, &out->value, err);
    if (code == ERR_OK)
        code = take_count(root, "step", &out->step, err);
    return code;
}

static enum err_code read_log(const json_t *root, struct protocol_message *out, struct err *err)
{
    static const char *const known[] = {"type", "line", NULL};

    enum err_code code = json_refuse_unknown(root, known, err);
    return code == ERR_OK ? json_take_text(root, "line", true, &out->text, err) : code;
}

static enum err_code read_result(const json_t *root, struct protocol_message *out, struct err *err)
{
    static const char *const known[] = {"type", "result", NULL};

    enum err_code code = json_refuse_unknown(root, known, err);
    if (code != ERR_OK)
        return code;
    out->result = json_object_get(root, "result");
    if (!json_is_object(out->result))
        return err_set_field(err, ERR_INVALID, "result", "'result' is not an object");
    return ERR_OK;
}

static enum err_code read_failed(const json_t *root, struct protocol_message *out, struct err *err)
{
    static const char *const known[] = {"type", "code", "message", "field", NULL};

    enum err_code code = json_refuse_unknown(root, known, err);
    if (code == ERR_OK)
        code = json_take_text(root, "code", true, &out->code, err);
    if (code == ERR_OK)
        code = json_take_text(root, "message", true, &out->text, err);
    return code;
}

static enum err_code read_kind(const json_t *root, struct protocol_message *out, struct err *err)
{
    static enum err_code (*const readers[PROTOCOL_KIND_COUNT])(const json_t *, struct protocol_message *,
                                                               struct err *) = {
        [PROTOCOL_HELLO] = read_hello, [PROTOCOL_PROGRESS] = read_progress, [PROTOCOL_METRIC] = read_metric,
        [PROTOCOL_LOG] = read_log,     [PROTOCOL_RESULT] = read_result,     [PROTOCOL_FAILED] = read_failed,
    };
    const char *type = NULL;

    enum err_code code = json_take_text(root, "type", true, &type, err);
    if (code != ERR_OK)
        return code;
    for (int kind = 0; kind < PROTOCOL_KIND_COUNT; kind++) {
        if (strcmp(type, kind_names[kind]) == 0) {
            out->kind = (enum protocol_kind)kind;
            return readers[kind](root, out, err);
        }
    }
    return err_set_field(err, ERR_INVALID, "type", "unknown type '%.40s'", type);
}

enum err_code protocol_read(const char *line, size_t size_bytes, struct protocol_message *out,
                            struct err *err)
{
    *out = (struct protocol_message){0};
    enum err_code code = json_read(line, size_bytes, &out->root, err);
    if (code == ERR_OK)
        code = read_kind(out->root, out, err);
    if (code != ERR_OK)
        protocol_message_release(out);
    return code;
}

void protocol_message_release(struct protocol_message *message)
{
    json_decref(message->root);
    *message = (struct protocol_message){0};
}
