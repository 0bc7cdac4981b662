/* History, decisions and settings as JSON. */
#include "registry/registry_row.h"

#include "base/json.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

static void write_transition(const struct query *query, struct json_writer *writer)
{
    static const char *const keys[] = {"subject", "variant", "bot", "version", "from", "to"};

    json_begin_object(writer);
    json_field_time(writer, "at", query_i64(query, 0));
    for (int column = 1; column <= 6; column++)
        json_field_text(writer, keys[column - 1],
                        query_is_null(query, column) ? NULL : query_text(query, column));
    json_field_bool(writer, "rollback", query_i64(query, 7) != 0);
    json_field_text(writer, "who", query_text(query, 8));
    json_field_text(writer, "why", query_text(query, 9));
    json_end_object(writer);
}

static void write_decision(const struct query *query, struct json_writer *writer)
{
    const char *numbers = query_text(query, 3);

    json_begin_object(writer);
    json_field_time(writer, "at", query_i64(query, 0));
    json_field_bool(writer, "promoted", query_i64(query, 1) != 0);
    json_field_text(writer, "reason", query_text(query, 2));
    json_key(writer, "numbers");
    json_put_raw(writer, numbers, strlen(numbers));
    json_end_object(writer);
}

/* The rows of a bound query as an array. */
static enum err_code write_rows(struct query *query,
                                void (*write)(const struct query *, struct json_writer *), const char *what,
                                struct buffer *out, struct err *err)
{
    struct json_writer writer;
    bool has_row = false;
    enum err_code code;

    json_writer_init(&writer, out);
    json_begin_array(&writer);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        write(query, &writer);
    if (code != ERR_OK)
        return code;
    json_end_array(&writer);
    return buffer_check(out, what, err);
}

enum err_code registry_recent_history(struct store *store, const struct model_name *name, const char *version,
                                      int64_t limit, struct buffer *out, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(store->db,
                                  "SELECT h.at_us, v.subject, v.variant, v.bot, h.version, h.from_stage, "
                                  "h.to_stage, h.is_rollback, h.who, h.why "
                                  "FROM stage_history AS h JOIN version AS v ON v.version = h.version WHERE "
                                  "($1 = '' OR v.subject = $1) AND ($2 = '' OR v.variant = $2) "
                                  "AND ($3 = '' OR v.bot = $3) AND ($4 = '' OR v.version = $4) "
                                  "ORDER BY h.id DESC LIMIT $5",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    registry_bind_name(query, name);
    query_bind_text(query, 4, version);
    query_bind_i64(query, 5, limit);
    return write_rows(query, write_transition, "the history of a model", out, err);
}

enum err_code registry_history(struct store *store, const struct model_name *name, struct buffer *out,
                               struct err *err)
{
    struct query *query;

    enum err_code code = db_query(store->db,
                                  "SELECT h.at_us, v.subject, v.variant, v.bot, h.version, h.from_stage, "
                                  "h.to_stage, h.is_rollback, h.who, h.why "
                                  "FROM stage_history AS h JOIN version AS v ON v.version = h.version WHERE "
                                  "($1 = '' OR v.subject = $1) "
                                  "AND ($2 = '' OR v.variant = $2) AND ($3 = '' OR v.bot = $3) ORDER BY h.id",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    registry_bind_name(query, name);
    return write_rows(query, write_transition, "the history of a model", out, err);
}

enum err_code registry_decisions(struct store *store, const char *version, struct buffer *out,
                                 struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        store->db, "SELECT at_us, promoted, reason, numbers FROM decision WHERE version = $1 ORDER BY id",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    return write_rows(query, write_decision, "the decisions about a version", out, err);
}

static void write_model_decision(const struct query *query, struct json_writer *writer)
{
    static const char *const keys[] = {"subject", "variant", "bot", "version"};
    const char *numbers = query_text(query, 7);

    json_begin_object(writer);
    json_field_time(writer, "at", query_i64(query, 0));
    for (int column = 1; column <= 4; column++)
        json_field_text(writer, keys[column - 1], query_text(query, column));
    json_field_bool(writer, "promoted", query_i64(query, 5) != 0);
    json_field_text(writer, "reason", query_text(query, 6));
    json_key(writer, "numbers");
    json_put_raw(writer, numbers, strlen(numbers));
    json_end_object(writer);
}

enum err_code registry_model_decisions(struct store *store, const struct model_name *name, int64_t limit,
                                       struct buffer *out, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        store->db,
        "SELECT d.at_us, v.subject, v.variant, v.bot, d.version, d.promoted, d.reason, d.numbers "
        "FROM decision AS d JOIN version AS v ON v.version = d.version WHERE ($1 = '' OR v.subject = $1) "
        "AND ($2 = '' OR v.variant = $2) AND ($3 = '' OR v.bot = $3) ORDER BY d.id DESC LIMIT $4",
        &query, err);
    if (code != ERR_OK)
        return code;
    registry_bind_name(query, name);
    query_bind_i64(query, 4, limit);
    return write_rows(query, write_model_decision, "the decisions about a model", out, err);
}

/* ---- settings ---- */

enum err_code registry_config_of(const char *details, struct buffer *out, struct err *err)
{
    static const char *const keys[] = {"options", "engine_options"};
    struct json_writer writer;
    json_t *json = NULL;

    enum err_code code = json_read(details, strlen(details), &json, err);
    if (code != ERR_OK)
        return code;
    const json_t *description = json_object_get(json, "description");
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (size_t index = 0; index < sizeof keys / sizeof keys[0]; index++) {
        const json_t *value = json_object_get(description, keys[index]);
        json_key(&writer, keys[index]);
        if (value == NULL)
            json_put_null(&writer);
        else
            json_put_value(&writer, value);
    }
    json_end_object(&writer);
    json_decref(json);
    return buffer_check(out, "the settings of a version", err);
}

/* Rows of earlier programs have their settings in the details only. */
static enum err_code config_from_details(struct store *store, const char *version, struct buffer *out,
                                         struct err *err)
{
    struct buffer details;

    buffer_init(&details, LIMIT_RESULT_BYTES);
    enum err_code code = registry_details(store, version, &details, err);
    if (code == ERR_OK)
        code = registry_config_of(buffer_text(&details), out, err);
    buffer_release(&details);
    return code;
}

enum err_code registry_config(struct store *store, const char *version, struct buffer *out, struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code = db_query(store->db, "SELECT config FROM version WHERE version = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return registry_refuse_unknown(version, err);
    bool is_known = query_text(query, 0)[0] != '\0';
    if (is_known)
        buffer_append_text(out, query_text(query, 0));
    query_reset(query);
    return is_known ? buffer_check(out, "the settings of a version", err)
                    : config_from_details(store, version, out, err);
}
